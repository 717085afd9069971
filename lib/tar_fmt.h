/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tar_fmt: what a tar header is, to those who read one and who make one. */
#ifndef UNIK_TAR_FMT_H
#define UNIK_TAR_FMT_H

#include <assert.h>

#define TAR_BLOCK 512u

/* POSIX.1-1988 ustar header; GNU and star put other things at `prefix`
 * (GNU tar manual, "Basic Tar Format"; star(5)). */
struct tar_header {
	char name[100];
	char mode[8];
	char uid[8];
	char gid[8];
	char size[12];
	char mtime[12];
	char checksum[8];
	char typeflag;
	char linkname[100];
	char magic[6];
	char version[2];
	char uname[32];
	char gname[32];
	char devmajor[8];
	char devminor[8];
	char prefix[155];
	char pad[12];
};
static_assert(sizeof(struct tar_header) == TAR_BLOCK, "a tar block");

#endif
