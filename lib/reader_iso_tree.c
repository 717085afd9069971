/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * reader_iso: an image -> tree, as Linux shows it: a directory's attributes are
 * those of its ".", relocated directories stand where they came from.
 */
#include <stdlib.h>
#include <string.h>

#include "reader_iso_build_private.h"

/* ---- paths ---- */

int unik_iso_bad(const struct iso_build *b, const char *what,
		 struct unik_err *err)
{
	char q[UNIK_QUOTE_SIZE];

	return unik_fail(err, "%s: %s", unik_quote(q, b->path, strlen(b->path)),
			 what);
}

int unik_iso_at(const struct iso_build *b, struct unik_err *err)
{
	char q[UNIK_QUOTE_SIZE];

	return unik_wrap(err, "%s", unik_quote(q, b->path, strlen(b->path)));
}

/* Without Rock Ridge: NAME.EXT;1 is NAME.EXT, and NAME.;1 is NAME. */
static size_t plain_name(const uint8_t *id, size_t n)
{
	const uint8_t *version = memchr(id, ';', n);

	if (version && version > id)
		n = (size_t)(version - id);
	if (n > 1 && id[n - 1] == '.')
		n--;
	return n;
}

static int set_path(struct iso_build *b, const struct iso_record *r,
		    struct unik_err *err)
{
	const char *name = b->attr.name;
	size_t n = b->attr.name_size, at = b->dir_size;

	if (!b->attr.nm) {
		name = (const char *)iso_id(r);
		n = plain_name(iso_id(r), r->id_size[0]);
		if (memchr(name, 0, n) || memchr(name, '/', n) ||
		    name[0] == '.')
			return unik_iso_bad(b, "an identifier that is no name",
					    err);
	}
	if (at + n + 1 > unik_max_path(b->image.limits))
		return unik_iso_bad(b, "a path too long (--max-path)", err);
	if (at > 0)
		b->path[at++] = '/';
	memcpy(b->path + at, name, n);
	b->path[at + n] = 0;
	return 0;
}

/* ---- entries ---- */

static int set_type(struct iso_build *b, bool dir, struct unik_entry *e,
		    struct unik_err *err)
{
	switch (b->attr.mode & ISO_S_IFMT) {
	case ISO_S_IFDIR:
		e->type = UNIK_DIR;
		if (dir)
			return 0;
		return unik_iso_bad(b, "a directory without its flag", err);
	case ISO_S_IFREG:
		e->type = UNIK_FILE;
		break;
	case ISO_S_IFLNK:
		e->type = UNIK_SYMLINK;
		break;
	case ISO_S_IFCHR:
		e->type = UNIK_CHAR;
		break;
	case ISO_S_IFBLK:
		e->type = UNIK_BLOCK;
		break;
	case ISO_S_IFIFO:
		e->type = UNIK_FIFO;
		break;
	case ISO_S_IFSOCK:
		e->type = UNIK_SOCKET;
		break;
	default:
		return unik_iso_bad(b, "an unknown type of file", err);
	}
	return dir ? unik_iso_bad(b, "a directory with another mode", err) : 0;
}

int unik_iso_entry(struct iso_build *b, bool dir, struct unik_entry *e,
		   struct unik_err *err)
{
	const struct iso_attr *a = &b->attr;

	memset(e, 0, sizeof(*e));
	if (set_type(b, dir, e, err) < 0)
		return -1;
	e->path = b->path;
	e->path_size = strlen(b->path);
	e->mode = a->mode & 07777;
	e->uid = a->uid;
	e->gid = a->gid;
	e->mtime_sec = a->sec;
	e->mtime_nsec = a->nsec;
	e->rdev = a->rdev;
	if (e->type == UNIK_SYMLINK) {
		e->target = a->target;
		e->target_size = a->target_size;
	}
	return 0;
}

int unik_iso_add(struct iso_build *b, const struct unik_entry *e,
		 const struct unik_node **node, struct unik_err *err)
{
	if (unik_tree_find(b->tree, b->path))
		return unik_iso_bad(b, "twice in its directory", err);
	if (unik_tree_add(b->tree, e, err) < 0)
		return -1;
	*node = unik_tree_find(b->tree, b->path);
	return 0;
}

/* ---- directories ---- */

static int push(struct iso_build *b, struct iso_extent dir,
		const struct unik_node *node, struct unik_err *err)
{
	if (unik_iso_map_get(&b->dirs, dir.block))
		return unik_iso_bad(b, "a directory with two names", err);
	if (unik_iso_map_put(&b->dirs, dir.block, node, err) < 0)
		return -1;
	if (b->ntodo == b->room) {
		size_t room = b->room ? b->room * 2 : 64;
		struct iso_todo *v = realloc(b->todo, room * sizeof(*v));

		if (!v)
			return unik_fail_mem(err);
		b->todo = v;
		b->room = room;
	}
	b->todo[b->ntodo].dir = dir;
	b->todo[b->ntodo++].node = node;
	return 0;
}

/* RRIP 4.1.5.1: the block says nothing of the size; the "." there does. */
static int relocated(struct iso_build *b, struct iso_extent *dir,
		     struct unik_err *err)
{
	struct iso_record r;
	uint32_t block = b->attr.child;

	if (block <= ISO_PVD_BLOCK || block >= b->image.nblocks)
		return unik_iso_bad(b, "relocated to outside", err);
	if (unik_pread_all(b->image.fd, &r, sizeof(r),
			   (uint64_t)block * ISO_BLOCK, err) < 0)
		return -1;
	*dir = iso_extent_of(&r);
	if (!(r.flags[0] & ISO_FLAG_DIR) || dir->block != block)
		return unik_iso_bad(b, "relocated to no directory", err);
	b->attr.mode = ISO_S_IFDIR | 0755; /* until its "." is read */
	return 0;
}

