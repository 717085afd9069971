/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mutate: damages images and asks whether verify sees it; TAP without numbers.
 *
 *   mutate every IMAGE [N]        one bit of each byte of an image of ours (of
 *                                 one byte where 512 are zero; or of N bytes by
 *                                 chance): the structure is broken, or the tree
 *                                 is another, but for the few bytes that only
 *                                 say which tree it was
 *   mutate seeded SEED N SOURCE IMAGE...   damage by chance of all kinds: with
 *                                 the source, verify fails every one
 */
#include "mutation.h"

#include <stddef.h>

#include "ext2_fmt.h"
#include "iso_fmt.h"
#include "reader.h"
#include "treediff.h"

/* ---- every byte ---- */

struct pristine {
	const struct unik_reader *reader;
	struct bytes bytes;
	int fd; /* in memory */
	struct unik_data data;
	struct unik_tree *tree;
	struct unik_limits limits;
	uint64_t structure, trees, silent;
};

static void pristine_open(struct pristine *p, const char *path)
{
	memset(p, 0, sizeof(*p));
	unik_limits_init(&p->limits);
	p->bytes = bytes_read(path);
	p->fd = memfd_create("image", 0);
	bytes_write(p->fd, &p->bytes);
	p->data.fd = p->fd;
	if (unik_reader_detect(&p->reader, p->fd, p->bytes.n, &err) < 0 ||
	    !p->reader ||
	    p->reader->check(p->fd, p->bytes.n, &p->limits, &err) < 0 ||
	    p->reader->read(&p->tree, &p->data, p->bytes.n, &p->limits,
			    &err) < 0)
		die(path);
}

static bool within(size_t at, size_t from, size_t size)
{
	return at >= from && at < from + size;
}

/*
 * What is drawn from the tree digest, which no reader can know: UUIDs, seeds,
 * and the times of an ISO volume that stand for its UUID.
 */
static bool is_drawn(const struct pristine *p, size_t at)
{
	size_t super = EXT2_SUPER_OFFSET, pvd = ISO_PVD_BLOCK * ISO_BLOCK;

	if (strcmp(p->reader->name, "ext2") == 0)
		return within(at, super + offsetof(struct ext2_super, uuid),
			      16) ||
		       within(at, super + offsetof(struct ext2_super,
						   hash_seed), 16);
	return within(at, pvd + offsetof(struct iso_pvd, created),
		      2 * sizeof(struct iso_time17)) ||
	       within(at, pvd + offsetof(struct iso_pvd, volume_id), 32);
}

static bool same_tree(struct pristine *p)
{
	struct unik_diff_counts counts;
	struct unik_tree *tree = NULL;
	int rc = p->reader->read(&tree, &p->data, p->bytes.n, &p->limits, &err);

	if (rc == 0)
		rc = unik_treediff(p->tree, tree, NULL, NULL, NULL, &counts,
				   &err);
	unik_tree_free(tree);
	if (rc < 0)
		expect(err.code == UNIK_EBAD, err.msg);
	return rc == 0 && counts.differ == 0;
}

static void flip(struct pristine *p, size_t at)
{
	uint8_t bad = (uint8_t)(p->bytes.p[at] ^ 1u << (random_u64() & 7));

	snprintf(doing, sizeof(doing), "byte %zu, %02x instead of %02x", at,
		 bad, p->bytes.p[at]);
	if (unik_pwrite_all(p->fd, &bad, 1, at, &err) < 0)
		die("write");
	alarm(SECONDS);
	if (p->reader->check(p->fd, p->bytes.n, &p->limits, &err) < 0) {
		expect(err.code == UNIK_EBAD, err.msg);
		p->structure++;
	} else if (!same_tree(p)) {
		p->trees++;
	} else {
		p->silent++;
		expect(is_drawn(p, at), "nothing is seen");
	}
	alarm(0);
	if (unik_pwrite_all(p->fd, p->bytes.p + at, 1, at, &err) < 0)
		die("write");
}

