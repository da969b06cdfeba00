/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel prints when an allocation fails: the request, and Mem-Info, the state of all
 * memory. Layout: Linux 6.1 mm/page_alloc.c (warn_alloc, show_free_areas); what is not simulated
 * stands there as 0.
 */
#include "mm/alloc/oom.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "mm/reclaim/lru.h"
#include "mm/reclaim/lru_lists.h"
#include "mm/reclaim/vmscan.h"
#include "mm/zone_count.h"

struct mm_oom_report {
	char *text;
};

static uint64_t kb(const struct mm *mm, uint64_t pages)
{
	return pages << (mm->arch->page_shift - 10);
}

static uint64_t pcp_pages(const struct mm *mm, const struct mm_zone *zone)
{
	uint64_t pages = 0;

	for (int cpu = 0; cpu < mm->nr_cpus && zone->pcp; cpu++)
		pages += zone->pcp[cpu].count;
	return pages;
}

static void print_nodemask(FILE *out, const struct mm_nodemask *nodes, int nr_nodes)
{
	const char *comma = "";

	if (!nodes) {
		fputs("(null)", out);
		return;
	}
	for (int n = 0; n < nr_nodes; n++) {
		int first = n;

		if (!mm_nodemask_has(nodes, n))
			continue;
		while (n + 1 < nr_nodes && mm_nodemask_has(nodes, n + 1))
			n++;
		fprintf(out, n > first ? "%s%d-%d" : "%s%d", comma, first, n);
		comma = ",";
	}
}

static void print_request(const struct mm *mm, const struct alloc_context *ac, FILE *out)
{
	char flags[768];

	gfp_print(ac->gfp, flags, sizeof(flags));
	fprintf(out, "cpu%d: page allocation failure: order:%u, mode:%#x(%s), nodemask=", ac->cpu,
		ac->order, ac->gfp, flags);
	print_nodemask(out, ac->nodes, mm->nr_nodes);
	putc('\n', out);
}

static void print_totals(const struct mm *mm, FILE *out)
{
	int64_t sum[MM_NR_NODE_STATS] = {0};
	uint64_t free = 0, pcp = 0, cma = 0;

	for (int n = 0; n < mm->nr_nodes; n++) {
		for (int s = 0; s < MM_NR_NODE_STATS; s++)
			sum[s] += mm->nodes[n].vm_stat[s];
		for (int z = 0; z < mm->arch->nr_zones; z++) {
			free += mm_zone_free(&mm->nodes[n].zones[z]);
			pcp += pcp_pages(mm, &mm->nodes[n].zones[z]);
			cma += mm_zone_free_cma(&mm->nodes[n].zones[z]);
		}
	}
	for (int s = 0; s < MM_NR_NODE_STATS; s++)
		sum[s] = sum[s] < 0 ? 0 : sum[s];
	fprintf(out,
		"Mem-Info:\n"
		"active_anon:%" PRId64 " inactive_anon:%" PRId64 " isolated_anon:%" PRId64 "\n"
		" active_file:%" PRId64 " inactive_file:%" PRId64 " isolated_file:%" PRId64 "\n"
		" unevictable:%" PRId64 " dirty:%" PRId64 " writeback:%" PRId64 "\n"
		" slab_reclaimable:%" PRId64 " slab_unreclaimable:%" PRId64 "\n"
		" mapped:%" PRId64 " shmem:%" PRId64 " pagetables:%" PRId64 "\n"
		" sec_pagetables:0 bounce:0\n"
		" kernel_misc_reclaimable:0\n"
		" free:%" PRIu64 " free_pcp:%" PRIu64 " free_cma:%" PRIu64 "\n",
		sum[MM_NS_ACTIVE_ANON], sum[MM_NS_INACTIVE_ANON], sum[MM_NS_ISOLATED_ANON],
		sum[MM_NS_ACTIVE_FILE], sum[MM_NS_INACTIVE_FILE], sum[MM_NS_ISOLATED_FILE],
		sum[MM_NS_UNEVICTABLE], sum[MM_NS_FILE_DIRTY], sum[MM_NS_WRITEBACK],
		sum[MM_NS_SLAB_RECLAIMABLE], sum[MM_NS_SLAB_UNRECLAIMABLE], sum[MM_NS_FILE_MAPPED],
		sum[MM_NS_SHMEM], sum[MM_NS_PAGETABLE], free, pcp, cma);
}

