/* SPDX-License-Identifier: GPL-3.0-or-later */
/* image: the image configuration (OCI image-spec, config.md; Docker's is the
 * same document with more keys) -> struct unik_image. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "image_private.h"

static char *copy_text(const char *s, struct unik_err *err)
{
	char *copy = strdup(s ? s : "");

	if (!copy)
		unik_fail_mem(err);
	return copy;
}

/* Takes the string, which may be NULL after a failure. */
static int add_string(struct unik_strings *list, char *s, struct unik_err *err)
{
	char **v;

	if (!s)
		return unik_fail_mem(err);
	v = realloc(list->v, (list->n + 1) * sizeof(*v));
	if (!v) {
		free(s);
		return unik_fail_mem(err);
	}
	list->v = v;
	list->v[list->n++] = s;
	return 0;
}

/* An array of strings; Docker's decoder also takes one string for it. */
static int take_strings(const struct unik_json *config, const char *key,
			struct unik_strings *list, struct unik_err *err)
{
	const struct unik_json *v = unik_json_get(config, key);
	const char *s = unik_json_text(v);
	size_t i;

	if (s)
		return add_string(list, strdup(s), err);
	if (unik_json_array(config, key, &v, err) < 0)
		return -1;
	for (i = 0; i < unik_json_count(v); i++)
		if (unik_json_string_at(v, i, key, &s, err) < 0 ||
		    add_string(list, strdup(s), err) < 0)
			return -1;
	return 0;
}

static int take_labels(const struct unik_json *config,
		       struct unik_strings *list, struct unik_err *err)
{
	const struct unik_json *labels;
	struct unik_json_member m;
	bool more;

	if (unik_json_object(config, "Labels", &labels, err) < 0)
		return -1;
	for (more = unik_json_first(labels, &m); more;
	     more = unik_json_next(labels, &m)) {
		const char *value = unik_json_text(m.value);
		size_t n = strlen(m.key), size;
		char *s;

		if (!value)
			return unik_fail(err, "a label is not a string");
		size = strlen(value) + 1;
		s = malloc(n + 1 + size);
		if (s) {
			memcpy(s, m.key, n);
			s[n] = '=';
			memcpy(s + n + 1, value, size);
		}
		if (add_string(list, s, err) < 0)
			return -1;
	}
	return 0;
}

static int take_config(struct unik_image_config *out,
		       const struct unik_json *config, struct unik_err *err)
{
	const char *cwd, *user;

	if (take_strings(config, "Entrypoint", &out->entrypoint, err) < 0 ||
	    take_strings(config, "Cmd", &out->cmd, err) < 0 ||
	    take_strings(config, "Env", &out->env, err) < 0 ||
	    take_labels(config, &out->labels, err) < 0 ||
	    unik_json_string(config, "WorkingDir", &cwd, err) < 0 ||
	    unik_json_string(config, "User", &user, err) < 0)
		return -1;
	out->cwd = copy_text(cwd && cwd[0] ? cwd : "/", err);
	out->user = copy_text(user, err);
	return out->cwd && out->user ? 0 : -1;
}

int img_config_defaults(struct unik_image *image, struct unik_err *err)
{
	image->os = copy_text("", err);
	image->arch = copy_text("", err);
	image->variant = copy_text("", err);
	if (!image->os || !image->arch || !image->variant)
		return -1;
	return take_config(&image->config, NULL, err);
}

