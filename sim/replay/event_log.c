/* SPDX-License-Identifier: Apache-2.0 */
/* Tracepoints as ftrace text. The fields are those of Linux 6.1's event formats. */
#include "sim/replay/event_log.h"

#include <inttypes.h>
#include <string.h>

#include "mm/compact/compact.h"
#include "mm/compact/migrate.h"
#include "mm/gfp.h"
#include "sim/sim.h"

#define PS_PER_S  UINT64_C(1000000000000)
#define PS_PER_NS 1000

/*
 * The kernel prints a hashed address of the descriptor; only whether it is 0 means anything. This
 * is where x86_64's vmemmap would have it.
 */
#define VMEMMAP_BASE     UINT64_C(0xffffea0000000000)
#define DESCRIPTOR_BYTES 64

void event_log_begin(FILE *out)
{
	fputs("# tracer: nop\n"
	      "#\n"
	      "#           TASK-PID     CPU#  FLAGS  TIMESTAMP  FUNCTION\n"
	      "#              | |         |     |       |         |\n",
	      out);
}

static uint64_t descriptor_of(const struct mm_event *ev)
{
	return ev->page ? VMEMMAP_BASE + ev->pfn * DESCRIPTOR_BYTES : 0;
}

static void print_page(FILE *out, const struct mm_event *ev)
{
	fprintf(out, "page=%016" PRIx64 " pfn=0x%" PRIx64, descriptor_of(ev),
		ev->page ? ev->pfn : 0);
}

static void print_block(FILE *out, const struct mm_event *ev)
{
	print_page(out, ev);
	fprintf(out, " order=%u", ev->order);
}

static void print_extfrag(FILE *out, const struct mm_event *ev)
{
	print_page(out, ev);
	fprintf(out,
		" alloc_order=%u fallback_order=%u pageblock_order=%u alloc_migratetype=%d "
		"fallback_migratetype=%d fragmenting=%d change_ownership=%d",
		ev->order, ev->fallback_order, ev->pageblock_order, ev->migratetype,
		ev->fallback_migratetype, ev->fallback_order < ev->pageblock_order,
		ev->change_ownership);
}

static void print_gfp(FILE *out, const struct mm_event *ev)
{
	char flags[768];

	gfp_print(ev->gfp, flags, sizeof(flags));
	fprintf(out, " gfp_flags=%s", flags);
}

static const char *lru_name(enum mm_lru lru)
{
	static const char *const names[] = {"inactive_anon", "active_anon", "inactive_file",
					    "active_file", "unevictable"};

	return names[lru];
}

static void print_isolate(FILE *out, const struct mm_event *ev)
{
	const struct mm_event_scan *s = &ev->scan;

	fprintf(out,
		"isolate_mode=0 classzone=%d order=%u nr_requested=%" PRIu64 " nr_scanned=%" PRIu64
		" nr_skipped=%" PRIu64 " nr_taken=%" PRIu64 " lru=%s",
		ev->zone, ev->order, s->requested, s->scanned, s->skipped, s->taken,
		lru_name(s->lru));
}

static bool is_file(enum mm_lru lru)
{
	return lru == MM_LRU_INACTIVE_FILE || lru == MM_LRU_ACTIVE_FILE;
}

static void print_shrink_flags(FILE *out, enum mm_lru lru)
{
	fprintf(out, " flags=RECLAIM_WB_%s|RECLAIM_WB_ASYNC", is_file(lru) ? "FILE" : "ANON");
}

static void print_shrink_inactive(FILE *out, const struct mm_event *ev)
{
	const struct mm_event_scan *s = &ev->scan;

	fprintf(out,
		"nid=%d nr_scanned=%" PRIu64 " nr_reclaimed=%" PRIu64 " nr_dirty=%" PRIu64
		" nr_writeback=%" PRIu64 " nr_congested=%" PRIu64 " nr_immediate=%" PRIu64
		" nr_activate_anon=%" PRIu64 " nr_activate_file=%" PRIu64 " nr_ref_keep=%" PRIu64
		" nr_unmap_fail=0 priority=%u",
		ev->nid, s->scanned, s->reclaimed, s->dirty, s->writeback, s->congested,
		s->immediate, s->activated[0], s->activated[1], s->ref_keep, s->priority);
	print_shrink_flags(out, s->lru);
}

static void print_shrink_active(FILE *out, const struct mm_event *ev)
{
	const struct mm_event_scan *s = &ev->scan;

	fprintf(out,
		"nid=%d nr_taken=%" PRIu64 " nr_active=0 nr_deactivated=%" PRIu64
		" nr_referenced=%" PRIu64 " priority=%u",
		ev->nid, s->taken, s->deactivated, s->referenced, s->priority);
	print_shrink_flags(out, s->lru);
}

