/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pools of huge pages as Linux 6.1 keeps them (mm/hugetlb.c), one a size. Their pages come from
 * the page allocator and belong to the pool from then on, free ones too: on a list of their node,
 * newest first, and in the tables of whoever has one. Who may have one is a matter of counts:
 * reserved pages are promised to mappings, surplus ones leave when they are given back.
 *
 * Owns the lists of free huge pages and PG_HUGETLB. Knows nothing of mappings.
 */
#include "mm/huge/hugetlb.h"

#include <errno.h>

#include "mm/gfp.h"
#include "mm/huge/huge_pool.h"

unsigned mm_hugetlb_sizes(const struct mm *mm)
{
	return mm->hugetlb.nr;
}

unsigned mm_hugetlb_default(const struct mm *mm)
{
	return mm->hugetlb.by_default;
}

unsigned mm_hugetlb_order(const struct mm *mm, unsigned size)
{
	return mm->hugetlb.sizes[size].order;
}

int mm_hugetlb_find(const struct mm *mm, uint64_t bytes)
{
	for (unsigned i = 0; i < mm->hugetlb.nr; i++)
		if (bytes == UINT64_C(1) << (mm->hugetlb.sizes[i].order + mm->arch->page_shift))
			return (int)i;
	return -1;
}

unsigned mm_hugetlb_size_of(const struct mm *mm, const struct page *page)
{
	return page->order != mm->hugetlb.sizes[0].order;
}

static unsigned size_of(const struct mm *mm, const struct mm_hstate *h)
{
	return (unsigned)(h - mm->hugetlb.sizes);
}

static struct mm_huge_pool *pool_of(struct mm *mm, const struct mm_hstate *h, int nid)
{
	return &mm->nodes[nid].huge[size_of(mm, h)];
}

/* Where the page is counted. */
static struct mm_huge_pool *home_of(struct mm *mm, const struct page *page)
{
	return &mm->nodes[mm_page_to_nid(mm, page)].huge[mm_hugetlb_size_of(mm, page)];
}

void mm_hugetlb_info(const struct mm *mm, unsigned size, int nid, struct mm_hugetlb_info *info)
{
	const struct mm_hstate *h = &mm->hugetlb.sizes[size];

	*info = (struct mm_hugetlb_info){0};
	if (nid == MM_NO_NODE) {
		info->reserved = h->reserved;
		info->overcommit = h->overcommit;
	}
	for (int n = 0; n < mm->nr_nodes; n++) {
		const struct mm_huge_pool *pool = &mm->nodes[n].huge[size];

		if (nid != MM_NO_NODE && nid != n)
			continue;
		info->total += pool->nr;
		info->free += pool->nr_free;
		info->surplus += pool->nr_surplus;
	}
}

uint64_t mm_hugetlb_pages(const struct mm *mm)
{
	struct mm_hugetlb_info info;
	uint64_t pages = 0;

	for (unsigned size = 0; size < mm->hugetlb.nr; size++) {
		mm_hugetlb_info(mm, size, MM_NO_NODE, &info);
		pages += info.total << mm->hugetlb.sizes[size].order;
	}
	return pages;
}

static struct mm_hugetlb_info all(const struct mm *mm, const struct mm_hstate *h)
{
	struct mm_hugetlb_info info;

	mm_hugetlb_info(mm, size_of(mm, h), MM_NO_NODE, &info);
	return info;
}

static uint64_t persistent(const struct mm *mm, const struct mm_hstate *h)
{
	struct mm_hugetlb_info info = all(mm, h);

	return info.total - info.surplus;
}

/* Pages that cannot be moved are kept out of movable memory (htlb_alloc_mask()). */
static gfp_t pool_gfp(const struct mm *mm, const struct mm_hstate *h)
{
	bool movable = mm->arch->id == MM_X86_64 || mm->arch->id == MM_ARM64;

	return movable && !mm_hugetlb_is_gigantic(h) ? GFP_HIGHUSER_MOVABLE : GFP_HIGHUSER;
}

