/* SPDX-License-Identifier: GPL-3.0-or-later */
/* convert: what is said, and what gets its name, when all layers are done. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "convert_private.h"
#include "manifest.h"
#include "sums.h"

static void say(void (*to)(void *, const char *), void *data, const char *fmt,
		va_list ap)
{
	char text[1024];

	if (!to)
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	to(data, text);
}

void convert_warn(struct job *job, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(job->opt->warn, job->opt->data, fmt, ap);
	va_end(ap);
}

void convert_note(struct job *job, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(job->opt->note, job->opt->data, fmt, ap);
	va_end(ap);
}

/* ---- losses ---- */

static void add_part(char *buf, size_t size, uint64_t n, const char *one,
		     const char *many)
{
	size_t used = strlen(buf);

	if (n > 0)
		snprintf(buf + used, size - used, "%s%llu %s", used ? ", " : "",
			 (unsigned long long)n, n == 1 ? one : many);
}

/* All that a format can't hold, as one text; false where it is nothing. */
static bool losses_text(const struct job *job, size_t format, char *buf,
			size_t size)
{
	struct unik_loss_counts sum = { 0 };
	const char *example = NULL;
	size_t k, layer = 0, used;

	buf[0] = 0;
	for (k = 0; k < job->stacks[format].n; k++) {
		const struct entry *e = &job->stacks[format].v[k];

		sum.xattr += e->out->losses.xattr;
		sum.time += e->out->losses.time;
		sum.rdev += e->out->losses.rdev;
		sum.name += e->out->losses.name;
		if (!example && e->out->lost) {
			example = e->out->lost;
			layer = e->last;
		}
	}
	add_part(buf, size, sum.xattr, "extended attribute",
		 "extended attributes");
	add_part(buf, size, sum.rdev, "device number", "device numbers");
	add_part(buf, size, sum.name, "long name", "long names");
	add_part(buf, size, sum.time, "time to the nanosecond or out of range",
		 "times to the nanosecond or out of range");
	used = strlen(buf);
	if (used > 0 && example)
		snprintf(buf + used, size - used, " (first: layer %zu: %s)",
			 layer, example);
	return used > 0;
}

int convert_losses(struct job *job, struct unik_err *err)
{
	char text[768];
	size_t i, k;

	for (k = 0; k < job->nslots; k++) {
		const struct slot *s = &job->slots[k];

		if (s->facts.unended && job->opt->strict)
			return unik_fail(err, "layer %zu: the tar ends without "
					 "its two zero blocks", k);
		if (s->facts.unended)
			convert_warn(job, "layer %zu: the tar ends without its "
				     "two zero blocks", k);
		if (s->facts.globals)
			convert_warn(job, "layer %zu: %llu pax global header%s "
				     "not applied", k,
				     (unsigned long long)s->facts.globals,
				     s->facts.globals == 1 ? "" : "s");
	}
	for (i = 0; i < job->nformats; i++) {
		if (!losses_text(job, i, text, sizeof(text)))
			continue;
		if (job->opt->strict)
			return unik_fail(err, "%s can't hold %s",
					 job->formats[i]->name, text);
		convert_warn(job, "%s can't hold %s", job->formats[i]->name,
			     text);
	}
	return 0;
}

/* ---- names ---- */

static int publish_file(struct job *job, struct output *out,
			struct unik_err *err)
{
	/* The umask of nobody counts: an image is data for everybody. */
	return unik_temp_publish(&out->temp, job->image_name, 0444, true, err);
}

static int publish_images(struct job *job, size_t format, struct unik_err *err)
{
	char name[UNIK_IMAGE_NAME];
	size_t k;

	for (k = 0; k < job->stacks[format].n; k++) {
		const struct entry *e = &job->stacks[format].v[k];
		struct output *out = e->out;

		if (out->temp.fd < 0) /* it is there already */
			continue;
		unik_image_name(&out->facts.image, e->format->name, name);
		if (unik_temp_publish(&out->temp, name, 0444, false, err) < 0)
			return unik_wrap(err, "'%s/images'",
					 unik_store_path(job->store));
	}
	return 0;
}

