/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * image: what its files share; no other room includes this.
 *
 *   image_source.c    `oci:DIR:REF`, `-`, spools -> an open file or directory
 *   image_detect.c    what that is
 *   image_archive.c   the members of an outer tar; image_dir.c: a directory
 *   image_box.c       a path in either of them -> bytes, links resolved inside
 *   image_doc.c       descriptors; JSON documents with size and digest checked
 *   image_oci.c       index.json -> candidates
 *   image_manifest.c  one OCI or schema 2 manifest, judged
 *   image_docker.c    manifest.json -> candidates, joined with those of OCI
 *   image_ref.c, image_platform.c, image_select.c   candidates -> the one
 *   image_config.c, image_layers.c   the one -> struct unik_image
 */
#ifndef UNIK_IMAGE_PRIVATE_H
#define UNIK_IMAGE_PRIVATE_H

#include <sys/stat.h>
#include <sys/types.h>

#include "arena.h"
#include "image.h"
#include "io.h"
#include "json.h"
#include "limits.h"

#define IMG_PATH_SIZE 4096 /* a path inside a source, with its NUL */
#define IMG_NAME_MAX 1024  /* bytes of a reference or a media type */

/* Files that live as long as the image. */
struct unik_image_private {
	int *fds;
	size_t nfds;
	size_t room;
};

/* ---- places of bytes ---- */

struct img_blob {
	int fd;
	bool own; /* a file of a directory, not yet kept: img_blob_drop() */
	uint64_t offset;
	uint64_t size;
	dev_t dev; /* of the file, for a directory */
	ino_t ino;
};

/* What a name in a box is. */
enum img_type { IMG_ABSENT, IMG_FILE, IMG_DIR, IMG_SYMLINK, IMG_HARDLINK,
		IMG_OTHER };

struct img_found {
	enum img_type type;
	struct img_blob blob;     /* of a file */
	char link[IMG_PATH_SIZE]; /* of a link, NUL-terminated */
};

/* One member of an outer archive. */
struct img_member {
	const char *name; /* clean, not NUL-terminated */
	const char *link;
	uint64_t offset;
	uint64_t size;
	uint32_t name_size;
	uint32_t link_size;
	uint32_t seq;    /* order in the archive */
	uint32_t piece;  /* first piece of a sparse member */
	uint32_t npieces;
	int fd;          /* where an expanded sparse member is, else -1 */
	uint8_t type;    /* enum img_type */
	bool sparse;
};

/* Which names of an image an archive holds. */
enum img_sign {
	IMG_SIGN_LAYOUT = 1,    /* oci-layout */
	IMG_SIGN_INDEX = 2,     /* index.json */
	IMG_SIGN_BLOBS = 4,     /* blobs/sha256/... */
	IMG_SIGN_MANIFEST = 8,  /* manifest.json */
	IMG_SIGN_REPOS = 16,    /* repositories */
	IMG_SIGN_LAYERS = 32,   /* X/layer.tar, <64 hex>.json, ... */
};

struct img_box {
	bool is_dir;
	int fd;        /* the archive, or the directory */
	uint64_t size; /* of the archive */
	unsigned signs;
	/* archive: */
	struct img_member *members;
	size_t nmembers;
	size_t room;
	char *text; /* all names and links */
	size_t text_size;
	size_t text_room;
	struct unik_piece *pieces;
	size_t npieces;
	size_t pieces_room;
	char bad[256]; /* a member's name that is none, quoted, or "" */
	char nested[256]; /* DIR/oci-layout, quoted, or "" */
};

/* ---- candidates ---- */

struct img_platform {
	char os[64];
	char arch[64];
	char variant[64];
};

/* A descriptor (OCI image-spec, descriptor.md). */
struct img_desc {
	const char *media_type; /* "" where it has none; the document's until
				   img_desc_keep() */
	struct unik_digest digest;
	uint64_t size;
	const char *data_text;  /* embedded content as found, likewise */
	const uint8_t *data;    /* decoded and checked by img_desc_keep() */
};

struct img_doc {
	char *bytes;
	size_t size;
};

struct img_name {
	const char *text; /* familiar: without `docker.io/library/` */
	struct img_name *next;
};

enum img_doc_kind { IMG_DOC_OTHER, IMG_DOC_INDEX, IMG_DOC_MANIFEST,
		    IMG_DOC_SCHEMA1 };

