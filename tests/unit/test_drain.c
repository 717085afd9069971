/* SPDX-License-Identifier: GPL-3.0-or-later */
/* drain: a spool gives its space back, and images are what they are without. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "drain.h"
#include "layer.h"
#include "maketar.h"
#include "pack.h"
#include "treedump.h"
#include "writer.h"

#define STEP ((uint64_t)UNIK_DRAIN_STEP)
#define GONE UNIK_EIO, "a spool is read again that was given back"
#define SHORT UNIK_EBAD, "the file ends too early"

enum { MIB = 1 << 20 };

static uint8_t noise[9 * MIB];

static uint64_t bytes_of(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		die("fstat");
	return (uint64_t)st.st_blocks * 512;
}

/* A file of three steps and a bit, in memory. */
static int new_file(uint64_t *size)
{
	int fd = memfd_create("spool", MFD_CLOEXEC);

	*size = 3 * STEP + 5;
	must(unik_pwrite_all(fd, noise, STEP, 0, &err));
	must(unik_pwrite_all(fd, noise, 2 * STEP, STEP, &err));
	must(unik_pwrite_all(fd, noise, 5, 3 * STEP, &err));
	return fd;
}

static void test_steps(void)
{
	uint64_t size, all;
	struct unik_drain *d;
	uint8_t got[2];
	struct stat st;
	int fd = new_file(&size);

	must(unik_drain_new(&d, fd, size, &err));
	must(unik_drain_want(d, 0, 100, &err));
	must(unik_drain_want(d, 50, 50, &err)); /* twice */
	must(unik_drain_want(d, STEP - 1, STEP, &err));
	must(unik_drain_want(d, size - 1, 1, &err));
	must(unik_drain_want(d, size, 0, &err));
	all = bytes_of(fd);
	unik_drain_start(d);
	ok(bytes_of(fd) == all - STEP, "a step that nobody wants is dropped");
	must(unik_drain_take(d, STEP - 1, 2, &err));
	must(unik_drain_take(d, 0, 100, &err));
	ok(bytes_of(fd) == all - STEP, "a step that somebody waits for stays");
	must(unik_pread_all(fd, got, 2, STEP, &err));
	ok(memcmp(got, noise, 2) == 0, "with its bytes");
	must(unik_drain_take(d, 50, 50, &err));
	ok(bytes_of(fd) == all - 2 * STEP, "and goes with the last of them");
	must(unik_drain_take(d, STEP + 1, STEP - 2, &err));
	must(unik_drain_take(d, 7, 0, &err));
	ok(bytes_of(fd) == all - 3 * STEP, "as the next one does");
	ok(failed(unik_drain_take(d, 10, 1, &err), GONE),
	   "what was given back can't be taken again");
	ok(failed(unik_drain_take(d, 2 * STEP, 1, &err), GONE),
	   "nor what was never wanted");
	must(unik_drain_take(d, size - 1, 1, &err));
	ok(bytes_of(fd) == 0 && fstat(fd, &st) == 0 &&
	   (uint64_t)st.st_size == size, "all is given back but the size");
	unik_drain_free(d);
	unik_drain_free(NULL);
	close(fd);
}

static void test_ends(void)
{
	uint64_t size;
	struct unik_drain *d;
	int fd = new_file(&size), null = open("/dev/null", O_RDWR | O_CLOEXEC);

	must(unik_drain_new(&d, fd, size, &err));
	ok(failed(unik_drain_want(d, size, 1, &err), SHORT) &&
	   failed(unik_drain_want(d, 1, size, &err), SHORT) &&
	   failed(unik_drain_want(d, UINT64_MAX, 2, &err), SHORT) &&
	   failed(unik_drain_take(d, 2, UINT64_MAX, &err), SHORT),
	   "no byte behind the end is wanted or taken");
	unik_drain_free(d);
	must(unik_drain_new(&d, null, size, &err));
	must(unik_drain_want(d, 0, size, &err));
	unik_drain_start(d);
	ok(unik_drain_take(d, 0, size, &err) == 0,
	   "where nothing can be given back, nothing is");
	unik_drain_free(d);
	close(null);
	close(fd);
}

/* ---- a layer ---- */

static struct unik_limits limits;

static void add_file(struct mk *t, const char *name, const uint8_t *data,
		     size_t n)
{
	mk_head(t, '0', name);
	mk_data(t, data, n);
}

/* All that can be stored, and not in the order in which it is read. */
static void make(struct mk *t)
{
	static uint8_t holed[9 * MIB];
	char name[32];
	int i;

	memcpy(holed, noise + 7, 100000);
	memcpy(holed + 8 * MIB + 99, noise + 1, 100000);
	add_file(t, "twice", noise, 5 * MIB);
	add_file(t, "z/big", noise + 5, 8 * MIB);
	for (i = 0; i < 4; i++) {
		sprintf(name, "y/%d", 9 - i);
		add_file(t, name, noise + i, 3 * MIB);
	}
	for (i = 0; i < 300; i++) {
		sprintf(name, "x/%d", i * 77 % 300);
		add_file(t, name, noise + i, 5000);
	}
	add_file(t, "holed", holed, sizeof(holed));
	mk_pax(t, 'x', PAX("GNU.sparse.size", "9000000", "GNU.sparse.map",
			   "100000,300000,8000000,300000"));
	add_file(t, "sparse", noise + 99, 600000);
	mk_pax(t, 'x', PAX("GNU.sparse.size", "9000000", "GNU.sparse.map",
			   "9000000,0"));
	add_file(t, "hole", noise, 0);
	add_file(t, "same1", noise + 3, MIB);
	add_file(t, "same2", noise + 3, MIB);
	mk_link(t, '1', "link", "z/big");
	add_file(t, "twice", noise, 700);
	mk_end(t);
}

