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

/* Where the images of a stack are. */
struct stack_check;
struct stack_place {
	/* The name of image i in findings. */
	void (*object)(const struct stack_check *c, size_t i,
		       char buf[OBJECT_SIZE]);
	/* Whether its bytes are those of its digest. */
	bool (*good)(const struct stack_check *c, size_t i);
	/* An fd of a file with its bytes, or -1. */
	int (*open)(const struct stack_check *c, size_t i,
		    struct unik_err *err);
	bool repeats; /* an image that stands twice is one file */
};

struct stack_check {
	struct verify *v;
	const struct stack_place *place;
	struct store_view *s; /* of a store, else NULL */
	const void *package;  /* of a package */
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

/* verify_faithful.c: derives the stack with the recorded options and compares;
 * what can't be done is a finding. */
int verify_stack_check(struct stack_check *c, struct unik_err *err);

/* verify_recorded.c: what the store says of a stack, but for its images,
 * against what was derived. */
void verify_manifest(struct stack_check *c,
		     const struct unik_manifest *derived);
void verify_records(struct stack_check *c, const struct unik_manifest *derived);
/* Whether the name of a source is only that of its file. */
bool verify_is_file_name(const char *source, const char *name);

#endif
