/* SPDX-License-Identifier: GPL-3.0-or-later */
/* inspect: the report on a source, for people: at most 100 columns. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "inspect_source_private.h"
#include "package.h"

#define KEY 12 /* columns of the names on the left */
#define VALUE (100 - KEY - 2)

static void put_key(struct out *o, const char *indent, const char *key)
{
	out_text(o, "%s%-*s", indent, KEY, key);
}

/* A value of the input. */
static void put_value(struct out *o, const char *indent, const char *key,
		      const char *value)
{
	if (!value || !value[0])
		return;
	put_key(o, indent, key);
	out_clean_cut(o, value, VALUE, false);
	out_text(o, "\n");
}

static void put_digest(struct out *o, const char *indent, const char *key,
		       bool has, const struct unik_digest *d)
{
	char text[UNIK_DIGEST_TEXT];

	if (has)
		put_value(o, indent, key, unik_digest_text(d, text));
}

static void put_list(struct out *o, const char *key,
		     const struct unik_strings *list)
{
	size_t i;

	for (i = 0; i < list->n; i++) {
		put_key(o, "", i == 0 ? key : "");
		out_clean_cut(o, list->v[i], VALUE, false);
		out_text(o, "\n");
	}
}

/* A stack that it carries (pack.h). */
static void put_package(const struct source_report *r, struct out *o)
{
	struct unik_stored_manifest *stored = NULL;
	const char *kernel = unik_package_label(r->image, UNIK_LABEL_KERNEL);
	const struct unik_manifest *m;
	enum unik_package how;
	struct unik_err err;

	if (!unik_is_package(r->image))
		return;
	put_key(o, "", "carries");
	if (unik_package_read(r->image, &o->opt->limits, &how, &stored, &err) <
	    0) {
		out_clean_cut(o, err.msg, VALUE, false);
		out_text(o, "\n");
		return;
	}
	m = &stored->m;
	out_text(o, "a stack of %zu image%s for %s (%s version %d), ",
		 m->nstack, m->nstack == 1 ? "" : "s", m->target, m->format,
		 m->format_version);
	out_text(o, "package %s\n", unik_package_name(how));
	put_value(o, "", "", m->source->name);
	put_value(o, "", "kernel", kernel);
	unik_stored_manifest_free(stored);
}

static void put_head(const struct source_report *r, struct out *o)
{
	const struct unik_image *image = r->image;

	put_value(o, "", "image", image->name);
	put_value(o, "", "kind", unik_source_kind_name(image->kind));
	if (image->os[0]) {
		put_key(o, "", "platform");
		out_clean(o, image->os);
		out_text(o, "/");
		out_clean(o, image->arch);
		out_text(o, image->variant[0] ? "/" : "");
		out_clean(o, image->variant);
		out_text(o, "\n");
	}
	put_digest(o, "", "manifest", image->has_manifest_digest,
		   &image->manifest_digest);
	put_digest(o, "", "config", image->has_config_digest,
		   &image->config_digest);
	put_list(o, "entrypoint", &image->config.entrypoint);
	put_list(o, "cmd", &image->config.cmd);
	put_list(o, "env", &image->config.env);
	put_list(o, "labels", &image->config.labels);
	put_package(r, o);
	put_value(o, "", "cwd", image->config.cwd);
	put_value(o, "", "user", image->config.user);
}

/* ---- layers ---- */

static void put_table(const struct source_report *r, struct out *o)
{
	struct unik_digest *ids = calloc(r->nlayers + 1, sizeof(*ids));
	char text[UNIK_DIGEST_TEXT], stored[24], size[24];
	int digits = 12;
	size_t k;

	for (k = 0; ids && k < r->nlayers; k++)
		ids[k] = r->layers[k].facts.diff_id;
	if (ids)
		digits = (int)inspect_shortest(ids, r->nlayers);
	out_text(o, "\n%5s  %-*s  %8s  %10s  %10s  %9s  %s\n", "LAYER", digits,
		 "DIFF_ID", "ENTRIES", "STORED", "TAR", "WHITEOUTS",
		 "STORAGE CLASS");
	for (k = 0; k < r->nlayers; k++) {
		const struct layer_report *l = &r->layers[k];

		out_text(o, "%5zu  %.*s  %8" PRIu64 "  %10s  %10s  %9" PRIu64
			 "  %s\n", k, digits,
			 unik_digest_hex(&l->facts.diff_id, text),
			 unik_sum_entries(&l->facts),
			 inspect_size(l->facts.blob_size, stored),
			 inspect_size(l->facts.size, size),
			 l->facts.whiteouts + l->facts.opaque,
			 inspect_storage_name(l->storage));
	}
	free(ids);
}

