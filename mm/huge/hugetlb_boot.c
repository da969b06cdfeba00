/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pools of huge pages at boot: which sizes there are, and the pages that the command line asks
 * for. Gigantic ones come from memblock while it has memory, before anything is managed; they are
 * added to what is managed once the first watermarks are computed. The others come from the page
 * allocator.
 *
 * Follows Linux 6.1 mm/hugetlb.c (hugetlb_hstate_alloc_pages, __alloc_bootmem_huge_page,
 * gather_bootmem_prealloc).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mm/huge/huge_pool.h"
#include "mm/zone_count.h"

static uint64_t bytes_of(const struct mm *mm, const struct mm_hstate *h)
{
	return UINT64_C(1) << (h->order + mm->arch->page_shift);
}

static int refuse_size(const struct mm *mm, uint64_t bytes, struct mm_refusal *r)
{
	const struct mm_hugetlb *t = &mm->hugetlb;

	if (t->nr == 1)
		return mm_refuse(r, MM_ABOUT_MACHINE, 0,
				 "no huge pages of %" PRIu64 " bytes; %s has those of %" PRIu64,
				 bytes, mm->arch->name, bytes_of(mm, &t->sizes[0]));
	return mm_refuse(
		r, MM_ABOUT_MACHINE, 0,
		"no huge pages of %" PRIu64 " bytes; %s has those of %" PRIu64 " and %" PRIu64,
		bytes, mm->arch->name, bytes_of(mm, &t->sizes[0]), bytes_of(mm, &t->sizes[1]));
}

/* Of which size a pool of the command line is. */
static unsigned asked_size(const struct mm *mm, const struct mm_hugepages *p)
{
	return p->bytes ? (unsigned)mm_hugetlb_find(mm, p->bytes) : mm->hugetlb.by_default;
}

int mm_hugetlb_init(struct mm *mm, const struct mm_config *c, struct mm_refusal *r)
{
	struct mm_hugetlb *t = &mm->hugetlb;

	t->sizes[t->nr++].order = mm->arch->pageblock_order;
	if (mm->arch->gigantic_order)
		t->sizes[t->nr++].order = mm->arch->gigantic_order;
	if (c->params.huge_bytes) {
		int size = mm_hugetlb_find(mm, c->params.huge_bytes);

		if (size < 0)
			return refuse_size(mm, c->params.huge_bytes, r);
		t->by_default = (unsigned)size;
	}
	for (size_t i = 0; i < c->nr_hugepages; i++)
		if (c->hugepages[i].bytes && mm_hugetlb_find(mm, c->hugepages[i].bytes) < 0)
			return refuse_size(mm, c->hugepages[i].bytes, r);
	return 0;
}

/* One more, of that node or where it has no room of any. Returns whether there was room. */
static bool reserve_one(struct mm *mm, const struct mm_hstate *h, int nid, pfn_t *at)
{
	uint64_t bytes = bytes_of(mm, h);
	phys_addr_t found = memblock_alloc_try_nid(&mm->memblock, bytes, bytes, 0,
						   mm->end_pfn << mm->arch->page_shift, nid);

	*at = found >> mm->arch->page_shift;
	return found != MEMBLOCK_FAILED;
}

/* As many as are asked for and fit; `at` has room for all that memory could be. */
static void reserve(struct mm *mm, struct mm_hstate *h, const struct mm_hugepages *p, pfn_t *at)
{
	struct mm_hugetlb *t = &mm->hugetlb;
	struct mm_nodemask nodes;

	if (!mm_hugetlb_nodes(mm, &nodes))
		return;
	for (int nid = 0; nid < p->nr_of && nid < mm->nr_nodes; nid++)
		for (uint64_t i = 0; i < p->of[nid] && mm_nodemask_has(&nodes, nid); i++) {
			if (!reserve_one(mm, h, nid, &at[t->nr_boot]))
				break;
			t->nr_boot++;
		}
	for (uint64_t i = 0; !p->of && i < p->pages; i++) {
		int nid = mm_hugetlb_turn(mm, &nodes, &h->next_to_alloc);

		if (!reserve_one(mm, h, nid, &at[t->nr_boot]))
			break;
		t->nr_boot++;
	}
}

int mm_hugetlb_reserve_boot(struct mm *mm, const struct mm_config *c)
{
	struct mm_hugetlb *t = &mm->hugetlb;

	for (size_t i = 0; i < c->nr_hugepages; i++) {
		struct mm_hstate *h = &t->sizes[asked_size(mm, &c->hugepages[i])];

		if (!mm_hugetlb_is_gigantic(h))
			continue;
		t->boot = calloc((mm->end_pfn >> h->order) + 1, sizeof(*t->boot));
		if (!t->boot)
			return -ENOMEM;
		reserve(mm, h, &c->hugepages[i], t->boot);
		h->wanted = t->nr_boot;
	}
	return 0;
}

