/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * writer: a sealed tree -> one filesystem image.
 *
 * A writer plans first (every limit checked, every number computed, no I/O)
 * and then emits strictly sequentially into one sink.  The bytes are a pure
 * function of (tree, format, version, options).
 */
#ifndef UNIK_WRITER_H
#define UNIK_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "digest.h"
#include "err.h"
#include "tree.h"

struct unik_sink;

struct unik_writer_options {
	int version;         /* 0: the newest */
	uint32_t block_size; /* ext2: 1024, 2048, 4096; 0: by content, in
				version 1 always 4096 */
	bool netbsd;         /* obey the limits of rumprun (DESIGN section 5) */
	/* ext2 only: room for a root that will be written to */
	uint64_t free_size;   /* bytes of free data blocks, at least */
	uint64_t free_inodes; /* free inodes, at least */
	/* Required: uuids come from it. */
	const struct unik_digest *tree_digest;
};

/* What the format can't hold, counted (inodes). */
struct unik_losses {
	uint64_t xattr; /* attributes dropped */
	uint64_t time;  /* times cut or clamped */
	uint64_t rdev;  /* device numbers that the reader gets wrong */
	const struct unik_node *first_xattr; /* an example each, or NULL */
	const struct unik_node *first_time;
	const struct unik_node *first_rdev;
	uint64_t name;  /* names (not inodes) that the reader cuts */
	const struct unik_node *first_name;
};

struct unik_writer; /* a plan */

struct unik_format {
	const char *name;      /* "iso", "ext2": also the file extension */
	int version;           /* newest */
	int oldest;            /* oldest still selectable */
	/* Takes no ownership: the tree must outlive the plan.  Errors: what the
	 * format can't hold at all (UNIK_EBAD, path named). */
	int (*plan)(struct unik_writer **out, const struct unik_tree *tree,
		    const struct unik_writer_options *opt,
		    struct unik_err *err);
	uint64_t (*size)(const struct unik_writer *w); /* exact bytes */
	const struct unik_losses *(*losses)(const struct unik_writer *w);
	/* Appends exactly size() bytes; may be called more than once. */
	int (*emit)(const struct unik_writer *w, struct unik_sink *sink,
		    struct unik_err *err);
	void (*free)(struct unik_writer *w); /* takes NULL */
};

extern const struct unik_format unik_format_iso;
extern const struct unik_format unik_format_ext2;

/* By name; NULL where there is none. */
const struct unik_format *unik_format_find(const char *name);

#endif
