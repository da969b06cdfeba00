/* SPDX-License-Identifier: Apache-2.0 */
/* What follows from the lines of a trace without any of them saying it, and when it is put in. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "mm/gfp.h"
#include "sim/trace/trace.h"

#include "../trace_expect.h"

#define LINE(event) "  a-1  [001] .....  1.0: " event "\n"
#define ALLOC(pfn, order)                                                                          \
	LINE("mm_page_alloc: page=1 pfn=" #pfn " order=" #order                                    \
	     " migratetype=1 gfp_flags=GFP_HIGHUSER_MOVABLE")
#define FREE(pfn, order) LINE("mm_page_free: page=1 pfn=" #pfn " order=" #order)
#define FILL(pfn, type)                                                                            \
	LINE("mm_page_alloc_zone_locked: page=1 pfn=" #pfn " order=0 migratetype=" #type           \
	     " percpu_refill=1")
#define TAKE(pfn, order)                                                                           \
	LINE("mm_page_alloc_zone_locked: page=1 pfn=" #pfn " order=" #order                        \
	     " migratetype=1 percpu_refill=0")
#define DRAIN(pfn) LINE("mm_page_pcpu_drain: page=1 pfn=" #pfn " order=0 migratetype=1")

static struct trace *parse(const char *text)
{
	struct diag diag = DIAG_INIT;
	struct trace *t = NULL;
	uint64_t lines;

	cr_assert_eq(trace_parse(text, strlen(text), "text", &diag, &t), 0);
	lines = t->nr_events;
	for (int i = 0; i < TRACE_NR_SKIPS; i++)
		lines += t->skipped[i];
	for (int i = 0; i < TRACE_NR_INFERS; i++)
		lines -= t->inferred[i];
	cr_assert_eq(t->nr_lines, lines);
	return t;
}

/*
 * The events in short: A and F of a page, H of one from before, S of an upper half; small letters
 * where inferred.
 */
static const char *shape(const struct trace *t)
{
	static char text[256];
	size_t at = 0;

	text[0] = 0;
	for (size_t i = 0; i < t->nr_events; i++) {
		const struct trace_event *ev = &t->events[i];
		char op = ev->op == TRACE_ALLOC ? 'A' : ev->op == TRACE_FREE ? 'F' : 'H';

		if (ev->op == TRACE_SPLIT)
			op = 'S';
		if (ev->flags & TRACE_F_INFERRED)
			op |= 0x20;
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%c%llx", at ? " " : "", op,
				       (unsigned long long)trace_pfn(t, ev->page));
	}
	return text;
}

static void expect_shape(const char *lines, const char *wanted)
{
	struct trace *t = parse(lines);

	cr_expect_str_eq(shape(t), wanted);
	trace_free(t);
}

Test(trace_frames, a_page_that_no_line_mentioned_was_there_before)
{
	struct trace *t = parse(ALLOC(0x10, 0) FREE(0x20, 3) FREE(0x10, 0));

	cr_expect_str_eq(shape(t), "A10 H20 F10");
	cr_expect_eq(t->nr_held_frees, 1);
	cr_expect_eq(t->nr_pages, 2);
	EXPECT(t, 1, .op = TRACE_FREE_HELD, .page = 1, .order = 3, .cpu = 1, .line = 2);
	trace_free(t);
}

/* Four pages that go one by one: the block becomes two, and that again, where the next one lies. */
Test(trace_frames, a_block_that_is_freed_in_parts_was_split)
{
	struct trace *t =
		parse(ALLOC(0x10, 2) FREE(0x13, 0) FREE(0x10, 0) FREE(0x11, 0) FREE(0x12, 0));

	cr_expect_str_eq(shape(t), "A10 s12 s13 F13 s11 F10 F11 F12");
	EXPECT(t, 1, .op = TRACE_SPLIT, .page = 1, .bytes = 0, .order = 1, .cpu = 1, .line = 2,
	       .flags = TRACE_F_INFERRED);
	EXPECT(t, 2, .op = TRACE_SPLIT, .page = 2, .bytes = 1, .order = 0, .cpu = 1, .line = 2,
	       .flags = TRACE_F_INFERRED);
	cr_expect_eq(t->inferred[TRACE_INFER_SPLIT], 3);
	cr_expect_eq(t->skipped[TRACE_SKIP_ORDER_MISMATCH], 0);
	trace_free(t);
}

