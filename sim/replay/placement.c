/* SPDX-License-Identifier: Apache-2.0 */
/* Follows the real machine's free pages through the trace, and attributes what differs. */
#include "sim/replay/placement.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mm/gfp.h"
#include "sim/json.h"
#include "sim/replay/cpu_lists.h"

#define NO_ZONE (-1)

/* One allocation. Zones are indexes of the architecture; NO_ZONE: it failed, or is not known. */
struct place {
	int16_t nid, real_nid;
	int8_t zone, real_zone;
	uint8_t reason; /* enum placement_reason */
	bool done;
};

/* Free pages of a zone. */
struct zone_free {
	int64_t there;  /* as the trace has it; may go below 0 where the trace lost lines */
	uint64_t here;  /* before the event at hand */
	uint64_t boost; /* here, then */
};

struct placement {
	const struct trace *trace;
	const struct mm *mm;
	bool knows_there; /* the state before is known, and the trace has moves */
	struct place *places;
	uint32_t *numbers; /* by event: of the allocation, from 0 */
	size_t nr;
	struct zone_free *zones; /* [nid * MM_MAX_ZONES + zone] */
	size_t next_move;
	struct zone_free *at_check; /* as `zones`, when the event at hand began */
	uint64_t inferred_live;     /* pages allocated without a line and not freed yet */
	uint8_t *inferred;          /* by page of the trace: is one of these */
};

const char *placement_reason_name(enum placement_reason why)
{
	static const char *const names[] = {
#define X(id, name, what) name,
		PLACEMENT_REASONS(X)
#undef X
	};

	return names[why];
}

static bool counts(const struct trace_event *ev)
{
	return ev->op == TRACE_ALLOC && !(ev->flags & TRACE_F_INFERRED);
}

static size_t nr_zones(const struct placement *p)
{
	return (size_t)mm_nr_nodes(p->mm) * MM_MAX_ZONES;
}

static size_t index_of(int nid, int zone)
{
	return (size_t)nid * MM_MAX_ZONES + (size_t)zone;
}

static void know_there(struct placement *p, const struct captured_state *before)
{
	p->knows_there = before && p->trace->nr_moves;
	for (size_t i = 0; before && i < before->nr_zones; i++) {
		const struct mm_zone_state *z = &before->zones[i];
		struct zone_free *f = &p->zones[index_of(z->nid, z->zone)];

		for (int t = 0; t < MM_NR_MIGRATETYPES; t++)
			for (unsigned o = 0; o < NR_PAGE_ORDERS; o++)
				f->there += (int64_t)(z->free_blocks[t][o] << o);
	}
}

struct placement *placement_new(const struct trace *t, const struct mm *mm,
				const struct captured_state *before)
{
	struct placement *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->trace = t;
	p->mm = mm;
	for (size_t i = 0; i < t->nr_events; i++)
		p->nr += counts(&t->events[i]);
	p->places = calloc(p->nr + 1, sizeof(*p->places));
	p->numbers = calloc(t->nr_events + 1, sizeof(*p->numbers));
	p->zones = calloc(nr_zones(p), sizeof(*p->zones));
	p->at_check = calloc(nr_zones(p), sizeof(*p->at_check));
	p->inferred = calloc((size_t)t->nr_pages + 1, 1);
	if (!p->places || !p->numbers || !p->zones || !p->at_check || !p->inferred) {
		placement_free(p);
		return NULL;
	}
	for (size_t i = 0, nr = 0; i < t->nr_events; i++) {
		p->numbers[i] = (uint32_t)nr;
		nr += counts(&t->events[i]);
	}
	know_there(p, before);
	return p;
}

void placement_free(struct placement *p)
{
	if (!p)
		return;
	free(p->places);
	free(p->numbers);
	free(p->zones);
	free(p->at_check);
	free(p->inferred);
	free(p);
}

static void change_there(struct placement *p, pfn_t pfn, int64_t pages)
{
	int nid, zone;

	if (!mm_pfn_zone(p->mm, pfn, &nid, &zone))
		p->zones[index_of(nid, zone)].there += pages;
}

/* Blocks that no per-CPU list holds go to the buddy lists when they are freed. */
static void free_there(struct placement *p, const struct trace_event *ev)
{
	pfn_t pfn = trace_pfn(p->trace, ev->page);

	if (pfn != TRACE_NO_PFN && !cpu_lists_have(p->mm, ev->order))
		change_there(p, pfn, INT64_C(1) << ev->order);
}

static void follow_inferred(struct placement *p, const struct trace_event *ev)
{
	uint64_t pages = UINT64_C(1) << ev->order;

	if (ev->op == TRACE_ALLOC && (ev->flags & TRACE_F_INFERRED)) {
		p->inferred[ev->page] = 1;
		p->inferred_live += pages;
	} else if (ev->op == TRACE_FREE && p->inferred[ev->page]) {
		p->inferred[ev->page] = 0;
		p->inferred_live -= pages;
	}
}

