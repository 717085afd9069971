/* SPDX-License-Identifier: GPL-3.0-or-later */
/* layer: digests in place: one stream, from its first byte to its digest. */
#include <stdlib.h>
#include <string.h>

#include "layer_contents_private.h"

#define BLOCK UNIK_LANE_BLOCK
/* Progress is told after so many bytes. */
#define TELL (512u << 10)

int unik_stream_init(struct stream *s, size_t room, struct unik_err *err)
{
	if (s->buf)
		return 0;
	s->buf = aligned_alloc(4096, room);
	if (!s->buf)
		return unik_fail_mem(err);
	s->room = room;
	return unik_scan_init(&s->scan, err);
}

void unik_stream_release(struct stream *s)
{
	unik_scan_release(&s->scan);
	free(s->buf);
	s->buf = NULL;
}

static int begin(struct stream *s, const struct unik_inode *inode,
		 uint64_t size, struct unik_err *err)
{
	s->state = STREAM_BODY;
	s->inode = inode;
	s->at = 0;
	s->told = 0;
	s->size = size;
	s->p = NULL;
	s->n = 0;
	return unik_scan_begin(&s->scan, err);
}

int unik_stream_file(struct unik_contents *c, struct stream *s,
		     struct unik_err *err)
{
	const struct unik_inode *inode =
		c->layer->tree->inodes[c->order[s->next++]];

	return begin(s, inode, inode->size, err);
}

int unik_stream_whole(struct unik_contents *c, struct unik_err *err)
{
	return begin(&c->whole, NULL, c->size, err);
}

/* The reason, and in which file. */
static int wrap(const struct stream *s, struct unik_err *err)
{
	char q[UNIK_QUOTE_SIZE];

	return s->inode ? unik_wrap(err, "%s",
				    unik_node_quote(s->inode->first, q))
			: -1;
}

/* ---- reading ---- */

/* Bytes of the data at `from`, `want` of which are the stream's: those in the
 * window, or else a new window, in which are also those that follow in the
 * batch. */
static int read_window(struct unik_contents *c, struct stream *s, uint64_t from,
		       uint64_t want, struct unik_err *err)
{
	uint64_t least = want < BLOCK ? want : BLOCK, in;

	if (from < s->window || s->nbuf < least ||
	    from - s->window > s->nbuf - least) {
		uint64_t n = want;

		if (from < s->span && n < s->span - from)
			n = s->span - from;
		if (n > s->room)
			n = s->room;
		s->nbuf = 0;
		if (unik_pread_all(c->layer->data.fd, s->buf, (size_t)n, from,
				   err) < 0)
			return -1;
		s->window = from;
		s->nbuf = (size_t)n;
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
	s->n = want < s->room ? (size_t)want : s->room;
	return unik_content_read(s->inode->content, s->at, s->buf, s->n, err);
}

static int read_more(struct unik_contents *c, struct stream *s,
		     struct unik_err *err)
{
	uint64_t want = s->size - s->at;
	const struct unik_content *content;

	if (!s->inode)
		return read_window(c, s, c->offset + s->at, want, err);
	content = s->inode->content;
	if (content->npieces > 0)
		return read_sparse(s, want, err);
	return read_window(c, s, content->offset + s->at, want, err);
}

/* ---- ends ---- */

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
	struct unik_digest d;
	int rc;

	if (unik_scan_end_map(&s->scan, &found, err) < 0 ||
	    unik_lane_result(&s->scan.hash, &d, err) < 0)
		return -1;
	memcpy(found.sha256, d.bytes, sizeof(found.sha256));
	pthread_mutex_lock(&c->lock);
	rc = unik_tree_fill_content(c->layer->tree, s->inode->id, &found, err);
	c->done++;
	c->big_done += s->big;
	tell(c, s);
	pthread_mutex_unlock(&c->lock);
	s->state = STREAM_IDLE;
	return rc;
}

static int whole_done(struct unik_contents *c, struct unik_err *err)
{
	struct stream *s = &c->whole;

	s->state = STREAM_IDLE;
	if (unik_lane_result(&s->scan.hash, &c->digest, err) < 0)
		return -1;
	pthread_mutex_lock(&c->lock);
	c->finished = true;
	pthread_cond_broadcast(&c->moved);
	pthread_mutex_unlock(&c->lock);
	return 0;
}

/* All that is left is at hand, and less than a block. */
static int end_body(struct stream *s, struct unik_err *err)
{
	size_t nblocks;

	if (unik_lane_end(&s->scan.hash, s->p, s->n, s->tail, &nblocks,
			  err) < 0 ||
	    (s->inode && s->n > 0 &&
	     unik_scan_map(&s->scan, s->p, s->n, err) < 0))
		return -1;
	s->at = s->size;
	s->p = s->tail;
	s->n = nblocks * BLOCK;
	s->state = STREAM_TAIL;
	return 0;
}

static int next_state(struct unik_contents *c, struct stream *s,
		      struct unik_err *err)
{
	if (s->state == STREAM_TAIL)
		return s->inode ? file_done(c, s, err) : whole_done(c, err);
	if (s->size - s->at == s->n)
		return end_body(s, err);
	return read_more(c, s, err);
}

int unik_stream_fill(struct unik_contents *c, struct stream *s,
		     struct unik_err *err)
{
	while (s->state != STREAM_IDLE && s->n < BLOCK) {
		if (next_state(c, s, err) < 0)
			return wrap(s, err);
		if (s->state == STREAM_IDLE && s->inode && s->next < s->end &&
		    unik_stream_file(c, s, err) < 0)
			return -1;
	}
	return 0;
}

int unik_stream_advance(struct unik_contents *c, struct stream *s, size_t n,
			struct unik_err *err)
{
	size_t bytes = n * BLOCK;

	if (s->state == STREAM_BODY) {
		if (s->inode && unik_scan_map(&s->scan, s->p, bytes, err) < 0)
			return wrap(s, err);
		s->at += bytes;
	}
	s->p += bytes;
	s->n -= bytes;
	if (s->inode && s->at - s->told >= TELL) {
		pthread_mutex_lock(&c->lock);
		tell(c, s);
		pthread_mutex_unlock(&c->lock);
	}
	return 0;
}
