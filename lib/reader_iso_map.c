/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reader_iso: a hash table from numbers of the image to pointers.  The seed is
 * an address: nothing but time depends on it. */
#include <stdlib.h>
#include <string.h>

#include "reader_iso_private.h"

static size_t place(const struct iso_map *map, uint64_t key)
{
	uint64_t h = (key ^ map->seed) * UINT64_C(0x9e3779b97f4a7c15);

	h ^= h >> 29;
	h *= UINT64_C(0xbf58476d1ce4e5b9) ^ map->seed << 1;
	h ^= h >> 32;
	return (size_t)h & (map->nslots - 1);
}

static struct iso_slot *find(const struct iso_map *map, uint64_t key)
{
	size_t i = place(map, key);

	while (map->slots[i].value && map->slots[i].key != key)
		i = (i + 1) & (map->nslots - 1);
	return &map->slots[i];
}

static bool grow(struct iso_map *map)
{
	struct iso_slot *old = map->slots;
	size_t nold = map->nslots, i;

	map->nslots = nold ? nold * 2 : 256;
	map->slots = calloc(map->nslots, sizeof(*map->slots));
	if (!map->slots) {
		map->slots = old;
		map->nslots = nold;
		return false;
	}
	map->seed = (uintptr_t)map->slots | 1;
	map->n = 0;
	for (i = 0; i < nold; i++) {
		if (!old[i].value)
			continue;
		*find(map, old[i].key) = old[i];
		map->n++;
	}
	free(old);
	return true;
}

const void *unik_iso_map_get(const struct iso_map *map, uint64_t key)
{
	return map->n ? find(map, key)->value : NULL;
}

int unik_iso_map_put(struct iso_map *map, uint64_t key, const void *value,
		     struct unik_err *err)
{
	struct iso_slot *slot;

	if (map->n * 4 >= map->nslots * 3 && !grow(map))
		return unik_fail_mem(err);
	slot = find(map, key);
	map->n += slot->value == NULL;
	slot->key = key;
	slot->value = value;
	return 0;
}

void unik_iso_map_release(struct iso_map *map)
{
	free(map->slots);
	memset(map, 0, sizeof(*map));
}
