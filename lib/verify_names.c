/* SPDX-License-Identifier: GPL-3.0-or-later */
/* verify: the names of a store, one by one. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "verify_private.h"

const char *verify_object(char buf[OBJECT_SIZE], const char *dir,
			  const char *name)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789._:@+-%";
	char q[UNIK_QUOTE_SIZE];

	if (name[strspn(name, plain)] == 0)
		snprintf(buf, OBJECT_SIZE, "%s%s%s", dir, dir[0] ? "/" : "",
			 name);
	else
		snprintf(buf, OBJECT_SIZE, "%s%s%s", dir, dir[0] ? "/" : "",
			 unik_quote(q, name, strlen(name)));
	return buf;
}

const char *verify_image_name(const struct unik_manifest *m, size_t i,
			      char buf[UNIK_IMAGE_NAME])
{
	const struct unik_stack_image *s = &m->stack[i];

	return unik_image_name(&s->facts.image,
			       s->format ? s->format : m->format, buf);
}

int verify_plain_file(const struct store_view *s, const char *dir,
		      const char *name, struct stat *st, struct findings *f)
{
	char object[OBJECT_SIZE];
	struct unik_err err;

	verify_object(object, dir, name);
	if (fstatat(unik_store_dir(s->store, dir), name, st,
		    AT_SYMLINK_NOFOLLOW) < 0) {
		unik_fail_sys(&err, "can't find it");
		verify_put_err(f, UNIK_IDENTITY, object, &err);
		return -1;
	}
	if (!S_ISREG(st->st_mode)) {
		verify_put(f, UNIK_IDENTITY, UNIK_FAIL, object,
			   "it is %s, not a regular file",
			   S_ISLNK(st->st_mode)	  ? "a symlink"
			   : S_ISDIR(st->st_mode) ? "a directory"
						  : "a special file");
		return -1;
	}
	/* Who copies a store may take rights away, but not give any. */
	if (st->st_mode & 07333) {
		verify_put(f, UNIK_IDENTITY, UNIK_FAIL, object,
			   "its mode is %04o, want 0444",
			   (unsigned)st->st_mode & 07777);
		return -1;
	}
	return 0;
}

/* A temporary is locked while its writer lives; but for an instant at its
 * begin, so that only one that is there with nobody at work is left over. */
static bool is_being_written(const struct store_view *s, int fd)
{
	return (fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 &&
		errno == EWOULDBLOCK) ||
	       !unik_store_alone(s->store);
}

