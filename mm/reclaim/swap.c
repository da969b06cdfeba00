/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Places in swap: by clusters, as Linux 6.1 mm/swapfile.c has them on a disk that does not rotate.
 * Each CPU takes single places from a cluster of its own, an empty one if there is any; a huge page
 * takes an empty one whole, where the architecture has that (CONFIG_THP_SWAP: not with 32 bits).
 * Not there: priorities, several devices, the caches of places that CPUs have.
 *
 * User pages know their cluster. Owners behind mm_ops do not say which of their places they give
 * up: they are taken to keep them dense.
 */
#include "mm/reclaim/swap.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "mm/reclaim/lru.h"
#include "mm/reclaim/vmscan.h"
#include "mm/user/user_state.h"

#define NO_CLUSTER UINT32_MAX

static uint64_t cluster_pages(const struct mm *mm)
{
	return UINT64_C(1) << mm->arch->pageblock_order;
}

/* The last one may have less. */
static uint64_t room_of(const struct mm *mm, uint64_t cluster)
{
	uint64_t left = mm->swap_pages - cluster * cluster_pages(mm);

	return left < cluster_pages(mm) ? left : cluster_pages(mm);
}

void mm_swap_destroy(struct mm *mm)
{
	free(mm->swap.used);
	free(mm->swap.lent);
	free(mm->swap.current);
	mm->swap = (struct mm_swap){0};
	mm->swap_pages = mm->swap_free = 0;
}

int mm_set_swap(struct mm *mm, uint64_t pages)
{
	struct mm_swap *s = &mm->swap;

	mm_swap_destroy(mm);
	if (!pages)
		return 0;
	s->nr_clusters = s->nr_empty = (pages + cluster_pages(mm) - 1) / cluster_pages(mm);
	s->used = calloc(s->nr_clusters, sizeof(*s->used));
	s->lent = calloc(s->nr_clusters, sizeof(*s->lent));
	s->current = malloc((size_t)mm->nr_cpus * sizeof(*s->current));
	if (!s->used || !s->lent || !s->current) {
		mm_swap_destroy(mm);
		return -ENOMEM;
	}
	for (int cpu = 0; cpu < mm->nr_cpus; cpu++)
		s->current[cpu] = NO_CLUSTER;
	mm->swap_pages = mm->swap_free = pages;
	return 0;
}

/* The next cluster, in turn, that is empty, or that has any room. */
static uint64_t find(const struct mm *mm, bool empty)
{
	const struct mm_swap *s = &mm->swap;
	uint64_t c = s->next;

	while (empty ? s->used[c] > 0 : s->used[c] == room_of(mm, c))
		c = c + 1 < s->nr_clusters ? c + 1 : 0;
	return c;
}

static void use(struct mm *mm, uint64_t cluster, uint64_t pages)
{
	struct mm_swap *s = &mm->swap;

	s->nr_empty -= !s->used[cluster];
	s->used[cluster] += (uint16_t)pages;
	mm->swap_free -= pages;
	s->next = cluster;
}

static uint32_t take_one(struct mm *mm, int cpu)
{
	uint32_t *current = &mm->swap.current[cpu == MM_NO_CPU ? 0 : cpu];

	if (*current == NO_CLUSTER || mm->swap.used[*current] == room_of(mm, *current))
		*current = (uint32_t)find(mm, mm->swap.nr_empty > 0);
	use(mm, *current, 1);
	return *current;
}

/* The last cluster may be empty, and too small. */
static uint32_t take_cluster(struct mm *mm)
{
	struct mm_swap *s = &mm->swap;
	uint64_t last = s->nr_clusters - 1, c;
	bool short_one = !s->used[last] && room_of(mm, last) < cluster_pages(mm);

	if (mm->vm_map.va_bits <= 32 || s->nr_empty <= short_one)
		return NO_CLUSTER;
	s->next = short_one && s->next == last ? 0 : s->next;
	c = find(mm, true);
	if (c == last && short_one) {
		s->next = 0;
		c = find(mm, true);
	}
	use(mm, c, cluster_pages(mm));
	return (uint32_t)c;
}

