/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * kernel: the guest's kernel that goes with a stack: a file of the host, or one
 * that a container of the source sees, by its path or by its Solo5 note.
 */
#ifndef UNIK_KERNEL_H
#define UNIK_KERNEL_H

#include <stdbool.h>

#include "image.h"
#include "layer.h"
#include "tree.h"

struct unik_kernel {
	char *path; /* in the image, no slash before it; NULL: there is none */
	int fd;     /* its bytes, from the begin on */
	uint64_t size;
	struct unik_digest digest;
	bool host; /* it is none of the source */
};

#define UNIK_KERNEL_NONE { NULL, -1, 0, { 0 }, false }

/* A file of the host, under its last component. */
int unik_kernel_open(struct unik_kernel *k, const char *path,
		     struct unik_err *err);
/*
 * In the layers laid over each other.  `path` NULL: the one Solo5 unikernel, or
 * of several the one that is run.  1: there is none; *several gets how many
 * there were that could not be told apart.
 */
int unik_kernel_find(struct unik_kernel *k,
		     const struct unik_tree *const *trees,
		     size_t n, const struct unik_image_config *config,
		     const char *path, const struct unik_layer_options *opt,
		     size_t *several, struct unik_err *err);
/* The same, of an image; all its layers are read. */
int unik_kernel_load(struct unik_kernel *k, const struct unik_image *image,
		     const char *path, const struct unik_layer_options *opt,
		     size_t *several, struct unik_err *err);
void unik_kernel_release(struct unik_kernel *k);

/* Whether a tree holds a Solo5 unikernel. */
int unik_kernel_any(const struct unik_tree *tree, bool *any,
		    struct unik_err *err);

#endif
