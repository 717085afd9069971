/* SPDX-License-Identifier: GPL-3.0-or-later */
/* inspect: what people see is harmless and fits, ELF files are told apart
 * whatever they hold, whiteouts come back from overlayfs's form. */
#define _GNU_SOURCE
#include <elf.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core.h"
#include "elf.h"
#include "inspect_source_private.h"
#include "treedump.h"

/* ---- the answer ---- */

struct answer {
	char *text;
	size_t n;
	size_t fail_at; /* bytes after which writing fails */
};

static int take(void *data, const void *bytes, size_t n)
{
	struct answer *a = data;

	if (a->n + n > a->fail_at)
		return 1;
	a->text = realloc(a->text, a->n + n + 1);
	if (!a->text)
		die("realloc");
	memcpy(a->text + a->n, bytes, n);
	a->n += n;
	a->text[a->n] = 0;
	return 0;
}

static struct unik_inspect_options opt;
static struct answer got;
static struct out o;

static struct out *begin(void)
{
	unik_inspect_options_init(&opt);
	free(got.text);
	got = (struct answer){ NULL, 0, SIZE_MAX };
	opt.data = &got;
	opt.write = take;
	memset(&o, 0, sizeof(o));
	o.opt = &opt;
	o.err = &err;
	return &o;
}

static const char *end(void)
{
	must(out_end(&o));
	return got.text ? got.text : "";
}

static void test_clean(void)
{
	static const struct {
		const char *in;
		const char *out;
	} cases[] = {
		{ "plain ~ text", "plain ~ text" },
		{ "\x1b[2J\x07\r\n\t\x7f",
		  "\\x1b[2J\\x07\\x0d\\x0a\\x09\\x7f" },
		{ "a\\b", "a\\x5c" "b" },
		{ "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
		  "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80" },
		{ "\xc2\x9b", "\\xc2\\x9b" },            /* CSI in 8 bits */
		{ "\xe2\x80\xae", "\\xe2\\x80\\xae" },   /* right to left */
		{ "\xe2\x80\xa8", "\\xe2\\x80\\xa8" },   /* a line separator */
		{ "\xef\xbb\xbf", "\\xef\\xbb\\xbf" },   /* byte order mark */
		{ "\xf3\xa0\x81\x81", "\\xf3\\xa0\\x81\\x81" }, /* a tag */
		{ "\xff\xc0\xaf\xed\xa0\x80",
		  "\\xff\\xc0\\xaf\\xed\\xa0\\x80" },
		{ "cut \xe2\x82", "cut \\xe2\\x82" },
	};
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		out_clean(begin(), cases[i].in);
		ok(strcmp(end(), cases[i].out) == 0, "harmless: %s",
		   cases[i].out);
	}
}

static void test_cut(void)
{
	static const struct {
		const char *in;
		size_t columns;
		bool fill;
		const char *out;
	} cases[] = {
		{ "abc", 5, false, "abc" },   { "abc", 5, true, "abc  " },
		{ "abcde", 5, true, "abcde" }, { "abcdef", 5, true, "ab..." },
		{ "\xc3\xa9\xc3\xa9\xc3\xa9", 3, true,
		  "\xc3\xa9\xc3\xa9\xc3\xa9" },
		{ "ab\x01g", 6, true, "ab... " }, /* an escape stays whole */
		{ "ab\x01", 6, true, "ab\\x01" }, { "", 2, true, "  " },
	};
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		out_clean_cut(begin(), cases[i].in, cases[i].columns,
			      cases[i].fill);
		ok(strcmp(end(), cases[i].out) == 0, "cut to %zu: '%s'",
		   cases[i].columns, end());
	}
}

static void test_writing(void)
{
	char *big = make_room(100000);
	size_t at, failures = 0;

	memset(big, 'x', 100000);
	begin();
	out_bytes(&o, big, 100000);
	ok(strlen(end()) == 100000, "a long text");
	for (at = 0; at < 100000; at += 9999) {
		begin();
		got.fail_at = at;
		out_bytes(&o, big, 100000);
		out_text(&o, "more");
		failures += failed(out_end(&o), UNIK_EIO, "could not be written");
	}
	ok(failures == 11, "a failed write is an error, wherever it is");
	free(big);
}

