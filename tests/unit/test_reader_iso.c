/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reader_iso: what the writer wrote comes back; what is damaged is told. */
#include "iso_help.h"

#include "reader_iso.h"
#include "treedump.h"

static struct unik_limits limits;

/* ---- trees ---- */

static void add_attributes(struct unik_tree *tree)
{
	struct unik_entry e = entry(UNIK_BLOCK, "dev/sda");

	e.rdev.major = 8;
	e.rdev.minor = 300;
	add(tree, &e);
	e = entry(UNIK_CHAR, "dev/null");
	e.rdev.major = 1;
	e.rdev.minor = 3;
	e.uid = 0xfffffffe;
	e.gid = 0x12345678;
	add(tree, &e);
	e = entry(UNIK_FIFO, "dev/pipe");
	e.mtime_sec = INT64_C(-2208988800);
	add(tree, &e);
	e = entry(UNIK_SOCKET, "dev/sock");
	e.mtime_sec = INT64_C(5869583999);
	e.mode = 07777;
	add(tree, &e);
	e = entry(UNIK_DIR, ".");
	e.mode = 01770;
	e.mtime_sec = 77;
	add(tree, &e);
}

/* Every type, long names, long targets, links, whiteouts. */
static struct unik_tree *rich(void)
{
	static const char *const targets[] = { "/", "//", "a/", "../b//c/./d",
					       ".", "/x/../y" };
	struct unik_tree *tree = new_tree();
	char path[400], target[ISO_TARGET_MAX + 1];
	size_t i;

	add_attributes(tree);
	for (i = 0; i < 120; i++) {
		snprintf(path, sizeof(path), "d%zu/%0*zu", i % 6,
			 (int)(1 + i * 2), i);
		snprintf(target, sizeof(target), "%zu", i % 50);
		if (i % 3)
			add_text(tree, path, target);
		else
			add_node(tree, UNIK_FILE, path);
	}
	for (i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		snprintf(path, sizeof(path), "links/%zu", i);
		add_link(tree, false, path, targets[i]);
	}
	memset(target, 'a', ISO_TARGET_MAX);
	target[ISO_TARGET_MAX] = 0;
	for (i = 1; i < ISO_TARGET_MAX - 1; i += 2)
		target[i] = '/';
	add_link(tree, false, "links/long", target);
	add_link(tree, true, "links/hard", "dev/sda");
	add_link(tree, true, "a-hard-link", "d1/001");
	add_link(tree, true, "z-hard-link", "d1/001");
	add_link(tree, true, "links/to-link", "links/3");
	add_node(tree, UNIK_FILE, "d1/.wh.gone");
	add_node(tree, UNIK_FILE, "d2/.wh..wh..opq");
	return tree;
}

static struct unik_tree *deep(void)
{
	struct unik_tree *tree = new_tree();
	char path[2000] = "";
	int i;

	for (i = 0; i < 300; i++)
		sprintf(path + strlen(path), "%sd%d", i ? "/" : "", i % 10);
	add_node(tree, UNIK_DIR, path);
	return tree;
}

static struct unik_tree *wide(void)
{
	struct unik_tree *tree = new_tree();
	char path[64];
	int i;

	for (i = 0; i < 5000; i++) {
		sprintf(path, "%d/%d/file-%d.c", i % 7, i % 11, i);
		add_text(tree, path, path);
	}
	return tree;
}

static struct unik_tree *empty(void)
{
	return new_tree();
}

/* ---- round trips ---- */

struct text {
	char *p;
	size_t n, room;
};

static int keep(void *data, const char *text, size_t n, struct unik_err *e)
{
	struct text *t = data;

	(void)e;
	if (t->n + n + 1 > t->room) {
		t->room = (t->n + n + 1) * 2;
		t->p = realloc(t->p, t->room);
	}
	memcpy(t->p + t->n, text, n);
	t->n += n;
	t->p[t->n] = 0;
	return 0;
}

static char *dump(const struct unik_tree *tree)
{
	struct text t = { NULL, 0, 0 };

	if (unik_treedump(tree, keep, &t, &err) < 0)
		die("treedump");
	return t.p;
}

/* Prints where two texts part. */
static bool same_text(const char *a, const char *b)
{
	size_t i = 0, line = 0;

	while (a[i] && a[i] == b[i]) {
		if (a[i] == '\n')
			line = i + 1;
		i++;
	}
	if (a[i] == b[i])
		return true;
	printf("# want: %.200s\n# got:  %.200s\n", a + line, b + line);
	return false;
}

