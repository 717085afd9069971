/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "civil.h"

#define DAY 86400
#define ERA_DAYS 146097 /* days of 400 years */

/* Years are counted from March, so that the leap day is the last one; 719468
 * days lie between 0000-03-01 and 1970-01-01. */
static void set_date(struct unik_civil *c, int64_t days)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - (ERA_DAYS - 1)) / ERA_DAYS;
	int64_t doe = z - era * ERA_DAYS;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t m = (5 * doy + 2) / 153;

	c->day = (int)(doy - (153 * m + 2) / 5 + 1);
	c->month = (int)(m < 10 ? m + 3 : m - 9);
	c->year = yoe + era * 400 + (c->month <= 2);
}

void unik_civil(int64_t sec, struct unik_civil *c)
{
	int64_t days = sec / DAY, rest = sec % DAY;

	if (rest < 0) {
		rest += DAY;
		days--;
	}
	set_date(c, days);
	c->hour = (int)(rest / 3600);
	c->minute = (int)(rest / 60 % 60);
	c->second = (int)(rest % 60);
}
