/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * layer: what the files of layer_contents.h share.
 *
 * A stream is one file, or the layer as a whole, on its way through a lane.
 * Threads take files as long as there are some, for the tree waits for them;
 * then one of them takes the whole, unless the thread that hashes the image
 * wants it beside its own bytes.
 */
#ifndef UNIK_LAYER_CONTENTS_PRIVATE_H
#define UNIK_LAYER_CONTENTS_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "io.h"
#include "lanes.h"
#include "layer_contents.h"
#include "scan.h"

#define MAX_THREADS 16

/* TAIL: what FIPS 180-4 pads a stream with. */
enum stream_state { STREAM_IDLE, STREAM_BODY, STREAM_TAIL };

struct stream {
	struct unik_scan scan;
	enum stream_state state;
	const struct unik_inode *inode; /* NULL: the layer as a whole */
	uint32_t next, end;             /* the rest of its batch, in order */
	uint64_t span;                  /* where the data of the batch ends */
	bool big;
	uint64_t at;   /* bytes hashed, of `size` */
	uint64_t size;
	uint64_t told; /* of them, in contents.bytes */
	const uint8_t *p; /* read, not yet hashed */
	size_t n;
	uint8_t *buf; /* `room` bytes, of the data from `window` */
	size_t room;
	uint64_t window;
	size_t nbuf;
	uint8_t tail[2 * UNIK_LANE_BLOCK];
};

struct unik_contents {
	struct unik_layer *layer;
	struct unik_layer_options opt;
	uint64_t offset;
	uint64_t size;
	uint32_t *order; /* inodes with content: big ones, largest first, then
			    the others, by where their content is */
	uint32_t norder;
	uint32_t nbig;
	pthread_t threads[MAX_THREADS];
	size_t nthreads;
	struct unik_beside beside;
	atomic_bool quit; /* nobody wants the rest, or `err` is set */
	struct stream whole; /* whose fields are its holder's */
	/* Under the lock: */
	pthread_mutex_t lock;
	pthread_cond_t moved; /* any of these has changed */
	bool ready;           /* order is there */
	bool held;            /* somebody has the whole in a lane */
	bool finished;        /* the whole is done */
	unsigned idle;        /* threads that have nothing to do */
	uint32_t next_big;    /* in order: those that nobody took */
	uint32_t next_small;
	uint32_t big_done;
	uint32_t done;        /* files */
	uint64_t bytes;       /* of files */
	uint64_t told;        /* of them, to opt.progress */
	bool failed;
	struct unik_err err;
	/* The image's thread: */
	bool wanted;         /* by it */
	bool alone;          /* it will not want more */
	bool beside_holds;
	struct unik_digest digest; /* of the layer */
};

/* layer_contents.c: calls opt.progress; called with the lock held. */
void unik_contents_tell(struct unik_contents *c);
/* How many cores there are for the layer, now. */
unsigned unik_contents_cores(const struct unik_contents *c);

/* layer_contents_stream.c */
int unik_stream_init(struct stream *s, size_t room, struct unik_err *err);
void unik_stream_release(struct stream *s);
/* Starts the next file of s->next .. s->end. */
int unik_stream_file(struct unik_contents *c, struct stream *s,
		     struct unik_err *err);
int unik_stream_whole(struct unik_contents *c, struct unik_err *err);
/* Afterwards the stream has at least one block at hand, or it is idle: what
 * was at its end is finished, and the next file of its batch begun. */
int unik_stream_fill(struct unik_contents *c, struct stream *s,
		     struct unik_err *err);
/* n blocks of it were hashed. */
int unik_stream_advance(struct unik_contents *c, struct stream *s, size_t n,
			struct unik_err *err);

/* layer_contents_worker.c: a thread: unik_contents_worker(c). */
void *unik_contents_worker(void *contents);

#endif