#define SECTOR 512

/* All bytes of a sector; one of those that hold nothing but zeros. */
static void flip_sector(struct pristine *p, size_t at)
{
	size_t n = p->bytes.n - at < SECTOR ? p->bytes.n - at : SECTOR, i;

	for (i = 0; i < n && p->bytes.p[at + i] == 0; i++)
		;
	if (i == n) {
		flip(p, at + random_below(n));
		return;
	}
	for (i = 0; i < n; i++)
		flip(p, at + i);
}

static int every(const char *path, size_t n)
{
	char text[256];
	struct pristine p = { 0 };
	size_t i;

	pristine_open(&p, path);
	random_seed(1);
	if (n == 0)
		for (i = 0; i < p.bytes.n; i += SECTOR)
			flip_sector(&p, i);
	for (i = 0; i < n; i++)
		flip(&p, place(&p.bytes));
	snprintf(text, sizeof(text), "%s: %" PRIu64 " flipped bits break the "
		 "structure, %" PRIu64 " change the tree, %" PRIu64
		 " are of what is drawn", p.reader->name, p.structure, p.trees,
		 p.silent);
	result(text);
	unik_tree_free(p.tree);
	close(p.fd);
	free(p.bytes.p);
	return 0;
}

/* ---- by chance ---- */

struct tally {
	uint64_t n, structure, trees, bytes;
};

/* The bytes differ, so with the source it fails; the trees may be equal. */
static void try_image(const struct bytes *b, int fd, const char *source,
		      struct tally *t)
{
	char path[64];
	struct answer a;

	snprintf(path, sizeof(path), "image:/proc/self/fd/%d", fd);
	bytes_write(fd, b);
	a = ask(path, source, false);
	expect(a.rc == 0 && a.counts.fail > 0 && a.counts.unchecked == 0,
	       "not seen");
	t->n++;
	if (a.fail[UNIK_INTACT]) {
		t->structure++;
		return;
	}
	a = ask(path, source, true);
	if (a.fail[UNIK_FAITHFUL])
		t->trees++;
	else
		t->bytes++;
}

static void seeded(uint64_t seed, size_t n, const char *source,
		   const char *path)
{
	struct bytes good = bytes_read(path);
	int fd = memfd_create("image", 0);
	const char *slash = strrchr(path, '/');
	struct tally t = { 0 };
	struct answer a;
	char text[256], self[64];

	random_seed(seed);
	bytes_write(fd, &good);
	snprintf(self, sizeof(self), "image:/proc/self/fd/%d", fd);
	a = ask(self, source, false);
	snprintf(doing, sizeof(doing), "%s", path);
	expect(a.rc == 0 && a.counts.fail == 0 && a.counts.pass == 2,
	       "undamaged, it fails");
	while (t.n < n) {
		struct bytes bad = damage(&good, slash ? slash + 1 : path);

		try_image(&bad, fd, source, &t);
		free(bad.p);
	}
	snprintf(text, sizeof(text), "%s: %" PRIu64 " damages are seen: %" PRIu64
		 " in the structure, %" PRIu64 " in the tree, %" PRIu64
		 " in the bytes only", slash ? slash + 1 : path, t.n,
		 t.structure, t.trees, t.bytes);
	result(text);
	close(fd);
	free(good.p);
}

int main(int argc, char **argv)
{
	int i;

	watch();
	if (argc >= 3 && strcmp(argv[1], "every") == 0)
		return every(argv[2],
			     argc > 3 ? strtoul(argv[3], NULL, 10) : 0);
	if (argc < 6 || strcmp(argv[1], "seeded") != 0)
		return 2;
	for (i = 5; i < argc; i++)
		seeded(strtoull(argv[2], NULL, 10), strtoul(argv[3], NULL, 10),
		       argv[4], argv[i]);
	check_memory();
	return 0;
}
