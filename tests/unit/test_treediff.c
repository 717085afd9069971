/* SPDX-License-Identifier: GPL-3.0-or-later */
/* treediff: every kind of difference, and what a format can't hold. */
#include "iso_help.h"
#include "treediff.h"

#define SEEN_MAX 32

struct seen {
	int n;
	int nlost;
	char lost[UNIK_DIFF_TEXT]; /* the last */
	unsigned what[SEEN_MAX];
	char text[SEEN_MAX][UNIK_DIFF_TEXT];
};

static int see(void *data, const struct unik_diff *d, struct unik_err *e)
{
	struct seen *s = data;

	(void)e;
	if (d->lost) {
		s->nlost++;
		unik_diff_text(d, s->lost);
		return 0;
	}
	if (s->n < SEEN_MAX) {
		s->what[s->n] = d->what;
		unik_diff_text(d, s->text[s->n]);
	}
	s->n++;
	return 0;
}

static struct unik_diff_counts counts;

static struct seen compare(struct unik_tree *a, struct unik_tree *b,
			   const struct unik_diff_format *format)
{
	struct seen s = { 0 };

	seal(a);
	seal(b);
	if (unik_treediff(a, b, format, see, &s, &counts, &err) < 0)
		die("treediff");
	unik_tree_free(a);
	unik_tree_free(b);
	return s;
}

/* One difference, with this text. */
static void one(const struct seen *s, unsigned what, const char *text)
{
	if (!ok(s->n == 1 && s->what[0] == what &&
		strcmp(s->text[0], text) == 0, "%s", text))
		printf("# %d differences; %x: %s\n", s->n, s->what[0],
		       s->n ? s->text[0] : "");
}

static struct unik_tree *sample(void)
{
	struct unik_tree *tree = new_tree();

	add_node(tree, UNIK_DIR, "d");
	add_text(tree, "d/a", "one");
	add_text(tree, "d/b", "two");
	add_link(tree, true, "d/c", "d/a");
	add_link(tree, false, "d/s", "a");
	add_node(tree, UNIK_DIR, "d/sub");
	add_node(tree, UNIK_FIFO, "d/sub/pipe");
	add_node(tree, UNIK_CHAR, "d/z");
	add_text(tree, "e", "end");
	return tree;
}

/* The sample, with one entry in another form. */
static void changed(struct unik_entry e, unsigned what, const char *text)
{
	struct unik_tree *a = sample(), *b = sample();
	struct seen s;

	add(b, &e);
	s = compare(a, b, NULL);
	one(&s, what, text);
}

static void test_same(void)
{
	struct seen s = compare(sample(), sample(), NULL);

	ok(s.n == 0 && counts.same == 10 && counts.differ == 0,
	   "equal trees: all ten entries are the same");
}

static void test_fields(void)
{
	struct unik_entry e = entry(UNIK_FIFO, "d/sub/pipe");

	e.mode = 0600;
	changed(e, UNIK_DIFF_MODE, "'d/sub/pipe': mode 0600, want 0644");
	e.uid = 1;
	e.mtime_nsec = 5;
	changed(e, UNIK_DIFF_MODE | UNIK_DIFF_OWNER | UNIK_DIFF_TIME,
		"'d/sub/pipe': mode 0600, want 0644; owner 1:20, want 10:20; "
		"time 1234567890.000000005, want 1234567890.000000000");
	e = entry(UNIK_SYMLINK, "d/s");
	e.target = "b\n";
	e.target_size = 2;
	e.mode = 0777;
	changed(e, UNIK_DIFF_TARGET, "'d/s': points to 'b\\x0a', want 'a'");
	e = entry(UNIK_CHAR, "d/z");
	e.rdev.minor = 3;
	changed(e, UNIK_DIFF_RDEV, "'d/z': device 0:3, want 0:0");
	e = entry(UNIK_FIFO, "e");
	changed(e, UNIK_DIFF_TYPE, "'e': a fifo, want a file");
	e = entry(UNIK_FIFO, "d/sub");
	changed(e, UNIK_DIFF_TYPE, "'d/sub': a fifo, want a dir");
	ok(counts.differ == 2, "what is beneath counts as well");
	e = entry(UNIK_DIR, "d");
	e.mode = 0755;
	e.gid = 7;
	changed(e, UNIK_DIFF_OWNER, "'d': owner 10:7, want 10:20");
}

static void test_content(void)
{
	struct unik_tree *a = sample(), *b = sample();
	struct seen s;

	add_text(b, "e", "END");
	s = compare(a, b, NULL);
	one(&s, UNIK_DIFF_CONTENT, "'e': other content");
	a = sample();
	b = sample();
	add_text(b, "e", "");
	s = compare(a, b, NULL);
	one(&s, UNIK_DIFF_SIZE, "'e': size 0, want 3");
}

