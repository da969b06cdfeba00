/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What real kernels made of machines: Linux 6.1 of Debian 12 (x86_64, and i386 with and without
 * PAE), booted in emulated machines of known shape, and read from their zoneinfo and boot messages.
 * shapes.inc and sysctls.inc have the tables; make_shapes.py makes them from captures.
 */
#ifndef TESTS_REFERENCE_REFERENCE_H
#define TESTS_REFERENCE_REFERENCE_H

#include "../mm_fixture.h"

/* One zone, as /proc/zoneinfo shows it; all 0 where it is empty. */
struct reference_zone {
	int nid;
	const char *name;
	pfn_t start_pfn;
	uint64_t spanned, present, managed;
	uint64_t min, low, high;
	unsigned pcp_high, pcp_batch;
	int stat_threshold;
	uint64_t protection[MM_MAX_ZONES];
};

/* Fields of page->flags: widths, then shifts, of SECTION, NODE, ZONE, LAST_CPUPID. */
#define NR_REFERENCE_FLAGS 8

struct reference_shape {
	const char *name;
	struct machine machine; /* with what memblock held when it handed memory over */
	uint64_t min_free_kbytes;
	uint64_t memmap_bytes,
		table_bytes; /* of the memory model, taken from memblock; 0: unknown */
	unsigned flags[NR_REFERENCE_FLAGS];
	struct reference_zone zones[MACHINE_PRESETS]; /* up to the first without a name */
	const char *fallback; /* "NODE: NODES IN ORDER; ...", nodes of the zonelists */
	const char *general;  /* "NODE:ZONE=NODE:ZONE ...; ...", by highest zone of the request */
	const char *thisnode; /* likewise, with __GFP_THISNODE */
};

/* Short names for the tables. */
#define OTHER           MM_HOLDS_OTHER
#define MEMMAP          MM_HOLDS_MEMMAP
#define NODE_DESCRIPTOR MM_HOLDS_NODE_DESCRIPTOR
#define PER_CPU         MM_HOLDS_PER_CPU
#define SECTION_TABLE   MM_HOLDS_SECTION_TABLE
#define PAGE_TABLES     MM_HOLDS_PAGE_TABLES

__attribute__((unused)) static const struct reference_shape reference_shapes[] = {
#include "shapes.inc"
};

#undef OTHER
#undef MEMMAP
#undef NODE_DESCRIPTOR
#undef PER_CPU
#undef SECTION_TABLE
#undef PAGE_TABLES

#define NR_REFERENCE_SHAPES (sizeof(reference_shapes) / sizeof(reference_shapes[0]))

/*
 * The machine REFERENCE_STEPS_OF after sysctls were written one by one: what was in force. All had
 * been read before the first, lowmem_reserve_ratio too.
 */
#define REFERENCE_STEPS_OF "s1_uma6g_sysctls"
struct reference_step {
	const char *name;
	const char *key, *value;
	uint64_t min_free_kbytes;
	struct reference_zone zones[MM_MAX_ZONES];
};

__attribute__((unused)) static const struct reference_step reference_steps[] = {
#include "sysctls.inc"
};

#define NR_REFERENCE_STEPS (sizeof(reference_steps) / sizeof(reference_steps[0]))

#endif
