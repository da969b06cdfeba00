/* SPDX-License-Identifier: Apache-2.0 */
/* The hashes behind the readers, against plain arrays. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/trace/livemap.h"
#include "sim/trace/names.h"

#include "../trace_expect.h"

#define NR_PFNS 3000

/*
 * 10^6 random additions, removals and searches over 3000 pfns, near and far: the map starts at 4096
 * slots, so it is often at its fullest and grows, and runs of neighbours wrap around its end.
 */
Test(livemap, agrees_with_an_array)
{
	static struct livemap_entry plain[NR_PFNS];
	static bool live[NR_PFNS];
	struct livemap m;
	uint64_t x = seed();
	size_t nr_live = 0;

	cr_assert_eq(livemap_init(&m), 0);
	for (int i = 0; i < 1000000; i++) {
		unsigned which = next(&x) % NR_PFNS;
		pfn_t pfn = which % 3 ? which : (pfn_t)which << 40;
		struct livemap_entry *found = livemap_find(&m, pfn);

		cr_assert_eq(found != NULL, live[which], "pfn %#llx at step %d",
			     (unsigned long long)pfn, i);
		if (found) {
			cr_assert_eq(found->pfn, pfn);
			cr_assert_eq(found->page, plain[which].page);
			cr_assert_eq(found->order, plain[which].order);
			livemap_remove(&m, found);
		} else {
			plain[which] = (struct livemap_entry){pfn, next(&x), next(&x) % 11};
			cr_assert_eq(livemap_add(&m, &plain[which]), 0);
		}
		live[which] = !found;
		nr_live += found ? -1 : 1;
		cr_assert_eq(m.nr_used, nr_live);
	}
	livemap_clear(&m);
}

Test(livemap, grows)
{
	struct livemap m;

	cr_assert_eq(livemap_init(&m), 0);
	for (uint32_t i = 0; i < 1000000; i++)
		cr_assert_eq(livemap_add(&m, &(struct livemap_entry){i * 512, i, 9}), 0);
	for (uint32_t i = 0; i < 1000000; i++)
		cr_assert_eq(livemap_find(&m, i * 512)->page, i);
	cr_assert_null(livemap_find(&m, 1));
	cr_assert_leq(m.nr_used, (((size_t)1 << m.bits) / 4 * 3));
	livemap_clear(&m);
}

Test(names, keeps_every_name)
{
	struct names n;
	char text[32];

	cr_assert_eq(names_init(&n), 0);
	for (uint32_t i = 0; i < 100000; i++) {
		struct name *name;
		int len = sprintf(text, "page-%x", i);

		cr_assert_null(names_find(&n, text, len));
		name = names_add(&n, text, len);
		cr_assert_not_null(name);
		cr_assert_not(name->live);
		name->page = i;
	}
	for (uint32_t i = 0; i < 100000; i++) {
		int len = sprintf(text, "page-%x", i);

		cr_assert_eq(names_find(&n, text, len)->page, i);
	}
	cr_assert_null(names_find(&n, "page", 4));
	names_clear(&n);
}
