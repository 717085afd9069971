/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lanes: the compression function in the SHA extensions of x86 (Intel 64 and
 * IA-32 Architectures Software Developer's Manual, volume 2: SHA256RNDS2,
 * SHA256MSG1, SHA256MSG2).  The state is held as the words ABEF and CDGH, as
 * SHA256RNDS2 wants them.
 */
#include "lanes_private.h"

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))

#include <cpuid.h>
#include <immintrin.h>

#define SHA __attribute__((target("sha,sse4.1,ssse3")))
#define INLINE SHA __attribute__((always_inline)) inline

/* FIPS 180-4, section 4.2.2. */
static const uint32_t k256[64] __attribute__((aligned(16))) = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
	0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
	0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
	0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
	0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
	0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2
};

bool unik_sha_usable(void)
{
	unsigned a, b, c, d;

	/* Leaf 1: SSSE3 is ECX bit 9, SSE4.1 bit 19; leaf 7: SHA is EBX bit
	 * 29 (the same manual, CPUID). */
	if (!__get_cpuid(1, &a, &b, &c, &d) ||
	    (c & (1u << 9 | 1u << 19)) != (1u << 9 | 1u << 19))
		return false;
	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & 1u << 29);
}

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
		t = _mm_add_epi32(_mm_sha256msg1_epu32(w[i & 3],
						       w[(i + 1) & 3]), t);
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
			const __m128i k = _mm_load_si128(
				(const __m128i *)(const void *)(k256 + 4 * i));

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

SHA void unik_sha_blocks(uint32_t h[8], const uint8_t *p, size_t n)
{
	blocks(h, p, NULL, NULL, n, false);
}

SHA void unik_sha_blocks2(uint32_t a[8], const uint8_t *p, uint32_t b[8],
			  const uint8_t *q, size_t n)
{
	blocks(a, p, b, q, n, true);
}

#else

bool unik_sha_usable(void)
{
	return false;
}

void unik_sha_blocks(uint32_t h[8], const uint8_t *p, size_t n)
{
	(void)h;
	(void)p;
	(void)n;
}

void unik_sha_blocks2(uint32_t a[8], const uint8_t *p, uint32_t b[8],
		      const uint8_t *q, size_t n)
{
	(void)a;
	(void)p;
	(void)b;
	(void)q;
	(void)n;
}

#endif
