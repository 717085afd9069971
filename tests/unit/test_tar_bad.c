/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tar: refusals, every cut, every damaged byte. */
#include "maketar.h"

static void refuse(struct mk *t, const char *text)
{
	struct reading r;
	int rc;

	read_start(&r, t, t->size, 511);
	while ((rc = read_next(&r)) == 0)
		;
	ok(failed(rc, UNIK_EBAD, text), "refused: %s", text);
	read_stop(&r);
	mk_drop(t);
}

static void test_numbers(void)
{
	struct mk t = { 0 };

	mk_head(&t, '0', "f");
	mk_binary(&t, F_SIZE, 12, -1);
	refuse(&t, "'f': negative size");
	mk_head(&t, '0', "f");
	mk_binary(&t, F_SIZE, 12, INT64_MAX);
	refuse(&t, "the tar ends inside an entry");
	mk_head(&t, 'V', "f");
	mk_binary(&t, F_SIZE, 12, INT64_MAX);
	refuse(&t, "the tar ends inside an entry");
	mk_head(&t, 'V', "f");
	mk_binary(&t, F_SIZE, 12, -1);
	refuse(&t, "negative size");
	mk_head(&t, '0', "f");
	mk_binary(&t, F_UID, 8, UINT32_MAX);
	refuse(&t, "'f': uid is out of range");
	mk_head(&t, '0', "f");
	mk_binary(&t, F_GID, 8, INT64_C(1) << 40);
	refuse(&t, "'f': gid is out of range");
	mk_head(&t, '0', "f");
	mk_binary(&t, F_UID, 8, -1);
	refuse(&t, "'f': uid is out of range");
	mk_head(&t, '3', "f");
	mk_binary(&t, F_MAJOR, 8, INT64_C(1) << 32);
	refuse(&t, "'f': device number is out of range");
	mk_head(&t, '4', "f");
	mk_binary(&t, F_MINOR, 8, -2);
	refuse(&t, "'f': negative device number");
	mk_pax(&t, 'x', PAX("uid", "4294967295"));
	mk_file(&t, "f", "data");
	refuse(&t, "uid is out of range");
	mk_pax(&t, 'x', PAX("gid", "99999999999"));
	mk_file(&t, "f", "data");
	refuse(&t, "gid is out of range");
	mk_pax(&t, 'x', PAX("size", "9223372036854775807"));
	mk_file(&t, "f", "data");
	refuse(&t, "the tar ends inside an entry");
	mk_pax(&t, 'x', PAX("SCHILY.devmajor", "4294967296"));
	mk_head(&t, '3', "f");
	refuse(&t, "device number is out of range");
}

static void test_pax_values(void)
{
	static const char *const bad[][2] = {
		{ "size", "-1" },   { "size", "1.5" },
		{ "size", "0x10" }, { "size", "9223372036854775808" },
		{ "uid", "root" },  { "uid", "-1" },
		{ "gid", " 1" },    { "gid", "1 " },
		{ "uid", "18446744073709551616" },
		{ "atime", "now" }, { "ctime", "1.5.5" },
		{ "SCHILY.devminor", "1:2" },
	};
	char body[64];
	struct mk t = { 0 };
	size_t i;

	for (i = 0; i < COUNT(bad); i++) {
		mk_pax(&t, 'x', PAX(bad[i][0], bad[i][1]));
		mk_file(&t, "f", "data");
		refuse(&t, "has the bad value");
	}
	mk_pax_raw(&t, 'x', body, pax_record(body, "path", "a\0b", 3));
	mk_file(&t, "f", "data");
	refuse(&t, "pax record 'path' has the bad value 'a\\x00b'");
	mk_pax_raw(&t, 'x', body, pax_record(body, "linkpath", "\0", 1));
	mk_file(&t, "f", "data");
	refuse(&t, "pax record 'linkpath' has the bad value");
	mk_pax_raw(&t, 'x', "9 a\0bc=d\n", 9);
	mk_file(&t, "f", "data");
	refuse(&t, "NUL byte in a pax keyword");
}

