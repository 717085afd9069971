/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reader_ext2: extended attributes, in a block of their own or behind the
 * fields of an inode (ext2-doc "Extended Attributes", ext4 doc
 * attributes.rst). */
#include <stdlib.h>
#include <string.h>

#include "reader_ext2_private.h"

/* More than two full blocks of the smallest entries make. */
#define ATTRS_MAX (2 * E2R_BLOCK_MAX / sizeof(struct ext2_xattr_entry))
#define BYTES_MAX (16 * (size_t)E2R_BLOCK_MAX)

static uint32_t pad4(uint32_t n)
{
	return (n + 3) & ~3u;
}

/* ---- the list ---- */

/* Where the entries end, behind the four zeros. */
static int find_end(const uint8_t *buf, uint32_t size, uint32_t at,
		    uint32_t *end, struct unik_err *err)
{
	const uint32_t head = sizeof(struct ext2_xattr_entry);

	for (;;) {
		if (size - at < 4)
			break;
		if (ext2_get32(buf + at) == 0) {
			*end = at + 4;
			return 0;
		}
		if (size - at < head || size - at - head < pad4(buf[at]))
			break;
		at += head + pad4(buf[at]);
	}
	return unik_fail(err, "xattrs without an end");
}

static int get_attr(const uint8_t *buf, uint32_t size, uint32_t end,
		    uint32_t base, struct e2r_attr *a, struct unik_err *err)
{
	const struct ext2_xattr_entry *e = (const void *)(buf + a->at);
	uint64_t from = (uint64_t)base + ext2_get16(e->value_offs);

	a->index = e->name_index;
	a->name = (const char *)(e + 1);
	a->name_size = e->name_len;
	a->value = NULL;
	a->value_size = ext2_get32(e->value_size);
	a->hash = ext2_get32(e->hash);
	if (ext2_get32(e->value_inum) != 0)
		return unik_fail(err, "an xattr's value in an inode");
	if (memchr(a->name, 0, a->name_size))
		return unik_fail(err, "a NUL byte in an xattr's name");
	if (a->value_size == 0)
		return 0;
	if (a->value_size > size || from < end ||
	    from + pad4(a->value_size) > size)
		return unik_fail(err, "an xattr's value of %u bytes at %llu "
				 "is outside", a->value_size,
				 (unsigned long long)from);
	a->value = buf + from;
	return 0;
}

int unik_e2r_attrs(const uint8_t *buf, uint32_t size, uint32_t at,
		   uint32_t base, e2r_attr_fn *fn, void *data,
		   struct unik_err *err)
{
	struct e2r_attr a = { .at = at };
	uint32_t end = 0;

	if (find_end(buf, size, at, &end, err) < 0)
		return -1;
	while (a.at + 4 < end) {
		if (get_attr(buf, size, end, base, &a, err) < 0 ||
		    fn(data, &a, err) < 0)
			return -1;
		a.at += (uint32_t)sizeof(struct ext2_xattr_entry) +
			pad4(a.name_size);
	}
	return 0;
}

uint32_t unik_e2r_own_attrs(const struct e2r_image *image,
			    const struct e2r_inode *inode)
{
	const struct ext2_inode *d = (const struct ext2_inode *)inode->raw;
	uint32_t at;

	if (image->inode_size <= E2R_OLD_INODE_SIZE)
		return 0;
	at = E2R_OLD_INODE_SIZE + ext2_get16(d->extra_isize);
	if (at == E2R_OLD_INODE_SIZE || image->inode_size - at < 8 ||
	    ext2_get32(inode->raw + at) != EXT2_XATTR_MAGIC)
		return 0;
	return at + 4;
}

uint32_t unik_e2r_attr_hash(const struct e2r_attr *a, bool sign)
{
	uint32_t h = 0, i;

	for (i = 0; i < a->name_size; i++) {
		uint32_t c = sign ? (uint32_t)(int32_t)(signed char)a->name[i]
				  : (uint32_t)(unsigned char)a->name[i];

		h = (h << 5) ^ (h >> 27) ^ c;
	}
	for (i = 0; i < a->value_size; i += 4)
		h = (h << 16) ^ (h >> 16) ^ ext2_get32(a->value + i);
	return h;
}

/* ---- as xattrs ---- */

static const char *prefix_of(uint8_t index)
{
	switch (index) {
	case EXT2_XATTR_USER:
		return "user.";
	case EXT2_XATTR_ACL_ACCESS:
		return "system.posix_acl_access";
	case EXT2_XATTR_ACL_DEFAULT:
		return "system.posix_acl_default";
	case EXT2_XATTR_TRUSTED:
		return "trusted.";
	case EXT2_XATTR_SECURITY:
		return "security.";
	case EXT2_XATTR_SYSTEM:
		return "system.";
	default:
		return NULL;
	}
}

static uint8_t *take_bytes(struct e2r_xattrs *x, size_t n)
{
	uint8_t *p = x->bytes + x->nbytes;

	if (n > BYTES_MAX - x->nbytes)
		return NULL;
	x->nbytes += n;
	return p;
}

