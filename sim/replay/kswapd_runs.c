/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Follows the real machine's free pages and the state of its kswapds through the trace; twice, as
 * how long pauses within runs are comes out of the first time.
 *
 * The rules are those of Linux 6.1's balance_pgdat(), pgdat_balanced(), wakeup_kswapd() and
 * boost_watermark().
 */
#include "sim/replay/kswapd_runs.h"

#include <errno.h>
#include <stdlib.h>

#include "mm/mm.h"
#include "sim/replay/cpu_lists.h"

#define PS_PER_US     UINT64_C(1000000)
#define TRACE_TICK_PS PS_PER_US /* what times of ftrace are counted in */
#define NEVER         UINT64_MAX
#define CLUSTER       32 /* pages that are isolated, and freed, together: SWAP_CLUSTER_MAX */
#define PAUSES_WITHIN 90 /* percent of the pauses that are known to be within runs */
#define IDLE_PS       (600000 * PS_PER_US) /* the longest wait for a disk, six throttles of 100 ms */
#define NO_CLASS      (-1)

struct zone {
	uint64_t high, low;  /* as if not raised */
	uint64_t most_boost; /* 0: never raised */
	uint64_t protection[MM_MAX_ZONES];
	int64_t free;
	uint64_t boost;
	uint64_t taken; /* of it, by the run that goes on */
	size_t raised_at;
	bool managed;
};

/* What may turn out to be a pause within a run. */
struct ended {
	struct zone zones[MM_MAX_ZONES];
	int class;
	size_t nr_raised;
	bool known;
};

struct node {
	struct zone zones[MM_MAX_ZONES];
	bool running;
	bool begun; /* and has looked at what it was asked for */
	bool woken; /* since the last run ended */
	bool room;  /* some zone is above its low watermark */
	int class;  /* highest zone that the run is for */
	int asked;  /* by those who woke it since it looked; NO_CLASS */
	struct ended ended;
	size_t next_free;  /* the next event by this kswapd; nr_events: none */
	uint64_t freed_ps; /* its last free; NEVER */
	bool within;       /* that was no end: not balanced */
};

struct walk {
	const struct trace *t;
	const struct mm *mm;
	struct node *nodes;
	int nr_nodes, nr_zones, top;
	size_t *next;        /* by event: the next free by the same kswapd, for its frees */
	uint64_t cluster_ps; /* no longer between pages that are freed together */
	uint64_t pause_ps;   /* no longer within runs */
	uint64_t *pauses;    /* those within runs; NULL: not asked for */
	size_t nr_pauses;
	struct raised *raised;
	size_t nr_raised, room;
	size_t at; /* the event at hand */
	bool failed;
};

static void init_zone(const struct walk *w, const struct mm_zone_state *state)
{
	struct zone *z = &w->nodes[state->nid].zones[state->zone];
	uint64_t block = UINT64_C(1) << mm_get_arch(w->mm)->pageblock_order;
	uint64_t factor = mm_get_params(w->mm)->watermark_boost_factor;
	struct mm_zone_info info;

	mm_zone_info(w->mm, state->nid, state->zone, &info);
	*z = (struct zone){.high = info.high - info.boost,
			   .low = info.low - info.boost,
			   .boost = info.boost,
			   .managed = info.managed != 0};
	z->most_boost = z->high * factor / 10000;
	if (z->most_boost && z->most_boost < block)
		z->most_boost = block;
	if (block * 4 > info.managed)
		z->most_boost = 0;
	for (int i = 0; i < MM_MAX_ZONES; i++)
		z->protection[i] = info.protection[i];
	for (int type = 0; type < MM_NR_MIGRATETYPES; type++)
		for (unsigned o = 0; o < NR_PAGE_ORDERS; o++)
			z->free += (int64_t)(state->free_blocks[type][o] << o);
}

static bool is_above(const struct zone *z, uint64_t mark, int class)
{
	return z->free > (int64_t)(mark + z->boost + z->protection[class]);
}

static bool balanced(const struct node *n)
{
	for (int z = 0; z <= n->class; z++)
		if (n->zones[z].managed && is_above(&n->zones[z], n->zones[z].high, n->class))
			return true;
	return false;
}

