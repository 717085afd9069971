/* SPDX-License-Identifier: GPL-3.0-or-later */
/* limits: the table covers the whole struct; arithmetic that can't wrap. */
#include "core.h"

static void test_table(void)
{
	struct unik_limits limits;
	const struct unik_limit_row *row;
	bool offsets = true, texts = true, values = true;
	size_t n, i, j;

	memset(&limits, 0xff, sizeof(limits));
	unik_limits_init(&limits);
	row = unik_limits_table(&n);
	ok(n * sizeof(uint64_t) == sizeof(limits),
	   "a row for each field of struct unik_limits");
	for (i = 0; i < n; i++) {
		uint64_t v;

		memcpy(&v, (const char *)&limits + row[i].offset, sizeof(v));
		values &= v == row[i].value && v > 0;
		offsets &= row[i].offset == i * sizeof(uint64_t);
		texts &= row[i].name[0] && row[i].unit[0] && row[i].text[0];
		for (j = 0; j < i; j++)
			texts &= strcmp(row[i].name, row[j].name) != 0;
	}
	ok(offsets, "in the order of the fields");
	ok(values, "whose values unik_limits_init() sets");
	ok(texts, "with names, units and texts, no name twice");
}

static void test_arithmetic(void)
{
	static const struct {
		uint64_t a, b;
		bool add, mul;
	} cases[] = {
		{ 0, 0, true, true },
		{ UINT64_MAX, 0, true, true },
		{ UINT64_MAX, 1, false, true },
		{ 1, UINT64_MAX, false, true },
		{ UINT64_MAX, UINT64_MAX, false, false },
		{ UINT64_C(1) << 63, UINT64_C(1) << 63, false, false },
		{ UINT64_C(1) << 32, UINT64_C(1) << 32, true, false },
		{ UINT64_C(0xffffffff), UINT64_C(0x100000001), true, true },
	};
	uint64_t v;
	size_t i;

	for (i = 0; i < COUNT(cases); i++)
		ok(unik_add(cases[i].a, cases[i].b, &v) == cases[i].add &&
			   unik_mul(cases[i].a, cases[i].b, &v) == cases[i].mul,
		   "sum and product of %llx and %llx",
		   (unsigned long long)cases[i].a,
		   (unsigned long long)cases[i].b);
	ok(unik_div_up(0, 5) == 0 && unik_div_up(1, 5) == 1 &&
		   unik_div_up(5, 5) == 1 && unik_div_up(6, 5) == 2 &&
		   unik_div_up(UINT64_MAX, 2) == UINT64_C(1) << 63 &&
		   unik_div_up(UINT64_MAX, UINT64_MAX) == 1,
	   "division rounds up, without a wrap at the top");
}

int main(void)
{
	test_table();
	test_arithmetic();
	return tap_done();
}
