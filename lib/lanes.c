/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lanes.h"

#include <string.h>

#include "lanes_private.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ASAN
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define ASAN
#endif
#ifdef ASAN
#include <sanitizer/asan_interface.h>
#endif

#define BLOCK UNIK_LANE_BLOCK

/* The loops over blocks are built without ASan: it looks here at what they are
 * about to read. */
static const uint8_t *seen(const uint8_t *p, size_t nblocks)
{
#ifdef ASAN
	const volatile uint8_t *bad;

	/* It doesn't change the bytes, though it wants no const. */
	bad = __asan_region_is_poisoned((void *)(uintptr_t)p, nblocks * BLOCK);
	if (bad)
		(void)*bad; /* and is reported */
#else
	(void)nblocks;
#endif
	return p;
}

bool unik_lanes_fast(void)
{
	return unik_sha_find() != NULL;
}

bool unik_lanes_cheap(void)
{
	return unik_lanes_fast() && unik_sha_cheap_pairs();
}

unsigned unik_lanes_width(void)
{
	const struct unik_sha *sha = unik_sha_find();

	return !sha ? 1 : sha->many ? UNIK_LANES : 2;
}

int unik_lane_init_slow(struct unik_lane *l, struct unik_err *err)
{
	memset(l, 0, sizeof(*l));
	return unik_hash_init(&l->slow, UNIK_SHA256, err);
}

int unik_lane_init(struct unik_lane *l, struct unik_err *err)
{
	const struct unik_sha *sha = unik_sha_find();

	if (!sha)
		return unik_lane_init_slow(l, err);
	memset(l, 0, sizeof(*l));
	l->sha = sha;
	return unik_lane_reset(l, err);
}

int unik_lane_reset(struct unik_lane *l, struct unik_err *err)
{
	/* FIPS 180-4, section 5.3.3. */
	static const uint32_t start[8] = {
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
		0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19
	};

	if (!l->sha)
		return unik_hash_reset(&l->slow, err);
	memcpy(l->h, start, sizeof(l->h));
	l->size = 0;
	return 0;
}

/* Fills the block that is begun; returns how many bytes that took. */
static size_t fill_rest(struct unik_lane *l, const uint8_t *p, size_t n)
{
	size_t have = (size_t)(l->size % BLOCK);

	if (have == 0)
		return 0;
	if (n > BLOCK - have)
		n = BLOCK - have;
	memcpy(l->rest + have, p, n);
	l->size += n;
	if (have + n == BLOCK)
		l->sha->one(l->h, l->rest, 1);
	return n;
}

/* What is no whole block waits. */
static void whole_blocks(struct unik_lane *l, const uint8_t *p, size_t n)
{
	size_t whole = n / BLOCK;

	if (whole > 0)
		l->sha->one(l->h, seen(p, whole), whole);
	if (n % BLOCK > 0)
		memcpy(l->rest, p + whole * BLOCK, n % BLOCK);
	l->size += n;
}

static void update_one(struct unik_lane *l, const uint8_t *p, size_t n)
{
	size_t used = fill_rest(l, p, n);

	if (used < n)
		whole_blocks(l, p + used, n - used);
}

int unik_lane_update(struct unik_lane *l, const void *data, size_t n,
		     struct unik_err *err)
{
	if (!l->sha)
		return unik_hash_update(&l->slow, data, n, err);
	if (n > 0)
		update_one(l, data, n);
	return 0;
}

int unik_lanes_update(struct unik_lane *a, const void *data, size_t n,
		      struct unik_lane *b, const void *other, size_t m,
		      struct unik_err *err)
{
	const uint8_t *p = data, *q = other;
	size_t used, both;

