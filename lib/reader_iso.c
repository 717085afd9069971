/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reader_iso: the descriptor, and walking directories. */
#include "reader_iso.h"

#include <string.h>

#include "reader_iso_private.h"

/* A text of ours with a number behind it; 0: another text. */
static int our_version(const uint8_t *text, size_t n, const char *ours)
{
	size_t head = strlen(ours), i;

	if (memcmp(text, ours, head) != 0 || text[head] < '1' ||
	    text[head] > '9')
		return 0;
	for (i = head + 1; i < n; i++)
		if (text[i] != ' ')
			return 0;
	return text[head] - '0';
}

static int find_descriptor(struct iso_image *image, struct unik_err *err)
{
	struct iso_pvd *pvd = &image->pvd;
	uint64_t block;

	/* 8.1: a set of descriptors; ours is the first, others' may not be. */
	for (block = ISO_PVD_BLOCK; block < ISO_PVD_BLOCK + 64; block++) {
		if (image->size < (block + 1) * ISO_BLOCK)
			break;
		if (unik_pread_all(image->fd, pvd, sizeof(*pvd),
				   block * ISO_BLOCK, err) < 0)
			return -1;
		if (memcmp(pvd->id, ISO_VD_ID, sizeof(pvd->id)) != 0 ||
		    pvd->type[0] == ISO_VD_TERMINATOR)
			break;
		if (pvd->type[0] == ISO_VD_PRIMARY && pvd->version[0] == 1)
			return 0;
	}
	return unik_fail(err, "not an iso image: no primary descriptor");
}

static int check_extent(const struct iso_image *image, struct iso_extent e,
			const char *what, struct unik_err *err)
{
	uint64_t end = e.block + unik_div_up(e.size, ISO_BLOCK);

	if (e.size > 0 && (e.block <= ISO_PVD_BLOCK || end > image->nblocks))
		return unik_fail(err, "%s: blocks %lu to %llu are outside",
				 what, (unsigned long)e.block,
				 (unsigned long long)end);
	return 0;
}

/* SUSP 5.3: the fields of the root's "." say how the others begin. */
static int find_rock(struct iso_image *image, struct unik_err *err)
{
	const struct iso_record *root = (const void *)image->pvd.root;
	uint8_t block[ISO_BLOCK];
	const struct iso_record *dot = (const void *)block;
	struct iso_extent dir = iso_extent_of(root);
	const struct susp_sp *sp = (const void *)(block + 34);

	if (!iso_both32(root->extent) || !iso_both32(root->data_size) ||
	    !(root->flags[0] & ISO_FLAG_DIR) || root->id_size[0] != 1 ||
	    dir.size == 0)
		return unik_fail(err, "the root's record is bad");
	if (check_extent(image, dir, "the root", err) < 0 ||
	    unik_pread_all(image->fd, block, sizeof(block),
			   (uint64_t)dir.block * ISO_BLOCK, err) < 0)
		return -1;
	if (dot->size[0] < 34 + sizeof(*sp) || !iso_is_dot(dot, 0) ||
	    memcmp(sp->head.sig, "SP", 2) != 0 || sp->check[0] != 0xbe ||
	    sp->check[1] != 0xef)
		return 0;
	image->rock = true;
	image->skip = sp->skip[0];
	return 0;
}

int unik_iso_open(struct iso_image *image, int fd, uint64_t size,
		  const struct unik_limits *limits, struct unik_err *err)
{
	struct iso_pvd *pvd = &image->pvd;

	memset(image, 0, sizeof(*image));
	image->fd = fd;
	image->size = size;
	image->limits = limits;
	image->dir_left = size;
	image->area_left = size;
	image->entries_left = limits ? limits->entries : 0;
	if (find_descriptor(image, err) < 0)
		return -1;
	image->nblocks = iso_get32le(pvd->space_size);
	if (!iso_both16(pvd->block_size) || !iso_both32(pvd->space_size))
		return unik_fail(err, "the descriptor's numbers disagree");
	if (iso_get16le(pvd->block_size) != ISO_BLOCK)
		return unik_fail(err, "blocks of %lu bytes are not read",
				 (unsigned long)iso_get16le(pvd->block_size));
	if ((uint64_t)image->nblocks * ISO_BLOCK > size)
		return unik_fail(err, "the image is cut: %lu blocks, but %llu "
				 "bytes", (unsigned long)image->nblocks,
				 (unsigned long long)size);
	image->version = our_version(pvd->application,
				     sizeof(pvd->application),
				     ISO_OUR_APPLICATION);
	if (image->version != our_version(pvd->set_id, sizeof(pvd->set_id),
					  ISO_OUR_SET))
		return unik_fail(err, "the descriptor's texts disagree");
	return find_rock(image, err);
}

