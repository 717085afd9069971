/* SPDX-License-Identifier: GPL-3.0-or-later */
/* inflate: every format, whole, in members, split, cut, damaged. */
#include "inflate.h"
#include "pack.h"

struct form {
	enum unik_compression kind;
	const char *name;
	void (*add)(struct bytes *b, const void *data, size_t n);
	size_t magic_size;
};

static const struct form forms[] = {
	{ UNIK_GZIP, "gzip", add_gzip, 2 },
	{ UNIK_ZSTD, "zstd", add_zstd, 4 },
	{ UNIK_XZ, "xz", add_xz, 6 },
	{ UNIK_BZIP2, "bzip2", add_bzip2, 3 },
};

static struct unik_limits limits;
static uint8_t *data; /* neither noise nor all alike */
enum { SIZE = 3 * (256 << 10) + 99 };

/* Inflates what a drip gives; -1 where it fails, with what came before. */
static int inflate_drip(struct drip *d, struct bytes *out,
			enum unik_compression *kind)
{
	struct unik_source *s;
	int rc;

	drop_bytes(out);
	rc = unik_source_inflate(&s, &d->base, &limits, kind, &err);
	if (rc == 0) {
		rc = slurp(s, &out->p, &out->size);
		out->room = out->size + 1;
		unik_source_free(s);
	}
	d->base.ops->free(&d->base);
	return rc;
}

static bool becomes(const struct bytes *b, size_t first, size_t step,
		    enum unik_compression kind, const void *want, size_t n)
{
	struct bytes out = { NULL, 0, 0 };
	enum unik_compression found;
	struct drip d;
	bool good;

	drip_init(&d, b->p, b->size, step);
	d.first = first;
	good = inflate_drip(&d, &out, &found) == 0 && found == kind &&
	       out.size == n && (n == 0 || memcmp(out.p, want, n) == 0) &&
	       d.ends == 0;
	drop_bytes(&out);
	return good;
}

/* Sizes around the chunk that the decoders fill. */
static void test_sizes(const struct form *f)
{
	static const size_t sizes[] = { 0, 1, 511, 512, 513, UNIK_CHUNK - 1,
					UNIK_CHUNK, UNIK_CHUNK + 1,
					2 * UNIK_CHUNK, SIZE };
	static const size_t steps[] = { 1, 7, 511, 512, 513, 100000, SIZE };
	size_t i, k;

	for (i = 0; i < COUNT(sizes); i++) {
		struct bytes b = { NULL, 0, 0 };
		bool good = true;

		f->add(&b, data, sizes[i]);
		for (k = 0; k < COUNT(steps); k++)
			good &= becomes(&b, 0, steps[k], f->kind, data,
					sizes[i]);
		ok(good, "%s: %zu bytes", f->name, sizes[i]);
		drop_bytes(&b);
	}
}

/* Members of these sizes, one behind the other. */
static void add_members(const struct form *f, struct bytes *b,
			const size_t *sizes, size_t n)
{
	size_t at = 0, i;

	for (i = 0; i < n; i++) {
		f->add(b, data + at, sizes[i]);
		at += sizes[i];
	}
}

static void test_members(const struct form *f)
{
	static const size_t lists[][4] = {
		{ 100, 0, 1, 50 }, { 0, 10, 0, 10 }, { 0, 0, 0, 0 },
		{ 600, 1, 600, 0 },
	};
	size_t i, k;

	for (i = 0; i < COUNT(lists); i++) {
		const size_t *l = lists[i];
		size_t sum = l[0] + l[1] + l[2] + l[3];
		struct bytes b = { NULL, 0, 0 };
		bool good = true;

		add_members(f, &b, l, 4);
		for (k = 1; k < b.size; k++)
			good &= becomes(&b, k, b.size, f->kind, data, sum);
		ok(good, "%s: members of %zu, %zu, %zu, %zu, split anywhere",
		   f->name, l[0], l[1], l[2], l[3]);
		good = true;
		for (k = 1; k < 70; k++)
			good &= becomes(&b, 0, k, f->kind, data, sum);
		ok(good, "%s: the same in steps of 1 to 69 bytes", f->name);
		drop_bytes(&b);
	}
}

