/* SPDX-License-Identifier: GPL-3.0-or-later */
/* inspect: what mounts a stack: which stacks fit, and where the images are. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect_plan_private.h"

size_t plan_nwords(const struct mount_plan *p)
{
	return p->config->entrypoint.n + p->config->cmd.n;
}

const char *plan_word(const struct mount_plan *p, size_t i)
{
	size_t n = p->config->entrypoint.n;

	return i < n ? p->config->entrypoint.v[i] : p->config->cmd.v[i - n];
}

bool plan_has_controls(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	return false;
}

void plan_quote(struct out *o, const char *text)
{
	out_bytes(o, "'", 1);
	for (; *text; text++) {
		if (*text == '\'')
			out_bytes(o, "'\\''", 4);
		else
			out_bytes(o, text, 1);
	}
	out_bytes(o, "'", 1);
}

/* ---- does the stack fit? ---- */

static size_t count_fixed(const struct unik_manifest *m)
{
	size_t i, n = 0;

	for (i = 0; i < m->nstack; i++)
		n += !inspect_is_scratch(&m->stack[i]);
	return n;
}

/* `.wh.` names in the images, which nothing but OCI understands. */
static bool has_literal_whiteouts(const struct unik_manifest *m)
{
	size_t k;

	for (k = 0; k < m->nlayers; k++)
		if (m->layers[k].whiteouts + m->layers[k].opaque > 0)
			return inspect_whiteouts(m) == UNIK_WHITEOUTS_KEEP;
	return false;
}

static int check_netbsd(const struct unik_manifest *m, struct unik_err *err)
{
	if (strcmp(m->target, "rumprun") == 0 || count_fixed(m) <= 1)
		return 0;
	return unik_fail_usage(err, "a stack for %s lacks what a read-only "
			       "union of NetBSD needs: convert with "
			       "--target=rumprun", m->target);
}

static int check_whiteouts(const struct unik_manifest *m, struct unik_err *err)
{
	if (!has_literal_whiteouts(m))
		return 0;
	return unik_fail_usage(err, "a stack for %s keeps whiteouts as files: "
			       "convert with --target=linux or --target=flat",
			       m->target);
}

static const struct {
	const char *how;
	int (*check)(const struct unik_manifest *m, struct unik_err *err);
	int (*put)(const struct mount_plan *p, struct out *o,
		   struct unik_err *err);
} plans[] = {
	{ "rumprun", check_netbsd, plan_rumprun },
	{ "solo5", check_netbsd, plan_solo5 },
	{ "linux", check_whiteouts, plan_linux },
	{ "firecracker", check_whiteouts, plan_firecracker },
};

#define NPLANS (sizeof(plans) / sizeof(plans[0]))

/* ---- the images ---- */

static int find_images(struct mount_plan *p, const struct target *t,
		       struct unik_err *err)
{
	char name[UNIK_IMAGE_NAME];
	char *root = realpath(t->path, NULL);
	size_t i;

	if (!root)
		return unik_fail_sys(err, "can't find '%s'", t->path);
	p->images = calloc(p->m->nstack + 1, sizeof(*p->images));
	for (i = 0; p->images && i < p->m->nstack; i++) {
		const struct unik_stack_image *s = &p->m->stack[i];
		struct plan_image *image = &p->images[i];

		unik_image_name(&s->facts.image, s->format ? s->format
							   : p->m->format,
				name);
		snprintf(image->device, sizeof(image->device), "hda%zu", i + 1);
		image->writable = inspect_is_scratch(s);
		if (asprintf(&image->path, "%s/images/%s", root, name) < 0)
			image->path = NULL;
		if (!image->path)
			break;
		p->nimages++;
		if (unik_store_has_image(t->store, name, s->facts.size,
					 err) != 0) {
			free(root);
			return unik_fail(err, "'%s' is not there, or has "
					 "another size", image->path);
		}
	}
	free(root);
	return p->nimages == p->m->nstack ? 0 : unik_fail_mem(err);
}

static void plan_release(struct mount_plan *p)
{
	size_t i;

	for (i = 0; i < p->nimages; i++)
		free(p->images[i].path);
	free(p->images);
}

static int put_json(const struct mount_plan *p, const char *how, struct out *o)
{
	struct unik_json_out j;
	size_t i;

	inspect_json_begin(&j, "plan");
	unik_json_put_string(&j, "plan", how);
	unik_json_put_string(&j, "ref", p->ref);
	unik_json_put_string(&j, "target", p->m->target);
	unik_json_put_string(&j, "format", p->m->format);
	unik_json_put_array(&j, "images");
	for (i = 0; i < p->nimages; i++) {
		unik_json_put_object(&j, NULL);
		unik_json_put_string(&j, "device", p->images[i].device);
		unik_json_put_string(&j, "path", p->images[i].path);
		unik_json_put_bool(&j, "writable", p->images[i].writable);
		unik_json_put_end(&j);
	}
	unik_json_put_end(&j);
	inspect_json_config(&j, p->config);
	unik_json_put_end(&j);
	return out_json(o, &j);
}

int inspect_plan(struct target *t, struct out *o, struct unik_err *err)
{
	struct mount_plan p = { .opt = t->opt };
	size_t i = 0, n;
	int rc;

	while (i < NPLANS && strcmp(plans[i].how, t->opt->plan) != 0)
		i++;
	if (i == NPLANS)
		return unik_fail_usage(err, "a plan is for rumprun, solo5, "
				       "linux or firecracker");
	if (t->part)
		return unik_fail_usage(err, "a plan is for all parts of a "
				       "stack");
	if (target_need_store(t, err) < 0 || target_stack(t, err) < 0)
		return -1;
	n = strlen(t->ref);
	if (n > 5 && strcmp(t->ref + n - 5, ".json") == 0)
		t->ref[n - 5] = 0;
	p.ref = t->ref;
	p.m = &t->stack->m;
	p.config = &t->stack->m.source->config;
	rc = p.m->nstack > 0 ? plans[i].check(p.m, err)
			     : unik_fail(err, "the stack has no image");
	if (rc == 0)
		rc = find_images(&p, t, err);
	if (rc == 0)
		rc = o->opt->json ? put_json(&p, plans[i].how, o)
				  : plans[i].put(&p, o, err);
	plan_release(&p);
	return rc;
}
