/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * err: the caller-owned error object.
 *
 * Every function that can fail takes a `struct unik_err *` as its last
 * parameter, never NULL, and returns 0 (done), -1 (failed, the error is
 * filled) or, for iterators only, 1 (end).  All helpers here return -1 so that
 * `return unik_fail(...)` is the whole error path.
 *
 * Messages are one line: lower case, no full stop, the subject quoted.  They
 * never contain control characters: unik_quote() is the way to put bytes that
 * come from input into one.
 */
#ifndef UNIK_ERR_H
#define UNIK_ERR_H

#include <stddef.h>

#include "unik.h"

#define UNIK_PRINTF(a, b) __attribute__((format(printf, a, b)))

/* The input is bad (exit status 1). */
int unik_fail(struct unik_err *err, const char *fmt, ...) UNIK_PRINTF(2, 3);
/* The caller asked for something that can't be (exit status 2). */
int unik_fail_usage(struct unik_err *err, const char *fmt, ...)
	UNIK_PRINTF(2, 3);
/* A system call failed (exit status 3): errno is kept and named. */
int unik_fail_sys(struct unik_err *err, const char *fmt, ...) UNIK_PRINTF(2, 3);
/* Could not do it for a reason that errno does not know (exit status 3). */
int unik_fail_io(struct unik_err *err, const char *fmt, ...) UNIK_PRINTF(2, 3);
/* Out of memory (exit status 3). */
int unik_fail_mem(struct unik_err *err);
/* Prepends "context: " to the message; the code stays. */
int unik_wrap(struct unik_err *err, const char *fmt, ...) UNIK_PRINTF(2, 3);

#define UNIK_QUOTE_SIZE 288
/*
 * Renders `n` bytes of input as 'text', control and non-ASCII bytes as \xHH,
 * at most UNIK_QUOTE_SIZE bytes with the NUL; a longer text keeps its head and
 * its tail around "...".  Returns `buf`.
 */
const char *unik_quote(char buf[UNIK_QUOTE_SIZE], const void *bytes, size_t n);

#endif
