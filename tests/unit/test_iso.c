/* SPDX-License-Identifier: GPL-3.0-or-later */
/* writer_iso: the plan, what it refuses and counts, and the bytes. */
#include "iso_help.h"

#include <fcntl.h>
#include <sys/stat.h>

/* ---- trees ---- */

/* A file of zeros, with "end" as its last bytes; no digest is taken of it. */
static void add_zeros(struct unik_tree *tree, const char *path, uint64_t size)
{
	struct unik_extent last = { (uint32_t)((size - 3) / UNIK_HOLE_BLOCK),
				    2 };
	struct unik_piece piece = { size - 3, 3, stored };
	struct unik_content c = { .data = &store, .pieces = &piece,
				  .npieces = 1, .holed = true,
				  .extents = &last, .nextents = 1 };
	struct unik_entry e = entry(UNIK_FILE, path);

	add_text(tree, "end", "end");
	piece.stored = stored - 3;
	memset(c.sha256, (int)(size % 251), sizeof(c.sha256));
	e.size = size;
	e.content = &c;
	add(tree, &e);
}

static void add_device(struct unik_tree *tree, const char *path, uint32_t major,
		       uint32_t minor)
{
	struct unik_entry e = entry(UNIK_CHAR, path);

	e.rdev.major = major;
	e.rdev.minor = minor;
	add(tree, &e);
}

static void add_time(struct unik_tree *tree, const char *path, int64_t sec,
		     uint32_t nsec)
{
	struct unik_entry e = entry(UNIK_FIFO, path);

	e.mtime_sec = sec;
	e.mtime_nsec = nsec;
	add(tree, &e);
}

/* Some of everything; in the other order where `back`. */
static struct unik_tree *mixed(bool back)
{
	struct unik_tree *tree = new_tree();
	int i;

	for (i = 0; i < 40; i++) {
		char path[300], text[64];
		int k = back ? 39 - i : i;

		sprintf(path, "d%d/f%d", k % 7, k);
		sprintf(text, "content of %d", k % 30);
		add_text(tree, path, text);
		sprintf(path, "d%d/%0*d", k % 5, 100 + k, k);
		add_node(tree, UNIK_FILE, path);
		sprintf(path, "d%d/l%d", k % 7, k);
		sprintf(text, "../d%d//%0*d", k, 40, k);
		add_link(tree, false, path, text);
	}
	return tree;
}

/* ---- options ---- */

static void refused(const struct unik_tree *tree, struct unik_writer_options o,
		    const char *what)
{
	struct unik_writer *w = NULL;
	int rc = unik_format_iso.plan(&w, tree, &o, &err);

	ok(rc < 0 && !w && err.code == UNIK_EUSAGE && err.msg[0],
	   "refuses %s: %s", what, err.msg);
}

static void test_options(void)
{
	struct unik_tree *tree = new_tree();
	struct unik_writer_options o = options();
	struct unik_writer *w = NULL;

	seal(tree);
	o.version = 2;
	refused(tree, o, "version 2");
	o.version = -1;
	refused(tree, o, "version -1");
	o = options();
	o.block_size = 2048;
	refused(tree, o, "a block size");
	o = options();
	o.free_size = 1;
	refused(tree, o, "free bytes");
	o = options();
	o.free_inodes = 1;
	refused(tree, o, "free inodes");
	o = options();
	o.tree_digest = NULL;
	refused(tree, o, "no digest");
	o = options();
	o.version = 1;
	ok(unik_format_iso.plan(&w, tree, &o, &err) == 0, "takes version 1");
	unik_format_iso.free(w);
	unik_format_iso.free(NULL);
	unik_tree_free(tree);
}

/* ---- bytes ---- */

static bool digits_fit(const uint8_t *p)
{
	static const struct {
		int at, n, min, max;
	} parts[] = { { 0, 4, 1000, 9999 }, { 4, 2, 1, 12 }, { 6, 2, 1, 28 },
		      { 8, 2, 0, 23 }, { 10, 2, 0, 59 }, { 12, 2, 0, 59 },
		      { 14, 2, 0, 99 } };
	size_t i;
	int k;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		int v = 0;

		for (k = 0; k < parts[i].n; k++) {
			uint8_t c = p[parts[i].at + k];

			if (c < '0' || c > '9')
				return false;
			v = v * 10 + c - '0';
		}
		if (v < parts[i].min || v > parts[i].max)
			return false;
	}
	return true;
}

