/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "threads.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

int unik_threads_run(size_t n, void *(*fn)(void *arg), void *arg,
		     struct unik_err *err)
{
	pthread_t *threads = calloc(n + 1, sizeof(*threads));
	size_t i, started = 0;
	int rc = 0;

	if (!threads)
		return unik_fail_mem(err);
	for (i = 0; i < n && rc == 0; i++) {
		rc = pthread_create(&threads[i], NULL, fn, arg);
		started += rc == 0;
	}
	for (i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	free(threads);
	if (started == 0 && n > 0) {
		errno = rc;
		return unik_fail_sys(err, "can't start a thread");
	}
	return 0;
}
