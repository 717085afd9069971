/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "manifest_find.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "limits.h"

/* ---- names ---- */

void unik_names_release(struct unik_names *names)
{
	size_t i;

	for (i = 0; i < names->n; i++)
		free(names->v[i]);
	free(names->v);
	names->v = NULL;
	names->n = 0;
}

static int add_name(struct unik_names *names, size_t *room, const char *name,
		    struct unik_err *err)
{
	char *copy;

	if (names->n == *room) {
		size_t more = *room ? *room * 2 : 64;
		char **v = realloc(names->v, more * sizeof(*v));

		if (!v)
			return unik_fail_mem(err);
		names->v = v;
		*room = more;
	}
	copy = strdup(name);
	if (!copy)
		return unik_fail_mem(err);
	names->v[names->n++] = copy;
	return 0;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int read_names(DIR *d, uint64_t max, struct unik_names *names,
		      struct unik_err *err)
{
	const struct dirent *e;
	size_t room = 0;

	while (errno = 0, (e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (names->n >= max)
			return unik_fail(err, "more than %llu files "
					 "(--max-members)",
					 (unsigned long long)max);
		if (add_name(names, &room, e->d_name, err) < 0)
			return -1;
	}
	if (errno != 0)
		return unik_fail_sys(err, "can't list it");
	if (names->n > 0)
		qsort(names->v, names->n, sizeof(*names->v), by_bytes);
	return 0;
}

int unik_store_list(const struct unik_store *s, const char *dir, uint64_t max,
		    struct unik_names *names, struct unik_err *err)
{
	int fd = openat(unik_store_dir(s, dir), ".",
			O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	int rc;

	names->v = NULL;
	names->n = 0;
	if (!d) {
		unik_fail_sys(err, "can't list '%s/%s'", unik_store_path(s),
			      dir);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	rc = read_names(d, max, names, err);
	closedir(d);
	if (rc == 0)
		return 0;
	unik_names_release(names);
	return unik_wrap(err, "'%s/%s'", unik_store_path(s), dir);
}

/* ---- STORE[:NAME] ---- */

int unik_store_split(const char *text, char **path, const char **name,
		     struct unik_err *err)
{
	size_t n = strlen(text);
	struct stat st;

	*name = NULL;
	*path = strdup(text);
	if (!*path)
		return unik_fail_mem(err);
	if (stat(text, &st) == 0)
		return 0;
	for (n = strcspn(text, ":"); text[n]; n += 1 + strcspn(text + n + 1,
							       ":")) {
		(*path)[n] = 0;
		if (stat(*path, &st) == 0) {
			*name = text + n + 1;
			return 0;
		}
		(*path)[n] = ':';
	}
	return 0;
}

/* The last two parts of a reference's name, in `buf`; false: it has none. */
static bool split_ref(const char *ref, char buf[UNIK_REF_NAME],
		      const char **target, const char **format)
{
	char *dot;
	int i;

	if (strlen(ref) >= UNIK_REF_NAME)
		return false;
	snprintf(buf, UNIK_REF_NAME, "%s", ref);
	dot = strrchr(buf, '.');
	if (!dot || strcmp(dot, ".json") != 0)
		return false;
	for (i = 0; i < 2; i++) {
		*dot = 0;
		*(i == 0 ? format : target) = NULL;
		dot = strrchr(buf, '.');
		if (!dot)
			return false;
		*(i == 0 ? format : target) = dot + 1;
	}
	*dot = 0;
	return true;
}

/* Drops a word from the end of a text that has it there. */
static bool drop_end(char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	if (n <= m || strcmp(text + n - m, end) != 0)
		return false;
	text[n - m] = 0;
	return true;
}

/* Whether a reference's name is made of these parts: the source's as it is, or
 * spelled already. */
static int is_made_of(const char *ref, const char *stem, const char *source,
		      const char *target, const char *format,
		      struct unik_err *err)
{
	char made[UNIK_REF_NAME];

	if (strcmp(stem, source) == 0)
		return 1;
	if (unik_ref_name(made, source, target, format, err) < 0)
		return -1;
	return strcmp(made, ref) == 0;
}

/*
 * How a reference fits a name: 2 it is the one file called so, or the one of
 * SOURCE.TARGET.FORMAT; 1 it is one of SOURCE or SOURCE.TARGET; 0 not at all;
 * -1.  `source` is scratch, a copy of the name.
 */
static int fits_parts(const char *ref, char *source, struct unik_err *err)
{
	char stem[UNIK_REF_NAME], end[UNIK_REF_NAME];
	const char *target, *format;
	int rc;

	if (!split_ref(ref, stem, &target, &format))
		return 0;
	rc = is_made_of(ref, stem, source, target, format, err);
	if (rc != 0)
		return rc;
	snprintf(end, sizeof(end), ".%s.%s", target, format);
	if (drop_end(source, end)) {
		rc = is_made_of(ref, stem, source, target, format, err);
		return rc > 0 ? 2 : rc;
	}
	snprintf(end, sizeof(end), ".%s", target);
	if (drop_end(source, end))
		return is_made_of(ref, stem, source, target, format, err);
	return 0;
}

static int fits(const char *ref, const char *name, struct unik_err *err)
{
	char *copy = strdup(name);
	int rc;

	if (!copy)
		return unik_fail_mem(err);
	drop_end(copy, ".json");
	if (strncmp(ref, copy, strlen(copy)) == 0 &&
	    (strcmp(ref + strlen(copy), ".json") == 0 ||
	     strcmp(ref, name) == 0))
		rc = 2;
	else
		rc = fits_parts(ref, copy, err);
	free(copy);
	return rc;
}

/* Keeps one name, or those that `keep` marks; the others are freed. */
static void filter(struct unik_names *names, const bool *keep)
{
	size_t i, n = 0;

	for (i = 0; i < names->n; i++) {
		if (keep[i])
			names->v[n++] = names->v[i];
		else
			free(names->v[i]);
	}
	names->n = n;
}

/* Where one is meant outright, the others are not. */
static int mark(const struct unik_names *refs, const char *name, bool *keep,
		struct unik_err *err)
{
	size_t i, one = refs->n;
	int how;

	for (i = 0; i < refs->n; i++) {
		how = fits(refs->v[i], name, err);
		if (how < 0)
			return -1;
		keep[i] = how > 0;
		if (how == 2 && one == refs->n)
			one = i;
	}
	for (i = 0; one < refs->n && i < refs->n; i++)
		keep[i] = i == one;
	return 0;
}

int unik_store_find(const struct unik_store *s, const char *name,
		    const struct unik_limits *limits, struct unik_names *refs,
		    struct unik_err *err)
{
	char q[UNIK_QUOTE_SIZE];
	bool *keep;
	size_t i;
	int rc = 0;

	if (unik_store_list(s, "refs", limits->members, refs, err) < 0)
		return -1;
	keep = calloc(refs->n + 1, sizeof(*keep));
	if (!keep)
		rc = unik_fail_mem(err);
	else if (name)
		rc = mark(refs, name, keep, err);
	for (i = 0; rc == 0 && i < refs->n; i++)
		keep[i] = (keep[i] || !name) && !unik_temp_is(refs->v[i]);
	if (rc == 0)
		filter(refs, keep);
	free(keep);
	if (rc == 0 && name && refs->n == 0)
		rc = unik_fail(err, "'%s' has no stack %s", unik_store_path(s),
			       unik_quote(q, name, strlen(name)));
	if (rc < 0)
		unik_names_release(refs);
	return rc;
}

/* The names as one text, as many as fit. */
static void list_names(const struct unik_names *names, char *buf, size_t size)
{
	size_t i, used = 0;
	char q[UNIK_QUOTE_SIZE];

	buf[0] = 0;
	for (i = 0; i < names->n; i++) {
		unik_quote(q, names->v[i], strlen(names->v[i]));
		if (used + strlen(q) + 16 > size) {
			snprintf(buf + used, size - used, ", ...");
			return;
		}
		used += (size_t)snprintf(buf + used, size - used, "%s%s",
					 i ? ", " : "", q);
	}
}

int unik_store_find_one(const struct unik_store *s, const char *name,
			const struct unik_limits *limits,
			struct unik_names *refs, struct unik_err *err)
{
	char list[768];

	if (unik_store_find(s, name, limits, refs, err) < 0)
		return -1;
	if (refs->n == 1)
		return 0;
	list_names(refs, list, sizeof(list));
	if (refs->n == 0)
		unik_fail(err, "'%s' holds no stack", unik_store_path(s));
	else
		unik_fail_usage(err, "one stack is wanted, '%s' has several: "
				"%s", unik_store_path(s), list);
	unik_names_release(refs);
	return -1;
}

/* ---- manifests ---- */

bool unik_store_name_digest(const char *name, const char *ext,
			    struct unik_digest *d)
{
	enum { HEX = 2 * UNIK_SHA256_SIZE };
	char text[7 + HEX + 1] = "sha256:";
	struct unik_err ignored;

	if (strncmp(name, "sha256-", 7) != 0 || strlen(name) < 7 + HEX ||
	    strcmp(name + 7 + HEX, ext) != 0)
		return false;
	memcpy(text + 7, name + 7, HEX);
	text[7 + HEX] = 0;
	return unik_digest_parse(d, text, &ignored) == 0;
}

int unik_store_stack(const struct unik_store *s, const char *file,
		     const struct unik_limits *limits,
		     struct unik_stored_manifest **out,
		     struct unik_digest *digest, struct unik_err *err)
{
	struct unik_digest named, taken;
	char q[UNIK_QUOTE_SIZE];
	char *text = NULL;
	size_t n;
	int rc;

	unik_quote(q, file, strlen(file));
	if (!unik_store_name_digest(file, ".json", &named))
		return unik_fail(err, "%s is no name of a manifest", q);
	rc = unik_store_get(s, "stacks", file, limits->json_size, &text, &n,
			    err);
	if (rc < 0)
		return -1;
	if (rc > 0)
		return unik_fail(err, "'%s/stacks' has no %s",
				 unik_store_path(s), q);
	rc = unik_sha256(text, n, &taken, err);
	if (rc == 0 && !unik_digest_equal(&named, &taken))
		rc = unik_fail(err, "its sha256 is not its name");
	if (rc == 0)
		rc = unik_manifest_read(out, text, n, limits, err);
	free(text);
	if (rc < 0)
		return unik_wrap(err, "'%s/stacks/%s'", unik_store_path(s),
				 file);
	if (digest)
		*digest = taken;
	return 0;
}

int unik_store_ref_target(const struct unik_store *s, const char *ref,
			  char file[UNIK_IMAGE_NAME], struct unik_err *err)
{
	static const char head[] = "../stacks/";
	char target[sizeof(head) + UNIK_IMAGE_NAME], q[UNIK_QUOTE_SIZE];
	ssize_t n = readlinkat(unik_store_dir(s, "refs"), ref, target,
			       sizeof(target) - 1);
	struct unik_digest d;

	unik_quote(q, ref, strlen(ref));
	if (n < 0 && errno != EINVAL)
		return unik_fail_sys(err, "can't read the link %s", q);
	target[n < 0 ? 0 : n] = 0;
	if (strncmp(target, head, sizeof(head) - 1) != 0 ||
	    !unik_store_name_digest(target + sizeof(head) - 1, ".json", &d))
		return unik_fail(err, "the reference %s is no link to a "
				 "manifest", q);
	unik_image_name(&d, "json", file);
	return 0;
}

int unik_store_manifest(const struct unik_store *s, const char *ref,
			const struct unik_limits *limits,
			struct unik_stored_manifest **out,
			struct unik_digest *digest, struct unik_err *err)
{
	char file[UNIK_IMAGE_NAME];

	if (unik_store_ref_target(s, ref, file, err) < 0)
		return -1;
	return unik_store_stack(s, file, limits, out, digest, err);
}
