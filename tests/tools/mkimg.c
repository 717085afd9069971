/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mkimg FORMAT [OPTION...] OUT < TEXT: a tree from text, written as an image.
 *
 * FORMAT  iso, ext2, or `tree`: the canonical text of the tree (treedump.h)
 * OUT     a file, or `-` for standard output
 * Options --block-size N, --netbsd, --free-size N, --free-inodes N,
 *         --format-version N, and
 *         --tree FILE  writes the canonical text there, too
 *         --info  prints "size=N losses: xattr=N time=N rdev=N name=N" on
 *                 stderr
 * The exit status is that of the error; its message goes to stderr.
 *
 * A line of TEXT is blank, a comment (#), or an entry:
 *         TYPE PATH [KEY=VALUE]...
 * separated by single spaces.  TYPE: file dir symlink char block fifo socket
 * link (a hard link).  In paths and texts \xHH is a byte.  `.wh.` names become
 * whiteouts, as in a layer.  The keys:
 *   mode=OCTAL          default 0755 for directories, 0644 else
 *   uid=N gid=N         default 0
 *   mtime=SEC[.NSEC]    floored, so -1.5 is half a second before the epoch
 *                       minus one second; NSEC has 9 digits; default 0
 *   size=N              of a file; default: the end of its data
 *   text=TEXT           data at the end of the data so far
 *   hex=HEX             the same in hex
 *   at=N                the next data begins at byte N of the file; between
 *                       data, and behind it up to the size, are zeros
 *   fill=N[:SEED]       N bytes of a pattern (a SEED of 0: stored zeros)
 *   target=TEXT         of a symlink or hard link
 *   rdev=MAJOR:MINOR
 *   xattr=NAME:HEX      may come several times
 *   xattrfill=NAME:N[:SEED]   a value of N bytes of a pattern
 *
 * `repeat N ENTRY` makes N entries: in the words of ENTRY, {} is replaced by
 * 0, 1, ... N-1, and {W} by the same in W digits.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io.h"
#include "limits.h"
#include "scan.h"
#include "treedump.h"
#include "writer.h"

#define WORDS_MAX 4096
#define LINE_MAX_SIZE (1 << 20)
#define XATTRS_MAX 1024

static struct unik_tree *tree;
static struct unik_data store; /* all content of all files */
static uint64_t stored;
static struct unik_scan scan;
static struct unik_err err;
static unsigned long line_number;

static void die(const char *what)
{
	fprintf(stderr, "mkimg: %s%s%s\n", what, *what ? ": " : "", err.msg);
	exit(err.code ? (int)err.code : UNIK_EIO);
}

static void bad(const char *what, const char *word)
{
	fprintf(stderr, "mkimg: line %lu: %s: '%s'\n", line_number, what, word);
	exit(UNIK_EUSAGE);
}

/* ---- words ---- */

static uint64_t number(const char *text, const char **end, int base)
{
	char *stop;
	uint64_t v;

	errno = 0;
	v = strtoull(text, &stop, base);
	if (stop == text || errno || (!end && *stop))
		bad("not a number", text);
	if (end)
		*end = stop;
	return v;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* Undoes \xHH in place; returns the length. */
static size_t unescape(char *s)
{
	char *from = s, *to = s;

	while (*from) {
		if (*from != '\\') {
			*to++ = *from++;
			continue;
		}
		if (from[1] != 'x' || hex_digit(from[2]) < 0 ||
		    hex_digit(from[3]) < 0)
			bad("bad escape", from);
		*to++ = (char)(hex_digit(from[2]) << 4 | hex_digit(from[3]));
		from += 4;
	}
	*to = 0;
	return (size_t)(to - s);
}

/* The same for pairs of hex digits. */
static size_t unhex(char *s)
{
	size_t i, n = strlen(s);

	for (i = 0; i + 1 < n; i += 2) {
		if (hex_digit(s[i]) < 0 || hex_digit(s[i + 1]) < 0)
			bad("bad hex", s);
		s[i / 2] = (char)(hex_digit(s[i]) << 4 | hex_digit(s[i + 1]));
	}
	if (i != n)
		bad("odd number of hex digits", s);
	return n / 2;
}

/* ---- content ---- */

static struct unik_piece *pieces;
static uint32_t npieces, pieces_room;
static uint64_t data_end; /* where the next data of this file goes */
static uint64_t data_fed; /* how far the scan is */

static void feed_to(uint64_t pos)
{
	if (pos > data_fed && unik_scan_feed(&scan, NULL, pos - data_fed,
					     &err) < 0)
		die("scan");
	if (pos > data_fed)
		data_fed = pos;
}

static void put(const void *data, size_t n)
{
	struct unik_piece *last = npieces ? &pieces[npieces - 1] : NULL;

	if (n == 0)
		return;
	if (unik_pwrite_all(store.fd, data, n, stored, &err) < 0)
		die("content");
	feed_to(data_end);
	if (unik_scan_feed(&scan, data, n, &err) < 0)
		die("scan");
	if (last && last->offset + last->size == data_end &&
	    last->stored + last->size == stored) {
		last->size += n;
	} else {
		if (npieces == pieces_room) {
			pieces_room = pieces_room ? pieces_room * 2 : 16;
			pieces = realloc(pieces,
					 pieces_room * sizeof(*pieces));
			if (!pieces)
				die("memory");
		}
		pieces[npieces++] = (struct unik_piece){ data_end, n, stored };
	}
	stored += n;
	data_end += n;
	data_fed = data_end;
}

/* Bytes that depend on the seed and the place; no long run of zeros. */
static void pattern(uint8_t *out, size_t n, uint64_t seed, uint64_t at)
{
	size_t i;

	for (i = 0; i < n; i++, at++) {
		uint64_t v = (at / 8 + 1) * UINT64_C(0x9e3779b97f4a7c15) ^
			     seed * UINT64_C(0xd6e8feb86659fd93);

		v = (v ^ v >> 32) * UINT64_C(0xd6e8feb86659fd93);
		v ^= v >> 29;
		out[i] = seed ? (uint8_t)(v >> at % 8 * 8) : 0;
	}
}

static void fill(const char *value)
{
	static uint8_t buf[1 << 16];
	uint64_t n, seed = 1;

	n = number(value, &value, 10);
	if (*value == ':')
		seed = number(value + 1, NULL, 10);
	else if (*value)
		bad("not N[:SEED]", value);
	while (n > 0) {
		size_t m = n < sizeof(buf) ? (size_t)n : sizeof(buf);

		pattern(buf, m, seed, data_end);
		put(buf, m);
		n -= m;
	}
}

/* ---- one entry ---- */

static struct unik_xattr xattrs[XATTRS_MAX];
static uint8_t *xattr_values[XATTRS_MAX];

static void set_mtime(struct unik_entry *e, const char *value)
{
	const char *end;
	char *stop;

	errno = 0;
	e->mtime_sec = strtoll(value, &stop, 10);
	if (stop == value || errno)
		bad("not a time", value);
	end = stop;
	if (*end == '.') {
		if (strlen(end + 1) != 9)
			bad("not 9 digits", end);
		e->mtime_nsec = (uint32_t)number(end + 1, NULL, 10);
	} else if (*end) {
		bad("not a time", value);
	}
}

static void set_rdev(struct unik_entry *e, const char *value)
{
	e->rdev.major = (uint32_t)number(value, &value, 10);
	if (*value != ':')
		bad("not MAJOR:MINOR", value);
	e->rdev.minor = (uint32_t)number(value + 1, NULL, 10);
}

static void add_xattr(struct unik_entry *e, char *value, bool pattern_value)
{
	char *colon = pattern_value ? strchr(value, ':') : strrchr(value, ':');
	struct unik_xattr *x = &xattrs[e->nxattrs];
	uint64_t seed = 1;
	const char *end;

	if (!colon || e->nxattrs == XATTRS_MAX)
		bad("not NAME:VALUE, or too many", value);
	*colon = 0;
	x->name = value;
	x->name_size = (uint32_t)unescape(value);
	if (pattern_value) {
		x->value_size = (uint32_t)number(colon + 1, &end, 10);
		if (*end == ':')
			seed = number(end + 1, NULL, 10);
	} else {
		x->value_size = (uint32_t)unhex(colon + 1);
	}
	free(xattr_values[e->nxattrs]);
	xattr_values[e->nxattrs] = malloc(x->value_size + 1);
	if (!xattr_values[e->nxattrs])
		die("memory");
	if (pattern_value)
		pattern(xattr_values[e->nxattrs], x->value_size, seed, 0);
	else
		memcpy(xattr_values[e->nxattrs], colon + 1, x->value_size);
	x->value = xattr_values[e->nxattrs++];
	e->xattrs = xattrs;
}

static void set_key(struct unik_entry *e, char *word)
{
	char *value = strchr(word, '=');

	if (!value)
		bad("not KEY=VALUE", word);
	*value++ = 0;
	if (strcmp(word, "mode") == 0) {
		e->mode = (uint16_t)number(value, NULL, 8);
	} else if (strcmp(word, "uid") == 0) {
		e->uid = (uint32_t)number(value, NULL, 10);
	} else if (strcmp(word, "gid") == 0) {
		e->gid = (uint32_t)number(value, NULL, 10);
	} else if (strcmp(word, "mtime") == 0) {
		set_mtime(e, value);
	} else if (strcmp(word, "size") == 0) {
		e->size = number(value, NULL, 10);
	} else if (strcmp(word, "text") == 0) {
		put(value, unescape(value));
	} else if (strcmp(word, "hex") == 0) {
		put(value, unhex(value));
	} else if (strcmp(word, "at") == 0) {
		if (number(value, NULL, 10) < data_end)
			bad("data goes forward only", value);
		data_end = number(value, NULL, 10);
	} else if (strcmp(word, "fill") == 0) {
		fill(value);
	} else if (strcmp(word, "target") == 0) {
		e->target = value;
		e->target_size = unescape(value);
	} else if (strcmp(word, "rdev") == 0) {
		set_rdev(e, value);
	} else if (strcmp(word, "xattr") == 0) {
		add_xattr(e, value, false);
	} else if (strcmp(word, "xattrfill") == 0) {
		add_xattr(e, value, true);
	} else {
		bad("unknown key", word);
	}
}

static void set_type(struct unik_entry *e, const char *word)
{
	int type;

	e->hardlink = strcmp(word, "link") == 0;
	for (type = 0; type <= UNIK_SOCKET; type++)
		if (strcmp(word, unik_type_name((enum unik_type)type)) == 0)
			break;
	if (type > UNIK_SOCKET && !e->hardlink)
		bad("unknown type", word);
	e->type = e->hardlink ? UNIK_FILE : (enum unik_type)type;
	e->mode = e->type == UNIK_DIR ? 0755 : 0644;
}

static void add_entry(char **words, size_t n)
{
	static const struct unik_piece nothing;
	struct unik_entry e = { 0 };
	struct unik_content c = { .data = &store };
	size_t i;

	if (n < 2)
		bad("an entry needs a path", words[0]);
	npieces = 0;
	data_end = data_fed = 0;
	if (unik_scan_begin(&scan, &err) < 0)
		die("scan");
	set_type(&e, words[0]);
	e.path = words[1];
	e.path_size = unescape(words[1]);
	for (i = 2; i < n; i++)
		set_key(&e, words[i]);
	if (e.type == UNIK_FILE && !e.hardlink) {
		if (e.size < data_end)
			e.size = data_end;
		feed_to(e.size);
		if (unik_scan_end(&scan, &c, &err) < 0)
			die("scan");
		c.pieces = npieces ? pieces : &nothing;
		c.npieces = npieces ? npieces : 1;
		e.content = e.size ? &c : NULL;
	}
	if (unik_tree_add(tree, &e, &err) < 0)
		die("");
}

/* Replaces {} and {W} by k; the caller frees. */
static char *expand(const char *word, unsigned long long k)
{
	size_t room = strlen(word) + 1, at = 0;
	const char *p;
	char *out;

	for (p = word; *p; p++)
		if (*p == '{')
			room += 256;
	out = malloc(room);
	if (!out)
		die("memory");
	for (p = word; *p; p++) {
		uint64_t width = 0;

		if (*p != '{') {
			out[at++] = *p;
			continue;
		}
		if (p[1] != '}')
			width = number(p + 1, &p, 10);
		else
			p++;
		if (*p != '}' || width > 250)
			bad("not {} or {W}", word);
		at += (size_t)sprintf(out + at, "%0*llu", (int)width, k);
	}
	out[at] = 0;
	return out;
}

static void repeat(char **words, size_t n)
{
	static char *copy[WORDS_MAX];
	unsigned long long k, count;
	size_t i;

	if (n < 4)
		bad("repeat needs a number and an entry", words[0]);
	count = number(words[1], NULL, 10);
	for (k = 0; k < count; k++) {
		for (i = 2; i < n; i++)
			copy[i - 2] = expand(words[i], k);
		add_entry(copy, n - 2);
		for (i = 2; i < n; i++)
			free(copy[i - 2]);
	}
}

static void read_text(void)
{
	static char line[LINE_MAX_SIZE], *words[WORDS_MAX];

	while (fgets(line, sizeof(line), stdin)) {
		size_t n = 0;
		char *save, *word;

		line_number++;
		if (!strchr(line, '\n'))
			bad("a line without an end, or too long", "");
		word = line[0] == '#' ? NULL : strtok_r(line, " \n", &save);
		for (; word; word = strtok_r(NULL, " \n", &save)) {
			if (n == WORDS_MAX)
				bad("too many words", word);
			words[n++] = word;
		}
		if (n > 0 && strcmp(words[0], "repeat") == 0)
			repeat(words, n);
		else if (n > 0)
			add_entry(words, n);
	}
}

/* ---- output ---- */

static int to_sink(void *data, const char *text, size_t n, struct unik_err *e)
{
	return unik_sink_write(data, text, n, e);
}

static int open_out(const char *path)
{
	int fd = strcmp(path, "-") == 0 ? STDOUT_FILENO :
		 open(path, O_RDWR | O_CREAT | O_TRUNC, 0666);

	if (fd < 0)
		bad(strerror(errno), path);
	return fd;
}

static void write_image(const struct unik_format *f,
			struct unik_writer_options *opt,
			struct unik_sink *sink, bool info)
{
	struct unik_digest digest;
	struct unik_writer *w = NULL;

	opt->tree_digest = &digest;
	if (unik_tree_digest(tree, &digest, &err) < 0 ||
	    f->plan(&w, tree, opt, &err) < 0 ||
	    f->emit(w, sink, &err) < 0)
		die("");
	if (unik_sink_size(sink) != f->size(w))
		die("the image has another size than the plan's");
	if (info)
		fprintf(stderr, "size=%" PRIu64 " losses: xattr=%" PRIu64
			" time=%" PRIu64 " rdev=%" PRIu64 " name=%" PRIu64 "\n",
			f->size(w), f->losses(w)->xattr, f->losses(w)->time,
			f->losses(w)->rdev, f->losses(w)->name);
	f->free(w);
}

/* Writes the image, or with f NULL the text of the tree. */
static void write_out(const char *path, const struct unik_format *f,
		      struct unik_writer_options *opt, bool info)
{
	struct unik_sink_options sink_opt = { .holes = true };
	struct unik_sink *sink;

	sink_opt.fd = open_out(path);
	if (unik_sink_new(&sink, &sink_opt, &err) < 0)
		die("sink");
	if (f)
		write_image(f, opt, sink, info);
	else if (unik_treedump(tree, to_sink, sink, &err) < 0)
		die("");
	if (unik_sink_finish(sink, NULL, &err) < 0)
		die("");
	unik_sink_free(sink);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "block-size", required_argument, NULL, 'b' },
		{ "netbsd", no_argument, NULL, 'n' },
		{ "free-size", required_argument, NULL, 's' },
		{ "free-inodes", required_argument, NULL, 'i' },
		{ "format-version", required_argument, NULL, 'v' },
		{ "tree", required_argument, NULL, 't' },
		{ "info", no_argument, NULL, 'I' },
		{ NULL, 0, NULL, 0 }
	};
	struct unik_writer_options opt = { 0 };
	const struct unik_format *format;
	const char *text = NULL;
	struct unik_limits limits;
	bool info = false;
	int c, i;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'n')
			opt.netbsd = true;
		else if (c == 'b')
			opt.block_size = (uint32_t)number(optarg, NULL, 10);
		else if (c == 's')
			opt.free_size = number(optarg, NULL, 10);
		else if (c == 'i')
			opt.free_inodes = number(optarg, NULL, 10);
		else if (c == 'v')
			opt.version = (int)number(optarg, NULL, 10);
		else if (c == 't')
			text = optarg;
		else if (c == 'I')
			info = true;
		else
			return UNIK_EUSAGE;
	}
	if (argc - optind != 2)
		bad("mkimg FORMAT [OPTION...] OUT", "");
	format = unik_format_find(argv[optind]);
	if (!format && strcmp(argv[optind], "tree") != 0)
		bad("unknown format", argv[optind]);
	unik_limits_init(&limits);
	limits.path = 1 << 16;
	if (unik_spool_open("/tmp", &store.fd, &err) < 0 ||
	    unik_scan_init(&scan, &err) < 0 ||
	    unik_tree_new(&tree, &limits, &err) < 0)
		die("");
	read_text();
	if (unik_tree_seal(tree, &err) < 0)
		die("");
	if (text)
		write_out(text, NULL, &opt, false);
	write_out(argv[optind + 1], format, &opt, info);
	unik_tree_free(tree);
	unik_scan_release(&scan);
	free(pieces);
	for (i = 0; i < XATTRS_MAX; i++)
		free(xattr_values[i]);
	return 0;
}
