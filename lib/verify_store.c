/* SPDX-License-Identifier: GPL-3.0-or-later */
/* verify: a store, whole or as far as one name reaches. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record.h"
#include "sums.h"
#include "verify_private.h"

/* ---- nothing but the four directories and SHA256SUMS ---- */

static int scan_root(DIR *d, struct findings *f, struct unik_err *err)
{
	static const char *const known[] = { ".", "..", "images", "layers",
					     "stacks", "refs", UNIK_SUMS };
	char object[OBJECT_SIZE];
	const struct dirent *e;
	uint64_t extra = 0;
	size_t i;

	while (errno = 0, (e = readdir(d)) != NULL) {
		for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			if (strcmp(known[i], e->d_name) == 0)
				break;
		if (i < sizeof(known) / sizeof(known[0]))
			continue;
		/* Findings of a directory full of something else would have no
		 * end. */
		if (extra++ < MAX_DETAILS)
			verify_put(f, UNIK_IDENTITY, UNIK_FAIL,
				   verify_object(object, "", e->d_name),
				   "it does not belong into a store");
	}
	if (errno != 0)
		return unik_fail_sys(err, "can't list it");
	if (extra > MAX_DETAILS)
		verify_put(f, UNIK_IDENTITY, UNIK_FAIL, ".",
			   "%llu files do not belong into a store",
			   (unsigned long long)extra);
	return 0;
}

static void check_root(const struct store_view *s, struct findings *f)
{
	int fd = open(unik_store_path(s->store),
		      O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct unik_err err;

	if (!d) {
		unik_fail_sys(&err, "can't list it");
		verify_put_err(f, UNIK_IDENTITY, ".", &err);
		if (fd >= 0)
			close(fd);
		return;
	}
	if (scan_root(d, f, &err) < 0)
		verify_put_err(f, UNIK_IDENTITY, ".", &err);
	closedir(d);
}

/* ---- what is to be checked ---- */

size_t verify_find_name(const struct unik_names *names, const char *name)
{
	size_t low = 0, high = names->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int way = strcmp(names->v[mid], name);

		if (way == 0)
			return mid;
		if (way < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return names->n;
}

/* Adds a name at its place, where it is not there yet. */
static int add_name(struct unik_names *names, const char *name,
		    struct unik_err *err)
{
	char **v, *copy;
	size_t i = names->n;

	if (verify_find_name(names, name) < names->n)
		return 0;
	v = realloc(names->v, (names->n + 1) * sizeof(*v));
	if (v)
		names->v = v;
	copy = v ? strdup(name) : NULL;
	if (!copy)
		return unik_fail_mem(err);
	for (; i > 0 && strcmp(v[i - 1], name) > 0; i--)
		v[i] = v[i - 1];
	v[i] = copy;
	names->n++;
	return 0;
}

/* The record of a layer, where the store has one. */
static int add_layer(struct store_view *s, const struct unik_manifest *m,
		     size_t k, struct unik_err *err)
{
	char name[UNIK_RECORD_NAME], file[UNIK_RECORD_NAME + 8];
	int dir = unik_store_dir(s->store, "layers");
	struct stat st;

	unik_record_name(name, &m->layers[k].diff_id, m->format,
			 m->format_version, m->block_size);
	snprintf(file, sizeof(file), "%s.json", name);
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    add_name(&s->layers, name, err) < 0)
		return -1;
	if (fstatat(dir, file, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return add_name(&s->layers, file, err);
	return 0;
}

static int add_stack(struct store_view *s, const char *file,
		     struct unik_err *err)
{
	struct unik_stored_manifest *stored = NULL;
	char name[UNIK_IMAGE_NAME];
	struct unik_err bad;
	size_t i;
	int rc;

	rc = add_name(&s->stacks, file, err);
	/* What is wrong with it, its own check will say. */
	if (rc < 0 || unik_store_stack(s->store, file, &s->v->opt->limits,
				       &stored, NULL, &bad) < 0)
		return rc;
	for (i = 0; i < stored->m.nstack && rc == 0; i++)
		rc = add_name(&s->images,
			      verify_image_name(&stored->m, i, name), err);
	for (i = 0; i < stored->m.nlayers && rc == 0; i++)
		rc = add_layer(s, &stored->m, i, err);
	unik_stored_manifest_free(stored);
	return rc;
}

/* All that belongs to some references. */
static int find_named(struct store_view *s, const char *name,
		      struct unik_err *err)
{
	char file[UNIK_IMAGE_NAME];
	struct unik_err bad;
	size_t i;

	if (unik_store_find(s->store, name, &s->v->opt->limits, &s->refs,
			    err) < 0)
		return -1;
	for (i = 0; i < s->refs.n; i++)
		if (unik_store_ref_target(s->store, s->refs.v[i], file,
					  &bad) == 0 &&
		    add_stack(s, file, err) < 0)
			return -1;
	return 0;
}

/* References first: what they need was there before them, also where a
 * conversion is at work meanwhile. */
static int find_all(struct store_view *s, struct unik_err *err)
{
	uint64_t max = s->v->opt->limits.members;

	if (unik_store_list(s->store, "refs", max, &s->refs, err) < 0 ||
	    unik_store_list(s->store, "stacks", max, &s->stacks, err) < 0 ||
	    unik_store_list(s->store, "layers", max, &s->layers, err) < 0)
		return -1;
	return unik_store_list(s->store, "images", max, &s->images, err);
}

/* ---- all of it ---- */

static int check_parts(struct store_view *s, struct unik_err *err)
{
	struct verify *v = s->v;

	s->bad = calloc(s->images.n + 1, sizeof(*s->bad));
	if (!s->bad)
		return unik_fail_mem(err);
	if (verify_run(v, s->refs.n, verify_ref, s, err) < 0 ||
	    verify_run(v, s->stacks.n, verify_stack, s, err) < 0 ||
	    verify_run(v, s->layers.n, verify_layer_name, s, err) < 0 ||
	    verify_run(v, s->images.n, verify_image, s, err) < 0)
		return -1;
	return verify_faithful(s, err);
}

static void view_release(struct store_view *s)
{
	unik_names_release(&s->refs);
	unik_names_release(&s->stacks);
	unik_names_release(&s->layers);
	unik_names_release(&s->images);
	free(s->bad);
	unik_store_free(s->store);
}

int verify_store(struct verify *v, const char *path, const char *name,
		 struct unik_err *err)
{
	struct store_view s = { .v = v, .named = name != NULL };
	struct findings f = { 0 };
	int rc;

	rc = unik_store_open(&s.store, path, false, err);
	if (rc == 0 && !name)
		check_root(&s, &f);
	if (rc == 0)
		rc = name ? find_named(&s, name, err) : find_all(&s, err);
	if (rc < 0)
		verify_put_err(&f, UNIK_IDENTITY, ".", err);
	else if (!name)
		verify_sums(&s, &f);
	if (verify_emit(v, &f, err) < 0)
		rc = -1;
	else
		rc = rc == 0 ? check_parts(&s, err) : 0;
	view_release(&s);
	return rc;
}
