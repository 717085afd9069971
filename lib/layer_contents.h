/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * layer: the digest of a plain layer and those of the files in it, read in
 * place by several threads, each of which hashes several streams at a time.
 * Shared by the files of this room only.
 */
#ifndef UNIK_LAYER_CONTENTS_H
#define UNIK_LAYER_CONTENTS_H

#include "layer.h"

struct unik_contents;

/* Starts to take the sha256 of the layer's `size` bytes at `offset` of
 * layer->data, which belong to the layer until unik_contents_free(). */
int unik_contents_start(struct unik_contents **out, struct unik_layer *layer,
			uint64_t offset, uint64_t size,
			const struct unik_layer_options *opt,
			struct unik_err *err);
/* Takes what the sealed tree must know of all files that are not hashed yet:
 * digests, hole maps.  opt->progress is called by the threads; `told`: so many
 * bytes it has been told of. */
int unik_contents_files(struct unik_contents *c, uint64_t told,
			struct unik_err *err);
/* Whoever walks over the headers meanwhile, and has a moment to spare, hashes a
 * little of the layer: 0; 1 where that is not wanted, or nothing is left. */
int unik_contents_spare(struct unik_contents *c, struct unik_err *err);
/* Lets who takes the digest of an image take the layer's beside it, and nobody
 * else until unik_contents_alone() or _finish(), where and as long as there is
 * but one core for the layer.  NULL: that would gain nothing. */
const struct unik_beside *unik_contents_beside(struct unik_contents *c);
void unik_contents_alone(struct unik_contents *c);
/* Waits for the sha256 of the layer. */
int unik_contents_finish(struct unik_contents *c, struct unik_digest *digest,
			 struct unik_err *err);
/* Stops what is not finished; takes NULL. */
void unik_contents_free(struct unik_contents *c);

#endif
