/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * plan: target + layers -> stack: which layers share an image.  Pure: no I/O,
 * no trees; what layers reach into is given.
 *
 * Rules (DESIGN section 5): only neighbours are merged; what layer k reaches
 * into of layer j < k, in a way that the target can't express, makes j..k one
 * image; nothing else is merged, but where the target takes no more than
 * `max_images`, then the top images are merged, so that the lowest layers,
 * which most images share, stay single.
 */
#ifndef UNIK_PLAN_H
#define UNIK_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

enum unik_whiteouts {
	UNIK_WHITEOUTS_DEFAULT = 0, /* the target's */
	UNIK_WHITEOUTS_KEEP,        /* literal `.wh.` entries */
	UNIK_WHITEOUTS_OVERLAY,     /* overlayfs devices and xattrs */
	UNIK_WHITEOUTS_APPLY        /* carried out by merging */
};

struct unik_target {
	const char *name;
	const char *format; /* default */
	enum unik_whiteouts whiteouts;
	size_t max_images; /* 0: no limit */
	bool single;       /* everything becomes one image */
	bool skeleton;     /* directories below are repeated above; /dev and
			      /tmp exist in the top image */
	bool netbsd;       /* writers obey NetBSD's limits */
};

/* NULL where there is none. */
const struct unik_target *unik_target_find(const char *name);
/* "keep", "overlay", "apply"; NULL for others. */
const char *unik_whiteouts_name(enum unik_whiteouts w);
/* UNIK_WHITEOUTS_DEFAULT where the name is none of these. */
enum unik_whiteouts unik_whiteouts_find(const char *name);

/* Layer `high` must be in one image with layer `low` <= high. */
struct unik_plan_edge {
	size_t low;
	size_t high;
};

struct unik_plan_run {
	size_t first;
	size_t last;
	/* Why it is more than one layer: index of an edge, or one of these. */
	size_t reason;
};

#define UNIK_PLAN_SINGLE ((size_t)-1) /* it is one layer */
#define UNIK_PLAN_LIMIT ((size_t)-2)  /* max_images */
#define UNIK_PLAN_FLAT ((size_t)-3)   /* the target takes one image */

/*
 * Fills runs (room for nlayers) and returns how many there are: they cover
 * 0..nlayers-1 in order.  Edges may come in any order; max_images 0: no limit.
 */
size_t unik_plan(const struct unik_plan_edge *edges, size_t nedges,
		 size_t nlayers, size_t max_images, bool single,
		 struct unik_plan_run *runs);

#endif
