/* SPDX-License-Identifier: GPL-3.0-or-later */
/* facts: what a conversion knows of a layer and of an image file; the common
 * words of convert, manifest, record and verify. */
#ifndef UNIK_FACTS_H
#define UNIK_FACTS_H

#include <stdint.h>

#include "digest.h"
#include "tree.h"

struct unik_entry_counts {
	uint64_t file, dir, symlink, hardlink, device, fifo;
};

struct unik_loss_counts {
	uint64_t xattr, time, rdev, name;
};

struct unik_layer_facts {
	struct unik_digest diff_id;
	struct unik_digest blob_digest;
	uint64_t blob_size;
	uint64_t size; /* of the tar */
	struct unik_entry_counts entries;
	uint64_t whiteouts;
	uint64_t opaque;
	uint64_t ignored; /* AUFS metadata left out */
	uint64_t unended; /* 1: its tar has no proper end */
	uint64_t globals; /* pax global headers not applied */
	struct unik_loss_counts losses;
};

struct unik_image_facts {
	struct unik_digest image;
	uint64_t size;
	struct unik_digest tree_digest;
};

struct unik_layer;

/* All but the losses, which a format has. */
void unik_take_facts(struct unik_layer_facts *f,
		     const struct unik_layer *layer);
/* Entries by type; the root and whiteouts are not counted, sockets count as
 * FIFOs. */
void unik_count_entries(struct unik_entry_counts *c,
			const struct unik_tree *tree);
uint64_t unik_sum_entries(const struct unik_layer_facts *f);

#endif
