/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pack: what each layer of the new image consists of. */
#include <stdio.h>
#include <stdlib.h>

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

	layer->image = i;
	unik_pack_image_name(name, i, p->in->nimages, &image->digest,
			     image->format);
	return pack_recipe_file(&layer->recipe, name, 0444, image->fd, 0,
				image->size, err);
}

/* One layer an image: a tar with the image as a file. */
static int make_files(struct packing *p, struct unik_err *err)
{
	size_t i;

	for (i = 0; i < p->nlayers; i++) {
		struct pack_layer *layer = &p->layers[i];

		layer->first = p->in->images[i].first;
		layer->last = p->in->images[i].last;
		if (add_image(p, layer, i, err) < 0 ||
		    pack_recipe_end(&layer->recipe, err) < 0)
			return -1;
	}
	return 0;
}

static const char *tar_type(enum unik_compression how)
{
	return how == UNIK_GZIP
		       ? "application/vnd.oci.image.layer.v1.tar+gzip"
	       : how == UNIK_ZSTD
		       ? "application/vnd.oci.image.layer.v1.tar+zstd"
		       : "application/vnd.oci.image.layer.v1.tar";
}

int pack_make_layers(struct packing *p, struct unik_err *err)
{
	size_t i;

	p->nlayers = p->in->nimages;
	p->layers = calloc(p->nlayers + 1, sizeof(*p->layers));
	if (!p->layers)
		return unik_fail_mem(err);
	for (i = 0; i < p->nlayers; i++) {
		p->layers[i].temp.fd = -1;
		p->layers[i].media_type = tar_type(p->in->plan->compress);
	}
	return make_files(p, err);
}
