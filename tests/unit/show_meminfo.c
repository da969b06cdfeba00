/* SPDX-License-Identifier: Apache-2.0 */
/* What is in use, in the kernel's files: slabs by node, and the area for runs of frames. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mm/alloc/contig.h"
#include "mm/gfp.h"
#include "mm/slab/slab.h"
#include "mm/stat.h"
#include "sim/json.h"
#include "sim/replay/zone_sums.h"
#include "sim/show/show.h"

#define MiB (UINT64_C(1) << 20)

/* Two nodes of 64 MiB with a CPU each. */
static struct mm *boot(uint64_t cma_bytes)
{
	static const struct mm_range memory[] = {{0, 64 * MiB, 0}, {64 * MiB, 64 * MiB, 1}};
	static const uint8_t distance[] = {10, 20, 20, 10};
	static const int cpu_nid[] = {0, 1};
	struct mm_config c = {.arch = MM_X86_64,
			      .model = MM_SPARSE_VMEMMAP,
			      .nr_nodes = 2,
			      .nr_cpus = 2,
			      .cpu_nid = cpu_nid,
			      .distance = distance,
			      .memory = memory,
			      .nr_memory = 2,
			      .params = mm_params_default(),
			      .bare = true};
	struct mm_refusal refusal;
	struct mm *mm;

	c.params.cma_bytes = cma_bytes;
	cr_assert_eq(mm_boot(&c, NULL, NULL, &mm, &refusal), 0, "%s", refusal.why);
	return mm;
}

static json_t *view(struct mm *mm, const char *name, int nid)
{
	const struct show_subject subject = {.mm = mm, .nid = nid};

	for (int i = 0; show_kinds[i]; i++)
		if (!strcmp(show_kinds[i]->name, name))
			return show_kinds[i]->json(&subject);
	cr_assert_fail("no view %s", name);
	return NULL;
}

static uint64_t figure(struct mm *mm, const char *name, int nid, const char *key)
{
	json_t *doc = view(mm, name, nid);
	uint64_t value;

	cr_assert_not_null(json_object_get(doc, key), "%s has no %s", name, key);
	value = json_get(doc, key);
	json_decref(doc);
	return value;
}

static void take(struct mm *mm, struct mm_kmem_cache *cache, int nid, int count)
{
	const struct mm_slab_request req = {.gfp = GFP_KERNEL, .nid = nid};
	phys_addr_t object;

	for (int i = 0; i < count; i++)
		cr_assert_eq(mm_kmem_cache_alloc(mm, cache, &req, &object), 0);
}

static struct mm_kmem_cache *make(struct mm *mm, const char *name, unsigned flags)
{
	const struct mm_cache_args args = {.name = name, .size = 4096, .flags = flags};
	struct mm_kmem_cache *cache;

	cr_assert_eq(mm_kmem_cache_create(mm, 0, &args, &cache), 0);
	return cache;
}

