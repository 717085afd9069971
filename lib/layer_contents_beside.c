/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * layer: digests in place: the image's thread takes some of the layer's digest
 * beside the image's.  Both are chains that can't be split; together in one
 * thread they cost less, apart in two they are sooner done.  Of two cores, one
 * has to copy the image, too, so the image's thread takes along what the other
 * one has no time for.
 */
#include <limits.h>

#include "layer_contents_private.h"

/* In hundredths of what it costs to hash a byte alone: hashing one more beside
 * it; copying one from the layer to the image. */
#define PAIRED 52
#define COPIED 55

/* How many of `left` bytes of the layer the image's thread should take. */
static uint64_t share_of(uint64_t left, uint64_t image, unsigned cores)
{
	uint64_t alone = image / 100 * (100 - COPIED);

	if (cores < 2)
		return left;
	if (cores > 2 || left <= alone)
		return 0;
	/* Until both cores are done at once:
	 *   image + PAIRED * x = left - x + COPIED * image */
	return (left - alone) / (100 + PAIRED) * 100;
}

/* Others may have come to need the cores, or have left. */
static void work_out_share(struct unik_contents *c)
{
	unsigned cores = unik_contents_cores(c);

	if (cores == c->share_cores)
		return;
	c->share_cores = cores;
	c->share = share_of(c->whole.size - c->whole.at, c->image_left, cores);
}

/* Whether the whole is ours to go on with. */
static bool hold(struct unik_contents *c)
{
	bool holds;

	pthread_mutex_lock(&c->lock);
	if (c->wanted && !c->held && !c->finished) {
		c->held = true;
		c->beside_holds = true;
	}
	holds = c->beside_holds;
	pthread_mutex_unlock(&c->lock);
	if (holds)
		work_out_share(c);
	return holds;
}

static void let_go(struct unik_contents *c)
{
	pthread_mutex_lock(&c->lock);
	if (c->beside_holds)
		c->held = false;
	c->beside_holds = false;
	c->wanted = false;
	pthread_cond_broadcast(&c->moved);
	pthread_mutex_unlock(&c->lock);
}

/* Some of n bytes to the lane, and as many to the whole's. */
static int update_both(struct unik_contents *c, struct unik_lane *lane,
		       const uint8_t *p, size_t n, size_t *used,
		       struct unik_err *err)
{
	struct stream *s = &c->whole;
	size_t m;

	if (unik_stream_fill(c, s, err) < 0)
		return -1;
	m = (n < s->n ? n : s->n) / UNIK_LANE_BLOCK * UNIK_LANE_BLOCK;
	if (s->state == STREAM_IDLE || m == 0) {
		*used = n;
		return unik_lane_update(lane, p, n, err);
	}
	*used = m;
	c->share = c->share > m ? c->share - m : 0;
	if (unik_lanes_update(lane, p, m, &s->scan.hash, s->p, m, err) < 0)
		return -1;
	return unik_stream_advance(c, s, m / UNIK_LANE_BLOCK, err);
}

static int update(void *contents, struct unik_lane *lane, const void *data,
		  size_t n, struct unik_err *err)
{
	struct unik_contents *c = contents;
	bool holds = hold(c);
	const uint8_t *p = data;
	size_t used;

	c->image_left -= n < c->image_left ? n : c->image_left;
	if (!holds)
		return unik_lane_update(lane, p, n, err);
	while (n > 0 && c->share > 0 && c->whole.state != STREAM_IDLE) {
		if (update_both(c, lane, p, n, &used, err) < 0)
			return -1;
		p += used;
		n -= used;
	}
	if (c->share == 0 || c->whole.state == STREAM_IDLE)
		let_go(c);
	return n > 0 ? unik_lane_update(lane, p, n, err) : 0;
}

const struct unik_beside *unik_contents_beside(struct unik_contents *c,
					       uint64_t image_size)
{
	if (!unik_lanes_fast())
		return NULL;
	c->beside.update = update;
	c->beside.data = c;
	pthread_mutex_lock(&c->lock);
	c->image_left = image_size;
	c->share_cores = UINT_MAX; /* not worked out */
	c->wanted = !c->finished;
	pthread_cond_broadcast(&c->moved);
	pthread_mutex_unlock(&c->lock);
	return &c->beside;
}

void unik_contents_alone(struct unik_contents *c)
{
	pthread_mutex_lock(&c->lock);
	c->alone = true;
	pthread_mutex_unlock(&c->lock);
	let_go(c);
}
