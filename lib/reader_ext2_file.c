/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reader_ext2: content of files, and targets of symlinks. */
#include <stdlib.h>
#include <string.h>

#include "io.h"
#include "reader_ext2_file_private.h"

int unik_e2r_file_init(struct e2r_file *f, struct e2r_image *image,
		       const struct unik_data *data, struct unik_err *err)
{
	memset(f, 0, sizeof(*f));
	f->image = image;
	f->data = data;
	f->content_left = image->limits->layer_size;
	f->buf = malloc(UNIK_CHUNK);
	if (!f->buf)
		return unik_fail_mem(err);
	return unik_scan_init(&f->scan, err);
}

void unik_e2r_file_release(struct e2r_file *f)
{
	unik_scan_release(&f->scan);
	free(f->pieces);
	free(f->buf);
	memset(f, 0, sizeof(*f));
}

/* ---- where the data is ---- */

static int new_piece(struct e2r_file *f, const struct unik_piece *piece,
		     struct unik_err *err)
{
	uint64_t limit = f->image->limits->sparse;

	if (f->npieces >= limit)
		return unik_fail(err, "more than %llu pieces (--max-sparse)",
				 (unsigned long long)limit);
	if (f->npieces == f->room) {
		uint32_t room = f->room ? f->room * 2 : 64;
		struct unik_piece *v =
			room ? realloc(f->pieces, room * sizeof(*v)) : NULL;

		if (!v)
			return unik_fail_mem(err);
		f->pieces = v;
		f->room = room;
	}
	f->pieces[f->npieces++] = *piece;
	return 0;
}

static int add_block(void *data, uint32_t level, uint64_t logical,
		     uint32_t block, struct unik_err *err)
{
	struct e2r_file *f = data;
	uint64_t bs = f->image->block_size;
	struct unik_piece p = { logical * bs, bs, block * bs };
	struct unik_piece *last = f->npieces ? &f->pieces[f->npieces - 1]
					     : NULL;

	if (level > 0)
		return 0;
	if (p.offset >= f->size)
		return unik_fail(err, "data behind its end");
	if (p.size >= f->size - p.offset) {
		p.size = f->size - p.offset;
		f->last_stored = true;
	}
	if (last && last->offset + last->size == p.offset &&
	    last->stored + last->size == p.stored) {
		last->size += p.size;
		return 0;
	}
	return new_piece(f, &p, err);
}

/* ---- reading it ---- */

static int scan_piece(struct e2r_file *f, const struct unik_piece *p,
		      struct unik_err *err)
{
	uint64_t at = 0;

	while (at < p->size) {
		size_t n = p->size - at < UNIK_CHUNK ? (size_t)(p->size - at)
						     : UNIK_CHUNK;

		if (unik_pread_all(f->image->fd, f->buf, n, p->stored + at,
				   err) < 0 ||
		    unik_scan_feed(&f->scan, f->buf, n, err) < 0)
			return -1;
		at += n;
	}
	return 0;
}

static int scan_pieces(struct e2r_file *f, struct unik_content *c,
		       struct unik_err *err)
{
	uint64_t at = 0;
	uint32_t i;

	if (unik_scan_begin(&f->scan, err) < 0)
		return -1;
	for (i = 0; i < f->npieces; i++) {
		const struct unik_piece *p = &f->pieces[i];

		if (unik_scan_feed(&f->scan, NULL, p->offset - at, err) < 0 ||
		    scan_piece(f, p, err) < 0)
			return -1;
		at = p->offset + p->size;
	}
	if (unik_scan_feed(&f->scan, NULL, f->size - at, err) < 0)
		return -1;
	return unik_scan_end(&f->scan, c, err);
}

/* One piece is plain data; none, and holes that the tree would take for data,
 * need the list. */
static int set_storage(struct e2r_file *f, struct unik_content *c,
		       struct unik_err *err)
{
	const struct unik_piece none = { 0, 0, 0 };

	if (f->npieces == 1 && f->pieces[0].size == f->size) {
		c->offset = f->pieces[0].stored;
		return 0;
	}
	if (f->npieces == 0 && new_piece(f, &none, err) < 0)
		return -1;
	c->pieces = f->pieces;
	c->npieces = f->npieces;
	return 0;
}

int unik_e2r_file_content(struct e2r_file *f, const struct e2r_inode *inode,
			  struct unik_content *c, struct unik_err *err)
{
	f->npieces = 0;
	f->size = inode->size;
	f->last_stored = false;
	if (f->size > f->content_left)
		return unik_fail(err, "files of more than %llu bytes in all "
				 "(--max-layer-size)", (unsigned long long)
				 f->image->limits->layer_size);
	f->content_left -= f->size;
	if (unik_e2r_walk(f->image, inode, add_block, f, err) < 0 ||
	    scan_pieces(f, c, err) < 0)
		return -1;
	return set_storage(f, c, err);
}

/* ---- symlinks ---- */

static int one_block(void *data, uint32_t level, uint64_t logical,
		     uint32_t block, struct unik_err *err)
{
	struct e2r_file *f = data;

	if (level != 0 || logical != 0)
		return unik_fail(err, "a symlink of several blocks");
	f->last_stored = true;
	return unik_e2r_block(f->image, block, f->buf, err);
}

int unik_e2r_file_target(struct e2r_file *f, const struct e2r_inode *inode,
			 struct unik_entry *e, struct unik_err *err)
{
	if (unik_e2r_fast_symlink(f->image, inode)) {
		memcpy(f->buf, inode->block, sizeof(inode->block));
	} else {
		f->last_stored = false;
		if (inode->size >= f->image->block_size)
			return unik_fail(err, "a symlink target of %llu bytes",
					 (unsigned long long)inode->size);
		if (unik_e2r_walk(f->image, inode, one_block, f, err) < 0)
			return -1;
		if (!f->last_stored)
			return unik_fail(err, "a symlink without a block");
	}
	e->target = (const char *)f->buf;
	e->target_size = (size_t)inode->size;
	return 0;
}
