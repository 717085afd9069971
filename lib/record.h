/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * record: what the store remembers of a converted layer, so that a later run
 * need not convert it again: layers/NAME.json beside the symlink layers/NAME
 * (unik-store(5), "unik.layer.v1").
 */
#ifndef UNIK_RECORD_H
#define UNIK_RECORD_H

#include "facts.h"
#include "store.h"

/* "sha256-<diff_id>.<key>" */
#define UNIK_RECORD_NAME 160

struct unik_record {
	struct unik_layer_facts layer;
	struct unik_image_facts image;
};

/* Writes the symlink and the record. */
int unik_record_put(struct unik_store *s, const char *name, const char *ext,
		    const struct unik_record *r, struct unik_err *err);
/* Reads a record back: 0; 1 where there is none, or its image is not there, or
 * it is not readable as a record (then the layer is converted again). */
int unik_record_get(const struct unik_store *s, const char *name,
		    const char *ext, const struct unik_limits *limits,
		    struct unik_record *r, struct unik_err *err);

#endif
