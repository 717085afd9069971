/* SPDX-License-Identifier: GPL-3.0-or-later */
/* verify: the layers of a package, entry by entry. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "inflate.h"
#include "io.h"
#include "tar.h"
#include "verify_package_private.h"

int package_stream(const struct package *p, const struct unik_layer_ref *ref,
		   struct unik_source **range, struct unik_source **src,
		   struct unik_err *err)
{
	enum unik_compression found;

	if (unik_source_range(range, ref->fd, ref->offset, ref->size, err) < 0)
		return -1;
	return unik_source_inflate(src, *range, &p->v->opt->limits, &found,
				   err);
}

/* ---- one image ---- */

/* What is wrong with its entry, or NULL. */
static const char *wrong_entry(const struct unik_tar_entry *e,
			       const struct unik_stack_image *image)
{
	if (e->typeflag != '0' || e->sparse)
		return "it is no plain file";
	if (e->size != image->facts.size)
		return "it has another size than the recorded stack says";
	if (e->mode != 0444 || e->uid != 0 || e->gid != 0)
		return "it has another mode or owner than images have";
	return NULL;
}

int package_hash(struct unik_tar *tar, struct unik_digest *d,
		 struct unik_err *err)
{
	struct unik_hash h = UNIK_HASH_NONE;
	const uint8_t *data;
	size_t n;
	int rc = unik_hash_init(&h, UNIK_SHA256, err);

	while (rc == 0 && (rc = unik_tar_data(tar, &data, &n, err)) == 0)
		rc = unik_hash_update(&h, data, n, err);
	if (rc == 1)
		rc = unik_hash_final(&h, d, err);
	unik_hash_release(&h);
	return rc;
}

static void put_image(const struct package *p, size_t i, size_t j,
		      const char *wrong, struct findings *f)
{
	char name[UNIK_PACK_NAME];

	package_name(p, i, name);
	if (wrong)
		verify_put(f, UNIK_IDENTITY, UNIK_FAIL, name, "layer %zu: %s",
			   j, wrong);
	else
		verify_put(f, UNIK_IDENTITY, UNIK_PASS, name,
			   "layer %zu holds the %" PRIu64 " bytes of its name",
			   j, p->m->stack[i].facts.size);
}

static int check_image(const struct package *p, size_t i, size_t j,
		       struct unik_tar *tar, const struct unik_tar_entry *e,
		       struct findings *f, struct unik_err *err)
{
	const struct unik_stack_image *image = &p->m->stack[i];
	const char *wrong = wrong_entry(e, image);
	struct spot *spot = &p->spots[i];
	uint64_t offset = e->offset;
	struct unik_digest got;

	if (spot->found)
		wrong = "it is there twice";
	if (!wrong && package_hash(tar, &got, err) < 0)
		return -1;
	if (!wrong && !unik_digest_equal(&got, &image->facts.image))
		wrong = "its bytes are not those of its name";
	spot->found = true;
	spot->good = !wrong;
	spot->layer = j;
	spot->offset = offset;
	put_image(p, i, j, wrong, f);
	return 0;
}

/* ---- the entries of a tar ---- */

struct walk {
	struct package *p;
	size_t j;
	uint64_t images; /* seen */
	uint64_t extra;
	struct findings *f;
};

static size_t find_image(const struct package *p, size_t j,
			 const struct unik_tar_entry *e)
{
	char name[UNIK_PACK_NAME];
	size_t i;

	if (strncmp(e->path, "rootfs-", 7) != 0)
		return p->m->nstack;
	for (i = 0; i < p->m->nstack; i++)
		if (package_expects(p, j, i) &&
		    strcmp(package_name(p, i, name), e->path) == 0)
			break;
	return i;
}

static void put_extra(struct walk *w, const struct unik_tar_entry *e)
{
	char object[48], q[UNIK_QUOTE_SIZE];

	if (w->extra++ >= MAX_DETAILS)
		return;
	snprintf(object, sizeof(object), "layer %zu", w->j);
	verify_put(w->f, UNIK_IDENTITY, UNIK_FAIL, object,
		   "%s does not belong into it",
		   unik_quote(q, e->path, e->path_size));
}

