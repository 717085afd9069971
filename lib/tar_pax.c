/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tar: pax records, POSIX.1-2017 pax, "pax Extended Header":
 * `<length> <keyword>=<value>\n`, the length counting the whole record. */
#include <stdlib.h>
#include <string.h>

#include "limits.h"
#include "tar_private.h"

bool tar_decimal(const char *s, size_t n, uint64_t *out)
{
	uint64_t v = 0;

	if (n == 0)
		return false;
	for (; n > 0; n--, s++) {
		if (*s < '0' || *s > '9' || !unik_mul(v, 10, &v) ||
		    !unik_add(v, (uint64_t)(*s - '0'), &v))
			return false;
	}
	*out = v;
	return true;
}

/* "[-]seconds[.fraction]": floor to nanoseconds, digits past the ninth cut. */
static bool pax_time(const char *s, size_t n, int64_t *sec, uint32_t *nsec)
{
	const char *dot = memchr(s, '.', n);
	bool minus = n > 0 && s[0] == '-';
	size_t whole = dot ? (size_t)(dot - s) : n, i;
	uint32_t fraction = 0, digit = 100000000;
	uint64_t v;

	if (!tar_decimal(s + minus, whole - minus, &v) || v > INT64_MAX - 1)
		return false;
	for (i = whole + 1; i < n; i++, digit /= 10) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		fraction += (uint32_t)(s[i] - '0') * digit;
	}
	*sec = minus ? -(int64_t)v : (int64_t)v;
	*nsec = fraction;
	if (minus && fraction > 0) {
		*sec -= 1;
		*nsec = 1000000000 - fraction;
	}
	return true;
}

struct record {
	const char *key, *value;
	size_t nkey, nvalue;
};

static bool is(const struct record *r, const char *key)
{
	return r->nkey == strlen(key) && memcmp(r->key, key, r->nkey) == 0;
}

static int bad_value(const struct record *r, struct unik_err *err)
{
	char qk[UNIK_QUOTE_SIZE], qv[UNIK_QUOTE_SIZE];

	return unik_fail(err, "pax record %s has the bad value %s",
			 unik_quote(qk, r->key, r->nkey),
			 unik_quote(qv, r->value, r->nvalue));
}

static int pax_text(struct tar_pax *pax, const struct record *r, unsigned bit,
		    const char **text, size_t *size, struct unik_err *err)
{
	if (memchr(r->value, 0, r->nvalue))
		return bad_value(r, err);
	*text = r->value;
	*size = r->nvalue;
	pax->have |= bit;
	return 0;
}

static int pax_number(struct tar_pax *pax, const struct record *r, unsigned bit,
		      uint64_t *out, struct unik_err *err)
{
	if (!tar_decimal(r->value, r->nvalue, out) || *out > INT64_MAX)
		return bad_value(r, err);
	pax->have |= bit;
	return 0;
}

/* GNU tar manual, "Storing Sparse Files" (formats 0.0, 0.1 and 1.0). */
static int pax_sparse(struct unik_tar *t, struct tar_pax *pax,
		      const struct record *r, struct unik_err *err)
{
	uint64_t v;

	if (is(r, "GNU.sparse.name"))
		return pax_text(pax, r, PAX_SPARSE_NAME, &pax->sparse_name,
				&pax->sparse_name_size, err);
	if (is(r, "GNU.sparse.map")) {
		pax->have |= PAX_SPARSE_MAP;
		pax->half_piece = false;
		t->npieces = 0;
		return tar_sparse_list(t, r->value, r->nvalue, err);
	}
	if (!tar_decimal(r->value, r->nvalue, &v) || v > INT64_MAX)
		return bad_value(r, err);
	if (is(r, "GNU.sparse.size") || is(r, "GNU.sparse.realsize")) {
		pax->sparse_size = v;
		pax->have |= PAX_SPARSE_SIZE;
	} else if (is(r, "GNU.sparse.major")) {
		pax->sparse_major = v > 9 ? 9 : (int)v;
	} else if (is(r, "GNU.sparse.minor")) {
		pax->sparse_minor = v > 9 ? 9 : (int)v;
	} else if (is(r, "GNU.sparse.offset")) {
		if (pax->half_piece)
			return bad_value(r, err);
		pax->have |= PAX_SPARSE_MAP;
		pax->half_piece = true;
		return tar_sparse_add(t, v, 0, err);
	} else if (is(r, "GNU.sparse.numbytes")) {
		if (!pax->half_piece)
			return bad_value(r, err);
		pax->half_piece = false;
		t->pieces[t->npieces - 1].size = v;
	}
	return 0;
}