static void test_many_members(const struct form *f)
{
	struct bytes b = { NULL, 0, 0 };
	size_t i;

	for (i = 0; i < 3000; i++)
		f->add(&b, data + i / 3, i % 3 == 0);
	ok(becomes(&b, 0, 4096, f->kind, data, 1000) &&
		   becomes(&b, 0, 1, f->kind, data, 1000),
	   "%s: 3,000 members, most of them empty", f->name);
	drop_bytes(&b);
}

/* Every cut is an error, but for that between the members, and those that
 * leave too little to tell the format by. */
static void test_cuts(const struct form *f)
{
	static const size_t steps[] = { 1, 4096 };
	struct bytes b = { NULL, 0, 0 };
	size_t border, cut, k;
	bool good = true;

	f->add(&b, data, 300);
	border = b.size;
	f->add(&b, data + 300, 200);
	for (cut = 0; cut < b.size; cut++) {
		for (k = 0; k < COUNT(steps); k++) {
			struct bytes out = { NULL, 0, 0 };
			enum unik_compression found;
			struct drip d;
			int rc;

			drip_init(&d, b.p, cut, steps[k]);
			rc = inflate_drip(&d, &out, &found);
			if (cut < f->magic_size)
				good &= rc == 0 && found == UNIK_PLAIN &&
					out.size == cut;
			else if (cut == border)
				good &= rc == 0 && out.size == 300;
			else
				good &= rc == -1 && err.code == UNIK_EBAD &&
					neat(err.msg);
			drop_bytes(&out);
		}
	}
	ok(good, "%s: every cut is an error, but between members", f->name);
	drop_bytes(&b);
}

static void test_garbage(const struct form *f)
{
	static const struct {
		const char *p;
		size_t n;
	} tails[] = {
		{ "x", 1 }, { "\0", 1 }, { "\0\0\0\0\0", 5 }, { "\x1f", 1 },
		{ "\x28\xb5\x2f", 3 }, { "\xfd" "7zX", 4 }, { "BZ", 2 },
		{ "\x50\x2a\x4d\x19", 4 }, { "\x1f\x8c", 2 }, { "\n", 1 },
		{ "P", 1 }, { "\x1f\x8b\x08\0 trailing text", 18 },
		{ "BZh9nothing of a block", 22 },
	};
	size_t i;
	bool good = true;

	for (i = 0; i < COUNT(tails); i++) {
		struct bytes b = { NULL, 0, 0 }, out = { NULL, 0, 0 };
		enum unik_compression found;
		size_t step;

		f->add(&b, data, 100);
		add_bytes(&b, tails[i].p, tails[i].n);
		for (step = 1; step < 300; step += 99) {
			struct drip d;

			drip_init(&d, b.p, b.size, step);
			good &= inflate_drip(&d, &out, &found) == -1 &&
				err.code == UNIK_EBAD && neat(err.msg);
		}
		drop_bytes(&b);
		drop_bytes(&out);
	}
	ok(good, "%s: garbage behind the last member is an error", f->name);
}

/* A damaged stream is refused or (where the bit means nothing) is the same. */
static void test_damage(const struct form *f)
{
	struct bytes b = { NULL, 0, 0 }, out = { NULL, 0, 0 };
	size_t at, bad = 0;
	int bit;
	bool good = true;

	f->add(&b, data, 200);
	for (at = 0; at < b.size; at++) {
		for (bit = 0; bit < 8; bit++) {
			enum unik_compression found;
			struct drip d;

			b.p[at] ^= (uint8_t)(1 << bit);
			drip_init(&d, b.p, b.size, 1000);
			if (inflate_drip(&d, &out, &found) < 0) {
				good &= neat(err.msg);
				bad++;
			} else if (found == f->kind) {
				good &= out.size == 200 &&
					memcmp(out.p, data, 200) == 0;
			}
			b.p[at] ^= (uint8_t)(1 << bit);
		}
	}
	ok(good && bad > b.size * 4,
	   "%s: no flipped bit gives other bytes (%zu of %zu refused)", f->name,
	   bad, b.size * 8);
	drop_bytes(&b);
	drop_bytes(&out);
}

