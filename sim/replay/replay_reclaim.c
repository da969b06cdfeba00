/* SPDX-License-Identifier: Apache-2.0 */
/* Pages of a trace and what simulated reclaim does to them. */
#include "sim/replay/replay_reclaim.h"

#include <errno.h>
#include <stdlib.h>

#include "mm/hotplug/hotplug.h"
#include "mm/kthread.h"
#include "mm/reclaim/lru.h"
#include "mm/start.h"
#include "sim/replay/reclaim_told.h"

#define SPLIT_AGAIN_PS 1000000 /* a page that is busy is looked at again */

/* How a page of the trace was taken, and what to ask for if it is wanted back. */
enum fate { HERE, RECLAIMED, SWAPPED };

struct followed {
	struct page **slot;
	gfp_t gfp;
	int cpus[SIM_MAX_USERS]; /* that used it last, and before; MM_NO_CPU */
	uint8_t order, fate, kind;
	uint64_t shadow; /* of when it was reclaimed; 0: it has not been */
};

struct replay_reclaim {
	struct sim *sim;
	struct mm *mm;
	enum replay_reclaim_mode mode;
	struct replay_reclaim_counts *counts;
	struct followed *pages; /* by number in the trace */
	uint32_t *number_at;    /* by frame: the page there, + 1 */
	size_t nr_frames;
	struct sim_owner owner;
	const struct raised *raised; /* by `from` */
	size_t nr_raised, next_raised;
	size_t *ends; /* by zone: + 1, the event before which it is lowered; 0: it is not raised */
	size_t first_end; /* the least of the events; SIZE_MAX */
	const struct trace *trace;
	struct reclaim_told *told; /* NULL: nothing is owed to anybody */
	uint64_t forgiven;         /* pages of mm_counters.owed that reclaim has freed since */
};

static void taken(void *arg, int cpu, struct page *page, bool swapped, uint64_t shadow)
{
	struct replay_reclaim *r = arg;
	pfn_t pfn = mm_page_to_pfn(r->mm, MM_NO_CPU, page);
	struct followed *f;

	(void)cpu;
	if (!r->number_at[pfn])
		return;
	f = &r->pages[r->number_at[pfn] - 1];
	r->number_at[pfn] = 0;
	*f->slot = NULL;
	f->fate = swapped ? SWAPPED : RECLAIMED;
	f->shadow = shadow;
}

static void moved(void *arg, int cpu, struct page *from, struct page *to)
{
	struct replay_reclaim *r = arg;
	pfn_t pfn = mm_page_to_pfn(r->mm, MM_NO_CPU, from);
	uint32_t number = r->number_at[pfn];

	(void)cpu;
	if (!number)
		return;
	r->number_at[pfn] = 0;
	r->number_at[mm_page_to_pfn(r->mm, MM_NO_CPU, to)] = number;
	*r->pages[number - 1].slot = to;
	r->counts->moved++;
}

/* Not what replaces a huge page, nor what faults of a workload took: those are others' to find. */
static bool may_move(void *arg, const struct page *page)
{
	const struct replay_reclaim *r = arg;
	uint32_t number = r->number_at[mm_page_to_pfn(r->mm, MM_NO_CPU, page)];

	return number && *r->pages[number - 1].slot == page;
}

static int users(void *arg, const struct page *page, int cpus[SIM_MAX_USERS])
{
	const struct replay_reclaim *r = arg;
	uint32_t number = r->number_at[mm_page_to_pfn(r->mm, MM_NO_CPU, page)];
	int nr = 0;

	for (int i = 0; number && i < SIM_MAX_USERS; i++)
		if (r->pages[number - 1].cpus[i] != MM_NO_CPU)
			cpus[nr++] = r->pages[number - 1].cpus[i];
	return nr;
}

/* The page's user is on that CPU. */
static void note_use(struct followed *f, int cpu)
{
	if (f->cpus[0] == cpu)
		return;
	f->cpus[1] = f->cpus[0];
	f->cpus[0] = cpu;
}

