/* SPDX-License-Identifier: GPL-3.0-or-later */
/* image: platforms (OCI image-spec, image-index.md): names and fit.  The other
 * names and the variants that go without saying are those of containerd. */
#include <stdio.h>
#include <string.h>

#include "image_private.h"

static const char *arch_name(const char *arch)
{
	static const char *const other[][2] = {
		{ "x86_64", "amd64" },	{ "x86-64", "amd64" },
		{ "aarch64", "arm64" }, { "i386", "386" },
		{ "i686", "386" },	{ "armhf", "arm" },
		{ "armel", "arm" },
	};
	size_t i;

	for (i = 0; i < sizeof(other) / sizeof(other[0]); i++)
		if (strcmp(arch, other[i][0]) == 0)
			return other[i][1];
	return arch;
}

static const char *os_name(const char *os)
{
	return os[0] ? os : "linux";
}

/* "" for the variant that is meant where none is said. */
static const char *variant_name(const struct img_platform *p)
{
	static const char *const usual[][2] = {
		{ "amd64", "v1" }, { "arm64", "v8" }, { "arm", "v7" },
	};
	const char *arch = arch_name(p->arch), *v = p->variant;
	size_t i;

	if (strcmp(p->arch, "armel") == 0 && !v[0])
		return "v6";
	for (i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		if (strcmp(arch, usual[i][0]) == 0 &&
		    (strcmp(v, usual[i][1]) == 0 ||
		     strcmp(v, usual[i][1] + 1) == 0)) /* "8" */
			return "";
	return v;
}

bool img_platform_equal(const struct img_platform *a,
			const struct img_platform *b)
{
	return strcmp(a->os, b->os) == 0 && strcmp(a->arch, b->arch) == 0 &&
	       strcmp(a->variant, b->variant) == 0;
}

int img_platform_level(const struct img_platform *want,
		       const struct img_platform *have)
{
	const char *v = variant_name(have), *w = variant_name(want);

	if (!have->os[0] && !have->arch[0])
		return 2;
	if (strcmp(os_name(want->os), os_name(have->os)) != 0 ||
	    strcmp(arch_name(want->arch), arch_name(have->arch)) != 0)
		return -1;
	if (strcmp(v, w) == 0)
		return 0;
	return want->variant[0] ? -1 : 1; /* none asked for: any will do */
}

/* Takes the text up to a slash or the end: false where it is no name. */
static bool take(const char **text, char out[64])
{
	size_t n = strcspn(*text, "/");

	if (n == 0 || n > 63)
		return false;
	memcpy(out, *text, n);
	out[n] = 0;
	*text += n;
	return true;
}

int img_platform_parse(struct img_platform *p, const char *text,
		       struct unik_err *err)
{
	const char *at = text;
	char q[UNIK_QUOTE_SIZE];

	memset(p, 0, sizeof(*p));
	if (take(&at, p->os) && *at++ == '/' && take(&at, p->arch) &&
	    (*at == 0 || (*at++ == '/' && take(&at, p->variant) && *at == 0)))
		return 0;
	return unik_fail_usage(err, "%s is not a platform (OS/ARCH[/VARIANT])",
			       unik_quote(q, text, strlen(text)));
}

const char *img_platform_text(const struct img_platform *p,
			      char buf[IMG_PLATFORM_TEXT])
{
	size_t i;

	if (!p->os[0] && !p->arch[0])
		return "platform unknown";
	snprintf(buf, IMG_PLATFORM_TEXT, "%s/%s%s%s", p->os, p->arch,
		 p->variant[0] ? "/" : "", p->variant);
	for (i = 0; buf[i]; i++) /* it may come from the input */
		if (buf[i] < '!' || buf[i] > '~')
			buf[i] = '?';
	return buf;
}
