/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The block size that ext2's version 2 chooses by content: the borders of its
 * rule. */
#include "ext2_choice.h"

/* ---- the mebibyte ---- */

/*
 * 340 files save 1020 blocks of 1024, and the root 3: 24 bytes for "." and
 * "..", 12 for each name of 4 bytes, so 4116 with one more entry.  That one
 * must save at least one block.
 */
static void test_gain(void)
{
	static const struct {
		uint64_t size;
		uint32_t want;
	} table[] = {
		{ 0, 4096 },	{ 1, 1024 },	{ 1024, 1024 },
		{ 1025, 1024 }, { 2048, 1024 }, { 2049, 1024 },
		{ 3072, 1024 }, { 3073, 4096 }, { 4096, 4096 },
		{ 4097, 1024 }, { 8192, 4096 }, { 11264, 1024 },
		{ 11265, 4096 },
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct unik_tree *tree = new_tree();

		add_files(tree, 340);
		add_file(tree, "last", table[i].size);
		ok(chosen(tree, 0) == table[i].want &&
		   PLANNED(tree, 0) == table[i].want,
		   "1 MiB saved but for a file of %u bytes: %u",
		   (unsigned)table[i].size, table[i].want);
		unik_tree_free(tree);
	}
}

static void put_hole(struct unik_tree *t)
{
	add_sparse(t, "last", UINT64_C(1) << 33, 0, 0);
}

static void put_whole(struct unik_tree *t)
{
	add_sparse(t, "last", (UINT64_C(1) << 33) - 1, 1, 0);
}

static void put_tail(struct unik_tree *t)
{
	add_sparse(t, "last", (UINT64_C(1) << 33) + 3072, 1, 1 << 21);
}

static void put_full_tail(struct unik_tree *t)
{
	add_sparse(t, "last", (UINT64_C(1) << 33) + 3073, 1, 1 << 21);
}

/* Reaches behind the end of the file. */
static void put_beyond(struct unik_tree *t)
{
	add_sparse(t, "last", 65536 + 1, 100, 0);
}

static void put_dir(struct unik_tree *t)
{
	struct unik_entry e = entry(UNIK_DIR, "last");

	add(t, &e);
}

static void put_fifo(struct unik_tree *t)
{
	struct unik_entry e = entry(UNIK_FIFO, "last");

	add(t, &e);
}

static void put_device(struct unik_tree *t)
{
	struct unik_entry e = entry(UNIK_CHAR, "last");

	add(t, &e);
}

static void put_whiteout(struct unik_tree *t)
{
	struct unik_entry e = entry(UNIK_FILE, ".wh.");

	e.path = ".wh.last";
	e.path_size = 8;
	add(t, &e);
}

static void put_link(struct unik_tree *t) { add_link(t, "last", "f000"); }
static void put_short(struct unik_tree *t) { add_symlink(t, "last", 59); }
static void put_long(struct unik_tree *t) { add_symlink(t, "last", 60); }

/* What else there is, each as the entry that must save a block. */
static void test_types(void)
{
	static const struct {
		const char *what;
		void (*put)(struct unik_tree *t);
		uint32_t want;
	} table[] = {
		{ "8 GiB of zeros", put_hole, 4096 },
		{ "a whole block and a hole", put_whole, 4096 },
		{ "3 KiB at the end of 8 GiB", put_tail, 1024 },
		{ "over 3 KiB at the end of 8 GiB", put_full_tail, 4096 },
		{ "data up to a byte of a block", put_beyond, 1024 },
		{ "an empty directory", put_dir, 1024 },
		{ "a FIFO", put_fifo, 4096 },
		{ "a device", put_device, 4096 },
		{ "a whiteout", put_whiteout, 4096 },
		{ "one more name of a file", put_link, 4096 },
		{ "a symlink of 59 bytes", put_short, 4096 },
		{ "a symlink of 60 bytes", put_long, 1024 },
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct unik_tree *tree = new_tree();

		add_files(tree, 340);
		table[i].put(tree);
		ok(chosen(tree, 0) == table[i].want &&
		   PLANNED(tree, 0) == table[i].want, "%s: %u", table[i].what,
		   table[i].want);
		unik_tree_free(tree);
	}
}

/* 20 bytes for a name of 12: 24 + 152 * 20 are 3064, one more 3084. */
static void test_dir(void)
{
	unsigned n, i;

	for (n = 152; n <= 153; n++) {
		struct unik_tree *tree = new_tree();
		char name[32];

		add_files(tree, 340);
		for (i = 0; i < n; i++) {
			snprintf(name, sizeof(name), "last/%012u", i);
			add_file(tree, name, 0);
		}
		ok(chosen(tree, 0) == (n == 152 ? 1024 : 4096),
		   "a directory of %u bytes", 24 + 20 * n);
		unik_tree_free(tree);
	}
}

/* ---- the half ---- */

/*
 * 400 files and the root take 1608 blocks of 1024, or 405; with 801 more, 804
 * in blocks of 4096, that is 2412 and 1206.
 */
