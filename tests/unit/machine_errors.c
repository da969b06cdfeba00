/* SPDX-License-Identifier: Apache-2.0 */
/* What can be wrong in a machine file: the whole message, with its line, for each. */
#include "tests/machine_refused.h"

Test(machine_errors, unknown_keys)
{
	refused(ONE "nods = 1;", "m.cfg:6: nods: unknown key 'nods', did you mean 'nodes'? (known: "
				 "name, description, source, architecture, memory_model, nodes, "
				 "distances, bank, interconnect, caches, cache_line, kernel, "
				 "reservations, reserved, released_late, zones, disks, "
				 "line_transfers, tlb, interleave)");
	refused(HEAD BANK NODES("{ memroy = ( ); }"),
		"m.cfg:4: nodes[0].memroy: unknown key 'memroy', did you mean 'memory'? (known: "
		"id, memory, cpus, shares_cpus_with, interleave_weight, bank, source)");
	refused(HEAD BANK NODES(NODE("{ base = \"0\"; sise = 1; }", CPU)),
		"m.cfg:4: nodes[0].memory[0].sise: unknown key 'sise', did you mean 'size'? "
		"(known: base, size, hotpluggable, mirrored, source)");
	refused(HEAD BANK NODES(NODE(MEMORY("0", "1GiB"), "{ cuont = 1; }")),
		"m.cfg:4: nodes[0].cpus.cuont: unknown key 'cuont', did you mean 'count'? "
		"(known: count, frequency, ids, fill_buffers, prefetched, prefetch_streams, "
		"threads_per_core, thread_share, source)");
	refused(ONE "kernel = { minfree = 1; };",
		"m.cfg:6: kernel.minfree: unknown key 'minfree' (known: min_free_kbytes, "
		"watermark_scale_factor, lowmem_reserve_ratio, kernelcore, movablecore, "
		"movable_node, percpu_pagelist_high_fraction, mem, memmap, numa_off, numa_fake, "
		"transparent_hugepage, transparent_hugepage_defrag, khugepaged, "
		"default_hugepagesz, hugepages, fault_around_bytes, tmpfs_size, read_ahead_kb, "
		"cma, swap, "
		"swap_disk, file_disk, profile, "
		"crashkernel, hotplug_end, slub_debug, slab_nomerge, slub_min_order, "
		"slub_max_order, slub_min_objects, xsave, page_owner, page_table_check, vmalloc, "
		"vmsplit, la57, sysctl, hotplug, memory_block, source)");
	refused(ONE "interconnect = { topolgy = \"full\"; };",
		"m.cfg:6: interconnect.topolgy: unknown key 'topolgy', did you mean 'topology'? "
		"(known: topology, columns, link, outer_link, links, source, group_size)");
}

Test(machine_errors, kernel_profiles)
{
	refused(ONE "kernel = { profile = \"debian-12-amd46\"; };",
		"m.cfg:6: kernel.profile: there is no kernel profile 'debian-12-amd46', did you "
		"mean 'debian-12-amd64'?");
	refused(ONE "kernel = { profile = \"freebsd\"; };",
		"m.cfg:6: kernel.profile: there is no kernel profile 'freebsd'");
	refused(ONE "kernel = { profile = \"debian-12-686\"; };",
		"m.cfg:6: kernel.profile: the kernel profile 'debian-12-686' is for i386-nopae, "
		"the "
		"machine is x86_64");
	refused(ONE "kernel = { profile = \"./mine.cfg\"; };",
		"m.cfg:6: kernel.profile: a path is possible in files only");
	refused(ONE "kernel = { crashkernel = \"64MiB\"; };",
		"m.cfg:6: kernel.crashkernel: needs a 'profile', which says where it goes; or list "
		"it in 'reserved'");
}

