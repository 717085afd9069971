/* SPDX-License-Identifier: GPL-3.0-or-later */
/* verify: is a source what its documents say of it? */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "inflate.h"
#include "io.h"
#include "layer.h"
#include "package.h"
#include "verify_private.h"

struct job {
	struct verify *v;
	const struct unik_image *image;
};

int verify_open_source(struct verify *v, const char *source,
		       struct unik_image **out, struct findings *f,
		       enum unik_claim claim, struct unik_err *err)
{
	const struct unik_image_options io = {
		.source = source,
		.platform = v->opt->platform,
		.raw = claim == UNIK_IDENTITY,
		.limits = &v->opt->limits,
		.spool_dir = v->opt->spool_dir,
		.warn = v->opt->warn,
		.warn_data = v->opt->data,
	};

	if (unik_image_open(out, &io, err) == 0)
		return 0;
	if (err->code == UNIK_EUSAGE)
		return -1;
	verify_put_err(f, claim, "source", err);
	return 1;
}

/* ---- documents ---- */

/* A JSON document and the digest that the source names it by. */
static void check_document(struct findings *f, const char *what,
			   const char *text, size_t size, const char *type,
			   const struct unik_digest *named)
{
	char a[UNIK_DIGEST_TEXT], b[UNIK_DIGEST_TEXT];
	struct unik_hash h = UNIK_HASH_NONE;
	struct unik_digest taken;
	struct unik_err err;

	if (unik_hash_init(&h, named->algo, &err) < 0 ||
	    unik_hash_update(&h, text, size, &err) < 0 ||
	    unik_hash_final(&h, &taken, &err) < 0)
		verify_put_err(f, UNIK_IDENTITY, what, &err);
	else if (unik_digest_equal(&taken, named))
		verify_put(f, UNIK_IDENTITY, UNIK_PASS, what,
			   "%s of %zu bytes%s%s", unik_digest_text(named, a),
			   size, type[0] ? ", " : "", type);
	else
		verify_put(f, UNIK_IDENTITY, UNIK_FAIL, what,
			   "is %s, named %s", unik_digest_text(&taken, a),
			   unik_digest_text(named, b));
	unik_hash_release(&h);
}

static void check_documents(const struct unik_image *image, struct findings *f)
{
	char type[UNIK_QUOTE_SIZE];

	if (image->manifest_json && image->has_manifest_digest) {
		unik_quote(type, image->manifest_type,
			   strlen(image->manifest_type));
		check_document(f, "manifest", image->manifest_json,
			       image->manifest_size,
			       image->manifest_type[0] ? type : "",
			       &image->manifest_digest);
	}
	if (image->config_json && image->has_config_digest)
		check_document(f, "config", image->config_json,
			       image->config_size, "", &image->config_digest);
}

/* ---- layers ---- */

/* OCI image-spec, media-types.md; Docker schema 2: the end of the type. */
static bool type_fits(const char *type, enum unik_compression c)
{
	static const char *const suffixes[] = {
		[UNIK_GZIP] = "gzip",	[UNIK_ZSTD] = "zstd",
		[UNIK_XZ] = "xz",	[UNIK_BZIP2] = "bzip2",
	};
	const char *end = strrchr(type, '.'), *plus = strrchr(type, '+');

	if (plus && (!end || plus > end))
		end = plus;
	if (!end || strcmp(end, ".tar") == 0 || unik_image_is_raw(type))
		return c == UNIK_PLAIN || type[0] == 0;
	return c != UNIK_PLAIN && strcmp(end + 1, suffixes[c]) == 0;
}

/* 0: the media type says how the bytes are packed; else a finding. */
static int check_type(const struct unik_layer_ref *ref, const char *object,
		      enum unik_compression *c, struct findings *f)
{
	char q[UNIK_QUOTE_SIZE];
	uint8_t head[512];
	size_t n = ref->size < sizeof(head) ? (size_t)ref->size : sizeof(head);
	struct unik_err err;

	if (unik_pread_all(ref->fd, head, n, ref->offset, &err) < 0) {
		verify_put_err(f, UNIK_IDENTITY, object, &err);
		return -1;
	}
	*c = unik_compression_of(head, n);
	if (type_fits(ref->media_type, *c))
		return 0;
	verify_put(f, UNIK_IDENTITY, UNIK_FAIL, object,
		   "the content is %s, its media type %s",
		   unik_compression_name(*c),
		   unik_quote(q, ref->media_type, strlen(ref->media_type)));
	return -1;
}

