/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "facts.h"

#include "layer.h"

void unik_count_entries(struct unik_entry_counts *c,
			const struct unik_tree *tree)
{
	const uint64_t *n = tree->counts.type;

	c->file = n[UNIK_FILE];
	c->dir = n[UNIK_DIR] - 1;
	c->symlink = n[UNIK_SYMLINK];
	c->hardlink = tree->counts.hardlinks;
	c->device = n[UNIK_CHAR] + n[UNIK_BLOCK];
	c->fifo = n[UNIK_FIFO] + n[UNIK_SOCKET];
}

uint64_t unik_sum_entries(const struct unik_layer_facts *f)
{
	const struct unik_entry_counts *c = &f->entries;

	return c->file + c->dir + c->symlink + c->hardlink + c->device +
	       c->fifo + f->whiteouts + f->opaque;
}

void unik_take_facts(struct unik_layer_facts *f, const struct unik_layer *layer)
{
	const struct unik_tree *tree = layer->tree;

	f->diff_id = layer->diff_id;
	f->blob_digest = layer->blob_digest;
	f->blob_size = layer->blob_size;
	f->size = layer->size;
	unik_count_entries(&f->entries, tree);
	f->whiteouts = tree->counts.whiteouts;
	f->opaque = tree->counts.opaque;
	f->ignored = tree->counts.ignored;
	f->unended = layer->unended;
	f->globals = layer->globals;
}
