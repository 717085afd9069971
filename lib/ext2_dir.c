/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ext2: directories (ext2-doc "Directory Structure", linked lists). */
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

int unik_ext2_dir_plan(struct unik_writer *w, const struct unik_inode *inode,
		       struct unik_err *err)
{
	uint64_t n = 1, at = 2 * ext2_dirent_size(2);
	const struct unik_node *c;
	char q[UNIK_QUOTE_SIZE];

	for (c = inode->first->child; c; c = c->next) {
		uint32_t size = ext2_dirent_size(c->name_size);

		if (at + size > w->block_size) {
			n++;
			at = 0;
		}
		at += size;
	}
	if (n * w->block_size > DIR_MAX)
		return unik_fail(err, "%s: a directory of %u entries is too "
				 "large for ext2",
				 unik_node_quote(inode->first, q),
				 inode->first->nchildren);
	w->slots[inode->id].ndata = (uint32_t)n;
	return 0;
}

int unik_ext2_dir_open(struct ext2_dir *d, const struct unik_writer *w,
		       const struct unik_inode *inode, struct unik_err *err)
{
	(void)err;
	memset(d, 0, sizeof(*d));
	d->w = w;
	d->node = inode->first;
	d->child = inode->first->child;
	return 0;
}

void unik_ext2_dir_next(struct ext2_dir *d, uint8_t *buf)
{
	uint32_t size = d->w->block_size, at = 0, last = 0, n;

	memset(buf, 0, size);
	if (d->block++ == 0) {
		at = unik_ext2_dots(d->w, d->node, buf);
		last = ext2_dirent_size(1);
	}
	for (; d->child; d->child = d->child->next) {
		const struct unik_node *c = d->child;

		if (at + ext2_dirent_size(c->name_size) > size)
			break;
		n = unik_ext2_dirent(d->w, c->inode, c->name, c->name_size,
				     buf + at);
		last = at;
		at += n;
	}
	ext2_put16(((struct ext2_dirent *)(buf + last))->rec_len, size - last);
}

void unik_ext2_dir_close(struct ext2_dir *d)
{
	(void)d;
}
