/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters of zones and nodes. The machine has two nodes of 64 MiB, one with two CPUs, one with
 * one: three CPUs have fls(3) = 2, and a zone of less than 128 MiB fls(0) = 0, so each CPU holds
 * back up to 2 * 2 * (1 + 0) = 4 of a zone's counters; node 0's zones, DMA and DMA32, have that
 * threshold both, so the node has, too.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../mm_fixture.h"
#include "mm/kthread.h"
#include "mm/reclaim/lru.h"
#include "mm/reclaim/lru_lists.h"
#include "mm/reclaim/vmscan.h"
#include "mm/vm_event.h"
#include "mm/zone_count.h"

#define DMA32 1

static const struct machine machine = {
	.model = MM_SPARSE_VMEMMAP,
	.memory = {{0, 64 * MiB, 0}, {64 * MiB, 64 * MiB, 1}},
	.cpus = {2, 1},
	.min_free_kbytes = 1024,
};

/* Changes of so many each; the counter, and what the CPU holds back, after each. */
Test(stat, a_cpu_passes_on_what_is_beyond_its_threshold)
{
	static const struct {
		int64_t change, counter;
		int held_back;
	} steps[] = {{4, 0, 4}, {1, 5, 0}, {-4, 5, -4}, {-1, 0, 0}, {512, 512, 0}, {-3, 512, -3}};
	struct mm *mm = boot(&machine);
	struct mm_node *node = &mm->nodes[0];

	cr_assert_eq(node->stat_threshold, 4);
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		mm_mod_node_stat(mm, 1, node, MM_NS_WRITTEN, steps[i].change);
		mm_mod_zone_stat(mm, 1, &node->zones[DMA32], MM_ZS_WRITE_PENDING, steps[i].change);
		cr_expect(mm_node_counter(mm, 0, MM_NS_WRITTEN) == steps[i].counter &&
				  node->cpu[1].diff[MM_NS_WRITTEN] == steps[i].held_back,
			  "step %zu", i);
		cr_expect(mm_zone_counter(mm, 0, DMA32, MM_ZS_WRITE_PENDING) == steps[i].counter &&
				  node->zones[DMA32].pcp[1].stat_diff[MM_ZS_WRITE_PENDING] ==
					  steps[i].held_back,
			  "step %zu, of the zone", i);
	}
	cr_expect_eq(node->cpu[0].diff[MM_NS_WRITTEN], 0);
	cr_expect_eq(mm_node_counter_exactly(mm, 0, MM_NS_WRITTEN), 509);
	cr_expect_eq(mm_zone_counter_exactly(mm, 0, DMA32, MM_ZS_WRITE_PENDING), 509);
	mm_destroy(mm);
}

/*
 * One at a time: the fifth passes on 5 and 4 / 2 more, and the CPU has 2 too few; the next time it
 * takes 7, from -2 to 5. Down likewise: from 2 it takes 7 to -5.
 */
Test(stat, one_at_a_time_overshoots_by_half_a_threshold)
{
	struct mm *mm = boot(&machine);
	struct mm_node *node = &mm->nodes[0];
	struct mm_zone *zone = &node->zones[DMA32];

	for (int i = 1; i <= 12; i++) {
		int64_t told = i < 5 ? 0 : i < 12 ? 7 : 14;

		mm_inc_node_stat(mm, 0, node, MM_NS_ISOLATED_ANON);
		mm_inc_zone_stat(mm, 0, zone, MM_ZS_MLOCK);
		cr_expect_eq(mm_node_counter(mm, 0, MM_NS_ISOLATED_ANON), told, "%d", i);
		cr_expect_eq(mm_zone_counter(mm, 0, DMA32, MM_ZS_MLOCK), told, "%d", i);
		cr_expect_eq(node->cpu[0].diff[MM_NS_ISOLATED_ANON], i - told, "%d", i);
	}
	for (int i = 11; i >= 0; i--) {
		mm_dec_node_stat(mm, 0, node, MM_NS_ISOLATED_ANON);
		mm_dec_zone_stat(mm, 0, zone, MM_ZS_MLOCK);
		cr_expect_eq(mm_node_counter_exactly(mm, 0, MM_NS_ISOLATED_ANON), i);
		cr_expect_eq(mm_zone_counter_exactly(mm, 0, DMA32, MM_ZS_MLOCK), i);
	}
	/* 14 told and 2 too many of them: after 3 less 7 told and 2 more, after 7 less none and 2.
	 */
	cr_expect_eq(mm_node_counter(mm, 0, MM_NS_ISOLATED_ANON), 0);
	cr_expect_eq(node->cpu[0].diff[MM_NS_ISOLATED_ANON], 0);
	mm_destroy(mm);
}

