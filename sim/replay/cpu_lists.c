/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goes through the trace once, with a bit for each frame: whether it has been seen. The trace says
 * on which CPU a block was allocated, but not on which it was moved: a list is filled just before
 * the allocation that found it empty, and drained just behind the free that made it too long.
 */
#include "sim/replay/cpu_lists.h"

#include <errno.h>
#include <stdlib.h>

struct walk {
	const struct trace *t;
	const struct mm *mm;
	struct captured_state *s;
	uint64_t *seen; /* a bit for each frame below nr_frames */
	pfn_t nr_frames;
};

bool cpu_lists_have(const struct mm *mm, unsigned order)
{
	return order <= PAGE_ALLOC_COSTLY_ORDER || order == mm_get_arch(mm)->pageblock_order;
}

/* Returns whether any frame of the block had been seen before. */
static bool see(struct walk *w, pfn_t pfn, unsigned order)
{
	pfn_t end = pfn + (UINT64_C(1) << order);
	bool before = false;

	for (; pfn < end && pfn < w->nr_frames; pfn++) {
		uint64_t bit = UINT64_C(1) << pfn % 64;

		before |= (w->seen[pfn / 64] & bit) != 0;
		w->seen[pfn / 64] |= bit;
	}
	return before;
}

/* The lists of a CPU for the zone of that frame; NULL where nothing is known of them. */
static struct mm_pcp_state *lists_of(const struct walk *w, int cpu, pfn_t pfn)
{
	size_t nr_cpus = (size_t)mm_nr_cpus(w->mm);
	int nid, zone;

	if (cpu >= (int)nr_cpus || mm_pfn_zone(w->mm, pfn, &nid, &zone))
		return NULL;
	for (size_t i = 0; i < w->s->nr_zones; i++)
		if (w->s->zones[i].nid == nid && w->s->zones[i].zone == zone)
			return &w->s->pcp[i * nr_cpus + (size_t)cpu];
	return NULL;
}

/* The block was on the CPU's list from before the window, if what is there has not been seen all.
 */
static void was_there(struct walk *w, int cpu, pfn_t pfn, unsigned order, unsigned type)
{
	struct mm_pcp_state *pcp = lists_of(w, cpu, pfn);
	uint64_t known = UINT64_C(1) << order;
	unsigned list = mm_pcp_list(order, (enum mm_migratetype)type);

	if (!pcp || pcp->all_known & 1u << list)
		return;
	for (unsigned i = 0; i < NR_PCP_LISTS; i++)
		known += pcp->least[i];
	if (known <= pcp->count)
		pcp->least[list] += UINT64_C(1) << order;
}

/* An empty list is filled: nothing of before is left on it. */
static void filled(const struct walk *w, const struct trace_move *m)
{
	const struct trace_event *ev = &w->t->events[m->event];
	struct mm_pcp_state *pcp;

	if (m->event >= w->t->nr_events || ev->op != TRACE_ALLOC || ev->order != m->order ||
	    !cpu_lists_have(w->mm, m->order))
		return;
	pcp = lists_of(w, ev->cpu, m->pfn);
	if (pcp)
		pcp->all_known |= 1u << mm_pcp_list(m->order, (enum mm_migratetype)m->migratetype);
}

static void drained(struct walk *w, const struct trace_move *m)
{
	const struct trace_event *ev;

	if (!m->event || see(w, m->pfn, m->order) || !cpu_lists_have(w->mm, m->order))
		return;
	ev = &w->t->events[m->event - 1];
	if (ev->op == TRACE_FREE || ev->op == TRACE_FREE_HELD)
		was_there(w, ev->cpu, m->pfn, m->order, m->migratetype);
}

static void move(struct walk *w, const struct trace_move *m)
{
	if (m->fallback)
		return;
	if (!m->taken) {
		drained(w, m);
		return;
	}
	if (m->percpu)
		filled(w, m);
	see(w, m->pfn, m->order);
}

static void event(struct walk *w, const struct trace_event *ev)
{
	pfn_t pfn;

	if ((ev->op != TRACE_ALLOC && ev->op != TRACE_FREE && ev->op != TRACE_FREE_HELD) ||
	    ev->page == TRACE_NO_PAGE)
		return;
	pfn = trace_pfn(w->t, ev->page);
	if (pfn == TRACE_NO_PFN || see(w, pfn, ev->order) || ev->op != TRACE_ALLOC ||
	    (ev->flags & TRACE_F_INFERRED) || !cpu_lists_have(w->mm, ev->order))
		return;
	was_there(w, ev->cpu, pfn, ev->order, ev->migratetype);
}

int cpu_lists_at_start(const struct trace *t, const struct mm *mm, struct captured_state *s)
{
	struct walk w = {.t = t, .mm = mm, .s = s};
	struct mm_range range;
	size_t next = 0;

	for (size_t i = 0; mm_memblock_range(mm, false, i, &range); i++)
		w.nr_frames = (range.start + range.bytes) >> mm_get_arch(mm)->page_shift;
	if (!t->nr_moves)
		return 0;
	w.seen = calloc(w.nr_frames / 64 + 1, sizeof(*w.seen));
	if (!w.seen)
		return -ENOMEM;
	for (size_t i = 0; i < t->nr_events; i++) {
		for (; next < t->nr_moves && t->moves[next].event <= i; next++)
			move(&w, &t->moves[next]);
		event(&w, &t->events[i]);
	}
	free(w.seen);
	return 0;
}
