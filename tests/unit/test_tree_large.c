/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tree: order of entries, large and deep trees, limits. */
#include "treetext.h"

/* ---- the order of entries does not count ---- */

enum { MOST = 120 };

struct plan {
	char lines[MOST][400];
	size_t n;
	char dirs[MOST][100];
	size_t ndirs;
	char files[MOST][100];
	size_t nfiles;
};

/* Entries of distinct names, none beneath anything but directories; so they
 * may come in any order.  Directories may be left to be implied. */
static void plan_entry(struct plan *p, int number)
{
	static const char *const kinds[] = { "file", "fifo", "symlink", "char",
					     "hard", "dir", "dir", ".wh." };
	const char *kind = kinds[random_below(COUNT(kinds))];
	char path[100], line[400], dir[100];

	strcpy(dir, p->dirs[random_below((uint32_t)p->ndirs)]);
	if (strlen(dir) > 60)
		return;
	if (dir[0])
		strcat(dir, "/");
	snprintf(path, sizeof(path), "%.80sn%d", dir, number);
	snprintf(line, sizeof(line), "%s %s%s", kind, path,
		 kind[0] == 's' ? " -> x" : "");
	if (strcmp(kind, "dir") == 0) {
		strcpy(p->dirs[p->ndirs++], path);
		if (random_below(3) == 0)
			return; /* implied, if that */
	} else if (strcmp(kind, "hard") == 0) {
		if (p->nfiles == 0)
			return;
		snprintf(line, sizeof(line), "hard %s -> %s", path,
			 p->files[random_below((uint32_t)p->nfiles)]);
	} else if (strcmp(kind, ".wh.") == 0) {
		snprintf(line, sizeof(line), "file %s.wh.%s", dir,
			 random_below(3) ? "x" : ".wh..opq");
	} else {
		strcpy(p->files[p->nfiles++], path);
	}
	strcpy(p->lines[p->n++], line);
}

static void plan_entries(struct plan *p)
{
	int number;

	memset(p, 0, sizeof(*p));
	p->ndirs = 1;
	for (number = 0; p->n < MOST && p->ndirs < MOST; number++)
		plan_entry(p, number);
}

/* The text of the tree of entries in an order; `at` of each is its time, and
 * so does not change with the order. */
static char *text_of(const struct plan *p, const size_t *order)
{
	struct unik_tree *tree = new_tree();
	char *text;
	size_t i;

	for (i = 0; i < p->n; i++) {
		const char *line = p->lines[order[i]];
		int number = (int)order[i] + 1;

		/* Whiteouts of one name may come twice. */
		if (strstr(line, ".wh."))
			number = 7;
		must(add_line(tree, line, strlen(line), number));
	}
	must(unik_tree_seal(tree, &err));
	text = dump_tree(tree);
	unik_tree_free(tree);
	return text;
}

static void shuffle(size_t *order, size_t n)
{
	size_t i;

	for (i = n; i > 1; i--) {
		size_t k = random_below((uint32_t)i), t = order[k];

		order[k] = order[i - 1];
		order[i - 1] = t;
	}
}

static void test_order(void)
{
	static struct plan p;
	size_t order[MOST], i;
	bool good = true;
	int round, times;

	for (round = 0; round < 60; round++) {
		char *want, *got;

		plan_entries(&p);
		for (i = 0; i < p.n; i++)
			order[i] = i;
		want = text_of(&p, order);
		for (times = 0; times < 10; times++) {
			shuffle(order, p.n);
			got = text_of(&p, order);
			good &= strcmp(want, got) == 0;
			free(got);
		}
		free(want);
	}
	ok(good, "60 random layers, each in 10 orders");
}

/* ---- large ---- */

static void add_n(struct unik_tree *tree, const char *format, int n)
{
	char line[200];

	sprintf(line, format, n, n - 1);
	must(add_line(tree, line, strlen(line), n + 1));
}

static void test_many(void)
{
	struct unik_tree *tree = new_tree();
	bool good = true;
	int i;

	for (i = 0; i < 100000; i++) /* as a tar of `ls -U` has them */
		add_n(tree, "file d/%08x", (int)((unsigned)i * 2654435761u));
	must(unik_tree_seal(tree, &err));
	ok(tree->nnodes == 100002 &&
		   unik_tree_find(tree, "d")->nchildren == 100000,
	   "100,000 entries of one directory");
	for (i = 2; i < 100001; i++)
		good &= strcmp(tree->nodes[i]->name, tree->nodes[i + 1]->name) <
			0;
	ok(good, "in order");
	unik_tree_free(tree);
	tree = new_tree();
	for (i = 0; i < 66000; i++)
		add_n(tree, "dir d/%d", i);
	must(unik_tree_seal(tree, &err));
	ok(unik_tree_find(tree, "d")->inode->nlink == 66002,
	   "66,000 subdirectories");
	unik_tree_free(tree);
}

static void test_duplicates(void)
{
	struct unik_tree *tree = new_tree();
	int i;

	for (i = 0; i < 100000; i++)
		add_n(tree, "file d/same", i);
	for (i = 0; i < 20000; i++) {
		add_n(tree, "file e/f/g", i);
		add_n(tree, "file e", i);
		add_n(tree, "dir e", i);
	}
	must(unik_tree_seal(tree, &err));
	ok(tree->nnodes == 4 &&
		   unik_tree_find(tree, "d/same")->inode->mtime_sec == 100000,
	   "one name 100,000 times, one tree replaced 20,000 times");
	unik_tree_free(tree);
}

