/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "whiteout.h"

#include <string.h>

#define PREFIX ".wh."
#define PREFIX_SIZE 4
#define META ".wh..wh."
#define META_SIZE 8

enum unik_wh unik_whiteout_kind(const char *name, size_t n)
{
	if (n < PREFIX_SIZE || memcmp(name, PREFIX, PREFIX_SIZE) != 0)
		return UNIK_WH_NONE;
	if (n == strlen(UNIK_WH_OPAQUE_NAME) &&
	    memcmp(name, UNIK_WH_OPAQUE_NAME, n) == 0)
		return UNIK_WH_OPAQUE;
	if (n >= META_SIZE && memcmp(name, META, META_SIZE) == 0)
		return UNIK_WH_META;
	name += PREFIX_SIZE;
	n -= PREFIX_SIZE;
	if (n == 0 || (n == 1 && name[0] == '.') ||
	    (n == 2 && name[0] == '.' && name[1] == '.'))
		return UNIK_WH_BAD;
	return UNIK_WH_HIDE;
}

const char *unik_whiteout_hidden(const char *name)
{
	return name + PREFIX_SIZE;
}
