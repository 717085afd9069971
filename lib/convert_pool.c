/* SPDX-License-Identifier: GPL-3.0-or-later */
/* convert: layers side by side. */
#include "convert_private.h"
#include "threads.h"

/* The next layer to be done, or nslots. */
static size_t take(struct job *job)
{
	size_t k;

	pthread_mutex_lock(&job->lock);
	if (job->opt->stop && *job->opt->stop)
		job->stopping = true;
	while (job->next < job->nslots &&
	       job->slots[job->next].same_as != job->next)
		job->next++;
	k = job->stopping ? job->nslots : job->next;
	if (k < job->nslots)
		job->next++;
	pthread_mutex_unlock(&job->lock);
	return k;
}

static void *worker(void *arg)
{
	struct job *job = arg;
	size_t k;

	while ((k = take(job)) < job->nslots) {
		struct slot *s = &job->slots[k];

		if (convert_layer(job, k, &s->err) == 0)
			continue;
		unik_wrap(&s->err, "layer %zu", k);
		pthread_mutex_lock(&job->lock);
		s->failed = true;
		job->stopping = true;
		pthread_mutex_unlock(&job->lock);
	}
	return NULL;
}

static bool same_place(const struct unik_layer_ref *a,
		       const struct unik_layer_ref *b)
{
	return a->fd == b->fd && a->offset == b->offset && a->size == b->size;
}

/* A layer that stands twice in the image is converted once; bytes of its own
 * are checked all the same. */
static int copy_same(struct job *job, size_t k, struct unik_err *err)
{
	const struct unik_layer_ref *ref = &job->image->layers[k];
	struct slot *s = &job->slots[k], *from = &job->slots[s->same_as];
	struct unik_layer_options opt = {
		.limits = &job->opt->limits,
		.spool_dir = job->spool_dir,
		.stop = job->opt->stop,
	};
	struct unik_digest blob, diff_id;

	s->facts = from->facts;
	if (same_place(ref, &job->image->layers[s->same_as]))
		return 0;
	if (unik_layer_check(ref, &opt, &blob, &diff_id, err) < 0)
		return unik_wrap(err, "layer %zu", k);
	s->facts.blob_digest = blob;
	s->facts.blob_size = ref->size;
	return 0;
}

static void find_same(struct job *job)
{
	const struct unik_layer_ref *l = job->image->layers;
	size_t k, j;

	for (k = 0; k < job->nslots; k++) {
		job->slots[k].same_as = k;
		for (j = 0; j < k && l[k].has_diff_id; j++) {
			if (l[j].has_diff_id &&
			    unik_digest_equal(&l[j].diff_id, &l[k].diff_id)) {
				job->slots[k].same_as = j;
				break;
			}
		}
	}
}

int convert_layers(struct job *job, struct unik_err *err)
{
	size_t n = job->opt->jobs ? job->opt->jobs : 1, k;

	if (n > job->nslots)
		n = job->nslots;
	find_same(job);
	if (unik_threads_run(n, worker, job, err) < 0)
		return -1;
	for (k = 0; k < job->nslots; k++) {
		if (job->slots[k].failed) {
			*err = job->slots[k].err;
			return -1;
		}
	}
	if (job->opt->stop && *job->opt->stop)
		return unik_fail_io(err, "interrupted");
	for (k = 0; k < job->nslots; k++)
		if (job->slots[k].same_as != k && convert_wants(job, k) &&
		    copy_same(job, k, err) < 0)
			return -1;
	return 0;
}

int convert_settle(struct job *job, struct unik_err *err)
{
	const struct unik_layer_ref *refs = job->image->layers;
	size_t k;

	for (k = 0; k < job->nslots && job->merging; k++) {
		struct slot *s = &job->slots[k];
		const struct slot *from = &job->slots[s->same_as];

		if (s->layer && unik_layer_settle(s->layer, err) < 0)
			return unik_wrap(err, "layer %zu", k);
		if (s->layer)
			unik_take_facts(&s->facts, s->layer);
		s->facts.diff_id = from->facts.diff_id;
		if (same_place(&refs[k], &refs[s->same_as]))
			s->facts.blob_digest = from->facts.blob_digest;
	}
	return 0;
}