static struct page *from_buddy(struct mm *mm, const struct mm_request *like, unsigned order,
			       bool try_hard)
{
	struct mm_request req = *like;
	struct page *page;

	req.order = order;
	req.gfp |= __GFP_COMP | __GFP_NOWARN | (try_hard ? __GFP_RETRY_MAYFAIL : 0);
	if (mm_alloc_pages(mm, &req, &page)) {
		mm_count(mm, req.cpu, MM_VM_HTLB_ALLOC_FAIL, 1);
		return NULL;
	}
	mm_count(mm, req.cpu, MM_VM_HTLB_ALLOC_SUCCESS, 1);
	return page;
}

/* A page from the page allocator into the pool, in nobody's hands yet. */
static struct page *grow(struct mm *mm, const struct mm_hstate *h, const struct mm_request *like,
			 bool try_hard)
{
	struct page *page = mm_hugetlb_is_gigantic(h) ? mm_gigantic_alloc(mm, like, h->order)
						      : from_buddy(mm, like, h->order, try_hard);

	if (!page)
		return NULL;
	/* Nobody moves or reclaims it on the way. */
	page->flags = (page->flags & ~(uint64_t)PG_LRU) | PG_HUGETLB;
	page->next = page->prev = NULL;
	home_of(mm, page)->nr++;
	return page;
}

void mm_hugetlb_enqueue(struct mm *mm, struct page *page)
{
	struct mm_huge_pool *pool = home_of(mm, page);

	page_list_add_head(&pool->free, page);
	pool->nr_free++;
}

struct page *mm_hugetlb_dequeue(struct mm *mm, unsigned size, int nid)
{
	struct mm_huge_pool *pool = &mm->nodes[nid].huge[size];
	struct page *page = pool->free.head;

	if (page) {
		page_list_del(&pool->free, page);
		page->next = page->prev = NULL;
		pool->nr_free--;
	}
	return page;
}

/* A page that is on no list leaves the pool. */
static void shrink(struct mm *mm, int cpu, struct page *page, bool surplus)
{
	struct mm_huge_pool *pool = home_of(mm, page);

	pool->nr--;
	pool->nr_surplus -= surplus;
	page->flags &= ~(uint64_t)PG_HUGETLB;
	if (page->order > MAX_PAGE_ORDER)
		mm_gigantic_free(mm, cpu, page);
	else
		mm_free_pages(mm, cpu, page, page->order);
}

int mm_hugetlb_turn(const struct mm *mm, const struct mm_nodemask *nodes, int *turn)
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
static bool add_in_turn(struct mm *mm, int cpu, struct mm_hstate *h,
			const struct mm_nodemask *nodes, struct mm_nodemask *tired)
{
	for (int left = weight(mm, nodes); left > 0; left--) {
		int nid = mm_hugetlb_turn(mm, nodes, &h->next_to_alloc);
		const struct mm_request req = {.cpu = cpu,
					       .nid = nid,
					       .gfp = pool_gfp(mm, h) | __GFP_THISNODE,
					       .nodes = nodes};
		bool try_hard = !mm_nodemask_has(tired, nid);
		struct page *page = grow(mm, h, &req, try_hard);

		if (page) {
			tired->bits[nid / 64] &= ~(UINT64_C(1) << (nid % 64));
			mm_hugetlb_enqueue(mm, page);
			return true;
		}
		mm_nodemask_set(tired, nid);
	}
	return false;
}

/* One free page less, of the next node that has one; of surplus pages only where asked. */
static bool remove_in_turn(struct mm *mm, int cpu, struct mm_hstate *h,
			   const struct mm_nodemask *nodes, bool surplus)
{
	for (int left = weight(mm, nodes); left > 0; left--) {
		int nid = mm_hugetlb_turn(mm, nodes, &h->next_to_free);
		struct page *page;

		if (surplus && !pool_of(mm, h, nid)->nr_surplus)
			continue;
		page = mm_hugetlb_dequeue(mm, size_of(mm, h), nid);
		if (page) {
			shrink(mm, cpu, page, surplus);
			return true;
		}
	}
	return false;
}

