/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * json: the limits, by one look over the bytes.  Not a parser: on text that is
 * not JSON it may count anything, for the parser refuses that text at a place
 * the counts cover.
 */
#include "json.h"

#include <string.h>

struct scan {
	const unsigned char *p;
	size_t size;
	size_t at;
	uint64_t depth;
	uint64_t values;
	bool string; /* the last token was a string: maybe a key */
};

static void skip_string(struct scan *s)
{
	s->at++;
	while (s->at < s->size && s->p[s->at] != '"')
		s->at += s->p[s->at] == '\\' ? 2 : 1;
	s->at++;
}

static bool is_scalar_byte(unsigned char c)
{
	return c > ' ' && c != '"' && c != ',' && c != ':' && c != '[' &&
	       c != ']' && c != '{' && c != '}';
}

/* Numbers, true, false, null. */
static void skip_scalar(struct scan *s)
{
	while (s->at < s->size && is_scalar_byte(s->p[s->at]))
		s->at++;
}

/* One token; counts it. */
static void step(struct scan *s)
{
	unsigned char c = s->p[s->at];
	bool was_string = s->string;

	s->string = c == '"';
	if (c == '"') {
		s->values++;
		skip_string(s);
	} else if (is_scalar_byte(c)) {
		s->values++;
		skip_scalar(s);
	} else {
		if (c == '[' || c == '{') {
			s->values++;
			s->depth++;
		} else if ((c == ']' || c == '}') && s->depth > 0) {
			s->depth--;
		} else if (c == ':' && was_string) {
			s->values--; /* that string was a key */
		} else if (c <= ' ') {
			s->string = was_string;
		}
		s->at++;
	}
}

int unik_json_scan(const void *text, size_t size,
		   const struct unik_limits *limits, uint64_t *values,
		   struct unik_err *err)
{
	struct scan s = { text, size, 0, 0, 0, false };

	if (size > limits->json_size)
		return unik_fail(err, "JSON of %zu bytes is over the limit of "
				 "%llu (--max-json-size)", size,
				 (unsigned long long)limits->json_size);
	if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		return unik_fail(err, "JSON begins with a byte order mark");
	while (s.at < s.size) {
		step(&s);
		if (s.depth > limits->json_depth)
			return unik_fail(err, "JSON is nested deeper than %llu "
					 "levels (--max-json-depth)",
					 (unsigned long long)limits->json_depth);
		if (s.values > limits->json_values)
			return unik_fail(err, "JSON holds more than %llu values "
					 "(--max-json-values)",
					 (unsigned long long)limits->json_values);
	}
	*values = s.values;
	return 0;
}
