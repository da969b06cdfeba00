/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pool of huge pages as Linux 6.1 keeps it (mm/hugetlb.c). Its pages come from the page
 * allocator and belong to the pool from then on, free ones too: on a list of their node, newest
 * first, and in the tables of whoever has one. Who may have one is a matter of counts: reserved
 * pages are promised to mappings, surplus ones leave when they are given back.
 *
 * Owns the lists of free huge pages and PG_HUGETLB. Knows nothing of mappings.
 */
#include "mm/huge/hugetlb.h"

#include <errno.h>
#include <string.h>

#include "mm/gfp.h"
#include "mm/huge/huge_pool.h"

static bool has_memory(const struct mm *mm, int nid)
{
	return mm->nodes[nid].present > 0;
}

unsigned mm_hugetlb_order(const struct mm *mm)
{
	return mm->arch->pageblock_order;
}

static void add_node(const struct mm_node *node, struct mm_hugetlb_info *info)
{
	info->total += node->huge.nr;
	info->free += node->huge.nr_free;
	info->surplus += node->huge.nr_surplus;
}

void mm_hugetlb_info(const struct mm *mm, int nid, struct mm_hugetlb_info *info)
{
	*info = (struct mm_hugetlb_info){.reserved = nid == MM_NO_NODE ? mm->hugetlb.reserved : 0};
	for (int n = 0; n < mm->nr_nodes; n++)
		if (nid == MM_NO_NODE || nid == n)
			add_node(&mm->nodes[n], info);
}

static struct mm_hugetlb_info all(const struct mm *mm)
{
	struct mm_hugetlb_info info;

	mm_hugetlb_info(mm, MM_NO_NODE, &info);
	return info;
}

static uint64_t persistent(const struct mm *mm)
{
	struct mm_hugetlb_info info = all(mm);

	return info.total - info.surplus;
}

/* Pages that cannot be moved are kept out of movable memory (htlb_alloc_mask()). */
static gfp_t pool_gfp(const struct mm *mm)
{
	bool movable = mm->arch->id == MM_X86_64 || mm->arch->id == MM_ARM64;

	return movable ? GFP_HIGHUSER_MOVABLE : GFP_HIGHUSER;
}

/* A page from the page allocator into the pool, in nobody's hands yet. */
static struct page *grow(struct mm *mm, const struct mm_request *like, bool try_hard)
{
	struct mm_request req = *like;
	struct page *page;

	req.order = mm_hugetlb_order(mm);
	req.gfp |= __GFP_COMP | __GFP_NOWARN | (try_hard ? __GFP_RETRY_MAYFAIL : 0);
	if (mm_alloc_pages(mm, &req, &page)) {
		mm_count(mm, MM_VM_HTLB_ALLOC_FAIL, 1);
		return NULL;
	}
	mm_count(mm, MM_VM_HTLB_ALLOC_SUCCESS, 1);
	/* Nobody moves or reclaims it on the way. */
	page->flags = (page->flags & ~(uint64_t)PG_LRU) | PG_HUGETLB;
	page->next = page->prev = NULL;
	mm->nodes[mm_page_to_nid(mm, page)].huge.nr++;
	return page;
}

static void enqueue(struct mm *mm, struct page *page)
{
	struct mm_node *node = &mm->nodes[mm_page_to_nid(mm, page)];

	page_list_add_head(&node->huge.free, page);
	node->huge.nr_free++;
}

static struct page *dequeue(struct mm *mm, int nid)
{
	struct mm_huge_pool *pool = &mm->nodes[nid].huge;
	struct page *page = pool->free.head;

	if (page) {
		page_list_del(&pool->free, page);
		pool->nr_free--;
	}
	return page;
}

/* A page that is on no list leaves the pool. */
static void shrink(struct mm *mm, int cpu, struct page *page, bool surplus)
{
	struct mm_huge_pool *pool = &mm->nodes[mm_page_to_nid(mm, page)].huge;

	pool->nr--;
	pool->nr_surplus -= surplus;
	page->flags &= ~(uint64_t)PG_HUGETLB;
	mm_free_pages(mm, cpu, page, mm_hugetlb_order(mm));
}

/* The node whose turn it is among `nodes`, and whose it will be then. */
static int next_in_turn(const struct mm *mm, const struct mm_nodemask *nodes, int *turn)
{
	int nid = *turn % mm->nr_nodes;

	while (!mm_nodemask_has(nodes, nid))
		nid = (nid + 1) % mm->nr_nodes;
	*turn = nid;
	do
		*turn = (*turn + 1) % mm->nr_nodes;
	while (!mm_nodemask_has(nodes, *turn));
	return nid;
}

