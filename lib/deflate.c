/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "deflate.h"

#include <stdlib.h>
#include <string.h>

#include <zlib.h>
#include <zstd.h>

/* As gzip(1), and as zstd(1). */
#define GZIP_LEVEL 6
#define ZSTD_LEVEL 3

#define OUT_SIZE (128u << 10)

/* One stream of either kind: consumes all of data[0..n), and with `end` also
 * closes the stream. */
struct packer {
	int (*put)(struct packer *p, const uint8_t *data, size_t n, bool end,
		   struct unik_err *err);
	struct unik_sink *sink;
	z_stream z;
	bool z_open;
	ZSTD_CCtx *zstd;
	uint8_t *out;
};

int unik_deflate_most(enum unik_compression how)
{
	/* Above 19 zstd asks its readers for much memory. */
	return how == UNIK_GZIP ? 9 : how == UNIK_ZSTD ? 19 : 0;
}

/* Zeros are told as such, so that they may become holes of a file. */
static int put_plain(struct packer *p, const uint8_t *data, size_t n, bool end,
		     struct unik_err *err)
{
	bool zero = unik_all_zero(data, n);

	(void)end;
	return n > 0 ? unik_sink_write(p->sink, zero ? NULL : data, n, err) : 0;
}

static int put_gzip(struct packer *p, const uint8_t *data, size_t n, bool end,
		    struct unik_err *err)
{
	z_stream *z = &p->z;
	int rc;

	z->next_in = (Bytef *)(uintptr_t)data;
	z->avail_in = (uInt)n;
	do {
		z->next_out = p->out;
		z->avail_out = OUT_SIZE;
		rc = deflate(z, end ? Z_FINISH : Z_NO_FLUSH);
		if (rc == Z_STREAM_ERROR)
			return unik_fail_io(err, "gzip: %s",
					    z->msg ? z->msg : "can't compress");
		if (unik_sink_write(p->sink, p->out, OUT_SIZE - z->avail_out,
				    err) < 0)
			return -1;
	} while (end ? rc != Z_STREAM_END : z->avail_out == 0);
	return 0;
}

static int put_zstd(struct packer *p, const uint8_t *data, size_t n, bool end,
		    struct unik_err *err)
{
	ZSTD_inBuffer in = { data, n, 0 };
	size_t left;

	do {
		ZSTD_outBuffer out = { p->out, OUT_SIZE, 0 };

		left = ZSTD_compressStream2(p->zstd, &out, &in,
					    end ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(left))
			return unik_fail_io(err, "zstd: %s",
					    ZSTD_getErrorName(left));
		if (unik_sink_write(p->sink, p->out, out.pos, err) < 0)
			return -1;
	} while (end ? left > 0 : in.pos < in.size);
	return 0;
}

/* zlib writes a header without time and name; the system in it is Unix (zlib.h,
 * deflateInit2). */
static int open_gzip(struct packer *p, int level, struct unik_err *err)
{
	p->put = put_gzip;
	if (deflateInit2(&p->z, level, Z_DEFLATED, 15 + 16, 8,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return unik_fail_mem(err);
	p->z_open = true;
	return 0;
}

static int open_zstd(struct packer *p, int level, struct unik_err *err)
{
	p->put = put_zstd;
	p->zstd = ZSTD_createCCtx();
	if (!p->zstd)
		return unik_fail_mem(err);
	if (ZSTD_isError(ZSTD_CCtx_setParameter(
		    p->zstd, ZSTD_c_compressionLevel, level)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(p->zstd, ZSTD_c_checksumFlag,
						1)))
		return unik_fail_io(err, "zstd: can't set the level %d", level);
	return 0;
}

static int packer_open(struct packer *p, enum unik_compression how, int level,
		       struct unik_err *err)
{
	if (how == UNIK_PLAIN) {
		p->put = put_plain;
		return 0;
	}
	p->out = malloc(OUT_SIZE);
	if (!p->out)
		return unik_fail_mem(err);
	if (how == UNIK_GZIP)
		return open_gzip(p, level ? level : GZIP_LEVEL, err);
	return open_zstd(p, level ? level : ZSTD_LEVEL, err);
}

static void packer_close(struct packer *p)
{
	if (p->z_open)
		deflateEnd(&p->z);
	ZSTD_freeCCtx(p->zstd);
	free(p->out);
}

static int run(struct packer *p, struct unik_source *src,
	       struct unik_hash *hash, const volatile int *stop,
	       struct unik_err *err)
{
	const uint8_t *data;
	size_t n;
	int rc;

	while ((rc = unik_source_peek(src, &data, &n, err)) == 0) {
		if (stop && *stop)
			return unik_fail_io(err, "interrupted");
		if (n > UNIK_CHUNK)
			n = UNIK_CHUNK;
		if ((hash && unik_hash_update(hash, data, n, err) < 0) ||
		    p->put(p, data, n, false, err) < 0)
			return -1;
		unik_source_advance(src, n);
	}
	return rc < 0 ? -1 : p->put(p, NULL, 0, true, err);
}

int unik_deflate(struct unik_source *src, struct unik_sink *sink,
		 enum unik_compression how, int level, struct unik_hash *hash,
		 const volatile int *stop, struct unik_err *err)
{
	struct packer p = { .sink = sink };
	int rc = packer_open(&p, how, level, err);

	if (rc == 0)
		rc = run(&p, src, hash, stop, err);
	packer_close(&p);
	return rc;
}
