/* SPDX-License-Identifier: GPL-3.0-or-later */
/* stage: a source on a thread of its own, with a digest and a spool. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core.h"
#include "stage.h"

static uint8_t noise[20 * UNIK_CHUNK];

/* A stage over noise that comes in steps and fails at a byte (or NEVER). */
static enum unik_stage_hash hasher = UNIK_STAGE_BEHIND;

static struct unik_source *failing_stage(struct drip *d, size_t size,
					 size_t step, uint64_t fail_at,
					 int spool)
{
	struct unik_stage_options opt = { hasher, UNIK_SHA256, spool,
					  UINT64_MAX, 8, NULL };
	struct unik_source *s;

	drip_init(d, noise, size, step);
	d->fail_at = fail_at;
	must(unik_stage_new(&s, &d->base, &opt, &err));
	return s;
}

static struct unik_source *new_stage(struct drip *d, size_t size, size_t step,
				     int spool)
{
	return failing_stage(d, size, step, NEVER, spool);
}

static void end(struct unik_source *s, struct drip *d)
{
	unik_source_free(s);
	d->base.ops->free(&d->base);
}

static bool spool_holds(int fd, const uint8_t *want, size_t size)
{
	uint8_t *got = make_room(size);
	struct stat st;
	bool same = fstat(fd, &st) == 0 && (size_t)st.st_size == size &&
		    unik_pread_all(fd, got, size, 0, &err) == 0 &&
		    memcmp(got, want, size) == 0;

	free(got);
	return same;
}

static bool spool_is(int fd, size_t size)
{
	return spool_holds(fd, noise, size);
}

/* Keeps all: how many bytes were there; what the last call gave is in *rc. */
static size_t keep_all(struct unik_source *s, int *rc)
{
	const uint8_t *data;
	size_t n, sum = 0;

	while ((*rc = unik_source_peek(s, &data, &n, &err)) == 0) {
		/* The reader may look at less than is there. */
		n = n < 54321 ? n : 54321;
		must(unik_stage_keep(s, data, n, &err));
		if (memcmp(data, noise + sum, n) != 0)
			break;
		sum += n;
		unik_source_advance(s, n);
	}
	return sum;
}

static void test_whole(void)
{
	static const size_t sizes[] = {
		0, 1, UNIK_CHUNK - 1, UNIK_CHUNK, UNIK_CHUNK + 1,
		8 * UNIK_CHUNK, sizeof(noise),
	};
	struct unik_digest d, want;
	struct drip drip;
	size_t i, n;

	for (i = 0; i < COUNT(sizes); i++) {
		int fd = memfd_create("spool", MFD_CLOEXEC);
		struct unik_source *s = new_stage(&drip, sizes[i],
						  i & 1 ? 100000 : 4097, fd);
		uint64_t size = 1;
		bool same;
		int rc;

		n = keep_all(s, &rc);
		same = n == sizes[i] && rc == 1 && unik_stage_kept(s) == n;
		must(unik_stage_finish(s, &d, &size, &err));
		must(unik_sha256(noise, sizes[i], &want, &err));
		ok(same && size == sizes[i] && unik_digest_equal(&d, &want) &&
			   spool_is(fd, sizes[i]),
		   "%zu bytes reach reader, digest and spool (%d)", sizes[i],
		   (int)hasher);
		end(s, &drip);
		close(fd);
	}
}

