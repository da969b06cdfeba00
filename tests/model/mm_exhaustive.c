/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every sequence of a few allocations and frees, movable and not, on two nodes of 8 pages, followed
 * by a plain model that has but one array: where each frame is. It learns that from the events
 * alone, and predicts from it which zone the next allocation comes from, what is free and in which
 * blocks. So events tell the whole truth, and the lists say what the plain array says. It knows no
 * mobility: none makes an allocation fail, or keeps free blocks from merging.
 *
 * NUMASIM_LENGTH is the length of the sequences.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "../mm_fixture.h"

#define NODE_FRAMES 8
#define FRAMES      (2 * NODE_FRAMES)
#define LENGTH_MOST 40

enum place { IN_ZONE, ON_LIST, ON_ITS_WAY, IN_USE };

struct plain {
	enum place place[FRAMES];
	int cpu[FRAMES]; /* whose list, ON_LIST */
	unsigned
		block_order[FRAMES]; /* ON_LIST and IN_USE, at the head of a block; else NO_BLOCK */
};
#define NO_BLOCK 99

struct world {
	struct recorder rec;
	struct plain plain;
	struct page *blocks[LENGTH_MOST];
	unsigned orders[LENGTH_MOST];
	size_t nr_blocks;
};

static void plain_move(struct plain *p, pfn_t pfn, unsigned order, enum place from, enum place to,
		       int cpu)
{
	cr_assert_leq(pfn + (1u << order), FRAMES);
	for (pfn_t f = pfn; f < pfn + (1u << order); f++) {
		cr_assert_eq(p->place[f], from, "frame %lu was in place %d, not %d", f, p->place[f],
			     from);
		cr_assert(from != ON_LIST || p->cpu[f] == cpu, "frame %lu of CPU %d", f, p->cpu[f]);
		p->place[f] = to;
		p->cpu[f] = cpu;
		p->block_order[f] = NO_BLOCK;
	}
	p->block_order[pfn] = to == IN_ZONE ? NO_BLOCK : order;
}

/* What the events of one operation say. */
static void plain_follow(struct plain *p, const struct recorder *rec)
{
	for (size_t i = 0; i < rec->nr; i++) {
		const struct mm_event *ev = &rec->records[i].event;
		int cpu = rec->records[i].cpu;
		bool listed = ev->order <= PAGE_ALLOC_COSTLY_ORDER;

		if (rec->records[i].kind != REC_EVENT)
			continue;
		switch (ev->type) {
		case MM_EVENT_ALLOC_ZONE_LOCKED:
			cr_assert_eq(ev->percpu_refill, listed);
			plain_move(p, ev->pfn, ev->order, IN_ZONE, listed ? ON_LIST : ON_ITS_WAY,
				   cpu);
			break;
		case MM_EVENT_PAGE_ALLOC:
			if (ev->page)
				plain_move(p, ev->pfn, ev->order, listed ? ON_LIST : ON_ITS_WAY,
					   IN_USE, cpu);
			break;
		case MM_EVENT_PAGE_FREE:
			plain_move(p, ev->pfn, ev->order, IN_USE, listed ? ON_LIST : IN_ZONE, cpu);
			break;
		case MM_EVENT_PCPU_DRAIN:
			plain_move(p, ev->pfn, ev->order, ON_LIST, IN_ZONE, cpu);
			break;
		default:
			break;
		}
	}
}

static uint64_t plain_free(const struct plain *p, int nid)
{
	uint64_t pages = 0;

	for (int f = nid * NODE_FRAMES; f < (nid + 1) * NODE_FRAMES; f++)
		pages += p->place[f] == IN_ZONE;
	return pages;
}

