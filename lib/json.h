/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * json: documents that come from images, read strictly (RFC 8259), and the
 * canonical text that we write.
 *
 * Reading: a scan of our own checks the grammar and the limits of size, depth
 * and number of values before the library allocates anything.  Duplicate keys,
 * anything behind the value, invalid UTF-8, a byte order mark, NUL in strings
 * and numbers that do not fit are errors.
 *
 * A getter takes null and an absent key for the same thing, as Go's decoder
 * does, which wrote nearly all of these documents (`"RepoTags":null`).
 */
#ifndef UNIK_JSON_H
#define UNIK_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* One value of a document; those inside are borrowed from the root. */
struct unik_json;

int unik_json_parse(struct unik_json **out, const void *text, size_t size,
		    const struct unik_limits *limits, struct unik_err *err);
void unik_json_free(struct unik_json *root); /* takes NULL */

/* What a value is; false (or NULL) for NULL. */
bool unik_json_is_object(const struct unik_json *v);
bool unik_json_is_array(const struct unik_json *v);
const char *unik_json_text(const struct unik_json *v); /* of a string */

/*
 * Members of an object, checked for their type.  Absent: *out is NULL (false
 * for the bool).  Errors read `'Layers' is not an array`.
 */
bool unik_json_has(const struct unik_json *object, const char *key);
int unik_json_object(const struct unik_json *object, const char *key,
		     const struct unik_json **out, struct unik_err *err);
int unik_json_array(const struct unik_json *object, const char *key,
		    const struct unik_json **out, struct unik_err *err);
int unik_json_string(const struct unik_json *object, const char *key,
		     const char **out, struct unik_err *err);
int unik_json_bool(const struct unik_json *object, const char *key, bool *out,
		   struct unik_err *err);
/* A whole number that is not negative; absent is an error. */
int unik_json_size(const struct unik_json *object, const char *key,
		   uint64_t *out, struct unik_err *err);
/* Any member, of any type; NULL where it is absent or null. */
const struct unik_json *unik_json_get(const struct unik_json *object,
				      const char *key);

/* Arrays; NULL counts as empty. */
size_t unik_json_count(const struct unik_json *array);
const struct unik_json *unik_json_at(const struct unik_json *array, size_t i);
/* The string at i; `name` is the array's in the message. */
int unik_json_string_at(const struct unik_json *array, size_t i,
			const char *name, const char **out,
			struct unik_err *err);
/* The same for a whole number that is not negative. */
int unik_json_size_at(const struct unik_json *array, size_t i, const char *name,
		      uint64_t *out, struct unik_err *err);

/* The members of an object in the order of the text. */
struct unik_json_member {
	const char *key;
	const struct unik_json *value;
	void *at;
};

bool unik_json_first(const struct unik_json *object,
		     struct unik_json_member *m);
bool unik_json_next(const struct unik_json *object, struct unik_json_member *m);

/* ---- the scan ---- */

/* What a text holds. */
struct unik_json_counts {
	uint64_t values; /* keys are none */
	uint64_t text;   /* bytes of all strings and keys, decoded */
	uint64_t sum;    /* of all integers, modulo 2^64 */
};

/* Grammar and limits; nothing is allocated.  unik_json_parse() begins with it,
 * and adds only that no key stands twice and that reals are in range. */
int unik_json_scan(const void *text, size_t size,
		   const struct unik_limits *limits,
		   struct unik_json_counts *counts, struct unik_err *err);
/*
 * The length of the UTF-8 sequence at p (n >= 1 bytes; RFC 3629: no overlong
 * form, no surrogate, nothing above U+10FFFF), or 0; *rune gets the character.
 */
size_t unik_json_utf8(const unsigned char *p, size_t n, uint32_t *rune);

/* ---- writing ---- */

/*
 * Canonical text in a growing buffer: keys in the order of the calls, no space
 * outside strings, numbers in decimal.  Strings may hold any bytes:
 *  - `"` and `\` are escaped by a backslash, \b \t \n \f \r by their letters,
 *    other control characters (U+0000..1F, U+007F..9F) as \u00XX;
 *  - other valid UTF-8 stands as it is;
 *  - a byte HH that is not part of valid UTF-8 (a file name may hold such)
 *    becomes \uefHH, a private use character.  So that nothing is lost, the
 *    bytes of genuine U+EF80..U+EFFF count as invalid: different bytes always
 *    give different text, and every JSON reader takes it.
 *
 * Errors (memory, calls in a wrong order) stick and come out at the end.
 */
#define UNIK_JSON_DEPTH 256

struct unik_json_out {
	char *text;
	size_t size;
	size_t room;
	unsigned depth;
	bool array[UNIK_JSON_DEPTH]; /* else an object */
	bool first; /* nothing stands yet in what is open */
	bool no_memory;
	bool misused;
	bool verbatim; /* strings come from other documents: only what is not
			  valid UTF-8 becomes \uefHH */
};

void unik_json_out_init(struct unik_json_out *o);
/* `key` is NULL in an array and at the top, and only there. */
void unik_json_put_object(struct unik_json_out *o, const char *key);
void unik_json_put_array(struct unik_json_out *o, const char *key);
void unik_json_put_end(struct unik_json_out *o); /* of the innermost open */
void unik_json_put_bytes(struct unik_json_out *o, const char *key,
			 const void *bytes, size_t size);
void unik_json_put_string(struct unik_json_out *o, const char *key,
			  const char *text);
void unik_json_put_uint(struct unik_json_out *o, const char *key, uint64_t v);
void unik_json_put_bool(struct unik_json_out *o, const char *key, bool v);
/* A value of another document as it is, its members in their order. */
void unik_json_put_copy(struct unik_json_out *o, const char *key,
			const struct unik_json *v);
/* Canonical text, written before, as a value. */
void unik_json_put_raw(struct unik_json_out *o, const char *key,
		       const char *text, size_t size);
/* Checks that one whole value was written and hands it over (NUL behind it,
 * not counted); the caller frees *text.  The writer is as after init then. */
int unik_json_out_take(struct unik_json_out *o, char **text, size_t *size,
		       struct unik_err *err);
void unik_json_out_release(struct unik_json_out *o);
/* Turns \uefHH, as a reader gives it, back into the byte HH, in place; a text
 * that was written as above is what it was then. */
void unik_json_unescape(char *text);

#endif
