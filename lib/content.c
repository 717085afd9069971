/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tree: reading the content of files, sparse ones and holes included. */
#include <string.h>

#include "drain.h"
#include "io.h"
#include "tree.h"

/* The first that ends behind off. */
static uint32_t first_piece(const struct unik_content *c, uint64_t off)
{
	uint32_t lo = 0, hi = c->npieces;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (c->pieces[mid].offset + c->pieces[mid].size <= off)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* n bytes of a file, at off, are stored at `stored`. */
typedef int stored_fn(void *arg, uint64_t off, uint64_t n, uint64_t stored,
		      struct unik_err *err);

/* Where bytes [off, off + n) of a file are stored, in order. */
static int each_stored(const struct unik_content *c, uint64_t off, uint64_t n,
		       stored_fn *fn, void *arg, struct unik_err *err)
{
	uint64_t end = off + n;
	uint32_t i;

	if (c->npieces == 0)
		return fn(arg, off, n, c->offset + off, err);
	for (i = first_piece(c, off);
	     i < c->npieces && c->pieces[i].offset < end; i++) {
		const struct unik_piece *p = &c->pieces[i];
		uint64_t from = p->offset > off ? p->offset : off;
		uint64_t to = p->offset + p->size < end ? p->offset + p->size
							: end;

		if (from < to && fn(arg, from, to - from,
				    p->stored + (from - p->offset), err) < 0)
			return -1;
	}
	return 0;
}

typedef int data_fn(void *arg, uint64_t off, uint64_t n, struct unik_err *err);

/* What of bytes [off, off + n) of a file is no hole, in order. */
static int each_data(const struct unik_content *c, uint64_t off, uint64_t n,
		     data_fn *fn, void *arg, struct unik_err *err)
{
	uint64_t end = off + n;
	uint32_t i;

	if (!c->holed)
		return fn(arg, off, n, err);
	for (i = 0; i < c->nextents; i++) {
		const struct unik_extent *e = &c->extents[i];
		uint64_t from = (uint64_t)e->block * UNIK_HOLE_BLOCK;
		uint64_t to = from + (uint64_t)e->nblocks * UNIK_HOLE_BLOCK;

		if (from >= end)
			break;
		if (from < off)
			from = off;
		if (to > end)
			to = end;
		if (from < to && fn(arg, from, to - from, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- to memory ---- */

struct reading {
	const struct unik_content *c;
	uint64_t off; /* of the first byte of buf */
	uint8_t *buf;
};

static int read_stored(void *arg, uint64_t off, uint64_t n, uint64_t stored,
		       struct unik_err *err)
{
	struct reading *r = arg;

	return unik_pread_all(r->c->data->fd, r->buf + (off - r->off),
			      (size_t)n, stored, err);
}

int unik_content_read(const struct unik_content *c, uint64_t off, void *buf,
		      size_t n, struct unik_err *err)
{
	struct reading r = { c, off, buf };
	bool zeros = c->npieces == 0 && c->holed && c->nextents == 0;

	if (n == 0)
		return 0;
	if (c->npieces > 0 || zeros)
		memset(buf, 0, n);
	return zeros ? 0 : each_stored(c, off, n, read_stored, &r, err);
}

/* ---- what a drain is told ---- */

struct telling {
	const struct unik_content *c;
	int (*tell)(struct unik_drain *d, uint64_t off, uint64_t n,
		    struct unik_err *err);
};

static int tell_stored(void *arg, uint64_t off, uint64_t n, uint64_t stored,
		       struct unik_err *err)
{
	struct telling *t = arg;

	(void)off;
	return t->tell(t->c->data->drain, stored, n, err);
}

static int tell_data(void *arg, uint64_t off, uint64_t n, struct unik_err *err)
{
	struct telling *t = arg;

	return each_stored(t->c, off, n, tell_stored, t, err);
}

int unik_content_want(const struct unik_content *c, uint64_t size,
		      struct unik_err *err)
{
	struct telling t = { c, unik_drain_want };

	/* Holes are not copied, even where their zeros are stored. */
	return each_data(c, 0, size, tell_data, &t, err);
}

int unik_content_leave(const struct unik_content *c, uint64_t size,
		       struct unik_err *err)
{
	struct telling t = { c, unik_drain_take };

	return c->data->drain ? each_data(c, 0, size, tell_data, &t, err) : 0;
}

/* ---- to a sink ---- */

static int copy_stored(const struct unik_content *c, uint64_t off, uint64_t n,
		       struct unik_sink *sink, struct unik_err *err)
{
	if (c->npieces == 0 && !(c->holed && c->nextents == 0))
		return unik_sink_copy(sink, c->data->fd, c->offset + off, n,
				      err);
	while (n > 0) {
		uint8_t *buf = NULL;
		size_t room = 0;

		if (unik_sink_reserve(sink, n < UNIK_CHUNK ? (size_t)n
							   : UNIK_CHUNK,
				      &buf, &room, err) < 0 ||
		    unik_content_read(c, off, buf, room, err) < 0 ||
		    unik_sink_commit(sink, room, err) < 0)
			return -1;
		off += room;
		n -= room;
	}
	return 0;
}

struct copying {
	const struct unik_content *c;
	struct unik_sink *sink;
	uint64_t at; /* all before it is in the sink */
};

static int copy_hole(struct copying *y, uint64_t to, struct unik_err *err)
{
	return y->at < to ? unik_sink_write(y->sink, NULL, to - y->at, err) : 0;
}

static int copy_data(void *arg, uint64_t off, uint64_t n, struct unik_err *err)
{
	struct copying *y = arg;
	struct telling t = { y->c, unik_drain_take };

	if (copy_hole(y, off, err) < 0 ||
	    copy_stored(y->c, off, n, y->sink, err) < 0)
		return -1;
	y->at = off + n;
	return y->c->data->drain ? tell_data(&t, off, n, err) : 0;
}

int unik_content_copy(const struct unik_content *c, uint64_t off, uint64_t n,
		      struct unik_sink *sink, struct unik_err *err)
{
	struct copying y = { c, sink, off };

	if (each_data(c, off, n, copy_data, &y, err) < 0)
		return -1;
	return copy_hole(&y, off + n, err);
}
