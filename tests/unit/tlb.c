/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tags of the TLB. The first level has 4 entries for pages of 4 KiB in 2 sets and 2 for those of
 * 2 MiB, the second 8 for both in 2 sets; entries of 2 upper tables are at hand, and 2 spaces.
 */
#include <criterion/criterion.h>

#include "sim/rng.h"
#include "sim/time/tlb.h"
#include "tests/machine_builder.h"

#define PAGE  UINT64_C(4096)
#define HUGE  (UINT64_C(2) << 20)
#define GIANT (UINT64_C(1) << 30)

static const struct machine_tlb small = {
	.first = {{{12}, 1, 4, 2}, {{21}, 1, 2, 2}},
	.nr_first = 2,
	.second = {{{12, 21}, 2, 8, 4}},
	.nr_second = 1,
	.table_entries = 2,
	.spaces = 2,
};

static struct machine *machine_of(int nr_cpus)
{
	struct machine *m = build_machine(1, nr_cpus);

	m->tlb = small;
	return m;
}

static struct tlb *tlb_of(const struct machine *m)
{
	struct tlb *t;

	cr_assert_eq(tlb_create(m, &t), 0);
	return t;
}

/* Look it up; what is missed is filled in. */
static enum tlb_result use(struct tlb *t, int cpu, uint64_t space, uint64_t address, unsigned shift)
{
	unsigned found;
	int result = tlb_look(t, cpu, space, address, &found);

	cr_assert_geq(result, 0);
	if (result == TLB_MISS)
		tlb_fill(t, cpu, space, address, shift);
	return (enum tlb_result)result;
}

Test(tlb, none_where_none_is_described)
{
	struct machine *m = build_machine(1, 1);

	cr_expect_null(tlb_of(m));
	built_free(m);
}

/* CPUs 1 and 3 are threads of a core: what one of them looks up, the other may find. */
Test(tlb, who_may_have_translations)
{
	struct machine *m = machine_of(4);
	struct tlb *t;
	const int *cpus;

	m->cpus[3].core = 1;
	t = tlb_of(m);
	cr_expect_eq(tlb_users(t, &cpus), 0);
	use(t, 3, 1, PAGE, 12);
	use(t, 3, 1, PAGE, 12);
	cr_assert_eq(tlb_users(t, &cpus), 2);
	cr_expect_eq(cpus[0] + cpus[1], 1 + 3);
	use(t, 0, 1, PAGE, 12);
	cr_assert_eq(tlb_users(t, &cpus), 3);
	cr_expect_eq(cpus[2], 0);
	tlb_free(t);
	built_free(m);
}

/* Pages 0, 2 and 4 share a set of two: the one used the longest ago goes to the second level only.
 */
Test(tlb, sets_and_the_order_of_use)
{
	struct machine *m = machine_of(1);
	struct tlb *t = tlb_of(m);

	cr_expect_eq(use(t, 0, 1, 0 * PAGE, 12), TLB_MISS);
	cr_expect_eq(use(t, 0, 1, 2 * PAGE, 12), TLB_MISS);
	cr_expect_eq(use(t, 0, 1, 1 * PAGE, 12), TLB_MISS);
	cr_expect_eq(use(t, 0, 1, 0 * PAGE + 4095, 12), TLB_FIRST);
	cr_expect_eq(use(t, 0, 1, 4 * PAGE, 12), TLB_MISS);
	cr_expect_eq(use(t, 0, 1, 0 * PAGE, 12), TLB_FIRST);
	cr_expect_eq(use(t, 0, 1, 1 * PAGE, 12), TLB_FIRST);
	cr_expect_eq(use(t, 0, 1, 2 * PAGE, 12), TLB_SECOND);
	/* Which brought it back, in the place of 4. */
	cr_expect_eq(use(t, 0, 1, 2 * PAGE, 12), TLB_FIRST);
	cr_expect_eq(use(t, 0, 1, 4 * PAGE, 12), TLB_SECOND);
	tlb_free(t);
	built_free(m);
}

/* 8 entries reach over 8 pages of 4 KiB, or 16 MiB of huge ones; a ninth in turn, and none stays.
 */
