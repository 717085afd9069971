/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ring.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Chunks for which who sleeps is woken while all but one sleep. */
#define FEW 4

struct unik_ring {
	pthread_mutex_t lock;
	pthread_cond_t filled; /* a chunk was published, or the end */
	pthread_cond_t freed;  /* a consumer moved on, or gave up */
	uint8_t *memory;
	struct unik_chunk chunk[UNIK_RING_CHUNKS];
	uint64_t head;         /* chunks published */
	uint64_t pos;          /* bytes published */
	uint64_t tail[UNIK_RING_CONSUMERS]; /* chunks given back */
	bool left[UNIK_RING_CONSUMERS];
	bool holding[UNIK_RING_CONSUMERS];  /* chunk `tail` is being used */
	bool asleep[UNIK_RING_CONSUMERS];
	int leader[UNIK_RING_CONSUMERS];    /* whom it follows, or -1 */
	bool producer_asleep;
	int nconsumers;
	unsigned nchunks;
	unsigned batch;        /* chunks for which who sleeps is woken */
	bool ended;
	bool broken;           /* a consumer gave up for `failure` */
	bool failed;           /* the producer failed with `failure` */
	struct unik_err failure;
};

/* A line is the producer, a consumer, and one that follows it: all may sleep
 * at once, each with one chunk less to do than it is woken for.  Then
 * (line - 1) * (batch - 1) chunks are in use, and the producer, which is woken
 * where nchunks - batch or less are, must not be asleep for good: so a batch
 * is an nth of the ring, n being the line's length. */
static void set_batch(struct unik_ring *r, unsigned line)
{
	r->batch = r->nchunks > line ? r->nchunks / line : 1;
}

int unik_ring_new(struct unik_ring **out, int nconsumers, unsigned nchunks,
		  struct unik_err *err)
{
	struct unik_ring *r = calloc(1, sizeof(*r));
	size_t i;

	if (!r)
		return unik_fail_mem(err);
	r->nchunks = nchunks == 0 || nchunks > UNIK_RING_CHUNKS
			     ? UNIK_RING_CHUNKS : nchunks;
	set_batch(r, 2);
	r->memory = aligned_alloc(4096, (size_t)UNIK_CHUNK * r->nchunks);
	if (!r->memory) {
		free(r);
		return unik_fail_mem(err);
	}
	for (i = 0; i < r->nchunks; i++)
		r->chunk[i].data = r->memory + i * UNIK_CHUNK;
	for (i = 0; i < UNIK_RING_CONSUMERS; i++)
		r->leader[i] = -1;
	r->nconsumers = nconsumers;
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->filled, NULL);
	pthread_cond_init(&r->freed, NULL);
	*out = r;
	return 0;
}

void unik_ring_free(struct unik_ring *r)
{
	if (!r)
		return;
	pthread_cond_destroy(&r->freed);
	pthread_cond_destroy(&r->filled);
	pthread_mutex_destroy(&r->lock);
	free(r->memory);
	free(r);
}

void unik_ring_follow(struct unik_ring *r, int i, int leader)
{
	pthread_mutex_lock(&r->lock); /* others may wait for chunks already */
	r->leader[i] = leader;
	set_batch(r, 3);
	pthread_mutex_unlock(&r->lock);
}

/* The slowest consumer's place; the head where all have left. */
static uint64_t slowest(const struct unik_ring *r)
{
	uint64_t min = r->head;
	int i;

	for (i = 0; i < r->nconsumers; i++)
		if (!r->left[i] && r->tail[i] < min)
			min = r->tail[i];
	return min;
}

/* So many chunks are there for consumer i, from the first one on. */
static uint64_t ready(const struct unik_ring *r, int i)
{
	int leader = r->leader[i];

	return leader < 0 || r->left[leader] ? r->head : r->tail[leader];
}

/* For how many chunks who sleeps is woken: for a batch, as long as others keep
 * two cores busy. */
static unsigned enough(const struct unik_ring *r)
{
	int awake = !r->producer_asleep && !r->ended, i;

	for (i = 0; i < r->nconsumers; i++)
		awake += !r->asleep[i] && !r->left[i];
	return awake > 1 || r->batch < FEW ? r->batch : FEW;
}

