/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the clock: times are relative to the first event that is kept, and monotonic although the
 * kernel merges the buffers of its CPUs with small steps back. What a page's events mean together
 * is frames.c's business.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/policy/tasks.h"
#include "sim/trace/frames.h"
#include "sim/trace/gfp_bits.h"
#include "sim/trace/kmem.h"
#include "sim/trace/kmem_cma.h"
#include "sim/trace/kmem_fields.h"
#include "sim/trace/kmem_slab.h"
#include "sim/trace/scan.h"
#include "sim/trace/thread_pace.h"
#include "sim/trace/told.h"

#define PS_PER_S    UINT64_C(1000000000000)
#define MAX_SECONDS 18000000 /* between first and last: what 64 bits of picoseconds hold */
/* What a CPU is at in alloc_pages_bulk, as a probe of its entry tells it. */
struct bulk {
	gfp_t gfp;
	int nid;
	unsigned want;   /* pages; 0: it is not there */
	unsigned traced; /* of these, told by lines of their own: it falls back to single pages */
};

struct kmem {
	struct frames *frames;
	struct bulk bulk[MM_MAX_CPUS];
	struct tasks *tasks;
	struct thread_pace *pace;
	struct kmem_slab *slab;
	struct kmem_cma *cma;
	bool started; /* has a first event: */
	uint64_t first_s, first_ps;
	uint64_t last_ps; /* of the last event, relative to the first */
	struct gfp_meanings meanings;
	bool told_numbers;
	struct told *told; /* NULL: lines are the kernel's own */
	/* Of the last event: most are of the same task as the one before. */
	char comm[TRACE_MAX_COMM];
	size_t comm_len;
	uint32_t pid, task;
};

struct kmem *kmem_new(void)
{
	struct kmem *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->frames = frames_new();
	k->tasks = tasks_new();
	k->pace = thread_pace_new();
	k->slab = kmem_slab_new();
	k->cma = kmem_cma_new();
	if (!k->frames || !k->tasks || !k->pace || !k->slab || !k->cma) {
		kmem_free(k);
		return NULL;
	}
	return k;
}

void kmem_free(struct kmem *k)
{
	if (!k)
		return;
	told_free(k->told);
	frames_free(k->frames);
	thread_pace_free(k->pace);
	tasks_free(k->tasks);
	kmem_slab_free(k->slab);
	kmem_cma_free(k->cma);
	free(k);
}

const char *kmem_parse_time(const char *text, struct kmem_origin *origin)
{
	uint64_t seconds = 0, fraction = 0, scale = PS_PER_S;
	const char *p = text;

	for (; scan_is_digit(*p); p++) {
		if (p - text == 18)
			return NULL;
		seconds = seconds * 10 + (*p - '0');
	}
	if (p == text || *p != '.')
		return NULL;
	for (p++; scan_is_digit(*p); p++) {
		if (scale == 1)
			return NULL;
		scale /= 10;
		fraction += (*p - '0') * scale;
	}
	if (scale == PS_PER_S || *p != ':')
		return NULL;
	origin->seconds = seconds;
	origin->fraction_ps = fraction;
	return p + 1;
}

/* Picoseconds since the first event, never less than the last one's. False beyond the range. */
static bool event_time(struct kmem *k, const struct kmem_origin *origin, uint64_t *out)
{
	uint64_t ps;

	if (!k->started) {
		k->started = true;
		k->first_s = origin->seconds;
		k->first_ps = origin->fraction_ps;
	}
	if (origin->seconds > k->first_s + MAX_SECONDS)
		return false;
	if (origin->seconds >= k->first_s) {
		ps = (origin->seconds - k->first_s) * PS_PER_S + origin->fraction_ps;
		ps = ps > k->first_ps ? ps - k->first_ps : 0;
		if (ps > k->last_ps)
			k->last_ps = ps;
	}
	*out = k->last_ps;
	return true;
}

