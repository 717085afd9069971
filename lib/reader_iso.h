/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * reader_iso: an ISO 9660 image -> tree, and is it intact?  For our own images
 * and for those of others: Rock Ridge 1.09 to 1.12, with or without relocated
 * directories, or plain.  Memory follows the number of entries; any bytes are
 * safe, and time is bounded by the size of the image and by the limits.
 */
#ifndef UNIK_READER_ISO_H
#define UNIK_READER_ISO_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "tree.h"

struct unik_iso_info {
	int version;        /* of our format; 0: another writer's image */
	bool rock;          /* has Rock Ridge; else names are identifiers */
	char volume_id[33]; /* without the spaces at its end */
	uint32_t nblocks;   /* of 2048 bytes, as the descriptor says */
};

/* Looks at the descriptor only.  UNIK_EBAD: no ISO 9660 image. */
int unik_iso_info(struct unik_iso_info *info, int fd, uint64_t size,
		  struct unik_err *err);

/*
 * Checks the structure without reading the files' data: descriptors, numbers
 * in both byte orders, path tables against directories, order of records,
 * ranges, Rock Ridge fields; no block has two owners (the same extent may
 * belong to several files).  In our own images also: nothing but zeros between,
 * serial numbers and link counts, the form of every field.
 */
int unik_iso_check(int fd, uint64_t size, const struct unik_limits *limits,
		   struct unik_err *err);

/*
 * Reads the image into a new, sealed tree; content refers to `data`, which is
 * the image's fd.  Every file is read for its digest.  `info` may be NULL.
 */
int unik_iso_read(struct unik_tree **out, const struct unik_data *data,
		  uint64_t size, const struct unik_limits *limits,
		  struct unik_iso_info *info, struct unik_err *err);

#endif
