/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * image: candidates, and what one OCI (image-spec, manifest.md) or Docker
 * schema 2 manifest says.  A source may list manifests that are broken, absent
 * or no images beside the one that is wanted, so what is wrong with one is kept
 * in its candidate and told when it is chosen.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image_private.h"

struct img_cand *img_cand_add(struct img_ctx *c, struct unik_err *err)
{
	struct img_cand *cand;

	if (c->ncands == c->cands_room) {
		size_t room = c->cands_room ? c->cands_room * 2 : 16;
		void *p = realloc(c->cands, room * sizeof(*c->cands));

		if (!p) {
			unik_fail_mem(err);
			return NULL;
		}
		c->cands = p;
		c->cands_room = room;
	}
	cand = &c->cands[c->ncands++];
	memset(cand, 0, sizeof(*cand));
	cand->is_image = true;
	return cand;
}

/* Names are compared with each other, so they must not be too many. */
int img_name_found(struct img_ctx *c, struct img_name **list, const char *name,
		   struct unik_err *err)
{
	if (++c->nnames > c->limits->manifests)
		return unik_fail(err, "more than %llu names of images "
				 "(--max-manifests)",
				 (unsigned long long)c->limits->manifests);
	return img_name_add(c, list, name, err);
}

int img_name_add(struct img_ctx *c, struct img_name **list, const char *name,
		 struct unik_err *err)
{
	const char *text = img_ref_familiar(name);
	struct img_name **at = list, *n;

	for (; *at; at = &(*at)->next)
		if (strcmp((*at)->text, text) == 0)
			return 0;
	n = unik_arena_alloc(&c->arena, sizeof(*n));
	if (!n)
		return unik_fail_mem(err);
	n->text = img_text(c, text, err);
	if (!n->text)
		return -1;
	*at = n;
	return 0;
}

void img_cand_group(struct img_ctx *c, unsigned from, unsigned to)
{
	size_t i;

	for (i = 0; i < c->ncands && from != to; i++)
		if (c->cands[i].group == from)
			c->cands[i].group = to;
}

int img_cand_break(struct img_ctx *c, struct img_cand *cand,
		   struct unik_err *err)
{
	if (err->code != UNIK_EBAD || c->over)
		return -1;
	cand->broken = unik_arena_alloc(&c->arena, sizeof(*err));
	if (!cand->broken)
		return unik_fail_mem(err);
	*cand->broken = *err;
	return 0;
}

__attribute__((format(printf, 3, 4)))
static const char *why(struct img_ctx *c, struct unik_err *err,
		       const char *fmt, ...)
{
	char buf[600], *text;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	text = unik_arena_text(&c->arena, buf, strlen(buf));
	if (!text)
		unik_fail_mem(err);
	return text;
}

/* The candidate turns out to be listed only. */
static int set_absent(struct img_ctx *c, struct img_cand *cand,
		      const char *what, const struct unik_digest *digest,
		      const char *by, struct unik_err *err)
{
	char text[UNIK_DIGEST_TEXT];

	cand->absent = true;
	cand->why = why(c, err, "%s %s is missing, though %s lists it", what,
			unik_digest_text(digest, text), by);
	return cand->why ? 0 : -1;
}

static bool is_config_type(const char *media_type)
{
	/* The first two are what the specifications say; the others were
	 * written by old registries and clients for the same thing
	 * (moby#22378, distribution#1621), "" where there is none. */
	static const char *const known[] = {
		"application/vnd.oci.image.config.v1+json",
		"application/vnd.docker.container.image.v1+json",
		"application/octet-stream", "application/json", "text/html", "",
	};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(media_type, known[i]) == 0)
			return true;
	return false;
}

static int not_image(struct img_ctx *c, struct img_cand *cand,
		     const char *text, const char *media_type,
		     struct unik_err *err)
{
	char q[UNIK_QUOTE_SIZE];

	cand->is_image = false;
	cand->why = why(c, err, "%s %s", text,
			unik_quote(q, media_type, strlen(media_type)));
	return cand->why ? 0 : -1;
}

static int judge_layers(struct img_ctx *c, struct img_cand *cand,
			const struct unik_json *root, struct unik_err *err)
{
	const struct unik_json *layers;
	struct img_desc desc;
	size_t i, n;

	if (unik_json_array(root, "layers", &layers, err) < 0)
		return -1;
	n = unik_json_count(layers);
	if (n > c->limits->layers)
		return unik_fail(err, "%zu layers are over the limit of %llu "
				 "(--max-layers)", n,
				 (unsigned long long)c->limits->layers);
	for (i = 0; i < n; i++) {
		const char *bad;
		char text[80];

		if (img_desc_parse(unik_json_at(layers, i), &desc, err) < 0)
			return unik_wrap(err, "layer %zu", i);
		if (c->opt->raw && unik_image_is_raw(desc.media_type))
			continue;
		if (unik_image_is_raw(desc.media_type)) {
			snprintf(text, sizeof(text), "layer %zu is a "
				 "filesystem image, see image:FILE:", i);
			return not_image(c, cand, text, desc.media_type, err);
		}
		bad = img_layer_refusal(desc.media_type);
		snprintf(text, sizeof(text), "layer %zu %s", i, bad ? bad : "");
		if (bad)
			return not_image(c, cand, text, desc.media_type, err);
	}
	return 0;
}

