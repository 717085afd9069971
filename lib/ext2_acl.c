/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ext2: POSIX ACLs, from the form that xattrs have (posix_acl_xattr.h) to the
 * one on disk (ext4 doc attributes.rst, "POSIX ACLs"). */
#include <string.h>

#include "writer_ext2.h"

#define XATTR_HEAD 4u
#define XATTR_ENTRY 8u /* tag, permissions, id */

static bool has_id(uint32_t tag)
{
	return tag == EXT2_ACL_USER || tag == EXT2_ACL_GROUP;
}

/* What may follow in an ACL: owner, users, group, groups, mask, others; a mask
 * is needed where there are named users or groups (acl(5)). */
static bool tag_fits(uint32_t tag, uint32_t last, bool *named)
{
	switch (tag) {
	case EXT2_ACL_USER_OBJ:
		return last == 0;
	case EXT2_ACL_USER:
		*named = true;
		return last == EXT2_ACL_USER_OBJ || last == EXT2_ACL_USER;
	case EXT2_ACL_GROUP_OBJ:
		return last == EXT2_ACL_USER_OBJ || last == EXT2_ACL_USER;
	case EXT2_ACL_GROUP:
		*named = true;
		return last == EXT2_ACL_GROUP_OBJ || last == EXT2_ACL_GROUP;
	case EXT2_ACL_MASK:
		return last == EXT2_ACL_GROUP_OBJ || last == EXT2_ACL_GROUP;
	case EXT2_ACL_OTHER:
		return last == EXT2_ACL_MASK ||
		       (!*named && last == EXT2_ACL_GROUP_OBJ);
	default:
		return false;
	}
}

uint32_t unik_ext2_acl_size(const uint8_t *value, uint32_t n)
{
	uint32_t at, tag, last = 0, size = 4;
	bool named = false;

	if (n < XATTR_HEAD || (n - XATTR_HEAD) % XATTR_ENTRY != 0 ||
	    ext2_get32(value) != UNIK_ACL_XATTR_VERSION)
		return 0;
	for (at = XATTR_HEAD; at < n; at += XATTR_ENTRY) {
		tag = ext2_get16(value + at);
		if (!tag_fits(tag, last, &named) ||
		    ext2_get16(value + at + 2) > 7)
			return 0;
		if (has_id(tag) && ext2_get32(value + at + 4) == UINT32_MAX)
			return 0;
		size += has_id(tag) ? 8 : 4;
		last = tag;
	}
	return last == EXT2_ACL_OTHER ? size : 0;
}

bool unik_ext2_acl_equal(const uint8_t *a, const uint8_t *b, uint32_t n)
{
	uint32_t at;

	if (unik_ext2_acl_size(a, n) == 0 || unik_ext2_acl_size(b, n) == 0)
		return false;
	for (at = XATTR_HEAD; at < n; at += XATTR_ENTRY) {
		uint32_t m = has_id(ext2_get16(a + at)) ? XATTR_ENTRY : 4;

		if (memcmp(a + at, b + at, m) != 0)
			return false;
	}
	return true;
}

void unik_ext2_acl_put(const uint8_t *value, uint32_t n, uint8_t *out)
{
	uint32_t at;

	ext2_put32(out, EXT2_ACL_VERSION);
	out += 4;
	for (at = XATTR_HEAD; at < n; at += XATTR_ENTRY) {
		uint32_t tag = ext2_get16(value + at);

		ext2_put16(out, tag);
		ext2_put16(out + 2, ext2_get16(value + at + 2));
		if (has_id(tag))
			ext2_put32(out + 4, ext2_get32(value + at + 4));
		out += has_id(tag) ? 8 : 4;
	}
}
