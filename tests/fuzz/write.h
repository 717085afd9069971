/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A sealed tree -> an image: the same bytes twice, and our reader finds it
 * whole and with the same tree in it, but for what the format can't hold. */
#ifndef UNIK_FUZZ_WRITE_H
#define UNIK_FUZZ_WRITE_H

#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "reader.h"
#include "treediff.h"
#include "writer.h"

/* Plans and emits into `fd` (or nowhere).  False: the format refuses it. */
UNUSED static bool write_image(const struct unik_tree *tree,
			       const struct unik_format *f,
			       const struct unik_writer_options *opt, int fd,
			       struct unik_digest *digest, uint64_t *size,
			       struct unik_losses *lost)
{
	struct unik_sink_options so = { fd, true, true, NULL };
	struct unik_writer *w;
	struct unik_sink *sink;
	struct unik_err err;

	if (f->plan(&w, tree, opt, &err) < 0) {
		refusal(&err);
		return false;
	}
	promise(unik_sink_new(&sink, &so, &err) == 0);
	promise(f->emit(w, sink, &err) == 0);
	promise(unik_sink_finish(sink, digest, &err) == 0);
	*size = unik_sink_size(sink);
	promise(*size == f->size(w) && *size % 4096 == 0);
	unik_sink_free(sink);
	*lost = *f->losses(w);
	f->free(w);
	return true;
}

/* Only what the format can't hold comes back in another form. */
static int differ(void *data, const struct unik_diff *d, struct unik_err *err)
{
	char text[UNIK_DIFF_TEXT];

	(void)data;
	(void)err;
	if (d->lost)
		return 0;
	fprintf(stderr, "differs: %s\n", unik_diff_text(d, text));
	abort();
}

/* ... and the writer has counted it. */
UNUSED static void read_image(const struct unik_tree *tree,
			      const struct unik_reader *r, int fd,
			      uint64_t size, bool netbsd,
			      const struct unik_losses *lost)
{
	const struct unik_data data = { .fd = fd };
	struct unik_diff_counts counts;
	struct unik_reader_info info;
	struct unik_limits limits;
	struct unik_tree *back;
	struct unik_err err;

	unik_limits_init(&limits);
	promise(r->info(&info, fd, size, &err) == 0);
	if (r->check(fd, size, &limits, &err) < 0 ||
	    r->read(&back, &data, size, &limits, &err) < 0) {
		fprintf(stderr, "%s: %s\n", r->name, err.msg);
		abort();
	}
	if (!netbsd)
		info.holds.target = NULL;
	promise(unik_treediff(tree, back, &info.holds, differ, NULL, &counts,
			      &err) == 0);
	promise(counts.xattrs == lost->xattr);
	promise(counts.times <= lost->time && counts.rdevs <= lost->rdev);
	unik_tree_free(back);
}

UNUSED static void check_image(const struct unik_tree *tree, const char *name,
			       struct unik_writer_options *opt)
{
	const struct unik_format *f = unik_format_find(name);
	const struct unik_reader *r = unik_reader_find(name);
	int fd = memfd_create("image", MFD_CLOEXEC);
	struct unik_digest digest, first, second;
	struct unik_losses lost;
	struct unik_err err;
	uint64_t size, again;

	promise(fd >= 0 && f && r);
	/* Any digest does; a true one takes longer than all the rest. */
	promise(unik_sha256("", 0, &digest, &err) == 0);
	opt->tree_digest = &digest;
	if (write_image(tree, f, opt, fd, &first, &size, &lost)) {
		promise(write_image(tree, f, opt, -1, &second, &again,
				    &lost));
		promise(size == again && unik_digest_equal(&first, &second));
		read_image(tree, r, fd, size, opt->netbsd, &lost);
	}
	close(fd);
}

#endif
