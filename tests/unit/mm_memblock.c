/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The boot-time allocator: its two lists stay sorted and merged, allocation goes top down or bottom
 * up, and by flags.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "../mm_fixture.h"

/* A region without flags. */
struct plain_region {
	phys_addr_t start, end;
	int nid;
};

static void must_be(const struct memblock_list *l, size_t nr, const struct plain_region *want)
{
	cr_assert_eq(l->nr, nr, "%zu regions, not %zu", l->nr, nr);
	for (size_t i = 0; i < nr; i++)
		cr_expect(l->regions[i].start == want[i].start &&
				  l->regions[i].end == want[i].end &&
				  l->regions[i].nid == want[i].nid && !l->regions[i].flags,
			  "region %zu is [0x%lx, 0x%lx) of node %d", i, l->regions[i].start,
			  l->regions[i].end, l->regions[i].nid);
}

#define MUST_BE(list, ...)                                                                         \
	must_be(&(list),                                                                           \
		sizeof((struct plain_region[]){__VA_ARGS__}) / sizeof(struct plain_region),        \
		(struct plain_region[]){__VA_ARGS__})

Test(memblock, touching_ranges_of_one_node_are_one)
{
	struct memblock mb = {0};

	cr_assert_eq(memblock_add(&mb, 0x1000, 0x1000, 0), 0);
	cr_assert_eq(memblock_add(&mb, 0x3000, 0x1000, 0), 0);
	MUST_BE(mb.memory, {0x1000, 0x2000, 0}, {0x3000, 0x4000, 0});
	cr_assert_eq(memblock_add(&mb, 0x2000, 0x1000, 0), 0);
	MUST_BE(mb.memory, {0x1000, 0x4000, 0});
	memblock_free_lists(&mb);
}

Test(memblock, touching_ranges_of_two_nodes_are_two)
{
	struct memblock mb = {0};

	memblock_add(&mb, 0x1000, 0x1000, 0);
	memblock_add(&mb, 0x2000, 0x1000, 1);
	MUST_BE(mb.memory, {0x1000, 0x2000, 0}, {0x2000, 0x3000, 1});
	memblock_free_lists(&mb);
}

/* Added over both: only the gap and the two ends are new, and take the new node. */
Test(memblock, what_is_there_keeps_its_node)
{
	struct memblock mb = {0};

	memblock_add(&mb, 0x2000, 0x1000, 0);
	memblock_add(&mb, 0x5000, 0x1000, 1);
	memblock_add(&mb, 0x1000, 0x7000, 2);
	MUST_BE(mb.memory, {0x1000, 0x2000, 2}, {0x2000, 0x3000, 0}, {0x3000, 0x5000, 2},
		{0x5000, 0x6000, 1}, {0x6000, 0x8000, 2});
	memblock_free_lists(&mb);
}

Test(memblock, removing_cuts_and_splits)
{
	struct memblock mb = {0};

	memblock_add(&mb, 0x1000, 0x8000, 0);
	memblock_remove(&mb, 0x3000, 0x1000); /* the middle */
	MUST_BE(mb.memory, {0x1000, 0x3000, 0}, {0x4000, 0x9000, 0});
	memblock_remove(&mb, 0x2000, 0x3000); /* over the hole, both its sides */
	MUST_BE(mb.memory, {0x1000, 0x2000, 0}, {0x5000, 0x9000, 0});
	memblock_remove(&mb, 0x0, 0x2000); /* a whole region, and more */
	MUST_BE(mb.memory, {0x5000, 0x9000, 0});
	memblock_free_lists(&mb);
}

Test(memblock, reservations_overlap_and_need_no_memory)
{
	struct memblock mb = {0};

	memblock_reserve(&mb, 0x1000, 0x2000);
	memblock_reserve(&mb, 0x2000, 0x3000);
	memblock_reserve(&mb, 0x8000, 0x10);
	MUST_BE(mb.reserved, {0x1000, 0x5000, MM_NO_NODE}, {0x8000, 0x8010, MM_NO_NODE});
	memblock_phys_free(&mb, 0x2000, 0x1000);
	MUST_BE(mb.reserved, {0x1000, 0x2000, MM_NO_NODE}, {0x3000, 0x5000, MM_NO_NODE},
		{0x8000, 0x8010, MM_NO_NODE});
	cr_assert_eq(mb.memory.nr, 0);
	memblock_free_lists(&mb);
}

