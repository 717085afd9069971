/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "inflate.h"

#include <stdlib.h>
#include <string.h>

#include "inflate_private.h"
#include "limits.h"
#include "tar.h"

#define HEAD 512

struct inflate_source {
	struct unik_source base;
	struct unik_source *src;        /* borrowed */
	const struct unik_codec *codec; /* NULL: plain */
	const struct unik_limits *limits;
	void *state;
	uint8_t head[HEAD]; /* read for the magic; comes before src */
	size_t head_size;
	size_t head_used;
	uint64_t in;
	uint64_t out;
	bool in_member;
	uint8_t *buf;
};

static const struct unik_codec *const codecs[] = {
	[UNIK_PLAIN] = NULL,
	[UNIK_GZIP] = &unik_codec_gzip,
	[UNIK_ZSTD] = &unik_codec_zstd,
	[UNIK_XZ] = &unik_codec_xz,
	[UNIK_BZIP2] = &unik_codec_bzip2,
};

#define NCODECS (sizeof(codecs) / sizeof(codecs[0]))

/* RFC 8878 3.1.2: 0x184D2A50..5F, little-endian. */
static bool zstd_skippable(const uint8_t *p, size_t n)
{
	return n >= 4 && (p[0] & 0xf0) == 0x50 && p[1] == 0x2a &&
	       p[2] == 0x4d && p[3] == 0x18;
}

enum unik_compression unik_compression_of(const uint8_t *head, size_t n)
{
	size_t i;

	if (n >= HEAD && unik_tar_is_header(head))
		return UNIK_PLAIN;
	if (zstd_skippable(head, n))
		return UNIK_ZSTD;
	for (i = 1; i < NCODECS; i++)
		if (n >= codecs[i]->magic_size &&
		    memcmp(head, codecs[i]->magic, codecs[i]->magic_size) == 0)
			return (enum unik_compression)i;
	return UNIK_PLAIN;
}

const char *unik_compression_name(enum unik_compression c)
{
	return c == UNIK_PLAIN ? "plain" : codecs[c]->name;
}

/* Input at hand: the head first, then the source. */
static int input(struct inflate_source *s, const uint8_t **p, size_t *n,
		 struct unik_err *err)
{
	if (s->head_used < s->head_size) {
		*p = s->head + s->head_used;
		*n = s->head_size - s->head_used;
		return 0;
	}
	return unik_source_peek(s->src, p, n, err);
}

static void consume(struct inflate_source *s, size_t n)
{
	s->in += n;
	if (s->head_used < s->head_size)
		s->head_used += n;
	else
		unik_source_advance(s->src, n);
}

static int check_ratio(struct inflate_source *s, struct unik_err *err)
{
	uint64_t most;

	if (s->out > UNIK_RATIO_GRACE &&
	    unik_mul(s->in, s->limits->ratio, &most) && s->out > most)
		return unik_fail(err, "%s data grows more than %llu times "
				 "(--max-ratio)", s->codec->name,
				 (unsigned long long)s->limits->ratio);
	return 0;
}

/* What the decoder's output goes to. */
struct output {
	uint8_t *buf;
	size_t room;
	size_t *got;
};

/* One call of the decoder. */
static int run_codec(struct inflate_source *s, const uint8_t *p, size_t n,
		     bool last, const struct output *out, struct unik_err *err)
{
	struct unik_codec_io io = { p, n, out->buf, out->room, last };
	int rc = s->codec->run(s->state, &io, err);

	if (rc < 0)
		return -1;
	if (n > 0)
		consume(s, n - io.nin);
	s->in_member = rc != 1;
	*out->got = out->room - io.nout;
	s->out += *out->got;
	if (rc == 0 && io.nin == n && *out->got == 0 && last)
		return unik_fail(err, "%s data is cut short", s->codec->name);
	return check_ratio(s, err);
}

static int inflate_into(struct unik_source *base, uint8_t *buf, size_t room,
			size_t *got, struct unik_err *err)
{
	struct inflate_source *s = (struct inflate_source *)base;
	const struct output out = { buf, room, got };

	do {
		const uint8_t *p = s->head; /* not NULL where n is 0 */
		size_t n = 0;
		int rc = input(s, &p, &n, err);

		if (rc < 0)
			return -1;
		if (rc == 1 && !s->in_member)
			return 1;
		if (rc == 0 && !s->in_member && p[0] != s->codec->magic[0] &&
		    !(s->codec == &unik_codec_zstd && (p[0] & 0xf0) == 0x50) &&
		    !(s->codec == &unik_codec_xz && p[0] == 0))
			return unik_fail(err, "garbage behind the %s data",
					 s->codec->name);
		if (run_codec(s, p, n, rc == 1, &out, err) < 0)
			return -1;
	} while (*got == 0);
	return 0;
}

static int inflate_fill(struct unik_source *base, struct unik_err *err)
{
	struct inflate_source *s = (struct inflate_source *)base;

	if (!s->buf)
		s->buf = aligned_alloc(4096, UNIK_CHUNK);
	if (!s->buf)
		return unik_fail_mem(err);
	base->cur = s->buf;
	return inflate_into(base, s->buf, UNIK_CHUNK, &base->avail, err);
}

static int plain_fill(struct unik_source *base, struct unik_err *err)
{
	struct inflate_source *s = (struct inflate_source *)base;
	const uint8_t *p;
	size_t n;
	int rc = input(s, &p, &n, err);

	if (rc != 0)
		return rc;
	if (s->head_used < s->head_size) {
		s->base.cur = p;
		s->base.avail = n;
		s->head_used = s->head_size;
		return 0;
	}
	/* The source keeps its bytes until it is filled again. */
	s->base.cur = p;
	s->base.avail = n;
	unik_source_advance(s->src, n);
	return 0;
}

static void inflate_free(struct unik_source *base)
{
	struct inflate_source *s = (struct inflate_source *)base;

	if (s->codec && s->state)
		s->codec->free(s->state);
	free(s->buf);
	free(s);
}

static const struct unik_source_ops inflate_ops = {
	.fill = inflate_fill,
	.into = inflate_into,
	.free = inflate_free,
};
static const struct unik_source_ops plain_ops = {
	.fill = plain_fill,
	.free = inflate_free,
};

static int start(struct inflate_source *s, enum unik_compression *found,
		 struct unik_err *err)
{
	if (unik_source_read(s->src, s->head, HEAD, &s->head_size, err) < 0)
		return -1;
	*found = unik_compression_of(s->head, s->head_size);
	s->codec = codecs[*found];
	s->base.ops = s->codec ? &inflate_ops : &plain_ops;
	if (!s->codec)
		return 0;
	s->in_member = true;
	return s->codec->open(&s->state, s->limits, err);
}

int unik_source_inflate(struct unik_source **out, struct unik_source *src,
			const struct unik_limits *limits,
			enum unik_compression *found, struct unik_err *err)
{
	struct inflate_source *s = calloc(1, sizeof(*s));

	if (!s)
		return unik_fail_mem(err);
	s->src = src;
	s->limits = limits;
	if (start(s, found, err) < 0) {
		inflate_free(&s->base);
		return -1;
	}
	*out = &s->base;
	return 0;
}
