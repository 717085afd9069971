/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lanes: the compression function of sha256 (FIPS 180-4, section 6.2.2). */
#ifndef UNIK_LANES_PRIVATE_H
#define UNIK_LANES_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether this processor has what the other two need. */
bool unik_sha_usable(void);
/* `n` blocks of 64 bytes. */
void unik_sha_blocks(uint32_t h[8], const uint8_t *p, size_t n);
/* `n` blocks each. */
void unik_sha_blocks2(uint32_t a[8], const uint8_t *p, uint32_t b[8],
		      const uint8_t *q, size_t n);

#endif
