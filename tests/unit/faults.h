/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Faults on demand: the test is linked with -Wl,--wrap=NAME for each function
 * here (faults.mk), and so the k-th call of a kind can be made to fail.
 */
#ifndef UNIK_TEST_FAULTS_H
#define UNIK_TEST_FAULTS_H

#define _GNU_SOURCE
#include <bzlib.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <lzma.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/uio.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "arena.h"
#include "core.h"

enum fault_kind {
	FAULT_NONE,
	FAULT_MEMORY, /* allocations, ours and those that libraries report */
	FAULT_SYSTEM, /* system calls */
	FAULT_SHORT,  /* a read or a write does half of what it should */
	FAULT_EINTR,  /* a read or a write is interrupted by a signal */
	FAULT_TMPFILE /* the filesystem has no O_TMPFILE */
};

static struct {
	enum fault_kind kind;
	long left; /* calls before the one that fails */
	bool on;   /* and all that follow it */
	long fired;
} fault;

static bool fault_now(enum fault_kind kind)
{
	long left;

	if (fault.kind != kind)
		return false;
	left = __atomic_fetch_sub(&fault.left, 1, __ATOMIC_SEQ_CST);
	if (left != 0 && !(fault.on && left < 0))
		return false;
	__atomic_add_fetch(&fault.fired, 1, __ATOMIC_SEQ_CST);
	return true;
}

static void fault_arm(enum fault_kind kind, long k, bool on)
{
	fault.left = k;
	fault.on = on;
	fault.fired = 0;
	fault.kind = kind;
}

/* Whether any call failed. */
static bool fault_disarm(void)
{
	fault.kind = FAULT_NONE;
	return fault.fired > 0;
}

/* Blocks that are held, and files that are open: for leaks. */
static long fault_blocks;

UNUSED static int open_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (d && readdir(d))
		n++;
	closedir(d);
	return n;
}

#define WRAP(type, name, params) \
	type __real_##name params;                                          \
	type __wrap_##name params;                                          \
	type __wrap_##name params

static void *held(void *p)
{
	if (p)
		__atomic_add_fetch(&fault_blocks, 1, __ATOMIC_SEQ_CST);
	return p;
}

/* ---- memory ---- */

WRAP(void *, malloc, (size_t n))
{
	return fault_now(FAULT_MEMORY) ? NULL : held(__real_malloc(n));
}

WRAP(void *, calloc, (size_t n, size_t size))
{
	return fault_now(FAULT_MEMORY) ? NULL : held(__real_calloc(n, size));
}

WRAP(void *, realloc, (void *p, size_t n))
{
	void *q;

	if (fault_now(FAULT_MEMORY))
		return NULL;
	q = __real_realloc(p, n);
	return p ? q : held(q);
}

WRAP(void *, aligned_alloc, (size_t align, size_t n))
{
	return fault_now(FAULT_MEMORY) ? NULL
				       : held(__real_aligned_alloc(align, n));
}

WRAP(char *, strdup, (const char *s))
{
	return fault_now(FAULT_MEMORY) ? NULL : held(__real_strdup(s));
}

WRAP(char *, strndup, (const char *s, size_t n))
{
	return fault_now(FAULT_MEMORY) ? NULL : held(__real_strndup(s, n));
}

WRAP(void, free, (void *p))
{
	if (p)
		__atomic_sub_fetch(&fault_blocks, 1, __ATOMIC_SEQ_CST);
	__real_free(p);
}

/* An arena rarely asks for memory itself. */
WRAP(void *, unik_arena_alloc, (struct unik_arena *a, size_t n))
{
	return fault_now(FAULT_MEMORY) ? NULL : __real_unik_arena_alloc(a, n);
}

WRAP(char *, unik_arena_text,
     (struct unik_arena *a, const void *bytes, size_t n))
{
	return fault_now(FAULT_MEMORY) ? NULL
				       : __real_unik_arena_text(a, bytes, n);
}

WRAP(EVP_MD_CTX *, EVP_MD_CTX_new, (void))
{
	return fault_now(FAULT_MEMORY) ? NULL : __real_EVP_MD_CTX_new();
}

WRAP(int, EVP_DigestInit_ex,
     (EVP_MD_CTX *c, const EVP_MD *md, ENGINE *e))
{
	return fault_now(FAULT_MEMORY) ? 0
				       : __real_EVP_DigestInit_ex(c, md, e);
}

WRAP(int, EVP_DigestUpdate, (EVP_MD_CTX *c, const void *p, size_t n))
{
	return fault_now(FAULT_MEMORY) ? 0 : __real_EVP_DigestUpdate(c, p, n);
}

