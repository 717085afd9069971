/* SPDX-License-Identifier: GPL-3.0-or-later */
/* inflate: the vtable of a decompressor; no other room includes this. */
#ifndef UNIK_INFLATE_PRIVATE_H
#define UNIK_INFLATE_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* Bytes in and out; a decoder moves the pointers and counts. */
struct unik_codec_io {
	const uint8_t *in;
	size_t nin;
	uint8_t *out;
	size_t nout;
	bool last; /* no input follows that which is here */
};

struct unik_codec {
	const char *name;
	uint8_t magic[6];
	size_t magic_size;
	int (*open)(void **state, const struct unik_limits *limits,
		    struct unik_err *err);
	/* Decodes some: 0 to be called again, 1 a member (frame, stream) has
	 * just ended, -1 bad data.  Calls after 1 begin the next member. */
	int (*run)(void *state, struct unik_codec_io *io, struct unik_err *err);
	void (*free)(void *state);
};

extern const struct unik_codec unik_codec_gzip;
extern const struct unik_codec unik_codec_zstd;
extern const struct unik_codec unik_codec_xz;
extern const struct unik_codec unik_codec_bzip2;

#endif
