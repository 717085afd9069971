/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * image: the members of an outer archive: one pass over its headers, a sorted
 * table of names.  The data of members is jumped over and stays where it is.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image_private.h"
#include "path.h"
#include "tar.h"

void img_archive_release(struct img_box *box)
{
	free(box->members);
	free(box->text);
	free(box->pieces);
	box->members = NULL;
	box->text = NULL;
	box->pieces = NULL;
	box->nmembers = 0;
}

static bool is_hex64(const char *s, size_t n)
{
	return n == 64 && strspn(s, "0123456789abcdef") >= 64;
}

/* Which sign of an image a clean member name is, 0 if none. */
static unsigned sign_of(const char *name)
{
	static const struct {
		const char *name;
		unsigned sign;
	} top[] = {
		{ "oci-layout", IMG_SIGN_LAYOUT },
		{ "index.json", IMG_SIGN_INDEX },
		{ "manifest.json", IMG_SIGN_MANIFEST },
		{ "repositories", IMG_SIGN_REPOS },
	};
	const char *slash = strchr(name, '/');
	size_t i, n = slash ? (size_t)(slash - name) : strcspn(name, ".");

	for (i = 0; i < sizeof(top) / sizeof(top[0]); i++)
		if (strcmp(name, top[i].name) == 0)
			return top[i].sign;
	if (strncmp(name, "blobs/sha256/", 13) == 0 ||
	    strncmp(name, "blobs/sha512/", 13) == 0)
		return IMG_SIGN_BLOBS;
	if (slash && strcmp(slash, "/layer.tar") == 0)
		return IMG_SIGN_LAYERS;
	return is_hex64(name, n) ? IMG_SIGN_LAYERS : 0;
}

static bool is_nested(const char *name)
{
	const char *slash = strchr(name, '/');

	return slash && strcmp(slash, "/oci-layout") == 0;
}

bool unik_image_sign(const char *path, size_t n, bool is_dir)
{
	char name[IMG_PATH_SIZE];
	struct unik_err bad;
	size_t size;

	if (n >= sizeof(name) ||
	    unik_path_clean(path, n, 256, name, sizeof(name), &size, &bad) < 0)
		return false;
	return (!is_dir && sign_of(name) != 0) || is_nested(name);
}

static int grow(void **p, size_t *room, size_t used, size_t more, size_t item,
		struct unik_err *err)
{
	size_t want = *room ? *room : 64;
	void *q;

	if (more <= *room - used)
		return 0;
	while (want - used < more)
		want *= 2;
	q = realloc(*p, want * item);
	if (!q)
		return unik_fail_mem(err);
	*p = q;
	*room = want;
	return 0;
}

/* Copies text; *at gets where it is.  All names together are bounded, for a
 * small compressed archive can hold many long ones. */
static int add_text(struct img_ctx *c, const char *s, size_t n, size_t *at,
		    struct unik_err *err)
{
	struct img_box *box = &c->box;
	void *p = box->text;
	uint64_t most;

	if (unik_mul(256, c->limits->members, &most) &&
	    unik_add(most, UINT64_C(1) << 20, &most) &&
	    box->text_size + n > most)
		return unik_fail(err, "the names of the archive's members take "
				 "more than %llu bytes (--max-members)",
				 (unsigned long long)most);
	if (grow(&p, &box->text_room, box->text_size, n + 1, 1, err) < 0)
		return -1;
	box->text = p;
	if (n > 0)
		memcpy(box->text + box->text_size, s, n);
	*at = box->text_size;
	box->text_size += n;
	return 0;
}

static int add_pieces(struct img_ctx *c, const struct unik_tar_entry *e,
		      struct img_member *m, struct unik_err *err)
{
	struct img_box *box = &c->box;
	void *p = box->pieces;

	if (box->npieces + e->npieces > c->limits->sparse)
		return unik_fail(err,
				 "the sparse maps of the archive have more "
				 "than %llu pieces (--max-sparse)",
				 (unsigned long long)c->limits->sparse);
	if (e->size > c->limits->layer_size)
		return unik_fail(err, "a sparse member of %llu bytes "
				 "(--max-layer-size)",
				 (unsigned long long)e->size);
	if (grow(&p, &box->pieces_room, box->npieces, e->npieces,
		 sizeof(*box->pieces), err) < 0)
		return -1;
	box->pieces = p;
	if (e->npieces > 0)
		memcpy(box->pieces + box->npieces, e->pieces,
		       e->npieces * sizeof(*box->pieces));
	m->sparse = true;
	m->piece = (uint32_t)box->npieces;
	m->npieces = e->npieces;
	box->npieces += e->npieces;
	return 0;
}

