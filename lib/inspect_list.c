/* SPDX-License-Identifier: GPL-3.0-or-later */
/* inspect: trees as `ls -l` lists them, or as their canonical text. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect_private.h"
#include "treedump.h"
#include "whiteout.h"

/* The widths of the columns, and room for a path. */
struct listing {
	struct out *o;
	int nlink, uid, gid, size;
	struct path path;
};

static const char type_letters[UNIK_NTYPES] = {
	[UNIK_FILE] = '-',   [UNIK_DIR] = 'd',	  [UNIK_SYMLINK] = 'l',
	[UNIK_CHAR] = 'c',   [UNIK_BLOCK] = 'b',  [UNIK_FIFO] = 'p',
	[UNIK_SOCKET] = 's', [UNIK_WHITEOUT] = 'w', [UNIK_LINK] = 'h',
};

const char *inspect_mode(const struct unik_inode *inode, char buf[12])
{
	static const char bits[] = "rwxrwxrwx";
	unsigned mode = inode->type == UNIK_SYMLINK ? 0777 : inode->mode;
	int i;

	buf[0] = type_letters[inode->type];
	for (i = 0; i < 9; i++)
		buf[1 + i] = mode & (0400u >> i) ? bits[i] : '-';
	if (mode & 04000)
		buf[3] = mode & 0100 ? 's' : 'S';
	if (mode & 02000)
		buf[6] = mode & 0010 ? 's' : 'S';
	if (mode & 01000)
		buf[9] = mode & 0001 ? 't' : 'T';
	buf[10] = inode->xattrs && inode->xattrs->n > 0 ? '+' : ' ';
	buf[11] = 0;
	return buf;
}

#define SIZE_TEXT 32

static int size_text(const struct unik_inode *inode, char buf[SIZE_TEXT])
{
	uint64_t size = 0;

	switch (inode->type) {
	case UNIK_CHAR:
	case UNIK_BLOCK:
		return snprintf(buf, SIZE_TEXT, "%" PRIu32 ", %" PRIu32,
				inode->rdev.major, inode->rdev.minor);
	case UNIK_FILE:
	case UNIK_SYMLINK:
		size = inode->size;
		break;
	default:
		break;
	}
	return snprintf(buf, SIZE_TEXT, "%" PRIu64, size);
}

static void widen(int *width, int n)
{
	if (n > *width)
		*width = n;
}

static int digits(uint32_t v)
{
	return snprintf(NULL, 0, "%" PRIu32, v);
}

static void measure(struct listing *l, const struct unik_tree *tree)
{
	char buf[SIZE_TEXT];
	uint32_t i;

	l->nlink = l->uid = l->gid = l->size = 1;
	for (i = 0; i < tree->ninodes; i++) {
		const struct unik_inode *inode = tree->inodes[i];

		widen(&l->nlink, digits(inode->nlink));
		widen(&l->uid, digits(inode->uid));
		widen(&l->gid, digits(inode->gid));
		widen(&l->size, size_text(inode, buf));
	}
}

static int put_path(struct listing *l, const struct unik_node *node)
{
	const char *path = inspect_path(&l->path, node);

	if (!path)
		return unik_fail_mem(l->o->err);
	out_clean(l->o, path);
	return 0;
}

/* What follows the path. */
static int put_marks(struct listing *l, const struct unik_node *node,
		     bool devices)
{
	const struct unik_inode *inode = node->inode;
	bool opaque = inspect_is_opaque(inode);

	if (inode->type == UNIK_SYMLINK || inode->type == UNIK_LINK) {
		out_text(l->o, inode->type == UNIK_LINK ? " link to " : " -> ");
		out_clean(l->o, inode->target);
		if (inode->type == UNIK_LINK)
			out_text(l->o, " (of a lower layer)");
	} else if (inode->type != UNIK_DIR && inode->first != node) {
		out_text(l->o, " link to ");
		if (put_path(l, inode->first) < 0)
			return -1;
	} else if (inode->type == UNIK_WHITEOUT) {
		opaque = unik_whiteout_kind(node->name, node->name_size) ==
			 UNIK_WH_OPAQUE;
		if (!opaque)
			out_text(l->o, " (whiteout)");
	} else if (devices && inspect_is_device0(inode)) {
		out_text(l->o, " (whiteout)");
	}
	if (opaque)
		out_text(l->o, " (opaque)");
	out_text(l->o, "\n");
	return 0;
}