static struct unik_layer *load(const struct unik_layer_ref *ref)
{
	struct unik_layer_options opt = { .limits = &limits,
					  .spool_dir = "/tmp" };
	struct unik_layer *l;

	must(unik_layer_load(&l, ref, &opt, &err));
	return l;
}

static int image(const struct unik_tree *tree, const struct unik_format *f,
		 uint32_t block_size, struct unik_digest *digest)
{
	struct unik_writer_options wo = { .tree_digest = digest,
					  .block_size = block_size };
	struct unik_sink_options so = { .fd = -1, .holes = true,
					.hash = true };
	struct unik_writer *w;
	struct unik_sink *sink;
	int rc;

	must(unik_tree_digest(tree, digest, &err));
	must(f->plan(&w, tree, &wo, &err));
	must(unik_sink_new(&sink, &so, &err));
	rc = f->emit(w, sink, &err);
	if (rc == 0)
		must(unik_sink_finish(sink, digest, &err));
	unik_sink_free(sink);
	f->free(w);
	return rc;
}

/* The spool may lie where nothing is punched: into memory with it. */
static void move_spool(struct unik_layer *l)
{
	int fd = memfd_create("spool", MFD_CLOEXEC);
	struct stat st;
	uint8_t *all;

	must(fstat(l->data.fd, &st));
	all = make_room((size_t)st.st_size);
	must(unik_pread_all(l->data.fd, all, (size_t)st.st_size, 0, &err));
	must(unik_pwrite_all(fd, all, (size_t)st.st_size, 0, &err));
	free(all);
	if (dup2(fd, l->data.fd) < 0)
		die("dup2");
	close(fd);
}

static void test_layer(const struct unik_layer_ref *ref,
		       const struct unik_format *f, uint32_t block_size)
{
	struct unik_layer *l = load(ref);
	struct unik_digest want, got, again;
	uint64_t before;

	move_spool(l);
	must(image(l->tree, f, block_size, &want));
	before = bytes_of(l->data.fd);
	must(unik_layer_drain(l, l->tree, &err));
	ok(bytes_of(l->data.fd) < before - 4 * MIB,
	   "%s %u: what nobody reads goes first", f->name, block_size);
	must(image(l->tree, f, block_size, &got));
	ok(unik_digest_equal(&want, &got), "%s %u: the same bytes", f->name,
	   block_size);
	ok(bytes_of(l->data.fd) == 0, "%s %u: the spool is empty", f->name,
	   block_size);
	ok(failed(image(l->tree, f, block_size, &again), GONE),
	   "%s %u: a second image is an error", f->name, block_size);
	unik_layer_free(l);
}

/* The source's own file is nobody's to empty. */
static void test_plain(const struct unik_layer_ref *ref)
{
	struct unik_layer *l = load(ref);
	uint64_t before = bytes_of(ref->fd);
	struct unik_digest a, b;

	must(unik_layer_drain(l, l->tree, &err));
	must(image(l->tree, &unik_format_iso, 0, &a));
	must(image(l->tree, &unik_format_iso, 0, &b));
	ok(before > 0 && bytes_of(ref->fd) == before &&
	   unik_digest_equal(&a, &b), "a plain layer stays");
	unik_layer_free(l);
}

static struct unik_layer_ref ref_of(const void *p, size_t n)
{
	struct unik_layer_ref ref = { .size = n };

	ref.fd = memfd_create("layer", MFD_CLOEXEC);
	must(unik_pwrite_all(ref.fd, p, n, 0, &err));
	return ref;
}

int main(void)
{
	struct mk t = { 0 };
	struct bytes b = { NULL, 0, 0 };
	struct unik_layer_ref plain, packed;
	size_t i;

	for (i = 0; i < sizeof(noise); i++)
		noise[i] = (uint8_t)(random_u64() >> 8 | 1);
	limits = default_limits();
	test_steps();
	test_ends();
	make(&t);
	add_gzip_as(&b, t.p, t.size, 0, Z_DEFAULT_STRATEGY, Z_NO_FLUSH, 0,
		    NULL);
	plain = ref_of(t.p, t.size);
	packed = ref_of(b.p, b.size);
	test_layer(&packed, &unik_format_iso, 0);
	test_layer(&packed, &unik_format_ext2, 1024);
	test_layer(&packed, &unik_format_ext2, 4096);
	test_plain(&plain);
	close(plain.fd);
	close(packed.fd);
	mk_drop(&t);
	drop_bytes(&b);
	return tap_done();
}
