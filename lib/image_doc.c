/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * image: descriptors and the documents behind them.  A document is used only
 * after its size and its digest were found to be as declared.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image_private.h"

char *img_text(struct img_ctx *c, const char *text, struct unik_err *err)
{
	size_t n = text ? strlen(text) : 0;
	char *copy;

	if (n > IMG_NAME_MAX) {
		unik_fail(err, "a name of %zu bytes is over %d", n,
			  IMG_NAME_MAX);
		return NULL;
	}
	copy = unik_arena_text(&c->arena, text ? text : "", n);
	if (!copy)
		unik_fail_mem(err);
	return copy;
}

void img_digest_path(const struct unik_digest *digest,
		     char path[UNIK_DIGEST_TEXT + 8])
{
	char text[UNIK_DIGEST_TEXT];

	snprintf(path, UNIK_DIGEST_TEXT + 8, "blobs/%s",
		 unik_digest_text(digest, text));
	*strchr(path, ':') = '/'; /* OCI image-spec, image-layout.md, "Blobs" */
}

bool img_path_digest(const char *path, struct unik_digest *digest)
{
	char text[UNIK_DIGEST_TEXT];
	struct unik_err ignored;
	char *slash;

	while (strncmp(path, "./", 2) == 0)
		path += 2;
	if (strncmp(path, "blobs/", 6) != 0 ||
	    strlen(path + 6) >= sizeof(text))
		return false;
	memcpy(text, path + 6, strlen(path + 6) + 1);
	slash = strchr(text, '/');
	if (!slash)
		return false;
	*slash = ':';
	return unik_digest_parse(digest, text, &ignored) == 0;
}

static int hash_bytes(const void *bytes, size_t n, enum unik_algo algo,
		      struct unik_digest *out, struct unik_err *err)
{
	struct unik_hash h = UNIK_HASH_NONE;
	int rc;

	if (unik_hash_init(&h, algo, err) < 0)
		return -1;
	rc = unik_hash_update(&h, bytes, n, err);
	if (rc == 0)
		rc = unik_hash_final(&h, out, err);
	unik_hash_release(&h);
	return rc;
}

int img_check_digest(const struct img_doc *doc, const struct unik_digest *want,
		     struct unik_err *err)
{
	char a[UNIK_DIGEST_TEXT], b[UNIK_DIGEST_TEXT];
	struct unik_digest got;

	if (hash_bytes(doc->bytes, doc->size, want->algo, &got, err) < 0)
		return -1;
	if (unik_digest_equal(&got, want))
		return 0;
	return unik_fail(err, "digest is %s, declared is %s",
			 unik_digest_text(&got, a), unik_digest_text(want, b));
}

/* RFC 4648 section 4, with padding; out has room for 3/4 of n. */
static int base64(const char *text, size_t n, uint8_t *out, size_t *size,
		  struct unik_err *err)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t i, pad = 0;
	uint32_t bits = 0;

	*size = 0;
	while (pad < 2 && pad < n && text[n - 1 - pad] == '=')
		pad++;
	for (i = 0; i < n - pad; i++) {
		const char *d = strchr(digits, text[i]);

		if (!d)
			break;
		bits = bits << 6 | (uint32_t)(d - digits);
		if (i % 4 != 0)
			out[(*size)++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
	}
	if (n % 4 != 0 || i < n - pad)
		return unik_fail(err, "'data' is not base64");
	return 0;
}

/* OCI image-spec, descriptor.md: `data` embeds the content itself, and must
 * agree with size and digest. */
static int take_data(struct img_ctx *c, const char *text, struct img_desc *desc,
		     struct unik_err *err)
{
	size_t n = strlen(text), size;
	struct img_doc doc;
	uint8_t *out;

	c->data_used += n;
	c->over = c->data_used > c->limits->json_size;
	if (c->over)
		return unik_fail(err,
				 "more than %llu bytes of embedded content "
				 "(--max-json-size)",
				 (unsigned long long)c->limits->json_size);
	out = unik_arena_alloc(&c->arena, n / 4 * 3 + 4);
	if (!out)
		return unik_fail_mem(err);
	if (base64(text, n, out, &size, err) < 0)
		return -1;
	if (size != desc->size)
		return unik_fail(err,
				 "'data' is of %zu bytes, 'size' says %llu",
				 size, (unsigned long long)desc->size);
	doc.bytes = (char *)out;
	doc.size = size;
	if (img_check_digest(&doc, &desc->digest, err) < 0)
		return unik_wrap(err, "'data'");
	desc->data = out;
	return 0;
}

int img_desc_parse(const struct unik_json *object, struct img_desc *desc,
		   struct unik_err *err)
{
	const char *digest;

	memset(desc, 0, sizeof(*desc));
	if (!unik_json_is_object(object))
		return unik_fail(err, "a descriptor is not an object");
	if (unik_json_string(object, "mediaType", &desc->media_type,
			     err) < 0 ||
	    unik_json_string(object, "digest", &digest, err) < 0 ||
	    unik_json_string(object, "data", &desc->data_text, err) < 0)
		return -1;
	if (!desc->media_type)
		desc->media_type = "";
	if (!digest)
		return unik_fail(err, "'digest' is missing");
	if (unik_digest_parse(&desc->digest, digest, err) < 0 ||
	    unik_json_size(object, "size", &desc->size, err) < 0)
		return -1;
	return 0;
}

