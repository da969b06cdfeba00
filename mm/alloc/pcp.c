/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Per-CPU page lists: pages that a CPU takes and gives without the zone lock. What every kind of
 * them does the same is here; which pages are kept, where, and for how long, is the kind's.
 */
#include "mm/alloc/pcp.h"

#include <limits.h>
#include <string.h>

#include "mm/alloc/pageblock.h"
#include "mm/zone_count.h"

const struct mm_pcp_kind *mm_pcp_kind(const char *name)
{
	for (int i = 0; pcp_kinds[i]; i++)
		if (!strcmp(pcp_kinds[i]->name, name))
			return pcp_kinds[i];
	return NULL;
}

const char *mm_pcp_kind_name(unsigned index)
{
	unsigned nr = 0;

	while (pcp_kinds[nr])
		nr++;
	return index < nr ? pcp_kinds[index]->name : NULL;
}

unsigned mm_pcp_kind_rules(unsigned index)
{
	return pcp_kinds[index]->rules;
}

bool mm_cpus_have_lists(const struct mm *mm, unsigned order)
{
	return mm_pcp_holds(mm, order);
}

unsigned mm_pcp_list_order(const struct mm *mm, unsigned list)
{
	return list < NR_PCP_LISTS - 1 ? list / MM_NR_PCPTYPES : mm->arch->pageblock_order;
}

/* What an edit at one end of a list touches, of which the block is or was there. */
void mm_pcp_charge(struct mm *mm, int cpu, const struct mm_zone *zone, unsigned list,
		   const struct page *page, enum mm_site site)
{
	const struct page *neighbour = page->next ? page->next : page->prev;
	phys_addr_t at = mm->percpu_at[cpu] + zone->pcp_offset;

	mm_work(mm, cpu, site, 1);
	mm_touch(mm, cpu, at + MM_PCP_COUNTS, 16, MM_WRITE);
	mm_touch(mm, cpu, at + MM_PCP_LISTS + list * 16, 16, MM_WRITE);
	mm_touch_page(mm, cpu, page, MM_WRITE);
	if (neighbour)
		mm_touch_page(mm, cpu, neighbour, MM_STORE);
}

/* Put all of `more` before or behind what is on the list. */
static void join(struct page_list *list, const struct page_list *more, bool before)
{
	const struct page_list *first = before ? more : list, *last = before ? list : more;

	if (!list->head || !more->head) {
		*list = list->head ? *list : *more;
		return;
	}
	first->tail->next = last->head;
	last->head->prev = first->tail;
	*list = (struct page_list){first->head, last->tail};
}

void mm_pcp_fill(struct mm *mm, int cpu, struct mm_zone *zone, unsigned order,
		 enum mm_migratetype type, unsigned alloc_flags, unsigned blocks,
		 enum mm_pcp_end end)
{
	struct mm_pcp *pcp = &zone->pcp[cpu];
	struct page_list filled = {NULL, NULL};
	int64_t taken = 0;

	mm->counters.pcp_refills++;
	mm_zone_lock(mm, cpu, zone);
	for (unsigned i = 0; i < blocks; i++) {
		struct page *page = mm_rmqueue(mm, cpu, zone, order, type, alloc_flags);

		if (!page)
			break;
		page->flags |= PG_PCP;
		if (end == PCP_TAIL_REVERSED)
			page_list_add_head(&filled, page);
		else
			page_list_add_tail(&filled, page);
		taken += INT64_C(1) << order;
		mm_emit_block(mm, cpu, MM_EVENT_ALLOC_ZONE_LOCKED, page, 0);
	}
	join(&pcp->lists[mm_pcp_list(order, type)], &filled, end == PCP_HEAD);
	pcp->count += (unsigned)taken;
	mm_count_free(mm, cpu, zone, -taken);
	mm_zone_unlock(mm, cpu, zone);
}

struct page *mm_pcp_take_off(struct mm *mm, struct mm_zone *zone, int owner, unsigned list)
{
	struct mm_pcp *pcp = &zone->pcp[owner];
	struct page *page = pcp->lists[list].tail;

	page_list_del(&pcp->lists[list], page);
	pcp->count -= 1u << mm_pcp_list_order(mm, list);
	return page;
}

void mm_pcp_give_back(struct mm *mm, int cpu, struct mm_zone *zone, struct page *page)
{
	pfn_t pfn = mm_pfn_of(mm, page);

	page->flags &= ~(uint64_t)PG_PCP;
	mm_emit_block(mm, cpu, MM_EVENT_PCPU_DRAIN, page, 0);
	mm_buddy_give(mm, cpu, zone, page, pfn, page->order,
		      zone->nr_isolated_blocks ? mm_pageblock_type(mm, zone, pfn)
					       : (enum mm_migratetype)page->migratetype);
}

unsigned mm_pcp_batch(const struct mm *mm, const struct mm_zone *zone, uint64_t most_bytes,
		      bool round_up)
{
	uint64_t batch = zone->managed / 1024, most = most_bytes >> mm->arch->page_shift;

	batch = (batch < most ? batch : most) / 4;
	if (batch < 1)
		batch = 1;
	return (1u << (fls64(batch + batch / 2) - !round_up)) - 1;
}

void mm_pcp_sizes_setup(struct mm *mm)
{
	for_each_zone (mm, zone)
		if (zone->managed)
			mm->pcp_kind->set_sizes(mm, zone);
}

static void drain(struct mm *mm, int cpu, struct mm_zone *zone, int owner, unsigned most)
{
	unsigned count = zone->pcp ? zone->pcp[owner].count : 0;

	if (count)
		mm->pcp_kind->drain(mm, cpu, zone, owner, 0, (int)(count < most ? count : most));
}

void mm_pcp_shrink(struct mm *mm, int cpu, struct mm_zone *zone)
{
	drain(mm, cpu, zone, cpu, zone->pcp_batch);
}

void mm_pcp_drain_all(struct mm *mm, int cpu)
{
	for (int owner = 0; owner < mm->nr_cpus; owner++)
		for (int n = 0; n < mm->nr_nodes; n++)
			for (int z = 0; z < mm->arch->nr_zones; z++)
				drain(mm, cpu, &mm->nodes[n].zones[z], owner, UINT_MAX);
}

void mm_pcp_drain_own(struct mm *mm, int cpu, struct mm_zone *zone)
{
	if (cpu != MM_NO_CPU)
		drain(mm, cpu, zone, cpu, UINT_MAX);
}

void mm_pcp_drain_zone(struct mm *mm, int cpu, struct mm_zone *zone)
{
	for (int owner = 0; owner < mm->nr_cpus; owner++)
		drain(mm, cpu, zone, owner, UINT_MAX);
}
