/* SPDX-License-Identifier: Apache-2.0 */
/* Slab caches: layouts, what an allocation and a free touch, where slabs go, caches that go. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../mm_fixture.h"
#include "mm/gfp.h"
#include "mm/slab/slub.h"

/* Two nodes of 64 MiB, CPUs 0 and 1 on node 0 and CPU 2 on node 1. */
static const struct machine two = {.model = MM_SPARSE_VMEMMAP,
				   .memory = {{0, 64 * MiB, 0}, {64 * MiB, 64 * MiB, 1}},
				   .cpus = {2, 1},
				   .no_slab_defrag = true};

static struct mm_kmem_cache *make(struct mm *mm, const char *name, uint32_t size, unsigned flags)
{
	struct mm_cache_args args = {.name = name, .size = size, .flags = flags};
	struct mm_kmem_cache *cache;

	cr_assert_eq(mm_kmem_cache_create(mm, 0, &args, &cache), 0);
	return cache;
}

static phys_addr_t take_on(struct mm *mm, struct mm_kmem_cache *cache, int cpu, int nid)
{
	struct mm_slab_request req = {.cpu = cpu, .gfp = GFP_KERNEL, .nid = nid};
	phys_addr_t object;

	cr_assert_eq(mm_kmem_cache_alloc(mm, cache, &req, &object), 0);
	return object;
}

static phys_addr_t take(struct mm *mm, struct mm_kmem_cache *cache, int cpu)
{
	return take_on(mm, cache, cpu, MM_NO_NODE);
}

static void give(struct mm *mm, struct mm_kmem_cache *cache, int cpu, phys_addr_t object)
{
	cr_assert_eq(mm_kmem_cache_free(mm, cpu, cache, object), 0);
}

static phys_addr_t kmalloc(struct mm *mm, uint64_t bytes, gfp_t gfp)
{
	struct mm_slab_request req = {.gfp = gfp, .nid = MM_NO_NODE};
	phys_addr_t object;

	cr_assert_eq(mm_kmalloc(mm, bytes, &req, &object), 0);
	return object;
}

/*
 * What /sys/kernel/slab shows on Debian's 6.1.192 (amd64) with 4 CPUs: object_size, align, what the
 * cache is, and what comes of it: slab_size, order, objects, min_partial, cpu_partial; with
 * slub_debug=FZPU slab_size, order and objects.
 */
static const struct {
	uint32_t object_size, align;
	unsigned flags;
	uint32_t size, order, objects, min_partial, cpu_partial;
	uint32_t debug_size, debug_order, debug_objects;
} amd64[] = {
	{8, 8, MM_SLAB_KMALLOC, 8, 0, 512, 5, 120, 112, 0, 36},
	{64, 64, MM_SLAB_KMALLOC, 64, 0, 64, 5, 120, 256, 0, 16},
	{192, 8, MM_SLAB_KMALLOC, 192, 0, 21, 5, 120, 296, 1, 27},
	{8192, 8192, MM_SLAB_KMALLOC, 8192, 3, 4, 6, 6, 24576, 3, 1},
	{24, 0, 0, 24, 0, 170, 5, 120, 120, 0, 34},
	{192, 0, MM_SLAB_RECLAIM_ACCOUNT, 192, 0, 21, 5, 120, 288, 1, 28},
	{96, 0, MM_SLAB_RCU | MM_SLAB_CTOR, 104, 0, 39, 5, 120, 192, 0, 21},
	{1560, 64, MM_SLAB_HWCACHE_ALIGN | MM_SLAB_CTOR, 1600, 3, 20, 5, 24, 1728, 3, 18},
	{2080, 64, MM_SLAB_HWCACHE_ALIGN | MM_SLAB_RCU | MM_SLAB_CTOR, 2112, 3, 15, 5, 24, 2240, 3,
	 14},
	{264, 0, MM_SLAB_RCU, 272, 1, 30, 5, 52, 360, 1, 22},
	{176, 0, MM_SLAB_HWCACHE_ALIGN, 192, 0, 21, 5, 120, 384, 1, 21},
	{4096, 0, MM_SLAB_HWCACHE_ALIGN, 4096, 3, 8, 6, 6, 4288, 3, 7},
	{704, 0, MM_SLAB_CTOR, 712, 2, 23, 5, 52, 800, 2, 20},
};