/* Chunks that a consumer has, though it sleeps. */
static uint64_t waiting_for(const struct unik_ring *r, int i)
{
	return r->asleep[i] ? ready(r, i) - r->tail[i] : 0;
}

static void wake_consumers(struct unik_ring *r, unsigned many)
{
	uint64_t most = 0;
	int i;

	for (i = 0; i < r->nconsumers; i++)
		if (waiting_for(r, i) > most)
			most = waiting_for(r, i);
	if (most < many)
		return;
	for (i = 0; i < r->nconsumers; i++)
		if (waiting_for(r, i) > 0)
			r->asleep[i] = false;
	pthread_cond_broadcast(&r->filled);
}

/* Wakes those who have enough to do.  Called with the lock held, whenever one
 * has more to do, or falls asleep. */
static void wake(struct unik_ring *r)
{
	unsigned many = enough(r);

	wake_consumers(r, r->ended ? 1 : many);
	if (r->producer_asleep && r->head - slowest(r) <= r->nchunks - many) {
		r->producer_asleep = false;
		pthread_cond_signal(&r->freed);
	}
}

struct unik_chunk *unik_ring_take(struct unik_ring *r, struct unik_err *err)
{
	struct unik_chunk *c = NULL;

	pthread_mutex_lock(&r->lock);
	while (!r->broken && r->head - slowest(r) >= r->nchunks) {
		r->producer_asleep = true;
		wake(r);
		pthread_cond_wait(&r->freed, &r->lock);
		r->producer_asleep = false;
	}
	if (r->broken)
		*err = r->failure;
	else
		c = &r->chunk[r->head % r->nchunks];
	pthread_mutex_unlock(&r->lock);
	if (c) {
		c->size = 0;
		c->zeros = false;
	}
	return c;
}

void unik_ring_publish(struct unik_ring *r, struct unik_chunk *c)
{
	pthread_mutex_lock(&r->lock);
	c->pos = r->pos;
	r->pos += c->size;
	r->head++;
	wake(r);
	pthread_mutex_unlock(&r->lock);
}

void unik_ring_end(struct unik_ring *r, const struct unik_err *cause)
{
	pthread_mutex_lock(&r->lock);
	r->ended = true;
	if (cause && !r->broken) {
		r->failed = true;
		r->failure = *cause;
	}
	pthread_cond_broadcast(&r->filled);
	pthread_mutex_unlock(&r->lock);
}

/* Called with the lock held. */
static void give_back(struct unik_ring *r, int i)
{
	if (!r->holding[i])
		return;
	r->holding[i] = false;
	r->tail[i]++;
	wake(r);
}

bool unik_ring_waits(struct unik_ring *r, int i)
{
	bool waits;

	pthread_mutex_lock(&r->lock);
	give_back(r, i);
	waits = !r->ended && r->tail[i] == ready(r, i);
	pthread_mutex_unlock(&r->lock);
	return waits;
}

int unik_ring_next(struct unik_ring *r, int i, const struct unik_chunk **out,
		   struct unik_err *err)
{
	int rc = 0;

	pthread_mutex_lock(&r->lock);
	give_back(r, i);
	while (r->tail[i] == ready(r, i) &&
	       !(r->ended && r->tail[i] == r->head)) {
		r->asleep[i] = true;
		wake(r);
		pthread_cond_wait(&r->filled, &r->lock);
		r->asleep[i] = false;
	}
	if (r->tail[i] < ready(r, i)) {
		*out = &r->chunk[r->tail[i] % r->nchunks];
		r->holding[i] = true;
	} else if (r->failed || r->broken) {
		*err = r->failure;
		rc = -1;
	} else {
		rc = 1;
	}
	pthread_mutex_unlock(&r->lock);
	return rc;
}

void unik_ring_leave(struct unik_ring *r, int i, const struct unik_err *cause)
{
	pthread_mutex_lock(&r->lock);
	r->left[i] = true;
	if (cause && !r->broken && !r->failed) {
		r->broken = true;
		r->failure = *cause;
	}
	pthread_cond_signal(&r->freed);
	pthread_cond_broadcast(&r->filled); /* who follows need not wait */
	pthread_mutex_unlock(&r->lock);
}
