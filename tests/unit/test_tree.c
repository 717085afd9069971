/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tree: the rules of DESIGN section 6 on names, parents, entries given twice,
 * and symlinks on the way; one row each. */
#include "treetext.h"

static const struct rule names[] = {
	{ "a leading slash is dropped", "file /a\n", "file a@1\n" },
	{ "and so are several", "file ///a\n", "file a@1\n" },
	{ "a leading ./ is dropped", "file ./a\n", "file a@1\n" },
	{ "dots and empty components vanish", "file .//a/././/b\n",
	  "implied a\nfile a/b@1\n" },
	{ "a slash at the end of a directory", "dir a/\n", "dir a@1\n" },
	{ "a slash at the end of a file", "file a/\n", "file a@1\n" },
	{ "a .. that stays inside", "file a/../b\n", "file b@1\n" },
	{ "a .. that leads to the root", "dir a/..\n", "dir .@1\n" },
	{ "a .. that leaves the root", "file ../a\n",
	  "!'../a': '..' leaves the root" },
	{ "a .. that leaves it on its way", "file a/../../b\n",
	  "!'a/../../b': '..' leaves the root" },
	{ "a name is spelt in several ways", "file a\nfile ./a\nfile /a\n",
	  "file a@3\n" },
	{ "siblings go by their bytes",
	  "file b\nfile a\nfile B\nfile a.b\nfile \xc3\xa4\nfile a b\n",
	  "file B@3\nfile a@2\nfile a b@6\nfile a.b@4\nfile b@1\n"
	  "file \xc3\xa4@5\n" },
	{ "children come before what only looks like one",
	  "file a-b\ndir a\nfile a/c\nfile a.c\n",
	  "dir a@2\nfile a/c@3\nfile a-b@1\nfile a.c@4\n" },
	{ "names that are not UTF-8", "file \xff\xfe\n", "file \xff\xfe@1\n" },
	{ "names of dots", "file ...\nfile ..a\nfile .b\n",
	  "file ...@1\nfile ..a@2\nfile .b@3\n" },
};

static const struct rule parents[] = {
	{ "missing parents are made", "file a/b/c\n",
	  "implied a\nimplied a/b\nfile a/b/c@1\n" },
	{ "a later entry gives them their attributes", "file a/b\ndir a\n",
	  "dir a@2\nfile a/b@1\n" },
	{ "the root may have an entry", "dir .\nfile a\n",
	  "dir .@1\nfile a@2\n" },
	{ "also as the last one", "file a\ndir /\n", "dir .@2\nfile a@1\n" },
	{ "twice: the last one", "dir ./\ndir /\n", "dir .@2\n" },
	{ "the root is no file", "file ./\n",
	  "!'./': the root is not a directory" },
	{ "nor a symlink", "symlink . -> a\n", "!the root is not a directory" },
	{ "nor a hard link", "file a\nhard / -> a\n",
	  "!the root is not a directory" },
	{ "no entries, no tree but its root", "", "" },
	{ "a parent that is a file", "file a\nfile a/b\n",
	  "!'a/b': parent 'a' is not a directory" },
	{ "a parent that is a FIFO", "fifo a\nfile a/b/c\n",
	  "!'a/b/c': parent 'a' is not a directory" },
	{ "a parent that is a device", "char a\ndir a/b\n",
	  "!parent 'a' is not a directory" },
	{ "a parent that is a hard link to come", "hard a -> b\nfile a/c\n",
	  "!parent 'a' is not a directory" },
	{ "a parent that is a hard link", "file b\nhard a -> b\nfile a/c\n",
	  "!parent 'a' is not a directory" },
};

static const struct rule twice[] = {
	{ "a file over a file", "file a\nfile a\n", "file a@2\n" },
	{ "a directory over a directory keeps the children",
	  "dir a\nfile a/b\ndir a\n", "dir a@3\nfile a/b@2\n" },
	{ "a file over a directory", "dir a\nfile a/b\nfile a\n",
	  "file a@3\n" },
	{ "a symlink over a directory", "dir a\nfile a/b\nsymlink a -> c\n",
	  "symlink a@3 -> c\n" },
	{ "a hard link over a directory",
	  "file c\ndir a\nfile a/b\nhard a -> c\n",
	  "file a@1\nfile c@1 = a\n" },
	{ "a directory over a file", "file a\ndir a\nfile a/b\n",
	  "dir a@2\nfile a/b@3\n" },
	{ "a directory over a symlink", "symlink a -> b\ndir a\nfile a/c\n",
	  "dir a@2\nfile a/c@3\n" },
	{ "and back again, twice",
	  "dir a\nfile a/x\nfile a\ndir a\nfile a/y\nfile a\ndir a\n"
	  "file a/z\n",
	  "dir a@7\nfile a/z@8\n" },
	{ "deep subtrees go along", "file a/b/c/d\nfile a/b/e\nfile a/b\n",
	  "implied a\nfile a/b@3\n" },
	{ "a name that was replaced can be made anew below",
	  "file a/b\nfile a\ndir a\nfile a/b\n", "dir a@3\nfile a/b@4\n" },
	{ "other types over each other", "fifo a\nchar a\nblock a\nsocket a\n",
	  "socket a@4\n" },
};