static int pax_standard(struct tar_pax *pax, const struct record *r,
			struct unik_err *err)
{
	int64_t sec;
	uint32_t nsec;

	if (is(r, "path"))
		return pax_text(pax, r, PAX_PATH, &pax->path, &pax->path_size,
				err);
	if (is(r, "linkpath"))
		return pax_text(pax, r, PAX_LINKPATH, &pax->linkpath,
				&pax->linkpath_size, err);
	if (is(r, "size"))
		return pax_number(pax, r, PAX_SIZE, &pax->size, err);
	if (is(r, "uid"))
		return pax_number(pax, r, PAX_UID, &pax->uid, err);
	if (is(r, "gid"))
		return pax_number(pax, r, PAX_GID, &pax->gid, err);
	if (is(r, "SCHILY.devmajor"))
		return pax_number(pax, r, PAX_RDEV_MAJOR, &pax->rdev_major,
				  err);
	if (is(r, "SCHILY.devminor"))
		return pax_number(pax, r, PAX_RDEV_MINOR, &pax->rdev_minor,
				  err);
	if (is(r, "atime") || is(r, "ctime"))
		return pax_time(r->value, r->nvalue, &sec, &nsec)
			       ? 0 : bad_value(r, err);
	if (is(r, "mtime")) {
		if (!pax_time(r->value, r->nvalue, &pax->mtime_sec,
			      &pax->mtime_nsec))
			return bad_value(r, err);
		pax->have |= PAX_MTIME;
	}
	return 0;
}

/* An empty value takes an earlier one back: the header's field counts. */
static void pax_forget(struct unik_tar *t, struct tar_pax *pax,
		       const struct record *r)
{
	static const struct {
		const char *key;
		unsigned bits;
	} keys[] = {
		{ "path", PAX_PATH }, { "linkpath", PAX_LINKPATH },
		{ "size", PAX_SIZE }, { "uid", PAX_UID }, { "gid", PAX_GID },
		{ "mtime", PAX_MTIME }, { "GNU.sparse.name", PAX_SPARSE_NAME },
		{ "GNU.sparse.map", PAX_SPARSE_MAP },
	};
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (!is(r, keys[i].key))
			continue;
		pax->have &= ~keys[i].bits;
		if (keys[i].bits == PAX_SPARSE_MAP) {
			pax->half_piece = false;
			t->npieces = 0;
		}
	}
}

static bool starts(const struct record *r, const char *prefix)
{
	size_t n = strlen(prefix);

	return r->nkey > n && memcmp(r->key, prefix, n) == 0;
}

/* `early`: LIBARCHIVE.xattr records only, so that SCHILY's come behind them
 * and win; else all others. */
static int pax_record(struct unik_tar *t, struct tar_pax *pax,
		      const struct record *r, bool early, struct unik_err *err)
{
	if (starts(r, "LIBARCHIVE.xattr.") != early)
		return 0;
	if (!is(r, "comment"))
		pax->keys = true;
	if (memchr(r->key, 0, r->nkey))
		return unik_fail(err, "NUL byte in a pax keyword");
	if (early || starts(r, "SCHILY.xattr."))
		return tar_pax_xattr(pax, r->key, r->nkey, r->value,
				     r->nvalue, err);
	if (r->nvalue == 0) {
		pax_forget(t, pax, r);
		return 0;
	}
	if (starts(r, "GNU.sparse."))
		return pax_sparse(t, pax, r, err);
	return pax_standard(pax, r, err);
}

