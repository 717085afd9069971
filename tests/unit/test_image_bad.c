/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The image room: what is refused, each with its own message. */
#include "imgtest.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* ---- documents of an OCI layout ---- */

struct document {
	const char *what;
	const char *json;
	const char *want;
};

static const struct document layouts[] = {
	{ "empty", "", "'oci-layout': empty" },
	{ "no object", "[]", "imageLayoutVersion" },
	{ "no version", "{}", "imageLayoutVersion is not '1.0.0'" },
	{ "unknown version", "{\"imageLayoutVersion\":\"2.0.0\"}",
	  "imageLayoutVersion is not '1.0.0'" },
};

static const struct document indexes[] = {
	{ "empty", "", "'index.json': empty" },
	{ "null", "null", "'index.json': not an object" },
	{ "an array", "[]", "'index.json': not an object" },
	{ "trailing junk", "{\"manifests\":[]}x", "follows" },
	{ "no manifests", "{\"schemaVersion\":2}", "lists none" },
	{ "manifests null", "{\"manifests\":null}", "lists none" },
	{ "manifests empty", "{\"manifests\":[]}", "lists none" },
	{ "manifests a string", "{\"manifests\":\"x\"}", "'manifests' is not" },
	{ "an entry null", "{\"manifests\":[null]}", "not an object" },
	{ "a duplicate key", "{\"manifests\":[],\"manifests\":[]}", "twice" },
	{ "also a manifest", "{\"manifests\":[],\"layers\":[]}", "ambiguous" },
	{ "also a config", "{\"manifests\":[],\"config\":{}}", "ambiguous" },
	{ "a manifest", "{\"config\":{},\"layers\":[]}", "not an index" },
	{ "version 1", "{\"schemaVersion\":1}", "not an index" },
	{ "version 3", "{\"schemaVersion\":3,\"manifests\":[]}",
	  "schemaVersion 3" },
	{ "version by words", "{\"schemaVersion\":\"2\",\"manifests\":[]}",
	  "'schemaVersion'" },
	{ "calls itself a manifest", "{\"mediaType\":\"" OCI_MANIFEST "\","
	  "\"manifests\":[]}", "'mediaType' is not that of its content" },
	{ "no digest", "{\"manifests\":[{\"size\":1}]}",
	  "'digest' is missing" },
	{ "no size", "{\"manifests\":[{\"digest\":\"sha256:" HEX64 "\"}]}",
	  "'size' is missing" },
	{ "size negative", "{\"manifests\":[{\"digest\":\"sha256:" HEX64 "\","
	  "\"size\":-1}]}", "'size' is negative" },
	{ "size fractional", "{\"manifests\":[{\"digest\":\"sha256:" HEX64 "\","
	  "\"size\":1.5}]}", "whole number" },
	{ "size huge", "{\"manifests\":[{\"digest\":\"sha256:" HEX64 "\","
	  "\"size\":18446744073709551616}]}", "out of range" },
	{ "digest short", "{\"manifests\":[{\"digest\":\"sha256:abcd\","
	  "\"size\":1}]}", "is not a sha256" },
	{ "digest upper case", "{\"manifests\":[{\"digest\":\"sha256:ABCDEF0123"
	  "456789abcdef0123456789abcdef0123456789abcdef0123456789\","
	  "\"size\":1}]}", "is not a sha256" },
	{ "digest a path", "{\"manifests\":[{\"digest\":\"sha256:../../../etc/"
	  "passwd\",\"size\":1}]}", "is not a sha256" },
	{ "digest md5", "{\"manifests\":[{\"digest\":\"md5:00\",\"size\":1}]}",
	  "is not a sha256" },
	{ "digest a number", "{\"manifests\":[{\"digest\":1}]}",
	  "'digest' is not a string" },
	{ "platform a string", "{\"manifests\":[{\"digest\":\"sha256:" HEX64
	  "\",\"size\":1,\"platform\":\"linux\"}]}", "'platform' is not" },
	{ "os a number", "{\"manifests\":[{\"digest\":\"sha256:" HEX64
	  "\",\"size\":1,\"platform\":{\"os\":1}}]}", "'os' is not" },
	{ "data not base64", "{\"manifests\":[{\"digest\":\"sha256:" HEX64
	  "\",\"size\":1,\"data\":\"!!!!\"}]}", "'data' is not base64" },
	{ "data of another size", "{\"manifests\":[{\"digest\":\"sha256:" HEX64
	  "\",\"size\":1,\"data\":\"QUE=\"}]}", "'data' is of 2 bytes" },
	{ "data of another digest", "{\"manifests\":[{\"digest\":\"sha256:"
	  HEX64 "\",\"size\":1,\"data\":\"QQ==\"}]}", "'data': digest is" },
	{ "absent manifest", "{\"manifests\":[{\"digest\":\"sha256:" HEX64
	  "\",\"size\":1,\"mediaType\":\"" OCI_MANIFEST "\"}]}",
	  "manifest sha256:" HEX64 " is missing" },
	{ "absent index", "{\"manifests\":[{\"digest\":\"sha256:" HEX64
	  "\",\"size\":1,\"mediaType\":\"" OCI_INDEX "\"}]}", "is missing" },
	{ "unknown media type", "{\"manifests\":[{\"digest\":\"sha256:" HEX64
	  "\",\"size\":1,\"mediaType\":\"text/plain\"}]}",
	  "neither an index nor a manifest: 'text/plain'" },
	{ "schema 1", "{\"manifests\":[{\"digest\":\"sha256:" HEX64
	  "\",\"size\":1,\"mediaType\":\"application/vnd.docker.distribution."
	  "manifest.v1+prettyjws\"}]}", "Docker schema 1" },
};

