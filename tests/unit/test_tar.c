/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tar: what every dialect of the header says. */
#include "maketar.h"

static bool named(const struct unik_tar_entry *e, const char *path)
{
	return e->path_size == strlen(path) && strcmp(e->path, path) == 0;
}

static bool targets(const struct unik_tar_entry *e, const char *target)
{
	return e->target_size == strlen(target) &&
	       strcmp(e->target, target) == 0;
}

static void test_plain(void)
{
	struct mk t = { 0 };
	struct reading r;
	const struct unik_tar_entry *e = &r.e;

	mk_head(&t, '0', "dir/file");
	mk_octal(&t, F_MODE, 8, 0107755);
	mk_octal(&t, F_UID, 8, 07777777);
	mk_data(&t, "hello", 5);
	mk_end(&t);
	ok(read_first(&r, &t) == 0 && named(e, "dir/file") &&
		   e->typeflag == '0' && !e->is_dir_name && e->mode == 07755 &&
		   e->uid == 07777777 && e->gid == 2 && e->mtime_sec == 3 &&
		   e->mtime_nsec == 0 && targets(e, "") && e->size == 5 &&
		   e->offset == 512 && e->stored == 5 && !e->sparse &&
		   e->nxattrs == 0,
	   "a ustar file");
	ok(read_next(&r) == 1 && unik_tar_ended_properly(r.tar) &&
		   read_next(&r) == 1,
	   "then the end, again and again");
	read_stop(&r);
	mk_drop(&t);
	ok(read_first(&r, &t) == 1 && !unik_tar_ended_properly(r.tar),
	   "no bytes are a tar without an end");
	read_stop(&r);
	mk_end(&t);
	ok(read_first(&r, &t) == 1 && unik_tar_ended_properly(r.tar),
	   "two zero blocks are an empty tar");
	read_stop(&r);
	read_start(&r, &t, 512, 512);
	ok(read_next(&r) == 1 && !unik_tar_ended_properly(r.tar),
	   "one zero block at the very end is not a proper end");
	read_stop(&r);
	mk_raw(&t, "anything", 8);
	ok(read_first(&r, &t) == 1, "what follows the end is not looked at");
	read_stop(&r);
	mk_drop(&t);
}

static void test_types(void)
{
	static const struct {
		char type;
		const char *magic, *name;
		char as;
		bool slash;
	} cases[] = {
		{ '0', "ustar", "f", '0', false },
		{ 0, "ustar", "f", '0', false },
		{ 0, "v7", "f", '0', false },
		{ 0, "v7", "d/", '5', true },
		{ '0', "ustar", "d/", '0', true },
		{ '7', "ustar", "f", '0', false },
		{ '1', "v7", "f", '1', false },
		{ '2', "v7", "f", '2', false },
		{ '5', "ustar", "d", '5', false },
		{ '5', "gnu", "d/", '5', true },
		{ '6', "ustar", "f", '6', false },
	};
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		struct mk t = { 0 };
		struct reading r;

		mk_head(&t, cases[i].type, cases[i].name);
		mk_magic(&t, cases[i].magic);
		ok(read_first(&r, &t) == 0 && r.e.typeflag == cases[i].as &&
			   r.e.is_dir_name == cases[i].slash,
		   "type %d of %s called '%s' is '%c'", cases[i].type,
		   cases[i].magic, cases[i].name, cases[i].as);
		read_stop(&r);
		mk_drop(&t);
	}
}

static void test_unknown_types(void)
{
	bool good = true;
	int c;

	for (c = 1; c < 256; c++) {
		struct mk t = { 0 };
		struct reading r;

		if (strchr("01234567xXgLKVS", c))
			continue;
		mk_head(&t, (char)c, "f");
		good &= failed(read_first(&r, &t), UNIK_EBAD,
			       "'f': unsupported entry type ");
		read_stop(&r);
		mk_drop(&t);
	}
	ok(good, "any other type is refused");
}

static void test_long_names(void)
{
	char name[300], link[300], want[600];
	struct mk t = { 0 };
	struct reading r;

	memset(name, 'n', sizeof(name));
	memset(link, 'l', sizeof(link));
	name[100] = link[100] = 0;
	mk_link(&t, '2', name, link);
	mk_set(&t, F_MODE, "0000777", 8); /* right behind the name */
	ok(read_first(&r, &t) == 0 && named(&r.e, name) && targets(&r.e, link),
	   "100 bytes without a NUL");
	read_stop(&r);
	name[100] = 'n';
	name[155] = 0;
	mk_set(&t, F_PREFIX, name, 155);
	snprintf(want, sizeof(want), "%s/%.100s", name, name);
	ok(read_first(&r, &t) == 0 && named(&r.e, want),
	   "and a prefix of 155");
	read_stop(&r);
	mk_magic(&t, "gnu");
	name[100] = 0;
	ok(read_first(&r, &t) == 0 && named(&r.e, name),
	   "GNU keeps other things at the prefix");
	read_stop(&r);
	mk_magic(&t, "v7");
	ok(read_first(&r, &t) == 0 && named(&r.e, name), "so may v7");
	read_stop(&r);
	mk_drop(&t);
	mk_head(&t, '0', "n");
	mk_set(&t, F_PREFIX, link, 100);
	mk_set(&t, F_PREFIX + 131, "01234567012 01234567012 ", 24);
	mk_magic(&t, "star");
	snprintf(want, sizeof(want), "%.100s/n", link);
	ok(read_first(&r, &t) == 0 && named(&r.e, want),
	   "star has times behind its prefix");
	read_stop(&r);
	mk_set(&t, F_PREFIX, name, 1);
	memset(t.p + F_PREFIX, 'p', 131);
	mk_sign(&t);
	memset(want, 'p', 131);
	strcpy(want + 131, "/n");
	ok(read_first(&r, &t) == 0 && named(&r.e, want), "of 131 bytes");
	read_stop(&r);
	mk_drop(&t);
}

