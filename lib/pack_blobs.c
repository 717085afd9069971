/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pack: the digests of all layers, and their compressed blobs; several at a
 * time. */
#include <pthread.h>
#include <stdlib.h>

#include "deflate.h"
#include "pack_private.h"
#include "threads.h"

struct pool {
	struct packing *p;
	pthread_mutex_t lock;
	size_t next;
	size_t failed; /* the lowest layer that did; nlayers: none */
	struct unik_err err;
};

/* The stream through compression into a temporary file. */
static int compress(struct packing *p, struct pack_layer *l,
		    struct unik_source *src, struct unik_hash *hash,
		    struct unik_err *err)
{
	const struct unik_pack_plan *plan = p->in->plan;
	struct unik_sink_options so = { .fd = -1, .hash = true,
					.stop = p->in->stop };
	struct unik_sink *sink = NULL;
	int rc = -1;

	if (pack_temp_open(p, &l->temp, err) < 0)
		return -1;
	so.fd = l->temp.fd;
	if (unik_sink_new(&sink, &so, err) == 0 &&
	    unik_deflate(src, sink, plan->compress, plan->level, hash,
			 p->in->stop, err) == 0)
		rc = unik_sink_finish(sink, &l->blob, err);
	if (sink)
		l->blob_size = unik_sink_size(sink);
	unik_sink_free(sink);
	return rc;
}

/* Only the digest. */
static int digest(struct packing *p, struct pack_layer *l,
		  struct unik_source *src, struct unik_err *err)
{
	const struct unik_sink_options so = { .fd = -1, .hash = true,
					.stop = p->in->stop };
	struct unik_sink *sink = NULL;
	int rc = -1;

	if (unik_sink_new(&sink, &so, err) < 0)
		return -1;
	if (unik_deflate(src, sink, UNIK_PLAIN, 0, NULL, p->in->stop, err) == 0)
		rc = unik_sink_finish(sink, &l->diff_id, err);
	l->blob = l->diff_id;
	l->blob_size = unik_sink_size(sink);
	unik_sink_free(sink);
	return rc;
}

static int make_blob(struct packing *p, struct pack_layer *l,
		     struct unik_err *err)
{
	struct unik_hash hash = UNIK_HASH_NONE;
	struct unik_source *src = NULL;
	int rc = -1;

	if (pack_finish_layer(p, l, err) < 0)
		return -1;
	if (pack_recipe_source(&src, &l->recipe, err) < 0)
		return -1;
	if (p->in->plan->compress == UNIK_PLAIN && !p->in->place->layout)
		rc = digest(p, l, src, err);
	else if (unik_hash_init(&hash, UNIK_SHA256, err) == 0 &&
		 compress(p, l, src, &hash, err) == 0)
		rc = unik_hash_final(&hash, &l->diff_id, err);
	unik_hash_release(&hash);
	unik_source_free(src);
	return rc;
}

static void *worker(void *arg)
{
	struct pool *pool = arg;
	struct packing *p = pool->p;
	struct unik_err err;
	size_t i;

	for (;;) {
		pthread_mutex_lock(&pool->lock);
		i = pool->failed < p->nlayers ? p->nlayers : pool->next++;
		pthread_mutex_unlock(&pool->lock);
		if (i >= p->nlayers)
			return NULL;
		if (make_blob(p, &p->layers[i], &err) == 0)
			continue;
		unik_wrap(&err, "layer %zu of the new image", i);
		pthread_mutex_lock(&pool->lock);
		if (i < pool->failed) {
			pool->failed = i;
			pool->err = err;
		}
		pthread_mutex_unlock(&pool->lock);
	}
}

/* Blobs that stand twice are stored once. */
static void find_same(struct packing *p)
{
	size_t i, j;

	for (i = 0; i < p->nlayers; i++) {
		for (j = 0; j < i; j++)
			if (unik_digest_equal(&p->layers[i].blob,
					      &p->layers[j].blob))
				break;
		p->layers[i].same_as = j;
	}
}

int pack_make_blobs(struct packing *p, struct unik_err *err)
{
	struct pool pool = { .p = p, .failed = p->nlayers };
	size_t n = p->in->jobs ? p->in->jobs : 1;
	int rc;

	pthread_mutex_init(&pool.lock, NULL);
	rc = unik_threads_run(n < p->nlayers ? n : p->nlayers, worker, &pool,
			      err);
	pthread_mutex_destroy(&pool.lock);
	if (rc == 0 && pool.failed < p->nlayers) {
		*err = pool.err;
		rc = -1;
	}
	if (rc == 0)
		find_same(p);
	return rc;
}
