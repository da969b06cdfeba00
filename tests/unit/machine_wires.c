/* SPDX-License-Identifier: Apache-2.0 */
/* What can be wrong where nodes share wires, the whole message with its line; and who shares. */
#include "sim/machine/machine.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Four nodes, on line 3; what is added begins on line 4. */
#define NODE(base)                                                                                 \
	"{ memory = ( { base = \"" base "\"; size = \"1GiB\"; } ); "                               \
	"cpus = { count = 1; frequency = \"2GHz\"; }; }"
#define FOUR                                                                                       \
	"source = \"made up\"; architecture = \"x86_64\"; memory_model = \"sparse\";\n"            \
	"distances = ( \"10 20 20 20\", \"20 10 20 20\", \"20 20 10 20\", \"20 20 20 10\" );\n"    \
	"nodes = (" NODE("0") "," NODE("1GiB") "," NODE("2GiB") "," NODE("3GiB") ");\n"
#define BANK "bank = { latency = \"100ns\"; bandwidth = \"10GB/s\"; };\n"
/* Each pair 5 GB/s, but for a node and itself. */
#define DISTANCE(wires)                                                                            \
	"interconnect = { by_distance = { latency = \"100ns\"; bandwidth = \"10GB/s\"; };\n"       \
	"wires = (" wires "); };"
#define LEVELS(more)                                                                               \
	BANK "interconnect = { topology = \"two-level\";\n"                                        \
	     "link = { latency = \"10ns\"; bandwidth = \"8GB/s\"; };\n" more " };"
#define OUTER "outer_link = { latency = \"100ns\"; bandwidth = \"6GB/s\"; };"

static struct machine *parse(const char *text)
{
	struct diag d = DIAG_INIT;
	struct machine *m = NULL;

	cr_assert_eq(machine_parse(text, strlen(text), "m.cfg", &d, &m), 0, "%s:%u: %s",
		     d.error.file, d.error.line, d.error.text);
	diag_clear(&d);
	return m;
}

static void refused(const char *text, const char *message)
{
	struct diag d = DIAG_INIT;
	struct machine *m;
	char shown[1024];

	cr_assert_eq(machine_parse(text, strlen(text), "m.cfg", &d, &m), -EINVAL, "not refused: %s",
		     message);
	snprintf(shown, sizeof(shown), "%s:%u: %s", d.error.file, d.error.line, d.error.text);
	cr_assert_str_eq(shown, message, "got:      %s\nexpected: %s", shown, message);
	cr_assert_null(m);
	diag_clear(&d);
}

static int last_link(const struct machine *m, int from, int to)
{
	const struct machine_route *route = machine_route(m, from, to);

	return route->links[route->nr_links - 1];
}

Test(machine_wires, pairs_share_a_wire_each_way)
{
	struct machine *m =
		parse(FOUR DISTANCE("{ from = ( 0, 1 ); to = ( 2, 3 ); bandwidth = \"6GB/s\"; }"));

	for (int from = 0; from < 4; from++)
		for (int to = 0; to < 4; to++) {
			const struct machine_route *route = machine_route(m, from, to);

			if (from == to)
				continue;
			cr_expect_eq(route->latency_ps, 200000);
			cr_expect_eq(route->bytes_per_s, 5000000000);
			cr_expect_eq(route->nr_links, from / 2 == to / 2 ? 1 : 2);
			if (from / 2 != to / 2)
				cr_expect_eq(last_link(m, from, to),
					     last_link(m, from < 2 ? 0 : 2, to < 2 ? 0 : 2));
		}
	cr_expect_neq(last_link(m, 0, 2), last_link(m, 2, 0));
	cr_expect_eq(m->links[last_link(m, 1, 3)].bytes_per_s, 6000000000);
	machine_free(m);
}

/* The other way has none; and a pair may cross two wires. */
Test(machine_wires, one_way_and_one_after_the_other)
{
	struct machine *m = parse(FOUR DISTANCE(
		"{ from = ( 0, 1 ); to = ( 3 ); bandwidth = \"6GB/s\"; one_way = true; },"
		"{ from = ( 0 ); to = ( 3, 2 ); bandwidth = \"7GB/s\"; one_way = true; }"));

	cr_expect_eq(machine_route(m, 0, 3)->nr_links, 3);
	cr_expect_eq(machine_route(m, 1, 3)->nr_links, 2);
	cr_expect_eq(machine_route(m, 0, 2)->nr_links, 2);
	cr_expect_eq(machine_route(m, 3, 0)->nr_links, 1);
	machine_free(m);
}

