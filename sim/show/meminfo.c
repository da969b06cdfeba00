/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/meminfo, and of one node /sys/devices/system/node/nodeN/meminfo: what follows from the
 * zones, and 0 for what the mm core does not have. The direct mapping is as boot makes it, before
 * the kernel splits pages of it to protect its image.
 */
#include <inttypes.h>
#include <string.h>

#include "mm/alloc/contig.h"
#include "mm/huge/hugetlb.h"
#include "mm/huge/thp.h"
#include "mm/reclaim/lru.h"
#include "mm/vmalloc/vmalloc.h"
#include "sim/json.h"
#include "sim/replay/kernel_counters.h"
#include "sim/replay/zone_sums.h"
#include "sim/show/show.h"

/* A line, and the counters of nodes that it sums: none where nothing of the kind exists. */
struct line {
	const char *key;
	const char *counters[3];
};

static const struct line lists[] = {
	{"Active", {"nr_active_anon", "nr_active_file"}},
	{"Inactive", {"nr_inactive_anon", "nr_inactive_file"}},
	{"Active(anon)", {"nr_active_anon"}},
	{"Inactive(anon)", {"nr_inactive_anon"}},
	{"Active(file)", {"nr_active_file"}},
	{"Inactive(file)", {"nr_inactive_file"}},
	{"Unevictable", {"nr_unevictable"}},
	{"Mlocked", {"nr_unevictable"}}, /* nothing else cannot be evicted */
	{NULL, {NULL}},
};
static const struct line swapped[] = {
	{"Zswap", {NULL}},
	{"Zswapped", {NULL}},
	{"Dirty", {"nr_dirty"}},
	{"Writeback", {"nr_writeback"}},
	{"AnonPages", {"nr_anon_pages"}},
	{"Mapped", {"nr_mapped"}},
	{"Shmem", {"nr_shmem"}},
	{NULL, {NULL}},
};
static const struct line behind_slab[] = {
	{"KernelStack", {NULL}},
	{"PageTables", {"nr_page_table_pages"}},
	{"SecPageTables", {NULL}},
	{"NFS_Unstable", {NULL}},
	{"Bounce", {NULL}},
	{"WritebackTmp", {NULL}},
	{NULL, {NULL}},
};
static const struct line huge[] = {
	{"ShmemHugePages", {NULL}},
	{"ShmemPmdMapped", {NULL}},
	{"FileHugePages", {NULL}},
	{"FilePmdMapped", {NULL}},
	{NULL, {NULL}},
};
static const struct line of_node[] = {
	{"Dirty", {"nr_dirty"}},
	{"Writeback", {"nr_writeback"}},
	{"FilePages", {"nr_file_pages"}},
	{"Mapped", {"nr_mapped"}},
	{"AnonPages", {"nr_anon_pages"}},
	{"Shmem", {"nr_shmem"}},
	{"KernelStack", {NULL}},
	{"PageTables", {"nr_page_table_pages"}},
	{"SecPageTables", {NULL}},
	{"NFS_Unstable", {NULL}},
	{"Bounce", {NULL}},
	{"WritebackTmp", {NULL}},
	{NULL, {NULL}},
};

/* Pages, of a node or of all. */
static uint64_t counter(const struct mm *mm, int nid, const char *name)
{
	int64_t pages = 0;

	for (int n = 0; n < mm_nr_nodes(mm); n++)
		if (nid == ALL_NODES || nid == n)
			pages += kernel_node_counter(mm, n, name);
	return kernel_shown(pages);
}

static void put_lines(json_t *doc, const struct mm *mm, int nid, const struct line *lines)
{
	unsigned to_kib = mm_get_arch(mm)->page_shift - 10;

	for (; lines->key; lines++) {
		uint64_t pages = 0;

		for (int i = 0; lines->counters[i]; i++)
			pages += counter(mm, nid, lines->counters[i]);
		json_put(doc, lines->key, pages << to_kib);
	}
}

static bool has_highmem(const struct mm *mm)
{
	return mm_arch_zone_index(mm_get_arch(mm), MM_ZONE_HIGHMEM) >= 0;
}

static void put_high(json_t *doc, const struct mm *mm, const struct zone_sums *s, unsigned to_kib)
{
	if (!has_highmem(mm))
		return;
	json_put(doc, "HighTotal", s->high_total << to_kib);
	json_put(doc, "HighFree", s->high_free << to_kib);
	json_put(doc, "LowTotal", (s->total - s->high_total) << to_kib);
	json_put(doc, "LowFree", (s->free - s->high_free) << to_kib);
}