/*
 * Memory [0x1000, 0x9000), [0x7800, 0x8000) taken. 0x1000 bytes at a multiple of 0x1000: the
 * highest is 0x8000. The next, 0x7000, would touch the reservation: 0x6000. 0x800 bytes at a
 * multiple of 0x100 then fit right below the reservation, at 0x7000.
 */
Test(memblock, allocates_from_the_top_down_aligned)
{
	struct memblock mb = {0};

	memblock_add(&mb, 0x1000, 0x8000, 0);
	memblock_reserve(&mb, 0x7800, 0x800);
	cr_expect_eq(memblock_alloc_range(&mb, 0x1000, 0x1000, 0, UINT64_MAX, 0), 0x8000);
	cr_expect_eq(memblock_alloc_range(&mb, 0x1000, 0x1000, 0, UINT64_MAX, 0), 0x6000);
	cr_expect_eq(memblock_alloc_range(&mb, 0x800, 0x100, 0, UINT64_MAX, 0), 0x7000);
	MUST_BE(mb.reserved, {0x6000, 0x9000, MM_NO_NODE});
	memblock_free_lists(&mb);
}

Test(memblock, allocates_within_the_bounds)
{
	struct memblock mb = {0};

	memblock_add(&mb, 0x1000, 0x8000, 0);
	cr_expect_eq(memblock_alloc_range(&mb, 0x800, 0x10, 0x2000, 0x4010, 0), 0x3810);
	cr_expect_eq(memblock_alloc_range(&mb, 0x1000, 0x1000, 0x2800, 0x3810, 0), MEMBLOCK_FAILED);
	cr_expect_eq(memblock_alloc_range(&mb, 0x8001, 1, 0, UINT64_MAX, 0), MEMBLOCK_FAILED);
	memblock_free_lists(&mb);
}

/* The top of memory is node 1's; asked for node 0, the top of node 0 is taken. */
Test(memblock, allocates_on_the_node)
{
	struct memblock mb = {0};

	memblock_add(&mb, 0x1000, 0x4000, 0);
	memblock_add(&mb, 0x5000, 0x4000, 1);
	cr_expect_eq(memblock_alloc_range(&mb, 0x1000, 0x1000, 0, UINT64_MAX, 0), 0x4000);
	cr_expect_eq(memblock_alloc_range(&mb, 0x1000, 0x1000, 0, UINT64_MAX, MM_NO_NODE), 0x8000);
	cr_expect_eq(memblock_alloc_range(&mb, 0x4000, 0x1000, 0, UINT64_MAX, 1), MEMBLOCK_FAILED);
	cr_expect_eq(memblock_alloc_range(&mb, 0x1000, 0x1000, 0, UINT64_MAX, 2), MEMBLOCK_FAILED);
	memblock_free_lists(&mb);
}

Test(memblock, free_ranges_are_memory_that_is_not_taken)
{
	struct memblock mb = {0};
	phys_addr_t cursor = 0, start, end;
	int nid;

	memblock_add(&mb, 0x1000, 0x3000, 0);
	memblock_add(&mb, 0x4000, 0x2000, 1);
	memblock_reserve(&mb, 0x0, 0x2000);
	memblock_reserve(&mb, 0x3000, 0x800);
	memblock_reserve(&mb, 0x5000, 0x9000);
	cr_assert(memblock_next_free(&mb, &cursor, &start, &end, &nid));
	cr_expect(start == 0x2000 && end == 0x3000 && nid == 0);
	cr_assert(memblock_next_free(&mb, &cursor, &start, &end, &nid));
	cr_expect(start == 0x3800 && end == 0x4000 && nid == 0);
	cr_assert(memblock_next_free(&mb, &cursor, &start, &end, &nid));
	cr_expect(start == 0x4000 && end == 0x5000 && nid == 1);
	cr_assert_not(memblock_next_free(&mb, &cursor, &start, &end, &nid));
	memblock_free_lists(&mb);
}

