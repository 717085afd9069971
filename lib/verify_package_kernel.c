/* SPDX-License-Identifier: GPL-3.0-or-later */
/* verify: what stands beside the images of a package: the guest's kernel, and
 * what urunc is told. */
#include <stdlib.h>
#include <string.h>

#include "kernel.h"
#include "verify_package_private.h"

/* ---- labels ---- */

static const char *label(const struct package *p, const char *key)
{
	return unik_package_label(p->image, key);
}

/* What urunc is told follows from the rest. */
static int read_urunc(struct package *p, const char *words,
		      struct unik_err *err)
{
	const char *kernel = label(p, UNIK_LABEL_KERNEL);
	char name[UNIK_PACK_NAME];
	size_t i;

	if (!kernel || p->m->nstack != 1)
		return unik_fail(err, "the label %s is for one image and a "
				 "kernel", UNIK_LABEL_URUNC);
	package_name(p, 0, name);
	if (unik_urunc_parse(&p->urunc, words, err) < 0)
		return unik_fail(err, "the label %s is not TYPE,HYPERVISOR",
				 UNIK_LABEL_URUNC);
	if (unik_urunc_make(&p->urunc, &p->image->config, kernel, name, err) <
	    0)
		return -1;
	for (i = 0; i < UNIK_URUNC_LABELS; i++) {
		const struct unik_pack_label *l = &p->urunc.labels[i];
		const char *got = label(p, l->key);

		if (!got || strcmp(got, l->value) != 0)
			return unik_fail(err, "the label %s is not what the "
					 "package makes it", l->key);
	}
	p->has_urunc = true;
	return 0;
}

int package_read_extras(struct package *p, struct unik_err *err)
{
	const char *path = label(p, UNIK_LABEL_KERNEL);
	const char *from = label(p, UNIK_LABEL_KERNEL_FROM);
	const char *digest = label(p, UNIK_LABEL_KERNEL_DIGEST);
	const char *words = label(p, UNIK_LABEL_URUNC);
	bool host;

	if (!path != !from || !path != !digest)
		return unik_fail(err, "the labels of its kernel are not all "
				 "there");
	host = from && strcmp(from, "host") == 0;
	if (from && !host && strcmp(from, "source") != 0)
		return unik_fail(err, "the label %s is neither host nor source",
				 UNIK_LABEL_KERNEL_FROM);
	if (path && (host || p->how != UNIK_PACKAGE_APPEND)) {
		p->kernel = path;
		p->kernel_digest = digest;
	}
	return words ? read_urunc(p, words, err) : 0;
}

bool package_own_label(const struct package *p, const char *text)
{
	size_t i, n = strcspn(text, "=");

	if (strncmp(text, "org.unik.", 9) == 0)
		return true;
	for (i = 0; i < UNIK_URUNC_LABELS && p->has_urunc; i++)
		if (strlen(p->urunc.labels[i].key) == n &&
		    memcmp(p->urunc.labels[i].key, text, n) == 0)
			return true;
	return false;
}

/* ---- entries ---- */

static bool is_file(const struct unik_tar_entry *e, unsigned mode)
{
	return e->typeflag == '0' && !e->sparse && e->mode == mode &&
	       e->uid == 0 && e->gid == 0;
}

/* Behind a layer of the source, which may hold a file of that name: only the
 * right one counts. */
static bool is_original(const struct package *p, bool wrong)
{
	return wrong && p->how == UNIK_PACKAGE_APPEND;
}

static int check_kernel(struct package *p, struct unik_tar *tar,
			const struct unik_tar_entry *e, bool *is_one,
			struct findings *f, struct unik_err *err)
{
	const char *wrong = NULL;
	struct unik_digest got;
	char text[UNIK_DIGEST_TEXT];
	uint64_t size = e->size;

	if (!is_file(e, 0755))
		wrong = "it is no plain file, or has another mode or owner";
	else if (package_hash(tar, &got, err) < 0)
		return -1;
	else if (strcmp(unik_digest_text(&got, text), p->kernel_digest) != 0)
		wrong = "its bytes are not those of its label";
	*is_one = !is_original(p, wrong != NULL);
	if (!*is_one)
		return 0;
	p->found_kernel = true;
	p->beside += package_entry_size(size);
	if (wrong)
		verify_put(f, UNIK_IDENTITY, UNIK_FAIL, "kernel", "%s", wrong);
	else
		verify_put(f, UNIK_IDENTITY, UNIK_PASS, "kernel",
			   "%s, as its label says", text);
	return 0;
}

