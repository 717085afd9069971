/* SPDX-License-Identifier: GPL-3.0-or-later */
/* io: sources, and whole reads and writes on odd files. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core.h"

enum { SIZE = 3 * (256 << 10) + 17 };
static uint8_t bytes[SIZE];

static int file_of_bytes(void)
{
	int fd = memfd_create("bytes", MFD_CLOEXEC);

	must(unik_pwrite_all(fd, bytes, SIZE, 0, &err));
	return fd;
}

static bool gives(struct unik_source *s, const uint8_t *want, size_t size)
{
	uint8_t *got;
	size_t n;
	bool same = slurp(s, &got, &n) == 0 && n == size &&
		    memcmp(got, want, n) == 0 && s->pos == size;

	free(got);
	return same;
}

static void test_memory(void)
{
	struct unik_source *s;
	size_t n;

	must(unik_source_memory(&s, bytes, SIZE, &err));
	ok(gives(s, bytes, SIZE), "memory gives its bytes");
	must(unik_source_read(s, &n, 1, &n, &err));
	ok(n == 0, "and then stays at its end");
	unik_source_free(s);
	must(unik_source_memory(&s, NULL, 0, &err));
	ok(gives(s, bytes, 0), "no memory gives nothing");
	unik_source_free(s);
	unik_source_free(NULL);
}

static void test_range(int fd)
{
	static const struct {
		uint64_t off, size;
	} cases[] = {
		{ 0, SIZE }, { 0, 0 }, { 1, SIZE - 1 }, { SIZE - 1, 1 },
		{ SIZE, 0 }, { 4095, UNIK_CHUNK }, { 3, UNIK_CHUNK + 1 },
	};
	struct unik_source *s;
	uint8_t *got;
	size_t i, n;

	for (i = 0; i < COUNT(cases); i++) {
		must(unik_source_range(&s, fd, cases[i].off, cases[i].size,
				       &err));
		ok(gives(s, bytes + cases[i].off, cases[i].size),
		   "range %zu of a file", i);
		unik_source_free(s);
	}
	ok(lseek(fd, 0, SEEK_CUR) == 0, "the offset of the fd does not move");
	must(unik_source_range(&s, fd, 10, SIZE, &err));
	ok(failed(slurp(s, &got, &n), UNIK_EBAD, "the file ends too early"),
	   "a range past the end of the file is an error");
	unik_source_free(s);
	free(got);
	must(unik_source_range(&s, fd, UINT64_MAX - 5, 3, &err));
	ok(failed(slurp(s, &got, &n), UNIK_EBAD, "out of range"),
	   "so is an offset that no file has");
	unik_source_free(s);
	free(got);
}

/* Jumps of any length end at the same place as reading does. */
static void test_jumps(int fd)
{
	bool good = true;
	int round;

	for (round = 0; round < 200; round++) {
		struct unik_source *s;
		uint64_t at = 0, got;

		must(unik_source_range(&s, fd, 0, SIZE, &err));
		while (at < SIZE) {
			uint32_t n = random_below(round & 1 ? SIZE : 70000);
			uint8_t byte;
			size_t one;

			must(unik_source_skip(s, n, &got, &err));
			good &= got == (n < SIZE - at ? n : SIZE - at);
			at += got;
			must(unik_source_read(s, &byte, 1, &one, &err));
			good &= one == (at < SIZE) &&
				(!one || byte == bytes[at]);
			at += one;
			good &= s->pos == at;
		}
		must(unik_source_skip(s, 1, &got, &err));
		good &= got == 0;
		unik_source_free(s);
	}
	ok(good, "skips and jumps of random lengths");
}

static void *write_slowly(void *arg)
{
	int fd = *(int *)arg;
	size_t i;

	for (i = 0; i < 5000; i += 1 + i % 7)
		if (write(fd, bytes + i, 1 + i % 7) < 0)
			break;
	close(fd);
	return NULL;
}

static void test_stream(int fd)
{
	struct unik_source *s;
	pthread_t thread;
	uint8_t *got;
	size_t n, want, i;
	int p[2];

	for (i = 0, want = 0; i < 5000; want = i)
		i += 1 + i % 7;
	must(pipe(p));
	must(pthread_create(&thread, NULL, write_slowly, &p[1]));
	must(unik_source_stream(&s, p[0], NULL, &err));
	ok(gives(s, bytes, want), "a pipe, a few bytes at a time");
	unik_source_free(s);
	pthread_join(thread, NULL);
	close(p[0]);
	must(unik_source_stream(&s, fd, NULL, &err));
	ok(gives(s, bytes, SIZE), "a file, read to its end");
	unik_source_free(s);
	must(unik_source_stream(&s, p[0], NULL, &err)); /* closed */
	ok(failed(slurp(s, &got, &n), UNIK_EIO, "can't read"),
	   "a descriptor that is closed");
	unik_source_free(s);
	free(got);
}

