/* SPDX-License-Identifier: GPL-3.0-or-later */
/* inspect: what mounts a stack; what its files share. */
#ifndef UNIK_INSPECT_PLAN_PRIVATE_H
#define UNIK_INSPECT_PLAN_PRIVATE_H

#include "inspect_private.h"

/* One image, bottom to top: `hda1` is the lowest. */
struct plan_image {
	char device[24];
	char *path;    /* absolute */
	bool writable; /* a scratch image: who mounts it needs a copy */
};

struct mount_plan {
	const struct unik_inspect_options *opt;
	const char *ref; /* without ".json" */
	const struct unik_manifest *m;
	const struct unik_image_config *config;
	struct plan_image *images;
	size_t nimages;
};

/* The words of entrypoint and cmd, one after the other. */
size_t plan_nwords(const struct mount_plan *p);
const char *plan_word(const struct mount_plan *p, size_t i);
/* Whether a text has control characters. */
bool plan_has_controls(const char *text);
/* 'text', as a POSIX shell reads it. */
void plan_quote(struct out *o, const char *text);

/* inspect_plan_guest.c: for unikernels and virtual machines. */
int plan_rumprun(const struct mount_plan *p, struct out *o,
		 struct unik_err *err);
int plan_solo5(const struct mount_plan *p, struct out *o, struct unik_err *err);
int plan_firecracker(const struct mount_plan *p, struct out *o,
		     struct unik_err *err);
/* inspect_plan_linux.c */
int plan_linux(const struct mount_plan *p, struct out *o, struct unik_err *err);

#endif
