/* SPDX-License-Identifier: GPL-3.0-or-later */
/* convert: layers that are unpacked, and give their space back while they are
 * read for the last time, make the images that plain ones make; a layer may
 * stand twice, be linked to from above, and be read for two formats. */
#include "storetest.h"

#include "maketar.h"
#include "pack.h"

enum { BIG = 5 << 20, MOST = 4 };

static uint8_t noise[BIG + 64];

static void add_file(struct mk *t, const char *name, int shift, size_t n)
{
	mk_head(t, '0', name);
	mk_data(t, noise + shift, n);
}

static void make_lower(struct mk *t)
{
	add_file(t, "z", 1, BIG);
	add_file(t, "d/small", 2, 1000);
	add_file(t, "a", 3, BIG);
	mk_link(t, '1', "b", "a");
	mk_end(t);
}

/* Where the lower layer stands above this one again, `linked` keeps the lower
 * one's file and all else comes from above: two files, stored once. */
static void make_linking(struct mk *t)
{
	mk_link(t, '1', "linked", "a");
	add_file(t, "z", 9, BIG);
	mk_end(t);
}

static void make_hiding(struct mk *t)
{
	mk_file(t, "d/.wh.small", "");
	add_file(t, "d/other", 5, BIG);
	mk_end(t);
}

static void text_of(const struct mk *t, char text[UNIK_DIGEST_TEXT])
{
	struct unik_digest d;

	must(unik_sha256(t->p, t->size, &d, &err));
	unik_digest_text(&d, text);
}

/* What docker save would write. */
static void write_source(const char *path, const struct mk *const *layers,
			 size_t n, bool packed)
{
	char ids[MOST * (UNIK_DIGEST_TEXT + 4)] = "", names[256] = "";
	char config[1024], manifest[512], name[32], hex[UNIK_DIGEST_TEXT];
	struct mk all = { 0 };
	size_t i;
	int fd;

	for (i = 0; i < n; i++) {
		struct bytes gz = { NULL, 0, 0 };

		text_of(layers[i], hex);
		sprintf(ids + strlen(ids), "%s\"%s\"", i ? "," : "", hex);
		sprintf(name, "%zu.tar", i);
		sprintf(names + strlen(names), "%s\"%s\"", i ? "," : "", name);
		mk_head(&all, '0', name);
		if (packed) {
			add_gzip_as(&gz, layers[i]->p, layers[i]->size, 0,
				    Z_DEFAULT_STRATEGY, Z_NO_FLUSH, 0, NULL);
			mk_data(&all, gz.p, gz.size);
		} else {
			mk_data(&all, layers[i]->p, layers[i]->size);
		}
		drop_bytes(&gz);
	}
	sprintf(config, "{\"architecture\":\"amd64\",\"os\":\"linux\","
		"\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[%s]}}", ids);
	sprintf(manifest, "[{\"Config\":\"config.json\",\"RepoTags\":"
		"[\"app:1\"],\"Layers\":[%s]}]", names);
	mk_file(&all, "config.json", config);
	mk_file(&all, "manifest.json", manifest);
	mk_end(&all);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	must(unik_write_all(fd, all.p, all.size, &err));
	close(fd);
	mk_drop(&all);
}

static const char *const both[] = { "iso", "ext2" };

static int convert(const char *source, const char *store, const char *target,
		   const char *const *formats, size_t n)
{
	struct unik_convert_options opt;

	unik_convert_options_init(&opt);
	opt.source = source;
	opt.store = store;
	opt.formats = formats;
	opt.nformats = n;
	opt.target = target;
	opt.jobs = 2;
	return unik_convert(&opt, &err);
}

/* Images are named by their digests. */
static bool same_images(int n)
{
	DIR *d = opendir("packed/images");
	struct dirent *e;
	char path[300];
	bool same = d && names_in("plain/images") == n;

	while (same && (e = readdir(d))) {
		snprintf(path, sizeof(path), "plain/images/%s", e->d_name);
		same = access(path, R_OK) == 0;
		n -= e->d_name[0] != '.';
	}
	if (d)
		closedir(d);
	return same && n == 0;
}

static void test_target(const char *target, int nimages)
{
	must(convert("plain.tar", "plain", target, both, 2));
	ok(convert("packed.tar", "packed", target, both, 2) == 0 &&
	   same_images(nimages), "%s: %d images", target, nimages);
	err.msg[0] = 0;
	remove_tree("packed");
	ok(convert("packed.tar", "packed", target, both + 1, 1) == 0 &&
	   convert("packed.tar", "packed", target, both, 2) == 0 &&
	   same_images(nimages), "%s: ext2 is there already", target);
	remove_tree("packed");
	ok(convert("packed.tar", "packed", target, both, 1) == 0 &&
	   convert("packed.tar", "packed", target, both, 2) == 0 &&
	   same_images(nimages), "%s: iso is there already", target);
	remove_tree("packed");
	remove_tree("plain");
}

int main(void)
{
	struct mk lower = { 0 }, linking = { 0 }, hiding = { 0 };
	const struct mk *const linked[] = { &lower, &linking, &lower };
	const struct mk *const hidden[] = { &lower, &hiding, &lower };
	size_t i;

	for (i = 0; i < sizeof(noise); i++)
		noise[i] = (uint8_t)random_u64();
	make_lower(&lower);
	make_linking(&linking);
	make_hiding(&hiding);
	make_scratch();
	write_source("plain.tar", hidden, 3, false);
	write_source("packed.tar", hidden, 3, true);
	test_target("oci", 4);
	test_target("linux", 4);
	test_target("rumprun", 4);
	test_target("flat", 2);
	write_source("plain.tar", linked, 3, false);
	write_source("packed.tar", linked, 3, true);
	test_target("linux", 4);
	test_target("rumprun", 4);
	test_target("flat", 2);
	remove_scratch();
	mk_drop(&lower);
	mk_drop(&linking);
	mk_drop(&hiding);
	return tap_done();
}
