/* SPDX-License-Identifier: GPL-3.0-or-later */
/* verify: what an image says, entry by entry, against the tree wanted. */
#include <inttypes.h>
#include <stdio.h>

#include "treediff.h"
#include "verify_private.h"

struct lines {
	char v[MAX_DETAILS][UNIK_DIFF_TEXT];
	size_t n;
};

static int take_line(void *data, const struct unik_diff *d,
		     struct unik_err *err)
{
	struct lines *lines = data;

	(void)err;
	if (lines->n < MAX_DETAILS)
		unik_diff_text(d, lines->v[lines->n++]);
	return 0;
}

static int compare(const struct verify_place *p, const struct unik_tree *want,
		   struct lines *lines, struct unik_diff_counts *counts,
		   struct unik_err *err)
{
	const struct unik_data data = { p->fd };
	struct unik_reader_info info;
	struct unik_diff_format format;
	struct unik_tree *tree = NULL;
	int rc;

	lines->n = 0;
	if (p->reader->info(&info, p->fd, p->size, err) < 0 ||
	    p->reader->read(&tree, &data, p->size, &p->v->opt->limits, err) < 0)
		return -1;
	format.no_xattrs = info.no_xattrs;
	format.unit = info.time_unit;
	format.has_range = true;
	format.first = info.first_time;
	format.last = info.last_time;
	rc = unik_treediff(want, tree, &format, take_line, lines, counts, err);
	unik_tree_free(tree);
	return rc;
}

/* "; what iso can't hold: times 3, attributes 1", or nothing. */
static void losses(const struct verify_place *p,
		   const struct unik_diff_counts *c, char *buf, size_t size)
{
	buf[0] = 0;
	if (c->times + c->xattrs > 0)
		snprintf(buf, size, "; what %s can't hold: times %" PRIu64
			 ", attributes %" PRIu64, p->reader->name, c->times,
			 c->xattrs);
}

void verify_tree(const struct verify_place *p, const struct unik_tree *want,
		 const char *what)
{
	struct unik_diff_counts c;
	struct unik_err err;
	struct lines lines;
	char lost[128];
	size_t i;

	if (compare(p, want, &lines, &c, &err) < 0) {
		verify_put_err(p->f, UNIK_FAITHFUL, p->object, &err);
		return;
	}
	losses(p, &c, lost, sizeof(lost));
	if (c.differ == 0)
		verify_put(p->f, UNIK_FAITHFUL, UNIK_PASS, p->object,
			   "the tree is that of %s; entries: %" PRIu64 "%s",
			   what, c.same, lost);
	else
		verify_put(p->f, UNIK_FAITHFUL, UNIK_FAIL, p->object,
			   "the tree is not that of %s; entries that differ: %"
			   PRIu64 ", that are the same: %" PRIu64 "%s", what,
			   c.differ, c.same, lost);
	for (i = 0; i < lines.n; i++)
		verify_detail(p->f, p->f->n - 1, lines.v[i]);
}

void verify_tree_explain(const struct verify_place *p, size_t i,
			 const struct unik_tree *want)
{
	struct unik_diff_counts c;
	struct unik_err err;
	struct lines lines;
	size_t k;

	if (compare(p, want, &lines, &c, &err) < 0) {
		verify_detail(p->f, i, err.msg);
		return;
	}
	if (c.differ == 0)
		verify_detail(p->f, i, "the trees are equal");
	for (k = 0; k < lines.n; k++)
		verify_detail(p->f, i, lines.v[k]);
}
