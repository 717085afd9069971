/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lanes: the same where AVX-512 is at hand.  SHA256MSG1 takes the unit that
 * the rounds of both lanes wait for; with rotations and three-way XOR, other
 * units do its work as fast.
 */
#include "lanes_private.h"

#ifdef UNIK_LANES_X86

#define SHA __attribute__((target("sha,sse4.1,ssse3,avx512f,avx512vl")))
#include "lanes_x86.h"

/* FIPS 180-4, section 4.1.2: s0(x) = rotr 7, rotr 18, shr 3. */
static INLINE __m128i msg1(__m128i a, __m128i b)
{
	const __m128i x = _mm_alignr_epi8(b, a, 4);

	return _mm_add_epi32(a, _mm_ternarylogic_epi32(_mm_ror_epi32(x, 7),
						       _mm_ror_epi32(x, 18),
						       _mm_srli_epi32(x, 3),
						       0x96 /* xor */));
}

static SHA void one(uint32_t h[8], const uint8_t *p, size_t n)
{
	blocks(h, p, NULL, NULL, n, false);
}

static SHA void two(uint32_t a[8], const uint8_t *p, uint32_t b[8],
		    const uint8_t *q, size_t n)
{
	blocks(a, p, b, q, n, true);
}

const struct unik_sha unik_sha_avx512 = { one, two, unik_sha_many };

#endif
