/* SPDX-License-Identifier: GPL-3.0-or-later */
/* inspect: the report on a source; what its files share. */
#ifndef UNIK_INSPECT_SOURCE_PRIVATE_H
#define UNIK_INSPECT_SOURCE_PRIVATE_H

#include "inspect_private.h"

#define NFORMATS 2
#define NTARGETS 4

/* What becomes of a tree in one format. */
struct fit {
	const struct unik_format *format;
	char *refused; /* why it can't be held at all; NULL: it can */
	uint64_t size; /* exact bytes of the image */
	struct unik_loss_counts losses;
};

/* What a layer does to one lower layer. */
struct reach {
	enum unik_reach_kind kind;
	size_t low;
	uint64_t count;
	const char *example; /* a path */
};

enum storage {
	STORAGE_EMPTY,
	STORAGE_APPLICATION,
	STORAGE_LIBRARY,
	STORAGE_CONFIGURATION,
	STORAGE_DATA
};

struct layer_report {
	struct unik_layer_facts facts;
	const char *compression;
	uint64_t content; /* bytes of all files */
	uint64_t xattrs;
	enum storage storage;
	bool solo5; /* it holds a unikernel */
	char *why;  /* it is of that storage class */
	struct reach *reach;
	size_t nreach;
	struct fit fit[NFORMATS];
};

/* What a target would make of the source. */
struct target_row {
	const struct unik_target *target;
	size_t images; /* 0: it can't be made */
	size_t single; /* of them hold one layer */
};

struct source_report {
	struct target *t;
	const struct unik_image *image;
	struct unik_arena arena; /* all texts */
	struct layer_report *layers;
	size_t nlayers;
	/* All layers merged: */
	const struct unik_tree *root;
	struct fit fit[NFORMATS];
	const struct unik_node *entrypoint; /* the file, or NULL */
	struct target_row targets[NTARGETS];
	const char *suggested;
	char *why; /* it is suggested */
};

/* inspect_storage.c */
const char *inspect_storage_name(enum storage storage);
void inspect_find_entrypoint(struct source_report *r);
int inspect_storage(struct source_report *r, size_t k, struct unik_err *err);
/* inspect_suggest.c */
const char *inspect_reach_name(enum unik_reach_kind kind);
int inspect_suggest(struct source_report *r, struct unik_err *err);
/* inspect_source_text.c, inspect_source_json.c */
int inspect_source_text(const struct source_report *r, struct out *o);
int inspect_source_json(const struct source_report *r, struct out *o);

/* A text of the report's arena; NULL: no memory, and err says so. */
char *report_text(struct source_report *r, struct unik_err *err,
		  const char *fmt, ...) UNIK_PRINTF(3, 4);

#endif
