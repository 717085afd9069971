/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "drain.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/statfs.h>

struct unik_drain {
	int fd;
	uint64_t size;
	bool punches;
	uint64_t nsteps;
	uint64_t left[]; /* bytes wanted, by step */
};

/* What can't be told is left as it is. */
static bool worth_it(int fd, uint64_t size)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return false;
	return fs.f_type == TMPFS_MAGIC ||
	       (uint64_t)fs.f_bavail < size / (uint64_t)fs.f_bsize;
}

int unik_drain_new(struct unik_drain **out, int fd, uint64_t size,
		   struct unik_err *err)
{
	uint64_t n = size / UNIK_DRAIN_STEP + 1;
	struct unik_drain *d = calloc(1, sizeof(*d) + n * sizeof(d->left[0]));

	if (!d)
		return unik_fail_mem(err);
	d->fd = fd;
	d->size = size;
	d->punches = worth_it(fd, size);
	d->nsteps = n;
	*out = d;
	return 0;
}

void unik_drain_free(struct unik_drain *d)
{
	free(d);
}

static int check_range(const struct unik_drain *d, uint64_t off, uint64_t n,
		       struct unik_err *err)
{
	if (off > d->size || n > d->size - off)
		return unik_fail(err, "the file ends too early");
	return 0;
}

/* Of n bytes at off, those in the first step. */
static uint64_t in_step(uint64_t off, uint64_t n)
{
	uint64_t room = UNIK_DRAIN_STEP - off % UNIK_DRAIN_STEP;

	return n < room ? n : room;
}

int unik_drain_want(struct unik_drain *d, uint64_t off, uint64_t n,
		    struct unik_err *err)
{
	uint64_t m;

	if (check_range(d, off, n, err) < 0)
		return -1;
	for (; n > 0; n -= m, off += m) {
		m = in_step(off, n);
		d->left[off / UNIK_DRAIN_STEP] += m;
	}
	return 0;
}

static void punch(struct unik_drain *d, uint64_t step, uint64_t n)
{
	if (d->punches &&
	    fallocate(d->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		      (off_t)(step * UNIK_DRAIN_STEP),
		      (off_t)(n * UNIK_DRAIN_STEP)) < 0)
		d->punches = false;
}

void unik_drain_start(struct unik_drain *d)
{
	uint64_t i, n;

	for (i = 0; i < d->nsteps; i += n + 1) {
		for (n = 0; i + n < d->nsteps && d->left[i + n] == 0; n++)
			;
		if (n > 0)
			punch(d, i, n);
	}
}

int unik_drain_take(struct unik_drain *d, uint64_t off, uint64_t n,
		    struct unik_err *err)
{
	uint64_t m;

	if (check_range(d, off, n, err) < 0)
		return -1;
	for (; n > 0; n -= m, off += m) {
		uint64_t *left = &d->left[off / UNIK_DRAIN_STEP];

		m = in_step(off, n);
		if (*left < m)
			return unik_fail_io(err, "a spool is read again that "
					    "was given back");
		*left -= m;
		if (*left == 0)
			punch(d, off / UNIK_DRAIN_STEP, 1);
	}
	return 0;
}