/* One image (one platform of it) that the source may hold. */
struct img_cand {
	struct img_name *names; /* in order of preference */
	unsigned group;         /* platforms of one image share it */
	struct img_platform platform; /* empty where nothing tells */
	bool has_config_digest;
	struct unik_digest config_digest;
	bool oci; /* listed by index.json: */
	struct img_desc manifest;
	struct unik_digest top; /* the entry of index.json it is below */
	struct img_desc config;
	bool docker; /* listed by manifest.json: */
	const struct unik_json *entry;
	size_t entry_index;
	bool absent;         /* listed only; then `why` names what is missing */
	bool is_image;       /* else `why` tells what it is */
	const char *why;
	struct unik_err *broken; /* the error to raise when it is chosen */
};

/* One opening of a source. */
struct img_ctx {
	const struct unik_image_options *opt;
	const struct unik_limits *limits;
	enum unik_source_kind want;
	char *path;
	struct stat st;  /* of the file or directory at it */
	const char *ref; /* in `path`'s block, or NULL */
	bool has_platform;
	struct img_platform platform;
	struct unik_image_private *files;
	struct unik_arena arena;
	struct img_box box;
	struct unik_json *docker; /* manifest.json */
	struct img_cand *cands;
	size_t ncands;
	size_t cands_room;
	unsigned ngroups;
	uint64_t nmanifests; /* descriptors walked */
	uint64_t nnames;
	uint64_t json_size;   /* bytes, and values, of all documents read */
	uint64_t json_values;
	bool over; /* a limit on the whole source is passed: no way on */
	uint64_t data_used; /* bytes of embedded content */
	const char *picked;  /* the name that the reference matched */
};

__attribute__((format(printf, 2, 3)))
void img_warn(struct img_ctx *c, const char *fmt, ...);

/* image_source.c */
int img_source_parse(struct img_ctx *c, struct unik_err *err);
/* What is read: `fd` is in c->files. */
struct img_input {
	int fd;
	uint64_t size;
	bool is_dir;
	bool spooled; /* it came through a pipe: it can't be opened again */
	bool doubt;   /* see struct unik_layer_ref */
};
int img_source_open(struct img_ctx *c, struct img_input *in,
		    struct unik_err *err);
/* Takes the fd, also when it fails. */
int img_take_fd(struct img_ctx *c, int fd, struct unik_err *err);
/* An empty unlinked file that c->files holds. */
int img_new_spool(struct img_ctx *c, int *fd, struct unik_err *err);
/* Closes one of c->files early. */
void img_drop_fd(struct img_ctx *c, int fd);
/* All bytes of a source into a new spool that c->files holds. */
int img_spool(struct img_ctx *c, struct unik_source *src, int *fd,
	      uint64_t *size, struct unik_err *err);

/* image_detect.c: what speaks for an image: index.json, manifest.json, both;
 * neither: a bare layer.  *in gets another fd where it was inflated. */
int img_box_open(struct img_ctx *c, struct img_input *in, bool *oci,
		 bool *docker, struct unik_err *err);

/* image_archive.c */
/* Reads the headers; with `stop` set only up to the first sign of an image
 * and without keeping anything. */
int img_archive_scan(struct img_ctx *c, struct unik_source *src, bool stop,
		     struct unik_err *err);
int img_archive_lookup(struct img_ctx *c, const char *path, size_t n,
		       struct img_found *found, struct unik_err *err);
void img_archive_release(struct img_box *box);

/* image_dir.c: `full` asks for an open file. */
int img_dir_lookup(struct img_ctx *c, const char *path, size_t n, bool full,
		   struct img_found *found, struct unik_err *err);

/* image_box.c: 0, 1 absent, -1 */
int img_find(struct img_ctx *c, const char *path, struct img_blob *blob,
	     struct unik_err *err);
void img_blob_drop(struct img_blob *blob);
/* Lets the image own the file of blobs[i], and close it where blobs[0..i) have
 * the same one. */
int img_blob_keep(struct img_ctx *c, struct img_blob *blobs, size_t i,
		  struct unik_err *err);
bool img_blob_same(const struct img_blob *a, const struct img_blob *b);
/* A JSON document by its path: size limit only.  0, 1 absent, -1 */
int img_read_path(struct img_ctx *c, const char *path, struct img_doc *doc,
		  struct unik_err *err);
int img_read_blob(struct img_ctx *c, const struct img_blob *blob,
		  struct img_doc *doc, struct unik_err *err);
/* Parses, and counts what all documents together cost. */
int img_doc_parse(struct img_ctx *c, const struct img_doc *doc,
		  struct unik_json **root, struct unik_err *err);
/* img_read_path() and parse; absent is an error. */
int img_parse_path(struct img_ctx *c, const char *path,
		   struct unik_json **root, struct unik_err *err);

/* image_doc.c */
char *img_text(struct img_ctx *c, const char *text, struct unik_err *err);
int img_desc_parse(const struct unik_json *object, struct img_desc *desc,
		   struct unik_err *err);
