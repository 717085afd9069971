/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * inflate: gzip through the library's codec (ISA-L where the build has it)
 * and through zlib, side by side: the same bytes, the same refusals, whatever
 * the flush mode, the level, the header and the split.
 */
#undef UNIK_ISAL
#define unik_codec_gzip codec_zlib
#include "inflate_gzip.c" /* zlib's half, as a codec of the test */
#undef unik_codec_gzip

#include "pack.h"

extern const struct unik_codec unik_codec_gzip;

static struct unik_limits limits;
static uint8_t data[40000];

/* Runs a codec over input split at `split`, with `room` bytes of output a
 * call.  0 all members whole, 1 cut, -1 bad; *out gets what came out. */
static int run(const struct unik_codec *codec, const struct bytes *b,
	       size_t split, size_t room, struct bytes *out)
{
	struct unik_codec_io io = { 0 };
	size_t at = 0;
	void *state;
	int rc = 0;

	out->size = 0;
	must(codec->open(&state, &limits, &err));
	while (rc >= 0) {
		size_t end = at < split ? split : b->size;

		grow_to(out, out->size + room);
		io.in = b->p + at;
		io.nin = end - at;
		io.out = out->p + out->size;
		io.nout = room;
		if (rc == 1 && at == b->size)
			break;
		rc = codec->run(state, &io, &err);
		if (rc == 0 && at == b->size && io.nout == room)
			break;
		at = end - io.nin;
		out->size += room - io.nout;
	}
	codec->free(state);
	return rc == 1 ? 0 : rc == 0 ? 1 : -1;
}

/* Both codecs give the same; with `want`, also these bytes. */
static bool agree(const struct bytes *b, size_t split, size_t room,
		  const void *want, size_t n)
{
	static struct bytes a, z;
	int ra = run(&unik_codec_gzip, b, split, room, &a);
	int rz = run(&codec_zlib, b, split, room, &z);
	bool good = ra == rz;

	if (ra == 0 && rz == 0)
		good &= a.size == z.size && memcmp(a.p, z.p, z.size) == 0;
	if (want)
		good &= ra == 0 && a.size == n && memcmp(a.p, want, n) == 0;
	if (!good)
		printf("# split %zu of %zu: %d and %d, %zu and %zu bytes\n",
		       split, b->size, ra, rz, a.size, z.size);
	return good;
}

static bool agree_everywhere(const struct bytes *b, const void *want, size_t n)
{
	size_t i, step = b->size / 100 + 1;
	bool good = true;

	for (i = 0; i <= b->size && good; i += step)
		good = agree(b, i, 100000, want, n) &&
		       agree(b, i, 333, want, n);
	return good;
}

static void test_flush_modes(void)
{
	static const struct {
		int flush;
		const char *name;
	} modes[] = {
		{ Z_NO_FLUSH, "no flush" },	{ Z_PARTIAL_FLUSH, "partial" },
		{ Z_SYNC_FLUSH, "sync" },	{ Z_FULL_FLUSH, "full" },
		{ Z_BLOCK, "block" },
	};
	size_t i, piece;

	for (i = 0; i < COUNT(modes); i++) {
		bool good = true;

		for (piece = 1; piece <= 10000; piece *= 10) {
			size_t n = piece == 1 ? 300 : sizeof(data);
			struct bytes b = { NULL, 0, 0 };

			add_gzip_as(&b, data, n, 6, Z_DEFAULT_STRATEGY,
				    modes[i].flush, piece, NULL);
			good &= agree_everywhere(&b, data, n);
			drop_bytes(&b);
		}
		ok(good, "flush mode %s, after 1, 10, ... bytes",
		   modes[i].name);
	}
}