Test(machine_errors, unknown_names)
{
	refused("source = \"x\";\narchitecture = \"x86-64\";",
		"m.cfg:2: architecture: unknown architecture 'x86-64', did you mean 'x86_64'? "
		"(known: x86_64, i386, i386-nopae, arm64)");
	refused("source = \"x\"; architecture = \"i386\";\nmemory_model = \"sparce\";",
		"m.cfg:2: memory_model: unknown memory model 'sparce', did you mean 'sparse'? "
		"(known: flat, discontig, sparse, sparse-vmemmap)");
	refused(ONE "interconnect = { topology = \"rign\"; };",
		"m.cfg:6: interconnect.topology: unknown topology 'rign', did you mean 'ring'? "
		"(known: full, ring, mesh, two-level)");
	refused(ONE "zones = ( { node = 0; zone = \"DMA23\"; free = 1; } );",
		"m.cfg:6: zones[0].zone: unknown zone 'DMA23', did you mean 'DMA32'? (known: DMA, "
		"DMA32, Normal, Movable, Device)");
	refused(ONE "zones = ( { node = 0; zone = \"HighMem\"; free = 1; } );",
		"m.cfg:6: zones[0].zone: unknown zone 'HighMem' (known: DMA, DMA32, Normal, "
		"Movable, Device)");
	refused(ONE "kernel = { transparent_hugepage = \"on\"; };",
		"m.cfg:6: kernel.transparent_hugepage: unknown setting 'on' (known: never, "
		"madvise, always)");
	refused(ONE "kernel = { transparent_hugepage_defrag = \"defer+always\"; };",
		"m.cfg:6: kernel.transparent_hugepage_defrag: unknown setting 'defer+always' "
		"(known: never, madvise, defer+madvise, defer, always)");
	refused(ONE "kernel = { hugepages = \"2M\"; };",
		"m.cfg:6: kernel.hugepages: expected an integer, found the string \"2M\"");
	refused(ONE "kernel = { hugepages = [ 1, -1 ]; };",
		"m.cfg:6: kernel.hugepages[1]: expected an integer from 0 to 2147483647, found -1");
}

Test(machine_errors, what_has_to_be_there)
{
	refused("", "m.cfg:1: 'source' is missing");
	refused("source = \"\";", "m.cfg:1: source: expected where the hardware numbers come from, "
				  "found nothing");
	refused("source = \"x\";", "m.cfg:1: 'architecture' is missing");
	refused("source = \"x\"; architecture = \"i386\";", "m.cfg:1: 'memory_model' is missing");
	refused(HEAD, "m.cfg:1: 'nodes' is missing");
	refused(HEAD BANK NODES(""),
		"m.cfg:3: nodes: expected 1 to 1024 nodes (x86_64 has no more), found 0");
	refused(HEAD BANK NODES("{ cpus = " CPU "; }"),
		"m.cfg:3: nodes: the machine has no memory: no node has `memory`");
	refused(HEAD BANK NODES("{ memory = ( " MEMORY("0", "1GiB") " ); }"),
		"m.cfg:3: nodes: the machine has no CPUs: no node has `cpus`");
	refused(HEAD NODES(NODE(MEMORY("0", "1GiB"), CPU)),
		"m.cfg:3: nodes[0]: 'bank' is missing: latency and bandwidth of its memory stand "
		"in "
		"the node, at top level, or in the matrices of `interconnect`");
	refused(HEAD BANK NODES(NODE(MEMORY("0", "1GiB"), "{ count = 1; }")),
		"m.cfg:4: nodes[0].cpus: 'frequency' is missing");
}

Test(machine_errors, memory)
{
	refused(HEAD BANK NODES(NODE(MEMORY("0", "1GiB") "," MEMORY("4GiB", "1GiB"),
				     CPU) ",\n" NODE(MEMORY("1023MiB", "2GiB"), CPU)),
		"m.cfg:5: nodes[1].memory[0].base: memory [0x3ff00000-0xbfefffff] of node 1 "
		"overlaps "
		"[0-0x3fffffff] of node 0 (nodes[0].memory[0])");
	refused(HEAD BANK NODES(NODE(MEMORY("2KiB", "1GiB"), CPU)),
		"m.cfg:4: nodes[0].memory[0].base: 0x800 is not at a multiple of the 4096 byte "
		"page");
	refused(HEAD BANK NODES(NODE(MEMORY("0", "639KiB"), CPU)),
		"m.cfg:4: nodes[0].memory[0].size: 654336 bytes are not a multiple of the 4096 "
		"byte page");
	refused(HEAD BANK NODES(NODE(MEMORY("0", "0B"), CPU)),
		"m.cfg:4: nodes[0].memory[0].size: the range is empty");
	refused(HEAD BANK NODES(NODE(MEMORY("64TiB", "4KiB"), CPU)),
		"m.cfg:4: nodes[0].memory[0]: the range ends beyond the 46 bits of x86_64's "
		"physical addresses");
	refused(HEAD BANK NODES(NODE(MEMORY("0xfffffffffffff000", "8KiB"), CPU)),
		"m.cfg:4: nodes[0].memory[0]: the range ends beyond the 46 bits of x86_64's "
		"physical addresses");
	refused(HEAD BANK NODES(NODE(MEMORY("0", "64"), CPU)),
		"m.cfg:4: nodes[0].memory[0].size: \"64\" has no unit (known: B, kB, MB, GB, TB, "
		"PB, KiB, MiB, GiB, TiB, PiB)");
	refused(HEAD BANK NODES(NODE("{ base = 4096; size = \"1GiB\"; }", CPU)),
		"m.cfg:4: nodes[0].memory[0].base: expected an address, as \"4GiB\" or "
		"\"0x100000\", found the integer 4096");
	refused(HEAD BANK NODES(NODE("{ base = \"0\"; size = 5000000000; }", CPU)),
		"m.cfg:4: the integer 5000000000 does not fit 32 bits: it would be cut without an "
		"L behind it (sizes, times and rates are strings with a unit: \"64GiB\")");
}

