/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tree: the rules of DESIGN section 6 on hard links and whiteouts; one row
 * each. */
#include "treetext.h"

static const struct rule links[] = {
	{ "a hard link to an earlier file", "file a\nhard b -> a\n",
	  "file a@1\nfile b@1 = a\n" },
	{ "to a later file", "hard b -> a\nfile a\n",
	  "file a@2\nfile b@2 = a\n" },
	{ "the first name is the one that sorts first",
	  "file z\nhard a -> z\nhard m -> z\n",
	  "file a@1\nfile m@1 = a\nfile z@1 = a\n" },
	{ "to a symlink, not to what it points to",
	  "file f\nsymlink s -> f\nhard h -> s\n",
	  "file f@1\nsymlink h@2 -> f\nsymlink s@2 -> f = h\n" },
	{ "to a later symlink", "hard h -> s\nsymlink s -> f\n",
	  "symlink h@2 -> f\nsymlink s@2 -> f = h\n" },
	{ "to a device", "char c\nhard h -> c\n", "char c@1\nchar h@1 = c\n" },
	{ "to a FIFO", "fifo c\nhard h -> c\n", "fifo c@1\nfifo h@1 = c\n" },
	{ "to a socket", "socket c\nhard h -> c\n",
	  "socket c@1\nsocket h@1 = c\n" },
	{ "a chain", "hard c -> b\nhard b -> a\nfile a\n",
	  "file a@3\nfile b@3 = a\nfile c@3 = a\n" },
	{ "a chain in order", "file a\nhard b -> a\nhard c -> b\n",
	  "file a@1\nfile b@1 = a\nfile c@1 = a\n" },
	{ "a chain in between", "hard c -> b\nfile a\nhard b -> a\n",
	  "file a@2\nfile b@2 = a\nfile c@2 = a\n" },
	{ "two chains that meet",
	  "hard d -> c\nhard e -> c\nhard c -> b\nhard b -> a\nfile a\n",
	  "file a@5\nfile b@5 = a\nfile c@5 = a\nfile d@5 = a\n"
	  "file e@5 = a\n" },
	{ "with its parents missing", "file a\nhard x/y/z -> a\n",
	  "file a@1\nimplied x\nimplied x/y\nfile x/y/z@1 = a\n" },
	{ "its target is spelt in another way", "file a/b\nhard c -> ./a//b\n",
	  "implied a\nfile a/b@1\nfile c@1 = a/b\n" },
	{ "its target is absolute", "file a/b\nhard c -> /a/b\n",
	  "implied a\nfile a/b@1\nfile c@1 = a/b\n" },
	{ "its target lies beneath a symlink",
	  "file d/f\nsymlink s -> d\nhard h -> s/f\n",
	  "implied d\nfile d/f@1\nfile h@1 = d/f\nsymlink s@2 -> d\n" },
	{ "so does it itself", "file d/f\nsymlink s -> d\nhard s/h -> d/f\n",
	  "implied d\nfile d/f@1\nfile d/h@1 = d/f\nsymlink s@2 -> d\n" },
	{ "its target is replaced later: it keeps the old one",
	  "file a\nhard b -> a\nfile a\n", "file a@3\nfile b@1\n" },
	{ "its target was replaced before: it is the new one",
	  "file a\nfile a\nhard b -> a\n", "file a@2\nfile b@2 = a\n" },
	{ "it is replaced itself", "file a\nhard b -> a\nfile b\n",
	  "file a@1\nfile b@3\n" },
	{ "it replaces a file", "file a\nfile b\nhard b -> a\n",
	  "file a@1\nfile b@1 = a\n" },
	{ "the same link twice", "file a\nhard b -> a\nhard b -> a\n",
	  "file a@1\nfile b@1 = a\n" },
	{ "a link to come that is replaced is forgotten",
	  "hard b -> nowhere\nfile b\n", "file b@2\n" },
	{ "so is one in a directory that is replaced",
	  "hard d/b -> nowhere\nfile d\n", "file d@2\n" },
	{ "two names swapped by links", "file a\nhard t -> a\nfile b\n"
	  "hard a -> b\nhard b -> t\n",
	  "file a@3\nfile b@1\nfile t@1 = b\n" },
};

