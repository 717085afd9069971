/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tar: GNU sparse maps in their four forms (GNU tar manual, "Storing Sparse
 * Files"): old GNU, pax 0.0, 0.1 and 1.0. */
#include <stdlib.h>
#include <string.h>

#include "limits.h"
#include "tar_private.h"

int tar_sparse_add(struct unik_tar *t, uint64_t offset, uint64_t size,
		   struct unik_err *err)
{
	if (t->npieces >= t->limits->sparse)
		return unik_fail(err, "sparse map of more than %llu pieces "
				 "(--max-sparse)",
				 (unsigned long long)t->limits->sparse);
	if (t->npieces == t->piece_room) {
		uint32_t room = t->piece_room ? t->piece_room * 2 : 64;
		struct unik_piece *v =
			room ? realloc(t->pieces, room * sizeof(*v)) : NULL;

		if (!v)
			return unik_fail_mem(err);
		t->pieces = v;
		t->piece_room = room;
	}
	t->pieces[t->npieces].offset = offset;
	t->pieces[t->npieces].size = size;
	t->pieces[t->npieces++].stored = 0;
	return 0;
}

int tar_sparse_list(struct unik_tar *t, const char *s, size_t n,
		    struct unik_err *err)
{
	uint64_t v, offset = 0;
	bool second = false;

	while (n > 0) {
		const char *comma = memchr(s, ',', n);
		size_t len = comma ? (size_t)(comma - s) : n;

		if (!tar_decimal(s, len, &v))
			return unik_fail(err, "bad number in a sparse map");
		if (second && tar_sparse_add(t, offset, v, err) < 0)
			return -1;
		offset = v;
		second = !second;
		n -= len;
		s += len;
		if (n > 0 && (s++, --n == 0))
			return unik_fail(err, "sparse map ends in a comma");
	}
	if (second)
		return unik_fail(err, "sparse map of an odd length");
	return 0;
}

/* One group of old GNU entries: 12 bytes offset, 12 bytes size. */
static int old_entries(struct unik_tar *t, const char *p, int n,
		       struct unik_err *err)
{
	for (; n > 0; n--, p += 24) {
		int64_t offset, size;

		if (p[0] == 0)
			return 0;
		if (tar_number(p, 12, &offset, err, "sparse offset") < 0 ||
		    tar_number(p + 12, 12, &size, err, "sparse size") < 0)
			return -1;
		if (offset < 0 || size < 0)
			return unik_fail(err,
					 "negative number in a sparse map");
		if (tar_sparse_add(t, (uint64_t)offset, (uint64_t)size,
				   err) < 0)
			return -1;
	}
	return 0;
}

/* Old GNU: 4 entries at 386, isextended at 482, realsize at 483; extension
 * blocks of 21 entries with isextended at 504. */
int tar_sparse_old(struct unik_tar *t, struct unik_tar_entry *e,
		   struct unik_err *err)
{
	const char *h = (const char *)t->block.bytes;
	bool more = h[482] != 0;
	int64_t real;

	if (tar_dialect(&t->block.h) != TAR_GNU)
		return unik_fail(err, "sparse entry in a header that is not "
				 "GNU's");
	if (tar_number(h + 483, 12, &real, err, "real size") < 0)
		return -1;
	if (real < 0)
		return unik_fail(err, "negative size");
	t->npieces = 0;
	if (old_entries(t, h + 386, 4, err) < 0)
		return -1;
	while (more) {
		int rc = tar_read_block(t, t->block.bytes, err);

		if (rc == 1)
			return unik_fail(err, "sparse map is cut short");
		if (rc < 0 || old_entries(t, h, 21, err) < 0)
			return -1;
		more = h[504] != 0;
	}
	e->stored = e->size;
	e->size = (uint64_t)real;
	return 0;
}

/* Reads decimal lines of sparse 1.0 out of the data's first blocks. */
struct lines {
	struct unik_tar *t;
	uint8_t block[TAR_BLOCK];
	size_t at;
	uint64_t used; /* bytes of data read */
	uint64_t stored;
};

static int next_line(struct lines *l, uint64_t *out, struct unik_err *err)
{
	char digits[24];
	size_t n = 0;

	for (;;) {
		uint8_t c;

		if (l->at == TAR_BLOCK) {
			int rc = l->used + TAR_BLOCK > l->stored
					 ? 1
					 : tar_read_block(l->t, l->block, err);

			if (rc == 1)
				return unik_fail(err,
						 "sparse map is cut short");
			if (rc < 0)
				return -1;
			l->used += TAR_BLOCK;
			l->at = 0;
		}
		c = l->block[l->at++];
		if (c == '\n')
			break;
		if (n == sizeof(digits))
			return unik_fail(err, "bad number in a sparse map");
		digits[n++] = (char)c;
	}
	if (!tar_decimal(digits, n, out) || *out > INT64_MAX)
		return unik_fail(err, "bad number in a sparse map");
	return 0;
}

int tar_sparse_10(struct unik_tar *t, struct unik_tar_entry *e,
		  struct unik_err *err)
{
	struct lines l = { .t = t, .at = TAR_BLOCK, .stored = e->size };
	uint64_t n, i, offset, size;

	if (!(t->pax.have & PAX_SPARSE_SIZE))
		return unik_fail(err, "sparse entry without its real size");
	t->npieces = 0;
	if (next_line(&l, &n, err) < 0)
		return -1;
	for (i = 0; i < n; i++)
		if (next_line(&l, &offset, err) < 0 ||
		    next_line(&l, &size, err) < 0 ||
		    tar_sparse_add(t, offset, size, err) < 0)
			return -1;
	e->stored = e->size - l.used;
	e->size = t->pax.sparse_size;
	return 0;
}

int tar_sparse_finish(struct unik_tar *t, struct unik_tar_entry *e,
		      struct unik_err *err)
{
	uint64_t end = 0, sum = 0, stop;
	uint32_t i, out = 0;

	for (i = 0; i < t->npieces; i++) {
		struct unik_piece p = t->pieces[i];

		if (p.offset < end || !unik_add(p.offset, p.size, &stop) ||
		    stop > e->size)
			return unik_fail(err, "sparse map is out of order or "
					 "past the end of the file");
		end = stop;
		p.stored = e->offset + sum;
		sum += p.size;
		if (p.size > 0)
			t->pieces[out++] = p;
	}
	if (sum != e->stored)
		return unik_fail(err, "sparse map names %llu bytes of data, "
				 "%llu are stored", (unsigned long long)sum,
				 (unsigned long long)e->stored);
	t->npieces = out;
	e->sparse = true;
	e->pieces = t->pieces;
	e->npieces = out;
	return 0;
}
