/* SPDX-License-Identifier: GPL-3.0-or-later */
/* inspect: what a target is: a source, a store, or an image file. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "inspect_private.h"

/* Kinds that are said; a source keeps its word for the image room. */
static const struct {
	const char *prefix;
	enum target_kind kind;
} prefixes[] = {
	{ "docker-archive:", TARGET_SOURCE }, { "oci-archive:", TARGET_SOURCE },
	{ "oci:", TARGET_SOURCE },	      { "layer:", TARGET_SOURCE },
	{ "dir:", TARGET_STORE },	      { "image:", TARGET_IMAGE },
};

#define NPREFIXES (sizeof(prefixes) / sizeof(prefixes[0]))

int inspect_stopped(const struct unik_inspect_options *opt,
		    struct unik_err *err)
{
	if (opt->stop && *opt->stop)
		return unik_fail_io(err, "interrupted");
	return 0;
}

void inspect_warn(const struct unik_inspect_options *opt, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	if (!opt->warn)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	opt->warn(opt->data, text);
}

/* ---- image files ---- */

/* Files and block devices; a FIFO would have to be read in order. */
static int file_size(int fd, uint64_t *size)
{
	struct stat st;
	off_t end;

	if (fstat(fd, &st) < 0 ||
	    !(S_ISREG(st.st_mode) || S_ISBLK(st.st_mode)))
		return -1;
	end = S_ISREG(st.st_mode) ? st.st_size : lseek(fd, 0, SEEK_END);
	*size = (uint64_t)end;
	return end >= 0 ? 0 : -1;
}

int image_file_open(struct image_file *f, int dir, const char *name,
		    struct unik_err *err)
{
	char q[UNIK_QUOTE_SIZE];

	memset(f, 0, sizeof(*f));
	unik_quote(q, name, strlen(name));
	f->data.fd = openat(dir, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC |
				       O_NOCTTY);
	if (f->data.fd < 0)
		return unik_fail_sys(err, "can't open %s", q);
	if (file_size(f->data.fd, &f->size) < 0)
		return unik_fail(err, "%s is no file", q);
	if (unik_reader_detect(&f->reader, f->data.fd, f->size, err) < 0)
		return unik_wrap(err, "%s", q);
	if (!f->reader)
		return unik_fail(err, "%s is no filesystem image that can be "
				 "read", q);
	return 0;
}

void image_file_release(struct image_file *f)
{
	unik_tree_free(f->plain);
	unik_tree_free(f->tree);
	if (f->data.fd >= 0)
		close(f->data.fd);
	f->plain = f->tree = NULL;
	f->data.fd = -1;
}

int image_file_tree(struct image_file *f, const struct unik_limits *limits,
		    const struct unik_tree **tree, struct unik_err *err)
{
	if (!f->tree && f->reader->read(&f->tree, &f->data, f->size, limits,
					err) < 0)
		return -1;
	*tree = f->tree;
	return 0;
}

/* ---- what the text means ---- */

static bool exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

static const char *behind_prefix(const char *text, enum target_kind *kind)
{
	size_t i;

	for (i = 0; i < NPREFIXES; i++) {
		size_t n = strlen(prefixes[i].prefix);

		if (strncmp(text, prefixes[i].prefix, n) != 0)
			continue;
		*kind = prefixes[i].kind;
		return text + n;
	}
	return NULL;
}

/* Whether it can be the number or digest of a part. */
static bool is_part(const char *text)
{
	if (strncmp(text, "sha256:", 7) == 0)
		text += 7;
	return text[0] && text[strspn(text, "0123456789abcdef")] == 0;
}

/* Splits `#PART` off, where the whole is no file. */
static int split_part(struct target *t, const char *text, struct unik_err *err)
{
	enum target_kind ignored;
	const char *rest = behind_prefix(text, &ignored);
	char *hash;

	t->text = strdup(text);
	if (!t->text)
		return unik_fail_mem(err);
	if (exists(rest ? rest : text))
		return 0;
	hash = strrchr(t->text, '#');
	if (!hash || !is_part(hash + 1))
		return 0;
	*hash = 0;
	t->part = hash + 1;
	return 0;
}

