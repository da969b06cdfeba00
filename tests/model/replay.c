/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replays against arithmetic. Machines without caches, so that every access takes its latency and
 * its bytes: 500 ps a cycle (2 GHz), 60 ns a latency, 50 ps a byte (20 B/ns), all whole numbers.
 */
#include "sim/replay/replay.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "tests/machine_builder.h"

#define CYCLE_PS 500
#define BYTE_PS  50
#define US       UINT64_C(1000000)

static const struct costs some_costs = {
	.cycles = {[MM_SITE_ALLOC_ENTRY] = 40,
		   [MM_SITE_ZONE_CHECK] = 8,
		   [MM_SITE_RMQUEUE] = 35,
		   [MM_SITE_SPLIT] = 9,
		   [MM_SITE_PCP_ALLOC] = 12,
		   [MM_SITE_PREP_PAGE] = 11,
		   [MM_SITE_ZERO] = 7,
		   [MM_SITE_FREE_ENTRY] = 10,
		   [MM_SITE_PCP_FREE] = 11,
		   [MM_SITE_BUDDY_FREE] = 30,
		   [MM_SITE_MERGE] = 27,
		   [MM_SITE_PFN_TO_PAGE] = 2,
		   [MM_SITE_PAGE_TO_PFN] = 3,
		   [MM_SITE_LOCK] = 21,
		   [MM_SITE_TOUCH] = 1},
};

struct run {
	struct machine *machine;
	struct trace *trace;
	struct sim *sim;
	struct replay_counts counts;
};

static struct trace *parse(const char *events)
{
	struct diag diag = DIAG_INIT;
	struct trace *t = NULL;
	char text[8192];

	snprintf(text, sizeof(text), "# numasim trace 1\n%s", events);
	cr_assert_eq(trace_parse(text, strlen(text), "a.nst", &diag, &t), 0, "%u: %s",
		     diag.error.line, diag.error.text);
	return t;
}

static void start(struct run *r, struct machine *m, struct trace *t)
{
	struct diag diag = DIAG_INIT;

	*r = (struct run){.machine = m, .trace = t};
	cr_assert_eq(sim_create(m, &some_costs, &diag, &r->sim), 0, "%s", diag.error.text);
}

static void replay(struct run *r, enum replay_timing timing)
{
	const struct replay_options options = {.timing = timing};
	const struct replay_counts *c = &r->counts;

	cr_assert_eq(replay_run(r->sim, r->trace, &options, &r->counts), 0);
	cr_expect_eq(c->allocs + c->failed + c->frees + c->touches + c->waits + c->lost,
		     r->trace->nr_events, "done + lost = events");
}

static void finish(struct run *r)
{
	char why[256];

	cr_expect_eq(mm_verify(sim_mm(r->sim), why, sizeof(why)), 0, "%s", why);
	sim_destroy(r->sim);
	trace_free(r->trace);
	built_free(r->machine);
}

static uint64_t idle_ps(const struct run *r, int cpu)
{
	return sim_account(r->sim, cpu)->cause_ps[CAUSE_IDLE];
}

static uint64_t busy_ps(const struct run *r, int cpu)
{
	return sim_account(r->sim, cpu)->total_ps - idle_ps(r, cpu);
}

/* What the mm core reports: all that a time is made of. */
struct recorder {
	uint64_t cycles, accesses, bytes;
};

static void record_work(void *ctx, int cpu, enum mm_site site, uint32_t nr)
{
	struct recorder *rec = ctx;

	if (cpu != MM_NO_CPU)
		rec->cycles += (uint64_t)some_costs.cycles[site] * nr;
}

static void record_access(void *ctx, int cpu, phys_addr_t at, uint64_t bytes, enum mm_access kind)
{
	struct recorder *rec = ctx;

	(void)at;
	(void)kind;
	if (cpu != MM_NO_CPU) {
		rec->accesses++;
		rec->bytes += bytes;
	}
}

/* The same operations by hand on an mm core of their own; time does not exist there. */
static void record(const struct run *r, struct recorder *rec)
{
	static const struct mm_ops ops = {.work = record_work, .access = record_access};
	struct page **pages = calloc(r->trace->nr_pages, sizeof(*pages));
	struct mm_refusal refusal;
	struct mm *mm;

	*rec = (struct recorder){0};
	cr_assert_eq(mm_boot(&r->machine->mm, &ops, rec, &mm, &refusal), 0);
	for (size_t i = 0; i < r->trace->nr_events; i++) {
		const struct trace_event *ev = &r->trace->events[i];
		struct page **page = &pages[ev->page];

		if (ev->op == TRACE_ALLOC) {
			cr_assert_eq(mm_alloc_pages(mm,
						    &(struct mm_request){.nid = MM_NO_NODE,
									 .order = ev->order,
									 .gfp = ev->gfp},
						    page),
				     0);
			mm_page_to_pfn(mm, 0, *page);
		} else if (ev->op == TRACE_FREE) {
			mm_pfn_to_page(mm, 0, mm_page_to_pfn(mm, MM_NO_CPU, *page));
			cr_assert_eq(mm_free_pages(mm, 0, *page, ev->order), 0);
		} else {
			record_work(rec, 0, MM_SITE_TOUCH, 1);
			record_access(rec, 0, 0, ev->bytes, MM_READ);
		}
	}
	mm_destroy(mm);
	free(pages);
}

