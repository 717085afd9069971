/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * readiso WHAT IMAGE: what the reader of ISO images makes of one.
 *
 * WHAT   check  nothing but the exit status and, of a bad image, the reason
 *        tree   the canonical text of its tree (treedump.h)
 *        info   "version=N rock=N blocks=N volume=TEXT"
 *
 * The exit status is that of the error; its message goes to stderr.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "limits.h"
#include "reader_iso.h"
#include "treedump.h"

static struct unik_err err;

static int print(void *data, const char *text, size_t n, struct unik_err *e)
{
	(void)e;
	return fwrite(text, 1, n, data) == n ? 0 : -1;
}

static int print_tree(int fd, uint64_t size, const struct unik_limits *limits)
{
	const struct unik_data data = { .fd = fd };
	struct unik_tree *tree;
	int rc;

	if (unik_iso_read(&tree, &data, size, limits, NULL, &err) < 0)
		return -1;
	rc = unik_treedump(tree, print, stdout, &err);
	unik_tree_free(tree);
	return rc;
}

static int print_info(int fd, uint64_t size)
{
	struct unik_iso_info info;

	if (unik_iso_info(&info, fd, size, &err) < 0)
		return -1;
	printf("version=%d rock=%d blocks=%lu volume=%s\n", info.version,
	       info.rock, (unsigned long)info.nblocks, info.volume_id);
	return 0;
}

int main(int argc, char **argv)
{
	struct unik_limits limits;
	struct stat st;
	int fd, rc;

	unik_limits_init(&limits);
	if (argc != 3 || (fd = open(argv[2], O_RDONLY)) < 0 ||
	    fstat(fd, &st) < 0) {
		fprintf(stderr, "usage: readiso check|tree|info IMAGE\n");
		return UNIK_EUSAGE;
	}
	if (strcmp(argv[1], "check") == 0)
		rc = unik_iso_check(fd, (uint64_t)st.st_size, &limits, &err);
	else if (strcmp(argv[1], "tree") == 0)
		rc = print_tree(fd, (uint64_t)st.st_size, &limits);
	else
		rc = print_info(fd, (uint64_t)st.st_size);
	if (rc < 0) {
		fprintf(stderr, "readiso: %s\n", err.msg);
		return err.code ? (int)err.code : UNIK_EIO;
	}
	return fflush(stdout) == 0 ? 0 : UNIK_EIO;
}
