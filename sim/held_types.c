/* SPDX-License-Identifier: Apache-2.0 */
/* A sorted array: page block and mobility, of the first block that the trace shows there. */
#include "sim/held_types.h"

#include <errno.h>
#include <stdlib.h>

struct known {
	uint64_t block; /* pfn >> pageblock_order */
	size_t when;    /* index of the move */
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

int held_types_new(const struct trace *t, unsigned pageblock_order, struct held_types **out)
{
	size_t nr = t->nr_held_frees ? t->nr_moves : 0, last = 0;
	struct held_types *h = malloc(sizeof(*h) + nr * sizeof(*h->known));

	*out = h;
	if (!h)
		return -ENOMEM;
	h->order = pageblock_order;
	for (size_t i = 0; i < nr; i++)
		h->known[i] = (struct known){t->moves[i].pfn >> pageblock_order, i,
					     (uint8_t)t->moves[i].migratetype};
	qsort(h->known, nr, sizeof(*h->known), by_block);
	for (size_t i = 1; i < nr; i++)
		if (h->known[i].block != h->known[last].block)
			h->known[++last] = h->known[i];
	h->nr = nr ? last + 1 : 0;
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
