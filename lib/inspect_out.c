/* SPDX-License-Identifier: GPL-3.0-or-later */
/* inspect: text on its way out; what people read is made harmless. */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "civil.h"
#include "inspect_private.h"

static void flush(struct out *o)
{
	if (o->used > 0 && !o->failed &&
	    o->opt->write(o->opt->data, o->buf, o->used) != 0) {
		o->failed = true;
		unik_fail_io(o->err, "the answer could not be written");
	}
	o->used = 0;
}

void out_bytes(struct out *o, const void *bytes, size_t n)
{
	const char *p = bytes;

	while (n > 0) {
		size_t m = sizeof(o->buf) - o->used;

		if (m > n)
			m = n;
		memcpy(o->buf + o->used, p, m);
		o->used += m;
		p += m;
		n -= m;
		if (o->used == sizeof(o->buf))
			flush(o);
	}
}

void out_text(struct out *o, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n > 0)
		out_bytes(o, text, (size_t)n < sizeof(text) ? (size_t)n
							    : sizeof(text) - 1);
}

int out_end(struct out *o)
{
	flush(o);
	return o->failed ? -1 : 0;
}

int out_json(struct out *o, struct unik_json_out *json)
{
	char *text;
	size_t n;
	int rc = unik_json_out_take(json, &text, &n, o->err);

	unik_json_out_release(json);
	if (rc < 0)
		return -1;
	text[n] = '\n'; /* in the place of the NUL */
	out_bytes(o, text, n + 1);
	free(text);
	return o->failed ? -1 : 0;
}

const char *inspect_path(struct path *p, const struct unik_node *node)
{
	size_t n = unik_node_path(node, p->text, p->room);

	if (n >= p->room) {
		char *text = realloc(p->text, n + 256);

		if (!text)
			return NULL;
		p->text = text;
		p->room = n + 256;
		unik_node_path(node, p->text, p->room);
	}
	return p->text;
}

/* ---- bytes of input ---- */

/* Characters that a terminal does not show as they are: controls, marks of
 * direction and joining, line separators (Unicode, categories Cc, Cf, Zl, Zp,
 * as far as they act on the text around them). */
static bool is_harmless(uint32_t rune)
{
	if (rune < 0x20 || rune == '\\' || (rune >= 0x7f && rune < 0xa0))
		return false;
	return !(rune == 0x61c || rune == 0xfeff ||
		 (rune >= 0x200b && rune <= 0x200f) ||
		 (rune >= 0x2028 && rune <= 0x202e) ||
		 (rune >= 0x2060 && rune <= 0x206f) ||
		 (rune >= 0xfff9 && rune <= 0xfffb) ||
		 (rune >= 0xe0000 && rune <= 0xe007f));
}

#define PIECE 8

/* The next piece of a text, as it is shown; returns its columns. */
static size_t next_piece(const char **text, char piece[PIECE], size_t *n)
{
	const unsigned char *p = (const unsigned char *)*text;
	uint32_t rune = 0;
	size_t len = unik_json_utf8(p, strnlen(*text, 4), &rune);

	if (len > 0 && is_harmless(rune)) {
		memcpy(piece, p, len);
		*n = len;
		*text += len;
		return 1;
	}
	*n = (size_t)snprintf(piece, PIECE, "\\x%02x", (unsigned)*p);
	*text += 1;
	return *n;
}

size_t out_clean(struct out *o, const char *text)
{
	size_t columns = 0, n;
	char piece[PIECE];

	while (*text) {
		columns += next_piece(&text, piece, &n);
		out_bytes(o, piece, n);
	}
	return columns;
}

void out_clean_cut(struct out *o, const char *text, size_t columns, bool fill)
{
	size_t width = 0, used = 0, n, w;
	char piece[PIECE];
	const char *p = text;
	bool cut;

	while (*p)
		width += next_piece(&p, piece, &n);
	cut = width > columns && columns > 3;
	for (p = text; *p; used += w) {
		w = next_piece(&p, piece, &n);
		if (used + w > columns - (cut ? 3 : 0))
			break;
		out_bytes(o, piece, n);
	}
	if (cut) {
		out_bytes(o, "...", 3);
		used += 3;
	}
	for (; fill && used < columns; used++)
		out_bytes(o, " ", 1);
}