static void test_words(void)
{
	struct words w = { .o = begin(), .indent = 10 };
	const char *line;
	size_t longest = 0;
	int i;

	for (i = 1; i < 30; i++)
		words_put(&w, (uint64_t)i * 1000, "one", "many words");
	words_put(&w, 0, "nothing", "nothing");
	words_put(&w, 1, "one", "ones");
	words_end(&w, "none");
	for (line = end(); *line; line += strcspn(line, "\n") + 1) {
		size_t n = strcspn(line, "\n") + (line == got.text ? 10 : 0);

		longest = n > longest ? n : longest;
	}
	ok(longest > 80 && longest <= 100, "counts in lines of %zu columns",
	   longest);
	ok(!strstr(got.text, "nothing") && strstr(got.text, ", 1 one\n"),
	   "what is none is left out");
}

/* ---- values ---- */

static void test_values(void)
{
	static const struct {
		uint64_t n;
		const char *text;
	} sizes[] = {
		{ 0, "0 B" }, { 1023, "1023 B" }, { 1024, "1.0 KiB" },
		{ 1536, "1.5 KiB" }, { 1048575, "1023.9 KiB" },
		{ UINT64_MAX, "15.9 EiB" },
	};
	static const struct {
		int64_t sec;
		uint32_t nsec;
		const char *text;
	} times[] = {
		{ 0, 0, "1970-01-01T00:00:00Z" },
		{ -1, 999999999, "1969-12-31T23:59:59.999999999Z" },
		{ 951782400, 500000000, "2000-02-29T00:00:00.5Z" },
		{ INT64_C(-62135596801), 0, "0000-12-31T23:59:59Z" },
		{ INT64_MAX, 1, "292277026596-12-04T15:30:07.000000001Z" },
		{ INT64_MIN, 0, "-292277022657-01-27T08:29:52Z" },
	};
	char buf[INSPECT_TIME];
	size_t i;

	for (i = 0; i < COUNT(sizes); i++)
		ok(strcmp(inspect_size(sizes[i].n, buf), sizes[i].text) == 0,
		   "%s", sizes[i].text);
	for (i = 0; i < COUNT(times); i++)
		ok(strcmp(inspect_time(times[i].sec, times[i].nsec, buf),
			  times[i].text) == 0, "%s", times[i].text);
}

static void test_shortest(void)
{
	struct unik_digest d[3] = { { UNIK_SHA256, { 0 } } };

	d[1] = d[2] = d[0];
	d[2].bytes[0] = 1;
	ok(inspect_shortest(d, 0) == 12 && inspect_shortest(d, 1) == 12 &&
		   inspect_shortest(d, 3) == 12, "12 digits tell them apart");
	d[1].bytes[5] = 1;
	ok(inspect_shortest(d, 2) == 12, "and just do");
	d[1].bytes[5] = 0;
	d[1].bytes[6] = 0x10;
	ok(inspect_shortest(d, 2) == 13, "13");
	d[1].bytes[6] = 0x01;
	ok(inspect_shortest(d, 3) == 14, "14");
	d[1].bytes[6] = 0;
	d[1].bytes[31] = 1;
	ok(inspect_shortest(d, 3) == 64, "all of them");
}

/* ---- ELF ---- */

static struct unik_data data = { .fd = -1 };

/* What a file of these bytes is. */
static int elf_of(const void *bytes, size_t n)
{
	struct unik_content c = { .data = &data };
	struct unik_inode inode = { .type = UNIK_FILE, .size = n,
				    .content = &c };
	enum unik_elf what;

	if (ftruncate(data.fd, 0) < 0 ||
	    pwrite(data.fd, bytes, n, 0) != (ssize_t)n)
		die("pwrite");
	must(unik_elf_look(&inode, &what, &err));
	return (int)what;
}