static void test_top_documents(void)
{
	size_t i;

	for (i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
		reset();
		file("index.json", index_of(one_image(LINUX_AMD64, "L", "")));
		file("oci-layout", layouts[i].json);
		open_as("", "", NULL);
		ok(refused(layouts[i].want), "oci-layout is %s: %s",
		   layouts[i].what, err.msg);
	}
	for (i = 0; i < sizeof(indexes) / sizeof(indexes[0]); i++) {
		reset();
		file("oci-layout", LAYOUT);
		file("index.json", indexes[i].json);
		open_as("", "", NULL);
		ok(refused(indexes[i].want), "index.json: %s: %s",
		   indexes[i].what, err.msg);
	}
}

/* In these %s is a good config's, then a good layer's descriptor. */
static const struct document manifests[] = {
	{ "no JSON", "%.0s%.0s<html>", "bad JSON" },
	{ "no config", "%.0s{\"layers\":[%s]}", "'config' is missing" },
	{ "config a string", "%.0s%.0s{\"config\":\"x\",\"layers\":[]}",
	  "not an object" },
	{ "layers a string", "{\"config\":%s%.0s,\"layers\":\"x\"}",
	  "'layers' is not an array" },
	{ "layer null", "{\"config\":%s%.0s,\"layers\":[null]}", "layer 0:" },
	{ "too few layers", "{\"config\":%s%.0s,\"layers\":[]}",
	  "1 diff_ids, but the manifest has 0 layers" },
	{ "too many layers", "{\"config\":%s,\"layers\":[%s,{\"digest\":"
	  "\"sha256:" HEX64 "\",\"size\":1,\"mediaType\":\"" OCI_LAYER "\"}]}",
	  "layer 1: blob sha256:" HEX64 " is missing" },
	{ "foreign layer absent", "{\"config\":%s%.0s,\"layers\":[{\"digest\":"
	  "\"sha256:" HEX64 "\",\"size\":1,\"urls\":[\"https://x.invalid/\"],"
	  "\"mediaType\":\"application/vnd.docker.image.rootfs.foreign.diff."
	  "tar.gzip\"}]}", "non-distributable blob" },
	{ "layer encrypted", "{\"config\":%s%.0s,\"layers\":[{\"digest\":"
	  "\"sha256:" HEX64 "\",\"size\":1,\"mediaType\":\"" OCI_LAYER
	  "+gzip+encrypted\"}]}", "layer 0 is encrypted" },
	{ "layer squashfs", "{\"config\":%s%.0s,\"layers\":[{\"digest\":"
	  "\"sha256:" HEX64 "\",\"size\":1,\"mediaType\":\"application/vnd."
	  "oci.image.layer.squashfs\"}]}",
	  "is not a tar of a root filesystem" },
	{ "layer size negative", "{\"config\":%s%.0s,\"layers\":[{\"digest\":"
	  "\"sha256:" HEX64 "\",\"size\":-5,\"mediaType\":\"" OCI_LAYER "\"}]}",
	  "'size' is negative" },
	{ "also an index", "{\"config\":%s,\"layers\":[%s],\"manifests\":[]}",
	  "ambiguous" },
	{ "an index", "%.0s%.0s{\"manifests\":[]}", "not a manifest" },
	{ "schema 1", "%.0s%.0s{\"schemaVersion\":1,\"fsLayers\":[]}",
	  "Docker schema 1" },
	{ "duplicate keys", "{\"config\":%s,\"layers\":[%s],\"layers\":[]}",
	  "twice" },
};

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
static const char *fill(const char *fmt, const char *a, const char *b)
{
	char *s;

	if (asprintf(&s, fmt, a, b) < 0)
		abort();
	return kept[nkept++] = s;
}
#pragma GCC diagnostic pop

