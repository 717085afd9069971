/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bytes -> a tree that a writer has to deal with: names, times, sizes and
 * attributes at the ends of their ranges. */
#ifndef UNIK_FUZZ_TREE_H
#define UNIK_FUZZ_TREE_H

#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "scan.h"
#include "tree.h"

enum { MOST_ENTRIES = 300, MOST_PATH = 4096, MOST_XATTRS = 4 };

struct gen {
	const uint8_t *p, *end;
	char paths[MOST_ENTRIES][MOST_PATH]; /* of directories */
	size_t ndirs;
	char files[MOST_ENTRIES][MOST_PATH]; /* of all else */
	size_t nfiles;
	struct unik_data data;
	uint64_t stored;
	struct unik_scan scan;
	uint64_t max_size; /* of a file */
	struct unik_xattr xattrs[MOST_XATTRS];
	char target[MOST_PATH];
};

static unsigned gen_byte(struct gen *g)
{
	return g->p < g->end ? *g->p++ : 0;
}

static uint64_t gen_u64(struct gen *g, int n)
{
	uint64_t v = 0;

	for (; n > 0; n--)
		v = v << 8 | gen_byte(g);
	return v;
}

/* One of a table, or (its last place) as many bytes as said. */
static uint64_t gen_pick(struct gen *g, const uint64_t *table, size_t n,
			 int nbytes)
{
	size_t i = gen_byte(g) % (n + 1);

	return i < n ? table[i] : gen_u64(g, nbytes);
}

#define PICK(g, nbytes, ...)                                                \
	gen_pick(g, (const uint64_t[]){ __VA_ARGS__ },                      \
		 sizeof((const uint64_t[]){ __VA_ARGS__ }) / 8, nbytes)

/* A name behind `path`: few letters (so that identifiers collide), one letter
 * many times, or any bytes. */
static void gen_name(struct gen *g, char *path)
{
	static const char letters[] = "aAbB0._-+ ~\xc3\xff";
	unsigned how = gen_byte(g), n = 1 + how % 16, i;
	size_t at = strlen(path);
	char c;

	if (how % 8 == 7)
		n = (unsigned)PICK(g, 1, 12, 31, 32, 127, 128, 200, 253, 254,
				   255);
	if (n == 0)
		n = 1;
	if (at + n + 2 > MOST_PATH)
		return;
	if (at > 0)
		path[at++] = '/';
	c = letters[gen_byte(g) % (sizeof(letters) - 1)];
	for (i = 0; i < n; i++) {
		if (how % 8 < 5)
			c = letters[gen_byte(g) % (sizeof(letters) - 1)];
		else if (how % 8 == 5)
			c = (char)gen_byte(g);
		path[at++] = c == 0 || c == '/' ? '_' : c;
	}
	path[at] = 0;
	if (how & 0x80 && at + 5 < MOST_PATH && how % 8 != 7) {
		memmove(path + at - n + 4, path + at - n, n + 1);
		memcpy(path + at - n, ".wh.", 4);
	}
}

static void gen_target(struct gen *g, struct unik_entry *e)
{
	size_t n = (size_t)PICK(g, 1, 1, 2, 3, 59, 60, 61, 127, 255, 256, 1000,
				1023, 1024, 2047, 2048, 3000, 4094, 4095);
	unsigned how = gen_byte(g), i;

	n = n ? n : 1;
	for (i = 0; i < n; i++) {
		unsigned c = how & 1 ? gen_byte(g) : (how >> 1) & 0x7f;

		if (how % 3 == 0)
			c = (unsigned char)"/.a/..b//"[(i + how) % 9];
		g->target[i] = (char)(c ? c : 'x');
	}
	g->target[n] = 0;
	e->target = g->target;
	e->target_size = n;
}

static void gen_xattrs(struct gen *g, struct unik_entry *e)
{
	static const char *const names[] = {
		"user.a", "user.b", "user.long-name-that-takes-some-room",
		"trusted.overlay.opaque", "trusted.x", "security.capability",
		"security.selinux", "system.posix_acl_access",
		"system.posix_acl_default", "other.x", "user.", "x",
	};
	static uint8_t values[MOST_XATTRS][70000];
	size_t n = gen_byte(g) % 8, i;

	for (i = 0; i < n && i < MOST_XATTRS; i++) {
		struct unik_xattr *x = &g->xattrs[i];

		x->name = names[gen_byte(g) % (sizeof(names) /
					       sizeof(names[0]))];
		x->name_size = (uint32_t)strlen(x->name);
		x->value_size = (uint32_t)PICK(g, 1, 0, 1, 4, 20, 28, 900, 1000,
					       2000, 3900, 4000, 4096, 65536);
		memset(values[i], (int)gen_byte(g), x->value_size);
		values[i][0] = (uint8_t)gen_byte(g);
		x->value = values[i];
	}
	e->xattrs = g->xattrs;
	e->nxattrs = i;
}

/* Bytes at the front and at the end of the file, a hole between them. */
static void gen_content(struct gen *g, struct unik_entry *e,
			struct unik_content *c, struct unik_piece pieces[2])
{
	struct unik_err err;
	uint8_t bytes[64];
	size_t n, k;

