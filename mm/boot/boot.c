/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boot, in the order in which Linux does it: memory into memblock; spans of nodes and zones; homes
 * for the kernel's own structures (node descriptors, per-CPU areas, descriptors and tables of the
 * memory model), taken from memblock, and what else a kernel profile says it takes; then the free
 * rest to the buddy lists, and what follows from how much that is: zonelists, watermarks, per-CPU
 * list sizes; last, what the kernel gives back once it is up.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mm/alloc/cma.h"
#include "mm/alloc/pageblock.h"
#include "mm/alloc/pcp.h"
#include "mm/hotplug/hotplug_state.h"
#include "mm/huge/huge_pool.h"
#include "mm/page_ext/page_ext_state.h"
#include "mm/reclaim/lru.h"
#include "mm/slab/dcache.h"
#include "mm/user/khugepaged.h"
#include "mm/user/user.h"
#include "mm/vmalloc/kmap_state.h"
#include "mm/vmalloc/vmalloc_state.h"
#include "mm/zone_count.h"

#define DEFAULT_PCP_KIND "by-order"
#define LOW_MEGABYTE     (UINT64_C(1) << 20)
#define SMP_CACHE_BYTES  64

int mm_refuse(struct mm_refusal *refusal, enum mm_subject about, size_t index, const char *fmt, ...)
{
	va_list args;

	refusal->about = about;
	refusal->index = index;
	va_start(args, fmt);
	vsnprintf(refusal->why, sizeof(refusal->why), fmt, args);
	va_end(args);
	return -EINVAL;
}

int mm_refuse_room(struct mm_refusal *refusal, const char *what, uint64_t bytes)
{
	return mm_refuse(refusal, MM_ABOUT_MACHINE, 0,
			 "the machine has no room left for %s: %" PRIu64 " bytes in one piece",
			 what, bytes);
}

struct mm_params mm_params_default(void)
{
	return (struct mm_params){
		.min_free_kbytes = MM_PARAM_DEFAULT,
		.watermark_scale_factor = 10,
		.watermark_boost_factor = 15000,
		.swappiness = 60,
		.vfs_cache_pressure = 100,
		.extfrag_threshold = 500,
		.compaction_proactiveness = 20,
		.compact_unevictable_allowed = 1,
		.min_unmapped_ratio = 1,
		.min_slab_ratio = 5,
		.dirty_ratio = 20,
		.page_cluster = 3,
		.lowmem_reserve_ratio =
			{[MM_ZONE_DMA] = 256, [MM_ZONE_DMA32] = 256, [MM_ZONE_NORMAL] = 32},
		.thp = MM_THP_ALWAYS,
		.thp_defrag = MM_DEFRAG_MADVISE,
		.khugepaged = {.pages_to_scan = 4096,
			       .scan_sleep_ms = 10000,
			       .alloc_sleep_ms = 60000,
			       .max_ptes_none = 511,
			       .max_ptes_swap = 64,
			       .max_ptes_shared = 256,
			       .defrag = true},
		.read_ahead_kb = 128,
		.fault_around_bytes = UINT64_C(64) << 10,
		.slab = {.max_order = PAGE_ALLOC_COSTLY_ORDER, .remote_node_defrag_ratio = 1000},
	};
}

