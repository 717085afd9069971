/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pack: manifests of the new image: OCI (image-spec, manifest.md and
 * image-layout.md) and Docker's manifest.json (moby, image/spec/v1.2.md). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pack_private.h"

int pack_doc_take(struct unik_json_out *o, struct pack_doc *doc,
		  struct unik_err *err)
{
	if (unik_json_out_take(o, &doc->text, &doc->size, err) < 0)
		return -1;
	return unik_sha256(doc->text, doc->size, &doc->digest, err);
}

void pack_put_descriptor(struct unik_json_out *o, const char *type,
			 const struct unik_digest *digest, uint64_t size)
{
	char buf[UNIK_DIGEST_TEXT];

	unik_json_put_string(o, "mediaType", type);
	unik_json_put_string(o, "digest", unik_digest_text(digest, buf));
	unik_json_put_uint(o, "size", size);
}

void pack_put_labels(struct unik_json_out *o, const struct packing *p)
{
	const struct unik_image *src = p->in->source;
	char buf[UNIK_DIGEST_TEXT];
	size_t i;

	for (i = 0; i < p->in->nlabels; i++)
		unik_json_put_string(o, p->in->labels[i].key,
				     p->in->labels[i].value);
	unik_json_put_string(o, UNIK_LABEL_PACKAGE,
			     unik_package_name(p->in->plan->package));
	if (src->has_manifest_digest || src->has_config_digest)
		unik_json_put_string(
			o, UNIK_LABEL_SOURCE,
			unik_digest_text(src->has_manifest_digest
						 ? &src->manifest_digest
						 : &src->config_digest, buf));
}

/* The diff_ids of the layers of the source in it, commas between. */
static int put_diff_ids(struct unik_json_out *o, const struct packing *p,
			const struct pack_layer *layer, struct unik_err *err)
{
	size_t n = layer->first <= layer->last ? layer->last - layer->first + 1
					       : 0, k, used = 0;
	char *text;

	if (n == 0)
		return 0;
	text = malloc(n * UNIK_DIGEST_TEXT);
	if (!text)
		return unik_fail_mem(err);
	for (k = layer->first; k <= layer->last; k++) {
		unik_digest_text(&p->in->diff_ids[k], text + used);
		used += strlen(text + used);
		text[used++] = ',';
	}
	unik_json_put_bytes(o, "org.unik.diff-id", text, used - 1);
	free(text);
	return 0;
}

/* What an image is, for whoever gets it as a blob. */
static int put_image(struct unik_json_out *o, const struct packing *p,
		     size_t i, struct unik_err *err)
{
	const struct unik_pack_image *image = &p->in->images[i];
	char text[UNIK_DIGEST_TEXT], name[UNIK_PACK_NAME];
	int rc;

	unik_json_put_object(o, "annotations");
	unik_json_put_string(o, "org.opencontainers.image.title",
			     unik_pack_image_name(name, i, p->in->nimages,
						  &image->digest,
						  image->format));
	rc = put_diff_ids(o, p, &p->layers[i], err);
	unik_json_put_string(o, "org.unik.format", image->format);
	snprintf(text, sizeof(text), "%d", image->format_version);
	unik_json_put_string(o, "org.unik.format-version", text);
	unik_json_put_string(o, "org.unik.tree-digest",
			     unik_digest_text(&image->tree_digest, text));
	unik_json_put_end(o);
	return rc;
}

int pack_put_layers(struct unik_json_out *o, const struct packing *p,
		    struct unik_err *err)
{
	bool raw = p->in->plan->package == UNIK_PACKAGE_RAW;
	size_t i;
	int rc = 0;

	unik_json_put_array(o, "layers");
	for (i = 0; i < p->nlayers && rc == 0; i++) {
		unik_json_put_object(o, NULL);
		pack_put_descriptor(o, p->layers[i].media_type,
				    &p->layers[i].blob,
				    p->layers[i].blob_size);
		if (raw)
			rc = put_image(o, p, i, err);
		unik_json_put_end(o);
	}
	unik_json_put_end(o);
	return rc;
}

int pack_make_manifest(struct packing *p, struct unik_err *err)
{
	struct unik_json_out o;
	int rc;

	unik_json_out_init(&o);
	o.verbatim = true;
	unik_json_put_object(&o, NULL);
	unik_json_put_uint(&o, "schemaVersion", 2);
	unik_json_put_string(&o, "mediaType", PACK_MANIFEST_TYPE);
	unik_json_put_object(&o, "config");
	pack_put_descriptor(&o, "application/vnd.oci.image.config.v1+json",
		       &p->config.digest, p->config.size);
	unik_json_put_end(&o);
	rc = pack_put_layers(&o, p, err);
	unik_json_put_object(&o, "annotations");
	pack_put_labels(&o, p);
	unik_json_put_end(&o);
	unik_json_put_end(&o);
	if (rc == 0)
		rc = pack_doc_take(&o, &p->manifest, err);
	unik_json_out_release(&o);
	return rc;
}

void pack_put_entry(struct unik_json_out *o, const struct packing *p)
{
	const struct unik_image *src = p->in->source;

	unik_json_put_object(o, NULL);
	pack_put_descriptor(o, PACK_MANIFEST_TYPE, &p->manifest.digest,
			    p->manifest.size);
	if (src->os[0] && src->arch[0]) {
		unik_json_put_object(o, "platform");
		unik_json_put_string(o, "architecture", src->arch);
		unik_json_put_string(o, "os", src->os);
		if (src->variant[0])
			unik_json_put_string(o, "variant", src->variant);
		unik_json_put_end(o);
	}
	if (p->in->plan->ref) {
		unik_json_put_object(o, "annotations");
		unik_json_put_string(o, "org.opencontainers.image.ref.name",
				     p->in->plan->ref);
		unik_json_put_end(o);
	}
	unik_json_put_end(o);
}

int pack_docker_manifest(const struct packing *p, struct pack_doc *doc,
			 struct unik_err *err)
{
	char hex[UNIK_DIGEST_TEXT], name[UNIK_DIGEST_TEXT + 8];
	struct unik_json_out o;
	size_t i;
	int rc;

	unik_json_out_init(&o);
	unik_json_put_array(&o, NULL);
	unik_json_put_object(&o, NULL);
	snprintf(name, sizeof(name), "%s.json",
		 unik_digest_hex(&p->config.digest, hex));
	unik_json_put_string(&o, "Config", name);
	unik_json_put_array(&o, "RepoTags");
	if (p->in->plan->ref)
		unik_json_put_string(&o, NULL, p->in->plan->ref);
	unik_json_put_end(&o);
	unik_json_put_array(&o, "Layers");
	for (i = 0; i < p->nlayers; i++) {
		snprintf(name, sizeof(name), "%s.tar",
			 unik_digest_hex(&p->layers[i].diff_id, hex));
		unik_json_put_string(&o, NULL, name);
	}
	unik_json_put_end(&o);
	unik_json_put_end(&o);
	unik_json_put_end(&o);
	rc = pack_doc_take(&o, doc, err);
	unik_json_out_release(&o);
	return rc;
}