int replay_reclaim_new(struct sim *s, const struct trace *t, enum replay_reclaim_mode mode,
		       struct replay_reclaim_counts *counts, struct replay_reclaim **out)
{
	struct replay_reclaim *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	*r = (struct replay_reclaim){
		.sim = s, .mm = sim_mm(s), .mode = mode, .counts = counts, .trace = t};
	*counts = (struct replay_reclaim_counts){0};
	*out = r;
	mm_set_reclaim_outside(r->mm, mode == REPLAY_RECLAIM_TRACE);
	if (mode == REPLAY_RECLAIM_TRACE)
		return reclaim_told_new(t, &r->told);
	r->nr_frames = mm_frames_end(r->mm);
	r->pages = calloc((size_t)t->nr_pages + 1, sizeof(*r->pages));
	r->number_at = calloc(r->nr_frames + 1, sizeof(*r->number_at));
	if (!r->pages || !r->number_at)
		return -ENOMEM;
	mm_follow_held(r->mm);
	r->owner = (struct sim_owner){
		.reclaimed = taken, .moved = moved, .may_move = may_move, .users = users, .arg = r};
	sim_set_owner(s, &r->owner);
	return 0;
}

void replay_reclaim_free(struct replay_reclaim *r)
{
	if (!r)
		return;
	sim_set_owner(r->sim, NULL);
	free(r->pages);
	free(r->number_at);
	free(r->ends);
	reclaim_told_free(r->told);
	free(r);
}

int replay_reclaim_follow_raised(struct replay_reclaim *r, const struct raised *raised, size_t nr)
{
	if (r->mode != REPLAY_RECLAIM_TRACE || !nr)
		return 0;
	r->ends = calloc((size_t)mm_nr_nodes(r->mm) * MM_MAX_ZONES, sizeof(*r->ends));
	if (!r->ends)
		return -ENOMEM;
	r->raised = raised;
	r->nr_raised = nr;
	r->first_end = SIZE_MAX;
	return 0;
}

/* Zones whose time is over by event `i`. */
static void lower(struct replay_reclaim *r, int cpu, size_t i)
{
	r->first_end = SIZE_MAX;
	for (int z = 0; z < mm_nr_nodes(r->mm) * MM_MAX_ZONES; z++) {
		if (!r->ends[z])
			continue;
		if (r->ends[z] - 1 <= i) {
			r->ends[z] = 0;
			mm_hold_boost(r->mm, cpu, z / MM_MAX_ZONES, z % MM_MAX_ZONES, false);
		} else if (r->ends[z] - 1 < r->first_end) {
			r->first_end = r->ends[z] - 1;
		}
	}
}

void replay_reclaim_turn(struct replay_reclaim *r, int cpu, size_t i)
{
	while (r->next_raised < r->nr_raised && r->raised[r->next_raised].from <= i) {
		const struct raised *next = &r->raised[r->next_raised++];
		size_t *end = &r->ends[next->nid * MM_MAX_ZONES + next->zone];

		if (*end < next->to + 1)
			*end = next->to + 1;
		if (next->to < r->first_end)
			r->first_end = next->to;
		mm_hold_boost(r->mm, cpu, next->nid, next->zone, true);
	}
	if (r->ends && r->first_end <= i)
		lower(r, cpu, i);
}

/* What was taken below the watermarks, and not freed by the trace's reclaim since. */
static uint64_t debt(const struct replay_reclaim *r)
{
	struct mm_counters counters;

	mm_counters(r->mm, &counters);
	return counters.owed - r->forgiven;
}

bool replay_reclaim_owes(const struct replay_reclaim *r, const struct trace_event *ev)
{
	return r->told && !(ev->flags & TRACE_F_FAILED) &&
	       reclaim_told_near(r->told, (size_t)(ev - r->trace->events)) > debt(r);
}

bool replay_reclaim_skips(struct replay_reclaim *r, const struct trace_event *ev)
{
	if (!(ev->flags & TRACE_F_RECLAIM))
		return false;
	if (r->mode == REPLAY_RECLAIM_TRACE) {
		uint64_t pages = UINT64_C(1) << ev->order, owed = debt(r);

		r->forgiven += pages < owed ? pages : owed;
		return false;
	}
	r->counts->left_out++;
	return true;
}

/* It is found by its frame from now on. */
static void own(struct replay_reclaim *r, int cpu, uint32_t number, struct page *page)
{
	struct followed *f = &r->pages[number];

	f->fate = HERE;
	note_use(f, cpu);
	*f->slot = page;
	r->number_at[mm_page_to_pfn(r->mm, MM_NO_CPU, page)] = number + 1;
}

