/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of pages, of all kinds: allocated, split, followed by reclaim, moved, freed. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "mm/alloc/contig.h"
#include "mm/compact/compact.h"
#include "mm/compact/migrate.h"
#include "mm/huge/hugetlb.h"
#include "mm/mempolicy.h"
#include "mm/reclaim/lru.h"
#include "world.h"

static const gfp_t flags[] = {
	GFP_HIGHUSER_MOVABLE,
	GFP_HIGHUSER_MOVABLE,
	GFP_HIGHUSER_MOVABLE | __GFP_ZERO,
	GFP_KERNEL,
	GFP_HIGHUSER,
	GFP_ATOMIC,
	GFP_NOIO,
	GFP_NOWAIT | __GFP_RECLAIMABLE,
	GFP_KERNEL | GFP_DMA,
	GFP_DMA32 | GFP_KERNEL,
	GFP_KERNEL | __GFP_THISNODE,
	GFP_KERNEL | __GFP_RETRY_MAYFAIL,
	GFP_KERNEL | __GFP_MEMALLOC,
	GFP_TRANSHUGE_LIGHT | __GFP_THISNODE,
	GFP_TRANSHUGE,
};

#define NR_FLAGS (sizeof(flags) / sizeof(flags[0]))

void world_policy(struct world *w, struct mm_policy *p)
{
	memset(p, 0, sizeof(*p));
	p->mode = (uint8_t)world_below(w, MM_NR_POLICY_MODES);
	p->relative = world_one_in(w, 4);
	p->home_nid = (int16_t)((int)world_below(w, (uint64_t)mm_nr_nodes(w->mm) + 1) - 1);
	p->nodes.bits[0] = world_below(w, 16);
}

static struct world_block *free_slot(struct world *w)
{
	size_t first = world_below(w, WORLD_BLOCKS);

	for (size_t i = 0; i < 64; i++) {
		struct world_block *b = &w->blocks[(first + i) % WORLD_BLOCKS];

		if (!b->page && !b->busy)
			return b;
	}
	return NULL;
}

/* That nobody is at. */
static struct world_block *any_block(struct world *w)
{
	size_t first = world_below(w, WORLD_BLOCKS);

	for (size_t i = 0; i < WORLD_BLOCKS; i++) {
		struct world_block *b = &w->blocks[(first + i) % WORLD_BLOCKS];

		if (b->page && !b->busy && !b->pins)
			return b;
	}
	return NULL;
}

struct world_block *world_pinnable(struct world *w)
{
	size_t first = world_below(w, WORLD_BLOCKS);

	for (size_t i = 0; i < WORLD_BLOCKS; i++) {
		struct world_block *b = &w->blocks[(first + i) % WORLD_BLOCKS];

		if (b->page && !b->busy && !b->movable && !b->order)
			return b;
	}
	return NULL;
}

static int get(struct world *w, struct mm_request *req, struct page **page)
{
	struct mm_policy policy;
	struct mm_policy_use use = {.policy = &policy, .turn = (uint32_t)random_next(&w->rng)};

	if (!world_one_in(w, 3))
		return mm_alloc_pages(w->mm, req, page);
	world_policy(w, &policy);
	use.huge = req->order == mm_get_arch(w->mm)->pageblock_order;
	return mm_alloc_pages_policy(w->mm, req, &use, page);
}

static void follow(struct world *w, int cpu, struct world_block *b)
{
	struct page *page = b->page;

	b->movable = b->followed = true;
	b->busy = true;
	cr_assert_eq(mm_lru_add(w->mm, cpu, page, (enum mm_page_kind)(1 + world_below(w, 3))), 0);
	b->busy = false;
}

static void allocate(struct world *w, int cpu)
{
	struct world_block *b = free_slot(w);
	struct mm_request req = {
		.cpu = cpu,
		.nid = (int)world_below(w, (uint64_t)mm_nr_nodes(w->mm) + 1) - 1,
		.order = (unsigned)(world_one_in(w, 4) ? world_below(w, NR_PAGE_ORDERS)
						       : world_below(w, 3)),
		.gfp = flags[world_below(w, NR_FLAGS)],
		.pf_memalloc = world_one_in(w, 30),
	};
	struct page *page;
	int err;

	if (!b)
		return;
	b->busy = true;
	err = get(w, &req, &page);
	b->busy = false;
	if (err) {
		cr_assert(err == -ENOMEM && !page);
		w->failed++;
		return;
	}
	w->allocs++;
	cr_assert_leq(mm_page_zonenum(w->mm, page), gfp_zone(mm_get_arch(w->mm), req.gfp));
	*b = (struct world_block){
		.page = page, .order = req.order, .movable = req.gfp & __GFP_MOVABLE};
	if (b->movable && world_one_in(w, 2))
		follow(w, cpu, b);
}

