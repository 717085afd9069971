/* SPDX-License-Identifier: GPL-3.0-or-later */
/* manifest_find: the names in a store, and STORE[:NAME] -> manifests. */
#ifndef UNIK_MANIFEST_FIND_H
#define UNIK_MANIFEST_FIND_H

#include "manifest_read.h"
#include "store.h"

/* Names, sorted by their bytes. */
struct unik_names {
	char **v;
	size_t n;
};

#define UNIK_NAMES_NONE { NULL, 0 }

/* All names in a directory of a store (temporaries too), at most `max`. */
int unik_store_list(const struct unik_store *s, const char *dir, uint64_t max,
		    struct unik_names *names, struct unik_err *err);
void unik_names_release(struct unik_names *names);

/*
 * STORE[:NAME]: the whole text where such a file exists, else up to the first
 * colon before which one does.  *path is malloc'ed; *name points behind the
 * colon in `text`, NULL where there is none.
 */
int unik_store_split(const char *text, char **path, const char **name,
		     struct unik_err *err);

/*
 * The references of a store that NAME means: the one file `NAME` or
 * `NAME.json`, or the one of SOURCE.TARGET.FORMAT; else all of SOURCE, or of
 * SOURCE.TARGET.  The source's name is as it is, or as references spell it.
 * NULL: all.  No reference is followed.  UNIK_EBAD: none fits.
 */
int unik_store_find(const struct unik_store *s, const char *name,
		    const struct unik_limits *limits, struct unik_names *refs,
		    struct unik_err *err);
/* The same where one is wanted: several are UNIK_EUSAGE and are listed. */
int unik_store_find_one(const struct unik_store *s, const char *name,
			const struct unik_limits *limits,
			struct unik_names *refs, struct unik_err *err);

/* Follows a reference: *digest (may be NULL) gets the manifest's, which is
 * checked against its name. */
int unik_store_manifest(const struct unik_store *s, const char *ref,
			const struct unik_limits *limits,
			struct unik_stored_manifest **out,
			struct unik_digest *digest, struct unik_err *err);
/* Reads stacks/NAME, with its digest checked. */
int unik_store_stack(const struct unik_store *s, const char *file,
		     const struct unik_limits *limits,
		     struct unik_stored_manifest **out,
		     struct unik_digest *digest, struct unik_err *err);
/* "sha256-<hex><ext>" as the names of the store are; false for others. */
bool unik_store_name_digest(const char *name, const char *ext,
			    struct unik_digest *d);
/* Where a reference points to: the name in stacks/. */
int unik_store_ref_target(const struct unik_store *s, const char *ref,
			  char file[UNIK_IMAGE_NAME], struct unik_err *err);

#endif