static int check_config(const struct mm_config *c, struct mm_refusal *r)
{
	const struct mm_arch *arch = mm_arch(c->arch);

	if (c->nr_nodes < 1 || c->nr_nodes > MM_MAX_NODES)
		return mm_refuse(r, MM_ABOUT_MACHINE, 0, "%d nodes; 1 to %d are possible",
				 c->nr_nodes, MM_MAX_NODES);
	if (c->nr_cpus < 1 || c->nr_cpus > MM_MAX_CPUS)
		return mm_refuse(r, MM_ABOUT_MACHINE, 0, "%d CPUs; 1 to %d are possible",
				 c->nr_cpus, MM_MAX_CPUS);
	if (c->nr_memory == 0)
		return mm_refuse(r, MM_ABOUT_MACHINE, 0, "no node has any memory");
	for (int cpu = 0; cpu < c->nr_cpus; cpu++)
		if (c->cpu_nid[cpu] < 0 || c->cpu_nid[cpu] >= c->nr_nodes)
			return mm_refuse(r, MM_ABOUT_MACHINE, 0,
					 "CPU %d is on node %d, which is none", cpu,
					 c->cpu_nid[cpu]);
	if (c->hotplug_end > UINT64_C(1) << arch->max_phys_bits)
		return mm_refuse(r, MM_ABOUT_MACHINE, 0,
				 "memory is to be added up to 0x%" PRIx64
				 ", beyond the %u bits of physical addresses of %s",
				 c->hotplug_end, arch->max_phys_bits, arch->name);
	for (size_t i = 0; i < c->nr_memory; i++) {
		const struct mm_range *m = &c->memory[i];

		if (m->nid < 0 || m->nid >= c->nr_nodes)
			return mm_refuse(r, MM_ABOUT_MEMORY, i, "memory on node %d, which is none",
					 m->nid);
		if (m->start + m->bytes < m->start ||
		    m->start + m->bytes > UINT64_C(1) << arch->max_phys_bits)
			return mm_refuse(r, MM_ABOUT_MEMORY, i,
					 "memory beyond the %u bits of physical addresses of %s",
					 arch->max_phys_bits, arch->name);
	}
	if (c->profile && c->profile->pcp.kind && !mm_pcp_kind(c->profile->pcp.kind))
		return mm_refuse(r, MM_ABOUT_MACHINE, 0, "no per-CPU lists are called '%s'",
				 c->profile->pcp.kind);
	if (c->params.numa_fake > MM_MAX_NODES || c->params.numa_fake_each > MM_MAX_NODES)
		return mm_refuse(r, MM_ABOUT_MACHINE, 0, "numa_fake: at most %d nodes are possible",
				 MM_MAX_NODES);
	return 0;
}

static int check_presets(const struct mm *mm, const struct mm_config *c, struct mm_refusal *r)
{
	for (size_t i = 0; i < c->nr_presets; i++)
		if (c->presets[i].nid < 0 || c->presets[i].nid >= mm->nr_nodes ||
		    c->presets[i].zone < 0 || c->presets[i].zone >= mm->arch->nr_zones)
			return mm_refuse(r, MM_ABOUT_PRESET, i,
					 "`zones`: the kernel has no zone %d of node %d, it has "
					 "%d zones on each of %d node%s",
					 c->presets[i].zone, c->presets[i].nid, mm->arch->nr_zones,
					 mm->nr_nodes, mm->nr_nodes == 1 ? "" : "s");
	return 0;
}

static int reserve_given(struct mm *mm, const struct mm_config *c)
{
	int err = 0;

	mm->reservations_complete = c->reservations_complete;
	if (mm->arch->low_megabyte_reserved && !c->bare && !c->reservations_complete)
		err = memblock_reserve(&mm->memblock, 0, LOW_MEGABYTE);
	for (size_t i = 0; i < c->nr_reserved && !err; i++)
		err = memblock_reserve(&mm->memblock, c->reserved[i].start, c->reserved[i].bytes);
	if (c->bare)
		mm->bare_next = mm_round_block_up(mm->end_pfn) << mm->arch->page_shift;
	return err ? err : mm_homes_init(mm, c);
}

/*
 * With movable_node, x86 allocates from the bottom up until SRAT has told what can be unplugged:
 * near the kernel's image, whose node can not.
 */
static int before_srat(struct mm *mm, const struct mm_config *c)
{
	mm->memblock.movable_node = c->params.movable_node;
	mm->memblock.bottom_up = c->params.movable_node && mm->arch->early_bottom_up;
	mm_take_early(mm, c);
	mm->memblock.bottom_up = false;
	return mm_keep_kernel_nodes(mm, c);
}

/* Linux gives a node with memory whole pages for its descriptor, and one without what it takes. */
static int place_node(struct mm *mm, struct mm_node *node, struct mm_refusal *r)
{
	uint64_t page = UINT64_C(1) << mm->arch->page_shift, bytes = mm->arch->node_struct_bytes;
	uint64_t align = SMP_CACHE_BYTES;

	if (node->present) {
		bytes = (bytes + page - 1) & ~(page - 1);
		align = page;
	}
	node->at = mm_boot_alloc(mm, MM_HOLDS_NODE_DESCRIPTOR, bytes, align, node->nid);
	if (node->at == MEMBLOCK_FAILED)
		return mm_refuse_room(r, "a node descriptor", bytes);
	node->lru_lock = (struct mm_lock){
		.kind = MM_LOCK_LRU,
		.at = node->at + mm->arch->node_struct_bytes - MM_NODE_LRU_END,
		.holder = MM_NO_CPU,
	};
	for (int z = 0; z < mm->arch->nr_zones; z++) {
		struct mm_zone *zone = &node->zones[z];

		zone->at = node->at + (uint64_t)z * MM_ZONE_STRIDE;
		zone->lock = (struct mm_lock){
			.kind = MM_LOCK_ZONE, .at = zone->at + MM_ZONE_LOCK, .holder = MM_NO_CPU};
	}
	return 0;
}