static int walk_entry(struct walk *w, struct unik_tar *tar,
		      const struct unik_tar_entry *e, struct unik_err *err)
{
	size_t i = find_image(w->p, w->j, e);

	if (verify_stopped(w->p->v, err) < 0)
		return -1;
	if (i < w->p->m->nstack) {
		w->images++;
		return check_image(w->p, i, w->j, tar, e, w->f, err);
	}
	if (w->j == 0) {
		bool is_one = false;

		if (package_extra(w->p, tar, e, &is_one, w->f, err) < 0)
			return -1;
		if (is_one)
			return 0;
	}
	/* Images come last. */
	if (!package_appends(w->p, w->j) || w->images > 0)
		put_extra(w, e);
	return 0;
}

static int walk_tar(struct walk *w, struct unik_source *src,
		    struct unik_err *err)
{
	struct unik_tar_entry e;
	struct unik_tar *tar = NULL;
	int rc = unik_tar_new(&tar, src, &w->p->v->opt->limits, err);

	while (rc == 0) {
		rc = unik_tar_next(tar, &e, err);
		if (rc == 0)
			rc = walk_entry(w, tar, &e, err);
	}
	unik_tar_free(tar);
	return rc < 0 ? -1 : 0;
}

/* ---- one layer ---- */

/* The blob is the image. */
static int check_raw(const struct package *p, size_t j, struct findings *f,
		     struct unik_err *err)
{
	const struct unik_layer_ref *ref = &p->image->layers[j];
	const struct unik_stack_image *image = &p->m->stack[j];
	const char *format = image->format ? image->format : p->m->format;
	const struct unik_sink_options so = {
		.fd = -1, .hash = true, .stop = p->v->opt->stop
	};
	struct unik_source *src = NULL;
	struct unik_sink *sink = NULL;
	struct unik_digest got;
	const uint8_t *data;
	size_t n;
	int rc;

	rc = unik_source_range(&src, ref->fd, ref->offset, ref->size, err);
	if (rc == 0)
		rc = unik_sink_new(&sink, &so, err);
	while (rc == 0 && (rc = unik_source_peek(src, &data, &n, err)) == 0) {
		rc = unik_sink_write(sink, data, n, err);
		unik_source_advance(src, n);
	}
	if (rc == 1)
		rc = unik_sink_finish(sink, &got, err);
	unik_sink_free(sink);
	unik_source_free(src);
	if (rc < 0)
		return -1;
	p->spots[j].found = true;
	p->spots[j].layer = j;
	p->spots[j].good = unik_digest_equal(&got, &image->facts.image);
	put_image(p, j, j, !p->spots[j].good
			? "its bytes are not those of the recorded stack"
			: strcmp(ref->media_type, strcmp(format, "iso") == 0
					 ? UNIK_RAW_ISO : UNIK_RAW_EXT2) != 0
				? "its media type is not that of its format"
				: NULL, f);
	return 0;
}

void package_layer(void *data, size_t j, struct findings *f)
{
	struct package *p = data;
	struct walk w = { .p = p, .j = j, .f = f };
	struct unik_source *range = NULL, *src = NULL;
	struct unik_err err;
	char object[48];
	int rc;

	snprintf(object, sizeof(object), "layer %zu", j);
	if (p->how == UNIK_PACKAGE_RAW) {
		rc = check_raw(p, j, f, &err);
	} else {
		rc = package_stream(p, &p->image->layers[j], &range, &src,
				    &err);
		if (rc == 0)
			rc = walk_tar(&w, src, &err);
		unik_source_free(src);
		unik_source_free(range);
	}
	if (rc < 0)
		verify_put_err(f, UNIK_IDENTITY, object, &err);
}

/* ---- append: what was there before ---- */