/* Layers are remembered where each is its own image. */
static int put_records(struct job *job, size_t format, struct unik_err *err)
{
	const char *ext = job->formats[format]->name;
	char name[UNIK_RECORD_NAME];
	size_t k;

	for (k = 0; k < job->nslots && !job->merging; k++) {
		const struct slot *s = &job->slots[k];
		struct unik_record r = { s->facts, s->out[format].facts };

		if (s->same_as != k || s->out[format].cached)
			continue;
		r.layer.losses = s->out[format].losses;
		convert_record_name(job, &s->facts.diff_id, format, name);
		if (unik_record_put(job->store, name, ext, &r, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- the manifest ---- */

struct parts {
	struct unik_layer_facts *layers;
	struct unik_stack_image *stack;
	struct unik_layer_row *rows;
	char (*names)[UNIK_PACK_NAME];
	char (*ids)[UNIK_DIGEST_TEXT];
	char *text;
	size_t size;
	char digest[UNIK_DIGEST_TEXT];
};

static void parts_release(struct parts *p)
{
	free(p->layers);
	free(p->stack);
	free(p->rows);
	free(p->names);
	free(p->ids);
	free(p->text);
}

static int parts_alloc(struct parts *p, size_t nlayers, size_t nstack,
		       struct unik_err *err)
{
	p->layers = calloc(nlayers + 1, sizeof(*p->layers));
	p->stack = calloc(nstack + 1, sizeof(*p->stack));
	p->rows = calloc(nlayers + 1, sizeof(*p->rows));
	p->names = calloc(nlayers + 1, sizeof(*p->names));
	p->ids = calloc(nlayers + 1, sizeof(*p->ids));
	if (!p->layers || !p->stack || !p->rows || !p->names || !p->ids)
		return unik_fail_mem(err);
	return 0;
}

static void fill_row(struct job *job, size_t format, struct parts *p, size_t k,
		     size_t i)
{
	const struct output *out = job->stacks[format].v[i].out;
	const struct slot *s = &job->slots[k];
	struct unik_layer_row *row = &p->rows[k];

	row->diff_id = unik_digest_text(&s->facts.diff_id, p->ids[k]);
	row->entries = unik_sum_entries(&s->facts);
	row->size = s->facts.size;
	row->image = job->store ? unik_image_name(&out->facts.image,
						  job->formats[format]->name,
						  p->names[k])
		     : job->opt->image_path ? job->opt->image_path
					    : "-";
	row->image_size = out->facts.size;
	row->cached = out->cached;
	if (convert_packs(job)) {
		convert_pack_row(job, i, p->names[k]);
		row->image = p->names[k];
	}
}

/* What an image lost is counted at the first layer that it holds. */
static void parts_fill(struct job *job, size_t format, struct parts *p)
{
	size_t i, k;

	for (i = 0; i < job->stacks[format].n; i++) {
		const struct entry *e = &job->stacks[format].v[i];

		p->stack[i].facts = e->out->facts;
		p->stack[i].role = e->role;
		p->stack[i].format = e->format != job->formats[format]
					     ? e->format->name : NULL;
		p->stack[i].first = e->first < job->nslots ? e->first : 1;
		p->stack[i].last = e->first >= job->nslots ? 0
				   : e->last < job->nslots ? e->last
							   : job->nslots - 1;
		for (k = e->first; k <= e->last && k < job->nslots; k++) {
			p->layers[k] = job->slots[k].facts;
			memset(&p->layers[k].losses, 0,
			       sizeof(p->layers[k].losses));
			if (k == e->first)
				p->layers[k].losses = e->out->losses;
			fill_row(job, format, p, k, i);
			p->rows[k].merged = k > e->first;
		}
	}
}

/* What to bind is said by its place in the container. */
static int list_binds(const struct job *job, struct unik_strings *binds,
		      struct unik_err *err)
{
	size_t i, n = job->opt->nbinds;

	binds->v = calloc(n + 1, sizeof(*binds->v));
	if (!binds->v)
		return unik_fail_mem(err);
	for (i = 0; i < n; i++)
		binds->v[i] = (char *)(uintptr_t)job->opt->binds[i].path;
	binds->n = n;
	return 0;
}

static int manifest_text(const struct unik_manifest *m, struct parts *p,
			 struct unik_err *err)
{
	struct unik_digest d;

	if (unik_manifest_text(m, &p->text, &p->size, err) < 0 ||
	    unik_sha256(p->text, p->size, &d, err) < 0)
		return -1;
	unik_digest_text(&d, p->digest);
	return 0;
}

static int make_manifest(struct job *job, size_t format, struct parts *p,
			 struct unik_err *err)
{
	const struct unik_format *f = job->formats[format];
	const struct unik_derive *derive = job->derive;
	/* A scratch image is ext2, whatever the others are. */
	bool ext2 = f == &unik_format_ext2 || job->opt->scratch > 0;
	struct unik_manifest m = {
		.source = job->image,
		.target = job->target->name,
		.whiteouts = job->whiteouts != job->target->whiteouts
				     ? unik_whiteouts_name(job->whiteouts)
				     : NULL,
		.max_images = job->max_images != job->target->max_images
				      ? job->max_images : 0,
		.format = f->name,
		.format_version = convert_version(job, f, NULL),
		.block_size = ext2 ? job->opt->block_size : 0,
		.scratch = job->opt->scratch,
		.free_size = job->opt->free_size,
		.free_inodes = job->opt->free_inodes,
		.layers = p->layers,
		.nlayers = job->nslots,
		.stack = p->stack,
		.nstack = job->stacks[format].n,
	};
	int rc;

	if (list_binds(job, &m.binds, err) < 0)
		return -1;
	if (!derive)
		rc = manifest_text(&m, p, err);
	else
		rc = derive->stack ? derive->stack(derive->data, &m,
						   job->merging, err) : 0;
	free(m.binds.v);
	return rc;
}

static int store_manifest(struct job *job, size_t format, struct parts *p,
			  struct unik_err *err)
{
	char file[UNIK_DIGEST_TEXT + 16], target[UNIK_DIGEST_TEXT + 32];
	char ref[UNIK_REF_NAME];

	snprintf(file, sizeof(file), "sha256-%s.json", p->digest + 7);
	snprintf(target, sizeof(target), "../stacks/%s", file);
	if (unik_ref_name(ref, job->image->name, job->target->name,
			  job->formats[format]->name, err) < 0 ||
	    unik_store_put(job->store, "stacks", file, p->text, p->size,
			   err) < 0 ||
	    unik_store_sums(job->store, NULL, NULL, err) < 0 ||
	    unik_store_sync(job->store, err) < 0)
		return -1;
	return unik_store_link(job->store, "refs", ref, target, err);
}

static void report(struct job *job, size_t format, const struct parts *p)
{
	struct unik_stack_report r = {
		.format = job->formats[format]->name,
		.target = job->target->name,
		.name = job->image->name,
		.manifest = p->text,
		.manifest_size = p->size,
		.manifest_digest = p->digest,
		.layers = p->rows,
		.nlayers = job->nslots,
	};

	if (job->opt->stack)
		job->opt->stack(job->opt->data, &r);
}

static int finish_format(struct job *job, size_t format, struct unik_err *err)
{
	struct parts p = { 0 };
	int rc;

	rc = parts_alloc(&p, job->nslots, job->stacks[format].n, err);
	if (rc == 0) {
		parts_fill(job, format, &p);
		rc = make_manifest(job, format, &p, err);
	}
	if (rc == 0 && job->store)
		rc = store_manifest(job, format, &p, err);
	if (rc == 0 && convert_packs(job))
		rc = convert_pack(job, p.text, p.size, err);
	if (rc == 0 && !job->derive)
		report(job, format, &p);
	parts_release(&p);
	return rc;
}

int convert_publish(struct job *job, struct unik_err *err)
{
	size_t i;

	if (job->image_dir >= 0)
		if (publish_file(job, job->stacks[0].v[0].out, err) < 0)
			return -1;
	for (i = 0; i < job->nformats && job->store; i++)
		if (publish_images(job, i, err) < 0)
			return -1;
	if (job->store && unik_store_sync(job->store, err) < 0)
		return -1;
	for (i = 0; i < job->nformats && job->store; i++)
		if (put_records(job, i, err) < 0)
			return -1;
	for (i = 0; i < job->nformats; i++)
		if (finish_format(job, i, err) < 0)
			return -1;
	return job->store ? unik_store_sync(job->store, err) : 0;
}
