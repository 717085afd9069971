/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ext2: how many groups of what size, and where linear blocks lie in them. */
#include <stdlib.h>

#include "writer_ext2.h"

/* Copies of the superblock and of the descriptors: groups 0, 1 and the powers
 * of 3, 5 and 7 (ext2-doc "Superblock", sparse_super). */
bool unik_ext2_has_super(uint32_t group)
{
	static const uint32_t roots[] = { 3, 5, 7 };
	uint32_t i;

	for (i = 0; i < 3; i++) {
		uint64_t n = roots[i];

		while (n < group)
			n *= roots[i];
		if (n == group)
			return true;
	}
	return group <= 1;
}

static uint64_t count_supers(uint64_t ngroups)
{
	uint64_t n = ngroups < 2 ? ngroups : 2, r, p;

	for (r = 3; r <= 7; r += 2)
		for (p = r; p < ngroups; p *= r)
			n++;
	return n;
}

uint32_t unik_ext2_overhead(const struct ext2_layout *l, uint32_t group)
{
	uint32_t n = 2 + l->table_blocks;

	return unik_ext2_has_super(group) ? n + 1 + l->gdt_blocks : n;
}

uint32_t unik_ext2_group_size(const struct ext2_layout *l, uint32_t group)
{
	if (group + 1 < l->ngroups)
		return l->group_blocks;
	return l->nblocks - unik_ext2_group_start(l, group);
}

/* The last group of an image of 1024-byte blocks stays one block short, so that
 * the size can be a multiple of 4096 (block 0 is in no group). */
static uint32_t last_max(const struct ext2_layout *l)
{
	return l->group_blocks - l->first_block;
}

/* Data blocks of n groups of full size (the last one of all in `last`). */
static uint64_t capacity(const struct ext2_layout *l, uint64_t n, bool last)
{
	uint64_t all = n * l->group_blocks;
	uint64_t meta = n * (2 + (uint64_t)l->table_blocks) +
			count_supers(n) * (1 + (uint64_t)l->gdt_blocks);

	if (last)
		all -= l->group_blocks - last_max(l);
	return all > meta ? all - meta : 0;
}

/* Sets all that follows from a number of groups. */
static bool set_groups(struct ext2_layout *l, uint64_t n, uint64_t ninodes)
{
	uint32_t per_block = l->block_size / EXT2_INODE_SIZE;
	/* The bitmap is used in bytes, the table in blocks. */
	uint32_t unit = per_block > 8 ? per_block : 8;
	uint64_t inodes = unik_div_up(unik_div_up(ninodes, n), unit) * unit;

	l->ngroups = (uint32_t)n;
	l->group_inodes = (uint32_t)inodes;
	l->table_blocks = l->group_inodes / per_block;
	l->gdt_blocks = (uint32_t)unik_div_up(n * sizeof(struct ext2_group),
					      l->block_size);
	return inodes * n <= UINT32_MAX;
}

static uint32_t most_overhead(const struct ext2_layout *l)
{
	return unik_ext2_overhead(l, 0);
}

/*
 * Finds the fewest groups that hold it all.  Where it is the inodes that ask
 * for that many, groups of full size would leave a lot of free blocks: then the
 * groups shrink (their size may be any multiple of 8).
 */
static int find_groups(struct ext2_layout *l, uint64_t ninodes, uint64_t ndata,
		       struct unik_err *err)
{
	uint32_t full = 8 * l->block_size, least;
	uint64_t n = unik_div_up(ninodes, full);
	uint64_t by_data = unik_div_up(ndata, full);
	uint64_t lo, hi;

	if (n < by_data)
		n = by_data;
	l->group_blocks = full;
	for (;; n++) {
		if (n > UINT32_MAX / full || !set_groups(l, n, ninodes) ||
		    most_overhead(l) + 8 >= full)
			return unik_fail(err, "%llu blocks and %llu inodes are "
					 "too many for ext2 with blocks of %u "
					 "bytes", (unsigned long long)ndata,
					 (unsigned long long)ninodes,
					 l->block_size);
		if (capacity(l, n, true) >= ndata)
			break;
	}
	if (n == 1 || capacity(l, n - 1, false) < ndata)
		return 0;
	/* Linux wants more blocks in a group than its metadata has. */
	least = (most_overhead(l) + 8) / 8;
	lo = least;
	hi = full / 8;
	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;

		l->group_blocks = (uint32_t)mid * 8;
		if (capacity(l, n, true) >= ndata)
			hi = mid;
		else
			lo = mid + 1;
	}
	l->group_blocks = (uint32_t)lo * 8;
	return 0;
}

/* The size of the image: what the last group needs, rounded to 4096 bytes. */
static void set_size(struct ext2_layout *l, uint64_t ndata)
{
	uint64_t before = capacity(l, l->ngroups - 1, false);
	uint64_t last = unik_ext2_overhead(l, l->ngroups - 1);
	uint64_t unit = EXT2_MAX_BLOCK / l->block_size, all;

	if (ndata > before)
		last += ndata - before;
	all = unik_ext2_group_start(l, l->ngroups - 1) + last;
	l->nblocks = (uint32_t)(unik_div_up(all, unit) * unit);
}

int unik_ext2_layout(struct ext2_layout *l, uint32_t block_size,
		     uint64_t ninodes, uint64_t ndata, struct unik_err *err)
{
	uint32_t g, sum = 0;

	l->block_size = block_size;
	l->first_block = block_size == 1024;
	if (find_groups(l, ninodes, ndata, err) < 0)
		return -1;
	set_size(l, ndata);
	l->first_linear = calloc((size_t)l->ngroups + 1, sizeof(uint32_t));
	if (!l->first_linear)
		return unik_fail_mem(err);
	for (g = 0; g < l->ngroups; g++) {
		sum += unik_ext2_group_size(l, g) - unik_ext2_overhead(l, g);
		l->first_linear[g + 1] = sum;
	}
	return 0;
}

void unik_ext2_place_set(const struct ext2_layout *l, struct ext2_place *p,
			 uint64_t linear)
{
	uint32_t lo = 0, hi = l->ngroups - 1;

	while (lo < hi) { /* the last group that starts at or before it */
		uint32_t mid = lo + (hi - lo + 1) / 2;

		if (l->first_linear[mid] <= linear)
			lo = mid;
		else
			hi = mid - 1;
	}
	p->group = lo;
	p->next = unik_ext2_group_start(l, lo) + unik_ext2_overhead(l, lo) +
		  (uint32_t)(linear - l->first_linear[lo]);
	p->left = (uint32_t)(l->first_linear[lo + 1] - linear);
}

uint32_t unik_ext2_place_next(const struct ext2_layout *l, struct ext2_place *p)
{
	while (p->left == 0) {
		p->group++;
		p->next = unik_ext2_group_start(l, p->group) +
			  unik_ext2_overhead(l, p->group);
		p->left = l->first_linear[p->group + 1] -
			  l->first_linear[p->group];
	}
	p->left--;
	return p->next++;
}
