/* SPDX-License-Identifier: GPL-3.0-or-later */
/* inflate: what the formats have of their own, and the limits. */
#include "inflate.h"
#include "pack.h"

static struct unik_limits limits;
static uint8_t data[200000];

/* How a stream ends; *n gets how much came before. */
static int unpack(const struct bytes *b, size_t step, struct bytes *out,
		  uint64_t *n)
{
	enum unik_compression found;
	struct unik_source *s;
	struct drip d;
	const uint8_t *p;
	size_t have;
	int rc;

	*n = 0;
	out->size = 0;
	drip_init(&d, b->p, b->size, step);
	rc = unik_source_inflate(&s, &d.base, &limits, &found, &err);
	if (rc == 0) {
		while ((rc = unik_source_peek(s, &p, &have, &err)) == 0) {
			*n += have;
			if (*n <= sizeof(data))
				add_bytes(out, p, have);
			unik_source_advance(s, have);
		}
		rc = rc < 0 ? -1 : 0;
		unik_source_free(s);
	}
	d.base.ops->free(&d.base);
	return rc;
}

static bool becomes(const struct bytes *b, size_t step, size_t size)
{
	struct bytes out = { NULL, 0, 0 };
	uint64_t n;
	bool good = unpack(b, step, &out, &n) == 0 && n == size &&
		    (n == 0 || memcmp(out.p, data, size) == 0);

	if (!good)
		printf("# %llu of %zu bytes: %s\n", (unsigned long long)n, size,
		       err.msg);
	drop_bytes(&out);
	return good;
}

static bool refused(const struct bytes *b, size_t step, const char *text)
{
	struct bytes out = { NULL, 0, 0 };
	uint64_t n;
	int rc = unpack(b, step, &out, &n);

	drop_bytes(&out);
	return failed(rc, UNIK_EBAD, text);
}

/* ---- zstd ---- */

/* Bit i of a pattern: frame i is skippable. */
static void test_skippable(void)
{
	static const size_t sizes[] = { 0, 1, 255, 1000 };
	unsigned pattern, i;
	size_t k;

	for (pattern = 0; pattern < 8; pattern++) {
		bool good = true;

		for (k = 0; k < COUNT(sizes); k++) {
			struct bytes b = { NULL, 0, 0 };
			size_t at = 0;

			for (i = 0; i < 3; i++) {
				if (pattern >> i & 1) {
					add_skippable(&b, (i * 7) & 15,
						      sizes[k]);
				} else {
					add_zstd(&b, data + at, 100);
					at += 100;
				}
			}
			good &= becomes(&b, 1, at) && becomes(&b, 4096, at) &&
				becomes(&b, 13, at);
			drop_bytes(&b);
		}
		ok(good, "skippable frames in front, between, behind: %c%c%c",
		   "fs"[pattern & 1], "fs"[pattern >> 1 & 1],
		   "fs"[pattern >> 2]);
	}
}

static void test_cut_skippable(void)
{
	struct bytes b = { NULL, 0, 0 }, cut;
	bool good = true;
	size_t i;

	add_zstd(&b, data, 10);
	i = b.size;
	add_skippable(&b, 3, 50);
	for (i++; i < b.size; i++) {
		cut = (struct bytes){ b.p, i, 0 };
		good &= refused(&cut, 1, "") && refused(&cut, 4096, "");
	}
	ok(good, "a skippable frame that is cut is an error");
	drop_bytes(&b);
}

static void test_zstd_window(void)
{
	struct bytes b = { NULL, 0, 0 };
	int log;

	for (log = 20; log <= 27; log++) {
		b.size = 0;
		add_zstd_as(&b, data, sizeof(data), 1, log, 1000);
		limits.window = UINT64_C(1) << log;
		ok(becomes(&b, 4096, sizeof(data)), "a window of 2^%d", log);
		limits.window--;
		ok(refused(&b, 4096, "too large a window (--max-window)"),
		   "is refused at a limit of a byte less");
	}
	limits = default_limits();
	b.size = 0;
	add_zstd_as(&b, data, sizeof(data), 1, 28, 1000);
	ok(refused(&b, 4096, "too large a window (--max-window)"),
	   "2^28 is over the default");
	limits.window = UINT64_MAX;
	ok(becomes(&b, 4096, sizeof(data)), "and fits a larger limit");
	limits.window = 0;
	b.size = 0;
	add_zstd_as(&b, data, 500, 1, 10, 100);
	ok(becomes(&b, 4096, 500), "the smallest window fits any limit");
	limits = default_limits();
	drop_bytes(&b);
}

static void test_zstd_forms(void)
{
	struct bytes b = { NULL, 0, 0 };
	bool good = true;
	int level;
	size_t piece;

	for (level = -5; level <= 19; level += 3) {
		for (piece = 1000; piece <= 100000; piece *= 10) {
			b.size = 0;
			add_zstd_as(&b, data, sizeof(data), level, 0, piece);
			good &= becomes(&b, 4096, sizeof(data)) &&
				becomes(&b, 1, sizeof(data));
		}
	}
	ok(good, "levels -5 to 19, flushed after 1000, 10000, ... bytes");
	drop_bytes(&b);
}

