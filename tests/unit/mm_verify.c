/* SPDX-License-Identifier: Apache-2.0 */
/* mm_verify() finds what is broken, and says what: each of its checks, broken by hand. */
#include <criterion/criterion.h>
#include <string.h>

#include "../mm_fixture.h"
#include "mm/reclaim/lru.h"

/*
 * Node 0 has [0, 4) and [8, 16) MiB, node 1 what lies between them, so node 0's zone spans it. CPU
 * 0 has an order-0 and an order-2 block in use, and the rest of a batch on its lists.
 */
struct victim {
	struct mm *mm;
	struct mm_zone *zone; /* node 0's */
	struct page *page;    /* of order 0 */
	struct page *four;    /* of order 2 */
};

static struct victim set_up(void)
{
	const struct machine m = {
		.model = MM_SPARSE,
		.memory = {{0, 4 * MiB, 0}, {4 * MiB, 4 * MiB, 1}, {8 * MiB, 8 * MiB, 0}},
		.cpus = {1, 1},
		.min_free_kbytes = 64,
	};
	struct victim v = {.mm = boot(&m)};

	v.zone = &v.mm->nodes[0].zones[0];
	v.zone->pcp_batch = 3;
	v.page = alloc(v.mm, 0, 0, GFP_HIGHUSER_MOVABLE);
	v.four = alloc(v.mm, 0, 2, GFP_HIGHUSER_MOVABLE);
	must_verify(v.mm, "before it is broken");
	return v;
}

static void wrong_mark(struct victim *v)
{
	v->zone->free_area[5].lists[MM_MOVABLE].head->flags &= ~(uint64_t)PG_BUDDY;
}

static void referenced_while_free(struct victim *v)
{
	v->zone->free_area[5].lists[MM_MOVABLE].head->refcount = 1;
}

static void wrong_order(struct victim *v)
{
	v->zone->free_area[5].lists[MM_MOVABLE].head->order = 2;
}

static void wrong_mark_on_cpu_list(struct victim *v)
{
	v->zone->pcp[0].lists[MM_MOVABLE].head->flags ^= PG_PCP | PG_BUDDY;
}

/* The page in use becomes a free pair that does not start at a pair's place. */
static void misaligned(struct victim *v)
{
	struct page *page = v->page + 1;

	page->flags = (v->page->flags & ~(uint64_t)PG_STATE_MASK) | PG_BUDDY;
	page->order = 1;
	page->refcount = 0;
	page_list_add_head(&v->zone->free_area[1].lists[MM_MOVABLE], page);
}

/* A free block of node 1 on node 0's list. */
static void foreign(struct victim *v)
{
	struct mm_zone *other = &v->mm->nodes[1].zones[0];
	struct page *page = mm_buddy_take(v->mm, MM_NO_CPU, other, MAX_PAGE_ORDER, MM_MOVABLE);

	page->flags |= PG_BUDDY;
	page_list_add_tail(&v->zone->free_area[MAX_PAGE_ORDER].lists[MM_MOVABLE], page);
}

static void ragged_range(struct victim *v)
{
	v->zone->pristine[v->zone->next_pristine].start++;
}

static void range_beyond_the_zone(struct victim *v)
{
	v->zone->pristine[v->zone->next_pristine].end += 1 << MAX_PAGE_ORDER;
}

static void broken_list(struct victim *v)
{
	v->zone->pcp[0].lists[MM_MOVABLE].head->next->prev = v->page;
}

/* Drains take from the tail. */
static void tail_lost(struct victim *v)
{
	struct page_list *list = &v->zone->pcp[0].lists[MM_MOVABLE];

	list->tail = list->head;
}

static void blocks_miscounted(struct victim *v)
{
	v->zone->free_area[5].nr_free[MM_MOVABLE]++;
}

static void pages_miscounted(struct victim *v)
{
	v->zone->nr_free++;
}

static void counter_wrong(struct victim *v)
{
	v->zone->free_counter++;
}

static void diff_too_large(struct victim *v)
{
	v->zone->pcp[0].free_diff = 126;
}

static void cpu_list_miscounted(struct victim *v)
{
	v->zone->pcp[0].count--;
}

static void head_in_a_block(struct victim *v)
{
	v->four[1].refcount = 1;
}

static void other_zone_in_flags(struct victim *v)
{
	v->page->flags |= UINT64_C(1) << v->mm->flags.zone_shift;
}

static void other_section_in_flags(struct victim *v)
{
	v->page->flags |= UINT64_C(1) << v->mm->flags.section_shift;
}

/* A free pair becomes two free pages. */
static void not_merged(struct victim *v)
{
	struct page *page = mm_buddy_take(v->mm, MM_NO_CPU, v->zone, 1, MM_MOVABLE);

	v->zone->nr_free += 2;
	v->zone->free_area[0].nr_free[MM_MOVABLE] += 2;
	for (int i = 0; i < 2; i++) {
		page[i].flags = (page->flags & ~(uint64_t)PG_STATE_MASK) | PG_BUDDY;
		page[i].order = 0;
		page[i].migratetype = MM_MOVABLE;
		page_list_add_tail(&v->zone->free_area[0].lists[MM_MOVABLE], &page[i]);
	}
}

