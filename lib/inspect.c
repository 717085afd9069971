/* SPDX-License-Identifier: GPL-3.0-or-later */
/* inspect: one question, one answer. */
#include <stdlib.h>
#include <string.h>

#include "inspect_private.h"

void unik_inspect_options_init(struct unik_inspect_options *opt)
{
	memset(opt, 0, sizeof(*opt));
	opt->mode = 0644;
	unik_limits_init(&opt->limits);
}

static int report(struct target *t, struct out *o, struct unik_err *err)
{
	switch (t->kind) {
	case TARGET_SOURCE:
		return inspect_source(t, o, err);
	case TARGET_STORE:
		return inspect_store(t, o, err);
	default:
		return inspect_image(t, o, err);
	}
}

static int diff(struct target *t, struct out *o, bool *differs,
		struct unik_err *err)
{
	struct target other;
	int rc;

	rc = target_open(&other, t->opt->other, t->opt, err);
	if (rc == 0)
		rc = inspect_diff(t, &other, o, differs, err);
	target_release(&other);
	return rc;
}

static int answer(struct target *t, struct out *o, bool *differs,
		  struct unik_err *err)
{
	switch (t->opt->what) {
	case UNIK_INSPECT_REPORT:
		return report(t, o, err);
	case UNIK_INSPECT_TREE:
		return inspect_list(t, o, err);
	case UNIK_INSPECT_DIFF:
		return diff(t, o, differs, err);
	case UNIK_INSPECT_FILE:
		return inspect_file(t, o, err);
	case UNIK_INSPECT_GRAPH:
		return inspect_graph(t, o, err);
	case UNIK_INSPECT_GARBAGE:
		return inspect_garbage(t, o, err);
	case UNIK_INSPECT_PLAN:
		return inspect_plan(t, o, err);
	default:
		return unik_fail_usage(err, "an unknown question");
	}
}

int unik_inspect(const struct unik_inspect_options *opt, bool *differs,
		 struct unik_err *err)
{
	struct target t;
	struct out *o = calloc(1, sizeof(*o));
	struct unik_err late;
	int rc;

	*differs = false;
	if (!o)
		return unik_fail_mem(err);
	o->opt = opt;
	o->err = err;
	rc = target_open(&t, opt->target, opt, err);
	if (rc == 0)
		rc = answer(&t, o, differs, err);
	/* What was said before an error is said; the error stays the first. */
	if (rc < 0)
		o->err = &late;
	if (out_end(o) < 0)
		rc = -1;
	target_release(&t);
	free(o);
	return rc;
}