static void print_node(const struct mm *mm, int nid, FILE *out)
{
	const struct mm_node *node = &mm->nodes[nid];
	uint64_t kib[MM_NR_NODE_STATS];

	for (int s = 0; s < MM_NR_NODE_STATS; s++)
		kib[s] = kb(mm, mm_node_stat(node, (enum mm_node_stat)s));
	fprintf(out,
		"Node %d active_anon:%" PRIu64 "kB inactive_anon:%" PRIu64 "kB active_file:%" PRIu64
		"kB inactive_file:%" PRIu64 "kB unevictable:%" PRIu64 "kB isolated(anon):%" PRIu64
		"kB isolated(file):%" PRIu64 "kB mapped:%" PRIu64 "kB dirty:%" PRIu64
		"kB writeback:%" PRIu64 "kB shmem:%" PRIu64
		"kB writeback_tmp:0kB kernel_stack:0kB pagetables:%" PRIu64 "kB sec_pagetables:0kB "
		"all_unreclaimable? %s\n",
		nid, kib[MM_NS_ACTIVE_ANON], kib[MM_NS_INACTIVE_ANON], kib[MM_NS_ACTIVE_FILE],
		kib[MM_NS_INACTIVE_FILE], kib[MM_NS_UNEVICTABLE], kib[MM_NS_ISOLATED_ANON],
		kib[MM_NS_ISOLATED_FILE], kib[MM_NS_FILE_MAPPED], kib[MM_NS_FILE_DIRTY],
		kib[MM_NS_WRITEBACK], kib[MM_NS_SHMEM], kib[MM_NS_PAGETABLE],
		node->kswapd.failures >= MAX_RECLAIM_RETRIES ? "yes" : "no");
}

static void print_zone(const struct mm *mm, const struct mm_zone *zone, int cpu, FILE *out)
{
	fprintf(out,
		"Node %d %s free:%" PRIu64 "kB boost:%" PRIu64 "kB min:%" PRIu64 "kB low:%" PRIu64
		"kB high:%" PRIu64 "kB reserved_highatomic:%" PRIu64 "KB active_anon:%" PRIu64
		"kB inactive_anon:%" PRIu64 "kB active_file:%" PRIu64 "kB inactive_file:%" PRIu64
		"kB unevictable:%" PRIu64 "kB writepending:%" PRIu64 "kB present:%" PRIu64
		"kB managed:%" PRIu64 "kB mlocked:%" PRIu64 "kB bounce:0kB free_pcp:%" PRIu64
		"kB local_pcp:%" PRIu64 "kB free_cma:%" PRIu64 "kB\nlowmem_reserve[]:",
		zone->nid, zone->name, kb(mm, mm_zone_free(zone)), kb(mm, zone->boost),
		kb(mm, mm_wmark(zone, MM_WMARK_MIN)), kb(mm, mm_wmark(zone, MM_WMARK_LOW)),
		kb(mm, mm_wmark(zone, MM_WMARK_HIGH)), kb(mm, zone->nr_reserved_highatomic),
		kb(mm, mm_zone_stat(zone, MM_ZS_ACTIVE_ANON)),
		kb(mm, mm_zone_stat(zone, MM_ZS_INACTIVE_ANON)),
		kb(mm, mm_zone_stat(zone, MM_ZS_ACTIVE_FILE)),
		kb(mm, mm_zone_stat(zone, MM_ZS_INACTIVE_FILE)),
		kb(mm, mm_zone_stat(zone, MM_ZS_UNEVICTABLE)),
		kb(mm, mm_zone_stat(zone, MM_ZS_WRITE_PENDING)), kb(mm, zone->present),
		kb(mm, zone->managed), kb(mm, mm_zone_stat(zone, MM_ZS_MLOCK)),
		kb(mm, pcp_pages(mm, zone)), kb(mm, zone->pcp ? zone->pcp[cpu].count : 0),
		kb(mm, mm_zone_free_cma(zone)));
	for (int z = 0; z < mm->arch->nr_zones; z++)
		fprintf(out, " %" PRIu64, zone->lowmem_reserve[z]);
	putc('\n', out);
}