int unik_iso_info(struct unik_iso_info *info, int fd, uint64_t size,
		  struct unik_err *err)
{
	struct iso_image image;
	size_t n;

	if (unik_iso_open(&image, fd, size, NULL, err) < 0)
		return -1;
	memset(info, 0, sizeof(*info));
	info->version = image.version;
	info->rock = image.rock;
	info->nblocks = image.nblocks;
	n = sizeof(image.pvd.volume_id);
	memcpy(info->volume_id, image.pvd.volume_id, n);
	while (n > 0 && info->volume_id[n - 1] == ' ')
		info->volume_id[--n] = 0;
	return 0;
}

/* ---- directories ---- */

static int fail_dir(const struct iso_walk *walk, const char *what,
		    struct unik_err *err)
{
	return unik_fail(err, "directory at block %lu, byte %lu: %s",
			 (unsigned long)walk->dir.block,
			 (unsigned long)walk->at, what);
}

int unik_iso_walk(struct iso_walk *walk, struct iso_image *image,
		  struct iso_extent dir, struct unik_err *err)
{
	walk->image = image;
	walk->dir = dir;
	walk->at = 0;
	walk->nread = 0;
	if (dir.size == 0 || dir.size % ISO_BLOCK != 0)
		return fail_dir(walk, "not a number of whole blocks", err);
	if (check_extent(image, dir, "directory", err) < 0)
		return -1;
	if (dir.size > image->dir_left)
		return fail_dir(walk, "directories overlap", err);
	image->dir_left -= dir.size;
	return 0;
}

/* Reads the blocks from `at` on, which is at the end of those read so far. */
static int refill(struct iso_walk *walk, struct unik_err *err)
{
	uint64_t from = (uint64_t)walk->dir.block * ISO_BLOCK + walk->at;
	uint32_t n = walk->dir.size - walk->at;

	if (n > sizeof(walk->buf))
		n = sizeof(walk->buf);
	walk->nread = walk->at + n;
	return unik_pread_all(walk->image->fd, walk->buf, n, from, err);
}

static int check_record(const struct iso_walk *walk, const struct iso_record *r,
			struct unik_err *err)
{
	const char *what = "record: extent";

	if (r->size[0] < sizeof(*r) + 1 || r->id_size[0] == 0 ||
	    r->size[0] < sizeof(*r) + r->id_size[0])
		return fail_dir(walk, "a record too small", err);
	if (walk->at % ISO_BLOCK + r->size[0] > ISO_BLOCK)
		return fail_dir(walk, "a record leaves its block", err);
	if (!iso_both32(r->extent) || !iso_both32(r->data_size))
		return fail_dir(walk, "the numbers of a record disagree", err);
	if (r->xattr_size[0] || r->unit_size[0] || r->gap[0])
		return fail_dir(walk, "extended attributes and interleaved "
				"files are not read", err);
	if (check_extent(walk->image, iso_extent_of(r), what, err) < 0)
		return unik_wrap(err, "directory at block %lu, byte %lu",
				 (unsigned long)walk->dir.block,
				 (unsigned long)walk->at);
	return 0;
}

int unik_iso_walk_next(struct iso_walk *walk, const struct iso_record **record,
		       struct unik_err *err)
{
	struct iso_image *image = walk->image;

	while (walk->at < walk->dir.size) {
		uint32_t left = ISO_BLOCK - walk->at % ISO_BLOCK;
		const uint8_t *p;

		if (walk->at == walk->nread && refill(walk, err) < 0)
			return -1;
		p = walk->buf + walk->at % sizeof(walk->buf);
		if (p[0] == 0) { /* 6.8.1.1: the rest of a block */
			if (!unik_all_zero(p, left))
				return fail_dir(walk, "no zeros behind the "
						"last record", err);
			walk->at += left;
			continue;
		}
		*record = (const struct iso_record *)p;
		if (check_record(walk, *record, err) < 0)
			return -1;
		if (!iso_is_dot(*record, 0) && !iso_is_dot(*record, 1) &&
		    image->entries_left-- == 0)
			return unik_fail(err, "more than %llu entries "
					 "(--max-entries)", (unsigned long long)
					 image->limits->entries);
		walk->at += p[0];
		return 0;
	}
	return 1;
}