/* Takes the platform from the config; what is wrong with it shows later. */
static int platform_from_config(struct img_ctx *c, struct img_cand *cand,
				struct unik_err *err)
{
	struct unik_json *root = NULL;
	struct img_doc doc;
	int rc = img_desc_read(c, &cand->config, &doc, err);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	rc = img_doc_parse(c, &doc, &root, err);
	free(doc.bytes);
	if (rc == 0)
		rc = img_platform_parse_json(root, &cand->platform, err);
	unik_json_free(root);
	return rc;
}

static int judge_config(struct img_ctx *c, struct img_cand *cand,
			struct unik_err *err)
{
	char by[UNIK_DIGEST_TEXT + 16], text[UNIK_DIGEST_TEXT];
	struct img_blob blob;
	int rc = img_desc_find(c, &cand->config, &blob, err);

	if (rc == 0)
		img_blob_drop(&blob);
	if (rc < 0)
		return -1;
	if (rc == 1 && !cand->config.data) {
		snprintf(by, sizeof(by), "manifest %s",
			 unik_digest_text(&cand->manifest.digest, text));
		return set_absent(c, cand, "config", &cand->config.digest, by,
				  err);
	}
	if (cand->platform.os[0] || cand->platform.arch[0])
		return 0;
	if (platform_from_config(c, cand, err) < 0)
		return unik_wrap(err, "config %s",
				 unik_digest_text(&cand->config.digest, text));
	return 0;
}

static int judge(struct img_ctx *c, struct img_cand *cand,
		 const struct unik_json *root, struct unik_err *err)
{
	enum img_doc_kind kind;
	struct unik_err ignored;
	const char *type;

	if (img_doc_kind(root, &kind, err) < 0)
		return -1;
	if (kind == IMG_DOC_SCHEMA1)
		return not_image(c, cand, "a Docker schema 1 manifest, which "
				 "has no diff_ids:", "schemaVersion 1", err);
	if (kind != IMG_DOC_MANIFEST)
		return unik_fail(err, "not a manifest, though declared as one");
	if (!unik_json_has(root, "config"))
		return unik_fail(err, "'config' is missing");
	if (img_desc_parse(unik_json_get(root, "config"), &cand->config,
			   err) < 0 ||
	    img_desc_keep(c, &cand->config, err) < 0)
		return unik_wrap(err, "config");
	if (unik_json_string(root, "artifactType", &type, &ignored) == 0 &&
	    type && strcmp(type, UNIK_ARTIFACT_TYPE) == 0)
		return not_image(c, cand, "no image but an artifact of "
				 "unik-convert --referrer, see unik-verify(1):",
				 type, err);
	if (!is_config_type(cand->config.media_type))
		return not_image(c, cand, "an artifact without a root "
				 "filesystem: its config is",
				 cand->config.media_type, err);
	cand->has_config_digest = true;
	cand->config_digest = cand->config.digest;
	if (judge_layers(c, cand, root, err) < 0)
		return -1;
	return cand->is_image ? judge_config(c, cand, err) : 0;
}

int img_manifest_read(struct img_ctx *c, const struct img_cand *cand,
		      struct img_doc *doc, struct unik_json **root,
		      struct unik_err *err)
{
	int rc = img_desc_read(c, &cand->manifest, doc, err);

	if (rc != 0)
		return rc;
	if (img_doc_parse(c, doc, root, err) < 0) {
		free(doc->bytes);
		return -1;
	}
	return 0;
}

int img_manifest_judge(struct img_ctx *c, struct img_cand *cand,
		       struct unik_err *err)
{
	char text[UNIK_DIGEST_TEXT];
	struct unik_json *root;
	struct img_doc doc;
	int rc = img_manifest_read(c, cand, &doc, &root, err);

	if (rc == 1)
		return set_absent(c, cand, "manifest", &cand->manifest.digest,
				  "the index", err);
	if (rc == 0) {
		rc = judge(c, cand, root, err);
		unik_json_free(root);
		free(doc.bytes);
	}
	if (rc == 0)
		return 0;
	unik_wrap(err, "manifest %s",
		  unik_digest_text(&cand->manifest.digest, text));
	return img_cand_break(c, cand, err);
}
