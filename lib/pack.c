/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pack_private.h"

#include <stdlib.h>
#include <unistd.h>

int pack_temp_open(const struct packing *p, struct unik_temp *t,
		   struct unik_err *err)
{
	if (p->in->place->layout)
		return unik_temp_open(t, p->in->place->layout->sha256, err);
	t->name[0] = 0;
	return unik_spool_open(p->in->place->spool_dir, &t->fd, err);
}

static void release(struct packing *p)
{
	size_t i;

	for (i = 0; i < p->nlayers; i++) {
		pack_recipe_release(&p->layers[i].recipe);
		unik_temp_release(&p->layers[i].temp);
		if (p->layers[i].original >= 0)
			close(p->layers[i].original);
	}
	free(p->layers);
	free(p->config.text);
	free(p->manifest.text);
}

static int make_docs(struct packing *p, struct unik_err *err)
{
	if (p->in->plan->referrer)
		return pack_make_referrer(p, err);
	if (pack_make_config(p, err) < 0)
		return -1;
	return pack_make_manifest(p, err);
}

int unik_pack(const struct unik_pack *in, struct unik_err *err)
{
	struct packing p = { .in = in };
	int rc = -1;

	if (pack_make_layers(&p, err) == 0 && pack_make_blobs(&p, err) == 0 &&
	    make_docs(&p, err) == 0)
		rc = in->place->layout ? pack_write_layout(&p, err)
				       : pack_write_archive(&p, err);
	release(&p);
	return rc;
}
