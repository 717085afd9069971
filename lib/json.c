/* SPDX-License-Identifier: GPL-3.0-or-later */
/* json: the only file that includes jansson. */
#include "json.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

/* A struct unik_json is a json_t under another name. */
static const json_t *value_of(const struct unik_json *v)
{
	return (const json_t *)(const void *)v;
}

static struct unik_json *wrap(json_t *v)
{
	return (struct unik_json *)(void *)v;
}

/* The library's iterators take a json_t they do not change. */
static json_t *mutable_of(const json_t *v)
{
	return (json_t *)(uintptr_t)v;
}

static void count(const json_t *v, struct unik_json_counts *n)
{
	const json_t *item;
	size_t i;
	void *at;

	n->values++;
	if (json_is_string(v))
		n->text += json_string_length(v);
	else if (json_is_integer(v))
		n->sum += (uint64_t)json_integer_value(v);
	for (i = 0; i < json_array_size(v); i++)
		count(json_array_get(v, i), n);
	if (!json_is_object(v))
		return;
	for (at = json_object_iter(mutable_of(v)); at;
	     at = json_object_iter_next(mutable_of(v), at)) {
		item = json_object_iter_value(at);
		n->text += strlen(json_object_iter_key(at));
		count(item, n);
	}
}

/* The text passed the scan, so that little can be wrong with it but the
 * keys. */
static int fail_parse(const json_error_t *e, struct unik_err *err)
{
	const char *what;

	switch (json_error_code(e)) {
	case json_error_duplicate_key:
		what = "a key stands twice in one object";
		break;
	case json_error_numeric_overflow:
		what = "a number is out of range";
		break;
	default:
		return unik_fail_mem(err);
	}
	return unik_fail(err, "bad JSON at line %d, column %d: %s", e->line,
			 e->column, what);
}

int unik_json_parse(struct unik_json **out, const void *text, size_t size,
		    const struct unik_limits *limits, struct unik_err *err)
{
	struct unik_json_counts want, got = { 0, 0, 0 };
	json_error_t e;
	json_t *root;

	if (unik_json_scan(text, size, limits, &want, err) < 0)
		return -1;
	memset(&e, 0, sizeof(e)); /* left as it is when memory runs out */
	root = json_loadb(text, size,
			  JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e);
	if (!root)
		return fail_parse(&e, err);
	/* Out of memory, jansson 2.14 may leave a byte out of a string or a
	 * digit out of a number and go on. */
	count(root, &got);
	if (memcmp(&want, &got, sizeof(want)) != 0) {
		json_decref(root);
		return unik_fail_mem(err);
	}
	*out = wrap(root);
	return 0;
}

void unik_json_free(struct unik_json *root)
{
	json_decref((json_t *)(void *)root);
}

bool unik_json_is_object(const struct unik_json *v)
{
	return v && json_is_object(value_of(v));
}

bool unik_json_is_array(const struct unik_json *v)
{
	return v && json_is_array(value_of(v));
}

const char *unik_json_text(const struct unik_json *v)
{
	return v ? json_string_value(value_of(v)) : NULL;
}

const struct unik_json *unik_json_get(const struct unik_json *object,
				      const char *key)
{
	json_t *v = object ? json_object_get(value_of(object), key) : NULL;

	return !v || json_is_null(v) ? NULL : wrap(v);
}

bool unik_json_has(const struct unik_json *object, const char *key)
{
	return unik_json_get(object, key) != NULL;
}

int unik_json_object(const struct unik_json *object, const char *key,
		     const struct unik_json **out, struct unik_err *err)
{
	*out = unik_json_get(object, key);
	if (*out && !unik_json_is_object(*out))
		return unik_fail(err, "'%s' is not an object", key);
	return 0;
}

int unik_json_array(const struct unik_json *object, const char *key,
		    const struct unik_json **out, struct unik_err *err)
{
	*out = unik_json_get(object, key);
	if (*out && !unik_json_is_array(*out))
		return unik_fail(err, "'%s' is not an array", key);
	return 0;
}

int unik_json_string(const struct unik_json *object, const char *key,
		     const char **out, struct unik_err *err)
{
	const struct unik_json *v = unik_json_get(object, key);

	*out = unik_json_text(v);
	if (v && !*out)
		return unik_fail(err, "'%s' is not a string", key);
	return 0;
}