Test(machine_errors, node_ids)
{
	refused(HEAD BANK NODES("{ id = 0; cpus = " CPU "; },\n{ id = 2; }"),
		"m.cfg:5: nodes[1].id: node id 2 leaves a gap: 2 nodes have ids 0 to 1");
	refused(HEAD BANK NODES("{ id = 1; cpus = " CPU "; },\n{ id = 1; }"),
		"m.cfg:5: nodes[1].id: node id 1 is given twice");
	refused(HEAD BANK NODES("{ id = -1; cpus = " CPU "; }"),
		"m.cfg:4: nodes[0].id: expected an integer from 0 to 2147483647, found -1");
	refused(ONE "zones = ( { node = 1; zone = \"DMA\"; free = 1; } );",
		"m.cfg:6: zones[0].node: there is no node 1: the machine has nodes 0 to 0");
	refused(TWO "interconnect = { links = ( { from = 0; to = 2; latency = \"1ns\"; bandwidth = "
		    "\"1GB/s\"; } ); };",
		"m.cfg:7: interconnect.links[0].to: there is no node 2: the machine has nodes 0 to "
		"1");
}

#define CPUS(list) "{ ids = [ " list " ]; frequency = \"2GHz\"; }"

Test(machine_errors, cpus)
{
	refused(HEAD BANK NODES(
			"{ cpus = " CPUS("0, 1") "; },\n" NODE(MEMORY("0", "1GiB"), CPUS("3"))),
		"m.cfg:5: nodes[1].cpus.ids[0]: CPU 2 is on no node: 3 CPUs have ids 0 to 2 "
		"without "
		"gaps");
	refused(HEAD BANK NODES(
			"{ cpus = " CPUS("0, 1") "; },\n" NODE(MEMORY("0", "1GiB"), CPUS("1"))),
		"m.cfg:5: nodes[1].cpus.ids[0]: CPU 1 is on node 0 already");
	refused(HEAD BANK NODES("{ cpus = " CPUS("0, 1") "; },\n" NODE(MEMORY("0", "1GiB"), CPU)),
		"m.cfg:5: nodes[1].cpus: 'ids' is missing: CPUs of other nodes have theirs "
		"(nodes[0].cpus)");
	refused(HEAD BANK NODES(NODE(MEMORY("0", "1GiB"),
				     "{ count = 3; ids = [ 0, 1 ]; frequency = \"2GHz\"; }")),
		"m.cfg:4: nodes[0].cpus.ids: count is 3, but there are 2 ids");
	refused(HEAD BANK NODES(NODE(MEMORY("0", "1GiB"), "{ count = 0; frequency = \"2GHz\"; }")),
		"m.cfg:4: nodes[0].cpus.count: expected an integer from 1 to 8192, found 0");
	refused(HEAD BANK NODES("{ cpus = { count = 8192; frequency = \"2GHz\"; }; },\n" NODE(
			MEMORY("0", "1GiB"), CPU)),
		"m.cfg:3: nodes: 8193 CPUs, at most 8192 are possible");
	refused(HEAD BANK NODES(NODE(MEMORY("0", "1GiB"), "{ count = 1; frequency = \"0Hz\"; }")),
		"m.cfg:4: nodes[0].cpus.frequency: expected a frequency of 1MHz or more, found "
		"0Hz");
	refused(HEAD BANK NODES(
			NODE(MEMORY("0", "1GiB"), "{ count = 1; frequency = \"999kHz\"; }")),
		"m.cfg:4: nodes[0].cpus.frequency: expected a frequency of 1MHz or more, found "
		"999kHz");
	refused(HEAD BANK NODES(NODE(MEMORY("0", "1GiB"), "{ count = 1; frequency = 2000; }")),
		"m.cfg:4: nodes[0].cpus.frequency: expected a frequency with its unit, as "
		"\"2.4GHz\", found the integer 2000");
}

