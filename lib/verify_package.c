/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * verify: a container image that carries a stack.  Identity: it holds the
 * images of the stack that its label records, each in its place, and nothing
 * else.  Faithful: the source gives that stack.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inflate.h"
#include "io.h"
#include "verify_package_private.h"
#include "verify_stack_private.h"

const char *package_name(const struct package *p, size_t i,
			 char buf[UNIK_PACK_NAME])
{
	const struct unik_stack_image *s = &p->m->stack[i];

	return unik_pack_image_name(buf, i, p->m->nstack, &s->facts.image,
				    s->format ? s->format : p->m->format);
}

bool package_appends(const struct package *p, size_t j)
{
	return p->how == UNIK_PACKAGE_APPEND && j < p->m->nlayers;
}

bool package_expects(const struct package *p, size_t j, size_t i)
{
	const struct unik_stack_image *s = &p->m->stack[i];
	size_t k, at = p->m->nlayers;

	if (p->how != UNIK_PACKAGE_APPEND)
		return i == j;
	if (s->first <= s->last)
		return s->last == j;
	for (k = 0; k < i; k++) /* what is no layer's comes behind them all */
		at += p->m->stack[k].first > p->m->stack[k].last;
	return at == j;
}

static size_t count_layers(const struct package *p)
{
	size_t i, n = p->m->nlayers;

	if (p->how != UNIK_PACKAGE_APPEND)
		return p->m->nstack;
	for (i = 0; i < p->m->nstack; i++)
		n += p->m->stack[i].first > p->m->stack[i].last;
	return n;
}

/* ---- the labels ---- */

static int read_labels(struct package *p, struct unik_err *err)
{
	size_t n;

	if (unik_package_read(p->image, &p->v->opt->limits, &p->how,
			      &p->stored, err) < 0)
		return -1;
	p->m = &p->stored->m;
	if (package_read_extras(p, err) < 0)
		return -1;
	n = count_layers(p);
	if (n != p->image->nlayers)
		return unik_fail(err, "it has %zu layers; the recorded stack "
				 "makes %zu", p->image->nlayers, n);
	return 0;
}

static bool same_strings(const struct unik_strings *a,
			 const struct unik_strings *b)
{
	size_t i;

	if (a->n != b->n)
		return false;
	for (i = 0; i < a->n; i++)
		if (strcmp(a->v[i], b->v[i]) != 0)
			return false;
	return true;
}

/* What it runs is what the recorded source ran. */
static void check_config(const struct package *p, struct findings *f)
{
	const struct unik_image_config *a = &p->image->config;
	const struct unik_image_config *b = &p->m->source->config;

	if (same_strings(&a->entrypoint, &b->entrypoint) &&
	    same_strings(&a->cmd, &b->cmd) && same_strings(&a->env, &b->env) &&
	    strcmp(a->cwd, b->cwd) == 0 && strcmp(a->user, b->user) == 0)
		verify_put(f, UNIK_IDENTITY, UNIK_PASS, "config",
			   "it runs what the recorded stack says");
	else
		verify_put(f, UNIK_IDENTITY, UNIK_FAIL, "config",
			   "entrypoint, command, environment, directory or "
			   "user are not those of the recorded stack");
}

/* ---- faithful ---- */

static void package_object(const struct stack_check *c, size_t i,
			   char buf[OBJECT_SIZE])
{
	package_name(c->package, i, buf);
}

static bool package_good(const struct stack_check *c, size_t i)
{
	const struct package *p = c->package;

	return p->spots[i].found && p->spots[i].good;
}

static int copy_out(const struct package *p, size_t i, int fd,
		    struct unik_err *err)
{
	struct unik_source *range = NULL, *src = NULL;
	uint64_t got, done = 0, size = p->m->stack[i].facts.size;
	const struct spot *spot = &p->spots[i];
	const uint8_t *data;
	size_t n;
	int rc;

	rc = package_stream(p, &p->image->layers[spot->layer], &range, &src,
			    err);
	if (rc == 0)
		rc = unik_source_skip(src, spot->offset, &got, err);
	while (rc == 0 && done < size) {
		rc = unik_source_peek(src, &data, &n, err);
		if (rc == 1)
			rc = unik_fail(err, "it is cut");
		if (rc < 0)
			break;
		if (n > size - done)
			n = (size_t)(size - done);
		rc = unik_pwrite_all(fd, data, n, done, err);
		unik_source_advance(src, n);
		done += n;
	}
	unik_source_free(src);
	unik_source_free(range);
	return rc;
}

