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

static int read_pieces(const struct unik_content *c, uint64_t off, uint8_t *buf,
		       size_t n, struct unik_err *err)
{
	uint32_t lo = first_piece(c, off);
	uint64_t end = off + n;

	memset(buf, 0, n);
	for (; lo < c->npieces && c->pieces[lo].offset < end; lo++) {
		const struct unik_piece *p = &c->pieces[lo];
		uint64_t from = p->offset > off ? p->offset : off;
		uint64_t to = p->offset + p->size < end ? p->offset + p->size
							: end;

		if (from < to &&
		    unik_pread_all(c->data->fd, buf + (from - off),
				   (size_t)(to - from),
				   p->stored + (from - p->offset), err) < 0)
			return -1;
	}
	return 0;
}

int unik_content_read(const struct unik_content *c, uint64_t off, void *buf,
		      size_t n, struct unik_err *err)
{
	if (n == 0)
		return 0;
	if (c->npieces > 0)
		return read_pieces(c, off, buf, n, err);
	if (c->holed && c->nextents == 0) {
		memset(buf, 0, n);
		return 0;
	}
	return unik_pread_all(c->data->fd, buf, n, c->offset + off, err);
}

/* ---- what a drain is told ---- */

typedef int tell_fn(struct unik_drain *d, uint64_t off, uint64_t n,
		    struct unik_err *err);

/* Where bytes [off, off + n) of a file are stored. */
static int tell_stored(const struct unik_content *c, uint64_t off, uint64_t n,
		       tell_fn *tell, struct unik_err *err)
{
	struct unik_drain *d = c->data->drain;
	uint64_t end = off + n;
	uint32_t i;

	if (c->npieces == 0)
		return tell(d, c->offset + off, n, err);
	for (i = first_piece(c, off);
	     i < c->npieces && c->pieces[i].offset < end; i++) {
		const struct unik_piece *p = &c->pieces[i];
		uint64_t from = p->offset > off ? p->offset : off;
		uint64_t to = p->offset + p->size < end ? p->offset + p->size
							: end;

		if (from < to && tell(d, p->stored + (from - p->offset),
				      to - from, err) < 0)
			return -1;
	}
	return 0;
}

/* Holes are not copied, even where their zeros are stored. */
static int tell_all(const struct unik_content *c, uint64_t size, tell_fn *tell,
		    struct unik_err *err)
{
	uint32_t i;

	if (!c->holed)
		return tell_stored(c, 0, size, tell, err);
	for (i = 0; i < c->nextents; i++) {
		const struct unik_extent *e = &c->extents[i];
		uint64_t off = (uint64_t)e->block * UNIK_HOLE_BLOCK;
		uint64_t n = (uint64_t)e->nblocks * UNIK_HOLE_BLOCK;

		if (off >= size)
			break;
		if (n > size - off)
			n = size - off;
		if (tell_stored(c, off, n, tell, err) < 0)
			return -1;
	}
	return 0;
}

int unik_content_want(const struct unik_content *c, uint64_t size,
		      struct unik_err *err)
{
	return tell_all(c, size, unik_drain_want, err);
}

int unik_content_leave(const struct unik_content *c, uint64_t size,
		       struct unik_err *err)
{
	return c->data->drain ? tell_all(c, size, unik_drain_take, err) : 0;
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

static int copy_data(const struct unik_content *c, uint64_t off, uint64_t n,
		     struct unik_sink *sink, struct unik_err *err)
{
	if (copy_stored(c, off, n, sink, err) < 0)
		return -1;
	return c->data->drain ? tell_stored(c, off, n, unik_drain_take, err)
			      : 0;
}

int unik_content_copy(const struct unik_content *c, uint64_t off, uint64_t n,
		      struct unik_sink *sink, struct unik_err *err)
{
	uint64_t end = off + n;
	uint32_t i;

	if (!c->holed)
		return copy_data(c, off, n, sink, err);
	for (i = 0; i < c->nextents && off < end; i++) {
		uint64_t from = (uint64_t)c->extents[i].block * UNIK_HOLE_BLOCK;
		uint64_t to = from + (uint64_t)c->extents[i].nblocks *
					     UNIK_HOLE_BLOCK;

		if (to <= off)
			continue;
		if (from > off) {
			uint64_t hole = (from < end ? from : end) - off;

			if (unik_sink_write(sink, NULL, hole, err) < 0)
				return -1;
			off += hole;
		}
		if (to > end)
			to = end;
		if (off < to && copy_data(c, off, to - off, sink, err) < 0)
			return -1;
		if (off < to)
			off = to;
	}
	return off < end ? unik_sink_write(sink, NULL, end - off, err) : 0;
}
