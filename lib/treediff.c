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
		  const struct unik_node *b, uint32_t below)
{
	struct unik_diff d = { what, a, b, NULL, below, false };

	w->counts->differ += (uint64_t)below + 1;
	return w->fn ? w->fn(w->data, &d, w->err) : 0;
}

/* ---- one entry ---- */

/* What two inodes have that is another thing, and what is all that the format
 * holds: enum unik_diff_what. */
struct seen {
	unsigned what;
	unsigned lost;
	const char *xattr; /* the first that is another, or lost */
	const char *lost_xattr;
};

static void see_time(struct walk *w, const struct unik_inode *a,
		     const struct unik_inode *b, struct seen *s)
{
	const struct unik_diff_format *f = w->format;
	int64_t sec = a->mtime_sec;
	uint32_t nsec = a->mtime_nsec, unit;

	if (sec == b->mtime_sec && nsec == b->mtime_nsec)
		return;
	if (f && f->has_range && (sec < f->first || sec > f->last)) {
		sec = sec < f->first ? f->first : f->last;
		nsec = 0;
	}
	/* Formats have several forms of times: what `b` says counts, up to the
	 * coarsest. */
	for (unit = 1; f && unit < f->unit && b->mtime_nsec % (unit * 10) == 0;)
		unit *= 10;
	if (sec != b->mtime_sec || nsec / unit * unit != b->mtime_nsec) {
		s->what |= UNIK_DIFF_TIME;
		return;
	}
	s->lost |= UNIK_DIFF_TIME;
	w->counts->times++;
}

static bool same_xattr(const struct unik_xattr *a, const struct unik_xattr *b)
{
	return a->value_size == b->value_size &&
	       (a->value_size == 0 ||
		memcmp(a->value, b->value, a->value_size) == 0);
}

static bool held_xattr(const struct walk *w, const struct unik_inode *inode,
		       const struct unik_xattr *a, const struct unik_xattr *b)
{
	return w->format && w->format->xattr && w->format->xattr(inode, a, b);
}

/* Both lists are sorted. */
static void see_xattrs(struct walk *w, const struct unik_inode *ia,
		       const struct unik_inode *ib, struct seen *s)
{
	const struct unik_xattrs *a = ia->xattrs, *b = ib->xattrs;
	uint32_t na = a ? a->n : 0, nb = b ? b->n : 0, i = 0, j = 0;

	while (i < na || j < nb) {
		const struct unik_xattr *x = i < na ? &a->v[i] : NULL;
		const struct unik_xattr *y = j < nb ? &b->v[j] : NULL;
		int way = !x ? 1 : !y ? -1 : strcmp(x->name, y->name);

		i += way <= 0;
		j += way >= 0;
		if (way < 0 && held_xattr(w, ia, x, NULL)) {
			if (!s->lost_xattr)
				s->lost_xattr = x->name;
			s->lost |= UNIK_DIFF_XATTR;
			w->counts->xattrs++;
		} else if (way != 0 ||
			   (!same_xattr(x, y) && !held_xattr(w, ia, x, y))) {
			if (!s->xattr)
				s->xattr = way <= 0 ? x->name : y->name;
			s->what |= UNIK_DIFF_XATTR;
		}
	}
}

static bool same_rdev(const struct unik_rdev *a, const struct unik_rdev *b)
{
	return a->major == b->major && a->minor == b->minor;
}

static void see_rdev(struct walk *w, const struct unik_inode *a,
		     const struct unik_inode *b, struct seen *s)
{
	struct unik_rdev rdev = a->rdev;

	if (same_rdev(&rdev, &b->rdev))
		return;
	if (w->format && w->format->rdev)
		w->format->rdev(&rdev);
	if (!same_rdev(&rdev, &b->rdev)) {
		s->what |= UNIK_DIFF_RDEV;
		return;
	}
	s->lost |= UNIK_DIFF_RDEV;
	w->counts->rdevs++;
}

