/* SPDX-License-Identifier: GPL-3.0-or-later */
/* inspect: the bytes of one file, to the answer or to a file. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inspect_private.h"
#include "io.h"
#include "treedump.h"

/* The bytes of content in pieces. */
static int each_piece(const struct unik_inspect_options *opt,
		      const struct unik_inode *inode,
		      int (*fn)(void *data, const uint8_t *bytes, size_t n,
				struct unik_err *err),
		      void *data, struct unik_err *err)
{
	uint8_t *buf = malloc(UNIK_CHUNK);
	uint64_t off = 0;
	int rc = 0;

	if (!buf)
		return unik_fail_mem(err);
	while (rc == 0 && off < inode->size) {
		uint64_t left = inode->size - off;
		size_t n = left < UNIK_CHUNK ? (size_t)left : UNIK_CHUNK;

		rc = unik_content_read(inode->content, off, buf, n, err);
		if (rc == 0)
			rc = fn(data, buf, n, err);
		if (rc == 0)
			rc = inspect_stopped(opt, err);
		off += n;
	}
	free(buf);
	return rc;
}

static int to_answer(void *data, const uint8_t *bytes, size_t n,
		     struct unik_err *err)
{
	struct out *o = data;

	(void)err;
	out_bytes(o, bytes, n);
	return o->failed ? -1 : 0;
}

/* A terminal gets lines, tabs and what it can show. */
static int to_terminal(void *data, const uint8_t *bytes, size_t n,
		       struct unik_err *err)
{
	struct out *o = data;
	size_t i;

	(void)err;
	for (i = 0; i < n; i++) {
		if (bytes[i] == '\n' || bytes[i] == '\t' ||
		    (bytes[i] >= 0x20 && bytes[i] < 0x7f))
			out_bytes(o, bytes + i, 1);
		else
			out_text(o, "\\x%02x", bytes[i]);
	}
	return o->failed ? -1 : 0;
}

static int to_file(void *data, const uint8_t *bytes, size_t n,
		   struct unik_err *err)
{
	return unik_write_all(*(const int *)data, bytes, n, err);
}

/* Under its name only when it is whole. */
static int save(const struct unik_inspect_options *opt,
		const struct unik_inode *inode, struct unik_err *err)
{
	struct unik_temp temp = UNIK_TEMP_NONE;
	const char *name;
	char *path;
	int dir, rc = -1;

	if (unik_temp_dir(opt->file, &dir, &path, &name, err) == 0 &&
	    unik_temp_open(&temp, dir, err) == 0 &&
	    each_piece(opt, inode, to_file, &temp.fd, err) == 0)
		rc = unik_temp_publish(&temp, name, opt->mode, true, err);
	unik_temp_release(&temp);
	if (rc == 0 && fsync(dir) < 0)
		rc = unik_fail_sys(err, "can't sync '%s'", path);
	if (dir >= 0)
		close(dir);
	free(path);
	return rc;
}

static int find_file(struct target *t, const struct unik_inode **inode,
		     struct unik_err *err)
{
	const struct unik_node *node;
	const struct unik_tree *tree;
	char q[UNIK_QUOTE_SIZE];
	size_t part;

	if (target_chosen(t, &part, err) < 0 ||
	    target_tree(t, part, &tree, err) < 0 ||
	    unik_tree_follow(tree, t->opt->path, &node, err) < 0)
		return -1;
	unik_quote(q, t->opt->path, strlen(t->opt->path));
	if (!node)
		return unik_fail(err, "there is no %s", q);
	*inode = node->inode;
	if (node->inode->type == UNIK_LINK)
		return unik_fail(err, "%s is a hard link to a file of a lower "
				 "layer", q);
	if (node->inode->type != UNIK_FILE)
		return unik_fail(err, "%s is no regular file but a %s", q,
				 unik_type_name((enum unik_type)
						node->inode->type));
	return 0;
}

int inspect_file(struct target *t, struct out *o, struct unik_err *err)
{
	const struct unik_inspect_options *opt = t->opt;
	const struct unik_inode *inode;

	if (!opt->path)
		return unik_fail_usage(err, "no path");
	if (find_file(t, &inode, err) < 0)
		return -1;
	if (opt->file)
		return save(opt, inode, err);
	return each_piece(opt, inode, opt->terminal ? to_terminal : to_answer,
			  o, err);
}
