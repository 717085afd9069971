/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reader_ext2: descriptors, bitmaps, and what they count (ext2-doc "Block Group
 * Descriptor Table", "Block Bitmap", "Inode Bitmap"). */
#include <string.h>

#include "reader_ext2_check_private.h"

uint32_t unik_e2r_overhead(const struct e2r_image *image, uint32_t group)
{
	uint32_t n = 2 + image->table_blocks;

	return unik_e2r_has_super(image, group) ? n + 1 + image->gdt_blocks : n;
}

/* ---- places ---- */

static int own_run(struct e2r_check *c, uint32_t group, uint32_t from,
		   uint32_t n, const char *what, struct unik_err *err)
{
	uint32_t start = unik_e2r_group_start(&c->image, group);
	uint32_t size = unik_e2r_group_size(&c->image, group), i;

	if (from < start || n > size || from - start > size - n)
		return unik_fail(err, "group %u: %s at block %u is outside it",
				 group, what, from);
	for (i = 0; i < n; i++)
		if (unik_e2r_own(c, from + i, err) < 0)
			return unik_wrap(err, "group %u: %s", group, what);
	return 0;
}

/* In our images they follow each other, and nothing else is set. */
static int check_ours(const struct e2r_check *c, uint32_t group,
		      const struct ext2_group *g, struct unik_err *err)
{
	uint32_t at = unik_e2r_group_start(&c->image, group);

	if (unik_e2r_has_super(&c->image, group))
		at += 1 + c->image.gdt_blocks;
	if (ext2_get32(g->block_bitmap) != at ||
	    ext2_get32(g->inode_bitmap) != at + 1 ||
	    ext2_get32(g->inode_table) != at + 2 ||
	    !unik_all_zero(g->flags, sizeof(g->flags)) ||
	    !unik_all_zero(g->rest, sizeof(g->rest)))
		return unik_fail(err, "group %u: its descriptor is not of the "
				 "form that our images have", group);
	return 0;
}

int unik_e2r_check_places(struct e2r_check *c, struct unik_err *err)
{
	struct e2r_image *image = &c->image;
	struct ext2_group g;
	uint32_t group;

	for (group = 0; group < image->ngroups; group++) {
		if (unik_e2r_group(image, group, &g, err) < 0)
			return -1;
		if (c->ours && check_ours(c, group, &g, err) < 0)
			return -1;
		if (unik_e2r_has_super(image, group) &&
		    own_run(c, group, unik_e2r_group_start(image, group),
			    1 + image->gdt_blocks, "superblock", err) < 0)
			return -1;
		if (own_run(c, group, ext2_get32(g.block_bitmap), 1,
			    "block bitmap", err) < 0 ||
		    own_run(c, group, ext2_get32(g.inode_bitmap), 1,
			    "inode bitmap", err) < 0 ||
		    own_run(c, group, ext2_get32(g.inode_table),
			    image->table_blocks, "inode table", err) < 0)
			return -1;
	}
	return 0;
}

/* ---- bitmaps ---- */

/* Sets all bits behind the first n of a block. */
static void pad(const struct e2r_image *image, uint8_t *buf, uint32_t n)
{
	for (; n % 8 != 0; n++)
		buf[n / 8] |= (uint8_t)(1u << n % 8);
	memset(buf + n / 8, 0xff, image->block_size - n / 8);
}

static uint32_t count_zeros(const uint8_t *buf, uint32_t n)
{
	uint32_t zeros = 0, i;

	for (i = 0; i < n; i++)
		zeros += !(buf[i / 8] & 1u << i % 8);
	return zeros;
}

/* What the block bitmap of a group must be, in c->other; *nfree. */
static void want_blocks(struct e2r_check *c, uint32_t group, uint32_t *nfree)
{
	const struct e2r_image *image = &c->image;
	uint32_t size = unik_e2r_group_size(image, group);
	uint64_t from = (uint64_t)group * image->group_blocks;

	memset(c->other, 0, image->block_size);
	memcpy(c->other, c->owned + from / 8, (size + 7) / 8);
	*nfree = count_zeros(c->other, size);
	pad(image, c->other, size);
}

static void want_inodes(struct e2r_check *c, uint32_t group, uint32_t *nfree,
			uint32_t *ndirs)
{
	const struct e2r_image *image = &c->image;
	uint32_t ino = group * image->group_inodes + 1, i;

	memset(c->other, 0, image->block_size);
	*ndirs = 0;
	for (i = 0; i < image->group_inodes; i++, ino++) {
		if (ino >= image->first_ino && c->state[ino - 1] == 0)
			continue;
		c->other[i / 8] |= (uint8_t)(1u << i % 8);
		*ndirs += c->state[ino - 1] != 0 &&
			  unik_e2r_type_of(c, ino) == UNIK_DIR;
	}
	*nfree = count_zeros(c->other, image->group_inodes);
	pad(image, c->other, image->group_inodes);
}

/* Compares a bitmap with c->other. */
static int check_bitmap(struct e2r_check *c, uint32_t block, const char *what,
			uint32_t group, struct unik_err *err)
{
	if (unik_e2r_block(&c->image, block, c->buf, err) < 0)
		return -1;
	return unik_e2r_same(c->buf, c->other, c->image.block_size, what, group,
			     err);
}

static int check_count(uint32_t got, uint32_t want, const char *what,
		       uint32_t group, struct unik_err *err)
{
	if (got == want)
		return 0;
	return unik_fail(err, "group %u: says %u %s, has %u", group, got, what,
			 want);
}

static int check_group(struct e2r_check *c, uint32_t group,
		       const struct ext2_group *g, struct unik_err *err)
{
	uint32_t nblocks, ninodes, ndirs;

	want_blocks(c, group, &nblocks);
	if (check_bitmap(c, ext2_get32(g->block_bitmap),
			 "block bitmap of group", group, err) < 0)
		return -1;
	want_inodes(c, group, &ninodes, &ndirs);
	if (check_bitmap(c, ext2_get32(g->inode_bitmap),
			 "inode bitmap of group", group, err) < 0)
		return -1;
	c->free_blocks += nblocks;
	c->free_inodes += ninodes;
	if (check_count(ext2_get16(g->free_blocks_count), nblocks,
			"free blocks", group, err) < 0 ||
	    check_count(ext2_get16(g->free_inodes_count), ninodes,
			"free inodes", group, err) < 0)
		return -1;
	return check_count(ext2_get16(g->used_dirs_count), ndirs,
			   "directories", group, err);
}

int unik_e2r_check_bitmaps(struct e2r_check *c, struct unik_err *err)
{
	struct ext2_group g;
	uint32_t group;

	for (group = 0; group < c->image.ngroups; group++)
		if (unik_e2r_group(&c->image, group, &g, err) < 0 ||
		    check_group(c, group, &g, err) < 0)
			return -1;
	return 0;
}