static int see_target(struct walk *w, const struct unik_inode *a,
		      const struct unik_inode *b, struct seen *s)
{
	char *out = NULL;
	bool same = false;

	if (strcmp(a->target, b->target) == 0)
		return 0;
	if (w->format && w->format->target) {
		out = malloc(strlen(a->target) + 3);
		if (!out)
			return unik_fail_mem(w->err);
		w->format->target(a->target, out);
		same = strcmp(out, b->target) == 0;
		free(out);
	}
	if (same)
		w->counts->targets++;
	*(same ? &s->lost : &s->what) |= UNIK_DIFF_TARGET;
	return 0;
}

static const uint8_t *sha256_of(const struct unik_inode *inode)
{
	return inode->size > 0 && inode->content ? inode->content->sha256
						 : NULL;
}

static unsigned compare_files(const struct unik_inode *a,
			      const struct unik_inode *b)
{
	const uint8_t *x, *y;

	if (a->size != b->size)
		return UNIK_DIFF_SIZE;
	x = sha256_of(a);
	y = sha256_of(b);
	if (x && y)
		return memcmp(x, y, 32) ? UNIK_DIFF_CONTENT : 0;
	return x != y ? UNIK_DIFF_CONTENT : 0;
}

static int see_body(struct walk *w, const struct unik_inode *a,
		    const struct unik_inode *b, struct seen *s)
{
	switch (a->type) {
	case UNIK_FILE:
		s->what |= compare_files(a, b);
		return 0;
	case UNIK_SYMLINK:
		return see_target(w, a, b, s);
	case UNIK_LINK:
		if (strcmp(a->target, b->target) != 0)
			s->what |= UNIK_DIFF_TARGET;
		return 0;
	case UNIK_CHAR:
	case UNIK_BLOCK:
		see_rdev(w, a, b, s);
		return 0;
	default:
		return 0;
	}
}

static int see_inodes(struct walk *w, const struct unik_inode *a,
		      const struct unik_inode *b, struct seen *s)
{
	/* Linux never looks at the mode of a symlink. */
	if (a->type != UNIK_SYMLINK && a->mode != b->mode)
		s->what |= UNIK_DIFF_MODE;
	if (a->uid != b->uid || a->gid != b->gid)
		s->what |= UNIK_DIFF_OWNER;
	see_time(w, a, b, s);
	see_xattrs(w, a, b, s);
	return see_body(w, a, b, s);
}

static int tell(struct walk *w, const struct unik_node *a,
		const struct unik_node *b, const struct seen *s)
{
	struct unik_diff d = { s->what, a, b, s->xattr, 0, false };
	int rc = 0;

	if (s->what)
		w->counts->differ++;
	else
		w->counts->same++;
	if (s->what && w->fn)
		rc = w->fn(w->data, &d, w->err);
	if (rc != 0 || !s->lost || !w->fn)
		return rc;
	d.what = s->lost;
	d.xattr = s->lost_xattr;
	d.lost = true;
	return w->fn(w->data, &d, w->err);
}

/* Names of one inode must be names of one inode; its attributes are compared
 * at the first. */
static int compare_nodes(struct walk *w, const struct unik_node *a,
			 const struct unik_node *b)
{
	uint32_t *to = &w->inode_b[a->inode->id];
	uint32_t *from = &w->inode_a[b->inode->id];
	struct seen s = { 0 };

	if (*to == NO_ID && *from == NO_ID) {
		*to = b->inode->id;
		*from = a->inode->id;
	} else if (*to != b->inode->id) {
		s.what = UNIK_DIFF_LINK;
	} else {
		return tell(w, a, b, &s);
	}
	if (see_inodes(w, a->inode, b->inode, &s) < 0)
		return -1;
	return tell(w, a, b, &s);
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
		return report(w, UNIK_DIFF_MISSING, a, NULL, *i - ia - 1);
	}
	if (way > 0) {
		*j = behind(w->b, b);
		return report(w, UNIK_DIFF_EXTRA, NULL, b, *j - jb - 1);
	}
	w->partner[ia] = jb;
	if (a->inode->type != b->inode->type) {
		*i = behind(w->a, a);
		*j = behind(w->b, b);
		return report(w, UNIK_DIFF_TYPE, a, b,
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