static void test_manifests(void)
{
	size_t i;

	for (i = 0; i < sizeof(manifests) / sizeof(manifests[0]); i++) {
		const char *c, *l;

		reset();
		c = config(LINUX_AMD64, id("L"));
		l = blob(OCI_LAYER, "L", "");
		oci_archive(blob(OCI_MANIFEST,
				 fill(manifests[i].json,
				      blob(OCI_CONFIG, c, ""), l), ""));
		open_as("", "", NULL);
		ok(refused(manifests[i].want), "manifest: %s: %s",
		   manifests[i].what, err.msg);
	}
}

static const struct document configs[] = {
	{ "no JSON", "x", "bad JSON" },
	{ "null", "null", "not an object" },
	{ "no rootfs", "{" LINUX_AMD64 "}", "'rootfs' is missing" },
	{ "rootfs a list", "{\"rootfs\":[]}", "'rootfs' is not an object" },
	{ "rootfs of another type", "{\"rootfs\":{\"type\":\"layers+base\","
	  "\"diff_ids\":[]}}", "'rootfs.type' is not 'layers'" },
	{ "no diff_ids", "{\"rootfs\":{\"type\":\"layers\"}}",
	  "0 diff_ids, but the manifest has 1 layers" },
	{ "diff_ids a string", "{\"rootfs\":{\"diff_ids\":\"x\"}}",
	  "'diff_ids' is not an array" },
	{ "diff_id a number", "{\"rootfs\":{\"diff_ids\":[1]}}",
	  "'diff_ids[0]' is not a string" },
	{ "diff_id malformed", "{\"rootfs\":{\"diff_ids\":[\"sha256:00\"]}}",
	  "'diff_ids[0]': 'sha256:00'" },
	{ "Windows", "{\"os\":\"windows\",\"architecture\":\"amd64\","
	  "\"rootfs\":{\"diff_ids\":[\"sha256:" HEX64 "\"]}}",
	  "a Windows image" },
	{ "os a number", "{\"os\":1}", "'os' is not a string" },
	{ "config a string", "{\"config\":\"x\",\"rootfs\":{}}",
	  "'config' is not an object" },
	{ "Env an object", "{\"config\":{\"Env\":{}},\"rootfs\":{\"diff_ids\":"
	  "[\"sha256:" HEX64 "\"]}}", "'Env' is not an array" },
	{ "Env of numbers", "{\"config\":{\"Env\":[1]},\"rootfs\":{"
	  "\"diff_ids\":[\"sha256:" HEX64 "\"]}}", "'Env[0]' is not a string" },
	{ "label a number", "{\"config\":{\"Labels\":{\"a\":1}},\"rootfs\":{"
	  "\"diff_ids\":[\"sha256:" HEX64 "\"]}}", "a label is not a string" },
	{ "User a number", "{\"config\":{\"User\":0},\"rootfs\":{\"diff_ids\":"
	  "[\"sha256:" HEX64 "\"]}}", "'User' is not a string" },
};

