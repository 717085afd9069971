/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The image room: what is read, and what is chosen. */
#include "imgtest.h"

static void test_oci(void)
{
	const char *c, *m;
	char buf[UNIK_DIGEST_TEXT];

	reset();
	c = text("{" LINUX_AMD64 ",\"variant\":\"v2\",\"config\":{\"Env\":["
		 "\"A=1\",\"B=2\"],\"Cmd\":[\"sh\"],\"Entrypoint\":\"/init\","
		 "\"User\":\"9\",\"Labels\":{\"z\":\"1\",\"a\":\"\"}},"
		 "\"history\":[{\"created_by\":\"one\"},{\"empty_layer\":true,"
		 "\"created_by\":\"none\"},{\"created_by\":\"two\"}],"
		 "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[%s,%s]}}",
		 id("1"), id("2"));
	m = manifest(blob(OCI_CONFIG, c, ""),
		     text("%s,%s", blob(OCI_LAYER "+gzip", "first", ""),
			  blob(OCI_LAYER "+zstd", "second", "")));
	oci_archive(blob(OCI_MANIFEST, m, ref_name("app:1")));
	if (!ok(open_as("", "", NULL) == 0, "oci: opens %s", err.msg))
		return;
	ok(image->kind == UNIK_SRC_OCI_ARCHIVE &&
	   strcmp(image->name, "app:1") == 0, "oci: kind and name");
	ok(strcmp(image->os, "linux") == 0 &&
	   strcmp(image->arch, "amd64") == 0 &&
	   strcmp(image->variant, "v2") == 0, "oci: platform");
	ok(image->nlayers == 2 && layer_is(0, "first") && layer_is(1, "second"),
	   "oci: layers");
	ok(strcmp(unik_digest_text(&image->layers[1].diff_id, buf),
		  sha("2")) == 0 && image->layers[1].has_blob_digest &&
	   strcmp(unik_digest_text(&image->layers[1].blob_digest, buf),
		  sha("second")) == 0 &&
	   strcmp(image->layers[1].media_type, OCI_LAYER "+zstd") == 0,
	   "oci: digests and media type");
	ok(strcmp(image->layers[0].created_by, "one") == 0 &&
	   strcmp(image->layers[1].created_by, "two") == 0, "oci: history");
	ok(image->config.env.n == 2 && image->config.cmd.n == 1 &&
	   image->config.entrypoint.n == 1 &&
	   strcmp(image->config.entrypoint.v[0], "/init") == 0 &&
	   strcmp(image->config.cwd, "/") == 0 &&
	   strcmp(image->config.user, "9") == 0, "oci: config");
	ok(image->config.labels.n == 2 &&
	   strcmp(image->config.labels.v[0], "z=1") == 0 &&
	   strcmp(image->config.labels.v[1], "a=") == 0, "oci: labels");
	ok(image->config_size == strlen(c) &&
	   memcmp(image->config_json, c, strlen(c)) == 0 &&
	   image->manifest_size == strlen(m) &&
	   memcmp(image->manifest_json, m, strlen(m)) == 0 &&
	   strcmp(image->manifest_type, OCI_MANIFEST) == 0, "oci: raw bytes");
}

/* As Docker up to 24 saves it, with its quirks. */
static void docker_archive(const char *tags)
{
	const char *c = config(LINUX_AMD64, text("%s,%s,%s", id("one"),
						 id("two"), id("one")));

	file("./manifest.json",
	     text("[{\"Config\":\"%s.json\",\"RepoTags\":%s,\"Layers\":["
		  "\"a/layer.tar\",\"b/layer.tar\",\"c/layer.tar\"]}]",
		  sha(c) + 7, tags));
	member("c/layer.tar", '2', "../a/layer.tar", "", 0); /* a later one */
	member("./b/layer.tar", '1', "d/layer.tar", "", 0);
	member("./a/", '5', "", "", 0);
	file("./a/layer.tar", "one");
	file("d/layer.tar", "two");
	file(text("%s.json", sha(c) + 7), c);
}

