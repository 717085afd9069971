/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "layer.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drain.h"
#include "io.h"
#include "layer_contents.h"
#include "layer_entries.h"
#include "layer_walk.h"
#include "stage.h"

/*
 * The pipeline of one compressed layer:
 *   bytes -> [blob digest] -> inflate -> [diff_id, spool] -> entries
 * A plain layer is read in place: first its headers, with its small files
 * (layer_walk.h), then the others, and the whole beside all that
 * (layer_contents.h).
 */
/* Compressed bytes are few, and soon read. */
#define RAW_CHUNKS 8

struct pipe {
	struct unik_source *bytes;  /* the range of the file */
	struct unik_source *raw;    /* staged: blob digest */
	struct unik_source *plain;  /* inflated; NULL for a plain layer */
	struct unik_source *tar;    /* staged: diff_id and spool */
	enum unik_compression compression;
	bool raw_hash;
	enum unik_stage_hash hash; /* of the diff_id */
};

static void pipe_release(struct pipe *p)
{
	unik_source_free(p->tar);
	unik_source_free(p->plain);
	unik_source_free(p->raw);
	unik_source_free(p->bytes);
}

static int detect(const struct unik_layer_ref *ref,
		  enum unik_compression *compression, struct unik_err *err)
{
	uint8_t head[512];
	size_t n = ref->size < sizeof(head) ? (size_t)ref->size : sizeof(head);

	if (unik_pread_all(ref->fd, head, n, ref->offset, err) < 0)
		return -1;
	*compression = unik_compression_of(head, n);
	return 0;
}

/* spool_fd -1: nothing is kept. */
static int pipe_open(struct pipe *p, const struct unik_layer_ref *ref,
		     const struct unik_layer_options *opt, int spool_fd,
		     struct unik_err *err)
{
	struct unik_stage_options raw = { UNIK_STAGE_READER, UNIK_SHA256, -1,
					  UINT64_MAX, RAW_CHUNKS, opt->stop };
	struct unik_stage_options tar = { p->hash, UNIK_SHA256, spool_fd,
					  opt->limits->layer_size,
					  opt->chunks, opt->stop };
	struct unik_source *from;

	if (ref->has_blob_digest)
		raw.algo = ref->blob_digest.algo;
	p->raw_hash = p->compression != UNIK_PLAIN || raw.algo != UNIK_SHA256;
	if (unik_source_range(&p->bytes, ref->fd, ref->offset, ref->size,
			      err) < 0)
		return -1;
	from = p->bytes;
	if (p->raw_hash) {
		if (unik_stage_new(&p->raw, from, &raw, err) < 0)
			return -1;
		from = p->raw;
	}
	if (p->compression != UNIK_PLAIN) {
		if (unik_source_inflate(&p->plain, from, opt->limits,
					&p->compression, err) < 0)
			return -1;
		from = p->plain;
	}
	return unik_stage_new(&p->tar, from, &tar, err);
}

static int mismatch(const char *what, const struct unik_digest *got,
		    const struct unik_digest *want, struct unik_err *err)
{
	char a[UNIK_DIGEST_TEXT], b[UNIK_DIGEST_TEXT];

	return unik_fail(err, "%s is %s, but %s was declared", what,
			 unik_digest_text(got, a), unik_digest_text(want, b));
}

static int check_digests(const struct unik_layer_ref *ref,
			 const struct unik_digest *blob,
			 const struct unik_digest *diff_id,
			 struct unik_err *err)
{
	if (ref->has_blob_digest && !unik_digest_equal(blob, &ref->blob_digest))
		return mismatch("blob digest", blob, &ref->blob_digest, err);
	if (ref->has_diff_id && !unik_digest_equal(diff_id, &ref->diff_id))
		return mismatch("diff_id", diff_id, &ref->diff_id, err);
	return 0;
}

