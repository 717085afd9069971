/* SPDX-License-Identifier: GPL-3.0-or-later */
/* writer_iso: identifiers: legal, unique, in order, and never slow. */
#include "iso_help.h"

static bool legal_char(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* 7.5.1 and 7.6.1, and no more than ISO_ID_MAX bytes. */
static bool legal(const uint8_t *id, size_t n, bool dir)
{
	size_t dots = 0, i;

	if (n == 0 || n > ISO_ID_MAX)
		return false;
	if (!dir && (n < 4 || memcmp(id + n - 2, ";1", 2) != 0))
		return false;
	for (i = 0; i + (dir ? 0 : 2) < n; i++) {
		dots += id[i] == '.';
		if (id[i] != '.' && !legal_char(id[i]))
			return false;
	}
	return dots == (dir ? 0 : 1);
}

/* One part of an identifier padded with spaces, as 9.3 compares it. */
static void part(const uint8_t *id, size_t n, uint8_t out[ISO_ID_MAX])
{
	memset(out, ' ', ISO_ID_MAX);
	memcpy(out, id, n);
}

static int compare_93(const uint8_t *a, size_t na, const uint8_t *b, size_t nb)
{
	uint8_t pa[2][ISO_ID_MAX], pb[2][ISO_ID_MAX];
	const uint8_t *dot;
	size_t stem;
	int c;

	na -= na > 2 && a[na - 2] == ';' ? 2 : 0;
	dot = memchr(a, '.', na);
	stem = dot ? (size_t)(dot - a) : na;
	part(a, stem, pa[0]);
	part(a + stem + 1, dot ? na - stem - 1 : 0, pa[1]);
	nb -= nb > 2 && b[nb - 2] == ';' ? 2 : 0;
	dot = memchr(b, '.', nb);
	stem = dot ? (size_t)(dot - b) : nb;
	part(b, stem, pb[0]);
	part(b + stem + 1, dot ? nb - stem - 1 : 0, pb[1]);
	c = memcmp(pa[0], pb[0], ISO_ID_MAX);
	return c ? c : memcmp(pa[1], pb[1], ISO_ID_MAX);
}

/* Are all children of all directories legal, unique and sorted? */
static bool all_right(const struct unik_writer *w)
{
	uint8_t id[2][ISO_ID_MAX];
	size_t n[2] = { 0, 0 };
	uint32_t d, i;

	for (d = 0; d < w->ndirs; d++) {
		const struct iso_dir *dir = &w->dirs[d];

		for (i = 0; i < w->tree->nodes[dir->node]->nchildren; i++) {
			const struct unik_node *c;
			int now = (int)(i & 1);

			c = w->tree->nodes[w->order[dir->first + i]];
			n[now] = unik_iso_identifier(w, c, id[now]);
			if (c->parent->id != dir->node ||
			    !legal(id[now], n[now], c->inode->type == UNIK_DIR))
				return false;
			if (i > 0 && compare_93(id[!now], n[!now], id[now],
						n[now]) >= 0)
				return false;
		}
	}
	return true;
}

static const char *id_of(const struct unik_writer *w, const char *path)
{
	static char text[ISO_ID_MAX + 1];
	const struct unik_node *node = unik_tree_find(w->tree, path);

	if (!node)
		return "(none)";
	text[unik_iso_identifier(w, node, (uint8_t *)text)] = 0;
	return text;
}

static void test_forms(void)
{
	static const struct {
		const char *name, *id;
		bool dir;
	} cases[] = {
		{ "hello.txt", "HELLO.TXT;1", false },
		{ "README", "README.;1", false },
		{ "readme", "README_02.;1", false },
		{ "ReadMe", "README_01.;1", false },
		{ ".bashrc", "_BASHRC.;1", false },
		{ "libc.so.6", "LIBC_SO.6;1", false },
		{ "a.", "A_.;1", false },
		{ "x.extension9", "X_EXTENSION9.;1", false },
		{ "x.extens.8", "X_EXTENS.8;1", false },
		{ "dir.d", "DIR_D", true },
		{ "thirty-one-characters-or-more-of-it",
		  "THIRTY_ONE_CHARACTERS_OR_MORE_O", true },
		{ "thirty-one-characters-or-more-of.it",
		  "THIRTY_ONE_CHARACTERS_OR_M.IT;1", false },
		{ "b\x01\xff\xc3\xa4", "B____.;1", false },
		{ "...", "___.;1", false },
		{ "+", "_.;1", false },
	};
	struct unik_tree *tree = new_tree();
	struct unik_writer *w;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		add_node(tree, cases[i].dir ? UNIK_DIR : UNIK_FILE,
			 cases[i].name);
	seal(tree);
	w = plan(tree, false);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *id = id_of(w, cases[i].name);

		ok(strcmp(id, cases[i].id) == 0, "case %zu is %s: %s", i,
		   cases[i].id, id);
	}
	ok(all_right(w), "all are legal, unique and in order");
	unik_format_iso.free(w);
	unik_tree_free(tree);
}

static void check_tree(struct unik_tree *tree, const char *what)
{
	struct unik_writer *w;

	seal(tree);
	w = plan(tree, false);
	ok(w && all_right(w), "%s", what);
	unik_format_iso.free(w);
	unik_tree_free(tree);
}

/* Names that take the numbers which others would get. */
static void test_taken(void)
{
	struct unik_tree *tree = new_tree();
	char name[64];
	int i;

	for (i = 0; i < 300; i++) {
		sprintf(name, "A_%04d", i);
		add_node(tree, i & 1 ? UNIK_FILE : UNIK_DIR, name);
		sprintf(name, "a_%04d.", i);
		add_node(tree, UNIK_FILE, name);
		sprintf(name, "a%c", "+-!,=~@#"[i % 8]);
		if (i < 8)
			add_node(tree, UNIK_FILE, name);
	}
	check_tree(tree, "numbers that are taken are passed over");
}

static void test_dots(void)
{
	struct unik_tree *tree = new_tree();
	char name[32];
	int i;

	for (i = 0; i < 4096; i++) {
		sprintf(name, "x%c%c%c%c", ".a0_"[i & 3], ".B1-"[i >> 2 & 3],
			".c9+"[i >> 4 & 3], "d.~Z"[i >> 6 & 3]);
		add_node(tree, i & 256 ? UNIK_DIR : UNIK_FILE, name);
	}
	check_tree(tree, "dots, digits and underscores sort as 9.3 wants");
}

/* 100,000 names with one identifier, and as many pairs with their own. */
static void test_many(void)
{
	struct unik_tree *tree = new_tree();
	char name[128];
	int i;

	for (i = 0; i < 100000; i++) {
		sprintf(name, "%064d-%d.c", 0, i);
		add_node(tree, UNIK_FILE, name);
		sprintf(name, "%s/%06d_%d", "pairs", i, i);
		add_node(tree, UNIK_FILE, name);
		sprintf(name, "%s/%06d-%d", "pairs", i, i);
		add_node(tree, UNIK_FILE, name);
	}
	check_tree(tree, "100,000 equal identifiers and 100,000 pairs");
}

int main(void)
{
	test_forms();
	test_taken();
	test_dots();
	test_many();
	return tap_done();
}
