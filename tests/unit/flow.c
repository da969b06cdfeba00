/* SPDX-License-Identifier: Apache-2.0 */
/* Who moves how fast, and for whom SimGrid has to solve it. Banks carry 20 B/ns, links 10. */
#include <criterion/criterion.h>
#include <math.h>

#include "sim/time/flow.h"
#include "tests/machine_builder.h"

static const struct flow_way local = {.nid = 0, .bank = 0}, remote = {.nid = 1, .bank = 0},
			     back = {.nid = 0, .bank = 1}, other = {.nid = 1, .bank = 1};

static int nr_changes;

static void count(void *arg, struct flow *flow)
{
	(void)arg;
	(void)flow;
	nr_changes++;
}

static struct flows *make(const struct machine *m)
{
	struct flows *f = flows_create(m, count, NULL);

	cr_assert_not_null(f);
	cr_assert(flows_none(f));
	return f;
}

static void begin(struct flows *f, struct flow *flow, const struct flow_way *way, uint64_t bytes,
		  uint64_t now_ps)
{
	cr_assert_eq(
		flows_begin(f, flow, &(struct flow_part){.way = *way, .bytes = bytes}, now_ps, 0),
		0);
}

static uint64_t alone_ps(const struct flows *f, const struct flow_way *way, uint64_t bytes,
			 double *part)
{
	return flows_alone_ps(f, &(struct flow_part){.way = *way, .bytes = bytes}, 1, part);
}

/* 4096 B at 20 B/ns. A remote one at the 10 B/ns of its link. */
Test(flow, alone_at_the_narrowest_rate)
{
	struct machine *m = build_machine(2, 1);
	struct flows *f = make(m);
	struct flow a = {0};
	double part = 0;

	cr_assert_eq(alone_ps(f, &local, 4096, &part), 204800);
	cr_assert_eq(alone_ps(f, &remote, 4096, &part), 409600);
	cr_assert_lt(fabs(part), 1e-6);
	begin(f, &a, &remote, 4096, 1000);
	cr_assert_eq(a.end_ps, 410600);
	cr_assert_not(flows_none(f));
	flows_end(f, &a, 410600);
	cr_assert(flows_none(f));
	flow_clear(&a);
	flows_free(f);
	built_free(m);
}

/* Two from 1 node on 2 banks, or from 2 nodes with 5 + 10 of the 20 B/ns: nobody waits. */
Test(flow, nobody_waits_where_there_is_enough)
{
	struct machine *m = build_machine(2, 1);
	struct flow a = {0}, b = {0}, c = {0};
	struct flows *f;

	m->links[built_link(1, 0)].bytes_per_s = 5000000000;
	build_routes(m);
	f = make(m);
	nr_changes = 0;
	begin(f, &a, &back, 4096, 0);
	begin(f, &b, &remote, 4096, 0);
	cr_assert_eq(a.end_ps, 409600);
	cr_assert_eq(b.end_ps, 819200);
	begin(f, &c, &other, 1000, 0);
	cr_assert_eq(c.end_ps, 100000, "10 B/ns are left of the bank of node 1");
	cr_assert_eq(nr_changes, 3, "which is what it would get anyway");
	flows_end(f, &a, 0);
	flows_end(f, &b, 0);
	flows_end(f, &c, 0);
	flow_clear(&a);
	flow_clear(&b);
	flow_clear(&c);
	flows_free(f);
	built_free(m);
}

/*
 * The first has moved 2000 B when the second comes; its other 2096 B take 209.6 ns at half the
 * rate. By then the second has moved as many; its last 2000 B take 100 ns.
 */
Test(flow, two_share_a_bank)
{
	struct machine *m = build_machine(1, 2);
	struct flows *f = make(m);
	struct flow a = {0}, b = {0};

	begin(f, &a, &local, 4096, 0);
	begin(f, &b, &local, 4096, 100000);
	cr_assert_eq(a.end_ps, 309600);
	cr_assert_eq(b.end_ps, 509600);
	flows_end(f, &a, 309600);
	cr_assert_eq(b.end_ps, 409600);
	cr_assert_null(flows_next_for_simgrid(f));
	flows_end(f, &b, 409600);
	flow_clear(&a);
	flow_clear(&b);
	flows_free(f);
	built_free(m);
}

