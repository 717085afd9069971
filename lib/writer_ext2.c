/* SPDX-License-Identifier: GPL-3.0-or-later */
/* writer_ext2: the plan. */
#include <stdlib.h>
#include <string.h>

#include "writer_ext2.h"

/* New device numbers have 12 and 20 bits. */
#define MAJOR_MAX 0xfffu
#define MINOR_MAX 0xfffffu

static int set_options(struct unik_writer *w,
		       const struct unik_writer_options *opt, uint32_t size,
		       struct unik_err *err)
{
	int version = opt->version ? opt->version : EXT2_FORMAT_VERSION;

	if (version < EXT2_FORMAT_OLDEST || version > EXT2_FORMAT_VERSION)
		return unik_fail_usage(err, "ext2 has no format version %d",
				       version);
	if (size != 1024 && size != 2048 && size != 4096)
		return unik_fail_usage(err, "block size %u: not 1024, 2048 or "
				       "4096", size);
	w->version = version;
	w->block_size = size;
	w->nptrs = size / 4;
	w->netbsd = opt->netbsd;
	/* RFC 9562, section 5.8: version 8, variant 10. */
	memcpy(w->uuid, opt->tree_digest->bytes, sizeof(w->uuid));
	w->uuid[6] = (uint8_t)(0x80 | (w->uuid[6] & 0x0f));
	w->uuid[8] = (uint8_t)(0x80 | (w->uuid[8] & 0x3f));
	memcpy(w->hash_seed, opt->tree_digest->bytes + 16,
	       sizeof(w->hash_seed));
	return 0;
}

/* ---- what can't be held ---- */

static void lose(uint64_t *n, const struct unik_node **first,
		 const struct unik_inode *inode)
{
	if ((*n)++ == 0)
		*first = inode->first;
}

static int check_rdev(struct unik_writer *w, const struct unik_inode *inode,
		      struct unik_err *err)
{
	const struct unik_rdev *r = &inode->rdev;
	char q[UNIK_QUOTE_SIZE];

	if (r->major > MAJOR_MAX || r->minor > MINOR_MAX)
		return unik_fail(err, "%s: device number %u:%u is out of range",
				 unik_node_quote(inode->first, q), r->major,
				 r->minor);
	/* NetBSD reads the old form only. */
	if (w->netbsd && (r->major > 255 || r->minor > 255))
		lose(&w->losses.rdev, &w->losses.first_rdev, inode);
	return 0;
}

static int check_size(const struct unik_writer *w,
		      const struct unik_inode *inode, struct unik_err *err)
{
	uint64_t max = unik_ext2_max_blocks(w) * w->block_size;
	char q[UNIK_QUOTE_SIZE];

	if (inode->type == UNIK_SYMLINK && inode->size >= w->block_size)
		return unik_fail(err, "%s: a symlink target of %llu bytes, "
				 "with blocks of %u",
				 unik_node_quote(inode->first, q),
				 (unsigned long long)inode->size,
				 w->block_size);
	if (inode->type == UNIK_FILE && inode->size > max)
		return unik_fail(err, "%s: a file of %llu bytes; ext2 with "
				 "blocks of %u bytes ends at %llu",
				 unik_node_quote(inode->first, q),
				 (unsigned long long)inode->size,
				 w->block_size, (unsigned long long)max);
	return 0;
}

static int check_inode(struct unik_writer *w, const struct unik_inode *inode,
		       struct unik_err *err)
{
	char q[UNIK_QUOTE_SIZE];
	uint8_t word[4];

	if (inode->nlink > EXT2_LINK_MAX) {
		if (inode->type != UNIK_DIR)
			return unik_fail(err, "%s: one of %u names; ext2 holds "
					 "%u of one file",
					 unik_node_quote(inode->first, q),
					 inode->nlink, EXT2_LINK_MAX);
		w->dir_nlink = true;
	}
	if (!unik_ext2_time(inode->mtime_sec, inode->mtime_nsec, word, word))
		lose(&w->losses.time, &w->losses.first_time, inode);
	if ((inode->type == UNIK_CHAR || inode->type == UNIK_BLOCK) &&
	    check_rdev(w, inode, err) < 0)
		return -1;
	/* Readers without it take the size for 31 bits. */
	if (inode->type == UNIK_FILE && inode->size > INT32_MAX)
		w->large_file = true;
	return check_size(w, inode, err);
}

/* ---- numbers ---- */

static int plan_inode(struct unik_writer *w, struct ext2_xattr_index *x,
		      const struct unik_inode *inode, uint64_t *next,
		      struct unik_err *err)
{
	struct ext2_slot *slot = &w->slots[inode->id];
	uint64_t n;
	bool fresh;

	if (check_inode(w, inode, err) < 0 ||
	    unik_ext2_xattr_plan(w, x, inode, &fresh, err) < 0)
		return -1;
	if (inode->type == UNIK_DIR && unik_ext2_dir_plan(w, inode, err) < 0)
		return -1;
	if (fresh)
		w->xattrs[slot->xattr - 1].linear = (uint32_t)(*next)++;
	n = unik_ext2_map_total(w, inode);
	slot->start = (uint32_t)*next;
	slot->nblocks = (uint32_t)n;
	*next += n;
	if (*next > UINT32_MAX)
		return unik_fail(err, "the data takes more than 2^32 blocks of "
				 "%u bytes", w->block_size);
	return 0;
}

