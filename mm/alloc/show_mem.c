/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mem-Info: what the kernel prints of all memory when an allocation fails or somebody is to be
 * killed for it. Layout and meaning: Linux 6.1 lib/show_mem.c (__show_mem), mm/page_alloc.c
 * (__show_free_areas). What the mm core does not have is 0 there: huge pages of files, kernel
 * stacks, bounce buffers, temporary pages of FUSE, poisoned frames.
 */
#include "mm/alloc/show_mem.h"

#include <inttypes.h>

#include "mm/huge/hugetlb.h"
#include "mm/reclaim/vmscan.h"
#include "mm/zone_count.h"

static uint64_t kb(const struct mm *mm, uint64_t pages)
{
	return pages << (mm->arch->page_shift - 10);
}

static bool shows_node(const struct mm_show_mem *who, int nid)
{
	return !who->nodes || mm_nodemask_has(who->nodes, nid);
}

static bool shows_zone(const struct mm_show_mem *who, const struct mm_zone *zone)
{
	return mm_zone_populated(zone) && zone->index <= who->highest && shows_node(who, zone->nid);
}

static uint64_t pcp_pages(const struct mm *mm, const struct mm_zone *zone)
{
	uint64_t pages = 0;

	for (int cpu = 0; cpu < mm->nr_cpus && zone->pcp; cpu++)
		pages += zone->pcp[cpu].count;
	return pages;
}

void mm_print_nodemask(const struct mm *mm, const struct mm_nodemask *nodes, FILE *out)
{
	const char *comma = "";

	if (!nodes) {
		fputs("(null)", out);
		return;
	}
	for (int n = 0; n < mm->nr_nodes; n++) {
		int first = n;

		if (!mm_nodemask_has(nodes, n))
			continue;
		while (n + 1 < mm->nr_nodes && mm_nodemask_has(nodes, n + 1))
			n++;
		fprintf(out, n > first ? "%s%d-%d" : "%s%d", comma, first, n);
		comma = ",";
	}
}

/* Over all nodes, whatever is shown of them; below 0 the kernel prints 0. */
static uint64_t sum_of(const struct mm *mm, enum mm_node_stat item)
{
	int64_t sum = 0;

	for (int n = 0; n < mm->nr_nodes; n++)
		sum += mm->nodes[n].vm_stat[item];
	return sum < 0 ? 0 : (uint64_t)sum;
}

/* All but free_pcp is of the whole machine. */
static void print_totals(const struct mm *mm, const struct mm_show_mem *who, FILE *out)
{
	int64_t free = 0, cma = 0;
	uint64_t pcp = 0;

	for (int n = 0; n < mm->nr_nodes; n++)
		for (int z = 0; z < mm->arch->nr_zones; z++) {
			const struct mm_zone *zone = &mm->nodes[n].zones[z];

			free += zone->free_counter;
			cma += zone->vm_stat[MM_ZS_FREE_CMA];
			pcp += shows_zone(who, zone) ? pcp_pages(mm, zone) : 0;
		}
#define SUM(item) sum_of(mm, MM_NS_##item)
	fprintf(out,
		"Mem-Info:\n"
		"active_anon:%" PRIu64 " inactive_anon:%" PRIu64 " isolated_anon:%" PRIu64 "\n"
		" active_file:%" PRIu64 " inactive_file:%" PRIu64 " isolated_file:%" PRIu64 "\n"
		" unevictable:%" PRIu64 " dirty:%" PRIu64 " writeback:%" PRIu64 "\n",
		SUM(ACTIVE_ANON), SUM(INACTIVE_ANON), SUM(ISOLATED_ANON), SUM(ACTIVE_FILE),
		SUM(INACTIVE_FILE), SUM(ISOLATED_FILE), SUM(UNEVICTABLE), SUM(FILE_DIRTY),
		SUM(WRITEBACK));
	fprintf(out,
		" slab_reclaimable:%" PRIu64 " slab_unreclaimable:%" PRIu64 "\n"
		" mapped:%" PRIu64 " shmem:%" PRIu64 " pagetables:%" PRIu64 "\n"
		" sec_pagetables:0 bounce:0\n"
		" kernel_misc_reclaimable:0\n"
		" free:%" PRIu64 " free_pcp:%" PRIu64 " free_cma:%" PRIu64 "\n",
		SUM(SLAB_RECLAIMABLE), SUM(SLAB_UNRECLAIMABLE), SUM(FILE_MAPPED), SUM(SHMEM),
		SUM(PAGETABLE), free < 0 ? 0 : (uint64_t)free, pcp, cma < 0 ? 0 : (uint64_t)cma);
#undef SUM
}

