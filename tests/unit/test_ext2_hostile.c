/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reader_ext2 on images that lie: each lie is refused in one line, and no image
 * crashes it or keeps it for long.  With arguments: those images, damaged by
 * chance. */
#include "ext2_help.h"

#include <fcntl.h>
#include <sys/stat.h>

#define BLOCK 1024u

static struct image image;  /* of zoo(), blocks of 1024, one group */
static uint8_t *pristine;

static struct ext2_super *super(void)
{
	return (struct ext2_super *)(image.p + EXT2_SUPER_OFFSET);
}

static struct ext2_group *group(void)
{
	return (struct ext2_group *)(image.p + 2 * BLOCK);
}

static struct ext2_inode *inode(uint32_t ino)
{
	uint32_t table = ext2_get32(group()->inode_table);

	return (struct ext2_inode *)(image.p + (uint64_t)table * BLOCK +
				     (ino - 1) * EXT2_INODE_SIZE);
}

static uint8_t *block_of(uint32_t ino, uint32_t i)
{
	return image.p + (uint64_t)ext2_get32(inode(ino)->block[i]) * BLOCK;
}

/* The entry of a name in the first block of a directory. */
static struct ext2_dirent *find(uint32_t dir, const char *name)
{
	uint8_t *p = block_of(dir, 0);
	uint32_t at = 0, n = (uint32_t)strlen(name);

	while (at < BLOCK) {
		struct ext2_dirent *d = (struct ext2_dirent *)(p + at);

		if (d->name_len == n && memcmp(d + 1, name, n) == 0)
			return d;
		at += ext2_get16(d->rec_len);
	}
	die(name);
	return NULL;
}

static uint32_t ino_of(uint32_t dir, const char *name)
{
	return ext2_get32(find(dir, name)->inode);
}

/* ---- lies about our image, and the same as another writer's ---- */

static void lie_magic(void)
{
	super()->magic[0] ^= 1;
}

static void lie_block_size(void)
{
	ext2_put32(super()->log_block_size, 31);
}

static void lie_blocks_none(void)
{
	ext2_put32(super()->blocks_count, 0);
}

static void lie_blocks_many(void)
{
	ext2_put32(super()->blocks_count, UINT32_MAX);
}

static void lie_inodes_many(void)
{
	ext2_put32(super()->inodes_count, UINT32_MAX);
	ext2_put32(super()->inodes_per_group, UINT32_MAX);
}

static void lie_inodes_none(void)
{
	ext2_put32(super()->inodes_count, 0);
	ext2_put32(super()->inodes_per_group, 0);
}

static void lie_group_blocks_none(void)
{
	ext2_put32(super()->blocks_per_group, 0);
}

static void lie_group_blocks_odd(void)
{
	ext2_put32(super()->blocks_per_group, 8191);
}

static void lie_inode_size(void)
{
	ext2_put16(super()->inode_size, 192);
}

static void lie_inode_size_large(void)
{
	ext2_put16(super()->inode_size, 32768);
}

static void lie_first_ino(void)
{
	ext2_put32(super()->first_ino, UINT32_MAX);
}

static void lie_extents(void)
{
	ext2_put32(super()->feature_incompat, 0x42);
}

static void lie_journal(void)
{
	ext2_put32(super()->feature_compat, 0x4);
}

static void lie_checksums(void)
{
	ext2_put32(super()->feature_ro_compat, 0x401);
}

static void lie_free_blocks(void)
{
	ext2_put32(super()->free_blocks_count, 77);
}

static void lie_table_outside(void)
{
	ext2_put32(group()->inode_table, UINT32_MAX - 2);
}

static void lie_table_on_super(void)
{
	ext2_put32(group()->inode_table, 1);
}

static void lie_bitmap_twice(void)
{
	memcpy(group()->block_bitmap, group()->inode_bitmap, 4);
}

static void lie_root_file(void)
{
	ext2_put16(inode(2)->mode, 0100644);
}

static void lie_root_unused(void)
{
	ext2_put16(inode(2)->links_count, 0);
}

static void lie_no_type(void)
{
	ext2_put16(inode(ino_of(2, "c"))->mode, 0644);
}

