/* SPDX-License-Identifier: GPL-3.0-or-later */
/* layer: a plain layer, read in place by several threads, gives what the same
 * layer, compressed and read in one pass, gives. */
#define _GNU_SOURCE
#include <stdio.h>

#include "layer_help.h"
#include "maketar.h"
#include "pack.h"
#include "treedump.h"

/* Files of sizes around all that counts, with holes, twice the same name, in
 * an order that is not that of their names. */
static void make(struct mk *t)
{
	static const size_t sizes[] = {
		0, 1, 63, 64, 65, 511, 512, 513, 700, 4095, 4096, 4097,
		16 * 4096, UNIK_CHUNK - 1, UNIK_CHUNK, UNIK_CHUNK + 1,
		3 * UNIK_CHUNK + 77, (1 << 20) + 5,
	};
	static uint8_t data[(1 << 20) + 5];
	char name[64];
	size_t i, j;

	for (i = 0; i < 400; i++) {
		size_t n = i < 360 ? sizes[i % 13] : sizes[i % COUNT(sizes)];

		for (j = 0; j < n; j += 97)
			data[j] = (uint8_t)random_u64();
		if (i % 7 == 0)
			memset(data, 0, n);
		sprintf(name, "%c/%zu", (char)('a' + i * 5 % 11), i / 2);
		mk_head(t, '0', name);
		mk_data(t, data, n);
	}
	mk_end(t);
}

static int put(void *data, const char *text, size_t n, struct unik_err *e)
{
	(void)e;
	fwrite(text, 1, n, data);
	return 0;
}

/* All that there is to know of a tree, hole maps too. */
static char *tree_text(const struct unik_tree *tree)
{
	char *text;
	size_t n;
	FILE *f = open_memstream(&text, &n);
	uint32_t id, i;

	must(unik_treedump(tree, put, f, &err));
	for (id = 0; id < tree->ninodes; id++) {
		const struct unik_inode *inode = tree->inodes[id];

		if (inode->type != UNIK_FILE || !inode->content)
			continue;
		fprintf(f, "%u %d:", id, inode->content->holed);
		for (i = 0; i < inode->content->nextents; i++)
			fprintf(f, " %u+%u", inode->content->extents[i].block,
				inode->content->extents[i].nblocks);
		fputc('\n', f);
	}
	fclose(f);
	return text;
}

static char *text_of(const struct unik_layer_ref *ref, unsigned threads,
		     bool later)
{
	struct unik_layer *l;
	char *text;

	opt.threads = threads;
	opt.later = later;
	must(unik_layer_load(&l, ref, &opt, &err));
	text = tree_text(l->tree);
	must(unik_layer_settle(l, &err));
	must(unik_layer_settle(l, &err)); /* twice is once */
	unik_layer_free(l);
	return text;
}

static const unsigned lanes[] = { 0, 1, 2, 3, 12, 16 };

static void test_same(void)
{
	struct mk t = { 0 };
	struct bytes b = { NULL, 0, 0 };
	struct unik_layer_ref plain, packed;
	char *want, *got;
	unsigned n;

	make(&t);
	add_gzip(&b, t.p, t.size);
	plain = ref_of(t.p, t.size);
	packed = ref_of(b.p, b.size);
	want = text_of(&packed, 1, false);
	for (n = 0; n < 20; n++) {
		opt.lanes = lanes[n % COUNT(lanes)];
		got = text_of(&plain, n, n & 1);
		ok(strcmp(got, want) == 0, "%u threads, %u lanes%s", n,
		   opt.lanes, n & 1 ? ", settled later" : "");
		free(got);
	}
	opt.lanes = 0;
	free(want);
	close(plain.fd);
	close(packed.fd);
	mk_drop(&t);
	drop_bytes(&b);
}

/* The tree is there, and then the layer turns out to be another. */
static void test_settle(void)
{
	struct mk t = { 0 };
	struct unik_layer_ref ref;
	struct unik_layer *l;
	struct unik_digest d;

	make(&t);
	ref = ref_of(t.p, t.size);
	opt.threads = 2;
	opt.later = true;
	must(unik_sha256(t.p, t.size, &d, &err));
	ref.has_diff_id = true;
	ref.diff_id = d;
	must(unik_layer_load(&l, &ref, &opt, &err));
	ok(unik_layer_settle(l, &err) == 0 &&
	   unik_digest_equal(&l->diff_id, &d) &&
	   unik_digest_equal(&l->blob_digest, &d), "the declared digest");
	unik_layer_free(l);
	ref.diff_id.bytes[31] ^= 1;
	must(unik_layer_load(&l, &ref, &opt, &err));
	ok(failed(unik_layer_settle(l, &err), UNIK_EBAD, "diff_id is "),
	   "another one, when it is settled");
	unik_layer_free(l);
	must(unik_layer_load(&l, &ref, &opt, &err));
	unik_layer_free(l);
	ok(true, "nobody wants to know");
	opt.later = false;
	ok(failed(unik_layer_load(&l, &ref, &opt, &err), UNIK_EBAD,
		  "diff_id is "), "another one, at once");
	close(ref.fd);
	mk_drop(&t);
}

