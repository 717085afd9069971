/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * manifest_read: a stack's manifest read back, strictly: only the very bytes
 * that unik_manifest_text() writes for what was read are taken, so an unknown
 * key, another order of keys, a space too many or a number in another form is
 * an error.
 */
#ifndef UNIK_MANIFEST_READ_H
#define UNIK_MANIFEST_READ_H

#include "arena.h"
#include "manifest.h"

struct unik_stored_manifest {
	/* As it was written.  `m.source` has the name, kind, digests, platform
	 * and config of the source, and of its layers the media types: there is
	 * no file behind it (fds are -1). */
	struct unik_manifest m;
	/* Private: what m points to. */
	struct unik_image source;
	struct unik_arena arena;
};

/* Any bytes.  UNIK_EBAD where they are no manifest of schema unik.stack.v1 in
 * canonical form. */
int unik_manifest_read(struct unik_stored_manifest **out, const void *text,
		       size_t size, const struct unik_limits *limits,
		       struct unik_err *err);
void unik_stored_manifest_free(struct unik_stored_manifest *s); /* takes NULL */

#endif
