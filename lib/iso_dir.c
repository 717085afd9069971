/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * writer_iso: directories: their records (9.1) in whole blocks (6.8.1.1), then
 * the continuation areas that the records point at.
 *
 * The same walk measures a directory for the plan and writes it later, so the
 * two can't differ: positions depend on the sizes of the fields alone.
 */
#include <string.h>

#include "limits.h"
#include "writer_iso.h"

uint32_t unik_iso_sections(const struct unik_inode *inode)
{
	if (inode->type != UNIK_FILE || inode->size == 0)
		return 1;
	return (uint32_t)unik_div_up(inode->size, ISO_SECTION_MAX);
}

/* What of a record its identifier and System Use fields do not say. */
struct target {
	uint32_t extent;
	uint32_t size;
	uint8_t flags;
};

/* Writes the fixed part, the identifier and its pad; returns their size. */
static size_t put_fixed(uint8_t *p, const struct target *t,
			const struct unik_inode *inode, const uint8_t *id,
			size_t id_size)
{
	struct iso_record *r = (struct iso_record *)p;
	size_t n = sizeof(*r) + id_size;

	memset(r, 0, sizeof(*r));
	iso_put32(r->extent, t->extent);
	iso_put32(r->data_size, t->size);
	unik_iso_time7(inode->mtime_sec, inode->mtime_nsec, r->time);
	r->flags[0] = t->flags;
	iso_put16(r->sequence, 1);
	r->id_size[0] = (uint8_t)id_size;
	memcpy(p + sizeof(*r), id, id_size);
	if (n & 1) /* 9.1.12: System Use starts at an even offset */
		p[n++] = 0;
	return n;
}

static struct target dir_target(const struct iso_dir *dir)
{
	struct target t = { dir->block, dir->nblocks * ISO_BLOCK,
			    ISO_FLAG_DIR };

	return t;
}

/* One section of a file, or what any other node has: no block at all. */
static struct target node_target(const struct unik_writer *w,
				 const struct unik_inode *inode,
				 uint32_t section)
{
	struct target t = { 0, 0, 0 };
	uint64_t from, left;

	if (inode->type == UNIK_DIR)
		return dir_target(&w->dirs[w->extent[inode->id]]);
	if (inode->type != UNIK_FILE || inode->size == 0)
		return t;
	from = (uint64_t)section * ISO_SECTION_MAX;
	left = inode->size - from;
	t.extent = w->extent[inode->id] + (uint32_t)(from / ISO_BLOCK);
	t.size = left < ISO_SECTION_MAX ? (uint32_t)left : ISO_SECTION_MAX;
	t.flags = left > ISO_SECTION_MAX ? ISO_FLAG_MULTI : 0;
	return t;
}

/* ---- a walk over a directory ---- */

struct walk {
	const struct unik_writer *w;
	const struct iso_dir *dir;
	struct unik_sink *sink; /* NULL: only measure */
	uint64_t used;          /* bytes of records so far, pads counted */
	struct iso_cursor at;   /* where the next continuation area goes */
	size_t nareas;          /* of the current child */
	struct iso_area areas[ISO_MAX_AREAS];
	struct iso_susp susp;
};

/* (An initialiser would clear the 8 KiB of fields, for every directory.) */
static void walk_start(struct walk *k, const struct unik_writer *w,
		       const struct iso_dir *dir, struct unik_sink *sink)
{
	k->w = w;
	k->dir = dir;
	k->sink = sink;
	k->used = 0;
	k->at.block = dir->block + dir->nblocks;
	k->at.offset = 0;
	k->nareas = 0;
}

/* Accounts for a record of n bytes, which lies within one block (6.8.1.1). */
static int append(struct walk *k, const uint8_t *record, size_t n,
		  struct unik_err *err)
{
	size_t left = ISO_BLOCK - (size_t)(k->used % ISO_BLOCK);

	if (n > left) {
		k->used += left;
		if (k->sink && unik_sink_write(k->sink, NULL, left, err) < 0)
			return -1;
	}
	k->used += n;
	return k->sink ? unik_sink_write(k->sink, record, n, err) : 0;
}

static int append_dots(struct walk *k, struct unik_err *err)
{
	const struct iso_dir *up = &k->w->dirs[k->dir->parent];
	const struct iso_dir *dir[2] = { k->dir, up };
	uint8_t record[ISO_RECORD_MAX];
	uint8_t id; /* 6.8.2.2: 0 for the directory, 1 for its parent */

	for (id = 0; id < 2; id++) {
		const struct unik_node *node = k->w->tree->nodes[dir[id]->node];
		struct target t = dir_target(dir[id]);
		size_t n = put_fixed(record, &t, node->inode, &id, 1);

		unik_iso_susp(k->w, node, id ? ISO_PARENT : ISO_SELF, &k->susp);
		memcpy(record + n, k->susp.bytes, k->susp.n);
		n += k->susp.n;
		if (n & 1)
			record[n++] = 0;
		record[0] = (uint8_t)n;
		if (append(k, record, n, err) < 0)
			return -1;
	}
	return 0;
}

static int append_child(struct walk *k, const struct unik_node *node,
			struct unik_err *err)
{
	const struct unik_inode *inode = node->inode;
	uint32_t nsections = unik_iso_sections(inode), i;
	uint8_t record[ISO_RECORD_MAX], id[ISO_ID_MAX];
	size_t id_size = unik_iso_identifier(k->w, node, id);

