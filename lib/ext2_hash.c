/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ext2_hash.h"

#include <string.h>

#include "ext2_fmt.h"

#define WORDS 8u
#define CHUNK (WORDS * 4)

/* The end of the hash space: no name may hash to it. */
#define HASH_EOF 0xfffffffeu

static uint32_t rotate(uint32_t x, unsigned int n)
{
	return x << n | x >> (32 - n);
}

/* RFC 1320, section 3.4: F, G and H, in forms of fewer operations. */
static uint32_t f(uint32_t x, uint32_t y, uint32_t z)
{
	return z ^ (x & (y ^ z));
}

static uint32_t g(uint32_t x, uint32_t y, uint32_t z)
{
	return (x & y) | (z & (x | y));
}

static uint32_t h(uint32_t x, uint32_t y, uint32_t z)
{
	return x ^ y ^ z;
}

/* Four steps of a round: words i to l of the input, rotated by r0 to r3. */
#define FOUR(mix, i, j, k, l, add, r0, r1, r2, r3)			\
	do {								\
		a = rotate(a + mix(b, c, d) + in[i] + (add), r0);	\
		d = rotate(d + mix(a, b, c) + in[j] + (add), r1);	\
		c = rotate(c + mix(d, a, b) + in[k] + (add), r2);	\
		b = rotate(b + mix(c, d, a) + in[l] + (add), r3);	\
	} while (0)

/* Each round takes 8 of MD4's 16 steps, and the third has an order of words of
 * its own. */
static void transform(uint32_t state[4], const uint32_t in[WORDS])
{
	uint32_t a = state[0], b = state[1], c = state[2], d = state[3];

	FOUR(f, 0, 1, 2, 3, 0, 3, 7, 11, 19);
	FOUR(f, 4, 5, 6, 7, 0, 3, 7, 11, 19);
	FOUR(g, 1, 3, 5, 7, 0x5a827999, 3, 5, 9, 13);
	FOUR(g, 0, 2, 4, 6, 0x5a827999, 3, 5, 9, 13);
	FOUR(h, 3, 7, 2, 6, 0x6ed9eba1, 3, 9, 11, 15);
	FOUR(h, 1, 5, 0, 4, 0x6ed9eba1, 3, 9, 11, 15);
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
}

static uint32_t char_value(char c, bool sign)
{
	return sign ? (uint32_t)(int32_t)(signed char)c
		    : (uint32_t)(unsigned char)c;
}

/* Up to 32 bytes as words, the first byte on top; what is missing is filled
 * with the length in every byte. */
static void load(const char *name, size_t n, bool sign, uint32_t in[WORDS])
{
	uint32_t pad = (uint32_t)n * 0x01010101u, word = pad;
	size_t i = 0, at = 0;

	for (; !sign && n - i >= 4; i += 4) {
		const uint8_t *p = (const uint8_t *)name + i;

		in[at++] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
			   (uint32_t)p[2] << 8 | p[3];
	}
	for (; i < n; i++) {
		word = (word << 8) + char_value(name[i], sign);
		if (i % 4 == 3) {
			in[at++] = word;
			word = pad;
		}
	}
	for (; at < WORDS; word = pad)
		in[at++] = word;
}

struct ext2_hash unik_ext2_hash(const uint8_t seed[16], bool sign,
				const char *name, size_t n)
{
	uint32_t state[4] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476 };
	uint32_t in[WORDS], any = 0, given[4];
	struct ext2_hash hash;
	unsigned int i;

	for (i = 0; i < 4; i++) {
		given[i] = ext2_get32(seed + 4 * i);
		any |= given[i];
	}
	if (any)
		memcpy(state, given, sizeof(state));
	while (n > 0) {
		size_t m = n < CHUNK ? n : CHUNK;

		load(name, m, sign, in);
		transform(state, in);
		name += m;
		n -= m;
	}
	hash.major = state[1] & ~1u;
	if (hash.major == HASH_EOF)
		hash.major -= 2;
	hash.minor = state[2];
	return hash;
}
