/* SPDX-License-Identifier: GPL-3.0-or-later */
/* convert: what its files share; no other room includes this. */
#ifndef UNIK_CONVERT_PRIVATE_H
#define UNIK_CONVERT_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "convert.h"
#include "facts.h"
#include "image.h"
#include "layer.h"
#include "pack.h"
#include "plan.h"
#include "record.h"
#include "store.h"
#include "writer.h"

#define MAX_FORMATS 2

/* An image file on its way: of one layer (or run of layers) in one format. */
struct output {
	struct unik_image_facts facts;
	struct unik_loss_counts losses;
	int version; /* of its format; 0: as asked for */
	char *lost; /* an example: "'usr/bin/ping'", or NULL */
	struct unik_temp temp;
	struct unik_layer *layer; /* whose own digest may still be due, or
				     NULL */
	bool cached; /* it is in the store already */
	bool done;
};

/* One image of a stack, bottom to top. */
struct entry {
	size_t first; /* layers in it */
	size_t last;
	struct output *out; /* owned by a slot, or by the stack */
	const struct unik_format *format;
	const char *role; /* as in the manifest; NULL: layers */
};

struct stack {
	struct entry *v;
	size_t n;
	struct output *own; /* the outputs that no slot owns, or NULL */
	size_t nown;
};

/* One layer of the source. */
struct slot {
	struct unik_layer *layer; /* only while layers are merged */
	struct unik_layer_facts facts;
	size_t same_as; /* an earlier layer with the same diff_id, or itself */
	bool solo5; /* looked for only where it is packed: a unikernel in it */
	struct output out[MAX_FORMATS];
	struct unik_err err;
	bool failed;
};

struct job {
	const struct unik_convert_options *opt;
	const struct unik_derive *derive; /* NULL: convert */
	const struct unik_image *image;
	struct unik_image *opened; /* the same, where it is ours */
	struct unik_store *store; /* NULL: one image to a file */
	int image_dir;            /* of image_path; -1: none */
	const char *image_name;   /* the last component of its path */
	struct unik_pack_plan pack;
	int pack_dir; /* of an archive; else -1 */
	struct unik_layout layout; /* of an OCI directory */
	const char *spool_dir;
	char *spool_alloc;
	const struct unik_target *target;
	enum unik_whiteouts whiteouts;
	size_t max_images;
	struct unik_layer *bind; /* files of the host, or NULL: the topmost
				    "layer", number nslots */
	bool merging; /* layers are laid over each other: not one by one */
	const struct unik_format *formats[MAX_FORMATS];
	struct stack stacks[MAX_FORMATS];
	size_t nformats;
	struct slot *slots;
	size_t nslots;
	/* Shared by the threads: */
	pthread_mutex_t lock;
	size_t next;     /* layer to be taken */
	size_t running;  /* layers at hand */
	atomic_uint cores; /* for each of them */
	bool stopping;
	bool is_image; /* what was taken for a layer */
	uint64_t bytes;  /* of tars read */
};

/* convert_layer.c: one layer from the source to its images. */
int convert_layer(struct job *job, size_t k, struct unik_err *err);
/* Whether a layer's image is wanted at all. */
bool convert_wants(const struct job *job, size_t k);
/* Only loads the layer, and takes its facts but for the digests. */
int convert_load(struct job *job, size_t k, struct unik_err *err);
/* The format version of an image; `out` NULL: of those that don't say. */
int convert_version(const struct job *job, const struct unik_format *f,
		    const struct output *out);
/* One tree to one image, with room to be written to. */
int convert_image(struct job *job, const struct unik_tree *tree,
		  const struct unik_format *f, uint64_t free_size,
		  uint64_t free_inodes, struct output *out,
		  struct unik_err *err);
/* The tree of an image of the stack, to whoever derives it: 0 go on, 1 it is
 * enough, -1. */
int convert_show(struct job *job, size_t index, const struct entry *e,
		 const struct unik_tree *tree, struct unik_err *err);
/* The name of a layer's record in a format. */
void convert_record_name(const struct job *job, const struct unik_digest *id,
			 size_t format, char buf[UNIK_RECORD_NAME]);

/* convert_pool.c: all layers, opt->jobs at a time. */
int convert_layers(struct job *job, struct unik_err *err);
/* Layers that are merged: waits for the digests that are still being taken. */
int convert_settle(struct job *job, struct unik_err *err);

/* convert_stack.c: for targets whose images depend on the layers below: the
 * plan, the merged trees, their images. */
int convert_stacks(struct job *job, struct unik_err *err);
/* Without merging: one image a layer. */
int convert_single_stacks(struct job *job, struct unik_err *err);

/* convert_finish.c: warnings, strictness, publishing, reports. */
int convert_losses(struct job *job, struct unik_err *err);
int convert_publish(struct job *job, struct unik_err *err);

/* convert_pack.c: the stack in a container image. */
bool convert_packs(const struct job *job);
int convert_pack_check(struct job *job, struct unik_err *err);
int convert_pack_open(struct job *job, struct unik_err *err);
/* Once the source is open: it is not what would be written over. */
int convert_pack_beside(struct job *job, struct unik_err *err);
/* Where an image is made that is to be packed. */
int convert_pack_output(struct job *job, struct output *out,
			struct unik_err *err);
/* `stack` is the manifest. */
int convert_pack(struct job *job, const char *stack, size_t stack_size,
		 struct unik_err *err);
/* Notes whether the kernel may be in a layer. */
int convert_pack_look(struct job *job, struct slot *s,
		      const struct unik_tree *tree, struct unik_err *err);
/* The name of image i in the new image. */
void convert_pack_row(const struct job *job, size_t i,
		      char name[UNIK_PACK_NAME]);

/* Formatted texts to the callbacks; taken one at a time. */
void convert_warn(struct job *job, const char *fmt, ...) UNIK_PRINTF(2, 3);
void convert_note(struct job *job, const char *fmt, ...) UNIK_PRINTF(2, 3);

#endif
