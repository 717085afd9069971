/* SPDX-License-Identifier: GPL-3.0-or-later */
/* inspect: the report on a store, for people: at most 100 columns; and as a
 * graph. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "inspect_store_private.h"

#define REF 42

/* Hex digits that tell the images apart. */
static int short_digits(const struct store_report *r)
{
	struct unik_digest *ids = calloc(r->nimages + 1, sizeof(*ids));
	size_t i, n = 2 * UNIK_SHA256_SIZE;

	for (i = 0; ids && i < r->nimages; i++)
		ids[i] = r->images[i].digest;
	if (ids)
		n = inspect_shortest(ids, r->nimages);
	free(ids);
	return (int)n;
}

static void put_stacks(const struct store_report *r, struct out *o)
{
	bool sharing = o->opt->sharing;
	char size[24], root[24];
	size_t k;

	out_text(o, "\n%-*s  %-7s  %-6s  %6s  %6s  %10s%s\n", REF, "STACK",
		 "TARGET", "FORMAT", "LAYERS", "IMAGES", "SIZE",
		 sharing ? "   ROOT SIZE" : "");
	for (k = 0; k < r->nstacks; k++) {
		const struct stack_row *row = &r->stacks[k];
		const struct unik_manifest *m = &row->manifest->m;

		out_clean_cut(o, row->ref, REF, true);
		out_text(o, "  %-7.7s  %-6.6s  %6zu  %6zu  %10s", m->target,
			 m->format, m->nlayers, m->nstack,
			 inspect_size(row->size, size));
		if (sharing)
			out_text(o, "  %10s", inspect_size(row->root_size,
							   root));
		out_text(o, "\n");
	}
}

static void put_images(const struct store_report *r, struct out *o)
{
	char text[UNIK_DIGEST_TEXT], size[24];
	int digits = short_digits(r);
	size_t i;

	out_text(o, "\n%-*s  %-6s  %10s  %6s\n", digits, "IMAGE", "FORMAT",
		 "SIZE", "STACKS");
	for (i = 0; i < r->nimages; i++) {
		const struct image_row *image = &r->images[i];

		out_text(o, "%.*s  %-6s  %10s  %6zu%s%s\n", digits,
			 unik_digest_hex(&image->digest, text),
			 strchr(image->name, '.') + 1,
			 inspect_size(image->size, size), image->nstacks,
			 image->writable ? "  writable" : "",
			 image->missing ? "  MISSING" : "");
	}
}

/* Signed: a few small layers may take more than one image would. */
static void put_sharing(const struct store_report *r, struct out *o)
{
	bool saves = r->separate >= r->shared;
	uint64_t by = saves ? r->separate - r->shared : r->shared - r->separate;
	double percent = r->separate ? 100.0 * (double)by / (double)r->separate
				     : 0;
	char size[24];

	out_text(o, "\n%-12s%" PRIu64 " of each stack\n", "containers",
		 r->containers);
	out_text(o, "%-12s%s (%" PRIu64 "): one root image for each\n",
		 "separate", inspect_size(r->separate, size), r->separate);
	out_text(o, "%-12s%s (%" PRIu64 "): each image once, but scratch "
		 "images for each\n", "shared", inspect_size(r->shared, size),
		 r->shared);
	out_text(o, "%-12s%s (%" PRIu64 "), %.1f %%\n",
		 saves ? "saved" : "lost", inspect_size(by, size), by, percent);
}

int store_text(const struct store_report *r, struct out *o)
{
	char a[24], b[24];

	out_text(o, "%-12s", "store");
	out_clean_cut(o, r->t->path, 86, false);
	out_text(o, "\n%-12s%zu\n", "stacks", r->nstacks);
	out_text(o, "%-12s%zu, %s (%" PRIu64 "); counted once for each stack "
		 "%s (%" PRIu64 ")\n", "images", r->nimages,
		 inspect_size(r->size, a), r->size,
		 inspect_size(r->stack_size, b), r->stack_size);
	if (r->garbage_known)
		out_text(o, "%-12s%zu name%s, %s (--gc lists them)\n",
			 "unneeded", r->garbage.n,
			 r->garbage.n == 1 ? "" : "s",
			 inspect_size(r->garbage.size, a));
	if (r->nstacks > 0) {
		put_stacks(r, o);
		put_images(r, o);
	}
	if (o->opt->sharing)
		put_sharing(r, o);
	return o->failed ? -1 : 0;
}

/* ---- the graph ---- */

/* The inside of a DOT string, in ASCII; other bytes are shown as \xHH. */
static void put_string(struct out *o, const char *text)
{
	for (; *text; text++) {
		if (*text == '"')
			out_bytes(o, "\\\"", 2);
		else if (*text == '\\' || *text < 0x20 || *text >= 0x7f)
			out_text(o, "\\\\x%02x",
				 (unsigned)(unsigned char)*text);
		else
			out_bytes(o, text, 1);
	}
}

static void put_graph(const struct store_report *r, struct out *o)
{
	char text[UNIK_DIGEST_TEXT], size[24];
	int digits = short_digits(r);
	size_t k, i;

	out_text(o, "digraph store {\n\trankdir=LR;\n"
		 "\tnode [fontname=\"monospace\"];\n");
	for (k = 0; k < r->nstacks; k++) {
		out_text(o, "\tstack%zu [shape=box, label=\"", k);
		put_string(o, r->stacks[k].ref);
		out_text(o, "\"];\n");
	}
	for (i = 0; i < r->nimages; i++) {
		const struct image_row *image = &r->images[i];

		out_text(o, "\timage%zu [shape=ellipse%s, label=\"%.*s\\n"
			 "%s\", tooltip=\"%s\"];\n", i,
			 image->nstacks > 1 ? ", style=filled" : "", digits,
			 unik_digest_hex(&image->digest, text),
			 inspect_size(image->size, size), image->name);
	}
	for (k = 0; k < r->nstacks; k++)
		for (i = 0; i < r->stacks[k].manifest->m.nstack; i++)
			out_text(o, "\tstack%zu -> image%zu [label=\"%zu\"];\n",
				 k, r->stacks[k].images[i], i);
	out_text(o, "}\n");
}

int inspect_graph(struct target *t, struct out *o, struct unik_err *err)
{
	struct store_report r = { .t = t, .containers = 1 };
	int rc;

	if (target_need_store(t, err) < 0)
		return -1;
	rc = store_gather(&r, err);
	if (rc == 0)
		put_graph(&r, o);
	if (rc == 0 && r.nbad > 0)
		rc = unik_fail(err, "%zu references can't be followed", r.nbad);
	store_release(&r);
	return rc;
}
