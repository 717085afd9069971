/* SPDX-License-Identifier: GPL-3.0-or-later */
/* inflate: gzip (RFC 1952), through ISA-L where the build has it, else zlib.
 * Both check the CRC and the length of every member. */
#include <stdlib.h>

#include "inflate_private.h"

#ifdef UNIK_ISAL
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>

/* RFC 1952 2.3.1: the flags of a member's header; the upper three bits "must"
 * be zero. */
enum { FHCRC = 2, FEXTRA = 4, FNAME = 8, FCOMMENT = 16, RESERVED = 0xe0 };

enum part { FIXED, EXTRA_SIZE, EXTRA, NAME, COMMENT, HCRC, DONE };

/*
 * ISA-L 2.30 takes reserved flags, and refuses a header with a checksum where
 * its input is split inside of it; so headers are read here.
 */
struct gzip {
	struct inflate_state z;
	enum part part;
	unsigned at; /* bytes of the part */
	uint8_t flags;
	uint16_t left; /* of the extra field */
	uint16_t want; /* checksum of the header */
	uint32_t crc;
};

static void begin(struct gzip *g)
{
	isal_inflate_reset(&g->z);
	g->z.crc_flag = ISAL_GZIP_NO_HDR_VER;
	g->part = FIXED;
	g->at = 0;
	g->left = 0;
	g->want = 0;
	g->crc = 0;
}

static int gzip_open(void **state, const struct unik_limits *limits,
		     struct unik_err *err)
{
	struct gzip *g = malloc(sizeof(*g));

	(void)limits;
	if (!g)
		return unik_fail_mem(err);
	isal_inflate_init(&g->z);
	begin(g);
	*state = g;
	return 0;
}

/* Goes to the next part that the header has. */
static void next_part(struct gzip *g)
{
	g->at = 0;
	do
		g->part++;
	while ((g->part == EXTRA_SIZE && !(g->flags & FEXTRA)) ||
	       (g->part == EXTRA && g->left == 0) ||
	       (g->part == NAME && !(g->flags & FNAME)) ||
	       (g->part == COMMENT && !(g->flags & FCOMMENT)) ||
	       (g->part == HCRC && !(g->flags & FHCRC)));
}

/* One of the ten bytes that every header has. */
static bool fixed_byte(struct gzip *g, uint8_t c)
{
	static const uint8_t magic[3] = { 0x1f, 0x8b, 8 /* deflate */ };

	if (g->at < sizeof(magic))
		return c == magic[g->at];
	if (g->at == 3)
		g->flags = c;
	return g->at != 3 || !(c & RESERVED);
}

/* One byte of the header; false where it can't be. */
static bool header_byte(struct gzip *g, uint8_t c)
{
	bool last, good = true;

	switch (g->part) {
	case FIXED:
		good = fixed_byte(g, c);
		last = g->at == 9;
		break;
	case EXTRA_SIZE:
		g->left = (uint16_t)(g->left | c << 8 * g->at);
		last = g->at == 1;
		break;
	case EXTRA:
		last = --g->left == 0;
		break;
	case HCRC:
		g->want = (uint16_t)(g->want | c << 8 * g->at);
		last = g->at == 1;
		good = !last || g->want == (g->crc & 0xffff);
		break;
	default: /* a name or a comment ends in a NUL */
		last = c == 0;
		break;
	}
	if (g->part != HCRC)
		g->crc = crc32_gzip_refl(g->crc, &c, 1);
	g->at++;
	if (last)
		next_part(g);
	return good;
}

static int gzip_error(int code, struct unik_err *err)
{
	return unik_fail(err, "gzip data is corrupt%s",
			 code == ISAL_INCORRECT_CHECKSUM ? ": wrong checksum"
							 : "");
}

static int gzip_run(void *state, struct unik_codec_io *io, struct unik_err *err)
{
	struct gzip *g = state;
	struct inflate_state *z = &g->z;
	uint32_t nout = (uint32_t)io->nout, nin;
	int code;

	if (z->block_state == ISAL_BLOCK_FINISH)
		begin(g);
	for (; g->part != DONE; io->in++, io->nin--) {
		if (io->nin == 0)
			return 0;
		if (!header_byte(g, *io->in))
			return unik_fail(err, "bad gzip header");
	}
	nin = io->nin > 1u << 30 ? 1u << 30 : (uint32_t)io->nin;
	z->next_in = (uint8_t *)(uintptr_t)io->in;
	z->avail_in = nin;
	z->next_out = io->out;
	z->avail_out = nout;
	code = isal_inflate(z);
	if (code < 0)
		return gzip_error(code, err);
	io->in += nin - z->avail_in;
	io->nin -= nin - z->avail_in;
	io->out += nout - z->avail_out;
	io->nout -= nout - z->avail_out;
	return z->block_state == ISAL_BLOCK_FINISH;
}

static void gzip_free(void *state)
{
	free(state);
}

#else
#include <zlib.h>

static int gzip_open(void **state, const struct unik_limits *limits,
		     struct unik_err *err)
{
	z_stream *z = calloc(1, sizeof(*z));

	(void)limits;
	if (!z)
		return unik_fail_mem(err);
	if (inflateInit2(z, 15 + 16) != Z_OK) { /* 16: gzip only */
		free(z);
		return unik_fail_mem(err);
	}
	*state = z;
	return 0;
}

static int gzip_run(void *state, struct unik_codec_io *io, struct unik_err *err)
{
	z_stream *z = state;
	uInt nin = io->nin > 1u << 30 ? 1u << 30 : (uInt)io->nin;
	uInt nout = (uInt)io->nout;
	int code;

	z->next_in = (Bytef *)(uintptr_t)io->in;
	z->avail_in = nin;
	z->next_out = io->out;
	z->avail_out = nout;
	code = inflate(z, Z_NO_FLUSH);
	if (code == Z_MEM_ERROR)
		return unik_fail_mem(err);
	if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
		return unik_fail(err, "gzip data is corrupt: %s",
				 z->msg ? z->msg : "bad data");
	io->in += nin - z->avail_in;
	io->nin -= nin - z->avail_in;
	io->out += nout - z->avail_out;
	io->nout -= nout - z->avail_out;
	if (code != Z_STREAM_END)
		return 0;
	inflateReset(z);
	return 1;
}

static void gzip_free(void *state)
{
	inflateEnd(state);
	free(state);
}
#endif

const struct unik_codec unik_codec_gzip = {
	.name = "gzip",
	.magic = { 0x1f, 0x8b },
	.magic_size = 2,
	.open = gzip_open,
	.run = gzip_run,
	.free = gzip_free,
};
