/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs a fuzz target on files, without libFuzzer: replay_NAME FILE... */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes in a buffer of just their size, so that ASan sees its end. */
static int run(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = NULL;
	long size = -1;
	int rc = -1;

	if (f && fseek(f, 0, SEEK_END) == 0)
		size = ftell(f);
	if (size >= 0)
		data = malloc((size_t)size + (size == 0));
	if (data) {
		rewind(f);
		if (fread(data, 1, (size_t)size, f) == (size_t)size)
			rc = LLVMFuzzerTestOneInput(data, (size_t)size);
	}
	if (rc < 0)
		perror(path);
	free(data);
	if (f)
		fclose(f);
	return rc;
}

int main(int argc, char **argv)
{
	int i, bad = 0;

	for (i = 1; i < argc; i++) {
		printf("%s\n", argv[i]);
		fflush(stdout); /* so that the last line names what crashes */
		bad |= run(argv[i]);
	}
	return bad != 0;
}
