/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tree: paths of nodes, and looking paths up. */
#include <stdlib.h>
#include <string.h>

#include "path.h"
#include "tree_private.h"

size_t unik_node_path(const struct unik_node *node, char *buf, size_t size)
{
	const struct unik_node *n;
	size_t len = 0, at;

	for (n = node; n->parent; n = n->parent)
		len += (size_t)n->name_size + (n->parent->parent != NULL);
	if (!node->parent) {
		if (size > 0)
			memcpy(buf, ".", size > 1 ? 2 : 1);
		return 1;
	}
	if (len + 1 > size) {
		if (size > 0)
			buf[0] = 0;
		return len;
	}
	buf[len] = 0;
	for (n = node, at = len; n->parent; n = n->parent) {
		at -= n->name_size;
		memcpy(buf + at, n->name, n->name_size);
		if (at > 0)
			buf[--at] = '/';
	}
	return len;
}

const char *unik_node_quote(const struct unik_node *node, char *buf)
{
	size_t n = unik_node_path(node, NULL, 0);
	char *path = malloc(n + 1);

	if (!path)
		return unik_quote(buf, node->name, node->name_size);
	unik_node_path(node, path, n + 1);
	unik_quote(buf, path, n);
	free(path);
	return buf;
}

const struct unik_node *unik_tree_find(const struct unik_tree *tree,
				       const char *path)
{
	const struct unik_node *node = tree->root;
	const char *name, *rest = path;
	size_t n;

	while (node && (n = unik_path_next(rest, &name, &rest)) > 0) {
		if (n == 1 && name[0] == '.')
			continue;
		node = unik_tree_lookup(tree, node, name, n);
	}
	return node;
}
