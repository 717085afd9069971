/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ext2: what comes back of what it can't hold; the writer's rules, for those
 * who compare. */
#ifndef UNIK_EXT2_HELD_H
#define UNIK_EXT2_HELD_H

#include <stdbool.h>

#include "tree.h"

/* Whether `got` (NULL: nothing) may come back of an attribute: those that Linux
 * takes on no such inode have no place, and of an ACL's entry that needs no id
 * none is kept. */
bool unik_ext2_xattr_held(const struct unik_inode *inode,
			  const struct unik_xattr *want,
			  const struct unik_xattr *got);

#endif
