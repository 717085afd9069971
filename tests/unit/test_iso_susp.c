/* SPDX-License-Identifier: GPL-3.0-or-later */
/* writer_iso: symlinks in SL fields as readers take them, and how fields are
 * spread over records and continuation areas. */
#include "iso_help.h"

/* ---- readers, as their sources describe them ---- */

/* Linux, fs/isofs/rock.c: a slash behind a component that neither is the root
 * nor continues, unless it is the last one of all. */
static size_t read_linux(const uint8_t *sl, size_t n, char *out)
{
	size_t len = 0, f;

	for (f = 0; f < n; f += sl[f + 2]) {
		size_t at = f + 5, end = f + sl[f + 2];

		while (at < end) {
			uint8_t flags = sl[at], size = sl[at + 1];
			bool last;

			if (flags & RRIP_CURRENT)
				out[len++] = '.';
			else if (flags & RRIP_PARENT)
				len += (size_t)sprintf(out + len, "..");
			else if (flags & RRIP_ROOT)
				out[len++] = '/';
			else
				memcpy(out + len, sl + at + 2, size);
			len += flags & ~1 ? 0 : size;
			at += size + 2u;
			last = at >= end && !(sl[f + 4] & RRIP_CONTINUE);
			if (!last && !(flags & (RRIP_ROOT | RRIP_CONTINUE)))
				out[len++] = '/';
		}
	}
	return len;
}

/* NetBSD, cd9660_rrip.c: a slash before a component unless the one before it
 * continues; the root starts afresh, with nothing. */
static size_t read_netbsd(const uint8_t *sl, size_t n, char *out)
{
	bool cont = true;
	size_t len = 0, f, at;

	for (f = 0; f < n; f += sl[f + 2]) {
		for (at = f + 5; at < f + sl[f + 2]; at += sl[at + 1] + 2u) {
			if (!cont)
				out[len++] = '/';
			cont = sl[at] == RRIP_CONTINUE;
			if (sl[at] == RRIP_ROOT)
				len = 0;
			else if (sl[at] == RRIP_CURRENT)
				out[len++] = '.';
			else if (sl[at] == RRIP_PARENT)
				len += (size_t)sprintf(out + len, "..");
			else
				memcpy(out + len, sl + at + 2, sl[at + 1]);
			if (sl[at] <= RRIP_CONTINUE)
				len += sl[at + 1];
		}
	}
	return len;
}

/* libisofs, rockridge_read.c: a slash before a component unless the text ends
 * in one or the component before it continues. */
static size_t read_libisofs(const uint8_t *sl, size_t n, char *out)
{
	size_t len = 0, f, at;
	int cont = 0;

	for (f = 0; f < n; f += sl[f + 2]) {
		for (at = f + 5; at < f + sl[f + 2]; at += sl[at + 1] + 2u) {
			if (cont == 1 && out[len - 1] != '/')
				out[len++] = '/';
			if (sl[at] & RRIP_CURRENT)
				out[len++] = '.';
			else if (sl[at] & RRIP_PARENT)
				len += (size_t)sprintf(out + len, "..");
			else if (sl[at] & RRIP_ROOT)
				out[len++] = '/';
			else
				memcpy(out + len, sl + at + 2, sl[at + 1]);
			if (sl[at] <= RRIP_CONTINUE)
				len += sl[at + 1];
			cont = sl[at] & RRIP_CONTINUE ? 2 : 1;
		}
	}
	return len;
}

/* libarchive, archive_read_support_format_iso9660.c: a slash between the
 * components of one field only. */
static size_t read_libarchive(const uint8_t *sl, size_t n, char *out)
{
	size_t len = 0, f, at;

	for (f = 0; f < n; f += sl[f + 2]) {
		bool slash = false;

		for (at = f + 5; at < f + sl[f + 2]; at += sl[at + 1] + 2u) {
			if (slash)
				out[len++] = '/';
			slash = !(sl[at] & (RRIP_CONTINUE | RRIP_ROOT));
			if (sl[at] == RRIP_CURRENT)
				out[len++] = '.';
			else if (sl[at] == RRIP_PARENT)
				len += (size_t)sprintf(out + len, "..");
			else if (sl[at] == RRIP_ROOT)
				out[len++] = '/';
			else
				memcpy(out + len, sl + at + 2, sl[at + 1]);
			if (sl[at] <= RRIP_CONTINUE)
				len += sl[at + 1];
		}
	}
	return len;
}

static bool reads(size_t (*reader)(const uint8_t *, size_t, char *),
		  const struct iso_susp *s, const char *want)
{
	static char out[ISO_SUSP_MAX];
	size_t n = reader(s->bytes, s->n, out);

	return n == strlen(want) && memcmp(out, want, n) == 0;
}

static bool fields_fit(const struct iso_susp *s)
{
	size_t at;

	for (at = 0; at < s->n; at += s->bytes[at + 2])
		if (s->bytes[at + 2] < 7 || memcmp(s->bytes + at, "SL", 2) != 0)
			return false;
	return at == s->n;
}