/* Where the last entry of a tar ends. */
static int find_end(const struct package *p, const struct unik_layer_ref *ref,
		    uint64_t *end, struct unik_err *err)
{
	struct unik_source *range = NULL, *src = NULL;
	struct unik_tar *tar = NULL;
	struct unik_tar_entry e;
	int rc = package_stream(p, ref, &range, &src, err);

	if (rc == 0)
		rc = unik_tar_new(&tar, src, &p->v->opt->limits, err);
	while (rc == 0)
		rc = unik_tar_next(tar, &e, err);
	if (rc == 1)
		*end = unik_tar_end(tar);
	unik_tar_free(tar);
	unik_source_free(src);
	unik_source_free(range);
	return rc < 0 ? -1 : 0;
}

/* *same gets how many bytes the streams have in common, at most n. */
static int compare(struct unik_source *a, struct unik_source *b, uint64_t n,
		   uint64_t *same, struct unik_err *err)
{
	const uint8_t *p, *q;
	size_t np, nq, k;

	*same = 0;
	while (*same < n) {
		int rc = unik_source_peek(a, &p, &np, err);

		if (rc == 0)
			rc = unik_source_peek(b, &q, &nq, err);
		if (rc != 0)
			return rc < 0 ? -1 : 0;
		if (np > nq)
			np = nq;
		if (np > n - *same)
			np = (size_t)(n - *same);
		for (k = 0; k < np && p[k] == q[k]; k++)
			;
		*same += k;
		if (k < np)
			return 0;
		unik_source_advance(a, np);
		unik_source_advance(b, np);
	}
	return 0;
}

static int compare_original(const struct package *p, size_t j, uint64_t *end,
			    uint64_t *same, struct unik_err *err)
{
	struct unik_source *r1 = NULL, *r2 = NULL, *a = NULL, *b = NULL;
	int rc = -1;

	if (find_end(p, &p->v->source->layers[j], end, err) == 0 &&
	    package_stream(p, &p->v->source->layers[j], &r1, &a, err) == 0 &&
	    package_stream(p, &p->image->layers[j], &r2, &b, err) == 0)
		rc = compare(a, b, *end, same, err);
	unik_source_free(a);
	unik_source_free(b);
	unik_source_free(r1);
	unik_source_free(r2);
	return rc;
}

/* Header (with a pax one where the size needs it), content, padding. */
uint64_t package_entry_size(uint64_t size)
{
	uint64_t head = size > UINT64_C(077777777777) ? 3 * 512 : 512;

	return head + (size + 511) / 512 * 512;
}

/* Whether nothing but images stands behind the source's bytes. */
static int ends_so(const struct package *p, size_t j, uint64_t end, bool *so,
		   struct unik_err *err)
{
	uint64_t got = 0;
	size_t i;

	if (find_end(p, &p->image->layers[j], &got, err) < 0)
		return -1;
	for (i = 0; i < p->m->nstack; i++)
		if (package_expects(p, j, i))
			end += package_entry_size(p->m->stack[i].facts.size);
	end += j == 0 ? p->beside : 0;
	*so = got == end;
	return 0;
}

void package_original(void *data, size_t j, struct findings *f)
{
	const struct package *p = data;
	uint64_t end = 0, same = 0;
	struct unik_err err;
	char object[48];
	bool so = true;

	if (!package_appends(p, j) || j >= p->v->source->nlayers)
		return;
	snprintf(object, sizeof(object), "layer %zu", j);
	if (compare_original(p, j, &end, &same, &err) < 0 ||
	    ends_so(p, j, end, &so, &err) < 0)
		verify_put_err(f, UNIK_FAITHFUL, object, &err);
	else if (same < end)
		verify_put(f, UNIK_FAITHFUL, UNIK_FAIL, object,
			   "byte %" PRIu64 " is not that of the source's layer",
			   same);
	else if (!so)
		verify_put(f, UNIK_FAITHFUL, UNIK_FAIL, object,
			   "it holds something beside the source's layer and "
			   "its images");
	else
		verify_put(f, UNIK_FAITHFUL, UNIK_PASS, object,
			   "it begins with the %" PRIu64
			   " bytes of the source's layer", end);
}
