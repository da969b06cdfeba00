/* SPDX-License-Identifier: Apache-2.0 */
/* Slab events of kernels from 4.x to 6.x, in ftrace's and perf's text. */
#include <criterion/criterion.h>
#include <string.h>

#include "mm/gfp.h"
#include "sim/trace/trace.h"

static struct trace *parse(const char *text)
{
	struct diag d = DIAG_INIT;
	struct trace *t;

	cr_assert_eq(trace_parse(text, strlen(text), "t", &d, &t), 0, "%s", d.error.text);
	diag_clear(&d);
	return t;
}

static void is_kmalloc(const struct trace_event *ev, uint32_t object, uint32_t bytes, int nid)
{
	cr_expect_eq(ev->op, TRACE_KMALLOC);
	cr_expect_eq(ev->page, object);
	cr_expect_eq(ev->bytes, bytes);
	cr_expect_eq(ev->gfp, GFP_KERNEL);
	cr_expect_eq(trace_object_nid(ev), nid);
}

static void is_cache_alloc(const struct trace *t, const struct trace_event *ev, const char *name,
			   uint32_t size, uint32_t room)
{
	cr_assert_eq(ev->op, TRACE_CACHE_ALLOC);
	cr_assert_lt(ev->bytes, t->nr_caches);
	cr_expect_str_eq(t->caches[ev->bytes].name, name);
	cr_expect_eq(t->caches[ev->bytes].size, size);
	cr_expect_eq(t->caches[ev->bytes].room, room);
}

/* 4.x: call_site is an address, ptr a hash, and no name. */
Test(trace_slab, ftrace_of_4_19)
{
	struct trace *t = parse(
		"# tracer: nop\n"
		"     bash-100   [001] ....  10.000001: kmalloc: call_site=00000000aa "
		"ptr=00000000d1e2 "
		"bytes_req=100 bytes_alloc=128 gfp_flags=GFP_KERNEL\n"
		"     bash-100   [001] ....  10.000002: kmalloc_node: call_site=00000000aa "
		"ptr=00000000d1e3 bytes_req=8 bytes_alloc=8 gfp_flags=GFP_KERNEL node=1\n"
		"     bash-100   [001] ....  10.000003: kmem_cache_alloc: call_site=00000000ab "
		"ptr=00000000d1e4 bytes_req=192 bytes_alloc=192 gfp_flags=GFP_KERNEL|__GFP_ZERO\n"
		"     bash-100   [002] ....  10.000004: kfree: call_site=00000000aa "
		"ptr=00000000d1e2\n"
		"     bash-100   [002] ....  10.000005: kfree: call_site=00000000aa ptr=(null)\n"
		"     bash-100   [002] ....  10.000006: kmem_cache_free: call_site=00000000aa "
		"ptr=00000000d1e4\n"
		"     bash-100   [002] ....  10.000007: kfree: call_site=00000000aa "
		"ptr=00000000ffff\n");

	cr_assert_eq(t->nr_events, 5);
	is_kmalloc(&t->events[0], 0, 100, MM_NO_NODE);
	is_kmalloc(&t->events[1], 1, 8, 1);
	is_cache_alloc(t, &t->events[2], "", 192, 192);
	cr_expect_eq(t->events[3].op, TRACE_OBJECT_FREE);
	cr_expect_eq(t->events[3].page, 0);
	cr_expect_eq(t->events[3].cpu, 2);
	cr_expect_eq(t->events[4].page, 2);
	cr_expect_eq(t->skipped[TRACE_SKIP_OBJECT], 2);
	cr_expect_eq(t->nr_object_allocs, 3);
	cr_expect_eq(t->nr_object_frees, 2);
	trace_free(t);
}

/* 5.15: name= in frees; 6.1: name=, node= and accounted= in allocations. */
Test(trace_slab, ftrace_of_5_and_6)
{
	struct trace *t = parse(
		"            cat-7       [000] .....   5.000001: kmem_cache_alloc: "
		"call_site=getname_flags+0x4b/0x1b0 ptr=0000000012345678 name=names_cache "
		"bytes_req=4096 bytes_alloc=4096 gfp_flags=GFP_KERNEL node=-1 accounted=false\n"
		"            cat-7       [000] .....   5.000002: kmalloc: call_site=x+0x1/0x2 "
		"ptr=00000000aaaa0000 bytes_req=100 bytes_alloc=128 gfp_flags=GFP_KERNEL node=-1 "
		"accounted=false\n"
		"            cat-7       [000] .....   5.000003: kmem_cache_free: "
		"call_site=putname+0x5d/0x70 ptr=0000000012345678 name=names_cache\n"
		"            cat-7       [000] .....   5.000004: kmalloc: call_site=x+0x1/0x2 "
		"ptr=(null) "
		"bytes_req=100 bytes_alloc=128 gfp_flags=GFP_KERNEL node=0 accounted=true\n");

	cr_assert_eq(t->nr_events, 4);
	is_cache_alloc(t, &t->events[0], "names_cache", 4096, 4096);
	is_kmalloc(&t->events[1], 1, 100, MM_NO_NODE);
	cr_expect_eq(t->events[2].page, 0);
	cr_expect_eq(t->events[3].page, TRACE_NO_PAGE);
	cr_expect(t->events[3].flags & TRACE_F_FAILED);
	cr_expect_eq(trace_object_nid(&t->events[3]), 0);
	trace_free(t);
}