/* ---- counts ---- */

void words_put(struct words *w, uint64_t n, const char *one, const char *many)
{
	char text[80];
	size_t len;

	if (n == 0)
		return;
	len = (size_t)snprintf(text, sizeof(text), "%" PRIu64 " %s", n,
			       n == 1 ? one : many);
	if (!w->any)
		w->column = w->indent;
	else if (w->column + 2 + len + 1 > 100) {
		out_text(w->o, ",\n%*s", (int)w->indent, "");
		w->column = w->indent;
	} else {
		out_text(w->o, ", ");
		w->column += 2;
	}
	out_text(w->o, "%s", text);
	w->column += len;
	w->any = true;
}

void words_entries(struct words *w, const struct unik_entry_counts *c)
{
	words_put(w, c->file, "file", "files");
	words_put(w, c->dir, "directory", "directories");
	words_put(w, c->symlink, "symlink", "symlinks");
	words_put(w, c->hardlink, "hard link", "hard links");
	words_put(w, c->device, "device", "devices");
	words_put(w, c->fifo, "FIFO", "FIFOs");
}

void words_end(struct words *w, const char *none)
{
	out_text(w->o, "%s\n", w->any ? "" : none);
}

/* ---- values ---- */

const char *inspect_size(uint64_t n, char buf[24])
{
	static const char *const units[] = { "B",   "KiB", "MiB", "GiB",
					     "TiB", "PiB", "EiB" };
	uint64_t v = n, tenths = 0;
	size_t u = 0;

	for (; v >= 1024; v /= 1024, u++)
		tenths = v % 1024 * 10 / 1024;
	if (u == 0)
		snprintf(buf, 24, "%u B", (unsigned)n);
	else
		snprintf(buf, 24, "%u.%u %s", (unsigned)v, (unsigned)tenths,
			 units[u]);
	return buf;
}

static int compare_digests(const void *a, const void *b)
{
	const struct unik_digest *x = a, *y = b;

	return memcmp(x->bytes, y->bytes, UNIK_SHA256_SIZE);
}

/* Hex digits that two digests have in common. */
static size_t common(const struct unik_digest *a, const struct unik_digest *b)
{
	size_t i;

	for (i = 0; i < UNIK_SHA256_SIZE; i++)
		if (a->bytes[i] != b->bytes[i])
			return 2 * i + (a->bytes[i] >> 4 == b->bytes[i] >> 4);
	return 0; /* the same: nothing to be told apart */
}

size_t inspect_shortest(const struct unik_digest *v, size_t n)
{
	struct unik_digest *sorted = calloc(n + 1, sizeof(*sorted));
	size_t least = 12, i;

	if (!sorted)
		return 2 * UNIK_SHA256_SIZE; /* in full is never wrong */
	memcpy(sorted, v, n * sizeof(*v));
	qsort(sorted, n, sizeof(*v), compare_digests);
	for (i = 1; i < n; i++) {
		size_t c = common(&sorted[i - 1], &sorted[i]) + 1;

		if (c > least)
			least = c;
	}
	free(sorted);
	return least;
}

const char *inspect_time(int64_t sec, uint32_t nsec, char buf[INSPECT_TIME])
{
	struct unik_civil c;
	char fraction[16] = "";
	size_t n = 0;

	if (nsec > 0) {
		n = (size_t)snprintf(fraction, sizeof(fraction), ".%09u",
				     (unsigned)nsec % 1000000000);
		while (fraction[n - 1] == '0')
			fraction[--n] = 0;
	}
	unik_civil(sec, &c);
	snprintf(buf, INSPECT_TIME, "%04" PRId64 "-%02u-%02uT%02u:%02u:%02u%sZ",
		 c.year, (unsigned)c.month % 100, (unsigned)c.day % 100,
		 (unsigned)c.hour % 100, (unsigned)c.minute % 100,
		 (unsigned)c.second % 100, fraction);
	return buf;
}
