/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes pages off the tails of a node's LRU lists, in batches under the node's lock: from the
 * active list back to the inactive one, from the inactive one to what shrink_pages.c decides.
 * Follows Linux 6.1 mm/vmscan.c (isolate_lru_folios, shrink_inactive_list, shrink_active_list).
 */
#include "mm/reclaim/lru.h"
#include "mm/reclaim/vmscan.h"
#include "mm/zone_count.h"

struct isolated {
	uint64_t scanned, taken, skipped;
};

static void emit_isolate(struct mm *mm, const struct mm_node *node, const struct mm_scan *sc,
			 enum mm_lru lru, uint64_t requested, const struct isolated *i)
{
	mm_emit(mm, sc->cpu,
		&(struct mm_event){.type = MM_EVENT_LRU_ISOLATE,
				   .nid = node->nid,
				   .zone = sc->reclaim_idx,
				   .order = sc->order,
				   .scan = {.lru = lru,
					    .requested = requested,
					    .scanned = i->scanned,
					    .skipped = i->skipped,
					    .taken = i->taken}});
}

/*
 * Up to nr_to_scan pages of zones that are of use, oldest first, to the head of `to`. Pages of
 * higher zones are passed over, without end: they go to the head of the list, out of the next
 * batch's way. What its owner is freeing right now stays for him.
 */
static struct isolated isolate(struct mm *mm, struct mm_node *node, const struct mm_scan *sc,
			       enum mm_lru lru, uint64_t nr_to_scan, struct page_list *to)
{
	struct page_list *from = &node->lru[lru], skipped = {0};
	struct isolated i = {0};
	uint64_t scan = 0;
	struct page *page;

	while (scan < nr_to_scan && (page = from->tail)) {
		uint64_t pages = mm_page_pages(page);
		int zone = mm_page_zonenum(mm, page);

		i.scanned += pages;
		mm_lru_unlink(mm, sc->cpu, page);
		if (zone > sc->reclaim_idx) {
			i.skipped += pages;
			mm->pgskip[zone] += pages;
			page_list_add_head(&skipped, page);
			continue;
		}
		scan += pages;
		if (!page->refcount || (!sc->may_unmap && (page->flags & PG_MAPPED))) {
			mm_lru_link(mm, sc->cpu, page, false);
			continue;
		}
		page->refcount++;
		page->flags |= PG_ISOLATED;
		page_list_add_head(to, page);
		i.taken += pages;
	}
	while ((page = skipped.tail)) {
		page_list_del(&skipped, page);
		mm_lru_link(mm, sc->cpu, page, false);
	}
	mm_work(mm, sc->cpu, MM_SITE_LRU_SCAN, (uint32_t)i.scanned);
	mm_mod_node_stat(mm, sc->cpu, node, MM_NS_ISOLATED_ANON + mm_lru_is_file(lru),
			 (int64_t)i.taken);
	emit_isolate(mm, node, sc, lru, nr_to_scan, &i);
	return i;
}

/*
 * Isolated pages go back to the lists that their flags name, oldest first; returns how many. Those
 * that their owner has freed meanwhile are left on *pages.
 */
static uint64_t put_back(struct mm *mm, struct mm_scan *sc, struct page_list *pages)
{
	struct page_list dropped = {0};
	uint64_t moved = 0;
	struct page *page;

	while ((page = pages->tail)) {
		page_list_del(pages, page);
		page->flags &= ~(uint64_t)PG_ISOLATED;
		if (page->refcount == 1) {
			page_list_add_head(&dropped, page);
			continue;
		}
		page->refcount--;
		mm_lru_link(mm, sc->cpu, page, false);
		moved += mm_page_pages(page);
	}
	*pages = dropped;
	return moved;
}

/* More taken off the lists than left on them: too many reclaim at once. */
static bool too_many_isolated(const struct mm *mm, const struct mm_node *node,
			      const struct mm_scan *sc, bool file)
{
	enum mm_lru lru = file ? MM_LRU_INACTIVE_FILE : MM_LRU_INACTIVE_ANON;
	uint64_t inactive = mm_node_stat(node, (enum mm_node_stat)lru);

	(void)mm;
	if (sc->kswapd)
		return false;
	/* Who may do I/O and enter file systems lets the others go first. */
	if ((sc->gfp & (__GFP_IO | __GFP_FS)) == (__GFP_IO | __GFP_FS))
		inactive >>= 3;
	return mm_node_stat(node, MM_NS_ISOLATED_ANON + file) > inactive;
}

/* The cost of writing pages of one sort, against which the next pass weighs the two. */
void mm_note_cost(const struct mm *mm, struct mm_node *node, bool file, uint64_t pages)
{
	uint64_t all = 0;

	*(file ? &node->file_cost : &node->anon_cost) += pages;
	for (int lru = 0; lru < MM_LRU_UNEVICTABLE; lru++)
		all += mm_node_lru(mm, node, (enum mm_lru)lru, MM_MAX_ZONES);
	if (node->file_cost + node->anon_cost > all / 4) {
		node->file_cost /= 2;
		node->anon_cost /= 2;
	}
}

static void note_seen(struct mm_scan *sc, const struct mm_reclaim_stat *stat, uint64_t taken,
		      bool file)
{
	sc->seen.dirty += stat->dirty;
	sc->seen.congested += stat->congested;
	sc->seen.unqueued_dirty += stat->unqueued_dirty;
	sc->seen.writeback += stat->writeback;
	sc->seen.immediate += stat->immediate;
	sc->seen.taken += taken;
	sc->seen.file_taken += file ? taken : 0;
}

