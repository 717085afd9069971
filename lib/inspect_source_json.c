/* SPDX-License-Identifier: GPL-3.0-or-later */
/* inspect: the report on a source as JSON. */
#include "inspect_source_private.h"
#include "package.h"

static void put_fits(struct unik_json_out *j, const struct fit fit[NFORMATS])
{
	size_t i;

	unik_json_put_array(j, "formats");
	for (i = 0; i < NFORMATS; i++) {
		const struct unik_loss_counts *l = &fit[i].losses;

		unik_json_put_object(j, NULL);
		unik_json_put_string(j, "format", fit[i].format->name);
		if (fit[i].refused) {
			unik_json_put_string(j, "refused", fit[i].refused);
		} else {
			unik_json_put_uint(j, "size", fit[i].size);
			unik_json_put_object(j, "losses");
			unik_json_put_uint(j, "xattr", l->xattr);
			unik_json_put_uint(j, "time", l->time);
			unik_json_put_uint(j, "rdev", l->rdev);
			unik_json_put_uint(j, "name", l->name);
			unik_json_put_end(j);
		}
		unik_json_put_end(j);
	}
	unik_json_put_end(j);
}

static void put_reach(struct unik_json_out *j, const struct layer_report *l)
{
	size_t i;

	unik_json_put_array(j, "reach");
	for (i = 0; i < l->nreach; i++) {
		unik_json_put_object(j, NULL);
		unik_json_put_uint(j, "layer", l->reach[i].low);
		unik_json_put_string(j, "by",
				     inspect_reach_name(l->reach[i].kind));
		unik_json_put_uint(j, "count", l->reach[i].count);
		unik_json_put_string(j, "example", l->reach[i].example);
		unik_json_put_end(j);
	}
	unik_json_put_end(j);
}

static void put_layer(struct unik_json_out *j, size_t k,
		      const struct layer_report *l,
		      const struct unik_layer_ref *ref)
{
	unik_json_put_object(j, NULL);
	unik_json_put_uint(j, "index", k);
	unik_put_digest(j, "diff_id", &l->facts.diff_id);
	unik_put_digest(j, "blob_digest", &l->facts.blob_digest);
	unik_json_put_uint(j, "blob_size", l->facts.blob_size);
	unik_json_put_uint(j, "size", l->facts.size);
	unik_json_put_uint(j, "content", l->content);
	unik_json_put_string(j, "media_type", ref->media_type);
	unik_json_put_string(j, "compression", l->compression);
	unik_json_put_string(j, "created_by", ref->created_by);
	unik_put_entries(j, &l->facts.entries);
	unik_json_put_uint(j, "whiteouts", l->facts.whiteouts);
	unik_json_put_uint(j, "opaque", l->facts.opaque);
	unik_json_put_uint(j, "ignored", l->facts.ignored);
	unik_json_put_uint(j, "xattrs", l->xattrs);
	put_reach(j, l);
	unik_json_put_object(j, "storage");
	unik_json_put_string(j, "class", inspect_storage_name(l->storage));
	unik_json_put_string(j, "reason", l->why);
	unik_json_put_end(j);
	put_fits(j, l->fit);
	unik_json_put_end(j);
}

static void put_image(struct unik_json_out *j, const struct unik_image *image)
{
	const struct unik_image_config *c = &image->config;

	unik_json_put_string(j, "name", image->name);
	unik_json_put_string(j, "source", unik_source_kind_name(image->kind));
	unik_json_put_object(j, "platform");
	unik_json_put_string(j, "os", image->os);
	unik_json_put_string(j, "architecture", image->arch);
	unik_json_put_string(j, "variant", image->variant);
	unik_json_put_end(j);
	if (image->has_manifest_digest)
		unik_put_digest(j, "manifest_digest",
				    &image->manifest_digest);
	if (image->has_config_digest)
		unik_put_digest(j, "config_digest", &image->config_digest);
	inspect_json_config(j, c);
	if (unik_is_package(image))
		unik_json_put_string(j, "package",
				     unik_package_label(image,
							UNIK_LABEL_PACKAGE));
}

static void put_end(struct unik_json_out *j, const struct source_report *r)
{
	struct unik_entry_counts counts;
	size_t i;

	unik_count_entries(&counts, r->root);
	unik_json_put_object(j, "merged");
	unik_put_entries(j, &counts);
	unik_json_put_uint(j, "content", r->root->counts.content);
	put_fits(j, r->fit);
	unik_json_put_end(j);
	unik_json_put_array(j, "targets");
	for (i = 0; i < NTARGETS; i++) {
		const struct target_row *row = &r->targets[i];

		unik_json_put_object(j, NULL);
		unik_json_put_string(j, "target", row->target->name);
		unik_json_put_string(j, "format", row->target->format);
		unik_json_put_uint(j, "images", row->images);
		unik_json_put_uint(j, "single", row->single);
		unik_json_put_end(j);
	}
	unik_json_put_end(j);
	unik_json_put_object(j, "suggested");
	unik_json_put_string(j, "target", r->suggested);
	unik_json_put_string(j, "reason", r->why);
	unik_json_put_end(j);
}

int inspect_source_json(const struct source_report *r, struct out *o)
{
	struct unik_json_out j;
	size_t k;

	inspect_json_begin(&j, "source");
	put_image(&j, r->image);
	unik_json_put_array(&j, "layers");
	for (k = 0; k < r->nlayers; k++)
		put_layer(&j, k, &r->layers[k], &r->image->layers[k]);
	unik_json_put_end(&j);
	put_end(&j, r);
	unik_json_put_end(&j);
	return out_json(o, &j);
}
