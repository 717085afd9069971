/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * writer_iso: the System Use fields of one directory record, and how they are
 * spread over the record and continuation areas.
 *
 * An area lies within one block (Linux and NetBSD read no further), and a node
 * has as few as can be: NetBSD hangs on the second one, Linux stops after 31.
 */
#include <string.h>

#include "iso_held.h"
#include "writer_iso.h"

#define NAME_PIECE 250u /* 255 less the five bytes of an NM field's head */

uint8_t *unik_iso_field(struct iso_susp *s, const char *sig, size_t size)
{
	uint8_t *p = s->bytes + s->n;

	p[0] = (uint8_t)sig[0];
	p[1] = (uint8_t)sig[1];
	p[2] = (uint8_t)size;
	p[3] = 1;
	s->n += size;
	return p;
}

/* SUSP 5.3, 5.5.  Of the identifiers that mean Rock Ridge, "IEEE_1282" is that
 * of RRIP 1.12, the version in which PX has a serial number.  Linux takes any
 * ER, NetBSD and libarchive know this one as well as "RRIP_1991A", libisofs
 * reads serial numbers only with it, isoinfo looks at the fields alone.  The
 * descriptor and the source are texts for people; without them all fits in the
 * record, and no image needs a block for them. */
static void put_root(struct iso_susp *s)
{
	static const char id[] = "IEEE_1282";
	size_t n = sizeof(id) - 1;
	struct susp_er *er;

	er = (struct susp_er *)unik_iso_field(s, "ER", sizeof(*er) + n);
	er->id_size[0] = (uint8_t)n;
	er->des_size[0] = 0;
	er->src_size[0] = 0;
	er->ext_version[0] = 1;
	memcpy(er + 1, id, n);
}

static uint32_t mode_of(const struct unik_inode *inode)
{
	static const uint32_t type[UNIK_NTYPES] = {
		[UNIK_FILE] = ISO_S_IFREG,	[UNIK_DIR] = ISO_S_IFDIR,
		[UNIK_SYMLINK] = ISO_S_IFLNK,	[UNIK_CHAR] = ISO_S_IFCHR,
		[UNIK_BLOCK] = ISO_S_IFBLK,	[UNIK_FIFO] = ISO_S_IFIFO,
		[UNIK_SOCKET] = ISO_S_IFSOCK,	[UNIK_WHITEOUT] = ISO_S_IFREG,
	};

	return type[inode->type] | inode->mode;
}

static void put_attributes(struct iso_susp *s, const struct unik_inode *inode)
{
	struct rrip_px *px;
	uint8_t *tf;

	px = (struct rrip_px *)unik_iso_field(s, "PX", sizeof(*px));
	iso_put32(px->mode, mode_of(inode));
	iso_put32(px->nlink, inode->nlink);
	iso_put32(px->uid, inode->uid);
	iso_put32(px->gid, inode->gid);
	iso_put32(px->serial, inode->id + 1);
	tf = unik_iso_field(s, "TF", 5 + 3 * 7);
	tf[4] = RRIP_TF_MODIFY | RRIP_TF_ACCESS | RRIP_TF_ATTRIBUTES;
	unik_iso_time7(inode->mtime_sec, inode->mtime_nsec, tf + 5);
	memcpy(tf + 12, tf + 5, 7);
	memcpy(tf + 19, tf + 5, 7);
}

/*
 * RRIP 4.1.2 leaves open how a number is cut in two.  With both halves at most
 * 255 it goes into `low` in the old 16-bit form, which Linux, NetBSD, libisofs
 * and libarchive read alike.  A larger one has its major number in `high`, as
 * Linux wants it; libisofs and libarchive then show another number.
 */
static void put_device(struct iso_susp *s, const struct unik_rdev *dev)
{
	bool small = dev->major <= 255 && dev->minor <= 255;
	struct rrip_pn *pn;

	pn = (struct rrip_pn *)unik_iso_field(s, "PN", sizeof(*pn));
	iso_put32(pn->high, small ? 0 : dev->major);
	iso_put32(pn->low, small ? dev->major << 8 | dev->minor : dev->minor);
}

void unik_iso_rdev_held(struct unik_rdev *rdev)
{
	if (rdev->major == 0) {
		rdev->major = rdev->minor >> 8;
		rdev->minor &= 0xff;
	}
}

static void put_name(struct iso_susp *s, const struct unik_node *node)
{
	const char *name = node->name;
	size_t left = node->name_size;

	while (left > 0) {
		size_t n = left < NAME_PIECE ? left : NAME_PIECE;
		uint8_t *nm = unik_iso_field(s, "NM", 5 + n);

		left -= n;
		nm[4] = left > 0 ? RRIP_CONTINUE : 0;
		memcpy(nm + 5, name, n);
		name += n;
	}
}

void unik_iso_susp(const struct unik_writer *w, const struct unik_node *node,
		   enum iso_role role, struct iso_susp *s)
{
	const struct unik_inode *inode = node->inode;

	s->n = 0;
	if (role == ISO_SELF && !node->parent) {
		struct susp_sp *sp;

		sp = (struct susp_sp *)unik_iso_field(s, "SP", sizeof(*sp));
		sp->check[0] = 0xbe;
		sp->check[1] = 0xef;
		sp->skip[0] = 0;
	}
	put_attributes(s, inode);
	if (role == ISO_SELF && !node->parent)
		put_root(s);
	if (role != ISO_CHILD)
		return;
	if (inode->type == UNIK_CHAR || inode->type == UNIK_BLOCK)
		put_device(s, &inode->rdev);
	put_name(s, node);
	if (inode->type == UNIK_SYMLINK)
		unik_iso_symlink(s, inode->target, w->netbsd);
}

void unik_iso_ce(uint8_t *p, const struct iso_area *area)
{
	struct susp_ce *ce = (struct susp_ce *)p;

	memcpy(ce->head.sig, "CE", 2);
	ce->head.size[0] = sizeof(*ce);
	ce->head.version[0] = 1;
	iso_put32(ce->block, area->block);
	iso_put32(ce->offset, area->offset);
	iso_put32(ce->size, unik_iso_area_size(area));
}

/* The end of the last whole field within `room` bytes from `from`. */
static size_t fields_within(const struct iso_susp *s, size_t from, size_t room)
{
	size_t at = from;

	while (at < s->n && at + s->bytes[at + 2] - from <= room)
		at += s->bytes[at + 2];
	return at;
}

static void place(struct iso_cursor *at, struct iso_area *area)
{
	uint32_t size = unik_iso_area_size(area);

	if (at->offset + size > ISO_BLOCK) {
		at->block++;
		at->offset = 0;
	}
	area->block = at->block;
	area->offset = at->offset;
	at->offset += size;
}

size_t unik_iso_split(struct iso_susp *s, size_t base, struct iso_cursor *at,
		      struct iso_area areas[ISO_MAX_AREAS])
{
	size_t n = 0, from;

	s->inside = s->n;
	if (base + s->n <= ISO_RECORD_MAX)
		return 0;
	s->inside = fields_within(s, 0, ISO_RECORD_MAX - base -
					sizeof(struct susp_ce));
	for (from = s->inside; from < s->n; n++) {
		struct iso_area *a = &areas[n];
		size_t end = fields_within(s, from, ISO_BLOCK);

		a->more = end < s->n;
		if (a->more)
			end = fields_within(s, from, ISO_BLOCK -
						     sizeof(struct susp_ce));
		a->from = (uint32_t)from;
		a->size = (uint32_t)(end - from);
		place(at, a);
		from = end;
	}
	return n;
}