/* What is counted for no CPU is in the counter at once, as at boot. */
Test(stat, nobody_holds_back_nothing)
{
	struct mm *mm = boot(&machine);

	mm_mod_node_stat(mm, MM_NO_CPU, &mm->nodes[1], MM_NS_PAGETABLE, 3);
	mm_mod_zone_stat(mm, MM_NO_CPU, &mm->nodes[1].zones[DMA32], MM_ZS_MLOCK, 2);
	cr_expect_eq(mm_node_counter(mm, 1, MM_NS_PAGETABLE), 3);
	cr_expect_eq(mm_zone_counter(mm, 1, DMA32, MM_ZS_MLOCK), 2);
	mm_destroy(mm);
}

/* Node 1 has no zone DMA. Of 1 GiB, 8 units of 128 MiB, a zone has 2 * 2 * (1 + 4) = 20. */
Test(stat, a_node_has_the_largest_threshold_of_its_zones)
{
	struct machine large = machine;
	struct mm *mm;

	large.memory[0].bytes = 16 * MiB;
	large.memory[1] = (struct mm_range){1024 * MiB, 1024 * MiB, 1};
	mm = boot(&large);
	cr_expect_eq(mm->nodes[0].zones[0].stat_threshold, 4);
	cr_expect_eq(mm->nodes[0].stat_threshold, 4);
	cr_expect_eq(mm->nodes[1].zones[DMA32].stat_threshold, 20);
	cr_expect_eq(mm->nodes[1].stat_threshold, 20);
	/* Under pressure zones' sink, that of the node does not. */
	mm->nodes[1].zones[DMA32].wmark[MM_WMARK_LOW] =
		mm->nodes[1].zones[DMA32].wmark[MM_WMARK_MIN] + 6;
	mm_stat_thresholds_set(mm, &mm->nodes[1], true);
	cr_expect_eq(mm->nodes[1].zones[DMA32].stat_threshold, 2);
	cr_expect_eq(mm->nodes[1].stat_threshold, 20);
	mm_destroy(mm);
}

/* CPU 2's worker passes on what it holds back of both nodes, and nobody else's; then it has nothing
 * to do. */
Test(stat, a_worker_passes_on_its_own)
{
	struct mm *mm = boot(&machine);

	mm_mod_node_stat(mm, 2, &mm->nodes[0], MM_NS_SHMEM, 3);
	mm_mod_node_stat(mm, 2, &mm->nodes[1], MM_NS_SHMEM, 2);
	mm_mod_zone_stat(mm, 2, &mm->nodes[1].zones[DMA32], MM_ZS_MLOCK, 1);
	mm_mod_node_stat(mm, 0, &mm->nodes[1], MM_NS_SHMEM, 1);
	cr_expect(mm_vmstat_update(mm, 2));
	cr_expect_eq(mm_node_counter(mm, 0, MM_NS_SHMEM), 3);
	cr_expect_eq(mm_node_counter(mm, 1, MM_NS_SHMEM), 2);
	cr_expect_eq(mm_zone_counter(mm, 1, DMA32, MM_ZS_MLOCK), 1);
	cr_expect_not(mm_vmstat_update(mm, 2));
	mm_destroy(mm);
}

