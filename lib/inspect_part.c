/* SPDX-License-Identifier: GPL-3.0-or-later */
/* inspect: the parts of a target: layers, images of a stack; their trees. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect_private.h"

/* ---- stacks ---- */

int inspect_open_stack(const struct unik_store *store,
		       const struct unik_manifest *m, struct image_file **files,
		       struct unik_err *err)
{
	char name[UNIK_IMAGE_NAME];
	size_t i;

	*files = calloc(m->nstack + 1, sizeof(**files));
	if (!*files)
		return unik_fail_mem(err);
	for (i = 0; i < m->nstack; i++)
		(*files)[i].data.fd = -1;
	for (i = 0; i < m->nstack; i++) {
		const struct unik_stack_image *s = &m->stack[i];

		unik_image_name(&s->facts.image, s->format ? s->format
							   : m->format, name);
		if (image_file_open(&(*files)[i], unik_store_dir(store,
								 "images"),
				    name, err) < 0)
			return unik_wrap(err, "image %zu", i);
	}
	return 0;
}

int target_stack(struct target *t, struct unik_err *err)
{
	struct unik_names refs = UNIK_NAMES_NONE;
	int rc;

	if (t->stack)
		return 0;
	if (target_need_store(t, err) < 0 ||
	    unik_store_find_one(t->store, t->name, &t->opt->limits, &refs,
				err) < 0)
		return -1;
	rc = unik_store_manifest(t->store, refs.v[0], &t->opt->limits,
				 &t->stack, NULL, err);
	t->ref = refs.v[0];
	refs.n = 0;
	unik_names_release(&refs);
	return rc;
}

static int open_files(struct target *t, struct unik_err *err)
{
	if (t->files)
		return 0;
	if (target_stack(t, err) < 0)
		return -1;
	t->nfiles = t->stack->m.nstack;
	return inspect_open_stack(t->store, &t->stack->m, &t->files, err);
}

/* ---- layers ---- */

int target_layer(struct target *t, size_t k, struct unik_err *err)
{
	const struct unik_layer_options opt = {
		.limits = &t->opt->limits,
		.spool_dir = t->opt->spool_dir,
		.stop = t->opt->stop,
	};
	size_t at = t->same_as[k];

	if (t->layers[at])
		return 0;
	if (unik_layer_load(&t->layers[at], &t->image->layers[at], &opt,
			    err) < 0)
		return unik_wrap(err, "layer %zu", at);
	return 0;
}

/* ---- which one ---- */

int target_parts(struct target *t, size_t *n, struct unik_err *err)
{
	if (t->kind == TARGET_STORE && target_stack(t, err) < 0)
		return -1;
	*n = t->kind == TARGET_SOURCE  ? t->image->nlayers
	     : t->kind == TARGET_STORE ? t->stack->m.nstack
				       : 1;
	return 0;
}

bool target_digest(const struct target *t, size_t part, struct unik_digest *d)
{
	if (t->kind == TARGET_STORE) {
		*d = t->stack->m.stack[part].facts.image;
		return true;
	}
	if (t->kind == TARGET_IMAGE)
		return false;
	if (t->image->layers[part].has_diff_id)
		*d = t->image->layers[part].diff_id;
	else if (t->layers[part])
		*d = t->layers[part]->diff_id;
	else
		return false;
	return true;
}

/* Whether a digest begins so; "sha256:" may be left out. */
static bool begins(const struct unik_digest *d, const char *text)
{
	char buf[UNIK_DIGEST_TEXT];
	size_t n = strlen(text);

	return strncmp(unik_digest_text(d, buf), text, n) == 0 ||
	       (n >= 4 && strncmp(unik_digest_hex(d, buf), text, n) == 0);
}

static int find_part(struct target *t, const char *text, size_t n,
		     size_t *part, struct unik_err *err)
{
	struct unik_digest d, first;
	char q[UNIK_QUOTE_SIZE];
	size_t i, found = n;

	unik_quote(q, text, strlen(text));
	for (i = 0; i < n; i++) {
		if (!target_digest(t, i, &d) || !begins(&d, text))
			continue;
		if (found < n && !unik_digest_equal(&d, &first))
			return unik_fail_usage(err, "%s fits part %zu and "
					       "part %zu", q, found, i);
		if (found == n) {
			found = i;
			first = d;
		}
	}
	if (found == n)
		return unik_fail(err, "there is no part %s: the target has "
				 "%zu", q, n);
	*part = found;
	return 0;
}

int target_part(struct target *t, const char *text, size_t *part,
		struct unik_err *err)
{
	char *end;
	size_t n;

	if (target_parts(t, &n, err) < 0)
		return -1;
	if (text[0] >= '0' && text[0] <= '9' && strlen(text) < 7) {
		*part = (size_t)strtoul(text, &end, 10);
		if (*end == 0 && *part < n)
			return 0;
	}
	return find_part(t, text, n, part, err);
}

