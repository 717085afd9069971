/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The image room: manifest.json beside index.json, agreeing or not. */
#include "imgtest.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* Docker 25 and later: three layers, the first and the last are the same. */
static void both(const char *oci_layers, const char *docker_layers)
{
	const char *c = config(LINUX_AMD64, text("%s,%s,%s", id("1"), id("2"),
						 id("1")));

	file(blob_path("1"), "1");
	file(blob_path("2"), "2");
	file(blob_path("3"), "3");
	oci_archive(blob(OCI_MANIFEST, manifest(blob(OCI_CONFIG, c, ""),
						oci_layers), ref_name("n:1")));
	file("manifest.json", text("[{\"Config\":\"%s\",\"RepoTags\":["
				   "\"n:1\"],\"Layers\":[%s]}]", blob_path(c),
				   docker_layers));
}

static const char *oci_layer(const char *data)
{
	return desc(OCI_LAYER, data, "");
}

static const char *path(const char *data)
{
	return text("\"%s\"", blob_path(data));
}

static bool sizes_known(void)
{
	size_t i;

	for (i = 0; image && i < image->nlayers; i++)
		if (!image->layers[i].has_blob_digest ||
		    strcmp(image->layers[i].media_type, OCI_LAYER) != 0)
			return false;
	return image && image->nlayers == 3;
}

static void test_both(void)
{
	const char *order;

	reset();
	order = text("%s,%s,%s", path("1"), path("2"), path("1"));
	both(text("%s,%s,%s", oci_layer("1"), oci_layer("2"), oci_layer("1")),
	     order);
	ok(open_as("", "", NULL) == 0 && sizes_known() && !warnings[0] &&
	   image->kind == UNIK_SRC_DOCKER_ARCHIVE && image->manifest_json,
	   "both agree %s", err.msg);
	ok(open_as("oci-archive:", ":n:1", NULL) == 0 &&
	   image->kind == UNIK_SRC_OCI_ARCHIVE, "asked for as OCI");
	reset();
	order = text("%s,%s,%s", path("1"), path("2"), path("1"));
	both(text("%s,%s", oci_layer("2"), oci_layer("1")), order);
	ok(open_as("", "", NULL) == 0 && sizes_known() &&
	   strstr(warnings, "25.0.0") &&
	   unik_digest_equal(&image->layers[0].blob_digest,
			     &image->layers[0].diff_id) &&
	   unik_digest_equal(&image->layers[1].blob_digest,
			     &image->layers[1].diff_id),
	   "Docker 25.0.0's order: %s", warnings);
	reset();
	order = text("%s,%s,%s", path("1"), path("2"), path("1"));
	both(text("%s,%s,%s", oci_layer("1"), oci_layer("3"), oci_layer("1")),
	     order);
	open_as("", "", NULL);
	ok(refused("list different layers"), "another layer: %s", err.msg);
	reset();
	order = text("%s,%s,%s", path("1"), path("3"), path("1"));
	both(text("%s,%s", oci_layer("1"), oci_layer("1")), order);
	open_as("", "", NULL);
	ok(refused("list different layers"), "one layer more: %s", err.msg);
}

static void test_both_apart(void)
{
	const char *c;

	reset();
	c = config(LINUX_AMD64, "");
	oci_archive(one_image(LINUX_AMD64, "L", ref_name("n:1")));
	file(blob_path(c), c);
	file("manifest.json", text("[{\"Config\":\"%s\",\"RepoTags\":[\"n:1\"],"
				   "\"Layers\":[]}]", blob_path(c)));
	open_as("", "", NULL);
	ok(refused("different images by the name 'n:1'"), "%s", err.msg);
	ok(open_as("docker-archive:", "", NULL) == 0 && image->nlayers == 0 &&
	   open_as("oci-archive:", "", NULL) == 0 && image->nlayers == 1,
	   "either can be asked for");
	file("manifest.json", text("[{\"Config\":\"%s\",\"RepoTags\":null,"
				   "\"Layers\":[]}]", blob_path(c)));
	open_as("", "", NULL);
	ok(refused("'n:1' (linux/amd64), sha256:"), "untagged beside: %s",
	   err.msg);
	ok(open_as("", text(":%.12s", sha(c) + 7), NULL) == 0 &&
	   image->nlayers == 0, "an untagged one by its id");
	file(blob_path(c), text("%s\n", c));
	open_as("", text(":%.12s", sha(c) + 7), NULL);
	ok(!image, "not by an id that is not its own: %s", err.msg);
	file("manifest.json", " {\"a\":\"b\"}");
	ok(open_as("", "", NULL) == 0 && image->nlayers == 1 &&
	   strstr(warnings, "not Docker's"), "a file of that name only: %s",
	   warnings);
	reset();
	file("manifest.json", "[{\"Config\":\"sha256:" HEX64 "\",\"Layers\":["
	     "\"l.tar\"]}]");
	file("l.tar", "L");
	file("sha256:" HEX64, config(LINUX_AMD64, id("L")));
	ok(open_as("", "", NULL) == 0 && strstr(warnings, "has the digest"),
	   "a config that is not what its name says: %s", warnings);
}

int main(void)
{
	test_both();
	test_both_apart();
	reset();
	return tap_done();
}
