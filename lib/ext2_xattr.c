/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ext2: one block of extended attributes (ext2-doc "Extended Attributes", ext4
 * doc attributes.rst). */
#include <stdlib.h>
#include <string.h>

#include "ext2_held.h"
#include "writer_ext2.h"

/* More entries than any block holds. */
#define MAX_ENTRIES (EXT2_MAX_BLOCK / sizeof(struct ext2_xattr_entry))

struct item {
	const struct unik_xattr *x;
	const char *name; /* what the entry holds of it */
	uint32_t name_size;
	uint32_t value_size; /* on disk */
	uint8_t index;
};

static const struct prefix {
	const char *text;
	uint8_t index;
	bool whole; /* the name is just this */
} prefixes[] = {
	{ "user.", EXT2_XATTR_USER, false },
	{ "system.posix_acl_access", EXT2_XATTR_ACL_ACCESS, true },
	{ "system.posix_acl_default", EXT2_XATTR_ACL_DEFAULT, true },
	{ "trusted.", EXT2_XATTR_TRUSTED, false },
	{ "security.", EXT2_XATTR_SECURITY, false },
	{ "system.", EXT2_XATTR_SYSTEM, false },
};

static const struct prefix *find_prefix(const struct unik_xattr *x)
{
	size_t i;

	for (i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		const struct prefix *p = &prefixes[i];
		size_t n = strlen(p->text);

		if (x->name_size < n || memcmp(x->name, p->text, n) != 0)
			continue;
		if (p->whole ? x->name_size == n : x->name_size > n)
			return p;
	}
	return NULL;
}

/* What Linux takes on that type of inode (xattr(7)): others would be there, but
 * nobody could see them. */
static bool type_takes(const struct unik_inode *inode, uint8_t index)
{
	switch (index) {
	case EXT2_XATTR_USER:
		return inode->type == UNIK_FILE || inode->type == UNIK_DIR;
	case EXT2_XATTR_ACL_ACCESS:
		return inode->type != UNIK_SYMLINK;
	case EXT2_XATTR_ACL_DEFAULT:
		return inode->type == UNIK_DIR;
	default:
		return true;
	}
}

/* False: ext2 can't hold it. */
static bool make_item(const struct unik_inode *inode,
		      const struct unik_xattr *x, struct item *item)
{
	const struct prefix *p = find_prefix(x);
	uint32_t n;

	if (!p || !type_takes(inode, p->index))
		return false;
	n = (uint32_t)strlen(p->text);
	item->x = x;
	item->index = p->index;
	item->name = x->name + n;
	item->name_size = x->name_size - n;
	item->value_size = x->value_size;
	if (p->whole)
		item->value_size = unik_ext2_acl_size(x->value, x->value_size);
	return !p->whole || item->value_size > 0;
}

bool unik_ext2_xattr_held(const struct unik_inode *inode,
			  const struct unik_xattr *want,
			  const struct unik_xattr *got)
{
	struct item item;

	if (!make_item(inode, want, &item))
		return !got;
	return got && want->value_size == got->value_size &&
	       (item.index == EXT2_XATTR_ACL_ACCESS ||
		item.index == EXT2_XATTR_ACL_DEFAULT) &&
	       unik_ext2_acl_equal(want->value, got->value, got->value_size);
}

/* Index, then length, then bytes: the order that Linux searches by. */
static int compare_items(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->index != y->index)
		return x->index < y->index ? -1 : 1;
	if (x->name_size != y->name_size)
		return x->name_size < y->name_size ? -1 : 1;
	return memcmp(x->name, y->name, x->name_size);
}

static uint32_t pad4(uint32_t n)
{
	return (n + 3) & ~3u;
}

/* Fills items (sorted), *n and *lost. */
static int collect(const struct unik_writer *w, const struct unik_inode *inode,
		   struct item *items, uint32_t *n, uint64_t *lost,
		   struct unik_err *err)
{
	/* The head, and four zeros that end the entries. */
	uint64_t size = sizeof(struct ext2_xattr_head) + 4;
	char q[UNIK_QUOTE_SIZE];
	struct item item;
	uint32_t i;

