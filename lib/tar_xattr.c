/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tar: extended attributes in pax records.
 *   SCHILY.xattr.NAME=<raw bytes>             star(5), GNU tar, Go
 *   LIBARCHIVE.xattr.<%-encoded NAME>=<base64> libarchive's tar(5)
 * Where both name an attribute, SCHILY's raw bytes win.
 */
#include <stdlib.h>
#include <string.h>

#include "tar_private.h"

#define SCHILY_SIZE 13
#define LIBARCHIVE_SIZE 17

static int push(struct tar_pax *pax, const char *name, size_t nname,
		const uint8_t *value, size_t nvalue, struct unik_err *err)
{
	struct unik_xattr *x;

	if (nname > 255)
		return unik_fail(err, "extended attribute name of %zu bytes is "
				 "over 255", nname);
	if (pax->nxattrs == pax->xattr_room) {
		size_t room = pax->xattr_room ? pax->xattr_room * 2 : 16;

		x = realloc(pax->xattrs, room * sizeof(*x));
		if (!x)
			return unik_fail_mem(err);
		pax->xattrs = x;
		pax->xattr_room = room;
	}
	x = &pax->xattrs[pax->nxattrs++];
	x->name = name;
	x->name_size = (uint32_t)nname;
	x->value = value;
	x->value_size = (uint32_t)nvalue;
	return 0;
}

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Base64 (RFC 4648), with or without padding; false where it is not. */
static bool base64(const char *s, size_t n, uint8_t *out, size_t *size)
{
	uint32_t bits = 0;
	unsigned nbits = 0;

	*size = 0;
	while (n > 0 && s[n - 1] == '=')
		n--;
	if (n % 4 == 1)
		return false;
	for (; n > 0; n--, s++) {
		int v = base64_value(*s);

		if (v < 0)
			return false;
		bits = (bits << 6 | (uint32_t)v) & 0xffffff;
		nbits += 6;
		if (nbits >= 8) {
			nbits -= 8;
			out[(*size)++] = (uint8_t)(bits >> nbits);
		}
	}
	return true;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* %HH; any other byte stands for itself. */
static size_t percent(const char *s, size_t n, uint8_t *out)
{
	size_t size = 0;

	while (n > 0) {
		if (*s == '%' && n >= 3 && hex(s[1]) >= 0 && hex(s[2]) >= 0) {
			out[size++] = (uint8_t)(hex(s[1]) << 4 | hex(s[2]));
			s += 3;
			n -= 3;
		} else {
			out[size++] = (uint8_t)*s++;
			n--;
		}
	}
	return size;
}

static int decode(struct tar_pax *pax, const char *name, size_t nname,
		  const char *value, size_t nvalue, struct unik_err *err)
{
	/* The decoded forms are shorter than the body that holds them all, so
	 * this buffer never moves while pointers into it are alive. */
	if (tar_buf_reserve(&pax->decoded, pax->body.size + 1, err) < 0)
		return -1;
	uint8_t *n = pax->decoded.p + pax->decoded.size, *v;
	size_t nn = percent(name, nname, n), nv;

	if (memchr(n, 0, nn))
		return unik_fail(err, "NUL byte in the name of an extended "
				 "attribute");
	n[nn] = 0;
	v = n + nn + 1;
	if (!base64(value, nvalue, v, &nv))
		return unik_fail(err, "bad base64 in a LIBARCHIVE.xattr "
				 "record");
	pax->decoded.size += nn + 1 + nv;
	return push(pax, (const char *)n, nn, v, nv, err);
}

int tar_pax_xattr(struct tar_pax *pax, const char *key, size_t nkey,
		  const char *value, size_t nvalue, struct unik_err *err)
{
	char *name;

	if (key[0] == 'L')
		return decode(pax, key + LIBARCHIVE_SIZE,
			      nkey - LIBARCHIVE_SIZE, value, nvalue, err);
	/* The '=' behind the name becomes its NUL: the body is ours. */
	name = (char *)pax->body.p + (key - (const char *)pax->body.p);
	name[nkey] = 0;
	return push(pax, name + SCHILY_SIZE, nkey - SCHILY_SIZE,
		    (const uint8_t *)value, nvalue, err);
}
