/* SPDX-License-Identifier: GPL-3.0-or-later */
/* layer: digests in place: what each thread does. */
#include <stdlib.h>
#include <string.h>

#include "layer_contents_private.h"

/* Small files are taken from the order in runs of about this size. */
#define BATCH (256u << 10)
#define BATCH_FILES 64
/* What is read at once for a lane. */
#define ROOM (64u << 10)

struct worker {
	struct unik_contents *c;
	unsigned width;  /* lanes */
	unsigned active; /* of them */
	unsigned nbig;   /* big files in them */
	bool holds;      /* the whole, too */
	bool exhausted;  /* there are no files to be taken any more */
	struct stream s[UNIK_LANES];
};

/* ---- what to do next; called with the lock held ---- */

static uint64_t end_of(const struct unik_inode *inode)
{
	return inode->content->npieces > 0
		       ? 0 : inode->content->offset + inode->size;
}

static void take_small(struct unik_contents *c, struct stream *s)
{
	struct unik_inode *const *inodes = c->layer->tree->inodes;
	uint64_t sum = 0;

	s->next = c->next_small;
	s->span = 0;
	while (c->next_small < c->norder && sum < BATCH &&
	       c->next_small - s->next < BATCH_FILES) {
		const struct unik_inode *inode =
			inodes[c->order[c->next_small++]];

		sum += inode->size;
		if (end_of(inode) > s->span)
			s->span = end_of(inode);
	}
	s->end = c->next_small;
	s->big = false;
}

/* Big files are shared out evenly, for a thread can't help another one with
 * those that it has begun. */
static bool take_big(struct unik_contents *c, struct worker *w,
		     struct stream *s)
{
	size_t left = c->nbig - c->big_done;

	if (c->next_big == c->nbig ||
	    w->nbig >= (left + c->nthreads - 1) / c->nthreads)
		return false;
	s->next = c->next_big++;
	s->end = c->next_big;
	s->span = 0;
	s->big = true;
	w->nbig++;
	return true;
}

static bool take(struct unik_contents *c, struct worker *w, struct stream *s)
{
	if (!c->ready)
		return false;
	if (take_big(c, w, s))
		return true;
	if (c->next_small == c->norder) {
		w->exhausted = c->next_big == c->nbig;
		return false;
	}
	take_small(c, s);
	return true;
}

/* The image's thread comes first; and it will come, if every core is needed for
 * something else till then.  The walk needs two cores, and all wait for it:
 * what is left of them goes to unik_contents_spare(). */
static bool is_withheld(const struct unik_contents *c)
{
	unsigned cores = unik_contents_cores(c);

	return c->wanted || (!c->ready && cores < 3) ||
	       (!c->alone && c->opt.cores && c->opt.later &&
		unik_lanes_fast() && cores < 2);
}

/* The whole goes to a thread that has nothing else to do, or to one with a
 * single file, if all have files. */
static void share_whole(struct unik_contents *c, struct worker *w)
{
	bool withheld = is_withheld(c);
	bool fits = w->active == 0 ||
		    (w->active == 1 && w->width > 1 && c->idle == 0);

	if (w->holds && (!fits || withheld || c->finished)) {
		w->holds = false;
		c->held = false;
		pthread_cond_broadcast(&c->moved);
	} else if (!w->holds && fits && !withheld && !c->held &&
		   !c->finished) {
		w->holds = true;
		c->held = true;
	}
}

static int take_files(struct unik_contents *c, struct worker *w,
		      struct unik_err *err)
{
	unsigned i;

	for (i = 0; i < w->width; i++) {
		struct stream *s = &w->s[i];

		if (s->state != STREAM_IDLE || !take(c, w, s))
			continue;
		w->active++;
		if (unik_stream_init(s, ROOM, err) < 0 ||
		    unik_stream_file(c, s, err) < 0)
			return -1;
	}
	return 0;
}

int unik_contents_spare(struct unik_contents *c, struct unik_err *err)
{
	struct stream *s = &c->whole;
	bool free;
	size_t n;
	int rc;

	pthread_mutex_lock(&c->lock);
	free = !c->held && !c->finished && unik_contents_cores(c) == 2;
	if (free)
		c->held = true;
	pthread_mutex_unlock(&c->lock);
	if (!free)
		return 1;
	rc = unik_stream_fill(c, s, err);
	n = s->state == STREAM_IDLE ? 0 : s->n / UNIK_LANE_BLOCK;
	if (rc == 0 && n > 0)
		rc = unik_lane_update(&s->scan.hash, s->p, n * UNIK_LANE_BLOCK,
				      err);
	if (rc == 0 && n > 0)
		rc = unik_stream_advance(c, s, n, err);
	pthread_mutex_lock(&c->lock);
	c->held = false;
	pthread_mutex_unlock(&c->lock);
	return rc;
}

