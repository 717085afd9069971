/* SPDX-License-Identifier: GPL-3.0-or-later */
/* json: the canonical writer. */
#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void unik_json_out_init(struct unik_json_out *o)
{
	memset(o, 0, sizeof(*o));
	o->first = true;
}

void unik_json_out_release(struct unik_json_out *o)
{
	free(o->text);
	unik_json_out_init(o);
}

static void append(struct unik_json_out *o, const void *bytes, size_t n)
{
	if (o->no_memory)
		return;
	if (n >= o->room - o->size) { /* one byte stays for the NUL */
		size_t room = o->room ? o->room * 2 : 256;
		char *text;

		while (room - o->size <= n)
			room *= 2;
		text = realloc(o->text, room);
		if (!text) {
			o->no_memory = true;
			return;
		}
		o->text = text;
		o->room = room;
	}
	memcpy(o->text + o->size, bytes, n);
	o->size += n;
	o->text[o->size] = 0;
}

static void append_escape(struct unik_json_out *o, uint32_t rune)
{
	static const char from[] = "\"\\\b\t\n\f\r";
	static const char to[] = "\"\\btnfr";
	const char *known = rune && rune < 0x80 ? strchr(from, (int)rune)
						: NULL;
	char buf[8];

	if (known)
		snprintf(buf, sizeof(buf), "\\%c", to[known - from]);
	else
		snprintf(buf, sizeof(buf), "\\u%04x", (unsigned)rune & 0xffff);
	append(o, buf, strlen(buf));
}

static bool must_escape(uint32_t rune)
{
	return rune < 0x20 || rune == '"' || rune == '\\' ||
	       (rune >= 0x7f && rune < 0xa0);
}

static void append_string(struct unik_json_out *o, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;
	size_t at = 0, plain = 0;

	append(o, "\"", 1);
	while (at < n) {
		uint32_t rune = 0;
		size_t len = unik_json_utf8(p + at, n - at, &rune);

		if (len == 0 || (!o->verbatim && rune >= 0xef80 &&
				 rune <= 0xefff)) {
			len = 1;
			rune = 0xef00u | p[at]; /* see json.h */
		} else if (!must_escape(rune)) {
			at += len;
			continue;
		}
		append(o, p + plain, at - plain);
		append_escape(o, rune);
		at += len;
		plain = at;
	}
	append(o, p + plain, n - plain);
	append(o, "\"", 1);
}

void unik_json_unescape(char *text)
{
	/* U+EF80..U+EFFF are EE BE 80..EE BF BF in UTF-8. */
	const unsigned char *p = (const unsigned char *)text;

	for (; *p; p++) {
		if (p[0] == 0xee && (p[1] & 0xfe) == 0xbe && p[2] >= 0x80) {
			*text++ = (char)(0x80 | (p[1] & 1) << 6 |
					 (p[2] & 0x3f));
			p += 2;
		} else {
			*text++ = (char)*p;
		}
	}
	*text = 0;
}

/* What stands before a value: a comma, a key. */
static void begin_value(struct unik_json_out *o, const char *key)
{
	bool in_object = o->depth > 0 && !o->array[o->depth - 1];

	if (in_object != (key != NULL) || (o->depth == 0 && !o->first))
		o->misused = true;
	if (!o->first)
		append(o, ",", 1);
	o->first = false;
	if (key) {
		append_string(o, key, strlen(key));
		append(o, ":", 1);
	}
}

static void open_value(struct unik_json_out *o, const char *key, bool array)
{
	begin_value(o, key);
	if (o->depth == UNIK_JSON_DEPTH) {
		o->misused = true;
		return;
	}
	append(o, array ? "[" : "{", 1);
	o->array[o->depth++] = array;
	o->first = true;
}

void unik_json_put_object(struct unik_json_out *o, const char *key)
{
	open_value(o, key, false);
}

void unik_json_put_array(struct unik_json_out *o, const char *key)
{
	open_value(o, key, true);
}

void unik_json_put_end(struct unik_json_out *o)
{
	if (o->depth == 0) {
		o->misused = true;
		return;
	}
	append(o, o->array[--o->depth] ? "]" : "}", 1);
	o->first = false;
}

void unik_json_put_bytes(struct unik_json_out *o, const char *key,
			 const void *bytes, size_t size)
{
	begin_value(o, key);
	append_string(o, size ? bytes : "", size);
}

void unik_json_put_string(struct unik_json_out *o, const char *key,
			  const char *text)
{
	unik_json_put_bytes(o, key, text, strlen(text));
}

void unik_json_put_uint(struct unik_json_out *o, const char *key, uint64_t v)
{
	char buf[24];

	begin_value(o, key);
	snprintf(buf, sizeof(buf), "%llu", (unsigned long long)v);
	append(o, buf, strlen(buf));
}

void unik_json_put_bool(struct unik_json_out *o, const char *key, bool v)
{
	begin_value(o, key);
	append(o, v ? "true" : "false", v ? 4 : 5);
}

void unik_json_put_raw(struct unik_json_out *o, const char *key,
		       const char *text, size_t size)
{
	begin_value(o, key);
	append(o, text, size);
}

int unik_json_out_take(struct unik_json_out *o, char **text, size_t *size,
		       struct unik_err *err)
{
	if (o->no_memory)
		return unik_fail_mem(err);
	if (o->misused || o->depth > 0 || o->first)
		return unik_fail_io(err,
				    "JSON written by calls in a wrong order");
	*text = o->text;
	*size = o->size;
	unik_json_out_init(o);
	return 0;
}
