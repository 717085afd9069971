/* SPDX-License-Identifier: GPL-3.0-or-later */
/* treedump: the canonical text, to the byte, and what an entry keeps. */
#define _GNU_SOURCE
#include "scan.h"
#include "treetext.h"

static const struct unik_data data = { .fd = -1 };

static void add(struct unik_tree *tree, const struct unik_entry *e)
{
	must(unik_tree_add(tree, e, &err));
}

static struct unik_entry entry(enum unik_type type, const char *path)
{
	struct unik_entry e = { .path = path, .path_size = strlen(path),
				.type = type, .mode = 0100640, .uid = 1,
				.gid = 4294967294u, .mtime_sec = -1,
				.mtime_nsec = 500000000 };

	return e;
}

static void add_all(struct unik_tree *tree)
{
	static const struct unik_xattr xattrs[] = {
		{ "user.z", (const uint8_t *)"first", 6, 5 },
		{ "security.capability", (const uint8_t *)"\0\1\377", 19, 3 },
		{ "user.z", (const uint8_t *)"last", 6, 4 },
		{ "user.\"q\\\xff", (const uint8_t *)"", 9, 0 },
	};
	struct unik_content c = { .data = &data };
	struct unik_entry e = entry(UNIK_FILE, "f");
	struct unik_digest d;

	must(unik_sha256("abc", 3, &d, &err));
	memcpy(c.sha256, d.bytes, 32);
	e.size = 3;
	e.content = &c;
	e.xattrs = xattrs;
	e.nxattrs = 4;
	add(tree, &e);
	e = entry(UNIK_FILE, "a \"quoted\"\\\n\xc3\xa4");
	e.mtime_sec = INT64_MAX;
	e.mtime_nsec = 1;
	add(tree, &e);
	e = entry(UNIK_FILE, "h");
	e.hardlink = true;
	e.target = "f";
	e.target_size = 1;
	add(tree, &e);
	e = entry(UNIK_SYMLINK, "s");
	e.target = "to\x01\"there\"";
	e.target_size = strlen(e.target);
	add(tree, &e);
	e = entry(UNIK_CHAR, "dev/c");
	e.rdev = (struct unik_rdev){ 4294967295u, 0 };
	add(tree, &e);
	e = entry(UNIK_BLOCK, "dev/b");
	e.rdev = (struct unik_rdev){ 8, 1 };
	add(tree, &e);
	e = entry(UNIK_FIFO, "p");
	add(tree, &e);
	e = entry(UNIK_SOCKET, "q");
	add(tree, &e);
	e = entry(UNIK_FILE, "dev/.wh.gone");
	add(tree, &e);
}

#define IDS "{\"gid\":4294967294"
#define TIME "\"mtime\":\"-1.500000000\""
#define XATTRS "\"xattrs\":{\"security.capability\":\"0001ff\"," \
	       "\"user.\\\"q\\\\x5c\\\\xff\":\"\",\"user.z\":\"6c617374\"}"
#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define NIL "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static const char golden[] =
	"{\"gid\":0,\"mode\":\"0755\",\"mtime\":\"0.000000000\","
	"\"path\":\".\",\"type\":\"dir\",\"uid\":0}\n"
	IDS ",\"mode\":\"0640\",\"mtime\":\"9223372036854775807.000000001\","
	"\"path\":\"a \\\"quoted\\\"\\\\x5c\\\\x0a\\\\xc3\\\\xa4\","
	"\"sha256\":\"" NIL "\",\"size\":0,\"type\":\"file\",\"uid\":1}\n"
	"{\"gid\":0,\"mode\":\"0755\",\"mtime\":\"0.000000000\","
	"\"path\":\"dev\",\"type\":\"dir\",\"uid\":0}\n"
	IDS ",\"mode\":\"0640\"," TIME ",\"path\":\"dev/.wh.gone\","
	"\"type\":\"whiteout\",\"uid\":1}\n"
	IDS ",\"mode\":\"0640\"," TIME ",\"path\":\"dev/b\","
	"\"rdev\":\"8:1\",\"type\":\"block\",\"uid\":1}\n"
	IDS ",\"mode\":\"0640\"," TIME ",\"path\":\"dev/c\","
	"\"rdev\":\"4294967295:0\",\"type\":\"char\",\"uid\":1}\n"
	IDS ",\"mode\":\"0640\"," TIME ",\"nlink\":2,\"path\":\"f\","
	"\"sha256\":\"" ABC "\",\"size\":3,\"type\":\"file\",\"uid\":1,"
	XATTRS "}\n"
	IDS ",\"link\":\"f\",\"mode\":\"0640\"," TIME ",\"nlink\":2,"
	"\"path\":\"h\",\"sha256\":\"" ABC "\",\"size\":3,"
	"\"type\":\"file\",\"uid\":1," XATTRS "}\n"
	IDS ",\"mode\":\"0640\"," TIME ",\"path\":\"p\","
	"\"type\":\"fifo\",\"uid\":1}\n"
	IDS ",\"mode\":\"0640\"," TIME ",\"path\":\"q\","
	"\"type\":\"socket\",\"uid\":1}\n"
	IDS "," TIME ",\"path\":\"s\","
	"\"target\":\"to\\\\x01\\\"there\\\"\",\"type\":\"symlink\","
	"\"uid\":1}\n";

