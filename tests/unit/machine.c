/* SPDX-License-Identifier: Apache-2.0 */
/* Machine files: what they say is what the machine has. What is wrong in them: machine_errors.c. */
#include "sim/machine/machine.h"

#include "sim/machine/interconnect.h"

#include <criterion/criterion.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MACHINES SOURCE_DIR "/configs/machines/"

static struct machine *load(const char *path, const struct machine_override *sets, size_t nr,
			    unsigned nr_warnings)
{
	struct diag d = DIAG_INIT;
	struct machine *m = NULL;
	int err = machine_load(path, sets, nr, &d, &m);

	cr_assert_eq(err, 0, "%s:%u: %s", d.error.file, d.error.line, d.error.text);
	cr_assert_eq(d.nr_warnings, nr_warnings, "%s: %s", path,
		     d.nr_warnings ? d.warnings[0].text : "no warning");
	diag_clear(&d);
	return m;
}

static struct machine *parse(const char *text)
{
	struct diag d = DIAG_INIT;
	struct machine *m = NULL;

	cr_assert_eq(machine_parse(text, strlen(text), "a.cfg", &d, &m), 0, "%s:%u: %s",
		     d.error.file, d.error.line, d.error.text);
	cr_assert_eq(d.nr_warnings, 0);
	return m;
}

Test(machine, every_shipped_file_loads)
{
	glob_t files;

	cr_assert_eq(glob(MACHINES "*.cfg", 0, NULL, &files), 0);
	cr_assert_geq(files.gl_pathc, 18);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		const char *path = files.gl_pathv[i];
		/* Only the EPYC's distances are far from its latencies. */
		struct machine *m = load(path, NULL, 0, strstr(path, "epyc") != NULL);

		cr_assert_gt(strlen(m->description), 0, "%s", path);
		cr_assert_gt(strlen(m->source), 0, "%s", path);
		cr_assert_not_null(strstr(path, m->name), "%s is called %s", path, m->name);
		machine_free(m);
	}
	globfree(&files);
}

/* Each pair has the figures that were measured, and its links and bank make them. */
static void check_matrix(const struct machine *m, const uint64_t *latency_ps,
			 const uint64_t *bytes_per_s)
{
	int nr = m->mm.nr_nodes;

	for (int from = 0; from < nr; from++) {
		for (int to = 0; to < nr; to++) {
			const struct machine_route *r = machine_route(m, from, to);
			uint64_t latency = m->banks[to].latency_ps, rate = m->banks[to].bytes_per_s;

			cr_assert_eq(r->latency_ps, latency_ps[from * nr + to]);
			cr_assert_eq(r->bytes_per_s, bytes_per_s[from * nr + to]);
			for (int i = 0; r->bytes_per_s && i < r->nr_links; i++) {
				latency += m->links[r->links[i]].latency_ps;
				if (m->links[r->links[i]].bytes_per_s < rate)
					rate = m->links[r->links[i]].bytes_per_s;
			}
			cr_assert(!r->bytes_per_s || latency == r->latency_ps);
			cr_assert(!r->bytes_per_s || rate == r->bytes_per_s);
		}
	}
}

#define MB UINT64_C(1000000)

Test(machine, measured_matrix_comes_back)
{
	static const uint64_t latency[] = {77900, 143200, 144400, 78400};
	static const uint64_t rate[] = {113100 * MB, 50900 * MB, 50900 * MB, 113200 * MB};
	struct machine *m = load(MACHINES "xeon-8269cy-2s.cfg", NULL, 0, 0);

	check_matrix(m, latency, rate);
	cr_assert_eq(m->mm.nr_cpus, 52);
	cr_assert_eq(m->banks[1].latency_ps, 78400);
	cr_assert_eq(m->nr_links, 2);
	cr_assert_str_eq(m->links[0].name, "link1-0");
	cr_assert_eq(m->links[0].latency_ps, 144400 - 77900);
	cr_assert_eq(m->nr_caches, 3);
	cr_assert_eq(m->cache_line_bytes, 64);
	cr_assert_eq(m->caches[2].size_bytes, 36608 * 1024);
	cr_assert(m->caches[2].per_node && !m->caches[1].per_node);
	machine_free(m);
}

