/* SPDX-License-Identifier: GPL-3.0-or-later */
/* inspect: the report on an image file. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect_private.h"
#include "io.h"
#include "limits.h"
#include "reader_ext2.h"
#include "reader_iso.h"
#include "treedump.h"

struct image_report {
	struct image_file *file;
	const struct unik_tree *tree;
	struct unik_reader_info info;
	struct unik_digest digest; /* of the bytes */
	struct unik_digest tree_digest;
	char volume_id[40];
	uint8_t uuid[16];
	bool has_uuid;
	struct unik_entry_counts entries;
	uint64_t whiteouts; /* in either form */
	uint64_t opaque;
	uint64_t content;   /* bytes of files that are stored, each once */
	uint64_t wasted;    /* ends of last blocks, free blocks, what follows */
};

/* ---- bytes ---- */

static int hash_file(const struct image_file *f,
		     const struct unik_inspect_options *opt,
		     struct unik_digest *digest, struct unik_err *err)
{
	struct unik_hash h = UNIK_HASH_NONE;
	uint8_t *buf = malloc(UNIK_CHUNK);
	uint64_t off = 0;
	int rc;

	rc = buf ? unik_hash_init(&h, UNIK_SHA256, err) : unik_fail_mem(err);
	while (rc == 0 && off < f->size) {
		uint64_t left = f->size - off;
		size_t n = left < UNIK_CHUNK ? (size_t)left : UNIK_CHUNK;

		rc = unik_pread_all(f->data.fd, buf, n, off, err);
		if (rc == 0)
			rc = unik_hash_update(&h, buf, n, err);
		if (rc == 0)
			rc = inspect_stopped(opt, err);
		off += n;
	}
	if (rc == 0)
		rc = unik_hash_final(&h, digest, err);
	unik_hash_release(&h);
	free(buf);
	return rc;
}

/* A run of bytes of the image that holds content. */
struct run {
	uint64_t start;
	uint64_t size;
};

static int compare_runs(const void *a, const void *b)
{
	const struct run *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return (x->size > y->size) - (x->size < y->size);
}

static size_t count_runs(const struct unik_tree *tree)
{
	size_t n = 0;
	uint32_t i;

	for (i = 0; i < tree->ninodes; i++) {
		const struct unik_inode *inode = tree->inodes[i];

		if (inode->type == UNIK_FILE && inode->content)
			n += inode->content->pieces ? inode->content->npieces
						    : 1;
	}
	return n;
}

static void take_runs(const struct unik_inode *inode, struct run *runs,
		      size_t *n)
{
	const struct unik_content *c = inode->content;
	uint32_t k;

	if (!c->pieces) {
		runs[*n].start = c->offset;
		runs[(*n)++].size = inode->size;
		return;
	}
	for (k = 0; k < c->npieces; k++) {
		runs[*n].start = c->pieces[k].stored;
		runs[(*n)++].size = c->pieces[k].size;
	}
}

/* What is stored of files, and what the ends of their last blocks waste: an
 * extent that several files share counts once. */
static int measure_files(struct image_report *r, uint64_t *ends,
			 struct unik_err *err)
{
	uint64_t block = r->info.block_size;
	struct run *runs = calloc(count_runs(r->tree) + 1, sizeof(*runs));
	size_t n = 0, i;
	uint32_t k;

	if (!runs)
		return unik_fail_mem(err);
	for (k = 0; k < r->tree->ninodes; k++)
		if (r->tree->inodes[k]->type == UNIK_FILE &&
		    r->tree->inodes[k]->content)
			take_runs(r->tree->inodes[k], runs, &n);
	qsort(runs, n, sizeof(*runs), compare_runs);
	for (i = 0; i < n; i++) {
		uint64_t size = runs[i].size;

		if (i + 1 < n && runs[i + 1].start == runs[i].start)
			continue; /* the longest of them stands last */
		r->content += size;
		*ends += unik_div_up(size, block) * block - size;
	}
	free(runs);
	return 0;
}

/* ---- what formats say of themselves ---- */

static int take_iso(struct image_report *r, const struct unik_limits *limits,
		    struct unik_err *err)
{
	struct unik_iso_info iso;
	uint64_t ends = 0;

	if (unik_iso_info(&iso, r->file->data.fd, r->file->size, err) < 0 ||
	    image_file_tree(r->file, limits, &r->tree, err) < 0 ||
	    measure_files(r, &ends, err) < 0)
		return -1;
	memcpy(r->volume_id, iso.volume_id, sizeof(iso.volume_id));
	r->wasted = ends;
	return 0;
}

static int take_ext2(struct image_report *r, const struct unik_limits *limits,
		     struct unik_err *err)
{
	struct unik_ext2_info e;
	uint64_t ends = 0;

	/* Its reader counts what is wasted on the way. */
	if (unik_ext2_read(&r->file->tree, &r->file->data, r->file->size,
			   limits, &e, err) < 0)
		return -1;
	r->tree = r->file->tree;
	memcpy(r->volume_id, e.label, sizeof(e.label));
	memcpy(r->uuid, e.uuid, sizeof(r->uuid));
	r->has_uuid = true;
	r->wasted = e.wasted_size;
	return measure_files(r, &ends, err);
}

