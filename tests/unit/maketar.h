/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tars for the tests, with control over every byte of a header. */
#ifndef UNIK_TEST_MAKETAR_H
#define UNIK_TEST_MAKETAR_H

#include "core.h"
#include "tar.h"

/* POSIX.1-1988 ustar header: offsets and sizes of its fields. */
enum {
	F_NAME = 0, F_MODE = 100, F_UID = 108, F_GID = 116, F_SIZE = 124,
	F_MTIME = 136, F_SUM = 148, F_TYPE = 156, F_LINK = 157, F_MAGIC = 257,
	F_MAJOR = 329, F_MINOR = 337, F_PREFIX = 345
};

struct mk {
	uint8_t *p;
	size_t size;
	size_t room;
	size_t last; /* where the last header is */
};

UNUSED static void mk_drop(struct mk *t)
{
	free(t->p);
	memset(t, 0, sizeof(*t));
}

/* Bytes, and zeros up to the next block. */
UNUSED static void mk_raw(struct mk *t, const void *data, size_t n)
{
	size_t padded = (n + 511) / 512 * 512;

	if (t->size + padded > t->room) {
		t->room = 2 * (t->size + padded) + 4096;
		t->p = realloc(t->p, t->room);
		if (!t->p)
			die("realloc");
	}
	memset(t->p + t->size, 0, padded);
	if (n > 0)
		memcpy(t->p + t->size, data, n);
	t->size += padded;
}

/* The checksum of the last header. */
UNUSED static void mk_sign(struct mk *t)
{
	uint8_t *h = t->p + t->last;
	unsigned sum = 0, i;

	memset(h + F_SUM, ' ', 8);
	for (i = 0; i < 512; i++)
		sum += h[i];
	snprintf((char *)h + F_SUM, 8, "%06o", sum);
}

/* Puts bytes into the last header. */
UNUSED static void mk_set(struct mk *t, size_t at, const void *bytes, size_t n)
{
	memcpy(t->p + t->last + at, bytes, n);
	mk_sign(t);
}

UNUSED static void mk_octal(struct mk *t, size_t at, size_t n, uint64_t v)
{
	char text[32];

	snprintf(text, sizeof(text), "%0*llo", (int)n - 1,
		 (unsigned long long)v);
	mk_set(t, at, text, n);
}

/* Base-256 of a field: GNU tar manual, "Extensions to the Archive Format". */
UNUSED static void mk_binary(struct mk *t, size_t at, size_t n, int64_t v)
{
	uint8_t bytes[16];
	size_t i;

	for (i = 0; i < n; i++) {
		size_t shift = 8 * (n - 1 - i);

		bytes[i] = shift >= 64 ? (v < 0 ? 0xff : 0)
				       : (uint8_t)((uint64_t)v >> shift);
	}
	bytes[0] = (uint8_t)(bytes[0] | 0x80);
	mk_set(t, at, bytes, n);
}

UNUSED static void mk_magic(struct mk *t, const char *magic)
{
	static const uint8_t none[8];

	if (strcmp(magic, "gnu") == 0)
		mk_set(t, F_MAGIC, "ustar  ", 8);
	else if (strcmp(magic, "v7") == 0)
		mk_set(t, F_MAGIC, none, 8);
	else
		mk_set(t, F_MAGIC, "ustar\00000", 8);
	if (strcmp(magic, "star") == 0)
		mk_set(t, 508, "tar", 4);
}

/* A ustar header: mode 0644, uid 1, gid 2, mtime 3, no data. */
UNUSED static void mk_head(struct mk *t, char type, const char *name)
{
	static const uint8_t zeros[512];
	size_t n = strlen(name);

	t->last = t->size;
	mk_raw(t, zeros, 512);
	memcpy(t->p + t->last, name, n < 100 ? n : 100);
	t->p[t->last + F_TYPE] = (uint8_t)type;
	mk_octal(t, F_MODE, 8, 0644);
	mk_octal(t, F_UID, 8, 1);
	mk_octal(t, F_GID, 8, 2);
	mk_octal(t, F_SIZE, 12, 0);
	mk_octal(t, F_MTIME, 12, 3);
	mk_magic(t, "ustar");
}

/* Data of the last header, whose size it sets. */
UNUSED static void mk_data(struct mk *t, const void *data, size_t n)
{
	mk_octal(t, F_SIZE, 12, n);
	mk_raw(t, data, n);
}

UNUSED static void mk_file(struct mk *t, const char *name, const char *text)
{
	mk_head(t, '0', name);
	mk_data(t, text, strlen(text));
}

UNUSED static void mk_link(struct mk *t, char type, const char *name,
			   const char *target)
{
	mk_head(t, type, name);
	mk_set(t, F_LINK, target, strlen(target));
}

UNUSED static void mk_end(struct mk *t)
{
	static const uint8_t zeros[1024];

	mk_raw(t, zeros, 1024);
}

/* ---- pax ---- */

/* `<length> <key>=<value>\n`, the length counting itself. */
UNUSED static size_t pax_record(char *out, const char *key, const void *value,
				size_t n)
{
	size_t body = strlen(key) + n + 3, length = body + 1;
	char digits[24];

	while ((size_t)snprintf(digits, sizeof(digits), "%zu", length) + body >
	       length)
		length++;
	body = (size_t)sprintf(out, "%zu %s=", length, key);
	memcpy(out + body, value, n);
	out[body + n] = '\n';
	return length;
}

/* An extended header with these bytes. */
UNUSED static void mk_pax_raw(struct mk *t, char type, const void *body,
			      size_t n)
{
	mk_head(t, type, "PaxHeaders/x");
	mk_data(t, body, n);
}

/* One with "key", "value", ..., NULL. */
UNUSED static void mk_pax(struct mk *t, char type, const char *const *pairs)
{
	char body[4096];
	size_t n = 0;

	for (; pairs[0]; pairs += 2)
		n += pax_record(body + n, pairs[0], pairs[1],
				strlen(pairs[1]));
	mk_pax_raw(t, type, body, n);
}

#define PAX(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* ---- reading ---- */

struct reading {
	struct drip drip;
	struct unik_limits limits;
	struct unik_tar *tar;
	struct unik_tar_entry e;
};

UNUSED static void read_start(struct reading *r, const struct mk *t,
			      size_t size, size_t step)
{
	r->limits = default_limits();
	drip_init(&r->drip, t->p, size, step);
	must(unik_tar_new(&r->tar, &r->drip.base, &r->limits, &err));
}

UNUSED static int read_next(struct reading *r)
{
	return unik_tar_next(r->tar, &r->e, &err);
}

UNUSED static void read_stop(struct reading *r)
{
	unik_tar_free(r->tar);
	r->drip.base.ops->free(&r->drip.base);
}

/* The first entry of a tar; read_stop() in any case. */
UNUSED static int read_first(struct reading *r, const struct mk *t)
{
	read_start(r, t, t->size, 511);
	return read_next(r);
}

/* Reads all entries and their data: how many, or -1. */
UNUSED static int read_all(const struct mk *t, size_t size, size_t step)
{
	struct reading r;
	int rc, n = 0;

	read_start(&r, t, size, step);
	while ((rc = read_next(&r)) == 0) {
		const uint8_t *p;
		size_t have;

		n++;
		if (n % 3 == 0) /* some data is skipped */
			continue;
		while ((rc = unik_tar_data(r.tar, &p, &have, &err)) == 0)
			random_state ^= p[0] ^ p[have - 1];
		if (rc < 0)
			break;
	}
	read_stop(&r);
	return rc < 0 ? -1 : n;
}

#endif