/* Nodes of a group have links of their own, those of two groups one wire each way. */
Test(machine_wires, two_levels)
{
	struct machine *m = parse(FOUR LEVELS("group_size = 2; " OUTER));

	for (int from = 0; from < 4; from++)
		for (int to = 0; to < 4; to++) {
			const struct machine_route *route = machine_route(m, from, to);
			bool inner = from / 2 == to / 2;

			cr_expect_eq(route->nr_links, from != to);
			if (from == to)
				continue;
			cr_expect_eq(route->latency_ps, inner ? 110000 : 200000);
			cr_expect_eq(route->bytes_per_s, inner ? 8000000000 : 6000000000);
			if (!inner)
				cr_expect_eq(route->links[0],
					     last_link(m, from < 2 ? 0 : 2, to < 2 ? 0 : 2));
		}
	cr_expect_neq(last_link(m, 0, 1), last_link(m, 1, 0));
	cr_expect_neq(last_link(m, 0, 1), last_link(m, 2, 3));
	cr_expect_neq(last_link(m, 0, 2), last_link(m, 2, 0));
	machine_free(m);
}

Test(machine_wires, what_is_wrong_with_a_shared_wire)
{
	refused(FOUR DISTANCE("\n{ from = ( 0, 1 ); to = ( 2 ); bandwidth = \"4GB/s\"; }"),
		"m.cfg:6: interconnect.wires[0]: the wire carries 4000000000 bytes a second, less "
		"than the 5000000000 from node 0 to node 2 alone");
	refused(FOUR DISTANCE("\n{ from = ( 0, 1 ); to = ( 1 ); bandwidth = \"9GB/s\"; }"),
		"m.cfg:6: interconnect.wires[0]: the wire leads from node 1 to itself");
	refused(FOUR DISTANCE("{ from = ( 0,\n4 ); to = ( 1 ); bandwidth = \"9GB/s\"; }"),
		"m.cfg:6: interconnect.wires[0].from[1]: there is no node 4: the machine has nodes "
		"0 to 3");
	refused(FOUR DISTANCE("{ from = ( 0,\n0 ); to = ( 1 ); bandwidth = \"9GB/s\"; }"),
		"m.cfg:6: interconnect.wires[0].from[1]: node 0 is there already");
	refused(FOUR DISTANCE("{ from = ( ); to = ( 1 ); bandwidth = \"9GB/s\"; }"),
		"m.cfg:5: interconnect.wires[0].from: expected nodes, found none");
	refused(FOUR DISTANCE("{ from = ( 0 ); bandwidth = \"9GB/s\"; }"),
		"m.cfg:5: interconnect.wires[0]: 'to' is missing");
	refused(FOUR DISTANCE("{ from = ( 0 ); to = ( 1 ); bandwith = \"9GB/s\"; }"),
		"m.cfg:5: interconnect.wires[0].bandwith: unknown key 'bandwith', did you mean "
		"'bandwidth'? (known: from, to, bandwidth, write_bandwidth, queueing, source, "
		"one_way)");
}

Test(machine_wires, what_is_wrong_with_two_levels)
{
	refused(FOUR LEVELS("group_size = 2;"), "m.cfg:5: interconnect: 'outer_link' is missing");
	refused(FOUR LEVELS(OUTER), "m.cfg:5: interconnect: 'group_size' is missing");
	refused(FOUR LEVELS("group_size = 3; " OUTER),
		"m.cfg:7: interconnect.group_size: 4 nodes do not fill groups of 3");
	refused(FOUR BANK "interconnect = { topology = \"ring\"; link = { latency = \"10ns\"; "
			  "bandwidth = \"8GB/s\"; };\ngroup_size = 2; };",
		"m.cfg:6: interconnect.group_size: only a two-level topology has group_size");
	refused(FOUR BANK "interconnect = { topology = \"ring\"; link = { latency = \"10ns\"; "
			  "bandwidth = \"8GB/s\"; };\n" OUTER " };",
		"m.cfg:6: interconnect.outer_link: only a two-level topology has outer_link");
}
