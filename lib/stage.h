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
	int spool_fd;      /* -1: none; an empty file, in which chunks of
			      nothing but zeros become holes */
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
/* Reads to the very end, waits for the threads; digest may be NULL; *size gets
 * how many bytes went through. */
int unik_stage_finish(struct unik_source *s, struct unik_digest *digest,
		      uint64_t *size, struct unik_err *err);

#endif
