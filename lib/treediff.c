/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "treediff.h"

#include <stdlib.h>
#include <string.h>

#define NO_ID UINT32_MAX

/*
 * Both trees are numbered in canonical order, so one walk over the two arrays
 * of nodes finds everything.  Where one side has an entry alone, all beneath it
 * is jumped over; so both parents of what is looked at have partners, and both
 * lie on the path to what was matched last.
 */
struct walk {
	const struct unik_tree *a;
	const struct unik_tree *b;
	const struct unik_diff_format *format;
	uint32_t *partner;  /* by node id of a: its node id in b */
	uint32_t *inode_b;  /* by inode id of a: the inode of b seen as it */
	uint32_t *inode_a;  /* the other way round */
	struct unik_diff_counts *counts;
	int (*fn)(void *data, const struct unik_diff *d, struct unik_err *err);
	void *data;
	struct unik_err *err;
};

/* The id behind a node and all that is beneath it. */
static uint32_t behind(const struct unik_tree *tree,
		       const struct unik_node *node)
{
	for (; node; node = node->parent)
		if (node->next)
			return node->next->id;
	return tree->nnodes;
}

static int report(struct walk *w, unsigned what, const struct unik_node *a,
		  const struct unik_node *b, const char *xattr, uint32_t below)
{
	struct unik_diff d = { what, a, b, xattr, below };

	w->counts->differ += (uint64_t)below + 1;
	return w->fn ? w->fn(w->data, &d, w->err) : 0;
}

/* ---- one entry ---- */

static bool same_time(struct walk *w, const struct unik_inode *a,
		      const struct unik_inode *b)
{
	const struct unik_diff_format *f = w->format;
	int64_t sec = a->mtime_sec;
	uint32_t nsec = a->mtime_nsec, unit;

	if (sec == b->mtime_sec && nsec == b->mtime_nsec)
		return true;
	if (!f)
		return false;
	if (f->has_range && (sec < f->first || sec > f->last)) {
		sec = sec < f->first ? f->first : f->last;
		nsec = 0;
	}
	/* Formats have several forms of times: what `b` says counts, up to the
	 * coarsest. */
	for (unit = 1; unit < f->unit && b->mtime_nsec % (unit * 10) == 0;)
		unit *= 10;
	if (sec != b->mtime_sec || nsec / unit * unit != b->mtime_nsec)
		return false;
	w->counts->times++;
	return true;
}

static bool same_xattr(const struct unik_xattr *a, const struct unik_xattr *b)
{
	return a->name_size == b->name_size &&
	       memcmp(a->name, b->name, a->name_size) == 0 &&
	       a->value_size == b->value_size &&
	       (a->value_size == 0 ||
		memcmp(a->value, b->value, a->value_size) == 0);
}

/* The name of the first attribute that only one has, or that differs. */
static const char *other_xattr(struct walk *w, const struct unik_inode *ia,
			       const struct unik_inode *ib)
{
	const struct unik_xattrs *a = ia->xattrs, *b = ib->xattrs;
	uint32_t na = a ? a->n : 0, nb = b ? b->n : 0, i;

	if (w->format && w->format->no_xattrs && nb == 0) {
		w->counts->xattrs += na;
		return NULL;
	}
	for (i = 0; i < na && i < nb; i++)
		if (!same_xattr(&a->v[i], &b->v[i]))
			return strcmp(a->v[i].name, b->v[i].name) <= 0
				       ? a->v[i].name : b->v[i].name;
	return na > i ? a->v[i].name : nb > i ? b->v[i].name : NULL;
}

static const uint8_t *sha256_of(const struct unik_inode *inode)
{
	return inode->size > 0 && inode->content ? inode->content->sha256
						 : NULL;
}

static unsigned compare_body(const struct unik_inode *a,
			     const struct unik_inode *b)
{
	const uint8_t *x, *y;

	switch (a->type) {
	case UNIK_FILE:
		if (a->size != b->size)
			return UNIK_DIFF_SIZE;
		x = sha256_of(a);
		y = sha256_of(b);
		return (x && y) ? memcmp(x, y, 32) ? UNIK_DIFF_CONTENT : 0
		       : x != y	? UNIK_DIFF_CONTENT
				: 0;
	case UNIK_SYMLINK:
	case UNIK_LINK:
		return strcmp(a->target, b->target) ? UNIK_DIFF_TARGET : 0;
	case UNIK_CHAR:
	case UNIK_BLOCK:
		return a->rdev.major != b->rdev.major ||
				       a->rdev.minor != b->rdev.minor
			       ? UNIK_DIFF_RDEV : 0;
	default:
		return 0;
	}
}

