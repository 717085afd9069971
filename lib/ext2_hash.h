/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ext2_hash: half MD4, the hash that directory indexes sort names by (ext4 doc
 * directory.rst "Hash Tree Directories"; the rounds are those of RFC 1320). */
#ifndef UNIK_EXT2_HASH_H
#define UNIK_EXT2_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ext2_hash {
	uint32_t major; /* what the index holds; bit 0 is always 0 */
	uint32_t minor;
};

/* `seed` is s_hash_seed (all zero: the one of MD4).  `sign`: bytes of the name
 * have one, which is s_flags' EXT2_FLAG_SIGNED_HASH. */
struct ext2_hash unik_ext2_hash(const uint8_t seed[16], bool sign,
				const char *name, size_t n);

#endif
