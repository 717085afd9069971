/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "sums.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io.h"

#define HEX (2 * UNIK_SHA256_SIZE)

static int lock(int fd, struct unik_err *err)
{
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return unik_fail_sys(err, "can't lock a directory");
	return 0;
}

/* ---- text ---- */

struct text {
	char *p;
	size_t size;
	size_t room;
};

static int add(struct text *t, const char *p, size_t n, struct unik_err *err)
{
	if (n > t->room - t->size) {
		size_t room = 2 * t->room + n + 4096;
		char *q = realloc(t->p, room);

		if (!q)
			return unik_fail_mem(err);
		t->p = q;
		t->room = room;
	}
	if (n > 0)
		memcpy(t->p + t->size, p, n);
	t->size += n;
	return 0;
}

/* sha256sum(1): a line whose name needs escapes begins with a backslash. */
static int add_line(struct text *t, const char *hex, const char *name,
		    struct unik_err *err)
{
	static const char from[] = "\\\n\r", to[] = "\\nr";
	bool escaped = name[strcspn(name, from)] != 0;
	const char *at;

	if (add(t, "\\", escaped, err) < 0 || add(t, hex, HEX, err) < 0 ||
	    add(t, "  ", 2, err) < 0)
		return -1;
	for (; *name; name++) {
		at = strchr(from, *name);
		if (at ? add(t, "\\", 1, err) < 0 ||
				 add(t, &to[at - from], 1, err) < 0
		       : add(t, name, 1, err) < 0)
			return -1;
	}
	return add(t, "\n", 1, err);
}

/* ---- of a store ---- */

struct names {
	char **v;
	size_t n;
	size_t room;
};

static void names_release(struct names *names)
{
	size_t i;

	for (i = 0; i < names->n; i++)
		free(names->v[i]);
	free(names->v);
}

static int keep(struct names *names, const char *name, struct unik_err *err)
{
	if (names->n == names->room) {
		size_t room = names->room ? 2 * names->room : 64;
		char **v = realloc(names->v, room * sizeof(*v));

		if (!v)
			return unik_fail_mem(err);
		names->v = v;
		names->room = room;
	}
	names->v[names->n] = strdup(name);
	if (!names->v[names->n])
		return unik_fail_mem(err);
	names->n++;
	return 0;
}

/* "sha256-<hex>.EXTENSION": the name says the digest. */
static bool is_named(const char *name)
{
	return strncmp(name, "sha256-", 7) == 0 &&
	       strspn(name + 7, "0123456789abcdef") == HEX &&
	       name[7 + HEX] == '.';
}

static int list(int dir, struct names *names, struct unik_err *err)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	int rc = 0;

	if (!d) {
		unik_fail_sys(err, "can't list a directory");
		if (fd >= 0)
			close(fd);
		return -1;
	}
	while (rc == 0 && (errno = 0, e = readdir(d)) != NULL)
		if (is_named(e->d_name))
			rc = keep(names, e->d_name, err);
	if (rc == 0 && errno != 0)
		rc = unik_fail_sys(err, "can't list a directory");
	closedir(d);
	return rc;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_dir(struct unik_store *s, const char *dir,
		   bool (*skip)(void *data, const char *dir, const char *name),
		   void *data, struct text *t, struct unik_err *err)
{
	struct names names = { 0 };
	char path[512];
	size_t i;
	int rc = list(unik_store_dir(s, dir), &names, err);

	if (names.n > 0)
		qsort(names.v, names.n, sizeof(*names.v), by_bytes);
	for (i = 0; i < names.n && rc == 0; i++) {
		if (skip && skip(data, dir, names.v[i]))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, names.v[i]);
		rc = add_line(t, names.v[i] + 7, path, err);
	}
	names_release(&names);
	return rc;
}

