/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lanes: what the processor can do, and the compression function with nothing
 * but the SHA extensions. */
#include "lanes_private.h"

#ifdef UNIK_LANES_X86

#include <cpuid.h>
#include <stdatomic.h>

/* FIPS 180-4, section 4.2.2. */
const uint32_t unik_sha_k[64] __attribute__((aligned(16))) = {
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

#define SHA __attribute__((target("sha,sse4.1,ssse3")))
#include "lanes_x86.h"

static INLINE __m128i msg1(__m128i a, __m128i b)
{
	return _mm_sha256msg1_epu32(a, b);
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

const struct unik_sha unik_sha_plain = { one, two, NULL };

/* Which of the registers the system keeps for us (XCR0). */
static uint64_t kept_state(void)
{
	uint32_t lo, hi;

	__asm__("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	return (uint64_t)hi << 32 | lo;
}

/* The manual's volume 2, CPUID: leaf 1, ECX: SSSE3 bit 9, SSE4.1 bit 19,
 * OSXSAVE bit 27; leaf 7, EBX: AVX512F bit 16, SHA bit 29, AVX512BW bit 30,
 * AVX512VL bit 31.  Volume 1, 15.2: bits 1, 2, 5, 6 and 7 of XCR0. */
static const struct unik_sha *ask(void)
{
	const unsigned sse = 1u << 9 | 1u << 19, avx = 1u << 16 | 3u << 30;
	unsigned a, b, c, d, c1;

	if (!__get_cpuid(1, &a, &b, &c1, &d) || (c1 & sse) != sse ||
	    !__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(b & 1u << 29))
		return NULL;
	if ((b & avx) == avx && (c1 & 1u << 27) &&
	    (kept_state() & 0xe6) == 0xe6)
		return &unik_sha_avx512;
	return &unik_sha_plain;
}

/* CPUID leaf 0: the vendor's name, in EBX, EDX and ECX. */
static bool is_amd(void)
{
	unsigned a, b = 0, c = 0, d = 0;

	return __get_cpuid(0, &a, &b, &c, &d) &&
	       b == signature_AMD_ebx && c == signature_AMD_ecx &&
	       d == signature_AMD_edx;
}

bool unik_sha_cheap_pairs(void)
{
	static atomic_int known; /* 0: not asked yet, else 1 + the answer */

	if (!atomic_load(&known))
		atomic_store(&known, 1 + is_amd());
	return atomic_load(&known) > 1;
}

/* Asked once: in a virtual machine, CPUID takes tens of microseconds.  Threads
 * that ask at the same time get the same answer. */
const struct unik_sha *unik_sha_find(void)
{
	static const struct unik_sha *_Atomic found;
	static atomic_bool known;

	if (!atomic_load(&known)) {
		atomic_store(&found, ask());
		atomic_store(&known, true);
	}
	return atomic_load(&found);
}

#else

const struct unik_sha *unik_sha_find(void)
{
	return NULL;
}

bool unik_sha_cheap_pairs(void)
{
	return false;
}

#endif