Test(slab, layouts_are_those_of_a_kernel)
{
	for (size_t i = 0; i < sizeof(amd64) / sizeof(amd64[0]); i++) {
		struct machine m = {.memory = {{0, 64 * MiB, 0}}, .cpus = {4}};
		struct mm_cache_args args = {.name = "x",
					     .size = amd64[i].object_size,
					     .align = amd64[i].align,
					     .flags = amd64[i].flags};
		struct mm_slab_layout l;
		struct mm *mm = boot(&m);

		cr_assert_eq(mm_slab_layout(mm, &args, &l), 0);
		cr_expect_eq(l.size, amd64[i].size, "%zu: size %u", i, l.size);
		cr_expect_eq(l.order, amd64[i].order, "%zu: order %u", i, l.order);
		cr_expect_eq(l.objects, amd64[i].objects, "%zu: objects %u", i, l.objects);
		cr_expect_eq(l.min_partial, amd64[i].min_partial, "%zu", i);
		cr_expect_eq(l.cpu_partial, amd64[i].cpu_partial, "%zu", i);
		mm_destroy(mm);
		m.slab_debug = MM_SLAB_DEBUG;
		mm = boot(&m);
		cr_assert_eq(mm_slab_layout(mm, &args, &l), 0);
		cr_expect_eq(l.size, amd64[i].debug_size, "%zu: debug size %u", i, l.size);
		cr_expect_eq(l.order, amd64[i].debug_order, "%zu: debug order %u", i, l.order);
		cr_expect_eq(l.objects, amd64[i].debug_objects, "%zu: debug objects %u", i,
			     l.objects);
		cr_expect_eq(l.cpu_partial, 0);
		mm_destroy(mm);
	}
}

/* 4 * (fls(CPUs) + 1) objects at least: 8 on one CPU, 12, 16, 20. Of 1 KiB: 2, 4, 4, 8 pages. */
Test(slab, the_order_follows_the_number_of_cpus)
{
	static const struct {
		int cpus;
		unsigned order;
	} cases[] = {{1, 1}, {2, 2}, {4, 2}, {8, 3}};

	for (size_t i = 0; i < 4; i++) {
		struct machine m = {.memory = {{0, 64 * MiB, 0}}, .cpus = {cases[i].cpus}};
		struct mm *mm = boot(&m);
		struct mm_cache_args args = {.size = 1024};
		struct mm_slab_layout l;

		cr_assert_eq(mm_slab_layout(mm, &args, &l), 0);
		cr_expect_eq(l.order, cases[i].order, "%d CPUs: %u", cases[i].cpus, l.order);
		mm_destroy(mm);
	}
}

Test(slab, no_object_is_no_cache)
{
	struct mm *mm = boot(&two);
	struct mm_kmem_cache *cache;
	struct mm_cache_args none = {.name = "none"}, odd = {.name = "odd", .size = 8, .align = 24};
	struct mm_cache_args huge = {.name = "huge", .size = 5 * MiB};

	cr_expect_eq(mm_kmem_cache_create(mm, 0, &none, &cache), -EINVAL);
	cr_expect_eq(mm_kmem_cache_create(mm, 0, &odd, &cache), -EINVAL);
	cr_expect_eq(mm_kmem_cache_create(mm, 0, &huge, &cache), -EINVAL);
	huge.size = 4 * MiB;
	cr_expect_eq(mm_kmem_cache_create(mm, 0, &huge, &cache), 0, "as large as a block can be");
	must_verify(mm, "with it");
	mm_destroy(mm);
}

