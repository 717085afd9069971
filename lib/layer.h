/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * layer: the bytes of one layer -> a sealed tree, with every size and digest
 * that was declared for it checked to the last byte.
 */
#ifndef UNIK_LAYER_H
#define UNIK_LAYER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "digest.h"
#include "err.h"
#include "image.h"
#include "inflate.h"
#include "io.h"
#include "tree.h"

struct unik_layer_options {
	const struct unik_limits *limits;
	const char *spool_dir; /* where a compressed layer is unpacked to */
	/* Bytes of the tar that were read since the last call, or NULL.  Never
	 * called from two threads at once. */
	void (*progress)(void *data, uint64_t bytes);
	void *progress_data;
	const volatile int *stop; /* nonzero there: fail as interrupted; or
				     NULL */
	unsigned threads; /* that read a plain layer in place; 0: one */
	unsigned lanes;   /* that each of them has; 0: as many as are fast */
	unsigned chunks;  /* that a compressed one may have in its queue
			     (ring.h) */
	/* Gets true, and loading fails, where a layer in doubt may be an
	 * image; may be NULL where no layer is in doubt. */
	bool *is_image;
	bool later; /* digests of the whole may be due after loading: see
		       unik_layer_settle() */
	/* How many cores the layer has for itself, which may change: with less
	 * than two, its own digest waits for unik_layer_beside().  NULL: as
	 * many as threads. */
	const atomic_uint *cores;
};

struct unik_layer {
	/* May hold UNIK_LINK: see unik_tree_check_links(). */
	struct unik_tree *tree;
	struct unik_data data; /* where the contents of the tree are */
	bool own_fd;
	enum unik_compression compression;
	struct unik_digest diff_id;     /* as taken */
	struct unik_digest blob_digest; /* as taken: in the algorithm that the
					   source uses, else sha256 */
	uint64_t blob_size; /* bytes as stored */
	uint64_t size;      /* bytes of the tar */
	bool unended;       /* the two zero blocks are not there */
	uint64_t globals;   /* pax global headers ignored */
	struct unik_layer_ref ref;
	struct unik_contents *contents; /* NULL once settled */
};

/* `ref` and its fd must outlive the layer. */
int unik_layer_load(struct unik_layer **out, const struct unik_layer_ref *ref,
		    const struct unik_layer_options *opt, struct unik_err *err);
/* Where the layer was loaded with `later`: waits for its diff_id and blob
 * digest, and compares them with what was declared.  The tree may be used
 * before, but nothing made of it may be trusted.  Idempotent. */
int unik_layer_settle(struct unik_layer *layer, struct unik_err *err);
/* The contents of the layer will be read once more: by copying all that `tree`
 * (the layer's own, or one that shares its contents) has of them, and nothing
 * else.  So an unpacked layer gives its space back meanwhile.  Not twice. */
int unik_layer_drain(struct unik_layer *layer, const struct unik_tree *tree,
		     struct unik_err *err);
/* For the digest of an image that is made of the tree: takes the layer's own
 * beside it, where that helps.  NULL: it can't.  Valid until the next of these
 * two calls. */
const struct unik_beside *unik_layer_beside(struct unik_layer *layer);
void unik_layer_free(struct unik_layer *layer); /* takes NULL */

/* Reads only: *blob gets the digest of the bytes as stored, *diff_id (may be
 * NULL) that of the tar; both are checked against what `ref` declares. */
int unik_layer_check(const struct unik_layer_ref *ref,
		     const struct unik_layer_options *opt,
		     struct unik_digest *blob, struct unik_digest *diff_id,
		     struct unik_err *err);

#endif
