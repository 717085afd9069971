/* SPDX-License-Identifier: GPL-3.0-or-later */
/* layer: the walk over headers, and the digests of small files on its way. */
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core.h"
#include "layer_walk.h"

#define HEAD 512u
#define SMALL (4u << 10) /* what layer_walk.c takes, at most */

static const struct unik_layer_options opt;
static uint8_t data[4 << 20];
static int fd = -1;

static struct unik_source *open_walk(uint64_t off, uint64_t size)
{
	struct unik_source *s = NULL;

	must(unik_walk_new(&s, fd, off, size, NULL, &opt, &err));
	return s;
}

/* The next n bytes are those at data + at. */
static bool reads(struct unik_source *s, size_t at, size_t n)
{
	static uint8_t buf[sizeof(data)];
	size_t got;

	return unik_source_read(s, buf, n, &got, &err) == 0 && got == n &&
	       memcmp(buf, data + at, n) == 0;
}

static bool skips(struct unik_source *s, uint64_t n)
{
	uint64_t got;

	return unik_source_skip(s, n, &got, &err) == 0 && got == n;
}

static bool is_sha256(const uint8_t *sum, size_t at, size_t n)
{
	struct unik_digest want;

	must(unik_sha256(data + at, n, &want, &err));
	return memcmp(want.bytes, sum, UNIK_SHA256_SIZE) == 0;
}

/* Heads and files of `size` bytes to the end; every `every`th file is read
 * instead of jumped over. */
static void test_size(size_t size, size_t every)
{
	enum { MOST = 4096 };
	static uint8_t sums[MOST][UNIK_SHA256_SIZE];
	struct unik_source *s = open_walk(0, sizeof(data));
	size_t at = 0, i, n = 0, wrong = 0, ntaken = 0;
	bool taken[MOST];
	uint64_t told;

	while (n < MOST && at + HEAD + size <= sizeof(data)) {
		wrong += !reads(s, at, HEAD) ||
			 unik_walk_file(s, size, sums[n], &taken[n],
					&err) < 0;
		ntaken += taken[n++];
		at += HEAD;
		wrong += n % every == 0 ? !reads(s, at, size) : !skips(s, size);
		at += size;
	}
	wrong += s->pos != at || unik_walk_finish(s, &told, &err) < 0;
	unik_source_free(s);
	for (i = 0; i < n; i++)
		wrong += taken[i] && !is_sha256(sums[i], i * (HEAD + size) +
						HEAD, size);
	ok(wrong == 0 && told == ntaken * size &&
	   ntaken == (size <= SMALL ? n : 0), "%zu files of %zu bytes", n,
	   size);
}

/* More of them than a window has place for: what is not taken is told. */
static void test_many(void)
{
	enum { N = 3000 };
	static uint8_t sums[N][UNIK_SHA256_SIZE];
	struct unik_source *s = open_walk(0, sizeof(data));
	size_t i, wrong = 0, ntaken = 0;
	bool taken[N];
	uint64_t told;

	for (i = 0; i < N; i++) {
		wrong += unik_walk_file(s, 3, sums[i], &taken[i], &err) < 0 ||
			 !skips(s, 3);
		ntaken += taken[i];
	}
	wrong += unik_walk_finish(s, &told, &err) < 0 || told != 3 * ntaken;
	unik_source_free(s);
	for (i = 0; i < N; i++)
		wrong += taken[i] && !is_sha256(sums[i], 3 * i, 3);
	ok(wrong == 0 && ntaken > 0 && ntaken < N, "more files than places");
}

static void test_end(void)
{
	struct unik_source *s = open_walk(sizeof(data) - 1000, 1000);
	uint8_t sum[UNIK_SHA256_SIZE];
	uint64_t told;
	bool taken;

	ok(reads(s, sizeof(data) - 1000, HEAD) &&
	   unik_walk_file(s, 1000 - HEAD + 1, sum, &taken, &err) == 0 && !taken,
	   "a file that goes on behind the end");
	ok(unik_walk_file(s, 1000 - HEAD, sum, &taken, &err) == 0 && taken &&
	   unik_walk_finish(s, &told, &err) == 0 &&
	   is_sha256(sum, sizeof(data) - 1000 + HEAD, 1000 - HEAD),
	   "a file up to the end");
	unik_source_free(s);
	s = open_walk(sizeof(data) - 1000, 2000);
	ok(failed(unik_walk_file(s, 2000, sum, &taken, &err), UNIK_EBAD,
		  "ends too early"), "a file shorter than was said");
	unik_source_free(s);
	s = open_walk(0, 0);
	ok(!reads(s, 0, 1) && unik_walk_finish(s, &told, &err) == 0 &&
	   told == 0, "nothing at all");
	unik_source_free(s);
	s = open_walk(0, sizeof(data));
	ok(unik_walk_file(s, 700, sum, &taken, &err) == 0 && taken,
	   "nobody wants to know");
	unik_source_free(s);
}

int main(void)
{
	static const size_t sizes[] = {
		1, 63, 64, 511, 512, 513, 700, 3584, 3585, 4095, 4096, 4097,
		5000, SMALL - 1, SMALL, SMALL + 1, 100000, 1000000,
	};
	size_t i;

	for (i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)random_u64();
	fd = memfd_create("walk", MFD_CLOEXEC);
	must(unik_pwrite_all(fd, data, sizeof(data), 0, &err));
	for (i = 0; i < COUNT(sizes); i++)
		test_size(sizes[i], 1 + i % 4);
	test_many();
	test_end();
	close(fd);
	return tap_done();
}
