/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tree: making one, adding entries by the rules. */
#include "tree.h"

#include <stdlib.h>
#include <string.h>

#include "limits.h"
#include "path.h"
#include "tree_private.h"
#include "whiteout.h"

static int init_root(struct unik_tree *tree, struct unik_err *err)
{
	if (unik_tree_make(tree, NULL, "", 0, NULL, &tree->root, err) < 0)
		return -1;
	tree->root->inode->type = UNIK_DIR;
	tree->root->inode->mode = 0755;
	tree->root->inode->implied = true;
	return 0;
}

int unik_tree_new(struct unik_tree **out, const struct unik_limits *limits,
		  struct unik_err *err)
{
	struct unik_tree *tree = calloc(1, sizeof(*tree));
	struct unik_tree_private *p = calloc(1, sizeof(*p));

	if (!tree || !p) {
		free(tree);
		free(p);
		return unik_fail_mem(err);
	}
	tree->priv = p;
	p->limits = *limits;
	p->seed = (uintptr_t)p * UINT64_C(0xd6e8feb86659fd93);
	p->limits.path = unik_max_path(limits);
	p->limits.depth = unik_max_depth(limits);
	if (p->limits.entries > UINT32_MAX)
		p->limits.entries = UINT32_MAX; /* nodes have 32-bit numbers */
	p->path = malloc(p->limits.path + 2);
	p->target = malloc(p->limits.path + 2);
	p->last = malloc(p->limits.path + 2);
	if (!p->path || !p->target || !p->last) {
		unik_tree_free(tree);
		return unik_fail_mem(err);
	}
	if (init_root(tree, err) < 0) {
		unik_tree_free(tree);
		return -1;
	}
	*out = tree;
	return 0;
}

void unik_tree_free(struct unik_tree *tree)
{
	if (!tree)
		return;
	unik_arena_release(&tree->priv->arena);
	free(tree->priv->slots);
	free(tree->priv->blocks);
	free(tree->priv->path);
	free(tree->priv->target);
	free(tree->priv->last);
	free(tree->priv);
	free(tree->nodes);
	free(tree->inodes);
	free(tree);
}

/* ---- attributes ---- */

/* By name; equal names stay in the order of the entry's array. */
static int compare_xattr(const void *a, const void *b)
{
	const struct unik_xattr *x = *(const struct unik_xattr *const *)a;
	const struct unik_xattr *y = *(const struct unik_xattr *const *)b;
	int c = strcmp(x->name, y->name);

	return c != 0 ? c : (x > y) - (x < y);
}

static int copy_xattr(struct unik_arena *arena, struct unik_xattr *x,
		      struct unik_err *err)
{
	x->name = unik_arena_text(arena, x->name, x->name_size);
	x->value = (const uint8_t *)unik_arena_text(arena, x->value,
						    x->value_size);
	return x->name && x->value ? 0 : unik_fail_mem(err);
}

/* Copies n attributes, the last of equal names only, sorted. */
static int copy_xattrs(struct unik_arena *arena, const struct unik_xattr **v,
		       size_t n, const struct unik_xattrs **out,
		       struct unik_err *err)
{
	struct unik_xattrs *set;
	size_t i;

	set = unik_arena_alloc(arena, sizeof(*set) + n * sizeof(set->v[0]));
	if (!set)
		return unik_fail_mem(err);
	qsort(v, n, sizeof(v[0]), compare_xattr);
	for (i = 0; i < n; i++) {
		if (i + 1 < n && strcmp(v[i]->name, v[i + 1]->name) == 0)
			continue;
		set->v[set->n] = *v[i];
		if (copy_xattr(arena, &set->v[set->n++], err) < 0)
			return -1;
	}
	*out = set;
	return 0;
}

