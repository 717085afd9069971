/* SPDX-License-Identifier: GPL-3.0-or-later */
/* inspect: the report on a store. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "inspect_store_private.h"

/* ---- stacks ---- */

/* A manifest that is not there is another error: UNIK_EBAD. */
bool inspect_ref_is_gone(const struct unik_err *err)
{
	return err->code == UNIK_EIO && err->sys == ENOENT;
}

static int take_stack(struct store_report *r, const char *ref,
		      struct unik_err *err)
{
	struct stack_row *row = &r->stacks[r->nstacks];
	size_t n = strlen(ref);

	if (n > 5 && strcmp(ref + n - 5, ".json") == 0)
		n -= 5;
	row->ref = unik_arena_text(&r->arena, ref, n);
	if (!row->ref)
		return unik_fail_mem(err);
	if (unik_store_manifest(r->t->store, ref, &r->t->opt->limits,
				&row->manifest, &row->digest, err) == 0) {
		r->nstacks++;
		return 0;
	}
	if (inspect_ref_is_gone(err))
		return 0;
	if (err->code != UNIK_EBAD)
		return -1;
	inspect_warn(r->t->opt, "%s", err->msg);
	r->nbad++;
	return 0;
}

static int take_stacks(struct store_report *r, struct unik_err *err)
{
	struct unik_names refs;
	size_t i;
	int rc = 0;

	if (unik_store_find(r->t->store, r->t->name, &r->t->opt->limits, &refs,
			    err) < 0)
		return -1;
	r->stacks = unik_arena_alloc(&r->arena,
				     (refs.n + 1) * sizeof(*r->stacks));
	if (!r->stacks)
		rc = unik_fail_mem(err);
	for (i = 0; i < refs.n && rc == 0; i++)
		rc = take_stack(r, refs.v[i], err);
	unik_names_release(&refs);
	return rc;
}

/* ---- images ---- */

static int compare_images(const void *a, const void *b)
{
	return strcmp(((const struct image_row *)a)->name,
		      ((const struct image_row *)b)->name);
}

static int add_image(struct store_report *r, const struct stack_row *row,
		     size_t i, struct unik_err *err)
{
	const struct unik_manifest *m = &row->manifest->m;
	const struct unik_stack_image *s = &m->stack[i];
	struct image_row *image = &r->images[r->nimages];
	char name[UNIK_IMAGE_NAME];
	struct stat st;

	unik_image_name(&s->facts.image, s->format ? s->format : m->format,
			name);
	image->name = unik_arena_text(&r->arena, name, strlen(name));
	if (!image->name)
		return unik_fail_mem(err);
	image->digest = s->facts.image;
	image->size = s->facts.size;
	image->writable = inspect_is_scratch(s);
	if (fstatat(unik_store_dir(r->t->store, "images"), name, &st,
		    AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT)
			return unik_fail_sys(err, "can't stat '%s/images/%s'",
					     r->t->path, name);
		image->missing = true;
	}
	r->nimages++;
	return 0;
}

/* Sorted by name, each once. */
static void unite_images(struct store_report *r)
{
	size_t i, n = 0;

	if (r->nimages == 0)
		return;
	qsort(r->images, r->nimages, sizeof(*r->images), compare_images);
	for (i = 0; i < r->nimages; i++) {
		if (n > 0 && compare_images(&r->images[n - 1],
					    &r->images[i]) == 0)
			r->images[n - 1].writable |= r->images[i].writable;
		else
			r->images[n++] = r->images[i];
	}
	r->nimages = n;
}

/* Which image each place of a stack holds. */
static int place_images(struct store_report *r, struct stack_row *row,
			struct unik_err *err)
{
	const struct unik_manifest *m = &row->manifest->m;
	size_t i, k;

	row->images = unik_arena_alloc(&r->arena,
				       (m->nstack + 1) * sizeof(size_t));
	if (!row->images)
		return unik_fail_mem(err);
	for (i = 0; i < m->nstack; i++) {
		const struct unik_stack_image *s = &m->stack[i];
		char name[UNIK_IMAGE_NAME];
		struct image_row key = { .name = name }, *found;

		unik_image_name(&s->facts.image, s->format ? s->format
							   : m->format, name);
		found = bsearch(&key, r->images, r->nimages,
				sizeof(*r->images), compare_images);
		if (!found) /* it was put there */
			return unik_fail_io(err, "an image was lost");
		row->images[i] = (size_t)(found - r->images);
		if (found->writable)
			row->scratch += found->size;
		for (k = 0; k < i; k++)
			if (row->images[k] == row->images[i])
				break;
		if (k < i)
			continue; /* twice in one stack */
		found->nstacks++;
		row->size += found->size;
	}
	r->stack_size += row->size;
	return 0;
}

static int take_images(struct store_report *r, struct unik_err *err)
{
	size_t total = 0, k, i;

	for (k = 0; k < r->nstacks; k++)
		total += r->stacks[k].manifest->m.nstack;
	r->images = unik_arena_alloc(&r->arena,
				     (total + 1) * sizeof(*r->images));
	if (!r->images)
		return unik_fail_mem(err);
	for (k = 0; k < r->nstacks; k++)
		for (i = 0; i < r->stacks[k].manifest->m.nstack; i++)
			if (add_image(r, &r->stacks[k], i, err) < 0)
				return -1;
	unite_images(r);
	for (k = 0; k < r->nstacks; k++)
		if (place_images(r, &r->stacks[k], err) < 0)
			return -1;
	for (i = 0; i < r->nimages; i++)
		r->size += r->images[i].size;
	return 0;
}

/* ---- all of it ---- */

/* A store that can't be followed whole has no known garbage. */
static int take_garbage(struct store_report *r, struct unik_err *err)
{
	if (r->t->name || r->nbad > 0)
		return 0;
	r->garbage_known = true;
	return garbage_find(r->t, false, &r->garbage, err);
}

int store_gather(struct store_report *r, struct unik_err *err)
{
	if (take_stacks(r, err) < 0 || take_images(r, err) < 0)
		return -1;
	return take_garbage(r, err);
}

void store_release(struct store_report *r)
{
	size_t k;

	for (k = 0; k < r->nstacks; k++)
		unik_stored_manifest_free(r->stacks[k].manifest);
	garbage_release(&r->garbage);
	unik_arena_release(&r->arena);
}

int inspect_store(struct target *t, struct out *o, struct unik_err *err)
{
	struct store_report r = { .t = t, .containers = 1 };
	int rc;

	if (t->part)
		return unik_fail_usage(err, "a part is named, but no --tree, "
				       "--diff or --cat");
	if (o->opt->containers)
		r.containers = o->opt->containers;
	rc = store_gather(&r, err);
	if (rc == 0 && o->opt->sharing)
		rc = store_sharing(&r, err);
	if (rc == 0)
		rc = o->opt->json ? store_json(&r, o) : store_text(&r, o);
	if (rc == 0 && r.nbad > 0)
		rc = unik_fail(err, "%zu reference%s of '%s' can't be followed",
			       r.nbad, r.nbad == 1 ? "" : "s", t->path);
	store_release(&r);
	return rc;
}
