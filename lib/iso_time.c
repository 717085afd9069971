/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * writer_iso: time stamps.
 *
 * Only the 7-byte form is used: Linux before 6.15 does not read 17-byte stamps
 * in TF (it takes them for 7-byte ones).  It holds whole seconds of the years
 * 1900 to 2155.
 */
#include "writer_iso.h"

#define DAY 86400
/* Days from 1900-01-01 and from 2156-01-01 to 1970-01-01. */
#define FIRST_SECOND (INT64_C(-25567) * DAY)
#define LAST_SECOND (INT64_C(67935) * DAY - 1)

/* Days since 1970-01-01 -> date, proleptic Gregorian.  Years are counted from
 * March, so that the leap day is the last one; 719468 days lie between
 * 0000-03-01 and 1970-01-01. */
static void civil(int64_t days, int *year, int *month, int *day)
{
	int64_t z = days + 719468; /* never negative in the range above */
	int64_t era = z / 146097;
	int64_t doe = z % 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t m = (5 * doy + 2) / 153;

	*day = (int)(doy - (153 * m + 2) / 5 + 1);
	*month = (int)(m < 10 ? m + 3 : m - 9);
	*year = (int)(yoe + era * 400 + (*month <= 2));
}

bool unik_iso_time7(int64_t sec, uint32_t nsec, uint8_t out[7])
{
	bool exact = nsec == 0 && sec >= FIRST_SECOND && sec <= LAST_SECOND;
	int year, month, day;
	int64_t days, rest;

	if (sec < FIRST_SECOND)
		sec = FIRST_SECOND;
	if (sec > LAST_SECOND)
		sec = LAST_SECOND;
	days = sec / DAY;
	rest = sec % DAY;
	if (rest < 0) {
		rest += DAY;
		days--;
	}
	civil(days, &year, &month, &day);
	out[0] = (uint8_t)(year - 1900);
	out[1] = (uint8_t)month;
	out[2] = (uint8_t)day;
	out[3] = (uint8_t)(rest / 3600);
	out[4] = (uint8_t)(rest / 60 % 60);
	out[5] = (uint8_t)(rest % 60);
	out[6] = 0; /* GMT */
	return exact;
}

/* Takes `digits` digits of min..min + range - 1 out of *x. */
static uint8_t *draw(uint64_t *x, unsigned min, unsigned range, unsigned digits,
		     uint8_t *out)
{
	unsigned v = min + (unsigned)(*x % range), i;

	*x /= range;
	for (i = digits; i-- > 0; v /= 10)
		out[i] = (uint8_t)('0' + v % 10);
	return out + digits;
}

/*
 * blkid shows the modification time of the volume as its UUID:
 * YYYY-MM-DD-HH-MM-SS-hh.  There is no clock here, so the field carries 2^44
 * values of the tree digest in the form of a date (year 1000 to 9999, day 1 to
 * 28), which is as good as a random UUID for telling volumes apart.
 */
void unik_iso_time17(const uint8_t digest[UNIK_SHA256_SIZE],
		     struct iso_time17 *out)
{
	uint8_t *p = out->digits;
	uint64_t x = 0;
	int i;

	for (i = 0; i < 8; i++)
		x = x << 8 | digest[i];
	p = draw(&x, 1000, 9000, 4, p);
	p = draw(&x, 1, 12, 2, p);
	p = draw(&x, 1, 28, 2, p);
	p = draw(&x, 0, 24, 2, p);
	p = draw(&x, 0, 60, 2, p);
	p = draw(&x, 0, 60, 2, p);
	draw(&x, 0, 100, 2, p);
	out->offset = 0;
}
