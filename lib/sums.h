/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sums: SHA256SUMS as sha256sum(1) -c reads it: of a store, made of the names
 * in it; beside an archive, one line for each, those of others kept.
 */
#ifndef UNIK_SUMS_H
#define UNIK_SUMS_H

#include "digest.h"
#include "err.h"
#include "store.h"

#define UNIK_SUMS "SHA256SUMS"
/* The most bytes that one may have. */
#define UNIK_SUMS_MAX (64u << 20)

/*
 * Writes the file of a store anew: a line for each image and each manifest,
 * but for those that `skip` (or NULL) leaves out.  One at a time does it (flock
 * on stacks/), so that what is listed last is whole.
 */
int unik_store_sums(struct unik_store *s,
		    bool (*skip)(void *data, const char *dir, const char *name),
		    void *data, struct unik_err *err);

/* A line in the making; the directory stays locked (flock) meanwhile. */
struct unik_sums {
	int dir; /* borrowed; -1: none */
	struct unik_temp temp;
};

#define UNIK_SUMS_NONE { -1, UNIK_TEMP_NONE }

/* Writes all lines to a temporary: the line of `name` is new, others stay. */
int unik_sums_begin(struct unik_sums *s, int dir, const char *name,
		    const struct unik_digest *digest, struct unik_err *err);
/* Gives it its name, once the file itself has its own. */
int unik_sums_publish(struct unik_sums *s, struct unik_err *err);
void unik_sums_release(struct unik_sums *s);

#endif
