/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The programs that the simulated CPUs run in a replay, and how they wait for each other's pages.
 * It knows operations and pages, not what they cost: that is between mm/ and the cost sink.
 */
#include <errno.h>
#include <stdlib.h>

#include "mm/kthread.h"
#include "mm/start.h"
#include "sim/large.h"
#include "sim/replay/replay_state.h"
#include "sim/replay/strands.h"

#define PROGRESS_EVERY 8192
#define MAX_PS         (REPLAY_MAX_S * UINT64_C(1000000000000))

static void progress(struct replay *r)
{
	if (++r->done % PROGRESS_EVERY == 0 && r->options->progress)
		r->options->progress(r->options->progress_arg, r->done, r->trace->nr_events);
}

/* Something happened to the page: those who sleep for it look again. */
static void notify(struct replay *r, uint32_t number)
{
	struct replay_page *p = &r->pages[number];

	if (!p->awaited)
		return;
	p->awaited = false;
	for (int cpu = 0; cpu < r->nr_cpus; cpu++)
		if (r->cpus[cpu].waits_for == number)
			sim_wake(r->sim, cpu);
}

/* Sleep until the page is allocated and, for its free, until nothing else is pending on it. */
void replay_wait_for_page(struct replay *r, int cpu, uint32_t number, bool alone)
{
	struct replay_page *p = &r->pages[number];

	while (!r->stopped && (!p->allocated || (alone && p->pending))) {
		p->awaited = true;
		r->cpus[cpu].waits_for = number;
		if (sim_sleep(r->sim, cpu))
			r->stopped = true;
	}
	r->cpus[cpu].waits_for = TRACE_NO_PAGE;
}

/* The operation is over once its time has passed: only then may others go on. */
void replay_finish(struct replay *r, int cpu, uint32_t number)
{
	sim_settle(r->sim, cpu);
	r->pages[number].pending--;
	notify(r, number);
}

/* Nodes that a trace may ask for. */
static int nr_nodes(struct sim *s)
{
	const struct mm_config *config = &sim_machine(s)->mm;

	if (config->params.numa_off || config->params.numa_fake)
		return mm_nr_nodes(sim_mm(s));
	return config->nr_nodes;
}

static size_t index_of(const struct replay *r, const struct trace_event *ev)
{
	return (size_t)(ev - r->trace->events);
}

/* The kernel would wait for ever. */
static bool is_stuck(const struct replay *r)
{
	struct mm_counters counters;

	mm_counters(r->mm, &counters);
	return counters.nofail_stuck > 0;
}

/* The simulated slab allocator takes pages of its own. */
static bool leave_out_slab_page(struct replay *r, int cpu, const struct trace_event *ev)
{
	struct replay_page *p = &r->pages[ev->page];

	if (!r->slab || !(ev->op == TRACE_ALLOC ? ev->flags & TRACE_F_SLAB : p->of_slab))
		return false;
	r->counts->slab.pages_left_out++;
	p->of_slab = p->allocated = true;
	if (ev->op == TRACE_ALLOC)
		replay_finish(r, cpu, ev->page);
	return true;
}

/*
 * The trace's kcompactd moves a page: it takes a target in the zone of the other, and then frees
 * that, by the event `from`. The simulated kcompactd moves what it finds.
 */
static void do_target(struct replay *r, int cpu, const struct trace_event *ev,
		      const struct trace_event *from)
{
	struct replay_page *p = &r->pages[ev->page];
	const struct page *source = r->pages[from->page].page;
	bool is_known = true;
	int nid, zone;

	if (source) {
		nid = mm_page_to_nid(r->mm, source);
		zone = mm_page_zonenum(r->mm, source);
	} else {
		is_known = !mm_pfn_zone(r->mm, trace_pfn(r->trace, from->page), &nid, &zone);
	}
	p->unmoved = !is_known || r->options->reclaim != REPLAY_RECLAIM_TRACE ||
		     mm_take_target(r->mm, cpu, nid, zone, ev->order, &p->page);
	p->allocated = true;
	sim_settle(r->sim, cpu);
	replay_finish(r, cpu, ev->page);
}

