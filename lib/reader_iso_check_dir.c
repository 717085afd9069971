/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * reader_iso: checking all directories, level by level, which is the order of
 * the path tables (6.9.1).  The hierarchy is that of ISO 9660: relocated
 * directories are where they were moved to.
 */
#include <stdlib.h>
#include <string.h>

#include "reader_iso_check_private.h"

/* Memory follows the number of records: so many areas they may have, one with
 * the other; no writer needs more than a few for any. */
#define AREAS_EACH 8u
#define AREAS_MORE 1024u

int unik_iso_bad_record(const struct iso_check *c, const char *what,
			struct unik_err *err)
{
	return unik_fail(err, "directory at block %lu, record at byte %lu: %s",
			 (unsigned long)c->walk.dir.block,
			 (unsigned long)c->walk.at, what);
}

static int wrap_record(const struct iso_check *c, struct unik_err *err)
{
	return unik_wrap(err, "directory at block %lu, record at byte %lu",
			 (unsigned long)c->walk.dir.block,
			 (unsigned long)c->walk.at);
}

/* ---- order ---- */

static int compare_part(const uint8_t *a, size_t na, const uint8_t *b,
			size_t nb)
{
	size_t n = na > nb ? na : nb, i;

	for (i = 0; i < n; i++) { /* 9.3: padded with spaces */
		int x = i < na ? a[i] : ' ', y = i < nb ? b[i] : ' ';

		if (x != y)
			return x - y;
	}
	return 0;
}

static size_t until(const uint8_t *p, size_t n, uint8_t c)
{
	const uint8_t *end = memchr(p, c, n);

	return end ? (size_t)(end - p) : n;
}

/* 9.3: by name, then extension, then version, the highest first. */
static int compare_id(const uint8_t *a, size_t na, const uint8_t *b, size_t nb)
{
	size_t va = until(a, na, ';'), vb = until(b, nb, ';');
	size_t da = until(a, va, '.'), db = until(b, vb, '.');
	int c = compare_part(a, da, b, db);

	if (c == 0)
		c = compare_part(a + da, va - da, b + db, vb - db);
	return c ? c : compare_part(b + vb, nb - vb, a + va, na - va);
}

static int check_order(struct iso_check *c, const struct iso_record *r,
		       struct unik_err *err)
{
	int d;

	if (c->last[0] == 0)
		return 0;
	d = compare_id(c->last + 1, c->last[0], iso_id(r), r->id_size[0]);
	if (c->more && d != 0)
		return unik_iso_bad_record(c, "a section is missing", err);
	if (!c->more && d == 0)
		return unik_iso_bad_record(c, "an identifier comes twice", err);
	/* Others' identifiers may have characters that have no place in 9.3. */
	if (d > 0 && c->image.version)
		return unik_iso_bad_record(c, "not in order", err);
	return 0;
}

/* ---- fields ---- */

static int own_areas(struct iso_check *c, struct unik_err *err)
{
	size_t i;

	c->nrecords++;
	c->nareas += c->attr.nareas;
	if (c->nareas > AREAS_MORE + AREAS_EACH * c->nrecords)
		return unik_iso_bad_record(c, "too many continuation areas",
					   err);
	for (i = 0; i < c->attr.nareas; i++)
		if (unik_iso_own(&c->regions, ISO_OWN_AREA,
				 c->attr.areas[i].start, c->attr.areas[i].size,
				 err) < 0)
			return -1;
	return 0;
}

/* What every record of ours has. */
static int check_fields(struct iso_check *c, const struct iso_record *r,
			bool named, struct unik_err *err)
{
	const struct iso_attr *a = &c->attr;
	uint32_t type = a->mode & ISO_S_IFMT;
	bool dir = r->flags[0] & ISO_FLAG_DIR;
	bool device = type == ISO_S_IFCHR || type == ISO_S_IFBLK;

	if (!a->px || !a->serial || !a->tf || a->nm != named || a->re ||
	    a->cl || a->pn != device || a->sl != (type == ISO_S_IFLNK))
		return unik_iso_bad_record(c, "other fields than its type has",
					   err);
	if (dir != (type == ISO_S_IFDIR) || a->mode & ~0177777u ||
	    a->nlink == 0 || a->ino == 0)
		return unik_iso_bad_record(c, "a bad mode, count or number",
					   err);
	if (unik_iso_stamp(r->time) != a->sec || a->nsec != 0)
		return unik_iso_bad_record(c, "two times", err);
	if (r->flags[0] & ~(ISO_FLAG_DIR | ISO_FLAG_MULTI) ||
	    iso_get16le(r->sequence) != 1 || !iso_both16(r->sequence))
		return unik_iso_bad_record(c, "bad flags", err);
	return 0;
}

/* ---- records ---- */

static int add_dir(struct iso_check *c, const struct iso_record *r,
		   struct unik_err *err)
{
	uint32_t parent = (uint32_t)c->current + 1;
	struct iso_extent e = iso_extent_of(r);

	if (c->ndirs == ISO_MAX_DIRS)
		return unik_fail(err, "more than %u directories", ISO_MAX_DIRS);
	if (c->ndirs == c->dirs_room) {
		size_t room = c->dirs_room ? c->dirs_room * 2 : 64;
		struct iso_checked *v = realloc(c->dirs, room * sizeof(*v));

		if (!v)
			return unik_fail_mem(err);
		c->dirs = v;
		c->dirs_room = room;
	}
	c->dirs[c->ndirs].dir = e;
	c->dirs[c->ndirs++].parent = (uint32_t)c->current;
	return unik_iso_tables_next(c, iso_id(r), r->id_size[0], e.block,
				    parent, err);
}