WRAP(int, EVP_DigestFinal_ex,
     (EVP_MD_CTX *c, unsigned char *out, unsigned *n))
{
	return fault_now(FAULT_MEMORY) ? 0
				       : __real_EVP_DigestFinal_ex(c, out, n);
}

WRAP(ZSTD_DCtx *, ZSTD_createDCtx, (void))
{
	return fault_now(FAULT_MEMORY) ? NULL : __real_ZSTD_createDCtx();
}

WRAP(lzma_ret, lzma_stream_decoder,
     (lzma_stream *z, uint64_t memory, uint32_t flags))
{
	return fault_now(FAULT_MEMORY)
		       ? LZMA_MEM_ERROR
		       : __real_lzma_stream_decoder(z, memory, flags);
}

WRAP(int, BZ2_bzDecompressInit, (bz_stream *z, int verbosity, int small))
{
	return fault_now(FAULT_MEMORY)
		       ? BZ_MEM_ERROR
		       : __real_BZ2_bzDecompressInit(z, verbosity, small);
}

WRAP(int, inflateInit2_, (z_streamp z, int bits, const char *version, int size))
{
	return fault_now(FAULT_MEMORY)
		       ? Z_MEM_ERROR
		       : __real_inflateInit2_(z, bits, version, size);
}

WRAP(int, pthread_create,
     (pthread_t *t, const pthread_attr_t *attr, void *(*body)(void *),
      void *arg))
{
	return fault_now(FAULT_MEMORY) || fault_now(FAULT_SYSTEM)
		       ? EAGAIN
		       : __real_pthread_create(t, attr, body, arg);
}

WRAP(DIR *, fdopendir, (int fd))
{
	if (fault_now(FAULT_MEMORY)) {
		errno = ENOMEM;
		return NULL;
	}
	return __real_fdopendir(fd);
}

/* ---- system calls ---- */

#define FAIL_SYSTEM                                                         \
	do {                                                                \
		if (fault_now(FAULT_SYSTEM)) {                              \
			errno = EIO;                                        \
			return -1;                                          \
		}                                                           \
	} while (0)

#define FAIL_TRANSFER(n)                                                    \
	do {                                                                \
		FAIL_SYSTEM;                                                \
		if (fault_now(FAULT_EINTR)) {                               \
			errno = EINTR;                                      \
			return -1;                                          \
		}                                                           \
		if ((n) > 1 && fault_now(FAULT_SHORT))                      \
			(n) /= 2;                                           \
	} while (0)

WRAP(ssize_t, pread64, (int fd, void *p, size_t n, off64_t off))
{
	FAIL_TRANSFER(n);
	return __real_pread64(fd, p, n, off);
}

WRAP(ssize_t, pwrite64, (int fd, const void *p, size_t n, off64_t off))
{
	FAIL_TRANSFER(n);
	return __real_pwrite64(fd, p, n, off);
}

/* A short one may end inside of any part. */
WRAP(ssize_t, pwritev64, (int fd, const struct iovec *v, int n, off64_t off))
{
	size_t sum = 0, part, done, m;
	int i;

	for (i = 0; i < n; i++)
		sum += v[i].iov_len;
	part = sum;
	FAIL_TRANSFER(part);
	if (part == sum)
		return __real_pwritev64(fd, v, n, off);
	for (done = 0; done < part; done += m, v++) {
		m = v->iov_len < part - done ? v->iov_len : part - done;
		if (__real_pwrite64(fd, v->iov_base, m,
				    off + (off64_t)done) != (ssize_t)m)
			return -1;
	}
	return (ssize_t)part;
}

WRAP(ssize_t, read, (int fd, void *p, size_t n))
{
	FAIL_TRANSFER(n);
	return __real_read(fd, p, n);
}

WRAP(ssize_t, write, (int fd, const void *p, size_t n))
{
	FAIL_TRANSFER(n);
	return __real_write(fd, p, n);
}

WRAP(int, open64, (const char *path, int flags, mode_t mode))
{
	FAIL_SYSTEM;
	if ((flags & O_TMPFILE) == O_TMPFILE && fault_now(FAULT_TMPFILE)) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return __real_open64(path, flags, mode);
}

WRAP(int, openat64, (int dir, const char *path, int flags, mode_t mode))
{
	FAIL_SYSTEM;
	return __real_openat64(dir, path, flags, mode);
}

WRAP(int, mkostemp64, (char *path, int flags))
{
	FAIL_SYSTEM;
	return __real_mkostemp64(path, flags);
}

