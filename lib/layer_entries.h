/* SPDX-License-Identifier: GPL-3.0-or-later */
/* layer: tar entries -> tree entries; shared by its two files only. */
#ifndef UNIK_LAYER_ENTRIES_H
#define UNIK_LAYER_ENTRIES_H

#include "io.h"
#include "layer.h"

enum unik_layer_scan {
	/* Contents are only jumped over, but for those that the stream, which
	 * is a walk (layer_walk.h), takes. */
	UNIK_SCAN_LATER,
	UNIK_SCAN_NOW,   /* contents are hashed, holes found, on the way */
	/* The same, and the stream is a stage of the kind UNIK_STAGE_TAKER,
	 * whose bytes are hashed beside. */
	UNIK_SCAN_BESIDE
};

/* Adds all entries of the tar stream to layer->tree.  `base` is where the
 * stream begins in layer->data; where that is a spool (own_fd), the stream is
 * the stage that fills it, and keeps the contents there. */
int unik_layer_entries(struct unik_layer *layer, struct unik_source *tar,
		       uint64_t base, enum unik_layer_scan scan,
		       const struct unik_layer_options *opt,
		       struct unik_err *err);

#endif
