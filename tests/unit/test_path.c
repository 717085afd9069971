/* SPDX-License-Identifier: GPL-3.0-or-later */
/* path: cleaning of names (DESIGN section 6, rule 1). */
#include "core.h"
#include "path.h"

/* n and n - 1 bytes of 'x' stand for X and W in the tables below. */
static char name255[256], name256[257];

static int clean(const char *path, size_t n, size_t depth, char *out,
		 size_t cap, size_t *size)
{
	return unik_path_clean(path, n, depth, out, cap, size, &err);
}

static void test_good(void)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "", "" },
		{ "/", "" },
		{ "//", "" },
		{ ".", "" },
		{ "./", "" },
		{ "/.", "" },
		{ "a", "a" },
		{ "/a", "a" },
		{ "./a", "a" },
		{ "././/./a", "a" },
		{ "a/", "a" },
		{ "a//", "a" },
		{ "a/.", "a" },
		{ "a//b", "a/b" },
		{ "a/./b", "a/b" },
		{ "a/../b", "b" },
		{ "a/..", "" },
		{ "a/b/..", "a" },
		{ "a/b/../..", "" },
		{ "a/b/../../c", "c" },
		{ "/a/../b/../c/", "c" },
		{ "...", "..." },
		{ "..a", "..a" },
		{ "a..", "a.." },
		{ ".a", ".a" },
		{ " ", " " },
		{ "a b\n\xff\\", "a b\n\xff\\" },
		{ "usr/share/x", "usr/share/x" },
	};
	char q[UNIK_QUOTE_SIZE];
	size_t i, size;

	for (i = 0; i < COUNT(cases); i++) {
		size_t n = strlen(cases[i].in);
		char *out = make_room(n); /* n + 1 bytes are enough */
		int rc;

		out[0] = 0;
		rc = clean(cases[i].in, n, 10, out, n + 1, &size);

		ok(rc == 0 && strcmp(out, cases[i].out) == 0 &&
			   size == strlen(out),
		   "case %zu: %s", i, unik_quote(q, out, strlen(out)));
		free(out);
	}
}

static void test_bad(void)
{
	static const struct {
		const char *in;
		size_t n;
		const char *text;
	} cases[] = {
		{ "..", 2, "'..' leaves the root" },
		{ "/..", 3, "'..' leaves the root" },
		{ "../a", 4, "'..' leaves the root" },
		{ "a/../..", 7, "'..' leaves the root" },
		{ "a/../../a", 9, "'..' leaves the root" },
		{ "./../a", 6, "'..' leaves the root" },
		{ "\0", 1, "NUL byte" },
		{ "a\0", 2, "NUL byte" },
		{ "\0a", 2, "NUL byte" },
		{ "a/\0/b", 5, "NUL byte" },
		{ name256, 256, "a name of 256 bytes is over 255" },
		{ "a/b/c/d", 7, "more than 3 components" },
	};
	char out[600];
	size_t i, size;

	for (i = 0; i < COUNT(cases); i++)
		ok(failed(clean(cases[i].in, cases[i].n, 3, out, sizeof(out),
				&size),
			  UNIK_EBAD, cases[i].text),
		   "refusal %zu: %s", i, cases[i].text);
}

static void test_lengths(void)
{
	char path[600], out[600];
	size_t size = 0;

	ok(clean(name255, 255, 1, out, 256, &size) == 0 && size == 255,
	   "a name of 255 bytes, in just so much room");
	memcpy(path, name255, 255);
	path[255] = '/';
	memcpy(path + 256, name255, 255);
	ok(clean(path, 511, 2, out, 512, &size) == 0 && size == 511,
	   "two of them");
	ok(failed(clean(path, 511, 2, out, 511, &size), UNIK_EBAD,
		  "path too long"),
	   "a byte less of room is an error");
	ok(failed(clean("a", 1, 1, out, 1, &size), UNIK_EBAD, "path too long"),
	   "room for the NUL only");
	ok(clean("a/../b/../c/../d", 16, 1, out, sizeof(out), &size) == 0 &&
		   strcmp(out, "d") == 0,
	   "the depth is that of the result, not of the text");
}

/* A deep path fits at its depth and not at one less. */
static void test_depth(void)
{
	enum { DEPTH = 2048 };
	char *path = make_room(2 * DEPTH), *out = make_room(2 * DEPTH);
	size_t size, i;

	for (i = 0; i < DEPTH; i++)
		memcpy(path + 2 * i, "d/", 2);
	ok(clean(path, 2 * DEPTH, DEPTH, out, 2 * DEPTH, &size) == 0 &&
		   size == 2 * DEPTH - 1,
	   "2048 components");
	ok(failed(clean(path, 2 * DEPTH, DEPTH - 1, out, 2 * DEPTH, &size),
		  UNIK_EBAD, "more than 2047 components"),
	   "are one too many at 2047");
	free(path);
	free(out);
}

static void test_next(void)
{
	const char *path = "//a//bc/./d/", *name, *rest = path;
	char seen[64] = "";
	size_t n;

	while ((n = unik_path_next(rest, &name, &rest)) > 0) {
		strncat(seen, name, n);
		strcat(seen, ",");
	}
	ok(strcmp(seen, "a,bc,.,d,") == 0, "components one by one: %s", seen);
	ok(*rest == 0, "and the end is reached");
}

/* Cleaning is idempotent, never longer, and leaves nothing to clean. */
static void test_random(void)
{
	static const char alphabet[] = "//..ab";
	char in[20], out[32], again[32];
	bool good = true;
	int round;

	for (round = 0; round < 200000; round++) {
		size_t n = random_below(sizeof(in)), size, twice, i;

		for (i = 0; i < n; i++)
			in[i] = alphabet[random_below(sizeof(alphabet) - 1)];
		if (clean(in, n, 100, out, n + 1, &size) < 0) {
			good &= strcmp(err.msg, "'..' leaves the root") == 0;
			continue;
		}
		good &= size <= n && strlen(out) == size &&
			clean(out, size, 100, again, size + 1, &twice) == 0 &&
			strcmp(out, again) == 0;
		good &= out[0] != '/' && !strstr(out, "//") &&
			(size == 0 || out[size - 1] != '/');
	}
	ok(good, "200,000 random paths: clean ones stay as they are");
}

int main(void)
{
	memset(name255, 'x', 255);
	memset(name256, 'x', 256);
	test_good();
	test_bad();
	test_lengths();
	test_depth();
	test_next();
	test_random();
	return tap_done();
}
