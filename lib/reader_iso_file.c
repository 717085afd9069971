/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reader_iso: the content and the hard links of files. */
#include <string.h>

#include "reader_iso_build_private.h"

int unik_iso_section(struct iso_build *b, const struct iso_record *r,
		     struct unik_err *err)
{
	struct iso_extent e = iso_extent_of(r);
	struct unik_piece *p;

	if (b->nsections == ISO_READ_SECTIONS)
		return unik_iso_bad(b, "more than 100 sections", err);
	p = &b->sections[b->nsections++];
	p->offset = b->size;
	p->size = e.size;
	p->stored = (uint64_t)e.block * ISO_BLOCK;
	b->size += e.size;
	return 0;
}

/* One run of blocks wherever the sections follow each other. */
static void join_sections(struct iso_build *b, struct unik_content *c)
{
	uint32_t i;

	c->data = b->data;
	c->offset = b->sections[0].stored;
	for (i = 1; i < b->nsections; i++)
		if (b->sections[i].stored !=
		    b->sections[i - 1].stored + b->sections[i - 1].size)
			break;
	if (i == b->nsections)
		return;
	c->pieces = b->sections;
	c->npieces = b->nsections;
}

static int hash_content(struct iso_build *b, struct unik_content *c,
			struct unik_err *err)
{
	uint64_t done = 0;

	if (b->size > b->hash_left)
		return unik_iso_bad(b, "files overlap", err);
	b->hash_left -= b->size;
	if (unik_scan_begin(&b->scan, err) < 0)
		return -1;
	while (done < b->size) {
		uint64_t left = b->size - done;
		size_t n = left < UNIK_CHUNK ? (size_t)left : UNIK_CHUNK;

		if (unik_content_read(c, done, b->chunk, n, err) < 0 ||
		    unik_scan_feed(&b->scan, b->chunk, n, err) < 0)
			return -1;
		done += n;
	}
	return unik_scan_end(&b->scan, c, err);
}

/* The content of the file at hand: one that is known, or a new one. */
static int find_content(struct iso_build *b, struct unik_content *c,
			bool *known, struct unik_err *err)
{
	const struct unik_inode *inode;

	memset(c, 0, sizeof(*c));
	join_sections(b, c);
	inode = unik_iso_map_get(&b->extents, c->offset);
	*known = inode && inode->size == b->size && c->npieces == 0 &&
		 inode->content->npieces == 0;
	if (*known) {
		*c = *inode->content;
		return 0;
	}
	return hash_content(b, c, err);
}

static int take_content(struct iso_build *b, struct unik_entry *e,
			const struct unik_node **node, struct unik_err *err)
{
	struct unik_content content;
	bool known = true;
	int rc;

	if (b->size > b->content_left)
		return unik_iso_bad(b, "too much content (--max-layer-size)",
				    err);
	b->content_left -= b->size;
	if (b->size > 0) {
		if (find_content(b, &content, &known, err) < 0)
			return unik_iso_at(b, err);
		e->content = &content;
		e->size = b->size;
	}
	rc = unik_iso_add(b, e, node, err);
	e->content = NULL; /* the tree has its own copy */
	if (rc < 0)
		return -1;
	if (known || !*node || (*node)->inode->type != UNIK_FILE)
		return 0;
	return unik_iso_map_put(&b->extents, content.offset, (*node)->inode,
				err);
}

/* Is this the inode that the entry describes? */
static bool same_inode(const struct iso_build *b,
		       const struct unik_inode *inode,
		       const struct unik_entry *e)
{
	if (inode->type != e->type || inode->uid != e->uid ||
	    inode->gid != e->gid || inode->mtime_sec != e->mtime_sec ||
	    inode->mtime_nsec != e->mtime_nsec)
		return false;
	if (e->type != UNIK_SYMLINK && inode->mode != e->mode)
		return false;
	if (e->type == UNIK_FILE)
		return inode->size == b->size &&
		       (b->size == 0 || inode->content->npieces > 0 ||
			inode->content->offset == b->sections[0].stored);
	if (e->type == UNIK_SYMLINK)
		return strcmp(inode->target, e->target) == 0;
	return inode->rdev.major == e->rdev.major &&
	       inode->rdev.minor == e->rdev.minor;
}

/* A further name of a known inode, by its serial number: 1 where it is none. */
static int take_link(struct iso_build *b, struct unik_entry *e,
		     const struct unik_node *first, struct unik_err *err)
{
	const struct unik_node *node;

	if (!same_inode(b, first->inode, e)) {
		if (b->image.version)
			return unik_iso_bad(b, "another inode has its number",
					    err);
		return 1;
	}
	e->hardlink = true;
	e->target_size = unik_node_path(first, b->target,
					unik_max_path(b->image.limits) + 2);
	e->target = b->target;
	return unik_iso_add(b, e, &node, err);
}

int unik_iso_file(struct iso_build *b, struct unik_err *err)
{
	bool linked = b->attr.serial && b->attr.nlink > 1;
	const struct unik_node *node = NULL;
	struct unik_entry e;

	if (unik_iso_entry(b, false, &e, err) < 0)
		return -1;
	if (e.type != UNIK_FILE && b->size > 0)
		return unik_iso_bad(b, "content where none can be", err);
	if (linked)
		node = unik_iso_map_get(&b->links, b->attr.ino);
	if (node) {
		int rc = take_link(b, &e, node, err);

		if (rc <= 0)
			return rc;
		linked = false; /* another inode with this number */
	}
	if (e.type == UNIK_FILE ? take_content(b, &e, &node, err) < 0
				: unik_iso_add(b, &e, &node, err) < 0)
		return -1;
	if (!linked || !node || node->inode->type == UNIK_WHITEOUT)
		return 0;
	return unik_iso_map_put(&b->links, b->attr.ino, node, err);
}
