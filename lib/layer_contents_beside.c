/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * layer: digests in place: the image's thread takes the layer's digest beside
 * the image's.  Both are chains that can't be split; together in one thread
 * they cost less than one after the other, but take longer than side by side in
 * two.  So that is for a layer with one core for itself.  With a second one,
 * which would idle meanwhile, whoever hashed the files takes the layer's; but
 * where a pair takes hardly longer than one, two cores are better used by all
 * that else must be done.
 */
#include "layer_contents_private.h"

/* Called with the lock held. */
static void give_up(struct unik_contents *c)
{
	if (c->beside_holds)
		c->held = false;
	c->beside_holds = false;
	c->wanted = false;
	pthread_cond_broadcast(&c->moved);
}

static bool is_worth_it(const struct unik_contents *c)
{
	return unik_contents_cores(c) < (unik_lanes_cheap() ? 3 : 2);
}

/* Whether the whole is ours to go on with.  Others may have left, so that there
 * are more cores now. */
static bool hold(struct unik_contents *c)
{
	bool holds;

	pthread_mutex_lock(&c->lock);
	if (c->wanted && !is_worth_it(c)) {
		give_up(c);
	} else if (c->wanted && !c->held && !c->finished) {
		c->held = true;
		c->beside_holds = true;
	}
	holds = c->beside_holds;
	pthread_mutex_unlock(&c->lock);
	return holds;
}

static void let_go(struct unik_contents *c)
{
	pthread_mutex_lock(&c->lock);
	give_up(c);
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

	if (!holds)
		return unik_lane_update(lane, p, n, err);
	while (n > 0 && c->whole.state != STREAM_IDLE) {
		if (update_both(c, lane, p, n, &used, err) < 0)
			return -1;
		p += used;
		n -= used;
	}
	if (c->whole.state == STREAM_IDLE)
		let_go(c);
	return n > 0 ? unik_lane_update(lane, p, n, err) : 0;
}

const struct unik_beside *unik_contents_beside(struct unik_contents *c)
{
	if (!unik_lanes_fast())
		return NULL;
	c->beside.update = update;
	c->beside.data = c;
	pthread_mutex_lock(&c->lock);
	c->wanted = !c->finished && is_worth_it(c);
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
