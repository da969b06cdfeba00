/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Free blocks go from the largest order to the smallest. Those of a page block or more take whole
 * page blocks, from the zone's end down, as the kernel hands memory out from the bottom up. For the
 * smaller ones a page block is cut like a buddy allocator cuts it: from the smallest piece of the
 * type that is large enough. So the free blocks of a page block have different orders, as what is
 * left of one that was handed out page by page has: they lie together. (In 20 kernels' kpageflags,
 * a page block with a free block of order 7 has 75 % as many free pages again in smaller ones; with
 * spread ones it would have none.) A piece is cut at least in two, and the other half holds pages
 * in use or smaller blocks, so no two free buddies can arise.
 *
 * Cutting an order-k block from any piece costs the same capacity for what is smaller, so the
 * choice of the piece never makes counts impossible that fit otherwise.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mm/alloc/pageblock.h"
#include "mm/layout.h"

#define NO_TYPE MM_NR_MIGRATETYPES

/* A page block of the zone. */
struct page_block {
	pfn_t start;
	uint32_t managed;
	uint8_t type;    /* NO_TYPE: not decided yet */
	bool free;       /* all of it is free */
	bool never_free; /* its neighbour is, and they would merge */
};

/* Pieces of one size in page blocks of one type, oldest first. */
struct pieces {
	pfn_t *at;
	size_t first, nr, room; /* those before `first` are gone */
};

struct layout {
	struct mm *mm;
	struct mm_zone *zone;
	const struct mm_zone_state *want;
	const struct mm_extent *ranges;
	size_t nr_ranges;
	unsigned block_order;
	struct page_block *blocks;
	size_t nr_blocks;
	uint64_t quota[MM_NR_MIGRATETYPES]; /* page blocks still to be given that type */
	struct pieces pieces[MM_NR_MIGRATETYPES][NR_PAGE_ORDERS];
	struct layout_block *free_blocks;
	size_t nr_free, free_room;
	char *why;
	size_t why_size;
};

static int impossible(struct layout *l, const char *what)
{
	snprintf(l->why, l->why_size, "node %d, zone %s: %s", l->zone->nid, l->zone->name, what);
	return -EINVAL;
}

static uint64_t block_pages(const struct layout *l)
{
	return UINT64_C(1) << l->block_order;
}

/* Managed frames of [start, end). */
static uint64_t managed_in(const struct layout *l, pfn_t start, pfn_t end, size_t *cursor)
{
	uint64_t pages = 0;

	while (*cursor < l->nr_ranges && l->ranges[*cursor].end <= start)
		++*cursor;
	for (size_t i = *cursor; i < l->nr_ranges && l->ranges[i].start < end; i++) {
		pfn_t from = l->ranges[i].start > start ? l->ranges[i].start : start;
		pfn_t to = l->ranges[i].end < end ? l->ranges[i].end : end;

		pages += to - from;
	}
	return pages;
}

static int find_blocks(struct layout *l)
{
	pfn_t block = block_pages(l), first = l->zone->start_pfn & ~(block - 1);
	pfn_t end = l->zone->start_pfn + l->zone->spanned;
	unsigned shift = l->mm->arch->page_shift;
	size_t cursor = 0;

	l->blocks = calloc((end - first) / block + 1, sizeof(*l->blocks));
	if (!l->blocks)
		return -ENOMEM;
	for (pfn_t pfn = first; pfn < end; pfn += block) {
		if (!memblock_memory_in(&l->mm->memblock, pfn << shift, (pfn + block) << shift))
			continue;
		l->blocks[l->nr_blocks++] = (struct page_block){
			.start = pfn,
			.managed = (uint32_t)managed_in(l, pfn, pfn + block, &cursor),
			.type = NO_TYPE,
		};
	}
	return 0;
}

/*
 * All page blocks that the zone counts have a type to take. Those that a kernel does not count stay
 * movable, as boot made them: one that its walk of an unaligned zone steps over, or whose first
 * frame is a hole or another zone's.
 */
static int check_quota(struct layout *l)
{
	uint64_t here[MM_NR_MIGRATETYPES], nr_here = 0, nr_wanted = 0, most;
	char what[160];

	mm_zone_pageblocks(l->mm, l->zone->nid, l->zone->index, here);
	for (int t = 0; t < MM_NR_MIGRATETYPES; t++) {
		nr_here += here[t];
		nr_wanted += l->want->page_blocks[t];
		l->quota[t] = l->want->page_blocks[t];
	}
	most = l->nr_blocks > nr_here ? l->nr_blocks : nr_here;
	if (nr_wanted <= most) {
		l->quota[MM_MOVABLE] += most - nr_wanted;
		return 0;
	}
	snprintf(what, sizeof(what), "%" PRIu64 " page blocks, but the zone has %" PRIu64,
		 nr_wanted, most);
	return impossible(l, what);
}

