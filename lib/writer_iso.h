/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * writer_iso: what its files share; no other room includes this.
 *
 * On disk: system area, primary descriptor, terminator, path table L, path
 * table M; every directory in canonical order, each followed by the
 * continuation areas of its own records; the data of the files in the order of
 * their inodes, equal content once; zeros up to a multiple of 4096 bytes.
 */
#ifndef UNIK_WRITER_ISO_H
#define UNIK_WRITER_ISO_H

#include "iso_fmt.h"
#include "io.h"
#include "writer.h"

#define ISO_ID_MAX 31u /* bytes of an identifier, version included */
/* Linux gives up on a file with more sections (isofs_read_level3_size). */
#define ISO_MAX_SECTIONS 100u
/* Linux reads a target into one page and needs its NUL; NetBSD's MAXPATHLEN
 * is 1024 with it. */
#define ISO_TARGET_MAX 4095u
#define ISO_TARGET_MAX_NETBSD 1023u

struct iso_dir {
	uint32_t node;    /* its id in the tree */
	uint32_t parent;  /* its parent's place in dirs[] */
	uint32_t first;   /* its first child in order[] */
	uint32_t block;
	uint32_t nblocks; /* of records */
	uint32_t nareas;  /* blocks of continuation areas behind them */
	uint32_t number;  /* in the path table, from 1 */
};

struct unik_writer {
	const struct unik_tree *tree;
	bool netbsd;
	uint8_t digest[UNIK_SHA256_SIZE];
	uint32_t *order;     /* ids of nodes: each directory's children, sorted
				by their identifiers */
	uint32_t *suffix;    /* by node id: 0, or what makes its identifier
				unique */
	uint32_t *extent;    /* by inode id: a file's first block; a directory's
				place in dirs[] */
	struct iso_dir *dirs; /* canonical order */
	uint32_t *by_number; /* places in dirs[], in path table order */
	uint32_t ndirs;
	uint32_t path_table_size;
	uint32_t l_block;
	uint32_t m_block;
	uint32_t data_block;
	uint32_t nblocks;
	struct unik_losses losses;
};

/* ---- iso_names.c: identifiers ---- */

/* The identifier of a node as it stands in its record, without the pad; returns
 * its size. */
size_t unik_iso_identifier(const struct unik_writer *w,
			   const struct unik_node *node,
			   uint8_t id[ISO_ID_MAX]);
/* Fills order[] and suffix[] for all directories. */
int unik_iso_names(struct unik_writer *w, struct unik_err *err);

/* ---- iso_time.c ---- */

/* A 7-byte stamp (9.1.5), GMT; true where it is the exact time. */
bool unik_iso_time7(int64_t sec, uint32_t nsec, uint8_t out[7]);
/* Sixteen digits that form a valid date, from a digest. */
void unik_iso_time17(const uint8_t digest[UNIK_SHA256_SIZE],
		     struct iso_time17 *out);

/* ---- iso_susp.c: the System Use fields of one record ---- */

/* Enough for a name of 255 bytes and a target of ISO_TARGET_MAX bytes whose
 * components have one byte each. */
#define ISO_SUSP_MAX 8192u
#define ISO_MAX_AREAS 5u

struct iso_susp {
	size_t n;
	size_t inside; /* bytes of it that stay in the directory record */
	uint8_t bytes[ISO_SUSP_MAX];
};

enum iso_role { ISO_SELF, ISO_PARENT, ISO_CHILD };

/* Fields of a directory's "." (ISO_SELF) or "..", or of a named record. */
void unik_iso_susp(const struct unik_writer *w, const struct unik_node *node,
		   enum iso_role role, struct iso_susp *s);
/* Room for n more bytes of a field of this name; sets its head. */
uint8_t *unik_iso_field(struct iso_susp *s, const char *sig, size_t size);
/* Appends the SL fields of a target (iso_symlink.c). */
void unik_iso_symlink(struct iso_susp *s, const char *target, bool netbsd);

/* One continuation area: bytes[from, from + size) and, where `more`, a CE field
 * that points at the next. */
struct iso_area {
	uint32_t block;
	uint32_t offset;
	uint32_t from;
	uint32_t size;
	bool more;
};

/* Where areas are being put. */
struct iso_cursor {
	uint32_t block;
	uint32_t offset;
};

/* Decides what stays in a record whose fields start at `base` (sets inside) and
 * puts the rest in areas; returns how many. */
size_t unik_iso_split(struct iso_susp *s, size_t base, struct iso_cursor *at,
		      struct iso_area areas[ISO_MAX_AREAS]);
/* Writes a CE field. */
void unik_iso_ce(uint8_t *p, const struct iso_area *area);
static inline uint32_t unik_iso_area_size(const struct iso_area *a)
{
	return a->size + (a->more ? (uint32_t)sizeof(struct susp_ce) : 0);
}

/* ---- iso_dir.c: directories ---- */

/* How many records a node takes: one, or one for each section of a file. */
uint32_t unik_iso_sections(const struct unik_inode *inode);
/* Sets nblocks and nareas. */
int unik_iso_dir_size(const struct unik_writer *w, struct iso_dir *dir,
		      struct unik_err *err);
int unik_iso_dir_emit(const struct unik_writer *w, const struct iso_dir *dir,
		      struct unik_sink *sink, struct unik_err *err);
/* The record of the root for the descriptor. */
void unik_iso_root_record(const struct unik_writer *w, uint8_t out[34]);

/* ---- iso_path_table.c ---- */

/* Fills by_number[], the numbers and path_table_size. */
void unik_iso_path_table(struct unik_writer *w);
int unik_iso_path_table_emit(const struct unik_writer *w, bool be,
			     struct unik_sink *sink, struct unik_err *err);

/* ---- iso_data.c: the extents of files ---- */

/* Gives every file its extent from block `next` on; *end gets the first block
 * behind them. */
int unik_iso_data(struct unik_writer *w, uint64_t next, uint64_t *end,
		  struct unik_err *err);
int unik_iso_data_emit(const struct unik_writer *w, struct unik_sink *sink,
		       struct unik_err *err);

/* ---- iso_emit.c ---- */

int unik_iso_emit(const struct unik_writer *w, struct unik_sink *sink,
		  struct unik_err *err);

#endif
