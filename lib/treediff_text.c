/* SPDX-License-Identifier: GPL-3.0-or-later */
/* treediff: a difference in words. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "treediff.h"
#include "treedump.h"

struct text {
	char *buf;
	size_t used;
	const char *gap; /* before the next part */
};

static void part(struct text *t, const char *fmt, ...) UNIK_PRINTF(2, 3);

static void part(struct text *t, const char *fmt, ...)
{
	size_t room = UNIK_DIFF_TEXT - t->used;
	va_list ap;
	int n;

	n = snprintf(t->buf + t->used, room, "%s", t->gap);
	t->used += (size_t)n < room ? (size_t)n : room - 1;
	room = UNIK_DIFF_TEXT - t->used;
	va_start(ap, fmt);
	n = vsnprintf(t->buf + t->used, room, fmt, ap);
	va_end(ap);
	t->used += (size_t)n < room ? (size_t)n : room - 1;
	t->gap = "; ";
}

static void put_alone(struct text *t, const struct unik_diff *d,
		      const struct unik_node *node, const char *how)
{
	const char *type = unik_type_name((enum unik_type)node->inode->type);

	if (d->below > 0)
		part(t, "%s %s with %" PRIu32 " entr%s", how, type, d->below,
		     d->below == 1 ? "y" : "ies");
	else
		part(t, "%s %s", how, type);
}

static void put_times(struct text *t, const struct unik_inode *a,
		      const struct unik_inode *b)
{
	part(t, "time %" PRId64 ".%09" PRIu32 ", want %" PRId64 ".%09" PRIu32,
	     b->mtime_sec, b->mtime_nsec, a->mtime_sec, a->mtime_nsec);
}

static void put_content(struct text *t, const struct unik_diff *d,
			const struct unik_inode *a, const struct unik_inode *b)
{
	char qa[UNIK_QUOTE_SIZE], qb[UNIK_QUOTE_SIZE];

	if (d->what & UNIK_DIFF_SIZE)
		part(t, "size %" PRIu64 ", want %" PRIu64, b->size, a->size);
	if (d->what & UNIK_DIFF_CONTENT)
		part(t, "other content");
	if (d->what & UNIK_DIFF_RDEV)
		part(t, "device %" PRIu32 ":%" PRIu32 ", want %" PRIu32
		     ":%" PRIu32, b->rdev.major, b->rdev.minor, a->rdev.major,
		     a->rdev.minor);
	if (d->what & UNIK_DIFF_TARGET)
		part(t, "points to %s, want %s",
		     unik_quote(qb, b->target, strlen(b->target)),
		     unik_quote(qa, a->target, strlen(a->target)));
}

static void put_both(struct text *t, const struct unik_diff *d)
{
	const struct unik_inode *a = d->a->inode, *b = d->b->inode;
	char q[UNIK_QUOTE_SIZE];

	if (d->what & UNIK_DIFF_TYPE)
		part(t, "a %s, want a %s",
		     unik_type_name((enum unik_type)b->type),
		     unik_type_name((enum unik_type)a->type));
	if (d->what & UNIK_DIFF_MODE)
		part(t, "mode %04o, want %04o", (unsigned)b->mode,
		     (unsigned)a->mode);
	if (d->what & UNIK_DIFF_OWNER)
		part(t, "owner %" PRIu32 ":%" PRIu32 ", want %" PRIu32
		     ":%" PRIu32, b->uid, b->gid, a->uid, a->gid);
	put_content(t, d, a, b);
	if (d->what & UNIK_DIFF_TIME)
		put_times(t, a, b);
	if (d->what & UNIK_DIFF_LINK)
		part(t, a->nlink > 1 ? "not linked as it is wanted"
				     : "linked to other names");
	if (d->what & UNIK_DIFF_XATTR)
		part(t, "attribute %s",
		     unik_quote(q, d->xattr, strlen(d->xattr)));
}

const char *unik_diff_text(const struct unik_diff *d, char buf[UNIK_DIFF_TEXT])
{
	struct text t = { buf, 0, "" };
	char q[UNIK_QUOTE_SIZE];

	part(&t, "%s: ", unik_node_quote(d->a ? d->a : d->b, q));
	t.gap = "";
	if (d->what & UNIK_DIFF_MISSING)
		put_alone(&t, d, d->a, "missing");
	else if (d->what & UNIK_DIFF_EXTRA)
		put_alone(&t, d, d->b, "extra");
	else
		put_both(&t, d);
	return buf;
}