Test(tlb, reach_of_the_second_level)
{
	static const struct {
		uint64_t pages;
		unsigned shift;
		enum tlb_result then;
	} cases[] = {
		{8, 12, TLB_SECOND}, {10, 12, TLB_MISS}, {8, 21, TLB_SECOND}, {10, 21, TLB_MISS}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct machine *m = machine_of(1);
		struct tlb *t = tlb_of(m);

		for (uint64_t p = 0; p < cases[i].pages; p++)
			use(t, 0, 1, p << cases[i].shift, cases[i].shift);
		for (uint64_t p = 0; p < cases[i].pages; p++)
			cr_expect_eq(use(t, 0, 1, p << cases[i].shift, cases[i].shift),
				     cases[i].then, "case %zu, page %lu", i, p);
		tlb_free(t);
		built_free(m);
	}
}

Test(tlb, all_of_a_page_is_found_and_a_larger_one_in_pieces)
{
	struct machine *m = machine_of(1);
	struct tlb *t = tlb_of(m);
	unsigned shift;

	use(t, 0, 1, HUGE, 21);
	cr_expect_eq(tlb_look(t, 0, 1, HUGE + 511 * PAGE, &shift), TLB_FIRST);
	cr_expect_eq(shift, 21);
	cr_expect_eq(tlb_fill(t, 0, 1, GIANT, 30), 21);
	cr_expect_eq(use(t, 0, 1, GIANT + PAGE, 30), TLB_FIRST);
	cr_expect_eq(use(t, 0, 1, GIANT + HUGE, 30), TLB_MISS);
	tlb_free(t);
	built_free(m);
}

/* CPUs 0 and 1 are threads of a core, CPU 2 is not. */
Test(tlb, threads_share_what_is_the_kernels_and_room)
{
	struct machine *m = machine_of(3);
	struct tlb *t;

	m->cpus[1].core = 0;
	t = tlb_of(m);
	use(t, 0, TLB_KERNEL, HUGE, 21);
	cr_expect_eq(use(t, 1, TLB_KERNEL, HUGE, 21), TLB_FIRST);
	cr_expect_eq(use(t, 2, TLB_KERNEL, HUGE, 21), TLB_MISS);
	use(t, 0, 1, 0 * PAGE, 12);
	cr_expect_eq(use(t, 1, 1, 0 * PAGE, 12), TLB_MISS);
	cr_expect_eq(use(t, 1, 1, 2 * PAGE, 12), TLB_MISS);
	cr_expect_eq(use(t, 0, 1, 0 * PAGE, 12), TLB_SECOND, "the other thread took its place");
	tlb_free(t);
	built_free(m);
}

/* A CPU keeps two spaces: a third one makes it forget the one that it ran before the last. */
Test(tlb, spaces_that_are_kept)
{
	struct machine *m = machine_of(1);
	struct tlb *t = tlb_of(m);

	use(t, 0, 1, 0, 12);
	use(t, 0, 2, PAGE, 12);
	cr_expect_eq(use(t, 0, 1, 0, 12), TLB_FIRST);
	cr_expect_eq(use(t, 0, 2, 0, 12), TLB_MISS, "another space's page");
	cr_expect_eq(use(t, 0, 1, 0, 12), TLB_FIRST);
	use(t, 0, 3, PAGE, 12);
	cr_expect_eq(use(t, 0, 1, 0, 12), TLB_FIRST);
	cr_expect_eq(use(t, 0, 2, PAGE, 12), TLB_MISS);
	tlb_free(t);
	built_free(m);
}

Test(tlb, forgets_a_range_and_no_more)
{
	struct machine *m = machine_of(2);
	struct tlb *t = tlb_of(m);

	for (uint64_t p = 0; p < 4; p++)
		use(t, 0, 1, p * PAGE, 12);
	use(t, 0, 1, 1 * HUGE, 21);
	use(t, 0, 1, 2 * HUGE, 21);
	use(t, 1, 1, PAGE, 12);
	tlb_forget(t, 0, 1, PAGE, 3 * PAGE);
	cr_expect_eq(use(t, 0, 1, 0 * PAGE, 12), TLB_FIRST);
	cr_expect_eq(use(t, 0, 1, 3 * PAGE, 12), TLB_FIRST);
	cr_expect_eq(use(t, 0, 1, 1 * PAGE, 12), TLB_MISS);
	cr_expect_eq(use(t, 0, 1, 2 * PAGE, 12), TLB_MISS);
	cr_expect_eq(use(t, 1, 1, 1 * PAGE, 12), TLB_FIRST, "another CPU's");
	/* One byte of a huge page is all of it. */
	tlb_forget(t, 0, 1, 2 * HUGE - 1, 2 * HUGE);
	cr_expect_eq(use(t, 0, 1, 2 * HUGE, 21), TLB_FIRST);
	cr_expect_eq(use(t, 0, 1, 1 * HUGE, 21), TLB_MISS);
	tlb_free(t);
	built_free(m);
}

