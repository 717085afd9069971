/* SPDX-License-Identifier: GPL-3.0-or-later */
/* manifest: written, read, written again; and what is no manifest. */
#include "core.h"
#include "json.h"
#include "manifest_read.h"

/* The structs hold strings that can be changed; nobody does. */
static char *mut(const char *s)
{
	return (char *)(uintptr_t)s;
}

static char *entrypoint[2];
static char *env[4];
static char *binds[1];
static struct unik_layer_ref refs[3];
static struct unik_layer_facts facts[3];
static struct unik_stack_image stack[3];
static struct unik_image source;
static struct unik_manifest made;

static struct unik_digest digest_of(unsigned n)
{
	struct unik_digest d = { UNIK_SHA256, { 0 } };

	memset(d.bytes, (int)n, UNIK_SHA256_SIZE);
	return d;
}

static void build_layer(unsigned k)
{
	struct unik_layer_facts *f = &facts[k];

	refs[k].media_type = mut("application/x");
	f->diff_id = digest_of(k);
	f->blob_digest = digest_of(k + 16);
	if (k == 1) {
		f->blob_digest.algo = UNIK_SHA512;
		memset(f->blob_digest.bytes, 9, 64);
	}
	f->blob_size = 100 + k;
	f->size = INT64_MAX;
	f->entries = (struct unik_entry_counts){ k, 2, 3, 4, 5, 6 };
	f->whiteouts = 7;
	f->opaque = 8;
	f->losses = (struct unik_loss_counts){ 9, 10, 11, 12 };
}

static void build(void)
{
	unsigned k;

	entrypoint[0] = mut("/bin/app");
	entrypoint[1] = mut("");
	binds[0] = mut("etc/x\xff");
	env[0] = mut("PATH=/bin");
	env[1] = mut("B=\xff\x80 \xc3\xa9");
	env[2] = mut("C=\xee\xbe\x81\xee\xbf\xbf");
	env[3] = mut("D=\"\\\n");
	for (k = 0; k < 3; k++) {
		build_layer(k);
		stack[k].facts.image = digest_of(32 + k);
		stack[k].facts.tree_digest = digest_of(48 + k);
		stack[k].facts.size = 4096 * k;
	}
	stack[0].first = stack[0].last = 0;
	stack[1].first = 1; /* holds no layer */
	stack[1].last = 0;
	stack[1].role = "scratch";
	stack[1].format = "iso";
	stack[2].first = 1;
	stack[2].last = 2;
	source.kind = UNIK_SRC_OCI_DIR;
	source.name = mut("reg/app:1\xff");
	source.os = mut("linux");
	source.arch = mut("arm");
	source.variant = mut("v7");
	source.has_config_digest = false;
	source.has_manifest_digest = true;
	source.manifest_digest = digest_of(99);
	source.config.entrypoint = (struct unik_strings){ entrypoint, 2 };
	source.config.env = (struct unik_strings){ env, 4 };
	source.config.cwd = mut("/srv");
	source.config.user = mut("");
	source.layers = refs;
	source.nlayers = 3;
	made = (struct unik_manifest){
		.source = &source, .target = "linux", .format = "ext2",
		.whiteouts = "apply", .max_images = 4, .format_version = 1,
		.block_size = 1024, .binds = { binds, 1 }, .scratch = 1 << 20,
		.free_size = 4096, .free_inodes = 7, .layers = facts, .nlayers = 3,
		.stack = stack, .nstack = 3,
	};
}

static char *text_of(const struct unik_manifest *m, size_t *n)
{
	char *text;

	must(unik_manifest_text(m, &text, n, &err));
	return text;
}

static struct unik_stored_manifest *read_back(const char *text, size_t n)
{
	struct unik_limits limits = default_limits();
	struct unik_stored_manifest *s;

	must(unik_manifest_read(&s, text, n, &limits, &err));
	return s;
}

static void round_trip(const char *what)
{
	struct unik_stored_manifest *s;
	size_t n, m;
	char *text = text_of(&made, &n), *again;

	s = read_back(text, n);
	again = text_of(&s->m, &m);
	ok(n == m && memcmp(text, again, n) == 0, "%s: the same bytes", what);
	free(text);
	free(again);
	unik_stored_manifest_free(s);
}

