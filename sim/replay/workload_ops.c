/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations of a replay that are none on pages of the trace: files, objects, mappings of
 * the kernel, steps of processes, hotplug. How each is done is in a file of its own; this one says
 * what it waits for and counts what comes of it.
 */
#include <errno.h>

#include "mm/alloc/contig.h"
#include "sim/replay/strands.h"

/* A file is its task's alone: its operations are in order. */
static void do_file(struct replay *r, int cpu, const struct trace_event *ev)
{
	if (!replay_file(r->files, cpu, ev))
		r->counts->failed++;
	r->pages[ev->page].allocated = true;
	replay_finish(r, cpu, ev->page);
}

static void do_object_alloc(struct replay *r, int cpu, const struct trace_event *ev)
{
	phys_addr_t object = 0;

	if (r->slab)
		object = replay_slab_alloc(r->slab, cpu, ev);
	else
		r->counts->slab.not_replayed++;
	if (ev->page == TRACE_NO_PAGE) {
		if (object)
			replay_slab_give(r->slab, cpu, object);
		sim_settle(r->sim, cpu);
		return;
	}
	r->pages[ev->page].object = object;
	r->pages[ev->page].allocated = true;
	replay_finish(r, cpu, ev->page);
}

static void do_vmalloc(struct replay *r, int cpu, const struct trace_event *ev)
{
	if (!replay_vmalloc(r->maps, cpu, ev))
		r->counts->failed++;
	r->pages[ev->page].allocated = true;
	replay_finish(r, cpu, ev->page);
}

static void do_object_free(struct replay *r, int cpu, const struct trace_event *ev)
{
	struct replay_page *p = &r->pages[ev->page];

	replay_wait_for_page(r, cpu, ev->page, true);
	if (p->object) {
		replay_slab_give(r->slab, cpu, p->object);
		p->object = 0;
	} else if (r->slab) {
		r->counts->lost++;
	} else {
		r->counts->slab.not_replayed++;
	}
	sim_settle(r->sim, cpu);
}

/* It failed on the real machine where it has no number, so nobody releases it. */
static void do_cma_alloc(struct replay *r, int cpu, const struct trace_event *ev)
{
	struct page *first = replay_cma_alloc(r->mm, cpu, ev, &r->counts->cma);
	struct replay_page *p;

	if (ev->page == TRACE_NO_PAGE) {
		r->counts->failed_in_trace++;
		if (first)
			mm_cma_release(r->mm, cpu, first, ev->bytes);
		sim_settle(r->sim, cpu);
		return;
	}
	p = &r->pages[ev->page];
	p->page = first;
	p->object = first ? mm_page_address(r->mm, first) : 0;
	p->nr_cma = ev->bytes;
	p->allocated = true;
	replay_finish(r, cpu, ev->page);
}

static void do_cma_release(struct replay *r, int cpu, const struct trace_event *ev)
{
	struct replay_page *p = &r->pages[ev->page];
	struct page *first;

	replay_wait_for_page(r, cpu, ev->page, true);
	first = p->page;
	if (r->stopped)
		return;
	p->page = NULL;
	p->object = 0;
	if (first)
		replay_cma_release(r->mm, cpu, first, p->nr_cma, &r->counts->cma);
	else
		r->counts->lost++;
	sim_settle(r->sim, cpu);
}

static void do_vfree(struct replay *r, int cpu, const struct trace_event *ev)
{
	replay_wait_for_page(r, cpu, ev->page, true);
	if (!r->stopped && !replay_vfree(r->maps, cpu, ev))
		r->counts->lost++;
	sim_settle(r->sim, cpu);
}

/* Of a page that is not there any more, nothing. Who waits for ever stops the run. */
static void do_kmap(struct replay *r, int cpu, const struct trace_event *ev)
{
	struct replay_page *p = &r->pages[ev->page];
	int err = 0;

	replay_wait_for_page(r, cpu, ev->page, false);
	if (r->stopped)
		return;
	if (!p->page)
		r->counts->lost++;
	else if (ev->op == TRACE_KUNMAP)
		replay_kunmap(r->maps, cpu, ev, p->page);
	else
		err = replay_kmap(r->maps, cpu, ev, p->page);
	r->stopped |= err == -EDEADLK;
	r->counts->failed += err && err != -EDEADLK;
	if (!r->stopped)
		replay_finish(r, cpu, ev->page);
}

/* After the step before, and, if it waits for a child, after the child's last. */
static void do_step(struct replay *r, int cpu, const struct trace_event *ev)
{
	uint32_t after = replay_step_after(r->processes, ev), last;

	if (after != TRACE_NO_PAGE)
		replay_wait_for_page(r, cpu, after, false);
	last = replay_step_awaits(r->processes, ev);
	if (last != TRACE_NO_PAGE && !r->stopped)
		replay_wait_for_page(r, cpu, last, false);
	if (r->stopped)
		return;
	r->pages[ev->page].allocated = replay_step(r->processes, cpu, ev);
	replay_finish(r, cpu, ev->page);
	if (r->pages[ev->page].allocated)
		replay_strands_kick(r);
}

/* Who waits for ever stops the run: for an entry of kmap's window, or for memory. */
static void do_kernel_call(struct replay *r, int cpu, const struct trace_event *ev)
{
	struct mm_counters counters;

	r->stopped |= replay_kernel_call(r->kernel, cpu, ev) == -EDEADLK;
	mm_counters(r->mm, &counters);
	r->stopped |= counters.nofail_stuck > 0;
}

void replay_workload_op(struct replay *r, int cpu, const struct trace_event *ev)
{
	switch ((enum trace_op)ev->op) {
	case TRACE_FILE:
		do_file(r, cpu, ev);
		break;
	case TRACE_KMALLOC:
	case TRACE_CACHE_ALLOC:
		do_object_alloc(r, cpu, ev);
		break;
	case TRACE_OBJECT_FREE:
		do_object_free(r, cpu, ev);
		break;
	case TRACE_CMA_ALLOC:
		do_cma_alloc(r, cpu, ev);
		break;
	case TRACE_CMA_RELEASE:
		do_cma_release(r, cpu, ev);
		break;
	case TRACE_VMALLOC:
		do_vmalloc(r, cpu, ev);
		break;
	case TRACE_VFREE:
		do_vfree(r, cpu, ev);
		break;
	case TRACE_HOTPLUG:
		replay_hotplug(r->sim, r->trace, cpu, ev, &r->counts->plugs);
		break;
	case TRACE_KMAP:
	case TRACE_KUNMAP:
		do_kmap(r, cpu, ev);
		break;
	case TRACE_STEP:
		do_step(r, cpu, ev);
		break;
	case TRACE_CALL:
		do_kernel_call(r, cpu, ev);
		break;
	case TRACE_ALLOC:
	case TRACE_FREE:
	case TRACE_TOUCH:
	case TRACE_WAIT:
	case TRACE_FREE_HELD:
	case TRACE_SPLIT:
		break; /* replay.c does them */
	}
}