int img_desc_keep(struct img_ctx *c, struct img_desc *desc,
		  struct unik_err *err)
{
	const char *data = desc->data_text;

	desc->media_type = img_text(c, desc->media_type, err);
	desc->data_text = NULL;
	if (!desc->media_type)
		return -1;
	return data ? take_data(c, data, desc, err) : 0;
}

int img_desc_find(struct img_ctx *c, const struct img_desc *desc,
		  struct img_blob *blob, struct unik_err *err)
{
	char path[UNIK_DIGEST_TEXT + 8];

	img_digest_path(&desc->digest, path);
	return img_find(c, path, blob, err);
}

static int read_data(const struct img_desc *desc, struct img_doc *doc,
		     struct unik_err *err)
{
	doc->size = (size_t)desc->size;
	doc->bytes = malloc(doc->size + 1);
	if (!doc->bytes)
		return unik_fail_mem(err);
	memcpy(doc->bytes, desc->data, doc->size);
	doc->bytes[doc->size] = 0;
	return 0;
}

int img_desc_read(struct img_ctx *c, const struct img_desc *desc,
		  struct img_doc *doc, struct unik_err *err)
{
	struct img_blob blob;
	int rc = img_desc_find(c, desc, &blob, err);

	if (rc == 1 && desc->data)
		return read_data(desc, doc, err);
	if (rc != 0)
		return rc;
	if (blob.size != desc->size)
		rc = unik_fail(err, "%llu bytes are there, declared are %llu",
			       (unsigned long long)blob.size,
			       (unsigned long long)desc->size);
	else
		rc = img_read_blob(c, &blob, doc, err);
	img_blob_drop(&blob);
	if (rc == 0 && img_check_digest(doc, &desc->digest, err) < 0) {
		free(doc->bytes);
		rc = -1;
	}
	return rc;
}

enum img_doc_kind img_media_kind(const char *media_type)
{
	static const struct {
		const char *name;
		enum img_doc_kind kind;
	} known[] = {
		{ "application/vnd.oci.image.index.v1+json", IMG_DOC_INDEX },
		{ "application/vnd.docker.distribution.manifest.list.v2+json",
		  IMG_DOC_INDEX },
		{ "application/vnd.oci.image.manifest.v1+json",
		  IMG_DOC_MANIFEST },
		{ "application/vnd.docker.distribution.manifest.v2+json",
		  IMG_DOC_MANIFEST },
		{ "application/vnd.docker.distribution.manifest.v1+json",
		  IMG_DOC_SCHEMA1 },
		{ "application/vnd.docker.distribution.manifest.v1+prettyjws",
		  IMG_DOC_SCHEMA1 },
	};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(media_type, known[i].name) == 0)
			return known[i].kind;
	return IMG_DOC_OTHER;
}

int img_doc_kind(const struct unik_json *root, enum img_doc_kind *kind,
		 struct unik_err *err)
{
	bool manifests = unik_json_has(root, "manifests");
	bool layers = unik_json_has(root, "layers");
	bool config = unik_json_has(root, "config");
	const char *media_type;
	uint64_t version = 2;

	if (!unik_json_is_object(root))
		return unik_fail(err, "not an object");
	if (unik_json_string(root, "mediaType", &media_type, err) < 0)
		return -1;
	/* OCI image-spec, manifest.md and CVE-2021-41190: readers differ in
	 * what they see in such a document. */
	if (manifests && (layers || config))
		return unik_fail(err, "both 'manifests' and '%s', so it is "
				 "ambiguous", layers ? "layers" : "config");
	if (unik_json_has(root, "schemaVersion") &&
	    unik_json_size(root, "schemaVersion", &version, err) < 0)
		return -1;
	*kind = version == 1 || unik_json_has(root, "fsLayers") ?
			IMG_DOC_SCHEMA1 : manifests ? IMG_DOC_INDEX :
			layers || config ? IMG_DOC_MANIFEST : IMG_DOC_OTHER;
	if (*kind != IMG_DOC_SCHEMA1 && version != 2)
		return unik_fail(err, "unknown schemaVersion %llu",
				 (unsigned long long)version);
	if (media_type && *kind != IMG_DOC_OTHER &&
	    img_media_kind(media_type) != IMG_DOC_OTHER &&
	    img_media_kind(media_type) != *kind)
		return unik_fail(err, "'mediaType' is not that of its content");
	return 0;
}

static int take_name(const struct unik_json *object, const char *key,
		     char out[64], struct unik_err *err)
{
	const char *s;
	size_t n;

	if (unik_json_string(object, key, &s, err) < 0)
		return -1;
	n = s ? strlen(s) : 0;
	if (n > 63)
		return unik_fail(err, "'%s' is longer than 63 bytes", key);
	if (n > 0)
		memcpy(out, s, n);
	out[n] = 0;
	return 0;
}

int img_platform_parse_json(const struct unik_json *object,
			    struct img_platform *p, struct unik_err *err)
{
	memset(p, 0, sizeof(*p));
	if (take_name(object, "os", p->os, err) < 0 ||
	    take_name(object, "architecture", p->arch, err) < 0 ||
	    take_name(object, "variant", p->variant, err) < 0)
		return -1;
	return 0;
}