/* Allocations of all the small orders and a large one, touched, and every other one freed. */
static struct trace *some_work(void)
{
	char text[8192] = "";
	size_t len = 0;

	for (int i = 0; i < 60; i++) {
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"cpu=0 alloc p%d order=%d gfp=GFP_KERNEL%s\n", i,
					i % 13 ? i % 5 : 10, i % 3 ? "|__GFP_ZERO" : "");
		len += (size_t)snprintf(text + len, sizeof(text) - len, "cpu=0 touch p%d %s %dB\n",
					i, i % 2 ? "read" : "write", 1 + 40 * i);
		if (i % 2)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "cpu=0 free p%d\n",
						i % 4 == 1 ? i : i - 1);
	}
	return parse(text);
}

/* time = cycles / frequency + accesses * latency + bytes / bandwidth, to the picosecond. */
Test(replay, a_lone_cpu_takes_what_its_steps_add_up_to)
{
	struct recorder rec;
	struct run r;

	start(&r, build_machine(1, 1), some_work());
	record(&r, &rec);
	replay(&r, REPLAY_ASAP);
	cr_expect_gt(rec.accesses, 500);
	cr_expect_eq(sim_elapsed_ps(r.sim),
		     rec.cycles * CYCLE_PS + rec.accesses * BUILT_BANK_PS + rec.bytes * BYTE_PS);
	cr_expect_eq(idle_ps(&r, 0), 0);
	cr_expect_eq(r.counts.allocs, 60);
	cr_expect_eq(r.counts.touches, 60);
	cr_expect_eq(r.counts.frees, 30);
	finish(&r);
}

/*
 * CPU 1 frees what CPU 0 allocates: it sleeps as long as CPU 0 is busy, and CPU 0 is idle for as
 * long as the free takes.
 */
Test(replay, a_free_waits_for_the_allocation)
{
	struct run r;

	start(&r, build_machine(1, 2),
	      parse("cpu=0 alloc big order=10 gfp=GFP_KERNEL|__GFP_ZERO\ncpu=1 free big\n"));
	replay(&r, REPLAY_ASAP);
	cr_expect_gt(busy_ps(&r, 0), (UINT64_C(4) << 20) * BYTE_PS);
	cr_expect_gt(busy_ps(&r, 1), 0);
	cr_expect_eq(idle_ps(&r, 1), busy_ps(&r, 0));
	cr_expect_eq(idle_ps(&r, 0), busy_ps(&r, 1));
	finish(&r);
}

/* The same where CPU 1 comes while the block is being zeroed, which takes 210 us. */
Test(replay, a_free_waits_for_an_allocation_that_goes_on)
{
	struct run r;

	start(&r, build_machine(1, 2),
	      parse("cpu=0 alloc big order=10 gfp=GFP_KERNEL|__GFP_ZERO\n"
		    "cpu=1 wait 100us\ncpu=1 free big\n"));
	replay(&r, REPLAY_ASAP);
	cr_expect_eq(idle_ps(&r, 1), busy_ps(&r, 0));
	cr_expect_eq(idle_ps(&r, 0), busy_ps(&r, 1));
	finish(&r);
}

/* CPU 1 reads 4 MiB, its only work: a cycle, a latency and the bytes. CPU 0's free waits for it. */
Test(replay, a_free_waits_for_touches_elsewhere)
{
	struct run r;

	start(&r, build_machine(1, 2),
	      parse("cpu=0 alloc big order=10 gfp=GFP_KERNEL\ncpu=1 touch big read 4MiB\n"
		    "cpu=0 free big\n"));
	replay(&r, REPLAY_ASAP);
	cr_expect_eq(busy_ps(&r, 1), CYCLE_PS + BUILT_BANK_PS + (UINT64_C(4) << 20) * BYTE_PS);
	cr_expect_eq(idle_ps(&r, 0), busy_ps(&r, 1));
	cr_expect_eq(idle_ps(&r, 1), busy_ps(&r, 0));
	finish(&r);
}

