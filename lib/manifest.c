/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

void unik_put_digest(struct unik_json_out *o, const char *key,
		     const struct unik_digest *d)
{
	char buf[UNIK_DIGEST_TEXT];

	unik_json_put_string(o, key, unik_digest_text(d, buf));
}

void unik_put_strings(struct unik_json_out *o, const char *key,
		      const struct unik_strings *s)
{
	size_t i;

	unik_json_put_array(o, key);
	for (i = 0; i < s->n; i++)
		unik_json_put_string(o, NULL, s->v[i]);
	unik_json_put_end(o);
}

static void put_source(struct unik_json_out *o, const struct unik_image *image)
{
	char platform[256];
	const char *slash = image->variant[0] ? "/" : "";

	unik_json_put_object(o, "source");
	unik_json_put_string(o, "name", image->name);
	unik_json_put_string(o, "kind", unik_source_kind_name(image->kind));
	if (image->has_manifest_digest)
		unik_put_digest(o, "manifest_digest", &image->manifest_digest);
	if (image->has_config_digest)
		unik_put_digest(o, "config_digest", &image->config_digest);
	unik_json_put_end(o);
	if (image->os[0]) {
		snprintf(platform, sizeof(platform), "%.80s/%.80s%s%.80s",
			 image->os, image->arch, slash, image->variant);
		unik_json_put_string(o, "platform", platform);
	}
}

static void put_config(struct unik_json_out *o,
		       const struct unik_image_config *c)
{
	unik_json_put_object(o, "config");
	unik_put_strings(o, "entrypoint", &c->entrypoint);
	unik_put_strings(o, "cmd", &c->cmd);
	unik_put_strings(o, "env", &c->env);
	unik_json_put_string(o, "cwd", c->cwd ? c->cwd : "/");
	unik_json_put_string(o, "user", c->user ? c->user : "");
	unik_json_put_end(o);
}

void unik_put_entries(struct unik_json_out *o,
		      const struct unik_entry_counts *c)
{
	unik_json_put_object(o, "entries");
	unik_json_put_uint(o, "file", c->file);
	unik_json_put_uint(o, "dir", c->dir);
	unik_json_put_uint(o, "symlink", c->symlink);
	unik_json_put_uint(o, "hardlink", c->hardlink);
	unik_json_put_uint(o, "device", c->device);
	unik_json_put_uint(o, "fifo", c->fifo);
	unik_json_put_end(o);
}

static void put_layer(struct unik_json_out *o, const struct unik_layer_facts *f,
		      const char *media_type)
{
	unik_json_put_object(o, NULL);
	unik_put_digest(o, "diff_id", &f->diff_id);
	unik_put_digest(o, "blob_digest", &f->blob_digest);
	unik_json_put_uint(o, "blob_size", f->blob_size);
	unik_json_put_uint(o, "size", f->size);
	unik_json_put_string(o, "media_type", media_type);
	unik_put_entries(o, &f->entries);
	unik_json_put_uint(o, "whiteouts", f->whiteouts);
	unik_json_put_uint(o, "opaque", f->opaque);
	unik_json_put_object(o, "losses");
	unik_json_put_uint(o, "xattr", f->losses.xattr);
	unik_json_put_uint(o, "time", f->losses.time);
	unik_json_put_uint(o, "rdev", f->losses.rdev);
	unik_json_put_uint(o, "name", f->losses.name);
	unik_json_put_end(o);
	unik_json_put_end(o);
}

static void put_stack(struct unik_json_out *o, const struct unik_stack_image *s)
{
	size_t i;

	unik_json_put_object(o, NULL);
	unik_put_digest(o, "image", &s->facts.image);
	unik_json_put_uint(o, "size", s->facts.size);
	unik_put_digest(o, "tree_digest", &s->facts.tree_digest);
	unik_json_put_array(o, "layers");
	for (i = s->first; i <= s->last; i++)
		unik_json_put_uint(o, NULL, i);
	unik_json_put_end(o);
	if (s->role)
		unik_json_put_string(o, "role", s->role);
	if (s->format)
		unik_json_put_string(o, "format", s->format);
	unik_json_put_end(o);
}

