/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * layer: the source that the headers of a plain layer are read from.  Small
 * files lie between headers so closely that they are read along with them: a
 * thread takes their digests from the same memory.  Shared by the files of
 * this room only.
 */
#ifndef UNIK_LAYER_WALK_H
#define UNIK_LAYER_WALK_H

#include "layer.h"

/* `size` bytes of `fd` from `off`, by pread.  opt->progress is called by the
 * thread; so is unik_contents_spare() of `contents`, which may be NULL. */
int unik_walk_new(struct unik_source **out, int fd, uint64_t off, uint64_t size,
		  struct unik_contents *contents,
		  const struct unik_layer_options *opt, struct unik_err *err);
/* The next `size` bytes of the walk, none of them consumed yet, are those of a
 * file.  Where it is small, *taken: its digest will have been put to `sha256`
 * when the walk is finished. */
int unik_walk_file(struct unik_source *walk, uint64_t size, uint8_t *sha256,
		   bool *taken, struct unik_err *err);
/* Waits for all digests; `told`: so many bytes progress was told of. */
int unik_walk_finish(struct unik_source *walk, uint64_t *told,
		     struct unik_err *err);

#endif