/* Asymmetric, a node without CPUs, and a CPU that is not the nearest to its own bank. */
Test(machine, asymmetric_matrix_with_a_node_without_cpus)
{
	static const uint64_t latency[] = {
		107500, 117100, 200700, 200700, 279400, /* node 0 */
		115800, 106800, 199900, 199900, 278800, /* node 1 */
		200000, 200100, 106800, 115800, 363800, /* node 2 */
		199000, 199000, 115600, 105900, 363500, /* node 3 */
		0,      0,      0,      0,      0,      /* node 4: no CPUs */
	};
	static const uint64_t rate[] = {
		99800 * MB,  99800 * MB,  76600 * MB,  76700 * MB,  17600 * MB, /* node 0 */
		101200 * MB, 101300 * MB, 77100 * MB,  77100 * MB,  17600 * MB, /* node 1 */
		76900 * MB,  77600 * MB,  101100 * MB, 99600 * MB,  17600 * MB, /* node 2 */
		76700 * MB,  77400 * MB,  101000 * MB, 100900 * MB, 17600 * MB, /* node 3 */
		0,           0,           0,           0,           0,          /* node 4 */
	};
	struct machine *m = load(MACHINES "epyc-9224-cxl.cfg", NULL, 0, 1);
	const struct machine_route *own;

	check_matrix(m, latency, rate);
	cr_assert_eq(m->mm.nr_cpus, 96);
	cr_assert_eq(m->mm.distance[0 * 5 + 4], 50);
	cr_assert_eq(m->mm.distance[4 * 5 + 0], 255);
	/* Node 1 reads bank 0 faster than node 0 does: node 0 has a narrower link of its own. */
	own = machine_route(m, 0, 0);
	cr_assert_eq(own->nr_links, 1);
	cr_assert_str_eq(m->links[own->links[0]].name, "link0-0");
	cr_assert_eq(m->links[own->links[0]].latency_ps, 0);
	machine_free(m);
}

Test(machine, distances_far_from_latencies_are_warned_of_once)
{
	struct diag d = DIAG_INIT;
	struct machine *m;

	cr_assert_eq(machine_load(MACHINES "epyc-9224-cxl.cfg", NULL, 0, &d, &m), 0);
	cr_assert_eq(d.nr_warnings, 1);
	/* 5.0 against 279.4 / 107.5 = 2.60 is further off than 3.2 against 1.87. */
	cr_assert_str_eq(d.warnings[0].text,
			 "distances: distances and latencies disagree by more than 15 %, most from "
			 "node 0 to node 4: 5.0x the local one by distance, 2.60x by latency");
	cr_assert_str_eq(d.warnings[0].file, MACHINES "epyc-9224-cxl.cfg");
	cr_assert_gt(d.warnings[0].line, 1);
	machine_free(m);
	diag_clear(&d);
}

static void check_route(const struct machine *m, int from, int to, const char *links)
{
	const struct machine_route *r = machine_route(m, from, to);
	char text[256] = "";

	for (int i = 0; i < r->nr_links; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " %s",
			 m->links[r->links[i]].name);
	cr_assert_str_eq(text, links, "%d to %d: %s", from, to, text);
}

Test(machine, ring_adds_up_its_links)
{
	struct machine *m = load(MACHINES "ring8.cfg", NULL, 0, 0);

	cr_assert_eq(m->nr_links, 16);
	for (int from = 0; from < 8; from++) {
		for (int to = 0; to < 8; to++) {
			int apart = abs(from - to);
			int hops = apart < 4 ? apart : 8 - apart;
			const struct machine_route *r = machine_route(m, from, to);

			cr_assert_eq(r->nr_links, hops);
			cr_assert_eq(r->latency_ps, 77900 + 65300 * (uint64_t)hops);
			cr_assert_eq(r->bytes_per_s, (hops ? 50900 : 113100) * MB);
		}
	}
	/* Both ways round are as long: the lower node numbers. */
	check_route(m, 0, 4, " link0-1 link1-2 link2-3 link3-4");
	check_route(m, 2, 6, " link2-1 link1-0 link0-7 link7-6");
	check_route(m, 5, 1, " link5-4 link4-3 link3-2 link2-1");
	machine_free(m);
}

/* A machine of `nodes` and what follows, with a bank of 100 ns and 10 GB/s. */
#define MACHINE(nodes, rest)                                                                       \
	"source = \"made up\"; architecture = \"x86_64\"; memory_model = \"sparse\";\n"            \
	"bank = { latency = \"100ns\"; bandwidth = \"10GB/s\"; };\n"                               \
	"nodes = (" nodes ");\n" rest
