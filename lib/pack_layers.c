/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pack: what each layer of the new image consists of. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pack_private.h"

const char *unik_pack_image_name(char buf[UNIK_PACK_NAME], size_t i, size_t n,
				 const struct unik_digest *digest,
				 const char *format)
{
	char hex[UNIK_DIGEST_TEXT];
	int width = 3;
	size_t most;

	/* Names sort in mount order. */
	for (most = 1000; n > most && width < 19; most *= 10)
		width++;
	snprintf(buf, UNIK_PACK_NAME, "rootfs-%0*zu-%.64s.%.16s", width, i,
		 unik_digest_hex(digest, hex), format);
	return buf;
}

static int add_image(const struct packing *p, struct pack_layer *layer,
		     size_t i, struct unik_err *err)
{
	const struct unik_pack_image *image = &p->in->images[i];
	char name[UNIK_PACK_NAME];

	unik_pack_image_name(name, i, p->in->nimages, &image->digest,
			     image->format);
	return pack_recipe_file(&layer->recipe, name, 0444, image->fd, 0,
				image->size, err);
}

/* A layer holds the images that end with the same layer of the source; what is
 * no layer's has one of its own. */
static bool holds(const struct packing *p, const struct pack_layer *layer,
		  size_t i)
{
	const struct unik_pack_image *image = &p->in->images[i];

	if (layer->first > layer->last)
		return layer->image == i;
	return image->first <= image->last && image->last == layer->last;
}

/* ---- files beside the images ---- */

/* One entry of a layer: a file, or a directory that its path needs. */
struct added {
	char *path;
	const struct unik_pack_file *file; /* NULL: a directory, or: */
	size_t image;                      /* nimages: none */
};

struct additions {
	struct added *v;
	size_t n;
};

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct added *)a)->path,
		      ((const struct added *)b)->path);
}

static void additions_release(struct additions *a)
{
	size_t i;

	for (i = 0; i < a->n; i++)
		free(a->v[i].path);
	free(a->v);
}

/* The first n bytes of a path. */
static int add_path(struct additions *a, const char *path, size_t n,
		    const struct unik_pack_file *file, size_t image,
		    struct unik_err *err)
{
	struct added *v = realloc(a->v, (a->n + 1) * sizeof(*v));
	char *copy = v ? strndup(path, n) : NULL;

	if (v)
		a->v = v;
	if (!copy)
		return unik_fail_mem(err);
	v[a->n++] = (struct added){ copy, file, image };
	return 0;
}

static int add_file(const struct packing *p, struct additions *a,
		    const struct unik_pack_file *file, struct unik_err *err)
{
	const char *slash = file->path;
	size_t none = p->in->nimages;

	while ((slash = strchr(slash, '/')) != NULL) {
		slash++; /* directories end in one */
		if (add_path(a, file->path, (size_t)(slash - file->path), NULL,
			     none, err) < 0)
			return -1;
	}
	return add_path(a, file->path, strlen(file->path), file, none, err);
}

static int put_added(const struct packing *p, struct pack_layer *layer,
		     const struct added *a, struct unik_err *err)
{
	struct pack_recipe *r = &layer->recipe;

	if (a->image < p->in->nimages)
		return add_image(p, layer, a->image, err);
	if (!a->file)
		return pack_recipe_header(r, a->path, 0, 0755, err);
	if (a->file->fd >= 0)
		return pack_recipe_file(r, a->path, a->file->mode, a->file->fd,
					0, a->file->size, err);
	if (pack_recipe_header(r, a->path, a->file->size, a->file->mode, err) <
		    0 ||
	    pack_recipe_memory(r, a->file->data, (size_t)a->file->size, err) <
		    0)
		return -1;
	return pack_recipe_zeros(r, pack_tar_padding(a->file->size), err);
}

/* All that the layer gets, by path. */
static int collect(const struct packing *p, const struct pack_layer *layer,
		   struct additions *a, struct unik_err *err)
{
	char name[UNIK_PACK_NAME];
	size_t i;

	for (i = 0; i < p->in->nfiles && layer == p->layers; i++)
		if (add_file(p, a, &p->in->files[i], err) < 0)
			return -1;
	for (i = 0; i < p->in->nimages; i++) {
		const struct unik_pack_image *image = &p->in->images[i];

		if (!holds(p, layer, i))
			continue;
		unik_pack_image_name(name, i, p->in->nimages, &image->digest,
				     image->format);
		if (add_path(a, name, strlen(name), NULL, i, err) < 0)
			return -1;
	}
	if (a->n > 0)
		qsort(a->v, a->n, sizeof(*a->v), by_path);
	return 0;
}

int pack_finish_layer(struct packing *p, struct pack_layer *layer,
		      struct unik_err *err)
{
	struct additions a = { NULL, 0 };
	size_t i;
	int rc;

	if (p->in->plan->package == UNIK_PACKAGE_RAW)
		return pack_recipe_range(&layer->recipe,
					 p->in->images[layer->image].fd, 0,
					 p->in->images[layer->image].size, err);
	if (layer->appends && pack_append_original(p, layer, err) < 0)
		return unik_wrap(err, "layer %zu", layer->first);
	rc = collect(p, layer, &a, err);
	for (i = 0; i < a.n && rc == 0; i++)
		rc = put_added(p, layer, &a.v[i], err);
	additions_release(&a);
	return rc < 0 ? -1 : pack_recipe_end(&layer->recipe, err);
}

/* ---- which layers ---- */

static const char *media_type(const struct packing *p, size_t image)
{
	enum unik_compression how = p->in->plan->compress;

	if (p->in->plan->package == UNIK_PACKAGE_RAW)
		return strcmp(p->in->images[image].format, "iso") == 0
			       ? UNIK_RAW_ISO : UNIK_RAW_EXT2;
	return how == UNIK_GZIP
		       ? "application/vnd.oci.image.layer.v1.tar+gzip"
	       : how == UNIK_ZSTD
		       ? "application/vnd.oci.image.layer.v1.tar+zstd"
		       : "application/vnd.oci.image.layer.v1.tar";
}

static void add_layer(struct packing *p, size_t image, size_t first,
		      size_t last, bool appends)
{
	struct pack_layer *layer = &p->layers[p->nlayers++];

	layer->temp.fd = -1;
	layer->original = -1;
	layer->media_type = media_type(p, image);
	layer->image = image;
	layer->first = first;
	layer->last = last;
	layer->appends = appends;
}

int pack_make_layers(struct packing *p, struct unik_err *err)
{
	bool append = p->in->plan->package == UNIK_PACKAGE_APPEND;
	size_t i, k, nsource = append ? p->in->source->nlayers : 0;

	p->layers = calloc(nsource + p->in->nimages + 1, sizeof(*p->layers));
	if (!p->layers)
		return unik_fail_mem(err);
	for (k = 0; k < nsource; k++)
		add_layer(p, 0, k, k, true);
	for (i = 0; i < p->in->nimages; i++) {
		const struct unik_pack_image *image = &p->in->images[i];

		if (!append || image->first > image->last)
			add_layer(p, i, image->first, image->last, false);
	}
	if (p->nlayers == 0 && p->in->nfiles > 0)
		return unik_fail_usage(err, "a source without layers has no "
				       "place for a kernel");
	return 0;
}
