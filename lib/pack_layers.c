/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pack: what each layer of the new image consists of. */
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

int pack_finish_layer(struct packing *p, struct pack_layer *layer,
		      struct unik_err *err)
{
	size_t i;

	if (p->in->plan->package == UNIK_PACKAGE_RAW)
		return pack_recipe_range(&layer->recipe,
					 p->in->images[layer->image].fd, 0,
					 p->in->images[layer->image].size, err);
	if (layer->appends && pack_append_original(p, layer, err) < 0)
		return unik_wrap(err, "layer %zu", layer->first);
	for (i = 0; i < p->in->nimages; i++)
		if (holds(p, layer, i) && add_image(p, layer, i, err) < 0)
			return -1;
	return pack_recipe_end(&layer->recipe, err);
}

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
	return 0;
}
