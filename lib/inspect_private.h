/* SPDX-License-Identifier: GPL-3.0-or-later */
/* inspect: what its files share; no other room includes this. */
#ifndef UNIK_INSPECT_PRIVATE_H
#define UNIK_INSPECT_PRIVATE_H

#include <stdbool.h>

#include "arena.h"
#include "facts.h"
#include "image.h"
#include "json.h"
#include "layer.h"
#include "manifest_find.h"
#include "merge.h"
#include "plan.h"
#include "reader.h"
#include "store.h"
#include "tree.h"
#include "writer.h"

/* ---- the answer (inspect_out.c) ---- */

/* Text on its way to opt->write; errors stick and come out at the end. */
struct out {
	const struct unik_inspect_options *opt;
	struct unik_err *err;
	bool failed;
	size_t used;
	char buf[16384];
};

void out_bytes(struct out *o, const void *bytes, size_t n);
void out_text(struct out *o, const char *fmt, ...) UNIK_PRINTF(2, 3);
/* Bytes of input, made harmless: control and format characters, invalid UTF-8
 * and the backslash as \xHH.  Returns the columns they take. */
size_t out_clean(struct out *o, const char *text);
/* The same, cut to so many columns; the rest of them are filled with spaces
 * where `fill`. */
void out_clean_cut(struct out *o, const char *text, size_t columns, bool fill);
int out_end(struct out *o);
/* Takes the JSON text that was written, with a newline behind it. */
int out_json(struct out *o, struct unik_json_out *json);

/* "3 files, 1 directory", in lines of at most 100 columns; what is 0 is left
 * out. */
struct words {
	struct out *o;
	size_t indent; /* of further lines */
	size_t column;
	bool any;
};
void words_put(struct words *w, uint64_t n, const char *one, const char *many);
void words_entries(struct words *w, const struct unik_entry_counts *c);
void words_end(struct words *w, const char *none);

/* "1.5 MiB" */
const char *inspect_size(uint64_t n, char buf[24]);
/* How many hex digits tell the digests (all of sha256) apart: at least 12. */
size_t inspect_shortest(const struct unik_digest *v, size_t n);
/* "2024-05-06T07:08:09.5Z": the fraction only where there is one. */
#define INSPECT_TIME 48
const char *inspect_time(int64_t sec, uint32_t nsec, char buf[INSPECT_TIME]);

/* ---- targets (inspect_target.c) ---- */

enum target_kind { TARGET_SOURCE, TARGET_STORE, TARGET_IMAGE };

/* An image file, open; its tree is read when it is asked for. */
struct image_file {
	struct unik_data data;
	uint64_t size;
	const struct unik_reader *reader;
	struct unik_tree *tree;
	struct unik_tree *plain; /* without marks of overlayfs, for merging */
};

struct target {
	const struct unik_inspect_options *opt;
	enum target_kind kind;
	char *path;        /* of a store or image file */
	const char *name;  /* STORE:NAME, or NULL */
	char *part;        /* `#PART`, or NULL */
	char *text;        /* the target without it */
	/* A source: */
	struct unik_image *image;
	struct unik_layer **layers; /* NULL where not loaded */
	size_t *same_as;            /* an earlier layer of the same diff_id */
	/* A store, and one stack of it once it was asked for: */
	struct unik_store *store;
	struct unik_stored_manifest *stack;
	char *ref;
	/* An image file; images of a stack: */
	struct image_file *files;
	size_t nfiles;
	struct unik_tree *merged;   /* all parts */
};

int target_open(struct target *t, const char *text,
		const struct unik_inspect_options *opt, struct unik_err *err);
void target_release(struct target *t);
/* UNIK_EUSAGE where the question does not fit the kind of the target. */
int target_need_store(const struct target *t, struct unik_err *err);
/* UNIK_EIO where opt->stop says so. */
int inspect_stopped(const struct unik_inspect_options *opt,
		    struct unik_err *err);
