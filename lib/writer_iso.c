/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * writer_iso: ISO 9660 level 3 with Rock Ridge 1.12: the plan.
 *
 * No Joliet, no boot record, no relocation: directories of any depth stand
 * where they are, which 6.8.2.1 would forbid and every reader takes.
 */
#include <stdlib.h>
#include <string.h>

#include "limits.h"
#include "writer_iso.h"

#define NEWEST 1
/* Linux before 7.0 cuts longer names (fs/isofs/rock.c). */
#define NAME_MAX_LINUX 253

static int check_options(const struct unik_writer_options *opt,
			 struct unik_err *err)
{
	if (opt->version != 0 && opt->version != NEWEST)
		return unik_fail_usage(err, "iso has no format version %d",
				       opt->version);
	if (opt->block_size != 0)
		return unik_fail_usage(err, "the block size of iso can't be "
				       "chosen");
	if (opt->free_size != 0 || opt->free_inodes != 0)
		return unik_fail_usage(err, "an iso image has no free space");
	if (!opt->tree_digest || opt->tree_digest->algo != UNIK_SHA256)
		return unik_fail_usage(err, "no tree digest");
	return 0;
}

/* ---- what the format can't hold ---- */

static void lose(uint64_t *count, const struct unik_node **first,
		 const struct unik_node *node, uint64_t n)
{
	if (n > 0 && *count == 0)
		*first = node;
	*count += n;
}

/* Numbers that come back wrong: Linux takes major 0 with a minor over 255 for
 * its old 16-bit form, and has 12 and 20 bits; NetBSD drops what is over 255.
 */
static bool bad_rdev(const struct unik_writer *w, const struct unik_rdev *dev)
{
	if (w->netbsd)
		return dev->major > 255 || dev->minor > 255;
	return (dev->major == 0 && dev->minor > 255) || dev->major > 0xfff ||
	       dev->minor > 0xfffff;
}

/* Times that come back wrong: Linux before 6.15 and NetBSD keep 32 bits of
 * them, NetBSD none from before 1970.  The stamp holds more. */
static bool bad_time(const struct unik_writer *w,
		     const struct unik_inode *inode)
{
	uint8_t stamp[7];

	return !unik_iso_time7(inode->mtime_sec, inode->mtime_nsec, stamp) ||
	       inode->mtime_sec > INT32_MAX ||
	       inode->mtime_sec < (w->netbsd ? 0 : INT32_MIN);
}

static void count_losses(struct unik_writer *w)
{
	struct unik_losses *l = &w->losses;
	uint32_t i;

	for (i = 0; i < w->tree->ninodes; i++) {
		const struct unik_inode *inode = w->tree->inodes[i];

		lose(&l->xattr, &l->first_xattr, inode->first,
		     inode->xattrs ? inode->xattrs->n : 0);
		lose(&l->time, &l->first_time, inode->first,
		     bad_time(w, inode));
		if (inode->type == UNIK_CHAR || inode->type == UNIK_BLOCK)
			lose(&l->rdev, &l->first_rdev, inode->first,
			     bad_rdev(w, &inode->rdev));
	}
	for (i = 0; i < w->tree->nnodes; i++) {
		const struct unik_node *node = w->tree->nodes[i];

		lose(&l->name, &l->first_name, node,
		     !w->netbsd && node->name_size > NAME_MAX_LINUX);
	}
}

static int check_file(const struct unik_writer *w,
		      const struct unik_inode *inode, struct unik_err *err)
{
	char q[UNIK_QUOTE_SIZE];

	if (inode->size > ISO_SECTION_MAX && w->netbsd)
		return unik_fail(err, "%s: a file of %llu bytes is over the "
				 "%lu that NetBSD reads from iso (use ext2)",
				 unik_node_quote(inode->first, q),
				 (unsigned long long)inode->size,
				 (unsigned long)ISO_SECTION_MAX);
	if (unik_div_up(inode->size, ISO_SECTION_MAX) > ISO_MAX_SECTIONS)
		return unik_fail(err, "%s: a file of %llu bytes has over %u "
				 "sections in iso (use ext2)",
				 unik_node_quote(inode->first, q),
				 (unsigned long long)inode->size,
				 ISO_MAX_SECTIONS);
	return 0;
}

