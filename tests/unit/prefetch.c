/* SPDX-License-Identifier: Apache-2.0 */
/* The stream prefetcher: which misses it has seen coming. Lines of 64 B, 64 a page. */
#include "sim/time/prefetch.h"

#include <criterion/criterion.h>

static bool miss(struct prefetcher *p, uint64_t line)
{
	return prefetcher_miss(p, line, 64);
}

Test(prefetch, two_misses_near_each_other_start_a_stream)
{
	struct prefetcher p;

	cr_assert_eq(prefetcher_init(&p, 4), 0);
	cr_expect(!miss(&p, 640));
	cr_expect(!miss(&p, 641));
	cr_expect(miss(&p, 642));
	cr_expect(miss(&p, 640 + 22));
	/* 21 lines on: too far. */
	cr_expect(!miss(&p, 640 + 43));
	prefetcher_clear(&p);
}

Test(prefetch, a_page_ends_it)
{
	struct prefetcher p;

	cr_assert_eq(prefetcher_init(&p, 4), 0);
	for (uint64_t line = 640; line < 704; line++)
		cr_expect_eq(miss(&p, line), line >= 642, "line %d", (int)line);
	cr_expect(!miss(&p, 704));
	prefetcher_clear(&p);
}

/* One stream more than it can follow, in turn: each is forgotten before it comes again. */
Test(prefetch, it_follows_so_many)
{
	struct prefetcher p;

	cr_assert_eq(prefetcher_init(&p, 2), 0);
	for (uint64_t i = 0; i < 4; i++)
		for (uint64_t page = 0; page < 2; page++)
			cr_expect_eq(miss(&p, page * 64 + i), i >= 2);
	for (uint64_t i = 0; i < 4; i++)
		for (uint64_t page = 10; page < 13; page++)
			cr_expect(!miss(&p, page * 64 + i));
	prefetcher_clear(&p);
}

Test(prefetch, none)
{
	struct prefetcher p;

	cr_assert_eq(prefetcher_init(&p, 0), 0);
	for (uint64_t line = 0; line < 4; line++)
		cr_expect(!miss(&p, line));
	prefetcher_clear(&p);
}
