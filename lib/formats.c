/* SPDX-License-Identifier: GPL-3.0-or-later */
/* writer: the table of formats. */
#include <string.h>

#include "writer.h"

static const struct unik_format *const formats[] = {
	&unik_format_iso,
	&unik_format_ext2,
};

const struct unik_format *unik_format_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (strcmp(formats[i]->name, name) == 0)
			return formats[i];
	return NULL;
}
