/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Trees from text and back, for const tables.  An entry a line:
 *   dir|file|fifo|socket PATH    char|block PATH (1:3)
 *   symlink PATH -> TARGET       hard PATH -> TARGET
 * Each has the number of its line (from 1) as its time.  Back it is a line for
 * each node, in canonical order, the root only where an entry gave it:
 *   dir a@1   implied a   opaque a@1   file a/b@2   symlink s@3 -> a
 *   whiteout a/.wh.b@4    link x -> y  file c@2 = a/b (a hard link to a/b)
 */
#ifndef UNIK_TEST_TREETEXT_H
#define UNIK_TEST_TREETEXT_H

#include <inttypes.h>

#include "core.h"
#include "tree.h"
#include "treedump.h"

/* Room for the text of a test's tree. */
#define TREE_TEXT 65536

UNUSED static struct unik_tree *new_tree(void)
{
	const struct unik_limits most = default_limits();
	struct unik_tree *tree;

	must(unik_tree_new(&tree, &most, &err));
	return tree;
}

static enum unik_type type_named(const char *word, bool *hard)
{
	static const char *const words[] = { "file", "dir", "symlink", "char",
					     "block", "fifo", "socket" };
	size_t i;

	*hard = strcmp(word, "hard") == 0;
	for (i = 0; i < COUNT(words); i++)
		if (strcmp(word, words[i]) == 0)
			return (enum unik_type)i;
	if (!*hard)
		die(word);
	return UNIK_FILE;
}

/* One entry of n bytes of text. */
UNUSED static int add_line(struct unik_tree *tree, const char *line, size_t n,
			   int number)
{
	char text[9000], *path, *arrow;
	struct unik_entry e = { .mode = 0644, .mtime_sec = number,
				.rdev = { 1, 3 } };

	if (n >= sizeof(text))
		die("a long line");
	memcpy(text, line, n);
	text[n] = 0;
	path = strchr(text, ' ');
	*path++ = 0;
	arrow = strstr(path, " -> ");
	e.type = type_named(text, &e.hardlink);
	if (e.type == UNIK_DIR)
		e.mode = 0755;
	if (arrow) {
		*arrow = 0;
		e.target = arrow + 4;
		e.target_size = strlen(e.target);
	}
	e.path = path;
	e.path_size = strlen(path);
	return unik_tree_add(tree, &e, &err);
}

/* All lines of a text, up to the one that fails. */
UNUSED static int add_lines(struct unik_tree *tree, const char *text)
{
	int number = 0, rc = 0;

	while (*text && rc == 0) {
		size_t n = strcspn(text, "\n");

		rc = add_line(tree, text, n, ++number);
		text += n + (text[n] == '\n');
	}
	return rc;
}

static size_t node_line(const struct unik_node *node, char *out, size_t room)
{
	const struct unik_inode *inode = node->inode;
	const char *word = unik_type_name((enum unik_type)inode->type);
	char path[8192], first[8192];
	size_t n;

	unik_node_path(node, path, sizeof(path));
	unik_node_path(inode->first, first, sizeof(first));
	if (inode->opaque)
		word = "opaque";
	else if (inode->implied)
		word = "implied";
	n = (size_t)snprintf(out, room, "%s %s", word, path);
	if (!inode->implied)
		n += (size_t)snprintf(out + n, room - n, "@%" PRId64,
				      inode->mtime_sec);
	if (inode->type == UNIK_SYMLINK || inode->type == UNIK_LINK)
		n += (size_t)snprintf(out + n, room - n, " -> %s",
				      inode->target);
	if (inode->first != node)
		n += (size_t)snprintf(out + n, room - n, " = %s", first);
	n += (size_t)snprintf(out + n, room - n, "\n");
	return n;
}

/* The lines of a sealed tree; out has TREE_TEXT bytes. */
UNUSED static const char *tree_lines(const struct unik_tree *tree, char *out)
{
	size_t at = 0;
	uint32_t i;

	out[0] = 0;
	for (i = 0; i < tree->nnodes; i++) {
		if (i == 0 && tree->root->inode->implied &&
		    !tree->root->inode->opaque)
			continue;
		at += node_line(tree->nodes[i], out + at, TREE_TEXT - at);
		if (at >= TREE_TEXT)
			die("a long tree");
	}
	return out;
}

struct rule {
	const char *name;
	const char *entries;
	const char *want; /* the lines, or "!" and a part of the refusal */
};

/* What the entries make, or the message behind a "!". */
UNUSED static const char *make_lines(const char *entries, char *out)
{
	struct unik_tree *tree = new_tree();

	if (add_lines(tree, entries) == 0 && unik_tree_seal(tree, &err) == 0)
		tree_lines(tree, out);
	else
		snprintf(out, TREE_TEXT, "!%s", err.msg);
	unik_tree_free(tree);
	return out;
}

UNUSED static void check_rules(const struct rule *rules, size_t n)
{
	static char got[TREE_TEXT];
	size_t i;

	for (i = 0; i < n; i++) {
		const char *want = rules[i].want;
		bool good;

		make_lines(rules[i].entries, got);
		if (want[0] == '!')
			good = got[0] == '!' && strstr(got, want + 1) &&
			       neat(got) && err.code == UNIK_EBAD;
		else
			good = strcmp(got, want) == 0;
		ok(good, "%s", rules[i].name);
		if (!good)
			printf("# got: %s\n", got);
	}
}

/* ---- the canonical text ---- */

struct dump_text {
	char *p;
	size_t size;
	size_t room;
};

static int dump_more(void *data, const char *text, size_t n,
		     struct unik_err *e)
{
	struct dump_text *d = data;

	(void)e;
	if (d->size + n + 1 > d->room) {
		d->room = 2 * (d->size + n) + 4096;
		d->p = realloc(d->p, d->room);
		if (!d->p)
			die("realloc");
	}
	memcpy(d->p + d->size, text, n);
	d->size += n;
	d->p[d->size] = 0;
	return 0;
}

/* malloc'ed */
UNUSED static char *dump_tree(const struct unik_tree *tree)
{
	struct dump_text d = { NULL, 0, 0 };

	must(unik_treedump(tree, dump_more, &d, &err));
	return d.p;
}

#endif