Test(tlb, forgets_a_space_or_with_the_kernels_all)
{
	struct machine *m = machine_of(1);
	struct tlb *t = tlb_of(m);

	use(t, 0, 1, 0, 12);
	use(t, 0, 2, PAGE, 12);
	use(t, 0, TLB_KERNEL, HUGE, 21);
	tlb_forget_space(t, 0, 1);
	cr_expect_eq(use(t, 0, TLB_KERNEL, HUGE, 21), TLB_FIRST);
	cr_expect_eq(use(t, 0, 2, PAGE, 12), TLB_FIRST);
	cr_expect_eq(use(t, 0, 1, 0, 12), TLB_MISS);
	tlb_forget_space(t, 0, TLB_KERNEL);
	cr_expect_eq(use(t, 0, TLB_KERNEL, HUGE, 21), TLB_MISS);
	cr_expect_eq(use(t, 0, 2, PAGE, 12), TLB_MISS);
	tlb_free(t);
	built_free(m);
}

/* What nobody has any more makes room before what is still of use does. */
Test(tlb, forgotten_entries_are_as_good_as_empty)
{
	struct machine *m = machine_of(1);
	struct tlb *t = tlb_of(m);

	use(t, 0, 2, 0 * PAGE, 12);
	use(t, 0, 1, 2 * PAGE, 12);
	tlb_forget_space(t, 0, 1);
	use(t, 0, 2, 4 * PAGE, 12);
	cr_expect_eq(use(t, 0, 2, 0 * PAGE, 12), TLB_FIRST);
	tlb_free(t);
	built_free(m);
}

Test(tlb, entries_of_upper_tables)
{
	struct machine *m = machine_of(1);
	struct tlb *t = tlb_of(m);

	use(t, 0, 1, 0, 12);
	cr_expect_not(tlb_table(t, 0, 1, 0, 21));
	cr_expect(tlb_table(t, 0, 1, HUGE - 1, 21));
	cr_expect_not(tlb_table(t, 0, 1, HUGE, 21));
	cr_expect_not(tlb_table(t, 0, 1, 0, 30), "of another level, in the place of the first");
	cr_expect_not(tlb_table(t, 0, 1, 0, 21));
	tlb_forget(t, 0, 1, 7 * HUGE, 7 * HUGE + 1);
	cr_expect_not(tlb_table(t, 0, 1, 0, 21), "invlpg drops them all");
	tlb_free(t);
	built_free(m);
}

/*
 * Who looks only for what is not at hand finds the same, however often translations go: 12 single
 * pages and 4 huge ones of the kernel, and now and then one of a program.
 */
Test(tlb, what_is_at_hand_need_not_be_looked_up)
{
	struct machine *m = machine_of(1);
	struct tlb *all = tlb_of(m), *some = tlb_of(m);
	struct rng rng = {20261122};
	unsigned at_hand[2] = {0};

	for (int i = 0; i < 100000; i++) {
		bool huge = rng_below(&rng, 2);
		uint64_t address = huge ? GIANT + HUGE * rng_below(&rng, 4)
					: PAGE * rng_below(&rng, rng_below(&rng, 2) ? 3 : 12);
		unsigned shift = huge ? 21 : 12;
		uint64_t space = rng_below(&rng, 10) ? TLB_KERNEL : 7;
		enum tlb_result found = use(all, 0, space, address, shift);

		if (space == TLB_KERNEL && tlb_at_hand(tlb_hand(some, 0), address, address + 63)) {
			cr_assert_eq(found, TLB_FIRST);
			at_hand[huge]++;
		} else {
			cr_assert_eq(use(some, 0, space, address, shift), found);
		}
		if (!rng_below(&rng, 50)) {
			tlb_forget(all, 0, TLB_KERNEL, address, address + PAGE);
			tlb_forget(some, 0, TLB_KERNEL, address, address + PAGE);
		}
		if (!rng_below(&rng, 500)) {
			tlb_forget_space(all, 0, space);
			tlb_forget_space(some, 0, space);
		}
	}
	cr_assert(at_hand[false] > 1000 && at_hand[true] > 1000);
	/* What reaches into the next page is two look-ups. */
	use(some, 0, TLB_KERNEL, 0, 12);
	cr_assert(tlb_at_hand(tlb_hand(some, 0), PAGE - 64, PAGE - 1));
	cr_assert(!tlb_at_hand(tlb_hand(some, 0), PAGE - 64, PAGE));
	tlb_free(all);
	tlb_free(some);
	built_free(m);
}
