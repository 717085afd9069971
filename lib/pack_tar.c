/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pack: headers of a tar (POSIX.1-1988 ustar; POSIX.1-2001 pax records where a
 * field is too short).  Fixed fields: owner 0:0 without names, time 0.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pack_private.h"

/* The most that 11 octal digits say. */
#define SIZE_MOST UINT64_C(077777777777)

void pack_bytes_add(struct pack_bytes *b, const void *data, size_t n)
{
	if (b->no_memory || n == 0)
		return;
	if (n > b->room - b->size) {
		size_t room = b->room ? b->room * 2 : 2 * TAR_BLOCK;
		uint8_t *p;

		while (room - b->size < n)
			room *= 2;
		p = realloc(b->p, room);
		if (!p) {
			b->no_memory = true;
			return;
		}
		b->p = p;
		b->room = room;
	}
	memcpy(b->p + b->size, data, n);
	b->size += n;
}

uint64_t pack_tar_padding(uint64_t size)
{
	return -size & (TAR_BLOCK - 1);
}

/* Octal digits and a NUL fill the field. */
static void octal(char *field, size_t n, uint64_t v)
{
	field[--n] = 0;
	while (n-- > 0) {
		field[n] = (char)('0' + (v & 7));
		v >>= 3;
	}
}

static void put_block(struct pack_bytes *b, const char *name, uint64_t size,
		      unsigned mode, char typeflag)
{
	uint8_t block[TAR_BLOCK];
	struct tar_header h = { .typeflag = typeflag };
	unsigned sum = 0;
	size_t i, n = strlen(name);

	memcpy(h.name, name, n < sizeof(h.name) ? n : sizeof(h.name));
	octal(h.mode, sizeof(h.mode), mode);
	octal(h.uid, sizeof(h.uid), 0);
	octal(h.gid, sizeof(h.gid), 0);
	octal(h.size, sizeof(h.size), size <= SIZE_MOST ? size : 0);
	octal(h.mtime, sizeof(h.mtime), 0);
	memcpy(h.magic, "ustar", 6);
	memcpy(h.version, "00", 2);
	octal(h.devmajor, sizeof(h.devmajor), 0);
	octal(h.devminor, sizeof(h.devminor), 0);
	memset(h.checksum, ' ', sizeof(h.checksum));
	memcpy(block, &h, sizeof(block));
	for (i = 0; i < sizeof(block); i++)
		sum += block[i];
	octal(h.checksum, 7, sum); /* six digits, NUL, space */
	pack_bytes_add(b, &h, sizeof(h));
}

/* "LENGTH KEY=VALUE\n", the length counting itself. */
static void put_record(struct pack_bytes *b, const char *key, const char *value)
{
	size_t n = strlen(key) + strlen(value) + 3, digits = 1, total;
	char head[32];
	size_t i;

	for (;;) {
		total = n + digits;
		for (i = 0; total > 0; i++)
			total /= 10;
		if (i == digits)
			break;
		digits = i;
	}
	snprintf(head, sizeof(head), "%zu ", n + digits);
	pack_bytes_add(b, head, strlen(head));
	pack_bytes_add(b, key, strlen(key));
	pack_bytes_add(b, "=", 1);
	pack_bytes_add(b, value, strlen(value));
	pack_bytes_add(b, "\n", 1);
}

static void put_pax(struct pack_bytes *b, const char *path, uint64_t size)
{
	static const uint8_t zeros[TAR_BLOCK];
	struct pack_bytes body = { 0 };
	char number[24];

	if (strlen(path) > sizeof(((struct tar_header *)0)->name))
		put_record(&body, "path", path);
	if (size > SIZE_MOST) {
		snprintf(number, sizeof(number), "%llu",
			 (unsigned long long)size);
		put_record(&body, "size", number);
	}
	if (body.size > 0) {
		put_block(b, "pax", body.size, 0644, 'x');
		pack_bytes_add(b, body.p, body.size);
		pack_bytes_add(b, zeros, (size_t)pack_tar_padding(body.size));
	}
	b->no_memory |= body.no_memory;
	free(body.p);
}

void pack_tar_header(struct pack_bytes *b, const char *path, uint64_t size,
		     unsigned mode)
{
	size_t n = strlen(path);

	put_pax(b, path, size);
	put_block(b, path, size, mode,
		  n > 0 && path[n - 1] == '/' ? '5' : '0');
}