/* The config's platform, where it has one, else what the index says. */
static int take_platform(struct img_ctx *c, struct unik_image *image,
			 const struct img_platform *listed,
			 const struct unik_json *root, struct unik_err *err)
{
	char a[IMG_PLATFORM_TEXT], b[IMG_PLATFORM_TEXT];
	struct img_platform p, any;

	if (img_platform_parse_json(root, &p, err) < 0)
		return -1;
	if (!p.os[0] && !p.arch[0])
		p = *listed;
	any = p;
	any.variant[0] = 0;
	/* Known of honest images: made for arm on amd64, by hand. */
	if (img_platform_level(&any, listed) < 0)
		img_warn(c, "the index says %s, the config %s",
			 img_platform_text(listed, a),
			 img_platform_text(&p, b));
	if (strcmp(p.os, "windows") == 0)
		return unik_fail(err, "a Windows image (%s): its layers are no "
				 "root filesystem of this kind",
				 img_platform_text(&p, a));
	image->os = copy_text(p.os, err);
	image->arch = copy_text(p.arch, err);
	image->variant = copy_text(p.variant, err);
	return image->os && image->arch && image->variant ? 0 : -1;
}

static int take_diff_ids(struct unik_image *image,
			 const struct unik_json *root, struct unik_err *err)
{
	const struct unik_json *rootfs, *ids;
	const char *s;
	size_t i;

	if (unik_json_object(root, "rootfs", &rootfs, err) < 0)
		return -1;
	if (!rootfs)
		return unik_fail(err, "'rootfs' is missing");
	if (unik_json_string(rootfs, "type", &s, err) < 0 ||
	    unik_json_array(rootfs, "diff_ids", &ids, err) < 0)
		return -1;
	if (s && s[0] && strcmp(s, "layers") != 0)
		return unik_fail(err, "'rootfs.type' is not 'layers'");
	if (unik_json_count(ids) != image->nlayers)
		return unik_fail(err, "%zu diff_ids, but the manifest has %zu "
				 "layers", unik_json_count(ids),
				 image->nlayers);
	for (i = 0; i < image->nlayers; i++) {
		struct unik_layer_ref *layer = &image->layers[i];

		if (unik_json_string_at(ids, i, "diff_ids", &s, err) < 0)
			return -1;
		if (unik_digest_parse(&layer->diff_id, s, err) < 0)
			return unik_wrap(err, "'diff_ids[%zu]'", i);
		layer->has_diff_id = true;
	}
	return 0;
}

/* How many entries of the history made a layer; -1 where it is malformed,
 * which does not matter: the history is advice. */
static long count_history(const struct unik_json *history)
{
	struct unik_err ignored;
	long count = 0;
	size_t i;

	for (i = 0; i < unik_json_count(history); i++) {
		const struct unik_json *h = unik_json_at(history, i);
		bool empty;

		if (!unik_json_is_object(h) ||
		    unik_json_bool(h, "empty_layer", &empty, &ignored) < 0)
			return -1;
		count += !empty;
	}
	return count;
}

static int take_history(struct unik_image *image, const struct unik_json *root,
			struct unik_err *err)
{
	const struct unik_json *history = unik_json_get(root, "history");
	struct unik_err ignored;
	size_t i, at = 0;
	bool fits;

	if (!unik_json_is_array(history))
		history = NULL;
	fits = history && count_history(history) == (long)image->nlayers;
	for (i = 0; i < image->nlayers; i++) {
		const char *by = NULL;
		bool empty = true;

		while (fits && empty) {
			const struct unik_json *h = unik_json_at(history, at++);

			unik_json_bool(h, "empty_layer", &empty, &ignored);
			by = unik_json_text(unik_json_get(h, "created_by"));
		}
		image->layers[i].created_by = copy_text(by, err);
		if (!image->layers[i].created_by)
			return -1;
	}
	return 0;
}

int img_config_load(struct img_ctx *c, struct unik_image *image,
		    const struct img_platform *listed,
		    const struct unik_json *root, struct unik_err *err)
{
	const struct unik_json *config;

	if (!unik_json_is_object(root))
		return unik_fail(err, "not an object");
	if (unik_json_object(root, "config", &config, err) < 0 ||
	    take_platform(c, image, listed, root, err) < 0 ||
	    take_diff_ids(image, root, err) < 0 ||
	    take_history(image, root, err) < 0)
		return -1;
	return take_config(&image->config, config, err);
}
