/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * layer: digests in place: what each thread does.  It has two lanes; in each
 * stands the layer as a whole, or one file of it, and they advance together.
 */
#include <stdlib.h>
#include <string.h>

#include "layer_contents_private.h"

/* Files are taken from the order in runs of about this size. */
#define BATCH (1u << 20)
#define BATCH_FILES 256
/* Progress is told after so many bytes. */
#define TELL (512u << 10)

enum kind { IDLE, WHOLE, FILES };

struct stream {
	struct unik_scan scan;
	enum kind kind;
	const struct unik_inode *inode; /* of FILES: the file at hand */
	uint32_t next, end;             /* the rest of the batch, in order */
	uint64_t at;                    /* bytes hashed, of `size` */
	uint64_t size;
	uint64_t told;                  /* of them, in contents.bytes */
	const uint8_t *p; /* read, not yet hashed */
	size_t n;
	uint8_t *buf;     /* UNIK_CHUNK bytes of the data from `window` */
	uint64_t window;
	size_t nbuf;
};

/* ---- what to do next ---- */

static void take_batch(struct unik_contents *c, struct stream *s)
{
	struct unik_inode *const *inodes = c->layer->tree->inodes;
	uint64_t sum = 0;

	s->next = c->next;
	while (c->next < c->norder && sum < BATCH &&
	       c->next - s->next < BATCH_FILES)
		sum += inodes[c->order[c->next++]]->size;
	s->end = c->next;
}

static int begin_file(struct unik_contents *c, struct stream *s,
		      struct unik_err *err)
{
	s->inode = c->layer->tree->inodes[c->order[s->next++]];
	s->at = 0;
	s->told = 0;
	s->size = s->inode->size;
	return unik_scan_begin(&s->scan, err);
}

/* Gives an idle lane something, if there is something; `wait`: the other one
 * is idle, too. */
static int take(struct unik_contents *c, struct stream *s, bool wait,
		struct unik_err *err)
{
	pthread_mutex_lock(&c->lock);
	while (wait && c->taken && !c->ready && !c->quit)
		pthread_cond_wait(&c->moved, &c->lock);
	if (c->quit) {
		s->kind = IDLE;
	} else if (!c->taken) {
		c->taken = true;
		s->kind = WHOLE;
	} else if (c->ready && c->next < c->norder) {
		s->kind = FILES;
		take_batch(c, s);
	}
	pthread_mutex_unlock(&c->lock);
	if (s->kind == FILES)
		return begin_file(c, s, err);
	s->at = 0;
	s->size = c->size;
	return s->kind == WHOLE ? unik_scan_begin(&s->scan, err) : 0;
}

/* ---- reading ---- */

/* Bytes of the data at `from`: those in the window, or else a new window; what
 * follows behind a small file is likely to be wanted next. */
static int read_window(struct unik_contents *c, struct stream *s, uint64_t from,
		       uint64_t want, struct unik_err *err)
{
	uint64_t left = c->offset + c->size - from, in;

	if (from < s->window || from - s->window >= s->nbuf) {
		size_t n = left < UNIK_CHUNK ? (size_t)left : UNIK_CHUNK;

		s->nbuf = 0;
		if (unik_pread_all(c->layer->data.fd, s->buf, n, from, err) < 0)
			return -1;
		s->window = from;
		s->nbuf = n;
	}
	in = s->nbuf - (from - s->window);
	s->p = s->buf + (from - s->window);
	s->n = (size_t)(in < want ? in : want);
	return 0;
}

static int read_sparse(struct stream *s, uint64_t want, struct unik_err *err)
{
	s->nbuf = 0;
	s->p = s->buf;
	s->n = want < UNIK_CHUNK ? (size_t)want : UNIK_CHUNK;
	return unik_content_read(s->inode->content, s->at, s->buf, s->n, err);
}

static int wrap(const struct stream *s, struct unik_err *err)
{
	char q[UNIK_QUOTE_SIZE];

	return unik_wrap(err, "%s", unik_node_quote(s->inode->first, q));
}

static int fill(struct unik_contents *c, struct stream *s, struct unik_err *err)
{
	uint64_t want = s->size - s->at;
	const struct unik_content *content;
	int rc;

	if (s->kind == IDLE || s->n > 0 || want == 0)
		return 0;
	if (s->kind == WHOLE)
		return read_window(c, s, c->offset + s->at, want, err);
	content = s->inode->content;
	rc = content->npieces > 0
		     ? read_sparse(s, want, err)
		     : read_window(c, s, content->offset + s->at, want, err);
	return rc < 0 ? wrap(s, err) : 0;
}

/* ---- hashing ---- */

