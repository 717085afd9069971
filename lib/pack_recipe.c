/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pack: bytes that are yet to be put together, read as one stream as often as
 * they are needed: to take their digest, to compress them, to write them. */
#include <stdlib.h>
#include <string.h>

#include "limits.h"
#include "pack_private.h"

static int add(struct pack_recipe *r, struct pack_piece piece,
	       struct unik_err *err)
{
	if (piece.size == 0)
		return 0;
	if (!unik_add(r->size, piece.size, &r->size))
		return unik_fail(err, "more than 2^64 bytes");
	if (r->n == r->room) {
		size_t room = r->room ? r->room * 2 : 8;
		struct pack_piece *v = realloc(r->v, room * sizeof(*v));

		if (!v)
			return unik_fail_mem(err);
		r->v = v;
		r->room = room;
	}
	r->v[r->n++] = piece;
	return 0;
}

int pack_recipe_range(struct pack_recipe *r, int fd, uint64_t offset,
		      uint64_t size, struct unik_err *err)
{
	const struct pack_piece piece = { NULL, fd, offset, size };

	return add(r, piece, err);
}

int pack_recipe_memory(struct pack_recipe *r, const void *data, size_t size,
		       struct unik_err *err)
{
	const struct pack_piece piece = { data, -1, 0, size };

	return add(r, piece, err);
}

int pack_recipe_zeros(struct pack_recipe *r, uint64_t size,
		      struct unik_err *err)
{
	const struct pack_piece piece = { NULL, -1, 0, size };

	return add(r, piece, err);
}

/* Headers lie in one buffer, which may still move: their pieces say where they
 * begin in it, under the descriptor -2. */
#define IN_BYTES (-2)

int pack_recipe_header(struct pack_recipe *r, const char *path, uint64_t size,
		       unsigned mode, struct unik_err *err)
{
	struct pack_piece piece = { NULL, IN_BYTES, r->bytes.size, 0 };

	pack_tar_header(&r->bytes, path, size, mode);
	if (r->bytes.no_memory)
		return unik_fail_mem(err);
	piece.size = r->bytes.size - piece.offset;
	return add(r, piece, err);
}

int pack_recipe_file(struct pack_recipe *r, const char *path, unsigned mode,
		     int fd, uint64_t offset, uint64_t size,
		     struct unik_err *err)
{
	if (pack_recipe_header(r, path, size, mode, err) < 0 ||
	    pack_recipe_range(r, fd, offset, size, err) < 0)
		return -1;
	return pack_recipe_zeros(r, pack_tar_padding(size), err);
}

int pack_recipe_end(struct pack_recipe *r, struct unik_err *err)
{
	return pack_recipe_zeros(r, UINT64_C(2) * TAR_BLOCK, err);
}

void pack_recipe_release(struct pack_recipe *r)
{
	free(r->v);
	free(r->bytes.p);
	memset(r, 0, sizeof(*r));
}

/* ---- the stream ---- */

struct stream {
	struct unik_source base;
	const struct pack_recipe *recipe;
	size_t next;  /* piece */
	uint64_t done; /* bytes of it */
	uint8_t *buf;
};

static size_t some(uint64_t left)
{
	return left < UNIK_CHUNK ? (size_t)left : UNIK_CHUNK;
}

static int fill(struct unik_source *base, struct unik_err *err)
{
	struct stream *s = (struct stream *)base;
	const struct pack_piece *p;
	size_t n;

	while (s->next < s->recipe->n &&
	       s->done == s->recipe->v[s->next].size) {
		s->next++;
		s->done = 0;
	}
	if (s->next == s->recipe->n)
		return 1;
	p = &s->recipe->v[s->next];
	n = some(p->size - s->done);
	base->cur = s->buf;
	if (p->memory)
		base->cur = p->memory + s->done;
	else if (p->fd == IN_BYTES)
		base->cur = s->recipe->bytes.p + p->offset + s->done;
	else if (p->fd < 0)
		memset(s->buf, 0, n);
	else if (unik_pread_all(p->fd, s->buf, n, p->offset + s->done, err) < 0)
		return -1;
	base->avail = n;
	s->done += n;
	return 0;
}

static void stream_free(struct unik_source *base)
{
	struct stream *s = (struct stream *)base;

	free(s->buf);
	free(s);
}

static const struct unik_source_ops stream_ops = {
	.fill = fill, .free = stream_free,
};

int pack_recipe_source(struct unik_source **out, const struct pack_recipe *r,
		       struct unik_err *err)
{
	struct stream *s = calloc(1, sizeof(*s));

	if (s)
		s->buf = malloc(UNIK_CHUNK);
	if (!s || !s->buf) {
		free(s);
		return unik_fail_mem(err);
	}
	s->base.ops = &stream_ops;
	s->recipe = r;
	*out = &s->base;
	return 0;
}
