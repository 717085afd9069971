/* SPDX-License-Identifier: GPL-3.0-or-later */
/* convert: stacks whose images depend on the layers below. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "convert_private.h"
#include "merge.h"
#include "treedump.h"

#define NKINDS (UNIK_REACH_SHADOW + 1)

/* The lowest layer that a layer reaches into, by kind. */
struct reached {
	bool set;
	size_t low;
	char what[UNIK_QUOTE_SIZE];
};

struct stacking {
	struct job *job;
	/* By layer: the tree as it is mounted over the lower ones. */
	const struct unik_tree **effective;
	struct unik_tree **owned; /* those that are not the layer's own */
	struct reached (*reached)[NKINDS];
};

static const struct unik_tree *layer_tree(const struct job *job, size_t k)
{
	if (k == job->nslots)
		return job->bind->tree;
	return job->slots[job->slots[k].same_as].layer->tree;
}

/* Layers, and what is bound over them. */
static size_t ntrees(const struct job *job)
{
	return job->nslots + (job->bind != NULL);
}

/* ---- what layers reach into ---- */

static int note_reach(void *data, const struct unik_reach *r,
		      struct unik_err *err)
{
	struct stacking *s = data;
	struct reached *to = &s->reached[r->layer][r->kind];

	(void)err;
	if (to->set && to->low <= r->low)
		return 0;
	to->set = true;
	to->low = r->low;
	unik_node_quote(r->node, to->what);
	return 0;
}

static int lay_over(struct stacking *s, struct unik_tree *view, size_t k,
		    struct unik_err *err)
{
	struct unik_tree *effective = NULL;
	struct unik_merge m = {
		.view = view,
		.index = k,
		.drop_idle = s->job->whiteouts == UNIK_WHITEOUTS_OVERLAY,
		.reach = note_reach,
		.data = s,
	};

	if (unik_tree_new(&effective, &s->job->opt->limits, err) < 0)
		return -1;
	m.effective = effective;
	if (unik_merge_layer(&m, layer_tree(s->job, k), err) < 0) {
		unik_tree_free(effective);
		return unik_wrap(err, "layer %zu", k);
	}
	s->effective[k] = layer_tree(s->job, k);
	/* Kept literally, a layer is what its tar says, whatever lies below. */
	if (!m.context || s->job->whiteouts == UNIK_WHITEOUTS_KEEP) {
		unik_tree_free(effective);
		return 0;
	}
	s->owned[k] = effective;
	s->effective[k] = effective;
	return unik_tree_seal_open(effective, err);
}

static int lay_all(struct stacking *s, struct unik_err *err)
{
	struct unik_tree *view = NULL;
	size_t k;
	int rc;

	rc = unik_tree_new(&view, &s->job->opt->limits, err);
	for (k = 0; k < ntrees(s->job) && rc == 0; k++)
		rc = lay_over(s, view, k, err);
	unik_tree_free(view);
	return rc;
}

/* ---- the plan ---- */

bool unik_must_merge(enum unik_whiteouts form, const struct unik_format *format,
		     enum unik_reach_kind kind)
{
	if (kind == UNIK_REACH_LINK || form == UNIK_WHITEOUTS_APPLY)
		return true;
	if (form == UNIK_WHITEOUTS_KEEP)
		return false;
	/* overlayfs never looks at the mark of a root.  ISO has no xattrs for
	 * the mark, and isofs does not tell the types of names when it lists a
	 * directory, so that overlayfs lists whiteouts as if they were there.
	 */
	return kind == UNIK_REACH_ROOT || format == &unik_format_iso;
}

static void explain(struct stacking *s, const struct unik_plan_run *run,
		    const struct unik_plan_edge *edges,
		    const size_t *kinds)
{
	static const char *const verbs[NKINDS] = {
		[UNIK_REACH_WHITEOUT] = "deletes",
		[UNIK_REACH_OPAQUE] = "hides",
		[UNIK_REACH_ROOT] = "hides",
		[UNIK_REACH_LINK] = "links to",
		[UNIK_REACH_SHADOW] = "makes a directory again of",
	};
	const struct unik_plan_edge *e;
	size_t kind;

	if (run->reason == UNIK_PLAN_SINGLE)
		return;
	if (run->reason == UNIK_PLAN_FLAT || run->reason == UNIK_PLAN_LIMIT) {
		convert_note(s->job, "layers %zu-%zu merged: the target takes "
			     "at most %zu image%s", run->first, run->last,
			     s->job->max_images,
			     s->job->max_images == 1 ? "" : "s");
		return;
	}
	e = &edges[run->reason];
	kind = kinds[run->reason];
	convert_note(s->job, "layers %zu-%zu merged: layer %zu %s %s of layer "
		     "%zu", run->first, run->last, e->high, verbs[kind],
		     s->reached[e->high][kind].what, e->low);
}

struct planning {
	struct unik_plan_edge *edges;
	size_t *kinds; /* of the edges */
	size_t nedges;
	struct unik_plan_run *runs;
};

static void planning_release(struct planning *p)
{
	free(p->edges);
	free(p->kinds);
	free(p->runs);
}

