/* SPDX-License-Identifier: GPL-3.0-or-later */
/* inspect: stores; what their files share. */
#ifndef UNIK_INSPECT_STORE_PRIVATE_H
#define UNIK_INSPECT_STORE_PRIVATE_H

#include "inspect_private.h"

/* ---- garbage (inspect_garbage.c) ---- */

/* What nothing refers to. */
struct garbage {
	const char *dir;
	const char *name;
	const char *reason;
	uint64_t size;
};

struct garbage_list {
	struct garbage *v;
	size_t n;
	size_t room;
	struct unik_arena arena; /* the names */
	uint64_t size;           /* of all */
};

/* UNIK_EBAD where a reference or a manifest can't be read, since then nobody
 * knows what it needs.  `temps`: temporaries too; only under the lock, where
 * all are dead. */
int garbage_find(const struct target *t, bool temps, struct garbage_list *list,
		 struct unik_err *err);
void garbage_release(struct garbage_list *list);

/* ---- the report (inspect_store.c) ---- */

struct image_row {
	const char *name;
	struct unik_digest digest;
	uint64_t size;
	size_t nstacks;  /* that hold it */
	bool writable;   /* scratch: each container has a copy */
	bool missing;    /* a stack holds it, but it is not there */
};

struct stack_row {
	char *ref; /* of arena: without ".json" */
	struct unik_digest digest;
	struct unik_stored_manifest *manifest;
	size_t *images;     /* by place in the stack: place in the images */
	uint64_t size;      /* of its images, each once */
	uint64_t root_size; /* --sharing: one image of its root */
	uint64_t scratch;   /* bytes of its scratch images */
};

struct store_report {
	struct target *t;
	struct unik_arena arena;
	struct image_row *images; /* by name */
	size_t nimages;
	struct stack_row *stacks; /* by reference */
	size_t nstacks;
	struct garbage_list garbage;
	bool garbage_known;
	size_t nbad;         /* references that can't be read */
	uint64_t size;       /* of images that stacks hold, each once */
	uint64_t stack_size; /* of the same, once for each stack */
	uint64_t containers; /* --sharing: of each stack */
	uint64_t separate;   /* a root image for each */
	uint64_t shared;     /* images once, scratch images for each */
};

/* Whether that error of unik_store_manifest() says that somebody removed the
 * reference just now, which needs no lock. */
bool inspect_ref_is_gone(const struct unik_err *err);
int store_gather(struct store_report *r, struct unik_err *err);
void store_release(struct store_report *r);
/* inspect_sharing.c: sets root_size, scratch, separate, shared. */
int store_sharing(struct store_report *r, struct unik_err *err);
/* inspect_store_text.c, inspect_store_json.c */
int store_text(const struct store_report *r, struct out *o);
int store_json(const struct store_report *r, struct out *o);

#endif
