/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * image: candidates -> the one that is meant, or an error that lists them.
 *
 * In turn: the reference; what is an image at all; the platform asked for; what
 * is there (Docker 29 and containerd list platforms that they did not save);
 * several images: an error; several platforms of one: linux/amd64.  Never a
 * guess between different images.
 */
#include <stdio.h>
#include <string.h>

#include "image_private.h"

#define LIST_SIZE 700 /* leaves room for what is around it in a message */

struct list {
	char text[LIST_SIZE];
	size_t size;
	size_t more; /* that had no room */
};

const char *img_cand_label(const struct img_cand *cand,
			   char buf[UNIK_QUOTE_SIZE])
{
	char text[UNIK_DIGEST_TEXT];

	if (cand->names)
		return unik_quote(buf, cand->names->text,
				  strlen(cand->names->text));
	if (!cand->has_config_digest && !cand->oci)
		return "an image without a config";
	unik_digest_text(cand->has_config_digest ? &cand->config_digest :
						   &cand->manifest.digest,
			 text);
	snprintf(buf, UNIK_QUOTE_SIZE, "%.19s", text);
	return buf;
}

static void list_add(struct list *l, const char *item)
{
	size_t n = strlen(item);

	if (l->more > 0 || l->size + n + 3 > sizeof(l->text)) {
		l->more++;
		return;
	}
	if (l->size > 0) {
		memcpy(l->text + l->size, ", ", 2);
		l->size += 2;
	}
	memcpy(l->text + l->size, item, n + 1);
	l->size += n;
}

/* What can be chosen: each name, with its platform. */
static void list_cands(struct img_ctx *c, struct list *l)
{
	char item[2 * UNIK_QUOTE_SIZE + IMG_PLATFORM_TEXT];
	char q[UNIK_QUOTE_SIZE], p[IMG_PLATFORM_TEXT];
	size_t i;

	l->text[0] = 0;
	l->size = 0;
	l->more = 0;
	for (i = 0; i < c->ncands; i++) {
		const struct img_cand *cand = &c->cands[i];
		const struct img_name *name = cand->names;

		do {
			snprintf(item, sizeof(item), "%s (%s%s)",
				 name ? unik_quote(q, name->text,
						   strlen(name->text)) :
					img_cand_label(cand, q),
				 img_platform_text(&cand->platform, p),
				 cand->absent ? ", absent" : "");
			list_add(l, item);
			name = name ? name->next : NULL;
		} while (name);
	}
	if (l->more > 0)
		snprintf(l->text + l->size, sizeof(l->text) - l->size,
			 " and %zu more", l->more);
}

/* Keeps the candidates for which level() is the lowest found, if any. */
static size_t keep_best(struct img_ctx *c,
			int (*level)(struct img_ctx *, const struct img_cand *),
			int worst)
{
	int best = -1;
	size_t i, n = 0;

	for (i = 0; i < c->ncands; i++) {
		int at = level(c, &c->cands[i]);

		if (at >= 0 && at <= worst && (best < 0 || at < best))
			best = at;
	}
	if (best < 0)
		return 0;
	for (i = 0; i < c->ncands; i++)
		if (level(c, &c->cands[i]) == best)
			c->cands[n++] = c->cands[i];
	c->ncands = n;
	return n;
}

static int level_kind(struct img_ctx *c, const struct img_cand *cand)
{
	if (c->want == UNIK_SRC_DOCKER_ARCHIVE)
		return cand->docker ? 0 : -1;
	if (c->want == UNIK_SRC_OCI_ARCHIVE || c->want == UNIK_SRC_OCI_DIR)
		return cand->oci ? 0 : -1;
	return 0;
}

static int level_ref(struct img_ctx *c, const struct img_cand *cand)
{
	const char *name;

	return img_ref_level(cand, c->ref, &name);
}

static int level_image(struct img_ctx *c, const struct img_cand *cand)
{
	(void)c;
	return cand->is_image ? 0 : -1;
}

static int level_present(struct img_ctx *c, const struct img_cand *cand)
{
	(void)c;
	return cand->absent ? -1 : 0;
}

static int level_platform(struct img_ctx *c, const struct img_cand *cand)
{
	return img_platform_level(&c->platform, &cand->platform);
}

static int level_default(struct img_ctx *c, const struct img_cand *cand)
{
	static const struct img_platform usual = { "linux", "amd64", "" };

	(void)c;
	return img_platform_level(&usual, &cand->platform);
}