static void lend(struct mm *mm, uint64_t cluster, uint64_t pages)
{
	mm->swap.lent[cluster] += (uint16_t)pages;
	if (mm->swap.top < cluster)
		mm->swap.top = cluster;
}

bool mm_swap_take(struct mm *mm, int cpu, struct page *page)
{
	uint64_t pages = mm_page_pages(page);
	bool huge = page->user && page->order;
	uint32_t cluster = NO_CLUSTER;

	if (mm->swap_free < pages)
		return false;
	if (huge) {
		cluster = take_cluster(mm);
		if (cluster == NO_CLUSTER)
			return false;
	}
	for (uint64_t i = 0; !huge && i < pages; i++) {
		cluster = take_one(mm, cpu);
		if (!page->user)
			lend(mm, cluster, 1);
	}
	if (page->user)
		mm_upage(mm, page)->cluster = cluster;
	mm_page_account(mm, cpu, page, page->flags | PG_SWAPCACHE | PG_DIRTY);
	return true;
}

void mm_swap_put(struct mm *mm, uint32_t cluster, uint64_t pages)
{
	struct mm_swap *s = &mm->swap;

	s->used[cluster] -= (uint16_t)pages;
	s->nr_empty += !s->used[cluster];
	mm->swap_free += pages;
}

/* Of those that are lent, the topmost ones. */
static void put_lent(struct mm *mm, uint64_t pages)
{
	struct mm_swap *s = &mm->swap;

	while (pages--) {
		while (s->top && !s->lent[s->top])
			s->top--;
		s->lent[s->top]--;
		mm_swap_put(mm, (uint32_t)s->top, 1);
	}
}

void mm_swap_forget(struct mm *mm, int cpu, struct page *page)
{
	mm_page_account(mm, cpu, page, page->flags & ~(uint64_t)PG_SWAPCACHE);
	if (page->user)
		mm_swap_put(mm, mm_upage(mm, page)->cluster, mm_page_pages(page));
	else
		put_lent(mm, mm_page_pages(page));
}

void mm_swap_try_free(struct mm *mm, int cpu, struct page *page)
{
	if (!(page->flags & PG_SWAPCACHE) || (page->flags & PG_WRITEBACK) ||
	    (page->user && mm_user_slots(mm, page)))
		return;
	mm_swap_forget(mm, cpu, page);
	page->flags |= PG_DIRTY;
}

bool mm_swap_full(const struct mm *mm)
{
	return mm->swap_free * 2 < mm->swap_pages;
}

uint64_t mm_swap_free_pages(const struct mm *mm)
{
	return mm->swap_free;
}

void mm_swap_drop(struct mm *mm, unsigned order)
{
	put_lent(mm, UINT64_C(1) << order);
}

void mm_swap_read(struct mm *mm, int cpu, uint64_t pages)
{
	mm_read_in(mm, cpu, pages, MM_STORE_SWAP);
	mm_count(mm, cpu, MM_VM_PSWPIN, pages);
}

void mm_swap_in(struct mm *mm, int cpu, struct page *page)
{
	mm_swap_read(mm, cpu, mm_page_pages(page));
	put_lent(mm, mm_page_pages(page));
}

int mm_swap_verify(const struct mm *mm, char *why, size_t size)
{
	const struct mm_swap *s = &mm->swap;
	uint64_t used = 0, empty = 0;

	for (uint64_t c = 0; c < s->nr_clusters; c++) {
		used += s->used[c];
		empty += !s->used[c];
		if (s->used[c] <= room_of(mm, c) && s->lent[c] <= s->used[c] &&
		    (c <= s->top || !s->lent[c]))
			continue;
		snprintf(why, size, "swap: cluster %" PRIu64 " has %u pages, %u of them lent", c,
			 s->used[c], s->lent[c]);
		return -EINVAL;
	}
	if (used == mm->swap_pages - mm->swap_free && empty == s->nr_empty)
		return 0;
	snprintf(why, size,
		 "swap: %" PRIu64 " pages are in clusters, %" PRIu64 " are taken; %" PRIu64
		 " clusters are empty, counted %" PRIu64,
		 used, mm->swap_pages - mm->swap_free, empty, s->nr_empty);
	return -EINVAL;
}