static void test_gnu_names(void)
{
	char name[400], link[400];
	struct mk t = { 0 };
	struct reading r;

	memset(name, 'N', sizeof(name) - 1);
	memset(link, 'K', sizeof(link) - 1);
	name[399] = link[399] = 0;
	mk_head(&t, 'L', "././@LongLink");
	mk_data(&t, name, 400);
	mk_head(&t, 'K', "././@LongLink");
	mk_data(&t, link, 399); /* without the NUL */
	mk_link(&t, '2', "short", "cut");
	mk_link(&t, '2', "next", "one");
	ok(read_first(&r, &t) == 0 && named(&r.e, name) && targets(&r.e, link),
	   "GNU L and K, with and without a NUL");
	ok(read_next(&r) == 0 && named(&r.e, "next") && targets(&r.e, "one"),
	   "are for one entry only");
	read_stop(&r);
	mk_drop(&t);
	mk_head(&t, 'L', "././@LongLink");
	mk_data(&t, "first", 6);
	mk_head(&t, 'L', "././@LongLink");
	mk_data(&t, "second\0rest", 12);
	mk_head(&t, '0', "short");
	ok(read_first(&r, &t) == 0 && named(&r.e, "second"),
	   "the last of two counts, up to its NUL");
	read_stop(&r);
	mk_drop(&t);
	mk_head(&t, 'L', "././@LongLink");
	mk_data(&t, "", 1);
	mk_head(&t, '0', "short");
	ok(read_first(&r, &t) == 0 && named(&r.e, "short"),
	   "an empty one says nothing");
	read_stop(&r);
	mk_drop(&t);
}

static void test_octal(void)
{
	static const struct {
		const char *field; /* of 12 bytes */
		int64_t v;
	} good[] = {
		{ "00000000017\0", 15 },       { "         17 ", 15 },
		{ "17\0\0\0\0\0\0\0\0\0\0", 15 }, { "17          ", 15 },
		{ "\0\0\0\0\0\0\0\0\0\0\0\0", 0 }, { "            ", 0 },
		{ "777777777777", INT64_C(0777777777777) },
		{ "17\0garbage  ", 15 },       { "\0\0" "17       \0", 15 },
	};
	static const char *const bad[] = {
		"00000000018\0", "0000000-017\0", "0x17       \0",
		"17 17       ", "+17        \0", "1.5         ",
		"\t17         ", "seventeen   ",
	};
	struct mk t = { 0 };
	struct reading r;
	size_t i;

	mk_head(&t, '0', "f");
	for (i = 0; i < COUNT(good); i++) {
		mk_set(&t, F_MTIME, good[i].field, 12);
		ok(read_first(&r, &t) == 0 && r.e.mtime_sec == good[i].v,
		   "octal '%s'", good[i].field);
		read_stop(&r);
	}
	for (i = 0; i < COUNT(bad); i++) {
		mk_set(&t, F_MTIME, bad[i], 12);
		ok(failed(read_first(&r, &t), UNIK_EBAD, "not a number"),
		   "not octal: '%s'", bad[i]);
		read_stop(&r);
	}
	mk_drop(&t);
}

static void test_base256(void)
{
	static const int64_t times[] = { 0, 1, -1, -12345, INT64_C(1) << 40,
					 INT64_MAX, INT64_MIN };
	static const struct {
		uint8_t bytes[12];
	} bad[] = {
		{ { 0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0 } },
		{ { 0x80, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0 } },
		{ { 0xff, 0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0, 0, 0, 0 } },
		{ { 0xff, 0xff, 0xff, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0 } },
		{ { 0x81, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 } },
		{ { 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 } },
	};
	struct mk t = { 0 };
	struct reading r;
	size_t i;

	mk_head(&t, '0', "f");
	for (i = 0; i < COUNT(times); i++) {
		mk_binary(&t, F_MTIME, 12, times[i]);
		ok(read_first(&r, &t) == 0 && r.e.mtime_sec == times[i],
		   "base-256 %lld", (long long)times[i]);
		read_stop(&r);
	}
	for (i = 0; i < COUNT(bad); i++) {
		mk_set(&t, F_MTIME, bad[i].bytes, 12);
		ok(failed(read_first(&r, &t), UNIK_EBAD,
			  "mtime does not fit 64 bits"),
		   "base-256 over 64 bits, %zu", i);
		read_stop(&r);
	}
	mk_octal(&t, F_MTIME, 12, 0);
	mk_binary(&t, F_UID, 8, UINT32_MAX - 1);
	mk_binary(&t, F_GID, 8, UINT32_MAX - 1);
	ok(read_first(&r, &t) == 0 && r.e.uid == UINT32_MAX - 1 &&
		   r.e.gid == UINT32_MAX - 1,
	   "the largest owner");
	read_stop(&r);
	mk_drop(&t);
}

