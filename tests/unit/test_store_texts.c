/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is written into a store, to the byte: manifests, records, the names of
 * references; and records that are damaged. */
#include "storetest.h"

#include "manifest.h"
#include "record.h"

#define HEX(c) c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c

static struct unik_digest digest_of(int byte, enum unik_algo algo)
{
	struct unik_digest d = { algo, { 0 } };

	memset(d.bytes, byte, algo == UNIK_SHA512 ? 64 : 32);
	return d;
}

static char *mut(const char *s)
{
	return (char *)(uintptr_t)s;
}

static bool same_text(const char *got, size_t n, const char *want)
{
	bool same = n == strlen(want) && memcmp(got, want, n) == 0;

	if (!same)
		printf("# got:  %.*s# want: %s", (int)n, got, want);
	return same;
}

/* ---- the manifest ---- */

static const char manifest[] =
	"{\"schema\":\"unik.stack.v1\",\"tool\":\"unik 9\","
	"\"source\":{\"name\":\"app:1\",\"kind\":\"docker-archive\","
	"\"config_digest\":\"sha256:" HEX("c0") "\"},"
	"\"platform\":\"linux/arm/v7\","
	"\"config\":{\"entrypoint\":[],\"cmd\":[\"sh\",\"a \\\"b\\\"\\n\"],"
	"\"env\":[\"A=\xc3\xa4\"],\"cwd\":\"/\",\"user\":\"\"},"
	"\"target\":\"linux\",\"format\":\"ext2\",\"format_version\":1,"
	"\"options\":{\"block_size\":1024},"
	"\"layers\":[{\"diff_id\":\"sha256:" HEX("d1") "\","
	"\"blob_digest\":\"sha512:" HEX("b1") HEX("b1") "\","
	"\"blob_size\":10,\"size\":18446744073709551615,"
	"\"media_type\":\"application/x\","
	"\"entries\":{\"file\":1,\"dir\":2,\"symlink\":3,\"hardlink\":4,"
	"\"device\":5,\"fifo\":6},\"whiteouts\":7,\"opaque\":8,"
	"\"losses\":{\"xattr\":9,\"time\":10,\"rdev\":11,\"name\":12}}],"
	"\"stack\":[{\"image\":\"sha256:" HEX("a1") "\",\"size\":4096,"
	"\"tree_digest\":\"sha256:" HEX("e1") "\",\"layers\":[0]}]}\n";

static void fill_layer(struct unik_layer_facts *f)
{
	memset(f, 0, sizeof(*f));
	f->diff_id = digest_of(0xd1, UNIK_SHA256);
	f->blob_digest = digest_of(0xb1, UNIK_SHA512);
	f->blob_size = 10;
	f->entries = (struct unik_entry_counts){ 1, 2, 3, 4, 5, 6 };
	f->whiteouts = 7;
	f->opaque = 8;
	f->losses = (struct unik_loss_counts){ 9, 10, 11, 12 };
}

static void test_manifest(void)
{
	char *cmd[] = { mut("sh"), mut("a \"b\"\n") }, *env[] = { mut("A=ä") };
	struct unik_layer_ref ref = { .media_type = mut("application/x") };
	struct unik_layer_facts layer;
	struct unik_stack_image image = { .first = 0, .last = 0 };
	struct unik_image source = {
		.kind = UNIK_SRC_DOCKER_ARCHIVE, .name = mut("app:1"),
		.os = mut("linux"), .arch = mut("arm"), .variant = mut("v7"),
		.has_config_digest = true,
		.config_digest = digest_of(0xc0, UNIK_SHA256),
		.config = { .cmd = { cmd, 2 }, .env = { env, 1 } },
		.layers = &ref, .nlayers = 1,
	};
	struct unik_manifest m = {
		.tool = "unik 9", .source = &source, .target = "linux",
		.format = "ext2", .format_version = 1, .block_size = 1024,
		.layers = &layer, .nlayers = 1, .stack = &image, .nstack = 1,
	};
	char *text;
	size_t n;

	fill_layer(&layer);
	layer.size = UINT64_MAX;
	image.facts.image = digest_of(0xa1, UNIK_SHA256);
	image.facts.size = 4096;
	image.facts.tree_digest = digest_of(0xe1, UNIK_SHA256);
	must(unik_manifest_text(&m, &text, &n, &err));
	ok(same_text(text, n, manifest), "a manifest, to the byte");
	free(text);
}

/* ---- names of references ---- */

static void test_refs(void)
{
	static const struct {
		const char *name, *ref;
	} cases[] = {
		{ "app", "app.oci.iso.json" },
		{ "app:1", "app:1.oci.iso.json" },
		{ "app:1.oci.iso", "app:1.oci.iso.oci.iso.json" },
		{ "reg.example:5000/a/b@sha256:0",
		  "reg.example:5000%2Fa%2Fb@sha256:0.oci.iso.json" },
		{ "a%2Fb", "a%252Fb.oci.iso.json" },
		{ ".hidden", "%2Ehidden.oci.iso.json" },
		{ "..", "%2E..oci.iso.json" },
		{ "../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd.oci.iso.json" },
		{ "-", "-.oci.iso.json" },
		{ "a b\n\xff", "a%20b%0A%FF.oci.iso.json" },
		{ "A+B_c-d", "A+B_c-d.oci.iso.json" },
	};
	char ref[UNIK_REF_NAME];
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		must(unik_ref_name(ref, cases[i].name, "oci", "iso", &err));
		ok(strcmp(ref, cases[i].ref) == 0, "name %zu: %s", i, ref);
	}
}

