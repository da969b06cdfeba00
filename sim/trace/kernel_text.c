/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the pfns in the lines: a page's own frame where that is known and no other page is there,
 * else its number beyond all frames, which tells pages apart as well.
 */
#include "sim/trace/kernel_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mm/gfp.h"
#include "sim/config/units.h"
#include "sim/trace/livemap.h"
#include "sim/trace/native.h"
#include "sim/trace/told.h"

#define PS_PER_S UINT64_C(1000000000000)

/* Only whether it is 0 means anything: where x86_64's vmemmap has a frame's descriptor. */
#define VMEMMAP_BASE     UINT64_C(0xffffea0000000000)
#define DESCRIPTOR_BYTES 64

#define MAX_TASK (TRACE_MAX_COMM + 32) /* bytes of "comm-pid [" */
#define MAX_MARK (MAX_TASK + 64)       /* bytes before the text of a marker */

struct writer {
	const struct kernel_text *style;
	const struct trace *t;
	FILE *out;
	struct livemap live; /* by the real frame, the page that has it in the lines */
	uint64_t last_ps;
	int digits; /* of the fraction of a second */
	uint64_t unit_ps;
	gfp_t gfp; /* the last allocation's, and as text */
	char gfp_text[768];
	const struct trace_task *task; /* of the event at hand; NULL: not known */
	uint32_t *cma;   /* owned: of each allocation, how many frames of the CMA area; NULL */
	uint32_t *kinds; /* owned: of each object, by its number: KMALLOC or 1 + its cache; NULL */
};

#define KMALLOC UINT32_MAX

/* An address for each object, none of which overlap in what follows from them. */
#define OBJECT_BASE  UINT64_C(0xffff888000000000)
#define OBJECT_BYTES 64

/* The kernel has microseconds; more digits where a time needs them. */
static void find_unit(struct writer *w)
{
	w->digits = 6;
	w->unit_ps = 1000000;
	for (size_t i = 0; i < w->t->nr_events && w->digits < 12; i++) {
		const struct trace_event *ev = &w->t->events[i];

		while (ev->op != TRACE_WAIT && ev->time_ps % w->unit_ps) {
			w->digits += 3;
			w->unit_ps /= 1000;
		}
	}
}

/* "comm-pid [" */
static void put_task(struct writer *w, char *to, size_t size)
{
	const struct kernel_text *style = w->style;

	snprintf(to, size, "%16s%s%*d [", w->task ? w->task->comm : style->nobody, style->between,
		 style->pid_width, w->task ? (int)w->task->pid : style->nobody_pid);
}

/* A line up to its event. */
static void put_start(struct writer *w, unsigned cpu)
{
	char task[MAX_TASK];

	put_task(w, task, sizeof(task));
	fprintf(w->out, "%s%03u%s %5" PRIu64 ".%0*" PRIu64 ": ", task, cpu, w->style->flags,
		w->last_ps / PS_PER_S, w->digits, w->last_ps % PS_PER_S / w->unit_ps);
}

static void put_mark(struct writer *w, unsigned cpu)
{
	put_start(w, cpu);
	fprintf(w->out, "%s" TOLD_MARK, w->style->mark);
}

static void put_name_of(struct writer *w, unsigned cpu, const char *system, const char *name)
{
	int pad;

	put_start(w, cpu);
	pad = w->style->name_width - fprintf(w->out, "%s%s: ", system, name);
	if (pad > 0)
		fprintf(w->out, "%*s", pad, "");
}

static void put_name(struct writer *w, unsigned cpu, const char *name)
{
	put_name_of(w, cpu, w->style->system, name);
}

static uint64_t descriptor(uint64_t pfn)
{
	return VMEMMAP_BASE + pfn * DESCRIPTOR_BYTES % -VMEMMAP_BASE;
}

static void put_block(struct writer *w, uint64_t pfn, unsigned order)
{
	fprintf(w->out, "page=0x%" PRIx64 " pfn=0x%" PRIx64 " order=%u", descriptor(pfn), pfn,
		order);
}

