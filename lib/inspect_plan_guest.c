/* SPDX-License-Identifier: GPL-3.0-or-later */
/* inspect: what mounts a stack in unikernels and virtual machines. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect_plan_private.h"

/* What a guest has no place for. */
static void warn_left_out(const struct mount_plan *p, const char *who,
			  bool has_env, bool has_cwd)
{
	const struct unik_image_config *c = p->config;
	char q[UNIK_QUOTE_SIZE];

	if (!has_env && c->env.n > 0)
		inspect_warn(p->opt, "%s has no environment: %zu variable%s "
			     "left out", who, c->env.n,
			     c->env.n == 1 ? "" : "s");
	if (!has_cwd && strcmp(c->cwd, "/") != 0)
		inspect_warn(p->opt, "%s has no working directory: %s left out",
			     who, unik_quote(q, c->cwd, strlen(c->cwd)));
	if (c->user[0] && strcmp(c->user, "root") != 0 &&
	    strcmp(c->user, "0") != 0)
		inspect_warn(p->opt, "%s has no users: %s left out", who,
			     unik_quote(q, c->user, strlen(c->user)));
}

static void warn_scratch(const struct mount_plan *p)
{
	size_t i;

	for (i = 0; i < p->nimages; i++)
		if (p->images[i].writable)
			inspect_warn(p->opt, "%s is a scratch image: give each "
				     "guest a copy of its own",
				     p->images[i].device);
}

/* ---- text that grows ---- */

struct text {
	char *v;
	size_t n;
	size_t room;
	bool failed;
};

static void put(struct text *t, const char *bytes, size_t n)
{
	if (t->room - t->n <= n && !t->failed) {
		size_t room = (t->n + n + 1) * 2;
		char *v = realloc(t->v, room);

		t->failed = !v;
		if (v) {
			t->v = v;
			t->room = room;
		}
	}
	if (t->failed)
		return;
	memcpy(t->v + t->n, bytes, n);
	t->n += n;
	t->v[t->n] = 0;
}

/* ---- rumprun ---- */

/*
 * A word of `cmdline`, as rumprun's parser splits it (lib/librumprun_base/
 * parseargs.c): blanks part words, a backslash takes the next byte as it is,
 * and either quote begins a run in which blanks do not part; but the other
 * quote, inside of one, takes its place, so quotes are always escaped.
 */
static void put_rumprun_word(struct text *t, const char *word)
{
	bool quote = !word[0] || word[strcspn(word, " \t\n")];

	if (t->n > 0)
		put(t, " ", 1);
	if (quote)
		put(t, "'", 1);
	for (; *word; word++) {
		if (strchr("\\'\"", *word))
			put(t, "\\", 1);
		put(t, word, 1);
	}
	if (quote)
		put(t, "'", 1);
}

int plan_rumprun(const struct mount_plan *p, struct out *o,
		 struct unik_err *err)
{
	struct text cmdline = { NULL, 0, 0, false };
	struct unik_json_out j;
	char mount[48];
	size_t i;

	for (i = 0; i < plan_nwords(p); i++)
		put_rumprun_word(&cmdline, plan_word(p, i));
	if (cmdline.failed) {
		free(cmdline.v);
		return unik_fail_mem(err);
	}
	unik_json_out_init(&j);
	unik_json_put_object(&j, NULL);
	unik_json_put_string(&j, "cmdline", cmdline.v ? cmdline.v : "");
	free(cmdline.v);
	/* rumprun takes one string a key, and the key as often as needed. */
	for (i = 0; i < p->config->env.n; i++)
		unik_json_put_string(&j, "env", p->config->env.v[i]);
	unik_json_put_string(&j, "cwd", p->config->cwd);
	unik_json_put_array(&j, "blk");
	for (i = 0; i < p->nimages; i++) {
		snprintf(mount, sizeof(mount), "/var/blk/%s",
			 p->images[i].device);
		unik_json_put_object(&j, NULL);
		unik_json_put_string(&j, "source", "etfs");
		unik_json_put_string(&j, "path", p->images[i].device);
		unik_json_put_string(&j, "fstype", "blk");
		unik_json_put_string(&j, "mountpoint", mount);
		unik_json_put_end(&j);
	}
	unik_json_put_end(&j);
	unik_json_put_end(&j);
	warn_left_out(p, "rumprun", true, true);
	warn_scratch(p);
	return out_json(o, &j);
}

/* ---- solo5 ---- */

static int put_line(struct out *o, const char *text, struct unik_err *err)
{
	char q[UNIK_QUOTE_SIZE];

	if (plan_has_controls(text))
		return unik_fail(err, "%s can't stand in one line",
				 unik_quote(q, text, strlen(text)));
	plan_quote(o, text);
	out_text(o, "\n");
	return 0;
}

