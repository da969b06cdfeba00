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

static void moved(struct loads *l, int from, int to, uint64_t bytes, uint64_t took_ps)
{
	loads_add(l,
		  &(struct load_moved){.from = from, .to = to, .bytes = bytes, .took_ps = took_ps},
		  took_ps);
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
	cr_assert_eq(loads_create(m, &no_costs, &l), 0);
	cr_expect_eq(loads_extra_ps(l, 0, 0, 0), 0);
	moved(l, 0, 0, percent(50), 1000);
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
	cr_assert_eq(loads_create(m, &no_costs, &l), 0);
	moved(l, 0, 0, percent(300), 1000);
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
	cr_assert_eq(loads_create(m, &no_costs, &l), 0);
	moved(l, 0, 0, percent(50), 1000);
	expect_about(loads_extra_ps(l, 0, 0, 1000), 10000 - 1067);
	moved(l, 0, 0, percent(25), 1000);
	expect_about(loads_extra_ps(l, 0, 0, 1000), 40000 - 1067);
	moved(l, 0, 0, percent(50), 1000);
	expect_about(loads_extra_ps(l, 0, 0, 1000), 70000 - 1067);
	loads_free(l);
	built_free(m);
}

/*
 * A transfer of ten times what the average looks back leaves 1/11 of what was: after one, 10/11 of
 * its rate is the load, 10 ns * sqrt(5/6) = 9.129; after some more, all of it.
 */
Test(memory_load, a_long_transfer_counts_by_its_rate)
{
	struct machine *m = machine_with(0, 0);
	struct loads *l;

	m->banks[0].load.queue_ps = 10000;
	cr_assert_eq(loads_create(m, &no_costs, &l), 0);
	moved(l, 0, 0, 10 * percent(50), 10 * TAU_PS);
	expect_about(loads_extra_ps(l, 0, 0, 10 * TAU_PS), 9129 - 2374);
	for (uint64_t i = 2; i <= 5; i++)
		loads_add(l,
			  &(struct load_moved){.bytes = 10 * percent(50), .took_ps = 10 * TAU_PS},
			  i * 10 * TAU_PS);
	expect_about(loads_extra_ps(l, 0, 0, 50 * TAU_PS), 10000 - 2374);
	loads_free(l);
	built_free(m);
}

/* A link's load is that of all routes over it. */
Test(memory_load, links_are_loaded_too)
{
	struct machine *m = machine_with(0, 0);
	struct loads *l;

	m->links[built_link(0, 1)].load.queue_ps = 10000;
	cr_assert_eq(loads_create(m, &no_costs, &l), 0);
	moved(l, 0, 1, percent(25), 1000);
	/* Half of the link's 10 B/ns. Alone: 64 B / 100 ns is u = 0.064, 2.615 ns. */
	expect_about(loads_extra_ps(l, 0, 1, 1000), 10000 - 2615);
	cr_expect_eq(loads_extra_ps(l, 1, 0, 1000), 0);
	loads_free(l);
	built_free(m);
}

static const struct costs queueing = {.bank_queue_ps = 20000, .link_queue_ps = 10000};

/* What a bank or link adds that carries as much as it can: of `per_cent` of a bank's. */
static uint64_t added_ps(struct machine *m, int to, uint64_t per_cent)
{
	struct loads *l;
	uint64_t ps = 0;

	cr_assert_eq(loads_create(m, &queueing, &l), 0);
	if (l) {
		moved(l, 0, to, percent(per_cent), 1000);
		ps = loads_extra_ps(l, 0, to, 1000);
	}
	loads_free(l);
	return ps;
}

/*
 * 64 lines of 64 B in flight at 20 B/ns take 204.8 ns, 144.8 more than an idle bank's 60: that is
 * the wait at 20 B/ns, so capacity is 20 * (1 + (20 / 144.8)^2) = 20.3816 B/ns, and at half load
 * 20 ns * sqrt(10 / 10.3816) = 19.629. A chase alone, 64 B / 60 ns: 20 * sqrt(1.0667 / 19.315) =
 * 4.700.
 */
Test(memory_load, a_full_bank_makes_lines_in_flight_wait_as_long_as_they_are_many)
{
	struct machine *m = machine_with(64, 64);

	expect_about(added_ps(m, 0, 100), 144800 - 4700);
	expect_about(added_ps(m, 0, 300), 144800 - 4700);
	expect_about(added_ps(m, 0, 50), 19629 - 4700);
	built_free(m);
}

/*
 * 64 lines at a link's 10 B/ns: 409.6 ns, 309.6 more than 100 without load. Of those are the bank's
 * at half load 19.629 - 4.700 = 14.929, so 294.671 the link's: the sum comes out again, less what
 * a chase alone adds to the link: 64 B / 100 ns of 10.01152: 10 * sqrt(0.64 / 9.37152) = 2.613.
 */
Test(memory_load, a_full_link_leaves_the_bank_its_part)
{
	struct machine *m = machine_with(64, 64);

	expect_about(added_ps(m, 1, 50), 309600 - 2613);
	built_free(m);
}

/*
 * 8 lines move 8.53 of the bank's 20 B/ns: 25.6 ns of lines against 60. They wait all the same:
 * as if it carried 40, sqrt(8 / 32) * 20 = 10 at 8 B/ns, less sqrt(1.0667 / 38.933) * 20 = 3.310.
 */
Test(memory_load, few_lines_in_flight_wait_a_little)
{
	struct machine *m = machine_with(8, 8);

	expect_about(added_ps(m, 0, 40), 10000 - 3310);
	built_free(m);
}

/* 20 lines: 64 ns, 4 more than an idle bank's. At 20 B/ns they wait those, and not 20 ns. */
Test(memory_load, just_enough_lines_in_flight_get_all_of_the_bandwidth)
{
	struct machine *m = machine_with(20, 20);

	expect_about(added_ps(m, 0, 100), 4000 - 662);
	built_free(m);
}

Test(memory_load, a_file_may_say_that_there_is_no_queue)
{
	struct machine *m = machine_with(64, 64);

	m->banks[0].load.none = true;
	cr_expect_eq(added_ps(m, 0, 100), 0);
	cr_expect_neq(added_ps(m, 1, 50), 0);
	built_free(m);
	/* Nor where it is not known how many lines there may be. */
	m = machine_with(0, 0);
	cr_expect_eq(added_ps(m, 0, 100), 0);
	built_free(m);
}

/* What is written goes another way. */
Test(memory_load, reads_do_not_wait_for_writes_on_a_link_of_two_ways)
{
	const struct load_moved written = {.from = 0,
					   .to = 1,
					   .bytes = percent(25),
					   .bytes_written = percent(25),
					   .took_ps = 1000};
	struct machine *m = machine_with(64, 64);
	struct loads *l;

	m->banks[1].load.none = true;
	for (int two_ways = 0; two_ways < 2; two_ways++) {
		m->links[built_link(0, 1)].write_bytes_per_s = two_ways ? 10000000000 : 0;
		build_routes(m);
		cr_assert_eq(loads_create(m, &queueing, &l), 0);
		loads_add(l, &written, 1000);
		cr_expect_eq(loads_extra_ps(l, 0, 1, 1000) == 0, two_ways);
		loads_free(l);
	}
	built_free(m);
}

/* Whose lines in flight are not known: 10 * 100 ns over the link, not 10 * 6.4 more for the bytes.
 */
Test(memory_load, a_latency_has_its_line_in_it)
{
	struct plan plan = {.what = CHASE, .nid = 1, .read = 10};

	cr_assert_eq(busy_ps(machine_with(0, 0), &plan), 1000000);
}