/* Parts of any order; what is allocated again meanwhile was freed, part by part. */
Test(trace_frames, parts_may_be_of_any_order)
{
	expect_shape(ALLOC(0x20, 3) FREE(0x26, 1) FREE(0x20, 2), "A20 s24 s26 F26 F20");
	expect_shape(ALLOC(0x20, 3) FREE(0x26, 1) ALLOC(0x20, 3), "A20 s24 s26 F26 f20 f24 A20");
}

/* No part of a block begins there; and what is larger than what was allocated is no part. */
Test(trace_frames, other_frees_do_not_match)
{
	struct trace *t = parse(ALLOC(0x10, 3) FREE(0x11, 1) FREE(0x10, 4) FREE(0x10, 3));

	cr_expect_str_eq(shape(t), "A10 F10");
	cr_expect_eq(t->skipped[TRACE_SKIP_ORDER_MISMATCH], 2);
	trace_free(t);
}

/* Filled with 10, 11, 12, 13: when 12 is allocated, 10 and 11 have left the list. 13 may be there.
 */
Test(trace_frames, a_list_is_used_up_in_the_order_of_its_filling)
{
	struct trace *t =
		parse(FILL(0x10, 0) FILL(0x11, 0) FILL(0x12, 0) FILL(0x13, 0) ALLOC(0x12, 0));

	cr_expect_str_eq(shape(t), "a11 a10 A12");
	EXPECT(t, 0, .op = TRACE_ALLOC, .gfp = GFP_KERNEL, .cpu = 1, .flags = TRACE_F_INFERRED,
	       .line = 5);
	cr_expect_eq(t->inferred[TRACE_INFER_BULK], 2);
	cr_expect_eq(t->nr_moves, 4);
	trace_free(t);
	expect_shape(FILL(0x10, 0) FILL(0x11, 0) ALLOC(0x10, 0) ALLOC(0x11, 0), "A10 A11");
	/* Drained from the end: nothing follows for those before it. */
	expect_shape(FILL(0x10, 1) FILL(0x11, 1) DRAIN(0x11) ALLOC(0x10, 0), "A10");
	/* Two fillings, of which each may be of another zone. */
	expect_shape(FILL(0x10, 1) FILL(0x11, 1) ALLOC(0x10, 0) FILL(0x12, 1) ALLOC(0x12, 0),
		     "A10 A12");
	expect_shape(FILL(0x10, 0) FILL(0x11, 1) ALLOC(0x11, 0), "A11");
}

Test(trace_frames, a_free_page_that_is_freed_was_allocated)
{
	struct trace *t =
		parse(FILL(0x10, 2) FREE(0x10, 0) FREE(0x10, 0) DRAIN(0x10) FREE(0x10, 0));

	cr_expect_str_eq(shape(t), "a10 F10 a10 F10 a10 F10");
	cr_expect_eq(t->events[0].gfp, GFP_KERNEL | __GFP_RECLAIMABLE, "as the list's pages");
	cr_expect_eq(t->events[2].gfp, GFP_KERNEL);
	cr_expect_eq(t->events[4].gfp, GFP_HIGHUSER_MOVABLE, "for compaction");
	cr_expect_eq(t->inferred[TRACE_INFER_BULK], 2);
	cr_expect_eq(t->inferred[TRACE_INFER_TARGET], 1);
	trace_free(t);
}

/*
 * kcompactd frees what it has moved: each time a target is taken, whose frame shows when that is
 * freed. It comes from below, from the nearest one of those that may be it.
 */