static void test_golden(void)
{
	struct unik_tree *tree = new_tree();
	struct unik_digest got, want;
	char *text;

	add_all(tree);
	must(unik_tree_seal(tree, &err));
	text = dump_tree(tree);
	if (!ok(strcmp(text, golden) == 0, "the text, to the byte"))
		printf("# got:\n%s# want:\n%s", text, golden);
	must(unik_tree_digest(tree, &got, &err));
	must(unik_sha256(golden, sizeof(golden) - 1, &want, &err));
	ok(unik_digest_equal(&got, &want), "its sha256 is the tree digest");
	ok(tree->counts.xattrs == 3 && tree->counts.content == 3,
	   "attributes and content are counted once for an inode");
	free(text);
	unik_tree_free(tree);
}

static void test_empty(void)
{
	struct unik_tree *tree = new_tree();
	char *text;

	must(unik_tree_seal(tree, &err));
	text = dump_tree(tree);
	ok(strcmp(text, "{\"gid\":0,\"mode\":\"0755\","
			"\"mtime\":\"0.000000000\",\"path\":\".\","
			"\"type\":\"dir\",\"uid\":0}\n") == 0,
	   "the empty tree");
	free(text);
	unik_tree_free(tree);
}

/* A path as it stands in the text, one byte after the other. */
static void naive_path(const struct unik_node *node, char *out)
{
	char path[8192];
	size_t n = unik_node_path(node, path, sizeof(path)), i;

	for (i = 0; i < n; i++) {
		unsigned char c = (unsigned char)path[i];
		bool odd = c < 0x20 || c > 0x7e || c == '\\';

		out += sprintf(out, c == '"' ? "\\\"" : odd ? "\\\\x%02x"
						       : "%c", c);
	}
	*out = 0;
}

/* Line `i` has the path of node `i`, and of its first name where it is a link.
 */
static bool paths_are_right(const struct unik_tree *tree, const char *text)
{
	static char path[48 << 10], want[64 << 10];
	uint32_t i;

	for (i = 0; i < tree->nnodes; i++) {
		const struct unik_node *node = tree->nodes[i];
		const char *end = strchr(text, '\n');
		char *line = strndup(text, (size_t)(end - text));
		bool good;

		naive_path(node, path);
		sprintf(want, ",\"path\":\"%s\",", path);
		good = strstr(line, want) != NULL;
		if (node->inode->first != node) {
			naive_path(node->inode->first, path);
			sprintf(want, ",\"link\":\"%s\",", path);
			good = good && strstr(line, want);
		}
		free(line);
		if (!good)
			return false;
		text = end + 1;
	}
	return *text == 0;
}

/* Names of one directory, then of one below, then of the first one again. */
static void test_directories(void)
{
	static const char *const paths[] = {
		"d/a", "d/b\n/x", "d/b\n/\\y\"", "d/c", "d/d/\xff/z/e", "d/d/f",
		"d/g", "e", "f/\"/\"/\"", "g", "h/i/j/k/l/m/n", "o"
	};
	struct unik_tree *tree = new_tree();
	char far[4096], name[64];
	struct unik_entry e;
	char *text;
	size_t i;

	for (i = 0; i < COUNT(paths); i++) {
		e = entry(UNIK_FILE, paths[i]);
		add(tree, &e);
		sprintf(name, "d/c%zu", i);
		e = entry(UNIK_FILE, name);
		e.hardlink = true;
		e.target = paths[i];
		e.target_size = strlen(e.target);
		add(tree, &e);
	}
	memset(far, '\\', sizeof(far)); /* all that a path may be */
	for (i = 255; i < sizeof(far); i += 256)
		far[i] = '/';
	far[sizeof(far) - 2] = 0;
	e = entry(UNIK_FILE, far);
	add(tree, &e);
	must(unik_tree_seal(tree, &err));
	text = dump_tree(tree);
	ok(paths_are_right(tree, text), "paths, directory after directory");
	free(text);
	unik_tree_free(tree);
}