static int place_nodes(struct mm *mm, bool with_memory, struct mm_refusal *r)
{
	int err = 0;

	for (int n = 0; n < mm->nr_nodes && !err; n++)
		if ((mm->nodes[n].present > 0) == with_memory)
			err = place_node(mm, &mm->nodes[n], r);
	return err;
}

/*
 * In the order in which setup_arch() and start_kernel() ask: nodes with memory, their page
 * descriptors, then nodes without, the per-CPU areas; gigantic pages where the command line is
 * read.
 */
static int place_structures(struct mm *mm, const struct mm_config *c, struct mm_refusal *r)
{
	int err = place_nodes(mm, true, r);

	if (!err)
		err = mm->model->init(mm, r);
	if (!err)
		err = place_nodes(mm, false, r);
	if (!err)
		err = mm_percpu_init(mm, r);
	if (!err)
		err = mm_hugetlb_reserve_boot(mm, c);
	if (!err)
		err = mm_take_by_profile(mm, c, r);
	return err ? err : mm_page_ext_reserve(mm, c, r);
}

/* What vmalloc() gets of the kernel's address space the direct mapping does not. */
static int limit_direct(struct mm *mm, struct mm_refusal *r)
{
	const struct mm_vm_params *vm = &mm->params.vm;
	uint64_t direct = mm_vm_direct_bytes(mm->arch, vm);
	int normal = mm_arch_zone_index(mm->arch, MM_ZONE_NORMAL);

	if (direct == UINT64_MAX && (vm->vmalloc_bytes || vm->split != MM_VMSPLIT_3G))
		return mm_refuse(r, MM_ABOUT_MACHINE, 0,
				 "vmalloc and vmsplit: the kernel of %s has no such parameter",
				 mm->arch->name);
	if (direct == 0)
		return mm_refuse(r, MM_ABOUT_MACHINE, 0,
				 "vmalloc of %" PRIu64 " MiB with the split %s leaves %s no "
				 "direct mapping",
				 vm->vmalloc_bytes >> 20, mm_vmsplit_name(vm->split),
				 mm->arch->name);
	if (direct != UINT64_MAX)
		mm->own_arch.zones[normal].limit = direct;
	return 0;
}

/* Low memory ends with the last memory below the limit. */
static void map_kernel(struct mm *mm)
{
	uint64_t end = mm->end_pfn << mm->arch->page_shift, limit = mm_direct_limit(mm);

	mm_vm_map_init(mm->arch, &mm->params.vm, end < limit ? end : limit, &mm->vm_map);
}

static int boot(struct mm *mm, const struct mm_config *c, struct mm_refusal *r)
{
	int err = limit_direct(mm, r);

	if (!err)
		err = mm_memory_init(mm, c, r);
	if (!err)
		map_kernel(mm);

	if (!err)
		err = mm_nodes_init(mm, c, r);
	if (!err)
		err = check_presets(mm, c, r);
	if (!err)
		err = reserve_given(mm, c);
	if (!err)
		err = before_srat(mm, c);
	if (!err)
		err = mm_zones_init(mm);
	if (!err)
		mm_grouping_init(mm);
	if (!err && c->params.cma_bytes && c->nr_presets)
		err = mm_refuse(
			r, MM_ABOUT_MACHINE, 0,
			"cma, where zones say how many pages are managed: it is unknown which");
	if (!err && mm_cma_reserve(mm, c->params.cma_bytes))
		err = mm_refuse(r, MM_ABOUT_MACHINE, 0,
				"no room for the %" PRIu64 " bytes of cma in one piece",
				c->params.cma_bytes);
	if (!err)
		err = mm_hugetlb_init(mm, c, r);
	if (!err)
		err = mm_page_ext_init(mm);
	if (!err)
		err = place_structures(mm, c, r);
	if (err)
		return err;
	mm_kswapd_init(mm);
	mm_kcompactd_init(mm);
	mm_khugepaged_init(mm);
	err = mm_flags_init(mm);
	if (!err)
		err = mm_vmstat_init(mm);
	if (err)
		return err;
	mm->lru_batches = calloc((size_t)mm->nr_cpus, sizeof(*mm->lru_batches));
	mm->slab_pages_freed = calloc((size_t)mm->nr_cpus, sizeof(*mm->slab_pages_freed));
	if (!mm->lru_batches || !mm->slab_pages_freed)
		return -ENOMEM;
	err = mm_pageblocks_init(mm);
	if (!err)
		err = mm_release_memory(mm, c, r);
	if (!err)
		err = mm_release_late(mm, c, true, r);
	if (!err)
		err = mm_cma_activate(mm);
	if (!err)
		err = mm_zonelists_init(mm);
	if (!err)
		err = mm_page_ext_boot(mm, false, r);
	if (err)
		return err;
	mm_watermarks_init(mm);
	mm_hugetlb_gather(mm);
	mm_khugepaged_watermarks(mm);
	mm_pcp_sizes_setup(mm);
	mm_hugetlb_boot(mm, c);
	err = mm_release_late(mm, c, false, r);
	if (!err)
		err = mm_hold_memory(mm, c, r);
	memset(&mm->counters, 0, sizeof(mm->counters));
	if (!err)
		err = mm_set_swap(mm, mm->params.swap_bytes >> mm->arch->page_shift);
	if (!err)
		err = mm_vmalloc_init(mm);
	if (!err)
		err = mm_kmap_init(mm);
	if (!err)
		err = mm_page_ext_boot(mm, true, r);
	if (!err)
		err = mm_hotplug_init(mm, c);
	return err;
}

