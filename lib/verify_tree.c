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

/* ", but for 3 times and 1 attribute that iso can't hold", or nothing. */
static const char *losses(const struct verify_place *p,
			  const struct unik_diff_counts *c, char *buf,
			  size_t size)
{
	if (c->times + c->xattrs == 0)
		return "";
	snprintf(buf, size, "; %s can't hold %" PRIu64 " times and %" PRIu64
		 " attributes", p->reader->name, c->times, c->xattrs);
	return buf;
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
	if (c.differ == 0) {
		verify_put(p->f, UNIK_FAITHFUL, UNIK_PASS, p->object,
			   "the tree is that of %s: %" PRIu64 " entries%s",
			   what, c.same, losses(p, &c, lost, sizeof(lost)));
		return;
	}
	verify_put(p->f, UNIK_FAITHFUL, UNIK_FAIL, p->object,
		   "%" PRIu64 " entries differ from %s, %" PRIu64
		   " are the same%s", c.differ, what, c.same,
		   losses(p, &c, lost, sizeof(lost)));
	for (i = 0; i < lines.n; i++)
		verify_detail(p->f, lines.v[i]);
}

void verify_tree_explain(const struct verify_place *p,
			 const struct unik_tree *want)
{
	struct unik_diff_counts c;
	struct unik_err err;
	struct lines lines;
	size_t i;

	if (compare(p, want, &lines, &c, &err) < 0) {
		verify_detail(p->f, err.msg);
		return;
	}
	if (c.differ == 0)
		verify_detail(p->f, "the trees are equal");
	for (i = 0; i < lines.n; i++)
		verify_detail(p->f, lines.v[i]);
}