static void print_orders(const struct mm *mm, const struct mm_zone *zone, FILE *out)
{
	static const char letters[MM_NR_MIGRATETYPES] = {'U', 'M', 'E', 'H', 'C', 'I'};

	fprintf(out, "Node %d %s:", zone->nid, zone->name);
	for (unsigned o = 0; o < NR_PAGE_ORDERS; o++) {
		const struct mm_free_area *area = &zone->free_area[o];
		char types[MM_NR_MIGRATETYPES + 1];
		uint64_t blocks = 0;
		int nr = 0;

		for (int t = 0; t < MM_NR_MIGRATETYPES; t++) {
			if (area->nr_free[t])
				types[nr++] = letters[t];
			blocks += area->nr_free[t];
		}
		types[nr] = '\0';
		fprintf(out, " %" PRIu64 "*%" PRIu64 "kB", blocks, kb(mm, UINT64_C(1) << o));
		if (nr)
			fprintf(out, " (%s)", types);
	}
	fprintf(out, " = %" PRIu64 "kB\n", kb(mm, zone->nr_free));
}

static void print_ram(const struct mm *mm, FILE *out)
{
	uint64_t file = 0, present = 0, managed = 0, high = 0;

	for (int n = 0; n < mm->nr_nodes; n++) {
		const struct mm_node *node = &mm->nodes[n];

		file += mm_node_lru(mm, node, MM_LRU_INACTIVE_FILE, MM_MAX_ZONES) +
			mm_node_lru(mm, node, MM_LRU_ACTIVE_FILE, MM_MAX_ZONES);
		for (int z = 0; z < mm->arch->nr_zones; z++) {
			enum mm_zone_type type = mm->arch->zones[z].type;

			present += node->zones[z].present;
			managed += node->zones[z].managed;
			if (type == MM_ZONE_HIGHMEM || type == MM_ZONE_MOVABLE)
				high += node->zones[z].present;
		}
	}
	fprintf(out,
		"%" PRIu64 " total pagecache pages\n"
		"Free swap  = %" PRIu64 "kB\n"
		"Total swap = %" PRIu64 "kB\n"
		"%" PRIu64 " pages RAM\n"
		"%" PRIu64 " pages HighMem/MovableOnly\n"
		"%" PRIu64 " pages reserved\n",
		file, kb(mm, mm->swap_free), kb(mm, mm->swap_pages), present, high,
		present - managed);
}

/* For each zone with memory, node by node. */
static void print_zones(const struct mm *mm, int cpu, bool orders, FILE *out)
{
	for (int n = 0; n < mm->nr_nodes; n++)
		for (int z = 0; z < mm->arch->nr_zones; z++) {
			const struct mm_zone *zone = &mm->nodes[n].zones[z];

			if (!mm_zone_populated(zone))
				continue;
			if (orders)
				print_orders(mm, zone, out);
			else
				print_zone(mm, zone, cpu, out);
		}
}

void mm_oom_note(struct mm *mm, const struct alloc_context *ac)
{
	size_t size;
	FILE *out;

	mm->counters.oom_reports += !(ac->gfp & __GFP_NOWARN);
	if ((ac->gfp & __GFP_NOWARN) || mm->oom)
		return;
	mm->oom = calloc(1, sizeof(*mm->oom));
	out = mm->oom ? open_memstream(&mm->oom->text, &size) : NULL;
	if (!out)
		return;
	print_request(mm, ac, out);
	print_totals(mm, out);
	for (int n = 0; n < mm->nr_nodes; n++)
		if (mm->nodes[n].present)
			print_node(mm, n, out);
	print_zones(mm, ac->cpu, false, out);
	print_zones(mm, ac->cpu, true, out);
	print_ram(mm, out);
	fclose(out);
}

const char *mm_oom_report(const struct mm *mm)
{
	return mm->oom ? mm->oom->text : NULL;
}

void mm_oom_free(struct mm *mm)
{
	if (mm->oom)
		free(mm->oom->text);
	free(mm->oom);
}