static int weight(const struct mm *mm, const struct mm_nodemask *nodes)
{
	int nr = 0;

	for (int nid = 0; nid < mm->nr_nodes; nid++)
		nr += mm_nodemask_has(nodes, nid);
	return nr;
}

/*
 * One page more, from the next node that has one. A node that has failed is not tried so hard
 * again (`tired`), until it succeeds.
 */
static bool add_in_turn(struct mm *mm, int cpu, const struct mm_nodemask *nodes,
			struct mm_nodemask *tired)
{
	for (int left = weight(mm, nodes); left > 0; left--) {
		int nid = next_in_turn(mm, nodes, &mm->hugetlb.next_to_alloc);
		const struct mm_request req = {.cpu = cpu,
					       .nid = nid,
					       .gfp = pool_gfp(mm) | __GFP_THISNODE,
					       .nodes = nodes};
		bool try_hard = !mm_nodemask_has(tired, nid);
		struct page *page = grow(mm, &req, try_hard);

		if (page) {
			tired->bits[nid / 64] &= ~(UINT64_C(1) << (nid % 64));
			enqueue(mm, page);
			return true;
		}
		mm_nodemask_set(tired, nid);
	}
	return false;
}

/* One free page less, of the next node that has one; of surplus pages only where asked. */
static bool remove_in_turn(struct mm *mm, int cpu, const struct mm_nodemask *nodes, bool surplus)
{
	for (int left = weight(mm, nodes); left > 0; left--) {
		int nid = next_in_turn(mm, nodes, &mm->hugetlb.next_to_free);
		struct page *page;

		if (surplus && !mm->nodes[nid].huge.nr_surplus)
			continue;
		page = dequeue(mm, nid);
		if (page) {
			shrink(mm, cpu, page, surplus);
			return true;
		}
	}
	return false;
}

/* Call a surplus page of some node an ordinary one, or the other way round. */
static bool adjust_surplus(struct mm *mm, const struct mm_nodemask *nodes, int delta)
{
	int *turn = delta < 0 ? &mm->hugetlb.next_to_alloc : &mm->hugetlb.next_to_free;

	for (int left = weight(mm, nodes); left > 0; left--) {
		struct mm_huge_pool *pool = &mm->nodes[next_in_turn(mm, nodes, turn)].huge;

		if (delta < 0 ? pool->nr_surplus > 0 : pool->nr_surplus < pool->nr) {
			pool->nr_surplus += (uint64_t)delta;
			return true;
		}
	}
	return false;
}

static void nodes_with_memory(const struct mm *mm, struct mm_nodemask *nodes)
{
	*nodes = (struct mm_nodemask){0};
	for (int nid = 0; nid < mm->nr_nodes; nid++)
		if (has_memory(mm, nid))
			mm_nodemask_set(nodes, nid);
}

/* Those of the mask that have memory; false where there are none. */
static bool usable_nodes(const struct mm *mm, int nid, const struct mm_nodemask *nodes,
			 struct mm_nodemask *out)
{
	nodes_with_memory(mm, out);
	for (int n = 0; n < mm->nr_nodes; n++)
		if ((nid != MM_NO_NODE && n != nid) || (nodes && !mm_nodemask_has(nodes, n)))
			out->bits[n / 64] &= ~(UINT64_C(1) << (n % 64));
	return !mm_nodemask_empty(out);
}

uint64_t mm_hugetlb_resize(struct mm *mm, int cpu, int nid, const struct mm_nodemask *nodes,
			   uint64_t count)
{
	struct mm_nodemask allowed, tired = {0};
	struct mm_hugetlb_info info = all(mm);
	uint64_t least;

	if (!usable_nodes(mm, nid, nodes, &allowed))
		return persistent(mm);
	if (nid != MM_NO_NODE) {
		uint64_t others = info.total - mm->nodes[nid].huge.nr;

		count = count < UINT64_MAX - others ? count + others : UINT64_MAX;
	}
	while (all(mm).surplus && count > persistent(mm) && adjust_surplus(mm, &allowed, -1))
		;
	while (count > persistent(mm)) {
		mm_resched(mm, cpu);
		if (!add_in_turn(mm, cpu, &allowed, &tired))
			return mm->hugetlb.wanted = persistent(mm);
	}
	info = all(mm);
	least = info.reserved + info.total - info.free;
	least = least > count ? least : count;
	while (least < persistent(mm) && remove_in_turn(mm, cpu, &allowed, false))
		;
	while (count < persistent(mm) && adjust_surplus(mm, &allowed, 1))
		;
	return mm->hugetlb.wanted = persistent(mm);
}