static void test_round_trips(void)
{
	build();
	round_trip("everything");
	made.tool = "other 9";
	made.whiteouts = NULL;
	made.max_images = 0;
	made.block_size = 0;
	made.binds.n = 0;
	made.scratch = made.free_size = made.free_inodes = 0;
	round_trip("another tool, no options");
	source.has_manifest_digest = false;
	source.has_config_digest = true;
	source.config_digest = digest_of(7);
	source.variant = mut("");
	round_trip("a config digest, no variant");
	source.os = mut("");
	source.kind = UNIK_SRC_LAYER;
	round_trip("no platform");
	made.nlayers = 0;
	made.nstack = 0;
	source.nlayers = 0;
	round_trip("no layers");
	stack[0].first = 1;
	made.nstack = 1;
	round_trip("no layers, one image");
}

static void test_fields(void)
{
	struct unik_stored_manifest *s;
	const struct unik_image *i;
	size_t n;
	char *text;

	build();
	text = text_of(&made, &n);
	s = read_back(text, n);
	i = s->m.source;
	ok(i->kind == UNIK_SRC_OCI_DIR && strcmp(i->name, source.name) == 0 &&
		   i->has_manifest_digest && !i->has_config_digest,
	   "name, kind, digests");
	ok(strcmp(i->os, "linux") == 0 && strcmp(i->arch, "arm") == 0 &&
		   strcmp(i->variant, "v7") == 0,
	   "platform");
	ok(i->config.env.n == 4 && strcmp(i->config.env.v[1], env[1]) == 0 &&
		   strcmp(i->config.env.v[2], env[2]) == 0 &&
		   strcmp(i->config.env.v[3], env[3]) == 0,
	   "bytes that are no UTF-8, and what stands for them");
	ok(i->config.entrypoint.n == 2 && i->config.cmd.n == 0 &&
		   strcmp(i->config.cwd, "/srv") == 0,
	   "config");
	ok(s->m.nlayers == 3 && s->m.layers[2].entries.file == 2 &&
		   s->m.layers[1].size == INT64_MAX &&
		   s->m.layers[1].blob_digest.algo == UNIK_SHA512 &&
		   s->m.layers[0].losses.name == 12,
	   "layers");
	ok(s->m.nstack == 3 && s->m.stack[2].first == 1 &&
		   s->m.stack[2].last == 2 && s->m.stack[1].last == 0,
	   "stack");
	ok(s->m.block_size == 1024 && s->m.max_images == 4 &&
		   strcmp(s->m.whiteouts, "apply") == 0 &&
		   s->m.format_version == 1 && s->m.binds.n == 1 &&
		   strcmp(s->m.binds.v[0], binds[0]) == 0 &&
		   s->m.scratch == 1 << 20 && s->m.free_size == 4096 &&
		   s->m.free_inodes == 7 && !s->m.stack[0].role &&
		   strcmp(s->m.stack[1].role, "scratch") == 0 &&
		   strcmp(s->m.stack[1].format, "iso") == 0 &&
		   strncmp(s->m.tool, "unik ", 5) == 0,
	   "options, version, tool");
	unik_stored_manifest_free(s);
	unik_stored_manifest_free(NULL);
	free(text);
}

/* ---- refusals ---- */

/* The text with the first `from` replaced. */
static char *replaced(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);
	char *out = make_room(strlen(text) + strlen(to));

	if (!at)
		die(from);
	memcpy(out, text, (size_t)(at - text));
	strcpy(out + (at - text), to);
	strcat(out, at + strlen(from));
	return out;
}

