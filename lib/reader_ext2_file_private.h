/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reader_ext2: content of files, and targets of symlinks. */
#ifndef UNIK_READER_EXT2_FILE_PRIVATE_H
#define UNIK_READER_EXT2_FILE_PRIVATE_H

#include "reader_ext2_private.h"
#include "scan.h"

/* Room for one more name behind a path, with a slash and a NUL. */
#define UNIK_NAME_ROOM 512u

struct e2r_file {
	struct e2r_image *image;
	const struct unik_data *data;
	struct unik_scan scan;
	struct unik_piece *pieces; /* of the file that was read last */
	uint32_t npieces;
	uint32_t room;
	uint64_t content_left; /* bytes that files may still have */
	uint64_t size;         /* of the file, for the walk */
	bool last_stored;      /* its last block is no hole */
	uint8_t *buf;          /* UNIK_CHUNK bytes */
};

int unik_e2r_file_init(struct e2r_file *f, struct e2r_image *image,
		       const struct unik_data *data, struct unik_err *err);
void unik_e2r_file_release(struct e2r_file *f);
/* Fills *c; its arrays are valid until the next call. */
int unik_e2r_file_content(struct e2r_file *f, const struct e2r_inode *inode,
			  struct unik_content *c, struct unik_err *err);
/* Sets the target of a symlink; valid until the next call. */
int unik_e2r_file_target(struct e2r_file *f, const struct e2r_inode *inode,
			 struct unik_entry *e, struct unik_err *err);

#endif
