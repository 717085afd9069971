/* SPDX-License-Identifier: GPL-3.0-or-later */
/* merge: one layer into a view. */
#include <stdlib.h>
#include <string.h>

#include "merge.h"
#include "tree_private.h"
#include "whiteout.h"

struct merging {
	struct unik_merge *m;
	const struct unik_tree *layer;
	struct unik_inode **in_view; /* by the layer's inode id */
	struct unik_inode **in_effective;
};

/* Where a directory of the layer goes: both sides of the walk. */
struct place {
	struct unik_node *view;
	struct unik_node *effective; /* NULL without an effective tree */
};

static int merge_dir(struct merging *g, const struct unik_node *src,
		     const struct place *at, struct unik_err *err);

/* ---- small steps ---- */

static int reach(struct merging *g, enum unik_reach_kind kind, size_t low,
		 const struct unik_node *node, struct unik_err *err)
{
	const struct unik_reach r = { kind, g->m->index, low, node };

	if (!g->m->reach || low >= g->m->index)
		return 0;
	return g->m->reach(g->m->data, &r, err);
}

static struct unik_inode *copy_inode(struct unik_tree *tree,
				     const struct unik_inode *from,
				     struct unik_err *err)
{
	struct unik_inode *to = unik_arena_alloc(&tree->priv->arena,
						 sizeof(*to));

	if (!to) {
		unik_fail_mem(err);
		return NULL;
	}
	*to = *from;
	to->id = 0;
	to->nlink = 0;
	to->first = NULL;
	to->opaque = false;
	return to;
}

static void set_attributes(struct unik_inode *to, const struct unik_inode *from)
{
	to->implied = from->implied;
	to->mode = from->mode;
	to->uid = from->uid;
	to->gid = from->gid;
	to->mtime_sec = from->mtime_sec;
	to->mtime_nsec = from->mtime_nsec;
	to->xattrs = from->xattrs;
}

/* What a directory that only its children imply looks like. */
static bool looks_implied(const struct unik_inode *dir)
{
	return dir->mode == 0755 && dir->uid == 0 && dir->gid == 0 &&
	       dir->mtime_sec == 0 && dir->mtime_nsec == 0 && !dir->xattrs;
}

/* Puts a name into a tree; what had that name gives way. */
static int put(struct unik_tree *tree, struct unik_node *dir,
	       const struct unik_node *name, struct unik_inode *inode,
	       size_t index, struct unik_node **out, struct unik_err *err)
{
	struct unik_node *old = unik_tree_lookup(tree, dir, name->name,
						 name->name_size);
	size_t low = old && old->low < index ? old->low : index;

	if (old)
		old->flags |= NODE_DEAD;
	if (unik_tree_make(tree, dir, name->name, name->name_size, inode, out,
			   err) < 0)
		return -1;
	(*out)->low = (uint16_t)low;
	(*out)->top = (uint16_t)index;
	return 0;
}

/* The inode of a layer in one of the trees: hard links stay together. */
static struct unik_inode *inode_in(struct unik_tree *tree,
				   struct unik_inode **map,
				   const struct unik_inode *inode,
				   struct unik_err *err)
{
	if (!map[inode->id])
		map[inode->id] = copy_inode(tree, inode, err);
	return map[inode->id];
}

/* The directory of the effective tree that stands for a directory of the view;
 * its parents are made, with the view's attributes. */
static int effective_dir(struct merging *g, const struct unik_node *view,
			 struct unik_node **out, struct unik_err *err)
{
	struct unik_tree *tree = g->m->effective;
	struct unik_inode *inode;
	struct unik_node *dir, *old;

	if (!view->parent) {
		*out = tree->root;
		return 0;
	}
	if (effective_dir(g, view->parent, &dir, err) < 0)
		return -1;
	old = unik_tree_lookup(tree, dir, view->name, view->name_size);
	if (old && old->inode->type == UNIK_DIR) {
		*out = old;
		return 0;
	}
	inode = copy_inode(tree, view->inode, err);
	if (!inode)
		return -1;
	inode->implied = false;
	return put(tree, dir, view, inode, g->m->index, out, err);
}

/* ---- whiteouts ---- */

/* `low`: the lowest layer that it reaches into, index where it hides nothing.
 */
static int keep_whiteout(struct merging *g, const struct unik_node *src,
			 const struct place *at, size_t low,
			 struct unik_err *err)
{
	struct unik_inode *inode;
	struct unik_node *node;

	if (at->effective && (low < g->m->index || !g->m->drop_idle)) {
		inode = copy_inode(g->m->effective, src->inode, err);
		if (!inode || put(g->m->effective, at->effective, src, inode,
				  g->m->index, &node, err) < 0)
			return -1;
		node->low = g->m->drop_idle ? (uint16_t)low : 0;
	}
	if (at->effective && g->m->drop_idle)
		g->m->context = true;
	if (src->low >= g->m->bottom)
		return 0;
	inode = copy_inode(g->m->view, src->inode, err);
	if (!inode || put(g->m->view, at->view, src, inode, g->m->index, &node,
			  err) < 0)
		return -1;
	node->low = src->low;
	return 0;
}