static int set_xattrs(struct unik_tree *tree, struct unik_inode *inode,
		      const struct unik_entry *e, struct unik_err *err)
{
	const struct unik_xattr **v;
	uint64_t sum = 0;
	size_t i;
	int rc;

	inode->xattrs = NULL;
	if (e->nxattrs == 0)
		return 0;
	v = calloc(e->nxattrs, sizeof(*v));
	if (!v)
		return unik_fail_mem(err);
	for (i = 0; i < e->nxattrs; i++) {
		v[i] = &e->xattrs[i];
		sum += (uint64_t)v[i]->name_size + v[i]->value_size;
	}
	if (sum > tree->priv->limits.xattr_size)
		rc = unik_fail(err, "extended attributes of %llu bytes "
			       "(--max-xattr-size)", (unsigned long long)sum);
	else
		rc = copy_xattrs(&tree->priv->arena, v, e->nxattrs,
				 &inode->xattrs, err);
	free(v);
	return rc;
}

static void *copy_array(struct unik_arena *arena, const void *from, size_t n,
			size_t size)
{
	void *to = unik_arena_alloc(arena, n * size + 1);

	if (to && n > 0)
		memcpy(to, from, n * size);
	return to;
}

static int copy_extents(struct unik_arena *arena, struct unik_content *to,
			const struct unik_content *from, struct unik_err *err)
{
	to->extents = NULL;
	if (from->nextents == 0)
		return 0;
	to->extents = copy_array(arena, from->extents, from->nextents,
				 sizeof(from->extents[0]));
	return to->extents ? 0 : unik_fail_mem(err);
}

static int set_content(struct unik_tree *tree, struct unik_inode *inode,
		       const struct unik_entry *e, struct unik_err *err)
{
	const struct unik_content *from = e->content;
	struct unik_arena *arena = &tree->priv->arena;
	struct unik_content *c = copy_array(arena, from, 1, sizeof(*from));

	if (!c)
		return unik_fail_mem(err);
	if (from->npieces > 0) {
		c->pieces = copy_array(arena, from->pieces, from->npieces,
				       sizeof(from->pieces[0]));
		if (!c->pieces)
			return unik_fail_mem(err);
	}
	inode->content = c;
	if (e->kept)
		*e->kept = c;
	return copy_extents(arena, c, from, err);
}

int unik_tree_fill_content(struct unik_tree *tree, uint32_t id,
			   const struct unik_content *found,
			   struct unik_err *err)
{
	/* It is in this tree's arena: see set_content(). */
	struct unik_content *c = (struct unik_content *)(uintptr_t)
		tree->inodes[id]->content;

	c->holed = found->holed;
	c->nextents = found->nextents;
	memcpy(c->sha256, found->sha256, sizeof(c->sha256));
	return copy_extents(&tree->priv->arena, c, found, err);
}

static int set_target(struct unik_tree *tree, struct unik_inode *inode,
		      const struct unik_entry *e, struct unik_err *err)
{
	if (e->target_size == 0)
		return unik_fail(err, "symlink without a target");
	if (e->target_size >= tree->priv->limits.path)
		return unik_fail(err,
				 "symlink target of %zu bytes (--max-path)",
				 e->target_size);
	if (memchr(e->target, 0, e->target_size))
		return unik_fail(err, "NUL byte in a symlink target");
	inode->target = unik_arena_text(&tree->priv->arena, e->target,
					e->target_size);
	inode->size = e->target_size;
	return inode->target ? 0 : unik_fail_mem(err);
}

static int fill_inode(struct unik_tree *tree, struct unik_inode *inode,
		      const struct unik_entry *e, struct unik_err *err)
{
	inode->type = (uint8_t)e->type;
	inode->implied = false;
	inode->mode = e->type == UNIK_SYMLINK ? 0777 : e->mode & 07777;
	inode->uid = e->uid;
	inode->gid = e->gid;
	inode->mtime_sec = e->mtime_sec;
	inode->mtime_nsec = e->mtime_nsec;
	if (e->type == UNIK_WHITEOUT)
		return 0;
	if (e->type == UNIK_SYMLINK && set_target(tree, inode, e, err) < 0)
		return -1;
	if (e->type == UNIK_CHAR || e->type == UNIK_BLOCK)
		inode->rdev = e->rdev;
	if (e->type == UNIK_FILE) {
		inode->size = e->size;
		if (e->size > 0 && set_content(tree, inode, e, err) < 0)
			return -1;
	}
	return set_xattrs(tree, inode, e, err);
}