static void test_pax_records(void)
{
	static const struct {
		const char *body, *text;
	} cases[] = {
		{ "x", "bad length of a pax record" },
		{ " ", "bad length" },
		{ "6 ", "bad length" },
		{ "0 a=b\n", "bad length" },
		{ "-6 a=b\n", "bad length" },
		{ "5 a=b\n", "without its newline" },
		{ "7 a=b\n", "bad length" },
		{ "6 a=b\n9", "bad length" },
		{ "6 a=b\n\n", "bad length" },
		{ "6 a=b", "bad length" },
		{ "6  =b\n", "" }, /* a blank is a key like any other */
		{ "5 =b\n", "pax record without '='" },
		{ "6 abc\n", "pax record without '='" },
		{ "18446744073709551622 a=b\n", "bad length" },
		{ "000000000000000000000000006 a=b\n", "bad length" },
		{ "3 \n", "bad length" },
		{ "4 =\n", "pax record without '='" },
	};
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		struct mk t = { 0 };
		struct reading r;

		mk_pax_raw(&t, 'x', cases[i].body, strlen(cases[i].body));
		mk_file(&t, "f", "data");
		if (cases[i].text[0]) {
			refuse(&t, cases[i].text);
			continue;
		}
		ok(read_first(&r, &t) == 0, "taken: %zu", i);
		read_stop(&r);
		mk_drop(&t);
	}
}

static void test_ends(void)
{
	static const uint8_t zeros[512];
	struct mk t = { 0 };

	mk_file(&t, "f", "data");
	mk_raw(&t, zeros, 512);
	mk_file(&t, "g", "data");
	refuse(&t, "a lone zero block inside the tar");
	mk_pax(&t, 'x', PAX("path", "x"));
	refuse(&t, "the tar ends behind an extended header");
	mk_pax(&t, 'x', PAX("path", "x"));
	mk_end(&t);
	refuse(&t, "the tar ends behind an extended header");
	mk_head(&t, 'L', "././@LongLink");
	mk_data(&t, "name", 5);
	mk_end(&t);
	refuse(&t, "the tar ends behind an extended header");
	mk_head(&t, 'K', "././@LongLink");
	mk_data(&t, "name", 5);
	refuse(&t, "the tar ends behind an extended header");
	mk_file(&t, "f", "data");
	mk_raw(&t, "garbage", 7);
	refuse(&t, "not a tar header at byte 1024 (wrong checksum)");
}

static void test_limits(void)
{
	static const char types[] = "xgLK";
	static char body[2001];
	size_t i, n;

	n = pax_record(body, "comment", body + 1000, 900);
	for (i = 0; types[i]; i++) {
		struct mk t = { 0 };
		struct reading r;

		mk_head(&t, types[i], "x");
		mk_data(&t, body, n);
		mk_file(&t, "f", "data");
		read_start(&r, &t, t.size, 511);
		r.limits.pax_size = n - 1;
		ok(failed(read_next(&r), UNIK_EBAD, "(--max-pax-size)"),
		   "an extended header %c over the limit", types[i]);
		read_stop(&r);
		read_start(&r, &t, t.size, 511);
		r.limits.pax_size = n;
		ok(read_next(&r) == 0, "%c just within it", types[i]);
		read_stop(&r);
		mk_binary(&t, F_SIZE, 12, 0);
		mk_drop(&t);
		mk_head(&t, types[i], "x");
		mk_binary(&t, F_SIZE, 12, INT64_MAX);
		refuse(&t, "(--max-pax-size)");
		mk_head(&t, types[i], "x");
		mk_binary(&t, F_SIZE, 12, -1);
		refuse(&t, "negative size");
	}
}

/* ---- any damage ---- */

/* One of everything. */
static void make_all(struct mk *t)
{
	mk_head(t, '5', "d/");
	mk_file(t, "d/f", "some text");
	mk_link(t, '2', "s", "d/f");
	mk_link(t, '1', "h", "d/f");
	mk_pax(t, 'g', PAX("comment", "c"));
	mk_pax(t, 'x', PAX("path", "long", "mtime", "-1.5", "uid", "7",
			   "SCHILY.xattr.user.a", "v",
			   "LIBARCHIVE.xattr.user.b", "QQ=="));
	mk_file(t, "p", "more text");
	mk_pax(t, 'x', PAX("GNU.sparse.size", "700", "GNU.sparse.map",
			   "0,5,600,3"));
	mk_file(t, "sparse", "helloend");
	mk_pax(t, 'x', PAX("GNU.sparse.major", "1", "GNU.sparse.minor", "0",
			   "GNU.sparse.realsize", "700"));
	mk_head(t, '0', "sparse10");
	mk_octal(t, F_SIZE, 12, 520);
	mk_raw(t, "2\n0\n5\n600\n3\n", 12);
	mk_raw(t, "helloend", 8);
	mk_head(t, 'L', "././@LongLink");
	mk_data(t, "gnu name", 9);
	mk_head(t, 'S', "old");
	mk_magic(t, "gnu");
	mk_set(t, 386, "00000000000\00000000000010", 24);
	mk_set(t, 483, "00000001000", 12);
	mk_data(t, "12345678", 8);
	mk_head(t, '3', "dev");
	mk_octal(t, F_MAJOR, 8, 1);
	mk_octal(t, F_MINOR, 8, 3);
	mk_end(t);
}