/* Splits the record at p (n bytes left); *size gets its length. */
static int split_record(const char *p, size_t n, struct record *r, size_t *size,
			struct unik_err *err)
{
	const char *space = memchr(p, ' ', n < 21 ? n : 21);
	const char *equals;
	uint64_t length;

	if (!space || !tar_decimal(p, (size_t)(space - p), &length) ||
	    length > n || length < (size_t)(space - p) + 3)
		return unik_fail(err, "bad length of a pax record");
	if (p[length - 1] != '\n')
		return unik_fail(err, "pax record without its newline");
	r->key = space + 1;
	equals = memchr(r->key, '=', (size_t)(p + length - 1 - r->key));
	if (!equals || equals == r->key)
		return unik_fail(err, "pax record without '='");
	r->nkey = (size_t)(equals - r->key);
	r->value = equals + 1;
	r->nvalue = (size_t)(p + length - 1 - r->value);
	*size = length;
	return 0;
}

static int parse_records(struct unik_tar *t, struct tar_pax *pax, bool early,
			 struct unik_err *err)
{
	const char *p = (const char *)pax->body.p;
	size_t n = pax->body.size, size = 0;
	struct record r;

	while (n > 0) {
		if (split_record(p, n, &r, &size, err) < 0 ||
		    pax_record(t, pax, &r, early, err) < 0)
			return -1;
		p += size;
		n -= size;
	}
	return 0;
}

int tar_pax_parse(struct unik_tar *t, struct tar_pax *pax, struct unik_err *err)
{
	if (parse_records(t, pax, true, err) < 0 ||
	    parse_records(t, pax, false, err) < 0)
		return -1;
	if (pax->half_piece)
		return unik_fail(err, "pax sparse map is cut short");
	return 0;
}

void tar_pax_reset(struct unik_tar *t)
{
	struct tar_pax *pax = &t->pax;
	struct tar_buf body = pax->body, decoded = pax->decoded;
	struct unik_xattr *xattrs = pax->xattrs;
	size_t room = pax->xattr_room;

	memset(pax, 0, sizeof(*pax));
	pax->body = body;
	pax->body.size = 0;
	pax->xattrs = xattrs;
	pax->xattr_room = room;
	pax->decoded = decoded;
	pax->decoded.size = 0;
	pax->sparse_major = -1;
	pax->sparse_minor = -1;
	t->npieces = 0;
	t->have_pax = false;
}

static int apply_names(struct unik_tar *t, struct unik_err *err)
{
	const struct tar_pax *pax = &t->pax;

	if ((pax->have & PAX_PATH) &&
	    tar_buf_set(&t->name, pax->path, pax->path_size, err) < 0)
		return -1;
	if ((pax->have & PAX_SPARSE_NAME) &&
	    tar_buf_set(&t->name, pax->sparse_name, pax->sparse_name_size,
			err) < 0)
		return -1;
	if (pax->have & PAX_LINKPATH)
		return tar_buf_set(&t->link, pax->linkpath, pax->linkpath_size,
				   err);
	return 0;
}

int tar_pax_apply(struct unik_tar *t, struct unik_tar_entry *e,
		  struct unik_err *err)
{
	const struct tar_pax *pax = &t->pax;

	if (apply_names(t, err) < 0)
		return -1;
	if (pax->have & PAX_SIZE)
		e->size = pax->size;
	if (pax->have & PAX_UID)
		e->uid = pax->uid;
	if (pax->have & PAX_GID)
		e->gid = pax->gid;
	if (pax->have & PAX_RDEV_MAJOR)
		e->rdev_major = pax->rdev_major;
	if (pax->have & PAX_RDEV_MINOR)
		e->rdev_minor = pax->rdev_minor;
	if (pax->have & PAX_MTIME) {
		e->mtime_sec = pax->mtime_sec;
		e->mtime_nsec = pax->mtime_nsec;
	}
	e->xattrs = pax->xattrs;
	e->nxattrs = pax->nxattrs;
	return 0;
}
