/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks that a CPU has just written: which cache still has them. L1 of 8 KiB, L2 of 64 KiB. */
#include "sim/time/fresh.h"

#include <criterion/criterion.h>

static struct machine_cache caches[] = {{.size_bytes = 8192}, {.size_bytes = 65536}};
static const struct machine machine = {.caches = caches, .nr_caches = 2};

static int level(const struct fresh *f, phys_addr_t at)
{
	return fresh_level(f, &machine, at);
}

Test(fresh, nothing_is_at_first)
{
	const struct fresh f = {0};

	cr_expect_eq(level(&f, 0), 2);
}

Test(fresh, a_block_is_nearest_until_others_push_it_out)
{
	struct fresh f = {0};

	fresh_add(&f, 0x10000, 4096);
	cr_expect_eq(level(&f, 0x10000), 0);
	cr_expect_eq(level(&f, 0x10fff), 0);
	cr_expect_eq(level(&f, 0x11000), 2);
	cr_expect_eq(level(&f, 0xffff), 2);
	/* Two more are 12 KiB in all, of which its first line is the oldest. */
	fresh_add(&f, 0x20000, 4096);
	cr_expect_eq(level(&f, 0x10000), 0);
	fresh_add(&f, 0x30000, 4096);
	cr_expect_eq(level(&f, 0x10000), 1);
	cr_expect_eq(level(&f, 0x20000), 0);
	f.filled += 65536;
	cr_expect_eq(level(&f, 0x10000), 2);
}

Test(fresh, of_a_block_larger_than_a_cache_its_end_is_there)
{
	struct fresh f = {0};

	fresh_add(&f, 0, 131072);
	cr_expect_eq(level(&f, 0), 2);
	cr_expect_eq(level(&f, 131072 - 65536), 1);
	cr_expect_eq(level(&f, 131072 - 8192), 0);
}

Test(fresh, so_many_blocks_are_remembered)
{
	struct fresh f = {0};

	for (phys_addr_t i = 0; i <= FRESH_BLOCKS; i++)
		fresh_add(&f, i * 64, 64);
	cr_expect_eq(level(&f, 0), 2);
	cr_expect_eq(level(&f, 64), 0);
}
