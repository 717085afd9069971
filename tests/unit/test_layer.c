/* SPDX-License-Identifier: GPL-3.0-or-later */
/* layer: bytes as stored -> tree, sizes and digests checked to the last one. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "layer.h"
#include "maketar.h"
#include "pack.h"
#include "treetext.h"

static struct unik_limits limits;
static char dir[] = "/tmp/unik-unit-XXXXXX";
static struct mk tar;
static struct unik_digest tar_digest;

static const char lines[] =
	"dir d@3\nfile d/f@3\nfile d/h@3 = d/f\nsymlink s@3 -> d/f\n"
	"file sparse@3\nchar t1@3\nblock t2@3\nfifo t3@3\n";

static void make_tar(void)
{
	mk_head(&tar, '5', "d");
	mk_file(&tar, "d/f", "some text");
	mk_link(&tar, '1', "d/h", "d/f");
	mk_link(&tar, '2', "s", "d/f");
	mk_head(&tar, '3', "t1");
	mk_head(&tar, '4', "t2");
	mk_head(&tar, '6', "t3");
	mk_pax(&tar, 'x', PAX("GNU.sparse.size", "200000", "GNU.sparse.map",
			      "100000,5,199997,3"));
	mk_file(&tar, "sparse", "helloend");
	mk_end(&tar);
	must(unik_sha256(tar.p, tar.size, &tar_digest, &err));
}

/* A file with the bytes at `offset`, noise around them. */
static struct unik_layer_ref ref_of(const void *p, size_t n, uint64_t offset)
{
	static uint8_t noise[5000];
	struct unik_layer_ref ref = { .offset = offset, .size = n };

	ref.fd = memfd_create("layer", MFD_CLOEXEC);
	memset(noise, 0xa5, sizeof(noise));
	must(unik_pwrite_all(ref.fd, noise, (size_t)offset, 0, &err));
	must(unik_pwrite_all(ref.fd, p, n, offset, &err));
	if (offset)
		must(unik_pwrite_all(ref.fd, noise, 1000, offset + n, &err));
	return ref;
}

static struct unik_layer_options options(void)
{
	struct unik_layer_options opt = { .limits = &limits,
					  .spool_dir = dir };

	return opt;
}

static int load(const struct unik_layer_ref *ref, struct unik_layer **layer)
{
	struct unik_layer_options opt = options();

	*layer = NULL;
	return unik_layer_load(layer, ref, &opt, &err);
}

/* What load() says, and what check(), which reads no tar, does. */
static bool refused_as(const struct unik_layer_ref *ref, const char *text,
		       const char *checked)
{
	struct unik_layer_options opt = options();
	struct unik_digest blob, diff_id;
	struct unik_layer *layer;

	return failed(load(ref, &layer), UNIK_EBAD, text) && !layer &&
	       failed(unik_layer_check(ref, &opt, &blob, &diff_id, &err),
		      UNIK_EBAD, checked);
}

static bool refused(const struct unik_layer_ref *ref, const char *text)
{
	return refused_as(ref, text, text);
}

static bool holds(const struct unik_tree *tree, const char *path, uint64_t off,
		  const char *text)
{
	const struct unik_inode *inode = unik_tree_find(tree, path)->inode;
	char got[32] = "";

	return unik_content_read(inode->content, off, got, strlen(text),
				 &err) == 0 &&
	       strcmp(got, text) == 0;
}

static bool whole(const struct unik_layer *l)
{
	static char got[TREE_TEXT];
	const struct unik_inode *sparse;

	tree_lines(l->tree, got);
	if (strcmp(got, lines) != 0) {
		printf("# got: %s\n", got);
		return false;
	}
	sparse = unik_tree_find(l->tree, "sparse")->inode;
	return holds(l->tree, "d/f", 0, "some text") &&
	       holds(l->tree, "d/h", 5, "text") &&
	       holds(l->tree, "sparse", 100000, "hello") &&
	       holds(l->tree, "sparse", 199997, "end") &&
	       holds(l->tree, "sparse", 0, "") && sparse->size == 200000 &&
	       sparse->content->holed && sparse->content->nextents == 2;
}

