/* SPDX-License-Identifier: GPL-3.0-or-later */
/* verify: SHA256SUMS of a store: its lines are right, and all that references
 * lead to is in it. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io.h"
#include "sums.h"
#include "verify_private.h"

#define HEX (2 * UNIK_SHA256_SIZE)

/* The whole file with a NUL: 0, 1 there is none, -1. */
static int read_sums(const struct store_view *s, char **text,
		     struct unik_err *err)
{
	char path[4096];
	struct stat st;
	size_t n;
	int fd, rc = -1;

	snprintf(path, sizeof(path), "%s/" UNIK_SUMS,
		 unik_store_path(s->store));
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 1;
	if (fd < 0 || fstat(fd, &st) < 0)
		unik_fail_sys(err, "can't open it");
	else if (!S_ISREG(st.st_mode) || st.st_size > UNIK_SUMS_MAX)
		unik_fail(err, "it is no list of digests");
	else if (!(*text = malloc((size_t)st.st_size + 1)))
		unik_fail_mem(err);
	else
		rc = unik_read_full(fd, *text, (size_t)st.st_size, &n, err);
	if (rc == 0)
		(*text)[n] = 0;
	if (fd >= 0)
		close(fd);
	return rc;
}

/* "HEX  DIR/sha256-HEX.EXT": a name in DIR, or NULL. */
static const char *name_of(const char *line, const char **dir)
{
	static const char *const dirs[] = { "images", "stacks" };
	const char *path = line + HEX + 2;
	size_t i, n;

	if (strspn(line, "0123456789abcdef") != HEX ||
	    strncmp(line + HEX, "  ", 2) != 0)
		return NULL;
	for (i = 0; i < 2; i++) {
		n = strlen(dirs[i]);
		if (strncmp(path, dirs[i], n) == 0 &&
		    strncmp(path + n, "/sha256-", 8) == 0 &&
		    strncmp(path + n + 8, line, HEX) == 0 &&
		    path[n + 8 + HEX] == '.' && !strchr(path + n + 1, '/')) {
			*dir = dirs[i];
			return path + n + 1;
		}
	}
	return NULL;
}

/* Cuts the text into lines; each must be of a file that is there. */
static int check_lines(const struct store_view *s, char *text,
		       struct unik_names *lines, struct unik_err *err)
{
	char *line = text, *end, q[UNIK_QUOTE_SIZE];
	size_t n = 0;

	for (end = text; *end; end++)
		n += *end == '\n';
	lines->v = calloc(n + 1, sizeof(*lines->v));
	if (!lines->v)
		return unik_fail_mem(err);
	for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		const char *dir, *name;
		struct stat st;

		*end = 0;
		name = name_of(line, &dir);
		if (!name)
			return unik_fail(err, "%s is no line of it",
					 unik_quote(q, line, strlen(line)));
		if (lines->n > 0 &&
		    strcmp(lines->v[lines->n - 1], line + HEX + 2) >= 0)
			return unik_fail(err, "its lines are not in order");
		if (fstatat(unik_store_dir(s->store, dir), name, &st,
			    AT_SYMLINK_NOFOLLOW) < 0)
			return unik_fail(err, "'%s' is in it, but not in the "
					 "store", line + HEX + 2);
		lines->v[lines->n++] = line + HEX + 2;
	}
	return *line ? unik_fail(err, "its last line has no end") : 0;
}

static int need(const struct unik_names *lines, const char *dir,
		const char *name, struct unik_err *err)
{
	char path[UNIK_IMAGE_NAME + 16];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (verify_find_name(lines, path) < lines->n)
		return 0;
	return unik_fail(err, "'%s' is not in it", path);
}

/* What a reference leads to; what is wrong with that is said elsewhere. */
static int need_ref(const struct store_view *s, const struct unik_names *lines,
		    const char *ref, struct unik_err *err)
{
	struct unik_stored_manifest *stored = NULL;
	char file[UNIK_IMAGE_NAME], name[UNIK_IMAGE_NAME];
	struct unik_err bad;
	size_t i;
	int rc;

	if (unik_store_ref_target(s->store, ref, file, &bad) < 0 ||
	    unik_store_stack(s->store, file, &s->v->opt->limits, &stored, NULL,
			     &bad) < 0)
		return 0;
	rc = need(lines, "stacks", file, err);
	for (i = 0; i < stored->m.nstack && rc == 0; i++)
		rc = need(lines, "images",
			  verify_image_name(&stored->m, i, name), err);
	unik_stored_manifest_free(stored);
	return rc;
}

void verify_sums(const struct store_view *s, struct findings *f)
{
	struct unik_names lines = UNIK_NAMES_NONE;
	struct unik_err err;
	char *text = NULL;
	size_t i;
	int rc = read_sums(s, &text, &err);

	if (rc == 1 && s->refs.n == 0)
		return; /* nothing was converted yet */
	if (rc == 1)
		rc = unik_fail(&err, "it is not there");
	else if (rc == 0)
		rc = check_lines(s, text, &lines, &err);
	for (i = 0; i < s->refs.n && rc == 0; i++)
		if (!unik_temp_is(s->refs.v[i]))
			rc = need_ref(s, &lines, s->refs.v[i], &err);
	if (rc < 0)
		verify_put_err(f, UNIK_IDENTITY, UNIK_SUMS, &err);
	else
		verify_put(f, UNIK_IDENTITY, UNIK_PASS, UNIK_SUMS,
			   "its %zu lines are right, and all that references "
			   "lead to is in it", lines.n);
	free(lines.v);
	free(text);
}
