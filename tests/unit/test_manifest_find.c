/* SPDX-License-Identifier: GPL-3.0-or-later */
/* manifest_find: which stack STORE[:NAME] means; links and names checked. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core.h"
#include "manifest_find.h"

static char top[] = "/tmp/unik-find-XXXXXX";
static struct unik_store *store;
static struct unik_limits limits;
static char stack_name[UNIK_IMAGE_NAME];
static struct unik_digest stack_digest;

static void put_stack(void)
{
	static char name[] = "app", empty[] = "", root[] = "/";
	struct unik_image image = {
		.kind = UNIK_SRC_LAYER, .name = name, .os = empty,
		.arch = empty, .variant = empty,
		.config = { .cwd = root, .user = empty },
	};
	struct unik_manifest m = { .source = &image, .target = "oci",
				   .format = "iso", .format_version = 1 };
	char *text;
	size_t n;

	must(unik_manifest_text(&m, &text, &n, &err));
	must(unik_sha256(text, n, &stack_digest, &err));
	unik_image_name(&stack_digest, "json", stack_name);
	must(unik_store_put(store, "stacks", stack_name, text, n, &err));
	free(text);
}

static void put_ref(const char *name, const char *target, const char *format)
{
	char ref[UNIK_REF_NAME], link[UNIK_IMAGE_NAME + 16];

	snprintf(link, sizeof(link), "../stacks/%s", stack_name);
	must(unik_ref_name(ref, name, target, format, &err));
	must(unik_store_link(store, "refs", ref, link, &err));
}

static const char *long_name(void)
{
	static char name[400];

	memset(name, 'n', sizeof(name) - 1);
	return name;
}

static void build(void)
{
	if (!mkdtemp(top))
		die("mkdtemp");
	must(unik_store_open(&store, top, true, &err));
	put_stack();
	put_ref("app:1", "oci", "iso");
	put_ref("app:1", "linux", "ext2");
	put_ref("reg/app:1", "linux", "ext2");
	put_ref("v1.2", "oci", "iso");
	put_ref("v1.2.oci.iso", "flat", "ext2");
	put_ref(long_name(), "oci", "iso");
}

static void test_find(void)
{
	static const struct {
		const char *name;
		size_t n;
		const char *first;
	} cases[] = {
		{ "app:1", 2, "app:1.linux.ext2.json" },
		{ "app:1.oci.iso", 1, "app:1.oci.iso.json" },
		{ "app:1.oci.iso.json", 1, "app:1.oci.iso.json" },
		{ "reg/app:1", 1, "reg%2Fapp:1.linux.ext2.json" },
		{ "reg%2Fapp:1", 1, "reg%2Fapp:1.linux.ext2.json" },
		{ "reg%2Fapp:1.linux.ext2", 1, "reg%2Fapp:1.linux.ext2.json" },
		{ "reg/app:1.linux", 1, "reg%2Fapp:1.linux.ext2.json" },
		{ "app:1.linux", 1, "app:1.linux.ext2.json" },
		{ "reg/app:1.linux.ext2", 1, "reg%2Fapp:1.linux.ext2.json" },
		{ "reg/app:1.linux.ext2.json", 1,
		  "reg%2Fapp:1.linux.ext2.json" },
		{ "v1.2", 1, "v1.2.oci.iso.json" },
		/* The file wins over the source of that name. */
		{ "v1.2.oci.iso", 1, "v1.2.oci.iso.json" },
		{ NULL, 6, "app:1.linux.ext2.json" },
	};
	struct unik_names refs;
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		must(unik_store_find(store, cases[i].name, &limits, &refs,
				     &err));
		ok(refs.n == cases[i].n &&
			   strcmp(refs.v[0], cases[i].first) == 0,
		   "%s: %zu", cases[i].name ? cases[i].name : "all", refs.n);
		unik_names_release(&refs);
	}
	must(unik_store_find(store, long_name(), &limits, &refs, &err));
	ok(refs.n == 1, "a name that was cut");
	unik_names_release(&refs);
}