static void round_trip(struct unik_tree *(*make)(void), bool netbsd,
		       const char *what)
{
	struct unik_tree *tree = make(), *back = NULL;
	struct unik_digest want, got;
	struct unik_iso_info info;
	struct unik_data data = { 0 };
	struct unik_writer *w;
	char *a, *b;
	uint64_t size;

	data.fd = image_fd(tree, netbsd, &size);
	ok(unik_iso_check(data.fd, size, &limits, &err) == 0, "%s: intact %s",
	   what, err.msg);
	err.msg[0] = 0;
	if (unik_iso_read(&back, &data, size, &limits, &info, &err) < 0)
		die(what);
	ok(info.version == 1 && info.rock && info.nblocks == size / ISO_BLOCK &&
	   strncmp(info.volume_id, "UNIK_0B30557A", 13) == 0,
	   "%s: what it is", what);
	a = dump(tree);
	b = dump(back);
	ok(netbsd || same_text(a, b), "%s: the same tree", what);
	free(a);
	free(b);
	w = plan(tree, netbsd);
	emit(w, -1, &want);
	unik_format_iso.free(w);
	w = plan(back, netbsd);
	emit(w, -1, &got);
	unik_format_iso.free(w);
	ok(unik_digest_equal(&want, &got), "%s: written again, the same bytes",
	   what);
	unik_tree_free(tree);
	unik_tree_free(back);
	close(data.fd);
}

static struct unik_tree *modest(void)
{
	struct unik_tree *tree = new_tree();

	add_attributes(tree);
	add_link(tree, false, "l/root", "/");
	add_link(tree, false, "l/slashes", "//a//b//");
	add_text(tree, "f", "text");
	return tree;
}

/* ---- sections ---- */

static void test_sections(void)
{
	struct unik_tree *tree = new_tree(), *back = NULL;
	uint64_t size, big = (UINT64_C(4) << 30) + 12345;
	struct unik_data data = { 0 };
	const struct unik_inode *inode;
	int rc;

	add_file(tree, "big", "tail", big);
	add_link(tree, true, "big2", "big");
	data.fd = image_fd(tree, false, &size);
	ok(unik_iso_check(data.fd, size, &limits, &err) == 0,
	   "two sections are intact");
	rc = unik_iso_read(&back, &data, size, &limits, NULL, &err);
	inode = rc == 0 ? unik_tree_find(back, "big")->inode : NULL;
	ok(inode && inode->size == big && inode->nlink == 2 &&
	   inode->content->nextents == 1 && inode->content->npieces == 0 &&
	   memcmp(inode->content->sha256,
		  unik_tree_find(tree, "big")->inode->content->sha256, 32) == 0,
	   "a file of two sections comes back whole");
	unik_tree_free(tree);
	unik_tree_free(back);
	close(data.fd);
}

/* The record of an identifier in a directory's first block. */
static struct iso_record *record_of(uint8_t *dir, const char *id)
{
	uint8_t *p = dir;

	while (p[0] && memcmp(p + 33, id, strlen(id)) != 0)
		p += p[0];
	return (struct iso_record *)p;
}

/* Another writer's image: a file in sections that lie apart, made of ours by
 * giving the records of two files to one. */
static void test_apart(void)
{
	static char text[3][ISO_BLOCK + 1], both[2 * ISO_BLOCK];
	struct unik_tree *tree = new_tree(), *back = NULL;
	struct unik_digest want;
	struct unik_data data = { 0 };
	struct iso_pvd *pvd;
	struct iso_record *a, *b, *c;
	const struct unik_node *node;
	uint8_t *image, *root;
	uint64_t size;
	int i;

	for (i = 0; i < 3; i++) {
		memset(text[i], 'a' + i, ISO_BLOCK);
		add_text(tree, i == 0 ? "a" : i == 1 ? "b" : "c", text[i]);
	}
	data.fd = image_fd(tree, false, &size);
	image = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, data.fd,
		     0);
	pvd = (struct iso_pvd *)(image + ISO_PVD_BLOCK * ISO_BLOCK);
	root = image + (size_t)iso_get32le(pvd->root + 2) * ISO_BLOCK;
	a = record_of(root, "A.;1");
	b = record_of(root, "B.;1");
	c = record_of(root, "C.;1");
	memset(pvd->application, ' ', sizeof(pvd->application));
	memset(pvd->set_id, ' ', sizeof(pvd->set_id));
	a->flags[0] = ISO_FLAG_MULTI;
	memcpy(b->extent, c->extent, sizeof(b->extent));
	memcpy(b + 1, "A.;1", 4);
	ok(unik_iso_check(data.fd, size, &limits, &err) == 0,
	   "sections apart are intact in another writer's image");
	if (unik_iso_read(&back, &data, size, &limits, NULL, &err) < 0)
		die("read");
	node = unik_tree_find(back, "a");
	memcpy(both, text[0], ISO_BLOCK);
	memcpy(both + ISO_BLOCK, text[2], ISO_BLOCK);
	if (unik_sha256(both, sizeof(both), &want, &err) < 0)
		die("sha256");
	ok(node && node->inode->size == 2 * ISO_BLOCK &&
	   node->inode->content->npieces == 2 &&
	   memcmp(node->inode->content->sha256, want.bytes, 32) == 0 &&
	   !unik_tree_find(back, "b"), "and come back as one file");
	b->flags[0] = ISO_FLAG_MULTI;
	ok(unik_iso_check(data.fd, size, &limits, &err) < 0,
	   "a section that is missing is told: %s", err.msg);
	munmap(image, size);
	close(data.fd);
	unik_tree_free(tree);
	unik_tree_free(back);
}

