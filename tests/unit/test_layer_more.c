/* SPDX-License-Identifier: GPL-3.0-or-later */
/* layer: limits, failures of the host, progress, and what entries become. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

#include "layer_help.h"
#include "maketar.h"
#include "pack.h"
#include "treetext.h"

static int load(const struct unik_layer_ref *ref, struct unik_layer **layer)
{
	*layer = NULL;
	return unik_layer_load(layer, ref, &opt, &err);
}

/* A tar, plain and as gzip, is refused with these words. */
static void refuse(struct mk *t, enum unik_code code, const char *text)
{
	struct bytes b = { NULL, 0, 0 };
	struct unik_layer_ref plain = ref_of(t->p, t->size), packed;
	struct unik_layer *l;

	add_gzip(&b, t->p, t->size);
	packed = ref_of(b.p, b.size);
	ok(failed(load(&plain, &l), code, text) && !l, "plain: %s", text);
	ok(failed(load(&packed, &l), code, text) && !l, "gzip: %s", text);
	close(plain.fd);
	close(packed.fd);
	drop_bytes(&b);
	mk_drop(t);
}

static void test_limits(void)
{
	static char big[20000];
	struct mk t = { 0 };

	limits.layer_size = 10000;
	mk_head(&t, '0', "dir/big");
	mk_data(&t, big, sizeof(big));
	refuse(&t, UNIK_EBAD, "10000 bytes (--max-layer-size)");
	mk_pax(&t, 'x', PAX("GNU.sparse.size", "10001", "GNU.sparse.map",
			    "0,5"));
	mk_file(&t, "holes", "hello");
	refuse(&t, UNIK_EBAD, "'holes': files of more than 10000 bytes");
	mk_pax(&t, 'x', PAX("GNU.sparse.size", "9223372036854775807",
			    "GNU.sparse.map", "0,5"));
	mk_file(&t, "holes", "hello");
	refuse(&t, UNIK_EBAD, "'holes': files of more than 10000 bytes");
	limits = default_limits();
	limits.entries = 2;
	mk_file(&t, "a/b/c", "hello");
	refuse(&t, UNIK_EBAD, "'a/b/c': more than 2 entries");
	limits = default_limits();
}

/* It is the sum of all files that counts. */
static void test_sum(void)
{
	struct mk t = { 0 };
	int i;

	limits.layer_size = 1 << 20;
	for (i = 0; i < 3; i++) {
		mk_pax(&t, 'x', PAX("GNU.sparse.size", "400000",
				    "GNU.sparse.map", "0,1"));
		mk_file(&t, "f", "x");
	}
	refuse(&t, UNIK_EBAD, "'f': files of more than 1048576 bytes");
	limits = default_limits();
}

static void test_messages(void)
{
	struct mk t = { 0 };

	mk_file(&t, "../x", "hello");
	refuse(&t, UNIK_EBAD, "'../x': '..' leaves the root");
	mk_link(&t, '1', "h", "h");
	refuse(&t, UNIK_EBAD, "'h': hard link to itself");
	mk_link(&t, '2', "s", "");
	refuse(&t, UNIK_EBAD, "'s': symlink without a target");
	mk_head(&t, 'Z', "odd");
	refuse(&t, UNIK_EBAD, "'odd': unsupported entry type 'Z'");
	mk_raw(&t, "neither tar nor anything else", 29);
	refuse(&t, UNIK_EBAD, "not a tar header at byte 0");
}

static void test_open_links(void)
{
	struct mk t = { 0 };
	struct unik_layer_ref ref;
	struct unik_layer *l;

	mk_link(&t, '1', "h", "in/a/lower/layer");
	ref = ref_of(t.p, t.size);
	ok(load(&ref, &l) == 0 &&
		   failed(unik_tree_check_links(l->tree, &err), UNIK_EBAD,
			  "'h': hard link to 'in/a/lower/layer'"),
	   "a link to a lower layer is for the caller to judge");
	unik_layer_free(l);
	close(ref.fd);
	mk_drop(&t);
}

static void test_facts(void)
{
	struct mk t = { 0 };
	struct unik_layer_ref ref;
	struct unik_layer *l;

	mk_pax(&t, 'g', PAX("comment", "none"));
	mk_pax(&t, 'g', PAX("mtime", "12"));
	mk_file(&t, ".wh..wh.aufs", "");
	mk_file(&t, "f", "x");
	ref = ref_of(t.p, t.size);
	must(load(&ref, &l));
	ok(l->globals == 1 && l->unended && l->tree->counts.ignored == 1,
	   "global headers, a missing end and AUFS metadata are counted");
	unik_layer_free(l);
	close(ref.fd);
	mk_drop(&t);
}

/* ---- the host ---- */

struct seen {
	uint64_t bytes;
	int calls;
	volatile int *stop; /* set by the first call */
};

static void progress(void *data, uint64_t bytes)
{
	struct seen *s = data;

	s->bytes += bytes;
	s->calls++;
	if (s->stop)
		*s->stop = 1;
}

