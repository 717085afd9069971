/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "treedump.h"

#include <stdlib.h>
#include <string.h>

#include "io.h"

#define OUT_SIZE 65536

struct dump {
	unik_treedump_fn *fn;
	void *data;
	struct unik_err *err;
	bool failed;
	size_t used;
	const struct unik_node *dir; /* whose path `prefix` is, with a slash */
	char *prefix;                /* as it stands in the text */
	size_t prefix_size;
	size_t prefix_room;
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

/* Room for n <= OUT_SIZE bytes; keep() takes what was filled of them. */
static char *room(struct dump *d, size_t n)
{
	if (OUT_SIZE - d->used < n)
		flush(d);
	return d->out + d->used;
}

static void keep(struct dump *d, const char *end)
{
	d->used = (size_t)(end - d->out);
}

/* Appends a literal. */
#define LIT(p, s) ((char *)memcpy((p), (s), sizeof(s) - 1) + sizeof(s) - 1)

static const char hex_digits[] = "0123456789abcdef";

static bool plain(unsigned char c)
{
	return c >= 0x20 && c <= 0x7e && c != '\\' && c != '"';
}

/* What one byte becomes, at most. */
#define ESCAPED_MAX 5

/* Bytes of input as they stand inside a JSON string. */
static char *put_escaped(char *p, const char *s, size_t n)
{
	for (; n > 0; s++, n--) {
		unsigned char c = (unsigned char)*s;

		if (plain(c)) {
			*p++ = (char)c;
		} else if (c == '"') {
			p = LIT(p, "\\\"");
		} else {
			p = LIT(p, "\\\\x");
			*p++ = hex_digits[c >> 4];
			*p++ = hex_digits[c & 15];
		}
	}
	return p;
}

static void escaped(struct dump *d, const char *s, size_t n)
{
	while (n > 0) {
		size_t m = n < OUT_SIZE / 64 ? n : OUT_SIZE / 64;

		keep(d, put_escaped(room(d, ESCAPED_MAX * m), s, m));
		s += m;
		n -= m;
	}
}

static char *put_hex(char *p, const uint8_t *bytes, size_t n)
{
	for (; n > 0; n--, bytes++) {
		*p++ = hex_digits[*bytes >> 4];
		*p++ = hex_digits[*bytes & 15];
	}
	return p;
}

static void hex(struct dump *d, const uint8_t *bytes, size_t n)
{
	while (n > 0) {
		size_t m = n < OUT_SIZE / 4 ? n : OUT_SIZE / 4;

		keep(d, put_hex(room(d, 2 * m), bytes, m));
		bytes += m;
		n -= m;
	}
}

/* Most of the text is numbers, and printf would take most of the time. */
#define NUMBER_MAX 20 /* digits of 2^64 - 1 */

static char *put_number(char *p, uint64_t v)
{
	char buf[NUMBER_MAX];
	size_t at = sizeof(buf);

	do {
		buf[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	memcpy(p, buf + at, sizeof(buf) - at);
	return p + (sizeof(buf) - at);
}

/* At least four digits. */
static char *put_mode(char *p, uint32_t mode)
{
	uint32_t shift = 9;

	while (mode >> shift > 7)
		shift += 3;
	for (;; shift -= 3) {
		*p++ = (char)('0' + (mode >> shift & 7));
		if (shift == 0)
			return p;
	}
}

static char *put_nsec(char *p, uint32_t nsec)
{
	size_t i;

	if (nsec == 0)
		return LIT(p, "000000000");
	for (i = 9; i-- > 0; nsec /= 10)
		p[i] = (char)('0' + nsec % 10);
	return p + 9;
}

static char *put_mtime(char *p, const struct unik_inode *inode)
{
	int64_t sec = inode->mtime_sec;

	if (sec < 0)
		*p++ = '-';
	p = put_number(p, sec < 0 ? -(uint64_t)sec : (uint64_t)sec);
	*p++ = '.';
	return put_nsec(p, inode->mtime_nsec);
}

/* Room for the path of a directory, n bytes, behind what it becomes. */
static bool prefix_fits(struct dump *d, size_t n)
{
	size_t need = (ESCAPED_MAX + 1) * n + 2;
	char *p;

	if (need <= d->prefix_room)
		return true;
	p = realloc(d->prefix, 2 * need);
	if (!p) {
		d->failed = true;
		unik_fail_mem(d->err);
		return false;
	}
	d->prefix = p;
	d->prefix_room = 2 * need;
	return true;
}

static bool set_dir(struct dump *d, const struct unik_node *dir)
{
	size_t n = dir->parent ? unik_node_path(dir, NULL, 0) : 0;
	char *path, *p;

	d->dir = NULL;
	if (!prefix_fits(d, n))
		return false;
	p = d->prefix;
	if (n > 0) {
		path = d->prefix + ESCAPED_MAX * n + 1;
		unik_node_path(dir, path, n + 1);
		p = put_escaped(p, path, n);
		*p++ = '/';
	}
	d->prefix_size = (size_t)(p - d->prefix);
	d->dir = dir;
	return true;
}

/* Nodes of one directory follow each other. */
static void put_path(struct dump *d, const struct unik_node *node)
{
	if (!node->parent) {
		text(d, ".", 1);
		return;
	}
	if (node->parent != d->dir && !set_dir(d, node->parent))
		return;
	text(d, d->prefix, d->prefix_size);
	escaped(d, node->name, node->name_size);
}

/* sha256 of nothing. */
static const uint8_t empty_sha256[UNIK_SHA256_SIZE] = {
	0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4,
	0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b,
	0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55
};

/* More than all parts of one line that have no length of their own. */
#define FIXED_MAX 512

static void put_xattrs(struct dump *d, const struct unik_xattrs *x)
{
	uint32_t i;

	keep(d, LIT(room(d, FIXED_MAX), ",\"xattrs\":{"));
	for (i = 0; i < x->n; i++) {
		if (i > 0)
			text(d, ",", 1);
		text(d, "\"", 1);
		escaped(d, x->v[i].name, x->v[i].name_size);
		text(d, "\":\"", 3);
		hex(d, x->v[i].value, x->v[i].value_size);
		text(d, "\"", 1);
	}
	text(d, "}", 1);
}

static void put_target(struct dump *d, const struct unik_inode *inode)
{
	keep(d, LIT(room(d, FIXED_MAX), ",\"target\":\""));
	escaped(d, inode->target, inode->size);
	text(d, "\"", 1);
}

/* What only some types have. */
static char *put_content(char *p, const struct unik_inode *inode)
{
	switch (inode->type) {
	case UNIK_CHAR:
	case UNIK_BLOCK:
		p = LIT(p, ",\"rdev\":\"");
		p = put_number(p, inode->rdev.major);
		*p++ = ':';
		p = put_number(p, inode->rdev.minor);
		*p++ = '"';
		return p;
	case UNIK_FILE:
		p = LIT(p, ",\"sha256\":\"");
		p = put_hex(p, inode->content ? inode->content->sha256
					      : empty_sha256, UNIK_SHA256_SIZE);
		p = LIT(p, "\",\"size\":");
		return put_number(p, inode->size);
	default:
		return p;
	}
}

/* Up to the path. */
static void put_head(struct dump *d, const struct unik_node *node, bool linked)
{
	const struct unik_inode *inode = node->inode;
	char *p = put_number(LIT(room(d, FIXED_MAX), "{\"gid\":"), inode->gid);

	if (linked && inode->first != node) {
		keep(d, LIT(p, ",\"link\":\""));
		put_path(d, inode->first);
		p = LIT(room(d, FIXED_MAX), "\"");
	}
	if (inode->type != UNIK_SYMLINK) {
		p = put_mode(LIT(p, ",\"mode\":\""), inode->mode);
		*p++ = '"';
	}
	p = put_mtime(LIT(p, ",\"mtime\":\""), inode);
	*p++ = '"';
	if (linked)
		p = put_number(LIT(p, ",\"nlink\":"), inode->nlink);
	keep(d, LIT(p, ",\"path\":\""));
}

static void put_node(struct dump *d, const struct unik_node *node)
{
	const struct unik_inode *inode = node->inode;
	bool linked = inode->type != UNIK_DIR && inode->nlink > 1;
	const char *type = unik_type_name((enum unik_type)inode->type);
	size_t n = strlen(type);
	char *p;

	put_head(d, node, linked);
	put_path(d, node);
	p = LIT(room(d, FIXED_MAX), "\"");
	if (inode->type == UNIK_SYMLINK) {
		keep(d, p);
		put_target(d, inode);
		p = room(d, FIXED_MAX);
	}
	p = LIT(put_content(p, inode), ",\"type\":\"");
	p = (char *)memcpy(p, type, n) + n;
	p = put_number(LIT(p, "\",\"uid\":"), inode->uid);
	keep(d, p);
	if (inode->xattrs && inode->xattrs->n > 0)
		put_xattrs(d, inode->xattrs);
	text(d, "}\n", 2);
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
	d->dir = NULL;
	d->prefix = NULL;
	d->prefix_room = 0;
	for (i = 0; i < tree->nnodes && !d->failed; i++)
		put_node(d, tree->nodes[i]);
	flush(d);
	rc = d->failed ? -1 : 0;
	free(d->prefix);
	free(d);
	return rc;
}

/* ---- the digest ---- */

/* From so many nodes on, a thread of its own takes the digest of the text. */
#define MANY_NODES 8192

static int hash_text(void *data, const char *s, size_t n, struct unik_err *err)
{
	return unik_hash_update(data, s, n, err);
}

static int digest_here(const struct unik_tree *tree, struct unik_digest *digest,
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

static int pass_text(void *data, const char *s, size_t n, struct unik_err *err)
{
	return unik_sink_write(data, s, n, err);
}

static int digest_beside(const struct unik_tree *tree,
			 struct unik_digest *digest, struct unik_err *err)
{
	const struct unik_sink_options so = { .fd = -1, .hash = true };
	struct unik_sink *sink;
	int rc;

	if (unik_sink_new(&sink, &so, err) < 0)
		return -1;
	rc = unik_treedump(tree, pass_text, sink, err);
	if (rc == 0)
		rc = unik_sink_finish(sink, digest, err);
	unik_sink_free(sink);
	return rc;
}

int unik_tree_digest(const struct unik_tree *tree, struct unik_digest *digest,
		     struct unik_err *err)
{
	return tree->nnodes < MANY_NODES ? digest_here(tree, digest, err)
					 : digest_beside(tree, digest, err);
}