/* Whatever this format and target can't express. */
static void find_edges(struct stacking *s, size_t format, struct planning *p)
{
	size_t k, kind;

	for (k = 0; k < ntrees(s->job); k++) {
		for (kind = 0; kind < NKINDS; kind++) {
			if (!s->reached[k][kind].set ||
			    !unik_must_merge(s->job->whiteouts,
					     s->job->formats[format],
					     (enum unik_reach_kind)kind))
				continue;
			p->kinds[p->nedges] = kind;
			p->edges[p->nedges].low = s->reached[k][kind].low;
			p->edges[p->nedges++].high = k;
		}
	}
}

static void plan_entries(struct stacking *s, size_t format,
			 const struct planning *p, struct stack *st)
{
	struct job *job = s->job;
	size_t i;

	for (i = 0; i < st->n; i++) {
		st->v[i].first = p->runs[i].first;
		st->v[i].last = p->runs[i].last;
		explain(s, &p->runs[i], p->edges, p->kinds);
		if (st->v[i].first == job->nslots && job->bind)
			st->v[i].role = "bind";
	}
	/* One image of nothing is still an image. */
	if (st->n == 0 && job->target->single)
		st->n = 1;
	st->nown = st->n + (job->opt->scratch > 0);
	for (i = 0; i < st->nown; i++) {
		st->own[i].temp.fd = -1;
		st->v[i].out = &st->own[i];
		st->v[i].format = job->formats[format];
	}
	if (job->opt->scratch > 0) {
		st->v[st->n].first = SIZE_MAX;
		st->v[st->n].role = "scratch";
		st->v[st->n].format = &unik_format_ext2;
		/* A manifest has the version of its stack's format only. */
		if (st->v[st->n].format != job->formats[format])
			st->own[st->n].version = unik_format_ext2.oldest;
		st->n++;
	}
}

static int make_plan(struct stacking *s, size_t format, struct stack *st,
		     struct unik_err *err)
{
	struct job *job = s->job;
	size_t n = ntrees(job), max = job->max_images;
	struct planning p = { 0 };

	p.edges = calloc(n * NKINDS + 1, sizeof(*p.edges));
	p.kinds = calloc(n * NKINDS + 1, sizeof(*p.kinds));
	p.runs = calloc(n + 1, sizeof(*p.runs));
	st->v = calloc(n + 2, sizeof(*st->v));
	st->own = calloc(n + 2, sizeof(*st->own));
	if (!p.edges || !p.kinds || !p.runs || !st->v || !st->own) {
		planning_release(&p);
		return unik_fail_mem(err);
	}
	find_edges(s, format, &p);
	if (max > 1 && job->opt->scratch > 0)
		max--; /* it takes a device too */
	st->n = unik_plan(p.edges, p.nedges, n, max, job->target->single,
			  p.runs);
	plan_entries(s, format, &p, st);
	planning_release(&p);
	return 0;
}

/* ---- trees and images ---- */

static int merge_run(struct stacking *s, const struct entry *e,
		     struct unik_tree *tree, struct unik_err *err)
{
	/* Whiteouts stay where they reach below the run; those of a single
	 * layer that is kept literally all do. */
	bool apply = s->job->whiteouts == UNIK_WHITEOUTS_APPLY;
	size_t bottom = apply ? 0 : e->first;
	size_t k;

	if (s->job->whiteouts == UNIK_WHITEOUTS_KEEP && e->first == e->last)
		bottom = SIZE_MAX;
	for (k = e->first; k <= e->last && k < ntrees(s->job); k++) {
		struct unik_merge m = {
			.view = tree,
			.index = k,
			.bottom = bottom,
		};

		if (unik_merge_layer(&m, s->effective[k], err) < 0)
			return unik_wrap(err, "layer %zu", k);
	}
	return 0;
}

static int finish_tree(struct stacking *s, const struct unik_format *format,
		       struct unik_tree *tree, struct unik_err *err)
{
	if (s->job->whiteouts == UNIK_WHITEOUTS_APPLY) {
		unik_merge_apply(tree);
		return 0;
	}
	if (s->job->whiteouts == UNIK_WHITEOUTS_OVERLAY)
		return unik_merge_overlay(
			tree, format == &unik_format_ext2, err);
	return unik_merge_keep(tree, err);
}

/* Whether only a scratch image lies above. */
static bool is_top(const struct stack *st, size_t i)
{
	return i + 1 == st->n ||
	       (i + 2 == st->n && st->v[i + 1].first == SIZE_MAX);
}

/* rumprun: every directory alive below, and the two that every guest has. */
static int add_skeleton(struct stacking *s, const struct stack *st, size_t i,
			struct unik_tree *tree, struct unik_tree *view,
			struct unik_err *err)
{
	size_t k;