/* What the caller does with its arrays afterwards does not matter. */
static void test_copies(void)
{
	struct unik_piece pieces[] = { { 0, 2, 7 }, { 90000, 1, 9 } };
	struct unik_extent extents[] = { { 0, 1 }, { 21, 1 } };
	struct unik_content c = { .data = &data, .pieces = pieces,
				  .npieces = 2, .holed = true, .nextents = 2,
				  .extents = extents };
	struct unik_entry e = entry(UNIK_FILE, "f");
	struct unik_tree *tree = new_tree();
	const struct unik_inode *inode;
	const struct unik_xattr *v;
	char value[] = "value", name[] = "user.n";
	struct unik_xattr x = { name, (const uint8_t *)value, 6, 5 };

	e.size = 90001;
	e.content = &c;
	e.xattrs = &x;
	e.nxattrs = 1;
	add(tree, &e);
	memset(pieces, 0xee, sizeof(pieces));
	memset(extents, 0xee, sizeof(extents));
	memset(&c, 0xee, sizeof(c));
	memset(value, 0xee, sizeof(value));
	memset(name, 0xee, sizeof(name));
	must(unik_tree_seal(tree, &err));
	inode = unik_tree_find(tree, "f")->inode;
	v = inode->xattrs->v;
	ok(inode->content->npieces == 2 &&
		   inode->content->pieces[1].stored == 9 &&
		   inode->content->nextents == 2 &&
		   inode->content->extents[1].block == 21 &&
		   inode->content->data == &data,
	   "content with its maps is copied");
	ok(inode->xattrs->n == 1 && strcmp(v->name, "user.n") == 0 &&
		   memcmp(v->value, "value", 5) == 0,
	   "and so are attributes");
	unik_tree_free(tree);
}

static int stop_at_once(void *p, const char *text, size_t n,
			struct unik_err *e)
{
	(void)text;
	(void)n;
	++*(int *)p;
	return unik_fail_io(e, "no more");
}

static void test_stop(void)
{
	struct unik_tree *tree = new_tree();
	char line[32];
	int calls = 0, i;

	for (i = 0; i < 5000; i++) {
		int n = sprintf(line, "file d/%d", i);

		must(add_line(tree, line, (size_t)n, i));
	}
	must(unik_tree_seal(tree, &err));
	ok(failed(unik_treedump(tree, stop_at_once, &calls, &err), UNIK_EIO,
		  "no more") && calls == 1,
	   "the callback's failure ends it at once");
	unik_tree_free(tree);
}

/* Whether or not a thread of its own takes it: few nodes, the border, many. */
static void test_digest(void)
{
	static const int counts[] = { 8189, 8190, 8191, 20000 };
	size_t i;

	for (i = 0; i < COUNT(counts); i++) {
		struct unik_tree *tree = new_tree();
		struct unik_digest got, want;
		char line[32], *text;
		int k;

		for (k = 0; k < counts[i]; k++) {
			int n = sprintf(line, "file d/%d", k);

			must(add_line(tree, line, (size_t)n, k));
		}
		must(unik_tree_seal(tree, &err));
		text = dump_tree(tree);
		must(unik_sha256(text, strlen(text), &want, &err));
		must(unik_tree_digest(tree, &got, &err));
		ok(unik_digest_equal(&got, &want), "the digest of %u nodes",
		   tree->nnodes);
		free(text);
		unik_tree_free(tree);
	}
}

static void test_paths(void)
{
	struct unik_tree *tree = new_tree();
	const struct unik_node *node;
	char buf[16], q[UNIK_QUOTE_SIZE];
	size_t n;
	bool good = true;

	must(add_lines(tree, "file usr/bin/x\n"));
	node = unik_tree_find(tree, "/usr//bin/./x");
	ok(node && unik_node_path(node, buf, sizeof(buf)) == 9 &&
		   strcmp(buf, "usr/bin/x") == 0,
	   "the path of a node");
	for (n = 0; n <= 10; n++) {
		memset(buf, '~', sizeof(buf));
		good &= unik_node_path(node, buf, n) == 9 && buf[n] == '~' &&
			(n == 0 || strlen(buf) == (n > 9 ? 9 : 0));
	}
	ok(good, "never past the room for it");
	ok(unik_node_path(tree->root, buf, 2) == 1 && strcmp(buf, ".") == 0,
	   "the root is a dot");
	ok(strcmp(unik_node_quote(node, q), "'usr/bin/x'") == 0, "quoted");
	ok(!unik_tree_find(tree, "usr/bin/y") && !unik_tree_find(tree, "x") &&
		   unik_tree_find(tree, "") == tree->root &&
		   !unik_tree_find(tree, "usr/bin/x/y"),
	   "what is not there is not found");
	unik_tree_free(tree);
}

int main(void)
{
	test_golden();
	test_empty();
	test_directories();
	test_copies();
	test_stop();
	test_digest();
	test_paths();
	return tap_done();
}
