/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mutate_store: damages stores and sources and asks whether verify sees it; TAP
 * without numbers.
 *
 *   mutate_store store SEED N STORE SOURCE    files, links, names and modes of
 *                                 the store: every damage fails
 *   mutate_store source SEED N STORE ARCHIVE  bytes of a plain archive: what
 *                                 changes a member that the image is made of
 *                                 fails, of the source alone and of the store
 *   mutate_store layout SEED N STORE DIR      the same for the files of an OCI
 *                                 directory
 * The store and the directory are whole again afterwards.
 */
#include "mutation.h"

#include <ftw.h>

#include "digest.h"

/* ---- a file, and its state before ---- */

struct saved {
	char path[4096];
	struct stat st;
	struct bytes bytes; /* of a regular file */
	char target[4096];  /* of a symlink */
};

static struct saved *files;
static size_t nfiles;
static const char *store_path;

static int save_one(const char *path, const struct stat *st, int type,
		    struct FTW *ftw)
{
	struct saved *s;
	ssize_t n;

	(void)ftw;
	if (type != FTW_F && type != FTW_SL && type != FTW_SLN)
		return 0;
	files = realloc(files, (nfiles + 1) * sizeof(*files));
	if (!files)
		die("realloc");
	s = &files[nfiles++];
	memset(s, 0, sizeof(*s));
	snprintf(s->path, sizeof(s->path), "%s", path);
	s->st = *st;
	if (S_ISREG(st->st_mode)) {
		s->bytes = bytes_read(path);
		return 0;
	}
	n = readlink(path, s->target, sizeof(s->target) - 1);
	return n < 0 ? -1 : 0;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct saved *)a)->path,
		      ((const struct saved *)b)->path);
}

static void save_all(const char *dir)
{
	if (nftw(dir, save_one, 16, FTW_PHYS) != 0 || nfiles == 0)
		die(dir);
	qsort(files, nfiles, sizeof(*files), by_path);
}

static void put_file(const char *path, const struct bytes *b, unsigned mode)
{
	int fd;

	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		die(path);
	bytes_write(fd, b);
	if (fchmod(fd, (mode_t)mode) < 0)
		die(path);
	close(fd);
}

static void restore(const struct saved *s)
{
	if (S_ISREG(s->st.st_mode)) {
		put_file(s->path, &s->bytes, s->st.st_mode & 07777);
		return;
	}
	unlink(s->path);
	if (symlink(s->target, s->path) < 0)
		die(s->path);
}

/* ---- damage to stores ---- */

static void make_link(const char *target, const char *path)
{
	unlink(path);
	if (symlink(target, path) < 0)
		die(path);
}

/* A file that does not belong there, whose path is put into `extra`. */
static void add_extra(const struct saved *s, char extra[4200])
{
	static const char *const names[] = {
		"extra", ".unik-tmp-0123456789abcdef0123456789abcdef",
		"sha256-00.iso", "\x1b[31m\n", "x.oci.iso.json"
	};
	const struct bytes nothing = { NULL, 0 };
	const char *slash = strrchr(s->path, '/');
	const char *name = names[random_below(5)];

	snprintf(extra, 4200, "%.*s/%s", (int)(slash - s->path), s->path, name);
	put_file(extra, &nothing, 0444);
	snprintf(doing, sizeof(doing), "extra file beside %.300s", s->path);
}

static void damage_file(const struct saved *s, unsigned kind)
{
	static const unsigned modes[] = { 0644, 0555, 0464, 04444, 0446 };
	struct bytes bad;

	if (kind == 0) {
		chmod(s->path, modes[random_below(5)]);
		snprintf(doing, sizeof(doing), "mode of %.300s", s->path);
	} else if (kind == 1) {
		make_link("/dev/null", s->path);
		snprintf(doing, sizeof(doing), "%.300s a link", s->path);
	} else {
		bad = damage(&s->bytes, s->path);
		put_file(s->path, &bad, s->st.st_mode & 07777);
		free(bad.p);
	}
}

static void damage_link(const struct saved *s, unsigned kind)
{
	const struct bytes text = { (uint8_t *)(uintptr_t)s->target,
				    strlen(s->target) };
	struct bytes bad;
	const struct saved *other;

	if (kind == 0) {
		put_file(s->path, &text, 0444);
		snprintf(doing, sizeof(doing), "%.300s a file", s->path);
		return;
	}
	if (kind == 1) { /* where another one points */
		do
			other = &files[random_below(nfiles)];
		while (!S_ISLNK(other->st.st_mode) ||
		       strcmp(other->target, s->target) == 0);
		make_link(other->target, s->path);
		snprintf(doing, sizeof(doing), "%.300s to %.150s", s->path,
			 other->target);
		return;
	}
	do {
		bad = damage(&text, s->path);
		bad.p = realloc(bad.p, bad.n + 1);
		if (!bad.p)
			die("realloc");
		bad.p[bad.n] = 0;
		if (bad.p[0] == 0 || strcmp((char *)bad.p, s->target) == 0) {
			free(bad.p);
			bad.p = NULL;
		}
	} while (!bad.p);
	make_link((char *)bad.p, s->path);
	free(bad.p);
}

/* "STORE:NAME" of a reference that is gone; the store itself is whole without
 * it, so only who asks for the name can miss it. */
static const char *lost_name(const struct saved *s, char buf[8192])
{
	const char *slash = strrchr(s->path, '/');

	snprintf(buf, 8192, "%s:%s", store_path, slash + 1);
	return buf;
}