Test(trace_frames, what_kcompactd_frees_has_moved)
{
#define MOVED(pfn) "  kcompactd0-9  [001] .....  1.0: mm_page_free: page=1 pfn=" #pfn " order=0\n"
	struct trace *t = parse(ALLOC(0x10, 0) ALLOC(0x80, 0) MOVED(0x10) MOVED(0x80) MOVED(0x40)
					DRAIN(0x90) FREE(0x90, 0) DRAIN(0x60) FREE(0x60, 0));

	cr_expect_str_eq(shape(t), "A10 A80 affffffffffffffff F10 a90 F80 a60 H40 F90 F60");
	cr_expect_null(trace_moved_from(t, 1));
	cr_expect_eq(trace_moved_from(t, 2), &t->events[3]);
	cr_expect_eq(trace_moved_from(t, 6), &t->events[7], "from before");
	t->events[2].page = TRACE_NO_PAGE;
	cr_expect_null(trace_moved_from(t, 2), "it failed");
	trace_free(t);
}

/* Also where the new block covers others, lies within one, or is taken by the kernel first. */
Test(trace_frames, a_page_that_is_allocated_again_was_freed)
{
	struct trace *t = parse(ALLOC(0x10, 0) ALLOC(0x12, 1) ALLOC(0x10, 2) ALLOC(0x13, 0));

	cr_expect_str_eq(shape(t), "A10 A12 f10 f12 A10 f10 A13");
	cr_expect_eq(t->inferred[TRACE_INFER_FREE], 3);
	trace_free(t);
	expect_shape(ALLOC(0x400, 9) TAKE(0x400, 10) ALLOC(0x400, 10), "A400 f400 A400");
}

/* What lies across groups of 64 frames, and at the last frame there is. */
Test(trace_frames, large_blocks_are_seen_whole)
{
	expect_shape(ALLOC(0x400, 10) FREE(0x400, 10) FREE(0x7ff, 0), "A400 F400 a7ff F7ff");
	expect_shape(ALLOC(0xfffffffffffff, 0) FREE(0xfffffffffffff, 0),
		     "Afffffffffffff Ffffffffffffff");
}

#define BULK(want)     LINE("bulk: (__alloc_pages_bulk+0x0/0x6b0) gfp=0xdc0 nid=1 want=" #want)
#define BULK_DONE(got) LINE("bulkret: (vmalloc+0x264/0x880 <- __alloc_pages_bulk) got=" #got)

/* A probe tells how many, and when; the filling and the frees tell which. */
Test(trace_frames, a_probe_tells_pages_taken_in_bulk)
{
	struct trace *t = parse(FILL(0x10, 0) FILL(0x11, 0) FILL(0x12, 0) BULK(3) BULK_DONE(0x3)
					ALLOC(0x12, 0) FREE(0x20, 0) FREE(0x20, 0));

	/* 10 and 11 are of them, and what is freed twice was taken between. */
	cr_expect_str_eq(shape(t), "a11 a10 a20 A12 H20 F20");
	EXPECT(t, 0, .op = TRACE_ALLOC, .gfp = GFP_KERNEL | __GFP_ZERO, .cpu = 1, .bytes = 2,
	       .flags = TRACE_F_INFERRED, .line = 5);
	cr_expect_eq(trace_event_nid(&t->events[0]), 1);
	cr_expect_eq(t->inferred[TRACE_INFER_BULK], 3);
	trace_free(t);
}

/* The last page of a bulk may come from an ordinary allocation, which has its line. */
Test(trace_frames, of_bulk_only_what_has_no_line)
{
	expect_shape(BULK(2) LINE("mm_page_alloc: page=1 pfn=0x10 order=0 migratetype=0 "
				  "gfp_flags=GFP_KERNEL|__GFP_ZERO") BULK_DONE(0x2),
		     "A10 affffffffffffffff");
	expect_shape(BULK_DONE(0x2) BULK(2) BULK_DONE(0x3) BULK(5000) BULK_DONE(0x10), "");
}