static void test_alone(void)
{
	struct unik_tree *a = sample(), *b = sample();
	struct seen s;

	add_node(b, UNIK_DIR, "d/t");
	add_node(b, UNIK_DIR, "d/t/u");
	s = compare(a, b, NULL);
	one(&s, UNIK_DIFF_EXTRA, "'d/t': extra dir with 1 entry");
	/* At the end of a directory, before its parent goes on. */
	a = sample();
	b = sample();
	add_text(a, "d/sub/zz", "z");
	s = compare(a, b, NULL);
	one(&s, UNIK_DIFF_MISSING, "'d/sub/zz': missing file");
	a = sample();
	b = sample();
	add_text(b, "d/zz", "z");
	s = compare(a, b, NULL);
	one(&s, UNIK_DIFF_EXTRA, "'d/zz': extra file");
	/* At the end of all. */
	a = sample();
	b = sample();
	add_text(a, "zz", "z");
	add_text(b, "zy", "z");
	s = compare(a, b, NULL);
	ok(s.n == 2 && s.what[0] == UNIK_DIFF_EXTRA &&
	   s.what[1] == UNIK_DIFF_MISSING && counts.differ == 2 &&
	   counts.same == 10, "both, behind everything else");
	s = compare(new_tree(), sample(), NULL);
	ok(s.n == 2 && counts.differ == 9 && counts.same == 1,
	   "an empty tree has its root only");
}

static void test_links(void)
{
	struct unik_tree *a = sample(), *b = sample();
	struct seen s;

	add_text(b, "d/c", "one");
	s = compare(a, b, NULL);
	one(&s, UNIK_DIFF_LINK, "'d/c': not linked as it is wanted");
	a = sample();
	b = sample();
	add_text(a, "d/c", "one");
	s = compare(a, b, NULL);
	one(&s, UNIK_DIFF_LINK, "'d/c': linked to other names");
	a = sample();
	b = sample();
	add_link(b, true, "d/c", "d/b");
	s = compare(a, b, NULL);
	ok(s.n == 1 && s.what[0] == (UNIK_DIFF_LINK | UNIK_DIFF_CONTENT),
	   "a link to another file: link and content");
	a = sample();
	b = sample();
	add_text(a, "d/a", "new");
	s = compare(a, b, NULL);
	ok(s.n == 2 && s.what[0] == UNIK_DIFF_CONTENT, "a changed file");
}

static void put_time(struct unik_tree *tree, int64_t sec, uint32_t nsec)
{
	struct unik_entry e = entry(UNIK_FIFO, "t");

	e.mtime_sec = sec;
	e.mtime_nsec = nsec;
	add(tree, &e);
}

static bool time_held(int64_t sa, uint32_t na, int64_t sb, uint32_t nb,
		      const struct unik_diff_format *format)
{
	struct unik_tree *a = new_tree(), *b = new_tree();

	put_time(a, sa, na);
	put_time(b, sb, nb);
	return compare(a, b, format).n == 0;
}

static void test_times(void)
{
	const struct unik_diff_format f = {
		.unit = 1000000000, .has_range = true, .first = -10, .last = 9
	};

	ok(!time_held(5, 1, 5, 0, NULL),
	   "times are compared to the nanosecond");
	ok(time_held(5, 123456789, 5, 0, &f) && counts.times == 1,
	   "a format of whole seconds rounds down");
	ok(time_held(5, 123456789, 5, 120000000, &f),
	   "where it says hundredths, to hundredths");
	ok(!time_held(5, 123456789, 5, 130000000, &f), "other hundredths");
	ok(!time_held(5, 999999999, 6, 0, &f), "not up");
	ok(time_held(-1000, 5, -10, 0, &f) && time_held(1000, 5, 9, 0, &f),
	   "times out of range are clamped");
	ok(!time_held(1000, 5, 8, 0, &f), "to the end of the range");
	ok(time_held(9, 0, 9, 0, &f) && counts.times == 0,
	   "an exact time is not counted");
}

static struct unik_tree *with_xattr(const char *name, const char *value)
{
	struct unik_tree *tree = new_tree();
	struct unik_entry e = entry(UNIK_FIFO, "x");
	struct unik_xattr x = { name, (const uint8_t *)value,
				(uint32_t)strlen(name),
				(uint32_t)strlen(value) };

	e.xattrs = &x;
	e.nxattrs = name[0] != 0;
	add(tree, &e);
	return tree;
}

static bool only_user(const struct unik_inode *inode,
		      const struct unik_xattr *want,
		      const struct unik_xattr *got)
{
	(void)inode;
	return !got ? strncmp(want->name, "user.", 5) != 0
		    : got->value_size > 0 && got->value[0] == '*';
}