/* Call a surplus page of some node an ordinary one, or the other way round. */
static bool adjust_surplus(struct mm *mm, struct mm_hstate *h, const struct mm_nodemask *nodes,
			   int delta)
{
	int *turn = delta < 0 ? &h->next_to_alloc : &h->next_to_free;

	for (int left = weight(mm, nodes); left > 0; left--) {
		struct mm_huge_pool *pool = pool_of(mm, h, mm_hugetlb_turn(mm, nodes, turn));

		if (delta < 0 ? pool->nr_surplus > 0 : pool->nr_surplus < pool->nr) {
			pool->nr_surplus += (uint64_t)delta;
			return true;
		}
	}
	return false;
}

int mm_hugetlb_nodes(const struct mm *mm, struct mm_nodemask *nodes)
{
	int nr = 0;

	*nodes = (struct mm_nodemask){0};
	for (int nid = 0; nid < mm->nr_nodes; nid++)
		if (mm->nodes[nid].present) {
			mm_nodemask_set(nodes, nid);
			nr++;
		}
	return nr;
}

/* Those of the mask that have memory; false where there are none. */
static bool usable_nodes(const struct mm *mm, int nid, const struct mm_nodemask *nodes,
			 struct mm_nodemask *out)
{
	mm_hugetlb_nodes(mm, out);
	for (int n = 0; n < mm->nr_nodes; n++)
		if ((nid != MM_NO_NODE && n != nid) || (nodes && !mm_nodemask_has(nodes, n)))
			out->bits[n / 64] &= ~(UINT64_C(1) << (n % 64));
	return !mm_nodemask_empty(out);
}

uint64_t mm_hugetlb_resize(struct mm *mm, int cpu, unsigned size, int nid,
			   const struct mm_nodemask *nodes, uint64_t count)
{
	struct mm_hstate *h = &mm->hugetlb.sizes[size];
	struct mm_nodemask allowed, tired = {0};
	struct mm_hugetlb_info info = all(mm, h);
	uint64_t least;

	if (!usable_nodes(mm, nid, nodes, &allowed))
		return persistent(mm, h);
	if (nid != MM_NO_NODE) {
		uint64_t others = info.total - mm->nodes[nid].huge[size].nr;

		count = count < UINT64_MAX - others ? count + others : UINT64_MAX;
	}
	while (all(mm, h).surplus && count > persistent(mm, h) &&
	       adjust_surplus(mm, h, &allowed, -1))
		;
	while (count > persistent(mm, h)) {
		mm_resched(mm, cpu);
		if (!add_in_turn(mm, cpu, h, &allowed, &tired))
			return h->wanted = persistent(mm, h);
	}
	info = all(mm, h);
	least = info.reserved + info.total - info.free;
	least = least > count ? least : count;
	while (least < persistent(mm, h) && remove_in_turn(mm, cpu, h, &allowed, false))
		;
	while (count < persistent(mm, h) && adjust_surplus(mm, h, &allowed, 1))
		;
	return h->wanted = persistent(mm, h);
}

/* It takes no free one that somebody counts on. Each becomes pages of the smaller size. */
int64_t mm_hugetlb_demote(struct mm *mm, int cpu, unsigned size, int nid, uint64_t count)
{
	struct mm_hstate *h = &mm->hugetlb.sizes[size], *to = h - 1;
	struct mm_nodemask allowed;
	struct mm_hugetlb_info info;
	uint64_t done = 0;

	if (!size)
		return -EINVAL;
	while (done < count && usable_nodes(mm, nid, NULL, &allowed)) {
		struct page *page = NULL;
		uint64_t nr;

		mm_hugetlb_info(mm, size, nid, &info);
		if (info.free <= h->reserved)
			break;
		for (int left = weight(mm, &allowed); left > 0 && !page; left--)
			page = mm_hugetlb_dequeue(mm, size,
						  mm_hugetlb_turn(mm, &allowed, &h->next_to_free));
		if (!page)
			break;
		home_of(mm, page)->nr--;
		nr = UINT64_C(1) << (page->order - to->order);
		mm_work(mm, cpu, MM_SITE_PREP_PAGE, UINT32_C(1) << page->order);
		mm_make_parts(mm, cpu, page, to->order);
		for (uint64_t i = 0; i < nr; i++) {
			struct page *part = page + (i << to->order);

			part->flags |= PG_HUGETLB;
			part->next = part->prev = NULL;
			home_of(mm, part)->nr++;
			mm_hugetlb_enqueue(mm, part);
		}
		h->wanted -= h->wanted > 0;
		to->wanted += nr;
		done++;
		mm_resched(mm, cpu);
	}
	return (int64_t)done;
}