/* What frames.c and tasks.c say, as an error of this line. */
static int events_error(int err, const struct stream_line *line, const struct trace *t,
			struct diag *diag)
{
	if (err == -ENOSPC)
		return diag_error(diag, -EINVAL, t->file, trace_line_number(line),
				  "more than %u different memory policies", TRACE_MAX_POLICIES);
	if (err != -E2BIG)
		return err;
	return diag_error(diag, -EINVAL, t->file, trace_line_number(line),
			  "more than %u allocations", TRACE_NO_PAGE - 1);
}

/* Once: which kernel's bits a number has, if that is a guess that matters. */
static void tell_numbers(struct kmem *k, const struct stream_line *line, const struct trace *t,
			 struct diag *diag)
{
	if (!k->meanings.has_number || k->told_numbers)
		return;
	k->told_numbers = true;
	if (t->release == KERNEL_UNKNOWN)
		diag_warn(diag, t->file, trace_line_number(line),
			  "gfp_flags are numbers, and nothing says of which kernel: read as those "
			  "of Linux 5.1 and later (--release says otherwise)");
	else if (t->release_assumed && !gfp_bits_are_ours(t->release))
		diag_warn(diag, t->file, trace_line_number(line),
			  "gfp_flags are numbers, and nothing in the trace says of which kernel: "
			  "read as those of the machine's, Linux %u.%u (--release says otherwise)",
			  t->release >> 8, t->release & 255);
}

static int take_alloc(struct kmem *k, const struct kmem_origin *origin, const char *text,
		      const struct stream_line *line, struct trace *t, struct diag *diag)
{
	struct trace_event ev = {.op = TRACE_ALLOC, .line = trace_line_number(line)};
	const struct gfp_meaning *m;
	struct page_fields f;
	int err;

	if (!kmem_alloc(text, TRACE_MAX_PFN, &f) || !event_time(k, origin, &ev.time_ps)) {
		trace_unreadable(t, line);
		return 0;
	}
	m = kmem_gfp(&k->meanings, f.gfp, f.gfp_len, t);
	tell_numbers(k, line, t, diag);
	t->unknown_gfp += m->nr_unknown;
	ev.gfp = m->gfp;
	ev.cpu = origin->cpu;
	ev.order = f.order;
	ev.migratetype = gfp_migratetype(m->gfp);
	if ((m->numeric || m->nr_unknown) && f.migratetype < MM_NR_PCPTYPES)
		ev.migratetype = f.migratetype;
	ev.flags = tasks_memalloc(k->tasks, origin) & 0x7f;
	if (f.failed) {
		ev.page = TRACE_NO_PAGE;
		ev.flags |= TRACE_F_FAILED;
	}
	err = tasks_alloc(k->tasks, origin, t, &ev);
	if (!err)
		err = f.failed ? trace_append(t, &ev) : frames_alloc(k->frames, t, &ev, f.pfn);
	if (!f.failed && !f.order && ev.gfp == k->bulk[origin->cpu].gfp)
		k->bulk[origin->cpu].traced++;
	kmem_slab_page(k->slab, ev.cpu, err || f.failed ? SIZE_MAX : t->nr_events - 1);
	if (!err)
		err = tasks_allocated(k->tasks, origin, t);
	return events_error(err, line, t, diag);
}

static int take_free(struct kmem *k, const struct kmem_origin *origin, const char *text,
		     const struct stream_line *line, struct trace *t, struct diag *diag)
{
	struct trace_event ev = {.line = trace_line_number(line), .cpu = (uint16_t)origin->cpu};
	struct page_fields f;
	size_t before = t->nr_events;
	int err;

	if (!kmem_page(text, TRACE_MAX_PFN, &f) || f.failed ||
	    !event_time(k, origin, &ev.time_ps)) {
		trace_unreadable(t, line);
		return 0;
	}
	kmem_slab_page(k->slab, ev.cpu, SIZE_MAX);
	if (kmem_cma_has(k->cma, f.pfn)) {
		trace_skip(t, TRACE_SKIP_CMA_PART);
		return 0;
	}
	ev.order = (uint8_t)f.order;
	ev.flags = tasks_reclaims(k->tasks, origin);
	thread_pace_freed(k->pace, origin, ev.time_ps);
	err = frames_release(k->frames, t, &ev, f.pfn, tasks_moves(k->tasks, origin));
	if (!err && t->nr_events > before)
		tasks_freed(k->tasks, origin, t, t->events[t->nr_events - 1].page);
	return events_error(err, line, t, diag);
}

