/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moves the content of pages in use to other frames: page by page it gets a target, drops the old
 * translation on all CPUs that may have it, copies, and hands everything that is known of the old
 * frame to the new one. What cannot be moved now is tried again a few times.
 *
 * Follows Linux 6.1 mm/migrate.c (migrate_pages, unmap_and_move), where each page is flushed from
 * the TLBs by itself. Not there: huge pages split when there is no room for them, and waiting for a
 * page that is being written, which a synchronous move in the kernel does.
 */
#include "mm/compact/migrate.h"

#include <errno.h>

#include "mm/compact/isolation.h"
#include "mm/page_ext/page_ext_state.h"
#include "mm/user/user.h"

#define MOST_PASSES 10

const char *mm_migrate_mode_name(enum mm_migrate_mode mode)
{
	static const char *const names[] = {"MIGRATE_ASYNC", "MIGRATE_SYNC_LIGHT", "MIGRATE_SYNC"};

	return names[mode];
}

const char *mm_migrate_reason_name(enum mm_migrate_reason reason)
{
	static const char *const names[MM_NR_MIGRATE_REASONS] = {
		[MM_MIGRATE_COMPACTION] = "compaction",
		[MM_MIGRATE_MEMORY_FAILURE] = "memory_failure",
		[MM_MIGRATE_MEMORY_HOTPLUG] = "memory_hotplug",
		[MM_MIGRATE_SYSCALL] = "syscall_or_cpuset",
		[MM_MIGRATE_MBIND] = "mempolicy_mbind",
		[MM_MIGRATE_NUMA_MISPLACED] = "numa_misplaced",
		[MM_MIGRATE_CONTIG_RANGE] = "contig_range",
		[MM_MIGRATE_LONGTERM_PIN] = "longterm_pin",
		[MM_MIGRATE_DEMOTION] = "demotion",
	};

	return names[reason];
}

/* Page cache that nobody has mapped has no translation; of what is not followed nothing is known.
 */
static bool may_be_mapped(const struct page *page)
{
	return page->unlisted || (page->flags & PG_MAPPED);
}

static void copy(struct mm *mm, int cpu, const struct page *from, const struct page *to)
{
	uint64_t pages = mm_page_pages(from), bytes = pages << mm->arch->page_shift;

	mm_work(mm, cpu, MM_SITE_COPY, (uint32_t)pages);
	mm_touch(mm, cpu, mm_page_address(mm, from), bytes, MM_COPY_FROM);
	mm_touch(mm, cpu, mm_page_address(mm, to), bytes, MM_COPY_TO);
}

static void unmap(struct mm *mm, int cpu, struct page *page)
{
	mm_work(mm, cpu, MM_SITE_MIGRATE, 1);
	mm_touch_page(mm, cpu, page, MM_WRITE);
	if (!may_be_mapped(page))
		return;
	mm_work(mm, cpu, MM_SITE_TLB_FLUSH, 1);
	if (mm->ops.tlb_shootdown)
		mm->ops.tlb_shootdown(mm->ctx, cpu, page);
}

/* No time passes until the owner knows where his page is. */
static void move(struct mm *mm, struct mm_migration *m, struct page *from, struct page *to)
{
	unmap(mm, m->cpu, from);
	copy(mm, m->cpu, from, to);
	mm_take_over(mm, m->cpu, from, to);
	mm_touch_page(mm, m->cpu, to, MM_WRITE);
	if (mm->page_ext)
		mm_page_owner_moved(mm, m->cpu, from, to, m->reason);
	if (from->user)
		mm_user_moved(mm, m->cpu, from, to);
	else if (!(to->flags & PG_HELD) && mm->ops.moved)
		mm->ops.moved(mm->ctx, m->cpu, from, to);
	if (m->moved)
		m->moved(mm, m, from, to);
	mm_putback(mm, m->cpu, to);
	mm_free_block(mm, m->cpu, from, from->order);
}

enum outcome { MOVED, AGAIN, BUSY, NO_TARGET };

static enum outcome move_one(struct mm *mm, struct mm_migration *m, struct page *page)
{
	enum outcome outcome = MOVED;
	struct page *target = NULL;

	if (!mm_is_abandoned(page)) {
		target = m->get(mm, m, page);
		if (!target)
			return NO_TARGET;
	}
	/* Getting it took time. */
	if (mm_is_abandoned(page))
		mm_putback(mm, m->cpu, page);
	else if (page->flags & PG_WRITEBACK)
		outcome = BUSY;
	else if (page->refcount != 2)
		outcome = AGAIN;
	else {
		move(mm, m, page, target);
		return MOVED;
	}
	if (target)
		m->put(mm, m, target);
	return outcome;
}

static void count(struct mm *mm, struct mm_migration *m, const struct page *page, bool moved)
{
	struct mm_event_migrate *d = &m->done;
	uint64_t pages = mm_page_pages(page);
	bool huge = page->order == mm->arch->pageblock_order;

	*(moved ? &d->succeeded : &d->failed) += pages;
	if (huge)
		++*(moved ? &d->thp_succeeded : &d->thp_failed);
	mm_count(mm, m->cpu, moved ? MM_VM_PGMIGRATE_SUCCESS : MM_VM_PGMIGRATE_FAIL, pages);
	if (huge)
		mm_count(mm, m->cpu, moved ? MM_VM_THP_MIGRATION_SUCCESS : MM_VM_THP_MIGRATION_FAIL,
			 1);
}

