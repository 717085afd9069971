/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * image: one name in a directory.  Every component is opened without following
 * symlinks; image_box.c resolves them inside the directory, so that nothing
 * outside is ever opened, whoever changes the directory meanwhile.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image_private.h"
#include "path.h"

/* The errors that mean "not here". */
static bool means_absent(int e)
{
	return e == ENOENT || e == ENOTDIR || e == ELOOP || e == ENAMETOOLONG;
}

/* Opens the parent of a path: 0, 1 absent, -1.  *last gets its last name. */
static int open_parent(int root, char *path, int *parent, char **last,
		       struct unik_err *err)
{
	char *name = path, *slash;
	int fd = root;

	while ((slash = strchr(name, '/')) != NULL) {
		int next;

		*slash = 0;
		next = openat(fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW |
			      O_CLOEXEC);
		if (next < 0) {
			int absent = means_absent(errno);
			int rc = absent ? 1 : unik_fail_sys(err, "can't open "
							    "a directory");

			if (fd != root)
				close(fd);
			return rc;
		}
		if (fd != root)
			close(fd);
		fd = next;
		name = slash + 1;
	}
	*parent = fd;
	*last = name;
	return 0;
}

static int read_link(int parent, const char *name, struct img_found *found,
		     struct unik_err *err)
{
	ssize_t n = readlinkat(parent, name, found->link, sizeof(found->link));

	if (n < 0)
		return unik_fail_sys(err, "can't read a symlink");
	if ((size_t)n == sizeof(found->link))
		return unik_fail(err, "a symlink's target is too long");
	found->link[n] = 0;
	return 0;
}

static int open_file(int parent, const char *name, struct img_found *found,
		     struct unik_err *err)
{
	/* O_NONBLOCK: a FIFO put there meanwhile must not hang us. */
	int fd = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
			O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return unik_fail_sys(err, "can't open");
	if (fstat(fd, &st) < 0) {
		unik_fail_sys(err, "can't look at it");
		close(fd);
		return -1;
	}
	if (!S_ISREG(st.st_mode)) {
		close(fd);
		return unik_fail(err, "changed while it was read");
	}
	found->blob.fd = fd;
	found->blob.own = true;
	found->blob.size = (uint64_t)st.st_size;
	found->blob.dev = st.st_dev;
	found->blob.ino = st.st_ino;
	return 0;
}

static int look(int parent, const char *name, bool full,
		struct img_found *found, struct unik_err *err)
{
	struct stat st;

	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (means_absent(errno))
			return 0;
		return unik_fail_sys(err, "can't look at it");
	}
	switch (st.st_mode & S_IFMT) {
	case S_IFLNK:
		found->type = IMG_SYMLINK;
		return read_link(parent, name, found, err);
	case S_IFDIR:
		found->type = IMG_DIR;
		return 0;
	case S_IFREG:
		found->type = IMG_FILE;
		return full ? open_file(parent, name, found, err) : 0;
	default:
		found->type = IMG_OTHER;
		return 0;
	}
}

int img_dir_lookup(struct img_ctx *c, const char *path, size_t n, bool full,
		   struct img_found *found, struct unik_err *err)
{
	char copy[IMG_PATH_SIZE], *last = NULL;
	int parent = -1, rc;

	memcpy(copy, path, n);
	copy[n] = 0;
	found->type = IMG_ABSENT;
	memset(&found->blob, 0, sizeof(found->blob));
	rc = open_parent(c->box.fd, copy, &parent, &last, err);
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	rc = look(parent, last, full, found, err);
	if (parent != c->box.fd)
		close(parent);
	return rc;
}