/*
 * 50 B by two at 30 B/ns: 10 of one are over after 666.67 ps, 30 of the other after 666.67 and the
 * last 20 after 666.67 more. To the picosecond: 667 and 1333, though 667 and 667 are 1334.
 */
Test(flow, nobody_loses_parts_of_a_picosecond)
{
	struct machine *m = build_machine(1, 2);
	struct flow a = {0}, b = {0};
	struct flows *f;

	m->banks[0].bytes_per_s = 30000000000;
	build_routes(m);
	f = make(m);
	begin(f, &a, &local, 10, 0);
	begin(f, &b, &local, 30, 0);
	cr_assert_eq(a.end_ps, 667);
	cr_assert_lt(fabs(a.end_part + 1.0 / 3), 1e-6);
	flows_end(f, &a, 667);
	cr_assert_eq(b.end_ps, 1333);
	cr_assert_lt(fabs(b.end_part - 1.0 / 3), 1e-6);
	flows_end(f, &b, 1333);
	flow_clear(&a);
	flow_clear(&b);
	flows_free(f);
	built_free(m);
}

/* 5 B/ns over the link are less than a third of the bank; the two others get 7.5 each. */
Test(flow, who_is_slower_alone_leaves_the_rest)
{
	struct machine *m = build_machine(2, 2);
	struct flow a = {0}, b = {0}, c = {0};
	struct flows *f;

	m->links[built_link(1, 0)].bytes_per_s = 5000000000;
	build_routes(m);
	f = make(m);
	begin(f, &a, &local, 7500, 0);
	begin(f, &b, &remote, 5000, 0);
	cr_assert_eq(a.end_ps, 500000, "15 B/ns");
	cr_assert_eq(b.end_ps, 1000000);
	begin(f, &c, &local, 7500, 0);
	cr_assert_eq(a.end_ps, 1000000);
	cr_assert_eq(b.end_ps, 1000000);
	cr_assert_eq(c.end_ps, 1000000);
	/* Who is over, but has not said so, is in nobody's way. */
	flows_end(f, &b, 1000000);
	begin(f, &b, &local, 20, 1000000);
	cr_assert_eq(b.end_ps, 1001000);
	flows_end(f, &b, 1001000);
	flow_clear(&a);
	flow_clear(&b);
	flow_clear(&c);
	flows_free(f);
	built_free(m);
}

/* A disk's reads are on its link for reads and on that for both: the larger tells. 3 B/ns, for
 * both. */
Test(flow, of_two_short_links_the_one_that_has_all)
{
	static const struct flow_way read = {.nid = -1, .bank = 0},
				     write = {.nid = -1, .bank = 0, .write = true};
	struct machine *m = build_machine(1, 2);
	struct flow a = {0}, b = {0}, c = {0};
	struct flows *f;

	build_disk(m, 0, 3000000000, 4);
	f = make(m);
	begin(f, &a, &read, 3000, 0);
	begin(f, &b, &read, 3000, 0);
	cr_assert_eq(a.end_ps, 2000000, "1.5 B/ns");
	cr_assert_eq(b.end_ps, 2000000);
	begin(f, &c, &write, 1000, 0);
	cr_assert_eq(a.end_ps, 3000000, "1 B/ns");
	cr_assert_eq(b.end_ps, 3000000);
	cr_assert_eq(c.end_ps, 1000000);
	flows_end(f, &c, 1000000);
	cr_assert_eq(a.end_ps, 1000000 + 1333333, "2000 B at 1.5 B/ns");
	cr_assert_null(flows_next_for_simgrid(f));
	flows_end(f, &a, 2333333);
	cr_assert_eq(b.end_ps, 2333333);
	flows_end(f, &b, 2333333);
	cr_assert(flows_none(f));
	flow_clear(&a);
	flow_clear(&b);
	flow_clear(&c);
	flows_free(f);
	built_free(m);
}

