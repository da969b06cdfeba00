/* SPDX-License-Identifier: Apache-2.0 */
/* The hash table of the caches against a plain array. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/time/line_table.h"

#define NR_LINES 9000
#define NR_STEPS 200000

/* Lines whose hashes meet: multiples of a large power of two. */
static uint64_t nth_line(unsigned i)
{
	return (uint64_t)i << (i % 3 * 20);
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Insert, write and remove at random; what the table says of any line is what the array says. */
Test(line_table, agrees_with_an_array)
{
	const char *given = getenv("NUMASIM_TEST_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 0) : 20240607, state = seed | 1;
	static uint64_t versions[NR_LINES]; /* 0: not there */
	struct line_table t;
	size_t nr = 0;

	cr_assert_eq(line_table_init(&t, 1000), 0);
	for (int step = 0; step < NR_STEPS; step++) {
		unsigned i = (unsigned)(next_random(&state) % NR_LINES);
		line_nr found = line_table_find(&t, nth_line(i));

		cr_assert_eq(found ? t.entries[found].version : 0, versions[i],
			     "NUMASIM_TEST_SEED=%" PRIu64 " step %d", seed, step);
		if (!found) {
			cr_assert_neq(line_table_insert(&t, nth_line(i)), 0);
			versions[i] = 1;
			nr++;
		} else if (next_random(&state) % 3) {
			versions[i] = ++t.entries[found].version;
		} else {
			line_table_remove(&t, found);
			versions[i] = 0;
			nr--;
		}
		cr_assert_eq(t.nr_used, nr);
	}
	for (unsigned i = 0; i < NR_LINES; i++) {
		line_nr found = line_table_find(&t, nth_line(i));

		cr_assert_eq(found ? t.entries[found].version : 0, versions[i],
			     "NUMASIM_TEST_SEED=%" PRIu64 " line %u", seed, i);
	}
	line_table_clear(&t);
}
