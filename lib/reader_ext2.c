/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reader_ext2: the superblock, blocks, group descriptors. */
#include "reader_ext2.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io.h"
#include "reader_ext2_private.h"
#include "writer.h"

/* Bytes of our mark that may be wrong for an image still to count as ours. */
#define MARK_SLACK 8u

/* ---- the superblock ---- */

static uint32_t wrong_bytes(const struct ext2_super *s, int version)
{
	char mark[sizeof(s->last_mounted)];
	uint32_t wrong = 0, i;

	memset(mark, 0, sizeof(mark));
	snprintf(mark, sizeof(mark), EXT2_MARK, version);
	for (i = 0; i < sizeof(mark); i++)
		wrong += s->last_mounted[i] != (uint8_t)mark[i];
	return wrong;
}

/*
 * Ours by the mark.  One that is almost there is a damaged one: taken for
 * another writer's image, ours would be checked less strictly.
 */
static int find_version(struct e2r_image *image, struct unik_err *err)
{
	const struct unik_format *f = &unik_format_ext2;
	int v;

	for (v = f->oldest; v <= f->version; v++)
		if (wrong_bytes(&image->super, v) == 0)
			image->version = v;
	if (image->version == 0 &&
	    wrong_bytes(&image->super, f->version) <= MARK_SLACK)
		return unik_fail(err, "superblock: the mark of our images is "
				 "damaged, or of an unknown version");
	return 0;
}

static int check_features(struct e2r_image *image, struct unik_err *err)
{
	const struct ext2_super *s = &image->super;
	const uint32_t compat = E2R_COMPAT_PREALLOC | EXT2_COMPAT_EXT_ATTR |
				E2R_COMPAT_RESIZE_INODE | EXT2_COMPAT_DIR_INDEX;
	const uint32_t ro = EXT2_RO_SPARSE_SUPER | EXT2_RO_LARGE_FILE |
			    EXT2_RO_DIR_NLINK | E2R_RO_EXTRA_ISIZE;

	image->compat = ext2_get32(s->feature_compat);
	image->incompat = ext2_get32(s->feature_incompat);
	image->ro_compat = ext2_get32(s->feature_ro_compat);
	if ((image->compat & ~compat) ||
	    (image->incompat & ~EXT2_INCOMPAT_FILETYPE) ||
	    (image->ro_compat & ~ro))
		return unik_fail(err, "superblock: features that are not read: "
				 "0x%x 0x%x 0x%x", image->compat & ~compat,
				 image->incompat & ~EXT2_INCOMPAT_FILETYPE,
				 image->ro_compat & ~ro);
	image->filetype = image->incompat & EXT2_INCOMPAT_FILETYPE;
	return 0;
}

/* Revision 0 has no features, inodes of 128 bytes, and 11 comes first. */
static int read_revision(struct e2r_image *image, struct unik_err *err)
{
	const struct ext2_super *s = &image->super;
	uint32_t size = E2R_OLD_INODE_SIZE;

	image->first_ino = EXT2_FIRST_INO;
	if (ext2_get32(s->rev_level) > EXT2_REV_DYNAMIC)
		return unik_fail(err, "superblock: revision %u is not read",
				 ext2_get32(s->rev_level));
	if (ext2_get32(s->creator_os) != EXT2_OS_LINUX)
		return unik_fail(err, "superblock: images of operating system "
				 "%u are not read", ext2_get32(s->creator_os));
	if (ext2_get32(s->rev_level) == EXT2_REV_DYNAMIC) {
		size = ext2_get16(s->inode_size);
		image->first_ino = ext2_get32(s->first_ino);
		if (check_features(image, err) < 0)
			return -1;
	}
	if (size < E2R_OLD_INODE_SIZE || size > image->block_size ||
	    (size & (size - 1)) != 0)
		return unik_fail(err, "superblock: inodes of %u bytes", size);
	image->inode_size = size;
	if (image->first_ino < EXT2_FIRST_INO ||
	    image->first_ino > image->ninodes)
		return unik_fail(err, "superblock: the first inode is %u",
				 image->first_ino);
	return find_version(image, err);
}