/* Could a request for the highest zone be served without waking kswapd? */
static bool has_room(const struct walk *w, const struct node *n)
{
	for (int z = 0; z <= w->top; z++)
		if (n->zones[z].managed && is_above(&n->zones[z], n->zones[z].low, w->top))
			return true;
	return false;
}

static void add_raised(struct walk *w, int nid, int zone, size_t from)
{
	if (w->nr_raised == w->room) {
		size_t room = w->room ? 2 * w->room : 64;
		struct raised *grown = realloc(w->raised, room * sizeof(*grown));

		if (!grown) {
			w->failed = true;
			return;
		}
		w->raised = grown;
		w->room = room;
	}
	w->raised[w->nr_raised++] = (struct raised){nid, zone, from, w->at};
}

static void begin(struct node *n)
{
	n->running = true;
	n->begun = false;
}

/* What it was asked for, and what it is going to take back. */
static void look(struct node *n)
{
	if (n->begun)
		return;
	n->begun = true;
	if (n->asked != NO_CLASS)
		n->class = n->asked;
	n->asked = NO_CLASS;
	for (int z = 0; z < MM_MAX_ZONES; z++)
		n->zones[z].taken = z <= n->class ? n->zones[z].boost : 0;
}

static void end(struct walk *w, int nid)
{
	struct node *n = &w->nodes[nid];

	n->running = n->woken = false;
	n->ended.known = true;
	n->ended.class = n->class;
	n->ended.nr_raised = w->nr_raised;
	for (int z = 0; z < MM_MAX_ZONES; z++) {
		struct zone *zone = &n->zones[z];

		n->ended.zones[z] = *zone;
		if (!zone->taken)
			continue;
		zone->boost -= zone->taken < zone->boost ? zone->taken : zone->boost;
		zone->taken = 0;
		if (!zone->boost)
			add_raised(w, nid, z, zone->raised_at);
	}
}

/* It was no end. */
static void go_on(struct walk *w, struct node *n)
{
	size_t kept = n->ended.nr_raised;

	for (size_t i = kept; i < w->nr_raised; i++)
		if (w->raised[i].nid != (int)(n - w->nodes))
			w->raised[kept++] = w->raised[i];
	w->nr_raised = kept;
	for (int z = 0; z < MM_MAX_ZONES; z++) {
		n->zones[z].boost = n->ended.zones[z].boost;
		n->zones[z].taken = n->ended.zones[z].taken;
		n->zones[z].raised_at = n->ended.zones[z].raised_at;
	}
	n->class = n->ended.class;
	n->running = n->begun = true;
}

/* How long until kswapd frees something again. */
static uint64_t pause_from(const struct walk *w, const struct node *n, uint64_t ps)
{
	if (n->next_free >= w->t->nr_events)
		return NEVER;
	return w->t->events[n->next_free].time_ps - ps;
}

static void fall_back(struct walk *w, const struct trace_move *m, uint64_t ps)
{
	struct node *n;
	struct zone *zone;
	uint64_t pause, block = UINT64_C(1) << mm_get_arch(w->mm)->pageblock_order;
	int nid, z, class;

	if (mm_pfn_zone(w->mm, m->pfn, &nid, &z) || !w->nodes[nid].zones[z].most_boost)
		return;
	n = &w->nodes[nid];
	zone = &n->zones[z];
	if (!zone->boost)
		zone->raised_at = w->at;
	zone->boost =
		zone->boost + block < zone->most_boost ? zone->boost + block : zone->most_boost;
	if (n->asked < z)
		n->asked = z;
	n->woken = true;
	if (n->running)
		return;
	begin(n);
	pause = pause_from(w, n, ps);
	class = n->class;
	n->class = n->asked;
	/* Where it frees nothing, nothing is to be had, or not that much is needed. */
	if (pause > IDLE_PS || (pause > w->pause_ps && balanced(n))) {
		look(n);
		end(w, nid);
	} else {
		n->class = class;
	}
}

/* kswapd has freed something, or some of it has come to the buddy lists. */
static void may_end(struct walk *w, int nid)
{
	struct node *n = &w->nodes[nid];
	uint64_t pause = pause_from(w, n, n->freed_ps);

	n->within = !balanced(n);
	if (n->running && ((pause > w->pause_ps && !n->within) || pause > IDLE_PS))
		end(w, nid);
}

