/* SPDX-License-Identifier: GPL-3.0-or-later */
/* writer_ext2: any tree becomes an image that our reader finds whole and with
 * the same tree in it, and becomes it twice; or is refused. */
#define _GNU_SOURCE
#include "../tree.h"
#include "../write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gen *g = gen_new(data, size, UINT64_C(1) << 27);
	struct unik_writer_options opt = { 0 };
	struct unik_tree *tree;
	unsigned how = gen_byte(g);

	opt.netbsd = how & 1;
	opt.block_size = how & 32 ? 0 : 1024u << (how >> 1) % 3;
	opt.version = how & 64 ? 1 : 0;
	if (how & 8) {
		opt.free_size = gen_u64(g, 3);
		opt.free_inodes = gen_u64(g, 2);
		if (gen_byte(g) % 16) { /* large ones take long */
			opt.free_size %= 1 << 19;
			opt.free_inodes %= 1000;
		}
	}
	tree = gen_tree(g);
	if (tree)
		check_image(tree, "ext2", &opt);
	unik_tree_free(tree);
	gen_free(g);
	return 0;
}