static void test_chains(void)
{
	struct unik_tree *tree = new_tree();
	int i;

	for (i = 30000; i > 0; i--)
		add_n(tree, "hard a%d -> a%d", i);
	add_n(tree, "file a0", 0);
	must(unik_tree_seal(tree, &err));
	ok(unik_tree_find(tree, "a0")->inode->nlink == 30001 &&
		   tree->ninodes == 2,
	   "a chain of 30,000 links, the file last");
	unik_tree_free(tree);
	tree = new_tree();
	for (i = 1; i <= 30000; i++)
		add_n(tree, "hard a%d -> a%d", i);
	add_n(tree, "file a0", 0);
	must(unik_tree_seal(tree, &err));
	ok(unik_tree_find(tree, "a0")->inode->nlink == 30001,
	   "and in the other order");
	unik_tree_free(tree);
	tree = new_tree();
	add_n(tree, "file a0", 0);
	for (i = 1; i <= 30000; i++)
		add_n(tree, "hard a%d -> a0", i);
	must(unik_tree_seal(tree, &err));
	ok(unik_tree_find(tree, "a7")->inode->nlink == 30001, "a star of them");
	unik_tree_free(tree);
}

static void test_deep(void)
{
	enum { DEPTH = 2048 };
	char line[2 * DEPTH + 32] = "file ";
	struct unik_tree *tree = new_tree();
	size_t n = 5, i;
	char *text;

	for (i = 0; i < DEPTH; i++)
		n += (size_t)sprintf(line + n, i ? "/d" : "d");
	must(add_line(tree, line, n, 1));
	must(unik_tree_seal(tree, &err));
	text = dump_tree(tree);
	ok(tree->nnodes == DEPTH + 1 && strstr(text, line + 5),
	   "2,048 directories within each other");
	free(text);
	unik_tree_free(tree);
	tree = new_tree();
	n += (size_t)sprintf(line + n, "/d");
	ok(failed(add_line(tree, line, n, 1), UNIK_EBAD,
		  "(--max-path)"),
	   "a path of 4,097 bytes is too long");
	unik_tree_free(tree);
}

/* Symlinks make trees that are deeper than any path of an entry. */
static void test_deep_by_symlinks(void)
{
	struct unik_tree *tree = new_tree();
	char line[4200], *text;
	size_t n, i, k;

	for (k = 0; k < 30; k++) {
		n = (size_t)sprintf(line, "symlink s%zu -> ", k);
		if (k)
			n += (size_t)sprintf(line + n, "s%zu/", k - 1);
		for (i = 0; i < 400; i++)
			n += (size_t)sprintf(line + n, "d/");
		must(add_line(tree, line, n, 1));
	}
	must(add_lines(tree, "file s29/x\n"));
	must(unik_tree_seal(tree, &err));
	text = dump_tree(tree);
	ok(tree->nnodes == 30 * 400 + 30 + 2 && text[0] == '{',
	   "12,000 directories within each other, by way of symlinks");
	free(text);
	unik_tree_free(tree);
}

/* ---- limits ---- */

static struct unik_tree *limited(size_t entries, size_t depth, size_t path,
				 size_t xattr)
{
	struct unik_limits limits = default_limits();
	struct unik_tree *tree;

	limits.entries = entries;
	limits.depth = depth;
	limits.path = path;
	limits.xattr_size = xattr;
	must(unik_tree_new(&tree, &limits, &err));
	return tree;
}

static void check_limit(struct unik_tree *tree, const char *good,
			const char *bad, const char *text)
{
	ok(add_lines(tree, good) == 0, "within the limit: %s", text);
	ok(failed(add_lines(tree, bad), UNIK_EBAD, text), "over it");
	unik_tree_free(tree);
}

static void test_limits(void)
{
	struct unik_xattr x = { "user.name", (const uint8_t *)"value", 9, 5 };
	struct unik_entry e = { .path = "f", .path_size = 1, .xattrs = &x,
				.nxattrs = 1 };
	struct unik_tree *tree;

	check_limit(limited(4, 9, 99, 9), "file a/b\nfile c\n", "file d\n",
		    "more than 4 entries (--max-entries)");
	check_limit(limited(4, 9, 99, 9), "file a\n", "file b/c/d/e\n",
		    "more than 4 entries (--max-entries)");
	check_limit(limited(99, 3, 99, 9), "file a/b/c\n", "file a/b/c/d\n",
		    "more than 3 components");
	check_limit(limited(99, 9, 8, 9), "file a/b/c/de\n", "file a/b/c/def\n",
		    "path over 8 bytes (--max-path)");
	check_limit(limited(99, 9, 8, 9), "symlink a -> 1234567\n",
		    "symlink b -> 12345678\n", "symlink target of 8 bytes");
	check_limit(limited(99, 9, 8, 9), "hard a -> 12345678\n",
		    "hard b -> 123456789\n", "path over 8 bytes");
	tree = limited(99, 9, 9, 14);
	ok(unik_tree_add(tree, &e, &err) == 0, "attributes within the limit");
	unik_tree_free(tree);
	tree = limited(99, 9, 9, 13);
	ok(failed(unik_tree_add(tree, &e, &err), UNIK_EBAD,
		  "extended attributes of 14 bytes (--max-xattr-size)"),
	   "and over it");
	unik_tree_free(tree);
}

int main(void)
{
	test_order();
	test_many();
	test_duplicates();
	test_chains();
	test_deep();
	test_deep_by_symlinks();
	test_limits();
	return tap_done();
}