static void lie_pointer_outside(void)
{
	ext2_put32(inode(ino_of(2, "bulk"))->block[3], 0xfffffff0);
}

static void lie_pointer_shared(void)
{
	uint32_t ino = ino_of(2, "bulk");

	memcpy(inode(ino)->block[3], inode(ino)->block[4], 4);
}

static void lie_pointer_metadata(void)
{
	ext2_put32(inode(ino_of(2, "bulk"))->block[3], 1);
}

/* An indirect block that maps itself, on all three levels. */
static void lie_indirect_loop(void)
{
	uint32_t ino = ino_of(2, "bulk");
	uint32_t block = ext2_get32(inode(ino)->block[12]), i;

	for (i = 0; i < BLOCK / 4; i++)
		ext2_put32(image.p + (uint64_t)block * BLOCK + 4 * i, block);
	ext2_put32(inode(ino)->block[13], block);
	ext2_put32(inode(ino)->block[14], block);
	ext2_put32(inode(ino)->size_high, 0xff);
}

static void lie_sectors(void)
{
	ext2_put32(inode(ino_of(2, "bulk"))->blocks, 2);
}

static void lie_size_short(void)
{
	ext2_put32(inode(ino_of(2, "bulk"))->size, 1);
}

static void lie_extents_flag(void)
{
	ext2_put32(inode(ino_of(2, "bulk"))->flags, 0x80000);
}

static void lie_slow_size(void)
{
	ext2_put32(inode(ino_of(2, "slow"))->size, BLOCK);
}

static void lie_fast_size(void)
{
	ext2_put32(inode(ino_of(2, "fast"))->size, 4000000000u);
}

static void lie_links_few(void)
{
	ext2_put16(inode(ino_of(2, "bulk"))->links_count, 1);
}

static void lie_orphan(void)
{
	struct ext2_dirent *d = find(2, "slow");

	memcpy(d->inode, find(2, "fast")->inode, 4);
}

static void lie_rec_len_zero(void)
{
	ext2_put16(find(2, "fast")->rec_len, 0);
}

static void lie_rec_len_long(void)
{
	ext2_put16(find(2, "fast")->rec_len, BLOCK);
}

static void lie_rec_len_odd(void)
{
	ext2_put16(find(2, "fast")->rec_len, 13);
}

static void lie_name_long(void)
{
	find(2, "fast")->name_len = 255;
}

static void lie_name_none(void)
{
	find(2, "fast")->name_len = 0;
}

static void lie_name_slash(void)
{
	memcpy(find(2, "fast") + 1, "f/st", 4);
}

static void lie_name_nul(void)
{
	memcpy(find(2, "fast") + 1, "f\0st", 4);
}

static void lie_name_dots(void)
{
	struct ext2_dirent *d = find(2, "fast");

	d->name_len = 2;
	memcpy(d + 1, "..\0", 4);
}

static void lie_name_twice(void)
{
	memcpy(find(2, "fast") + 1, "slow", 4);
}

static void lie_entry_outside(void)
{
	ext2_put32(find(2, "fast")->inode, UINT32_MAX);
}

static void lie_entry_unused(void)
{
	ext2_put32(find(2, "fast")->inode,
		   ext2_get32(super()->inodes_count));
}

static void lie_entry_reserved(void)
{
	ext2_put32(find(2, "fast")->inode, 7);
}

static void lie_entry_root(void)
{
	ext2_put32(find(2, "fast")->inode, 2);
	find(2, "fast")->file_type = EXT2_FT_DIR;
}

static void lie_entry_type(void)
{
	find(2, "fast")->file_type = EXT2_FT_FILE;
}

/* A directory of two names. */
static void lie_dir_twice(void)
{
	struct ext2_dirent *d = find(2, "fast");

	ext2_put32(d->inode, ino_of(2, "x"));
	d->file_type = EXT2_FT_DIR;
}

/* x/y/z/fifo becomes x/y itself. */
static void lie_dir_loop(void)
{
	uint32_t x = ino_of(2, "x"), y = ino_of(x, "y"), z = ino_of(y, "z");
	struct ext2_dirent *d = find(z, "fifo");

	ext2_put32(d->inode, y);
	d->file_type = EXT2_FT_DIR;
}