static void test_none(void)
{
	static const char *const names[] = { "app", "app:1.linux.iso", "", "app:1.flat",
					     ".", "..", "../stacks", "1",
					     "app:1.oci.iso.json.json" };
	struct unik_names refs;
	size_t i;

	for (i = 0; i < COUNT(names); i++)
		ok(failed(unik_store_find(store, names[i], &limits, &refs,
					  &err), UNIK_EBAD, "has no stack"),
		   "none: '%s'", names[i]);
	ok(failed(unik_store_find_one(store, "app:1", &limits, &refs, &err),
		  UNIK_EUSAGE,
		  "'app:1.linux.ext2.json', 'app:1.oci.iso.json'"),
	   "several fit, they are listed");
	ok(unik_store_find_one(store, "v1.2", &limits, &refs, &err) == 0,
	   "one fits");
	unik_names_release(&refs);
	limits.members = 3;
	ok(failed(unik_store_find(store, NULL, &limits, &refs, &err),
		  UNIK_EBAD, "--max-members"), "too many");
	unik_limits_init(&limits);
}

static void test_follow(void)
{
	static const char *const targets[] = {
		"../../etc/passwd", "/etc/passwd", "../stacks/x.json",
		"../images/sha256-", "../stacks/",
	};
	struct unik_stored_manifest *s;
	struct unik_digest d;
	char other[UNIK_IMAGE_NAME], link[UNIK_IMAGE_NAME + 16];
	size_t i;

	must(unik_store_manifest(store, "app:1.oci.iso.json", &limits, &s, &d,
				 &err));
	ok(unik_digest_equal(&d, &stack_digest) &&
		   strcmp(s->m.source->name, "app") == 0, "a manifest");
	unik_stored_manifest_free(s);
	for (i = 0; i < COUNT(targets); i++) {
		must(unik_store_link(store, "refs", "bad", targets[i], &err));
		ok(failed(unik_store_manifest(store, "bad", &limits, &s, NULL,
					      &err), UNIK_EBAD,
			  "no link to a manifest"), "refused: %s", targets[i]);
	}
	must(unik_store_replace(store, "refs", "file", "x", 1, &err));
	ok(failed(unik_store_manifest(store, "file", &limits, &s, NULL, &err),
		  UNIK_EBAD, "no link to a manifest"), "a file");
	stack_digest.bytes[0] ^= 1;
	unik_image_name(&stack_digest, "json", other);
	snprintf(link, sizeof(link), "../stacks/%s", other);
	must(unik_store_link(store, "refs", "bad", link, &err));
	ok(failed(unik_store_manifest(store, "bad", &limits, &s, NULL, &err),
		  UNIK_EBAD, "has no"), "a link to nothing");
	must(unik_store_put(store, "stacks", other, "{}", 2, &err));
	ok(failed(unik_store_manifest(store, "bad", &limits, &s, NULL, &err),
		  UNIK_EBAD, "its sha256 is not its name"),
	   "another manifest under its name");
}

static void test_split(void)
{
	char with[64], *path;
	const char *name;

	must(unik_store_split(top, &path, &name, &err));
	ok(strcmp(path, top) == 0 && !name, "a store");
	free(path);
	snprintf(with, sizeof(with), "%s:app:1", top);
	must(unik_store_split(with, &path, &name, &err));
	ok(strcmp(path, top) == 0 && name && strcmp(name, "app:1") == 0,
	   "a store and a name with a colon");
	free(path);
	snprintf(with, sizeof(with), "%s/a:b", top);
	if (mkdir(with, 0700) < 0)
		die("mkdir");
	strcat(with, ":c");
	must(unik_store_split(with, &path, &name, &err));
	ok(strstr(path, "/a:b") && name && strcmp(name, "c") == 0,
	   "a colon in the path");
	with[strlen(with) - 2] = 0;
	rmdir(with);
	free(path);
	must(unik_store_split("/nowhere:x", &path, &name, &err));
	ok(strcmp(path, "/nowhere:x") == 0 && !name, "nothing is there");
	free(path);
}

static void remove_all(void)
{
	static const char *const dirs[] = { "images", "layers", "stacks",
					    "refs" };
	struct unik_names names;
	size_t i, k;

	for (i = 0; i < COUNT(dirs); i++) {
		must(unik_store_list(store, dirs[i], 100, &names, &err));
		for (k = 0; k < names.n; k++)
			unlinkat(unik_store_dir(store, dirs[i]), names.v[k], 0);
		unik_names_release(&names);
	}
	for (i = 0; i < COUNT(dirs); i++) {
		char path[64];

		snprintf(path, sizeof(path), "%s/%s", top, dirs[i]);
		rmdir(path);
	}
	unik_store_free(store);
	ok(rmdir(top) == 0, "nothing else was made");
}

int main(void)
{
	unik_limits_init(&limits);
	build();
	test_find();
	test_none();
	test_follow();
	test_split();
	remove_all();
	return tap_done();
}