/* Free frames of a zone as the largest aligned blocks: what merging must arrive at. */
static void plain_blocks(const struct plain *p, int nid, uint64_t *blocks)
{
	int start = nid * NODE_FRAMES, end = start + NODE_FRAMES;

	memset(blocks, 0, NR_PAGE_ORDERS * sizeof(*blocks));
	for (int f = start; f < end;) {
		unsigned order = 3; /* NODE_FRAMES is 2^3 */
		int n = 0;

		if (p->place[f] != IN_ZONE) {
			f++;
			continue;
		}
		for (;; order--) {
			for (n = 0; n < 1 << order && f + n < end; n++)
				if (p->place[f + n] != IN_ZONE)
					break;
			if (n == 1 << order && f % (1 << order) == 0)
				break;
		}
		blocks[order]++;
		f += 1 << order;
	}
}

static bool plain_has_block(const struct plain *p, int nid, unsigned order)
{
	uint64_t blocks[NR_PAGE_ORDERS];

	plain_blocks(p, nid, blocks);
	for (unsigned o = order; o < NR_PAGE_ORDERS; o++)
		if (blocks[o])
			return true;
	return false;
}

/* The node that serves the request: its own or else the other; MM_NO_NODE: neither. */
static int plain_predict(const struct plain *p, const struct mm *mm, int cpu, unsigned order)
{
	const enum mm_wmark marks[] = {MM_WMARK_LOW, MM_WMARK_MIN};

	for (int pass = 0; pass < 2; pass++)
		for (int i = 0; i < 2; i++) {
			int nid = i ? !cpu : cpu; /* CPU n is on node n */
			uint64_t mark = mm->nodes[nid].zones[0].wmark[marks[pass]];

			if (plain_free(p, nid) > mark + (1u << order) - 1 &&
			    plain_has_block(p, nid, order))
				return nid;
		}
	return MM_NO_NODE;
}

static void compare(const struct world *w)
{
	const struct plain *p = &w->plain;
	uint64_t blocks[NR_PAGE_ORDERS];

	for (int nid = 0; nid < 2; nid++) {
		struct mm_zone_info info = zone_info(w->rec.mm, nid, 0);

		cr_assert_eq(info.free, plain_free(p, nid));
		plain_blocks(p, nid, blocks);
		cr_assert_eq(memcmp(blocks, info.nr_free_blocks, sizeof(blocks)), 0,
			     "node %d: other free blocks", nid);
		for (int cpu = 0; cpu < 2; cpu++) {
			unsigned listed = 0;

			for (int f = nid * NODE_FRAMES; f < (nid + 1) * NODE_FRAMES; f++)
				listed += p->place[f] == ON_LIST && p->cpu[f] == cpu;
			cr_assert_eq(mm_pcp_count(w->rec.mm, nid, 0, cpu), listed);
		}
	}
	for (size_t i = 0; i < w->nr_blocks; i++)
		cr_assert_eq(p->block_order[pfn_of(w->rec.mm, w->blocks[i])], w->orders[i]);
	must_verify(w->rec.mm, "after an operation");
}

static const unsigned orders[] = {0, 1, 3};
static const gfp_t gfps[] = {GFP_KERNEL, GFP_HIGHUSER_MOVABLE};
#define NR_ALLOCS 12 /* two CPUs, two mobilities, three orders */

/* Each block in use can be freed by either CPU. */
static unsigned count_choices(const struct world *w)
{
	return NR_ALLOCS + 2 * (unsigned)w->nr_blocks;
}

static void do_alloc(struct world *w, unsigned choice)
{
	int cpu = choice & 1;
	gfp_t gfp = gfps[choice / 2 % 2];
	unsigned order = orders[choice / 4];
	int predicted = plain_predict(&w->plain, w->rec.mm, cpu, order);
	struct page *page = alloc(w->rec.mm, cpu, order, gfp);

	cr_assert_eq(page ? mm_page_to_nid(w->rec.mm, page) : MM_NO_NODE, predicted,
		     "CPU %d, order %u: predicted node %d", cpu, order, predicted);
	if (page) {
		w->blocks[w->nr_blocks] = page;
		w->orders[w->nr_blocks++] = order;
	}
}

