/* SPDX-License-Identifier: GPL-3.0-or-later */
/* convert: one source to one stack a format. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bind.h"
#include "convert_private.h"
#include "package.h"

#ifndef UNIK_VERSION
#error "the build passes UNIK_VERSION"
#endif

const char *unik_version(void)
{
	return UNIK_VERSION;
}

void unik_convert_options_init(struct unik_convert_options *opt)
{
	memset(opt, 0, sizeof(*opt));
	opt->image_fd = -1;
	opt->pack.fd = -1;
	opt->target = "oci";
	unik_limits_init(&opt->limits);
}

static int find_formats(struct job *job, struct unik_err *err)
{
	const char *const preset[] = { job->target->format };
	const char *const *names = job->opt->formats;
	size_t n = job->opt->nformats, i, j;

	if (n == 0) {
		names = preset;
		n = 1;
	}
	if (n > MAX_FORMATS)
		return unik_fail_usage(err, "more than %d formats",
				       MAX_FORMATS);
	for (i = 0; i < n; i++) {
		const struct unik_format *f = unik_format_find(names[i]);

		if (!f)
			return unik_fail_usage(err, "unknown format '%s'",
					       names[i]);
		for (j = 0; j < i; j++)
			if (job->formats[j] == f)
				return unik_fail_usage(err, "format '%s' twice",
						       names[i]);
		if (job->opt->format_version != 0 &&
		    (job->opt->format_version < f->oldest ||
		     job->opt->format_version > f->version))
			return unik_fail_usage(err, "%s has no format version "
					       "%d", f->name,
					       job->opt->format_version);
		job->formats[i] = f;
	}
	job->nformats = n;
	return 0;
}

/* The target and what the options make of it. */
static int find_target(struct job *job, struct unik_err *err)
{
	const struct unik_convert_options *opt = job->opt;

	job->target = unik_target_find(opt->target);
	if (!job->target)
		return unik_fail_usage(err, "unknown target '%s'", opt->target);
	job->whiteouts = job->target->whiteouts;
	if (opt->whiteouts) {
		job->whiteouts = unik_whiteouts_find(opt->whiteouts);
		if (job->whiteouts == UNIK_WHITEOUTS_DEFAULT)
			return unik_fail_usage(err, "unknown form of whiteouts "
					       "'%s'", opt->whiteouts);
	}
	job->max_images = job->target->max_images;
	if (opt->max_images)
		job->max_images = opt->max_images;
	if (job->target->single && job->max_images != 1)
		return unik_fail_usage(err, "the target %s takes one image",
				       job->target->name);
	job->merging = job->whiteouts != UNIK_WHITEOUTS_KEEP ||
		       job->max_images != 0 || job->target->skeleton ||
		       opt->nbinds > 0 || opt->scratch > 0;
	if ((opt->free_size || opt->free_inodes) && !job->target->single)
		return unik_fail_usage(err,
				       "free space is for the target flat");
	if (opt->scratch && (job->target->single ||
			     (!opt->store && !job->derive &&
			      !convert_packs(job))))
		return unik_fail_usage(err,
				       "a scratch image needs a stack in a "
				       "store or a container image");
	return 0;
}

static int check_options(const struct job *job, struct unik_err *err)
{
	const struct unik_convert_options *opt = job->opt;
	int places = (opt->store != NULL) + (opt->image_path != NULL) +
		     (opt->image_fd >= 0) + convert_packs(job);
	uint32_t b = opt->block_size;

	if (!opt->source && !job->derive)
		return unik_fail_usage(err, "no source");
	if (places != (job->derive ? 0 : 1))
		return unik_fail_usage(err, "one destination is needed");
	if (b != 0 && b != 1024 && b != 2048 && b != 4096)
		return unik_fail_usage(err, "the block size is 1024, 2048 or "
				       "4096");
	return 0;
}

static int open_places(struct job *job, struct unik_err *err)
{
	const struct unik_convert_options *opt = job->opt;

	if (opt->image_path &&
	    unik_temp_dir(opt->image_path, &job->image_dir, &job->spool_alloc,
			  &job->image_name, err) < 0)
		return -1;
	if (convert_pack_open(job, err) < 0)
		return -1;
	if (opt->store &&
	    unik_store_open(&job->store, opt->store, true, err) < 0)
		return -1;
	job->spool_dir = opt->spool_dir	  ? opt->spool_dir
			 : opt->store	  ? opt->store
			 : job->spool_alloc ? job->spool_alloc
			 : job->layout.path ? job->layout.path
					    : "/tmp";
	return 0;
}

