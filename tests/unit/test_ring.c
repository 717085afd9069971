/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ring: every consumer sees every chunk in order; who leaves stops nobody that
 * need not stop, and nothing hangs. */
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "core.h"
#include "ring.h"

struct consumer {
	struct unik_ring *ring;
	int index;
	int leave_after;  /* chunks; -1: never */
	const char *cause; /* of leaving; NULL: content */
	int lazy;         /* yields between chunks */
	bool follows;     /* the first of all */
	int seen;
	uint64_t pos;
	bool wrong;
	int end; /* what the last call gave */
	struct unik_err err;
};

/* How many chunks the first consumer is done with; all, when it has left. */
static atomic_int led;

static void look(struct consumer *c, const struct unik_chunk *k)
{
	uint64_t i;

	c->wrong |= k->pos != c->pos || (c->follows && c->seen >= led);
	for (i = 0; !k->zeros && i < k->size; i++)
		c->wrong |= k->data[i] != (uint8_t)(k->pos + i);
	c->pos += k->size;
	c->seen++;
}

static void *consumer_main(void *arg)
{
	struct consumer *c = arg;
	const struct unik_chunk *k;
	struct unik_err cause = { UNIK_EIO, 0, "" };
	int i;

	for (;;) {
		if (c->seen == c->leave_after)
			break;
		if (c->index == 0)
			led = c->seen;
		c->end = unik_ring_next(c->ring, c->index, &k, &c->err);
		if (c->end != 0)
			return NULL;
		look(c, k);
		for (i = 0; i < c->lazy; i++)
			sched_yield();
	}
	if (c->index == 0)
		led = INT_MAX;
	if (c->cause)
		strcpy(cause.msg, c->cause);
	unik_ring_leave(c->ring, c->index, c->cause ? &cause : NULL);
	c->end = 2;
	return NULL;
}

/* Chunks of odd sizes, some zeros; how many were taken. */
static int produce(struct unik_ring *r, int n, const char *failure)
{
	struct unik_err cause = { UNIK_EBAD, 0, "" };
	uint64_t pos = 0;
	int i, j;

	for (i = 0; i < n; i++) {
		struct unik_chunk *c = unik_ring_take(r, &err);

		if (!c)
			break;
		c->size = (uint64_t)(i * 37 % 101);
		c->zeros = i % 5 == 4;
		if (c->zeros)
			c->size = UINT64_C(1) << 33;
		for (j = 0; !c->zeros && j < (int)c->size; j++)
			c->data[j] = (uint8_t)(pos + (uint64_t)j);
		pos += c->size;
		unik_ring_publish(r, c);
	}
	if (failure)
		strcpy(cause.msg, failure);
	unik_ring_end(r, failure ? &cause : NULL);
	return i;
}

static unsigned room; /* chunks of the ring */

static int run(struct consumer *c, int nconsumers, int nchunks,
	       const char *failure)
{
	pthread_t threads[UNIK_RING_CONSUMERS];
	struct unik_ring *ring;
	int made, i;

	must(unik_ring_new(&ring, nconsumers, room, &err));
	led = 0;
	for (i = 0; i < nconsumers; i++) {
		if (c[i].follows)
			unik_ring_follow(ring, i, 0);
		c[i].ring = ring;
		c[i].index = i;
		must(pthread_create(&threads[i], NULL, consumer_main, &c[i]));
	}
	made = produce(ring, nchunks, failure);
	for (i = 0; i < nconsumers; i++)
		pthread_join(threads[i], NULL);
	unik_ring_free(ring);
	return made;
}

enum { MANY = 500 };

static void test_order(void)
{
	int n, i;

	for (n = 1; n <= UNIK_RING_CONSUMERS; n++) {
		struct consumer c[UNIK_RING_CONSUMERS] = { 0 };
		bool good;

		for (i = 0; i < n; i++) {
			c[i].leave_after = -1;
			c[i].lazy = i * 3;
		}
		good = run(c, n, MANY, NULL) == MANY;
		for (i = 0; i < n; i++)
			good &= c[i].seen == MANY && !c[i].wrong &&
				c[i].end == 1 && c[i].pos == c[0].pos;
		ok(good, "%d consumers see all of %u chunks in order", n,
		   room);
	}
	ok(run(NULL, 0, MANY, NULL) == MANY, "no consumer: nobody waits");
}