static void pack_as(enum unik_compression kind, struct bytes *b,
		    const void *p, size_t n)
{
	void (*add[])(struct bytes *, const void *, size_t) = {
		[UNIK_PLAIN] = add_bytes, [UNIK_GZIP] = add_gzip,
		[UNIK_ZSTD] = add_zstd,	  [UNIK_XZ] = add_xz,
		[UNIK_BZIP2] = add_bzip2,
	};

	add[kind](b, p, n);
}

static const enum unik_compression kinds[] = {
	UNIK_PLAIN, UNIK_GZIP, UNIK_ZSTD, UNIK_XZ, UNIK_BZIP2
};

static void declare(struct unik_layer_ref *ref, const struct bytes *b,
		    enum unik_algo algo)
{
	struct unik_hash h;

	ref->has_diff_id = ref->has_blob_digest = true;
	ref->diff_id = tar_digest;
	must(unik_hash_init(&h, algo, &err));
	must(unik_hash_update(&h, b->p, b->size, &err));
	must(unik_hash_final(&h, &ref->blob_digest, &err));
	unik_hash_release(&h);
}

static void test_good(void)
{
	static const uint64_t offsets[] = { 0, 1, 4999 };
	size_t i, k;

	for (i = 0; i < COUNT(kinds); i++) {
		struct bytes b = { NULL, 0, 0 };
		bool good = true;

		pack_as(kinds[i], &b, tar.p, tar.size);
		for (k = 0; k < COUNT(offsets) * 2; k++) {
			struct unik_layer_ref ref;
			struct unik_layer *l;

			ref = ref_of(b.p, b.size, offsets[k / 2]);
			declare(&ref, &b, k & 1 ? UNIK_SHA512 : UNIK_SHA256);
			must(load(&ref, &l));
			good &= whole(l) && l->compression == kinds[i] &&
				l->blob_size == b.size &&
				l->size == tar.size && !l->unended &&
				unik_digest_equal(&l->diff_id, &tar_digest) &&
				unik_digest_equal(&l->blob_digest,
						  &ref.blob_digest);
			unik_layer_free(l);
			close(ref.fd);
		}
		ok(good, "%s at several offsets, blobs by both algorithms",
		   unik_compression_name(kinds[i]));
		drop_bytes(&b);
	}
}

static void test_undeclared(void)
{
	struct bytes b = { NULL, 0, 0 };
	struct unik_layer_ref ref;
	struct unik_layer *l;
	struct unik_digest blob;

	add_gzip(&b, tar.p, tar.size);
	must(unik_sha256(b.p, b.size, &blob, &err));
	ref = ref_of(b.p, b.size, 0);
	must(load(&ref, &l));
	ok(whole(l) && unik_digest_equal(&l->diff_id, &tar_digest) &&
		   unik_digest_equal(&l->blob_digest, &blob),
	   "digests are taken where none are declared");
	unik_layer_free(l);
	close(ref.fd);
	drop_bytes(&b);
}

static void test_mismatches(void)
{
	size_t i;

	for (i = 0; i < COUNT(kinds); i++) {
		const char *name = unik_compression_name(kinds[i]);
		struct bytes b = { NULL, 0, 0 };
		struct unik_layer_ref ref;

		pack_as(kinds[i], &b, tar.p, tar.size);
		ref = ref_of(b.p, b.size, 0);
		declare(&ref, &b, UNIK_SHA256);
		ref.diff_id.bytes[31] ^= 1;
		ok(refused(&ref, "diff_id is sha256:"), "%s: wrong diff_id",
		   name);
		declare(&ref, &b, UNIK_SHA256);
		ref.blob_digest.bytes[0] ^= 1;
		ok(refused(&ref, "blob digest is sha256:"),
		   "%s: wrong blob digest", name);
		declare(&ref, &b, UNIK_SHA512);
		ref.blob_digest.bytes[63] ^= 1;
		ok(refused(&ref, "blob digest is sha512:"),
		   "%s: wrong sha512 of the blob", name);
		declare(&ref, &b, UNIK_SHA256);
		ref.size--;
		ok(refused(&ref, ""), "%s: a byte less", name);
		ref.size += 2;
		ok(refused(&ref, "the file ends too early"),
		   "%s: a byte more than there is", name);
		close(ref.fd);
		drop_bytes(&b);
	}
}

