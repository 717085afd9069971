/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tar: the stream of headers and data. */
#include "tar.h"

#include <stdlib.h>
#include <string.h>

#include "limits.h"
#include "tar_private.h"

/* (uid_t)-1 means "no change" to chown(2): no entry can be owned by it. */
#define MAX_ID (UINT32_MAX - 1)

/* The body of an extension header is read so much at first. */
#define BODY_STEP ((size_t)64 << 10)

int tar_buf_reserve(struct tar_buf *b, size_t room, struct unik_err *err)
{
	uint8_t *p;

	if (room <= b->room)
		return 0;
	p = realloc(b->p, room);
	if (!p)
		return unik_fail_mem(err);
	b->p = p;
	b->room = room;
	return 0;
}

int tar_buf_set(struct tar_buf *b, const void *data, size_t n,
		struct unik_err *err)
{
	if (tar_buf_reserve(b, n + 1, err) < 0)
		return -1;
	if (n > 0)
		memcpy(b->p, data, n);
	b->p[n] = 0;
	b->size = n;
	return 0;
}

int unik_tar_new(struct unik_tar **out, struct unik_source *src,
		 const struct unik_limits *limits, struct unik_err *err)
{
	struct unik_tar *t = calloc(1, sizeof(*t));

	if (!t)
		return unik_fail_mem(err);
	t->src = src;
	t->limits = limits;
	*out = t;
	return 0;
}

void unik_tar_free(struct unik_tar *t)
{
	if (!t)
		return;
	free(t->pax.body.p);
	free(t->pax.xattrs);
	free(t->long_name.p);
	free(t->long_link.p);
	free(t->name.p);
	free(t->link.p);
	free(t->pieces);
	free(t->pax.decoded.p);
	free(t);
}

bool unik_tar_ended_properly(const struct unik_tar *t)
{
	return t->ended_properly;
}

uint64_t unik_tar_end(const struct unik_tar *t)
{
	return t->end;
}

uint64_t unik_tar_globals(const struct unik_tar *t)
{
	return t->globals;
}

int tar_read_block(struct unik_tar *t, uint8_t *block, struct unik_err *err)
{
	size_t got;

	if (unik_source_read(t->src, block, TAR_BLOCK, &got, err) < 0)
		return -1;
	if (got == 0)
		return 1;
	if (got < TAR_BLOCK)
		return unik_fail(err, "the tar ends inside a block");
	return 0;
}

static int skip(struct unik_tar *t, uint64_t n, struct unik_err *err)
{
	uint64_t got;

	if (unik_source_skip(t->src, n, &got, err) < 0)
		return -1;
	if (got < n)
		return unik_fail(err, "the tar ends inside an entry");
	return 0;
}

static uint64_t padding_of(uint64_t size)
{
	return -size & (TAR_BLOCK - 1);
}

/* Reads n bytes; memory follows what is there, not what a header claims. */
static int read_bytes(struct unik_tar *t, struct tar_buf *b, uint64_t n,
		      struct unik_err *err)
{
	size_t got, step;

	b->size = 0;
	do {
		step = b->size > BODY_STEP ? b->size : BODY_STEP;
		if (step > n - b->size)
			step = (size_t)(n - b->size);
		if (tar_buf_reserve(b, b->size + step + 1, err) < 0 ||
		    unik_source_read(t->src, b->p + b->size, step, &got,
				     err) < 0)
			return -1;
		if (got < step)
			return unik_fail(err, "the tar ends inside an extended "
					 "header");
		b->size += step;
	} while (b->size < n);
	b->p[b->size] = 0;
	return 0;
}

/* Reads the body of an extension header: size bytes and their padding. */
static int read_body(struct unik_tar *t, struct tar_buf *b,
		     struct unik_err *err)
{
	int64_t size;

	if (tar_number(t->block.h.size, sizeof(t->block.h.size), &size, err,
		       "size") < 0)
		return -1;
	if (size < 0)
		return unik_fail(err, "negative size");
	if ((uint64_t)size > t->limits->pax_size)
		return unik_fail(err, "extended header of %lld bytes "
				 "(--max-pax-size)", (long long)size);
	if (read_bytes(t, b, (uint64_t)size, err) < 0)
		return -1;
	return skip(t, padding_of((uint64_t)size), err);
}

/* A global header is checked and left aside: container engines do not apply
 * its values, and git's holds a comment only. */
