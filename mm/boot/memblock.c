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

#include "mm/boot/memblock.h"

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

		if (a->end == b->start && a->nid == b->nid && a->flags == b->flags) {
			a->end = b->end;
			erase(l, i + 1);
			last = last ? last - 1 : 0;
		} else {
			i++;
		}
	}
}

static int fill(struct memblock_list *l, phys_addr_t start, phys_addr_t end, int nid,
		unsigned flags)
{
	size_t first = first_ending_above(l, start), i = first;

	while (start < end) {
		struct memblock_region r = {start, end, nid, flags};
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
			struct memblock_region upper = {end, r->end, r->nid, r->flags};

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
	return fill(&mb->memory, start, start + bytes, nid, MEMBLOCK_NONE);
}

int memblock_add_with(struct memblock *mb, phys_addr_t start, uint64_t bytes, int nid,
		      unsigned flags)
{
	return fill(&mb->memory, start, start + bytes, nid, flags);
}

int memblock_remove(struct memblock *mb, phys_addr_t start, uint64_t bytes)
{
	return cut(&mb->memory, start, start + bytes);
}

/* What becomes of the memory in a range: another node unless MM_NO_NODE, flags set and cleared. */
struct change {
	int nid;
	unsigned set, clear;
};

static int change_range(struct memblock_list *l, phys_addr_t start, uint64_t bytes,
			const struct change *to)
{
	phys_addr_t end = start + bytes;

	while (start < end) {
		size_t i = first_ending_above(l, start);
		struct memblock_region r;
		int err;

		if (i == l->nr || l->regions[i].start >= end)
			break;
		r = l->regions[i];
		r.start = r.start > start ? r.start : start;
		r.end = r.end < end ? r.end : end;
		err = cut(l, r.start, r.end);
		if (!err)
			err = fill(l, r.start, r.end, to->nid == MM_NO_NODE ? r.nid : to->nid,
				   (r.flags & ~to->clear) | to->set);
		if (err)
			return err;
		start = r.end;
	}
	return 0;
}

int memblock_set_node(struct memblock *mb, phys_addr_t start, uint64_t bytes, int nid)
{
	return change_range(&mb->memory, start, bytes, &(struct change){.nid = nid});
}

int memblock_mark(struct memblock *mb, phys_addr_t start, uint64_t bytes, unsigned flags)
{
	return change_range(&mb->memory, start, bytes,
			    &(struct change){.nid = MM_NO_NODE, .set = flags});
}

int memblock_clear(struct memblock *mb, phys_addr_t start, uint64_t bytes, unsigned flags)
{
	return change_range(&mb->memory, start, bytes,
			    &(struct change){.nid = MM_NO_NODE, .clear = flags});
}

int memblock_reserve(struct memblock *mb, phys_addr_t start, uint64_t bytes)
{
	return fill(&mb->reserved, start, start + bytes, MM_NO_NODE, MEMBLOCK_NONE);
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

/* The lowest one. */
static phys_addr_t lowest_fit(const struct memblock *mb, uint64_t bytes, uint64_t align,
			      phys_addr_t min, phys_addr_t max)
{
	const struct memblock_list *res = &mb->reserved;

	while (max > min && max - min >= bytes) {
		phys_addr_t at = (min + align - 1) & ~(align - 1);
		size_t i;

		if (at < min || at >= max || max - at < bytes)
			break;
		i = first_ending_above(res, at);
		if (i == res->nr || res->regions[i].start >= at + bytes)
			return at;
		min = res->regions[i].end;
	}
	return MEMBLOCK_FAILED;
}

/* What an allocation asks for. */
struct request {
	uint64_t bytes, align;
	phys_addr_t min, max;
	int nid;
	unsigned flags; /* only from memory that has these */
};

static bool suits(const struct memblock *mb, const struct memblock_region *m,
		  const struct request *want)
{
	if (want->nid != MM_NO_NODE && m->nid != want->nid)
		return false;
	if (mb->movable_node && (m->flags & MEMBLOCK_HOTPLUG))
		return false;
	return (m->flags & want->flags) == want->flags;
}

static phys_addr_t take(struct memblock *mb, const struct request *want)
{
	size_t nr = mb->memory.nr;

	for (size_t i = 0; i < nr; i++) {
		const struct memblock_region *m =
			&mb->memory.regions[mb->bottom_up ? i : nr - 1 - i];
		phys_addr_t lo = m->start > want->min ? m->start : want->min;
		phys_addr_t hi = m->end < want->max ? m->end : want->max;
		phys_addr_t at;

		if (!suits(mb, m, want))
			continue;
		at = mb->bottom_up ? lowest_fit(mb, want->bytes, want->align, lo, hi)
				   : highest_fit(mb, want->bytes, want->align, lo, hi);
		if (at == MEMBLOCK_FAILED)
			continue;
		return memblock_reserve(mb, at, want->bytes) ? MEMBLOCK_FAILED : at;
	}
	return MEMBLOCK_FAILED;
}

static bool has_mirror(const struct memblock *mb)
{
	for (size_t i = 0; i < mb->memory.nr; i++)
		if (mb->memory.regions[i].flags & MEMBLOCK_MIRROR)
			return true;
	return false;
}

/* On the node, then with `anywhere` on others; of mirrored memory, then of any. */
static phys_addr_t take_nearest(struct memblock *mb, struct request want, bool anywhere)
{
	const int nid = want.nid;
	phys_addr_t at;

	want.flags = has_mirror(mb) ? MEMBLOCK_MIRROR : MEMBLOCK_NONE;
	for (;; want.flags = MEMBLOCK_NONE) {
		want.nid = nid;
		at = take(mb, &want);
		want.nid = MM_NO_NODE;
		if (at == MEMBLOCK_FAILED && anywhere && nid != MM_NO_NODE)
			at = take(mb, &want);
		if (at != MEMBLOCK_FAILED || !want.flags)
			return at;
	}
}

phys_addr_t memblock_alloc_range(struct memblock *mb, uint64_t bytes, uint64_t align,
				 phys_addr_t min, phys_addr_t max, int nid)
{
	return take_nearest(mb, (struct request){bytes, align, min, max, nid, 0}, false);
}

phys_addr_t memblock_alloc_try_nid(struct memblock *mb, uint64_t bytes, uint64_t align,
				   phys_addr_t min, phys_addr_t max, int nid)
{
	phys_addr_t at = take_nearest(mb, (struct request){bytes, align, min, max, nid, 0}, true);

	if (at == MEMBLOCK_FAILED && min)
		at = take_nearest(mb, (struct request){bytes, align, 0, max, nid, 0}, true);
	return at;
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

unsigned memblock_flags_at(const struct memblock *mb, phys_addr_t at)
{
	size_t i = first_ending_above(&mb->memory, at);

	if (i == mb->memory.nr || mb->memory.regions[i].start > at)
		return MEMBLOCK_NONE;
	return mb->memory.regions[i].flags;
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
