/* SPDX-License-Identifier: GPL-3.0-or-later */
/* verify: the stacks of a store, derived again from their source. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "layer.h"
#include "verify_stack_private.h"
#include "writer.h"

void verify_derive_options(const struct verify *v,
			   struct unik_convert_options *opt)
{
	unik_convert_options_init(opt);
	opt->limits = v->opt->limits;
	opt->jobs = v->opt->jobs;
	opt->spool_dir = v->opt->spool_dir;
	opt->stop = v->opt->stop;
}

/* ---- images ---- */

/* Files of the host are not in the source: the image that holds them can't be
 * derived.  Where they have none of their own, it is the topmost. */
static bool is_bound(const struct unik_manifest *m, size_t i)
{
	size_t k;

	if (m->binds.n == 0 || m->stack[i].role)
		return m->binds.n > 0 && strcmp(m->stack[i].role, "bind") == 0;
	for (k = i + 1; k < m->nstack; k++)
		if (!m->stack[k].role || strcmp(m->stack[k].role, "bind") == 0)
			return false;
	return true;
}

static bool same_role(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* The derived image of the same layers; nstack where there is none. */
static size_t partner(const struct unik_manifest *m,
		      const struct unik_stack_image *of)
{
	size_t j;

	for (j = 0; j < m->nstack; j++)
		if (m->stack[j].first == of->first &&
		    m->stack[j].last == of->last &&
		    same_role(m->stack[j].role, of->role))
			break;
	return j;
}

static enum outcome compare_facts(const struct stack_check *c,
				  const struct unik_image_facts *want,
				  const struct unik_image_facts *got)
{
	if (!unik_digest_equal(&want->tree_digest, &got->tree_digest))
		return OTHER;
	if (c->semantic)
		return TREES;
	return want->size == got->size &&
			       unik_digest_equal(&want->image, &got->image)
		       ? SAME : OTHER;
}

/* Layers that are equal are derived once: the first image of a tree. */
static size_t first_of_tree(const struct unik_manifest *m, size_t j)
{
	size_t k = 0;

	while (k < j && !unik_digest_equal(&m->stack[k].facts.tree_digest,
					   &m->stack[j].facts.tree_digest))
		k++;
	return k;
}

static int take_stack(void *data, const struct unik_manifest *derived,
		      bool merged, struct unik_err *err)
{
	struct stack_check *c = data;
	const struct unik_manifest *m = c->m;
	size_t i;

	for (i = 0; i < m->nstack; i++) {
		size_t j = partner(derived, &m->stack[i]);

		c->outcome[i] = is_bound(m, i) ? BOUND : NONE;
		if (c->outcome[i] == BOUND || j == derived->nstack)
			continue;
		c->derived[i] = first_of_tree(derived, j);
		c->outcome[i] = compare_facts(c, &m->stack[i].facts,
					      &derived->stack[j].facts);
	}
	if (derived->nstack != m->nstack && m->binds.n == 0)
		verify_put(c->f, UNIK_FAITHFUL, UNIK_FAIL, c->object,
			   "it has %zu images; the source gives %zu",
			   m->nstack, derived->nstack);
	verify_manifest(c, derived);
	if (c->s && !merged && !c->semantic)
		verify_records(c, derived);
	return verify_stopped(c->v, err);
}

/* An image that stands in the stack for a second time needs no second finding,
 * but where the second is another one. */
static bool is_repeated(const struct stack_check *c, size_t i)
{
	size_t j;

	for (j = 0; j < i && c->place->repeats; j++)
		if (c->outcome[j] == c->outcome[i] &&
		    unik_digest_equal(&c->m->stack[j].facts.image,
				      &c->m->stack[i].facts.image))
			return true;
	return false;
}

static void put_outcome(struct stack_check *c, size_t i)
{
	char object[OBJECT_SIZE];

	if (is_repeated(c, i))
		return;
	c->place->object(c, i, object);
	if (c->outcome[i] == BOUND)
		verify_put(c->f, UNIK_FAITHFUL, UNIK_SKIP, object,
			   "files of the host are in it");
	else if (c->outcome[i] == NONE)
		verify_put(c->f, UNIK_FAITHFUL, UNIK_FAIL, object,
			   "the source gives no image of these layers");
	else if (!c->place->good(c, i))
		verify_put(c->f, UNIK_FAITHFUL, UNIK_FAIL, object,
			   "its bytes are not those of its name");
	else if (c->outcome[i] == SAME)
		verify_put(c->f, UNIK_FAITHFUL, UNIK_PASS, object,
			   "derived again, it has the same %" PRIu64 " bytes",
			   c->m->stack[i].facts.size);
	else if (c->outcome[i] == OTHER)
		verify_put(c->f, UNIK_FAITHFUL, UNIK_FAIL, object,
			   "derived again, it is another image");
	c->finding[i] = c->f->n - 1;
	c->again |= c->outcome[i] == OTHER || c->outcome[i] == TREES;
}

/* ---- trees ---- */

static void compare_tree(struct stack_check *c, size_t i,
			 const struct unik_tree *want)
{
	char object[OBJECT_SIZE];
	const struct unik_stack_image *s = &c->m->stack[i];
	struct verify_place p = { .v = c->v, .object = object, .f = c->f };
	struct unik_err err;

	c->place->object(c, i, object);
	p.reader = unik_reader_find(s->format ? s->format : c->m->format);
	p.size = s->facts.size;
	p.netbsd = verify_is_netbsd(c->m->target);
	p.fd = c->place->open(c, i, &err);
	if (p.fd < 0 || !p.reader) {
		if (p.fd >= 0)
			unik_fail(&err, "its format is unknown");
		verify_put_err(c->f, UNIK_FAITHFUL, object, &err);
	} else if (c->outcome[i] == TREES) {
		verify_tree(&p, want, "the source");
	} else {
		verify_tree_explain(&p, c->finding[i], want);
	}
	if (p.fd >= 0)
		close(p.fd);
}

static int take_tree(void *data, const struct unik_derived *d,
		     struct unik_err *err)
{
	struct stack_check *c = data;
	size_t i;

	for (i = 0; i < c->m->nstack; i++)
		if (c->derived[i] == d->index && !is_repeated(c, i) &&
		    (c->outcome[i] == OTHER || c->outcome[i] == TREES) &&
		    c->place->good(c, i))
			compare_tree(c, i, d->tree);
	return verify_stopped(c->v, err) < 0 ? -1 : 1;
}

static int only_tree(void *data, const struct unik_derived *d,
		     struct unik_err *err)
{
	(void)data;
	(void)d;
	(void)err;
	return 1;
}

/* ---- one stack ---- */

/* Images are hashed; where trees have to be looked at, it is done again, one
 * after the other. */
static int derive(struct stack_check *c, struct unik_convert_options *co,
		  struct unik_err *err)
{
	struct unik_derive d = {
		.image = c->v->source,
		.layer = SIZE_MAX,
		.data = c,
		.tree = c->semantic ? only_tree : NULL,
		.stack = take_stack,
	};
	size_t i;

	if (unik_derive(co, &d, err) < 0)
		return -1;
	for (i = 0; i < c->m->nstack; i++)
		put_outcome(c, i);
	if (!c->again)
		return 0;
	d.tree = take_tree;
	d.stack = NULL;
	co->jobs = 1;
	return unik_derive(co, &d, err);
}

static int derive_recorded(struct stack_check *c, struct unik_err *err)
{
	const struct unik_manifest *m = c->m;
	const char *const formats[] = { m->format };
	const struct unik_format *format = unik_format_find(m->format);
	struct unik_convert_options co;
	struct unik_bind *binds = calloc(m->binds.n + 1, sizeof(*binds));
	size_t i;
	int rc;

	if (!binds)
		return unik_fail_mem(err);
	for (i = 0; i < m->binds.n; i++)
		binds[i].path = m->binds.v[i];
	verify_derive_options(c->v, &co);
	co.formats = formats;
	co.nformats = 1;
	co.target = m->target;
	co.whiteouts = m->whiteouts;
	co.max_images = m->max_images;
	co.binds = binds;
	co.nbinds = m->binds.n;
	co.scratch = m->scratch;
	co.free_size = m->free_size;
	co.free_inodes = m->free_inodes;
	co.block_size = m->block_size;
	c->semantic = c->v->opt->semantic ||
		      (format && (m->format_version < format->oldest ||
				  m->format_version > format->version));
	co.format_version = c->semantic ? 0 : m->format_version;
	rc = derive(c, &co, err);
	free(binds);
	return rc;
}

int verify_stack_check(struct stack_check *c, struct unik_err *err)
{
	size_t n = c->m->nstack + 1;
	int rc = 0;

	c->outcome = calloc(n, sizeof(*c->outcome));
	c->derived = calloc(n, sizeof(*c->derived));
	c->finding = calloc(n, sizeof(*c->finding));
	if (!c->outcome || !c->derived || !c->finding)
		rc = unik_fail_mem(err);
	else if (derive_recorded(c, err) < 0)
		verify_put_err(c->f, UNIK_FAITHFUL, c->object, err);
	free(c->outcome);
	free(c->derived);
	free(c->finding);
	return rc;
}

/* ---- images of a store ---- */

static void store_object(const struct stack_check *c, size_t i,
			 char buf[OBJECT_SIZE])
{
	char name[UNIK_IMAGE_NAME];

	verify_object(buf, "images", verify_image_name(c->m, i, name));
}

static bool store_good(const struct stack_check *c, size_t i)
{
	char name[UNIK_IMAGE_NAME];
	size_t k = verify_find_name(&c->s->images,
				    verify_image_name(c->m, i, name));

	return k < c->s->images.n && !c->s->bad[k];
}

static int store_open(const struct stack_check *c, size_t i,
		      struct unik_err *err)
{
	char name[UNIK_IMAGE_NAME];
	int fd = openat(unik_store_dir(c->s->store, "images"),
			verify_image_name(c->m, i, name),
			O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	return fd < 0 ? unik_fail_sys(err, "can't open it") : fd;
}

static const struct stack_place in_store = {
	store_object, store_good, store_open, true
};

static int check_stack(struct store_view *s, const struct unik_manifest *m,
		       const char *object, struct findings *f,
		       struct unik_err *err)
{
	struct stack_check c = { .v = s->v, .place = &in_store, .s = s, .m = m,
				 .object = object, .f = f };

	return verify_stack_check(&c, err);
}

/* ---- which stacks ---- */

/* A bare layer declares no diff_id: it is taken once. */
static int known_diff_id(struct verify *v, struct unik_digest *bare,
			 struct unik_err *err)
{
	const struct unik_layer_ref *ref = v->source->layers;
	const struct unik_layer_options lo = {
		.limits = &v->opt->limits,
		.spool_dir = v->opt->spool_dir,
		.stop = v->opt->stop,
	};
	struct unik_digest blob;

	if (v->source->nlayers != 1 || ref->has_diff_id)
		return 0;
	return unik_layer_check(ref, &lo, &blob, bare, err);
}

static bool is_of_source(const struct verify *v, const struct unik_digest *bare,
			 const struct unik_manifest *m)
{
	const struct unik_image *r = m->source, *image = v->source;
	size_t k;

	if (m->nlayers != image->nlayers ||
	    (strcmp(r->name, image->name) != 0 &&
	     !verify_is_file_name(v->opt->source, image->name)))
		return false;
	/* The same layers with another configuration are another image. */
	if (r->kind == image->kind && r->has_config_digest &&
	    image->has_config_digest &&
	    !unik_digest_equal(&r->config_digest, &image->config_digest))
		return false;
	for (k = 0; k < m->nlayers; k++) {
		const struct unik_layer_ref *ref = &image->layers[k];

		if (!unik_digest_equal(&m->layers[k].diff_id,
				       ref->has_diff_id ? &ref->diff_id : bare))
			return false;
	}
	return true;
}

/* One stack of the view; *nfound counts those of the source. */
static int check_one(struct store_view *s, const char *file,
		     const struct unik_digest *bare, size_t *nfound,
		     struct unik_err *err)
{
	struct unik_stored_manifest *stored = NULL;
	const struct verify *v = s->v;
	char object[OBJECT_SIZE];
	struct findings f = { 0 };
	struct unik_err bad;
	int rc = 0;

	/* What is wrong with it was said. */
	if (unik_store_stack(s->store, file, &v->opt->limits, &stored, NULL,
			     &bad) < 0)
		return 0;
	verify_object(object, "stacks", file);
	if (!v->source) {
		verify_put(&f, UNIK_FAITHFUL, UNIK_SKIP, object, "%s",
			   verify_no_source(v));
	} else if (!s->named && !is_of_source(v, bare, &stored->m)) {
		verify_put(&f, UNIK_FAITHFUL, UNIK_SKIP, object,
			   "it is of another source");
	} else {
		++*nfound;
		rc = check_stack(s, &stored->m, object, &f, err);
	}
	unik_stored_manifest_free(stored);
	if (rc < 0) {
		findings_release(&f);
		return -1;
	}
	return verify_emit(s->v, &f, err);
}

int verify_faithful(struct store_view *s, struct unik_err *err)
{
	struct verify *v = s->v;
	struct unik_digest bare = { 0 };
	struct findings f = { 0 };
	size_t i, nfound = 0;

	if (v->source && !s->named && known_diff_id(v, &bare, err) < 0) {
		verify_put_err(&f, UNIK_FAITHFUL, "source", err);
		return verify_emit(v, &f, err);
	}
	for (i = 0; i < s->stacks.n; i++)
		if (verify_stopped(v, err) < 0 ||
		    check_one(s, s->stacks.v[i], &bare, &nfound, err) < 0)
			return -1;
	if (v->source && nfound == 0)
		verify_put(&f, UNIK_FAITHFUL, UNIK_FAIL, ".",
			   "no stack of the store is of the source, by name, "
			   "layers and configuration");
	return verify_emit(v, &f, err);
}
