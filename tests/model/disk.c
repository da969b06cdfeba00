/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Disks in simulated time. The disk here takes 80 us a request, reads 0.5 B/ns and writes 0.25
 * B/ns: a page of 4096 B takes 8,192 ns to read, 16,384 ns to write.
 */
#include <criterion/criterion.h>

#include "mm/reclaim/lru.h"
#include "mm/reclaim/lru_lists.h"
#include "mm/reclaim/vmscan.h"
#include "sim/time/cost_sink.h"
#include "sim/time/internal.h"
#include "tests/machine_builder.h"

#define PAGE       4096
#define LATENCY_PS UINT64_C(80000000)
#define READ_PS    UINT64_C(8192000)
#define WRITE_PS   UINT64_C(16384000)

static const struct costs nothing_costs;

static struct machine *machine_with_disk(int nr_cpus, unsigned queue_depth)
{
	struct machine *m = build_machine(1, nr_cpus);

	build_disk(m, LATENCY_PS, 500000000, queue_depth);
	m->disks[0].write_bytes_per_s = 250000000;
	return m;
}

static struct sim *simulation(const struct machine *m)
{
	struct diag diag = DIAG_INIT;
	struct sim *s = NULL;

	cr_assert_eq(sim_create(m, &nothing_costs, &diag, &s), 0);
	return s;
}

static void over(struct sim *s, struct machine *m)
{
	sim_destroy(s);
	built_free(m);
}

static void read_page(struct sim *s, int cpu, void *arg)
{
	uint64_t *ends = arg;

	cost_sink_ops.read(s, cpu, PAGE, MM_STORE_SWAP);
	ends[cpu] = sim_now_ps(s, cpu);
}

/* 80 us + 4096 B / 0.5 B/ns, all of it the disk's. */
Test(disk, a_read_takes_latency_and_bytes)
{
	struct machine *m = machine_with_disk(1, 32);
	struct sim *s = simulation(m);
	uint64_t ends[1];

	sim_spawn(s, 0, read_page, ends);
	cr_assert_eq(sim_run(s), 0);
	cr_assert_eq(ends[0], LATENCY_PS + READ_PS);
	cr_assert_eq(sim_account(s, 0)->cause_ps[CAUSE_DISK], LATENCY_PS + READ_PS);
	cr_assert_eq(sim_disk_account(s, 0)->bytes_read, PAGE);
	cr_assert_eq(sim_disk_account(s, 0)->busy_ps, LATENCY_PS + READ_PS);
	cr_assert_eq(sim_disk_account(s, 0)->wait_ps, 0);
	over(s, m);
}

/* Their latencies at once, then each has a fourth of the rate: all end after 4 * 4096 B. */
Test(disk, what_it_works_on_at_once_shares_its_rate)
{
	struct machine *m = machine_with_disk(4, 4);
	struct sim *s = simulation(m);
	uint64_t ends[4];

	for (int cpu = 0; cpu < 4; cpu++)
		sim_spawn(s, cpu, read_page, ends);
	cr_assert_eq(sim_run(s), 0);
	for (int cpu = 0; cpu < 4; cpu++)
		cr_assert_eq(ends[cpu], LATENCY_PS + 4 * READ_PS);
	cr_assert_eq(sim_disk_account(s, 0)->busy_ps, LATENCY_PS + 4 * READ_PS);
	cr_assert_eq(sim_disk_account(s, 0)->most_waiting, 4);
	over(s, m);
}

/* One after the other: the n-th waits for n others, 0 + 1 + 2 + 3 times a request in all. */
Test(disk, what_it_cannot_work_on_waits_in_order)
{
	struct machine *m = machine_with_disk(4, 1);
	struct sim *s = simulation(m);
	uint64_t ends[4];

	for (int cpu = 0; cpu < 4; cpu++)
		sim_spawn(s, cpu, read_page, ends);
	cr_assert_eq(sim_run(s), 0);
	for (int cpu = 0; cpu < 4; cpu++) {
		uint64_t own = (uint64_t)(cpu + 1) * (LATENCY_PS + READ_PS);

		cr_assert_eq(ends[cpu], own);
		cr_assert_eq(sim_account(s, cpu)->cause_ps[CAUSE_DISK], own);
		cr_assert_eq(sim_account(s, cpu)->total_ps, 4 * (LATENCY_PS + READ_PS));
	}
	cr_assert_eq(sim_disk_account(s, 0)->wait_ps, 6 * (LATENCY_PS + READ_PS));
	over(s, m);
}