/* The pfn by which the lines call a page while it is allocated. */
static uint64_t line_pfn(const struct writer *w, uint32_t page)
{
	pfn_t pfn = trace_pfn(w->t, page);
	const struct livemap_entry *e = pfn == TRACE_NO_PFN ? NULL : livemap_find(&w->live, pfn);

	return e && e->page == page ? pfn : TOLD_NO_FRAME + page;
}

/* The same for a page that comes: *pfn. Sets *hidden where it is another than its frame. */
static int new_pfn(struct writer *w, const struct trace_event *ev, bool stays, uint64_t *pfn,
		   bool *hidden)
{
	*pfn = trace_pfn(w->t, ev->page);
	*hidden = *pfn != TRACE_NO_PFN && livemap_find(&w->live, *pfn);
	if (*pfn == TRACE_NO_PFN || *hidden) {
		*pfn = TOLD_NO_FRAME + ev->page;
		return 0;
	}
	return stays ? livemap_add(&w->live, &(struct livemap_entry){*pfn, ev->page, ev->order})
		     : 0;
}

/* What the kernel's line cannot say. */
static void put_next(struct writer *w, const struct trace_event *ev, bool hidden)
{
	bool has_node = ev->op == TRACE_ALLOC && trace_event_nid(ev) != MM_NO_NODE;

	if (!hidden && !has_node && !ev->policy && !(ev->flags & ~TRACE_F_FAILED))
		return;
	put_mark(w, ev->cpu);
	fputs(TOLD_NEXT, w->out);
	if (ev->flags & TRACE_F_INFERRED)
		fputs(" " NATIVE_INFERRED, w->out);
	if (has_node)
		fprintf(w->out, " node=%d", trace_event_nid(ev));
	if (ev->policy)
		fprintf(w->out, " policy=%u", ev->policy);
	if (trace_event_turn(ev))
		fprintf(w->out, " turn=%" PRIu32, trace_event_turn(ev));
	if (ev->flags & TRACE_F_MIGRATE)
		fputs(" for=" NATIVE_MIGRATION, w->out);
	if (ev->flags & TRACE_F_SLAB)
		fputs(" for=" NATIVE_SLAB, w->out);
	if (ev->flags & TRACE_F_RECLAIM)
		fputs(ev->flags & TRACE_F_KSWAPD ? " by=" NATIVE_KSWAPD : " by=" NATIVE_RECLAIM,
		      w->out);
	if (hidden)
		fprintf(w->out, " pfn=0x%" PRIx64, trace_pfn(w->t, ev->page));
	putc('\n', w->out);
}

/* Bits that have no name stand for nothing behind names, so then all is a number. */
static void set_gfp(struct writer *w, gfp_t gfp)
{
	if (w->gfp_text[0] && w->gfp == gfp)
		return;
	w->gfp = gfp;
	gfp_print(gfp, w->gfp_text, sizeof(w->gfp_text));
	if (strstr(w->gfp_text, "0x") || !gfp)
		snprintf(w->gfp_text, sizeof(w->gfp_text), "0x%x", gfp);
}

static int put_alloc(struct writer *w, const struct trace_event *ev)
{
	bool failed = ev->flags & TRACE_F_FAILED, hidden = false;
	uint64_t pfn = 0;
	int err = failed ? 0 : new_pfn(w, ev, true, &pfn, &hidden);

	if (err)
		return err;
	put_next(w, ev, hidden);
	put_name(w, ev->cpu, "mm_page_alloc");
	if (failed)
		fprintf(w->out, "page=(nil) pfn=0x0 order=%u", ev->order);
	else
		put_block(w, pfn, ev->order);
	set_gfp(w, ev->gfp);
	fprintf(w->out, " migratetype=%u gfp_flags=%s\n", ev->migratetype, w->gfp_text);
	return 0;
}

