/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "layout.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io.h"

#define LAYOUT "oci-layout"
#define INDEX "index.json"
#define REF_NAME "org.opencontainers.image.ref.name"
#define INDEX_TYPE "application/vnd.oci.image.index.v1+json"

/* ---- the directory ---- */

/* A whole small file: 0, 1 there is none, -1. */
static int read_file(const struct unik_layout *l, const char *name,
		     const struct unik_limits *limits, char **text,
		     size_t *size, struct unik_err *err)
{
	/* Nobody's FIFO may hold us up. */
	int fd = openat(l->root, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	size_t most = limits->json_size;
	char *buf;
	int rc;

	if (fd < 0 && errno == ENOENT)
		return 1;
	if (fd < 0)
		return unik_fail_sys(err, "can't open '%s/%s'", l->path, name);
	buf = malloc(most + 1);
	rc = buf ? unik_read_full(fd, buf, most + 1, size, err)
		 : unik_fail_mem(err);
	close(fd);
	if (rc == 0 && *size > most)
		rc = unik_fail(err, "more than %zu bytes (--max-json-size)",
			       most);
	if (rc < 0) {
		free(buf);
		return unik_wrap(err, "'%s/%s'", l->path, name);
	}
	*text = buf;
	return 0;
}

static int parse_file(const struct unik_layout *l, const char *name,
		      const struct unik_limits *limits,
		      struct unik_json **root, struct unik_err *err)
{
	char *text = NULL;
	size_t size = 0;
	int rc = read_file(l, name, limits, &text, &size, err);

	if (rc != 0)
		return rc;
	rc = unik_json_parse(root, text, size, limits, err);
	free(text);
	if (rc == 0 && !unik_json_is_object(*root)) {
		unik_json_free(*root);
		*root = NULL;
		rc = unik_fail(err, "not an object");
	}
	return rc < 0 ? unik_wrap(err, "'%s/%s'", l->path, name) : 0;
}

/* What stands in a directory that is no layout yet. */
static bool may_be_there(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	       strcmp(name, "blobs") == 0 || unik_temp_is(name);
}

static int check_empty(const struct unik_layout *l, struct unik_err *err)
{
	int fd = openat(l->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	char q[UNIK_QUOTE_SIZE];
	int rc = 0;

	if (!d) {
		unik_fail_sys(err, "can't list '%s'", l->path);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	while (rc == 0 && (e = readdir(d)) != NULL)
		if (!may_be_there(e->d_name))
			rc = unik_fail_usage(
				err, "'%s' is no OCI layout: it holds %s but "
				"no oci-layout", l->path,
				unik_quote(q, e->d_name, strlen(e->d_name)));
	closedir(d);
	return rc;
}

static int check_layout(const struct unik_layout *l,
			const struct unik_limits *limits, struct unik_err *err)
{
	struct unik_json *root = NULL;
	const char *version = NULL;
	int rc = parse_file(l, LAYOUT, limits, &root, err);

	if (rc == 1) /* an index may come only after it */
		return check_empty(l, err);
	if (rc == 0)
		rc = unik_json_string(root, "imageLayoutVersion", &version,
				      err);
	if (rc == 0 && (!version || strncmp(version, "1.", 2) != 0))
		rc = unik_fail(err, "'%s' is an OCI layout of an unknown "
			       "version", l->path);
	unik_json_free(root);
	return rc;
}

/* Opens and locks the root.  1: it vanished meanwhile. */
static int open_root(struct unik_layout *l, struct unik_err *err)
{
	struct stat a, b;

	if (mkdir(l->path, 0777) == 0)
		l->made = true;
	else if (errno != EEXIST)
		return unik_fail_sys(err, "can't make '%s'", l->path);
	l->root = open(l->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (l->root < 0 && errno == ENOENT)
		return 1;
	if (l->root < 0)
		return unik_fail_sys(err, "can't open '%s'", l->path);
	while (flock(l->root, LOCK_SH) < 0)
		if (errno != EINTR)
			return unik_fail_sys(err, "can't lock '%s'", l->path);
	if (fstat(l->root, &a) == 0 && stat(l->path, &b) == 0 &&
	    a.st_dev == b.st_dev && a.st_ino == b.st_ino)
		return 0;
	close(l->root);
	l->root = -1;
	return 1;
}

static int open_dir(struct unik_layout *l, int at, const char *name, int *fd,
		    struct unik_err *err)
{
	if (mkdirat(at, name, 0777) < 0 && errno != EEXIST)
		return unik_fail_sys(err, "can't make '%s' in '%s'", name,
				     l->path);
	*fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (*fd < 0)
		return unik_fail_sys(err, "can't open '%s' in '%s'", name,
				     l->path);
	return 0;
}

int unik_layout_open(struct unik_layout *l, const char *path,
		     const struct unik_limits *limits, struct unik_err *err)
{
	int rc = 1, tries;

	l->path = path;
	for (tries = 0; rc == 1 && tries < 1000; tries++)
		rc = open_root(l, err);
	if (rc == 1)
		return unik_fail_io(err, "'%s' comes and goes", path);
	if (rc < 0 || check_layout(l, limits, err) < 0 ||
	    open_dir(l, l->root, "blobs", &l->blobs, err) < 0 ||
	    open_dir(l, l->blobs, "sha256", &l->sha256, err) < 0 ||
	    unik_temp_clean(l->root, err) < 0)
		return -1;
	return unik_temp_clean(l->sha256, err);
}

static void abandon(struct unik_layout *l)
{
	if (!l->made || flock(l->root, LOCK_EX | LOCK_NB) < 0)
		return;
	if (unlinkat(l->root, "blobs/sha256", AT_REMOVEDIR) < 0 &&
	    errno != ENOENT)
		return;
	if (unlinkat(l->root, "blobs", AT_REMOVEDIR) == 0 || errno == ENOENT)
		rmdir(l->path);
}

void unik_layout_close(struct unik_layout *l, bool failed)
{
	const struct unik_layout none = UNIK_LAYOUT_NONE;

	if (failed && l->root >= 0)
		abandon(l);
	if (l->sha256 >= 0)
		close(l->sha256);
	if (l->blobs >= 0)
		close(l->blobs);
	if (l->root >= 0)
		close(l->root);
	*l = none;
}

bool unik_layout_has_blob(const struct unik_layout *l,
			  const struct unik_digest *digest)
{
	char hex[UNIK_DIGEST_TEXT];

	return digest->algo == UNIK_SHA256 &&
	       faccessat(l->sha256, unik_digest_hex(digest, hex), F_OK, 0) == 0;
}

/* ---- the index ---- */

/* Whether the new entry takes the place of that one. */
static bool is_replaced(const struct unik_json *old,
			const struct unik_layout_entry *entry)
{
	const struct unik_json *notes = unik_json_get(old, "annotations");
	const char *ref = NULL, *digest;
	char text[UNIK_DIGEST_TEXT];

	if (unik_json_is_object(notes))
		ref = unik_json_text(unik_json_get(notes, REF_NAME));
	if (entry->ref || ref)
		return entry->ref && ref && strcmp(entry->ref, ref) == 0;
	digest = unik_json_text(unik_json_get(old, "digest"));
	return digest &&
	       strcmp(digest, unik_digest_text(entry->digest, text)) == 0;
}

/* Whether an entry that would go is to stay. */
static bool is_kept(const struct unik_json *old,
		    const struct unik_layout_entry *entry)
{
	const char *digest = unik_json_text(unik_json_get(old, "digest"));
	char text[UNIK_DIGEST_TEXT];

	return entry->keep && digest && is_replaced(old, entry) &&
	       strcmp(digest, unik_digest_text(entry->keep, text)) == 0;
}

static int check_kept(const struct unik_layout *l, const struct unik_json *root,
		      const struct unik_layout_entry *entry,
		      struct unik_err *err)
{
	const struct unik_json *old = NULL;
	size_t i;

	if (unik_json_array(root, "manifests", &old, err) < 0)
		return unik_wrap(err, "'%s/" INDEX "'", l->path);
	for (i = 0; i < unik_json_count(old); i++)
		if (unik_json_is_object(unik_json_at(old, i)) &&
		    is_kept(unik_json_at(old, i), entry))
			return unik_fail_usage(err, "'%s' has the source "
					       "itself under '%s': choose "
					       "another tag", l->path,
					       entry->ref ? entry->ref : "");
	return 0;
}

static void put_entries(struct unik_json_out *o, const struct unik_json *old,
			const struct unik_layout_entry *entry)
{
	bool done = false;
	size_t i;

	unik_json_put_array(o, "manifests");
	for (i = 0; i < unik_json_count(old); i++) {
		const struct unik_json *e = unik_json_at(old, i);

		if (!unik_json_is_object(e) || !is_replaced(e, entry))
			unik_json_put_copy(o, NULL, e);
		else if (!done)
			unik_json_put_raw(o, NULL, entry->text, entry->size);
		done = done || (unik_json_is_object(e) &&
				is_replaced(e, entry));
	}
	if (!done)
		unik_json_put_raw(o, NULL, entry->text, entry->size);
	unik_json_put_end(o);
}

/* The new text of index.json; `root` is the old one, or NULL. */
static int make_index(const struct unik_json *root,
		      const struct unik_layout_entry *entry, char **text,
		      size_t *size, struct unik_err *err)
{
	const struct unik_json *old = NULL;
	struct unik_json_member m;
	struct unik_json_out o;
	bool more;
	int rc;

	if (unik_json_array(root, "manifests", &old, err) < 0)
		return unik_wrap(err, INDEX);
	unik_json_out_init(&o);
	o.verbatim = true;
	unik_json_put_object(&o, NULL);
	if (!root) {
		unik_json_put_uint(&o, "schemaVersion", 2);
		unik_json_put_string(&o, "mediaType", INDEX_TYPE);
	}
	for (more = unik_json_first(root, &m); more;
	     more = unik_json_next(root, &m))
		if (strcmp(m.key, "manifests") != 0)
			unik_json_put_copy(&o, m.key, m.value);
	put_entries(&o, old, entry);
	unik_json_put_end(&o);
	rc = unik_json_out_take(&o, text, size, err);
	unik_json_out_release(&o);
	return rc;
}

/* A document in a temporary of the root. */
static int write_temp(const struct unik_layout *l, struct unik_temp *t,
		      const char *text, size_t size, struct unik_err *err)
{
	if (unik_temp_open(t, l->root, err) < 0)
		return -1;
	return unik_write_all(t->fd, text, size, err);
}

static int write_index(const struct unik_layout *l, struct unik_temp *t,
		       const struct unik_layout_entry *entry,
		       const struct unik_limits *limits, struct unik_err *err)
{
	struct unik_json *root = NULL;
	char *text = NULL;
	size_t size = 0;
	int rc = parse_file(l, INDEX, limits, &root, err);

	if (rc < 0)
		return -1;
	rc = check_kept(l, root, entry, err);
	if (rc == 0)
		rc = make_index(root, entry, &text, &size, err);
	unik_json_free(root);
	if (rc == 0)
		rc = write_temp(l, t, text, size, err);
	free(text);
	return rc;
}

/* ---- names ---- */

static int name_blobs(const struct unik_layout *l,
		      const struct unik_layout_blob *blobs, size_t nblobs,
		      struct unik_err *err)
{
	char hex[UNIK_DIGEST_TEXT];
	size_t i;

	for (i = 0; i < nblobs; i++) {
		if (blobs[i].temp->fd < 0)
			continue;
		unik_digest_hex(blobs[i].digest, hex);
		if (unik_temp_publish(blobs[i].temp, hex, 0644, false, err) < 0)
			return unik_wrap(err, "'%s/blobs/sha256'", l->path);
	}
	if (fsync(l->sha256) < 0 && errno != EINVAL)
		return unik_fail_sys(err, "can't sync '%s/blobs/sha256'",
				     l->path);
	return 0;
}

static int name_all(struct unik_layout *l, struct unik_temp *mark,
		    struct unik_temp *index,
		    const struct unik_layout_blob *blobs, size_t nblobs,
		    struct unik_err *err)
{
	if (name_blobs(l, blobs, nblobs, err) < 0)
		return -1;
	if ((mark->fd >= 0 &&
	     unik_temp_publish(mark, LAYOUT, 0644, true, err) < 0) ||
	    unik_temp_publish(index, INDEX, 0644, true, err) < 0)
		return unik_wrap(err, "'%s'", l->path);
	if (fsync(l->root) < 0 && errno != EINVAL)
		return unik_fail_sys(err, "can't sync '%s'", l->path);
	return 0;
}

int unik_layout_publish(struct unik_layout *l,
			const struct unik_layout_entry *entry,
			const struct unik_layout_blob *blobs, size_t nblobs,
			const struct unik_limits *limits, struct unik_err *err)
{
	static const char text[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	struct unik_temp mark = UNIK_TEMP_NONE, index = UNIK_TEMP_NONE;
	int rc = 0;

	while (flock(l->blobs, LOCK_EX) < 0)
		if (errno != EINTR)
			return unik_fail_sys(err, "can't lock '%s/blobs'",
					     l->path);
	if (faccessat(l->root, LAYOUT, F_OK, 0) < 0)
		rc = write_temp(l, &mark, text, sizeof(text) - 1, err);
	if (rc == 0)
		rc = write_index(l, &index, entry, limits, err);
	if (rc == 0)
		rc = name_all(l, &mark, &index, blobs, nblobs, err);
	unik_temp_release(&mark);
	unik_temp_release(&index);
	flock(l->blobs, LOCK_UN);
	return rc;
}
