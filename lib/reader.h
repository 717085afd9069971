/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * reader: the table of what images can be read, for those who do not know
 * which format a file is in.  The opposite of the table in writer.h.
 */
#ifndef UNIK_READER_H
#define UNIK_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "tree.h"
#include "treediff.h"

struct unik_reader_info {
	int version;         /* of our format; 0: another writer's image */
	uint32_t block_size;
	uint64_t size;       /* bytes, as the image says of itself */
	/* What the format can't hold; `target` is only for images that were
	 * made for rumprun. */
	struct unik_diff_format holds;
};

struct unik_reader {
	const char *name; /* as the format's: "iso", "ext2" */
	/* Does the file begin like an image of the format? 0 no, 1 yes, -1. */
	int (*probe)(int fd, uint64_t size, struct unik_err *err);
	/* Looks at the head only.  UNIK_EBAD: it is none, or damaged. */
	int (*info)(struct unik_reader_info *info, int fd, uint64_t size,
		    struct unik_err *err);
	/* Is the structure whole?  Reads no content of files. */
	int (*check)(int fd, uint64_t size, const struct unik_limits *limits,
		     struct unik_err *err);
	/* A new, sealed tree whose contents refer to `data`, the image's fd. */
	int (*read)(struct unik_tree **out, const struct unik_data *data,
		    uint64_t size, const struct unik_limits *limits,
		    struct unik_err *err);
};

/* By name; NULL where there is none. */
const struct unik_reader *unik_reader_find(const char *name);
/* By the content: *out is NULL where it is no image. */
int unik_reader_detect(const struct unik_reader **out, int fd, uint64_t size,
		       struct unik_err *err);

#endif
