/* SPDX-License-Identifier: GPL-3.0-or-later */
/* io: the sink writes, hashes and counts the same bytes, whatever the file. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core.h"

#define ZERO_RUN (64u << 10) /* as in sink.c: longer zeros may be holes */

static uint8_t noise[1 << 20];

static struct unik_sink *new_sink(int fd, bool holes, bool hash,
				  const volatile int *stop)
{
	struct unik_sink_options opt = { .fd = fd, .holes = holes, .hash = hash,
					 .stop = stop };
	struct unik_sink *s;

	must(unik_sink_new(&s, &opt, &err));
	return s;
}

/* What was written, kept in memory. */
struct model {
	uint8_t *p;
	size_t size;
};

static void append(struct unik_sink *s, struct model *m, const void *data,
		   size_t n)
{
	m->p = realloc(m->p, m->size + n + 1);
	if (!m->p)
		die("realloc");
	if (data)
		memcpy(m->p + m->size, data, n);
	else
		memset(m->p + m->size, 0, n);
	m->size += n;
	must(unik_sink_write(s, data, n, &err));
}

static void append_direct(struct unik_sink *s, struct model *m, size_t n)
{
	while (n > 0) {
		uint8_t *buf;
		size_t room;

		must(unik_sink_reserve(s, n, &buf, &room, &err));
		m->p = realloc(m->p, m->size + room);
		if (!m->p)
			die("realloc");
		memcpy(m->p + m->size, noise, room);
		m->size += room;
		memcpy(buf, noise, room);
		must(unik_sink_commit(s, room, &err));
		n -= room;
	}
}

static bool file_is(int fd, const struct model *m)
{
	uint8_t *got = make_room(m->size);
	struct stat st;
	bool same = fstat(fd, &st) == 0 && (size_t)st.st_size == m->size &&
		    unik_pread_all(fd, got, m->size, 0, &err) == 0 &&
		    memcmp(got, m->p, m->size) == 0;

	free(got);
	return same;
}

static bool digest_is(const struct unik_digest *d, const struct model *m)
{
	struct unik_digest want;

	must(unik_sha256(m->p, m->size, &want, &err));
	return unik_digest_equal(d, &want);
}

/* A list of lengths; a negative one is zeros. */
static bool write_list(const long *list, size_t n, bool holes)
{
	int fd = memfd_create("sink", MFD_CLOEXEC);
	struct unik_sink *s = new_sink(fd, holes, true, NULL);
	struct model m = { NULL, 0 };
	struct unik_digest d;
	size_t i;
	bool good;

	for (i = 0; i < n; i++)
		append(s, &m, list[i] < 0 ? NULL : noise + i,
		       (size_t)labs(list[i]));
	good = unik_sink_size(s) == m.size;
	must(unik_sink_finish(s, &d, &err));
	good &= file_is(fd, &m) && digest_is(&d, &m);
	unik_sink_free(s);
	free(m.p);
	close(fd);
	return good;
}

static void test_lists(void)
{
	enum { Z = ZERO_RUN, C = UNIK_CHUNK };
	static const long lists[][6] = {
		{ 0, 0, 0, 0, 0, 0 },
		{ 1, 0, 0, 0, 0, 0 },
		{ -1, 1, -1, 1, -1, 1 },
		{ -Z + 1, 1, -Z, 1, -Z - 1, 1 },
		{ -Z, -Z, -Z, 5, -Z, -Z },
		{ C - 1, 1, 1, C, C + 1, -3 },
		{ C, -C, C, -C - 1, C - 1, -C + 1 },
		{ 1, -5 * C, 1, -Z, 0, -1 },
		{ -5 * C, 0, 0, 0, 0, 0 },
		{ C - 10, -Z + 1, 20, -Z, 30, -10 },
	};
	size_t i;

	for (i = 0; i < COUNT(lists); i++)
		ok(write_list(lists[i], 6, false) &&
			   write_list(lists[i], 6, true),
		   "list %zu, with holes and without", i);
}

static void test_random(void)
{
	bool good = true;
	int round;

	for (round = 0; round < 60; round++) {
		int fd = memfd_create("sink", MFD_CLOEXEC);
		struct unik_sink *s = new_sink(fd, round & 1, true, NULL);
		struct model m = { NULL, 0 };
		struct unik_digest d;
		int k;

		for (k = 0; k < 20; k++) {
			size_t n = random_below(round % 3 ? 300000 : 3000);

			switch (random_below(3)) {
			case 0:
				append(s, &m, noise, n);
				break;
			case 1:
				append(s, &m, NULL, n);
				break;
			default:
				append_direct(s, &m, n);
			}
		}
		must(unik_sink_finish(s, &d, &err));
		good &= file_is(fd, &m) && digest_is(&d, &m);
		unik_sink_free(s);
		free(m.p);
		close(fd);
	}
	ok(good, "random writes, zeros and direct fills");
}

