/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int fail_va(struct unik_err *err, enum unik_code code, const char *fmt,
		   va_list ap)
{
	err->code = code;
	err->sys = 0;
	vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	return -1;
}

int unik_fail(struct unik_err *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fail_va(err, UNIK_EBAD, fmt, ap);
	va_end(ap);
	return -1;
}

int unik_fail_usage(struct unik_err *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fail_va(err, UNIK_EUSAGE, fmt, ap);
	va_end(ap);
	return -1;
}

int unik_fail_io(struct unik_err *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fail_va(err, UNIK_EIO, fmt, ap);
	va_end(ap);
	return -1;
}

int unik_fail_sys(struct unik_err *err, const char *fmt, ...)
{
	int sys = errno;
	const char *text = strerrordesc_np(sys); /* not localised */
	size_t used;
	va_list ap;

	va_start(ap, fmt);
	fail_va(err, UNIK_EIO, fmt, ap);
	va_end(ap);
	err->sys = sys;
	used = strlen(err->msg);
	snprintf(err->msg + used, sizeof(err->msg) - used, ": %s",
		 text ? text : "unknown error");
	return -1;
}

int unik_fail_mem(struct unik_err *err)
{
	errno = ENOMEM;
	unik_fail_io(err, "out of memory");
	err->sys = ENOMEM;
	return -1;
}

int unik_wrap(struct unik_err *err, const char *fmt, ...)
{
	char old[sizeof(err->msg)];
	size_t used;
	va_list ap;

	memcpy(old, err->msg, sizeof(old));
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	used = strlen(err->msg);
	snprintf(err->msg + used, sizeof(err->msg) - used, ": %.*s",
		 (int)(sizeof(old) - 1), old);
	return -1;
}

/* Writes one byte of input as text; returns how many characters. */
static size_t quote_byte(char *out, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";

	if (c >= 0x20 && c < 0x7f && c != '\\' && c != '\'') {
		out[0] = (char)c;
		return 1;
	}
	out[0] = '\\';
	out[1] = 'x';
	out[2] = hex[c >> 4];
	out[3] = hex[c & 15];
	return 4;
}

const char *unik_quote(char buf[UNIK_QUOTE_SIZE], const void *bytes, size_t n)
{
	enum { HEAD = 200, TAIL = 16 };
	const unsigned char *p = bytes;
	size_t out = 0, i;

	buf[out++] = '\'';
	for (i = 0; i < n; i++) {
		if (out > HEAD && n - i > TAIL) {
			memcpy(buf + out, "...", 3);
			out += 3;
			i = n - TAIL;
		}
		out += quote_byte(buf + out, p[i]);
	}
	buf[out++] = '\'';
	buf[out] = 0;
	return buf;
}
