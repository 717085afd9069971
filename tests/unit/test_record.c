/* SPDX-License-Identifier: GPL-3.0-or-later */
/* record: its text, its name, and that no other bytes are taken for it. */
#include "core.h"
#include "record.h"

static struct unik_record sample(void)
{
	struct unik_record r = { 0 };
	uint64_t n = 7;

	must(unik_sha256("diff", 4, &r.layer.diff_id, &err));
	must(unik_sha256("blob", 4, &r.layer.blob_digest, &err));
	must(unik_sha256("image", 5, &r.image.image, &err));
	must(unik_sha256("tree", 4, &r.image.tree_digest, &err));
	r.layer.blob_size = n++;
	r.layer.size = n++;
	r.layer.entries = (struct unik_entry_counts){ n, n + 1, n + 2, n + 3,
						      n + 4, n + 5 };
	r.layer.whiteouts = INT64_MAX;
	r.layer.losses.name = 3;
	r.image.size = UINT64_C(1) << 40;
	return r;
}

static bool takes(const char *text, size_t n, struct unik_record *r)
{
	const struct unik_limits limits = default_limits();

	return unik_record_read(r, text, n, &limits, &err) == 0;
}

static void test_bytes(const char *text, size_t n)
{
	struct unik_record r;
	char *bad = make_room(n + 8);
	size_t i, taken = 0;
	unsigned bit;

	for (i = 0; i < n; i++) {
		for (bit = 0; bit < 8; bit++) {
			memcpy(bad, text, n);
			bad[i] = (char)(bad[i] ^ (1 << bit));
			taken += takes(bad, n, &r);
		}
		taken += takes(text, i, &r);
		memcpy(bad, text, i);
		memcpy(bad + i, text + i + 1, n - i - 1);
		taken += takes(bad, n - 1, &r);
	}
	ok(taken == 0, "no flipped, cut or dropped byte is taken (%zu)", n);
	memcpy(bad, text, n);
	memcpy(bad + n, " ", 1);
	ok(!takes(bad, n + 1, &r), "nothing may follow");
	free(bad);
}

static void test_sha512(void)
{
	struct unik_record r = sample(), back;
	char *text;
	size_t n;

	r.layer.blob_digest.algo = UNIK_SHA512;
	must(unik_record_text(&r, &text, &n, &err));
	ok(takes(text, n, &back), "a blob may be named by sha512");
	free(text);
	r = sample();
	r.image.image.algo = UNIK_SHA512;
	must(unik_record_text(&r, &text, &n, &err));
	ok(!takes(text, n, &back) &&
	   strcmp(err.msg, "'image' is not a sha256 digest") == 0,
	   "an image may not");
	free(text);
}

static void test_name(void)
{
	const struct unik_record r = sample();
	char a[UNIK_RECORD_NAME], hex[UNIK_DIGEST_TEXT];
	char want[UNIK_RECORD_NAME];

	unik_digest_hex(&r.layer.diff_id, hex);
	snprintf(want, sizeof(want), "sha256-%s.iso-v3", hex);
	ok(strcmp(unik_record_name(a, &r.layer.diff_id, "iso", 3, 0), want) ==
	   0, "a name: format and version");
	snprintf(want, sizeof(want), "sha256-%s.ext2-v1-b1024", hex);
	ok(strcmp(unik_record_name(a, &r.layer.diff_id, "ext2", 1, 1024),
		  want) == 0, "a name: the block size");
}

int main(void)
{
	const struct unik_record r = sample();
	struct unik_record back;
	char *text;
	size_t n;

	must(unik_record_text(&r, &text, &n, &err));
	ok(n < UNIK_RECORD_MAX && text[n - 1] == '\n', "one line");
	ok(takes(text, n, &back) && memcmp(&r, &back, sizeof(r)) == 0,
	   "a record reads back");
	test_bytes(text, n);
	free(text);
	test_sha512();
	test_name();
	return tap_done();
}
