/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * image: a source as found (docker-archive, OCI archive, OCI directory, bare
 * layer; each also compressed as a whole, from a path or a pipe) -> one image:
 * its config and its layers, base first, and where their bytes are.
 *
 * Everything is checked here but the layers' own bytes (layer.h does that
 * while it reads them): manifests, config, declared sizes, the digests of all
 * JSON documents, counts, media types, platforms.
 */
#ifndef UNIK_IMAGE_H
#define UNIK_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "digest.h"
#include "err.h"

enum unik_source_kind {
	UNIK_SRC_DETECT = 0,
	UNIK_SRC_DOCKER_ARCHIVE,
	UNIK_SRC_OCI_ARCHIVE,
	UNIK_SRC_OCI_DIR,
	UNIK_SRC_LAYER
};

struct unik_image_options {
	/* `docker-archive:PATH[:REF]`, `oci-archive:PATH[:REF]`,
	 * `oci:DIR[:REF]`, `layer:PATH`, a bare PATH[:REF], or `-[:REF]`
	 * (also for PATH in the others: standard input).  PATH is the whole
	 * text where there is such a file, else what stands before the first
	 * colon that makes it one.  REF: a name with or without its tag
	 * (`latest`), a tag alone, the end of a name from a slash on, or the
	 * beginning (4 digits or more) of a digest of manifest or config. */
	const char *source;
	const char *platform; /* "OS/ARCH[/VARIANT]"; NULL: linux/amd64 where
				 several fit, else the only one there is */
	bool raw; /* take images whose layers are filesystem images, too
		     (pack.h, UNIK_PACKAGE_RAW) */
	const struct unik_limits *limits;
	const char *spool_dir; /* where a pipe or a compressed archive goes */
	/* One line for the user, or NULL.  Never an error. */
	void (*warn)(void *data, const char *text);
	void *warn_data;
	/* Becomes nonzero: give up (UNIK_EIO).  May be NULL. */
	const volatile int *stop;
	/* A compressed file that may be a layer as well as an image is not
	 * unpacked to find out: it is taken for a layer in `doubt`. */
	bool lazy;
};

struct unik_strings {
	char **v;
	size_t n;
};

struct unik_image_config {
	struct unik_strings entrypoint;
	struct unik_strings cmd;
	struct unik_strings env;
	struct unik_strings labels; /* "key=value", as found in order */
	char *cwd;  /* "/" where the config has none */
	char *user; /* "" where the config has none */
};

/* Where one layer's bytes are, and what the source says of them. */
struct unik_layer_ref {
	int fd;           /* owned by the image */
	uint64_t offset;
	uint64_t size;    /* bytes at that place */
	bool doubt;       /* see unik_image_sign() */
	bool has_diff_id; /* false for a bare layer only */
	struct unik_digest diff_id;
	bool has_blob_digest; /* false where only a path names the blob */
	struct unik_digest blob_digest;
	char *media_type; /* "" where the source gives none */
	char *created_by; /* from the history, "" where unknown */
};

struct unik_image {
	enum unik_source_kind kind; /* never UNIK_SRC_DETECT */
	char *name;         /* "app:1": the reference, else the file's name
			       without directories; "-" for a pipe */
	bool has_reference; /* the former */
	/* The file or directory that it was read from, which its reader must
	 * not write over. */
	uint64_t file_dev;
	uint64_t file_ino;
	char *os;           /* "" for a bare layer */
	char *arch;
	char *variant;
	bool has_manifest_digest;
	struct unik_digest manifest_digest;
	bool has_config_digest;
	struct unik_digest config_digest;
	char *config_json;  /* the bytes of the config, NULL for a bare layer */
	size_t config_size;
	char *manifest_json; /* the bytes of the OCI or schema 2 manifest, NULL
				where the source has none */
	size_t manifest_size;
	char *manifest_type; /* its media type, "" where there is none */
	struct unik_image_config config;
	struct unik_layer_ref *layers;
	size_t nlayers;
	struct unik_image_private *priv;
};

/* Media types of filesystem images as blobs. */
#define UNIK_RAW_ISO "application/vnd.unik.layer.v1.iso9660"
#define UNIK_RAW_EXT2 "application/vnd.unik.layer.v1.ext2"
/* Of the manifest that refers to a source's (pack_referrer.c). */
#define UNIK_ARTIFACT_TYPE "application/vnd.unik.stack.v1"
bool unik_image_is_raw(const char *media_type);

/* Whether the tar that has a member of this name (n bytes, as found) may be an
 * image.  Where that is so of a layer in doubt, it is to be opened again,
 * without `lazy`. */
bool unik_image_sign(const char *path, size_t n, bool is_dir);

int unik_image_open(struct unik_image **out,
		    const struct unik_image_options *opt, struct unik_err *err);
void unik_image_free(struct unik_image *image); /* takes NULL; closes fds */

const char *unik_source_kind_name(enum unik_source_kind kind);

#endif