/* Called with the lock held. */
static void tell(struct unik_contents *c, struct stream *s)
{
	if (s->inode->content->npieces == 0) /* bytes that the tar has */
		c->bytes += s->at - s->told;
	s->told = s->at;
	if (c->bytes - c->told >= TELL)
		unik_contents_tell(c);
	if (c->done == c->norder)
		pthread_cond_broadcast(&c->moved);
}

static int file_done(struct unik_contents *c, struct stream *s,
		     struct unik_err *err)
{
	struct unik_content found = *s->inode->content;
	int rc;

	if (unik_scan_end(&s->scan, &found, err) < 0)
		return wrap(s, err);
	pthread_mutex_lock(&c->lock);
	rc = unik_tree_fill_content(c->layer->tree, s->inode->id, &found, err);
	c->done++;
	tell(c, s);
	pthread_mutex_unlock(&c->lock);
	if (rc < 0)
		return -1;
	if (s->next < s->end)
		return begin_file(c, s, err);
	s->kind = IDLE;
	return 0;
}

static int whole_done(struct unik_contents *c, struct stream *s,
		      struct unik_err *err)
{
	s->kind = IDLE;
	return unik_lane_final(&s->scan.hash, &c->digest, err);
}

/* n bytes of the lane were hashed. */
static int advance(struct unik_contents *c, struct stream *s, size_t n,
		   struct unik_err *err)
{
	if (n > 0 && s->kind == FILES &&
	    unik_scan_map(&s->scan, s->p, n, err) < 0)
		return wrap(s, err);
	if (n > 0) /* s->p may be NULL, which not even 0 may be added to */
		s->p += n;
	s->n -= n;
	s->at += n;
	if (s->kind == FILES && s->at - s->told >= TELL) {
		pthread_mutex_lock(&c->lock);
		tell(c, s);
		pthread_mutex_unlock(&c->lock);
	}
	while (s->kind != IDLE && s->at == s->size)
		if ((s->kind == WHOLE ? whole_done(c, s, err)
				      : file_done(c, s, err)) < 0)
			return -1;
	return 0;
}

/* Both lanes as far as the shorter one goes; whole blocks of the other. */
static int step(struct unik_contents *c, struct stream *a, struct stream *b,
		struct unik_err *err)
{
	size_t n = a->n, m = b->n;

	if (b->kind != IDLE && n > m)
		n = m < 64 ? 0 : m & ~(size_t)63;
	else if (a->kind != IDLE && m > n)
		m = n < 64 ? 0 : n & ~(size_t)63;
	if (unik_lanes_update(&a->scan.hash, a->p, n, &b->scan.hash, b->p, m,
			      err) < 0)
		return -1;
	if (a->kind != IDLE && advance(c, a, n, err) < 0)
		return -1;
	return b->kind != IDLE ? advance(c, b, m, err) : 0;
}

static bool quits(struct unik_contents *c)
{
	bool quit;

	pthread_mutex_lock(&c->lock);
	quit = c->quit;
	pthread_mutex_unlock(&c->lock);
	return quit;
}

static int work(struct unik_contents *c, struct stream s[2],
		struct unik_err *err)
{
	int i;

	while (!quits(c)) {
		for (i = 0; i < 2; i++) {
			const struct stream *other = &s[1 - i];

			if (s[i].kind == IDLE &&
			    take(c, &s[i], other->kind == IDLE, err) < 0)
				return -1;
			if (fill(c, &s[i], err) < 0)
				return -1;
		}
		if (s[0].kind == IDLE && s[1].kind == IDLE)
			return 0;
		if (c->opt.stop && *c->opt.stop)
			return unik_fail_io(err, "interrupted");
		if (step(c, &s[0], &s[1], err) < 0)
			return -1;
	}
	return 0;
}

static int stream_init(struct stream *s, struct unik_err *err)
{
	s->buf = aligned_alloc(4096, UNIK_CHUNK);
	if (!s->buf)
		return unik_fail_mem(err);
	return unik_scan_init(&s->scan, err);
}

static void fail(struct unik_contents *c, const struct unik_err *err)
{
	pthread_mutex_lock(&c->lock);
	if (!c->failed)
		c->err = *err;
	c->failed = true;
	c->quit = true;
	pthread_cond_broadcast(&c->moved);
	pthread_mutex_unlock(&c->lock);
}

void *unik_contents_worker(void *contents)
{
	struct unik_contents *c = contents;
	struct stream s[2] = { 0 };
	struct unik_err err;

	if (stream_init(&s[0], &err) < 0 || stream_init(&s[1], &err) < 0 ||
	    work(c, s, &err) < 0)
		fail(c, &err);
	unik_scan_release(&s[0].scan);
	unik_scan_release(&s[1].scan);
	free(s[0].buf);
	free(s[1].buf);
	return NULL;
}
