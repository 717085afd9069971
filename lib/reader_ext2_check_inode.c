/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reader_ext2: the fields of inodes (ext2-doc "Inode Table", ext4 doc
 * inodes.rst). */
#include <string.h>

#include "reader_ext2_check_private.h"

/* i_flags that change what lies on the image (inodes.rst "Inode Flags"):
 * compressed, encrypted, extents, xattrs in inodes, inline data, casefolded. */
#define FLAGS_NOT_READ (0x4u | 0x800u | 0x80000u | 0x200000u | 0x10000000u | \
			0x40000000u)

/* ---- what the type says about size and blocks ---- */

/* i_block of a device in our images: the old form where it fits. */
static void want_rdev(const struct e2r_inode *inode, uint8_t block[][4])
{
	struct unik_rdev rdev = unik_e2r_rdev(inode);

	if (rdev.major < 256 && rdev.minor < 256)
		ext2_put32(block[0], rdev.major << 8 | rdev.minor);
	else
		ext2_put32(block[1], (rdev.minor & 0xff) | rdev.major << 8 |
				     (rdev.minor & ~0xffu) << 12);
}

/* Inodes without blocks: devices, fast symlinks, FIFOs, sockets. */
static int check_inline(const struct e2r_check *c,
			const struct e2r_inode *inode, struct unik_err *err)
{
	uint8_t want[EXT2_NBLOCK][4];
	int type = unik_e2r_type(inode->mode);
	size_t n = type == UNIK_SYMLINK ? (size_t)inode->size : 0;

	if (type != UNIK_SYMLINK && inode->size != 0)
		return unik_fail(err, "inode %u: %llu bytes", inode->ino,
				 (unsigned long long)inode->size);
	if (type == UNIK_SYMLINK && /* 59 bytes at most */
	    (n == 0 || memchr(inode->block, 0, n) ||
	     inode->block[n / 4][n % 4] != 0))
		return unik_fail(err, "inode %u: its target has another length",
				 inode->ino);
	if (!c->ours)
		return 0;
	memset(want, 0, sizeof(want));
	if (type == UNIK_CHAR || type == UNIK_BLOCK)
		want_rdev(inode, want);
	memcpy(want, inode->block, n);
	return unik_e2r_same(inode->block, want, sizeof(want),
			     "block field of inode", inode->ino, err);
}

static int check_size(struct e2r_check *c, const struct e2r_inode *inode,
		      struct unik_err *err)
{
	uint32_t size = c->image.block_size;

	switch (unik_e2r_type(inode->mode)) {
	case UNIK_FILE:
		if (inode->size <= INT32_MAX)
			return 0;
		c->large_file = true;
		if (c->image.ro_compat & EXT2_RO_LARGE_FILE)
			return 0;
		break;
	case UNIK_DIR:
		if (inode->size > 0 && inode->size % size == 0)
			return 0;
		break;
	default: /* symlinks; the rest is not here */
		if (inode->size > EXT2_FAST_SYMLINK && inode->size < size)
			return 0;
	}
	return unik_fail(err, "inode %u: %llu bytes", inode->ino,
			 (unsigned long long)inode->size);
}

static int check_blocks(struct e2r_check *c, const struct e2r_inode *inode,
			struct unik_err *err)
{
	int type = unik_e2r_type(inode->mode);
	uint64_t n = 0;
	int rc;

	if (type == UNIK_FILE || type == UNIK_DIR ||
	    (type == UNIK_SYMLINK &&
	     !unik_e2r_fast_symlink(&c->image, inode))) {
		rc = check_size(c, inode, err);
		if (rc == 0)
			rc = unik_e2r_check_map(c, inode, &n, err);
	} else {
		rc = check_inline(c, inode, err);
	}
	if (rc < 0)
		return -1;
	n = (n + (inode->file_acl != 0)) * (c->image.block_size / 512);
	if (inode->sectors != n)
		return unik_fail(err, "inode %u: says %u sectors, has %llu",
				 inode->ino, inode->sectors,
				 (unsigned long long)n);
	return 0;
}

/* ---- the other fields ---- */

