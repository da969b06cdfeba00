/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Homes: where in simulated memory the kernel's own structures are. A structure goes into a
 * reserved range that says it holds that kind, on the structure's node and in order of address;
 * else it is taken from memblock. Where the reservations are complete there is nothing to take:
 * such a structure borrows addresses of a reserved range. Owns mm->homes.
 */
#include <errno.h>
#include <stdlib.h>

#include "mm/internal.h"

phys_addr_t mm_direct_limit(const struct mm *mm)
{
	return mm->arch->zones[mm_arch_zone_index(mm->arch, MM_ZONE_NORMAL)].limit;
}

static int add_home(struct mm *mm, size_t *capacity, const struct mm_home *home)
{
	if (mm->nr_homes == *capacity) {
		size_t more = *capacity ? 2 * *capacity : 16;
		void *grown = realloc(mm->homes, more * sizeof(*mm->homes));

		if (!grown)
			return -ENOMEM;
		mm->homes = grown;
		*capacity = more;
	}
	mm->homes[mm->nr_homes++] = *home;
	return 0;
}

/* The parts of a reservation that stay reserved, cut at the ends of memory and of nodes. */
static int add_pieces(struct mm *mm, size_t *capacity, const struct mm_reservation *given,
		      const struct mm_config *c)
{
	const struct memblock_list *memory = &mm->memblock.memory;
	phys_addr_t limit = mm_direct_limit(mm), end = given->start + given->bytes;
	struct memblock kept = {.memory = {0}};
	int err = memblock_reserve(&kept, given->start, given->bytes);

	for (size_t i = 0; i < c->nr_late && !err; i++)
		err = memblock_phys_free(&kept, c->late[i].start, c->late[i].bytes);
	for (size_t i = 0; i < memory->nr && !err && memory->regions[i].start < end; i++) {
		const struct memblock_region *m = &memory->regions[i];

		for (size_t k = 0; k < kept.reserved.nr && !err; k++) {
			const struct memblock_region *r = &kept.reserved.regions[k];
			struct mm_home home = {r->start > m->start ? r->start : m->start,
					       r->end < m->end ? r->end : m->end, 0, m->nid,
					       given->holds};

			home.end = home.end < limit ? home.end : limit;
			home.next = home.start;
			if (home.start < home.end)
				err = add_home(mm, capacity, &home);
		}
	}
	memblock_free_lists(&kept);
	return err;
}