static void test_empty(void)
{
	struct unik_tree *tree = new_tree();
	uint64_t size;
	uint8_t *image = image_bytes(tree, false, &size);
	const struct iso_pvd *pvd = (const void *)(image + 16 * ISO_BLOCK);
	const uint8_t *root = image + 20 * ISO_BLOCK;
	bool zero = true;
	size_t i;

	for (i = 0; i < 16 * ISO_BLOCK; i++)
		zero &= image[i] == 0;
	ok(zero, "the system area is empty");
	/* 16 blocks, two descriptors, two tables, the root, one to be even */
	ok(size == 22 * ISO_BLOCK, "an empty tree takes 22 blocks");
	ok(memcmp(pvd->type, "\1CD001\1", 7) == 0 &&
	   memcmp(image + 17 * ISO_BLOCK, "\377CD001\1", 7) == 0,
	   "descriptor and terminator");
	ok(iso_both32(pvd->space_size) &&
	   iso_get32le(pvd->space_size) == size / ISO_BLOCK,
	   "the descriptor knows the size");
	ok(memcmp(pvd->volume_id, "UNIK_0B30557A9FC4E90E           ", 32) == 0,
	   "the volume is named after the digest");
	ok(digits_fit(pvd->created.digits) &&
	   memcmp(&pvd->created, &pvd->modified, 17) == 0,
	   "the times of the volume form a date");
	ok(iso_get32le(pvd->root + 2) == 20 && pvd->root[0] == 34 &&
	   memcmp(root + 1, pvd->root + 1, 33) == 0,
	   "the root's record is its own \".\"");
	ok(memcmp(root + 34, "SP\7\1\276\357", 7) == 0,
	   "SP comes first, where NetBSD looks");
	munmap(image, size);
	unik_tree_free(tree);
}

static void test_same_bytes(void)
{
	struct unik_digest d[4];
	int i;

	for (i = 0; i < 2; i++) {
		struct unik_tree *tree = mixed(i);
		struct unik_writer *w;

		seal(tree);
		w = plan(tree, false);
		emit(w, -1, &d[2 * i]);
		emit(w, -1, &d[2 * i + 1]);
		unik_format_iso.free(w);
		unik_tree_free(tree);
	}
	ok(unik_digest_equal(&d[0], &d[1]), "emitted twice, the same bytes");
	ok(unik_digest_equal(&d[0], &d[2]) && unik_digest_equal(&d[0], &d[3]),
	   "added in another order, the same bytes");
}

static void test_extents(void)
{
	struct unik_tree *tree = new_tree();
	struct unik_writer *w;
	uint32_t a, b, c, e;

	add_text(tree, "a", "same");
	add_text(tree, "b", "same");
	add_text(tree, "c", "other");
	add_text(tree, "empty", "");
	add_link(tree, true, "hard", "a");
	seal(tree);
	w = plan(tree, false);
	a = w->extent[unik_tree_find(tree, "a")->inode->id];
	b = w->extent[unik_tree_find(tree, "b")->inode->id];
	c = w->extent[unik_tree_find(tree, "c")->inode->id];
	e = w->extent[unik_tree_find(tree, "empty")->inode->id];
	ok(a == b && c == a + 1 && e == 0 && w->nblocks - w->data_block <= 3,
	   "equal content once, empty files nowhere");
	unik_format_iso.free(w);
	unik_tree_free(tree);
}

