/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "arena.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Small enough that an almost empty tree costs little. */
#define BLOCK_SIZE ((size_t)64 << 10)
/* A large tree is spread over pages that the kernel has to give one by one, at
 * a cost above that of an entry's header: where there are so many bytes, it is
 * asked for huge ones.  The first touch of one takes all of it, and many trees
 * may be there at once, so what lies idle is to be a small part of each. */
#define HUGE_PAGE ((size_t)2 << 20)
#define MANY (4 * HUGE_PAGE)

struct unik_arena_block {
	struct unik_arena_block *next;
	alignas(max_align_t) char data[];
};

static struct unik_arena_block *new_block(size_t room)
{
	struct unik_arena_block *b;

	if (room > SIZE_MAX - sizeof(*b))
		return NULL;
	return malloc(sizeof(*b) + room);
}

/* With room for anything that shares a block; *room is what it has. */
static struct unik_arena_block *shared_block(const struct unik_arena *a,
					     size_t *room)
{
	struct unik_arena_block *b = NULL;

	*room = BLOCK_SIZE;
	if (a->size < MANY)
		return new_block(*room);
	b = aligned_alloc(HUGE_PAGE, HUGE_PAGE);
	if (!b)
		return NULL;
	*room = HUGE_PAGE - sizeof(*b);
	/* Where there are none, that is fine as well. */
	(void)madvise(b, HUGE_PAGE, MADV_HUGEPAGE);
	return b;
}

static char *take(struct unik_arena *a, size_t size)
{
	bool own = size > BLOCK_SIZE / 4;
	struct unik_arena_block *b;
	size_t room = size;
	char *p;

	if (size > a->left) {
		b = own ? new_block(size) : shared_block(a, &room);
		if (!b)
			return NULL;
		b->next = a->blocks;
		a->blocks = b;
		a->size += room; /* no sum of what is there overflows */
		if (own)
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
	a->size = 0;
}
