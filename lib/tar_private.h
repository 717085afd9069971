/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tar: what its files share; no other room includes this. */
#ifndef UNIK_TAR_PRIVATE_H
#define UNIK_TAR_PRIVATE_H

#include "tar.h"
#include "tar_fmt.h"

/* A growing byte buffer. */
struct tar_buf {
	uint8_t *p;
	size_t size;
	size_t room;
};

int tar_buf_reserve(struct tar_buf *b, size_t room, struct unik_err *err);
int tar_buf_set(struct tar_buf *b, const void *data, size_t n,
		struct unik_err *err); /* with a NUL behind */

enum tar_dialect { TAR_V7, TAR_USTAR, TAR_GNU, TAR_STAR };

/* Which optional values a pax header holds. */
enum {
	PAX_PATH = 1 << 0,
	PAX_LINKPATH = 1 << 1,
	PAX_SIZE = 1 << 2,
	PAX_UID = 1 << 3,
	PAX_GID = 1 << 4,
	PAX_MTIME = 1 << 5,
	PAX_SPARSE_NAME = 1 << 6,
	PAX_SPARSE_SIZE = 1 << 7,
	PAX_SPARSE_MAP = 1 << 8, /* pieces were given (0.0, 0.1) */
	PAX_RDEV_MAJOR = 1 << 9,
	PAX_RDEV_MINOR = 1 << 10
};

struct tar_pax {
	unsigned have; /* PAX_* */
	struct tar_buf body; /* the records; the pointers below point into it */
	const char *path, *linkpath, *sparse_name;
	size_t path_size, linkpath_size, sparse_name_size;
	uint64_t size, uid, gid, sparse_size, rdev_major, rdev_minor;
	int64_t mtime_sec;
	uint32_t mtime_nsec;
	int sparse_major, sparse_minor; /* -1: not said */
	bool half_piece; /* an offset of 0.0 waits for its numbytes */
	struct unik_xattr *xattrs;
	size_t nxattrs, xattr_room;
	struct tar_buf decoded; /* LIBARCHIVE.xattr names and values */
	bool keys; /* any key but `comment` (for global headers) */
};

struct unik_tar {
	struct unik_source *src;
	const struct unik_limits *limits;
	bool ended;
	bool ended_properly;
	uint64_t end; /* of the last entry, once it was read */
	uint64_t globals;
	union {
		struct tar_header h;
		uint8_t bytes[TAR_BLOCK];
	} block;
	uint64_t left;    /* stored data of the entry not yet read */
	uint64_t padding; /* behind it, to the next block */
	size_t given;     /* bytes of the last unik_tar_data() */
	bool have_pax;    /* a header `x` precedes the entry */
	bool have_long;   /* a header `L` or `K` precedes it */
	struct tar_pax pax;
	struct tar_buf long_name, long_link; /* GNU `L`, `K` */
	struct tar_buf name, link;           /* of the entry at hand */
	struct unik_piece *pieces;           /* sparse map of the entry */
	uint32_t npieces, piece_room;
};

/* tar_header.c */
bool tar_checksum_ok(const struct tar_header *h);
bool tar_is_zero(const uint8_t *block);
enum tar_dialect tar_dialect(const struct tar_header *h);
/* A numeric field, octal or base-256; may be negative in base-256 only. */
int tar_number(const char *field, size_t n, int64_t *out, struct unik_err *err,
	       const char *what);
/* The fields of the header, before pax and GNU names override. */
int tar_header_fields(struct unik_tar *t, struct unik_tar_entry *e,
		      struct unik_err *err);

/* tar_pax.c */
int tar_pax_parse(struct unik_tar *t, struct tar_pax *pax,
		  struct unik_err *err);
void tar_pax_reset(struct unik_tar *t);
int tar_pax_apply(struct unik_tar *t, struct unik_tar_entry *e,
		  struct unik_err *err);
/* Decimal digits only, no sign, no space; false where it is not a number or
 * does not fit. */
bool tar_decimal(const char *s, size_t n, uint64_t *out);

/* tar_xattr.c */
int tar_pax_xattr(struct tar_pax *pax, const char *key, size_t nkey,
		  const char *value, size_t nvalue, struct unik_err *err);

/* tar_sparse.c */
int tar_sparse_add(struct unik_tar *t, uint64_t offset, uint64_t size,
		   struct unik_err *err);
/* `offset,size,offset,size...` of sparse 0.1 */
int tar_sparse_list(struct unik_tar *t, const char *s, size_t n,
		    struct unik_err *err);
/* The map of an old GNU header and its extension blocks. */
int tar_sparse_old(struct unik_tar *t, struct unik_tar_entry *e,
		   struct unik_err *err);
/* The map of sparse 1.0, at the front of the data. */
int tar_sparse_10(struct unik_tar *t, struct unik_tar_entry *e,
		  struct unik_err *err);
/* Checks the map against the sizes, turns it into pieces with offsets in the
 * stream. */
int tar_sparse_finish(struct unik_tar *t, struct unik_tar_entry *e,
		      struct unik_err *err);

/*
 * tar_end.c: behind a first zero block.  1 the end: a second one (POSIX.1-2017,
 * pax, "ustar Interchange Format"), or too few bytes for one, which is not
 * proper (GNU tar warns of a lone zero block); -1, also for what is the image
 * of a filesystem.
 */
int tar_read_end(struct unik_tar *t, struct unik_err *err);

/* tar.c: reads one whole block: 0, 1 at the end of the stream, -1. */
int tar_read_block(struct unik_tar *t, uint8_t *block, struct unik_err *err);

#endif
