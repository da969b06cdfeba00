/* SPDX-License-Identifier: Apache-2.0 */
/* Tracepoints as ftrace text. The fields are those of Linux 6.1's event formats. */
#include "sim/event_log.h"

#include <inttypes.h>

#include "mm/gfp.h"

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

static void print_page(FILE *out, const struct mm_event *ev)
{
	uint64_t descriptor = ev->page ? VMEMMAP_BASE + ev->pfn * DESCRIPTOR_BYTES : 0;

	fprintf(out, "page=%016" PRIx64 " pfn=0x%" PRIx64, descriptor, ev->page ? ev->pfn : 0);
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

void event_log_hook(void *arg, int cpu, uint64_t at_ps, const struct mm_event *ev)
{
	static const char *const names[] = {
		[MM_EVENT_PAGE_ALLOC] = "mm_page_alloc",
		[MM_EVENT_PAGE_FREE] = "mm_page_free",
		[MM_EVENT_ALLOC_ZONE_LOCKED] = "mm_page_alloc_zone_locked",
		[MM_EVENT_PCPU_DRAIN] = "mm_page_pcpu_drain",
		[MM_EVENT_EXTFRAG] = "mm_page_alloc_extfrag",
		[MM_EVENT_WAKE_KSWAPD] = "mm_vmscan_wakeup_kswapd",
	};
	FILE *out = arg;

	fprintf(out, "%16s-%-7d [%03d] ..... %5" PRIu64 ".%09" PRIu64 ": %s: ", "cpu", cpu + 1, cpu,
		at_ps / PS_PER_S, at_ps % PS_PER_S / PS_PER_NS, names[ev->type]);
	switch (ev->type) {
	case MM_EVENT_PAGE_ALLOC:
		print_block(out, ev);
		fprintf(out, " migratetype=%d", ev->migratetype);
		print_gfp(out, ev);
		break;
	case MM_EVENT_PAGE_FREE:
		print_block(out, ev);
		break;
	case MM_EVENT_ALLOC_ZONE_LOCKED:
		print_block(out, ev);
		fprintf(out, " migratetype=%d percpu_refill=%d", ev->migratetype,
			ev->percpu_refill);
		break;
	case MM_EVENT_PCPU_DRAIN:
		print_block(out, ev);
		fprintf(out, " migratetype=%d", ev->migratetype);
		break;
	case MM_EVENT_EXTFRAG:
		print_extfrag(out, ev);
		break;
	case MM_EVENT_WAKE_KSWAPD:
		fprintf(out, "nid=%d order=%u", ev->nid, ev->order);
		print_gfp(out, ev);
		break;
	}
	putc('\n', out);
}
