/* SPDX-License-Identifier: GPL-3.0-or-later */
/* inspect: two trees, entry by entry. */
#include <inttypes.h>
#include <string.h>
#include <stdlib.h>

#include "inspect_private.h"
#include "treediff.h"
#include "treedump.h"

struct diffing {
	struct out *o;
	struct unik_json_out json;
	struct path path, other;
	uint64_t removed, added, changed;
	const char *gap; /* before the next word of a line */
};

/* ---- one entry in words ---- */

static void word(struct diffing *d, const char *name)
{
	out_text(d->o, "%s%s ", d->gap, name);
	d->gap = ", ";
}

static void put_times(struct diffing *d, const struct unik_inode *a,
		      const struct unik_inode *b)
{
	char x[INSPECT_TIME], y[INSPECT_TIME];

	word(d, "time");
	out_text(d->o, "%s -> %s",
		 inspect_time(a->mtime_sec, a->mtime_nsec, x),
		 inspect_time(b->mtime_sec, b->mtime_nsec, y));
}

/* As many digits as tell the two apart. */
static void put_content(struct diffing *d, const struct unik_inode *a,
			const struct unik_inode *b)
{
	struct unik_digest x[2] = { { UNIK_SHA256, { 0 } },
				    { UNIK_SHA256, { 0 } } };
	char p[UNIK_DIGEST_TEXT], q[UNIK_DIGEST_TEXT];
	int n;

	if (a->content)
		memcpy(x[0].bytes, a->content->sha256, UNIK_SHA256_SIZE);
	if (b->content)
		memcpy(x[1].bytes, b->content->sha256, UNIK_SHA256_SIZE);
	n = (int)inspect_shortest(x, 2);
	word(d, "content");
	out_text(d->o, "%.*s -> %.*s", n, unik_digest_hex(&x[0], p), n,
		 unik_digest_hex(&x[1], q));
}

/* Where the names of an inode begin to differ: the first ones. */
static int put_links(struct diffing *d, const struct unik_node *a,
		     const struct unik_node *b)
{
	const struct unik_node *n[2] = { a, b };
	int i;

	word(d, "linked");
	for (i = 0; i < 2; i++) {
		const char *path = inspect_path(&d->other, n[i]->inode->first);

		if (!path)
			return unik_fail_mem(d->o->err);
		out_text(d->o, i ? " -> " : "");
		if (n[i]->inode->first == n[i])
			out_text(d->o, "%" PRIu32 " name%s",
				 n[i]->inode->nlink,
				 n[i]->inode->nlink == 1 ? "" : "s");
		else
			out_clean(d->o, path);
	}
	return 0;
}

/* Which attributes differ: +added, -removed, ~changed. */
static void each_xattr(const struct unik_inode *a, const struct unik_inode *b,
		       void (*fn)(struct diffing *d, char how,
				  const struct unik_xattr *x),
		       struct diffing *d)
{
	uint32_t na = a->xattrs ? a->xattrs->n : 0;
	uint32_t nb = b->xattrs ? b->xattrs->n : 0, i = 0, k = 0;

	while (i < na || k < nb) {
		const struct unik_xattr *x = i < na ? &a->xattrs->v[i] : NULL;
		const struct unik_xattr *y = k < nb ? &b->xattrs->v[k] : NULL;
		int c = !x ? 1 : !y ? -1 : strcmp(x->name, y->name);

		if (c < 0)
			fn(d, '-', x);
		else if (c > 0)
			fn(d, '+', y);
		else if (x->value_size != y->value_size ||
			 memcmp(x->value, y->value, x->value_size) != 0)
			fn(d, '~', y);
		i += c <= 0;
		k += c >= 0;
	}
}

static void put_xattr(struct diffing *d, char how, const struct unik_xattr *x)
{
	word(d, "xattr");
	out_text(d->o, "%c", how);
	out_clean(d->o, x->name);
}

