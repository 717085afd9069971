/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The versions of ext2: what brings the choice of a block size back to 4096,
 * and what is asked for. */
#include "ext2_choice.h"

/* ---- what brings it back ---- */

static struct unik_tree *small_files(void)
{
	struct unik_tree *tree = new_tree();

	add_files(tree, 500);
	return tree;
}

/* Whether the rule says 1024, and a plan `want`. */
static void back(struct unik_tree *tree, uint32_t want, const char *what)
{
	uint32_t rule = chosen(tree, 0), got = PLANNED(tree, 0);

	ok(rule == 1024 && got == want, "%s: %u%s%s", what, got,
	   got ? "" : ": ", got ? "" : err.msg);
	unik_tree_free(tree);
}

static void test_back(void)
{
	struct unik_tree *tree = small_files();

	add_symlink(tree, "last", 1023);
	back(tree, 1024, "a symlink target of 1023 bytes");
	tree = small_files();
	add_symlink(tree, "last", 1024);
	back(tree, 4096, "a symlink target of 1024 bytes");
	tree = small_files();
	add_symlink(tree, "last", 4095);
	back(tree, 4096, "a symlink target of 4095 bytes");
	tree = small_files();
	/* 12 + 256 + 256^2 + 256^3 blocks */
	add_sparse(tree, "last", UINT64_C(17247252480), 1, 0);
	back(tree, 1024, "the longest file of blocks of 1024");
	tree = small_files();
	add_sparse(tree, "last", UINT64_C(17247252481), 1, 0);
	back(tree, 4096, "a longer file");
	tree = small_files();
	add_sparse(tree, "last", UINT64_C(2190000000000), 1, 0);
	back(tree, 4096, "a file of 2 TB");
	tree = small_files();
	/* 32 for the head, 20 for the entry, 4 that end the entries */
	add_xattr(tree, "last", 968);
	back(tree, 1024, "attributes that fill a block of 1024");
	tree = small_files();
	add_xattr(tree, "last", 969);
	back(tree, 4096, "attributes that don't fit it");
	tree = small_files();
	add_xattr(tree, "last", 4040);
	back(tree, 4096, "attributes that fill a block of 4096");
}

/* What no block size holds is refused as it was. */
static void test_refused(void)
{
	struct unik_tree *tree = small_files();

	add_xattr(tree, "last", 4041);
	ok(chosen(tree, 0) == 1024 && PLANNED(tree, 0) == 0 &&
	   err.code == UNIK_EBAD && strstr(err.msg, "one block of 4096"),
	   "attributes over 4096: %s", err.msg);
	unik_tree_free(tree);
	tree = small_files();
	add_symlink(tree, "last", 4096);
	ok(chosen(tree, 0) == 1024 && PLANNED(tree, 0) == 0 &&
	   err.code == UNIK_EBAD && strstr(err.msg, "blocks of 4096"),
	   "a symlink target of 4096 bytes: %s", err.msg);
	unik_tree_free(tree);
}

/* Groups of 8192 inodes: their descriptors would take more than a group. */
static void test_counts(void)
{
	struct unik_tree *tree = small_files();

	ok(PLANNED(tree, .free_inodes = 1000000) == 1024, "a million inodes");
	ok(PLANNED(tree, .block_size = 1024,
		   .free_inodes = UINT64_C(3000000000)) == 0 &&
	   err.code == UNIK_EBAD, "3,000,000,000 with blocks of 1024: %s",
	   err.msg);
	ok(PLANNED(tree, .free_inodes = UINT64_C(3000000000)) == 4096,
	   "3,000,000,000 inodes: 4096");
	ok(PLANNED(tree, .free_inodes = UINT64_C(1) << 33) == 0 &&
	   err.code == UNIK_EBAD, "2^33: %s", err.msg);
	unik_tree_free(tree);
}

/* Names of 255 bytes, three in a block of 1024: an index of two levels has
 * 124 * 127 blocks of them. */
static void test_index(void)
{
	static const struct {
		unsigned n;
		bool netbsd;
		uint32_t want;
	} table[] = { { 3 * 124 * 127, false, 1024 },
		      { 3 * 124 * 127 + 1, false, 4096 },
		      { 3 * 124 * 127 + 1, true, 1024 } };
	char name[256];
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct unik_tree *tree = new_tree();
		unsigned k;

		for (k = 0; k < table[i].n; k++) {
			snprintf(name, sizeof(name), "%0255u", k);
			add_file(tree, name, 1);
		}
		ok(chosen(tree, 0) == 1024 &&
		   PLANNED(tree, .netbsd = table[i].netbsd) == table[i].want,
		   "%u long names%s: %u", table[i].n,
		   table[i].netbsd ? ", without an index" : "", table[i].want);
		unik_tree_free(tree);
	}
}

/* ---- what is asked for ---- */

static void test_versions(void)
{
	static const uint32_t sizes[] = { 1024, 2048, 4096 };
	struct unik_tree *tree = small_files(), *none = new_tree();
	int v, i;

	ok(PLANNED(tree, 0) == 1024 && PLANNED(tree, .version = 2) == 1024,
	   "version 2 is the newest");
	ok(PLANNED(tree, .version = 1) == 4096, "version 1: 4096");
	ok(PLANNED(tree, .netbsd = true) == 1024, "rumprun: 1024");
	for (v = 1; v <= 2; v++)
		for (i = 0; i < 3; i++)
			ok(PLANNED(tree, .version = v,
				   .block_size = sizes[i]) == sizes[i],
			   "version %d: %u as asked for", v, sizes[i]);
	for (i = -1; i < 5; i += i == -1 ? 4 : 1)
		ok(PLANNED(tree, .version = i) == 0 &&
		   err.code == UNIK_EUSAGE, "version %d: %s", i, err.msg);
	ok(PLANNED(none, 0) == 4096, "nothing: 4096");
	ok(unik_format_ext2.version == 2 && unik_format_ext2.oldest == 1,
	   "both are offered");
	unik_tree_free(tree);
	unik_tree_free(none);
}

int main(void)
{
	test_back();
	test_refused();
	test_counts();
	test_index();
	test_versions();
	return tap_done();
}