/* Which cuts leave a tar that is whole by itself: those at a header that no
 * extended one precedes. */
static void test_cuts(void)
{
	struct mk t = { 0 };
	size_t cut;
	int bad = 0, whole = 0, behind = 0;
	bool good = true;

	make_all(&t);
	for (cut = 0; cut <= t.size; cut++) {
		int rc = read_all(&t, cut, 300);

		if (rc >= 0 && cut > t.size - 512 && cut < t.size) {
			behind++; /* inside the second zero block */
		} else if (rc >= 0) {
			good &= cut % 512 == 0;
			whole++;
		} else {
			good &= err.code == UNIK_EBAD && neat(err.msg);
			bad++;
		}
	}
	ok(good, "a cut is an error or falls between entries");
	/* No bytes at all; behind each of nine entries and the global header;
	 * behind one zero block, and two. */
	ok(whole == 13 && behind == 511 && bad > 10000,
	   "%d cuts fall between entries, %d do not", whole, bad);
	mk_drop(&t);
}

static void sign_at(struct mk *t, size_t block)
{
	t->last = block;
	mk_sign(t);
}

/* Flips bits of each byte, with and without a right checksum. */
static void test_damage(void)
{
	struct mk t = { 0 }, copy = { 0 };
	size_t at;
	int k, taken = 0, unsigned_taken = 0;
	bool good = true;

	make_all(&t);
	mk_raw(&copy, t.p, t.size);
	for (at = 0; at < t.size; at++) {
		for (k = 0; k < 3; k++) {
			size_t block = at / 512 * 512;
			uint8_t flip = (uint8_t)(random_u64() | 2);

			memcpy(copy.p, t.p, t.size);
			copy.p[at] ^= k == 0 ? 1 : k == 1 ? 0x80 : flip;
			if (read_all(&copy, t.size, 4096) >= 0)
				unsigned_taken++;
			else
				good &= neat(err.msg);
			sign_at(&copy, block);
			if (read_all(&copy, t.size, 4096) >= 0)
				taken++;
			else
				good &= neat(err.msg);
		}
	}
	ok(good, "every flipped bit is taken or refused in one neat line");
	ok(taken > unsigned_taken && unsigned_taken > 0,
	   "more of them with a right checksum (%d and %d of %zu)", taken,
	   unsigned_taken, t.size * 3);
	mk_drop(&t);
	mk_drop(&copy);
}

/* Random bytes in fields, pax bodies and maps. */
static void test_noise(void)
{
	struct mk t = { 0 }, copy = { 0 };
	int round, taken = 0;
	bool good = true;

	make_all(&t);
	mk_raw(&copy, t.p, t.size);
	for (round = 0; round < 20000; round++) {
		size_t block = random_below((uint32_t)(t.size / 512)) * 512;
		size_t at = random_below(500), n = 1 + random_below(12);

		memcpy(copy.p, t.p, t.size);
		for (; n > 0; n--, at++) {
			static const char likely[] = "0179=, -\n\0\x80\xff";

			copy.p[block + at] =
				random_below(3) ? (uint8_t)likely[random_below(
							  sizeof(likely) - 1)]
						: (uint8_t)random_u64();
		}
		if (random_below(8))
			sign_at(&copy, block);
		if (read_all(&copy, t.size, 4096) >= 0)
			taken++;
		else
			good &= neat(err.msg);
	}
	ok(good && taken > 500, "20,000 noisy tars (%d taken)", taken);
	mk_drop(&t);
	mk_drop(&copy);
}

static void test_failing_source(void)
{
	struct mk t = { 0 };
	size_t at;
	bool good = true;

	make_all(&t);
	for (at = 0; at < t.size; at++) {
		struct reading r;
		int rc;

		read_start(&r, &t, t.size, 300);
		r.drip.fail_at = at;
		while ((rc = read_next(&r)) == 0)
			;
		good &= rc == -1 && err.code == UNIK_EIO &&
			strstr(err.msg, "dried up");
		read_stop(&r);
	}
	ok(good, "a source that fails is not an end");
	mk_drop(&t);
}

int main(void)
{
	test_numbers();
	test_pax_values();
	test_pax_records();
	test_ends();
	test_limits();
	test_cuts();
	test_damage();
	test_noise();
	test_failing_source();
	return tap_done();
}
