/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * image: an OCI layout's index.json (image-spec, image-layout.md and
 * image-index.md), nested to any depth -> candidates.
 */
#include <stdlib.h>
#include <string.h>

#include "image_private.h"

/* An entry of an index that is still to be looked at. */
struct entry {
	struct img_desc desc;
	struct img_platform platform;
	struct img_name *names; /* of its entry in index.json, shared */
	struct unik_digest top;
	unsigned group;
};

struct walk {
	struct entry *stack;
	size_t n;
	size_t room;
};

static int push(struct walk *w, const struct entry *e, struct unik_err *err)
{
	if (w->n == w->room) {
		size_t room = w->room ? w->room * 2 : 16;
		void *p = realloc(w->stack, room * sizeof(*w->stack));

		if (!p)
			return unik_fail_mem(err);
		w->stack = p;
		w->room = room;
	}
	w->stack[w->n++] = *e;
	return 0;
}

/* BuildKit's attestations: platform unknown/unknown, or so annotated. */
static bool is_attestation(const struct entry *e,
			   const struct unik_json *annotations)
{
	const char *type = unik_json_text(
		unik_json_get(annotations, "vnd.docker.reference.type"));

	return (type && strcmp(type, "attestation-manifest") == 0) ||
	       (strcmp(e->platform.os, "unknown") == 0 &&
		strcmp(e->platform.arch, "unknown") == 0);
}

/* A tag alone says nothing beside the full name that ends in it. */
static bool is_tag_of(const char *tag, const char *name)
{
	const char *colon = name ? strrchr(name, ':') : NULL;

	return colon && strcmp(colon + 1, tag) == 0;
}

/* image-spec, annotations.md: names count in index.json only. */
static int take_names(struct img_ctx *c, struct entry *e,
		      const struct unik_json *annotations,
		      struct unik_err *err)
{
	const char *image, *ref;

	if (unik_json_string(annotations, "io.containerd.image.name", &image,
			     err) < 0 ||
	    unik_json_string(annotations, "org.opencontainers.image.ref.name",
			     &ref, err) < 0)
		return -1;
	if (image && image[0] && img_name_found(c, &e->names, image, err) < 0)
		return -1;
	if (ref && ref[0] && !is_tag_of(ref, image))
		return img_name_found(c, &e->names, ref, err);
	return 0;
}

/* Fills an entry from its JSON: 0, 1 it is none to look at, -1. */
static int parse_entry(struct img_ctx *c, const struct unik_json *object,
		       const struct entry *parent, struct entry *e,
		       struct unik_err *err)
{
	const struct unik_json *platform, *annotations;

	if (img_desc_parse(object, &e->desc, err) < 0 ||
	    img_desc_keep(c, &e->desc, err) < 0 ||
	    unik_json_object(object, "platform", &platform, err) < 0 ||
	    unik_json_object(object, "annotations", &annotations, err) < 0)
		return -1;
	if (platform &&
	    img_platform_parse_json(platform, &e->platform, err) < 0)
		return -1;
	if (is_attestation(e, annotations))
		return 1;
	if (parent) {
		e->names = parent->names;
		e->top = parent->top;
		e->group = parent->group;
		return 0;
	}
	e->top = e->desc.digest;
	if (take_names(c, e, annotations, err) < 0)
		return -1;
	/* All that has no name is taken for the platforms of one image:
	 * index.json is its index then. */
	e->group = e->names ? ++c->ngroups : 0;
	return 0;
}