/* Every so many seconds as vm.stat_interval says; vm.stat_refresh does it at once, on all CPUs. */
Test(stat, sysctls_say_when)
{
	struct recorder rec;
	struct mm *mm = boot_recorded(&machine, &rec);
	struct mm_kthread *shepherd = mm_kthread(mm, 2 * mm->nr_nodes);
	struct mm_refusal refusal;
	char text[32];
	int cpu = 0;

	rec.hold_threads = true;
	cr_assert_eq(mm_sysctl(mm, "stat_interval", "7", &refusal), 0);
	cr_expect_eq(mm_kthread_run(mm, shepherd, &cpu, false), 7000000);
	cr_expect_eq(mm_sysctl(mm, "stat_interval", "0", &refusal), -EINVAL);
	for (int of = 0; of < 3; of++)
		mm_mod_node_stat(mm, of, &mm->nodes[1], MM_NS_DIRTIED, of + 1);
	cr_expect_eq(mm_node_counter(mm, 1, MM_NS_DIRTIED), 0);
	cr_expect_eq(mm_vm_event(mm, MM_VM_NR_DIRTIED), 6, "results are exact");
	cr_assert_eq(mm_sysctl(mm, "stat_refresh", "1", &refusal), 0);
	cr_expect_eq(mm_node_counter(mm, 1, MM_NS_DIRTIED), 6);
	mm_mod_node_stat(mm, 0, &mm->nodes[1], MM_NS_DIRTIED, 1);
	cr_assert_eq(mm_sysctl(mm, "stat_refresh", NULL, &refusal), 0, "a read does it, too");
	cr_expect_eq(mm_node_counter(mm, 1, MM_NS_DIRTIED), 7);
	cr_expect_eq(mm_sysctl_text(mm, "stat_refresh", text, sizeof(text)), -ENOENT);
	mm_destroy(mm);
	free(rec.records);
}

/* Where CPU 0 pages of DMA32 go: their state is what the counters say, whoever changes it. */
Test(stat, follow_what_becomes_of_pages)
{
	struct mm *mm = boot(&machine);
	struct page *p[3];

	for (int i = 0; i < 3; i++)
		p[i] = alloc(mm, 0, 0, GFP_HIGHUSER_MOVABLE);
	cr_assert_eq(mm_lru_add(mm, 0, p[0], MM_PAGE_FILE), 0);
	cr_assert_eq(mm_lru_add(mm, 0, p[1], MM_PAGE_SHMEM), 0);
	cr_assert_eq(mm_lru_add(mm, 0, p[2], MM_PAGE_ANON), 0);
	mm_lru_drain(mm, 0);
	mm_page_dirty(mm, 1, p[0]);
	mm_page_touched(mm, 1, p[1], false);
	mm_page_lock_in(mm, 1, p[2], true);
	cr_expect_eq(mm_node_counter_exactly(mm, 0, MM_NS_FILE_PAGES), 2);
	cr_expect_eq(mm_node_counter_exactly(mm, 0, MM_NS_SHMEM), 1);
	cr_expect_eq(mm_node_counter_exactly(mm, 0, MM_NS_ANON_MAPPED), 1);
	cr_expect_eq(mm_node_counter_exactly(mm, 0, MM_NS_FILE_MAPPED), 1);
	cr_expect_eq(mm_node_counter_exactly(mm, 0, MM_NS_FILE_DIRTY), 1);
	cr_expect_eq(mm_node_counter_exactly(mm, 0, MM_NS_DIRTIED), 1);
	cr_expect_eq(mm->nodes[0].cpu[1].diff[MM_NS_DIRTIED], 1, "who dirtied it counts");
	cr_expect_eq(mm_zone_counter_exactly(mm, 0, DMA32, MM_ZS_WRITE_PENDING), 1);
	cr_expect_eq(mm_zone_counter_exactly(mm, 0, DMA32, MM_ZS_MLOCK), 1);
	cr_expect_eq(mm_zone_counter_exactly(mm, 0, DMA32, MM_ZS_UNEVICTABLE), 1);
	must_verify(mm, "in use");
	for (int i = 0; i < 3; i++)
		mm_free_pages(mm, 2, p[i], 0);
	mm_vmstat_refresh(mm);
	for (int i = 0; i < MM_NR_NODE_STATS; i++)
		cr_expect_eq(mm_node_counter(mm, 0, (enum mm_node_stat)i), i == MM_NS_DIRTIED, "%s",
			     mm_node_stat_name((enum mm_node_stat)i));
	must_verify(mm, "freed");
	mm_destroy(mm);
}

