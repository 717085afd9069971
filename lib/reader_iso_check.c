/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reader_iso: is an image intact?  Descriptors, path tables, link counts. */
#include <stdlib.h>
#include <string.h>

#include "reader_iso_check_private.h"

/* ---- descriptors ---- */

static bool filled(const uint8_t *p, size_t n, uint8_t with)
{
	return p[0] == with && memcmp(p, p + 1, n - 1) == 0;
}

static bool unspecified(const struct iso_time17 *t)
{
	return filled(t->digits, sizeof(t->digits), '0') && t->offset == 0;
}

static bool has_digits(const struct iso_time17 *t)
{
	size_t i;

	for (i = 0; i < sizeof(t->digits); i++)
		if (t->digits[i] < '0' || t->digits[i] > '9')
			return false;
	return t->offset == 0;
}

/* Every byte that our writer gives one value only. */
static bool ours_is_exact(const struct iso_pvd *p)
{
	return p->unused1[0] == 0 && filled(p->unused2, 8, 0) &&
	       filled(p->unused3, 32, 0) && filled(p->system_id, 32, ' ') &&
	       memcmp(p->volume_id, "UNIK_", 5) == 0 &&
	       filled(p->volume_id + 21, 11, ' ') &&
	       iso_get16le(p->set_size) == 1 && iso_both16(p->set_size) &&
	       iso_get16le(p->sequence) == 1 && iso_both16(p->sequence) &&
	       filled(p->l_table_opt, 4, 0) && filled(p->m_table_opt, 4, 0) &&
	       filled(p->publisher, 128, ' ') &&
	       filled(p->preparer, 128, ' ') &&
	       filled(p->copyright_file, 37, ' ') &&
	       filled(p->abstract_file, 37, ' ') &&
	       filled(p->biblio_file, 37, ' ') && has_digits(&p->created) &&
	       memcmp(&p->created, &p->modified, sizeof(p->created)) == 0 &&
	       unspecified(&p->expires) && unspecified(&p->effective) &&
	       p->file_version[0] == 1 && p->reserved1[0] == 0 &&
	       filled(p->application_use, sizeof(p->application_use), 0) &&
	       filled(p->reserved2, sizeof(p->reserved2), 0);
}

static int check_ours(struct iso_check *c, struct unik_err *err)
{
	static const uint8_t want[7] = { ISO_VD_TERMINATOR, 'C', 'D', '0', '0',
					 '1', 1 };
	const struct iso_tables *t = &c->tables;
	uint64_t table = unik_div_up(t->size, ISO_BLOCK);
	uint8_t end[ISO_BLOCK];

	if (c->image.version != 1)
		return unik_fail(err, "format version %d is not known",
				 c->image.version);
	if (!ours_is_exact(&c->image.pvd))
		return unik_fail(err, "the descriptor is not as written");
	if (c->image.size != (uint64_t)c->image.nblocks * ISO_BLOCK ||
	    c->image.nblocks % 2 != 0)
		return unik_fail(err, "%llu bytes, but %lu blocks",
				 (unsigned long long)c->image.size,
				 (unsigned long)c->image.nblocks);
	if (unik_pread_all(c->image.fd, end, sizeof(end),
			   (ISO_PVD_BLOCK + 1) * ISO_BLOCK, err) < 0)
		return -1;
	if (memcmp(end, want, sizeof(want)) != 0 ||
	    !filled(end + sizeof(want), sizeof(end) - sizeof(want), 0))
		return unik_fail(err, "the terminator is not as written");
	if (t->l_block != ISO_PVD_BLOCK + 2 ||
	    t->m_block != t->l_block + table)
		return unik_fail(err, "the path tables are elsewhere");
	return 0;
}

int unik_iso_check_descriptors(struct iso_check *c, struct unik_err *err)
{
	const struct iso_pvd *pvd = &c->image.pvd;
	struct iso_tables *t = &c->tables;
	uint64_t l, m;

	t->size = iso_get32le(pvd->path_table_size);
	t->l_block = iso_get32le(pvd->l_table);
	t->m_block = iso_get32be(pvd->m_table);
	if (!iso_both32(pvd->path_table_size))
		return unik_fail(err, "the descriptor's numbers disagree");
	l = (uint64_t)t->l_block * ISO_BLOCK;
	m = (uint64_t)t->m_block * ISO_BLOCK;
	if (t->l_block <= ISO_PVD_BLOCK || t->m_block <= ISO_PVD_BLOCK ||
	    l + t->size > c->image.size || m + t->size > c->image.size)
		return unik_fail(err, "the path tables are outside");
	if (unik_iso_own(&c->regions, ISO_OWN_META,
			 ISO_PVD_BLOCK * ISO_BLOCK, 2 * ISO_BLOCK, err) < 0 ||
	    unik_iso_own(&c->regions, ISO_OWN_META, l, t->size, err) < 0 ||
	    unik_iso_own(&c->regions, ISO_OWN_META, m, t->size, err) < 0)
		return -1;
	return c->image.version ? check_ours(c, err) : 0;
}

/* ---- path tables ---- */

static int fail_table(const struct iso_check *c, const char *what,
		      struct unik_err *err)
{
	return unik_fail(err, "path table, byte %lu: %s",
			 (unsigned long)c->tables.at, what);
}