/* Pushes the entries of an index, the first to the top of the stack. */
static int push_entries(struct img_ctx *c, struct walk *w,
			const struct unik_json *root,
			const struct entry *parent, struct unik_err *err)
{
	const struct unik_json *list;
	size_t i;

	if (unik_json_array(root, "manifests", &list, err) < 0)
		return -1;
	for (i = unik_json_count(list); i-- > 0;) {
		struct entry e = { .group = 0 };
		int rc;

		if (parent)
			e.platform = parent->platform;
		rc = parse_entry(c, unik_json_at(list, i), parent, &e, err);
		if (rc < 0)
			return unik_wrap(err, "'manifests[%zu]'", i);
		if (rc != 0)
			continue;
		c->over = ++c->nmanifests > c->limits->manifests;
		if (c->over)
			return unik_fail(err, "more than %llu manifests and "
					 "indexes (--max-manifests)",
					 (unsigned long long)
					 c->limits->manifests);
		if (push(w, &e, err) < 0)
			return -1;
	}
	return 0;
}

static int add(struct img_ctx *c, const struct entry *e, struct img_cand **out,
	       struct unik_err *err)
{
	struct img_cand *cand = img_cand_add(c, err);
	const struct img_name *name;

	if (!cand)
		return -1;
	for (name = e->names; name; name = name->next)
		if (img_name_add(c, &cand->names, name->text, err) < 0)
			return -1;
	cand->oci = true;
	cand->manifest = e->desc;
	cand->platform = e->platform;
	cand->group = e->group;
	cand->top = e->top;
	*out = cand;
	return 0;
}

static int index_kind(const struct unik_json *root, struct unik_err *err)
{
	enum img_doc_kind kind;

	if (img_doc_kind(root, &kind, err) < 0)
		return -1;
	/* Docker wrote `"manifests":null` for no entries (moby#47210). */
	if (kind == IMG_DOC_MANIFEST || kind == IMG_DOC_SCHEMA1)
		return unik_fail(err, "not an index, though declared as one");
	return 0;
}

static int expand(struct img_ctx *c, struct walk *w, const struct entry *e,
		  struct unik_err *err)
{
	char text[UNIK_DIGEST_TEXT];
	struct unik_json *root = NULL;
	struct img_cand *cand;
	struct img_doc doc;
	int rc = img_desc_read(c, &e->desc, &doc, err);

	if (rc == 1)
		return add(c, e, &cand, err) < 0 ? -1 :
		       img_manifest_judge(c, cand, err);
	if (rc == 0) {
		rc = img_doc_parse(c, &doc, &root, err);
		free(doc.bytes);
	}
	if (rc == 0)
		rc = index_kind(root, err);
	if (rc == 0)
		rc = push_entries(c, w, root, e, err);
	unik_json_free(root);
	if (rc == 0)
		return 0;
	unik_wrap(err, "index %s", unik_digest_text(&e->desc.digest, text));
	return c->over || err->code != UNIK_EBAD ||
			       add(c, e, &cand, err) < 0 ? -1 :
	       img_cand_break(c, cand, err);
}

/* The kind of an entry without a media type: what its document is. */
static int kind_by_content(struct img_ctx *c, const struct entry *e,
			   enum img_doc_kind *kind, struct unik_err *err)
{
	struct unik_json *root = NULL;
	struct img_doc doc;
	int rc = img_desc_read(c, &e->desc, &doc, err);

	*kind = IMG_DOC_MANIFEST;
	if (rc == 0) {
		rc = img_doc_parse(c, &doc, &root, err);
		free(doc.bytes);
		if (rc == 0)
			rc = img_doc_kind(root, kind, err);
		unik_json_free(root);
	}
	/* What is wrong with it comes out again where it is judged. */
	return rc < 0 && (c->over || err->code != UNIK_EBAD) ? -1 : 0;
}

static int visit(struct img_ctx *c, struct walk *w, const struct entry *e,
		 struct unik_err *err)
{
	enum img_doc_kind kind = img_media_kind(e->desc.media_type);
	char q[UNIK_QUOTE_SIZE];
	struct img_cand *cand;
	struct unik_err no;

