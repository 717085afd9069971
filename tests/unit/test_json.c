/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "json.h"

#include <stdlib.h>
#include <string.h>

#include "limits.h"
#include "tap.h"

static struct unik_limits limits;

static int parse(const char *text, size_t n, struct unik_json **root,
		 struct unik_err *err)
{
	*root = NULL;
	memset(err, 0, sizeof(*err));
	return unik_json_parse(root, text, n, &limits, err);
}

struct text_case {
	const char *what;
	const char *text;
	const char *want; /* part of the message, NULL: it is good */
};

static const struct text_case texts[] = {
	{ "object", "{\"a\":1}", NULL },
	{ "null at the top", "null", NULL },
	{ "blanks around", " \r\n\t[1, 2 ]\n", NULL },
	{ "escapes", "[\"\\u00e9\\ud83d\\ude00\\/\\\"\"]", NULL },
	{ "UTF-8", "[\"\xc3\xa9\xf0\x9f\x98\x80\"]", NULL },
	{ "numbers", "[0,-1,1.5,1e3,9223372036854775807]", NULL },
	{ "empty", "", "empty" },
	{ "only blanks", "  \n", "ends too early" },
	{ "byte order mark", "\xef\xbb\xbf{}", "byte order mark" },
	{ "duplicate key", "{\"a\":1,\"a\":1}", "twice" },
	{ "duplicate key by escape", "{\"a\":1,\"\\u0061\":2}", "twice" },
	{ "duplicate key inside", "[{\"x\":{\"k\":0,\"k\":0}}]", "twice" },
	{ "trailing word", "{} x", "follows" },
	{ "second value", "{}{}", "follows" },
	{ "trailing comma", "[1,]", "syntax" },
	{ "single quotes", "{'a':1}", "syntax" },
	{ "comment", "{/**/}", "syntax" },
	{ "NaN", "[NaN]", "syntax" },
	{ "leading zero", "[01]", "syntax" },
	{ "plus", "[+1]", "syntax" },
	{ "cut object", "{\"a\":", "ends too early" },
	{ "cut string", "[\"a", "ends too early" },
	{ "cut escape", "[\"a\\", "ends too early" },
	{ "unpaired closer", "]", "syntax" },
	{ "wrong closer", "[1}", "syntax" },
	{ "NUL escape", "[\"a\\u0000b\"]", "NUL" },
	{ "NUL escape in a key", "{\"a\\u0000\":1}", "NUL" },
	{ "raw newline in a string", "[\"a\nb\"]", "control" },
	{ "lone surrogate", "[\"\\ud800\"]", "surrogates" },
	{ "Latin-1", "[\"\xe9\"]", "UTF-8" },
	{ "overlong slash", "[\"\xc0\xaf\"]", "UTF-8" },
	{ "encoded surrogate", "[\"\xed\xa0\x80\"]", "UTF-8" },
	{ "above U+10FFFF", "[\"\xf4\x90\x80\x80\"]", "UTF-8" },
	{ "integer over 63 bits", "[9223372036854775808]", "out of range" },
	{ "integer under 63 bits", "[-9223372036854775809]", "out of range" },
	{ "real out of range", "[1e999]", "out of range" },
	{ "the least integer", "[-9223372036854775808]", NULL },
	{ "low surrogate first", "[\"\\udc00\\ud800\"]", "surrogates" },
	{ "surrogate and no other", "[\"\\ud800\\u0041\"]", "surrogates" },
	{ "surrogate at the end", "[\"\\ud800\\u", "surrogates" },
	{ "short \\u", "[\"\\u12\"]", "syntax" },
	{ "cut \\u", "[\"\\u12", "ends too early" },
	{ "unknown escape", "[\"\\x41\"]", "syntax" },
	{ "cut UTF-8", "[\"\xe2\x82\"]", "UTF-8" },
	{ "DEL", "[\"\x7f\"]", NULL },
	{ "no digit behind the point", "[1.]", "syntax" },
	{ "no digit before the point", "[.5]", "syntax" },
	{ "no exponent", "[1e]", "syntax" },
	{ "minus alone", "[-]", "syntax" },
	{ "signs and exponents", "[-0,-0.0,1E+2,1e-2,0e0]", NULL },
	{ "hexadecimal", "[0x10]", "syntax" },
	{ "part of a word", "[tru]", "syntax" },
	{ "more than a word", "[truee]", "syntax" },
	{ "cut word", "nul", "ends too early" },
	{ "no comma", "[1 2]", "syntax" },
	{ "no colon", "{\"a\" 1}", "syntax" },
	{ "no value", "{\"a\":}", "syntax" },
	{ "no key", "{1:2}", "syntax" },
	{ "only a comma", "[,]", "syntax" },
	{ "comma before the closer", "{\"a\":1,}", "syntax" },
	{ "empty ones", "[[],{},[{}]]", NULL },
	{ "form feed", "[\f]", "syntax" },
	{ "non-breaking space", "[\xc2\xa0]", "syntax" },
	{ "a second line", "{\n  \"a\": x}", "line 2, column 8" },
};

