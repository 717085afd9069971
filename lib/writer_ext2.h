/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * writer_ext2: what its files share; no other room includes this.
 *
 * Blocks that are no metadata of a group form one linear space, in which every
 * inode's blocks lie together, in the order of the inodes: its xattr block
 * (where it is the first to use it), then its data, each indirect block just
 * before what it maps.  A plan keeps linear numbers; the layout turns them into
 * block numbers.  Each group: superblock and descriptors (sparse_super), the
 * two bitmaps, the inode table, data.  Free blocks and inodes come last.
 */
#ifndef UNIK_WRITER_EXT2_H
#define UNIK_WRITER_EXT2_H

#include "ext2_fmt.h"
#include "io.h"
#include "limits.h"
#include "writer.h"

/*
 * 1: blocks of 4096 where no size is asked for
 * 2: the content chooses between 4096 and 1024 there
 */
#define EXT2_FORMAT_VERSION 2
#define EXT2_FORMAT_OLDEST 1
#define EXT2_MAX_BLOCK 4096u
#define EXT2_LEVELS 3u /* of indirect blocks */

/* ---- ext2_block_size.c ---- */

/* The block size that fits the contents best, 4096 or 1024; whether they can be
 * held with it, a plan tells. */
uint32_t unik_ext2_block_size(const struct unik_tree *tree, uint64_t free_size);

/* ---- ext2_layout.c: groups ---- */

struct ext2_layout {
	uint32_t block_size;
	uint32_t first_block;   /* 1 where blocks have 1024 bytes, else 0 */
	uint32_t nblocks;       /* s_blocks_count: the first block is 0 */
	uint32_t ngroups;
	uint32_t group_blocks;  /* a multiple of 8 */
	uint32_t group_inodes;  /* a multiple of 8, whole blocks of table */
	uint32_t table_blocks;  /* inode table of a group */
	uint32_t gdt_blocks;
	uint32_t *first_linear; /* by group, and one more: the end */
};

/* Groups for so many inodes (the reserved ones too) and linear blocks. */
int unik_ext2_layout(struct ext2_layout *l, uint32_t block_size,
		     uint64_t ninodes, uint64_t ndata, struct unik_err *err);
bool unik_ext2_has_super(uint32_t group);
static inline uint32_t unik_ext2_group_start(const struct ext2_layout *l,
					     uint32_t group)
{
	return l->first_block + group * l->group_blocks;
}
uint32_t unik_ext2_group_size(const struct ext2_layout *l, uint32_t group);
/* Metadata blocks at the start of a group. */
uint32_t unik_ext2_overhead(const struct ext2_layout *l, uint32_t group);

/* Consecutive linear blocks as block numbers. */
struct ext2_place {
	uint32_t group;
	uint32_t next;
	uint32_t left; /* in this group */
};
void unik_ext2_place_set(const struct ext2_layout *l, struct ext2_place *p,
			 uint64_t linear);
uint32_t unik_ext2_place_next(const struct ext2_layout *l,
			      struct ext2_place *p);

/* ---- the plan ---- */

struct ext2_slot { /* by inode id */
	uint32_t start;   /* linear: its data and indirect blocks */
	uint32_t nblocks; /* how many */
	uint32_t ndata;   /* a directory's blocks, EXT2_DIR_INDEXED */
	uint32_t xattr;   /* 1 + its place in xattrs[]; 0: none */
};

#define EXT2_DIR_INDEXED 0x80000000u /* in ndata: it has a hash index */

struct ext2_xattr_block {
	uint32_t inode; /* id of the first that uses it */
	uint32_t linear;
	uint32_t refs;
	uint32_t key;   /* for finding equal ones */
};

struct ext2_hashed { /* an entry of an indexed directory */
	uint32_t major;
	uint32_t minor;
	const struct unik_node *node;
};

/* The blocks of an indexed directory: its root, index nodes where the root has
 * no room for all leaves, the leaves in the order of their hashes. */
struct ext2_htree {
	struct ext2_hashed *v; /* sorted */
	uint32_t n;
	uint32_t *leaf;        /* by leaf, and one more: where in v it starts */
	uint32_t nleaves;
	uint32_t nnodes;
	uint32_t inode;        /* id of the directory */
};

struct unik_writer {
	const struct unik_tree *tree;
	int version;
	bool netbsd;
	bool unindexed;  /* a directory has too many blocks for an index */
	bool large_file; /* the features that only some trees need */
	bool dir_nlink;
	bool dir_index;
	uint32_t block_size;
	uint32_t nptrs;  /* block numbers in an indirect block */
	uint8_t uuid[16];
	uint8_t hash_seed[16];
	struct ext2_slot *slots;
	struct ext2_xattr_block *xattrs;
	uint32_t nxattrs;
	struct ext2_htree *htrees; /* of all indexed directories, by inode */
	uint32_t nhtrees;
	uint32_t htree_room;
	uint32_t ninodes; /* in use, 1..10 too */
	uint32_t nlinear; /* linear blocks in use */
	struct ext2_layout layout;
	uint32_t *ndirs;  /* by group */
	struct unik_losses losses;
};

static inline uint32_t unik_ext2_ino(uint32_t id) /* by inode id */
{
	return id == 0 ? EXT2_ROOT_INO : EXT2_FIRST_INO - 1 + id;
}

/* ---- ext2_map.c: which blocks of a file hold data, and the indirect blocks
 * that map them ---- */

