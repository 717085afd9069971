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

int main(void)
{
	fill(one, 1);
	fill(two, 2);
	printf("# lanes are %s here\n",
	       unik_lanes_fast() ? "fast" : "those of OpenSSL");
#ifdef UNIK_LANES_X86
	if (unik_lanes_fast()) {
		test_lengths(&unik_sha_plain, "SHA extensions");
		if (unik_sha_find() == &unik_sha_avx512)
			test_lengths(&unik_sha_avx512, "with AVX-512");
	}
#endif
	if (!unik_lanes_fast())
		test_lengths(NULL, "OpenSSL");
	test_pieces(false);
	test_pieces(true);
	test_known();
	return tap_done();
}
