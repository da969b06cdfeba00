/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Wires that pairs of nodes share, against closed forms. Four nodes of 20 B/ns; each reads from the
 * others over 10 B/ns, 100 ns away, and has 1024 lines in flight: it is bandwidth that counts.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "sim/sim.h"

static const struct costs no_costs;

#define BYTES 1048576
#define NODE(base)                                                                                 \
	"{ memory = ( { base = \"" base "\"; size = \"1GiB\"; } ); cpus = { count = 1; "           \
	"frequency = \"2GHz\"; fill_buffers = 1024; }; }"
#define FOUR                                                                                       \
	"source = \"made up\"; architecture = \"x86_64\"; memory_model = \"sparse\"; "             \
	"distances = ( \"10 20 20 20\", \"20 10 20 20\", \"20 20 10 20\", \"20 20 20 10\" ); "     \
	"nodes = (" NODE("0") "," NODE("1GiB") "," NODE("2GiB") "," NODE(                          \
		"3GiB") "); "                                                                      \
			"cache_line = \"64B\"; "
#define MATRIX "interconnect = { by_distance = { latency = \"50ns\"; bandwidth = \"20GB/s\"; }; "

/* Where each CPU reads from; -1: it does not. */
struct plan {
	int to[4];
	bool write;
};

static void read_bytes(struct sim *s, int cpu, void *arg)
{
	const struct plan *p = arg;

	if (p->to[cpu] < 0)
		return;
	sim_stream(s, cpu,
		   &(struct sim_stream){.at = ((phys_addr_t)p->to[cpu] << 30) + (1 << 29),
					.bytes_read = p->write ? 0 : BYTES,
					.bytes_written = p->write ? BYTES : 0});
	sim_settle(s, cpu);
}

/* Bytes a nanosecond of each, by what the last one takes, in hundredths. */
static uint64_t rate(const char *text, struct plan plan)
{
	struct diag d = DIAG_INIT;
	struct machine *m = NULL;
	struct sim *s;
	uint64_t ps = 0;

	cr_assert_eq(machine_parse(text, strlen(text), "m.cfg", &d, &m), 0, "%s", d.error.text);
	cr_assert_eq(sim_create(m, &no_costs, &d, &s), 0);
	for (int cpu = 0; cpu < 4; cpu++)
		cr_assert_eq(sim_spawn(s, cpu, read_bytes, &plan), 0);
	cr_assert_eq(sim_run(s), 0);
	for (int cpu = 0; cpu < 4; cpu++) {
		const struct cpu_account *a = sim_account(s, cpu);

		if (a->total_ps - a->cause_ps[CAUSE_IDLE] > ps)
			ps = a->total_ps - a->cause_ps[CAUSE_IDLE];
	}
	sim_destroy(s);
	machine_free(m);
	diag_clear(&d);
	return ((uint64_t)BYTES * 100 * 1000 + ps / 2) / ps;
}

static const struct plan alone = {.to = {2, -1, -1, -1}};
static const struct plan side_by_side = {.to = {2, 3, -1, -1}};
static const struct plan both_ways = {.to = {2, -1, 0, -1}};
static const struct plan within = {.to = {1, 0, -1, -1}};

/* A machine a process. */
#define RATE(name, text, plan, expected)                                                           \
	Test(shared_wires, name)                                                                   \
	{                                                                                          \
		cr_expect_eq(rate(text, plan), expected);                                          \
	}

/* 10 B/ns each over links of their own; 12 B/ns together where they share a wire. */
#define WIRE MATRIX "wires = ( { from = ( 0, 1 ); to = ( 2, 3 ); bandwidth = \"12GB/s\"; } ); };"
RATE(pairs_of_a_matrix_have_their_own, FOUR MATRIX "};", side_by_side, 1000)
RATE(a_lone_pair_has_what_was_measured, FOUR WIRE, alone, 1000)
RATE(pairs_share_a_wire, FOUR WIRE, side_by_side, 600)
RATE(the_way_back_is_another_one, FOUR WIRE, both_ways, 1000)
RATE(other_pairs_are_not_on_it, FOUR WIRE, within, 1000)

/* Three of them: 12 / 3. */
#define THREE MATRIX "wires = ( { from = ( 0, 1, 2 ); to = ( 3 ); bandwidth = \"12GB/s\"; } ); };"
static const struct plan three = {.to = {3, 3, 3, -1}};
RATE(shares_are_equal, FOUR THREE, three, 400)

/* What is written goes its own way, of 4 B/ns for both. */
#define WRITES                                                                                     \
	MATRIX "wires = ( { from = ( 0, 1 ); to = ( 2, 3 ); bandwidth = \"12GB/s\"; "              \
	       "write_bandwidth = \"4GB/s\"; } ); };"
static const struct plan writing = {.to = {2, 3, -1, -1}, .write = true};
RATE(writes_share_theirs, FOUR WRITES, writing, 200)
RATE(reads_have_the_other, FOUR WRITES, side_by_side, 600)

/* Links within a group are each pair's own; between groups there is one wire. */
#define LEVELS                                                                                     \
	"bank = { latency = \"50ns\"; bandwidth = \"20GB/s\"; }; "                                 \
	"interconnect = { topology = \"two-level\"; group_size = 2; "                              \
	"link = { latency = \"10ns\"; bandwidth = \"16GB/s\"; }; "                                 \
	"outer_link = { latency = \"50ns\"; bandwidth = \"12GB/s\"; }; };"
RATE(two_levels_alone, FOUR LEVELS, alone, 1200)
RATE(two_levels_share, FOUR LEVELS, side_by_side, 600)
RATE(two_levels_back, FOUR LEVELS, both_ways, 1200)
RATE(two_levels_within, FOUR LEVELS, within, 1600)
