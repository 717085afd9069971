/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Small enough that an almost empty tree costs little. */
#define BLOCK_SIZE ((size_t)64 << 10)

struct unik_arena_block {
	struct unik_arena_block *next;
	alignas(max_align_t) char data[];
};

static char *take(struct unik_arena *a, size_t size)
{
	char *p;

	if (size > a->left) {
		size_t room = size > BLOCK_SIZE / 4 ? size : BLOCK_SIZE;
		struct unik_arena_block *b;

		if (room > SIZE_MAX - sizeof(*b))
			return NULL;
		b = malloc(sizeof(*b) + room);
		if (!b)
			return NULL;
		b->next = a->blocks;
		a->blocks = b;
		if (room != BLOCK_SIZE) /* a block of its own */
			return b->data;
		a->cur = b->data;
		a->left = room;
	}
	p = a->cur;
	a->cur += size;
	a->left -= size;
	return p;
}

void *unik_arena_alloc(struct unik_arena *a, size_t size)
{
	size_t pad = -(uintptr_t)a->cur & (alignof(max_align_t) / 2 - 1);
	char *p;

	if (pad > a->left)
		pad = a->left;
	if (pad > 0) { /* cur may be NULL */
		a->cur += pad;
		a->left -= pad;
	}
	p = take(a, size);
	if (p)
		memset(p, 0, size);
	return p;
}

char *unik_arena_text(struct unik_arena *a, const void *bytes, size_t n)
{
	char *p = n < SIZE_MAX ? take(a, n + 1) : NULL;

	if (!p)
		return NULL;
	if (n > 0)
		memcpy(p, bytes, n);
	p[n] = 0;
	return p;
}

void unik_arena_release(struct unik_arena *a)
{
	while (a->blocks) {
		struct unik_arena_block *b = a->blocks;

		a->blocks = b->next;
		free(b);
	}
	a->cur = NULL;
	a->left = 0;
}