/* In our images they follow from a few. */
static int check_form(const struct e2r_inode *inode, struct unik_err *err)
{
	const struct ext2_inode *got = (const struct ext2_inode *)inode->raw;
	struct ext2_inode want;

	memset(&want, 0, sizeof(want));
	ext2_put16(want.mode, inode->mode);
	ext2_put16(want.uid, inode->uid);
	ext2_put16(want.uid_high, inode->uid >> 16);
	ext2_put16(want.gid, inode->gid);
	ext2_put16(want.gid_high, inode->gid >> 16);
	ext2_put32(want.size, (uint32_t)inode->size);
	ext2_put32(want.size_high, (uint32_t)(inode->size >> 32));
	ext2_put16(want.links_count, inode->nlink);
	ext2_put32(want.blocks, inode->sectors);
	if (unik_e2r_type(inode->mode) == UNIK_DIR)
		ext2_put32(want.flags, inode->flags & EXT2_INDEX_FL);
	memcpy(want.block, inode->block, sizeof(want.block));
	ext2_put32(want.file_acl, inode->file_acl);
	ext2_put16(want.extra_isize, EXT2_EXTRA_ISIZE);
	/* One time in four places. */
	memcpy(want.mtime, got->mtime, 4);
	memcpy(want.atime, got->mtime, 4);
	memcpy(want.ctime, got->mtime, 4);
	memcpy(want.crtime, got->mtime, 4);
	memcpy(want.mtime_extra, got->mtime_extra, 4);
	memcpy(want.atime_extra, got->mtime_extra, 4);
	memcpy(want.ctime_extra, got->mtime_extra, 4);
	memcpy(want.crtime_extra, got->mtime_extra, 4);
	return unik_e2r_same(got, &want, sizeof(want), "inode", inode->ino,
			     err);
}

static int check_fields(const struct e2r_check *c,
			const struct e2r_inode *inode, struct unik_err *err)
{
	const struct ext2_inode *d = (const struct ext2_inode *)inode->raw;
	int type = unik_e2r_type(inode->mode);

	if (type < 0)
		return unik_fail(err, "inode %u: mode 0%o has no type",
				 inode->ino, inode->mode);
	if (inode->flags & FLAGS_NOT_READ)
		return unik_fail(err, "inode %u: flags 0x%x are not read",
				 inode->ino, inode->flags);
	if (type != UNIK_FILE && ext2_get32(d->size_high) != 0 && !c->ours)
		return unik_fail(err, "inode %u: a size of 64 bits",
				 inode->ino);
	if (ext2_get16(d->blocks_high) || ext2_get16(d->file_acl_high))
		return unik_fail(err, "inode %u: numbers of 48 bits",
				 inode->ino);
	if (ext2_get32(d->dtime) || ext2_get32(d->faddr))
		return unik_fail(err, "inode %u: in use, but deleted, or with "
				 "a fragment", inode->ino);
	if (!c->ours)
		return 0;
	if (type == UNIK_SYMLINK && (inode->mode & 07777) != 0777)
		return unik_fail(err, "inode %u: a symlink of mode 0%o",
				 inode->ino, inode->mode & 07777);
	return check_form(inode, err);
}

/* ---- all of them ---- */

/* Reserved ones may hold blocks: bad ones, or room for descriptors. */
static int check_reserved(struct e2r_check *c, const struct e2r_inode *inode,
			  struct unik_err *err)
{
	uint64_t n;

	if (c->ours && !unik_all_zero(inode->raw, c->image.inode_size))
		return unik_fail(err, "inode %u is reserved, but not empty",
				 inode->ino);
	if (inode->file_acl != 0)
		return unik_fail(err, "inode %u: xattrs of a reserved inode",
				 inode->ino);
	return unik_e2r_check_map(c, inode, &n, err);
}

static int check_unused(const struct e2r_check *c,
			const struct e2r_inode *inode, struct unik_err *err)
{
	if (inode->ino == EXT2_ROOT_INO)
		return unik_fail(err, "the root's inode is not in use");
	if (c->ours && !unik_all_zero(inode->raw, c->image.inode_size))
		return unik_fail(err, "inode %u is not in use, but not empty",
				 inode->ino);
	return 0;
}

static int check_inode(struct e2r_check *c, const struct e2r_inode *inode,
		       struct unik_err *err)
{
	uint32_t ino = inode->ino;

	if (ino < c->image.first_ino && ino != EXT2_ROOT_INO)
		return check_reserved(c, inode, err);
	if (inode->nlink == 0)
		return check_unused(c, inode, err);
	if (c->ours && ino >= EXT2_FIRST_INO && ino != c->last + 1)
		return unik_fail(err, "inode %u is in use, %u is not", ino,
				 ino - 1);
	c->last = ino > EXT2_ROOT_INO ? ino : EXT2_FIRST_INO - 1;
	if (check_fields(c, inode, err) < 0)
		return -1;
	if (ino == EXT2_ROOT_INO && unik_e2r_type(inode->mode) != UNIK_DIR)
		return unik_fail(err, "the root is not a directory");
	c->state[ino - 1] = (uint8_t)(unik_e2r_type(inode->mode) + 1);
	c->claimed[ino - 1] = (uint16_t)inode->nlink;
	/* Its xattr block comes before its own blocks. */
	if (unik_e2r_check_xattrs(c, inode, err) < 0)
		return -1;
	return check_blocks(c, inode, err);
}

int unik_e2r_check_inodes(struct e2r_check *c, struct unik_err *err)
{
	struct e2r_inode inode;
	uint32_t i;

	for (i = 0; i < c->image.ninodes; i++)
		if (unik_e2r_inode(&c->image, i + 1, &inode, err) < 0 ||
		    check_inode(c, &inode, err) < 0)
			return -1;
	return 0;
}