#define NODE(base)                                                                                 \
	"{ memory = ( { base = \"" base "\"; size = \"1GiB\"; } );"                                \
	"  cpus = { count = 1; frequency = \"2GHz\"; }; }"
#define LINK       "link = { latency = \"50ns\"; bandwidth = \"5GB/s\"; };"
#define FOUR_NODES NODE("0") "," NODE("1GiB") "," NODE("2GiB") "," NODE("3GiB")

Test(machine, two_nodes_in_a_ring_have_one_link_each_way)
{
	struct machine *m = parse(MACHINE(NODE("0") "," NODE("1GiB"),
					  "interconnect = { topology = \"ring\"; " LINK " };"));

	cr_assert_eq(m->nr_links, 2);
	check_route(m, 0, 1, " link0-1");
	machine_free(m);
}

Test(machine, full_and_mesh)
{
	struct machine *m =
		parse(MACHINE(FOUR_NODES, "interconnect = { topology = \"full\"; " LINK " };"));

	cr_assert_eq(m->nr_links, 4 * 3);
	check_route(m, 0, 3, " link0-3");
	cr_assert_eq(machine_route(m, 0, 3)->latency_ps, 150000);
	cr_assert_eq(machine_route(m, 0, 3)->bytes_per_s, 5000 * MB);
	machine_free(m);

	/* 0 1
	 * 2 3 */
	m = parse(MACHINE(FOUR_NODES,
			  "interconnect = { topology = \"mesh\"; columns = 2; " LINK " };"));
	cr_assert_eq(m->nr_links, 4 * 2);
	check_route(m, 0, 3, " link0-1 link1-3");
	check_route(m, 3, 0, " link3-1 link1-0");
	check_route(m, 1, 2, " link1-0 link0-2");
	cr_assert_eq(machine_route(m, 0, 3)->latency_ps, 200000);
	machine_free(m);
}

/* 0 to 3: 0-2-3 takes 40 ns, 0-1-3 takes 40 ns, the direct link 40 ns: fewest links. */
Test(machine, ties_go_to_fewer_links_then_to_lower_nodes)
{
#define WIRE(from, to, latency)                                                                    \
	"{ from = " from "; to = " to "; latency = \"" latency "\"; bandwidth = \"1GB/s\"; }"
	struct machine *m = parse(MACHINE(
		FOUR_NODES,
		"interconnect = { links = (" WIRE("2", "3", "20ns") "," WIRE(
			"0", "2",
			"20ns") "," WIRE("1", "3",
					 "20ns") "," WIRE("0", "1",
							  "20ns") "," WIRE("0", "3",
									   "40ns") "); };"));

	check_route(m, 0, 3, " link0-3");
	check_route(m, 3, 0, " link3-0");
	check_route(m, 1, 2, " link1-0 link0-2"); /* and not 1-3-2, as long */
	check_route(m, 2, 1, " link2-0 link0-1");
	machine_free(m);
}

/* One way there, the long way round back. */
Test(machine, one_way_links)
{
	struct machine *m = parse(
		MACHINE(NODE("0") "," NODE("1GiB") "," NODE("2GiB"),
			"interconnect = { " LINK " links = ( { from = 0; to = 1; one_way = true; },"
			"{ from = 1; to = 2; one_way = true; latency = \"7ns\"; },"
			"{ from = 2; to = 0; one_way = true; bandwidth = \"1GB/s\"; } ); };"));

	cr_assert_eq(m->nr_links, 3);
	check_route(m, 0, 2, " link0-1 link1-2");
	cr_assert_eq(machine_route(m, 0, 2)->latency_ps, 100000 + 50000 + 7000);
	cr_assert_eq(machine_route(m, 0, 2)->bytes_per_s, 5000 * MB);
	check_route(m, 1, 0, " link1-2 link2-0");
	cr_assert_eq(machine_route(m, 1, 0)->bytes_per_s, 1000 * MB);
	machine_free(m);
}

