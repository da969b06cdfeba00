/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory hotplug. A machine of 1 GiB (DMA, DMA32) with a node that has neither memory nor CPUs yet;
 * blocks have 128 MiB, 32768 frames: memory32 begins at 4 GiB, in ZONE_NORMAL. What real kernels
 * had after such steps is in golden/hotplug.sh.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../mm_fixture.h"
#include "mm/alloc/contig.h"
#include "mm/hotplug/hotplug.h"
#include "mm/huge/hugetlb.h"
#include "mm/reclaim/lru.h"
#include "mm/slab/slab.h"

#define BLOCK_PAGES 32768
#define FIRST       32 /* the block at 4 GiB */
#define MOVABLE     GFP_HIGHUSER_MOVABLE

static const struct machine small = {
	.model = MM_SPARSE_VMEMMAP,
	.memory = {{0, GiB, 0}},
	.cpus = {2},
	.nodes = 2,
	.hotplug_end = 16 * GiB,
	.exact_counts = true,
};

static struct mm_refusal refusal;

static int step(struct mm *mm, enum mm_hotplug_op op, uint64_t first, uint64_t last)
{
	struct mm_hotplug_step s = {.op = op, .first = first, .last = last};
	struct mm_hotplug_done done;

	return mm_hotplug(mm, 0, &s, &done, &refusal);
}

static int add(struct mm *mm, uint64_t first, uint64_t blocks, int nid)
{
	struct mm_hotplug_step s = {.op = MM_HOTPLUG_ADD,
				    .start = first * 128 * MiB,
				    .bytes = blocks * 128 * MiB,
				    .nid = nid};
	struct mm_hotplug_done done;

	return mm_hotplug(mm, 0, &s, &done, &refusal);
}

static void set(struct mm *mm, enum mm_hotplug_param param, uint64_t value)
{
	struct mm_hotplug_step s = {.op = MM_HOTPLUG_PARAM, .param = param, .value = value};
	struct mm_hotplug_done done;

	cr_assert_eq(mm_hotplug(mm, 0, &s, &done, &refusal), 0);
}

static void must(int err)
{
	cr_assert_eq(err, 0, "%s", refusal.why);
}

static void says(const char *text)
{
	cr_expect(strstr(refusal.why, text), "'%s' does not say '%s'", refusal.why, text);
}

static struct mm_zone_info normal(struct mm *mm, int nid)
{
	return zone_info(mm, nid, mm_arch_zone_index(mm->arch, MM_ZONE_NORMAL));
}

static struct mm_zone_info movable(struct mm *mm, int nid)
{
	return zone_info(mm, nid, mm_arch_zone_index(mm->arch, MM_ZONE_MOVABLE));
}

/* A block's descriptors are 32768 * 64 B = 512 pages, and that memory is no longer free. */
Test(hotplug, descriptors_of_added_memory_are_in_ram)
{
	struct mm *mm = boot(&small);
	uint64_t before = zone_info(mm, 0, 0).free + zone_info(mm, 0, 1).free;
	struct mm_model_info was, is;

	mm_model_info(mm, &was);
	must(add(mm, FIRST, 2, 0));
	drain_all(mm);
	mm_model_info(mm, &is);
	cr_expect_eq(is.memmap_bytes - was.memmap_bytes, 2 * BLOCK_PAGES * 64);
	cr_expect_eq(is.hole_bytes, was.hole_bytes, "what is offline is no hole");
	/* Tables: of the vmemmap one of each level is there already, or none. */
	cr_expect_eq(before - zone_info(mm, 0, 0).free - zone_info(mm, 0, 1).free,
		     2 * 512 + (is.table_bytes - was.table_bytes) / 4096);
	cr_expect_eq(normal(mm, 0).spanned, 0, "it is offline");
	must_verify(mm, "added");
	must(step(mm, MM_HOTPLUG_REMOVE_BLOCKS, FIRST, FIRST + 1));
	drain_all(mm);
	mm_model_info(mm, &is);
	cr_expect_eq(is.memmap_bytes, was.memmap_bytes);
	cr_expect_eq(is.table_bytes, was.table_bytes);
	cr_expect_eq(zone_info(mm, 0, 0).free + zone_info(mm, 0, 1).free, before);
	must_verify(mm, "removed");
	mm_destroy(mm);
}