Test(machine_errors, distances)
{
	refused(TWO "distances = ( ( 10, 20 ) );",
		"m.cfg:7: distances: expected 2 rows, one a node, found 1");
	refused(TWO "distances = (\n( 10, 20 ),\n( 20, 10, 30 ) );",
		"m.cfg:9: distances[1]: expected 2 columns, one a node, found 3");
	refused(TWO "distances = (\n( 10, 20 ),\n( 20, 11 ) );",
		"m.cfg:9: distances[1][1]: expected 10 on the diagonal, the distance of a node to "
		"itself, found 11");
	refused(TWO "distances = ( ( 10, 9 ), ( 20, 10 ) );",
		"m.cfg:7: distances[0][1]: expected a distance from 10 to 254, or 255 for "
		"unreachable, found 9");
	refused(TWO "distances = ( ( 10, 20 ), ( 256, 10 ) );",
		"m.cfg:7: distances[1][0]: expected an integer from 0 to 255, found 256");
	refused(TWO "distances = ( ( 10, 20 ), 20 );", "m.cfg:7: distances[1]: expected a list, as "
						       "( value, value ), found the integer 20");
	refused(TWO "distances = ( \"10 20\", \"20\" );",
		"m.cfg:7: distances[1]: expected 2 distances, one a node, found 1");
	refused(TWO "distances = ( \"10 20\", \"20 10 20\" );",
		"m.cfg:7: distances[1]: expected 2 distances, one a node, found 3");
	refused(TWO "distances = ( \"10 20\", \"20 1O\" );",
		"m.cfg:7: distances[1]: expected distances from 10 to 255 with blanks between, "
		"found '1O'");
	refused(TWO "distances = ( \"10 20\", \"256 10\" );",
		"m.cfg:7: distances[1]: expected distances from 10 to 255 with blanks between, "
		"found '256 10'");
	refused(TWO "distances = ( \"10 9\", \"20 10\" );",
		"m.cfg:7: distances[0]: expected a distance from 10 to 254, or 255 for "
		"unreachable, found 9");
	refused(TWO "distances = ( \"11 20\", \"20 10\" );",
		"m.cfg:7: distances[0]: expected 10 on the diagonal, the distance of a node to "
		"itself, found 11");
	refused(TWO "distances = ( ( 10, \"20\" ), ( 20, 10 ) );",
		"m.cfg:7: distances[0][1]: expected an integer, found the string \"20\"");
}

#define ROW2(a, b) "( \"" a "\", \"" b "\" )"
#define NO_BANK_TWO                                                                                \
	HEAD "\n" NODES(NODE(MEMORY("0", "1GiB"), CPU) ",\n" NODE(MEMORY("1GiB", "1GiB"), CPU))
#define RATES "bandwidth = ( " ROW2("9GB/s", "5GB/s") ", " ROW2("5GB/s", "9GB/s") " );"

Test(machine_errors, matrices)
{
	refused(NO_BANK_TWO "interconnect = { latency = ( " ROW2("1ns", "2ns") " ); " RATES " };",
		"m.cfg:7: interconnect.latency: expected 2 rows, one a node, found 1");
	refused(NO_BANK_TWO
		"interconnect = {\nlatency = (\n" ROW2("1ns", "2ns") ",\n( \"1ns\" ) ); " RATES
								     " };",
		"m.cfg:10: interconnect.latency[1]: expected 2 columns, one a node, found 1");
	refused(HEAD "\n" NODES(NODE(MEMORY("0", "1GiB"), CPU) ",\n{ memory = (" MEMORY(
			"1GiB",
			"1GiB") "); },\n{ }") "interconnect = { latency = ( " ROW2("1ns",
										   "2ns") "," ROW2("1ns",
												   "2ns") " ); " RATES
													  " };",
		"m.cfg:8: interconnect.latency: expected 3 rows, one a node, or 1, one a node with "
		"CPUs, found 2");
	refused(NO_BANK_TWO
		"interconnect = { latency = ( " ROW2("1ns", "2ns") "," ROW2("2ns", "1ns") " ); };",
		"m.cfg:7: interconnect: 'bandwidth' is missing");
	refused(NO_BANK_TWO "interconnect = { " RATES " };",
		"m.cfg:7: interconnect: 'latency' is missing");
	refused(NO_BANK_TWO "interconnect = { latency = ( " ROW2("1ns", "0ns") "," ROW2(
			"2ns", "1ns") " ); " RATES " };",
		"m.cfg:7: interconnect.latency[0][1]: expected a latency above 0 and up to 1s, "
		"found 0");
	refused(NO_BANK_TWO "interconnect = { latency = ( " ROW2("1ns", "2s") "," ROW2(
			"2ns", "1ns") " ); " RATES " };",
		"m.cfg:7: interconnect.latency[0][1]: expected a latency above 0 and up to 1s, "
		"found more");
	refused(NO_BANK_TWO "interconnect = { latency = ( ( 1, 2 ), ( 2, 1 ) ); " RATES " };",
		"m.cfg:7: interconnect.latency[0][0]: expected a time with its unit, as \"90ns\", "
		"found the integer 1");
	refused(TWO "interconnect = { latency = ( " ROW2("1ns", "2ns") "," ROW2(
			"2ns", "1ns") " ); " RATES " };",
		"m.cfg:2: bank: `interconnect` gives the banks already");
}

#define LINK "link = { latency = \"50ns\"; bandwidth = \"5GB/s\"; };"

