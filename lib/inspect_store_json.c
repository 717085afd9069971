/* SPDX-License-Identifier: GPL-3.0-or-later */
/* inspect: the report on a store as JSON. */
#include "inspect_store_private.h"

static void put_stack(struct unik_json_out *j, const struct store_report *r,
		      const struct stack_row *row)
{
	const struct unik_manifest *m = &row->manifest->m;
	size_t i;

	unik_json_put_object(j, NULL);
	unik_json_put_string(j, "ref", row->ref);
	unik_put_digest(j, "manifest", &row->digest);
	unik_json_put_string(j, "name", m->source->name);
	unik_json_put_string(j, "target", m->target);
	unik_json_put_string(j, "format", m->format);
	unik_json_put_uint(j, "format_version", (uint64_t)m->format_version);
	unik_json_put_uint(j, "layers", m->nlayers);
	unik_json_put_uint(j, "size", row->size);
	if (r->t->opt->sharing)
		unik_json_put_uint(j, "root_size", row->root_size);
	unik_json_put_array(j, "images");
	for (i = 0; i < m->nstack; i++)
		unik_json_put_string(j, NULL, r->images[row->images[i]].name);
	unik_json_put_end(j);
	unik_json_put_end(j);
}

static void put_image(struct unik_json_out *j, const struct image_row *image)
{
	unik_json_put_object(j, NULL);
	unik_json_put_string(j, "name", image->name);
	unik_put_digest(j, "digest", &image->digest);
	unik_json_put_uint(j, "size", image->size);
	unik_json_put_uint(j, "stacks", image->nstacks);
	unik_json_put_bool(j, "writable", image->writable);
	unik_json_put_bool(j, "missing", image->missing);
	unik_json_put_end(j);
}

static void put_sharing(struct unik_json_out *j, const struct store_report *r)
{
	bool saves = r->separate >= r->shared;

	unik_json_put_object(j, "sharing");
	unik_json_put_uint(j, "containers", r->containers);
	unik_json_put_uint(j, "separate", r->separate);
	unik_json_put_uint(j, "shared", r->shared);
	unik_json_put_uint(j, "saved", saves ? r->separate - r->shared : 0);
	unik_json_put_uint(j, "lost", saves ? 0 : r->shared - r->separate);
	unik_json_put_end(j);
}

int store_json(const struct store_report *r, struct out *o)
{
	struct unik_json_out j;
	size_t i;

	inspect_json_begin(&j, "store");
	unik_json_put_string(&j, "store", r->t->path);
	unik_json_put_array(&j, "stacks");
	for (i = 0; i < r->nstacks; i++)
		put_stack(&j, r, &r->stacks[i]);
	unik_json_put_end(&j);
	unik_json_put_array(&j, "images");
	for (i = 0; i < r->nimages; i++)
		put_image(&j, &r->images[i]);
	unik_json_put_end(&j);
	unik_json_put_uint(&j, "size", r->size);
	unik_json_put_uint(&j, "stack_size", r->stack_size);
	unik_json_put_uint(&j, "bad_refs", r->nbad);
	if (r->garbage_known) {
		unik_json_put_object(&j, "garbage");
		unik_json_put_uint(&j, "names", r->garbage.n);
		unik_json_put_uint(&j, "size", r->garbage.size);
		unik_json_put_end(&j);
	}
	if (r->t->opt->sharing)
		put_sharing(&j, r);
	unik_json_put_end(&j);
	return out_json(o, &j);
}