/* Who takes the bytes hashes some of them, and others, beside the stage's. */
static void test_beside(void)
{
	struct unik_stage_options opt = { UNIK_STAGE_TAKER, UNIK_SHA256, -1,
					  UINT64_MAX, 8, NULL };
	static const size_t steps[] = { 1, 64, 700, 4096, 3 * UNIK_CHUNK };
	struct unik_digest d, want, mine, mine_want;
	struct unik_source *s;
	struct unik_lane lane;
	struct drip drip;
	uint64_t size;
	size_t i;

	must(unik_sha256(noise, sizeof(noise), &want, &err));
	must(unik_lane_init(&lane, &err));
	for (i = 0; i < COUNT(steps); i++) {
		const uint8_t *data;
		size_t n, sum = 0;

		must(unik_stage_new(&s, drip_init(&drip, noise, sizeof(noise),
						  5000), &opt, &err));
		must(unik_lane_reset(&lane, &err));
		while (unik_source_peek(s, &data, &n, &err) == 0) {
			must(unik_stage_hash(s, &lane, noise + sum,
					     steps[i] - 1, &err));
			must(unik_stage_hash(s, &lane,
					     noise + sum + steps[i] - 1, 1,
					     &err));
			sum += n;
			unik_source_advance(s, n);
			if (sum + 4 * UNIK_CHUNK > sizeof(noise))
				break;
		}
		must(unik_stage_finish(s, &d, &size, &err));
		must(unik_lane_final(&lane, &mine, &err));
		must(unik_lane_reset(&lane, &err));
		for (n = 0; n < sum; n += UNIK_CHUNK)
			must(unik_lane_update(&lane, noise + n, steps[i],
					      &err));
		must(unik_lane_final(&lane, &mine_want, &err));
		ok(unik_digest_equal(&d, &want) && size == sizeof(noise) &&
		   unik_digest_equal(&mine, &mine_want),
		   "%zu bytes hashed beside each chunk", steps[i]);
		end(s, &drip);
	}
	unik_lane_release(&lane);
}

static void test_drip(void)
{
	struct unik_digest d, want;
	struct drip drip;
	struct unik_source *s = new_stage(&drip, 70000, 1, -1);
	uint64_t size;

	must(unik_stage_finish(s, &d, &size, &err));
	must(unik_sha256(noise, 70000, &want, &err));
	ok(size == 70000 && unik_digest_equal(&d, &want) && drip.ends == 0,
	   "a byte at a time, and nothing was read before finish");
	end(s, &drip);
}

static void test_algo(void)
{
	struct unik_stage_options opt = { UNIK_STAGE_BEHIND, UNIK_SHA512, -1,
					  UINT64_MAX, 8, NULL };
	struct unik_digest d = { 0 }, none = { 0 };
	struct unik_source *s;
	struct drip drip;
	char text[UNIK_DIGEST_TEXT];
	uint64_t size;

	must(unik_stage_new(&s, drip_init(&drip, "abc", 3, 1), &opt, &err));
	must(unik_stage_finish(s, &d, &size, &err));
	ok(strncmp(unik_digest_text(&d, text), "sha512:ddaf35a1", 15) == 0,
	   "sha512 where it is asked for");
	end(s, &drip);
	opt.hash = UNIK_STAGE_NO_HASH;
	must(unik_stage_new(&s, drip_init(&drip, "abc", 3, 1), &opt, &err));
	must(unik_stage_finish(s, &none, &size, &err));
	ok(none.bytes[0] == 0 && size == 3, "no digest where none is");
	end(s, &drip);
}

static void test_max(void)
{
	struct unik_stage_options opt = { UNIK_STAGE_BEHIND, UNIK_SHA256, -1,
					  1000, 1, NULL };
	struct unik_source *s;
	struct drip drip;
	uint64_t size;

	must(unik_stage_new(&s, drip_init(&drip, noise, 1000, 7), &opt, &err));
	ok(unik_stage_finish(s, NULL, &size, &err) == 0 && size == 1000,
	   "as many bytes as are allowed");
	end(s, &drip);
	must(unik_stage_new(&s, drip_init(&drip, noise, 1001, 7), &opt, &err));
	ok(failed(unik_stage_finish(s, NULL, &size, &err), UNIK_EBAD,
		  "more than 1000 bytes (--max-layer-size)"),
	   "one more is refused");
	end(s, &drip);
}

