/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tests of the core rooms share: errors, numbers, odd sources. */
#ifndef UNIK_TEST_CORE_H
#define UNIK_TEST_CORE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "io.h"
#include "limits.h"
#include "tap.h"

#define UNUSED __attribute__((unused))
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct unik_err err;

UNUSED static void die(const char *what)
{
	printf("Bail out! %s: %s\n", what, err.msg);
	exit(1);
}

/* What must not fail: the test can't go on without it. */
#define must(call)                                                          \
	do {                                                                \
		if ((call) != 0)                                            \
			die(#call);                                         \
	} while (0)

/* Whether a call failed with this code, and this in its message. */
UNUSED static bool failed(int rc, enum unik_code code, const char *text)
{
	bool good = rc == -1 && err.code == code && strstr(err.msg, text);

	if (!good)
		printf("# rc %d, code %d: %s\n", rc, (int)err.code,
		       rc == -1 ? err.msg : "(no failure)");
	err.msg[0] = 0;
	return good;
}

/* One line, no control characters, no full stop at the end. */
UNUSED static bool neat(const char *msg)
{
	size_t n = strlen(msg), i;

	for (i = 0; i < n; i++)
		if ((unsigned char)msg[i] < 0x20 || msg[i] == 0x7f)
			return false;
	return n > 0 && msg[n - 1] != '.' && msg[n - 1] != '\n';
}

UNUSED static struct unik_limits default_limits(void)
{
	struct unik_limits limits;

	unik_limits_init(&limits);
	return limits;
}

/* xorshift: the same numbers in every run. */
static uint64_t random_state = UINT64_C(0x9e3779b97f4a7c15);

UNUSED static uint64_t random_u64(void)
{
	uint64_t x = random_state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return random_state = x;
}

UNUSED static uint32_t random_below(uint32_t n)
{
	return (uint32_t)(random_u64() >> 16) % n;
}

UNUSED static void *make_room(size_t n)
{
	void *p = malloc(n + 1);

	if (!p)
		die("malloc");
	return p;
}

/*
 * A source over memory that gives `first` bytes (where that is not 0) and then
 * `step` bytes at a time, from a buffer of just that size (so that reading past
 * it is seen by ASan), and fails once it has given `fail_at` bytes.
 */
#define NEVER UINT64_MAX

struct drip {
	struct unik_source base;
	const uint8_t *data;
	size_t size;
	size_t at;
	size_t first;
	size_t step;
	uint64_t fail_at;
	uint8_t *buf;
	int nfills; /* calls of fill */
	int ends;   /* how many of them were behind an end or a failure */
	bool over;
};

static int drip_fill(struct unik_source *base, struct unik_err *e)
{
	struct drip *d = (struct drip *)base;
	size_t n = d->at == 0 && d->first ? d->first : d->step;

	if (n > d->size - d->at)
		n = d->size - d->at;
	d->nfills++;
	d->ends += d->over;
	free(d->buf);
	d->buf = NULL;
	if (d->at + n > d->fail_at)
		n = (size_t)(d->fail_at - d->at);
	if (n == 0)
		d->over = true;
	if (n == 0 && d->at == d->fail_at)
		return unik_fail_io(e, "the drip has dried up");
	if (n == 0)
		return 1;
	d->buf = malloc(n);
	if (!d->buf)
		die("malloc");
	memcpy(d->buf, d->data + d->at, n);
	d->at += n;
	base->cur = d->buf;
	base->avail = n;
	return 0;
}

static void drip_free(struct unik_source *base)
{
	free(((struct drip *)base)->buf);
}

static const struct unik_source_ops drip_ops = { .fill = drip_fill,
						  .free = drip_free };

UNUSED static struct unik_source *drip_init(struct drip *d, const void *data,
					    size_t size, size_t step)
{
	memset(d, 0, sizeof(*d));
	d->base.ops = &drip_ops;
	d->data = data;
	d->size = size;
	d->step = step;
	d->fail_at = NEVER;
	return &d->base;
}

/* Reads a source to its end: 0, or -1; *out is malloc'ed all the same. */
UNUSED static int slurp(struct unik_source *s, uint8_t **out, size_t *size)
{
	size_t room = 4096, n = 0;
	uint8_t *buf = make_room(room);
	const uint8_t *p;
	size_t have;
	int rc;

	while ((rc = unik_source_peek(s, &p, &have, &err)) == 0) {
		while (n + have > room) {
			room *= 2;
			buf = realloc(buf, room);
			if (!buf)
				die("realloc");
		}
		memcpy(buf + n, p, have);
		n += have;
		unik_source_advance(s, have);
	}
	*out = buf;
	*size = n;
	return rc < 0 ? -1 : 0;
}

#endif