Test(memblock, tells_memory_from_holes)
{
	struct memblock mb = {0};

	memblock_add(&mb, 0x1000, 0x1000, 0);
	memblock_add(&mb, 0x4000, 0x2000, 0);
	cr_expect_not(memblock_is_memory(&mb, 0xfff));
	cr_expect(memblock_is_memory(&mb, 0x1000));
	cr_expect(memblock_is_memory(&mb, 0x1fff));
	cr_expect_not(memblock_is_memory(&mb, 0x2000));
	/* 0x800 of the first, 0x1000 of the second */
	cr_expect_eq(memblock_memory_in(&mb, 0x1800, 0x5000), 0x1800);
	cr_expect_eq(memblock_memory_in(&mb, 0x2000, 0x4000), 0);
	memblock_free_lists(&mb);
}

/*
 * Memory [0x1100, 0x9000), [0x2000, 0x2800) taken. 0x800 bytes at a multiple of 0x800: the lowest
 * is 0x1800, and behind the reservation comes 0x2800. 0x1000 at a multiple of 0x1000: 0x3000. The
 * next 0x100 at any place: 0x1100.
 */
Test(memblock, allocates_from_the_bottom_up_aligned)
{
	struct memblock mb = {.bottom_up = true};

	memblock_add(&mb, 0x1100, 0x7f00, 0);
	memblock_reserve(&mb, 0x2000, 0x800);
	cr_expect_eq(memblock_alloc_range(&mb, 0x800, 0x800, 0, UINT64_MAX, 0), 0x1800);
	cr_expect_eq(memblock_alloc_range(&mb, 0x800, 0x800, 0, UINT64_MAX, 0), 0x2800);
	cr_expect_eq(memblock_alloc_range(&mb, 0x1000, 0x1000, 0, UINT64_MAX, 0), 0x3000);
	cr_expect_eq(memblock_alloc_range(&mb, 0x100, 1, 0, UINT64_MAX, 0), 0x1100);
	cr_expect_eq(memblock_alloc_range(&mb, 0x100, 1, 0x5001, UINT64_MAX, 0), 0x5001);
	cr_expect_eq(memblock_alloc_range(&mb, 0x100, 0x100, 0x8f01, UINT64_MAX, 0),
		     MEMBLOCK_FAILED);
	mb.bottom_up = false;
	cr_expect_eq(memblock_alloc_range(&mb, 0x100, 0x100, 0, UINT64_MAX, 0), 0x8f00);
	memblock_free_lists(&mb);
}

/* An alignment that would take the address past the end of 64 bits finds nothing. */
Test(memblock, the_last_address_is_no_trap)
{
	struct memblock mb = {.bottom_up = true};

	memblock_add(&mb, UINT64_MAX - 0xfff, 0xfff, 0);
	cr_expect_eq(memblock_alloc_range(&mb, 1, UINT64_C(1) << 63, 0, UINT64_MAX, 0),
		     MEMBLOCK_FAILED);
	mb.bottom_up = false;
	cr_expect_eq(memblock_alloc_range(&mb, 1, UINT64_C(1) << 63, 0, UINT64_MAX, 0),
		     MEMBLOCK_FAILED);
	memblock_free_lists(&mb);
}

/* Flags split regions and, taken off again, let them merge. */
Test(memblock, flags_are_of_parts_of_a_region)
{
	struct memblock mb = {0};

	memblock_add(&mb, 0x1000, 0x4000, 0);
	memblock_add(&mb, 0x5000, 0x1000, 1);
	cr_assert_eq(memblock_mark(&mb, 0x2000, 0x3800, MEMBLOCK_HOTPLUG), 0);
	cr_assert_eq(mb.memory.nr, 4);
	cr_expect_eq(memblock_flags_at(&mb, 0x1fff), MEMBLOCK_NONE);
	cr_expect_eq(memblock_flags_at(&mb, 0x2000), MEMBLOCK_HOTPLUG);
	cr_expect_eq(memblock_flags_at(&mb, 0x57ff), MEMBLOCK_HOTPLUG);
	cr_expect_eq(memblock_flags_at(&mb, 0x5800), MEMBLOCK_NONE);
	cr_expect_eq(memblock_flags_at(&mb, 0x6000), MEMBLOCK_NONE);
	cr_assert_eq(memblock_mark(&mb, 0x3000, 0x1000, MEMBLOCK_MIRROR), 0);
	cr_expect_eq(memblock_flags_at(&mb, 0x3000), MEMBLOCK_HOTPLUG | MEMBLOCK_MIRROR);
	/* Another node, the same flags. */
	cr_assert_eq(memblock_set_node(&mb, 0x3000, 0x800, 1), 0);
	cr_expect_eq(memblock_flags_at(&mb, 0x3000), MEMBLOCK_HOTPLUG | MEMBLOCK_MIRROR);
	memblock_set_node(&mb, 0x3000, 0x800, 0);
	memblock_clear(&mb, 0, UINT64_MAX, MEMBLOCK_HOTPLUG | MEMBLOCK_MIRROR);
	MUST_BE(mb.memory, {0x1000, 0x5000, 0}, {0x5000, 0x6000, 1});
	memblock_free_lists(&mb);
}

