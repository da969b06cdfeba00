/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The states of frames are bits in groups of 64, by a hash that only grows; allocations that live
 * are in a livemap. Memory is bounded by the lines: at most 16 groups, of the largest block, a
 * line.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mm/gfp.h"
#include "sim/trace/frames.h"
#include "sim/trace/livemap.h"
#include "sim/trace/reader.h"

#define GROUP_SHIFT 6
#define FIRST_BITS  10
#define NO_GROUP    UINT64_MAX
#define NO_FILLED   UINT32_MAX
#define HUGE_ORDER  9  /* has a per-CPU list too */
#define MOST_LOOKS  64 /* targets of moves that are looked at for a frame */

/* 64 frames; a frame in neither mask has not been seen. */
struct group {
	uint64_t number; /* pfn >> GROUP_SHIFT */
	uint64_t live;
	uint64_t free;
	uint64_t on_list; /* of the free ones: on a per-CPU list */
};

/* A block that came to a CPU's list when that was filled. */
struct filled {
	pfn_t pfn;
	uint32_t before; /* of the same filling, nearer to the list's head; NO_FILLED */
	uint16_t cpu;
	uint8_t order, migratetype;
	bool waits; /* nothing has been seen of it since */
};

/* A page of alloc_pages_bulk, or the target of a move, whose frame has not shown. */
struct unbound {
	uint32_t page;
	uint32_t next; /* of the same list; NO_FILLED */
	pfn_t source;  /* of a target: where its content was */
};

struct unbound_list {
	uint32_t first, last; /* NO_FILLED: none */
};

struct frames {
	struct livemap live;     /* by first frame, to the allocation */
	struct livemap fillings; /* by first frame, to the index in filled[], while it waits */
	struct group *groups;    /* 2^bits slots */
	unsigned bits;
	size_t nr_groups;
	struct filled *filled;
	size_t nr_filled, filled_room;
	struct unbound *unbound;
	size_t nr_unbound, unbound_room;
	struct unbound_list bulk[MM_MAX_CPUS], targets;
	uint32_t filling[MM_MAX_CPUS]; /* by CPU: the last of the filling that goes on; NO_FILLED */
};

static int make_groups(struct frames *f, unsigned bits)
{
	f->groups = malloc(sizeof(*f->groups) << bits);
	if (!f->groups)
		return -ENOMEM;
	for (size_t i = 0; i < (size_t)1 << bits; i++)
		f->groups[i].number = NO_GROUP;
	f->bits = bits;
	return 0;
}

struct frames *frames_new(void)
{
	struct frames *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	for (int cpu = 0; cpu < MM_MAX_CPUS; cpu++)
		f->filling[cpu] = f->bulk[cpu].first = NO_FILLED;
	f->targets.first = NO_FILLED;
	if (livemap_init(&f->live) || livemap_init(&f->fillings) || make_groups(f, FIRST_BITS)) {
		frames_free(f);
		return NULL;
	}
	return f;
}

void frames_free(struct frames *f)
{
	if (!f)
		return;
	if (f->live.slots)
		livemap_clear(&f->live);
	if (f->fillings.slots)
		livemap_clear(&f->fillings);
	free(f->groups);
	free(f->filled);
	free(f->unbound);
	free(f);
}

static struct group *slot_of(const struct frames *f, uint64_t number)
{
	size_t mask = ((size_t)1 << f->bits) - 1;
	size_t i =
		number * UINT64_C(0x9e3779b97f4a7c15) >> (64 - f->bits); /* 2^64 / golden ratio */

	while (f->groups[i].number != NO_GROUP && f->groups[i].number != number)
		i = (i + 1) & mask;
	return &f->groups[i];
}

/* The group, made where it is not there; NULL where there is no memory. */
static struct group *group_of(struct frames *f, uint64_t number)
{
	struct group *g = slot_of(f, number), *old = f->groups;
	size_t nr = (size_t)1 << f->bits;

	if (g->number == number)
		return g;
	if (f->nr_groups >= nr / 4 * 3) {
		if (make_groups(f, f->bits + 1)) {
			f->groups = old;
			return NULL;
		}
		for (size_t i = 0; i < nr; i++)
			if (old[i].number != NO_GROUP)
				*slot_of(f, old[i].number) = old[i];
		free(old);
		g = slot_of(f, number);
	}
	*g = (struct group){.number = number};
	f->nr_groups++;
	return g;
}

