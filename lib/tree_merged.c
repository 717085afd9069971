/* SPDX-License-Identifier: GPL-3.0-or-later */
/* merge: the last touch on a merged tree before it is sealed. */
#include <stdlib.h>
#include <string.h>

#include "merge.h"
#include "tree_private.h"
#include "whiteout.h"

/* The next living node in depth-first order; `down` false: not below it. */
static struct unik_node *next_node(struct unik_node *node, bool down)
{
	struct unik_node *n = down ? node->child : NULL;

	for (;;) {
		while (n && (n->flags & NODE_DEAD))
			n = n->next;
		if (n)
			return n;
		if (!node || !node->parent)
			return NULL;
		n = node->next;
		node = node->parent;
	}
}

int unik_merge_keep(struct unik_tree *tree, struct unik_err *err)
{
	static const char name[] = UNIK_WH_OPAQUE_NAME;
	struct unik_node *n, *mark;

	for (n = tree->root; n; n = next_node(n, true)) {
		if (!n->inode->opaque ||
		    unik_tree_lookup(tree, n, name, sizeof(name) - 1))
			continue;
		if (unik_tree_make(tree, n, name, sizeof(name) - 1, NULL, &mark,
				   err) < 0)
			return -1;
		mark->inode->type = UNIK_WHITEOUT;
	}
	return 0;
}

void unik_merge_apply(struct unik_tree *tree)
{
	struct unik_node *n;

	for (n = tree->root; n; n = next_node(n, true)) {
		if (n->inode->type == UNIK_WHITEOUT)
			n->flags |= NODE_DEAD;
		n->inode->opaque = false;
	}
}

/* ---- overlay ---- */

#define OVERLAY "trusted.overlay."

static int add_xattr(struct unik_tree *tree, struct unik_inode *inode,
		     const char *name, const char *value, struct unik_err *err)
{
	const struct unik_xattrs *old = inode->xattrs;
	uint32_t n = old ? old->n : 0, i, at = 0;
	struct unik_xattrs *set;

	set = unik_arena_alloc(&tree->priv->arena,
			       sizeof(*set) + (n + 1) * sizeof(set->v[0]));
	if (!set)
		return unik_fail_mem(err);
	while (at < n && strcmp(old->v[at].name, name) < 0)
		at++;
	for (i = 0; i < n; i++)
		set->v[i < at ? i : i + 1] = old->v[i];
	set->v[at].name = name;
	set->v[at].name_size = (uint32_t)strlen(name);
	set->v[at].value = (const uint8_t *)value;
	set->v[at].value_size = (uint32_t)strlen(value);
	set->n = n + 1;
	inode->xattrs = set;
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct unik_xattr *)a)->name,
		      ((const struct unik_xattr *)b)->name);
}

/* trusted.overlay.X -> trusted.overlay.overlay.X, as overlayfs itself escapes
 * them when it is nested (Linux 6.7). */
static int escape_xattrs(struct unik_tree *tree, struct unik_inode *inode,
			 struct unik_err *err)
{
	const struct unik_xattrs *old = inode->xattrs;
	const size_t prefix = sizeof(OVERLAY) - 1;
	struct unik_xattrs *set = NULL;
	uint32_t i;

	for (i = 0; old && i < old->n; i++) {
		char *name;
		size_t size = old->v[i].name_size;

		if (strncmp(old->v[i].name, OVERLAY, prefix) != 0)
			continue;
		if (!set) {
			size_t all = sizeof(*set) + old->n * sizeof(set->v[0]);

			set = unik_arena_alloc(&tree->priv->arena, all);
			if (!set)
				return unik_fail_mem(err);
			memcpy(set, old, all);
		}
		name = unik_arena_alloc(&tree->priv->arena, size + 9);
		if (!name)
			return unik_fail_mem(err);
		memcpy(name, OVERLAY "overlay.", prefix + 8);
		memcpy(name + prefix + 8, old->v[i].name + prefix,
		       size - prefix);
		set->v[i].name = name;
		set->v[i].name_size = (uint32_t)(size + 8);
	}
	if (set) {
		qsort(set->v, set->n, sizeof(set->v[0]), compare_names);
		inode->xattrs = set;
	}
	return 0;
}