/* Nothing else of the kernel's can be reclaimed: KReclaimable is SReclaimable. */
static void put_slab(json_t *doc, const struct mm *mm, int nid, unsigned to_kib)
{
	struct slab_sums slab = slab_sums(mm, nid);

	json_put(doc, "KReclaimable", slab.reclaimable << to_kib);
	json_put(doc, "Slab", (slab.reclaimable + slab.unreclaimable) << to_kib);
	json_put(doc, "SReclaimable", slab.reclaimable << to_kib);
	json_put(doc, "SUnreclaim", slab.unreclaimable << to_kib);
}

/* A kernel without CONFIG_CMA has no such lines, as no captured one has: only with an area. */
static void put_cma(json_t *doc, const struct mm *mm, unsigned to_kib)
{
	struct mm_cma_info cma;

	mm_cma_info(mm, &cma);
	if (!cma.total)
		return;
	json_put(doc, "CmaTotal", cma.total << to_kib);
	json_put(doc, "CmaFree", cma.free << to_kib);
}

/* Bytes of the range that pages of that size map: those that fit whole. */
static uint64_t mapped_by(const struct mm_range *range, unsigned shift)
{
	uint64_t first = (range->start + (UINT64_C(1) << shift) - 1) >> shift;
	uint64_t end = (range->start + range->bytes) >> shift;

	return first < end ? (end - first) << shift : 0;
}

/* x86 alone tells which sizes of pages its direct mapping has. */
static void put_direct_map(json_t *doc, const struct mm *mm)
{
	const struct mm_arch *arch = mm_get_arch(mm);
	unsigned large = arch->page_shift + arch->pageblock_order, giant = 30;
	uint64_t bytes[3] = {0};
	int normal = mm_arch_zone_index(arch, MM_ZONE_NORMAL);
	struct mm_range range;

	if (arch->id == MM_ARM64)
		return;
	for (size_t i = 0; mm_memblock_range(mm, false, i, &range); i++) {
		uint64_t limit = has_highmem(mm) ? arch->zones[normal].limit : UINT64_MAX, larges;

		if (range.start >= limit)
			continue;
		if (range.bytes > limit - range.start)
			range.bytes = limit - range.start;
		larges = mapped_by(&range, large);
		bytes[2] += arch->id == MM_X86_64 ? mapped_by(&range, giant) : 0;
		bytes[1] += larges - (arch->id == MM_X86_64 ? mapped_by(&range, giant) : 0);
		bytes[0] += range.bytes - larges;
	}
	json_put(doc, "DirectMap4k", bytes[0] >> 10);
	json_put(doc, large == 22 ? "DirectMap4M" : "DirectMap2M", bytes[1] >> 10);
	if (arch->id == MM_X86_64)
		json_put(doc, "DirectMap1G", bytes[2] >> 10);
}

/* Transparent ones by what they hold. */
static void put_huge(json_t *doc, const struct mm *mm, int nid, unsigned to_kib)
{
	json_put(doc, "AnonHugePages",
		 mm_anon_huge_pages(mm, nid) << mm_get_arch(mm)->pageblock_order << to_kib);
	put_lines(doc, mm, nid, huge);
}

/* Of the default size. */
static void put_pool(json_t *doc, const struct mm *mm, int nid)
{
	struct mm_hugetlb_info info;

	mm_hugetlb_info(mm, mm_hugetlb_default(mm), nid, &info);
	json_put(doc, "HugePages_Total", info.total);
	json_put(doc, "HugePages_Free", info.free);
	if (nid == ALL_NODES)
		json_put(doc, "HugePages_Rsvd", info.reserved);
	json_put(doc, "HugePages_Surp", info.surplus);
}

