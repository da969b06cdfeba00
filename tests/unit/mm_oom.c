/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is printed of an allocation that fails, and of one for which somebody would be killed. On
 * the machine with one node, DMA has 4096 pages and DMA32 12288; with 1024 KiB to be kept free, DMA
 * has min 64, low 80 and high 96, and keeps 48 from who could have DMA32.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "../mm_fixture.h"
#include "mm/mempolicy.h"
#include "mm/reclaim/lru.h"
#include "mm/user/user.h"

#define PAGE UINT64_C(4096)

static const struct machine small = {
	.model = MM_SPARSE_VMEMMAP,
	.memory = {{0, 64 * MiB, 0}},
	.cpus = {2},
	.min_free_kbytes = 1024,
	.exact_counts = true,
};
static const struct machine two = {
	.model = MM_SPARSE_VMEMMAP,
	.memory = {{0, 64 * MiB, 0}, {64 * MiB, 64 * MiB, 1}},
	.cpus = {1, 1},
	.no_thp = true,
	.exact_counts = true,
};

#define HAS(report, text)    cr_expect(strstr(report, text), "%s\nis not in\n%s", text, report)
#define LACKS(report, text)  cr_expect_null(strstr(report, text), "%s\nis in\n%s", text, report)
#define BEGINS(report, text) cr_expect_eq(strstr(report, text), report, "%s", report)

/* Take what the request can get. */
static void take_all(struct mm *mm, const struct mm_request *req)
{
	struct page *page;

	while (!mm_alloc_pages(mm, req, &page))
		;
}

/*
 * One page makes the first block of 4 MiB reclaimable, and all others are taken: what is left of it
 * is half, a quarter and so on: 1023 pages. Who can have DMA only sees nothing of DMA32.
 */
Test(oom, a_failure_in_full)
{
	struct mm *mm = boot(&small);
	struct mm_request req = {.nid = MM_NO_NODE, .gfp = GFP_DMA | __GFP_RECLAIMABLE};
	struct page *page;

	cr_assert_eq(mm_set_swap(mm, 1000), 0);
	cr_assert_eq(mm_alloc_pages(mm, &req, &page), 0);
	req.order = MAX_PAGE_ORDER;
	req.gfp = GFP_DMA | __GFP_NOWARN;
	take_all(mm, &req);
	cr_expect_null(mm_failure_report(mm), "nobody wants to know");
	req.gfp = GFP_DMA;
	take_all(mm, &req);
	cr_expect_str_eq(
		mm_failure_report(mm),
		"cpu0: page allocation failure: order:10, mode:0x1(GFP_DMA), "
		"nodemask=(null),cpuset=/,mems_allowed=0\n"
		"CPU: 0 PID: 0 Comm: cpu0 Not tainted\n"
		"Mem-Info:\n"
		"active_anon:0 inactive_anon:0 isolated_anon:0\n"
		" active_file:0 inactive_file:0 isolated_file:0\n"
		" unevictable:0 dirty:0 writeback:0\n"
		" slab_reclaimable:0 slab_unreclaimable:0\n"
		" mapped:0 shmem:0 pagetables:0\n"
		" sec_pagetables:0 bounce:0\n"
		" kernel_misc_reclaimable:0\n"
		" free:13311 free_pcp:0 free_cma:0\n"
		"Node 0 active_anon:0kB inactive_anon:0kB active_file:0kB inactive_file:0kB "
		"unevictable:0kB isolated(anon):0kB isolated(file):0kB mapped:0kB dirty:0kB "
		"writeback:0kB shmem:0kB shmem_thp: 0kB shmem_pmdmapped: 0kB anon_thp: 0kB "
		"writeback_tmp:0kB kernel_stack:0kB pagetables:0kB sec_pagetables:0kB "
		"all_unreclaimable? no\n"
		"Node 0 DMA free:4092kB boost:0kB min:256kB low:320kB high:384kB "
		"reserved_highatomic:0KB active_anon:0kB inactive_anon:0kB active_file:0kB "
		"inactive_file:0kB unevictable:0kB writepending:0kB present:16384kB "
		"managed:16384kB mlocked:0kB bounce:0kB free_pcp:0kB local_pcp:0kB free_cma:0kB\n"
		"lowmem_reserve[]: 0 48 48 48 48\n"
		"Node 0 DMA: 1*4kB (E) 1*8kB (E) 1*16kB (E) 1*32kB (E) 1*64kB (E) 1*128kB (E) "
		"1*256kB (E) 1*512kB (E) 1*1024kB (E) 1*2048kB (E) 0*4096kB = 4092kB\n"
		"Node 0 hugepages_total=0 hugepages_free=0 hugepages_surp=0 "
		"hugepages_size=1048576kB\n"
		"Node 0 hugepages_total=0 hugepages_free=0 hugepages_surp=0 "
		"hugepages_size=2048kB\n"
		"0 total pagecache pages\n"
		"0 pages in swap cache\n"
		"Free swap  = 4000kB\n"
		"Total swap = 4000kB\n"
		"16384 pages RAM\n"
		"0 pages HighMem/MovableOnly\n"
		"0 pages reserved\n"
		"0 pages hwpoisoned\n");
	cr_expect_null(mm_oom_report(mm), "nobody is killed for a block of that order");
	mm_destroy(mm);
}