static void do_alloc(struct replay *r, int cpu, const struct trace_event *ev)
{
	const struct trace_event *from = trace_moved_from(r->trace, index_of(r, ev));
	struct page *page, **small = NULL;

	if (from) {
		do_target(r, cpu, ev, from);
		return;
	}
	if (ev->page != TRACE_NO_PAGE && leave_out_slab_page(r, cpu, ev))
		return;

	if (replay_alloc(&r->policies, cpu, ev, &page)) {
		page = NULL;
		if (ev->page != TRACE_NO_PAGE && replay_huge_is(&r->policies, ev))
			small = replay_huge_replace(&r->policies, cpu, ev, &r->counts->huge);
		if (small)
			r->counts->allocs++;
		else
			r->counts->failed++;
		if (is_stuck(r))
			r->stopped = true;
	} else {
		r->counts->allocs++;
		mm_page_to_pfn(r->mm, cpu, page); /* for the page table entry */
	}
	if (r->options->placement)
		placement_alloc(r->options->placement, index_of(r, ev), cpu, page);
	if (ev->page == TRACE_NO_PAGE) {
		/* It failed on the real machine, so nobody frees it; here it may have gone well. */
		r->counts->failed_in_trace++;
		if (page)
			mm_free_pages(r->mm, cpu, page, ev->order);
		sim_settle(r->sim, cpu);
		return;
	}
	replay_reclaim_own(r->reclaim, cpu, ev, page, &r->pages[ev->page].page);
	sim_settle(r->sim, cpu);
	r->pages[ev->page].small = small;
	r->pages[ev->page].allocated = true;
	r->pages[ev->page].order = ev->order;
	if (page)
		replay_reclaim_follow(r->reclaim, cpu, ev);
	replay_finish(r, cpu, ev->page);
}

/* What the trace's kswapd frees goes to lists that are short at that time, as all of its zones. */
static void note_kswapd(struct replay *r, const struct trace_event *ev, bool active)
{
	pfn_t pfn = trace_pfn(r->trace, ev->page);
	int nid, zone;

	if ((ev->flags & TRACE_F_KSWAPD) && r->options->reclaim == REPLAY_RECLAIM_TRACE &&
	    pfn != TRACE_NO_PFN && !mm_pfn_zone(r->mm, pfn, &nid, &zone))
		mm_set_kswapd_outside(r->mm, nid, active);
}

/* The page is not known here, but its zone is, and what kind of pages stood around it. */
static void do_free_held(struct replay *r, int cpu, const struct trace_event *ev)
{
	pfn_t pfn = trace_pfn(r->trace, ev->page);
	int nid, zone;

	if (replay_reclaim_skips(r->reclaim, ev))
		return;
	if (!r->options->started || mm_pfn_zone(r->mm, pfn, &nid, &zone) ||
	    mm_free_held(r->mm, cpu, nid, zone, held_type(r->held, pfn, ev->order), ev->order)) {
		r->counts->unknown++;
		return;
	}
	r->counts->held_frees++;
	sim_settle(r->sim, cpu);
}

static void do_free(struct replay *r, int cpu, const struct trace_event *ev)
{
	struct replay_page *p = &r->pages[ev->page];
	struct page *page;

	if (replay_reclaim_skips(r->reclaim, ev))
		return;
	replay_wait_for_page(r, cpu, ev->page, true);
	if (leave_out_slab_page(r, cpu, ev))
		return;
	if (p->unmoved) {
		do_free_held(r, cpu, ev);
		return;
	}
	if (p->small) {
		replay_huge_free(r->mm, cpu, p->small, ev->order);
		p->small = NULL;
		r->counts->frees++;
		sim_settle(r->sim, cpu);
		return;
	}
	if (!p->page) {
		if (!replay_reclaim_took(r->reclaim, ev))
			r->counts->lost++;
		return;
	}
	/* The page table entry holds a frame number: the way back to the descriptor. */
	mm_pfn_to_page(r->mm, cpu, mm_page_to_pfn(r->mm, MM_NO_CPU, p->page));
	page = p->page;
	p->page = NULL;
	note_kswapd(r, ev, true);
	mm_free_pages(r->mm, cpu, page, ev->order);
	note_kswapd(r, ev, false);
	r->counts->frees++;
	sim_settle(r->sim, cpu);
}

/* Sleep until all splits of the page that come before are done. */
static void wait_for_order(struct replay *r, int cpu, uint32_t number, unsigned order)
{
	replay_wait_for_page(r, cpu, number, false);
	while (!r->stopped && r->pages[number].order != order) {
		r->pages[number].awaited = true;
		r->cpus[cpu].waits_for = number;
		if (sim_sleep(r->sim, cpu))
			r->stopped = true;
	}
	r->cpus[cpu].waits_for = TRACE_NO_PAGE;
}

