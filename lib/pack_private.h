/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pack: what its files share; no other room includes this. */
#ifndef UNIK_PACK_PRIVATE_H
#define UNIK_PACK_PRIVATE_H

#include "json.h"
#include "pack.h"
#include "tar_fmt.h"

/* ---- pack_tar.c: headers ---- */

/* Bytes that grow; an error of memory sticks. */
struct pack_bytes {
	uint8_t *p;
	size_t size;
	size_t room;
	bool no_memory;
};

void pack_bytes_add(struct pack_bytes *b, const void *data, size_t n);

/* A regular file, or a directory where `path` ends in a slash. */
void pack_tar_header(struct pack_bytes *b, const char *path, uint64_t size,
		     unsigned mode);
/* Zeros behind so many bytes of content. */
uint64_t pack_tar_padding(uint64_t size);

/* ---- pack_recipe.c: bytes that are yet to be put together ---- */

struct pack_piece {
	const uint8_t *memory; /* or NULL: */
	int fd;                /* or -1: zeros */
	uint64_t offset;
	uint64_t size;
};

struct pack_recipe {
	struct pack_piece *v;
	size_t n;
	size_t room;
	uint64_t size;
	struct pack_bytes bytes; /* headers */
};

int pack_recipe_header(struct pack_recipe *r, const char *path, uint64_t size,
		       unsigned mode, struct unik_err *err);
int pack_recipe_range(struct pack_recipe *r, int fd, uint64_t offset,
		      uint64_t size, struct unik_err *err);
int pack_recipe_memory(struct pack_recipe *r, const void *data, size_t size,
		       struct unik_err *err); /* borrowed */
int pack_recipe_zeros(struct pack_recipe *r, uint64_t size,
		      struct unik_err *err);
/* A file of a tar: header, bytes of `fd`, padding. */
int pack_recipe_file(struct pack_recipe *r, const char *path, unsigned mode,
		     int fd, uint64_t offset, uint64_t size,
		     struct unik_err *err);
/* The end of a tar. */
int pack_recipe_end(struct pack_recipe *r, struct unik_err *err);
void pack_recipe_release(struct pack_recipe *r);
/* The recipe must outlive the source. */
int pack_recipe_source(struct unik_source **out, const struct pack_recipe *r,
		       struct unik_err *err);

/* ---- the new image ---- */

struct pack_layer {
	struct pack_recipe recipe;
	size_t image;  /* the only one in it (raw, or of no source layer) */
	size_t first;  /* source layers it stands for; last < first: none */
	size_t last;
	struct unik_digest diff_id;
	struct unik_digest blob; /* as stored */
	uint64_t blob_size;
	const char *media_type;
	struct unik_temp temp; /* the blob, where it is compressed */
	bool appends;  /* layer `first` of the source stands before it all */
	int original;  /* a spool of that; else -1 */
	size_t same_as; /* an earlier layer with the same blob, or itself */
};

struct pack_doc {
	char *text;
	size_t size;
	struct unik_digest digest;
};

struct packing {
	const struct unik_pack *in;
	struct pack_layer *layers;
	size_t nlayers;
	struct pack_doc config;
	struct pack_doc manifest; /* OCI */
};

/* pack_layers.c: what each layer consists of */
int pack_make_layers(struct packing *p, struct unik_err *err);
/* The files that are added to a layer, and the end of the tar. */
int pack_finish_layer(struct packing *p, struct pack_layer *layer,
		      struct unik_err *err);
/* pack_append.c: the source's layer, as a part of the recipe */
int pack_append_original(const struct packing *p, struct pack_layer *l,
			 struct unik_err *err);
/* pack_blobs.c: diff_ids, compressed blobs */
int pack_make_blobs(struct packing *p, struct unik_err *err);
/* pack_config.c */
int pack_make_config(struct packing *p, struct unik_err *err);
/* pack_docs.c: what says where an image comes from, as labels or annotations;
 * the OCI manifest; its entry in an index; the docker manifest */
void pack_put_labels(struct unik_json_out *o, const struct packing *p);
int pack_make_manifest(struct packing *p, struct unik_err *err);
void pack_put_entry(struct unik_json_out *o, const struct packing *p);
/* pack_referrer.c: the artifact that refers to the source, its empty config,
 * and its entry */
int pack_make_referrer(struct packing *p, struct unik_err *err);
void pack_put_referrer(struct unik_json_out *o, const struct packing *p);
int pack_docker_manifest(const struct packing *p, struct pack_doc *doc,
			 struct unik_err *err);
int pack_doc_take(struct unik_json_out *o, struct pack_doc *doc,
		  struct unik_err *err);
#define PACK_MANIFEST_TYPE "application/vnd.oci.image.manifest.v1+json"
void pack_put_descriptor(struct unik_json_out *o, const char *type,
			 const struct unik_digest *digest, uint64_t size);
int pack_put_layers(struct unik_json_out *o, const struct packing *p,
		    struct unik_err *err);
/* pack_archive.c */
int pack_write_archive(struct packing *p, struct unik_err *err);
/* pack_layout.c */
int pack_write_layout(struct packing *p, struct unik_err *err);

/* Where blobs and archives are made: an unlinked file, or a temporary where
 * blobs get names. */
int pack_temp_open(const struct packing *p, struct unik_temp *t,
		   struct unik_err *err);

#endif