static void test_half(void)
{
	unsigned more;

	for (more = 0; more < 2; more++) {
		struct unik_tree *tree = new_tree();

		add_files(tree, 400);
		add_file(tree, "last", 801 * 1024 + more);
		ok(chosen(tree, 0) == (more ? 4096 : 1024),
		   "a file of %u bytes: %s half", 801 * 1024 + more,
		   more ? "less than" : "just");
		unik_tree_free(tree);

		tree = new_tree();
		add_files(tree, 400);
		ok(chosen(tree, 801 * 1024 + more) == (more ? 4096 : 1024) &&
		   PLANNED(tree, .free_size = 801 * 1024 + more) ==
			   (more ? 4096 : 1024),
		   "free space of %u bytes: %s half", 801 * 1024 + more,
		   more ? "less than" : "just");
		ok(chosen(tree, 0) == 1024, "without it: more");
		unik_tree_free(tree);

		tree = new_tree();
		add_files(tree, 400);
		add_sparse(tree, "last", UINT64_C(1) << 34, 199 + more, 0);
		ok(chosen(tree, 0) == (more ? 4096 : 1024),
		   "%u blocks of a sparse file: %s half", 199 + more,
		   more ? "less than" : "more than");
		unik_tree_free(tree);
	}
}

/* Names beyond the first change nothing but their directory. */
static void test_links(void)
{
	struct unik_tree *tree = new_tree();
	char name[16];
	unsigned i;

	add_files(tree, 400);
	add_file(tree, "last", 801 * 1024);
	for (i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "l%03u", i);
		add_link(tree, name, "last");
	}
	ok(chosen(tree, 0) == 1024, "a large file counts once, 21 names or not");
	unik_tree_free(tree);

	tree = new_tree();
	add_files(tree, 340);
	for (i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "l%03u", i);
		add_link(tree, name, "f001");
	}
	ok(chosen(tree, 0) == 4096, "a small file counts once, 301 names or not");
	unik_tree_free(tree);
}

/* Sums that 64 bits don't hold. */
static void test_huge(void)
{
	static const uint64_t sizes[] = { UINT32_MAX, UINT64_C(1) << 32,
					  INT64_MAX, UINT64_MAX };
	size_t i, k;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct unik_tree *tree = new_tree();
		char name[16];

		add_files(tree, 999);
		ok(chosen(tree, sizes[i]) == 4096, "free space of %llu bytes",
		   (unsigned long long)sizes[i]);
		unik_tree_free(tree);
		tree = new_tree();
		add_files(tree, 999);
		/* At the front, and at the end: whatever is looked at first. */
		for (k = 0; k < 1100; k++) {
			snprintf(name, sizeof(name), "%c%04u", i % 2 ? 'a' : 'z',
				 (unsigned)k);
			add_file(tree, name, 1);
		}
		unik_tree_seal(tree, &err);
		for (k = 0; k < tree->ninodes; k++)
			if (tree->inodes[k]->first->name[0] == 'a' ||
			    tree->inodes[k]->first->name[0] == 'z')
				tree->inodes[k]->size = sizes[i];
		ok(chosen(tree, 0) == 4096, "1,100 files of %llu bytes each",
		   (unsigned long long)sizes[i]);
		ok(chosen(tree, UINT64_MAX) == 4096, "and all free space");
		unik_tree_free(tree);
	}
}

/* ---- all of it ---- */

static uint64_t state = 88172645463325252u; /* xorshift: the same everywhere */

static uint64_t next(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % below;
}

/* Trees on both sides of the borders, against the rule as it is said. */
static void test_random(void)
{
	unsigned n, i, bad = 0, small = 0;

	for (n = 0; n < 300; n++) {
		uint64_t s1 = 0, s4 = 0, free_size = next(2) * next(500000);
		struct unik_tree *tree = new_tree();
		unsigned nfiles = 300 + (unsigned)next(300);
		uint64_t top = 500 + next(5000);
		char name[16];
		uint32_t want;

		for (i = 0; i < nfiles; i++) {
			uint64_t size = next(top);

			snprintf(name, sizeof(name), "%08u", i * 7919 % 10007);
			add_file(tree, name, size);
			s1 += unik_div_up(size, 1024) * 1024;
			s4 += unik_div_up(size, 4096) * 4096;
		}
		s1 += unik_div_up(24 + 16 * (uint64_t)nfiles, 1024) * 1024;
		s4 += unik_div_up(24 + 16 * (uint64_t)nfiles, 4096) * 4096;
		s1 += unik_div_up(free_size, 1024) * 1024;
		s4 += unik_div_up(free_size, 4096) * 4096;
		want = s4 >= 2 * s1 && s4 - s1 >= 1048576 ? 1024 : 4096;
		small += want == 1024;
		bad += chosen(tree, free_size) != want;
		unik_tree_free(tree);
	}
	ok(bad == 0 && small > 30 && small < 270,
	   "300 trees, %u of them with blocks of 1024: %u wrong", small, bad);
}

int main(void)
{
	test_gain();
	test_types();
	test_dir();
	test_half();
	test_links();
	test_huge();
	test_random();
	return tap_done();
}
