/* SPDX-License-Identifier: GPL-3.0-or-later */
/* image: from a source to one image, step by step. */
#define _GNU_SOURCE
#include "image.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image_private.h"

const char *unik_source_kind_name(enum unik_source_kind kind)
{
	switch (kind) {
	case UNIK_SRC_DOCKER_ARCHIVE:
		return "docker-archive";
	case UNIK_SRC_OCI_ARCHIVE:
		return "oci-archive";
	case UNIK_SRC_OCI_DIR:
		return "oci";
	case UNIK_SRC_LAYER:
		return "layer";
	default:
		return "unknown";
	}
}

void img_warn(struct img_ctx *c, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	if (!c->opt->warn)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	c->opt->warn(c->opt->warn_data, text);
}

static void free_strings(struct unik_strings *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		free(list->v[i]);
	free(list->v);
}

static void free_private(struct unik_image_private *p)
{
	size_t i;

	if (!p)
		return;
	for (i = 0; i < p->nfds; i++)
		close(p->fds[i]);
	free(p->fds);
	free(p);
}

void unik_image_free(struct unik_image *image)
{
	size_t i;

	if (!image)
		return;
	for (i = 0; i < image->nlayers; i++) {
		free(image->layers[i].media_type);
		free(image->layers[i].created_by);
	}
	free(image->layers);
	free_strings(&image->config.entrypoint);
	free_strings(&image->config.cmd);
	free_strings(&image->config.env);
	free_strings(&image->config.labels);
	free(image->config.cwd);
	free(image->config.user);
	free(image->name);
	free(image->os);
	free(image->arch);
	free(image->variant);
	free(image->config_json);
	free(image->manifest_json);
	free(image->manifest_type);
	free_private(image->priv);
	free(image);
}

/* ---- a bare layer ---- */

static int set_name(struct img_ctx *c, struct unik_image *image,
		    const char *name, struct unik_err *err)
{
	const char *path = c->path;
	size_t n = strlen(path);
	const char *slash;

	if (name) {
		image->has_reference = true;
		image->name = strdup(name);
		return image->name ? 0 : unik_fail_mem(err);
	}
	while (n > 1 && path[n - 1] == '/')
		n--;
	slash = memrchr(path, '/', n - (n > 0));
	if (slash) {
		n -= (size_t)(slash + 1 - path);
		path = slash + 1;
	}
	image->name = strndup(path, n);
	return image->name ? 0 : unik_fail_mem(err);
}

static int bare_layer(struct img_ctx *c, const struct img_input *in,
		      struct unik_image *image, struct unik_err *err)
{
	struct unik_layer_ref *layer = calloc(1, sizeof(*layer));

	if (c->box.nested[0])
		img_warn(c,
			 "taken for a bare layer, though %s is the mark of an "
			 "image",
			 c->box.nested);
	if (!layer)
		return unik_fail_mem(err);
	image->layers = layer;
	image->nlayers = 1;
	image->kind = UNIK_SRC_LAYER;
	layer->fd = in->fd;
	layer->size = in->size;
	layer->doubt = in->doubt;
	layer->media_type = strdup("");
	layer->created_by = strdup("");
	image->manifest_type = strdup("");
	if (!layer->media_type || !layer->created_by || !image->manifest_type)
		return unik_fail_mem(err);
	if (img_config_defaults(image, err) < 0)
		return -1;
	return set_name(c, image, NULL, err);
}

/* ---- the chosen image ---- */

static int keep_manifest(struct unik_image *image, const struct img_cand *cand,
			 struct img_doc *doc, struct unik_err *err)
{
	image->manifest_json = doc->bytes;
	image->manifest_size = doc->size;
	image->has_manifest_digest = true;
	image->manifest_digest = cand->manifest.digest;
	free(image->manifest_type);
	image->manifest_type = strdup(cand->manifest.media_type);
	return image->manifest_type ? 0 : unik_fail_mem(err);
}

static int load_config(struct img_ctx *c, const struct img_cand *cand,
		       struct unik_image *image, struct unik_err *err)
{
	char text[UNIK_DIGEST_TEXT];
	struct unik_json *root = NULL;
	struct img_doc doc;
	const char *path = NULL;
	int rc;

