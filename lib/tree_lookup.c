/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tree: the table of names, and walking paths inside a tree. */
#define _POSIX_C_SOURCE 200809L
#include <stdlib.h>
#include <string.h>

#include "path.h"
#include "tree_private.h"

/* Linux follows 40 symlinks in one path (MAXSYMLINKS). */
#define MAX_HOPS 40

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

/* Which slot a name has never reaches the output: only speed depends on it,
 * and the seed keeps an input from choosing collisions. */
static uint32_t hash(const struct unik_tree *tree,
		     const struct unik_node *parent, const char *name, size_t n)
{
	uint64_t h = mix(tree->priv->seed, (uintptr_t)parent);
	uint64_t v;

	for (; n >= sizeof(v); n -= sizeof(v), name += sizeof(v)) {
		memcpy(&v, name, sizeof(v));
		h = mix(h, v);
	}
	v = n;
	memcpy((char *)&v + 1, name, n < 7 ? n : 7);
	h = mix(h, v);
	return (uint32_t)(h ^ h >> 32);
}

static struct unik_node *numbered(const struct unik_tree_private *p, uint32_t n)
{
	return &p->blocks[n / TREE_BLOCK][n % TREE_BLOCK];
}

/* Nodes are far apart in memory: only one of the same hash is looked at. */
static struct tree_slot *slot_of(const struct unik_tree_private *p, uint32_t h,
				 const struct unik_node *parent,
				 const char *name, size_t n)
{
	size_t i = h & (p->nslots - 1);

	for (; p->slots[i].node != TREE_FREE; i = (i + 1) & (p->nslots - 1)) {
		const struct unik_node *node;

		if (p->slots[i].hash != h)
			continue;
		node = numbered(p, p->slots[i].node);
		if (node->parent == parent && node->name_size == n &&
		    memcmp(node->name, name, n) == 0)
			break;
	}
	return &p->slots[i];
}

struct unik_node *unik_tree_lookup(const struct unik_tree *tree,
				   const struct unik_node *parent,
				   const char *name, size_t n)
{
	const struct unik_tree_private *p = tree->priv;
	const struct tree_slot *slot;
	struct unik_node *node;

	if (!p->nslots)
		return NULL;
	slot = slot_of(p, hash(tree, parent, name, n), parent, name, n);
	if (slot->node == TREE_FREE)
		return NULL;
	node = numbered(p, slot->node);
	return node->flags & NODE_DEAD ? NULL : node;
}

static int grow(struct unik_tree_private *p, struct unik_err *err)
{
	size_t n = p->nslots ? p->nslots * 2 : 256, i, k;
	struct tree_slot *slots = malloc(n * sizeof(*slots));

	if (!slots)
		return unik_fail_mem(err);
	memset(slots, 0xff, n * sizeof(*slots)); /* TREE_FREE */
	for (i = 0; i < p->nslots; i++) {
		if (p->slots[i].node == TREE_FREE)
			continue;
		k = p->slots[i].hash & (n - 1);
		while (slots[k].node != TREE_FREE)
			k = (k + 1) & (n - 1);
		slots[k] = p->slots[i];
	}
	free(p->slots);
	p->slots = slots;
	p->nslots = n;
	return 0;
}

/* Puts a node in the table; an older one of the same name gives way. */
static int put_in_table(struct unik_tree *tree, const struct unik_node *node,
			uint32_t number, struct unik_err *err)
{
	struct unik_tree_private *p = tree->priv;
	uint32_t h = hash(tree, node->parent, node->name, node->name_size);
	struct tree_slot *slot;

	if (p->nused + 1 > p->nslots / 4 * 3 && grow(p, err) < 0)
		return -1;
	slot = slot_of(p, h, node->parent, node->name, node->name_size);
	if (slot->node == TREE_FREE)
		p->nused++;
	*slot = (struct tree_slot){ h, number };
	return 0;
}

/* Nodes lie in blocks, so that a table can tell them by number. */
static int new_node(struct unik_tree_private *p, struct unik_node **out,
		    struct unik_err *err)
{
	uint32_t n = (uint32_t)p->nentries, block = n / TREE_BLOCK;

	if (block == p->room) {
		size_t room = p->room ? (size_t)p->room * 2 : 4;
		struct unik_node **v = realloc(p->blocks, room * sizeof(*v));

		if (!v)
			return unik_fail_mem(err);
		p->blocks = v;
		p->room = (uint32_t)room;
	}
	if (n % TREE_BLOCK == 0)
		p->blocks[block] = unik_arena_alloc(&p->arena, TREE_BLOCK *
						    sizeof(**p->blocks));
	if (!p->blocks[block])
		return unik_fail_mem(err);
	*out = numbered(p, n);
	return 0;
}

int unik_tree_make(struct unik_tree *tree, struct unik_node *parent,
		   const char *name, size_t n, struct unik_inode *inode,
		   struct unik_node **out, struct unik_err *err)
{
	struct unik_tree_private *p = tree->priv;
	struct unik_node *node = NULL;

	if (p->nentries >= p->limits.entries)
		return unik_fail(err, "more than %llu entries (--max-entries)",
				 (unsigned long long)p->limits.entries);
	if (new_node(p, &node, err) < 0)
		return -1;
	if (!inode)
		inode = unik_arena_alloc(&p->arena, sizeof(*inode));
	if (!inode)
		return unik_fail_mem(err);
	node->name = unik_arena_text(&p->arena, name, n);
	if (!node->name)
		return unik_fail_mem(err);
	node->name_size = (uint16_t)n;
	node->parent = parent;
	node->inode = inode;
	if (parent) {
		if (put_in_table(tree, node, (uint32_t)p->nentries, err) < 0)
			return -1;
		node->next = parent->child;
		parent->child = node;
	}
	p->nentries++;
	*out = node;
	return 0;
}

