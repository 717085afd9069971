/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * measure OUT COMMAND [ARG...]: what a command takes, as one line in OUT:
 *   WALL USER SYS PEAK STATUS
 * seconds, the largest process of it in KiB, and its exit status (128 + N when
 * signal N ended it).  Descendants count once they have been waited for.
 *
 * A small process of its own, because Linux lets a program start with the peak
 * of the one that called exec, and that of a Python is large.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double seconds(const struct timeval *t)
{
	return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

int main(int argc, char **argv)
{
	struct rusage use;
	double start, wall;
	int status;
	pid_t pid;
	FILE *out;

	if (argc < 3 || !(out = fopen(argv[1], "we"))) {
		fprintf(stderr, "usage: measure OUT COMMAND [ARG...]\n");
		return 2;
	}
	start = now();
	pid = fork();
	if (pid == 0) {
		execvp(argv[2], argv + 2);
		fprintf(stderr, "measure: %s: %s\n", argv[2], strerror(errno));
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &use) < 0) {
		perror("measure");
		return 3;
	}
	wall = now() - start;
	status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
				       WEXITSTATUS(status);
	fprintf(out, "%.6f %.6f %.6f %ld %d\n", wall, seconds(&use.ru_utime),
		seconds(&use.ru_stime), use.ru_maxrss, status);
	if (fclose(out) != 0)
		return 3;
	return status;
}
