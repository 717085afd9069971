/* SPDX-License-Identifier: GPL-3.0-or-later */
/* verify: manifest and records of a stack against what was derived. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record.h"
#include "verify_stack_private.h"

/* ---- the manifest ---- */

/*
 * The derived manifest in the words of the recorded one: the same image may
 * come in another container (docker-archive, OCI, other compression), or in a
 * file of another name; that is told, and the rest must be the same.
 */
struct reworded {
	struct unik_manifest m;
	struct unik_image source;
	struct unik_layer_ref *refs;
	struct unik_layer_facts *layers;
	bool other_box;
	bool other_name;
};

static bool same_digest(bool has_a, const struct unik_digest *a, bool has_b,
			const struct unik_digest *b)
{
	return has_a == has_b && (!has_a || unik_digest_equal(a, b));
}

static bool same_box(const struct unik_image *a, const struct unik_image *b)
{
	return a->kind == b->kind &&
	       same_digest(a->has_config_digest, &a->config_digest,
			   b->has_config_digest, &b->config_digest) &&
	       same_digest(a->has_manifest_digest, &a->manifest_digest,
			   b->has_manifest_digest, &b->manifest_digest);
}

bool verify_is_file_name(const char *source, const char *name)
{
	size_t n = strlen(source), m = strlen(name);

	return n >= m && strcmp(source + n - m, name) == 0 &&
	       (n == m || strchr("/:", source[n - m - 1]));
}

static void take_name(struct reworded *w, const struct unik_image *recorded,
		      const char *source)
{
	if (strcmp(w->source.name, recorded->name) == 0 ||
	    (!w->other_box && !verify_is_file_name(source, w->source.name)))
		return;
	w->source.name = recorded->name;
	w->other_name = true;
}

static void take_box(struct reworded *w, const struct unik_manifest *recorded)
{
	const struct unik_image *r = recorded->source;
	size_t k;

	w->source.kind = r->kind;
	w->source.has_config_digest = r->has_config_digest;
	w->source.config_digest = r->config_digest;
	w->source.has_manifest_digest = r->has_manifest_digest;
	w->source.manifest_digest = r->manifest_digest;
	for (k = 0; k < w->m.nlayers && k < recorded->nlayers; k++) {
		w->refs[k].media_type = r->layers[k].media_type;
		w->layers[k].blob_digest = recorded->layers[k].blob_digest;
		w->layers[k].blob_size = recorded->layers[k].blob_size;
	}
}

static void take_losses(struct reworded *w,
			const struct unik_manifest *recorded)
{
	size_t k;

	for (k = 0; k < w->m.nlayers && k < recorded->nlayers; k++)
		w->layers[k].losses = recorded->layers[k].losses;
}

static int reword(struct reworded *w, const struct stack_check *c,
		  const struct unik_manifest *derived, struct unik_err *err)
{
	const struct unik_manifest *r = c->m;
	size_t n = derived->nlayers;

	w->m = *derived;
	w->source = *derived->source;
	w->refs = calloc(n + 1, sizeof(*w->refs));
	w->layers = calloc(n + 1, sizeof(*w->layers));
	if (!w->refs || !w->layers)
		return unik_fail_mem(err);
	if (n > 0) {
		memcpy(w->refs, derived->source->layers, n * sizeof(*w->refs));
		memcpy(w->layers, derived->layers, n * sizeof(*w->layers));
	}
	w->source.layers = w->refs;
	w->m.source = &w->source;
	w->m.layers = w->layers;
	w->m.tool = r->tool;
	/* Images have findings of their own. */
	w->m.stack = r->stack;
	w->m.nstack = r->nstack;
	w->other_box = !same_box(derived->source, r->source);
	if (w->other_box)
		take_box(w, r);
	take_name(w, r->source, c->v->opt->source);
	if (c->semantic || r->binds.n > 0)
		take_losses(w, r);
	if (c->semantic)
		w->m.format_version = r->format_version;
	return 0;
}

#define CONTEXT 40

