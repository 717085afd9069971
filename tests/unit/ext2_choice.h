/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Trees of many small files, and the block size that ext2's writer chooses for
 * them. */
#ifndef UNIK_EXT2_CHOICE_H
#define UNIK_EXT2_CHOICE_H

#include <stdlib.h>
#include <string.h>

#include "tap.h"
#include "treedump.h"
#include "writer_ext2.h"

#define UNUSED __attribute__((unused))

static struct unik_err err;
static struct unik_data data = { .fd = -1 }; /* never read */

/* ---- trees ---- */

static struct unik_tree *new_tree(void)
{
	struct unik_limits limits;
	struct unik_tree *tree = NULL;

	unik_limits_init(&limits);
	limits.path = 1 << 16;
	if (unik_tree_new(&tree, &limits, &err) < 0)
		exit(1);
	return tree;
}

static void add(struct unik_tree *tree, const struct unik_entry *e)
{
	if (unik_tree_add(tree, e, &err) < 0) {
		printf("Bail out! %s\n", err.msg);
		exit(1);
	}
}

static struct unik_entry entry(enum unik_type type, const char *path)
{
	return (struct unik_entry){ .path = path, .path_size = strlen(path),
				    .type = type, .mode = 0644 };
}

static void add_file(struct unik_tree *tree, const char *path, uint64_t size)
{
	const struct unik_content c = { .data = &data };
	struct unik_entry e = entry(UNIK_FILE, path);

	e.size = size;
	e.content = size ? &c : NULL;
	add(tree, &e);
}

/* Data in two runs of blocks of 4096, the second one block long. */
UNUSED static void add_sparse(struct unik_tree *tree, const char *path,
			      uint64_t size, uint32_t n, uint32_t second)
{
	const struct unik_extent v[] = { { 0, n }, { second, 1 } };
	const struct unik_content c = { .data = &data, .holed = true,
					.nextents = second ? 2 : n > 0,
					.extents = v };
	struct unik_entry e = entry(UNIK_FILE, path);

	e.size = size;
	e.content = &c;
	add(tree, &e);
}

UNUSED static void add_link(struct unik_tree *tree, const char *path,
			    const char *to)
{
	struct unik_entry e = entry(UNIK_FILE, path);

	e.hardlink = true;
	e.target = to;
	e.target_size = strlen(to);
	add(tree, &e);
}

UNUSED static void add_symlink(struct unik_tree *tree, const char *path,
			       size_t n)
{
	struct unik_entry e = entry(UNIK_SYMLINK, path);
	char target[5000];

	memset(target, 't', sizeof(target));
	e.target = target;
	e.target_size = n;
	e.size = n;
	add(tree, &e);
}

/* A directory with an attribute of n bytes. */
UNUSED static void add_xattr(struct unik_tree *tree, const char *path,
			     uint32_t n)
{
	static const uint8_t value[5000];
	const struct unik_xattr x = { "user.x", value, 6, n };
	struct unik_entry e = entry(UNIK_DIR, path);

	e.xattrs = &x;
	e.nxattrs = 1;
	add(tree, &e);
}

/* So many files of one byte: 4 blocks of 1024 where those are of 4096, else
 * one. */
static void add_files(struct unik_tree *tree, unsigned n)
{
	char name[16];

	while (n-- > 0) {
		snprintf(name, sizeof(name), "f%03u", n);
		add_file(tree, name, 1);
	}
}

/* ---- what is chosen ---- */

static uint32_t chosen(struct unik_tree *tree, uint64_t free_size)
{
	if (!tree->nodes && unik_tree_seal(tree, &err) < 0) {
		printf("Bail out! %s\n", err.msg);
		exit(1);
	}
	return unik_ext2_block_size(tree, free_size);
}

static uint32_t planned(struct unik_tree *tree, struct unik_writer_options opt)
{
	struct unik_digest digest;
	struct unik_writer *w = NULL;
	uint32_t size;

	memset(&err, 0, sizeof(err));
	opt.tree_digest = &digest;
	if ((!tree->nodes && unik_tree_seal(tree, &err) < 0) ||
	    unik_tree_digest(tree, &digest, &err) < 0 ||
	    unik_format_ext2.plan(&w, tree, &opt, &err) < 0)
		return 0;
	size = w->block_size;
	unik_format_ext2.free(w);
	return size;
}

#define PLANNED(tree, ...) \
	planned(tree, (struct unik_writer_options){ __VA_ARGS__ })

#endif
