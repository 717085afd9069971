/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * unik: container image layers as deterministic filesystem images.
 *
 * This is the only installed header.  Rules that hold for all of it:
 *  - the library never prints, exits, reads the environment, the clock or the
 *    locale, and keeps no global state; different objects may be used from
 *    different threads at once;
 *  - a function returns 0, or -1 with `err` filled; `err` is never NULL;
 *  - strings and arrays passed in are borrowed for the call only;
 *  - strings handed to callbacks are valid during the callback only.
 */
#ifndef UNIK_H
#define UNIK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define UNIK_API __attribute__((visibility("default")))

/* What went wrong; the values are the exit statuses of the tools. */
enum unik_code {
	UNIK_OK = 0,
	UNIK_EBAD = 1,   /* the input, or a comparison, is bad */
	UNIK_EUSAGE = 2, /* the caller asked for something that can't be */
	UNIK_EIO = 3     /* could not do it: I/O, memory, space, interrupted */
};

/* An error: no heap, one line of text. */
struct unik_err {
	enum unik_code code;
	int sys; /* errno of the failed call, 0 where none */
	char msg[1024];
};

/* The version of the library, as "0.1.0". */
UNIK_API const char *unik_version(void);

/* ---- limits ---- */

/* Bounds on untrusted input.  unik_limits_init() gives the defaults. */
struct unik_limits {
	uint64_t layer_size;  /* bytes of a layer uncompressed, holes counted */
	uint64_t ratio;       /* uncompressed : compressed, past 64 MiB */
	uint64_t entries;     /* of one layer, implied parents counted */
	uint64_t depth;       /* components of a path; over 4096 is as 4096 */
	uint64_t path;        /* bytes of a path or of a link target; over
				 1 MiB is as 1 MiB */
	uint64_t xattr_size;  /* bytes of an entry's xattr names and values */
	uint64_t pax_size;    /* bytes of one pax or GNU long-name header */
	uint64_t sparse;      /* pieces of the sparse map of one file */
	uint64_t json_size;   /* bytes of one JSON document */
	uint64_t json_depth;  /* nested arrays and objects of one document;
				 over 2048 is as 2048 */
	uint64_t json_values; /* values of one JSON document */
	uint64_t manifests;   /* manifests and indexes walked in one source */
	uint64_t members;     /* of an outer archive; files of a directory */
	uint64_t layers;      /* layers of one image */
	uint64_t window;      /* bytes of memory a decoder may ask for */
};

/* One row of the table that --limits prints and the manual lists. */
struct unik_limit_row {
	const char *name; /* the option is --max-NAME */
	const char *unit; /* "bytes", "entries", ... */
	const char *text; /* one line of help */
	uint64_t value;   /* the default */
	size_t offset;    /* of the field in struct unik_limits */
};

UNIK_API void unik_limits_init(struct unik_limits *limits);
/* The table, in the order of the fields; *n gets its length. */
UNIK_API const struct unik_limit_row *unik_limits_table(size_t *n);

/* ---- convert ---- */

/* One layer of a finished stack, base first. */
struct unik_layer_row {
	const char *diff_id;   /* "sha256:..." */
	uint64_t entries;      /* entries of its tree, the root not counted */
	uint64_t size;         /* bytes of its tar */
	const char *image;     /* name of the image that holds it */
	uint64_t image_size;
	bool merged;           /* it is the image of the layer before, too */
	bool cached;           /* nothing was converted: it was in the store */
};

/* What one conversion (source, target, format) gave. */
struct unik_stack_report {
	const char *format;
	const char *target;
	const char *name;      /* of the source */
	const char *manifest;  /* the canonical JSON, one newline at its end */
	size_t manifest_size;
	const char *manifest_digest; /* "sha256:..." */
	const struct unik_layer_row *layers;
	size_t nlayers;
};

struct unik_progress {
	size_t layer;   /* 0..: the layer that just moved on */
	size_t nlayers;
	uint64_t bytes; /* of tars read so far, over all layers */
};

struct unik_bind {
	const char *host; /* a file or a directory */
	const char *path; /* where it stands in the container */
};

/* A container image that carries the stack. */
enum unik_pack_kind {
	UNIK_PACK_NONE = 0,
	UNIK_PACK_DOCKER_ARCHIVE,
	UNIK_PACK_OCI_ARCHIVE,
	UNIK_PACK_OCI_DIR
};

