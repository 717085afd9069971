/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * deflate: bytes in, compressed bytes out: gzip (RFC 1952) and zstd (RFC 8878).
 * The same bytes give the same bytes, whatever the machine, as long as the
 * libraries stay the same: no time, no name, one thread.
 */
#ifndef UNIK_DEFLATE_H
#define UNIK_DEFLATE_H

#include "digest.h"
#include "err.h"
#include "inflate.h"
#include "io.h"

/* The lowest and highest level; 0 where there are none. */
int unik_deflate_most(enum unik_compression how);

/*
 * All of `src` to `sink`, by UNIK_PLAIN, UNIK_GZIP or UNIK_ZSTD; level 0 is the
 * default.  `hash` (or NULL) gets the plain bytes.  A `stop` (or NULL) that
 * becomes nonzero: UNIK_EIO.
 */
int unik_deflate(struct unik_source *src, struct unik_sink *sink,
		 enum unik_compression how, int level, struct unik_hash *hash,
		 const volatile int *stop, struct unik_err *err);

#endif
