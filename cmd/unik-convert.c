/* SPDX-License-Identifier: GPL-3.0-or-later */
/* unik-convert: an image becomes a stack of filesystem images. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common.h"
#include "dest.h"
#include "progress.h"

enum {
	OPT_PLATFORM = OPT_FIRST,
	OPT_JSON,
	OPT_PROGRESS,
	OPT_STRICT,
	OPT_TRUST,
	OPT_FORMAT_VERSION,
	OPT_BLOCK_SIZE,
	OPT_WHITEOUTS,
	OPT_MAX_IMAGES,
	OPT_BIND,
	OPT_BIND_OWNER,
	OPT_SCRATCH,
	OPT_FREE_SPACE,
	OPT_FREE_INODES,
	OPT_PACKAGE,
	OPT_COMPRESS,
	OPT_KERNEL,
	OPT_URUNC,
	OPT_REFERRER,
};

static const char doc[] =
	"Turn the layers of a container image into filesystem images."
	"\vSOURCE is an image as `docker save`, skopeo, podman, buildah or "
	"umoci write it, or one layer tar, found out by its content; or "
	"docker-archive:PATH[:REF], oci-archive:PATH[:REF], oci:DIR[:REF], "
	"layer:PATH, or - for standard input.\n"
	"DEST is a store directory (PATH or dir:PATH); or image:FILE for the "
	"one layer of a one-layer source (image:- is standard output); or a "
	"container image that carries the stack: docker-archive:FILE[:NAME], "
	"oci-archive:FILE[:TAG], oci:DIR[:TAG], or - for a docker-archive on "
	"standard output.\n"
	"Exit status: 0 done, 1 the source is bad, 2 usage, 3 could not do it.";

static const struct argp_option options[] = {
	{ "format", 'f', "FORMAT", 0,
	  "Format of the images: iso or ext2 (default: iso for oci and "
	  "rumprun, ext2 for linux and flat); may be given twice", 0 },
	{ "target", 't', "TARGET", 0,
	  "Who mounts the stack: oci (default), linux, rumprun or flat", 0 },
	{ "whiteouts", OPT_WHITEOUTS, "FORM", 0,
	  "Form of whiteouts: keep, overlay or apply (default: as the target "
	  "wants them)", 0 },
	{ "max-images", OPT_MAX_IMAGES, "N", 0,
	  "The most images of a stack (default: 9 for rumprun, 1 for flat)",
	  0 },
	{ "bind", OPT_BIND, "HOSTPATH:/PATH", 0,
	  "Add a file or directory of the host in an image on top; may be "
	  "given several times", 0 },
	{ "bind-owner", OPT_BIND_OWNER, "UID:GID", 0,
	  "Owner of what --bind adds (default 0:0)", 0 },
	{ "scratch", OPT_SCRATCH, "SIZE", 0,
	  "Add an empty writable ext2 image of SIZE free bytes on top", 0 },
	{ "free-space", OPT_FREE_SPACE, "SIZE", 0,
	  "flat, ext2: leave SIZE bytes free for a root that is written to",
	  0 },
	{ "free-inodes", OPT_FREE_INODES, "N", 0,
	  "flat, ext2: leave N inodes free", 0 },
	{ "package", OPT_PACKAGE, "HOW", 0,
	  "How a container image carries the stack: file (default), append or "
	  "raw", 0 },
	{ "compress", OPT_COMPRESS, "HOW[:LEVEL]", 0,
	  "Compression of a container image's layers: none (default in a "
	  "docker-archive), gzip (default in OCI images) or zstd", 0 },
	{ "kernel", OPT_KERNEL, "FILE", 0,
	  "The guest's kernel, a plain file in the container image: a file of "
	  "the host, or source:PATH (default: the source's Solo5 unikernel)",
	  0 },
	{ "urunc", OPT_URUNC, "TYPE[,HYPERVISOR]", 0,
	  "flat: labels and /urunc.json for urunc", 0 },
	{ "referrer", OPT_REFERRER, NULL, 0,
	  "oci:DIR that holds the source: add an artifact that refers to it, "
	  "and no image", 0 },
	{ "platform", OPT_PLATFORM, "OS/ARCH[/VARIANT]", 0,
	  "Which image of a multi-platform source", 0 },
	{ "jobs", 'j', "N", 0,
	  "Layers converted side by side (default: the CPUs online)", 0 },
	{ "json", OPT_JSON, NULL, 0,
	  "Print the manifest of each stack, one line each", 0 },
	{ "quiet", 'q', NULL, 0, "No table, no warnings, no progress", 0 },
	{ "verbose", 'v', NULL, 0, "Say what is done and why", 0 },
	{ "progress", OPT_PROGRESS, "WHEN", 0,
	  "Progress on standard error: auto, always or never", 0 },
	{ "trust-blob-names", OPT_TRUST, NULL, 0,
	  "Do not read blobs of an OCI directory that the store knows by "
	  "their names", 0 },
	{ "strict", OPT_STRICT, NULL, 0,
	  "What a format can't hold is an error, not a warning", 0 },
	{ "format-version", OPT_FORMAT_VERSION, "N", 0,
	  "Write an older version of the format", 0 },
	{ "block-size", OPT_BLOCK_SIZE, "N", 0,
	  "Block size of ext2: 1024, 2048 or 4096 (default: by content)",
	  0 },
	{ 0 }
};

struct options {
	struct unik_convert_options lib;
	const char *formats[8];
	struct unik_bind binds[64];
	char *dest;
	bool json;
	bool quiet;
	bool verbose;
	enum progress_mode mode;
	struct progress progress;
	size_t nstacks;
};

static void parse_progress(struct options *o, const char *arg,
			   struct argp_state *state)
{
	if (strcmp(arg, "auto") == 0)
		o->mode = PROGRESS_AUTO;
	else if (strcmp(arg, "always") == 0)
		o->mode = PROGRESS_ALWAYS;
	else if (strcmp(arg, "never") == 0)
		o->mode = PROGRESS_NEVER;
	else
		argp_error(state, "--progress is auto, always or never, not "
			   "'%s'", arg);
}

static uint64_t parse_bytes(const char *what, const char *arg,
			    struct argp_state *state)
{
	uint64_t v = 0;

	if (!parse_size(arg, &v) || v == 0)
		argp_error(state, "%s: '%s' is not a size", what, arg);
	return v;
}

/* The last `:/` divides, so that a host path may hold colons. */
static void parse_bind(struct options *o, char *arg, struct argp_state *state)
{
	char *at = NULL, *p = arg;

	while ((p = strstr(p, ":/")) != NULL)
		at = p++;
	if (!at || at == arg)
		argp_error(state, "--bind: '%s' is not HOSTPATH:/PATH", arg);
	if (o->lib.nbinds == sizeof(o->binds) / sizeof(o->binds[0]))
		argp_error(state, "too many --bind");
	*at = 0;
	o->binds[o->lib.nbinds].host = arg;
	o->binds[o->lib.nbinds++].path = at + 1;
}

