/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * io: the sink.  The caller fills chunks of a ring; one thread hashes them, one
 * writes them.  A sink that neither hashes nor writes only counts.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io.h"
#include "ring.h"

/* From this length on, zeros travel as a count and may become a hole. */
#define ZERO_RUN (64u << 10)
#define CHUNKS 8 /* of the ring, where nobody says more */

/* Pieces of a file up to SMALL bytes, at most NEAR bytes apart, share reads of
 * WINDOW bytes. */
#define SMALL (16u << 10)
#define NEAR 4096u
#define WINDOW (64u << 10)

struct stage {
	struct unik_sink *sink;
	int index; /* as consumer of the ring; -1: not started */
	pthread_t thread;
	int rc;
	struct unik_err err;
};

/* What was last read of a file that is copied. */
struct window {
	int fd;
	uint64_t from;
	size_t n;
	uint64_t end; /* of the last piece copied */
	uint8_t *buf; /* WINDOW bytes */
};

struct unik_sink {
	struct unik_sink_options opt;
	unsigned chunks;
	bool seekable;
	bool ended;
	uint64_t size;
	struct unik_ring *ring;
	struct unik_chunk *chunk; /* being filled, or NULL */
	struct unik_lane hash;
	struct stage hasher;
	struct stage writer;
	uint8_t *zeros; /* UNIK_CHUNK of them */
	struct window window;
};

static int hash_data(struct unik_sink *s, const void *p, size_t n,
		     struct unik_err *err)
{
	const struct unik_beside *b = s->opt.beside;

	return b ? b->update(b->data, &s->hash, p, n, err)
		 : unik_lane_update(&s->hash, p, n, err);
}

static int hash_zeros(struct unik_sink *s, uint64_t n, struct unik_err *err)
{
	while (n > 0) {
		size_t m = n < UNIK_CHUNK ? (size_t)n : UNIK_CHUNK;

		if (hash_data(s, s->zeros, m, err) < 0)
			return -1;
		n -= m;
	}
	return 0;
}

static int hash_chunk(struct unik_sink *s, const struct unik_chunk *c,
		      struct unik_err *err)
{
	if (c->zeros)
		return hash_zeros(s, c->size, err);
	return hash_data(s, c->data, c->size, err);
}

static int put(struct unik_sink *s, const void *data, size_t n, uint64_t pos,
	       struct unik_err *err)
{
	if (s->seekable)
		return unik_pwrite_all(s->opt.fd, data, n, pos, err);
	return unik_write_all(s->opt.fd, data, n, err);
}

static int write_chunk(struct unik_sink *s, const struct unik_chunk *c,
		       struct unik_err *err)
{
	uint64_t done = 0;

	if (!c->zeros)
		return put(s, c->data, c->size, c->pos, err);
	if (s->seekable && s->opt.holes)
		return 0;
	while (done < c->size) {
		uint64_t left = c->size - done;
		size_t m = left < UNIK_CHUNK ? (size_t)left : UNIK_CHUNK;

		if (put(s, s->zeros, m, c->pos + done, err) < 0)
			return -1;
		done += m;
	}
	return 0;
}

static int stage_chunk(struct stage *st, const struct unik_chunk *c)
{
	return st == &st->sink->hasher ? hash_chunk(st->sink, c, &st->err)
				       : write_chunk(st->sink, c, &st->err);
}

static void *stage_main(void *arg)
{
	struct stage *st = arg;
	struct unik_ring *ring = st->sink->ring;
	const struct unik_chunk *c;
	struct unik_err end;

	while (unik_ring_next(ring, st->index, &c, &end) == 0) {
		st->rc = stage_chunk(st, c);
		if (st->rc < 0) {
			unik_ring_leave(ring, st->index, &st->err);
			break;
		}
	}
	return NULL;
}

static int stage_start(struct unik_sink *s, struct stage *st, int index,
		       struct unik_err *err)
{
	int rc;