/* Only with movable_node, which the kernel's parameter of that name asks for. */
Test(memblock, keeps_out_of_what_can_be_unplugged)
{
	struct memblock mb = {.movable_node = true};

	memblock_add(&mb, 0x1000, 0x4000, 0);
	memblock_add(&mb, 0x5000, 0x4000, 1);
	memblock_mark(&mb, 0x5000, 0x4000, MEMBLOCK_HOTPLUG);
	cr_expect_eq(memblock_alloc_range(&mb, 0x800, 0x800, 0, UINT64_MAX, 1), MEMBLOCK_FAILED);
	cr_expect_eq(memblock_alloc_try_nid(&mb, 0x800, 0x800, 0, UINT64_MAX, 1), 0x4800);
	mb.movable_node = false;
	cr_expect_eq(memblock_alloc_try_nid(&mb, 0x800, 0x800, 0, UINT64_MAX, 1), 0x8800);
	memblock_free_lists(&mb);
}

/* Mirrored memory of another node is nearer than memory of the node that is not mirrored. */
Test(memblock, prefers_what_is_mirrored)
{
	struct memblock mb = {0};

	memblock_add(&mb, 0x1000, 0x4000, 0);
	memblock_add(&mb, 0x5000, 0x4000, 1);
	memblock_mark(&mb, 0x2000, 0x1000, MEMBLOCK_MIRROR);
	cr_expect_eq(memblock_alloc_try_nid(&mb, 0x800, 0x800, 0, UINT64_MAX, 1), 0x2800);
	cr_expect_eq(memblock_alloc_range(&mb, 0x800, 0x800, 0, UINT64_MAX, 1), 0x8800);
	cr_expect_eq(memblock_alloc_try_nid(&mb, 0x800, 0x800, 0, UINT64_MAX, MM_NO_NODE), 0x2000);
	/* None is left. */
	cr_expect_eq(memblock_alloc_try_nid(&mb, 0x800, 0x800, 0, UINT64_MAX, 1), 0x8000);
	memblock_free_lists(&mb);
}

/* First another node, then below the limit; on the node itself if it has room there. */
Test(memblock, gives_up_the_lower_limit_last)
{
	struct memblock mb = {0};

	memblock_add(&mb, 0x1000, 0x1000, 0);
	memblock_add(&mb, 0x5000, 0x1000, 1);
	cr_expect_eq(memblock_alloc_try_nid(&mb, 0x1000, 1, 0x4000, UINT64_MAX, 0), 0x5000);
	cr_expect_eq(memblock_alloc_try_nid(&mb, 0x1000, 1, 0x4000, UINT64_MAX, 0), 0x1000);
	cr_expect_eq(memblock_alloc_try_nid(&mb, 1, 1, 0x4000, UINT64_MAX, 0), MEMBLOCK_FAILED);
	memblock_free_lists(&mb);
}

/* The same as a byte a unit of address space: the memory's node and whether it is taken. */
#define SPACE 200
struct plain {
	signed char nid[SPACE]; /* -1: no memory */
	bool taken[SPACE];
	unsigned char flags[SPACE];
};

