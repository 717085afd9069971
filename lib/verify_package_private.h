/* SPDX-License-Identifier: GPL-3.0-or-later */
/* verify: a container image that carries a stack (pack.h). */
#ifndef UNIK_VERIFY_PACKAGE_PRIVATE_H
#define UNIK_VERIFY_PACKAGE_PRIVATE_H

#include "manifest_read.h"
#include "pack.h"
#include "verify_private.h"

/* Where an image of the stack was found. */
struct spot {
	bool found;
	bool good; /* its bytes are those of its digest */
	size_t layer;
	uint64_t offset; /* in the tar */
};

struct package {
	struct verify *v;
	const struct unik_image *image;
	enum unik_package how;
	struct unik_stored_manifest *stored;
	const struct unik_manifest *m; /* the recorded stack */
	struct spot *spots; /* by image of the stack */
};

/* The name of image i in the package. */
const char *package_name(const struct package *p, size_t i,
			 char buf[UNIK_PACK_NAME]);
/* Whether layer j is to hold image i. */
bool package_expects(const struct package *p, size_t j, size_t i);
/* Whether layer j begins with layer j of the source. */
bool package_appends(const struct package *p, size_t j);

/* verify_package_layer.c: one layer, for verify_run() */
void package_layer(void *data, size_t j, struct findings *f);
/* The same against the source: what it was before images came behind. */
void package_original(void *data, size_t j, struct findings *f);
/* The plain bytes of a layer. */
int package_stream(const struct package *p, const struct unik_layer_ref *ref,
		   struct unik_source **range, struct unik_source **src,
		   struct unik_err *err);

#endif
