/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much memory is kept back: min_free_kbytes, the watermarks that follow from it, and what
 * higher zones may not borrow from lower ones (lowmem_reserve).
 *
 * Formulas: Linux 6.1 mm/page_alloc.c, mm/khugepaged.c and mm/vmstat.c, which the reference
 * captures agree with figure for figure.
 */
#include "mm/zone_count.h"

#define SWAP_CLUSTER_MAX      32
#define MIN_FREE_KBYTES_LEAST 128
#define MIN_FREE_KBYTES_MOST  262144

static uint64_t isqrt(uint64_t x)
{
	uint64_t root = 0;

	for (uint64_t bit = UINT64_C(1) << 62; bit; bit >>= 2) {
		if (x >= root + bit) {
			x -= root + bit;
			root = (root >> 1) + bit;
		} else {
			root >>= 1;
		}
	}
	return root;
}

/* The kernel's nr_free_buffer_pages(): what zones up to Normal hold above their high watermark. */
static uint64_t free_buffer_pages(const struct mm *mm)
{
	int normal = mm_arch_zone_index(mm->arch, MM_ZONE_NORMAL);
	uint64_t pages = 0;

	for_each_zone (mm, zone) {
		if (zone->index <= normal && zone->managed > zone->wmark[MM_WMARK_HIGH])
			pages += zone->managed - zone->wmark[MM_WMARK_HIGH];
	}
	return pages;
}

static uint64_t default_min_free_kbytes(const struct mm *mm)
{
	uint64_t kbytes = isqrt(free_buffer_pages(mm) * 16 << (mm->arch->page_shift - 10));

	if (kbytes < MIN_FREE_KBYTES_LEAST)
		return MIN_FREE_KBYTES_LEAST;
	return kbytes > MIN_FREE_KBYTES_MOST ? MIN_FREE_KBYTES_MOST : kbytes;
}

/*
 * khugepaged wants room to keep page blocks of each mobility apart: two blocks a zone, and nine for
 * the three mobilities times their three fallbacks; at most 5 % of what is free to the kernel.
 */
static uint64_t khugepaged_min_free_kbytes(const struct mm *mm)
{
	int normal = mm_arch_zone_index(mm->arch, MM_ZONE_NORMAL);
	uint64_t most = free_buffer_pages(mm) / 20, pages = 0;

	for_each_zone (mm, zone) {
		if (zone->index <= normal && zone->managed)
			pages += UINT64_C(11) << mm->arch->pageblock_order;
	}
	if (pages > most)
		pages = most;
	return pages << (mm->arch->page_shift - 10);
}

static void set_watermarks(struct mm *mm)
{
	uint64_t pages_min = mm->min_free_kbytes >> (mm->arch->page_shift - 10);
	uint64_t lowmem = 0;

	for_each_zone (mm, zone) {
		if (!mm_is_highmem(mm, zone))
			lowmem += zone->managed;
	}
	/* Empty zones too: the kernel gives an empty HighMem zone the least that one has. */
	for_each_zone (mm, zone) {
		uint64_t share = lowmem ? pages_min * zone->managed / lowmem : 0;
		uint64_t by_scale = zone->managed * mm->params.watermark_scale_factor / 10000;
		uint64_t step = share / 4 > by_scale ? share / 4 : by_scale;
		uint64_t min = share;

		if (mm_is_highmem(mm, zone)) {
			min = zone->managed / 1024;
			min = min < SWAP_CLUSTER_MAX ? SWAP_CLUSTER_MAX : min > 128 ? 128 : min;
		}
		zone->boost = 0;
		zone->wmark[MM_WMARK_MIN] = min;
		zone->wmark[MM_WMARK_LOW] = min + step;
		zone->wmark[MM_WMARK_HIGH] = min + 2 * step;
	}
}

void mm_lowmem_reserve_setup(struct mm *mm)
{
	for_each_zone (mm, zone) {
		const struct mm_node *node = &mm->nodes[zone->nid];
		uint64_t ratio = mm->params.lowmem_reserve_ratio[mm->arch->zones[zone->index].type];
		uint64_t above = 0;

		if (!zone->managed)
			ratio = 0;
		for (int j = zone->index + 1; j < mm->arch->nr_zones; j++) {
			above += node->zones[j].managed;
			zone->lowmem_reserve[j] = ratio ? above / ratio : 0;
		}
	}
}

void mm_watermarks_init(struct mm *mm)
{
	mm->min_free_kbytes = mm->params.min_free_kbytes;
	if (mm->min_free_kbytes == MM_PARAM_DEFAULT)
		mm->min_free_kbytes = default_min_free_kbytes(mm);
	set_watermarks(mm);
	mm_stat_thresholds_init(mm);
	mm_lowmem_reserve_setup(mm);
}

/*
 * Where huge pages are never wanted it has the first figure computed again, now that there are high
 * watermarks, and takes it although it is less (set_recommended_min_free_kbytes()).
 */
void mm_khugepaged_watermarks(struct mm *mm)
{
	uint64_t total_pages = mm_managed_pages(mm), wanted;

	if (mm->params.thp)
		mm->khugepaged = total_pages << mm->arch->page_shift >= UINT64_C(512) << 20;
	if (total_pages << mm->arch->page_shift < UINT64_C(512) << 20)
		return;
	wanted = mm->params.thp ? khugepaged_min_free_kbytes(mm) : default_min_free_kbytes(mm);
	if (mm->params.min_free_kbytes == MM_PARAM_DEFAULT &&
	    (wanted > mm->min_free_kbytes || !mm->params.thp))
		mm->min_free_kbytes = wanted;
	set_watermarks(mm);
}

/* What somebody wrote is only ever raised. */
void mm_watermarks_renew(struct mm *mm)
{
	uint64_t wanted = default_min_free_kbytes(mm);

	if (mm->user_min_free_kbytes == MM_PARAM_DEFAULT || wanted > mm->user_min_free_kbytes)
		mm->min_free_kbytes = wanted;
	mm_watermarks_setup(mm);
	mm_stat_thresholds_refresh(mm);
	mm_lowmem_reserve_setup(mm);
	if (!mm->khugepaged)
		return;
	wanted = khugepaged_min_free_kbytes(mm);
	if (wanted > mm->min_free_kbytes)
		mm->min_free_kbytes = wanted;
	mm_watermarks_setup(mm);
}

void mm_min_free_written(struct mm *mm)
{
	mm->user_min_free_kbytes = mm->min_free_kbytes;
	mm_watermarks_setup(mm);
}

void mm_watermarks_setup(struct mm *mm)
{
	set_watermarks(mm);
	mm_pcp_sizes_setup(mm);
}

bool mm_zone_has_block(const struct mm_zone *zone, unsigned order, unsigned alloc_flags)
{
	for (const struct mm_free_area *area = &zone->free_area[order];
	     area < zone->free_area + NR_PAGE_ORDERS; area++) {
		for (int type = 0; type < MM_NR_PCPTYPES; type++)
			if (area->nr_free[type])
				return true;
		if ((area->nr_free[MM_CMA] && (alloc_flags & ALLOC_CMA)) ||
		    (area->nr_free[MM_HIGHATOMIC] && (alloc_flags & ALLOC_HARDER)))
			return true;
	}
	return false;
}
