/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tools share: messages, exit statuses, limit options, signals. */
#ifndef UNIK_CMD_COMMON_H
#define UNIK_CMD_COMMON_H

#include <argp.h>
#include <stdbool.h>

#include "unik.h"

/* Keys of long-only options; those of the limits come after. */
#define OPT_FIRST 1000
#define OPT_LIMITS 2000

/* Before argp: exit statuses, the text of --version, files above 1024. */
void common_init(void);

/* argp children that parse --max-NAME for every row of the limits table into
 * the struct unik_limits given as the child's input, and --limits, which
 * prints the table and exits. */
extern const struct argp limits_argp;
/* Builds the options of limits_argp; call it before argp_parse(). */
void limits_options(void);

/* "unik-convert: text" on stderr. */
void say(const char *text);
/* "unik-convert: warning: text". */
void say_warning(const char *text);
/* The error on stderr, and the exit status. */
int fail(const struct unik_err *err);
/* Flushes stdout; an error there is the exit status 3. */
int finish(int status);

/* A byte count with an optional K, M, G or T (of 1024); false where it is not
 * one. */
bool parse_size(const char *text, uint64_t *out);
bool parse_count(const char *text, uint64_t *out);
/* A number from min to max; anything else is a usage error of `what`. */
uint64_t parse_between(const char *what, const char *text, uint64_t min,
		       uint64_t max, struct argp_state *state);
/* "1.5 MiB" */
const char *human_size(uint64_t n, char buf[24]);
/* Stdout bytes of input made harmless: control characters as \xHH. */
void put_clean(const char *text);

/* Set by SIGINT, SIGTERM and SIGHUP once catch_signals() was called. */
extern volatile int interrupted;
void catch_signals(void);

#endif
