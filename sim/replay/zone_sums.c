/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sums over zones, as Linux 6.1 has them in mm/page_alloc.c and mm/page-writeback.c. A zone is high
 * where the direct mapping does not reach it; ZONE_MOVABLE is where HighMem exists, since it is cut
 * from there.
 */
#include "sim/replay/zone_sums.h"

#include "mm/stat.h"

static bool is_high(const struct mm_arch *arch, int zone)
{
	enum mm_zone_type type = arch->zones[zone].type;

	return type == MM_ZONE_HIGHMEM ||
	       (type == MM_ZONE_MOVABLE && mm_arch_zone_index(arch, MM_ZONE_HIGHMEM) >= 0);
}

struct zone_sums zone_sums(const struct mm *mm, int nid)
{
	int first = nid == ALL_NODES ? 0 : nid;
	int end = nid == ALL_NODES ? mm_nr_nodes(mm) : nid + 1;
	const struct mm_arch *arch = mm_get_arch(mm);
	struct zone_sums s = {0};

	for (int n = first; n < end; n++)
		for (int z = 0; z < arch->nr_zones; z++) {
			struct mm_zone_info info;

			mm_zone_info(mm, n, z, &info);
			s.total += info.managed;
			s.free += info.free_counter;
			if (!is_high(arch, z))
				continue;
			s.high_total += info.managed;
			s.high_free += info.free_counter;
		}
	return s;
}

/* Each zone's high watermark and the most that a request from above leaves there, at most all. */
uint64_t zone_total_reserve(const struct mm *mm)
{
	const struct mm_arch *arch = mm_get_arch(mm);
	uint64_t reserve = 0;

	for (int nid = 0; nid < mm_nr_nodes(mm); nid++)
		for (int z = 0; z < arch->nr_zones; z++) {
			struct mm_zone_info info;
			uint64_t most = 0;

			mm_zone_info(mm, nid, z, &info);
			for (int j = z; j < arch->nr_zones; j++)
				if (info.protection[j] > most)
					most = info.protection[j];
			most += info.high;
			reserve += most < info.managed ? most : info.managed;
		}
	return reserve;
}

struct slab_sums slab_sums(const struct mm *mm, int nid)
{
	int64_t pages[2] = {0};

	for (int n = 0; n < mm_nr_nodes(mm); n++) {
		if (nid != ALL_NODES && n != nid)
			continue;
		pages[0] += mm_node_counter(mm, n, MM_NS_SLAB_UNRECLAIMABLE);
		pages[1] += mm_node_counter(mm, n, MM_NS_SLAB_RECLAIMABLE);
	}
	return (struct slab_sums){.unreclaimable = pages[0] < 0 ? 0 : (uint64_t)pages[0],
				  .reclaimable = pages[1] < 0 ? 0 : (uint64_t)pages[1]};
}

/* Pages of files that reclaim can take. */
static uint64_t file_lru(const struct mm *mm, int nid, int zone)
{
	int64_t pages = mm_zone_counter(mm, nid, zone, MM_ZS_INACTIVE_FILE) +
			mm_zone_counter(mm, nid, zone, MM_ZS_ACTIVE_FILE);

	return pages < 0 ? 0 : (uint64_t)pages;
}

/* Of page cache and of reclaimable slabs the kernel counts on half, or on all but the low
 * watermarks. */
uint64_t zone_available(const struct mm *mm)
{
	uint64_t pages = zone_sums(mm, ALL_NODES).free, reserve = zone_total_reserve(mm);
	uint64_t slab = slab_sums(mm, ALL_NODES).reclaimable, low = 0, cache = 0;

	for (int nid = 0; nid < mm_nr_nodes(mm); nid++)
		for (int z = 0; z < mm_get_arch(mm)->nr_zones; z++) {
			struct mm_zone_info info;

			mm_zone_info(mm, nid, z, &info);
			low += info.low;
			cache += file_lru(mm, nid, z);
		}
	pages += cache - (cache / 2 < low ? cache / 2 : low);
	pages += slab - (slab / 2 < low ? slab / 2 : low);
	return pages > reserve ? pages - reserve : 0;
}

/* High zones' page cache, and their free pages above the watermark: no file's dirty pages go there
 * by default. */
static uint64_t high_dirtyable(const struct mm *mm)
{
	const struct mm_arch *arch = mm_get_arch(mm);
	uint64_t pages = 0;

	for (int nid = 0; nid < mm_nr_nodes(mm); nid++)
		for (int z = 0; z < arch->nr_zones; z++) {
			struct mm_zone_info info;

			mm_zone_info(mm, nid, z, &info);
			if (!is_high(arch, z))
				continue;
			pages += info.free_counter > info.high ? info.free_counter - info.high : 0;
			pages += file_lru(mm, nid, z);
		}
	return pages;
}

uint64_t zone_dirtyable(const struct mm *mm)
{
	uint64_t pages = zone_sums(mm, ALL_NODES).free, reserve = zone_total_reserve(mm);
	uint64_t high = high_dirtyable(mm);

	pages -= reserve < pages ? reserve : pages;
	for (int nid = 0; nid < mm_nr_nodes(mm); nid++)
		for (int z = 0; z < mm_get_arch(mm)->nr_zones; z++)
			pages += file_lru(mm, nid, z);
	pages -= high < pages ? high : pages;
	return pages + 1; /* never 0 */
}
