/* SPDX-License-Identifier: Apache-2.0 */
/* A sorted array: page block and mobility, of the first block that the trace shows there. */
#include "sim/replay/held_types.h"

#include <errno.h>
#include <stdlib.h>

struct known {
	uint64_t block; /* pfn >> pageblock_order */
	uint64_t when;  /* index of the event, doubled: behind the moves before it */
	uint8_t type;
};

struct held_types {
	unsigned order;
	size_t nr;
	struct known known[];
};

static int by_block(const void *a, const void *b)
{
	const struct known *x = a, *y = b;

	if (x->block != y->block)
		return x->block < y->block ? -1 : 1;
	return x->when < y->when ? -1 : x->when > y->when;
}

static void know(struct held_types *h, pfn_t pfn, uint64_t when, unsigned type)
{
	h->known[h->nr++] = (struct known){pfn >> h->order, when, (uint8_t)type};
}

/* What a CPU's list gives is of the list's mobility, and so is where it was freed to before. */
static bool tells(const struct held_types *h, const struct trace_event *ev)
{
	return ev->op == TRACE_ALLOC && ev->page != TRACE_NO_PAGE &&
	       !(ev->flags & TRACE_F_INFERRED) &&
	       (ev->order <= PAGE_ALLOC_COSTLY_ORDER || ev->order == h->order);
}

static void gather(struct held_types *h, const struct trace *t)
{
	for (size_t i = 0; i < t->nr_moves; i++)
		if (!t->moves[i].fallback)
			know(h, t->moves[i].pfn, UINT64_C(2) * t->moves[i].event,
			     t->moves[i].migratetype);
	for (size_t i = 0; i < t->nr_events; i++) {
		const struct trace_event *ev = &t->events[i];

		if (tells(h, ev) && trace_pfn(t, ev->page) != TRACE_NO_PFN)
			know(h, trace_pfn(t, ev->page), UINT64_C(2) * i + 1, ev->migratetype);
	}
}

int held_types_new(const struct trace *t, unsigned pageblock_order, struct held_types **out)
{
	size_t most = t->nr_held_frees && t->nr_moves ? t->nr_moves + t->nr_allocs : 0, last = 0;
	struct held_types *h = malloc(sizeof(*h) + most * sizeof(*h->known));

	*out = h;
	if (!h)
		return -ENOMEM;
	*h = (struct held_types){.order = pageblock_order};
	if (most)
		gather(h, t);
	qsort(h->known, h->nr, sizeof(*h->known), by_block);
	for (size_t i = 1; i < h->nr; i++)
		if (h->known[i].block != h->known[last].block)
			h->known[++last] = h->known[i];
	h->nr = h->nr ? last + 1 : 0;
	return 0;
}

void held_types_free(struct held_types *h)
{
	free(h);
}

enum mm_migratetype held_type(const struct held_types *h, pfn_t pfn, unsigned order)
{
	size_t low = 0, high = h ? h->nr : 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (h->known[middle].block < pfn >> h->order)
			low = middle + 1;
		else
			high = middle;
	}
	if (h && low < h->nr && h->known[low].block == pfn >> h->order)
		return (enum mm_migratetype)h->known[low].type;
	return order ? MM_UNMOVABLE : MM_MOVABLE;
}
