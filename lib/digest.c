/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "digest.h"

#include <string.h>

#include <openssl/evp.h>

static const struct {
	const char *prefix;
	size_t size;
} algos[] = {
	[UNIK_SHA256] = { "sha256:", 32 },
	[UNIK_SHA512] = { "sha512:", 64 },
};

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

static bool parse_hex(uint8_t *out, size_t size, const char *hex)
{
	size_t i;

	if (strlen(hex) != size * 2)
		return false;
	for (i = 0; i < size; i++) {
		int hi = hex_value(hex[2 * i]), lo = hex_value(hex[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return false;
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	return true;
}

int unik_digest_parse(struct unik_digest *d, const char *text,
		      struct unik_err *err)
{
	char q[UNIK_QUOTE_SIZE];
	size_t a;

	for (a = 0; a < sizeof(algos) / sizeof(algos[0]); a++) {
		size_t n = strlen(algos[a].prefix);

		if (strncmp(text, algos[a].prefix, n) != 0)
			continue;
		memset(d, 0, sizeof(*d));
		d->algo = (enum unik_algo)a;
		if (parse_hex(d->bytes, algos[a].size, text + n))
			return 0;
	}
	return unik_fail(err, "%s is not a sha256 or sha512 digest",
			 unik_quote(q, text, strlen(text)));
}

const char *unik_digest_hex(const struct unik_digest *d,
			    char buf[UNIK_DIGEST_TEXT])
{
	static const char hex[] = "0123456789abcdef";
	size_t i, n = algos[d->algo].size;

	for (i = 0; i < n; i++) {
		buf[2 * i] = hex[d->bytes[i] >> 4];
		buf[2 * i + 1] = hex[d->bytes[i] & 15];
	}
	buf[2 * n] = 0;
	return buf;
}

const char *unik_digest_text(const struct unik_digest *d,
			     char buf[UNIK_DIGEST_TEXT])
{
	char hex[UNIK_DIGEST_TEXT];
	size_t n = strlen(algos[d->algo].prefix);

	unik_digest_hex(d, hex);
	memcpy(buf, algos[d->algo].prefix, n);
	memcpy(buf + n, hex, algos[d->algo].size * 2 + 1);
	return buf;
}

bool unik_digest_equal(const struct unik_digest *a, const struct unik_digest *b)
{
	return a->algo == b->algo &&
	       memcmp(a->bytes, b->bytes, algos[a->algo].size) == 0;
}

int unik_hash_init(struct unik_hash *h, enum unik_algo algo,
		   struct unik_err *err)
{
	h->algo = algo;
	h->ctx = EVP_MD_CTX_new();
	if (!h->ctx)
		return unik_fail_mem(err);
	if (unik_hash_reset(h, err) < 0) {
		unik_hash_release(h);
		return -1;
	}
	return 0;
}

int unik_hash_reset(struct unik_hash *h, struct unik_err *err)
{
	const EVP_MD *md = h->algo == UNIK_SHA512 ? EVP_sha512() : EVP_sha256();

	if (EVP_DigestInit_ex(h->ctx, md, NULL) != 1)
		return unik_fail_io(err, "OpenSSL can't start a digest");
	return 0;
}

int unik_hash_update(struct unik_hash *h, const void *data, size_t n,
		     struct unik_err *err)
{
	if (EVP_DigestUpdate(h->ctx, data, n) != 1)
		return unik_fail_io(err, "OpenSSL can't update a digest");
	return 0;
}

int unik_hash_final(struct unik_hash *h, struct unik_digest *out,
		    struct unik_err *err)
{
	memset(out, 0, sizeof(*out));
	out->algo = h->algo;
	if (EVP_DigestFinal_ex(h->ctx, out->bytes, NULL) != 1)
		return unik_fail_io(err, "OpenSSL can't finish a digest");
	return 0;
}

void unik_hash_release(struct unik_hash *h)
{
	EVP_MD_CTX_free(h->ctx);
	h->ctx = NULL;
}

int unik_sha256(const void *data, size_t n, struct unik_digest *out,
		struct unik_err *err)
{
	struct unik_hash h = UNIK_HASH_NONE;
	int rc;

	if (unik_hash_init(&h, UNIK_SHA256, err) < 0)
		return -1;
	rc = unik_hash_update(&h, data, n, err);
	if (rc == 0)
		rc = unik_hash_final(&h, out, err);
	unik_hash_release(&h);
	return rc;
}
