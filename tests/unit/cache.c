/* SPDX-License-Identifier: Apache-2.0 */
/* Hits, evictions, staleness and write-backs of the caches, on small ones made by hand. */
#include <criterion/criterion.h>

#include "sim/time/cache.h"
#include "tests/machine_builder.h"

#define READ  false
#define WRITE true

static struct machine *m;
static struct cache *c;

static void set_up(void)
{
	m = build_machine(2, 2);
}

static void tear_down(void)
{
	cache_free(c);
	built_free(m);
}

TestSuite(cache, .init = set_up, .fini = tear_down);

static struct cache_result access_line(int cpu, uint64_t line, bool write)
{
	struct cache_result result;

	cr_assert_eq(cache_access(c, cpu, line, write, &result), 0);
	return result;
}

static int level_of(int cpu, uint64_t line, bool write)
{
	return access_line(cpu, line, write).level;
}

Test(cache, none_in_a_machine_without)
{
	cr_assert_eq(cache_create(m, &c), 0);
	cr_assert_null(c);
}

Test(cache, hits_after_the_first)
{
	build_cache(m, 1024, 4, 1000, false);
	cr_assert_eq(cache_create(m, &c), 0);
	cr_assert_eq(level_of(0, 5, READ), 1);
	cr_assert_eq(level_of(0, 5, READ), 0);
	cr_assert_eq(level_of(0, 5, WRITE), 0);
	cr_assert_eq(level_of(0, 5, READ), 0, "its own write does not make it stale");
	cr_assert_eq(level_of(1, 5, READ), 1, "not the cache of CPU 0");
}

/* 4 sets of 2 ways. Lines 0, 4 and 8 share a set: the least recently used one goes. */
Test(cache, evicts_the_least_recently_used)
{
	build_cache(m, 8 * 64, 2, 1000, false);
	cr_assert_eq(cache_create(m, &c), 0);
	level_of(0, 0, READ);
	level_of(0, 4, READ);
	level_of(0, 0, READ);
	level_of(0, 8, READ);
	cr_assert_eq(level_of(0, 0, READ), 0);
	cr_assert_eq(level_of(0, 8, READ), 0);
	cr_assert_eq(level_of(0, 1, READ), 1, "another set");
	cr_assert_eq(level_of(0, 0, READ), 0);
	cr_assert_eq(level_of(0, 4, READ), 1, "4 was the one that went");
}

/* 8 lines fit, read round and round: all hit. 9 by LRU in one set: none does. */
Test(cache, capacity)
{
	build_cache(m, 8 * 64, 8, 1000, false);
	cr_assert_eq(cache_create(m, &c), 0);
	for (uint64_t i = 0; i < 24; i++)
		cr_assert_eq(level_of(0, i % 8, READ), i < 8);
	for (uint64_t i = 0; i < 27; i++)
		if (i >= 9)
			cr_assert_eq(level_of(1, i % 9, READ), 1);
		else
			level_of(1, i, READ);
	cr_assert_eq(cache_nr_lines(c), 9, "8 held by CPU 1, of which CPU 0 lacks one, and 1 more");
}

Test(cache, stale_after_a_write_elsewhere)
{
	build_cache(m, 1024, 4, 1000, false);
	cr_assert_eq(cache_create(m, &c), 0);
	level_of(0, 5, READ);
	level_of(1, 5, READ);
	level_of(1, 5, WRITE);
	cr_assert_eq(level_of(0, 5, READ), 1);
	cr_assert_eq(level_of(0, 5, READ), 0);
	cr_assert_eq(level_of(1, 5, READ), 0, "a read elsewhere takes nothing away");
	cr_assert_eq(level_of(0, 5, WRITE), 0);
	cr_assert_eq(level_of(1, 5, WRITE), 1);
}

/* A private level and one that the node shares: CPUs 0 and 1 on node 0, CPU 2 on node 1. */
Test(cache, a_node_shares_its_level)
{
	build_cache(m, 1024, 4, 1000, false);
	build_cache(m, 8192, 8, 9000, true);
	cr_assert_eq(cache_create(m, &c), 0);
	cr_assert_eq(level_of(0, 5, READ), 2);
	cr_assert_eq(level_of(1, 5, READ), 1, "the node has it");
	cr_assert_eq(level_of(1, 5, READ), 0);
	cr_assert_eq(level_of(2, 5, READ), 2, "the other node does not");
	cr_assert_eq(level_of(1, 5, WRITE), 0);
	cr_assert_eq(level_of(0, 5, READ), 1, "stale at CPU 0, not in the level they share");
	cr_assert_eq(level_of(2, 5, READ), 2, "stale in both levels of the other node");
}

/* What falls out of the near level is still in the far one. */
Test(cache, far_level_catches_evictions)
{
	build_cache(m, 2 * 64, 2, 1000, false);
	build_cache(m, 8 * 64, 8, 5000, false);
	cr_assert_eq(cache_create(m, &c), 0);
	for (uint64_t line = 0; line < 4; line++)
		cr_assert_eq(level_of(0, line, READ), 2);
	cr_assert_eq(level_of(0, 0, READ), 1);
	cr_assert_eq(level_of(0, 0, READ), 0);
}

/* One set of two ways in the last level. A clean line just goes, a modified one is written back,
 * and once. */
Test(cache, writes_back_what_was_modified)
{
	struct cache_result r;

	build_cache(m, 2 * 64, 2, 1000, false);
	cr_assert_eq(cache_create(m, &c), 0);
	level_of(0, 1, READ);
	level_of(0, 2, WRITE);
	cr_assert_not(access_line(0, 3, READ).wrote_back, "1 was clean");
	r = access_line(0, 4, READ);
	cr_assert(r.wrote_back);
	cr_assert_eq(r.victim, 2);
	level_of(0, 2, READ);
	level_of(0, 5, READ);
	cr_assert_not(access_line(0, 6, READ).wrote_back, "2 is clean again");
}

/* CPU 0's copy of a line that CPU 1 wrote later is not what memory needs. */
Test(cache, only_the_last_writer_writes_back)
{
	struct cache_result r;

	build_cache(m, 64, 1, 1000, false);
	cr_assert_eq(cache_create(m, &c), 0);
	level_of(0, 1, WRITE);
	level_of(1, 1, WRITE);
	cr_assert_not(access_line(0, 2, READ).wrote_back);
	r = access_line(1, 3, READ);
	cr_assert(r.wrote_back);
	cr_assert_eq(r.victim, 1);
}

/* The directory knows the lines that are held, and no more. */
Test(cache, forgets_lines_that_nobody_holds)
{
	build_cache(m, 4 * 64, 4, 1000, false);
	cr_assert_eq(cache_create(m, &c), 0);
	for (uint64_t line = 0; line < 10000; line++)
		level_of(0, line, line % 2 ? WRITE : READ);
	cr_assert_eq(cache_nr_lines(c), 4);
}

/* 11 ways that do not divide a power of two: 36608 KiB / 64 B / 11 = 53248 sets. */
Test(cache, odd_number_of_sets)
{
	build_cache(m, 36608 << 10, 11, 1000, true);
	cr_assert_eq(cache_create(m, &c), 0);
	for (uint64_t i = 0; i < 11; i++)
		level_of(0, i * 53248, READ);
	cr_assert_eq(level_of(0, 0, READ), 0);
	level_of(0, 11 * 53248, READ);
	cr_assert_eq(level_of(0, 53248, READ), 1, "the twelfth line of the set put it out");
}