/* managed = present; the middle block does not shrink the zone, the last one does, past it. */
Test(hotplug, zones_appear_grow_shrink_and_vanish)
{
	struct mm *mm = boot(&small);
	struct mm_zoneref refs[16];

	must(add(mm, FIRST, 4, 0));
	must(step(mm, MM_HOTPLUG_ONLINE, FIRST, FIRST + 2));
	cr_expect_eq(normal(mm, 0).start_pfn, FIRST * BLOCK_PAGES);
	cr_expect_eq(normal(mm, 0).spanned, 3 * BLOCK_PAGES);
	cr_expect_eq(normal(mm, 0).present, 3 * BLOCK_PAGES);
	cr_expect_eq(normal(mm, 0).managed, 3 * BLOCK_PAGES);
	cr_expect_eq(mm_zonelist(mm, 0, false, refs, 16), 3);
	cr_expect_eq(refs[0].zone, mm_arch_zone_index(mm->arch, MM_ZONE_NORMAL));
	must_verify(mm, "online");

	must(step(mm, MM_HOTPLUG_OFFLINE, FIRST + 1, FIRST + 1));
	cr_expect_eq(normal(mm, 0).spanned, 3 * BLOCK_PAGES);
	cr_expect_eq(normal(mm, 0).present, 2 * BLOCK_PAGES);
	must(step(mm, MM_HOTPLUG_OFFLINE, FIRST + 2, FIRST + 2));
	cr_expect_eq(normal(mm, 0).spanned, BLOCK_PAGES, "up to the last that is online");
	must_verify(mm, "two are offline");
	must(step(mm, MM_HOTPLUG_OFFLINE, FIRST, FIRST));
	cr_expect_eq(normal(mm, 0).spanned, 0);
	cr_expect_eq(mm_zonelist(mm, 0, false, refs, 16), 2);
	must_verify(mm, "all are offline");
	must(step(mm, MM_HOTPLUG_ONLINE_MOVABLE, FIRST + 1, FIRST + 1));
	cr_expect_eq(movable(mm, 0).start_pfn, (FIRST + 1) * BLOCK_PAGES);
	must_verify(mm, "movable");
	mm_destroy(mm);
}

/* Where it lies in the span of a zone it goes there by default. */
Test(hotplug, contiguous_zones_are_the_default)
{
	struct mm *mm = boot(&small);
	struct mm_memory_block_info info;

	must(add(mm, FIRST, 3, 0));
	must(step(mm, MM_HOTPLUG_ONLINE_MOVABLE, FIRST, FIRST));
	must(step(mm, MM_HOTPLUG_ONLINE_MOVABLE, FIRST + 2, FIRST + 2));
	cr_assert(mm_memory_block(mm, FIRST + 1, &info));
	cr_expect_eq(info.valid_zones[0], mm_arch_zone_index(mm->arch, MM_ZONE_MOVABLE));
	cr_expect_eq(info.valid_zones[1], mm_arch_zone_index(mm->arch, MM_ZONE_NORMAL));
	must(step(mm, MM_HOTPLUG_ONLINE, FIRST + 1, FIRST + 1));
	cr_expect_eq(movable(mm, 0).present, 3 * BLOCK_PAGES);
	mm_destroy(mm);
}

/*
 * auto-movable: 301 % of the 1 GiB of kernel memory may be movable, 3.01 GiB, decided for all that
 * was added at once: 2 GiB go, and the next 2 GiB do not.
 */
