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
	uint64_t managed_then; /* when watermarks and lowmem_reserve were computed: before the
				  kernel gave back its init sections and the initrd */
	uint64_t min, low, high;
	unsigned pcp_high, pcp_batch;
	int stat_threshold;
	uint64_t protection[MM_MAX_ZONES];
};

struct reference_shape {
	const char *name;
	struct machine machine; /* no presets yet */
	uint64_t min_free_kbytes;
	uint64_t memmap_bytes, table_bytes;           /* of the memory model, taken from memblock */
	struct reference_zone zones[MACHINE_PRESETS]; /* up to the first without a name */
	const char *fallback; /* "NODE: NODES IN ORDER; ...", nodes of the zonelists */
	const char *general;  /* "NODE:ZONE=NODE:ZONE ...; ...", by highest zone of the request */
	const char *thisnode; /* likewise, with __GFP_THISNODE */
};

__attribute__((unused)) static const struct reference_shape reference_shapes[] = {
#include "shapes.inc"
};

#define NR_REFERENCE_SHAPES (sizeof(reference_shapes) / sizeof(reference_shapes[0]))

/*
 * A 6 GiB x86_64 machine with 4 CPUs (the memory of c_uma6g_4cpu) after sysctls were written one
 * by one: what was in force, and the zones with memory. All was computed from what is managed now.
 */
struct reference_step {
	const char *name;
	uint64_t min_free_kbytes, watermark_scale_factor, high_fraction;
	uint64_t lowmem_reserve_ratio[3]; /* DMA, DMA32, Normal */
	struct reference_zone zones[MM_MAX_ZONES];
};

__attribute__((unused)) static const struct reference_step reference_steps[] = {
#include "sysctls.inc"
};

#define NR_REFERENCE_STEPS (sizeof(reference_steps) / sizeof(reference_steps[0]))

#endif
