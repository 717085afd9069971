/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "treedump.h"

#include <stdlib.h>
#include <string.h>

#define OUT_SIZE 65536

struct dump {
	unik_treedump_fn *fn;
	void *data;
	struct unik_err *err;
	bool failed;
	size_t used;
	char *path; /* scratch */
	size_t path_room;
	char out[OUT_SIZE];
};

static void flush(struct dump *d)
{
	if (d->used > 0 && !d->failed &&
	    d->fn(d->data, d->out, d->used, d->err) < 0)
		d->failed = true;
	d->used = 0;
}

static void text(struct dump *d, const char *s, size_t n)
{
	while (n > 0) {
		size_t m = OUT_SIZE - d->used;

		if (m > n)
			m = n;
		memcpy(d->out + d->used, s, m);
		d->used += m;
		s += m;
		n -= m;
		if (d->used == OUT_SIZE)
			flush(d);
	}
}

static void str(struct dump *d, const char *s)
{
	text(d, s, strlen(s));
}

static const char hex_digits[] = "0123456789abcdef";

/* Bytes of input inside a JSON string. */
static void escaped(struct dump *d, const char *s, size_t n)
{
	size_t i, from = 0;

	for (i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		char e[5] = { '\\', '\\', 'x', hex_digits[c >> 4],
			      hex_digits[c & 15] };

		if (c >= 0x20 && c <= 0x7e && c != '\\' && c != '"')
			continue;
		text(d, s + from, i - from);
		from = i + 1;
		if (c == '"')
			text(d, "\\\"", 2);
		else
			text(d, e, sizeof(e));
	}
	text(d, s + from, n - from);
}

static void hex(struct dump *d, const uint8_t *p, size_t n)
{
	for (; n > 0; n--, p++) {
		const char e[2] = { hex_digits[*p >> 4], hex_digits[*p & 15] };

		text(d, e, 2);
	}
}

/* At least `width` digits, base 8 or 10: most of the text is numbers, and
 * printf would take most of the time. */
static void digits(struct dump *d, uint64_t v, unsigned base, size_t width)
{
	char buf[24];
	size_t at = sizeof(buf);

	do {
		buf[--at] = (char)('0' + v % base);
		v /= base;
	} while (v > 0 || sizeof(buf) - at < width);
	text(d, buf + at, sizeof(buf) - at);
}

static void number(struct dump *d, uint64_t v)
{
	digits(d, v, 10, 1);
}

static void put_path(struct dump *d, const struct unik_node *node)
{
	size_t n = unik_node_path(node, d->path, d->path_room);

	if (n + 1 > d->path_room) {
		char *p = realloc(d->path, n + 256);

		if (!p) {
			d->failed = true;
			unik_fail_mem(d->err);
			return;
		}
		d->path = p;
		d->path_room = n + 256;
		unik_node_path(node, d->path, d->path_room);
	}
	escaped(d, d->path, n);
}

static void put_mtime(struct dump *d, const struct unik_inode *inode)
{
	int64_t sec = inode->mtime_sec;

	if (sec < 0)
		str(d, "-");
	number(d, sec < 0 ? -(uint64_t)sec : (uint64_t)sec);
	str(d, ".");
	digits(d, inode->mtime_nsec, 10, 9);
}

/* sha256 of nothing. */
static const uint8_t empty_sha256[UNIK_SHA256_SIZE] = {
	0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4,
	0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b,
	0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55
};

static void put_xattrs(struct dump *d, const struct unik_xattrs *x)
{
	uint32_t i;

	str(d, ",\"xattrs\":{");
	for (i = 0; i < x->n; i++) {
		str(d, i ? ",\"" : "\"");
		escaped(d, x->v[i].name, x->v[i].name_size);
		str(d, "\":\"");
		hex(d, x->v[i].value, x->v[i].value_size);
		str(d, "\"");
	}
	str(d, "}");
}

