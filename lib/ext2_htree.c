/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ext2: the hash index of a directory (ext2-doc "Indexed Directory Format",
 * ext4 doc directory.rst "Hash Tree Directories"). */
#include <stdlib.h>
#include <string.h>

#include "ext2_hash.h"
#include "writer_ext2.h"

/* In a node the index follows one empty entry over the whole block. */
#define NODE_HEAD ((uint32_t)sizeof(struct ext2_dirent))
#define ROOT_HEAD (EXT2_DX_ROOT_INFO + (uint32_t)sizeof(struct ext2_dx_info))

static uint32_t limit(uint32_t block_size, uint32_t head)
{
	return (block_size - head) / (uint32_t)sizeof(struct ext2_dx_entry);
}

static int compare(const void *a, const void *b)
{
	const struct ext2_hashed *x = a, *y = b;
	uint64_t v = (uint64_t)x->major << 32 | x->minor;
	uint64_t w = (uint64_t)y->major << 32 | y->minor;

	if (v != w)
		return (v > w) - (v < w);
	return (x->node->id > y->node->id) - (x->node->id < y->node->id);
}

/* Fills leaves to the brim; `leaf` may be NULL for counting. */
static uint32_t cut_leaves(const struct ext2_htree *t, uint32_t block_size,
			   uint32_t *leaf)
{
	uint32_t i, at = block_size, n = 0;

	for (i = 0; i < t->n; i++) {
		uint32_t size = ext2_dirent_size(t->v[i].node->name_size);

		if (at + size > block_size) {
			if (leaf)
				leaf[n] = i;
			n++;
			at = 0;
		}
		at += size;
	}
	if (leaf)
		leaf[n] = t->n;
	return n;
}

int unik_ext2_htree_init(struct ext2_htree *t, const struct unik_writer *w,
			 const struct unik_node *dir, struct unik_err *err)
{
	const struct unik_node *c;
	uint32_t size = w->block_size;

	memset(t, 0, sizeof(*t));
	t->v = calloc(dir->nchildren, sizeof(*t->v));
	if (!t->v)
		return unik_fail_mem(err);
	for (c = dir->child; c; c = c->next) {
		struct ext2_hash h = unik_ext2_hash(w->hash_seed, false,
						    c->name, c->name_size);

		t->v[t->n++] = (struct ext2_hashed){ h.major, h.minor, c };
	}
	qsort(t->v, t->n, sizeof(*t->v), compare);
	t->nleaves = cut_leaves(t, size, NULL);
	t->leaf = calloc((size_t)t->nleaves + 1, sizeof(*t->leaf));
	if (!t->leaf) {
		unik_ext2_htree_release(t);
		return unik_fail_mem(err);
	}
	cut_leaves(t, size, t->leaf);
	if (t->nleaves > limit(size, ROOT_HEAD))
		t->nnodes = (uint32_t)unik_div_up(t->nleaves,
						  limit(size, NODE_HEAD));
	if (t->nnodes > limit(size, ROOT_HEAD)) /* one more level needed */
		t->nleaves = 0;
	return 0;
}

void unik_ext2_htree_release(struct ext2_htree *t)
{
	free(t->v);
	free(t->leaf);
	memset(t, 0, sizeof(*t));
}

uint64_t unik_ext2_htree_blocks(const struct ext2_htree *t)
{
	return t->nleaves ? 1 + (uint64_t)t->nnodes + t->nleaves : 0;
}

/* The lowest hash of a leaf; bit 0 says that the leaf before ends with the same
 * one, so that who looks for it goes on. */
static uint32_t leaf_hash(const struct ext2_htree *t, uint32_t leaf)
{
	uint32_t i = t->leaf[leaf];

	return t->v[i].major | (i > 0 && t->v[i - 1].major == t->v[i].major);
}

/* `n` entries: number i is about leaf first + i * step and points at block
 * base + i. */
static void put_entries(const struct ext2_htree *t, uint32_t first,
			uint32_t step, uint32_t n, uint32_t base, uint32_t max,
			uint8_t *out)
{
	struct ext2_dx_entry *e = (struct ext2_dx_entry *)out;
	uint32_t i;

	/* The first one stands for all that is lower: it needs no hash. */
	ext2_put16(e[0].hash, max);
	ext2_put16(e[0].hash + 2, n);
	for (i = 0; i < n; i++) {
		if (i > 0)
			ext2_put32(e[i].hash, leaf_hash(t, first + i * step));
		ext2_put32(e[i].block, base + i);
	}
}

static void put_root(const struct ext2_htree *t, const struct unik_writer *w,
		     const struct unik_node *dir, uint8_t *buf)
{
	struct ext2_dx_info *info = (void *)(buf + EXT2_DX_ROOT_INFO);
	uint32_t dot = ext2_dirent_size(1);
	uint32_t max = limit(w->block_size, ROOT_HEAD);

	unik_ext2_dots(w, dir, buf);
	ext2_put16(((struct ext2_dirent *)(buf + dot))->rec_len,
		   w->block_size - dot);
	info->hash_version = EXT2_HASH_HALF_MD4;
	info->info_length = sizeof(*info);
	info->indirect_levels = t->nnodes > 0;
	if (t->nnodes == 0)
		put_entries(t, 0, 1, t->nleaves, 1, max, buf + ROOT_HEAD);
	else
		put_entries(t, 0, limit(w->block_size, NODE_HEAD), t->nnodes, 1,
			    max, buf + ROOT_HEAD);
}

void unik_ext2_htree_node(const struct ext2_htree *t,
			  const struct unik_writer *w,
			  const struct unik_node *dir, uint32_t i, uint8_t *buf)
{
	uint32_t max = limit(w->block_size, NODE_HEAD), first, n;

	memset(buf, 0, w->block_size);
	if (i == 0) {
		put_root(t, w, dir, buf);
		return;
	}
	first = (i - 1) * max;
	n = t->nleaves - first < max ? t->nleaves - first : max;
	ext2_put16(((struct ext2_dirent *)buf)->rec_len, w->block_size);
	put_entries(t, first, 1, n, 1 + t->nnodes + first, max,
		    buf + NODE_HEAD);
}
