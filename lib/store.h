/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * store: the directory of images, layer links, manifests and references
 * (DESIGN section 3, unik-store(5)).  Any number of processes may write one
 * store at once: names are content, files appear by link or rename only, and
 * a temporary is locked (flock) while its writer lives, so that whoever comes
 * next can tell the dead ones and remove them.
 */
#ifndef UNIK_STORE_H
#define UNIK_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "digest.h"
#include "err.h"

struct unik_store;

/*
 * Opens a store.  `create`: makes what is missing and removes the temporaries
 * of dead processes; without it a directory that is no store is an error.
 * While it is open the store is locked (flock on its directory, shared): only
 * unik_store_abandon() and the garbage collector lock it exclusively.
 */
int unik_store_open(struct unik_store **out, const char *path, bool create,
		    struct unik_err *err);
void unik_store_free(struct unik_store *s); /* takes NULL */
/* Takes back what opening made, where it is still empty and nobody else has it
 * open; for conversions that fail.  The store can only be freed after it. */
void unik_store_abandon(struct unik_store *s);
/* Waits until nobody else has the store open, and keeps others waiting. */
int unik_store_lock(struct unik_store *s, struct unik_err *err);
/* Whether nobody else has it open just now, so that whatever somebody was about
 * to name has its name. */
bool unik_store_alone(struct unik_store *s);
const char *unik_store_path(const struct unik_store *s);
/* An open directory: "images", "layers", "stacks" or "refs"; borrowed. */
int unik_store_dir(const struct unik_store *s, const char *name);

/* A temporary file in a directory: locked, removed by unik_temp_release()
 * unless it was published. */
struct unik_temp {
	int dir; /* borrowed */
	int fd;  /* -1: none */
	char name[64];
};

#define UNIK_TEMP_NONE { -1, -1, "" }

int unik_temp_open(struct unik_temp *t, int dir, struct unik_err *err);
void unik_temp_release(struct unik_temp *t);
/* Makes the file durable, mode 0444 (or `mode`), and gives it its name.
 * `replace`: an existing file of that name is replaced; else it must hold the
 * same bytes and is kept (UNIK_EBAD where it does not). */
int unik_temp_publish(struct unik_temp *t, const char *name, unsigned mode,
		      bool replace, struct unik_err *err);
/* Removes temporaries of dead processes from a directory. */
int unik_temp_clean(int dir, struct unik_err *err);
/* Opens the directory of a file that is to be made and cleans it so: *dir_path
 * is malloc'ed, *name is the last component in `path`.  After a failure, too,
 * *dir (where not -1) is to be closed and *dir_path to be freed. */
int unik_temp_dir(const char *path, int *dir, char **dir_path,
		  const char **name, struct unik_err *err);
/* Whether a name is that of a temporary. */
bool unik_temp_is(const char *name);

/* Writes bytes under a name that is their content's (kept where it exists). */
int unik_store_put(struct unik_store *s, const char *dir, const char *name,
		   const void *bytes, size_t n, struct unik_err *err);
/* Makes or replaces a relative symlink, atomically. */
int unik_store_link(struct unik_store *s, const char *dir, const char *name,
		    const char *target, struct unik_err *err);
/* Replaces a small file, atomically. */
int unik_store_replace(struct unik_store *s, const char *dir, const char *name,
		       const void *bytes, size_t n, struct unik_err *err);
/* Reads a whole file of at most `max` bytes: *bytes is malloc'ed with a NUL
 * behind; 1 where there is no such file. */
int unik_store_get(const struct unik_store *s, const char *dir,
		   const char *name, size_t max, char **bytes, size_t *n,
		   struct unik_err *err);
/* Whether images/NAME is there with that size: 0, 1 not there, -1. */
int unik_store_has_image(const struct unik_store *s, const char *name,
			 uint64_t size, struct unik_err *err);
/* fsync of the directories that got new names. */
int unik_store_sync(struct unik_store *s, struct unik_err *err);

/* "sha256-<hex>.<ext>" */
#define UNIK_IMAGE_NAME 96
const char *unik_image_name(const struct unik_digest *d, const char *ext,
			    char buf[UNIK_IMAGE_NAME]);

#endif
