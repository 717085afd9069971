/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the fuzz targets share: a promise that is broken ends the process. */
#ifndef UNIK_FUZZ_H
#define UNIK_FUZZ_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"
#include "err.h"
#include "io.h"
#include "limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define UNUSED __attribute__((unused))

#define promise(x)                                                          \
	do {                                                                \
		if (!(x)) {                                                 \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__,  \
				#x);                                        \
			abort();                                            \
		}                                                           \
	} while (0)

/* A refusal: bad input, and one line of text that says so. */
UNUSED static void refusal(const struct unik_err *err)
{
	size_t n = strlen(err->msg), i;

	promise(err->code == UNIK_EBAD);
	promise(n > 0 && err->msg[n - 1] != '.');
	for (i = 0; i < n; i++)
		promise((unsigned char)err->msg[i] >= 0x20 &&
			err->msg[i] != 0x7f);
}

/* Small, so that no input takes long. */
UNUSED static struct unik_limits small_limits(void)
{
	struct unik_limits limits;

	unik_limits_init(&limits);
	limits.layer_size = 1 << 24;
	limits.entries = 5000;
	limits.depth = 200;
	limits.sparse = 1000;
	limits.window = 1 << 23;
	limits.ratio = 1000;
	return limits;
}

/* A source over memory in steps, as pipes give them. */
struct step_source {
	struct unik_source base;
	const uint8_t *next;
	size_t left;
	size_t step;
};

static int step_fill(struct unik_source *base, struct unik_err *err)
{
	struct step_source *s = (struct step_source *)base;
	size_t n = s->left < s->step ? s->left : s->step;

	(void)err;
	if (n == 0)
		return 1;
	base->cur = s->next;
	base->avail = n;
	s->next += n;
	s->left -= n;
	return 0;
}

static void step_free(struct unik_source *base)
{
	(void)base;
}

static const struct unik_source_ops step_ops = { .fill = step_fill,
						  .free = step_free };

UNUSED static struct unik_source *step_init(struct step_source *s,
					    const uint8_t *data, size_t size,
					    size_t step)
{
	memset(s, 0, sizeof(*s));
	s->base.ops = &step_ops;
	s->next = data;
	s->left = size;
	s->step = step;
	return &s->base;
}

/* Puts right checksums into the headers of a tar, so that mutations get past
 * them. */
UNUSED static void mend_tar(uint8_t *tar, size_t size)
{
	size_t at = 0;

	while (size - at >= 512) {
		unsigned sum = 8 * ' ', i;
		uint64_t data = 0;
		char text[16];

		for (i = 0; i < 512; i++)
			sum += i < 148 || i >= 156 ? tar[at + i] : 0;
		if (sum == 8 * ' ')
			return; /* the end */
		snprintf(text, sizeof(text), "%06o", sum);
		memcpy(tar + at + 148, text, 7);
		for (i = 124; i < 135 && tar[at + i] >= '0' &&
			      tar[at + i] < '8'; i++)
			data = data * 8 + tar[at + i] - '0';
		at += 512;
		if (data > size - at)
			return;
		data += -data & 511;
		if (data > size - at)
			return;
		at += data;
	}
}

#endif
