/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tar: GNU sparse files in their four forms, and maps that can't be. */
#include "maketar.h"

/* Whether the entry has these pieces; `stored` counts from e->offset. */
static bool pieces_are(const struct unik_tar_entry *e, uint64_t size,
		       const struct unik_piece *want, uint32_t n)
{
	uint32_t i;
	uint64_t at = e->offset;

	if (!e->sparse || e->size != size || e->npieces != n)
		return false;
	for (i = 0; i < n; i++) {
		if (e->pieces[i].offset != want[i].offset ||
		    e->pieces[i].size != want[i].size ||
		    e->pieces[i].stored != at)
			return false;
		at += want[i].size;
	}
	return at == e->offset + e->stored;
}

static const struct unik_piece two[] = { { 0, 5, 0 }, { 600, 3, 0 } };

static bool reads_two(struct reading *r)
{
	const uint8_t *p;
	size_t n, sum = 0;
	char text[16] = "";

	while (unik_tar_data(r->tar, &p, &n, &err) == 0) {
		memcpy(text + sum, p, n);
		sum += n;
	}
	return strcmp(text, "helloend") == 0 && read_next(r) == 0 &&
	       strcmp(r->e.path, "next") == 0 && !r->e.sparse;
}

static int check_two(struct mk *t, const char *what)
{
	struct reading r;
	bool good;

	mk_file(t, "next", "data");
	good = read_first(&r, t) == 0 && strcmp(r.e.path, "f") == 0 &&
	       r.e.typeflag == '0' && pieces_are(&r.e, 700, two, 2);
	if (!good)
		printf("# %s\n", err.msg);
	ok(good && reads_two(&r), "%s", what);
	read_stop(&r);
	mk_drop(t);
	return good;
}

/* One old GNU piece: 12 bytes of offset and of size at a place of a block. */
static void old_piece(struct mk *t, size_t block, size_t at, uint64_t offset,
		      uint64_t size)
{
	char text[32];

	snprintf(text, sizeof(text), "%011llo", (unsigned long long)offset);
	memcpy(t->p + block + at, text, 12);
	snprintf(text, sizeof(text), "%011llo", (unsigned long long)size);
	memcpy(t->p + block + at + 12, text, 12);
}

/* Room for extension blocks is left behind the header. */
static void old_head(struct mk *t, uint64_t real, size_t stored)
{
	char text[32];

	mk_head(t, 'S', "f");
	mk_magic(t, "gnu");
	mk_octal(t, F_SIZE, 12, stored);
	snprintf(text, sizeof(text), "%011llo", (unsigned long long)real);
	mk_set(t, 483, text, 12);
}

static void test_forms(void)
{
	struct mk t = { 0 };

	old_head(&t, 700, 8);
	old_piece(&t, 0, 386, 0, 5);
	old_piece(&t, 0, 386 + 24, 600, 3);
	mk_sign(&t);
	mk_raw(&t, "helloend", 8);
	check_two(&t, "old GNU");
	mk_pax(&t, 'x', PAX("GNU.sparse.size", "700", "GNU.sparse.numblocks",
			    "2", "GNU.sparse.offset", "0",
			    "GNU.sparse.numbytes", "5", "GNU.sparse.offset",
			    "600", "GNU.sparse.numbytes", "3"));
	mk_file(&t, "f", "helloend");
	check_two(&t, "pax 0.0");
	mk_pax(&t, 'x', PAX("GNU.sparse.size", "700", "GNU.sparse.name", "f",
			    "GNU.sparse.map", "0,5,600,3", "path", "other"));
	mk_file(&t, "GNUSparseFile.1/f", "helloend");
	check_two(&t, "pax 0.1");
	mk_pax(&t, 'x', PAX("GNU.sparse.major", "1", "GNU.sparse.minor", "0",
			    "GNU.sparse.name", "f", "GNU.sparse.realsize",
			    "700"));
	mk_head(&t, '0', "GNUSparseFile.1/f");
	mk_octal(&t, F_SIZE, 12, 520);
	mk_raw(&t, "2\n0\n5\n600\n3\n", 12);
	mk_raw(&t, "helloend", 8);
	check_two(&t, "pax 1.0");
}

/* 4 pieces fit the header, 21 each extension block. */
static void old_map(struct mk *t, uint32_t n)
{
	static const uint8_t zeros[512];
	size_t block = 0;
	uint32_t i;

	old_head(t, 100000, n * 10);
	for (i = 0; i < n; i++) {
		uint32_t slot = i < 4 ? i : (i - 4) % 21;

		if (i >= 4 && slot == 0) {
			t->p[block ? block + 504 : 482] = 1;
			block = t->size;
			mk_raw(t, zeros, 512);
		}
		old_piece(t, block, (i < 4 ? 386 : 0) + 24 * slot, i * 400, 10);
	}
	mk_sign(t);
}

