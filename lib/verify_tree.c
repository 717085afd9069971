/* SPDX-License-Identifier: GPL-3.0-or-later */
/* verify: what an image says, entry by entry, against the tree wanted. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "treediff.h"
#include "verify_private.h"

#define NLOST 4 /* kinds of what a format can't hold */

struct lines {
	char v[MAX_DIFFERENCES][UNIK_DIFF_TEXT];
	size_t n;
	char lost[NLOST][UNIK_DIFF_TEXT]; /* an example of each */
	size_t nlost;
	unsigned lost_kinds; /* enum unik_diff_what */
};

static void take_lost(struct lines *lines, struct unik_diff d)
{
	unsigned kind, all = d.what & ~lines->lost_kinds;

	lines->lost_kinds |= all;
	for (; all && lines->nlost < NLOST; all &= ~kind) {
		kind = all & -all;
		d.what = kind;
		unik_diff_text(&d, lines->lost[lines->nlost++]);
	}
}

static int take_line(void *data, const struct unik_diff *d,
		     struct unik_err *err)
{
	struct lines *lines = data;

	(void)err;
	if (d->lost)
		take_lost(lines, *d);
	else if (lines->n < MAX_DIFFERENCES)
		unik_diff_text(d, lines->v[lines->n++]);
	return 0;
}

static int compare(const struct verify_place *p, const struct unik_tree *want,
		   struct lines *lines, struct unik_diff_counts *counts,
		   struct unik_err *err)
{
	const struct unik_data data = { .fd = p->fd };
	struct unik_reader_info info;
	struct unik_tree *tree = NULL;
	int rc;

	memset(lines, 0, sizeof(*lines));
	if (p->reader->info(&info, p->fd, p->size, err) < 0 ||
	    p->reader->read(&tree, &data, p->size, &p->v->opt->limits, err) < 0)
		return -1;
	if (!p->netbsd)
		info.holds.target = NULL;
	rc = unik_treediff(want, tree, &info.holds, take_line, lines, counts,
			   err);
	unik_tree_free(tree);
	return rc;
}

static void put_lines(const struct verify_place *p, size_t i,
		      const struct lines *lines)
{
	char text[UNIK_DIFF_TEXT + 8];
	size_t k;

	for (k = 0; k < lines->n; k++)
		verify_detail(p->f, i, lines->v[k]);
	for (k = 0; k < lines->nlost; k++) {
		snprintf(text, sizeof(text), "lost: %s", lines->lost[k]);
		verify_detail(p->f, i, text);
	}
}

/* "; what iso can't hold: times 3, attributes 1", or nothing. */
static void losses(const struct verify_place *p,
		   const struct unik_diff_counts *c, char *buf, size_t size)
{
	const struct {
		const char *what;
		uint64_t n;
	} kinds[NLOST] = {
		{ "times", c->times },
		{ "attributes", c->xattrs },
		{ "device numbers", c->rdevs },
		{ "targets", c->targets },
	};
	size_t used = 0, k;
	int n;

	buf[0] = 0;
	for (k = 0; k < NLOST; k++) {
		if (kinds[k].n == 0)
			continue;
		n = used ? snprintf(buf + used, size - used, ", ")
			 : snprintf(buf, size, "; what %s can't hold: ",
				    p->reader->name);
		used += (size_t)n;
		n = snprintf(buf + used, size - used, "%s %" PRIu64,
			     kinds[k].what, kinds[k].n);
		used += (size_t)n;
	}
}

void verify_tree(const struct verify_place *p, const struct unik_tree *want,
		 const char *what)
{
	struct unik_diff_counts c;
	struct unik_err err;
	struct lines lines;
	char lost[256];

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
	put_lines(p, p->f->n - 1, &lines);
}

void verify_tree_explain(const struct verify_place *p, size_t i,
			 const struct unik_tree *want)
{
	struct unik_diff_counts c;
	struct unik_err err;
	struct lines lines;

	if (compare(p, want, &lines, &c, &err) < 0) {
		verify_detail(p->f, i, err.msg);
		return;
	}
	if (c.differ == 0)
		verify_detail(p->f, i, "the trees are equal");
	put_lines(p, i, &lines);
}