/* ---- many areas ---- */

#define NLONG 200
#define HOPS 40

/* CE fields in a block, each of which leads to the next. */
static void put_chain(uint8_t *p, uint32_t block)
{
	uint32_t i;

	memset(p, 0, (HOPS + 1) * sizeof(struct susp_ce));
	for (i = 0; i + 1 < HOPS; i++) {
		struct susp_ce *ce = (struct susp_ce *)p + i;

		memcpy(ce->head.sig, "CE", 2);
		ce->head.size[0] = sizeof(*ce);
		ce->head.version[0] = 1;
		iso_put32(ce->block, block);
		iso_put32(ce->offset, (i + 1) * (uint32_t)sizeof(*ce));
		iso_put32(ce->size, sizeof(*ce));
	}
}

/* Lets all records of the root that go on elsewhere go on in the chain. */
static unsigned redirect(uint8_t *dir, uint32_t size, uint32_t block)
{
	unsigned n = 0;
	uint32_t at;

	for (at = 0; at < size; at += dir[at] ? dir[at] : ISO_BLOCK -
		     at % ISO_BLOCK) {
		struct susp_ce *ce = memmem(dir + at, dir[at], "CE\x1c\1", 4);

		if (!ce || dir[at + 33] == 0) /* of the root itself */
			continue;
		iso_put32(ce->block, block);
		iso_put32(ce->offset, 0);
		iso_put32(ce->size, sizeof(*ce));
		n++;
	}
	return n;
}

/* Memory follows the entries, though each of them may have many areas. */
static void test_areas(void)
{
	struct unik_tree *tree = new_tree();
	char path[32], target[301];
	struct unik_data data = { 0 };
	struct iso_pvd *pvd;
	struct iso_record *r;
	uint8_t *image, *root;
	uint32_t block;
	uint64_t size;
	int i;

	memset(target, 'x', sizeof(target) - 1);
	target[sizeof(target) - 1] = 0;
	for (i = 0; i < NLONG; i++) {
		snprintf(path, sizeof(path), "x%d", i);
		add_link(tree, false, path, target);
	}
	add_file(tree, "a", "tail", 400000);
	data.fd = image_fd(tree, false, &size);
	image = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, data.fd,
		     0);
	pvd = (struct iso_pvd *)(image + ISO_PVD_BLOCK * ISO_BLOCK);
	memset(pvd->application, ' ', sizeof(pvd->application));
	memset(pvd->set_id, ' ', sizeof(pvd->set_id));
	root = image + (size_t)iso_get32le(pvd->root + 2) * ISO_BLOCK;
	r = record_of(root, "A.;1");
	block = iso_get32le(r->extent);
	iso_put32(r->data_size, 0);
	put_chain(image + (size_t)block * ISO_BLOCK, block);
	ok(unik_iso_check(data.fd, size, &limits, &err) == 0,
	   "the image of somebody else");
	ok(redirect(root, iso_get32le(pvd->root + 10), block) == NLONG,
	   "all records go on in one chain of %d areas", HOPS);
	ok(unik_iso_check(data.fd, size, &limits, &err) < 0 &&
	   strstr(err.msg, "continuation areas"), "%s", err.msg);
	munmap(image, size);
	close(data.fd);
	unik_tree_free(tree);
}

/* ---- damage ---- */

/* Does the image hold the tree of this digest, as our writer puts it? */
static bool holds(const struct unik_data *data, const uint8_t *image,
		  uint64_t size, const struct unik_digest *want)
{
	struct unik_tree *tree;
	struct unik_digest d[3];
	struct unik_writer *w;
	bool good;

	if (unik_iso_read(&tree, data, size, &limits, NULL, &err) < 0)
		return false;
	w = plan(tree, false);
	if (!w || unik_tree_digest(tree, &d[0], &err) < 0 ||
	    unik_sha256(image, size, &d[1], &err) < 0)
		die("plan");
	emit(w, -1, &d[2]);
	good = unik_digest_equal(&d[0], want) &&
	       unik_digest_equal(&d[1], &d[2]);
	unik_format_iso.free(w);
	unik_tree_free(tree);
	return good;
}

/* Whatever byte is changed, the check tells, or the tree is another, or the
 * bytes are not those that the writer makes of it. */
