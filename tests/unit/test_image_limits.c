/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The image room: layers without an image, and limits. */
#include "imgtest.h"

#include <zlib.h>

static void test_bare(void)
{
	unsigned char out[4096];
	z_stream z = { 0 };

	reset();
	file("etc/passwd", "root");
	file("manifest.json", "{\"name\":\"a web application\"}");
	file("index.json", "{}");
	ok(open_as("", "", NULL) == 0 && image->kind == UNIK_SRC_LAYER &&
	   image->nlayers == 1 && !image->layers[0].has_diff_id &&
	   image->layers[0].size == tar_size + 1024 &&
	   !image->config_json, "a bare layer with files named like ours");
	ok(open_as("", ":x", NULL) < 0 && refused("no reference"),
	   "it has no reference: %s", err.msg);
	limits.members = 2;
	ok(open_as("", "", NULL) < 0 && refused("--max-members"),
	   "too many members: %s", err.msg);
	ok(open_as("layer:", "", NULL) == 0, "layer: does not look inside");
	reset();
	file("dir/oci-layout", LAYOUT);
	file("dir/index.json", "{}");
	ok(open_as("", "", NULL) == 0 && image->kind == UNIK_SRC_LAYER &&
	   strstr(warnings, "'dir/oci-layout'"), "a layout below a directory "
	   "is a layer with a warning: %s", warnings);
	reset();
	file("a", "");
	file("b", "");
	file("c", "");
	limits.members = 2;
	ok(open_as("", "", NULL) == 0 && image->kind == UNIK_SRC_LAYER,
	   "a bare layer may have more");
	grow(1024);
	deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
	z.next_in = tar;
	z.avail_in = (unsigned)tar_size;
	z.next_out = out;
	z.avail_out = sizeof(out);
	deflate(&z, Z_FINISH);
	tar_size = z.total_out;
	memcpy(tar, out, tar_size);
	deflateEnd(&z);
	/* open_as() adds zeros, which gzip data may not have behind it. */
	ok(open_as("layer:", "", NULL) == 0 &&
	   image->layers[0].size == tar_size + 1024,
	   "a compressed layer stays as it is");
	reset();
	ok(open_as("", "", NULL) == 0 && image->kind == UNIK_SRC_LAYER &&
	   image->layers[0].size == 1024, "the empty tar");
}

/* Limits that hold for the whole source, whatever is chosen. */
static void test_totals(void)
{
	const char *one, *list = "";
	int i;

	reset();
	one = blob(OCI_INDEX, index_of(text("%s,%s",
		platform_image("x", PLATFORM("linux", "amd64", "")),
		platform_image("a", PLATFORM("linux", "arm64", "")))), "");
	oci_archive(one);
	limits.manifests = 3;
	ok(opens("", NULL, "x"), "three manifests and indexes fit three");
	limits.manifests = 2;
	ok(open_as("", "", NULL) < 0 && refused("--max-manifests"),
	   "they do not fit two: %s", err.msg);
	reset();
	one = blob(OCI_INDEX, text("{\"manifests\":[],\"annotations\":{\"x\":"
				   "\"%04000d\"}}", 0), "");
	for (i = 0; i < 20; i++)
		list = text("%s%s,", list, one);
	oci_archive(text("%s%s", list, one_image(LINUX_AMD64, "L", "")));
	ok(opens("", NULL, "L"), "one document twenty times");
	limits.json_size = 4200;
	ok(open_as("", "", NULL) < 0 && refused("all its JSON together"),
	   "that is too much in all: %s", err.msg);
	reset();
	file("manifest.json", "[{\"Config\":\"c\",\"RepoTags\":[\"a:1\","
	     "\"a:2\",\"a:3\"]}]");
	file("c", config(LINUX_AMD64, ""));
	ok(open_as("", "", NULL) == 0, "three names");
	limits.manifests = 2;
	ok(open_as("", "", NULL) < 0 && refused("names of images"),
	   "too many: %s", err.msg);
}

static void test_limits(void)
{
	reset();
	oci_archive(one_image(LINUX_AMD64, "L", ""));
	limits.manifests = 0;
	ok(open_as("", "", NULL) < 0 && refused("--max-manifests"),
	   "manifests: %s", err.msg);
	limits.manifests = 1;
	limits.layers = 0;
	ok(open_as("", "", NULL) < 0 && refused("--max-layers"),
	   "layers: %s", err.msg);
	limits.layers = 1;
	limits.json_size = 100;
	ok(open_as("", "", NULL) < 0 && refused("--max-json-size"),
	   "JSON size: %s", err.msg);
	unik_limits_init(&limits);
	limits.members = 4;
	ok(open_as("", "", NULL) < 0 && refused("--max-members"),
	   "members: %s", err.msg);
	limits.members = 5;
	ok(opens("", NULL, "L"), "as many as allowed");
}

int main(void)
{
	test_bare();
	test_limits();
	test_totals();
	reset();
	return tap_done();
}
