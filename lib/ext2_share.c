/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ext2: inodes with equal extended attributes share one block. */
#include <stdlib.h>
#include <string.h>

#include "writer_ext2.h"

struct ext2_xattr_index {
	uint32_t *slots; /* open addressing: 1 + a place in xattrs[] */
	uint32_t nslots; /* a power of two */
	uint32_t nused;
	uint32_t room;   /* of xattrs[] */
	uint64_t seed;   /* so that no input can be made to collide; decides no
			    output byte */
	uint8_t mine[EXT2_MAX_BLOCK];
	uint8_t other[EXT2_MAX_BLOCK];
};

int unik_ext2_xattr_index_new(struct ext2_xattr_index **out,
			      struct unik_err *err)
{
	struct ext2_xattr_index *x = calloc(1, sizeof(*x));

	if (!x)
		return unik_fail_mem(err);
	x->nslots = 64;
	x->slots = calloc(x->nslots, sizeof(*x->slots));
	if (!x->slots) {
		free(x);
		return unik_fail_mem(err);
	}
	x->seed = (uintptr_t)x * UINT64_C(0xd6e8feb86659fd93);
	*out = x;
	return 0;
}

void unik_ext2_xattr_index_free(struct ext2_xattr_index *x)
{
	if (!x)
		return;
	free(x->slots);
	free(x);
}

static uint32_t block_key(const struct ext2_xattr_index *x, uint32_t size)
{
	uint64_t h = x->seed, word;
	uint32_t i;

	for (i = 0; i < size; i += 8) {
		memcpy(&word, x->mine + i, sizeof(word));
		h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 29;
	}
	return (uint32_t)(h >> 32);
}

static int grow(const struct unik_writer *w, struct ext2_xattr_index *x,
		struct unik_err *err)
{
	uint32_t n = x->nslots * 2, i, at;
	uint32_t *slots;

	if (x->nused < x->nslots / 2)
		return 0;
	slots = calloc(n, sizeof(*slots));
	if (!slots)
		return unik_fail_mem(err);
	for (i = 0; i < x->nslots; i++) {
		if (x->slots[i] == 0)
			continue;
		at = w->xattrs[x->slots[i] - 1].key & (n - 1);
		while (slots[at])
			at = (at + 1) & (n - 1);
		slots[at] = x->slots[i];
	}
	free(x->slots);
	x->slots = slots;
	x->nslots = n;
	return 0;
}

static int same(const struct unik_writer *w, struct ext2_xattr_index *x,
		const struct ext2_xattr_block *b, bool *equal,
		struct unik_err *err)
{
	uint64_t lost;
	uint32_t n;

	if (unik_ext2_xattr_block(w, w->tree->inodes[b->inode], 0, x->other,
				  &lost, &n, err) < 0)
		return -1;
	*equal = memcmp(x->mine, x->other, w->block_size) == 0;
	return 0;
}

/* The slot of an equal block, or the free one where it belongs. */
static int find(const struct unik_writer *w, struct ext2_xattr_index *x,
		uint32_t key, uint32_t *slot, struct unik_err *err)
{
	uint32_t at = key & (x->nslots - 1);
	bool equal = false;

	for (; x->slots[at]; at = (at + 1) & (x->nslots - 1)) {
		const struct ext2_xattr_block *b;

		b = &w->xattrs[x->slots[at] - 1];
		if (b->key != key)
			continue;
		if (same(w, x, b, &equal, err) < 0)
			return -1;
		if (equal)
			break;
	}
	*slot = at;
	return 0;
}

static int new_block(struct unik_writer *w, struct ext2_xattr_index *x,
		     uint32_t inode, uint32_t key, struct unik_err *err)
{
	if (w->nxattrs == x->room) {
		uint32_t room = x->room ? x->room * 2 : 64;
		struct ext2_xattr_block *v;

		v = realloc(w->xattrs, room * sizeof(*v));
		if (!v)
			return unik_fail_mem(err);
		w->xattrs = v;
		x->room = room;
	}
	w->xattrs[w->nxattrs++] = (struct ext2_xattr_block){
		.inode = inode, .key = key };
	return 0;
}

static void lose(struct unik_losses *l, const struct unik_inode *inode,
		 uint64_t n)
{
	if (n > 0 && !l->first_xattr)
		l->first_xattr = inode->first;
	l->xattr += n;
}

int unik_ext2_xattr_plan(struct unik_writer *w, struct ext2_xattr_index *x,
			 const struct unik_inode *inode, bool *fresh,
			 struct unik_err *err)
{
	uint32_t n, key, slot;
	uint64_t lost;

	*fresh = false;
	if (!inode->xattrs || inode->xattrs->n == 0)
		return 0;
	if (unik_ext2_xattr_block(w, inode, 0, x->mine, &lost, &n, err) < 0 ||
	    grow(w, x, err) < 0)
		return -1;
	lose(&w->losses, inode, lost);
	if (n == 0)
		return 0;
	key = block_key(x, w->block_size);
	if (find(w, x, key, &slot, err) < 0)
		return -1;
	if (x->slots[slot] == 0 ||
	    w->xattrs[x->slots[slot] - 1].refs == EXT2_XATTR_REFS_MAX) {
		if (new_block(w, x, inode->id, key, err) < 0)
			return -1;
		x->nused += x->slots[slot] == 0;
		x->slots[slot] = w->nxattrs;
		*fresh = true;
	}
	w->xattrs[x->slots[slot] - 1].refs++;
	w->slots[inode->id].xattr = x->slots[slot];
	return 0;
}