	if (cand->oci)
		rc = img_desc_read(c, &cand->config, &doc, err);
	else
		rc = unik_json_string(cand->entry, "Config", &path, err) < 0 ?
		     -1 : img_read_path(c, path, &doc, err);
	if (rc == 1)
		rc = unik_fail(err, "it went away");
	if (rc == 0) {
		image->config_json = doc.bytes;
		image->config_size = doc.size;
		image->has_config_digest = true;
		image->config_digest = cand->config_digest;
		rc = img_doc_parse(c, &doc, &root, err);
	}
	if (rc == 0)
		rc = img_config_load(c, image, &cand->platform, root, err);
	unik_json_free(root);
	if (rc < 0)
		unik_wrap(err, "config %s",
			  unik_digest_text(&cand->config_digest, text));
	return rc;
}

static int build(struct img_ctx *c, const struct img_cand *cand,
		 struct unik_image *image, struct unik_err *err)
{
	struct unik_json *manifest = NULL;
	struct img_doc doc;
	const char *name = c->picked;
	int rc = 0;

	if (!name && cand->names)
		name = cand->names->text;
	image->kind = c->box.is_dir ? UNIK_SRC_OCI_DIR :
		      cand->docker && c->want != UNIK_SRC_OCI_ARCHIVE ?
				      UNIK_SRC_DOCKER_ARCHIVE :
				      UNIK_SRC_OCI_ARCHIVE;
	image->manifest_type = strdup("");
	if (!image->manifest_type)
		return unik_fail_mem(err);
	if (set_name(c, image, name, err) < 0)
		return -1;
	if (cand->oci) {
		rc = img_manifest_read(c, cand, &doc, &manifest, err);
		if (rc != 0)
			return rc < 0 ? -1 : unik_fail(err, "the manifest went "
						       "away");
		rc = keep_manifest(image, cand, &doc, err);
	}
	if (rc == 0)
		rc = img_layers_load(c, cand, manifest, image, err);
	if (rc == 0)
		rc = load_config(c, cand, image, err);
	unik_json_free(manifest);
	return rc;
}

static int open_image(struct img_ctx *c, struct unik_image *image,
		      struct unik_err *err)
{
	struct img_input in;
	struct img_cand *cand;
	bool oci, docker;

	if (img_source_open(c, &in, err) < 0)
		return -1;
	if (c->want == UNIK_SRC_LAYER)
		return bare_layer(c, &in, image, err);
	if (img_box_open(c, &in, &oci, &docker, err) < 0)
		return -1;
	if (!oci && !docker && c->ref)
		return unik_fail(err, "a bare layer has no reference");
	if (!oci && !docker)
		return bare_layer(c, &in, image, err);
	/* index.json first: manifest.json is joined to what it lists. */
	if ((oci && img_oci_load(c, err) < 0) ||
	    (docker && img_docker_load(c, err) < 0) ||
	    img_select(c, &cand, err) < 0)
		return -1;
	return build(c, cand, image, err);
}

static void release(struct img_ctx *c)
{
	img_archive_release(&c->box);
	unik_json_free(c->docker);
	unik_arena_release(&c->arena);
	free(c->cands);
	free(c->path);
}

int unik_image_open(struct unik_image **out,
		    const struct unik_image_options *opt, struct unik_err *err)
{
	struct img_ctx c = { .opt = opt, .limits = opt->limits };
	struct unik_image *image = calloc(1, sizeof(*image));
	char q[UNIK_QUOTE_SIZE];
	int rc = -1;

	if (!image)
		return unik_fail_mem(err);
	image->priv = calloc(1, sizeof(*image->priv));
	c.files = image->priv;
	c.box.fd = -1;
	if (opt->platform) {
		c.has_platform = true;
		rc = img_platform_parse(&c.platform, opt->platform, err);
	} else {
		rc = 0;
	}
	if (!image->priv)
		rc = unik_fail_mem(err);
	if (rc == 0)
		rc = img_source_parse(&c, err);
	if (rc == 0) {
		rc = open_image(&c, image, err);
		if (rc < 0 && err->code == UNIK_EBAD)
			unik_wrap(err, "%s", unik_quote(q, c.path,
							strlen(c.path)));
	}
	image->file_dev = (uint64_t)c.st.st_dev;
	image->file_ino = (uint64_t)c.st.st_ino;
	release(&c);
	if (rc < 0)
		unik_image_free(image);
	else
		*out = image;
	return rc;
}
