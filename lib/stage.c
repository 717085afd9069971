/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _POSIX_C_SOURCE 200809L
#include "stage.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "ring.h"

enum { READER, HASHER, SPOOLER };

/* What is kept of a chunk.  Between two files of a tar there is a header, and
 * the last block of each is padded. */
#define KEEPS (UNIK_CHUNK / 1024 + 1)

struct keep {
	size_t n;
	uint64_t sum; /* bytes */
	struct iovec v[KEEPS];
};

struct worker {
	struct stage *stage;
	int index; /* as consumer of the ring */
	bool running;
	pthread_t thread;
};

struct stage {
	struct unik_source base;
	struct unik_source *src;
	struct unik_stage_options opt;
	struct unik_ring *ring;
	struct unik_hash hash;
	struct unik_lane lane; /* UNIK_STAGE_TAKER */
	const uint8_t *due;    /* of the chunk at hand, to the lane */
	size_t ndue;
	uint64_t size;
	struct keep *keeps;  /* for each chunk of the ring; NULL: no spool */
	struct keep *keep;   /* of the chunk at hand */
	uint64_t kept;       /* bytes, by the reader's count */
	uint64_t put;        /* bytes, by the spooler's */
	uint64_t spooled;    /* the end of what was written to the spool */
	bool reader_left;
	struct worker producer, hasher, spooler;
};

/* ---- threads ---- */

static int produce(struct stage *s, struct unik_err *err)
{
	for (;;) {
		struct unik_chunk *c = unik_ring_take(s->ring, err);
		size_t got;

		if (c && s->opt.stop && *s->opt.stop)
			return unik_fail_io(err, "interrupted");
		if (!c || unik_source_read(s->src, c->data, UNIK_CHUNK, &got,
					   err) < 0)
			return -1;
		if (got == 0)
			return 0;
		s->size += got;
		if (s->size > s->opt.max_size)
			return unik_fail(err, "more than %llu bytes "
					 "(--max-layer-size)",
					 (unsigned long long)s->opt.max_size);
		if (s->opt.hash == UNIK_STAGE_READER &&
		    unik_hash_update(&s->hash, c->data, got, err) < 0)
			return -1;
		c->size = got;
		unik_ring_publish(s->ring, c);
	}
}

static void *producer_main(void *arg)
{
	struct stage *s = ((struct worker *)arg)->stage;
	struct unik_err err;

	unik_ring_end(s->ring, produce(s, &err) < 0 ? &err : NULL);
	return NULL;
}

/* All chunks are full, but for the last one. */
static struct keep *keep_of(const struct stage *s, const struct unik_chunk *c)
{
	return &s->keeps[c->pos / UNIK_CHUNK % s->opt.chunks];
}

static bool all_zero(const struct keep *k)
{
	size_t i;

	for (i = 0; i < k->n; i++)
		if (!unik_all_zero(k->v[i].iov_base, k->v[i].iov_len))
			return false;
	return true;
}

/* Zeros need not be stored.  The reader is done with the chunk. */
static int to_spool(struct stage *s, const struct unik_chunk *c,
		    struct unik_err *err)
{
	struct keep *k = keep_of(s, c);
	uint64_t at = s->put, sum = k->sum;
	size_t n = k->n;

	s->put += sum;
	if (sum > 0 && !all_zero(k)) {
		s->spooled = s->put;
		if (unik_pwritev_all(s->opt.spool_fd, k->v, n, sum, at,
				     err) < 0)
			return -1;
	}
	k->n = 0;
	k->sum = 0;
	return 0;
}

static int consume(struct worker *w, const struct unik_chunk *c,
		   struct unik_err *err)
{
	struct stage *s = w->stage;

	if (w == &s->hasher)
		return unik_hash_update(&s->hash, c->data, c->size, err);
	return to_spool(s, c, err);
}

static void *consumer_main(void *arg)
{
	struct worker *w = arg;
	const struct unik_chunk *c;
	struct unik_err err;

	while (unik_ring_next(w->stage->ring, w->index, &c, &err) == 0) {
		if (consume(w, c, &err) < 0) {
			unik_ring_leave(w->stage->ring, w->index, &err);
			break;
		}
	}
	return NULL;
}

static int start(struct stage *s, struct worker *w, int index,
		 void *(*main)(void *), struct unik_err *err)
{
	int rc;

	w->stage = s;
	w->index = index;
	rc = pthread_create(&w->thread, NULL, main, w);
	if (rc != 0) {
		errno = rc;
		return unik_fail_sys(err, "can't start a thread");
	}
	w->running = true;
	return 0;
}

static void join(struct worker *w)
{
	if (w->running)
		pthread_join(w->thread, NULL);
	w->running = false;
}

/* ---- the source ---- */

/* The chunk at hand is about to be given back. */
static int hash_due(struct stage *s, struct unik_err *err)
{
	size_t n = s->ndue;

	s->ndue = 0;
	return n > 0 ? unik_lane_update(&s->lane, s->due, n, err) : 0;
}

static int stage_fill(struct unik_source *base, struct unik_err *err)
{
	struct stage *s = (struct stage *)base;
	const struct unik_chunk *c;
	int rc;

	if (hash_due(s, err) < 0)
		return -1;
	rc = unik_ring_next(s->ring, READER, &c, err);
	if (rc != 0)
		return rc;
	s->base.cur = c->data;
	s->base.avail = c->size;
	if (s->keeps)
		s->keep = keep_of(s, c);
	if (s->opt.hash == UNIK_STAGE_TAKER) {
		s->due = c->data;
		s->ndue = c->size;
	}
	return 0;
}

/* How many bytes of the stage's own go beside n of the lane, so that both have
 * the same number of whole blocks, and ours then ends with one. */
