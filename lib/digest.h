/* SPDX-License-Identifier: GPL-3.0-or-later */
/* digest: sha256 (and sha512, for blobs that are named so) over OpenSSL's EVP,
 * and the OCI text form of a digest (image-spec, descriptor.md, "Digests"). */
#ifndef UNIK_DIGEST_H
#define UNIK_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

enum unik_algo { UNIK_SHA256 = 0, UNIK_SHA512 = 1 };

#define UNIK_SHA256_SIZE 32
/* "sha512:" + 128 hex digits + NUL */
#define UNIK_DIGEST_TEXT 136

struct unik_digest {
	enum unik_algo algo;
	uint8_t bytes[64]; /* 32 used for sha256; the rest is zero */
};

/* Parses "sha256:<64 lower-case hex>" or "sha512:<128>", nothing else. */
int unik_digest_parse(struct unik_digest *d, const char *text,
		      struct unik_err *err);
/* Writes the text form; returns `buf`. */
const char *unik_digest_text(const struct unik_digest *d,
			     char buf[UNIK_DIGEST_TEXT]);
/* Only the hex digits; returns `buf`. */
const char *unik_digest_hex(const struct unik_digest *d,
			    char buf[UNIK_DIGEST_TEXT]);
bool unik_digest_equal(const struct unik_digest *a,
		       const struct unik_digest *b);

/* A running hash.  init -> update* -> final; release at any time. */
struct unik_hash {
	enum unik_algo algo;
	void *ctx; /* EVP_MD_CTX */
};

#define UNIK_HASH_NONE { UNIK_SHA256, NULL }

int unik_hash_init(struct unik_hash *h, enum unik_algo algo,
		   struct unik_err *err);
/* Starts afresh with the same algorithm. */
int unik_hash_reset(struct unik_hash *h, struct unik_err *err);
int unik_hash_update(struct unik_hash *h, const void *data, size_t n,
		     struct unik_err *err);
int unik_hash_final(struct unik_hash *h, struct unik_digest *out,
		    struct unik_err *err);
void unik_hash_release(struct unik_hash *h);

/* sha256 of one buffer. */
int unik_sha256(const void *data, size_t n, struct unik_digest *out,
		struct unik_err *err);

#endif
