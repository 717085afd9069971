/* SPDX-License-Identifier: GPL-3.0-or-later */
/* plan: which layers share an image, by tables. */
#include <string.h>

#include "../../lib/plan.h"
#include "tap.h"

#define MAX 12

struct expect {
	size_t first, last;
	size_t reason;
};

static const struct plan_case {
	const char *name;
	size_t nlayers, max_images;
	bool single;
	size_t nedges;
	struct unik_plan_edge edges[6];
	size_t nruns;
	struct expect runs[MAX];
} cases[] = {
	{ "no layers", 0, 0, false, 0, { { 0 } }, 0, { { 0 } } },
	{ "no layers, flat", 0, 1, true, 0, { { 0 } }, 0, { { 0 } } },
	{ "nothing to merge", 3, 0, false, 0, { { 0 } }, 3,
	  { { 0, 0, UNIK_PLAN_SINGLE }, { 1, 1, UNIK_PLAN_SINGLE },
	    { 2, 2, UNIK_PLAN_SINGLE } } },
	{ "one edge", 5, 0, false, 1, { { 2, 4 } }, 3,
	  { { 0, 0, UNIK_PLAN_SINGLE }, { 1, 1, UNIK_PLAN_SINGLE },
	    { 2, 4, 0 } } },
	{ "two edges apart", 6, 0, false, 2, { { 4, 5 }, { 0, 1 } }, 4,
	  { { 0, 1, 1 }, { 2, 2, UNIK_PLAN_SINGLE },
	    { 3, 3, UNIK_PLAN_SINGLE }, { 4, 5, 0 } } },
	{ "edges that overlap", 6, 0, false, 2, { { 1, 3 }, { 3, 4 } }, 3,
	  { { 0, 0, UNIK_PLAN_SINGLE }, { 1, 4, 1 },
	    { 5, 5, UNIK_PLAN_SINGLE } } },
	{ "an edge inside another", 5, 0, false, 2, { { 0, 3 }, { 1, 2 } }, 2,
	  { { 0, 3, 0 }, { 4, 4, UNIK_PLAN_SINGLE } } },
	{ "neighbours that touch no edge stay apart", 4, 0, false, 2,
	  { { 0, 1 }, { 2, 3 } }, 2, { { 0, 1, 0 }, { 2, 3, 1 } } },
	{ "an edge to itself", 2, 0, false, 1, { { 1, 1 } }, 2,
	  { { 0, 0, UNIK_PLAN_SINGLE }, { 1, 1, UNIK_PLAN_SINGLE } } },
	{ "an edge out of range", 2, 0, false, 1, { { 0, 9 } }, 2,
	  { { 0, 0, UNIK_PLAN_SINGLE }, { 1, 1, UNIK_PLAN_SINGLE } } },
	{ "flat", 3, 1, true, 1, { { 0, 1 } }, 1,
	  { { 0, 2, UNIK_PLAN_FLAT } } },
	{ "flat, one layer", 1, 1, true, 0, { { 0 } }, 1,
	  { { 0, 0, UNIK_PLAN_SINGLE } } },
	{ "limit just met", 3, 3, false, 0, { { 0 } }, 3,
	  { { 0, 0, UNIK_PLAN_SINGLE }, { 1, 1, UNIK_PLAN_SINGLE },
	    { 2, 2, UNIK_PLAN_SINGLE } } },
	{ "limit: the lowest stay single", 5, 3, false, 0, { { 0 } }, 3,
	  { { 0, 0, UNIK_PLAN_SINGLE }, { 1, 1, UNIK_PLAN_SINGLE },
	    { 2, 4, UNIK_PLAN_LIMIT } } },
	{ "limit of one", 4, 1, false, 0, { { 0 } }, 1,
	  { { 0, 3, UNIK_PLAN_LIMIT } } },
	{ "edge and limit", 6, 3, false, 1, { { 0, 1 } }, 3,
	  { { 0, 1, 0 }, { 2, 2, UNIK_PLAN_SINGLE },
	    { 3, 5, UNIK_PLAN_LIMIT } } },
};

static bool same(const struct plan_case *c, const struct unik_plan_run *runs,
		 size_t n)
{
	size_t i;

	if (n != c->nruns)
		return false;
	for (i = 0; i < n; i++)
		if (runs[i].first != c->runs[i].first ||
		    runs[i].last != c->runs[i].last ||
		    runs[i].reason != c->runs[i].reason)
			return false;
	return true;
}

static void test_tables(void)
{
	struct unik_plan_run runs[MAX];
	size_t i, n;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct plan_case *c = &cases[i];

		memset(runs, 0xee, sizeof(runs));
		n = unik_plan(c->edges, c->nedges, c->nlayers, c->max_images,
			      c->single, runs);
		ok(same(c, runs, n), "plan: %s", c->name);
	}
}

/* Every subset of edges over six layers: runs cover all layers in order, every
 * edge is inside one run, and a run of several layers is held together by
 * edges: between any two neighbours of it there is one. */
static bool sound(const struct unik_plan_edge *e, size_t ne,
		  const struct unik_plan_run *runs, size_t n, size_t nlayers)
{
	size_t next = 0, i, j, k;

	for (i = 0; i < n; i++) {
		if (runs[i].first != next || runs[i].last < next)
			return false;
		next = runs[i].last + 1;
		for (k = runs[i].first; k < runs[i].last; k++) {
			bool held = false;

			for (j = 0; j < ne; j++)
				held = held || (e[j].low <= k && e[j].high > k);
			if (!held)
				return false;
		}
	}
	for (j = 0; j < ne; j++)
		for (i = 0; i < n; i++)
			if (e[j].low >= runs[i].first &&
			    e[j].low <= runs[i].last &&
			    e[j].high > runs[i].last)
				return false;
	return next == nlayers;
}

static void test_all_edge_sets(void)
{
	enum { LAYERS = 6, EDGES = LAYERS * (LAYERS - 1) / 2 };
	struct unik_plan_edge all[EDGES], some[EDGES];
	struct unik_plan_run runs[LAYERS];
	size_t n = 0, a, b, set, bad = 0;

	for (a = 0; a < LAYERS; a++)
		for (b = a + 1; b < LAYERS; b++) {
			all[n].low = a;
			all[n++].high = b;
		}
	for (set = 0; set < (size_t)1 << EDGES; set++) {
		size_t m = 0, i;

		for (i = 0; i < EDGES; i++)
			if (set >> i & 1)
				some[m++] = all[i];
		i = unik_plan(some, m, LAYERS, 0, false, runs);
		bad += !sound(some, m, runs, i, LAYERS);
	}
	ok(bad == 0, "plan: all %d sets of edges over %d layers are sound",
	   1 << EDGES, LAYERS);
}

static void test_names(void)
{
	const struct unik_target *t = unik_target_find("rumprun");

	ok(!unik_target_find("unknown"), "no target of an unknown name");
	ok(t && t->max_images == 9 && t->skeleton && t->netbsd,
	   "rumprun takes nine images");
	ok(unik_whiteouts_find("apply") == UNIK_WHITEOUTS_APPLY &&
	   unik_whiteouts_find("default") == UNIK_WHITEOUTS_DEFAULT &&
	   strcmp(unik_whiteouts_name(UNIK_WHITEOUTS_KEEP), "keep") == 0,
	   "names of the forms of whiteouts");
}

int main(void)
{
	test_tables();
	test_all_edge_sets();
	test_names();
	return tap_done();
}