static int put_free(struct writer *w, const struct trace_event *ev)
{
	uint64_t pfn = 0;
	bool hidden = false;

	if (ev->op == TRACE_FREE_HELD) {
		int err = new_pfn(w, ev, false, &pfn, &hidden);

		if (err)
			return err;
	} else {
		pfn = line_pfn(w, ev->page);
		if (pfn <= TRACE_MAX_PFN)
			livemap_remove(&w->live, livemap_find(&w->live, pfn));
	}
	put_next(w, ev, hidden);
	put_name(w, ev->cpu, "mm_page_free");
	put_block(w, pfn, ev->order);
	putc('\n', w->out);
	return 0;
}

static uint64_t object_at(uint32_t number)
{
	return OBJECT_BASE + (uint64_t)number * OBJECT_BYTES;
}

/* Bytes that kmalloc() takes: its classes, and beyond 8 KiB whole pages of a power of two. */
static uint32_t kmalloc_room(uint32_t bytes)
{
	uint32_t room = 8;

	if (bytes > 64 && bytes <= 96)
		return 96;
	if (bytes > 128 && bytes <= 192)
		return 192;
	while (room < bytes)
		room *= 2;
	return room;
}

/* What the line of an object cannot say: its cache, a policy, that it is inferred. */
static void put_object_next(struct writer *w, const struct trace_event *ev, const char *cache)
{
	bool policy = ev->policy && !(ev->flags & TRACE_F_ON_NODE);

	if (!*cache && !policy && !(ev->flags & TRACE_F_INFERRED))
		return;
	put_mark(w, ev->cpu);
	fputs(TOLD_NEXT, w->out);
	if (ev->flags & TRACE_F_INFERRED)
		fputs(" " NATIVE_INFERRED, w->out);
	if (*cache)
		fprintf(w->out, " cache=%s", cache);
	if (policy)
		fprintf(w->out, " policy=%u", ev->policy);
	putc('\n', w->out);
}

static void put_pointer(struct writer *w, uint32_t object)
{
	fprintf(w->out, "call_site=0x0 ptr=%s%016" PRIx64, w->style->pointer, object_at(object));
}

/* As Linux 6.1 prints it. Who called is not kept. */
static void put_object_alloc(struct writer *w, const struct trace_event *ev)
{
	bool is_kmalloc = ev->op == TRACE_KMALLOC, failed = ev->flags & TRACE_F_FAILED;
	const struct trace_cache *cache = is_kmalloc ? NULL : &w->t->caches[ev->bytes];
	int nid = trace_object_nid(ev);

	put_object_next(w, ev, cache ? cache->name : "");
	put_name(w, ev->cpu, is_kmalloc ? "kmalloc" : "kmem_cache_alloc");
	if (failed)
		fputs("call_site=0x0 ptr=0000000000000000", w->out);
	else
		put_pointer(w, ev->page);
	fprintf(w->out, " bytes_req=%" PRIu32 " bytes_alloc=%" PRIu32,
		cache ? cache->size : ev->bytes, cache ? cache->room : kmalloc_room(ev->bytes));
	set_gfp(w, ev->gfp);
	fprintf(w->out, " gfp_flags=%s node=%d accounted=%s\n", w->gfp_text,
		nid == MM_NO_NODE ? -1 : nid, ev->gfp & __GFP_ACCOUNT ? "true" : "false");
	if (!failed)
		w->kinds[ev->page] = is_kmalloc ? KMALLOC : ev->bytes + 1;
}

static void put_object_free(struct writer *w, const struct trace_event *ev)
{
	uint32_t kind = w->kinds[ev->page];
	const char *name = kind == KMALLOC ? "" : w->t->caches[kind - 1].name;

	put_object_next(w, ev, "");
	put_name(w, ev->cpu, kind == KMALLOC ? "kfree" : "kmem_cache_free");
	put_pointer(w, ev->page);
	if (kind != KMALLOC)
		fprintf(w->out, " name=%s", *name ? name : NATIVE_NO_PAGE);
	putc('\n', w->out);
}