static const struct rule refused[] = {
	{ "to itself", "hard a -> a\n", "!'a': hard link to itself" },
	{ "to itself over a file", "file a\nhard a -> a\n",
	  "!'a': hard link to itself" },
	{ "to itself, spelt in another way", "hard a/b -> ./a/../a/b\n",
	  "!hard link to itself" },
	{ "to itself beneath a symlink",
	  "dir d\nsymlink s -> d\nhard s/a -> d/a\n",
	  "!'s/a': hard link to itself" },
	{ "in a circle", "hard a -> b\nhard b -> a\n", "!hard link to itself" },
	{ "in a large circle",
	  "hard a -> b\nhard b -> c\nhard c -> d\nhard d -> a\n",
	  "!hard link to itself" },
	{ "into a circle", "hard x -> a\nhard a -> b\nhard b -> a\n",
	  "!hard link to itself" },
	{ "to a directory", "dir a\nhard b -> a\n",
	  "!'b': hard link to the directory 'a'" },
	{ "to a later directory", "hard b -> a\ndir a\n",
	  "!'b': hard link to the directory 'a'" },
	{ "to an implied directory", "hard b -> a\nfile a/x\n",
	  "!'b': hard link to the directory 'a'" },
	{ "to the root", "hard b -> /\n", "!'b': hard link to the directory" },
	{ "to nothing", "hard b -> a\n",
	  "!'b': hard link to 'a', which this layer does not hold" },
	{ "to nothing, in a chain", "hard c -> b\nhard b -> a\n",
	  "!hard link to 'a', which this layer does not hold" },
	{ "to what is no longer there", "file a/x\nfile a\nhard b -> a/x\n",
	  "!'b': hard link target: parent 'a' is not a directory" },
	{ "to a later file beneath a file", "hard b -> a/x\nfile a\n",
	  "!'b': hard link target: parent 'a' is not a directory" },
	{ "to a whiteout", "file .wh.a\nhard b -> .wh.a\n",
	  "!hard link to the whiteout '.wh.a'" },
	{ "to a later whiteout", "hard b -> .wh.a\nfile .wh.a\n",
	  "!hard link to the whiteout '.wh.a'" },
	{ "to nowhere outside", "file a\nhard b -> ../a\n",
	  "!'b': hard link target: '..' leaves the root" },
	{ "through a loop of symlinks", "symlink a -> a\nhard b -> a/x\n",
	  "!'b': hard link target: too many symlinks" },
};

static const struct rule whiteouts[] = {
	{ "a whiteout stays under its name", "file .wh.a\n",
	  "whiteout .wh.a@1\n" },
	{ "with its parents", "file d/.wh.a\n",
	  "implied d\nwhiteout d/.wh.a@1\n" },
	{ "it hides nothing of its own layer", "file a\nfile .wh.a\n",
	  "whiteout .wh.a@2\nfile a@1\n" },
	{ "whatever the order", "file .wh.a\nfile a\n",
	  "whiteout .wh.a@1\nfile a@2\n" },
	{ "a directory that is a whiteout", "dir .wh.a\n",
	  "whiteout .wh.a@1\n" },
	{ "a symlink that is one", "symlink .wh.a -> b\n",
	  "whiteout .wh.a@1\n" },
	{ "a device that is one", "char .wh.a\n", "whiteout .wh.a@1\n" },
	{ "a hard link that is one", "file b\nhard .wh.a -> b\n",
	  "whiteout .wh.a@2\nfile b@1\n" },
	{ "even to nothing", "hard .wh.a -> nowhere\n",
	  "whiteout .wh.a@1\n" },
	{ "whiteouts that are links of each other",
	  "file .wh.a\nhard .wh.b -> .wh.a\n",
	  "whiteout .wh.a@1\nwhiteout .wh.b@2\n" },
	{ "the same one twice", "file .wh.a\nfile .wh.a\n",
	  "whiteout .wh.a@2\n" },
	{ "opaque", "dir d\nfile d/.wh..wh..opq\n",
	  "opaque d@1\nwhiteout d/.wh..wh..opq@2\n" },
	{ "opaque behind the entries", "file d/a\nfile d/.wh..wh..opq\ndir d\n",
	  "opaque d@3\nwhiteout d/.wh..wh..opq@2\nfile d/a@1\n" },
	{ "opaque before them", "file d/.wh..wh..opq\ndir d\nfile d/a\n",
	  "opaque d@2\nwhiteout d/.wh..wh..opq@1\nfile d/a@3\n" },
	{ "the root may be opaque", "file .wh..wh..opq\ndir .\n",
	  "opaque .@2\nwhiteout .wh..wh..opq@1\n" },
	{ "a directory that is replaced is opaque no more",
	  "dir d\nfile d/.wh..wh..opq\nfile d\ndir d\n", "dir d@4\n" },
	{ "AUFS metadata is left out",
	  "file .wh..wh.aufs\ndir .wh..wh.plnk\nfile .wh..wh.plnk/1.2\n"
	  "file d/.wh..wh.orph\nfile a\n",
	  "file a@5\n" },
	{ "a name that only looks like one", "file wh.a\nfile .wh\n",
	  "file .wh@2\nfile wh.a@1\n" },
	{ "a whiteout of a whiteout's name", "file .wh..wh\n",
	  "whiteout .wh..wh@1\n" },
	{ "a whiteout without a name", "file .wh.\n",
	  "!'.wh.': a whiteout without a name" },
	{ "of a dot", "file d/.wh..\n",
	  "!'d/.wh..': a whiteout without a name" },
	{ "of two dots", "file d/.wh...\n",
	  "!'d/.wh...': a whiteout without a name" },
	{ "an entry beneath a whiteout", "file .wh.a/b\n",
	  "!'.wh.a/b': an entry beneath a whiteout" },
	{ "and beneath an opaque mark", "file .wh..wh..opq/b\n",
	  "!an entry beneath a whiteout" },
	{ "one beneath a symlink of its layer is left out",
	  "dir d\nfile d/a\nsymlink s -> d\nfile s/.wh.a\n",
	  "dir d@1\nfile d/a@2\nsymlink s@3 -> d\n" },
	{ "and so is one beneath a file", "file f\nfile f/.wh.a\n",
	  "file f@1\n" },
	{ "an opaque mark beneath a symlink too",
	  "dir d\nsymlink s -> d\nfile s/.wh..wh..opq\n",
	  "dir d@1\nsymlink s@2 -> d\n" },
};

