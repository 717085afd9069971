/* SPDX-License-Identifier: GPL-3.0-or-later */
/* verify: what its files share; no other room includes this. */
#ifndef UNIK_VERIFY_PRIVATE_H
#define UNIK_VERIFY_PRIVATE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "digest.h"
#include "err.h"
#include "image.h"
#include "manifest_find.h"
#include "reader.h"
#include "store.h"
#include "tree.h"

/* ---- findings (verify_report.c) ---- */

#define MAX_DIFFERENCES 10 /* that are named */
#define MAX_DETAILS (MAX_DIFFERENCES + 4)

struct finding {
	enum unik_claim claim;
	enum unik_verdict verdict;
	char *object;
	char *text;
	char **details;
	size_t ndetails;
};

/* What one piece of work found. */
struct findings {
	struct finding *v;
	size_t n;
	size_t room;
	bool no_memory;
};

void verify_put(struct findings *f, enum unik_claim claim,
		enum unik_verdict verdict, const char *object, const char *fmt,
		...) UNIK_PRINTF(5, 6);
/* An error as a finding: the input is bad, or not there, or of another kind
 * than it must be: FAIL; could not be read: UNCHECKED. */
void verify_put_err(struct findings *f, enum unik_claim claim,
		    const char *object, const struct unik_err *err);
bool verify_is_wrong(const struct unik_err *err); /* FAIL in verify_put_err */
/* One more line beneath finding i; past MAX_DETAILS they are dropped. */
void verify_detail(struct findings *f, size_t i, const char *text);
void findings_release(struct findings *f);

/* ---- the run (verify.c, verify_run.c) ---- */

struct verify {
	const struct unik_verify_options *opt;
	struct unik_verify_counts *counts;
	struct unik_image *source; /* opt->source, open; or NULL */
};

/* Hands the findings on and empties them. */
int verify_emit(struct verify *v, struct findings *f, struct unik_err *err);
/* work(data, i, findings) for i of 0..n-1, opt->jobs at a time; findings come
 * out in the order of i. */
int verify_run(struct verify *v, size_t n,
	       void (*work)(void *data, size_t i, struct findings *f),
	       void *data, struct unik_err *err);
int verify_stopped(const struct verify *v, struct unik_err *err);
/* Whether images for that target (NULL: the default) obey NetBSD's limits. */
bool verify_is_netbsd(const char *target);
/* Why nothing is compared with a source. */
const char *verify_no_source(const struct verify *v);

/* ---- sources (verify_source.c) ---- */

int verify_source(struct verify *v, struct unik_err *err);
/* Opens a source.  1: it is bad, or not there, or could not be read, and a
 * finding says so. */
int verify_open_source(struct verify *v, const char *source,
		       struct unik_image **out, struct findings *f,
		       enum unik_claim claim, struct unik_err *err);

/* ---- packages (verify_package.c) ---- */

int verify_package(struct verify *v, const struct unik_image *image,
		   struct unik_err *err);
/* v->opt->source, open (verify.c); a source that can't be used is a finding. */
int verify_use_source(struct verify *v, struct unik_err *err);

/* ---- files (verify_file.c) ---- */

/* sha256 of a whole file. */
int verify_hash(const struct verify *v, int fd, uint64_t size,
		struct unik_digest *d, struct unik_err *err);
/* The claim `intact` of one image. */
void verify_intact(const struct verify *v, const struct unik_reader *reader,
		   int fd, uint64_t size, const char *object,
		   struct findings *f);
/* An image file as target. */
int verify_file(struct verify *v, const char *path, struct unik_err *err);

/* ---- stores (verify_store.c, verify_names.c, verify_layers.c) ---- */

struct store_view {
	struct verify *v;
	struct unik_store *store;
	bool named; /* only what belongs to a name */
	struct unik_names refs, stacks, layers, images; /* to be checked */
	bool *bad; /* by image: its bytes are not what its name says */
};

int verify_store(struct verify *v, const char *path, const char *name,
		 struct unik_err *err);
/* SHA256SUMS of a whole store (verify_sums.c). */
void verify_sums(const struct store_view *s, struct findings *f);
/* One name each of a directory of the store. */
void verify_ref(void *data, size_t i, struct findings *f);
void verify_stack(void *data, size_t i, struct findings *f);
void verify_layer_name(void *data, size_t i, struct findings *f);
void verify_image(void *data, size_t i, struct findings *f);

#define OBJECT_SIZE 600 /* "layers/" and a quoted name */
const char *verify_object(char buf[OBJECT_SIZE], const char *dir,
			  const char *name);
/* A regular file that nobody writes to: 0; else a finding says what it is, -1.
 */
int verify_plain_file(const struct store_view *s, const char *dir,
		      const char *name, struct stat *st, struct findings *f);
/* Whether it is a temporary; a finding says whose. */
bool verify_is_temp(const struct store_view *s, const char *dir,
		    const char *name, struct findings *f);
/* The name of the file of an image of a stack. */
const char *verify_image_name(const struct unik_manifest *m, size_t i,
			      char buf[UNIK_IMAGE_NAME]);
/* Where a name stands in a sorted list; n where it does not. */
size_t verify_find_name(const struct unik_names *names, const char *name);

/* ---- faithful (verify_faithful.c, verify_recorded.c, verify_file_source.c,
 * verify_tree.c) ---- */

/* All stacks of the view against v->source. */
int verify_faithful(struct store_view *s, struct unik_err *err);
/* What a derivation takes from the options of the verification. */
void verify_derive_options(const struct verify *v,
			   struct unik_convert_options *opt);

/* An open image that is compared with the tree that it was made from. */
struct verify_place {
	const struct verify *v;
	const struct unik_reader *reader;
	int fd;
	uint64_t size;
	const char *object;
	bool netbsd; /* it was made for a NetBSD guest */
	bool hashed; /* `taken` is known */
	struct unik_digest taken;
	struct findings *f;
};

/* The claim `faithful` by trees, `what` being the wanted one in words. */
void verify_tree(const struct verify_place *p, const struct unik_tree *want,
		 const char *what);
/* Takes the digest of the image's bytes, where it is not known yet. */
int verify_take(struct verify_place *p, struct unik_err *err);
/* An image file against v->source. */
int verify_file_source(struct verify_place *p, struct unik_err *err);
/* Names the differences beneath finding i, which says that bytes differ. */
void verify_tree_explain(const struct verify_place *p, size_t i,
			 const struct unik_tree *want);

#endif
