/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes of a machine file whose memory is interleaved: what the kernel has of them, what cannot be.
 */
#include <criterion/criterion.h>

#include "tests/machine_refused.h"

#define FAR(b) "{ memory = ( " MEMORY(b, "1GiB") " ); }"
#define LINK                                                                                       \
	"interconnect = { link = { latency = \"50ns\"; bandwidth = \"5GB/s\"; };"                  \
	" topology = \"full\"; };\n"
/* Nodes 0 and 2 have CPUs, each has a GiB. What is added is on line 10. */
#define FOUR                                                                                       \
	HEAD BANK NODES(NODE(MEMORY("0", "1GiB"), CPU) ",\n" FAR("1GiB") ",\n" NODE(               \
		MEMORY("2GiB", "1GiB"), CPU) ",\n" FAR("3GiB")) LINK
#define SET(what) "interleave = ( { " what " } );\n"

/* 0, (1, 3), 2 become 0, 1, 2; each keeps the distances of its first. */
Test(interleave, sets_become_nodes)
{
	struct machine *m = accepted(FOUR "distances = ( ( 10, 15, 20, 25 ), ( 15, 10, 21, 26 ),\n"
					  "( 20, 21, 10, 27 ), ( 25, 26, 27, 10 ) );\n" SET(
						  "nodes = ( 3, 1 ); granularity = \"512B\";"));
	static const uint8_t distances[] = {10, 15, 20, 15, 10, 21, 20, 21, 10};
	static const int of[] = {0, 1, 2, 1};

	cr_assert_eq(m->mm.nr_nodes, 3);
	cr_assert_eq(machine_nr_places(m), 4);
	cr_assert_arr_eq(m->distance, distances, sizeof(distances));
	cr_assert_arr_eq(m->place_nid, of, sizeof(of));
	for (int i = 0; i < 4; i++)
		cr_assert_eq(m->memory[i].nid, of[i]);
	cr_assert_eq(m->cpu_nid[1], 2);
	cr_assert_eq(m->cpus[1].place, 2);
	cr_assert_eq(machine_nr_ways(m, 0), 1);
	cr_assert_eq(machine_nr_ways(m, 1), 2);
	cr_assert_eq(machine_way(m, 1, 0), 3, "in the order in which they are said");
	cr_assert_eq(machine_way(m, 1, 1), 1);
	cr_assert_eq(machine_way(m, 2, 0), 2);
	cr_assert_eq(m->ways[1].shift, 9);
	machine_free(m);
}

Test(interleave, two_sets_are_two_nodes)
{
	struct machine *m =
		accepted(FOUR "interleave = ( { nodes = ( 0, 1 ); }, { nodes = ( 2, 3 ); } );");

	cr_assert_eq(m->mm.nr_nodes, 2);
	cr_assert_eq(m->cpu_nid[1], 1);
	cr_assert_eq(m->ways[1].shift, 8, "256 B where it is not said");
	machine_free(m);
}

Test(interleave, without_it_nodes_are_places)
{
	struct machine *m = accepted(FOUR);

	cr_assert_eq(machine_nr_places(m), 4);
	cr_assert_null(m->ways);
	cr_assert_eq(machine_way(m, 3, 0), 3);
	machine_free(m);
}

Test(interleave, what_cannot_be_is_refused)
{
	refused(FOUR "interleave = ( );\n",
		"m.cfg:10: interleave: expected groups of nodes, found none");
	refused(FOUR SET("granularity = \"64B\";"), "m.cfg:10: interleave[0]: 'nodes' is missing");
	refused(FOUR SET("nodes = ( 1 );"),
		"m.cfg:10: interleave[0].nodes: expected 2 to 16 nodes, found 1");
	refused(FOUR SET("nodes = ( 1, 4 );"),
		"m.cfg:10: interleave[0].nodes[1]: there is no node 4: the machine has nodes 0 to "
		"3");
	refused(FOUR SET("nodes = ( 1, 1 );"),
		"m.cfg:10: interleave[0].nodes[1]: the memory of node 1 is interleaved already");
	refused(FOUR "interleave = ( { nodes = ( 0, 1 ); },\n{ nodes = ( 2, 1 ); } );",
		"m.cfg:11: interleave[1].nodes[1]: the memory of node 1 is interleaved already");
	refused(FOUR SET("nodes = ( 1, 3 ); granularity = \"96B\";"),
		"m.cfg:10: interleave[0].granularity: expected a power of two from 64 B to 1 GiB, "
		"the bytes that follow each other at a node, found 96 B");
	refused(FOUR SET("nodes = ( 1, 3 ); granularity = \"32B\";"),
		"m.cfg:10: interleave[0].granularity: expected a power of two from 64 B to 1 GiB, "
		"the bytes that follow each other at a node, found 32 B");
	refused(FOUR SET("nodes = ( 1, 3 ); granularity = \"64B\";") "cache_line = \"128B\";\n",
		"m.cfg:10: interleave[0].granularity: a line of 128 B is at several nodes, which "
		"go "
		"in turn after 64 B");
	refused(HEAD BANK NODES(NODE(MEMORY("0", "1GiB"), CPU) ",\n{ cpus = " CPU "; }")
			LINK SET("nodes = ( 0, 1 );"),
		"m.cfg:8: interleave[0].nodes[1]: node 1 has no memory");
}

/* A part each of what they have, though one has a quarter of the other. */
Test(interleave, uneven_nodes_are_told)
{
	static const char text[] = HEAD BANK NODES(NODE(MEMORY("0", "1GiB"), CPU) ",\n" NODE(
		MEMORY("1GiB", "256MiB"), CPU)) LINK SET("nodes = ( 0, 1 );");
	struct diag d = DIAG_INIT;
	struct machine *m;

	cr_assert_eq(machine_parse(text, strlen(text), "m.cfg", &d, &m), 0);
	cr_assert_eq(d.nr_warnings, 1);
	cr_assert_str_eq(
		d.warnings[0].text,
		"interleave[0].nodes: nodes of 268435456 to 1073741824 bytes have an equal "
		"part each of what they have altogether");
	diag_clear(&d);
	machine_free(m);
}
