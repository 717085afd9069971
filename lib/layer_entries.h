/* SPDX-License-Identifier: GPL-3.0-or-later */
/* layer: tar entries -> tree entries; shared by its two files only. */
#ifndef UNIK_LAYER_ENTRIES_H
#define UNIK_LAYER_ENTRIES_H

#include "io.h"
#include "layer.h"

/* Adds all entries of the tar stream to layer->tree.  `base` is where the
 * stream begins in layer->data.  `hash`: the stream is a stage of the kind
 * UNIK_STAGE_TAKER. */
int unik_layer_entries(struct unik_layer *layer, struct unik_source *tar,
		       uint64_t base, bool hash,
		       const struct unik_layer_options *opt,
		       struct unik_err *err);

#endif