static void test_devices(void)
{
	struct mk t = { 0 };
	struct reading r;

	mk_head(&t, '3', "null");
	mk_octal(&t, F_MAJOR, 8, 1);
	mk_octal(&t, F_MINOR, 8, 3);
	ok(read_first(&r, &t) == 0 && r.e.rdev_major == 1 &&
		   r.e.rdev_minor == 3,
	   "a device");
	read_stop(&r);
	mk_magic(&t, "gnu");
	mk_binary(&t, F_MAJOR, 8, UINT32_MAX);
	mk_binary(&t, F_MINOR, 8, UINT32_MAX);
	ok(read_first(&r, &t) == 0 && r.e.rdev_major == UINT32_MAX &&
		   r.e.rdev_minor == UINT32_MAX,
	   "the largest device");
	read_stop(&r);
	mk_magic(&t, "v7");
	ok(read_first(&r, &t) == 0 && r.e.rdev_major == 0, "v7 has none");
	read_stop(&r);
	mk_drop(&t);
}

/* Sizes of what has no data mean nothing. */
static void test_sizes_of_nothing(void)
{
	struct mk t = { 0 };
	struct reading r;
	const char *c;

	for (c = "123456"; *c; c++) {
		mk_head(&t, *c, "x");
		mk_octal(&t, F_SIZE, 12, 12345);
		mk_file(&t, "f", "data");
		ok(read_first(&r, &t) == 0 && r.e.size == 0 &&
			   read_next(&r) == 0 && named(&r.e, "f"),
		   "a size at type %c", *c);
		read_stop(&r);
		mk_drop(&t);
	}
	mk_head(&t, 'V', "a volume");
	mk_data(&t, "its data", 8);
	mk_file(&t, "f", "data");
	ok(read_first(&r, &t) == 0 && named(&r.e, "f"),
	   "a volume label is passed over");
	read_stop(&r);
	mk_drop(&t);
}

static void test_checksum(void)
{
	struct mk t = { 0 };
	struct reading r;
	int sum = 0, i;
	char text[8] = { 0 };

	mk_head(&t, '0', "\xff\xfe\xfd");
	for (i = 0; i < 512; i++)
		sum += i >= F_SUM && i < F_SUM + 8 ? ' ' : (int8_t)t.p[i];
	snprintf(text, sizeof(text), "%06o", (unsigned)sum);
	memcpy(t.p + F_SUM, text, 8);
	ok(read_first(&r, &t) == 0 && unik_tar_is_header(t.p),
	   "a sum of signed bytes, as old writers took it");
	read_stop(&r);
	t.p[F_SUM + 5] ^= 1;
	ok(failed(read_first(&r, &t), UNIK_EBAD,
		  "not a tar header at byte 0 (wrong checksum)") &&
		   !unik_tar_is_header(t.p),
	   "any other is wrong");
	read_stop(&r);
	mk_drop(&t);
}

/* Data comes whole, whatever the steps; what is not read is skipped. */
static void test_data(void)
{
	static char big[70000];
	static const size_t sizes[] = { 0, 1, 511, 512, 513, 69999 };
	struct mk t = { 0 };
	size_t i, step;
	bool good = true;

	for (i = 0; i < sizeof(big); i++)
		big[i] = (char)random_u64();
	for (i = 0; i < COUNT(sizes); i++) {
		mk_head(&t, '0', "f");
		mk_data(&t, big, sizes[i]);
	}
	for (step = 1; step <= 100000; step = step * 5 + 1) {
		struct reading r;

		read_start(&r, &t, t.size, step);
		for (i = 0; i < COUNT(sizes); i++) {
			const uint8_t *p;
			size_t n, at = 0;

			good &= read_next(&r) == 0 && r.e.size == sizes[i];
			while (unik_tar_data(r.tar, &p, &n, &err) == 0) {
				good &= memcmp(p, big + at, n) == 0;
				at += n;
				if (step % 4 == 3 && at > sizes[i] / 2)
					break; /* the rest is skipped */
			}
			good &= step % 4 == 3 || at == sizes[i];
		}
		good &= read_next(&r) == 1;
		read_stop(&r);
	}
	ok(good, "data in steps, read to the end or not");
	mk_drop(&t);
}

int main(void)
{
	test_plain();
	test_types();
	test_unknown_types();
	test_long_names();
	test_gnu_names();
	test_octal();
	test_base256();
	test_devices();
	test_sizes_of_nothing();
	test_checksum();
	test_data();
	return tap_done();
}