static bool makes_dir(const struct merging *g, const struct unik_node *dir,
		      const char *name)
{
	const struct unik_node *node = unik_tree_lookup(g->layer, dir, name,
							strlen(name));

	return node && node->inode->type == UNIK_DIR;
}

static int hide(struct merging *g, const struct unik_node *src,
		const struct place *at, struct unik_err *err)
{
	const char *name = unik_whiteout_hidden(src->name);
	struct unik_node *old = unik_tree_lookup(g->m->view, at->view, name,
						 strlen(name));
	enum unik_reach_kind kind = UNIK_REACH_WHITEOUT;
	size_t low = g->m->index;

	if (old) {
		low = old->low;
		if (old->inode->type == UNIK_DIR &&
		    makes_dir(g, src->parent, name))
			kind = UNIK_REACH_OPAQUE;
		if (reach(g, kind, old->low, old, err) < 0)
			return -1;
		old->flags |= NODE_DEAD;
	}
	return keep_whiteout(g, src, at, low, err);
}

/* *low gets the lowest layer that something was hidden of. */
static int clear_dir(struct merging *g, struct unik_node *dir, size_t *low,
		     struct unik_err *err)
{
	enum unik_reach_kind kind = dir->parent ? UNIK_REACH_OPAQUE
						: UNIK_REACH_ROOT;
	struct unik_node *c;

	for (c = dir->child; c; c = c->next) {
		if (c->flags & NODE_DEAD)
			continue;
		/* A whiteout kept in the view hides nothing any more. */
		/* The mark takes the place of a whiteout that reached below. */
		if (c->inode->type == UNIK_WHITEOUT) {
			if (c->low < g->m->bottom)
				dir->inode->opaque = true;
		} else {
			if (reach(g, kind, c->low, c, err) < 0)
				return -1;
			if (c->low < *low)
				*low = c->low;
		}
		c->flags |= NODE_DEAD;
	}
	dir->child = NULL;
	return 0;
}

/* The marker entry of an opaque directory. */
static const struct unik_node *marker(const struct unik_node *dir)
{
	const struct unik_node *c;

	for (c = dir->child; c; c = c->next)
		if (c->inode->type == UNIK_WHITEOUT &&
		    unik_whiteout_kind(c->name, c->name_size) == UNIK_WH_OPAQUE)
			return c;
	return NULL;
}

static int opaque(struct merging *g, const struct unik_node *src,
		  const struct place *at, struct unik_err *err)
{
	const struct unik_node *mark = marker(src);
	size_t low = g->m->index;

	if (!mark)
		return 0;
	if (clear_dir(g, at->view, &low, err) < 0)
		return -1;
	if (at->effective && (low < g->m->index || !g->m->drop_idle))
		at->effective->inode->opaque = true;
	if (mark->low < g->m->bottom)
		at->view->inode->opaque = true;
	return keep_whiteout(g, mark, at, low, err);
}

static int whiteouts(struct merging *g, const struct unik_node *src,
		     const struct place *at, struct unik_err *err)
{
	const struct unik_node *c;

	if (src->inode->opaque && opaque(g, src, at, err) < 0)
		return -1;
	for (c = src->child; c; c = c->next)
		if (c->inode->type == UNIK_WHITEOUT &&
		    unik_whiteout_kind(c->name, c->name_size) == UNIK_WH_HIDE &&
		    hide(g, c, at, err) < 0)
			return -1;
	return 0;
}

/* ---- entries ---- */

static int merge_link(struct merging *g, const struct unik_node *src,
		      const struct place *at, struct unik_err *err)
{
	char q[UNIK_QUOTE_SIZE], qt[UNIK_QUOTE_SIZE];
	const char *target = src->inode->target, *name;
	struct unik_node *dir, *found = NULL, *node;
	struct unik_inode *inode;
	size_t n;

	if (unik_tree_walk(g->m->view, target, false, &dir, &name, &n, err) < 0)
		return unik_wrap(err, "%s: hard link target",
				 unik_node_quote(src, q));
	if (dir && n > 0)
		found = unik_tree_lookup(g->m->view, dir, name, n);
	if (!found)
		return unik_fail(err, "%s: hard link to %s, which no layer "
				 "holds", unik_node_quote(src, q),
				 unik_quote(qt, target, strlen(target)));
	if (found->inode->type == UNIK_DIR ||
	    found->inode->type == UNIK_WHITEOUT)
		return unik_fail(err,
				 "%s: hard link to %s, which is not a file",
				 unik_node_quote(src, q),
				 unik_quote(qt, target, strlen(target)));
	if (reach(g, UNIK_REACH_LINK, found->top, found, err) < 0 ||
	    put(g->m->view, at->view, src, found->inode, g->m->index, &node,
		err) < 0)
		return -1;
	if (!at->effective)
		return 0;
	inode = inode_in(g->m->effective, g->in_effective, src->inode, err);
	if (!inode)
		return -1;
	return put(g->m->effective, at->effective, src, inode, g->m->index,
		   &node, err);
}