static const struct rule symlinks[] = {
	{ "an entry beneath a symlink goes to its target",
	  "dir d\nsymlink s -> d\nfile s/x\n",
	  "dir d@1\nfile d/x@3\nsymlink s@2 -> d\n" },
	{ "an absolute target is one inside",
	  "dir d\nsymlink s -> /d\nfile s/x\n",
	  "dir d@1\nfile d/x@3\nsymlink s@2 -> /d\n" },
	{ "a target with .. that leaves stays at the root",
	  "symlink s -> ../../d\nfile s/x\n",
	  "implied d\nfile d/x@2\nsymlink s@1 -> ../../d\n" },
	{ "so does an absolute one", "symlink s -> /../d/./\nfile s/x\n",
	  "implied d\nfile d/x@2\nsymlink s@1 -> /../d/./\n" },
	{ "a target that is missing is made", "symlink s -> a/b\nfile s/x\n",
	  "implied a\nimplied a/b\nfile a/b/x@2\nsymlink s@1 -> a/b\n" },
	{ "a relative target counts from where the symlink is",
	  "dir a\nsymlink a/s -> ../b\nfile a/s/x\n",
	  "dir a@1\nsymlink a/s@2 -> ../b\nimplied b\nfile b/x@3\n" },
	{ "a target of dots is where the symlink is",
	  "symlink a/s -> .\nfile a/s/x\n",
	  "implied a\nsymlink a/s@1 -> .\nfile a/x@2\n" },
	{ "a chain of symlinks",
	  "symlink a -> b\nsymlink b -> c\nsymlink c -> d\nfile a/x\n",
	  "symlink a@1 -> b\nsymlink b@2 -> c\nsymlink c@3 -> d\n"
	  "implied d\nfile d/x@4\n" },
	{ "a symlink among the components of a target",
	  "dir r\nsymlink m -> r\nsymlink s -> m/t\nfile s/x\n",
	  "symlink m@2 -> r\ndir r@1\nimplied r/t\nfile r/t/x@4\n"
	  "symlink s@3 -> m/t\n" },
	{ "a loop", "symlink a -> b\nsymlink b -> a\nfile a/x\n",
	  "!'a/x': too many symlinks at " },
	{ "a symlink to itself", "symlink a -> a\nfile a/x\n",
	  "!too many symlinks at 'a'" },
	{ "a symlink to a file", "file f\nsymlink s -> f\nfile s/x\n",
	  "!'s/x': parent 'f' is not a directory" },
	{ "a symlink to the root", "symlink s -> /\nfile s/x\n",
	  "symlink s@1 -> /\nfile x@2\n" },
	{ "the last component is not followed",
	  "dir d\nsymlink s -> d\nfile s\n", "dir d@1\nfile s@3\n" },
	{ "a directory entry on a symlink replaces it",
	  "dir d\nfile d/x\nsymlink s -> d\ndir s\nfile s/y\n",
	  "dir d@1\nfile d/x@2\ndir s@4\nfile s/y@5\n" },
	{ "a symlink without a target", "symlink s -> \n",
	  "!'s': symlink without a target" },
	{ "a symlink beneath itself is no trouble",
	  "symlink a/s -> s2\nfile a/s/s\n",
	  "implied a\nsymlink a/s@1 -> s2\nimplied a/s2\nfile a/s2/s@2\n" },
};

/* The directory of the last entry is remembered: only for its siblings, and only
 * until something takes its place. */