static void test_docker(void)
{
	reset();
	docker_archive("null");
	ok(open_as("", "", NULL) == 0, "docker: opens %s", err.msg);
	ok(image && image->nlayers == 3 && layer_is(0, "one") &&
	   layer_is(1, "two") && layer_is(2, "one"),
	   "docker: links to later members, any order, './'");
	ok(image && !image->layers[0].has_blob_digest &&
	   image->kind == UNIK_SRC_DOCKER_ARCHIVE && !image->manifest_json,
	   "docker: a path is no digest");
	ok(open_as("", ":app:1", NULL) < 0 && refused("no image 'app:1'"),
	   "docker: no such tag: %s", err.msg);
	reset();
	docker_archive("[\"app:1\",\"app:2\"]");
	ok(open_as("", "", NULL) == 0 && strcmp(image->name, "app:1") == 0,
	   "docker: the first of several tags");
	ok(open_as("", ":2", NULL) == 0 && strcmp(image->name, "app:2") == 0,
	   "docker: the tag asked for");
	ok(open_as("docker-archive:", ":app:2", NULL) == 0, "docker: prefix");
	ok(open_as("oci-archive:", "", NULL) < 0 && refused("index.json"),
	   "docker is not oci: %s", err.msg);
	reset();
	docker_archive("[]");
	ok(open_as("", "", NULL) == 0, "docker: RepoTags is []");
	file("./manifest.json", "[]");
	ok(open_as("", "", NULL) < 0 && refused("lists none"),
	   "docker: the last of two members counts: %s", err.msg);
}

static void test_names(void)
{
	static const struct {
		const char *ref, *layer; /* NULL: none, "": several */
	} cases[] = {
		{ "bbml:1", "B" }, { "docker.io/library/bbml:1", "B" },
		{ "1", "B" }, { "web", "W" }, { "web:latest", "W" },
		{ "localhost:5000/team/web", "W" }, { "team/web", "W" },
		{ "v2", "V" }, { "bbml", NULL }, { "bbml:2", NULL },
		{ "eb", NULL }, { "library/bbml:1", NULL },
	};
	const char *entries, *b, *full;
	size_t i;

	reset();
	b = one_image(LINUX_AMD64, "B", ",\"annotations\":{"
		      "\"io.containerd.image.name\":\"docker.io/library/bbml"
		      ":1\",\"org.opencontainers.image.ref.name\":\"1\"}");
	entries = text("%s,%s,%s", b,
		       one_image(LINUX_AMD64, "W",
				 ref_name("localhost:5000/team/web")),
		       one_image(LINUX_AMD64, "V", ref_name("v2")));
	oci_archive(entries);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool good = opens(text(":%s", cases[i].ref), NULL,
				  cases[i].layer ? cases[i].layer : "");

		ok(cases[i].layer ? good : refused("no image"),
		   "reference '%s' %s", cases[i].ref, err.msg);
	}
	full = text("%.71s", strstr(b, "sha256:"));
	ok(opens(text(":%s", full), NULL, "B"), "whole digest");
	ok(opens(text(":x@%s", full), NULL, "B"), "name and digest");
	ok(opens(text(":%.12s", full + 7), NULL, "B"), "digits of a digest");
	ok(opens(text(":%.19s", full), NULL, "B"), "beginning of a digest");
	ok(!opens(text(":%.3s", full + 7), NULL, "B"), "three digits are few");
	ok(opens(text(":%.12s", sha(config(LINUX_AMD64, id("W"))) + 7), NULL,
		 "W"), "image id");
	ok(open_as("", "", NULL) < 0 &&
	   refused("'bbml:1' (linux/amd64), 'localhost:5000/team/web' "
		   "(linux/amd64), 'v2' (linux/amd64)"),
	   "several are listed: %s", err.msg);
	ok(open_as("", ":", NULL) < 0 && err.code == UNIK_EUSAGE,
	   "empty reference: %s", err.msg);
	reset();
	b = one_image(LINUX_AMD64, "B", ref_name("a"));
	oci_archive(text("%s,%s", b, one_image(LINUX_AMD64, "B",
					       ref_name("b"))));
	ok(opens("", NULL, "B") && opens(":b", NULL, "B") &&
	   strcmp(image->name, "b") == 0, "one manifest by two names is one");
}