/* One word a line, quoted for a shell. */
int plan_solo5(const struct mount_plan *p, struct out *o, struct unik_err *err)
{
	size_t i;

	for (i = 0; i < p->nimages; i++) {
		out_text(o, "--block:%s=", p->images[i].device);
		if (put_line(o, p->images[i].path, err) < 0)
			return -1;
	}
	warn_left_out(p, "solo5", false, false);
	warn_scratch(p);
	if (!p->opt->kernel) {
		if (plan_nwords(p) > 0)
			inspect_warn(p->opt, "entrypoint and arguments are "
				     "left out without --kernel");
		return 0;
	}
	out_text(o, "--\n");
	if (put_line(o, p->opt->kernel, err) < 0)
		return -1;
	/* The first word names the kernel itself. */
	for (i = 1; i < plan_nwords(p); i++)
		if (put_line(o, plan_word(p, i), err) < 0)
			return -1;
	return 0;
}

/* ---- firecracker ---- */

/* Bytes of the kernel's command line on x86 and arm64 (COMMAND_LINE_SIZE). */
#define MAX_BOOT_ARGS 2048

/*
 * A word of the kernel's command line (Linux, lib/cmdline.c, next_arg): double
 * quotes keep blanks together, and nothing escapes a quote.  False: it can't be
 * said.
 */
static bool put_kernel_word(struct text *t, const char *word)
{
	bool quote = !word[0] || word[strcspn(word, " \t\n")];

	if (strchr(word, '"') || plan_has_controls(word))
		return false;
	put(t, " ", 1);
	if (quote)
		put(t, "\"", 1);
	put(t, word, strlen(word));
	if (quote)
		put(t, "\"", 1);
	return true;
}

/* The kernel hands what it does not know to init: NAME=VALUE as environment,
 * what follows "--" as arguments. */
static void put_boot_args(const struct mount_plan *p, struct text *t)
{
	const struct unik_image_config *c = p->config;
	char q[UNIK_QUOTE_SIZE];
	size_t i, n = plan_nwords(p), left_out = 0;

	put(t, "console=ttyS0 reboot=k panic=1", 30);
	if (n > 0 && p->nimages > 0) {
		put(t, " init=", 6);
		if (plan_word(p, 0)[0] != '/' ||
		    plan_word(p, 0)[strcspn(plan_word(p, 0), " \t\n\"")])
			inspect_warn(p->opt, "init=%s is no absolute path "
				     "without blanks",
				     unik_quote(q, plan_word(p, 0),
						strlen(plan_word(p, 0))));
		put(t, plan_word(p, 0), strlen(plan_word(p, 0)));
	}
	for (i = 0; i < c->env.n; i++) {
		/* A dot in the name would make it a module's parameter. */
		size_t name = strcspn(c->env.v[i], "=");

		if (memchr(c->env.v[i], '.', name) ||
		    !put_kernel_word(t, c->env.v[i]))
			left_out++;
	}
	if (n > 1)
		put(t, " --", 3);
	for (i = 1; i < n; i++)
		left_out += !put_kernel_word(t, plan_word(p, i));
	if (left_out > 0)
		inspect_warn(p->opt, "%zu word%s that a kernel's command line "
			     "can't say left out", left_out,
			     left_out == 1 ? "" : "s");
	if (t->n >= MAX_BOOT_ARGS)
		inspect_warn(p->opt, "the boot arguments have %zu bytes, "
			     "kernels take %d", t->n, MAX_BOOT_ARGS - 1);
}

int plan_firecracker(const struct mount_plan *p, struct out *o,
		     struct unik_err *err)
{
	struct text args = { NULL, 0, 0, false };
	struct unik_json_out j;
	size_t i;

	put_boot_args(p, &args);
	if (args.failed) {
		free(args.v);
		return unik_fail_mem(err);
	}
	unik_json_out_init(&j);
	unik_json_put_object(&j, NULL);
	if (p->opt->kernel) {
		unik_json_put_object(&j, "boot-source");
		unik_json_put_string(&j, "kernel_image_path", p->opt->kernel);
		unik_json_put_string(&j, "boot_args", args.v);
		unik_json_put_end(&j);
	}
	free(args.v);
	unik_json_put_array(&j, "drives");
	for (i = 0; i < p->nimages; i++) {
		bool alone = p->nimages == 1 ||
			     (p->nimages == 2 && p->images[1].writable);

		unik_json_put_object(&j, NULL);
		unik_json_put_string(&j, "drive_id", p->images[i].device);
		unik_json_put_string(&j, "path_on_host", p->images[i].path);
		unik_json_put_bool(&j, "is_root_device", alone && i == 0);
		unik_json_put_bool(&j, "is_read_only", !p->images[i].writable);
		unik_json_put_end(&j);
	}
	unik_json_put_end(&j);
	unik_json_put_end(&j);
	warn_left_out(p, "a kernel's command line", true, false);
	warn_scratch(p);
	if (!p->opt->kernel)
		inspect_warn(p->opt, "the boot source is left out without "
			     "--kernel");
	if (p->nimages > 2 || (p->nimages == 2 && !p->images[1].writable))
		inspect_warn(p->opt, "the guest has to mount %zu drives as an "
			     "overlay: --target=flat makes one root device",
			     p->nimages);
	return out_json(o, &j);
}
