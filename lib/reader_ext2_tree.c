/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reader_ext2: directories and files -> tree.  Any image is safe: a directory
 * is read once only, names are unique, blocks have one owner or the visits run
 * out, and what files say to hold is within the limits. */
#include <stdlib.h>
#include <string.h>

#include "reader_ext2_file_private.h"

struct todo { /* a directory whose entries are to be read */
	uint32_t ino;
	const struct unik_node *node;
};

struct build {
	struct e2r_image image;
	struct unik_tree *tree;
	struct e2r_file file;
	struct e2r_xattrs xattrs;
	/* By inode: its first name; of a directory: its only one. */
	const struct unik_node **first;
	struct todo *todo;
	size_t ntodo;
	size_t room;
	/* The directory that is being read. */
	const struct unik_node *dir;
	char *path; /* its path, then that of an entry */
	size_t dir_size;
	bool told; /* an error names the path already */
	uint64_t nused;  /* inodes */
	uint64_t wasted; /* bytes at the ends of last blocks */
};

static int push(struct build *b, uint32_t ino, const struct unik_node *node,
		struct unik_err *err)
{
	if (b->ntodo == b->room) {
		size_t room = b->room ? b->room * 2 : 64;
		struct todo *v = realloc(b->todo, room * sizeof(*v));

		if (!v)
			return unik_fail_mem(err);
		b->todo = v;
		b->room = room;
	}
	b->todo[b->ntodo++] = (struct todo){ ino, node };
	return 0;
}

/* ---- one entry ---- */

static int fill_entry(struct build *b, const struct e2r_inode *inode,
		      struct unik_entry *e, struct unik_content *content,
		      struct unik_err *err)
{
	int type = unik_e2r_type(inode->mode);

	if (type < 0 || inode->nlink == 0)
		return unik_fail(err, "inode %u is not in use", inode->ino);
	if (unik_e2r_xattrs_read(&b->xattrs, &b->image, inode, err) < 0)
		return -1;
	e->type = (enum unik_type)type;
	e->mode = inode->mode & 07777;
	e->uid = inode->uid;
	e->gid = inode->gid;
	e->mtime_sec = inode->mtime_sec;
	e->mtime_nsec = inode->mtime_nsec;
	e->xattrs = b->xattrs.v;
	e->nxattrs = b->xattrs.n;
	if (type == UNIK_CHAR || type == UNIK_BLOCK)
		e->rdev = unik_e2r_rdev(inode);
	if (type == UNIK_SYMLINK)
		return unik_e2r_file_target(&b->file, inode, e, err);
	if (type != UNIK_FILE)
		return 0;
	e->size = inode->size;
	e->content = content;
	return unik_e2r_file_content(&b->file, inode, content, err);
}

static void count_waste(struct build *b, const struct e2r_inode *inode,
			const struct unik_entry *e)
{
	uint64_t size = b->image.block_size, tail = inode->size % size;

	b->nused++;
	if (tail > 0 && ((e->type == UNIK_FILE && b->file.last_stored) ||
			 (e->type == UNIK_SYMLINK &&
			  !unik_e2r_fast_symlink(&b->image, inode))))
		b->wasted += size - tail;
}

static int add_inode(struct build *b, const struct e2r_inode *inode,
		     size_t path_size, struct unik_err *err)
{
	struct unik_content content = { .data = b->file.data };
	struct unik_entry e = { .path = b->path, .path_size = path_size };
	const struct unik_node *node;

	if (fill_entry(b, inode, &e, &content, err) < 0)
		return -1;
	if (unik_tree_add(b->tree, &e, err) < 0) {
		b->told = true;
		return -1;
	}
	count_waste(b, inode, &e);
	node = unik_tree_find(b->tree, b->path);
	if (!node) /* metadata of AUFS, left out with all beneath it */
		return 0;
	if (node->inode->type != UNIK_WHITEOUT)
		b->first[inode->ino - 1] = node;
	return e.type == UNIK_DIR ? push(b, inode->ino, node, err) : 0;
}

static int add_link(struct build *b, const struct e2r_inode *inode,
		    size_t path_size, struct unik_err *err)
{
	const struct unik_node *first = b->first[inode->ino - 1];
	size_t n = unik_node_path(first, NULL, 0);
	struct unik_entry e = { .path = b->path, .path_size = path_size,
				.hardlink = true,
				.mode = inode->mode & 07777,
				.uid = inode->uid, .gid = inode->gid,
				.mtime_sec = inode->mtime_sec,
				.mtime_nsec = inode->mtime_nsec };
	char *target = malloc(n + 1);
	int rc;

	if (!target)
		return unik_fail_mem(err);
	unik_node_path(first, target, n + 1);
	e.target = target;
	e.target_size = n;
	rc = unik_tree_add(b->tree, &e, err);
	b->told = rc < 0;
	free(target);
	return rc;
}

/* ---- directories ---- */

static int any_entry(void *data, const struct e2r_entry *entry,
		     struct unik_err *err)
{
	(void)data;
	(void)err;
	return entry->ino != 0 && !unik_e2r_is_dot(entry);
}

/* What mke2fs and genext2fs make, and no tree held: 1 where it is that. */
static int is_lost_found(struct build *b, const struct e2r_inode *inode,
			 struct unik_err *err)
{
	int rc;