struct unik_pack_options {
	enum unik_pack_kind kind;
	const char *path; /* a file, or the directory; NULL: */
	int fd;           /* a docker-archive to an open file or pipe */
	const char *ref;  /* name or tag of the new image; NULL: docker-archive
			     the source's, OCI none */
	const char *package;  /* "file" (NULL), "append", "raw" */
	const char *compress; /* "none", "gzip", "zstd", with a ":LEVEL"; NULL:
				 none in a docker-archive, else gzip */
	const char *kernel; /* a file of the host, or `source:PATH`; NULL: the
			       source's by its Solo5 note, or none */
	const char *urunc; /* "TYPE[,HYPERVISOR]", or NULL */
	bool referrer; /* an artifact that refers to the source, in the OCI
			  directory that holds it, and no image */
};

struct unik_convert_options {
	const char *source;   /* see struct unik_image_options in image.h: a
				 path, `KIND:PATH[:REF]`, or "-" */
	const char *platform; /* "OS/ARCH[/VARIANT]" or NULL */
	/* Where to: exactly one of the four. */
	const char *store;      /* a store directory, made where missing */
	const char *image_path; /* one image of a one-layer source */
	int image_fd;           /* the same to an open file or pipe; else -1 */
	struct unik_pack_options pack; /* a container image */
	/* Names of formats, no two equal; none: the target's default. */
	const char *const *formats;
	size_t nformats;
	const char *target;   /* "oci" (default), "linux", "rumprun", "flat" */
	const char *whiteouts; /* "keep", "overlay", "apply"; NULL: as the
				  target wants them */
	size_t max_images;    /* 0: as the target says */
	/* Files of the host in one more image on top, read-only. */
	const struct unik_bind *binds;
	size_t nbinds;
	uint32_t bind_uid;    /* owner of all that is bound */
	uint32_t bind_gid;
	int64_t bind_time;    /* later mtimes become this one */
	uint64_t scratch;     /* bytes of an empty writable ext2 image on top */
	uint64_t free_size;   /* flat, ext2: free bytes, for a root that will
				 be written to, */
	uint64_t free_inodes; /* and free inodes */
	uint32_t block_size;  /* ext2: 1024, 2048 or 4096; 0: 4096 or 1024, by
				 content (format version 1: 4096) */
	int format_version;   /* 0: the newest */
	unsigned jobs;        /* layers side by side; 0: one */
	/* A blob of an OCI directory whose name (its digest) the store knows is
	 * taken for what its name says, and not read. */
	bool trust_blob_names;
	bool strict;          /* what a format can't hold is an error */
	const char *spool_dir; /* for temporaries; NULL: the store */
	struct unik_limits limits;
	/* Callbacks; each may be NULL.  Never called from two threads at once.
	 * `warn` and `note` get one line without a newline. */
	void *data;
	void (*warn)(void *data, const char *text);
	void (*note)(void *data, const char *text);
	void (*progress)(void *data, const struct unik_progress *p);
	void (*stack)(void *data, const struct unik_stack_report *report);
	/* Set it to nonzero (a signal handler may) to stop: UNIK_EIO. */
	const volatile int *stop;
};

/* Defaults: no store, no image, image_fd -1, the default limits. */
UNIK_API void unik_convert_options_init(struct unik_convert_options *opt);
/*
 * Converts one source.  Errors: UNIK_EBAD the source is bad or (strict) would
 * lose something, UNIK_EUSAGE the options contradict each other or the source,
 * UNIK_EIO anything else.  After an error nothing new has a final name.
 */
UNIK_API int unik_convert(const struct unik_convert_options *opt,
			  struct unik_err *err);

/* ---- verify ---- */

enum unik_claim {
	UNIK_IDENTITY, /* names are digests, sizes and references are right */
	UNIK_FAITHFUL, /* the source gives the very same again */
	UNIK_INTACT    /* a filesystem image is whole in itself */
};

enum unik_verdict {
	UNIK_PASS,
	UNIK_FAIL,
	UNIK_SKIP,     /* there was nothing to compare with */
	UNIK_UNCHECKED /* could not be checked: I/O, memory */
};

/* One claim about one object.  No control characters in any text. */
struct unik_finding {
	enum unik_claim claim;
	enum unik_verdict verdict;
	const char *target; /* as it was given */
	const char *object; /* in the target: "images/sha256-...", "layer 3" */
	const char *text;   /* what was compared, or what is wrong */
	const char *const *details; /* the first differences, one a line */
	size_t ndetails;
};

/* How many findings there were of each verdict. */
struct unik_verify_counts {
	uint64_t pass;
	uint64_t fail;
	uint64_t skip;
	uint64_t unchecked;
};

