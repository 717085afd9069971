/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * json: one look over the bytes: the grammar of RFC 8259, the limits, and what
 * must come out of the text.  Nothing is allocated.
 */
#include "json.h"

#include <string.h>

/* Open arrays and objects; jansson stops at as many (JSON_PARSER_MAX_DEPTH). */
#define MAX_DEPTH 2048

struct scan {
	const unsigned char *p;
	size_t size;
	size_t at;
	const struct unik_limits *limits;
	struct unik_json_counts n;
	uint64_t depth;
	uint8_t arrays[MAX_DEPTH / 8]; /* a bit a level: an array */
};

size_t unik_json_utf8(const unsigned char *p, size_t n, uint32_t *rune)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = p[0] < 0x80 ? 1 : p[0] < 0xc0 ? 0 : p[0] < 0xe0 ? 2 :
		     p[0] < 0xf0 ? 3 : p[0] < 0xf8 ? 4 : 0;
	size_t i;

	if (len == 0 || len > n)
		return 0;
	*rune = len == 1 ? p[0] : p[0] & (0x7fu >> len);
	for (i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*rune = *rune << 6 | (p[i] & 0x3f);
	}
	if (*rune < least[len] || *rune > 0x10ffff ||
	    (*rune >= 0xd800 && *rune < 0xe000))
		return 0;
	return len;
}

/* Says where: columns are bytes. */
static int bad(const struct scan *s, const char *what, struct unik_err *err)
{
	size_t at = s->at < s->size ? s->at : s->size;
	size_t i, line = 1, column = 1;

	for (i = 0; i < at; i++) {
		column++;
		if (s->p[i] == '\n') {
			line++;
			column = 1;
		}
	}
	return unik_fail(err, "bad JSON at line %zu, column %zu: %s", line,
			 column, what);
}

static int bad_here(const struct scan *s, struct unik_err *err)
{
	return bad(s, s->at < s->size ? "syntax error" : "it ends too early",
		   err);
}

/* The next byte that is no blank, or 0 (which is no JSON) at the end. */
static unsigned char peek(struct scan *s)
{
	while (s->at < s->size && (s->p[s->at] == ' ' || s->p[s->at] == '\t' ||
				   s->p[s->at] == '\n' || s->p[s->at] == '\r'))
		s->at++;
	return s->at < s->size ? s->p[s->at] : 0;
}

static int hex4(struct scan *s, uint32_t *v, struct unik_err *err)
{
	int i;

	for (i = 0, *v = 0; i < 4; i++, s->at++) {
		unsigned char c = s->at < s->size ? s->p[s->at] : 0;

		if (c >= '0' && c <= '9')
			*v = *v << 4 | (uint32_t)(c - '0');
		else if ((c | 32) >= 'a' && (c | 32) <= 'f')
			*v = *v << 4 | (uint32_t)((c | 32) - 'a' + 10);
		else
			return bad_here(s, err);
	}
	return 0;
}

/* Behind `\u`. */
static int scan_unicode(struct scan *s, struct unik_err *err)
{
	uint32_t v, low;

	if (hex4(s, &v, err) < 0)
		return -1;
	if (v == 0)
		return bad(s, "a NUL character in a string", err);
	if (v >= 0xd800 && v < 0xdc00) {
		if (s->size - s->at < 6 || s->p[s->at] != '\\' ||
		    s->p[s->at + 1] != 'u')
			return bad(s, "half a pair of surrogates", err);
		s->at += 2;
		if (hex4(s, &low, err) < 0)
			return -1;
		if (low < 0xdc00 || low > 0xdfff)
			return bad(s, "half a pair of surrogates", err);
		s->n.text += 4;
		return 0;
	}
	if (v >= 0xdc00 && v < 0xe000)
		return bad(s, "half a pair of surrogates", err);
	s->n.text += v < 0x80 ? 1 : v < 0x800 ? 2 : 3;
	return 0;
}

static int scan_string(struct scan *s, struct unik_err *err)
{
	uint32_t rune = 0;

	for (s->at++; s->at < s->size && s->p[s->at] != '"';) {
		unsigned char c = s->p[s->at];
		size_t n;

		if (c == '\\') {
			c = s->at + 1 < s->size ? s->p[s->at + 1] : 0;
			s->at += 1 + (c != 0);
			if (c == 'u' && scan_unicode(s, err) < 0)
				return -1;
			if (c == 0 || !strchr("u\"\\/bfnrt", c))
				return bad_here(s, err);
			s->n.text += c != 'u';
			continue;
		}
		if (c < 0x20)
			return bad(s, "a control character in a string", err);
		n = unik_json_utf8(s->p + s->at, s->size - s->at, &rune);
		if (n == 0)
			return bad(s, "invalid UTF-8", err);
		s->at += n;
		s->n.text += n;
	}
	if (s->at++ >= s->size)
		return bad_here(s, err);
	return 0;
}

static size_t digits(struct scan *s)
{
	size_t start = s->at;

	while (s->at < s->size && s->p[s->at] >= '0' && s->p[s->at] <= '9')
		s->at++;
	return s->at - start;
}