/* Latencies 90, 300, 50 ns: by way of node 1 it would be shorter than what was measured. */
Test(machine, a_matrix_is_not_routed)
{
	struct machine *m = parse(
		"source = \"made up\"; architecture = \"x86_64\"; memory_model = \"sparse\";\n"
		"nodes = (" NODE("0") "," NODE("1GiB") "," NODE(
			"2GiB") ");\n"
				"interconnect = { latency = ( [ \"50ns\", \"60ns\", \"300ns\" ],"
				" [ \"60ns\", \"50ns\", \"60ns\" ], [ \"300ns\", \"60ns\", "
				"\"50ns\" ] );"
				"bandwidth = ( [ \"9GB/s\", \"9GB/s\", \"9GB/s\" ],"
				" [ \"9GB/s\", \"9GB/s\", \"9GB/s\" ], [ \"9GB/s\", \"9GB/s\", "
				"\"9GB/s\" ] ); };");

	check_route(m, 0, 2, " link0-2");
	cr_assert_eq(machine_route(m, 0, 2)->latency_ps, 300000);
	check_route(m, 0, 0, "");
	machine_free(m);
}

/* 80 ns and 12 GB/s at distance 10: 160 ns and 6 GB/s at 20, 240 ns and 4 GB/s at 30. */
Test(machine, wires_by_distance)
{
	struct machine *m = parse(
		"source = \"made up\"; architecture = \"x86_64\"; memory_model = \"sparse\";\n"
		"nodes = (" NODE("0") "," NODE("1GiB") ");\n"
						       "distances = ( \"10 20\", \" 30  10 \" );\n"
						       "interconnect = { by_distance = { latency = "
						       "\"80ns\"; bandwidth = \"12GB/s\"; }; };");

	cr_assert_eq(machine_route(m, 0, 0)->latency_ps, 80000);
	cr_assert_eq(machine_route(m, 0, 0)->bytes_per_s, 12000 * MB);
	cr_assert_eq(machine_route(m, 0, 1)->latency_ps, 160000);
	cr_assert_eq(machine_route(m, 0, 1)->bytes_per_s, 6000 * MB);
	cr_assert_eq(machine_route(m, 1, 0)->latency_ps, 240000);
	cr_assert_eq(machine_route(m, 1, 0)->bytes_per_s, 4000 * MB);
	cr_assert_eq(m->distance[1], 20);
	cr_assert_eq(m->distance[2], 30);
	machine_free(m);
}

Test(machine, nodes_without_cpus_or_memory)
{
	struct machine *m =
		parse(MACHINE("{ id = 2; memory = ( { base = \"1GiB\"; size = \"1GiB\"; } ); },"
			      "{ id = 1; cpus = { count = 2; frequency = \"3GHz\"; }; },"
			      "{ id = 0; memory = ( { base = \"0\"; size = \"1GiB\"; } );"
			      "  cpus = { count = 1; frequency = \"2GHz\"; }; }",
			      "interconnect = { topology = \"ring\"; " LINK " };"));

	/* By node, whatever their order in the file; memory by address. */
	cr_assert_eq(m->mm.nr_cpus, 3);
	cr_assert_eq(m->mm.cpu_nid[0], 0);
	cr_assert_eq(m->mm.cpu_nid[2], 1);
	cr_assert_eq(m->memory[1].nid, 2);
	cr_assert_eq(m->banks[1].bytes_per_s, 0);
	cr_assert_eq(machine_route(m, 1, 1)->bytes_per_s, 0);
	cr_assert_eq(machine_route(m, 2, 0)->bytes_per_s, 0);
	cr_assert_eq(machine_route(m, 1, 2)->latency_ps, 150000);
	machine_free(m);
}

Test(machine, cpu_ids)
{
	struct machine *m =
		parse(MACHINE("{ memory = ( { base = \"0\"; size = \"1GiB\"; } );"
			      "  cpus = { ids = [ 0, 2 ]; frequency = \"2GHz\"; }; },"
			      "{ memory = ( { base = \"1GiB\"; size = \"1GiB\"; } );"
			      "  cpus = { ids = [ 3, 1 ]; frequency = \"3GHz\"; count = 2; }; }",
			      "interconnect = { topology = \"full\"; " LINK " };"));

	cr_assert_eq(m->mm.nr_cpus, 4);
	for (int cpu = 0; cpu < 4; cpu++) {
		cr_assert_eq(m->mm.cpu_nid[cpu], cpu % 2);
		cr_assert_eq(m->cpu_nid[cpu], cpu % 2);
		cr_assert_eq(m->cpus[cpu].freq_hz, UINT64_C(1000000000) * (cpu % 2 ? 3 : 2));
	}
	machine_free(m);
}