/* The upper half of a page is a page of its own from now on. */
static void do_split(struct replay *r, int cpu, const struct trace_event *ev)
{
	struct replay_page *low = &r->pages[ev->bytes], *high = &r->pages[ev->page];

	wait_for_order(r, cpu, ev->bytes, ev->order + 1u);
	if (r->stopped)
		return;
	if (low->small)
		high->small = replay_huge_split(low->small, ev->order);
	else
		replay_reclaim_split(r->reclaim, cpu, ev, &low->page, &high->page);
	r->counts->splits++;
	sim_settle(r->sim, cpu);
	high->allocated = true;
	low->order = high->order = ev->order;
	replay_finish(r, cpu, ev->bytes);
	replay_finish(r, cpu, ev->page);
}

static void do_touch(struct replay *r, int cpu, const struct trace_event *ev)
{
	struct replay_page *p = &r->pages[ev->page];

	replay_wait_for_page(r, cpu, ev->page, false);
	if (p->object) {
		sim_touch(r->sim, cpu, p->object, ev->bytes, ev->write);
		r->counts->touches++;
	} else if (p->small && replay_huge_touch(r->sim, cpu, p->small, ev)) {
		r->counts->touches++;
	} else if (!p->small && replay_reclaim_touch(r->reclaim, cpu, ev, &p->page)) {
		sim_touch(r->sim, cpu, mm_page_address(r->mm, p->page), ev->bytes, ev->write);
		r->counts->touches++;
	} else {
		r->counts->lost++;
	}
	replay_finish(r, cpu, ev->page);
}

static void do_wait(struct replay *r, int cpu, const struct trace_event *ev)
{
	sim_idle_until(r->sim, cpu, sim_now_ps(r->sim, cpu) + ev->time_ps);
	r->counts->waits++;
}

/* Sleep until all that comes before event `i` in the trace is done. */
static void wait_for_turn(struct replay *r, int cpu, size_t i)
{
	r->cpus[cpu].waits_for_turn = true;
	while (!r->stopped && r->turn != i)
		if (sim_sleep(r->sim, cpu))
			r->stopped = true;
	r->cpus[cpu].waits_for_turn = false;
}

/* The event is done: whose turn is it? */
static void pass_turn(struct replay *r, int cpu)
{
	const struct trace *t = r->trace;
	int next;

	if (++r->turn == t->nr_events)
		return;
	next = t->events[r->turn].cpu % r->nr_cpus;
	if (next != cpu && r->cpus[next].waits_for_turn)
		sim_wake(r->sim, next);
}

/* Before an event: its turn and its time come. */
static void await(struct replay *r, int cpu, const struct trace_event *ev)
{
	if (r->options->timing == REPLAY_ORDER)
		wait_for_turn(r, cpu, index_of(r, ev));
	if (r->options->timing != REPLAY_ASAP && ev->op != TRACE_WAIT)
		sim_idle_until(r->sim, cpu, ev->time_ps - r->trace->first_ps);
	/* Who sits idle holds nobody up. */
	if (r->options->timing == REPLAY_ORDER && ev->op == TRACE_WAIT)
		pass_turn(r, cpu);
	if (r->options->timing == REPLAY_ORDER)
		replay_reclaim_turn(r->reclaim, cpu, index_of(r, ev));
	if (r->options->placement)
		placement_begin(r->options->placement, index_of(r, ev));
}

/*
 * After the CPU's event `i`: the trace's kcompactd has moved the last page that it moves of a page
 * block, and flushes the CPU's lists, so that what it has freed can merge.
 */
static void flush_behind(struct replay *r, int cpu, size_t i)
{
	const struct replay_cpu *c = &r->cpus[cpu];
	const struct trace_event *ev = &r->trace->events[c->events[i]], *next;
	unsigned order = mm_get_arch(r->mm)->pageblock_order;
	pfn_t pfn;
	int nid, zone;

	if (!i || trace_moved_from(r->trace, c->events[i - 1]) != ev ||
	    r->options->reclaim != REPLAY_RECLAIM_TRACE)
		return;
	pfn = trace_pfn(r->trace, ev->page);
	next = i + 1 < c->nr_events ? trace_moved_from(r->trace, c->events[i + 1]) : NULL;
	if (next && trace_pfn(r->trace, next->page) >> order == pfn >> order)
		return;
	if (!mm_pfn_zone(r->mm, pfn, &nid, &zone))
		mm_moved_block(r->mm, cpu, nid, zone);
	sim_settle(r->sim, cpu);
}

