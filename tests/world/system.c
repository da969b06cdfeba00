/* SPDX-License-Identifier: Apache-2.0 */
/* What concerns the whole machine: sysctls, threads of the kernel, memory that comes and goes. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "mm/alloc/contig.h"
#include "mm/hotplug/hotplug.h"
#include "mm/huge/thp.h"
#include "mm/mempolicy.h"
#include "mm/zone_count.h"
#include "world.h"

/* Values that the kernel takes, from small to large. */
static void write_sysctl(struct world *w)
{
	static const struct {
		const char *name;
		uint64_t least, below;
	} values[] = {
		{"min_free_kbytes", 64, 1500},
		{"watermark_scale_factor", 1, 400},
		{"watermark_boost_factor", 0, 30000},
		{"zone_reclaim_mode", 0, 8},
		{"swappiness", 0, 201},
		{"min_unmapped_ratio", 0, 101},
		{"min_slab_ratio", 0, 101},
		{"dirty_ratio", 0, 101},
		{"nr_hugepages", 0, 5},
		{"nr_overcommit_hugepages", 0, 5},
		{"extfrag_threshold", 0, 1001},
		{"compaction_proactiveness", 0, 101},
		{"compact_unevictable_allowed", 0, 2},
		{"percpu_pagelist_high_fraction", 8, 300},
		{"compact_memory", 1, 2},
		{"lowmem_reserve_ratio", 0, 400},
	};
	size_t i = world_below(w, sizeof(values) / sizeof(values[0]));
	uint64_t value = values[i].least + world_below(w, values[i].below - values[i].least);
	struct mm_refusal refusal = {.why = ""};
	char text[32], key[32];

	const char *name = values[i].name;

	if (mm_sysctl_text(w->mm, name, text, sizeof(text)) == -ENODEV)
		name = "percpu_pagelist_fraction"; /* as kernels up to 5.13 call it */
	snprintf(text, sizeof(text), "%lu", (unsigned long)value);
	cr_assert_eq(mm_sysctl(w->mm, name, text, &refusal), 0, "%s: %s", name, refusal.why);
	mm_sysctl(w->mm, name, NULL, &refusal);
	if (world_one_in(w, 6)) {
		snprintf(key, sizeof(key), "node%d/nr_hugepages", world_node(w));
		mm_sysctl(w->mm, key, "1", &refusal);
	}
}

static void look(struct world *w)
{
	struct mm_zone_info info;
	struct mm_cma_info cma;
	uint64_t blocks[MM_NR_MIGRATETYPES], pages = 0, free = 0;

	for (int n = 0; n < mm_nr_nodes(w->mm); n++)
		for (int z = 0; z < mm_get_arch(w->mm)->nr_zones; z++) {
			mm_zone_info(w->mm, n, z, &info);
			mm_zone_pageblocks(w->mm, n, z, blocks);
			pages += mm_cma_pages(w->mm, n, z);
			free += mm_cma_free(w->mm, n, z);
			for (unsigned o = 0; o < NR_PAGE_ORDERS; o++)
				cr_assert(mm_zone_extfrag_index(w->mm, n, z, o) <= 1000 &&
					  mm_zone_unusable_index(w->mm, n, z, o) <= 1000);
		}
	mm_cma_info(w->mm, &cma);
	cr_assert_eq(pages, cma.total);
	cr_assert_eq(free, cma.free);
}

void world_system(struct world *w, int cpu)
{
	switch (world_below(w, 8)) {
	case 0:
		w->mm->params.thp = (enum mm_thp_mode)world_below(w, MM_NR_THP_MODES);
		w->mm->params.thp_defrag = (enum mm_thp_defrag)world_below(w, MM_DEFRAG_ALWAYS + 1);
		break;
	case 1:
		if (!w->concurrent || !w->depth)
			mm_set_interleave_weight(w->mm, world_node(w),
						 1 + (unsigned)world_below(w, 255));
		break;
	case 2:
	case 3:
		/* Values of sysctls change at once, whoever is at work. */
		if (w->depth <= 1)
			write_sysctl(w);
		break;
	case 4:
		if (w->depth <= 1)
			look(w);
		break;
	default:
		mm_vmstat_update(w->mm, cpu);
	}
}