/* There are no gigantic ones. */
static struct page *grow_surplus(struct mm *mm, const struct mm_hstate *h,
				 const struct mm_request *req)
{
	struct page *page;

	if (mm_hugetlb_is_gigantic(h) || all(mm, h).surplus >= h->overcommit)
		return NULL;
	page = grow(mm, h, req, true);
	/* Another CPU may have grown it meanwhile. */
	if (page && all(mm, h).surplus >= h->overcommit) {
		shrink(mm, req->cpu, page, false);
		return NULL;
	}
	if (page)
		home_of(mm, page)->nr_surplus++;
	return page;
}

static void return_surplus(struct mm *mm, int cpu, struct mm_hstate *h, uint64_t pages)
{
	struct mm_nodemask nodes;

	mm_hugetlb_nodes(mm, &nodes);
	while (pages-- && remove_in_turn(mm, cpu, h, &nodes, true))
		;
}

int mm_hugetlb_reserve(struct mm *mm, int cpu, unsigned size, uint64_t pages)
{
	struct mm_hstate *h = &mm->hugetlb.sizes[size];
	struct mm_request req = {.cpu = cpu, .nid = MM_NO_NODE, .gfp = pool_gfp(mm, h)};
	uint64_t added = 0;

	while (all(mm, h).free - h->reserved < pages) {
		struct page *page = grow_surplus(mm, h, &req);

		if (!page) {
			return_surplus(mm, cpu, h, added);
			return -ENOMEM;
		}
		mm_hugetlb_enqueue(mm, page);
		added++;
	}
	h->reserved += pages;
	return 0;
}

void mm_hugetlb_unreserve(struct mm *mm, int cpu, unsigned size, uint64_t pages)
{
	struct mm_hstate *h = &mm->hugetlb.sizes[size];
	uint64_t surplus = all(mm, h).surplus;

	if (pages > h->reserved)
		pages = h->reserved;
	h->reserved -= pages;
	return_surplus(mm, cpu, h, pages < surplus ? pages : surplus);
}

/* The nearest node of the mask that has one. */
static struct page *dequeue_nearest(struct mm *mm, const struct mm_hstate *h,
				    const struct mm_request *req)
{
	const struct mm_zonelist *list = &mm->nodes[req->nid].fallback;
	int highest = gfp_zone(mm->arch, pool_gfp(mm, h)), last = MM_NO_NODE;

	for (size_t i = 0; i < list->nr; i++) {
		const struct mm_zone *zone = list->zones[i];
		struct page *page;

		if (zone->index > highest || zone->nid == last ||
		    (req->nodes && !mm_nodemask_has(req->nodes, zone->nid)))
			continue;
		last = zone->nid;
		page = mm_hugetlb_dequeue(mm, size_of(mm, h), zone->nid);
		if (page)
			return page;
	}
	return NULL;
}

/* The mask of preferred_many is tried first, and then all nodes. */
static struct page *dequeue_by_policy(struct mm *mm, const struct mm_hstate *h,
				      struct mm_request *req, bool many)
{
	struct page *page = dequeue_nearest(mm, h, req);

	if (!page && many) {
		req->nodes = NULL;
		page = dequeue_nearest(mm, h, req);
	}
	return page;
}