	if (!a->sha || !b->sha || n < BLOCK || m < BLOCK) {
		if (unik_lane_update(a, data, n, err) < 0)
			return -1;
		return unik_lane_update(b, other, m, err);
	}
	used = fill_rest(a, p, n);
	p += used;
	n -= used;
	used = fill_rest(b, q, m);
	q += used;
	m -= used;
	both = (n < m ? n : m) / BLOCK;
	if (both > 0)
		a->sha->two(a->h, seen(p, both), b->h, seen(q, both), both);
	a->size += both * BLOCK;
	b->size += both * BLOCK;
	update_one(a, p + both * BLOCK, n - both * BLOCK);
	update_one(b, q + both * BLOCK, m - both * BLOCK);
	return 0;
}

/* Unused columns hash what the first stream has, for nobody. */
static void blocks_of_many(struct unik_lane *const *l, const uint8_t *const *p,
			   unsigned k, size_t n)
{
	const uint8_t *from[UNIK_LANES];
	uint32_t h[8][UNIK_LANES];
	unsigned i, j;

	for (i = 0; i < UNIK_LANES; i++) {
		const struct unik_lane *lane = l[i < k ? i : 0];

		from[i] = seen(p[i < k ? i : 0], n);
		for (j = 0; j < 8; j++)
			h[j][i] = lane->h[j];
	}
	l[0]->sha->many(h, from, n);
	for (i = 0; i < k; i++) {
		for (j = 0; j < 8; j++)
			l[i]->h[j] = h[j][i];
		l[i]->size += n * BLOCK;
	}
}

int unik_lanes_blocks(struct unik_lane *const *l, const uint8_t *const *p,
		      unsigned k, size_t n, struct unik_err *err)
{
	unsigned i;

	if (k >= UNIK_LANES_MANY && l[0]->sha && l[0]->sha->many) {
		blocks_of_many(l, p, k, n);
		return 0;
	}
	for (i = 0; i + 1 < k; i += 2)
		if (unik_lanes_update(l[i], p[i], n * BLOCK, l[i + 1],
				      p[i + 1], n * BLOCK, err) < 0)
			return -1;
	return i < k ? unik_lane_update(l[i], p[i], n * BLOCK, err) : 0;
}

/* FIPS 180-4, section 5.1.1: a one bit, zeros, the length in bits. */
static size_t pad(const struct unik_lane *l, uint8_t tail[2 * BLOCK])
{
	size_t have = (size_t)(l->size % BLOCK), i;
	size_t nblocks = have + 9 > BLOCK ? 2 : 1;
	uint64_t bits = l->size << 3;

	memset(tail, 0, 2 * BLOCK);
	memcpy(tail, l->rest, have);
	tail[have] = 0x80;
	for (i = 0; i < 8; i++)
		tail[nblocks * BLOCK - 1 - i] = (uint8_t)(bits >> 8 * i);
	return nblocks;
}

int unik_lane_end(struct unik_lane *l, const void *data, size_t n,
		  uint8_t tail[2 * BLOCK], size_t *nblocks,
		  struct unik_err *err)
{
	*nblocks = 0;
	if (unik_lane_update(l, data, n, err) < 0)
		return -1;
	if (l->sha) {
		*nblocks = pad(l, tail);
		l->size -= l->size % BLOCK; /* no block is begun any more */
	}
	return 0;
}

int unik_lane_result(struct unik_lane *l, struct unik_digest *out,
		     struct unik_err *err)
{
	size_t i;

	if (!l->sha)
		return unik_hash_final(&l->slow, out, err);
	memset(out, 0, sizeof(*out));
	out->algo = UNIK_SHA256;
	for (i = 0; i < UNIK_SHA256_SIZE; i++)
		out->bytes[i] = (uint8_t)(l->h[i / 4] >> (24 - 8 * (i % 4)));
	return 0;
}

int unik_lane_final(struct unik_lane *l, struct unik_digest *out,
		    struct unik_err *err)
{
	uint8_t tail[2 * BLOCK];
	size_t nblocks;

	if (unik_lane_end(l, NULL, 0, tail, &nblocks, err) < 0)
		return -1;
	if (nblocks > 0)
		l->sha->one(l->h, tail, nblocks);
	return unik_lane_result(l, out, err);
}

void unik_lane_release(struct unik_lane *l)
{
	unik_hash_release(&l->slow);
}