static void test_old_extensions(void)
{
	static const uint32_t counts[] = { 0, 1, 4, 5, 25, 26, 46, 47, 200 };
	static struct unik_piece want[200];
	static char data[2000];
	size_t k;
	uint32_t i;

	for (i = 0; i < 200; i++)
		want[i] = (struct unik_piece){ i * 400, 10, 0 };
	for (k = 0; k < COUNT(counts); k++) {
		struct mk t = { 0 };
		struct reading r;

		old_map(&t, counts[k]);
		mk_raw(&t, data, counts[k] * 10);
		mk_file(&t, "next", "data");
		ok(read_first(&r, &t) == 0 &&
			   pieces_are(&r.e, 100000, want, counts[k]) &&
			   read_next(&r) == 0 && strcmp(r.e.path, "next") == 0,
		   "old GNU with %u pieces", (unsigned)counts[k]);
		read_stop(&r);
		mk_drop(&t);
	}
}

/* ---- maps that can't be ---- */

static void refuse_pax(const char *const *pairs, const char *text)
{
	struct mk t = { 0 };
	struct reading r;

	mk_pax(&t, 'x', pairs);
	mk_file(&t, "f", "helloend");
	ok(failed(read_first(&r, &t), UNIK_EBAD, text), "refused: %s", text);
	read_stop(&r);
	mk_drop(&t);
}

#define SIZE "GNU.sparse.size", "700"
#define MAP "GNU.sparse.map"
#define OFFSET "GNU.sparse.offset"
#define BYTES "GNU.sparse.numbytes"

static void test_pax_refusals(void)
{
	refuse_pax(PAX(MAP, "0,8"), "sparse entry without its real size");
	refuse_pax(PAX(SIZE, MAP, "0"), "sparse map of an odd length");
	refuse_pax(PAX(SIZE, MAP, "0,5,600"), "sparse map of an odd length");
	refuse_pax(PAX(SIZE, MAP, "0,8,"), "sparse map ends in a comma");
	refuse_pax(PAX(SIZE, MAP, ","), "bad number in a sparse map");
	refuse_pax(PAX(SIZE, MAP, "0,-8"), "bad number in a sparse map");
	refuse_pax(PAX(SIZE, MAP, "0,8x"), "bad number in a sparse map");
	refuse_pax(PAX(SIZE, MAP, "0,18446744073709551616"),
		   "bad number in a sparse map");
	refuse_pax(PAX(SIZE, MAP, "1,18446744073709551615"),
		   "out of order or past the end");
	refuse_pax(PAX(SIZE, MAP, "8,4,0,4"), "out of order or past the end");
	refuse_pax(PAX(SIZE, MAP, "0,5,4,3"), "out of order or past the end");
	refuse_pax(PAX(SIZE, MAP, "693,8"), "out of order or past the end");
	refuse_pax(PAX(SIZE, MAP, "701,0"), "out of order or past the end");
	refuse_pax(PAX(SIZE, MAP, "0,7"),
		   "names 7 bytes of data, 8 are stored");
	refuse_pax(PAX(SIZE, MAP, "0,9"),
		   "names 9 bytes of data, 8 are stored");
	refuse_pax(PAX(SIZE, OFFSET, "0"), "sparse map is cut short");
	refuse_pax(PAX(SIZE, OFFSET, "0", OFFSET, "1"), "bad value '1'");
	refuse_pax(PAX(SIZE, BYTES, "8"), "bad value '8'");
	refuse_pax(PAX(SIZE, OFFSET, "-1"), "bad value '-1'");
	refuse_pax(PAX(SIZE, OFFSET, "9223372036854775808"), "bad value");
	refuse_pax(PAX("GNU.sparse.size", "1e3", MAP, "0,8"),
		   "bad value '1e3'");
	refuse_pax(PAX(SIZE, "GNU.sparse.major", "0"), "without a map");
	refuse_pax(PAX(SIZE, "GNU.sparse.major", "2", "GNU.sparse.minor", "0"),
		   "of an unknown version");
	refuse_pax(PAX(SIZE, "GNU.sparse.major", "1", "GNU.sparse.minor", "1",
		       MAP, "0,8"),
		   "unknown version of sparse map");
	/* An offset whose map was taken back waits for no numbytes. */
	refuse_pax(PAX(SIZE, OFFSET, "0", MAP, "", BYTES, "8"),
		   "bad value '8'");
	refuse_pax(PAX(SIZE, OFFSET, "0", MAP, "0,8", BYTES, "8"),
		   "bad value '8'");
}

/* Sparse 1.0 with this map in front of 512 bytes of data, which look like more
 * of it. */