static void append(struct page_list *to, struct page_list *from)
{
	struct page *page;

	while ((page = from->head)) {
		page_list_del(from, page);
		page_list_add_tail(to, page);
	}
}

/* One pass over the list: what may work later stays on it. Returns how many failed, or -ENOMEM. */
static int pass(struct mm *mm, struct mm_migration *m, struct page_list *pages,
		struct page_list *failed, bool last)
{
	struct page_list again = {0};
	struct page *page;
	int nr = 0;

	while ((page = pages->head)) {
		/* Its frame may be in other hands when it has moved. */
		const struct page before = *page;
		enum outcome outcome;

		page_list_del(pages, page);
		outcome = move_one(mm, m, page);
		if (outcome == AGAIN && !last) {
			page_list_add_tail(&again, page);
			continue;
		}
		count(mm, m, &before, outcome == MOVED);
		if (outcome != MOVED) {
			nr++;
			page_list_add_tail(failed, page);
		}
		if (outcome == NO_TARGET) {
			append(failed, &again);
			append(failed, pages);
			return -ENOMEM;
		}
		m->cpu = mm_resched(mm, m->cpu);
	}
	*pages = again;
	return nr;
}

int mm_migrate_list(struct mm *mm, struct mm_migration *m, struct page_list *pages)
{
	struct page_list failed = {0};
	int nr = 0;

	m->done = (struct mm_event_migrate){.mode = m->mode, .reason = m->reason};
	for (int i = 1; i <= MOST_PASSES && pages->head && nr >= 0; i++) {
		int more = pass(mm, m, pages, &failed, i == MOST_PASSES);

		nr = more < 0 ? more : nr + more;
	}
	*pages = failed;
	mm_emit(mm, m->cpu, &(struct mm_event){.type = MM_EVENT_MIGRATE, .migrate = m->done});
	return nr;
}

/* A call of mm_migrate_pages(): which of its pages moves next. */
struct journey {
	const struct mm_migrate_request *req;
	struct page **pages;
	size_t nr, next;
};

/* Kernel: alloc_migration_target(). */
static struct page *allocate_target(struct mm *mm, struct mm_migration *m, const struct page *page)
{
	const struct journey *j = m->arg;
	struct mm_request req = {.cpu = m->cpu,
				 .nid = j->req->nid,
				 .order = page->order,
				 .gfp = GFP_HIGHUSER_MOVABLE,
				 .nodes = j->req->nodes};
	struct page *target;

	if (page->order)
		req.gfp = (req.gfp & ~__GFP_RECLAIM) | GFP_TRANSHUGE;
	if (!req.nodes)
		req.gfp |= __GFP_THISNODE;
	return mm_alloc_pages(mm, &req, &target) ? NULL : target;
}

static void free_target(struct mm *mm, struct mm_migration *m, struct page *target)
{
	mm_free_pages(mm, m->cpu, target, target->order);
}

/* The target was an allocation of its own, so the old block is freed. Pages move in their order. */
static void note_moved(struct mm *mm, struct mm_migration *m, struct page *from, struct page *to)
{
	struct journey *j = m->arg;

	mm->counters.frees++;
	while (j->pages[j->next] != from)
		j->next = (j->next + 1) % j->nr;
	j->pages[j->next] = to;
}

static bool stays(const struct mm *mm, const struct mm_migrate_request *req,
		  const struct page *page)
{
	int nid = mm_page_to_nid(mm, page);

	return req->nodes ? mm_nodemask_has(req->nodes, nid) : nid == req->nid;
}

size_t mm_migrate_pages(struct mm *mm, const struct mm_migrate_request *req, struct page **pages,
			size_t nr)
{
	struct journey j = {.req = req, .pages = pages, .nr = nr};
	struct mm_migration m = {.cpu = req->cpu,
				 .mode = MM_MIGRATE_SYNC,
				 .reason = req->reason,
				 .get = allocate_target,
				 .put = free_target,
				 .moved = note_moved,
				 .arg = &j};
	struct page_list list = {0};
	size_t failed = 0;

	for (size_t i = 0; i < nr; i++) {
		struct mm_node *node = mm_page_node(mm, pages[i]);
		bool can;

		if (stays(mm, req, pages[i]))
			continue;
		mm_lru_lock(mm, m.cpu, node);
		can = mm_can_isolate(mm, pages[i], true);
		if (can) {
			mm_isolate(mm, m.cpu, pages[i]);
			page_list_add_tail(&list, pages[i]);
		}
		mm_lru_unlock(mm, m.cpu, node);
		failed += !can;
	}
	if (list.head)
		mm_migrate_list(mm, &m, &list);
	for (const struct page *page = list.head; page; page = page->next)
		failed++;
	mm_putback_list(mm, m.cpu, &list);
	return failed;
}
