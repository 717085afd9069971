/* SPDX-License-Identifier: GPL-3.0-or-later */
/* digest: known answers, and texts that are no digests. */
#include "core.h"

#define HEX64 "0123456789abcdef0123456789abcdef" \
	      "0123456789abcdef0123456789abcdef"

static void test_refusals(void)
{
	static const char *const bad[] = {
		"",
		":",
		"sha256",
		"sha256:",
		"sha256:" HEX64 "0",
		"sha256:" HEX64 "00",
		"sha256:0",
		"sha256: " HEX64,
		" sha256:" HEX64,
		"sha256:" HEX64 " ",
		"sha256:" HEX64 "\n",
		"SHA256:" HEX64,
		"sha256-" HEX64,
		"sha256::" HEX64,
		"sha256:../../../../../../../../etc/passwd",
		"sha384:" HEX64 "0123456789abcdef0123456789abcdef",
		"sha1:0123456789abcdef0123456789abcdef01234567",
		"md5:0123456789abcdef0123456789abcdef",
		"sha512:" HEX64,
		"sha256:" HEX64 HEX64,
		"sha512:" HEX64 HEX64 "0",
		"blake3:" HEX64,
		"sha256+b64u:" HEX64,
		HEX64,
	};
	struct unik_digest d;
	size_t i;

	for (i = 0; i < COUNT(bad); i++)
		ok(failed(unik_digest_parse(&d, bad[i], &err), UNIK_EBAD,
			  "is not a sha256 or sha512 digest"),
		   "refused: %.20s", bad[i][0] ? bad[i] : "(nothing)");
}

/* Any byte but [0-9a-f] at any place. */
static void test_every_byte(void)
{
	const char *good = "sha256:" HEX64;
	struct unik_digest d;
	char text[80];
	bool all = true;
	int at, c;

	for (at = 7; at < 71; at++) {
		for (c = 0; c < 256; c++) {
			bool hex = (c >= '0' && c <= '9') ||
				   (c >= 'a' && c <= 'f');

			strcpy(text, good);
			text[at] = (char)c;
			all &= (unik_digest_parse(&d, text, &err) == 0) == hex;
		}
	}
	ok(all, "every byte at every place: lower case hex only");
}

static void test_round_trip(void)
{
	static const char *const good[] = { "sha256:" HEX64,
					    "sha512:" HEX64 HEX64 };
	struct unik_digest d[2], other;
	char *text = make_room(UNIK_DIGEST_TEXT - 1);
	size_t i;

	for (i = 0; i < 2; i++) {
		must(unik_digest_parse(&d[i], good[i], &err));
		ok(strcmp(unik_digest_text(&d[i], text), good[i]) == 0 &&
			   strcmp(unik_digest_hex(&d[i], text),
				  good[i] + 7) == 0,
		   "%.6s is written as it was read", good[i]);
	}
	ok(!unik_digest_equal(&d[0], &d[1]), "algorithms differ");
	other = d[1];
	ok(unik_digest_equal(&d[1], &other), "equal ones are equal");
	other.bytes[63] ^= 1;
	ok(!unik_digest_equal(&d[1], &other), "the last bit counts");
	other = d[0];
	other.bytes[63] = 9;
	ok(unik_digest_equal(&d[0], &other), "but not behind a sha256");
	free(text);
}

/* FIPS 180-4 examples and the empty text. */
static void test_vectors(void)
{
	static const struct {
		enum unik_algo algo;
		const char *in;
		const char *text;
	} cases[] = {
		{ UNIK_SHA256, "",
		  "sha256:e3b0c44298fc1c149afbf4c8996fb924"
		  "27ae41e4649b934ca495991b7852b855" },
		{ UNIK_SHA256, "abc",
		  "sha256:ba7816bf8f01cfea414140de5dae2223"
		  "b00361a396177a9cb410ff61f20015ad" },
		{ UNIK_SHA256,
		  "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "sha256:248d6a61d20638b8e5c026930c3e6039"
		  "a33ce45964ff2167f6ecedd419db06c1" },
		{ UNIK_SHA512, "abc",
		  "sha512:ddaf35a193617abacc417349ae204131"
		  "12e6fa4e89a97ea20a9eeee64b55d39a"
		  "2192992a274fc1a836ba3c23a3feebbd"
		  "454d4423643ce80e2a9ac94fa54ca49f" },
	};
	struct unik_hash h = UNIK_HASH_NONE;
	struct unik_digest d, one;
	char text[UNIK_DIGEST_TEXT];
	size_t i, k;

	for (i = 0; i < COUNT(cases); i++) {
		size_t n = strlen(cases[i].in);

		must(unik_hash_init(&h, cases[i].algo, &err));
		for (k = 0; k < n; k++)
			must(unik_hash_update(&h, cases[i].in + k, 1, &err));
		must(unik_hash_final(&h, &d, &err));
		ok(strcmp(unik_digest_text(&d, text), cases[i].text) == 0,
		   "vector %zu, byte by byte", i);
		must(unik_hash_reset(&h, &err));
		must(unik_hash_update(&h, cases[i].in, n, &err));
		must(unik_hash_final(&h, &one, &err));
		ok(unik_digest_equal(&d, &one), "and at once, after a reset");
		unik_hash_release(&h);
		if (cases[i].algo == UNIK_SHA256) {
			must(unik_sha256(cases[i].in, n, &one, &err));
			ok(unik_digest_equal(&d, &one), "and in one call");
		}
	}
	unik_hash_release(&h); /* at any time */
}

int main(void)
{
	test_refusals();
	test_every_byte();
	test_round_trip();
	test_vectors();
	return tap_done();
}
