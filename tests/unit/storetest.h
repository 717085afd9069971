/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tests of the store share: a scratch directory and looks into it. */
#ifndef UNIK_TEST_STORETEST_H
#define UNIK_TEST_STORETEST_H

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core.h"
#include "store.h"

static char scratch[] = "/dev/shm/unik-unit-XXXXXX";

/* In memory where that can be: each file is synced. */
UNUSED static void make_scratch(void)
{
	if (access("/dev/shm", W_OK) < 0)
		strcpy(scratch, "/tmp/unik-unit-XXXXXX");
	if (!mkdtemp(scratch) || chdir(scratch) < 0)
		die("mkdtemp");
}

static int remove_one(const char *path, const struct stat *st, int flag,
		      struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

UNUSED static void remove_tree(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

UNUSED static void remove_scratch(void)
{
	if (chdir("/") == 0)
		remove_tree(scratch);
}

/* How many names a directory has; -1 where there is none. */
UNUSED static int names_in(const char *path)
{
	DIR *d = opendir(path);
	int n = 0;

	if (!d)
		return -1;
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

UNUSED static bool file_has(const char *path, const char *text)
{
	char got[256] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t n = 0;

	if (fd < 0 || unik_read_full(fd, got, sizeof(got) - 1, &n, &err) < 0)
		return false;
	close(fd);
	return strcmp(got, text) == 0;
}

UNUSED static void put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	must(unik_write_all(fd, text, strlen(text), &err));
	close(fd);
}

UNUSED static struct unik_store *open_store(const char *path)
{
	struct unik_store *s;

	must(unik_store_open(&s, path, true, &err));
	return s;
}

#endif