Test(machine, defaults)
{
	struct machine *m = parse(MACHINE(NODE("0") "," NODE("1GiB"),
					  "interconnect = { topology = \"full\"; " LINK " };"));
	struct mm_params params = mm_params_default();

	cr_assert_str_eq(m->name, "a");
	cr_assert_str_eq(m->description, "");
	cr_assert_eq(m->mm.distance[0], 10);
	cr_assert_eq(m->mm.distance[1], 20);
	cr_assert_eq(m->mm.distance[2], 20);
	cr_assert_eq(m->mm.distance[3], 10);
	cr_assert_eq(m->mm.params.min_free_kbytes, MM_PARAM_DEFAULT);
	cr_assert_eq(m->mm.params.watermark_scale_factor, params.watermark_scale_factor);
	cr_assert_eq(m->mm.params.lowmem_reserve_ratio[MM_ZONE_DMA32], 256);
	cr_assert_eq(m->cache_line_bytes, 0);
	cr_assert_eq(m->nr_caches, 0);
	cr_assert_eq(m->mm.nr_presets, 0);
	cr_assert_eq(m->mm.nr_reserved, 0);
	cr_assert_eq(m->model_line, 1);
	machine_free(m);
}

Test(machine, kernel_parameters_and_zones)
{
	struct machine *m = parse(MACHINE(
		NODE("0"), "kernel = { min_free_kbytes = 4096; watermark_scale_factor = 20;"
			   "  lowmem_reserve_ratio = [ 128, 64, 32, 0, 1 ]; kernelcore = \"1GiB\";"
			   "  movablecore = \"2GiB\"; percpu_pagelist_high_fraction = 8;"
			   "  fault_around_bytes = \"100KiB\"; read_ahead_kb = 64;"
			   "  transparent_hugepage = \"never\"; };\n"
			   "reserved = ( { base = \"0x1000\"; size = \"5KiB\"; what = \"x\";"
			   "  holds = \"per-cpu\"; } );"
			   "reservations = \"complete\";"
			   "released_late = ( { base = \"0x1800\"; size = \"3KiB\";"
			   "  what = \"y\"; before_initcalls = true; } );"
			   "zones = ( { node = 0; zone = \"DMA32\"; managed = 10; free = 9; },"
			   "          { node = 0; zone = \"DMA\"; free = 7; } );"));
	const struct mm_params *p = &m->mm.params;

	cr_assert_eq(p->min_free_kbytes, 4096);
	cr_assert_eq(p->watermark_scale_factor, 20);
	cr_assert_eq(p->fault_around_bytes, 64 << 10, "rounded down to a power of two");
	cr_assert_eq(p->read_ahead_kb, 64);
	cr_assert_eq(p->lowmem_reserve_ratio[MM_ZONE_DMA], 128);
	cr_assert_eq(p->lowmem_reserve_ratio[MM_ZONE_DMA32], 64);
	cr_assert_eq(p->lowmem_reserve_ratio[MM_ZONE_NORMAL], 32);
	cr_assert_eq(p->lowmem_reserve_ratio[MM_ZONE_HIGHMEM],
		     mm_params_default().lowmem_reserve_ratio[MM_ZONE_HIGHMEM]);
	cr_assert_eq(p->lowmem_reserve_ratio[MM_ZONE_DEVICE], 1);
	cr_assert_eq(p->kernelcore_bytes, UINT64_C(1) << 30);
	cr_assert_eq(p->movablecore_bytes, UINT64_C(2) << 30);
	cr_assert_eq(p->percpu_pagelist_high_fraction, 8);
	cr_assert(!p->thp);
	cr_assert_eq(m->mm.nr_reserved, 1);
	cr_assert_eq(m->reserved[0].start, 4096);
	cr_assert_eq(m->reserved[0].bytes, 5120);
	cr_assert_eq(m->reserved[0].holds, MM_HOLDS_PER_CPU);
	cr_assert(m->mm.reservations_complete);
	cr_assert_eq(m->mm.nr_late, 1);
	cr_assert_eq(m->late[0].start, 0x1800);
	cr_assert_eq(m->late[0].bytes, 3072);
	cr_assert(m->late[0].before_initcalls);
	cr_assert_eq(m->mm.nr_presets, 2);
	cr_assert_eq(m->presets[0].zone, 1);
	cr_assert(m->presets[0].has_managed && m->presets[0].managed == 10);
	cr_assert(m->presets[0].has_free && m->presets[0].free == 9);
	cr_assert(!m->presets[1].has_managed && m->presets[1].has_free);
	machine_free(m);
}

