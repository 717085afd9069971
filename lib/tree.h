/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tree: the entries of a layer (or of merged layers), resolved, canonical and,
 * once sealed, const.
 *
 * A `node` is a name; an `inode` is what it names: hard links are nodes that
 * share an inode.  Everything lives in the tree's arena.  Canonical order: a
 * directory before its children, siblings by the bytes of their names.
 */
#ifndef UNIK_TREE_H
#define UNIK_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

enum unik_type {
	UNIK_FILE = 0,
	UNIK_DIR,
	UNIK_SYMLINK,
	UNIK_CHAR,
	UNIK_BLOCK,
	UNIK_FIFO,
	UNIK_SOCKET,
	/* A `.wh.NAME` or `.wh..wh..opq` entry, under that literal name.  Has
	 * the attributes of its tar entry; no content, no xattrs, nlink 1. */
	UNIK_WHITEOUT,
	/* A hard link to a path that this tree does not hold (`target`, clean);
	 * only in trees that unik_tree_seal_open() sealed. */
	UNIK_LINK,
	UNIK_NTYPES
};

/* Where content lives: an open file to pread from.  Not owned by trees. */
struct unik_data {
	int fd;
	struct unik_drain *drain; /* what is copied is given back (drain.h);
				     else NULL */
};

/* Hole map: runs of 4096-byte blocks that hold data, ascending, with gaps of
 * UNIK_HOLE_MIN blocks or more between them, before the first, and after the
 * last (only where the gap is not empty).  Depends on the bytes alone. */
#define UNIK_HOLE_BLOCK 4096u
#define UNIK_HOLE_MIN 16u

struct unik_extent {
	uint32_t block;
	uint32_t nblocks;
};

/* One piece of a file that is stored sparse; between pieces are zeros. */
struct unik_piece {
	uint64_t offset; /* in the file */
	uint64_t size;
	uint64_t stored; /* where in the data */
};

struct unik_content {
	const struct unik_data *data;
	uint64_t offset;                /* in the data, when npieces is 0 */
	const struct unik_piece *pieces; /* sparse storage, else NULL */
	uint32_t npieces;
	bool holed;       /* extents tell the holes; else it is all data */
	bool hashed;      /* sha256 is there, though others of the tree are
			     still to be filled */
	uint32_t nextents; /* may be 0 with holed: nothing but zeros */
	const struct unik_extent *extents;
	uint8_t sha256[32]; /* of all bytes of the file */
};

struct unik_xattr {
	const char *name; /* "user.x", NUL-terminated, any bytes else */
	const uint8_t *value;
	uint32_t name_size; /* without the NUL */
	uint32_t value_size;
};

struct unik_xattrs { /* sorted by the bytes of the names, no duplicates */
	uint32_t n;
	struct unik_xattr v[];
};

struct unik_rdev {
	uint32_t major;
	uint32_t minor;
};

struct unik_node;

struct unik_inode {
	uint32_t id;     /* 0.., by first name in canonical order (sealed) */
	uint32_t nlink;  /* names of a non-directory; 2 + subdirectories of a
			    directory (sealed) */
	uint8_t type;    /* enum unik_type */
	bool opaque;     /* a directory with a `.wh..wh..opq` entry */
	bool implied;    /* a directory that only its children imply */
	uint16_t mode;   /* 07777 bits */
	uint32_t uid;
	uint32_t gid;
	uint32_t mtime_nsec; /* 0..999999999 */
	int64_t mtime_sec;   /* floor; may be negative */
	uint64_t size;       /* bytes of a file, or of a symlink's target */
	const struct unik_xattrs *xattrs; /* NULL: none */
	union {
		const struct unik_content *content; /* file; NULL when size 0 */
		const char *target;                 /* symlink, with a NUL */
		struct unik_rdev rdev;              /* char, block */
	};
	const struct unik_node *first; /* its first name in canonical order */
};

struct unik_node {
	const char *name; /* NUL-terminated; "" for the root */
	struct unik_node *parent; /* NULL for the root */
	struct unik_node *child;  /* first child (sorted once sealed) */
	struct unik_node *next;   /* next sibling */
	struct unik_inode *inode;
	uint32_t id;       /* 0.., canonical order (sealed); the root is 0 */
	uint32_t nchildren; /* of a directory (sealed) */
	uint16_t name_size;
	uint16_t low;      /* merged trees: the lowest layer in which something
			      of this name would be seen were the upper ones
			      taken away */
	uint16_t top;      /* merged trees: the layer that it is of */
	uint8_t flags;     /* private to the tree */
};

