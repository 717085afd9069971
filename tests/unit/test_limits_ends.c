/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Each limit at the ends of its range: at 2^64 - 1 what is honest passes as it
 * does by default; at 0 it passes or is refused.  Nothing wraps. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "maketar.h"
#include "pack.h"
#include "reader.h"
#include "tree.h"

static char source[64];

/* Something for each limit that a layer meets, compressed. */
static void make_source(int fd)
{
	struct bytes xz = { NULL, 0, 0 };
	struct mk t = { 0 };
	char name[200];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	mk_head(&t, 'L', "././@LongLink");
	mk_data(&t, name, sizeof(name));
	mk_file(&t, "short", "data");
	mk_pax(&t, 'x', PAX("SCHILY.xattr.user.a", "value"));
	mk_file(&t, "a/b/c/d/file", "text");
	mk_link(&t, '2', "a/s", "b/c");
	mk_link(&t, '1', "a/h", "a/b/c/d/file");
	mk_end(&t);
	add_xz(&xz, t.p, t.size);
	must(unik_pwrite_all(fd, xz.p, xz.size, 0, &err));
	mk_drop(&t);
	drop_bytes(&xz);
}

static struct unik_limits with(const struct unik_limit_row *row, uint64_t v)
{
	struct unik_limits limits = default_limits();

	memcpy((char *)&limits + row->offset, &v, sizeof(v));
	return limits;
}

/* A new image in memory; *digest is that of its bytes. */
static int convert(const char *format, const struct unik_limits *limits,
		   int *fd, uint64_t *size)
{
	struct unik_convert_options opt;
	struct stat st;
	int rc;

	*fd = memfd_create("image", MFD_CLOEXEC);
	unik_convert_options_init(&opt);
	opt.source = source;
	opt.image_fd = *fd;
	opt.formats = &format;
	opt.nformats = 1;
	opt.spool_dir = "/tmp";
	opt.limits = *limits;
	rc = unik_convert(&opt, &err);
	if (*fd < 0 || fstat(*fd, &st) < 0)
		die("memfd");
	*size = (uint64_t)st.st_size;
	return rc;
}

static bool same_bytes(int a, int b, uint64_t size)
{
	static uint8_t x[1 << 20], y[1 << 20];

	if (size > sizeof(x))
		die("a large image");
	must(unik_pread_all(a, x, (size_t)size, 0, &err));
	must(unik_pread_all(b, y, (size_t)size, 0, &err));
	return memcmp(x, y, (size_t)size) == 0;
}

static bool refused(int rc)
{
	return rc == -1 && err.code == UNIK_EBAD && neat(err.msg);
}

static int read_back(const char *format, int fd, uint64_t size,
		     const struct unik_limits *limits)
{
	const struct unik_reader *r = unik_reader_find(format);
	const struct unik_data data = { .fd = fd };
	struct unik_tree *tree = NULL;
	int rc = r->check(fd, size, limits, &err);

	if (rc == 0)
		rc = r->read(&tree, &data, size, limits, &err);
	unik_tree_free(tree);
	return rc;
}

static void test_row(const char *format, const struct unik_limit_row *row,
		     int whole, uint64_t size)
{
	const struct unik_limits most = with(row, UINT64_MAX);
	const struct unik_limits none = with(row, 0);
	uint64_t got;
	int fd, rc;

	rc = convert(format, &most, &fd, &got);
	ok(rc == 0 && got == size && same_bytes(fd, whole, size),
	   "%s: --max-%s at its most changes nothing", format, row->name);
	close(fd);
	rc = convert(format, &none, &fd, &got);
	ok((rc == 0 && got == size) || (refused(rc) && got == 0),
	   "%s: --max-%s of 0: %s", format, row->name,
	   rc == 0 ? "passes" : err.msg);
	close(fd);
	ok(read_back(format, whole, size, &most) == 0,
	   "%s: the image is read at the most of it", format);
	rc = read_back(format, whole, size, &none);
	ok(rc == 0 || refused(rc), "%s: and at 0: %s", format,
	   rc == 0 ? "passes" : err.msg);
}

static void test_rows(void)
{
	static const char *const formats[] = { "iso", "ext2" };
	const struct unik_limits limits = default_limits();
	const struct unik_limit_row *rows;
	size_t n, i, k;

	rows = unik_limits_table(&n);
	for (k = 0; k < COUNT(formats); k++) {
		uint64_t size;
		int fd;

		must(convert(formats[k], &limits, &fd, &size));
		for (i = 0; i < n; i++)
			test_row(formats[k], &rows[i], fd, size);
		close(fd);
	}
}

/* ---- paths ---- */

/* A path of n components; of "." and one "x" behind them where `dots`. */
static char *long_path(size_t n, bool dots)
{
	char *p = malloc(2 * n + 2);
	size_t i;

	if (!p)
		die("malloc");
	for (i = 0; i < n; i++)
		memcpy(p + 2 * i, dots && i + 1 < n ? "./" : "x/", 2);
	p[2 * n - 1] = 0;
	return p;
}

static int add_path(size_t n, bool dots)
{
	struct unik_entry e = { .type = UNIK_DIR, .mode = 0755 };
	struct unik_limits limits = default_limits();
	char *path = long_path(n, dots);
	struct unik_tree *tree;
	int rc;

	limits.path = UINT64_MAX;
	limits.depth = UINT64_MAX;
	limits.entries = UINT64_MAX;
	must(unik_tree_new(&tree, &limits, &err));
	e.path = path;
	e.path_size = strlen(path);
	rc = unik_tree_add(tree, &e, &err);
	if (rc == 0)
		rc = unik_tree_seal(tree, &err);
	unik_tree_free(tree);
	free(path);
	return rc;
}

static void test_paths(void)
{
	ok(add_path(4096, false) == 0, "4096 components");
	ok(failed(add_path(4097, false), UNIK_EBAD,
		  "more than 4096 components"), "are the most there can be");
	ok(add_path(1 << 19, true) == 0, "a path of 1 MiB");
	ok(failed(add_path((1 << 19) + 1, true), UNIK_EBAD,
		  "path over 1048576 bytes (--max-path)"), "is the longest");
}

/* ---- pax ---- */

/* A header that claims far more than there is takes no memory for it. */
static void test_claims(void)
{
	static const int64_t sizes[] = { 1 << 20, INT64_C(1) << 40,
					 INT64_C(1) << 62, INT64_MAX };
	static const char types[] = { 'x', 'g', 'L', 'K' };
	size_t i, k;

	for (i = 0; i < COUNT(sizes); i++)
		for (k = 0; k < COUNT(types); k++) {
			struct mk t = { 0 };
			struct reading r;

			mk_head(&t, types[k], "claim");
			mk_binary(&t, F_SIZE, 12, sizes[i]);
			mk_raw(&t, "some", 4);
			read_start(&r, &t, t.size, 512);
			r.limits.pax_size = UINT64_MAX;
			ok(failed(read_next(&r), UNIK_EBAD,
				  "the tar ends inside an extended header"),
			   "a header %c of %lld bytes", types[k],
			   (long long)sizes[i]);
			read_stop(&r);
			mk_drop(&t);
		}
}

int main(void)
{
	int fd = memfd_create("source", 0);

	if (fd < 0)
		die("memfd");
	snprintf(source, sizeof(source), "layer:/proc/self/fd/%d", fd);
	make_source(fd);
	test_rows();
	test_paths();
	test_claims();
	close(fd);
	return tap_done();
}
