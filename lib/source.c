/* SPDX-License-Identifier: GPL-3.0-or-later */
/* io: the generic half of sources, and the plain ones. */
#define _GNU_SOURCE
#include "io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int unik_source_peek(struct unik_source *s, const uint8_t **data, size_t *n,
		     struct unik_err *err)
{
	if (s->avail == 0) {
		int rc = s->ended ? 1 : s->ops->fill(s, err);

		if (rc != 0) {
			s->ended = true;
			s->avail = 0;
			return rc;
		}
	}
	*data = s->cur;
	*n = s->avail;
	return 0;
}

void unik_source_advance(struct unik_source *s, size_t n)
{
	if (n == 0)
		return; /* cur may be NULL, which not even 0 may be added to */
	s->cur += n;
	s->avail -= n;
	s->pos += n;
}

/* Some of n bytes, straight into the buffer where the source can: for large
 * reads, to their end, or all that follow would begin with what is left. */
static int read_some(struct unik_source *s, uint8_t *buf, size_t n, bool large,
		     size_t *got, struct unik_err *err)
{
	const uint8_t *data;
	int rc;

	if (large && s->avail == 0 && !s->ended && s->ops->into) {
		rc = s->ops->into(s, buf, n, got, err);
		if (rc == 0)
			s->pos += *got;
		s->ended = rc != 0;
		return rc;
	}
	rc = unik_source_peek(s, &data, got, err);
	if (rc != 0)
		return rc;
	if (*got > n)
		*got = n;
	memcpy(buf, data, *got);
	unik_source_advance(s, *got);
	return 0;
}

int unik_source_read(struct unik_source *s, void *buf, size_t n, size_t *got,
		     struct unik_err *err)
{
	size_t sum = 0, some = 0;

	while (sum < n) {
		int rc = read_some(s, (uint8_t *)buf + sum, n - sum,
				   n >= UNIK_CHUNK, &some, err);

		if (rc < 0)
			return -1;
		if (rc != 0)
			break;
		sum += some;
	}
	*got = sum;
	return 0;
}

/* Consumes what is at hand, or jumps, or fills: some of n bytes. */
static int skip_some(struct unik_source *s, uint64_t n, uint64_t *got,
		     struct unik_err *err)
{
	const uint8_t *data;
	size_t have;
	int rc;

	if (s->avail == 0 && !s->ended && s->ops->jump) {
		if (s->ops->jump(s, n, got, err) < 0)
			return -1;
		s->pos += *got;
		if (*got > 0)
			return 0;
	}
	rc = unik_source_peek(s, &data, &have, err);
	if (rc != 0)
		return rc;
	*got = have < n ? have : n;
	unik_source_advance(s, (size_t)*got);
	return 0;
}

int unik_source_skip(struct unik_source *s, uint64_t n, uint64_t *got,
		     struct unik_err *err)
{
	uint64_t sum = 0, some;

	while (sum < n) {
		int rc = skip_some(s, n - sum, &some, err);

		if (rc < 0)
			return -1;
		if (rc != 0)
			break;
		sum += some;
	}
	*got = sum;
	return 0;
}

void unik_source_free(struct unik_source *s)
{
	if (s)
		s->ops->free(s);
}

/* ---- a file, or a range of one ---- */

struct file_source {
	struct unik_source base;
	int fd;
	const volatile int *stop; /* of a stream, or NULL */
	uint64_t off;
	uint64_t left;
	size_t room; /* of buf */
	uint8_t *buf;
};

static int range_into(struct unik_source *base, uint8_t *buf, size_t n,
		      size_t *got, struct unik_err *err)
{
	struct file_source *s = (struct file_source *)base;

	*got = s->left < n ? (size_t)s->left : n;
	if (*got == 0)
		return 1;
	if (unik_pread_all(s->fd, buf, *got, s->off, err) < 0)
		return -1;
	s->off += *got;
	s->left -= *got;
	return 0;
}

static int range_fill(struct unik_source *base, struct unik_err *err)
{
	struct file_source *s = (struct file_source *)base;

	base->cur = s->buf;
	return range_into(base, s->buf, s->room, &base->avail, err);
}

static int range_jump(struct unik_source *base, uint64_t n, uint64_t *got,
		      struct unik_err *err)
{
	struct file_source *s = (struct file_source *)base;

	(void)err;
	*got = n < s->left ? n : s->left;
	s->off += *got;
	s->left -= *got;
	return 0;
}

static int stream_fill(struct unik_source *base, struct unik_err *err)
{
	struct file_source *s = (struct file_source *)base;
	ssize_t n;

	/* A signal interrupts the read of a pipe that has nothing to give; the
	 * one that also ended the writer is no end of the data. */
	do
		n = read(s->fd, s->buf, s->room);
	while (n < 0 && errno == EINTR && !(s->stop && *s->stop));
	if (n <= 0 && s->stop && *s->stop)
		return unik_fail_io(err, "interrupted");
	if (n < 0)
		return unik_fail_sys(err, "can't read");
	if (n == 0)
		return 1;
	s->base.cur = s->buf;
	s->base.avail = (size_t)n;
	return 0;
}

static void file_free(struct unik_source *base)
{
	struct file_source *s = (struct file_source *)base;

	free(s->buf);
	free(s);
}

static const struct unik_source_ops range_ops = {
	.fill = range_fill,
	.jump = range_jump,
	.into = range_into,
	.free = file_free,
};
static const struct unik_source_ops stream_ops = {
	.fill = stream_fill,
	.free = file_free,
};

static struct file_source *file_source_new(const struct unik_source_ops *ops,
					   int fd, size_t room,
					   struct unik_err *err)
{
	struct file_source *s = calloc(1, sizeof(*s));

	if (s)
		s->buf = aligned_alloc(4096, room);
	if (!s || !s->buf) {
		free(s);
		unik_fail_mem(err);
		return NULL;
	}
	s->base.ops = ops;
	s->fd = fd;
	s->room = room;
	return s;
}

int unik_source_range(struct unik_source **out, int fd, uint64_t off,
		      uint64_t size, struct unik_err *err)
{
	struct file_source *s = file_source_new(&range_ops, fd, UNIK_CHUNK,
						err);

	if (!s)
		return -1;
	s->off = off;
	s->left = size;
	*out = &s->base;
	return 0;
}

int unik_source_stream(struct unik_source **out, int fd,
		       const volatile int *stop, struct unik_err *err)
{
	struct file_source *s = file_source_new(&stream_ops, fd, UNIK_CHUNK,
						err);

	if (!s)
		return -1;
	s->stop = stop;
	*out = &s->base;
	return 0;
}

/* ---- memory ---- */

static int memory_fill(struct unik_source *s, struct unik_err *err)
{
	(void)s;
	(void)err;
	return 1;
}

static void memory_free(struct unik_source *s)
{
	free(s);
}

static const struct unik_source_ops memory_ops = {
	.fill = memory_fill,
	.free = memory_free,
};

int unik_source_memory(struct unik_source **out, const void *data, size_t n,
		       struct unik_err *err)
{
	struct unik_source *s = calloc(1, sizeof(*s));

	if (!s)
		return unik_fail_mem(err);
	s->ops = &memory_ops;
	s->cur = data;
	s->avail = n;
	*out = s;
	return 0;
}
