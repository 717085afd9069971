/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reader_iso: what the files share that build a tree. */
#ifndef UNIK_READER_ISO_BUILD_PRIVATE_H
#define UNIK_READER_ISO_BUILD_PRIVATE_H

#include "reader_iso_private.h"
#include "scan.h"

#define ISO_READ_SECTIONS 100u /* as Linux */

/* A directory still to be read. */
struct iso_todo {
	struct iso_extent dir;
	const struct unik_node *node;
};

struct iso_build {
	struct iso_image image;
	struct unik_tree *tree;
	const struct unik_data *data;
	struct iso_todo *todo;
	size_t ntodo, room;
	struct iso_map dirs;   /* by block: those seen */
	struct iso_map links;  /* by serial number: the first node */
	struct iso_map extents; /* by block: an inode with that content */
	struct unik_scan scan;
	uint64_t hash_left;    /* bytes of files yet to be read */
	uint64_t content_left; /* bytes of all files (--max-layer-size) */
	char *path;            /* of the current directory or entry */
	size_t dir_size;       /* bytes of it that are the directory's */
	char *target;          /* of a hard link */
	uint8_t *chunk;        /* UNIK_CHUNK bytes */
	/* The record at hand: of a file, its first one and all sections. */
	struct iso_attr attr;
	struct unik_piece sections[ISO_READ_SECTIONS];
	uint32_t nsections;
	uint64_t size;
	uint8_t id[256];
	struct iso_walk walk;
};

/* Fails with the path at hand in front. */
int unik_iso_bad(const struct iso_build *b, const char *what,
		       struct unik_err *err);
int unik_iso_at(const struct iso_build *b, struct unik_err *err);
/* What the fields of the record at hand say; size and content are the caller's.
 */
int unik_iso_entry(struct iso_build *b, bool dir, struct unik_entry *e,
		   struct unik_err *err);
/* Adds an entry of a new path; *node gets it (NULL: the tree left it out). */
int unik_iso_add(struct iso_build *b, const struct unik_entry *e,
		 const struct unik_node **node, struct unik_err *err);
/* Notes one more section of the file at hand. */
int unik_iso_section(struct iso_build *b, const struct iso_record *r,
		     struct unik_err *err);
/* Adds the file at hand (or device, symlink, ...), all of whose sections are
 * known. */
int unik_iso_file(struct iso_build *b, struct unik_err *err);

#endif
