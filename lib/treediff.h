/* SPDX-License-Identifier: GPL-3.0-or-later */
/* treediff: two sealed trees, compared entry by entry. */
#ifndef UNIK_TREEDIFF_H
#define UNIK_TREEDIFF_H

#include "err.h"
#include "tree.h"

/* In what an entry of `a` and one of `b` differ. */
enum unik_diff_what {
	UNIK_DIFF_MISSING = 1 << 0, /* only `a` has it */
	UNIK_DIFF_EXTRA = 1 << 1,   /* only `b` has it */
	UNIK_DIFF_TYPE = 1 << 2,    /* then nothing else is compared */
	UNIK_DIFF_MODE = 1 << 3,    /* not of symlinks */
	UNIK_DIFF_OWNER = 1 << 4,
	UNIK_DIFF_SIZE = 1 << 5,
	UNIK_DIFF_CONTENT = 1 << 6, /* same size, other bytes */
	UNIK_DIFF_TIME = 1 << 7,
	UNIK_DIFF_RDEV = 1 << 8,
	UNIK_DIFF_TARGET = 1 << 9,
	UNIK_DIFF_LINK = 1 << 10, /* names of one inode there, of two here */
	UNIK_DIFF_XATTR = 1 << 11
};

struct unik_diff {
	unsigned what;             /* enum unik_diff_what */
	const struct unik_node *a; /* NULL: EXTRA */
	const struct unik_node *b; /* NULL: MISSING */
	const char *xattr; /* XATTR: the first attribute that differs */
	uint32_t below;    /* MISSING, EXTRA, TYPE: entries beneath that only
			      one of them has */
	bool lost;         /* no difference: what the format can't hold */
};

/*
 * What comes back of what the format that `b` was read from can't hold: that
 * `b` has just this is no difference.  Functions may be NULL: all comes back
 * as it was.
 */
struct unik_diff_format {
	uint32_t unit;  /* of times, in ns; 0 or 1: exact.  A time that `b` has
			   to the nanosecond must be right to it. */
	bool has_range; /* times are clamped to first..last */
	int64_t first;
	int64_t last;
	/* Whether `got` (NULL: nothing) may come back of an attribute. */
	bool (*xattr)(const struct unik_inode *inode,
		      const struct unik_xattr *want,
		      const struct unik_xattr *got);
	/* Makes a device number what comes back of it. */
	void (*rdev)(struct unik_rdev *rdev);
	/* What comes back of a symlink's target; `out` has room for two bytes
	 * more than the target, and the NUL. */
	void (*target)(const char *target, char *out);
};

struct unik_diff_counts {
	uint64_t same;    /* entries without a difference */
	uint64_t differ;  /* with one, those beneath counted */
	/* What the format can't hold: */
	uint64_t times;   /* rounded or clamped (inodes) */
	uint64_t xattrs;  /* dropped */
	uint64_t rdevs;   /* other device numbers (inodes) */
	uint64_t targets; /* in other words (inodes) */
};

/*
 * Calls `fn` (may be NULL) in canonical order for each entry that differs, and
 * once more (`lost`) where the format can't hold it; its nonzero result ends
 * the walk and is returned.  `format` NULL: all is compared.
 */
int unik_treediff(const struct unik_tree *a, const struct unik_tree *b,
		  const struct unik_diff_format *format,
		  int (*fn)(void *data, const struct unik_diff *d,
			    struct unik_err *err),
		  void *data, struct unik_diff_counts *counts,
		  struct unik_err *err);

/* "'usr/bin/x': mode 0700, want 0755; owner 0:0, want 1:1", `a` being what is
 * wanted; without control characters. */
#define UNIK_DIFF_TEXT 1024
const char *unik_diff_text(const struct unik_diff *d, char buf[UNIK_DIFF_TEXT]);

#endif
