/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _POSIX_C_SOURCE 200809L
#include "progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common.h"

void progress_init(struct progress *p, enum progress_mode mode)
{
	const char *no_color = getenv("NO_COLOR");
	bool tty = isatty(STDERR_FILENO) == 1;

	p->on = mode == PROGRESS_ALWAYS || (mode == PROGRESS_AUTO && tty);
	p->drawn = false;
	p->color = tty && !(no_color && no_color[0]);
	clock_gettime(CLOCK_MONOTONIC, &p->begin);
	p->last.tv_sec = 0;
	p->last.tv_nsec = 0;
}

static double seconds(const struct timespec *a, const struct timespec *b)
{
	return (double)(b->tv_sec - a->tv_sec) +
	       (double)(b->tv_nsec - a->tv_nsec) / 1e9;
}

void progress_show(struct progress *p, const struct unik_progress *now)
{
	char bytes[24], rate[24];
	struct timespec t;
	double s;

	if (!p->on)
		return;
	clock_gettime(CLOCK_MONOTONIC, &t);
	if (p->drawn && seconds(&p->last, &t) < 0.1)
		return;
	p->last = t;
	s = seconds(&p->begin, &t);
	fprintf(stderr, "\r%slayer %zu of %zu%s  %s  %s/s \033[K",
		p->color ? "\033[1m" : "", now->layer + 1, now->nlayers,
		p->color ? "\033[0m" : "", human_size(now->bytes, bytes),
		human_size(s > 0 ? (uint64_t)((double)now->bytes / s) : 0,
			   rate));
	p->drawn = true;
}

void progress_wipe(struct progress *p)
{
	if (p->drawn)
		fputs("\r\033[K", stderr);
	p->drawn = false;
}