/* As Linux 6.1 prints it. Which area it is of is not kept: cma= makes one of that name. */
static void put_cma(struct writer *w, const struct trace_event *ev, const char *event, uint64_t pfn,
		    uint32_t nr)
{
	put_name_of(w, ev->cpu, *w->style->system ? "cma:" : "", event);
	if (pfn == TRACE_NO_PFN)
		fprintf(w->out, "name=reserved pfn=0x%" PRIx64 " page=(nil)", UINT64_MAX);
	else
		fprintf(w->out, "name=reserved pfn=0x%" PRIx64 " page=0x%" PRIx64, pfn,
			descriptor(pfn));
	fprintf(w->out, " count=%" PRIu32, nr);
}

static int put_cma_alloc(struct writer *w, const struct trace_event *ev)
{
	uint64_t pfn = TRACE_NO_PFN;
	bool failed = ev->flags & TRACE_F_FAILED, hidden = false;
	int err = failed ? 0 : new_pfn(w, ev, true, &pfn, &hidden);

	if (err)
		return err;
	if (hidden)
		put_next(w, ev, hidden);
	put_cma(w, ev, "cma_alloc_finish", pfn, ev->bytes);
	fprintf(w->out, " align=%" PRIu32 "\n", ev->align);
	if (!failed)
		w->cma[ev->page] = ev->bytes;
	return 0;
}

static void put_cma_release(struct writer *w, const struct trace_event *ev)
{
	uint64_t pfn = line_pfn(w, ev->page);

	if (pfn <= TRACE_MAX_PFN)
		livemap_remove(&w->live, livemap_find(&w->live, pfn));
	put_next(w, ev, false);
	put_cma(w, ev, "cma_release", pfn, w->cma[ev->page]);
	putc('\n', w->out);
}

/* By frame, or by address. */
static void put_touch(struct writer *w, const struct trace_event *ev)
{
	put_mark(w, ev->cpu);
	if (w->kinds && w->kinds[ev->page])
		fprintf(w->out, TOLD_TOUCH " ptr=0x%" PRIx64, object_at(ev->page));
	else
		fprintf(w->out, TOLD_TOUCH " pfn=0x%" PRIx64, line_pfn(w, ev->page));
	fprintf(w->out, " %s %s\n", ev->write ? "write" : "read", units_size(ev->bytes).text);
}

/* The upper half is called by its own frame from now on. */
static int put_split(struct writer *w, const struct trace_event *ev)
{
	uint64_t low = line_pfn(w, ev->bytes), pfn = 0;
	bool hidden = false;
	int err = new_pfn(w, ev, true, &pfn, &hidden);

	if (err)
		return err;
	put_next(w, ev, hidden);
	put_mark(w, ev->cpu);
	fprintf(w->out, TOLD_SPLIT " pfn=0x%" PRIx64 " into=0x%" PRIx64 "\n", low, pfn);
	return 0;
}

static int put_event(struct writer *w, const struct trace_event *ev, struct diag *diag)
{
	if (ev->op != TRACE_WAIT)
		w->last_ps = ev->time_ps;
	switch (ev->op) {
	case TRACE_ALLOC:
		return put_alloc(w, ev);
	case TRACE_FREE:
	case TRACE_FREE_HELD:
		return put_free(w, ev);
	case TRACE_TOUCH:
		put_touch(w, ev);
		return 0;
	case TRACE_KMALLOC:
	case TRACE_CACHE_ALLOC:
		put_object_alloc(w, ev);
		return 0;
	case TRACE_OBJECT_FREE:
		put_object_free(w, ev);
		return 0;
	case TRACE_SPLIT:
		return put_split(w, ev);
	case TRACE_CMA_ALLOC:
		return put_cma_alloc(w, ev);
	case TRACE_CMA_RELEASE:
		put_cma_release(w, ev);
		return 0;
	case TRACE_HOTPLUG:
		put_mark(w, ev->cpu);
		fprintf(w->out, TOLD_HOTPLUG " %s\n", w->t->steps[ev->bytes]);
		return 0;
	case TRACE_WAIT:
		put_mark(w, ev->cpu);
		fprintf(w->out, TOLD_WAIT " %s\n", units_time(ev->time_ps).text);
		return 0;
	}
	return diag_error(diag, -EINVAL, w->t->file, ev->line,
			  "an operation that the kernel's text cannot say");
}

