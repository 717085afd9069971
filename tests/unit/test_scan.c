/* SPDX-License-Identifier: GPL-3.0-or-later */
/* scan: the hole map against a naive reference, whatever the feed. */
#include "core.h"
#include "scan.h"

#define BLOCK UNIK_HOLE_BLOCK
#define MIN UNIK_HOLE_MIN
enum { MOST = 120 }; /* blocks of a test file */

static uint8_t file[MOST * BLOCK];

/* ---- the reference: straight from the words of tree.h ---- */

struct map {
	bool holed;
	uint32_t n;
	struct unik_extent v[MOST];
};

static bool has_data(size_t size, size_t block)
{
	size_t at = block * BLOCK;
	size_t end = at + BLOCK < size ? at + BLOCK : size;

	for (; at < end; at++)
		if (file[at])
			return true;
	return false;
}

static void reference(size_t size, struct map *m)
{
	size_t nblocks = (size + BLOCK - 1) / BLOCK, b, run, k;
	bool data[MOST + 1];

	m->holed = false;
	m->n = 0;
	for (b = 0; b < nblocks; b++)
		data[b] = has_data(size, b);
	for (b = 0; b < nblocks; b += run) { /* short gaps are no holes */
		for (run = 1; b + run < nblocks && data[b + run] == data[b];)
			run++;
		if (data[b])
			continue;
		m->holed |= run >= MIN;
		for (k = 0; run < MIN && k < run; k++)
			data[b + k] = true;
	}
	for (b = 0; b < nblocks && m->holed; b++) {
		if (!data[b])
			continue;
		if (b == 0 || !data[b - 1]) {
			m->v[m->n].block = (uint32_t)b;
			m->v[m->n++].nblocks = 0;
		}
		m->v[m->n - 1].nblocks++;
	}
}

static bool same_map(const struct unik_content *c, const struct map *m)
{
	return c->holed == m->holed && c->nextents == m->n &&
	       (m->n > 0) == (c->extents != NULL) &&
	       (m->n == 0 ||
		memcmp(c->extents, m->v, m->n * sizeof(m->v[0])) == 0);
}

/* ---- feeding ---- */

static size_t zeros_at(size_t at, size_t size)
{
	size_t n = 0;

	while (at + n < size && file[at + n] == 0)
		n++;
	return n;
}

/* In pieces of at most `most` bytes; `sparse`: zeros by count where it can. */
static void feed(struct unik_scan *s, size_t size, size_t most, bool sparse)
{
	size_t at = 0;

	must(unik_scan_begin(s, &err));
	while (at < size) {
		size_t n = 1 + random_below((uint32_t)most), zeros;

		zeros = sparse ? zeros_at(at, size) : 0;
		if (zeros > 0) {
			if (random_below(2) && n < zeros)
				zeros = n;
			must(unik_scan_feed(s, NULL, zeros, &err));
			at += zeros;
			continue;
		}
		if (n > size - at)
			n = size - at;
		must(unik_scan_feed(s, file + at, n, &err));
		at += n;
	}
}

/* The same map and digest by three ways of feeding. */
static bool check(struct unik_scan *s, size_t size)
{
	static const struct {
		size_t most;
		bool sparse;
	} ways[] = { { MOST * BLOCK, false }, { 3000, true }, { 70000, false },
		     { 9000, true } };
	struct unik_digest want;
	struct map m;
	size_t i;

	reference(size, &m);
	must(unik_sha256(file, size, &want, &err));
	for (i = 0; i < COUNT(ways); i++) {
		struct unik_content c = { 0 };

		feed(s, size, ways[i].most, ways[i].sparse);
		must(unik_scan_end(s, &c, &err));
		if (!same_map(&c, &m) ||
		    memcmp(c.sha256, want.bytes, sizeof(c.sha256)) != 0) {
			printf("# size %zu, way %zu\n", size, i);
			return false;
		}
	}
	return true;
}

/* ---- patterns ---- */

/* Runs of blocks, 'd' data and 'z' zeros, sets *size; `tail` bytes of the last
 * block are cut off. */
static size_t lay(const int *runs, size_t n, size_t tail)
{
	size_t i, at = 0;

	memset(file, 0, sizeof(file));
	for (i = 0; i < n; i++) {
		int k;

		for (k = 0; k < abs(runs[i]); k++, at++)
			if (runs[i] > 0)
				file[at * BLOCK + random_below(BLOCK)] = 1;
	}
	return at * BLOCK - tail;
}

/* A positive number: blocks of data; a negative one: of zeros. */
static void test_edges(struct unik_scan *s)
{
	static const int cases[][5] = {
		{ 1, 0, 0, 0, 0 },     { -1, 0, 0, 0, 0 },
		{ -15, 0, 0, 0, 0 },   { -16, 0, 0, 0, 0 },
		{ -17, 0, 0, 0, 0 },   { 1, -15, 1, 0, 0 },
		{ 1, -16, 1, 0, 0 },   { -15, 1, -15, 0, 0 },
		{ -16, 1, -16, 0, 0 }, { -16, 1, -15, 1, -16 },
		{ 1, -16, 0, 0, 0 },   { 1, -15, 0, 0, 0 },
		{ -15, 1, -16, 1, -15 }, { 3, -20, 2, -20, 3 },
		{ -15, 1, 0, 0, 0 },   { -16, 1, 0, 0, 0 },
	};
	size_t i;

	for (i = 0; i < COUNT(cases); i++)
		ok(check(s, lay(cases[i], 5, 0)) &&
			   check(s, lay(cases[i], 5, 1)) &&
			   check(s, lay(cases[i], 5, BLOCK - 1)),
		   "runs %d %d %d %d %d, and the last block cut",
		   cases[i][0], cases[i][1], cases[i][2], cases[i][3],
		   cases[i][4]);
	ok(check(s, 0), "the empty file");
}

static void test_random(struct unik_scan *s)
{
	bool good = true;
	int round;

	for (round = 0; round < 300 && good; round++) {
		int runs[12], left = MOST, k;
		size_t tail;

		for (k = 0; k < 12; k++) {
			int n = (int)random_below(round & 1 ? 20 : 40);

			if (n > left)
				n = left;
			left -= n;
			runs[k] = random_below(2) ? n : -n;
		}
		if (left == MOST)
			continue;
		tail = random_below(2) ? random_below(BLOCK) : 0;
		good = check(s, lay(runs, 12, tail));
	}
	ok(good, "random runs of blocks");
}

/* Bytes of huge holes are not walked one by one, nor is the map long. */
static void test_far(struct unik_scan *s)
{
	struct unik_content c = { 0 };
	const uint64_t gap = UINT64_C(64) << 20;
	int i;
	bool good = true;

	must(unik_scan_begin(s, &err));
	for (i = 0; i < 20; i++) {
		must(unik_scan_feed(s, NULL, gap - 1, &err));
		must(unik_scan_feed(s, "x", 1, &err));
	}
	must(unik_scan_end(s, &c, &err));
	ok(s->size == 20 * gap && c.holed && c.nextents == 20, "20 far blocks");
	for (i = 0; i < 20; i++)
		good &= c.extents[i].nblocks == 1 &&
			c.extents[i].block ==
				(uint64_t)(i + 1) * (gap / BLOCK) - 1;
	ok(good, "each where it belongs");
}

int main(void)
{
	struct unik_scan s;

	must(unik_scan_init(&s, &err));
	test_edges(&s);
	test_random(&s);
	test_far(&s);
	unik_scan_release(&s);
	return tap_done();
}
