/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reader_ext2: directories as lists of entries (ext2-doc "Directory
 * Structure").  Blocks of an index look like unused entries. */
#include <stdlib.h>
#include <string.h>

#include "reader_ext2_private.h"

struct listing {
	struct e2r_image *image;
	e2r_entry_fn *fn;
	void *data;
	uint8_t *block;
	uint64_t next; /* number of the next block */
};

bool unik_e2r_is_dot(const struct e2r_entry *entry)
{
	return entry->name_size > 0 && entry->name_size <= 2 &&
	       memcmp(entry->name, "..", entry->name_size) == 0;
}

/* Fills *e from what lies at e->at. */
static int parse(const struct listing *l, struct e2r_entry *e,
		 struct unik_err *err)
{
	const uint8_t *p = l->block + e->at;
	const struct ext2_dirent *d = (const struct ext2_dirent *)p;
	uint32_t room = l->image->block_size - e->at;

	/* Entries begin at multiples of 4, so a head always has room. */
	if (room < sizeof(*d))
		return unik_fail(err, "block %u: no room for an entry at %u",
				 e->nblock, e->at);
	e->rec_len = ext2_get16(d->rec_len);
	e->ino = ext2_get32(d->inode);
	e->name_size = d->name_len;
	e->file_type = d->file_type;
	e->name = (const char *)p + sizeof(*d);
	if (e->rec_len % 4 != 0 || e->rec_len > room ||
	    e->rec_len < sizeof(*d) ||
	    (e->ino != 0 && e->rec_len < ext2_dirent_size(e->name_size)))
		return unik_fail(err, "block %u: an entry of %u bytes at %u",
				 e->nblock, e->rec_len, e->at);
	if (e->ino == 0)
		return 0;
	if (e->ino > l->image->ninodes)
		return unik_fail(err, "block %u: inode %u is outside",
				 e->nblock, e->ino);
	if (e->name_size == 0 || memchr(e->name, 0, e->name_size) ||
	    memchr(e->name, '/', e->name_size))
		return unik_fail(err, "block %u: a bad name at %u", e->nblock,
				 e->at);
	return 0;
}

/* "." and ".." come first, and only there. */
static int check_dots(const struct e2r_entry *e, uint32_t n,
		      struct unik_err *err)
{
	bool first = e->nblock == 0 && n < 2;

	if (first ? e->ino != 0 && e->name_size == n + 1 && unik_e2r_is_dot(e)
		  : e->ino == 0 || !unik_e2r_is_dot(e))
		return 0;
	return unik_fail(err, first ? "it does not begin with its dots"
				    : "it has dots behind the first two");
}

static int visit(void *data, uint32_t level, uint64_t logical, uint32_t block,
		 struct unik_err *err)
{
	struct listing *l = data;
	struct e2r_entry e = { .block = l->block };
	uint32_t n;
	int rc;

	if (level > 0)
		return 0;
	if (logical != l->next++ || l->next > UINT32_MAX)
		return unik_fail(err, "a hole before block %llu",
				 (unsigned long long)logical);
	if (unik_e2r_block(l->image, block, l->block, err) < 0)
		return -1;
	e.nblock = (uint32_t)logical;
	for (n = 0; e.at < l->image->block_size; n++, e.at += e.rec_len) {
		if (parse(l, &e, err) < 0 || check_dots(&e, n, err) < 0)
			return -1;
		rc = l->fn(l->data, &e, err);
		if (rc != 0)
			return rc;
	}
	return 0;
}

int unik_e2r_dir(struct e2r_image *image, const struct e2r_inode *inode,
		 e2r_entry_fn *fn, void *data, struct unik_err *err)
{
	struct listing l = { image, fn, data, NULL, 0 };
	int rc;

	l.block = malloc(image->block_size);
	if (!l.block)
		return unik_fail_mem(err);
	rc = unik_e2r_walk(image, inode, visit, &l, err);
	if (rc == 0 && (l.next == 0 ||
			l.next * image->block_size != inode->size))
		rc = unik_fail(err, "%llu blocks, but %llu bytes",
			       (unsigned long long)l.next,
			       (unsigned long long)inode->size);
	free(l.block);
	return rc;
}
