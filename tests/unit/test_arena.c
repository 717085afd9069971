/* SPDX-License-Identifier: GPL-3.0-or-later */
/* arena: what it gave stays, through all its kinds of blocks. */
#include <unistd.h>

#include "arena.h"
#include "core.h"

#define N 60000

static void *given[N];
static size_t sizes[N];

/* Sizes of nodes mostly, and some around what gets a block of its own. */
static size_t size_of(size_t i)
{
	static const size_t odd[] = { 1, 16383, 16384, 16385, 65536,
				      (2 << 20) - 16, 2 << 20, 3 << 20 };

	return i % 5000 < COUNT(odd) ? odd[i % 5000] : 1 + i % 300;
}

static bool is_all(const uint8_t *p, size_t n, uint8_t c)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (p[i] != c)
			return false;
	return true;
}

static void test_alloc(struct unik_arena *a)
{
	size_t i, wrong = 0;

	for (i = 0; i < N; i++) {
		sizes[i] = size_of(i);
		given[i] = unik_arena_alloc(a, sizes[i]);
		if (!given[i] || (uintptr_t)given[i] % 8 != 0 ||
		    !is_all(given[i], sizes[i], 0))
			wrong++;
		else
			memset(given[i], (int)(i % 251), sizes[i]);
	}
	for (i = 0; i < N; i++)
		wrong += !is_all(given[i], sizes[i], (uint8_t)(i % 251));
	ok(wrong == 0, "%d pieces, zeroed, aligned, apart", N);
}

static void test_text(struct unik_arena *a)
{
	static char text[70000];
	size_t n, wrong = 0;

	memset(text, 'x', sizeof(text));
	for (n = 0; n < sizeof(text); n += 1 + n / 3) {
		const char *p = unik_arena_text(a, text, n);

		wrong += !p || strlen(p) != n;
	}
	ok(wrong == 0, "texts");
}

/* Pages that the process has. */
static size_t resident(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	unsigned long n = 0;

	if (!f)
		return 0;
	if (fscanf(f, "%*u %lu", &n) != 1)
		n = 0;
	fclose(f);
	return n * (size_t)sysconf(_SC_PAGESIZE);
}

/* Trees of many layers are held at once: what none of them uses must be little
 * beside what they do, wherever they end.  Half of it leaves room for what
 * valgrind and sanitizers take for themselves, up to a quarter. */
static void test_idle(size_t used)
{
	static struct unik_arena many[16];
	size_t before = resident(), got, n, i;

	for (i = 0; i < COUNT(many); i++)
		for (n = 0; n < used; n += 64)
			if (!unik_arena_alloc(&many[i], 64))
				abort();
	got = resident() - before;
	for (i = 0; i < COUNT(many); i++)
		unik_arena_release(&many[i]);
	ok(before > 0 && got / 3 <= used * COUNT(many) / 2,
	   "%zu arenas of %zu bytes take %zu", COUNT(many), used, got);
}

int main(void)
{
	struct unik_arena a = { 0 };
	size_t used;
	int i;

	for (i = 0; i < 2; i++) { /* it can be used again */
		test_alloc(&a);
		test_text(&a);
		unik_arena_release(&a);
		ok(!a.blocks && a.size == 0 && a.left == 0, "released");
	}
	for (used = 1 << 20; used <= 8 << 20; used *= 2)
		test_idle(used + (64 << 10));
	return tap_done();
}