static void test_failing_source(const struct form *f)
{
	struct bytes b = { NULL, 0, 0 }, out = { NULL, 0, 0 };
	enum unik_compression found;
	bool good = true;
	size_t at;

	f->add(&b, data, 2000);
	for (at = 0; at <= b.size; at++) {
		struct drip d;

		drip_init(&d, b.p, b.size, 100);
		d.fail_at = at;
		good &= inflate_drip(&d, &out, &found) == -1 &&
			err.code == UNIK_EIO && strstr(err.msg, "dried up") &&
			d.ends == 0;
	}
	ok(good, "%s: a source that fails anywhere is no cut stream", f->name);
	drop_bytes(&b);
	drop_bytes(&out);
}

/* ---- no compression ---- */

static void test_plain(void)
{
	static const size_t sizes[] = { 0, 1, 2, 511, 512, 513, 1024, SIZE };
	static const size_t steps[] = { 1, 2, 511, 512, 513, 100000 };
	size_t i, k;

	for (i = 0; i < COUNT(sizes); i++) {
		const struct bytes b = { data, sizes[i], 0 };
		bool good = true;

		for (k = 0; k < COUNT(steps); k++)
			good &= becomes(&b, 0, steps[k], UNIK_PLAIN, data,
					sizes[i]);
		ok(good, "plain: %zu bytes", sizes[i]);
	}
}

static void sign(uint8_t *block)
{
	unsigned sum = 0, i;

	memset(block + 148, ' ', 8);
	for (i = 0; i < 512; i++)
		sum += block[i];
	snprintf((char *)block + 148, 8, "%06o", sum);
}

/* A tar whose first name begins with a magic is a tar. */
static void test_tar_names(void)
{
	static const struct {
		const char *magic;
		size_t n;
		const char *name;
	} cases[] = {
		{ "\x1f\x8b\x08", 3, "gzip" },
		{ "\x28\xb5\x2f\xfd", 4, "zstd" },
		{ "\xfd" "7zXZ\0", 6, "xz" },
		{ "BZh91AY&SY", 10, "bzip2" },
		{ "\x50\x2a\x4d\x18", 4, "a skippable frame" },
	};
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		uint8_t tar[1536] = { 0 };
		const struct bytes b = { tar, sizeof(tar), 0 };

		memcpy(tar, cases[i].magic, cases[i].n);
		sign(tar);
		ok(becomes(&b, 0, 1, UNIK_PLAIN, tar, sizeof(tar)) &&
			   becomes(&b, 0, 9999, UNIK_PLAIN, tar, sizeof(tar)),
		   "a tar with a name like %s is plain", cases[i].name);
		tar[200] ^= 1;
		ok(unik_compression_of(tar, sizeof(tar)) != UNIK_PLAIN,
		   "and is not with a wrong checksum");
	}
}

int main(void)
{
	size_t i;

	limits = default_limits();
	data = make_room(SIZE);
	for (i = 0; i < SIZE; i++)
		data[i] = (uint8_t)(random_u64() >> 60) * (i % 1000 > 200);
	for (i = 0; i < COUNT(forms); i++) {
		ok(strcmp(unik_compression_name(forms[i].kind),
			  forms[i].name) == 0,
		   "%s is called so", forms[i].name);
		test_sizes(&forms[i]);
		test_members(&forms[i]);
		test_many_members(&forms[i]);
		test_cuts(&forms[i]);
		test_garbage(&forms[i]);
		test_damage(&forms[i]);
		test_failing_source(&forms[i]);
	}
	test_plain();
	test_tar_names();
	free(data);
	return tap_done();
}
