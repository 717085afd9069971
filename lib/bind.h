/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bind: files of the host as one more layer: a sealed tree whose contents were
 * copied to a spool, so that later changes of the host's files don't matter.
 */
#ifndef UNIK_BIND_H
#define UNIK_BIND_H

#include "layer.h"

struct unik_bind_options {
	const struct unik_bind *binds;
	size_t nbinds;
	uint32_t uid; /* of all entries */
	uint32_t gid;
	int64_t time; /* later mtimes become this one */
	const struct unik_limits *limits;
	const char *spool_dir;
};

/* Only files, directories and symlinks: anything else is UNIK_EBAD.  Later
 * binds win over earlier ones.  Free with unik_layer_free(). */
int unik_bind_load(struct unik_layer **out, const struct unik_bind_options *opt,
		   struct unik_err *err);

#endif