Test(hotplug, auto_movable_keeps_the_ratio)
{
	struct mm *mm = boot(&small);

	set(mm, MM_HOTPLUG_AUTO_MOVABLE, 1);
	set(mm, MM_HOTPLUG_AUTO_ONLINE, MM_AUTO_ONLINE);
	must(add(mm, FIRST, 16, 0));
	cr_expect_eq(movable(mm, 0).present, 16 * BLOCK_PAGES);
	must(add(mm, FIRST + 16, 16, 0));
	cr_expect_eq(movable(mm, 0).present, 16 * BLOCK_PAGES);
	cr_expect_eq(normal(mm, 0).present, 16 * BLOCK_PAGES);
	/* Within the ratio of all nodes, but node 1 has no kernel memory of its own. */
	must(add(mm, FIRST + 32, 1, 1));
	cr_expect_eq(normal(mm, 1).present, BLOCK_PAGES);
	set(mm, MM_HOTPLUG_NUMA_AWARE, 0);
	must(add(mm, FIRST + 33, 1, 1));
	cr_expect_eq(movable(mm, 1).present, BLOCK_PAGES);
	set(mm, MM_HOTPLUG_RATIO, 0);
	must(add(mm, FIRST + 34, 1, 0));
	cr_expect_eq(normal(mm, 0).present, 17 * BLOCK_PAGES);
	must_verify(mm, "auto-movable");
	mm_destroy(mm);
}

/* A node comes with its first memory: others fall back to it, and slabs can be there. */
Test(hotplug, nodes_come_online_with_their_memory)
{
	struct mm *mm = boot(&small);
	const struct mm_cache_args args = {.name = "own", .size = 64};
	const struct mm_slab_request req = {.gfp = GFP_KERNEL, .nid = 1};
	struct mm_kmem_cache *cache;
	phys_addr_t object;
	struct page *page;
	int order[2];

	cr_assert_eq(mm_slab_start(mm), 0);
	cr_expect(!mm_node_online(mm, 1));
	cr_expect_eq(mm_node_order(mm, 0, order), 1);
	must(add(mm, FIRST, 2, 1));
	must(step(mm, MM_HOTPLUG_ONLINE, FIRST, FIRST + 1));
	cr_expect(mm_node_online(mm, 1));
	cr_expect_eq(mm_node_order(mm, 0, order), 2);
	page = alloc_on(mm, 0, 1, 0, GFP_KERNEL | __GFP_THISNODE);
	cr_expect_eq(mm_page_to_nid(mm, page), 1);
	mm_free_pages(mm, 0, page, 0);
	cr_assert_eq(mm_kmem_cache_create(mm, 0, &args, &cache), 0);
	cr_assert_eq(mm_kmem_cache_alloc(mm, cache, &req, &object), 0);
	cr_expect_geq(object, 4 * GiB);
	must_verify(mm, "a slab on the new node");
	cr_expect_eq(step(mm, MM_HOTPLUG_OFFLINE, FIRST, FIRST), -EBUSY);
	says("a slab of '");
	mm_kmem_cache_free(mm, 0, cache, object);
	mm_destroy(mm);
}

/* User memory moves, to another node; what is the kernel's stays, and the refusal names it. */
Test(hotplug, offlining_moves_what_is_movable)
{
	struct recorder rec = {0};
	struct mm *mm = boot_recorded(&small, &rec);
	struct page *user, *kernel;
	struct mm_hotplug_step off = {.op = MM_HOTPLUG_OFFLINE, .first = FIRST, .last = FIRST};
	struct mm_hotplug_done done;

	must(add(mm, FIRST, 2, 1));
	must(step(mm, MM_HOTPLUG_ONLINE, FIRST, FIRST + 1));
	user = alloc_on(mm, 0, 1, 3, MOVABLE | __GFP_THISNODE);
	kernel = alloc_on(mm, 0, 1, 2, GFP_KERNEL | __GFP_THISNODE);
	cr_assert_eq(pfn_of(mm, user) / BLOCK_PAGES, pfn_of(mm, kernel) / BLOCK_PAGES);
	off.first = off.last = pfn_of(mm, user) / BLOCK_PAGES;
	cr_expect_eq(mm_hotplug(mm, 0, &off, &done, &refusal), -EBUSY);
	says("kernel memory, type unmovable, order 2");
	must_verify(mm, "refused");
	mm_free_pages(mm, 0, kernel, 2);
	record_from_here(&rec);
	must(mm_hotplug(mm, 0, &off, &done, &refusal));
	cr_expect_eq(done.migrated, 8);
	cr_assert_eq(count_records(&rec, REC_MOVED), 1);
	user = nth_record(&rec, REC_MOVED, 0)->to;
	cr_expect_eq(mm_page_to_nid(mm, user), 0, "to another node");
	must_verify(mm, "moved");
	mm_free_pages(mm, 0, user, 3);
	mm_destroy(mm);
	free(rec.records);
}

