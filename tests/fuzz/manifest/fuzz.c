/* SPDX-License-Identifier: GPL-3.0-or-later */
/* manifest: any bytes are a manifest, a record, or neither; what is taken is
 * written again byte by byte.  The first byte picks one of the two. */
#include "../fuzz.h"
#include "manifest_find.h"
#include "record.h"

static void check_manifest(const uint8_t *data, size_t size)
{
	const struct unik_limits limits = small_limits();
	struct unik_stored_manifest *m;
	struct unik_err err;
	char *text;
	size_t n;

	if (unik_manifest_read(&m, data, size, &limits, &err) < 0) {
		refusal(&err);
		return;
	}
	promise(unik_manifest_text(&m->m, &text, &n, &err) == 0);
	promise(n == size && memcmp(text, data, n) == 0);
	free(text);
	unik_stored_manifest_free(m);
}

static void check_record(const uint8_t *data, size_t size)
{
	const struct unik_limits limits = small_limits();
	struct unik_record r;
	struct unik_err err;
	char *text;
	size_t n;

	if (unik_record_read(&r, (const char *)data, size, &limits, &err) < 0) {
		refusal(&err);
		return;
	}
	promise(unik_record_text(&r, &text, &n, &err) == 0);
	promise(n == size && memcmp(text, data, n) == 0);
	free(text);
}

/* Any name (a source always has one) gives one that a file may have. */
static void check_ref(const uint8_t *data, size_t size)
{
	char *name = malloc(size + 1), buf[UNIK_REF_NAME];
	struct unik_digest d;
	struct unik_err err;

	promise(name);
	memcpy(name, data, size);
	name[size] = 0;
	promise(unik_ref_name(buf, name, "oci", "iso", &err) == 0);
	promise(strlen(buf) < 256 && !strchr(buf, '/'));
	promise(buf[0] != '.' || name[0] == 0);
	if (unik_store_name_digest(name, ".iso", &d))
		promise(strlen(name) == 7 + 64 + 4);
	free(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	if (data[0] == 'r')
		check_record(data + 1, size - 1);
	else
		check_manifest(data + 1, size - 1);
	check_ref(data + 1, size - 1);
	return 0;
}
