/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * scan: what the tree must know about the bytes of a file: their sha256 and
 * the hole map (see struct unik_extent in tree.h).  Feed a file front to back;
 * memory grows with the number of extents only.
 */
#ifndef UNIK_SCAN_H
#define UNIK_SCAN_H

#include <stddef.h>
#include <stdint.h>

#include "io.h"
#include "lanes.h"
#include "tree.h"

struct unik_scan {
	struct unik_lane hash;
	/* A stage whose own digest is due in this thread, or NULL: the two are
	 * taken side by side. */
	struct unik_source *beside;
	uint64_t size;      /* bytes fed */
	bool block_data;    /* the current block has a byte that is not 0 */
	uint64_t zeros;     /* whole zero blocks just before the current one */
	struct unik_extent *extents;
	uint32_t nextents;
	uint32_t room;
	bool open;          /* the last extent still grows */
	uint8_t *zero_page; /* for hashing long zero runs */
};

int unik_scan_init(struct unik_scan *s, struct unik_err *err);
/* Starts the next file. */
int unik_scan_begin(struct unik_scan *s, struct unik_err *err);
/* data NULL: n zeros. */
int unik_scan_feed(struct unik_scan *s, const void *data, uint64_t n,
		   struct unik_err *err);
/* The same for bytes that the caller appends to `hash` himself. */
int unik_scan_map(struct unik_scan *s, const void *data, uint64_t n,
		  struct unik_err *err);
/* Fills holed, nextents, extents (borrowed until the next begin), sha256. */
int unik_scan_end(struct unik_scan *s, struct unik_content *c,
		  struct unik_err *err);
/* The same, but for the sha256, which the caller takes from `hash` himself. */
int unik_scan_end_map(struct unik_scan *s, struct unik_content *c,
		      struct unik_err *err);
void unik_scan_release(struct unik_scan *s);

#endif