static void do_free(struct world *w, unsigned choice)
{
	size_t i = choice / 2;

	cr_assert_eq(mm_free_pages(w->rec.mm, choice & 1, w->blocks[i], w->orders[i]), 0);
	w->nr_blocks--;
	w->blocks[i] = w->blocks[w->nr_blocks];
	w->orders[i] = w->orders[w->nr_blocks];
}

/*
 * One sequence from boot on; most[i] becomes the number of choices there were at step i, and a
 * choice beyond it wraps round.
 */
static void run(const unsigned *choices, unsigned *most, unsigned length, unsigned batch)
{
	static const struct machine m = {
		.model = MM_SPARSE,
		.memory = {{0, NODE_FRAMES * 4096, 0}, {NODE_FRAMES * 4096, NODE_FRAMES * 4096, 1}},
		.cpus = {1, 1},
		.min_free_kbytes = 16,         /* 4 pages: min = 2 in each zone */
		.watermark_scale_factor = 2000, /* low = 2 + 1 */
		.exact_counts = true,
	};
	struct world w = {.nr_blocks = 0};

	boot_recorded(&m, &w.rec);
	cr_assert(w.rec.mm->nodes[0].zones[0].wmark[MM_WMARK_MIN] == 2 &&
		  w.rec.mm->nodes[1].zones[0].wmark[MM_WMARK_LOW] == 3);
	for (int n = 0; n < 2; n++) {
		w.rec.mm->nodes[n].zones[0].pcp_batch = batch;
		w.rec.mm->nodes[n].zones[0].pcp_high = 4 * batch;
	}
	for (int f = 0; f < FRAMES; f++)
		w.plain.block_order[f] = NO_BLOCK;
	for (unsigned i = 0; i < length; i++) {
		unsigned choice = choices[i] % count_choices(&w);

		most[i] = count_choices(&w);
		record_from_here(&w.rec);
		if (choice < NR_ALLOCS)
			do_alloc(&w, choice);
		else
			do_free(&w, choice - NR_ALLOCS);
		plain_follow(&w.plain, &w.rec);
		compare(&w);
	}
	mm_destroy(w.rec.mm);
	free(w.rec.records);
}

/* Counts up like an odometer whose wheels have as many digits as there were choices. */
static bool next_sequence(unsigned *choices, const unsigned *most, unsigned length)
{
	for (unsigned i = length; i-- > 0;) {
		if (++choices[i] < most[i])
			return true;
		choices[i] = 0;
	}
	return false;
}

static unsigned run_all(unsigned length, unsigned batch)
{
	unsigned choices[LENGTH_MOST] = {0}, most[LENGTH_MOST] = {0}, sequences = 0;

	do {
		run(choices, most, length, batch);
		sequences++;
	} while (next_sequence(choices, most, length));
	return sequences;
}

#ifndef NDEBUG
#define LENGTH 4
#else
#define LENGTH 5
#endif

/* If nothing failed, step i had 12 to 12 + 2 i choices. */
Test(exhaustive, sequences_agree_with_a_plain_model)
{
	unsigned length = (unsigned)number_from_env("NUMASIM_LENGTH", LENGTH);
	uint64_t least = 1, most = 1;

	cr_assert_leq(length, LENGTH_MOST);
	for (unsigned i = 0; i < length; i++) {
		least *= NR_ALLOCS;
		most *= NR_ALLOCS + 2 * i;
	}
	for (unsigned batch = 1; batch <= 3; batch += 2) {
		unsigned sequences = run_all(length, batch);

		cr_expect(sequences > least && sequences <= most, "%u sequences", sequences);
	}
}

/* The same for long sequences, which are drawn and not counted up. */
Test(exhaustive, long_sequences_agree_too)
{
	unsigned choices[LENGTH_MOST], most[LENGTH_MOST];
	uint64_t rng = random_seed(7);

	for (unsigned round = 0; round < 500; round++) {
		for (int i = 0; i < LENGTH_MOST; i++)
			choices[i] = (unsigned)random_below(&rng, 1 << 20);
		run(choices, most, LENGTH_MOST, 1 + 2 * (round & 1));
	}
}