/* Reads all that is left, takes the digests, compares. */
static int pipe_finish(struct pipe *p, const struct unik_layer_ref *ref,
		       struct unik_digest *blob, struct unik_digest *diff_id,
		       uint64_t *size, struct unik_err *err)
{
	uint64_t raw_size;

	if (unik_stage_finish(p->tar, diff_id, size, err) < 0)
		return -1;
	*blob = *diff_id;
	if (p->raw_hash && unik_stage_finish(p->raw, blob, &raw_size, err) < 0)
		return -1;
	return check_digests(ref, blob, diff_id, err);
}

/* ---- a compressed layer: one pass, to a spool ---- */

/* A plain layer comes here, too, where its blob digest is no sha256: two of
 * the whole are to be taken then. */
static int load_stream(struct unik_layer *layer, struct pipe *p,
		       const struct unik_layer_options *opt,
		       struct unik_err *err)
{
	bool fast = unik_lanes_fast();
	uint64_t base = layer->ref.offset;
	int spool = -1;

	layer->data.fd = layer->ref.fd;
	if (p->compression != UNIK_PLAIN) {
		if (unik_spool_open(opt->spool_dir, &spool, err) < 0)
			return -1;
		layer->data.fd = spool;
		layer->own_fd = true;
		base = 0;
	}
	p->hash = fast ? UNIK_STAGE_TAKER : UNIK_STAGE_BEHIND;
	if (pipe_open(p, &layer->ref, opt, spool, err) < 0 ||
	    unik_layer_entries(layer, p->tar, base,
			       fast ? UNIK_SCAN_BESIDE : UNIK_SCAN_NOW, opt,
			       err) < 0 ||
	    pipe_finish(p, &layer->ref, &layer->blob_digest, &layer->diff_id,
			&layer->size, err) < 0)
		return -1;
	return unik_tree_seal_open(layer->tree, err);
}

/* ---- a plain layer: headers first, then all that must be hashed ---- */

static int walk(struct unik_layer *layer, const struct unik_layer_options *opt,
		uint64_t *told, struct unik_err *err)
{
	const struct unik_layer_ref *ref = &layer->ref;
	struct unik_source *s = NULL;
	int rc;

	if (unik_walk_new(&s, ref->fd, ref->offset, ref->size, layer->contents,
			  opt, err) < 0)
		return -1;
	rc = unik_layer_entries(layer, s, ref->offset, UNIK_SCAN_LATER, opt,
				err);
	if (rc == 0)
		rc = unik_walk_finish(s, told, err);
	unik_source_free(s);
	return rc < 0 ? -1 : unik_tree_seal_open(layer->tree, err);
}

static int load_in_place(struct unik_layer *layer,
			 const struct unik_layer_options *opt,
			 struct unik_err *err)
{
	const struct unik_layer_ref *ref = &layer->ref;
	uint64_t told = 0;

	layer->data.fd = ref->fd;
	layer->size = ref->size;
	if (ref->size > opt->limits->layer_size)
		return unik_fail(err, "more than %llu bytes "
				 "(--max-layer-size)",
				 (unsigned long long)opt->limits->layer_size);
	if (unik_contents_start(&layer->contents, layer, ref->offset,
				ref->size, opt, err) < 0 ||
	    walk(layer, opt, &told, err) < 0 ||
	    unik_contents_files(layer->contents, told, err) < 0)
		return -1;
	return opt->later ? 0 : unik_layer_settle(layer, err);
}

int unik_layer_settle(struct unik_layer *layer, struct unik_err *err)
{
	struct unik_contents *c = layer->contents;
	int rc;

	if (!c)
		return 0;
	layer->contents = NULL;
	rc = unik_contents_finish(c, &layer->diff_id, err);
	unik_contents_free(c);
	if (rc < 0)
		return -1;
	layer->blob_digest = layer->diff_id;
	return check_digests(&layer->ref, &layer->blob_digest,
			     &layer->diff_id, err);
}

const struct unik_beside *unik_layer_beside(struct unik_layer *layer)
{
	return layer->contents ? unik_contents_beside(layer->contents) : NULL;
}