void replay_do_event(struct replay *r, int cpu, size_t i)
{
	const struct trace_event *ev = &r->trace->events[r->cpus[cpu].events[i]];

	await(r, cpu, ev);
	if (r->stopped)
		return;
	switch ((enum trace_op)ev->op) {
	case TRACE_ALLOC:
		do_alloc(r, cpu, ev);
		break;
	case TRACE_FREE:
		do_free(r, cpu, ev);
		flush_behind(r, cpu, i);
		break;
	case TRACE_TOUCH:
		do_touch(r, cpu, ev);
		break;
	case TRACE_WAIT:
		do_wait(r, cpu, ev);
		break;
	case TRACE_FREE_HELD:
		do_free_held(r, cpu, ev);
		flush_behind(r, cpu, i);
		break;
	case TRACE_SPLIT:
		do_split(r, cpu, ev);
		break;
	case TRACE_FILE:
	case TRACE_KMALLOC:
	case TRACE_CACHE_ALLOC:
	case TRACE_OBJECT_FREE:
	case TRACE_VMALLOC:
	case TRACE_VFREE:
	case TRACE_KMAP:
	case TRACE_KUNMAP:
	case TRACE_STEP:
	case TRACE_HOTPLUG:
	case TRACE_CALL:
	case TRACE_CMA_ALLOC:
	case TRACE_CMA_RELEASE:
		replay_workload_op(r, cpu, ev);
		break;
	}
	if (r->options->timing == REPLAY_ORDER && ev->op != TRACE_WAIT)
		pass_turn(r, cpu);
	progress(r);
}

static void run_cpu(struct sim *s, int cpu, void *arg)
{
	struct replay *r = arg;

	(void)s;
	if (replay_strands_run(r, cpu))
		return;
	for (size_t i = 0; i < r->cpus[cpu].nr_events && !r->stopped; i++)
		replay_do_event(r, cpu, i);
}

/* How long an operation has its CPU sit idle, by what it says. */
static uint64_t waits_ps(const struct trace *t, const struct trace_event *ev)
{
	if (ev->op == TRACE_CALL)
		return t->kernel->calls[ev->bytes].time_ps;
	return ev->op == TRACE_WAIT ? ev->time_ps : 0;
}

/* Nothing that a CPU sits idle for may take its clock beyond what it can hold. */
static int check_times(const struct replay *r)
{
	const struct trace *t = r->trace;

	for (int cpu = 0; cpu < r->nr_cpus; cpu++) {
		const struct replay_cpu *c = &r->cpus[cpu];
		uint64_t ps = r->options->timing == REPLAY_ASAP ? 0 : t->span_ps;

		for (size_t i = 0; i < c->nr_events && ps <= MAX_PS; i++) {
			const struct trace_event *ev = &t->events[c->events[i]];

			uint64_t waits = waits_ps(t, ev);

			ps = waits <= MAX_PS ? ps + waits : waits;
		}
		if (ps > MAX_PS)
			return -ERANGE;
	}
	return 0;
}

/* Deal the events out to the CPUs, and count what is pending on each page before its free. */
static int deal(struct replay *r)
{
	const struct trace *t = r->trace;

	for (size_t i = 0; i < t->nr_events; i++) {
		const struct trace_event *ev = &t->events[i];

		r->cpus[ev->cpu % r->nr_cpus].nr_events++;
		if (ev->op != TRACE_WAIT && ev->op != TRACE_FREE && ev->op != TRACE_FREE_HELD &&
		    ev->op != TRACE_OBJECT_FREE && ev->op != TRACE_VFREE &&
		    ev->op != TRACE_CMA_RELEASE && ev->page != TRACE_NO_PAGE)
			r->pages[ev->page].pending++;
		if (ev->op == TRACE_SPLIT)
			r->pages[ev->bytes].pending++;
	}
	for (int cpu = 0; cpu < r->nr_cpus; cpu++) {
		struct replay_cpu *c = &r->cpus[cpu];

		c->waits_for = TRACE_NO_PAGE;
		c->room = c->nr_events + 1;
		c->events = large_calloc(c->room, sizeof(*c->events));
		if (!c->events)
			return -ENOMEM;
		c->nr_events = 0;
	}
	for (size_t i = 0; i < t->nr_events; i++) {
		struct replay_cpu *c = &r->cpus[t->events[i].cpu % r->nr_cpus];

		c->events[c->nr_events++] = (uint32_t)i;
	}
	if (t->nr_cpus > r->nr_cpus)
		r->counts->folded_cpus = (uint64_t)(t->nr_cpus - r->nr_cpus);
	return 0;
}

