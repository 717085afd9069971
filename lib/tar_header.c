/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tar: one header block. */
#define _POSIX_C_SOURCE 200809L
#include <string.h>

#include "tar_private.h"

bool tar_is_zero(const uint8_t *block)
{
	return unik_all_zero(block, TAR_BLOCK);
}

/* Octal text as writers make it: leading and trailing spaces and NULs do not
 * count; an empty field is 0.  False where anything else is in it. */
static bool octal(const char *field, size_t n, uint64_t *out)
{
	uint64_t v = 0;
	size_t i;

	/* Most have no spaces: digits, and a NUL or a space behind. */
	for (i = 0; i + 1 < n && (field[i] & 0xf8) == '0'; i++)
		v = v << 3 | (uint64_t)(field[i] & 7);
	if (i + 1 == n && (field[i] == ' ' || field[i] == 0) && n <= 20) {
		*out = v;
		return true;
	}
	v = 0;
	while (n > 0 && (field[0] == ' ' || field[0] == 0)) {
		field++;
		n--;
	}
	while (n > 0 && (field[n - 1] == ' ' || field[n - 1] == 0))
		n--;
	for (; n > 0; n--, field++) {
		if (*field == 0) /* what follows a NUL is not looked at */
			break;
		if (*field < '0' || *field > '7' || v >> 60)
			return false;
		v = v << 3 | (uint64_t)(*field - '0');
	}
	*out = v;
	return true;
}

/* GNU tar manual, "Extensions to the Archive Format": the top bit of the
 * first byte marks a two's complement number, big-endian, 7 + 8 (n - 1) bits.
 */
static bool base256(const char *field, size_t n, int64_t *out)
{
	const uint8_t *p = (const uint8_t *)field;
	uint8_t fill = p[0] & 0x40 ? 0xff : 0;
	uint64_t v = fill ? ~UINT64_C(0) : 0;
	size_t i;

	for (i = 0; i < n; i++) {
		uint8_t c = p[i];

		if (i == 0)
			c = fill ? c : c & 0x7f;
		if (n - i > 8) {
			if (c != fill)
				return false;
			continue;
		}
		if (n - i == 8 && (c & 0x80) != (fill & 0x80))
			return false;
		v = v << 8 | c;
	}
	memcpy(out, &v, sizeof(v));
	return true;
}

int tar_number(const char *field, size_t n, int64_t *out, struct unik_err *err,
	       const char *what)
{
	char q[UNIK_QUOTE_SIZE];
	uint64_t v;

	if (field[0] & 0x80) {
		if (base256(field, n, out))
			return 0;
		return unik_fail(err, "%s does not fit 64 bits", what);
	}
	if (!octal(field, n, &v) || v > INT64_MAX)
		return unik_fail(err, "%s is %s, not a number", what,
				 unik_quote(q, field, n));
	*out = (int64_t)v;
	return 0;
}

/* The sum of all bytes, eight at a time, and how many are above 127. */
static void sum_bytes(const uint8_t *p, uint32_t *sum, uint32_t *high)
{
	const uint64_t even = UINT64_C(0x00ff00ff00ff00ff);
	uint64_t lanes = 0, any = 0, v; /* four sums of 16 bits */
	size_t i;

	_Static_assert(TAR_BLOCK / 4 * 255 <= UINT16_MAX, "sums of 16 bits");
	for (i = 0; i < TAR_BLOCK; i += sizeof(v)) {
		memcpy(&v, p + i, sizeof(v));
		lanes += (v & even) + (v >> 8 & even);
		any |= v;
	}
	for (*sum = 0; lanes; lanes >>= 16)
		*sum += (uint32_t)(lanes & 0xffff);
	*high = 0;
	if (any & UINT64_C(0x8080808080808080))
		for (i = 0; i < TAR_BLOCK; i++)
			*high += p[i] >> 7;
}

