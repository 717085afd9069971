/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "manifest_read.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "limits.h"

struct reader {
	struct unik_stored_manifest *out;
	struct unik_err *err;
};

/* ---- single values ---- */

/* Memory of the manifest; n may be 0. */
static void *room(struct reader *r, size_t n, size_t size)
{
	void *p = unik_arena_alloc(&r->out->arena, (n + 1) * size);

	if (!p)
		unik_fail_mem(r->err);
	return p;
}

/* A copy of a string with \uefHH turned back into bytes. */
static char *keep(struct reader *r, const char *text)
{
	char *copy = unik_arena_text(&r->out->arena, text, strlen(text));

	if (copy)
		unik_json_unescape(copy);
	else
		unik_fail_mem(r->err);
	return copy;
}

static int get_text(struct reader *r, const struct unik_json *o,
		    const char *key, char **out)
{
	const char *text;

	if (unik_json_string(o, key, &text, r->err) < 0)
		return -1;
	if (!text)
		return unik_fail(r->err, "'%s' is missing", key);
	*out = keep(r, text);
	return *out ? 0 : -1;
}

/* A word that becomes part of file names. */
static int get_word(struct reader *r, const struct unik_json *o,
		    const char *key, const char **out)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	char *text;

	if (get_text(r, o, key, &text) < 0)
		return -1;
	if (!text[0] || strlen(text) > 16 || text[strspn(text, plain)])
		return unik_fail(r->err, "'%s' is not a short plain word", key);
	*out = text;
	return 0;
}

static int get_digest(struct reader *r, const struct unik_json *o,
		      const char *key, struct unik_digest *d)
{
	const char *text;

	if (unik_json_string(o, key, &text, r->err) < 0)
		return -1;
	if (!text)
		return unik_fail(r->err, "'%s' is missing", key);
	if (unik_digest_parse(d, text, r->err) < 0)
		return unik_wrap(r->err, "'%s'", key);
	return 0;
}

/* One that names a file of the store or a tree. */
static int get_sha256(struct reader *r, const struct unik_json *o,
		      const char *key, struct unik_digest *d)
{
	if (get_digest(r, o, key, d) < 0)
		return -1;
	if (d->algo != UNIK_SHA256)
		return unik_fail(r->err, "'%s' is not a sha256 digest", key);
	return 0;
}

static int need_object(struct reader *r, const struct unik_json *o,
		       const char *key, const struct unik_json **out)
{
	if (unik_json_object(o, key, out, r->err) < 0)
		return -1;
	return *out ? 0 : unik_fail(r->err, "'%s' is missing", key);
}

static int need_array(struct reader *r, const struct unik_json *o,
		      const char *key, const struct unik_json **out)
{
	if (unik_json_array(o, key, out, r->err) < 0)
		return -1;
	return *out ? 0 : unik_fail(r->err, "'%s' is missing", key);
}

/* Numbers of an object, in the order of the keys. */
static int get_numbers(struct reader *r, const struct unik_json *o, size_t n,
		       const char *const *keys, uint64_t *const *to)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (unik_json_size(o, keys[i], to[i], r->err) < 0)
			return -1;
	return 0;
}

/* ---- the source ---- */

static int get_kind(struct reader *r, const struct unik_json *o,
		    enum unik_source_kind *kind)
{
	enum unik_source_kind k;
	char *text;

	if (get_text(r, o, "kind", &text) < 0)
		return -1;
	for (k = UNIK_SRC_DOCKER_ARCHIVE; k <= UNIK_SRC_LAYER; k++) {
		if (strcmp(unik_source_kind_name(k), text) == 0) {
			*kind = k;
			return 0;
		}
	}
	return unik_fail(r->err, "'kind' is none of a source");
}

/* "OS/ARCH[/VARIANT]"; absent for a bare layer. */
static int get_platform(struct reader *r, const struct unik_json *root,
			struct unik_image *image)
{
	char *text = keep(r, ""), *slash;

