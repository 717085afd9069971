/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "layer_walk.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lanes.h"
#include "layer_contents.h"
#include "ring.h"

/* What is read at once: after a long jump little more than a header, then ever
 * more. */
#define LEAST (4u << 10)
#define MOST (128u << 10)
/* Larger files are read when their turn comes.  None of these has a hole:
 * UNIK_HOLE_MIN blocks are longer. */
#define SMALL (4u << 10)
#define MAX_FILES (MOST / 512) /* headers and data are in blocks */
/* Windows on their way to the thread; together they fit into its cache. */
#define WINDOWS 6

_Static_assert(SMALL < UNIK_HOLE_MIN * UNIK_HOLE_BLOCK, "no holes");

struct window {
	size_t nfiles;
	struct unik_text files[MAX_FILES]; /* in `data` */
	uint8_t data[MOST];
};

_Static_assert(sizeof(struct window) <= UNIK_CHUNK, "a chunk has room");

struct walk {
	struct unik_source base;
	int fd;
	uint64_t off;
	uint64_t left;
	size_t next; /* what is read at once, next time */
	struct unik_ring *ring;
	struct unik_chunk *chunk; /* with the window at hand, or NULL */
	bool running;
	pthread_t thread;
	/* The thread's, until it is joined: */
	struct unik_contents *contents; /* or NULL */
	struct unik_layer_options opt;
	struct unik_lanes *lanes;
	uint64_t told;
	bool failed;
	struct unik_err err;
};

static struct window *window_of(const struct unik_chunk *c)
{
	return (struct window *)c->data;
}

/* ---- the thread ---- */

static int hash_window(struct walk *w, const struct window *win)
{
	uint64_t sum = 0;
	size_t i;

	if (unik_lanes_each(w->lanes, win->files, win->nfiles, &w->err) < 0)
		return -1;
	for (i = 0; i < win->nfiles; i++)
		sum += win->files[i].size;
	w->told += sum;
	if (w->opt.progress)
		w->opt.progress(w->opt.progress_data, sum);
	return 0;
}

/* Until there is a window, or nothing to be done meanwhile. */
static int spare_time(struct walk *w)
{
	int rc = 0;

	while (rc == 0 && w->contents && unik_ring_waits(w->ring, 0))
		rc = unik_contents_spare(w->contents, &w->err);
	return rc < 0 ? -1 : 0;
}

static void *hasher_main(void *walk)
{
	struct walk *w = walk;
	const struct unik_chunk *c;
	struct unik_err end;

	while (!w->failed) {
		w->failed = spare_time(w) < 0;
		if (w->failed || unik_ring_next(w->ring, 0, &c, &end) != 0)
			break;
		w->failed = hash_window(w, window_of(c)) < 0;
	}
	if (w->failed)
		unik_ring_leave(w->ring, 0, &w->err);
	return NULL;
}

static void join(struct walk *w, const struct unik_err *cause)
{
	if (!w->running)
		return;
	unik_ring_end(w->ring, cause);
	pthread_join(w->thread, NULL);
	w->running = false;
}

/* ---- the source ---- */

static void publish(struct walk *w)
{
	if (w->chunk && window_of(w->chunk)->nfiles > 0)
		unik_ring_publish(w->ring, w->chunk);
	w->chunk = NULL;
}

/* A new window, in which n bytes follow those that are at hand. */
static int next_window(struct walk *w, size_t n, struct unik_err *err)
{
	struct unik_source *s = &w->base;
	struct window *win;

	publish(w);
	w->chunk = unik_ring_take(w->ring, err);
	if (!w->chunk)
		return -1;
	win = window_of(w->chunk);
	/* Nobody but this thread writes to any window. */
	if (s->avail > 0)
		memmove(win->data, s->cur, s->avail);
	win->nfiles = 0;
	s->cur = win->data;
	if (unik_pread_all(w->fd, win->data + s->avail, n, w->off, err) < 0)
		return -1;
	s->avail += n;
	w->off += n;
	w->left -= n;
	return 0;
}