/* A source that fails at any of 300 bytes, or of many. */
static void test_failing_source(void)
{
	bool read = true, finish = true, twice = true;
	uint64_t size;
	size_t at, n;

	for (at = 0; at <= sizeof(noise);
	     at += at < 300 ? 1 : UNIK_CHUNK / 3) {
		struct drip d;
		struct unik_source *s = failing_stage(&d, sizeof(noise), 5000,
						      at, -1);
		uint8_t *got = NULL;

		if (at & 1)
			read &= slurp(s, &got, &n) == -1 &&
				strstr(err.msg, "dried up");
		finish &= unik_stage_finish(s, NULL, &size, &err) == -1 &&
			  strstr(err.msg, "dried up") && err.code == UNIK_EIO;
		twice &= d.ends == 0;
		free(got);
		end(s, &d);
	}
	ok(read, "the failure of the source reaches the reader");
	ok(finish, "and whoever finishes");
	ok(twice, "the source is not asked again");
}

/* A source in the midst of which somebody asks to stop. */
static volatile int stop;

static int stopping_fill(struct unik_source *s, struct unik_err *e)
{
	stop = ((struct drip *)s)->at >= 3 * UNIK_CHUNK;
	return drip_fill(s, e);
}

static const struct unik_source_ops stopping_ops = { .fill = stopping_fill,
						     .free = drip_free };

static void test_stop(void)
{
	struct unik_stage_options opt = { UNIK_STAGE_BEHIND, UNIK_SHA256, -1,
					  UINT64_MAX, 8, &stop };
	struct unik_source *s;
	struct drip d;
	uint64_t size;

	drip_init(&d, noise, sizeof(noise), UNIK_CHUNK / 2);
	d.base.ops = &stopping_ops;
	must(unik_stage_new(&s, &d.base, &opt, &err));
	ok(failed(unik_stage_finish(s, NULL, &size, &err), UNIK_EIO,
		  "interrupted") && d.at == 4 * UNIK_CHUNK,
	   "the stop flag ends it with the chunk that is being read");
	end(s, &d);
	must(unik_stage_new(&s, drip_init(&d, noise, 10, 10), &opt, &err));
	ok(failed(unik_stage_finish(s, NULL, &size, &err), UNIK_EIO,
		  "interrupted") && d.nfills == 0,
	   "and before the first one");
	end(s, &d);
}

static void test_abort(void)
{
	struct unik_source *s;
	const uint8_t *p;
	struct drip d;
	size_t n;
	int k;

	for (k = 0; k < 20; k++) {
		s = new_stage(&d, sizeof(noise), 1 << (k % 18), -1);
		if (k & 1) {
			must(unik_source_peek(s, &p, &n, &err));
			unik_source_advance(s, n / 2);
		}
		end(s, &d);
	}
	ok(true, "stages that are never finished do not hang");
}

static void test_full_spool(void)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct drip d;
	struct unik_source *s = new_stage(&d, 1, 1, full);
	uint64_t size;
	size_t n;
	int rc;

	keep_all(s, &rc);
	ok(failed(unik_stage_finish(s, NULL, &size, &err), UNIK_EIO,
		  "No space left"),
	   "a spool that takes nothing: one byte");
	end(s, &d);
	s = new_stage(&d, sizeof(noise), 4096, full);
	n = keep_all(s, &rc);
	ok(failed(rc, UNIK_EIO, "No space left") && n < sizeof(noise),
	   "many bytes: the reader hears of it");
	end(s, &d);
	close(full);
}

/* The spool may hold N bytes: for the last chunk too. */
static void test_limited_spool(void)
{
	struct rlimit old, now;
	bool good = true;
	size_t n;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	for (n = 0; n <= 4; n++) {
		int fd = memfd_create("spool", MFD_CLOEXEC), rc;
		struct unik_source *s;
		struct drip d;
		uint64_t size;

		now = old;
		now.rlim_cur = n * UNIK_CHUNK + (n & 1);
		setrlimit(RLIMIT_FSIZE, &now);
		s = new_stage(&d, 4 * UNIK_CHUNK, 99999, fd);
		keep_all(s, &rc);
		rc = unik_stage_finish(s, NULL, &size, &err);
		setrlimit(RLIMIT_FSIZE, &old);
		good &= n == 4 ? rc == 0 : rc == -1 && err.sys == EFBIG;
		end(s, &d);
		close(fd);
	}
	ok(good, "a spool that takes some chunks only");
}

