/* SPDX-License-Identifier: GPL-3.0-or-later */
/* whiteout: which names are which. */
#include "core.h"
#include "whiteout.h"

static void test_kinds(void)
{
	static const struct {
		const char *name;
		enum unik_wh kind;
	} cases[] = {
		{ "", UNIK_WH_NONE },
		{ "a", UNIK_WH_NONE },
		{ ".wh", UNIK_WH_NONE },
		{ ".Wh.a", UNIK_WH_NONE },
		{ "a.wh.b", UNIK_WH_NONE },
		{ "wh.a", UNIK_WH_NONE },
		{ ".wh-a", UNIK_WH_NONE },
		{ ".wh.", UNIK_WH_BAD },
		{ ".wh..", UNIK_WH_BAD },
		{ ".wh...", UNIK_WH_BAD },
		{ ".wh.a", UNIK_WH_HIDE },
		{ ".wh.....", UNIK_WH_HIDE },
		{ ".wh..a", UNIK_WH_HIDE },
		{ ".wh..wh", UNIK_WH_HIDE },
		{ ".wh.wh.a", UNIK_WH_HIDE },
		{ ".wh..wh.", UNIK_WH_META },
		{ ".wh..wh.aufs", UNIK_WH_META },
		{ ".wh..wh.plnk", UNIK_WH_META },
		{ ".wh..wh.orph", UNIK_WH_META },
		{ ".wh..wh..op", UNIK_WH_META },
		{ ".wh..wh..opq", UNIK_WH_OPAQUE },
		{ ".wh..wh..opqx", UNIK_WH_META },
		{ ".wh..wh..Opq", UNIK_WH_META },
	};
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		size_t n = strlen(cases[i].name);
		char *exact = malloc(n + (n == 0)); /* no NUL to lean on */

		if (!exact)
			die("malloc");
		memcpy(exact, cases[i].name, n);
		ok(unik_whiteout_kind(exact, n) == cases[i].kind, "'%s'",
		   cases[i].name);
		free(exact);
	}
}

int main(void)
{
	test_kinds();
	ok(strcmp(unik_whiteout_hidden(".wh.a"), "a") == 0 &&
		   strcmp(unik_whiteout_hidden(".wh..hidden"), ".hidden") == 0,
	   "what they hide");
	ok(unik_whiteout_kind(".wh.ab", 4) == UNIK_WH_BAD,
	   "only n bytes count");
	return tap_done();
}
