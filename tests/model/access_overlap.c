/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines that do not wait for each other, against closed forms. The machine is machine_builder.h's,
 * 60 ns and 20 B/ns a bank, with a cache of 32 KiB and 1 ns; lines of 64 B.
 */
#include <criterion/criterion.h>

#include "tests/machine_builder.h"

static const struct costs no_costs;

enum { AT_ONCE, LINE_BY_LINE, ZEROED_BEFORE };

/* What CPU 0 touches. */
struct plan {
	int how;
	uint64_t lines;
	bool write;
	unsigned fill_buffers, prefetched, streams;
	uint64_t takes_ps; /* the touches */
};

static void follow(struct sim *s, int cpu, void *arg)
{
	struct plan *p = arg;
	phys_addr_t at = built_address(0);
	uint64_t start_ps;

	if (p->how == ZEROED_BEFORE) {
		const struct mm_request req = {.nid = 0, .gfp = GFP_KERNEL | __GFP_ZERO};
		struct page *page;

		cr_assert_eq(mm_alloc_pages(sim_mm(s), &req, &page), 0);
		at = mm_page_address(sim_mm(s), page);
	}
	sim_settle(s, cpu);
	start_ps = sim_now_ps(s, cpu);
	for (uint64_t i = 0; p->how == LINE_BY_LINE && i < p->lines; i++)
		sim_touch(s, cpu, at + 64 * i, 8, p->write);
	if (p->how != LINE_BY_LINE)
		sim_touch(s, cpu, at, 64 * p->lines, p->write);
	sim_settle(s, cpu);
	p->takes_ps = sim_now_ps(s, cpu) - start_ps;
}

static uint64_t takes_ps(struct plan *p)
{
	struct machine *m = build_machine(1, 1);
	struct diag diag = DIAG_INIT;
	struct sim *s = NULL;

	build_cache(m, 32768, 8, 1000, false);
	m->cpus[0].fill_buffers = p->fill_buffers;
	m->cpus[0].prefetched = p->prefetched;
	m->cpus[0].streams = p->streams;
	cr_assert_eq(sim_create(m, &no_costs, &diag, &s), 0);
	cr_assert_eq(sim_spawn(s, 0, follow, p), 0);
	cr_assert_eq(sim_run(s), 0);
	sim_destroy(s);
	built_free(m);
	return p->takes_ps;
}

/* 16 lines, 8 in flight: 16 / 8 * 60 ns; their bytes move meanwhile. */
Test(access_overlap, lines_of_one_access_are_in_flight_together)
{
	struct plan p = {.lines = 16, .fill_buffers = 4, .prefetched = 8};

	cr_assert_eq(takes_ps(&p), 120000);
}

/* Four of 8 that could be: 60 ns. */
Test(access_overlap, a_few_take_one_latency)
{
	struct plan p = {.lines = 4, .fill_buffers = 4, .prefetched = 8};

	cr_assert_eq(takes_ps(&p), 60000);
}

/* 16 * 60 ns, each an access. */
Test(access_overlap, one_access_after_the_other_waits)
{
	struct plan p = {.how = LINE_BY_LINE, .lines = 16, .fill_buffers = 4, .prefetched = 8};

	cr_assert_eq(takes_ps(&p), 960000);
}

/* Nobody waits for a store, as long as there is a fill buffer: 16 / 4 * 60 ns. */
Test(access_overlap, stores_take_their_part)
{
	struct plan p = {.lines = 16, .write = true, .fill_buffers = 4, .prefetched = 8};

	cr_assert_eq(takes_ps(&p), 240000);
}

/* The same: each its part. */
Test(access_overlap, so_do_stores_one_by_one)
{
	struct plan p = {.how = LINE_BY_LINE,
			 .lines = 16,
			 .write = true,
			 .fill_buffers = 4,
			 .prefetched = 8};

	cr_assert_eq(takes_ps(&p), 240000);
}

/* 16 * 60 ns: a latency has its line in it. */
Test(access_overlap, without_a_bound_nothing_overlaps)
{
	struct plan p = {.lines = 16};

	cr_assert_eq(takes_ps(&p), 960000);
}

static struct plan stream_of(unsigned prefetched)
{
	return (struct plan){.how = LINE_BY_LINE,
			     .lines = 10,
			     .fill_buffers = 2,
			     .prefetched = prefetched,
			     .streams = 1};
}

/* Two misses start a stream; from then on a line each 60 / 2 ns. */
Test(access_overlap, a_prefetcher_has_no_more_lines_in_flight_than_a_stream)
{
	struct plan p = stream_of(2);

	cr_assert_eq(takes_ps(&p), 2 * 60000 + 8 * 30000);
}

/* 60 / 64 ns are less than a hit takes. */
Test(access_overlap, what_came_in_time_takes_a_hit)
{
	struct plan p = stream_of(64);

	cr_assert_eq(takes_ps(&p), 2 * 60000 + 8 * 1000);
}

/* 64 hits of 1 ns, of which 8 are under way. */
Test(access_overlap, what_was_zeroed_is_in_the_cache)
{
	struct plan p = {.how = ZEROED_BEFORE, .lines = 64, .fill_buffers = 4, .prefetched = 8};

	cr_assert_eq(takes_ps(&p), 8000);
}