static int plan_inodes(struct unik_writer *w, uint64_t *next,
		       struct unik_err *err)
{
	struct ext2_xattr_index *x;
	int rc = 0;
	uint32_t id;

	if (unik_ext2_xattr_index_new(&x, err) < 0)
		return -1;
	for (id = 0; id < w->tree->ninodes && rc == 0; id++)
		rc = plan_inode(w, x, w->tree->inodes[id], next, err);
	unik_ext2_xattr_index_free(x);
	return rc;
}

static int plan_groups(struct unik_writer *w,
		       const struct unik_writer_options *opt,
		       struct unik_err *err)
{
	uint64_t ninodes = EXT2_FIRST_INO - 2 + (uint64_t)w->tree->ninodes;
	uint64_t nblocks = unik_div_up(opt->free_size, w->block_size);
	uint32_t id;

	w->ninodes = (uint32_t)ninodes;
	if (ninodes > UINT32_MAX || opt->free_inodes > UINT32_MAX)
		return unik_fail(err, "too many inodes for ext2");
	if (unik_ext2_layout(&w->layout, w->block_size,
			     ninodes + opt->free_inodes,
			     w->nlinear + nblocks, err) < 0)
		return -1;
	w->ndirs = calloc(w->layout.ngroups, sizeof(*w->ndirs));
	if (!w->ndirs)
		return unik_fail_mem(err);
	for (id = 0; id < w->tree->ninodes; id++)
		if (w->tree->inodes[id]->type == UNIK_DIR)
			w->ndirs[(unik_ext2_ino(id) - 1) /
				 w->layout.group_inodes]++;
	return 0;
}

static void ext2_free(struct unik_writer *w)
{
	uint32_t i;

	if (!w)
		return;
	for (i = 0; i < w->nhtrees; i++)
		unik_ext2_htree_release(&w->htrees[i]);
	free(w->htrees);
	free(w->slots);
	free(w->xattrs);
	free(w->layout.first_linear);
	free(w->ndirs);
	free(w);
}

static int plan_blocks(struct unik_writer **out, const struct unik_tree *tree,
		       const struct unik_writer_options *opt, uint32_t size,
		       struct unik_err *err)
{
	struct unik_writer *w = calloc(1, sizeof(*w));
	uint64_t next = 0;

	if (!w)
		return unik_fail_mem(err);
	w->tree = tree;
	w->slots = calloc(tree->ninodes, sizeof(*w->slots));
	if (!w->slots) {
		ext2_free(w);
		return unik_fail_mem(err);
	}
	if (set_options(w, opt, size, err) < 0 ||
	    plan_inodes(w, &next, err) < 0)
		goto fail;
	w->nlinear = (uint32_t)next;
	if (plan_groups(w, opt, err) < 0)
		goto fail;
	*out = w;
	return 0;
fail:
	ext2_free(w);
	return -1;
}

/* What blocks of 4096 hold, those that nobody asked for must hold, too: only a
 * plan knows all that may not fit.  *out stays NULL where it is to be 4096. */
static int plan_by_content(struct unik_writer **out,
			   const struct unik_tree *tree,
			   const struct unik_writer_options *opt,
			   struct unik_err *err)
{
	uint32_t size = unik_ext2_block_size(tree, opt->free_size);
	struct unik_writer *w = NULL;

	*out = NULL;
	if (size == EXT2_MAX_BLOCK)
		return 0;
	if (plan_blocks(&w, tree, opt, size, err) < 0)
		return err->code == UNIK_EBAD ? 0 : -1;
	if (w->unindexed)
		ext2_free(w);
	else
		*out = w;
	return 0;
}

static int ext2_plan(struct unik_writer **out, const struct unik_tree *tree,
		     const struct unik_writer_options *opt,
		     struct unik_err *err)
{
	uint32_t size = opt->block_size ? opt->block_size : EXT2_MAX_BLOCK;
	struct unik_writer *w = NULL;

	if (opt->block_size == 0 && opt->version != 1 &&
	    plan_by_content(&w, tree, opt, err) < 0)
		return -1;
	if (!w && plan_blocks(&w, tree, opt, size, err) < 0)
		return -1;
	*out = w;
	return 0;
}

static uint64_t ext2_size(const struct unik_writer *w)
{
	return (uint64_t)w->layout.nblocks * w->block_size;
}

static const struct unik_losses *ext2_losses(const struct unik_writer *w)
{
	return &w->losses;
}

const struct unik_format unik_format_ext2 = {
	.name = "ext2",
	.version = EXT2_FORMAT_VERSION,
	.oldest = EXT2_FORMAT_OLDEST,
	.plan = ext2_plan,
	.size = ext2_size,
	.losses = ext2_losses,
	.emit = unik_ext2_emit,
	.free = ext2_free,
};
