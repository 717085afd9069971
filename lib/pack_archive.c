/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pack: the tar that the new image stands in, `docker load` or OCI. */
#include <stdio.h>
#include <stdlib.h>

#include "deflate.h"
#include "pack_private.h"

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

static int put_archive(struct archive *a, struct unik_err *err)
{
	if (put_docker(a, err) < 0)
		return -1;
	return unik_sink_write(a->sink, NULL, UINT64_C(2) * PACK_BLOCK, err);
}

static int write_to(struct packing *p, int fd, struct unik_digest *digest,
		    struct unik_err *err)
{
	const struct unik_sink_options so = { fd, true, digest != NULL,
					      p->in->stop };
	struct archive a = { .p = p };
	int rc = -1;

	if (unik_sink_new(&a.sink, &so, err) < 0)
		return -1;
	if (put_archive(&a, err) == 0)
		rc = unik_sink_finish(a.sink, digest, err);
	unik_sink_free(a.sink);
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
	if (unik_temp_open(&t, place->dir, err) < 0)
		return -1;
	rc = write_to(p, t.fd, &digest, err);
	if (rc == 0)
		rc = unik_temp_publish(&t, place->name, 0644, true, err);
	unik_temp_release(&t);
	return rc;
}
