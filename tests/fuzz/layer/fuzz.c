/* SPDX-License-Identifier: GPL-3.0-or-later */
/* layer: any bytes are a tar whose entries make a tree, or are refused; the
 * tree has a text, and an image in each format. */
#define _GNU_SOURCE
#include "../write.h"
#include "layer_entries.h"
#include "treedump.h"

static int count(void *data, const char *text, size_t n, struct unik_err *err)
{
	(void)err;
	promise(n > 0);
	*(uint8_t *)data ^= (uint8_t)text[n - 1];
	return 0;
}

/* Numbers, order, and links between nodes, inodes and parents. */
static void check_tree(const struct unik_tree *tree)
{
	uint32_t i, names = 0;

	promise(tree->nodes[0] == tree->root && tree->nnodes >= tree->ninodes);
	for (i = 0; i < tree->nnodes; i++) {
		const struct unik_node *n = tree->nodes[i], *c;
		uint32_t children = 0;

		promise(n->id == i && strlen(n->name) == n->name_size);
		promise(n->inode->id < tree->ninodes &&
			tree->inodes[n->inode->id] == n->inode);
		promise(n->inode->type == UNIK_DIR || !n->child);
		promise(i == 0 || n->parent->id < i);
		for (c = n->child; c; c = c->next, children++)
			promise(c->parent == n &&
				(!c->next ||
				 strcmp(c->name, c->next->name) < 0));
		promise(children == n->nchildren);
	}
	for (i = 0; i < tree->ninodes; i++) {
		const struct unik_inode *inode = tree->inodes[i];

		promise(inode->id == i && inode->first->inode == inode);
		promise(i == 0 || tree->inodes[i - 1]->first->id <
					  inode->first->id);
		names += inode->type == UNIK_DIR ? 1 : inode->nlink;
	}
	promise(names == tree->nnodes);
}

static void check_writers(const struct unik_tree *tree)
{
	struct unik_writer_options iso = { 0 }, ext2 = { .block_size = 1024 };

	check_image(tree, "iso", &iso);
	check_image(tree, "ext2", &ext2);
}

/* Read in place, by threads, it is the same or refused, too. */
static void load_in_place(const struct unik_layer *streamed, bool good,
			  const struct unik_layer_options *opt, size_t size)
{
	struct unik_layer_ref ref = { .fd = streamed->data.fd, .size = size };
	struct unik_digest a, b;
	struct unik_layer *layer;
	struct unik_err err;
	uint8_t head[512] = { 0 };

	/* What has another magic is inflated: that is another target. */
	if (pread(ref.fd, head, sizeof(head), 0) < 0 ||
	    unik_compression_of(head, size < 512 ? size : 512) != UNIK_PLAIN)
		return;
	if (unik_layer_load(&layer, &ref, opt, &err) < 0) {
		promise(!good);
		return;
	}
	promise(good && unik_tree_digest(streamed->tree, &a, &err) == 0 &&
		unik_tree_digest(layer->tree, &b, &err) == 0 &&
		unik_digest_equal(&a, &b));
	unik_layer_free(layer);
}

static void load(const uint8_t *data, size_t size)
{
	struct unik_limits limits = small_limits();
	struct unik_layer_options opt = { .limits = &limits };
	struct unik_layer layer = { .data = { -1 } };
	struct step_source in;
	struct unik_err err;
	uint8_t sum = 0;
	int rc;

	limits.layer_size = 1 << 22;
	layer.data.fd = memfd_create("layer", MFD_CLOEXEC);
	promise(layer.data.fd >= 0 &&
		unik_pwrite_all(layer.data.fd, data, size, 0, &err) == 0);
	promise(unik_tree_new(&layer.tree, &limits, &err) == 0);
	step_init(&in, data, size, 4096);
	rc = unik_layer_entries(&layer, &in.base, 0, UNIK_SCAN_NOW, &opt,
				&err);
	if (rc == 0)
		rc = unik_tree_seal_open(layer.tree, &err);
	load_in_place(&layer, rc == 0, &opt, size);
	if (rc == 0) {
		check_tree(layer.tree);
		promise(unik_treedump(layer.tree, count, &sum, &err) == 0);
		rc = unik_tree_check_links(layer.tree, &err);
	}
	if (rc == 0)
		check_writers(layer.tree);
	else
		refusal(&err);
	unik_tree_free(layer.tree);
	close(layer.data.fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size + 1);

	promise(copy);
	memcpy(copy, data, size);
	mend_tar(copy, size);
	load(copy, size);
	free(copy);
	return 0;
}
