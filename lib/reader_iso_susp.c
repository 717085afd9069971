/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * reader_iso: the System Use fields of a record.  Read the way Linux reads them
 * (fs/isofs/rock.c), since that decides what a mounted image shows.
 */
#include <string.h>

#include "reader_iso_private.h"

/* Where fields are being read, and where they go on. */
struct fields {
	struct iso_image *image;
	struct iso_attr *a;
	bool name_continues;
	bool target_slash; /* a '/' is due before the next component */
	bool more;
	uint32_t ce_block, ce_offset, ce_size;
};

/* ---- times ---- */

/* Days from 1970-01-01 to a date; the inverse of the writer's. */
static int64_t days_of(int64_t year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 +
		      day - 1;

	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static int64_t seconds(int64_t year, const int v[5], uint8_t offset)
{
	int quarters = (int8_t)offset;

	if (v[0] < 1 || v[0] > 12 || v[1] < 1 || v[1] > 31)
		return 0;
	if (quarters < -52 || quarters > 52) /* 9.1.5: -48 to +52 */
		quarters = 0;
	return days_of(year, v[0], v[1]) * 86400 + v[2] * 3600 + v[3] * 60 +
	       v[4] - quarters * 900;
}

int64_t unik_iso_stamp(const uint8_t stamp[7])
{
	int v[5] = { stamp[1], stamp[2], stamp[3], stamp[4], stamp[5] };

	return seconds(1900 + (int64_t)stamp[0], v, stamp[6]);
}

static int number(const uint8_t *digits, size_t n)
{
	int v = 0;

	for (; n > 0; n--, digits++) {
		if (*digits < '0' || *digits > '9')
			return 0;
		v = v * 10 + *digits - '0';
	}
	return v;
}

/* 8.4.26.1 */
static int64_t long_stamp(const uint8_t *p, uint32_t *nsec)
{
	int v[5] = { number(p + 4, 2), number(p + 6, 2), number(p + 8, 2),
		     number(p + 10, 2), number(p + 12, 2) };

	*nsec = (uint32_t)number(p + 14, 2) * 10000000;
	return seconds(number(p, 4), v, p[16]);
}

static int take_times(struct fields *f, const uint8_t *p, struct unik_err *err)
{
	struct iso_attr *a = f->a;
	size_t size = p[4] & RRIP_TF_LONG ? 17 : 7;
	size_t at = 5 + (p[4] & RRIP_TF_CREATION ? size : 0);

	if (!(p[4] & RRIP_TF_MODIFY))
		return 0;
	if (at + size > p[2])
		return unik_fail(err, "a TF field is too short");
	a->tf = true;
	a->nsec = 0;
	a->sec = size == 7 ? unik_iso_stamp(p + at)
			   : long_stamp(p + at, &a->nsec);
	return 0;
}

/* ---- names and targets ---- */

static int take_name(struct fields *f, const uint8_t *p, struct unik_err *err)
{
	struct iso_attr *a = f->a;
	size_t n = p[2] - 5u;

	if (p[4] & (RRIP_CURRENT | RRIP_PARENT)) /* "." and ".." */
		return 0;
	if (a->nm && !f->name_continues)
		return unik_fail(err, "two names in one record");
	if (a->name_size + n > sizeof(a->name) - 1)
		return unik_fail(err, "a name of more than 255 bytes");
	memcpy(a->name + a->name_size, p + 5, n);
	a->name_size += n;
	a->nm = true;
	f->name_continues = p[4] & RRIP_CONTINUE;
	return 0;
}

static bool append(struct iso_attr *a, const void *text, size_t n)
{
	if (a->target_size + n > sizeof(a->target) - 1)
		return false;
	memcpy(a->target + a->target_size, text, n);
	a->target_size += n;
	return true;
}

static bool take_component(struct fields *f, const uint8_t *p)
{
	struct iso_attr *a = f->a;
	uint8_t kind = p[0] & ~RRIP_CONTINUE;
	bool good;

	if (f->target_slash && !append(a, "/", 1))
		return false;
	f->target_slash = !(p[0] & (RRIP_CONTINUE | RRIP_ROOT));
	switch (kind) {
	case 0:
		good = append(a, p + 2, p[1]);
		break;
	case RRIP_CURRENT:
		good = append(a, ".", 1);
		break;
	case RRIP_PARENT:
		good = append(a, "..", 2);
		break;
	case RRIP_ROOT:
		good = append(a, "/", 1);
		break;
	default:
		good = false;
	}
	return good;
}

static int take_target(struct fields *f, const uint8_t *p, struct unik_err *err)
{
	size_t at = 5;

	f->a->sl = true;
	while (at + 2 <= p[2]) {
		if (at + 2u + p[at + 1] > p[2] || !take_component(f, p + at))
			return unik_fail(err, "a symlink's component is bad, "
					 "or its target too long");
		at += 2u + p[at + 1];
	}
	return 0;
}

/* ---- the other fields ---- */

static int take_attributes(struct fields *f, const uint8_t *p,
			   struct unik_err *err)
{
	const struct rrip_px *px = (const void *)p;
	struct iso_attr *a = f->a;

	if (!iso_both32(px->mode) || !iso_both32(px->nlink) ||
	    !iso_both32(px->uid) || !iso_both32(px->gid))
		return unik_fail(err, "the numbers of a PX field disagree");
	a->px = true;
	a->mode = iso_get32le(px->mode);
	a->nlink = iso_get32le(px->nlink);
	a->uid = iso_get32le(px->uid);
	a->gid = iso_get32le(px->gid);
	if (p[2] < sizeof(*px)) /* before RRIP 1.12 */
		return 0;
	if (!iso_both32(px->serial))
		return unik_fail(err, "the numbers of a PX field disagree");
	a->serial = true;
	a->ino = iso_get32le(px->serial);
	return 0;
}

/* As Linux takes it: see put_device() of the writer. */
static int take_device(struct fields *f, const uint8_t *p, struct unik_err *err)
{
	const struct rrip_pn *pn = (const void *)p;
	uint32_t high = iso_get32le(pn->high), low = iso_get32le(pn->low);

	if (!iso_both32(pn->high) || !iso_both32(pn->low))
		return unik_fail(err, "the numbers of a PN field disagree");
	f->a->pn = true;
	f->a->raw_rdev.major = high;
	f->a->raw_rdev.minor = low;
	f->a->rdev.major = high == 0 ? low >> 8 : high;
	f->a->rdev.minor = high == 0 ? low & 0xff : low;
	return 0;
}

static int take_area(struct fields *f, const uint8_t *p, struct unik_err *err)
{
	const struct susp_ce *ce = (const void *)p;

	if (!iso_both32(ce->block) || !iso_both32(ce->offset) ||
	    !iso_both32(ce->size))
		return unik_fail(err, "the numbers of a CE field disagree");
	if (f->more)
		return unik_fail(err, "two continuations in one area");
	f->more = true;
	f->ce_block = iso_get32le(ce->block);
	f->ce_offset = iso_get32le(ce->offset);
	f->ce_size = iso_get32le(ce->size);
	return 0;
}

static int take_link(struct fields *f, const uint8_t *p, struct unik_err *err)
{
	const struct rrip_link *l = (const void *)p;

	if (!iso_both32(l->block))
		return unik_fail(err, "the numbers of a link field disagree");
	f->a->cl = true;
	f->a->child = iso_get32le(l->block);
	return 0;
}

static int take_mark(struct fields *f, const uint8_t *p, struct unik_err *err)
{
	(void)p;
	(void)err;
	f->a->re = true;
	return 0;
}

static const struct {
	char sig[3];
	uint8_t least; /* bytes */
	int (*take)(struct fields *f, const uint8_t *p, struct unik_err *err);
} field_table[] = {
	{ "PX", 36, take_attributes },
	{ "TF", 5, take_times },
	{ "NM", 5, take_name },
	{ "SL", 5, take_target },
	{ "PN", 20, take_device },
	{ "CE", 28, take_area },
	{ "CL", 12, take_link },
	{ "RE", 4, take_mark },
};

static int take_field(struct fields *f, const uint8_t *p, struct unik_err *err)
{
	size_t i;

	for (i = 0; i < sizeof(field_table) / sizeof(field_table[0]); i++) {
		if (memcmp(p, field_table[i].sig, 2) != 0)
			continue;
		if (p[2] < field_table[i].least)
			return unik_fail(err, "a %s field of %u bytes",
					 field_table[i].sig, p[2]);
		return field_table[i].take(f, p, err);
	}
	return 0; /* other protocols' fields (SUSP 4) */
}

static int take_fields(struct fields *f, const uint8_t *p, size_t n,
		       struct unik_err *err)
{
	/* Less than a head may be left over (SUSP 4). */
	while (n >= sizeof(struct susp_head)) {
		if (memcmp(p, "ST", 2) == 0) /* SUSP 5.4 */
			break;
		if (p[2] == 0 && p[0] == 0) /* padding of some writers */
			break;
		if (p[2] < sizeof(struct susp_head) || p[2] > n)
			return unik_fail(err, "a field leaves its area");
		if (take_field(f, p, err) < 0)
			return -1;
		n -= p[2];
		p += p[2];
	}
	return 0;
}

static int follow(struct fields *f, struct unik_err *err)
{
	struct iso_image *image = f->image;
	struct iso_attr *a = f->a;
	uint8_t buf[ISO_BLOCK];
	struct iso_region *area = &a->areas[a->nareas];

	f->more = false;
	if (a->nareas == ISO_HOPS)
		return unik_fail(err, "more than %u continuation areas",
				 ISO_HOPS);
	/* Linux and NetBSD read no area that leaves its block. */
	if (f->ce_size > ISO_BLOCK || f->ce_offset > ISO_BLOCK - f->ce_size ||
	    f->ce_block <= ISO_PVD_BLOCK || f->ce_block >= image->nblocks)
		return unik_fail(err, "a continuation area is outside");
	if (f->ce_size > image->area_left)
		return unik_fail(err, "continuation areas overlap");
	image->area_left -= f->ce_size;
	area->start = (uint64_t)f->ce_block * ISO_BLOCK + f->ce_offset;
	area->size = f->ce_size;
	a->nareas++;
	if (unik_pread_all(image->fd, buf, f->ce_size, area->start, err) < 0)
		return -1;
	return take_fields(f, buf, f->ce_size, err);
}

/* Names that a tree can't hold. */
static int check_texts(const struct fields *f, struct unik_err *err)
{
	struct iso_attr *a = f->a;

	a->name[a->name_size] = 0;
	a->target[a->target_size] = 0;
	if (f->name_continues)
		return unik_fail(err, "a name without its end");
	if (a->nm && (a->name_size == 0 || memchr(a->name, '/', a->name_size) ||
		      memchr(a->name, 0, a->name_size) ||
		      strcmp(a->name, ".") == 0 || strcmp(a->name, "..") == 0))
		return unik_fail(err, "a name that can't be one");
	if (memchr(a->target, 0, a->target_size))
		return unik_fail(err, "NUL byte in a symlink target");
	return 0;
}

/* Without PX: Linux shows r-xr-xr-x, owned by root. */
static void set_defaults(struct iso_attr *a, const struct iso_record *r)
{
	bool dir = r->flags[0] & ISO_FLAG_DIR;

	a->mode = (dir ? ISO_S_IFDIR : ISO_S_IFREG) | 0555;
	a->nlink = 1;
	a->sec = unik_iso_stamp(r->time);
}

int unik_iso_attr(struct iso_image *image, const struct iso_record *record,
		  bool root, struct iso_attr *a, struct unik_err *err)
{
	size_t at = sizeof(*record) + record->id_size[0];
	struct fields f = { .image = image, .a = a };

	memset(a, 0, offsetof(struct iso_attr, areas));
	a->name[0] = 0;
	a->target[0] = 0;
	set_defaults(a, record);
	if (!image->rock)
		return 0;
	at += at & 1;
	at += root ? 0 : image->skip;
	if (at < record->size[0] &&
	    take_fields(&f, (const uint8_t *)record + at, record->size[0] - at,
			err) < 0)
		return -1;
	while (f.more)
		if (follow(&f, err) < 0)
			return -1;
	return check_texts(&f, err);
}