/* The first place where two texts differ, quoted from a little before. */
static void put_difference(struct stack_check *c, const char *want, size_t n,
			   const char *got, size_t m)
{
	char a[UNIK_QUOTE_SIZE], b[UNIK_QUOTE_SIZE];
	size_t at = 0, from, na, nb;

	while (at < n && at < m && want[at] == got[at])
		at++;
	from = at > CONTEXT ? at - CONTEXT : 0;
	na = n - from < 2 * CONTEXT ? n - from : 2 * CONTEXT;
	nb = m - from < 2 * CONTEXT ? m - from : 2 * CONTEXT;
	verify_put(c->f, UNIK_FAITHFUL, UNIK_FAIL, c->object,
		   "from byte %zu on it is %s; the source gives %s", from,
		   unik_quote(b, got + from, nb),
		   unik_quote(a, want + from, na));
}

static void put_same(struct stack_check *c, const struct reworded *w, size_t n)
{
	verify_put(c->f, UNIK_FAITHFUL, UNIK_PASS, c->object,
		   "its %zu bytes are what the source gives%s%s%s", n,
		   w->other_box || w->other_name ? ", but for" : "",
		   w->other_name ? " the name" : "",
		   w->other_box ? " the container that it came in" : "");
}

void verify_manifest(struct stack_check *c, const struct unik_manifest *derived)
{
	struct reworded w = { 0 };
	char *want = NULL, *got = NULL;
	size_t n, m;
	struct unik_err err;

	if (reword(&w, c, derived, &err) < 0 ||
	    unik_manifest_text(&w.m, &want, &n, &err) < 0 ||
	    unik_manifest_text(c->m, &got, &m, &err) < 0)
		verify_put_err(c->f, UNIK_FAITHFUL, c->object, &err);
	else if (n == m && memcmp(want, got, n) == 0)
		put_same(c, &w, n);
	else
		put_difference(c, want, n, got, m);
	free(want);
	free(got);
	free(w.refs);
	free(w.layers);
}

/* ---- records ---- */

/* The blob that a layer came in first may have been another. */
static int compare_record(const struct unik_record *got,
			  const struct unik_manifest *derived, size_t k,
			  struct unik_err *err)
{
	struct unik_record want = { derived->layers[k],
				    derived->stack[k].facts };
	char *a = NULL, *b = NULL;
	size_t n, m;
	int rc;

	want.layer.blob_digest = got->layer.blob_digest;
	want.layer.blob_size = got->layer.blob_size;
	rc = unik_record_text(&want, &a, &n, err);
	if (rc == 0)
		rc = unik_record_text(got, &b, &m, err);
	if (rc == 0 && (n != m || memcmp(a, b, n) != 0))
		rc = unik_fail(err, "it says something else of the layer than "
			       "the source");
	free(a);
	free(b);
	return rc;
}

static void check_record(struct stack_check *c,
			 const struct unik_manifest *derived, size_t k)
{
	const struct unik_limits *limits = &c->v->opt->limits;
	char name[UNIK_RECORD_NAME], file[UNIK_RECORD_NAME + 8];
	char object[OBJECT_SIZE], *text = NULL;
	struct unik_record r;
	struct unik_err err;
	size_t n;
	int rc;

	unik_record_name(name, &derived->layers[k].diff_id, derived->format,
			 derived->format_version, derived->block_size);
	snprintf(file, sizeof(file), "%s.json", name);
	verify_object(object, "layers", file);
	rc = unik_store_get(c->s->store, "layers", file, UNIK_RECORD_MAX,
			    &text, &n, &err);
	if (rc == 1)
		return; /* only a cache */
	if (rc == 0)
		rc = unik_record_read(&r, text, n, limits, &err);
	free(text);
	if (rc == 0)
		rc = compare_record(&r, derived, k, &err);
	if (rc < 0)
		verify_put_err(c->f, UNIK_FAITHFUL, object, &err);
	else
		verify_put(c->f, UNIK_FAITHFUL, UNIK_PASS, object,
			   "what it says of the layer is right");
}

void verify_records(struct stack_check *c, const struct unik_manifest *derived)
{
	size_t k, j;

	for (k = 0; k < derived->nlayers && k < derived->nstack; k++) {
		for (j = 0; j < k; j++) /* a layer that stands there twice */
			if (unik_digest_equal(&derived->layers[j].diff_id,
					      &derived->layers[k].diff_id))
				break;
		if (j == k)
			check_record(c, derived, k);
	}
}
