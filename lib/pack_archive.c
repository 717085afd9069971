/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pack: the tar that the new image stands in, `docker load` or OCI. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "deflate.h"
#include "pack_private.h"
#include "sums.h"

struct archive {
	struct packing *p;
	struct unik_sink *sink;
};

static int put_head(struct archive *a, const char *path, uint64_t size,
		    struct unik_err *err)
{
	struct pack_bytes b = { 0 };
	size_t n = 0;
	int rc;

	while (path[n])
		n++;
	pack_tar_header(&b, path, size,
			n > 0 && path[n - 1] == '/' ? 0755 : 0644);
	if (b.no_memory)
		rc = unik_fail_mem(err);
	else
		rc = unik_sink_write(a->sink, b.p, b.size, err);
	free(b.p);
	return rc;
}

static int put_doc(struct archive *a, const char *path, const char *text,
		   size_t size, struct unik_err *err)
{
	if (put_head(a, path, size, err) < 0 ||
	    unik_sink_write(a->sink, text, size, err) < 0)
		return -1;
	return unik_sink_write(a->sink, NULL, pack_tar_padding(size), err);
}

/* The bytes of a layer's blob: a file where they were compressed. */
static int blob_source(struct unik_source **out, const struct pack_layer *l,
		       struct unik_err *err)
{
	if (l->temp.fd >= 0)
		return unik_source_range(out, l->temp.fd, 0, l->blob_size, err);
	return pack_recipe_source(out, &l->recipe, err);
}

static int put_layer(struct archive *a, const char *path,
		     const struct pack_layer *l, struct unik_err *err)
{
	struct unik_source *src = NULL;
	int rc;

	if (put_head(a, path, l->blob_size, err) < 0 ||
	    blob_source(&src, l, err) < 0)
		return -1;
	rc = unik_deflate(src, a->sink, UNIK_PLAIN, 0, NULL, a->p->in->stop,
			  err);
	unik_source_free(src);
	if (rc < 0)
		return -1;
	return unik_sink_write(a->sink, NULL, pack_tar_padding(l->blob_size),
			       err);
}

/* moby, image/spec/v1.2.md, "Combined Image JSON + Filesystem Changeset
 * Format". */
static int put_docker(struct archive *a, struct unik_err *err)
{
	const struct packing *p = a->p;
	char hex[UNIK_DIGEST_TEXT], path[UNIK_DIGEST_TEXT + 8];
	struct pack_doc doc = { 0 };
	size_t i;
	int rc;

	rc = pack_docker_manifest(p, &doc, err);
	if (rc == 0)
		rc = put_doc(a, "manifest.json", doc.text, doc.size, err);
	free(doc.text);
	if (rc < 0)
		return -1;
	snprintf(path, sizeof(path), "%s.json",
		 unik_digest_hex(&p->config.digest, hex));
	if (put_doc(a, path, p->config.text, p->config.size, err) < 0)
		return -1;
	for (i = 0; i < p->nlayers; i++) {
		if (p->layers[i].same_as != i)
			continue;
		snprintf(path, sizeof(path), "%s.tar",
			 unik_digest_hex(&p->layers[i].diff_id, hex));
		if (put_layer(a, path, &p->layers[i], err) < 0)
			return -1;
	}
	return 0;
}

/* OCI image-spec, image-layout.md: index.json with one entry. */
static int put_index(struct archive *a, struct unik_err *err)
{
	struct pack_doc doc = { 0 };
	struct unik_json_out o;
	int rc;

	unik_json_out_init(&o);
	o.verbatim = true;
	unik_json_put_object(&o, NULL);
	unik_json_put_uint(&o, "schemaVersion", 2);
	unik_json_put_string(&o, "mediaType",
			     "application/vnd.oci.image.index.v1+json");
	unik_json_put_array(&o, "manifests");
	pack_put_entry(&o, a->p);
	unik_json_put_end(&o);
	unik_json_put_end(&o);
	rc = pack_doc_take(&o, &doc, err);
	unik_json_out_release(&o);
	if (rc == 0)
		rc = put_doc(a, "index.json", doc.text, doc.size, err);
	free(doc.text);
	return rc;
}