	st->sink = s;
	st->index = index;
	rc = pthread_create(&st->thread, NULL, stage_main, st);
	if (rc != 0) {
		st->index = -1;
		errno = rc;
		return unik_fail_sys(err, "can't start a thread");
	}
	return 0;
}

static int sink_start(struct unik_sink *s, struct unik_err *err)
{
	int n = (s->opt.hash ? 1 : 0) + (s->opt.fd >= 0 ? 1 : 0);
	int next = 0;

	if (unik_ring_new(&s->ring, n, s->chunks, err) < 0)
		return -1;
	s->zeros = calloc(1, UNIK_CHUNK);
	if (!s->zeros)
		return unik_fail_mem(err);
	if (s->opt.hash && (unik_lane_init(&s->hash, err) < 0 ||
			    stage_start(s, &s->hasher, next++, err) < 0))
		return -1;
	if (s->opt.fd >= 0 && stage_start(s, &s->writer, next++, err) < 0)
		return -1;
	return 0;
}

/* What the file holds already would show through holes; appending puts all
 * writes behind it, wherever they are meant to go. */
static int sink_file(struct unik_sink *s, struct unik_err *err)
{
	struct stat st;
	int flags = fcntl(s->opt.fd, F_GETFL);

	if (flags < 0 || fstat(s->opt.fd, &st) < 0)
		return unik_fail_sys(err, "can't stat the output");
	s->seekable = S_ISREG(st.st_mode) && !(flags & O_APPEND) &&
		      lseek(s->opt.fd, 0, SEEK_CUR) == 0;
	if (s->seekable && st.st_size > 0 && ftruncate(s->opt.fd, 0) < 0)
		return unik_fail_sys(err, "can't empty the output");
	return 0;
}

int unik_sink_new(struct unik_sink **out, const struct unik_sink_options *opt,
		  struct unik_err *err)
{
	return unik_sink_new_queue(out, opt, CHUNKS, err);
}

int unik_sink_new_queue(struct unik_sink **out,
			const struct unik_sink_options *opt, unsigned chunks,
			struct unik_err *err)
{
	struct unik_sink *s = calloc(1, sizeof(*s));

	if (!s)
		return unik_fail_mem(err);
	s->opt = *opt;
	s->chunks = chunks;
	s->window.fd = -1;
	s->hasher.index = -1;
	s->writer.index = -1;
	if ((opt->fd >= 0 && sink_file(s, err) < 0) || sink_start(s, err) < 0) {
		unik_sink_free(s);
		return -1;
	}
	*out = s;
	return 0;
}

static void publish(struct unik_sink *s)
{
	if (s->chunk) {
		unik_ring_publish(s->ring, s->chunk);
		s->chunk = NULL;
	}
}

int unik_sink_reserve(struct unik_sink *s, size_t n, uint8_t **buf,
		      size_t *room, struct unik_err *err)
{
	if (!s->chunk) {
		if (s->opt.stop && *s->opt.stop)
			return unik_fail_io(err, "interrupted");
		s->chunk = unik_ring_take(s->ring, err);
		if (!s->chunk)
			return -1;
	}
	*buf = s->chunk->data + s->chunk->size;
	*room = UNIK_CHUNK - (size_t)s->chunk->size;
	if (*room > n)
		*room = n;
	return 0;
}

int unik_sink_commit(struct unik_sink *s, size_t used, struct unik_err *err)
{
	(void)err;
	s->chunk->size += used;
	s->size += used;
	if (s->chunk->size == UNIK_CHUNK)
		publish(s);
	return 0;
}

static int write_zeros(struct unik_sink *s, uint64_t n, struct unik_err *err)
{
	publish(s);
	s->chunk = unik_ring_take(s->ring, err);
	if (!s->chunk)
		return -1;
	s->chunk->zeros = true;
	s->chunk->size = n;
	s->size += n;
	publish(s);
	return 0;
}

int unik_sink_write(struct unik_sink *s, const void *data, uint64_t n,
		    struct unik_err *err)
{
	const uint8_t *p = data;