/* An object that is freed is the next that is taken: last in, first out. */
Test(slab, the_cpu_takes_what_it_freed_last)
{
	struct mm *mm = boot(&two);
	struct mm_kmem_cache *cache = make(mm, "x", 128, 0);
	phys_addr_t a = take(mm, cache, 0), b = take(mm, cache, 0);

	cr_assert_eq(b, a + 128);
	give(mm, cache, 0, a);
	cr_assert_eq(take(mm, cache, 0), a);
	must_verify(mm, "after three allocations");
	mm_destroy(mm);
}

/* The fast paths touch the per-CPU area and the link in the object, and take no lock. */
Test(slab, fast_paths_touch_the_object_and_take_no_lock)
{
	struct recorder rec = {0};
	struct mm *mm = boot_recorded(&two, &rec);
	struct mm_kmem_cache *cache = make(mm, "x", 128, 0);
	phys_addr_t object = take(mm, cache, 0), link;
	bool linked = false;

	give(mm, cache, 0, object);
	record_from_here(&rec);
	object = take(mm, cache, 0);
	link = object + 64; /* in the middle of 128 bytes */
	cr_expect_eq(count_records(&rec, REC_LOCK), 0);
	cr_expect_eq(count_work(&rec, MM_SITE_SLAB_ALLOC), 1);
	cr_expect_eq(count_work(&rec, MM_SITE_SLAB_SLOW), 0);
	for (size_t i = 0; i < count_records(&rec, REC_ACCESS); i++)
		linked |= nth_record(&rec, REC_ACCESS, i)->at == link;
	cr_expect(linked);
	record_from_here(&rec);
	give(mm, cache, 0, object);
	cr_expect_eq(count_records(&rec, REC_LOCK), 0);
	cr_expect_eq(count_work(&rec, MM_SITE_SLAB_FREE), 1);
	cr_expect_eq(count_work(&rec, MM_SITE_SLAB_SLOW), 0);
	mm_destroy(mm);
	free(rec.records);
}

/* A free to a slab of another CPU goes to the slab's own list, and comes back by a refill. */
Test(slab, a_remote_free_comes_back_by_a_refill)
{
	struct mm *mm = boot(&two);
	struct mm_kmem_cache *cache = make(mm, "x", 128, 0);
	phys_addr_t first = take(mm, cache, 0);

	give(mm, cache, 2, first);
	cr_expect_eq(cache->stats[MM_SLAB_STAT_FREE_FROZEN], 1);
	cr_expect_eq(cache->stats[MM_SLAB_STAT_FREE_REMOTE], 1);
	for (int i = 0; i < 31; i++)
		cr_expect_neq(take(mm, cache, 0), first);
	cr_expect_eq(take(mm, cache, 0), first);
	cr_expect_eq(cache->stats[MM_SLAB_STAT_ALLOC_REFILL], 1);
	cr_expect_eq(cache->stats[MM_SLAB_STAT_ALLOC_SLAB], 1);
	must_verify(mm, "after a refill");
	mm_destroy(mm);
}

/* A full slab that is freed to becomes the freeing CPU's; more than it keeps go to the node. */
Test(slab, cpu_partial_slabs_go_to_the_node_when_there_are_too_many)
{
	struct mm *mm = boot(&two);
	struct mm_kmem_cache *cache = make(mm, "x", 128, 0);
	unsigned keeps = cache->l.cpu_partial_slabs, nr = keeps + 2;
	phys_addr_t *first = calloc(nr, sizeof(*first));

	cr_assert_eq(keeps, 8); /* 120 objects, slabs of 32 half full */
	for (unsigned s = 0; s < nr; s++)
		for (unsigned i = 0; i < 32; i++) {
			phys_addr_t object = take(mm, cache, 0);

			first[s] = i ? first[s] : object;
		}
	for (unsigned s = 0; s < nr - 1; s++)
		give(mm, cache, 1, first[s]);
	cr_expect_eq(cache->stats[MM_SLAB_STAT_CPU_PARTIAL_FREE], keeps + 1);
	cr_expect_eq(cache->stats[MM_SLAB_STAT_CPU_PARTIAL_DRAIN], 1);
	cr_expect_eq(cache->node[0].nr_partial, keeps);
	must_verify(mm, "after a drain");
	/* CPU 2 asks for node 0: it gets one of these, and half as many as it may keep and one. */
	take_on(mm, cache, 2, 0);
	cr_expect_eq(cache->stats[MM_SLAB_STAT_ALLOC_FROM_PARTIAL], 1);
	cr_expect_eq(cache->stats[MM_SLAB_STAT_CPU_PARTIAL_NODE], keeps / 2 + 1);
	must_verify(mm, "after taking from the node");
	free(first);
	mm_destroy(mm);
}

