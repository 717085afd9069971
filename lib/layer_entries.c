/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "layer_entries.h"

#include <stdlib.h>
#include <string.h>

#include "layer_walk.h"
#include "limits.h"
#include "scan.h"
#include "stage.h"
#include "tar.h"

struct reader {
	struct unik_layer *layer;
	const struct unik_layer_options *opt;
	struct unik_source *stream;
	struct unik_tar *tar;
	struct unik_scan scan;
	uint64_t base; /* what takes a place in the stream to one in the data */
	bool later; /* contents are not looked at, but for small ones */
	bool keeps; /* contents go to the spool of the stream, a stage */
	uint64_t expanded; /* bytes of all files so far, holes counted */
	uint64_t reported; /* bytes that progress knows of */
	struct unik_piece *pieces; /* with offsets in the data */
	uint32_t piece_room;
};

static int report(struct reader *r, struct unik_err *err)
{
	uint64_t pos = r->stream->pos;

	if (r->opt->stop && *r->opt->stop)
		return unik_fail_io(err, "interrupted");
	if (r->opt->progress && !r->later && pos > r->reported) {
		r->opt->progress(r->opt->progress_data, pos - r->reported);
		r->reported = pos;
	}
	return 0;
}

/* Feeds stored bytes of the entry to the scan: n of them. */
static int scan_stored(struct reader *r, uint64_t n, const uint8_t **data,
		       size_t *have, struct unik_err *err)
{
	while (n > 0) {
		size_t m;

		if (*have == 0) {
			if (unik_tar_data(r->tar, data, have, err) < 0 ||
			    report(r, err) < 0)
				return -1;
		}
		m = *have < n ? *have : (size_t)n;
		if (unik_scan_feed(&r->scan, *data, m, err) < 0 ||
		    (r->keeps &&
		     unik_stage_keep(r->stream, *data, m, err) < 0))
			return -1;
		*data += m;
		*have -= m;
		n -= m;
	}
	return 0;
}

static int scan_entry(struct reader *r, const struct unik_tar_entry *e,
		      struct unik_err *err)
{
	const uint8_t *data = NULL;
	size_t have = 0;
	uint64_t at = 0;
	uint32_t i;

	if (unik_scan_begin(&r->scan, err) < 0)
		return -1;
	if (!e->sparse)
		return scan_stored(r, e->size, &data, &have, err);
	for (i = 0; i < e->npieces; i++) {
		const struct unik_piece *p = &e->pieces[i];

		if (unik_scan_feed(&r->scan, NULL, p->offset - at, err) < 0 ||
		    scan_stored(r, p->size, &data, &have, err) < 0)
			return -1;
		at = p->offset + p->size;
	}
	return unik_scan_feed(&r->scan, NULL, e->size - at, err);
}

/* Offsets in the stream become offsets in the data.  A file that is nothing
 * but a hole gets one empty piece, so that it is known to be stored sparse. */
static int shift_pieces(struct reader *r, const struct unik_tar_entry *e,
			struct unik_content *c, struct unik_err *err)
{
	uint32_t n = e->npieces ? e->npieces : 1, i;

	if (n > r->piece_room) {
		struct unik_piece *v = realloc(r->pieces, n * sizeof(*v));

		if (!v)
			return unik_fail_mem(err);
		r->pieces = v;
		r->piece_room = n;
	}
	memset(r->pieces, 0, sizeof(r->pieces[0]));
	for (i = 0; i < e->npieces; i++) {
		r->pieces[i] = e->pieces[i];
		r->pieces[i].stored += r->base;
	}
	c->pieces = r->pieces;
	c->npieces = n;
	return 0;
}

static int read_content(struct reader *r, const struct unik_tar_entry *e,
			struct unik_content *c, struct unik_err *err)
{
	uint64_t sum;

