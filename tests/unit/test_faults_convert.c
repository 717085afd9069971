/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any allocation and any system call may fail while an image is converted: the
 * store stays whole, and the next run gives what it should. */
#include "faults.h"

#include "faultimage.h"
#include "storetest.h"

static struct unik_digest want;

/* ---- what a store holds ---- */

static char names[64][512];
static int nnames;

static int take_name(const char *path, const struct stat *st, int flag,
		     struct FTW *ftw)
{
	(void)flag;
	(void)ftw;
	if (!S_ISDIR(st->st_mode) && nnames < 64)
		snprintf(names[nnames++], sizeof(names[0]), "%s", path);
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void content_of(const char *path, struct unik_digest *d)
{
	static char buf[1 << 20];
	ssize_t link = readlink(path, buf, sizeof(buf));
	int fd = link < 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	size_t n = link < 0 ? 0 : (size_t)link;

	if (link < 0)
		must(unik_read_full(fd, buf, sizeof(buf), &n, &err));
	if (fd >= 0)
		close(fd);
	must(unik_sha256(buf, n, d, &err));
}

/* Names and contents; false where a file is not what its name says, a link
 * leads nowhere, or a temporary is left. */
static bool look(struct unik_digest *all)
{
	struct unik_digest d;
	struct unik_hash h;
	char hex[UNIK_DIGEST_TEXT];
	bool whole = true;
	int i;

	nnames = 0;
	nftw("st", take_name, 16, FTW_PHYS);
	qsort(names, (size_t)nnames, sizeof(names[0]), compare);
	must(unik_hash_init(&h, UNIK_SHA256, &err));
	for (i = 0; i < nnames; i++) {
		content_of(names[i], &d);
		must(unik_hash_update(&h, names[i], strlen(names[i]), &err));
		must(unik_hash_update(&h, d.bytes, 32, &err));
		unik_digest_hex(&d, hex);
		if (strncmp(names[i], "st/images/", 10) == 0 ||
		    strncmp(names[i], "st/stacks/", 10) == 0)
			whole &= strncmp(names[i] + 17, hex, 64) == 0;
		whole &= access(names[i], R_OK) == 0 &&
			 !strstr(names[i], ".unik-tmp");
		if (!whole) {
			printf("# %s\n", names[i]);
			break;
		}
	}
	must(unik_hash_final(&h, all, &err));
	unik_hash_release(&h);
	return whole;
}

/* ---- converting ---- */

static const char *const formats[] = { "iso", "ext2" };
static const char *target = "oci";

static int body(void)
{
	struct unik_convert_options opt;

	unik_convert_options_init(&opt);
	opt.source = "docker-archive:app.tar";
	opt.store = "st";
	opt.formats = formats;
	opt.nformats = 2;
	opt.target = target;
	opt.jobs = 2;
	return unik_convert(&opt, &err);
}

static bool begun; /* the store is not empty before the run */

/* The store is whole; where the run did not fail, or with one more that does
 * not, it holds what it should. */
static bool after(int rc)
{
	struct unik_digest all;
	char msg[sizeof(err.msg)];
	bool good = look(&all);

	memcpy(msg, err.msg, sizeof(msg));
	if (rc == 0)
		good &= unik_digest_equal(&all, &want);
	if (rc != 0 && !begun && strstr(msg, "out of memory"))
		good &= names_in("st") == -1 || nnames > 0;
	good &= body() == 0 && look(&all) && unik_digest_equal(&all, &want);
	memcpy(err.msg, msg, sizeof(msg));
	if (!begun)
		remove_tree("st");
	return good;
}

static void test_target(const char *name, bool more)
{
	const struct fault_test t = { body, after };
	char what[64];

	target = name;
	remove_tree("st");
	must(body());
	if (!look(&want))
		die("look");
	begun = false;
	remove_tree("st");
	sprintf(what, "%s: an allocation fails", name);
	fault_loop(&t, FAULT_MEMORY, false, what);
	sprintf(what, "%s: a system call fails", name);
	fault_loop(&t, FAULT_SYSTEM, false, what);
	if (!more)
		return;
	sprintf(what, "%s: all allocations fail from there on", name);
	fault_loop(&t, FAULT_MEMORY, true, what);
	sprintf(what, "%s: all system calls do", name);
	fault_loop(&t, FAULT_SYSTEM, true, what);
	sprintf(what, "%s: a transfer is short", name);
	fault_loop(&t, FAULT_SHORT, false, what);
	sprintf(what, "%s: a transfer is interrupted", name);
	fault_loop(&t, FAULT_EINTR, false, what);
	begun = true;
	must(body());
	sprintf(what, "%s, it is there: an allocation fails", name);
	fault_loop(&t, FAULT_MEMORY, false, what);
	sprintf(what, "%s, it is there: a system call fails", name);
	fault_loop(&t, FAULT_SYSTEM, false, what);
}

int main(void)
{
	fault_init();
	make_scratch();
	write_source("app.tar");
	test_target("oci", true);
	test_target("flat", false);
	remove_scratch();
	return tap_done();
}