/* 0: there is something to do; 1: there never will be; -1. */
static int find_work(struct unik_contents *c, struct worker *w,
		     struct unik_err *err)
{
	for (;;) {
		if (c->quit)
			return 1;
		if (take_files(c, w, err) < 0)
			return -1;
		share_whole(c, w);
		if (w->active > 0 || w->holds)
			return 0;
		if (c->finished && w->exhausted)
			return 1;
		c->idle++;
		pthread_cond_wait(&c->moved, &c->lock);
		c->idle--;
	}
}

static int next_work(struct unik_contents *c, struct worker *w,
		     struct unik_err *err)
{
	int rc;

	if (w->active > 1 && !w->holds &&
	    (w->active == w->width || w->exhausted))
		return c->quit ? 1 : 0;
	pthread_mutex_lock(&c->lock);
	rc = find_work(c, w, err);
	pthread_mutex_unlock(&c->lock);
	return rc;
}

/* ---- hashing ---- */

static int fill(struct unik_contents *c, struct worker *w, struct unik_err *err)
{
	unsigned i;

	for (i = 0; i < w->width; i++) {
		struct stream *s = &w->s[i];

		if (s->state == STREAM_IDLE)
			continue;
		if (unik_stream_fill(c, s, err) < 0)
			return -1;
		if (s->state == STREAM_IDLE) {
			w->active--;
			w->nbig -= s->big;
		}
	}
	return w->holds ? unik_stream_fill(c, &c->whole, err) : 0;
}

/* Those that advance together. */
static unsigned choose(struct worker *w, struct stream *v[UNIK_LANES])
{
	unsigned most = w->active < UNIK_LANES_MANY ? 2 : UNIK_LANES;
	unsigned k = 0, i;

	for (i = 0; i < w->width && k < most; i++)
		if (w->s[i].state != STREAM_IDLE)
			v[k++] = &w->s[i];
	if (k < 2 && w->holds && w->c->whole.state != STREAM_IDLE)
		v[k++] = &w->c->whole;
	return k;
}

/* All of them as far as the shortest goes. */
static int step(struct unik_contents *c, struct worker *w, struct unik_err *err)
{
	struct stream *v[UNIK_LANES];
	struct unik_lane *lanes[UNIK_LANES];
	const uint8_t *from[UNIK_LANES];
	unsigned k = choose(w, v), i;
	size_t n = SIZE_MAX;

	if (k == 0)
		return 0;
	for (i = 0; i < k; i++) {
		lanes[i] = &v[i]->scan.hash;
		from[i] = v[i]->p;
		if (n > v[i]->n / UNIK_LANE_BLOCK)
			n = v[i]->n / UNIK_LANE_BLOCK;
	}
	if (unik_lanes_blocks(lanes, from, k, n, err) < 0)
		return -1;
	for (i = 0; i < k; i++)
		if (unik_stream_advance(c, v[i], n, err) < 0)
			return -1;
	return 0;
}

static int work(struct unik_contents *c, struct worker *w, struct unik_err *err)
{
	int rc;

	while ((rc = next_work(c, w, err)) == 0) {
		if (c->opt.stop && *c->opt.stop)
			return unik_fail_io(err, "interrupted");
		if (fill(c, w, err) < 0 || step(c, w, err) < 0)
			return -1;
	}
	return rc < 0 ? -1 : 0;
}

static void fail(struct unik_contents *c, const struct unik_err *err)
{
	pthread_mutex_lock(&c->lock);
	if (!c->failed)
		c->err = *err;
	c->failed = true;
	c->quit = true;
	pthread_cond_broadcast(&c->moved);
	pthread_mutex_unlock(&c->lock);
}

void *unik_contents_worker(void *contents)
{
	struct unik_contents *c = contents;
	struct worker *w = calloc(1, sizeof(*w));
	struct unik_err err;
	unsigned i;

	if (!w) {
		unik_fail_mem(&err);
		fail(c, &err);
		return NULL;
	}
	w->c = c;
	w->width = unik_lanes_width();
	if (c->opt.lanes && w->width > c->opt.lanes)
		w->width = c->opt.lanes;
	if (work(c, w, &err) < 0)
		fail(c, &err);
	for (i = 0; i < w->width; i++)
		unik_stream_release(&w->s[i]);
	free(w);
	return NULL;
}