Test(slab, a_request_for_another_node_puts_the_cpu_slab_away)
{
	struct mm *mm = boot(&two);
	struct mm_kmem_cache *cache = make(mm, "x", 128, 0);
	phys_addr_t near = take(mm, cache, 0), far = take_on(mm, cache, 0, 1);

	cr_expect_lt(near, 64 * MiB);
	cr_expect_geq(far, 64 * MiB);
	cr_expect_eq(cache->stats[MM_SLAB_STAT_ALLOC_NODE_MISMATCH], 1);
	cr_expect_eq(cache->stats[MM_SLAB_STAT_DEACTIVATE_TO_HEAD], 1);
	cr_expect_eq(cache->node[0].nr_partial, 1);
	/* Without a wish the CPU goes on with what it has. */
	cr_expect_geq(take(mm, cache, 0), 64 * MiB);
	must_verify(mm, "after both nodes");
	mm_destroy(mm);
}

/* min_partial empty slabs stay with the node, and go with a shrink. */
Test(slab, empty_slabs_stay_until_a_shrink)
{
	struct mm *mm = boot(&two);
	struct mm_kmem_cache *cache = make(mm, "x", 4096, 0);
	phys_addr_t objects[256];
	uint64_t pages[2], before[2];

	mm_slab_pages(mm, 0, before);
	for (int i = 0; i < 256; i++)
		objects[i] = take(mm, cache, 0);
	for (int i = 0; i < 256; i++)
		give(mm, cache, 0, objects[i]);
	mm_slab_pages(mm, 0, pages);
	cr_expect_gt(pages[0], before[0]);
	cr_expect_gt(cache->stats[MM_SLAB_STAT_FREE_SLAB], 0);
	cr_expect_eq(mm_kmem_cache_shrink(mm, 0, cache), pages[0] - before[0]);
	mm_slab_pages(mm, 0, pages);
	cr_expect_eq(pages[0], before[0]);
	must_verify(mm, "after a shrink");
	mm_destroy(mm);
}

/* Mem-Info of the allocation that failed: all that slabs have, of both kinds. */
Test(slab, a_failure_reports_slabs)
{
	struct mm *mm = boot(&two);
	struct mm_kmem_cache *cache = make(mm, "x", 4096, MM_SLAB_RECLAIM_ACCOUNT);
	struct mm_slab_request req = {.gfp = GFP_KERNEL, .nid = MM_NO_NODE};
	uint64_t sum[2] = {0}, pages[2];
	phys_addr_t object;
	char want[96];

	while (!mm_kmem_cache_alloc(mm, cache, &req, &object))
		;
	for (int nid = 0; nid < 2; nid++) {
		mm_slab_pages(mm, nid, pages);
		cr_expect_geq(pages[1], mm_node_counter(mm, nid, MM_NS_SLAB_RECLAIMABLE));
		/* The report, as the kernel's, has what CPUs have told. */
		sum[0] += (uint64_t)mm_node_counter(mm, nid, MM_NS_SLAB_UNRECLAIMABLE);
		sum[1] += (uint64_t)mm_node_counter(mm, nid, MM_NS_SLAB_RECLAIMABLE);
	}
	cr_assert(sum[0] > 0 && sum[1] > 16384, "of 32768 pages");
	snprintf(want, sizeof(want), "\n slab_reclaimable:%lu slab_unreclaimable:%lu\n",
		 (unsigned long)sum[1], (unsigned long)sum[0]);
	cr_assert_not_null(mm_oom_report(mm));
	cr_expect(strstr(mm_oom_report(mm), want), "%s: %s", want, mm_oom_report(mm));
	/* There is nothing else in memory: so the kernel lists caches that reclaim does nothing
	 * for. The one that holds their descriptors is among them. */
	cr_expect(strstr(mm_oom_report(mm), "\nUnreclaimable slab info:\nName                      "
					    "Used          Total\n"));
	cr_expect(strstr(mm_oom_report(mm), "\nkmem_cache "), "%s", mm_oom_report(mm));
	cr_expect_null(strstr(mm_oom_report(mm), "\nx "), "%s", mm_oom_report(mm));
	mm_destroy(mm);
}