void mm_hugetlb_written(struct mm *mm)
{
	mm_hugetlb_resize(mm, 0, MM_NO_NODE, NULL, mm->hugetlb.wanted);
}

static struct page *grow_surplus(struct mm *mm, const struct mm_request *req)
{
	struct page *page;

	if (all(mm).surplus >= mm->hugetlb.overcommit)
		return NULL;
	page = grow(mm, req, true);
	/* Another CPU may have grown it meanwhile. */
	if (page && all(mm).surplus >= mm->hugetlb.overcommit) {
		shrink(mm, req->cpu, page, false);
		return NULL;
	}
	if (page)
		mm->nodes[mm_page_to_nid(mm, page)].huge.nr_surplus++;
	return page;
}

static void return_surplus(struct mm *mm, int cpu, uint64_t pages)
{
	struct mm_nodemask nodes;

	nodes_with_memory(mm, &nodes);
	while (pages-- && remove_in_turn(mm, cpu, &nodes, true))
		;
}

int mm_hugetlb_reserve(struct mm *mm, int cpu, uint64_t pages)
{
	struct mm_request req = {.cpu = cpu, .nid = MM_NO_NODE, .gfp = pool_gfp(mm)};
	uint64_t added = 0;

	while (all(mm).free - mm->hugetlb.reserved < pages) {
		struct page *page = grow_surplus(mm, &req);

		if (!page) {
			return_surplus(mm, cpu, added);
			return -ENOMEM;
		}
		enqueue(mm, page);
		added++;
	}
	mm->hugetlb.reserved += pages;
	return 0;
}

void mm_hugetlb_unreserve(struct mm *mm, int cpu, uint64_t pages)
{
	uint64_t surplus = all(mm).surplus;

	if (pages > mm->hugetlb.reserved)
		pages = mm->hugetlb.reserved;
	mm->hugetlb.reserved -= pages;
	return_surplus(mm, cpu, pages < surplus ? pages : surplus);
}

/* The nearest node of the mask that has one. */
static struct page *dequeue_nearest(struct mm *mm, const struct mm_request *req)
{
	const struct mm_zonelist *list = &mm->nodes[req->nid].fallback;
	int highest = gfp_zone(mm->arch, pool_gfp(mm)), last = MM_NO_NODE;

	for (size_t i = 0; i < list->nr; i++) {
		const struct mm_zone *zone = list->zones[i];
		struct page *page;

		if (zone->index > highest || zone->nid == last ||
		    (req->nodes && !mm_nodemask_has(req->nodes, zone->nid)))
			continue;
		last = zone->nid;
		page = dequeue(mm, zone->nid);
		if (page)
			return page;
	}
	return NULL;
}

/* The mask of preferred_many is tried first, and then all nodes. */
static struct page *dequeue_by_policy(struct mm *mm, struct mm_request *req, bool many)
{
	struct page *page = dequeue_nearest(mm, req);

	if (!page && many) {
		req->nodes = NULL;
		page = dequeue_nearest(mm, req);
	}
	return page;
}

/* Likewise; the mask without waiting for anything. */
static struct page *surplus_by_policy(struct mm *mm, const struct mm_policy_use *use,
				      struct mm_request *req, bool many)
{
	struct mm_nodemask mask;
	struct page *page;

	mm_policy_request(mm, use, req, &mask);
	if (!many)
		return grow_surplus(mm, req);
	req->gfp = (pool_gfp(mm) | __GFP_NOWARN) & ~(__GFP_DIRECT_RECLAIM | __GFP_NOFAIL);
	page = grow_surplus(mm, req);
	if (page)
		return page;
	req->gfp = pool_gfp(mm);
	req->nodes = NULL;
	return grow_surplus(mm, req);
}

int mm_hugetlb_alloc(struct mm *mm, int cpu, const struct mm_policy_use *use, bool reserved,
		     struct page **out)
{
	bool many = use->policy->mode == MM_POLICY_PREFERRED_MANY;
	struct mm_request req = {.cpu = cpu, .nid = MM_NO_NODE, .gfp = pool_gfp(mm)};
	struct mm_policy_use plain = *use;
	struct mm_nodemask mask;
	struct page *page = NULL;

	plain.huge = false;
	mm_policy_request(mm, &plain, &req, &mask);
	if (reserved || all(mm).free > mm->hugetlb.reserved)
		page = dequeue_by_policy(mm, &req, many);
	if (!page)
		page = surplus_by_policy(mm, &plain, &req, many);
	if (page && reserved)
		mm->hugetlb.reserved--;
	*out = page;
	return page ? 0 : -ENOMEM;
}

