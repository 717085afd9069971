/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ring: a bounded queue of chunks from one producer to several consumers,
 * each of which sees every chunk in order.  This is how the stages of a
 * pipeline run side by side; memory is that of its chunks.
 */
#ifndef UNIK_RING_H
#define UNIK_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "io.h"

#define UNIK_RING_CHUNKS 32 /* at most, and where nothing is said */
#define UNIK_RING_CONSUMERS 3

struct unik_chunk {
	uint8_t *data;  /* UNIK_CHUNK bytes of room, aligned to 4096 */
	uint64_t size;  /* bytes used; with `zeros`, how many zeros */
	uint64_t pos;   /* of its first byte in the stream */
	bool zeros;     /* stands for `size` zeros; data is not used */
};

struct unik_ring;

/* Of `nchunks` chunks; 0: UNIK_RING_CHUNKS.  Who waits is woken for half of
 * them (a third where somebody follows) or the end, not for each: waking costs
 * more than queueing.  While all others wait, too, a few are enough: else one
 * thread would have the work of two cores. */
int unik_ring_new(struct unik_ring **out, int nconsumers, unsigned nchunks,
		  struct unik_err *err);
void unik_ring_free(struct unik_ring *r); /* takes NULL */
/* Before the first chunk: consumer i gets each only when consumer `leader` has
 * given it back, or has left.  The leader follows nobody. */
void unik_ring_follow(struct unik_ring *r, int i, int leader);

/* Producer: an empty chunk to fill, or NULL when a consumer gave up (its error
 * is then in err).  Publishing sets `pos`. */
struct unik_chunk *unik_ring_take(struct unik_ring *r, struct unik_err *err);
void unik_ring_publish(struct unik_ring *r, struct unik_chunk *c);
/* Producer: no more chunks; cause NULL is a good end, else the failure. */
void unik_ring_end(struct unik_ring *r, const struct unik_err *cause);

/* Consumer i: the next chunk (0), the end (1), or the producer's failure (-1).
 * A chunk is given back by asking for the next one. */
int unik_ring_next(struct unik_ring *r, int i, const struct unik_chunk **out,
		   struct unik_err *err);
/* Consumer i: whether it would have to wait for the next one.  Gives the chunk
 * at hand back, too. */
bool unik_ring_waits(struct unik_ring *r, int i);
/* Consumer i wants no more; cause NULL: that is fine with it. */
void unik_ring_leave(struct unik_ring *r, int i, const struct unik_err *cause);

#endif
