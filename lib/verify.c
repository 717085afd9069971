/* SPDX-License-Identifier: GPL-3.0-or-later */
/* verify: what a target is, and who checks it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inflate.h"
#include "io.h"
#include "plan.h"
#include "verify_private.h"

void unik_verify_options_init(struct unik_verify_options *opt)
{
	memset(opt, 0, sizeof(*opt));
	opt->spool_dir = "/tmp";
	unik_limits_init(&opt->limits);
}

/* ---- what it is ---- */

enum kind { SOURCE, STORE, IMAGE_FILE };

struct target {
	enum kind kind;
	char *path;       /* of a store or a file; malloc'ed */
	const char *name; /* of a stack, or NULL */
};

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static bool has(const char *dir, const char *name)
{
	char path[4096];
	struct stat st;
	int n = snprintf(path, sizeof(path), "%s/%s", dir, name);

	return n > 0 && (size_t)n < sizeof(path) && lstat(path, &st) == 0;
}

/* A directory is taken for a store, though a damaged one, unless it holds what
 * every OCI layout has. */
static enum kind kind_of_dir(const char *path)
{
	return !has(path, "images") &&
			       (has(path, "oci-layout") ||
				has(path, "index.json") ||
				has(path, "manifest.json"))
		       ? SOURCE : STORE;
}

/* An archive may hold anything, also where an image has its magic. */
static bool is_archive(int fd, uint64_t size)
{
	uint8_t head[512];
	struct unik_err ignored;

	if (size < sizeof(head) ||
	    unik_pread_all(fd, head, sizeof(head), 0, &ignored) < 0)
		return false;
	return memcmp(head + 257, "ustar", 5) == 0 ||
	       unik_compression_of(head, sizeof(head)) != UNIK_PLAIN;
}

/* With a source, a file is an image, whatever is left of it. */
static int kind_of_file(const char *path, const struct stat *st, bool source,
			enum kind *kind, struct unik_err *err)
{
	const struct unik_reader *reader = NULL;
	uint64_t size = (uint64_t)st->st_size;
	int fd, rc = 0;

	*kind = S_ISBLK(st->st_mode) ? IMAGE_FILE : SOURCE;
	if (!S_ISREG(st->st_mode))
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return unik_fail_sys(err, "can't open it");
	if (!is_archive(fd, size)) {
		rc = unik_reader_detect(&reader, fd, size, err);
		if (reader || source)
			*kind = IMAGE_FILE;
	}
	close(fd);
	return rc;
}

static int find_kind(const struct unik_verify_options *opt, struct target *t,
		     struct unik_err *err)
{
	struct stat st;

	if (stat(t->path, &st) < 0)
		return unik_fail_sys(err, "can't find it");
	if (!S_ISDIR(st.st_mode))
		return kind_of_file(t->path, &st, opt->source && !t->name,
				    &t->kind, err);
	t->kind = kind_of_dir(t->path);
	return 0;
}

static int find_target(const struct unik_verify_options *opt, struct target *t,
		       struct unik_err *err)
{
	static const char *const prefixes[] = { "docker-archive:",
						"oci-archive:", "oci:",
						"layer:" };
	const char *text = opt->target;
	size_t i;

	t->kind = SOURCE;
	if (strcmp(text, "-") == 0)
		return 0;
	for (i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (begins(text, prefixes[i]))
			return 0;
	if (begins(text, "image:")) {
		t->kind = IMAGE_FILE;
		t->path = strdup(text + 6);
		return t->path ? 0 : unik_fail_mem(err);
	}
	if (begins(text, "dir:")) {
		t->kind = STORE;
		return unik_store_split(text + 4, &t->path, &t->name, err);
	}
	if (unik_store_split(text, &t->path, &t->name, err) < 0)
		return -1;
	return find_kind(opt, t, err);
}

/* ---- the check ---- */

static int check_options(const struct unik_verify_options *opt,
			 struct unik_err *err)
{
	if (!opt->target || !opt->target[0])
		return unik_fail_usage(err, "no target");
	if (opt->for_target && !unik_target_find(opt->for_target))
		return unik_fail_usage(err, "unknown target '%s'",
				       opt->for_target);
	if ((opt->semantic || opt->has_layer || opt->for_target) &&
	    !opt->source)
		return unik_fail_usage(err, "trees and layers are compared "
				       "with a source: --source is missing");
	return 0;
}

/* A source that can't be used is a finding; the rest is checked all the
 * same. */
int verify_use_source(struct verify *v, struct unik_err *err)
{
	struct findings f = { 0 };

	if (!v->opt->source || v->opt->quick)
		return 0;
	if (verify_open_source(v, v->opt->source, &v->source, &f,
			       UNIK_FAITHFUL, err) < 0)
		return -1;
	return verify_emit(v, &f, err);
}

bool verify_is_netbsd(const char *target)
{
	const struct unik_target *t = target ? unik_target_find(target) : NULL;

	return t && t->netbsd;
}

const char *verify_no_source(const struct verify *v)
{
	return v->opt->quick	 ? "not with --quick"
	       : v->opt->source ? "the source can't be used"
				: "no --source";
}

static int check_target(struct verify *v, const struct target *t,
			struct unik_err *err)
{
	if (t->kind == SOURCE)
		return verify_source(v, err);
	if (verify_use_source(v, err) < 0)
		return -1;
	if (t->kind == STORE)
		return verify_store(v, t->path, t->name, err);
	return verify_file(v, t->path, err);
}

int unik_verify(const struct unik_verify_options *opt,
		struct unik_verify_counts *counts, struct unik_err *err)
{
	struct verify v = { .opt = opt, .counts = counts };
	struct target t = { 0 };
	struct findings f = { 0 };
	int rc;

	if (check_options(opt, err) < 0)
		return -1;
	if (find_target(opt, &t, err) == 0) {
		rc = check_target(&v, &t, err);
	} else {
		verify_put_err(&f, UNIK_IDENTITY, "target", err);
		rc = verify_emit(&v, &f, err);
	}
	unik_image_free(v.source);
	free(t.path);
	return rc;
}
