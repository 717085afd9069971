/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reader_ext2: the blocks of an inode (ext2-doc "Inode Table", i_block). */
#include "reader_ext2_private.h"

struct walk {
	struct e2r_image *image;
	e2r_visit *visit;
	void *data;
	uint8_t **indirect; /* a block for each level */
	uint64_t span[E2R_LEVELS + 1]; /* data blocks that a pointer stands
					  for, by level */
};

static int visit_block(const struct walk *w, uint32_t level, uint64_t logical,
		       uint32_t block, struct unik_err *err)
{
	struct e2r_image *image = w->image;

	if (block < image->first_block || block >= image->nblocks)
		return unik_fail(err, "block %u is outside", block);
	if (image->visits_left-- == 0) {
		image->visits_left = 0;
		return unik_fail(err, "blocks with several owners");
	}
	return w->visit(w->data, level, logical, block, err);
}

/* An indirect block and what it maps; as deep as the level, at most 3. */
static int walk_level(const struct walk *w, uint32_t level, uint64_t logical,
		      uint32_t block, struct unik_err *err)
{
	uint32_t n = w->image->block_size / 4, i, next;
	uint8_t *buf;
	int rc;

	if (block == 0)
		return 0;
	rc = visit_block(w, level, logical, block, err);
	if (rc != 0 || level == 0)
		return rc;
	buf = w->indirect[level - 1];
	if (unik_e2r_block(w->image, block, buf, err) < 0)
		return -1;
	for (i = 0; i < n; i++) {
		next = ext2_get32(buf + 4 * (size_t)i);
		rc = walk_level(w, level - 1,
				logical + i * w->span[level - 1], next, err);
		if (rc != 0)
			return rc;
	}
	return 0;
}

int unik_e2r_walk(struct e2r_image *image, const struct e2r_inode *inode,
		  e2r_visit *visit, void *data, struct unik_err *err)
{
	struct walk w = { image, visit, data, NULL, { 1, 0, 0, 0 } };
	uint64_t logical = 0;
	uint32_t i, level;
	int rc = 0;

	if (image->nwalks == E2R_WALKS)
		return unik_fail_io(err, "ext2: too many walks at once");
	w.indirect = image->indirect[image->nwalks++];
	for (level = 1; level <= E2R_LEVELS; level++)
		w.span[level] = w.span[level - 1] * (image->block_size / 4);
	for (i = 0; i < EXT2_NBLOCK && rc == 0; i++) {
		level = i < EXT2_NDIR ? 0 : i - EXT2_NDIR + 1;
		rc = walk_level(&w, level, logical,
				ext2_get32(inode->block[i]), err);
		logical += w.span[level];
	}
	image->nwalks--;
	return rc;
}