static unsigned compare_inodes(struct walk *w, const struct unik_inode *a,
			       const struct unik_inode *b, const char **xattr)
{
	unsigned what = compare_body(a, b);

	/* Linux never looks at the mode of a symlink. */
	if (a->type != UNIK_SYMLINK && a->mode != b->mode)
		what |= UNIK_DIFF_MODE;
	if (a->uid != b->uid || a->gid != b->gid)
		what |= UNIK_DIFF_OWNER;
	if (!same_time(w, a, b))
		what |= UNIK_DIFF_TIME;
	*xattr = other_xattr(w, a, b);
	return what | (*xattr ? UNIK_DIFF_XATTR : 0);
}

/* Names of one inode must be names of one inode; its attributes are compared
 * at the first. */
static int compare_nodes(struct walk *w, const struct unik_node *a,
			 const struct unik_node *b)
{
	uint32_t *to = &w->inode_b[a->inode->id];
	uint32_t *from = &w->inode_a[b->inode->id];
	const char *xattr = NULL;
	unsigned what = 0;

	if (*to == NO_ID && *from == NO_ID) {
		*to = b->inode->id;
		*from = a->inode->id;
		what = compare_inodes(w, a->inode, b->inode, &xattr);
	} else if (*to != b->inode->id) {
		what = UNIK_DIFF_LINK |
		       compare_inodes(w, a->inode, b->inode, &xattr);
	}
	if (what)
		return report(w, what, a, b, xattr, 0);
	w->counts->same++;
	return 0;
}

/* ---- the walk ---- */

/* Which of two entries comes first: below 0 that of a, above 0 that of b. */
static int order(const struct walk *w, const struct unik_node *a,
		 const struct unik_node *b)
{
	uint32_t pa, pb;

	if (!a || !b)
		return a ? -1 : 1;
	if (!a->parent || !b->parent)
		return 0; /* the roots */
	pa = w->partner[a->parent->id];
	pb = b->parent->id;
	if (pa == pb)
		return strcmp(a->name, b->name);
	/* One directory has ended; the other goes on, and lies deeper. */
	return pa > pb ? -1 : 1;
}

static int step(struct walk *w, uint32_t *i, uint32_t *j)
{
	const struct unik_node *a = *i < w->a->nnodes ? w->a->nodes[*i] : NULL;
	const struct unik_node *b = *j < w->b->nnodes ? w->b->nodes[*j] : NULL;
	int way = order(w, a, b);
	uint32_t ia = *i, jb = *j;

	if (way < 0) {
		*i = behind(w->a, a);
		return report(w, UNIK_DIFF_MISSING, a, NULL, NULL,
			      *i - ia - 1);
	}
	if (way > 0) {
		*j = behind(w->b, b);
		return report(w, UNIK_DIFF_EXTRA, NULL, b, NULL, *j - jb - 1);
	}
	w->partner[ia] = jb;
	if (a->inode->type != b->inode->type) {
		*i = behind(w->a, a);
		*j = behind(w->b, b);
		return report(w, UNIK_DIFF_TYPE, a, b, NULL,
			      *i - ia - 1 + *j - jb - 1);
	}
	++*i;
	++*j;
	return compare_nodes(w, a, b);
}

static uint32_t *new_map(uint32_t n)
{
	uint32_t *map = malloc(((size_t)n + 1) * sizeof(*map));

	if (map)
		memset(map, 0xff, (size_t)n * sizeof(*map));
	return map;
}

int unik_treediff(const struct unik_tree *a, const struct unik_tree *b,
		  const struct unik_diff_format *format,
		  int (*fn)(void *data, const struct unik_diff *d,
			    struct unik_err *err),
		  void *data, struct unik_diff_counts *counts,
		  struct unik_err *err)
{
	struct walk w = {
		.a = a,
		.b = b,
		.format = format,
		.partner = new_map(a->nnodes),
		.inode_b = new_map(a->ninodes),
		.inode_a = new_map(b->ninodes),
		.counts = counts,
		.fn = fn,
		.data = data,
		.err = err,
	};
	uint32_t i = 0, j = 0;
	int rc = 0;

	memset(counts, 0, sizeof(*counts));
	if (!w.partner || !w.inode_a || !w.inode_b)
		rc = unik_fail_mem(err);
	while (rc == 0 && (i < a->nnodes || j < b->nnodes))
		rc = step(&w, &i, &j);
	free(w.partner);
	free(w.inode_a);
	free(w.inode_b);
	return rc;
}