static int read_block_size(struct e2r_image *image, struct unik_err *err)
{
	const struct ext2_super *s = &image->super;
	uint32_t log = ext2_get32(s->log_block_size);

	if (log > 2)
		return unik_fail(err, "superblock: blocks of 2^(10 + %u) bytes "
				 "are not read", log);
	image->block_size = 1024u << log;
	image->first_block = ext2_get32(s->first_data_block);
	if (image->first_block != (image->block_size == 1024))
		return unik_fail(err, "superblock: the first block is %u",
				 image->first_block);
	image->nblocks = ext2_get32(s->blocks_count);
	if ((uint64_t)image->nblocks * image->block_size > image->size)
		return unik_fail(err, "the image is cut: %u blocks of %u, but "
				 "%llu bytes", image->nblocks,
				 image->block_size,
				 (unsigned long long)image->size);
	return 0;
}

static int read_groups(struct e2r_image *image, struct unik_err *err)
{
	const struct ext2_super *s = &image->super;
	uint32_t bits = image->block_size * 8, left;
	uint64_t all;

	image->group_blocks = ext2_get32(s->blocks_per_group);
	image->group_inodes = ext2_get32(s->inodes_per_group);
	image->ninodes = ext2_get32(s->inodes_count);
	if (image->nblocks <= image->first_block || image->group_blocks < 8 ||
	    image->group_blocks > bits || image->group_blocks % 8 != 0 ||
	    image->group_inodes < 8 || image->group_inodes > bits ||
	    image->group_inodes % 8 != 0)
		return unik_fail(err, "superblock: %u blocks, groups of %u "
				 "blocks and %u inodes", image->nblocks,
				 image->group_blocks, image->group_inodes);
	left = image->nblocks - image->first_block;
	image->ngroups = (left - 1) / image->group_blocks + 1;
	all = (uint64_t)image->ngroups * image->group_inodes;
	if (image->ninodes != all)
		return unik_fail(err, "superblock: %u inodes in %u groups of "
				 "%u", image->ninodes, image->ngroups,
				 image->group_inodes);
	if (image->limits && image->ninodes > image->limits->entries &&
	    image->ninodes - image->limits->entries > bits)
		return unik_fail(err, "%u inodes, limit is %llu entries "
				 "(--max-entries)", image->ninodes,
				 (unsigned long long)image->limits->entries);
	return 0;
}

/* The metadata of group 0 has room in it; so do the others, which have no
 * more. */
static int check_overhead(struct e2r_image *image, struct unik_err *err)
{
	uint64_t table = (uint64_t)image->group_inodes * image->inode_size;
	uint64_t gdt = (uint64_t)image->ngroups * sizeof(struct ext2_group);
	uint64_t sum;

	image->table_blocks =
		(uint32_t)unik_div_up(table, image->block_size);
	image->gdt_blocks = (uint32_t)unik_div_up(gdt, image->block_size);
	sum = 3 + (uint64_t)image->table_blocks + image->gdt_blocks;
	if (sum > unik_e2r_group_size(image, 0))
		return unik_fail(err, "superblock: %llu blocks of metadata in "
				 "a group of %u", (unsigned long long)sum,
				 unik_e2r_group_size(image, 0));
	return 0;
}

static int alloc_buffers(struct e2r_image *image, struct unik_err *err)
{
	const size_t size = E2R_BLOCK_MAX;
	uint8_t *p = malloc(E2R_TABLE_CHUNK +
			    (1 + E2R_WALKS * E2R_LEVELS) * size);
	uint32_t walk, i;

	if (!p)
		return unik_fail_mem(err);
	image->table = p;
	image->gdt = p + E2R_TABLE_CHUNK;
	p = image->gdt;
	for (walk = 0; walk < E2R_WALKS; walk++)
		for (i = 0; i < E2R_LEVELS; i++)
			image->indirect[walk][i] = p += size;
	return 0;
}