/* A directory that looks like a store; an OCI layout is none. */
static bool is_store(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	bool yes;

	if (fd < 0)
		return false;
	yes = fstatat(fd, "stacks", &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	      S_ISDIR(st.st_mode) &&
	      fstatat(fd, "images", &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	      S_ISDIR(st.st_mode);
	close(fd);
	return yes;
}

static bool is_image(const char *path)
{
	struct image_file f;
	struct unik_err ignored;
	bool yes = image_file_open(&f, AT_FDCWD, path, &ignored) == 0;

	image_file_release(&f);
	return yes;
}

/* Sets kind, path and name of a store, path of an image file. */
static int find_kind(struct target *t, struct unik_err *err)
{
	const char *rest = behind_prefix(t->text, &t->kind);
	bool said = rest != NULL;

	if (said && t->kind == TARGET_SOURCE)
		return 0;
	if (!said)
		rest = t->text;
	if (unik_store_split(rest, &t->path, &t->name, err) < 0)
		return -1;
	if (said) {
		if (t->kind == TARGET_IMAGE && t->name)
			return unik_fail_usage(err, "image:FILE takes no name "
					       "behind the file");
		return 0;
	}
	t->kind = TARGET_SOURCE;
	if (strcmp(t->text, "-") == 0)
		return 0;
	if (is_store(t->path))
		t->kind = TARGET_STORE;
	else if (!t->name && is_image(t->path))
		t->kind = TARGET_IMAGE;
	return 0;
}

/* ---- opening ---- */

static int open_source(struct target *t, struct unik_err *err)
{
	struct unik_image_options io = {
		.source = t->text,
		.platform = t->opt->platform,
		.limits = &t->opt->limits,
		.spool_dir = t->opt->spool_dir,
		.warn = t->opt->warn,
		.warn_data = t->opt->data,
	};
	size_t i, k, n;

	if (unik_image_open(&t->image, &io, err) < 0)
		return -1;
	n = t->image->nlayers;
	t->layers = calloc(n + 1, sizeof(struct unik_layer *));
	t->same_as = calloc(n + 1, sizeof(*t->same_as));
	if (!t->layers || !t->same_as)
		return unik_fail_mem(err);
	for (k = 0; k < n; k++) {
		const struct unik_layer_ref *ref = &t->image->layers[k];

		t->same_as[k] = k;
		for (i = 0; i < k && t->same_as[k] == k; i++)
			if (ref->has_diff_id &&
			    unik_digest_equal(&t->image->layers[i].diff_id,
					      &ref->diff_id))
				t->same_as[k] = i;
	}
	return 0;
}

static int open_image(struct target *t, struct unik_err *err)
{
	t->files = calloc(1, sizeof(*t->files));
	if (!t->files)
		return unik_fail_mem(err);
	t->files[0].data.fd = -1;
	t->nfiles = 1;
	return image_file_open(t->files, AT_FDCWD, t->path, err);
}

int target_open(struct target *t, const char *text,
		const struct unik_inspect_options *opt, struct unik_err *err)
{
	memset(t, 0, sizeof(*t));
	t->opt = opt;
	if (!text)
		return unik_fail_usage(err, "no target");
	if (split_part(t, text, err) < 0 || find_kind(t, err) < 0)
		return -1;
	switch (t->kind) {
	case TARGET_SOURCE:
		return open_source(t, err);
	case TARGET_STORE:
		return unik_store_open(&t->store, t->path, false, err);
	default:
		return open_image(t, err);
	}
}

void target_release(struct target *t)
{
	size_t k;

	unik_tree_free(t->merged);
	for (k = 0; t->files && k < t->nfiles; k++)
		image_file_release(&t->files[k]);
	free(t->files);
	for (k = 0; t->layers && k < t->image->nlayers; k++)
		unik_layer_free(t->layers[k]);
	free(t->layers);
	free(t->same_as);
	unik_image_free(t->image);
	unik_stored_manifest_free(t->stack);
	free(t->ref);
	unik_store_free(t->store);
	free(t->text);
	free(t->path);
}

int target_need_store(const struct target *t, struct unik_err *err)
{
	char q[UNIK_QUOTE_SIZE];

	if (t->kind == TARGET_STORE)
		return 0;
	return unik_fail_usage(err, "a store is wanted, %s is %s",
			       unik_quote(q, t->text, strlen(t->text)),
			       t->kind == TARGET_SOURCE ? "a source"
							: "an image file");
}
