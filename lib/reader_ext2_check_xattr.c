/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reader_ext2: xattr blocks: their form, hashes, references (ext2-doc "Extended
 * Attributes"). */
#include <stdlib.h>
#include <string.h>

#include "reader_ext2_check_private.h"

/* ---- one block ---- */

/* Our form is that of the writer: entries by index, length and bytes of their
 * names, values from the end of the block down, zeros between.  It is built
 * again, and compared. */
struct form {
	const struct e2r_check *c;
	bool ours;
	struct e2r_attr before;
	uint8_t *want; /* a block; NULL where others' */
	uint32_t values; /* where those so far begin */
	uint32_t hash;
	bool hashed;
};

static int compare_attrs(const struct e2r_attr *a, const struct e2r_attr *b)
{
	if (a->index != b->index)
		return a->index < b->index ? -1 : 1;
	if (a->name_size != b->name_size)
		return a->name_size < b->name_size ? -1 : 1;
	return memcmp(a->name, b->name, a->name_size);
}

static int put_want(struct form *f, const struct e2r_attr *a,
		    struct unik_err *err)
{
	struct ext2_xattr_entry *e = (void *)(f->want + a->at);
	uint32_t n = (a->value_size + 3) & ~3u;
	uint32_t hash = unik_e2r_attr_hash(a, false);

	if (f->before.name && compare_attrs(&f->before, a) >= 0)
		return unik_fail(err, "xattrs are not in order");
	f->before = *a;
	/* Entries end before values begin: unik_e2r_attrs() looked. */
	f->values -= n;
	e->name_len = (uint8_t)a->name_size;
	e->name_index = a->index;
	ext2_put16(e->value_offs, n ? f->values : 0);
	ext2_put32(e->value_size, a->value_size);
	ext2_put32(e->hash, hash);
	memcpy(e + 1, a->name, a->name_size);
	if (n > 0)
		memcpy(f->want + f->values, a->value, a->value_size);
	f->hash = (f->hash << 16) ^ (f->hash >> 16) ^ hash;
	f->hashed = f->hashed && hash != 0;
	return 0;
}

static int check_attr(void *data, const struct e2r_attr *a,
		      struct unik_err *err)
{
	struct form *f = data;
	uint32_t n = (a->value_size + 3) & ~3u;

	if (f->want && (n > f->values || f->values - n < a->at))
		return unik_fail(err, "xattr values overlap");
	if (f->want)
		return put_want(f, a, err);
	/* Older kernels took bytes of names as signed. */
	if (a->hash != 0 && a->hash != unik_e2r_attr_hash(a, false) &&
	    a->hash != unik_e2r_attr_hash(a, true))
		return unik_fail(err, "an xattr's hash is wrong");
	return 0;
}

static int check_block(struct e2r_check *c, uint32_t block, uint32_t *refs,
		       struct unik_err *err)
{
	struct ext2_xattr_head *head = (void *)c->buf, *want = (void *)c->other;
	struct form f = { .c = c, .hashed = true };
	uint32_t size = c->image.block_size;

	if (unik_e2r_block(&c->image, block, c->buf, err) < 0)
		return -1;
	*refs = ext2_get32(head->refcount);
	if (ext2_get32(head->magic) != EXT2_XATTR_MAGIC ||
	    ext2_get32(head->blocks) != 1)
		return unik_fail(err, "xattr block %u has a bad head", block);
	if (c->ours) {
		memset(c->other, 0, E2R_BLOCK_MAX);
		f.want = c->other;
		f.values = size;
	}
	if (unik_e2r_attrs(c->buf, size, sizeof(*head), 0, check_attr, &f,
			   err) < 0)
		return unik_wrap(err, "xattr block %u", block);
	if (!c->ours)
		return 0;
	if (!f.before.name)
		return unik_fail(err, "xattr block %u is empty", block);
	ext2_put32(want->magic, EXT2_XATTR_MAGIC);
	ext2_put32(want->refcount, *refs);
	ext2_put32(want->blocks, 1);
	ext2_put32(want->hash, f.hashed ? f.hash : 0);
	return unik_e2r_same(c->buf, c->other, size, "xattr block", block, err);
}

/* ---- the xattrs of an inode ---- */

static int push_use(struct e2r_check *c, uint32_t block, struct unik_err *err)
{
	if (c->nuses == c->uses_room) {
		size_t room = c->uses_room ? c->uses_room * 2 : 256;
		uint32_t *v = realloc(c->uses, room * sizeof(*v));

		if (!v)
			return unik_fail_mem(err);
		c->uses = v;
		c->uses_room = room;
	}
	c->uses[c->nuses++] = block;
	return 0;
}

static int push_block(struct e2r_check *c, uint32_t block, uint32_t refs,
		      struct unik_err *err)
{
	if (c->nattrs == c->attrs_room) {
		size_t room = c->attrs_room ? c->attrs_room * 2 : 64;
		struct e2r_attr_block *v;

		v = realloc(c->attrs, room * sizeof(*v));
		if (!v)
			return unik_fail_mem(err);
		c->attrs = v;
		c->attrs_room = room;
	}
	c->attrs[c->nattrs++] = (struct e2r_attr_block){ block, refs };
	return 0;
}

/* Its first user owns a block; the others find it known. */
static int take_block(struct e2r_check *c, uint32_t block, bool *fresh,
		      struct unik_err *err)
{
	uint32_t i = block - c->image.first_block, refs = 0;
	size_t n = c->image.nblocks - c->image.first_block;
	int rc;

	if (!c->attr_bits)
		c->attr_bits = calloc(n / 8 + 1, 1);
	if (!c->attr_bits)
		return unik_fail_mem(err);
	if (block < c->image.first_block || block >= c->image.nblocks)
		return unik_fail(err, "xattr block %u is outside", block);
	*fresh = !(c->attr_bits[i / 8] & 1u << i % 8);
	if (!*fresh)
		return push_use(c, block, err);
	rc = c->ours ? unik_e2r_own_next(c, block, err)
		     : unik_e2r_own(c, block, err);
	if (rc < 0 || check_block(c, block, &refs, err) < 0 ||
	    push_block(c, block, refs, err) < 0)
		return -1;
	c->attr_bits[i / 8] |= (uint8_t)(1u << i % 8);
	return push_use(c, block, err);
}

/* In our images: what the writer puts on no inode of that type. */
static int check_type(const struct e2r_check *c, const struct e2r_inode *inode,
		      struct unik_err *err)
{
	int type = unik_e2r_type(inode->mode);
	size_t i;

	for (i = 0; i < c->xattrs.n; i++) {
		const char *name = c->xattrs.v[i].name;

		if (strncmp(name, "user.", 5) == 0 ?
			    type != UNIK_FILE && type != UNIK_DIR :
		    strcmp(name, "system.posix_acl_access") == 0 ?
			    type == UNIK_SYMLINK :
			    strcmp(name, "system.posix_acl_default") == 0 &&
			    type != UNIK_DIR)
			return unik_fail(err, "inode %u: xattrs that its type "
					 "does not have", inode->ino);
	}
	return 0;
}

int unik_e2r_check_xattrs(struct e2r_check *c, const struct e2r_inode *inode,
			  struct unik_err *err)
{
	uint32_t own = unik_e2r_own_attrs(&c->image, inode);
	struct form f = { .c = c };
	bool fresh = false;

	if (inode->file_acl && take_block(c, inode->file_acl, &fresh, err) < 0)
		return unik_wrap(err, "inode %u", inode->ino);
	if (own && unik_e2r_attrs(inode->raw, c->image.inode_size, own, own,
				  check_attr, &f, err) < 0)
		return unik_wrap(err, "inode %u", inode->ino);
	if (!own && !inode->file_acl)
		return 0;
	/* Names and ACLs are such as can be read. */
	if (unik_e2r_xattrs_read(&c->xattrs, &c->image, inode, err) < 0)
		return -1;
	return c->ours ? check_type(c, inode, err) : 0;
}

/* ---- references ---- */

static int compare_uses(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static int compare_blocks(const void *a, const void *b)
{
	const struct e2r_attr_block *x = a, *y = b;

	return (x->block > y->block) - (x->block < y->block);
}

int unik_e2r_check_refs(struct e2r_check *c, struct unik_err *err)
{
	size_t i, at = 0;
	uint32_t n;

	if (c->nuses == 0)
		return 0;
	qsort(c->uses, c->nuses, sizeof(*c->uses), compare_uses);
	qsort(c->attrs, c->nattrs, sizeof(*c->attrs), compare_blocks);
	for (i = 0; i < c->nattrs; i++) {
		const struct e2r_attr_block *b = &c->attrs[i];

		for (n = 0; at < c->nuses && c->uses[at] == b->block; at++)
			n++;
		if (b->refs != n || (c->ours && n > EXT2_XATTR_REFS_MAX))
			return unik_fail(err, "xattr block %u: says %u "
					 "references, has %u", b->block,
					 b->refs, n);
	}
	return 0;
}