int unik_json_bool(const struct unik_json *object, const char *key, bool *out,
		   struct unik_err *err)
{
	const struct unik_json *v = unik_json_get(object, key);

	*out = v && json_is_true(value_of(v));
	if (v && !json_is_boolean(value_of(v)))
		return unik_fail(err, "'%s' is neither true nor false", key);
	return 0;
}

/* 0; 1: not a whole number; 2: negative. */
static int take_size(const struct unik_json *v, uint64_t *out)
{
	json_int_t n;

	if (!v || !json_is_integer(value_of(v)))
		return 1;
	n = json_integer_value(value_of(v));
	if (n < 0)
		return 2;
	*out = (uint64_t)n;
	return 0;
}

static const char *const bad_sizes[] = { "", "not a whole number", "negative" };

int unik_json_size(const struct unik_json *object, const char *key,
		   uint64_t *out, struct unik_err *err)
{
	const struct unik_json *v = unik_json_get(object, key);
	int bad;

	if (!v)
		return unik_fail(err, "'%s' is missing", key);
	bad = take_size(v, out);
	return bad ? unik_fail(err, "'%s' is %s", key, bad_sizes[bad]) : 0;
}

size_t unik_json_count(const struct unik_json *array)
{
	return array ? json_array_size(value_of(array)) : 0;
}

const struct unik_json *unik_json_at(const struct unik_json *array, size_t i)
{
	return wrap(json_array_get(value_of(array), i));
}

int unik_json_string_at(const struct unik_json *array, size_t i,
			const char *name, const char **out,
			struct unik_err *err)
{
	*out = unik_json_text(unik_json_at(array, i));
	if (!*out)
		return unik_fail(err, "'%s[%zu]' is not a string", name, i);
	return 0;
}

int unik_json_size_at(const struct unik_json *array, size_t i, const char *name,
		      uint64_t *out, struct unik_err *err)
{
	int bad = take_size(unik_json_at(array, i), out);

	return bad ? unik_fail(err, "'%s[%zu]' is %s", name, i, bad_sizes[bad])
		   : 0;
}

static bool take_member(struct unik_json_member *m)
{
	if (!m->at)
		return false;
	m->key = json_object_iter_key(m->at);
	m->value = wrap(json_object_iter_value(m->at));
	return true;
}

bool unik_json_first(const struct unik_json *object, struct unik_json_member *m)
{
	m->at = object ? json_object_iter(mutable_of(value_of(object))) : NULL;
	return take_member(m);
}

bool unik_json_next(const struct unik_json *object, struct unik_json_member *m)
{
	m->at = json_object_iter_next(mutable_of(value_of(object)), m->at);
	return take_member(m);
}

/* null, true, false, or a number. */
static void put_plain(struct unik_json_out *o, const char *key, const json_t *v)
{
	char buf[64];

	if (json_is_integer(v))
		snprintf(buf, sizeof(buf), "%lld",
			 (long long)json_integer_value(v));
	else if (json_is_real(v))
		snprintf(buf, sizeof(buf), "%.17g", json_real_value(v));
	else
		snprintf(buf, sizeof(buf), "%s", json_is_true(v)    ? "true"
						 : json_is_false(v) ? "false"
								    : "null");
	if (json_is_real(v) && strchr(buf, ',')) /* of the locale */
		*strchr(buf, ',') = '.';
	unik_json_put_raw(o, key, buf, strlen(buf));
}

void unik_json_put_copy(struct unik_json_out *o, const char *key,
			const struct unik_json *v)
{
	struct unik_json_member m;
	bool more;
	size_t i;

	if (unik_json_text(v)) {
		unik_json_put_string(o, key, unik_json_text(v));
	} else if (unik_json_is_array(v)) {
		unik_json_put_array(o, key);
		for (i = 0; i < unik_json_count(v); i++)
			unik_json_put_copy(o, NULL, unik_json_at(v, i));
		unik_json_put_end(o);
	} else if (unik_json_is_object(v)) {
		unik_json_put_object(o, key);
		for (more = unik_json_first(v, &m); more;
		     more = unik_json_next(v, &m))
			unik_json_put_copy(o, m.key, m.value);
		unik_json_put_end(o);
	} else {
		put_plain(o, key, value_of(v));
	}
}
