/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pack: an artifact that refers to the source (OCI image-spec 1.1, manifest.md,
 * "Guidelines for Artifact Usage" and "subject"): the source is not changed, so
 * that its signatures hold.
 */
#define _POSIX_C_SOURCE 200809L
#include <string.h>

#include "pack_private.h"

/* image-spec, manifest.md, "Guidance for an Empty Descriptor" */
#define EMPTY "{}"
#define EMPTY_TYPE "application/vnd.oci.empty.v1+json"

static const char *source_type(const struct unik_image *src)
{
	return src->manifest_type[0] ? src->manifest_type : PACK_MANIFEST_TYPE;
}

static int check_subject(const struct packing *p, struct unik_err *err)
{
	const struct unik_image *src = p->in->source;
	const struct unik_layout *l = p->in->place->layout;
	char text[UNIK_DIGEST_TEXT];

	if (!src->has_manifest_digest || !src->manifest_json)
		return unik_fail_usage(err, "the source has no OCI manifest to "
				       "refer to");
	if (!unik_layout_has_blob(l, &src->manifest_digest))
		return unik_fail_usage(err, "'%s' does not hold the source's "
				       "manifest %s", l->path,
				       unik_digest_text(&src->manifest_digest,
							text));
	return 0;
}

static int put_manifest(struct unik_json_out *o, const struct packing *p,
			struct unik_err *err)
{
	const struct unik_image *src = p->in->source;
	int rc;

	unik_json_put_object(o, NULL);
	unik_json_put_uint(o, "schemaVersion", 2);
	unik_json_put_string(o, "mediaType", PACK_MANIFEST_TYPE);
	unik_json_put_string(o, "artifactType", UNIK_ARTIFACT_TYPE);
	unik_json_put_object(o, "config");
	pack_put_descriptor(o, EMPTY_TYPE, &p->config.digest, p->config.size);
	unik_json_put_end(o);
	rc = pack_put_layers(o, p, err);
	unik_json_put_object(o, "subject");
	pack_put_descriptor(o, source_type(src), &src->manifest_digest,
			    src->manifest_size);
	unik_json_put_end(o);
	unik_json_put_object(o, "annotations");
	unik_json_put_bytes(o, UNIK_LABEL_STACK, p->in->stack,
			    p->in->stack_size - 1);
	unik_json_put_end(o);
	unik_json_put_end(o);
	return rc;
}

int pack_make_referrer(struct packing *p, struct unik_err *err)
{
	struct unik_json_out o;
	int rc;

	if (check_subject(p, err) < 0)
		return -1;
	p->config.text = strdup(EMPTY);
	if (!p->config.text)
		return unik_fail_mem(err);
	p->config.size = strlen(EMPTY);
	if (unik_sha256(EMPTY, p->config.size, &p->config.digest, err) < 0)
		return -1;
	unik_json_out_init(&o);
	o.verbatim = true;
	rc = put_manifest(&o, p, err);
	if (rc == 0)
		rc = pack_doc_take(&o, &p->manifest, err);
	unik_json_out_release(&o);
	return rc;
}

void pack_put_referrer(struct unik_json_out *o, const struct packing *p)
{
	unik_json_put_object(o, NULL);
	pack_put_descriptor(o, PACK_MANIFEST_TYPE, &p->manifest.digest,
			    p->manifest.size);
	unik_json_put_string(o, "artifactType", UNIK_ARTIFACT_TYPE);
	if (p->in->plan->ref) {
		unik_json_put_object(o, "annotations");
		unik_json_put_string(o, "org.opencontainers.image.ref.name",
				     p->in->plan->ref);
		unik_json_put_end(o);
	}
	unik_json_put_end(o);
}