/*
 * A block taken from the buddy lists or given back there: no event of a replay, but it says where
 * the block was. Older kernels do not tell percpu_refill=; there only single pages had lists.
 */
static int take_move(struct kmem *k, const struct kmem_origin *origin, const char *text, bool taken,
		     const struct stream_line *line, struct trace *t, struct diag *diag)
{
	/* The clock does not begin here, since the line may come to nothing. */
	struct trace_event ev = {.line = trace_line_number(line),
				 .cpu = (uint16_t)origin->cpu,
				 .time_ps = k->last_ps};
	struct page_fields f;
	const char *p = kmem_page(text, TRACE_MAX_PFN, &f), *end;
	uint64_t percpu;

	trace_skip(t, TRACE_SKIP_OTHER_EVENT);
	if (!p || f.failed)
		return 0;
	p = KMEM_FIELD(p, "migratetype=", &end);
	if (!p || !kmem_number(p, end, &f.migratetype) || f.migratetype >= MM_NR_MIGRATETYPES)
		return 0;
	p = KMEM_FIELD(end, "percpu_refill=", &end);
	if (!p || !kmem_number(p, end, &percpu))
		percpu = f.order == 0;
	return events_error(frames_move(k->frames, t, &ev,
					&(struct trace_move){
						.pfn = f.pfn,
						.order = f.order,
						.taken = taken,
						.percpu = !taken || percpu,
						.migratetype = f.migratetype,
					}),
			    line, t, diag);
}

/* A fallback of which both mobilities have something in the page block from now on. */
static int take_fallback(const char *text, const struct stream_line *line, struct trace *t,
			 struct diag *diag)
{
	const char *end, *p = KMEM_FIELD(text, "pfn=", &end);
	struct trace_move move = {.fallback = true};
	uint64_t pfn, order, migratetype, fragmenting;

	trace_skip(t, TRACE_SKIP_OTHER_EVENT);
	if (!p || !kmem_number(p, end, &pfn) || pfn > TRACE_MAX_PFN)
		return 0;
	p = KMEM_FIELD(end, "fallback_order=", &end);
	if (!p || !kmem_number(p, end, &order) || order > MAX_PAGE_ORDER)
		return 0;
	p = KMEM_FIELD(end, "fallback_migratetype=", &end);
	if (!p || !kmem_number(p, end, &migratetype) || migratetype >= MM_NR_MIGRATETYPES)
		return 0;
	p = KMEM_FIELD(end, "fragmenting=", &end);
	if (!p || !kmem_number(p, end, &fragmenting) || !fragmenting)
		return 0;
	move.pfn = pfn;
	move.order = order & 15;
	move.migratetype = migratetype & 15;
	return events_error(trace_append_move(t, &move), line, t, diag);
}

#define MAX_BULK 4096 /* pages of one call; the kernel's callers ask for some hundred at most */

/* "(__alloc_pages_bulk+0x0/0x6b0) gfp=0x2dc2 nid=3 want=4", a probe's line. */
static void take_bulk(struct kmem *k, const struct kmem_origin *origin, const char *text)
{
	struct bulk *b = &k->bulk[origin->cpu];
	const char *end, *p = KMEM_FIELD(text, "gfp=", &end);
	uint64_t gfp, nid, want;

	*b = (struct bulk){.nid = MM_NO_NODE};
	if (!p || !kmem_number(p, end, &gfp) || gfp > UINT32_MAX)
		return;
	p = KMEM_FIELD(text, "nid=", &end);
	if (p && kmem_number(p, end, &nid) && nid < MM_MAX_NODES)
		b->nid = (int)nid;
	p = KMEM_FIELD(text, "want=", &end);
	if (!p || !kmem_number(p, end, &want) || want > MAX_BULK)
		return;
	b->gfp = (gfp_t)gfp;
	b->want = (unsigned)want;
}

