/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reader_ext2: the check that an image is intact; what its files share. */
#ifndef UNIK_READER_EXT2_CHECK_PRIVATE_H
#define UNIK_READER_EXT2_CHECK_PRIVATE_H

#include "reader_ext2_private.h"

/* In state[], by inode: 1 + its type where it is in use, and: */
#define E2R_STATE_TYPE 0x0fu
#define E2R_STATE_TRAIL 0x40u /* on the way up that is being followed */
#define E2R_STATE_ROOTED 0x80u /* the root is among its parents */

struct e2r_attr_block {
	uint32_t block;
	uint32_t refs; /* as it says */
};

struct e2r_check {
	struct e2r_image image;
	bool ours;
	/* Bits by block, counted from the first one. */
	uint8_t *owned;
	uint8_t *attr_bits; /* blocks of xattrs; NULL before the first */
	/* By inode - 1: */
	uint8_t *state;
	uint16_t *claimed; /* links */
	uint32_t *names;   /* entries that were found */
	uint32_t *parent;  /* of a directory */
	uint32_t *dotdot;
	struct e2r_attr_block *attrs; /* xattr blocks in the order found */
	size_t nattrs;
	size_t attrs_room;
	uint32_t *uses; /* the xattr block of each inode that has one */
	size_t nuses;
	size_t uses_room;
	uint64_t next;    /* ours: where the next block of an inode must be */
	uint32_t last;    /* ours: the last inode in use so far */
	/* What the features must say. */
	bool large_file;
	bool dir_index;
	bool dir_nlink;
	uint64_t free_blocks; /* of the groups, as counted */
	uint64_t free_inodes;
	struct e2r_xattrs xattrs;
	uint8_t *buf;     /* two blocks */
	uint8_t *other;
};

/* ---- reader_ext2_check.c ---- */

static inline uint32_t unik_e2r_type_of(const struct e2r_check *c, uint32_t ino)
{
	return (c->state[ino - 1] & E2R_STATE_TYPE) - 1u;
}
/* Takes a block for its owner: UNIK_EBAD where it has one. */
int unik_e2r_own(struct e2r_check *c, uint32_t block, struct unik_err *err);
/* Our images: the block must be the next in order. */
int unik_e2r_own_next(struct e2r_check *c, uint32_t block,
		      struct unik_err *err);
/* Names the first byte in which two of n bytes differ. */
int unik_e2r_same(const void *got, const void *want, size_t n, const char *what,
		  uint32_t number, struct unik_err *err);

/* ---- reader_ext2_check_group.c ---- */

/* Takes the metadata of all groups; before the inodes are looked at. */
int unik_e2r_check_places(struct e2r_check *c, struct unik_err *err);
/* Bitmaps and counts; afterwards. */
int unik_e2r_check_bitmaps(struct e2r_check *c, struct unik_err *err);
uint32_t unik_e2r_overhead(const struct e2r_image *image, uint32_t group);

/* ---- reader_ext2_check_super.c ---- */

/* The superblock, its copies, those of the descriptors, and in our images what
 * must be zero; at the end. */
int unik_e2r_check_supers(struct e2r_check *c, struct unik_err *err);

/* ---- reader_ext2_check_inode.c, reader_ext2_check_map.c ---- */

int unik_e2r_check_inodes(struct e2r_check *c, struct unik_err *err);
/* Owns the blocks of an inode; sets *nblocks, with the indirect ones. */
int unik_e2r_check_map(struct e2r_check *c, const struct e2r_inode *inode,
		       uint64_t *nblocks, struct unik_err *err);

/* ---- reader_ext2_check_xattr.c ---- */

/* The xattrs of one inode. */
int unik_e2r_check_xattrs(struct e2r_check *c, const struct e2r_inode *inode,
			  struct unik_err *err);
/* References of all xattr blocks. */
int unik_e2r_check_refs(struct e2r_check *c, struct unik_err *err);

/* ---- reader_ext2_check_dir.c ---- */

int unik_e2r_check_dirs(struct e2r_check *c, struct unik_err *err);

/* ---- reader_ext2_check_names.c ---- */

/* No two entries of one name, in a directory without a known order. */
int unik_e2r_check_unique(struct e2r_check *c, const struct e2r_inode *inode,
			  uint64_t nentries, struct unik_err *err);

/* ---- reader_ext2_check_tree.c ---- */

/* Parents and link counts, once all directories have been read. */
int unik_e2r_check_tree(struct e2r_check *c, struct unik_err *err);

/* ---- reader_ext2_check_index.c: the index of our directories ---- */

struct e2r_index {
	uint32_t nblocks;  /* of the directory */
	uint32_t nnodes;   /* below the root */
	uint32_t nleaves;
	uint32_t *hashes;  /* of the leaves, as the index says; the first of
			      each node is that of the root's entry */
	uint32_t nhashes;
	uint32_t last;     /* of the entry before */
	uint32_t last_minor;
	bool any;
};

int unik_e2r_index_init(struct e2r_index *x, const struct e2r_image *image,
			const struct e2r_inode *inode, struct unik_err *err);
void unik_e2r_index_release(struct e2r_index *x);
/* A block of the index itself, by its first entry. */
int unik_e2r_index_block(struct e2r_index *x, const struct e2r_image *image,
			 const struct e2r_entry *e, struct unik_err *err);
/* An entry in a leaf: *same is set where it has the hash of the one before. */
int unik_e2r_index_entry(struct e2r_index *x, const struct e2r_image *image,
			 const struct e2r_entry *e, bool *same,
			 struct unik_err *err);

#endif