static void print_throttled(FILE *out, const struct mm_event *ev)
{
	static const char *const reasons[] = {
		[MM_THROTTLE_WRITEBACK] = "VMSCAN_THROTTLE_WRITEBACK",
		[MM_THROTTLE_ISOLATED] = "VMSCAN_THROTTLE_ISOLATED",
		[MM_THROTTLE_NOPROGRESS] = "VMSCAN_THROTTLE_NOPROGRESS",
		[MM_THROTTLE_CONGESTED] = "VMSCAN_THROTTLE_CONGESTED",
	};

	fprintf(out, "nid=%d usec_timeout=%" PRIu64 " usect_delayed=%" PRIu64 " reason=%s", ev->nid,
		ev->scan.timeout_us, ev->scan.delayed_us, reasons[ev->scan.throttle]);
}

static void print_order_and_gfp(FILE *out, const struct mm_event *ev)
{
	fprintf(out, "order=%u", ev->order);
	print_gfp(out, ev);
}

static void print_alloc(FILE *out, const struct mm_event *ev)
{
	print_block(out, ev);
	fprintf(out, " migratetype=%d", ev->migratetype);
	print_gfp(out, ev);
}

static void print_zone_locked(FILE *out, const struct mm_event *ev)
{
	print_block(out, ev);
	fprintf(out, " migratetype=%d percpu_refill=%d", ev->migratetype, ev->percpu_refill);
}

static void print_drain(FILE *out, const struct mm_event *ev)
{
	print_block(out, ev);
	fprintf(out, " migratetype=%d", ev->migratetype);
}

static void print_wake(FILE *out, const struct mm_event *ev)
{
	fprintf(out, "nid=%d ", ev->nid);
	print_order_and_gfp(out, ev);
}

static void print_kswapd_wake(FILE *out, const struct mm_event *ev)
{
	fprintf(out, "nid=%d order=%u", ev->nid, ev->order);
}

static void print_kswapd_sleep(FILE *out, const struct mm_event *ev)
{
	fprintf(out, "nid=%d", ev->nid);
}

static void print_reclaimed(FILE *out, const struct mm_event *ev)
{
	fprintf(out, "nr_reclaimed=%" PRIu64, ev->scan.reclaimed);
}

static void print_write(FILE *out, const struct mm_event *ev)
{
	print_page(out, ev);
	fputs(" flags=RECLAIM_WB_ANON|RECLAIM_WB_ASYNC", out);
}

static void print_compact(FILE *out, const struct mm_event *ev)
{
	const struct mm_event_compact *c = &ev->compact;

	fprintf(out,
		"zone_start=0x%" PRIx64 " migrate_pfn=0x%" PRIx64 " free_pfn=0x%" PRIx64
		" zone_end=0x%" PRIx64 ", mode=%s",
		c->zone_start, c->migrate_pfn, c->free_pfn, c->zone_end,
		c->sync ? "sync" : "async");
}

static void print_compacted(FILE *out, const struct mm_event *ev)
{
	print_compact(out, ev);
	fprintf(out, " status=%s",
		mm_compact_result_name((enum mm_compact_result)ev->compact.result));
}

static void print_migrate(FILE *out, const struct mm_event *ev)
{
	const struct mm_event_migrate *m = &ev->migrate;

	fprintf(out,
		"nr_succeeded=%" PRIu64 " nr_failed=%" PRIu64 " nr_thp_succeeded=%" PRIu64
		" nr_thp_failed=%" PRIu64 " nr_thp_split=0 mode=%s reason=%s",
		m->succeeded, m->failed, m->thp_succeeded, m->thp_failed,
		mm_migrate_mode_name((enum mm_migrate_mode)m->mode),
		mm_migrate_reason_name((enum mm_migrate_reason)m->reason));
}

/* The caller is not known. */
static void print_object(FILE *out, const struct mm_event *ev)
{
	fprintf(out, "call_site=0x0 ptr=%016" PRIx64, ev->object.address);
	if (ev->type == MM_EVENT_CACHE_FREE)
		fprintf(out, " name=%s", ev->object.cache);
}

static void print_object_alloc(FILE *out, const struct mm_event *ev)
{
	const struct mm_event_object *o = &ev->object;

	print_object(out, ev);
	fprintf(out, " bytes_req=%" PRIu64 " bytes_alloc=%" PRIu64, o->req, o->room);
	print_gfp(out, ev);
	fprintf(out, " node=%d accounted=%s", ev->nid, o->accounted ? "true" : "false");
}

