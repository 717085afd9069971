/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reader_ext2: no two entries of one name in a directory whose order is not
 * known.  By 64 bits of the sha256 of each name, so many at a time as memory
 * allows; a directory too large for that is read several times. */
#include <stdlib.h>
#include <string.h>

#include "digest.h"
#include "reader_ext2_check_private.h"

#define AT_A_TIME (1u << 20)

struct names {
	uint64_t *v;
	size_t n;
	size_t room;
	uint32_t pass;
	uint32_t npasses;
};

static int add_name(void *data, const struct e2r_entry *e, struct unik_err *err)
{
	struct names *names = data;
	struct unik_digest digest;
	uint64_t h;

	if (e->ino == 0)
		return 0;
	if (unik_sha256(e->name, e->name_size, &digest, err) < 0)
		return -1;
	memcpy(&h, digest.bytes, sizeof(h));
	if (digest.bytes[8] % names->npasses != names->pass)
		return 0;
	if (names->n == names->room) {
		size_t room = names->room ? names->room * 2 : 1024;
		uint64_t *v = realloc(names->v, room * sizeof(*v));

		if (!v)
			return unik_fail_mem(err);
		names->v = v;
		names->room = room;
	}
	names->v[names->n++] = h;
	return 0;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

int unik_e2r_check_unique(struct e2r_check *c, const struct e2r_inode *inode,
			  uint64_t nentries, struct unik_err *err)
{
	struct names names = { NULL, 0, 0, 0, 1 };
	uint64_t visits = c->image.visits_left;
	int rc = 0;
	size_t i;

	if (nentries > c->image.limits->entries)
		return unik_fail(err, "more than %llu entries (--max-entries)",
				 (unsigned long long)c->image.limits->entries);
	while (nentries / names.npasses > AT_A_TIME && names.npasses < 128)
		names.npasses *= 2;
	for (; names.pass < names.npasses && rc == 0; names.pass++) {
		names.n = 0;
		/* Its blocks are known to be its own: going over them again
		 * is bounded. */
		c->image.visits_left = c->image.nblocks;
		rc = unik_e2r_dir(&c->image, inode, add_name, &names, err);
		if (rc == 0 && names.n > 1)
			qsort(names.v, names.n, sizeof(*names.v), compare);
		for (i = 1; i < names.n && rc == 0; i++)
			if (names.v[i] == names.v[i - 1])
				rc = unik_fail(err, "two entries of one name");
	}
	c->image.visits_left = visits;
	free(names.v);
	return rc;
}