static void test_configs(void)
{
	size_t i;

	for (i = 0; i < sizeof(configs) / sizeof(configs[0]); i++) {
		const char *l;

		reset();
		l = blob(OCI_LAYER, "L", "");
		oci_archive(blob(OCI_MANIFEST,
			manifest(blob(OCI_CONFIG, configs[i].json, ""), l),
			""));
		open_as("", "", NULL);
		ok(refused(configs[i].want), "config: %s: %s",
		   configs[i].what, err.msg);
	}
	reset();
	oci_archive(blob(OCI_MANIFEST,
		manifest(blob("application/vnd.cncf.helm.config.v1+json",
			      "{}", ""), blob("application/x", "L", "")), ""));
	open_as("", "", NULL);
	ok(refused("an artifact without a root filesystem"), "%s", err.msg);
}

/* A byte of a document or of a declared size differs. */
static void test_digests(void)
{
	const char *c, *m;

	reset();
	c = config(LINUX_AMD64, "");
	m = manifest(desc(OCI_CONFIG, c, ""), "");
	file(blob_path(c), text("%s ", c));
	oci_archive(blob(OCI_MANIFEST, m, ""));
	open_as("", "", NULL);
	ok(refused("declared are"), "config longer than declared: %s", err.msg);
	reset();
	c = config(LINUX_AMD64, "");
	m = manifest(desc(OCI_CONFIG, c, ""), "");
	file(blob_path(c), text("[%s", c + 1));
	oci_archive(blob(OCI_MANIFEST, m, ""));
	open_as("", "", NULL);
	ok(refused("digest is sha256:"), "config changed: %s", err.msg);
	reset();
	m = manifest(blob(OCI_CONFIG, config(LINUX_AMD64, ""), ""), "");
	file(blob_path(m), text("[%s", m + 1));
	oci_archive(desc(OCI_MANIFEST, m, ""));
	open_as("", "", NULL);
	ok(refused("digest is sha256:"), "manifest changed: %s", err.msg);
	reset();
	m = index_of(one_image(LINUX_AMD64, "L", ""));
	file(blob_path(m), text("[%s", m + 1));
	oci_archive(desc(OCI_INDEX, m, ""));
	open_as("", "", NULL);
	ok(refused("index sha256:"), "nested index changed: %s", err.msg);
	reset();
	oci_archive(blob(OCI_MANIFEST,
		manifest(blob(OCI_CONFIG, config(LINUX_AMD64, id("L")), ""),
			 text("{\"mediaType\":\"" OCI_LAYER "\",\"digest\":"
			      "\"%s\",\"size\":2}", sha("L"))), ""));
	file(blob_path("L"), "L");
	open_as("", "", NULL);
	ok(refused("has 1 bytes, declared are 2"), "layer size: %s", err.msg);
}

/* ---- members and paths ---- */

static void docker_with(const char *config_path, const char *layer)
{
	const char *c = config(LINUX_AMD64, id("L"));

	file("manifest.json", text("[{\"Config\":\"%s\",\"Layers\":[\"%s\"]}]",
				   config_path, layer));
	file("c.json", c);
	file("l.tar", "L");
	member("dir", '5', "", "", 0);
	member("null", '3', "", "", 0);
	member("up", '2', "../l.tar", "", 0);
	member("abs", '2', "/l.tar", "", 0);
	member("a", '2', "b", "", 0);
	member("b", '2', "a", "", 0);
	member("self", '1', "self", "", 0);
	member("dangling", '2', "nothing", "", 0);
	member("dir/good", '2', "../l.tar", "", 0);
}

