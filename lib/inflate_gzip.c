/* SPDX-License-Identifier: GPL-3.0-or-later */
/* inflate: gzip (RFC 1952), through ISA-L where the build has it, else zlib.
 * Both check the CRC and the length of every member. */
#include <stdlib.h>
#include <string.h>

#include "inflate_private.h"

#ifdef UNIK_ISAL
#include <isa-l/igzip_lib.h>

static void begin(struct inflate_state *z)
{
	isal_inflate_reset(z);
	z->crc_flag = ISAL_GZIP;
}

static int gzip_open(void **state, const struct unik_limits *limits,
		     struct unik_err *err)
{
	struct inflate_state *z = malloc(sizeof(*z));

	(void)limits;
	if (!z)
		return unik_fail_mem(err);
	isal_inflate_init(z);
	begin(z);
	*state = z;
	return 0;
}

static int gzip_error(int code, struct unik_err *err)
{
	switch (code) {
	case ISAL_INCORRECT_CHECKSUM:
		return unik_fail(err, "gzip data is corrupt: wrong checksum");
	case ISAL_UNSUPPORTED_METHOD:
	case ISAL_INVALID_WRAPPER:
		return unik_fail(err, "bad gzip header");
	default:
		return unik_fail(err, "gzip data is corrupt");
	}
}

static int gzip_run(void *state, struct unik_codec_io *io, struct unik_err *err)
{
	struct inflate_state *z = state;
	uint32_t nin = io->nin > 1u << 30 ? 1u << 30 : (uint32_t)io->nin;
	uint32_t nout = (uint32_t)io->nout;
	int code;

	if (z->block_state == ISAL_BLOCK_FINISH)
		begin(z);
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
