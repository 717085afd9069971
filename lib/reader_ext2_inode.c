/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reader_ext2: inodes (ext2-doc "Inode Table", ext4 doc inodes.rst). */
#include <string.h>

#include "io.h"
#include "reader_ext2_private.h"

/* Bytes beyond the old inode that i_mtime_extra needs. */
#define EXTRA_FOR_MTIME                                                        \
	(offsetof(struct ext2_inode, atime_extra) - E2R_OLD_INODE_SIZE)

/* Where an inode lies in the image. */
static int find(struct e2r_image *image, uint32_t ino, uint64_t *at,
		uint64_t *end, struct unik_err *err)
{
	uint32_t group = (ino - 1) / image->group_inodes;
	uint32_t i = (ino - 1) % image->group_inodes, table;
	struct ext2_group g;

	if (unik_e2r_group(image, group, &g, err) < 0)
		return -1;
	table = ext2_get32(g.inode_table);
	if (table < image->first_block ||
	    (uint64_t)table + image->table_blocks > image->nblocks)
		return unik_fail(err, "group %u: its inode table at block %u "
				 "is outside", group, table);
	*at = (uint64_t)table * image->block_size;
	*end = *at + (uint64_t)image->table_blocks * image->block_size;
	*at += (uint64_t)i * image->inode_size;
	return 0;
}

/* The bytes of an inode, by way of a piece of the table that is at hand. */
static int raw_inode(struct e2r_image *image, uint32_t ino, const uint8_t **raw,
		     struct unik_err *err)
{
	uint64_t at = 0, end = 0, n;

	if (find(image, ino, &at, &end, err) < 0)
		return -1;
	if (image->table_size == 0 || at < image->table_at ||
	    at + image->inode_size > image->table_at + image->table_size) {
		n = end - at < E2R_TABLE_CHUNK ? end - at : E2R_TABLE_CHUNK;
		image->table_size = 0;
		if (unik_pread_all(image->fd, image->table, (size_t)n, at,
				   err) < 0)
			return -1;
		image->table_at = at;
		image->table_size = (uint32_t)n;
	}
	*raw = image->table + (at - image->table_at);
	return 0;
}

static int read_mtime(const struct e2r_image *image, const uint8_t *raw,
		      struct e2r_inode *inode, struct unik_err *err)
{
	const struct ext2_inode *d = (const struct ext2_inode *)raw;
	uint32_t extra;

	inode->mtime_sec = (int32_t)ext2_get32(d->mtime);
	inode->mtime_nsec = 0;
	if (image->inode_size <= E2R_OLD_INODE_SIZE || inode->nlink == 0)
		return 0;
	extra = ext2_get16(d->extra_isize);
	if (extra % 4 != 0 || extra > image->inode_size - E2R_OLD_INODE_SIZE)
		return unik_fail(err, "inode %u: %u extra bytes", inode->ino,
				 extra);
	if (extra < EXTRA_FOR_MTIME)
		return 0;
	extra = ext2_get32(d->mtime_extra);
	inode->mtime_sec += (int64_t)(extra & 3) << 32;
	inode->mtime_nsec = extra >> 2;
	if (inode->mtime_nsec > 999999999)
		return unik_fail(err, "inode %u: a time of %u nanoseconds",
				 inode->ino, inode->mtime_nsec);
	return 0;
}

int unik_e2r_inode(struct e2r_image *image, uint32_t ino,
		   struct e2r_inode *inode, struct unik_err *err)
{
	const struct ext2_inode *d;
	const uint8_t *raw;

	if (raw_inode(image, ino, &raw, err) < 0)
		return -1;
	d = (const struct ext2_inode *)raw;
	inode->raw = raw;
	inode->ino = ino;
	inode->mode = ext2_get16(d->mode);
	inode->uid = ext2_get16(d->uid) | ext2_get16(d->uid_high) << 16;
	inode->gid = ext2_get16(d->gid) | ext2_get16(d->gid_high) << 16;
	inode->nlink = ext2_get16(d->links_count);
	inode->flags = ext2_get32(d->flags);
	inode->sectors = ext2_get32(d->blocks);
	inode->file_acl = ext2_get32(d->file_acl);
	inode->size = ext2_get32(d->size);
	if ((inode->mode & EXT2_S_IFMT) == EXT2_S_IFREG)
		inode->size |= (uint64_t)ext2_get32(d->size_high) << 32;
	memcpy(inode->block, d->block, sizeof(inode->block));
	return read_mtime(image, raw, inode, err);
}

int unik_e2r_type(uint32_t mode)
{
	switch (mode & EXT2_S_IFMT) {
	case EXT2_S_IFREG:
		return UNIK_FILE;
	case EXT2_S_IFDIR:
		return UNIK_DIR;
	case EXT2_S_IFLNK:
		return UNIK_SYMLINK;
	case EXT2_S_IFCHR:
		return UNIK_CHAR;
	case EXT2_S_IFBLK:
		return UNIK_BLOCK;
	case EXT2_S_IFIFO:
		return UNIK_FIFO;
	case EXT2_S_IFSOCK:
		return UNIK_SOCKET;
	default:
		return -1;
	}
}

/* As Linux has it: no blocks but that of xattrs. */
bool unik_e2r_fast_symlink(const struct e2r_image *image,
			   const struct e2r_inode *inode)
{
	uint32_t own = inode->file_acl ? image->block_size / 512 : 0;

	return inode->sectors == own && inode->size <= EXT2_FAST_SYMLINK;
}

/* The kernel's kdev_t.h: the old form in the first word, else the new one in
 * the second. */
struct unik_rdev unik_e2r_rdev(const struct e2r_inode *inode)
{
	uint32_t old = ext2_get32(inode->block[0]);
	uint32_t new = ext2_get32(inode->block[1]);
	struct unik_rdev rdev = { old >> 8 & 0xff, old & 0xff };

	if (old == 0) {
		rdev.major = new >> 8 & 0xfff;
		rdev.minor = (new & 0xff) | (new >> 12 & 0xfff00);
	}
	return rdev;
}
