/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ext2: directories (ext2-doc "Directory Structure", linked lists). */
#include <stdlib.h>
#include <string.h>

#include "writer_ext2.h"

/* i_size of a directory has 31 bits to be safe everywhere. */
#define DIR_MAX INT32_MAX

static uint8_t file_type(const struct unik_writer *w,
			 const struct unik_inode *inode)
{
	static const uint8_t types[UNIK_NTYPES] = {
		[UNIK_FILE] = EXT2_FT_FILE,
		[UNIK_DIR] = EXT2_FT_DIR,
		[UNIK_SYMLINK] = EXT2_FT_SYMLINK,
		[UNIK_CHAR] = EXT2_FT_CHR,
		[UNIK_BLOCK] = EXT2_FT_BLK,
		[UNIK_FIFO] = EXT2_FT_FIFO,
		[UNIK_SOCKET] = EXT2_FT_SOCK,
		[UNIK_WHITEOUT] = EXT2_FT_FILE,
	};

	return w->netbsd ? 0 : types[inode->type];
}

uint32_t unik_ext2_dirent(const struct unik_writer *w,
			  const struct unik_inode *inode, const char *name,
			  uint32_t n, uint8_t *out)
{
	struct ext2_dirent *e = (struct ext2_dirent *)out;
	uint32_t size = ext2_dirent_size(n);

	memset(out, 0, size);
	ext2_put32(e->inode, unik_ext2_ino(inode->id));
	ext2_put16(e->rec_len, size);
	e->name_len = (uint8_t)n;
	e->file_type = file_type(w, inode);
	memcpy(out + sizeof(*e), name, n);
	return size;
}

uint32_t unik_ext2_dots(const struct unik_writer *w,
			const struct unik_node *node, uint8_t *out)
{
	const struct unik_node *up = node->parent ? node->parent : node;
	uint32_t n = unik_ext2_dirent(w, node->inode, ".", 1, out);

	return n + unik_ext2_dirent(w, up->inode, "..", 2, out + n);
}

/* Blocks of a directory without an index. */
static uint64_t linear_blocks(const struct unik_writer *w,
			      const struct unik_node *dir)
{
	uint64_t n = 1, at = 2 * ext2_dirent_size(2);
	const struct unik_node *c;

	for (c = dir->child; c; c = c->next) {
		uint32_t size = ext2_dirent_size(c->name_size);

		if (at + size > w->block_size) {
			n++;
			at = 0;
		}
		at += size;
	}
	return n;
}

/* An index takes a hash of every name and a sort: it is made once. */
static int keep_index(struct unik_writer *w, const struct unik_inode *inode,
		      uint64_t *nblocks, struct unik_err *err)
{
	struct ext2_htree *t;

	if (w->nhtrees == w->htree_room) {
		size_t room = w->htree_room ? (size_t)w->htree_room * 2 : 16;

		t = realloc(w->htrees, room * sizeof(*t));
		if (!t)
			return unik_fail_mem(err);
		w->htrees = t;
		w->htree_room = (uint32_t)room;
	}
	t = &w->htrees[w->nhtrees];
	if (unik_ext2_htree_init(t, w, inode->first, err) < 0)
		return -1;
	t->inode = inode->id;
	*nblocks = unik_ext2_htree_blocks(t);
	if (*nblocks > 0) {
		w->nhtrees++;
		return 0;
	}
	unik_ext2_htree_release(t);
	w->unindexed = true;
	return 0;
}

static const struct ext2_htree *find_index(const struct unik_writer *w,
					   uint32_t inode)
{
	uint32_t lo = 0, hi = w->nhtrees;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (w->htrees[mid].inode < inode)
			lo = mid + 1;
		else
			hi = mid;
	}
	return &w->htrees[lo];
}

int unik_ext2_dir_plan(struct unik_writer *w, const struct unik_inode *inode,
		       struct unik_err *err)
{
	uint64_t n = linear_blocks(w, inode->first), indexed = 0;
	char q[UNIK_QUOTE_SIZE];

	if (n > 1 && !w->netbsd && keep_index(w, inode, &indexed, err) < 0)
		return -1;
	if (indexed > 0)
		n = indexed;
	if (n > DIR_MAX / w->block_size)
		return unik_fail(err, "%s: a directory of %u entries is too "
				 "large for ext2",
				 unik_node_quote(inode->first, q),
				 inode->first->nchildren);
	w->slots[inode->id].ndata = (uint32_t)n;
	if (indexed > 0) {
		w->slots[inode->id].ndata |= EXT2_DIR_INDEXED;
		w->dir_index = true;
	}
	return 0;
}

void unik_ext2_dir_open(struct ext2_dir *d, const struct unik_writer *w,
			const struct unik_inode *inode)
{
	memset(d, 0, sizeof(*d));
	d->w = w;
	d->node = inode->first;
	d->child = inode->first->child;
	if (w->slots[inode->id].ndata & EXT2_DIR_INDEXED)
		d->tree = find_index(w, inode->id);
}

/* The entry that d->block holds next, in the order it is written in; NULL where
 * the block has them all. */
static const struct unik_node *next_entry(struct ext2_dir *d, uint32_t i,
					  uint32_t room)
{
	const struct unik_node *c = d->child;

	if (d->tree) {
		const struct ext2_htree *t = d->tree;
		uint32_t leaf = d->block - 1 - t->nnodes;

		i += t->leaf[leaf];
		return i < t->leaf[leaf + 1] ? t->v[i].node : NULL;
	}
	if (!c || ext2_dirent_size(c->name_size) > room)
		return NULL;
	d->child = c->next;
	return c;
}

void unik_ext2_dir_next(struct ext2_dir *d, uint8_t *buf)
{
	uint32_t size = d->w->block_size, at = 0, last = 0, i = 0;
	const struct unik_node *c;

	if (d->tree && d->block <= d->tree->nnodes) {
		unik_ext2_htree_node(d->tree, d->w, d->node, d->block++, buf);
		return;
	}
	memset(buf, 0, size);
	if (d->block == 0) {
		at = unik_ext2_dots(d->w, d->node, buf);
		last = ext2_dirent_size(1);
	}
	while ((c = next_entry(d, i++, size - at))) {
		last = at;
		at += unik_ext2_dirent(d->w, c->inode, c->name, c->name_size,
				       buf + at);
	}
	/* The last entry reaches to the end of the block. */
	ext2_put16(((struct ext2_dirent *)(buf + last))->rec_len, size - last);
	d->block++;
}
