/* SPDX-License-Identifier: GPL-3.0-or-later */
/* DEST of unik-convert. */
#ifndef UNIK_CMD_DEST_H
#define UNIK_CMD_DEST_H

#include <argp.h>

#include "unik.h"

/* Sets where the conversion goes; `dest` is changed, and is to live as long as
 * `opt`. */
void dest_parse(struct unik_convert_options *opt, char *dest,
		struct argp_state *state);
/* Whether data goes to standard output. */
bool dest_is_stdout(const struct unik_convert_options *opt);

#endif
