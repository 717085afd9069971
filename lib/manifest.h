/* SPDX-License-Identifier: GPL-3.0-or-later */
/* manifest: the canonical JSON record of one conversion (unik-store(5),
 * "unik.stack.v1"), and the name it is referred to by. */
#ifndef UNIK_MANIFEST_H
#define UNIK_MANIFEST_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "facts.h"
#include "image.h"

#define UNIK_MANIFEST_SCHEMA "unik.stack.v1"

/* One image of a stack: the layers first..last are in it; none where
 * last < first. */
struct unik_stack_image {
	struct unik_image_facts facts;
	size_t first;
	size_t last;
	const char *role;   /* "bind", "scratch"; NULL: layers */
	const char *format; /* where it is not the stack's; or NULL */
};

struct unik_manifest {
	const char *tool; /* that made it; NULL: this one */
	const struct unik_image *source;
	const char *target;
	const char *whiteouts; /* where it is not the target's own; or NULL */
	size_t max_images;     /* the same; or 0 */
	const char *format;
	int format_version;
	uint32_t block_size; /* ext2; 0: not said */
	struct unik_strings binds; /* paths in the container */
	uint64_t scratch;     /* bytes; 0: none */
	uint64_t free_size;   /* the same */
	uint64_t free_inodes;
	const struct unik_layer_facts *layers;
	size_t nlayers;
	const struct unik_stack_image *stack;
	size_t nstack;
};

/* The text with its newline; the caller frees it. */
int unik_manifest_text(const struct unik_manifest *m, char **text,
		       size_t *size, struct unik_err *err);

/* Parts that other documents have as well; the entries are an object of that
 * name. */
struct unik_json_out;
void unik_put_digest(struct unik_json_out *o, const char *key,
		     const struct unik_digest *d);
void unik_put_strings(struct unik_json_out *o, const char *key,
		      const struct unik_strings *s);
void unik_put_entries(struct unik_json_out *o,
		      const struct unik_entry_counts *c);

#define UNIK_REF_NAME 256
/* "<name>.<target>.<format>.json": bytes of the name other than letters,
 * digits and `._:@+-` as %HH, and a leading dot too; a long name is cut and
 * ends in "-<sha256>". */
int unik_ref_name(char buf[UNIK_REF_NAME], const char *name,
		  const char *target, const char *format,
		  struct unik_err *err);

#endif