static void referenced_twice(struct victim *v)
{
	v->page->refcount = 2;
}

static void free_but_on_no_list(struct victim *v)
{
	v->page->refcount = 0;
	v->page->flags |= PG_PCP;
}

static void leaked(struct victim *v)
{
	v->page->refcount = 0;
}

static void held_miscounted(struct victim *v)
{
	v->page->flags |= PG_HELD;
}

static void more_managed(struct victim *v)
{
	v->zone->managed++;
}

static void more_managed_than_present(struct victim *v)
{
	v->zone->present = v->zone->managed - 1;
}

static void more_present_than_spanned(struct victim *v)
{
	v->zone->present = v->zone->spanned + 1;
}

static void low_below_min(struct victim *v)
{
	v->zone->wmark[MM_WMARK_LOW] = v->zone->wmark[MM_WMARK_MIN] - 1;
}

static void high_below_low(struct victim *v)
{
	v->zone->wmark[MM_WMARK_HIGH] = v->zone->wmark[MM_WMARK_LOW] - 1;
}

static void wrong_mobility(struct victim *v)
{
	v->zone->free_area[5].lists[MM_MOVABLE].head->migratetype = MM_UNMOVABLE;
}

static void wrong_mobility_on_cpu_list(struct victim *v)
{
	v->zone->pcp[0].lists[MM_MOVABLE].head->migratetype = MM_RECLAIMABLE;
}

static void page_block_of_no_mobility(struct victim *v)
{
	v->zone->block_types[3] = 0xff;
}

static void highatomic_miscounted(struct victim *v)
{
	v->zone->nr_reserved_highatomic = 512;
}

static void lock_held(struct victim *v)
{
	v->zone->lock.holder = 1;
}

static void hit_nowhere(struct victim *v)
{
	v->zone->pcp[0].numa[MM_NUMA_HIT]++;
}

static void miss_of_nobody(struct victim *v)
{
	v->zone->pcp[0].numa[MM_NUMA_FOREIGN]++;
}

static void allocation_miscounted(struct victim *v)
{
	v->mm->counters.allocs++;
}

/* v->page is followed by reclaim, on its list. */
static void follow(struct victim *v)
{
	cr_assert_eq(mm_lru_add(v->mm, 0, v->page, MM_PAGE_FILE), 0);
	mm_lru_drain(v->mm, 0);
}

static void lru_miscounted(struct victim *v)
{
	follow(v);
	mm_page_zone(v->mm, v->page)->nr_lru[MM_LRU_INACTIVE_FILE]++;
}

static void on_the_wrong_lru(struct victim *v)
{
	follow(v);
	mm_page_zone(v->mm, v->page)->nr_lru[MM_LRU_INACTIVE_FILE]--;
	mm_page_zone(v->mm, v->page)->nr_lru[MM_LRU_ACTIVE_FILE]++;
	mm_page_zone(v->mm, v->page)->vm_stat[MM_ZS_INACTIVE_FILE]--;
	mm_page_zone(v->mm, v->page)->vm_stat[MM_ZS_ACTIVE_FILE]++;
	v->page->flags |= PG_ACTIVE;
}

static void listed_nowhere(struct victim *v)
{
	follow(v);
	v->mm->nodes[0].lru[MM_LRU_INACTIVE_FILE] = (struct page_list){0};
}

static void dirty_miscounted(struct victim *v)
{
	follow(v);
	v->page->flags |= PG_DIRTY;
}

static void batch_miscounted(struct victim *v)
{
	v->mm->lru_batches[1].nr++;
}

static void isolation_miscounted(struct victim *v)
{
	v->mm->nodes[0].vm_stat[MM_NS_ISOLATED_FILE]++;
}

static void held_back_twice(struct victim *v)
{
	follow(v);
	mm_page_zone(v->mm, v->page)->pcp[1].stat_diff[MM_ZS_INACTIVE_FILE]++;
}

static void mapped_miscounted(struct victim *v)
{
	follow(v);
	v->page->flags |= PG_MAPPED;
}

static void cma_miscounted(struct victim *v)
{
	v->zone->vm_stat[MM_ZS_FREE_CMA]++;
}

static void listed_and_batched(struct victim *v)
{
	follow(v);
	v->page->flags |= PG_BATCHED;
}

static void free_with_flags(struct victim *v)
{
	v->zone->free_area[5].lists[MM_MOVABLE].head->flags |= PG_DIRTY;
}