static int put_changes(struct diffing *d, const struct unik_diff *diff)
{
	const struct unik_inode *a = diff->a->inode, *b = diff->b->inode;

	d->gap = ": ";
	if (diff->what & UNIK_DIFF_TYPE) {
		word(d, "type");
		out_text(d->o, "%s -> %s",
			 unik_type_name((enum unik_type)a->type),
			 unik_type_name((enum unik_type)b->type));
	}
	if (diff->what & UNIK_DIFF_MODE) {
		word(d, "mode");
		out_text(d->o, "%04o -> %04o", (unsigned)a->mode,
			 (unsigned)b->mode);
	}
	if (diff->what & UNIK_DIFF_OWNER) {
		word(d, "owner");
		out_text(d->o, "%" PRIu32 ":%" PRIu32 " -> %" PRIu32
			 ":%" PRIu32, a->uid, a->gid, b->uid, b->gid);
	}
	if (diff->what & UNIK_DIFF_SIZE) {
		word(d, "size");
		out_text(d->o, "%" PRIu64 " -> %" PRIu64, a->size, b->size);
	}
	if (diff->what & UNIK_DIFF_CONTENT)
		put_content(d, a, b);
	if (diff->what & UNIK_DIFF_TIME)
		put_times(d, a, b);
	if (diff->what & UNIK_DIFF_RDEV) {
		word(d, "device");
		out_text(d->o, "%" PRIu32 ":%" PRIu32 " -> %" PRIu32
			 ":%" PRIu32, a->rdev.major, a->rdev.minor,
			 b->rdev.major, b->rdev.minor);
	}
	if (diff->what & UNIK_DIFF_TARGET) {
		word(d, "target");
		out_clean(d->o, a->target);
		out_text(d->o, " -> ");
		out_clean(d->o, b->target);
	}
	if (diff->what & UNIK_DIFF_XATTR)
		each_xattr(a, b, put_xattr, d);
	return diff->what & UNIK_DIFF_LINK ? put_links(d, diff->a, diff->b) : 0;
}

/* ---- one entry as JSON ---- */

static void json_xattr(struct diffing *d, char how, const struct unik_xattr *x)
{
	unik_json_put_object(&d->json, NULL);
	unik_json_put_string(&d->json, "name", x->name);
	unik_json_put_string(&d->json, "diff", how == '-'   ? "removed"
					       : how == '+' ? "added"
							    : "changed");
	unik_json_put_end(&d->json);
}

static void json_changes(struct diffing *d, const struct unik_diff *diff)
{
	static const struct {
		unsigned what;
		const char *name;
	} names[] = {
		{ UNIK_DIFF_TYPE, "type" },   { UNIK_DIFF_MODE, "mode" },
		{ UNIK_DIFF_OWNER, "owner" }, { UNIK_DIFF_SIZE, "size" },
		{ UNIK_DIFF_CONTENT, "content" }, { UNIK_DIFF_TIME, "mtime" },
		{ UNIK_DIFF_RDEV, "rdev" },   { UNIK_DIFF_TARGET, "target" },
		{ UNIK_DIFF_LINK, "link" },   { UNIK_DIFF_XATTR, "xattrs" },
	};
	size_t i;

	unik_json_put_array(&d->json, "fields");
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (diff->what & names[i].what)
			unik_json_put_string(&d->json, NULL, names[i].name);
	unik_json_put_end(&d->json);
	if (diff->what & UNIK_DIFF_XATTR) {
		unik_json_put_array(&d->json, "xattrs");
		each_xattr(diff->a->inode, diff->b->inode, json_xattr, d);
		unik_json_put_end(&d->json);
	}
}

/* ---- the walk ---- */