	e->size = PICK(g, 2, 0, 1, 2047, 2048, 2049, 4095, 4096, 4097, 12288,
		       49152, 49153, 65536, 65537, 274432, 300000, 4243456,
		       4300000, 67383296, 67400000);
	if (e->size > 1 << 20 && (e->size > g->max_size || gen_byte(g) % 32))
		e->size %= 1 << 20; /* large ones take long */
	if (e->size == 0)
		return;
	n = gen_byte(g) % sizeof(bytes);
	if (2 * n > e->size)
		n = (size_t)e->size / 2;
	for (k = 0; k < n; k++)
		bytes[k] = (uint8_t)gen_byte(g);
	promise(unik_pwrite_all(g->data.fd, bytes, n, g->stored, &err) == 0);
	pieces[0] = (struct unik_piece){ 0, n, g->stored };
	pieces[1] = (struct unik_piece){ e->size - n, n, g->stored };
	g->stored += n;
	promise(unik_scan_begin(&g->scan, &err) == 0);
	promise(unik_scan_feed(&g->scan, bytes, n, &err) == 0);
	promise(unik_scan_feed(&g->scan, NULL, e->size - 2 * n, &err) == 0);
	promise(unik_scan_feed(&g->scan, bytes, n, &err) == 0);
	promise(unik_scan_end(&g->scan, c, &err) == 0);
	c->data = &g->data;
	c->pieces = pieces;
	c->npieces = 2;
	e->content = c;
}

static void gen_attributes(struct gen *g, struct unik_entry *e)
{
	unsigned how = gen_byte(g);

	e->mode = (uint16_t)(how & 1 ? gen_u64(g, 2) & 07777 : 0644);
	if (how & 2) {
		e->uid = (uint32_t)PICK(g, 4, 0, 1000, 65535, 65536,
					0xfffffffe);
		e->gid = (uint32_t)PICK(g, 4, 0, 1000, 65535, 65536,
					0xfffffffe);
	}
	if (how & 4) {
		e->mtime_sec = (int64_t)PICK(
			g, 8, 0, 1, (uint64_t)-1, 0x7fffffff, 0x80000000,
			0xffffffff, 0x100000000, 0x37fffffff, 0x380000000,
			(uint64_t)-0x80000000LL, (uint64_t)-0x80000001LL,
			(uint64_t)INT64_MAX, (uint64_t)INT64_MIN);
		e->mtime_nsec = (uint32_t)(PICK(g, 4, 0, 1, 999999999) %
					   1000000000);
	}
	if (how & 8)
		gen_xattrs(g, e);
}

/* Adds one entry; -1 where the tree does not take it. */
static int gen_entry(struct gen *g, struct unik_tree *tree,
		     struct unik_err *err)
{
	static const enum unik_type types[] = {
		UNIK_FILE, UNIK_FILE, UNIK_DIR, UNIK_DIR, UNIK_SYMLINK,
		UNIK_CHAR, UNIK_BLOCK, UNIK_FIFO, UNIK_SOCKET, UNIK_FILE
	};
	unsigned op = gen_byte(g) % 10;
	struct unik_entry e = { .type = types[op], .hardlink = op == 9 };
	struct unik_piece pieces[2];
	struct unik_content content = { 0 };
	char path[MOST_PATH];
	int rc;

	strcpy(path, g->paths[gen_byte(g) % g->ndirs]);
	gen_name(g, path);
	e.path = path;
	e.path_size = strlen(path);
	gen_attributes(g, &e);
	if (e.hardlink && g->nfiles > 0) {
		e.target = g->files[gen_byte(g) % g->nfiles];
		e.target_size = strlen(e.target);
	}
	e.hardlink &= g->nfiles > 0;
	if (e.type == UNIK_FILE && !e.hardlink)
		gen_content(g, &e, &content, pieces);
	if (e.type == UNIK_SYMLINK)
		gen_target(g, &e);
	e.rdev.major = (uint32_t)PICK(g, 4, 0, 1, 255, 256, 4095, 4096);
	e.rdev.minor = (uint32_t)PICK(g, 4, 0, 3, 255, 256, 1048575, 1048576);
	rc = unik_tree_add(tree, &e, err);
	if (rc == 0 && e.type == UNIK_DIR)
		strcpy(g->paths[g->ndirs++], path);
	else if (rc == 0)
		strcpy(g->files[g->nfiles++], path);
	return rc;
}

/* A sealed tree, or NULL where an entry contradicts an earlier one. */
UNUSED static struct unik_tree *gen_tree(struct gen *g)
{
	struct unik_limits limits;
	struct unik_tree *tree;
	struct unik_err err;
	int rc = 0, n;

	unik_limits_init(&limits);
	promise(unik_tree_new(&tree, &limits, &err) == 0);
	g->paths[0][0] = 0;
	g->ndirs = 1;
	for (n = 1; rc == 0 && n < MOST_ENTRIES && g->p < g->end; n++)
		rc = gen_entry(g, tree, &err);
	if (rc == 0)
		rc = unik_tree_seal(tree, &err);
	if (rc == 0)
		return tree;
	refusal(&err);
	unik_tree_free(tree);
	return NULL;
}

UNUSED static struct gen *gen_new(const uint8_t *data, size_t size,
				  uint64_t max_size)
{
	static struct gen only; /* large */
	struct gen *g = &only;
	struct unik_err err;

	g->nfiles = 0;
	g->stored = 0;
	g->p = data;
	g->end = data + size;
	g->max_size = max_size;
	g->data.fd = memfd_create("content", MFD_CLOEXEC);
	promise(g->data.fd >= 0 && unik_scan_init(&g->scan, &err) == 0);
	return g;
}

UNUSED static void gen_free(struct gen *g)
{
	unik_scan_release(&g->scan);
	close(g->data.fd);
}

#endif