/* Slabs of 8 pages hold 8 objects of a page each: 5 full ones of node 0 and 3 of node 1. */
Test(meminfo, slabs_count_by_node_and_kind)
{
	struct mm *mm = boot(0);
	struct mm_kmem_cache *kept, *freed;
	char why[256];
	uint64_t unreclaim[2];

	cr_expect_eq(figure(mm, "meminfo", ALL_NODES, "Slab"), 0);
	kept = make(mm, "kept", 0);
	freed = make(mm, "freed", MM_SLAB_RECLAIM_ACCOUNT);
	mm_vmstat_refresh(mm);
	for (int nid = 0; nid < 2; nid++)
		unreclaim[nid] = figure(mm, "meminfo", nid, "SUnreclaim");
	cr_expect_eq(figure(mm, "meminfo", ALL_NODES, "SReclaimable"), 0);
	take(mm, freed, 0, 40);
	take(mm, freed, 1, 24);
	take(mm, kept, 1, 16);
	mm_vmstat_refresh(mm);
	for (int nid = 0; nid < 2; nid++) {
		uint64_t pages = nid ? 24 : 40, other = unreclaim[nid] + (nid ? 16 * 4 : 0);

		cr_expect_eq(figure(mm, "meminfo", nid, "SReclaimable"), pages * 4);
		cr_expect_eq(figure(mm, "meminfo", nid, "KReclaimable"), pages * 4);
		cr_expect_eq(figure(mm, "meminfo", nid, "SUnreclaim"), other);
		cr_expect_eq(figure(mm, "meminfo", nid, "Slab"), pages * 4 + other);
		cr_expect_eq(figure(mm, "vmstat", nid, "nr_slab_reclaimable"), pages);
		cr_expect_eq(figure(mm, "vmstat", nid, "nr_slab_unreclaimable"), other / 4);
	}
	cr_expect_eq(figure(mm, "meminfo", ALL_NODES, "SReclaimable"), 64 * 4);
	cr_expect_eq(figure(mm, "meminfo", ALL_NODES, "KReclaimable"), 64 * 4);
	cr_expect_eq(figure(mm, "meminfo", ALL_NODES, "Slab"),
		     unreclaim[0] + unreclaim[1] + (64 + 16) * 4);
	cr_expect_eq(figure(mm, "vmstat", ALL_NODES, "nr_slab_reclaimable"), 64);
	cr_expect_eq(mm_verify(mm, why, sizeof(why)), 0, "%s", why);
	mm_destroy(mm);
}

/* 64 reclaimable pages are less than twice the low watermarks: half of them count. */
Test(meminfo, half_of_reclaimable_slabs_is_available)
{
	struct mm *mm = boot(0);
	struct mm_kmem_cache *freed = make(mm, "freed", MM_SLAB_RECLAIM_ACCOUNT);
	uint64_t reserve = zone_total_reserve(mm), low = 0, slab = 64;

	for (int nid = 0; nid < 2; nid++)
		for (int z = 0; z < mm_get_arch(mm)->nr_zones; z++) {
			struct mm_zone_info info;

			mm_zone_info(mm, nid, z, &info);
			low += info.low;
		}
	cr_assert_geq(low, 32);
	take(mm, freed, 0, 64);
	cr_expect_eq(zone_available(mm), zone_sums(mm, ALL_NODES).free - reserve + slab / 2);
	/* Of many, all but the watermarks. */
	take(mm, freed, 0, 4096);
	take(mm, freed, 1, 4096);
	slab = slab_sums(mm, ALL_NODES).reclaimable;
	cr_assert(slab == 64 + 2 * 4096 && slab / 2 > low);
	cr_expect_eq(zone_available(mm), zone_sums(mm, ALL_NODES).free + slab - low - reserve);
	mm_destroy(mm);
}

/* An area of 8 MiB, of which 1000 pages are taken. */
Test(meminfo, the_area_where_there_is_one)
{
	struct mm *mm = boot(0);
	json_t *doc = view(mm, "meminfo", ALL_NODES);
	struct page *first;

	cr_expect_null(json_object_get(doc, "CmaTotal"), "no area, no line");
	cr_expect_null(json_object_get(doc, "CmaFree"));
	json_decref(doc);
	mm_destroy(mm);
	mm = boot(8 * MiB);
	cr_assert_eq(mm_cma_alloc(mm, 0, 1000, 0, &first), 0);
	cr_expect_eq(figure(mm, "meminfo", ALL_NODES, "CmaTotal"), 8192);
	cr_expect_eq(figure(mm, "meminfo", ALL_NODES, "CmaFree"), 8192 - 4000);
	cr_expect_eq(figure(mm, "vmstat", ALL_NODES, "nr_free_cma"), 2048 - 1000);
	/* It lies at the end of memory. */
	cr_expect_eq(figure(mm, "vmstat", 0, "nr_free_cma"), 0);
	cr_expect_eq(figure(mm, "vmstat", 1, "nr_free_cma"), 2048 - 1000);
	mm_destroy(mm);
}
