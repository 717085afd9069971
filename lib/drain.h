/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * drain: gives the space of a spool back while it is read for the last time.
 *
 * He who knows that he is the last reader says first what will be taken, then
 * takes all of it, in any order.  A step of the file that nobody waits for any
 * more becomes a hole.  Taking what was not announced is an error, so that
 * zeros never pass for data.
 *
 * Holes are punched where that costs nothing (tmpfs), and on other filesystems
 * where less is free than the spool holds: many write the pages back before
 * they drop them.  A filesystem that can't punch keeps the space; that is no
 * error.
 */
#ifndef UNIK_DRAIN_H
#define UNIK_DRAIN_H

#include <stdint.h>

#include "err.h"

#define UNIK_DRAIN_STEP (4u << 20)

struct unik_drain;

/* `size` bytes of `fd`, which stays the caller's and must be open for writing
 * and nobody else's. */
int unik_drain_new(struct unik_drain **out, int fd, uint64_t size,
		   struct unik_err *err);
void unik_drain_free(struct unik_drain *d); /* takes NULL */

/* n bytes at off will be taken once (more); all of that before the start. */
int unik_drain_want(struct unik_drain *d, uint64_t off, uint64_t n,
		    struct unik_err *err);
/* Drops at once what nobody wants. */
void unik_drain_start(struct unik_drain *d);
/* They were taken, or are not wanted after all. */
int unik_drain_take(struct unik_drain *d, uint64_t off, uint64_t n,
		    struct unik_err *err);

#endif