static void test_texts(void)
{
	struct unik_json *root;
	struct unik_err err;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const struct text_case *t = &texts[i];
		int rc = parse(t->text, strlen(t->text), &root, &err);

		ok(t->want ? rc < 0 && err.code == UNIK_EBAD &&
				     strstr(err.msg, t->want) : rc == 0,
		   "%s: %s", t->what, rc < 0 ? err.msg : "read");
		ok(!strchr(err.msg, '\n'), "%s: one line", t->what);
		unik_json_free(root);
	}
	ok(parse("[\"a\0b\"]", 7, &root, &err) < 0, "raw NUL in a string");
	ok(parse("{}\0", 3, &root, &err) < 0, "NUL behind the value");
}

/* `head`, `n` times `unit`, then `tail`. */
static char *repeat(const char *head, const char *unit, size_t n,
		    const char *tail, size_t *size)
{
	size_t len = strlen(unit), at = strlen(head), i;
	char *text = malloc(at + n * len + strlen(tail) + 1);

	memcpy(text, head, at);
	for (i = 0; i < n; i++, at += len)
		memcpy(text + at, unit, len);
	strcpy(text + at, tail);
	*size = strlen(text);
	return text;
}

struct bomb {
	const char *what;
	const char *head;
	const char *unit;
	size_t n;
	const char *tail;
	const char *want;
};

static const struct bomb bombs[] = {
	{ "deep arrays", "", "[", 1000000, "", "--max-json-depth" },
	{ "deep objects", "", "{\"a\":", 1000000, "", "--max-json-depth" },
	{ "65 levels", "", "[", 65, "", "--max-json-depth" },
	{ "64 levels", "", "[", 64,
	  "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
	  NULL },
	{ "braces in strings are no depth", "",
	  "[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
	  "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[[[\"]", 1, "", NULL },
	{ "many arrays", "[", "[],", 2000000, "[]]", "--max-json-values" },
	{ "many numbers", "[", "1,", 2000000, "1]",
	  "--max-json-values" },
	{ "many strings", "[", "\"\",", 2000000, "1]", "--max-json-values" },
	{ "too long", "", "          ", 1000000, "", "--max-json-size" },
};

static void test_bombs(void)
{
	struct unik_json *root;
	struct unik_err err;
	size_t i;

	for (i = 0; i < sizeof(bombs) / sizeof(bombs[0]); i++) {
		const struct bomb *b = &bombs[i];
		size_t n;
		char *text = repeat(b->head, b->unit, b->n, b->tail, &n);
		int rc = parse(text, n, &root, &err);

		ok(b->want ? rc < 0 && strstr(err.msg, b->want) : rc == 0,
		   "%s: %s", b->what, rc < 0 ? err.msg : "read");
		unik_json_free(root);
		free(text);
	}
}

