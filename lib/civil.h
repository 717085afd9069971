/* SPDX-License-Identifier: GPL-3.0-or-later */
/* civil: seconds since 1970-01-01T00:00:00Z as a date, without the system's
 * time zones and limits. */
#ifndef UNIK_CIVIL_H
#define UNIK_CIVIL_H

#include <stdint.h>

struct unik_civil {
	int64_t year; /* proleptic Gregorian; may be negative */
	int month;    /* 1..12 */
	int day;      /* 1..31 */
	int hour;
	int minute;
	int second;
};

void unik_civil(int64_t sec, struct unik_civil *c);

#endif
