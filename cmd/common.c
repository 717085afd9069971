/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "common.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

volatile int interrupted;

static void on_signal(int sig)
{
	(void)sig;
	interrupted = 1;
}

void catch_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction sa = { .sa_handler = on_signal,
				.sa_flags = (int)SA_RESETHAND };
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &sa, NULL);
	signal(SIGPIPE, SIG_IGN); /* a closed pipe is an error like others */
	signal(SIGXFSZ, SIG_IGN);
}

static void print_version(FILE *out, struct argp_state *state)
{
	fprintf(out, "%s (unik) %s\n", state->name, unik_version());
}

/*
 * A standard descriptor that we were started without must not become that of
 * a file of ours: `-` would read it, or messages end up in it.  What takes its
 * place can't be read (0) or written to (1, 2): EBADF, as before.
 */
static void take_standard(void)
{
	int fd;

	for (fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			(void)!open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
}

void common_init(void)
{
	struct rlimit r;

	take_standard();
	argp_err_exit_status = 2;
	argp_program_version_hook = print_version;
	/* A layer of the source and an image each take a descriptor. */
	if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < r.rlim_max) {
		r.rlim_cur = r.rlim_max;
		setrlimit(RLIMIT_NOFILE, &r);
	}
}

void say(const char *text)
{
	fprintf(stderr, "%s: %s\n", program_invocation_short_name, text);
}

void say_warning(const char *text)
{
	fprintf(stderr, "%s: warning: %s\n", program_invocation_short_name,
		text);
}

int fail(const struct unik_err *err)
{
	say(err->msg);
	return (int)err->code;
}

int finish(int status)
{
	if (fflush(stdout) != 0 || ferror(stdout)) {
		say("can't write to standard output");
		return 3;
	}
	return status;
}

bool parse_count(const char *text, uint64_t *out)
{
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*out = strtoull(text, &end, 10);
	return errno == 0 && *end == 0;
}

uint64_t parse_between(const char *what, const char *text, uint64_t min,
		       uint64_t max, struct argp_state *state)
{
	uint64_t v = 0;

	if (!parse_count(text, &v) || v < min || v > max)
		argp_error(state, "%s: '%s' is not a number from %" PRIu64
			   " to %" PRIu64, what, text, min, max);
	return v;
}

bool parse_size(const char *text, uint64_t *out)
{
	static const char units[] = "KMGT";
	const char *unit;
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*out = strtoull(text, &end, 10);
	if (errno != 0)
		return false;
	if (*end == 0)
		return true;
	unit = strchr(units, *end);
	if (!unit || end[1] != 0)
		return false;
	return !__builtin_mul_overflow(*out,
				       UINT64_C(1) << 10 * (unit - units + 1),
				       out);
}

const char *human_size(uint64_t n, char buf[24])
{
	static const char *const units[] = { "B",   "KiB", "MiB",
					     "GiB", "TiB", "PiB" };
	double v = (double)n;
	size_t u = 0;

	while (v >= 1024 && u + 1 < sizeof(units) / sizeof(units[0])) {
		v /= 1024;
		u++;
	}
	snprintf(buf, 24, u == 0 ? "%.0f %s" : "%.1f %s", v, units[u]);
	return buf;
}

void put_clean(const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c == 0x7f)
			printf("\\x%02x", c);
		else
			putchar(c);
	}
}

/* ---- limits ---- */

#define MAX_ROWS 32

static struct argp_option limit_options[MAX_ROWS + 2];
static char limit_names[MAX_ROWS][32];

void limits_options(void)
{
	size_t i, n;
	const struct unik_limit_row *rows = unik_limits_table(&n);

	for (i = 0; i < n && i < MAX_ROWS; i++) {
		snprintf(limit_names[i], sizeof(limit_names[i]), "max-%s",
			 rows[i].name);
		limit_options[i].name = limit_names[i];
		limit_options[i].key = OPT_LIMITS + 1 + (int)i;
		limit_options[i].arg = "N";
		limit_options[i].flags = OPTION_HIDDEN;
	}
	limit_options[n].name = "limits";
	limit_options[n].key = OPT_LIMITS;
	limit_options[n].doc = "Print the limits on input, each with its "
			       "--max-NAME=N option and default, and exit";
}

static void print_limits(void)
{
	size_t i, n;
	const struct unik_limit_row *rows = unik_limits_table(&n);

	printf("%-18s %15s  %s\n", "option", "default", "what it bounds");
	for (i = 0; i < n; i++)
		printf("--max-%-12s %15" PRIu64 "  %s: %s\n", rows[i].name,
		       rows[i].value, rows[i].unit, rows[i].text);
	exit(finish(0));
}

static error_t parse_limit(int key, char *arg, struct argp_state *state)
{
	struct unik_limits *limits = state->input;
	const struct unik_limit_row *rows;
	uint64_t v;
	size_t n;

	if (key == OPT_LIMITS)
		print_limits();
	rows = unik_limits_table(&n);
	if (key <= OPT_LIMITS || (size_t)(key - OPT_LIMITS - 1) >= n)
		return ARGP_ERR_UNKNOWN;
	if (!parse_size(arg, &v) || v == 0)
		argp_error(state, "--max-%s: '%s' is not a number",
			   rows[key - OPT_LIMITS - 1].name, arg);
	memcpy((char *)limits + rows[key - OPT_LIMITS - 1].offset, &v,
	       sizeof(v));
	return 0;
}

const struct argp limits_argp = { limit_options, parse_limit, NULL, NULL,
				  NULL, NULL, NULL };
