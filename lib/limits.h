/* SPDX-License-Identifier: GPL-3.0-or-later */
/* limits: the one table of bounds (see struct unik_limits in unik.h), and
 * arithmetic on numbers that come from input. */
#ifndef UNIK_LIMITS_H
#define UNIK_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "unik.h"

/* The ratio is looked at only past so many bytes of output. */
#define UNIK_RATIO_GRACE (64u << 20)

/*
 * What the limits on paths come to at most: buffers are made for the longest
 * path, and trees are merged by recursion.  Far over what a system can mount:
 * PATH_MAX is 4096 on Linux, 1024 on NetBSD.
 */
#define UNIK_PATH_MOST ((uint64_t)1 << 20)
#define UNIK_DEPTH_MOST 4096u

static inline size_t unik_max_path(const struct unik_limits *limits)
{
	return (size_t)(limits->path < UNIK_PATH_MOST ? limits->path
						      : UNIK_PATH_MOST);
}

static inline size_t unik_max_depth(const struct unik_limits *limits)
{
	return (size_t)(limits->depth < UNIK_DEPTH_MOST ? limits->depth
							: UNIK_DEPTH_MOST);
}

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
