/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ext2: inodes (ext2-doc "Inode Table", ext4 doc inodes.rst). */
#include <string.h>

#include "writer_ext2.h"

bool unik_ext2_time(int64_t sec, uint32_t nsec, uint8_t low[4],
		    uint8_t extra[4])
{
	bool exact = sec >= EXT2_TIME_MIN && sec <= EXT2_TIME_MAX;
	uint32_t epoch;

	if (!exact) {
		sec = sec < EXT2_TIME_MIN ? EXT2_TIME_MIN : EXT2_TIME_MAX;
		nsec = 0;
	}
	/* The low word has a sign: epoch n begins at n * 2^32 - 2^31. */
	epoch = (uint32_t)((sec - EXT2_TIME_MIN) >> 32);
	ext2_put32(low, (uint32_t)(uint64_t)sec);
	ext2_put32(extra, nsec << 2 | epoch);
	return exact;
}

static uint32_t type_bits(uint8_t type)
{
	static const uint16_t bits[UNIK_NTYPES] = {
		[UNIK_FILE] = EXT2_S_IFREG,
		[UNIK_DIR] = EXT2_S_IFDIR,
		[UNIK_SYMLINK] = EXT2_S_IFLNK,
		[UNIK_CHAR] = EXT2_S_IFCHR,
		[UNIK_BLOCK] = EXT2_S_IFBLK,
		[UNIK_FIFO] = EXT2_S_IFIFO,
		[UNIK_SOCKET] = EXT2_S_IFSOCK,
		[UNIK_WHITEOUT] = EXT2_S_IFREG,
	};

	return bits[type];
}

/* The old form is what every reader knows; the new one, in the second word, has
 * 12 bits of major and 20 of minor, the minor split (the kernel's kdev_t.h). */
static void put_rdev(const struct unik_rdev *rdev, uint8_t block[][4])
{
	uint32_t major = rdev->major, minor = rdev->minor;

	if (major < 256 && minor < 256)
		ext2_put32(block[0], major << 8 | minor);
	else
		ext2_put32(block[1], (minor & 0xff) | major << 8 |
				     (minor & ~0xffu) << 12);
}

static void put_body(const struct unik_writer *w,
		     const struct unik_inode *inode, struct ext2_inode *out)
{
	const struct ext2_slot *slot = &w->slots[inode->id];
	uint64_t size = 0;

	switch (inode->type) {
	case UNIK_DIR:
		size = (uint64_t)(slot->ndata & ~EXT2_DIR_INDEXED) *
		       w->block_size;
		if (slot->ndata & EXT2_DIR_INDEXED)
			ext2_put32(out->flags, EXT2_INDEX_FL);
		break;
	case UNIK_FILE:
	case UNIK_SYMLINK:
		size = inode->size;
		break;
	case UNIK_CHAR:
	case UNIK_BLOCK:
		put_rdev(&inode->rdev, out->block);
		break;
	default:
		break;
	}
	if (inode->type == UNIK_SYMLINK && slot->nblocks == 0)
		memcpy(out->block, inode->target, (size_t)size);
	else if (slot->nblocks > 0)
		unik_ext2_map_inode(w, inode, out->block);
	ext2_put32(out->size, (uint32_t)size);
	ext2_put32(out->size_high, (uint32_t)(size >> 32));
}

static void put_times(const struct unik_inode *inode, struct ext2_inode *out)
{
	uint8_t low[4], extra[4];

	unik_ext2_time(inode->mtime_sec, inode->mtime_nsec, low, extra);
	memcpy(out->mtime, low, 4);
	memcpy(out->ctime, low, 4);
	memcpy(out->atime, low, 4);
	memcpy(out->crtime, low, 4);
	memcpy(out->mtime_extra, extra, 4);
	memcpy(out->ctime_extra, extra, 4);
	memcpy(out->atime_extra, extra, 4);
	memcpy(out->crtime_extra, extra, 4);
}

void unik_ext2_inode(const struct unik_writer *w, uint32_t id,
		     struct ext2_inode *out)
{
	const struct unik_inode *inode = w->tree->inodes[id];
	const struct ext2_slot *slot = &w->slots[id];
	uint64_t nblocks = (uint64_t)slot->nblocks + (slot->xattr != 0);
	uint32_t nlink = inode->nlink;
	struct ext2_place p;

	memset(out, 0, sizeof(*out));
	if (inode->type == UNIK_DIR && nlink > EXT2_LINK_MAX)
		nlink = 1; /* dir_nlink: too many to count */
	ext2_put16(out->mode, type_bits(inode->type) | inode->mode);
	ext2_put16(out->uid, inode->uid);
	ext2_put16(out->uid_high, inode->uid >> 16);
	ext2_put16(out->gid, inode->gid);
	ext2_put16(out->gid_high, inode->gid >> 16);
	ext2_put16(out->links_count, nlink);
	ext2_put32(out->blocks, (uint32_t)(nblocks * (w->block_size / 512)));
	ext2_put16(out->extra_isize, EXT2_EXTRA_ISIZE);
	put_times(inode, out);
	put_body(w, inode, out);
	if (slot->xattr) {
		unik_ext2_place_set(&w->layout, &p,
				    w->xattrs[slot->xattr - 1].linear);
		ext2_put32(out->file_acl, unik_ext2_place_next(&w->layout, &p));
	}
}