static void test_count(void)
{
	/* 1 object, 1 array, 2 numbers, 1 string; keys are no values. */
	static const char text[] = "{ \"a\" : [1,2] , \"b\" : \"c\" }";
	struct unik_limits tight = limits;
	struct unik_err err;
	struct unik_json_counts n;

	tight.json_values = 5;
	ok(unik_json_scan(text, strlen(text), &tight, &n, &err) == 0 &&
	   n.values == 5 && n.text == 3 && n.sum == 3, "five values fit five");
	tight.json_values = 4;
	ok(unik_json_scan(text, strlen(text), &tight, &n, &err) < 0,
	   "five values do not fit four");
	tight.json_size = strlen(text) - 1;
	ok(unik_json_scan(text, strlen(text), &tight, &n, &err) < 0 &&
	   strstr(err.msg, "--max-json-size"), "the size is looked at first");
}

static const char members[] =
	"{\"s\":\"x\",\"n\":7,\"z\":0,\"big\":9223372036854775807,\"m\":-1,"
	"\"f\":1.0,\"e\":1e3,\"t\":true,\"no\":false,\"null\":null,"
	"\"a\":[\"x\",1],\"o\":{\"k\":\"v\",\"b\":1,\"a\":2},\"str\":\"5\"}";

static void test_sizes(const struct unik_json *root)
{
	static const struct {
		const char *key, *want;
	} bad[] = {
		{ "m", "'m' is negative" },
		{ "f", "'f' is not a whole number" },
		{ "e", "'e' is not a whole number" },
		{ "str", "'str' is not a whole number" },
		{ "t", "'t' is not a whole number" },
		{ "null", "'null' is missing" },
		{ "absent", "'absent' is missing" },
	};
	struct unik_err err;
	uint64_t v;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(unik_json_size(root, bad[i].key, &v, &err) < 0 &&
		   strcmp(err.msg, bad[i].want) == 0, "size: %s", err.msg);
	ok(unik_json_size(root, "n", &v, &err) == 0 && v == 7, "size 7");
	ok(unik_json_size(root, "z", &v, &err) == 0 && v == 0, "size 0");
	ok(unik_json_size(root, "big", &v, &err) == 0 && v == INT64_MAX,
	   "the largest size");
}

static void test_getters(void)
{
	struct unik_json *root;
	struct unik_json_member m;
	const struct unik_json *v;
	struct unik_err err;
	const char *s;
	bool b;

	parse(members, strlen(members), &root, &err);
	test_sizes(root);
	ok(unik_json_string(root, "s", &s, &err) == 0 && strcmp(s, "x") == 0,
	   "string");
	ok(unik_json_string(root, "n", &s, &err) < 0 &&
	   strcmp(err.msg, "'n' is not a string") == 0, "%s", err.msg);
	ok(unik_json_string(root, "null", &s, &err) == 0 && !s, "null is none");
	ok(unik_json_string(root, "absent", &s, &err) == 0 && !s, "absent");
	ok(unik_json_array(root, "o", &v, &err) < 0 &&
	   strcmp(err.msg, "'o' is not an array") == 0, "%s", err.msg);
	ok(unik_json_object(root, "a", &v, &err) < 0 &&
	   strcmp(err.msg, "'a' is not an object") == 0, "%s", err.msg);
	ok(unik_json_bool(root, "t", &b, &err) == 0 && b, "true");
	ok(unik_json_bool(root, "no", &b, &err) == 0 && !b, "false");
	ok(unik_json_bool(root, "null", &b, &err) == 0 && !b, "null is false");
	ok(unik_json_bool(root, "s", &b, &err) < 0, "%s", err.msg);
	ok(unik_json_has(root, "z") && !unik_json_has(root, "null") &&
	   !unik_json_has(root, "absent"), "has");
	ok(unik_json_array(root, "a", &v, &err) == 0 &&
	   unik_json_count(v) == 2 && unik_json_count(NULL) == 0, "count");
	ok(unik_json_string_at(v, 0, "a", &s, &err) == 0, "string at 0");
	ok(unik_json_string_at(v, 1, "a", &s, &err) < 0 &&
	   strcmp(err.msg, "'a[1]' is not a string") == 0, "%s", err.msg);
	ok(!unik_json_at(v, 2), "nothing behind the end");
	ok(unik_json_object(root, "o", &v, &err) == 0 &&
	   unik_json_first(v, &m) && strcmp(m.key, "k") == 0 &&
	   unik_json_next(v, &m) && strcmp(m.key, "b") == 0 &&
	   unik_json_next(v, &m) && strcmp(m.key, "a") == 0 &&
	   !unik_json_next(v, &m), "members in the order of the text");
	ok(!unik_json_get(unik_json_get(root, "a"), "x") &&
	   !unik_json_get(NULL, "x"), "no members in what is no object");
	ok(!unik_json_first(NULL, &m), "no members in nothing");
	unik_json_free(root);
}

