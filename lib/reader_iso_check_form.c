/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * reader_iso: the records of our own images, to the byte: what a record says,
 * written once more by the writer's own functions, must be that record.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "reader_iso_check_private.h"
#include "writer_iso.h"

/* ---- what a record says, for the writer ---- */

struct rewritten {
	struct unik_inode inode;
	struct unik_node node;
	struct unik_node parent;
	struct unik_writer w;
	uint32_t suffix;
	struct iso_susp susp;
	struct iso_area areas[ISO_MAX_AREAS];
	/* The record's own fields, CE left out. */
	uint8_t fields[ISO_SUSP_MAX];
	size_t nfields;
	size_t inside; /* of them in the record */
};

static uint8_t type_of(uint32_t mode)
{
	switch (mode & ISO_S_IFMT) {
	case ISO_S_IFDIR:
		return UNIK_DIR;
	case ISO_S_IFLNK:
		return UNIK_SYMLINK;
	case ISO_S_IFCHR:
		return UNIK_CHAR;
	case ISO_S_IFBLK:
		return UNIK_BLOCK;
	case ISO_S_IFIFO:
		return UNIK_FIFO;
	case ISO_S_IFSOCK:
		return UNIK_SOCKET;
	default:
		return UNIK_FILE;
	}
}

static void set_inode(struct rewritten *r, const struct iso_attr *a)
{
	struct unik_inode *i = &r->inode;

	i->type = type_of(a->mode);
	i->mode = (uint16_t)(a->mode & 07777);
	i->nlink = a->nlink;
	i->id = a->ino - 1;
	i->uid = a->uid;
	i->gid = a->gid;
	i->mtime_sec = a->sec;
	if (i->type == UNIK_SYMLINK) {
		i->target = a->target;
		i->size = a->target_size;
	} else if (i->type == UNIK_CHAR || i->type == UNIK_BLOCK) {
		i->rdev = a->raw_rdev;
	}
}

/* Into the room that the check has for it: it is large, records are many. */
static struct rewritten *rewrite(struct iso_check *c, enum iso_role role,
				 bool root, struct unik_err *err)
{
	const struct iso_attr *a = &c->attr;
	struct rewritten *r = c->form;

	if (!r)
		r = c->form = malloc(sizeof(*r));
	if (!r) {
		unik_fail_mem(err);
		return NULL;
	}
	memset(r, 0, offsetof(struct rewritten, susp));
	r->nfields = 0;
	set_inode(r, a);
	r->node.name = a->name;
	r->node.name_size = (uint16_t)a->name_size;
	r->node.inode = &r->inode;
	r->node.parent = root ? NULL : &r->parent;
	r->w.suffix = &r->suffix;
	unik_iso_susp(&r->w, &r->node, role, &r->susp);
	return r;
}

/* ---- fields ---- */

/* Takes the fields at `p`; the CE field is the last one, where there is one. */
static bool take(struct rewritten *r, const uint8_t *p, size_t n, bool *more)
{
	*more = false;
	while (n > 0) {
		if (*more || n < sizeof(struct susp_head) || p[2] > n ||
		    p[2] < sizeof(struct susp_head))
			return n == 1 && p[0] == 0; /* 9.1.13 */
		if (memcmp(p, "CE", 2) == 0) {
			*more = true;
			if (p[2] != sizeof(struct susp_ce) || p[3] != 1)
				return false;
		} else if (r->nfields + p[2] > sizeof(r->fields)) {
			return false;
		} else {
			memcpy(r->fields + r->nfields, p, p[2]);
			r->nfields += p[2];
		}
		n -= p[2];
		p += p[2];
	}
	return true;
}

static int take_all(struct rewritten *r, struct iso_check *c,
		    const uint8_t *p, size_t n, bool *good,
		    struct unik_err *err)
{
	uint8_t buf[ISO_BLOCK];
	bool more;
	size_t i;

	*good = take(r, p, n, &more);
	r->inside = r->nfields;
	for (i = 0; i < c->attr.nareas && *good; i++) {
		const struct iso_region *area = &c->attr.areas[i];

		if (unik_pread_all(c->image.fd, buf, (size_t)area->size,
				   area->start, err) < 0)
			return -1;
		*good = more && take(r, buf, (size_t)area->size, &more);
	}
	*good = *good && !more;
	return 0;
}

static bool same_fields(struct rewritten *r, const struct iso_check *c,
			const struct iso_record *rec, size_t base)
{
	struct iso_cursor nowhere = { 0, 0 };
	size_t n = unik_iso_split(&r->susp, base, &nowhere, r->areas);
	size_t size = base + r->susp.inside +
		      (n > 0 ? sizeof(struct susp_ce) : 0);

	return rec->size[0] == size + (size & 1) && n == c->attr.nareas &&
	       r->inside == r->susp.inside && r->nfields == r->susp.n &&
	       memcmp(r->fields, r->susp.bytes, r->susp.n) == 0;
}

/* ---- identifiers ---- */

/* Of names whose identifiers would be equal, all but one have a number in it;
 * how many digits, the size of the directory says. */
static bool same_identifier(struct rewritten *r, const struct iso_record *rec)
{
	const uint8_t *id = iso_id(rec);
	const uint8_t *dot = memchr(id, '.', rec->id_size[0]);
	size_t end = dot ? (size_t)(dot - id) : rec->id_size[0], digits = 0;
	uint8_t want[ISO_ID_MAX];
	uint64_t number = 0, scale = 1;

	for (;;) {
		size_t n = unik_iso_identifier(&r->w, &r->node, want);

		if (n == rec->id_size[0] && memcmp(want, id, n) == 0)
			return true;
		if (digits == 9 || digits == end ||
		    id[end - digits - 1] < '0' || id[end - digits - 1] > '9')
			return false;
		number += (uint64_t)(id[end - ++digits] - '0') * scale;
		/* So many make a number of so many digits. */
		r->parent.nchildren = (uint32_t)(scale / 2);
		scale *= 10;
		r->suffix = (uint32_t)number;
	}
}

/* ---- all of a record ---- */

static bool same_head(const struct iso_record *rec, const struct iso_attr *a)
{
	const uint8_t *pad = iso_id(rec) + rec->id_size[0];
	uint8_t time[7];

	unik_iso_time7(a->sec, 0, time);
	return rec->xattr_size[0] == 0 && rec->unit_size[0] == 0 &&
	       rec->gap[0] == 0 && memcmp(rec->time, time, 7) == 0 &&
	       (rec->id_size[0] % 2 != 0 || *pad == 0);
}

int unik_iso_check_form(struct iso_check *c, const struct iso_record *rec,
			enum iso_form form, struct unik_err *err)
{
	static const enum iso_role roles[] = { ISO_SELF, ISO_PARENT,
					       ISO_CHILD };
	bool root = form == ISO_FORM_SELF && c->current == 0, good = true;
	struct rewritten *r = rewrite(c, roles[form], root, err);
	size_t base = sizeof(*rec) + rec->id_size[0];
	int rc;

	if (!r)
		return -1;
	base += base & 1;
	rc = take_all(r, c, (const uint8_t *)rec + base, rec->size[0] - base,
		      &good, err);
	if (rc < 0)
		return -1;
	if (!good || !same_head(rec, &c->attr) ||
	    !same_fields(r, c, rec, base) ||
	    (form == ISO_FORM_CHILD && !same_identifier(r, rec)))
		return unik_iso_bad_record(c, "not as written", err);
	return 0;
}
