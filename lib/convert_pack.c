/* SPDX-License-Identifier: GPL-3.0-or-later */
/* convert: the stack goes into a container image. */
#include <stdlib.h>
#include <string.h>

#include "convert_private.h"
#include "io.h"
#include "pack.h"

bool convert_packs(const struct job *job)
{
	return job->opt->pack.kind != UNIK_PACK_NONE;
}

int convert_pack_check(struct job *job, struct unik_err *err)
{
	if (!convert_packs(job))
		return 0;
	if (job->nformats != 1)
		return unik_fail_usage(err, "a container image takes one "
				       "format");
	return unik_pack_check(&job->pack, &job->opt->pack, err);
}

int convert_pack_open(struct job *job, struct unik_err *err)
{
	const struct unik_pack_options *opt = &job->opt->pack;

	if (!convert_packs(job) || !opt->path)
		return 0;
	if (opt->kind == UNIK_PACK_OCI_DIR)
		return unik_layout_open(&job->layout, opt->path,
					&job->opt->limits, err);
	return unik_temp_dir(opt->path, &job->pack_dir,
			     &job->spool_alloc, &job->image_name, err);
}

int convert_pack_output(struct job *job, struct output *out,
			struct unik_err *err)
{
	out->temp.name[0] = 0;
	return unik_spool_open(job->spool_dir, &out->temp.fd, err);
}

static void fill(const struct job *job, struct unik_pack_image *to,
		 const struct entry *e)
{
	to->fd = e->out->temp.fd;
	to->size = e->out->facts.size;
	to->digest = e->out->facts.image;
	to->tree_digest = e->out->facts.tree_digest;
	to->format = e->format->name;
	to->format_version = job->opt->format_version ? job->opt->format_version
						      : e->format->version;
	to->first = e->first;
	to->last = e->last;
	/* What is no layer's has numbers beyond them. */
	if (to->first >= job->nslots) {
		to->first = 1;
		to->last = 0;
	} else if (to->last >= job->nslots) {
		to->last = job->nslots - 1;
	}
}

int convert_pack(struct job *job, const char *stack, size_t stack_size,
		 struct unik_err *err)
{
	const struct stack *st = &job->stacks[0];
	struct unik_pack_image *images = calloc(st->n + 1, sizeof(*images));
	struct unik_digest *ids = calloc(job->nslots + 1, sizeof(*ids));
	const struct unik_pack_place place = {
		.fd = job->pack_dir < 0 ? job->opt->pack.fd : -1,
		.layout = job->layout.root >= 0 ? &job->layout : NULL,
		.dir = job->pack_dir,
		.name = job->image_name,
		.spool_dir = job->spool_dir,
	};
	const struct unik_pack pack = {
		.plan = &job->pack,
		.place = &place,
		.source = job->image,
		.platform = job->opt->platform,
		.diff_ids = ids,
		.images = images,
		.nimages = st->n,
		.stack = stack,
		.stack_size = stack_size,
		.jobs = job->opt->jobs,
		.limits = &job->opt->limits,
		.stop = job->opt->stop,
	};
	size_t i;
	int rc;

	if (!images || !ids) {
		free(images);
		free(ids);
		return unik_fail_mem(err);
	}
	for (i = 0; i < job->nslots; i++)
		ids[i] = job->slots[i].facts.diff_id;
	for (i = 0; i < st->n; i++)
		fill(job, &images[i], &st->v[i]);
	rc = unik_pack_name(&job->pack, job->image, err);
	if (rc == 0)
		rc = unik_pack(&pack, err);
	free(images);
	free(ids);
	return rc;
}

void convert_pack_row(const struct job *job, size_t i,
		      char name[UNIK_PACK_NAME])
{
	const struct entry *e = &job->stacks[0].v[i];

	unik_pack_image_name(name, i, job->stacks[0].n, &e->out->facts.image,
			     e->format->name);
}