/* Two requests at once, two behind: two rounds of 80 us and twice 4096 B each. */
Test(disk, its_depth_bounds_what_it_works_on)
{
	struct machine *m = machine_with_disk(4, 2);
	struct sim *s = simulation(m);
	uint64_t ends[4], round = LATENCY_PS + 2 * READ_PS;

	for (int cpu = 0; cpu < 4; cpu++)
		sim_spawn(s, cpu, read_page, ends);
	cr_assert_eq(sim_run(s), 0);
	for (int cpu = 0; cpu < 4; cpu++)
		cr_assert_eq(ends[cpu], cpu < 2 ? round : 2 * round);
	over(s, m);
}

#define NR_WRITTEN 8

/* Eight dirty pages of a file, which the flusher writes while the CPU has something else to do. */
static void dirty_pages(struct sim *s, int cpu, void *arg)
{
	const struct mm_request req = {.cpu = cpu, .nid = MM_NO_NODE, .gfp = GFP_HIGHUSER_MOVABLE};
	struct mm *mm = sim_mm(s);
	struct page *pages[NR_WRITTEN];
	uint64_t *submitted_ps = arg;
	struct mm_lru_info info;

	for (int i = 0; i < NR_WRITTEN; i++) {
		mm_alloc_pages(mm, &req, &pages[i]);
		mm_lru_add(mm, cpu, pages[i], MM_PAGE_FILE);
		mm_page_dirty(mm, 0, pages[i]);
	}
	mm_lru_drain(mm, cpu);
	mm_wake_flusher(mm, cpu, &mm->nodes[0]);
	*submitted_ps = sim_now_ps(s, cpu);
	mm_lru_info(mm, 0, &info);
	if (info.dirty || info.writeback != NR_WRITTEN)
		*submitted_ps = 0;
	sim_idle_until(s, cpu, UINT64_C(10000000000));
	mm_lru_info(mm, 0, &info);
	if (info.writeback || info.lru[MM_LRU_INACTIVE_FILE] != NR_WRITTEN)
		*submitted_ps = 0;
}

/* The first by itself, the others in one request: 2 * 80 us + n * 4096 B / 0.25 B/ns. Nobody waits.
 */
Test(disk, writes_go_on_beside_who_asked)
{
	struct machine *m = machine_with_disk(1, 1);
	const struct disk_account *a;
	uint64_t submitted_ps = 0;
	struct sim *s;

	m->disks[0].nr_requests = 16;
	s = simulation(m);
	a = sim_disk_account(s, 0);
	sim_spawn(s, 0, dirty_pages, &submitted_ps);
	cr_assert_eq(sim_run(s), 0);
	cr_assert_gt(submitted_ps, 0);
	cr_assert_lt(submitted_ps, LATENCY_PS);
	cr_assert_eq(a->writes, 2);
	cr_assert_eq(a->bytes_written, NR_WRITTEN * PAGE);
	cr_assert_eq(a->busy_ps, 2 * LATENCY_PS + NR_WRITTEN * WRITE_PS);
	cr_assert_eq(a->unfinished, 0);
	cr_assert_eq(sim_account(s, 0)->cause_ps[CAUSE_DISK], 0);
	over(s, m);
}

/* Has a page written, as reclaim does: it may have to wait. */
static void write_page(struct sim *s, int cpu)
{
	const struct mm_request req = {.cpu = cpu, .nid = MM_NO_NODE, .gfp = GFP_HIGHUSER_MOVABLE};
	struct mm *mm = sim_mm(s);
	struct page *page;

	mm_alloc_pages(mm, &req, &page);
	mm_lru_add(mm, cpu, page, MM_PAGE_FILE);
	mm_page_account(mm, cpu, page, page->flags | PG_WRITEBACK);
	page->refcount++;
	cost_sink_ops.write(s, cpu, page, PAGE, MM_STORE_FILE, true);
}

static void write_in_turn(struct sim *s, int cpu, void *arg)
{
	uint64_t *ends = arg;

	sim_idle_until(s, cpu, (uint64_t)(cpu + 1) * 5000000);
	write_page(s, cpu);
	ends[cpu] = sim_now_ps(s, cpu);
	sim_idle_until(s, cpu, UINT64_C(10000000000));
}