static int by_address(const void *a, const void *b)
{
	const struct mm_home *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* Ranges of one kind that touch are one: what is larger than either may lie across them. */
static void merge_homes(struct mm *mm)
{
	size_t last = 0;

	for (size_t i = 1; i < mm->nr_homes; i++) {
		struct mm_home *low = &mm->homes[last], *high = &mm->homes[i];

		if (low->end == high->start && low->holds == high->holds && low->nid == high->nid)
			low->end = high->end;
		else
			mm->homes[++last] = *high;
	}
	if (mm->nr_homes)
		mm->nr_homes = last + 1;
}

int mm_homes_init(struct mm *mm, const struct mm_config *c)
{
	size_t capacity = 0;
	int err = 0;

	for (size_t i = 0; i < c->nr_reserved && !err; i++)
		if (c->reservations_complete || c->reserved[i].holds != MM_HOLDS_OTHER)
			err = add_pieces(mm, &capacity, &c->reserved[i], c);
	if (err || !mm->nr_homes)
		return err;
	qsort(mm->homes, mm->nr_homes, sizeof(*mm->homes), by_address);
	merge_homes(mm);
	return 0;
}

bool mm_has_home(const struct mm *mm, enum mm_holds what)
{
	for (size_t i = 0; i < mm->nr_homes; i++)
		if (mm->homes[i].holds == what)
			return true;
	return false;
}

/* The next place in a home, or MEMBLOCK_FAILED where it has no room left. */
static phys_addr_t fit(const struct mm_home *home, phys_addr_t from, uint64_t bytes, uint64_t align)
{
	phys_addr_t at = (from + align - 1) & ~(align - 1);

	return at <= home->end && home->end - at >= bytes ? at : MEMBLOCK_FAILED;
}

static phys_addr_t take_home(struct mm *mm, enum mm_holds what, uint64_t bytes, uint64_t align,
			     int nid)
{
	for (size_t i = 0; i < mm->nr_homes; i++) {
		struct mm_home *home = &mm->homes[i];
		phys_addr_t at;

		if (home->holds != what || (nid != MM_NO_NODE && home->nid != nid))
			continue;
		at = fit(home, home->next, bytes, align);
		if (at == MEMBLOCK_FAILED)
			continue;
		home->next = at + bytes;
		return at;
	}
	return MEMBLOCK_FAILED;
}

/* The largest range that holds nothing of ours, and has room for `bytes` if need be all over. */
static struct mm_home *find_lender(struct mm *mm, uint64_t bytes, uint64_t align, int nid)
{
	struct mm_home *best = NULL;

	for (size_t i = 0; i < mm->nr_homes; i++) {
		struct mm_home *home = &mm->homes[i];

		if ((home->holds != MM_HOLDS_OTHER && home->holds != MM_HOLDS_ALLOCATED) ||
		    (nid != MM_NO_NODE && home->nid != nid) ||
		    fit(home, home->start, bytes, align) == MEMBLOCK_FAILED)
			continue;
		if (!best || home->end - home->start > best->end - best->start)
			best = home;
	}
	return best;
}

/* What is larger than any reserved range: at the top of a range of memory, whatever is there. */
static phys_addr_t borrow_memory(const struct mm *mm, uint64_t bytes, uint64_t align, int nid)
{
	const struct memblock_list *memory = &mm->memblock.memory;
	phys_addr_t limit = mm_direct_limit(mm);

	for (size_t i = memory->nr; i-- > 0;) {
		const struct memblock_region *m = &memory->regions[i];
		phys_addr_t end = m->end < limit ? m->end : limit, at;

		if ((nid != MM_NO_NODE && m->nid != nid) || end < bytes)
			continue;
		at = (end - bytes) & ~(align - 1);
		if (at >= m->start)
			return at;
	}
	return MEMBLOCK_FAILED;
}

static phys_addr_t borrow(struct mm *mm, uint64_t bytes, uint64_t align, int nid)
{
	struct mm_home *lender = find_lender(mm, bytes, align, nid);
	phys_addr_t at;

	if (!lender)
		lender = find_lender(mm, bytes, align, MM_NO_NODE);
	if (!lender) {
		at = borrow_memory(mm, bytes, align, nid);
		return at != MEMBLOCK_FAILED ? at : borrow_memory(mm, bytes, align, MM_NO_NODE);
	}
	at = fit(lender, lender->next, bytes, align);
	if (at == MEMBLOCK_FAILED)
		at = fit(lender, lender->start, bytes, align);
	lender->next = at + bytes;
	return at;
}

/* Past the end of memory, for small tests. */
static phys_addr_t take_bare(struct mm *mm, uint64_t bytes, uint64_t align)
{
	phys_addr_t at = (mm->bare_next + align - 1) & ~(align - 1);

	mm->bare_next = at + bytes;
	return at;
}

phys_addr_t mm_boot_alloc_on(struct mm *mm, enum mm_holds what, uint64_t bytes, uint64_t align,
			     int nid)
{
	phys_addr_t at = take_home(mm, what, bytes, align, nid);

	if (at != MEMBLOCK_FAILED || mm->reservations_complete)
		return at;
	if (mm->bare_next)
		return take_bare(mm, bytes, align);
	return memblock_alloc_range(&mm->memblock, bytes, align, 0, mm_direct_limit(mm), nid);
}

phys_addr_t mm_boot_alloc(struct mm *mm, enum mm_holds what, uint64_t bytes, uint64_t align,
			  int nid)
{
	phys_addr_t at = take_home(mm, what, bytes, align, nid);

	if (at == MEMBLOCK_FAILED && !mm->reservations_complete)
		at = mm->bare_next ? take_bare(mm, bytes, align)
				   : memblock_alloc_try_nid(&mm->memblock, bytes, align, 0,
							    mm_direct_limit(mm), nid);
	if (at == MEMBLOCK_FAILED)
		at = take_home(mm, what, bytes, align, MM_NO_NODE);
	if (at == MEMBLOCK_FAILED && mm->reservations_complete)
		at = borrow(mm, bytes, align, nid);
	return at;
}

/* In the largest range that boot has reserved: of an image, or of the kernel's first structures. */
static phys_addr_t borrow_reserved(const struct mm *mm, uint64_t bytes, uint64_t align)
{
	const struct memblock_list *reserved = &mm->memblock.reserved;
	phys_addr_t limit = mm_direct_limit(mm), best = MEMBLOCK_FAILED;
	uint64_t most = 0;

	for (size_t i = 0; i < reserved->nr; i++) {
		const struct memblock_region *r = &reserved->regions[i];
		phys_addr_t at = (r->start + align - 1) & ~(align - 1);
		phys_addr_t end = r->end < limit ? r->end : limit;

		if (at >= end || end - at < bytes || end - at <= most ||
		    !memblock_is_memory(&mm->memblock, at) ||
		    !memblock_is_memory(&mm->memblock, at + bytes - 1))
			continue;
		most = end - at;
		best = at;
	}
	return best;
}

phys_addr_t mm_image_home(struct mm *mm, uint64_t bytes, uint64_t align)
{
	phys_addr_t at;

	if (mm->reservations_complete)
		return borrow(mm, bytes, align, MM_NO_NODE);
	if (mm->bare_next)
		return take_bare(mm, bytes, align);
	at = borrow_reserved(mm, bytes, align);
	return at != MEMBLOCK_FAILED ? at : borrow_memory(mm, bytes, align, MM_NO_NODE);
}
