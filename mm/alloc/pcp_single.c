/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Per-CPU lists of single pages, a list for each mobility. Once they hold `high` pages, a batch of
 * those that have lain there longest goes back, from the lists in turn. Sizes follow from the
 * zone's, by a rule; a CPU keeps nothing of a zone so small that its batch is 0 by that.
 *
 * Follows mm/page_alloc.c of Linux 4.9 to 5.13 (free_pcppages_bulk, zone_batchsize,
 * pageset_set_high_and_batch, later zone_set_pageset_high_and_batch).
 */
#include "mm/alloc/pcp_single.h"

unsigned mm_pcp_single_orders(const struct mm *mm)
{
	(void)mm;
	return 1u << 0;
}

/* With percpu_pagelist_fraction, a part of the zone for each CPU, and a quarter of that a batch. */
void mm_pcp_single_set_sizes(const struct mm *mm, struct mm_zone *zone)
{
	const struct mm_pcp_rule *rule = &mm->pcp_rule;
	uint64_t fraction = mm->params.percpu_pagelist_high_fraction;
	unsigned batch = mm_pcp_batch(mm, zone, rule->batch_bytes, rule->round_up);

	zone->pcp_low = rule->low * batch;
	zone->pcp_high = rule->high * batch;
	if (fraction) {
		unsigned most = mm->arch->page_shift * 8;

		zone->pcp_high = (unsigned)(zone->managed / fraction);
		batch = zone->pcp_high / 4 > most ? most : zone->pcp_high / 4;
	}
	zone->pcp_batch = batch ? batch : 1;
}

/*
 * Off the lists without the lock, which others wait for less then. The descriptors of the buddies,
 * at which it is looked under the lock, are on their way meanwhile, of a batch at most.
 */
static void note_gathered(struct mm *mm, int cpu, const struct mm_zone *zone,
			  const struct page *page, unsigned nr)
{
	mm_touch_page(mm, cpu, page, MM_WRITE);
	if (nr < zone->pcp_batch)
		mm_touch_page(mm, cpu, mm_pfn_of(mm, page) & 1 ? page - 1 : page + 1, MM_PREFETCH);
}

/*
 * A page of each list in turn, and for each empty list that is passed by one page more of the next.
 * Where only one list is left, all from that. They stay PG_PCP: nobody else is to have them.
 */
static void take_off(struct mm *mm, int cpu, struct mm_zone *zone, int owner, unsigned list,
		     unsigned nr_pages, struct page_list *taken)
{
	struct mm_pcp *pcp = &zone->pcp[owner];
	unsigned together = 0, nr = 0;

	while (nr < nr_pages && pcp->count > 0) {
		do {
			together++;
			list = (list + 1) % MM_NR_PCPTYPES;
		} while (!pcp->lists[list].head);
		if (together == MM_NR_PCPTYPES)
			together = nr_pages - nr;
		do {
			struct page *page = mm_pcp_take_off(mm, zone, owner, list);

			page_list_add_tail(taken, page);
			if (mm->pcp_rule.gather)
				note_gathered(mm, cpu, zone, page, nr);
		} while (++nr < nr_pages && --together && pcp->lists[list].head);
	}
}

void mm_pcp_single_drain(struct mm *mm, int cpu, struct mm_zone *zone, int owner, unsigned list,
			 int nr_pages)
{
	struct page_list taken = {NULL, NULL};
	bool gather = mm->pcp_rule.gather;
	struct page *page;

	mm->counters.pcp_drains++;
	if (!gather)
		mm_zone_lock(mm, cpu, zone);
	take_off(mm, cpu, zone, owner, list, (unsigned)nr_pages, &taken);
	if (gather)
		mm_zone_lock(mm, cpu, zone);
	while ((page = taken.head)) {
		page_list_del(&taken, page);
		mm_pcp_give_back(mm, cpu, zone, page);
	}
	mm_zone_unlock(mm, cpu, zone);
}

void mm_pcp_single_trim(struct mm *mm, int cpu, struct mm_zone *zone, unsigned order, unsigned list)
{
	(void)order;
	(void)list;
	if (zone->pcp[cpu].count >= zone->pcp_high)
		mm_pcp_single_drain(mm, cpu, zone, cpu, 0, (int)zone->pcp_batch);
}
