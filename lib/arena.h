/* SPDX-License-Identifier: GPL-3.0-or-later */
/* arena: many small allocations, freed all at once.  Nothing moves. */
#ifndef UNIK_ARENA_H
#define UNIK_ARENA_H

#include <stddef.h>

struct unik_arena_block;

struct unik_arena {
	struct unik_arena_block *blocks;
	size_t size; /* of all blocks */
	char *cur;
	size_t left;
};

/* Zeroed memory aligned for any object, or NULL. */
void *unik_arena_alloc(struct unik_arena *a, size_t size);
/* A copy of n bytes with a NUL behind them, or NULL. */
char *unik_arena_text(struct unik_arena *a, const void *bytes, size_t n);
void unik_arena_release(struct unik_arena *a);

#endif
