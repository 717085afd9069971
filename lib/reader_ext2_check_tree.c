/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reader_ext2: all directories hang below the root, and links are counted
 * right. */
#include "reader_ext2_check_private.h"

static bool is_dir(const struct e2r_check *c, uint32_t ino)
{
	return c->state[ino - 1] && unik_e2r_type_of(c, ino) == UNIK_DIR;
}

static int check_parent(const struct e2r_check *c, uint32_t ino,
			struct unik_err *err)
{
	uint32_t parent = c->parent[ino - 1];

	if (ino == EXT2_ROOT_INO)
		parent = ino;
	if (parent == 0)
		return unik_fail(err, "directory %u has no name", ino);
	if (c->dotdot[ino - 1] != parent)
		return unik_fail(err, "directory %u: its parent is %u, not %u",
				 ino, parent, c->dotdot[ino - 1]);
	return 0;
}

/* Follows the parents to the root, or to one that was followed before. */
static int check_rooted(struct e2r_check *c, uint32_t ino, struct unik_err *err)
{
	uint32_t i = ino;

	while (i != EXT2_ROOT_INO && !(c->state[i - 1] & E2R_STATE_ROOTED)) {
		if (c->state[i - 1] & E2R_STATE_TRAIL)
			return unik_fail(err, "directory %u is below itself",
					 i);
		c->state[i - 1] |= E2R_STATE_TRAIL;
		i = c->parent[i - 1];
	}
	for (i = ino; c->state[i - 1] & E2R_STATE_TRAIL; i = c->parent[i - 1]) {
		c->state[i - 1] &= (uint8_t)~E2R_STATE_TRAIL;
		c->state[i - 1] |= E2R_STATE_ROOTED;
	}
	return 0;
}

/* dir_nlink (ext4 doc super.rst): 1 stands for more than can be counted. */
static int check_links(struct e2r_check *c, uint32_t ino, struct unik_err *err)
{
	uint32_t want = c->names[ino - 1], got = c->claimed[ino - 1];
	bool many = is_dir(c, ino) && want > EXT2_LINK_MAX;

	c->dir_nlink |= many;
	if (c->ours && many)
		want = 1;
	else if (!c->ours && is_dir(c, ino) && got == 1 &&
		 (c->image.ro_compat & EXT2_RO_DIR_NLINK))
		return 0;
	if (got == want)
		return 0;
	return unik_fail(err, "inode %u: says %u links, has %u", ino, got,
			 c->names[ino - 1]);
}

int unik_e2r_check_tree(struct e2r_check *c, struct unik_err *err)
{
	uint32_t i;

	for (i = 0; i < c->image.ninodes; i++)
		if (is_dir(c, i + 1) && check_parent(c, i + 1, err) < 0)
			return -1;
	for (i = 0; i < c->image.ninodes; i++) {
		if (c->state[i] == 0)
			continue;
		if (is_dir(c, i + 1) && check_rooted(c, i + 1, err) < 0)
			return -1;
		if (check_links(c, i + 1, err) < 0)
			return -1;
	}
	return 0;
}