static int load(struct unik_layer *layer, const struct unik_layer_options *opt,
		struct unik_err *err)
{
	const struct unik_layer_ref *ref = &layer->ref;
	bool other = ref->has_blob_digest &&
		     ref->blob_digest.algo != UNIK_SHA256;
	struct pipe p = { 0 };
	int rc;

	if (detect(ref, &p.compression, err) < 0)
		return -1;
	layer->compression = p.compression;
	layer->blob_size = ref->size;
	if (p.compression == UNIK_PLAIN && !other)
		return load_in_place(layer, opt, err);
	rc = load_stream(layer, &p, opt, err);
	pipe_release(&p);
	return rc;
}

int unik_layer_load(struct unik_layer **out, const struct unik_layer_ref *ref,
		    const struct unik_layer_options *opt, struct unik_err *err)
{
	struct unik_layer *layer = calloc(1, sizeof(*layer));

	if (!layer)
		return unik_fail_mem(err);
	layer->data.fd = -1;
	layer->ref = *ref;
	if (unik_tree_new(&layer->tree, opt->limits, err) < 0 ||
	    load(layer, opt, err) < 0) {
		unik_layer_free(layer);
		return -1;
	}
	*out = layer;
	return 0;
}

int unik_layer_drain(struct unik_layer *layer, const struct unik_tree *tree,
		     struct unik_err *err)
{
	uint32_t id;

	/* Never the source's own file; and of bound files there is no size.  A
	 * spool has no more bytes than its layer. */
	if (!layer->own_fd || layer->size == 0)
		return 0;
	if (unik_drain_new(&layer->data.drain, layer->data.fd, layer->size,
			   err) < 0)
		return -1;
	for (id = 0; id < tree->ninodes; id++) {
		const struct unik_inode *inode = tree->inodes[id];

		if (inode->type == UNIK_FILE && inode->size > 0 &&
		    inode->content->data == &layer->data &&
		    unik_content_want(inode->content, inode->size, err) < 0)
			return -1;
	}
	unik_drain_start(layer->data.drain);
	return 0;
}

void unik_layer_free(struct unik_layer *layer)
{
	if (!layer)
		return;
	unik_contents_free(layer->contents);
	unik_tree_free(layer->tree);
	unik_drain_free(layer->data.drain);
	if (layer->own_fd)
		close(layer->data.fd);
	free(layer);
}

/* Only the digest of the bytes as they are. */
static int check_blob(const struct unik_layer_ref *ref,
		      const struct unik_layer_options *opt,
		      struct unik_digest *blob, struct unik_err *err)
{
	struct unik_stage_options so = { UNIK_STAGE_BEHIND, UNIK_SHA256, -1,
					 UINT64_MAX, RAW_CHUNKS, opt->stop };
	struct unik_source *bytes = NULL, *staged = NULL;
	uint64_t size;
	int rc = -1;

	if (ref->has_blob_digest)
		so.algo = ref->blob_digest.algo;
	if (unik_source_range(&bytes, ref->fd, ref->offset, ref->size, err) ==
		    0 &&
	    unik_stage_new(&staged, bytes, &so, err) == 0)
		rc = unik_stage_finish(staged, blob, &size, err);
	unik_source_free(staged);
	unik_source_free(bytes);
	if (rc == 0 && ref->has_blob_digest &&
	    !unik_digest_equal(blob, &ref->blob_digest))
		return mismatch("blob digest", blob, &ref->blob_digest, err);
	return rc;
}

int unik_layer_check(const struct unik_layer_ref *ref,
		     const struct unik_layer_options *opt,
		     struct unik_digest *blob, struct unik_digest *diff_id,
		     struct unik_err *err)
{
	struct pipe p = { 0 };
	uint64_t size;
	int rc = -1;

	if (!diff_id)
		return check_blob(ref, opt, blob, err);
	p.hash = UNIK_STAGE_BEHIND;
	if (detect(ref, &p.compression, err) == 0 &&
	    pipe_open(&p, ref, opt, -1, err) == 0)
		rc = pipe_finish(&p, ref, blob, diff_id, &size, err);
	pipe_release(&p);
	return rc;
}