int unik_iso_tables_next(struct iso_check *c, const uint8_t *id, size_t id_size,
			 uint32_t block, uint32_t parent, struct unik_err *err)
{
	struct iso_tables *t = &c->tables;
	const struct iso_path_record *l, *m;
	uint8_t lbuf[sizeof(*l) + 256], mbuf[sizeof(*m) + 256];
	size_t n = sizeof(*l) + id_size + (id_size & 1);

	if (n > t->size - t->at)
		return fail_table(c, "it lacks directories", err);
	if (unik_pread_all(c->image.fd, lbuf, n,
			   (uint64_t)t->l_block * ISO_BLOCK + t->at, err) < 0 ||
	    unik_pread_all(c->image.fd, mbuf, n,
			   (uint64_t)t->m_block * ISO_BLOCK + t->at, err) < 0)
		return -1;
	l = (const struct iso_path_record *)lbuf;
	m = (const struct iso_path_record *)mbuf;
	if (l->id_size[0] != id_size || memcmp(l + 1, id, id_size) != 0 ||
	    m->id_size[0] != id_size || memcmp(m + 1, id, id_size) != 0)
		return fail_table(c, "another directory than in its parent",
				  err);
	if (iso_get32le(l->extent) != block || iso_get32be(m->extent) != block)
		return fail_table(c, "another block than in its parent", err);
	if (iso_get16le(l->parent) != parent ||
	    iso_get16be(m->parent) != parent)
		return fail_table(c, "another parent", err);
	if (l->xattr_size[0] || m->xattr_size[0] ||
	    (id_size & 1 && (lbuf[n - 1] || mbuf[n - 1])))
		return fail_table(c, "no zero where one belongs", err);
	t->at += (uint32_t)n;
	return 0;
}

/* ---- inodes ---- */

static uint64_t mix(uint64_t sum, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	for (; n > 0; n--, p++) /* FNV-1a */
		sum = (sum ^ *p) * UINT64_C(0x100000001b3);
	return sum;
}

/* All that names of one inode have in common. */
static uint64_t sum_of(const struct iso_attr *a, const struct iso_record *r)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325);

	sum = mix(sum, &a->mode, sizeof(a->mode));
	sum = mix(sum, &a->nlink, sizeof(a->nlink));
	sum = mix(sum, &a->uid, sizeof(a->uid));
	sum = mix(sum, &a->gid, sizeof(a->gid));
	sum = mix(sum, &a->sec, sizeof(a->sec));
	sum = mix(sum, &a->rdev.major, sizeof(a->rdev.major));
	sum = mix(sum, &a->rdev.minor, sizeof(a->rdev.minor));
	sum = mix(sum, a->target, a->target_size);
	return mix(sum, r->extent, sizeof(r->extent) + sizeof(r->data_size));
}

int unik_iso_note(struct iso_check *c, const struct iso_record *r,
		  struct unik_err *err)
{
	struct iso_named *v;

	if (c->nnames == c->names_room) {
		size_t room = c->names_room ? c->names_room * 3 / 2 : 256;

		v = realloc(c->names, room * sizeof(*v));
		if (!v)
			return unik_fail_mem(err);
		c->names = v;
		c->names_room = room;
	}
	v = &c->names[c->nnames++];
	v->ino = c->attr.ino;
	v->nlink = c->attr.nlink;
	v->sum = sum_of(&c->attr, r);
	return 0;
}

static int compare_named(const void *a, const void *b)
{
	const struct iso_named *x = a, *y = b;

	return (x->ino > y->ino) - (x->ino < y->ino);
}

/* A directory has as many records as links, too: its name, its ".", and the
 * ".." of each subdirectory (the root's own for the name that it has not). */
static int check_group(const struct iso_named *v, size_t n,
		       struct unik_err *err)
{
	size_t i;

	for (i = 1; i < n; i++)
		if (v[i].sum != v[0].sum)
			return unik_fail(err, "the records of inode %lu "
					 "disagree", (unsigned long)v->ino);
	if (n != v->nlink)
		return unik_fail(err, "inode %lu has %zu names, not %lu",
				 (unsigned long)v->ino, n,
				 (unsigned long)v->nlink);
	return 0;
}

int unik_iso_check_names(struct iso_check *c, struct unik_err *err)
{
	uint32_t ino = 0;
	size_t i, n;

	if (c->nnames > 1)
		qsort(c->names, c->nnames, sizeof(*c->names), compare_named);
	for (i = 0; i < c->nnames; i += n) {
		for (n = 1; i + n < c->nnames; n++)
			if (c->names[i + n].ino != c->names[i].ino)
				break;
		if (c->names[i].ino != ++ino)
			return unik_fail(err, "no inode has the number %lu",
					 (unsigned long)ino);
		if (check_group(&c->names[i], n, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- all of it ---- */

static int check_all(struct iso_check *c, struct unik_err *err)
{
	if (unik_iso_check_descriptors(c, err) < 0 ||
	    unik_iso_check_dirs(c, err) < 0)
		return -1;
	if (c->tables.at != c->tables.size)
		return fail_table(c, "more directories than there are", err);
	if (c->image.version && unik_iso_check_names(c, err) < 0)
		return -1;
	return unik_iso_regions_check(&c->regions, &c->image,
				      c->image.version != 0, err);
}

int unik_iso_check(int fd, uint64_t size, const struct unik_limits *limits,
		   struct unik_err *err)
{
	struct iso_check *c = calloc(1, sizeof(*c));
	int rc;

	if (!c)
		return unik_fail_mem(err);
	rc = unik_iso_open(&c->image, fd, size, limits, err);
	if (rc == 0)
		rc = check_all(c, err);
	unik_iso_regions_release(&c->regions);
	free(c->names);
	free(c->dirs);
	free(c->form);
	free(c);
	return rc;
}