/* The links for reads carry 2 of the 3 B/ns: short by two reads, which leave a write the rest. */
Test(flow, the_smaller_of_two_tells_where_it_binds)
{
	static const struct flow_way read = {.nid = -1, .bank = 0},
				     write = {.nid = -1, .bank = 0, .write = true};
	struct machine *m = build_machine(1, 2);
	struct flow a = {0}, b = {0}, c = {0};
	struct flows *f;

	build_disk(m, 0, 3000000000, 4);
	m->disks[0].read_bytes_per_s = 2000000000;
	f = make(m);
	begin(f, &a, &read, 2000, 0);
	begin(f, &b, &read, 2000, 0);
	cr_assert_eq(a.end_ps, 2000000, "1 B/ns");
	/* With a write, all three get 1 B/ns. */
	begin(f, &c, &write, 1000, 0);
	cr_assert_null(flows_next_for_simgrid(f));
	cr_assert_eq(a.end_ps, 2000000);
	cr_assert_eq(c.end_ps, 1000000);
	flows_end(f, &c, 1000000);
	cr_assert_eq(b.end_ps, 2000000);
	flows_end(f, &a, 2000000);
	flows_end(f, &b, 2000000);
	flow_clear(&a);
	flow_clear(&b);
	flow_clear(&c);
	flows_free(f);
	built_free(m);
}

/* Two over one link, and one on the bank at its end: both are short, and two pass both. */
Test(flow, where_short_links_meet_simgrid_solves)
{
	struct machine *m = build_machine(2, 2);
	struct flows *f = make(m);
	struct flow a = {0}, b = {0}, c = {0};

	begin(f, &a, &remote, 1000, 0);
	begin(f, &b, &remote, 1000, 50000);
	cr_assert_null(flows_next_for_simgrid(f), "the link alone is short");
	cr_assert_eq(a.end_ps, 150000, "500 B at 5 B/ns");
	begin(f, &c, &local, 4000, 100000);
	cr_assert_eq(flows_next_for_simgrid(f), &c);
	cr_assert_eq(flows_next_for_simgrid(f), &a);
	cr_assert_eq(flows_next_for_simgrid(f), &b);
	cr_assert_null(flows_next_for_simgrid(f));
	cr_assert_float_eq(a.left, 250, 1e-9);
	cr_assert_float_eq(b.left, 750, 1e-9);
	cr_assert_float_eq(c.left, 4000, 1e-9);
	cr_assert_eq(b.end_ps, 175000, "at the earliest");
	flows_end(f, &a, 200000);
	flows_end(f, &b, 200000);
	cr_assert(c.simgrid, "it stays there");
	flows_end(f, &c, 300000);
	cr_assert(flows_none(f));
	flow_clear(&a);
	flow_clear(&b);
	flow_clear(&c);
	flows_free(f);
	built_free(m);
}

/* What the links have to move and what the bank has to do: the longer of 409.6 and 300 ns. Bytes
 * read and written are in each other's way where a link has one way only: that has to be played. */
Test(flow, parts_of_a_transfer_alone)
{
	struct flow_part parts[] = {
		{.way = {.nid = 1, .over = FLOW_LINKS}, .bytes = 2048},
		{.way = {.nid = 1, .write = true, .over = FLOW_LINKS}, .bytes = 4096},
		{.way = {.nid = 1, .over = FLOW_BANK}, .bytes = 6000},
	};
	struct machine *m = build_machine(2, 1);
	struct flows *f = make(m);
	double part = 0;

	cr_assert_eq(flows_alone_ps(f, parts + 1, 2, &part), 409600);
	cr_assert_eq(flows_alone_ps(f, parts, 3, &part), UINT64_MAX);
	flows_free(f);
	m->links[built_link(1, 0)].write_bytes_per_s = 5000000000;
	build_routes(m);
	f = make(m);
	cr_assert_eq(flows_alone_ps(f, parts, 3, &part), 819200, "5 B/ns for what is written");
	flows_free(f);
	built_free(m);
}
