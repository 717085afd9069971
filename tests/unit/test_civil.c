/* SPDX-License-Identifier: GPL-3.0-or-later */
/* civil: against the system's own conversion, and beyond its range. */
#define _GNU_SOURCE
#include <time.h>

#include "civil.h"
#include "core.h"

static bool same(int64_t sec)
{
	time_t t = (time_t)sec;
	struct unik_civil c;
	struct tm tm;

	unik_civil(sec, &c);
	if (!gmtime_r(&t, &tm))
		die("gmtime_r");
	return c.year == (int64_t)tm.tm_year + 1900 &&
	       c.month == tm.tm_mon + 1 && c.day == tm.tm_mday &&
	       c.hour == tm.tm_hour && c.minute == tm.tm_min &&
	       c.second == tm.tm_sec;
}

static void test_days(void)
{
	bool all = true;
	int64_t day;

	for (day = -800000; day < 800000; day += 1)
		all &= same(day * 86400) && same(day * 86400 - 1);
	ok(all, "every day of 4,000 years, its first and last second");
}

static void test_random(void)
{
	bool all = true;
	int i;

	for (i = 0; i < 100000; i++)
		all &= same((int64_t)random_u64() >> 9);
	ok(all, "any time of 36 million years each way");
}

static void test_ends(void)
{
	struct unik_civil c;

	unik_civil(INT64_MAX, &c);
	ok(c.year == INT64_C(292277026596) && c.month == 12 && c.day == 4 &&
		   c.hour == 15 && c.minute == 30 && c.second == 7,
	   "the last second");
	unik_civil(INT64_MIN, &c);
	ok(c.year == INT64_C(-292277022657) && c.month == 1 && c.day == 27 &&
		   c.hour == 8 && c.minute == 29 && c.second == 52,
	   "the first second");
}

int main(void)
{
	test_days();
	test_random();
	test_ends();
	return tap_done();
}