struct string_case {
	const char *what;
	const char *bytes;
	size_t n;
	const char *want; /* without the quotes */
};

static const struct string_case strings[] = {
	{ "plain", "a/b c", 5, "a/b c" },
	{ "empty", "", 0, "" },
	{ "quote and backslash", "\"\\", 2, "\\\"\\\\" },
	{ "letters", "\b\t\n\f\r", 5, "\\b\\t\\n\\f\\r" },
	{ "controls", "\0\x1f\x7f", 3, "\\u0000\\u001f\\u007f" },
	{ "C1 controls", "\xc2\x80\xc2\x9f\xc2\xa0", 6,
	  "\\u0080\\u009f\xc2\xa0" },
	{ "two to four bytes", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9,
	  "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80" },
	{ "Latin-1", "\xe9.txt", 5, "\\uefe9.txt" },
	{ "lone continuation", "a\x80z", 3, "a\\uef80z" },
	{ "cut sequence", "\xe2\x82", 2, "\\uefe2\\uef82" },
	{ "overlong", "\xc0\xaf", 2, "\\uefc0\\uefaf" },
	{ "surrogate", "\xed\xa0\x80", 3, "\\uefed\\uefa0\\uef80" },
	{ "too large", "\xf4\x90\x80\x80", 4,
	  "\\ueff4\\uef90\\uef80\\uef80" },
	{ "never used byte", "\xff", 1, "\\uefff" },
	{ "the private characters themselves", "\xee\xbe\x80\xee\xbf\xbf", 6,
	  "\\uefee\\uefbe\\uef80\\uefee\\uefbf\\uefbf" },
	{ "their neighbours", "\xee\xbd\xbf\xef\x80\x80", 6,
	  "\xee\xbd\xbf\xef\x80\x80" },
};

static void test_strings(void)
{
	size_t i;

	for (i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		const struct string_case *c = &strings[i];
		struct unik_json_out o;
		struct unik_json *root = NULL;
		struct unik_err err;
		char want[64], *text = NULL;
		size_t n = 0;

		unik_json_out_init(&o);
		unik_json_put_array(&o, NULL);
		unik_json_put_bytes(&o, NULL, c->bytes, c->n);
		unik_json_put_end(&o);
		unik_json_out_take(&o, &text, &n, &err);
		snprintf(want, sizeof(want), "[\"%s\"]", c->want);
		ok(text && n == strlen(want) && strcmp(text, want) == 0,
		   "writes %s", c->what);
		if (!memchr(c->bytes, 0, c->n)) {
			ok(text && parse(text, n, &root, &err) == 0,
			   "reads %s back", c->what);
			unik_json_free(root);
		}
		free(text);
	}
}

