/* SPDX-License-Identifier: GPL-3.0-or-later */
/* convert: the stack goes into a container image. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "convert_private.h"
#include "io.h"
#include "kernel.h"
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
	if (job->opt->pack.urunc && !job->target->single)
		return unik_fail_usage(err, "urunc gives a guest one device: "
				       "--target=flat");
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

/* The source stays as it is. */
int convert_pack_beside(struct job *job, struct unik_err *err)
{
	struct stat st;

	if (job->pack_dir < 0 ||
	    fstatat(job->pack_dir, job->image_name, &st, 0) < 0 ||
	    (uint64_t)st.st_dev != job->image->file_dev ||
	    (uint64_t)st.st_ino != job->image->file_ino)
		return 0;
	return unik_fail_usage(err, "'%s' is the source itself",
			       job->opt->pack.path);
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
	to->format_version = convert_version(job, e->format, e->out);
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

/* ---- the kernel ---- */

#define OF_SOURCE "source:"

/* Whether the source is searched for a kernel by its note. */
static bool by_note(const struct job *job)
{
	return convert_packs(job) && !job->opt->pack.kernel &&
	       job->pack.package != UNIK_PACKAGE_RAW;
}

int convert_pack_look(struct job *job, struct slot *s,
		      const struct unik_tree *tree, struct unik_err *err)
{
	return by_note(job) ? unik_kernel_any(tree, &s->solo5, err) : 0;
}

/* Merged targets have all trees at hand. */
static int find_merged(struct job *job, struct unik_kernel *k,
		       const char *path, const struct unik_layer_options *lo,
		       size_t *several, struct unik_err *err)
{
	const struct unik_tree **trees =
		calloc(job->nslots + 1, sizeof(const struct unik_tree *));
	size_t i;
	int rc;

	if (!trees)
		return unik_fail_mem(err);
	for (i = 0; i < job->nslots; i++)
		trees[i] = job->slots[job->slots[i].same_as].layer->tree;
	rc = unik_kernel_find(k, trees, job->nslots, &job->image->config, path,
			      lo, several, err);
	free(trees);
	return rc;
}

static int find_kernel(struct job *job, struct unik_kernel *k,
		       struct unik_err *err)
{
	const struct unik_layer_options lo = {
		.limits = &job->opt->limits,
		.spool_dir = job->spool_dir,
		.stop = job->opt->stop,
	};
	const char *path = job->opt->pack.kernel;
	size_t several = 0, i;
	bool any = job->merging || path;
	int rc;

	if (path && strncmp(path, OF_SOURCE, strlen(OF_SOURCE)) != 0)
		return unik_kernel_open(k, path, err);
	if (path)
		path += strlen(OF_SOURCE);
	for (i = 0; i < job->nslots; i++)
		any = any || job->slots[i].solo5;
	if (!any || (!path && !by_note(job)))
		return 0;
	rc = job->merging ? find_merged(job, k, path, &lo, &several, err)
			  : unik_kernel_load(k, job->image, path, &lo,
					     &several, err);
	if (several > 0)
		convert_warn(job, "the source has %zu Solo5 unikernels: none "
			     "is taken for the kernel (--kernel)", several);
	return rc < 0 ? -1 : 0;
}

/* ---- all of it ---- */

/* What goes into the new image beside the stack. */
struct extras {
	struct unik_kernel kernel;
	struct unik_urunc urunc;
	char words[2 * UNIK_URUNC_WORD];
	char digest[UNIK_DIGEST_TEXT];
	struct unik_pack_file files[2];
	size_t nfiles;
	struct unik_pack_label labels[UNIK_URUNC_LABELS + 4];
	size_t nlabels;
};

static void add_label(struct extras *x, const char *key, const char *value)
{
	x->labels[x->nlabels].key = key;
	x->labels[x->nlabels++].value = value;
}

static int add_urunc(struct job *job, struct extras *x,
		     const struct unik_pack_image *image, struct unik_err *err)
{
	struct unik_urunc *u = &x->urunc;
	char name[UNIK_PACK_NAME];
	size_t i;

	if (!x->kernel.path)
		return unik_fail_usage(err, "urunc: there is no kernel in the "
				       "source; --kernel names one");
	unik_pack_image_name(name, 0, 1, &image->digest, image->format);
	if (unik_urunc_parse(u, job->opt->pack.urunc, err) < 0 ||
	    unik_urunc_make(u, &job->image->config, x->kernel.path, name,
			    err) < 0)
		return -1;
	for (i = 0; i < UNIK_URUNC_LABELS; i++)
		add_label(x, u->labels[i].key, u->labels[i].value);
	x->files[x->nfiles++] = (struct unik_pack_file){
		UNIK_URUNC_FILE, 0444, -1, u->json, u->json_size
	};
	return 0;
}

static int add_extras(struct job *job, struct extras *x,
		      const struct unik_pack_image *images,
		      struct unik_err *err)
{
	struct unik_kernel *k = &x->kernel;

	if (find_kernel(job, k, err) < 0)
		return -1;
	/* One that is in the source's layers stays there. */
	if (k->path &&
	    (k->host || job->pack.package != UNIK_PACKAGE_APPEND))
		x->files[x->nfiles++] = (struct unik_pack_file){
			k->path, 0755, k->fd, NULL, k->size
		};
	if (job->opt->pack.urunc && add_urunc(job, x, images, err) < 0)
		return -1;
	if (k->path) {
		add_label(x, UNIK_LABEL_KERNEL, k->path);
		add_label(x, UNIK_LABEL_KERNEL_DIGEST,
			  unik_digest_text(&k->digest, x->digest));
		add_label(x, UNIK_LABEL_KERNEL_FROM,
			  k->host ? "host" : "source");
	}
	if (job->opt->pack.urunc) {
		snprintf(x->words, sizeof(x->words), "%s,%s", x->urunc.type,
			 x->urunc.hypervisor);
		add_label(x, UNIK_LABEL_URUNC, x->words);
	}
	return 0;
}

static int pack_images(struct job *job, struct unik_pack *pack,
		       const struct unik_pack_image *images,
		       struct unik_err *err)
{
	struct extras x = { .kernel = UNIK_KERNEL_NONE };
	int rc = add_extras(job, &x, images, err);

	pack->files = x.files;
	pack->nfiles = x.nfiles;
	pack->labels = x.labels;
	pack->nlabels = x.nlabels;
	if (rc == 0)
		rc = unik_pack(pack, err);
	unik_kernel_release(&x.kernel);
	unik_urunc_release(&x.urunc);
	return rc;
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
	struct unik_pack pack = {
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
		rc = pack_images(job, &pack, images, err);
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
