/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any allocation and any system call may fail while a container image is
 * written: what was there is whole, or what should be there is. */
#include "faults.h"

#include "faultimage.h"
#include "storetest.h"

static enum unik_pack_kind kind;
static const char *package;
static const char *compression;
static const char *target;

static int body(void)
{
	struct unik_convert_options opt;

	unik_convert_options_init(&opt);
	opt.source = "docker-archive:app.tar";
	opt.target = target;
	opt.jobs = 2;
	opt.pack.kind = kind;
	opt.pack.path = "out/new";
	opt.pack.ref = "x:1";
	opt.pack.package = package;
	opt.pack.compress = compression;
	return unik_convert(&opt, &err);
}

/* ---- what is there ---- */

static struct unik_hash look_hash;

static int compare(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Names and contents of a directory, a temporary being nothing good. */
static bool look_at(const char *path)
{
	static uint8_t buf[1 << 20];
	struct dirent **v;
	int n = scandir(path, &v, NULL, compare), i;
	bool good = true;

	for (i = 0; i < n; i++) {
		char name[512];
		struct stat st;
		int fd;
		size_t got;

		snprintf(name, sizeof(name), "%s/%s", path, v[i]->d_name);
		good &= strncmp(v[i]->d_name, ".unik-tmp", 9) != 0;
		if (v[i]->d_name[0] != '.' && stat(name, &st) == 0) {
			must(unik_hash_update(&look_hash, name, strlen(name),
					      &err));
			if (S_ISDIR(st.st_mode)) {
				good &= look_at(name);
			} else {
				fd = open(name, O_RDONLY | O_CLOEXEC);
				must(unik_read_full(fd, buf, sizeof(buf), &got,
						    &err));
				close(fd);
				must(unik_hash_update(&look_hash, buf, got,
						      &err));
			}
		}
		free(v[i]);
	}
	if (n >= 0)
		free(v);
	return good;
}

static bool look(struct unik_digest *all)
{
	bool good;

	must(unik_hash_init(&look_hash, UNIK_SHA256, &err));
	good = look_at("out");
	must(unik_hash_final(&look_hash, all, &err));
	unik_hash_release(&look_hash);
	return good;
}

/* ---- the loops ---- */

static struct unik_digest nothing, whole;
/* Neither: the last steps have no way back.  In an OCI directory blobs that
 * nothing refers to are no harm. */
static long odd;

static bool after(int rc)
{
	char msg[sizeof(err.msg)];
	struct unik_digest all;
	bool good = look(&all);

	memcpy(msg, err.msg, sizeof(msg));
	if (rc == 0)
		good &= unik_digest_equal(&all, &whole);
	else if (!unik_digest_equal(&all, &nothing) &&
		 !unik_digest_equal(&all, &whole) &&
		 (kind != UNIK_PACK_OCI_DIR ||
		  access("out/new/index.json", F_OK) == 0))
		odd++;
	good &= body() == 0 && look(&all) && unik_digest_equal(&all, &whole);
	memcpy(err.msg, msg, sizeof(msg));
	remove_tree("out");
	if (mkdir("out", 0755) < 0)
		die("mkdir");
	return good;
}

static void test(enum unik_pack_kind k, const char *how, const char *c,
		 const char *t, const char *what)
{
	const struct fault_test loops = { body, after };
	char text[80];

	kind = k;
	package = how;
	compression = c;
	target = t;
	remove_tree("out");
	if (mkdir("out", 0755) < 0)
		die("mkdir");
	look(&nothing);
	must(body());
	if (!look(&whole))
		die("look");
	remove_tree("out");
	if (mkdir("out", 0755) < 0)
		die("mkdir");
	sprintf(text, "%s: an allocation fails", what);
	fault_loop(&loops, FAULT_MEMORY, false, text);
	sprintf(text, "%s: a system call fails", what);
	odd = 0;
	fault_loop(&loops, FAULT_SYSTEM, false, text);
	ok(odd <= 3, "%s: %ld times the last steps were cut", what, odd);
	sprintf(text, "%s: a transfer is short", what);
	fault_loop(&loops, FAULT_SHORT, false, text);
}

int main(void)
{
	fault_init();
	make_scratch();
	write_source("app.tar");
	test(UNIK_PACK_DOCKER_ARCHIVE, "file", "none", "oci", "docker-archive");
	test(UNIK_PACK_OCI_ARCHIVE, "append", "zstd", "oci", "append, zstd");
	test(UNIK_PACK_OCI_DIR, "append", "gzip", "flat", "OCI directory");
	test(UNIK_PACK_OCI_DIR, "raw", NULL, "oci", "raw");
	remove_scratch();
	return tap_done();
}
