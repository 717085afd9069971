/* SPDX-License-Identifier: GPL-3.0-or-later */
/* image: the chosen candidate's layers: where each one is, and what the source
 * says of it. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "image_private.h"

#define OCI_LAYER "application/vnd.oci.image.layer."
#define DOCKER_LAYER "application/vnd.docker.image.rootfs."

static bool one_of(const char *s, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(s, *list) == 0)
			return true;
	return false;
}

const char *img_layer_refusal(const char *media_type)
{
	/* OCI image-spec, layer.md and media-types.md; Docker schema 2.  The
	 * content tells the compression, so any is as good as another, and
	 * none as well. */
	static const char *const oci[] = {
		"", "+gzip", "+zstd", "+xz", "+bzip2", NULL
	};
	static const char *const docker[] = {
		"", ".gzip", ".zstd", ".xz", ".bzip2", NULL
	};
	static const struct {
		const char *prefix;
		const char *const *suffixes;
	} known[] = {
		{ OCI_LAYER "v1.tar", oci },
		{ OCI_LAYER "nondistributable.v1.tar", oci },
		{ DOCKER_LAYER "diff.tar", docker },
		{ DOCKER_LAYER "foreign.diff.tar", docker },
	};
	size_t i, n = strlen(media_type);

	if (n == 0)
		return NULL;
	if (n >= 10 && strcmp(media_type + n - 10, "+encrypted") == 0)
		return "is encrypted:";
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		size_t len = strlen(known[i].prefix);

		if (strncmp(media_type, known[i].prefix, len) == 0 &&
		    one_of(media_type + len, known[i].suffixes))
			return NULL;
	}
	return "is not a tar of a root filesystem:";
}

bool unik_image_is_raw(const char *media_type)
{
	return strcmp(media_type, UNIK_RAW_ISO) == 0 ||
	       strcmp(media_type, UNIK_RAW_EXT2) == 0;
}

static bool is_foreign(const char *media_type)
{
	return strstr(media_type, ".nondistributable.") ||
	       strstr(media_type, ".foreign.");
}

static int set_media_type(struct unik_layer_ref *layer, const char *media_type,
			  struct unik_err *err)
{
	free(layer->media_type);
	layer->media_type = strdup(media_type);
	return layer->media_type ? 0 : unik_fail_mem(err);
}

static int set_place(struct unik_layer_ref *layer, const struct img_blob *blob,
		     struct unik_err *err)
{
	layer->fd = blob->fd;
	layer->offset = blob->offset;
	layer->size = blob->size;
	return set_media_type(layer, "", err);
}

/* What a descriptor says of a layer whose place is known. */
static int set_desc(struct unik_layer_ref *layer, const struct img_desc *desc,
		    struct unik_err *err)
{
	char text[UNIK_DIGEST_TEXT];

	if (layer->size != desc->size)
		return unik_fail(err, "blob %s has %llu bytes, declared are "
				 "%llu", unik_digest_text(&desc->digest, text),
				 (unsigned long long)layer->size,
				 (unsigned long long)desc->size);
	layer->has_blob_digest = true;
	layer->blob_digest = desc->digest;
	return set_media_type(layer, desc->media_type, err);
}

/* A layer inside its own descriptor: the layer room wants a file. */
static int data_to_blob(struct img_ctx *c, const struct img_desc *desc,
			struct img_blob *blob, struct unik_err *err)
{
	memset(blob, 0, sizeof(*blob));
	blob->size = desc->size;
	if (img_new_spool(c, &blob->fd, err) < 0)
		return -1;
	return unik_pwrite_all(blob->fd, desc->data, (size_t)desc->size, 0,
			       err);
}

static int oci_layer(struct img_ctx *c, const struct unik_json *layers,
		     size_t i, struct img_blob *blobs,
		     struct unik_layer_ref *layer, struct unik_err *err)
{
	char text[UNIK_DIGEST_TEXT];
	struct img_desc desc;
	int rc;

	if (img_desc_parse(unik_json_at(layers, i), &desc, err) < 0 ||
	    img_desc_keep(c, &desc, err) < 0)
		return -1;
	unik_digest_text(&desc.digest, text);
	rc = img_desc_find(c, &desc, &blobs[i], err);
	if (rc == 1 && desc.data)
		rc = data_to_blob(c, &desc, &blobs[i], err);
	if (rc < 0)
		return -1;
	if (rc != 0 && is_foreign(desc.media_type))
		return unik_fail(err, "non-distributable blob %s is not in the "
				 "source", text);
	if (rc != 0)
		return unik_fail(err, "blob %s is missing, though the manifest "
				 "lists it", text);
	if (img_blob_keep(c, blobs, i, err) < 0 ||
	    set_place(layer, &blobs[i], err) < 0)
		return -1;
	return set_desc(layer, &desc, err);
}