/* `devices`: devices 0:0 are whiteouts, as in images for overlayfs. */
static int list_tree(struct out *o, const struct unik_tree *tree, bool devices,
		     struct unik_err *err)
{
	struct listing l = { .o = o };
	char mode[12], size[SIZE_TEXT], when[INSPECT_TIME];
	uint32_t i;
	int rc = 0;

	measure(&l, tree);
	for (i = 0; i < tree->nnodes && rc == 0 && !o->failed; i++) {
		const struct unik_node *node = tree->nodes[i];
		const struct unik_inode *inode = node->inode;

		size_text(inode, size);
		out_text(o, "%s %*" PRIu32 " %*" PRIu32 " %*" PRIu32
			 " %*s %s ", inspect_mode(inode, mode), l.nlink,
			 inode->nlink, l.uid, inode->uid, l.gid, inode->gid,
			 l.size, size, inspect_time(inode->mtime_sec,
						    inode->mtime_nsec, when));
		if (put_path(&l, node) < 0 || put_marks(&l, node, devices) < 0)
			rc = -1;
		if (i % 1024 == 0 && rc == 0)
			rc = inspect_stopped(o->opt, err);
	}
	free(l.path.text);
	return rc;
}

static int put_dump(void *data, const char *text, size_t n,
		    struct unik_err *err)
{
	struct out *o = data;

	(void)err;
	out_bytes(o, text, n);
	return o->failed ? -1 : 0;
}

static int list_part(struct target *t, struct out *o, size_t part,
		     struct unik_err *err)
{
	const struct unik_tree *tree;

	if (target_tree(t, part, &tree, err) < 0)
		return -1;
	if (o->opt->json)
		return unik_treedump(tree, put_dump, o, err);
	return list_tree(o, tree, t->kind != TARGET_SOURCE && part != MERGED,
			 err);
}

static void put_heading(struct target *t, struct out *o, size_t part)
{
	char text[UNIK_DIGEST_TEXT];
	struct unik_digest d;

	out_text(o, "%s%s %zu", part > 0 ? "\n" : "",
		 t->kind == TARGET_SOURCE ? "layer" : "image", part);
	if (target_digest(t, part, &d))
		out_text(o, ": %s", unik_digest_text(&d, text));
	out_text(o, "\n");
}

int inspect_list(struct target *t, struct out *o, struct unik_err *err)
{
	size_t part, n, i;

	if (target_chosen(t, &part, err) < 0)
		return -1;
	if (part != MERGED && o->opt->merged)
		return unik_fail_usage(err, "one part, or all of them merged");
	if (target_parts(t, &n, err) < 0)
		return -1;
	if (part != MERGED || o->opt->merged || t->kind == TARGET_IMAGE)
		return list_part(t, o, part, err);
	if (o->opt->json && n != 1)
		return unik_fail_usage(err, "the text of one tree only: the "
				       "target has %zu parts (--tree=PART or "
				       "--merged)", n);
	for (i = 0; i < n; i++) {
		if (!o->opt->json && n > 1) {
			/* A bare layer is known by its diff_id when loaded. */
			if (t->kind == TARGET_SOURCE &&
			    target_layer(t, i, err) < 0)
				return -1;
			put_heading(t, o, i);
		}
		if (list_part(t, o, i, err) < 0)
			return -1;
	}
	return 0;
}