/* One whiteout: a device of the hidden name, or, where the layer makes a
 * directory of that name anew, that directory is opaque. */
static int overlay_whiteout(struct unik_tree *tree, struct unik_node *w,
			    struct unik_err *err)
{
	const char *name = unik_whiteout_hidden(w->name);
	struct unik_node *node;

	w->flags |= NODE_DEAD;
	if (unik_whiteout_kind(w->name, w->name_size) != UNIK_WH_HIDE)
		return 0;
	node = unik_tree_lookup(tree, w->parent, name, strlen(name));
	if (node) {
		if (node->inode->type == UNIK_DIR)
			node->inode->opaque = true;
		return 0;
	}
	if (unik_tree_make(tree, w->parent, name, strlen(name), NULL, &node,
			   err) < 0)
		return -1;
	*node->inode = *w->inode;
	node->inode->type = UNIK_CHAR;
	node->inode->mode = 0;
	node->inode->rdev.major = 0;
	node->inode->rdev.minor = 0;
	return 0;
}

static int check_device(const struct unik_node *n, struct unik_err *err)
{
	char q[UNIK_QUOTE_SIZE];

	if (n->inode->type == UNIK_CHAR && n->inode->rdev.major == 0 &&
	    n->inode->rdev.minor == 0)
		return unik_fail(err,
				 "%s: overlayfs takes the character device "
				 "0:0 for a whiteout",
				 unik_node_quote(n, q));
	return 0;
}

int unik_merge_overlay(struct unik_tree *tree, bool opaque,
		       struct unik_err *err)
{
	struct unik_node *n;

	for (n = tree->root; n; n = next_node(n, true))
		if (check_device(n, err) < 0 ||
		    (n->inode->xattrs &&
		     escape_xattrs(tree, n->inode, err) < 0))
			return -1;
	for (n = tree->root; n; n = next_node(n, true))
		if (n->inode->type == UNIK_WHITEOUT &&
		    overlay_whiteout(tree, n, err) < 0)
			return -1;
	for (n = tree->root; n; n = next_node(n, true)) {
		/* overlayfs never looks at the mark of a root. */
		if (n->inode->opaque && opaque && n->parent &&
		    add_xattr(tree, n->inode, OVERLAY "opaque", "y", err) < 0)
			return -1;
		n->inode->opaque = false;
	}
	return 0;
}

/* ---- skeleton ---- */

static int copy_dir(struct unik_tree *tree, struct unik_node *dir,
		    const struct unik_node *from, struct unik_node **out,
		    struct unik_err *err)
{
	if (unik_tree_make(tree, dir, from->name, from->name_size, NULL, out,
			   err) < 0)
		return -1;
	*(*out)->inode = *from->inode;
	(*out)->inode->opaque = false;
	return 0;
}

static int skeleton_dir(struct unik_tree *tree, struct unik_node *dir,
			const struct unik_node *view, struct unik_err *err)
{
	const struct unik_node *c;

	for (c = view->child; c; c = c->next) {
		struct unik_node *here;

		if ((c->flags & NODE_DEAD) || c->inode->type != UNIK_DIR)
			continue;
		here = unik_tree_lookup(tree, dir, c->name, c->name_size);
		if (!here && copy_dir(tree, dir, c, &here, err) < 0)
			return -1;
		if (skeleton_dir(tree, here, c, err) < 0)
			return -1;
	}
	return 0;
}

int unik_merge_skeleton(struct unik_tree *tree, const struct unik_tree *view,
			struct unik_err *err)
{
	return skeleton_dir(tree, tree->root, view->root, err);
}

int unik_merge_add_dir(struct unik_tree *tree, const char *name, unsigned mode,
		       struct unik_err *err)
{
	struct unik_node *node;

	if (unik_tree_lookup(tree, tree->root, name, strlen(name)))
		return 0;
	if (unik_tree_make(tree, tree->root, name, strlen(name), NULL, &node,
			   err) < 0)
		return -1;
	node->inode->type = UNIK_DIR;
	node->inode->mode = (uint16_t)mode;
	return 0;
}
