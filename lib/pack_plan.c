/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pack: what the options ask for, and whether that can be. */
#define _POSIX_C_SOURCE 200809L
#include <stdlib.h>
#include <string.h>

#include "deflate.h"
#include "pack.h"

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return is_lower(c) || (c >= 'A' && c <= 'Z');
}

/* ---- names of images ---- */

/* A component of a path in the reference grammar of distribution: lower case
 * and digits, between them `.`, `_`, `__` or any number of `-`. */
static bool is_component(const char *p, size_t n)
{
	size_t i = 0, from;

	for (;;) {
		from = i;
		while (i < n && (is_lower(p[i]) || is_digit(p[i])))
			i++;
		if (i == from)
			return false;
		if (i == n)
			return true;
		if (p[i] == '-') {
			while (i < n && p[i] == '-')
				i++;
		} else if (p[i] == '.') {
			i++;
		} else if (p[i] == '_') {
			i += i + 1 < n && p[i + 1] == '_' ? 2 : 1;
		} else {
			return false;
		}
	}
}

/* A host with an optional port: only the first component may be one. */
static bool is_host(const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!is_letter(p[i]) && !is_digit(p[i]) && p[i] != '.' &&
		    p[i] != '-' && p[i] != ':' && p[i] != '[' && p[i] != ']')
			return false;
	return n > 0 && p[0] != '-' && p[0] != '.';
}

static bool is_tag(const char *p)
{
	size_t n = strlen(p), i;

	for (i = 0; i < n; i++)
		if (!is_letter(p[i]) && !is_digit(p[i]) && p[i] != '_' &&
		    (i == 0 || (p[i] != '.' && p[i] != '-')))
			return false;
	return n > 0 && n <= 128;
}

/* [HOST[:PORT]/]NAME[:TAG] */
static bool is_docker_name(const char *text)
{
	const char *slash = strrchr(text, '/');
	const char *colon = strchr(slash ? slash : text, ':');
	const char *end = colon ? colon : text + strlen(text), *p = text;

	if ((colon && !is_tag(colon + 1)) || strlen(text) > 255)
		return false;
	for (;;) {
		size_t n = strcspn(p, "/");

		if (n > (size_t)(end - p))
			n = (size_t)(end - p);
		if (!is_component(p, n) &&
		    !(p == text && p[n] == '/' && is_host(p, n)))
			return false;
		if (p + n == end)
			return true;
		p += n + 1;
	}
}

/* OCI image-spec, annotations.md, "org.opencontainers.image.ref.name". */
static bool is_oci_name(const char *text)
{
	size_t n = strlen(text), i, from = 0;

	for (i = 0; i <= n; i++) {
		if (i < n && (is_letter(text[i]) || is_digit(text[i])))
			continue;
		if (i == from) /* a separator at the begin, or two of them */
			if (i == 0 || i == n || text[i] != '-' ||
			    text[i - 1] != '-')
				return false;
		if (i < n && !strchr("-._:@+/", text[i]))
			return false;
		from = i + 1;
	}
	return true;
}

/* The name with its tag. */
static int set_docker_name(struct unik_pack_plan *plan, const char *text,
			   struct unik_err *err)
{
	const char *slash = strrchr(text, '/');
	bool tagged = strchr(slash ? slash : text, ':') != NULL;
	size_t n = strlen(text);

	plan->ref = malloc(n + 8);
	if (!plan->ref)
		return unik_fail_mem(err);
	memcpy(plan->ref, text, n + 1);
	if (!tagged)
		memcpy(plan->ref + n, ":latest", 8);
	return 0;
}

int unik_pack_name(struct unik_pack_plan *plan,
		   const struct unik_image *source, struct unik_err *err)
{
	const char *name = source->name;

	if (plan->ref || plan->kind != UNIK_PACK_DOCKER_ARCHIVE ||
	    !source->has_reference || !is_docker_name(name))
		return 0;
	/* The reference of an OCI source may be a tag alone. */
	if (source->kind != UNIK_SRC_DOCKER_ARCHIVE && !strpbrk(name, ":/"))
		return 0;
	return set_docker_name(plan, name, err);
}

static int check_ref(struct unik_pack_plan *plan, const char *ref,
		     struct unik_err *err)
{
	char q[UNIK_QUOTE_SIZE];
	bool docker = plan->kind == UNIK_PACK_DOCKER_ARCHIVE;