static void test_document(void)
{
	static const char want[] =
		"{\"b\":1,\"a\":[],\"o\":{},\"l\":[1,[true,false],"
		"{\"x\":\"y\"}],\"k\\\"\":18446744073709551615}";
	struct unik_json_out o;
	struct unik_err err;
	char *text = NULL;
	size_t n = 0;
	bool good;

	unik_json_out_init(&o);
	unik_json_put_object(&o, NULL);
	unik_json_put_uint(&o, "b", 1);
	unik_json_put_array(&o, "a");
	unik_json_put_end(&o);
	unik_json_put_object(&o, "o");
	unik_json_put_end(&o);
	unik_json_put_array(&o, "l");
	unik_json_put_uint(&o, NULL, 1);
	unik_json_put_array(&o, NULL);
	unik_json_put_bool(&o, NULL, true);
	unik_json_put_bool(&o, NULL, false);
	unik_json_put_end(&o);
	unik_json_put_object(&o, NULL);
	unik_json_put_string(&o, "x", "y");
	unik_json_put_end(&o);
	unik_json_put_end(&o);
	unik_json_put_uint(&o, "k\"", UINT64_MAX);
	unik_json_put_end(&o);
	good = unik_json_out_take(&o, &text, &n, &err) == 0;
	ok(good && n == strlen(want) && strcmp(text, want) == 0,
	   "a document: %s", good ? text : err.msg);
	free(text);
	unik_json_out_release(&o);
}

/* One call a letter: o object, a array, e end, u number; upper case with a
 * key. */
static int play(const char *calls)
{
	struct unik_json_out o;
	struct unik_err err;
	char *text = NULL;
	size_t n;
	int rc;

	unik_json_out_init(&o);
	for (; *calls; calls++) {
		const char *key = strchr("OAU", *calls) ? "k" : NULL;

		if (*calls == 'e')
			unik_json_put_end(&o);
		else if (*calls == 'o' || *calls == 'O')
			unik_json_put_object(&o, key);
		else if (*calls == 'a' || *calls == 'A')
			unik_json_put_array(&o, key);
		else
			unik_json_put_uint(&o, key, 0);
	}
	rc = unik_json_out_take(&o, &text, &n, &err);
	free(text);
	unik_json_out_release(&o);
	return rc;
}

/* Arrays in each other, so many. */
static const char *nested(char *calls, size_t n)
{
	memset(calls, 'a', n);
	memset(calls + n, 'e', n);
	calls[2 * n] = 0;
	return calls;
}

static void test_misuse(void)
{
	char calls[2 * UNIK_JSON_DEPTH + 3];
	static const char *const bad[] = {
		"", "o", "oe" "u", "U", "ou" "e", "aU" "e", "e", "oee", "uu",
	};
	static const char *const good[] = { "oe", "ae", "u", "oUUe", "auue",
		"oOeAee", "aaeoee" };
	char deep[2 * (UNIK_JSON_DEPTH + 1) + 1];
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(play(bad[i]) < 0, "calls in a wrong order: '%s'", bad[i]);
	for (i = UNIK_JSON_DEPTH; i <= UNIK_JSON_DEPTH + 1; i++) {
		memset(deep, 'a', i);
		memset(deep + i, 'e', i);
		deep[2 * i] = 0;
		ok((play(deep) < 0) == (i > UNIK_JSON_DEPTH),
		   "%zu arrays in each other", i);
	}
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ok(play(good[i]) == 0, "calls in a right order: '%s'", good[i]);
	ok(play(nested(calls, UNIK_JSON_DEPTH)) == 0, "%d levels",
	   UNIK_JSON_DEPTH);
	ok(play(nested(calls, UNIK_JSON_DEPTH + 1)) < 0, "one more");
}

int main(void)
{
	unik_limits_init(&limits);
	test_texts();
	test_bombs();
	test_count();
	test_getters();
	test_strings();
	test_document();
	test_misuse();
	return tap_done();
}