/* It comes while the page is being read: 100 us into 210. */
Test(replay, a_free_waits_for_a_touch_that_goes_on)
{
	struct run r;

	start(&r, build_machine(1, 3),
	      parse("cpu=0 alloc big order=10 gfp=GFP_KERNEL\ncpu=1 touch big read 4MiB\n"
		    "cpu=2 wait 100us\ncpu=2 free big\n"));
	replay(&r, REPLAY_ASAP);
	cr_expect_lt(busy_ps(&r, 0), 100 * US);
	cr_expect_eq(idle_ps(&r, 2), busy_ps(&r, 0) + busy_ps(&r, 1));
	finish(&r);
}

/* 15 us lie between the two; the rest of them that the allocation leaves is idle. */
Test(replay, traced_times_are_kept)
{
	struct run r;

	start(&r, build_machine(1, 1),
	      parse("5us cpu=0 alloc a gfp=GFP_KERNEL\n20us cpu=0 free a\n"));
	replay(&r, REPLAY_TRACE);
	cr_expect_gt(busy_ps(&r, 0), 0);
	cr_expect_gt(idle_ps(&r, 0), 0);
	cr_expect_lt(idle_ps(&r, 0), 15 * US);
	cr_expect_gt(sim_elapsed_ps(r.sim), 15 * US);
	finish(&r);
}

/* As the first touch is: at 50 us, alone, it ends after a cycle, a latency and 64 bytes. */
Test(replay, a_traced_time_is_when_an_operation_starts)
{
	struct run r;

	start(&r, build_machine(1, 1),
	      parse("0us cpu=0 alloc a gfp=GFP_KERNEL\n50us cpu=0 touch a read 64B\n"));
	replay(&r, REPLAY_TRACE);
	cr_expect_eq(sim_elapsed_ps(r.sim), 50 * US + CYCLE_PS + BUILT_BANK_PS + 64 * BYTE_PS);
	finish(&r);
}

/* Zeroing takes 210 us, so that what stands at 1 us starts late, at once. */
Test(replay, a_busy_cpu_starts_late)
{
	struct run r;

	start(&r, build_machine(1, 1),
	      parse("0us cpu=0 alloc a order=10 gfp=GFP_KERNEL|__GFP_ZERO\n"
		    "1us cpu=0 touch a read 64B\n2us cpu=0 free a\n"));
	replay(&r, REPLAY_TRACE);
	cr_expect_eq(idle_ps(&r, 0), 0);
	cr_expect_gt(sim_elapsed_ps(r.sim), (UINT64_C(4) << 20) * BYTE_PS);
	finish(&r);
}

/* The trace's times do not matter then. */
Test(replay, back_to_back_is_never_idle)
{
	struct run r;

	start(&r, build_machine(1, 1),
	      parse("0us cpu=0 alloc a gfp=GFP_KERNEL\n500us cpu=0 free a\n"));
	replay(&r, REPLAY_ASAP);
	cr_expect_eq(idle_ps(&r, 0), 0);
	cr_expect_lt(sim_elapsed_ps(r.sim), 500 * US);
	finish(&r);
}

Test(replay, a_wait_takes_its_time)
{
	struct run r;

	start(&r, build_machine(1, 1), parse("cpu=0 wait 10us\ncpu=0 wait 2.5ns\n"));
	replay(&r, REPLAY_ASAP);
	cr_expect_eq(sim_elapsed_ps(r.sim), 10 * US + 2500);
	cr_expect_eq(idle_ps(&r, 0), 10 * US + 2500);
	cr_expect_eq(r.counts.waits, 2);
	finish(&r);
}

/* CPU 5 of the trace is CPU 1 of two, CPU 2 is CPU 0; node 3 is node 1. */
Test(replay, cpus_and_nodes_that_are_not_there_are_folded)
{
	struct mm_numastat stat;
	struct run r;

	start(&r, build_machine(2, 1),
	      parse("cpu=5 alloc a gfp=GFP_KERNEL\ncpu=2 alloc b gfp=GFP_KERNEL\n"
		    "cpu=2 alloc c gfp=GFP_KERNEL node=3\ncpu=5 free a\n"));
	replay(&r, REPLAY_ASAP);
	cr_expect_eq(r.counts.folded_cpus, 4);
	cr_expect_eq(r.counts.allocs, 3);
	mm_node_numastat(sim_mm(r.sim), 0, &stat);
	cr_expect_eq(stat.numa_hit, 1);
	cr_expect_eq(stat.local_node, 1);
	mm_node_numastat(sim_mm(r.sim), 1, &stat);
	cr_expect_eq(stat.numa_hit, 2);
	cr_expect_eq(stat.local_node, 1);
	cr_expect_eq(stat.other_node, 1);
	finish(&r);
}

