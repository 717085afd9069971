/* SPDX-License-Identifier: GPL-3.0-or-later */
/* unik-inspect: what sources, stores and filesystem images hold. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common.h"

enum {
	OPT_TREE = OPT_FIRST,
	OPT_MERGED,
	OPT_DIFF,
	OPT_CAT,
	OPT_EXTRACT,
	OPT_SHARING,
	OPT_CONTAINERS,
	OPT_GRAPH,
	OPT_GC,
	OPT_DELETE,
	OPT_PLAN,
	OPT_KERNEL,
	OPT_PLATFORM,
	OPT_JSON,
};

static const char doc[] =
	"Tell what container images, stores of unik and filesystem images "
	"hold."
	"\vTARGET is an image as for unik-convert (docker-archive:PATH[:REF], "
	"oci-archive:PATH[:REF], oci:DIR[:REF], layer:PATH, or - for standard "
	"input), a store (STORE, dir:STORE, STORE:NAME) or an ISO or ext2 "
	"image file (FILE, image:FILE); without a word in front it is found "
	"out by its content.  #PART behind it means one layer or image, by "
	"number or digest.\n"
	"Exit status: 0 done, 1 the target is bad, or --diff found "
	"differences, 2 usage, 3 could not do it.";

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "What to tell (default: a report)", 1 },
	{ "tree", OPT_TREE, "PART", OPTION_ARG_OPTIONAL,
	  "List all parts, or one, as `ls -l` does", 0 },
	{ "merged", OPT_MERGED, NULL, 0,
	  "List the root that all parts give together", 0 },
	{ "diff", OPT_DIFF, NULL, 0,
	  "Compare two targets, A and B, entry by entry", 0 },
	{ "cat", OPT_CAT, "PATH", 0, "Print one regular file", 0 },
	{ "extract", OPT_EXTRACT, "FILE", 0,
	  "With --cat: write it to FILE", 0 },
	{ "graph", OPT_GRAPH, NULL, 0,
	  "A store's stacks and images as a graph for Graphviz", 0 },
	{ "sharing", OPT_SHARING, NULL, 0,
	  "Report of a store: what sharing images saves", 0 },
	{ "containers", OPT_CONTAINERS, "N", 0,
	  "With --sharing: so many containers of each stack", 0 },
	{ "gc", OPT_GC, NULL, 0, "List what nothing in a store needs", 0 },
	{ "delete", OPT_DELETE, NULL, 0, "With --gc: remove it", 0 },
	{ "plan", OPT_PLAN, "GUEST", 0,
	  "Print what mounts a stack: for rumprun, solo5, linux or "
	  "firecracker", 0 },
	{ "kernel", OPT_KERNEL, "FILE", 0,
	  "With --plan=solo5 or firecracker: the guest's kernel", 0 },
	{ NULL, 0, NULL, 0, "How", 2 },
	{ "platform", OPT_PLATFORM, "OS/ARCH[/VARIANT]", 0,
	  "Which image of a multi-platform source", 0 },
	{ "json", OPT_JSON, NULL, 0,
	  "Answer in JSON (--tree: the canonical text of the tree)", 0 },
	{ "quiet", 'q', NULL, 0, "No warnings", 0 },
	{ 0 }
};

struct options {
	struct unik_inspect_options lib;
	const char *targets[2];
	unsigned ntargets;
	unsigned nasked; /* options that say what to tell */
	bool quiet;
};

static void ask(struct options *o, enum unik_inspect_what what)
{
	o->nasked += o->lib.what != what;
	o->lib.what = what;
}