static int check_inodes(const struct unik_writer *w, struct unik_err *err)
{
	uint32_t most = w->netbsd ? ISO_TARGET_MAX_NETBSD : ISO_TARGET_MAX, i;
	char q[UNIK_QUOTE_SIZE];

	for (i = 0; i < w->tree->ninodes; i++) {
		const struct unik_inode *inode = w->tree->inodes[i];

		if (inode->type == UNIK_FILE && check_file(w, inode, err) < 0)
			return -1;
		if (inode->type == UNIK_SYMLINK && inode->size > most)
			return unik_fail(err, "%s: a symlink target of %llu "
					 "bytes is over %lu",
					 unik_node_quote(inode->first, q),
					 (unsigned long long)inode->size,
					 (unsigned long)most);
	}
	return 0;
}

/* ---- the plan ---- */

static int make_arrays(struct unik_writer *w, struct unik_err *err)
{
	const struct unik_tree *tree = w->tree;
	uint64_t ndirs = tree->counts.type[UNIK_DIR];

	if (ndirs > ISO_MAX_DIRS)
		return unik_fail(err, "%llu directories are over the %u of "
				 "iso's path table (use ext2)",
				 (unsigned long long)ndirs, ISO_MAX_DIRS);
	w->ndirs = (uint32_t)ndirs;
	w->order = calloc(tree->nnodes, sizeof(*w->order));
	w->suffix = calloc(tree->nnodes, sizeof(*w->suffix));
	w->extent = calloc(tree->ninodes, sizeof(*w->extent));
	w->dirs = calloc(w->ndirs, sizeof(*w->dirs));
	w->by_number = calloc(w->ndirs, sizeof(*w->by_number));
	if (!w->order || !w->suffix || !w->extent || !w->dirs || !w->by_number)
		return unik_fail_mem(err);
	return 0;
}

static void list_dirs(struct unik_writer *w)
{
	uint32_t n = 0, i;

	for (i = 0; i < w->tree->nnodes; i++) {
		const struct unik_node *node = w->tree->nodes[i];

		if (node->inode->type != UNIK_DIR)
			continue;
		w->extent[node->inode->id] = n;
		w->dirs[n].node = i;
		/* The parent comes first; the root is its own (6.8.2.2). */
		if (node->parent)
			w->dirs[n].parent = w->extent[node->parent->inode->id];
		n++;
	}
}

static int lay_out(struct unik_writer *w, struct unik_err *err)
{
	uint64_t next = ISO_PVD_BLOCK + 2, table;
	uint32_t i;

	unik_iso_path_table(w);
	table = unik_div_up(w->path_table_size, ISO_BLOCK);
	w->l_block = (uint32_t)next;
	w->m_block = (uint32_t)(next + table);
	next += 2 * table;
	for (i = 0; i < w->ndirs; i++) {
		struct iso_dir *dir = &w->dirs[i];

		if (unik_iso_dir_size(w, dir, err) < 0)
			return -1;
		dir->block = (uint32_t)next;
		next += (uint64_t)dir->nblocks + dir->nareas;
		if (next > UINT32_MAX)
			return unik_fail(err, "the directories are over the "
					 "8 TiB of ISO 9660");
	}
	w->data_block = (uint32_t)next;
	if (unik_iso_data(w, next, &next, err) < 0)
		return -1;
	next += next & 1; /* 4096 bytes: the sector of many a device */
	if (next > UINT32_MAX)
		return unik_fail(err, "the tree is over the 8 TiB of ISO 9660");
	w->nblocks = (uint32_t)next;
	return 0;
}

static void iso_free(struct unik_writer *w)
{
	if (!w)
		return;
	free(w->order);
	free(w->suffix);
	free(w->extent);
	free(w->dirs);
	free(w->by_number);
	free(w);
}

static int iso_plan(struct unik_writer **out, const struct unik_tree *tree,
		    const struct unik_writer_options *opt, struct unik_err *err)
{
	struct unik_writer *w;

	if (check_options(opt, err) < 0)
		return -1;
	w = calloc(1, sizeof(*w));
	if (!w)
		return unik_fail_mem(err);
	w->tree = tree;
	w->netbsd = opt->netbsd;
	memcpy(w->digest, opt->tree_digest->bytes, sizeof(w->digest));
	if (check_inodes(w, err) < 0 || make_arrays(w, err) < 0)
		goto fail;
	list_dirs(w);
	if (unik_iso_names(w, err) < 0 || lay_out(w, err) < 0)
		goto fail;
	count_losses(w);
	*out = w;
	return 0;
fail:
	iso_free(w);
	return -1;
}

static uint64_t iso_size(const struct unik_writer *w)
{
	return (uint64_t)w->nblocks * ISO_BLOCK;
}

static const struct unik_losses *iso_losses(const struct unik_writer *w)
{
	return &w->losses;
}

const struct unik_format unik_format_iso = {
	"iso", NEWEST, 1,
	iso_plan, iso_size, iso_losses, unik_iso_emit, iso_free
};
