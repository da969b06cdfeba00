/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Homes of the per-CPU areas. A CPU's area is a unit of the first chunk of the per-CPU allocator;
 * units of CPUs on one node are taken together, in whole allocations of the architecture's size,
 * and what the units do not need of them is given back at once.
 *
 * How many units share an allocation: pcpu_build_alloc_info(), and how they are taken and trimmed:
 * pcpu_embed_first_chunk() (Linux 6.1 mm/percpu.c).
 */
#include <errno.h>
#include <stdlib.h>

#include "mm/internal.h"

struct layout {
	uint64_t used;        /* bytes of a CPU's area, whole pages */
	uint64_t alloc;       /* bytes of an allocation */
	unsigned per_alloc;   /* units in one */
	const unsigned *cpus; /* by node: how many */
};

static uint64_t round_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) / to * to;
}

/*
 * Lists of the populated zones, one behind the other; at least what the kernel's area has. Those of
 * zones that memory may be added to come behind them, then what CPUs hold back of nodes' counters.
 */
static uint64_t area_bytes(struct mm *mm)
{
	uint64_t page = UINT64_C(1) << mm->arch->page_shift, offset = 0;

	for (int late = 0; late < 2; late++)
		for_each_zone (mm, zone) {
			if (mm_zone_populated(zone) == late)
				continue;
			zone->pcp_offset = offset;
			offset += !late || mm->hotplug_end ? MM_PCP_STRIDE : 0;
		}
	for (int n = 0; n < mm->nr_nodes; n++) {
		mm->nodes[n].stat_offset = offset;
		offset += MM_NODESTAT_STRIDE;
	}
	mm->percpu_used = offset;
	return round_up(offset > mm->arch->percpu_bytes ? offset : mm->arch->percpu_bytes, page);
}

/* May an allocation be cut in so many units? Each is whole pages, and has room for an area. */
static bool divides(const struct mm *mm, const struct layout *l, unsigned units)
{
	uint64_t page = UINT64_C(1) << mm->arch->page_shift;

	return l->alloc % units == 0 && l->alloc / units % page == 0 && l->alloc / units >= l->used;
}

/*
 * The most units an allocation with which at most a third as many units as there are CPUs would be
 * left over; fewer where that takes no more allocations.
 */
static unsigned units_per_alloc(const struct mm *mm, const struct layout *l)
{
	unsigned least = UINT32_MAX, best = 1;

	for (unsigned units = (unsigned)(l->alloc / l->used); units; units--) {
		unsigned allocs = 0;

		if (!divides(mm, l, units))
			continue;
		for (int n = 0; n < mm->nr_nodes; n++)
			allocs += (l->cpus[n] + units - 1) / units;
		if (allocs * units - (unsigned)mm->nr_cpus > (unsigned)mm->nr_cpus / 3)
			continue;
		if (allocs > least)
			break;
		least = allocs;
		best = units;
	}
	return best;
}

static int place_group(struct mm *mm, const struct layout *l, int nid)
{
	uint64_t unit = l->alloc / l->per_alloc;
	uint64_t bytes = round_up(l->cpus[nid], l->per_alloc) * unit;
	phys_addr_t at =
		mm_boot_alloc(mm, MM_HOLDS_PER_CPU, bytes, mm->arch->percpu_alloc_bytes, nid);
	phys_addr_t end = at + bytes;
	int err = 0;

	if (at == MEMBLOCK_FAILED)
		return -ENOSPC;
	for (int cpu = 0; cpu < mm->nr_cpus && !err; cpu++) {
		if (mm->cpu_nid[cpu] != nid)
			continue;
		mm->percpu_at[cpu] = at;
		err = memblock_phys_free(&mm->memblock, at + l->used, unit - l->used);
		at += unit;
	}
	return err ? err : memblock_phys_free(&mm->memblock, at, end - at);
}

static int place_groups(struct mm *mm, uint64_t used, struct mm_refusal *r)
{
	unsigned *cpus = calloc((size_t)mm->nr_nodes, sizeof(*cpus));
	struct layout l = {
		.used = used, .alloc = round_up(used, mm->arch->percpu_alloc_bytes), .cpus = cpus};
	int err = 0;

	if (!cpus)
		return -ENOMEM;
	for (int cpu = 0; cpu < mm->nr_cpus; cpu++)
		cpus[mm->cpu_nid[cpu]]++;
	l.per_alloc = units_per_alloc(mm, &l);
	/* Groups are in the order of their first CPUs. */
	for (int cpu = 0; cpu < mm->nr_cpus && !err; cpu++)
		if (!mm->percpu_at[cpu])
			err = place_group(mm, &l, mm->cpu_nid[cpu]);
	if (err == -ENOSPC)
		err = mm_refuse_room(r, "the CPUs' per-CPU areas", l.alloc);
	free(cpus);
	return err;
}

int mm_percpu_init(struct mm *mm, struct mm_refusal *r)
{
	uint64_t page = UINT64_C(1) << mm->arch->page_shift, used = area_bytes(mm);

	mm->vm_events = calloc((size_t)mm->nr_cpus + 1, sizeof(*mm->vm_events));
	if (!mm->vm_events)
		return -ENOMEM;
	for (int n = 0; n < mm->nr_nodes; n++) {
		mm->nodes[n].cpu = calloc((size_t)mm->nr_cpus, sizeof(*mm->nodes[n].cpu));
		if (!mm->nodes[n].cpu)
			return -ENOMEM;
	}
	if (!mm->reservations_complete && !mm->bare_next && !mm_has_home(mm, MM_HOLDS_PER_CPU))
		return place_groups(mm, used, r);
	for (int cpu = 0; cpu < mm->nr_cpus; cpu++) {
		mm->percpu_at[cpu] =
			mm_boot_alloc(mm, MM_HOLDS_PER_CPU, used, page, mm->cpu_nid[cpu]);
		if (mm->percpu_at[cpu] == MEMBLOCK_FAILED)
			return mm_refuse_room(r, "a CPU's per-CPU area", used);
	}
	return 0;
}
