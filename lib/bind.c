/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "bind.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io.h"
#include "limits.h"
#include "scan.h"

struct binder {
	const struct unik_bind_options *opt;
	struct unik_layer *layer;
	struct unik_scan scan;
	uint64_t used; /* bytes of the spool */
	uint8_t *buf;
	char target[4096]; /* of a symlink; not on the stack of each level */
	size_t depth;
};

static int add_at(struct binder *b, int dir, const char *name,
		  const char *path, struct unik_err *err);

/* What is the same for all kinds. */
static struct unik_entry entry_of(const struct binder *b, const struct stat *st,
				  const char *path, enum unik_type type)
{
	bool late = st->st_mtim.tv_sec >= b->opt->time;

	return (struct unik_entry){
		.path = path,
		.path_size = strlen(path),
		.type = type,
		.mode = (uint16_t)(st->st_mode & 07777),
		.uid = b->opt->uid,
		.gid = b->opt->gid,
		.mtime_sec = late ? b->opt->time : st->st_mtim.tv_sec,
		.mtime_nsec = late ? 0 : (uint32_t)st->st_mtim.tv_nsec,
	};
}

/* Copies a file to the spool, scanning it on the way. */
static int copy_file(struct binder *b, int fd, uint64_t *size,
		     struct unik_err *err)
{
	size_t got;

	*size = 0;
	if (unik_scan_begin(&b->scan, err) < 0)
		return -1;
	do {
		if (unik_read_full(fd, b->buf, UNIK_CHUNK, &got, err) < 0 ||
		    unik_scan_feed(&b->scan, b->buf, got, err) < 0 ||
		    unik_pwrite_all(b->layer->data.fd, b->buf, got,
				    b->used + *size, err) < 0)
			return -1;
		*size += got;
		if (b->used + *size > b->opt->limits->layer_size)
			return unik_fail(err, "more than %llu bytes "
					 "(--max-layer-size)",
					 (unsigned long long)
					 b->opt->limits->layer_size);
	} while (got == UNIK_CHUNK);
	return 0;
}

static int add_file(struct binder *b, int dir, const char *name,
		    const char *path, struct unik_err *err)
{
	struct unik_content content = { .data = &b->layer->data };
	struct unik_entry e;
	struct stat st;
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int rc = -1;

	if (fd < 0)
		return unik_fail_sys(err, "can't open it");
	content.offset = b->used;
	if (fstat(fd, &st) < 0) {
		unik_fail_sys(err, "can't stat it");
	} else if (!S_ISREG(st.st_mode)) {
		unik_fail(err, "it changes while it is read");
	} else {
		e = entry_of(b, &st, path, UNIK_FILE);
		e.content = &content;
		rc = copy_file(b, fd, &e.size, err);
		if (rc == 0)
			rc = unik_scan_end(&b->scan, &content, err);
		if (rc == 0)
			rc = unik_tree_add(b->layer->tree, &e, err);
		b->used += e.size;
	}
	close(fd);
	return rc;
}

static int add_symlink(struct binder *b, int dir, const char *name,
		       const char *path, const struct stat *st,
		       struct unik_err *err)
{
	struct unik_entry e = entry_of(b, st, path, UNIK_SYMLINK);
	ssize_t n = readlinkat(dir, name, b->target, sizeof(b->target));

	if (n < 0)
		return unik_fail_sys(err, "can't read the symlink");
	if ((size_t)n == sizeof(b->target))
		return unik_fail(err, "the symlink's target is too long");
	e.target = b->target;
	e.target_size = (size_t)n;
	return unik_tree_add(b->layer->tree, &e, err);
}

static int add_children(struct binder *b, DIR *d, const char *path,
			struct unik_err *err)
{
	const struct dirent *e;
	char *child;
	int rc = 0;

	errno = 0;
	while (rc == 0 && (e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (asprintf(&child, "%s/%s", path, e->d_name) < 0)
			return unik_fail_mem(err);
		rc = add_at(b, dirfd(d), e->d_name, child, err);
		free(child);
		errno = 0;
	}
	if (rc == 0 && errno != 0)
		return unik_fail_sys(err, "can't list '%s'", path);
	return rc;
}

static int add_dir(struct binder *b, int dir, const char *name,
		   const char *path, const struct stat *st,
		   struct unik_err *err)
{
	struct unik_entry e = entry_of(b, st, path, UNIK_DIR);
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
				   O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	int rc;

	if (!d) {
		unik_fail_sys(err, "can't open it");
		if (fd >= 0)
			close(fd);
		return -1;
	}
	rc = unik_tree_add(b->layer->tree, &e, err);
	if (rc == 0 && ++b->depth > b->opt->limits->depth)
		rc = unik_fail(err, "directories too deep (--max-depth)");
	if (rc == 0)
		rc = add_children(b, d, path, err);
	b->depth--;
	closedir(d);
	return rc;
}

static int add_at(struct binder *b, int dir, const char *name,
		  const char *path, struct unik_err *err)
{
	char q[UNIK_QUOTE_SIZE];
	struct stat st;
	int rc;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return unik_fail_sys(err, "%s", unik_quote(q, name,
							   strlen(name)));
	if (S_ISDIR(st.st_mode))
		return add_dir(b, dir, name, path, &st, err);
	if (S_ISREG(st.st_mode))
		rc = add_file(b, dir, name, path, err);
	else if (S_ISLNK(st.st_mode))
		rc = add_symlink(b, dir, name, path, &st, err);
	else
		rc = unik_fail(err, "not a file, directory or symlink");
	return rc < 0 ? unik_wrap(err, "%s", unik_quote(q, name, strlen(name)))
		      : 0;
}

/* The host's path itself may be a symlink: what it points to is meant. */
static int bind_one(struct binder *b, const struct unik_bind *bind,
		    struct unik_err *err)
{
	char *real = realpath(bind->host, NULL);
	int rc;

	if (!real)
		return unik_fail_sys(err, "can't find '%s'", bind->host);
	rc = add_at(b, AT_FDCWD, real, bind->path, err);
	free(real);
	return rc;
}

static int bind_all(struct binder *b, struct unik_err *err)
{
	size_t i;

	b->buf = malloc(UNIK_CHUNK);
	if (!b->buf)
		return unik_fail_mem(err);
	if (unik_scan_init(&b->scan, err) < 0 ||
	    unik_spool_open(b->opt->spool_dir, &b->layer->data.fd, err) < 0)
		return -1;
	b->layer->own_fd = true;
	for (i = 0; i < b->opt->nbinds; i++)
		if (bind_one(b, &b->opt->binds[i], err) < 0)
			return -1;
	return unik_tree_seal(b->layer->tree, err);
}

int unik_bind_load(struct unik_layer **out, const struct unik_bind_options *opt,
		   struct unik_err *err)
{
	struct unik_layer *layer = calloc(1, sizeof(*layer));
	struct binder b = { .opt = opt, .layer = layer };
	int rc;

	if (!layer)
		return unik_fail_mem(err);
	layer->data.fd = -1;
	rc = unik_tree_new(&layer->tree, opt->limits, err);
	if (rc == 0)
		rc = bind_all(&b, err);
	unik_scan_release(&b.scan);
	free(b.buf);
	if (rc < 0) {
		unik_layer_free(layer);
		return unik_wrap(err, "bind");
	}
	*out = layer;
	return 0;
}