static int merge_file(struct merging *g, const struct unik_node *src,
		      const struct place *at, struct unik_err *err)
{
	struct unik_inode *inode;
	struct unik_node *node;

	inode = inode_in(g->m->view, g->in_view, src->inode, err);
	if (!inode || put(g->m->view, at->view, src, inode, g->m->index, &node,
			  err) < 0)
		return -1;
	if (!at->effective)
		return 0;
	inode = inode_in(g->m->effective, g->in_effective, src->inode, err);
	if (!inode)
		return -1;
	return put(g->m->effective, at->effective, src, inode, g->m->index,
		   &node, err);
}

/* An implied directory whose name is a symlink below: its entries belong where
 * the symlink points to. */
static int merge_through(struct merging *g, const struct unik_node *src,
			 struct unik_node *symlink, struct unik_err *err)
{
	char q[UNIK_QUOTE_SIZE];
	struct place at = { NULL, NULL };

	g->m->context = true;
	if (unik_tree_resolve(g->m->view, symlink, &at.view, err) < 0)
		return unik_wrap(err, "%s", unik_node_quote(src, q));
	if (g->m->effective &&
	    effective_dir(g, at.view, &at.effective, err) < 0)
		return -1;
	return merge_dir(g, src, &at, err);
}

/* The directory in the view: an old one, or a new one in its place. */
static int view_dir(struct merging *g, const struct unik_node *src,
		    struct unik_node *dir, struct unik_node **out,
		    struct unik_err *err)
{
	struct unik_node *old = unik_tree_lookup(g->m->view, dir, src->name,
						 src->name_size);
	struct unik_inode *inode;

	if (old && old->inode->type == UNIK_DIR) {
		if (!src->inode->implied) {
			set_attributes(old->inode, src->inode);
			old->top = (uint16_t)g->m->index;
		}
		*out = old;
		return 0;
	}
	if (old && old->low < old->top &&
	    reach(g, UNIK_REACH_SHADOW, old->low, old, err) < 0)
		return -1;
	inode = copy_inode(g->m->view, src->inode, err);
	if (!inode)
		return -1;
	/* What it replaces may have hidden a directory of the layers below the
	 * bottom: this one must not let it show again. */
	inode->opaque = old && g->m->bottom > 0;
	return put(g->m->view, dir, src, inode, g->m->index, out, err);
}

static int merge_subdir(struct merging *g, const struct unik_node *src,
			const struct place *at, struct unik_err *err)
{
	struct unik_node *old = unik_tree_lookup(g->m->view, at->view,
						 src->name, src->name_size);
	struct place below = { NULL, NULL };

	if (old && old->inode->type == UNIK_SYMLINK && src->inode->implied)
		return merge_through(g, src, old, err);
	if (view_dir(g, src, at->view, &below.view, err) < 0)
		return -1;
	if (src->inode->implied && !looks_implied(below.view->inode))
		g->m->context = true;
	if (at->effective) {
		if (effective_dir(g, below.view, &below.effective, err) < 0)
			return -1;
		set_attributes(below.effective->inode, below.view->inode);
	}
	return merge_dir(g, src, &below, err);
}

/* Depth is bounded by the limit on the depth of paths. */
static int merge_dir(struct merging *g, const struct unik_node *src,
		     const struct place *at, struct unik_err *err)
{
	const struct unik_node *c;

	if (whiteouts(g, src, at, err) < 0)
		return -1;
	for (c = src->child; c; c = c->next) {
		int rc = 0;

		if (c->inode->type == UNIK_DIR)
			rc = merge_subdir(g, c, at, err);
		else if (c->inode->type == UNIK_LINK)
			continue;
		else if (c->inode->type != UNIK_WHITEOUT)
			rc = merge_file(g, c, at, err);
		if (rc < 0)
			return -1;
	}
	for (c = src->child; c; c = c->next)
		if (c->inode->type == UNIK_LINK &&
		    merge_link(g, c, at, err) < 0)
			return -1;
	return 0;
}

int unik_merge_layer(struct unik_merge *m, const struct unik_tree *layer,
		     struct unik_err *err)
{
	struct merging g = { .m = m, .layer = layer };
	struct place root = { m->view->root,
			      m->effective ? m->effective->root : NULL };
	int rc = -1;

	m->context = false;
	g.in_view = calloc(layer->ninodes, sizeof(struct unik_inode *));
	g.in_effective = calloc(layer->ninodes, sizeof(struct unik_inode *));
	if (!g.in_view || !g.in_effective) {
		unik_fail_mem(err);
	} else {
		if (!layer->root->inode->implied)
			set_attributes(root.view->inode, layer->root->inode);
		else if (!looks_implied(root.view->inode))
			m->context = true;
		if (root.effective)
			set_attributes(root.effective->inode,
				       root.view->inode);
		rc = merge_dir(&g, layer->root, &root, err);
	}
	free(g.in_view);
	free(g.in_effective);
	return rc;
}