/* The killer tells of itself whatever the flags say, and what it helped has not failed. */
Test(oom, killing_is_told_without_a_warning)
{
	struct mm *mm = boot(&small);
	struct mm_request req = {.nid = MM_NO_NODE, .gfp = GFP_KERNEL | __GFP_NOWARN};

	take_all(mm, &req);
	BEGINS(mm_oom_report(mm),
	       "cpu0 invoked oom-killer: gfp_mask=0x2cc0(GFP_KERNEL|__GFP_NOWARN), order=0, "
	       "oom_score_adj=0\nCPU: 0 PID: 0 Comm: cpu0 Not tainted\nMem-Info:\n");
	HAS(mm_oom_report(mm), "\nNode 0 DMA32 free:768kB boost:0kB min:768kB low:960kB ");
	HAS(mm_oom_report(mm),
	    "\nTasks state (memory values in pages):\n[  pid  ]   uid  tgid total_vm      rss "
	    "pgtables_bytes swapents oom_score_adj name\n"
	    "Out of memory and no killable processes...\n");
	req.gfp = GFP_KERNEL;
	take_all(mm, &req);
	cr_expect_null(mm_failure_report(mm));
	mm_destroy(mm);
}

/* A policy's nodes are shown alone, to who may wait; who may not could be anybody. */
Test(oom, nodes_of_a_policy)
{
	struct mm_nodemask second = {{2}}, both = {{3}};
	struct mm *mm = boot(&two);
	struct mm_request req = {.nid = 1, .gfp = GFP_KERNEL, .nodes = &second};

	take_all(mm, &req);
	LACKS(mm_oom_report(mm), "\nNode 0 ");
	HAS(mm_oom_report(mm), "\nNode 1 DMA32 free:");
	HAS(mm_oom_report(mm), "\nNode 1 DMA32: ");
	HAS(mm_oom_report(mm), "\nNode 1 hugepages_total=0 ");
	HAS(mm_oom_report(mm), "\n32768 pages RAM\n");
	req.gfp = GFP_NOWAIT;
	take_all(mm, &req);
	BEGINS(mm_failure_report(mm),
	       "cpu0: page allocation failure: order:0, mode:0x800(GFP_NOWAIT), "
	       "nodemask=1,cpuset=/,mems_allowed=0-1\n");
	HAS(mm_failure_report(mm), "\nNode 0 DMA free:");
	HAS(mm_failure_report(mm), "\nNode 1 DMA32 free:");
	mm_destroy(mm);

	/* All nodes are no policy. */
	mm = boot(&two);
	req = (struct mm_request){.nid = 1, .gfp = GFP_KERNEL, .nodes = &both};
	take_all(mm, &req);
	HAS(mm_oom_report(mm), "\nNode 0 DMA32 free:");
	mm_destroy(mm);
}

static void touch(struct mm *mm, struct mm_space *space, uint64_t pages)
{
	struct mm_mmap_args args = {.bytes = pages * PAGE};
	phys_addr_t at;
	uint64_t start;

	cr_assert_eq(mm_mmap(mm, 0, space, &args, &start), 0);
	for (uint64_t i = 0; i < pages; i++)
		cr_assert_geq(mm_user_access(mm, 0, space, start + i * PAGE, true, &at), 0);
}

/*
 * Two of 100 pages each have a table of each of the three levels below the topmost one; the later
 * of them would be killed. The third is bound to node 0, and so has nothing on node 1.
 */