/* Has the node anything that who asks may use? */
static bool has_managed(const struct mm *mm, const struct mm_node *node, int highest)
{
	for (int z = 0; z < mm->arch->nr_zones && z <= highest; z++)
		if (node->zones[z].managed)
			return true;
	return false;
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
		"kB shmem_thp: 0kB shmem_pmdmapped: 0kB anon_thp: %" PRIu64
		"kB writeback_tmp:0kB kernel_stack:0kB pagetables:%" PRIu64 "kB sec_pagetables:0kB "
		"all_unreclaimable? %s\n",
		nid, kib[MM_NS_ACTIVE_ANON], kib[MM_NS_INACTIVE_ANON], kib[MM_NS_ACTIVE_FILE],
		kib[MM_NS_INACTIVE_FILE], kib[MM_NS_UNEVICTABLE], kib[MM_NS_ISOLATED_ANON],
		kib[MM_NS_ISOLATED_FILE], kib[MM_NS_FILE_MAPPED], kib[MM_NS_FILE_DIRTY],
		kib[MM_NS_WRITEBACK], kib[MM_NS_SHMEM], kib[MM_NS_ANON_THPS], kib[MM_NS_PAGETABLE],
		node->kswapd.failures >= MAX_RECLAIM_RETRIES ? "yes" : "no");
}

/* A kernel without NUMA, which is one with flat memory, names no node. */
static void print_zone_name(const struct mm *mm, const struct mm_zone *zone, FILE *out)
{
	if (mm_get_model(mm) != MM_FLAT)
		fprintf(out, "Node %d ", zone->nid);
	fputs(zone->name, out);
}

static void print_zone(const struct mm *mm, const struct mm_show_mem *who,
		       const struct mm_zone *zone, FILE *out)
{
#define STAT(item) kb(mm, mm_zone_stat(zone, MM_ZS_##item))
	print_zone_name(mm, zone, out);
	fprintf(out,
		" free:%" PRIu64 "kB boost:%" PRIu64 "kB min:%" PRIu64 "kB low:%" PRIu64
		"kB high:%" PRIu64 "kB reserved_highatomic:%" PRIu64 "KB active_anon:%" PRIu64
		"kB inactive_anon:%" PRIu64 "kB active_file:%" PRIu64 "kB inactive_file:%" PRIu64
		"kB unevictable:%" PRIu64 "kB writepending:%" PRIu64 "kB present:%" PRIu64
		"kB managed:%" PRIu64 "kB mlocked:%" PRIu64 "kB bounce:0kB free_pcp:%" PRIu64
		"kB local_pcp:%" PRIu64 "kB free_cma:%" PRIu64 "kB\nlowmem_reserve[]:",
		kb(mm, mm_zone_free(zone)), kb(mm, zone->boost),
		kb(mm, mm_wmark(zone, MM_WMARK_MIN)), kb(mm, mm_wmark(zone, MM_WMARK_LOW)),
		kb(mm, mm_wmark(zone, MM_WMARK_HIGH)), kb(mm, zone->nr_reserved_highatomic),
		STAT(ACTIVE_ANON), STAT(INACTIVE_ANON), STAT(ACTIVE_FILE), STAT(INACTIVE_FILE),
		STAT(UNEVICTABLE), STAT(WRITE_PENDING), kb(mm, zone->present),
		kb(mm, zone->managed), STAT(MLOCK), kb(mm, pcp_pages(mm, zone)),
		kb(mm, zone->pcp ? zone->pcp[who->cpu].count : 0), STAT(FREE_CMA));
#undef STAT
	for (int z = 0; z < mm->arch->nr_zones; z++)
		fprintf(out, " %" PRIu64, zone->lowmem_reserve[z]);
	putc('\n', out);
}