/* ---- walking ---- */

struct walk {
	struct unik_tree *tree;
	bool make;
	int hops;
};

static int walk_dir(struct walk *w, struct unik_node *from, const char *path,
		    struct unik_node **out, struct unik_err *err);

static int make_implied(struct unik_tree *tree, struct unik_node *dir,
			const char *name, size_t n, struct unik_node **out,
			struct unik_err *err)
{
	if (unik_tree_make(tree, dir, name, n, NULL, out, err) < 0)
		return -1;
	(*out)->inode->type = UNIK_DIR;
	(*out)->inode->mode = 0755;
	(*out)->inode->implied = true;
	return 0;
}

/* One component: *cur becomes the directory it names, or NULL (missing). */
static int step(struct walk *w, struct unik_node **cur, const char *name,
		size_t n, struct unik_err *err)
{
	struct unik_node *dir = *cur;
	struct unik_node *node = unik_tree_lookup(w->tree, dir, name, n);
	char q[UNIK_QUOTE_SIZE];

	if (!node) {
		*cur = NULL;
		if (!w->make)
			return 0;
		if (n > UNIK_NAME_MAX)
			return unik_fail(err, "a name of %zu bytes is over %d",
					 n, UNIK_NAME_MAX);
		return make_implied(w->tree, dir, name, n, cur, err);
	}
	if (!(node->flags & NODE_PENDING) && node->inode->type == UNIK_DIR) {
		*cur = node;
		return 0;
	}
	if ((node->flags & NODE_PENDING) || node->inode->type != UNIK_SYMLINK)
		return unik_fail(err, "parent %s is not a directory",
				 unik_node_quote(node, q));
	if (++w->hops > MAX_HOPS)
		return unik_fail(err, "too many symlinks at %s",
				 unik_node_quote(node, q));
	return walk_dir(w, dir, node->inode->target, cur, err);
}

/* All components of a path or a symlink's target; `..` stops at the root, as
 * in a chroot.  Recursion is bounded by MAX_HOPS. */
static int walk_dir(struct walk *w, struct unik_node *from, const char *path,
		    struct unik_node **out, struct unik_err *err)
{
	const char *name, *rest = path;
	size_t n;

	*out = path[0] == '/' ? w->tree->root : from;
	while (*out && (n = unik_path_next(rest, &name, &rest)) > 0) {
		if (n == 1 && name[0] == '.')
			continue;
		if (n == 2 && name[0] == '.' && name[1] == '.') {
			if ((*out)->parent)
				*out = (*out)->parent;
			continue;
		}
		if (step(w, out, name, n, err) < 0)
			return -1;
	}
	return 0;
}

int unik_tree_walk(struct unik_tree *tree, const char *path, bool make,
		   struct unik_node **dir, const char **name, size_t *n,
		   struct unik_err *err)
{
	struct walk w = { tree, make, 0 };
	const char *rest = path;

	*dir = tree->root;
	for (;;) {
		*n = unik_path_next(rest, name, &rest);
		if (!*dir || *n == 0 || *rest == 0)
			return 0;
		if (step(&w, dir, *name, *n, err) < 0)
			return -1;
	}
}

int unik_tree_resolve(struct unik_tree *tree, struct unik_node *symlink,
		      struct unik_node **dir, struct unik_err *err)
{
	struct walk w = { tree, true, 1 };

	return walk_dir(&w, symlink->parent, symlink->inode->target, dir, err);
}

static int follow(struct walk *w, struct unik_node *from, const char *path,
		  struct unik_node **out, struct unik_err *err)
{
	size_t n = strlen(path), k;
	char *head, q[UNIK_QUOTE_SIZE];
	struct unik_node *dir;
	int rc;

	while (n > 0 && path[n - 1] == '/')
		n--;
	for (k = n; k > 0 && path[k - 1] != '/'; k--)
		;
	if (n - k == 0 || (path[k] == '.' &&
			   (n - k == 1 || (n - k == 2 && path[k + 1] == '.'))))
		return walk_dir(w, from, path, out, err);
	head = strndup(path, k);
	if (!head)
		return unik_fail_mem(err);
	rc = walk_dir(w, from, head, &dir, err);
	free(head);
	*out = NULL;
	if (rc < 0 || !dir)
		return rc;
	*out = unik_tree_lookup(w->tree, dir, path + k, n - k);
	if (!*out || (*out)->inode->type != UNIK_SYMLINK)
		return 0;
	if (++w->hops > MAX_HOPS)
		return unik_fail(err, "too many symlinks at %s",
				 unik_node_quote(*out, q));
	return follow(w, dir, (*out)->inode->target, out, err);
}

int unik_tree_follow(const struct unik_tree *tree, const char *path,
		     const struct unik_node **out, struct unik_err *err)
{
	/* Nothing is made, so nothing changes. */
	struct walk w = { (struct unik_tree *)(uintptr_t)tree, false, 0 };
	struct unik_node *node;

	if (follow(&w, tree->root, path, &node, err) < 0)
		return -1;
	*out = node;
	return 0;
}
