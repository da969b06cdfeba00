/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mappings of the kernel in a replay: areas of vmalloc(), by their number in the trace, and pages
 * that are mapped by kmap() or on a CPU.
 */
#ifndef SIM_REPLAY_MAPS_H
#define SIM_REPLAY_MAPS_H

#include "sim/sim.h"
#include "sim/trace/trace.h"

/* Operations that were done. */
struct replay_map_counts {
	uint64_t vmallocs, vfrees;
	uint64_t maps, unmaps; /* of both kinds */
};

struct replay_maps;

/** What mappings need; *out is NULL where the trace has none. 0 or -ENOMEM. */
int replay_maps_new(struct sim *s, const struct trace *t, struct replay_map_counts *counts,
		    struct replay_maps **out);
void replay_maps_free(struct replay_maps *m);

/* Simulated time passes in these. */

/** Do a TRACE_VMALLOC, and touch its pages. Returns whether it has one. */
bool replay_vmalloc(struct replay_maps *m, int cpu, const struct trace_event *ev);
/** Do a TRACE_VFREE. Returns whether there was anything. */
bool replay_vfree(struct replay_maps *m, int cpu, const struct trace_event *ev);
/** Do a TRACE_KMAP of a page, and touch it. Returns 0, or what mm_kmap() said. */
int replay_kmap(struct replay_maps *m, int cpu, const struct trace_event *ev, struct page *page);
/** Do a TRACE_KUNMAP. */
void replay_kunmap(struct replay_maps *m, int cpu, const struct trace_event *ev, struct page *page);

#endif
