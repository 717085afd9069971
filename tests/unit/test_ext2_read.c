/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reader_ext2: trees come back from images as they were; every flipped bit of
 * the metadata is seen, by the check or in the tree. */
#include "ext2_help.h"

/* ---- round trips ---- */

static bool comes_back(const struct unik_tree *tree,
		       struct unik_writer_options opt)
{
	struct unik_digest want, got;
	struct image image;
	bool good;

	if (unik_tree_digest(tree, &want, &err) < 0)
		die("digest");
	image_make(&image, tree, opt);
	good = check(&image) == 0 && read_digest(&image, &got) == 0;
	if (!good)
		printf("# %s\n", err.msg);
	else if (!unik_digest_equal(&want, &got))
		good = false;
	image_free(&image);
	return good;
}

static void test_round_trip(void)
{
	struct unik_tree *tree = zoo();
	uint32_t size;
	int i;

	for (size = 1024; size <= 4096; size *= 2)
		for (i = 0; i < 4; i++) {
			struct unik_writer_options opt = {
				.block_size = size, .netbsd = i & 1 };

			if (i & 2) {
				opt.free_size = 50000;
				opt.free_inodes = 100;
			}
			ok(comes_back(tree, opt), "blocks of %u%s%s", size,
			   i & 1 ? ", netbsd" : "", i & 2 ? ", free" : "");
		}
	unik_tree_free(tree);
}

/* Files with indirect blocks, in a directory with some itself. */
static void test_indirect_in_indirect(void)
{
	struct unik_writer_options opt = { .block_size = 1024 };
	struct unik_tree *tree = new_tree();
	struct unik_entry e;
	char name[128] = { 0 };
	int i;

	for (i = 0; i < 4000; i++) {
		snprintf(name, sizeof(name), "%090d", i);
		e = entry(UNIK_FILE, name);
		if (i % 20 == 0)
			add_file(tree, &e, name, sizeof(name),
				 i % 40 ? 20000 : 600000);
		else
			add(tree, &e);
	}
	if (unik_tree_seal(tree, &err) < 0)
		die("seal");
	ok(comes_back(tree, opt), "indirect blocks of files and directories");
	opt.netbsd = true;
	ok(comes_back(tree, opt), "the same without an index");
	unik_tree_free(tree);
}

static void random_entry(struct unik_tree *tree, int i)
{
	static uint8_t bytes[3000];
	struct unik_entry e;
	struct unik_xattr x = { "user.n", bytes, 6, 0 };
	char name[64];
	size_t n;

	snprintf(name, sizeof(name), "%d/%d/%0*d", (int)random_below(3),
		 (int)random_below(4), 1 + (int)random_below(40), i);
	e = entry((enum unik_type)random_below(UNIK_SOCKET + 1), name);
	e.mode = (uint16_t)random_below(010000);
	e.uid = (uint32_t)random_u64() >> random_below(32);
	e.gid = (uint32_t)random_u64() >> random_below(32);
	e.mtime_sec = EXT2_TIME_MIN +
		      (int64_t)random_below(EXT2_TIME_MAX - EXT2_TIME_MIN);
	e.mtime_nsec = (uint32_t)random_below(1000000000);
	e.rdev.major = (uint32_t)random_below(4096) >> random_below(12);
	e.rdev.minor = (uint32_t)random_below(1 << 20) >> random_below(20);
	for (n = 0; n < sizeof(bytes); n++)
		bytes[n] = (uint8_t)('a' + random_below(26));
	if (e.type <= UNIK_DIR && random_below(3) == 0) {
		x.value_size = (uint32_t)random_below(30);
		e.xattrs = &x;
		e.nxattrs = 1;
	}
	e.target = (const char *)bytes;
	e.target_size = e.type == UNIK_SYMLINK ? 1 + random_below(200) : 0;
	if (e.type == UNIK_FILE) {
		n = 1 + random_below(sizeof(bytes) - 1);
		add_file(tree, &e, bytes, n,
			 n + (random_below(4) ? 0 : random_below(400000)));
	} else {
		add(tree, &e);
	}
}

static void test_random_trees(void)
{
	int seed, i, n, bad = 0;

	for (seed = 1; seed <= 60; seed++) {
		struct unik_writer_options opt = { 0 };
		struct unik_tree *tree = new_tree();

		chance = (uint64_t)seed;
		n = (int)random_below(120);
		for (i = 0; i < n; i++)
			random_entry(tree, i);
		if (unik_tree_seal(tree, &err) < 0)
			die("seal");
		opt.block_size = 1024u << random_below(3);
		opt.netbsd = random_below(2);
		if (!comes_back(tree, opt)) {
			printf("# seed %d\n", seed);
			bad++;
		}
		unik_tree_free(tree);
	}
	ok(bad == 0, "60 random trees come back");
}

