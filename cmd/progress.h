/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Progress on stderr: layer, bytes, rate; one line that is redrawn. */
#ifndef UNIK_CMD_PROGRESS_H
#define UNIK_CMD_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "unik.h"

enum progress_mode { PROGRESS_AUTO, PROGRESS_ALWAYS, PROGRESS_NEVER };

struct progress {
	bool on;
	bool drawn; /* a line stands there that has to be wiped */
	bool color;
	struct timespec begin;
	struct timespec last;
};

/* AUTO: only where stderr is a terminal. */
void progress_init(struct progress *p, enum progress_mode mode);
void progress_show(struct progress *p, const struct unik_progress *now);
/* Wipes the line, before other output. */
void progress_wipe(struct progress *p);

#endif