/* "(... <- __alloc_pages_bulk) got=0x4": so many pages, of which some may have lines. */
static int take_bulk_return(struct kmem *k, const struct kmem_origin *origin, const char *text,
			    const struct stream_line *line, struct trace *t, struct diag *diag)
{
	struct bulk *b = &k->bulk[origin->cpu];
	struct trace_event ev = {.line = trace_line_number(line),
				 .cpu = (uint16_t)origin->cpu,
				 .gfp = b->gfp,
				 .migratetype = gfp_migratetype(b->gfp)};
	const char *end, *p = KMEM_FIELD(text, "got=", &end);
	uint64_t got;

	if (!p || !kmem_number(p, end, &got) || got > b->want || got <= b->traced ||
	    !event_time(k, origin, &ev.time_ps)) {
		b->want = 0;
		return 0;
	}
	trace_event_set_nid(&ev, b->nid);
	b->want = 0;
	return events_error(frames_bulk(k->frames, t, &ev, (unsigned)got - b->traced), line, t,
			    diag);
}

static int take_slab(struct kmem *k, const struct kmem_origin *origin, enum kmem_slab_kind kind,
		     const char *fields, const struct stream_line *line, struct trace *t,
		     struct diag *diag)
{
	struct trace_event ev = {.line = trace_line_number(line), .cpu = (uint16_t)origin->cpu};
	int err = -EINVAL;

	if (event_time(k, origin, &ev.time_ps))
		err = kmem_slab_take(k->slab, kind, fields, &k->meanings, t, &ev);
	tell_numbers(k, line, t, diag);
	if (err == -EINVAL) {
		trace_unreadable(t, line);
		return 0;
	}
	if (err == -ENOSPC)
		return diag_error(diag, -EINVAL, t->file, trace_line_number(line),
				  "more than %u different slab caches", TRACE_MAX_CACHES);
	return events_error(err, line, t, diag);
}

static int take_cma(struct kmem *k, const struct kmem_origin *origin, enum kmem_cma_kind kind,
		    const char *fields, const struct stream_line *line, struct trace *t,
		    struct diag *diag)
{
	struct trace_event ev = {.line = trace_line_number(line), .cpu = (uint16_t)origin->cpu};
	int err = -EINVAL;

	/* The clock does not begin with one that comes to nothing. */
	if (kind == KMEM_CMA_STEP || event_time(k, origin, &ev.time_ps))
		err = kmem_cma_take(k->cma, kind, fields, t, &ev);
	if (err == -EINVAL) {
		trace_unreadable(t, line);
		return 0;
	}
	return events_error(err, line, t, diag);
}

