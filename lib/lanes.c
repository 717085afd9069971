/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lanes.h"

#include <string.h>

#include "lanes_private.h"

#define BLOCK 64

bool unik_lanes_fast(void)
{
	return unik_sha_find() != NULL;
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
		l->sha->one(l->h, p, whole);
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
		a->sha->two(a->h, p, b->h, q, both);
	a->size += both * BLOCK;
	b->size += both * BLOCK;
	update_one(a, p + both * BLOCK, n - both * BLOCK);
	update_one(b, q + both * BLOCK, m - both * BLOCK);
	return 0;
}

/* FIPS 180-4, section 5.1.1: a one bit, zeros, the length in bits. */
static void pad(struct unik_lane *l)
{
	uint8_t tail[2 * BLOCK] = { 0 };
	size_t have = (size_t)(l->size % BLOCK), i;
	size_t nblocks = have + 9 > BLOCK ? 2 : 1;
	uint64_t bits = l->size << 3;

	memcpy(tail, l->rest, have);
	tail[have] = 0x80;
	for (i = 0; i < 8; i++)
		tail[nblocks * BLOCK - 1 - i] = (uint8_t)(bits >> 8 * i);
	l->sha->one(l->h, tail, nblocks);
}

int unik_lane_final(struct unik_lane *l, struct unik_digest *out,
		    struct unik_err *err)
{
	size_t i;

	if (!l->sha)
		return unik_hash_final(&l->slow, out, err);
	pad(l);
	memset(out, 0, sizeof(*out));
	out->algo = UNIK_SHA256;
	for (i = 0; i < UNIK_SHA256_SIZE; i++)
		out->bytes[i] = (uint8_t)(l->h[i / 4] >> (24 - 8 * (i % 4)));
	return 0;
}

void unik_lane_release(struct unik_lane *l)
{
	unik_hash_release(&l->slow);
}
