/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reader_iso: who owns which bytes of an image. */
#include <stdlib.h>
#include <string.h>

#include "reader_iso_private.h"

/* An image has less than 2^43 bytes: the owner fits above them. */
#define OWNER_SHIFT 56
#define SIZE_MASK ((UINT64_C(1) << OWNER_SHIFT) - 1)

static enum iso_owner owner_of(const struct iso_region *r)
{
	return (enum iso_owner)(r->size >> OWNER_SHIFT);
}

static uint64_t end_of(const struct iso_region *r)
{
	return r->start + (r->size & SIZE_MASK);
}

int unik_iso_own(struct iso_regions *r, enum iso_owner owner, uint64_t start,
		 uint64_t size, struct unik_err *err)
{
	if (size == 0)
		return 0;
	if (r->n == r->room) {
		size_t room = r->room ? r->room + r->room / 2 : 256;
		struct iso_region *v = realloc(r->v, room * sizeof(*v));

		if (!v)
			return unik_fail_mem(err);
		r->v = v;
		r->room = room;
	}
	r->v[r->n].start = start;
	r->v[r->n++].size = size | (uint64_t)owner << OWNER_SHIFT;
	return 0;
}

static int compare_regions(const void *a, const void *b)
{
	const struct iso_region *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return (x->size > y->size) - (x->size < y->size);
}

static int check_zeros(const struct iso_image *image, uint64_t from,
		       uint64_t to, struct unik_err *err)
{
	uint8_t buf[ISO_BLOCK];

	while (from < to) {
		size_t n = to - from < sizeof(buf) ? (size_t)(to - from)
						   : sizeof(buf);

		if (unik_pread_all(image->fd, buf, n, from, err) < 0)
			return -1;
		if (!unik_all_zero(buf, n))
			return unik_fail(err, "bytes %llu to %llu belong to "
					 "nothing and are not zero",
					 (unsigned long long)from,
					 (unsigned long long)(from + n));
		from += n;
	}
	return 0;
}

/* The bytes between two regions of our own images: the system area, the rest of
 * a block, or at the end what makes the size even. */
static int check_gap(const struct iso_image *image, uint64_t from, uint64_t to,
		     struct unik_err *err)
{
	uint64_t most = ISO_BLOCK - 1;

	if (from == 0)
		most = ISO_SYSTEM_BLOCKS * ISO_BLOCK;
	else if (to == image->size)
		most = 2 * ISO_BLOCK - 1;
	if (to - from > most)
		return unik_fail(err, "blocks from byte %llu to %llu belong to "
				 "nothing", (unsigned long long)from,
				 (unsigned long long)to);
	return check_zeros(image, from, to, err);
}

/* Files may share an extent, the sections of a file their areas. */
static bool may_share(const struct iso_region *a, const struct iso_region *b)
{
	return a->start == b->start && a->size == b->size &&
	       owner_of(a) >= ISO_OWN_AREA;
}

int unik_iso_regions_check(struct iso_regions *r, struct iso_image *image,
			   bool zeros, struct unik_err *err)
{
	uint64_t end = 0;
	size_t i;

	if (r->n > 1)
		qsort(r->v, r->n, sizeof(*r->v), compare_regions);
	for (i = 0; i < r->n; i++) {
		const struct iso_region *v = &r->v[i];

		if (i > 0 && may_share(v - 1, v))
			continue;
		if (v->start < end)
			return unik_fail(err, "byte %llu has two owners",
					 (unsigned long long)v->start);
		if (zeros && check_gap(image, end, v->start, err) < 0)
			return -1;
		end = end_of(v);
	}
	return zeros ? check_gap(image, end, image->size, err) : 0;
}

void unik_iso_regions_release(struct iso_regions *r)
{
	free(r->v);
	memset(r, 0, sizeof(*r));
}
