/* SPDX-License-Identifier: GPL-3.0-or-later */
/* unik-verify: are sources, stores and images what they claim to be? */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common.h"

enum {
	OPT_SOURCE = OPT_FIRST,
	OPT_PLATFORM,
	OPT_LAYER,
	OPT_SEMANTIC,
	OPT_QUICK,
	OPT_JSON,
};

static const char doc[] =
	"Check sources, stores and filesystem images."
	"\vTARGET is a source as unik-convert takes it; a store, or one name "
	"of it (STORE[:NAME]); or an image file. Every claim is a line: PASS, "
	"FAIL or SKIP, then `identity` (names are digests, sizes and "
	"references are right), `faithful` (the source gives the very same "
	"again) or `intact` (the image is whole in itself), then the object, "
	"and what was compared.\n"
	"Exit status: 0 nothing failed, 1 something did, 2 usage, 3 something "
	"could not be checked (and nothing failed).";

static const struct argp_option options[] = {
	{ "source", OPT_SOURCE, "SOURCE", 0,
	  "What TARGET was made from: derive it again and compare", 0 },
	{ "platform", OPT_PLATFORM, "OS/ARCH[/VARIANT]", 0,
	  "Which image of a multi-platform source", 0 },
	{ "layer", OPT_LAYER, "N", 0,
	  "Which layer of the source is in the image file, from 0", 0 },
	{ "target", 't', "TARGET", 0,
	  "Whom the image file was made for: oci (default), linux, rumprun or "
	  "flat", 0 },
	{ "semantic", OPT_SEMANTIC, NULL, 0,
	  "Compare trees entry by entry, not bytes: for images of other tools",
	  0 },
	{ "quick", OPT_QUICK, NULL, 0,
	  "Only names, sizes and heads; contents are not read", 0 },
	{ "jobs", 'j', "N", 0,
	  "Objects checked side by side (default: the CPUs online)", 0 },
	{ "json", OPT_JSON, NULL, 0,
	  "A JSON object for each claim, one line each", 0 },
	{ "quiet", 'q', NULL, 0, "Print only what failed", 0 },
	{ 0 }
};

struct options {
	struct unik_verify_options lib;
	struct unik_verify_counts counts;
	char **targets; /* points into argv */
	int ntargets;
	bool json;
	bool quiet;
	bool no_memory;
};

static void check_together(const struct options *o, struct argp_state *state)
{
	const struct unik_verify_options *lib = &o->lib;
	bool standard = lib->source && strcmp(lib->source, "-") == 0;
	int i;

	for (i = 0; i < o->ntargets; i++) {
		if (strcmp(o->targets[i], "-") != 0)
			continue;
		if (standard)
			argp_error(state, "standard input is wanted twice");
		standard = true;
	}
	if (lib->source && strcmp(lib->source, "-") == 0 && o->ntargets > 1)
		argp_error(state, "--source=- is read once: for one TARGET");
	if (!lib->source && (lib->semantic || lib->has_layer ||
			     lib->for_target))
		argp_error(state, "--semantic, --layer and --target want "
			   "--source");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->lib.limits;
		break;
	case 'j':
		o->lib.jobs = (unsigned)parse_between("-j", arg, 1, 1024,
						    state);
		break;
	case 'q':
		o->quiet = true;
		break;
	case 't':
		o->lib.for_target = arg;
		break;
	case OPT_SOURCE:
		o->lib.source = arg;
		break;
	case OPT_PLATFORM:
		o->lib.platform = arg;
		break;
	case OPT_LAYER:
		o->lib.layer = (size_t)parse_between("--layer", arg, 0, 65535,
						     state);
		o->lib.has_layer = true;
		break;
	case OPT_SEMANTIC:
		o->lib.semantic = true;
		break;
	case OPT_QUICK:
		o->lib.quick = true;
		break;
	case OPT_JSON:
		o->json = true;
		break;
	case ARGP_KEY_ARGS:
		o->targets = state->argv + state->next;
		o->ntargets = state->argc - state->next;
		break;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "TARGET is needed");
		break;
	case ARGP_KEY_END:
		check_together(o, state);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

/* ---- callbacks ---- */

static void on_warn(void *data, const char *text)
{
	const struct options *o = data;

	if (!o->quiet)
		say_warning(text);
}

static void print_json(struct options *o, const struct unik_finding *f)
{
	struct unik_err err;
	char *text = NULL;
	size_t size;

	if (unik_finding_json(f, &text, &size, &err) < 0) {
		o->no_memory = true;
		return;
	}
	fwrite(text, 1, size, stdout);
	free(text);
}

static void print_finding(const struct options *o, const struct unik_finding *f)
{
	size_t i;

	printf("%s %-8s ", unik_verdict_name(f->verdict),
	       unik_claim_name(f->claim));
	if (o->ntargets > 1) {
		put_clean(f->target);
		fputs(": ", stdout);
	}
	put_clean(f->object);
	fputs(": ", stdout);
	put_clean(f->text);
	putchar('\n');
	for (i = 0; i < f->ndetails; i++) {
		fputs("     ", stdout);
		put_clean(f->details[i]);
		putchar('\n');
	}
}

static void on_finding(void *data, const struct unik_finding *f)
{
	struct options *o = data;

	if (f->verdict == UNIK_UNCHECKED)
		fprintf(stderr, "%s: could not check %s: %s\n",
			program_invocation_short_name, f->object, f->text);
	if (o->quiet && (f->verdict == UNIK_PASS || f->verdict == UNIK_SKIP))
		return;
	if (o->json)
		print_json(o, f);
	else if (f->verdict != UNIK_UNCHECKED)
		print_finding(o, f);
}

/* ---- all of it ---- */

static void print_sum(const struct options *o)
{
	const struct unik_verify_counts *c = &o->counts;

	if (o->json || o->quiet)
		return;
	printf("%" PRIu64 " PASS, %" PRIu64 " FAIL, %" PRIu64 " SKIP", c->pass,
	       c->fail, c->skip);
	if (c->unchecked)
		printf(", %" PRIu64 " not checked", c->unchecked);
	putchar('\n');
}

/* What failed wins over what could not be checked. */
static int status_of(const struct options *o, int status)
{
	return status == 2 ? 2 : o->counts.fail ? 1 : status;
}

static int verify_all(struct options *o)
{
	struct unik_err err;
	int i;

	for (i = 0; i < o->ntargets; i++) {
		o->lib.target = o->targets[i];
		if (unik_verify(&o->lib, &o->counts, &err) < 0)
			return status_of(o, fail(&err));
	}
	print_sum(o);
	if (o->no_memory)
		say("out of memory");
	return status_of(o, o->no_memory || o->counts.unchecked ? 3 : 0);
}

int main(int argc, char **argv)
{
	const struct argp_child children[] = {
		{ &limits_argp, 0, NULL, 0 },
		{ 0 }
	};
	const struct argp argp = {
		options, parse, "TARGET...", doc, children, NULL, NULL
	};
	struct options o = { 0 };
	const char *tmp = getenv("TMPDIR");
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	common_init();
	limits_options();
	unik_verify_options_init(&o.lib);
	o.lib.jobs = cpus > 0 ? (unsigned)cpus : 1;
	if (tmp && tmp[0])
		o.lib.spool_dir = tmp;
	argp_parse(&argp, argc, argv, 0, NULL, &o);
	catch_signals();
	o.lib.data = &o;
	o.lib.warn = on_warn;
	o.lib.finding = on_finding;
	o.lib.stop = &interrupted;
	return finish(verify_all(&o));
}
