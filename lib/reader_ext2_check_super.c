/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reader_ext2: superblocks and descriptors with their copies (ext2-doc
 * "Superblock"), and what is zero in our images. */
#include <stdio.h>
#include <string.h>

#include "reader_ext2_check_private.h"

static int check_counts(const struct e2r_check *c, struct unik_err *err)
{
	const struct ext2_super *s = &c->image.super;

	if (ext2_get32(s->free_blocks_count) != c->free_blocks ||
	    ext2_get32(s->free_inodes_count) != c->free_inodes)
		return unik_fail(err, "superblock: says %u free blocks and %u "
				 "free inodes, has %llu and %llu",
				 ext2_get32(s->free_blocks_count),
				 ext2_get32(s->free_inodes_count),
				 (unsigned long long)c->free_blocks,
				 (unsigned long long)c->free_inodes);
	if (ext2_get32(s->r_blocks_count) > c->image.nblocks)
		return unik_fail(err, "superblock: %u reserved blocks",
				 ext2_get32(s->r_blocks_count));
	if (ext2_get32(s->last_orphan) != 0)
		return unik_fail(err, "superblock: inode %u waits for its "
				 "deletion", ext2_get32(s->last_orphan));
	return 0;
}

/* ---- our superblock: every byte of it ---- */

static void want_features(const struct e2r_check *c, struct ext2_super *s)
{
	uint32_t compat = 0, ro = EXT2_RO_SPARSE_SUPER;

	if (c->nattrs > 0)
		compat |= EXT2_COMPAT_EXT_ATTR;
	if (c->dir_index) {
		compat |= EXT2_COMPAT_DIR_INDEX;
		ext2_put32(s->flags, EXT2_FLAG_UNSIGNED_HASH);
	}
	if (c->large_file)
		ro |= EXT2_RO_LARGE_FILE;
	if (c->dir_nlink)
		ro |= EXT2_RO_DIR_NLINK;
	ext2_put32(s->feature_compat, compat);
	/* Without it only for NetBSD. */
	ext2_put32(s->feature_incompat,
		   c->image.filetype ? EXT2_INCOMPAT_FILETYPE : 0);
	ext2_put32(s->feature_ro_compat, ro);
}

static void want_super(const struct e2r_check *c, struct ext2_super *s)
{
	const struct e2r_image *image = &c->image;
	uint32_t log = image->block_size / 2048;

	memset(s, 0, sizeof(*s));
	ext2_put32(s->inodes_count, image->ninodes);
	ext2_put32(s->blocks_count, image->nblocks);
	ext2_put32(s->free_blocks_count, (uint32_t)c->free_blocks);
	ext2_put32(s->free_inodes_count, (uint32_t)c->free_inodes);
	ext2_put32(s->first_data_block, image->first_block);
	ext2_put32(s->log_block_size, log);
	ext2_put32(s->log_frag_size, log);
	ext2_put32(s->blocks_per_group, image->group_blocks);
	ext2_put32(s->frags_per_group, image->group_blocks);
	ext2_put32(s->inodes_per_group, image->group_inodes);
	ext2_put16(s->max_mnt_count, 0xffff);
	ext2_put16(s->magic, EXT2_MAGIC);
	ext2_put16(s->state, EXT2_STATE_VALID);
	ext2_put16(s->errors, EXT2_ERRORS_CONTINUE);
	ext2_put32(s->creator_os, EXT2_OS_LINUX);
	ext2_put32(s->rev_level, EXT2_REV_DYNAMIC);
	ext2_put32(s->first_ino, EXT2_FIRST_INO);
	ext2_put16(s->inode_size, EXT2_INODE_SIZE);
	want_features(c, s);
	snprintf((char *)s->last_mounted, sizeof(s->last_mounted), EXT2_MARK,
		 image->version);
	s->def_hash_version = EXT2_HASH_HALF_MD4;
	ext2_put32(s->default_mount_opts, EXT2_DEFM_XATTR_USER | EXT2_DEFM_ACL);
	ext2_put16(s->min_extra_isize, EXT2_EXTRA_ISIZE);
	ext2_put16(s->want_extra_isize, EXT2_EXTRA_ISIZE);
	/* From the tree digest: any bytes, but for version and variant of the
	 * uuid (RFC 9562, section 5.8). */
	memcpy(s->hash_seed, image->super.hash_seed, sizeof(s->hash_seed));
	memcpy(s->uuid, image->super.uuid, sizeof(s->uuid));
	s->uuid[6] = (uint8_t)(0x80 | (s->uuid[6] & 0x0f));
	s->uuid[8] = (uint8_t)(0x80 | (s->uuid[8] & 0x3f));
}

/* ---- copies ---- */

/* Our copies are equal but for the number of their group, and the rest of their
 * blocks is zero. */
static int check_our_copy(struct e2r_check *c, uint32_t group,
			  struct unik_err *err)
{
	uint32_t start = unik_e2r_group_start(&c->image, group), at = 0;
	uint32_t size = c->image.block_size;