/* Too many isolated? Four pages on the list that CPU 0 has not told of are none. */
Test(stat, decisions_go_by_the_counter)
{
	struct recorder rec;
	struct mm *mm = boot_recorded(&machine, &rec);
	struct mm_scan sc = {.cpu = 0, .gfp = GFP_KERNEL, .reclaim_idx = 3, .may_unmap = true};

	for (int i = 0; i < 4; i++)
		mm_lru_add(mm, 0, alloc(mm, 0, 0, GFP_HIGHUSER_MOVABLE), MM_PAGE_FILE);
	mm_lru_drain(mm, 0);
	cr_expect_eq(mm_node_counter(mm, 0, MM_NS_INACTIVE_FILE), 0);
	cr_expect_eq(mm_node_lru(mm, &mm->nodes[0], MM_LRU_INACTIVE_FILE, 3), 4);
	mm->nodes[0].vm_stat[MM_NS_ISOLATED_FILE] = 1;
	record_from_here(&rec);
	cr_expect_eq(mm_shrink_list(mm, &mm->nodes[0], &sc, MM_LRU_INACTIVE_FILE, 4), 0);
	cr_expect_eq(count_records(&rec, REC_SLEEP), 1);
	mm->nodes[0].vm_stat[MM_NS_ISOLATED_FILE] = 0;
	must_verify(mm, "at the end");
	mm_destroy(mm);
	free(rec.records);
}

/* Each CPU has its own, and what is asked for is the sum. */
Test(stat, events_are_by_cpu)
{
	struct mm *mm = boot(&machine);

	mm_count(mm, 0, MM_VM_PGFAULT, 3);
	mm_count(mm, 2, MM_VM_PGFAULT, 4);
	mm_count(mm, MM_NO_CPU, MM_VM_PGFAULT, 5);
	cr_expect_eq(mm->vm_events[2][MM_VM_PGFAULT], 4);
	cr_expect_eq(mm_vm_event(mm, MM_VM_PGFAULT), 12);
	mm_free_pages(mm, 2, alloc(mm, 2, 0, GFP_KERNEL), 0);
	cr_expect_eq(mm->nodes[1].zones[DMA32].pcp[2].numa[MM_NUMA_HIT], 1);
	cr_expect_eq(mm->nodes[1].zones[DMA32].pcp[0].numa[MM_NUMA_HIT], 0);
	cr_expect_eq(zone_info(mm, 1, DMA32).numa_hit, 1);
	mm_destroy(mm);
}

Test(stat, names_are_the_kernels)
{
	for (int i = 0; i < MM_NR_ZONE_STATS; i++)
		cr_expect_eq(mm_zone_stat_by_name(mm_zone_stat_name((enum mm_zone_stat)i)), i);
	for (int i = 0; i < MM_NR_NODE_STATS; i++)
		cr_expect_eq(mm_node_stat_by_name(mm_node_stat_name((enum mm_node_stat)i)), i);
	cr_expect_eq(mm_zone_stat_by_name("nr_dirty"), -1);
	cr_expect_eq(MM_ZS_UNEVICTABLE, MM_LRU_UNEVICTABLE);
	cr_expect_eq(MM_NS_UNEVICTABLE, MM_LRU_UNEVICTABLE);
}
