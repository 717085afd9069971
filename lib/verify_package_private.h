/* SPDX-License-Identifier: GPL-3.0-or-later */
/* verify: a container image that carries a stack (pack.h). */
#ifndef UNIK_VERIFY_PACKAGE_PRIVATE_H
#define UNIK_VERIFY_PACKAGE_PRIVATE_H

#include "pack.h"
#include "package.h"
#include "tar.h"
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
	const char *kernel; /* its path, where it stands beside the images */
	const char *kernel_digest;
	struct unik_urunc urunc;
	bool has_urunc; /* and urunc.json */
	bool found_kernel;
	bool found_urunc;
	uint64_t beside; /* bytes of both in the tar */
};

/* The name of image i in the package. */
const char *package_name(const struct package *p, size_t i,
			 char buf[UNIK_PACK_NAME]);
/* Whether layer j is to hold image i. */
bool package_expects(const struct package *p, size_t j, size_t i);
/* Whether layer j begins with layer j of the source. */
bool package_appends(const struct package *p, size_t j);

/* verify_package_kernel.c: kernel and urunc.json */
int package_read_extras(struct package *p, struct unik_err *err);
/* Whether an entry of the first layer is one of them, or a directory that they
 * need; then it is checked. */
int package_extra(struct package *p, struct unik_tar *tar,
		  const struct unik_tar_entry *e, bool *is_one,
		  struct findings *f, struct unik_err *err);
/* Those that were not found. */
void package_missing(const struct package *p, struct findings *f);
/* The kernel against the source. */
void package_kernel(const struct package *p, struct findings *f);
/* Whether a label is none of the source: ours, or urunc's where we set it. */
bool package_own_label(const struct package *p, const char *text);

/* verify_package_layer.c: one layer, for verify_run() */
void package_layer(void *data, size_t j, struct findings *f);
/* The same against the source: what it was before images came behind. */
void package_original(void *data, size_t j, struct findings *f);
/* sha256 of the data of the entry at hand. */
int package_hash(struct unik_tar *tar, struct unik_digest *d,
		 struct unik_err *err);
/* What an entry takes in a tar. */
uint64_t package_entry_size(uint64_t size);
/* The plain bytes of a layer. */
int package_stream(const struct package *p, const struct unik_layer_ref *ref,
		   struct unik_source **range, struct unik_source **src,
		   struct unik_err *err);

#endif