int unik_e2r_open(struct e2r_image *image, int fd, uint64_t size,
		  const struct unik_limits *limits, struct unik_err *err)
{
	memset(image, 0, sizeof(*image));
	image->fd = fd;
	image->size = size;
	image->limits = limits;
	if (size < EXT2_SUPER_OFFSET + sizeof(image->super))
		return unik_fail(err, "not an ext2 image: %llu bytes",
				 (unsigned long long)size);
	if (unik_pread_all(fd, &image->super, sizeof(image->super),
			   EXT2_SUPER_OFFSET, err) < 0)
		return -1;
	if (ext2_get16(image->super.magic) != EXT2_MAGIC)
		return unik_fail(err, "not an ext2 image: no superblock");
	if (read_block_size(image, err) < 0 || read_groups(image, err) < 0 ||
	    read_revision(image, err) < 0 || check_overhead(image, err) < 0)
		return -1;
	image->visits_left = 2 * (uint64_t)image->nblocks;
	return alloc_buffers(image, err);
}

void unik_e2r_close(struct e2r_image *image)
{
	free(image->table);
	image->table = NULL;
}

void unik_e2r_info(const struct e2r_image *image, struct unik_ext2_info *info)
{
	const struct ext2_super *s = &image->super;

	memset(info, 0, sizeof(*info));
	info->version = image->version;
	info->block_size = image->block_size;
	info->nblocks = image->nblocks;
	info->ninodes = image->ninodes;
	info->free_blocks = ext2_get32(s->free_blocks_count);
	info->free_inodes = ext2_get32(s->free_inodes_count);
	info->compat = image->compat;
	info->incompat = image->incompat;
	info->ro_compat = image->ro_compat;
	memcpy(info->uuid, s->uuid, sizeof(info->uuid));
	memcpy(info->hash_seed, s->hash_seed, sizeof(info->hash_seed));
	memcpy(info->label, s->volume_name, sizeof(s->volume_name));
}

int unik_ext2_info(struct unik_ext2_info *info, int fd, uint64_t size,
		   struct unik_err *err)
{
	struct e2r_image image;
	int rc = unik_e2r_open(&image, fd, size, NULL, err);

	if (rc == 0)
		unik_e2r_info(&image, info);
	unik_e2r_close(&image);
	return rc;
}

/* ---- blocks and groups ---- */

int unik_e2r_block(const struct e2r_image *image, uint32_t block, uint8_t *buf,
		   struct unik_err *err)
{
	if (block < image->first_block || block >= image->nblocks)
		return unik_fail(err, "block %u is outside", block);
	return unik_pread_all(image->fd, buf, image->block_size,
			      (uint64_t)block * image->block_size, err);
}

static bool power_of(uint32_t n, uint32_t base)
{
	uint64_t p = base;

	while (p < n)
		p *= base;
	return p == n;
}

/* ext2-doc "Superblock": all groups, or with sparse_super 0, 1 and the powers
 * of 3, 5 and 7. */
bool unik_e2r_has_super(const struct e2r_image *image, uint32_t group)
{
	if (!(image->ro_compat & EXT2_RO_SPARSE_SUPER) || group <= 1)
		return true;
	return power_of(group, 3) || power_of(group, 5) || power_of(group, 7);
}

uint32_t unik_e2r_group_size(const struct e2r_image *image, uint32_t group)
{
	if (group + 1 < image->ngroups)
		return image->group_blocks;
	return image->nblocks - unik_e2r_group_start(image, group);
}

int unik_e2r_group(struct e2r_image *image, uint32_t group,
		   struct ext2_group *out, struct unik_err *err)
{
	uint32_t per = image->block_size / (uint32_t)sizeof(*out);
	uint32_t block = group / per;

	if (image->gdt_block != 1 + block) {
		image->gdt_block = 0;
		if (unik_e2r_block(image, image->first_block + 1 + block,
				   image->gdt, err) < 0)
			return -1;
		image->gdt_block = 1 + block;
	}
	memcpy(out, image->gdt + group % per * sizeof(*out), sizeof(*out));
	return 0;
}