/*
 * `LayerSources` of manifest.json: descriptors by diff_id.  Up to Docker 24
 * they tell where a foreign layer came from, not what is in the archive; only
 * one whose key and digest are that of the blob's path tells us something.
 */
static int source_of(const struct img_cand *cand, struct unik_layer_ref *layer,
		     struct unik_err *err)
{
	const struct unik_json *sources, *source;
	char text[UNIK_DIGEST_TEXT];
	struct img_desc desc;

	if (unik_json_object(cand->entry, "LayerSources", &sources, err) < 0)
		return -1;
	if (!layer->has_blob_digest)
		return 0;
	unik_digest_text(&layer->blob_digest, text);
	source = unik_json_get(sources, text);
	if (!source)
		return 0;
	if (img_desc_parse(source, &desc, err) < 0)
		return unik_wrap(err, "'LayerSources'");
	if (!unik_digest_equal(&desc.digest, &layer->blob_digest))
		return 0;
	return set_desc(layer, &desc, err);
}

static int docker_layer(const struct img_cand *cand,
			const struct unik_json *oci_layers, size_t i, int map,
			struct unik_layer_ref *layer, struct unik_err *err)
{
	const struct unik_json *paths = unik_json_get(cand->entry, "Layers");
	struct img_desc desc;

	if (map >= 0)
		return img_desc_parse(unik_json_at(oci_layers, (size_t)map),
				      &desc, err) < 0 ? -1 :
		       set_desc(layer, &desc, err);
	layer->has_blob_digest =
		img_path_digest(unik_json_text(unik_json_at(paths, i)),
				&layer->blob_digest);
	return source_of(cand, layer, err);
}

static int alloc_layers(struct unik_image *image, size_t n, int **map,
			struct img_blob **blobs, struct unik_err *err)
{
	size_t i;

	image->layers = calloc(n + 1, sizeof(*image->layers));
	*map = calloc(n + 1, sizeof(**map));
	*blobs = calloc(n + 1, sizeof(**blobs));
	if (!image->layers || !*map || !*blobs)
		return unik_fail_mem(err);
	image->nlayers = n;
	for (i = 0; i < n; i++)
		image->layers[i].fd = -1;
	return 0;
}

static int load_docker(struct img_ctx *c, const struct img_cand *cand,
		       const struct unik_json *oci_layers,
		       struct unik_image *image, struct img_blob *blobs,
		       int *map, struct unik_err *err)
{
	bool in_order;
	size_t i;

	if (img_docker_match(c, cand, oci_layers, blobs, map, &in_order,
			     err) < 0)
		return -1;
	if (!in_order)
		img_warn(c, "'index.json' has the layers in a wrong order, as "
			 "Docker 25.0.0 writes them; 'manifest.json' is used");
	for (i = 0; i < image->nlayers; i++)
		if (set_place(&image->layers[i], &blobs[i], err) < 0 ||
		    docker_layer(cand, oci_layers, i, map[i],
				 &image->layers[i], err) < 0)
			return unik_wrap(err, "layer %zu", i);
	return 0;
}

static int load_oci(struct img_ctx *c, const struct unik_json *oci_layers,
		    struct unik_image *image, struct img_blob *blobs,
		    struct unik_err *err)
{
	size_t i;

	for (i = 0; i < image->nlayers; i++)
		if (oci_layer(c, oci_layers, i, blobs, &image->layers[i],
			      err) < 0)
			return unik_wrap(err, "layer %zu", i);
	return 0;
}

int img_layers_load(struct img_ctx *c, const struct img_cand *cand,
		    const struct unik_json *manifest, struct unik_image *image,
		    struct unik_err *err)
{
	const struct unik_json *oci = unik_json_get(manifest, "layers");
	const struct unik_json *list = cand->docker ?
			unik_json_get(cand->entry, "Layers") : oci;
	struct img_blob *blobs = NULL;
	int *map = NULL;
	int rc = alloc_layers(image, unik_json_count(list), &map, &blobs, err);

	if (rc == 0)
		rc = cand->docker ?
		     load_docker(c, cand, oci, image, blobs, map, err) :
		     load_oci(c, oci, image, blobs, err);
	free(map);
	free(blobs);
	return rc;
}
