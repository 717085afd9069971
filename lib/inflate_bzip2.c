/* SPDX-License-Identifier: GPL-3.0-or-later */
/* inflate: bzip2; one decoder a member, made anew for the next. */
#include <stdlib.h>

#include <bzlib.h>

#include "inflate_private.h"

struct bzip2 {
	bz_stream z;
	bool open;
};

static int bzip2_open(void **state, const struct unik_limits *limits,
		      struct unik_err *err)
{
	(void)limits;
	*state = calloc(1, sizeof(struct bzip2));
	return *state ? 0 : unik_fail_mem(err);
}

static int bzip2_begin(struct bzip2 *b, struct unik_err *err)
{
	const bz_stream fresh = { 0 };

	if (b->open)
		return 0;
	b->z = fresh;
	if (BZ2_bzDecompressInit(&b->z, 0, 0) != BZ_OK)
		return unik_fail_mem(err);
	b->open = true;
	return 0;
}

static int bzip2_run(void *state, struct unik_codec_io *io,
		     struct unik_err *err)
{
	struct bzip2 *b = state;
	int code;

	if (bzip2_begin(b, err) < 0)
		return -1;
	b->z.next_in = (char *)(uintptr_t)io->in;
	b->z.avail_in = io->nin > 1u << 30 ? 1u << 30 : (unsigned)io->nin;
	b->z.next_out = (char *)io->out;
	b->z.avail_out = (unsigned)io->nout;
	code = BZ2_bzDecompress(&b->z);
	if (code == BZ_MEM_ERROR)
		return unik_fail_mem(err);
	if (code != BZ_OK && code != BZ_STREAM_END)
		return unik_fail(err, "bzip2 data is corrupt");
	io->nin -= (size_t)((const uint8_t *)b->z.next_in - io->in);
	io->in = (const uint8_t *)b->z.next_in;
	io->nout = b->z.avail_out;
	io->out = (uint8_t *)b->z.next_out;
	if (code != BZ_STREAM_END)
		return 0;
	BZ2_bzDecompressEnd(&b->z);
	b->open = false;
	return 1;
}

static void bzip2_free(void *state)
{
	struct bzip2 *b = state;

	if (b->open)
		BZ2_bzDecompressEnd(&b->z);
	free(b);
}

const struct unik_codec unik_codec_bzip2 = {
	.name = "bzip2",
	.magic = { 'B', 'Z', 'h' },
	.magic_size = 3,
	.open = bzip2_open,
	.run = bzip2_run,
	.free = bzip2_free,
};
