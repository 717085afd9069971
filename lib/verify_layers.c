/* SPDX-License-Identifier: GPL-3.0-or-later */
/* verify: what a store remembers of layers: symlinks and records. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record.h"
#include "verify_private.h"

/* "sha256-<hex>.<format>-v<version>[-b<size>][.json]" */
struct layer_name {
	struct unik_digest diff_id;
	char base[UNIK_RECORD_NAME]; /* without .json */
	char format[17];
	bool record;
	bool half; /* symlink or record is missing */
};

static bool parse_layer_name(struct layer_name *l, const char *name)
{
	enum { HEAD = 7 + 2 * UNIK_SHA256_SIZE };
	char again[UNIK_RECORD_NAME];
	int version = 0;
	unsigned block = 0;
	size_t n = strlen(name);

	l->record = n > 5 && strcmp(name + n - 5, ".json") == 0;
	n -= l->record ? 5 : 0;
	if (n >= sizeof(l->base) || n <= HEAD)
		return false;
	memcpy(l->base, name, n);
	l->base[n] = 0;
	/* Written once more, it must be the same. */
	if (!unik_store_name_digest(l->base, l->base + HEAD, &l->diff_id) ||
	    sscanf(l->base + HEAD, ".%16[a-z0-9]-v%9d-b%9u", l->format,
		   &version, &block) < 2)
		return false;
	unik_record_name(again, &l->diff_id, l->format, version, block);
	return strcmp(again, l->base) == 0;
}

/* Where the symlink points to: "../images/<name>". */
static int read_link(const struct store_view *s, struct layer_name *l,
		     char image[UNIK_IMAGE_NAME], struct unik_err *err)
{
	static const char head[] = "../images/";
	char target[sizeof(head) + UNIK_IMAGE_NAME], ext[20];
	struct unik_digest d;
	ssize_t n = readlinkat(unik_store_dir(s->store, "layers"), l->base,
			       target, sizeof(target) - 1);

	l->half = n < 0 && errno == ENOENT;
	if (l->half)
		return unik_fail(err, "the symlink '%s' is missing", l->base);
	if (n < 0 && errno != EINVAL)
		return unik_fail_sys(err, "can't read the link '%s'", l->base);
	if (n < 0)
		return unik_fail(err, "'%s' is no symlink", l->base);
	target[n] = 0;
	snprintf(ext, sizeof(ext), ".%s", l->format);
	if (strncmp(target, head, sizeof(head) - 1) != 0 ||
	    !unik_store_name_digest(target + sizeof(head) - 1, ext, &d))
		return unik_fail(err, "'%s' points to no image", l->base);
	unik_image_name(&d, l->format, image);
	return 0;
}

static int read_record(const struct store_view *s, struct layer_name *l,
		       struct unik_record *r, struct unik_err *err)
{
	char name[UNIK_RECORD_NAME + 8], *text = NULL;
	size_t n;
	int rc;

	snprintf(name, sizeof(name), "%s.json", l->base);
	rc = unik_store_get(s->store, "layers", name, UNIK_RECORD_MAX, &text,
			    &n, err);
	l->half = rc == 1;
	if (rc == 1)
		return unik_fail(err, "the record '%s' is missing", name);
	if (rc == 0)
		rc = unik_record_read(r, text, n, &s->v->opt->limits, err);
	free(text);
	return rc;
}

/* Symlink, record and image say the same. */
static int check_layer(const struct store_view *s, struct layer_name *l,
		       struct unik_err *err)
{
	char image[UNIK_IMAGE_NAME], want[UNIK_IMAGE_NAME];
	struct unik_record r;
	int rc;

	if (read_link(s, l, image, err) < 0 || read_record(s, l, &r, err) < 0)
		return -1;
	if (!unik_digest_equal(&r.layer.diff_id, &l->diff_id))
		return unik_fail(err, "the record is of another layer");
	unik_image_name(&r.image.image, l->format, want);
	if (strcmp(image, want) != 0)
		return unik_fail(err, "the symlink points to '%s', the record "
				 "to '%s'", image, want);
	rc = unik_store_has_image(s->store, image, r.image.size, err);
	return rc == 1 ? unik_fail(err, "'images/%s' is not there with %" PRIu64
				   " bytes", image, r.image.size) : rc;
}

/* A conversion makes the symlink first and then the record, with the store
 * open: where nobody has it open, both are there or something is wrong. */
static void put_layer(const struct store_view *s, struct layer_name *l,
		      const char *object, struct findings *f)
{
	struct unik_err err;
	int rc = check_layer(s, l, &err);

	if (rc < 0 && l->half && !unik_store_alone(s->store)) {
		verify_put(f, UNIK_IDENTITY, UNIK_SKIP, object,
			   "%s, but others are at work in the store", err.msg);
		return;
	}
	if (rc < 0 && l->half)
		rc = check_layer(s, l, &err);
	if (rc < 0)
		verify_put_err(f, UNIK_IDENTITY, object, &err);
	else
		verify_put(f, UNIK_IDENTITY, UNIK_PASS, object, "%s",
			   l->record ? "canonical; symlink and image agree"
				     : "record and image agree");
}

void verify_layer_name(void *data, size_t i, struct findings *f)
{
	const struct store_view *s = data;
	const char *name = s->layers.v[i];
	char object[OBJECT_SIZE];
	struct layer_name l;
	struct stat st;

	if (verify_is_temp(s, "layers", name, f))
		return;
	verify_object(object, "layers", name);
	if (!parse_layer_name(&l, name)) {
		verify_put(f, UNIK_IDENTITY, UNIK_FAIL, object,
			   "it is no name of a layer");
		return;
	}
	if (l.record && verify_plain_file(s, "layers", name, &st, f) < 0)
		return;
	put_layer(s, &l, object, f);
}