static json_t *system_json(const struct mm *mm)
{
	const struct mm_arch *arch = mm_get_arch(mm);
	unsigned to_kib = arch->page_shift - 10;
	struct zone_sums s = zone_sums(mm, ALL_NODES);
	const struct mm_vm_map *map = mm_get_vm_map(mm);
	uint64_t swap = mm_get_params(mm)->swap_bytes >> arch->page_shift;
	json_t *doc = json_object();
	uint64_t cached;

	json_put(doc, "MemTotal", s.total << to_kib);
	json_put(doc, "MemFree", s.free << to_kib);
	json_put(doc, "MemAvailable", zone_available(mm) << to_kib);
	json_put(doc, "Buffers", 0);
	cached = counter(mm, ALL_NODES, "nr_swapcached");
	json_put(doc, "Cached", (counter(mm, ALL_NODES, "nr_file_pages") - cached) << to_kib);
	json_put(doc, "SwapCached", cached << to_kib);
	put_lines(doc, mm, ALL_NODES, lists);
	put_high(doc, mm, &s, to_kib);
	json_put(doc, "SwapTotal", swap << to_kib);
	json_put(doc, "SwapFree", mm_swap_free_pages(mm) << to_kib);
	put_lines(doc, mm, ALL_NODES, swapped);
	put_slab(doc, mm, ALL_NODES, to_kib);
	put_lines(doc, mm, ALL_NODES, behind_slab);
	json_put(doc, "CommitLimit", mm_commit_limit(mm) << to_kib);
	json_put(doc, "Committed_AS", mm_committed(mm) << to_kib);
	json_put(doc, "VmallocTotal", (map->vmalloc.end - map->vmalloc.start) >> 10);
	json_put(doc, "VmallocUsed", mm_vmalloc_pages(mm) << to_kib);
	json_put(doc, "VmallocChunk", 0);
	json_put(doc, "Percpu", arch->percpu_bytes * (uint64_t)mm_nr_cpus(mm) >> 10);
	json_put(doc, "HardwareCorrupted", 0);
	put_huge(doc, mm, ALL_NODES, to_kib);
	put_cma(doc, mm, to_kib);
	put_pool(doc, mm, ALL_NODES);
	json_put(doc, "Hugepagesize",
		 UINT64_C(1) << mm_hugetlb_order(mm, mm_hugetlb_default(mm)) << to_kib);
	json_put(doc, "Hugetlb", mm_hugetlb_pages(mm) << to_kib);
	put_direct_map(doc, mm);
	return doc;
}

static json_t *node_json(const struct mm *mm, int nid)
{
	unsigned to_kib = mm_get_arch(mm)->page_shift - 10;
	struct zone_sums s = zone_sums(mm, nid);
	json_t *doc = json_object();

	json_put(doc, "MemTotal", s.total << to_kib);
	json_put(doc, "MemFree", s.free << to_kib);
	json_put(doc, "MemUsed", (s.total - s.free) << to_kib);
	json_put(doc, "SwapCached", counter(mm, nid, "nr_swapcached") << to_kib);
	put_lines(doc, mm, nid, lists);
	put_high(doc, mm, &s, to_kib);
	put_lines(doc, mm, nid, of_node);
	put_slab(doc, mm, nid, to_kib);
	put_huge(doc, mm, nid, to_kib);
	put_pool(doc, mm, nid);
	return doc;
}

static json_t *json(const struct show_subject *s)
{
	return s->nid == ALL_NODES ? system_json(s->mm) : node_json(s->mm, s->nid);
}

/* Labels fill 16 columns, figures end at the same one; the pool counts pages, and of a node in a
 * narrower column. */
static void print(const json_t *doc, const char *before, int pool_end, FILE *out)
{
	const json_t *value;
	const char *key;

	json_object_foreach ((json_t *)doc, key, value) {
		bool pages = !strncmp(key, "HugePages_", 10);
		int label = (int)strlen(key) + 1 < 16 ? 16 : (int)strlen(key) + 1;
		int end = pages ? pool_end : 24;

		/* drivers/base/node.c has these a column to the left. */
		if (*before && (!strcmp(key, "FileHugePages") || !strcmp(key, "FilePmdMapped")))
			end--;
		fprintf(out, "%s%s:%*s%*" JSON_INTEGER_FORMAT "%s\n", before, key,
			label - (int)strlen(key) - 1, "", end - label, json_integer_value(value),
			pages ? "" : " kB");
	}
}

static void print_system(const json_t *doc, FILE *out)
{
	print(doc, "", 24, out);
}

static int text(const struct show_subject *s, FILE *out)
{
	json_t *doc = json(s);
	char before[32];

	if (s->nid == ALL_NODES || !doc)
		return show_document(doc, print_system, out);
	snprintf(before, sizeof(before), "Node %d ", s->nid);
	print(doc, before, 22, out);
	json_decref(doc);
	return 0;
}

const struct show_kind show_meminfo = {
	.name = "meminfo",
	.summary = "memory in all and free, as /proc/meminfo; with --node, of that node",
	.boots = true,
	.of_node = true,
	.text = text,
	.json = json,
};