static void test_big(void)
{
	struct unik_tree *tree = new_tree();
	uint64_t size, big = UINT64_C(5) << 30;
	uint8_t tail[2 * ISO_BLOCK];
	struct stat st;
	int fd;

	add_zeros(tree, "zeros", big);
	fd = image_fd(tree, false, &size);
	fstat(fd, &st);
	ok(size > big && (uint64_t)st.st_size == size &&
	   st.st_blocks * 512 < 4 << 20,
	   "5 GiB of zeros are holes: %lld blocks", (long long)st.st_blocks);
	if (unik_pread_all(fd, tail, sizeof(tail), size - sizeof(tail), &err))
		die("read");
	ok(memmem(tail, sizeof(tail), "end", 3) != NULL,
	   "its end is where it belongs");
	close(fd);
	unik_tree_free(tree);
}

static void test_full(void)
{
	struct unik_sink_options opt = { .fd = open("/dev/full", O_WRONLY) };
	struct unik_tree *tree = mixed(false);
	struct unik_writer *w;
	struct unik_sink *sink;
	int rc;

	seal(tree);
	w = plan(tree, false);
	if (unik_sink_new(&sink, &opt, &err) < 0)
		die("sink");
	rc = unik_format_iso.emit(w, sink, &err);
	if (rc == 0)
		rc = unik_sink_finish(sink, NULL, &err);
	ok(rc < 0 && err.code == UNIK_EIO, "a full disk is an error: %s",
	   err.msg);
	unik_sink_free(sink);
	unik_format_iso.free(w);
	unik_tree_free(tree);
	close(opt.fd);
}

/* ---- limits ---- */

/* Plans a tree that is not to be taken (or is) and frees it. */
static void check_plan(struct unik_tree *tree, bool netbsd, const char *word,
		       const char *what)
{
	struct unik_writer *w;

	seal(tree);
	w = plan(tree, netbsd);
	if (word)
		ok(!w && err.code == UNIK_EBAD && strstr(err.msg, word),
		   "%s: %s", what, err.msg);
	else
		ok(w != NULL, "%s", what);
	unik_format_iso.free(w);
	unik_tree_free(tree);
}

static struct unik_tree *dirs(int n) /* the root not counted */
{
	struct unik_tree *tree = new_tree();
	char path[32];
	int i;

	for (i = 0; i < n; i++) {
		sprintf(path, "%d/%d", i % 250, i);
		add_node(tree, UNIK_DIR, path);
	}
	return tree;
}

static struct unik_tree *zeros(uint64_t size)
{
	struct unik_tree *tree = new_tree();

	add_zeros(tree, "dir/big", size);
	return tree;
}

static struct unik_tree *link_of(size_t n)
{
	struct unik_tree *tree = new_tree();
	char *target = malloc(n + 1);

	memset(target, 'x', n);
	target[n] = 0;
	add_link(tree, false, "dir/link", target);
	free(target);
	return tree;
}

static void test_limits(void)
{
	uint64_t section = ISO_SECTION_MAX;

	check_plan(dirs(65535 - 251), false, NULL, "65,535 directories");
	check_plan(dirs(65535 - 250), false, "use ext2",
		   "65,536 directories are refused");
	check_plan(zeros(100 * section), false, NULL, "100 sections");
	check_plan(zeros(100 * section + 1), false, "'dir/big'",
		   "101 sections are refused");
	check_plan(zeros(section), true, NULL, "4 GiB - 2 KiB for NetBSD");
	check_plan(zeros(section + 1), true, "use ext2",
		   "more for NetBSD is refused");
	check_plan(link_of(4095), false, NULL, "a target of 4,095 bytes");
	check_plan(link_of(4096), false, "'dir/link'",
		   "a target of 4,096 bytes is refused");
	check_plan(link_of(1023), true, NULL, "1,023 bytes for NetBSD");
	check_plan(link_of(1024), true, "'dir/link'",
		   "1,024 bytes for NetBSD are refused");
}

/* ---- losses ---- */

static struct unik_tree *lossy(void)
{
	static const struct unik_xattr x[2] = {
		{ "user.a", (const uint8_t *)"1", 6, 1 },
		{ "user.b", (const uint8_t *)"2", 6, 1 },
	};
	struct unik_entry e = entry(UNIK_FILE, "x");
	struct unik_tree *tree = new_tree();
	char name[256];