static const char *blob_path(const struct unik_digest *digest,
			     char buf[UNIK_DIGEST_TEXT + 16])
{
	char hex[UNIK_DIGEST_TEXT];

	snprintf(buf, UNIK_DIGEST_TEXT + 16, "blobs/sha256/%s",
		 unik_digest_hex(digest, hex));
	return buf;
}

static int put_oci(struct archive *a, struct unik_err *err)
{
	static const char mark[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	const struct packing *p = a->p;
	char path[UNIK_DIGEST_TEXT + 16];
	size_t i;

	if (put_doc(a, "oci-layout", mark, sizeof(mark) - 1, err) < 0 ||
	    put_index(a, err) < 0 || put_head(a, "blobs/", 0, err) < 0 ||
	    put_head(a, "blobs/sha256/", 0, err) < 0 ||
	    put_doc(a, blob_path(&p->manifest.digest, path), p->manifest.text,
		    p->manifest.size, err) < 0 ||
	    put_doc(a, blob_path(&p->config.digest, path), p->config.text,
		    p->config.size, err) < 0)
		return -1;
	for (i = 0; i < p->nlayers; i++)
		if (p->layers[i].same_as == i &&
		    put_layer(a, blob_path(&p->layers[i].blob, path),
			      &p->layers[i], err) < 0)
			return -1;
	return 0;
}

static int put_archive(struct archive *a, struct unik_err *err)
{
	bool oci = a->p->in->plan->kind == UNIK_PACK_OCI_ARCHIVE;

	if ((oci ? put_oci(a, err) : put_docker(a, err)) < 0)
		return -1;
	return unik_sink_write(a->sink, NULL, UINT64_C(2) * TAR_BLOCK, err);
}

static int write_to(struct packing *p, int fd, struct unik_digest *digest,
		    struct unik_err *err)
{
	const struct unik_sink_options so = {
		.fd = fd, .holes = true, .hash = digest != NULL,
		.stop = p->in->stop
	};
	struct archive a = { .p = p };
	int rc = -1;

	if (unik_sink_new(&a.sink, &so, err) < 0)
		return -1;
	if (put_archive(&a, err) == 0)
		rc = unik_sink_finish(a.sink, digest, err);
	unik_sink_free(a.sink);
	return rc;
}

/* The line in SHA256SUMS is made before the archive has its name, so that
 * little can fail between the two. */
static int publish(const struct unik_pack_place *place, struct unik_temp *t,
		   const struct unik_digest *digest, struct unik_err *err)
{
	struct unik_sums sums = UNIK_SUMS_NONE;
	int rc;

	rc = unik_sums_begin(&sums, place->dir, place->name, digest, err);
	if (rc == 0)
		rc = unik_temp_publish(t, place->name, 0644, true, err);
	if (rc == 0)
		rc = unik_sums_publish(&sums, err);
	if (rc == 0 && fsync(place->dir) < 0 && errno != EINVAL)
		rc = unik_fail_sys(err, "can't sync a directory");
	unik_sums_release(&sums);
	return rc;
}

int pack_write_archive(struct packing *p, struct unik_err *err)
{
	const struct unik_pack_place *place = p->in->place;
	struct unik_temp t = UNIK_TEMP_NONE;
	struct unik_digest digest;
	int rc;

	if (place->fd >= 0)
		return write_to(p, place->fd, NULL, err);
	if (strcmp(place->name, UNIK_SUMS) == 0)
		return unik_fail_usage(err, "an archive can't be named "
				       UNIK_SUMS);
	if (unik_temp_open(&t, place->dir, err) < 0)
		return -1;
	rc = write_to(p, t.fd, &digest, err);
	if (rc == 0)
		rc = publish(place, &t, &digest, err);
	unik_temp_release(&t);
	return rc;
}
