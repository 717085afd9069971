/* SPDX-License-Identifier: GPL-3.0-or-later */
/* inspect: a shell script that mounts a stack with loop devices and overlayfs
 * (Linux, Documentation/filesystems/overlayfs.rst). */
#include <string.h>

#include "inspect_plan_private.h"

/* What comes before the images.  The layers' directories have short names
 * beside each other, and the mount is made from there: options of a mount end
 * at a page, and a path may hold colons and commas. */
static const char head[] =
"set -eu\n"
"PATH=$PATH:/usr/sbin:/sbin\n"
"usage() {\n"
"\techo \"usage: sh $0 mount|umount DIR | run DIR [ARG...]\" >&2\n"
"\texit 2\n"
"}\n"
"[ $# -ge 2 ] || usage\n"
"action=$1 dir=$2\n"
"shift 2\n"
"mkdir -p -- \"$dir\"\n"
"dir=$(cd -- \"$dir\" && pwd -P)\n"
"state=$dir.layers lower='' i=0\n"
"\n"
"attach() { # FILE [OPTION]: a loop device; others may be quicker\n"
"\tfor _ in 1 2 3 4 5 6 7 8 9; do\n"
"\t\tif device=$(losetup --find --show ${2:+\"$2\"} \"$1\"); then\n"
"\t\t\treturn 0\n"
"\t\tfi\n"
"\t\tsleep 0.2\n"
"\tdone\n"
"\treturn 1\n"
"}\n"
"layer() { # FILE: the next one up\n"
"\tattach \"$1\" --read-only\n"
"\tmkdir \"$state/$i\"\n"
"\tmount -o ro \"$device\" \"$state/$i\"\n"
"\tlosetup --detach \"$device\" # once it is unmounted\n"
"\tdevice=''\n"
"\tlower=$i${lower:+:$lower} # the topmost first\n"
"\ti=$((i + 1))\n"
"}\n"
"scratch() { # FILE: changes go to a copy of it, which is kept\n"
"\tcopy=$dir.scratch\n"
"\tif [ ! -e \"$copy\" ]; then\n"
"\t\tcp --sparse=always \"$1\" \"$copy.new\"\n"
"\t\tchmod 600 \"$copy.new\"\n"
"\t\tmv \"$copy.new\" \"$copy\"\n"
"\tfi\n"
"\tattach \"$copy\"\n"
"\tmkdir \"$state/rw\"\n"
"\tmount \"$device\" \"$state/rw\"\n"
"\tlosetup --detach \"$device\"\n"
"\tdevice=''\n"
"\tmkdir -p \"$state/rw/upper\" \"$state/rw/work\"\n"
"}\n"
"down() {\n"
"\tif mountpoint -q \"$dir\"; then\n"
"\t\tumount \"$dir\" || return 1\n"
"\tfi\n"
"\tfor d in \"$state\"/*; do\n"
"\t\tif mountpoint -q \"$d\"; then\n"
"\t\t\tumount \"$d\" || return 1\n"
"\t\tfi\n"
"\t\t[ ! -d \"$d\" ] || rmdir \"$d\" || return 1\n"
"\tdone\n"
"\t[ ! -d \"$state\" ] || rmdir \"$state\"\n"
"}\n"
"failed() {\n"
"\t[ -z \"${device:-}\" ] || losetup --detach \"$device\" || :\n"
"\tdown || :\n"
"\techo \"$0: '$dir' is not mounted\" >&2\n"
"}\n"
"up() {\n"
"\tmkdir \"$state\"\n"
"\ttrap failed EXIT\n"
"\ttrap 'exit 1' HUP INT TERM\n";

/* What comes behind them. */
static const char tail[] =
"\tcase $lower in\n"
"\t*:*) ;;\n"
"\t*) # overlayfs wants two\n"
"\t\tmkdir \"$state/empty\"\n"
"\t\tlower=$lower:empty ;;\n"
"\tesac\n"
"\tcd \"$state\"\n"
"\tif [ -d rw ]; then\n"
"\t\ttop=${lower%%:*}\n"
"\t\tchown --reference=\"$top\" rw/upper\n"
"\t\tchmod --reference=\"$top\" rw/upper\n"
"\t\ttouch --no-create --reference=\"$top\" rw/upper\n"
"\t\tmount -t overlay -o \\\n"
"\t\t\t\"lowerdir=$lower,upperdir=rw/upper,workdir=rw/work\" \\\n"
"\t\t\toverlay \"$dir\"\n"
"\telse\n"
"\t\tmount -t overlay -o \"ro,lowerdir=$lower\" overlay \"$dir\"\n"
"\tfi\n"
"\tcd /\n"
"\ttrap - EXIT HUP INT TERM\n"
"}\n";

static const char run_head[] =
"run() {\n"
"\tunshare=$(command -v unshare)\n"
"\tup\n"
"\ttrap down EXIT\n"
"\ttrap 'exit 1' HUP INT TERM\n";

static const char last[] =
"case $action in\n"
"mount) up ;;\n"
"umount) down ;;\n"
"run) run \"$@\" ;;\n"
"*) usage ;;\n"
"esac\n";

/* ---- words ---- */

/* A word of the script: quoted, or, where it holds control characters, made by
 * printf (the dot keeps newlines at its end, and is cut off). */
