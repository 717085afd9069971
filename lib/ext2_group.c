/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ext2: the metadata at the start of a group. */
#include <stdio.h>
#include <string.h>

#include "writer_ext2.h"

/* How many of the first `used` things lie in [first, first + n). */
static uint32_t share(uint32_t used, uint32_t first, uint32_t n)
{
	if (used <= first)
		return 0;
	return used - first < n ? used - first : n;
}

static uint32_t used_inodes(const struct unik_writer *w, uint32_t group)
{
	uint32_t n = w->layout.group_inodes;

	return share(w->ninodes, group * n, n);
}

static uint32_t used_blocks(const struct unik_writer *w, uint32_t group)
{
	const struct ext2_layout *l = &w->layout;
	uint32_t first = l->first_linear[group];

	return unik_ext2_overhead(l, group) +
	       share(w->nlinear, first, l->first_linear[group + 1] - first);
}

/* ---- superblock and descriptors ---- */

static void put_features(const struct unik_writer *w, struct ext2_super *s)
{
	uint32_t compat = 0, ro = EXT2_RO_SPARSE_SUPER;

	if (w->nxattrs > 0)
		compat |= EXT2_COMPAT_EXT_ATTR;
	if (w->dir_index)
		compat |= EXT2_COMPAT_DIR_INDEX;
	if (w->large_file)
		ro |= EXT2_RO_LARGE_FILE;
	if (w->dir_nlink)
		ro |= EXT2_RO_DIR_NLINK;
	ext2_put32(s->feature_compat, compat);
	ext2_put32(s->feature_incompat, w->netbsd ? 0 : EXT2_INCOMPAT_FILETYPE);
	ext2_put32(s->feature_ro_compat, ro);
}

static void put_counts(const struct unik_writer *w, struct ext2_super *s)
{
	const struct ext2_layout *l = &w->layout;
	uint32_t ninodes = l->group_inodes * l->ngroups;

	ext2_put32(s->inodes_count, ninodes);
	ext2_put32(s->blocks_count, l->nblocks);
	ext2_put32(s->free_blocks_count,
		   l->first_linear[l->ngroups] - w->nlinear);
	ext2_put32(s->free_inodes_count, ninodes - w->ninodes);
	ext2_put32(s->first_data_block, l->first_block);
	ext2_put32(s->blocks_per_group, l->group_blocks);
	ext2_put32(s->frags_per_group, l->group_blocks);
	ext2_put32(s->inodes_per_group, l->group_inodes);
}

static void put_super(const struct unik_writer *w, uint32_t group,
		      struct ext2_super *s)
{
	uint32_t log = w->block_size == 4096 ? 2 : w->block_size == 2048;

	memset(s, 0, sizeof(*s));
	put_counts(w, s);
	put_features(w, s);
	ext2_put32(s->log_block_size, log);
	ext2_put32(s->log_frag_size, log);
	ext2_put16(s->max_mnt_count, 0xffff); /* never check by count or time */
	ext2_put16(s->magic, EXT2_MAGIC);
	ext2_put16(s->state, EXT2_STATE_VALID);
	ext2_put16(s->errors, EXT2_ERRORS_CONTINUE);
	ext2_put32(s->creator_os, EXT2_OS_LINUX);
	ext2_put32(s->rev_level, EXT2_REV_DYNAMIC);
	ext2_put32(s->first_ino, EXT2_FIRST_INO);
	ext2_put16(s->inode_size, EXT2_INODE_SIZE);
	ext2_put16(s->block_group_nr, group);
	memcpy(s->uuid, w->uuid, sizeof(s->uuid));
	memcpy(s->hash_seed, w->hash_seed, sizeof(s->hash_seed));
	s->def_hash_version = EXT2_HASH_HALF_MD4;
	snprintf((char *)s->last_mounted, sizeof(s->last_mounted), EXT2_MARK,
		 w->version);
	/* Linux's ext2 driver shows neither without being told. */
	ext2_put32(s->default_mount_opts, EXT2_DEFM_XATTR_USER | EXT2_DEFM_ACL);
	ext2_put16(s->min_extra_isize, EXT2_EXTRA_ISIZE);
	ext2_put16(s->want_extra_isize, EXT2_EXTRA_ISIZE);
	if (w->dir_index)
		ext2_put32(s->flags, EXT2_FLAG_UNSIGNED_HASH);
}

static void put_group(const struct unik_writer *w, uint32_t group,
		      struct ext2_group *d)
{
	const struct ext2_layout *l = &w->layout;
	uint32_t at = unik_ext2_group_start(l, group);