/* Two may be asked for (three quarters of three): the third waits until the first is done. */
Test(disk, who_asks_for_too_much_waits)
{
	struct machine *m = machine_with_disk(3, 1);
	uint64_t ends[3] = {0}, first_ps = 5000000 + LATENCY_PS + WRITE_PS;
	struct sim *s;

	m->disks[0].nr_requests = 3;
	s = simulation(m);
	for (int cpu = 0; cpu < 3; cpu++)
		sim_spawn(s, cpu, write_in_turn, ends);
	cr_assert_eq(sim_run(s), 0);
	cr_expect_lt(ends[1], LATENCY_PS);
	cr_expect_geq(ends[2], first_ps);
	cr_expect_lt(ends[2], first_ps + 10000000);
	cr_expect_eq(sim_account(s, 1)->cause_ps[CAUSE_DISK], 0);
	cr_expect_gt(sim_account(s, 2)->cause_ps[CAUSE_DISK], first_ps - 25000000);
	cr_expect_eq(sim_disk_account(s, 0)->writes, 3);
	over(s, m);
}

#define WRITERS 19

/* The CPUs write, one after the other, and then the last one reads. */
static void write_or_read(struct sim *s, int cpu, void *arg)
{
	sim_idle_until(s, cpu, (uint64_t)(cpu + 1) * 20000000);
	if (cpu == WRITERS)
		read_page(s, cpu, arg);
	else
		write_page(s, cpu);
	sim_idle_until(s, cpu, UINT64_C(10000000000));
}

/* Behind how many writes the read came. */
static unsigned read_behind_writes(enum disk_scheduler scheduler)
{
	struct machine *m = machine_with_disk(WRITERS + 1, 1);
	uint64_t ends[WRITERS + 1] = {0}, wait_ps;
	struct sim *s;

	m->disks[0].nr_requests = 64;
	m->disks[0].scheduler = scheduler;
	s = simulation(m);
	for (int cpu = 0; cpu <= WRITERS; cpu++)
		sim_spawn(s, cpu, write_or_read, ends);
	cr_assert_eq(sim_run(s), 0);
	cr_assert_eq(sim_disk_account(s, 0)->writes, WRITERS);
	over(s, m);
	/* The first began a bit after 20 us. */
	wait_ps = ends[WRITERS] - 20000000 - LATENCY_PS - READ_PS;
	return (unsigned)(wait_ps / (LATENCY_PS + WRITE_PS));
}

/* Behind a batch of 16. */
Test(disk, reads_go_before_writes)
{
	cr_expect_eq(read_behind_writes(DISK_DEADLINE), 16);
}

Test(disk, without_a_scheduler_all_go_in_order)
{
	cr_expect_eq(read_behind_writes(DISK_NONE), WRITERS);
}

static void dirty_and_leave(struct sim *s, int cpu, void *arg)
{
	const struct mm_request req = {.cpu = cpu, .nid = MM_NO_NODE, .gfp = GFP_HIGHUSER_MOVABLE};
	struct mm *mm = sim_mm(s);
	struct page *page;

	(void)arg;
	mm_alloc_pages(mm, &req, &page);
	mm_lru_add(mm, cpu, page, MM_PAGE_FILE);
	mm_page_dirty(mm, 0, page);
	mm_lru_drain(mm, cpu);
	mm_wake_flusher(mm, cpu, &mm->nodes[0]);
	/* Its owner goes; the write has a reference still. */
	mm_free_pages(mm, cpu, page, 0);
}

/* The run does not wait for the disk, and says so. */
Test(disk, what_is_not_written_at_the_end_is_unfinished)
{
	struct machine *m = machine_with_disk(1, 1);
	struct sim *s = simulation(m);
	char why[256];

	sim_spawn(s, 0, dirty_and_leave, NULL);
	cr_assert_eq(sim_run(s), 0);
	cr_assert_lt(sim_elapsed_ps(s), LATENCY_PS);
	cr_assert_eq(sim_disk_account(s, 0)->unfinished, 1);
	cr_assert_eq(sim_disk_account(s, 0)->writes, 0);
	cr_assert_leq(sim_disk_account(s, 0)->busy_ps, sim_elapsed_ps(s));
	cr_assert_eq(mm_verify(sim_mm(s), why, sizeof(why)), 0, "%s", why);
	over(s, m);
}