static const struct rule siblings[] = {
	{ "names that only begin like the directory",
	  "file a/b/c\nfile a/bb/c\nfile a/b\nfile a/c\nfile ab/c\n",
	  "implied a\nfile a/b@3\nimplied a/bb\nfile a/bb/c@2\nfile a/c@4\n"
	  "implied ab\nfile ab/c@5\n" },
	{ "the directory has become a file",
	  "file a/b/x\nfile a/b\nfile a/b/y\n",
	  "!'a/b/y': parent 'a/b' is not a directory" },
	{ "one above it has", "file a/b/x\nfile a\nfile a/b/y\n",
	  "!'a/b/y': parent 'a' is not a directory" },
	{ "it has become a symlink",
	  "dir d\nfile a/x\nsymlink a -> d\nfile a/y\n",
	  "symlink a@3 -> d\ndir d@1\nfile d/y@4\n" },
	{ "it was reached by a symlink that now leads elsewhere",
	  "dir d\nsymlink s -> d\nfile s/x\nsymlink s -> e\nfile s/y\n",
	  "dir d@1\nfile d/x@3\nimplied e\nfile e/y@5\nsymlink s@4 -> e\n" },
	{ "it was made anew", "file a/x\nfile a\ndir a\nfile a/y\n",
	  "dir a@3\nfile a/y@4\n" },
	{ "a hard link has taken its place",
	  "file f\nfile a/x\nhard a -> f\nfile a/y\n",
	  "!parent 'a' is not a directory" },
	{ "it is found by another name, too",
	  "dir d\nsymlink s -> d\nfile s/x\nfile d/y\nfile s/z\nfile d/x\n",
	  "dir d@1\nfile d/x@6\nfile d/y@4\nfile d/z@5\nsymlink s@2 -> d\n" },
};

/* MAXSYMLINKS symlinks are followed, not one more. */
static void test_hops(void)
{
	static char entries[8192], got[TREE_TEXT];
	size_t n = 0;
	int k;

	for (k = 0; k < 40; k++)
		n += (size_t)sprintf(entries + n, "symlink s%d -> s%d\n", k,
				     k + 1);
	sprintf(entries + n, "dir s40\nfile s0/x\n");
	ok(strstr(make_lines(entries, got), "file s40/x@42\n"),
	   "40 symlinks in one path");
	n = 0;
	for (k = 0; k < 41; k++)
		n += (size_t)sprintf(entries + n, "symlink s%d -> s%d\n", k,
				     k + 1);
	sprintf(entries + n, "dir s41\nfile s0/x\n");
	ok(strstr(make_lines(entries, got), "!'s0/x': too many symlinks"),
	   "41 are too many");
	n = 0;
	for (k = 0; k < 14; k++) /* each doubles the hops of the one before */
		n += (size_t)sprintf(entries + n, "symlink s%d -> s%d/../s%d\n",
				     k + 1, k, k);
	sprintf(entries + n, "dir s0\nfile s14/x\n");
	ok(strstr(make_lines(entries, got), "too many symlinks"),
	   "hops that double are stopped, too");
}

static void add_raw(struct unik_tree *tree, struct unik_entry *e,
		    const char *path, size_t n, const char *text)
{
	e->path = path;
	e->path_size = n;
	ok(failed(unik_tree_add(tree, e, &err), UNIK_EBAD, text), "%s", text);
}

static void test_raw(void)
{
	struct unik_entry e = { .type = UNIK_FILE };
	static char long_name[256];
	struct unik_tree *tree = new_tree();

	add_raw(tree, &e, "a\0b", 3, "'a\\x00b': NUL byte in a path");
	unik_tree_free(tree);
	tree = new_tree();
	memset(long_name, 'n', sizeof(long_name));
	add_raw(tree, &e, long_name, 256, "a name of 256 bytes is over 255");
	unik_tree_free(tree);
	tree = new_tree();
	e.type = UNIK_SYMLINK;
	e.target = "a\0b";
	e.target_size = 3;
	add_raw(tree, &e, "s", 1, "'s': NUL byte in a symlink target");
	unik_tree_free(tree);
	tree = new_tree();
	e.type = UNIK_FILE;
	e.hardlink = true;
	e.target = "../x";
	e.target_size = 4;
	add_raw(tree, &e, "h", 1, "'h': hard link target: '..' leaves");
	ok(failed(unik_tree_add(tree, &e, &err), UNIK_EUSAGE,
		  "the tree takes no more entries"),
	   "a tree that refused an entry takes no more");
	ok(failed(unik_tree_seal(tree, &err), UNIK_EUSAGE, "can't be sealed"),
	   "and can't be sealed");
	unik_tree_free(tree);
	tree = new_tree();
	must(unik_tree_seal(tree, &err));
	ok(failed(add_lines(tree, "file a\n"), UNIK_EUSAGE, "no more entries"),
	   "nor does a sealed one");
	ok(failed(unik_tree_seal(tree, &err), UNIK_EUSAGE, "can't be sealed"),
	   "sealing twice is an error");
	unik_tree_free(tree);
	unik_tree_free(NULL);
}

int main(void)
{
	check_rules(names, COUNT(names));
	check_rules(parents, COUNT(parents));
	check_rules(twice, COUNT(twice));
	check_rules(symlinks, COUNT(symlinks));
	check_rules(siblings, COUNT(siblings));
	test_hops();
	test_raw();
	return tap_done();
}