static int gather(struct image_report *r, const struct target *t,
		  struct unik_err *err)
{
	const struct image_file *f = r->file;
	uint32_t i;

	if (f->reader->info(&r->info, f->data.fd, f->size, err) < 0 ||
	    hash_file(f, t->opt, &r->digest, err) < 0 ||
	    (strcmp(f->reader->name, "iso") == 0
		     ? take_iso(r, &t->opt->limits, err)
		     : take_ext2(r, &t->opt->limits, err)) < 0 ||
	    unik_tree_digest(r->tree, &r->tree_digest, err) < 0)
		return -1;
	if (f->size > r->info.size)
		r->wasted += f->size - r->info.size;
	unik_count_entries(&r->entries, r->tree);
	r->whiteouts = r->tree->counts.whiteouts;
	for (i = 0; i < r->tree->ninodes; i++) {
		r->whiteouts += inspect_is_device0(r->tree->inodes[i]);
		r->opaque += inspect_is_opaque(r->tree->inodes[i]);
	}
	return 0;
}

/* What is neither content nor wasted; a hostile image may count wrong. */
static uint64_t metadata(const struct image_report *r)
{
	uint64_t used = r->content + r->wasted;

	return used < r->file->size ? r->file->size - used : 0;
}

static const char *uuid_text(const struct image_report *r, char buf[40])
{
	char hex[33];
	size_t i;

	for (i = 0; i < 16; i++)
		snprintf(hex + 2 * i, 3, "%02x", r->uuid[i]);
	snprintf(buf, 40, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12,
		 hex + 16, hex + 20);
	return buf;
}

/* ---- the answer ---- */

static void put_size(struct out *o, const char *key, uint64_t n)
{
	char size[24];

	out_text(o, "%-12s%s (%" PRIu64 ")\n", key, inspect_size(n, size), n);
}

static int put_text(const struct image_report *r, struct out *o)
{
	const struct unik_entry_counts *c = &r->entries;
	struct words w = { .o = o, .indent = 12 };
	char text[UNIK_DIGEST_TEXT], uuid[40];

	out_text(o, "%-12s%s\n", "image", unik_digest_text(&r->digest, text));
	out_text(o, "%-12s%s, ", "format", r->file->reader->name);
	if (r->info.version)
		out_text(o, "version %d of unik's\n", r->info.version);
	else
		out_text(o, "made by another tool\n");
	if (r->volume_id[0]) {
		out_text(o, "%-12s", "volume id");
		out_clean(o, r->volume_id);
		out_text(o, "\n");
	}
	if (r->has_uuid)
		out_text(o, "%-12s%s\n", "uuid", uuid_text(r, uuid));
	out_text(o, "%-12s%s\n", "tree",
		 unik_digest_text(&r->tree_digest, text));
	out_text(o, "%-12s%" PRIu32 "\n", "block size", r->info.block_size);
	put_size(o, "size", r->file->size);
	put_size(o, "  content", r->content);
	put_size(o, "  metadata", metadata(r));
	put_size(o, "  wasted", r->wasted);
	out_text(o, "%-12s", "entries");
	words_entries(&w, c);
	words_put(&w, r->tree->counts.xattrs, "xattr", "xattrs");
	words_put(&w, r->whiteouts, "whiteout", "whiteouts");
	words_put(&w, r->opaque, "opaque directory", "opaque directories");
	words_end(&w, "none");
	return o->failed ? -1 : 0;
}

static int put_json(const struct image_report *r, struct out *o)
{
	struct unik_json_out j;
	char uuid[40];

	inspect_json_begin(&j, "image");
	unik_put_digest(&j, "digest", &r->digest);
	unik_json_put_string(&j, "format", r->file->reader->name);
	unik_json_put_uint(&j, "format_version", (uint64_t)r->info.version);
	unik_json_put_string(&j, "volume_id", r->volume_id);
	if (r->has_uuid)
		unik_json_put_string(&j, "uuid", uuid_text(r, uuid));
	unik_put_digest(&j, "tree_digest", &r->tree_digest);
	unik_json_put_uint(&j, "block_size", r->info.block_size);
	unik_json_put_uint(&j, "size", r->file->size);
	unik_json_put_uint(&j, "content", r->content);
	unik_json_put_uint(&j, "metadata", metadata(r));
	unik_json_put_uint(&j, "wasted", r->wasted);
	unik_put_entries(&j, &r->entries);
	unik_json_put_uint(&j, "whiteouts", r->whiteouts);
	unik_json_put_uint(&j, "opaque", r->opaque);
	unik_json_put_uint(&j, "xattrs", r->tree->counts.xattrs);
	unik_json_put_end(&j);
	return out_json(o, &j);
}

int inspect_image(struct target *t, struct out *o, struct unik_err *err)
{
	struct image_report r = { .file = &t->files[0] };

	if (gather(&r, t, err) < 0)
		return -1;
	return o->opt->json ? put_json(&r, o) : put_text(&r, o);
}