static void try_store(const struct saved *s, const char *source)
{
	bool ref = strstr(s->path, "/refs/") != NULL;
	unsigned kind = (unsigned)random_below(12);
	char extra[4200] = "", name[8192];
	const char *target = store_path;
	struct answer a;

	if (kind == 0) {
		add_extra(s, extra);
	} else if (kind == 1) {
		unlink(s->path);
		snprintf(doing, sizeof(doing), "%.300s gone", s->path);
		if (ref)
			target = lost_name(s, name);
	} else if (S_ISREG(s->st.st_mode)) {
		damage_file(s, kind - 2);
	} else {
		damage_link(s, kind - 2);
	}
	a = ask(target, source, false);
	expect(a.rc == 0 && a.counts.fail > 0, "not seen");
	if (extra[0])
		unlink(extra);
	restore(s);
}

static int damage_store(size_t n, const char *source)
{
	char text[256];
	struct answer a;
	size_t i;

	save_all(store_path);
	snprintf(doing, sizeof(doing), "%s", store_path);
	a = ask(store_path, source, false);
	expect(a.rc == 0 && a.counts.fail == 0, "undamaged, it fails");
	for (i = 0; i < n; i++)
		try_store(&files[random_below(nfiles)], source);
	a = ask(store_path, source, false);
	expect(a.rc == 0 && a.counts.fail == 0, "it is not whole again");
	snprintf(text, sizeof(text), "%zu damages to the %zu files and links "
		 "of a store are seen", n, nfiles);
	result(text);
	return 0;
}

/* ---- damage to archives ---- */

#define MEMBERS 64

struct member {
	char name[101];
	struct unik_digest digest;
};

/* A small reader of tars of its own: ustar, regular members, nothing else. */
static bool list_members(const struct bytes *b, struct member *m, size_t *n)
{
	size_t at = 0;

	*n = 0;
	while (at + 512 <= b->n && b->p[at] != 0 && *n < MEMBERS) {
		char size_text[13] = "", *end;
		size_t size;

		memcpy(size_text, b->p + at + 124, 12);
		size = strtoul(size_text, &end, 8);
		if (end == size_text || size > b->n - at - 512)
			return false;
		memset(&m[*n], 0, sizeof(*m));
		memcpy(m[*n].name, b->p + at, 100);
		if (unik_sha256(b->p + at + 512, size, &m[*n].digest, &err) < 0)
			die("sha256");
		++*n;
		at += 512 + (size + 511) / 512 * 512;
	}
	return true;
}

/* Whether all that the image is made of is there as before. */
static bool same_members(const struct member *a, size_t na,
			 const struct bytes *b)
{
	struct member m[MEMBERS];
	size_t n, i, j;

	if (!list_members(b, m, &n))
		return false;
	for (i = 0; i < na; i++) {
		for (j = 0; j < n; j++)
			if (strcmp(a[i].name, m[j].name) == 0)
				break;
		if (j == n || !unik_digest_equal(&a[i].digest, &m[j].digest))
			return false;
	}
	return true;
}

static int damage_source(size_t n, const char *path)
{
	struct bytes good = bytes_read(path), bad;
	int fd = memfd_create("source", 0);
	struct member members[MEMBERS];
	size_t nmembers, i, benign = 0;
	char source[64], text[256];
	struct answer alone, both;

	if (!list_members(&good, members, &nmembers) || nmembers < 3)
		die("it is no plain archive");
	snprintf(source, sizeof(source), "docker-archive:/proc/self/fd/%d", fd);
	for (i = 0; i < n; i++) {
		bad = damage(&good, "the source");
		bytes_write(fd, &bad);
		alone = ask(source, NULL, false);
		both = ask(store_path, source, false);
		if (same_members(members, nmembers, &bad)) {
			benign++;
		} else {
			expect(alone.rc < 0 || alone.counts.fail > 0 ||
			       both.counts.fail > 0, "not seen");
			expect(both.rc < 0 || both.counts.fail > 0,
			       "not seen in the store");
		}
		free(bad.p);
	}
	snprintf(text, sizeof(text), "%zu damages to an archive are seen, %zu "
		 "change nothing in its members", n - benign, benign);
	result(text);
	close(fd);
	free(good.p);
	return 0;
}

static int damage_layout(size_t n, const char *dir)
{
	char source[4200], text[256];
	size_t i, done = 0;
	struct answer a;

	snprintf(source, sizeof(source), "oci:%s", dir);
	save_all(dir);
	for (i = 0; i < n; i++) {
		const struct saved *s = &files[random_below(nfiles)];
		struct bytes bad;

		if (!strstr(s->path, "/blobs/"))
			continue;
		bad = damage(&s->bytes, s->path);
		put_file(s->path, &bad, s->st.st_mode & 07777);
		free(bad.p);
		a = ask(source, NULL, false);
		expect(a.rc == 0 && a.counts.fail > 0, "not seen");
		a = ask(store_path, source, false);
		expect(a.rc == 0 && a.counts.fail > 0, "not seen in the store");
		restore(s);
		done++;
	}
	snprintf(text, sizeof(text), "%zu damages to the blobs of an OCI "
		 "directory are seen", done);
	result(text);
	return 0;
}

int main(int argc, char **argv)
{
	int rc = 2;
	size_t n;

	if (argc != 6)
		return 2;
	watch();
	random_seed(strtoull(argv[2], NULL, 10));
	n = strtoul(argv[3], NULL, 10);
	store_path = argv[4];
	if (strcmp(argv[1], "store") == 0)
		rc = damage_store(n, argv[5]);
	else if (strcmp(argv[1], "source") == 0)
		rc = damage_source(n, argv[5]);
	else if (strcmp(argv[1], "layout") == 0)
		rc = damage_layout(n, argv[5]);
	check_memory();
	return rc;
}