/* Those of the group's frames that lie in [pfn, end). */
static uint64_t group_mask(uint64_t number, pfn_t pfn, pfn_t end)
{
	pfn_t first = number << GROUP_SHIFT, last = first + 64;
	uint64_t mask = UINT64_MAX;

	if (pfn > first)
		mask &= UINT64_MAX << (pfn - first);
	if (end < last)
		mask &= UINT64_MAX >> (last - end);
	return mask;
}

enum state { LIVE, ON_BUDDY, ON_LIST };

static int set_state(struct frames *f, pfn_t pfn, unsigned order, enum state state)
{
	pfn_t end = pfn + (UINT64_C(1) << order);

	for (uint64_t n = pfn >> GROUP_SHIFT; n << GROUP_SHIFT < end; n++) {
		uint64_t mask = group_mask(n, pfn, end);
		struct group *g = group_of(f, n);

		if (!g)
			return -ENOMEM;
		g->live = state == LIVE ? g->live | mask : g->live & ~mask;
		g->free = state == LIVE ? g->free & ~mask : g->free | mask;
		g->on_list = state == ON_LIST ? g->on_list | mask : g->on_list & ~mask;
	}
	return 0;
}

/* The union of what the block's frames are. */
static struct group look(const struct frames *f, pfn_t pfn, unsigned order)
{
	pfn_t end = pfn + (UINT64_C(1) << order);
	struct group all = {0};

	for (uint64_t n = pfn >> GROUP_SHIFT; n << GROUP_SHIFT < end; n++) {
		const struct group *g = slot_of(f, n);
		uint64_t mask = group_mask(n, pfn, end);

		if (g->number != n)
			continue;
		all.live |= g->live & mask;
		all.free |= g->free & mask;
		all.on_list |= g->on_list & mask;
	}
	return all;
}

/* The allocation that `pfn` lies in, or NULL. */
static struct livemap_entry *live_around(const struct frames *f, pfn_t pfn)
{
	for (unsigned order = 0; order <= MAX_PAGE_ORDER; order++) {
		pfn_t head = pfn >> order << order;
		struct livemap_entry *e = livemap_find(&f->live, head);

		if (e && e->order >= order)
			return e;
	}
	return NULL;
}

/* A number for a page, with its frame. */
static int number_page(struct trace *t, pfn_t pfn, uint32_t *page)
{
	if (t->nr_pages >= TRACE_NO_PAGE - 1)
		return -E2BIG;
	*page = t->nr_pages;
	return trace_set_pfn(t, *page, pfn);
}

/* The page is gone although no line frees it. */
static int infer_free(struct frames *f, struct trace *t, const struct trace_event *cause,
		      struct livemap_entry *live)
{
	struct trace_event ev = {.op = TRACE_FREE,
				 .flags = TRACE_F_INFERRED,
				 .time_ps = cause->time_ps,
				 .line = cause->line,
				 .cpu = cause->cpu,
				 .page = live->page,
				 .order = live->order};
	int err = set_state(f, live->pfn, live->order, ON_BUDDY);

	livemap_remove(&f->live, live);
	t->inferred[TRACE_INFER_FREE]++;
	return err ? err : trace_append(t, &ev);
}

/* Nothing of the block may be allocated any more. */
static int infer_frees(struct frames *f, struct trace *t, const struct trace_event *cause,
		       pfn_t pfn, unsigned order)
{
	pfn_t end = pfn + (UINT64_C(1) << order);
	int err = 0;

	if (!look(f, pfn, order).live)
		return 0;
	while (pfn < end && !err) {
		struct livemap_entry *e = live_around(f, pfn);

		if (e) {
			pfn = e->pfn + (UINT64_C(1) << e->order);
			err = infer_free(f, t, cause, e);
		} else {
			pfn++;
		}
	}
	return err;
}

/* Append an allocation of the block at `pfn`, which becomes live. */
static int append_alloc(struct frames *f, struct trace *t, struct trace_event *ev, pfn_t pfn)
{
	int err = number_page(t, pfn, &ev->page);

	if (!err)
		err = livemap_add(&f->live, &(struct livemap_entry){pfn, ev->page, ev->order});
	if (!err)
		err = set_state(f, pfn, ev->order, LIVE);
	return err ? err : trace_append(t, ev);
}