bool tar_checksum_ok(const struct tar_header *h)
{
	uint32_t sum, high;
	uint64_t want;
	size_t i;

	sum_bytes((const uint8_t *)h, &sum, &high);
	sum += 8 * ' '; /* the field counts as spaces */
	for (i = 0; i < sizeof(h->checksum); i++) {
		uint8_t c = (uint8_t)h->checksum[i];

		sum -= c;
		high -= c >> 7;
	}
	if (!octal(h->checksum, sizeof(h->checksum), &want))
		return false;
	/* Old writers added signed chars: 256 less for each above 127. */
	return want == sum ||
	       (int64_t)want == (int64_t)sum - 256 * (int64_t)high;
}

bool unik_tar_is_header(const uint8_t *block)
{
	struct tar_header h;

	memcpy(&h, block, sizeof(h));
	return !tar_is_zero(block) && tar_checksum_ok(&h);
}

enum tar_dialect tar_dialect(const struct tar_header *h)
{
	const char *b = (const char *)h;

	if (memcmp(h->magic, "ustar", 6) == 0)
		return memcmp(b + 508, "tar", 4) == 0 ? TAR_STAR : TAR_USTAR;
	if (memcmp(h->magic, "ustar ", 6) == 0 &&
	    memcmp(h->version, " ", 2) == 0)
		return TAR_GNU;
	return TAR_V7;
}

static int header_name(struct unik_tar *t, enum tar_dialect dialect,
		       struct unik_err *err)
{
	const struct tar_header *h = &t->block.h;
	size_t nname = strnlen(h->name, sizeof(h->name));
	size_t nprefix = 0;

	if (dialect == TAR_USTAR)
		nprefix = strnlen(h->prefix, sizeof(h->prefix));
	else if (dialect == TAR_STAR) /* times follow the shorter prefix */
		nprefix = strnlen(h->prefix, 131);
	if (tar_buf_reserve(&t->name, nprefix + nname + 2, err) < 0)
		return -1;
	t->name.size = 0;
	if (nprefix > 0) {
		memcpy(t->name.p, h->prefix, nprefix);
		t->name.p[nprefix] = '/';
		t->name.size = nprefix + 1;
	}
	memcpy(t->name.p + t->name.size, h->name, nname);
	t->name.size += nname;
	t->name.p[t->name.size] = 0;
	return tar_buf_set(&t->link, h->linkname,
			   strnlen(h->linkname, sizeof(h->linkname)), err);
}

static int header_devices(const struct tar_header *h, struct unik_tar_entry *e,
			  struct unik_err *err)
{
	int64_t major, minor;

	if (tar_number(h->devmajor, sizeof(h->devmajor), &major, err,
		       "device major") < 0 ||
	    tar_number(h->devminor, sizeof(h->devminor), &minor, err,
		       "device minor") < 0)
		return -1;
	if (major < 0 || minor < 0)
		return unik_fail(err, "negative device number");
	e->rdev_major = (uint64_t)major;
	e->rdev_minor = (uint64_t)minor;
	return 0;
}

int tar_header_fields(struct unik_tar *t, struct unik_tar_entry *e,
		      struct unik_err *err)
{
	const struct tar_header *h = &t->block.h;
	enum tar_dialect dialect = tar_dialect(h);
	int64_t mode, uid, gid, size, mtime;

	if (header_name(t, dialect, err) < 0 ||
	    tar_number(h->mode, sizeof(h->mode), &mode, err, "mode") < 0 ||
	    tar_number(h->uid, sizeof(h->uid), &uid, err, "uid") < 0 ||
	    tar_number(h->gid, sizeof(h->gid), &gid, err, "gid") < 0 ||
	    tar_number(h->size, sizeof(h->size), &size, err, "size") < 0 ||
	    tar_number(h->mtime, sizeof(h->mtime), &mtime, err, "mtime") < 0)
		return -1;
	if (size < 0)
		return unik_fail(err, "negative size");
	e->typeflag = h->typeflag;
	e->mode = (uint32_t)mode & 07777;
	e->uid = (uint64_t)uid; /* a negative one is out of range later */
	e->gid = (uint64_t)gid;
	e->size = (uint64_t)size;
	e->mtime_sec = mtime;
	if (h->typeflag == '3' || h->typeflag == '4')
		return dialect == TAR_V7 ? 0 : header_devices(h, e, err);
	return 0;
}