static void compare_list(const struct memblock_list *l, const signed char *nid, const char *what)
{
	signed char seen[SPACE];

	memset(seen, -2, sizeof(seen));
	for (size_t i = 0; i < l->nr; i++) {
		const struct memblock_region *r = &l->regions[i];

		cr_assert_lt(r->start, r->end, "%s: empty region", what);
		cr_assert_leq(r->end, SPACE);
		if (i)
			cr_assert(l->regions[i - 1].end < r->start ||
					  (l->regions[i - 1].end == r->start &&
					   (l->regions[i - 1].nid != r->nid ||
					    l->regions[i - 1].flags != r->flags)),
				  "%s: regions %zu and %zu not sorted and merged", what, i - 1, i);
		for (phys_addr_t at = r->start; at < r->end; at++)
			seen[at] = (signed char)r->nid;
	}
	for (int at = 0; at < SPACE; at++)
		cr_assert_eq(seen[at], nid[at], "%s: 0x%x is of %d, not %d", what, at, seen[at],
			     nid[at]);
}

static void compare_free(const struct memblock *mb, const struct plain *p)
{
	phys_addr_t cursor = 0, start, end;
	bool listed[SPACE] = {false};
	int nid;

	while (memblock_next_free(mb, &cursor, &start, &end, &nid)) {
		cr_assert_lt(start, end);
		for (phys_addr_t at = start; at < end; at++) {
			cr_assert(p->nid[at] == nid && !p->taken[at] && !listed[at]);
			listed[at] = true;
		}
	}
	for (int at = 0; at < SPACE; at++)
		cr_assert_eq(listed[at], p->nid[at] >= 0 && !p->taken[at], "0x%x", at);
}

static void compare(const struct memblock *mb, const struct plain *p)
{
	signed char memory[SPACE], reserved[SPACE];
	uint64_t bytes = 0;

	for (int at = 0; at < SPACE; at++) {
		memory[at] = p->nid[at] >= 0 ? p->nid[at] : -2;
		reserved[at] = p->taken[at] ? MM_NO_NODE : -2;
		bytes += p->nid[at] >= 0;
		cr_assert_eq(memblock_is_memory(mb, (phys_addr_t)at), p->nid[at] >= 0);
		cr_assert_eq(memblock_flags_at(mb, (phys_addr_t)at), p->flags[at]);
	}
	compare_list(&mb->memory, memory, "memory");
	compare_list(&mb->reserved, reserved, "reserved");
	compare_free(mb, p);
	cr_assert_eq(memblock_memory_in(mb, 0, SPACE), bytes);
}

/* Do `bytes` free units of one node, and of that if it is one, and of one kind, lie there? */
static bool plain_free(const struct memblock *mb, const struct plain *p, uint64_t at,
		       uint64_t bytes, int nid, bool mirrored)
{
	for (uint64_t i = at; i < at + bytes; i++)
		if (p->taken[i] || p->nid[i] < 0 || p->nid[i] != p->nid[at] ||
		    (nid >= 0 && p->nid[i] != nid) || p->flags[i] != p->flags[at] ||
		    (mirrored && !(p->flags[i] & MEMBLOCK_MIRROR)) ||
		    (mb->movable_node && (p->flags[i] & MEMBLOCK_HOTPLUG)))
			return false;
	return true;
}

/* The first multiple of `align`, in the direction, at which they do. */
static phys_addr_t plain_alloc(const struct memblock *mb, struct plain *p, uint64_t bytes,
			       uint64_t align, uint64_t min, uint64_t max, int nid)
{
	for (int mirrored = memchr(p->flags, MEMBLOCK_MIRROR, SPACE) ||
			    memchr(p->flags, MEMBLOCK_MIRROR | MEMBLOCK_HOTPLUG, SPACE);
	     mirrored >= 0; mirrored--)
		for (uint64_t i = min; i < max; i++) {
			uint64_t at = mb->bottom_up ? i : max - 1 - (i - min);

			if (at % align || at + bytes > max ||
			    !plain_free(mb, p, at, bytes, nid, mirrored))
				continue;
			memset(&p->taken[at], true, bytes);
			return at;
		}
	return MEMBLOCK_FAILED;
}

static void random_flags(struct memblock *mb, struct plain *p, uint64_t *rng, uint64_t start,
			 uint64_t bytes)
{
	unsigned flags = 1 + (unsigned)random_below(rng, 3);
	bool set = random_below(rng, 2);

	cr_assert_eq(set ? memblock_mark(mb, start, bytes, flags)
			 : memblock_clear(mb, start, bytes, flags),
		     0);
	for (uint64_t at = start; at < start + bytes; at++)
		if (p->nid[at] >= 0)
			p->flags[at] =
				(unsigned char)(set ? p->flags[at] | flags : p->flags[at] & ~flags);
}