/* ---- xz ---- */

static void test_xz_forms(void)
{
	static const struct {
		lzma_check check;
		const char *name;
	} checks[] = { { LZMA_CHECK_NONE, "none" },
		       { LZMA_CHECK_CRC32, "crc32" },
		       { LZMA_CHECK_CRC64, "crc64" },
		       { LZMA_CHECK_SHA256, "sha256" } };
	struct bytes b = { NULL, 0, 0 };
	size_t i;

	for (i = 0; i < COUNT(checks); i++) {
		b.size = 0;
		add_xz_as(&b, data, 30000, checks[i].check, 0, LZMA_FULL_FLUSH,
			  7000);
		add_xz_as(&b, data + 30000, 30000, checks[i].check, 1 << 16,
			  LZMA_SYNC_FLUSH, 999);
		ok(becomes(&b, 1, 60000) && becomes(&b, 5000, 60000),
		   "xz with the check %s, blocks and flushes",
		   checks[i].name);
	}
	drop_bytes(&b);
}

/* The .xz File Format 2.2: padding is a multiple of four zero bytes. */
static void test_xz_padding(void)
{
	size_t n;

	for (n = 0; n <= 12; n++) {
		static const uint8_t zeros[12];
		struct bytes end = { NULL, 0, 0 }, mid = { NULL, 0, 0 };

		add_xz(&end, data, 100);
		add_bytes(&end, zeros, n);
		add_xz(&mid, data, 50);
		add_bytes(&mid, zeros, n);
		add_xz(&mid, data + 50, 50);
		if (n % 4 == 0)
			ok(becomes(&end, 1, 100) && becomes(&mid, 1, 100) &&
				   becomes(&mid, 999, 100),
			   "xz padding of %zu bytes", n);
		else
			ok(refused(&end, 1, "") && refused(&mid, 1, "") &&
				   refused(&mid, 999, ""),
			   "xz padding of %zu bytes is refused", n);
		drop_bytes(&end);
		drop_bytes(&mid);
	}
}

static void test_xz_window(void)
{
	struct bytes b = { NULL, 0, 0 };

	add_xz_as(&b, data, 1000, LZMA_CHECK_CRC32, 64u << 20, LZMA_RUN, 0);
	ok(becomes(&b, 1000, 1000), "a dictionary of 64 MiB");
	b.size = 0;
	add_xz_as(&b, data, 1000, LZMA_CHECK_CRC32, 160u << 20, LZMA_RUN, 0);
	ok(refused(&b, 1000, "too large a dictionary (--max-window)"),
	   "one of 160 MiB is refused");
	limits.window = 200u << 20;
	ok(becomes(&b, 1000, 1000), "and fits a larger limit");
	limits = default_limits();
	drop_bytes(&b);
}

/* ---- the ratio ---- */

/* 1 MiB of zeros a member, so that the test needs no memory. */
static void zeros_of(struct bytes *b, void (*add)(struct bytes *, const void *,
						  size_t),
		     size_t mib)
{
	static const uint8_t zeros[1 << 20];
	size_t i;

	b->size = 0;
	for (i = 0; i < mib; i++)
		add(b, zeros, sizeof(zeros));
}

static void test_ratio(void)
{
	static const struct {
		const char *name;
		void (*add)(struct bytes *b, const void *p, size_t n);
	} forms[] = { { "gzip", add_gzip }, { "zstd", add_zstd },
		      { "xz", add_xz }, { "bzip2", add_bzip2 } };
	struct bytes b = { NULL, 0, 0 }, out = { NULL, 0, 0 };
	uint64_t n;
	size_t i;

	for (i = 0; i < COUNT(forms); i++) {
		zeros_of(&b, forms[i].add, 64);
		limits.ratio = 2;
		ok(unpack(&b, 4096, &out, &n) == 0 && n == 64u << 20,
		   "%s: 64 MiB may grow as they like", forms[i].name);
		zeros_of(&b, forms[i].add, 80);
		limits.ratio = 100;
		ok(failed(unpack(&b, 4096, &out, &n), UNIK_EBAD,
			  "grows more than 100 times (--max-ratio)") &&
			   n < 65u << 20,
		   "%s: then the limit holds at once", forms[i].name);
		limits.ratio = 100000;
		ok(unpack(&b, 4096, &out, &n) == 0 && n == 80u << 20,
		   "%s: the default lets zeros pass", forms[i].name);
		limits.ratio = UINT64_MAX;
		ok(unpack(&b, 4096, &out, &n) == 0 && n == 80u << 20,
		   "%s: and so does the largest", forms[i].name);
	}
	limits = default_limits();
	drop_bytes(&b);
	drop_bytes(&out);
}

int main(void)
{
	size_t i;

	limits = default_limits();
	for (i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(random_u64() >> 60) * (i % 1000 > 200);
	test_skippable();
	test_cut_skippable();
	test_zstd_window();
	test_zstd_forms();
	test_xz_forms();
	test_xz_padding();
	test_xz_window();
	test_ratio();
	return tap_done();
}