/* Fullest first, so that the others have a chance to become empty. */
Test(slab, a_shrink_sorts_partial_slabs)
{
	struct mm *mm = boot(&two);
	struct mm_kmem_cache *cache = make(mm, "x", 512, 0);
	phys_addr_t objects[3 * 16];

	cr_assert_eq(cache->l.objects, 16);
	for (int i = 0; i < 48; i++)
		objects[i] = take(mm, cache, 0);
	for (int s = 0; s < 3; s++)
		for (int i = 0; i < 2 + (s * 2) % 3; i++)
			give(mm, cache, 2, objects[s * 16 + i]);
	mm_kmem_cache_shrink(mm, 0, cache);
	cr_assert_eq(cache->node[0].nr_partial, 3);
	for (struct mm_slab *s = cache->node[0].partial; s->next; s = s->next)
		cr_expect_geq(s->inuse, s->next->inuse);
	must_verify(mm, "after a shrink");
	mm_destroy(mm);
}

Test(slab, a_cache_with_objects_is_not_destroyed)
{
	struct mm *mm = boot(&two);
	struct mm_kmem_cache *cache = make(mm, "leaky", 200, MM_SLAB_CTOR);
	phys_addr_t a = take(mm, cache, 0), b = take(mm, cache, 2);
	uint64_t left;

	cr_assert_eq(mm_kmem_cache_destroy(mm, 0, cache, &left), -EBUSY);
	cr_expect_eq(left, 2);
	cr_expect_str_eq(mm_slab_report(mm, 0),
			 "kmem_cache_destroy leaky: cache still has 2 objects");
	give(mm, cache, 1, a);
	give(mm, cache, 1, b);
	cr_assert_eq(mm_kmem_cache_destroy(mm, 0, cache, &left), 0);
	cr_expect_null(mm_slab_find(mm, "leaky"));
	must_verify(mm, "after a destroy");
	mm_destroy(mm);
}

/* A cache of the same size, within a word, and of the same sort is another name of the first. */
Test(slab, like_caches_are_merged)
{
	struct mm *mm = boot(&two);
	struct mm_kmem_cache *a = make(mm, "a", 1000, 0), *b = make(mm, "b", 997, 0);
	struct mm_kmem_cache *c = make(mm, "c", 992, 0), *d = make(mm, "d", 1000, MM_SLAB_ACCOUNT);
	struct mm_kmem_cache *e = make(mm, "e", 1000, MM_SLAB_CTOR);

	cr_expect_eq(a, b);
	cr_expect_neq(a, c);
	cr_expect_neq(a, d);
	cr_expect_neq(a, e);
	cr_expect_eq(mm_slab_find(mm, "b"), a);
	cr_expect_eq(mm_kmem_cache_destroy(mm, 0, b, NULL), 0);
	cr_expect_eq(mm_slab_find(mm, "a"), a);
	cr_expect_eq(mm_kmem_cache_destroy(mm, 0, a, NULL), 0);
	cr_expect_null(mm_slab_find(mm, "a"));
	mm_destroy(mm);
}

Test(slab, caches_are_kept_apart_where_that_is_said)
{
	struct machine m = two;
	struct mm *mm;

	m.slab_nomerge = true;
	mm = boot(&m);
	cr_expect_neq(make(mm, "a", 1000, 0), make(mm, "b", 1000, 0));
	mm_destroy(mm);
}

