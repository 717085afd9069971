/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ext2ls [--check] [--info] IMAGE: an ext2 image as our reader sees it.
 *
 * Writes the canonical text of its tree; with --check says whether it is intact
 * instead, with --info what it is.  The exit status is that of the error.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "limits.h"
#include "reader_ext2.h"
#include "treedump.h"

static int to_stdout(void *data, const char *text, size_t n,
		     struct unik_err *err)
{
	(void)data;
	if (fwrite(text, 1, n, stdout) != n)
		return unik_fail_sys(err, "can't write");
	return 0;
}

static void print_info(const struct unik_ext2_info *info)
{
	size_t i;

	printf("version=%d block_size=%" PRIu32 " blocks=%" PRIu64 " inodes=%"
	       PRIu64 " free_blocks=%" PRIu64 " free_inodes=%" PRIu64
	       " features=%x,%x,%x exact=%" PRIu64 " wasted=%" PRIu64
	       " label=%s uuid=", info->version, info->block_size,
	       info->nblocks, info->ninodes, info->free_blocks,
	       info->free_inodes, info->compat, info->incompat,
	       info->ro_compat, info->exact_size, info->wasted_size,
	       info->label);
	for (i = 0; i < sizeof(info->uuid); i++)
		printf("%02x", info->uuid[i]);
	putchar('\n');
}

int main(int argc, char **argv)
{
	bool check = argc == 3 && strcmp(argv[1], "--check") == 0;
	bool info = argc == 3 && strcmp(argv[1], "--info") == 0;
	struct unik_ext2_info about;
	struct unik_tree *tree = NULL;
	struct unik_limits limits;
	struct unik_data data = { 0 };
	struct unik_err err = { 0 };
	struct stat st;
	int rc;

	if (argc != 2 && !check && !info)
		return UNIK_EUSAGE;
	data.fd = open(argv[argc - 1], O_RDONLY);
	if (data.fd < 0 || fstat(data.fd, &st) < 0) {
		perror(argv[argc - 1]);
		return UNIK_EIO;
	}
	unik_limits_init(&limits);
	limits.path = 1 << 16;
	if (check)
		rc = unik_ext2_check(data.fd, (uint64_t)st.st_size, &limits,
				     &err);
	else
		rc = unik_ext2_read(&tree, &data, (uint64_t)st.st_size,
				    &limits, &about, &err);
	if (rc == 0 && info)
		print_info(&about);
	else if (rc == 0 && !check)
		rc = unik_treedump(tree, to_stdout, NULL, &err);
	unik_tree_free(tree);
	if (rc == 0)
		return 0;
	fprintf(stderr, "ext2ls: %s\n", err.msg);
	return (int)err.code;
}