Test(machine_errors, links)
{
	refused(TWO, "m.cfg:1: no route leads from the CPUs of node 1 to the memory of node 0");
	refused(TWO "interconnect = { " LINK
		    " links = ( { from = 0; to = 1; one_way = true; } ); };",
		"m.cfg:7: interconnect: no route leads from the CPUs of node 1 to the memory of "
		"node 0");
	refused(TWO "interconnect = { " LINK " links = ( { from = 1; to = 1; } ); };",
		"m.cfg:7: interconnect.links[0]: the link leads from node 1 to itself");
	refused(TWO "interconnect = { " LINK
		    " links = ( { from = 0; to = 1; },\n{ from = 1; to = 0; "
		    "} ); };",
		"m.cfg:8: interconnect.links[1]: there is a link from node 1 to node 0 already");
	refused(TWO "interconnect = { links = ( { from = 0; to = 1; latency = \"1ns\"; } ); };",
		"m.cfg:7: interconnect.links[0]: 'bandwidth' is missing");
	refused(TWO
		"interconnect = { link = { latency = \"0ns\"; bandwidth = \"5GB/s\"; }; topology "
		"= \"full\"; };",
		"m.cfg:7: interconnect.link.latency: expected a latency above 0 and up to 1s, "
		"found "
		"0");
	refused(TWO
		"interconnect = { link = { latency = \"1ns\"; bandwidth = \"0B/s\"; }; topology "
		"= \"full\"; };",
		"m.cfg:7: interconnect.link.bandwidth: expected a bandwidth above 0, found 0");
	refused(TWO "interconnect = { topology = \"full\"; };",
		"m.cfg:7: interconnect: 'link' is missing: latency and bandwidth of each link of "
		"the topology");
	refused(TWO "interconnect = { " LINK " topology = \"full\"; links = ( ); };",
		"m.cfg:7: interconnect.links: `topology` gives the links already: one of the two");
	refused(TWO "interconnect = { " LINK " topology = \"mesh\"; };",
		"m.cfg:7: interconnect: 'columns' is missing");
	refused(TWO "interconnect = { " LINK " topology = \"mesh\"; columns = 3; };",
		"m.cfg:7: interconnect.columns: 2 nodes do not fill rows of 3");
	refused(TWO "interconnect = { " LINK " topology = \"ring\"; columns = 2; };",
		"m.cfg:7: interconnect.columns: only a mesh has columns");
	refused(ONE "interconnect = { columns = 2; };",
		"m.cfg:6: interconnect.columns: only a mesh has columns");
}

Test(machine_errors, threads_of_cores)
{
	struct diag d = DIAG_INIT;
	struct machine *m = NULL;
	const struct machine_override odd = {"nodes[0].cpus.threads_per_core", "4"};
	const struct machine_override share = {"nodes[0].cpus.thread_share", "50"};
	const struct machine_override two = {"nodes[0].cpus.threads_per_core", "2"};
	const char *file = SOURCE_DIR "/configs/machines/xeon-8269cy-2s.cfg";

	cr_assert_eq(machine_load(file, &odd, 1, &d, &m), -EINVAL);
	cr_expect_not_null(strstr(d.error.text, "26 CPUs are not whole cores of 4 threads"));
	diag_clear(&d);
	d = (struct diag)DIAG_INIT;
	cr_assert_eq(machine_load(file, &share, 1, &d, &m), -EINVAL);
	cr_expect_not_null(strstr(d.error.text, "a core has one thread"));
	diag_clear(&d);
	d = (struct diag)DIAG_INIT;
	cr_assert_eq(machine_load(file, &two, 1, &d, &m), 0);
	cr_expect_eq(m->cpus[13].core, 0);
	cr_expect_eq(m->cpus[12].core, 12);
	cr_expect_eq(m->cpus[25].core, 12);
	cr_expect_eq(m->cpus[26].core, 26);
	cr_expect_eq(m->cpus[0].thread_share, 50);
	machine_free(m);
	diag_clear(&d);
}

#define CACHE(size, ways)                                                                          \
	"{ name = \"L1\"; size = \"" size "\"; ways = " ways                                       \
	"; latency = \"2ns\"; shared_by = \"cpu\"; }"

