/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines in flight, writes that cost more than reads, links with two ways, latency that rises with
 * load: against closed forms. The machine is machine_builder.h's: 60 ns and 20 B/ns a bank, 40 ns
 * and 10 B/ns a link; lines of 64 B.
 */
#include <criterion/criterion.h>

#include "sim/time/load.h"
#include "tests/machine_builder.h"

static const struct costs no_costs;

enum { CHASE, STREAM, ZERO };

/* What CPU 0 does, once. */
struct plan {
	int what;
	int nid;
	uint64_t read, written; /* STREAM; lines of CHASE, bytes of ZERO in `read` */
	bool past_cache;
};

static void follow(struct sim *s, int cpu, void *arg)
{
	const struct plan *p = arg;
	phys_addr_t at = built_address(p->nid);

	if (p->what == STREAM)
		sim_stream(s, cpu,
			   &(struct sim_stream){.at = at,
						.bytes_read = p->read,
						.bytes_written = p->written,
						.past_cache = p->past_cache});
	for (uint64_t i = 0; p->what == CHASE && i < p->read; i++)
		sim_chase(s, cpu, at + 64 * i);
	if (p->what == ZERO) {
		const struct mm_request req = {.nid = p->nid, .gfp = GFP_KERNEL | __GFP_ZERO};
		struct page *page;

		cr_assert_eq(mm_alloc_pages(sim_mm(s), &req, &page), 0);
	}
}

static struct machine *machine_with(unsigned fill_buffers, unsigned prefetched)
{
	struct machine *m = build_machine(2, 1);

	build_cache(m, 32768, 8, 1000, false);
	for (int cpu = 0; cpu < 2; cpu++) {
		m->cpus[cpu].fill_buffers = fill_buffers;
		m->cpus[cpu].prefetched = prefetched;
	}
	return m;
}

static uint64_t busy_ps(struct machine *m, struct plan *plan)
{
	struct diag diag = DIAG_INIT;
	const struct cpu_account *a;
	struct sim *s = NULL;
	uint64_t ps;

	cr_assert_eq(sim_create(m, &no_costs, &diag, &s), 0);
	cr_assert_eq(sim_spawn(s, 0, follow, plan), 0);
	cr_assert_eq(sim_run(s), 0);
	a = sim_account(s, 0);
	ps = plan->what == ZERO ? a->cause_ps[CAUSE_ZEROING]
				: a->total_ps - a->cause_ps[CAUSE_IDLE];
	sim_destroy(s);
	built_free(m);
	return ps;
}

/* 64 lines, 8 in flight: 64 / 8 * 60 ns = 480 ns, more than 4096 B / 20 B/ns. */
Test(memory_load, lines_in_flight_bound_a_lone_stream)
{
	struct plan plan = {.what = STREAM, .read = 4096};

	cr_assert_eq(busy_ps(machine_with(4, 8), &plan), 480000);
}

/* From the other node: 64 / 8 * 100 ns, where the link alone would take 409.6 ns. */
Test(memory_load, a_remote_stream_is_slower_by_its_latency)
{
	struct plan plan = {.what = STREAM, .nid = 1, .read = 4096};

	cr_assert_eq(busy_ps(machine_with(4, 8), &plan), 800000);
}

/* 64 in flight take 60 ns, less than 4096 B / 20 B/ns = 204.8 ns. */
Test(memory_load, the_bank_bounds_a_stream_of_many_lines)
{
	struct plan plan = {.what = STREAM, .read = 4096};

	cr_assert_eq(busy_ps(machine_with(4, 64), &plan), 204800);
}

/* 10 loads, each of which waits for the one before: 10 * 60 ns; the bytes move meanwhile. */
Test(memory_load, a_chase_pays_each_latency)
{
	struct plan plan = {.what = CHASE, .read = 10};

	cr_assert_eq(busy_ps(machine_with(12, 16), &plan), 600000);
}

/* Zeroes go through the fill buffers: 64 lines, 4 in flight, 64 / 4 * 60 ns = 960 ns. */
Test(memory_load, zeroing_is_bound_by_fill_buffers)
{
	struct plan plan = {.what = ZERO};

	cr_assert_eq(busy_ps(machine_with(4, 8), &plan), 960000);
}

/* Writes at half the rate: (2048 + 2 * 2048) B / 20 B/ns = 307.2 ns. */
Test(memory_load, writes_cost_the_bank_more)
{
	struct machine *m = machine_with(64, 64);
	struct plan plan = {.what = STREAM, .read = 2048, .written = 2048};

	m->banks[0].write_bytes_per_s = 10000000000;
	m->banks[0].stream_bytes_per_s = 5000000000;
	cr_assert_eq(busy_ps(m, &plan), 307200);
}

/* At a quarter: (2048 + 4 * 2048) B / 20 B/ns = 512 ns. */
Test(memory_load, stores_past_the_caches_cost_what_they_say)
{
	struct machine *m = machine_with(64, 64);
	struct plan plan = {.what = STREAM, .read = 2048, .written = 2048, .past_cache = true};

	m->banks[0].write_bytes_per_s = 10000000000;
	m->banks[0].stream_bytes_per_s = 5000000000;
	cr_assert_eq(busy_ps(m, &plan), 512000);
}