static void test_paths(void)
{
	static const struct document cases[] = {
		{ "absolute", "/l.tar", "an absolute path" },
		{ "upwards", "../l.tar", "'..' leaves the root" },
		{ "far upwards", "x/../../etc/passwd", "'..' leaves the root" },
		{ "empty", "", "is not a regular file" },
		{ "a directory", "dir", "is not a regular file" },
		{ "a device", "null", "is not a regular file" },
		{ "a link out of it", "up", "leaves the source" },
		{ "an absolute link", "abs", "leaves the source" },
		{ "a loop", "a", "links form a loop" },
		{ "a hard link to itself", "self", "links form a loop" },
		{ "a dangling link", "dangling", "is missing" },
		{ "absent", "nothing", "'nothing' is missing" },
		{ "below a file", "l.tar/x", "is missing" },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		reset();
		docker_with("c.json", cases[i].json);
		open_as("", "", NULL);
		ok(refused(cases[i].want), "layer path is %s: %s",
		   cases[i].what, err.msg);
		reset();
		docker_with(cases[i].json, "l.tar");
		open_as("", "", NULL);
		ok(refused(cases[i].want), "config path is %s: %s",
		   cases[i].what, err.msg);
	}
	reset();
	docker_with("dir/../c.json", "dir/good");
	ok(open_as("", "", NULL) == 0, "paths that stay inside are good %s",
	   err.msg);
	file("../../evil", "x");
	open_as("", "", NULL);
	ok(refused("'../../evil' is no path"), "a member that leaves: %s",
	   err.msg);
}

static const struct document docker[] = {
	{ "empty", "", "empty" },
	{ "null", "null", "'manifest.json' is not an array" },
	{ "a string", "\"x\"", "'manifest.json' is not an array" },
	{ "an object", "{}", "'manifest.json' is not an array" },
	{ "a dir: copy", "{\"schemaVersion\":2}", "'dir:'" },
	{ "no image", "[]", "lists none" },
	{ "an entry null", "[null]", "'manifest.json[0]': not an object" },
	{ "no Config", "[{\"Layers\":[]}]", "'Config' is missing" },
	{ "Config a number", "[{\"Config\":1}]", "'Config' is not a string" },
	{ "Layers a string", "[{\"Config\":\"c\",\"Layers\":\"l\"}]",
	  "'Layers' is not an array" },
	{ "Layers of numbers", "[{\"Config\":\"c.json\",\"Layers\":[1]}]",
	  "'Layers[0]' is not a string" },
	{ "RepoTags a string", "[{\"Config\":\"c\",\"RepoTags\":\"t\"}]",
	  "'RepoTags' is not an array" },
	{ "RepoTags of numbers", "[{\"Config\":\"c\",\"RepoTags\":[1]}]",
	  "'RepoTags[0]' is not a string" },
	{ "count of layers", "[{\"Config\":\"c.json\",\"Layers\":[]}]",
	  "1 diff_ids, but the manifest has 0 layers" },
	{ "LayerSources a list", "[{\"Config\":\"c.json\",\"Layers\":[\"l.tar\""
	  "],\"LayerSources\":[]}]", "'LayerSources' is not an object" },
};

static void test_docker(void)
{
	size_t i;

	for (i = 0; i < sizeof(docker) / sizeof(docker[0]); i++) {
		reset();
		docker_with("", "");
		file("x/layer.tar", "");
		file("manifest.json", docker[i].json);
		open_as("", "", NULL);
		ok(refused(docker[i].want), "manifest.json: %s: %s",
		   docker[i].what, err.msg);
	}
	reset();
	file("repositories", "{}");
	file("x/layer.tar", "");
	open_as("", "", NULL);
	ok(refused("Docker before 1.10"), "v1 only: %s", err.msg);
	reset();
	file("x/layer.tar", "");
	open_as("", "", NULL);
	ok(refused("neither 'manifest.json' nor"), "cut before its end: %s",
	   err.msg);
	reset();
	file(blob_path("x"), "x");
	open_as("", "", NULL);
	ok(refused("neither 'manifest.json' nor"), "so for OCI: %s", err.msg);
}

int main(void)
{
	test_top_documents();
	test_manifests();
	test_configs();
	test_digests();
	test_paths();
	test_docker();
	reset();
	return tap_done();
}