void mm_hugetlb_put_back(struct mm *mm, struct page *page)
{
	enqueue(mm, page);
	mm->hugetlb.reserved++;
}

static bool is_free(const struct mm *mm, const struct page *page)
{
	const struct page *head = mm->nodes[mm_page_to_nid(mm, page)].huge.free.head;

	return head == page || page->prev;
}

int mm_hugetlb_free(struct mm *mm, int cpu, struct page *page)
{
	if (!(page->flags & PG_HUGETLB) || is_free(mm, page))
		return -EINVAL;
	if (mm->nodes[mm_page_to_nid(mm, page)].huge.nr_surplus)
		shrink(mm, cpu, page, true);
	else
		enqueue(mm, page);
	return 0;
}

/* Pages of one node, by the node's own number on the command line. */
bool mm_hugetlb_is_spare(const struct mm *mm, const struct page *page)
{
	uint64_t nr_free = 0;

	if (!(page->flags & PG_HUGETLB) || !is_free(mm, page))
		return false;
	for (int n = 0; n < mm->nr_nodes; n++)
		nr_free += mm->nodes[n].huge.nr_free;
	return nr_free > mm->hugetlb.reserved;
}

void mm_hugetlb_dissolve(struct mm *mm, int cpu, pfn_t start, pfn_t end)
{
	unsigned order = mm_hugetlb_order(mm);

	for (pfn_t pfn = start; pfn + (UINT64_C(1) << order) <= end; pfn += UINT64_C(1) << order) {
		struct page *page = mm->model->pfn_to_page(mm, MM_NO_CPU, pfn);
		struct mm_huge_pool *pool;

		if (!mm_hugetlb_is_spare(mm, page))
			continue;
		pool = &mm->nodes[mm_page_to_nid(mm, page)].huge;
		page_list_del(&pool->free, page);
		pool->nr_free--;
		page->next = page->prev = NULL;
		mm->hugetlb.wanted -= mm->hugetlb.wanted > 0;
		shrink(mm, cpu, page, pool->nr_surplus > 0);
	}
}

static void boot_node(struct mm *mm, int nid, uint64_t count)
{
	const struct mm_request req = {.nid = nid, .gfp = pool_gfp(mm) | __GFP_THISNODE};

	while (count-- && has_memory(mm, nid)) {
		struct page *page = grow(mm, &req, true);

		if (!page)
			return;
		enqueue(mm, page);
	}
}

/* What boot takes has been taken before anybody counts. */
static void forget_counts(struct mm *mm)
{
	for (int n = 0; n < mm->nr_nodes; n++)
		for (int z = 0; z < mm->arch->nr_zones; z++) {
			struct mm_zone *zone = &mm->nodes[n].zones[z];

			zone->numa_hit = zone->numa_miss = zone->numa_foreign = 0;
			zone->numa_interleave = zone->numa_local = zone->numa_other = 0;
			zone->alloc_pages = zone->freed_pages = 0;
			zone->fallbacks = zone->lock_acquired = 0;
		}
	memset(mm->vm_events, 0, sizeof(mm->vm_events));
	memset(mm->allocstall, 0, sizeof(mm->allocstall));
}

void mm_hugetlb_boot(struct mm *mm, const struct mm_config *c)
{
	const struct mm_ops ops = mm->ops;

	if (!c->params.hugepages && !c->nr_hugepages_of)
		return;
	mm->ops = (struct mm_ops){0};
	if (c->nr_hugepages_of) {
		for (int nid = 0; nid < c->nr_hugepages_of && nid < mm->nr_nodes; nid++)
			boot_node(mm, nid, c->hugepages_of[nid]);
	} else {
		mm_hugetlb_resize(mm, 0, MM_NO_NODE, NULL, c->params.hugepages);
	}
	mm->ops = ops;
	mm->hugetlb.wanted = mm->hugetlb.at_boot = all(mm).total;
	forget_counts(mm);
}

void mm_hugetlb_forget(struct mm *mm)
{
	const struct mm_ops ops = mm->ops;

	mm->ops = (struct mm_ops){0};
	for (int nid = 0; nid < mm->nr_nodes; nid++)
		for (struct page *page; (page = dequeue(mm, nid));) {
			mm->nodes[nid].huge.nr--;
			page->flags &= ~(uint64_t)PG_HUGETLB;
			mm_free_block(mm, MM_NO_CPU, page, mm_hugetlb_order(mm));
		}
	mm_pcp_drain_all(mm, 0);
	mm->ops = ops;
	mm->hugetlb.wanted = mm->hugetlb.reserved = mm->hugetlb.at_boot = 0;
}
