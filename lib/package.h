/* SPDX-License-Identifier: GPL-3.0-or-later */
/* package: what a container image says of the stack that it carries (pack.h).
 */
#ifndef UNIK_PACKAGE_H
#define UNIK_PACKAGE_H

#include <stdbool.h>

#include "image.h"
#include "manifest_read.h"
#include "pack.h"

/* The value of a label; NULL where there is none. */
const char *unik_package_label(const struct unik_image *image,
			       const char *key);
/* Whether an image says that it carries a stack. */
bool unik_is_package(const struct unik_image *image);
/* How, and which; UNIK_EBAD where the labels are not as unik-convert writes
 * them. */
int unik_package_read(const struct unik_image *image,
		      const struct unik_limits *limits, enum unik_package *how,
		      struct unik_stored_manifest **stack,
		      struct unik_err *err);

#endif
