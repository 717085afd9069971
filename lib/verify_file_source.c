/* SPDX-License-Identifier: GPL-3.0-or-later */
/* verify: one image file against the source that it was made from. */
#include <stdint.h>
#include <string.h>

#include "convert.h"
#include "verify_private.h"
#include "writer.h"

struct matching {
	struct verify_place *p;
	bool semantic;
	size_t index;      /* of the image that it is compared with */
	size_t ncompared;
	bool found;
};

/* Whether an image of the stack is one that is asked for. */
static bool is_wanted(const struct unik_verify_options *opt, size_t first,
		      size_t last)
{
	return !opt->has_layer || (first <= opt->layer && opt->layer <= last);
}

static int match_bytes(void *data, const struct unik_manifest *m, bool merged,
		       struct unik_err *err)
{
	struct matching *c = data;
	const struct verify_place *p = c->p;
	char a[UNIK_DIGEST_TEXT];
	size_t i;

	(void)merged;
	(void)err;
	for (i = 0; i < m->nstack && !c->found; i++) {
		const struct unik_stack_image *s = &m->stack[i];

		if (s->role || !is_wanted(p->v->opt, s->first, s->last))
			continue;
		c->ncompared++;
		c->index = i;
		c->found = s->facts.size == p->size &&
			   unik_digest_equal(&s->facts.image, &p->taken);
	}
	unik_digest_text(&p->taken, a);
	if (c->found)
		verify_put(p->f, UNIK_FAITHFUL, UNIK_PASS, p->object,
			   "the source gives %s for image %zu of %zu (target "
			   "%s)", a, c->index, m->nstack, m->target);
	else
		verify_put(p->f, UNIK_FAITHFUL, UNIK_FAIL, p->object,
			   "is %s; the source gives other bytes for %s (target "
			   "%s, %s version %d)", a,
			   c->ncompared == 1 ? "it" : "each of its images",
			   m->target, m->format, m->format_version);
	return 0;
}

static int match_tree(void *data, const struct unik_derived *d,
		      struct unik_err *err)
{
	struct matching *c = data;

	(void)err;
	if (c->found || !is_wanted(c->p->v->opt, d->first, d->last))
		return 1;
	c->found = true;
	verify_tree(c->p, d->tree, c->p->v->opt->has_layer ? "the layer"
							   : "the source");
	return 1;
}

static int explain(void *data, const struct unik_derived *d,
		   struct unik_err *err)
{
	struct matching *c = data;

	(void)err;
	if (d->index == c->index)
		verify_tree_explain(c->p, c->p->f->n - 1, d->tree);
	return 1;
}

/* Which image of the stack is meant must be clear where trees are compared. */
static int check_layer(const struct verify *v, bool semantic,
		       struct unik_err *err)
{
	size_t n = v->source->nlayers;
	bool flat = v->opt->for_target &&
		    strcmp(v->opt->for_target, "flat") == 0;

	if (v->opt->has_layer && v->opt->layer >= n)
		return unik_fail_usage(err, "layer %zu: the source has %zu "
				       "layers, from 0", v->opt->layer, n);
	if (semantic && !v->opt->has_layer && n != 1 && !flat)
		return unik_fail_usage(err, "the source has %zu layers: say "
				       "--layer=N, or --target=flat for all",
				       n);
	return 0;
}

static int derive(struct matching *c, struct unik_convert_options *co,
		  struct unik_err *err)
{
	const struct verify *v = c->p->v;
	struct unik_derive d = {
		.image = v->source,
		.layer = v->opt->has_layer ? v->opt->layer : SIZE_MAX,
		.data = c,
		.tree = c->semantic ? match_tree : NULL,
		.stack = c->semantic ? NULL : match_bytes,
	};

	if (unik_derive(co, &d, err) < 0)
		return -1;
	if (c->semantic || c->found || c->ncompared != 1)
		return 0;
	/* A second time, to say in what they differ. */
	d.tree = explain;
	d.stack = NULL;
	return unik_derive(co, &d, err);
}

/* Bytes can be compared with those of a version that can be written again. */
static bool is_ours(const struct unik_reader *reader,
		    const struct unik_reader_info *info)
{
	const struct unik_format *f = unik_format_find(reader->name);

	return f && info->version >= f->oldest && info->version <= f->version;
}

static int check_derived(struct verify_place *p,
			 const struct unik_reader_info *info,
			 struct unik_err *err)
{
	const struct unik_verify_options *opt = p->v->opt;
	const char *const formats[] = { p->reader->name };
	struct matching c = { .p = p };
	struct unik_convert_options co;

	c.semantic = opt->semantic || !is_ours(p->reader, info);
	if (check_layer(p->v, c.semantic, err) < 0 ||
	    (!c.semantic && verify_take(p, err) < 0))
		return -1;
	verify_derive_options(p->v, &co);
	co.formats = formats;
	co.nformats = 1;
	if (opt->for_target)
		co.target = opt->for_target;
	if (!c.semantic) {
		co.format_version = info->version;
		co.block_size = strcmp(p->reader->name, "ext2") == 0
					? info->block_size : 0;
	}
	return derive(&c, &co, err);
}

int verify_file_source(struct verify_place *p, struct unik_err *err)
{
	struct unik_reader_info info;

	if (p->reader->info(&info, p->fd, p->size, err) == 0) {
		if (info.version == 0 && !p->v->opt->semantic) {
			verify_put(p->f, UNIK_FAITHFUL, UNIK_FAIL, p->object,
				   "another tool made it (--semantic compares "
				   "the trees)");
			return 0;
		}
		if (check_derived(p, &info, err) == 0)
			return 0;
		if (err->code == UNIK_EUSAGE)
			return -1;
	}
	verify_put_err(p->f, UNIK_FAITHFUL, p->object, err);
	return verify_stopped(p->v, err);
}