WRAP(int, fstat64, (int fd, struct stat64 *st))
{
	FAIL_SYSTEM;
	return __real_fstat64(fd, st);
}

WRAP(int, stat64, (const char *path, struct stat64 *st))
{
	FAIL_SYSTEM;
	return __real_stat64(path, st);
}

WRAP(int, fstatat64,
     (int dir, const char *path, struct stat64 *st, int flags))
{
	FAIL_SYSTEM;
	return __real_fstatat64(dir, path, st, flags);
}

WRAP(int, ftruncate64, (int fd, off64_t size))
{
	FAIL_SYSTEM;
	return __real_ftruncate64(fd, size);
}

WRAP(int, fallocate64, (int fd, int mode, off64_t off, off64_t n))
{
	FAIL_SYSTEM;
	return __real_fallocate64(fd, mode, off, n);
}

WRAP(int, fstatfs64, (int fd, struct statfs64 *fs))
{
	FAIL_SYSTEM;
	return __real_fstatfs64(fd, fs);
}

WRAP(int, fsync, (int fd))
{
	FAIL_SYSTEM;
	return __real_fsync(fd);
}

WRAP(int, fchmod, (int fd, mode_t mode))
{
	FAIL_SYSTEM;
	return __real_fchmod(fd, mode);
}

WRAP(int, flock, (int fd, int how))
{
	FAIL_SYSTEM;
	return __real_flock(fd, how);
}

WRAP(int, linkat, (int a, const char *from, int b, const char *to, int flags))
{
	FAIL_SYSTEM;
	return __real_linkat(a, from, b, to, flags);
}

WRAP(int, renameat, (int a, const char *from, int b, const char *to))
{
	FAIL_SYSTEM;
	return __real_renameat(a, from, b, to);
}

WRAP(int, symlinkat, (const char *target, int dir, const char *path))
{
	FAIL_SYSTEM;
	return __real_symlinkat(target, dir, path);
}

WRAP(int, mkdir, (const char *path, mode_t mode))
{
	FAIL_SYSTEM;
	return __real_mkdir(path, mode);
}

WRAP(int, mkdirat, (int dir, const char *path, mode_t mode))
{
	FAIL_SYSTEM;
	return __real_mkdirat(dir, path, mode);
}

WRAP(ssize_t, getrandom, (void *p, size_t n, unsigned flags))
{
	FAIL_SYSTEM;
	return __real_getrandom(p, n, flags);
}

/* ---- the loop ---- */

/*
 * Runs `body` with the k-th call of a kind failing, for every k (fewer of them
 * when there are many, or under a sanitizer): it must fail as UNIK_EIO in one
 * line, or do its work all the same; `after` judges what is left.
 */
struct fault_test {
	int (*body)(void);
	bool (*after)(int rc); /* rc: of the body */
};

static long fault_step(long k)
{
#ifdef __SANITIZE_ADDRESS__
	return k + 1 + k / 16;
#else
	return k + 1 + k / 200;
#endif
}

static bool fault_once(const struct fault_test *t, enum fault_kind kind,
		       long k, bool on, bool *fired)
{
	long blocks = fault_blocks;
	int files = open_files(), rc;
	bool good;

	err.msg[0] = 0;
	fault_arm(kind, k, on);
	rc = t->body();
	*fired = fault_disarm();
	good = rc == 0 ? !on || !*fired || kind == FAULT_SYSTEM
		       : rc == -1 && err.code == UNIK_EIO && neat(err.msg);
	if (kind != FAULT_MEMORY && kind != FAULT_SYSTEM)
		good = rc == 0;
	if (!good)
		printf("# call %ld: rc %d, code %d: %s\n", k, rc,
		       (int)err.code, err.msg);
	if (fault_blocks != blocks || open_files() != files) {
		printf("# call %ld (%s): %ld blocks, %d files left\n", k,
		       err.msg, fault_blocks - blocks, open_files() - files);
		good = false;
	}
	if (!t->after(rc)) {
		printf("# call %ld: rc %d (%s): not what should be left\n", k,
		       rc, err.msg);
		good = false;
	}
	return good;
}

UNUSED static void fault_loop(const struct fault_test *t, enum fault_kind kind,
			      bool on, const char *what)
{
	bool good = true, fired = true;
	long k, n = 0;

	for (k = 0; fired && good; k = fault_step(k), n++)
		good = fault_once(t, kind, k, on, &fired);
	ok(good && n > 3, "%s: %ld of %ld calls", what, n, k);
}

UNUSED static void fault_init(void)
{
	json_set_alloc_funcs(__wrap_malloc, __wrap_free);
}

#endif
