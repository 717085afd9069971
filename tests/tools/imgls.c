/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * imgls [-p PLATFORM] [-l LIMIT=VALUE] [-t TMPDIR] SOURCE: what the image room
 * makes of a source, in lines.  The exit status is that of the error; a message
 * goes to stderr, warnings too.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"
#include "io.h"
#include "limits.h"

static void warn(void *data, const char *text)
{
	(void)data;
	fprintf(stderr, "imgls: warning: %s\n", text);
}

static void print_digest(const char *what, bool has,
			 const struct unik_digest *digest)
{
	char text[UNIK_DIGEST_TEXT];

	printf("%s %s\n", what, has ? unik_digest_text(digest, text) : "-");
}

static void print_strings(const char *what, const struct unik_strings *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		printf("%s %s\n", what, list->v[i]);
}

static void print_layer(size_t i, const struct unik_layer_ref *layer)
{
	char a[UNIK_DIGEST_TEXT], b[UNIK_DIGEST_TEXT];

	printf("layer %zu diff_id=%s blob=%s size=%llu type=%s by=%s\n", i,
	       layer->has_diff_id ? unik_digest_text(&layer->diff_id, a) : "-",
	       layer->has_blob_digest ?
			unik_digest_text(&layer->blob_digest, b) : "-",
	       (unsigned long long)layer->size, layer->media_type,
	       layer->created_by);
}

/* The bytes of every layer, one behind the other. */
static int dump(const struct unik_image *image, struct unik_err *err)
{
	static char buf[1 << 16];
	size_t i;

	for (i = 0; i < image->nlayers; i++) {
		const struct unik_layer_ref *l = &image->layers[i];
		uint64_t at = 0;

		while (at < l->size) {
			size_t n = l->size - at < sizeof(buf) ?
				   (size_t)(l->size - at) : sizeof(buf);

			if (unik_pread_all(l->fd, buf, n, l->offset + at,
					   err) < 0)
				return -1;
			fwrite(buf, 1, n, stdout);
			at += n;
		}
	}
	return 0;
}

static void print_image(const struct unik_image *image)
{
	size_t i;

	printf("kind %s\n", unik_source_kind_name(image->kind));
	printf("name %s\n", image->name);
	printf("platform %s/%s/%s\n", image->os, image->arch, image->variant);
	print_digest("manifest", image->has_manifest_digest,
		     &image->manifest_digest);
	printf("manifest_type %s\n", image->manifest_type);
	printf("manifest_size %zu\n", image->manifest_size);
	print_digest("config", image->has_config_digest,
		     &image->config_digest);
	printf("config_size %zu\n", image->config_size);
	print_strings("entrypoint", &image->config.entrypoint);
	print_strings("cmd", &image->config.cmd);
	print_strings("env", &image->config.env);
	print_strings("label", &image->config.labels);
	printf("cwd %s\nuser %s\n", image->config.cwd, image->config.user);
	for (i = 0; i < image->nlayers; i++)
		print_layer(i, &image->layers[i]);
}

static bool set_limit(struct unik_limits *limits, const char *text)
{
	const char *equal = strchr(text, '=');
	size_t i, n;
	const struct unik_limit_row *row = unik_limits_table(&n);

	for (i = 0; equal && i < n; i++) {
		uint64_t v = strtoull(equal + 1, NULL, 10);

		if (strlen(row[i].name) != (size_t)(equal - text) ||
		    strncmp(row[i].name, text, (size_t)(equal - text)) != 0)
			continue;
		memcpy((char *)limits + row[i].offset, &v, sizeof(v));
		return true;
	}
	return false;
}

int main(int argc, char **argv)
{
	struct unik_image_options opt = { .spool_dir = "/tmp", .warn = warn };
	struct unik_image *image = NULL;
	struct unik_limits limits;
	struct unik_err err = { 0 };
	bool bytes = false;
	int c, rc;

	unik_limits_init(&limits);
	while ((c = getopt(argc, argv, "bp:l:t:")) != -1) {
		if (c == 'b')
			bytes = true;
		else if (c == 'p')
			opt.platform = optarg;
		else if (c == 't')
			opt.spool_dir = optarg;
		else if (c != 'l' || !set_limit(&limits, optarg))
			return 2;
	}
	if (optind + 1 != argc)
		return 2;
	opt.source = argv[optind];
	opt.limits = &limits;
	rc = unik_image_open(&image, &opt, &err);
	if (rc == 0 && bytes)
		rc = dump(image, &err);
	else if (rc == 0)
		print_image(image);
	unik_image_free(image);
	if (rc == 0)
		return 0;
	fprintf(stderr, "imgls: %s\n", err.msg);
	return err.code;
}