static size_t share(const struct stage *s, const struct unik_lane *lane,
		    size_t n)
{
	size_t begun = (size_t)(-lane->size % UNIK_LANE_BLOCK);
	size_t ours = (size_t)(-s->lane.size % UNIK_LANE_BLOCK);
	size_t m;

	if (n < begun + UNIK_LANE_BLOCK)
		return 0;
	m = ours + (n - begun) / UNIK_LANE_BLOCK * UNIK_LANE_BLOCK;
	return m < s->ndue ? m : s->ndue;
}

int unik_stage_hash(struct unik_source *base, struct unik_lane *lane,
		    const void *data, size_t n, struct unik_err *err)
{
	struct stage *s = (struct stage *)base;
	size_t m = share(s, lane, n);
	const uint8_t *due = s->due;

	if (m == 0)
		return unik_lane_update(lane, data, n, err);
	s->due += m;
	s->ndue -= m;
	return unik_lanes_update(lane, data, n, &s->lane, due, m, err);
}

int unik_stage_keep(struct unik_source *base, const void *data, size_t n,
		    struct unik_err *err)
{
	struct stage *s = (struct stage *)base;
	uint8_t *p = (uint8_t *)(uintptr_t)data; /* it is only read */
	struct keep *k = s->keep;
	struct iovec *last;

	if (!k || n == 0)
		return 0;
	last = k->n > 0 ? &k->v[k->n - 1] : NULL;
	if (last && (uint8_t *)last->iov_base + last->iov_len == p)
		last->iov_len += n;
	else if (k->n < KEEPS)
		k->v[k->n++] = (struct iovec){ p, n };
	else
		return unik_fail_io(err, "too many parts of a chunk");
	k->sum += n;
	s->kept += n;
	return 0;
}

uint64_t unik_stage_kept(const struct unik_source *base)
{
	return ((const struct stage *)base)->kept;
}

static void stage_free(struct unik_source *base)
{
	const struct unik_err aborted = { UNIK_EIO, 0, "aborted" };
	struct stage *s = (struct stage *)base;

	if (s->ring && !s->reader_left)
		unik_ring_leave(s->ring, READER, &aborted);
	if (s->ring && !s->producer.running)
		unik_ring_end(s->ring, &aborted); /* it never started */
	join(&s->producer);
	join(&s->hasher);
	join(&s->spooler);
	unik_ring_free(s->ring);
	free(s->keeps);
	unik_hash_release(&s->hash);
	unik_lane_release(&s->lane);
	free(s);
}

static const struct unik_source_ops stage_ops = {
	.fill = stage_fill,
	.free = stage_free,
};

static int stage_start(struct stage *s, struct unik_err *err)
{
	int n = 1; /* the reader is consumer 0 */
	bool spool = s->opt.spool_fd >= 0;
	bool behind = s->opt.hash == UNIK_STAGE_BEHIND;

	if (s->opt.chunks == 0 || s->opt.chunks > UNIK_RING_CHUNKS)
		s->opt.chunks = UNIK_RING_CHUNKS;
	if (spool)
		s->keeps = calloc(s->opt.chunks, sizeof(*s->keeps));
	if (spool && !s->keeps)
		return unik_fail_mem(err);
	if (unik_ring_new(&s->ring, 1 + behind + spool, s->opt.chunks, err) < 0)
		return -1;
	if (s->opt.hash == UNIK_STAGE_TAKER) {
		if (unik_lane_init(&s->lane, err) < 0)
			return -1;
	} else if (s->opt.hash != UNIK_STAGE_NO_HASH &&
		   unik_hash_init(&s->hash, s->opt.algo, err) < 0) {
		return -1;
	}
	if (behind && start(s, &s->hasher, n++, consumer_main, err) < 0)
		return -1;
	if (spool) {
		unik_ring_follow(s->ring, n, READER);
		if (start(s, &s->spooler, n, consumer_main, err) < 0)
			return -1;
	}
	return start(s, &s->producer, 0, producer_main, err);
}

int unik_stage_new(struct unik_source **out, struct unik_source *src,
		   const struct unik_stage_options *opt, struct unik_err *err)
{
	struct stage *s = calloc(1, sizeof(*s));

	if (!s)
		return unik_fail_mem(err);
	s->base.ops = &stage_ops;
	s->src = src;
	s->opt = *opt;
	if (stage_start(s, err) < 0) {
		stage_free(&s->base);
		return -1;
	}
	*out = &s->base;
	return 0;
}

int unik_stage_finish(struct unik_source *base, struct unik_digest *digest,
		      uint64_t *size, struct unik_err *err)
{
	struct stage *s = (struct stage *)base;
	const uint8_t *data;
	size_t n;
	int rc;

	while ((rc = unik_source_peek(base, &data, &n, err)) == 0)
		unik_source_advance(base, n);
	if (rc < 0)
		return -1;
	join(&s->producer);
	join(&s->hasher);
	join(&s->spooler);
	/* A consumer may have failed on the very last chunk. */
	s->base.ended = true;
	rc = unik_ring_next(s->ring, READER,
			    &(const struct unik_chunk *){ NULL }, err);
	if (rc < 0)
		return -1;
	*size = s->size;
	if (s->spooled < s->kept &&
	    ftruncate(s->opt.spool_fd, (off_t)s->kept) < 0)
		return unik_fail_sys(err, "can't write");
	if (!digest || s->opt.hash == UNIK_STAGE_NO_HASH)
		return 0;
	if (s->opt.hash == UNIK_STAGE_TAKER)
		return unik_lane_final(&s->lane, digest, err);
	return unik_hash_final(&s->hash, digest, err);
}