Test(slab, kmalloc_takes_the_next_class)
{
	static const struct {
		uint64_t bytes;
		gfp_t gfp;
		const char *name;
	} cases[] = {{1, GFP_KERNEL, "kmalloc-8"},
		     {65, GFP_KERNEL, "kmalloc-96"},
		     {97, GFP_KERNEL_ACCOUNT, "kmalloc-cg-128"},
		     {192, GFP_KERNEL | __GFP_RECLAIMABLE, "kmalloc-rcl-192"},
		     {193, GFP_KERNEL | GFP_DMA, "dma-kmalloc-256"},
		     {8192, GFP_ATOMIC, "kmalloc-8k"}};
	struct mm *mm = boot(&two);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_str_eq(mm_kmalloc_name(mm, cases[i].bytes, cases[i].gfp), cases[i].name);
	cr_expect_null(mm_kmalloc_name(mm, 8193, GFP_KERNEL));
	mm_destroy(mm);
}

/* Its smallest size is what devices that do not snoop may write without hurting others. */
Test(slab, arm64_has_no_kmalloc_of_less_than_128_bytes_nor_of_192)
{
	static const struct {
		uint64_t bytes;
		const char *name;
	} cases[] = {{1, "kmalloc-128"}, {129, "kmalloc-256"}, {192, "kmalloc-256"}};
	struct machine m = two;
	struct mm *mm;

	m.arch = MM_ARM64;
	mm = boot(&m);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_str_eq(mm_kmalloc_name(mm, cases[i].bytes, GFP_KERNEL), cases[i].name);
	cr_expect_null(mm_slab_find(mm, "kmalloc-96"));
	cr_expect_not_null(mm_slab_find(mm, "kmalloc-cg-8k"));
	must_verify(mm, "with it");
	mm_destroy(mm);
}

Test(slab, kmalloc_beyond_a_class_is_pages)
{
	struct mm *mm = boot(&two);
	struct mm_slab_request req = {.gfp = GFP_KERNEL, .nid = MM_NO_NODE};
	phys_addr_t object = kmalloc(mm, 8193, GFP_KERNEL), other;

	cr_expect_eq(mm_ksize(mm, object), 16384);
	cr_expect_eq(mm_kfree(mm, 0, object + 4096), -EINVAL);
	must_verify(mm, "with a block");
	cr_expect_eq(mm_kfree(mm, 0, object), 0);
	cr_expect_eq(mm_kfree(mm, 0, object), -EINVAL);
	cr_expect_eq(mm_kmalloc(mm, 4 * MiB + 1, &req, &other), -EINVAL);
	cr_expect_eq(kmalloc(mm, 0, GFP_KERNEL), MM_ZERO_SIZE_PTR);
	cr_expect_eq(mm_kfree(mm, 0, MM_ZERO_SIZE_PTR), 0);
	cr_expect_eq(mm_kfree(mm, 0, 0), 0);
	must_verify(mm, "without it");
	mm_destroy(mm);
}

Test(slab, krealloc_moves_only_what_has_no_room)
{
	struct mm *mm = boot(&two);
	struct mm_slab_request req = {.gfp = GFP_KERNEL, .nid = MM_NO_NODE};
	phys_addr_t object = kmalloc(mm, 40, GFP_KERNEL), same, moved, gone;

	cr_assert_eq(mm_krealloc(mm, object, 64, &req, &same), 0);
	cr_expect_eq(same, object);
	cr_assert_eq(mm_krealloc(mm, object, 65, &req, &moved), 0);
	cr_expect_neq(moved, object);
	cr_expect_eq(mm_ksize(mm, object), 0);
	cr_expect_eq(mm_ksize(mm, moved), 96);
	cr_expect_eq(mm_krealloc(mm, object, 10, &req, &gone), -EINVAL);
	cr_assert_eq(mm_krealloc(mm, moved, 0, &req, &gone), 0);
	cr_expect_eq(gone, MM_ZERO_SIZE_PTR);
	mm_destroy(mm);
}

