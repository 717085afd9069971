/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "path.h"

#include <string.h>

size_t unik_path_next(const char *path, const char **start, const char **rest)
{
	size_t n = 0;

	while (*path == '/')
		path++;
	*start = path;
	while (path[n] && path[n] != '/')
		n++;
	path += n;
	while (*path == '/')
		path++;
	*rest = path;
	return n;
}

/* Drops the last component of out[0..size). */
static size_t drop_last(const char *out, size_t size)
{
	while (size > 0 && out[size - 1] != '/')
		size--;
	return size > 0 ? size - 1 : 0;
}

static int add_component(const char *name, size_t n, char *out, size_t cap,
			 size_t *size, struct unik_err *err)
{
	if (n > UNIK_NAME_MAX)
		return unik_fail(err, "a name of %zu bytes is over %d", n,
				 UNIK_NAME_MAX);
	/* A separator, the name, and a NUL behind. */
	if ((*size > 0) + n + 1 > cap - *size)
		return unik_fail(err, "path too long");
	if (*size > 0)
		out[(*size)++] = '/';
	memcpy(out + *size, name, n);
	*size += n;
	return 0;
}

int unik_path_clean(const char *path, size_t n, size_t depth, char *out,
		    size_t cap, size_t *out_size, struct unik_err *err)
{
	size_t at = 0, size = 0, level = 0;

	if (n > 0 && memchr(path, 0, n))
		return unik_fail(err, "NUL byte in a path");
	while (at < n) {
		const char *name = path + at;
		const char *slash = memchr(name, '/', n - at);
		size_t len = slash ? (size_t)(slash - name) : n - at;

		at += len + 1;
		if (len == 0 || (len == 1 && name[0] == '.'))
			continue;
		if (len == 2 && name[0] == '.' && name[1] == '.') {
			if (level-- == 0)
				return unik_fail(err, "'..' leaves the root");
			size = drop_last(out, size);
			continue;
		}
		if (++level > depth)
			return unik_fail(err, "more than %zu components",
					 depth);
		if (add_component(name, len, out, cap, &size, err) < 0)
			return -1;
	}
	out[size] = 0;
	*out_size = size;
	return 0;
}