static void test_info(void)
{
	struct unik_writer_options opt = { .block_size = 1024,
					   .free_size = 100000,
					   .free_inodes = 1000 };
	struct unik_tree *tree = zoo(), *back = NULL;
	struct unik_ext2_info info, quick;
	struct unik_data data = { 0 };
	struct image image;

	image_make(&image, tree, opt);
	data.fd = image.fd;
	ok(unik_ext2_read(&back, &data, image.size, &limits, &info,
			  &err) == 0 &&
	   info.version == 2 && info.block_size == 1024 &&
	   info.nblocks * 1024 == image.size && info.free_blocks >= 97 &&
	   info.free_inodes >= 1000 && info.label[0] == 0 &&
	   info.exact_size + info.wasted_size == image.size &&
	   info.wasted_size > 97 * 1024 + 1000 * 256 &&
	   info.wasted_size < 120 * 1024 + 1010 * 256, "info of a tree");
	ok(unik_ext2_info(&quick, image.fd, image.size, &err) == 0 &&
	   quick.exact_size == 0 && quick.ninodes == info.ninodes &&
	   memcmp(quick.uuid, info.uuid, 16) == 0, "info of the superblock");
	image_free(&image);
	unik_tree_free(back);
	unik_tree_free(tree);
}

/* ---- every bit ---- */

enum what { SEEN, TREE, DRAWN, MISSED };

static uint64_t table_at; /* inodes, in an image of one group */
static uint32_t ninodes;

static bool in_field(uint64_t at, uint64_t base, size_t offset, size_t size)
{
	return at >= base + offset && at < base + offset + size;
}

#define IN_SUPER(at, field)                                                 \
	in_field(at, EXT2_SUPER_OFFSET, offsetof(struct ext2_super, field), \
		 sizeof(((struct ext2_super *)0)->field))
#define IN_INODE(at, field)                                                 \
	in_field(at, 0, offsetof(struct ext2_inode, field),                 \
		 sizeof(((struct ext2_inode *)0)->field))

/* Fields of an inode that only the tree tells: permissions, owner, size, and
 * what i_block holds of devices and symlinks. */
static bool tree_field(uint64_t at)
{
	uint64_t end = table_at + (uint64_t)ninodes * EXT2_INODE_SIZE, in;

	if (at < table_at || at >= end) /* names, symlinks, content */
		return at >= end;
	in = (at - table_at) % EXT2_INODE_SIZE;
	return IN_INODE(in, mode) || IN_INODE(in, uid) || IN_INODE(in, gid) ||
	       IN_INODE(in, uid_high) || IN_INODE(in, gid_high) ||
	       IN_INODE(in, size) || IN_INODE(in, block);
}

static enum what flip(struct image *image, uint64_t at, int bit,
		      const struct unik_digest *want)
{
	struct unik_digest got;
	enum what what;

	image->p[at] ^= (uint8_t)(1u << bit);
	if (check(image) < 0)
		what = is_refusal() ? SEEN : MISSED;
	else if (read_digest(image, &got) < 0)
		what = MISSED; /* intact, but not read? */
	else if (!unik_digest_equal(want, &got))
		what = tree_field(at) ? TREE : MISSED;
	else
		what = IN_SUPER(at, uuid) || IN_SUPER(at, hash_seed) ? DRAWN
								     : MISSED;
	image->p[at] ^= (uint8_t)(1u << bit);
	return what;
}

/* Chunks that hold nothing but zeros get one flipped bit only. */
#define CHUNK 32

static void test_every_bit(const struct unik_tree *tree,
			   struct unik_writer_options opt, unsigned step,
			   const char *name)
{
	uint64_t count[4] = { 0 }, at;
	const struct ext2_super *s;
	const struct ext2_group *g;
	struct unik_digest want;
	struct image image;
	int bit;

	image_make(&image, tree, opt);
	s = (const struct ext2_super *)(image.p + EXT2_SUPER_OFFSET);
	g = (const struct ext2_group *)(image.p + 2048);
	ninodes = ext2_get32(s->inodes_count);
	table_at = ext2_get32(g->inode_table) * UINT64_C(1024);
	if (read_digest(&image, &want) < 0)
		die("read");
	for (at = 0; at < image.size; at++) {
		uint64_t chunk = at / CHUNK * CHUNK, i;

		for (i = 0; i < CHUNK && image.p[chunk + i] == 0; i++)
			;
		for (bit = 0; bit < 8; bit++) {
			enum what what;

			if (i == CHUNK && (at % CHUNK != chunk / CHUNK % CHUNK ||
					   bit != (int)(chunk / CHUNK % 8)))
				continue;
			if ((at * 8 + (uint64_t)bit) % step != 0)
				continue;
			what = flip(&image, at, bit, &want);
			count[what]++;
			if (what == MISSED && count[what] < 20)
				printf("# byte %llu bit %d: not seen: %s\n",
				       (unsigned long long)at, bit, err.msg);
		}
	}
	ok(count[MISSED] == 0 && count[SEEN] > 30000 / step &&
	   count[TREE] > 1000 / step, "%s: of all bits, the check sees %llu, the tree %llu; %llu are "
	   "drawn, %llu missed", name, (unsigned long long)count[SEEN],
	   (unsigned long long)count[TREE], (unsigned long long)count[DRAWN],
	   (unsigned long long)count[MISSED]);
	image_free(&image);
}

static void test_bits(void)
{
	struct unik_writer_options opt = { .block_size = 1024 };
	struct unik_tree *tree = zoo();

	test_every_bit(tree, opt, 1, "with an index");
	opt.netbsd = true;
	test_every_bit(tree, opt, 7, "without types, a seventh");
	unik_tree_free(tree);
}

int main(void)
{
	test_round_trip();
	test_indirect_in_indirect();
	test_random_trees();
	test_info();
	test_bits();
	return tap_done();
}