static void parse_owner(struct options *o, char *arg, struct argp_state *state)
{
	char *colon = strchr(arg, ':');
	uint64_t uid = 0, gid = 0;

	if (colon)
		*colon = 0;
	if (!colon || !parse_count(arg, &uid) ||
	    !parse_count(colon + 1, &gid) || uid >= UINT32_MAX ||
	    gid >= UINT32_MAX)
		argp_error(state, "--bind-owner is UID:GID");
	o->lib.bind_uid = (uint32_t)uid;
	o->lib.bind_gid = (uint32_t)gid;
}

/* reproducible-builds.org, "SOURCE_DATE_EPOCH". */
static int64_t source_date(struct argp_state *state)
{
	const char *text = getenv("SOURCE_DATE_EPOCH");
	uint64_t v = 0;

	if (text && (!parse_count(text, &v) || v > INT64_MAX))
		argp_error(state, "SOURCE_DATE_EPOCH is '%s', not a number of "
			   "seconds", text);
	return (int64_t)v;
}

static void parse_positional(struct options *o, char *arg,
			     struct argp_state *state)
{
	if (state->arg_num == 0)
		o->lib.source = arg;
	else if (state->arg_num == 1)
		o->dest = arg;
	else
		argp_error(state, "too many arguments");
}

static void check_pack(const struct unik_pack_options *p,
		       struct argp_state *state)
{
	const char *given = p->package ? "--package"
			    : p->compress ? "--compress"
			    : p->kernel	  ? "--kernel"
			    : p->urunc	  ? "--urunc"
			    : p->referrer ? "--referrer"
					  : NULL;

	if (given && p->kind == UNIK_PACK_NONE)
		argp_error(state, "%s is for a container image as DEST", given);
}

static void check_together(struct options *o, struct argp_state *state)
{
	if (!o->dest)
		argp_error(state, "SOURCE and DEST are needed");
	dest_parse(&o->lib, o->dest, state);
	check_pack(&o->lib.pack, state);
	if (o->json && dest_is_stdout(&o->lib))
		argp_error(state, "--json and DEST both want standard output");
	if (dest_is_stdout(&o->lib) && isatty(STDOUT_FILENO) == 1)
		argp_error(state, "will not write an image to a terminal");
}