Test(machine_errors, caches)
{
	refused(ONE "caches = ( " CACHE("32KiB", "8") " );",
		"m.cfg:6: caches: 'cache_line' is missing at top level");
	refused(ONE "cache_line = \"48B\";",
		"m.cfg:6: cache_line: expected a power of two from 8B to 4096B, found 48B");
	refused(ONE "cache_line = \"64B\"; caches = ( " CACHE("33000B", "8") " );",
		"m.cfg:6: caches[0]: 33000 bytes are not whole sets of 8 lines of 64 bytes");
	refused(ONE "cache_line = \"64B\"; caches = ( " CACHE("8GiB", "8") " );",
		"m.cfg:6: caches[0].size: expected at most 4294967296 bytes (4GiB), found "
		"8589934592");
	refused(ONE "cache_line = \"64B\"; caches = ( " CACHE("32KiB", "0") " );",
		"m.cfg:6: caches[0].ways: expected an integer from 1 to 1024, found 0");
	refused(ONE "cache_line = \"64B\"; caches = ( " CACHE("32KiB", "8") ",\n" CACHE("64KiB",
											"8") " );",
		"m.cfg:7: caches[1]: there is a cache 'L1' already");
	refused(ONE "cache_line = \"64B\"; caches = ( { name = \"L1\"; size = \"32KiB\"; ways = 8; "
		    "latency = \"2ns\"; shared_by = \"nodes\"; } );",
		"m.cfg:6: caches[0].shared_by: unknown sharer 'nodes', did you mean 'node'? "
		"(known: "
		"cpu, node, core)");
	refused(ONE "cache_line = \"64B\"; caches = ( { name = \"L1\"; } );",
		"m.cfg:6: caches[0]: 'size' is missing");
}

Test(machine_errors, kernel)
{
	refused(ONE "kernel = { lowmem_reserve_ratio = [ 256, 256, 32 ]; };",
		"m.cfg:6: kernel.lowmem_reserve_ratio: expected 5 integers, one a zone of x86_64, "
		"found 3");
	refused(ONE "kernel = { fault_around_bytes = \"4MiB\"; };",
		"m.cfg:6: kernel.fault_around_bytes: a table maps 2048 KiB, that is the most");
	refused(ONE "kernel = { read_ahead_kb = -1; };",
		"m.cfg:6: kernel.read_ahead_kb: expected an integer from 0 to 1048576, found -1");
	refused(ONE "kernel = { watermark_scale_factor = 3001; };",
		"m.cfg:6: kernel.watermark_scale_factor: expected an integer from 1 to 3000, found "
		"3001");
	refused(ONE "kernel = { min_free_kbytes = \"4MiB\"; };",
		"m.cfg:6: kernel.min_free_kbytes: expected an integer, found the string \"4MiB\"");
	refused(ONE "kernel = { kernelcore = 1; };", "m.cfg:6: kernel.kernelcore: expected a size "
						     "with its unit, as \"64GiB\", found the "
						     "integer 1");
	refused(ONE "kernel = { percpu_pagelist_high_fraction = 7; };",
		"m.cfg:6: kernel.percpu_pagelist_high_fraction: expected 0 or at least 8, found 7");
	refused(ONE "kernel = 1;", "m.cfg:6: kernel: expected a group, as { key = value; }, found "
				   "the integer 1");
}

Test(machine_errors, zones_and_reservations)
{
	/* 1 GiB is 262,144 pages. */
	refused(ONE "zones = ( { node = 0; zone = \"DMA32\"; managed = 262145; } );",
		"m.cfg:6: zones[0].managed: expected an integer from 0 to 262144, found 262145");
	refused(ONE "zones = ( { node = 0; zone = \"DMA32\"; managed = 10; free = 11; } );",
		"m.cfg:6: zones[0].free: expected an integer from 0 to 10, found 11");
	refused(ONE "zones = ( { node = 0; zone = \"DMA32\"; } );",
		"m.cfg:6: zones[0]: 'managed' and 'free' are missing: at least one of them");
	refused(ONE "zones = ( { node = 0; zone = \"DMA\"; free = 1; },\n{ node = 0; zone = "
		    "\"DMA\"; free = 1; } );",
		"m.cfg:7: zones[1]: zone DMA of node 0 is given twice");
	refused(ONE "reserved = ( { base = \"0\"; } );", "m.cfg:6: reserved[0]: 'size' is missing");
	refused(ONE "reserved = ( { base = \"0\"; size = \"0B\"; } );",
		"m.cfg:6: reserved[0].size: the range is empty");
	refused(ONE "reserved = ( { base = \"0\"; size = \"1B\"; holds = \"memap\"; } );",
		"m.cfg:6: reserved[0].holds: unknown structure 'memap', did you mean 'memmap'? "
		"(known: memmap, node-descriptor, per-cpu, section-table, page-tables, "
		"allocated)");
	refused(ONE "reservations = \"whole\";",
		"m.cfg:6: reservations: unknown setting 'whole' (known: partial, complete)");
}

#define RESERVED "reserved = ( { base = \"0\"; size = \"8KiB\"; } ); "

