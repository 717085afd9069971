/* SPDX-License-Identifier: GPL-3.0-or-later */
/* inflate: zstd (RFC 8878).  Skippable frames are passed over by libzstd. */
#include <zstd.h>
#include <zstd_errors.h>

#include "inflate_private.h"

static int window_log(uint64_t bytes)
{
	int log = 10; /* RFC 8878: the smallest window is 1 KiB */

	while (log < 31 && (UINT64_C(2) << log) <= bytes)
		log++;
	return log;
}

static int zstd_open(void **state, const struct unik_limits *limits,
		     struct unik_err *err)
{
	ZSTD_DCtx *z = ZSTD_createDCtx();

	if (!z)
		return unik_fail_mem(err);
	if (ZSTD_isError(ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax,
						window_log(limits->window)))) {
		ZSTD_freeDCtx(z);
		return unik_fail_io(err, "libzstd refuses the window limit");
	}
	*state = z;
	return 0;
}

static int zstd_run(void *state, struct unik_codec_io *io, struct unik_err *err)
{
	ZSTD_inBuffer in = { io->in, io->nin, 0 };
	ZSTD_outBuffer out = { io->out, io->nout, 0 };
	size_t code = ZSTD_decompressStream(state, &out, &in);

	if (ZSTD_isError(code)) {
		switch (ZSTD_getErrorCode(code)) {
		case ZSTD_error_memory_allocation:
			return unik_fail_mem(err);
		case ZSTD_error_frameParameter_windowTooLarge:
			return unik_fail(err, "zstd data wants too large a "
					 "window (--max-window)");
		case ZSTD_error_prefix_unknown:
			return unik_fail(err, "garbage in the zstd data");
		default:
			return unik_fail(err, "zstd data is corrupt: %s",
					 ZSTD_getErrorName(code));
		}
	}
	io->in += in.pos;
	io->nin -= in.pos;
	io->out += out.pos;
	io->nout -= out.pos;
	return code == 0;
}

static void zstd_free(void *state)
{
	ZSTD_freeDCtx(state);
}

const struct unik_codec unik_codec_zstd = {
	.name = "zstd",
	.magic = { 0x28, 0xb5, 0x2f, 0xfd },
	.magic_size = 4,
	.open = zstd_open,
	.run = zstd_run,
	.free = zstd_free,
};