void inspect_warn(const struct unik_inspect_options *opt, const char *fmt, ...)
	UNIK_PRINTF(2, 3);

/* ---- parts and their trees (inspect_part.c) ---- */

#define MERGED SIZE_MAX

/* Parts: the layers of a source, the images of the one stack of STORE:NAME, the
 * one tree of an image file. */
int target_parts(struct target *t, size_t *n, struct unik_err *err);
/* The part that a number or the begin of a digest means. */
int target_part(struct target *t, const char *text, size_t *part,
		struct unik_err *err);
/* Of `#PART` or opt->part; MERGED where there is neither. */
int target_chosen(struct target *t, size_t *part, struct unik_err *err);
/* Borrowed. */
int target_tree(struct target *t, size_t part, const struct unik_tree **tree,
		struct unik_err *err);
/* The digest of a layer (diff_id) or image; false for an image file. */
bool target_digest(const struct target *t, size_t part, struct unik_digest *d);
/* Loads a layer of a source. */
int target_layer(struct target *t, size_t k, struct unik_err *err);
/* The one stack of STORE:NAME. */
int target_stack(struct target *t, struct unik_err *err);
int image_file_open(struct image_file *f, int dir, const char *name,
		    struct unik_err *err);
void image_file_release(struct image_file *f);
int image_file_tree(struct image_file *f, const struct unik_limits *limits,
		    const struct unik_tree **tree, struct unik_err *err);
/* The images of a stack laid over each other, sealed; the files must outlive
 * it. */
int inspect_merge_stack(const struct unik_manifest *m, struct image_file *files,
			const struct unik_limits *limits,
			struct unik_tree **out, struct unik_err *err);
/* The form of whiteouts in a stack. */
enum unik_whiteouts inspect_whiteouts(const struct unik_manifest *m);
/* An empty image that will be written to. */
bool inspect_is_scratch(const struct unik_stack_image *image);
/* Opens the images of a stack; *files gets m->nstack of them, to be released
 * one by one, and freed, after a failure too. */
int inspect_open_stack(const struct unik_store *store,
		       const struct unik_manifest *m, struct image_file **files,
		       struct unik_err *err);
/* Writes the overlayfs form of whiteouts back in that of OCI: a new tree that
 * shares contents with the old. */
int inspect_unoverlay(const struct unik_tree *tree,
		      const struct unik_limits *limits, struct unik_tree **out,
		      struct unik_err *err);
/* overlayfs's marks. */
bool inspect_is_device0(const struct unik_inode *inode);
bool inspect_is_opaque(const struct unik_inode *inode);

/* "drwxr-xr-x " as `ls -l` shows it; "+" behind where it has attributes. */
const char *inspect_mode(const struct unik_inode *inode, char buf[12]);
/* JSON (inspect_json.c); the first begins a document: schema and kind. */
void inspect_json_begin(struct unik_json_out *j, const char *kind);
void inspect_json_config(struct unik_json_out *j,
			 const struct unik_image_config *c);
/* The path of a node, in a buffer that grows; NULL: no memory. */
struct path {
	char *text;
	size_t room;
};
const char *inspect_path(struct path *p, const struct unik_node *node);

/* ---- what can be asked ---- */

int inspect_source(struct target *t, struct out *o, struct unik_err *err);
int inspect_image(struct target *t, struct out *o, struct unik_err *err);
int inspect_store(struct target *t, struct out *o, struct unik_err *err);
int inspect_graph(struct target *t, struct out *o, struct unik_err *err);
int inspect_garbage(struct target *t, struct out *o, struct unik_err *err);
int inspect_plan(struct target *t, struct out *o, struct unik_err *err);
int inspect_list(struct target *t, struct out *o, struct unik_err *err);
int inspect_diff(struct target *a, struct target *b, struct out *o,
		 bool *differs, struct unik_err *err);
int inspect_file(struct target *t, struct out *o, struct unik_err *err);

#endif
