/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pack: a layer of the source as it is, with the images that end with it
 * behind its last entry.
 */
#include <unistd.h>

#include "deflate.h"
#include "pack_private.h"
#include "tar.h"

/* Reads the tar through, to a spool where it is compressed, and checks that it
 * still is what was converted. */
static int read_through(const struct packing *p, struct unik_source *src,
			int fd, const struct unik_digest *want, uint64_t *size,
			struct unik_err *err)
{
	const struct unik_sink_options so = {
		.fd = fd, .holes = true, .hash = true, .stop = p->in->stop
	};
	struct unik_sink *sink = NULL;
	struct unik_digest got;
	int rc = -1;

	if (unik_sink_new(&sink, &so, err) < 0)
		return -1;
	if (unik_deflate(src, sink, UNIK_PLAIN, 0, NULL, p->in->stop, err) == 0)
		rc = unik_sink_finish(sink, &got, err);
	*size = unik_sink_size(sink);
	unik_sink_free(sink);
	if (rc == 0 && !unik_digest_equal(&got, want))
		return unik_fail(err, "it changed while it was read");
	return rc;
}

static int open_original(const struct packing *p, struct pack_layer *l,
			 const struct unik_layer_ref *ref,
			 const struct unik_digest *want, uint64_t *size,
			 struct unik_err *err)
{
	struct unik_source *range = NULL, *src = NULL;
	enum unik_compression found;
	int rc;

	if (unik_source_range(&range, ref->fd, ref->offset, ref->size, err) < 0)
		return -1;
	rc = unik_source_inflate(&src, range, p->in->limits, &found, err);
	if (rc == 0 && found != UNIK_PLAIN)
		rc = unik_spool_open(p->in->place->spool_dir, &l->original,
				     err);
	if (rc == 0)
		rc = read_through(p, src, l->original, want, size, err);
	unik_source_free(src);
	unik_source_free(range);
	return rc;
}

/* Where the last entry ends. */
static int find_end(const struct packing *p, int fd, uint64_t offset,
		    uint64_t size, uint64_t *end, struct unik_err *err)
{
	struct unik_source *src = NULL;
	struct unik_tar *tar = NULL;
	struct unik_tar_entry e;
	int rc;

	if (unik_source_range(&src, fd, offset, size, err) < 0)
		return -1;
	rc = unik_tar_new(&tar, src, p->in->limits, err);
	while (rc == 0)
		rc = unik_tar_next(tar, &e, err);
	if (rc == 1)
		*end = unik_tar_end(tar);
	unik_tar_free(tar);
	unik_source_free(src);
	return rc < 0 ? -1 : 0;
}

int pack_append_original(const struct packing *p, struct pack_layer *l,
			 struct unik_err *err)
{
	const struct unik_layer_ref *ref = &p->in->source->layers[l->first];
	uint64_t size = 0, end = 0, offset;
	int fd;

	if (open_original(p, l, ref, &p->in->diff_ids[l->first], &size, err) <
	    0)
		return -1;
	fd = l->original >= 0 ? l->original : ref->fd;
	offset = l->original >= 0 ? 0 : ref->offset;
	if (find_end(p, fd, offset, size, &end, err) < 0)
		return -1;
	return pack_recipe_range(&l->recipe, fd, offset, end, err);
}