static void allocate_many(struct world *w, int cpu)
{
	struct page *pages[32] = {NULL};
	struct mm_request req = {.cpu = cpu, .nid = world_node(w), .gfp = GFP_KERNEL};
	uint64_t nr = mm_alloc_pages_bulk(w->mm, &req, 1 + world_below(w, 32), pages);

	for (uint64_t i = 0; i < nr; i++) {
		struct world_block *b = free_slot(w);

		if (b)
			*b = (struct world_block){.page = pages[i]};
		else
			cr_assert_eq(mm_free_pages(w->mm, cpu, pages[i], 0), 0);
	}
}

static void give_back(struct world *w, int cpu, struct world_block *b)
{
	struct world_block gone = *b;

	*b = (struct world_block){.page = NULL};
	cr_assert_eq(mm_free_pages(w->mm, cpu, gone.page, gone.order), 0, "%s", w->doing);
}

/* Reclaim or a move may come first. */
static void split(struct world *w, int cpu, struct world_block *b)
{
	unsigned order = b->order, parts = 0;
	struct world_block *slots[8], whole = *b;
	struct page *page = b->page;
	int err;

	if (!order || order > 3)
		return;
	while (parts < (1u << order) - 1 && (slots[parts] = free_slot(w)))
		slots[parts++]->busy = true;
	b->busy = true;
	err = parts == (1u << order) - 1 ? mm_split_page(w->mm, cpu, page, 0) : -EBUSY;
	b->busy = false;
	for (unsigned i = 0; i < parts; i++)
		slots[i]->busy = false;
	if (err) {
		cr_assert(err == -EBUSY || b->page != page);
		return;
	}
	cr_assert_eq(b->page, page);
	b->order = 0;
	for (unsigned i = 0; i < parts; i++)
		*slots[i] = (struct world_block){
			.page = page + 1 + i, .movable = whole.movable, .followed = whole.followed};
}

static void use(struct world *w, int cpu, struct world_block *b)
{
	struct page *page = b->page;
	bool followed = b->followed;
	int err;

	/* Not while somebody moves it. */
	if (!followed && b->movable && !(page->flags & PG_ISOLATED) && world_one_in(w, 4)) {
		follow(w, cpu, b);
		return;
	}
	b->busy = true;
	switch (world_below(w, 4)) {
	case 0:
		err = mm_page_accessed(w->mm, cpu, page);
		break;
	case 1:
		err = mm_page_touched(w->mm, 0, page, world_one_in(w, 2));
		break;
	case 2:
		err = mm_page_dirty(w->mm, 0, page);
		break;
	default:
		err = mm_page_lock_in(w->mm, cpu, page, world_one_in(w, 4));
	}
	b->busy = false;
	/* Meanwhile it may have moved, or be reclaimed. */
	cr_assert(b->page != page || err == (followed ? 0 : -EINVAL), "%d", err);
}

static void swap_and_writes(struct world *w, int cpu)
{
	struct page *page;
	size_t i;

	if (w->in_swap && world_one_in(w, 2)) {
		mm_swap_drop(w->mm, 0);
		w->in_swap--;
	} else if (w->nr_writes) {
		i = world_below(w, w->nr_writes);
		page = w->writes[i];
		w->writes[i] = w->writes[--w->nr_writes];
		mm_write_done(w->mm, cpu, page);
	} else {
		mm_lru_drain(w->mm, cpu);
	}
}

/* Of what is nobody's, or another's: refused. */
static void wrong_free(struct world *w, int cpu)
{
	struct world_block *b = any_block(w);

	if (!b || !b->order)
		return;
	cr_assert_eq(mm_free_pages(w->mm, cpu, b->page, b->order - 1), -EINVAL);
	cr_assert_eq(mm_free_pages(w->mm, cpu, b->page + 1, b->order), -EINVAL);
}

void world_pages(struct world *w, int cpu)
{
	uint64_t what = world_below(w, 40);
	struct world_block *b = any_block(w);

	if (what < 16)
		allocate(w, cpu);
	else if (what == 16)
		allocate_many(w, cpu);
	else if (what == 17)
		wrong_free(w, cpu);
	else if (what < 22)
		swap_and_writes(w, cpu);
	else if (b && what < 31)
		give_back(w, cpu, b);
	else if (b && what < 33)
		split(w, cpu, b);
	else if (b)
		use(w, cpu, b);
}

static void migrate(struct world *w, int cpu)
{
	struct mm_nodemask mask = {.bits = {1 + world_below(w, 7)}};
	const struct mm_migrate_request req = {.cpu = cpu,
					       .nid = world_node(w),
					       .nodes = world_one_in(w, 2) ? &mask : NULL,
					       .reason = MM_MIGRATE_SYSCALL};
	struct world_block *blocks[16];
	struct page *pages[16];
	size_t nr = 0;

	while (nr < 16 && (blocks[nr] = any_block(w)) && blocks[nr]->movable) {
		pages[nr] = blocks[nr]->page;
		blocks[nr++]->busy = true;
	}
	mm_migrate_pages(w->mm, &req, pages, nr);
	while (nr--)
		blocks[nr]->busy = false;
}