static int read_global(struct unik_tar *t, struct unik_err *err)
{
	struct tar_pax saved = t->pax;
	bool have = t->have_pax;
	struct unik_piece *pieces = t->pieces;
	uint32_t npieces = t->npieces, room = t->piece_room;
	int rc;

	memset(&t->pax, 0, sizeof(t->pax));
	t->pieces = NULL;
	t->npieces = 0;
	t->piece_room = 0;
	rc = read_body(t, &t->pax.body, err);
	if (rc == 0)
		rc = tar_pax_parse(t, &t->pax, err);
	if (rc == 0 && t->pax.keys)
		t->globals++;
	free(t->pax.body.p);
	free(t->pax.xattrs);
	free(t->pax.decoded.p);
	free(t->pieces);
	t->pax = saved;
	t->have_pax = have;
	t->pieces = pieces;
	t->npieces = npieces;
	t->piece_room = room;
	return rc;
}

static int read_pax(struct unik_tar *t, struct unik_err *err)
{
	tar_pax_reset(t); /* a second header takes the place of the first */
	if (read_body(t, &t->pax.body, err) < 0)
		return -1;
	t->have_pax = true;
	return tar_pax_parse(t, &t->pax, err);
}

static int read_long(struct unik_tar *t, struct tar_buf *b,
		     struct unik_err *err)
{
	if (read_body(t, b, err) < 0)
		return -1;
	b->size = strlen((const char *)b->p);
	t->have_long = true;
	return 0;
}

static int skip_volume(struct unik_tar *t, struct unik_err *err)
{
	int64_t size;

	if (tar_number(t->block.h.size, sizeof(t->block.h.size), &size, err,
		       "size") < 0)
		return -1;
	if (size < 0)
		return unik_fail(err, "negative size");
	return skip(t, (uint64_t)size + padding_of((uint64_t)size), err);
}

/* An extension header: 0 handled, 1 it is an entry, -1. */
static int extension(struct unik_tar *t, struct unik_err *err)
{
	switch (t->block.h.typeflag) {
	case 'x':
	case 'X': /* Solaris' name for x */
		return read_pax(t, err);
	case 'g':
		return read_global(t, err);
	case 'L':
		return read_long(t, &t->long_name, err);
	case 'K':
		return read_long(t, &t->long_link, err);
	case 'V':
		return skip_volume(t, err);
	default:
		return 1;
	}
}

/* Reads headers up to the one of an entry: 0, 1 the end, -1. */
static int next_header(struct unik_tar *t, struct unik_err *err)
{
	for (;;) {
		uint64_t at = t->src->pos;
		int rc = tar_read_block(t, t->block.bytes, err);

		t->end = at;
		if (rc == 1 && (t->have_pax || t->have_long))
			return unik_fail(err, "the tar ends behind an extended "
					 "header");
		if (rc == 1)
			t->ended = true;
		if (rc != 0)
			return rc;
		if (tar_is_zero(t->block.bytes))
			return tar_read_end(t, err);
		if (!tar_checksum_ok(&t->block.h))
			return unik_fail(err, "not a tar header at byte %llu "
					 "(wrong checksum)",
					 (unsigned long long)(t->src->pos -
							      TAR_BLOCK));
		rc = extension(t, err);
		if (rc < 0)
			return -1;
		if (rc == 1)
			return 0;
	}
}

static bool has_data(char typeflag)
{
	return typeflag == '0' || typeflag == 'S';
}

static int set_type(struct unik_tar *t, struct unik_tar_entry *e,
		    struct unik_err *err)
{
	bool slash = t->name.size > 0 && t->name.p[t->name.size - 1] == '/';
	char q[UNIK_QUOTE_SIZE];

	if (e->typeflag == 0) /* v7: a directory is told by its slash */
		e->typeflag = slash ? '5' : '0';
	else if (e->typeflag == '7') /* contiguous: POSIX says as '0' */
		e->typeflag = '0';
	e->is_dir_name = slash;
	if ((e->typeflag < '0' || e->typeflag > '6') && e->typeflag != 'S')
		return unik_fail(err, "unsupported entry type %s",
				 unik_quote(q, &e->typeflag, 1));
	return 0;
}

static int set_sparse(struct unik_tar *t, struct unik_tar_entry *e,
		      struct unik_err *err)
{
	const struct tar_pax *pax = &t->pax;