static void put_options(struct unik_json_out *o, const struct unik_manifest *m)
{
	unik_json_put_object(o, "options");
	if (m->binds.n > 0)
		unik_put_strings(o, "bind", &m->binds);
	if (m->block_size)
		unik_json_put_uint(o, "block_size", m->block_size);
	if (m->free_inodes)
		unik_json_put_uint(o, "free_inodes", m->free_inodes);
	if (m->free_size)
		unik_json_put_uint(o, "free_size", m->free_size);
	if (m->max_images)
		unik_json_put_uint(o, "max_images", m->max_images);
	if (m->scratch)
		unik_json_put_uint(o, "scratch", m->scratch);
	if (m->whiteouts)
		unik_json_put_string(o, "whiteouts", m->whiteouts);
	unik_json_put_end(o);
}

static void put_manifest(struct unik_json_out *o, const struct unik_manifest *m)
{
	char tool[64];
	size_t i;

	snprintf(tool, sizeof(tool), "unik %s", unik_version());
	unik_json_put_object(o, NULL);
	unik_json_put_string(o, "schema", UNIK_MANIFEST_SCHEMA);
	unik_json_put_string(o, "tool", m->tool ? m->tool : tool);
	put_source(o, m->source);
	put_config(o, &m->source->config);
	unik_json_put_string(o, "target", m->target);
	unik_json_put_string(o, "format", m->format);
	unik_json_put_uint(o, "format_version", (uint64_t)m->format_version);
	put_options(o, m);
	unik_json_put_array(o, "layers");
	for (i = 0; i < m->nlayers; i++)
		put_layer(o, &m->layers[i], m->source->layers[i].media_type);
	unik_json_put_end(o);
	unik_json_put_array(o, "stack");
	for (i = 0; i < m->nstack; i++)
		put_stack(o, &m->stack[i]);
	unik_json_put_end(o);
	unik_json_put_end(o);
}

int unik_manifest_text(const struct unik_manifest *m, char **text,
		       size_t *size, struct unik_err *err)
{
	struct unik_json_out o;
	int rc;

	unik_json_out_init(&o);
	put_manifest(&o, m);
	rc = unik_json_out_take(&o, text, size, err);
	unik_json_out_release(&o);
	if (rc == 0)
		(*text)[(*size)++] = '\n'; /* in the place of the NUL */
	return rc;
}

/* ---- names of references ---- */

static size_t encode(char *out, size_t room, const char *name)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:@+-";
	size_t n = 0;
	const char *p;

	for (p = name; *p && n + 4 < room; p++) {
		if (strchr(plain, *p) && !(p == name && *p == '.'))
			out[n++] = *p;
		else
			n += (size_t)snprintf(out + n, room - n, "%%%02X",
					      (unsigned)(unsigned char)*p);
	}
	out[n] = 0;
	return *p ? room : n;
}

int unik_ref_name(char buf[UNIK_REF_NAME], const char *name,
		  const char *target, const char *format, struct unik_err *err)
{
	enum { MOST = 200, KEPT = 128 };
	char encoded[MOST + 1], hex[UNIK_DIGEST_TEXT];
	struct unik_digest d;

	if (encode(encoded, sizeof(encoded), name) < sizeof(encoded)) {
		snprintf(buf, UNIK_REF_NAME, "%s.%.16s.%.16s.json", encoded,
			 target, format);
		return 0;
	}
	if (unik_sha256(name, strlen(name), &d, err) < 0)
		return -1;
	snprintf(buf, UNIK_REF_NAME, "%.*s-%.64s.%.16s.%.16s.json", KEPT,
		 encoded, unik_digest_hex(&d, hex), target, format);
	return 0;
}
