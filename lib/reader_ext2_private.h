/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reader_ext2: what its files share. */
#ifndef UNIK_READER_EXT2_PRIVATE_H
#define UNIK_READER_EXT2_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ext2_fmt.h"
#include "limits.h"
#include "io.h"
#include "reader_ext2.h"

#define E2R_BLOCK_MAX 4096u
#define E2R_LEVELS 3u
#define E2R_WALKS 2u /* one inside the other */
#define E2R_TABLE_CHUNK 65536u /* a read of the inode table */

/* Features and numbers that only others' images have (ext4 doc super.rst). */
#define E2R_COMPAT_PREALLOC 0x0001u
#define E2R_COMPAT_RESIZE_INODE 0x0010u
#define E2R_RO_EXTRA_ISIZE 0x0040u
#define E2R_BAD_INO 1u    /* bad blocks */
#define E2R_RESIZE_INO 7u /* room for descriptors */
#define E2R_OLD_INODE_SIZE 128u

/* ---- reader_ext2.c: the superblock, blocks, descriptors ---- */

struct e2r_image {
	int fd;
	uint64_t size;
	const struct unik_limits *limits;
	struct ext2_super super;
	int version; /* of our format; 0: not ours */
	uint32_t block_size;
	uint32_t nblocks;
	uint32_t first_block;
	uint32_t group_blocks;
	uint32_t ngroups;
	uint32_t ninodes;
	uint32_t group_inodes;
	uint32_t table_blocks; /* of a group */
	uint32_t gdt_blocks;
	uint32_t inode_size;
	uint32_t first_ino;
	uint32_t compat, incompat, ro_compat;
	bool filetype; /* directory entries say the type */
	/* Blocks that may still be visited: more than there are means that some
	 * have several owners. */
	uint64_t visits_left;
	uint8_t *table;      /* a piece of the inode table */
	uint64_t table_at;   /* where in the image */
	uint32_t table_size; /* 0: nothing */
	uint8_t *gdt;        /* one block of descriptors */
	uint32_t gdt_block;  /* 1 + its place; 0: none */
	/* Blocks for walks: entries of a directory are looked at while it is
	 * walked over itself. */
	uint8_t *indirect[E2R_WALKS][E2R_LEVELS];
	uint32_t nwalks; /* that are under way */
};

int unik_e2r_open(struct e2r_image *image, int fd, uint64_t size,
		  const struct unik_limits *limits, struct unik_err *err);
void unik_e2r_close(struct e2r_image *image);
void unik_e2r_info(const struct e2r_image *image, struct unik_ext2_info *info);
/* Reads a whole block; a number out of range is UNIK_EBAD. */
int unik_e2r_block(const struct e2r_image *image, uint32_t block, uint8_t *buf,
		   struct unik_err *err);
bool unik_e2r_has_super(const struct e2r_image *image, uint32_t group);
static inline uint32_t unik_e2r_group_start(const struct e2r_image *image,
					    uint32_t group)
{
	return image->first_block + group * image->group_blocks;
}
uint32_t unik_e2r_group_size(const struct e2r_image *image, uint32_t group);
int unik_e2r_group(struct e2r_image *image, uint32_t group,
		   struct ext2_group *out, struct unik_err *err);

/* ---- reader_ext2_inode.c ---- */

struct e2r_inode {
	uint32_t ino;
	uint32_t mode; /* all 16 bits */
	uint32_t uid;
	uint32_t gid;
	uint32_t nlink;
	uint32_t flags;
	uint32_t sectors; /* of 512 bytes */
	uint32_t file_acl;
	uint64_t size;
	int64_t mtime_sec;
	uint32_t mtime_nsec;
	const uint8_t *raw; /* inode_size bytes, valid until the next one */
	uint8_t block[EXT2_NBLOCK][4];
};

/* Reads inode number `ino` (1..ninodes). */
int unik_e2r_inode(struct e2r_image *image, uint32_t ino,
		   struct e2r_inode *inode, struct unik_err *err);
/* The type of an inode, -1 where the mode has none. */
int unik_e2r_type(uint32_t mode);
/* Whether i_block holds a symlink's target. */
bool unik_e2r_fast_symlink(const struct e2r_image *image,
			   const struct e2r_inode *inode);
struct unik_rdev unik_e2r_rdev(const struct e2r_inode *inode);

/* ---- reader_ext2_map.c ---- */

/* Gets a block of an inode; level 0: data, number `logical` of the file; else
 * an indirect block that maps from there on. */
typedef int e2r_visit(void *data, uint32_t level, uint64_t logical,
		      uint32_t block, struct unik_err *err);
/* Visits all blocks of an inode in order, indirect blocks before what they
 * map; what i_size says does not matter.  Errors do not name the inode. */
int unik_e2r_walk(struct e2r_image *image, const struct e2r_inode *inode,
		  e2r_visit *visit, void *data, struct unik_err *err);

/* ---- reader_ext2_dir.c ---- */

struct e2r_entry {
	const uint8_t *block; /* the whole block that it lies in */
	uint32_t nblock;      /* number of that in the directory */
	uint32_t at;          /* where in the block */
	uint32_t rec_len;
	uint32_t ino;         /* 0: unused */
	const char *name;     /* not terminated */
	uint32_t name_size;
	uint32_t file_type;
};

typedef int e2r_entry_fn(void *data, const struct e2r_entry *entry,
			 struct unik_err *err);
/* All entries in order, the unused ones, "." and ".." too.  A return of 1 of
 * the function ends it early, and is returned.  Errors do not name the
 * directory. */
int unik_e2r_dir(struct e2r_image *image, const struct e2r_inode *inode,
		 e2r_entry_fn *fn, void *data, struct unik_err *err);
bool unik_e2r_is_dot(const struct e2r_entry *entry); /* "." or ".." */

/* ---- reader_ext2_xattr.c ---- */

/* One attribute as it lies on disk. */
struct e2r_attr {
	uint8_t index;
	const char *name; /* not terminated */
	uint32_t name_size;
	const uint8_t *value;
	uint32_t value_size;
	uint32_t hash;
	uint32_t at; /* where its entry lies */
};

typedef int e2r_attr_fn(void *data, const struct e2r_attr *attr,
			struct unik_err *err);
/* Entries from `at` on in buf[0..size), values counted from `base`. */
int unik_e2r_attrs(const uint8_t *buf, uint32_t size, uint32_t at,
		   uint32_t base, e2r_attr_fn *fn, void *data,
		   struct unik_err *err);
/* Where in a raw inode its own attributes begin; 0: it has none. */
uint32_t unik_e2r_own_attrs(const struct e2r_image *image,
			    const struct e2r_inode *inode);
/* The kernel's hash of an attribute; `sign`: bytes of names have one. */
uint32_t unik_e2r_attr_hash(const struct e2r_attr *attr, bool sign);

/* The attributes of an inode as xattrs. */
struct e2r_xattrs {
	struct unik_xattr *v;
	size_t n;
	size_t room;
	uint8_t *bytes; /* names and values */
	size_t nbytes;
	uint8_t *block;
};

int unik_e2r_xattrs_init(struct e2r_xattrs *x, struct unik_err *err);
void unik_e2r_xattrs_release(struct e2r_xattrs *x);
/* Fills v and n, valid until the next call. */
int unik_e2r_xattrs_read(struct e2r_xattrs *x, struct e2r_image *image,
			 const struct e2r_inode *inode, struct unik_err *err);

#endif
