/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reader_iso: what the files share that check an image. */
#ifndef UNIK_READER_ISO_CHECK_PRIVATE_H
#define UNIK_READER_ISO_CHECK_PRIVATE_H

#include "reader_iso_private.h"

/* A directory of the image, in the order of the path table. */
struct iso_checked {
	struct iso_extent dir;
	uint32_t parent; /* its place in the same array */
};

/* What the records say of an inode. */
struct iso_named {
	uint32_t ino;
	uint32_t nlink;
	uint64_t sum; /* of all its attributes */
};

/* Path table L (and M beside it), read front to back. */
struct iso_tables {
	uint32_t at;    /* of the next record */
	uint32_t size;
	uint32_t l_block;
	uint32_t m_block;
};

struct iso_check {
	struct iso_image image;
	struct iso_tables tables;
	struct iso_checked *dirs;
	size_t ndirs, dirs_room;
	struct iso_named *names;
	size_t nnames, names_room;
	struct iso_regions regions;
	/* Records, and the continuation areas that they have had. */
	uint64_t nrecords;
	uint64_t nareas;
	/* Of the directory at hand. */
	size_t current;
	/* Of the record before. */
	uint8_t last[256]; /* identifier, size first; size 0: none */
	bool more;         /* and it was not the last section */
	uint64_t section_end;
	struct iso_attr attr;
	void *form; /* room to write the record once more */
	struct iso_walk walk;
};

int unik_iso_check_descriptors(struct iso_check *c, struct unik_err *err);
/* The next record of both path tables must be this directory's. */
int unik_iso_tables_next(struct iso_check *c, const uint8_t *id, size_t id_size,
			 uint32_t block, uint32_t parent, struct unik_err *err);
/* Notes what a record says of its inode (our own images only). */
int unik_iso_note(struct iso_check *c, const struct iso_record *r,
		  struct unik_err *err);
/* Serial numbers and link counts of all that was noted. */
int unik_iso_check_names(struct iso_check *c, struct unik_err *err);
int unik_iso_check_dirs(struct iso_check *c, struct unik_err *err);
/* Is a record of ours, whose attributes are at hand, written as we write it? */
enum iso_form { ISO_FORM_SELF, ISO_FORM_PARENT, ISO_FORM_CHILD };
int unik_iso_check_form(struct iso_check *c, const struct iso_record *rec,
			enum iso_form form, struct unik_err *err);
/* Fails with the place of the record at hand. */
int unik_iso_bad_record(const struct iso_check *c, const char *what,
			struct unik_err *err);

#endif
