/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pack: what urunc is told of a unikernel: labels, and /urunc.json with the
 * same keys for engines that do not hand labels on, its values in base64
 * (RFC 4648, section 4; urunc, docs/package/index.md).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "pack.h"

#define PREFIX "com.urunc.unikernel."

static const struct {
	const char *type;
	const char *hypervisor; /* by default */
	const char *mount;      /* where its guest mounts a block device */
} known[] = {
	{ "rumprun", "hvt", "/data" }, /* its root is in the kernel */
	{ "mirage", "hvt", "/" },
	{ "unikraft", "qemu", "/" },
	{ "linux", "qemu", "/" },
};

static bool is_word(const char *p, size_t n)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyz0123456789-_";
	size_t i;

	for (i = 0; i < n; i++)
		if (!p[i] || !strchr(chars, p[i]))
			return false;
	return n > 0 && n < UNIK_URUNC_WORD;
}

int unik_urunc_parse(struct unik_urunc *u, const char *text,
		     struct unik_err *err)
{
	size_t n = strcspn(text, ","), i;
	const char *hypervisor = text[n] ? text + n + 1 : NULL;

	if (!is_word(text, n) ||
	    (hypervisor && !is_word(hypervisor, strlen(hypervisor))))
		return unik_fail_usage(err, "urunc: '%s' is not "
				       "TYPE[,HYPERVISOR]", text);
	snprintf(u->type, sizeof(u->type), "%.*s", (int)n, text);
	snprintf(u->hypervisor, sizeof(u->hypervisor), "%s",
		 hypervisor ? hypervisor : "");
	u->mount = "/";
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(known[i].type, u->type) != 0)
			continue;
		u->mount = known[i].mount;
		if (!hypervisor)
			snprintf(u->hypervisor, sizeof(u->hypervisor), "%s",
				 known[i].hypervisor);
	}
	if (!u->hypervisor[0])
		return unik_fail_usage(err, "urunc: no hypervisor is known for "
				       "'%s': say TYPE,HYPERVISOR", u->type);
	return 0;
}

/* ---- texts ---- */

static char *join(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	char *s = malloc(n + m + 1);

	if (s) {
		memcpy(s, a, n);
		memcpy(s + n, b, m + 1);
	}
	return s;
}

/* Entrypoint and command, blanks between. */
static char *command_line(const struct unik_image_config *c)
{
	size_t n = 1, i, used = 0, ne = c->entrypoint.n;
	char *s;

	for (i = 0; i < ne + c->cmd.n; i++)
		n += strlen(i < ne ? c->entrypoint.v[i] : c->cmd.v[i - ne]) + 1;
	s = malloc(n);
	for (i = 0; s && i < ne + c->cmd.n; i++) {
		const char *word = i < ne ? c->entrypoint.v[i]
					  : c->cmd.v[i - ne];

		if (i > 0)
			s[used++] = ' ';
		memcpy(s + used, word, strlen(word));
		used += strlen(word);
	}
	if (s)
		s[used] = 0;
	return s;
}

static char *base64(const char *text)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t n = strlen(text), i;
	char *s = malloc((n + 2) / 3 * 4 + 1), *p = s;

	for (i = 0; s && i < n; i += 3) {
		uint32_t v = (uint32_t)(uint8_t)text[i] << 16;

		if (i + 1 < n)
			v |= (uint32_t)(uint8_t)text[i + 1] << 8;
		if (i + 2 < n)
			v |= (uint8_t)text[i + 2];
		*p++ = digits[v >> 18];
		*p++ = digits[v >> 12 & 63];
		*p++ = i + 1 < n ? digits[v >> 6 & 63] : '=';
		*p++ = i + 2 < n ? digits[v & 63] : '=';
	}
	if (s)
		*p = 0;
	return s;
}

static int make_json(struct unik_urunc *u, struct unik_err *err)
{
	struct unik_json_out o;
	size_t i;
	int rc = 0;

	unik_json_out_init(&o);
	unik_json_put_object(&o, NULL);
	for (i = 0; i < UNIK_URUNC_LABELS && rc == 0; i++) {
		char *text = base64(u->labels[i].value);

		if (!text)
			rc = unik_fail_mem(err);
		else
			unik_json_put_string(&o, u->labels[i].key, text);
		free(text);
	}
	unik_json_put_end(&o);
	if (rc == 0)
		rc = unik_json_out_take(&o, &u->json, &u->json_size, err);
	unik_json_out_release(&o);
	return rc;
}

int unik_urunc_make(struct unik_urunc *u, const struct unik_image_config *c,
		    const char *kernel, const char *image, struct unik_err *err)
{
	u->binary = join("/", kernel);
	u->block = join("/", image);
	u->cmdline = command_line(c);
	if (!u->binary || !u->block || !u->cmdline)
		return unik_fail_mem(err);
	u->labels[0] = (struct unik_pack_label){ PREFIX "binary", u->binary };
	/* A device without a mount point is an error there. */
	u->labels[1] = (struct unik_pack_label){ PREFIX "blkMntPoint",
						 u->mount };
	u->labels[2] = (struct unik_pack_label){ PREFIX "block", u->block };
	u->labels[3] = (struct unik_pack_label){ PREFIX "cmdline", u->cmdline };
	u->labels[4] = (struct unik_pack_label){ PREFIX "hypervisor",
						 u->hypervisor };
	u->labels[5] = (struct unik_pack_label){ PREFIX "mountRootfs",
						 "false" };
	u->labels[6] = (struct unik_pack_label){ PREFIX "unikernelType",
						 u->type };
	return make_json(u, err);
}

void unik_urunc_release(struct unik_urunc *u)
{
	free(u->binary);
	free(u->block);
	free(u->cmdline);
	free(u->json);
}