	if (docker ? !is_docker_name(ref) : !is_oci_name(ref))
		return unik_fail_usage(err, "%s is no name of an image",
				       unik_quote(q, ref, strlen(ref)));
	if (docker)
		return set_docker_name(plan, ref, err);
	plan->ref = strdup(ref);
	return plan->ref ? 0 : unik_fail_mem(err);
}

/* ---- packages and compression ---- */

static const char *const packages[] = {
	[UNIK_PACKAGE_FILE] = "file",
	[UNIK_PACKAGE_APPEND] = "append",
	[UNIK_PACKAGE_RAW] = "raw",
};

static int check_package(struct unik_pack_plan *plan, const char *text,
			 struct unik_err *err)
{
	size_t i;

	for (i = 0; i < sizeof(packages) / sizeof(packages[0]); i++) {
		if (strcmp(text, packages[i]) == 0) {
			plan->package = (enum unik_package)i;
			return 0;
		}
	}
	return unik_fail_usage(err, "a package is file, append or raw, not "
			       "'%s'", text);
}

const char *unik_package_name(enum unik_package package)
{
	return packages[package];
}

/* "gzip", "zstd:19" */
static int check_compress(struct unik_pack_plan *plan, const char *text,
			  struct unik_err *err)
{
	static const struct {
		const char *name;
		enum unik_compression how;
	} known[] = { { "none", UNIK_PLAIN },
		      { "gzip", UNIK_GZIP },
		      { "zstd", UNIK_ZSTD } };
	size_t n = strcspn(text, ":"), i;
	const char *p = text + n;

	for (i = 0; i < 3; i++)
		if (n == strlen(known[i].name) &&
		    memcmp(text, known[i].name, n) == 0)
			break;
	if (i == 3)
		return unik_fail_usage(err, "compression is none, gzip or "
				       "zstd, not '%s'", text);
	plan->compress = known[i].how;
	if (!*p)
		return 0;
	for (p++; is_digit(*p) && plan->level < 100; p++)
		plan->level = plan->level * 10 + (*p - '0');
	if (*p || plan->level < 1 ||
	    plan->level > unik_deflate_most(plan->compress))
		return unik_fail_usage(err, "'%s' is no level of compression: "
				       "gzip has 1 to 9, zstd 1 to 19", text);
	return 0;
}

static int check_raw(struct unik_pack_plan *plan,
		     const struct unik_pack_options *opt, struct unik_err *err)
{
	if (plan->kind == UNIK_PACK_DOCKER_ARCHIVE)
		return unik_fail_usage(err, "a raw package is for OCI "
				       "registries: no engine unpacks it, and "
				       "podman shows an empty root");
	if (opt->kernel || opt->urunc)
		return unik_fail_usage(err, "a raw package holds filesystem "
				       "images only: no kernel, nothing for "
				       "urunc");
	if (opt->compress && plan->compress != UNIK_PLAIN)
		return unik_fail_usage(err, "a raw package holds the images "
				       "themselves: nothing is compressed");
	plan->compress = UNIK_PLAIN;
	return 0;
}

static int check_referrer(struct unik_pack_plan *plan,
			  const struct unik_pack_options *opt,
			  struct unik_err *err)
{
	if (plan->kind != UNIK_PACK_OCI_DIR)
		return unik_fail_usage(err, "a referrer is for the OCI "
				       "directory that holds the source");
	if (opt->package && plan->package != UNIK_PACKAGE_RAW)
		return unik_fail_usage(err, "a referrer is no image: its "
				       "package is raw");
	plan->referrer = true;
	plan->package = UNIK_PACKAGE_RAW;
	return 0;
}

int unik_pack_check(struct unik_pack_plan *plan,
		    const struct unik_pack_options *opt, struct unik_err *err)
{
	memset(plan, 0, sizeof(*plan));
	plan->kind = opt->kind;
	plan->compress = opt->kind == UNIK_PACK_DOCKER_ARCHIVE ? UNIK_PLAIN
							       : UNIK_GZIP;
	if ((opt->package && check_package(plan, opt->package, err) < 0) ||
	    (opt->compress && check_compress(plan, opt->compress, err) < 0))
		return -1;
	if (opt->referrer && check_referrer(plan, opt, err) < 0)
		return -1;
	if (plan->package == UNIK_PACKAGE_RAW &&
	    check_raw(plan, opt, err) < 0)
		return -1;
	return opt->ref ? check_ref(plan, opt->ref, err) : 0;
}

void unik_pack_release(struct unik_pack_plan *plan)
{
	free(plan->ref);
	plan->ref = NULL;
}
