/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tests of reader_ext2 share: trees, and images of them in memory. */
#ifndef UNIK_TEST_EXT2_HELP_H
#define UNIK_TEST_EXT2_HELP_H

#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ext2_fmt.h"
#include "io.h"
#include "limits.h"
#include "reader_ext2.h"
#include "scan.h"
#include "tap.h"
#include "treedump.h"
#include "writer.h"

#define UNUSED __attribute__((unused))

static struct unik_err err;
static struct unik_limits limits;
static struct unik_data store = { .fd = -1 }; /* content of all files */
static uint64_t stored;
static struct unik_scan scan;

static void die(const char *what)
{
	printf("Bail out! %s: %s\n", what, err.msg);
	exit(1);
}

static struct unik_tree *new_tree(void)
{
	struct unik_tree *tree;

	if (store.fd < 0) {
		store.fd = memfd_create("content", 0);
		unik_limits_init(&limits);
		if (unik_scan_init(&scan, &err) < 0)
			die("scan");
	}
	if (unik_tree_new(&tree, &limits, &err) < 0)
		die("tree");
	return tree;
}

UNUSED static struct unik_entry entry(enum unik_type type, const char *path)
{
	struct unik_entry e = { .path = path, .path_size = strlen(path),
				.type = type, .mode = 0640, .uid = 70000,
				.gid = 20, .mtime_sec = 1234567890,
				.mtime_nsec = 123456789 };

	return e;
}

static void add(struct unik_tree *tree, const struct unik_entry *e)
{
	if (unik_tree_add(tree, e, &err) < 0)
		die("add");
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

/* A file of `size` bytes that ends with n bytes of data; zeros before. */
UNUSED static void add_file(struct unik_tree *tree, struct unik_entry *e,
			    const void *data, size_t n, uint64_t size)
{
	struct unik_content c = { .data = &store, .npieces = 1 };
	struct unik_piece piece = { size - n, n, stored };

	if (unik_pwrite_all(store.fd, data, n, stored, &err) < 0 ||
	    unik_scan_begin(&scan, &err) < 0 ||
	    unik_scan_feed(&scan, NULL, size - n, &err) < 0 ||
	    unik_scan_feed(&scan, data, n, &err) < 0 ||
	    unik_scan_end(&scan, &c, &err) < 0)
		die("content");
	stored += n;
	c.pieces = &piece;
	e->size = size;
	e->content = &c;
	add(tree, e);
	e->content = NULL;
}

/* An image in memory. */
struct image {
	int fd;
	uint8_t *p; /* shared with the file */
	uint64_t size;
};

UNUSED static void image_free(struct image *image)
{
	munmap(image->p, image->size);
	close(image->fd);
}

static void image_map(struct image *image)
{
	image->p = mmap(NULL, image->size, PROT_READ | PROT_WRITE, MAP_SHARED,
			image->fd, 0);
	if (image->p == MAP_FAILED)
		die("mmap");
}

/* The image of a sealed tree. */
UNUSED static void image_make(struct image *image, const struct unik_tree *tree,
			      struct unik_writer_options opt)
{
	struct unik_sink_options sopt = { .holes = true };
	struct unik_digest digest;
	struct unik_writer *w = NULL;
	struct unik_sink *sink = NULL;

	sopt.fd = image->fd = memfd_create("image", 0);
	opt.tree_digest = &digest;
	if (unik_tree_digest(tree, &digest, &err) < 0 ||
	    unik_format_ext2.plan(&w, tree, &opt, &err) < 0 ||
	    unik_sink_new(&sink, &sopt, &err) < 0 ||
	    unik_format_ext2.emit(w, sink, &err) < 0 ||
	    unik_sink_finish(sink, NULL, &err) < 0)
		die("image");
	image->size = unik_sink_size(sink);
	unik_sink_free(sink);
	unik_format_ext2.free(w);
	image_map(image);
}

UNUSED static int check(const struct image *image)
{
	memset(&err, 0, sizeof(err));
	return unik_ext2_check(image->fd, image->size, &limits, &err);
}

/* The digest of the tree in an image; -1: it can't be read. */
UNUSED static int read_digest(const struct image *image,
			      struct unik_digest *digest)
{
	struct unik_data data = { .fd = image->fd };
	struct unik_tree *tree = NULL;
	int rc;

	memset(&err, 0, sizeof(err));
	rc = unik_ext2_read(&tree, &data, image->size, &limits, NULL, &err);
	if (rc == 0 && unik_tree_digest(tree, digest, &err) < 0)
		die("digest");
	unik_tree_free(tree);
	return rc;
}

/* A refusal is bad input, in one line. */
UNUSED static bool is_refusal(void)
{
	return err.code == UNIK_EBAD && err.msg[0] && !strchr(err.msg, '\n');
}

/* Numbers by chance, the same on every machine (xorshift64*). */
static uint64_t chance = 1;

UNUSED static uint64_t random_u64(void)
{
	chance ^= chance >> 12;
	chance ^= chance << 25;
	chance ^= chance >> 27;
	return chance * UINT64_C(0x2545f4914f6cdd1d);
}

UNUSED static uint64_t random_below(uint64_t n)
{
	return random_u64() % n;
}

/* A tree with something of everything; small. */
UNUSED static struct unik_tree *zoo(void)
{
	static const char text[] = "some text that is not zero";
	const struct unik_xattr x[] = {
		{ "user.a", (const uint8_t *)"12345", 6, 5 },
		{ "trusted.overlay.opaque", (const uint8_t *)"y", 22, 1 },
		{ "security.empty", (const uint8_t *)"", 14, 0 },
	};
	struct unik_tree *tree = new_tree();
	struct unik_entry e;
	char name[80];
	int i;

	e = entry(UNIK_FILE, "bulk"); /* an indirect block of 1024 */
	add_file(tree, &e, text, sizeof(text), 14000);
	e = entry(UNIK_FILE, "deep"); /* and a double one */
	add_file(tree, &e, text, sizeof(text), 300000);
	for (i = 0; i < 2; i++) { /* a shared block */
		e = entry(UNIK_FILE, i ? "x/one" : "x/two");
		e.xattrs = x;
		e.nxattrs = 3;
		add_file(tree, &e, text, 5, 5);
	}
	for (i = 0; i < 32; i++) { /* an index with blocks of 1024 */
		snprintf(name, sizeof(name), "many/%050d", i);
		add_link(tree, true, name, "bulk");
	}
	e = entry(UNIK_CHAR, "c");
	e.rdev = (struct unik_rdev){ 4, 5 };
	add(tree, &e);
	e = entry(UNIK_BLOCK, "b");
	e.rdev = (struct unik_rdev){ 259, 70000 };
	add(tree, &e);
	e = entry(UNIK_FIFO, "x/y/z/fifo");
	add(tree, &e);
	add_link(tree, false, "fast", "a/target");
	add_link(tree, false, "slow", "a/target/that/takes/more/than/sixty/"
		 "bytes/so/that/it/has/a/block/of/its/own");
	if (unik_tree_seal(tree, &err) < 0)
		die("seal");
	return tree;
}

#endif