Test(machine_errors, parameters_of_memory)
{
	refused(ONE "kernel = { mem = \"0B\"; };",
		"m.cfg:6: kernel.mem: expected a size above 0, found 0");
	refused(ONE "kernel = { numa_fake = 0; };",
		"m.cfg:6: kernel.numa_fake: expected an integer from 1 to 1024, found 0");
	refused(ONE "kernel = { numa_fake = \"0U\"; };",
		"m.cfg:6: kernel.numa_fake: expected from 1 to 1024 for each node, found '0U'");
	refused(ONE "kernel = { numa_fake = \"99999999999999999999U\"; };",
		"m.cfg:6: kernel.numa_fake: expected from 1 to 1024 for each node, found "
		"'99999999999999999999U'");
	refused(ONE "kernel = { numa_fake = \"0MiB\"; };",
		"m.cfg:6: kernel.numa_fake: expected a size above 0, found 0");
	refused(ONE "kernel = { numa_fake = \"4X\"; };",
		"m.cfg:6: kernel.numa_fake: \"4X\" has an unknown unit (known: B, kB, MB, GB, TB, "
		"PB, KiB, MiB, GiB, TiB, PiB)");
	refused(ONE "kernel = { numa_fake = 2; numa_off = true; };",
		"m.cfg:6: kernel.numa_fake: there are no fake nodes where NUMA is off");
	refused(ONE "kernel = { memmap = ( { base = \"0\"; } ); };",
		"m.cfg:6: kernel.memmap[0]: 'size' is missing");
}

Test(machine_errors, late_releases)
{
	refused(ONE RESERVED "released_late = ( { base = \"4KiB\"; size = \"8KiB\"; } );",
		"m.cfg:6: released_late[0]: [0x1000-0x2fff] is not all in 'reserved', or is given "
		"back twice; only what is reserved can be given back");
	refused(ONE RESERVED "released_late = ( { base = \"0\"; size = \"8KiB\"; },\n"
			     "{ base = \"4KiB\"; size = \"4KiB\"; } );",
		"m.cfg:7: released_late[1]: [0x1000-0x1fff] is not all in 'reserved', or is given "
		"back twice; only what is reserved can be given back");
	refused(ONE "released_late = ( { base = \"1GiB\"; size = \"8KiB\"; } );",
		"m.cfg:6: released_late[0]: [0x40000000-0x40001fff] is not all memory of a node");
	refused(ONE "released_late = ( { base = \"1GiB\"; } );",
		"m.cfg:6: released_late[0]: 'size' is missing");
}

/* `count` times `part` between `before` and `after`; free() it. */
static char *repeated(const char *before, const char *part, size_t count, const char *after)
{
	char *text = malloc(strlen(before) + strlen(part) * count + strlen(after) + 1);
	char *end = stpcpy(text, before);

	for (size_t i = 0; i < count; i++)
		end = stpcpy(end, part);
	strcpy(end, after);
	return text;
}

Test(machine_errors, counts_are_bounded)
{
	char *text = repeated(HEAD BANK "nodes = (\n{ }", ",{ }", 1024, "\n);");

	refused(text, "m.cfg:3: nodes: expected 1 to 1024 nodes (x86_64 has no more), found 1025");
	free(text);
	text = repeated(HEAD BANK "nodes = (\n{ cpus = " CPU "; memory = ( "
				  "{ base = \"0\"; size = \"4KiB\"; }",
			",{ base = \"0\"; size = \"4KiB\"; }", 4096, " ); }\n);");
	refused(text, "m.cfg:3: nodes: 4097 memory ranges, at most 4096 are possible");
	free(text);
	text = repeated(ONE "reserved = ( { }", ",{ }", 4096, ");");
	refused(text, "m.cfg:6: reserved: expected at most 4096 ranges, found 4097");
	free(text);
	text = repeated(ONE "zones = ( { }", ",{ }", 4096, ");");
	refused(text, "m.cfg:6: zones: expected at most 4096 zones, found 4097");
	free(text);
	text = repeated(ONE "cache_line = \"64B\"; caches = ( { }", ",{ }", 8, ");");
	refused(text, "m.cfg:6: caches: expected at most 8 caches, found 9");
	free(text);
	/* A ring of 1024 nodes: 256 links between two of them on average, 268 million in all. */
	text = malloc(1024 * 200);
	strcpy(text, HEAD BANK "nodes = (\n");
	for (int nid = 0, len = (int)strlen(text); nid < 1024; nid++)
		len += sprintf(text + len, "%s" NODE(MEMORY("%dGiB", "1GiB"), CPU), nid ? "," : "",
			       nid);
	strcat(text, "\n);\ninterconnect = { topology = \"ring\"; " LINK " };");
	refused(text, "m.cfg:6: interconnect: more links or routes than numasim can hold "
		      "(1048576 links, 16777216 links in all routes together)");
	free(text);
}

#define L1(array) "tlb = { l1 = ( " array " ); walk_cycles = 20; };"

