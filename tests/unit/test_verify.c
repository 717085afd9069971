/* SPDX-License-Identifier: GPL-3.0-or-later */
/* verify as a library: usage, interruption, order and text of findings, and
 * images cut at every place. */
#include "iso_help.h"
#include "json.h"
#include "reader.h"

#define SEEN_MAX 64

struct seen {
	size_t n;
	enum unik_claim claim[SEEN_MAX];
	enum unik_verdict verdict[SEEN_MAX];
	char text[SEEN_MAX][256];
};

static struct seen seen;
static volatile int stop;

static void see(void *data, const struct unik_finding *f)
{
	struct seen *s = data;

	if (s->n < SEEN_MAX) {
		s->claim[s->n] = f->claim;
		s->verdict[s->n] = f->verdict;
		snprintf(s->text[s->n], sizeof(s->text[0]), "%s: %s",
			 f->object, f->text);
	}
	s->n++;
}

static struct unik_verify_options verify_options(const char *target)
{
	struct unik_verify_options opt;

	unik_verify_options_init(&opt);
	opt.target = target;
	opt.data = &seen;
	opt.finding = see;
	seen.n = 0;
	return opt;
}

static bool fails(const struct unik_verify_options *opt, enum unik_code code,
		  const char *text)
{
	struct unik_verify_counts counts = { 0 };
	int rc = unik_verify(opt, &counts, &err);
	bool good = rc == -1 && err.code == code && strstr(err.msg, text);

	if (!good)
		printf("# rc %d, code %d: %s\n", rc, (int)err.code, err.msg);
	return good;
}

static void test_usage(void)
{
	struct unik_verify_options opt = verify_options("");

	ok(fails(&opt, UNIK_EUSAGE, "no target"), "an empty target");
	opt = verify_options("/");
	opt.semantic = true;
	ok(fails(&opt, UNIK_EUSAGE, "--source"), "trees, but no source");
	opt = verify_options("/");
	opt.has_layer = true;
	ok(fails(&opt, UNIK_EUSAGE, "--source"), "a layer, but no source");
	opt = verify_options("/");
	opt.source = "x";
	opt.for_target = "bsd";
	ok(fails(&opt, UNIK_EUSAGE, "unknown target 'bsd'"), "an unknown target");
	ok(seen.n == 0, "none of them finds anything");
}

/* "image:/proc/self/fd/N" of an image in memory. */
static int sample(char path[64], uint64_t *size)
{
	struct unik_tree *tree = new_tree();
	int fd;

	add_node(tree, UNIK_DIR, "d");
	add_text(tree, "d/file", "content");
	add_link(tree, false, "d/link", "file");
	fd = image_fd(tree, false, size);
	unik_tree_free(tree);
	snprintf(path, 64, "image:/proc/self/fd/%d", fd);
	return fd;
}

static void test_image(void)
{
	struct unik_verify_counts counts = { 0 };
	struct unik_verify_options opt;
	char path[64];
	uint64_t size;
	int fd = sample(path, &size);

	opt = verify_options(path);
	ok(unik_verify(&opt, &counts, &err) == 0 && seen.n == 3 &&
	   counts.pass == 1 && counts.skip == 2 && counts.fail == 0,
	   "an image: three claims");
	ok(seen.claim[0] == UNIK_IDENTITY && seen.verdict[0] == UNIK_SKIP &&
	   seen.claim[1] == UNIK_INTACT && seen.verdict[1] == UNIK_PASS &&
	   seen.claim[2] == UNIK_FAITHFUL && seen.verdict[2] == UNIK_SKIP,
	   "each in its place");
	ok(unik_verify(&opt, &counts, &err) == 0 && counts.pass == 2,
	   "counts add up");
	stop = 1;
	opt.stop = &stop;
	ok(fails(&opt, UNIK_EIO, "interrupted"), "it can be stopped");
	stop = 0;
	close(fd);
}

static void test_cut(void)
{
	struct unik_verify_options opt;
	char path[64];
	uint64_t size, n;
	int fd = sample(path, &size);
	unsigned bad = 0;

	opt = verify_options(path);
	for (n = size; n-- > 0; n -= n > 36000 ? 0 : n > 997 ? 997 : n) {
		struct unik_verify_counts counts = { 0 };

		if (ftruncate(fd, (off_t)n) < 0)
			die("ftruncate");
		seen.n = 0;
		bad += unik_verify(&opt, &counts, &err) < 0 ||
		       counts.fail == 0 || counts.unchecked > 0;
	}
	ok(bad == 0, "cut anywhere, it fails");
	close(fd);
}

static void test_missing(void)
{
	struct unik_verify_counts counts = { 0 };
	struct unik_verify_options opt = verify_options("/no/such/thing");

	ok(unik_verify(&opt, &counts, &err) == 0 && counts.fail == 1 &&
	   counts.unchecked == 0, "what is not there fails");
	opt = verify_options("image:/dev/tty0/x");
	ok(unik_verify(&opt, &counts, &err) == 0 && counts.fail == 2,
	   "nor what lies beneath a file");
	opt = verify_options("image:/");
	ok(unik_verify(&opt, &counts, &err) == 0 && counts.fail == 3,
	   "a directory is no image");
}

static void test_json(void)
{
	static const char want[] =
		"{\"schema\":\"unik.verify.v1\",\"target\":\"t\\uefff\","
		"\"object\":\"o\",\"claim\":\"faithful\","
		"\"verdict\":\"UNCHECKED\",\"text\":\"x\",\"details\":["
		"\"one\\n\",\"\\\"two\\\"\"]}\n";
	const char *const details[] = { "one\n", "\"two\"" };
	const struct unik_finding f = {
		UNIK_FAITHFUL, UNIK_UNCHECKED, "t\xff", "o", "x", details, 2
	};
	char *text;
	size_t n;

	ok(unik_finding_json(&f, &text, &n, &err) == 0 &&
	   n == sizeof(want) - 1 && memcmp(text, want, n) == 0,
	   "a finding as JSON, in canonical form");
	free(text);
}

static void test_reader(void)
{
	const struct unik_reader *reader;
	struct unik_reader_info info;
	char path[64];
	uint64_t size;
	int fd = sample(path, &size);

	ok(unik_reader_find("iso") && unik_reader_find("ext2") &&
	   !unik_reader_find("erofs"), "readers by name");
	ok(unik_reader_detect(&reader, fd, size, &err) == 0 &&
	   reader == unik_reader_find("iso"), "by content");
	ok(reader->info(&info, fd, size, &err) == 0 && info.version == 1 &&
	   info.block_size == 2048 && info.size == size && info.holds.xattr &&
	   info.holds.unit == 1000000000, "what an image says of itself");
	ok(unik_reader_detect(&reader, fd, 1000, &err) == 0 && !reader,
	   "too short for any");
	close(fd);
}

int main(void)
{
	test_usage();
	test_image();
	test_cut();
	test_missing();
	test_json();
	test_reader();
	return tap_done();
}
