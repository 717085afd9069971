/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * writer_iso: the path table (9.4): all directories by level, then by the
 * number of the parent, then by identifier (6.9.1).  Taking each directory's
 * subdirectories in the order of their identifiers, directory by directory,
 * gives just that order.
 */
#include <string.h>

#include "writer_iso.h"

static size_t path_id(const struct unik_writer *w, const struct iso_dir *dir,
		      uint8_t id[ISO_ID_MAX])
{
	const struct unik_node *node = w->tree->nodes[dir->node];

	if (node->parent)
		return unik_iso_identifier(w, node, id);
	id[0] = 0; /* 9.4.5, 6.8.2.2: the root */
	return 1;
}

static size_t record_size(size_t id_size)
{
	return sizeof(struct iso_path_record) + id_size + (id_size & 1);
}

void unik_iso_path_table(struct unik_writer *w)
{
	const struct unik_tree *tree = w->tree;
	uint8_t id[ISO_ID_MAX];
	uint32_t done, n = 0, i;

	w->by_number[n++] = 0;
	w->path_table_size = 0;
	for (done = 0; done < n; done++) {
		struct iso_dir *dir = &w->dirs[w->by_number[done]];
		uint32_t nchildren = tree->nodes[dir->node]->nchildren;

		dir->number = done + 1;
		w->path_table_size +=
			(uint32_t)record_size(path_id(w, dir, id));
		for (i = 0; i < nchildren; i++) {
			const struct unik_inode *inode;

			inode = tree->nodes[w->order[dir->first + i]]->inode;
			if (inode->type == UNIK_DIR)
				w->by_number[n++] = w->extent[inode->id];
		}
	}
}

int unik_iso_path_table_emit(const struct unik_writer *w, bool be,
			     struct unik_sink *sink, struct unik_err *err)
{
	uint8_t buf[sizeof(struct iso_path_record) + ISO_ID_MAX + 1];
	struct iso_path_record *r = (struct iso_path_record *)buf;
	uint32_t i, over = w->path_table_size % ISO_BLOCK;

	for (i = 0; i < w->ndirs; i++) {
		const struct iso_dir *dir = &w->dirs[w->by_number[i]];
		uint32_t parent = w->dirs[dir->parent].number;

		memset(buf, 0, sizeof(buf));
		r->id_size[0] = (uint8_t)path_id(w, dir, buf + sizeof(*r));
		if (be) {
			iso_put32be(r->extent, dir->block);
			iso_put16be(r->parent, parent);
		} else {
			iso_put32le(r->extent, dir->block);
			iso_put16le(r->parent, parent);
		}
		if (unik_sink_write(sink, buf, record_size(r->id_size[0]),
				    err) < 0)
			return -1;
	}
	return over ? unik_sink_write(sink, NULL, ISO_BLOCK - over, err) : 0;
}
