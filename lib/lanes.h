/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lanes: sha256 of two streams side by side on one core.
 *
 * The SHA extensions of x86 processors can start a round every two cycles, but
 * each waits for the one before it, which takes four: half of the unit idles
 * while one stream is hashed.  Two streams in one loop fill the gaps, so that
 * two digests cost about 1.5 times as much as one.  Where a processor has no
 * such instructions, OpenSSL hashes the streams one after the other.
 */
#ifndef UNIK_LANES_H
#define UNIK_LANES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest.h"
#include "err.h"

struct unik_sha;

struct unik_lane {
	const struct unik_sha *sha; /* NULL: `slow` does it */
	uint32_t h[8];
	uint64_t size;    /* bytes so far */
	uint8_t rest[64]; /* the first size % 64 of them are due */
	struct unik_hash slow; /* instead of the above */
};

/* Whether two lanes are faster together than one after the other. */
bool unik_lanes_fast(void);

/* init -> update* -> final -> reset ...; release at any time. */
int unik_lane_init(struct unik_lane *l, struct unik_err *err);
/* The same, always through OpenSSL: what the fast way is compared with. */
int unik_lane_init_slow(struct unik_lane *l, struct unik_err *err);
int unik_lane_reset(struct unik_lane *l, struct unik_err *err);
int unik_lane_update(struct unik_lane *l, const void *data, size_t n,
		     struct unik_err *err);
/* Appends n bytes to `a` and m bytes to `b`. */
int unik_lanes_update(struct unik_lane *a, const void *data, size_t n,
		      struct unik_lane *b, const void *other, size_t m,
		      struct unik_err *err);
int unik_lane_final(struct unik_lane *l, struct unik_digest *out,
		    struct unik_err *err);
void unik_lane_release(struct unik_lane *l);

#endif