Test(machine, node_of_an_address)
{
	struct machine *m = load(MACHINES "W1b_touch_4k_2x512m.cfg", NULL, 0, 0);

	cr_assert_eq(machine_node_of(m, 0), MM_NO_NODE);
	cr_assert_eq(machine_node_of(m, 4096), 0);
	cr_assert_eq(machine_node_of(m, 0x9efff), 0);
	cr_assert_eq(machine_node_of(m, 0x9f000), MM_NO_NODE);
	cr_assert_eq(machine_node_of(m, 0x100000), 0);
	cr_assert_eq(machine_node_of(m, 0x1fffffff), 0);
	cr_assert_eq(machine_node_of(m, 0x20000000), 1);
	cr_assert_eq(machine_node_of(m, 0x3ffdcfff), 1);
	cr_assert_eq(machine_node_of(m, 0x3ffdd000), MM_NO_NODE);
	cr_assert_eq(machine_node_of(m, UINT64_MAX), MM_NO_NODE);
	machine_free(m);
}

/* Memory as the kernel found it, remote memory at the 143.2 ns of the machine it borrows from. */
Test(machine, w1b)
{
	struct machine *m = load(MACHINES "W1b_touch_4k_2x512m.cfg", NULL, 0, 0);
	struct machine *uma = load(MACHINES "W1b-uma-1g.cfg", NULL, 0, 0);

	cr_assert_eq(m->mm.nr_cpus, 4);
	cr_assert_eq(m->mm.nr_memory, 3);
	cr_assert_eq(m->mm.params.min_free_kbytes, 3815);
	cr_assert_eq(machine_route(m, 0, 0)->latency_ps, 77900);
	cr_assert_eq(machine_route(m, 0, 1)->latency_ps, 143200);
	cr_assert_eq(machine_route(m, 1, 0)->bytes_per_s, 50900 * MB);
	cr_assert_eq(m->mm.distance[1], 21);
	cr_assert_eq(m->mm.nr_presets, 3);
	cr_assert_eq(m->presets[2].nid, 1);
	cr_assert_eq(m->presets[2].managed, 128304);
	cr_assert_eq(m->presets[2].free, 121994);

	cr_assert_eq(uma->mm.nr_nodes, 1);
	cr_assert_eq(uma->mm.nr_cpus, 4);
	cr_assert_eq(uma->mm.nr_presets, 2);
	cr_assert_eq(uma->presets[0].free, m->presets[0].free);
	cr_assert_eq(uma->presets[1].managed, m->presets[1].managed + m->presets[2].managed);
	cr_assert_eq(uma->presets[1].free, m->presets[1].free + m->presets[2].free);
	machine_free(uma);
	machine_free(m);
}

Test(machine, set_doubles_the_remote_latency)
{
	static const struct machine_override sets[] = {
		{"interconnect.link.latency", "208.5ns"},
		{"memory_model", "sparse"},
	};
	/* 2.1 by distance is far from 3.68 by latency: a warning. */
	struct machine *m = load(MACHINES "W1b_touch_4k_2x512m.cfg", sets, 2, 1);

	cr_assert_eq(machine_route(m, 0, 1)->latency_ps, 2 * 143200);
	cr_assert_eq(machine_route(m, 0, 0)->latency_ps, 77900);
	cr_assert_eq(m->mm.model, MM_SPARSE);
	machine_free(m);
}

Test(machine, set_an_entry_of_a_matrix)
{
	static const struct machine_override set = {"interconnect.latency[0][1]", "150ns"};
	struct machine *m = load(MACHINES "xeon-8269cy-2s.cfg", &set, 1, 0);

	cr_assert_eq(machine_route(m, 0, 1)->latency_ps, 150000);
	cr_assert_eq(machine_route(m, 1, 0)->latency_ps, 144400);
	machine_free(m);
}

/* The first fenced block of the documentation is a whole machine file. */
Test(machine, documented_example_loads)
{
	char text[8192], *begin, *end;
	FILE *f = fopen(SOURCE_DIR "/docs/machine-files.md", "r");
	struct machine *m;

	cr_assert_not_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	begin = strstr(text, "```\n");
	cr_assert_not_null(begin);
	begin += strlen("```\n");
	end = strstr(begin, "```");
	cr_assert_not_null(end);
	*end = '\0';
	m = parse(begin);
	cr_assert_eq(machine_route(m, 1, 0)->latency_ps, 144400);
	machine_free(m);
}
