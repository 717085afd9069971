/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * writer_iso: time stamps.
 *
 * Only the 7-byte form is used: Linux before 6.15 does not read 17-byte stamps
 * in TF (it takes them for 7-byte ones).  It holds whole seconds of the years
 * 1900 to 2155.
 */
#include "civil.h"
#include "writer_iso.h"

#define DAY 86400
/* Days from 1900-01-01 and from 2156-01-01 to 1970-01-01. */
#define FIRST_SECOND (INT64_C(-25567) * DAY)
#define LAST_SECOND (INT64_C(67935) * DAY - 1)

bool unik_iso_time7(int64_t sec, uint32_t nsec, uint8_t out[7])
{
	bool exact = nsec == 0 && sec >= FIRST_SECOND && sec <= LAST_SECOND;
	struct unik_civil c;

	if (sec < FIRST_SECOND)
		sec = FIRST_SECOND;
	if (sec > LAST_SECOND)
		sec = LAST_SECOND;
	unik_civil(sec, &c);
	out[0] = (uint8_t)(c.year - 1900);
	out[1] = (uint8_t)c.month;
	out[2] = (uint8_t)c.day;
	out[3] = (uint8_t)c.hour;
	out[4] = (uint8_t)c.minute;
	out[5] = (uint8_t)c.second;
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
