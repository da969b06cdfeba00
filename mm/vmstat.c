/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counting, and looking: NUMA statistics as Linux keeps them, tracepoints, and the figures of a
 * zone, the whole and the memory model for those who print.
 */
#include "mm/alloc/pageblock.h"
#include "mm/hotplug/hotplug_state.h"
#include "mm/zone_count.h"

void mm_listen(struct mm *mm, uint32_t types)
{
	mm->told = types;
}

void mm_tell_block(struct mm *mm, int cpu, enum mm_event_type type, const struct page *page,
		   gfp_t gfp)
{
	mm->ops.event(mm->ctx, cpu,
		      &(struct mm_event){
			      .type = type,
			      .page = page,
			      .pfn = mm_pfn_of(mm, page),
			      .order = page->order,
			      .migratetype = page->migratetype,
			      .gfp = gfp,
			      .nid = mm_page_to_nid(mm, page),
			      .zone = mm_page_zonenum(mm, page),
			      .percpu_refill = type == MM_EVENT_ALLOC_ZONE_LOCKED &&
					       mm_pcp_holds(mm, page->order),
		      });
}

void mm_zone_info(const struct mm *mm, int nid, int index, struct mm_zone_info *info)
{
	const struct mm_zone *zone = &mm->nodes[nid].zones[index];

	*info = (struct mm_zone_info){
		.name = zone->name,
		.start_pfn = zone->start_pfn,
		.spanned = zone->spanned,
		.present = zone->present,
		.managed = zone->managed,
		.free = zone->nr_free,
		.free_counter = mm_zone_free(zone),
		.min = mm_wmark(zone, MM_WMARK_MIN),
		.low = mm_wmark(zone, MM_WMARK_LOW),
		.high = mm_wmark(zone, MM_WMARK_HIGH),
		.boost = zone->boost,
		.pcp_high = zone->pcp_high,
		.pcp_batch = zone->pcp_batch,
		.pcp_low = zone->pcp_low,
		.stat_threshold = zone->stat_threshold,
		.numa_hit = mm_zone_numa_events(mm, zone, MM_NUMA_HIT),
		.numa_miss = mm_zone_numa_events(mm, zone, MM_NUMA_MISS),
		.numa_foreign = mm_zone_numa_events(mm, zone, MM_NUMA_FOREIGN),
		.numa_interleave = mm_zone_numa_events(mm, zone, MM_NUMA_INTERLEAVE),
		.numa_local = mm_zone_numa_events(mm, zone, MM_NUMA_LOCAL),
		.numa_other = mm_zone_numa_events(mm, zone, MM_NUMA_OTHER),
		.alloc_pages = zone->alloc_pages,
		.freed_pages = zone->freed_pages,
		.fallbacks = zone->fallbacks,
		.lock_acquired = zone->lock_acquired,
	};
	for (int z = 0; z < mm->arch->nr_zones; z++)
		info->protection[z] = zone->lowmem_reserve[z];
	for (unsigned o = 0; o < NR_PAGE_ORDERS; o++)
		for (int t = 0; t < MM_NR_MIGRATETYPES; t++) {
			info->nr_free_blocks[o] += zone->free_area[o].nr_free[t];
			info->nr_free_by_type[t][o] = zone->free_area[o].nr_free[t];
		}
}

/* As the kernel walks a zone: in steps of a block from its first frame, aligned or not. */
void mm_zone_pageblocks(const struct mm *mm, int nid, int index,
			uint64_t blocks[MM_NR_MIGRATETYPES])
{
	const struct mm_zone *zone = &mm->nodes[nid].zones[index];
	pfn_t block = mm_pageblock_pages(mm);
	unsigned shift = mm->arch->page_shift;

	for (int type = 0; type < MM_NR_MIGRATETYPES; type++)
		blocks[type] = 0;
	for (pfn_t pfn = zone->start_pfn; pfn < zone->start_pfn + zone->spanned; pfn += block) {
		pfn_t first = pfn & ~(block - 1);

		if (memblock_memory_in(&mm->memblock, first << shift, (first + block) << shift) &&
		    mm_zone_takes(mm, zone, memblock_flags_at(&mm->memblock, pfn << shift)))
			blocks[mm_pageblock_type(mm, zone, pfn)]++;
	}
}