bool verify_is_temp(const struct store_view *s, const char *dir,
		    const char *name, struct findings *f)
{
	int at = unik_store_dir(s->store, dir), fd;
	char object[OBJECT_SIZE];
	struct stat st;

	if (!unik_temp_is(name))
		return false;
	verify_object(object, dir, name);
	fd = openat(at, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (is_being_written(s, fd))
		verify_put(f, UNIK_IDENTITY, UNIK_SKIP, object,
			   "a conversion is writing it");
	else if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		verify_put(f, UNIK_IDENTITY, UNIK_SKIP, object,
			   "a conversion has removed it meanwhile");
	else
		verify_put(f, UNIK_IDENTITY, UNIK_FAIL, object,
			   "a temporary file that nobody writes");
	if (fd >= 0)
		close(fd);
	return true;
}

/* ---- refs ---- */

static int check_ref(const struct store_view *s, const char *name,
		     char file[UNIK_IMAGE_NAME], struct unik_err *err)
{
	struct unik_stored_manifest *stored = NULL;
	const struct unik_manifest *m;
	char want[UNIK_REF_NAME];
	int rc;

	if (unik_store_ref_target(s->store, name, file, err) < 0 ||
	    unik_store_stack(s->store, file, &s->v->opt->limits, &stored, NULL,
			     err) < 0)
		return -1;
	m = &stored->m;
	rc = unik_ref_name(want, m->source->name, m->target, m->format, err);
	if (rc == 0 && strcmp(want, name) != 0)
		rc = unik_fail(err, "its stack would be named '%s'", want);
	unik_stored_manifest_free(stored);
	return rc;
}

void verify_ref(void *data, size_t i, struct findings *f)
{
	const struct store_view *s = data;
	const char *name = s->refs.v[i];
	char object[OBJECT_SIZE], file[UNIK_IMAGE_NAME];
	struct unik_err err;

	if (verify_is_temp(s, "refs", name, f))
		return;
	verify_object(object, "refs", name);
	if (check_ref(s, name, file, &err) < 0)
		verify_put_err(f, UNIK_IDENTITY, object, &err);
	else
		verify_put(f, UNIK_IDENTITY, UNIK_PASS, object,
			   "points to stacks/%s, which is named so", file);
}

/* ---- stacks ---- */

/* The images of a stack are there, with their sizes. */
static int check_images(const struct store_view *s,
			const struct unik_manifest *m, struct unik_err *err)
{
	int dir = unik_store_dir(s->store, "images");
	char name[UNIK_IMAGE_NAME];
	struct stat st;
	size_t i;

	for (i = 0; i < m->nstack; i++) {
		uint64_t size = m->stack[i].facts.size;

		verify_image_name(m, i, name);
		if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return unik_fail_sys(err, "can't find 'images/%s'",
					     name);
		if ((uint64_t)st.st_size != size)
			return unik_fail(err, "'images/%s' has %" PRIu64
					 " bytes, recorded are %" PRIu64, name,
					 (uint64_t)st.st_size, size);
	}
	return 0;
}

void verify_stack(void *data, size_t i, struct findings *f)
{
	const struct store_view *s = data;
	struct unik_stored_manifest *stored = NULL;
	const char *name = s->stacks.v[i];
	char object[OBJECT_SIZE];
	struct unik_err err;
	struct stat st;

	if (verify_is_temp(s, "stacks", name, f) ||
	    verify_plain_file(s, "stacks", name, &st, f) < 0)
		return;
	verify_object(object, "stacks", name);
	if (unik_store_stack(s->store, name, &s->v->opt->limits, &stored, NULL,
			     &err) < 0 ||
	    check_images(s, &stored->m, &err) < 0)
		verify_put_err(f, UNIK_IDENTITY, object, &err);
	else
		verify_put(f, UNIK_IDENTITY, UNIK_PASS, object,
			   "its sha256 is its name; canonical; %zu layers in "
			   "%zu images, which are there", stored->m.nlayers,
			   stored->m.nstack);
	unik_stored_manifest_free(stored);
}

/* ---- images ---- */

/* The reader of the format that the name says; NULL where it says none. */
static const struct unik_reader *reader_of(const char *name,
					   struct unik_digest *d)
{
	const char *ext = strrchr(name, '.');

	return ext && unik_store_name_digest(name, ext, d)
		       ? unik_reader_find(ext + 1) : NULL;
}

/* True where the bytes are what the name says, as far as they were read. */
static bool check_bytes(const struct store_view *s, int fd,
			const struct stat *st, const struct unik_digest *named,
			const char *object, struct findings *f)
{
	uint64_t size = (uint64_t)st->st_size;
	char text[UNIK_DIGEST_TEXT];
	struct unik_digest taken;
	struct unik_err err;

	if (s->v->opt->quick) {
		verify_put(f, UNIK_IDENTITY, UNIK_PASS, object,
			   "%" PRIu64 " bytes; not read (--quick)", size);
		return true;
	}
	if (verify_hash(s->v, fd, size, &taken, &err) < 0) {
		verify_put_err(f, UNIK_IDENTITY, object, &err);
		return false;
	}
	if (unik_digest_equal(&taken, named)) {
		verify_put(f, UNIK_IDENTITY, UNIK_PASS, object,
			   "the sha256 of its %" PRIu64 " bytes is its name",
			   size);
		return true;
	}
	verify_put(f, UNIK_IDENTITY, UNIK_FAIL, object,
		   "it has %" PRIu64 " bytes of %s", size,
		   unik_digest_text(&taken, text));
	return false;
}

void verify_image(void *data, size_t i, struct findings *f)
{
	struct store_view *s = data;
	const char *name = s->images.v[i];
	const struct unik_reader *reader;
	struct unik_digest named;
	char object[OBJECT_SIZE];
	struct unik_err err;
	struct stat st;
	int fd;

	if (verify_is_temp(s, "images", name, f))
		return;
	s->bad[i] = true;
	verify_object(object, "images", name);
	reader = reader_of(name, &named);
	if (!reader) {
		verify_put(f, UNIK_IDENTITY, UNIK_FAIL, object,
			   "it is no name of an image");
		return;
	}
	if (verify_plain_file(s, "images", name, &st, f) < 0)
		return;
	fd = openat(unik_store_dir(s->store, "images"), name,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		unik_fail_sys(&err, "can't open it");
		verify_put_err(f, UNIK_IDENTITY, object, &err);
		return;
	}
	s->bad[i] = !check_bytes(s, fd, &st, &named, object, f);
	verify_intact(s->v, reader, fd, (uint64_t)st.st_size, object, f);
	close(fd);
}
