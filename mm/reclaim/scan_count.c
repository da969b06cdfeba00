/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much of each LRU list a pass of reclaim looks at: 2^-priority of it, divided between
 * anonymous and file memory by swappiness and by what reclaiming them has cost of late.
 *
 * Formulas: Linux 6.1 mm/vmscan.c (prepare_scan_count, get_scan_count, inactive_is_low), without
 * memory control groups.
 */
#include "mm/reclaim/vmscan.h"
#include "mm/zone_count.h"

static uint64_t isqrt(uint64_t x)
{
	uint64_t root = 0;

	while ((root + 1) * (root + 1) <= x)
		root++;
	return root;
}

/* All zones count: the balance of the lists is the node's. */
bool mm_inactive_is_low(const struct mm *mm, const struct mm_node *node, enum mm_lru inactive_lru)
{
	uint64_t inactive = mm_node_lru(mm, node, inactive_lru, MM_MAX_ZONES);
	uint64_t active = mm_node_lru(mm, node, inactive_lru + 1, MM_MAX_ZONES);
	uint64_t gib = (inactive + active) >> (30 - mm->arch->page_shift);

	return inactive * (gib ? isqrt(10 * gib) : 1) < active;
}

/* Is the page cache so small that only anonymous memory can help? */
static bool file_is_tiny(const struct mm *mm, const struct mm_node *node, const struct mm_scan *sc)
{
	uint64_t file =
		mm_node_stat(node, MM_NS_INACTIVE_FILE) + mm_node_stat(node, MM_NS_ACTIVE_FILE);
	uint64_t anon = mm_node_stat(node, MM_NS_INACTIVE_ANON);
	uint64_t free = 0, high = 0;

	for (int z = 0; z < mm->arch->nr_zones; z++) {
		const struct mm_zone *zone = &node->zones[z];

		free += mm_zone_free(zone);
		if (zone->managed)
			high += mm_wmark(zone, MM_WMARK_HIGH);
	}
	return file + free <= high && !sc->may_deactivate[0] && anon >> sc->priority;
}

void mm_prepare_scan(const struct mm *mm, const struct mm_node *node, struct mm_scan *sc)
{
	uint64_t file = mm_node_lru(mm, node, MM_LRU_INACTIVE_FILE, MM_MAX_ZONES);

	sc->anon_cost = node->anon_cost;
	sc->file_cost = node->file_cost;
	sc->may_deactivate[0] = sc->force_deactivate ||
				node->refaults[0] != node->refaults_seen[0] ||
				mm_inactive_is_low(mm, node, MM_LRU_INACTIVE_ANON);
	sc->may_deactivate[1] = sc->force_deactivate ||
				node->refaults[1] != node->refaults_seen[1] ||
				mm_inactive_is_low(mm, node, MM_LRU_INACTIVE_FILE);
	/* Plenty of inactive page cache, and not in use: that goes first. */
	sc->cache_trim_mode = file >> sc->priority && !sc->may_deactivate[1];
	sc->file_is_tiny = file_is_tiny(mm, node, sc);
}

enum balance { SCAN_EQUAL, SCAN_FRACT, SCAN_ANON, SCAN_FILE };

static enum balance choose_balance(const struct mm *mm, const struct mm_scan *sc)
{
	if (!sc->may_swap || !mm_can_reclaim_anon(mm))
		return SCAN_FILE;
	if (!sc->priority && mm->params.swappiness)
		return SCAN_EQUAL;
	if (sc->file_is_tiny)
		return SCAN_ANON;
	return sc->cache_trim_mode ? SCAN_FILE : SCAN_FRACT;
}

void mm_scan_count(const struct mm *mm, const struct mm_node *node, const struct mm_scan *sc,
		   uint64_t nr[MM_NR_LRU])
{
	enum balance balance = choose_balance(mm, sc);
	uint64_t total = sc->anon_cost + sc->file_cost;
	uint64_t anon_cost = total + sc->anon_cost, file_cost = total + sc->file_cost;
	uint64_t share[2];

	total = anon_cost + file_cost;
	share[0] = mm->params.swappiness * (total + 1) / (anon_cost + 1);
	share[1] = (200 - mm->params.swappiness) * (total + 1) / (file_cost + 1);
	nr[MM_LRU_UNEVICTABLE] = 0;
	for (int l = 0; l < MM_LRU_UNEVICTABLE; l++) {
		enum mm_lru lru = (enum mm_lru)l;
		bool file = mm_lru_is_file(lru);
		uint64_t scan = mm_node_lru(mm, node, lru, sc->reclaim_idx) >> sc->priority;

		if (balance == SCAN_FRACT)
			scan = scan * share[file] / (share[0] + share[1]);
		else if (balance != SCAN_EQUAL && (balance == SCAN_FILE) != file)
			scan = 0;
		nr[l] = scan;
	}
}
