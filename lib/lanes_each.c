/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lanes: many short texts, each to its own digest. */
#include <stdlib.h>
#include <string.h>

#include "lanes.h"

#define BLOCK UNIK_LANE_BLOCK

enum state { IDLE, BODY, TAIL };

struct column {
	struct unik_lane lane;
	enum state state;
	const struct unik_text *text;
	const uint8_t *p; /* not yet hashed */
	size_t nblocks;   /* of it, whole ones */
	uint8_t tail[2 * BLOCK];
};

struct unik_lanes {
	unsigned width;
	struct column v[UNIK_LANES];
};

int unik_lanes_new(struct unik_lanes **out, unsigned width,
		   struct unik_err *err)
{
	struct unik_lanes *l = calloc(1, sizeof(*l));
	unsigned most = unik_lanes_width(), i;

	if (!l)
		return unik_fail_mem(err);
	l->width = width > 0 && width < most ? width : most;
	for (i = 0; i < l->width; i++) {
		if (unik_lane_init(&l->v[i].lane, err) < 0) {
			unik_lanes_free(l);
			return -1;
		}
	}
	*out = l;
	return 0;
}

void unik_lanes_free(struct unik_lanes *l)
{
	unsigned i;

	if (!l)
		return;
	for (i = 0; i < l->width; i++)
		unik_lane_release(&l->v[i].lane);
	free(l);
}

static int begin(struct column *c, const struct unik_text *text,
		 struct unik_err *err)
{
	c->state = BODY;
	c->text = text;
	c->p = text->data;
	c->nblocks = text->size / BLOCK;
	return unik_lane_reset(&c->lane, err);
}

static int end_body(struct column *c, struct unik_err *err)
{
	const uint8_t *rest = c->p;

	c->state = TAIL;
	c->p = c->tail;
	return unik_lane_end(&c->lane, rest, c->text->size % BLOCK, c->tail,
			     &c->nblocks, err);
}

static int end_text(struct column *c, struct unik_err *err)
{
	struct unik_digest d;

	c->state = IDLE;
	if (unik_lane_result(&c->lane, &d, err) < 0)
		return -1;
	memcpy(c->text->sha256, d.bytes, UNIK_SHA256_SIZE);
	return 0;
}

/* Afterwards the column has blocks to hash, or there is no text for it. */
static int fill(struct column *c, const struct unik_text **next,
		const struct unik_text *end, struct unik_err *err)
{
	while (c->nblocks == 0) {
		int rc = 0;

		if (c->state == BODY)
			rc = end_body(c, err);
		else if (c->state == TAIL)
			rc = end_text(c, err);
		else if (*next < end)
			rc = begin(c, (*next)++, err);
		else
			break;
		if (rc < 0)
			return -1;
	}
	return 0;
}

/* All columns that are not idle, as far as the shortest goes: 1 where there
 * are none. */
static int step(struct unik_lanes *l, struct unik_err *err)
{
	struct unik_lane *lanes[UNIK_LANES];
	const uint8_t *from[UNIK_LANES];
	size_t n = SIZE_MAX;
	unsigned k = 0, i;

	for (i = 0; i < l->width; i++) {
		struct column *c = &l->v[i];

		if (c->state == IDLE)
			continue;
		lanes[k] = &c->lane;
		from[k++] = c->p;
		if (n > c->nblocks)
			n = c->nblocks;
	}
	if (k == 0)
		return 1;
	if (unik_lanes_blocks(lanes, from, k, n, err) < 0)
		return -1;
	for (i = 0; i < l->width; i++) {
		if (l->v[i].state == IDLE)
			continue;
		l->v[i].p += n * BLOCK;
		l->v[i].nblocks -= n;
	}
	return 0;
}

int unik_lanes_each(struct unik_lanes *l, const struct unik_text *v, size_t n,
		    struct unik_err *err)
{
	const struct unik_text *next = v;
	unsigned i;
	int rc;

	do {
		for (i = 0; i < l->width; i++)
			if (fill(&l->v[i], &next, v + n, err) < 0)
				return -1;
		rc = step(l, err);
	} while (rc == 0);
	return rc < 0 ? -1 : 0;
}