	if (e->desc.media_type[0] == 0 &&
	    kind_by_content(c, e, &kind, err) < 0)
		return -1;
	if (kind == IMG_DOC_INDEX)
		return expand(c, w, e, err);
	if (add(c, e, &cand, err) < 0)
		return -1;
	if (kind == IMG_DOC_MANIFEST)
		return img_manifest_judge(c, cand, err);
	unik_quote(q, e->desc.media_type, strlen(e->desc.media_type));
	if (kind == IMG_DOC_SCHEMA1)
		unik_fail(&no, "a Docker schema 1 manifest, which has no "
			  "diff_ids: %s", q);
	else
		unik_fail(&no, "neither an index nor a manifest: %s", q);
	cand->is_image = false;
	cand->why = unik_arena_text(&c->arena, no.msg, strlen(no.msg));
	return cand->why ? 0 : unik_fail_mem(err);
}

static bool share_name(const struct img_cand *a, const struct img_cand *b)
{
	const struct img_name *x, *y;

	for (x = a->names; x; x = x->next)
		for (y = b->names; y; y = y->next)
			if (strcmp(x->text, y->text) == 0)
				return true;
	return false;
}

/*
 * One manifest under several names is one candidate with all of them (the same
 * one for two platforms stays two); candidates that share a name are platforms
 * of one image.
 */
static int join(struct img_ctx *c, struct unik_err *err)
{
	size_t i, j, n = 0;

	for (i = 0; i < c->ncands; i++) {
		struct img_cand *cand = &c->cands[i];
		const struct img_name *name;

		for (j = 0; j < n; j++) {
			struct img_cand *old = &c->cands[j];
			bool same = unik_digest_equal(&old->manifest.digest,
						      &cand->manifest.digest);

			if (same || share_name(old, cand))
				img_cand_group(c, cand->group, old->group);
			if (same && img_platform_equal(&old->platform,
						       &cand->platform))
				break;
		}
		if (j == n) {
			c->cands[n++] = *cand;
			continue;
		}
		for (name = cand->names; name; name = name->next)
			if (img_name_add(c, &c->cands[j].names, name->text,
					 err) < 0)
				return -1;
	}
	c->ncands = n;
	return 0;
}

/* image-spec, image-layout.md, "oci-layout file". */
static int check_layout(struct img_ctx *c, struct unik_err *err)
{
	struct unik_json *root = NULL;
	const char *version;
	struct img_blob blob;
	int rc = img_find(c, "oci-layout", &blob, err);

	if (rc < 0)
		return -1;
	if (rc != 0) {
		img_warn(c, "the file 'oci-layout' is missing");
		return 0;
	}
	img_blob_drop(&blob);
	if (img_parse_path(c, "oci-layout", &root, err) < 0)
		return -1;
	rc = unik_json_string(root, "imageLayoutVersion", &version, err);
	if (rc == 0 && (!version || strcmp(version, "1.0.0") != 0))
		rc = unik_fail(err, "imageLayoutVersion is not '1.0.0'");
	unik_json_free(root);
	return rc < 0 ? unik_wrap(err, "'oci-layout'") : 0;
}

static int walk_all(struct img_ctx *c, struct walk *w, struct unik_err *err)
{
	struct unik_json *root = NULL;
	int rc;

	if (img_parse_path(c, "index.json", &root, err) < 0)
		return -1;
	rc = index_kind(root, err);
	if (rc == 0)
		rc = push_entries(c, w, root, NULL, err);
	unik_json_free(root);
	if (rc < 0)
		return unik_wrap(err, "'index.json'");
	while (rc == 0 && w->n > 0) {
		struct entry e = w->stack[--w->n];

		rc = visit(c, w, &e, err);
	}
	return rc;
}

int img_oci_load(struct img_ctx *c, struct unik_err *err)
{
	struct walk w = { NULL, 0, 0 };
	int rc;

	if (check_layout(c, err) < 0)
		return -1;
	rc = walk_all(c, &w, err);
	free(w.stack);
	return rc < 0 ? -1 : join(c, err);
}
