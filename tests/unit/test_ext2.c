/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ext2 writer's plan and emission: what needs no other tool to judge, and
 * numbers that no test could afford as bytes.  tests/mount/ has the rest. */
#include <stdlib.h>
#include <string.h>

#include "ext2_fmt.h"
#include "io.h"
#include "limits.h"
#include "tap.h"
#include "treedump.h"
#include "writer.h"

static struct unik_err err;
static struct unik_data data = { .fd = -1 };

static struct unik_tree *new_tree(void)
{
	struct unik_limits limits;
	struct unik_tree *tree = NULL;

	unik_limits_init(&limits);
	if (unik_tree_new(&tree, &limits, &err) < 0)
		exit(1);
	return tree;
}

static struct unik_entry entry(enum unik_type type, const char *path)
{
	struct unik_entry e = { .path = path, .path_size = strlen(path),
				.type = type, .mode = 0644 };

	return e;
}

static void add(struct unik_tree *tree, const struct unik_entry *e)
{
	if (unik_tree_add(tree, e, &err) < 0) {
		printf("Bail out! %s\n", err.msg);
		exit(1);
	}
}

/* A file with data in `n` blocks of 4096 from `block` on, all else a hole; its
 * bytes are never read. */
static void add_sparse(struct unik_tree *tree, const char *path, uint64_t size,
		       uint32_t block, uint32_t n)
{
	struct unik_extent extent = { block, n };
	struct unik_content c = { .data = &data, .holed = true,
				  .nextents = n ? 1 : 0, .extents = &extent };
	struct unik_entry e = entry(UNIK_FILE, path);

	e.size = size;
	e.content = &c;
	add(tree, &e);
}

static struct unik_writer *plan(struct unik_tree *tree, uint32_t block_size,
				bool netbsd)
{
	static struct unik_digest digest;
	struct unik_writer_options opt = { .block_size = block_size,
					   .netbsd = netbsd,
					   .tree_digest = &digest };
	struct unik_writer *w = NULL;

	memset(&err, 0, sizeof(err));
	if (!tree->nodes && unik_tree_seal(tree, &err) < 0)
		return NULL;
	if (unik_tree_digest(tree, &digest, &err) < 0 ||
	    unik_format_ext2.plan(&w, tree, &opt, &err) < 0)
		return NULL;
	return w;
}

/* Emits into `fd` (-1: nowhere): all that the plan says, no more. */
static int emit(const struct unik_writer *w, int fd, struct unik_digest *digest)
{
	struct unik_sink_options opt = { .fd = fd,
					 .holes = true,
					 .hash = true };
	struct unik_sink *sink = NULL;
	int rc = -1;

	if (unik_sink_new(&sink, &opt, &err) == 0 &&
	    unik_format_ext2.emit(w, sink, &err) == 0 &&
	    unik_sink_finish(sink, digest, &err) == 0 &&
	    unik_sink_size(sink) == unik_format_ext2.size(w))
		rc = 0;
	unik_sink_free(sink);
	return rc;
}

static void test_options(void)
{
	static const uint32_t wrong[] = { 1, 512, 1023, 3072, 8192, 65536 };
	struct unik_writer_options opt = { .version = 3 };
	struct unik_tree *tree = new_tree();
	struct unik_digest digest = { 0 };
	struct unik_writer *w = NULL;
	size_t i;

	opt.tree_digest = &digest;
	unik_tree_seal(tree, &err);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		w = plan(tree, wrong[i], false);
		ok(!w && err.code == UNIK_EUSAGE, "blocks of %u: %s", wrong[i],
		   err.msg);
	}
	ok(unik_format_ext2.plan(&w, tree, &opt, &err) < 0 &&
	   err.code == UNIK_EUSAGE, "version 3: %s", err.msg);
	unik_format_ext2.free(NULL);
	unik_tree_free(tree);
}

static void test_twice(void)
{
	struct unik_digest a, b, c;
	struct unik_tree *tree = new_tree();
	struct unik_entry e;
	struct unik_writer *w, *other;
	char name[32];
	int i;

	for (i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "d/%d", i * 7919);
		e = entry(i % 3 ? UNIK_FIFO : UNIK_DIR, name);
		add(tree, &e);
	}
	w = plan(tree, 1024, false);
	other = plan(tree, 1024, false);
	ok(w && other, "two plans of one tree");
	ok(emit(w, -1, &a) == 0, "the size is the plan's");
	ok(emit(w, -1, &b) == 0 && unik_digest_equal(&a, &b),
	   "one plan emitted twice: the same bytes");
	ok(emit(other, -1, &c) == 0 && unik_digest_equal(&a, &c),
	   "the other plan: the same bytes");
	unik_format_ext2.free(w);
	unik_format_ext2.free(other);
	unik_tree_free(tree);
}