Test(slab, who_may_not_sleep_must_not_ask_to)
{
	struct mm *mm = boot(&two);
	struct mm_slab_request req = {.gfp = GFP_KERNEL, .nid = MM_NO_NODE, .atomic = true};
	phys_addr_t object;

	cr_assert_eq(mm_kmalloc(mm, 64, &req, &object), -EWOULDBLOCK);
	cr_expect_str_eq(mm_slab_report(mm, 0),
			 "sleeping function called from invalid context: kmalloc, GFP_KERNEL, "
			 "CPU 0 is atomic");
	req.gfp = GFP_ATOMIC;
	cr_expect_eq(mm_kmalloc(mm, 64, &req, &object), 0);
	mm_destroy(mm);
}

/* Where order 3 is not to be had without reclaim, a slab is as small as it can be. */
Test(slab, slabs_are_small_when_memory_is_in_pieces)
{
	struct machine m = {.memory = {{0, 16 * MiB, 0}}, .cpus = {4}};
	struct mm *mm = boot(&m);
	struct mm_kmem_cache *cache = make(mm, "x", 2048, 0);
	struct mm_slab_request req = {.gfp = GFP_NOWAIT, .nid = MM_NO_NODE};
	phys_addr_t object;
	struct page *pages[4096];
	size_t nr = 0;

	cr_assert_eq(cache->l.order, 3);
	while (nr < 4096 && (pages[nr] = alloc(mm, 0, 0, GFP_ATOMIC | __GFP_MEMALLOC)))
		nr++;
	/* Every second page is free: nothing of order 1. */
	for (size_t i = 0; i < nr; i++)
		if (pfn_of(mm, pages[i]) % 2)
			mm_free_pages(mm, 0, pages[i], 0);
	cr_assert_eq(mm_kmem_cache_alloc(mm, cache, &req, &object), 0);
	cr_expect_eq(cache->stats[MM_SLAB_STAT_ORDER_FALLBACK], 1);
	cr_expect_eq(mm_slab_of(mm, object)->objects, 2);
	must_verify(mm, "with a small slab");
	mm_destroy(mm);
}

Test(slab, a_page_of_a_slab_is_not_freed_by_others)
{
	struct mm *mm = boot(&two);
	struct mm_kmem_cache *cache = make(mm, "x", 128, 0);
	struct mm_slab *slab = mm_slab_of(mm, take(mm, cache, 0));

	cr_expect_eq(mm_free_pages(mm, 0, slab->page, slab->order), -EINVAL);
	must_verify(mm, "after a foreign free");
	mm_destroy(mm);
}

/* On i386 a slab is in what the kernel reaches by itself, whatever the flags say. */
Test(slab, slabs_are_in_low_memory)
{
	struct machine m = {.arch = MM_I386, .memory = {{0, 1024 * MiB, 0}}, .cpus = {2}};
	struct mm *mm = boot(&m);

	cr_expect_lt(kmalloc(mm, 64, GFP_KERNEL | __GFP_HIGHMEM), 0x36ffe000);
	cr_expect_eq(mm_slab_nr_reports(mm), 1);
	cr_expect_lt(kmalloc(mm, 64, GFP_KERNEL | GFP_DMA), 16 * MiB);
	mm_destroy(mm);
}

/* Nothing of it exists where there was no room for the first caches, and that does not change. */
Test(slab, without_room_for_the_first_caches_there_are_none)
{
	struct mm *mm = boot(&(struct machine){.memory = {{0, 4 * MiB, 0}}, .min_free_kbytes = 64});
	struct mm_slab_request req = {.gfp = GFP_KERNEL, .nid = MM_NO_NODE};
	struct page *pages[1024], *page;
	struct mm_kmem_cache *cache;
	phys_addr_t object;
	size_t nr = 0;

	while ((page = alloc(mm, 0, 0, GFP_KERNEL | __GFP_MEMALLOC)))
		pages[nr++] = page;
	for (int i = 0; i < 2; i++) {
		cr_expect_eq(mm_kmalloc(mm, 100, &req, &object), -ENOMEM);
		cr_expect_eq(mm_kmem_cache_create(mm, 0,
						  &(struct mm_cache_args){.name = "a", .size = 8},
						  &cache),
			     -ENOMEM);
		must_verify(mm, "without room");
	}
	while (nr)
		mm_free_pages(mm, 0, pages[--nr], 0);
	cr_expect_eq(mm_kmalloc(mm, 100, &req, &object), -ENOMEM);
	must_verify(mm, "with room again");
	mm_destroy(mm);
}

