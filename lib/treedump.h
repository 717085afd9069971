/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * treedump: the canonical text of a sealed tree.  One JSON object a line, in
 * canonical order, keys in the order of their bytes, no spaces:
 *   gid link mode mtime nlink path rdev sha256 size target type uid xattrs
 * Paths, targets and attribute names are ASCII: bytes outside 0x20..0x7e, and
 * the backslash, are written \xHH (so "\\xHH" in JSON); the root is ".".
 * `nlink` and `link` (the first path of the inode) only where an inode has
 * several names; `mode` not for symlinks; values of xattrs in hex.
 * The sha256 of this text is the tree digest.  unik-store(5) documents it.
 */
#ifndef UNIK_TREEDUMP_H
#define UNIK_TREEDUMP_H

#include "digest.h"
#include "err.h"
#include "tree.h"

/* Gets pieces of the text in order; -1 (with err filled) stops. */
typedef int unik_treedump_fn(void *data, const char *text, size_t n,
			     struct unik_err *err);

int unik_treedump(const struct unik_tree *tree, unik_treedump_fn *fn,
		  void *data, struct unik_err *err);
int unik_tree_digest(const struct unik_tree *tree, struct unik_digest *digest,
		     struct unik_err *err);
const char *unik_type_name(enum unik_type type);

#endif
