/* SPDX-License-Identifier: GPL-3.0-or-later */
/* inspect: the report on a source. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inflate.h"
#include "inspect_source_private.h"
#include "treedump.h"

char *report_text(struct source_report *r, struct unik_err *err,
		  const char *fmt, ...)
{
	char text[1024], *copy;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	copy = unik_arena_text(&r->arena, text, strlen(text));
	if (!copy)
		unik_fail_mem(err);
	return copy;
}

/* ---- what formats make of a tree ---- */

static int plan_fit(struct source_report *r, const struct unik_tree *tree,
		    const struct unik_digest *digest, struct fit *fit,
		    struct unik_err *err)
{
	const struct unik_writer_options opt = { .tree_digest = digest };
	const struct unik_losses *l;
	struct unik_writer *w;

	if (fit->format->plan(&w, tree, &opt, err) < 0) {
		if (err->code != UNIK_EBAD)
			return -1;
		fit->refused = report_text(r, err, "%s", err->msg);
		return fit->refused ? 0 : -1;
	}
	l = fit->format->losses(w);
	fit->size = fit->format->size(w);
	fit->losses = (struct unik_loss_counts){ l->xattr, l->time, l->rdev,
						 l->name };
	fit->format->free(w);
	return 0;
}

static int find_fits(struct source_report *r, const struct unik_tree *tree,
		     struct fit fit[NFORMATS], struct unik_err *err)
{
	static const char *const names[NFORMATS] = { "iso", "ext2" };
	struct unik_digest digest;
	char *refused = NULL;
	size_t i;

	if (unik_tree_check_links(tree, err) < 0) {
		refused = report_text(r, err, "%s", err->msg);
		if (!refused)
			return -1;
	} else if (unik_tree_digest(tree, &digest, err) < 0) {
		return -1;
	}
	for (i = 0; i < NFORMATS; i++) {
		fit[i].format = unik_format_find(names[i]);
		fit[i].refused = refused;
		if (!refused && plan_fit(r, tree, &digest, &fit[i], err) < 0)
			return -1;
	}
	return 0;
}

/* ---- layers ---- */

static int take_layer(struct source_report *r, size_t k, struct unik_err *err)
{
	const struct unik_layer *layer;
	struct layer_report *l = &r->layers[k];

	if (inspect_stopped(r->t->opt, err) < 0 ||
	    target_layer(r->t, k, err) < 0)
		return -1;
	layer = r->t->layers[r->t->same_as[k]];
	unik_take_facts(&l->facts, layer);
	/* Stored as this layer says: the same tar may be there twice in
	 * different compressions. */
	l->facts.blob_size = r->image->layers[k].size;
	if (r->image->layers[k].has_blob_digest)
		l->facts.blob_digest = r->image->layers[k].blob_digest;
	l->compression = unik_compression_name(layer->compression);
	l->content = layer->tree->counts.content;
	l->xattrs = layer->tree->counts.xattrs;
	if (find_fits(r, layer->tree, l->fit, err) < 0)
		return unik_wrap(err, "layer %zu", k);
	return 0;
}

struct reaching {
	struct source_report *r;
	struct reach *v; /* of the layer that is being merged */
	size_t n;
	size_t room;
};

static int note_reach(void *data, const struct unik_reach *reach,
		      struct unik_err *err)
{
	struct reaching *x = data;
	struct path path = { NULL, 0 };
	const char *text;
	size_t i;

	for (i = 0; i < x->n; i++) {
		if (x->v[i].kind == reach->kind && x->v[i].low == reach->low) {
			x->v[i].count++;
			return 0;
		}
	}
	if (x->n == x->room) {
		size_t room = x->room ? x->room * 2 : 8;
		struct reach *v = realloc(x->v, room * sizeof(*v));

		if (!v)
			return unik_fail_mem(err);
		x->v = v;
		x->room = room;
	}
	text = inspect_path(&path, reach->node);
	if (text)
		text = unik_arena_text(&x->r->arena, text, strlen(text));
	free(path.text);
	if (!text)
		return unik_fail_mem(err);
	x->v[x->n++] = (struct reach){ reach->kind, reach->low, 1, text };
	return 0;
}

static int compare_reach(const void *a, const void *b)
{
	const struct reach *x = a, *y = b;

	if (x->low != y->low)
		return x->low < y->low ? -1 : 1;
	return (x->kind > y->kind) - (x->kind < y->kind);
}

static int keep_reach(struct reaching *x, struct layer_report *l,
		      struct unik_err *err)
{
	if (x->n == 0)
		return 0;
	qsort(x->v, x->n, sizeof(*x->v), compare_reach);
	l->reach = unik_arena_alloc(&x->r->arena, x->n * sizeof(*x->v));
	if (!l->reach)
		return unik_fail_mem(err);
	memcpy(l->reach, x->v, x->n * sizeof(*x->v));
	l->nreach = x->n;
	return 0;
}

/* What each layer reaches into below. */
static int find_reach(struct source_report *r, struct unik_err *err)
{
	struct reaching x = { .r = r };
	struct unik_tree *view = NULL;
	size_t k;
	int rc;

	rc = unik_tree_new(&view, &r->t->opt->limits, err);
	for (k = 0; k < r->nlayers && rc == 0; k++) {
		struct unik_merge m = { .view = view, .index = k,
					.reach = note_reach, .data = &x };

		x.n = 0;
		rc = unik_merge_layer(&m, r->t->layers[r->t->same_as[k]]->tree,
				      err);
		if (rc == 0)
			rc = keep_reach(&x, &r->layers[k], err);
		if (rc < 0)
			unik_wrap(err, "layer %zu", k);
	}
	unik_tree_free(view);
	free(x.v);
	return rc;
}

static int gather(struct source_report *r, struct unik_err *err)
{
	size_t k;

	r->layers = unik_arena_alloc(&r->arena,
				     (r->nlayers + 1) * sizeof(*r->layers));
	if (!r->layers)
		return unik_fail_mem(err);
	for (k = 0; k < r->nlayers; k++)
		if (take_layer(r, k, err) < 0)
			return -1;
	if (find_reach(r, err) < 0 ||
	    target_tree(r->t, MERGED, &r->root, err) < 0 ||
	    find_fits(r, r->root, r->fit, err) < 0)
		return -1;
	inspect_find_entrypoint(r);
	for (k = 0; k < r->nlayers; k++)
		if (inspect_storage(r, k, err) < 0)
			return unik_wrap(err, "layer %zu", k);
	return inspect_suggest(r, err);
}

int inspect_source(struct target *t, struct out *o, struct unik_err *err)
{
	struct source_report r = { .t = t, .image = t->image,
				   .nlayers = t->image->nlayers };
	int rc;

	if (t->part)
		return unik_fail_usage(err, "a part is named, but no --tree, "
				       "--diff or --cat");
	rc = gather(&r, err);
	if (rc == 0)
		rc = o->opt->json ? inspect_source_json(&r, o)
				  : inspect_source_text(&r, o);
	unik_arena_release(&r.arena);
	return rc;
}
