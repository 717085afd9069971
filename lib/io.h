/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * io: bytes in (a source to peek at and advance over), bytes out (one sink
 * that writes, hashes, counts and makes holes), and spools.
 */
#ifndef UNIK_IO_H
#define UNIK_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest.h"
#include "err.h"
#include "lanes.h"

/* One chunk of a pipeline; also the size of the reads. */
#define UNIK_CHUNK (256u << 10)

/* ---- plain file access: whole or an error, EINTR retried ---- */

/* Reads exactly n bytes at off; a file that ends before is UNIK_EBAD. */
int unik_pread_all(int fd, void *buf, size_t n, uint64_t off,
		   struct unik_err *err);
int unik_pwrite_all(int fd, const void *buf, size_t n, uint64_t off,
		    struct unik_err *err);
struct iovec;
/* `sum` bytes, from n (at most IOV_MAX) places; their list is used up. */
int unik_pwritev_all(int fd, struct iovec *v, size_t n, uint64_t sum,
		     uint64_t off, struct unik_err *err);
int unik_write_all(int fd, const void *buf, size_t n, struct unik_err *err);
/* Reads at most n bytes; *got is less only at the end. */
int unik_read_full(int fd, void *buf, size_t n, size_t *got,
		   struct unik_err *err);

/* Whether none of n bytes is anything else; over at the first that is. */
bool unik_all_zero(const void *p, size_t n);

/* An unlinked temporary file in `dir`: nothing of it is left after close. */
int unik_spool_open(const char *dir, int *fd, struct unik_err *err);

/* ---- sources ---- */

/*
 * A forward stream of bytes.  An implementation embeds this struct first,
 * zeroes it, sets `ops`, and in `fill` makes `cur`/`avail` point at the next
 * bytes (at least one); they stay valid until the next fill.
 */
struct unik_source {
	const struct unik_source_ops *ops;
	const uint8_t *cur; /* next bytes not yet consumed */
	size_t avail;       /* how many are at hand */
	uint64_t pos;       /* bytes consumed so far */
	bool ended;
};

struct unik_source_ops {
	/* 0: cur/avail set, avail > 0; 1: end; -1: failed.  Called only when
	 * avail is 0 and never again after an end or a failure. */
	int (*fill)(struct unik_source *s, struct unik_err *err);
	/* May be NULL.  Jumps over up to n bytes that are not at hand (avail is
	 * 0) without reading them: *got gets how many. */
	int (*jump)(struct unik_source *s, uint64_t n, uint64_t *got,
		    struct unik_err *err);
	/* May be NULL.  The same as fill, into the caller's n >= 1 bytes
	 * instead: *got gets how many, cur and avail stay. */
	int (*into)(struct unik_source *s, uint8_t *buf, size_t n, size_t *got,
		    struct unik_err *err);
	void (*free)(struct unik_source *s);
};

/* Bytes at hand without copying: 0 (*n >= 1), 1 at the end, -1. */
int unik_source_peek(struct unik_source *s, const uint8_t **data, size_t *n,
		     struct unik_err *err);
/* Consumes n bytes of those that peek gave; n <= avail. */
void unik_source_advance(struct unik_source *s, size_t n);
/* Copies up to n bytes; *got < n only at the end. */
int unik_source_read(struct unik_source *s, void *buf, size_t n, size_t *got,
		     struct unik_err *err);
/* Consumes up to n bytes; *got < n only at the end. */
int unik_source_skip(struct unik_source *s, uint64_t n, uint64_t *got,
		     struct unik_err *err);
void unik_source_free(struct unik_source *s); /* takes NULL */

/* `size` bytes of `fd` from `off`, by pread: the offset of the fd is neither
 * used nor moved.  A file that turns out shorter is UNIK_EBAD. */
int unik_source_range(struct unik_source **out, int fd, uint64_t off,
		      uint64_t size, struct unik_err *err);
/* All that read(2) gives; for pipes.  A `stop` that becomes nonzero ends the
 * wait for more (UNIK_EIO); it may be NULL. */
int unik_source_stream(struct unik_source **out, int fd,
		       const volatile int *stop, struct unik_err *err);
/* Borrows the memory for the life of the source. */
int unik_source_memory(struct unik_source **out, const void *data, size_t n,
		       struct unik_err *err);

/* ---- the sink ---- */

struct unik_sink;

/* Another digest that may be taken beside the sink's, in its thread. */
struct unik_beside {
	/* Appends n bytes to the lane, and some of its own to one of its own;
	 * called by one thread at a time. */
	int (*update)(void *data, struct unik_lane *lane, const void *p,
		      size_t n, struct unik_err *err);
	void *data;
};

struct unik_sink_options {
	int fd;     /* -1: only hash and count */
	bool holes; /* long runs of zeros become holes (regular files only) */
	bool hash;  /* take the sha256 */
	const volatile int *stop; /* nonzero there: fail as interrupted; or
				     NULL */
	const struct unik_beside *beside; /* or NULL; outlives the sink */
};

/* The fd stays the caller's.  A regular file that stands at its start, and is
 * not open for appending, is emptied and written by pwrite; all else by write,
 * in order. */
int unik_sink_new(struct unik_sink **out, const struct unik_sink_options *opt,
		  struct unik_err *err);
/* The same, with so many chunks in its ring (ring.h). */
int unik_sink_new_queue(struct unik_sink **out,
			const struct unik_sink_options *opt, unsigned chunks,
			struct unik_err *err);
/* Appends n bytes; data NULL means n zeros. */
int unik_sink_write(struct unik_sink *s, const void *data, uint64_t n,
		    struct unik_err *err);
/*
 * Room for direct filling: *buf gets 1..n writable bytes (*room).  After
 * filling, unik_sink_commit() appends the first `used` of them.  Saves a copy
 * for data that comes by pread.
 */
int unik_sink_reserve(struct unik_sink *s, size_t n, uint8_t **buf,
		      size_t *room, struct unik_err *err);
int unik_sink_commit(struct unik_sink *s, size_t used, struct unik_err *err);
/* Appends n bytes of the file `fd` from `off`; small pieces that follow each
 * other closely in the file share a read. */
int unik_sink_copy(struct unik_sink *s, int fd, uint64_t off, uint64_t n,
		   struct unik_err *err);
uint64_t unik_sink_size(const struct unik_sink *s); /* bytes appended so far */
/* Flushes, sets the size of a regular file, gives the digest (may be NULL).
 * Nothing may be appended after it. */
int unik_sink_finish(struct unik_sink *s, struct unik_digest *digest,
		     struct unik_err *err);
void unik_sink_free(struct unik_sink *s); /* takes NULL; aborts if unfinished */

#endif