static void test_drips(void)
{
	struct drip d;
	uint8_t got[1000];
	uint64_t skipped;
	size_t step, n;
	bool good = true;

	for (step = 1; step < 40; step++) {
		drip_init(&d, bytes, 1000, step);
		must(unik_source_skip(&d.base, 100, &skipped, &err));
		must(unik_source_read(&d.base, got, 1000, &n, &err));
		good &= skipped == 100 && n == 900 && d.base.pos == 1000 &&
			memcmp(got, bytes + 100, 900) == 0 && d.ends == 0;
		must(unik_source_read(&d.base, got, 1, &n, &err));
		good &= n == 0 && d.ends == 0;
		d.base.ops->free(&d.base);
	}
	ok(good, "reads over fills of 1 to 39 bytes");
	good = true;
	for (n = 0; n <= 1000; n++) {
		size_t m;

		drip_init(&d, bytes, 1000, 7);
		d.fail_at = n;
		good &= unik_source_read(&d.base, got, 1000, &m, &err) ==
				(n < 1000 ? -1 : 0) &&
			d.base.pos == n;
		good &= n == 1000 || err.code == UNIK_EIO;
		(void)unik_source_skip(&d.base, 1, &skipped, &err);
		good &= n == 1000 || d.ends == 0; /* not asked again */
		d.base.ops->free(&d.base);
	}
	ok(good, "a source that fails at any byte fails the read");
}

static void test_failures(void)
{
	uint8_t buf[16];
	int full = open("/dev/full", O_RDWR | O_CLOEXEC);
	int dir = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd;
	size_t n;

	ok(failed(unik_write_all(full, bytes, 1, &err), UNIK_EIO,
		  "No space left on device") && err.sys == ENOSPC,
	   "a write to a full device");
	ok(failed(unik_pwrite_all(dir, bytes, 1, 0, &err), UNIK_EIO,
		  "can't write"),
	   "a write to what was opened for reading");
	ok(failed(unik_read_full(dir, buf, 1, &n, &err), UNIK_EIO,
		  "can't read") && err.sys == EISDIR,
	   "a read of a directory");
	ok(failed(unik_pread_all(full, buf, 1, (uint64_t)INT64_MAX, &err),
		  UNIK_EBAD, "out of range"),
	   "an offset whose end is no offset");
	ok(failed(unik_spool_open("/nonexistent", &fd, &err), UNIK_EIO,
		  "'/nonexistent'") && err.sys == ENOENT,
	   "a spool where there is no directory");
	ok(failed(unik_spool_open("/proc/self", &fd, &err), UNIK_EIO, "can't"),
	   "a spool where no file can be made");
	close(full);
	close(dir);
}

/* ---- EINTR ---- */

static void on_signal(int n)
{
	(void)n;
}

struct poke {
	pthread_t whom;
	int fd;
};

/* Signals while the other waits for a byte, then gives it one. */
static void *poke_main(void *arg)
{
	const struct poke *p = arg;
	size_t i, k;

	for (i = 0; i < 64; i++) {
		for (k = 0; k < 50; k++) {
			pthread_kill(p->whom, SIGUSR1);
			sched_yield();
		}
		if (write(p->fd, bytes + i, 1) < 0)
			break;
	}
	close(p->fd);
	return NULL;
}

static void test_interrupts(void)
{
	struct sigaction sa = { .sa_handler = on_signal }; /* no SA_RESTART */
	struct unik_source *s;
	struct poke poke;
	pthread_t thread;
	uint8_t got[65];
	size_t n;
	int p[2], round;
	bool good = true;

	sigaction(SIGUSR1, &sa, NULL);
	for (round = 0; round < 2; round++) {
		must(pipe(p));
		poke.whom = pthread_self();
		poke.fd = p[1];
		must(pthread_create(&thread, NULL, poke_main, &poke));
		if (round == 0) {
			must(unik_read_full(p[0], got, 65, &n, &err));
			good &= n == 64 && memcmp(got, bytes, 64) == 0;
		} else {
			must(unik_source_stream(&s, p[0], NULL, &err));
			good &= gives(s, bytes, 64);
			unik_source_free(s);
		}
		pthread_join(thread, NULL);
		close(p[0]);
	}
	signal(SIGUSR1, SIG_DFL);
	ok(good, "reads go on after signals");
}

/* Bytes that are there are given; the end that the interruption caused is not
 * taken for that of the data. */
static void test_stop(void)
{
	const volatile int stop = 1;
	struct unik_source *s;
	const uint8_t *data;
	size_t n;
	int p[2];
	bool good;

	must(pipe(p));
	good = write(p[1], bytes, 3) == 3;
	close(p[1]);
	must(unik_source_stream(&s, p[0], &stop, &err));
	good &= unik_source_peek(s, &data, &n, &err) == 0 && n == 3;
	unik_source_advance(s, 3);
	good &= unik_source_peek(s, &data, &n, &err) == -1 &&
		err.code == UNIK_EIO && strstr(err.msg, "interrupted");
	ok(good, "a stream that is to stop does not end well");
	unik_source_free(s);
	close(p[0]);
}

static void test_spool(void)
{
	char dir[] = "/tmp/unik-unit-XXXXXX", text[16];
	int fd = -1;

	if (!mkdtemp(dir))
		die("mkdtemp");
	must(unik_spool_open(dir, &fd, &err));
	must(unik_pwrite_all(fd, "spooled", 7, 100000, &err));
	must(unik_pread_all(fd, text, 7, 100000, &err));
	ok(memcmp(text, "spooled", 7) == 0 &&
		   (fcntl(fd, F_GETFD) & FD_CLOEXEC),
	   "a spool can be written and read, and is closed on exec");
	ok(rmdir(dir) == 0, "it has no name in its directory");
	close(fd);
}

int main(void)
{
	size_t i;
	int fd;

	for (i = 0; i < SIZE; i++)
		bytes[i] = (uint8_t)random_u64();
	fd = file_of_bytes();
	test_memory();
	test_range(fd);
	test_jumps(fd);
	test_stream(fd);
	test_drips();
	test_failures();
	test_interrupts();
	test_stop();
	test_spool();
	close(fd);
	return tap_done();
}