	image->os = image->arch = image->variant = text;
	if (!text || !unik_json_has(root, "platform"))
		return text ? 0 : -1;
	if (get_text(r, root, "platform", &image->os) < 0)
		return -1;
	slash = strchr(image->os, '/');
	if (!slash)
		return unik_fail(r->err, "'platform' is not OS/ARCH");
	*slash = 0;
	image->arch = slash + 1;
	slash = strchr(image->arch, '/');
	if (slash) {
		*slash = 0;
		image->variant = slash + 1;
	}
	return 0;
}

static int get_source(struct reader *r, const struct unik_json *root,
		      struct unik_image *image)
{
	const struct unik_json *o;

	if (need_object(r, root, "source", &o) < 0 ||
	    get_text(r, o, "name", &image->name) < 0 ||
	    get_kind(r, o, &image->kind) < 0)
		return -1;
	image->has_manifest_digest = unik_json_has(o, "manifest_digest");
	if (image->has_manifest_digest &&
	    get_digest(r, o, "manifest_digest", &image->manifest_digest) < 0)
		return -1;
	image->has_config_digest = unik_json_has(o, "config_digest");
	if (image->has_config_digest &&
	    get_digest(r, o, "config_digest", &image->config_digest) < 0)
		return -1;
	return get_platform(r, root, image);
}

static int get_strings(struct reader *r, const struct unik_json *o,
		       const char *key, struct unik_strings *list)
{
	const struct unik_json *a;
	const char *text;
	size_t i;

	if (need_array(r, o, key, &a) < 0)
		return -1;
	list->v = room(r, unik_json_count(a), sizeof(*list->v));
	if (!list->v)
		return -1;
	for (i = 0; i < unik_json_count(a); i++) {
		if (unik_json_string_at(a, i, key, &text, r->err) < 0)
			return -1;
		list->v[i] = keep(r, text);
		if (!list->v[i])
			return -1;
	}
	list->n = i;
	return 0;
}

static int get_config(struct reader *r, const struct unik_json *root,
		      struct unik_image_config *c)
{
	const struct unik_json *o;

	if (need_object(r, root, "config", &o) < 0 ||
	    get_strings(r, o, "entrypoint", &c->entrypoint) < 0 ||
	    get_strings(r, o, "cmd", &c->cmd) < 0 ||
	    get_strings(r, o, "env", &c->env) < 0 ||
	    get_text(r, o, "cwd", &c->cwd) < 0)
		return -1;
	return get_text(r, o, "user", &c->user);
}

/* ---- layers ---- */

static int get_entries(struct reader *r, const struct unik_json *layer,
		       struct unik_entry_counts *c)
{
	static const char *const keys[] = { "file",	"dir",	  "symlink",
					    "hardlink", "device", "fifo" };
	uint64_t *const to[] = { &c->file,     &c->dir,	   &c->symlink,
				 &c->hardlink, &c->device, &c->fifo };
	const struct unik_json *o;

	if (need_object(r, layer, "entries", &o) < 0)
		return -1;
	return get_numbers(r, o, 6, keys, to);
}

static int get_losses(struct reader *r, const struct unik_json *layer,
		      struct unik_loss_counts *c)
{
	static const char *const keys[] = { "xattr", "time", "rdev", "name" };
	uint64_t *const to[] = { &c->xattr, &c->time, &c->rdev, &c->name };
	const struct unik_json *o;

	if (need_object(r, layer, "losses", &o) < 0)
		return -1;
	return get_numbers(r, o, 4, keys, to);
}

static int get_layer(struct reader *r, const struct unik_json *o,
		     struct unik_layer_facts *f, struct unik_layer_ref *ref)
{
	static const char *const keys[] = { "blob_size", "size", "whiteouts",
					    "opaque" };
	uint64_t *const to[] = { &f->blob_size, &f->size, &f->whiteouts,
				 &f->opaque };