/* ---- adding ---- */

/* Cleans e->path into priv->path, e->target of a hard link into priv->target.
 */
static int clean_paths(struct unik_tree *tree, const struct unik_entry *e,
		       struct unik_err *err)
{
	struct unik_tree_private *p = tree->priv;
	size_t cap = p->limits.path + 1, n;

	if (unik_path_clean(e->path, e->path_size, p->limits.depth, p->path,
			    cap, &n, err) < 0)
		return -1;
	if (e->hardlink &&
	    unik_path_clean(e->target, e->target_size, p->limits.depth,
			    p->target, cap, &n, err) < 0)
		return unik_wrap(err, "hard link target");
	return 0;
}

/* What the components of a clean path say about whiteouts. */
static int classify(const char *path, enum unik_wh *kind, struct unik_err *err)
{
	const char *name, *rest = path;
	size_t n;

	*kind = UNIK_WH_NONE;
	while ((n = unik_path_next(rest, &name, &rest)) > 0) {
		*kind = unik_whiteout_kind(name, n);
		if (*kind == UNIK_WH_META)
			return 0;
		if (*kind == UNIK_WH_BAD)
			return unik_fail(err, "a whiteout without a name");
		if (*kind != UNIK_WH_NONE && *rest)
			return unik_fail(err, "an entry beneath a whiteout");
	}
	return 0;
}

/*
 * Whether a literal prefix of a path is something else than a directory.  A
 * whiteout down there hides nothing more: the file or symlink that took the
 * directory's place does.  umoci writes such whiteouts for every child of the
 * directory; following the symlink would delete files of another directory.
 */
static bool under_other(const struct unik_tree *tree, const char *path)
{
	const struct unik_node *node = tree->root;
	const char *name, *rest = path;
	size_t n;

	while ((n = unik_path_next(rest, &name, &rest)) > 0 && *rest) {
		node = unik_tree_lookup(tree, node, name, n);
		if (!node)
			return false;
		if ((node->flags & NODE_PENDING) ||
		    node->inode->type != UNIK_DIR)
			return true;
	}
	return false;
}

static int add_root(struct unik_tree *tree, const struct unik_entry *e,
		    struct unik_err *err)
{
	if (e->type != UNIK_DIR || e->hardlink)
		return unik_fail(err, "the root is not a directory");
	return fill_inode(tree, tree->root->inode, e, err);
}

static int replace(struct unik_tree *tree, struct unik_node *dir,
		   struct unik_node *old, const char *name, size_t n,
		   struct unik_inode *inode, struct unik_node **out,
		   struct unik_err *err)
{
	if (old) {
		old->flags |= NODE_DEAD;
		tree->priv->last_dir = NULL;
	}
	return unik_tree_make(tree, dir, name, n, inode, out, err);
}

static int add_pending(struct unik_tree *tree, struct unik_node *node,
		       struct unik_err *err)
{
	struct unik_tree_private *p = tree->priv;
	struct pending *l = unik_arena_alloc(&p->arena, sizeof(*l));

	if (!l)
		return unik_fail_mem(err);
	l->target = unik_arena_text(&p->arena, p->target, strlen(p->target));
	if (!l->target)
		return unik_fail_mem(err);
	l->node = node;
	l->next = p->pending;
	p->pending = l;
	node->flags |= NODE_PENDING;
	return 0;
}

static int add_hardlink(struct unik_tree *tree, struct unik_node *dir,
			struct unik_node *old, const char *name, size_t n,
			struct unik_err *err)
{
	struct unik_node *tdir, *target = NULL, *node;
	char q[UNIK_QUOTE_SIZE];
	const char *tname;
	size_t tn;