/* Long names are cut, and stay different. */
static void test_long_refs(void)
{
	char name[1000], a[UNIK_REF_NAME], b[UNIK_REF_NAME];
	bool good = true;
	size_t n;
	int c;

	for (c = 0; c < 2; c++) {
		for (n = 1; n < sizeof(name); n++) {
			memset(name, c ? '/' : 'n', n);
			name[n] = 0;
			must(unik_ref_name(a, name, "rumprun", "ext2", &err));
			name[n - 1] = 'x';
			must(unik_ref_name(b, name, "rumprun", "ext2", &err));
			good &= strlen(a) < 256 && strcmp(a, b) != 0 &&
				!strchr(a, '/') &&
				strstr(a, ".rumprun.ext2.json");
		}
	}
	ok(good, "names of 1 to 999 bytes fit a file's name, none like another");
}

/* ---- records ---- */

static const char record[] =
	"{\"schema\":\"unik.layer.v1\","
	"\"diff_id\":\"sha256:" HEX("d1") "\","
	"\"blob_digest\":\"sha512:" HEX("b1") HEX("b1") "\","
	"\"image\":\"sha256:" HEX("a1") "\","
	"\"tree_digest\":\"sha256:" HEX("e1") "\","
	"\"blob_size\":10,\"size\":2560,\"whiteouts\":7,\"opaque\":8,"
	"\"ignored\":0,\"unended\":0,\"globals\":0,"
	"\"image_size\":5,"
	"\"entries\":{\"file\":1,\"dir\":2,\"symlink\":3,\"hardlink\":4,"
	"\"device\":5,\"fifo\":6},"
	"\"losses\":{\"xattr\":9,\"time\":10,\"rdev\":11,\"name\":12},"
	"\"check\":\"sha256:8cd691a2019ecbe5d66936b1cce3c5c8"
	"5921a160098c38f0121f2b24340432b8\"}\n";

static struct unik_record sample(void)
{
	struct unik_record r;

	memset(&r, 0, sizeof(r));
	fill_layer(&r.layer);
	r.layer.size = 2560;
	r.image.image = digest_of(0xa1, UNIK_SHA256);
	r.image.size = 5;
	r.image.tree_digest = digest_of(0xe1, UNIK_SHA256);
	return r;
}

static void test_record(void)
{
	const struct unik_record r = sample();
	char *text;
	size_t n;

	must(unik_record_text(&r, &text, &n, &err));
	ok(same_text(text, n, record), "a record, to the byte");
	free(text);
}

static int get(const struct unik_store *s, struct unik_record *r)
{
	const struct unik_limits limits = default_limits();

	return unik_record_get(s, "x.iso-v1", "iso", &limits, r, &err);
}

/* One kind of damage after the other: none is more than "not there". */
static void test_damage(void)
{
	static const char *const texts[] = {
		"", "{}", "[]", "null", "{\"schema\":\"unik.layer.v1\"}\n",
		"{\"schema\":\"unik.layer.v2\"}", "\xff\xfe", "{", "\n",
	};
	const struct unik_record r = sample();
	struct unik_store *s = open_store("st");
	struct unik_record back;
	char image[UNIK_IMAGE_NAME];
	size_t i;

	ok(get(s, &back) == 1, "no record");
	must(unik_record_put(s, "x.iso-v1", "iso", &r, &err));
	ok(get(s, &back) == 1, "a record whose image is not there");
	unik_image_name(&r.image.image, "iso", image);
	must(unik_store_put(s, "images", image, "12345", 5, &err));
	ok(get(s, &back) == 0 && memcmp(&back, &r, sizeof(r)) == 0,
	   "with its image it is found");
	must(unik_store_replace(s, "images", image, "1234", 4, &err));
	ok(get(s, &back) == 1, "an image of another size is another");
	must(unik_store_replace(s, "images", image, "12345", 5, &err));
	for (i = 0; i < COUNT(texts); i++) {
		must(unik_store_replace(s, "layers", "x.iso-v1.json", texts[i],
					strlen(texts[i]), &err));
		ok(get(s, &back) == 1, "damage %zu is not taken", i);
	}
	must(unik_record_put(s, "x.iso-v1", "iso", &r, &err));
	ok(get(s, &back) == 0, "a new record mends it");
	unik_store_free(s);
	remove_tree("st");
}

int main(void)
{
	make_scratch();
	test_manifest();
	test_refs();
	test_long_refs();
	test_record();
	test_damage();
	remove_scratch();
	return tap_done();
}