static void test_progress(void)
{
	static char big[3 << 20];
	struct seen seen = { 0 };
	volatile int stop = 0;
	struct mk t = { 0 };
	struct unik_layer_ref ref;
	struct unik_layer *l;

	mk_head(&t, '0', "big");
	mk_data(&t, big, sizeof(big));
	mk_end(&t);
	ref = ref_of(t.p, t.size);
	opt.progress = progress;
	opt.progress_data = &seen;
	must(load(&ref, &l));
	ok(seen.bytes > sizeof(big) - UNIK_CHUNK && seen.bytes <= t.size &&
		   seen.calls > 3,
	   "progress tells of the bytes as they come");
	unik_layer_free(l);
	seen = (struct seen){ .stop = &stop };
	opt.stop = &stop;
	ok(failed(load(&ref, &l), UNIK_EIO, "interrupted") && seen.calls < 3,
	   "the stop flag ends it soon");
	opt.progress = NULL;
	opt.stop = NULL;
	close(ref.fd);
	mk_drop(&t);
}

static void test_spool(void)
{
	struct rlimit old, now;
	struct mk t = { 0 };
	struct bytes b = { NULL, 0, 0 };
	struct unik_layer_ref plain, packed;
	struct unik_layer *l;
	int rc;

	mk_file(&t, "f", "x");
	mk_end(&t);
	add_zstd(&b, t.p, t.size);
	plain = ref_of(t.p, t.size);
	packed = ref_of(b.p, b.size);
	opt.spool_dir = "/nonexistent";
	ok(load(&plain, &l) == 0, "a plain layer needs no spool");
	unik_layer_free(l);
	ok(failed(load(&packed, &l), UNIK_EIO, "'/nonexistent'"),
	   "a compressed one does");
	opt.spool_dir = "/tmp";
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	now = old;
	now.rlim_cur = 0;
	setrlimit(RLIMIT_FSIZE, &now);
	rc = load(&packed, &l);
	setrlimit(RLIMIT_FSIZE, &old);
	ok(failed(rc, UNIK_EIO, "can't write") && err.sys == EFBIG,
	   "a spool that is full is no fault of the layer");
	close(plain.fd);
	ok(failed(load(&plain, &l), UNIK_EIO, "can't read") &&
		   err.sys == EBADF,
	   "nor is a file that can't be read");
	close(packed.fd);
	drop_bytes(&b);
	mk_drop(&t);
}

static void test_check(void)
{
	struct mk t = { 0 };
	struct bytes b = { NULL, 0, 0 };
	struct unik_digest blob, diff_id, tar, packed;
	struct unik_layer_ref ref;

	mk_file(&t, "f", "x");
	mk_end(&t);
	add_zstd(&b, t.p, t.size);
	must(unik_sha256(t.p, t.size, &tar, &err));
	must(unik_sha256(b.p, b.size, &packed, &err));
	ref = ref_of(b.p, b.size);
	must(unik_layer_check(&ref, &opt, &blob, &diff_id, &err));
	ok(unik_digest_equal(&blob, &packed) &&
		   unik_digest_equal(&diff_id, &tar),
	   "a check takes both digests");
	memset(&blob, 0, sizeof(blob));
	must(unik_layer_check(&ref, &opt, &blob, NULL, &err));
	ok(unik_digest_equal(&blob, &packed), "or that of the blob only");
	ref.has_blob_digest = true;
	ref.blob_digest = tar;
	ok(failed(unik_layer_check(&ref, &opt, &blob, NULL, &err), UNIK_EBAD,
		  "blob digest is "),
	   "which must be the declared one");
	ref.size++;
	ok(failed(unik_layer_check(&ref, &opt, &blob, NULL, &err), UNIK_EBAD,
		  "the file ends too early"),
	   "of so many bytes");
	close(ref.fd);
	mk_drop(&t);
	drop_bytes(&b);
}

static void test_check_stop(void)
{
	volatile int stop = 1;
	struct mk t = { 0 };
	struct bytes b = { NULL, 0, 0 };
	struct unik_digest blob, diff_id;
	struct unik_layer_ref plain, packed;

	mk_file(&t, "f", "x");
	mk_end(&t);
	add_zstd(&b, t.p, t.size);
	plain = ref_of(t.p, t.size);
	packed = ref_of(b.p, b.size);
	opt.stop = &stop;
	ok(failed(unik_layer_check(&plain, &opt, &blob, &diff_id, &err),
		  UNIK_EIO, "interrupted"), "the stop flag ends a check: plain");
	ok(failed(unik_layer_check(&packed, &opt, &blob, &diff_id, &err),
		  UNIK_EIO, "interrupted"), "zstd");
	ok(failed(unik_layer_check(&packed, &opt, &blob, NULL, &err),
		  UNIK_EIO, "interrupted"), "of the blob only");
	opt.stop = NULL;
	close(plain.fd);
	close(packed.fd);
	mk_drop(&t);
	drop_bytes(&b);
}

int main(void)
{
	limits = default_limits();
	test_limits();
	test_sum();
	test_messages();
	test_open_links();
	test_facts();
	test_progress();
	test_spool();
	test_check();
	test_check_stop();
	return tap_done();
}
