/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tree: resolving hard links, sorting, numbering, counting. */
#include <stdlib.h>
#include <string.h>

#include "tree_private.h"
#include "whiteout.h"

/* ---- hard links ---- */

/* The pending record of a node: found through its inode, which a pending link
 * does not use otherwise. */
static void note_pending(struct pending *list)
{
	for (; list; list = list->next)
		list->node->inode->target = list->target;
}

/* The error for a link whose target is nowhere in the tree. */
static int no_target(const struct unik_node *link, struct unik_err *err)
{
	const char *target = link->inode->target;
	char q[UNIK_QUOTE_SIZE], qt[UNIK_QUOTE_SIZE];

	return unik_fail(err, "%s: hard link to %s, which this layer does not "
			 "hold", unik_node_quote(link, q),
			 unik_quote(qt, target, strlen(target)));
}

/* One step of a chain: the node that a pending link names (NULL: it is not in
 * the tree), or an error. */
static int follow(struct unik_tree *tree, const struct unik_node *link,
		  struct unik_node **out, struct unik_err *err)
{
	char q[UNIK_QUOTE_SIZE], qt[UNIK_QUOTE_SIZE];
	const char *target = link->inode->target, *name;
	struct unik_node *dir, *node = NULL;
	size_t n;

	if (unik_tree_walk(tree, target, false, &dir, &name, &n, err) < 0)
		return unik_wrap(err, "%s: hard link target",
				 unik_node_quote(link, q));
	if (dir)
		node = n ? unik_tree_lookup(tree, dir, name, n) : tree->root;
	if (node && !(node->flags & NODE_PENDING) &&
	    (node->inode->type == UNIK_DIR ||
	     node->inode->type == UNIK_WHITEOUT))
		return unik_fail(err, "%s: hard link to %s %s",
				 unik_node_quote(link, q),
				 node->inode->type == UNIK_DIR ?
				 "the directory" : "the whiteout",
				 unik_quote(qt, target, strlen(target)));
	*out = node;
	return 0;
}

/* The inode at the end of a chain of pending links.  A chain that leaves the
 * tree ends in a UNIK_LINK. */
static int find_end(struct unik_tree *tree, struct unik_node *link,
		    struct unik_inode **out, struct unik_err *err)
{
	struct unik_node *node = link, *next;
	char q[UNIK_QUOTE_SIZE];

	while (node->flags & NODE_PENDING) {
		if (node->flags & NODE_BUSY)
			return unik_fail(err, "%s: hard link to itself",
					 unik_node_quote(node, q));
		node->flags |= NODE_BUSY;
		if (follow(tree, node, &next, err) < 0)
			return -1;
		if (!next) {
			node->inode->type = UNIK_LINK;
			break;
		}
		node = next;
	}
	*out = node->inode;
	return 0;
}

/* Resolves one pending link and every pending link on its way, so that all
 * chains together take linear time. */
static int resolve(struct unik_tree *tree, struct unik_node *link,
		   struct unik_err *err)
{
	struct unik_node *node = link, *next;
	struct unik_inode *inode;

	if (find_end(tree, link, &inode, err) < 0)
		return -1;
	while (node && (node->flags & NODE_PENDING)) {
		if (follow(tree, node, &next, err) < 0)
			return -1;
		node->flags &= (uint8_t)~(NODE_PENDING | NODE_BUSY);
		node->inode = inode;
		node = next;
	}
	return 0;
}

static bool alive(const struct unik_node *node)
{
	for (; node; node = node->parent)
		if (node->flags & NODE_DEAD)
			return false;
	return true;
}

static int resolve_all(struct unik_tree *tree, struct unik_err *err)
{
	struct pending *l;

	note_pending(tree->priv->pending);
	for (l = tree->priv->pending; l; l = l->next)
		if ((l->node->flags & NODE_PENDING) && alive(l->node) &&
		    resolve(tree, l->node, err) < 0)
			return -1;
	return 0;
}

/* ---- order ---- */

static int compare_nodes(const void *a, const void *b)
{
	const struct unik_node *x = *(struct unik_node *const *)a;
	const struct unik_node *y = *(struct unik_node *const *)b;
	size_t n = x->name_size < y->name_size ? x->name_size : y->name_size;
	int c = memcmp(x->name, y->name, n);

	if (c != 0)
		return c;
	return (x->name_size > y->name_size) - (x->name_size < y->name_size);
}

struct order {
	struct unik_node **v; /* scratch for the children of one directory */
	size_t room;
};

static int order_push(struct order *o, size_t n, struct unik_node *node,
		      struct unik_err *err)
{
	if (n == o->room) {
		size_t room = o->room ? o->room * 2 : 64;
		struct unik_node **v = realloc(o->v, room * sizeof(*v));

		if (!v)
			return unik_fail_mem(err);
		o->v = v;
		o->room = room;
	}
	o->v[n] = node;
	return 0;
}