static int open_source(struct job *job, bool lazy, struct unik_err *err)
{
	struct unik_image_options io = {
		.source = job->opt->source,
		.platform = job->opt->platform,
		.limits = &job->opt->limits,
		.spool_dir = job->spool_dir,
		.warn = job->opt->warn,
		.warn_data = job->opt->data,
		.stop = job->opt->stop,
		.lazy = lazy,
	};
	size_t k, i;

	if (job->derive)
		job->image = job->derive->image;
	else if (unik_image_open(&job->opened, &io, err) < 0)
		return -1;
	else
		job->image = job->opened;
	if (convert_pack_beside(job, err) < 0)
		return -1;
	if (!job->derive && unik_is_package(job->image))
		convert_warn(job, "the source carries a stack already: its "
			     "images become files of the new ones");
	if (job->opt->trust_blob_names &&
	    job->image->kind != UNIK_SRC_OCI_DIR)
		return unik_fail_usage(err, "only in an OCI directory have "
				       "blobs names that can be trusted");
	job->nslots = job->image->nlayers;
	if (!job->store && !job->derive && !convert_packs(job) &&
	    (job->nformats != 1 ||
	     (job->nslots != 1 && !job->target->single)))
		return unik_fail_usage(err, "one image file takes one layer in "
				       "one format (or --target=flat): the "
				       "source has %zu layers", job->nslots);
	job->slots = calloc(job->nslots + 1, sizeof(*job->slots));
	if (!job->slots)
		return unik_fail_mem(err);
	for (k = 0; k < job->nslots; k++)
		for (i = 0; i < MAX_FORMATS; i++)
			job->slots[k].out[i].temp.fd = -1;
	return 0;
}

static void close_source(struct job *job)
{
	size_t k, i;

	for (k = 0; job->slots && k < job->nslots; k++) {
		unik_layer_free(job->slots[k].layer);
		for (i = 0; i < MAX_FORMATS; i++) {
			unik_temp_release(&job->slots[k].out[i].temp);
			free(job->slots[k].out[i].lost);
		}
	}
	free(job->slots);
	job->slots = NULL;
	unik_image_free(job->opened);
	job->opened = NULL;
}

/* A compressed file is taken for the layer that it most likely is, so that it
 * need not be unpacked twice; it may turn out to be an image. */
static int load_source(struct job *job, struct unik_err *err)
{
	if (open_source(job, true, err) == 0 && convert_layers(job, err) == 0)
		return 0;
	if (!job->is_image)
		return -1;
	close_source(job);
	job->next = 0;
	job->stopping = false;
	job->bytes = 0;
	if (open_source(job, false, err) < 0)
		return -1;
	return convert_layers(job, err);
}

static void job_release(struct job *job, bool failed)
{
	size_t k, i;

	unik_layer_free(job->bind);
	for (i = 0; i < MAX_FORMATS; i++) {
		struct stack *st = &job->stacks[i];

		for (k = 0; k < st->nown; k++) {
			unik_temp_release(&st->own[k].temp);
			free(st->own[k].lost);
		}
		free(st->own);
		free(st->v);
	}
	close_source(job);
	if (job->store && failed)
		unik_store_abandon(job->store);
	unik_store_free(job->store);
	if (job->image_dir >= 0)
		close(job->image_dir);
	if (job->pack_dir >= 0)
		close(job->pack_dir);
	unik_layout_close(&job->layout, failed);
	unik_pack_release(&job->pack);
	free(job->spool_alloc);
	pthread_mutex_destroy(&job->lock);
}

static int load_binds(struct job *job, struct unik_err *err)
{
	const struct unik_bind_options bo = {
		.binds = job->opt->binds,
		.nbinds = job->derive ? 0 : job->opt->nbinds,
		.uid = job->opt->bind_uid,
		.gid = job->opt->bind_gid,
		.time = job->opt->bind_time,
		.limits = &job->opt->limits,
		.spool_dir = job->spool_dir,
	};

	return job->opt->nbinds > 0 ? unik_bind_load(&job->bind, &bo, err) : 0;
}

static int run(struct job *job, struct unik_err *err)
{
	int rc = -1;

	pthread_mutex_init(&job->lock, NULL);
	if (check_options(job, err) == 0 && find_target(job, err) == 0 &&
	    find_formats(job, err) == 0 && convert_pack_check(job, err) == 0 &&
	    open_places(job, err) == 0 && load_source(job, err) == 0 &&
	    load_binds(job, err) == 0 &&
	    (job->merging ? convert_stacks(job, err)
			  : convert_single_stacks(job, err)) == 0 &&
	    convert_settle(job, err) == 0 && convert_losses(job, err) == 0)
		rc = convert_publish(job, err);
	job_release(job, rc < 0);
	return rc;
}

int unik_convert(const struct unik_convert_options *opt, struct unik_err *err)
{
	struct job job = { .opt = opt, .image_dir = -1, .pack_dir = -1,
			   .layout = UNIK_LAYOUT_NONE };

	return run(&job, err);
}

int unik_derive(const struct unik_convert_options *opt,
		const struct unik_derive *derive, struct unik_err *err)
{
	struct job job = { .opt = opt, .derive = derive, .image_dir = -1,
			   .pack_dir = -1, .layout = UNIK_LAYOUT_NONE };

	return run(&job, err);
}
