/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tree: what its files share; no other room includes this. */
#ifndef UNIK_TREE_PRIVATE_H
#define UNIK_TREE_PRIVATE_H

#include "arena.h"
#include "tree.h"

enum {
	NODE_DEAD = 1,    /* replaced: not reachable any more */
	NODE_PENDING = 2, /* a hard link whose target is not there yet */
	NODE_BUSY = 4     /* seen while its chain is being resolved */
};

/* A hard link to be resolved when the tree is sealed. */
struct pending {
	struct pending *next; /* newest first */
	struct unik_node *node;
	const char *target; /* clean path */
};

/* A place of the table that finds nodes by parent and name. */
struct tree_slot {
	uint32_t hash;
	uint32_t node; /* its number, in the order of making */
};

/* No node: numbers are below limits.entries.  It is not 0, as a table from
 * calloc() is slow: a page that is read before it is written to takes two
 * faults, and the second one disturbs all CPUs. */
#define TREE_FREE UINT32_MAX

#define TREE_BLOCK 128u /* nodes in a block */

struct unik_tree_private {
	struct unik_arena arena;
	struct unik_limits limits;
	struct unik_node **blocks; /* all nodes made, by number */
	uint32_t room;             /* of blocks */
	struct tree_slot *slots; /* open addressing, power of two */
	size_t nslots;
	size_t nused;
	uint64_t seed;
	uint64_t nentries; /* nodes made, the dead ones too */
	uint64_t ignored;
	struct pending *pending;
	/* The directory of the last entry, for entries follow their siblings:
	 * where the first nlast bytes of `last` led to.  NULL: not known, or no
	 * more since a node was replaced. */
	struct unik_node *last_dir;
	char *last;   /* limits.path + 2 bytes */
	size_t nlast;
	char *path;   /* scratch: limits.path + 2 bytes */
	char *target; /* the same */
	bool sealed;
	bool lost; /* an add failed half-way: the tree is not to be used */
};

/* tree_lookup.c */
struct unik_node *unik_tree_lookup(const struct unik_tree *tree,
				   const struct unik_node *parent,
				   const char *name, size_t n);
/*
 * Walks a clean path from the root, following symlinks inside the tree, all
 * but its last component.  *dir gets the directory, *name and *n the
 * last component (n 0: the path is the root).  `make`: missing directories are
 * made; without it *dir is NULL when one is missing.
 */
int unik_tree_walk(struct unik_tree *tree, const char *path, bool make,
		   struct unik_node **dir, const char **name, size_t *n,
		   struct unik_err *err);
/* The directory that a symlink of the tree points to, inside the tree; missing
 * directories are made. */
int unik_tree_resolve(struct unik_tree *tree, struct unik_node *symlink,
		      struct unik_node **dir, struct unik_err *err);
/* A new node with a new inode (or `inode`), linked and indexed. */
int unik_tree_make(struct unik_tree *tree, struct unik_node *parent,
		   const char *name, size_t n, struct unik_inode *inode,
		   struct unik_node **out, struct unik_err *err);

#endif