static void put_variable(struct out *o, const char *name, size_t i,
			 const char *text)
{
	if (!plan_has_controls(text))
		return;
	out_text(o, "%s%zu=$(printf '", name, i);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c == 0x7f || c == '\'' || c == '\\' || c == '%')
			out_text(o, "\\%03o", c);
		else
			out_bytes(o, text, 1);
	}
	out_text(o, ".')\n%s%zu=${%s%zu%%.}\n", name, i, name, i);
}

static void put_word(struct out *o, const char *name, size_t i,
		     const char *text)
{
	if (plan_has_controls(text))
		out_text(o, "\"$%s%zu\"", name, i);
	else
		plan_quote(o, text);
}

static void put_variables(const struct mount_plan *p, struct out *o)
{
	size_t i;

	for (i = 0; i < p->nimages; i++)
		put_variable(o, "image", i, p->images[i].path);
	for (i = 0; i < p->config->env.n; i++)
		put_variable(o, "env", i, p->config->env.v[i]);
	for (i = 0; i < plan_nwords(p); i++)
		put_variable(o, "word", i, plan_word(p, i));
	put_variable(o, "cwd", 0, p->config->cwd);
	put_variable(o, "user", 0, p->config->user);
}

/* ---- the entrypoint ---- */

/* USER[:GROUP], by name or number, in the container's own files. */
static void put_user(const struct mount_plan *p, struct out *o)
{
	if (!p->config->user[0])
		return;
	out_text(o, "\tuser=");
	put_word(o, "user", 0, p->config->user);
	out_text(o, "\n"
		 "\tgroup=${user#*:}\n"
		 "\t[ \"$group\" != \"$user\" ] || group=\n"
		 "\tuser=${user%%%%:*}\n"
		 "\tuid=$(lookup passwd \"$user\" 3 \"$user\")\n"
		 "\tif [ -n \"$group\" ]; then\n"
		 "\t\tgid=$(lookup group \"$group\" 3 \"$group\")\n"
		 "\telse\n"
		 "\t\tgid=$(lookup passwd \"$user\" 4 0)\n"
		 "\tfi\n");
}

static const char lookup[] =
"lookup() { # FILE NAME FIELD DEFAULT\n"
"\tfound=$(N=$2 awk -F: -v f=\"$3\" \\\n"
"\t\t'$1 == ENVIRON[\"N\"] || $3 == ENVIRON[\"N\"] { print $f; exit }' \\\n"
"\t\t\"$dir/etc/$1\" 2>/dev/null || :)\n"
"\techo \"${found:-$4}\"\n"
"}\n";

/* The words of cmd give way to arguments of the script, as an engine's do. */
static void put_run(const struct mount_plan *p, struct out *o)
{
	size_t i, n = p->config->entrypoint.n;

	if (p->config->user[0])
		out_bytes(o, lookup, sizeof(lookup) - 1);
	out_bytes(o, run_head, sizeof(run_head) - 1);
	if (p->config->cmd.n > 0) {
		out_text(o, "\t[ $# -gt 0 ] || set --");
		for (i = n; i < plan_nwords(p); i++) {
			out_text(o, " ");
			put_word(o, "word", i, plan_word(p, i));
		}
		out_text(o, "\n");
	}
	if (n > 0) {
		out_text(o, "\tset --");
		for (i = 0; i < n; i++) {
			out_text(o, " ");
			put_word(o, "word", i, plan_word(p, i));
		}
		out_text(o, " \"$@\"\n");
	}
	out_text(o, "\tif [ $# = 0 ]; then\n"
		 "\t\techo \"$0: the image names no program\" >&2\n"
		 "\t\texit 2\n"
		 "\tfi\n");
	put_user(p, o);
	out_text(o, "\tenv -i");
	for (i = 0; i < p->config->env.n; i++) {
		out_text(o, " \\\n\t\t");
		put_word(o, "env", i, p->config->env.v[i]);
	}
	out_text(o, " \\\n\t\t\"$unshare\" --root=\"$dir\" --wd=");
	put_word(o, "cwd", 0, p->config->cwd);
	if (p->config->user[0])
		out_text(o, " \\\n\t\t--setgid=\"$gid\" --setuid=\"$uid\"");
	out_text(o, " \\\n\t\t-- \"$@\"\n}\n");
}

int plan_linux(const struct mount_plan *p, struct out *o, struct unik_err *err)
{
	size_t i;

	(void)err;
	out_text(o, "#!/bin/sh\n# Mounts ");
	out_clean(o, p->ref);
	out_text(o, ", a stack of unik; made by unik-inspect --plan=linux.\n");
	out_bytes(o, head, strcspn(head, "\n") + 1);
	put_variables(p, o);
	out_bytes(o, head + strcspn(head, "\n") + 1,
		  sizeof(head) - 2 - strcspn(head, "\n"));
	for (i = 0; i < p->nimages; i++) {
		out_text(o, p->images[i].writable ? "\tscratch " : "\tlayer ");
		put_word(o, "image", i, p->images[i].path);
		out_text(o, "\n");
	}
	out_bytes(o, tail, sizeof(tail) - 1);
	put_run(p, o);
	out_bytes(o, last, sizeof(last) - 1);
	return o->failed ? -1 : 0;
}