/* 256 MiB hold 64 blocks of 4 MiB at most: of 80, the others fail, with their touch and free. */
Test(replay, what_failed_here_is_lost_later_too)
{
	struct mm_counters counters;
	char text[8192] = "";
	size_t len = 0;
	struct run r;

	for (int i = 0; i < 80; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"cpu=0 alloc p%d order=10 gfp=GFP_KERNEL\n", i);
	for (int i = 0; i < 80; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"cpu=0 touch p%d read 64B\ncpu=0 free p%d\n", i, i);
	start(&r, build_machine(1, 1), parse(text));
	replay(&r, REPLAY_ASAP);
	cr_expect_geq(r.counts.failed, 80 - 64);
	cr_expect_gt(r.counts.allocs, 40);
	cr_expect_eq(r.counts.allocs + r.counts.failed, 80);
	cr_expect_eq(r.counts.lost, 2 * r.counts.failed);
	cr_expect_eq(r.counts.frees, r.counts.allocs);
	cr_expect_eq(r.counts.failed_in_trace, 0);
	mm_counters(sim_mm(r.sim), &counters);
	cr_expect_eq(counters.failed, r.counts.failed);
	finish(&r);
}

/* It is asked for again, and given back at once, since nothing in the trace does. */
Test(replay, what_failed_in_the_trace_is_asked_for_and_given_back)
{
	struct mm_counters counters;
	struct run r;

	start(&r, build_machine(1, 1),
	      parse("cpu=0 alloc - order=2 gfp=GFP_KERNEL\ncpu=0 alloc a gfp=GFP_KERNEL\n"));
	replay(&r, REPLAY_ASAP);
	cr_expect_eq(r.counts.failed_in_trace, 1);
	cr_expect_eq(r.counts.allocs, 2);
	cr_expect_eq(r.counts.failed, 0);
	cr_expect_eq(r.counts.frees, 0, "the trace has none");
	mm_counters(sim_mm(r.sim), &counters);
	cr_expect_eq(counters.allocs, 2);
	cr_expect_eq(counters.frees, 1);
	finish(&r);
}

static void expect_too_long(enum replay_timing timing, const char *events)
{
	const struct replay_options options = {.timing = timing};
	struct run r;

	start(&r, build_machine(1, 2), parse(events));
	cr_expect_eq(replay_run(r.sim, r.trace, &options, &r.counts), -ERANGE);
	finish(&r);
}

Test(replay, waits_beyond_the_clock_are_refused)
{
	expect_too_long(REPLAY_ASAP, "cpu=0 wait 50000s\ncpu=0 wait 50000s\ncpu=0 wait 1ps\n");
}

Test(replay, waits_that_overflow_are_refused)
{
	expect_too_long(REPLAY_ASAP, "cpu=1 wait 18446744s\ncpu=1 wait 18446744s\n");
}

Test(replay, times_beyond_the_clock_are_refused)
{
	expect_too_long(REPLAY_TRACE, "1s cpu=0 alloc a gfp=GFP_KERNEL\n"
				      "100002s cpu=0 free a\n");
}

/* 60,000 s each, side by side; without a page nothing else takes time. */
Test(replay, waits_count_for_each_cpu)
{
	struct run r;

	start(&r, build_machine(1, 2), parse("cpu=0 wait 60000s\ncpu=1 wait 60000s\n"));
	replay(&r, REPLAY_ASAP);
	cr_expect_eq(sim_elapsed_ps(r.sim), 60000 * UINT64_C(1000000000000));
	finish(&r);
}

struct reports {
	uint64_t last, nr;
};

static void see_progress(void *arg, uint64_t done, uint64_t total)
{
	struct reports *seen = arg;

	cr_expect_gt(done, seen->last);
	cr_expect_leq(done, total);
	seen->last = done;
	seen->nr++;
}

Test(replay, progress_grows_up_to_the_total)
{
	struct reports seen = {0};
	const struct replay_options options = {.progress = see_progress, .progress_arg = &seen};
	struct trace *t = trace_new("waits");
	struct run r;

	for (int i = 0; i < 20000; i++)
		cr_assert_eq(trace_append(t, &(struct trace_event){.op = TRACE_WAIT,
								   .page = TRACE_NO_PAGE,
								   .time_ps = 1}),
			     0);
	start(&r, build_machine(1, 1), t);
	cr_assert_eq(replay_run(r.sim, t, &options, &r.counts), 0);
	cr_expect_geq(seen.nr, 2);
	cr_expect_gt(seen.last, 10000);
	cr_expect_eq(sim_elapsed_ps(r.sim), 20000);
	finish(&r);
}

Test(replay, an_empty_trace_takes_no_time)
{
	struct run r;

	start(&r, build_machine(1, 2), trace_new("empty"));
	replay(&r, REPLAY_ASAP);
	cr_expect_eq(sim_elapsed_ps(r.sim), 0);
	finish(&r);
}
