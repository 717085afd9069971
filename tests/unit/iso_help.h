/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tests of the iso rooms share: small trees, images in memory. */
#ifndef UNIK_TEST_ISO_HELP_H
#define UNIK_TEST_ISO_HELP_H

#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "io.h"
#include "limits.h"
#include "scan.h"
#include "tap.h"
#include "writer_iso.h"

#define UNUSED __attribute__((unused))

static struct unik_err err;
static struct unik_data store = { .fd = -1 }; /* all content of all trees */
static uint64_t stored;

static void die(const char *what)
{
	printf("Bail out! %s: %s\n", what, err.msg);
	exit(1);
}

UNUSED static struct unik_tree *new_tree(void)
{
	struct unik_limits limits;
	struct unik_tree *tree;

	unik_limits_init(&limits);
	limits.path = 1 << 16;
	if (unik_tree_new(&tree, &limits, &err) < 0)
		die("tree");
	return tree;
}

UNUSED static struct unik_entry entry(enum unik_type type, const char *path)
{
	struct unik_entry e = { .path = path, .path_size = strlen(path),
				.type = type, .mode = 0644, .uid = 10,
				.gid = 20, .mtime_sec = 1234567890 };

	return e;
}

UNUSED static void add(struct unik_tree *tree, const struct unik_entry *e)
{
	if (unik_tree_add(tree, e, &err) < 0)
		die("add");
}

UNUSED static void add_node(struct unik_tree *tree, enum unik_type type,
			    const char *path)
{
	struct unik_entry e = entry(type, path);

	if (type == UNIK_DIR)
		e.mode = 0755;
	add(tree, &e);
}

UNUSED static void add_link(struct unik_tree *tree, bool hard, const char *path,
			    const char *target)
{
	struct unik_entry e = entry(hard ? UNIK_FILE : UNIK_SYMLINK, path);

	e.hardlink = hard;
	e.target = target;
	e.target_size = strlen(target);
	add(tree, &e);
}

/* A file of `size` bytes: `text` at its end, zeros (not stored) before it. */
UNUSED static void add_file(struct unik_tree *tree, const char *path,
			    const char *text, uint64_t size)
{
	struct unik_entry e = entry(UNIK_FILE, path);
	struct unik_content c = { .data = &store };
	struct unik_piece piece = { 0, strlen(text), stored };
	struct unik_scan scan;

	if (store.fd < 0)
		store.fd = memfd_create("content", 0);
	if (unik_pwrite_all(store.fd, text, strlen(text), stored, &err) < 0 ||
	    unik_scan_init(&scan, &err) < 0 ||
	    unik_scan_begin(&scan, &err) < 0)
		die("content");
	piece.offset = size - piece.size;
	if (unik_scan_feed(&scan, NULL, piece.offset, &err) < 0 ||
	    unik_scan_feed(&scan, text, piece.size, &err) < 0 ||
	    unik_scan_end(&scan, &c, &err) < 0)
		die("scan");
	stored += piece.size;
	c.pieces = &piece;
	c.npieces = 1;
	e.size = size;
	e.content = size ? &c : NULL;
	add(tree, &e);
	unik_scan_release(&scan);
}

UNUSED static void add_text(struct unik_tree *tree, const char *path,
			    const char *text)
{
	add_file(tree, path, text, strlen(text));
}

UNUSED static void seal(struct unik_tree *tree)
{
	if (unik_tree_seal(tree, &err) < 0)
		die("seal");
}

UNUSED static struct unik_writer_options options(void)
{
	static struct unik_digest digest;
	struct unik_writer_options opt = { .tree_digest = &digest };
	int i;

	for (i = 0; i < UNIK_SHA256_SIZE; i++)
		digest.bytes[i] = (uint8_t)(i * 37 + 11);
	return opt;
}

UNUSED static struct unik_writer *plan(const struct unik_tree *tree,
				       bool netbsd)
{
	struct unik_writer_options opt = options();
	struct unik_writer *w = NULL;

	opt.netbsd = netbsd;
	return unik_format_iso.plan(&w, tree, &opt, &err) < 0 ? NULL : w;
}

/* Emits into `fd` (-1: nowhere). */
UNUSED static void emit(const struct unik_writer *w, int fd,
			struct unik_digest *digest)
{
	struct unik_sink_options opt = { .fd = fd, .holes = true,
					 .hash = digest != NULL };
	struct unik_sink *sink;

	if (unik_sink_new(&sink, &opt, &err) < 0 ||
	    unik_format_iso.emit(w, sink, &err) < 0 ||
	    unik_sink_finish(sink, digest, &err) < 0)
		die("emit");
	if (unik_sink_size(sink) != unik_format_iso.size(w))
		die("emit wrote another size than the plan's");
	unik_sink_free(sink);
}

/* A file in memory with the image of a tree (sealed here). */
UNUSED static int image_fd(struct unik_tree *tree, bool netbsd, uint64_t *size)
{
	int fd = memfd_create("image", 0);
	struct unik_writer *w;

	seal(tree);
	w = plan(tree, netbsd);
	if (!w)
		die("plan");
	emit(w, fd, NULL);
	*size = unik_format_iso.size(w);
	unik_format_iso.free(w);
	return fd;
}

/* The image as bytes; munmap() it. */
UNUSED static uint8_t *image_bytes(struct unik_tree *tree, bool netbsd,
				   uint64_t *size)
{
	int fd = image_fd(tree, netbsd, size);
	uint8_t *p = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);

	close(fd);
	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

#endif