struct unik_verify_options {
	/* A source, as for unik_convert_options; a store: `DIR` or `DIR:NAME`
	 * (`dir:` may stand in front); an image file: `FILE`, `image:FILE`. */
	const char *target;
	const char *source;   /* that the target was made from, or NULL */
	const char *platform; /* of source, or of a target that is one */
	/* For the file of an image and a source: */
	size_t layer;         /* the layer that is in it, where `has_layer` */
	bool has_layer;
	const char *for_target; /* it was made for, as in unik_convert_options;
				   NULL: "oci" */
	bool semantic;        /* compare trees, not bytes */
	bool quick;           /* names, sizes and heads only */
	unsigned jobs;        /* objects checked side by side; 0: one */
	const char *spool_dir; /* for what can't be read in place */
	struct unik_limits limits;
	/* Callbacks, never from two threads at once.  The order of findings
	 * does not depend on `jobs`. */
	void *data;
	void (*warn)(void *data, const char *text); /* may be NULL */
	void (*finding)(void *data, const struct unik_finding *f);
	/* Set it to nonzero (a signal handler may) to stop: UNIK_EIO. */
	const volatile int *stop;
};

UNIK_API const char *unik_claim_name(enum unik_claim claim);
UNIK_API const char *unik_verdict_name(enum unik_verdict verdict);
/* The finding as a line of JSON, schema "unik.verify.v1" (unik-verify(1)), with
 * its newline and no NUL; the caller frees *text. */
UNIK_API int unik_finding_json(const struct unik_finding *f, char **text,
			       size_t *size, struct unik_err *err);

UNIK_API void unik_verify_options_init(struct unik_verify_options *opt);
/*
 * Checks one target, adding to `counts`.  What is wrong with it comes as
 * findings, and the call succeeds all the same.  Errors: UNIK_EUSAGE where the
 * options fit neither target nor source, UNIK_EIO: the check ended early.
 */
UNIK_API int unik_verify(const struct unik_verify_options *opt,
			 struct unik_verify_counts *counts,
			 struct unik_err *err);

/* ---- inspect ---- */

enum unik_inspect_what {
	UNIK_INSPECT_REPORT,  /* what the target is */
	UNIK_INSPECT_TREE,    /* its entries, as `ls -l` lists them */
	UNIK_INSPECT_DIFF,    /* it and `other`, entry by entry */
	UNIK_INSPECT_FILE,    /* the bytes of one file in it */
	UNIK_INSPECT_GRAPH,   /* a store's stacks and images, in DOT */
	UNIK_INSPECT_GARBAGE, /* what nothing in a store refers to */
	UNIK_INSPECT_PLAN     /* what mounts a stack of a store */
};

struct unik_inspect_options {
	enum unik_inspect_what what;
	/* As for struct unik_verify_options, or "-"; `#PART` may follow, as in
	 * `part`. */
	const char *target;
	const char *other;     /* DIFF: the same */
	const char *platform;  /* "OS/ARCH[/VARIANT]" or NULL */
	bool json;             /* schema "unik.inspect.v1" (unik-inspect(1));
				  TREE: the tree's canonical text */
	/*
	 * TREE, FILE: a layer of a source or an image of a stack, by its number
	 * or the begin of its digest; NULL: TREE all of them, one after the
	 * other, FILE all of them merged.
	 */
	const char *part;
	bool merged;           /* TREE: as a container sees them all */
	const char *path;      /* FILE: symlinks are followed inside the tree */
	const char *file;      /* FILE: to a file of this name, which appears
				  when it is whole, and not to `write` */
	unsigned mode;         /* of `file` */
	bool terminal;         /* FILE: control characters are made harmless */
	bool sharing;          /* REPORT of a store: what sharing saves, for */
	uint64_t containers;   /* so many of each stack; 0: one */
	bool remove;           /* GARBAGE: remove it */
	const char *plan;      /* "rumprun", "solo5", "linux", "firecracker" */
	const char *kernel;    /* PLAN: path of the guest's kernel, or NULL */
	const char *spool_dir; /* for what can't be read in place */
	struct unik_limits limits;
	/* `warn` gets one line without a newline, and may be NULL; `write` gets
	 * the answer in pieces: nonzero ends it. */
	void *data;
	void (*warn)(void *data, const char *text);
	int (*write)(void *data, const void *bytes, size_t n);
	/* Set it to nonzero (a signal handler may) to stop: UNIK_EIO. */
	const volatile int *stop;
};

UNIK_API void unik_inspect_options_init(struct unik_inspect_options *opt);
/*
 * Answers one question.  The text has no control characters of the input in it,
 * but FILE's.  DIFF sets *differs.  Errors: UNIK_EBAD the target is bad or
 * lacks what is asked for, UNIK_EUSAGE the question does not fit it.
 */
UNIK_API int unik_inspect(const struct unik_inspect_options *opt, bool *differs,
			  struct unik_err *err);

#ifdef __cplusplus
}
#endif

#endif
