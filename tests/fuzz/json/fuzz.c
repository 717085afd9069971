/* SPDX-License-Identifier: GPL-3.0-or-later */
/* json: any bytes are read, or refused in one line; what was read is written
 * to the same bytes each time, and those can be read. */
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Writes strings and sizes as they are, all else as its shape. */
static void copy(struct unik_json_out *o, const char *key,
		 const struct unik_json *v, int depth)
{
	struct unik_json_member m;
	bool more;
	size_t i;

	if (unik_json_text(v)) {
		unik_json_put_string(o, key, unik_json_text(v));
	} else if (unik_json_is_array(v) && depth < UNIK_JSON_DEPTH) {
		unik_json_put_array(o, key);
		for (i = 0; i < unik_json_count(v); i++)
			copy(o, NULL, unik_json_at(v, i), depth + 1);
		unik_json_put_end(o);
	} else if (unik_json_is_object(v) && depth < UNIK_JSON_DEPTH) {
		unik_json_put_object(o, key);
		for (more = unik_json_first(v, &m); more;
		     more = unik_json_next(v, &m)) {
			struct unik_err err;
			uint64_t n;

			if (unik_json_size(v, m.key, &n, &err) == 0)
				unik_json_put_uint(o, m.key, n);
			else
				copy(o, m.key, m.value, depth + 1);
		}
		unik_json_put_end(o);
	} else {
		unik_json_put_bool(o, key, false);
	}
}

/* The text of a value, which must come out. */
static char *write_out(const struct unik_json *v, size_t *size)
{
	struct unik_json_out o;
	struct unik_err err;
	char *text;

	unik_json_out_init(&o);
	copy(&o, NULL, v, 0);
	if (unik_json_out_take(&o, &text, size, &err) < 0)
		abort();
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct unik_json *root, *again;
	struct unik_limits limits;
	struct unik_err err;
	char *a, *b;
	size_t na, nb;

	unik_limits_init(&limits);
	if (unik_json_parse(&root, data, size, &limits, &err) < 0) {
		/* UNIK_EIO: the scan let pass what jansson does not. */
		if (err.code != UNIK_EBAD || strchr(err.msg, '\n'))
			abort();
		return 0;
	}
	a = write_out(root, &na);
	b = write_out(root, &nb);
	if (na != nb || memcmp(a, b, na) != 0)
		abort();
	limits.json_size = UINT64_MAX; /* escapes make it longer */
	if (unik_json_parse(&again, a, na, &limits, &err) < 0)
		abort();
	unik_json_free(again);
	unik_json_free(root);
	free(a);
	free(b);
	return 0;
}
