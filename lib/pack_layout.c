/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pack: the new image in an OCI layout directory. */
#include <stdlib.h>

#include "io.h"
#include "layout.h"
#include "pack_private.h"

/* A document as one more blob. */
static int add_doc(const struct unik_layout *l, struct unik_temp *t,
		   const struct pack_doc *doc, struct unik_layout_blob *blob,
		   struct unik_err *err)
{
	blob->temp = t;
	blob->digest = &doc->digest;
	if (unik_temp_open(t, l->sha256, err) < 0)
		return -1;
	return unik_write_all(t->fd, doc->text, doc->size, err);
}

static int publish(struct packing *p, struct unik_layout_blob *blobs,
		   size_t n, struct unik_err *err)
{
	struct unik_layout_entry entry = {
		.digest = &p->manifest.digest,
		.ref = p->in->plan->ref,
		.keep = p->in->source->has_manifest_digest
				? &p->in->source->manifest_digest : NULL,
	};
	struct unik_json_out o;
	char *text = NULL;
	int rc;

	unik_json_out_init(&o);
	o.verbatim = true;
	if (p->in->plan->referrer)
		pack_put_referrer(&o, p);
	else
		pack_put_entry(&o, p);
	rc = unik_json_out_take(&o, &text, &entry.size, err);
	unik_json_out_release(&o);
	entry.text = text;
	if (rc == 0)
		rc = unik_layout_publish(p->in->place->layout, &entry, blobs, n,
					 p->in->limits, err);
	free(text);
	return rc;
}

int pack_write_layout(struct packing *p, struct unik_err *err)
{
	const struct unik_layout *l = p->in->place->layout;
	struct unik_temp docs[2] = { UNIK_TEMP_NONE, UNIK_TEMP_NONE };
	struct unik_layout_blob *blobs = calloc(p->nlayers + 2, sizeof(*blobs));
	size_t i, n = 0;
	int rc = -1;

	if (!blobs)
		return unik_fail_mem(err);
	for (i = 0; i < p->nlayers; i++) {
		if (p->layers[i].same_as != i)
			continue;
		blobs[n].temp = &p->layers[i].temp;
		blobs[n++].digest = &p->layers[i].blob;
	}
	if (add_doc(l, &docs[0], &p->config, &blobs[n], err) == 0 &&
	    add_doc(l, &docs[1], &p->manifest, &blobs[n + 1], err) == 0)
		rc = publish(p, blobs, n + 2, err);
	unik_temp_release(&docs[0]);
	unik_temp_release(&docs[1]);
	free(blobs);
	return rc;
}
