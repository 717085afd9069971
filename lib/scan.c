/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scan.h"

#include <stdlib.h>
#include <string.h>

#include "stage.h"

int unik_scan_init(struct unik_scan *s, struct unik_err *err)
{
	memset(s, 0, sizeof(*s));
	s->zero_page = calloc(1, UNIK_CHUNK);
	if (!s->zero_page)
		return unik_fail_mem(err);
	return unik_lane_init(&s->hash, err);
}

int unik_scan_begin(struct unik_scan *s, struct unik_err *err)
{
	s->size = 0;
	s->block_data = false;
	s->zeros = 0;
	s->nextents = 0;
	s->open = false;
	return unik_lane_reset(&s->hash, err);
}

static int new_extent(struct unik_scan *s, uint64_t block, struct unik_err *err)
{
	if (block >= UINT32_MAX)
		return unik_fail(err, "file too large");
	if (s->nextents == s->room) {
		uint32_t room = s->room ? s->room * 2 : 16;
		struct unik_extent *v;

		v = realloc(s->extents, room * sizeof(*v));
		if (!v)
			return unik_fail_mem(err);
		s->extents = v;
		s->room = room;
	}
	s->extents[s->nextents].block = (uint32_t)block;
	s->extents[s->nextents++].nblocks = 0;
	s->open = true;
	return 0;
}

/* The block that ends at s->size is whole (or the last of the file). */
static int end_block(struct unik_scan *s, struct unik_err *err)
{
	uint64_t block = (s->size - 1) / UNIK_HOLE_BLOCK;
	struct unik_extent *e;

	if (!s->block_data) {
		s->zeros++;
		return 0;
	}
	if (s->open && s->zeros >= UNIK_HOLE_MIN)
		s->open = false;
	if (!s->open) {
		/* A short run of zeros at the front is no hole. */
		uint64_t from = s->zeros < UNIK_HOLE_MIN ? block - s->zeros
							 : block;

		if (new_extent(s, from, err) < 0)
			return -1;
	}
	e = &s->extents[s->nextents - 1];
	e->nblocks = (uint32_t)(block + 1 - e->block);
	s->zeros = 0;
	s->block_data = false;
	return 0;
}

static int hash(struct unik_scan *s, const uint8_t *p, size_t n,
		struct unik_err *err)
{
	if (s->beside)
		return unik_stage_hash(s->beside, &s->hash, p, n, err);
	return unik_lane_update(&s->hash, p, n, err);
}

int unik_scan_map(struct unik_scan *s, const void *data, uint64_t n,
		  struct unik_err *err)
{
	const uint8_t *p = data;

	while (n > 0) {
		size_t at = (size_t)(s->size % UNIK_HOLE_BLOCK);
		size_t m = UNIK_HOLE_BLOCK - at;

		if (m > n)
			m = (size_t)n;
		if (!s->block_data && !unik_all_zero(p, m))
			s->block_data = true;
		s->size += m;
		p += m;
		n -= m;
		if (s->size % UNIK_HOLE_BLOCK == 0 && end_block(s, err) < 0)
			return -1;
	}
	return 0;
}

static int feed_data(struct unik_scan *s, const uint8_t *p, uint64_t n,
		     struct unik_err *err)
{
	if (hash(s, p, (size_t)n, err) < 0)
		return -1;
	return unik_scan_map(s, p, n, err);
}

static int feed_zeros(struct unik_scan *s, uint64_t n, struct unik_err *err)
{
	uint64_t at = s->size % UNIK_HOLE_BLOCK, whole;

	if (at > 0) { /* up to the next block, the slow way */
		uint64_t m = UNIK_HOLE_BLOCK - at;

		if (m > n)
			m = n;
		if (feed_data(s, s->zero_page, m, err) < 0)
			return -1;
		n -= m;
	}
	whole = n / UNIK_HOLE_BLOCK * UNIK_HOLE_BLOCK;
	s->zeros += whole / UNIK_HOLE_BLOCK;
	s->size += whole;
	n -= whole;
	while (whole > 0) {
		size_t m = whole < UNIK_CHUNK ? (size_t)whole : UNIK_CHUNK;

		if (hash(s, s->zero_page, m, err) < 0)
			return -1;
		whole -= m;
	}
	return n > 0 ? feed_data(s, s->zero_page, n, err) : 0;
}

int unik_scan_feed(struct unik_scan *s, const void *data, uint64_t n,
		   struct unik_err *err)
{
	return data ? feed_data(s, data, n, err) : feed_zeros(s, n, err);
}

int unik_scan_end_map(struct unik_scan *s, struct unik_content *c,
		      struct unik_err *err)
{
	uint64_t nblocks;

	if (s->size % UNIK_HOLE_BLOCK != 0 && end_block(s, err) < 0)
		return -1;
	nblocks = (s->size + UNIK_HOLE_BLOCK - 1) / UNIK_HOLE_BLOCK;
	/* A short run of zeros at the end is no hole either. */
	if (s->open && s->zeros > 0 && s->zeros < UNIK_HOLE_MIN)
		s->extents[s->nextents - 1].nblocks += (uint32_t)s->zeros;
	c->holed = !(s->nextents == 1 && s->extents[0].block == 0 &&
		     s->extents[0].nblocks == nblocks) &&
		   !(s->nextents == 0 && s->zeros < UNIK_HOLE_MIN);
	c->nextents = c->holed ? s->nextents : 0;
	c->extents = c->nextents ? s->extents : NULL;
	return 0;
}

/* The last blocks go beside others, too: a small file has few. */
static int end_hash(struct unik_scan *s, struct unik_digest *d,
		    struct unik_err *err)
{
	uint8_t tail[2 * UNIK_LANE_BLOCK];
	size_t n;

	if (unik_lane_end(&s->hash, NULL, 0, tail, &n, err) < 0 ||
	    hash(s, tail, n * UNIK_LANE_BLOCK, err) < 0)
		return -1;
	return unik_lane_result(&s->hash, d, err);
}

int unik_scan_end(struct unik_scan *s, struct unik_content *c,
		  struct unik_err *err)
{
	struct unik_digest d;

	if (unik_scan_end_map(s, c, err) < 0 || end_hash(s, &d, err) < 0)
		return -1;
	memcpy(c->sha256, d.bytes, sizeof(c->sha256));
	return 0;
}

void unik_scan_release(struct unik_scan *s)
{
	unik_lane_release(&s->hash);
	free(s->extents);
	free(s->zero_page);
	memset(s, 0, sizeof(*s));
}