static const struct {
	void (*corrupt)(struct victim *v);
	const char *name, *says;
} cases[] = {
	{wrong_mark, "wrong_mark", "on a list of order 5, but flags"},
	{referenced_while_free, "referenced_while_free", "refcount 1"},
	{wrong_order, "wrong_order", "on a list of order 5, but flags"},
	{wrong_mark_on_cpu_list, "wrong_mark_on_cpu_list", "on a list of order 0, but flags"},
	{misaligned, "misaligned", "block of order 1 not aligned or beyond DMA"},
	{foreign, "foreign", "pfn 0x400: on a list of node 0 DMA, not its zone"},
	{ragged_range, "ragged_range", "node 0 DMA: pristine frames 0xc01 to 0x1000"},
	{range_beyond_the_zone, "range_beyond_the_zone", "pristine frames 0xc00 to 0x1400"},
	{broken_list, "broken_list", "broken list"},
	{tail_lost, "tail_lost", "broken list"},
	{blocks_miscounted, "blocks_miscounted", "node 0 DMA order 5: 1 blocks listed, 2 counted"},
	{pages_miscounted, "pages_miscounted", "pages listed free"},
	{counter_wrong, "counter_wrong", "pages free, but the counter says"},
	{diff_too_large, "diff_too_large", "CPU 0 holds back 126 pages of the counter"},
	{cpu_list_miscounted, "cpu_list_miscounted", "node 0 DMA CPU 0: 6 pages on its lists, 5"},
	{head_in_a_block, "head_in_a_block", "heads a block inside another"},
	{other_zone_in_flags, "other_zone_in_flags", "names another frame or zone"},
	{other_section_in_flags, "other_section_in_flags", "names another section"},
	{not_merged, "not_merged", "its buddy of order 0 is free too"},
	{referenced_twice, "referenced_twice", "in more than one place"},
	{free_but_on_no_list, "free_but_on_no_list", "on lists of CPUs 7, held 0; counted"},
	{leaked, "leaked", "is not managed 3072"},
	{held_miscounted, "held_miscounted", "held 1; counted"},
	{more_managed, "more_managed", "is not managed 3073"},
	{more_managed_than_present, "more_managed_than_present", "managed <= present <= spanned"},
	{more_present_than_spanned, "more_present_than_spanned", "managed <= present <= spanned"},
	{low_below_min, "low_below_min", "min <= low <= high"},
	{high_below_low, "high_below_low", "min <= low <= high"},
	{wrong_mobility, "wrong_mobility", "of mobility 0, on a list of mobility 1"},
	{wrong_mobility_on_cpu_list, "wrong_mobility_on_cpu_list",
	 "of mobility 2, on list 1 of CPU 0"},
	{page_block_of_no_mobility, "page_block_of_no_mobility", "0x600: page block of mobility"},
	{highatomic_miscounted, "highatomic_miscounted",
	 "0 pages in highatomic page blocks, 512 counted"},
	{lock_held, "lock_held", "lock held by CPU 1"},
	{hit_nowhere, "hit_nowhere", "numa_hit + numa_miss is not local + other"},
	{miss_of_nobody, "miss_of_nobody", "numa_miss 0 in all is not numa_foreign 1"},
	{allocation_miscounted, "allocation_miscounted",
	 "2 blocks in use, but 3 allocated, 0 freed and 0 reclaimed"},
	{lru_miscounted, "lru_miscounted", "1 pages of LRU list 2, 2 counted"},
	{on_the_wrong_lru, "on_the_wrong_lru", "on LRU list 2 of node 0 with flags"},
	{listed_nowhere, "listed_nowhere", "node 0: 0 pages on LRU list 2, not 1"},
	{dirty_miscounted, "dirty_miscounted", "nr_zone_write_pending is 0, not 1"},
	{batch_miscounted, "batch_miscounted", "0 pages in batches; counted 1"},
	{isolation_miscounted, "isolation_miscounted", "nr_isolated_file is 1, not 0"},
	{held_back_twice, "held_back_twice", "nr_zone_inactive_file is 2, not 1"},
	{mapped_miscounted, "mapped_miscounted", "node 0: nr_mapped is 0, not 1"},
	{cma_miscounted, "cma_miscounted", "nr_free_cma is 1, not 0"},
	{listed_and_batched, "listed_and_batched", "in more than one place"},
	{free_with_flags, "free_with_flags", "free, but with flags"},
};

Test(verify, finds_each_kind_of_damage)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct victim v = set_up();
		char why[256] = "";

		cases[i].corrupt(&v);
		cr_expect_eq(mm_verify(v.mm, why, sizeof(why)), -22, "%s", cases[i].name);
		cr_expect(strstr(why, cases[i].says), "%s: %s", cases[i].name, why);
		mm_destroy(v.mm);
	}
}

/* A message that does not fit is cut, not written beyond the end. */
Test(verify, messages_fit_what_there_is)
{
	struct victim v = set_up();
	char why[8] = "xxxxxxx";

	leaked(&v);
	cr_expect_eq(mm_verify(v.mm, why, 5), -22);
	cr_expect_eq(memcmp(why, "node\0xx", 7), 0);
	mm_destroy(v.mm);
}