Test(trace_slab, perf_script)
{
	struct trace *t = parse(
		"cat   7 [000]     5.000001: kmem:kmalloc: call_site=0xffffffff812 "
		"ptr=0xffff888003a4b000 bytes_req=24 bytes_alloc=32 gfp_flags=GFP_KERNEL node=1 "
		"accounted=false\n"
		"cat   7 [003]     5.000002: kmem:kfree: call_site=0xffffffff812 "
		"ptr=0xffff888003a4b000\n");

	cr_assert_eq(t->nr_events, 2);
	is_kmalloc(&t->events[0], 0, 24, 1);
	cr_expect_eq(t->events[1].op, TRACE_OBJECT_FREE);
	cr_expect_eq(t->events[1].cpu, 3);
	trace_free(t);
}

/* The same place again: the object before was freed in silence. */
Test(trace_slab, a_free_without_an_event_shows)
{
	struct trace *t = parse("a-1 [000] .... 1.000001: kmalloc: call_site=0 ptr=00000000ab "
				"bytes_req=8 bytes_alloc=8 gfp_flags=GFP_KERNEL\n"
				"a-1 [000] .... 1.000002: kmalloc: call_site=0 ptr=00000000ab "
				"bytes_req=9 bytes_alloc=16 gfp_flags=GFP_KERNEL\n");

	cr_assert_eq(t->nr_events, 3);
	cr_expect_eq(t->events[1].op, TRACE_OBJECT_FREE);
	cr_expect(t->events[1].flags & TRACE_F_INFERRED);
	cr_expect_eq(t->inferred[TRACE_INFER_OBJECT], 1);
	is_kmalloc(&t->events[2], 1, 9, MM_NO_NODE);
	trace_free(t);
}

/* The page before an object is its slab's, unless it is user memory or another CPU's. */
Test(trace_slab, pages_of_slabs_are_known)
{
	struct trace *t = parse(
		"a-1 [000] .... 1.000001: mm_page_alloc: page=x pfn=0x100 order=1 migratetype=0 "
		"gfp_flags=__GFP_IO|__GFP_FS|__GFP_NOWARN|__GFP_NORETRY|__GFP_COMP|__GFP_"
		"NOMEMALLOC\n"
		"a-1 [001] .... 1.000002: mm_page_alloc: page=x pfn=0x200 order=0 migratetype=1 "
		"gfp_flags=GFP_HIGHUSER_MOVABLE\n"
		"a-1 [000] .... 1.000003: kmalloc: call_site=0 ptr=00000000ab bytes_req=512 "
		"bytes_alloc=512 gfp_flags=GFP_KERNEL\n"
		"a-1 [001] .... 1.000004: kmalloc: call_site=0 ptr=00000000ac bytes_req=512 "
		"bytes_alloc=512 gfp_flags=GFP_KERNEL\n");

	cr_assert_eq(t->nr_events, 4);
	cr_expect(t->events[0].flags & TRACE_F_SLAB);
	cr_expect_not(t->events[1].flags & TRACE_F_SLAB);
	trace_free(t);
}

Test(trace_slab, damaged_lines_are_counted)
{
	struct trace *t = parse("a-1 [000] .... 1.000001: kmalloc: call_site=0 ptr=00000000ab "
				"bytes_req=8 bytes_alloc=8 gfp_flags=GFP_KERNEL\n"
				"a-1 [000] .... 1.000002: kmalloc: call_site=0 ptr=00000000ac "
				"bytes_alloc=16 gfp_flags=GFP_KERNEL\n"
				"a-1 [000] .... 1.000003: kfree: call_site=0 ptr=zz\n"
				"a-1 [000] .... 1.000004: kfree: call_site=0\n");

	cr_expect_eq(t->nr_events, 1);
	cr_expect_eq(t->skipped[TRACE_SKIP_UNREADABLE], 3);
	trace_free(t);
}

/* 300 lines of Debian's 6.1.192: 185 allocations; of 109 frees one is of an object from before. */
Test(trace_slab, a_real_kernel)
{
	struct diag d = DIAG_INIT;
	struct trace *t;
	unsigned of_slabs = 0;

	cr_assert_eq(trace_load(SOURCE_DIR "/tests/reference/slab-6.1.txt", NULL, &d, &t), 0, "%s",
		     d.error.text);
	cr_expect_eq(t->skipped[TRACE_SKIP_UNREADABLE], 0);
	cr_expect_eq(t->unknown_gfp, 0);
	cr_expect_eq(t->nr_object_allocs, 185);
	cr_expect_eq(t->nr_object_frees, 108);
	cr_expect_eq(t->skipped[TRACE_SKIP_OBJECT], 1);
	/* Of 6 pages those that hold, by their addresses, the object behind them. */
	for (size_t i = 0; i < t->nr_events; i++)
		of_slabs += t->events[i].op == TRACE_ALLOC && (t->events[i].flags & TRACE_F_SLAB);
	cr_expect_eq(of_slabs, 5);
	trace_free(t);
	diag_clear(&d);
}