static void test_flips(void)
{
	struct unik_tree *tree = modest();
	struct unik_digest want;
	struct unik_data data = { 0 };
	uint64_t size, at;
	uint8_t *image;
	unsigned unseen = 0, told = 0;

	data.fd = image_fd(tree, false, &size);
	if (unik_tree_digest(tree, &want, &err) < 0)
		die("digest");
	image = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, data.fd,
		     0);
	ok(holds(&data, image, size, &want), "the image holds the tree");
	for (at = 0; at < size; at += at < 15 * ISO_BLOCK ? 511 : 1) {
		image[at] ^= (uint8_t)(1u << at % 8);
		if (unik_iso_check(data.fd, size, &limits, &err) < 0)
			told++;
		else if (holds(&data, image, size, &want))
			unseen++;
		image[at] ^= (uint8_t)(1u << at % 8);
	}
	ok(unik_iso_check(data.fd, size, &limits, &err) == 0 && unseen == 0,
	   "every flipped bit is seen (%u by the check)", told);
	munmap(image, size);
	close(data.fd);
	unik_tree_free(tree);
}

static uint64_t state = 88172645463325252u;

static uint64_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* Several bytes of the metadata at once: no crash, no hang, no leak. */
static void test_mutations(void)
{
	struct unik_tree *tree = rich(), *back;
	struct unik_data data = { 0 };
	uint64_t size, end;
	unsigned told = 0, read = 0, i, k;
	struct unik_writer *w;
	uint8_t *image, *copy;

	data.fd = image_fd(tree, false, &size);
	image = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, data.fd,
		     0);
	copy = malloc(size);
	memcpy(copy, image, size);
	w = plan(tree, false);
	end = (uint64_t)w->data_block * ISO_BLOCK;
	unik_format_iso.free(w);
	for (i = 0; i < 3000; i++) {
		unsigned n = 1 + (unsigned)(next_random() % 6);

		for (k = 0; k < n; k++) {
			uint64_t at = next_random() % (end - 32768) + 32768;

			image[at] = (uint8_t)next_random();
			if (next_random() % 3 == 0) /* a whole number */
				memcpy(image + (at & ~7u),
				       copy + (next_random() % size & ~7u), 8);
		}
		if (unik_iso_check(data.fd, size, &limits, &err) < 0)
			told++;
		if (unik_iso_read(&back, &data, size, &limits, NULL,
				  &err) == 0) {
			read++;
			unik_tree_free(back);
		}
		memcpy(image, copy, size);
	}
	ok(told > 2700, "3,000 mutations: %u told, %u read all the same", told,
	   read);
	free(copy);
	munmap(image, size);
	close(data.fd);
	unik_tree_free(tree);
}

static void test_cuts(void)
{
	struct unik_tree *tree = modest(), *back;
	struct unik_data data = { 0 };
	uint64_t size, n;
	unsigned bad = 0;

	data.fd = image_fd(tree, false, &size);
	for (n = 0; n < size; n += 509) {
		if (ftruncate(data.fd, (off_t)n) < 0)
			die("ftruncate");
		if (unik_iso_check(data.fd, n, &limits, &err) == 0 ||
		    unik_iso_read(&back, &data, n, &limits, NULL, &err) == 0)
			bad++;
		if (ftruncate(data.fd, (off_t)size) < 0)
			die("ftruncate");
	}
	ok(bad == 0, "no cut image is taken");
	close(data.fd);
	unik_tree_free(tree);
}

static void test_limits(void)
{
	struct unik_tree *tree = deep(), *back;
	struct unik_limits small = limits;
	struct unik_data data = { 0 };
	uint64_t size;

	data.fd = image_fd(tree, false, &size);
	small.depth = 299;
	ok(unik_iso_read(&back, &data, size, &small, NULL, &err) < 0,
	   "depth is limited: %s", err.msg);
	small = limits;
	small.path = 500;
	ok(unik_iso_read(&back, &data, size, &small, NULL, &err) < 0,
	   "paths are limited: %s", err.msg);
	small = limits;
	small.entries = 200;
	ok(unik_iso_read(&back, &data, size, &small, NULL, &err) < 0 &&
	   unik_iso_check(data.fd, size, &small, &err) < 0,
	   "entries are limited: %s", err.msg);
	close(data.fd);
	unik_tree_free(tree);
}

int main(void)
{
	unik_limits_init(&limits);
	round_trip(empty, false, "empty");
	round_trip(rich, false, "rich");
	round_trip(deep, false, "deep");
	round_trip(wide, false, "wide");
	round_trip(modest, true, "for NetBSD");
	test_sections();
	test_apart();
	test_areas();
	test_flips();
	test_mutations();
	test_cuts();
	test_limits();
	return tap_done();
}