	*n = 0;
	*lost = 0;
	for (i = 0; i < inode->xattrs->n; i++) {
		if (!make_item(inode, &inode->xattrs->v[i], &item)) {
			(*lost)++;
			continue;
		}
		if (item.name_size > UINT8_MAX)
			return unik_fail(err, "%s: an extended attribute's "
					 "name of %u bytes",
					 unik_node_quote(inode->first, q),
					 item.x->name_size);
		size += sizeof(struct ext2_xattr_entry) +
			pad4(item.name_size) + (uint64_t)item.value_size + 3;
		size -= (item.value_size + 3) % 4;
		if (*n < MAX_ENTRIES)
			items[(*n)++] = item;
	}
	if (size > w->block_size)
		return unik_fail(err, "%s: its extended attributes take %llu "
				 "bytes, and ext2 has one block of %u for them",
				 unik_node_quote(inode->first, q),
				 (unsigned long long)size, w->block_size);
	qsort(items, *n, sizeof(*items), compare_items);
	return 0;
}

/* The kernel's hash of an entry: the name's bytes, then the value's words. */
static uint32_t entry_hash(const struct item *item, const uint8_t *value)
{
	uint32_t h = 0, i;

	for (i = 0; i < item->name_size; i++)
		h = (h << 5) ^ (h >> 27) ^ (uint8_t)item->name[i];
	for (i = 0; i < item->value_size; i += 4)
		h = (h << 16) ^ (h >> 16) ^ ext2_get32(value + i);
	return h;
}

static void put_value(const struct item *item, uint8_t *out)
{
	const struct unik_xattr *x = item->x;

	if (item->index == EXT2_XATTR_ACL_ACCESS ||
	    item->index == EXT2_XATTR_ACL_DEFAULT)
		unik_ext2_acl_put(x->value, x->value_size, out);
	else if (x->value_size > 0)
		memcpy(out, x->value, x->value_size);
}

static void put_items(const struct unik_writer *w, const struct item *items,
		      uint32_t n, uint32_t refs, uint8_t *buf)
{
	struct ext2_xattr_head *head = (struct ext2_xattr_head *)buf;
	uint32_t at = sizeof(*head), end = w->block_size, i, hash = 0, h;
	bool hashed = true;

	memset(buf, 0, w->block_size);
	for (i = 0; i < n; i++) {
		struct ext2_xattr_entry *e = (void *)(buf + at);

		end -= pad4(items[i].value_size);
		put_value(&items[i], buf + end);
		e->name_len = (uint8_t)items[i].name_size;
		e->name_index = items[i].index;
		if (items[i].value_size > 0)
			ext2_put16(e->value_offs, end);
		ext2_put32(e->value_size, items[i].value_size);
		h = entry_hash(&items[i], buf + end);
		ext2_put32(e->hash, h);
		memcpy(buf + at + sizeof(*e), items[i].name,
		       items[i].name_size);
		at += (uint32_t)sizeof(*e) + pad4(items[i].name_size);
		hash = (hash << 16) ^ (hash >> 16) ^ h;
		hashed = hashed && h != 0; /* 0: the block is not shareable */
	}
	ext2_put32(head->magic, EXT2_XATTR_MAGIC);
	ext2_put32(head->refcount, refs);
	ext2_put32(head->blocks, 1);
	ext2_put32(head->hash, hashed ? hash : 0);
}

int unik_ext2_xattr_block(const struct unik_writer *w,
			  const struct unik_inode *inode, uint32_t refs,
			  uint8_t *buf, uint64_t *lost, uint32_t *n,
			  struct unik_err *err)
{
	struct item items[MAX_ENTRIES];

	if (collect(w, inode, items, n, lost, err) < 0)
		return -1;
	put_items(w, items, *n, refs, buf);
	return 0;
}
