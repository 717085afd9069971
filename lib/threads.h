/* SPDX-License-Identifier: GPL-3.0-or-later */
/* threads: one function, run by several threads at once. */
#ifndef UNIK_THREADS_H
#define UNIK_THREADS_H

#include <stddef.h>

#include "err.h"

/* Runs `fn` in up to n threads and waits for all; fewer than n may run where
 * the system has no more, but one at least.  n 0: nothing to do. */
int unik_threads_run(size_t n, void *(*fn)(void *arg), void *arg,
		     struct unik_err *err);

#endif
