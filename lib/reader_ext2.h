/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * reader_ext2: an ext2 image -> tree, and is it intact?  For our own images and
 * for those of others (mke2fs, genext2fs, a kernel that wrote to it): ext2 of
 * revision 0 or 1, blocks of 1024 to 4096 bytes; no journal, extents, inline
 * data or checksums.  Memory follows the number of inodes; any bytes are safe,
 * and time is bounded by the size of the image and by the limits.
 */
#ifndef UNIK_READER_EXT2_H
#define UNIK_READER_EXT2_H

#include <stdint.h>

#include "err.h"
#include "tree.h"

struct unik_ext2_info {
	int version;           /* of our format; 0: another writer's image */
	uint32_t block_size;
	uint64_t nblocks;
	uint64_t ninodes;
	uint64_t free_blocks;
	uint64_t free_inodes;
	uint32_t compat, incompat, ro_compat; /* feature bits */
	/* Ours: from the first and the second half of the tree digest. */
	uint8_t uuid[16];
	uint8_t hash_seed[16];
	char label[17];        /* s_volume_name: any bytes, NUL-terminated */
	/* Only from unik_ext2_read(); both add up to the filesystem's size. */
	uint64_t exact_size;
	uint64_t wasted_size;  /* free blocks and inodes, ends of last blocks */
};

/* Looks at the superblock only.  UNIK_EBAD: no ext2 image, or one that is not
 * read. */
int unik_ext2_info(struct unik_ext2_info *info, int fd, uint64_t size,
		   struct unik_err *err);

/*
 * Checks the structure without reading the files' data: superblock, copies,
 * descriptors, bitmaps, inodes, maps of blocks, directories, names, link
 * counts, xattr blocks; every block has one owner (xattr blocks as many as they
 * count).  In our own images also: the place of every block, the form of every
 * field, the order of entries, indexes, nothing but zeros in between.
 * UNIK_EBAD names the first problem; UNIK_EIO: could not read it.
 */
int unik_ext2_check(int fd, uint64_t size, const struct unik_limits *limits,
		    struct unik_err *err);

/*
 * Reads the image into a new, sealed tree; content refers to `data`, which is
 * the image's fd.  Every file is read for its digest.  An empty lost+found of
 * another writer's image is left out.  `info` may be NULL.
 */
int unik_ext2_read(struct unik_tree **out, const struct unik_data *data,
		   uint64_t size, const struct unik_limits *limits,
		   struct unik_ext2_info *info, struct unik_err *err);

#endif
