/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * image: a path inside a source -> the bytes behind it.  Symlinks and hard
 * links are resolved here, by names alone and inside the source only, the same
 * way for archives and directories.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image_private.h"
#include "path.h"

#define MAX_HOPS 40 /* as Linux: MAXSYMLINKS */

void img_blob_drop(struct img_blob *blob)
{
	if (blob->own)
		close(blob->fd);
	blob->own = false;
	blob->fd = -1;
}

bool img_blob_same(const struct img_blob *a, const struct img_blob *b)
{
	if (a->dev || a->ino || b->dev || b->ino)
		return a->dev == b->dev && a->ino == b->ino;
	return a->fd == b->fd && a->offset == b->offset && a->size == b->size;
}

int img_blob_keep(struct img_ctx *c, struct img_blob *blobs, size_t i,
		  struct unik_err *err)
{
	size_t j;

	if (!blobs[i].own)
		return 0;
	for (j = 0; j < i; j++) {
		if (!img_blob_same(&blobs[i], &blobs[j]))
			continue;
		img_blob_drop(&blobs[i]);
		blobs[i] = blobs[j];
		return 0;
	}
	blobs[i].own = false;
	return img_take_fd(c, blobs[i].fd, err);
}

static int clean(const char *path, char out[IMG_PATH_SIZE],
		 struct unik_err *err)
{
	size_t n = strlen(path), size;

	if (path[0] == '/')
		return unik_fail(err, "an absolute path");
	return unik_path_clean(path, n, 256, out, IMG_PATH_SIZE, &size, err);
}

static int lookup(struct img_ctx *c, const char *path, size_t n, bool full,
		  struct img_found *found, struct unik_err *err)
{
	if (c->box.is_dir)
		return img_dir_lookup(c, path, n, full, found, err);
	return img_archive_lookup(c, path, n, found, err);
}

/* Puts a link's target in the place of path[0..n). */
static int follow(char path[IMG_PATH_SIZE], size_t n,
		  const struct img_found *found, struct unik_err *err)
{
	char joined[3 * IMG_PATH_SIZE], q1[UNIK_QUOTE_SIZE];
	char q2[UNIK_QUOTE_SIZE];
	size_t dir = 0;

	unik_quote(q1, path, n);
	/* A symlink is relative to its directory, a hard link to the root. */
	if (found->type == IMG_SYMLINK)
		for (dir = n; dir > 0 && path[dir - 1] != '/';)
			dir--;
	if (found->link[0] != '/' || found->type == IMG_HARDLINK) {
		const char *target = found->link + strspn(found->link, "/");

		snprintf(joined, sizeof(joined), "%.*s%s%s", (int)dir, path,
			 target, path + n);
		if (clean(joined, path, err) == 0)
			return 0;
	}
	return unik_fail(err, "%s is a link to %s, which leaves the source",
			 q1, unik_quote(q2, found->link, strlen(found->link)));
}

/* Walks down the path to its end, or to the first link: *n gets how far. */
static int walk(struct img_ctx *c, const char *path, size_t *n,
		struct img_found *found, struct unik_err *err)
{
	size_t size = strlen(path);

	for (*n = 0; *n < size;) {
		(*n)++;
		*n += strcspn(path + *n, "/");
		if (lookup(c, path, *n, *n == size, found, err) < 0)
			return -1;
		if (found->type == IMG_SYMLINK || found->type == IMG_HARDLINK)
			return 0;
		/* Archives need not list their directories. */
		if (found->type != IMG_DIR && found->type != IMG_ABSENT &&
		    *n < size)
			found->type = IMG_ABSENT;
	}
	return 0;
}

static int resolve(struct img_ctx *c, const char *start,
		   struct img_found *found, struct unik_err *err)
{
	char path[IMG_PATH_SIZE];
	size_t n;
	int hops;

	if (clean(start, path, err) < 0)
		return -1;
	for (hops = 0; hops <= MAX_HOPS; hops++) {
		found->type = IMG_DIR; /* the root, for an empty path */
		if (walk(c, path, &n, found, err) < 0)
			return -1;
		if (found->type != IMG_SYMLINK && found->type != IMG_HARDLINK)
			return 0;
		if (follow(path, n, found, err) < 0)
			return -1;
	}
	return unik_fail(err, "links form a loop");
}

int img_find(struct img_ctx *c, const char *path, struct img_blob *blob,
	     struct unik_err *err)
{
	char q[UNIK_QUOTE_SIZE];
	struct img_found *found = malloc(sizeof(*found));
	int rc;

	if (!found)
		return unik_fail_mem(err);
	rc = resolve(c, path, found, err);
	if (rc < 0)
		unik_wrap(err, "%s", unik_quote(q, path, strlen(path)));
	else if (found->type == IMG_ABSENT)
		rc = 1;
	else if (found->type == IMG_FILE)
		*blob = found->blob;
	else
		rc = unik_fail(err, "%s is not a regular file",
			       unik_quote(q, path, strlen(path)));
	free(found);
	return rc;
}

int img_read_blob(struct img_ctx *c, const struct img_blob *blob,
		  struct img_doc *doc, struct unik_err *err)
{
	char *bytes;

	if (blob->size > c->limits->json_size)
		return unik_fail(err, "%llu bytes of JSON are over the limit "
				 "of %llu (--max-json-size)",
				 (unsigned long long)blob->size,
				 (unsigned long long)c->limits->json_size);
	bytes = malloc((size_t)blob->size + 1);
	if (!bytes)
		return unik_fail_mem(err);
	if (unik_pread_all(blob->fd, bytes, (size_t)blob->size, blob->offset,
			   err) < 0) {
		free(bytes);
		return -1;
	}
	bytes[blob->size] = 0;
	doc->bytes = bytes;
	doc->size = (size_t)blob->size;
	return 0;
}

int img_read_path(struct img_ctx *c, const char *path, struct img_doc *doc,
		  struct unik_err *err)
{
	char q[UNIK_QUOTE_SIZE];
	struct img_blob blob;
	int rc = img_find(c, path, &blob, err);

	if (rc != 0)
		return rc;
	rc = img_read_blob(c, &blob, doc, err);
	img_blob_drop(&blob);
	if (rc < 0)
		unik_wrap(err, "%s", unik_quote(q, path, strlen(path)));
	return rc;
}

/* The same document may be asked for many times over. */
#define ALL_DOCS 16 /* times what one may be */

int img_doc_parse(struct img_ctx *c, const struct img_doc *doc,
		  struct unik_json **root, struct unik_err *err)
{
	struct unik_json_counts n;

	if (unik_json_scan(doc->bytes, doc->size, c->limits, &n, err) < 0)
		return -1;
	c->json_size += doc->size;
	c->json_values += n.values;
	c->over = c->json_size / ALL_DOCS > c->limits->json_size ||
		  c->json_values / ALL_DOCS > c->limits->json_values;
	if (c->over)
		return unik_fail(err, "all its JSON together is over %d times "
				 "the limit of one document (--max-json-size, "
				 "--max-json-values)", ALL_DOCS);
	return unik_json_parse(root, doc->bytes, doc->size, c->limits, err);
}

int img_parse_path(struct img_ctx *c, const char *path,
		   struct unik_json **root, struct unik_err *err)
{
	struct img_doc doc;
	int rc = img_read_path(c, path, &doc, err);

	if (rc < 0)
		return -1;
	if (rc != 0)
		return unik_fail(err, "'%s' is missing", path);
	rc = img_doc_parse(c, &doc, root, err);
	free(doc.bytes);
	if (rc < 0)
		unik_wrap(err, "'%s'", path);
	return rc;
}