static void kswapd_frees(struct walk *w, int nid, uint64_t ps)
{
	struct node *n = &w->nodes[nid];

	if (w->pauses && n->freed_ps != NEVER && n->within && ps - n->freed_ps > w->cluster_ps)
		w->pauses[w->nr_pauses++] = ps - n->freed_ps;
	if (!n->running && n->ended.known && !n->woken)
		go_on(w, n);
	else if (!n->running)
		begin(n);
	look(n);
	n->freed_ps = ps;
	n->next_free = w->next[w->at];
	may_end(w, nid);
}

/* Returns the node; MM_NO_NODE where the frame is none of the machine. */
static int change_free(const struct walk *w, pfn_t pfn, int64_t pages)
{
	int nid, zone;

	if (mm_pfn_zone(w->mm, pfn, &nid, &zone))
		return MM_NO_NODE;
	w->nodes[nid].zones[zone].free += pages;
	return nid;
}

static int node_of(const struct walk *w, const struct trace_event *ev)
{
	pfn_t pfn = ev->page == TRACE_NO_PAGE ? TRACE_NO_PFN : trace_pfn(w->t, ev->page);
	int nid, zone;

	return pfn == TRACE_NO_PFN || mm_pfn_zone(w->mm, pfn, &nid, &zone) ? MM_NO_NODE : nid;
}

static bool is_free(const struct trace_event *ev)
{
	return ev->op == TRACE_FREE || ev->op == TRACE_FREE_HELD;
}

/* A block comes back to the buddy lists: one of those that kswapd has just freed? */
static void given_back(struct walk *w, const struct trace_move *m)
{
	int nid = change_free(w, m->pfn, INT64_C(1) << m->order);
	const struct node *n = nid == MM_NO_NODE ? NULL : &w->nodes[nid];

	if (n && n->freed_ps != NEVER && w->at &&
	    w->t->events[w->at - 1].time_ps <= n->freed_ps + w->cluster_ps)
		may_end(w, nid);
}

/* Moves up to the event at hand. */
static void take_moves(struct walk *w, size_t *next)
{
	const struct trace *t = w->t;

	for (; *next < t->nr_moves && t->moves[*next].event <= w->at; ++*next) {
		const struct trace_move *m = &t->moves[*next];

		if (m->fallback)
			fall_back(w, m, t->events[w->at].time_ps);
		else if (m->taken)
			change_free(w, m->pfn, -(INT64_C(1) << m->order));
		else
			given_back(w, m);
	}
}

static void take_event(struct walk *w, const struct trace_event *ev, bool had_room)
{
	int nid = node_of(w, ev);

	if (nid == MM_NO_NODE || (ev->op == TRACE_ALLOC && (ev->flags & TRACE_F_INFERRED)))
		return;
	if (ev->op == TRACE_ALLOC && !had_room) {
		w->nodes[nid].asked = w->top;
		w->nodes[nid].woken = true;
	}
	if (!is_free(ev))
		return;
	if (!cpu_lists_have(w->mm, ev->order))
		change_free(w, trace_pfn(w->t, ev->page), INT64_C(1) << ev->order);
	if (ev->flags & TRACE_F_KSWAPD)
		kswapd_frees(w, nid, ev->time_ps);
}

static void go_through(struct walk *w)
{
	const struct trace *t = w->t;
	size_t move = 0;

	for (w->at = 0; w->at < t->nr_events; w->at++) {
		const struct trace_event *ev = &t->events[w->at], *from;
		int nid = ev->op == TRACE_ALLOC ? node_of(w, ev) : MM_NO_NODE;
		/* An allocation looks at the watermarks before its own refill. */
		bool after_alloc = w->at && t->events[w->at - 1].op == TRACE_ALLOC;
		bool room = nid == MM_NO_NODE || has_room(w, &w->nodes[nid]);

		take_moves(w, &move);
		if (nid != MM_NO_NODE && !after_alloc)
			room = has_room(w, &w->nodes[nid]);
		take_event(w, ev, room);
		/* What kcompactd frees has moved within the zone: a target was taken there. */
		from = trace_moved_from(t, w->at);
		if (from)
			change_free(w, trace_pfn(t, from->page), -(INT64_C(1) << ev->order));
	}
	for (int n = 0; n < w->nr_nodes; n++)
		for (int z = 0; z < w->nr_zones; z++)
			if (w->nodes[n].zones[z].boost)
				add_raised(w, n, z, w->nodes[n].zones[z].raised_at);
}