/* Sizes at the ends of what the format holds, blocks of each size. */
static void test_sizes(void)
{
	static const struct {
		uint32_t block_size;
		uint64_t size;
		bool fits;
	} table[] = {
		/* 12 + 256 + 256^2 + 256^3 blocks */
		{ 1024, UINT64_C(17247252480), true },
		{ 1024, UINT64_C(17247252481), false },
		/* 12 + 512 + 512^2 + 512^3 blocks */
		{ 2048, UINT64_C(275415851008), true },
		{ 2048, UINT64_C(275415851009), false },
		/* i_blocks: less than 2^32 * 512 bytes with indirect blocks */
		{ 4096, UINT64_C(2190000000000), true },
		{ 4096, UINT64_C(2199023255552), false },
		{ 4096, UINT64_MAX / 2, false },
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct unik_tree *tree = new_tree();
		struct unik_writer *w;

		add_sparse(tree, "d/file", table[i].size, 0, 0);
		w = plan(tree, table[i].block_size, false);
		ok((w != NULL) == table[i].fits &&
			   (w || (err.code == UNIK_EBAD &&
				  strstr(err.msg, "'d/file'"))),
		   "blocks of %u, a file of %llu bytes: %s",
		   table[i].block_size, (unsigned long long)table[i].size,
		   w ? "fits" : err.msg);
		unik_format_ext2.free(w);
		unik_tree_free(tree);
	}
}

static void test_large(void)
{
	struct unik_tree *tree = new_tree();
	struct unik_writer *w;
	uint64_t size = UINT64_C(1) << 40;
	char name[16];
	int i;

	/* 1 TiB of data in one file: 268,435,456 blocks, 1 + 257 + 262,143
	 * indirect ones */
	add_sparse(tree, "f", size, 0, (uint32_t)(size / 4096));
	w = plan(tree, 4096, false);
	ok(w && unik_format_ext2.size(w) > size + 262000 * UINT64_C(4096) &&
	   unik_format_ext2.size(w) < size + size / 500,
	   "1 TiB of data: %llu bytes",
	   w ? (unsigned long long)unik_format_ext2.size(w) : 0);
	unik_format_ext2.free(w);
	unik_tree_free(tree);
	tree = new_tree();
	for (i = 0; i < 17; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		add_sparse(tree, name, size, 0, (uint32_t)(size / 4096));
	}
	w = plan(tree, 4096, false);
	ok(!w && err.code == UNIK_EBAD, "17 TiB: %s", err.msg);
	unik_format_ext2.free(w);
	unik_tree_free(tree);
}

static void test_large_file(void)
{
	static const uint64_t sizes[] = { INT32_MAX, INT32_MAX + UINT64_C(1) };
	uint8_t buf[2048];
	size_t i;

	for (i = 0; i < 2; i++) {
		FILE *f = tmpfile();
		struct unik_tree *tree = new_tree();
		const struct ext2_super *s;
		struct unik_writer *w;
		bool got;

		add_sparse(tree, "f", sizes[i], 0, 0);
		w = plan(tree, 4096, false);
		if (!f || !w || emit(w, fileno(f), NULL) < 0 ||
		    unik_pread_all(fileno(f), buf, sizeof(buf), 0, &err) < 0) {
			ok(false, "image: %s", err.msg);
			return;
		}
		s = (const struct ext2_super *)(buf + EXT2_SUPER_OFFSET);
		got = ext2_get32(s->feature_ro_compat) & EXT2_RO_LARGE_FILE;
		ok(got == (i == 1), "%llu bytes: %s large_file",
		   (unsigned long long)sizes[i], got ? "has" : "no");
		unik_format_ext2.free(w);
		unik_tree_free(tree);
		fclose(f);
	}
}

/* A sink that is told to stop, and one whose disk is full. */
static void test_failing_sink(void)
{
	struct unik_tree *tree = new_tree();
	struct unik_entry e = entry(UNIK_DIR, "a/b/c");
	volatile int stop = 1;
	struct unik_sink_options opt = { .fd = -1, .stop = &stop };
	struct unik_sink *sink = NULL;
	struct unik_writer *w;
	FILE *full = fopen("/dev/full", "w");

	add(tree, &e);
	w = plan(tree, 0, false);
	memset(&err, 0, sizeof(err));
	ok(unik_sink_new(&sink, &opt, &err) == 0 &&
	   (unik_format_ext2.emit(w, sink, &err) < 0 ||
	    unik_sink_finish(sink, NULL, &err) < 0) &&
	   err.code == UNIK_EIO, "interrupted: %s", err.msg);
	unik_sink_free(sink);
	ok(full && emit(w, fileno(full), NULL) < 0 && err.code == UNIK_EIO,
	   "disk full: %s", err.msg);
	if (full)
		fclose(full);
	unik_format_ext2.free(w);
	unik_tree_free(tree);
}

static void test_losses(void)
{
	struct unik_entry e = entry(UNIK_CHAR, "c");
	struct unik_tree *tree = new_tree();
	const struct unik_losses *l;
	struct unik_writer *w;

	e.rdev.major = 3;
	e.rdev.minor = 256;
	e.mtime_sec = INT64_MIN;
	add(tree, &e);
	w = plan(tree, 0, false);
	l = unik_format_ext2.losses(w);
	ok(l->time == 1 && l->first_time && !strcmp(l->first_time->name, "c"),
	   "a time that is clamped is counted, with an example");
	ok(l->rdev == 0 && l->xattr == 0 && l->name == 0 && !l->first_rdev,
	   "a large device number is none on Linux");
	unik_format_ext2.free(w);
	w = plan(tree, 0, true);
	l = unik_format_ext2.losses(w);
	ok(l->rdev == 1 && l->first_rdev, "a large device number is on NetBSD");
	unik_format_ext2.free(w);
	unik_tree_free(tree);
}

int main(void)
{
	test_options();
	test_twice();
	test_sizes();
	test_large();
	test_large_file();
	test_failing_sink();
	test_losses();
	return tap_done();
}
