/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * stage: a source that runs ahead on a thread of its own, while further
 * threads take a digest of its bytes and write them to a spool.
 */
#ifndef UNIK_STAGE_H
#define UNIK_STAGE_H

#include <stdbool.h>

#include "digest.h"
#include "io.h"

struct unik_stage_options {
	bool hash;
	enum unik_algo algo;
	int spool_fd;      /* -1: none */
	uint64_t max_size; /* more bytes than that are UNIK_EBAD */
};

/* `src` is borrowed, must outlive the stage, and belongs to its thread. */
int unik_stage_new(struct unik_source **out, struct unik_source *src,
		   const struct unik_stage_options *opt, struct unik_err *err);
/* Reads to the very end, waits for the threads; digest may be NULL; *size gets
 * how many bytes went through. */
int unik_stage_finish(struct unik_source *s, struct unik_digest *digest,
		      uint64_t *size, struct unik_err *err);

#endif