	e.xattrs = x;
	e.nxattrs = 2;
	add(tree, &e);
	add_time(tree, "t0", INT64_C(-2208988800), 0);
	add_time(tree, "t1", INT64_C(-2208988801), 0);
	add_time(tree, "t2", INT64_C(-2147483648), 0);
	add_time(tree, "t3", 2147483647, 0);
	add_time(tree, "t4", 2147483648, 0);
	add_time(tree, "t5", 5, 1);
	add_time(tree, "t6", INT64_C(5869583999), 0);
	add_device(tree, "v0", 0, 255);
	add_device(tree, "v1", 0, 256);
	add_device(tree, "v2", 255, 255);
	add_device(tree, "v3", 8, 0xfffff);
	add_device(tree, "v4", 8, 0x100000);
	add_device(tree, "v5", 4095, 0);
	add_device(tree, "v6", 4096, 0);
	memset(name, 'n', 255);
	name[255] = 0;
	add_node(tree, UNIK_FILE, name);
	name[254] = 0;
	add_node(tree, UNIK_FILE, name);
	name[253] = 0;
	add_node(tree, UNIK_FILE, name);
	return tree;
}

static void test_losses(void)
{
	struct unik_tree *tree = lossy();
	const struct unik_losses *l;
	struct unik_writer *w;

	seal(tree);
	w = plan(tree, false);
	l = unik_format_iso.losses(w);
	ok(l->xattr == 2 && !strcmp(l->first_xattr->name, "x"),
	   "two attributes");
	ok(l->time == 5 && !strcmp(l->first_time->name, "t0"),
	   "five times: %d", (int)l->time);
	ok(l->rdev == 3 && !strcmp(l->first_rdev->name, "v1"),
	   "three devices: %d", (int)l->rdev);
	ok(l->name == 2 && l->first_name->name_size == 254, "two names");
	unik_format_iso.free(w);
	w = plan(tree, true);
	l = unik_format_iso.losses(w);
	ok(l->time == 6 && l->rdev == 5 && l->name == 0,
	   "NetBSD's losses: %d times, %d devices", (int)l->time, (int)l->rdev);
	unik_format_iso.free(w);
	unik_tree_free(tree);
}

static void test_stamps(void)
{
	static const struct {
		int64_t sec;
		uint8_t stamp[7];
		bool exact;
	} cases[] = {
		{ 0, { 70, 1, 1, 0, 0, 0, 0 }, true },
		{ -1, { 69, 12, 31, 23, 59, 59, 0 }, true },
		{ 951782400, { 100, 2, 29, 0, 0, 0, 0 }, true },
		{ 1709251199, { 124, 2, 29, 23, 59, 59, 0 }, true },
		{ INT64_C(4107542399), { 200, 2, 28, 23, 59, 59, 0 }, true },
		{ INT64_C(4107542400), { 200, 3, 1, 0, 0, 0, 0 }, true },
		{ INT64_C(-2203891200), { 0, 3, 1, 0, 0, 0, 0 }, true },
		{ INT64_C(-2208988800), { 0, 1, 1, 0, 0, 0, 0 }, true },
		{ INT64_C(-2208988801), { 0, 1, 1, 0, 0, 0, 0 }, false },
		{ INT64_C(5869583999), { 255, 12, 31, 23, 59, 59, 0 }, true },
		{ INT64_C(5869584000), { 255, 12, 31, 23, 59, 59, 0 }, false },
		{ INT64_MIN, { 0, 1, 1, 0, 0, 0, 0 }, false },
		{ INT64_MAX, { 255, 12, 31, 23, 59, 59, 0 }, false },
	};
	uint8_t stamp[7];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool exact = unik_iso_time7(cases[i].sec, 0, stamp);

		ok(exact == cases[i].exact &&
		   memcmp(stamp, cases[i].stamp, 7) == 0,
		   "stamp of %lld", (long long)cases[i].sec);
	}
	ok(!unik_iso_time7(0, 1, stamp) && stamp[0] == 70,
	   "a nanosecond is not exact");
}

int main(void)
{
	test_options();
	test_empty();
	test_same_bytes();
	test_extents();
	test_big();
	test_full();
	test_limits();
	test_losses();
	test_stamps();
	return tap_done();
}
