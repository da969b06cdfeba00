/* SPDX-License-Identifier: Apache-2.0 */
/* Which bank an address is in, with holes and ranges in any order. */
#include <criterion/criterion.h>

#include "sim/machine/hotplug.h"
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

static struct machine_hotplug step(const char *text)
{
	return (struct machine_hotplug){.text = (char *)text};
}

static struct mm_hotplug_step parsed(const char *text)
{
	struct mm_hotplug_step s;
	char wrong[128];

	cr_assert_eq(hotplug_parse(text, &s, wrong, sizeof(wrong)), 0, "%s", wrong);
	return s;
}

/*
 * Steps may add the same memory in other pieces, or to another node once it is gone: it is at the
 * bank of the step that was taken last. In units of 128 MiB, the machine has [0, 2).
 */
Test(bank_map, memory_that_steps_add)
{
	static const struct mm_range memory[] = {{0, 0x10000000, 0}};
	struct machine_hotplug boot[] = {step("add:0x20000000+128M@1")};
	struct machine_hotplug planned[] = {step("add:0x108000000+128M@0"),
					    step("offline:memory33"),
					    step("add:0x100000000+256M@2")};
	struct machine m = {.mm = {.memory = memory, .nr_memory = 1},
			    .hotplug = boot,
			    .nr_hotplug = 1,
			    .planned = planned,
			    .nr_planned = 3};
	struct mm_hotplug_step taken;
	struct bank_map map;
	size_t memo = 0;

	cr_assert_eq(bank_map_init(&map, &m), 0);
	cr_expect_eq(nid_at(&map, 0xfffffff, &memo), 0);
	cr_expect_eq(nid_at(&map, 0x10000000, &memo), MM_NO_NODE);
	cr_expect_eq(nid_at(&map, 0x20000000, &memo), 1);
	cr_expect_neq(nid_at(&map, 0x100000000, &memo), MM_NO_NODE);
	cr_expect_eq(nid_at(&map, 0x110000000, &memo), MM_NO_NODE);
	taken = parsed("add:0x108000000+128M@0");
	bank_map_plug(&map, NULL, &taken);
	cr_expect_eq(nid_at(&map, 0x108000000, &memo), 0);
	taken = parsed("add:0x100000000+256M@2");
	bank_map_plug(&map, NULL, &taken);
	cr_expect_eq(nid_at(&map, 0x100000000, &memo), 2);
	cr_expect_eq(nid_at(&map, 0x10fffffff, &memo), 2);
	cr_expect_eq(nid_at(&map, 0x10000000, &memo), MM_NO_NODE);
	bank_map_clear(&map);
}