static void put_entries(struct out *o, const struct layer_report *l)
{
	struct words w = { .o = o, .indent = KEY + 2 };

	put_key(o, "  ", "entries");
	words_entries(&w, &l->facts.entries);
	words_put(&w, l->xattrs, "xattr", "xattrs");
	words_end(&w, "none");
	if (l->facts.whiteouts + l->facts.opaque + l->facts.ignored == 0)
		return;
	w.any = false;
	put_key(o, "  ", "whiteouts");
	words_put(&w, l->facts.whiteouts, "whiteout", "whiteouts");
	words_put(&w, l->facts.opaque, "opaque directory",
		  "opaque directories");
	words_put(&w, l->facts.ignored, "AUFS entry ignored",
		  "AUFS entries ignored");
	words_end(&w, "");
}

static void put_reach(struct out *o, const struct layer_report *l)
{
	static const char *const verbs[] = {
		[UNIK_REACH_WHITEOUT] = "deletes",
		[UNIK_REACH_OPAQUE] = "hides",
		[UNIK_REACH_ROOT] = "as the root is opaque, hides",
		[UNIK_REACH_LINK] = "links to",
		[UNIK_REACH_SHADOW] = "makes a directory again of",
	};
	size_t i;

	for (i = 0; i < l->nreach; i++) {
		const struct reach *x = &l->reach[i];

		put_key(o, "  ", i == 0 ? "reaches" : "");
		out_text(o, "layer %zu: %s ", x->low, verbs[x->kind]);
		out_clean_cut(o, x->example, 34, false);
		if (x->count > 1)
			out_text(o, " and %" PRIu64 " more", x->count - 1);
		out_text(o, "\n");
	}
}

static void put_fit(struct out *o, const char *indent, const struct fit *fit)
{
	const struct unik_loss_counts *l = &fit->losses;
	struct words w = { .o = o, .indent = KEY + 2 };
	char size[24];

	put_key(o, indent, fit->format->name);
	if (fit->refused) {
		out_clean_cut(o, fit->refused, VALUE, false);
		out_text(o, "\n");
		return;
	}
	out_text(o, "%s (%" PRIu64 "), loses ", inspect_size(fit->size, size),
		 fit->size);
	words_put(&w, l->xattr, "xattr", "xattrs");
	words_put(&w, l->rdev, "device number", "device numbers");
	words_put(&w, l->name, "long name", "long names");
	words_put(&w, l->time, "time", "times");
	words_end(&w, "nothing");
}

static void put_layer(struct out *o, size_t k, const struct layer_report *l,
		      const struct unik_layer_ref *ref)
{
	size_t i;

	out_text(o, "\nlayer %zu\n", k);
	put_digest(o, "  ", "diff_id", true, &l->facts.diff_id);
	put_digest(o, "  ", "blob", true, &l->facts.blob_digest);
	put_value(o, "  ", "media type", ref->media_type);
	put_key(o, "  ", "bytes");
	out_text(o, "%" PRIu64 " stored (%s), %" PRIu64 " of tar, %" PRIu64
		 " of files\n", l->facts.blob_size, l->compression,
		 l->facts.size, l->content);
	put_entries(o, l);
	put_reach(o, l);
	put_key(o, "  ", "class");
	out_text(o, "%s: ", inspect_storage_name(l->storage));
	out_clean_cut(o, l->why, VALUE - 15, false);
	out_text(o, "\n");
	for (i = 0; i < NFORMATS; i++)
		put_fit(o, "  ", &l->fit[i]);
	put_value(o, "  ", "created by", ref->created_by);
}

/* ---- the end ---- */

static void put_targets(const struct source_report *r, struct out *o)
{
	size_t i;

	out_text(o, "\n%-8s  %-6s  %6s  %s\n", "TARGET", "FORMAT", "IMAGES",
		 "OF ONE LAYER");
	for (i = 0; i < NTARGETS; i++) {
		const struct target_row *row = &r->targets[i];

		out_text(o, "%-8s  %-6s  ", row->target->name,
			 row->target->format);
		if (row->images == 0)
			out_text(o, "%6s\n", "-");
		else
			out_text(o, "%6zu  %12zu\n", row->images, row->single);
	}
	put_key(o, "\n", "suggested");
	out_text(o, "%s: ", r->suggested);
	out_clean_cut(o, r->why, VALUE - 7, false);
	out_text(o, "\n");
}

int inspect_source_text(const struct source_report *r, struct out *o)
{
	struct unik_layer_facts root = { 0 };
	size_t k;

	put_head(r, o);
	put_table(r, o);
	for (k = 0; k < r->nlayers; k++)
		put_layer(o, k, &r->layers[k], &r->image->layers[k]);
	unik_count_entries(&root.entries, r->root);
	out_text(o, "\nmerged\n");
	put_key(o, "  ", "entries");
	out_text(o, "%" PRIu64 ", %" PRIu64 " bytes of files\n",
		 unik_sum_entries(&root), r->root->counts.content);
	for (k = 0; k < NFORMATS; k++)
		put_fit(o, "  ", &r->fit[k]);
	put_targets(r, o);
	return o->failed ? -1 : 0;
}
