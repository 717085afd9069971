/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * image: manifest.json of a Docker archive (moby image-spec v1.2) ->
 * candidates, joined with those of index.json.
 *
 * Docker 25 and later and containerd write both files.  `docker load` on the
 * graph-driver store reads manifest.json only; containerd and skopeo's
 * oci-archive read index.json.  So neither can be left aside, and neither
 * suffices: manifest.json lists images that have no tag (index.json lists them
 * only from Docker 26 on) and, of many platforms, the one that is there;
 * index.json knows media types, sizes and digests.  An entry of each with the
 * same config is one candidate: the order of its layers is that of
 * manifest.json, and every layer's digest and size that of the OCI manifest.
 * They must list the same layers, but for the defect of Docker 25.0.0
 * (moby#47150), whose OCI manifests have them in any order and each only once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image_private.h"

static int oci_blobs(struct img_ctx *c, const struct unik_json *layers,
		     struct img_blob *blobs, struct unik_err *err)
{
	size_t i, n = unik_json_count(layers);

	for (i = 0; i < n; i++) {
		struct img_desc desc;
		int rc;

		blobs[i].fd = -1;
		if (img_desc_parse(unik_json_at(layers, i), &desc, err) < 0)
			return -1;
		rc = img_desc_find(c, &desc, &blobs[i], err);
		if (rc < 0)
			return -1;
		if (rc == 0 && blobs[i].own) { /* to compare is all */
			img_blob_drop(&blobs[i]);
			blobs[i].fd = 0;
		}
	}
	return 0;
}

static int find_layer(struct img_ctx *c, const struct unik_json *layers,
		      size_t i, struct img_blob *blobs, struct unik_err *err)
{
	char q[UNIK_QUOTE_SIZE];
	const char *path;
	int rc;

	if (unik_json_string_at(layers, i, "Layers", &path, err) < 0)
		return -1;
	rc = img_find(c, path, &blobs[i], err);
	if (rc < 0)
		return unik_wrap(err, "'Layers[%zu]'", i);
	if (rc != 0)
		return unik_fail(err, "layer %zu: %s is missing, though "
				 "'manifest.json' lists it", i,
				 unik_quote(q, path, strlen(path)));
	return img_blob_keep(c, blobs, i, err);
}

static int disagree(struct unik_err *err)
{
	return unik_fail(err, "'manifest.json' and 'index.json' list different "
			 "layers for one config");
}

/* Which layer of the OCI manifest each one is; its own index if it can be. */
static int match(const struct img_blob *blobs, size_t n,
		 const struct img_blob *oci, size_t noci, int *map,
		 bool *in_order, struct unik_err *err)
{
	size_t i, j;

	*in_order = n == noci;
	for (i = 0; i < n; i++) {
		map[i] = -1;
		for (j = 0; j < noci && map[i] < 0; j++) {
			size_t k = (i + j) % noci;

			if (oci[k].fd >= 0 && img_blob_same(&blobs[i], &oci[k]))
				map[i] = (int)k;
		}
		if (map[i] != (int)i)
			*in_order = false;
	}
	/* All of the OCI manifest's layers must be among ours. */
	for (j = 0; j < noci; j++) {
		for (i = 0; i < n; i++)
			if (oci[j].fd >= 0 && img_blob_same(&blobs[i], &oci[j]))
				break;
		if (i == n)
			return disagree(err);
	}
	/* Ours may be more only where the same ones come again. */
	for (i = 0; i < n && noci > 0; i++)
		if (map[i] < 0)
			return disagree(err);
	return 0;
}

int img_docker_match(struct img_ctx *c, const struct img_cand *cand,
		     const struct unik_json *oci_layers, struct img_blob *blobs,
		     int *map, bool *in_order, struct unik_err *err)
{
	size_t i, n, noci = unik_json_count(oci_layers);
	const struct unik_json *layers;
	struct img_blob *oci;
	int rc = 0;

	if (unik_json_array(cand->entry, "Layers", &layers, err) < 0)
		return -1;
	n = unik_json_count(layers);
	for (i = 0; i < n; i++) {
		map[i] = -1;
		if (find_layer(c, layers, i, blobs, err) < 0)
			return -1;
	}
	*in_order = true;
	if (!cand->oci)
		return 0;
	oci = calloc(noci + 1, sizeof(*oci));
	if (!oci)
		return unik_fail_mem(err);
	rc = oci_blobs(c, oci_layers, oci, err);
	if (rc == 0)
		rc = match(blobs, n, oci, noci, map, in_order, err);
	free(oci);
	return rc;
}

/* ---- candidates ---- */

/* Docker and go-containerregistry name the config by its digest. */
static void check_name(struct img_ctx *c, const char *path,
		       const struct unik_digest *digest)
{
	char hex[UNIK_DIGEST_TEXT], q[UNIK_QUOTE_SIZE];
	const char *name = strrchr(path, '/');

	name = name ? name + 1 : path;
	if (strncmp(name, "sha256:", 7) == 0)
		name += 7;
	unik_digest_hex(digest, hex);
	if (strspn(name, "0123456789abcdef") == 64 &&
	    strncmp(name, hex, 64) != 0)
		img_warn(c, "config %s has the digest sha256:%s",
			 unik_quote(q, path, strlen(path)), hex);
}

/* Reads the config of an entry: its platform and digest. */
static int read_config(struct img_ctx *c, struct img_cand *cand,
		       const char *path, struct unik_err *err)
{
	struct unik_json *root = NULL;
	struct img_doc doc;
	char q[UNIK_QUOTE_SIZE];
	int rc = img_read_path(c, path, &doc, err);

	if (rc == 1) {
		char text[600];

		snprintf(text, sizeof(text), "config %s is missing, though "
			 "'manifest.json' lists it",
			 unik_quote(q, path, strlen(path)));
		cand->absent = true;
		cand->why = unik_arena_text(&c->arena, text, strlen(text));
		return cand->why ? 0 : unik_fail_mem(err);
	}
	if (rc < 0)
		return -1;
	cand->has_config_digest = true;
	if (img_path_digest(path, &cand->config_digest)) {
		rc = img_check_digest(&doc, &cand->config_digest, err);
	} else {
		rc = unik_sha256(doc.bytes, doc.size, &cand->config_digest,
				 err);
		if (rc == 0)
			check_name(c, path, &cand->config_digest);
	}
	if (rc == 0)
		rc = img_doc_parse(c, &doc, &root, err);
	free(doc.bytes);
	if (rc == 0)
		rc = img_platform_parse_json(root, &cand->platform, err);
	unik_json_free(root);
	if (rc < 0)
		unik_wrap(err, "config %s", unik_quote(q, path, strlen(path)));
	return rc;
}

static int add_tags(struct img_ctx *c, const struct unik_json *tags,
		    struct img_name **names, struct unik_err *err)
{
	size_t i;

	for (i = 0; i < unik_json_count(tags); i++) {
		const char *tag;

		if (unik_json_string_at(tags, i, "RepoTags", &tag, err) < 0)
			return -1;
		if (tag[0] && strcmp(tag, "<none>:<none>") != 0 &&
		    img_name_found(c, names, tag, err) < 0)
			return -1;
	}
	return 0;
}

/* The candidate of index.json (or an earlier entry) with the same config. */
static struct img_cand *same_config(struct img_ctx *c, size_t before,
				    const struct img_cand *cand)
{
	size_t i;

	if (!cand->has_config_digest)
		return NULL;
	for (i = 0; i < before; i++) {
		struct img_cand *old = &c->cands[i];

		if (old->has_config_digest && !old->absent &&
		    unik_digest_equal(&old->config_digest,
				      &cand->config_digest))
			return old;
	}
	return NULL;
}

static bool has_name(const struct img_cand *cand, const char *name)
{
	const struct img_name *n;

	for (n = cand->names; n; n = n->next)
		if (strcmp(n->text, name) == 0)
			return true;
	return false;
}

static int add_names(struct img_ctx *c, const struct img_name *n,
		     struct img_name **list, struct unik_err *err)
{
	for (; n; n = n->next)
		if (img_name_add(c, list, n->text, err) < 0)
			return -1;
	return 0;
}

/* Gives the candidate's names to another one, before those from index.json:
 * Docker's names are whole, those of OCI may be tags. */
static int give_names(struct img_ctx *c, struct img_cand *from,
		      struct img_cand *to, struct unik_err *err)
{
	if (to->docker)
		return add_names(c, from->names, &to->names, err);
	if (add_names(c, to->names, &from->names, err) < 0)
		return -1;
	to->names = from->names;
	return 0;
}

/* Joins the last candidate with those before it. */
static int join(struct img_ctx *c, struct unik_err *err)
{
	struct img_cand *cand = &c->cands[c->ncands - 1];
	struct img_cand *old = same_config(c, c->ncands - 1, cand);
	const struct img_name *n;
	size_t i;

	for (i = 0; i + 1 < c->ncands; i++)
		for (n = cand->names; n; n = n->next)
			if (has_name(&c->cands[i], n->text))
				img_cand_group(c, cand->group,
					       c->cands[i].group);
	if (!old || cand->broken || old->broken)
		return 0;
	if (give_names(c, cand, old, err) < 0)
		return -1;
	if (!old->docker) {
		old->docker = true;
		old->entry = cand->entry;
		old->entry_index = cand->entry_index;
	}
	img_cand_group(c, cand->group, old->group);
	c->ncands--;
	return 0;
}

static int add_entry(struct img_ctx *c, const struct unik_json *entry, size_t i,
		     struct unik_err *err)
{
	const struct unik_json *tags, *layers;
	struct img_cand *cand;
	const char *config;

	if (!unik_json_is_object(entry))
		return unik_fail(err, "not an object");
	if (unik_json_string(entry, "Config", &config, err) < 0 ||
	    unik_json_array(entry, "RepoTags", &tags, err) < 0 ||
	    unik_json_array(entry, "Layers", &layers, err) < 0)
		return -1;
	if (!config)
		return unik_fail(err, "'Config' is missing");
	if (unik_json_count(layers) > c->limits->layers)
		return unik_fail(err, "%zu layers are over the limit of %llu "
				 "(--max-layers)", unik_json_count(layers),
				 (unsigned long long)c->limits->layers);
	cand = img_cand_add(c, err);
	if (!cand)
		return -1;
	cand->docker = true;
	cand->entry = entry;
	cand->entry_index = i;
	cand->group = ++c->ngroups;
	if (add_tags(c, tags, &cand->names, err) < 0)
		return -1;
	if (read_config(c, cand, config, err) < 0 &&
	    img_cand_break(c, cand, err) < 0)
		return -1;
	return join(c, err);
}

static int check_list(const struct unik_json *root, struct unik_err *err)
{
	if (unik_json_is_array(root))
		return 0;
	if (unik_json_has(root, "schemaVersion"))
		return unik_fail(err,
				 "'manifest.json' is a single manifest (of "
				 "a 'dir:' copy?), not the list of a Docker "
				 "archive");
	return unik_fail(err, "'manifest.json' is not an array");
}

int img_docker_load(struct img_ctx *c, struct unik_err *err)
{
	size_t i, n;

	if (img_parse_path(c, "manifest.json", &c->docker, err) < 0 ||
	    check_list(c->docker, err) < 0)
		return -1;
	n = unik_json_count(c->docker);
	c->nmanifests += n;
	if (c->nmanifests > c->limits->manifests)
		return unik_fail(err, "more than %llu manifests "
				 "(--max-manifests)",
				 (unsigned long long)c->limits->manifests);
	for (i = 0; i < n; i++)
		if (add_entry(c, unik_json_at(c->docker, i), i, err) < 0)
			return unik_wrap(err, "'manifest.json[%zu]'", i);
	return 0;
}