/* The area that cma= sets apart is called so. Its count stands behind the frame, as 6.1 has it. */
static void print_cma(FILE *out, const struct mm_event *ev)
{
	fputs("name=reserved ", out);
	if (ev->type != MM_EVENT_CMA_START)
		fprintf(out, "pfn=0x%" PRIx64 " page=%016" PRIx64 " ",
			ev->page ? ev->pfn : UINT64_MAX, descriptor_of(ev));
	fprintf(out, "count=%" PRIu64, ev->cma.nr);
	if (ev->type != MM_EVENT_CMA_RELEASE)
		fprintf(out, " align=%u", ev->cma.align);
}

static void print_task(FILE *out, int cpu, const struct mm_kthread *thread)
{
	char comm[32];
	int pid = sim_task_name(cpu, thread, comm, sizeof(comm));

	fprintf(out, "%16s-%-7d", comm, pid);
}

void event_log_hook(void *arg, int cpu, const struct mm_kthread *thread, uint64_t at_ps,
		    const struct mm_event *ev)
{
	static const struct {
		const char *name;
		void (*print)(FILE *out, const struct mm_event *ev);
	} events[MM_NR_EVENT_TYPES] = {
		[MM_EVENT_PAGE_ALLOC] = {"mm_page_alloc", print_alloc},
		[MM_EVENT_PAGE_FREE] = {"mm_page_free", print_block},
		[MM_EVENT_FREE_BATCHED] = {"mm_page_free_batched", print_block},
		[MM_EVENT_ALLOC_ZONE_LOCKED] = {"mm_page_alloc_zone_locked", print_zone_locked},
		[MM_EVENT_PCPU_DRAIN] = {"mm_page_pcpu_drain", print_drain},
		[MM_EVENT_EXTFRAG] = {"mm_page_alloc_extfrag", print_extfrag},
		[MM_EVENT_WAKE_KSWAPD] = {"mm_vmscan_wakeup_kswapd", print_wake},
		[MM_EVENT_KSWAPD_WAKE] = {"mm_vmscan_kswapd_wake", print_kswapd_wake},
		[MM_EVENT_KSWAPD_SLEEP] = {"mm_vmscan_kswapd_sleep", print_kswapd_sleep},
		[MM_EVENT_DIRECT_BEGIN] = {"mm_vmscan_direct_reclaim_begin", print_order_and_gfp},
		[MM_EVENT_DIRECT_END] = {"mm_vmscan_direct_reclaim_end", print_reclaimed},
		[MM_EVENT_NODE_BEGIN] = {"mm_vmscan_node_reclaim_begin", print_wake},
		[MM_EVENT_NODE_END] = {"mm_vmscan_node_reclaim_end", print_reclaimed},
		[MM_EVENT_LRU_ISOLATE] = {"mm_vmscan_lru_isolate", print_isolate},
		[MM_EVENT_SHRINK_INACTIVE] = {"mm_vmscan_lru_shrink_inactive",
					      print_shrink_inactive},
		[MM_EVENT_SHRINK_ACTIVE] = {"mm_vmscan_lru_shrink_active", print_shrink_active},
		[MM_EVENT_WRITEPAGE] = {"mm_vmscan_write_folio", print_write},
		[MM_EVENT_THROTTLED] = {"mm_vmscan_throttled", print_throttled},
		[MM_EVENT_COMPACT_BEGIN] = {"mm_compaction_begin", print_compact},
		[MM_EVENT_COMPACT_END] = {"mm_compaction_end", print_compacted},
		[MM_EVENT_MIGRATE] = {"mm_migrate_pages", print_migrate},
		[MM_EVENT_KMALLOC] = {"kmalloc", print_object_alloc},
		[MM_EVENT_KFREE] = {"kfree", print_object},
		[MM_EVENT_CACHE_ALLOC] = {"kmem_cache_alloc", print_object_alloc},
		[MM_EVENT_CACHE_FREE] = {"kmem_cache_free", print_object},
		[MM_EVENT_CMA_START] = {"cma_alloc_start", print_cma},
		[MM_EVENT_CMA_BUSY_RETRY] = {"cma_alloc_busy_retry", print_cma},
		[MM_EVENT_CMA_FINISH] = {"cma_alloc_finish", print_cma},
		[MM_EVENT_CMA_RELEASE] = {"cma_release", print_cma},
	};
	FILE *out = arg;

	print_task(out, cpu, thread);
	fprintf(out, " [%03d] ..... %5" PRIu64 ".%09" PRIu64 ": %s: ", cpu, at_ps / PS_PER_S,
		at_ps % PS_PER_S / PS_PER_NS, events[ev->type].name);
	events[ev->type].print(out, ev);
	putc('\n', out);
}
