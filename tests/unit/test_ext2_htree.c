/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The index of directories: the hash against values of debugfs's dx_hash, and
 * equal hashes that lie on both sides of a border between leaves. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ext2_hash.h"
#include "limits.h"
#include "tap.h"
#include "writer_ext2.h"

#define NAMES 400000u /* enough that a few dozen pairs have equal hashes */
#define NAME_SIZE 7u
#define BLOCK 1024u
#define PER_LEAF (BLOCK / 16) /* entries of 7-byte names */
#define PER_NODE ((BLOCK - 8) / 8)

static struct unik_err err;

/* ---- the hash ---- */

static void test_hash(void)
{
	static char n255[256];
	static const struct {
		const char *name;
		uint32_t major, minor;
	} rows[] = {
		{ "a", 0x0a2fa3a0, 0x6b8ed956 },
		{ "abcd", 0xc6ba441a, 0x5f134ae9 },
		{ "hello-world", 0x23a0b3a0, 0x0a9afc12 },
		{ "0123456789012345678901234567890", 0x097ef098, 0x600d4cee },
		{ "01234567890123456789012345678901", 0xc6eed7f4, 0xe20c9c60 },
		{ "012345678901234567890123456789012", 0x646d740c, 0x16425929 },
		{ n255, 0x9a6fd190, 0x6a1fca31 },
		{ "\xff\xfe\xe9z", 0x335d2826, 0x894ec431 },
	};
	uint8_t seed[16];
	struct ext2_hash h;
	size_t i;

	memset(n255, 'n', 255);
	for (i = 0; i < 16; i++)
		seed[i] = (uint8_t)i;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		h = unik_ext2_hash(seed, true, rows[i].name,
				   strlen(rows[i].name));
		ok(h.major == rows[i].major && h.minor == rows[i].minor,
		   "hash of a name of %zu bytes", strlen(rows[i].name));
	}
	memset(seed, 0, sizeof(seed));
	h = unik_ext2_hash(seed, true, "abcd", 4);
	ok(h.major == 0xad7557a8 && h.minor == 0xb1da437c,
	   "without a seed it is MD4's");
	h = unik_ext2_hash(seed, false, "\xff\xfe\xe9z", 4);
	ok(h.major != unik_ext2_hash(seed, true, "\xff\xfe\xe9z", 4).major,
	   "the sign of a byte tells");
}

/* ---- collisions ---- */

struct hashed {
	uint32_t major;
	uint32_t number;
};

static struct unik_digest digest;