/* Chunks of zeros are holes of a spool; others with zeros in them are not. */
static void test_zeros(void)
{
	static const struct {
		size_t from, to; /* zeros */
		size_t size;
		uint64_t kept; /* chunks */
	} rows[] = {
		{ 0, 4 * UNIK_CHUNK, 4 * UNIK_CHUNK, 0 },
		{ 0, 4 * UNIK_CHUNK, 3 * UNIK_CHUNK + 1, 0 },
		{ 0, 1, 1, 0 },
		{ UNIK_CHUNK, 3 * UNIK_CHUNK, 4 * UNIK_CHUNK, 2 },
		{ UNIK_CHUNK, 4 * UNIK_CHUNK, 4 * UNIK_CHUNK, 1 },
		{ 1, UNIK_CHUNK, UNIK_CHUNK, 1 },
		{ 0, UNIK_CHUNK - 1, UNIK_CHUNK, 1 },
		{ UNIK_CHUNK, 2 * UNIK_CHUNK - 1, 2 * UNIK_CHUNK, 2 },
	};
	static uint8_t kept[sizeof(noise)];
	size_t i;

	memcpy(kept, noise, sizeof(kept));
	for (i = 0; i < COUNT(rows); i++) {
		int fd = memfd_create("spool", MFD_CLOEXEC);
		struct unik_source *s;
		struct stat st;
		struct drip d;
		uint64_t size;
		int rc;

		memset(noise, 1, sizeof(noise));
		memset(noise + rows[i].from, 0, rows[i].to - rows[i].from);
		s = new_stage(&d, rows[i].size, 77777, fd);
		keep_all(s, &rc);
		must(unik_stage_finish(s, NULL, &size, &err));
		ok(spool_is(fd, rows[i].size) && fstat(fd, &st) == 0 &&
		   (uint64_t)st.st_blocks * 512 == rows[i].kept * UNIK_CHUNK,
		   "zeros from %zu to %zu of %zu", rows[i].from, rows[i].to,
		   rows[i].size);
		end(s, &d);
		close(fd);
	}
	memcpy(noise, kept, sizeof(noise));
}

/* Keeps `part` bytes of each block of 512, as a tar has its files: the spool is
 * those, one behind the other. */
static void test_parts(void)
{
	static const size_t parts[] = { 0, 1, 511, 512 };
	static uint8_t want[sizeof(noise)];
	size_t i, k;

	for (i = 0; i < 2 * COUNT(parts); i++) {
		int fd = memfd_create("spool", MFD_CLOEXEC);
		size_t part = parts[i / 2], n, sum = 0, every = 2 - (i & 1);
		const uint8_t *data;
		struct unik_source *s;
		struct drip d;
		uint64_t size;
		bool full = false;

		s = new_stage(&d, sizeof(noise), 77777, fd);
		while (unik_source_peek(s, &data, &n, &err) == 0) {
			for (k = 0; k < n && !full; k += every * 512) {
				full = unik_stage_keep(s, data + k, part,
						       &err) < 0;
				memcpy(want + sum, data + k, part);
				sum += full ? 0 : part;
			}
			unik_source_advance(s, n);
		}
		must(unik_stage_finish(s, NULL, &size, &err));
		/* More parts than a tar can have are refused. */
		ok(full == (every == 1 && part > 0 && part < 512) &&
		   unik_stage_kept(s) == sum && spool_holds(fd, want, sum),
		   "%zu bytes of every %zu", part, every * 512);
		end(s, &d);
		close(fd);
	}
}

int main(void)
{
	size_t i;

	for (i = 0; i < sizeof(noise); i++)
		noise[i] = (uint8_t)random_u64();
	for (hasher = UNIK_STAGE_BEHIND; hasher <= UNIK_STAGE_TAKER; hasher++)
		test_whole();
	hasher = UNIK_STAGE_BEHIND;
	test_beside();
	test_drip();
	test_algo();
	test_max();
	test_failing_source();
	test_stop();
	test_abort();
	test_parts();
	test_full_spool();
	test_limited_spool();
	test_zeros();
	return tap_done();
}