static uint8_t type_of(const struct unik_tar_entry *e)
{
	switch (e->typeflag) {
	case '0':
		return e->is_dir_name ? IMG_DIR : IMG_FILE;
	case '1':
		return IMG_HARDLINK;
	case '2':
		return IMG_SYMLINK;
	case '5':
		return IMG_DIR;
	default:
		return IMG_OTHER;
	}
}

static int add_member(struct img_ctx *c, const struct unik_tar_entry *e,
		      const char *name, size_t n, struct unik_err *err)
{
	struct img_box *box = &c->box;
	struct img_member m = { 0 };
	size_t name_at, link_at;
	void *p = box->members;

	if (grow(&p, &box->room, box->nmembers, 1, sizeof(m), err) < 0)
		return -1;
	box->members = p;
	m.type = type_of(e);
	m.fd = -1;
	m.seq = (uint32_t)box->nmembers;
	m.offset = e->offset;
	m.size = e->size;
	m.name_size = (uint32_t)n;
	if (m.type == IMG_SYMLINK || m.type == IMG_HARDLINK)
		m.link_size = (uint32_t)e->target_size;
	if (add_text(c, name, n, &name_at, err) < 0 ||
	    add_text(c, e->target, m.link_size, &link_at, err) < 0 ||
	    (e->sparse && add_pieces(c, e, &m, err) < 0))
		return -1;
	/* Places until the text stops moving: see finish(). */
	m.name = (const char *)(uintptr_t)name_at;
	m.link = (const char *)(uintptr_t)link_at;
	box->members[box->nmembers++] = m;
	return 0;
}

static int compare_names(const char *a, size_t na, const char *b, size_t nb)
{
	int d = memcmp(a, b, na < nb ? na : nb);

	return d ? d : (na > nb) - (na < nb);
}

static int compare(const void *pa, const void *pb)
{
	const struct img_member *a = pa, *b = pb;
	int d = compare_names(a->name, a->name_size, b->name, b->name_size);

	return d ? d : (a->seq > b->seq) - (a->seq < b->seq);
}

/*
 * Sorts, and keeps the last of members with one name: that is what is there
 * after unpacking, and what `docker load` (which unpacks) and containerd (which
 * keeps a map by name) read.
 */
static void finish(struct img_box *box)
{
	size_t i, n = 0;

	for (i = 0; i < box->nmembers; i++) {
		struct img_member *m = &box->members[i];

		m->name = box->text + (uintptr_t)m->name;
		m->link = box->text + (uintptr_t)m->link;
	}
	if (box->nmembers > 0)
		qsort(box->members, box->nmembers, sizeof(*box->members),
		      compare);
	for (i = 0; i < box->nmembers; i++) {
		struct img_member *m = &box->members[i];

		if (n > 0 && compare_names(box->members[n - 1].name,
					   box->members[n - 1].name_size,
					   m->name, m->name_size) == 0)
			n--;
		box->members[n++] = *m;
	}
	box->nmembers = n;
}

/* Looks at one entry; false where it is no member of note. */
static bool note(struct img_ctx *c, const struct unik_tar_entry *e,
		 char name[IMG_PATH_SIZE], size_t *n)
{
	struct img_box *box = &c->box;
	char q[UNIK_QUOTE_SIZE];
	struct unik_err bad;

	/* Only an image is refused for a bad name: whether a bare layer may
	 * hold it is for the layer room to say. */
	if (e->path_size >= IMG_PATH_SIZE ||
	    unik_path_clean(e->path, e->path_size, 256, name, IMG_PATH_SIZE, n,
			    &bad) < 0) {
		if (box->bad[0] == 0)
			snprintf(box->bad, sizeof(box->bad), "%.250s",
				 unik_quote(q, e->path, e->path_size));
		return false;
	}
	if (e->target_size >= IMG_PATH_SIZE)
		return false;
	if (type_of(e) != IMG_DIR)
		box->signs |= sign_of(name);
	if (is_nested(name))
		snprintf(box->nested, sizeof(box->nested), "%.250s",
			 unik_quote(q, name, *n));
	return true;
}