static void test_platforms(void)
{
	static const struct {
		const char *want, *layer;
	} cases[] = {
		{ NULL, "x" }, { "linux/amd64", "x" }, { "linux/x86_64", "x" },
		{ "linux/arm64", "a" }, { "linux/aarch64/v8", "a" },
		{ "linux/arm", "7" }, { "linux/arm/v7", "7" },
		{ "linux/arm/v6", "6" }, { "linux/armel", "6" },
		{ "linux/arm/v5", NULL }, { "linux/386", NULL },
		{ "unknown/unknown", NULL },
	};
	size_t i;

	reset();
	oci_archive(text("%s,%s,%s,%s,%s",
		platform_image("u", PLATFORM("unknown", "unknown", "")),
		platform_image("6", PLATFORM("linux", "arm", "v6")),
		platform_image("7", PLATFORM("linux", "arm", "v7")),
		platform_image("a", PLATFORM("linux", "arm64", "v8")),
		platform_image("x", PLATFORM("linux", "amd64", ""))));
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool good = opens("", cases[i].want,
				  cases[i].layer ? cases[i].layer : "");

		ok(cases[i].layer ? good : refused("there is"),
		   "platform %s %s", cases[i].want ? cases[i].want : "(none)",
		   err.msg);
	}
	ok(image == NULL && !strstr(err.msg, "unknown/unknown ("),
	   "attestations are not listed");
	ok(open_as("", "", "amd64") < 0 && err.code == UNIK_EUSAGE,
	   "no platform: %s", err.msg);
	reset();
	oci_archive(text("%s,%s",
		platform_image("u", ",\"annotations\":{\"vnd.docker.reference."
			       "type\":\"attestation-manifest\"}"),
		one_image("\"os\":\"linux\",\"architecture\":\"riscv64\"", "r",
			  "")));
	ok(opens("", NULL, "r") && strcmp(image->arch, "riscv64") == 0,
	   "the only platform there is, told by its config");
	ok(!opens("", "linux/amd64", "r") && refused("linux/riscv64"),
	   "but not where another is asked for: %s", err.msg);
	reset();
	oci_archive(text("%s,%s",
		platform_image("a", PLATFORM("linux", "arm64", "")),
		platform_image("r", PLATFORM("linux", "riscv64", ""))));
	ok(open_as("", "", NULL) < 0 && refused("--platform"),
	   "several, none the usual: %s", err.msg);
}

/* Platforms of one name are one image; names are never guessed between. */
static void test_groups(void)
{
	const char *x, *y, *index;

	reset();
	index = index_of(text("%s,%s",
		platform_image("x", PLATFORM("linux", "amd64", "")),
		platform_image("a", PLATFORM("linux", "arm64", ""))));
	x = blob(OCI_INDEX, index_of(blob(OCI_INDEX, index, "")),
		 ref_name("one"));
	oci_archive(x);
	ok(opens("", NULL, "x") && strcmp(image->name, "one") == 0 &&
	   opens(":one", "linux/arm64", "a"), "nested indexes");
	y = platform_image("y", text(PLATFORM("linux", "arm64", "") "%s",
				     ref_name("two")));
	oci_archive(text("%s,%s", x, y));
	ok(open_as("", "", NULL) < 0 && refused("PATH:REF"),
	   "the usual platform does not decide between images: %s", err.msg);
	ok(opens("", "linux/amd64", "x"), "a platform that one has decides");
	ok(opens(":two", NULL, "y"), "and so does a reference");
	oci_archive(text("%s,%s",
		platform_image("x", text(PLATFORM("linux", "amd64", "") "%s",
					 ref_name("n"))),
		platform_image("a", text(PLATFORM("linux", "arm64", "") "%s",
					 ref_name("n")))));
	ok(opens("", NULL, "x") && opens(":n", "linux/arm64", "a"),
	   "two entries by one name are platforms of it");
	reset();
	x = config(LINUX_AMD64, id("same"));
	oci_archive(text("%s,%s",
		blob(OCI_MANIFEST, manifest(blob(OCI_CONFIG, x, ""),
			blob(OCI_LAYER "+gzip", "gz", "")), ref_name("n")),
		blob(OCI_MANIFEST, manifest(blob(OCI_CONFIG, x, ""),
			blob(OCI_LAYER "+zstd", "zst", "")), ref_name("n"))));
	ok(opens("", NULL, "gz"), "two manifests of one config are one image");
}

/* Docker 29 and containerd list platforms that they did not save. */
static void test_sparse_platforms(void)
{
	const char *gone, *half, *there;

	reset();
	gone = desc(OCI_MANIFEST, "{}", PLATFORM("linux", "s390x", ""));
	half = blob(OCI_MANIFEST,
		    manifest(desc(OCI_CONFIG, config("", id("h")), ""),
			     desc(OCI_LAYER, "h", "")),
		    PLATFORM("linux", "amd64", ""));
	there = platform_image("a", PLATFORM("linux", "arm64", ""));
	oci_archive(text("%s,%s,%s", gone, half, there));
	ok(opens("", NULL, "a") && strstr(warnings, "linux/amd64 is listed"),
	   "the platform that is there, with a warning: %s", warnings);
	ok(!opens("", "linux/amd64", "h") && refused("config sha256:") &&
	   strstr(err.msg, "is missing"), "manifest alone: %s", err.msg);
	ok(!opens("", "linux/s390x", "h") && refused("manifest sha256:"),
	   "not even the manifest: %s", err.msg);
	oci_archive(text("%s,%s", gone, half));
	ok(!opens("", NULL, "h") && refused("is missing"),
	   "nothing there: %s", err.msg);
}

