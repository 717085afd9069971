/* SPDX-License-Identifier: GPL-3.0-or-later */
/* inspect: what each target would make of a source, and which one fits. */
#include <stdlib.h>
#include <string.h>

#include "convert.h"
#include "inspect_source_private.h"

const char *inspect_reach_name(enum unik_reach_kind kind)
{
	static const char *const names[] = {
		[UNIK_REACH_WHITEOUT] = "whiteout",
		[UNIK_REACH_OPAQUE] = "opaque",
		[UNIK_REACH_ROOT] = "root",
		[UNIK_REACH_LINK] = "link",
		[UNIK_REACH_SHADOW] = "shadow",
	};

	return names[kind];
}

static size_t count_reach(const struct source_report *r)
{
	size_t k, n = 0;

	for (k = 0; k < r->nlayers; k++)
		n += r->layers[k].nreach;
	return n;
}

/* Edges of the plan for a target. */
static size_t find_edges(const struct source_report *r,
			 const struct unik_target *target,
			 struct unik_plan_edge *edges)
{
	const struct unik_format *f = unik_format_find(target->format);
	size_t k, i, n = 0;

	for (k = 0; k < r->nlayers; k++) {
		for (i = 0; i < r->layers[k].nreach; i++) {
			const struct reach *x = &r->layers[k].reach[i];

			if (!unik_must_merge(target->whiteouts, f, x->kind))
				continue;
			edges[n].low = x->low;
			edges[n++].high = k;
		}
	}
	return n;
}

/* Whether the target's format holds everything, and nothing is left that only
 * merging could resolve where the target does not merge. */
static bool can_hold(const struct source_report *r,
		     const struct unik_target *target)
{
	bool merges = target->whiteouts != UNIK_WHITEOUTS_KEEP;
	size_t i, k;

	for (i = 0; i < NFORMATS; i++) {
		if (strcmp(r->fit[i].format->name, target->format) != 0)
			continue;
		if (r->fit[i].refused)
			return false;
		for (k = 0; k < r->nlayers && !merges; k++)
			if (r->layers[k].fit[i].refused)
				return false;
	}
	return true;
}

static int plan_target(const struct source_report *r, struct target_row *row,
		       struct unik_err *err)
{
	const struct unik_target *target = row->target;
	struct unik_plan_edge *edges = calloc(count_reach(r) + 1,
					      sizeof(*edges));
	struct unik_plan_run *runs = calloc(r->nlayers + 1, sizeof(*runs));
	size_t i;

	if (!edges || !runs) {
		free(edges);
		free(runs);
		return unik_fail_mem(err);
	}
	if (can_hold(r, target))
		row->images = unik_plan(edges, find_edges(r, target, edges),
					r->nlayers, target->max_images,
					target->single, runs);
	/* One image of nothing is still an image. */
	if (r->nlayers == 0 && target->single)
		row->images = 1;
	if (r->nlayers == 0)
		runs[0].last = 1; /* not one layer */
	for (i = 0; i < row->images; i++)
		row->single += runs[i].first == runs[i].last;
	free(edges);
	free(runs);
	return 0;
}

static const struct target_row *row_of(const struct source_report *r,
				       const char *name)
{
	size_t i;

	for (i = 0; i < NTARGETS; i++)
		if (strcmp(r->targets[i].target->name, name) == 0)
			return &r->targets[i];
	return &r->targets[0];
}

static uint64_t losses(const struct fit *fit)
{
	return fit->losses.xattr + fit->losses.time + fit->losses.rdev +
	       fit->losses.name;
}

static bool has_solo5(const struct source_report *r)
{
	size_t k;

	for (k = 0; k < r->nlayers; k++)
		if (r->layers[k].solo5)
			return true;
	return false;
}

static uint64_t count_hidden(const struct source_report *r)
{
	uint64_t n = 0;
	size_t k;

	for (k = 0; k < r->nlayers; k++)
		n += r->layers[k].facts.whiteouts + r->layers[k].facts.opaque;
	return n;
}

/* Where ext2 can't hold it. */
static int choose_other(struct source_report *r, struct unik_err *err)
{
	static const char *const names[] = { "oci", "rumprun" };
	size_t i;

	r->suggested = r->nlayers == 0 ? "flat" : "none";
	for (i = 0; i < 2; i++) {
		if (row_of(r, names[i])->images > 0) {
			r->suggested = names[i];
			break;
		}
	}
	r->why = report_text(r, err, r->nlayers == 0 ? "it has no layer"
						     : "ext2 can't hold it");
	return r->why ? 0 : -1;
}

static int choose(struct source_report *r, struct unik_err *err)
{
	const struct target_row *row = row_of(r, "linux");
	uint64_t hidden = count_hidden(r);

	if (has_solo5(r) && row_of(r, "rumprun")->images > 0) {
		r->suggested = "rumprun";
		r->why = report_text(r, err, "a unikernel mounts its images "
				     "as a read-only union of block devices");
	} else if (row->images == 0) {
		return choose_other(r, err);
	} else if (r->nlayers > 1 && row->images == 1) {
		r->suggested = "flat";
		r->why = report_text(r, err, "all its layers would have to be "
				     "merged for overlayfs as well");
	} else if (hidden == 0 && r->nlayers == 1 && losses(&r->fit[0]) == 0 &&
		   row_of(r, "oci")->images > 0) {
		r->suggested = "oci";
		r->why = report_text(r, err, "one layer without whiteouts is "
				     "the same for all, and iso loses nothing");
	} else {
		r->suggested = "linux";
		r->why = report_text(r, err, "%zu of %zu images hold one "
				     "layer, %llu whiteout%s kept%s",
				     row->single, row->images,
				     (unsigned long long)hidden,
				     hidden == 1 ? "" : "s",
				     losses(&r->fit[1]) == 0
					     ? ", ext2 loses nothing" : "");
	}
	return r->why ? 0 : -1;
}

int inspect_suggest(struct source_report *r, struct unik_err *err)
{
	static const char *const names[NTARGETS] = { "oci", "linux", "rumprun",
						     "flat" };
	size_t i;

	for (i = 0; i < NTARGETS; i++) {
		r->targets[i].target = unik_target_find(names[i]);
		if (plan_target(r, &r->targets[i], err) < 0)
			return -1;
	}
	return choose(r, err);
}