static void test_holes(void)
{
	int fd = memfd_create("sink", MFD_CLOEXEC);
	struct unik_sink *s = new_sink(fd, true, true, NULL);
	struct stat st;

	must(unik_sink_write(s, "x", 1, &err));
	must(unik_sink_write(s, NULL, UINT64_C(1) << 30, &err));
	must(unik_sink_finish(s, NULL, &err));
	unik_sink_free(s);
	fstat(fd, &st);
	ok(st.st_size == (1 << 30) + 1 && st.st_blocks * 512 < 1 << 20,
	   "a run of zeros is a hole, also at the end");
	close(fd);
	s = new_sink(-1, true, false, NULL);
	must(unik_sink_write(s, NULL, UINT64_C(1) << 60, &err));
	must(unik_sink_write(s, noise, sizeof(noise), &err));
	ok(unik_sink_size(s) == (UINT64_C(1) << 60) + sizeof(noise) &&
		   unik_sink_finish(s, NULL, &err) == 0,
	   "without file and hash only the bytes are counted");
	unik_sink_free(s);
}

/* What the file held before shows nowhere, whatever the fd says. */
static void test_old_content(void)
{
	static const char *const how[] = { "longer", "shorter" };
	struct model m = { NULL, 0 };
	struct unik_sink *s;
	size_t k;
	int fd;

	for (k = 0; k < 2; k++) {
		fd = memfd_create("old", MFD_CLOEXEC);
		must(unik_pwrite_all(fd, noise, k ? 5000 : sizeof(noise), 0,
				     &err));
		s = new_sink(fd, true, false, NULL);
		append(s, &m, "head", 4);
		append(s, &m, NULL, 2 * ZERO_RUN);
		append(s, &m, "tail", 4);
		must(unik_sink_finish(s, NULL, &err));
		ok(file_is(fd, &m), "over old content that is %s", how[k]);
		unik_sink_free(s);
		free(m.p);
		m = (struct model){ NULL, 0 };
		close(fd);
	}
}

static void test_append(void)
{
	char path[] = "/tmp/unik-unit-XXXXXX";
	int made = mkstemp(path), fd;
	struct model m = { NULL, 0 };
	struct unik_sink *s;
	struct unik_digest d;

	must(unik_write_all(made, "old text", 8, &err));
	fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	s = new_sink(fd, true, true, NULL);
	append(s, &m, "head", 4);
	append(s, &m, NULL, ZERO_RUN);
	append(s, &m, "tail", 4);
	must(unik_sink_finish(s, &d, &err));
	ok(digest_is(&d, &m), "appending (O_APPEND): the digest");
	unik_sink_free(s);
	m.p = realloc(m.p, m.size + 8);
	memmove(m.p + 8, m.p, m.size);
	memcpy(m.p, "old text", 8);
	m.size += 8;
	ok(file_is(made, &m), "the old text stays, the new is behind it");
	free(m.p);
	close(fd);
	close(made);
	unlink(path);
}

static void test_offset(void)
{
	int fd = memfd_create("offset", MFD_CLOEXEC);
	struct model m = { NULL, 0 };
	struct unik_sink *s;

	must(unik_write_all(fd, "12345", 5, &err));
	s = new_sink(fd, true, false, NULL);
	append(s, &m, NULL, ZERO_RUN);
	append(s, &m, "x", 1);
	must(unik_sink_finish(s, NULL, &err));
	unik_sink_free(s);
	m.p = realloc(m.p, m.size + 5);
	memmove(m.p + 5, m.p, m.size);
	memcpy(m.p, "12345", 5);
	m.size += 5;
	ok(file_is(fd, &m), "a file whose offset is not 0 is written in order");
	free(m.p);
	close(fd);
}

/* ---- pipes ---- */

struct drain {
	int fd;
	struct unik_digest digest;
	size_t size;
};

static void *drain_main(void *arg)
{
	struct drain *d = arg;
	struct unik_hash h = UNIK_HASH_NONE;
	struct unik_err e;
	uint8_t buf[1000];
	ssize_t n;

	if (unik_hash_init(&h, UNIK_SHA256, &e) < 0)
		return NULL;
	while ((n = read(d->fd, buf, sizeof(buf))) > 0) {
		unik_hash_update(&h, buf, (size_t)n, &e);
		d->size += (size_t)n;
	}
	unik_hash_final(&h, &d->digest, &e);
	unik_hash_release(&h);
	return NULL;
}

