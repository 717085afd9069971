/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tar: any bytes are entries or refused; what an entry says of itself holds. */
#include "../fuzz.h"
#include "tar.h"

static void check_pieces(const struct unik_tar_entry *e)
{
	uint64_t end = 0, stored = e->offset;
	uint32_t i;

	for (i = 0; i < e->npieces; i++) {
		const struct unik_piece *p = &e->pieces[i];

		promise(p->size > 0 && p->offset >= end);
		promise(p->stored == stored);
		end = p->offset + p->size;
		stored += p->size;
		promise(end > p->offset && end <= e->size);
	}
	promise(stored == e->offset + e->stored);
}

static void check_entry(const struct unik_tar_entry *e,
			const struct unik_limits *limits)
{
	struct unik_digest d;
	struct unik_err err;
	size_t i;

	promise(strlen(e->path) == e->path_size);
	promise(strlen(e->target) == e->target_size);
	promise(e->typeflag >= '0' && e->typeflag <= '6');
	promise(e->uid < UINT32_MAX && e->gid < UINT32_MAX);
	promise(e->mode <= 07777 && e->mtime_nsec < 1000000000);
	promise(e->typeflag == '0' || (e->size == 0 && e->stored == 0));
	promise(e->sparse || (e->npieces == 0 && e->stored == e->size));
	promise(e->npieces <= limits->sparse);
	if (e->sparse)
		check_pieces(e);
	for (i = 0; i < e->nxattrs; i++) {
		const struct unik_xattr *x = &e->xattrs[i];

		promise(strlen(x->name) == x->name_size &&
			x->name_size <= 255);
		promise(unik_sha256(x->value, x->value_size, &d, &err) == 0);
	}
}

/* How many entries, -1 where it is refused; *read gets the bytes of data. */
static int read_tar(const uint8_t *data, size_t size, size_t step,
		    uint64_t *read)
{
	struct unik_limits limits = small_limits();
	struct step_source in;
	struct unik_tar_entry e;
	struct unik_tar *tar;
	struct unik_err err;
	int rc, count = 0;

	limits.pax_size = 1 << 16;
	*read = 0;
	step_init(&in, data, size, step);
	promise(unik_tar_new(&tar, &in.base, &limits, &err) == 0);
	while ((rc = unik_tar_next(tar, &e, &err)) == 0) {
		const uint8_t *p;
		uint64_t sum = 0;
		size_t n;

		check_entry(&e, &limits);
		promise(in.base.pos == e.offset);
		while ((rc = unik_tar_data(tar, &p, &n, &err)) == 0) {
			promise(n > 0 && p + n <= data + size);
			sum += n;
		}
		if (rc < 0)
			break;
		promise(sum == e.stored);
		*read += sum;
		count++;
	}
	if (rc < 0)
		refusal(&err);
	else
		promise(unik_tar_next(tar, &e, &err) == 1);
	unik_tar_free(tar);
	return rc < 0 ? -1 : count;
}

static void run(const uint8_t *data, size_t size)
{
	uint64_t a, b;

	promise(read_tar(data, size, size + 1, &a) ==
		read_tar(data, size, 97, &b));
	promise(a == b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size + 1);

	promise(copy);
	run(data, size);
	memcpy(copy, data, size);
	mend_tar(copy, size);
	run(copy, size);
	free(copy);
	return 0;
}