static const struct {
	const char *from;
	const char *to;
	const char *says;
} changes[] = {
	{ "unik.stack.v1", "unik.stack.v2", "'schema'" },
	{ "\"schema\":\"unik.stack.v1\",", "", "'schema' is missing" },
	{ "{\"schema", " {\"schema", "canonical" },
	{ "\n", "", "canonical" },
	{ "\n", "\n\n", "canonical" },
	{ "\n", "\n{}", "follows" },
	{ ",\"format\"", ", \"format\"", "canonical" },
	{ ",\"format\"", ",\"more\":1,\"format\"", "canonical" },
	{ "\"cmd\":[]", "\"cmd\":[],\"volumes\":[]", "canonical" },
	{ "\"cmd\":[]", "\"cmd\":null", "'cmd' is missing" },
	{ "\"cmd\":[]", "\"cmd\":[1]", "'cmd[0]' is not a string" },
	{ "\"cmd\":[]", "\"cmd\":[],\"cmd\":[]", "twice" },
	{ "oci", "oci2", "'kind'" },
	{ "linux/arm/v7", "linux", "'platform'" },
	{ "\"linux\"", "\"../x\"", "'target' is not a short plain word" },
	{ "\"ext2\"", "\"\"", "'format' is not a short plain word" },
	{ "\"ext2\"", "\"ext2/../..\"", "'format' is not a short plain word" },
	{ "\"format_version\":1", "\"format_version\":0", "out of range" },
	{ "\"format_version\":1", "\"format_version\":-1", "negative" },
	{ "\"format_version\":1", "\"format_version\":4294967297", "range" },
	{ "\"format_version\":1", "\"format_version\":1.0", "whole number" },
	{ "\"block_size\":1024", "\"block_size\":4294968320", "canonical" },
	{ "\"block_size\":1024", "\"block_size\":01024", "syntax" },
	{ "\"scratch\":1048576", "\"scratch\":0", "canonical" },
	{ "\"role\":\"scratch\"", "\"role\":\"\"", "'role'" },
	{ "\"blob_size\":100", "\"blob_size\":1e2", "whole number" },
	{ "\"blob_size\":100", "\"blob_size\":99999999999999999999", "range" },
	{ "\"whiteouts\":7", "\"whiteouts\":true", "'layers[0]'" },
	{ "\"fifo\":6", "\"fifo\":6,\"socket\":0", "canonical" },
	{ "sha256:2020", "sha256:20G0", "'stack[0]': 'image'" },
	{ "\"image\":\"sha256:20202020", "\"image\":\"sha256:2020202",
	  "'stack[0]': 'image'" },
	{ "\"layers\":[0]", "\"layers\":[1]", "layer 0 is next" },
	{ "\"layers\":[0]", "\"layers\":[]", "layer 0 is next" },
	{ "\"layers\":[1,2]", "\"layers\":[1]", "holds 2 of 3 layers" },
	{ "\"layers\":[1,2]", "\"layers\":[1,2,3]", "holds 4 of 3 layers" },
	{ "\"layers\":[1,2]", "\"layers\":[2,1]", "layer 1 is next" },
	{ "\"layers\":[1,2]", "\"layers\":[1,\"2\"]", "whole number" },
	{ "\"stack\":[{", "\"stack\":[7,{", "'stack[0]' is not an object" },
	{ "\"layers\":[{", "\"layers\":[7,{", "'layers[0]': not an object" },
	{ "\\uefff", "\\uefFF", "canonical" },
	{ "/bin/app", "\\/bin/app", "canonical" },
};

static void test_refusals(void)
{
	struct unik_limits limits = default_limits();
	struct unik_stored_manifest *s;
	size_t i, n;
	char *text;

	build();
	text = text_of(&made, &n);
	text[n - 1] = 0; /* the newline stands in the place of the NUL */
	text = realloc(text, n + 1);
	strcpy(text + n - 1, "\n");
	for (i = 0; i < COUNT(changes); i++) {
		char *bad = replaced(text, changes[i].from, changes[i].to);

		ok(failed(unik_manifest_read(&s, bad, strlen(bad), &limits,
					     &err),
			  UNIK_EBAD, changes[i].says),
		   "refused, change %zu: %s", i, changes[i].says);
		free(bad);
	}
	limits.layers = 2;
	ok(failed(unik_manifest_read(&s, text, n, &limits, &err), UNIK_EBAD,
		  "--max-layers"),
	   "refused: too many layers");
	free(text);
}

/* Any byte changed, any length: refused, or it is another canonical text; no
 * crash (the sanitizers watch). */
static void test_every_byte(void)
{
	struct unik_limits limits = default_limits();
	struct unik_stored_manifest *s;
	size_t i, n, taken = 0;
	bool all = true;
	char *text;

	build();
	text = text_of(&made, &n);
	for (i = 0; i < n; i++) {
		char old = text[i];

		all &= unik_manifest_read(&s, text, i, &limits, &err) < 0;
		text[i] ^= (char)(1 << (i % 8));
		if (unik_manifest_read(&s, text, n, &limits, &err) == 0) {
			unik_stored_manifest_free(s);
			taken++;
		}
		text[i] = old;
	}
	ok(all, "cut anywhere: refused");
	ok(taken > 0 && taken < n / 2, "a flipped bit in a value is a value");
	free(text);
}

static void test_unescape(void)
{
	char plain[] = "a\xee\xbe\x80\xee\xbe\xbf\xee\xbf\x80\xee\xbf\xbf\xee\xbd\xbf";
	char cut[] = "\xee\xbe";

	unik_json_unescape(plain);
	ok(strcmp(plain, "a\x80\xbf\xc0\xff\xee\xbd\xbf") == 0,
	   "\\uef80 to \\uefff are bytes again, others stay");
	unik_json_unescape(cut);
	ok(strcmp(cut, "\xee\xbe") == 0, "a cut one stays");
}

int main(void)
{
	test_round_trips();
	test_fields();
	test_refusals();
	test_every_byte();
	test_unescape();
	return tap_done();
}