void mm_node_numastat(const struct mm *mm, int nid, struct mm_numastat *stat)
{
	*stat = (struct mm_numastat){0};
	for (int z = 0; z < mm->arch->nr_zones; z++) {
		const struct mm_zone *zone = &mm->nodes[nid].zones[z];

		stat->numa_hit += mm_zone_numa_events(mm, zone, MM_NUMA_HIT);
		stat->numa_miss += mm_zone_numa_events(mm, zone, MM_NUMA_MISS);
		stat->numa_foreign += mm_zone_numa_events(mm, zone, MM_NUMA_FOREIGN);
		stat->interleave_hit += mm_zone_numa_events(mm, zone, MM_NUMA_INTERLEAVE);
		stat->local_node += mm_zone_numa_events(mm, zone, MM_NUMA_LOCAL);
		stat->other_node += mm_zone_numa_events(mm, zone, MM_NUMA_OTHER);
	}
}

void mm_zone_room(const struct mm *mm, int nid, int zone, uint64_t *free, uint64_t *boost)
{
	*free = mm->nodes[nid].zones[zone].nr_free;
	*boost = mm->nodes[nid].zones[zone].boost;
}

uint64_t mm_managed_pages(const struct mm *mm)
{
	uint64_t pages = 0;

	for (int nid = 0; nid < mm->nr_nodes; nid++)
		for (int zone = 0; zone < mm->arch->nr_zones; zone++)
			pages += mm->nodes[nid].zones[zone].managed;
	return pages;
}

const struct mm_params *mm_get_params(const struct mm *mm)
{
	return &mm->params;
}

unsigned mm_pcp_count(const struct mm *mm, int nid, int zone, int cpu)
{
	const struct mm_pcp *pcp = mm->nodes[nid].zones[zone].pcp;

	return pcp ? pcp[cpu].count : 0;
}

/* Descriptors that stand for no frame: all of them, less one for each page of memory. */
void mm_model_info(const struct mm *mm, struct mm_model_info *info)
{
	uint64_t present = 0;

	*info = (struct mm_model_info){0};
	mm->model->info(mm, info);
	for (int nid = 0; nid < mm->nr_nodes; nid++)
		present += mm->nodes[nid].present;
	/* What is offline, or a device's, is there all the same. */
	present += mm_hotplug_absent_pages(mm);
	info->hole_bytes = info->memmap_bytes - present * mm->arch->page_struct_bytes;
}

bool mm_memblock_range(const struct mm *mm, bool reserved, size_t i, struct mm_range *range)
{
	const struct memblock_list *l = reserved ? &mm->memblock.reserved : &mm->memblock.memory;

	if (i >= l->nr)
		return false;
	*range = (struct mm_range){.start = l->regions[i].start,
				   .bytes = l->regions[i].end - l->regions[i].start,
				   .nid = l->regions[i].nid};
	return true;
}

void mm_counters(const struct mm *mm, struct mm_counters *counters)
{
	*counters = mm->counters;
}

void mm_note_free(struct mm *mm)
{
	mm->free_at_init = 0;
	for (int n = 0; n < mm->nr_nodes; n++)
		for (int z = 0; z < mm->arch->nr_zones; z++)
			mm->free_at_init += mm_zone_free(&mm->nodes[n].zones[z]);
}

uint64_t mm_free_at_init(const struct mm *mm)
{
	return mm->free_at_init;
}

uint64_t mm_min_free_kbytes(const struct mm *mm)
{
	return mm->min_free_kbytes;
}

const struct mm_arch *mm_get_arch(const struct mm *mm)
{
	return mm->arch;
}

const struct mm_vm_map *mm_get_vm_map(const struct mm *mm)
{
	return &mm->vm_map;
}

enum mm_memory_model mm_get_model(const struct mm *mm)
{
	return mm->model->id;
}

int mm_nr_nodes(const struct mm *mm)
{
	return mm->nr_nodes;
}

int mm_nr_cpus(const struct mm *mm)
{
	return mm->nr_cpus;
}

int mm_cpu_to_node(const struct mm *mm, int cpu)
{
	return mm->cpu_nid[cpu];
}

int mm_node_home(const struct mm *mm, int nid)
{
	return mm->nodes[nid].home;
}