/* Likewise; the mask without waiting for anything. */
static struct page *surplus_by_policy(struct mm *mm, const struct mm_hstate *h,
				      const struct mm_policy_use *use, struct mm_request *req,
				      bool many)
{
	struct mm_nodemask mask;
	struct page *page;

	mm_policy_request(mm, use, req, &mask);
	if (!many)
		return grow_surplus(mm, h, req);
	req->gfp = (pool_gfp(mm, h) | __GFP_NOWARN) & ~(__GFP_DIRECT_RECLAIM | __GFP_NOFAIL);
	page = grow_surplus(mm, h, req);
	if (page)
		return page;
	req->gfp = pool_gfp(mm, h);
	req->nodes = NULL;
	return grow_surplus(mm, h, req);
}

int mm_hugetlb_alloc(struct mm *mm, int cpu, unsigned size, const struct mm_policy_use *use,
		     bool reserved, struct page **out)
{
	struct mm_hstate *h = &mm->hugetlb.sizes[size];
	bool many = use->policy->mode == MM_POLICY_PREFERRED_MANY;
	struct mm_request req = {.cpu = cpu, .nid = MM_NO_NODE, .gfp = pool_gfp(mm, h)};
	struct mm_policy_use plain = *use;
	struct mm_nodemask mask;
	struct page *page = NULL;

	plain.huge = false;
	mm_policy_request(mm, &plain, &req, &mask);
	if (reserved || all(mm, h).free > h->reserved)
		page = dequeue_by_policy(mm, h, &req, many);
	if (!page)
		page = surplus_by_policy(mm, h, &plain, &req, many);
	if (page && reserved)
		h->reserved--;
	*out = page;
	return page ? 0 : -ENOMEM;
}

void mm_hugetlb_put_back(struct mm *mm, struct page *page)
{
	mm_hugetlb_enqueue(mm, page);
	mm->hugetlb.sizes[mm_hugetlb_size_of(mm, page)].reserved++;
}

static bool is_free(struct mm *mm, const struct page *page)
{
	return home_of(mm, page)->free.head == page || page->prev;
}

int mm_hugetlb_free(struct mm *mm, int cpu, struct page *page)
{
	if (!(page->flags & PG_HUGETLB) || is_free(mm, page))
		return -EINVAL;
	if (home_of(mm, page)->nr_surplus)
		shrink(mm, cpu, page, true);
	else
		mm_hugetlb_enqueue(mm, page);
	return 0;
}

struct page *mm_hugetlb_head(const struct mm *mm, pfn_t pfn)
{
	for (unsigned i = 0; i < mm->hugetlb.nr; i++) {
		unsigned order = mm->hugetlb.sizes[i].order;
		pfn_t head = pfn >> order << order;
		struct page *page;

		if (!mm_zone_of_pfn(mm, head))
			continue;
		page = mm->model->pfn_to_page((struct mm *)mm, MM_NO_CPU, head);
		if ((page->flags & PG_HUGETLB) && page->order == order)
			return page;
	}
	return NULL;
}

bool mm_hugetlb_is_spare(const struct mm *mm, const struct page *page)
{
	const struct mm_hstate *h;

	if (!(page->flags & PG_HUGETLB) || !is_free((struct mm *)mm, page))
		return false;
	h = &mm->hugetlb.sizes[mm_hugetlb_size_of(mm, page)];
	return all(mm, h).free > h->reserved;
}

void mm_hugetlb_dissolve(struct mm *mm, int cpu, pfn_t start, pfn_t end)
{
	pfn_t step = UINT64_C(1) << mm->hugetlb.sizes[0].order;

	for (pfn_t pfn = start; pfn + step <= end; pfn += step) {
		struct page *page = mm_hugetlb_head(mm, pfn);
		struct mm_huge_pool *pool;
		struct mm_hstate *h;

		if (!page || !mm_hugetlb_is_spare(mm, page))
			continue;
		pool = home_of(mm, page);
		h = &mm->hugetlb.sizes[mm_hugetlb_size_of(mm, page)];
		page_list_del(&pool->free, page);
		pool->nr_free--;
		page->next = page->prev = NULL;
		h->wanted -= h->wanted > 0;
		shrink(mm, cpu, page, pool->nr_surplus > 0);
	}
}