/* `how`: '-', '+' or '~'; `node` is the one that is there. */
static int put_entry(struct diffing *d, char how, const struct unik_node *node,
		     const struct unik_diff *diff)
{
	const char *path = inspect_path(&d->path, node);
	const char *name = how == '-' ? "removed" : how == '+' ? "added"
							       : "changed";
	char mode[12];
	int rc = 0;

	if (!path)
		return unik_fail_mem(d->o->err);
	if (how == '~')
		d->changed++;
	else
		*(how == '-' ? &d->removed : &d->added) += 1;
	if (d->o->opt->json) {
		unik_json_put_object(&d->json, NULL);
		unik_json_put_string(&d->json, "diff", name);
		unik_json_put_string(&d->json, "path", path);
		unik_json_put_string(&d->json, "type",
				     unik_type_name((enum unik_type)
						    node->inode->type));
		if (how == '~')
			json_changes(d, diff);
		unik_json_put_end(&d->json);
		return 0;
	}
	out_text(d->o, "%c %.10s ", how, inspect_mode(node->inode, mode));
	out_clean(d->o, path);
	if (how == '~')
		rc = put_changes(d, diff);
	out_text(d->o, "\n");
	return rc;
}

/* All beneath a directory that only one side has. */
static int put_below(struct diffing *d, char how, const struct unik_node *top)
{
	const struct unik_node *node = top->child;

	while (node) {
		if (put_entry(d, how, node, NULL) < 0)
			return -1;
		if (node->child) {
			node = node->child;
			continue;
		}
		while (node != top && !node->next)
			node = node->parent;
		node = node == top ? NULL : node->next;
	}
	return 0;
}

static int on_diff(void *data, const struct unik_diff *diff,
		   struct unik_err *err)
{
	struct diffing *d = data;
	int rc;

	if (inspect_stopped(d->o->opt, err) < 0)
		return -1;
	if (diff->what & UNIK_DIFF_MISSING)
		rc = put_entry(d, '-', diff->a, diff);
	else if (diff->what & UNIK_DIFF_EXTRA)
		rc = put_entry(d, '+', diff->b, diff);
	else
		rc = put_entry(d, '~', diff->b, diff);
	if (rc == 0 && diff->below > 0 && diff->a)
		rc = put_below(d, '-', diff->a);
	if (rc == 0 && diff->below > 0 && diff->b)
		rc = put_below(d, '+', diff->b);
	return rc < 0 || d->o->failed ? -1 : 0;
}

static int put_counts(struct diffing *d, uint64_t same)
{
	if (d->o->opt->json) {
		unik_json_put_end(&d->json);
		unik_json_put_uint(&d->json, "same", same);
		unik_json_put_uint(&d->json, "removed", d->removed);
		unik_json_put_uint(&d->json, "added", d->added);
		unik_json_put_uint(&d->json, "changed", d->changed);
		unik_json_put_end(&d->json);
		return out_json(d->o, &d->json);
	}
	out_text(d->o, "%" PRIu64 " removed, %" PRIu64 " added, %" PRIu64
		 " changed, %" PRIu64 " the same\n", d->removed, d->added,
		 d->changed, same);
	return 0;
}

static int tree_of(struct target *t, const struct unik_tree **tree,
		   struct unik_err *err)
{
	size_t part;

	if (target_chosen(t, &part, err) < 0)
		return -1;
	return target_tree(t, part, tree, err);
}

int inspect_diff(struct target *a, struct target *b, struct out *o,
		 bool *differs, struct unik_err *err)
{
	struct diffing d = { .o = o };
	struct unik_diff_counts counts = { 0 };
	const struct unik_tree *ta, *tb;
	int rc;

	if (tree_of(a, &ta, err) < 0 || tree_of(b, &tb, err) < 0)
		return -1;
	inspect_json_begin(&d.json, "diff");
	unik_json_put_string(&d.json, "a", a->opt->target);
	unik_json_put_string(&d.json, "b", a->opt->other);
	unik_json_put_array(&d.json, "entries");
	rc = unik_treediff(ta, tb, NULL, on_diff, &d, &counts, err);
	if (rc == 0)
		rc = put_counts(&d, counts.same);
	*differs = d.removed + d.added + d.changed > 0;
	unik_json_out_release(&d.json);
	free(d.path.text);
	free(d.other.text);
	return rc;
}