	if (!s->job->target->skeleton)
		return 0;
	for (k = st->v[i].first; k <= st->v[i].last && k < ntrees(s->job);
	     k++) {
		struct unik_merge m = { .view = view, .index = k };

		if (unik_merge_layer(&m, s->effective[k], err) < 0)
			return unik_wrap(err, "layer %zu", k);
	}
	if (i > 0 && unik_merge_skeleton(tree, view, err) < 0)
		return -1;
	if (!is_top(st, i))
		return 0;
	if (unik_merge_add_dir(tree, "dev", 0755, err) < 0)
		return -1;
	return unik_merge_add_dir(tree, "tmp", 01777, err);
}

/* The tree of one image, sealed. */
static int run_tree(struct stacking *s, struct stack *st, size_t i,
		    struct unik_tree *tree, struct unik_tree *view,
		    struct unik_err *err)
{
	const struct entry *e = &st->v[i];

	if (e->first != SIZE_MAX &&
	    (merge_run(s, e, tree, err) < 0 ||
	     finish_tree(s, e->format, tree, err) < 0 ||
	     add_skeleton(s, st, i, tree, view, err) < 0))
		return -1;
	return unik_tree_seal(tree, err);
}

/* The layers of whom nobody reads anything after image i of the last format.
 * Those that stand twice are read by all images that hold them; a kernel may
 * still be looked for in the layers of what is packed. */
static int drain_run(struct stacking *s, size_t format, const struct entry *e,
		     const struct unik_tree *tree, struct unik_err *err)
{
	struct job *job = s->job;
	size_t k, j;

	if (job->derive || convert_packs(job) || format + 1 < job->nformats)
		return 0;
	for (k = e->first; k <= e->last && k < job->nslots; k++) {
		struct slot *slot = &job->slots[k];

		for (j = job->nslots - 1;
		     job->slots[j].same_as != slot->same_as; j--)
			;
		if (j == k && unik_layer_drain(job->slots[slot->same_as].layer,
					       tree, err) < 0)
			return -1;
	}
	return 0;
}

static int write_run(struct stacking *s, size_t format, size_t i,
		     struct unik_tree *view, struct unik_err *err)
{
	struct stack *st = &s->job->stacks[format];
	const struct unik_convert_options *opt = s->job->opt;
	const struct entry *e = &st->v[i];
	struct unik_tree *tree = NULL;
	uint64_t size = opt->free_size, inodes = opt->free_inodes;
	int rc;

	if (e->first == SIZE_MAX) { /* one inode for every 16 KiB, as mke2fs */
		size = opt->scratch;
		inodes = opt->scratch / 16384;
	}
	rc = unik_tree_new(&tree, &opt->limits, err);
	if (rc == 0)
		rc = run_tree(s, st, i, tree, view, err);
	if (rc == 0)
		rc = unik_tree_digest(tree, &e->out->facts.tree_digest, err);
	if (rc == 0)
		rc = convert_show(s->job, i, e, tree, err);
	if (rc == 0)
		rc = drain_run(s, format, e, tree, err);
	if (rc == 0)
		rc = convert_image(s->job, tree, e->format, size, inodes,
				   e->out, err);
	unik_tree_free(tree);
	return rc < 0 ? unik_wrap(err, "image %zu", i) : 0;
}

static int write_stack(struct stacking *s, size_t format, struct unik_err *err)
{
	struct stack *st = &s->job->stacks[format];
	struct unik_tree *view = NULL;
	size_t i;
	int rc;

	if (make_plan(s, format, st, err) < 0 ||
	    unik_tree_new(&view, &s->job->opt->limits, err) < 0)
		return -1;
	for (i = 0, rc = 0; i < st->n && rc == 0; i++)
		rc = write_run(s, format, i, view, err);
	unik_tree_free(view);
	return rc;
}

static void stacking_release(struct stacking *s)
{
	size_t k;

	for (k = 0; s->owned && k < ntrees(s->job); k++)
		unik_tree_free(s->owned[k]);
	free(s->owned);
	free(s->effective);
	free(s->reached);
}

int convert_stacks(struct job *job, struct unik_err *err)
{
	struct stacking s = { .job = job };
	size_t n = ntrees(job) + 1, i;
	int rc = -1;

	s.effective = calloc(n, sizeof(const struct unik_tree *));
	s.owned = calloc(n, sizeof(struct unik_tree *));
	s.reached = calloc(n, sizeof(*s.reached));
	if (!s.effective || !s.owned || !s.reached)
		unik_fail_mem(err);
	else
		rc = lay_all(&s, err);
	for (i = 0; i < job->nformats && rc == 0; i++)
		rc = write_stack(&s, i, err);
	stacking_release(&s);
	return rc;
}

int convert_single_stacks(struct job *job, struct unik_err *err)
{
	size_t i, k;

	for (i = 0; i < job->nformats; i++) {
		struct stack *st = &job->stacks[i];

		st->v = calloc(job->nslots + 1, sizeof(*st->v));
		if (!st->v)
			return unik_fail_mem(err);
		st->n = job->nslots;
		for (k = 0; k < st->n; k++) {
			st->v[k].first = k;
			st->v[k].last = k;
			st->v[k].format = job->formats[i];
			st->v[k].out =
				&job->slots[job->slots[k].same_as].out[i];
		}
	}
	return 0;
}
