/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tar: the headers of a tar stream -> entries.  v7, ustar (POSIX.1-1988), pax
 * (POSIX.1-2001), GNU and old GNU, star; base-256 numbers; GNU sparse files in
 * all four forms.  Strict: a bad checksum, a bad number or a bad pax record is
 * an error, never skipped over.
 */
#ifndef UNIK_TAR_H
#define UNIK_TAR_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "io.h"
#include "tree.h"

struct unik_tar_entry {
	const char *path; /* any bytes, as found; NUL-terminated */
	size_t path_size;
	char typeflag;    /* as in the header; '0' for the old forms of it */
	bool is_dir_name; /* the path ends in a slash */
	uint32_t mode;    /* 07777 bits */
	uint64_t uid;     /* checked: at most 2^32 - 2 */
	uint64_t gid;
	int64_t mtime_sec;
	uint32_t mtime_nsec;
	const char *target; /* link name, "" where there is none */
	size_t target_size;
	uint64_t rdev_major;
	uint64_t rdev_minor;
	uint64_t size;    /* of the file, sparse ones expanded */
	uint64_t offset;  /* of the stored data in the stream */
	uint64_t stored;  /* bytes of stored data */
	bool sparse;
	const struct unik_piece *pieces; /* sparse map; `stored` fields are
					    offsets in the stream */
	uint32_t npieces;
	const struct unik_xattr *xattrs; /* in order of appearance */
	size_t nxattrs;
};

struct unik_tar;

/* Borrows the source and the limits for its life. */
int unik_tar_new(struct unik_tar **out, struct unik_source *src,
		 const struct unik_limits *limits, struct unik_err *err);
/*
 * The next entry (0), the end of the archive (1), or an error (-1).  What is
 * left of the previous entry's data is skipped.  The entry is valid until the
 * next call.  Volume labels and pax global headers are not entries.
 */
int unik_tar_next(struct unik_tar *tar, struct unik_tar_entry *e,
		  struct unik_err *err);
/* Stored data of the entry at hand: 0 (*n >= 1 bytes, consumed by the next
 * call), 1 when all of it was given. */
int unik_tar_data(struct unik_tar *tar, const uint8_t **data, size_t *n,
		  struct unik_err *err);
/* After the end: whether both end-of-archive blocks were there. */
bool unik_tar_ended_properly(const struct unik_tar *tar);
/* After the end: where the last entry ends in the stream. */
uint64_t unik_tar_end(const struct unik_tar *tar);
/* How many pax global headers held more than a comment (they are ignored). */
uint64_t unik_tar_globals(const struct unik_tar *tar);
void unik_tar_free(struct unik_tar *tar); /* takes NULL; not the source */

/* Whether 512 bytes are a tar header with a right checksum. */
bool unik_tar_is_header(const uint8_t *block);

#endif
