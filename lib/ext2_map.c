/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ext2: which blocks of a file hold data, and the indirect blocks that map them
 * (ext2-doc "Inode Table", i_block; ext4 doc ifork.rst). */
#include <string.h>

#include "writer_ext2.h"

/* ---- runs ---- */

static uint64_t file_blocks(const struct unik_writer *w,
			    const struct unik_inode *inode)
{
	switch (inode->type) {
	case UNIK_FILE:
		return unik_div_up(inode->size, w->block_size);
	case UNIK_DIR:
		return w->slots[inode->id].ndata & ~EXT2_DIR_INDEXED;
	case UNIK_SYMLINK:
		return inode->size > EXT2_FAST_SYMLINK;
	default:
		return 0;
	}
}

void unik_ext2_runs(const struct unik_writer *w, const struct unik_inode *inode,
		    struct ext2_runs *r)
{
	memset(r, 0, sizeof(*r));
	r->nblocks = file_blocks(w, inode);
	r->per = UNIK_HOLE_BLOCK / w->block_size;
	if (inode->type == UNIK_FILE && inode->size > 0 &&
	    inode->content->holed)
		r->content = inode->content;
}

uint64_t unik_ext2_runs_next(struct ext2_runs *r, uint64_t from, uint64_t *end)
{
	const struct unik_content *c = r->content;

	*end = r->nblocks;
	if (from >= r->nblocks)
		return UINT64_MAX;
	if (!c)
		return from;
	for (; r->extent < c->nextents; r->extent++) {
		uint64_t first = (uint64_t)c->extents[r->extent].block * r->per;
		uint64_t n = (uint64_t)c->extents[r->extent].nblocks * r->per;

		if (first + n <= from)
			continue;
		if (first >= r->nblocks)
			break;
		if (first + n < r->nblocks)
			*end = first + n;
		return first > from ? first : from;
	}
	return UINT64_MAX;
}

/* ---- counts ---- */

uint64_t unik_ext2_span(const struct unik_writer *w, uint32_t level)
{
	uint64_t n = 1;

	while (level-- > 0)
		n *= w->nptrs;
	return n;
}

uint64_t unik_ext2_base(const struct unik_writer *w, uint32_t level)
{
	uint64_t n = EXT2_NDIR;

	while (level-- > 1)
		n += unik_ext2_span(w, level);
	return n;
}

/* Besides what three levels map: i_blocks counts data and indirect blocks in
 * 512-byte units with 32 bits, and Linux takes it that any file may come to be
 * without holes (ext4_max_bitmap_size). */
uint64_t unik_ext2_max_blocks(const struct unik_writer *w)
{
	uint64_t mapped = unik_ext2_base(w, EXT2_LEVELS + 1);
	uint64_t all = UINT32_MAX / (w->block_size / 512);
	uint64_t p = w->nptrs, left = all - EXT2_NDIR - p, meta = 1;

	if (mapped < all)
		return mapped;
	left -= p * p;
	meta += 1 + p;
	meta += 1 + unik_div_up(left, p) + unik_div_up(left, p * p);
	return all - meta;
}

static uint64_t count_data(struct ext2_runs *r, uint64_t from, uint64_t to)
{
	uint64_t n = 0, first, end;

	while ((first = unik_ext2_runs_next(r, from, &end)) < to) {
		if (end > to)
			end = to;
		n += end - first;
		from = end;
	}
	return n;
}

/* The blocks below an indirect block and itself; 0 where it maps no data. */
static uint64_t count_level(const struct unik_writer *w, struct ext2_runs *r,
			    uint32_t level, uint64_t base)
{
	uint64_t span, to, n = 0, at = base, first, end;

	if (level == 1) {
		n = count_data(r, base, base + w->nptrs);
		return n ? n + 1 : 0;
	}
	span = unik_ext2_span(w, level - 1);
	to = base + span * w->nptrs;
	while ((first = unik_ext2_runs_next(r, at, &end)) < to) {
		at = base + (first - base) / span * span;
		n += count_level(w, r, level - 1, at);
		at += span;
	}
	return n ? n + 1 : 0;
}

uint64_t unik_ext2_map_total(const struct unik_writer *w,
			     const struct unik_inode *inode)
{
	struct ext2_runs r;
	uint32_t level;
	uint64_t n;

	unik_ext2_runs(w, inode, &r);
	n = count_data(&r, 0, EXT2_NDIR);
	if (r.nblocks <= EXT2_NDIR)
		return n;
	for (level = 1; level <= EXT2_LEVELS; level++)
		n += count_level(w, &r, level, unik_ext2_base(w, level));
	return n;
}

/* ---- block numbers ---- */

/* Numbers of data blocks [from, to) of the file, which lie from `linear` on. */
static uint64_t put_data(const struct unik_writer *w, struct ext2_runs *r,
			 uint64_t from, uint64_t to, uint64_t linear,
			 uint8_t *out)
{
	struct ext2_place p = { 0, 0, 0 };
	uint64_t first, end, at = from, i, n = 0;

	while ((first = unik_ext2_runs_next(r, at, &end)) < to) {
		if (end > to)
			end = to;
		if (n == 0)
			unik_ext2_place_set(&w->layout, &p, linear);
		n += end - first;
		for (i = first; i < end; i++)
			ext2_put32(out + (i - from) * 4,
				   unik_ext2_place_next(&w->layout, &p));
		at = end;
	}
	return n;
}

static void put_one(const struct unik_writer *w, uint64_t linear, uint8_t *out)
{
	struct ext2_place p;

	unik_ext2_place_set(&w->layout, &p, linear);
	ext2_put32(out, unik_ext2_place_next(&w->layout, &p));
}

void unik_ext2_map_inode(const struct unik_writer *w,
			 const struct unik_inode *inode,
			 uint8_t block[EXT2_NBLOCK][4])
{
	const struct ext2_slot *slot = &w->slots[inode->id];
	uint64_t linear = slot->start, left = slot->nblocks, n;
	struct ext2_runs r;
	uint32_t level;

	unik_ext2_runs(w, inode, &r);
	n = put_data(w, &r, 0, EXT2_NDIR, linear, block[0]);
	for (level = 1; level <= EXT2_LEVELS && left > n; level++) {
		linear += n;
		left -= n;
		n = count_level(w, &r, level, unik_ext2_base(w, level));
		if (n > 0)
			put_one(w, linear, block[EXT2_NDIR + level - 1]);
	}
}

void unik_ext2_map_block(const struct unik_writer *w, struct ext2_runs r,
			 uint32_t level, uint64_t base, uint64_t linear,
			 uint8_t *buf)
{
	uint64_t span, to, at = base, first, end;

	memset(buf, 0, w->block_size);
	linear++;
	if (level == 1) {
		put_data(w, &r, base, base + w->nptrs, linear, buf);
		return;
	}
	span = unik_ext2_span(w, level - 1);
	to = base + span * w->nptrs;
	while ((first = unik_ext2_runs_next(&r, at, &end)) < to) {
		uint64_t i = (first - base) / span;

		put_one(w, linear, buf + i * 4);
		at = base + i * span;
		linear += count_level(w, &r, level - 1, at);
		at += span;
	}
}
