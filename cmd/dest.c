/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "dest.h"

#include <string.h>
#include <unistd.h>

#include "common.h"

static const struct {
	const char *prefix;
	enum unik_pack_kind kind;
} kinds[] = {
	{ "docker-archive:", UNIK_PACK_DOCKER_ARCHIVE },
	{ "oci-archive:", UNIK_PACK_OCI_ARCHIVE },
	{ "oci:", UNIK_PACK_OCI_DIR },
};

/* PATH[:REF]: the first colon divides, for PATH need not be there yet. */
static void parse_pack(struct unik_convert_options *opt, char *text,
		       struct argp_state *state)
{
	char *colon = strchr(text, ':');

	if (colon) {
		*colon = 0;
		opt->pack.ref = colon + 1;
		if (!colon[1])
			argp_error(state, "the name of the new image is empty");
	}
	if (!text[0])
		argp_error(state, "the destination names no file");
	opt->pack.path = text;
	if (strcmp(text, "-") == 0 &&
	    opt->pack.kind == UNIK_PACK_DOCKER_ARCHIVE) {
		opt->pack.path = NULL;
		opt->pack.fd = STDOUT_FILENO;
	}
}

static void parse_image(struct unik_convert_options *opt, const char *text,
			struct argp_state *state)
{
	if (strcmp(text, "-") == 0)
		opt->image_fd = STDOUT_FILENO;
	else if (text[0])
		opt->image_path = text;
	else
		argp_error(state, "image: names no file");
}

void dest_parse(struct unik_convert_options *opt, char *dest,
		struct argp_state *state)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t n = strlen(kinds[i].prefix);

		if (strncmp(dest, kinds[i].prefix, n) != 0)
			continue;
		opt->pack.kind = kinds[i].kind;
		parse_pack(opt, dest + n, state);
		return;
	}
	if (strcmp(dest, "-") == 0) {
		opt->pack.kind = UNIK_PACK_DOCKER_ARCHIVE;
		parse_pack(opt, dest, state);
		return;
	}
	if (strncmp(dest, "image:", 6) == 0) {
		parse_image(opt, dest + 6, state);
		return;
	}
	if (strncmp(dest, "dir:", 4) == 0)
		dest += 4;
	if (!dest[0])
		argp_error(state, "the destination is empty");
	opt->store = dest;
}

bool dest_is_stdout(const struct unik_convert_options *opt)
{
	return opt->image_fd >= 0 || opt->pack.fd >= 0;
}