static void one_random_step(struct memblock *mb, struct plain *p, uint64_t *rng)
{
	uint64_t start = random_below(rng, SPACE - 1);
	uint64_t bytes = 1 + random_below(rng, random_below(rng, 4) ? 12 : SPACE - start);
	int nid = (int)random_below(rng, 3);
	uint64_t align = UINT64_C(1) << random_below(rng, 4);

	if (start + bytes > SPACE)
		bytes = SPACE - start;
	switch (random_below(rng, 9)) {
	case 0:
	case 1:
		cr_assert_eq(memblock_add(mb, start, bytes, nid), 0);
		for (uint64_t at = start; at < start + bytes; at++)
			p->nid[at] = p->nid[at] < 0 ? (signed char)nid : p->nid[at];
		break;
	case 2:
		cr_assert_eq(memblock_remove(mb, start, bytes), 0);
		memset(&p->nid[start], -1, bytes);
		memset(&p->flags[start], 0, bytes);
		break;
	case 3:
		cr_assert_eq(memblock_reserve(mb, start, bytes), 0);
		memset(&p->taken[start], true, bytes);
		break;
	case 4:
	case 5:
		cr_assert_eq(memblock_phys_free(mb, start, bytes), 0);
		memset(&p->taken[start], false, bytes);
		break;
	case 6:
		random_flags(mb, p, rng, start, bytes);
		break;
	default: {
		uint64_t max = start + random_below(rng, SPACE - start + 1);
		phys_addr_t want;

		nid = random_below(rng, 2) ? nid : MM_NO_NODE;
		bytes = 1 + random_below(rng, 9);
		mb->bottom_up = random_below(rng, 2);
		mb->movable_node = random_below(rng, 2);
		want = plain_alloc(mb, p, bytes, align, start, max, nid);
		cr_assert_eq(memblock_alloc_range(mb, bytes, align, start, max, nid), want);
	}
	}
}

Test(memblock, agrees_with_a_plain_map)
{
	uint64_t rng = random_seed(1);
	unsigned allocated = 0;

	for (int round = 0; round < 40; round++) {
		struct memblock mb = {0};
		struct plain p;

		memset(p.nid, -1, sizeof(p.nid));
		memset(p.taken, false, sizeof(p.taken));
		memset(p.flags, 0, sizeof(p.flags));
		for (int step = 0; step < 150; step++) {
			one_random_step(&mb, &p, &rng);
			compare(&mb, &p);
		}
		for (int at = 0; at < SPACE; at++)
			allocated += p.nid[at] >= 0 && p.taken[at];
		memblock_free_lists(&mb);
	}
	cr_assert_gt(allocated, 0, "nothing was ever allocated: the test tests nothing");
}

/* A part of a range, twice, then a part of two ranges with the hole between them. */
Test(memblock, a_part_of_memory_gets_another_node)
{
	struct memblock mb = {.memory = {0}};

	cr_assert_eq(memblock_add(&mb, 0x1000, 0x4000, 0), 0);
	cr_assert_eq(memblock_add(&mb, 0x8000, 0x1000, 0), 0);
	cr_assert_eq(memblock_set_node(&mb, 0, 0x3000, 0), 0);
	MUST_BE(mb.memory, {0x1000, 0x5000, 0}, {0x8000, 0x9000, 0});
	cr_assert_eq(memblock_set_node(&mb, 0x2000, 0x1000, 1), 0);
	MUST_BE(mb.memory, {0x1000, 0x2000, 0}, {0x2000, 0x3000, 1}, {0x3000, 0x5000, 0},
		{0x8000, 0x9000, 0});
	cr_assert_eq(memblock_set_node(&mb, 0x2800, 0x6000, 1), 0);
	MUST_BE(mb.memory, {0x1000, 0x2000, 0}, {0x2000, 0x5000, 1}, {0x8000, 0x8800, 1},
		{0x8800, 0x9000, 0});
	cr_assert_eq(memblock_set_node(&mb, 0, UINT64_MAX, 0), 0);
	MUST_BE(mb.memory, {0x1000, 0x5000, 0}, {0x8000, 0x9000, 0});
	memblock_free_lists(&mb);
}
