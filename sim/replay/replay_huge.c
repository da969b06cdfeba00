/* SPDX-License-Identifier: Apache-2.0 */
/* Huge pages of a trace that have no room, and faults of a workload (mm/user/fault.h has the
 * kernel's part). */
#include "sim/replay/replay_huge.h"

#include <errno.h>
#include <stdlib.h>

#include "mm/gfp.h"

#define SINGLE_GFP (GFP_HIGHUSER_MOVABLE | __GFP_COMP | __GFP_ZERO)

struct replay_faults {
	struct sim *sim;
	struct mm *mm;
	const struct replay_policies *policies;
	struct replay_huge_counts *counts;
	struct mm_fault_range *ranges; /* by number in the trace */
	uint32_t nr_ranges;
	uint32_t *table_turns; /* by CPU: page tables that its task has had */
};

bool replay_huge_is(const struct replay_policies *p, const struct trace_event *ev)
{
	return ev->order == p->huge_order && !(ev->flags & TRACE_F_FAILED) &&
	       (ev->gfp & GFP_TRANSHUGE_LIGHT) == GFP_TRANSHUGE_LIGHT;
}

struct page **replay_huge_replace(const struct replay_policies *p, int cpu,
				  const struct trace_event *ev, struct replay_huge_counts *counts)
{
	uint32_t nr = UINT32_C(1) << ev->order, missing = 0;
	struct page **pages = calloc(nr, sizeof(struct page *));
	struct trace_event single = *ev;

	single.order = 0;
	single.gfp = SINGLE_GFP;
	for (uint32_t i = 0; pages && i < nr; i++) {
		/* A turn is an offset: in huge pages, and then in single ones. */
		if (ev->policy)
			trace_event_set_policy(&single, ev->policy,
					       (trace_event_turn(ev) << ev->order) + i);
		if (replay_alloc(p, cpu, &single, &pages[i])) {
			pages[i] = NULL;
			missing++;
		}
	}
	if (!pages || missing == nr) {
		free(pages);
		return NULL;
	}
	counts->replaced++;
	counts->missing += missing;
	return pages;
}

void replay_huge_free(struct mm *mm, int cpu, struct page **pages, unsigned order)
{
	for (uint32_t i = 0; i >> order == 0; i++)
		if (pages[i])
			mm_free_pages(mm, cpu, pages[i], 0);
	free(pages);
}

struct page **replay_huge_split(struct page **pages, unsigned order)
{
	size_t nr = (size_t)1 << order;
	struct page **upper = calloc(nr, sizeof(struct page *));

	for (size_t i = 0; upper && i < nr; i++)
		upper[i] = pages[nr + i];
	return upper;
}

bool replay_huge_touch(struct sim *s, int cpu, struct page **pages, const struct trace_event *ev)
{
	uint32_t page_bytes = UINT32_C(1) << mm_get_arch(sim_mm(s))->page_shift, left = ev->bytes;
	bool any = false;

	for (uint32_t i = 0; left; i++) {
		uint32_t bytes = left < page_bytes ? left : page_bytes;

		if (pages[i])
			sim_touch(s, cpu, mm_page_address(sim_mm(s), pages[i]), bytes, ev->write);
		any |= pages[i] != NULL;
		left -= bytes;
	}
	return any;
}

static bool has_faults(const struct trace *t)
{
	for (size_t i = 0; i < t->nr_events; i++)
		if (t->events[i].op == TRACE_FAULT)
			return true;
	return false;
}

int replay_faults_new(struct sim *s, const struct replay_policies *p,
		      struct replay_huge_counts *counts, struct replay_faults **out)
{
	struct replay_faults *f;

	*out = NULL;
	if (!has_faults(p->trace))
		return 0;
	f = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	*f = (struct replay_faults){
		.sim = s,
		.mm = sim_mm(s),
		.policies = p,
		.counts = counts,
		.nr_ranges = p->trace->nr_pages,
		.ranges = calloc(p->trace->nr_pages, sizeof(*f->ranges)),
		.table_turns = calloc((size_t)mm_nr_cpus(sim_mm(s)), sizeof(*f->table_turns)),
	};
	*out = f;
	return f->ranges && f->table_turns ? 0 : -ENOMEM;
}

void replay_faults_free(struct replay_faults *f)
{
	if (!f)
		return;
	for (uint32_t i = 0; f->ranges && i < f->nr_ranges; i++)
		free(f->ranges[i].pages);
	free(f->ranges);
	free(f->table_turns);
	free(f);
}

static void touch(struct replay_faults *f, int cpu, const struct trace_event *ev)
{
	uint32_t index;
	struct page *page = mm_fault_page(f->mm, &f->ranges[ev->page], ev->bytes, &index);
	unsigned shift = mm_get_arch(f->mm)->page_shift;

	if (ev->fault.touch)
		sim_touch(f->sim, cpu, mm_page_address(f->mm, page) + ((phys_addr_t)index << shift),
			  ev->fault.touch, true);
}

bool replay_fault(struct replay_faults *f, int cpu, const struct trace_event *ev)
{
	const struct mm_fault fault = {
		.cpu = cpu,
		.policy = &f->policies->policies[ev->policy],
		.offset = ev->bytes,
		.tables = {.policy = &f->policies->policies[ev->fault.tables],
			   .turn = f->table_turns[cpu]},
		.advised = ev->fault.advised,
		.whole = ev->fault.whole,
		.hugetlb = ev->fault.hugetlb,
	};
	bool tables;
	int result = mm_fault(f->mm, &fault, &f->ranges[ev->page], &tables);

	f->table_turns[cpu] += tables;
	if (result < 0 || result == MM_FAULT_OOM)
		return false;
	f->counts->present += result == MM_FAULT_PRESENT;
	f->counts->faults += result != MM_FAULT_PRESENT;
	f->counts->faults_huge += result == MM_FAULT_HUGE;
	f->counts->faults_fallback += result == MM_FAULT_FALLBACK;
	touch(f, cpu, ev);
	return true;
}

void replay_unmap(struct replay_faults *f, int cpu, const struct trace_event *ev)
{
	mm_fault_unmap(f->mm, cpu, &f->ranges[ev->page]);
	f->counts->unmaps++;
}