	unik_iso_susp(k->w, node, ISO_CHILD, &k->susp);
	for (i = 0; i < nsections; i++) {
		struct target t = node_target(k->w, inode, i);
		size_t n = put_fixed(record, &t, inode, id, id_size);

		if (i == 0) /* the sections share what is outside */
			k->nareas = unik_iso_split(&k->susp, n, &k->at,
						   k->areas);
		memcpy(record + n, k->susp.bytes, k->susp.inside);
		n += k->susp.inside;
		if (k->nareas > 0) {
			unik_iso_ce(record + n, &k->areas[0]);
			n += sizeof(struct susp_ce);
		}
		if (n & 1)
			record[n++] = 0;
		record[0] = (uint8_t)n;
		if (append(k, record, n, err) < 0)
			return -1;
	}
	return 0;
}

static int check_areas(const struct walk *k, const struct unik_node *node,
		       struct unik_err *err)
{
	char q[UNIK_QUOTE_SIZE];

	if (!k->w->netbsd || k->nareas < 2)
		return 0;
	return unik_fail(err, "%s: its Rock Ridge data needs %zu areas, of "
			 "which NetBSD reads one (use ext2)",
			 unik_node_quote(node, q), k->nareas);
}

int unik_iso_dir_size(const struct unik_writer *w, struct iso_dir *dir,
		      struct unik_err *err)
{
	const struct unik_node *node = w->tree->nodes[dir->node];
	uint32_t start = dir->block + dir->nblocks, i;
	char q[UNIK_QUOTE_SIZE];
	uint64_t nblocks;
	struct walk k;

	walk_start(&k, w, dir, NULL);
	if (append_dots(&k, err) < 0)
		return -1;
	for (i = 0; i < node->nchildren; i++) {
		const struct unik_node *c;

		c = w->tree->nodes[w->order[dir->first + i]];
		if (append_child(&k, c, err) < 0 || check_areas(&k, c, err) < 0)
			return -1;
	}
	nblocks = unik_div_up(k.used, ISO_BLOCK);
	if (nblocks > ISO_SECTION_MAX / ISO_BLOCK)
		return unik_fail(err, "%s: a directory of %llu bytes is over "
				 "what ISO 9660 holds (use ext2)",
				 unik_node_quote(node, q),
				 (unsigned long long)k.used);
	dir->nblocks = (uint32_t)nblocks;
	dir->nareas = k.at.block - start + (k.at.offset > 0);
	return 0;
}

static int pad_block(struct unik_sink *sink, uint64_t used,
		     struct unik_err *err)
{
	uint64_t over = used % ISO_BLOCK;

	return over ? unik_sink_write(sink, NULL, ISO_BLOCK - over, err) : 0;
}

/* Writes the areas of one child; *at is how far the areas of the directory have
 * come, from the block behind its records. */
static int emit_areas(struct walk *k, uint64_t *at, struct unik_err *err)
{
	uint32_t start = k->dir->block + k->dir->nblocks;
	uint8_t ce[sizeof(struct susp_ce)];
	size_t i;

	for (i = 0; i < k->nareas; i++) {
		const struct iso_area *a = &k->areas[i];
		uint64_t to = (uint64_t)(a->block - start) * ISO_BLOCK +
			      a->offset;

		if (to > *at &&
		    unik_sink_write(k->sink, NULL, to - *at, err) < 0)
			return -1;
		if (unik_sink_write(k->sink, k->susp.bytes + a->from, a->size,
				    err) < 0)
			return -1;
		if (a->more) {
			unik_iso_ce(ce, a + 1);
			if (unik_sink_write(k->sink, ce, sizeof(ce), err) < 0)
				return -1;
		}
		*at = to + unik_iso_area_size(a);
	}
	return 0;
}

static int emit_all_areas(struct walk *k, const struct unik_node *node,
			  struct unik_err *err)
{
	struct unik_sink *sink = k->sink;
	uint64_t at = 0;
	uint32_t i;

	k->at.block = k->dir->block + k->dir->nblocks;
	k->at.offset = 0;
	for (i = 0; i < node->nchildren; i++) {
		const struct unik_node *c;

		c = k->w->tree->nodes[k->w->order[k->dir->first + i]];
		k->sink = NULL;
		if (append_child(k, c, err) < 0)
			return -1;
		k->sink = sink;
		if (emit_areas(k, &at, err) < 0)
			return -1;
	}
	return pad_block(sink, at, err);
}

int unik_iso_dir_emit(const struct unik_writer *w, const struct iso_dir *dir,
		      struct unik_sink *sink, struct unik_err *err)
{
	const struct unik_node *node = w->tree->nodes[dir->node];
	struct walk k;
	uint32_t i;

	walk_start(&k, w, dir, sink);
	if (append_dots(&k, err) < 0)
		return -1;
	for (i = 0; i < node->nchildren; i++)
		if (append_child(&k, w->tree->nodes[w->order[dir->first + i]],
				 err) < 0)
			return -1;
	if (pad_block(sink, k.used, err) < 0)
		return -1;
	return dir->nareas ? emit_all_areas(&k, node, err) : 0;
}

void unik_iso_root_record(const struct unik_writer *w, uint8_t out[34])
{
	const struct unik_node *root = w->tree->root;
	struct target t = dir_target(&w->dirs[0]);
	uint8_t id = 0;

	out[0] = (uint8_t)put_fixed(out, &t, root->inode, &id, 1);
	out[0] = 34;
}