static int put_name(struct e2r_xattrs *x, const struct e2r_attr *a,
		    struct unik_xattr *v, struct unik_err *err)
{
	const char *prefix = prefix_of(a->index);
	size_t n = prefix ? strlen(prefix) : 0;
	uint8_t *p;

	if (!prefix)
		return unik_fail(err, "an xattr's name index %u is not known",
				 a->index);
	p = take_bytes(x, n + a->name_size + 1);
	if (!p)
		return unik_fail(err, "too many xattrs");
	memcpy(p, prefix, n);
	memcpy(p + n, a->name, a->name_size);
	p[n + a->name_size] = 0;
	v->name = (const char *)p;
	v->name_size = (uint32_t)n + a->name_size;
	return 0;
}

/* An ACL from its form on disk to that of xattrs: entries without an id get
 * one of all ones. */
static int put_acl(struct e2r_xattrs *x, const struct e2r_attr *a,
		   struct unik_xattr *v, struct unik_err *err)
{
	uint8_t *out = take_bytes(x, 4 + 2 * (size_t)a->value_size);
	uint32_t at = 4, n = 4;

	if (!out)
		return unik_fail(err, "too many xattrs");
	if (a->value_size < 4 || ext2_get32(a->value) != EXT2_ACL_VERSION)
		return unik_fail(err, "an ACL of an unknown version");
	ext2_put32(out, UNIK_ACL_XATTR_VERSION);
	while (at < a->value_size) {
		const uint8_t *p = a->value + at;
		uint32_t left = a->value_size - at, tag;
		bool id;

		tag = left >= 4 ? ext2_get16(p) : 0;
		id = tag == EXT2_ACL_USER || tag == EXT2_ACL_GROUP;
		if (left < (id ? 8u : 4u))
			return unik_fail(err, "an ACL that is cut");
		ext2_put16(out + n, tag);
		ext2_put16(out + n + 2, ext2_get16(p + 2));
		ext2_put32(out + n + 4, id ? ext2_get32(p + 4) : UINT32_MAX);
		at += id ? 8 : 4;
		n += 8;
	}
	v->value = out;
	v->value_size = n;
	return 0;
}

static int put_attr(void *data, const struct e2r_attr *a, struct unik_err *err)
{
	struct e2r_xattrs *x = data;
	struct unik_xattr *v;
	uint8_t *p;

	if (x->n == x->room)
		return unik_fail(err, "too many xattrs");
	v = &x->v[x->n++];
	if (put_name(x, a, v, err) < 0)
		return -1;
	if (a->index == EXT2_XATTR_ACL_ACCESS ||
	    a->index == EXT2_XATTR_ACL_DEFAULT)
		return put_acl(x, a, v, err);
	p = take_bytes(x, a->value_size);
	if (!p)
		return unik_fail(err, "too many xattrs");
	if (a->value_size > 0)
		memcpy(p, a->value, a->value_size);
	v->value = p;
	v->value_size = a->value_size;
	return 0;
}

int unik_e2r_xattrs_init(struct e2r_xattrs *x, struct unik_err *err)
{
	memset(x, 0, sizeof(*x));
	x->room = ATTRS_MAX;
	x->v = calloc(x->room, sizeof(*x->v));
	x->bytes = malloc(BYTES_MAX);
	x->block = malloc(E2R_BLOCK_MAX);
	if (x->v && x->bytes && x->block)
		return 0;
	unik_e2r_xattrs_release(x);
	return unik_fail_mem(err);
}

void unik_e2r_xattrs_release(struct e2r_xattrs *x)
{
	free(x->v);
	free(x->bytes);
	free(x->block);
	memset(x, 0, sizeof(*x));
}

int unik_e2r_xattrs_read(struct e2r_xattrs *x, struct e2r_image *image,
			 const struct e2r_inode *inode, struct unik_err *err)
{
	const struct ext2_xattr_head *head = (const void *)x->block;
	uint32_t own = unik_e2r_own_attrs(image, inode);

	x->n = 0;
	x->nbytes = 0;
	if (own && unik_e2r_attrs(inode->raw, image->inode_size, own, own,
				  put_attr, x, err) < 0)
		return unik_wrap(err, "inode %u", inode->ino);
	if (inode->file_acl == 0)
		return 0;
	if (unik_e2r_block(image, inode->file_acl, x->block, err) < 0)
		return unik_wrap(err, "inode %u: xattrs", inode->ino);
	if (ext2_get32(head->magic) != EXT2_XATTR_MAGIC)
		return unik_fail(err, "inode %u: block %u holds no xattrs",
				 inode->ino, inode->file_acl);
	if (unik_e2r_attrs(x->block, image->block_size, sizeof(*head), 0,
			   put_attr, x, err) < 0)
		return unik_wrap(err, "inode %u: xattrs", inode->ino);
	return 0;
}