static void print_orders(const struct mm *mm, const struct mm_zone *zone, FILE *out)
{
	static const char letters[] = {
		[MM_UNMOVABLE] = 'U',  [MM_MOVABLE] = 'M', [MM_RECLAIMABLE] = 'E',
		[MM_HIGHATOMIC] = 'H', [MM_CMA] = 'C',     [MM_ISOLATE] = 'I'};
	uint64_t total = 0;

	_Static_assert(sizeof(letters) == MM_NR_MIGRATETYPES, "each type has a letter");
	print_zone_name(mm, zone, out);
	putc(':', out);
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
		total += blocks << o;
		fprintf(out, " %" PRIu64 "*%" PRIu64 "kB", blocks, kb(mm, UINT64_C(1) << o));
		if (nr)
			fprintf(out, " (%s)", types);
	}
	fprintf(out, " = %" PRIu64 "kB\n", kb(mm, total));
}

/* For each zone, node by node. */
static void print_zones(const struct mm *mm, const struct mm_show_mem *who, bool orders, FILE *out)
{
	for (int n = 0; n < mm->nr_nodes; n++)
		for (int z = 0; z < mm->arch->nr_zones; z++) {
			const struct mm_zone *zone = &mm->nodes[n].zones[z];

			if (!shows_zone(who, zone))
				continue;
			if (orders)
				print_orders(mm, zone, out);
			else
				print_zone(mm, who, zone, out);
		}
}

/* Gigantic ones first, as the kernel has registered them. */
static void print_pools(const struct mm *mm, const struct mm_show_mem *who, FILE *out)
{
	for (int nid = 0; nid < mm->nr_nodes; nid++)
		for (unsigned size = mm_hugetlb_sizes(mm); size-- > 0;) {
			struct mm_hugetlb_info pool;

			if (!shows_node(who, nid) || !mm_node_online(mm, nid))
				continue;
			mm_hugetlb_info(mm, size, nid, &pool);
			fprintf(out,
				"Node %d hugepages_total=%" PRIu64 " hugepages_free=%" PRIu64
				" hugepages_surp=%" PRIu64 " hugepages_size=%" PRIu64 "kB\n",
				nid, pool.total, pool.free, pool.surplus,
				kb(mm, UINT64_C(1) << mm_hugetlb_order(mm, size)));
		}
}

static void print_ram(const struct mm *mm, FILE *out)
{
	uint64_t present = 0, reserved = 0, high = 0;

	for (int n = 0; n < mm->nr_nodes; n++)
		for (int z = 0; z < mm->arch->nr_zones; z++) {
			const struct mm_zone *zone = &mm->nodes[n].zones[z];

			present += zone->present;
			reserved += zone->present - zone->managed;
			high += mm_is_highmem(mm, zone) ? zone->present : 0;
		}
	fprintf(out,
		"%" PRIu64 " total pagecache pages\n"
		"%" PRIu64 " pages in swap cache\n"
		"Free swap  = %" PRIu64 "kB\n"
		"Total swap = %" PRIu64 "kB\n"
		"%" PRIu64 " pages RAM\n"
		"%" PRIu64 " pages HighMem/MovableOnly\n"
		"%" PRIu64 " pages reserved\n",
		sum_of(mm, MM_NS_FILE_PAGES), sum_of(mm, MM_NS_SWAPCACHE), kb(mm, mm->swap_free),
		kb(mm, mm->swap_pages), present, high, reserved);
	if (mm->cma.pages) /* a kernel without CONFIG_CMA has no such line: only with an area */
		fprintf(out, "%" PRIu64 " pages cma reserved\n", mm->cma.pages);
	fputs("0 pages hwpoisoned\n", out);
}

void mm_show_mem(const struct mm *mm, const struct mm_show_mem *who, FILE *out)
{
	print_totals(mm, who, out);
	for (int n = 0; n < mm->nr_nodes; n++)
		if (shows_node(who, n) && has_managed(mm, &mm->nodes[n], who->highest))
			print_node(mm, n, out);
	print_zones(mm, who, false, out);
	print_zones(mm, who, true, out);
	print_pools(mm, who, out);
	print_ram(mm, out);
}