/* A tar of n bytes of ours, then `tail`; what is declared is the tar. */
static void test_tail(size_t n, const char *tail, const char *text,
		      const char *name)
{
	size_t i;

	for (i = 0; i < COUNT(kinds); i++) {
		struct bytes plain = { NULL, 0, 0 }, b = { NULL, 0, 0 };
		struct unik_layer_ref ref;
		struct unik_layer *l;
		struct unik_digest d;

		add_bytes(&plain, tar.p, n);
		add_bytes(&plain, tail, strlen(tail));
		pack_as(kinds[i], &b, plain.p, plain.size);
		ref = ref_of(b.p, b.size, 0);
		declare(&ref, &b, UNIK_SHA256);
		ok(refused_as(&ref, text, " is sha256"), "%s: %s",
		   unik_compression_name(kinds[i]), name);
		must(unik_sha256(plain.p, plain.size, &d, &err));
		ref.diff_id = d;
		if (strstr(text, "is sha256")) {
			must(load(&ref, &l));
			ok(whole(l) && l->size == plain.size &&
				   l->unended == (n < tar.size),
			   "and is taken where it is what was declared");
			unik_layer_free(l);
		}
		close(ref.fd);
		drop_bytes(&plain);
		drop_bytes(&b);
	}
}

static void test_tails(void)
{
	test_tail(tar.size, "behind the end", " is sha256",
		  "bytes behind the end of the tar");
	test_tail(tar.size - 512, "", " is sha256", "a zero block is missing");
	test_tail(tar.size - 1024, "", " is sha256",
		  "the tar is cut at the border of its last entry");
	test_tail(tar.size - 1024 - 512, "", "the tar ends inside an entry",
		  "the tar is cut inside an entry");
	test_tail(tar.size - 1024 - 511, "", "the tar ends inside an entry",
		  "and in the middle of a block");
}

/* Garbage behind the stream, and a stream that is cut, with right digests of
 * the blob. */
static void test_streams(void)
{
	size_t i;

	for (i = 1; i < COUNT(kinds); i++) {
		struct bytes b = { NULL, 0, 0 };
		struct unik_layer_ref ref;

		pack_as(kinds[i], &b, tar.p, tar.size);
		add_bytes(&b, "garbage", 7);
		ref = ref_of(b.p, b.size, 0);
		declare(&ref, &b, UNIK_SHA256);
		ok(refused(&ref, ""), "%s: garbage behind the stream",
		   unik_compression_name(kinds[i]));
		close(ref.fd);
		b.size -= 7 + 3;
		ref = ref_of(b.p, b.size, 0);
		declare(&ref, &b, UNIK_SHA256);
		ok(refused(&ref, ""), "%s: a cut stream",
		   unik_compression_name(kinds[i]));
		close(ref.fd);
		drop_bytes(&b);
	}
}

static void test_empty(void)
{
	size_t i;

	for (i = 0; i < COUNT(kinds); i++) {
		struct bytes b = { NULL, 0, 0 };
		struct unik_layer_ref ref;
		struct unik_layer *l;

		pack_as(kinds[i], &b, "", 0);
		ref = ref_of(b.p, b.size, 0);
		must(load(&ref, &l));
		ok(l->tree->nnodes == 1 && l->size == 0 && l->unended,
		   "%s: no bytes are an empty tree",
		   unik_compression_name(kinds[i]));
		unik_layer_free(l);
		close(ref.fd);
		drop_bytes(&b);
	}
}

static bool empty_dir(void)
{
	DIR *d = opendir(dir);
	int n = 0;

	while (d && readdir(d))
		n++;
	closedir(d);
	return n == 2;
}

int main(void)
{
	limits = default_limits();
	if (!mkdtemp(dir))
		die("mkdtemp");
	make_tar();
	test_good();
	test_undeclared();
	test_mismatches();
	test_tails();
	test_streams();
	test_empty();
	ok(empty_dir() && rmdir(dir) == 0, "no spool is left");
	mk_drop(&tar);
	return tap_done();
}
