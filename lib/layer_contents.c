/* SPDX-License-Identifier: GPL-3.0-or-later */
/* layer: digests in place: the threads, and those who wait for them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "layer_contents_private.h"

/* ---- start and end ---- */

static int start_threads(struct unik_contents *c, struct unik_err *err)
{
	size_t n = c->opt.threads ? c->opt.threads : 1;
	int rc = 0;

	if (n > MAX_THREADS)
		n = MAX_THREADS;
	while (c->nthreads < n && rc == 0) {
		rc = pthread_create(&c->threads[c->nthreads], NULL,
				    unik_contents_worker, c);
		c->nthreads += rc == 0;
	}
	if (c->nthreads > 0)
		return 0;
	errno = rc;
	return unik_fail_sys(err, "can't start a thread");
}

int unik_contents_start(struct unik_contents **out, struct unik_layer *layer,
			uint64_t offset, uint64_t size,
			const struct unik_layer_options *opt,
			struct unik_err *err)
{
	struct unik_contents *c = calloc(1, sizeof(*c));

	if (!c)
		return unik_fail_mem(err);
	c->layer = layer;
	c->opt = *opt;
	c->offset = offset;
	c->size = size;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->moved, NULL);
	if (unik_stream_init(&c->whole, UNIK_CHUNK, err) < 0 ||
	    unik_stream_whole(c, err) < 0 || start_threads(c, err) < 0) {
		unik_contents_free(c);
		return -1;
	}
	*out = c;
	return 0;
}

static void join(struct unik_contents *c)
{
	while (c->nthreads > 0)
		pthread_join(c->threads[--c->nthreads], NULL);
}

void unik_contents_free(struct unik_contents *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	c->quit = true;
	pthread_cond_broadcast(&c->moved);
	pthread_mutex_unlock(&c->lock);
	join(c);
	unik_stream_release(&c->whole);
	pthread_cond_destroy(&c->moved);
	pthread_mutex_destroy(&c->lock);
	free(c->order);
	free(c);
}

/* ---- the files ---- */

/* A file that may keep others waiting at the end, if it is not begun early. */
#define BIG (1u << 20)

struct place {
	uint64_t big; /* its size, or 0 */
	uint64_t offset;
	uint32_t id;
};

static int compare(const void *pa, const void *pb)
{
	const struct place *a = pa, *b = pb;

	if (a->big != b->big)
		return a->big > b->big ? -1 : 1;
	if (a->offset != b->offset)
		return a->offset < b->offset ? -1 : 1;
	return a->id < b->id ? -1 : a->id > b->id;
}

static uint64_t place_of(const struct unik_content *c)
{
	return c->npieces > 0 ? c->pieces[0].stored : c->offset;
}

/* A layer whose names are sorted, as most are, comes in order. */
static void sort(struct place *v, uint32_t n)
{
	uint32_t i;

	for (i = 1; i < n && compare(&v[i - 1], &v[i]) < 0; i++)
		;
	if (i < n)
		qsort(v, n, sizeof(*v), compare);
}

/* Big files come first, the largest at the front.  The others as they follow
 * each other in the layer, so that it is read in order and they share reads. */
static int make_order(struct unik_contents *c, struct unik_err *err)
{
	const struct unik_tree *tree = c->layer->tree;
	struct place *v = malloc(((size_t)tree->ninodes + 1) * sizeof(*v));
	uint32_t id, n = 0;

	if (!v)
		return unik_fail_mem(err);
	for (id = 0; id < tree->ninodes; id++) {
		const struct unik_inode *inode = tree->inodes[id];

		if (inode->type != UNIK_FILE || !inode->content ||
		    inode->content->hashed)
			continue;
		v[n].big = inode->size >= BIG ? inode->size : 0;
		c->nbig += v[n].big > 0;
		v[n].offset = place_of(inode->content);
		v[n++].id = id;
	}
	sort(v, n);
	c->order = malloc(((size_t)n + 1) * sizeof(*c->order));
	for (id = 0; id < n && c->order; id++)
		c->order[id] = v[id].id;
	c->norder = n;
	free(v);
	return c->order ? 0 : unik_fail_mem(err);
}

void unik_contents_tell(struct unik_contents *c)
{
	uint64_t n = c->bytes - c->told;

	c->told = c->bytes;
	if (n > 0 && c->opt.progress)
		c->opt.progress(c->opt.progress_data, n);
}

unsigned unik_contents_cores(const struct unik_contents *c)
{
	return c->opt.cores ? atomic_load(c->opt.cores) : c->opt.threads;
}

static int result(const struct unik_contents *c, struct unik_err *err)
{
	if (c->failed)
		*err = c->err;
	return c->failed ? -1 : 0;
}

int unik_contents_files(struct unik_contents *c, uint64_t told,
			struct unik_err *err)
{
	int rc;

	if (make_order(c, err) < 0)
		return -1;
	pthread_mutex_lock(&c->lock);
	c->next_small = c->nbig;
	c->bytes = told;
	c->told = told;
	c->ready = true;
	pthread_cond_broadcast(&c->moved);
	while (!c->failed && c->done < c->norder)
		pthread_cond_wait(&c->moved, &c->lock);
	c->bytes = c->size;
	if (!c->failed)
		unik_contents_tell(c);
	rc = result(c, err);
	pthread_mutex_unlock(&c->lock);
	return rc;
}

int unik_contents_finish(struct unik_contents *c, struct unik_digest *digest,
			 struct unik_err *err)
{
	unik_contents_alone(c);
	join(c);
	*digest = c->digest;
	return result(c, err);
}