static void pass_layer(struct findings *f, const char *object,
		       const struct unik_layer_ref *ref,
		       enum unik_compression c, const struct unik_digest *blob,
		       const struct unik_digest *diff_id)
{
	char a[UNIK_DIGEST_TEXT], b[UNIK_DIGEST_TEXT];

	unik_digest_text(blob, a);
	unik_digest_text(diff_id, b);
	if (!ref->has_diff_id)
		verify_put(f, UNIK_IDENTITY, UNIK_SKIP, object,
			   "a bare layer declares nothing: %" PRIu64
			   " bytes, %s, diff_id %s", ref->size,
			   unik_compression_name(c), b);
	else if (ref->has_blob_digest)
		verify_put(f, UNIK_IDENTITY, UNIK_PASS, object,
			   "%" PRIu64 " bytes, %s, blob %s, diff_id %s",
			   ref->size, unik_compression_name(c), a, b);
	else
		verify_put(f, UNIK_IDENTITY, UNIK_PASS, object,
			   "%" PRIu64 " bytes, %s, diff_id %s", ref->size,
			   unik_compression_name(c), b);
}

static void check_layer(void *data, size_t i, struct findings *f)
{
	const struct job *job = data;
	const struct unik_verify_options *opt = job->v->opt;
	const struct unik_layer_ref *ref = &job->image->layers[i];
	const struct unik_layer_options lo = {
		.limits = &opt->limits,
		.spool_dir = opt->spool_dir,
		.stop = opt->stop,
	};
	struct unik_digest blob, diff_id;
	enum unik_compression c;
	struct unik_err err;
	char object[48];

	snprintf(object, sizeof(object), "layer %zu", i);
	if (check_type(ref, object, &c, f) < 0)
		return;
	if (opt->quick)
		verify_put(f, UNIK_IDENTITY, UNIK_PASS, object,
			   "%" PRIu64 " bytes, %s; not read (--quick)",
			   ref->size, unik_compression_name(c));
	else if (unik_layer_check(ref, &lo, &blob, &diff_id, &err) < 0)
		verify_put_err(f, UNIK_IDENTITY, object, &err);
	else
		pass_layer(f, object, ref, c, &blob, &diff_id);
}

/* ---- all of it ---- */

static bool same_layers(const struct unik_image *a, const struct unik_image *b)
{
	size_t i;

	if (a->nlayers != b->nlayers)
		return false;
	for (i = 0; i < a->nlayers; i++)
		if (!a->layers[i].has_diff_id || !b->layers[i].has_diff_id ||
		    !unik_digest_equal(&a->layers[i].diff_id,
				       &b->layers[i].diff_id))
			return false;
	return true;
}

/* Nothing says what it was made of: it must be the source itself. */
static int check_plain(struct verify *v, const struct unik_image *image,
		       struct findings *f, struct unik_err *err)
{
	if (v->opt->source && !v->opt->quick && verify_use_source(v, err) < 0)
		return -1;
	if (v->source && (!image || !same_layers(image, v->source)))
		verify_put(f, UNIK_FAITHFUL, UNIK_FAIL, "source",
			   "no stack is recorded in it, and its layers are not "
			   "those of the source");
	else
		verify_put(f, UNIK_FAITHFUL, UNIK_SKIP, "source",
			   "it is what images are compared with");
	return 0;
}

static int check_stack(struct verify *v, const struct unik_image *image,
		       struct findings *f, struct unik_err *err)
{
	if (!image || !unik_is_package(image))
		return check_plain(v, image, f, err);
	if (verify_use_source(v, err) < 0)
		return -1;
	return verify_package(v, image, err);
}

int verify_source(struct verify *v, struct unik_err *err)
{
	struct job job = { .v = v };
	struct unik_image *image = NULL;
	struct findings f = { 0 };
	int rc = verify_open_source(v, v->opt->target, &image, &f,
				    UNIK_IDENTITY, err);

	if (rc < 0)
		return -1;
	if (rc == 0)
		check_documents(image, &f);
	job.image = image;
	rc = verify_emit(v, &f, err);
	if (rc == 0 && image)
		rc = verify_run(v, image->nlayers, check_layer, &job, err);
	if (rc == 0)
		rc = check_stack(v, image, &f, err);
	unik_image_free(image);
	if (rc < 0) {
		findings_release(&f);
		return -1;
	}
	verify_put(&f, UNIK_INTACT, UNIK_SKIP, "source",
		   "it is no filesystem image");
	return verify_emit(v, &f, err);
}
