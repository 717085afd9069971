/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * writer_iso: the target of a symlink as SL fields (RRIP 4.1.3).
 *
 * A field holds component records (flags, length, text).  Readers put a '/'
 * between two of them, unless the first one is the root or says that it
 * continues.  What has to read back byte for byte in Linux (rock.c), NetBSD
 * (cd9660_rrip.c), libisofs and libarchive decides the rest:
 *
 *  - A slash that is not alone, or that ends the target ("c//d", "a/"), stays
 *    inside the text of one component.  An empty component would be the form
 *    of the standard; Linux and NetBSD read it, but libisofs drops it.
 *  - A component never ends where its field ends and another field follows: it
 *    is made to continue (perhaps with an empty rest), because libarchive
 *    forgets the '/' between two fields, and all others agree on this form.
 *  - For NetBSD needless slashes are dropped, and "/" is written as "/.": the
 *    root component alone reads as an empty target there.  The path that it
 *    resolves to is the same.
 */
#include <string.h>

#include "iso_held.h"
#include "writer_iso.h"

#define HEAD sizeof(struct rrip_flagged)
#define FIELD_MAX 255u

struct sl {
	struct iso_susp *s;
	uint8_t *field; /* NULL before the first */
};

static void open_field(struct sl *sl)
{
	if (sl->field)
		sl->field[HEAD - 1] = RRIP_CONTINUE;
	sl->field = unik_iso_field(sl->s, "SL", HEAD);
	sl->field[HEAD - 1] = 0;
}

static size_t room(const struct sl *sl)
{
	return FIELD_MAX - sl->field[2];
}

/* Adds a component record; the caller knows that it fits. */
static void put(struct sl *sl, uint8_t flags, const char *text, size_t n)
{
	uint8_t *p = sl->s->bytes + sl->s->n;

	p[0] = flags;
	p[1] = (uint8_t)n;
	memcpy(p + 2, text, n);
	sl->s->n += n + 2;
	sl->field[2] = (uint8_t)(sl->field[2] + n + 2);
}

/* Three bytes must be left for a component to follow. */
static void put_component(struct sl *sl, const char *text, size_t n, bool last)
{
	size_t spare = last ? 0 : 3;
	bool whole = true;

	while (n + 2 + spare > room(sl)) {
		size_t some = room(sl) - 2;

		if (some > n)
			some = n;
		put(sl, RRIP_CONTINUE, text, some);
		open_field(sl);
		text += some;
		n -= some;
		whole = false;
	}
	if (whole && n == 1 && text[0] == '.')
		put(sl, RRIP_CURRENT, "", 0);
	else if (whole && n == 2 && text[0] == '.' && text[1] == '.')
		put(sl, RRIP_PARENT, "", 0);
	else
		put(sl, 0, text, n);
}

/* The length of the component at `text`: up to a single slash with something
 * on both sides, or the end. */
static size_t component(const char *text)
{
	size_t i = 0;

	while (text[i]) {
		size_t run = strspn(text + i, "/");

		if (run == 1 && i > 0 && text[i + 1])
			return i;
		i += run ? run : strcspn(text + i, "/");
	}
	return i;
}

static void put_target(struct sl *sl, const char *target)
{
	open_field(sl);
	if (target[0] == '/') {
		put(sl, RRIP_ROOT, "", 0);
		target++;
	}
	while (*target) {
		size_t n = component(target);

		put_component(sl, target, n, !target[n]);
		target += n + (target[n] != 0);
	}
}

void unik_iso_netbsd_target(const char *target, char *out)
{
	size_t n = 0;

	for (; *target; target++)
		if (*target != '/' || n == 0 || out[n - 1] != '/')
			out[n++] = *target;
	if (n > 1 && out[n - 1] == '/')
		n--;
	if (n == 1 && out[0] == '/')
		out[n++] = '.';
	out[n] = 0;
}

void unik_iso_symlink(struct iso_susp *s, const char *target, bool netbsd)
{
	char plain[ISO_TARGET_MAX + 2];
	struct sl sl = { s, NULL };

	if (netbsd) {
		unik_iso_netbsd_target(target, plain);
		target = plain;
	}
	put_target(&sl, target);
}
