/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * stage: a source that runs ahead on a thread of its own, while others take a
 * digest of its bytes and write them to a spool.
 */
#ifndef UNIK_STAGE_H
#define UNIK_STAGE_H

#include <stdbool.h>

#include "digest.h"
#include "io.h"
#include "lanes.h"

enum unik_stage_hash {
	UNIK_STAGE_NO_HASH,
	UNIK_STAGE_BEHIND, /* a thread of its own hashes what was read */
	UNIK_STAGE_READER, /* the one that reads ahead does */
	/* He who takes the bytes does (sha256 only): what unik_stage_hash()
	 * did not cover is done when the next chunk is asked for. */
	UNIK_STAGE_TAKER
};

struct unik_stage_options {
	enum unik_stage_hash hash;
	enum unik_algo algo;
	int spool_fd;      /* -1: none; an empty file, which gets what is kept
			      (unik_stage_keep()); of a chunk, nothing but
			      zeros becomes a hole */
	uint64_t max_size; /* more bytes than that are UNIK_EBAD */
	unsigned chunks;   /* of its ring (ring.h) */
	const volatile int *stop; /* nonzero there: fail as interrupted; or
				     NULL */
};

/* `src` is borrowed, must outlive the stage, and belongs to its thread. */
int unik_stage_new(struct unik_source **out, struct unik_source *src,
		   const struct unik_stage_options *opt, struct unik_err *err);
/* UNIK_STAGE_TAKER: appends n bytes to a lane of the caller's, and about as
 * many that are due to the stage's own. */
int unik_stage_hash(struct unik_source *s, struct unik_lane *lane,
		    const void *data, size_t n, struct unik_err *err);
/* Of the bytes that the last peek gave, n are kept in the spool, behind all
 * those before; bytes that follow each other in the stream may be given bit by
 * bit.  Nothing happens where there is no spool.  UNIK_EIO: so many parts are
 * in no tar. */
int unik_stage_keep(struct unik_source *s, const void *data, size_t n,
		    struct unik_err *err);
/* How many bytes were kept so far: where the next ones go. */
uint64_t unik_stage_kept(const struct unik_source *s);
/* Reads to the very end, waits for the threads; digest may be NULL; *size gets
 * how many bytes went through. */
int unik_stage_finish(struct unik_source *s, struct unik_digest *digest,
		      uint64_t *size, struct unik_err *err);

#endif
