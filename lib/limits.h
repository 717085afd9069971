/* SPDX-License-Identifier: GPL-3.0-or-later */
/* limits: the one table of bounds (see struct unik_limits in unik.h), and
 * arithmetic on numbers that come from input. */
#ifndef UNIK_LIMITS_H
#define UNIK_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "unik.h"

/* The ratio is looked at only past so many bytes of output. */
#define UNIK_RATIO_GRACE (64u << 20)

/* Checked arithmetic: false where the result does not fit. */
static inline bool unik_add(uint64_t a, uint64_t b, uint64_t *sum)
{
	return !__builtin_add_overflow(a, b, sum);
}

static inline bool unik_mul(uint64_t a, uint64_t b, uint64_t *product)
{
	return !__builtin_mul_overflow(a, b, product);
}

/* a / b, rounded up; b is not 0. */
static inline uint64_t unik_div_up(uint64_t a, uint64_t b)
{
	return a / b + (a % b != 0);
}

#endif
