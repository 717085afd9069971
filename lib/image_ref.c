/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * image: what the user calls an image -> the candidates that are meant.
 *
 * Names are kept as Docker shows them, without `docker.io/library/`.  A
 * reference fits, in this order: the whole name (`latest` where one of the two
 * has no tag); the tag alone; the end of the name from a slash on; the
 * beginning of a digest of the manifest, of its entry in index.json or of the
 * config (which is Docker's image id).
 */
#include <string.h>

#include "image_private.h"

#define MIN_HEX 4 /* digits that name an image by its digest */

const char *img_ref_familiar(const char *text)
{
	static const char *const hosts[] = { "docker.io/", "index.docker.io/" };
	size_t i;

	for (i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		size_t n = strlen(hosts[i]);

		if (strncmp(text, hosts[i], n) != 0)
			continue;
		text += n;
		if (strncmp(text, "library/", 8) == 0 &&
		    !strchr(text + 8, '/'))
			text += 8;
		break;
	}
	return text;
}

/* Where the tag begins, behind its colon; NULL where there is none. */
static const char *tag_of(const char *name)
{
	const char *slash = strrchr(name, '/');
	const char *colon = strchr(slash ? slash : name, ':');

	return colon ? colon + 1 : NULL;
}

/* Equal, a missing tag being `latest`. */
static bool equal_tagged(const char *a, const char *b)
{
	const char *ta = tag_of(a), *tb = tag_of(b);
	size_t na = ta ? (size_t)(ta - 1 - a) : strlen(a);
	size_t nb = tb ? (size_t)(tb - 1 - b) : strlen(b);

	return na == nb && memcmp(a, b, na) == 0 &&
	       strcmp(ta ? ta : "latest", tb ? tb : "latest") == 0;
}

static bool ends_with(const char *name, const char *ref)
{
	const char *at = name;

	while ((at = strchr(at, '/')) != NULL)
		if (equal_tagged(++at, ref))
			return true;
	return false;
}

static int name_level(const char *name, const char *ref)
{
	const char *tag = tag_of(name);

	if (strcmp(name, ref) == 0)
		return 0;
	if (equal_tagged(name, ref))
		return 1;
	if (tag && strcmp(tag, ref) == 0)
		return 2;
	return ends_with(name, ref) ? 3 : -1;
}

static bool begins_digest(const struct unik_digest *digest, const char *ref)
{
	char text[UNIK_DIGEST_TEXT];
	const char *hex;

	unik_digest_text(digest, text);
	hex = strchr(text, ':') + 1;
	if (strchr(ref, ':'))
		return strlen(ref) >= (size_t)(hex - text) + MIN_HEX &&
		       strncmp(text, ref, strlen(ref)) == 0;
	return strlen(ref) >= MIN_HEX && strncmp(hex, ref, strlen(ref)) == 0;
}

static bool digest_fits(const struct img_cand *cand, const char *ref)
{
	const char *at = strrchr(ref, '@'); /* NAME@DIGEST */

	if (at)
		ref = at + 1;
	return (cand->oci && (begins_digest(&cand->manifest.digest, ref) ||
			      begins_digest(&cand->top, ref))) ||
	       (cand->has_config_digest &&
		begins_digest(&cand->config_digest, ref));
}

int img_ref_level(const struct img_cand *cand, const char *ref,
		  const char **name)
{
	const struct img_name *n;
	int best = -1;

	ref = img_ref_familiar(ref);
	*name = NULL;
	for (n = cand->names; n; n = n->next) {
		int level = name_level(n->text, ref);

		if (level >= 0 && (best < 0 || level < best)) {
			best = level;
			*name = n->text;
		}
	}
	if (best < 0 && digest_fits(cand, ref))
		best = IMG_REF_LEVELS - 1;
	return best;
}
