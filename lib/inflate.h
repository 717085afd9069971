/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * inflate: compressed bytes as one more source: gzip (RFC 1952), zstd (RFC
 * 8878), xz, bzip2, or plain, picked by magic.  Concatenated members and
 * frames, and skippable frames, are read through; anything else behind the
 * last one is an error, and so is a stream that is cut.
 */
#ifndef UNIK_INFLATE_H
#define UNIK_INFLATE_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "io.h"

enum unik_compression {
	UNIK_PLAIN = 0,
	UNIK_GZIP,
	UNIK_ZSTD,
	UNIK_XZ,
	UNIK_BZIP2
};

/* By the first bytes (512 or more where there are so many).  A valid tar
 * header is plain whatever its name begins with. */
enum unik_compression unik_compression_of(const uint8_t *head, size_t n);
const char *unik_compression_name(enum unik_compression c);

/*
 * Wraps `src` (borrowed; it must outlive the result).  Looks at the magic, so
 * `src` must be at its start.  A plain stream is passed through.  The limits
 * `ratio` and `window` hold.
 */
int unik_source_inflate(struct unik_source **out, struct unik_source *src,
			const struct unik_limits *limits,
			enum unik_compression *found, struct unik_err *err);

#endif