Test(oom, who_would_be_killed)
{
	struct mm_policy bind = {.mode = MM_POLICY_BIND, .home_nid = MM_NO_NODE, .nodes = {{1}}};
	struct mm_nodemask second = {{2}};
	struct mm *mm = boot(&two);
	struct mm_request req = {.nid = 1, .gfp = GFP_KERNEL, .nodes = &second};
	struct mm_space *a, *b, *bound;
	const char *tasks;

	cr_assert_eq(mm_space_new(mm, 0, "a", NULL, &a), 0);
	cr_assert_eq(mm_space_new(mm, 0, "b-has-a-name-that-is-too-long", NULL, &b), 0);
	cr_assert_eq(mm_space_new(mm, 0, "bound", &bind, &bound), 0);
	touch(mm, a, 100);
	touch(mm, b, 100);
	touch(mm, bound, 200);
	mm_space_run(mm, 0, a);
	take_all(mm, &req);
	BEGINS(mm_oom_report(mm), "a invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, "
				  "oom_score_adj=0\nCPU: 0 PID: 1 Comm: a Not tainted\n");
	tasks = strstr(mm_oom_report(mm), "[  pid  ]");
	cr_assert_not_null(tasks);
	cr_expect_str_eq(
		strchr(tasks, '\n') + 1,
		"[      1]     0     1      100      100    12288        0             0 a\n"
		"[      2]     0     2      100      100    12288        0             0 "
		"b-has-a-name-th\n"
		"oom-kill:constraint=CONSTRAINT_MEMORY_POLICY,nodemask=1,cpuset=/,mems_allowed=0-1,"
		"global_oom,task_memcg=/,task=b-has-a-name-th,pid=2,uid=0\n");
	mm_destroy(mm);

	/* Where all have memory, the one that has most. */
	mm = boot(&two);
	cr_assert_eq(mm_space_new(mm, 0, "a", NULL, &a), 0);
	cr_assert_eq(mm_space_new(mm, 0, "b", NULL, &b), 0);
	touch(mm, a, 101);
	touch(mm, b, 100);
	req = (struct mm_request){.nid = MM_NO_NODE, .gfp = GFP_KERNEL};
	mm_vmstat_refresh(mm); /* a report has what CPUs have told */
	take_all(mm, &req);
	BEGINS(mm_oom_report(mm), "cpu0 invoked oom-killer: ");
	HAS(mm_oom_report(mm),
	    "\noom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0-1,"
	    "global_oom,task_memcg=/,task=a,pid=1,uid=0\n");
	HAS(mm_oom_report(mm), "\n mapped:0 shmem:0 pagetables:4\n"); /* two levels, two spaces */
	mm_destroy(mm);
}

/* Five pages that were read, one of them written; three huge pages, and a gigantic one of none. */
Test(oom, page_cache_and_pools)
{
	struct machine m = small;
	struct mm_request req = {.nid = MM_NO_NODE, .gfp = GFP_NOWAIT};
	struct mm_space *space;
	struct mm_file *file;
	struct mm *mm;

	m.hugepages = 3;
	mm = boot(&m);
	cr_assert_eq(mm_space_new(mm, 0, "a", NULL, &space), 0);
	file = mm_file_open(mm, "f", false);
	for (uint64_t i = 0; i < 5; i++) {
		phys_addr_t at;

		cr_assert_geq(mm_file_access(mm, 0, space, file, i, 0, i == 4, true, &at), 0);
	}
	mm_vmstat_refresh(mm);
	take_all(mm, &req);
	HAS(mm_failure_report(mm), "\n5 total pagecache pages\n");
	HAS(mm_failure_report(mm), "\n unevictable:0 dirty:1 writeback:0\n");
	HAS(mm_failure_report(mm), "\nNode 0 hugepages_total=3 hugepages_free=3 hugepages_surp=0 "
				   "hugepages_size=2048kB\n");
	mm_destroy(mm);
}

/* A kernel without NUMA names no node of a zone. HighMem is for users; movable memory as such is
 * none of it. */
Test(oom, highmem)
{
	struct machine m = {.arch = MM_I386,
			    .model = MM_FLAT,
			    .memory = {{MiB, GiB - MiB, 0}},
			    .exact_counts = true};
	struct mm_request req = {.order = MAX_PAGE_ORDER, .nid = MM_NO_NODE, .gfp = GFP_HIGHUSER};
	struct mm *mm = boot(&m);
	char want[64];

	take_all(mm, &req);
	HAS(mm_failure_report(mm), "\nNormal free:");
	HAS(mm_failure_report(mm), "\nHighMem: 0*4kB");
	snprintf(want, sizeof(want), "\n%lu pages HighMem/MovableOnly\n",
		 (unsigned long)zone_of(mm, 0, MM_ZONE_HIGHMEM)->present);
	HAS(mm_failure_report(mm), want);
	cr_expect_gt(zone_of(mm, 0, MM_ZONE_HIGHMEM)->present, 0);
	mm_destroy(mm);

	m = small;
	m.kernelcore_bytes = 32 * MiB;
	mm = boot(&m);
	take_all(mm, &req);
	cr_expect_gt(zone_of(mm, 0, MM_ZONE_MOVABLE)->present, 0);
	HAS(mm_failure_report(mm), "\n0 pages HighMem/MovableOnly\n");
	mm_destroy(mm);
}

/* No zone at all may serve it: that is a failure too. */
Test(oom, an_empty_zonelist)
{
	struct mm_nodemask none = {{4}};
	struct mm *mm = boot(&two);
	struct page *page;

	cr_expect_neq(mm_alloc_pages(mm,
				     &(struct mm_request){
					     .nid = MM_NO_NODE, .gfp = GFP_KERNEL, .nodes = &none},
				     &page),
		      0);
	BEGINS(mm_failure_report(mm),
	       "cpu0: page allocation failure: order:0, mode:0xcc0(GFP_KERNEL), "
	       "nodemask=,cpuset=/,mems_allowed=0-1\n");
	mm_destroy(mm);
}