	if (!p && n >= ZERO_RUN)
		return write_zeros(s, n, err);
	while (n > 0) {
		uint8_t *buf = NULL;
		size_t room = 0;

		if (unik_sink_reserve(s,
				      n < UNIK_CHUNK ? (size_t)n : UNIK_CHUNK,
				      &buf, &room, err) < 0)
			return -1;
		if (p) {
			memcpy(buf, p, room);
			p += room;
		} else {
			memset(buf, 0, room);
		}
		if (unik_sink_commit(s, room, err) < 0)
			return -1;
		n -= room;
	}
	return 0;
}

/* Fills the window from `off` on, as far as the file goes. */
static int fill_window(struct window *w, int fd, uint64_t off,
		       struct unik_err *err)
{
	ssize_t n;

	if (!w->buf)
		w->buf = malloc(WINDOW);
	if (!w->buf)
		return unik_fail_mem(err);
	do
		n = pread(fd, w->buf, WINDOW, (off_t)off);
	while (n < 0 && errno == EINTR);
	w->fd = fd;
	w->from = off;
	/* Who reads without it says what is wrong. */
	w->n = n < 0 ? 0 : (size_t)n;
	return 0;
}

static int read_small(struct window *w, int fd, uint64_t off, uint8_t *buf,
		      size_t n, struct unik_err *err)
{
	bool follows = w->fd == fd && off >= w->end && off - w->end <= NEAR;
	bool inside = w->fd == fd && off >= w->from &&
		      off - w->from <= w->n && n <= w->n - (off - w->from);

	if (!inside && follows) {
		if (fill_window(w, fd, off, err) < 0)
			return -1;
		inside = n <= w->n;
	}
	w->fd = fd;
	w->end = off + n;
	if (!inside) {
		w->n = 0;
		return unik_pread_all(fd, buf, n, off, err);
	}
	memcpy(buf, w->buf + (off - w->from), n);
	return 0;
}

int unik_sink_copy(struct unik_sink *s, int fd, uint64_t off, uint64_t n,
		   struct unik_err *err)
{
	bool small = n <= SMALL;

	while (n > 0) {
		uint8_t *buf = NULL;
		size_t room = 0;
		int rc;

		if (unik_sink_reserve(s,
				      n < UNIK_CHUNK ? (size_t)n : UNIK_CHUNK,
				      &buf, &room, err) < 0)
			return -1;
		rc = small ? read_small(&s->window, fd, off, buf, room, err)
			   : unik_pread_all(fd, buf, room, off, err);
		if (rc < 0 || unik_sink_commit(s, room, err) < 0)
			return -1;
		off += room;
		n -= room;
	}
	return 0;
}

uint64_t unik_sink_size(const struct unik_sink *s)
{
	return s->size;
}

static void stage_join(struct stage *st)
{
	if (st->index >= 0)
		pthread_join(st->thread, NULL);
	st->index = -1;
}

static void sink_end(struct unik_sink *s, const struct unik_err *cause)
{
	if (s->ended || !s->ring)
		return;
	s->ended = true;
	unik_ring_end(s->ring, cause);
	stage_join(&s->hasher);
	stage_join(&s->writer);
}

int unik_sink_finish(struct unik_sink *s, struct unik_digest *digest,
		     struct unik_err *err)
{
	publish(s);
	sink_end(s, NULL);
	if (s->writer.rc < 0 || s->hasher.rc < 0) {
		*err = s->writer.rc < 0 ? s->writer.err : s->hasher.err;
		return -1;
	}
	if (s->seekable && ftruncate(s->opt.fd, (off_t)s->size) < 0)
		return unik_fail_sys(err, "can't set the size of the output");
	if (digest && s->opt.hash)
		return unik_lane_final(&s->hash, digest, err);
	return 0;
}

void unik_sink_free(struct unik_sink *s)
{
	const struct unik_err aborted = { UNIK_EIO, 0, "aborted" };

	if (!s)
		return;
	sink_end(s, &aborted);
	unik_ring_free(s->ring);
	unik_lane_release(&s->hash);
	free(s->zeros);
	free(s->window.buf);
	free(s);
}
