/* SPDX-License-Identifier: GPL-3.0-or-later */
/* path: any bytes are cleaned or refused; clean ones stay as they are.  Along
 * with it what else looks at names: whiteouts, digests, quotes. */
#include "../fuzz.h"
#include "path.h"
#include "whiteout.h"

static void check_clean(const char *out, size_t n, size_t depth)
{
	const char *name, *rest = out;
	size_t len, count = 0, sum = 0;

	promise(strlen(out) == n);
	while ((len = unik_path_next(rest, &name, &rest)) > 0) {
		promise(len <= UNIK_NAME_MAX);
		promise(!(len == 1 && name[0] == '.'));
		promise(!(len == 2 && name[0] == '.' && name[1] == '.'));
		sum += len;
		count++;
	}
	promise(count <= depth);
	promise(n == (count ? sum + count - 1 : 0));
}

static void check_path(const char *path, size_t n, size_t depth)
{
	char *out = malloc(n + 1), *again = malloc(n + 1);
	size_t size, twice;
	struct unik_err err;

	promise(out && again);
	if (unik_path_clean(path, n, depth, out, n + 1, &size, &err) < 0) {
		refusal(&err);
	} else {
		promise(size <= n);
		check_clean(out, size, depth);
		promise(unik_path_clean(out, size, depth, again, size + 1,
					&twice, &err) == 0);
		promise(twice == size && memcmp(out, again, size + 1) == 0);
	}
	free(out);
	free(again);
}

static void check_names(const char *name, size_t n)
{
	char q[UNIK_QUOTE_SIZE], text[UNIK_DIGEST_TEXT];
	char *copy = malloc(n + 1);
	struct unik_digest d;
	struct unik_err err;

	promise(copy);
	memcpy(copy, name, n);
	copy[n] = 0;
	unik_quote(q, name, n);
	promise(strlen(q) < sizeof(q));
	if (unik_whiteout_kind(name, n) == UNIK_WH_HIDE)
		promise(n > 4);
	if (unik_digest_parse(&d, copy, &err) == 0)
		promise(strcmp(unik_digest_text(&d, text), copy) == 0);
	else
		refusal(&err);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 0) {
		check_path((const char *)data + 1, size - 1, data[0]);
		check_names((const char *)data + 1, size - 1);
	}
	return 0;
}