/* A head, one segment of notes, and its notes. */
static size_t make_elf(uint8_t *buf, uint32_t name_size, const char *owner,
		       uint32_t desc_size)
{
	Elf64_Ehdr h = { .e_phoff = sizeof(h), .e_phnum = 1,
			 .e_phentsize = sizeof(Elf64_Phdr) };
	Elf64_Phdr p = { .p_type = PT_NOTE, .p_align = 4,
			 .p_offset = sizeof(h) + sizeof(p) };
	Elf64_Nhdr n = { name_size, desc_size, 1 };

	memcpy(h.e_ident, ELFMAG, SELFMAG);
	h.e_ident[EI_CLASS] = ELFCLASS64;
	h.e_ident[EI_DATA] = ELFDATA2LSB;
	p.p_filesz = sizeof(n) + 16;
	memset(buf, 0, 4096);
	memcpy(buf, &h, sizeof(h));
	memcpy(buf + sizeof(h), &p, sizeof(p));
	memcpy(buf + p.p_offset, &n, sizeof(n));
	memcpy(buf + p.p_offset + sizeof(n), owner, strlen(owner));
	return p.p_offset + p.p_filesz;
}

static void test_elf(void)
{
	uint8_t buf[4096];
	size_t n, i, seen[3] = { 0 };

	data.fd = memfd_create("elf", MFD_CLOEXEC);
	n = make_elf(buf, 6, "Solo5", 4);
	ok(elf_of(buf, n) == UNIK_ELF_SOLO5, "a note of Solo5");
	ok(elf_of(buf, sizeof(Elf64_Ehdr)) == UNIK_ELF_ANY &&
		   elf_of(buf, sizeof(Elf64_Ehdr) - 1) == UNIK_ELF_NONE &&
		   elf_of("", 0) == UNIK_ELF_NONE, "cut short");
	n = make_elf(buf, 6, "Solo6", 4);
	ok(elf_of(buf, n) == UNIK_ELF_ANY, "a note of another");
	n = make_elf(buf, UINT32_MAX, "Solo5", UINT32_MAX);
	ok(elf_of(buf, n) == UNIK_ELF_ANY, "a size that reaches beyond");
	n = make_elf(buf, 4, "GNU", UINT32_MAX - 2);
	ok(elf_of(buf, n) == UNIK_ELF_ANY, "sizes that overflow when padded");
	/* Any bit of it: no crash, no read beyond (the sanitizers watch). */
	for (i = 0; i < 8 * n; i++) {
		n = make_elf(buf, 6, "Solo5", 4);
		buf[i / 8] ^= (uint8_t)(1 << i % 8);
		seen[elf_of(buf, n)]++;
	}
	ok(seen[UNIK_ELF_NONE] == 32 && seen[UNIK_ELF_ANY] > 100 &&
		   seen[UNIK_ELF_SOLO5] > 100, "every flipped bit: %zu, %zu, %zu",
	   seen[0], seen[1], seen[2]);
	for (i = 0; i < 20000; i++) {
		size_t k;

		n = make_elf(buf, 6, "Solo5", 4);
		for (k = 0; k < 8; k++)
			buf[4 + random_below((uint32_t)n - 4)] =
				(uint8_t)random_u64();
		seen[elf_of(buf, n)]++;
	}
	ok(seen[UNIK_ELF_ANY] + seen[UNIK_ELF_SOLO5] > 20000, "20,000 damaged ones");
	close(data.fd);
}

/* ---- overlayfs's form, there and back ---- */

static void add(struct unik_tree *tree, const char *path, enum unik_type type,
		const struct unik_xattr *xattrs, size_t n)
{
	struct unik_entry e = {
		.path = path, .path_size = strlen(path), .type = type,
		.mode = 0640, .uid = 3, .mtime_sec = 5, .mtime_nsec = 6,
		.xattrs = xattrs, .nxattrs = n,
	};

	if (type == UNIK_SYMLINK) {
		e.target = "x";
		e.target_size = 1;
	} else if (type == UNIK_CHAR) {
		e.rdev = (struct unik_rdev){ 1, 3 };
	}
	must(unik_tree_add(tree, &e, &err));
}

