/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tests of the image room share: archives built in memory, and one
 * call that opens them.  Texts made by text() live until reset(). */
#ifndef UNIK_IMGTEST_H
#define UNIK_IMGTEST_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "image.h"
#include "limits.h"
#include "tap.h"

#define OCI_INDEX "application/vnd.oci.image.index.v1+json"
#define OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define OCI_CONFIG "application/vnd.oci.image.config.v1+json"
#define OCI_LAYER "application/vnd.oci.image.layer.v1.tar"
#define LAYOUT "{\"imageLayoutVersion\":\"1.0.0\"}"
#define LINUX_AMD64 "\"os\":\"linux\",\"architecture\":\"amd64\""

static char *kept[4096];
static size_t nkept;
static unsigned char *tar;
static size_t tar_size;
static struct unik_limits limits;
static struct unik_image *image;
static struct unik_err err;
static char warnings[4096];

/* A text that lives until reset(). */
__attribute__((format(printf, 1, 2), unused))
static const char *text(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0 ||
	    nkept == sizeof(kept) / sizeof(kept[0]))
		abort();
	va_end(ap);
	return kept[nkept++] = s;
}

/* Starts the next archive. */
static void reset(void)
{
	while (nkept > 0)
		free(kept[--nkept]);
	free(tar);
	tar = NULL;
	tar_size = 0;
	unik_image_free(image);
	image = NULL;
	unik_limits_init(&limits);
}

static unsigned char *grow(size_t n)
{
	tar = realloc(tar, tar_size + n);
	memset(tar + tar_size, 0, n);
	tar_size += n;
	return tar + tar_size - n;
}

/* One member: ustar (POSIX.1-1988), a long name in GNU's way. */
static void member(const char *name, char type, const char *link,
		   const void *data, size_t n)
{
	unsigned sum = 0;
	char octal[24], *h;
	int i;

	if (strlen(name) > 100)
		member("././@LongLink", 'L', "", name, strlen(name) + 1);
	h = (char *)grow(512 + (n + 511) / 512 * 512);
	memcpy(h, name, strnlen(name, 100));
	strcpy(h + 100, "0000644");
	strcpy(h + 108, "0000000");
	strcpy(h + 116, "0000000");
	snprintf(octal, sizeof(octal), "%011zo", n);
	memcpy(h + 124, octal, 11);
	strcpy(h + 136, "00000000000");
	memset(h + 148, ' ', 8);
	h[156] = type;
	memcpy(h + 157, link, strnlen(link, 100));
	memcpy(h + 257, "ustar\00000", 8);
	for (i = 0; i < 512; i++)
		sum += (unsigned char)h[i];
	snprintf(h + 148, 8, "%06o", sum);
	memcpy(h + 512, data, n);
}

__attribute__((unused))
static void file(const char *name, const char *data)
{
	member(name, '0', "", data, strlen(data));
}

/* The digest of a text, as text. */
__attribute__((unused))
static const char *sha(const char *data)
{
	char buf[UNIK_DIGEST_TEXT];
	struct unik_digest d;

	unik_sha256(data, strlen(data), &d, &err);
	return text("%s", unik_digest_text(&d, buf));
}

/* Where a blob lives. */
__attribute__((unused))
static const char *blob_path(const char *data)
{
	return text("blobs/sha256/%s", sha(data) + 7);
}

/* A descriptor; `more` is `,"key":...` or "". */
__attribute__((unused))
static const char *desc(const char *type, const char *data, const char *more)
{
	return text("{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu%s}",
		    type, sha(data), strlen(data), more);
}

/* A blob and its descriptor. */
__attribute__((unused))
static const char *blob(const char *type, const char *data, const char *more)
{
	file(blob_path(data), data);
	return desc(type, data, more);
}

/* A config whose layers are the given text (of diff_ids). */
__attribute__((unused))
static const char *config(const char *platform, const char *diff_ids)
{
	return text("{%s%s\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[%s]}}",
		    platform, platform[0] ? "," : "", diff_ids);
}

/* The diff_id of an uncompressed layer, quoted. */
__attribute__((unused))
static const char *id(const char *layer)
{
	return text("\"%s\"", sha(layer));
}

__attribute__((unused))
static const char *manifest(const char *config_desc, const char *layers)
{
	return text("{\"schemaVersion\":2,\"mediaType\":\"" OCI_MANIFEST "\","
		    "\"config\":%s,\"layers\":[%s]}", config_desc, layers);
}

__attribute__((unused))
static const char *index_of(const char *entries)
{
	return text("{\"schemaVersion\":2,\"mediaType\":\"" OCI_INDEX "\","
		    "\"manifests\":[%s]}", entries);
}

__attribute__((unused))
static const char *ref_name(const char *name)
{
	return text(",\"annotations\":{\"org.opencontainers.image.ref.name\":"
		    "\"%s\"}", name);
}

/* A whole image of one layer: the descriptor of its manifest. */
__attribute__((unused))
static const char *one_image(const char *platform, const char *layer,
			     const char *more)
{
	const char *c = config(platform, id(layer));

	return blob(OCI_MANIFEST,
		    manifest(blob(OCI_CONFIG, c, ""),
			     blob(OCI_LAYER, layer, "")), more);
}

/* The archive of an index.json. */
__attribute__((unused))
static void oci_archive(const char *entries)
{
	file("oci-layout", LAYOUT);
	file("index.json", index_of(entries));
}

static void keep_warning(void *data, const char *line)
{
	(void)data;
	strncat(warnings, line, sizeof(warnings) - strlen(warnings) - 1);
}

/* Opens what was built (with `end` and its end blocks), as PREFIX/dev/fd/N
 * SUFFIX. */
static int open_as(const char *prefix, const char *suffix, const char *platform)
{
	struct unik_image_options opt = { .platform = platform,
		.limits = &limits, .spool_dir = "/tmp", .warn = keep_warning };
	int fd = memfd_create("archive", MFD_CLOEXEC), rc;

	unik_image_free(image);
	image = NULL;
	warnings[0] = 0;
	memset(&err, 0, sizeof(err));
	if (fd < 0 || write(fd, tar, tar_size) != (ssize_t)tar_size ||
	    ftruncate(fd, (off_t)tar_size + 1024) < 0)
		abort();
	opt.source = text("%s/proc/self/fd/%d%s", prefix, fd, suffix);
	rc = unik_image_open(&image, &opt, &err);
	close(fd);
	return rc;
}

/* Whether the error is of the input and its one line says `want`. */
__attribute__((unused))
static bool refused(const char *want)
{
	return !image && err.code == UNIK_EBAD && strstr(err.msg, want) &&
	       !strchr(err.msg, '\n');
}

/* Reads a layer back from where the image says it is. */
__attribute__((unused))
static bool layer_is(size_t i, const char *want)
{
	char buf[256] = "";

	return i < image->nlayers && image->layers[i].size == strlen(want) &&
	       pread(image->layers[i].fd, buf, strlen(want),
		     (off_t)image->layers[i].offset) == (ssize_t)strlen(want) &&
	       memcmp(buf, want, strlen(want)) == 0;
}

__attribute__((unused))
static bool opens(const char *suffix, const char *platform, const char *layer)
{
	return open_as("", suffix, platform) == 0 && image->nlayers == 1 &&
	       layer_is(0, layer);
}

#define PLATFORM(os, arch, variant) \
	",\"platform\":{\"os\":\"" os "\",\"architecture\":\"" arch \
	"\",\"variant\":\"" variant "\"}"

__attribute__((unused))
static const char *platform_image(const char *layer, const char *more)
{
	return one_image("", layer, more);
}

#endif
