/* SPDX-License-Identifier: GPL-3.0-or-later */
/* convert: one layer from the source to its images. */
#define _POSIX_C_SOURCE 200809L
#include <stdlib.h>
#include <string.h>

#include "convert_private.h"
#include "io.h"
#include "manifest_find.h"
#include "treedump.h"

void convert_record_name(const struct job *job, const struct unik_digest *id,
			 size_t format, char buf[UNIK_RECORD_NAME])
{
	const struct unik_format *f = job->formats[format];

	unik_record_name(buf, id, f->name, convert_version(job, f, NULL),
			 f == &unik_format_ext2 ? job->opt->block_size : 0);
}

/* ---- the store knows the layer ---- */

/* Looks for the layer's images in the store; true when all are there.  With
 * `blob`, only for what was made of that blob. */
static int find_cached(struct job *job, struct slot *s,
		       const struct unik_digest *diff_id,
		       const struct unik_digest *blob, bool *all,
		       struct unik_err *err)
{
	char name[UNIK_RECORD_NAME];
	struct unik_record r;
	size_t i;

	*all = true;
	for (i = 0; i < job->nformats; i++) {
		int rc;

		convert_record_name(job, diff_id, i, name);
		rc = unik_record_get(job->store, name, job->formats[i]->name,
				     &job->opt->limits, &r, err);
		if (rc < 0)
			return -1;
		if (rc == 1 || !unik_digest_equal(&r.layer.diff_id, diff_id) ||
		    (blob && !unik_digest_equal(&r.layer.blob_digest, blob))) {
			*all = false;
			continue;
		}
		s->facts = r.layer;
		s->out[i].facts = r.image;
		s->out[i].losses = r.layer.losses;
		s->out[i].cached = true;
		s->out[i].done = true;
	}
	return 0;
}

/* All images are there: only the source's bytes are checked.  Where the blob
 * is the very one that the record was made of, its digest is enough. */
static int check_cached(const struct job *job, const struct unik_layer_ref *ref,
			struct slot *s, const struct unik_layer_options *opt,
			struct unik_err *err)
{
	struct unik_digest blob = ref->blob_digest, diff_id;
	bool known = ref->has_blob_digest &&
		     unik_digest_equal(&ref->blob_digest,
				       &s->facts.blob_digest);

	if (!(known && job->opt->trust_blob_names) &&
	    unik_layer_check(ref, opt, &blob, known ? NULL : &diff_id, err) < 0)
		return -1;
	s->facts.blob_digest = blob;
	s->facts.blob_size = ref->size;
	return 0;
}

/* What the stack of the same name in the store says of its only layer: a hint
 * at most. */
static bool hint_of(const struct job *job, const struct unik_layer_ref *ref,
		    struct unik_layer_facts *hint)
{
	struct unik_stored_manifest *m = NULL;
	struct unik_err ignored;
	char name[UNIK_REF_NAME];
	bool good;

	if (unik_ref_name(name, job->image->name, job->target->name,
			  job->formats[0]->name, &ignored) < 0 ||
	    unik_store_manifest(job->store, name, &job->opt->limits, &m, NULL,
				&ignored) < 0)
		return false;
	good = m->m.source->kind == UNIK_SRC_LAYER && m->m.nlayers == 1 &&
	       m->m.layers[0].blob_size == ref->size;
	if (good)
		*hint = m->m.layers[0];
	unik_stored_manifest_free(m);
	return good;
}

/*
 * A bare layer declares no digest at all.  Where the store has one of its name
 * and size, its blob digest may show that it is the same; but only a record
 * that was made of that very blob counts, as it does for a declared diff_id.
 * What may turn out to be an image must be looked into.
 */
static int find_bare(struct job *job, struct slot *s,
		     const struct unik_layer_ref *ref,
		     const struct unik_layer_options *opt, bool *all,
		     struct unik_err *err)
{
	struct unik_layer_facts hint;
	struct unik_digest blob;
	struct slot found = *s;

	*all = false;
	if (job->image->kind != UNIK_SRC_LAYER || ref->doubt ||
	    !hint_of(job, ref, &hint))
		return 0;
	if (unik_layer_check(ref, opt, &blob, NULL, err) < 0)
		return -1;
	if (!unik_digest_equal(&blob, &hint.blob_digest))
		return 0;
	if (find_cached(job, &found, &hint.diff_id, &blob, all, err) < 0)
		return -1;
	if (*all)
		*s = found;
	return 0;
}

/* ---- making images ---- */

static void note_losses(struct output *out, const struct unik_losses *l)
{
	const struct unik_node *first = l->first_xattr ? l->first_xattr
			: l->first_rdev		       ? l->first_rdev
			: l->first_name		       ? l->first_name
						       : l->first_time;
	char q[UNIK_QUOTE_SIZE];

	out->losses.xattr = l->xattr;
	out->losses.time = l->time;
	out->losses.rdev = l->rdev;
	out->losses.name = l->name;
	if (first)
		out->lost = strdup(unik_node_quote(first, q));
}

/* Where the bytes go: a temporary of the store or beside image_path, or the
 * caller's descriptor. */
