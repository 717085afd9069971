/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tar: pax records: names, numbers, times, attributes. */
#include "maketar.h"

/* Reads one file `f` behind an x header of these records. */
static int read_with(struct reading *r, struct mk *t, const char *const *pairs)
{
	mk_drop(t);
	mk_pax(t, 'x', pairs);
	mk_link(t, '0', "f", "l");
	mk_data(t, "data", 4);
	mk_end(t);
	return read_first(r, t);
}

static void test_names(void)
{
	struct mk t = { 0 };
	struct reading r;

	ok(read_with(&r, &t, PAX("path", "a/long name\xff", "linkpath",
				 "to this")) == 0 &&
		   strcmp(r.e.path, "a/long name\xff") == 0 &&
		   strcmp(r.e.target, "to this") == 0,
	   "path and linkpath");
	read_stop(&r);
	ok(read_with(&r, &t, PAX("path", "first", "path", "second")) == 0 &&
		   strcmp(r.e.path, "second") == 0,
	   "the last of two records counts");
	read_stop(&r);
	ok(read_with(&r, &t, PAX("path", "first", "path", "", "linkpath", "x",
				 "linkpath", "")) == 0 &&
		   strcmp(r.e.path, "f") == 0 && strcmp(r.e.target, "l") == 0,
	   "an empty value takes the earlier one back");
	read_stop(&r);
	ok(read_with(&r, &t, PAX("path", "dir/")) == 0 && r.e.is_dir_name,
	   "a slash at the end is seen");
	read_stop(&r);
	mk_drop(&t);
	mk_pax(&t, 'x', PAX("path", "from pax"));
	mk_head(&t, 'L', "././@LongLink");
	mk_data(&t, "from GNU", 9);
	mk_file(&t, "f", "data");
	mk_file(&t, "g", "data");
	ok(read_first(&r, &t) == 0 && strcmp(r.e.path, "from pax") == 0,
	   "pax wins over GNU, whatever comes last");
	ok(read_next(&r) == 0 && strcmp(r.e.path, "g") == 0,
	   "and both are for one entry");
	read_stop(&r);
	mk_drop(&t);
	mk_pax(&t, 'x', PAX("path", "first", "uid", "77"));
	mk_pax(&t, 'X', PAX("path", "second"));
	mk_file(&t, "f", "data");
	ok(read_first(&r, &t) == 0 && strcmp(r.e.path, "second") == 0 &&
		   r.e.uid == 1,
	   "a second header takes the place of the first");
	read_stop(&r);
	mk_drop(&t);
}

static void test_numbers(void)
{
	struct mk t = { 0 };
	struct reading r;

	ok(read_with(&r, &t, PAX("uid", "4294967294", "gid", "4294967294")) ==
			   0 &&
		   r.e.uid == 4294967294u && r.e.gid == 4294967294u,
	   "the largest owner");
	read_stop(&r);
	ok(read_with(&r, &t, PAX("uid", "0", "gid", "007")) == 0 &&
		   r.e.uid == 0 && r.e.gid == 7,
	   "zero, and zeros in front");
	read_stop(&r);
	ok(read_with(&r, &t, PAX("size", "2")) == 0 && r.e.size == 2 &&
		   read_next(&r) == 1,
	   "a size that counts instead of the header's");
	read_stop(&r);
	mk_drop(&t);
	mk_pax(&t, 'x', PAX("SCHILY.devmajor", "70000", "SCHILY.devminor",
			    "4294967295"));
	mk_head(&t, '4', "b");
	ok(read_first(&r, &t) == 0 && r.e.rdev_major == 70000 &&
		   r.e.rdev_minor == 4294967295u,
	   "a device number");
	read_stop(&r);
	mk_drop(&t);
	ok(read_with(&r, &t, PAX("comment", "x", "uname", "root", "gname", "",
				 "charset", "ISO-IR 10646 2000 UTF-8",
				 "VENDOR.key", "\x01", "SCHILY.dev", "1",
				 "SCHILY.xattr.", "no name")) == 0 &&
		   r.e.nxattrs == 0,
	   "keys that say nothing of the tree are passed over");
	read_stop(&r);
	mk_drop(&t);
}