/* The temporary is one of stacks/, whose cleaning everybody knows. */
static int write_store(struct unik_store *s, const struct text *t,
		       struct unik_err *err)
{
	struct unik_temp temp = UNIK_TEMP_NONE;
	int root = open(unik_store_path(s), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = -1;

	if (root < 0)
		return unik_fail_sys(err, "can't open the directory");
	if (unik_temp_open(&temp, unik_store_dir(s, "stacks"), err) == 0 &&
	    unik_write_all(temp.fd, t->p, t->size, err) == 0) {
		if (fchmod(temp.fd, 0644) < 0 || fsync(temp.fd) < 0 ||
		    renameat(temp.dir, temp.name, root, UNIK_SUMS) < 0 ||
		    fsync(root) < 0)
			unik_fail_sys(err, "can't write it");
		else
			rc = 0;
	}
	if (rc == 0)
		temp.name[0] = 0;
	unik_temp_release(&temp);
	close(root);
	return rc;
}

int unik_store_sums(struct unik_store *s,
		    bool (*skip)(void *data, const char *dir, const char *name),
		    void *data, struct unik_err *err)
{
	int guard = unik_store_dir(s, "stacks");
	struct text t = { 0 };
	int rc = lock(guard, err);

	if (rc == 0) {
		rc = add_dir(s, "images", skip, data, &t, err);
		if (rc == 0)
			rc = add_dir(s, "stacks", skip, data, &t, err);
		if (rc == 0)
			rc = write_store(s, &t, err);
		flock(guard, LOCK_UN);
	}
	free(t.p);
	return rc < 0 ? unik_wrap(err, "'%s/" UNIK_SUMS "'", unik_store_path(s))
		      : 0;
}

/* ---- beside an archive ---- */

static int read_old(int dir, struct text *old, struct unik_err *err)
{
	/* Nobody's FIFO may hold us up. */
	int fd = openat(dir, UNIK_SUMS, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	int rc = -1;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		unik_fail_sys(err, "can't open it");
	else if (!S_ISREG(st.st_mode) || st.st_size > UNIK_SUMS_MAX)
		unik_fail(err, "it is no list of digests");
	else
		rc = 0;
	if (rc == 0) {
		old->p = malloc((size_t)st.st_size + 1);
		rc = old->p ? unik_read_full(fd, old->p, (size_t)st.st_size,
					     &old->size, err)
			    : unik_fail_mem(err);
	}
	if (fd >= 0)
		close(fd);
	return rc;
}

/* Whether a line is that of the same name: "HEX  NAME", "HEX *NAME". */
static bool is_same(const char *line, size_t n, const char *want, size_t m)
{
	size_t head = HEX + 2 + (want[0] == '\\');

	return n == m && (line[0] == '\\') == (want[0] == '\\') && n > head &&
	       line[head - 2] == ' ' &&
	       memcmp(line + head, want + head, n - head) == 0;
}

/* The old lines, the new one in the place of that of its name. */
static int merge(const struct text *old, const struct text *line,
		 struct text *out, struct unik_err *err)
{
	bool done = false;
	size_t at = 0, n;

	for (; at < old->size; at += n) {
		const char *p = old->p + at;
		const char *end = memchr(p, '\n', old->size - at);

		n = end ? (size_t)(end + 1 - p) : old->size - at;
		if (!is_same(p, n, line->p, line->size)) {
			if (add(out, p, n, err) < 0 ||
			    (!end && add(out, "\n", 1, err) < 0))
				return -1;
		} else if (!done) {
			if (add(out, line->p, line->size, err) < 0)
				return -1;
			done = true;
		}
	}
	return done ? 0 : add(out, line->p, line->size, err);
}

int unik_sums_begin(struct unik_sums *s, int dir, const char *name,
		    const struct unik_digest *digest, struct unik_err *err)
{
	struct text old = { 0 }, line = { 0 }, out = { 0 };
	char hex[UNIK_DIGEST_TEXT];
	int rc;

	if (lock(dir, err) < 0)
		return -1;
	s->dir = dir;
	rc = add_line(&line, unik_digest_hex(digest, hex), name, err);
	if (rc == 0)
		rc = read_old(dir, &old, err);
	if (rc == 0)
		rc = merge(&old, &line, &out, err);
	if (rc == 0)
		rc = unik_temp_open(&s->temp, dir, err);
	if (rc == 0)
		rc = unik_write_all(s->temp.fd, out.p, out.size, err);
	free(old.p);
	free(line.p);
	free(out.p);
	return rc < 0 ? unik_wrap(err, "'" UNIK_SUMS "'") : 0;
}

int unik_sums_publish(struct unik_sums *s, struct unik_err *err)
{
	return unik_temp_publish(&s->temp, UNIK_SUMS, 0644, true, err);
}

void unik_sums_release(struct unik_sums *s)
{
	unik_temp_release(&s->temp);
	if (s->dir >= 0)
		flock(s->dir, LOCK_UN);
	s->dir = -1;
}
