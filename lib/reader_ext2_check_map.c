/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reader_ext2: the blocks of an inode have no other owner; in our images they
 * are the next in order, and holes are those of the hole map (tree.h). */
#include <string.h>

#include "reader_ext2_check_private.h"

struct map {
	struct e2r_check *c;
	const struct e2r_inode *inode;
	bool sized;        /* i_size bounds the blocks */
	uint32_t per;      /* blocks in a block of the hole map */
	uint64_t end;      /* behind the last data block */
	uint64_t nblocks;
	uint32_t level;    /* of the block before */
	uint32_t last;     /* data block */
};

static bool is_file(const struct map *m)
{
	return unik_e2r_type(m->inode->mode) == UNIK_FILE;
}

/* A gap of our files is a hole of whole blocks of the map, long enough; `to` is
 * the end of the file where there is no data behind. */
static int check_gap(const struct map *m, uint64_t to, struct unik_err *err)
{
	uint64_t from = m->end;

	if (from == to || (!m->c->ours && is_file(m)))
		return 0;
	if (is_file(m) && from % m->per == 0 &&
	    unik_div_up(to - from, m->per) >= UNIK_HOLE_MIN)
		return 0;
	return unik_fail(err, "a hole from block %llu to %llu",
			 (unsigned long long)from, (unsigned long long)to);
}

static int add_data(struct map *m, uint64_t logical, uint32_t block,
		    struct unik_err *err)
{
	if (m->sized &&
	    logical >= unik_div_up(m->inode->size, m->c->image.block_size))
		return unik_fail(err, "data behind its end");
	if (m->sized && check_gap(m, logical, err) < 0)
		return -1;
	if (m->c->ours && logical != m->end && logical % m->per != 0)
		return unik_fail(err, "a hole that ends at block %llu",
				 (unsigned long long)logical);
	m->end = logical + 1;
	m->last = block;
	return 0;
}

static int visit(void *data, uint32_t level, uint64_t logical, uint32_t block,
		 struct unik_err *err)
{
	struct map *m = data;

	if (m->c->ours) {
		if (m->level > 0 && level != m->level - 1)
			return unik_fail(err, "an empty indirect block");
		if (unik_e2r_own_next(m->c, block, err) < 0)
			return -1;
	} else if (unik_e2r_own(m->c, block, err) < 0) {
		return -1;
	}
	m->level = level;
	m->nblocks++;
	return level == 0 ? add_data(m, logical, block, err) : 0;
}

/* Our images: behind the end of a file or symlink its last block has zeros. */
static int check_tail(const struct map *m, struct unik_err *err)
{
	uint32_t size = m->c->image.block_size;
	uint32_t tail = (uint32_t)(m->inode->size % size);

	if (tail == 0 || m->end != unik_div_up(m->inode->size, size))
		return 0;
	if (unik_e2r_block(&m->c->image, m->last, m->c->buf, err) < 0)
		return -1;
	if (!unik_all_zero(m->c->buf + tail, size - tail))
		return unik_fail(err, "bytes behind its end");
	return 0;
}

/* A symlink has one block; its target has a NUL behind it, and none in it. */
static int check_target(const struct map *m, struct unik_err *err)
{
	if (m->end != 1 || m->nblocks != 1)
		return unik_fail(err, "a symlink of %llu blocks",
				 (unsigned long long)m->nblocks);
	if (unik_e2r_block(&m->c->image, m->last, m->c->buf, err) < 0)
		return -1;
	/* check_size() has it below the size of a block. */
	if (memchr(m->c->buf, 0, (size_t)m->inode->size) ||
	    m->c->buf[m->inode->size] != 0)
		return unik_fail(err, "its target has another length");
	return 0;
}

static uint64_t most_blocks(const struct map *m)
{
	uint64_t p = m->c->image.block_size / 4;

	return EXT2_NDIR + p + p * p + p * p * p;
}

static int check_end(struct map *m, struct unik_err *err)
{
	uint64_t blocks = unik_div_up(m->inode->size, m->c->image.block_size);

	if (!m->sized)
		return 0;
	if (blocks > most_blocks(m))
		return unik_fail(err, "%llu bytes, more than can be mapped",
				 (unsigned long long)m->inode->size);
	if (check_gap(m, blocks, err) < 0)
		return -1;
	if (unik_e2r_type(m->inode->mode) == UNIK_SYMLINK &&
	    check_target(m, err) < 0)
		return -1;
	if (!m->c->ours)
		return 0;
	if (m->level > 0)
		return unik_fail(err, "an empty indirect block");
	return check_tail(m, err);
}

int unik_e2r_check_map(struct e2r_check *c, const struct e2r_inode *inode,
		       uint64_t *nblocks, struct unik_err *err)
{
	struct map m = { .c = c, .inode = inode };

	m.per = UNIK_HOLE_BLOCK / c->image.block_size;
	m.sized = inode->ino == EXT2_ROOT_INO ||
		  inode->ino >= c->image.first_ino;
	if (unik_e2r_walk(&c->image, inode, visit, &m, err) < 0 ||
	    check_end(&m, err) < 0)
		return unik_wrap(err, "inode %u", inode->ino);
	*nblocks = m.nblocks;
	return 0;
}
