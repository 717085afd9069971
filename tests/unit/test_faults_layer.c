/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any allocation and any system call may fail: a layer of every compression,
 * its tree, its text, an image of it in each format, read back. */
#include "faults.h"

#include <sys/mman.h>

#include "layer.h"
#include "maketar.h"
#include "pack.h"
#include "reader.h"
#include "treedump.h"
#include "writer.h"

static struct unik_limits limits;
static struct mk tar;
static struct bytes packed;
static int blob_fd = -1;
/* One of the two images is kept in a file; the other only hashed. */
static int image_fd = -1;
static const char *kept = "ext2";

/* What a run gave, and what it has to give. */
struct result {
	struct unik_digest tree, iso, ext2, back;
};

static struct result got, want;

static void make_tar(void)
{
	static char big[300000];
	char name[64];
	int i;

	for (i = 0; i < (int)sizeof(big); i++)
		big[i] = (char)(random_u64() >> 60);
	mk_head(&tar, '5', "d");
	for (i = 0; i < 40; i++) {
		sprintf(name, "d/%d/%d/file", i % 3, i);
		mk_file(&tar, name, name);
	}
	mk_head(&tar, '0', "big");
	mk_data(&tar, big, sizeof(big));
	mk_pax(&tar, 'x', PAX("path", "a long name", "mtime", "1.5",
			      "SCHILY.xattr.user.a", "some value",
			      "LIBARCHIVE.xattr.user.b", "QUJD"));
	mk_file(&tar, "x", "attributes");
	mk_head(&tar, 'L', "././@LongLink");
	mk_data(&tar, "a name of GNU's", 15);
	mk_file(&tar, "x", "y");
	mk_pax(&tar, 'x', PAX("GNU.sparse.size", "2000000", "GNU.sparse.map",
			      "100000,5,1999997,3"));
	mk_file(&tar, "sparse", "helloend");
	mk_link(&tar, '1', "chain2", "chain1");
	mk_link(&tar, '1', "chain1", "big");
	mk_link(&tar, '2', "s", "a target that is longer than sixty bytes, so "
				"that it needs a block");
	mk_file(&tar, "d/.wh.gone", "");
	mk_end(&tar);
}

static int make_image(const struct unik_format *f, const struct unik_tree *tree,
		      int fd, struct unik_digest *digest)
{
	struct unik_writer_options wo = { .tree_digest = &got.tree };
	struct unik_sink_options so = { .fd = fd, .holes = true, .hash = true };
	struct unik_writer *w = NULL;
	struct unik_sink *sink = NULL;
	int rc;

	if (f->plan(&w, tree, &wo, &err) < 0)
		return -1;
	rc = unik_sink_new(&sink, &so, &err);
	if (rc == 0)
		rc = f->emit(w, sink, &err);
	if (rc == 0)
		rc = unik_sink_finish(sink, digest, &err);
	unik_sink_free(sink);
	f->free(w);
	return rc;
}

/* Checks the image that is there and reads it. */
static int body_read(void)
{
	const struct unik_reader *r = unik_reader_find(kept);
	const struct unik_data data = { .fd = image_fd };
	struct unik_tree *tree = NULL;
	struct stat st;
	int rc;

	if (fstat(image_fd, &st) < 0)
		return unik_fail_sys(&err, "can't stat");
	if (r->check(image_fd, (uint64_t)st.st_size, &limits, &err) < 0 ||
	    r->read(&tree, &data, (uint64_t)st.st_size, &limits, &err) < 0)
		return -1;
	rc = unik_tree_digest(tree, &got.back, &err);
	unik_tree_free(tree);
	return rc;
}

static int use_tree(const struct unik_tree *tree)
{
	bool ext2 = strcmp(kept, "ext2") == 0;

	if (unik_tree_digest(tree, &got.tree, &err) < 0 ||
	    make_image(&unik_format_iso, tree, ext2 ? -1 : image_fd,
		       &got.iso) < 0)
		return -1;
	return make_image(&unik_format_ext2, tree, ext2 ? image_fd : -1,
			  &got.ext2);
}

static int body(void)
{
	struct unik_layer_options opt = { .limits = &limits,
					  .spool_dir = "/tmp" };
	struct unik_layer_ref ref = { .fd = blob_fd, .size = packed.size };
	struct unik_layer *layer = NULL;
	int rc;

	memset(&got, 0, sizeof(got));
	if (unik_layer_load(&layer, &ref, &opt, &err) < 0)
		return -1;
	rc = use_tree(layer->tree);
	unik_layer_free(layer);
	return rc;
}

/* Where all is said to be well, all is well. */
static bool after(int rc)
{
	return rc != 0 || memcmp(&got, &want, sizeof(got)) == 0;
}

static void set_blob(void (*add)(struct bytes *, const void *, size_t))
{
	packed.size = 0;
	add(&packed, tar.p, tar.size);
	must(ftruncate(blob_fd, 0));
	must(unik_pwrite_all(blob_fd, packed.p, packed.size, 0, &err));
}

static void test_form(const char *name, bool more,
		      void (*add)(struct bytes *, const void *, size_t))
{
	const struct fault_test t = { body, after };
	char what[64];

	set_blob(add);
	must(body());
	want = got;
	sprintf(what, "%s: an allocation fails", name);
	fault_loop(&t, FAULT_MEMORY, false, what);
	sprintf(what, "%s: a system call fails", name);
	fault_loop(&t, FAULT_SYSTEM, false, what);
	if (!more)
		return;
	sprintf(what, "%s: all allocations fail from there on", name);
	fault_loop(&t, FAULT_MEMORY, true, what);
	sprintf(what, "%s: all system calls do", name);
	fault_loop(&t, FAULT_SYSTEM, true, what);
	sprintf(what, "%s: a transfer is short", name);
	fault_loop(&t, FAULT_SHORT, false, what);
	sprintf(what, "%s: a transfer is interrupted", name);
	fault_loop(&t, FAULT_EINTR, false, what);
	fault_arm(FAULT_TMPFILE, 0, true);
	ok(body() == 0 && fault_disarm() && after(0),
	   "%s: a filesystem that has no O_TMPFILE", name);
}

static bool after_read(int rc)
{
	return rc != 0 || unik_digest_equal(&got.back, &want.back);
}

static void test_reader(const char *format)
{
	const struct fault_test t = { body_read, after_read };
	char what[64];

	kept = format;
	must(ftruncate(image_fd, 0));
	must(body()); /* leaves the image */
	must(body_read());
	want.back = got.back;
	sprintf(what, "reading %s: an allocation fails", format);
	fault_loop(&t, FAULT_MEMORY, false, what);
	sprintf(what, "reading %s: a system call fails", format);
	fault_loop(&t, FAULT_SYSTEM, false, what);
	sprintf(what, "reading %s: a transfer is short", format);
	fault_loop(&t, FAULT_SHORT, false, what);
}

int main(void)
{
	fault_init();
	limits = default_limits();
	make_tar();
	image_fd = memfd_create("image", MFD_CLOEXEC);
	blob_fd = memfd_create("blob", MFD_CLOEXEC);
	test_form("plain", false, add_bytes);
	test_form("gzip", true, add_gzip);
	test_form("zstd", false, add_zstd);
	test_form("xz", false, add_xz);
	test_form("bzip2", false, add_bzip2);
	test_reader("iso");
	test_reader("ext2");
	return tap_done();
}
