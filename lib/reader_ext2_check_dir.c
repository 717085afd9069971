/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reader_ext2: entries of directories (ext2-doc "Directory Structure").  In our
 * images they also are in order, fill each block to the brim, and leave zeros.
 */
#include <string.h>

#include "reader_ext2_check_private.h"

#define NAME_ROOM 256u

struct dir {
	struct e2r_check *c;
	const struct e2r_inode *inode;
	bool indexed;         /* ours */
	struct e2r_index index;
	uint64_t n;           /* entries */
	char before[NAME_ROOM]; /* the name before */
	uint32_t before_size; /* 0: none */
	uint32_t room;        /* bytes left in the block before */
};

/* ---- our form ---- */

/* By bytes, a name that another begins with first. */
static bool in_order(const struct dir *d, const struct e2r_entry *e)
{
	uint32_t n = d->before_size < e->name_size ? d->before_size
						   : e->name_size;
	int cmp = memcmp(d->before, e->name, n);

	return cmp < 0 || (cmp == 0 && d->before_size < e->name_size);
}

static int check_order(struct dir *d, const struct e2r_entry *e,
		       struct unik_err *err)
{
	bool same = true; /* the names decide */

	if (d->indexed && unik_e2r_index_entry(&d->index, &d->c->image, e,
					       &same, err) < 0)
		return -1;
	if (d->before_size > 0 && same && !in_order(d, e))
		return unik_fail(err, "entries are not in order");
	memcpy(d->before, e->name, e->name_size);
	d->before_size = e->name_size;
	return 0;
}

/* Whether the block holds a piece of the index: not entries, but for the dots
 * in block 0. */
static bool is_index(const struct dir *d, const struct e2r_entry *e)
{
	return d->indexed && e->nblock <= d->index.nnodes;
}

static int check_packing(struct dir *d, const struct e2r_entry *e,
			 struct unik_err *err)
{
	uint32_t size = ext2_dirent_size(e->name_size);
	uint32_t used = (uint32_t)sizeof(struct ext2_dirent) + e->name_size;
	bool last = e->at + e->rec_len == d->c->image.block_size;

	if (e->ino == 0)
		return unik_fail(err, "an unused entry");
	if (!last && e->rec_len != size)
		return unik_fail(err, "an entry of %u bytes that needs %u",
				 e->rec_len, size);
	if (e->at == 0 && e->nblock > 0 && d->room >= size)
		return unik_fail(err, "block %u has room left", e->nblock - 1);
	d->room = e->rec_len - size;
	if (!unik_all_zero(e->name + e->name_size, e->rec_len - used))
		return unik_fail(err, "bytes behind a name");
	return 0;
}

static int check_form(struct dir *d, const struct e2r_entry *e,
		      struct unik_err *err)
{
	/* The root of the index is in the room of "..". */
	if (is_index(d, e) && e->nblock == 0) {
		d->room = 0;
		if (e->rec_len != (e->at == 0 ? ext2_dirent_size(1) :
				   d->c->image.block_size -
				   ext2_dirent_size(1)) ||
		    !unik_all_zero(e->name + e->name_size, 4 - e->name_size))
			return unik_fail(err, "its dots");
		return 0;
	}
	if (check_packing(d, e, err) < 0)
		return -1;
	return unik_e2r_is_dot(e) ? 0 : check_order(d, e, err);
}

/* ---- one entry ---- */

static int check_type(const struct dir *d, const struct e2r_entry *e,
		      struct unik_err *err)
{
	static const uint8_t types[UNIK_NTYPES] = {
		[UNIK_FILE] = EXT2_FT_FILE,	  [UNIK_DIR] = EXT2_FT_DIR,
		[UNIK_SYMLINK] = EXT2_FT_SYMLINK, [UNIK_CHAR] = EXT2_FT_CHR,
		[UNIK_BLOCK] = EXT2_FT_BLK,	  [UNIK_FIFO] = EXT2_FT_FIFO,
		[UNIK_SOCKET] = EXT2_FT_SOCK,
	};
	uint8_t want;