	if (unik_tree_walk(tree, tree->priv->target, false, &tdir, &tname, &tn,
			   err) < 0)
		return unik_wrap(err, "hard link target");
	if (tdir)
		target = tn ? unik_tree_lookup(tree, tdir, tname, tn)
			    : tree->root;
	if ((target && target == old) ||
	    (tdir == dir && tn == n && memcmp(tname, name, n) == 0))
		return unik_fail(err, "hard link to itself");
	if (!target || (target->flags & NODE_PENDING)) {
		if (replace(tree, dir, old, name, n, NULL, &node, err) < 0)
			return -1;
		return add_pending(tree, node, err);
	}
	if (target->inode->type == UNIK_DIR ||
	    target->inode->type == UNIK_WHITEOUT)
		return unik_fail(err, "hard link to %s %s",
				 target->inode->type == UNIK_DIR ?
				 "the directory" : "the whiteout",
				 unik_node_quote(target, q));
	return replace(tree, dir, old, name, n, target->inode, &node, err);
}

/* Where the clean path of the entry leads: its directory, which is made where
 * there is none, and its name; *n 0: the root. */
static int find_place(struct unik_tree *tree, struct unik_node **dir,
		      const char **name, size_t *n, struct unik_err *err)
{
	struct unik_tree_private *p = tree->priv;
	const char *slash = strrchr(p->path, '/');
	size_t size = slash ? (size_t)(slash - p->path) : 0;

	if (size > 0 && p->last_dir && size == p->nlast &&
	    memcmp(p->path, p->last, size) == 0) {
		*dir = p->last_dir;
		*name = slash + 1;
		*n = strlen(*name);
		return 0;
	}
	p->last_dir = NULL;
	if (unik_tree_walk(tree, p->path, true, dir, name, n, err) < 0)
		return -1;
	if (size > 0) {
		memcpy(p->last, p->path, size);
		p->nlast = size;
		p->last_dir = *dir;
	}
	return 0;
}

static int add_node(struct unik_tree *tree, const struct unik_entry *e,
		    enum unik_wh kind, struct unik_err *err)
{
	struct unik_entry whiteout = *e;
	struct unik_node *dir, *old, *node;
	const char *name;
	size_t n;

	if (find_place(tree, &dir, &name, &n, err) < 0)
		return -1;
	if (n == 0)
		return add_root(tree, e, err);
	old = unik_tree_lookup(tree, dir, name, n);
	if (kind != UNIK_WH_NONE) {
		whiteout.type = UNIK_WHITEOUT;
		e = &whiteout;
		if (kind == UNIK_WH_OPAQUE)
			dir->inode->opaque = true;
	} else if (e->hardlink) {
		return add_hardlink(tree, dir, old, name, n, err);
	}
	if (old && e->type == UNIK_DIR && !(old->flags & NODE_PENDING) &&
	    old->inode->type == UNIK_DIR)
		return fill_inode(tree, old->inode, e, err);
	if (replace(tree, dir, old, name, n, NULL, &node, err) < 0)
		return -1;
	return fill_inode(tree, node->inode, e, err);
}

int unik_tree_add(struct unik_tree *tree, const struct unik_entry *e,
		  struct unik_err *err)
{
	struct unik_tree_private *p = tree->priv;
	char q[UNIK_QUOTE_SIZE];
	enum unik_wh kind;

	if (p->sealed || p->lost)
		return unik_fail_usage(err, "the tree takes no more entries");
	if (e->path_size > p->limits.path || e->target_size > p->limits.path)
		unik_fail(err, "path over %llu bytes (--max-path)",
			  (unsigned long long)p->limits.path);
	else if (clean_paths(tree, e, err) == 0 &&
		 classify(p->path, &kind, err) == 0) {
		if (kind == UNIK_WH_META ||
		    (kind != UNIK_WH_NONE && under_other(tree, p->path))) {
			p->ignored++;
			return 0;
		}
		if (add_node(tree, e, kind, err) == 0)
			return 0;
	}
	p->lost = true;
	return unik_wrap(err, "%s", unik_quote(q, e->path, e->path_size));
}