/* x/y/z holds y, and x does not: both hang in the air. */
static void lie_dir_island(void)
{
	uint32_t x = ino_of(2, "x"), y = ino_of(x, "y"), z = ino_of(y, "z");
	struct ext2_dirent *d = find(z, "fifo"), *e = find(x, "y");
	uint32_t fifo = ext2_get32(d->inode);

	ext2_put32(d->inode, y);
	d->file_type = EXT2_FT_DIR;
	ext2_put32(e->inode, fifo);
	e->file_type = EXT2_FT_FIFO;
	ext2_put32(find(y, "..")->inode, z);
	ext2_put16(inode(x)->links_count, 2);
	ext2_put16(inode(z)->links_count, 3);
}

static void lie_dot(void)
{
	ext2_put32(find(ino_of(2, "x"), ".")->inode, 2);
}

static void lie_dotdot(void)
{
	uint32_t x = ino_of(2, "x");

	ext2_put32(find(x, "..")->inode, x);
}

static void lie_dir_size(void)
{
	ext2_put32(inode(ino_of(2, "x"))->size, 2 * BLOCK);
}

static void lie_dir_size_huge(void)
{
	ext2_put32(inode(ino_of(2, "x"))->size, 0xfffffc00);
}

static void lie_dir_hole(void)
{
	ext2_put32(inode(ino_of(2, "many"))->block[1], 0);
}

static uint8_t *attrs(void)
{
	uint32_t ino = ino_of(ino_of(2, "x"), "one");

	return image.p + (uint64_t)ext2_get32(inode(ino)->file_acl) * BLOCK;
}

static void lie_attr_magic(void)
{
	attrs()[0] ^= 1;
}

static void lie_attr_refs(void)
{
	ext2_put32(attrs() + 4, 1);
}

static void lie_attr_block(void)
{
	uint32_t ino = ino_of(ino_of(2, "x"), "one");

	ext2_put32(inode(ino)->file_acl, 1);
}

static void lie_attr_outside(void)
{
	uint32_t ino = ino_of(ino_of(2, "x"), "one");

	ext2_put32(inode(ino)->file_acl, UINT32_MAX);
}

static struct ext2_xattr_entry *attr(void)
{
	return (struct ext2_xattr_entry *)(attrs() + 32);
}

static void lie_attr_name(void)
{
	attr()->name_len = 255;
}

static void lie_attr_value(void)
{
	ext2_put32(attr()->value_size, UINT32_MAX);
}

static void lie_attr_place(void)
{
	ext2_put16(attr()->value_offs, 1022);
}

static void lie_attr_overlap(void)
{
	ext2_put16(attr()->value_offs, 32);
}

static void lie_attr_inum(void)
{
	ext2_put32(attr()->value_inum, 12);
}

static void lie_attr_index(void)
{
	attr()->name_index = 99;
}

static void lie_attr_hash(void)
{
	attr()->hash[1] ^= 4;
}

static void lie_attr_end(void)
{
	memset(attrs() + 32, 0x11, BLOCK - 32);
}

static void lie_nsec(void)
{
	ext2_put32(inode(ino_of(2, "c"))->mtime_extra, 1000000000u << 2);
}

static void lie_extra_isize(void)
{
	ext2_put16(inode(ino_of(2, "c"))->extra_isize, 0xfffc);
}

static void lie_block_bitmap(void)
{
	image.p[ext2_get32(group()->block_bitmap) * BLOCK] ^= 0x10;
}

static void lie_bitmap_padding(void)
{
	image.p[ext2_get32(group()->inode_bitmap) * BLOCK + BLOCK - 1] ^= 0x80;
}

static void lie_directories(void)
{
	group()->used_dirs_count[0]++;
}

#define LIE(name) { #name, lie_##name }