Test(machine_errors, tlb)
{
	refused(ONE "tlb = { walk_cycles = 20; };", "m.cfg:6: tlb: 'l1' is missing");
	refused(ONE "tlb = { l1 = ( ); walk_cycles = 20; };",
		"m.cfg:6: tlb.l1: no array has pages of 4KiB, the smallest");
	refused(ONE L1("{ pages = ( \"2MiB\" ); entries = 32; }"),
		"m.cfg:6: tlb.l1: no array has pages of 4KiB, the smallest");
	refused(ONE L1("{ pages = ( \"4KiB\" ); entries = 64; ways = 3; }"),
		"m.cfg:6: tlb.l1[0].ways: 64 entries are not whole sets of 3");
	refused(ONE L1("{ pages = ( \"4KiB\", \"3MiB\" ); entries = 64; }"),
		"m.cfg:6: tlb.l1[0].pages[1]: expected a page size, a power of two from 4KiB on, "
		"found 3145728B");
	refused(ONE L1("{ pages = ( \"4KiB\" ); entries = 64; }, "
		       "{ pages = ( \"2MiB\", \"4KiB\" ); entries = 8; }"),
		"m.cfg:6: tlb.l1[1].pages[1]: this level has pages of 4KiB already");
	refused(ONE L1("{ pages = ( ); entries = 64; }"),
		"m.cfg:6: tlb.l1[0].pages: expected 1 to 4 page sizes, found 0");
	refused(ONE L1("{ pages = ( \"4KiB\" ); entrys = 64; }"),
		"m.cfg:6: tlb.l1[0].entrys: unknown key 'entrys', did you mean 'entries'? (known: "
		"pages, entries, ways, source)");
	refused(ONE "tlb = { l1 = ( { pages = ( \"4KiB\" ); entries = 64; } ); walk_cycles = 20; "
		    "l2 = ( { pages = ( \"4KiB\" ); entries = 512; } ); };",
		"m.cfg:6: tlb: 'l2_cycles' is missing");
}

Test(machine_errors, overrides_are_checked_as_the_file_is)
{
	static const struct {
		struct machine_override set;
		const char *message;
	} wrong[] = {
		{{"memory_modle", "flat"},
		 "--set memory_modle=flat: memory_modle: unknown key 'memory_modle', did you mean "
		 "'memory_model'? (known: name, description, source, architecture, memory_model, "
		 "nodes, distances, bank, interconnect, caches, cache_line, kernel, "
		 "reservations, reserved, released_late, zones, disks, line_transfers, tlb, "
		 "interleave)"},
		{{"memory_model", "spars"},
		 "--set memory_model=spars: memory_model: unknown memory model 'spars', did you "
		 "mean 'sparse'? (known: flat, discontig, sparse, sparse-vmemmap)"},
		{{"kernel.min_free_kbytes", "4MiB"},
		 "--set kernel.min_free_kbytes=4MiB: kernel.min_free_kbytes: expected an integer, "
		 "found the string \"4MiB\""},
		{{"kernel.min_free", "4096"},
		 "--set kernel.min_free=4096: kernel.min_free: unknown key 'min_free' (known: "
		 "min_free_kbytes, watermark_scale_factor, lowmem_reserve_ratio, kernelcore, "
		 "movablecore, movable_node, percpu_pagelist_high_fraction, mem, memmap, numa_off, "
		 "numa_fake, "
		 "transparent_hugepage, transparent_hugepage_defrag, khugepaged, "
		 "default_hugepagesz, hugepages, "
		 "fault_around_bytes, tmpfs_size, read_ahead_kb, cma, swap, swap_disk, file_disk, "
		 "profile, "
		 "crashkernel, hotplug_end, slub_debug, slab_nomerge, slub_min_order, "
		 "slub_max_order, slub_min_objects, xsave, page_owner, page_table_check, vmalloc, "
		 "vmsplit, la57, sysctl, hotplug, memory_block, source)"},
		{{"interconnect.latency[0][1]", "90"},
		 "--set interconnect.latency[0][1]=90: interconnect.latency[0][1]: \"90\" has no "
		 "unit (known: ps, ns, us, ms, s)"},
		{{"nodes[1].memory[0].base", "1GiB"},
		 "--set nodes[1].memory[0].base=1GiB: nodes[1].memory[0].base: memory "
		 "[0x40000000-0x303fffffff] of node 1 overlaps [0x100000-0x7fffffff] of node 0 "
		 "(nodes[0].memory[1])"},
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct diag d = DIAG_INIT;
		char text[1024];
		struct machine *m;

		cr_assert_eq(machine_load(SOURCE_DIR "/configs/machines/xeon-8269cy-2s.cfg",
					  &wrong[i].set, 1, &d, &m),
			     -EINVAL);
		snprintf(text, sizeof(text), "%s: %s", d.error.file, d.error.text);
		cr_assert_str_eq(text, wrong[i].message, "got:      %s\nexpected: %s", text,
				 wrong[i].message);
		diag_clear(&d);
	}
}