/* On the CPU of the event that it came before, since a trace does not keep its own. */
static void put_move(struct writer *w, const struct trace_move *m, unsigned cpu)
{
	/* The kernel never prints the one, and of the other more than is known. */
	if (!m->taken && !m->percpu) {
		put_mark(w, cpu);
		fprintf(w->out, NATIVE_MOVED " %s order=%u pfn=0x%" PRIx64 " mobility=%s\n",
			m->fallback ? "fallback" : "in", (unsigned)m->order, (uint64_t)m->pfn,
			native_mobilities[m->migratetype]);
		return;
	}
	put_name(w, cpu, m->taken ? "mm_page_alloc_zone_locked" : "mm_page_pcpu_drain");
	put_block(w, m->pfn, m->order);
	fprintf(w->out, " migratetype=%u", (unsigned)m->migratetype);
	fprintf(w->out, m->taken ? " percpu_refill=%u\n" : "\n", (unsigned)m->percpu);
}

static int put_events(struct writer *w, struct diag *diag)
{
	const struct trace *t = w->t;
	size_t moves = 0, turns = 0;
	unsigned cpu = 0;
	int err = 0;

	for (size_t i = 0; i <= t->nr_events && !err; i++) {
		for (; turns < t->nr_turns && t->turns[turns].event <= i; turns++)
			w->task = t->turns[turns].task ? &t->tasks[t->turns[turns].task] : NULL;
		if (i < t->nr_events)
			cpu = t->events[i].cpu;
		for (; moves < t->nr_moves && t->moves[moves].event <= i; moves++)
			put_move(w, &t->moves[moves], cpu);
		if (i < t->nr_events)
			err = put_event(w, &t->events[i], diag);
	}
	return err;
}

/* The statements that stand before all events. */
static void put_statements(struct writer *w)
{
	char before[MAX_MARK], task[MAX_TASK];

	put_mark(w, 0);
	fputs(TOLD_TRACE " " TOLD_VERSION "\n", w->out);
	put_task(w, task, sizeof(task));
	snprintf(before, sizeof(before), "%s000%s %5u.%0*u: %s" TOLD_MARK, task, w->style->flags, 0,
		 w->digits, 0, w->style->mark);
	native_write_original(w->t, before, w->out);
	for (uint32_t i = 1; i < w->t->nr_policies; i++)
		native_write_policy(w->out, before, i, &w->t->policies[i]);
}

int kernel_text_write(const struct kernel_text *style, const struct trace *t, FILE *out,
		      struct diag *diag)
{
	struct writer *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		return -ENOMEM;
	w->style = style;
	w->t = t;
	w->out = out;
	err = livemap_init(&w->live);
	if (!err && t->nr_object_allocs) {
		w->kinds = calloc(t->nr_pages + 1, sizeof(*w->kinds));
		err = w->kinds ? 0 : -ENOMEM;
	}
	if (!err && t->nr_cma_allocs) {
		w->cma = calloc(t->nr_pages + 1, sizeof(*w->cma));
		err = w->cma ? 0 : -ENOMEM;
	}
	if (!err) {
		find_unit(w);
		fputs(style->heading, out);
		if (style->tells_cpus)
			fprintf(out, "cpus=%d\n", t->nr_cpus);
		put_statements(w);
		err = put_events(w, diag);
	}
	if (!err && (fflush(out) || ferror(out)))
		err = -EIO;
	if (w->live.slots)
		livemap_clear(&w->live);
	free(w->kinds);
	free(w->cma);
	free(w);
	return err;
}