static bool take(struct scan *s, const char *set)
{
	if (s->at >= s->size || !s->p[s->at] || !strchr(set, s->p[s->at]))
		return false;
	s->at++;
	return true;
}

/* An integer must fit 64 bits with a sign. */
static int add_integer(struct scan *s, size_t start, struct unik_err *err)
{
	bool minus = s->p[start] == '-';
	int64_t v = 0;
	size_t i;

	for (i = start + minus; i < s->at; i++) {
		int d = s->p[i] - '0';

		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, minus ? -d : d, &v))
			return bad(s, "a number is out of range", err);
	}
	s->n.sum += (uint64_t)v;
	return 0;
}

static int scan_number(struct scan *s, struct unik_err *err)
{
	size_t start = s->at;
	bool integer = true;

	take(s, "-");
	if (!take(s, "0") && digits(s) == 0)
		return bad_here(s, err);
	if (take(s, ".")) {
		integer = false;
		if (digits(s) == 0)
			return bad_here(s, err);
	}
	if (take(s, "eE")) {
		integer = false;
		take(s, "+-");
		if (digits(s) == 0)
			return bad_here(s, err);
	}
	return integer ? add_integer(s, start, err) : 0;
}

static int scan_word(struct scan *s, const char *word, struct unik_err *err)
{
	for (; *word; word++)
		if (!take(s, (const char[]){ *word, 0 }))
			return bad_here(s, err);
	return 0;
}

static int open_level(struct scan *s, bool array, struct unik_err *err)
{
	uint64_t at = s->depth++;

	if (at >= s->limits->json_depth || at >= MAX_DEPTH)
		return unik_fail(err, "JSON is nested deeper than %llu levels "
				 "(--max-json-depth)", (unsigned long long)at);
	if (array)
		s->arrays[at / 8] |= (uint8_t)(1 << at % 8);
	else
		s->arrays[at / 8] &= (uint8_t)~(1 << at % 8);
	s->at++;
	return 0;
}

static bool in_array(const struct scan *s)
{
	uint64_t at = s->depth - 1;

	return s->arrays[at / 8] >> at % 8 & 1;
}

static int scan_key(struct scan *s, struct unik_err *err)
{
	if (peek(s) != '"')
		return bad_here(s, err);
	if (scan_string(s, err) < 0)
		return -1;
	if (peek(s) != ':')
		return bad_here(s, err);
	s->at++;
	return 0;
}

/* One value; of an array or object its opening only (then *opened). */
static int scan_value(struct scan *s, bool *opened, struct unik_err *err)
{
	unsigned char c = peek(s);

	*opened = c == '{' || c == '[';
	if (++s->n.values > s->limits->json_values)
		return unik_fail(err, "JSON holds more than %llu values "
				 "(--max-json-values)",
				 (unsigned long long)s->limits->json_values);
	switch (c) {
	case '{':
	case '[':
		return open_level(s, c == '[', err);
	case '"':
		return scan_string(s, err);
	case 't':
		return scan_word(s, "true", err);
	case 'f':
		return scan_word(s, "false", err);
	case 'n':
		return scan_word(s, "null", err);
	default:
		return scan_number(s, err);
	}
}

/* Behind a value: closes what ends there.  *more: another value follows. */
static int scan_behind(struct scan *s, bool *more, struct unik_err *err)
{
	*more = false;
	while (s->depth > 0) {
		unsigned char c = peek(s);

		if (c == (in_array(s) ? ']' : '}')) {
			s->at++;
			s->depth--;
			continue;
		}
		if (c != ',')
			return bad_here(s, err);
		s->at++;
		*more = true;
		return in_array(s) ? 0 : scan_key(s, err);
	}
	peek(s);
	return s->at < s->size ? bad(s, "something follows the value", err) : 0;
}

static int scan_text(struct scan *s, struct unik_err *err)
{
	bool more = true, opened;

	while (more) {
		if (scan_value(s, &opened, err) < 0)
			return -1;
		if (opened && peek(s) != (in_array(s) ? ']' : '}')) {
			if (!in_array(s) && scan_key(s, err) < 0)
				return -1;
			continue;
		}
		if (scan_behind(s, &more, err) < 0)
			return -1;
	}
	return 0;
}

int unik_json_scan(const void *text, size_t size,
		   const struct unik_limits *limits,
		   struct unik_json_counts *counts, struct unik_err *err)
{
	struct scan s = { .p = text, .size = size, .limits = limits };

	if (size > limits->json_size)
		return unik_fail(err, "JSON of %zu bytes is over the limit of "
				 "%llu (--max-json-size)", size,
				 (unsigned long long)limits->json_size);
	if (size == 0)
		return unik_fail(err, "empty, where JSON is expected");
	if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		return unik_fail(err, "JSON begins with a byte order mark");
	if (scan_text(&s, err) < 0)
		return -1;
	*counts = s.n;
	return 0;
}