static void add_link(struct unik_tree *tree, const char *path,
		     const char *target)
{
	struct unik_entry e = {
		.path = path, .path_size = strlen(path), .type = UNIK_FILE,
		.hardlink = true, .target = target,
		.target_size = strlen(target),
	};

	must(unik_tree_add(tree, &e, &err));
}

static struct unik_tree *build(void)
{
	static const uint8_t value[] = { 'y', 0, 255 };
	const struct unik_xattr own[] = {
		{ "user.a", value, 6, 3 },
		{ "trusted.overlay.opaque", value, 22, 1 },
		{ "trusted.overlay.redirect", value, 24, 2 },
		{ "trusted.overlay.overlay.x", value, 25, 2 },
	};
	struct unik_limits limits = default_limits();
	struct unik_tree *tree;

	must(unik_tree_new(&tree, &limits, &err));
	add(tree, ".", UNIK_DIR, NULL, 0);
	add(tree, "d", UNIK_DIR, own, 4);
	add(tree, "d/.wh..wh..opq", UNIK_FILE, NULL, 0);
	add(tree, "d/.wh.gone", UNIK_FILE, NULL, 0);
	add(tree, "d/e", UNIK_DIR, own, 1);
	add(tree, "d/e/null", UNIK_CHAR, NULL, 0);
	add(tree, "f", UNIK_FILE, own, 4);
	add(tree, "link", UNIK_SYMLINK, NULL, 0);
	add_link(tree, "d/hard", "f");
	add_link(tree, "hard", "link");
	return tree;
}

static char *dump_of(const struct unik_tree *tree)
{
	struct unik_digest d;
	char *text = make_room(UNIK_DIGEST_TEXT);

	must(unik_tree_digest(tree, &d, &err));
	unik_digest_text(&d, text);
	return text;
}

static void test_overlay(void)
{
	struct unik_limits limits = default_limits();
	struct unik_tree *plain = build(), *overlay = build(), *back;
	const struct unik_node *node;
	char *want, *was, *is;

	/* In the layer, the attributes that only look like overlayfs's stand
	 * beside a true mark: that one counts, and the others are escaped. */
	must(unik_tree_seal(plain, &err));
	must(unik_merge_overlay(overlay, true, &err));
	must(unik_tree_seal(overlay, &err));
	want = dump_of(plain);
	was = dump_of(overlay);
	ok(strcmp(want, was) != 0 && overlay->counts.whiteouts == 0,
	   "in overlayfs's form");
	node = unik_tree_find(overlay, "d/gone");
	ok(node && inspect_is_device0(node->inode) &&
		   inspect_is_opaque(unik_tree_find(overlay, "d")->inode) &&
		   !inspect_is_opaque(unik_tree_find(overlay, "d/e")->inode) &&
		   !inspect_is_opaque(unik_tree_find(overlay, "f")->inode),
	   "its marks are seen");
	must(inspect_unoverlay(overlay, &limits, &back, &err));
	is = dump_of(back);
	ok(back->counts.whiteouts == 1 && back->counts.opaque == 1 &&
		   back->nnodes == plain->nnodes &&
		   back->counts.xattrs == plain->counts.xattrs,
	   "back: whiteouts, opaque directories, attributes");
	node = unik_tree_find(back, "d/.wh..wh..opq");
	ok(node && node->inode->type == UNIK_WHITEOUT, "back: the mark");
	unik_tree_free(back);
	/* Nothing to be turned: nothing changes. */
	must(inspect_unoverlay(plain, &limits, &back, &err));
	free(is);
	is = dump_of(back);
	ok(back->nnodes == plain->nnodes, "what is OCI's stays so");
	unik_tree_free(back);
	unik_tree_free(overlay);
	unik_tree_free(plain);
	free(want);
	free(was);
	free(is);
}

int main(void)
{
	test_clean();
	test_cut();
	test_writing();
	test_words();
	test_values();
	test_shortest();
	test_elf();
	test_overlay();
	free(got.text);
	return tap_done();
}