static void emit_shrink_inactive(struct mm *mm, const struct mm_node *node,
				 const struct mm_scan *sc, enum mm_lru lru,
				 const struct isolated *i, const struct mm_reclaim_stat *stat,
				 uint64_t reclaimed)
{
	mm_emit(mm, sc->cpu,
		&(struct mm_event){.type = MM_EVENT_SHRINK_INACTIVE,
				   .nid = node->nid,
				   .scan = {.lru = lru,
					    .priority = (unsigned)sc->priority,
					    .scanned = i->scanned,
					    .reclaimed = reclaimed,
					    .dirty = stat->dirty,
					    .writeback = stat->writeback,
					    .congested = stat->congested,
					    .immediate = stat->immediate,
					    .activated = {stat->activated[0], stat->activated[1]},
					    .ref_keep = stat->ref_keep}});
}

static uint64_t shrink_inactive_list(struct mm *mm, struct mm_node *node, struct mm_scan *sc,
				     enum mm_lru lru, uint64_t nr_to_scan)
{
	bool file = mm_lru_is_file(lru), stalled = false;
	struct mm_reclaim_stat stat = {0};
	struct page_list pages = {0};
	struct isolated i;
	uint64_t freed;

	while (too_many_isolated(mm, node, sc, file)) {
		if (stalled)
			return 0;
		stalled = true;
		mm_reclaim_throttle(mm, node, sc, MM_THROTTLE_ISOLATED);
	}
	if (!sc->kswapd)
		mm_throttle_wake(mm, sc->cpu, node, MM_THROTTLE_ISOLATED);
	mm_lru_drain(mm, sc->cpu);
	mm_lru_lock(mm, sc->cpu, node);
	i = isolate(mm, node, sc, lru, nr_to_scan, &pages);
	mm_count(mm, sc->cpu, sc->kswapd ? MM_VM_PGSCAN_KSWAPD : MM_VM_PGSCAN_DIRECT, i.scanned);
	mm_count(mm, sc->cpu, file ? MM_VM_PGSCAN_FILE : MM_VM_PGSCAN_ANON, i.scanned);
	mm_lru_unlock(mm, sc->cpu, node);
	if (!i.taken)
		return 0;
	freed = mm_shrink_pages(mm, node, sc, &pages, &stat);

	mm_lru_lock(mm, sc->cpu, node);
	put_back(mm, sc, &pages);
	mm_mod_node_stat(mm, sc->cpu, node, MM_NS_ISOLATED_ANON + file, -(int64_t)i.taken);
	mm_count(mm, sc->cpu, sc->kswapd ? MM_VM_PGSTEAL_KSWAPD : MM_VM_PGSTEAL_DIRECT, freed);
	mm_count(mm, sc->cpu, file ? MM_VM_PGSTEAL_FILE : MM_VM_PGSTEAL_ANON, freed);
	mm_note_cost(mm, node, file, stat.pageout);
	mm_lru_unlock(mm, sc->cpu, node);
	mm_free_list(mm, sc->cpu, &pages);
	/* Nothing but dirty pages that nobody writes yet. */
	if (stat.unqueued_dirty == i.taken)
		mm_wake_flusher(mm, sc->cpu, node);
	note_seen(sc, &stat, i.taken, file);
	emit_shrink_inactive(mm, node, sc, lru, &i, &stat, freed);
	return freed;
}

void mm_shrink_active_list(struct mm *mm, struct mm_node *node, struct mm_scan *sc, enum mm_lru lru,
			   uint64_t nr_to_scan)
{
	bool file = mm_lru_is_file(lru);
	struct page_list pages = {0};
	uint64_t deactivated, referenced = 0;
	struct isolated i;

	mm_lru_drain(mm, sc->cpu);
	mm_lru_lock(mm, sc->cpu, node);
	i = isolate(mm, node, sc, lru, nr_to_scan, &pages);
	mm_count(mm, sc->cpu, MM_VM_PGREFILL, i.scanned);
	mm_lru_unlock(mm, sc->cpu, node);

	mm_work(mm, sc->cpu, MM_SITE_RECLAIM_PAGE, (uint32_t)i.taken);
	/* Whether it was used matters to executables only: all go down. */
	for (struct page *page = pages.head; page; page = page->next) {
		referenced += mm_page_referenced(page) ? mm_page_pages(page) : 0;
		page->flags &= ~(uint64_t)PG_ACTIVE;
		page->workingset = true;
		mm_touch_page(mm, sc->cpu, page, MM_WRITE);
	}
	mm_lru_lock(mm, sc->cpu, node);
	deactivated = put_back(mm, sc, &pages);
	mm_count(mm, sc->cpu, MM_VM_PGDEACTIVATE, deactivated);
	mm_mod_node_stat(mm, sc->cpu, node, MM_NS_ISOLATED_ANON + file, -(int64_t)i.taken);
	mm_lru_unlock(mm, sc->cpu, node);
	mm_free_list(mm, sc->cpu, &pages);
	mm_emit(mm, sc->cpu,
		&(struct mm_event){.type = MM_EVENT_SHRINK_ACTIVE,
				   .nid = node->nid,
				   .scan = {.lru = lru,
					    .priority = (unsigned)sc->priority,
					    .taken = i.taken,
					    .deactivated = deactivated,
					    .referenced = referenced}});
}

uint64_t mm_shrink_list(struct mm *mm, struct mm_node *node, struct mm_scan *sc, enum mm_lru lru,
			uint64_t nr_to_scan)
{
	if (!mm_lru_is_active(lru))
		return shrink_inactive_list(mm, node, sc, lru, nr_to_scan);
	if (sc->may_deactivate[mm_lru_is_file(lru)])
		mm_shrink_active_list(mm, node, sc, lru, nr_to_scan);
	else
		sc->skipped_deactivate = true;
	return 0;
}
