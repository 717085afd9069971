/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "limits.h"

#include <stddef.h>
#include <string.h>

#define ROW(field, name, unit, value, text) \
	{ name, unit, text, value, offsetof(struct unik_limits, field) }

static const struct unik_limit_row limit_table[] = {
	ROW(layer_size, "layer-size", "bytes", UINT64_C(1) << 39,
	    "one layer uncompressed, holes of its files counted"),
	ROW(ratio, "ratio", "times", 100000,
	    "uncompressed to compressed bytes, past the first 64 MiB"),
	ROW(entries, "entries", "entries", 16000000,
	    "entries of one layer, implied directories counted"),
	ROW(depth, "depth", "components", 2048, "components of a path"),
	ROW(path, "path", "bytes", 4096, "a path, or the target of a link"),
	ROW(xattr_size, "xattr-size", "bytes", UINT64_C(1) << 20,
	    "names and values of all extended attributes of an entry"),
	ROW(pax_size, "pax-size", "bytes", UINT64_C(1) << 20,
	    "one pax header, or one GNU long name"),
	ROW(sparse, "sparse", "pieces", 1000000,
	    "pieces in the sparse map of one file"),
	ROW(json_size, "json-size", "bytes", UINT64_C(8) << 20,
	    "one JSON document (manifest, index, configuration)"),
	ROW(json_depth, "json-depth", "levels", 64,
	    "nested arrays and objects of one JSON document"),
	ROW(json_values, "json-values", "values", 250000,
	    "values in one JSON document"),
	ROW(manifests, "manifests", "documents", 10000,
	    "manifests and indexes walked in one source"),
	ROW(members, "members", "members", 100000,
	    "members of an outer archive"),
	ROW(layers, "layers", "layers", 1024, "layers of one image"),
	ROW(window, "window", "bytes", UINT64_C(128) << 20,
	    "memory that a compressed stream makes its decoder take"),
};

const struct unik_limit_row *unik_limits_table(size_t *n)
{
	*n = sizeof(limit_table) / sizeof(limit_table[0]);
	return limit_table;
}

void unik_limits_init(struct unik_limits *limits)
{
	size_t i, n;
	const struct unik_limit_row *row = unik_limits_table(&n);

	for (i = 0; i < n; i++)
		memcpy((char *)limits + row[i].offset, &row[i].value,
		       sizeof(row[i].value));
}
