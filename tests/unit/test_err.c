/* SPDX-License-Identifier: GPL-3.0-or-later */
/* err: codes, texts, quoting of hostile bytes, and nothing past the end. */
#include <errno.h>

#include "core.h"

static void test_codes(void)
{
	ok(failed(unik_fail(&err, "bad %d", 1), UNIK_EBAD, "bad 1"), "fail");
	ok(failed(unik_fail_usage(&err, "use"), UNIK_EUSAGE, "use"), "usage");
	ok(failed(unik_fail_io(&err, "io"), UNIK_EIO, "io") && err.sys == 0,
	   "io");
	ok(failed(unik_fail_mem(&err), UNIK_EIO, "out of memory") &&
		   err.sys == ENOMEM,
	   "memory");
	errno = ENOSPC;
	ok(failed(unik_fail_sys(&err, "can't write '%s'", "x"), UNIK_EIO,
		  "can't write 'x': No space left on device") &&
		   err.sys == ENOSPC,
	   "a system call, with errno and its unlocalised text");
	errno = 4095;
	ok(failed(unik_fail_sys(&err, "x"), UNIK_EIO, "x: unknown error"),
	   "an errno that has no text");
}

static void test_wrap(void)
{
	char big[3000];
	int i;

	errno = EIO;
	unik_fail_sys(&err, "inner");
	ok(failed(unik_wrap(&err, "layer %d", 3), UNIK_EIO,
		  "layer 3: inner: ") && err.sys == EIO,
	   "wrap keeps code and errno");
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = 0;
	unik_fail(&err, "%s", big);
	ok(strlen(err.msg) == sizeof(err.msg) - 1, "a long text is cut");
	for (i = 0; i < 100; i++)
		unik_wrap(&err, "%s", i == 50 ? big : "context");
	ok(strlen(err.msg) < sizeof(err.msg) &&
		   strncmp(err.msg, "context: ", 9) == 0,
	   "and so is a text wrapped again and again");
}

static void test_quote(void)
{
	static const struct {
		const char *bytes;
		size_t n;
		const char *text;
	} cases[] = {
		{ "", 0, "''" },
		{ "a b", 3, "'a b'" },
		{ "a\nb", 3, "'a\\x0ab'" },
		{ "\0", 1, "'\\x00'" },
		{ "it's", 4, "'it\\x27s'" },
		{ "a\\b", 3, "'a\\x5cb'" },
		{ "\x7f\x80\xff", 3, "'\\x7f\\x80\\xff'" },
		{ "\x1b[31m", 5, "'\\x1b[31m'" },
	};
	char q[UNIK_QUOTE_SIZE];
	size_t i;

	for (i = 0; i < COUNT(cases); i++)
		ok(strcmp(unik_quote(q, cases[i].bytes, cases[i].n),
			  cases[i].text) == 0,
		   "quote %s: %s", cases[i].text, q);
}

/* Every length of every kind of byte stays in the buffer; long ones keep
 * their two ends. */
static void test_quote_bounds(void)
{
	static const unsigned char bytes[] = { 'a', '\n', 0xff };
	char in[5000], *q = make_room(UNIK_QUOTE_SIZE - 1);
	bool good = true;
	size_t n, k;

	for (k = 0; k < COUNT(bytes); k++) {
		memset(in, bytes[k], sizeof(in));
		for (n = 0; n < 600; n++) {
			unik_quote(q, in, n);
			good &= strlen(q) < UNIK_QUOTE_SIZE && q[0] == '\'' &&
				q[strlen(q) - 1] == '\'';
		}
		in[0] = '<';
		in[sizeof(in) - 1] = '>';
		unik_quote(q, in, sizeof(in));
		good &= strlen(q) < UNIK_QUOTE_SIZE && q[1] == '<' &&
			q[strlen(q) - 2] == '>' && strstr(q, "...");
	}
	ok(good, "no length leaves the buffer, head and tail are kept");
	free(q);
}

int main(void)
{
	test_codes();
	test_wrap();
	test_quote();
	test_quote_bounds();
	return tap_done();
}