static int pick_ref(struct img_ctx *c, struct unik_err *err)
{
	char q[UNIK_QUOTE_SIZE];
	struct list l;

	list_cands(c, &l);
	if (keep_best(c, level_ref, IMG_REF_LEVELS) == 0)
		return unik_fail(err, "no image %s; there is %s",
				 unik_quote(q, c->ref, strlen(c->ref)),
				 l.text);
	img_ref_level(&c->cands[0], c->ref, &c->picked);
	return 0;
}

static int pick_platform(struct img_ctx *c, struct unik_err *err)
{
	char p[IMG_PLATFORM_TEXT];
	struct list l;

	list_cands(c, &l);
	if (keep_best(c, level_platform, 2) == 0)
		return unik_fail(err, "no image for %s; there is %s",
				 img_platform_text(&c->platform, p), l.text);
	return 0;
}

static int pick_present(struct img_ctx *c, struct unik_err *err)
{
	bool usual_listed = false, usual_there = false;
	char p[IMG_PLATFORM_TEXT];
	size_t i, all = c->ncands;

	for (i = 0; i < c->ncands && !c->has_platform; i++) {
		int level = level_default(c, &c->cands[i]);

		usual_listed |= level == 0 || level == 1;
		usual_there |= (level == 0 || level == 1) &&
			       !c->cands[i].absent;
	}
	if (keep_best(c, level_present, 0) == 0)
		return unik_fail(err, "%s", c->cands[0].why);
	if (c->ncands < all && usual_listed && !usual_there)
		img_warn(c, "linux/amd64 is listed, but only %s is there",
			 img_platform_text(&c->cands[0].platform, p));
	return 0;
}

static bool several_groups(const struct img_ctx *c)
{
	size_t i;

	for (i = 1; i < c->ncands; i++)
		if (c->cands[i].group != c->cands[0].group)
			return true;
	return false;
}

/* Different manifests (say, gzip and zstd) of one config: the same layers, so
 * the first does. */
static bool one_config(const struct img_ctx *c)
{
	const struct img_cand *a = &c->cands[0];
	size_t i;

	for (i = 0; i < c->ncands; i++) {
		const struct img_cand *b = &c->cands[i];

		if (!b->has_config_digest ||
		    !unik_digest_equal(&a->config_digest, &b->config_digest))
			return false;
	}
	return true;
}

static int ambiguous(struct img_ctx *c, struct unik_err *err)
{
	bool groups = several_groups(c);
	char q[UNIK_QUOTE_SIZE];
	struct list l;

	if (!groups && c->ncands == 2 && c->cands[0].names &&
	    c->cands[0].docker != c->cands[1].docker &&
	    img_platform_equal(&c->cands[0].platform, &c->cands[1].platform))
		return unik_fail(err, "'manifest.json' and 'index.json' have "
				 "different images by the name %s",
				 img_cand_label(&c->cands[0], q));
	list_cands(c, &l);
	return unik_fail(err, "several images fit, choose one by %s: %s",
			 groups ? "its reference (PATH:REF)" : "--platform",
			 l.text);
}

static int nothing(struct img_ctx *c, struct unik_err *err)
{
	return unik_fail(err, "no image is in it: %s",
			 c->docker ? "'manifest.json' lists none" :
				     "'index.json' lists none");
}

int img_select(struct img_ctx *c, struct img_cand **chosen,
	       struct unik_err *err)
{
	if (c->ncands == 0 || keep_best(c, level_kind, 0) == 0)
		return nothing(c, err);
	if (c->ref && pick_ref(c, err) < 0)
		return -1;
	if (keep_best(c, level_image, 0) == 0)
		return unik_fail(err, "%s", c->cands[0].why);
	if (c->has_platform && pick_platform(c, err) < 0)
		return -1;
	if (pick_present(c, err) < 0)
		return -1;
	if (several_groups(c) && !one_config(c))
		return ambiguous(c, err);
	if (c->ncands > 1 && !c->has_platform)
		keep_best(c, level_default, 1);
	if (c->ncands > 1 && !one_config(c))
		return ambiguous(c, err);
	*chosen = &c->cands[0];
	if ((*chosen)->broken) {
		*err = *(*chosen)->broken;
		return -1;
	}
	return 0;
}
