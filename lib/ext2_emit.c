/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ext2: emission, front to back.  Data blocks come in linear order; where a
 * group is full, the metadata of the next one goes in between. */
#include <stdlib.h>
#include <string.h>

#include "writer_ext2.h"

struct out {
	const struct unik_writer *w;
	struct unik_sink *sink;
	struct unik_err *err;
	uint32_t group;  /* the next whose metadata is due */
	uint32_t left;   /* data blocks left in the current one */
	uint64_t linear; /* of the next data block */
	uint8_t *meta;   /* a block each */
	uint8_t *data;
	uint8_t *indirect;
};

/* How many of n data blocks may be appended now: at least one. */
static int out_room(struct out *o, uint64_t n, uint64_t *room)
{
	const struct ext2_layout *l = &o->w->layout;

	while (o->left == 0) {
		if (o->group == l->ngroups)
			return unik_fail_io(o->err, "ext2: the plan is short");
		if (unik_ext2_group_emit(o->w, o->group, o->meta, o->sink,
					 o->err) < 0)
			return -1;
		o->group++;
		o->left = l->first_linear[o->group] -
			  l->first_linear[o->group - 1];
	}
	*room = n < o->left ? n : o->left;
	o->left -= (uint32_t)*room;
	o->linear += *room;
	return 0;
}

static int out_block(struct out *o, const uint8_t *buf)
{
	uint64_t room;

	if (out_room(o, 1, &room) < 0)
		return -1;
	return unik_sink_write(o->sink, buf, o->w->block_size, o->err);
}

/* ---- data of one inode ---- */

struct body {
	const struct unik_inode *inode;
	struct ext2_runs runs;
	struct ext2_dir dir;
	struct unik_content content; /* of a file, as without holes: runs tell
					what is read */
};

static int emit_file(struct out *o, const struct body *b, uint64_t first,
		     uint64_t n)
{
	uint64_t size = o->w->block_size, room;

	for (; n > 0; n -= room, first += room) {
		uint64_t at = first * size, bytes;

		if (out_room(o, n, &room) < 0)
			return -1;
		bytes = room * size;
		if (bytes > b->inode->size - at)
			bytes = b->inode->size - at;
		if (unik_content_copy(&b->content, at, bytes, o->sink,
				      o->err) < 0 ||
		    unik_sink_write(o->sink, NULL, room * size - bytes,
				    o->err) < 0)
			return -1;
	}
	return 0;
}

static int emit_run(struct out *o, struct body *b, uint64_t first, uint64_t n)
{
	if (b->inode->type == UNIK_FILE)
		return emit_file(o, b, first, n);
	if (b->inode->type == UNIK_SYMLINK) {
		memset(o->data, 0, o->w->block_size);
		memcpy(o->data, b->inode->target, (size_t)b->inode->size);
		return out_block(o, o->data);
	}
	for (; n > 0; n--) {
		unik_ext2_dir_next(&b->dir, o->data);
		if (out_block(o, o->data) < 0)
			return -1;
	}
	return 0;
}

static int emit_data(struct out *o, struct body *b, uint64_t from, uint64_t to)
{
	uint64_t first, end;

	while ((first = unik_ext2_runs_next(&b->runs, from, &end)) < to) {
		if (end > to)
			end = to;
		if (emit_run(o, b, first, end - first) < 0)
			return -1;
		from = end;
	}
	return 0;
}

/* An indirect block and all below it; at most EXT2_LEVELS deep. */
static int emit_level(struct out *o, struct body *b, uint32_t level,
		      uint64_t base)
{
	uint64_t span = unik_ext2_span(o->w, level - 1);
	uint64_t to = base + span * o->w->nptrs, at = base, first, end;

	if (unik_ext2_runs_next(&b->runs, base, &end) >= to)
		return 0;
	unik_ext2_map_block(o->w, b->runs, level, base, o->linear, o->indirect);
	if (out_block(o, o->indirect) < 0)
		return -1;
	if (level == 1)
		return emit_data(o, b, base, to);
	while ((first = unik_ext2_runs_next(&b->runs, at, &end)) < to) {
		at = base + (first - base) / span * span;
		if (emit_level(o, b, level - 1, at) < 0)
			return -1;
		at += span;
	}
	return 0;
}

static int emit_body(struct out *o, const struct unik_inode *inode)
{
	struct body b = { .inode = inode };
	uint32_t level;
	int rc;

	unik_ext2_runs(o->w, inode, &b.runs);
	if (inode->type == UNIK_FILE) {
		b.content = *inode->content;
		b.content.holed = false;
	}
	if (inode->type == UNIK_DIR)
		unik_ext2_dir_open(&b.dir, o->w, inode);
	rc = emit_data(o, &b, 0, EXT2_NDIR);
	if (b.runs.nblocks <= EXT2_NDIR)
		return rc;
	for (level = 1; level <= EXT2_LEVELS && rc == 0; level++)
		rc = emit_level(o, &b, level, unik_ext2_base(o->w, level));
	return rc;
}

/* ---- all of them ---- */

static int emit_xattr(struct out *o, const struct ext2_xattr_block *x)
{
	uint64_t lost;
	uint32_t n;

	if (unik_ext2_xattr_block(o->w, o->w->tree->inodes[x->inode], x->refs,
				  o->data, &lost, &n, o->err) < 0)
		return -1;
	return out_block(o, o->data);
}

static int emit_inodes(struct out *o)
{
	const struct unik_writer *w = o->w;
	char q[UNIK_QUOTE_SIZE];
	uint32_t id;

	for (id = 0; id < w->tree->ninodes; id++) {
		const struct ext2_slot *slot = &w->slots[id];
		const struct ext2_xattr_block *x = NULL;

		if (slot->xattr)
			x = &w->xattrs[slot->xattr - 1];
		if (x && x->inode == id && emit_xattr(o, x) < 0)
			return -1;
		if (slot->nblocks > 0 &&
		    emit_body(o, w->tree->inodes[id]) < 0)
			return unik_wrap(o->err, "%s",
				unik_node_quote(w->tree->inodes[id]->first, q));
	}
	return 0;
}

static int emit_free(struct out *o)
{
	const struct ext2_layout *l = &o->w->layout;
	uint64_t n = l->first_linear[l->ngroups] - o->linear, room;

	for (; n > 0; n -= room) {
		if (out_room(o, n, &room) < 0 ||
		    unik_sink_write(o->sink, NULL, room * o->w->block_size,
				    o->err) < 0)
			return -1;
	}
	for (; o->group < l->ngroups; o->group++) /* without data blocks */
		if (unik_ext2_group_emit(o->w, o->group, o->meta, o->sink,
					 o->err) < 0)
			return -1;
	return 0;
}

int unik_ext2_emit(const struct unik_writer *w, struct unik_sink *sink,
		   struct unik_err *err)
{
	uint8_t *bufs = malloc(3 * (size_t)w->block_size);
	struct out o = { .w = w, .sink = sink, .err = err };
	int rc;

	if (!bufs)
		return unik_fail_mem(err);
	o.meta = bufs;
	o.data = bufs + w->block_size;
	o.indirect = bufs + 2 * w->block_size;
	rc = unik_sink_write(sink, NULL,
			     (uint64_t)w->layout.first_block * w->block_size,
			     err);
	if (rc == 0)
		rc = emit_inodes(&o);
	if (rc == 0)
		rc = emit_free(&o);
	free(bufs);
	return rc;
}