static int check_urunc(struct package *p, struct unik_tar *tar,
		       const struct unik_tar_entry *e, bool *is_one,
		       struct findings *f, struct unik_err *err)
{
	struct unik_digest got, want;
	bool right = is_file(e, 0444);
	uint64_t size = e->size;

	if (package_hash(tar, &got, err) < 0 ||
	    unik_sha256(p->urunc.json, p->urunc.json_size, &want, err) < 0)
		return -1;
	right = right && unik_digest_equal(&got, &want);
	*is_one = !is_original(p, !right);
	if (!*is_one)
		return 0;
	p->found_urunc = true;
	p->beside += package_entry_size(size);
	if (right)
		verify_put(f, UNIK_IDENTITY, UNIK_PASS, UNIK_URUNC_FILE,
			   "it says what the labels say");
	else
		verify_put(f, UNIK_IDENTITY, UNIK_FAIL, UNIK_URUNC_FILE,
			   "it is not what the package makes it");
	return 0;
}

/* A directory that the kernel's path needs. */
static bool is_parent(const struct package *p, const struct unik_tar_entry *e)
{
	size_t n = e->path_size;

	return p->kernel && e->typeflag == '5' && n > 1 && e->mode == 0755 &&
	       e->uid == 0 && e->gid == 0 && e->path[n - 1] == '/' &&
	       strncmp(p->kernel, e->path, n) == 0;
}

int package_extra(struct package *p, struct unik_tar *tar,
		  const struct unik_tar_entry *e, bool *is_one,
		  struct findings *f, struct unik_err *err)
{
	if (p->kernel && !p->found_kernel && strcmp(e->path, p->kernel) == 0)
		return check_kernel(p, tar, e, is_one, f, err);
	if (p->has_urunc && !p->found_urunc &&
	    strcmp(e->path, UNIK_URUNC_FILE) == 0)
		return check_urunc(p, tar, e, is_one, f, err);
	*is_one = is_parent(p, e) && p->how == UNIK_PACKAGE_FILE;
	return 0;
}

void package_missing(const struct package *p, struct findings *f)
{
	if (p->kernel && !p->found_kernel)
		verify_put(f, UNIK_IDENTITY, UNIK_FAIL, "kernel",
			   "it is not in the first layer");
	if (p->has_urunc && !p->found_urunc)
		verify_put(f, UNIK_IDENTITY, UNIK_FAIL, UNIK_URUNC_FILE,
			   "it is not in the first layer");
}

/* ---- the source ---- */

void package_kernel(const struct package *p, struct findings *f)
{
	const struct unik_verify_options *opt = p->v->opt;
	const struct unik_layer_options lo = {
		.limits = &opt->limits,
		.spool_dir = opt->spool_dir,
		.stop = opt->stop,
	};
	const char *path = label(p, UNIK_LABEL_KERNEL);
	struct unik_kernel k = UNIK_KERNEL_NONE;
	char text[UNIK_DIGEST_TEXT];
	struct unik_err err;
	size_t several;

	if (!path)
		return;
	if (strcmp(label(p, UNIK_LABEL_KERNEL_FROM), "host") == 0)
		verify_put(f, UNIK_FAITHFUL, UNIK_SKIP, "kernel",
			   "it was a file of the host");
	else if (unik_kernel_load(&k, p->v->source, path, &lo, &several,
				  &err) < 0)
		verify_put_err(f, UNIK_FAITHFUL, "kernel", &err);
	else if (strcmp(unik_digest_text(&k.digest, text),
			label(p, UNIK_LABEL_KERNEL_DIGEST)) == 0)
		verify_put(f, UNIK_FAITHFUL, UNIK_PASS, "kernel",
			   "the source has the same");
	else
		verify_put(f, UNIK_FAITHFUL, UNIK_FAIL, "kernel",
			   "the source has another");
	unik_kernel_release(&k);
}
