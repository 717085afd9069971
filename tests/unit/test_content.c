/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tree: what unik_content_read() and _copy() give of a file, stored whole or
 * in pieces, against the file itself. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <unistd.h>

#include "core.h"
#include "scan.h"
#include "tree.h"

enum { MOST = 600000, MOST_PIECES = 40 };

static uint8_t file[MOST], got[MOST];
static struct unik_data data;
static struct unik_piece pieces[MOST_PIECES];

/* Random pieces of data with zeros between; their bytes go to data.fd, out of
 * the way of each other.  Returns the size of the file. */
static size_t make_file(uint32_t *npieces, uint32_t most_gap)
{
	uint64_t at = 0, stored = random_below(100);
	uint32_t n = random_below(MOST_PIECES), i, k;

	memset(file, 0, sizeof(file));
	for (i = 0; i < n; i++) {
		uint32_t size = 1 + random_below(9000);

		at += random_below(most_gap);
		if (at + size > MOST)
			break;
		for (k = 0; k < size; k++)
			file[at + k] = (uint8_t)random_u64();
		must(unik_pwrite_all(data.fd, file + at, size, stored, &err));
		pieces[i] = (struct unik_piece){ at, size, stored };
		at += size;
		stored += size + random_below(50);
	}
	*npieces = i;
	at += random_below(most_gap);
	return at > MOST ? MOST : (size_t)at;
}

/* Also makes the hole map. */
static void scan(struct unik_content *c, size_t size,
		 struct unik_extent *extents)
{
	struct unik_scan s;

	must(unik_scan_init(&s, &err));
	must(unik_scan_begin(&s, &err));
	must(unik_scan_feed(&s, file, size, &err));
	must(unik_scan_end(&s, c, &err));
	if (c->nextents > 0)
		memcpy(extents, c->extents, c->nextents * sizeof(*extents));
	c->extents = extents;
	unik_scan_release(&s);
}

static bool reads(const struct unik_content *c, size_t size)
{
	int k;

	for (k = 0; k < 60; k++) {
		size_t off = random_below((uint32_t)size + 1);
		size_t n = random_below((uint32_t)(size - off) + 1);

		if (k == 0) {
			off = 0;
			n = size;
		}
		memset(got, 0xee, sizeof(got));
		must(unik_content_read(c, off, got, n, &err));
		if (memcmp(got, file + off, n) != 0 ||
		    (n < MOST && got[n] != 0xee))
			return false;
	}
	return true;
}

static bool copies(const struct unik_content *c, size_t size)
{
	int k;

	for (k = 0; k < 8; k++) {
		size_t off = k ? random_below((uint32_t)size + 1) : 0;
		size_t n = k ? random_below((uint32_t)(size - off) + 1) : size;
		int fd = memfd_create("copy", MFD_CLOEXEC);
		struct unik_sink_options opt = { .fd = fd, .holes = k & 1 };
		struct unik_sink *sink;
		bool good;

		must(unik_sink_new(&sink, &opt, &err));
		must(unik_content_copy(c, off, n, sink, &err));
		good = unik_sink_size(sink) == n;
		must(unik_sink_finish(sink, NULL, &err));
		unik_sink_free(sink);
		if (n > 0)
			must(unik_pread_all(fd, got, n, 0, &err));
		good &= memcmp(got, file + off, n) == 0;
		close(fd);
		if (!good)
			return false;
	}
	return true;
}

static void test_sparse(void)
{
	static struct unik_extent extents[MOST / UNIK_HOLE_BLOCK + 1];
	bool good_reads = true, good_copies = true;
	int round, holed = 0;

	for (round = 0; round < 100; round++) {
		struct unik_content c = { .data = &data };
		size_t size = make_file(&c.npieces, round & 1 ? 90000 : 3000);

		if (size == 0)
			continue;
		c.pieces = pieces;
		scan(&c, size, extents);
		if (c.npieces == 0) { /* nothing but a hole: an empty piece */
			memset(&pieces[0], 0, sizeof(pieces[0]));
			c.npieces = 1;
		}
		holed += c.holed;
		good_reads &= reads(&c, size);
		good_copies &= copies(&c, size);
	}
	ok(good_reads, "reads of sparse files at random places");
	ok(good_copies, "copies of them");
	ok(holed > 20 && holed < 100, "with holes in %d of 100", holed);
}

static void test_plain(void)
{
	static struct unik_extent extents[MOST / UNIK_HOLE_BLOCK + 1];
	bool good_reads = true, good_copies = true;
	uint32_t unused;
	int round;

	for (round = 0; round < 60; round++) {
		struct unik_content c = { .data = &data, .offset = 12345 };
		size_t size = make_file(&unused, round & 1 ? 90000 : 3000);

		if (size == 0)
			continue;
		must(unik_pwrite_all(data.fd, file, size, c.offset, &err));
		scan(&c, size, extents);
		good_reads &= reads(&c, size);
		good_copies &= copies(&c, size);
	}
	ok(good_reads, "reads of files that are stored whole");
	ok(good_copies, "copies of them");
}

static void test_zeros(void)
{
	struct unik_content c = { .data = &data, .offset = 1 << 30 };
	struct unik_extent none;
	size_t size = 20 * UNIK_HOLE_BLOCK;

	memset(file, 0, sizeof(file));
	scan(&c, size, &none);
	ok(c.holed && c.nextents == 0 && reads(&c, size) && copies(&c, size),
	   "nothing but zeros, which are not even looked for");
}

static void test_short(void)
{
	struct unik_piece piece = { 10, 100, 4000 };
	struct unik_content c = { .data = &data, .offset = 4000 };
	struct unik_sink_options opt = { .fd = -1 };
	struct unik_sink *sink;

	must(ftruncate(data.fd, 4050));
	ok(failed(unik_content_read(&c, 0, got, 51, &err), UNIK_EBAD,
		  "the file ends too early"),
	   "data that has become shorter");
	ok(unik_content_read(&c, 0, got, 50, &err) == 0 &&
		   unik_content_read(&c, 1000, got, 0, &err) == 0,
	   "is read as far as it goes");
	c.pieces = &piece;
	c.npieces = 1;
	ok(failed(unik_content_read(&c, 0, got, 200, &err), UNIK_EBAD,
		  "the file ends too early"),
	   "and in pieces");
	must(unik_sink_new(&sink, &opt, &err));
	ok(failed(unik_content_copy(&c, 0, 200, sink, &err), UNIK_EBAD,
		  "the file ends too early"),
	   "a copy fails too");
	unik_sink_free(sink);
}

int main(void)
{
	data.fd = memfd_create("data", MFD_CLOEXEC);
	test_sparse();
	test_plain();
	test_zeros();
	test_short();
	return tap_done();
}
