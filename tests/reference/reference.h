/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What real kernels made of machines: Linux 6.1 of Debian 12 (x86_64, and i386 with and without
 * PAE), booted in emulated machines of known shape, and read from their zoneinfo and boot messages.
 * shapes.inc has the table; make_shapes.py makes it from captures.
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
	struct reference_zone zones[MACHINE_PRESETS]; /* up to the first without a name */
	const char *fallback; /* "NODE: NODES IN ORDER; ...", nodes of the zonelists */
	const char *general;  /* "NODE:ZONE=NODE:ZONE ...; ...", by highest zone of the request */
	const char *thisnode; /* likewise, with __GFP_THISNODE */
};

static const struct reference_shape reference_shapes[] = {
#include "shapes.inc"
};

#define NR_REFERENCE_SHAPES (sizeof(reference_shapes) / sizeof(reference_shapes[0]))

#endif
