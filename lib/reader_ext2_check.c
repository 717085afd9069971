/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reader_ext2: is an image intact?  Passes: the places of the groups' metadata;
 * inodes with their blocks; directories; links; xattr references; bitmaps and
 * counts; superblocks.  About 15 bytes an inode, two bits a block. */
#include <stdlib.h>
#include <string.h>

#include "reader_ext2_check_private.h"

int unik_e2r_same(const void *got, const void *want, size_t n, const char *what,
		  uint32_t number, struct unik_err *err)
{
	const uint8_t *a = got, *b = want;
	size_t i;

	if (memcmp(a, b, n) == 0)
		return 0;
	for (i = 0; a[i] == b[i]; i++)
		;
	return unik_fail(err, "%s %u: byte %zu is 0x%02x, not 0x%02x", what,
			 number, i, a[i], b[i]);
}

/* ---- owners ---- */

int unik_e2r_own(struct e2r_check *c, uint32_t block, struct unik_err *err)
{
	uint32_t i = block - c->image.first_block;
	uint8_t bit = (uint8_t)(1u << i % 8);

	if (block < c->image.first_block || block >= c->image.nblocks)
		return unik_fail(err, "block %u is outside", block);
	if (c->owned[i / 8] & bit)
		return unik_fail(err, "block %u has two owners", block);
	c->owned[i / 8] |= bit;
	return 0;
}

/* The blocks of inodes fill the groups behind their metadata. */
static void skip_metadata(struct e2r_check *c)
{
	const struct e2r_image *image = &c->image;

	while (c->next < image->nblocks) {
		uint32_t i = (uint32_t)c->next - image->first_block;

		if (i % image->group_blocks != 0)
			break;
		c->next += unik_e2r_overhead(image, i / image->group_blocks);
	}
}

int unik_e2r_own_next(struct e2r_check *c, uint32_t block, struct unik_err *err)
{
	if (block != c->next)
		return unik_fail(err, "block %u, where %llu is next", block,
				 (unsigned long long)c->next);
	if (unik_e2r_own(c, block, err) < 0)
		return -1;
	c->next++;
	skip_metadata(c);
	return 0;
}

/* ---- all of it ---- */

static int alloc_all(struct e2r_check *c, struct unik_err *err)
{
	const struct e2r_image *image = &c->image;
	size_t nblocks = image->nblocks - image->first_block;
	size_t n = image->ninodes;

	c->owned = calloc(nblocks / 8 + 1, 1);
	c->state = calloc(n, sizeof(*c->state));
	c->claimed = calloc(n, sizeof(*c->claimed));
	c->names = calloc(n, sizeof(*c->names));
	c->parent = calloc(n, sizeof(*c->parent));
	c->dotdot = calloc(n, sizeof(*c->dotdot));
	c->buf = malloc(E2R_BLOCK_MAX);
	c->other = malloc(E2R_BLOCK_MAX);
	if (!c->owned || !c->state || !c->claimed || !c->names || !c->parent ||
	    !c->dotdot || !c->buf || !c->other)
		return unik_fail_mem(err);
	return unik_e2r_xattrs_init(&c->xattrs, err);
}

static void release(struct e2r_check *c)
{
	free(c->owned);
	free(c->attr_bits);
	free(c->state);
	free(c->claimed);
	free(c->names);
	free(c->parent);
	free(c->dotdot);
	free(c->attrs);
	free(c->uses);
	free(c->buf);
	free(c->other);
	unik_e2r_xattrs_release(&c->xattrs);
	unik_e2r_close(&c->image);
	free(c);
}

static int check_all(struct e2r_check *c, struct unik_err *err)
{
	c->ours = c->image.version > 0;
	c->next = c->image.first_block;
	skip_metadata(c);
	if (c->ours && (uint64_t)c->image.nblocks * c->image.block_size !=
			       c->image.size)
		return unik_fail(err, "%u blocks of %u, but %llu bytes",
				 c->image.nblocks, c->image.block_size,
				 (unsigned long long)c->image.size);
	if (alloc_all(c, err) < 0 || unik_e2r_check_places(c, err) < 0 ||
	    unik_e2r_check_inodes(c, err) < 0 ||
	    unik_e2r_check_dirs(c, err) < 0 ||
	    unik_e2r_check_tree(c, err) < 0 ||
	    unik_e2r_check_refs(c, err) < 0 ||
	    unik_e2r_check_bitmaps(c, err) < 0)
		return -1;
	return unik_e2r_check_supers(c, err);
}

int unik_ext2_check(int fd, uint64_t size, const struct unik_limits *limits,
		    struct unik_err *err)
{
	struct e2r_check *c = calloc(1, sizeof(*c));
	int rc;

	if (!c)
		return unik_fail_mem(err);
	rc = unik_e2r_open(&c->image, fd, size, limits, err);
	if (rc == 0)
		rc = check_all(c, err);
	release(c);
	return rc;
}
