/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "reader.h"

#include <stddef.h>
#include <string.h>

#include "ext2_fmt.h"
#include "ext2_held.h"
#include "io.h"
#include "iso_fmt.h"
#include "iso_held.h"
#include "reader_ext2.h"
#include "reader_iso.h"

/* Whether these bytes stand at that place. */
static int has_bytes(int fd, uint64_t size, uint64_t at, const char *bytes,
		     size_t n, struct unik_err *err)
{
	char buf[8];

	if (size < at + n)
		return 0;
	if (unik_pread_all(fd, buf, n, at, err) < 0)
		return -1;
	return memcmp(buf, bytes, n) == 0;
}

/* ---- iso ---- */

/* ECMA-119 9.1.5: whole seconds of the years 1900 to 2155. */
#define ISO_FIRST_TIME INT64_C(-2208988800)
#define ISO_LAST_TIME INT64_C(5869583999)

static int iso_probe(int fd, uint64_t size, struct unik_err *err)
{
	/* 8.1.2: behind the type of the first descriptor. */
	return has_bytes(fd, size, (uint64_t)ISO_PVD_BLOCK * ISO_BLOCK + 1,
			 ISO_VD_ID, 5, err);
}

/* There is no place for attributes. */
static bool iso_xattr(const struct unik_inode *inode,
		      const struct unik_xattr *want,
		      const struct unik_xattr *got)
{
	(void)inode;
	(void)want;
	return !got;
}

static int iso_info(struct unik_reader_info *info, int fd, uint64_t size,
		    struct unik_err *err)
{
	struct unik_iso_info iso;

	if (unik_iso_info(&iso, fd, size, err) < 0)
		return -1;
	memset(info, 0, sizeof(*info));
	info->version = iso.version;
	info->block_size = ISO_BLOCK;
	info->size = (uint64_t)iso.nblocks * ISO_BLOCK;
	info->holds.unit = 1000000000;
	info->holds.has_range = true;
	info->holds.first = ISO_FIRST_TIME;
	info->holds.last = ISO_LAST_TIME;
	info->holds.xattr = iso_xattr;
	info->holds.rdev = unik_iso_rdev_held;
	info->holds.target = unik_iso_netbsd_target;
	return 0;
}

static int iso_read(struct unik_tree **out, const struct unik_data *data,
		    uint64_t size, const struct unik_limits *limits,
		    struct unik_err *err)
{
	return unik_iso_read(out, data, size, limits, NULL, err);
}

/* ---- ext2 ---- */

static int ext2_probe(int fd, uint64_t size, struct unik_err *err)
{
	const uint8_t magic[2] = { EXT2_MAGIC & 0xff, EXT2_MAGIC >> 8 };

	return has_bytes(fd, size,
			 EXT2_SUPER_OFFSET + offsetof(struct ext2_super, magic),
			 (const char *)magic, sizeof(magic), err);
}

static int ext2_info(struct unik_reader_info *info, int fd, uint64_t size,
		     struct unik_err *err)
{
	struct unik_ext2_info e;
	struct ext2_super super;

	if (unik_ext2_info(&e, fd, size, err) < 0 ||
	    unik_pread_all(fd, &super, sizeof(super), EXT2_SUPER_OFFSET,
			   err) < 0)
		return -1;
	memset(info, 0, sizeof(*info));
	info->version = e.version;
	info->block_size = e.block_size;
	info->size = e.nblocks * e.block_size;
	info->holds.unit = 1;
	info->holds.has_range = true;
	info->holds.first = EXT2_TIME_MIN;
	info->holds.last = EXT2_TIME_MAX;
	info->holds.xattr = unik_ext2_xattr_held;
	/* Fractions, and years past 2038, lie behind the first 128 bytes. */
	if (ext2_get32(super.rev_level) == 0 ||
	    ext2_get16(super.inode_size) <= 128) {
		info->holds.unit = 1000000000;
		info->holds.last = INT32_MAX;
	}
	return 0;
}

static int ext2_read(struct unik_tree **out, const struct unik_data *data,
		     uint64_t size, const struct unik_limits *limits,
		     struct unik_err *err)
{
	return unik_ext2_read(out, data, size, limits, NULL, err);
}

/* ---- the table ---- */

static const struct unik_reader readers[] = {
	{ "iso", iso_probe, iso_info, unik_iso_check, iso_read },
	{ "ext2", ext2_probe, ext2_info, unik_ext2_check, ext2_read },
};

#define NREADERS (sizeof(readers) / sizeof(readers[0]))

const struct unik_reader *unik_reader_find(const char *name)
{
	size_t i;

	for (i = 0; i < NREADERS; i++)
		if (strcmp(readers[i].name, name) == 0)
			return &readers[i];
	return NULL;
}

int unik_reader_detect(const struct unik_reader **out, int fd, uint64_t size,
		       struct unik_err *err)
{
	size_t i;

	*out = NULL;
	for (i = 0; i < NREADERS; i++) {
		int rc = readers[i].probe(fd, size, err);

		if (rc < 0)
			return -1;
		if (rc > 0) {
			*out = &readers[i];
			return 0;
		}
	}
	return 0;
}
