/* SPDX-License-Identifier: GPL-3.0-or-later */
/* path: cleaning of names that come from input (DESIGN section 6, rule 1). */
#ifndef UNIK_PATH_H
#define UNIK_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

#define UNIK_NAME_MAX 255 /* bytes of a component, Linux NAME_MAX */

/*
 * Cleans a path of n bytes lexically into out (at most `cap` bytes with the
 * NUL; n + 1 is always enough): leading slashes, empty and `.` components
 * vanish, `..` takes one component back.  "" is the root.  *out_size gets the
 * length.  UNIK_EBAD (path not named: the caller wraps): a `..` that would
 * leave the root, a NUL byte, a component over 255 bytes, more than `depth`
 * components.
 */
int unik_path_clean(const char *path, size_t n, size_t depth, char *out,
		    size_t cap, size_t *out_size, struct unik_err *err);

/* Splits off the first component of a path: its length is returned and *rest
 * gets what follows the slashes; 0 at the end. */
size_t unik_path_next(const char *path, const char **start, const char **rest);

#endif