/* Lets it outlive its document: strings and embedded content to the arena. */
int img_desc_keep(struct img_ctx *c, struct img_desc *desc,
		  struct unik_err *err);
int img_desc_find(struct img_ctx *c, const struct img_desc *desc,
		  struct img_blob *blob, struct unik_err *err);
/* The document, its size and digest checked: 0, 1 absent, -1 */
int img_desc_read(struct img_ctx *c, const struct img_desc *desc,
		  struct img_doc *doc, struct unik_err *err);
/* The digest in `blobs/ALGORITHM/HEX`: true where the path is of that form. */
bool img_path_digest(const char *path, struct unik_digest *digest);
void img_digest_path(const struct unik_digest *digest,
		     char path[UNIK_DIGEST_TEXT + 8]);
int img_check_digest(const struct img_doc *doc, const struct unik_digest *want,
		     struct unik_err *err);
/* What a document is by its content; confusing ones are an error. */
int img_doc_kind(const struct unik_json *root, enum img_doc_kind *kind,
		 struct unik_err *err);
enum img_doc_kind img_media_kind(const char *media_type);
int img_platform_parse_json(const struct unik_json *object,
			    struct img_platform *p, struct unik_err *err);

/* image_oci.c */
int img_oci_load(struct img_ctx *c, struct unik_err *err);

/* image_manifest.c */
/* Fills a candidate from its manifest; only trouble with the machine fails. */
int img_manifest_judge(struct img_ctx *c, struct img_cand *cand,
		       struct unik_err *err);
/* The manifest of a candidate again: document and parsed. */
int img_manifest_read(struct img_ctx *c, const struct img_cand *cand,
		      struct img_doc *doc, struct unik_json **root,
		      struct unik_err *err);
/* Keeps an error of the input in the candidate: 0, or -1 for others and where
 * a limit on the whole source is passed. */
int img_cand_break(struct img_ctx *c, struct img_cand *cand,
		   struct unik_err *err);
struct img_cand *img_cand_add(struct img_ctx *c, struct unik_err *err);
/* Adds a name at the end unless it is there. */
int img_name_add(struct img_ctx *c, struct img_name **list, const char *name,
		 struct unik_err *err);
/* So too, one that a document holds: they are counted. */
int img_name_found(struct img_ctx *c, struct img_name **list, const char *name,
		   struct unik_err *err);
void img_cand_group(struct img_ctx *c, unsigned from, unsigned to);

/* image_docker.c */
int img_docker_load(struct img_ctx *c, struct unik_err *err);
/* Where the layers of manifest.json are (kept), and which layer of the OCI
 * manifest (or -1) each of them is.  `blobs` and `map` have room for all. */
int img_docker_match(struct img_ctx *c, const struct img_cand *cand,
		     const struct unik_json *oci_layers, struct img_blob *blobs,
		     int *map, bool *in_order, struct unik_err *err);

/* image_ref.c */
#define IMG_REF_LEVELS 5
/* `text` without docker.io/library/. */
const char *img_ref_familiar(const char *text);
/* How well a candidate fits the reference: 0 best, -1 not; *name gets the name
 * that fits, NULL for a digest. */
int img_ref_level(const struct img_cand *cand, const char *ref,
		  const char **name);

/* image_platform.c */
int img_platform_parse(struct img_platform *p, const char *text,
		       struct unik_err *err);
/* 0 best, 2 nothing known of the candidate, -1 does not fit */
int img_platform_level(const struct img_platform *want,
		       const struct img_platform *have);
#define IMG_PLATFORM_TEXT 200
const char *img_platform_text(const struct img_platform *p,
			      char buf[IMG_PLATFORM_TEXT]);
bool img_platform_equal(const struct img_platform *a,
			const struct img_platform *b);

/* image_select.c */
int img_select(struct img_ctx *c, struct img_cand **chosen,
	       struct unik_err *err);
/* A candidate's name for the user. */
const char *img_cand_label(const struct img_cand *cand,
			   char buf[UNIK_QUOTE_SIZE]);

/* image_config.c */
/* Fills config, os, arch, variant and the layers' diff_ids and created_by. */
int img_config_load(struct img_ctx *c, struct unik_image *image,
		    const struct img_platform *listed,
		    const struct unik_json *root, struct unik_err *err);
int img_config_defaults(struct unik_image *image, struct unik_err *err);

/* image_layers.c */
int img_layers_load(struct img_ctx *c, const struct img_cand *cand,
		    const struct unik_json *manifest, struct unik_image *image,
		    struct unik_err *err);
/* Why a layer of that media type can't be read, NULL where it can. */
const char *img_layer_refusal(const char *media_type);

#endif