	if (unik_e2r_block(&c->image, start, c->buf, err) < 0)
		return -1;
	if (group == 0 && size > EXT2_SUPER_OFFSET)
		at = EXT2_SUPER_OFFSET;
	memset(c->other, 0, size);
	want_super(c, (struct ext2_super *)(c->other + at));
	ext2_put16(((struct ext2_super *)(c->other + at))->block_group_nr,
		   group);
	return unik_e2r_same(c->buf, c->other, size, "superblock of group",
			     group, err);
}

/* Others' copies may be old, or (genext2fs) not there; in one that is, what
 * does not change must be the same. */
static int check_copy(struct e2r_check *c, uint32_t group, bool *there,
		      struct unik_err *err)
{
	uint32_t start = unik_e2r_group_start(&c->image, group);
	const struct ext2_super *a = &c->image.super;
	const struct ext2_super *b = (const struct ext2_super *)c->buf;

	*there = group > 0;
	if (group == 0)
		return 0;
	if (unik_e2r_block(&c->image, start, c->buf, err) < 0)
		return -1;
	*there = memcmp(a->magic, b->magic, 2) == 0;
	if (!*there)
		return 0;
	if (memcmp(a->blocks_count, b->blocks_count, 4) != 0 ||
	    memcmp(a->inodes_count, b->inodes_count, 4) != 0 ||
	    memcmp(a->log_block_size, b->log_block_size, 4) != 0 ||
	    memcmp(a->blocks_per_group, b->blocks_per_group, 4) != 0 ||
	    memcmp(a->inodes_per_group, b->inodes_per_group, 4) != 0 ||
	    memcmp(a->uuid, b->uuid, sizeof(a->uuid)) != 0)
		return unik_fail(err, "group %u: its superblock is another one",
				 group);
	return 0;
}

/* One block of a copy of the descriptors, in c->buf, against the first copy, in
 * c->other. */
static int compare_groups(const struct e2r_check *c, uint32_t group,
			  uint32_t block, struct unik_err *err)
{
	const uint32_t each = sizeof(struct ext2_group);
	uint32_t per = c->image.block_size / each, i;
	uint32_t n = c->image.ngroups - block * per;

	if (n > per)
		n = per;
	if (c->ours) {
		if (!unik_all_zero(c->other + n * each, (per - n) * each))
			return unik_fail(err, "bytes behind the descriptors");
		return unik_e2r_same(c->buf, c->other, c->image.block_size,
				     "descriptors of group", group, err);
	}
	for (i = 0; i < n; i++) /* places, not counts */
		if (memcmp(c->buf + i * each, c->other + i * each, 12) != 0)
			return unik_fail(err, "group %u: its descriptors are "
					 "others", group);
	return 0;
}

static int check_groups_copy(struct e2r_check *c, uint32_t group,
			     struct unik_err *err)
{
	uint32_t start = unik_e2r_group_start(&c->image, group), i;

	for (i = 0; i < c->image.gdt_blocks; i++)
		if (unik_e2r_block(&c->image, start + 1 + i, c->buf, err) < 0 ||
		    unik_e2r_block(&c->image, c->image.first_block + 1 + i,
				   c->other, err) < 0 ||
		    compare_groups(c, group, i, err) < 0)
			return -1;
	return 0;
}

/* ---- zeros of our images ---- */

/* Block 0 of images with blocks of 1024 bytes is in no group. */
static int check_boot_block(struct e2r_check *c, struct unik_err *err)
{
	struct e2r_image *image = &c->image;
	uint32_t first = image->first_block;
	int rc;

	if (first == 0)
		return 0;
	image->first_block = 0;
	rc = unik_e2r_block(image, 0, c->buf, err);
	image->first_block = first;
	if (rc == 0 && !unik_all_zero(c->buf, image->block_size))
		rc = unik_fail(err, "the boot block is not empty");
	return rc;
}

static int check_free_blocks(struct e2r_check *c, struct unik_err *err)
{
	const struct e2r_image *image = &c->image;
	uint64_t b;

	for (b = c->next; b < image->nblocks; b++) {
		uint32_t i = (uint32_t)b - image->first_block;

		if (c->owned[i / 8] & 1u << i % 8)
			continue;
		if (unik_e2r_block(image, (uint32_t)b, c->buf, err) < 0)
			return -1;
		if (!unik_all_zero(c->buf, image->block_size))
			return unik_fail(err, "block %u is free, but not empty",
					 (uint32_t)b);
	}
	return 0;
}

int unik_e2r_check_supers(struct e2r_check *c, struct unik_err *err)
{
	uint32_t group;
	bool there;
	int rc;

	if (check_counts(c, err) < 0)
		return -1;
	for (group = 0; group < c->image.ngroups; group++) {
		if (!unik_e2r_has_super(&c->image, group))
			continue;
		there = c->ours;
		rc = c->ours ? check_our_copy(c, group, err)
			     : check_copy(c, group, &there, err);
		if (rc < 0 || (there && check_groups_copy(c, group, err) < 0))
			return -1;
	}
	if (!c->ours)
		return 0;
	if (check_boot_block(c, err) < 0)
		return -1;
	return check_free_blocks(c, err);
}
