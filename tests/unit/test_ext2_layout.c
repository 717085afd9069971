/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The groups of an ext2 image: what must hold for any number of blocks and
 * inodes. */
#include <stdlib.h>
#include <string.h>

#include "tap.h"
#include "writer_ext2.h"

static struct unik_err err;

/* xorshift: numbers that are the same everywhere. */
static uint64_t state = 88172645463325252u;

static uint64_t next(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % below;
}

#define CHECK(what)                                                        \
	do {                                                               \
		if (!(what)) {                                             \
			printf("# %u bytes, %llu inodes, %llu blocks: "    \
			       "not %s\n", l->block_size,                  \
			       (unsigned long long)ninodes,                \
			       (unsigned long long)ndata, #what);          \
			return false;                                      \
		}                                                          \
	} while (0)

static bool check_last(const struct ext2_layout *l, uint64_t ninodes,
		       uint64_t ndata)
{
	uint32_t last = l->ngroups - 1, unit = 4096 / l->block_size;
	uint32_t size = unik_ext2_group_size(l, last);
	uint64_t spare = l->first_linear[l->ngroups] - ndata;

	CHECK(l->nblocks % unit == 0);
	CHECK(size >= unik_ext2_overhead(l, last));
	CHECK(size <= l->group_blocks);
	CHECK(l->nblocks > unik_ext2_group_start(l, last));
	/* Free blocks are what rounding leaves.  Where inodes ask for the
	 * groups, these shrink to a multiple of 8 that the fullest can have:
	 * those without a superblock have room for one more. */
	if (l->first_linear[last] < ndata)
		CHECK(spare < unit);
	else
		CHECK(spare < unit + (8 + 1 + l->gdt_blocks) *
			      (uint64_t)l->ngroups);
	return true;
}

/* Linear blocks are places in order, none of them metadata. */
static bool check_places(const struct ext2_layout *l, uint64_t ninodes,
			 uint64_t ndata)
{
	uint32_t n = l->first_linear[l->ngroups], i, at, before = 0;
	uint64_t steps = 0;
	struct ext2_place p;

	for (i = 0; i < l->ngroups && steps++ < 2000; i++) {
		uint32_t first = l->first_linear[i];
		uint32_t start = unik_ext2_group_start(l, i);

		CHECK(first <= l->first_linear[i + 1]);
		if (first == l->first_linear[i + 1])
			continue;
		unik_ext2_place_set(l, &p, first);
		at = unik_ext2_place_next(l, &p);
		CHECK(at == start + unik_ext2_overhead(l, i));
		if (first > 0) { /* stepping over the border is the same */
			unik_ext2_place_set(l, &p, first - 1);
			before = unik_ext2_place_next(l, &p);
			CHECK(before < start);
			CHECK(unik_ext2_place_next(l, &p) == at);
		}
	}
	if (l->first_linear[l->ngroups - 1] < n) { /* no bare metadata */
		unik_ext2_place_set(l, &p, n - 1);
		CHECK(unik_ext2_place_next(l, &p) == l->nblocks - 1);
	}
	return true;
}

static bool check(const struct ext2_layout *l, uint64_t ninodes, uint64_t ndata)
{
	uint32_t per_block = l->block_size / EXT2_INODE_SIZE;

	CHECK((uint64_t)l->ngroups * l->group_inodes >= ninodes);
	CHECK(l->group_inodes % 8 == 0 && l->group_inodes % per_block == 0);
	CHECK(l->group_inodes <= 8 * l->block_size);
	CHECK(l->table_blocks == l->group_inodes / per_block);
	CHECK(l->group_blocks % 8 == 0 && l->group_blocks >= 256);
	CHECK(l->group_blocks <= 8 * l->block_size);
	/* Linux: "#blocks per group smaller than metadata size". */
	CHECK(l->group_blocks > l->table_blocks + 3);
	CHECK(l->gdt_blocks * l->block_size >= l->ngroups * 32);
	CHECK(l->first_linear[l->ngroups] >= ndata);
	/* The inodes are spread as thinly as the units allow. */
	CHECK((uint64_t)l->ngroups * l->group_inodes - ninodes <
	      (uint64_t)l->ngroups * (per_block > 8 ? per_block : 8));
	return check_last(l, ninodes, ndata) && check_places(l, ninodes, ndata);
}

static bool one(uint32_t size, uint64_t ninodes, uint64_t ndata)
{
	struct ext2_layout l;
	bool good;

	memset(&l, 0, sizeof(l));
	if (unik_ext2_layout(&l, size, ninodes, ndata, &err) < 0) {
		printf("# %s\n", err.msg);
		return false;
	}
	good = check(&l, ninodes, ndata);
	free(l.first_linear);
	return good;
}

static void test_random(uint32_t size)
{
	uint32_t i, bad = 0;

	for (i = 0; i < 20000; i++) {
		uint64_t ninodes = 11 + next(UINT64_C(1) << (4 + next(20)));
		uint64_t ndata = 1 + next(UINT64_C(1) << (1 + next(24)));

		bad += !one(size, ninodes, ndata);
	}
	ok(bad == 0, "%u: any numbers", size);
}

/* Every number of blocks around the ends of the first groups. */
static void test_borders(uint32_t size)
{
	static const uint64_t ninodes[] = {
		11, 1000, 8192, 8193, 32768, 70000
	};
	uint64_t full = 8 * (uint64_t)size, d, k, bad = 0;
	size_t i;

	for (i = 0; i < sizeof(ninodes) / sizeof(ninodes[0]); i++)
		for (k = 1; k <= 4; k++)
			for (d = 0; d < 5000; d++)
				bad += !one(size, ninodes[i],
					    k * full + 100 - d);
	ok(bad == 0, "%u: around the ends of groups", size);
}

static void test_ends(uint32_t size, uint64_t most)
{
	struct ext2_layout l;

	ok(one(size, 11, most), "%u: %llu blocks", size,
	   (unsigned long long)most);
	memset(&l, 0, sizeof(l));
	ok(unik_ext2_layout(&l, size, 11, UINT32_MAX, &err) < 0 &&
	   err.code == UNIK_EBAD, "%u: too many blocks", size);
	ok(unik_ext2_layout(&l, size, UINT64_C(1) << 33, 11, &err) < 0 &&
	   err.code == UNIK_EBAD, "%u: too many inodes", size);
	ok(unik_ext2_layout(&l, size, UINT32_MAX, UINT64_MAX / 2, &err) < 0 &&
	   err.code == UNIK_EBAD, "%u: far too many of both", size);
}

static void test_supers(void)
{
	static const uint32_t yes[] = { 0, 1, 3, 5, 7, 9, 25, 27, 49, 81, 125,
					243, 343, 2401, 1162261467 };
	static const uint32_t no[] = { 2, 4, 6, 8, 10, 15, 21, 35, 45, 63, 75,
				       1000, UINT32_MAX };
	size_t i, bad = 0;

	for (i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		bad += !unik_ext2_has_super(yes[i]);
	for (i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		bad += unik_ext2_has_super(no[i]);
	ok(bad == 0, "groups with a copy of the superblock");
}

int main(void)
{
	uint32_t size;

	test_supers();
	for (size = 1024; size <= 4096; size *= 2) {
		test_random(size);
		test_borders(size);
		test_ends(size, size == 1024 ? 100000000 : 4000000000);
	}
	return tap_done();
}
