/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lanes: two digests side by side are those that OpenSSL takes. */
#include "core.h"

#include "lanes.h"
#include "lanes_private.h"

#define MOST 5000

static uint8_t one[MOST], two[MOST];

static void fill(uint8_t *p, uint32_t seed)
{
	size_t i;

	for (i = 0; i < MOST; i++) {
		seed = seed * 1664525 + 1013904223;
		p[i] = (uint8_t)(seed >> 24);
	}
}

static bool is_sha256(const struct unik_digest *d, const uint8_t *p, size_t n)
{
	struct unik_digest want;

	return unik_sha256(p, n, &want, &err) == 0 &&
	       unik_digest_equal(d, &want) &&
	       memcmp(d, &want, sizeof(want)) == 0;
}

/* Lengths around the ends of blocks, in each lane. */
static void test_lengths(const struct unik_sha *sha, const char *name)
{
	struct unik_lane a, b;
	struct unik_digest x, y;
	size_t n, m;
	bool good = unik_lane_init(&a, &err) == 0 &&
		    unik_lane_init(&b, &err) == 0;

	a.sha = sha;
	b.sha = sha;
	for (n = 0; n < 300; n++) {
		for (m = 0; m < 300 && good; m++) {
			good = unik_lane_reset(&a, &err) == 0 &&
			       unik_lane_reset(&b, &err) == 0 &&
			       unik_lanes_update(&a, one, n, &b, two, m,
						 &err) == 0 &&
			       unik_lane_final(&a, &x, &err) == 0 &&
			       unik_lane_final(&b, &y, &err) == 0 &&
			       is_sha256(&x, one, n) && is_sha256(&y, two, m);
		}
	}
	ok(good, "all pairs of lengths below 300: %s", name);
	unik_lane_release(&a);
	unik_lane_release(&b);
}

/* k streams of different lengths: their blocks together as far as the shortest
 * goes, the rest and the ends each by itself or together. */
static bool many_are_right(const struct unik_sha *sha, unsigned k, size_t least)
{
	struct unik_lane lane[UNIK_LANES], *l[UNIK_LANES];
	uint8_t tail[UNIK_LANES][2 * UNIK_LANE_BLOCK];
	const uint8_t *p[UNIK_LANES];
	size_t n = least / UNIK_LANE_BLOCK, due, length[UNIK_LANES];
	struct unik_digest d;
	bool good = true;
	unsigned i;

	for (i = 0; i < k; i++) {
		good = good && unik_lane_init(&lane[i], &err) == 0;
		lane[i].sha = sha;
		l[i] = &lane[i];
		p[i] = one + 7 * i;
		length[i] = least + i % 3 * UNIK_LANE_BLOCK;
	}
	good = good && unik_lanes_blocks(l, p, k, n, &err) == 0;
	for (i = 0; i < k && good; i++) {
		const uint8_t *rest = p[i] + n * UNIK_LANE_BLOCK;
		size_t left = length[i] - n * UNIK_LANE_BLOCK;
		const uint8_t *last = rest + left / UNIK_LANE_BLOCK *
					     UNIK_LANE_BLOCK;
		const uint8_t *from[1] = { rest };
		struct unik_lane *alone[1] = { l[i] };

		good = unik_lanes_blocks(alone, from, 1,
					 left / UNIK_LANE_BLOCK, &err) == 0 &&
		       unik_lane_end(l[i], last, left % UNIK_LANE_BLOCK,
				     tail[i], &due, &err) == 0 && due < 3;
		p[i] = tail[i];
		for (; due > 0 && good; due--) {
			from[0] = p[i];
			good = unik_lanes_blocks(alone, from, 1, 1, &err) == 0;
			p[i] += UNIK_LANE_BLOCK;
		}
	}
	for (i = 0; i < k && good; i++)
		good = unik_lane_result(l[i], &d, &err) == 0 &&
		       is_sha256(&d, one + 7 * i, length[i]);
	for (i = 0; i < k; i++)
		unik_lane_release(l[i]);
	return good;
}

static void test_many(const struct unik_sha *sha, const char *name)
{
	bool good = true;
	size_t least;
	unsigned k;

	for (k = 1; k <= UNIK_LANES; k++)
		for (least = 0; least < 400 && good; least++)
			good = many_are_right(sha, k, least);
	ok(good, "1 to 16 streams of all lengths below 400: %s", name);
}

static void test_width(void)
{
	unsigned width = unik_lanes_width();
	struct unik_lane *l[1];
	struct unik_lane slow;
	const uint8_t *p[1] = { one };
	uint8_t tail[2 * UNIK_LANE_BLOCK];
	struct unik_digest d;
	size_t due;

	ok(unik_lanes_fast() ? width == 2 || width == UNIK_LANES : width == 1,
	   "the width, %u", width);
	l[0] = &slow;
	ok(unik_lane_init_slow(&slow, &err) == 0 &&
	   unik_lanes_blocks(l, p, 1, 3, &err) == 0 &&
	   unik_lane_end(&slow, one + 192, 8, tail, &due, &err) == 0 &&
	   due == 0 && unik_lane_result(&slow, &d, &err) == 0 &&
	   is_sha256(&d, one, 200), "blocks through OpenSSL");
	unik_lane_release(&slow);
}