/* The link's way for writes has 5 B/ns: 4096 B take 819.2 ns there; reads have 10 B/ns. */
Test(memory_load, a_link_may_have_two_ways)
{
	struct machine *m = machine_with(64, 64);
	struct plan plan = {.what = STREAM, .nid = 1, .written = 4096};

	m->links[built_link(0, 1)].write_bytes_per_s = 5000000000;
	build_routes(m);
	cr_assert_eq(busy_ps(m, &plan), 819200);
}

Test(memory_load, what_is_read_takes_the_other_way)
{
	struct machine *m = machine_with(64, 64);
	struct plan plan = {.what = STREAM, .nid = 1, .read = 4096};

	m->links[built_link(0, 1)].write_bytes_per_s = 5000000000;
	build_routes(m);
	cr_assert_eq(busy_ps(m, &plan), 409600);
}

#define TAU_PS UINT64_C(200000000) /* over which a load is averaged */

/* Bytes of so many per cent of the bank's 20 B/ns, over the average's length. */
static uint64_t percent(uint64_t n)
{
	return 20 * (TAU_PS / 1000) * n / 100;
}

static void expect_about(uint64_t found, uint64_t expected)
{
	cr_expect(found + 2 >= expected && found <= expected + 2, "found %llu ps, expected %llu",
		  (unsigned long long)found, (unsigned long long)expected);
}

/*
 * 10 ns * sqrt(u / (1 - u)), less what a lone chase has: 64 B / 60 ns is u = 4/75, 2.374 ns.
 * u = 1/2: 10 ns. After the length of the average u = 1/4: 10 ns / sqrt(3) = 5.774 ns.
 */
Test(memory_load, queueing_follows_the_load)
{
	struct machine *m = machine_with(0, 0);
	struct loads *l;

	m->banks[0].load.queue_ps = 10000;
	cr_assert_eq(loads_create(m, &l), 0);
	cr_expect_eq(loads_extra_ps(l, 0, 0, 0), 0);
	loads_add(l, 0, 0, percent(50), 1000, 1000);
	expect_about(loads_extra_ps(l, 0, 0, 1000), 10000 - 2374);
	expect_about(loads_extra_ps(l, 0, 0, 1000 + TAU_PS), 5774 - 2374);
	/* The other bank is idle; so is this one, far later. */
	cr_expect_eq(loads_extra_ps(l, 0, 1, 1000), 0);
	cr_expect_eq(loads_extra_ps(l, 0, 0, 1000 * TAU_PS), 0);
	loads_free(l);
	built_free(m);
}

/* Never more than at 99.9 %: sqrt(999) * 10 ns = 316.07 ns. */
Test(memory_load, queueing_ends_short_of_saturation)
{
	struct machine *m = machine_with(0, 0);
	struct loads *l;

	m->banks[0].load.queue_ps = 10000;
	cr_assert_eq(loads_create(m, &l), 0);
	loads_add(l, 0, 0, percent(300), 1000, 1000);
	expect_about(loads_extra_ps(l, 0, 0, 1000), 316070 - 2374);
	loads_free(l);
	built_free(m);
}

/* Points at 10 B/ns: 70 ns and 20 B/ns: 130 ns. A chase alone adds 10 * 16/150 = 1.067 ns. */
Test(memory_load, points_are_joined_by_straight_lines)
{
	struct machine *m = machine_with(0, 0);
	struct machine_load_point *p = calloc(3, sizeof(*p));
	struct loads *l;

	cr_assert_not_null(p);
	p[0] = (struct machine_load_point){0, 60000};
	p[1] = (struct machine_load_point){10000000000, 70000};
	p[2] = (struct machine_load_point){20000000000, 130000};
	m->banks[0].load = (struct machine_load){.points = p, .nr = 3};
	cr_assert_eq(loads_create(m, &l), 0);
	loads_add(l, 0, 0, percent(50), 1000, 1000);
	expect_about(loads_extra_ps(l, 0, 0, 1000), 10000 - 1067);
	loads_add(l, 0, 0, percent(25), 1000, 1000);
	expect_about(loads_extra_ps(l, 0, 0, 1000), 40000 - 1067);
	loads_add(l, 0, 0, percent(50), 1000, 1000);
	expect_about(loads_extra_ps(l, 0, 0, 1000), 70000 - 1067);
	loads_free(l);
	built_free(m);
}

/* One transfer of ten times the average's length: its rate, not its bytes, is the load. */
Test(memory_load, a_long_transfer_counts_by_its_rate)
{
	struct machine *m = machine_with(0, 0);
	struct loads *l;

	m->banks[0].load.queue_ps = 10000;
	cr_assert_eq(loads_create(m, &l), 0);
	loads_add(l, 0, 0, 10 * percent(50), 10 * TAU_PS, 10 * TAU_PS);
	expect_about(loads_extra_ps(l, 0, 0, 10 * TAU_PS), 10000 - 2374);
	loads_free(l);
	built_free(m);
}

/* A link's load is that of all routes over it. */
Test(memory_load, links_are_loaded_too)
{
	struct machine *m = machine_with(0, 0);
	struct loads *l;

	m->links[built_link(0, 1)].load.queue_ps = 10000;
	cr_assert_eq(loads_create(m, &l), 0);
	loads_add(l, 0, 1, percent(25), 1000, 1000);
	/* Half of the link's 10 B/ns. Alone: 64 B / 100 ns is u = 0.064, 2.615 ns. */
	expect_about(loads_extra_ps(l, 0, 1, 1000), 10000 - 2615);
	cr_expect_eq(loads_extra_ps(l, 1, 0, 1000), 0);
	loads_free(l);
	built_free(m);
}
