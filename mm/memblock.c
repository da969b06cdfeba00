/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The boot-time allocator. It owns its two region lists and knows no pages, zones or descriptors.
 *
 * Both ways of changing a list go through cut(), which takes [start, end) out of it; adding is
 * filling what is left uncovered, then merging neighbours.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mm/memblock.h"

static int insert(struct memblock_list *l, size_t at, struct memblock_region r)
{
	if (l->nr == l->capacity) {
		size_t capacity = l->capacity ? 2 * l->capacity : 16;
		void *grown = realloc(l->regions, capacity * sizeof(r));

		if (!grown)
			return -ENOMEM;
		l->regions = grown;
		l->capacity = capacity;
	}
	memmove(&l->regions[at + 1], &l->regions[at], (l->nr - at) * sizeof(r));
	l->regions[at] = r;
	l->nr++;
	return 0;
}

static void erase(struct memblock_list *l, size_t at)
{
	l->nr--;
	memmove(&l->regions[at], &l->regions[at + 1], (l->nr - at) * sizeof(l->regions[0]));
}

/* Index of the first region that ends above `at`. */
static size_t first_ending_above(const struct memblock_list *l, phys_addr_t at)
{
	size_t lo = 0, hi = l->nr;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (l->regions[mid].end > at)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

static void merge_around(struct memblock_list *l, size_t first, size_t last)
{
	size_t i = first ? first - 1 : 0;

	while (i + 1 < l->nr && i <= last) {
		struct memblock_region *a = &l->regions[i], *b = a + 1;

		if (a->end == b->start && a->nid == b->nid) {
			a->end = b->end;
			erase(l, i + 1);
			last = last ? last - 1 : 0;
		} else {
			i++;
		}
	}
}

static int fill(struct memblock_list *l, phys_addr_t start, phys_addr_t end, int nid)
{
	size_t first = first_ending_above(l, start), i = first;

	while (start < end) {
		struct memblock_region r = {start, end, nid};
		bool covered = i < l->nr && l->regions[i].start <= start;
		int err;

		if (covered) {
			start = l->regions[i++].end;
			continue;
		}
		if (i < l->nr && l->regions[i].start < end)
			r.end = l->regions[i].start;
		err = insert(l, i++, r);
		if (err)
			return err;
		start = r.end;
	}
	merge_around(l, first, i);
	return 0;
}

static int cut(struct memblock_list *l, phys_addr_t start, phys_addr_t end)
{
	size_t i = first_ending_above(l, start);

	while (i < l->nr && l->regions[i].start < end) {
		struct memblock_region *r = &l->regions[i];

		if (r->start < start && r->end > end) {
			struct memblock_region upper = {end, r->end, r->nid};

			r->end = start;
			return insert(l, i + 1, upper);
		}
		if (r->start < start) {
			r->end = start;
			i++;
		} else if (r->end > end) {
			r->start = end;
			i++;
		} else {
			erase(l, i);
		}
	}
	return 0;
}

int memblock_add(struct memblock *mb, phys_addr_t start, uint64_t bytes, int nid)
{
	return fill(&mb->memory, start, start + bytes, nid);
}

int memblock_remove(struct memblock *mb, phys_addr_t start, uint64_t bytes)
{
	return cut(&mb->memory, start, start + bytes);
}

int memblock_set_node(struct memblock *mb, phys_addr_t start, uint64_t bytes, int nid)
{
	phys_addr_t end = start + bytes;

	while (start < end) {
		size_t i = first_ending_above(&mb->memory, start);
		struct memblock_region r;
		int err;

		if (i == mb->memory.nr || mb->memory.regions[i].start >= end)
			break;
		r = mb->memory.regions[i];
		r.start = r.start > start ? r.start : start;
		r.end = r.end < end ? r.end : end;
		err = cut(&mb->memory, r.start, r.end);
		if (!err)
			err = fill(&mb->memory, r.start, r.end, nid);
		if (err)
			return err;
		start = r.end;
	}
	return 0;
}

int memblock_reserve(struct memblock *mb, phys_addr_t start, uint64_t bytes)
{
	return fill(&mb->reserved, start, start + bytes, MM_NO_NODE);
}

int memblock_phys_free(struct memblock *mb, phys_addr_t start, uint64_t bytes)
{
	return cut(&mb->reserved, start, start + bytes);
}

/* The highest aligned place for `bytes` in [min, max) that no reservation touches. */
static phys_addr_t highest_fit(const struct memblock *mb, uint64_t bytes, uint64_t align,
			       phys_addr_t min, phys_addr_t max)
{
	const struct memblock_list *res = &mb->reserved;

	while (max > min && max - min >= bytes) {
		phys_addr_t at = (max - bytes) & ~(align - 1);
		size_t i;

		if (at < min)
			break;
		i = first_ending_above(res, at);
		if (i == res->nr || res->regions[i].start >= at + bytes)
			return at;
		max = res->regions[i].start;
	}
	return MEMBLOCK_FAILED;
}

phys_addr_t memblock_alloc_range(struct memblock *mb, uint64_t bytes, uint64_t align,
				 phys_addr_t min, phys_addr_t max, int nid)
{
	for (size_t i = mb->memory.nr; i-- > 0;) {
		const struct memblock_region *m = &mb->memory.regions[i];
		phys_addr_t lo = m->start > min ? m->start : min;
		phys_addr_t hi = m->end < max ? m->end : max;
		phys_addr_t at;

		if (nid != MM_NO_NODE && m->nid != nid)
			continue;
		at = highest_fit(mb, bytes, align, lo, hi);
		if (at == MEMBLOCK_FAILED)
			continue;
		return memblock_reserve(mb, at, bytes) ? MEMBLOCK_FAILED : at;
	}
	return MEMBLOCK_FAILED;
}

bool memblock_next_free(const struct memblock *mb, phys_addr_t *cursor, phys_addr_t *start,
			phys_addr_t *end, int *nid)
{
	for (size_t i = first_ending_above(&mb->memory, *cursor); i < mb->memory.nr; i++) {
		const struct memblock_region *m = &mb->memory.regions[i];
		phys_addr_t at = m->start > *cursor ? m->start : *cursor;
		size_t r = first_ending_above(&mb->reserved, at);

		while (r < mb->reserved.nr && mb->reserved.regions[r].start <= at)
			at = mb->reserved.regions[r++].end;
		if (at >= m->end)
			continue;
		*start = at;
		*end = m->end;
		if (r < mb->reserved.nr && mb->reserved.regions[r].start < m->end)
			*end = mb->reserved.regions[r].start;
		*nid = m->nid;
		*cursor = *end;
		return true;
	}
	return false;
}

bool memblock_is_memory(const struct memblock *mb, phys_addr_t at)
{
	size_t i = first_ending_above(&mb->memory, at);

	return i < mb->memory.nr && mb->memory.regions[i].start <= at;
}

static uint64_t bytes_in(const struct memblock_list *l, phys_addr_t start, phys_addr_t end)
{
	uint64_t bytes = 0;

	for (size_t i = first_ending_above(l, start); i < l->nr; i++) {
		const struct memblock_region *r = &l->regions[i];
		phys_addr_t lo = r->start > start ? r->start : start;
		phys_addr_t hi = r->end < end ? r->end : end;

		if (r->start >= end)
			break;
		bytes += hi - lo;
	}
	return bytes;
}

uint64_t memblock_memory_in(const struct memblock *mb, phys_addr_t start, phys_addr_t end)
{
	return bytes_in(&mb->memory, start, end);
}

uint64_t memblock_reserved_in(const struct memblock *mb, phys_addr_t start, phys_addr_t end)
{
	return bytes_in(&mb->reserved, start, end);
}

void memblock_free_lists(struct memblock *mb)
{
	free(mb->memory.regions);
	free(mb->reserved.regions);
	memset(mb, 0, sizeof(*mb));
}