struct unik_tree_counts {
	uint64_t type[UNIK_NTYPES]; /* inodes by type; the root is one dir */
	uint64_t hardlinks;         /* names beyond the first of an inode */
	uint64_t whiteouts;         /* .wh.NAME entries */
	uint64_t opaque;            /* opaque directories */
	uint64_t ignored;           /* left out: AUFS metadata, whiteouts
				       beneath what is no directory */
	uint64_t xattrs;            /* attributes, over all inodes */
	uint64_t content;           /* bytes of all files' content */
};

struct unik_tree {
	struct unik_node *root;
	/* Valid once sealed: */
	uint32_t nnodes;
	uint32_t ninodes;
	struct unik_node **nodes;   /* by id: canonical order */
	struct unik_inode **inodes; /* by id */
	struct unik_tree_counts counts;
	struct unik_tree_private *priv;
};

/* One entry to add.  All pointers are borrowed for the call. */
struct unik_entry {
	const char *path; /* as found: any bytes, not yet cleaned */
	size_t path_size;
	enum unik_type type;
	bool hardlink; /* then `target` names the other entry; attributes count
			  only where the entry turns out to be a whiteout */
	uint16_t mode;
	uint32_t uid;
	uint32_t gid;
	uint32_t mtime_nsec;
	int64_t mtime_sec;
	uint64_t size;
	const char *target; /* symlink or hard link */
	size_t target_size;
	struct unik_rdev rdev;
	const struct unik_xattr *xattrs; /* any order; the last of equal names
					    wins */
	size_t nxattrs;
	const struct unik_content *content; /* of a file; copied with its
					       pieces and extents */
	struct unik_content **kept; /* or NULL: gets the tree's copy, whose
				       sha256 may be set till it is sealed;
				       stays as it is where there is none */
};

int unik_tree_new(struct unik_tree **out, const struct unik_limits *limits,
		  struct unik_err *err);
void unik_tree_free(struct unik_tree *tree); /* takes NULL */

/*
 * Adds an entry by the rules of DESIGN section 6 (OCI image-spec, layer.md):
 * cleans the path, resolves symlinks among its parents inside the tree, makes
 * missing parents (0755, 0:0, mtime 0), lets the last of equal paths win,
 * classifies whiteouts.  UNIK_EBAD errors name the path.
 */
int unik_tree_add(struct unik_tree *tree, const struct unik_entry *entry,
		  struct unik_err *err);

/* Resolves hard links, sorts, numbers; the tree is const afterwards. */
int unik_tree_seal(struct unik_tree *tree, struct unik_err *err);
/* The same, but a hard link whose target may live in a lower layer stays, as
 * UNIK_LINK, where it would be an error. */
int unik_tree_seal_open(struct unik_tree *tree, struct unik_err *err);
/* The error for the first UNIK_LINK of a tree, 0 where there is none. */
int unik_tree_check_links(const struct unik_tree *tree, struct unik_err *err);

/* What only reading a file's bytes can tell, after sealing: the hole map and
 * sha256 of inode `id` are copied from *found.  Nothing else of a sealed tree
 * ever changes. */
int unik_tree_fill_content(struct unik_tree *tree, uint32_t id,
			   const struct unik_content *found,
			   struct unik_err *err);

/* The path of a node from the root, "." for the root: writes at most `size`
 * bytes with a NUL, returns the full length. */
size_t unik_node_path(const struct unik_node *node, char *buf, size_t size);
/* The quoted path of a node, for messages. */
const char *unik_node_quote(const struct unik_node *node, char *buf);

/* Looks a path up in a sealed or unsealed tree without following symlinks;
 * NULL where there is none. */
const struct unik_node *unik_tree_find(const struct unik_tree *tree,
				       const char *path);
/* The same, but symlinks are followed inside the tree, the last one too: *out
 * is NULL where there is nothing.  UNIK_EBAD: a parent that is no directory, or
 * a loop. */
int unik_tree_follow(const struct unik_tree *tree, const char *path,
		     const struct unik_node **out, struct unik_err *err);

/* ---- content ---- */

struct unik_sink;

/* Reads exactly n bytes of a file at off (off + n <= size), zeros included. */
int unik_content_read(const struct unik_content *c, uint64_t off, void *buf,
		      size_t n, struct unik_err *err);
/* Appends bytes [off, off + n) of a file to a sink.  Where the data is drained,
 * each byte once. */
int unik_content_copy(const struct unik_content *c, uint64_t off, uint64_t n,
		      struct unik_sink *sink, struct unik_err *err);
/* To the drain of the data, which there must be: what is stored of a file of
 * `size` bytes will be copied. */
int unik_content_want(const struct unik_content *c, uint64_t size,
		      struct unik_err *err);
/* It will not, after all.  Without a drain there is nothing to be done. */
int unik_content_leave(const struct unik_content *c, uint64_t size,
		       struct unik_err *err);

#endif
