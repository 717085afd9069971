/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lanes: sha256 of several streams side by side on one core.
 *
 * The SHA extensions of x86 processors can start a round every two cycles, but
 * each waits for the one before it, which takes four: half of the unit idles
 * while one stream is hashed.  Two streams in one loop fill the gaps, so that
 * two digests cost about 1.5 times as much as one, or less (see below).
 * Sixteen streams in the elements of AVX-512's registers cost half of one each
 * (lanes_many.c).  Where a processor has no such instructions, OpenSSL hashes
 * the streams one after the other.
 */
#ifndef UNIK_LANES_H
#define UNIK_LANES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest.h"
#include "err.h"

#define UNIK_LANES 16      /* at most */
#define UNIK_LANES_MANY 11 /* from so many on, sixteen beat pairs */
#define UNIK_LANE_BLOCK 64

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
/* Whether two together take hardly longer than one of them: 1.15 times as long
 * on AMD's Zen 3, where 1.5 times were measured on Intel's processors. */
bool unik_lanes_cheap(void);
/* With how many lanes a core hashes most bytes: 16, 2 or 1. */
unsigned unik_lanes_width(void);

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
/* Appends n blocks to each of k lanes (1 .. 16), in which no block is begun. */
int unik_lanes_blocks(struct unik_lane *const *l, const uint8_t *const *p,
		      unsigned k, size_t n, struct unik_err *err);
/* Instead of final, for streams whose ends are hashed side by side, too:
 * appends the last n bytes (less than a block); *nblocks blocks of `tail`, none
 * to two, are due then, and after them unik_lane_result(). */
int unik_lane_end(struct unik_lane *l, const void *data, size_t n,
		  uint8_t tail[2 * UNIK_LANE_BLOCK], size_t *nblocks,
		  struct unik_err *err);
int unik_lane_result(struct unik_lane *l, struct unik_digest *out,
		     struct unik_err *err);
int unik_lane_final(struct unik_lane *l, struct unik_digest *out,
		    struct unik_err *err);
void unik_lane_release(struct unik_lane *l);

/* ---- many short texts ---- */

struct unik_text {
	const void *data;
	size_t size;
	uint8_t *sha256; /* 32 bytes, which it goes to */
};

struct unik_lanes;

/* So many texts side by side, at most UNIK_LANES; 0: as many as are fast. */
int unik_lanes_new(struct unik_lanes **out, unsigned width,
		   struct unik_err *err);
/* After a failure it is only to be freed. */
int unik_lanes_each(struct unik_lanes *l, const struct unik_text *v, size_t n,
		    struct unik_err *err);
void unik_lanes_free(struct unik_lanes *l); /* takes NULL */

#endif
