/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * inspect: what sharing images saves, against one root filesystem image for
 * every container.  The root image is the merged tree of the stack, planned by
 * the very writer of the stack's format, so its size is exact.
 */
#include <stdlib.h>
#include <string.h>

#include "inspect_store_private.h"
#include "limits.h"
#include "treedump.h"

static int plan_root(const struct unik_manifest *m,
		     const struct unik_tree *tree, uint64_t *size,
		     struct unik_err *err)
{
	const struct unik_target *target = unik_target_find(m->target);
	const struct unik_format *f = unik_format_find(m->format);
	struct unik_digest digest;
	struct unik_writer_options opt = {
		.block_size = f == &unik_format_ext2 ? m->block_size : 0,
		.netbsd = target && target->netbsd,
		.free_size = m->free_size,
		.free_inodes = m->free_inodes,
		.tree_digest = &digest,
	};
	struct unik_writer *w;

	if (!f)
		return unik_fail(err, "format '%s' is unknown", m->format);
	if (m->format_version >= f->oldest && m->format_version <= f->version)
		opt.version = m->format_version;
	if (unik_tree_digest(tree, &digest, err) < 0 ||
	    f->plan(&w, tree, &opt, err) < 0)
		return -1;
	*size = f->size(w);
	f->free(w);
	return 0;
}

/* Images but for scratch. */
static size_t count_fixed(const struct unik_manifest *m, size_t *last)
{
	size_t i, n = 0;

	for (i = 0; i < m->nstack; i++) {
		if (inspect_is_scratch(&m->stack[i]))
			continue;
		*last = i;
		n++;
	}
	return n;
}

static int measure_root(struct store_report *r, struct stack_row *row,
			struct unik_err *err)
{
	const struct unik_manifest *m = &row->manifest->m;
	struct image_file *files = NULL;
	struct unik_tree *tree = NULL;
	size_t i, last = 0;
	int rc;

	/* An image that is alone is the root. */
	if (count_fixed(m, &last) == 1) {
		row->root_size = m->stack[last].facts.size;
		return 0;
	}
	rc = inspect_open_stack(r->t->store, m, &files, err);
	if (rc == 0)
		rc = inspect_merge_stack(m, files, &r->t->opt->limits, &tree,
					 err);
	if (rc == 0)
		rc = plan_root(m, tree, &row->root_size, err);
	unik_tree_free(tree);
	for (i = 0; files && i < m->nstack; i++)
		image_file_release(&files[i]);
	free(files);
	return rc;
}

/* to += a * b */
static int add_times(uint64_t *to, uint64_t a, uint64_t b, struct unik_err *err)
{
	uint64_t product;

	if (!unik_mul(a, b, &product) || !unik_add(*to, product, to))
		return unik_fail_usage(err, "so many containers take more "
				       "bytes than can be counted");
	return 0;
}

int store_sharing(struct store_report *r, struct unik_err *err)
{
	size_t k;

	for (k = 0; k < r->nstacks; k++) {
		struct stack_row *row = &r->stacks[k];
		uint64_t each;

		if (inspect_stopped(r->t->opt, err) < 0)
			return -1;
		if (measure_root(r, row, err) < 0)
			return unik_wrap(err, "'%s'", row->ref);
		each = row->root_size + row->scratch;
		if (add_times(&r->separate, each, r->containers, err) < 0 ||
		    add_times(&r->shared, row->scratch, r->containers, err) < 0)
			return -1;
	}
	for (k = 0; k < r->nimages; k++)
		if (!r->images[k].writable &&
		    add_times(&r->shared, r->images[k].size, 1, err) < 0)
			return -1;
	return 0;
}
