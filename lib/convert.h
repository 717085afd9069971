/* SPDX-License-Identifier: GPL-3.0-or-later */
/* convert: a stack derived again, for verify (nothing is written but spools),
 * and the rule that plans follow. */
#ifndef UNIK_CONVERT_H
#define UNIK_CONVERT_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "image.h"
#include "manifest.h"
#include "merge.h"
#include "plan.h"
#include "tree.h"
#include "writer.h"

/* One image of a stack: layers first..last are in it (none: last < first). */
struct unik_derived {
	size_t index; /* in the stack */
	size_t first;
	size_t last;
	const struct unik_tree *tree;
};

struct unik_derive {
	/* The source; opt->source is not read. */
	const struct unik_image *image;
	/* The only layer that is wanted, where none depends on others (no
	 * merging); SIZE_MAX: all. */
	size_t layer;
	void *data;
	/* The tree of an image of the stack: 0: go on and hash the image, 1:
	 * the tree was all that is wanted, -1.  Not for images that stand in
	 * the stack for a second time.  Never from two threads at once; or
	 * NULL. */
	int (*tree)(void *data, const struct unik_derived *d,
		    struct unik_err *err);
	/* The stack that was derived, valid during the call.  `merged`: its
	 * images depend on each other, so the store has no records of them.  Or
	 * NULL. */
	int (*stack)(void *data, const struct unik_manifest *m, bool merged,
		     struct unik_err *err);
};

/*
 * `opt` as for unik_convert(), with no destination and one format.  What it
 * binds is not read: the image of it is empty, and the paths are in the
 * manifest.
 */
int unik_derive(const struct unik_convert_options *opt,
		const struct unik_derive *derive, struct unik_err *err);

/* Whether layers must share an image since that form of whiteouts, in that
 * format, can't say what one of them does to the other. */
bool unik_must_merge(enum unik_whiteouts form, const struct unik_format *format,
		     enum unik_reach_kind kind);

#endif