int target_chosen(struct target *t, size_t *part, struct unik_err *err)
{
	const char *text = t->part ? t->part : t->opt->part;

	if (t->part && t->opt->part && strcmp(t->part, t->opt->part) != 0)
		return unik_fail_usage(err, "two parts are named: '%s' and "
				       "'%s'", t->part, t->opt->part);
	*part = MERGED;
	return text ? target_part(t, text, part, err) : 0;
}

/* ---- trees ---- */

static int merge_one(struct unik_tree *view, size_t index,
		     const struct unik_tree *tree, struct unik_err *err)
{
	struct unik_merge m = { .view = view, .index = index };

	return unik_merge_layer(&m, tree, err);
}

static int seal_merged(struct unik_tree *view, struct unik_tree **out,
		       struct unik_err *err)
{
	unik_merge_apply(view);
	if (unik_tree_seal(view, err) < 0) {
		unik_tree_free(view);
		return -1;
	}
	*out = view;
	return 0;
}

static int merge_layers(struct target *t, struct unik_err *err)
{
	struct unik_tree *view = NULL;
	size_t k;

	if (unik_tree_new(&view, &t->opt->limits, err) < 0)
		return -1;
	for (k = 0; k < t->image->nlayers; k++) {
		int rc = target_layer(t, k, err);

		if (rc == 0 && merge_one(view, k,
					 t->layers[t->same_as[k]]->tree,
					 err) < 0)
			rc = unik_wrap(err, "layer %zu", k);
		if (rc == 0)
			rc = inspect_stopped(t->opt, err);
		if (rc < 0) {
			unik_tree_free(view);
			return -1;
		}
	}
	return seal_merged(view, &t->merged, err);
}

enum unik_whiteouts inspect_whiteouts(const struct unik_manifest *m)
{
	const struct unik_target *target = unik_target_find(m->target);

	if (m->whiteouts)
		return unik_whiteouts_find(m->whiteouts);
	return target ? target->whiteouts : UNIK_WHITEOUTS_DEFAULT;
}

bool inspect_is_scratch(const struct unik_stack_image *image)
{
	return image->role && strcmp(image->role, "scratch") == 0;
}

static bool is_overlay(const struct unik_manifest *m)
{
	return inspect_whiteouts(m) == UNIK_WHITEOUTS_OVERLAY;
}

/* The tree of an image as OCI writes it; merged trees share its contents. */
static int plain_tree(struct image_file *f, bool overlay,
		      const struct unik_limits *limits,
		      const struct unik_tree **tree, struct unik_err *err)
{
	if (image_file_tree(f, limits, tree, err) < 0)
		return -1;
	if (!overlay)
		return 0;
	if (!f->plain && inspect_unoverlay(*tree, limits, &f->plain, err) < 0)
		return -1;
	*tree = f->plain;
	return 0;
}

int inspect_merge_stack(const struct unik_manifest *m, struct image_file *files,
			const struct unik_limits *limits,
			struct unik_tree **out, struct unik_err *err)
{
	const struct unik_tree *tree;
	struct unik_tree *view = NULL;
	size_t i;

	if (unik_tree_new(&view, limits, err) < 0)
		return -1;
	for (i = 0; i < m->nstack; i++) {
		/* What will be written there is not there yet. */
		if (inspect_is_scratch(&m->stack[i]))
			continue;
		if (plain_tree(&files[i], is_overlay(m), limits, &tree,
			       err) < 0 ||
		    merge_one(view, i, tree, err) < 0) {
			unik_tree_free(view);
			return unik_wrap(err, "image %zu", i);
		}
	}
	return seal_merged(view, out, err);
}

static int merge_parts(struct target *t, struct unik_err *err)
{
	if (t->kind == TARGET_SOURCE)
		return merge_layers(t, err);
	return inspect_merge_stack(&t->stack->m, t->files, &t->opt->limits,
				   &t->merged, err);
}

int target_tree(struct target *t, size_t part, const struct unik_tree **tree,
		struct unik_err *err)
{
	if (t->kind == TARGET_IMAGE)
		return image_file_tree(&t->files[0], &t->opt->limits, tree,
				       err);
	if (part != MERGED && t->kind == TARGET_SOURCE) {
		if (target_layer(t, part, err) < 0)
			return -1;
		*tree = t->layers[t->same_as[part]]->tree;
		return 0;
	}
	if (t->kind == TARGET_STORE && open_files(t, err) < 0)
		return -1;
	if (part != MERGED) {
		if (image_file_tree(&t->files[part], &t->opt->limits, tree,
				    err) < 0)
			return unik_wrap(err, "image %zu", part);
		return 0;
	}
	if (!t->merged && merge_parts(t, err) < 0)
		return -1;
	*tree = t->merged;
	return 0;
}
