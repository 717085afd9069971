/* SPDX-License-Identifier: GPL-3.0-or-later */
/* whiteout: the only room that knows `.wh.` (OCI image-spec, layer.md,
 * "Whiteouts"; AUFS metadata names from its branch format). */
#ifndef UNIK_WHITEOUT_H
#define UNIK_WHITEOUT_H

#include <stddef.h>

enum unik_wh {
	UNIK_WH_NONE,   /* an ordinary name */
	UNIK_WH_HIDE,   /* `.wh.NAME`: hides NAME of lower layers */
	UNIK_WH_OPAQUE, /* `.wh..wh..opq`: hides all lower entries of its dir */
	UNIK_WH_META,   /* other `.wh..wh.*`: AUFS metadata, ignored */
	UNIK_WH_BAD     /* a bare `.wh.`, or `.wh..`, `.wh...` */
};

/* Classifies one path component of n bytes. */
enum unik_wh unik_whiteout_kind(const char *name, size_t n);

/* The name that a UNIK_WH_HIDE name hides: a pointer into `name`. */
const char *unik_whiteout_hidden(const char *name);

#define UNIK_WH_OPAQUE_NAME ".wh..wh..opq"

#endif
