/* SPDX-License-Identifier: GPL-3.0-or-later */
/* inflate: xz (The .xz File Format 1.1.0), concatenated streams and stream
 * padding included. */
#include <stdlib.h>

#include <lzma.h>

#include "inflate_private.h"

static int xz_open(void **state, const struct unik_limits *limits,
		   struct unik_err *err)
{
	const lzma_stream fresh = LZMA_STREAM_INIT;
	lzma_stream *z = malloc(sizeof(*z));

	if (!z)
		return unik_fail_mem(err);
	*z = fresh;
	if (lzma_stream_decoder(z, limits->window, LZMA_CONCATENATED) !=
	    LZMA_OK) {
		free(z);
		return unik_fail_mem(err);
	}
	*state = z;
	return 0;
}

static int xz_error(lzma_ret code, struct unik_err *err)
{
	switch (code) {
	case LZMA_MEM_ERROR:
		return unik_fail_mem(err);
	case LZMA_MEMLIMIT_ERROR:
		return unik_fail(err, "xz data wants too large a dictionary "
				 "(--max-window)");
	case LZMA_BUF_ERROR:
		return unik_fail(err, "xz data is cut short");
	case LZMA_FORMAT_ERROR:
		return unik_fail(err, "garbage in the xz data");
	default:
		return unik_fail(err, "xz data is corrupt");
	}
}

/* With LZMA_CONCATENATED the whole input is one member: it ends only when the
 * decoder is told that no input follows. */
static int xz_run(void *state, struct unik_codec_io *io, struct unik_err *err)
{
	lzma_stream *z = state;
	lzma_ret code;

	z->next_in = io->in;
	z->avail_in = io->nin;
	z->next_out = io->out;
	z->avail_out = io->nout;
	code = lzma_code(z, io->last ? LZMA_FINISH : LZMA_RUN);
	if (code != LZMA_OK && code != LZMA_STREAM_END)
		return xz_error(code, err);
	io->in += io->nin - z->avail_in;
	io->nin = z->avail_in;
	io->out += io->nout - z->avail_out;
	io->nout = z->avail_out;
	return code == LZMA_STREAM_END;
}

static void xz_free(void *state)
{
	lzma_end(state);
	free(state);
}

const struct unik_codec unik_codec_xz = {
	.name = "xz",
	.magic = { 0xfd, '7', 'z', 'X', 'Z', 0 },
	.magic_size = 6,
	.open = xz_open,
	.run = xz_run,
	.free = xz_free,
};