static void test_held_xattrs(void)
{
	const struct unik_diff_format user = { .xattr = only_user };
	struct seen s;

	s = compare(with_xattr("foo.b", "1"), with_xattr("", ""), &user);
	ok(s.n == 0 && s.nlost == 1 && counts.xattrs == 1 &&
	   counts.same == 2 && strcmp(s.lost, "'x': attribute 'foo.b'") == 0,
	   "one that the format can't hold");
	s = compare(with_xattr("user.b", "1"), with_xattr("", ""), &user);
	ok(s.n == 1 && s.nlost == 0, "one that it can hold");
	s = compare(with_xattr("foo.b", "1"), with_xattr("foo.b", "1"), &user);
	ok(s.n == 0 && s.nlost == 0 && counts.xattrs == 0,
	   "one that is there all the same");
	s = compare(with_xattr("foo.b", "1"), with_xattr("foo.a", ""), &user);
	one(&s, UNIK_DIFF_XATTR, "'x': attribute 'foo.a'");
	ok(s.nlost == 1 && counts.differ == 1 && counts.xattrs == 1,
	   "another beside one that is lost");
	s = compare(with_xattr("user.b", "1"), with_xattr("user.b", "*"),
		    &user);
	ok(s.n == 0 && s.nlost == 0, "a value in the format's own form");
	s = compare(with_xattr("user.b", "1"), with_xattr("user.b", "2"),
		    &user);
	one(&s, UNIK_DIFF_XATTR, "'x': attribute 'user.b'");
}

static void halve(struct unik_rdev *rdev)
{
	rdev->minor /= 2;
}

static struct unik_tree *with_rdev(uint32_t minor)
{
	struct unik_tree *tree = new_tree();
	struct unik_entry e = entry(UNIK_CHAR, "x");

	e.rdev.minor = minor;
	add(tree, &e);
	return tree;
}

static void test_held_rdevs(void)
{
	const struct unik_diff_format half = { .rdev = halve };
	struct seen s;

	s = compare(with_rdev(8), with_rdev(8), &half);
	ok(s.n == 0 && s.nlost == 0 && counts.rdevs == 0,
	   "a device number that is right");
	s = compare(with_rdev(8), with_rdev(4), &half);
	ok(s.n == 0 && s.nlost == 1 && counts.rdevs == 1 &&
	   strcmp(s.lost, "'x': device 0:4, want 0:8") == 0,
	   "one that the format gives back");
	s = compare(with_rdev(8), with_rdev(5), &half);
	one(&s, UNIK_DIFF_RDEV, "'x': device 0:5, want 0:8");
	s = compare(with_rdev(8), with_rdev(4), NULL);
	one(&s, UNIK_DIFF_RDEV, "'x': device 0:4, want 0:8");
}

static void first_letter(const char *target, char *out)
{
	out[0] = target[0];
	out[1] = 0;
}

static struct unik_tree *with_target(const char *target)
{
	struct unik_tree *tree = new_tree();

	add_link(tree, false, "x", target);
	return tree;
}

static void test_held_targets(void)
{
	const struct unik_diff_format letter = { .target = first_letter };
	struct seen s;

	s = compare(with_target("ab"), with_target("a"), &letter);
	ok(s.n == 0 && s.nlost == 1 && counts.targets == 1 &&
	   strcmp(s.lost, "'x': points to 'a', want 'ab'") == 0,
	   "a target in other words");
	s = compare(with_target("ab"), with_target("ab"), &letter);
	ok(s.n == 0 && s.nlost == 0, "in its own");
	s = compare(with_target("ab"), with_target("ac"), &letter);
	one(&s, UNIK_DIFF_TARGET, "'x': points to 'ac', want 'ab'");
}

static bool none_held(const struct unik_inode *inode,
		      const struct unik_xattr *want,
		      const struct unik_xattr *got)
{
	(void)inode;
	(void)want;
	return !got;
}

static void test_xattrs(void)
{
	const struct unik_diff_format none = { .xattr = none_held };
	struct seen s;

	s = compare(with_xattr("user.a", "1"), with_xattr("user.a", "1"), NULL);
	ok(s.n == 0, "equal attributes");
	s = compare(with_xattr("user.a", "1"), with_xattr("user.a", "2"), NULL);
	one(&s, UNIK_DIFF_XATTR, "'x': attribute 'user.a'");
	s = compare(with_xattr("user.b", "1"), with_xattr("user.a", "1"), NULL);
	one(&s, UNIK_DIFF_XATTR, "'x': attribute 'user.a'");
	s = compare(with_xattr("user.a", "1"), with_xattr("", ""), NULL);
	one(&s, UNIK_DIFF_XATTR, "'x': attribute 'user.a'");
	s = compare(with_xattr("user.a", "1"), with_xattr("", ""), &none);
	ok(s.n == 0 && counts.xattrs == 1, "a format without attributes");
	s = compare(with_xattr("", ""), with_xattr("user.a", "1"), &none);
	ok(s.n == 1, "one that has some all the same");
}

static int stop(void *data, const struct unik_diff *d, struct unik_err *e)
{
	(void)d;
	(void)e;
	return ++*(int *)data;
}

static void test_stop(void)
{
	struct unik_tree *a = new_tree(), *b = sample();
	int n = 0;

	seal(a);
	seal(b);
	ok(unik_treediff(a, b, NULL, stop, &n, &counts, &err) == 1 && n == 1,
	   "the callback ends the walk");
	unik_tree_free(a);
	unik_tree_free(b);
}

int main(void)
{
	test_same();
	test_fields();
	test_content();
	test_alone();
	test_links();
	test_times();
	test_xattrs();
	test_held_xattrs();
	test_held_rdevs();
	test_held_targets();
	test_stop();
	return tap_done();
}
