/* SPDX-License-Identifier: GPL-3.0-or-later */
/* image: what a source is, by its content: an archive of Docker's, of OCI's, of
 * both, an OCI directory, or a bare layer; each archive maybe compressed. */
#include <string.h>

#include "image_private.h"
#include "inflate.h"

static int scan_range(struct img_ctx *c, const struct img_input *in,
		      bool inflate, bool stop, struct unik_err *err)
{
	struct unik_source *raw = NULL, *plain = NULL;
	enum unik_compression found;
	int rc;

	if (unik_source_range(&raw, in->fd, 0, in->size, err) < 0)
		return -1;
	rc = inflate ? unik_source_inflate(&plain, raw, c->limits, &found,
					   err) : 0;
	if (rc == 0)
		rc = img_archive_scan(c, inflate ? plain : raw, stop, err);
	unik_source_free(plain);
	unik_source_free(raw);
	return rc;
}

static int inflate_all(struct img_ctx *c, struct img_input *in,
		       struct unik_err *err)
{
	struct unik_source *raw = NULL, *plain = NULL;
	struct img_input out = *in;
	enum unik_compression found;
	int rc;

	if (unik_source_range(&raw, in->fd, 0, in->size, err) < 0)
		return -1;
	rc = unik_source_inflate(&plain, raw, c->limits, &found, err);
	if (rc == 0)
		rc = img_spool(c, plain, &out.fd, &out.size, err);
	unik_source_free(plain);
	unik_source_free(raw);
	if (rc == 0)
		*in = out;
	return rc;
}

static int is_compressed(const struct img_input *in, bool *yes,
			 struct unik_err *err)
{
	uint8_t head[512];
	size_t n = in->size < sizeof(head) ? (size_t)in->size : sizeof(head);

	if (unik_pread_all(in->fd, head, n, 0, err) < 0)
		return -1;
	*yes = unik_compression_of(head, n) != UNIK_PLAIN;
	return 0;
}

/*
 * Whether manifest.json is Docker's.  A rootfs may have a file of that name at
 * its root (a web application's, say), and a layout may have any file beside
 * its own.  Where other traces of an archive are there and nothing but that
 * file can explain them, it is taken for Docker's whatever it holds.
 */
static int is_docker(struct img_ctx *c, bool oci, bool *yes,
		     struct unik_err *err)
{
	struct img_blob blob;
	char head[64];
	size_t n;
	int rc = img_find(c, "manifest.json", &blob, err);

	*yes = false;
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	n = blob.size < sizeof(head) ? (size_t)blob.size : sizeof(head) - 1;
	rc = unik_pread_all(blob.fd, head, n, blob.offset, err);
	img_blob_drop(&blob);
	if (rc < 0)
		return -1;
	head[n] = 0;
	*yes = head[strspn(head, " \t\r\n")] == '[' ||
	       (!oci && (c->box.signs & (IMG_SIGN_LAYERS | IMG_SIGN_REPOS |
					 IMG_SIGN_BLOBS)));
	if (oci && !*yes)
		img_warn(c, "'manifest.json' is not Docker's, and not read");
	return 0;
}

/* The index of an archive, its signs judged: what it has to say. */
static int judge_archive(struct img_ctx *c, bool *oci, bool *docker,
			 struct unik_err *err)
{
	unsigned signs = c->box.signs;

	*oci = (signs & IMG_SIGN_LAYOUT) ||
	       ((signs & IMG_SIGN_INDEX) && (signs & IMG_SIGN_BLOBS));
	if (c->want == UNIK_SRC_OCI_ARCHIVE)
		*oci = true;
	*docker = false;
	if ((signs & IMG_SIGN_MANIFEST) &&
	    is_docker(c, (signs & IMG_SIGN_INDEX) && *oci, docker, err) < 0)
		return -1;
	if (c->want == UNIK_SRC_DOCKER_ARCHIVE)
		*docker = true;
	/* An index.json left out is no matter where manifest.json is there. */
	if (*docker && !(signs & IMG_SIGN_INDEX))
		*oci = c->want == UNIK_SRC_OCI_ARCHIVE;
	if (!*oci && !(signs & IMG_SIGN_MANIFEST) &&
	    (signs & IMG_SIGN_LAYERS) && (signs & IMG_SIGN_REPOS))
		return unik_fail(err, "'repositories' without 'manifest.json': "
				 "an archive of Docker before 1.10, which is "
				 "not read");
	/* One that is cut between two members must not pass for a layer. */
	if (!*oci && !*docker && (signs & (IMG_SIGN_LAYERS | IMG_SIGN_BLOBS)))
		return unik_fail(err, "parts of an image archive, but neither "
				 "'manifest.json' nor 'index.json' (layer:PATH "
				 "takes it for a bare layer)");
	if ((*oci || *docker) && c->box.bad[0])
		return unik_fail(err, "%s is no path inside the archive",
				 c->box.bad);
	return 0;
}

/* Opens the archive: the table of members is there then, unless it turns out
 * to be a bare layer (*oci and *docker are false). */
static int open_archive(struct img_ctx *c, struct img_input *in, bool *oci,
			bool *docker, struct unik_err *err)
{
	bool compressed;

	/* Most likely what should have filled a pipe failed. */
	if (in->size == 0)
		return unik_fail(err, "it is empty (layer:PATH takes it for an "
				 "empty layer)");
	if (is_compressed(in, &compressed, err) < 0)
		return -1;
	if (compressed && c->want == UNIK_SRC_DETECT && c->opt->lazy &&
	    !in->spooled && !c->ref) {
		in->doubt = true;
		return 0;
	}
	/* A compressed layer stays as it is; so its headers are looked at in
	 * passing first, up to the first name that an image has. */
	if (compressed && c->want == UNIK_SRC_DETECT) {
		if (scan_range(c, in, true, true, err) < 0)
			return -1;
		if (c->box.signs == 0)
			return 0;
	}
	if (compressed) {
		struct img_input layer = *in;

		if (inflate_all(c, in, err) < 0)
			return -1;
		c->box.fd = in->fd;
		if (scan_range(c, in, false, false, err) < 0 ||
		    judge_archive(c, oci, docker, err) < 0)
			return -1;
		img_drop_fd(c, *oci || *docker ? layer.fd : in->fd);
		if (!*oci && !*docker)
			*in = layer;
		return 0;
	}
	c->box.fd = in->fd;
	if (scan_range(c, in, false, false, err) < 0)
		return -1;
	return judge_archive(c, oci, docker, err);
}

static int open_dir(struct img_ctx *c, const struct img_input *in, bool *docker,
		    struct unik_err *err)
{
	struct img_blob blob;
	int rc;

	c->box.is_dir = true;
	c->box.fd = in->fd;
	rc = img_find(c, "index.json", &blob, err);
	if (rc < 0)
		return -1;
	if (rc != 0)
		return unik_fail(err, "not an OCI layout: 'index.json' is "
				 "missing");
	img_blob_drop(&blob);
	return is_docker(c, true, docker, err);
}

int img_box_open(struct img_ctx *c, struct img_input *in, bool *oci,
		 bool *docker, struct unik_err *err)
{
	*oci = in->is_dir;
	*docker = false;
	if (in->is_dir)
		return open_dir(c, in, docker, err);
	return open_archive(c, in, oci, docker, err);
}
