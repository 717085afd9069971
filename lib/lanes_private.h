/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lanes: the compression function of sha256 (FIPS 180-4, section 6.2.2), in the
 * ways that processors have for it. */
#ifndef UNIK_LANES_PRIVATE_H
#define UNIK_LANES_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__) && defined(__GNUC__)
#define UNIK_LANES_X86
#endif

struct unik_sha {
	/* n blocks of 64 bytes. */
	void (*one)(uint32_t h[8], const uint8_t *p, size_t n);
	/* n blocks of each of two streams. */
	void (*two)(uint32_t a[8], const uint8_t *p, uint32_t b[8],
		    const uint8_t *q, size_t n);
	/* n blocks of each of sixteen streams, whose states are the columns of
	 * h; NULL: this processor can't. */
	void (*many)(uint32_t h[8][16], const uint8_t *const p[16], size_t n);
};

/* The fastest that this processor has, NULL: none. */
const struct unik_sha *unik_sha_find(void);
/* Whether its two() takes hardly longer than one(). */
bool unik_sha_cheap_pairs(void);

#ifdef UNIK_LANES_X86
extern const struct unik_sha unik_sha_plain; /* the SHA extensions alone */
extern const struct unik_sha unik_sha_avx512;
void unik_sha_many(uint32_t h[8][16], const uint8_t *const p[16], size_t n);
/* FIPS 180-4, section 4.2.2. */
extern const uint32_t unik_sha_k[64];
#endif

#endif
