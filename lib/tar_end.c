/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tar: the end of the archive. */
#include <string.h>

#include "tar_private.h"

/* Filesystem images that begin with two zero blocks, as an empty tar does. */
static const struct {
	const char *name;
	uint64_t at;
	size_t size;
	char magic[8];
} images[] = { /* in the order of their places */
	/* Linux, Documentation/filesystems/erofs.rst: superblock at 1024 */
	{ "an EROFS image", 1024, 4, "\xe2\xe1\xf5\xe0" },
	/* Linux, Documentation/filesystems/ext4/super.rst: s_magic, at 0x38 of
	 * the superblock */
	{ "an ext2, ext3 or ext4 image", 1024 + 0x38, 2, "\x53\xef" },
	/* ECMA-119, 6.2.1 and 8.1.2: descriptors from sector 16 on */
	{ "an ISO 9660 image", 16 * 2048 + 1, 5, "CD001" },
};

/* Behind two zero blocks at the front of the stream. */
static int refuse_image(struct unik_tar *t, struct unik_err *err)
{
	uint8_t bytes[8];
	uint64_t gone;
	size_t i, got;

	for (i = 0; i < sizeof(images) / sizeof(images[0]); i++) {
		if (unik_source_skip(t->src, images[i].at - t->src->pos, &gone,
				     err) < 0 ||
		    unik_source_read(t->src, bytes, images[i].size, &got,
				     err) < 0)
			return -1;
		if (got == images[i].size &&
		    memcmp(bytes, images[i].magic, got) == 0)
			return unik_fail(err, "%s, not a tar", images[i].name);
	}
	return 0;
}

int tar_read_end(struct unik_tar *t, struct unik_err *err)
{
	uint8_t second[TAR_BLOCK];
	bool first = t->src->pos == TAR_BLOCK;
	size_t got;

	if (t->have_pax || t->have_long)
		return unik_fail(err, "the tar ends behind an extended header");
	if (unik_source_read(t->src, second, TAR_BLOCK, &got, err) < 0)
		return -1;
	if (got == TAR_BLOCK && !tar_is_zero(second))
		return unik_fail(err, "a lone zero block inside the tar");
	t->ended = true;
	t->ended_properly = got == TAR_BLOCK;
	if (first && refuse_image(t, err) < 0)
		return -1;
	return 1;
}