/* More members than the limit: an error for an image; a bare layer may have
 * them, and then the table is of no use. */
static int too_many(struct img_ctx *c, struct unik_err *err)
{
	if (c->box.signs != 0 || c->want != UNIK_SRC_DETECT)
		return unik_fail(err, "more than %llu members (--max-members)",
				 (unsigned long long)c->limits->members);
	return 0;
}

static int scan(struct img_ctx *c, struct unik_tar *tar, bool stop,
		struct unik_err *err)
{
	struct img_box *box = &c->box;
	char name[IMG_PATH_SIZE];
	struct unik_tar_entry e;
	uint64_t seen = 0;
	size_t n;
	int rc;

	while ((rc = unik_tar_next(tar, &e, err)) == 0) {
		bool good = note(c, &e, name, &n);

		if (stop && box->signs != 0)
			return 0;
		if (++seen > c->limits->members && too_many(c, err) < 0)
			return -1;
		if (seen > c->limits->members)
			box->nmembers = 0;
		else if (good && !stop &&
			 add_member(c, &e, name, n, err) < 0)
			return -1;
	}
	return rc < 0 ? -1 : 0;
}

int img_archive_scan(struct img_ctx *c, struct unik_source *src, bool stop,
		     struct unik_err *err)
{
	struct unik_tar *tar;
	int rc;

	c->box.signs = 0;
	c->box.bad[0] = 0;
	if (unik_tar_new(&tar, src, c->limits, err) < 0)
		return -1;
	rc = scan(c, tar, stop, err);
	unik_tar_free(tar);
	if (rc == 0 && !stop)
		finish(&c->box);
	return rc;
}

static int copy_piece(int from, int to, const struct unik_piece *p,
		      uint8_t *buf, struct unik_err *err)
{
	uint64_t done = 0;

	while (done < p->size) {
		size_t n = p->size - done < UNIK_CHUNK ?
				   (size_t)(p->size - done) : UNIK_CHUNK;

		if (unik_pread_all(from, buf, n, p->stored + done, err) < 0 ||
		    unik_pwrite_all(to, buf, n, p->offset + done, err) < 0)
			return -1;
		done += n;
	}
	return 0;
}

/* A member that is stored sparse: its bytes are laid out in a spool (which
 * has holes where the member has them). */
static int expand(struct img_ctx *c, struct img_member *m, struct unik_err *err)
{
	uint8_t *buf;
	uint32_t i;
	int fd, rc;

	if (img_new_spool(c, &fd, err) < 0)
		return -1;
	if (ftruncate(fd, (off_t)m->size) < 0)
		return unik_fail_sys(err, "can't size a temporary file");
	buf = malloc(UNIK_CHUNK);
	if (!buf)
		return unik_fail_mem(err);
	for (i = 0, rc = 0; i < m->npieces && rc == 0; i++)
		rc = copy_piece(c->box.fd, fd, &c->box.pieces[m->piece + i],
				buf, err);
	free(buf);
	if (rc == 0)
		m->fd = fd;
	return rc;
}

static struct img_member *find(struct img_box *box, const char *path, size_t n)
{
	size_t low = 0, high = box->nmembers;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		struct img_member *m = &box->members[mid];
		int d = compare_names(path, n, m->name, m->name_size);

		if (d == 0)
			return m;
		if (d < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

int img_archive_lookup(struct img_ctx *c, const char *path, size_t n,
		       struct img_found *found, struct unik_err *err)
{
	struct img_member *m = find(&c->box, path, n);

	memset(&found->blob, 0, sizeof(found->blob));
	found->type = m ? (enum img_type)m->type : IMG_ABSENT;
	if (!m)
		return 0;
	memcpy(found->link, m->link, m->link_size);
	found->link[m->link_size] = 0;
	if (m->type != IMG_FILE)
		return 0;
	if (m->sparse && m->fd < 0 && expand(c, m, err) < 0)
		return -1;
	found->blob.fd = m->sparse ? m->fd : c->box.fd;
	found->blob.offset = m->sparse ? 0 : m->offset;
	found->blob.size = m->size;
	return 0;
}
