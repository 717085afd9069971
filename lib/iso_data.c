/* SPDX-License-Identifier: GPL-3.0-or-later */
/* writer_iso: the extents of files, equal content once. */
#include <stdlib.h>
#include <string.h>

#include "limits.h"
#include "writer_iso.h"

struct same {
	uint64_t key; /* head of the sha256 */
	const struct unik_inode *inode;
};

static bool has_data(const struct unik_inode *inode)
{
	return inode->type == UNIK_FILE && inode->size > 0;
}

static int compare_content(const struct same *x, const struct same *y)
{
	int c;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	c = memcmp(x->inode->content->sha256, y->inode->content->sha256,
		   UNIK_SHA256_SIZE);
	if (c == 0)
		c = (x->inode->size > y->inode->size) -
		    (x->inode->size < y->inode->size);
	return c;
}

static int compare_same(const void *a, const void *b)
{
	const struct same *x = a, *y = b;
	int c = compare_content(x, y);

	return c ? c : (x->inode->id > y->inode->id) -
		       (x->inode->id < y->inode->id);
}

/* extent[] of every file gets the id of the first one with its content. */
static int find_owners(struct unik_writer *w, struct unik_err *err)
{
	const struct unik_tree *tree = w->tree;
	uint64_t nfiles = tree->counts.type[UNIK_FILE];
	struct same *v = calloc((size_t)nfiles + 1, sizeof(*v));
	uint32_t owner = 0, i;
	size_t n = 0;

	if (!v)
		return unik_fail_mem(err);
	for (i = 0; i < tree->ninodes; i++) {
		if (!has_data(tree->inodes[i]))
			continue;
		memcpy(&v[n].key, tree->inodes[i]->content->sha256,
		       sizeof(v[n].key));
		v[n++].inode = tree->inodes[i];
	}
	/* The byte order of the machine decides the order of groups, which
	 * nothing depends on; within a group it is that of the ids. */
	qsort(v, n, sizeof(*v), compare_same);
	for (i = 0; i < n; i++) {
		if (i == 0 || compare_content(&v[i - 1], &v[i]) != 0)
			owner = v[i].inode->id;
		w->extent[v[i].inode->id] = owner;
	}
	free(v);
	return 0;
}

int unik_iso_data(struct unik_writer *w, uint64_t next, uint64_t *end,
		  struct unik_err *err)
{
	const struct unik_tree *tree = w->tree;
	uint32_t i;

	if (find_owners(w, err) < 0)
		return -1;
	for (i = 0; i < tree->ninodes; i++) {
		const struct unik_inode *inode = tree->inodes[i];

		if (!has_data(inode))
			continue;
		if (w->extent[i] != i) { /* the owner has its extent already */
			w->extent[i] = w->extent[w->extent[i]];
			continue;
		}
		w->extent[i] = (uint32_t)next;
		next += unik_div_up(inode->size, ISO_BLOCK);
		if (next > UINT32_MAX)
			return unik_fail(err, "the tree is over the 8 TiB of "
					 "ISO 9660");
	}
	*end = next;
	return 0;
}

int unik_iso_data_emit(const struct unik_writer *w, struct unik_sink *sink,
		       struct unik_err *err)
{
	const struct unik_tree *tree = w->tree;
	char q[UNIK_QUOTE_SIZE];
	uint32_t next = w->data_block, i;

	for (i = 0; i < tree->ninodes; i++) {
		const struct unik_inode *inode = tree->inodes[i];
		uint64_t over = inode->size % ISO_BLOCK;

		if (!has_data(inode))
			continue;
		/* Extents are given in this order: whoever does not start here
		 * shares an earlier one. */
		if (w->extent[i] != next) {
			if (unik_content_leave(inode->content, inode->size,
					       err) < 0)
				return -1;
			continue;
		}
		if (unik_content_copy(inode->content, 0, inode->size, sink,
				      err) < 0)
			return unik_wrap(err, "%s",
					 unik_node_quote(inode->first, q));
		if (over &&
		    unik_sink_write(sink, NULL, ISO_BLOCK - over, err) < 0)
			return -1;
		next += (uint32_t)unik_div_up(inode->size, ISO_BLOCK);
	}
	return 0;
}