static int take_event(struct kmem *k, const struct kmem_origin *origin, const char *text,
		      const struct stream_line *line, struct trace *t, struct diag *diag)
{
	const char *p = KMEM_AFTER(text, "kmem:");
	enum kmem_slab_kind slab;
	enum kmem_cma_kind cma;
	int told;

	if (origin->cpu >= MM_MAX_CPUS) {
		trace_unreadable(t, line);
		return 0;
	}
	if (!p)
		p = KMEM_AFTER(text, "cma:");
	if (p)
		text = p;
	if (!k->started && !k->told && told_begins(text)) {
		k->told = told_new();
		if (!k->told)
			return -ENOMEM;
	}
	if (k->told)
		return told_event(k->told, origin, text, line, t, diag);
	p = KMEM_AFTER(text, "mm_page_alloc:");
	if (p)
		return take_alloc(k, origin, p, line, t, diag);
	p = KMEM_AFTER(text, "mm_page_free:");
	if (p)
		return take_free(k, origin, p, line, t, diag);
	p = KMEM_AFTER(text, "mm_page_alloc_zone_locked:");
	if (p)
		return take_move(k, origin, p, true, line, t, diag);
	p = KMEM_AFTER(text, "mm_page_pcpu_drain:");
	if (p)
		return take_move(k, origin, p, false, line, t, diag);
	p = KMEM_AFTER(text, "mm_page_alloc_extfrag:");
	if (p)
		return take_fallback(p, line, t, diag);
	if (KMEM_AFTER(text, "mm_page_free_batched:")) {
		trace_skip(t, TRACE_SKIP_BATCHED);
		return 0;
	}
	slab = kmem_slab_kind(text, &p);
	if (slab)
		return take_slab(k, origin, slab, p, line, t, diag);
	cma = kmem_cma_kind(text, &p);
	if (cma)
		return take_cma(k, origin, cma, p, line, t, diag);
	p = KMEM_AFTER(text, "bulk:");
	if (p)
		take_bulk(k, origin, p);
	p = KMEM_AFTER(text, "bulkret:");
	if (p) {
		trace_skip(t, TRACE_SKIP_OTHER_EVENT);
		return take_bulk_return(k, origin, p, line, t, diag);
	}
	if (k->started && origin->seconds >= k->first_s &&
	    origin->seconds <= k->first_s + MAX_SECONDS)
		thread_pace_line(k->pace, text,
				 (origin->seconds - k->first_s) * PS_PER_S + origin->fraction_ps);
	told = tasks_line(k->tasks, origin, text, t);
	if (told < 0)
		return events_error(told, line, t, diag);
	trace_skip(t, told ? TRACE_SKIP_TASK : TRACE_SKIP_OTHER_EVENT);
	return 0;
}

/* The events from `first` on are of the line's task. */
static int note_task(struct kmem *k, const struct kmem_origin *origin, struct trace *t,
		     size_t first)
{
	size_t len = origin->comm_len < sizeof(k->comm) ? origin->comm_len : sizeof(k->comm);
	int err = 0;

	if (!origin->comm)
		return 0;
	if (!k->comm_len || len != k->comm_len || origin->pid != k->pid ||
	    memcmp(origin->comm, k->comm, len) != 0) {
		err = trace_add_task(t, origin->comm, origin->comm_len, origin->pid, &k->task);
		memcpy(k->comm, origin->comm, len);
		k->comm_len = len;
		k->pid = origin->pid;
	}
	return err ? err : trace_take_turn(t, first, k->task);
}

int kmem_event(struct kmem *k, const struct kmem_origin *origin, const char *text,
	       const struct stream_line *line, struct trace *t, struct diag *diag)
{
	size_t before = t->nr_events;
	int err = take_event(k, origin, text, line, t, diag);

	if (!err && t->nr_events > before)
		err = note_task(k, origin, t, before);
	if (err == -ENOSPC)
		return diag_error(diag, -EINVAL, t->file, trace_line_number(line),
				  "more than %u different tasks", TRACE_MAX_TASKS - 1);
	return err;
}

/* Not a line of all that are no comments? */
static bool none_is_read(const struct trace *t)
{
	uint64_t read = t->nr_events + t->nr_moves;

	for (int why = 0; why < TRACE_NR_SKIPS; why++)
		if (why != TRACE_SKIP_COMMENT && why != TRACE_SKIP_UNREADABLE)
			read += t->skipped[why];
	return !read && t->skipped[TRACE_SKIP_UNREADABLE];
}

int kmem_finish(struct kmem *k, const char *expected, struct trace *t, struct diag *diag)
{
	if (none_is_read(t))
		return diag_error(diag, -EINVAL, t->file, t->first_unreadable_line,
				  "expected %s, with times in seconds as of trace_clock local, "
				  "found '%s', and no other line that can be read",
				  expected, t->first_unreadable);
	if (k->told)
		told_finish(k->told, t);
	else
		thread_pace_finish(k->pace, t);
	return 0;
}
