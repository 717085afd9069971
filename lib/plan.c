/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "plan.h"

#include <string.h>

/* A rumprun guest has ten block devices; one is for its configuration. */
#define RUMPRUN_IMAGES 9

static const struct unik_target targets[] = {
	{ "oci", "iso", UNIK_WHITEOUTS_KEEP, 0, false, false, false },
	{ "linux", "ext2", UNIK_WHITEOUTS_OVERLAY, 0, false, false, false },
	{ "rumprun", "iso", UNIK_WHITEOUTS_APPLY, RUMPRUN_IMAGES, false, true,
	  true },
	{ "flat", "ext2", UNIK_WHITEOUTS_APPLY, 1, true, false, false },
};

static const char *const whiteout_names[] = {
	[UNIK_WHITEOUTS_KEEP] = "keep",
	[UNIK_WHITEOUTS_OVERLAY] = "overlay",
	[UNIK_WHITEOUTS_APPLY] = "apply",
};

const struct unik_target *unik_target_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
		if (strcmp(targets[i].name, name) == 0)
			return &targets[i];
	return NULL;
}

const char *unik_whiteouts_name(enum unik_whiteouts w)
{
	return whiteout_names[w];
}

enum unik_whiteouts unik_whiteouts_find(const char *name)
{
	size_t i;

	for (i = UNIK_WHITEOUTS_KEEP; i <= UNIK_WHITEOUTS_APPLY; i++)
		if (strcmp(whiteout_names[i], name) == 0)
			return (enum unik_whiteouts)i;
	return UNIK_WHITEOUTS_DEFAULT;
}

/* Joins the runs that an edge touches; its index is the reason. */
static size_t join(struct unik_plan_run *runs, size_t nruns,
		   const struct unik_plan_edge *e, size_t reason)
{
	size_t a = 0, b;

	while (runs[a].last < e->low)
		a++;
	b = a;
	while (runs[b].last < e->high)
		b++;
	if (a == b)
		return nruns;
	runs[a].last = runs[b].last;
	runs[a].reason = reason;
	memmove(&runs[a + 1], &runs[b + 1], (nruns - b - 1) * sizeof(*runs));
	return nruns - (b - a);
}

size_t unik_plan(const struct unik_plan_edge *edges, size_t nedges,
		 size_t nlayers, size_t max_images, bool single,
		 struct unik_plan_run *runs)
{
	size_t i, n = nlayers;

	for (i = 0; i < nlayers; i++) {
		runs[i].first = i;
		runs[i].last = i;
		runs[i].reason = UNIK_PLAN_SINGLE;
	}
	if (single && nlayers > 1) {
		runs[0].last = nlayers - 1;
		runs[0].reason = UNIK_PLAN_FLAT;
		return 1;
	}
	for (i = 0; i < nedges; i++)
		if (edges[i].low < edges[i].high && edges[i].high < nlayers)
			n = join(runs, n, &edges[i], i);
	if (max_images > 0 && n > max_images) {
		runs[max_images - 1].last = nlayers - 1;
		runs[max_images - 1].reason = UNIK_PLAN_LIMIT;
		n = max_images;
	}
	return n;
}
