/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

#define SCHEMA "unik.layer.v1"

/* The numbers of a record, so that writing and reading can't differ. */
struct field {
	const char *group; /* NULL: at the top */
	const char *key;
	size_t offset;
};

#define LAYER(m) offsetof(struct unik_record, layer.m)

static const struct field fields[] = {
	{ NULL, "blob_size", LAYER(blob_size) },
	{ NULL, "size", LAYER(size) },
	{ NULL, "whiteouts", LAYER(whiteouts) },
	{ NULL, "opaque", LAYER(opaque) },
	{ NULL, "ignored", LAYER(ignored) },
	{ NULL, "unended", LAYER(unended) },
	{ NULL, "globals", LAYER(globals) },
	{ NULL, "image_size", offsetof(struct unik_record, image.size) },
	{ "entries", "file", LAYER(entries.file) },
	{ "entries", "dir", LAYER(entries.dir) },
	{ "entries", "symlink", LAYER(entries.symlink) },
	{ "entries", "hardlink", LAYER(entries.hardlink) },
	{ "entries", "device", LAYER(entries.device) },
	{ "entries", "fifo", LAYER(entries.fifo) },
	{ "losses", "xattr", LAYER(losses.xattr) },
	{ "losses", "time", LAYER(losses.time) },
	{ "losses", "rdev", LAYER(losses.rdev) },
	{ "losses", "name", LAYER(losses.name) },
};

