/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lanes: the compression function in the SHA extensions of x86 (Intel 64 and
 * IA-32 Architectures Software Developer's Manual, volume 2: SHA256RNDS2,
 * SHA256MSG1, SHA256MSG2).  The state is held as the words ABEF and CDGH, as
 * SHA256RNDS2 wants them.
 *
 * Who includes this defines SHA, the target attribute, and then msg1(), the
 * first half of four words of the message schedule (FIPS 180-4, section 6.2.2,
 * step 1): w[t-16] + s0(w[t-15]), from the words t-16.. and t-12...
 */
#ifndef UNIK_LANES_X86_H
#define UNIK_LANES_X86_H

#include <immintrin.h>

#include "lanes_private.h"

#define INLINE SHA __attribute__((always_inline)) inline

static INLINE __m128i msg1(__m128i a, __m128i b);

struct lane {
	__m128i abef;
	__m128i cdgh;
	__m128i w[4]; /* the sixteen last words of the message schedule */
};

static INLINE void load(struct lane *l, const uint32_t h[8])
{
	__m128i lo = _mm_loadu_si128((const __m128i *)(const void *)h);
	__m128i hi = _mm_loadu_si128((const __m128i *)(const void *)(h + 4));

	lo = _mm_shuffle_epi32(lo, 0xb1);
	hi = _mm_shuffle_epi32(hi, 0x1b);
	l->abef = _mm_alignr_epi8(lo, hi, 8);
	l->cdgh = _mm_blend_epi16(hi, lo, 0xf0);
}

static INLINE void store(const struct lane *l, uint32_t h[8])
{
	__m128i lo = _mm_shuffle_epi32(l->abef, 0x1b);
	__m128i hi = _mm_shuffle_epi32(l->cdgh, 0xb1);

	_mm_storeu_si128((__m128i *)(void *)h, _mm_blend_epi16(lo, hi, 0xf0));
	_mm_storeu_si128((__m128i *)(void *)(h + 4),
			 _mm_alignr_epi8(hi, lo, 8));
}

/* The words of rounds 4i .. 4i+3. */
static INLINE __m128i words(struct lane *l, const uint8_t *p, int i)
{
	const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b,
					    0x0405060700010203);
	__m128i *w = l->w;
	__m128i t;

	if (i < 4) {
		t = _mm_loadu_si128((const __m128i *)(const void *)
				    (p + 16 * i));
		w[i] = _mm_shuffle_epi8(t, swap);
	} else {
		t = _mm_alignr_epi8(w[(i + 3) & 3], w[(i + 2) & 3], 4);
		t = _mm_add_epi32(t, msg1(w[i & 3], w[(i + 1) & 3]));
		w[i & 3] = _mm_sha256msg2_epu32(t, w[(i + 3) & 3]);
	}
	return w[i & 3];
}

static INLINE void rounds(struct lane *l, __m128i wk)
{
	l->cdgh = _mm_sha256rnds2_epu32(l->cdgh, l->abef, wk);
	l->abef = _mm_sha256rnds2_epu32(l->abef, l->cdgh,
					_mm_shuffle_epi32(wk, 0x0e));
}

/* All loops have fixed bounds, so the compiler unrolls them; `both` is a
 * constant at each call. */
static INLINE void blocks(uint32_t a[8], const uint8_t *p, uint32_t b[8],
			  const uint8_t *q, size_t n, const bool both)
{
	struct lane x, y;
	int i;

	load(&x, a);
	y = x;
	if (both)
		load(&y, b);
	for (; n > 0; n--) {
		const struct lane x0 = x, y0 = y;

#pragma GCC unroll 16
		for (i = 0; i < 16; i++) {
			const void *k4 = unik_sha_k + 4 * i;
			const __m128i k = _mm_load_si128(k4);

			rounds(&x, _mm_add_epi32(words(&x, p, i), k));
			if (both)
				rounds(&y, _mm_add_epi32(words(&y, q, i), k));
		}
		x.abef = _mm_add_epi32(x.abef, x0.abef);
		x.cdgh = _mm_add_epi32(x.cdgh, x0.cdgh);
		p += 64;
		if (!both)
			continue;
		y.abef = _mm_add_epi32(y.abef, y0.abef);
		y.cdgh = _mm_add_epi32(y.cdgh, y0.cdgh);
		q += 64;
	}
	store(&x, a);
	if (both)
		store(&y, b);
}

#endif