/* What the stack holds, and for whom. */
static error_t parse_stack(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case OPT_BIND:
		parse_bind(o, arg, state);
		break;
	case OPT_BIND_OWNER:
		parse_owner(o, arg, state);
		break;
	case OPT_SCRATCH:
		o->lib.scratch = parse_bytes("--scratch", arg, state);
		break;
	case OPT_FREE_SPACE:
		o->lib.free_size = parse_bytes("--free-space", arg, state);
		break;
	case OPT_FREE_INODES:
		o->lib.free_inodes = parse_between(
			"--free-inodes", arg, 1, UINT32_MAX, state);
		break;
	case OPT_PACKAGE:
		o->lib.pack.package = arg;
		break;
	case OPT_COMPRESS:
		o->lib.pack.compress = arg;
		break;
	case OPT_KERNEL:
		o->lib.pack.kernel = arg;
		break;
	case OPT_REFERRER:
		o->lib.pack.referrer = true;
		break;
	case OPT_URUNC:
		o->lib.pack.urunc = arg;
		break;
	case 't':
		o->lib.target = arg;
		break;
	case OPT_WHITEOUTS:
		o->lib.whiteouts = arg;
		break;
	case OPT_MAX_IMAGES:
		o->lib.max_images = (size_t)parse_between(
			"--max-images", arg, 1, 65535, state);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->lib.limits;
		break;
	case 'f':
		if (o->lib.nformats ==
		    sizeof(o->formats) / sizeof(o->formats[0]))
			argp_error(state, "too many formats");
		o->formats[o->lib.nformats++] = arg;
		break;
	case 'j':
		o->lib.jobs = (unsigned)parse_between("-j", arg, 1, 1024,
						    state);
		break;
	case 'q':
		o->quiet = true;
		break;
	case 'v':
		o->verbose = true;
		break;
	case OPT_PLATFORM:
		o->lib.platform = arg;
		break;
	case OPT_JSON:
		o->json = true;
		break;
	case OPT_PROGRESS:
		parse_progress(o, arg, state);
		break;
	case OPT_STRICT:
		o->lib.strict = true;
		break;
	case OPT_TRUST:
		o->lib.trust_blob_names = true;
		break;
	case OPT_FORMAT_VERSION:
		o->lib.format_version = (int)parse_between(
			"--format-version", arg, 1, 1000000, state);
		break;
	case OPT_BLOCK_SIZE:
		o->lib.block_size = (uint32_t)parse_between(
			"--block-size", arg, 1, 65536, state);
		break;
	case ARGP_KEY_ARG:
		parse_positional(o, arg, state);
		break;
	case ARGP_KEY_END:
		o->lib.bind_time = source_date(state);
		check_together(o, state);
		break;
	default:
		return parse_stack(key, arg, state);
	}
	return 0;
}

/* ---- callbacks ---- */

static void on_warn(void *data, const char *text)
{
	struct options *o = data;

	if (o->quiet)
		return;
	progress_wipe(&o->progress);
	say_warning(text);
}

static void on_note(void *data, const char *text)
{
	struct options *o = data;

	if (!o->verbose)
		return;
	progress_wipe(&o->progress);
	say(text);
}

static void on_progress(void *data, const struct unik_progress *p)
{
	struct options *o = data;

	progress_show(&o->progress, p);
}

static void print_table(const struct unik_stack_report *r)
{
	size_t k;

	printf("%5s  %-19s %8s %12s  %s\n", "LAYER", "DIFF_ID", "ENTRIES",
	       "IMAGE SIZE", "IMAGE");
	for (k = 0; k < r->nlayers; k++) {
		const struct unik_layer_row *row = &r->layers[k];

		printf("%5zu  %.19s %8" PRIu64 " ", k, row->diff_id,
		       row->entries);
		if (row->merged) {
			printf("%12s  \"\n", "\"");
			continue;
		}
		printf("%12" PRIu64 "  ", row->image_size);
		put_clean(row->image);
		putchar('\n');
	}
}

static void on_stack(void *data, const struct unik_stack_report *r)
{
	struct options *o = data;
	bool to_stdout = dest_is_stdout(&o->lib);

	progress_wipe(&o->progress);
	if (o->json) {
		fwrite(r->manifest, 1, r->manifest_size, stdout);
	} else if (!o->quiet && !to_stdout) {
		if (o->nstacks++ > 0)
			putchar('\n');
		print_table(r);
	}
}

int main(int argc, char **argv)
{
	const struct argp_child children[] = {
		{ &limits_argp, 0, NULL, 0 },
		{ 0 }
	};
	const struct argp argp = {
		options, parse, "SOURCE DEST", doc, children, NULL, NULL
	};
	struct options o = { .mode = PROGRESS_AUTO };
	struct unik_err err;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int rc;

	common_init();
	limits_options();
	unik_convert_options_init(&o.lib);
	o.lib.formats = o.formats;
	o.lib.binds = o.binds;
	o.lib.jobs = cpus > 0 ? (unsigned)cpus : 1;
	argp_parse(&argp, argc, argv, 0, NULL, &o);
	progress_init(&o.progress, o.quiet ? PROGRESS_NEVER : o.mode);
	catch_signals();
	if (dest_is_stdout(&o.lib))
		o.lib.spool_dir = getenv("TMPDIR");
	o.lib.data = &o;
	o.lib.warn = on_warn;
	o.lib.note = on_note;
	o.lib.progress = o.progress.on ? on_progress : NULL;
	o.lib.stack = on_stack;
	o.lib.stop = &interrupted;
	rc = unik_convert(&o.lib, &err);
	progress_wipe(&o.progress);
	return finish(rc < 0 ? fail(&err) : 0);
}