void world_threads(struct world *w, int cpu)
{
	int i = (int)world_below(w, (uint64_t)mm_nr_kthreads(w->mm));
	struct mm_kthread *thread = mm_kthread(w->mm, i);

	cr_assert_lt(i, WORLD_THREADS);
	if (w->thread_busy[i])
		return;
	if (thread->cpu != MM_NO_CPU && thread->cpu != cpu)
		return;
	w->thread_busy[i] = true;
	mm_kthread_run(w->mm, thread, &cpu, world_one_in(w, 2));
	w->thread_busy[i] = false;
}

void world_threads_end(struct world *w)
{
	for (int i = 0; i < mm_nr_kthreads(w->mm); i++) {
		struct mm_kthread *thread = mm_kthread(w->mm, i);
		int cpu = thread->cpu == MM_NO_CPU ? 0 : thread->cpu;

		mm_kthread_run(w->mm, thread, &cpu, true);
	}
}

static void take(struct world *w, int cpu, const struct mm_hotplug_step *step)
{
	struct mm_hotplug_done done;
	struct mm_refusal refusal = {.why = ""};
	int err;

	w->hotplug_busy = true;
	err = mm_hotplug(w->mm, cpu, step, &done, &refusal);
	w->hotplug_busy = false;
	cr_assert(!err || refusal.why[0], "op %d refused with %d and no reason", step->op, err);
	w->hotplugs += !err;
}

void world_hotplug(struct world *w, int cpu)
{
	static const enum mm_hotplug_op ops[] = {
		MM_HOTPLUG_ADD,           MM_HOTPLUG_ONLINE,        MM_HOTPLUG_ONLINE_KERNEL,
		MM_HOTPLUG_OFFLINE,       MM_HOTPLUG_OFFLINE,       MM_HOTPLUG_ONLINE_MOVABLE,
		MM_HOTPLUG_ADD,           MM_HOTPLUG_REMOVE_BLOCKS, MM_HOTPLUG_DEVICE,
		MM_HOTPLUG_DEVICE_REMOVE, MM_HOTPLUG_PARAM,         MM_HOTPLUG_ADD_KMEM};
	uint64_t block = mm_memory_block_bytes(w->mm);
	struct mm_hotplug_step s = {.op = ops[world_below(w, sizeof(ops) / sizeof(*ops))],
				    .nid = world_node(w),
				    .on_device = world_one_in(w, 2)};

	if (w->hotplug_busy || !w->machine.hotplug_end || !block)
		return;
	s.first = s.last = world_below(w, w->machine.hotplug_end / block + 1);
	s.last += world_one_in(w, 8);
	s.start = s.first * block + (world_one_in(w, 8) ? 2 * MiB : 0);
	s.bytes = block * (1 + world_below(w, 2)) - (world_one_in(w, 8) ? 4 * MiB : 0);
	s.param = (enum mm_hotplug_param)world_below(w, MM_NR_HOTPLUG_PARAMS);
	s.value = world_below(w, s.param == MM_HOTPLUG_AUTO_ONLINE ? 4 : 2);
	take(w, cpu, &s);
}

/* All that was added goes; descriptors of one range may be in another, so more than once round. */
void world_hotplug_end(struct world *w)
{
	struct mm_memory_block_info info;
	struct mm_range range;
	bool kmem;

	while (mm_hotplug_range(w->mm, true, 0, &range, &kmem))
		take(w, 0,
		     &(struct mm_hotplug_step){.op = MM_HOTPLUG_DEVICE_REMOVE,
					       .start = range.start,
					       .bytes = range.bytes});
	for (int pass = 0; pass < 24 && mm_hotplug_range(w->mm, false, 0, &range, &kmem); pass++)
		for (uint64_t n = 0; mm_memory_block(w->mm, n, &info); n = info.number + 1) {
			struct mm_hotplug_step s = {.op = MM_HOTPLUG_OFFLINE,
						    .first = info.number,
						    .last = info.number};

			if (info.online)
				take(w, 0, &s);
			s.op = MM_HOTPLUG_REMOVE_BLOCKS;
			take(w, 0, &s);
		}
}
