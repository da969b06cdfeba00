/* SPDX-License-Identifier: Apache-2.0 */
/* Does what workloads say of mappings; the kernel's part is in mm/vmalloc/vmalloc.h and
 * mm/vmalloc/kmap.h. */
#include "sim/replay/replay_maps.h"

#include <errno.h>
#include <stdlib.h>

#include "mm/vmalloc/kmap.h"
#include "mm/vmalloc/vmalloc.h"

struct slots {
	uint64_t at[MM_KMAP_SLOTS];
	unsigned nr;
};

struct replay_maps {
	struct sim *sim;
	struct mm *mm;
	struct replay_map_counts *counts;
	uint64_t *areas;     /* by number in the trace: where; 0: nowhere */
	struct slots *slots; /* by CPU */
};

static bool has_maps(const struct trace *t)
{
	for (size_t i = 0; i < t->nr_events; i++)
		if (t->events[i].op == TRACE_VMALLOC || t->events[i].op == TRACE_KMAP)
			return true;
	return false;
}

int replay_maps_new(struct sim *s, const struct trace *t, struct replay_map_counts *counts,
		    struct replay_maps **out)
{
	struct replay_maps *m;

	*out = NULL;
	if (!has_maps(t))
		return 0;
	m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	*m = (struct replay_maps){
		.sim = s,
		.mm = sim_mm(s),
		.counts = counts,
		.areas = calloc(t->nr_pages, sizeof(*m->areas)),
		.slots = calloc((size_t)mm_nr_cpus(sim_mm(s)), sizeof(*m->slots)),
	};
	*out = m;
	return m->areas && m->slots ? 0 : -ENOMEM;
}

void replay_maps_free(struct replay_maps *m)
{
	if (!m)
		return;
	free(m->areas);
	free(m->slots);
	free(m);
}

bool replay_vmalloc(struct replay_maps *m, int cpu, const struct trace_event *ev)
{
	unsigned shift = mm_get_arch(m->mm)->page_shift;
	const struct mm_vmalloc_request req = {
		.cpu = cpu,
		.bytes = (uint64_t)ev->bytes << shift,
		.gfp = GFP_KERNEL,
		.nid = MM_NO_NODE,
		.flags = ev->area.huge ? MM_VMALLOC_HUGE : 0,
		.caller = "workload",
	};

	if (mm_vmalloc(m->mm, &req, &m->areas[ev->page])) {
		m->areas[ev->page] = 0;
		return false;
	}
	m->counts->vmallocs++;
	for (uint64_t i = 0; ev->area.touch && i < ev->bytes; i++) {
		uint64_t address = m->areas[ev->page] + (i << shift);

		sim_touch_kernel(m->sim, cpu, address, mm_vmalloc_phys(m->mm, address),
				 ev->area.touch, true);
	}
	return true;
}

bool replay_vfree(struct replay_maps *m, int cpu, const struct trace_event *ev)
{
	if (!m->areas[ev->page] || mm_vfree(m->mm, cpu, m->areas[ev->page], false))
		return false;
	m->areas[ev->page] = 0;
	m->counts->vfrees++;
	return true;
}

int replay_kmap(struct replay_maps *m, int cpu, const struct trace_event *ev, struct page *page)
{
	struct slots *slots = &m->slots[cpu];
	uint64_t at;
	int err;

	if (ev->area.local)
		err = mm_kmap_local(m->mm, cpu, page, &at);
	else
		err = mm_kmap(m->mm, cpu, page, false, &at);
	if (err)
		return err;
	if (ev->area.local)
		slots->at[slots->nr++] = at;
	m->counts->maps++;
	if (ev->bytes)
		sim_touch_kernel(m->sim, cpu, at, mm_page_address(m->mm, page), ev->bytes,
				 ev->write);
	return 0;
}

void replay_kunmap(struct replay_maps *m, int cpu, const struct trace_event *ev, struct page *page)
{
	struct slots *slots = &m->slots[cpu];
	int err = 0;

	if (!ev->area.local)
		err = mm_kunmap(m->mm, cpu, page);
	else if (slots->nr)
		err = mm_kunmap_local(m->mm, cpu, slots->at[--slots->nr]);
	m->counts->unmaps += !err;
}
