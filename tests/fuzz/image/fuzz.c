/* SPDX-License-Identifier: GPL-3.0-or-later */
/* image: any bytes are an image, a bare layer, or refused in one line; what an
 * image says of its layers lies inside the source. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image.h"
#include "limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void warn(void *data, const char *text)
{
	(void)data;
	if (strchr(text, '\n'))
		abort();
}

static void check(const struct unik_image *image)
{
	size_t i;

	if (!image->name || !image->os || !image->manifest_type ||
	    !image->config.cwd || !image->config.user)
		abort();
	for (i = 0; i < image->nlayers; i++) {
		const struct unik_layer_ref *l = &image->layers[i];
		struct stat st;

		if (fstat(l->fd, &st) < 0 || l->size > (uint64_t)st.st_size ||
		    l->offset > (uint64_t)st.st_size - l->size ||
		    !l->media_type || !l->created_by ||
		    l->has_diff_id == (image->kind == UNIK_SRC_LAYER))
			abort();
	}
}

/* Puts right checksums into the headers, so that mutations get past them. */
static void mend(uint8_t *tar, size_t size)
{
	size_t at = 0;

	while (size - at >= 512) {
		unsigned sum = 8 * ' ', i;
		uint64_t data = 0;
		char text[16];

		for (i = 0; i < 512; i++)
			sum += i < 148 || i >= 156 ? tar[at + i] : 0;
		if (sum == 8 * ' ')
			return; /* the end */
		snprintf(text, sizeof(text), "%06o", sum);
		memcpy(tar + at + 148, text, 7);
		for (i = 124; i < 135 && tar[at + i] >= '0' &&
			      tar[at + i] < '8'; i++)
			data = data * 8 + tar[at + i] - '0';
		at += 512;
		if (data >= size - at)
			return;
		at += data + (-data & 511);
		if (at > size)
			return;
	}
}

static void run(const uint8_t *data, size_t size)
{
	static const char *const platforms[] = { NULL, "linux/arm64" };
	int fd = memfd_create("image", MFD_CLOEXEC);
	struct unik_image_options opt = { .spool_dir = "/tmp", .warn = warn };
	struct unik_limits limits;
	struct unik_image *image;
	char source[64];
	struct unik_err err;
	size_t i;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	unik_limits_init(&limits);
	limits.layer_size = 1 << 26; /* no large spools */
	limits.ratio = 1000;
	opt.limits = &limits;
	snprintf(source, sizeof(source), "/proc/self/fd/%d", fd);
	opt.source = source;
	for (i = 0; i < sizeof(platforms) / sizeof(platforms[0]); i++) {
		opt.platform = platforms[i];
		if (unik_image_open(&image, &opt, &err) == 0) {
			check(image);
			unik_image_free(image);
		} else if (err.code != UNIK_EBAD || strchr(err.msg, '\n')) {
			abort();
		}
	}
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size + 1);

	if (!copy)
		return 0;
	run(data, size);
	memcpy(copy, data, size);
	mend(copy, size);
	run(copy, size);
	free(copy);
	return 0;
}