static const struct lie {
	const char *name;
	void (*tell)(void);
} lies[] = {
	LIE(magic), LIE(block_size), LIE(blocks_none), LIE(blocks_many),
	LIE(inodes_many), LIE(inodes_none), LIE(group_blocks_none),
	LIE(group_blocks_odd), LIE(inode_size), LIE(inode_size_large),
	LIE(first_ino), LIE(extents), LIE(journal), LIE(checksums),
	LIE(free_blocks), LIE(table_outside), LIE(table_on_super),
	LIE(bitmap_twice), LIE(root_file), LIE(root_unused), LIE(no_type),
	LIE(pointer_outside), LIE(pointer_shared), LIE(pointer_metadata),
	LIE(indirect_loop), LIE(sectors), LIE(size_short), LIE(extents_flag),
	LIE(slow_size), LIE(fast_size), LIE(links_few), LIE(orphan),
	LIE(rec_len_zero), LIE(rec_len_long), LIE(rec_len_odd), LIE(name_long),
	LIE(name_none), LIE(name_slash), LIE(name_nul), LIE(name_dots),
	LIE(name_twice), LIE(entry_outside), LIE(entry_unused),
	LIE(entry_reserved), LIE(entry_root), LIE(entry_type), LIE(dir_twice),
	LIE(dir_loop), LIE(dir_island), LIE(dot), LIE(dotdot), LIE(dir_size),
	LIE(dir_size_huge), LIE(dir_hole), LIE(attr_magic), LIE(attr_refs),
	LIE(attr_block), LIE(attr_outside), LIE(attr_name), LIE(attr_value),
	LIE(attr_place), LIE(attr_overlap), LIE(attr_inum), LIE(attr_index),
	LIE(attr_hash), LIE(attr_end), LIE(nsec), LIE(extra_isize),
	LIE(block_bitmap), LIE(bitmap_padding), LIE(directories),
};

static void reset(bool ours)
{
	memcpy(image.p, pristine, image.size);
	if (!ours)
		memset(super()->last_mounted, 0,
		       sizeof(super()->last_mounted));
}

static void test_lies(bool ours)
{
	const char *whose = ours ? "our" : "another's";
	struct unik_digest digest;
	char msg[1024];
	size_t i;

	reset(ours);
	ok(check(&image) == 0 && read_digest(&image, &digest) == 0,
	   "%s image is good: %s", whose, err.msg);
	for (i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		bool good;

		reset(ours);
		lies[i].tell();
		good = check(&image) < 0 && is_refusal();
		memcpy(msg, err.msg, sizeof(msg));
		/* Reading it ends, well or with a refusal. */
		if (read_digest(&image, &digest) < 0 && !is_refusal())
			good = false;
		ok(good, "%s image, %s: %s", whose, lies[i].name, msg);
	}
}

/* A small image that says to hold terabytes of zeros. */
static void test_huge_hole(void)
{
	struct unik_digest digest;

	reset(false);
	ext2_put32(inode(ino_of(2, "deep"))->size_high, 3);
	ok(check(&image) < 0 && is_refusal(), "12 GiB without large_file: %s",
	   err.msg);
	ext2_put32(super()->feature_ro_compat,
		   EXT2_RO_SPARSE_SUPER | EXT2_RO_LARGE_FILE);
	ok(check(&image) == 0, "a hole of 12 GiB is sound");
	limits.layer_size = 1 << 20;
	ok(read_digest(&image, &digest) < 0 && is_refusal() &&
	   strstr(err.msg, "--max-layer-size"), "and refused: %s", err.msg);
	unik_limits_init(&limits);
	ext2_put32(inode(ino_of(2, "deep"))->size_high, 0x7fffffff);
	ok(check(&image) < 0 && is_refusal(), "one that no map has: %s",
	   err.msg);
}

static void test_limits(void)
{
	struct unik_digest digest;

	reset(true);
	limits.entries = 20;
	ok(read_digest(&image, &digest) < 0 && is_refusal() &&
	   strstr(err.msg, "--max-entries"), "entries: %s", err.msg);
	unik_limits_init(&limits);
	limits.path = 20;
	ok(read_digest(&image, &digest) < 0 && is_refusal() &&
	   strstr(err.msg, "--max-path"), "paths: %s", err.msg);
	unik_limits_init(&limits);
}