	if (unik_ext2_has_super(group))
		at += 1 + l->gdt_blocks;
	memset(d, 0, sizeof(*d));
	ext2_put32(d->block_bitmap, at);
	ext2_put32(d->inode_bitmap, at + 1);
	ext2_put32(d->inode_table, at + 2);
	ext2_put16(d->free_blocks_count,
		   unik_ext2_group_size(l, group) - used_blocks(w, group));
	ext2_put16(d->free_inodes_count,
		   l->group_inodes - used_inodes(w, group));
	ext2_put16(d->used_dirs_count, w->ndirs[group]);
}

static int emit_super(const struct unik_writer *w, uint32_t group, uint8_t *buf,
		      struct unik_sink *sink, struct unik_err *err)
{
	uint32_t size = w->block_size, at = 0;

	/* In group 0 it is 1024 bytes from the start of the image: block 1 of
	 * 1024 bytes, else inside block 0. */
	if (group == 0 && size > EXT2_SUPER_OFFSET)
		at = EXT2_SUPER_OFFSET;
	memset(buf, 0, size);
	put_super(w, group, (struct ext2_super *)(buf + at));
	return unik_sink_write(sink, buf, size, err);
}

static int emit_groups(const struct unik_writer *w, uint8_t *buf,
		       struct unik_sink *sink, struct unik_err *err)
{
	uint32_t size = w->block_size, block, at, g = 0;

	for (block = 0; block < w->layout.gdt_blocks; block++) {
		memset(buf, 0, size);
		for (at = 0; at < size && g < w->layout.ngroups;
		     at += (uint32_t)sizeof(struct ext2_group))
			put_group(w, g++, (struct ext2_group *)(buf + at));
		if (unik_sink_write(sink, buf, size, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- bitmaps and inodes ---- */

static void set_bits(uint8_t *buf, uint32_t from, uint32_t to)
{
	for (; from < to && from % 8 != 0; from++)
		buf[from / 8] |= (uint8_t)(1u << from % 8);
	if (from < to)
		memset(buf + from / 8, 0xff, (to - from) / 8);
	for (from += (to - from) / 8 * 8; from < to; from++)
		buf[from / 8] |= (uint8_t)(1u << from % 8);
}

/* The first `used` of n bits are set, and all behind the n. */
static int emit_bitmap(const struct unik_writer *w, uint32_t used, uint32_t n,
		       uint8_t *buf, struct unik_sink *sink,
		       struct unik_err *err)
{
	memset(buf, 0, w->block_size);
	set_bits(buf, 0, used);
	set_bits(buf, n, w->block_size * 8);
	return unik_sink_write(sink, buf, w->block_size, err);
}

static void put_slot(const struct unik_writer *w, uint32_t ino, uint8_t *out)
{
	struct ext2_inode *inode = (struct ext2_inode *)out;

	if (ino == EXT2_ROOT_INO)
		unik_ext2_inode(w, 0, inode);
	else if (ino >= EXT2_FIRST_INO && ino <= w->ninodes)
		unik_ext2_inode(w, ino - EXT2_FIRST_INO + 1, inode);
	else
		memset(inode, 0, sizeof(*inode));
}

static int emit_inodes(const struct unik_writer *w, uint32_t group,
		       uint8_t *buf, struct unik_sink *sink,
		       struct unik_err *err)
{
	uint32_t size = w->block_size, per = size / EXT2_INODE_SIZE;
	uint32_t ino = group * w->layout.group_inodes + 1, block, i;
	uint32_t used = (used_inodes(w, group) + per - 1) / per;

	for (block = 0; block < used; block++) {
		for (i = 0; i < per; i++)
			put_slot(w, ino++, buf + i * EXT2_INODE_SIZE);
		if (unik_sink_write(sink, buf, size, err) < 0)
			return -1;
	}
	return unik_sink_write(sink, NULL,
			       (uint64_t)(w->layout.table_blocks - used) * size,
			       err);
}

int unik_ext2_group_emit(const struct unik_writer *w, uint32_t group,
			 uint8_t *buf, struct unik_sink *sink,
			 struct unik_err *err)
{
	if (unik_ext2_has_super(group) &&
	    (emit_super(w, group, buf, sink, err) < 0 ||
	     emit_groups(w, buf, sink, err) < 0))
		return -1;
	if (emit_bitmap(w, used_blocks(w, group),
			unik_ext2_group_size(&w->layout, group), buf, sink,
			err) < 0 ||
	    emit_bitmap(w, used_inodes(w, group), w->layout.group_inodes, buf,
			sink, err) < 0)
		return -1;
	return emit_inodes(w, group, buf, sink, err);
}
