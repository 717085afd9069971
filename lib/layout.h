/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * layout: an OCI image layout directory that is written to (image-spec,
 * image-layout.md).  It may hold other images, and others may write to it:
 * blobs are named by content, and index.json is read, changed and replaced
 * under a lock (flock on blobs/).  While it is open, the directory itself is
 * locked (flock, shared), so that nobody takes it away.
 */
#ifndef UNIK_LAYOUT_H
#define UNIK_LAYOUT_H

#include <stdbool.h>

#include "digest.h"
#include "err.h"
#include "json.h"
#include "store.h"

struct unik_layout {
	const char *path; /* borrowed */
	int root;
	int blobs;  /* blobs */
	int sha256; /* blobs/sha256, where temporaries are made */
	bool made;  /* the directory was not there before */
};

#define UNIK_LAYOUT_NONE { NULL, -1, -1, -1, false }

/* Makes what is missing, cleans up after dead processes.  A directory that
 * holds something else is UNIK_EUSAGE. */
int unik_layout_open(struct unik_layout *l, const char *path,
		     const struct unik_limits *limits, struct unik_err *err);
/* `failed`: a directory that was made and has nothing in it goes. */
void unik_layout_close(struct unik_layout *l, bool failed);
bool unik_layout_has_blob(const struct unik_layout *l,
			  const struct unik_digest *digest);

/* One entry of index.json: canonical JSON text. */
struct unik_layout_entry {
	const char *text;
	size_t size;
	const struct unik_digest *digest; /* in it */
	const char *ref; /* org.opencontainers.image.ref.name, or NULL */
	/* What no entry may lose: an entry of that digest is not replaced
	 * (UNIK_EUSAGE); or NULL. */
	const struct unik_digest *keep;
};

/* A blob that is whole, in a temporary of `sha256`. */
struct unik_layout_blob {
	struct unik_temp *temp;
	const struct unik_digest *digest;
};

/*
 * Names the blobs, and puts the entry into index.json: in the place of the one
 * that has its ref (or, without one, its digest and no ref), else at the end.
 * All that may fail for want of space is done before the first has its name.
 */
int unik_layout_publish(struct unik_layout *l,
			const struct unik_layout_entry *entry,
			const struct unik_layout_blob *blobs, size_t nblobs,
			const struct unik_limits *limits, struct unik_err *err);

#endif