static int add_free(struct layout *l, pfn_t pfn, unsigned order, int type)
{
	if (l->nr_free == l->free_room) {
		size_t room = l->free_room ? 2 * l->free_room : 256;
		struct layout_block *grown = realloc(l->free_blocks, room * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		l->free_blocks = grown;
		l->free_room = room;
	}
	l->free_blocks[l->nr_free++] = (struct layout_block){pfn, (uint8_t)order, (uint8_t)type};
	return 0;
}

/* The page block becomes one of `type`, or of the type that has most left to give. */
static void set_type(struct layout *l, struct page_block *b, int type)
{
	if (!l->quota[type])
		for (int t = 0; t < MM_NR_MIGRATETYPES; t++)
			if (l->quota[t] > l->quota[type])
				type = t;
	if (l->quota[type])
		l->quota[type]--;
	b->type = (uint8_t)type;
	mm_pageblock_set_type(l->mm, l->zone, b->start, (enum mm_migratetype)type);
}

/* May page blocks [i, i + nr) be one free block? They are next to each other, and all there. */
static bool may_be_free(const struct layout *l, size_t i, size_t nr)
{
	const struct page_block *b = &l->blocks[i];

	if (b->start & (nr * block_pages(l) - 1) || i + nr > l->nr_blocks)
		return false;
	for (size_t k = 0; k < nr; k++)
		if (b[k].managed < block_pages(l) || b[k].type != NO_TYPE || b[k].never_free ||
		    b[k].start != b->start + k * block_pages(l))
			return false;
	return true;
}

/* The block's buddy must not become free as a whole: its first page block will not. */
static void bar_buddy(struct layout *l, size_t i, size_t nr, unsigned order)
{
	pfn_t buddy = l->blocks[i].start ^ UINT64_C(1) << order;
	size_t k = buddy > l->blocks[i].start ? i + nr : i >= nr ? i - nr : l->nr_blocks;

	if (order < MAX_PAGE_ORDER && k < l->nr_blocks && l->blocks[k].start == buddy)
		l->blocks[k].never_free = true;
}

/* Free blocks of whole page blocks, from the end of the zone. */
static int place_whole(struct layout *l, unsigned order, int type)
{
	size_t nr = (size_t)1 << (order - l->block_order), at = l->nr_blocks;
	int err = 0;

	for (uint64_t n = l->want->free_blocks[type][order]; n && !err; n--) {
		while (at && !may_be_free(l, at - 1, nr))
			at--;
		if (!at)
			return impossible(l, "more large free blocks than it has room for");
		at--;
		for (size_t k = 0; k < nr; k++) {
			l->blocks[at + k].free = true;
			set_type(l, &l->blocks[at + k], type);
		}
		bar_buddy(l, at, nr, order);
		err = add_free(l, l->blocks[at].start, order, type);
	}
	return err;
}

/* Pages of a type's free blocks that are smaller than a page block. */
static uint64_t small_pages(const struct layout *l, int type)
{
	uint64_t pages = 0;

	for (unsigned o = 0; o < l->block_order; o++)
		pages += l->want->free_blocks[type][o] << o;
	return pages;
}

/* Whole page blocks that a type needs for its small free blocks, and no more than it may have. */
static uint64_t rich_needed(const struct layout *l, int type)
{
	uint64_t pages = small_pages(l, type), most = block_pages(l) - 1;
	uint64_t blocks = (pages + most - 1) / most;
	uint64_t halves = l->block_order ? l->want->free_blocks[type][l->block_order - 1] : 0;

	if (blocks < halves)
		blocks = halves;
	return blocks < l->quota[type] ? blocks : l->quota[type];
}

/*
 * Give types to the page blocks that are left, those that are all managed (rich) or the others:
 * nr[t] of each type, evenly mixed over the zone.
 */
static void spread_types(struct layout *l, bool rich, const uint64_t *nr, uint64_t total)
{
	uint64_t given[MM_NR_MIGRATETYPES] = {0}, done = 0;

	for (size_t i = 0; i < l->nr_blocks; i++) {
		struct page_block *b = &l->blocks[i];
		int best = MM_MOVABLE;
		int64_t most = INT64_MIN;

		if (b->type != NO_TYPE || (b->managed == block_pages(l)) != rich)
			continue;
		done++;
		for (int t = 0; t < MM_NR_MIGRATETYPES; t++) {
			int64_t behind = (int64_t)(done * nr[t]) - (int64_t)(given[t] * total);

			if (given[t] < nr[t] && behind > most) {
				best = t;
				most = behind;
			}
		}
		given[best]++;
		set_type(l, b, best);
	}
}

/*
 * Small free blocks need page blocks that are all there. Of those, each type first gets what it
 * needs; those with reserved frames in them are movable as far as possible, since boot made them
 * that and nobody has taken them over.
 */
static void give_types(struct layout *l)
{
	static const int poor_first[MM_NR_MIGRATETYPES] = {
		MM_MOVABLE, MM_UNMOVABLE, MM_RECLAIMABLE, MM_CMA, MM_HIGHATOMIC, MM_ISOLATE};
	uint64_t rich[MM_NR_MIGRATETYPES], poor[MM_NR_MIGRATETYPES], nr_poor = 0, nr_rich = 0;
	uint64_t left;

	for (size_t i = 0; i < l->nr_blocks; i++)
		if (l->blocks[i].type == NO_TYPE)
			l->blocks[i].managed == block_pages(l) ? nr_rich++ : nr_poor++;
	left = nr_poor;
	for (int i = 0; i < MM_NR_MIGRATETYPES; i++) {
		int t = poor_first[i];
		uint64_t spare = l->quota[t] - rich_needed(l, t);

		poor[t] = spare < left ? spare : left;
		left -= poor[t];
	}
	/* Too few are all there: the others have to do. */
	for (int i = 0; i < MM_NR_MIGRATETYPES && left; i++) {
		int t = poor_first[i];
		uint64_t more = l->quota[t] - poor[t] < left ? l->quota[t] - poor[t] : left;

		poor[t] += more;
		left -= more;
	}
	for (int t = 0; t < MM_NR_MIGRATETYPES; t++)
		rich[t] = l->quota[t] - poor[t];
	spread_types(l, true, rich, nr_rich);
	spread_types(l, false, poor, nr_poor);
}

static int push(struct layout *l, int type, unsigned order, pfn_t pfn)
{
	struct pieces *p = &l->pieces[type][order];

	if (p->nr == p->room) {
		size_t room = p->room ? 2 * p->room : 64;
		pfn_t *grown = realloc(p->at, room * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		p->at = grown;
		p->room = room;
	}
	p->at[p->nr++] = pfn;
	return 0;
}

static bool pop(struct layout *l, int type, unsigned order, pfn_t *pfn)
{
	struct pieces *p = &l->pieces[type][order];

	if (p->first == p->nr)
		return false;
	*pfn = p->at[p->first++];
	return true;
}

/* The managed frames of a page block as aligned pieces. */
static int cut_block(struct layout *l, const struct page_block *b, size_t *cursor)
{
	pfn_t end = b->start + block_pages(l);
	int err = 0;

	while (*cursor < l->nr_ranges && l->ranges[*cursor].end <= b->start)
		++*cursor;
	for (size_t i = *cursor; i < l->nr_ranges && l->ranges[i].start < end && !err; i++) {
		pfn_t from = l->ranges[i].start > b->start ? l->ranges[i].start : b->start;
		pfn_t to = l->ranges[i].end < end ? l->ranges[i].end : end;

		while (from < to && !err) {
			unsigned order = l->block_order;

			while (from & ((UINT64_C(1) << order) - 1) ||
			       from + (UINT64_C(1) << order) > to)
				order--;
			err = push(l, b->type, order, from);
			from += UINT64_C(1) << order;
		}
	}
	return err;
}

static int cut_blocks(struct layout *l)
{
	size_t cursor = 0;
	int err = 0;

	for (size_t i = 0; i < l->nr_blocks && !err; i++)
		if (!l->blocks[i].free)
			err = cut_block(l, &l->blocks[i], &cursor);
	return err;
}

/*
 * Cut a block of `order` from the smallest larger piece of the type. Which half it is follows from
 * the frame, so that free blocks are not all at the bottom of something.
 */
static int cut_free(struct layout *l, int type, unsigned order, pfn_t *pfn)
{
	unsigned o = order + 1;
	int err = 0;

	while (o <= l->block_order && !pop(l, type, o, pfn))
		o++;
	if (o > l->block_order)
		return -ENOENT;
	while (o > order && !err) {
		uint64_t half = UINT64_C(1) << --o;
		bool upper = (*pfn >> l->block_order ^ *pfn >> o) & 1;

		err = push(l, type, o, *pfn + (upper ? 0 : half));
		*pfn += upper ? half : 0;
	}
	return err;
}

/* A whole piece, which no cut has made: what is beside it is not managed. */
static bool take_exact(struct layout *l, int type, unsigned order, size_t nr_uncut, pfn_t *pfn)
{
	struct pieces *p = &l->pieces[type][order];

	if (p->first >= nr_uncut)
		return false;
	*pfn = p->at[p->first++];
	return true;
}

static int place_small(struct layout *l, unsigned order, int type, const size_t *nr_uncut)
{
	int err = 0;

	for (uint64_t n = l->want->free_blocks[type][order]; n && !err; n--) {
		pfn_t pfn;

		err = cut_free(l, type, order, &pfn);
		if (err == -ENOENT && take_exact(l, type, order, nr_uncut[type], &pfn))
			err = 0;
		/* A page block may have changed its type while blocks of it were on lists. */
		for (int t = 0; t < MM_NR_MIGRATETYPES && err == -ENOENT; t++)
			if (t != type)
				err = cut_free(l, t, order, &pfn);
		if (err == -ENOENT)
			return impossible(l, "more free blocks than page blocks have room for");
		if (!err)
			err = add_free(l, pfn, order, type);
	}
	return err;
}

static int place_free(struct layout *l)
{
	int err = 0;

	for (unsigned order = MAX_PAGE_ORDER; order >= l->block_order && !err; order--)
		for (int t = 0; t < MM_NR_MIGRATETYPES && !err; t++)
			err = place_whole(l, order, t);
	if (err)
		return err;
	give_types(l);
	err = cut_blocks(l);
	for (unsigned order = l->block_order; order-- > 0 && !err;) {
		size_t nr_uncut[MM_NR_MIGRATETYPES];

		for (int t = 0; t < MM_NR_MIGRATETYPES; t++)
			nr_uncut[t] = l->pieces[t][order].nr;
		for (int t = 0; t < MM_NR_MIGRATETYPES && !err; t++)
			err = place_small(l, order, t, nr_uncut);
	}
	return err;
}

int layout_make(struct mm *mm, struct mm_zone *zone, const struct mm_zone_state *want,
		const struct mm_extent *ranges, size_t nr_ranges, struct layout **out, char *why,
		size_t size)
{
	struct layout *l = calloc(1, sizeof(*l));
	int err = -ENOMEM;

	*out = l;
	if (!l)
		return err;
	l->mm = mm;
	l->zone = zone;
	l->want = want;
	l->ranges = ranges;
	l->nr_ranges = nr_ranges;
	l->block_order = mm->arch->pageblock_order;
	l->why = why;
	l->why_size = size;
	err = find_blocks(l);
	if (!err)
		err = check_quota(l);
	if (!err)
		err = place_free(l);
	if (err) {
		layout_free(l);
		*out = NULL;
	}
	return err;
}

void layout_free(struct layout *l)
{
	if (!l)
		return;
	for (int t = 0; t < MM_NR_MIGRATETYPES; t++)
		for (unsigned o = 0; o < NR_PAGE_ORDERS; o++)
			free(l->pieces[t][o].at);
	free(l->free_blocks);
	free(l->blocks);
	free(l);
}

const struct layout_block *layout_free_blocks(const struct layout *l, size_t *nr)
{
	*nr = l->nr_free;
	return l->free_blocks;
}

int layout_take_block(struct layout *l, enum mm_migratetype type, unsigned order, pfn_t *pfn)
{
	unsigned o = order;
	int err = 0;

	while (o < NR_PAGE_ORDERS && !pop(l, type, o, pfn))
		o++;
	if (o == NR_PAGE_ORDERS)
		return -ENOENT;
	while (o-- > order && !err)
		err = push(l, type, o, *pfn + (UINT64_C(1) << o));
	return err;
}

bool layout_take_used(struct layout *l, struct layout_block *block)
{
	for (unsigned o = NR_PAGE_ORDERS; o-- > 0;)
		for (int t = 0; t < MM_NR_MIGRATETYPES; t++)
			if (pop(l, t, o, &block->pfn)) {
				block->order = (uint8_t)o;
				block->type = (uint8_t)t;
				return true;
			}
	return false;
}
