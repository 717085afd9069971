/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lanes: sixteen streams at once, one in each 32-bit element of the registers
 * of AVX-512: nothing waits for a round before it, so that a byte costs half
 * of what it costs in the SHA extensions, as long as most elements are used.
 */
#include "lanes_private.h"

#ifdef UNIK_LANES_X86

#include <immintrin.h>

#define AVX __attribute__((target("avx512f,avx512bw")))
#define INLINE AVX __attribute__((always_inline)) inline

typedef __m512i words; /* the same word of all streams */

static INLINE words add(words a, words b)
{
	return _mm512_add_epi32(a, b);
}

static INLINE words xor3(words a, words b, words c)
{
	return _mm512_ternarylogic_epi32(a, b, c, 0x96);
}

/* FIPS 180-4, section 4.1.2. */
static INLINE words small_sigma0(words x)
{
	return xor3(_mm512_ror_epi32(x, 7), _mm512_ror_epi32(x, 18),
		    _mm512_srli_epi32(x, 3));
}

static INLINE words small_sigma1(words x)
{
	return xor3(_mm512_ror_epi32(x, 17), _mm512_ror_epi32(x, 19),
		    _mm512_srli_epi32(x, 10));
}

static INLINE words big_sigma0(words x)
{
	return xor3(_mm512_ror_epi32(x, 2), _mm512_ror_epi32(x, 13),
		    _mm512_ror_epi32(x, 22));
}

static INLINE words big_sigma1(words x)
{
	return xor3(_mm512_ror_epi32(x, 6), _mm512_ror_epi32(x, 11),
		    _mm512_ror_epi32(x, 25));
}

static INLINE words choose(words x, words y, words z)
{
	return _mm512_ternarylogic_epi32(x, y, z, 0xca);
}

static INLINE words majority(words x, words y, words z)
{
	return _mm512_ternarylogic_epi32(x, y, z, 0xe8);
}

/* w[i]: sixteen words of stream i -> w[i]: word i of sixteen streams. */
static INLINE void transpose(words w[16])
{
	words t[16];
	int i;

#pragma GCC unroll 8
	for (i = 0; i < 16; i += 2) {
		t[i] = _mm512_unpacklo_epi32(w[i], w[i + 1]);
		t[i + 1] = _mm512_unpackhi_epi32(w[i], w[i + 1]);
	}
#pragma GCC unroll 4
	for (i = 0; i < 16; i += 4) {
		w[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
		w[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
		w[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
		w[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
	}
#pragma GCC unroll 4
	for (i = 0; i < 4; i++) {
		t[i] = _mm512_shuffle_i32x4(w[i], w[i + 4], 0x88);
		t[i + 4] = _mm512_shuffle_i32x4(w[i], w[i + 4], 0xdd);
		t[i + 8] = _mm512_shuffle_i32x4(w[i + 8], w[i + 12], 0x88);
		t[i + 12] = _mm512_shuffle_i32x4(w[i + 8], w[i + 12], 0xdd);
	}
#pragma GCC unroll 4
	for (i = 0; i < 4; i++) {
		w[i] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0x88);
		w[i + 8] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0xdd);
		w[i + 4] = _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0x88);
		w[i + 12] = _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0xdd);
	}
}

/* The words of one block of each stream. */
static INLINE void load(words w[16], const uint8_t *const p[16], size_t at)
{
	const words swap = _mm512_set4_epi32(0x0c0d0e0f, 0x08090a0b,
					     0x04050607, 0x00010203);
	int i;

#pragma GCC unroll 16
	for (i = 0; i < 16; i++)
		w[i] = _mm512_shuffle_epi8(_mm512_loadu_si512(p[i] + at), swap);
	transpose(w);
}

/* The word of round t, FIPS 180-4, section 6.2.2, step 1. */
static INLINE words schedule(words w[16], int t)
{
	if (t >= 16)
		w[t & 15] = add(add(w[t & 15], small_sigma0(w[(t + 1) & 15])),
				add(w[(t + 9) & 15],
				    small_sigma1(w[(t + 14) & 15])));
	return w[t & 15];
}

/* Step 3; the names move on by one word each round, so s[(8 - t) % 8] is a. */
static INLINE void round_of(words s[8], words w, int t)
{
	const words k = _mm512_set1_epi32((int)unik_sha_k[t]);
	words *a = &s[(64 - t) & 7], *b = &s[(65 - t) & 7];
	words *c = &s[(66 - t) & 7], *d = &s[(67 - t) & 7];
	words *e = &s[(68 - t) & 7], *f = &s[(69 - t) & 7];
	words *g = &s[(70 - t) & 7], *h = &s[(71 - t) & 7];
	words t1 = add(add(add(*h, big_sigma1(*e)), add(choose(*e, *f, *g), k)),
		       w);

	*d = add(*d, t1);
	*h = add(t1, add(big_sigma0(*a), majority(*a, *b, *c)));
}

AVX void unik_sha_many(uint32_t h[8][16], const uint8_t *const p[16], size_t n)
{
	words s[8], v[8], w[16];
	size_t at;
	int i;

	for (i = 0; i < 8; i++)
		s[i] = _mm512_loadu_si512(h[i]);
	for (at = 0; at < n * 64; at += 64) {
		load(w, p, at);
#pragma GCC unroll 8
		for (i = 0; i < 8; i++)
			v[i] = s[i];
#pragma GCC unroll 64
		for (i = 0; i < 64; i++)
			round_of(v, schedule(w, i), i);
#pragma GCC unroll 8
		for (i = 0; i < 8; i++)
			s[i] = add(s[i], v[i]);
	}
	for (i = 0; i < 8; i++)
		_mm512_storeu_si512(h[i], s[i]);
}

#endif