static int package_open(const struct stack_check *c, size_t i,
			struct unik_err *err)
{
	const struct package *p = c->package;
	int fd = -1;

	if (unik_spool_open(p->v->opt->spool_dir, &fd, err) < 0)
		return -1;
	if (copy_out(p, i, fd, err) == 0)
		return fd;
	close(fd);
	return -1;
}

static const struct stack_place in_package = {
	package_object, package_good, package_open, false
};

static void check_labels(const struct package *p, struct findings *f)
{
	const struct unik_strings *a = &p->image->config.labels;
	const struct unik_strings *b = &p->v->source->config.labels;
	size_t i, j, n = 0, want = 0;
	bool same = true;

	for (i = 0; i < b->n; i++) {
		if (package_own_label(p, b->v[i]))
			continue;
		want++;
		for (j = 0; j < a->n && strcmp(a->v[j], b->v[i]) != 0; j++)
			;
		same = same && j < a->n;
	}
	for (j = 0; j < a->n; j++)
		n += !package_own_label(p, a->v[j]);
	if (same && n == want)
		verify_put(f, UNIK_FAITHFUL, UNIK_PASS, "config",
			   "its labels are those of the source, and ours");
	else
		verify_put(f, UNIK_FAITHFUL, UNIK_FAIL, "config",
			   "its labels are not those of the source");
}

/* The same layers with another configuration are another image. */
static bool is_other(const struct package *p)
{
	const struct unik_image *r = p->m->source, *s = p->v->source;

	return r->kind == s->kind && r->has_config_digest &&
	       s->has_config_digest &&
	       !unik_digest_equal(&r->config_digest, &s->config_digest);
}

static int check_source(struct package *p, struct findings *f,
			struct unik_err *err)
{
	struct stack_check c = { .v = p->v, .place = &in_package, .package = p,
				 .m = p->m, .object = "stack", .f = f };

	if (!p->v->source) {
		verify_put(f, UNIK_FAITHFUL,
			   p->v->opt->source && !p->v->opt->quick ? UNIK_FAIL
								  : UNIK_SKIP,
			   "stack", "%s", verify_no_source(p->v));
		return verify_emit(p->v, f, err);
	}
	if (is_other(p))
		verify_put(f, UNIK_FAITHFUL, UNIK_FAIL, "stack",
			   "it was made of another source: the configurations "
			   "differ");
	check_labels(p, f);
	package_kernel(p, f);
	if (verify_stack_check(&c, err) < 0 || verify_emit(p->v, f, err) < 0)
		return -1;
	return verify_run(p->v, p->image->nlayers, package_original, p, err);
}

/* ---- all of it ---- */

static void check_found(const struct package *p, struct findings *f)
{
	char name[UNIK_PACK_NAME];
	size_t i;

	for (i = 0; i < p->m->nstack; i++)
		if (!p->spots[i].found)
			verify_put(f, UNIK_IDENTITY, UNIK_FAIL,
				   package_name(p, i, name),
				   "it is not where the recorded stack says");
	package_missing(p, f);
}

static int check_package(struct package *p, struct findings *f,
			 struct unik_err *err)
{
	p->spots = calloc(p->m->nstack + 1, sizeof(*p->spots));
	if (!p->spots)
		return unik_fail_mem(err);
	check_config(p, f);
	if (verify_emit(p->v, f, err) < 0)
		return -1;
	if (p->v->opt->quick)
		return check_source(p, f, err);
	if (verify_run(p->v, p->image->nlayers, package_layer, p, err) < 0)
		return -1;
	check_found(p, f);
	return check_source(p, f, err);
}

int verify_package(struct verify *v, const struct unik_image *image,
		   struct unik_err *err)
{
	struct package p = { .v = v, .image = image };
	struct findings f = { 0 };
	struct unik_err bad;
	int rc;

	if (read_labels(&p, &bad) == 0) {
		rc = check_package(&p, &f, err);
	} else {
		verify_put_err(&f, UNIK_IDENTITY, "stack", &bad);
		rc = 0;
	}
	if (rc == 0)
		rc = verify_emit(v, &f, err);
	findings_release(&f);
	unik_stored_manifest_free(p.stored);
	unik_urunc_release(&p.urunc);
	free(p.spots);
	return rc;
}