/* The part of order `order` at `pfn` of a live block becomes a page of its own. */
static int infer_splits(struct frames *f, struct trace *t, const struct trace_event *cause,
			struct livemap_entry *live, pfn_t pfn, unsigned order)
{
	while (live->order > order) {
		struct livemap_entry upper = {.order = live->order - 1};
		struct trace_event ev = {.op = TRACE_SPLIT,
					 .flags = TRACE_F_INFERRED,
					 .time_ps = cause->time_ps,
					 .line = cause->line,
					 .cpu = cause->cpu,
					 .order = upper.order,
					 .bytes = live->page};
		pfn_t low = live->pfn;
		int err;

		upper.pfn = low + (UINT64_C(1) << upper.order);
		err = number_page(t, upper.pfn, &ev.page);
		upper.page = ev.page;
		live->order = upper.order;
		if (!err)
			err = livemap_add(&f->live, &upper);
		if (!err)
			err = trace_append(t, &ev);
		if (err)
			return err;
		t->inferred[TRACE_INFER_SPLIT]++;
		live = livemap_find(&f->live, pfn < upper.pfn ? low : upper.pfn);
	}
	return 0;
}

/* What takes pages without an event asks for them like this, by what it takes. */
static gfp_t gfp_of(unsigned migratetype)
{
	switch (migratetype) {
	case MM_MOVABLE:
		return GFP_HIGHUSER_MOVABLE;
	case MM_RECLAIMABLE:
		return GFP_KERNEL | __GFP_RECLAIMABLE;
	default:
		return GFP_KERNEL;
	}
}

/* An allocation whose frame is not known yet, at the end of the list. */
static int append_unbound(struct frames *f, struct trace *t, struct unbound_list *list,
			  struct trace_event *alloc, pfn_t source)
{
	uint32_t i = (uint32_t)f->nr_unbound;

