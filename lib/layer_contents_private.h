/* SPDX-License-Identifier: GPL-3.0-or-later */
/* layer: what the two halves of layer_contents.h share. */
#ifndef UNIK_LAYER_CONTENTS_PRIVATE_H
#define UNIK_LAYER_CONTENTS_PRIVATE_H

#include <pthread.h>

#include "io.h"
#include "layer_contents.h"
#include "scan.h"

#define MAX_THREADS 16

struct unik_contents {
	struct unik_layer *layer;
	struct unik_layer_options opt;
	uint64_t offset;
	uint64_t size;
	uint32_t *order; /* inodes with content, by where that is */
	uint32_t norder;
	pthread_t threads[MAX_THREADS];
	size_t nthreads;
	/* Under the lock: */
	pthread_mutex_t lock;
	pthread_cond_t moved; /* any of these has changed */
	bool ready;           /* order is there, or will never be */
	bool taken;           /* the whole layer is in somebody's lane */
	uint32_t next;        /* in order: the first that nobody took */
	uint32_t done;        /* files */
	uint64_t bytes;       /* of files */
	uint64_t told;        /* of them, to opt.progress */
	bool quit;            /* nobody wants the rest, or `err` is set */
	bool failed;
	struct unik_err err;
	struct unik_digest digest; /* of the layer */
};

/* Calls opt.progress; called with the lock held. */
void unik_contents_tell(struct unik_contents *c);
/* A thread: unik_contents_worker(c). */
void *unik_contents_worker(void *contents);

#endif
