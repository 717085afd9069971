/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "package.h"

#include <stdlib.h>
#include <string.h>

const char *unik_package_label(const struct unik_image *image, const char *key)
{
	const struct unik_strings *l = &image->config.labels;
	size_t n = strlen(key), i;

	for (i = 0; i < l->n; i++)
		if (strncmp(l->v[i], key, n) == 0 && l->v[i][n] == '=')
			return l->v[i] + n + 1;
	return NULL;
}

bool unik_is_package(const struct unik_image *image)
{
	return unik_package_label(image, UNIK_LABEL_PACKAGE) &&
	       unik_package_label(image, UNIK_LABEL_STACK);
}

/* The label has the manifest without its newline. */
static int read_stack(const char *text, const struct unik_limits *limits,
		      struct unik_stored_manifest **stack, struct unik_err *err)
{
	size_t n = strlen(text);
	char *line = malloc(n + 2);
	int rc;

	if (!line)
		return unik_fail_mem(err);
	memcpy(line, text, n);
	memcpy(line + n, "\n", 2);
	rc = unik_manifest_read(stack, line, n + 1, limits, err);
	free(line);
	return rc < 0 ? unik_wrap(err, "the label %s", UNIK_LABEL_STACK) : 0;
}

int unik_package_read(const struct unik_image *image,
		      const struct unik_limits *limits, enum unik_package *how,
		      struct unik_stored_manifest **stack, struct unik_err *err)
{
	const char *name = unik_package_label(image, UNIK_LABEL_PACKAGE);
	const char *text = unik_package_label(image, UNIK_LABEL_STACK);
	int i;

	if (!name || !text)
		return unik_fail(err, "no stack is recorded in it");
	for (i = UNIK_PACKAGE_FILE; i <= UNIK_PACKAGE_RAW; i++)
		if (strcmp(name, unik_package_name((enum unik_package)i)) == 0)
			break;
	if (i > UNIK_PACKAGE_RAW)
		return unik_fail(err, "the label %s is none of file, append "
				 "and raw", UNIK_LABEL_PACKAGE);
	*how = (enum unik_package)i;
	return read_stack(text, limits, stack, err);
}