/* The living children, in the order they came in: the list is the other way
 * around.  *sorted: nothing is left to be done. */
static int collect_children(struct order *o, const struct unik_node *dir,
			    size_t *count, bool *sorted, struct unik_err *err)
{
	struct unik_node *c, *swap;
	size_t n = 0, i;

	for (c = dir->child; c; c = c->next)
		if (!(c->flags & NODE_DEAD) && order_push(o, n++, c, err) < 0)
			return -1;
	for (i = 0; i < n / 2; i++) {
		swap = o->v[i];
		o->v[i] = o->v[n - 1 - i];
		o->v[n - 1 - i] = swap;
	}
	for (i = 1; i < n && compare_nodes(&o->v[i - 1], &o->v[i]) < 0; i++)
		;
	*count = n;
	*sorted = i >= n;
	return 0;
}

/* Drops dead children, sorts the rest, sets nchildren. */
static int sort_children(struct order *o, struct unik_node *dir,
			 struct unik_err *err)
{
	struct unik_node **link = &dir->child;
	bool sorted;
	size_t n, i;

	if (collect_children(o, dir, &n, &sorted, err) < 0)
		return -1;
	if (!sorted)
		qsort(o->v, n, sizeof(o->v[0]), compare_nodes);
	for (i = 0; i < n; i++) {
		*link = o->v[i];
		link = &o->v[i]->next;
	}
	*link = NULL;
	dir->nchildren = (uint32_t)n;
	return 0;
}

static struct unik_node *next_preorder(struct unik_node *node)
{
	if (node->child)
		return node->child;
	while (node && !node->next)
		node = node->parent;
	return node ? node->next : NULL;
}

static int sort_all(struct unik_tree *tree, struct unik_err *err)
{
	struct order o = { NULL, 0 };
	struct unik_node *node;
	int rc = 0;

	for (node = tree->root; node && rc == 0; node = next_preorder(node)) {
		if (node->inode->type == UNIK_DIR)
			rc = sort_children(&o, node, err);
		node->id = tree->nnodes++;
	}
	free(o.v);
	return rc;
}

/* ---- numbers ---- */

static void count_inode(struct unik_tree_counts *k,
			const struct unik_node *node)
{
	const struct unik_inode *inode = node->inode;

	k->type[inode->type]++;
	if (inode->xattrs)
		k->xattrs += inode->xattrs->n;
	if (inode->type == UNIK_FILE)
		k->content += inode->size;
	if (inode->opaque)
		k->opaque++;
	if (inode->type == UNIK_WHITEOUT &&
	    unik_whiteout_kind(node->name, node->name_size) == UNIK_WH_HIDE)
		k->whiteouts++;
}

static void number(struct unik_tree *tree)
{
	struct unik_node *node;

	for (node = tree->root; node; node = next_preorder(node)) {
		struct unik_inode *inode = node->inode;

		tree->nodes[node->id] = node;
		if (!inode->first) {
			inode->first = node;
			inode->id = tree->ninodes;
			tree->inodes[tree->ninodes++] = inode;
			inode->nlink = inode->type == UNIK_DIR ? 2 : 1;
			count_inode(&tree->counts, node);
		} else {
			inode->nlink++;
			tree->counts.hardlinks++;
		}
		if (inode->type == UNIK_DIR && node->parent)
			node->parent->inode->nlink++;
	}
}

int unik_tree_check_links(const struct unik_tree *tree, struct unik_err *err)
{
	uint32_t i;

	if (tree->counts.type[UNIK_LINK] == 0)
		return 0;
	for (i = 0; i < tree->nnodes; i++)
		if (tree->nodes[i]->inode->type == UNIK_LINK)
			return no_target(tree->nodes[i], err);
	return 0;
}

int unik_tree_seal_open(struct unik_tree *tree, struct unik_err *err)
{
	struct unik_tree_private *p = tree->priv;

	if (p->sealed || p->lost)
		return unik_fail_usage(err, "the tree can't be sealed");
	p->sealed = true;
	tree->counts.ignored = p->ignored;
	if (resolve_all(tree, err) < 0 || sort_all(tree, err) < 0)
		return -1;
	tree->nodes = calloc(tree->nnodes, sizeof(struct unik_node *));
	tree->inodes = calloc(tree->nnodes, sizeof(struct unik_inode *));
	if (!tree->nodes || !tree->inodes)
		return unik_fail_mem(err);
	number(tree);
	return 0;
}

int unik_tree_seal(struct unik_tree *tree, struct unik_err *err)
{
	if (unik_tree_seal_open(tree, err) < 0)
		return -1;
	return unik_tree_check_links(tree, err);
}