static void test_levels(void)
{
	static const struct {
		int strategy;
		const char *name;
	} strategies[] = {
		{ Z_DEFAULT_STRATEGY, "default" }, { Z_FILTERED, "filtered" },
		{ Z_HUFFMAN_ONLY, "huffman" },	   { Z_RLE, "rle" },
		{ Z_FIXED, "fixed" },
	};
	size_t i;
	int level;

	for (i = 0; i < COUNT(strategies); i++) {
		bool good = true;

		for (level = 0; level <= 9; level++) {
			struct bytes b = { NULL, 0, 0 };

			add_gzip_as(&b, data, sizeof(data), level,
				    strategies[i].strategy, Z_NO_FLUSH, 0,
				    NULL);
			good &= agree(&b, 0, 100000, data, sizeof(data)) &&
				agree(&b, 1000, 77, data, sizeof(data)) &&
				agree(&b, b.size - 5, 4096, data, sizeof(data));
			drop_bytes(&b);
		}
		ok(good, "strategy %s at levels 0 to 9", strategies[i].name);
	}
}

static void test_headers(void)
{
	uint8_t extra[300];
	char name[400], comment[500];
	unsigned bits;
	bool good = true;

	memset(extra, 0x1f, sizeof(extra));
	memset(name, 'n', sizeof(name) - 1);
	memset(comment, 'c', sizeof(comment) - 1);
	name[sizeof(name) - 1] = 0;
	comment[sizeof(comment) - 1] = 0;
	for (bits = 0; bits < 32; bits++) {
		struct bytes b = { NULL, 0, 0 };
		gz_header h = { .text = bits & 1, .time = 1234567890, .os = 3,
				.hcrc = bits & 2 };
		int twice;

		if (bits & 4) {
			h.extra = extra;
			h.extra_len = sizeof(extra);
		}
		if (bits & 8)
			h.name = (Bytef *)name;
		if (bits & 16)
			h.comment = (Bytef *)comment;
		for (twice = 0; twice < 2; twice++)
			add_gzip_as(&b, data + twice * 100, 100, 6, 0, 0, 0,
				    &h);
		good &= agree_everywhere(&b, data, 200);
		drop_bytes(&b);
	}
	ok(good, "every header form, in two members");
}

static void test_members(void)
{
	static const size_t sizes[] = { 0, 1, 5, 300, 0, 0, 7 };
	struct bytes b = { NULL, 0, 0 };
	size_t i, sum = 0;
	bool good = true;

	for (i = 0; i < COUNT(sizes); i++) {
		add_gzip(&b, data + sum, sizes[i]);
		sum += sizes[i];
	}
	for (i = 0; i <= b.size; i++)
		good &= agree(&b, i, 100000, data, sum) &&
			agree(&b, i, 1, data, sum);
	ok(good, "members, split anywhere, a byte of output a call");
	good = true;
	for (i = 0; i < b.size; i++) {
		struct bytes cut = { b.p, i, 0 };

		good &= agree(&cut, i / 2, 1000, NULL, 0);
	}
	ok(good, "cut anywhere");
	drop_bytes(&b);
}

/* Flips every bit. */
static void test_damage(void)
{
	struct bytes b = { NULL, 0, 0 }, a = { NULL, 0, 0 };
	size_t at, differ = 0, bad = 0;
	bool good = true;
	int bit;

	add_gzip(&b, data + 1000, 300);
	for (at = 0; at < b.size; at++) {
		for (bit = 0; bit < 8; bit++) {
			int ra, rz;

			b.p[at] ^= (uint8_t)(1 << bit);
			ra = run(&unik_codec_gzip, &b, 0, 1000, &a);
			good &= ra != 0 || (a.size == 300 &&
					    memcmp(a.p, data + 1000,
						   300) == 0);
			rz = run(&codec_zlib, &b, 0, 1000, &a);
			good &= rz != 0 || (a.size == 300 &&
					    memcmp(a.p, data + 1000,
						   300) == 0);
			if ((ra == 0) != (rz == 0)) {
				printf("# byte %zu bit %d: %d and %d\n", at,
				       bit, ra, rz);
				differ++;
			}
			bad += ra != 0;
			b.p[at] ^= (uint8_t)(1 << bit);
		}
	}
	ok(good && bad > b.size * 6, "flipped bits never give other bytes");
	ok(differ == 0, "and both take the same streams");
	drop_bytes(&b);
	drop_bytes(&a);
}

int main(void)
{
	size_t i;

	limits = default_limits();
	for (i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(random_u64() >> 59) * (i % 3000 > 500);
	test_flush_modes();
	test_levels();
	test_headers();
	test_members();
	test_damage();
	return tap_done();
}
