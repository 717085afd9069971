/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the mutation tests share: seeded damage to bytes, and unik-verify's
 * library asked about it. */
#ifndef UNIK_TEST_MUTATION_H
#define UNIK_TEST_MUTATION_H

#define _GNU_SOURCE
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "io.h"
#include "limits.h"

#define UNUSED __attribute__((unused))
#define SECONDS 30 /* for one question; more is a hang */

static struct unik_err err;
static char doing[512]; /* what is tried just now */
static unsigned nbad;

UNUSED static void die(const char *what)
{
	fprintf(stderr, "mutation: %s: %s\n", what, err.msg);
	exit(3);
}

static void on_alarm(int sig)
{
	static const char text[] = "not ok - it hangs: ";

	(void)sig;
	if (write(1, text, sizeof(text) - 1) < 0 ||
	    write(1, doing, strlen(doing)) < 0 || write(1, "\n", 1) < 0)
		_exit(3);
	_exit(1);
}

static void on_crash(int sig)
{
	static const char text[] = "not ok - it crashes: ";

	if (write(1, text, sizeof(text) - 1) < 0 ||
	    write(1, doing, strlen(doing)) < 0 || write(1, "\n", 1) < 0)
		_exit(3);
	signal(sig, SIG_DFL);
	raise(sig);
}

UNUSED static void watch(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGALRM, on_alarm);
#ifndef __SANITIZE_ADDRESS__
	signal(SIGSEGV, on_crash);
	signal(SIGBUS, on_crash);
	signal(SIGABRT, on_crash);
#else
	(void)on_crash;
#endif
}

/* One result; the first few failures are named. */
UNUSED static void expect(bool good, const char *what)
{
	if (!good && nbad++ < 20)
		printf("# %s: %s\n", what, doing);
}

UNUSED static void result(const char *text)
{
	printf("%sok - %s\n", nbad ? "not " : "", text);
	nbad = 0;
}

/* Promise 6 of DESIGN.md, for inputs as small as these. */
UNUSED static void check_memory(void)
{
#ifndef __SANITIZE_ADDRESS__
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	printf("%sok - at most 96 MiB of memory (%ld KiB)\n",
	       u.ru_maxrss > 96 * 1024 ? "not " : "", u.ru_maxrss);
#endif
}

/* ---- chance ---- */

static uint64_t random_state;

UNUSED static void random_seed(uint64_t seed)
{
	random_state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
}

static uint64_t random_u64(void)
{
	uint64_t x = random_state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return random_state = x;
}

static size_t random_below(size_t n)
{
	return n > 0 ? (size_t)((random_u64() >> 11) % n) : 0;
}

/* ---- bytes ---- */

struct bytes {
	uint8_t *p;
	size_t n;
};

UNUSED static struct bytes bytes_read(const char *path)
{
	struct bytes b = { NULL, 0 };
	int fd = open(path, O_RDONLY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		unik_fail_sys(&err, "can't open it");
		die(path);
	}
	b.n = (size_t)st.st_size;
	b.p = malloc(b.n + 1);
	if (!b.p || unik_pread_all(fd, b.p, b.n, 0, &err) < 0)
		die(path);
	close(fd);
	return b;
}

UNUSED static void bytes_write(int fd, const struct bytes *b)
{
	if (ftruncate(fd, 0) < 0 ||
	    unik_pwrite_all(fd, b->p, b->n, 0, &err) < 0)
		die("write");
}

/* A place; in every second case one that is not zero. */
static size_t place(const struct bytes *b)
{
	size_t at = random_below(b->n), tries = random_u64() & 64;

	for (; b->n > 0 && tries > 0 && b->p[at] == 0; tries--)
		at = random_below(b->n);
	return at;
}

static void damage_run(struct bytes *b, size_t at, unsigned kind)
{
	size_t n = 1 + random_below(64), i;

	for (i = at; i < b->n && i < at + n; i++)
		b->p[i] = kind ? (uint8_t)random_u64() : 0;
}

static void damage_move(struct bytes *b, bool swap)
{
	size_t size = (size_t)512 << random_below(4);
	size_t blocks = b->n / size;
	uint8_t *p = b->p + random_below(blocks) * size;
	uint8_t *q = b->p + random_below(blocks) * size, c;
	size_t i;

	for (i = 0; blocks > 0 && i < size; i++) {
		c = p[i];
		p[i] = q[i];
		if (swap)
			q[i] = c;
	}
}

static void damage_size(struct bytes *b, size_t at, unsigned kind)
{
	size_t n = 1 + random_below(512);

	if (kind == 0) { /* drop */
		n = n < b->n - at ? n : b->n - at;
		memmove(b->p + at, b->p + at + n, b->n - at - n);
		b->n -= n;
	} else if (kind == 1) { /* truncate */
		b->n = at;
	} else { /* put something in */
		b->p = realloc(b->p, b->n + n);
		if (!b->p)
			die("realloc");
		memmove(b->p + at + n, b->p + at, b->n - at);
		memset(b->p + at, (int)(random_u64() & 255), n);
		b->n += n;
	}
}

/* Damage in a copy of `from`, never none; `doing` says which. */
UNUSED static struct bytes damage(const struct bytes *from, const char *of)
{
	static const char *const names[] = {
		"bit", "byte", "zeros", "noise", "drop", "cut", "insert", "swap",
		"copy"
	};
	struct bytes b = { NULL, 0 };

	do {
		unsigned kind = (unsigned)random_below(9);
		uint64_t state = random_state;
		size_t at;

		free(b.p);
		b.n = from->n;
		b.p = malloc(b.n + 1);
		if (!b.p)
			die("malloc");
		memcpy(b.p, from->p, b.n);
		at = place(&b);
		if (kind == 0)
			b.p[at] = (uint8_t)(b.p[at] ^ 1 << (state & 7));
		else if (kind == 1)
			b.p[at] = (uint8_t)(state >> 20);
		else if (kind < 4)
			damage_run(&b, at, kind - 2);
		else if (kind < 7)
			damage_size(&b, at, kind - 4);
		else
			damage_move(&b, kind == 7);
		snprintf(doing, sizeof(doing), "%s of %.300s at %zu", names[kind],
			 of, at);
	} while (b.n == from->n && memcmp(b.p, from->p, b.n) == 0);
	return b;
}

/* ---- verify ---- */

struct answer {
	uint64_t fail[3]; /* by claim */
	struct unik_verify_counts counts;
	int rc;
};

static void take_finding(void *data, const struct unik_finding *f)
{
	struct answer *a = data;
	size_t i;

	a->fail[f->claim] += f->verdict == UNIK_FAIL;
	for (i = 0; f->text[i]; i++)
		if ((unsigned char)f->text[i] < 0x20 || f->text[i] == 0x7f)
			expect(false, "a control character");
}

UNUSED static struct answer ask(const char *target, const char *source,
				bool semantic)
{
	struct unik_verify_options opt;
	struct answer a = { .rc = 0 };

	unik_verify_options_init(&opt);
	opt.target = target;
	opt.source = source;
	opt.semantic = semantic;
	opt.jobs = 1;
	opt.data = &a;
	opt.finding = take_finding;
	alarm(SECONDS);
	a.rc = unik_verify(&opt, &a.counts, &err);
	alarm(0);
	return a;
}

#endif
