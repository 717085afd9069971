/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An image as docker save writes it, of two layers, one of them compressed. */
#ifndef UNIK_TEST_FAULTIMAGE_H
#define UNIK_TEST_FAULTIMAGE_H

#include <fcntl.h>
#include <unistd.h>

#include "maketar.h"
#include "pack.h"

static void hex_of(const struct mk *t, char hex[UNIK_DIGEST_TEXT])
{
	struct unik_digest d;

	must(unik_sha256(t->p, t->size, &d, &err));
	unik_digest_hex(&d, hex);
}

static void make_layer(struct mk *t, int k)
{
	char name[64];
	int i;

	for (i = 0; i < 5; i++) {
		sprintf(name, "d%d/%d/file", k, i);
		mk_file(t, name, name);
	}
	mk_link(t, '2', "s", "target");
	sprintf(name, "d%d/1/file", k);
	mk_link(t, '1', "h", name);
	if (k == 1)
		mk_file(t, "d0/.wh.3", "");
	mk_end(t);
}

UNUSED static void write_source(const char *path)
{
	struct mk source = { 0 };
	char hex[2][UNIK_DIGEST_TEXT], config[1024], manifest[1024];
	struct mk layers[2] = { { 0 }, { 0 } };
	struct bytes gz = { NULL, 0, 0 };
	int k, fd;

	for (k = 0; k < 2; k++) {
		make_layer(&layers[k], k);
		hex_of(&layers[k], hex[k]);
	}
	sprintf(config,
		"{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":"
		"{\"Cmd\":[\"/bin/sh\"],\"Env\":[\"A=b\"]},\"rootfs\":"
		"{\"type\":\"layers\",\"diff_ids\":[\"sha256:%s\","
		"\"sha256:%s\"]}}", hex[0], hex[1]);
	sprintf(manifest, "[{\"Config\":\"config.json\",\"RepoTags\":"
		"[\"app:1\"],\"Layers\":[\"0.tar\",\"1.tar\"]}]");
	mk_file(&source, "manifest.json", manifest);
	mk_file(&source, "config.json", config);
	mk_head(&source, '0', "0.tar");
	mk_data(&source, layers[0].p, layers[0].size);
	add_gzip(&gz, layers[1].p, layers[1].size);
	mk_head(&source, '0', "1.tar");
	mk_data(&source, gz.p, gz.size);
	mk_end(&source);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	must(unik_write_all(fd, source.p, source.size, &err));
	close(fd);
	mk_drop(&source);
	mk_drop(&layers[0]);
	mk_drop(&layers[1]);
	drop_bytes(&gz);
}

#endif
