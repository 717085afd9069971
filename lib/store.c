/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io.h"

static const char *const dir_names[] = { "images", "layers", "stacks", "refs" };

#define NDIRS (sizeof(dir_names) / sizeof(dir_names[0]))

struct unik_store {
	char *path;
	int root;
	int dir[NDIRS];
	bool made; /* the directory was not there before */
};

const char *unik_image_name(const struct unik_digest *d, const char *ext,
			    char buf[UNIK_IMAGE_NAME])
{
	char hex[UNIK_DIGEST_TEXT];

	snprintf(buf, UNIK_IMAGE_NAME, "sha256-%.64s.%.16s",
		 unik_digest_hex(d, hex), ext);
	return buf;
}

static int open_dir(struct unik_store *s, size_t i, bool create,
		    struct unik_err *err)
{
	if (create && mkdirat(s->root, dir_names[i], 0777) < 0 &&
	    errno != EEXIST)
		return unik_fail_sys(err, "can't make '%s/%s'", s->path,
				     dir_names[i]);
	s->dir[i] = openat(s->root, dir_names[i],
			   O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (s->dir[i] >= 0)
		return 0;
	if (!create && errno == ENOENT)
		return unik_fail(err, "'%s' is not a store: no '%s' in it",
				 s->path, dir_names[i]);
	return unik_fail_sys(err, "can't open '%s/%s'", s->path, dir_names[i]);
}

/* Opens and locks the root.  1: it vanished meanwhile (somebody abandoned it).
 */
static int open_root(struct unik_store *s, bool create, struct unik_err *err)
{
	struct stat a, b;

	if (create) {
		if (mkdir(s->path, 0777) == 0)
			s->made = true;
		else if (errno != EEXIST)
			return unik_fail_sys(err, "can't make '%s'", s->path);
	}
	s->root = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->root < 0 && create && errno == ENOENT)
		return 1;
	if (s->root < 0)
		return unik_fail_sys(err, "can't open '%s'", s->path);
	while (flock(s->root, LOCK_SH) < 0)
		if (errno != EINTR)
			return unik_fail_sys(err, "can't lock '%s'", s->path);
	if (fstat(s->root, &a) == 0 && stat(s->path, &b) == 0 &&
	    a.st_dev == b.st_dev && a.st_ino == b.st_ino)
		return 0;
	close(s->root);
	s->root = -1;
	return 1;
}

static int open_all(struct unik_store *s, bool create, struct unik_err *err)
{
	size_t i;
	int rc = 1, tries;

	for (tries = 0; rc == 1 && tries < 1000; tries++)
		rc = open_root(s, create, err);
	if (rc == 1)
		return unik_fail_io(err, "'%s' comes and goes", s->path);
	if (rc < 0)
		return -1;
	for (i = 0; i < NDIRS; i++) {
		if (open_dir(s, i, create, err) < 0)
			return -1;
		if (create && unik_temp_clean(s->dir[i], err) < 0)
			return unik_wrap(err, "'%s/%s'", s->path, dir_names[i]);
	}
	return 0;
}

void unik_store_abandon(struct unik_store *s)
{
	size_t i = 0;

	if (!s->made || flock(s->root, LOCK_EX | LOCK_NB) < 0)
		return;
	while (i < NDIRS &&
	       (unlinkat(s->root, dir_names[i], AT_REMOVEDIR) == 0 ||
		errno == ENOENT))
		i++;
	if (i == NDIRS && rmdir(s->path) == 0)
		return;
	while (i-- > 0) /* something is in it: it stays a store */
		mkdirat(s->root, dir_names[i], 0777);
}

int unik_store_lock(struct unik_store *s, struct unik_err *err)
{
	while (flock(s->root, LOCK_EX) < 0)
		if (errno != EINTR)
			return unik_fail_sys(err, "can't lock '%s'", s->path);
	return 0;
}

bool unik_store_alone(struct unik_store *s)
{
	bool alone = flock(s->root, LOCK_EX | LOCK_NB) == 0;

	/* A change of a lock that fails has lost the lock (flock(2)). */
	while (flock(s->root, LOCK_SH) < 0)
		if (errno != EINTR)
			return false;
	return alone;
}

int unik_store_open(struct unik_store **out, const char *path, bool create,
		    struct unik_err *err)
{
	struct unik_store *s = calloc(1, sizeof(*s));
	size_t i;

	if (!s)
		return unik_fail_mem(err);
	s->root = -1;
	for (i = 0; i < NDIRS; i++)
		s->dir[i] = -1;
	s->path = strdup(path);
	if (!s->path) {
		unik_store_free(s);
		return unik_fail_mem(err);
	}
	if (open_all(s, create, err) < 0) {
		if (s->root >= 0)
			unik_store_abandon(s);
		unik_store_free(s);
		return -1;
	}
	*out = s;
	return 0;
}

void unik_store_free(struct unik_store *s)
{
	size_t i;

	if (!s)
		return;
	for (i = 0; i < NDIRS; i++)
		if (s->dir[i] >= 0)
			close(s->dir[i]);
	if (s->root >= 0)
		close(s->root);
	free(s->path);
	free(s);
}

const char *unik_store_path(const struct unik_store *s)
{
	return s->path;
}

int unik_store_dir(const struct unik_store *s, const char *name)
{
	size_t i;

	for (i = 0; i < NDIRS; i++)
		if (strcmp(dir_names[i], name) == 0)
			return s->dir[i];
	return -1;
}

