/* SPDX-License-Identifier: GPL-3.0-or-later */
/* verify: one stack and what its source gives for it. */
#ifndef UNIK_VERIFY_STACK_PRIVATE_H
#define UNIK_VERIFY_STACK_PRIVATE_H

#include "convert.h"
#include "verify_private.h"

enum outcome {
	SAME,
	OTHER, /* other bytes */
	TREES, /* of another version: the trees are to be compared */
	NONE,  /* the source gives no such image */
	BOUND  /* files of the host are in it */
};

struct stack_check {
	struct store_view *s;
	const struct unik_manifest *m; /* as it was recorded */
	const char *object;            /* "stacks/..." */
	struct findings *f;
	bool semantic;
	bool again;            /* some trees have to be looked at */
	enum outcome *outcome; /* by image */
	size_t *derived;       /* by image: the first one of its tree that the
				  source gives */
	size_t *finding;       /* by image: what says that it is OTHER */
};

/* verify_recorded.c: what the store says of a stack, but for its images,
 * against what was derived. */
void verify_manifest(struct stack_check *c,
		     const struct unik_manifest *derived);
void verify_records(struct stack_check *c, const struct unik_manifest *derived);
/* Whether the name of a source is only that of its file. */
bool verify_is_file_name(const char *source, const char *name);

#endif