/*
 * The moves just before an allocation are mostly its own refill: the real kernel looked at the
 * watermarks before them. So what it saw is what was there after the event before.
 */
void placement_begin(struct placement *p, size_t i)
{
	const struct trace *t = p->trace;
	const struct trace_event *ev = &t->events[i], *from;

	for (int nid = 0; nid < mm_nr_nodes(p->mm) && counts(ev); nid++)
		for (int z = 0; z < mm_get_arch(p->mm)->nr_zones; z++) {
			struct zone_free *f = &p->at_check[index_of(nid, z)];

			f->there = p->zones[index_of(nid, z)].there;
			mm_zone_room(p->mm, nid, z, &f->here, &f->boost);
		}
	while (p->next_move < t->nr_moves && t->moves[p->next_move].event <= i) {
		const struct trace_move *m = &t->moves[p->next_move++];

		if (!m->fallback)
			change_there(p, m->pfn,
				     m->taken ? -(INT64_C(1) << m->order) : INT64_C(1) << m->order);
	}
	if (ev->op == TRACE_FREE || ev->op == TRACE_FREE_HELD)
		free_there(p, ev);
	/* What kcompactd moves to comes from the zone of what it frees next. */
	from = trace_moved_from(t, i);
	if (from)
		change_there(p, trace_pfn(t, from->page), -(INT64_C(1) << ev->order));
	else
		follow_inferred(p, ev);
}

/* Would a walk with the low watermark, raised by `boost`, have taken the zone? */
static bool has_room(const struct mm_zone_info *info, int64_t free, uint64_t boost, int highest)
{
	int64_t mark = (int64_t)(info->low - info->boost + boost + info->protection[highest]);

	return free > mark;
}

/* The most that the zone's watermarks are ever raised by. */
static uint64_t most_boost(const struct placement *p, const struct mm_zone_info *info)
{
	uint64_t block = UINT64_C(1) << mm_get_arch(p->mm)->pageblock_order;
	uint64_t most =
		(info->high - info->boost) * mm_get_params(p->mm)->watermark_boost_factor / 10000;

	if (!most || block * 4 > info->managed)
		return 0;
	return most > block ? most : block;
}

/* Counts that CPUs have not passed on yet: the kernel's number of free pages is off by so much. */
static uint64_t held_back(const struct placement *p, const struct mm_zone_info *info)
{
	return (uint64_t)info->stat_threshold * (uint64_t)mm_nr_cpus(p->mm);
}

static enum placement_reason by_drift(const struct placement *p, const struct zone_free *f,
				      const struct mm_zone_info *info)
{
	int64_t off = f->there > (int64_t)f->here ? f->there - (int64_t)f->here
						  : (int64_t)f->here - f->there;

	if ((uint64_t)off <= held_back(p, info))
		return PLACEMENT_WATERMARK;
	return (uint64_t)off <= p->inferred_live ? PLACEMENT_BULK : PLACEMENT_DRIFT;
}

/* The real kernel passed by the zone that was taken here. */
static enum placement_reason skipped_there(const struct placement *p, const struct place *w,
					   unsigned order, int highest)
{
	const struct zone_free *f = &p->at_check[index_of(w->nid, w->zone)];
	struct mm_zone_info info;

	mm_zone_info(p->mm, w->nid, w->zone, &info);
	if (!has_room(&info, f->there, 0, highest))
		return by_drift(p, f, &info);
	if (order)
		return PLACEMENT_FRAGMENTED;
	if (!has_room(&info, f->there, most_boost(p, &info), highest))
		return PLACEMENT_BOOST;
	if (!has_room(&info, f->there - (int64_t)held_back(p, &info), most_boost(p, &info),
		      highest))
		return PLACEMENT_WATERMARK;
	return PLACEMENT_POLICY;
}

/* The zone that the real kernel took was passed by here. */
static enum placement_reason skipped_here(const struct placement *p, const struct place *w,
					  unsigned order, int highest)
{
	const struct zone_free *f = &p->at_check[index_of(w->real_nid, w->real_zone)];
	struct mm_zone_info info;

	mm_zone_info(p->mm, w->real_nid, w->real_zone, &info);
	if (!has_room(&info, (int64_t)f->here, 0, highest))
		return by_drift(p, f, &info);
	if (order)
		return PLACEMENT_FRAGMENTED;
	if (f->boost && !has_room(&info, (int64_t)f->here, f->boost, highest))
		return PLACEMENT_BOOST;
	if (!has_room(&info, (int64_t)f->here - (int64_t)held_back(p, &info), f->boost, highest))
		return PLACEMENT_WATERMARK;
	return PLACEMENT_UNKNOWN;
}