struct ext2_runs {
	const struct unik_content *content; /* NULL: all of it is data */
	uint32_t extent;
	uint32_t per;     /* blocks in a block of the hole map */
	uint64_t nblocks; /* of the file, holes counted */
};

void unik_ext2_runs(const struct unik_writer *w,
		    const struct unik_inode *inode, struct ext2_runs *r);
/* The first data block at or behind `from`, UINT64_MAX where there is none;
 * *end gets the end of its run.  `from` never goes back. */
uint64_t unik_ext2_runs_next(struct ext2_runs *r, uint64_t from, uint64_t *end);
/* Blocks of a file that an indirect block of a level maps (level 0: 1). */
uint64_t unik_ext2_span(const struct unik_writer *w, uint32_t level);
/* The first block of a file that the indirect block of a level in the inode
 * maps. */
uint64_t unik_ext2_base(const struct unik_writer *w, uint32_t level);
/* Most blocks of a file, holes counted. */
uint64_t unik_ext2_max_blocks(const struct unik_writer *w);
/* How many blocks, data and indirect, an inode has. */
uint64_t unik_ext2_map_total(const struct unik_writer *w,
			     const struct unik_inode *inode);
/* Fills i_block. */
void unik_ext2_map_inode(const struct unik_writer *w,
			 const struct unik_inode *inode,
			 uint8_t block[EXT2_NBLOCK][4]);
/* Fills the indirect block of a level that maps from block `base` on and lies
 * at `linear`. */
void unik_ext2_map_block(const struct unik_writer *w, struct ext2_runs r,
			 uint32_t level, uint64_t base, uint64_t linear,
			 uint8_t *buf);

/* ---- ext2_dir.c: directories ---- */

/* A directory's blocks, one after the other. */
struct ext2_dir {
	const struct unik_writer *w;
	const struct unik_node *node;
	const struct unik_node *child; /* the next to write */
	uint32_t block;
	const struct ext2_htree *tree; /* NULL: not indexed */
};

/* Writes one entry; returns its size. */
uint32_t unik_ext2_dirent(const struct unik_writer *w,
			  const struct unik_inode *inode, const char *name,
			  uint32_t n, uint8_t *out);
/* "." and ".."; returns their size. */
uint32_t unik_ext2_dots(const struct unik_writer *w,
			const struct unik_node *node, uint8_t *out);
/* Sets ndata of a directory's slot, keeps its index. */
int unik_ext2_dir_plan(struct unik_writer *w, const struct unik_inode *inode,
		       struct unik_err *err);
void unik_ext2_dir_open(struct ext2_dir *d, const struct unik_writer *w,
			const struct unik_inode *inode);
void unik_ext2_dir_next(struct ext2_dir *d, uint8_t *buf);

/* ---- ext2_htree.c: the index of a directory ---- */

int unik_ext2_htree_init(struct ext2_htree *t, const struct unik_writer *w,
			 const struct unik_node *dir, struct unik_err *err);
void unik_ext2_htree_release(struct ext2_htree *t);
/* How many blocks it has; 0: it would take too many levels. */
uint64_t unik_ext2_htree_blocks(const struct ext2_htree *t);
/* Block i of the index, i <= nnodes. */
void unik_ext2_htree_node(const struct ext2_htree *t,
			  const struct unik_writer *w,
			  const struct unik_node *dir, uint32_t i,
			  uint8_t *buf);

/* ---- ext2_acl.c ---- */

/* On-disk bytes of a POSIX ACL in xattr form; 0 where it is malformed. */
uint32_t unik_ext2_acl_size(const uint8_t *value, uint32_t n);
void unik_ext2_acl_put(const uint8_t *value, uint32_t n, uint8_t *out);
/* Whether both (n bytes in xattr form) have the same bytes on disk. */
bool unik_ext2_acl_equal(const uint8_t *a, const uint8_t *b, uint32_t n);

/* ---- ext2_xattr.c ---- */

/* Fills one block; *n gets how many attributes it holds, *lost how many of the
 * inode's it can't. */
int unik_ext2_xattr_block(const struct unik_writer *w,
			  const struct unik_inode *inode, uint32_t refs,
			  uint8_t *buf, uint64_t *lost, uint32_t *n,
			  struct unik_err *err);

/* ---- ext2_share.c: xattr blocks found equal ---- */

struct ext2_xattr_index;
int unik_ext2_xattr_index_new(struct ext2_xattr_index **out,
			      struct unik_err *err);
void unik_ext2_xattr_index_free(struct ext2_xattr_index *x); /* takes NULL */
/* Sets slots[].xattr, fills xattrs[], counts losses; to be called in the order
 * of inodes.  *fresh: a block that no inode had before. */
int unik_ext2_xattr_plan(struct unik_writer *w, struct ext2_xattr_index *x,
			 const struct unik_inode *inode, bool *fresh,
			 struct unik_err *err);

/* ---- ext2_inode.c ---- */

/* False where a time is clamped. */
bool unik_ext2_time(int64_t sec, uint32_t nsec, uint8_t low[4],
		    uint8_t extra[4]);
void unik_ext2_inode(const struct unik_writer *w, uint32_t id,
		     struct ext2_inode *out);

/* ---- ext2_group.c: metadata of a group ---- */

int unik_ext2_group_emit(const struct unik_writer *w, uint32_t group,
			 uint8_t *buf, struct unik_sink *sink,
			 struct unik_err *err);

/* ---- ext2_emit.c ---- */

int unik_ext2_emit(const struct unik_writer *w, struct unik_sink *sink,
		   struct unik_err *err);

#endif