int mm_boot(const struct mm_config *config, const struct mm_ops *ops, void *ctx, struct mm **out,
	    struct mm_refusal *refusal)
{
	struct mm *mm;
	int err = check_config(config, refusal);

	if (err)
		return err;
	mm = calloc(1, sizeof(*mm));
	if (!mm)
		return -ENOMEM;
	mm->own_arch = *mm_arch(config->arch);
	mm->arch = &mm->own_arch;
	mm->model = mm_memmodel(config->model);
	if (config->profile)
		mm->pcp_rule = config->profile->pcp;
	mm->pcp_kind = mm_pcp_kind(mm->pcp_rule.kind ? mm->pcp_rule.kind : DEFAULT_PCP_KIND);
	mm->pcp_orders = mm->pcp_kind->orders(mm);
	mm->nr_cpus = config->nr_cpus;
	mm->params = config->params;
	mm->user_min_free_kbytes = config->params.min_free_kbytes;
	mm->hotplug_end = mm->model->no_hotplug ? 0 : config->hotplug_end;
	mm->always_grouped = config->always_grouped;
	mm->interrupted_cpu = MM_NO_CPU;
	if (ops) {
		mm->ops = *ops;
		mm->watched = ops->work || ops->access;
		mm->told = ops->event ? MM_ALL_EVENTS : 0;
	}
	mm->ctx = ctx;
	err = mm_slab_copy_profile(mm, config->profile);
	if (!err)
		err = boot(mm, config, refusal);
	if (err) {
		mm_destroy(mm);
		return err;
	}
	mm_note_free(mm);
	mm_commit_init(mm);
	*out = mm;
	return 0;
}

void mm_destroy(struct mm *mm)
{
	if (!mm)
		return;
	mm->model->destroy(mm);
	for (int n = 0; mm->nodes && n < mm->nr_nodes; n++) {
		for (int z = 0; z < MM_MAX_ZONES; z++) {
			free(mm->nodes[n].zones[z].pcp);
			free(mm->nodes[n].zones[z].pristine);
			free(mm->nodes[n].zones[z].block_types);
			free(mm->nodes[n].zones[z].block_skips);
			free(mm->nodes[n].zones[z].held_lists);
		}
		free(mm->nodes[n].cpu);
		free(mm->nodes[n].order);
		free(mm->nodes[n].fallback.zones);
		free(mm->nodes[n].thisnode.zones);
	}
	memblock_free_lists(&mm->memblock);
	free(mm->zone_table);
	free(mm->nodes);
	free(mm->distance);
	free(mm->cpu_nid);
	free(mm->percpu_at);
	free(mm->vm_events);
	free(mm->cma.bits);
	free(mm->homes);
	free(mm->hugetlb.boot);
	free(mm->lru_batches);
	free(mm->slab_pages_freed);
	free(mm->vmstat_workers);
	mm_user_destroy(mm);
	mm_swap_destroy(mm);
	mm_kmap_destroy(mm);
	mm_vmalloc_destroy(mm);
	free(mm->warnings);
	mm_dcache_destroy(mm);
	mm_slab_end(mm);
	mm_oom_free(mm);
	mm_page_ext_destroy(mm);
	mm_hotplug_free(mm);
	free(mm);
}