/* A free huge page of the pool is given up; one that is in use holds the block. */
Test(hotplug, free_huge_pages_are_dissolved)
{
	struct mm *mm = boot(&small);
	struct mm_hugetlb_info info;

	must(add(mm, FIRST, 1, 1));
	must(step(mm, MM_HOTPLUG_ONLINE, FIRST, FIRST));
	cr_assert_eq(mm_hugetlb_resize(mm, 0, 0, 1, NULL, 3), 3);
	must(step(mm, MM_HOTPLUG_OFFLINE, FIRST, FIRST));
	mm_hugetlb_info(mm, 0, MM_NO_NODE, &info);
	cr_expect_eq(info.total, 0);
	must_verify(mm, "dissolved");
	mm_destroy(mm);
}

/* 6.1 does so only for what is added as one block. present counts the descriptors, managed not. */
Test(hotplug, a_block_can_hold_its_own_descriptors)
{
	struct mm *mm = boot(&small);
	uint64_t before = zone_info(mm, 0, 1).free;
	struct mm_model_info info;

	set(mm, MM_HOTPLUG_MEMMAP_ON_MEMORY, 1);
	must(add(mm, FIRST, 1, 0));
	drain_all(mm);
	mm_model_info(mm, &info);
	cr_expect_eq(info.device_bytes, BLOCK_PAGES * 64);
	cr_expect_leq(before - zone_info(mm, 0, 1).free, 3, "only page tables");
	must(step(mm, MM_HOTPLUG_ONLINE, FIRST, FIRST));
	cr_expect_eq(normal(mm, 0).present, BLOCK_PAGES);
	cr_expect_eq(normal(mm, 0).managed, BLOCK_PAGES - 512);
	must_verify(mm, "online");
	must(step(mm, MM_HOTPLUG_OFFLINE, FIRST, FIRST));
	must(step(mm, MM_HOTPLUG_ONLINE_MOVABLE, FIRST, FIRST));
	cr_expect_eq(movable(mm, 0).managed, BLOCK_PAGES - 512);
	must_verify(mm, "online again");
	must(add(mm, FIRST + 1, 2, 0));
	mm_model_info(mm, &info);
	cr_expect_eq(info.device_bytes, BLOCK_PAGES * 64, "two blocks at once");
	mm_destroy(mm);
}

/* ZONE_DEVICE: spanned, but neither present nor managed; descriptors in RAM or on the device. */
Test(hotplug, devices_have_descriptors_and_nothing_else)
{
	struct mm *mm = boot(&small);
	struct mm_hotplug_step pmem = {
		.op = MM_HOTPLUG_DEVICE, .start = 8 * GiB, .bytes = GiB, .nid = 1};
	int device = mm_arch_zone_index(mm->arch, MM_ZONE_DEVICE), nid, zone;
	struct mm_hotplug_done done;
	struct mm_model_info was, is;

	mm_model_info(mm, &was);
	must(mm_hotplug(mm, 0, &pmem, &done, &refusal));
	mm_model_info(mm, &is);
	cr_expect_eq(is.memmap_bytes - was.memmap_bytes, 16 * MiB);
	cr_expect_eq(is.device_bytes, 0);
	cr_expect_eq(zone_info(mm, 1, device).spanned, GiB / 4096);
	cr_expect_eq(zone_info(mm, 1, device).present, 0);
	cr_expect_eq(zone_info(mm, 1, device).managed, 0);
	cr_assert_eq(mm_pfn_zone(mm, 8 * GiB / 4096, &nid, &zone), 0);
	cr_expect(nid == 1 && zone == device);
	cr_expect(!mm_node_online(mm, 1), "it has no memory");
	cr_expect_eq(mm_hotplug(mm, 0, &pmem, &done, &refusal), -EEXIST);
	says("overlaps a device at [0x200000000-0x240000000)");
	must_verify(mm, "in RAM");

	pmem.start = 10 * GiB;
	pmem.on_device = true;
	must(mm_hotplug(mm, 0, &pmem, &done, &refusal));
	mm_model_info(mm, &is);
	cr_expect_eq(is.device_bytes, 16 * MiB);
	cr_expect_eq(zone_info(mm, 1, device).spanned, 3 * GiB / 4096);
	pmem.op = MM_HOTPLUG_DEVICE_REMOVE;
	must(mm_hotplug(mm, 0, &pmem, &done, &refusal));
	cr_expect_eq(zone_info(mm, 1, device).spanned, 3 * GiB / 4096, "it does not shrink");
	pmem.start = 8 * GiB;
	must(mm_hotplug(mm, 0, &pmem, &done, &refusal));
	mm_model_info(mm, &is);
	cr_expect_eq(is.memmap_bytes, was.memmap_bytes);
	must_verify(mm, "gone");
	mm_destroy(mm);
}