static void test_counts(void)
{
	struct unik_tree *tree = new_tree();
	const struct unik_tree_counts *c = &tree->counts;

	must(add_lines(tree, "file a\nhard b -> a\nhard c -> a\ndir d\n"
			     "file d/.wh..wh..opq\nfile d/.wh.x\nfile .wh.y\n"
			     "file .wh..wh.aufs\ndir .wh..wh.plnk\nfifo p\n"
			     "symlink s -> a\nchar t\nblock u\nsocket v\n"
			     "file e/f/g\n"));
	must(unik_tree_seal(tree, &err));
	ok(c->type[UNIK_FILE] == 2 && c->type[UNIK_DIR] == 4 &&
		   c->type[UNIK_SYMLINK] == 1 && c->type[UNIK_CHAR] == 1 &&
		   c->type[UNIK_BLOCK] == 1 && c->type[UNIK_FIFO] == 1 &&
		   c->type[UNIK_SOCKET] == 1 && c->type[UNIK_WHITEOUT] == 3,
	   "inodes by type");
	ok(c->hardlinks == 2 && c->whiteouts == 2 && c->opaque == 1 &&
		   c->ignored == 2,
	   "links, whiteouts, opaque directories, what was left out");
	ok(unik_tree_find(tree, "a")->inode->nlink == 3 &&
		   tree->root->inode->nlink == 4 &&
		   unik_tree_find(tree, "e")->inode->nlink == 3 &&
		   unik_tree_find(tree, "d")->inode->nlink == 2,
	   "names of files, 2 and subdirectories of directories");
	unik_tree_free(tree);
}

/* A link that leaves the tree stays, where lower layers may hold its target. */
static void test_open(void)
{
	static char got[TREE_TEXT];
	struct unik_tree *tree = new_tree();

	must(add_lines(tree, "hard b -> low/a\nhard c -> b\n"
			     "hard d -> ./low//a\nfile f\nhard g -> f\n"));
	must(unik_tree_seal_open(tree, &err));
	ok(strcmp(tree_lines(tree, got),
		  "link b@0 -> low/a\nlink c@0 -> low/a = b\n"
		  "link d@0 -> low/a\nfile f@4\nfile g@4 = f\n") == 0,
	   "links to a lower layer, and chains to them");
	ok(failed(unik_tree_check_links(tree, &err), UNIK_EBAD,
		  "'b': hard link to 'low/a', which this layer does not hold"),
	   "are named where there is no lower layer");
	unik_tree_free(tree);
	tree = new_tree();
	must(add_lines(tree, "file f\nhard g -> f\n"));
	must(unik_tree_seal_open(tree, &err));
	ok(unik_tree_check_links(tree, &err) == 0, "others are fine");
	unik_tree_free(tree);
	tree = new_tree();
	must(add_lines(tree, "hard a -> b\nhard b -> a\n"));
	ok(failed(unik_tree_seal_open(tree, &err), UNIK_EBAD,
		  "hard link to itself"),
	   "a circle is an error all the same");
	unik_tree_free(tree);
}

int main(void)
{
	check_rules(links, COUNT(links));
	check_rules(refused, COUNT(refused));
	check_rules(whiteouts, COUNT(whiteouts));
	test_counts();
	test_open();
	return tap_done();
}
