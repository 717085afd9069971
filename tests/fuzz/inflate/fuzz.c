/* SPDX-License-Identifier: GPL-3.0-or-later */
/* inflate: any bytes are unpacked or refused, and the same whether they come
 * at once or in steps of as many bytes as the first one says. */
#include "../fuzz.h"
#include "inflate.h"

#define MOST (16u << 20) /* bytes that are looked at */

struct outcome {
	int rc; /* 2: it went on behind MOST */
	enum unik_compression kind;
	uint64_t n;
	struct unik_digest digest;
};

static void unpack(struct outcome *o, const uint8_t *data, size_t size,
		   size_t step)
{
	const struct unik_limits limits = small_limits();
	struct unik_hash hash = UNIK_HASH_NONE;
	struct step_source in;
	struct unik_source *s;
	struct unik_err err;
	const uint8_t *p;
	size_t n;

	memset(o, 0, sizeof(*o));
	promise(unik_hash_init(&hash, UNIK_SHA256, &err) == 0);
	step_init(&in, data, size, step);
	o->rc = unik_source_inflate(&s, &in.base, &limits, &o->kind, &err);
	if (o->rc == 0) {
		while ((o->rc = unik_source_peek(s, &p, &n, &err)) == 0) {
			promise(n > 0 && n <= UNIK_CHUNK + size);
			o->n += n;
			if (o->n > MOST)
				break;
			promise(unik_hash_update(&hash, p, n, &err) == 0);
			unik_source_advance(s, n);
		}
		unik_source_free(s);
	}
	if (o->n > MOST)
		o->rc = 2;
	if (o->rc < 0)
		refusal(&err);
	promise(unik_hash_final(&hash, &o->digest, &err) == 0);
	unik_hash_release(&hash);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome whole, steps;

	if (size < 1)
		return 0;
	unpack(&whole, data + 1, size - 1, size);
	unpack(&steps, data + 1, size - 1, data[0] ? data[0] : 1);
	promise(whole.rc == steps.rc && whole.kind == steps.kind);
	if (whole.rc == 1) {
		promise(whole.n == steps.n);
		promise(unik_digest_equal(&whole.digest, &steps.digest));
	}
	if (whole.rc == 1 && whole.kind == UNIK_PLAIN)
		promise(whole.n == size - 1);
	return 0;
}