	if (b->image.version > 0 || b->dir != b->tree->root ||
	    strcmp(b->path, "lost+found") != 0 ||
	    unik_e2r_type(inode->mode) != UNIK_DIR)
		return 0;
	rc = unik_e2r_dir(&b->image, inode, any_entry, NULL, err);
	return rc < 0 ? -1 : rc == 0;
}

static int add_path(struct build *b, uint32_t ino, size_t n,
		    struct unik_err *err)
{
	const struct unik_node *first = b->first[ino - 1];
	struct e2r_inode inode;
	int rc;

	if (unik_tree_find(b->tree, b->path))
		return unik_fail(err, "two entries of this name");
	if (ino < b->image.first_ino)
		return unik_fail(err, "inode %u is reserved", ino);
	if (unik_e2r_inode(&b->image, ino, &inode, err) < 0)
		return -1;
	if (!first) {
		rc = is_lost_found(b, &inode, err);
		if (rc != 0)
			return rc < 0 ? -1 : 0;
		return add_inode(b, &inode, n, err);
	}
	if (first->inode->type == UNIK_DIR)
		return unik_fail(err, "directory %u has two names", ino);
	return add_link(b, &inode, n, err);
}

static int add_entry(void *data, const struct e2r_entry *entry,
		     struct unik_err *err)
{
	struct build *b = data;
	size_t n = b->dir_size + entry->name_size;
	char q[UNIK_QUOTE_SIZE];

	if (entry->ino == 0 || unik_e2r_is_dot(entry))
		return 0;
	memcpy(b->path + b->dir_size, entry->name, entry->name_size);
	b->path[n] = 0;
	if (add_path(b, entry->ino, n, err) == 0)
		return 0;
	if (!b->told)
		unik_wrap(err, "%s", unik_quote(q, b->path, n));
	b->told = true;
	return -1;
}

static int read_dir(struct build *b, const struct todo *t, struct unik_err *err)
{
	size_t n = t->node->parent ? unik_node_path(t->node, NULL, 0) : 0;
	char q[UNIK_QUOTE_SIZE];
	struct e2r_inode inode;

	if (n >= unik_max_path(b->image.limits))
		return unik_fail(err, "%s: path over %zu bytes (--max-path)",
				 unik_node_quote(t->node, q),
				 unik_max_path(b->image.limits));
	if (n > 0) {
		unik_node_path(t->node, b->path, n + 1);
		b->path[n++] = '/';
	}
	b->dir = t->node;
	b->dir_size = n;
	if (unik_e2r_inode(&b->image, t->ino, &inode, err) == 0 &&
	    unik_e2r_dir(&b->image, &inode, add_entry, b, err) == 0)
		return 0;
	return b->told ? -1 : unik_wrap(err, "%s", unik_node_quote(t->node, q));
}

/* ---- all of it ---- */

static int add_root(struct build *b, struct unik_err *err)
{
	struct e2r_inode inode;

	b->path[0] = '.';
	b->path[1] = 0;
	if (unik_e2r_inode(&b->image, EXT2_ROOT_INO, &inode, err) < 0)
		return -1;
	if (unik_e2r_type(inode.mode) != UNIK_DIR)
		return unik_fail(err, "the root is not a directory");
	return add_inode(b, &inode, 1, err);
}

static int read_all(struct build *b, struct unik_err *err)
{
	const struct unik_limits *limits = b->image.limits;

	b->first = calloc(b->image.ninodes, sizeof(*b->first));
	b->path = malloc(unik_max_path(limits) + UNIK_NAME_ROOM);
	if (!b->first || !b->path)
		return unik_fail_mem(err);
	if (unik_tree_new(&b->tree, limits, err) < 0 || add_root(b, err) < 0)
		return -1;
	while (b->ntodo > 0) {
		struct todo t = b->todo[--b->ntodo];

		if (read_dir(b, &t, err) < 0)
			return -1;
	}
	return unik_tree_seal(b->tree, err);
}

static void fill_info(const struct build *b, struct unik_ext2_info *info)
{
	uint64_t reserved = b->image.first_ino - 2; /* the root is in nused */
	uint64_t free_inodes = b->image.ninodes - reserved - b->nused;
	uint64_t all;

	unik_e2r_info(&b->image, info);
	all = info->nblocks * info->block_size;
	info->wasted_size = b->wasted + free_inodes * b->image.inode_size;
	if (info->free_blocks <= info->nblocks)
		info->wasted_size += info->free_blocks * info->block_size;
	if (info->wasted_size > all)
		info->wasted_size = all;
	info->exact_size = all - info->wasted_size;
}

int unik_ext2_read(struct unik_tree **out, const struct unik_data *data,
		   uint64_t size, const struct unik_limits *limits,
		   struct unik_ext2_info *info, struct unik_err *err)
{
	struct build *b = calloc(1, sizeof(*b));
	int rc = -1;

	if (!b)
		return unik_fail_mem(err);
	if (unik_e2r_open(&b->image, data->fd, size, limits, err) == 0 &&
	    unik_e2r_file_init(&b->file, &b->image, data, err) == 0 &&
	    unik_e2r_xattrs_init(&b->xattrs, err) == 0)
		rc = read_all(b, err);
	if (rc == 0) {
		if (info)
			fill_info(b, info);
		*out = b->tree;
		b->tree = NULL;
	}
	unik_tree_free(b->tree);
	unik_e2r_file_release(&b->file);
	unik_e2r_xattrs_release(&b->xattrs);
	unik_e2r_close(&b->image);
	free(b->first);
	free(b->path);
	free(b->todo);
	free(b);
	return rc;
}