static void test_times(void)
{
	static const struct {
		const char *text;
		int64_t sec;
		uint32_t nsec;
	} cases[] = {
		{ "0", 0, 0 },
		{ "1", 1, 0 },
		{ "1.", 1, 0 },
		{ "1.5", 1, 500000000 },
		{ "1.000000001", 1, 1 },
		{ "1.123456789", 1, 123456789 },
		{ "1.9999999999999", 1, 999999999 },
		{ "1234567890.1", 1234567890, 100000000 },
		{ "-0", 0, 0 },
		{ "-1", -1, 0 },
		{ "-1.5", -2, 500000000 },
		{ "-0.000000001", -1, 999999999 },
		{ "-0.25", -1, 750000000 },
		{ "99999999999", 99999999999, 0 },
		{ "9223372036854775806", INT64_MAX - 1, 0 },
		{ "-9223372036854775806.5", -INT64_MAX, 500000000 },
	};
	static const char *const bad[] = {
		"x", "1e5", ".5", "-", "--1", "-.5", "+1", " 1", "1 ", "1.5.0",
		"1.-5", "1,5", "9223372036854775807", "99999999999999999999",
		"1.x", "0x10", "1.5 ",
	};
	struct mk t = { 0 };
	struct reading r;
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		ok(read_with(&r, &t, PAX("mtime", cases[i].text)) == 0 &&
			   r.e.mtime_sec == cases[i].sec &&
			   r.e.mtime_nsec == cases[i].nsec,
		   "time %s", cases[i].text);
		read_stop(&r);
	}
	for (i = 0; i < COUNT(bad); i++) {
		ok(failed(read_with(&r, &t, PAX("mtime", bad[i])), UNIK_EBAD,
			  "pax record 'mtime' has the bad value"),
		   "no time: '%s'", bad[i]);
		read_stop(&r);
	}
	mk_drop(&t);
}

static void test_globals(void)
{
	struct mk t = { 0 };
	struct reading r;

	mk_pax(&t, 'g', PAX("comment", "0123456789abcdef"));
	mk_pax(&t, 'x', PAX("path", "kept", "uid", "9", "SCHILY.xattr.user.a",
			    "v"));
	mk_pax(&t, 'g', PAX("path", "not applied", "mtime", "99", "uid", "5",
			    "SCHILY.xattr.user.b", "w", "GNU.sparse.map", "0,1",
			    "GNU.sparse.size", "1"));
	mk_file(&t, "f", "data");
	ok(read_first(&r, &t) == 0 && strcmp(r.e.path, "kept") == 0 &&
		   r.e.uid == 9 && r.e.mtime_sec == 3 && !r.e.sparse &&
		   r.e.nxattrs == 1 &&
		   strcmp(r.e.xattrs[0].name, "user.a") == 0,
	   "a global header between x and its entry changes nothing");
	ok(unik_tar_globals(r.tar) == 1,
	   "those with more than a comment count");
	read_stop(&r);
	mk_drop(&t);
	mk_pax(&t, 'g', PAX("mtime", "nonsense"));
	mk_file(&t, "f", "data");
	ok(failed(read_first(&r, &t), UNIK_EBAD, "bad value"),
	   "but they are checked");
	read_stop(&r);
	mk_drop(&t);
}

/* ---- attributes ---- */

static const struct unik_xattr *find(const struct unik_tar_entry *e,
				     const char *name)
{
	const struct unik_xattr *found = NULL;
	size_t i;

	for (i = 0; i < e->nxattrs; i++)
		if (strcmp(e->xattrs[i].name, name) == 0)
			found = &e->xattrs[i]; /* the last counts */
	return found;
}

static bool value_is(const struct unik_tar_entry *e, const char *name,
		     const void *value, size_t n)
{
	const struct unik_xattr *x = find(e, name);

	return x && x->name_size == strlen(name) && x->value_size == n &&
	       memcmp(x->value, value, n) == 0;
}

static void test_binary_xattrs(void)
{
	char body[4096], all[256];
	struct mk t = { 0 };
	struct reading r;
	size_t n = 0;
	int i;

	for (i = 0; i < 256; i++)
		all[i] = (char)i;
	n += pax_record(body + n, "SCHILY.xattr.security.capability",
			"\0\0\0\2\n=x", 7);
	n += pax_record(body + n, "SCHILY.xattr.user.empty", "", 0);
	n += pax_record(body + n, "SCHILY.xattr.user.all", all, 256);
	n += pax_record(body + n, "SCHILY.xattr.user.eq=l", "v", 1);
	n += pax_record(body + n, "mtime", "7.5", 3);
	mk_pax_raw(&t, 'x', body, n);
	mk_file(&t, "f", "data");
	ok(read_first(&r, &t) == 0 && r.e.nxattrs == 4 &&
		   value_is(&r.e, "security.capability", "\0\0\0\2\n=x", 7) &&
		   value_is(&r.e, "user.empty", "", 0) &&
		   value_is(&r.e, "user.all", all, 256) &&
		   value_is(&r.e, "user.eq", "l=v", 3) && r.e.mtime_sec == 7,
	   "values of any bytes, the empty one too");
	read_stop(&r);
	mk_drop(&t);
}