static int take_dir(struct iso_build *b, struct iso_extent dir,
		    struct unik_err *err)
{
	const struct unik_node *node;
	struct unik_entry e;

	if (b->attr.cl && relocated(b, &dir, err) < 0)
		return -1;
	if (unik_iso_entry(b, true, &e, err) < 0 ||
	    unik_iso_add(b, &e, &node, err) < 0)
		return -1;
	if (!node || node->inode->type != UNIK_DIR)
		return unik_iso_bad(b, "a directory named as a whiteout", err);
	return push(b, dir, node, err);
}

/* ---- the walk ---- */

static int take_record(struct iso_build *b, const struct iso_record *r,
		       struct unik_err *err)
{
	bool more = r->flags[0] & ISO_FLAG_MULTI;

	if (b->nsections > 0) { /* a further section */
		if (r->id_size[0] != b->id[0] ||
		    memcmp(iso_id(r), b->id + 1, b->id[0]) != 0)
			return unik_iso_bad(b, "a section is missing", err);
		if (unik_iso_section(b, r, err) < 0)
			return -1;
		return more ? 0 : unik_iso_file(b, err);
	}
	if (unik_iso_attr(&b->image, r, false, &b->attr, err) < 0)
		return unik_iso_at(b, err);
	if (b->attr.re || r->flags[0] & ISO_FLAG_ASSOCIATED)
		return 0;
	if (set_path(b, r, err) < 0)
		return -1;
	if (b->attr.cl || r->flags[0] & ISO_FLAG_DIR)
		return take_dir(b, iso_extent_of(r), err);
	b->size = 0;
	b->id[0] = r->id_size[0];
	memcpy(b->id + 1, iso_id(r), r->id_size[0]);
	if (unik_iso_section(b, r, err) < 0)
		return -1;
	return more ? 0 : unik_iso_file(b, err);
}

/* The attributes of the directory that is being walked. */
static int take_dot(struct iso_build *b, const struct iso_record *r,
		    struct unik_err *err)
{
	struct unik_entry e;

	if (unik_iso_attr(&b->image, r, b->dir_size == 0, &b->attr, err) < 0)
		return unik_iso_at(b, err);
	if (unik_iso_entry(b, true, &e, err) < 0)
		return -1;
	return unik_tree_add(b->tree, &e, err);
}

static int walk_dir(struct iso_build *b, const struct iso_todo *t,
		    struct unik_err *err)
{
	const struct iso_record *r;
	int rc;

	b->dir_size = 0;
	b->path[0] = 0;
	if (t->node->parent)
		b->dir_size = unik_node_path(t->node, b->path,
					     unik_max_path(b->image.limits) +
						     2);
	if (unik_iso_walk(&b->walk, &b->image, t->dir, err) < 0)
		return unik_iso_at(b, err);
	b->nsections = 0;
	while ((rc = unik_iso_walk_next(&b->walk, &r, err)) == 0) {
		if (b->nsections == 0)
			b->path[b->dir_size] = 0;
		if (iso_is_dot(r, 1))
			continue;
		rc = iso_is_dot(r, 0) ? take_dot(b, r, err)
				      : take_record(b, r, err);
		if (rc < 0)
			return -1;
		if (!(r->flags[0] & ISO_FLAG_MULTI))
			b->nsections = 0;
	}
	if (rc < 0)
		return unik_iso_at(b, err);
	return b->nsections ? unik_iso_bad(b, "a section is missing", err) : 0;
}

static int walk_all(struct iso_build *b, struct unik_err *err)
{
	const struct iso_record *root = (const void *)b->image.pvd.root;

	b->path[0] = 0;
	if (push(b, iso_extent_of(root), b->tree->root, err) < 0)
		return -1;
	while (b->ntodo > 0) {
		struct iso_todo t = b->todo[--b->ntodo];

		if (walk_dir(b, &t, err) < 0)
			return -1;
	}
	return unik_tree_seal(b->tree, err);
}

static void release(struct iso_build *b)
{
	unik_tree_free(b->tree);
	free(b->todo);
	unik_iso_map_release(&b->dirs);
	unik_iso_map_release(&b->links);
	unik_iso_map_release(&b->extents);
	unik_scan_release(&b->scan);
	free(b->path);
	free(b->target);
	free(b->chunk);
	free(b);
}

int unik_iso_read(struct unik_tree **out, const struct unik_data *data,
		  uint64_t size, const struct unik_limits *limits,
		  struct unik_iso_info *info, struct unik_err *err)
{
	struct iso_build *b;
	int rc = -1;

	if (info && unik_iso_info(info, data->fd, size, err) < 0)
		return -1;
	b = calloc(1, sizeof(*b));
	if (!b)
		return unik_fail_mem(err);
	b->data = data;
	b->hash_left = size;
	b->content_left = limits->layer_size;
	b->path = malloc(unik_max_path(limits) + 2);
	b->target = malloc(unik_max_path(limits) + 2);
	b->chunk = malloc(UNIK_CHUNK);
	if (!b->path || !b->target || !b->chunk)
		unik_fail_mem(err);
	else if (unik_iso_open(&b->image, data->fd, size, limits, err) == 0 &&
		 unik_scan_init(&b->scan, err) == 0 &&
		 unik_tree_new(&b->tree, limits, err) == 0)
		rc = walk_all(b, err);
	if (rc == 0) {
		*out = b->tree;
		b->tree = NULL;
	}
	release(b);
	return rc;
}