uint64_t mm_hugetlb_boot_pages(const struct mm *mm, const struct mm_zone *zone)
{
	const struct mm_hugetlb *t = &mm->hugetlb;
	uint64_t pages = 0;

	for (uint64_t i = 0; i < t->nr_boot; i++)
		if (mm_zone_of_pfn(mm, t->boot[i]) == zone)
			pages += UINT64_C(1) << t->sizes[1].order;
	return pages;
}

/* The last one first, so that the first is at the head of its list. */
void mm_hugetlb_gather(struct mm *mm)
{
	struct mm_hugetlb *t = &mm->hugetlb;
	unsigned order = t->sizes[t->nr - 1].order;

	for (; t->nr_boot; t->nr_boot--) {
		pfn_t pfn = t->boot[t->nr_boot - 1];
		struct mm_zone *zone = mm_zone_of_pfn(mm, pfn);
		struct page *page = mm->model->pfn_to_page(mm, MM_NO_CPU, pfn);

		mm_page_init(mm, page, pfn, zone);
		page->flags |= PG_HUGETLB;
		page->refcount = 1;
		page->order = (uint8_t)order;
		page->migratetype = MM_MOVABLE;
		mm->nodes[zone->nid].huge[t->nr - 1].nr++;
		mm_hugetlb_enqueue(mm, page);
		zone->managed += UINT64_C(1) << order;
		t->at_boot++;
	}
	free(t->boot);
	t->boot = NULL;
	/* kswapd starts later, and computes them when it first falls asleep. */
	for (int n = 0; t->at_boot && n < mm->nr_nodes; n++)
		mm_stat_thresholds_set(mm, &mm->nodes[n], false);
}

void mm_forget_counts(struct mm *mm)
{
	for (int n = 0; n < mm->nr_nodes; n++)
		for (int z = 0; z < mm->arch->nr_zones; z++) {
			struct mm_zone *zone = &mm->nodes[n].zones[z];

			for (int cpu = 0; zone->pcp && cpu < mm->nr_cpus; cpu++)
				memset(zone->pcp[cpu].numa, 0, sizeof(zone->pcp[cpu].numa));
			zone->alloc_pages = zone->freed_pages = 0;
			zone->fallbacks = zone->lock_acquired = 0;
		}
	memset(mm->vm_events, 0, ((size_t)mm->nr_cpus + 1) * sizeof(*mm->vm_events));
	memset(mm->allocstall, 0, sizeof(mm->allocstall));
}

static uint64_t total(const struct mm *mm, unsigned size)
{
	struct mm_hugetlb_info info;

	mm_hugetlb_info(mm, size, MM_NO_NODE, &info);
	return info.total;
}

static void fill(struct mm *mm, unsigned size, const struct mm_hugepages *p)
{
	for (int nid = 0; nid < p->nr_of && nid < mm->nr_nodes; nid++)
		mm_hugetlb_resize(mm, 0, size, nid, NULL, p->of[nid]);
	if (!p->of)
		mm_hugetlb_resize(mm, 0, size, MM_NO_NODE, NULL, p->pages);
	mm->hugetlb.sizes[size].wanted = total(mm, size);
	mm->hugetlb.at_boot += total(mm, size);
}

void mm_hugetlb_boot(struct mm *mm, const struct mm_config *c)
{
	const struct mm_ops ops = mm->ops;

	mm->ops = (struct mm_ops){0};
	for (size_t i = 0; i < c->nr_hugepages; i++) {
		unsigned size = asked_size(mm, &c->hugepages[i]);

		if (!mm_hugetlb_is_gigantic(&mm->hugetlb.sizes[size]))
			fill(mm, size, &c->hugepages[i]);
	}
	mm->ops = ops;
	if (mm->hugetlb.at_boot)
		mm_forget_counts(mm);
}

/* In blocks as large as the buddy lists have. */
static void give_back(struct mm *mm, struct page *page)
{
	unsigned order = page->order < MAX_PAGE_ORDER ? page->order : MAX_PAGE_ORDER;
	uint64_t nr = UINT64_C(1) << page->order, step = UINT64_C(1) << order;
	pfn_t pfn = mm_pfn_of(mm, page);

	page->flags &= ~(uint64_t)PG_HUGETLB;
	for (uint64_t i = 0; i < nr; i += step) {
		if (i)
			mm_page_init(mm, page + i, pfn + i, mm_zone_of_pfn(mm, pfn + i));
		mm_free_block(mm, MM_NO_CPU, page + i, order);
	}
}

void mm_hugetlb_forget(struct mm *mm)
{
	struct mm_hugetlb *t = &mm->hugetlb;
	const struct mm_ops ops = mm->ops;

	mm->ops = (struct mm_ops){0};
	for (unsigned size = 0; size < t->nr; size++) {
		for (int nid = 0; nid < mm->nr_nodes; nid++)
			for (struct page *page; (page = mm_hugetlb_dequeue(mm, size, nid));) {
				mm->nodes[nid].huge[size].nr--;
				give_back(mm, page);
			}
		t->sizes[size].wanted = t->sizes[size].reserved = 0;
	}
	mm_pcp_drain_all(mm, 0);
	mm->ops = ops;
	t->at_boot = 0;
}