void replay_reclaim_own(struct replay_reclaim *r, int cpu, const struct trace_event *ev,
			struct page *page, struct page **slot)
{
	*slot = page;
	if (r->mode == REPLAY_RECLAIM_TRACE || !page)
		return;
	r->pages[ev->page] =
		(struct followed){.slot = slot,
				  .gfp = ev->gfp,
				  .cpus = {MM_NO_CPU, MM_NO_CPU},
				  .shadow = r->pages[ev->page].shadow,
				  .order = ev->order,
				  .kind = (uint8_t)mm_page_kind_by_gfp(ev->gfp, ev->order)};
	own(r, cpu, ev->page, page);
}

/* To the lists: with what is remembered of it, if it was there before. */
static void put_on_list(struct replay_reclaim *r, int cpu, struct followed *f)
{
	if (!*f->slot || f->kind == MM_PAGE_NONE)
		return;
	mm_refault(r->mm, cpu, *f->slot, (enum mm_page_kind)f->kind, f->shadow);
	f->shadow = 0;
	mm_lru_add(r->mm, cpu, *f->slot, (enum mm_page_kind)f->kind);
}

void replay_reclaim_follow(struct replay_reclaim *r, int cpu, const struct trace_event *ev)
{
	if (r->mode != REPLAY_RECLAIM_TRACE && r->pages[ev->page].slot)
		put_on_list(r, cpu, &r->pages[ev->page]);
}

void replay_reclaim_split(struct replay_reclaim *r, int cpu, const struct trace_event *ev,
			  struct page **low, struct page **high)
{
	pfn_t half = (pfn_t)1 << ev->order;
	struct followed *f;
	pfn_t pfn;

	/* While reclaim or a disk has a hold of it, or it is on its way to another frame. */
	while (*low && mm_split_page(r->mm, cpu, *low, ev->order) == -EBUSY)
		sim_idle_until(r->sim, cpu, sim_now_ps(r->sim, cpu) + SPLIT_AGAIN_PS);
	*high = *low ? *low + half : NULL;
	if (r->mode == REPLAY_RECLAIM_TRACE)
		return;
	f = &r->pages[ev->bytes];
	f->order = ev->order;
	r->pages[ev->page] = *f;
	r->pages[ev->page].slot = high;
	if (!*low)
		return;
	pfn = mm_page_to_pfn(r->mm, MM_NO_CPU, *low);
	if (r->number_at[pfn] == ev->bytes + 1)
		r->number_at[pfn + half] = ev->page + 1;
}

bool replay_reclaim_took(struct replay_reclaim *r, const struct trace_event *ev)
{
	struct followed *f;

	if (r->mode == REPLAY_RECLAIM_TRACE)
		return false;
	f = &r->pages[ev->page];
	if (f->fate == HERE)
		return false;
	if (f->fate == SWAPPED)
		mm_swap_drop(r->mm, f->order);
	f->fate = HERE;
	r->counts->already_gone++;
	return true;
}

/* A page fault that has to wait for the content. */
static struct page *read_back(struct replay_reclaim *r, int cpu, uint32_t number)
{
	struct followed *f = &r->pages[number];
	struct mm_request req = {
		.cpu = cpu, .nid = MM_NO_NODE, .order = f->order, .gfp = f->gfp & ~__GFP_ZERO};
	struct page *page;

	bool swapped = f->fate == SWAPPED;

	if (mm_alloc_pages(r->mm, &req, &page))
		return NULL;
	own(r, cpu, number, page);
	if (swapped) {
		mm_swap_in(r->mm, cpu, page);
		r->counts->swapped_in++;
	} else {
		mm_file_read(r->mm, cpu, UINT64_C(1) << f->order);
		r->counts->read_again++;
	}
	/* It may have moved while it was read. */
	put_on_list(r, cpu, f);
	return *f->slot;
}

struct page *replay_reclaim_touch(struct replay_reclaim *r, int cpu, const struct trace_event *ev,
				  struct page **slot)
{
	if (r->mode == REPLAY_RECLAIM_TRACE)
		return *slot;
	if (!*slot && r->pages[ev->page].fate != HERE)
		read_back(r, cpu, ev->page);
	if (*slot) {
		note_use(&r->pages[ev->page], cpu);
		mm_page_touched(r->mm, cpu, *slot, ev->write);
	}
	return *slot;
}