	if (d->c->state[e->ino - 1] == 0)
		return unik_fail(err, "inode %u is not in use", e->ino);
	want = d->c->image.filetype ? types[unik_e2r_type_of(d->c, e->ino)] : 0;
	if (e->file_type != want)
		return unik_fail(err, "an entry of type %u, its inode %u has "
				 "%u", e->file_type, e->ino, want);
	return 0;
}

static int check_dot(struct dir *d, const struct e2r_entry *e,
		     struct unik_err *err)
{
	uint32_t ino = d->inode->ino;

	if (e->name_size == 2)
		d->c->dotdot[ino - 1] = e->ino;
	else if (e->ino != ino)
		return unik_fail(err, "'.' is inode %u", e->ino);
	return 0;
}

static int check_name(struct dir *d, const struct e2r_entry *e,
		      struct unik_err *err)
{
	struct e2r_check *c = d->c;

	d->n++;
	if (e->ino < c->image.first_ino)
		return unik_fail(err, "inode %u is reserved", e->ino);
	if (unik_e2r_type_of(c, e->ino) != UNIK_DIR)
		return 0;
	if (c->parent[e->ino - 1] != 0)
		return unik_fail(err, "inode %u, a directory, has two names",
				 e->ino);
	c->parent[e->ino - 1] = d->inode->ino;
	return 0;
}

static int check_entry(void *data, const struct e2r_entry *e,
		       struct unik_err *err)
{
	struct dir *d = data;
	int rc;

	if (d->indexed && e->at == 0 && is_index(d, e) &&
	    unik_e2r_index_block(&d->index, &d->c->image, e, err) < 0)
		return -1;
	if (d->indexed && e->nblock > 0 && is_index(d, e))
		return 0;
	if (d->c->ours && check_form(d, e, err) < 0)
		return -1;
	if (e->ino == 0)
		return 0;
	if (check_type(d, e, err) < 0)
		return -1;
	rc = unik_e2r_is_dot(e) ? check_dot(d, e, err) : check_name(d, e, err);
	if (d->c->names[e->ino - 1] == UINT32_MAX)
		return unik_fail(err, "inode %u has too many names", e->ino);
	d->c->names[e->ino - 1]++;
	return rc;
}

/* ---- one directory ---- */

/* Our directories have an index when they have several blocks, but for those
 * for NetBSD, and those too large for one. */
static int check_indexed(struct dir *d, struct unik_err *err)
{
	const struct e2r_image *image = &d->c->image;
	uint64_t n = d->inode->size / image->block_size;
	uint64_t per = image->block_size / sizeof(struct ext2_dx_entry);

	d->indexed = d->c->ours && (d->inode->flags & EXT2_INDEX_FL);
	if (!d->c->ours)
		return 0;
	if (d->indexed ? n < 2 || !image->filetype
		       : n > 1 && image->filetype && n < per * per / 2)
		return unik_fail(err, "%llu blocks %s an index",
				 (unsigned long long)n,
				 d->indexed ? "with" : "without");
	d->c->dir_index |= d->indexed;
	if (!d->indexed)
		return 0;
	return unik_e2r_index_init(&d->index, image, d->inode, err);
}

static int check_dir(struct e2r_check *c, uint32_t ino, struct unik_err *err)
{
	struct e2r_inode inode;
	struct dir d = { .c = c, .inode = &inode };
	int rc;

	if (unik_e2r_inode(&c->image, ino, &inode, err) < 0)
		return -1;
	rc = check_indexed(&d, err);
	if (rc == 0)
		rc = unik_e2r_dir(&c->image, &inode, check_entry, &d, err);
	unik_e2r_index_release(&d.index);
	if (rc == 0 && !c->ours && d.n > 1)
		rc = unik_e2r_check_unique(c, &inode, d.n, err);
	return rc < 0 ? unik_wrap(err, "directory %u", ino) : 0;
}

int unik_e2r_check_dirs(struct e2r_check *c, struct unik_err *err)
{
	uint32_t i;

	for (i = 0; i < c->image.ninodes; i++)
		if (c->state[i] && unik_e2r_type_of(c, i + 1) == UNIK_DIR &&
		    check_dir(c, i + 1, err) < 0)
			return -1;
	return 0;
}