static void init_nodes(struct walk *w, const struct captured_state *before)
{
	for (size_t i = 0; i < before->nr_zones; i++)
		init_zone(w, &before->zones[i]);
	for (int n = 0; n < w->nr_nodes; n++) {
		w->nodes[n].running = w->nodes[n].woken = w->nodes[n].ended.known = false;
		w->nodes[n].class = w->top;
		w->nodes[n].asked = NO_CLASS;
		w->nodes[n].freed_ps = NEVER;
		w->nodes[n].next_free = w->t->nr_events;
	}
	for (size_t i = w->t->nr_events; i-- > 0;) {
		const struct trace_event *ev = &w->t->events[i];
		int nid = is_free(ev) && (ev->flags & TRACE_F_KSWAPD) ? node_of(w, ev) : MM_NO_NODE;

		if (nid == MM_NO_NODE)
			continue;
		w->next[i] = w->nodes[nid].next_free;
		w->nodes[nid].next_free = i;
	}
	w->nr_raised = 0;
}

static int by_length(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static int by_from(const void *a, const void *b)
{
	const struct raised *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return x->nid != y->nid ? x->nid - y->nid : x->zone - y->zone;
}

/* As long as a cluster of pages takes, at the trace's pace. */
static uint64_t find_cluster_ps(struct walk *w)
{
	const struct trace_event *events = w->t->events;
	uint64_t median = 0;
	size_t nr = 0;

	for (size_t i = 0; i < w->t->nr_events; i++)
		if (w->next[i] > i && w->next[i] < w->t->nr_events)
			w->pauses[nr++] = events[w->next[i]].time_ps - events[i].time_ps;
	if (nr) {
		qsort(w->pauses, nr, sizeof(*w->pauses), by_length);
		median = w->pauses[nr / 2];
	}
	return CLUSTER * (median > TRACE_TICK_PS ? median : TRACE_TICK_PS);
}

static bool is_told(const struct trace *t)
{
	for (size_t i = 0; i < t->nr_moves; i++)
		if (t->moves[i].fallback)
			return true;
	return false;
}

int kswapd_runs(const struct trace *t, const struct mm *mm, const struct captured_state *before,
		struct raised **out, size_t *nr)
{
	struct walk w = {.t = t,
			 .mm = mm,
			 .nr_nodes = mm_nr_nodes(mm),
			 .nr_zones = mm_get_arch(mm)->nr_zones};

	*out = NULL;
	*nr = 0;
	if (!is_told(t))
		return 0;
	for (size_t i = 0; i < before->nr_zones; i++)
		if (before->zones[i].zone > w.top)
			w.top = before->zones[i].zone;
	w.nodes = calloc((size_t)w.nr_nodes, sizeof(*w.nodes));
	w.next = calloc(t->nr_events + 1, sizeof(*w.next));
	w.pauses = calloc(t->nr_events + 1, sizeof(*w.pauses));
	if (w.nodes && w.next && w.pauses) {
		init_nodes(&w, before);
		w.cluster_ps = w.pause_ps = find_cluster_ps(&w);
		go_through(&w);
		qsort(w.pauses, w.nr_pauses, sizeof(*w.pauses), by_length);
		if (w.nr_pauses)
			w.pause_ps = w.pauses[w.nr_pauses * PAUSES_WITHIN / 100];
		free(w.pauses);
		w.pauses = NULL;
		init_nodes(&w, before);
		go_through(&w);
	} else {
		w.failed = true;
	}
	free(w.nodes);
	free(w.next);
	free(w.pauses);
	if (w.failed) {
		free(w.raised);
		return -ENOMEM;
	}
	if (w.nr_raised)
		qsort(w.raised, w.nr_raised, sizeof(*w.raised), by_from);
	*out = w.raised;
	*nr = w.nr_raised;
	return 0;
}
