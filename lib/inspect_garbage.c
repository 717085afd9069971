/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * inspect: what nothing in a store refers to.  References keep manifests,
 * manifests keep images; layers/ is a cache and keeps nothing.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "inspect_store_private.h"
#include "sums.h"

/* Names that stay. */
struct kept {
	char **v;
	size_t n;
	size_t room;
	bool sorted;
};

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int keep(struct kept *k, const char *name, struct unik_err *err)
{
	char *copy;

	if (k->n == k->room) {
		size_t room = k->room ? k->room * 2 : 64;
		char **v = realloc(k->v, room * sizeof(*v));

		if (!v)
			return unik_fail_mem(err);
		k->v = v;
		k->room = room;
	}
	copy = strdup(name);
	if (!copy)
		return unik_fail_mem(err);
	k->v[k->n++] = copy;
	k->sorted = false;
	return 0;
}

static bool is_kept(struct kept *k, const char *name)
{
	if (!k->sorted && k->n > 0)
		qsort(k->v, k->n, sizeof(*k->v), by_bytes);
	k->sorted = true;
	return k->n > 0 &&
	       bsearch(&name, k->v, k->n, sizeof(*k->v), by_bytes) != NULL;
}

static void kept_release(struct kept *k)
{
	size_t i;

	for (i = 0; i < k->n; i++)
		free(k->v[i]);
	free(k->v);
}

struct search {
	const struct target *t;
	bool temps;
	struct garbage_list *list;
	struct kept stacks;
	struct kept images;
	struct unik_err *err;
};

