/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * writer_iso: identifiers, the names that readers without Rock Ridge see.
 *
 * A file's is NAME.EXT;1 (7.5.1), a directory's NAME (7.6.1), in the characters
 * A-Z 0-9 and _ (7.4.1), at most ISO_ID_MAX bytes.  Children whose identifiers
 * would be equal keep it for the first one in canonical order; the others get
 * a number, _N, that counts through the directory and never back, so that n
 * children take n log n steps whatever their names are.
 */
#include <stdlib.h>
#include <string.h>

#include "writer_iso.h"

#define EXT_MAX 8u /* a longer one is rather a part of the name */
#define FILE_MAX (ISO_ID_MAX - 3) /* without '.' and ";1" */

/* The identifier without an empty extension's '.', and without the version:
 * memcmp over these, padded with NUL, gives the order of 9.3 (there the parts
 * are padded with spaces; no character of ours is below '.'). */
struct key {
	uint8_t id[ISO_ID_MAX + 1];
	uint32_t node;
};

static uint8_t id_char(char c)
{
	if (c >= 'a' && c <= 'z')
		return (uint8_t)(c - 'a' + 'A');
	if ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
		return (uint8_t)c;
	return '_';
}

static size_t put_chars(uint8_t *out, const char *from, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		out[i] = id_char(from[i]);
	return n;
}

/* Where a file's extension starts (behind the dot), or name_size. */
static size_t find_ext(const struct unik_node *node)
{
	size_t n = node->name_size, i;

	for (i = n; i-- > 1 && n - i <= EXT_MAX + 1;)
		if (node->name[i] == '.')
			return i + 1;
	return n;
}

/* Decimal digits that hold any suffix in a directory of n children: a number is
 * passed over only for a child that has it in its own name, so 2 n is never
 * passed. */
static unsigned suffix_digits(uint32_t n)
{
	uint64_t most = 2 * (uint64_t)n;
	unsigned digits = 1;

	for (; most >= 10; most /= 10)
		digits++;
	return digits;
}

static size_t put_suffix(uint8_t *out, uint32_t suffix, unsigned digits)
{
	unsigned i;

	out[0] = '_';
	for (i = digits; i > 0; i--, suffix /= 10)
		out[i] = (uint8_t)('0' + suffix % 10);
	return digits + 1;
}

/* Writes NAME[.EXT] with the number `suffix` (0: none); returns its size. */
static size_t make_id(const struct unik_node *node, uint32_t suffix,
		      uint8_t *out)
{
	bool dir = node->inode->type == UNIK_DIR;
	size_t ext = dir ? node->name_size : find_ext(node);
	size_t ext_size = node->name_size - ext;
	size_t stem = ext_size ? ext - 1 : node->name_size;
	size_t room = dir ? ISO_ID_MAX : FILE_MAX - ext_size, n;
	unsigned digits = 0;

	if (suffix) {
		digits = suffix_digits(node->parent->nchildren);
		room -= digits + 1;
	}
	n = put_chars(out, node->name, stem < room ? stem : room);
	if (suffix)
		n += put_suffix(out + n, suffix, digits);
	if (ext_size) {
		out[n++] = '.';
		n += put_chars(out + n, node->name + ext, ext_size);
	}
	return n;
}

size_t unik_iso_identifier(const struct unik_writer *w,
			   const struct unik_node *node,
			   uint8_t id[ISO_ID_MAX])
{
	size_t n = make_id(node, w->suffix[node->id], id);

	if (node->inode->type == UNIK_DIR)
		return n;
	if (!memchr(id, '.', n))
		id[n++] = '.';
	id[n++] = ';';
	id[n++] = '1';
	return n;
}

static void make_key(const struct unik_node *node, uint32_t suffix,
		     struct key *key)
{
	memset(key->id, 0, sizeof(key->id));
	make_id(node, suffix, key->id);
	key->node = node->id;
}

static int compare_ids(const void *a, const void *b)
{
	const struct key *x = a, *y = b;

	return memcmp(x->id, y->id, sizeof(x->id));
}

static int compare_keys(const void *a, const void *b)
{
	const struct key *x = a, *y = b;
	int c = compare_ids(a, b);

	return c ? c : (x->node > y->node) - (x->node < y->node);
}

static void sort_keys(struct key *keys, size_t n)
{
	size_t i = 1;

	while (i < n && compare_keys(&keys[i - 1], &keys[i]) < 0)
		i++;
	if (i < n)
		qsort(keys, n, sizeof(*keys), compare_keys);
}

/* Numbers all but the first of equal identifiers in the sorted array; false
 * where there are none. */
static bool resolve(struct unik_writer *w, const struct key *keys, size_t n)
{
	uint32_t last = 0;
	struct key try;
	size_t i;

	for (i = 1; i < n; i++) {
		const struct unik_node *node = w->tree->nodes[keys[i].node];

		if (compare_ids(&keys[i - 1], &keys[i]) != 0)
			continue;
		do
			make_key(node, ++last, &try);
		while (bsearch(&try, keys, n, sizeof(*keys), compare_ids));
		w->suffix[node->id] = last;
	}
	return last > 0;
}

static void name_children(struct unik_writer *w, const struct iso_dir *dir,
			  struct key *keys)
{
	const struct unik_node *parent = w->tree->nodes[dir->node], *c;
	size_t n = 0, i;

	for (c = parent->child; c; c = c->next)
		make_key(c, 0, &keys[n++]);
	sort_keys(keys, n);
	if (resolve(w, keys, n)) {
		for (i = 0; i < n; i++) {
			c = w->tree->nodes[keys[i].node];
			make_key(c, w->suffix[c->id], &keys[i]);
		}
		sort_keys(keys, n);
	}
	for (i = 0; i < n; i++)
		w->order[dir->first + i] = keys[i].node;
}

int unik_iso_names(struct unik_writer *w, struct unik_err *err)
{
	uint32_t first = 0, most = 0, i;
	struct key *keys;

	for (i = 0; i < w->ndirs; i++) {
		uint32_t n = w->tree->nodes[w->dirs[i].node]->nchildren;

		w->dirs[i].first = first;
		first += n;
		if (n > most)
			most = n;
	}
	keys = calloc((size_t)most + 1, sizeof(*keys));
	if (!keys)
		return unik_fail_mem(err);
	for (i = 0; i < w->ndirs; i++)
		name_children(w, &w->dirs[i], keys);
	free(keys);
	return 0;
}