static int compare(const void *a, const void *b)
{
	const struct hashed *x = a, *y = b;

	if (x->major != y->major)
		return x->major < y->major ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

static struct hashed *make_names(void)
{
	struct hashed *v = calloc(NAMES, sizeof(*v));
	char name[16];
	uint32_t i;

	for (i = 0; v && i < NAMES; i++) {
		snprintf(name, sizeof(name), "%07u", i);
		v[i].number = i;
		v[i].major = unik_ext2_hash(digest.bytes + 16, false, name,
					    NAME_SIZE).major;
	}
	if (v)
		qsort(v, NAMES, sizeof(*v), compare);
	return v;
}

/* The place of the first of two equal ones, from `least` on. */
static uint32_t find_pair(const struct hashed *v, uint32_t least)
{
	while (least + 1 < NAMES && v[least].major != v[least + 1].major)
		least++;
	return least;
}

static struct unik_tree *make_tree(const struct hashed *v, uint32_t n)
{
	struct unik_entry e = { .type = UNIK_FILE, .path_size = NAME_SIZE };
	struct unik_limits limits;
	struct unik_tree *tree;
	char name[16];
	uint32_t i;

	unik_limits_init(&limits);
	if (unik_tree_new(&tree, &limits, &err) < 0)
		return NULL;
	e.path = name;
	for (i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%07u", v[i].number);
		if (unik_tree_add(tree, &e, &err) < 0)
			break;
	}
	if (i == n && unik_tree_seal(tree, &err) == 0)
		return tree;
	unik_tree_free(tree);
	return NULL;
}

static int write_image(const struct unik_writer *w, const char *path)
{
	struct unik_sink_options so = { .fd = -1 };
	struct unik_sink *sink = NULL;
	int rc = -1;

	so.fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (so.fd >= 0 && unik_sink_new(&sink, &so, &err) == 0 &&
	    unik_format_ext2.emit(w, sink, &err) == 0)
		rc = unik_sink_finish(sink, NULL, &err);
	unik_sink_free(sink);
	if (so.fd >= 0)
		close(so.fd);
	return rc;
}

/* e2fsck's exit status; -1: it is not here. */
static int run_e2fsck(const char *path)
{
	char command[256];
	int rc;

	if (system("e2fsck -V >/dev/null 2>&1") != 0)
		return -1;
	snprintf(command, sizeof(command), "e2fsck -fn %s >/dev/null 2>&1",
		 path);
	rc = system(command);
	return WIFEXITED(rc) ? WEXITSTATUS(rc) : 255;
}

static void judge(const struct unik_tree *tree, const char *text,
		  struct unik_writer **w)
{
	struct unik_writer_options opt = { .block_size = BLOCK,
					   .tree_digest = &digest };
	char path[] = "/tmp/unik-test-htree-XXXXXX";
	int fd = mkstemp(path), rc;

	if (fd >= 0)
		close(fd);
	*w = NULL;
	ok(fd >= 0 && unik_format_ext2.plan(w, tree, &opt, &err) == 0 &&
	   write_image(*w, path) == 0, "%s: written", text);
	rc = run_e2fsck(path);
	if (rc < 0)
		ok(true, "%s: e2fsck # SKIP no e2fsck", text);
	else
		ok(rc == 0, "%s: e2fsck", text);
	unlink(path);
}

/* The hash of entry i of an index block whose entries start at `head`. */
static uint32_t entry_hash(const struct unik_writer *w, uint32_t block,
			   uint32_t head, uint32_t i)
{
	const struct unik_node *root = w->tree->root;
	uint8_t buf[BLOCK];
	struct ext2_htree t;
	uint32_t hash;

	if (unik_ext2_htree_init(&t, w, root, &err) < 0)
		return 0;
	unik_ext2_htree_node(&t, w, root, block, buf);
	hash = ext2_get32(buf + head + 8 * (size_t)i);
	unik_ext2_htree_release(&t);
	return hash;
}

/* A pair of equal hashes whose second one is the first of leaf `leaf`. */
static void test_pair(const struct hashed *v, uint32_t leaf, bool nodes,
		      const char *text)
{
	uint32_t at = find_pair(v, leaf * PER_LEAF), first;
	struct unik_tree *tree;
	struct unik_writer *w;

	first = at - (leaf * PER_LEAF - 1);
	tree = make_tree(v + first, leaf * PER_LEAF + 40);
	if (!ok(tree && at + 40 < NAMES, "%s: a tree", text))
		return;
	judge(tree, text, &w);
	if (w && nodes)
		ok(entry_hash(w, 0, 32, leaf / PER_NODE) == (v[at].major | 1),
		   "%s: the node goes on with its hash", text);
	else if (w)
		ok(entry_hash(w, 0, 32, leaf) == (v[at].major | 1) &&
		   (entry_hash(w, 0, 32, leaf - 1) & 1) == 0,
		   "%s: the leaf goes on with its hash", text);
	unik_format_ext2.free(w);
	unik_tree_free(tree);
}

/* The sizes around which the root, and then the nodes, are full. */
static void test_shapes(const struct hashed *v)
{
	static const struct {
		uint32_t leaves, nodes;
	} rows[] = {
		{ 1, 0 }, { 2, 0 }, { 123, 0 }, { 124, 0 }, { 125, 1 },
		{ 127, 1 }, { 128, 2 }, { 254, 2 }, { 255, 3 },
	};
	struct unik_tree *tree;
	struct unik_writer *w;
	struct ext2_htree t;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[64];

		snprintf(text, sizeof(text), "%u leaves", rows[i].leaves);
		tree = make_tree(v, rows[i].leaves * PER_LEAF);
		if (!ok(tree != NULL, "%s: a tree", text))
			continue;
		judge(tree, text, &w);
		if (w && unik_ext2_htree_init(&t, w, tree->root, &err) == 0) {
			ok(t.nleaves == rows[i].leaves &&
			   t.nnodes == rows[i].nodes, "%s: %u nodes", text,
			   rows[i].nodes);
			unik_ext2_htree_release(&t);
		}
		unik_format_ext2.free(w);
		unik_tree_free(tree);
	}
}

int main(void)
{
	struct hashed *v;
	size_t i;

	for (i = 0; i < UNIK_SHA256_SIZE; i++)
		digest.bytes[i] = (uint8_t)(i * 7 + 1);
	test_hash();
	v = make_names();
	if (!ok(v != NULL, "names"))
		return tap_done();
	test_pair(v, 1, false, "equal hashes, the first border");
	test_pair(v, 3, false, "equal hashes, a later border");
	test_pair(v, PER_NODE, true, "equal hashes, the border of two nodes");
	test_shapes(v);
	free(v);
	return tap_done();
}