static const struct field digests[] = {
	{ NULL, "diff_id", LAYER(diff_id) },
	{ NULL, "blob_digest", LAYER(blob_digest) },
	{ NULL, "image", offsetof(struct unik_record, image.image) },
	{ NULL, "tree_digest",
	  offsetof(struct unik_record, image.tree_digest) },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void put_fields(struct unik_json_out *o, const struct unik_record *r)
{
	const char *group = NULL;
	size_t i;

	for (i = 0; i < COUNT(fields); i++) {
		const struct field *f = &fields[i];
		uint64_t v;

		if (f->group && (!group || strcmp(group, f->group) != 0)) {
			if (group)
				unik_json_put_end(o);
			unik_json_put_object(o, f->group);
			group = f->group;
		}
		memcpy(&v, (const char *)r + f->offset, sizeof(v));
		unik_json_put_uint(o, f->key, v);
	}
	if (group)
		unik_json_put_end(o);
}

/* `check` NULL: without that key. */
static int fields_text(const struct unik_record *r, const char *check,
		       char **text, size_t *size, struct unik_err *err)
{
	char buf[UNIK_DIGEST_TEXT];
	struct unik_json_out o;
	size_t i;
	int rc;

	unik_json_out_init(&o);
	unik_json_put_object(&o, NULL);
	unik_json_put_string(&o, "schema", SCHEMA);
	for (i = 0; i < COUNT(digests); i++) {
		struct unik_digest d;

		memcpy(&d, (const char *)r + digests[i].offset, sizeof(d));
		unik_json_put_string(&o, digests[i].key,
				     unik_digest_text(&d, buf));
	}
	put_fields(&o, r);
	if (check)
		unik_json_put_string(&o, "check", check);
	unik_json_put_end(&o);
	rc = unik_json_out_take(&o, text, size, err);
	unik_json_out_release(&o);
	return rc;
}

/* Nothing names a record by its bytes, so it says their digest itself: that of
 * the same text without the last key. */
int unik_record_text(const struct unik_record *r, char **text, size_t *size,
		     struct unik_err *err)
{
	char check[UNIK_DIGEST_TEXT];
	struct unik_digest d;
	char *plain;
	int rc;

	if (fields_text(r, NULL, &plain, size, err) < 0)
		return -1;
	rc = unik_sha256(plain, *size, &d, err);
	free(plain);
	if (rc < 0 || fields_text(r, unik_digest_text(&d, check), text, size,
				  err) < 0)
		return -1;
	(*text)[(*size)++] = '\n'; /* in the place of the NUL */
	return 0;
}

const char *unik_record_name(char buf[UNIK_RECORD_NAME],
			     const struct unik_digest *diff_id,
			     const char *format, int version,
			     uint32_t block_size)
{
	char hex[UNIK_DIGEST_TEXT], block[24] = "";

	if (block_size)
		snprintf(block, sizeof(block), "-b%u", (unsigned)block_size);
	snprintf(buf, UNIK_RECORD_NAME, "sha256-%.64s.%.16s-v%d%s",
		 unik_digest_hex(diff_id, hex), format, version, block);
	return buf;
}

int unik_record_put(struct unik_store *s, const char *name, const char *ext,
		    const struct unik_record *r, struct unik_err *err)
{
	char image[UNIK_IMAGE_NAME], target[UNIK_IMAGE_NAME + 16];
	char file[UNIK_RECORD_NAME + 8];
	char *text = NULL;
	size_t size;
	int rc;

	snprintf(file, sizeof(file), "%s.json", name);
	snprintf(target, sizeof(target), "../images/%s",
		 unik_image_name(&r->image.image, ext, image));
	if (unik_store_link(s, "layers", name, target, err) < 0 ||
	    unik_record_text(r, &text, &size, err) < 0)
		return -1;
	rc = unik_store_replace(s, "layers", file, text, size, err);
	free(text);
	return rc;
}

/* ---- reading ---- */

static int get_fields(const struct unik_json *root, struct unik_record *r,
		      struct unik_err *err)
{
	size_t i;

	for (i = 0; i < COUNT(fields); i++) {
		const struct field *f = &fields[i];
		const struct unik_json *o = root;
		uint64_t v;

		if (f->group && unik_json_object(root, f->group, &o, err) < 0)
			return -1;
		if (!o)
			return unik_fail(err, "'%s' is missing", f->group);
		if (unik_json_size(o, f->key, &v, err) < 0)
			return -1;
		memcpy((char *)r + f->offset, &v, sizeof(v));
	}
	return 0;
}

static int get_digests(const struct unik_json *root, struct unik_record *r,
		       struct unik_err *err)
{
	size_t i;

	for (i = 0; i < COUNT(digests); i++) {
		struct unik_digest d;
		const char *text;

		if (unik_json_string(root, digests[i].key, &text, err) < 0)
			return -1;
		if (!text)
			return unik_fail(err, "'%s' is missing",
					 digests[i].key);
		if (unik_digest_parse(&d, text, err) < 0)
			return -1;
		/* Only blobs may be named in other ways. */
		if (d.algo != UNIK_SHA256 &&
		    digests[i].offset != LAYER(blob_digest))
			return unik_fail(err, "'%s' is not a sha256 digest",
					 digests[i].key);
		memcpy((char *)r + digests[i].offset, &d, sizeof(d));
	}
	return 0;
}

static int parse_record(const char *text, size_t n,
			const struct unik_limits *limits, struct unik_record *r,
			struct unik_err *err)
{
	struct unik_json *root = NULL;
	const char *schema = NULL;
	int rc = -1;

	if (unik_json_parse(&root, text, n, limits, err) < 0)
		return -1;
	if (!unik_json_is_object(root))
		unik_fail(err, "not an object");
	else if (unik_json_string(root, "schema", &schema, err) == 0 &&
		 (!schema || strcmp(schema, SCHEMA) != 0))
		unik_fail(err, "'schema' is not " SCHEMA);
	else if (schema)
		rc = get_digests(root, r, err) < 0 ? -1
						   : get_fields(root, r, err);
	unik_json_free(root);
	return rc;
}

int unik_record_read(struct unik_record *r, const char *text, size_t n,
		     const struct unik_limits *limits, struct unik_err *err)
{
	char *again = NULL;
	size_t size;
	bool same;

	memset(r, 0, sizeof(*r));
	if (parse_record(text, n, limits, r, err) < 0 ||
	    unik_record_text(r, &again, &size, err) < 0)
		return -1;
	same = size == n && memcmp(again, text, n) == 0;
	free(again);
	return same ? 0 : unik_fail(err, "not in canonical form, or its "
				    "'check' is of other bytes");
}

int unik_record_get(const struct unik_store *s, const char *name,
		    const char *ext, const struct unik_limits *limits,
		    struct unik_record *r, struct unik_err *err)
{
	char image[UNIK_IMAGE_NAME], file[UNIK_RECORD_NAME + 8];
	struct unik_err bad;
	char *text;
	size_t n;
	int rc;

	snprintf(file, sizeof(file), "%s.json", name);
	rc = unik_store_get(s, "layers", file, UNIK_RECORD_MAX, &text, &n, err);
	if (rc != 0)
		return rc < 0 && err->code == UNIK_EBAD ? 1 : rc;
	rc = unik_record_read(r, text, n, limits, &bad);
	free(text);
	if (rc < 0)
		return 1;
	unik_image_name(&r->image.image, ext, image);
	return unik_store_has_image(s, image, r->image.size, err);
}
