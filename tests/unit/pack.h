/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Compressed streams for the tests, made by the libraries themselves. */
#ifndef UNIK_TEST_PACK_H
#define UNIK_TEST_PACK_H

#include <bzlib.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "core.h"

/* Bytes that grow. */
struct bytes {
	uint8_t *p;
	size_t size;
	size_t room;
};

UNUSED static void grow_to(struct bytes *b, size_t room)
{
	if (room <= b->room)
		return;
	b->p = realloc(b->p, room);
	if (!b->p)
		die("realloc");
	b->room = room;
}

UNUSED static void add_bytes(struct bytes *b, const void *data, size_t n)
{
	grow_to(b, 2 * (b->size + n) + 64);
	if (n > 0)
		memcpy(b->p + b->size, data, n);
	b->size += n;
}

UNUSED static void drop_bytes(struct bytes *b)
{
	free(b->p);
	memset(b, 0, sizeof(*b));
}

/* One gzip member; `flush` after every `piece` bytes (0: never). */
UNUSED static void add_gzip_as(struct bytes *b, const void *data, size_t n,
			       int level, int strategy, int flush, size_t piece,
			       gz_header *header)
{
	z_stream z = { 0 };
	int rc;

	if (deflateInit2(&z, level, Z_DEFLATED, 15 + 16, 8, strategy) != Z_OK)
		die("deflateInit2");
	if (header && deflateSetHeader(&z, header) != Z_OK)
		die("deflateSetHeader");
	z.next_in = (Bytef *)(uintptr_t)data;
	do {
		size_t left = (size_t)((const Bytef *)data + n - z.next_in);
		size_t some = piece && piece < left ? piece : left;

		z.avail_in = (uInt)some;
		do {
			grow_to(b, b->size + 70000);
			z.next_out = b->p + b->size;
			z.avail_out = (uInt)(b->room - b->size);
			rc = deflate(&z, some == left ? Z_FINISH : flush);
			b->size = b->room - z.avail_out;
		} while (z.avail_out == 0);
		if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
			die("deflate");
	} while (rc != Z_STREAM_END);
	deflateEnd(&z);
}

UNUSED static void add_gzip(struct bytes *b, const void *data, size_t n)
{
	add_gzip_as(b, data, n, 6, Z_DEFAULT_STRATEGY, Z_NO_FLUSH, 0, NULL);
}

/* One zstd frame with a checksum; `window` log 0: the library's choice. */
UNUSED static void add_zstd_as(struct bytes *b, const void *data, size_t n,
			       int level, int window, size_t piece)
{
	ZSTD_CCtx *z = ZSTD_createCCtx();
	ZSTD_inBuffer in = { data, 0, 0 };
	size_t left, rc;

	ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1);
	ZSTD_CCtx_setParameter(z, ZSTD_c_compressionLevel, level);
	if (window)
		ZSTD_CCtx_setParameter(z, ZSTD_c_windowLog, window);
	do {
		left = n - in.pos;
		in.size = in.pos + (piece && piece < left ? piece : left);
		do {
			ZSTD_outBuffer out;

			grow_to(b, b->size + ZSTD_CStreamOutSize());
			out = (ZSTD_outBuffer){ b->p, b->room, b->size };
			rc = ZSTD_compressStream2(z, &out, &in,
						  in.size == n ? ZSTD_e_end
							       : ZSTD_e_flush);
			if (ZSTD_isError(rc))
				die(ZSTD_getErrorName(rc));
			b->size = out.pos;
		} while (rc != 0);
	} while (in.pos < n);
	ZSTD_freeCCtx(z);
}

UNUSED static void add_zstd(struct bytes *b, const void *data, size_t n)
{
	add_zstd_as(b, data, n, 3, 0, 0);
}

/* RFC 8878 3.1.2: a magic with a free nibble, a length, and bytes of it. */
UNUSED static void add_skippable(struct bytes *b, unsigned nibble, size_t n)
{
	uint8_t head[8] = { (uint8_t)(0x50 | nibble), 0x2a, 0x4d, 0x18,
			    (uint8_t)n, (uint8_t)(n >> 8), 0, 0 };
	size_t i;

	add_bytes(b, head, sizeof(head));
	for (i = 0; i < n; i++)
		add_bytes(b, "\x28", 1);
}

/* One xz stream; `flush` (LZMA_FULL_FLUSH, ...) after every `piece` bytes. */
UNUSED static void add_xz_as(struct bytes *b, const void *data, size_t n,
			     lzma_check check, uint32_t dict, lzma_action flush,
			     size_t piece)
{
	lzma_stream z = LZMA_STREAM_INIT;
	lzma_options_lzma lz;
	lzma_filter filters[] = { { LZMA_FILTER_LZMA2, &lz },
				  { LZMA_VLI_UNKNOWN, NULL } };
	size_t at = 0, some;
	lzma_ret rc;

	lzma_lzma_preset(&lz, 0);
	if (dict)
		lz.dict_size = dict;
	if (lzma_stream_encoder(&z, filters, check) != LZMA_OK)
		die("lzma_stream_encoder");
	do {
		some = piece && piece < n - at ? piece : n - at;
		z.next_in = (const uint8_t *)data + at;
		z.avail_in = some;
		at += some;
		do {
			grow_to(b, b->size + 70000);
			z.next_out = b->p + b->size;
			z.avail_out = b->room - b->size;
			rc = lzma_code(&z, at == n ? LZMA_FINISH : flush);
			b->size = b->room - z.avail_out;
		} while (rc == LZMA_OK && (z.avail_out == 0 || z.avail_in > 0 ||
					   flush != LZMA_RUN || at == n));
		if (rc != LZMA_OK && rc != LZMA_STREAM_END)
			die("lzma_code");
	} while (at < n);
	lzma_end(&z);
}

UNUSED static void add_xz(struct bytes *b, const void *data, size_t n)
{
	add_xz_as(b, data, n, LZMA_CHECK_CRC64, 0, LZMA_RUN, 0);
}

UNUSED static void add_bzip2(struct bytes *b, const void *data, size_t n)
{
	unsigned size = (unsigned)(n + n / 100 + 700);

	grow_to(b, b->size + size);
	if (BZ2_bzBuffToBuffCompress((char *)b->p + b->size, &size,
				     (char *)(uintptr_t)data, (unsigned)n, 1, 0,
				     0) != BZ_OK)
		die("bzip2");
	b->size += size;
}

#endif
