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

/* RFC 1320, section 3.4; each round takes 8 of MD4's 16 steps, and the third
 * has an order of words of its own. */
static uint32_t mix(unsigned int round, uint32_t x, uint32_t y, uint32_t z)
{
	if (round == 0)
		return (x & y) | (~x & z);
	if (round == 1)
		return (x & y) | (x & z) | (y & z);
	return x ^ y ^ z;
}

static void transform(uint32_t state[4], const uint32_t in[WORDS])
{
	static const uint8_t order[3][WORDS] = {
		{ 0, 1, 2, 3, 4, 5, 6, 7 },
		{ 1, 3, 5, 7, 0, 2, 4, 6 },
		{ 3, 7, 2, 6, 1, 5, 0, 4 },
	};
	static const uint8_t shift[3][4] = {
		{ 3, 7, 11, 19 }, { 3, 5, 9, 13 }, { 3, 9, 11, 15 },
	};
	static const uint32_t add[3] = { 0, 0x5a827999, 0x6ed9eba1 };
	uint32_t s[4];
	unsigned int round, i;

	memcpy(s, state, sizeof(s));
	for (round = 0; round < 3; round++) {
		for (i = 0; i < WORDS; i++) { /* a, d, c, b, a, ... */
			uint32_t *a = &s[(4 - i % 4) % 4];
			uint32_t b = s[(5 - i % 4) % 4];
			uint32_t c = s[(6 - i % 4) % 4];
			uint32_t d = s[(7 - i % 4) % 4];

			*a = rotate(*a + mix(round, b, c, d) +
				    in[order[round][i]] + add[round],
				    shift[round][i % 4]);
		}
	}
	for (i = 0; i < 4; i++)
		state[i] += s[i];
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
	size_t i, at = 0;

	for (i = 0; i < n; i++) {
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