	if (!unik_json_is_object(o))
		return unik_fail(r->err, "not an object");
	if (get_digest(r, o, "diff_id", &f->diff_id) < 0 ||
	    get_digest(r, o, "blob_digest", &f->blob_digest) < 0 ||
	    get_text(r, o, "media_type", &ref->media_type) < 0 ||
	    get_numbers(r, o, 4, keys, to) < 0 ||
	    get_entries(r, o, &f->entries) < 0 ||
	    get_losses(r, o, &f->losses) < 0)
		return -1;
	ref->fd = -1;
	ref->size = f->blob_size;
	ref->has_diff_id = true;
	ref->diff_id = f->diff_id;
	ref->has_blob_digest = true;
	ref->blob_digest = f->blob_digest;
	ref->created_by = keep(r, "");
	return ref->created_by ? 0 : -1;
}

static int get_layers(struct reader *r, const struct unik_json *root,
		      const struct unik_limits *limits,
		      struct unik_stored_manifest *s)
{
	struct unik_layer_facts *facts;
	const struct unik_json *a;
	size_t i, n;

	if (need_array(r, root, "layers", &a) < 0)
		return -1;
	n = unik_json_count(a);
	if (n > limits->layers)
		return unik_fail(r->err, "%zu layers (--max-layers)", n);
	facts = room(r, n, sizeof(*facts));
	s->source.layers = room(r, n, sizeof(*s->source.layers));
	if (!facts || !s->source.layers)
		return -1;
	for (i = 0; i < n; i++)
		if (get_layer(r, unik_json_at(a, i), &facts[i],
			      &s->source.layers[i]) < 0)
			return unik_wrap(r->err, "'layers[%zu]'", i);
	s->m.layers = facts;
	s->m.nlayers = n;
	s->source.nlayers = n;
	return 0;
}

/* ---- the stack ---- */

/* The layers of an image: a run of neighbours that begins at *next, which is
 * moved behind it; or none. */
static int get_run(struct reader *r, const struct unik_json *o, size_t *next,
		   struct unik_stack_image *image)
{
	const struct unik_json *a;
	size_t i, n;

	if (need_array(r, o, "layers", &a) < 0)
		return -1;
	n = unik_json_count(a);
	for (i = 0; i < n; i++) {
		uint64_t k;

		if (unik_json_size_at(a, i, "layers", &k, r->err) < 0)
			return -1;
		if (k != *next + i)
			return unik_fail(r->err, "'layers[%zu]' is %llu where "
					 "layer %zu is next", i,
					 (unsigned long long)k, *next + i);
	}
	image->first = n > 0 ? *next : 1; /* an empty run: last < first */
	image->last = n > 0 ? *next + n - 1 : 0;
	*next += n;
	return 0;
}

static int get_stack(struct reader *r, const struct unik_json *root,
		     struct unik_manifest *m)
{
	struct unik_stack_image *stack;
	const struct unik_json *a;
	size_t i, n, next = 0;

	if (need_array(r, root, "stack", &a) < 0)
		return -1;
	n = unik_json_count(a);
	stack = room(r, n, sizeof(*stack));
	if (!stack)
		return -1;
	for (i = 0; i < n; i++) {
		const struct unik_json *o = unik_json_at(a, i);

		if (!unik_json_is_object(o))
			return unik_fail(r->err, "'stack[%zu]' is not an "
					 "object", i);
		if (get_sha256(r, o, "image", &stack[i].facts.image) < 0 ||
		    unik_json_size(o, "size", &stack[i].facts.size, r->err) <
			    0 ||
		    get_sha256(r, o, "tree_digest",
			       &stack[i].facts.tree_digest) < 0 ||
		    get_run(r, o, &next, &stack[i]) < 0 ||
		    (unik_json_has(o, "role") &&
		     get_word(r, o, "role", &stack[i].role) < 0) ||
		    (unik_json_has(o, "format") &&
		     get_word(r, o, "format", &stack[i].format) < 0))
			return unik_wrap(r->err, "'stack[%zu]'", i);
	}
	if (next != m->nlayers)
		return unik_fail(r->err, "the stack holds %zu of %zu layers",
				 next, m->nlayers);
	m->stack = stack;
	m->nstack = n;
	return 0;
}

