/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ext2: blocks of 4096 or of 1024 bytes, by content. */
#include "writer_ext2.h"

/* Blocks of 1024 are chosen where they halve what the contents take, and save
 * so much.  These numbers are part of the format version. */
#define GAIN_TIMES 2u
#define GAIN_MIN (1u << 20)

#define SMALL 1024u
#define UNIT (EXT2_MAX_BLOCK / SMALL)

/* All in blocks of 1024, so that no sum overflows: sizes have 64 bits, and
 * after each one `small` is looked at. */
struct sums {
	uint64_t large; /* in whole blocks of 4096 */
	uint64_t small; /* in whole blocks of 1024 */
};

static void add_bytes(struct sums *s, uint64_t size)
{
	s->large += unik_div_up(size, EXT2_MAX_BLOCK) * UNIT;
	s->small += unik_div_up(size, SMALL);
}

static_assert(UNIK_HOLE_BLOCK == EXT2_MAX_BLOCK, "the hole map's blocks");

/* Holes are whole blocks of 4096, but for one at the end of the file. */
static void add_file(struct sums *s, const struct unik_inode *inode)
{
	uint64_t n = unik_div_up(inode->size, EXT2_MAX_BLOCK), data = 0, end;
	const struct unik_content *c = inode->content;
	uint32_t i;

	if (inode->size == 0 || !c->holed) {
		add_bytes(s, inode->size);
		return;
	}
	for (i = 0, end = 0; i < c->nextents; i++) {
		if (c->extents[i].block >= n)
			break;
		end = (uint64_t)c->extents[i].block + c->extents[i].nblocks;
		if (end > n)
			end = n;
		data += end - c->extents[i].block;
	}
	s->large += data * UNIT;
	s->small += data * UNIT;
	if (end == n) /* the last block is data */
		s->small -= n * UNIT - unik_div_up(inode->size, SMALL);
}

/* The plain sum of its entries: where they go in which block is not looked
 * at. */
static void add_dir(struct sums *s, const struct unik_node *dir)
{
	uint64_t size = 2 * ext2_dirent_size(2); /* "." and ".." */
	const struct unik_node *c;

	for (c = dir->child; c; c = c->next)
		size += ext2_dirent_size(c->name_size);
	add_bytes(s, size);
}

static void add_inode(struct sums *s, const struct unik_inode *inode)
{
	switch (inode->type) {
	case UNIK_FILE:
		add_file(s, inode);
		break;
	case UNIK_DIR:
		add_dir(s, inode->first);
		break;
	case UNIK_SYMLINK:
		if (inode->size > EXT2_FAST_SYMLINK)
			add_bytes(s, inode->size);
		break;
	default:
		break;
	}
}

uint32_t unik_ext2_block_size(const struct unik_tree *tree, uint64_t free_size)
{
	/* Only the last block of each can be smaller. */
	uint64_t most = ((uint64_t)tree->ninodes + 1) * (UNIT - 1);
	struct sums s = { 0, 0 };
	uint32_t id;

	if (most < GAIN_MIN / SMALL)
		return EXT2_MAX_BLOCK;
	add_bytes(&s, free_size);
	/* `small` never falls: once it is over `most`, `large` will not be
	 * twice as much. */
	for (id = 0; id < tree->ninodes && s.small <= most; id++)
		add_inode(&s, tree->inodes[id]);
	return s.large >= GAIN_TIMES * s.small &&
			       s.large - s.small >= GAIN_MIN / SMALL
		       ? SMALL : EXT2_MAX_BLOCK;
}