/* Against the trace's times, reclaim is as slow as on the machine of the trace. */
static void set_pace(struct sim *s, const struct trace *t, const struct replay_options *options)
{
	if (options->timing != REPLAY_ASAP && options->reclaim == REPLAY_RECLAIM_SIMULATE)
		sim_set_reclaim_pace(s, &(struct sim_reclaim_pace){.page_ps = t->kswapd_page_ps,
								   .wake_ps = t->kswapd_wake_ps});
}

int replay_run(struct sim *s, const struct trace *t, const struct replay_options *options,
	       struct replay_counts *counts)
{
	struct replay r = {
		.sim = s,
		.mm = sim_mm(s),
		.trace = t,
		.options = options,
		.counts = counts,
		.nr_cpus = mm_nr_cpus(sim_mm(s)),
	};
	int err = -ENOMEM;

	*counts = (struct replay_counts){.kernel.views_json = options->views_json};
	r.pages = large_calloc(t->nr_pages + (size_t)1, sizeof(*r.pages));
	r.cpus = calloc((size_t)r.nr_cpus, sizeof(*r.cpus));
	if (r.pages && r.cpus)
		err = replay_policies_init(&r.policies, r.mm, nr_nodes(s), t);
	if (!err)
		err = deal(&r);
	if (!err)
		err = replay_reclaim_new(s, t, options->reclaim, &counts->reclaim, &r.reclaim);
	r.policies.reclaim = r.reclaim;
	if (!err)
		err = replay_reclaim_follow_raised(r.reclaim, options->raised, options->nr_raised);
	set_pace(s, t, options);
	if (!err)
		err = replay_files_new(s, t, r.reclaim, &counts->files, &r.files);
	if (!err)
		err = replay_slab_new(&r.policies, options->slab_pages_of_trace, &counts->slab,
				      &r.slab);
	if (!err)
		err = replay_maps_new(s, t, &counts->maps, &r.maps);
	if (!err)
		err = replay_kernel_new(s, t, &counts->kernel, &r.kernel);
	if (!err)
		err = replay_processes_new(s, &r.policies, &counts->processes, &r.processes);
	if (!err && options->started)
		err = held_types_new(t, mm_get_arch(r.mm)->pageblock_order, &r.held);
	if (!err)
		err = check_times(&r);
	if (!err)
		err = replay_strands_new(&r);
	for (int cpu = 0; cpu < r.nr_cpus && !err; cpu++)
		if (r.cpus[cpu].nr_events)
			err = sim_spawn(s, cpu, run_cpu, &r);
	if (!err)
		err = sim_run(s);
	replay_kernel_leaks(r.kernel);
	if ((!err || err == -EDEADLK) && is_stuck(&r))
		err = -ENOBUFS;
	replay_strands_free(&r);
	for (int cpu = 0; r.cpus && cpu < r.nr_cpus; cpu++)
		large_free(r.cpus[cpu].events, r.cpus[cpu].room, sizeof(*r.cpus->events));
	free(r.cpus);
	for (uint32_t i = 0; r.pages && i < t->nr_pages; i++)
		free(r.pages[i].small);
	large_free(r.pages, t->nr_pages + (size_t)1, sizeof(*r.pages));
	replay_files_free(r.files);
	replay_slab_free(r.slab);
	replay_maps_free(r.maps);
	replay_processes_free(r.processes);
	replay_kernel_free(r.kernel);
	replay_reclaim_free(r.reclaim);
	replay_policies_clear(&r.policies);
	held_types_free(r.held);
	return err;
}

void replay_counts_clear(struct replay_counts *counts)
{
	replay_plugs_clear(&counts->plugs);
	replay_kernel_counts_clear(&counts->kernel);
	free(counts->processes.of);
	free(counts->processes.times);
	counts->processes = (struct replay_process_counts){0};
}
