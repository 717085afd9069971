/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reader_ext2: any bytes behind an empty boot block are an image or refused in
 * one line; what is read can be written, and comes back as it was. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <unistd.h>

#include "../fuzz.h"
#include "reader_ext2.h"
#include "treedump.h"
#include "writer.h"

#define BOOT_BLOCK 1024

static void digest_of(const struct unik_tree *tree, struct unik_digest *digest)
{
	struct unik_err err;

	promise(unik_tree_digest(tree, digest, &err) == 0);
}

/* The image that our writer makes of the tree, in a file in memory; -1: it
 * holds less than the tree. */
static int write_image(const struct unik_tree *tree, uint64_t *size)
{
	struct unik_sink_options sopt = { .fd = memfd_create("out", 0),
					  .holes = true };
	struct unik_writer_options wopt = { .block_size = 4096 };
	const struct unik_losses *lost;
	struct unik_digest digest;
	struct unik_writer *w;
	struct unik_sink *sink;
	struct unik_err err;

	digest_of(tree, &digest);
	wopt.tree_digest = &digest;
	if (unik_format_ext2.plan(&w, tree, &wopt, &err) < 0) {
		refusal(&err);
		close(sopt.fd);
		return -1;
	}
	promise(unik_sink_new(&sink, &sopt, &err) == 0);
	promise(unik_format_ext2.emit(w, sink, &err) == 0);
	promise(unik_sink_finish(sink, NULL, &err) == 0);
	*size = unik_sink_size(sink);
	promise(*size == unik_format_ext2.size(w));
	unik_sink_free(sink);
	lost = unik_format_ext2.losses(w);
	if (lost->time || lost->rdev || lost->xattr) {
		close(sopt.fd);
		sopt.fd = -1;
	}
	unik_format_ext2.free(w);
	return sopt.fd;
}

static void write_and_read(const struct unik_tree *tree)
{
	struct unik_limits limits;
	struct unik_digest want, got;
	struct unik_tree *back;
	struct unik_data data = { 0 };
	struct unik_err err;
	uint64_t size;

	unik_limits_init(&limits);
	data.fd = write_image(tree, &size);
	if (data.fd < 0)
		return;
	promise(unik_ext2_check(data.fd, size, &limits, &err) == 0);
	promise(unik_ext2_read(&back, &data, size, &limits, NULL, &err) == 0);
	digest_of(tree, &want);
	digest_of(back, &got);
	promise(unik_digest_equal(&want, &got));
	unik_tree_free(back);
	close(data.fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct unik_limits limits = small_limits();
	struct unik_data data = { .fd = memfd_create("image", 0) };
	uint64_t size = BOOT_BLOCK + (uint64_t)n;
	struct unik_ext2_info info;
	struct unik_tree *tree;
	struct unik_err err;

	promise(ftruncate(data.fd, (off_t)size) == 0);
	promise(unik_pwrite_all(data.fd, bytes, n, BOOT_BLOCK, &err) == 0);
	if (unik_ext2_check(data.fd, size, &limits, &err) < 0)
		refusal(&err);
	if (unik_ext2_read(&tree, &data, size, &limits, &info, &err) < 0) {
		refusal(&err);
	} else {
		promise(info.version == 0 || info.version == 1);
		promise(info.exact_size + info.wasted_size <= size);
		write_and_read(tree);
		unik_tree_free(tree);
	}
	close(data.fd);
	return 0;
}