static void test_data(void)
{
	const char *c, *m;

	reset();
	c = config(LINUX_AMD64, id("A"));
	/* "QQ==" is "A"; the config comes as a blob. */
	m = manifest(blob(OCI_CONFIG, c, ""),
		     desc(OCI_LAYER, "A", ",\"data\":\"QQ==\""));
	oci_archive(blob(OCI_MANIFEST, m, ""));
	ok(opens("", NULL, "A"), "a layer inside its descriptor %s", err.msg);
	oci_archive(blob(OCI_MANIFEST,
		manifest(desc(OCI_CONFIG, "{}", ",\"data\":\"e30=\""), ""),
		""));
	ok(open_as("", "", NULL) < 0 && refused("'rootfs' is missing"),
	   "a config inside its descriptor: %s", err.msg);
}

static void test_odd_documents(void)
{
	const char *c, *l;

	reset();
	c = config(LINUX_AMD64, id("L"));
	l = blob("application/vnd.docker.image.rootfs.diff.tar.gzip", "L", "");
	oci_archive(blob("application/vnd.docker.distribution.manifest.v2+json",
		text("{\"schemaVersion\":2,\"config\":%s,\"layers\":[%s]}",
		     blob("application/vnd.docker.container.image.v1+json", c,
			  ""), l), ""));
	ok(opens("", NULL, "L") && strstr(image->manifest_type, "docker"),
	   "schema 2 inside an OCI layout, no mediaType");
	reset();
	c = config("", "");
	oci_archive(blob(OCI_MANIFEST, text("{\"schemaVersion\":2,\"config\":"
		"%s,\"layers\":null}", blob(OCI_CONFIG, c, "")), ""));
	ok(open_as("", "", NULL) == 0 && image->nlayers == 0 &&
	   image->os[0] == 0, "no layers, no platform %s", err.msg);
	ok(open_as("", "", "linux/arm64") == 0,
	   "an unknown platform may be any");
	reset();
	file("manifest.json", "[{\"Config\":\"c.json\",\"Layers\":null}]");
	file("c.json", "{\"rootfs\":{\"type\":\"layers\"}}");
	ok(open_as("", "", NULL) == 0 && image->nlayers == 0,
	   "docker: no layers %s", err.msg);
	reset();
	member(text("blobs/sha512/%0128d", 0), '0', "", "x", 1);
	oci_archive(text("{\"mediaType\":\"" OCI_MANIFEST "\",\"size\":1,"
			 "\"digest\":\"sha512:%0128d\"}", 0));
	ok(open_as("", "", NULL) < 0 && refused("digest is sha512:"),
	   "sha512 is computed: %s", err.msg);
	reset();
	c = text("{" LINUX_AMD64 ",\"history\":[{},{},7],\"rootfs\":{\"type\":"
		 "\"layers\",\"diff_ids\":[%s]}}", id("L"));
	oci_archive(blob(OCI_MANIFEST, manifest(blob(OCI_CONFIG, c, ""),
		blob(OCI_LAYER, "L", "")), ""));
	ok(opens("", NULL, "L") && image->layers[0].created_by[0] == 0,
	   "the history is advice");
	reset();
	oci_archive(one_image("\"os\":\"linux\",\"architecture\":\"arm\"", "L",
			      PLATFORM("linux", "amd64", "")));
	ok(opens("", NULL, "L") && strstr(warnings, "linux/arm") &&
	   strcmp(image->arch, "arm") == 0, "platforms differ: %s", warnings);
	reset();
	file("index.json", index_of(one_image(LINUX_AMD64, "L", "")));
	ok(opens("", NULL, "L") && strstr(warnings, "oci-layout"),
	   "no oci-layout: %s", warnings);
}

static void test_links(void)
{
	const char *c, *m, *l;

	reset();
	c = config(LINUX_AMD64, id("L"));
	m = manifest(desc(OCI_CONFIG, c, ""), desc(OCI_LAYER, "L", ""));
	oci_archive(desc(OCI_MANIFEST, m, ""));
	member("blobs/sha256", '2', "../store", "", 0);
	l = text("store/%s", sha("L") + 7);
	member(l, '2', "../real/./layer", "", 0);
	member("real", '2', "deep/inside", "", 0);
	file("deep/inside/layer", "L");
	file(text("store/%s", sha(c) + 7), c);
	member(text("store/%s", sha(m) + 7), '1', "m", "", 0);
	file("m", m);
	ok(opens("", NULL, "L"), "linked blobs and directories %s", err.msg);
}

int main(void)
{
	test_oci();
	test_docker();
	test_names();
	test_platforms();
	test_groups();
	test_sparse_platforms();
	test_data();
	test_odd_documents();
	test_links();
	reset();
	return tap_done();
}