	if (!unik_add(r->expanded, e->size, &sum) ||
	    sum > r->opt->limits->layer_size)
		return unik_fail(err, "files of more than %llu bytes "
				 "(--max-layer-size)", (unsigned long long)
				 r->opt->limits->layer_size);
	r->expanded = sum;
	if (r->keeps)
		r->base = unik_stage_kept(r->stream) - e->offset;
	c->data = &r->layer->data;
	c->offset = r->base + e->offset;
	if (e->sparse && shift_pieces(r, e, c, err) < 0)
		return -1;
	if (r->later)
		return 0;
	if (scan_entry(r, e, err) < 0)
		return -1;
	return unik_scan_end(&r->scan, c, err);
}

static enum unik_type type_of(char typeflag)
{
	switch (typeflag) {
	case '2':
		return UNIK_SYMLINK;
	case '3':
		return UNIK_CHAR;
	case '4':
		return UNIK_BLOCK;
	case '5':
		return UNIK_DIR;
	case '6':
		return UNIK_FIFO;
	default:
		return UNIK_FILE;
	}
}

/* A layer in doubt that may be an image is not to be read as a layer. */
static int check_doubt(struct reader *r, const struct unik_tar_entry *e,
		       struct unik_err *err)
{
	bool is_dir = e->typeflag == '5' ||
		      (e->typeflag == '0' && e->is_dir_name);

	if (!r->layer->ref.doubt ||
	    !unik_image_sign(e->path, e->path_size, is_dir))
		return 0;
	*r->opt->is_image = true;
	return unik_fail(err, "it may be an image");
}

static int add_entry(struct reader *r, const struct unik_tar_entry *e,
		     struct unik_err *err)
{
	struct unik_content content = { 0 }, *kept = NULL;
	struct unik_entry entry = {
		.path = e->path,
		.path_size = e->path_size,
		.type = type_of(e->typeflag),
		.hardlink = e->typeflag == '1',
		.mode = (uint16_t)e->mode,
		.uid = (uint32_t)e->uid,
		.gid = (uint32_t)e->gid,
		.mtime_sec = e->mtime_sec,
		.mtime_nsec = e->mtime_nsec,
		.size = e->size,
		.target = e->target,
		.target_size = e->target_size,
		.rdev = { (uint32_t)e->rdev_major, (uint32_t)e->rdev_minor },
		.xattrs = e->xattrs,
		.nxattrs = e->nxattrs,
		.content = &content,
		.kept = &kept,
	};
	char q[UNIK_QUOTE_SIZE];

	if (entry.type == UNIK_FILE && !entry.hardlink && e->size > 0 &&
	    read_content(r, e, &content, err) < 0)
		return unik_wrap(err, "%s", unik_quote(q, e->path,
						       e->path_size));
	if (unik_tree_add(r->layer->tree, &entry, err) < 0)
		return -1;
	if (!r->later || !kept || e->sparse)
		return 0;
	return unik_walk_file(r->stream, e->size, kept->sha256, &kept->hashed,
			      err);
}

static int read_all(struct reader *r, struct unik_err *err)
{
	struct unik_tar_entry e;
	int rc;

	while ((rc = unik_tar_next(r->tar, &e, err)) == 0) {
		if (check_doubt(r, &e, err) < 0 || add_entry(r, &e, err) < 0 ||
		    report(r, err) < 0)
			return -1;
	}
	r->layer->unended = !unik_tar_ended_properly(r->tar);
	r->layer->globals = unik_tar_globals(r->tar);
	return rc < 0 ? -1 : 0;
}

int unik_layer_entries(struct unik_layer *layer, struct unik_source *tar,
		       uint64_t base, enum unik_layer_scan scan,
		       const struct unik_layer_options *opt,
		       struct unik_err *err)
{
	struct reader r = { .layer = layer, .opt = opt, .stream = tar,
			    .base = base,
			    .later = scan == UNIK_SCAN_LATER,
			    .keeps = layer->own_fd };
	int rc = -1;

	if (unik_scan_init(&r.scan, err) == 0) {
		if (scan == UNIK_SCAN_BESIDE)
			r.scan.beside = tar;
		if (unik_tar_new(&r.tar, tar, opt->limits, err) == 0)
			rc = read_all(&r, err);
	}
	unik_tar_free(r.tar);
	unik_scan_release(&r.scan);
	free(r.pieces);
	return rc;
}
