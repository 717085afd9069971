/* SPDX-License-Identifier: GPL-3.0-or-later */
/* verify: findings. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "verify_private.h"

#define SCHEMA "unik.verify.v1"

const char *unik_claim_name(enum unik_claim claim)
{
	static const char *const names[] = { "identity", "faithful", "intact" };

	return names[claim];
}

const char *unik_verdict_name(enum unik_verdict verdict)
{
	static const char *const names[] = { "PASS", "FAIL", "SKIP",
					     "UNCHECKED" };

	return names[verdict];
}

/* ---- collecting ---- */

static struct finding *add(struct findings *f)
{
	if (f->n == f->room) {
		size_t room = f->room ? f->room * 2 : 4;
		struct finding *v = realloc(f->v, room * sizeof(*v));

		if (!v) {
			f->no_memory = true;
			return NULL;
		}
		f->v = v;
		f->room = room;
	}
	memset(&f->v[f->n], 0, sizeof(*f->v));
	return &f->v[f->n++];
}

void verify_put(struct findings *f, enum unik_claim claim,
		enum unik_verdict verdict, const char *object, const char *fmt,
		...)
{
	struct finding *one = add(f);
	char text[2048];
	va_list ap;

	if (!one)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	one->claim = claim;
	one->verdict = verdict;
	one->object = strdup(object);
	one->text = strdup(text);
	if (!one->object || !one->text)
		f->no_memory = true;
}

bool verify_is_wrong(const struct unik_err *err)
{
	switch (err->sys) {
	case ENOENT:  /* a missing file is wrong, */
	case ENOTDIR:
	case ELOOP:   /* so is a symlink where none belongs */
	case EISDIR:
	case ENXIO:
		return true;
	default:
		return err->code == UNIK_EBAD;
	}
}

void verify_put_err(struct findings *f, enum unik_claim claim,
		    const char *object, const struct unik_err *err)
{
	verify_put(f, claim, verify_is_wrong(err) ? UNIK_FAIL : UNIK_UNCHECKED,
		   object, "%s", err->msg);
}

void verify_detail(struct findings *f, size_t i, const char *text)
{
	struct finding *one = i < f->n ? &f->v[i] : NULL;
	char **p;

	if (!one || one->ndetails == MAX_DETAILS)
		return;
	p = realloc(one->details, (one->ndetails + 1) * sizeof(*p));
	if (p) {
		one->details = p;
		p[one->ndetails] = strdup(text);
	}
	if (p && p[one->ndetails])
		one->ndetails++;
	else
		f->no_memory = true;
}

static void finding_release(struct finding *one)
{
	size_t i;

	for (i = 0; i < one->ndetails; i++)
		free(one->details[i]);
	free(one->details);
	free(one->object);
	free(one->text);
}

void findings_release(struct findings *f)
{
	size_t i;

	for (i = 0; i < f->n; i++)
		finding_release(&f->v[i]);
	free(f->v);
	memset(f, 0, sizeof(*f));
}

/* ---- handing on ---- */

static void count(struct unik_verify_counts *c, enum unik_verdict verdict)
{
	switch (verdict) {
	case UNIK_PASS:
		c->pass++;
		break;
	case UNIK_FAIL:
		c->fail++;
		break;
	case UNIK_SKIP:
		c->skip++;
		break;
	case UNIK_UNCHECKED:
		c->unchecked++;
		break;
	}
}

int verify_emit(struct verify *v, struct findings *f, struct unik_err *err)
{
	bool whole = !f->no_memory;
	size_t i;

	for (i = 0; i < f->n && whole; i++) {
		const struct finding *one = &f->v[i];
		const struct unik_finding out = {
			.claim = one->claim,
			.verdict = one->verdict,
			.target = v->opt->target,
			.object = one->object,
			.text = one->text,
			.details = (const char *const *)one->details,
			.ndetails = one->ndetails,
		};

		count(v->counts, one->verdict);
		v->opt->finding(v->opt->data, &out);
	}
	findings_release(f);
	return whole ? 0 : unik_fail_mem(err);
}

/* ---- json ---- */

int unik_finding_json(const struct unik_finding *f, char **text, size_t *size,
		      struct unik_err *err)
{
	struct unik_json_out o;
	size_t i;
	int rc;

	unik_json_out_init(&o);
	unik_json_put_object(&o, NULL);
	unik_json_put_string(&o, "schema", SCHEMA);
	unik_json_put_string(&o, "target", f->target);
	unik_json_put_string(&o, "object", f->object);
	unik_json_put_string(&o, "claim", unik_claim_name(f->claim));
	unik_json_put_string(&o, "verdict", unik_verdict_name(f->verdict));
	unik_json_put_string(&o, "text", f->text);
	unik_json_put_array(&o, "details");
	for (i = 0; i < f->ndetails; i++)
		unik_json_put_string(&o, NULL, f->details[i]);
	unik_json_put_end(&o);
	unik_json_put_end(&o);
	rc = unik_json_out_take(&o, text, size, err);
	unik_json_out_release(&o);
	if (rc == 0)
		(*text)[(*size)++] = '\n'; /* in the place of the NUL */
	return rc;
}