static void refuse_10(const char *map, size_t n, const char *text)
{
	char data[512];
	struct mk t = { 0 };
	struct reading r;
	size_t i;

	for (i = 0; i < sizeof(data); i++)
		data[i] = i % 2 ? '\n' : '0';

	mk_pax(&t, 'x', PAX("GNU.sparse.major", "1", "GNU.sparse.minor", "0",
			    "GNU.sparse.realsize", "700"));
	mk_head(&t, '0', "f");
	mk_octal(&t, F_SIZE, 12, 1024);
	mk_raw(&t, map, n);
	mk_raw(&t, data, 512);
	ok(failed(read_first(&r, &t), UNIK_EBAD, text), "1.0 refused: %s",
	   text);
	read_stop(&r);
	mk_drop(&t);
}

static void test_10_refusals(void)
{
	char ones[512];
	struct mk t = { 0 };
	struct reading r;
	size_t i;

	memset(ones, '1', sizeof(ones));
	refuse_10(ones, 512, "bad number in a sparse map");
	refuse_10("1\n", 2, "bad number in a sparse map");
	refuse_10("\n", 1, "bad number in a sparse map");
	refuse_10("-1\n", 3, "bad number in a sparse map");
	refuse_10("1\n0\n9223372036854775808\n", 24,
		  "bad number in a sparse map");
	refuse_10("1\n0\n700\n", 8, "names 700 bytes of data, 512 are stored");
	refuse_10("2\n0\n12\n0\n500\n", 13, "out of order");
	ones[3] = '\n'; /* 111 pieces, of which the first is no number */
	refuse_10(ones, 512, "bad number in a sparse map");
	refuse_10("999\n", 4, "bad number in a sparse map"); /* NULs */
	memset(ones, '0', sizeof(ones));
	memcpy(ones, "999\n", 4);
	ones[511] = '\n';
	for (i = 5; i < 511; i += 2)
		ones[i] = '\n';
	refuse_10(ones, 512, "sparse map is cut short");
	mk_pax(&t, 'x', PAX("GNU.sparse.major", "1", "GNU.sparse.minor", "0"));
	mk_file(&t, "f", "0\n");
	ok(failed(read_first(&r, &t), UNIK_EBAD, "without its real size"),
	   "1.0 without a size");
	read_stop(&r);
	mk_drop(&t);
}

static void test_old_refusals(void)
{
	struct mk t = { 0 };
	struct reading r;

	old_head(&t, 700, 0);
	mk_magic(&t, "ustar");
	ok(failed(read_first(&r, &t), UNIK_EBAD, "not GNU's"),
	   "type S of another dialect");
	read_stop(&r);
	mk_drop(&t);
	old_head(&t, 700, 0);
	mk_binary(&t, 483, 12, -1);
	ok(failed(read_first(&r, &t), UNIK_EBAD, "negative size"),
	   "a negative real size");
	read_stop(&r);
	mk_drop(&t);
	old_head(&t, 700, 0);
	mk_binary(&t, 386, 12, -1);
	ok(failed(read_first(&r, &t), UNIK_EBAD, "negative number in a sparse"),
	   "a negative offset");
	read_stop(&r);
	mk_set(&t, 386, "nonsense", 8);
	ok(failed(read_first(&r, &t), UNIK_EBAD, "sparse offset is"),
	   "an offset that is no number");
	read_stop(&r);
	mk_drop(&t);
	old_map(&t, 30);
	read_start(&r, &t, 1024, 511);
	ok(failed(read_next(&r), UNIK_EBAD, "sparse map is cut short"),
	   "extension blocks that are not there");
	read_stop(&r);
	mk_drop(&t);
}

static void test_limit(void)
{
	struct mk t = { 0 };
	struct reading r;

	old_map(&t, 30);
	read_start(&r, &t, t.size, 511);
	r.limits.sparse = 29;
	ok(failed(read_next(&r), UNIK_EBAD,
		  "sparse map of more than 29 pieces (--max-sparse)"),
	   "old GNU within the limit");
	read_stop(&r);
	mk_drop(&t);
	mk_pax(&t, 'x', PAX(SIZE, MAP, "0,1,2,1,4,1"));
	mk_file(&t, "f", "abc");
	read_start(&r, &t, t.size, 511);
	r.limits.sparse = 2;
	ok(failed(read_next(&r), UNIK_EBAD, "more than 2 pieces"), "pax too");
	read_stop(&r);
	read_start(&r, &t, t.size, 511);
	r.limits.sparse = 3;
	ok(read_next(&r) == 0 && r.e.npieces == 3, "just so many are fine");
	read_stop(&r);
	mk_drop(&t);
}

int main(void)
{
	test_forms();
	test_old_extensions();
	test_pax_refusals();
	test_10_refusals();
	test_old_refusals();
	test_limit();
	return tap_done();
}
