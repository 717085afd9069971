/* SPDX-License-Identifier: GPL-3.0-or-later */
/* verify: pieces of work side by side, their findings in order. */
#include <pthread.h>
#include <stdlib.h>

#include "threads.h"
#include "verify_private.h"

struct slot {
	struct findings findings;
	bool done;
};

struct run {
	struct verify *v;
	void (*work)(void *data, size_t i, struct findings *f);
	void *data;
	size_t n;
	struct slot *slots;
	/* Shared by the threads: */
	pthread_mutex_t lock;
	size_t next;    /* to be taken */
	size_t emitted; /* all before it are */
	bool failed;
	struct unik_err err;
};

int verify_stopped(const struct verify *v, struct unik_err *err)
{
	return v->opt->stop && *v->opt->stop ? unik_fail_io(err, "interrupted")
					     : 0;
}

static size_t take(struct run *r)
{
	size_t i;

	pthread_mutex_lock(&r->lock);
	if (!r->failed && verify_stopped(r->v, &r->err) < 0)
		r->failed = true;
	i = r->failed ? r->n : r->next;
	if (i < r->n)
		r->next++;
	pthread_mutex_unlock(&r->lock);
	return i;
}

/* Whatever is complete up to the first piece that is still at work. */
static void give(struct run *r, size_t i)
{
	pthread_mutex_lock(&r->lock);
	r->slots[i].done = true;
	while (!r->failed && r->emitted < r->n && r->slots[r->emitted].done) {
		if (verify_emit(r->v, &r->slots[r->emitted].findings,
				&r->err) < 0)
			r->failed = true;
		r->emitted++;
	}
	pthread_mutex_unlock(&r->lock);
}

static void *worker(void *arg)
{
	struct run *r = arg;
	size_t i;

	while ((i = take(r)) < r->n) {
		r->work(r->data, i, &r->slots[i].findings);
		give(r, i);
	}
	return NULL;
}

int verify_run(struct verify *v, size_t n,
	       void (*work)(void *data, size_t i, struct findings *f),
	       void *data, struct unik_err *err)
{
	struct run r = { .v = v, .work = work, .data = data, .n = n };
	size_t jobs = v->opt->jobs ? v->opt->jobs : 1, i;
	int rc;

	r.slots = calloc(n + 1, sizeof(*r.slots));
	if (!r.slots)
		return unik_fail_mem(err);
	pthread_mutex_init(&r.lock, NULL);
	rc = unik_threads_run(jobs < n ? jobs : n, worker, &r, err);
	pthread_mutex_destroy(&r.lock);
	for (i = 0; i < n; i++)
		findings_release(&r.slots[i].findings);
	free(r.slots);
	if (rc == 0 && r.failed) {
		*err = r.err;
		rc = -1;
	}
	return rc;
}