	if (e->typeflag == 'S') {
		if (tar_sparse_old(t, e, err) < 0)
			return -1;
		e->typeflag = '0';
	} else if (e->typeflag != '0') {
		return 0;
	} else if (pax->sparse_major == 1 && pax->sparse_minor == 0) {
		if (tar_sparse_10(t, e, err) < 0)
			return -1;
	} else if (pax->have & PAX_SPARSE_MAP) {
		if (pax->sparse_major > 0)
			return unik_fail(err, "unknown version of sparse map");
		if (!(pax->have & PAX_SPARSE_SIZE))
			return unik_fail(err, "sparse entry without its real "
					 "size");
		e->stored = e->size;
		e->size = pax->sparse_size;
	} else if (pax->sparse_major >= 0) {
		return unik_fail(err, "sparse entry without a map, or of an "
				 "unknown version");
	} else {
		return 0;
	}
	e->offset = t->src->pos;
	return tar_sparse_finish(t, e, err);
}

static int check_numbers(const struct unik_tar_entry *e, struct unik_err *err)
{
	if (e->uid > MAX_ID || e->gid > MAX_ID)
		return unik_fail(err, "%s is out of range",
				 e->uid > MAX_ID ? "uid" : "gid");
	if ((e->typeflag == '3' || e->typeflag == '4') &&
	    (e->rdev_major > UINT32_MAX || e->rdev_minor > UINT32_MAX))
		return unik_fail(err, "device number is out of range");
	return 0;
}

static int fill_entry(struct unik_tar *t, struct unik_tar_entry *e,
		      struct unik_err *err)
{
	memset(e, 0, sizeof(*e));
	if (tar_header_fields(t, e, err) < 0)
		return -1;
	if (t->long_name.size > 0 &&
	    tar_buf_set(&t->name, t->long_name.p, t->long_name.size, err) < 0)
		return -1;
	if (t->long_link.size > 0 &&
	    tar_buf_set(&t->link, t->long_link.p, t->long_link.size, err) < 0)
		return -1;
	/* pax wins over GNU names. */
	if ((t->have_pax && tar_pax_apply(t, e, err) < 0) ||
	    set_type(t, e, err) < 0 || check_numbers(e, err) < 0)
		return -1;
	/* A size of what has no data (links, directories) means nothing. */
	if (!has_data(e->typeflag))
		e->size = 0;
	e->stored = e->size;
	e->offset = t->src->pos;
	if (set_sparse(t, e, err) < 0)
		return -1;
	t->left = e->stored;
	t->padding = padding_of(e->stored);
	return 0;
}

static void take_names(struct unik_tar *t, struct unik_tar_entry *e)
{
	e->path = (const char *)t->name.p;
	e->path_size = t->name.size;
	e->target = (const char *)t->link.p;
	e->target_size = t->link.size;
}

int unik_tar_next(struct unik_tar *t, struct unik_tar_entry *e,
		  struct unik_err *err)
{
	char q[UNIK_QUOTE_SIZE];
	int rc;

	if (t->ended)
		return 1;
	unik_source_advance(t->src, t->given);
	t->given = 0;
	if (skip(t, t->left + t->padding, err) < 0) /* of the entry before */
		return unik_wrap(err, "%s", unik_quote(q, t->name.p,
						       t->name.size));
	t->left = 0;
	t->padding = 0;
	tar_pax_reset(t);
	t->long_name.size = 0;
	t->long_link.size = 0;
	t->have_long = false;
	rc = next_header(t, err);
	if (rc != 0)
		return rc;
	if (fill_entry(t, e, err) < 0)
		return unik_wrap(err, "%s", unik_quote(q, t->name.p,
						       t->name.size));
	take_names(t, e);
	return 0;
}

int unik_tar_data(struct unik_tar *t, const uint8_t **data, size_t *n,
		  struct unik_err *err)
{
	int rc;

	unik_source_advance(t->src, t->given);
	t->given = 0;
	if (t->left == 0)
		return 1;
	rc = unik_source_peek(t->src, data, n, err);
	if (rc < 0)
		return -1;
	if (rc != 0)
		return unik_fail(err, "the tar ends inside an entry");
	if (*n > t->left)
		*n = (size_t)t->left;
	t->given = *n;
	t->left -= *n;
	return 0;
}