static void put_content(struct dump *d, const struct unik_inode *inode)
{
	switch (inode->type) {
	case UNIK_CHAR:
	case UNIK_BLOCK:
		str(d, ",\"rdev\":\"");
		number(d, inode->rdev.major);
		str(d, ":");
		number(d, inode->rdev.minor);
		str(d, "\"");
		break;
	case UNIK_FILE:
		str(d, ",\"sha256\":\"");
		hex(d, inode->content ? inode->content->sha256 : empty_sha256,
		    UNIK_SHA256_SIZE);
		str(d, "\",\"size\":");
		number(d, inode->size);
		break;
	case UNIK_SYMLINK:
		str(d, ",\"target\":\"");
		escaped(d, inode->target, inode->size);
		str(d, "\"");
		break;
	default:
		break;
	}
}

static void put_node(struct dump *d, const struct unik_node *node)
{
	const struct unik_inode *inode = node->inode;
	bool linked = inode->type != UNIK_DIR && inode->nlink > 1;

	str(d, "{\"gid\":");
	number(d, inode->gid);
	if (linked && inode->first != node) {
		str(d, ",\"link\":\"");
		put_path(d, inode->first);
		str(d, "\"");
	}
	if (inode->type != UNIK_SYMLINK) {
		str(d, ",\"mode\":\"");
		digits(d, inode->mode, 8, 4);
		str(d, "\"");
	}
	str(d, ",\"mtime\":\"");
	put_mtime(d, inode);
	str(d, "\"");
	if (linked) {
		str(d, ",\"nlink\":");
		number(d, inode->nlink);
	}
	str(d, ",\"path\":\"");
	put_path(d, node);
	str(d, "\"");
	put_content(d, inode);
	str(d, ",\"type\":\"");
	str(d, unik_type_name((enum unik_type)inode->type));
	str(d, "\",\"uid\":");
	number(d, inode->uid);
	if (inode->xattrs && inode->xattrs->n > 0)
		put_xattrs(d, inode->xattrs);
	str(d, "}\n");
}

const char *unik_type_name(enum unik_type type)
{
	static const char *const names[UNIK_NTYPES] = {
		[UNIK_FILE] = "file",	    [UNIK_DIR] = "dir",
		[UNIK_SYMLINK] = "symlink", [UNIK_CHAR] = "char",
		[UNIK_BLOCK] = "block",	    [UNIK_FIFO] = "fifo",
		[UNIK_SOCKET] = "socket",   [UNIK_WHITEOUT] = "whiteout",
		[UNIK_LINK] = "link",
	};

	return names[type];
}

int unik_treedump(const struct unik_tree *tree, unik_treedump_fn *fn,
		  void *data, struct unik_err *err)
{
	struct dump *d = malloc(sizeof(*d));
	uint32_t i;
	int rc;

	if (!d)
		return unik_fail_mem(err);
	d->fn = fn;
	d->data = data;
	d->err = err;
	d->failed = false;
	d->used = 0;
	d->path = NULL;
	d->path_room = 0;
	for (i = 0; i < tree->nnodes && !d->failed; i++)
		put_node(d, tree->nodes[i]);
	flush(d);
	rc = d->failed ? -1 : 0;
	free(d->path);
	free(d);
	return rc;
}

static int hash_text(void *data, const char *s, size_t n, struct unik_err *err)
{
	return unik_hash_update(data, s, n, err);
}

int unik_tree_digest(const struct unik_tree *tree, struct unik_digest *digest,
		     struct unik_err *err)
{
	struct unik_hash h = UNIK_HASH_NONE;
	int rc;

	if (unik_hash_init(&h, UNIK_SHA256, err) < 0)
		return -1;
	rc = unik_treedump(tree, hash_text, &h, err);
	if (rc == 0)
		rc = unik_hash_final(&h, digest, err);
	unik_hash_release(&h);
	return rc;
}