static void contig(struct world *w, int cpu)
{
	struct world_run *run = &w->runs[world_below(w, WORLD_RUNS)], got;
	uint64_t nr = 1 + world_below(w, world_one_in(w, 8) ? 600 : 32);
	pfn_t start = world_below(w, w->mm->end_pfn);
	struct mm_request req = {.cpu = cpu, .nid = world_node(w), .gfp = GFP_HIGHUSER_MOVABLE};
	int err;

	got = *run;
	run->nr = 0;
	if (got.nr && got.cma) {
		cr_assert_eq(mm_cma_release(w->mm, cpu, got.first, got.nr), 0);
		return;
	} else if (got.nr) {
		mm_free_contig_range(w->mm, cpu, got.first, got.nr);
		return;
	}
	got = (struct world_run){.nr = nr, .cma = w->machine.cma_bytes && world_one_in(w, 2)};
	if (got.cma) {
		err = mm_cma_alloc(w->mm, cpu, nr, (unsigned)world_below(w, 4), &got.first);
	} else if (world_one_in(w, 2)) {
		got.nr = UINT64_C(1) << world_below(w, 8);
		err = mm_alloc_contig_pages(w->mm, &req, got.nr, &got.first);
	} else {
		err = mm_alloc_contig_range(w->mm, cpu, start, start + nr, false);
		got.first = err ? NULL : mm_pfn_to_page(w->mm, MM_NO_CPU, start);
	}
	cr_assert(err == 0 || err == -ENOMEM || err == -EBUSY || err == -EINVAL);
	if (err)
		return;
	if (run->nr) /* somebody else was quicker */
		got.cma ? (void)mm_cma_release(w->mm, cpu, got.first, got.nr)
			: mm_free_contig_range(w->mm, cpu, got.first, got.nr);
	else
		*run = got;
}

void world_moves(struct world *w, int cpu)
{
	uint64_t what = world_below(w, 8);

	if (what < 4)
		migrate(w, cpu);
	else if (what < 7)
		contig(w, cpu);
	else
		mm_compact_all(w->mm, world_one_in(w, 4) && !w->concurrent ? MM_NO_CPU : cpu);
}

void world_pool(struct world *w, int cpu)
{
	size_t i = world_below(w, WORLD_POOLED);
	struct mm_policy policy;
	struct mm_policy_use use = {.policy = &policy, .turn = (uint32_t)random_next(&w->rng)};
	struct page *page = w->pooled[i];
	bool reserved = w->reserved && world_one_in(w, 2);

	if (page) {
		w->pooled[i] = NULL;
		cr_assert_eq(mm_hugetlb_free(w->mm, cpu, page), 0);
		cr_assert_eq(mm_hugetlb_free(w->mm, cpu, page), -EINVAL);
	} else if (world_one_in(w, 3)) {
		if (w->reserved)
			w->reserved--, mm_hugetlb_unreserve(w->mm, cpu, 0, 1);
	} else if (world_one_in(w, 2)) {
		if (!mm_hugetlb_reserve(w->mm, cpu, 0, 1))
			w->reserved++;
	} else {
		world_policy(w, &policy);
		w->reserved -= reserved;
		if (mm_hugetlb_alloc(w->mm, cpu, 0, &use, reserved, &page))
			w->reserved += reserved;
		else if (w->pooled[i])
			cr_assert_eq(mm_hugetlb_free(w->mm, cpu, page), 0);
		else
			w->pooled[i] = page;
	}
}

void world_free_some(struct world *w, int cpu)
{
	for (size_t i = 0; i < WORLD_BLOCKS; i++) {
		struct world_block *b = &w->blocks[i];

		if (b->page && !b->busy && !b->pins && world_one_in(w, 2))
			give_back(w, cpu, b);
	}
}

void world_pages_end(struct world *w)
{
	while (w->nr_reads)
		world_read_done(w, 0);
	while (w->nr_writes) {
		mm_write_done(w->mm, 0, w->writes[--w->nr_writes]);
	}
	for (size_t i = 0; i < WORLD_BLOCKS; i++)
		if (w->blocks[i].page)
			give_back(w, 0, &w->blocks[i]);
	for (size_t i = 0; i < WORLD_RUNS; i++)
		if (w->runs[i].nr && w->runs[i].cma)
			cr_assert_eq(mm_cma_release(w->mm, 0, w->runs[i].first, w->runs[i].nr), 0);
		else if (w->runs[i].nr)
			mm_free_contig_range(w->mm, 0, w->runs[i].first, w->runs[i].nr);
	for (size_t i = 0; i < WORLD_POOLED; i++)
		if (w->pooled[i])
			cr_assert_eq(mm_hugetlb_free(w->mm, 0, w->pooled[i]), 0);
	mm_hugetlb_unreserve(w->mm, 0, 0, w->reserved);
	mm_hugetlb_resize(w->mm, 0, 0, MM_NO_NODE, NULL, 0);
}