static int add(struct search *s, const char *dir, const char *name,
	       const char *reason)
{
	struct garbage_list *list = s->list;
	struct garbage *g;
	struct stat st;

	if (list->n == list->room) {
		size_t room = list->room ? list->room * 2 : 64;

		g = realloc(list->v, room * sizeof(*g));
		if (!g)
			return unik_fail_mem(s->err);
		list->v = g;
		list->room = room;
	}
	g = &list->v[list->n];
	g->dir = dir;
	g->reason = reason;
	g->size = 0;
	g->name = unik_arena_text(&list->arena, name, strlen(name));
	if (!g->name)
		return unik_fail_mem(s->err);
	if (fstatat(unik_store_dir(s->t->store, dir), name, &st,
		    AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
		g->size = (uint64_t)st.st_size;
	list->size += g->size;
	list->n++;
	return 0;
}

/* ---- what stays ---- */

static int keep_stack(struct search *s, const char *ref)
{
	struct unik_stored_manifest *m;
	char name[UNIK_IMAGE_NAME];
	struct unik_digest d;
	size_t i;
	int rc = 0;

	if (unik_store_manifest(s->t->store, ref, &s->t->opt->limits, &m, &d,
				s->err) < 0)
		return inspect_ref_is_gone(s->err) ? 0 : -1;
	unik_image_name(&d, "json", name);
	rc = keep(&s->stacks, name, s->err);
	for (i = 0; i < m->m.nstack && rc == 0; i++) {
		const struct unik_stack_image *image = &m->m.stack[i];

		unik_image_name(&image->facts.image, image->format ?
				image->format : m->m.format, name);
		rc = keep(&s->images, name, s->err);
	}
	unik_stored_manifest_free(m);
	return rc;
}

static int keep_all(struct search *s)
{
	struct unik_names refs;
	size_t i;
	int rc = 0;

	if (unik_store_list(s->t->store, "refs", s->t->opt->limits.members,
			    &refs, s->err) < 0)
		return -1;
	for (i = 0; i < refs.n && rc == 0; i++)
		if (!unik_temp_is(refs.v[i]))
			rc = keep_stack(s, refs.v[i]);
	unik_names_release(&refs);
	return rc;
}

/* ---- what goes ---- */

/* "sha256-<hex>.<ext>" with some extension. */
static bool is_image_name(const char *name)
{
	const char *dot = strchr(name, '.');
	struct unik_digest d;

	return dot && dot[1] && unik_store_name_digest(name, dot, &d);
}

static int judge_stack(struct search *s, const char *name)
{
	struct unik_digest d;

	if (is_kept(&s->stacks, name))
		return 0;
	if (unik_store_name_digest(name, ".json", &d))
		return add(s, "stacks", name, "no reference");
	return 1;
}

static int judge_image(struct search *s, const char *name)
{
	if (is_kept(&s->images, name))
		return 0;
	return is_image_name(name) ? add(s, "images", name, "in no stack") : 1;
}

/* Whether a link of layers/ leads to an image that stays. */
static bool leads_to_kept(struct search *s, const char *name)
{
	static const char head[] = "../images/";
	char target[UNIK_IMAGE_NAME + sizeof(head)];
	ssize_t n = readlinkat(unik_store_dir(s->t->store, "layers"), name,
			       target, sizeof(target) - 1);
	struct stat st;

	if (n < 0)
		return false;
	target[n] = 0;
	return strncmp(target, head, sizeof(head) - 1) == 0 &&
	       is_kept(&s->images, target + sizeof(head) - 1) &&
	       fstatat(unik_store_dir(s->t->store, "images"),
		       target + sizeof(head) - 1, &st,
		       AT_SYMLINK_NOFOLLOW) == 0;
}

/* A link, or the record beside it. */
static int judge_layer(struct search *s, const char *name)
{
	size_t n = strlen(name);
	char link[256];

	if (!is_image_name(name) || n >= sizeof(link))
		return 1;
	memcpy(link, name, n + 1);
	if (n > 5 && strcmp(name + n - 5, ".json") == 0)
		link[n - 5] = 0;
	if (leads_to_kept(s, link))
		return 0;
	return add(s, "layers", name, "of no image that stays");
}

static int judge_ref(struct search *s, const char *name)
{
	(void)s;
	(void)name;
	return 0; /* all of them were followed */
}

static const struct {
	const char *dir;
	int (*judge)(struct search *s, const char *name); /* 1: foreign */
} dirs[] = {
	/* In the order of removal: nothing ever points to what is gone. */
	{ "refs", judge_ref },
	{ "layers", judge_layer },
	{ "stacks", judge_stack },
	{ "images", judge_image },
};

#define NDIRS (sizeof(dirs) / sizeof(dirs[0]))

static int search_dir(struct search *s, size_t i)
{
	struct unik_names names;
	char q[UNIK_QUOTE_SIZE];
	size_t k;
	int rc = 0;

	if (unik_store_list(s->t->store, dirs[i].dir,
			    s->t->opt->limits.members, &names, s->err) < 0)
		return -1;
	for (k = 0; k < names.n && rc >= 0; k++) {
		const char *name = names.v[k];

		if (unik_temp_is(name)) {
			if (s->temps)
				rc = add(s, dirs[i].dir, name,
					 "left by a dead process");
			continue;
		}
		rc = dirs[i].judge(s, name);
		if (rc == 1)
			inspect_warn(s->t->opt, "'%s/%s': %s is no name of a "
				     "store, it stays", s->t->path, dirs[i].dir,
				     unik_quote(q, name, strlen(name)));
	}
	unik_names_release(&names);
	return rc < 0 ? -1 : 0;
}

int garbage_find(const struct target *t, bool temps, struct garbage_list *list,
		 struct unik_err *err)
{
	struct search s = { .t = t, .temps = temps, .list = list, .err = err };
	size_t i;
	int rc;

	rc = keep_all(&s);
	for (i = 0; i < NDIRS && rc == 0; i++)
		rc = search_dir(&s, i);
	kept_release(&s.stacks);
	kept_release(&s.images);
	return rc;
}

void garbage_release(struct garbage_list *list)
{
	free(list->v);
	unik_arena_release(&list->arena);
	memset(list, 0, sizeof(*list));
}

/* ---- the answer ---- */

static bool is_listed(void *data, const char *dir, const char *name)
{
	const struct garbage_list *list = data;
	size_t i;

	for (i = 0; i < list->n; i++)
		if (strcmp(list->v[i].dir, dir) == 0 &&
		    strcmp(list->v[i].name, name) == 0)
			return true;
	return false;
}

/* SHA256SUMS never lists what is gone. */
static int update_sums(struct target *t, struct garbage_list *list,
		       struct unik_err *err)
{
	return list->n > 0 ? unik_store_sums(t->store, is_listed, list, err)
			   : 0;
}

static int remove_all(struct target *t, const struct garbage_list *list,
		      struct unik_err *err)
{
	size_t i;

	for (i = 0; i < list->n; i++) {
		const struct garbage *g = &list->v[i];

		if (unik_temp_is(g->name))
			continue; /* cleaned below, where its writer is dead */
		if (unlinkat(unik_store_dir(t->store, g->dir), g->name, 0) <
			    0 && errno != ENOENT)
			return unik_fail_sys(err, "can't remove '%s/%s/%s'",
					     t->path, g->dir, g->name);
	}
	for (i = 0; i < NDIRS; i++)
		if (unik_temp_clean(unik_store_dir(t->store, dirs[i].dir),
				    err) < 0)
			return -1;
	return unik_store_sync(t->store, err);
}

static int put_text(const struct garbage_list *list, bool removed,
		    struct out *o)
{
	char size[24];
	size_t i;

	for (i = 0; i < list->n; i++) {
		const struct garbage *g = &list->v[i];

		out_text(o, "%s/", g->dir);
		out_clean(o, g->name);
		if (strcmp(g->dir, "images") == 0)
			out_text(o, "  %s", inspect_size(g->size, size));
		out_text(o, "\n");
	}
	out_text(o, "%s%zu name%s, %s\n", removed ? "removed " : "", list->n,
		 list->n == 1 ? "" : "s", inspect_size(list->size, size));
	return o->failed ? -1 : 0;
}

static int put_json(const struct target *t, const struct garbage_list *list,
		    bool removed, struct out *o)
{
	struct unik_json_out j;
	size_t i;

	inspect_json_begin(&j, "garbage");
	unik_json_put_string(&j, "store", t->path);
	unik_json_put_bool(&j, "removed", removed);
	unik_json_put_array(&j, "names");
	for (i = 0; i < list->n; i++) {
		unik_json_put_object(&j, NULL);
		unik_json_put_string(&j, "dir", list->v[i].dir);
		unik_json_put_string(&j, "name", list->v[i].name);
		unik_json_put_uint(&j, "size", list->v[i].size);
		unik_json_put_string(&j, "reason", list->v[i].reason);
		unik_json_put_end(&j);
	}
	unik_json_put_end(&j);
	unik_json_put_uint(&j, "size", list->size);
	unik_json_put_end(&j);
	return out_json(o, &j);
}

int inspect_garbage(struct target *t, struct out *o, struct unik_err *err)
{
	struct garbage_list list = { 0 };
	bool removed = o->opt->remove;
	int rc;

	if (target_need_store(t, err) < 0)
		return -1;
	if (t->name)
		return unik_fail_usage(err, "garbage is that of a whole store, "
				       "not of one stack");
	/* Conversions hold the lock, shared: what one of them found in the
	 * store must still be there when it refers to it. */
	rc = unik_store_lock(t->store, err);
	if (rc == 0 && garbage_find(t, true, &list, err) < 0)
		rc = unik_wrap(err, "nothing is removed");
	if (rc == 0 && removed)
		rc = update_sums(t, &list, err);
	if (rc == 0 && removed)
		rc = remove_all(t, &list, err);
	if (rc == 0)
		rc = o->opt->json ? put_json(t, &list, removed, o)
				  : put_text(&list, removed, o);
	garbage_release(&list);
	return rc;
}