/* A policy has an order of its own: either zone may have been passed by. */
static enum placement_reason by_policy(const struct placement *p, const struct place *w,
				       unsigned order, int highest)
{
	enum placement_reason there = skipped_there(p, w, order, highest), here;

	if (there != PLACEMENT_POLICY)
		return there;
	here = skipped_here(p, w, order, highest);
	return here == PLACEMENT_UNKNOWN ? PLACEMENT_POLICY : here;
}

/* Where both zones stand in the order in which the CPU's node falls back. */
static enum placement_reason find_reason(const struct placement *p, const struct place *w, int cpu,
					 const struct trace_event *ev)
{
	struct mm_zoneref refs[64];
	int highest = gfp_zone(mm_get_arch(p->mm), ev->gfp), nid = mm_cpu_to_node(p->mm, cpu);
	size_t nr = mm_zonelist(p->mm, nid, false, refs, 64);

	if (!p->knows_there)
		return PLACEMENT_UNKNOWN;
	if (w->zone > highest || w->real_zone > highest)
		return PLACEMENT_UNKNOWN;
	/* A pool asks one node at a time, no other: it was another one's turn, or it grew on one.
	 */
	if (w->nid != w->real_nid && p->trace->policies[ev->policy].scope == TRACE_POLICY_POOL)
		return PLACEMENT_POLICY;
	if (ev->policy || trace_event_nid(ev) != MM_NO_NODE)
		return by_policy(p, w, ev->order, highest);
	for (size_t i = 0; i < nr && i < 64; i++) {
		if (refs[i].nid == w->nid && refs[i].zone == w->zone)
			return skipped_there(p, w, ev->order, highest);
		if (refs[i].nid == w->real_nid && refs[i].zone == w->real_zone)
			return skipped_here(p, w, ev->order, highest);
	}
	return skipped_here(p, w, ev->order, highest);
}

void placement_alloc(struct placement *p, size_t i, int cpu, const struct page *page)
{
	const struct trace_event *ev = &p->trace->events[i];
	struct place *w = &p->places[p->numbers[i]];
	int nid, zone;

	if (!counts(ev))
		return;
	*w = (struct place){MM_NO_NODE, MM_NO_NODE, NO_ZONE, NO_ZONE, PLACEMENT_EQUAL, true};
	if (page) {
		w->nid = (int16_t)mm_page_to_nid(p->mm, page);
		w->zone = (int8_t)mm_page_zonenum(p->mm, page);
	}
	if (ev->page == TRACE_NO_PAGE) {
		w->reason = page ? PLACEMENT_FAILED_THERE : PLACEMENT_EQUAL;
		return;
	}
	if (mm_pfn_zone(p->mm, trace_pfn(p->trace, ev->page), &nid, &zone)) {
		w->reason = PLACEMENT_NO_FRAME;
		return;
	}
	w->real_nid = (int16_t)nid;
	w->real_zone = (int8_t)zone;
	if (!page)
		w->reason = PLACEMENT_FAILED_HERE;
	else if (w->nid != w->real_nid || w->zone != w->real_zone)
		w->reason = (uint8_t)find_reason(p, w, cpu, ev);
}

static void write_place(const struct placement *p, int nid, int zone, FILE *out)
{
	if (zone == NO_ZONE)
		fputs("\t-\t-", out);
	else
		fprintf(out, "\t%d\t%s", nid, mm_get_arch(p->mm)->zones[zone].name);
}

void placement_write(const struct placement *p, FILE *out)
{
	for (size_t i = 0; i < p->nr; i++) {
		const struct place *w = &p->places[i];

		fprintf(out, "%zu", i + 1);
		write_place(p, w->real_nid, w->real_zone, out);
		write_place(p, w->done ? w->nid : MM_NO_NODE, w->done ? w->zone : NO_ZONE, out);
		fprintf(out, "\t%s\n", placement_reason_name((enum placement_reason)w->reason));
	}
}

void placement_put(json_t *doc, const struct placement *p)
{
	uint64_t compared = 0, node_agree = 0, zone_agree = 0;
	uint64_t by_reason[PLACEMENT_NR_REASONS] = {0};
	json_t *placement = json_put_object(doc, "placement"), *reasons;

	for (size_t i = 0; i < p->nr; i++) {
		const struct place *w = &p->places[i];

		if (!w->done || w->reason == PLACEMENT_NO_FRAME)
			continue;
		compared++;
		node_agree += w->nid == w->real_nid;
		zone_agree += w->nid == w->real_nid && w->zone == w->real_zone;
	}
	for (size_t i = 0; i < p->nr; i++)
		by_reason[p->places[i].reason]++;
	json_put(placement, "compared", compared);
	json_put(placement, "node_agree", node_agree);
	json_put(placement, "zone_agree", zone_agree);
	reasons = json_put_object(placement, "mismatches");
	for (int r = PLACEMENT_EQUAL + 1; r < PLACEMENT_NR_REASONS; r++)
		json_put(reasons, placement_reason_name((enum placement_reason)r), by_reason[r]);
}
