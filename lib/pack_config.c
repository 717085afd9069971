/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pack: the configuration of the new image (OCI image-spec, config.md): that of
 * the source with other layers, the history that belongs to them, and labels
 * that say where they come from.
 */
#include <stdlib.h>
#include <string.h>

#include "pack_private.h"

#define PREFIX "org.unik."

/* Whether a label of the source is replaced. */
static bool is_replaced(const struct packing *p, const char *key)
{
	size_t i;

	if (strncmp(key, PREFIX, strlen(PREFIX)) == 0)
		return true;
	for (i = 0; i < p->in->nlabels; i++)
		if (strcmp(key, p->in->labels[i].key) == 0)
			return true;
	return false;
}

static void put_labels(struct unik_json_out *o, const struct packing *p,
		       const struct unik_json *old)
{
	struct unik_json_member m;
	bool more;

	unik_json_put_object(o, "Labels");
	for (more = unik_json_first(old, &m); more;
	     more = unik_json_next(old, &m))
		if (!is_replaced(p, m.key))
			unik_json_put_copy(o, m.key, m.value);
	pack_put_labels(o, p);
	unik_json_put_bytes(o, UNIK_LABEL_STACK, p->in->stack,
			    p->in->stack_size - 1); /* not the newline */
	unik_json_put_end(o);
}

static int put_config(struct unik_json_out *o, const struct packing *p,
		      const struct unik_json *old, struct unik_err *err)
{
	const struct unik_json *labels;
	struct unik_json_member m;
	bool more;

	if (unik_json_object(old, "Labels", &labels, err) < 0)
		return -1;
	unik_json_put_object(o, "config");
	for (more = unik_json_first(old, &m); more;
	     more = unik_json_next(old, &m))
		if (strcmp(m.key, "Labels") != 0)
			unik_json_put_copy(o, m.key, m.value);
	put_labels(o, p, labels);
	unik_json_put_end(o);
	return 0;
}

static void put_rootfs(struct unik_json_out *o, const struct packing *p)
{
	char buf[UNIK_DIGEST_TEXT];
	size_t i;

	unik_json_put_object(o, "rootfs");
	unik_json_put_string(o, "type", "layers");
	unik_json_put_array(o, "diff_ids");
	for (i = 0; i < p->nlayers; i++)
		unik_json_put_string(
			o, NULL, unik_digest_text(&p->layers[i].diff_id, buf));
	unik_json_put_end(o);
	unik_json_put_end(o);
}

/* ---- history ---- */

/* Whether a layer of the new image ends with that layer of the source. */
static bool ends_layer(const struct packing *p, size_t k)
{
	size_t i;

	for (i = 0; i < p->nlayers; i++)
		if (p->layers[i].first <= p->layers[i].last &&
		    p->layers[i].last == k)
			return true;
	return false;
}

/* One entry; *k counts the source's layers, *n those of the new image. */
static int put_event(struct unik_json_out *o, const struct packing *p,
		     const struct unik_json *event, size_t *k, size_t *n,
		     struct unik_err *err)
{
	struct unik_json_member m;
	bool empty, keeps = false, more;

	if (unik_json_bool(event, "empty_layer", &empty, err) < 0)
		return -1;
	if (!empty)
		keeps = ends_layer(p, (*k)++);
	unik_json_put_object(o, NULL);
	for (more = unik_json_first(event, &m); more;
	     more = unik_json_next(event, &m))
		if (strcmp(m.key, "empty_layer") != 0)
			unik_json_put_copy(o, m.key, m.value);
	if (!keeps)
		unik_json_put_bool(o, "empty_layer", true);
	unik_json_put_end(o);
	*n += keeps;
	return 0;
}

/* A source without history gets none. */
static int put_history(struct unik_json_out *o, const struct packing *p,
		       const struct unik_json *root, struct unik_err *err)
{
	const struct unik_json *old;
	size_t i, k = 0, n = 0;

	if (unik_json_array(root, "history", &old, err) < 0)
		return -1;
	if (unik_json_count(old) == 0)
		return 0;
	unik_json_put_array(o, "history");
	for (i = 0; i < unik_json_count(old); i++) {
		const struct unik_json *event = unik_json_at(old, i);

		if (!unik_json_is_object(event))
			return unik_fail(err, "'history[%zu]' is not an object",
					 i);
		if (put_event(o, p, event, &k, &n, err) < 0)
			return unik_wrap(err, "'history[%zu]'", i);
	}
	for (; n < p->nlayers; n++) { /* of no layer of the source */
		unik_json_put_object(o, NULL);
		unik_json_put_string(o, "created_by", "unik-convert");
		unik_json_put_end(o);
	}
	unik_json_put_end(o);
	return 0;
}

/* ---- all of it ---- */

static int put_members(struct unik_json_out *o, const struct packing *p,
		       const struct unik_json *root, struct unik_err *err)
{
	const struct unik_json *config;
	struct unik_json_member m;
	bool more;

	if (unik_json_object(root, "config", &config, err) < 0)
		return -1;
	for (more = unik_json_first(root, &m); more;
	     more = unik_json_next(root, &m))
		if (strcmp(m.key, "config") != 0 &&
		    strcmp(m.key, "rootfs") != 0 &&
		    strcmp(m.key, "history") != 0)
			unik_json_put_copy(o, m.key, m.value);
	if (put_config(o, p, config, err) < 0)
		return -1;
	put_rootfs(o, p);
	return put_history(o, p, root, err);
}

/* A bare layer has no configuration: the platform is all that one must say. */
static int put_new(struct unik_json_out *o, const struct packing *p,
		   struct unik_err *err)
{
	const char *os = p->in->platform ? p->in->platform : "linux/amd64";
	const char *arch = strchr(os, '/');

	if (!arch || !arch[1])
		return unik_fail_usage(err, "'%s' is not OS/ARCH[/VARIANT]",
				       os);
	arch++;
	unik_json_put_bytes(o, "architecture", arch, strcspn(arch, "/"));
	unik_json_put_bytes(o, "os", os, strcspn(os, "/"));
	if (strchr(arch, '/'))
		unik_json_put_string(o, "variant", strchr(arch, '/') + 1);
	if (put_config(o, p, NULL, err) < 0)
		return -1;
	put_rootfs(o, p);
	return 0;
}

int pack_make_config(struct packing *p, struct unik_err *err)
{
	const struct unik_image *src = p->in->source;
	struct unik_json *root = NULL;
	struct unik_json_out o;
	int rc;

	unik_json_out_init(&o);
	o.verbatim = true;
	unik_json_put_object(&o, NULL);
	if (!src->config_json)
		rc = put_new(&o, p, err);
	else
		rc = unik_json_parse(&root, src->config_json, src->config_size,
				     p->in->limits, err);
	if (rc == 0 && root)
		rc = put_members(&o, p, root, err);
	unik_json_put_end(&o);
	unik_json_free(root);
	if (rc < 0)
		unik_wrap(err, "configuration");
	else
		rc = pack_doc_take(&o, &p->config, err);
	unik_json_out_release(&o);
	return rc;
}