static void check_together(const struct options *o, struct argp_state *state)
{
	const struct unik_inspect_options *lib = &o->lib;
	unsigned want = lib->what == UNIK_INSPECT_DIFF ? 2 : 1;

	if (o->nasked > 1)
		argp_error(state, "one of --tree, --diff, --cat, --graph, --gc "
			   "and --plan at a time");
	if (o->ntargets != want)
		argp_error(state, want == 2 ? "--diff takes two targets"
					    : "one TARGET is needed");
	if (lib->file && !lib->path)
		argp_error(state, "--extract needs --cat=PATH");
	if (lib->remove && lib->what != UNIK_INSPECT_GARBAGE)
		argp_error(state, "--delete needs --gc");
	if (lib->containers && !lib->sharing)
		argp_error(state, "--containers needs --sharing");
	if (lib->kernel && !lib->plan)
		argp_error(state, "--kernel needs --plan");
	if (lib->sharing && lib->what != UNIK_INSPECT_REPORT)
		argp_error(state, "--sharing is for the report of a store");
	if (lib->merged && lib->part)
		argp_error(state, "one part, or all of them merged");
	if (lib->json && (lib->path || lib->what == UNIK_INSPECT_GRAPH))
		argp_error(state, "--cat and --graph have no --json");
}

/* Options that say what to tell. */
static error_t parse_what(int key, char *arg, struct options *o)
{
	struct unik_inspect_options *lib = &o->lib;

	switch (key) {
	case OPT_TREE:
		ask(o, UNIK_INSPECT_TREE);
		lib->part = arg;
		break;
	case OPT_MERGED:
		ask(o, UNIK_INSPECT_TREE);
		lib->merged = true;
		break;
	case OPT_DIFF:
		ask(o, UNIK_INSPECT_DIFF);
		break;
	case OPT_CAT:
		ask(o, UNIK_INSPECT_FILE);
		lib->path = arg;
		break;
	case OPT_GRAPH:
		ask(o, UNIK_INSPECT_GRAPH);
		break;
	case OPT_GC:
		ask(o, UNIK_INSPECT_GARBAGE);
		break;
	case OPT_PLAN:
		ask(o, UNIK_INSPECT_PLAN);
		lib->plan = arg;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	struct unik_inspect_options *lib = &o->lib;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &lib->limits;
		break;
	case OPT_EXTRACT:
		lib->file = arg;
		break;
	case OPT_SHARING:
		lib->sharing = true;
		break;
	case OPT_CONTAINERS:
		lib->containers = parse_between("--containers", arg, 1,
						UINT32_MAX, state);
		break;
	case OPT_DELETE:
		lib->remove = true;
		break;
	case OPT_KERNEL:
		lib->kernel = arg;
		break;
	case OPT_PLATFORM:
		lib->platform = arg;
		break;
	case OPT_JSON:
		lib->json = true;
		break;
	case 'q':
		o->quiet = true;
		break;
	case ARGP_KEY_ARG:
		if (o->ntargets == 2)
			argp_error(state, "too many arguments");
		o->targets[o->ntargets++] = arg;
		break;
	case ARGP_KEY_END:
		check_together(o, state);
		break;
	default:
		return parse_what(key, arg, o);
	}
	return 0;
}

static void on_warn(void *data, const char *text)
{
	const struct options *o = data;

	if (!o->quiet)
		say_warning(text);
}

static int on_write(void *data, const void *bytes, size_t n)
{
	(void)data;
	return fwrite(bytes, 1, n, stdout) != n;
}

int main(int argc, char **argv)
{
	const struct argp_child children[] = {
		{ &limits_argp, 0, NULL, 3 },
		{ 0 }
	};
	const struct argp argp = {
		options, parse, "TARGET\n--diff A B", doc, children, NULL, NULL
	};
	struct options o = { .quiet = false };
	struct unik_err err;
	mode_t mask = umask(0);
	bool differs = false;
	int rc;

	umask(mask);
	common_init();
	limits_options();
	unik_inspect_options_init(&o.lib);
	o.lib.mode = 0666 & ~(unsigned)mask;
	argp_parse(&argp, argc, argv, 0, NULL, &o);
	catch_signals();
	o.lib.target = o.targets[0];
	o.lib.other = o.targets[1];
	o.lib.terminal = isatty(STDOUT_FILENO) == 1;
	o.lib.spool_dir = getenv("TMPDIR");
	if (!o.lib.spool_dir)
		o.lib.spool_dir = "/tmp";
	o.lib.data = &o;
	o.lib.warn = on_warn;
	o.lib.write = on_write;
	o.lib.stop = &interrupted;
	rc = unik_inspect(&o.lib, &differs, &err);
	return finish(rc < 0 ? fail(&err) : differs ? 1 : 0);
}