/* dax/kmem: persistent memory as RAM, as far as it is whole blocks, on a node of its own. */
Test(hotplug, persistent_memory_becomes_ram)
{
	struct mm *mm = boot(&small);
	struct mm_hotplug_step kmem = {.op = MM_HOTPLUG_ADD_KMEM,
				       .start = 8 * GiB + 2 * MiB,
				       .bytes = 512 * MiB,
				       .nid = 1};
	struct mm_hotplug_done done;
	struct mm_range range;
	bool is_kmem;

	set(mm, MM_HOTPLUG_AUTO_ONLINE, MM_AUTO_MOVABLE);
	must(mm_hotplug(mm, 0, &kmem, &done, &refusal));
	cr_expect_eq(done.blocks, 3);
	cr_expect_eq(movable(mm, 1).managed, 3 * BLOCK_PAGES);
	cr_assert(mm_hotplug_range(mm, false, 0, &range, &is_kmem) && is_kmem);
	cr_expect_eq(range.start, 8 * GiB + 128 * MiB);
	must_verify(mm, "online");
	mm_destroy(mm);
}

/* On x86_64: 2 GiB where memory ends at 64 GiB or above. */
Test(hotplug, large_machines_have_large_blocks)
{
	struct machine m = small;
	struct mm *mm;

	m.memory[0].bytes = 64 * GiB - 4096;
	m.hotplug_end = 128 * GiB;
	mm = boot(&m);
	cr_expect_eq(mm_memory_block_bytes(mm), 128 * MiB);
	mm_destroy(mm);
	m.memory[0].bytes = 64 * GiB;
	mm = boot(&m);
	cr_expect_eq(mm_memory_block_bytes(mm), 2 * GiB);
	cr_expect_eq(add(mm, 64 * 8 + 8, 1, 0), -EINVAL);
	says("expected whole memory blocks of 0x80000000 bytes (2048 MiB)");
	must(add(mm, 64 * 8, 16, 0));
	must(step(mm, MM_HOTPLUG_ONLINE, 32, 32));
	must_verify(mm, "online");
	mm_destroy(mm);
}

/* Blocks of boot go offline and come again, in another zone; spans may overlap by then. */
Test(hotplug, memory_of_boot_goes_too)
{
	struct mm *mm = boot(&small);
	uint64_t was = zone_info(mm, 0, 1).managed;

	must(step(mm, MM_HOTPLUG_OFFLINE, 3, 3));
	cr_expect_eq(zone_info(mm, 0, 1).managed, was - BLOCK_PAGES);
	must(step(mm, MM_HOTPLUG_ONLINE_MOVABLE, 3, 3));
	cr_expect_eq(movable(mm, 0).present, BLOCK_PAGES);
	must_verify(mm, "Movable within DMA32");
	must(step(mm, MM_HOTPLUG_OFFLINE, 3, 3));
	must(step(mm, MM_HOTPLUG_REMOVE_BLOCKS, 3, 3));
	cr_expect(!mm_pfn_valid(mm, 3 * BLOCK_PAGES));
	must(add(mm, 3, 1, 1));
	must(step(mm, MM_HOTPLUG_ONLINE_KERNEL, 3, 3));
	cr_expect_eq(normal(mm, 1).present, BLOCK_PAGES, "node 1 has no DMA32 to be in");
	must_verify(mm, "on another node");
	mm_destroy(mm);
}

