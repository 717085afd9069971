/* SPDX-License-Identifier: GPL-3.0-or-later */
/* writer_iso: any tree becomes an image that our reader finds whole and with
 * the same tree in it, and becomes it twice; or is refused. */
#define _GNU_SOURCE
#include "../tree.h"
#include "../write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gen *g = gen_new(data, size, 1 << 22);
	struct unik_writer_options opt = { 0 };
	struct unik_tree *tree;

	opt.netbsd = gen_byte(g) & 1;
	tree = gen_tree(g);
	if (tree)
		check_image(tree, "iso", &opt);
	unik_tree_free(tree);
	gen_free(g);
	return 0;
}