/* Streams that arrive in uneven pieces. */
static void test_pieces(bool slow)
{
	struct unik_lane a, b;
	struct unik_digest x, y;
	uint32_t seed = 7;
	bool good;
	int round;

	good = (slow ? unik_lane_init_slow(&a, &err)
		     : unik_lane_init(&a, &err)) == 0 &&
	       unik_lane_init(&b, &err) == 0;
	for (round = 0; round < 500 && good; round++) {
		size_t i = 0, j = 0;

		good = unik_lane_reset(&a, &err) == 0 &&
		       unik_lane_reset(&b, &err) == 0;
		while ((i < MOST || j < MOST) && good) {
			size_t n, m;

			seed = seed * 1664525 + 1013904223;
			n = (seed >> 8) % 700;
			m = (seed >> 20) % 700;
			n = n > MOST - i ? MOST - i : n;
			m = m > MOST - j ? MOST - j : m;
			good = unik_lanes_update(&a, one + i, n, &b, two + j,
						 m, &err) == 0;
			i += n;
			j += m;
		}
		good = good && unik_lane_final(&a, &x, &err) == 0 &&
		       unik_lane_final(&b, &y, &err) == 0 &&
		       is_sha256(&x, one, MOST) && is_sha256(&y, two, MOST);
	}
	ok(good, "pieces%s", slow ? ", one lane through OpenSSL" : "");
	unik_lane_release(&a);
	unik_lane_release(&b);
}

/* FIPS 180-4's own example, "abc", and a length that needs over 32 bits. */
static void test_known(void)
{
	static uint8_t zeros[1 << 20];
	struct unik_lane a;
	struct unik_hash h = UNIK_HASH_NONE;
	struct unik_digest d, want;
	char text[UNIK_DIGEST_TEXT];
	bool good;
	int i;

	ok(unik_lane_init(&a, &err) == 0 &&
	   unik_lane_update(&a, "abc", 3, &err) == 0 &&
	   unik_lane_final(&a, &d, &err) == 0 &&
	   strcmp(unik_digest_text(&d, text),
		  "sha256:ba7816bf8f01cfea414140de5dae2223"
		  "b00361a396177a9cb410ff61f20015ad") == 0, "abc");
	good = unik_lane_reset(&a, &err) == 0 &&
	       unik_hash_init(&h, UNIK_SHA256, &err) == 0;
	for (i = 0; i < 600 && good; i++) /* 600 MiB: over 2^32 bits */
		good = unik_lane_update(&a, zeros, sizeof(zeros), &err) == 0 &&
		       unik_hash_update(&h, zeros, sizeof(zeros), &err) == 0;
	ok(good && unik_lane_final(&a, &d, &err) == 0 &&
	   unik_hash_final(&h, &want, &err) == 0 &&
	   unik_digest_equal(&d, &want), "over 2^32 bits");
	unik_hash_release(&h);
	unik_lane_release(&a);
}

/* Texts of all lengths around the ends of blocks, among them long ones, as many
 * at once as there are lanes or fewer. */
static void test_each(unsigned width)
{
	enum { N = 400 };
	static uint8_t sums[N][UNIK_SHA256_SIZE];
	struct unik_lanes *l = NULL;
	struct unik_text v[N];
	struct unik_digest want;
	size_t i, n, wrong = 0;

	for (i = 0; i < N; i++)
		v[i] = (struct unik_text){ one + i, i % 130 == 7 ? 4000 : i % 200,
					   sums[i] };
	if (unik_lanes_new(&l, width, &err) < 0)
		wrong++;
	for (n = 0; n <= N && l; n += n < 40 ? 1 : 90) {
		memset(sums, 0xee, sizeof(sums));
		wrong += unik_lanes_each(l, v, n, &err) != 0;
		for (i = 0; i < n; i++)
			wrong += unik_sha256(v[i].data, v[i].size, &want,
					     &err) != 0 ||
				 memcmp(want.bytes, sums[i], sizeof(sums[i]));
		wrong += n < N && sums[n][0] != 0xee;
	}
	unik_lanes_free(l);
	ok(wrong == 0, "each of many texts, %u at once", width);
}

int main(void)
{
	static const unsigned widths[] = { 0, 1, 2, 3, 11, 15, 16, 99 };
	size_t i;

	fill(one, 1);
	fill(two, 2);
	printf("# lanes are %s here\n",
	       unik_lanes_fast() ? "fast" : "those of OpenSSL");
#ifdef UNIK_LANES_X86
	if (unik_lanes_fast()) {
		test_lengths(&unik_sha_plain, "SHA extensions");
		test_many(&unik_sha_plain, "SHA extensions");
		if (unik_sha_find() == &unik_sha_avx512) {
			test_lengths(&unik_sha_avx512, "with AVX-512");
			test_many(&unik_sha_avx512, "with AVX-512");
		}
	}
#endif
	if (!unik_lanes_fast()) {
		test_lengths(NULL, "OpenSSL");
		test_many(NULL, "OpenSSL");
	}
	test_width();
	test_pieces(false);
	test_pieces(true);
	test_known();
	for (i = 0; i < sizeof(widths) / sizeof(widths[0]); i++)
		test_each(widths[i]);
	return tap_done();
}