static bool made_another;

/* From a lock that making a cache takes: another CPU makes one alike, and takes an object of it. */
static void make_another(struct recorder *rec, bool locking, int cpu)
{
	const struct mm_cache_args args = {.name = "second", .size = 3000};
	struct mm_slab_request req = {.cpu = 1, .gfp = GFP_KERNEL, .nid = MM_NO_NODE};
	struct mm_kmem_cache *second;
	phys_addr_t object;

	if (!locking || cpu != 0)
		return;
	rec->at_lock = NULL;
	made_another = true;
	cr_assert_eq(mm_kmem_cache_create(rec->mm, 1, &args, &second), 0);
	cr_assert_eq(mm_kmem_cache_alloc(rec->mm, second, &req, &object), 0);
}

/* While its descriptor is allocated, nobody finds a cache or merges another one with it. */
Test(slab, a_cache_that_is_being_made_is_nobodys)
{
	struct recorder rec;
	struct mm *mm = boot_recorded(&two, &rec);
	struct mm_kmem_cache *cache;

	cr_assert_eq(mm_slab_start(mm), 0);
	/* The first object of a slab of their own: the CPUs' lists are filled from the zone. */
	rec.at_lock = make_another;
	cr_assert_eq(mm_kmem_cache_create(
			     mm, 0, &(struct mm_cache_args){.name = "first", .size = 3000}, &cache),
		     0);
	cr_assert(made_another, "it takes no lock");
	for (size_t i = 0; i < rec.nr; i++)
		cr_assert(rec.records[i].kind != REC_ACCESS || rec.records[i].at, "no address");
	must_verify(mm, "at the end");
	mm_destroy(mm);
	free(rec.records);
}

/* A descriptor from kmem_cache, zeroed, then one of each node; they go the other way round. */
Test(slab, a_caches_own_objects_are_traced)
{
	const struct machine m = {.model = MM_SPARSE_VMEMMAP,
				  .memory = {{0, 64 * MiB, 0}, {64 * MiB, 64 * MiB, 1}}};
	struct recorder rec;
	struct mm *mm = boot_recorded(&m, &rec);
	struct mm_kmem_cache *cache;
	const struct mm_event *ev[3];

	cr_assert_eq(mm_slab_start(mm), 0);
	record_from_here(&rec);
	cr_assert_eq(mm_kmem_cache_create(
			     mm, 0, &(struct mm_cache_args){.name = "mine", .size = 1000}, &cache),
		     0);
	cr_assert_eq(count_events(&rec, MM_EVENT_CACHE_ALLOC), 3);
	for (size_t i = 0, n = 0; i < rec.nr; i++)
		if (rec.records[i].kind == REC_EVENT &&
		    rec.records[i].event.type == MM_EVENT_CACHE_ALLOC)
			ev[n++] = &rec.records[i].event;
	cr_expect_str_eq(ev[0]->object.cache, "kmem_cache");
	cr_expect_eq(ev[0]->gfp, GFP_KERNEL | __GFP_ZERO);
	cr_expect_eq(ev[0]->nid, MM_NO_NODE);
	for (int nid = 0; nid < 2; nid++) {
		cr_expect_str_eq(ev[1 + nid]->object.cache, "kmem_cache_node");
		cr_expect_eq(ev[1 + nid]->gfp, GFP_KERNEL);
		cr_expect_eq(ev[1 + nid]->nid, nid);
	}
	record_from_here(&rec);
	cr_assert_eq(mm_kmem_cache_destroy(mm, 0, cache, NULL), 0);
	cr_expect_eq(count_events(&rec, MM_EVENT_CACHE_FREE), 3);
	must_verify(mm, "destroyed");
	mm_destroy(mm);
	free(rec.records);
}