static int open_output(struct job *job, struct output *out, int *fd,
		       struct unik_err *err)
{
	int dir = job->store ? unik_store_dir(job->store, "images")
			     : job->image_dir;

	*fd = job->opt->image_fd;
	if (convert_packs(job)) {
		*fd = convert_pack_output(job, out, err);
		if (*fd == 0)
			*fd = out->temp.fd;
		return *fd < 0 ? -1 : 0;
	}
	if (dir < 0)
		return 0;
	if (unik_temp_open(&out->temp, dir, err) < 0)
		return -1;
	*fd = out->temp.fd;
	return 0;
}

static size_t jobs_of(const struct job *job)
{
	return job->opt->jobs ? job->opt->jobs : 1;
}

/* As many layers as may run side by side; at least one. */
static size_t layers_at_once(const struct job *job)
{
	size_t n = job->nslots < jobs_of(job) ? job->nslots : jobs_of(job);

	return n ? n : 1;
}

/* A long queue keeps both of two cores busy; many layers at once do so, too,
 * and memory is for all of them. */
static unsigned chunks_of(const struct job *job)
{
	size_t n = 64 / layers_at_once(job);

	return (unsigned)(n > 32 ? 32 : n < 8 ? 8 : n);
}

static int emit(struct job *job, const struct unik_format *f,
		const struct unik_writer *w, struct output *out,
		struct unik_err *err)
{
	struct unik_sink_options so = { .fd = -1, .holes = true, .hash = true,
					.stop = job->opt->stop };
	struct unik_sink *sink = NULL;
	int rc = -1;

	if (out->layer)
		so.beside = unik_layer_beside(out->layer);
	if (open_output(job, out, &so.fd, err) < 0 ||
	    unik_sink_new_queue(&sink, &so, chunks_of(job), err) < 0)
		return -1;
	if (f->emit(w, sink, err) == 0)
		rc = unik_sink_finish(sink, &out->facts.image, err);
	out->facts.size = unik_sink_size(sink);
	unik_sink_free(sink);
	if (rc == 0 && out->facts.size != f->size(w))
		return unik_fail_io(err, "the %s writer made %llu bytes, "
				    "planned were %llu", f->name,
				    (unsigned long long)out->facts.size,
				    (unsigned long long)f->size(w));
	return rc;
}

int convert_show(struct job *job, size_t index, const struct entry *e,
		 const struct unik_tree *tree, struct unik_err *err)
{
	const struct unik_derive *d = job->derive;
	const struct unik_derived shown = { index, e->first, e->last, tree };
	int rc;

	if (!d || !d->tree)
		return 0;
	pthread_mutex_lock(&job->lock);
	rc = d->tree(d->data, &shown, err);
	pthread_mutex_unlock(&job->lock);
	return rc;
}

int convert_version(const struct job *job, const struct unik_format *f,
		    const struct output *out)
{
	if (out && out->version)
		return out->version;
	return job->opt->format_version ? job->opt->format_version : f->version;
}

int convert_image(struct job *job, const struct unik_tree *tree,
		  const struct unik_format *f, uint64_t free_size,
		  uint64_t free_inodes, struct output *out,
		  struct unik_err *err)
{
	struct unik_writer_options wo = {
		.version = convert_version(job, f, out),
		.block_size = f == &unik_format_ext2 ? job->opt->block_size : 0,
		.netbsd = job->target->netbsd,
		.free_size = free_size,
		.free_inodes = free_inodes,
		.tree_digest = &out->facts.tree_digest,
	};
	struct unik_writer *w = NULL;
	int rc;

	if (f->plan(&w, tree, &wo, err) < 0)
		return -1;
	note_losses(out, f->losses(w));
	rc = emit(job, f, w, out, err);
	f->free(w);
	out->done = rc == 0;
	return rc;
}

/* Whether nobody reads the contents after format i. */
static bool is_last(const struct job *job, const struct slot *s, size_t i)
{
	while (++i < job->nformats)
		if (!s->out[i].done)
			return false;
	return !job->derive;
}

static int make_images(struct job *job, struct slot *s,
		       struct unik_layer *layer, struct unik_err *err)
{
	const struct unik_tree *tree = layer->tree;
	bool one = job->derive && job->derive->layer < job->nslots;
	size_t k = one ? job->derive->layer : (size_t)(s - job->slots), i;
	const struct entry e = { .first = k, .last = k };
	struct unik_digest digest;
	int rc;

	if (unik_tree_digest(tree, &digest, err) < 0)
		return -1;
	for (i = 0; i < job->nformats; i++) {
		struct output *out = &s->out[i];

		if (out->done)
			continue;
		out->facts.tree_digest = digest;
		out->layer = layer;
		rc = convert_show(job, k, &e, tree, err);
		if (rc == 0 && is_last(job, s, i))
			rc = unik_layer_drain(layer, tree, err);
		if (rc == 0)
			rc = convert_image(job, tree, job->formats[i], 0, 0,
					   out, err);
		out->layer = NULL;
		if (rc < 0)
			return -1;
	}
	return 0;
}