static int own_file(struct iso_check *c, const struct iso_record *r,
		    struct unik_err *err)
{
	struct iso_extent e = iso_extent_of(r);
	uint64_t start = (uint64_t)e.block * ISO_BLOCK;
	bool more = r->flags[0] & ISO_FLAG_MULTI;

	if (c->image.version) {
		if (more && e.size != ISO_SECTION_MAX)
			return unik_iso_bad_record(c, "a section too short",
						   err);
		if (c->more && start != c->section_end)
			return unik_iso_bad_record(c, "a section elsewhere",
						   err);
		if (e.size == 0 && e.block != 0)
			return unik_iso_bad_record(c, "a block for nothing",
						   err);
		if (e.size > 0 &&
		    (c->attr.mode & ISO_S_IFMT) != ISO_S_IFREG)
			return unik_iso_bad_record(c, "content where none can "
						   "be", err);
	}
	c->section_end = start + e.size;
	return unik_iso_own(&c->regions, ISO_OWN_FILE, start, e.size, err);
}

static int check_child(struct iso_check *c, const struct iso_record *r,
		       struct unik_err *err)
{
	bool dir = r->flags[0] & ISO_FLAG_DIR, first = !c->more;

	if (check_order(c, r, err) < 0)
		return -1;
	if (unik_iso_attr(&c->image, r, false, &c->attr, err) < 0)
		return wrap_record(c, err);
	if (own_areas(c, err) < 0)
		return -1;
	if (c->image.version &&
	    (check_fields(c, r, true, err) < 0 ||
	     unik_iso_check_form(c, r, ISO_FORM_CHILD, err) < 0))
		return -1;
	if (dir && (r->flags[0] & ISO_FLAG_MULTI || !first))
		return unik_iso_bad_record(c, "a directory in sections", err);
	if (c->image.version && first && unik_iso_note(c, r, err) < 0)
		return -1;
	if (dir ? add_dir(c, r, err) < 0 : own_file(c, r, err) < 0)
		return -1;
	c->more = r->flags[0] & ISO_FLAG_MULTI;
	c->last[0] = r->id_size[0];
	memcpy(c->last + 1, iso_id(r), r->id_size[0]);
	return 0;
}

/* 6.8.2.2: a directory begins with itself and its parent. */
static int check_dot(struct iso_check *c, const struct iso_record *r,
		     uint8_t which, struct unik_err *err)
{
	const struct iso_checked *d = &c->dirs[c->current];
	const struct iso_extent *want;
	struct iso_extent e = iso_extent_of(r);

	want = which ? &c->dirs[d->parent].dir : &d->dir;
	if (!iso_is_dot(r, which) || !(r->flags[0] & ISO_FLAG_DIR))
		return unik_iso_bad_record(c, "not \".\" or \"..\"", err);
	if (e.block != want->block || e.size != want->size)
		return unik_iso_bad_record(c, which ? "another directory than "
					   "its parent" : "another directory "
					   "than itself", err);
	if (unik_iso_attr(&c->image, r, !which && c->current == 0, &c->attr,
			  err) < 0)
		return wrap_record(c, err);
	if (own_areas(c, err) < 0)
		return -1;
	if (!c->image.version)
		return 0;
	if (r->flags[0] != ISO_FLAG_DIR)
		return unik_iso_bad_record(c, "bad flags", err);
	if (check_fields(c, r, false, err) < 0 ||
	    unik_iso_check_form(c, r, which ? ISO_FORM_PARENT : ISO_FORM_SELF,
				err) < 0)
		return -1;
	/* 8.4.18: its fields end with the identifier. */
	if (c->current == 0 && !which &&
	    (c->image.pvd.root[0] != sizeof(c->image.pvd.root) ||
	     memcmp(c->image.pvd.root + 1, (const uint8_t *)r + 1,
		    sizeof(*r)) != 0))
		return unik_iso_bad_record(c, "not as in the descriptor", err);
	return unik_iso_note(c, r, err);
}

static int check_records(struct iso_check *c, struct unik_err *err)
{
	const struct iso_record *r;
	uint32_t n = 0;
	int rc;

	while ((rc = unik_iso_walk_next(&c->walk, &r, err)) == 0) {
		rc = n < 2 ? check_dot(c, r, (uint8_t)n, err)
			   : check_child(c, r, err);
		if (rc < 0)
			return -1;
		n += n < 2;
	}
	if (rc < 0)
		return -1;
	if (n < 2)
		return unik_iso_bad_record(c, "a directory without itself",
					   err);
	if (c->more)
		return unik_iso_bad_record(c, "a section is missing", err);
	return 0;
}

static int check_dir(struct iso_check *c, struct unik_err *err)
{
	struct iso_extent dir = c->dirs[c->current].dir;

	c->last[0] = 0;
	c->more = false;
	if (unik_iso_walk(&c->walk, &c->image, dir, err) < 0)
		return -1;
	if (unik_iso_own(&c->regions, ISO_OWN_DIR,
			 (uint64_t)dir.block * ISO_BLOCK, dir.size, err) < 0)
		return -1;
	return check_records(c, err);
}

int unik_iso_check_dirs(struct iso_check *c, struct unik_err *err)
{
	const struct iso_record *root = (const void *)c->image.pvd.root;

	c->current = 0;
	if (add_dir(c, root, err) < 0)
		return -1;
	for (; c->current < c->ndirs; c->current++)
		if (check_dir(c, err) < 0)
			return -1;
	return 0;
}