	if (t->nr_pages >= TRACE_NO_PAGE - 1)
		return -E2BIG;
	if (f->nr_unbound == f->unbound_room) {
		size_t room = f->unbound_room ? 2 * f->unbound_room : 64;
		struct unbound *grown = realloc(f->unbound, room * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		f->unbound = grown;
		f->unbound_room = room;
	}
	alloc->page = t->nr_pages;
	f->unbound[f->nr_unbound++] = (struct unbound){alloc->page, NO_FILLED, source};
	if (list->first == NO_FILLED)
		list->first = i;
	else
		f->unbound[list->last].next = i;
	list->last = i;
	return trace_append(t, alloc);
}

int frames_bulk(struct frames *f, struct trace *t, const struct trace_event *ev, unsigned nr)
{
	struct trace_event alloc = *ev;
	int err = 0;

	alloc.op = TRACE_ALLOC;
	alloc.flags |= TRACE_F_INFERRED;
	f->filling[ev->cpu] = NO_FILLED;
	for (; nr && !err; nr--) {
		t->inferred[TRACE_INFER_BULK]++;
		err = append_unbound(f, t, &f->bulk[ev->cpu], &alloc, TRACE_NO_PFN);
	}
	return err;
}

/* The page at `pfn`, which is about to be freed, has moved. */
static int append_target(struct frames *f, struct trace *t, const struct trace_event *ev, pfn_t pfn)
{
	struct trace_event alloc = {.op = TRACE_ALLOC,
				    .flags = TRACE_F_INFERRED | TRACE_F_MIGRATE,
				    .time_ps = ev->time_ps,
				    .line = ev->line,
				    .cpu = ev->cpu,
				    .gfp = GFP_HIGHUSER_MOVABLE,
				    .migratetype = MM_MOVABLE};

	t->inferred[TRACE_INFER_TARGET]++;
	return append_unbound(f, t, &f->targets, &alloc, pfn);
}

/* A page of alloc_pages_bulk that this may be: the oldest that the CPU took, or any. */
static bool take_bulk(struct frames *f, const struct trace *t, int cpu, uint32_t *page)
{
	for (int i = -1; i < t->nr_cpus; i++) {
		struct unbound_list *list = &f->bulk[i < 0 ? cpu : i];

		if (list->first == NO_FILLED)
			continue;
		*page = f->unbound[list->first].page;
		list->first = f->unbound[list->first].next;
		return true;
	}
	return false;
}

/*
 * The target of a move that the frame may be. Pages move up in their zone: it is most likely the
 * one that comes from nearest below.
 */
static bool take_target(struct frames *f, pfn_t pfn, uint32_t *page)
{
	uint32_t before = NO_FILLED, best = NO_FILLED, before_best = NO_FILLED;
	unsigned looks = MOST_LOOKS;

	for (uint32_t i = f->targets.first; i != NO_FILLED && looks; looks--) {
		const struct unbound *u = &f->unbound[i];

		if (u->source < pfn && (best == NO_FILLED || u->source > f->unbound[best].source)) {
			best = i;
			before_best = before;
		}
		before = i;
		i = u->next;
	}
	if (best == NO_FILLED)
		return false;
	if (before_best == NO_FILLED)
		f->targets.first = f->unbound[best].next;
	else
		f->unbound[before_best].next = f->unbound[best].next;
	if (f->targets.last == best)
		f->targets.last = before_best;
	*page = f->unbound[best].page;
	return true;
}

/* Where a page of an allocation without a line is. */
static int bind(struct frames *f, struct trace *t, uint32_t page, pfn_t pfn)
{
	int err = trace_set_pfn(t, page, pfn);

	if (!err)
		err = livemap_add(&f->live, &(struct livemap_entry){pfn, page, 0});
	return err ? err : set_state(f, pfn, 0, LIVE);
}

static int infer_alloc(struct frames *f, struct trace *t, const struct trace_event *cause,
		       const struct filled *block, enum trace_infer why)
{
	struct trace_event ev = {.op = TRACE_ALLOC,
				 .flags = TRACE_F_INFERRED,
				 .time_ps = cause->time_ps,
				 .line = cause->line,
				 .cpu = block->cpu,
				 .order = block->order,
				 .gfp = gfp_of(block->migratetype)};

	if (!block->order && (why == TRACE_INFER_BULK ? take_bulk(f, t, block->cpu, &ev.page)
						      : take_target(f, block->pfn, &ev.page)))
		return bind(f, t, ev.page, block->pfn);
	ev.migratetype = gfp_migratetype(ev.gfp);
	t->inferred[why]++;
	return append_alloc(f, t, &ev, block->pfn);
}

/*
 * The block is no longer where a filling put it. Those that were filled in before it, and have not
 * been seen since, left the list before it did.
 */
static int leave_list(struct frames *f, struct trace *t, const struct trace_event *cause, pfn_t pfn,
		      bool from_head)
{
	struct livemap_entry *e = livemap_find(&f->fillings, pfn);
	uint32_t i;
	int err = 0;

	if (!e)
		return 0;
	f->filled[e->page].waits = false;
	i = f->filled[e->page].before;
	livemap_remove(&f->fillings, e);
	while (from_head && !err && i != NO_FILLED && f->filled[i].waits) {
		struct filled *block = &f->filled[i];

		block->waits = false;
		e = livemap_find(&f->fillings, block->pfn);
		livemap_remove(&f->fillings, e);
		err = infer_alloc(f, t, cause, block, TRACE_INFER_BULK);
		i = block->before;
	}
	return err;
}

int frames_alloc(struct frames *f, struct trace *t, const struct trace_event *ev, pfn_t pfn)
{
	struct trace_event alloc = *ev;
	int err = leave_list(f, t, ev, pfn, true);

	f->filling[ev->cpu] = NO_FILLED;
	if (!err)
		err = infer_frees(f, t, ev, pfn, ev->order);
	if (err)
		return err;
	trace_widen(t, pfn);
	return append_alloc(f, t, &alloc, pfn);
}

/* Its state once it is freed: on a list, if there are lists of that order. */
static enum state state_freed(unsigned order)
{
	return order <= PAGE_ALLOC_COSTLY_ORDER || order == HUGE_ORDER ? ON_LIST : ON_BUDDY;
}

static int release_live(struct frames *f, struct trace *t, const struct trace_event *ev, pfn_t pfn)
{
	struct livemap_entry *live = livemap_find(&f->live, pfn);
	struct trace_event release = *ev;
	int err;

	release.op = TRACE_FREE;
	release.page = live->page;
	livemap_remove(&f->live, live);
	err = set_state(f, pfn, ev->order, state_freed(ev->order));
	return err ? err : trace_append(t, &release);
}

static int release_held(struct frames *f, struct trace *t, const struct trace_event *ev, pfn_t pfn)
{
	struct trace_event release = *ev;
	int err = number_page(t, pfn, &release.page);

	release.op = TRACE_FREE_HELD;
	if (!err)
		err = set_state(f, pfn, ev->order, state_freed(ev->order));
	return err ? err : trace_append(t, &release);
}

int frames_release(struct frames *f, struct trace *t, const struct trace_event *ev, pfn_t pfn,
		   bool moved)
{
	struct livemap_entry *live = live_around(f, pfn);
	struct group seen = look(f, pfn, ev->order);
	int err = 0;

	f->filling[ev->cpu] = NO_FILLED;
	if (live && live->order > ev->order && !(pfn & ((UINT64_C(1) << ev->order) - 1))) {
		err = infer_splits(f, t, ev, live, pfn, ev->order);
		if (err)
			return err;
	}
	live = livemap_find(&f->live, pfn);
	if (live ? live->order != ev->order : seen.live != 0) {
		trace_skip(t, TRACE_SKIP_ORDER_MISMATCH);
		return 0;
	}
	/* What kcompactd has taken as a target and gives back was free. */
	if (moved && !ev->order && (live || !seen.free))
		err = append_target(f, t, ev, pfn);
	if (err)
		return err;
	if (!live && !seen.free)
		return release_held(f, t, ev, pfn);
	if (!live) {
		struct livemap_entry *e = livemap_find(&f->fillings, pfn);
		struct filled block = {.pfn = pfn, .cpu = ev->cpu, .migratetype = MM_UNMOVABLE};

		if (e)
			block = f->filled[e->page];
		else if (!seen.on_list)
			block.migratetype = MM_MOVABLE; /* compaction moves those */
		block.order = ev->order;
		err = leave_list(f, t, ev, pfn, true);
		if (!err)
			err = infer_alloc(f, t, ev, &block,
					  seen.on_list ? TRACE_INFER_BULK : TRACE_INFER_TARGET);
	}
	return err ? err : release_live(f, t, ev, pfn);
}

/* A block more at the end of the CPU's list. */
static int add_filled(struct frames *f, const struct trace_event *ev, const struct trace_move *move)
{
	struct livemap_entry *old = livemap_find(&f->fillings, move->pfn);
	struct filled *grown;
	uint32_t i = (uint32_t)f->nr_filled;

	if (f->nr_filled == f->filled_room) {
		size_t room = f->filled_room ? 2 * f->filled_room : 1024;

		grown = room < NO_FILLED ? realloc(f->filled, room * sizeof(*grown)) : NULL;
		if (!grown)
			return -ENOMEM;
		f->filled = grown;
		f->filled_room = room;
	}
	f->filled[f->nr_filled++] = (struct filled){
		.pfn = move->pfn,
		.before = f->filling[ev->cpu],
		.cpu = ev->cpu,
		.order = move->order,
		.migratetype = move->migratetype,
		.waits = true,
	};
	f->filling[ev->cpu] = i;
	if (old) {
		f->filled[old->page].waits = false;
		old->page = i;
		return 0;
	}
	return livemap_add(&f->fillings, &(struct livemap_entry){move->pfn, i, move->order});
}

int frames_move(struct frames *f, struct trace *t, const struct trace_event *ev,
		const struct trace_move *move)
{
	const struct filled *last =
		f->filling[ev->cpu] == NO_FILLED ? NULL : &f->filled[f->filling[ev->cpu]];
	bool fills = move->taken && move->percpu;
	int err = infer_frees(f, t, ev, move->pfn, move->order);

	if (!fills ||
	    (last && (last->order != move->order || last->migratetype != move->migratetype)))
		f->filling[ev->cpu] = NO_FILLED;
	if (!err && !fills)
		err = leave_list(f, t, ev, move->pfn, false);
	if (!err && fills)
		err = add_filled(f, ev, move);
	if (!err)
		err = set_state(f, move->pfn, move->order, fills ? ON_LIST : ON_BUDDY);
	return err ? err : trace_append_move(t, move);
}