/* ---- all of it ---- */

static void progress(void *data, uint64_t bytes)
{
	struct job *job = ((void **)data)[0];
	struct unik_progress p;

	pthread_mutex_lock(&job->lock);
	job->bytes += bytes;
	p.layer = *(const size_t *)((void **)data)[1];
	p.nlayers = job->nslots;
	p.bytes = job->bytes;
	job->opt->progress(job->opt->data, &p);
	pthread_mutex_unlock(&job->lock);
}

/* What is left for each layer when as many as may run side by side. */
static unsigned threads_of(const struct job *job)
{
	size_t jobs = jobs_of(job), layers = layers_at_once(job);
	size_t n = job->nslots ? (jobs + layers - 1) / layers : 1;

	return (unsigned)(n < 2 && jobs > 1 ? 2 : n);
}

static struct unik_layer_options layer_options(struct job *job, void *data[2])
{
	return (struct unik_layer_options){
		.chunks = chunks_of(job),
		.threads = threads_of(job),
		.is_image = &job->is_image,
		.limits = &job->opt->limits,
		.spool_dir = job->spool_dir,
		.progress = job->opt->progress ? progress : NULL,
		.progress_data = data,
		.stop = job->opt->stop,
	};
}

/* A bare layer is known by its diff_id only when it was read.  What is in the
 * store stays as it is, and is not made again under another name. */
static int drop_known(struct job *job, struct slot *s,
		      const struct unik_digest *diff_id, struct unik_err *err)
{
	bool all;
	size_t i;

	if (find_cached(job, s, diff_id, NULL, &all, err) < 0)
		return -1;
	for (i = 0; i < job->nformats; i++)
		if (s->out[i].cached)
			unik_temp_release(&s->out[i].temp);
	return 0;
}

/* The images are made while the layer's own digest is still being taken; they
 * get their names when it has turned out to be right. */
static int make_and_settle(struct job *job, struct slot *s,
			   struct unik_layer *layer, struct unik_err *err)
{
	const struct unik_layer_ref *ref = &layer->ref;

	if (unik_tree_check_links(layer->tree, err) < 0 ||
	    convert_pack_look(job, s, layer->tree, err) < 0 ||
	    make_images(job, s, layer, err) < 0 ||
	    unik_layer_settle(layer, err) < 0)
		return -1;
	if (job->store && !ref->has_diff_id &&
	    drop_known(job, s, &layer->diff_id, err) < 0)
		return -1;
	unik_take_facts(&s->facts, layer);
	return 0;
}

/* One more layer is at hand, or one less: what each has for itself. */
static void count_running(struct job *job, int more)
{
	pthread_mutex_lock(&job->lock);
	job->running += (size_t)more;
	if (job->running > 0)
		job->cores = (unsigned)(jobs_of(job) / job->running);
	pthread_mutex_unlock(&job->lock);
}

static int load_and_make(struct job *job, size_t k,
			 const struct unik_layer_options *opt,
			 struct unik_err *err)
{
	struct unik_layer_options lo = *opt;
	struct unik_layer *layer = NULL;
	int rc;

	/* What went into a pipe can't be taken back. */
	lo.later = job->opt->image_fd < 0;
	lo.cores = &job->cores;
	count_running(job, 1);
	rc = unik_layer_load(&layer, &job->image->layers[k], &lo, err);
	if (rc == 0)
		rc = make_and_settle(job, &job->slots[k], layer, err);
	count_running(job, -1);
	unik_layer_free(layer);
	return rc;
}

bool convert_wants(const struct job *job, size_t k)
{
	const struct unik_derive *d = job->derive;

	return !d || job->merging || d->layer >= job->nslots ||
	       job->slots[d->layer].same_as == job->slots[k].same_as;
}

int convert_layer(struct job *job, size_t k, struct unik_err *err)
{
	const struct unik_layer_ref *ref = &job->image->layers[k];
	void *data[2] = { job, &k };
	const struct unik_layer_options opt = layer_options(job, data);
	bool all = false;

	if (job->merging)
		return convert_load(job, k, err);
	if (!convert_wants(job, k))
		return 0;
	if (job->store && !ref->has_diff_id) {
		if (find_bare(job, &job->slots[k], ref, &opt, &all, err) < 0)
			return -1;
		return all ? 0 : load_and_make(job, k, &opt, err);
	}
	if (job->store && find_cached(job, &job->slots[k], &ref->diff_id, NULL,
				      &all, err) < 0)
		return -1;
	if (all)
		return check_cached(job, ref, &job->slots[k], &opt, err);
	return load_and_make(job, k, &opt, err);
}

int convert_load(struct job *job, size_t k, struct unik_err *err)
{
	void *data[2] = { job, &k };
	struct unik_layer_options opt = layer_options(job, data);
	struct slot *s = &job->slots[k];

	opt.later = job->opt->image_fd < 0;
	if (unik_layer_load(&s->layer, &job->image->layers[k], &opt, err) < 0)
		return -1;
	unik_take_facts(&s->facts, s->layer);
	return 0;
}