static bool right(const char *target, const char *plain)
{
	struct iso_susp s, b;

	s.n = 0;
	unik_iso_symlink(&s, target, false);
	b.n = 0;
	unik_iso_symlink(&b, target, true);
	return fields_fit(&s) && reads(read_linux, &s, target) &&
	       reads(read_libisofs, &s, target) &&
	       reads(read_libarchive, &s, target) && fields_fit(&b) &&
	       reads(read_netbsd, &b, plain) && reads(read_linux, &b, plain);
}

static void test_symlinks(void)
{
	static const struct {
		const char *target, *plain; /* what NetBSD shall read */
	} cases[] = {
		{ "a", "a" }, { ".", "." }, { "..", ".." }, { "/", "/." },
		{ "//", "/." }, { "///", "/." }, { "/a", "/a" },
		{ "//a", "/a" }, { "a/", "a" }, { "a//", "a" },
		{ "./", "." }, { "../", ".." }, { "/.", "/." },
		{ "/..", "/.." }, { "/../x", "/../x" }, { "a/b/c", "a/b/c" },
		{ "a//b", "a/b" }, { "../../a/./b/../c//d",
				     "../../a/./b/../c/d" },
		{ "/.//x/", "/./x" }, { "...", "..." }, { "a/...", "a/..." },
		{ "..a/.b", "..a/.b" }, { "\x01\xff/ \x80", "\x01\xff/ \x80" },
		{ "/usr/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu" },
	};
	char q[UNIK_QUOTE_SIZE];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ok(right(cases[i].target, cases[i].plain),
		   "target %s reads back everywhere",
		   unik_quote(q, cases[i].target, strlen(cases[i].target)));
}

/* Every length up to the most, in shapes that put every kind of component at
 * every place of a field. */
static void test_lengths(void)
{
	static const char *const shapes[] = {
		"a", "a/", "ab/", "../", "./", "abc/../", "/abcdefgh",
		"abcdefghijklmnopqrstuvwxyz/..a/./b/../.c/"
	};
	static char target[ISO_TARGET_MAX + 1];
	size_t i, n, at;
	bool good;

	for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		size_t period = strlen(shapes[i]);

		good = true;
		for (n = 2; n <= ISO_TARGET_MAX; n += n < 800 ? 1 : 97) {
			for (at = 0; at < n; at++)
				target[at] = shapes[i][at % period];
			if (target[n - 1] == '/')
				target[n - 1] = 'z';
			target[n] = 0;
			good &= right(target, target);
		}
		ok(good, "targets like '%s' of all lengths", shapes[i]);
	}
}

/* ---- splitting ---- */

/* A chain of areas must hold all fields in order, each area within a block and
 * behind the one before it. */
static bool split_right(struct iso_susp *s, size_t base, size_t *nareas)
{
	struct iso_area areas[ISO_MAX_AREAS];
	struct iso_cursor at = { 7, 1900 };
	size_t i, from;

	*nareas = unik_iso_split(s, base, &at, areas);
	from = s->inside;
	if (base + s->inside + (*nareas ? sizeof(struct susp_ce) : 0) >
	    ISO_RECORD_MAX)
		return false;
	for (i = 0; i < *nareas; i++) {
		const struct iso_area *a = &areas[i];

		if (a->from != from || a->size == 0 || a->block < 7 ||
		    a->offset + unik_iso_area_size(a) > ISO_BLOCK ||
		    a->more != (i + 1 < *nareas) ||
		    (i > 0 && a->block == a[-1].block &&
		     a->offset < a[-1].offset + unik_iso_area_size(a - 1)))
			return false;
		from += a->size;
	}
	return from == s->n;
}

static void test_split(void)
{
	static char name[256], target[ISO_TARGET_MAX + 1];
	struct unik_inode inode = { .type = UNIK_SYMLINK, .target = target };
	struct unik_node root = { .name = "" };
	struct unik_node node = { .name = name, .parent = &root,
				  .inode = &inode };
	struct unik_writer w = { .netbsd = false };
	size_t n, m, nareas, most = 0;
	bool good = true, few = true;
	struct iso_susp s;

	for (n = 1; n <= 255; n++) {
		memset(name, 'n', n);
		name[n] = 0;
		node.name_size = (uint16_t)n;
		for (m = 1; m <= ISO_TARGET_MAX; m += m < 300 ? 13 : 511) {
			memset(target, 'a', m);
			for (size_t i = 1; i + 1 < m; i += 2)
				target[i] = '/';
			target[m] = 0;
			unik_iso_susp(&w, &node, ISO_CHILD, &s);
			good &= split_right(&s, 34 + n % 31, &nareas);
			if (m <= 1023 && nareas > 1)
				few = false;
			most = nareas > most ? nareas : most;
		}
	}
	ok(good, "names and targets of all sizes: whole, in order, in blocks");
	ok(few, "never a second area for a target of up to 1023 bytes");
	ok(most == 4, "at most four areas for the worst node: %zu", most);
	ok(s.n <= ISO_SUSP_MAX, "the worst node's fields fit: %zu", s.n);
}

int main(void)
{
	test_symlinks();
	test_lengths();
	test_split();
	return tap_done();
}