/* What users do wrong, each with its reason; and nothing has changed. */
Test(hotplug, misuse_is_refused_with_a_reason)
{
	struct mm *mm = boot(&small);

	cr_expect_eq(step(mm, MM_HOTPLUG_OFFLINE, 0, 0), -EINVAL);
	says("memory0 is in several zones (from DMA of node 0 to DMA32 of node 0)");
	cr_expect_eq(add(mm, 7, 1, 0), -EEXIST);
	says("[0x38000000-0x40000000) overlaps memory at [0x1000000-0x40000000)");
	cr_expect_eq(add(mm, 200, 1, 0), -EINVAL);
	says("ends beyond 0x400000000");
	must(add(mm, FIRST, 2, 0));
	cr_expect_eq(add(mm, FIRST + 1, 2, 0), -EEXIST);
	says("overlaps memory that was added at");
	must(step(mm, MM_HOTPLUG_ONLINE, FIRST, FIRST));
	cr_expect_eq(step(mm, MM_HOTPLUG_REMOVE_BLOCKS, FIRST, FIRST), -EBUSY);
	says("memory32 is online: it has to go offline first");
	cr_expect_eq(step(mm, MM_HOTPLUG_ONLINE, FIRST, FIRST), -EINVAL);
	cr_expect_eq(step(mm, MM_HOTPLUG_ONLINE, 99, 99), -ENODEV);
	says("there is no memory99; the nearest block is memory33");
	must_verify(mm, "refused");
	mm_destroy(mm);
}

Test(hotplug, only_sparse_models_have_it)
{
	static const enum mm_memory_model models[] = {MM_FLAT, MM_DISCONTIG};
	struct machine m = small;
	struct mm *mm;

	m.nodes = 1;
	for (int i = 0; i < 2; i++) {
		m.model = models[i];
		mm = boot(&m);
		cr_expect_eq(add(mm, FIRST, 1, 0), -EOPNOTSUPP);
		says("use sparse or sparse-vmemmap");
		cr_expect_eq(mm_memory_block_bytes(mm), 0);
		mm_destroy(mm);
	}
	m.model = MM_SPARSE;
	mm = boot(&m);
	must(add(mm, FIRST, 1, 0));
	must(step(mm, MM_HOTPLUG_ONLINE, FIRST, FIRST));
	must_verify(mm, "classic sparse");
	mm_destroy(mm);
	m.arch = MM_I386;
	m.hotplug_end = 0;
	mm = boot(&m);
	cr_expect_eq(add(mm, 20, 1, 0), -EOPNOTSUPP);
	says("64-bit");
	mm_destroy(mm);
}

/* Nobody pays for what is done before anybody runs; a CPU does, for each descriptor. */
Test(hotplug, steps_cost_who_takes_them)
{
	struct recorder rec = {0};
	struct mm *mm = boot_recorded(&small, &rec);
	struct mm_hotplug_step s = {
		.op = MM_HOTPLUG_ADD, .start = 4 * GiB, .bytes = 128 * MiB, .nid = 0};
	struct mm_hotplug_done done;

	record_from_here(&rec);
	must(mm_hotplug(mm, MM_NO_CPU, &s, &done, &refusal));
	cr_expect_eq(rec.nr, 0);
	must(step(mm, MM_HOTPLUG_ONLINE, FIRST, FIRST));
	cr_expect_eq(count_work(&rec, MM_SITE_MEMMAP_INIT), BLOCK_PAGES);
	cr_expect_gt(count_records(&rec, REC_LOCK), 0);
	mm_destroy(mm);
	free(rec.records);
}