static void test_sizes(void)
{
	uint64_t size = image.size, n;
	int bad = 0;

	reset(true);
	for (n = 0; n < size; n += n < 4096 ? 1 : 512) {
		image.size = n;
		bad += check(&image) == 0 || !is_refusal();
	}
	ok(bad == 0, "an image cut anywhere is refused");
	if (ftruncate(image.fd, (off_t)size + 4096) < 0)
		die("ftruncate");
	image.size = size + 4096;
	ok(check(&image) < 0 && is_refusal(), "one too long: %s", err.msg);
	image.size = size;
	if (ftruncate(image.fd, (off_t)size) < 0)
		die("ftruncate");
	close(image.fd);
	image.fd = open("/", O_RDONLY);
	ok(check(&image) < 0 && err.code == UNIK_EIO,
	   "one that can't be read is no bad one: %s", err.msg);
	close(image.fd);
}

/* ---- by chance ---- */

/* One to eight bytes, most of them where there is something. */
static void damage(struct image *im)
{
	uint64_t n = 1 + random_below(8), at;
	int tries;

	while (n-- > 0) {
		for (tries = 0; tries < 20; tries++) {
			at = random_below(im->size);
			if (im->p[at])
				break;
		}
		switch (random_below(4)) {
		case 0:
			im->p[at] = (uint8_t)random_u64();
			break;
		case 1:
			im->p[at] ^= (uint8_t)(1u << random_below(8));
			break;
		case 2:
			im->p[at] = random_below(2) ? 0 : 0xff;
			break;
		default:
			im->p[at] = im->p[random_below(im->size)];
		}
	}
}

static void test_damage(struct image *im, const char *name, int rounds,
			int least)
{
	uint8_t *good = malloc(im->size);
	struct unik_digest digest;
	int i, bad = 0, seen = 0;

	if (!good)
		die("memory");
	memcpy(good, im->p, im->size);
	limits.layer_size = 1 << 26;
	chance = 7;
	for (i = 0; i < rounds; i++) {
		memcpy(im->p, good, im->size);
		damage(im);
		if (check(im) < 0) {
			seen++;
			bad += !is_refusal();
		}
		if (read_digest(im, &digest) < 0)
			bad += !is_refusal();
	}
	memcpy(im->p, good, im->size);
	unik_limits_init(&limits);
	free(good);
	ok(bad == 0 && seen > least, "%s: %d of %d damages are seen, "
	   "all are survived", name, seen, rounds);
}

static void damage_file(const char *path)
{
	struct image im;
	struct stat st;
	uint8_t *p;

	im.fd = memfd_create("image", 0);
	unik_tree_free(new_tree()); /* sets the limits */
	{
		int fd = open(path, O_RDONLY);

		if (fd < 0 || fstat(fd, &st) < 0 ||
		    ftruncate(im.fd, st.st_size) < 0)
			die(path);
		im.size = (uint64_t)st.st_size;
		image_map(&im);
		p = mmap(NULL, im.size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (p == MAP_FAILED)
			die(path);
		memcpy(im.p, p, im.size);
		munmap(p, im.size);
		close(fd);
	}
	ok(check(&im) == 0, "%s is intact: %s", path, err.msg);
	test_damage(&im, path, 1000, 10);
	image_free(&im);
}

int main(int argc, char **argv)
{
	struct unik_writer_options opt = { .block_size = BLOCK };
	struct unik_tree *tree;
	int i;

	for (i = 1; i < argc; i++)
		damage_file(argv[i]);
	if (argc > 1)
		return tap_done();
	tree = zoo();
	image_make(&image, tree, opt);
	pristine = malloc(image.size);
	if (!pristine)
		die("memory");
	memcpy(pristine, image.p, image.size);
	test_lies(true);
	test_lies(false);
	test_huge_hole();
	test_limits();
	reset(true);
	test_damage(&image, "our image", 4000, 3000);
	reset(false);
	test_damage(&image, "another's image", 4000, 3000);
	test_sizes();
	munmap(image.p, image.size);
	free(pristine);
	unik_tree_free(tree);
	return tap_done();
}
