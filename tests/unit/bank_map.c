/* SPDX-License-Identifier: Apache-2.0 */
/* Which bank an address is in, with holes and ranges in any order. */
#include <criterion/criterion.h>

#include "sim/time/bank_map.h"

static int nid_at(const struct bank_map *map, phys_addr_t at, size_t *memo)
{
	const struct mm_range *range = bank_map_find(map, at, memo);

	return range ? range->nid : MM_NO_NODE;
}

Test(bank_map, ranges_and_holes)
{
	static const struct mm_range memory[] = {
		{0x8000, 0x1000, 2},
		{0x1000, 0x1000, 0},
		{0x2000, 0x2000, 1},
		{0x6000, 0x1000, 0},
	};
	struct machine m = {.mm = {.memory = memory, .nr_memory = 4}};
	struct bank_map map;
	size_t memo = 0;

	cr_assert_eq(bank_map_init(&map, &m), 0);
	/* Up, down and at random: the memo must not matter. */
	static const struct {
		phys_addr_t at;
		int nid;
	} cases[] = {
		{0, MM_NO_NODE},      {0xfff, MM_NO_NODE},  {0x1000, 0},
		{0x1fff, 0},          {0x2000, 1},          {0x3fff, 1},
		{0x4000, MM_NO_NODE}, {0x6000, 0},          {0x7000, MM_NO_NODE},
		{0x8fff, 2},          {0x9000, MM_NO_NODE}, {UINT64_MAX, MM_NO_NODE},
		{0x1000, 0},          {0x8000, 2},          {0x1fff, 0},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_assert_eq(nid_at(&map, cases[i].at, &memo), cases[i].nid, "case %zu", i);
	bank_map_clear(&map);
}

Test(bank_map, no_memory_at_all)
{
	struct machine m = {0};
	struct bank_map map;
	size_t memo = 0;

	cr_assert_eq(bank_map_init(&map, &m), 0);
	cr_assert_null(bank_map_find(&map, 0, &memo));
	bank_map_clear(&map);
}
