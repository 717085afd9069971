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

/* "sha256-<diff_id>.<format>-v<version>[-b<block size>]" */
#define UNIK_RECORD_NAME 160
/* More bytes than any record has. */
#define UNIK_RECORD_MAX 65536

struct unik_record {
	struct unik_layer_facts layer;
	struct unik_image_facts image;
};

/* `block_size` 0: the format's own.  Returns `buf`. */
const char *unik_record_name(char buf[UNIK_RECORD_NAME],
			     const struct unik_digest *diff_id,
			     const char *format, int version,
			     uint32_t block_size);
/* The text with its newline; the caller frees it. */
int unik_record_text(const struct unik_record *r, char **text, size_t *size,
		     struct unik_err *err);
/* Only the very bytes that unik_record_text() gives are taken: UNIK_EBAD for
 * anything else. */
int unik_record_read(struct unik_record *r, const char *text, size_t n,
		     const struct unik_limits *limits, struct unik_err *err);
/* Writes the symlink and the record. */
int unik_record_put(struct unik_store *s, const char *name, const char *ext,
		    const struct unik_record *r, struct unik_err *err);
/* Reads a record back: 0; 1 where there is none, or its image is not there, or
 * it is not readable as a record (then the layer is converted again). */
int unik_record_get(const struct unik_store *s, const char *name,
		    const char *ext, const struct unik_limits *limits,
		    struct unik_record *r, struct unik_err *err);

#endif
