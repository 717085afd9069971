/* SPDX-License-Identifier: GPL-3.0-or-later */
/* verify: one image file. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "io.h"
#include "verify_private.h"

int verify_hash(const struct verify *v, int fd, uint64_t size,
		struct unik_digest *d, struct unik_err *err)
{
	struct unik_hash h = UNIK_HASH_NONE;
	struct unik_source *src = NULL;
	const uint8_t *data;
	size_t n;
	int rc;

	rc = unik_source_range(&src, fd, 0, size, err);
	if (rc == 0)
		rc = unik_hash_init(&h, UNIK_SHA256, err);
	while (rc == 0 && (rc = unik_source_peek(src, &data, &n, err)) == 0) {
		rc = verify_stopped(v, err);
		if (rc == 0)
			rc = unik_hash_update(&h, data, n, err);
		unik_source_advance(src, n);
	}
	if (rc == 1)
		rc = unik_hash_final(&h, d, err);
	unik_hash_release(&h);
	unik_source_free(src);
	return rc;
}

void verify_intact(const struct verify *v, const struct unik_reader *reader,
		   int fd, uint64_t size, const char *object,
		   struct findings *f)
{
	struct unik_reader_info info;
	struct unik_err err;

	if (reader->info(&info, fd, size, &err) < 0 ||
	    (!v->opt->quick &&
	     reader->check(fd, size, &v->opt->limits, &err) < 0)) {
		verify_put_err(f, UNIK_INTACT, object, &err);
		return;
	}
	if (info.size > size)
		verify_put(f, UNIK_INTACT, UNIK_FAIL, object,
			   "it has %" PRIu64 " bytes, of %" PRIu64, size,
			   info.size);
	else if (info.version > 0)
		verify_put(f, UNIK_INTACT, UNIK_PASS, object,
			   "%s of %s, format version %d, %" PRIu64 " bytes",
			   v->opt->quick ? "head" : "structure", reader->name,
			   info.version, info.size);
	else
		verify_put(f, UNIK_INTACT, UNIK_PASS, object,
			   "%s of %s, of another tool, %" PRIu64 " bytes",
			   v->opt->quick ? "head" : "structure", reader->name,
			   info.size);
}

/* ---- identity ---- */

/* The digest that the name of the file says, where it is one of a store. */
static bool named_digest(const char *path, const struct unik_reader *reader,
			 struct unik_digest *d)
{
	const char *slash = strrchr(path, '/');
	char ext[16] = ".";

	strncat(ext, reader->name, sizeof(ext) - 2);
	return unik_store_name_digest(slash ? slash + 1 : path, ext, d);
}

int verify_take(struct verify_place *p, struct unik_err *err)
{
	if (!p->hashed && verify_hash(p->v, p->fd, p->size, &p->taken, err) < 0)
		return -1;
	p->hashed = true;
	return 0;
}

/* What has no digest to be compared with need not be read for one. */
static void check_name(struct verify_place *p, const char *path)
{
	char a[UNIK_DIGEST_TEXT], b[UNIK_DIGEST_TEXT];
	struct unik_digest named;
	struct unik_err err;

	if (!named_digest(path, p->reader, &named))
		verify_put(p->f, UNIK_IDENTITY, UNIK_SKIP, p->object,
			   "its name is no digest");
	else if (p->v->opt->quick)
		verify_put(p->f, UNIK_IDENTITY, UNIK_SKIP, p->object,
			   "not read (--quick)");
	else if (verify_take(p, &err) < 0)
		verify_put_err(p->f, UNIK_IDENTITY, p->object, &err);
	else if (unik_digest_equal(&p->taken, &named))
		verify_put(p->f, UNIK_IDENTITY, UNIK_PASS, p->object,
			   "%" PRIu64 " bytes, %s as it is named", p->size,
			   unik_digest_text(&p->taken, a));
	else
		verify_put(p->f, UNIK_IDENTITY, UNIK_FAIL, p->object,
			   "is %s, named %s", unik_digest_text(&p->taken, a),
			   unik_digest_text(&named, b));
}

/* ---- all of it ---- */

static int check_file(struct verify_place *p, const char *path,
		      struct unik_err *err)
{
	const struct verify *v = p->v;

	if (unik_reader_detect(&p->reader, p->fd, p->size, err) < 0) {
		verify_put_err(p->f, UNIK_INTACT, p->object, err);
		return 0;
	}
	if (!p->reader) {
		verify_put(p->f, UNIK_INTACT, UNIK_FAIL, p->object,
			   "it is no image of a known format");
		return 0;
	}
	check_name(p, path);
	if (verify_stopped(v, err) < 0)
		return -1;
	verify_intact(v, p->reader, p->fd, p->size, p->object, p->f);
	if (v->source)
		return verify_file_source(p, err);
	verify_put(p->f, UNIK_FAITHFUL, UNIK_SKIP, p->object, "%s",
		   verify_no_source(v));
	return 0;
}

static int open_file(struct verify_place *p, const char *path,
		     struct unik_err *err)
{
	struct stat st;
	off_t end;

	p->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (p->fd < 0 || fstat(p->fd, &st) < 0)
		return unik_fail_sys(err, "can't open it");
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return unik_fail(err, "neither a regular file nor a block "
				 "device");
	end = S_ISREG(st.st_mode) ? st.st_size : lseek(p->fd, 0, SEEK_END);
	if (end < 0)
		return unik_fail_sys(err, "can't find its end");
	p->size = (uint64_t)end;
	return 0;
}

int verify_file(struct verify *v, const char *path, struct unik_err *err)
{
	struct findings f = { 0 };
	struct verify_place p = { .v = v, .fd = -1, .object = "image",
				  .f = &f };
	struct unik_err usage;
	int rc = 0;

	p.netbsd = verify_is_netbsd(v->opt->for_target);
	if (open_file(&p, path, err) < 0)
		verify_put_err(&f, UNIK_IDENTITY, p.object, err);
	else
		rc = check_file(&p, path, err);
	if (p.fd >= 0)
		close(p.fd);
	usage = *err;
	if (verify_emit(v, &f, err) < 0)
		return -1;
	*err = usage;
	return rc;
}