static void test_base64(void)
{
	static const struct {
		const char *text, *value;
		size_t n;
	} good[] = {
		{ "", "", 0 },		{ "AA==", "\0", 1 },
		{ "AA", "\0", 1 },	{ "YWJj", "abc", 3 },
		{ "YWI=", "ab", 2 },	{ "YWI", "ab", 2 },
		{ "+/+/", "\xfb\xff\xbf", 3 }, { "////", "\xff\xff\xff", 3 },
	};
	static const char *const bad[] = { "A", "YWJjA", "YW\nJj", "YW=Jj",
					   "Y W=", "-_-_", "YWJ%" };
	struct mk t = { 0 };
	struct reading r;
	size_t i;

	for (i = 0; i < COUNT(good); i++) {
		ok(read_with(&r, &t, PAX("LIBARCHIVE.xattr.user.a",
					 good[i].text)) == 0 &&
			   value_is(&r.e, "user.a", good[i].value, good[i].n),
		   "base64 '%s'", good[i].text);
		read_stop(&r);
	}
	for (i = 0; i < COUNT(bad); i++) {
		ok(failed(read_with(&r, &t, PAX("LIBARCHIVE.xattr.user.a",
						bad[i])),
			  UNIK_EBAD, "bad base64"),
		   "no base64, %zu", i);
		read_stop(&r);
	}
	mk_drop(&t);
}

static void test_libarchive_names(void)
{
	struct mk t = { 0 };
	struct reading r;

	ok(read_with(&r, &t, PAX("LIBARCHIVE.xattr.user.a%3db%25%2F%zz%",
				 "QQ")) == 0 &&
		   value_is(&r.e, "user.a=b%/%zz%", "A", 1),
	   "names with %%HH");
	read_stop(&r);
	ok(failed(read_with(&r, &t, PAX("LIBARCHIVE.xattr.user.a%00b", "QQ")),
		  UNIK_EBAD, "NUL byte in the name of an extended attribute"),
	   "but not with a NUL");
	read_stop(&r);
	ok(read_with(&r, &t, PAX("SCHILY.xattr.user.a", "raw",
				 "LIBARCHIVE.xattr.user.a", "QQ",
				 "LIBARCHIVE.xattr.user.b", "Qg")) == 0 &&
		   value_is(&r.e, "user.a", "raw", 3) &&
		   value_is(&r.e, "user.b", "B", 1),
	   "raw bytes win over base64, whatever comes last");
	read_stop(&r);
	ok(read_with(&r, &t, PAX("SCHILY.xattr.user.a", "1",
				 "SCHILY.xattr.user.a", "2")) == 0 &&
		   value_is(&r.e, "user.a", "2", 1),
	   "the last of equal names counts");
	read_stop(&r);
	mk_drop(&t);
}

/* Names that fill the body, so that a buffer too small would show. */
static void test_many_xattrs(void)
{
	static char body[1 << 19], name[300];
	struct mk t = { 0 };
	struct reading r;
	size_t n = 0, i;
	bool good;

	for (i = 0; n + 400 < sizeof(body); i++) {
		sprintf(name, "LIBARCHIVE.xattr.%%75ser.%zu", i);
		n += pax_record(body + n, name, "QUJD", 4);
	}
	mk_pax_raw(&t, 'x', body, n);
	mk_file(&t, "f", "data");
	good = read_first(&r, &t) == 0 && r.e.nxattrs == i;
	while (good && i-- > 0) {
		sprintf(name, "user.%zu", i);
		good = strcmp(r.e.xattrs[i].name, name) == 0 &&
		       memcmp(r.e.xattrs[i].value, "ABC", 3) == 0;
	}
	ok(good, "%zu attributes in one header", r.e.nxattrs);
	read_stop(&r);
	mk_drop(&t);
	memset(name, 'n', sizeof(name));
	memcpy(name, "SCHILY.xattr.", 13);
	name[13 + 255] = 0;
	ok(read_with(&r, &t, PAX(name, "v")) == 0 && r.e.nxattrs == 1,
	   "a name of 255 bytes");
	read_stop(&r);
	name[13 + 255] = 'n';
	name[13 + 256] = 0;
	ok(failed(read_with(&r, &t, PAX(name, "v")), UNIK_EBAD,
		  "extended attribute name of 256 bytes is over 255"),
	   "one of 256 is refused");
	read_stop(&r);
	mk_drop(&t);
}

int main(void)
{
	test_names();
	test_numbers();
	test_times();
	test_globals();
	test_binary_xattrs();
	test_base64();
	test_libarchive_names();
	test_many_xattrs();
	return tap_done();
}
