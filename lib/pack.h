/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pack: a finished stack -> a container image that carries it (unik-convert(1),
 * "Container images"): layer tars, configuration, manifests, and the archive or
 * directory that they stand in.  Layer tars are a pure function of the stack
 * and the options, blobs also of the compressing library.
 */
#ifndef UNIK_PACK_H
#define UNIK_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest.h"
#include "err.h"
#include "image.h"
#include "inflate.h"
#include "io.h"
#include "layout.h"
#include "store.h"

/* Labels of the configuration, and annotations of OCI manifests. */
#define UNIK_LABEL_PACKAGE "org.unik.package"
#define UNIK_LABEL_SOURCE "org.unik.source"
#define UNIK_LABEL_STACK "org.unik.stack"
#define UNIK_LABEL_KERNEL "org.unik.kernel"
#define UNIK_LABEL_KERNEL_DIGEST "org.unik.kernel.digest"
#define UNIK_LABEL_KERNEL_FROM "org.unik.kernel.from" /* host, source */
#define UNIK_LABEL_URUNC "org.unik.urunc" /* TYPE,HYPERVISOR */

enum unik_package { UNIK_PACKAGE_FILE, UNIK_PACKAGE_APPEND, UNIK_PACKAGE_RAW };
const char *unik_package_name(enum unik_package package);

/* What the options say, checked. */
struct unik_pack_plan {
	enum unik_pack_kind kind;
	enum unik_package package;
	enum unik_compression compress;
	int level; /* 0: the default */
	char *ref; /* of the new image; NULL: none */
	bool referrer;
};

/* UNIK_EUSAGE where they contradict each other. */
int unik_pack_check(struct unik_pack_plan *plan,
		    const struct unik_pack_options *opt, struct unik_err *err);
/* The same once the source is known: whose name the new image has. */
int unik_pack_name(struct unik_pack_plan *plan,
		   const struct unik_image *source, struct unik_err *err);
void unik_pack_release(struct unik_pack_plan *plan);

/* One image of the stack, bottom to top. */
struct unik_pack_image {
	int fd;
	uint64_t size;
	struct unik_digest digest;
	struct unik_digest tree_digest;
	const char *format;
	int format_version;
	size_t first; /* layers in it; none: last < first */
	size_t last;
};

#define UNIK_PACK_NAME 112
/* "rootfs-NNN-<64 hex>.FORMAT": where it stands in a stack of n. */
const char *unik_pack_image_name(char buf[UNIK_PACK_NAME], size_t i, size_t n,
				 const struct unik_digest *digest,
				 const char *format);

/* One more label of the configuration. */
struct unik_pack_label {
	const char *key;
	const char *value;
};

/* One more file of the first layer. */
struct unik_pack_file {
	const char *path; /* clean */
	unsigned mode;
	int fd;
	const void *data; /* where fd is -1 */
	uint64_t size;
};

/* Where the new image goes. */
struct unik_pack_place {
	int fd;           /* a pipe or open file, or -1: */
	struct unik_layout *layout; /* an OCI directory, or NULL: */
	int dir;          /* the directory of a file */
	const char *name; /* of the file in it */
	const char *spool_dir;
};

struct unik_pack {
	const struct unik_pack_plan *plan;
	const struct unik_pack_place *place;
	const struct unik_image *source;
	const char *platform; /* of a source that names none; or NULL */
	const struct unik_digest *diff_ids; /* of the source's layers */
	const struct unik_pack_image *images;
	size_t nimages;
	const struct unik_pack_file *files;
	size_t nfiles;
	const struct unik_pack_label *labels; /* sorted */
	size_t nlabels;
	const char *stack; /* its manifest, with the newline at the end */
	size_t stack_size;
	unsigned jobs;
	const struct unik_limits *limits;
	const volatile int *stop; /* or NULL */
};

int unik_pack(const struct unik_pack *pack, struct unik_err *err);

/* ---- pack_urunc.c: what urunc is told ---- */

#define UNIK_URUNC_FILE "urunc.json"
#define UNIK_URUNC_LABELS 7
#define UNIK_URUNC_WORD 64

struct unik_urunc {
	char type[UNIK_URUNC_WORD];
	char hypervisor[UNIK_URUNC_WORD];
	const char *mount; /* of the device in the guest */
	struct unik_pack_label labels[UNIK_URUNC_LABELS];
	char *json; /* the text of the file */
	size_t json_size;
	char *binary;
	char *block;
	char *cmdline;
};

/* "TYPE[,HYPERVISOR]" */
int unik_urunc_parse(struct unik_urunc *u, const char *text,
		     struct unik_err *err);
/* Paths without a slash before them; it borrows nothing. */
int unik_urunc_make(struct unik_urunc *u, const struct unik_image_config *c,
		    const char *kernel, const char *image,
		    struct unik_err *err);
void unik_urunc_release(struct unik_urunc *u);

#endif