/* How much is read now; at most MOST. */
static size_t step(struct walk *w)
{
	size_t n = w->next;

	w->next = n * 2 < MOST ? n * 2 : MOST;
	return w->left < n ? (size_t)w->left : n;
}

static int walk_fill(struct unik_source *s, struct unik_err *err)
{
	struct walk *w = (struct walk *)s;

	if (w->left == 0)
		return 1;
	return next_window(w, step(w), err);
}

static int walk_jump(struct unik_source *s, uint64_t n, uint64_t *got,
		     struct unik_err *err)
{
	struct walk *w = (struct walk *)s;

	(void)err;
	if (n > w->next)
		w->next = LEAST;
	*got = n < w->left ? n : w->left;
	w->off += *got;
	w->left -= *got;
	return 0;
}

static void walk_free(struct unik_source *s)
{
	const struct unik_err aborted = { UNIK_EIO, 0, "aborted" };
	struct walk *w = (struct walk *)s;

	join(w, &aborted);
	unik_lanes_free(w->lanes);
	unik_ring_free(w->ring);
	free(w);
}

static const struct unik_source_ops walk_ops = {
	.fill = walk_fill,
	.jump = walk_jump,
	.free = walk_free,
};

static int start(struct walk *w, struct unik_err *err)
{
	int rc;

	if (unik_lanes_new(&w->lanes, w->opt.lanes, err) < 0 ||
	    unik_ring_new(&w->ring, 1, WINDOWS, err) < 0)
		return -1;
	rc = pthread_create(&w->thread, NULL, hasher_main, w);
	if (rc != 0) {
		errno = rc;
		return unik_fail_sys(err, "can't start a thread");
	}
	w->running = true;
	return 0;
}

int unik_walk_new(struct unik_source **out, int fd, uint64_t off, uint64_t size,
		  struct unik_contents *contents,
		  const struct unik_layer_options *opt, struct unik_err *err)
{
	struct walk *w = calloc(1, sizeof(*w));

	if (!w)
		return unik_fail_mem(err);
	w->base.ops = &walk_ops;
	w->fd = fd;
	w->off = off;
	w->left = size;
	w->next = LEAST;
	w->contents = contents;
	w->opt = *opt;
	if (start(w, err) < 0) {
		walk_free(&w->base);
		return -1;
	}
	*out = &w->base;
	return 0;
}

/* ---- files ---- */

/* Has n <= SMALL bytes at hand, one after the other in the window. */
static int gather(struct walk *w, size_t n, struct unik_err *err)
{
	size_t more = step(w);

	if (more > MOST - w->base.avail)
		more = MOST - w->base.avail;
	if (more < n - w->base.avail)
		more = n - w->base.avail;
	return next_window(w, more, err);
}

int unik_walk_file(struct unik_source *s, uint64_t size, uint8_t *sha256,
		   bool *taken, struct unik_err *err)
{
	struct walk *w = (struct walk *)s;
	struct window *win;

	*taken = false;
	/* A tar that ends too early is the reader's to find. */
	if (size > SMALL || (size > s->avail && size - s->avail > w->left))
		return 0;
	if (size > s->avail && gather(w, (size_t)size, err) < 0)
		return -1;
	if (!w->chunk || window_of(w->chunk)->nfiles == MAX_FILES)
		return 0;
	win = window_of(w->chunk);
	win->files[win->nfiles++] = (struct unik_text){ s->cur, (size_t)size,
							sha256 };
	*taken = true;
	return 0;
}

int unik_walk_finish(struct unik_source *s, uint64_t *told,
		     struct unik_err *err)
{
	struct walk *w = (struct walk *)s;

	publish(w);
	join(w, NULL);
	*told = w->told;
	if (w->failed)
		*err = w->err;
	return w->failed ? -1 : 0;
}
