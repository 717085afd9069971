/* SPDX-License-Identifier: GPL-3.0-or-later */
/* store: temporary files that become named ones when they are whole. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io.h"
#include "store.h"

#define PREFIX ".unik-tmp-"

bool unik_temp_is(const char *name)
{
	return strncmp(name, PREFIX, sizeof(PREFIX) - 1) == 0;
}

static int random_name(char *name, size_t size, struct unik_err *err)
{
	uint64_t r[2];

	if (getrandom(r, sizeof(r), 0) != (ssize_t)sizeof(r))
		return unik_fail_sys(err, "can't get random bytes");
	snprintf(name, size, PREFIX "%016llx%016llx", (unsigned long long)r[0],
		 (unsigned long long)r[1]);
	return 0;
}

/* Whether `name` still is the open file: a cleaner may have taken it between
 * open and flock. */
static bool still_named(int dir, const char *name, int fd)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 &&
	       fstatat(dir, name, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

int unik_temp_open(struct unik_temp *t, int dir, struct unik_err *err)
{
	int tries;

	for (tries = 0; tries < 100; tries++) {
		int fd;

		if (random_name(t->name, sizeof(t->name), err) < 0)
			return -1;
		fd = openat(dir, t->name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
			    0600);
		if (fd < 0 && errno == EEXIST)
			continue;
		if (fd < 0)
			return unik_fail_sys(err,
					     "can't make a temporary file");
		if (flock(fd, LOCK_EX | LOCK_NB) == 0 &&
		    still_named(dir, t->name, fd)) {
			t->fd = fd;
			t->dir = dir;
			return 0;
		}
		unlinkat(dir, t->name, 0);
		close(fd);
	}
	return unik_fail_io(err, "can't make a temporary file");
}

void unik_temp_release(struct unik_temp *t)
{
	if (t->fd < 0)
		return;
	if (t->name[0])
		unlinkat(t->dir, t->name, 0);
	close(t->fd);
	t->fd = -1;
	t->name[0] = 0;
}

/* Compares the temporary with the file that has its name already. */
static int same_bytes(int a, int b, struct unik_err *err)
{
	enum { SIZE = 65536 };
	uint8_t *buf = malloc(2 * SIZE);
	struct stat sa, sb;
	uint64_t off = 0;
	int rc = 1;

	if (!buf)
		return unik_fail_mem(err);
	if (fstat(a, &sa) < 0 || fstat(b, &sb) < 0) {
		rc = unik_fail_sys(err, "can't stat");
	} else if (sa.st_size != sb.st_size) {
		rc = 0;
	}
	while (rc == 1 && off < (uint64_t)sa.st_size) {
		uint64_t left = (uint64_t)sa.st_size - off;
		size_t n = left < SIZE ? (size_t)left : SIZE;

		if (unik_pread_all(a, buf, n, off, err) < 0 ||
		    unik_pread_all(b, buf + SIZE, n, off, err) < 0)
			rc = -1;
		else if (memcmp(buf, buf + SIZE, n) != 0)
			rc = 0;
		off += n;
	}
	free(buf);
	return rc;
}

static int keep_existing(struct unik_temp *t, const char *name,
			 struct unik_err *err)
{
	/* Nobody's FIFO may hold us up. */
	int fd = openat(t->dir, name,
			O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return unik_fail_sys(err, "can't open '%s'", name);
	rc = same_bytes(t->fd, fd, err);
	close(fd);
	if (rc < 0)
		return unik_wrap(err, "can't compare with '%s'", name);
	if (rc == 0)
		return unik_fail(err, "'%s' is there already with other bytes "
				 "than its name says", name);
	unik_temp_release(t);
	return 0;
}

int unik_temp_publish(struct unik_temp *t, const char *name, unsigned mode,
		      bool replace, struct unik_err *err)
{
	if (fchmod(t->fd, (mode_t)mode) < 0 || fsync(t->fd) < 0)
		return unik_fail_sys(err, "can't write '%s'", name);
	if (replace) {
		if (renameat(t->dir, t->name, t->dir, name) < 0)
			return unik_fail_sys(err, "can't name '%s'", name);
	} else {
		if (linkat(t->dir, t->name, t->dir, name, 0) < 0) {
			if (errno == EEXIST)
				return keep_existing(t, name, err);
			return unik_fail_sys(err, "can't name '%s'", name);
		}
		unlinkat(t->dir, t->name, 0);
	}
	t->name[0] = 0;
	close(t->fd);
	t->fd = -1;
	return 0;
}

/* Removes one temporary where its writer is dead. */
static void clean_one(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
				   O_CLOEXEC);

	if (fd < 0) {
		/* A symlink on its way to its name lives for an instant only;
		 * one that was left behind is replaced or removed here. */
		if (errno == ELOOP)
			unlinkat(dir, name, 0);
		return;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 && still_named(dir, name, fd))
		unlinkat(dir, name, 0);
	close(fd);
}

int unik_temp_clean(int dir, struct unik_err *err)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	if (!d) {
		unik_fail_sys(err, "can't list a directory");
		if (fd >= 0)
			close(fd);
		return -1;
	}
	while ((e = readdir(d)) != NULL)
		if (unik_temp_is(e->d_name))
			clean_one(fd, e->d_name);
	closedir(d);
	return 0;
}

/* A rename would replace a device, which is not what `image:/dev/sdb` wants, or
 * what a symlink such as /dev/stdout is for others. */
static int check_replaceable(int dir, const char *name, struct unik_err *err)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0
				       : unik_fail_sys(err, "can't stat");
	if (!S_ISREG(st.st_mode))
		return unik_fail_io(err, "it is there already, and no regular "
				    "file");
	return 0;
}

int unik_temp_dir(const char *path, int *dir, char **dir_path,
		  const char **name, struct unik_err *err)
{
	const char *slash = strrchr(path, '/');
	size_t n = !slash ? 1 : slash == path ? 1 : (size_t)(slash - path);

	*dir = -1;
	*dir_path = NULL;
	*name = slash ? slash + 1 : path;
	if (!(*name)[0])
		return unik_fail_usage(err, "'%s' names no file", path);
	*dir_path = strndup(slash ? path : ".", n);
	if (!*dir_path)
		return unik_fail_mem(err);
	*dir = open(*dir_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*dir < 0)
		return unik_fail_sys(err, "can't open '%s'", *dir_path);
	if (check_replaceable(*dir, *name, err) < 0)
		return unik_wrap(err, "'%s'", path);
	return unik_temp_clean(*dir, err);
}