/* Who follows another one sees what that one is done with, and no more. */
static void test_follower(void)
{
	static const struct { int after; const char *cause, *failure; } rows[] =
		{ { -1, NULL, NULL }, { 7, NULL, NULL }, { -1, NULL, "cut" },
		  { 7, "full", NULL } };
	size_t k;
	int lazy;

	for (k = 0; k < COUNT(rows); k++) {
		bool good = true;

		for (lazy = 0; lazy < 12; lazy++) {
			struct consumer c[3] = {
				{ .leave_after = rows[k].after,
				  .cause = rows[k].cause, .lazy = lazy % 4 },
				{ .leave_after = -1, .lazy = 3 - lazy % 4 },
				{ .leave_after = -1, .follows = true,
				  .lazy = lazy / 4 } };
			int n = run(c, 3, MANY, rows[k].failure);
			int want = rows[k].cause || rows[k].failure ? -1 : 1;

			good &= !c[2].wrong && c[2].seen == n &&
				c[2].end == want && c[1].seen == n;
		}
		ok(good, "a follower, %zu, %u chunks", k, room);
	}
}

static void test_content_leaver(void)
{
	struct consumer c[3] = { { .leave_after = 3 }, { .leave_after = -1 },
				 { .leave_after = 0 } };
	bool good = run(c, 3, MANY, NULL) == MANY;

	ok(good && c[0].seen == 3 && c[1].seen == MANY && c[1].end == 1 &&
		   c[2].seen == 0,
	   "who is content and leaves holds up nobody");
	c[0] = (struct consumer){ .leave_after = 1 };
	ok(run(c, 1, MANY, NULL) == MANY, "not even when nobody is left");
}

static void test_failed_leaver(void)
{
	struct consumer c[2] = { { .leave_after = 5, .cause = "disk full" },
				 { .leave_after = -1, .lazy = 2 } };
	int made = run(c, 2, 1 << 20, NULL);

	ok(made < 100 && strcmp(err.msg, "disk full") == 0,
	   "the failure of a consumer stops the producer");
	ok(c[1].end == -1 && !c[1].wrong &&
		   strcmp(c[1].err.msg, "disk full") == 0,
	   "and the other consumer hears of it");
}

static void test_two_failures(void)
{
	struct consumer c[2] = { { .leave_after = 1, .cause = "first" },
				 { .leave_after = 40, .cause = "second" } };

	run(c, 2, 1 << 20, NULL);
	ok(strcmp(err.msg, "first") == 0, "the first failure counts");
}

static void test_failed_producer(void)
{
	struct consumer c[2] = { { .leave_after = -1, .lazy = 1 },
				 { .leave_after = -1 } };
	bool good = run(c, 2, 3, "cut short") == 3;
	int i;

	for (i = 0; i < 2; i++)
		good &= c[i].seen == 3 && c[i].end == -1 &&
			c[i].err.code == UNIK_EBAD &&
			strcmp(c[i].err.msg, "cut short") == 0;
	ok(good, "the failure of the producer comes behind its chunks");
}

/* The producer never runs ahead by more chunks than there are. */
static void test_bound(void)
{
	struct unik_ring *ring;
	const struct unik_chunk *seen;
	struct unik_chunk *c;
	bool good = true;
	int i;

	must(unik_ring_new(&ring, 1, 0, &err));
	for (i = 0; i < UNIK_RING_CHUNKS; i++) {
		c = unik_ring_take(ring, &err);
		good &= ((uintptr_t)c->data & 4095) == 0;
		c->size = 1;
		unik_ring_publish(ring, c);
	}
	must(unik_ring_next(ring, 0, &seen, &err));
	good &= seen->pos == 0;
	must(unik_ring_next(ring, 0, &seen, &err)); /* gives 0 back */
	c = unik_ring_take(ring, &err);
	good &= c && c != seen;
	ok(good, "a chunk is free again when the next one is asked for");
	unik_ring_free(ring);
	unik_ring_free(NULL);
}

/* Asking whether there is more gives a chunk back, and waits for nobody. */
static void test_waits(void)
{
	struct unik_ring *ring;
	const struct unik_chunk *seen;
	struct unik_chunk *c, *again;
	bool good = true;

	must(unik_ring_new(&ring, 1, 1, &err));
	good &= unik_ring_waits(ring, 0);
	c = unik_ring_take(ring, &err);
	good &= unik_ring_waits(ring, 0);
	unik_ring_publish(ring, c);
	good &= !unik_ring_waits(ring, 0);
	must(unik_ring_next(ring, 0, &seen, &err));
	good &= unik_ring_waits(ring, 0);
	again = unik_ring_take(ring, &err); /* would hang, were it not back */
	good &= again == c;
	unik_ring_end(ring, NULL);
	good &= !unik_ring_waits(ring, 0) &&
		unik_ring_next(ring, 0, &seen, &err) == 1;
	ok(good, "whether there is more");
	unik_ring_free(ring);
}

int main(void)
{
	for (room = 1; room <= 33; room += room < 4 ? 1 : 29) {
		test_order();
		test_follower();
	}
	room = 0;
	test_order();
	test_follower();
	test_content_leaver();
	test_failed_leaver();
	test_two_failures();
	test_failed_producer();
	test_bound();
	test_waits();
	return tap_done();
}
