/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define MAX_IO (1u << 30)

static size_t one_io(size_t n)
{
	return n < MAX_IO ? n : MAX_IO;
}

static int check_offset(uint64_t off, size_t n, struct unik_err *err)
{
	if (off > (uint64_t)INT64_MAX || n > (uint64_t)INT64_MAX - off)
		return unik_fail(err, "offset %llu is out of range",
				 (unsigned long long)off);
	return 0;
}

int unik_pread_all(int fd, void *buf, size_t n, uint64_t off,
		   struct unik_err *err)
{
	uint8_t *p = buf;

	if (check_offset(off, n, err) < 0)
		return -1;
	while (n > 0) {
		ssize_t got = pread(fd, p, one_io(n), (off_t)off);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return unik_fail_sys(err, "can't read");
		if (got == 0)
			return unik_fail(err, "the file ends too early");
		p += got;
		n -= (size_t)got;
		off += (uint64_t)got;
	}
	return 0;
}

int unik_pwrite_all(int fd, const void *buf, size_t n, uint64_t off,
		    struct unik_err *err)
{
	const uint8_t *p = buf;

	if (check_offset(off, n, err) < 0)
		return -1;
	while (n > 0) {
		ssize_t put = pwrite(fd, p, one_io(n), (off_t)off);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return unik_fail_sys(err, "can't write");
		p += put;
		n -= (size_t)put;
		off += (uint64_t)put;
	}
	return 0;
}

int unik_pwritev_all(int fd, struct iovec *v, size_t n, uint64_t sum,
		     uint64_t off, struct unik_err *err)
{
	if (check_offset(off, sum, err) < 0)
		return -1;
	while (n > 0) {
		ssize_t put = pwritev(fd, v, (int)n, (off_t)off);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return unik_fail_sys(err, "can't write");
		off += (uint64_t)put;
		for (; n > 0 && (size_t)put >= v->iov_len; v++, n--)
			put -= (ssize_t)v->iov_len;
		if (n > 0) {
			v->iov_base = (uint8_t *)v->iov_base + put;
			v->iov_len -= (size_t)put;
		}
	}
	return 0;
}

int unik_write_all(int fd, const void *buf, size_t n, struct unik_err *err)
{
	const uint8_t *p = buf;

	while (n > 0) {
		ssize_t put = write(fd, p, one_io(n));

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return unik_fail_sys(err, "can't write");
		p += put;
		n -= (size_t)put;
	}
	return 0;
}

int unik_read_full(int fd, void *buf, size_t n, size_t *got,
		   struct unik_err *err)
{
	size_t sum = 0;

	while (sum < n) {
		ssize_t r = read(fd, (uint8_t *)buf + sum, one_io(n - sum));

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return unik_fail_sys(err, "can't read");
		if (r == 0)
			break;
		sum += (size_t)r;
	}
	*got = sum;
	return 0;
}

/* What equals itself, shifted by one, is all like its first byte. */
bool unik_all_zero(const void *p, size_t n)
{
	const uint8_t *b = p;

	return n == 0 || (b[0] == 0 && memcmp(b, b + 1, n - 1) == 0);
}

int unik_spool_open(const char *dir, int *fd, struct unik_err *err)
{
	char path[PATH_MAX];
	int n;

	*fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (*fd >= 0)
		return 0;
	if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
		return unik_fail_sys(err, "can't make a temporary file in '%s'",
				     dir);
	n = snprintf(path, sizeof(path), "%s/.unik-tmp-XXXXXX", dir);
	if (n < 0 || (size_t)n >= sizeof(path))
		return unik_fail_usage(err, "path too long: '%s'", dir);
	*fd = mkostemp(path, O_CLOEXEC);
	if (*fd < 0)
		return unik_fail_sys(err, "can't make a temporary file in '%s'",
				     dir);
	unlink(path);
	return 0;
}