/* ---- all of it ---- */

/* A number that is not always there. */
static int get_maybe(struct reader *r, const struct unik_json *o,
		     const char *key, uint64_t *out)
{
	*out = 0;
	return unik_json_has(o, key) ? unik_json_size(o, key, out, r->err) : 0;
}

static int get_options(struct reader *r, const struct unik_json *root,
		       struct unik_manifest *m)
{
	const struct unik_json *o;
	uint64_t block_size, max_images;

	if (need_object(r, root, "options", &o) < 0 ||
	    get_maybe(r, o, "block_size", &block_size) < 0 ||
	    get_maybe(r, o, "max_images", &max_images) < 0 ||
	    get_maybe(r, o, "scratch", &m->scratch) < 0 ||
	    get_maybe(r, o, "free_size", &m->free_size) < 0 ||
	    get_maybe(r, o, "free_inodes", &m->free_inodes) < 0)
		return -1;
	m->block_size = (uint32_t)block_size;
	m->max_images = (size_t)max_images;
	if (unik_json_has(o, "bind") &&
	    get_strings(r, o, "bind", &m->binds) < 0)
		return -1;
	return unik_json_has(o, "whiteouts")
		       ? get_word(r, o, "whiteouts", &m->whiteouts) : 0;
}

static int get_manifest(struct reader *r, const struct unik_json *root,
			const struct unik_limits *limits)
{
	struct unik_stored_manifest *s = r->out;
	char *schema, *tool;
	uint64_t version;

	if (!unik_json_is_object(root))
		return unik_fail(r->err, "not an object");
	if (get_text(r, root, "schema", &schema) < 0)
		return -1;
	if (strcmp(schema, UNIK_MANIFEST_SCHEMA) != 0)
		return unik_fail(r->err, "'schema' is not "
				 UNIK_MANIFEST_SCHEMA);
	if (get_text(r, root, "tool", &tool) < 0 ||
	    get_source(r, root, &s->source) < 0 ||
	    get_config(r, root, &s->source.config) < 0 ||
	    get_word(r, root, "target", &s->m.target) < 0 ||
	    get_word(r, root, "format", &s->m.format) < 0 ||
	    unik_json_size(root, "format_version", &version, r->err) < 0 ||
	    get_options(r, root, &s->m) < 0 ||
	    get_layers(r, root, limits, s) < 0 ||
	    get_stack(r, root, &s->m) < 0)
		return -1;
	if (version == 0 || version > INT32_MAX)
		return unik_fail(r->err, "'format_version' is out of range");
	s->m.tool = tool;
	s->m.format_version = (int)version;
	s->m.source = &s->source;
	return 0;
}

/* What was read must give the same bytes again. */
static int check_canonical(const struct unik_manifest *m, const void *text,
			   size_t size, struct unik_err *err)
{
	char *again = NULL;
	size_t n;
	bool same;

	if (unik_manifest_text(m, &again, &n, err) < 0)
		return -1;
	same = n == size && memcmp(again, text, n) == 0;
	free(again);
	return same ? 0 : unik_fail(err, "not in canonical form, or it has "
				    "keys that this version does not know");
}

int unik_manifest_read(struct unik_stored_manifest **out, const void *text,
		       size_t size, const struct unik_limits *limits,
		       struct unik_err *err)
{
	struct unik_stored_manifest *s = calloc(1, sizeof(*s));
	struct reader r = { s, err };
	struct unik_json *root = NULL;
	int rc = -1;

	if (!s)
		return unik_fail_mem(err);
	if (unik_json_parse(&root, text, size, limits, err) == 0 &&
	    get_manifest(&r, root, limits) == 0)
		rc = check_canonical(&s->m, text, size, err);
	unik_json_free(root);
	if (rc < 0) {
		unik_stored_manifest_free(s);
		return -1;
	}
	*out = s;
	return 0;
}

void unik_stored_manifest_free(struct unik_stored_manifest *s)
{
	if (!s)
		return;
	unik_arena_release(&s->arena);
	free(s);
}