static int put_file(struct unik_store *s, const char *dir, const char *name,
		    const void *bytes, size_t n, bool replace,
		    struct unik_err *err)
{
	struct unik_temp t = UNIK_TEMP_NONE;
	int rc = -1;

	if (unik_temp_open(&t, unik_store_dir(s, dir), err) == 0 &&
	    unik_write_all(t.fd, bytes, n, err) == 0)
		rc = unik_temp_publish(&t, name, 0444, replace, err);
	unik_temp_release(&t);
	return rc < 0 ? unik_wrap(err, "'%s/%s/%s'", s->path, dir, name) : 0;
}

int unik_store_put(struct unik_store *s, const char *dir, const char *name,
		   const void *bytes, size_t n, struct unik_err *err)
{
	return put_file(s, dir, name, bytes, n, false, err);
}

int unik_store_replace(struct unik_store *s, const char *dir, const char *name,
		       const void *bytes, size_t n, struct unik_err *err)
{
	return put_file(s, dir, name, bytes, n, true, err);
}

/* Whether the link is there and right already. */
static bool link_is(int dir, const char *name, const char *target)
{
	char buf[512];
	ssize_t n = readlinkat(dir, name, buf, sizeof(buf));

	return n >= 0 && (size_t)n == strlen(target) &&
	       memcmp(buf, target, (size_t)n) == 0;
}

/* A link under a temporary's name is renamed over the old one; the temporary
 * itself only reserves that name.  1: somebody's cleaning took the link. */
static int replace_link(int dir, const char *name, const char *target,
			struct unik_err *err)
{
	struct unik_temp t = UNIK_TEMP_NONE;
	int rc = -1;

	if (unik_temp_open(&t, dir, err) < 0)
		return -1;
	if (unlinkat(dir, t.name, 0) < 0 || symlinkat(target, dir, t.name) < 0)
		unik_fail_sys(err, "can't make a symlink");
	else if (renameat(dir, t.name, dir, name) == 0)
		rc = 0;
	else if (errno == ENOENT)
		rc = 1;
	else
		unik_fail_sys(err, "can't rename a symlink");
	if (rc == 0)
		t.name[0] = 0;
	unik_temp_release(&t);
	return rc;
}

int unik_store_link(struct unik_store *s, const char *dir, const char *name,
		    const char *target, struct unik_err *err)
{
	int fd = unik_store_dir(s, dir), tries, rc = 1;

	if (link_is(fd, name, target) || symlinkat(target, fd, name) == 0)
		return 0;
	if (errno != EEXIST)
		return unik_fail_sys(err, "can't make '%s/%s/%s'", s->path, dir,
				     name);
	for (tries = 0; tries < 100 && rc == 1; tries++)
		rc = replace_link(fd, name, target, err);
	if (rc == 1)
		unik_fail_io(err, "can't rename a symlink");
	return rc ? unik_wrap(err, "'%s/%s/%s'", s->path, dir, name) : 0;
}

/* All of a file: memory follows what it holds, not the limit.  One byte of
 * room is left behind it. */
static int read_file(int fd, size_t max, char **buf, size_t *n,
		     struct unik_err *err)
{
	size_t room = 0, got, step = (size_t)64 << 10;

	*n = 0;
	do {
		char *p = realloc(*buf, room + step + 1);

		if (!p)
			return unik_fail_mem(err);
		*buf = p;
		room += step;
		if (unik_read_full(fd, p + *n, room - *n, &got, err) < 0)
			return -1;
		*n += got;
		step = room;
	} while (*n == room && *n <= max);
	return *n > max ? unik_fail(err, "more than %zu bytes", max) : 0;
}

int unik_store_get(const struct unik_store *s, const char *dir,
		   const char *name, size_t max, char **bytes, size_t *n,
		   struct unik_err *err)
{
	/* Nobody's FIFO may hold us up. */
	int fd = openat(unik_store_dir(s, dir), name,
			O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char *buf = NULL;
	int rc;

	if (fd < 0 && errno == ENOENT)
		return 1;
	if (fd < 0)
		return unik_fail_sys(err, "can't open '%s/%s/%s'", s->path, dir,
				     name);
	rc = read_file(fd, max, &buf, n, err);
	close(fd);
	if (rc < 0) {
		free(buf);
		return unik_wrap(err, "'%s/%s/%s'", s->path, dir, name);
	}
	buf[*n] = 0;
	*bytes = buf;
	return 0;
}

int unik_store_has_image(const struct unik_store *s, const char *name,
			 uint64_t size, struct unik_err *err)
{
	struct stat st;

	if (fstatat(unik_store_dir(s, "images"), name, &st,
		    AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno == ENOENT)
			return 1;
		return unik_fail_sys(err, "can't stat '%s/images/%s'", s->path,
				     name);
	}
	return S_ISREG(st.st_mode) && (uint64_t)st.st_size == size ? 0 : 1;
}

int unik_store_sync(struct unik_store *s, struct unik_err *err)
{
	size_t i;

	for (i = 0; i < NDIRS; i++)
		if (fsync(s->dir[i]) < 0 && errno != EINVAL)
			return unik_fail_sys(err, "can't sync '%s/%s'", s->path,
					     dir_names[i]);
	return 0;
}