static void test_pipe(void)
{
	struct model m = { NULL, 0 };
	struct unik_digest digest;
	struct drain d = { 0 };
	struct unik_sink *s;
	pthread_t thread;
	int p[2];

	must(pipe(p));
	d.fd = p[0];
	must(pthread_create(&thread, NULL, drain_main, &d));
	s = new_sink(p[1], true, true, NULL);
	append(s, &m, noise, 100001);
	append(s, &m, NULL, 3 * UNIK_CHUNK + 1);
	append(s, &m, noise, 3);
	must(unik_sink_finish(s, &digest, &err));
	unik_sink_free(s);
	close(p[1]);
	pthread_join(thread, NULL);
	close(p[0]);
	ok(d.size == m.size && digest_is(&digest, &m) &&
		   digest_is(&d.digest, &m),
	   "a pipe gets all bytes, zeros too");
	free(m.p);
	must(pipe(p));
	close(p[0]);
	s = new_sink(p[1], true, true, NULL);
	must(unik_sink_write(s, "x", 1, &err));
	ok(failed(unik_sink_finish(s, NULL, &err), UNIK_EIO, "can't write") &&
		   err.sys == EPIPE,
	   "a pipe that nobody reads");
	unik_sink_free(s);
	close(p[1]);
}

/* ---- failures ---- */

static void test_full(void)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC), k;
	struct unik_sink *s = new_sink(fd, true, true, NULL);
	struct unik_digest d;
	int rc = 0;

	must(unik_sink_write(s, "x", 1, &err));
	ok(failed(unik_sink_finish(s, &d, &err), UNIK_EIO, "No space left") &&
		   err.sys == ENOSPC,
	   "a full device: the last chunk");
	unik_sink_free(s);
	s = new_sink(fd, true, true, NULL);
	for (k = 0; k < 100 && rc == 0; k++)
		rc = unik_sink_write(s, noise, sizeof(noise), &err);
	ok(failed(rc, UNIK_EIO, "No space left"),
	   "writing does not go on for long");
	unik_sink_free(s);
	close(fd);
}

/* The file may have `limit` bytes: true where the sink took them all. */
static bool limited(size_t size, uint64_t limit, bool *errors)
{
	struct rlimit old, now;
	int fd = memfd_create("limited", MFD_CLOEXEC), rc = 0;
	struct unik_sink *s;
	size_t at;

	getrlimit(RLIMIT_FSIZE, &old);
	now = old;
	now.rlim_cur = limit;
	setrlimit(RLIMIT_FSIZE, &now);
	s = new_sink(fd, false, true, NULL);
	for (at = 0; at < size && rc == 0; at += 100)
		rc = unik_sink_write(s, at % 300 ? noise : NULL, 100, &err);
	if (rc == 0)
		rc = unik_sink_finish(s, NULL, &err);
	unik_sink_free(s);
	setrlimit(RLIMIT_FSIZE, &old);
	*errors &= rc == 0 || (err.code == UNIK_EIO && err.sys == EFBIG);
	close(fd);
	return rc == 0;
}

static void test_every_byte(void)
{
	enum { SMALL = 2000 };
	bool errors = true, good = true;
	size_t n;

	for (n = 0; n <= SMALL; n++)
		good &= limited(SMALL, n, &errors) == (n == SMALL);
	ok(good && errors, "a file that takes N of 2000 bytes, for every N");
	good = true;
	for (n = 0; n < 12; n++)
		good &= !limited(3000000, n * 250000 + n, &errors);
	ok(good && errors, "and at some places of a large one");
}

static void test_abort(void)
{
	int fd = memfd_create("abort", MFD_CLOEXEC), k;
	volatile int stop = 0;
	struct unik_sink *s;
	int rc = 0;

	for (k = 0; k < 20; k++) {
		s = new_sink(k & 1 ? fd : -1, true, k & 2, NULL);
		if (k > 3)
			must(unik_sink_write(s, noise, sizeof(noise), &err));
		unik_sink_free(s);
	}
	unik_sink_free(NULL);
	ok(true, "sinks that are never finished do not hang");
	s = new_sink(fd, true, true, &stop);
	must(unik_sink_write(s, noise, sizeof(noise), &err));
	stop = 1;
	for (k = 0; k < 3 && rc == 0; k++)
		rc = unik_sink_write(s, noise, sizeof(noise), &err);
	ok(failed(rc, UNIK_EIO, "interrupted"), "the stop flag stops it");
	unik_sink_free(s);
	close(fd);
}

int main(void)
{
	size_t i;

	for (i = 0; i < sizeof(noise); i++)
		noise[i] = (uint8_t)random_u64();
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	test_lists();
	test_random();
	test_holes();
	test_old_content();
	test_append();
	test_offset();
	test_pipe();
	test_full();
	test_every_byte();
	test_abort();
	return tap_done();
}
