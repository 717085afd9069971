/* SPDX-License-Identifier: GPL-3.0-or-later */
/* inspect: overlayfs's whiteouts (Linux, Documentation/filesystems/
 * overlayfs.rst) back in the form of OCI, the opposite of merge.h's. */
#include <stdlib.h>
#include <string.h>

#include "inspect_private.h"
#include "whiteout.h"

#define OVERLAY "trusted.overlay."
#define OPAQUE OVERLAY "opaque"
#define ESCAPED OVERLAY "overlay." /* trusted.overlay.* of the input */

bool inspect_is_device0(const struct unik_inode *inode)
{
	return inode->type == UNIK_CHAR && inode->rdev.major == 0 &&
	       inode->rdev.minor == 0;
}

static bool is_opaque_mark(const struct unik_xattr *x)
{
	return strcmp(x->name, OPAQUE) == 0 && x->value_size == 1 &&
	       x->value[0] == 'y';
}

bool inspect_is_opaque(const struct unik_inode *inode)
{
	uint32_t i;

	if (inode->type != UNIK_DIR)
		return false;
	for (i = 0; inode->xattrs && i < inode->xattrs->n; i++)
		if (is_opaque_mark(&inode->xattrs->v[i]))
			return true;
	return inode->opaque;
}

struct copy {
	struct unik_tree *to;
	char *path; /* scratch: of a node, with room for a whiteout's name */
	size_t room;
	char *first;
	struct unik_xattr *xattrs;
	size_t xattrs_room;
	struct unik_arena names; /* of attributes */
	struct unik_err *err;
};

/* A path in a scratch buffer with `more` bytes to spare. */
static int put_path(struct copy *c, const struct unik_node *node, char **buf,
		    size_t *n)
{
	enum { MORE = 32 };
	size_t size = unik_node_path(node, NULL, 0);

	if (size + MORE > c->room || !*buf) {
		size_t room = size + MORE > c->room ? size * 2 + MORE : c->room;
		char *a = realloc(c->path, room), *b;

		if (!a)
			return unik_fail_mem(c->err);
		c->path = a;
		b = realloc(c->first, room);
		if (!b)
			return unik_fail_mem(c->err);
		c->first = b;
		c->room = room;
	}
	*n = unik_node_path(node, *buf, c->room);
	return 0;
}

/* trusted.overlay.overlay.x was trusted.overlay.x */
static int unescape_name(struct copy *c, struct unik_xattr *x)
{
	static const size_t cut = sizeof(ESCAPED) - sizeof(OVERLAY);
	char *name;

	if (strncmp(x->name, ESCAPED, strlen(ESCAPED)) != 0)
		return 0;
	x->name_size -= (uint32_t)cut;
	name = unik_arena_text(&c->names, x->name + cut, x->name_size);
	if (!name)
		return unik_fail_mem(c->err);
	memcpy(name, OVERLAY, strlen(OVERLAY));
	x->name = name;
	return 0;
}

/* The attributes without overlayfs's own. */
static int take_xattrs(struct copy *c, const struct unik_inode *inode,
		       struct unik_entry *e)
{
	uint32_t n = inode->xattrs ? inode->xattrs->n : 0, i;

	if (n > c->xattrs_room) {
		struct unik_xattr *v = realloc(c->xattrs, n * sizeof(*v));

		if (!v)
			return unik_fail_mem(c->err);
		c->xattrs = v;
		c->xattrs_room = n;
	}
	for (i = 0; i < n; i++) {
		struct unik_xattr *x = &c->xattrs[e->nxattrs];

		*x = inode->xattrs->v[i];
		if (is_opaque_mark(x) && inode->type == UNIK_DIR)
			continue;
		if (unescape_name(c, x) < 0)
			return -1;
		e->nxattrs++;
	}
	e->xattrs = c->xattrs;
	return 0;
}

static int add_whiteout(struct copy *c, struct unik_entry *e,
			const struct unik_node *node)
{
	size_t head = e->path_size - node->name_size;

	memmove(c->path + head + 4, c->path + head, node->name_size + 1u);
	memcpy(c->path + head, ".wh.", 4);
	e->path_size += 4;
	e->type = UNIK_FILE;
	e->size = 0;
	return unik_tree_add(c->to, e, c->err);
}

static int add_opaque(struct copy *c, struct unik_entry *e)
{
	static const char name[] = "/" UNIK_WH_OPAQUE_NAME;

	memcpy(c->path + e->path_size, name, sizeof(name));
	e->path_size += sizeof(name) - 1;
	e->type = UNIK_FILE;
	e->nxattrs = 0;
	return unik_tree_add(c->to, e, c->err);
}

static int copy_node(struct copy *c, const struct unik_node *node)
{
	const struct unik_inode *inode = node->inode;
	struct unik_entry e = {
		.type = (enum unik_type)inode->type,
		.mode = inode->mode,
		.uid = inode->uid,
		.gid = inode->gid,
		.mtime_sec = inode->mtime_sec,
		.mtime_nsec = inode->mtime_nsec,
		.size = inode->type == UNIK_FILE ? inode->size : 0,
	};

	if (put_path(c, node, &c->path, &e.path_size) < 0)
		return -1;
	e.path = c->path;
	if (inspect_is_device0(inode))
		return add_whiteout(c, &e, node);
	if (inode->type != UNIK_DIR && inode->first != node) {
		e.hardlink = true;
		if (put_path(c, inode->first, &c->first, &e.target_size) < 0)
			return -1;
		e.path = c->path; /* it may have moved */
		e.target = c->first;
		return unik_tree_add(c->to, &e, c->err);
	}
	if (inode->type == UNIK_FILE) {
		e.content = inode->content;
	} else if (inode->type == UNIK_SYMLINK) {
		e.target = inode->target;
		e.target_size = (size_t)inode->size;
	} else if (inode->type == UNIK_CHAR || inode->type == UNIK_BLOCK) {
		e.rdev = inode->rdev;
	} else if (inode->type == UNIK_WHITEOUT) {
		e.type = UNIK_FILE; /* the name says it */
	}
	if (take_xattrs(c, inode, &e) < 0 ||
	    unik_tree_add(c->to, &e, c->err) < 0)
		return -1;
	if (inspect_is_opaque(inode) && !inode->opaque)
		return add_opaque(c, &e);
	return 0;
}

int inspect_unoverlay(const struct unik_tree *tree,
		      const struct unik_limits *limits, struct unik_tree **out,
		      struct unik_err *err)
{
	struct copy c = { .err = err };
	uint32_t i;
	int rc;

	rc = unik_tree_new(&c.to, limits, err);
	for (i = 0; i < tree->nnodes && rc == 0; i++)
		rc = copy_node(&c, tree->nodes[i]);
	if (rc == 0)
		rc = unik_tree_seal(c.to, err);
	free(c.path);
	free(c.first);
	free(c.xattrs);
	unik_arena_release(&c.names);
	if (rc < 0) {
		unik_tree_free(c.to);
		return -1;
	}
	*out = c.to;
	return 0;
}
