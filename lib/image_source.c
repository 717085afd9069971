/* SPDX-License-Identifier: GPL-3.0-or-later */
/* image: the source as the user names it -> an open file or directory. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image_private.h"

static const struct {
	const char *prefix;
	enum unik_source_kind kind;
	bool takes_ref;
} prefixes[] = {
	{ "docker-archive:", UNIK_SRC_DOCKER_ARCHIVE, true },
	{ "oci-archive:", UNIK_SRC_OCI_ARCHIVE, true },
	{ "oci:", UNIK_SRC_OCI_DIR, true },
	{ "layer:", UNIK_SRC_LAYER, false },
	{ "", UNIK_SRC_DETECT, true },
};

static bool exists(const char *path)
{
	struct stat st;

	return strcmp(path, "-") == 0 || stat(path, &st) == 0;
}

/*
 * PATH[:REF]: the whole text where such a file exists, else up to the first
 * colon before which one does, so that both a colon in the path and `:5000/` in
 * the reference work.  Where nothing exists, the first colon.
 */
static void split_ref(struct img_ctx *c)
{
	char *colon;

	if (exists(c->path))
		return;
	for (colon = strchr(c->path, ':'); colon;
	     colon = strchr(colon + 1, ':')) {
		*colon = 0;
		if (exists(c->path)) {
			c->ref = colon + 1;
			return;
		}
		*colon = ':';
	}
	colon = c->want == UNIK_SRC_DETECT ? NULL : strchr(c->path, ':');
	if (colon) {
		*colon = 0;
		c->ref = colon + 1;
	}
}

int img_source_parse(struct img_ctx *c, struct unik_err *err)
{
	const char *source = c->opt->source;
	size_t i = 0;

	while (strncmp(source, prefixes[i].prefix,
		       strlen(prefixes[i].prefix)) != 0)
		i++;
	c->want = prefixes[i].kind;
	c->path = strdup(source + strlen(prefixes[i].prefix));
	if (!c->path)
		return unik_fail_mem(err);
	if (prefixes[i].takes_ref)
		split_ref(c);
	if (c->path[0] == 0)
		return unik_fail_usage(err, "the source names no path");
	if (c->ref && c->ref[0] == 0)
		return unik_fail_usage(err, "nothing follows the colon behind "
				       "the path of the source");
	return 0;
}

int img_take_fd(struct img_ctx *c, int fd, struct unik_err *err)
{
	struct unik_image_private *f = c->files;

	if (f->nfds == f->room) {
		size_t room = f->room ? f->room * 2 : 8;
		int *fds = realloc(f->fds, room * sizeof(*fds));

		if (!fds) {
			close(fd);
			return unik_fail_mem(err);
		}
		f->fds = fds;
		f->room = room;
	}
	f->fds[f->nfds++] = fd;
	return 0;
}

void img_drop_fd(struct img_ctx *c, int fd)
{
	struct unik_image_private *f = c->files;
	size_t i;

	for (i = 0; i < f->nfds; i++) {
		if (f->fds[i] != fd)
			continue;
		close(fd);
		f->fds[i] = f->fds[--f->nfds];
		return;
	}
}

static int copy(struct img_ctx *c, struct unik_source *src,
		struct unik_sink *sink, struct unik_err *err)
{
	const uint8_t *data;
	size_t n;
	int rc;

	while ((rc = unik_source_peek(src, &data, &n, err)) == 0) {
		if (unik_sink_write(sink, data, n, err) < 0)
			return -1;
		unik_source_advance(src, n);
		if (src->pos > c->limits->layer_size)
			return unik_fail(err, "more than %llu bytes "
					 "(--max-layer-size)",
					 (unsigned long long)
					 c->limits->layer_size);
	}
	return rc < 0 ? -1 : 0;
}

int img_new_spool(struct img_ctx *c, int *fd, struct unik_err *err)
{
	if (!c->opt->spool_dir)
		return unik_fail_usage(err, "this source needs a directory for "
				       "temporary files");
	if (unik_spool_open(c->opt->spool_dir, fd, err) < 0)
		return -1;
	return img_take_fd(c, *fd, err);
}

int img_spool(struct img_ctx *c, struct unik_source *src, int *fd,
	      uint64_t *size, struct unik_err *err)
{
	struct unik_sink_options opt = { .holes = true,
					 .stop = c->opt->stop };
	struct unik_sink *sink = NULL;
	int rc = -1;

	if (img_new_spool(c, fd, err) < 0)
		return -1;
	opt.fd = *fd;
	if (unik_sink_new(&sink, &opt, err) < 0)
		return -1;
	if (copy(c, src, sink, err) == 0 &&
	    unik_sink_finish(sink, NULL, err) == 0) {
		*size = unik_sink_size(sink);
		rc = 0;
	}
	unik_sink_free(sink);
	return rc;
}

static int spool_stream(struct img_ctx *c, int fd, struct img_input *in,
			struct unik_err *err)
{
	struct unik_source *src;
	int rc;

	if (unik_source_stream(&src, fd, c->opt->stop, err) < 0)
		return -1;
	rc = img_spool(c, src, &in->fd, &in->size, err);
	unik_source_free(src);
	return rc;
}

/* Whether the file can be read in place; standard input may stand somewhere
 * inside of one. */
static bool in_place(int fd, const struct stat *st, uint64_t *size)
{
	off_t end;

	if (S_ISREG(st->st_mode)) {
		*size = (uint64_t)st->st_size;
		return lseek(fd, 0, SEEK_CUR) == 0;
	}
	if (!S_ISBLK(st->st_mode))
		return false;
	end = lseek(fd, 0, SEEK_END);
	*size = (uint64_t)end;
	return end >= 0;
}

static int open_fd(struct img_ctx *c, int fd, struct img_input *in,
		   struct unik_err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return unik_fail_sys(err, "can't look at the source");
	in->fd = fd;
	in->is_dir = S_ISDIR(st.st_mode);
	if (in->is_dir || in_place(fd, &st, &in->size))
		return 0;
	in->spooled = true;
	return spool_stream(c, fd, in, err);
}

int img_source_open(struct img_ctx *c, struct img_input *in,
		    struct unik_err *err)
{
	bool standard = strcmp(c->path, "-") == 0;
	char q[UNIK_QUOTE_SIZE];
	int fd;

	memset(in, 0, sizeof(*in));
	if (standard)
		fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	else
		fd = open(c->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return unik_fail_sys(err, "can't open %s", standard ?
				     "standard input" :
				     unik_quote(q, c->path, strlen(c->path)));
	if (fstat(fd, &c->st) < 0)
		memset(&c->st, 0, sizeof(c->st));
	if (img_take_fd(c, fd, err) < 0 || open_fd(c, fd, in, err) < 0)
		return -1;
	if (in->is_dir == (c->want == UNIK_SRC_OCI_DIR) ||
	    c->want == UNIK_SRC_DETECT)
		return 0;
	return unik_fail_usage(err, "%s is%s a directory",
			       unik_quote(q, c->path, strlen(c->path)),
			       in->is_dir ? "" : " not");
}