/* An image of n bytes is hashed in pieces, and some of the layer beside it. */
static bool beside_is_right(struct unik_layer *l, const uint8_t *image,
			    size_t n, bool whole)
{
	const struct unik_beside *b = unik_layer_beside(l);
	struct unik_lane lane;
	struct unik_digest got, want;
	size_t at = 0, m;
	bool good = true;

	if (!b) /* the processor gains nothing by it */
		return !unik_lanes_fast();
	must(unik_lane_init(&lane, &err));
	for (; at < n && good; at += m) {
		m = n - at < 100001 ? n - at : 100001;
		good = b->update(b->data, &lane, image + at, m, &err) == 0;
		if (!whole && at > n / 2)
			break; /* the sink has failed */
	}
	must(unik_lane_final(&lane, &got, &err));
	must(unik_sha256(image, at < n ? at + m : n, &want, &err));
	unik_lane_release(&lane);
	return good && unik_digest_equal(&got, &want);
}

/* Whoever takes which part of it, the layer's digest is the same. */
static void test_beside(void)
{
	static const size_t sizes[] = { 0, 1, 1 << 20, 20 << 20, 60 << 20 };
	uint8_t *image = calloc(1, sizes[COUNT(sizes) - 1]);
	struct mk t = { 0 };
	struct unik_layer_ref ref;
	struct unik_layer *l;
	atomic_uint cores;
	size_t i;

	make(&t);
	ref = ref_of(t.p, t.size);
	ref.has_diff_id = true;
	must(unik_sha256(t.p, t.size, &ref.diff_id, &err));
	opt.later = true;
	opt.threads = 2;
	opt.cores = &cores;
	for (i = 0; i < 4 * COUNT(sizes); i++) {
		size_t n = sizes[i / 4];

		cores = (unsigned)(i % 4);
		must(unik_layer_load(&l, &ref, &opt, &err));
		if (i & 1)
			cores = 1; /* others have come, or left */
		ok(beside_is_right(l, image, n, true) &&
		   beside_is_right(l, image, n, true) && /* a second format */
		   unik_layer_settle(l, &err) == 0,
		   "%zu bytes beside, %zu cores", n, i % 4);
		unik_layer_free(l);
		must(unik_layer_load(&l, &ref, &opt, &err));
		ok(beside_is_right(l, image, n, false),
		   "%zu bytes beside, then nobody wants to know", n);
		unik_layer_free(l);
	}
	opt.cores = NULL;
	close(ref.fd);
	mk_drop(&t);
	free(image);
}

/* What is in doubt is not read as a layer where it may be an image. */
static void test_doubt(void)
{
	static const struct {
		const char *name;
		char type;
		bool image;
	} cases[] = {
		{ "usr/bin/true", '0', false },
		{ "manifest.json", '0', true },
		{ "./manifest.json", '0', true },
		{ "manifest.json", '5', false },
		{ "etc/manifest.json", '0', false },
		{ "oci-layout", '0', true },
		{ "app/oci-layout", '0', true },
		{ "blobs/sha256/0", '0', true },
		{ "x/layer.tar", '0', true },
		{ "repositories", '0', true },
	};
	struct unik_layer *l;
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		struct mk t = { 0 };
		struct bytes b = { NULL, 0, 0 };
		struct unik_layer_ref ref;
		bool is_image = false;
		int rc;

		mk_head(&t, cases[i].type, cases[i].name);
		mk_end(&t);
		add_gzip(&b, t.p, t.size);
		ref = ref_of(b.p, b.size);
		ref.doubt = true;
		opt.is_image = &is_image;
		rc = unik_layer_load(&l, &ref, &opt, &err);
		ok(rc == (cases[i].image ? -1 : 0) &&
		   is_image == cases[i].image, "%s, type %c",
		   cases[i].name, cases[i].type);
		if (rc == 0)
			unik_layer_free(l);
		close(ref.fd);
		mk_drop(&t);
		drop_bytes(&b);
	}
}

int main(void)
{
	limits = default_limits();
	test_same();
	test_settle();
	test_beside();
	test_doubt();
	return tap_done();
}
