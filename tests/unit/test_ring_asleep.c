/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ring: however far apart its ends fell asleep, the last one that is awake
 * wakes the others; nobody sleeps for good beside work. */
#define _GNU_SOURCE
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

#include "core.h"
#include "ring.h"

enum { LEADER, OTHER, FOLLOWER, PRODUCER, ENDS, CHUNKS = 150 };

/* A thread at one end of the ring, which asks for chunks as it is allowed. */
struct end {
	struct unik_ring *ring;
	int index;
	atomic_int allowed; /* calls, of next or of take */
	atomic_int done;
	atomic_int tid;
	pthread_t thread;
};

/* Runs while it waits, so that who sleeps, sleeps in the ring. */
static void wait_for(const atomic_int *have, int want)
{
	while (*have < want)
		sched_yield();
}

static void *end_main(void *arg)
{
	struct end *e = arg;
	const struct unik_chunk *seen;
	struct unik_chunk *c;
	struct unik_err failure;

	e->tid = gettid();
	for (;;) {
		wait_for(&e->allowed, e->done + 1);
		if (e->index != PRODUCER) {
			if (unik_ring_next(e->ring, e->index, &seen,
					   &failure) != 0)
				return NULL;
		} else if (e->done == CHUNKS) {
			unik_ring_end(e->ring, NULL);
			return NULL;
		} else {
			c = unik_ring_take(e->ring, &failure);
			c->size = 1;
			unik_ring_publish(e->ring, c);
		}
		e->done++;
	}
}

static void start(struct end *e, struct unik_ring *ring, int index)
{
	*e = (struct end){ .ring = ring, .index = index };
	must(pthread_create(&e->thread, NULL, end_main, e));
	wait_for(&e->tid, 1);
}

/* Until the kernel says that the thread sleeps. */
static void wait_asleep(const struct end *e)
{
	char path[64], text[512];
	char *p;
	size_t n;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", e->tid);
	do {
		FILE *f = fopen(path, "r");

		must(!f);
		n = fread(text, 1, sizeof(text) - 1, f);
		fclose(f);
		text[n] = '\0';
		p = strrchr(text, ')'); /* "TID (name) S ..." */
		must(!p);
	} while (p[2] != 'S');
}

static void allow(struct end *e, int calls)
{
	e->allowed = calls;
}

/* The follower falls asleep when the leader is done with f chunks, the leader
 * when t are published, the producer when the ring is full; then the other
 * consumer, which slept at none, empties it. */
static bool sleeps_well(unsigned room, int f, int t)
{
	struct end e[ENDS];
	struct unik_ring *ring;
	bool good = true;
	int i;

	must(unik_ring_new(&ring, 3, room, &err));
	unik_ring_follow(ring, FOLLOWER, LEADER);
	for (i = 0; i < ENDS; i++)
		start(&e[i], ring, i);
	allow(&e[PRODUCER], t);
	wait_for(&e[PRODUCER].done, t);
	allow(&e[LEADER], f + 1); /* holds chunk f: done with f */
	wait_for(&e[LEADER].done, f + 1);
	allow(&e[FOLLOWER], INT_MAX);
	wait_for(&e[FOLLOWER].done, f);
	wait_asleep(&e[FOLLOWER]);
	allow(&e[LEADER], INT_MAX);
	wait_for(&e[LEADER].done, t);
	wait_asleep(&e[LEADER]);
	allow(&e[PRODUCER], INT_MAX);
	wait_for(&e[PRODUCER].done, (int)room);
	wait_asleep(&e[PRODUCER]);
	allow(&e[OTHER], INT_MAX);
	for (i = 0; i < ENDS; i++) {
		pthread_join(e[i].thread, NULL);
		good &= e[i].done == CHUNKS;
	}
	unik_ring_free(ring);
	return good;
}

static void test_room(unsigned room)
{
	bool good = true;
	int f, t;

	for (t = 1; t <= (int)room; t++)
		for (f = 0; f < t; f++)
			good &= sleeps_well(room, f, t);
	ok(good, "a ring of %u chunks, all places to fall asleep", room);
}

/* With all consumers asleep, one core is idle: few chunks must do. */
static void test_few(void)
{
	struct end e[ENDS];
	struct unik_ring *ring;
	int i;

	must(unik_ring_new(&ring, 2, UNIK_RING_CHUNKS, &err));
	start(&e[LEADER], ring, LEADER);
	start(&e[OTHER], ring, OTHER);
	start(&e[PRODUCER], ring, PRODUCER);
	for (i = LEADER; i <= OTHER; i++) {
		allow(&e[i], INT_MAX);
		wait_asleep(&e[i]);
	}
	allow(&e[PRODUCER], 4);
	wait_for(&e[LEADER].done, 4);
	wait_for(&e[OTHER].done, 4); /* or the alarm goes off */
	allow(&e[PRODUCER], INT_MAX);
	pthread_join(e[PRODUCER].thread, NULL);
	for (i = LEADER; i <= OTHER; i++)
		pthread_join(e[i].thread, NULL);
	ok(e[LEADER].done == CHUNKS && e[OTHER].done == CHUNKS,
	   "all consumers asleep are woken for a few");
	unik_ring_free(ring);
}

int main(void)
{
	unsigned room;

	alarm(300); /* who sleeps for good fails the test */
	for (room = 1; room <= 9; room++)
		test_room(room);
	test_room(UNIK_RING_CHUNKS - 1);
	test_room(UNIK_RING_CHUNKS);
	test_few();
	return tap_done();
}
