/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * reader_ext2: the hash index of directories in our images (ext4 doc
 * directory.rst "Hash Tree Directories").  Block 0 is its root, then come the
 * nodes where one level is not enough, then the leaves.
 */
#include <stdlib.h>
#include <string.h>

#include "ext2_hash.h"
#include "reader_ext2_check_private.h"

#define NODE_HEAD ((uint32_t)sizeof(struct ext2_dirent))
#define ROOT_HEAD (EXT2_DX_ROOT_INFO + (uint32_t)sizeof(struct ext2_dx_info))

static uint32_t limit(const struct e2r_image *image, uint32_t head)
{
	return (image->block_size - head) /
	       (uint32_t)sizeof(struct ext2_dx_entry);
}

int unik_e2r_index_init(struct e2r_index *x, const struct e2r_image *image,
			const struct e2r_inode *inode, struct unik_err *err)
{
	memset(x, 0, sizeof(*x));
	/* The blocks are there: the pass over the inodes counted them. */
	x->nblocks = (uint32_t)(inode->size / image->block_size);
	x->hashes = calloc(x->nblocks, sizeof(*x->hashes));
	return x->hashes ? 0 : unik_fail_mem(err);
}

void unik_e2r_index_release(struct e2r_index *x)
{
	free(x->hashes);
	memset(x, 0, sizeof(*x));
}

/* Entries at `head` of a block: their number must be `n`, their blocks `first`
 * and those that follow; hashes go to `out` in steps. */
static int get_entries(const struct e2r_image *image, const uint8_t *block,
		       uint32_t head, uint32_t n, uint32_t first,
		       uint32_t *out, uint32_t step, struct unik_err *err)
{
	const struct ext2_dx_entry *e = (const void *)(block + head);
	uint32_t max = limit(image, head), i, end;

	if (ext2_get16(e[0].hash) != max || ext2_get16(e[0].hash + 2) != n ||
	    n == 0 || n > max)
		return unik_fail(err, "index: %u entries of %u, not %u of %u",
				 ext2_get16(e[0].hash + 2),
				 ext2_get16(e[0].hash), n, max);
	for (i = 0; i < n; i++) {
		if (ext2_get32(e[i].block) != first + i)
			return unik_fail(err, "index: block %u, where %u is "
					 "next", ext2_get32(e[i].block),
					 first + i);
		if (i > 0)
			out[(size_t)i * step] = ext2_get32(e[i].hash);
	}
	end = head + n * (uint32_t)sizeof(*e);
	if (!unik_all_zero(block + end, image->block_size - end))
		return unik_fail(err, "index: bytes behind its entries");
	return 0;
}

/* ext2_dx_info says how many levels; the number of blocks the rest. */
static int read_root(struct e2r_index *x, const struct e2r_image *image,
		     const uint8_t *block, struct unik_err *err)
{
	const struct ext2_dx_info *got =
		(const void *)(block + EXT2_DX_ROOT_INFO);
	uint32_t per = limit(image, NODE_HEAD);
	struct ext2_dx_info want;

	memset(&want, 0, sizeof(want));
	want.hash_version = EXT2_HASH_HALF_MD4;
	want.info_length = sizeof(want);
	x->nleaves = x->nblocks - 1;
	if (x->nleaves > limit(image, ROOT_HEAD)) {
		want.indirect_levels = 1;
		/* Each node but the last is full: n + n * per >= the rest. */
		x->nnodes = (uint32_t)unik_div_up(x->nleaves, per + 1);
		x->nleaves -= x->nnodes;
	}
	if (memcmp(got, &want, sizeof(want)) != 0)
		return unik_fail(err, "index: its head is not what %u blocks "
				 "need", x->nblocks);
	if (x->nnodes > 0)
		return get_entries(image, block, ROOT_HEAD, x->nnodes, 1,
				   x->hashes, per, err);
	return get_entries(image, block, ROOT_HEAD, x->nleaves, 1, x->hashes, 1,
			   err);
}

int unik_e2r_index_block(struct e2r_index *x, const struct e2r_image *image,
			 const struct e2r_entry *e, struct unik_err *err)
{
	uint32_t per = limit(image, NODE_HEAD), first, n;
	struct ext2_dirent want;

	if (e->nblock == 0)
		return read_root(x, image, e->block, err);
	memset(&want, 0, sizeof(want));
	ext2_put16(want.rec_len, image->block_size);
	if (memcmp(e->block, &want, sizeof(want)) != 0)
		return unik_fail(err, "index: a node's head");
	first = (e->nblock - 1) * per;
	n = x->nleaves - first < per ? x->nleaves - first : per;
	return get_entries(image, e->block, NODE_HEAD, n, 1 + x->nnodes + first,
			   x->hashes + first, 1, err);
}

/* The first entry of a leaf has the hash that the index says; bit 0: it is also
 * that of the entry before, in another leaf. */
static int check_first(const struct e2r_index *x, const struct e2r_entry *e,
		       uint32_t hash, struct unik_err *err)
{
	uint32_t leaf = e->nblock - 1 - x->nnodes;

	if (leaf == 0) /* has no hash in the index */
		return 0;
	if (x->hashes[leaf] != (hash | (x->last == hash)))
		return unik_fail(err, "index: leaf %u has hash 0x%x, not 0x%x",
				 leaf, x->hashes[leaf], hash);
	return 0;
}

int unik_e2r_index_entry(struct e2r_index *x, const struct e2r_image *image,
			 const struct e2r_entry *e, bool *same,
			 struct unik_err *err)
{
	struct ext2_hash h = unik_ext2_hash(image->super.hash_seed, false,
					    e->name, e->name_size);

	if (e->at == 0 && check_first(x, e, h.major, err) < 0)
		return -1;
	*same = x->any && h.major == x->last && h.minor == x->last_minor;
	if (x->any && (h.major < x->last ||
		       (h.major == x->last && h.minor < x->last_minor)))
		return unik_fail(err, "index: entries are not in order");
	x->any = true;
	x->last = h.major;
	x->last_minor = h.minor;
	return 0;
}
