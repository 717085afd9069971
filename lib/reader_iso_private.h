/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reader_iso: what its files share; no other room includes this. */
#ifndef UNIK_READER_ISO_PRIVATE_H
#define UNIK_READER_ISO_PRIVATE_H

#include "io.h"
#include "iso_fmt.h"
#include "limits.h"
#include "reader_iso.h"

#define ISO_TARGET_ROOM 4096u /* a symlink's target with its NUL */
#define ISO_HOPS 40u          /* continuation areas of one record; Linux: 31 */

/* An open image. */
struct iso_image {
	int fd;
	uint64_t size;
	uint32_t nblocks;
	int version;  /* of our format, or 0 */
	bool rock;
	uint8_t skip; /* SUSP 5.3: bytes before the fields of a record */
	const struct unik_limits *limits;
	/* What may still be read.  Nothing is read twice in a good image, so no
	 * more than its size of each: a bound on bad ones. */
	uint64_t dir_left;
	uint64_t area_left;
	uint64_t entries_left;
	struct iso_pvd pvd;
};

int unik_iso_open(struct iso_image *image, int fd, uint64_t size,
		  const struct unik_limits *limits, struct unik_err *err);

/* ---- directories ---- */

struct iso_extent {
	uint32_t block;
	uint32_t size; /* bytes */
};

#define ISO_WALK_BLOCKS 16u

/* A walk over the records of one directory. */
struct iso_walk {
	struct iso_image *image;
	struct iso_extent dir;
	uint32_t at;     /* of the next record, in the directory */
	uint32_t nread;  /* bytes of the directory read so far */
	uint8_t buf[ISO_WALK_BLOCKS * ISO_BLOCK];
};

int unik_iso_walk(struct iso_walk *walk, struct iso_image *image,
		  struct iso_extent dir, struct unik_err *err);
/* The next record: 0, 1 at the end, -1.  What it says of its own size, its
 * identifier and its extent is in range. */
int unik_iso_walk_next(struct iso_walk *walk, const struct iso_record **record,
		       struct unik_err *err);

static inline const uint8_t *iso_id(const struct iso_record *r)
{
	return (const uint8_t *)(r + 1);
}

static inline struct iso_extent iso_extent_of(const struct iso_record *r)
{
	struct iso_extent e = { iso_get32le(r->extent),
				iso_get32le(r->data_size) };

	return e;
}

/* "." (0) or ".." (1) of a directory? */
static inline bool iso_is_dot(const struct iso_record *r, uint8_t which)
{
	return r->id_size[0] == 1 && iso_id(r)[0] == which;
}

/* ---- System Use fields ---- */

struct iso_region { /* bytes of the image with an owner */
	uint64_t start;
	uint64_t size; /* top bits: what it is */
};

struct iso_attr {
	bool px, serial, tf, pn, nm, sl, re, cl;
	uint32_t mode, nlink, uid, gid, ino;
	int64_t sec;
	uint32_t nsec;
	struct unik_rdev rdev;
	struct unik_rdev raw_rdev; /* the two numbers of PN as they stand */
	uint32_t child; /* block of a CL field */
	size_t nareas;
	size_t name_size;
	size_t target_size;
	/* The rest is not cleared for every record. */
	struct iso_region areas[ISO_HOPS];
	char name[256];
	char target[ISO_TARGET_ROOM];
};

/* All fields of a record, continuation areas included; attributes that it has
 * no field for come from the record itself, the way Linux takes them.  `root`:
 * the record is the "." of the root, where nothing is skipped. */
int unik_iso_attr(struct iso_image *image, const struct iso_record *record,
		  bool root, struct iso_attr *a, struct unik_err *err);
/* The time of a 7-byte stamp; 0 where it is no date. */
int64_t unik_iso_stamp(const uint8_t stamp[7]);

/* ---- a map from numbers to pointers ---- */

struct iso_slot {
	uint64_t key;
	const void *value; /* NULL: free */
};

struct iso_map {
	struct iso_slot *slots;
	size_t nslots; /* a power of two, or 0 */
	size_t n;
	uint64_t seed;
};

/* The value of a key, or NULL. */
const void *unik_iso_map_get(const struct iso_map *map, uint64_t key);
/* Sets the value (not NULL) of a key. */
int unik_iso_map_put(struct iso_map *map, uint64_t key, const void *value,
		     struct unik_err *err);
void unik_iso_map_release(struct iso_map *map);

/* ---- regions ---- */

enum iso_owner { ISO_OWN_META, ISO_OWN_DIR, ISO_OWN_AREA, ISO_OWN_FILE };

struct iso_regions {
	struct iso_region *v;
	size_t n;
	size_t room;
};

int unik_iso_own(struct iso_regions *r, enum iso_owner owner, uint64_t start,
		 uint64_t size, struct unik_err *err);
/* Sorts; no two may overlap, but equal ones of files and of areas.  With
 * `zeros`, what lies between them must be zero and less than a block, or the
 * system area. */
int unik_iso_regions_check(struct iso_regions *r, struct iso_image *image,
			   bool zeros, struct unik_err *err);
void unik_iso_regions_release(struct iso_regions *r);

#endif
