/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * unik: container image layers as deterministic filesystem images.
 *
 * This is the only installed header.  Rules that hold for all of it:
 *  - the library never prints, exits, reads the environment, the clock or the
 *    locale, and keeps no global state; different objects may be used from
 *    different threads at once;
 *  - a function returns 0, or -1 with `err` filled; `err` is never NULL;
 *  - strings and arrays passed in are borrowed for the call only;
 *  - strings handed to callbacks are valid during the callback only.
 */
#ifndef UNIK_H
#define UNIK_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define UNIK_API __attribute__((visibility("default")))

/* What went wrong; the values are the exit statuses of the tools. */
enum unik_code {
	UNIK_OK = 0,
	UNIK_EBAD = 1,   /* the input, or a comparison, is bad */
	UNIK_EUSAGE = 2, /* the caller asked for something that can't be */
	UNIK_EIO = 3     /* could not do it: I/O, memory, space, interrupted */
};

/* An error: no heap, one line of text. */
struct unik_err {
	enum unik_code code;
	int sys; /* errno of the failed call, 0 where none */
	char msg[1024];
};

/* The version of the library, as "0.1.0". */
UNIK_API const char *unik_version(void);

/* ---- limits ---- */

/* Bounds on untrusted input.  unik_limits_init() gives the defaults. */
struct unik_limits {
	uint64_t layer_size;  /* bytes of one layer, uncompressed, holes counted */
	uint64_t ratio;       /* uncompressed : compressed, past the first 64 MiB */
	uint64_t entries;     /* entries of one layer, implied parents counted */
	uint64_t depth;       /* components of a path */
	uint64_t path;        /* bytes of a path or of a link target */
	uint64_t xattr_size;  /* bytes of all xattr names and values of an entry */
	uint64_t pax_size;    /* bytes of one pax or GNU long-name header */
	uint64_t sparse;      /* pieces of the sparse map of one file */
	uint64_t json_size;   /* bytes of one JSON document */
	uint64_t json_depth;  /* nested arrays and objects of one document */
	uint64_t json_values; /* values of one JSON document */
	uint64_t manifests;   /* manifests and indexes walked in one source */
	uint64_t members;     /* members of an outer archive, files of a directory */
	uint64_t layers;      /* layers of one image */
	uint64_t window;      /* bytes of memory a decoder may ask for */
};

/* One row of the table that --limits prints and the manual lists. */
struct unik_limit_row {
	const char *name; /* the option is --max-NAME */
	const char *unit; /* "bytes", "entries", ... */
	const char *text; /* one line of help */
	uint64_t value;   /* the default */
	size_t offset;    /* of the field in struct unik_limits */
};

UNIK_API void unik_limits_init(struct unik_limits *limits);
/* The table, in the order of the fields; *n gets its length. */
UNIK_API const struct unik_limit_row *unik_limits_table(size_t *n);

#ifdef __cplusplus
}
#endif

#endif
