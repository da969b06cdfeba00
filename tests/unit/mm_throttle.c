/* SPDX-License-Identifier: Apache-2.0 */
/* Reclaim that goes too fast sleeps, and who it waits for wakes it (6.1 mm/vmscan.c). */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "../mm_fixture.h"
#include "mm/reclaim/lru.h"
#include "mm/reclaim/vmscan.h"

#define NR_PAGES 80

static const struct machine small = {
	.model = MM_SPARSE_VMEMMAP,
	.memory = {{0, 64 * MiB, 0}},
	.cpus = {2},
	.min_free_kbytes = 1024,
};

static struct disk_in_test {
	struct mm *mm;
	struct page *pages[NR_PAGES];
	size_t submitted, written;
	size_t woken_at; /* pages written when the sleeper was woken; 0: it was not */
} disk;

static bool submit(void *ctx, int cpu, struct page *page, uint64_t bytes, enum mm_store to,
		   bool may_wait)
{
	(void)may_wait;
	(void)ctx;
	(void)cpu;
	cr_assert_eq(bytes, 4096);
	cr_assert_eq(to, MM_STORE_FILE);
	disk.pages[disk.submitted++] = page;
	return true;
}

/* Meanwhile the disk does all that it has. */
static int sleep_while_it_writes(void *ctx, int cpu, uint64_t us, const void *channel)
{
	(void)ctx;
	cr_assert_eq(us, 100000);
	cr_assert_eq(channel, &disk.mm->nodes[0].nr_throttled[MM_THROTTLE_WRITEBACK]);
	while (disk.written < disk.submitted) {
		disk.written++;
		mm_write_interrupt(disk.mm, 0, disk.pages[disk.written - 1]);
	}
	return cpu;
}

static void woken(void *ctx, int cpu, const void *channel)
{
	(void)ctx;
	(void)cpu;
	cr_assert_eq(channel, &disk.mm->nodes[0].nr_throttled[MM_THROTTLE_WRITEBACK]);
	if (!disk.woken_at)
		disk.woken_at = disk.written;
}

static const struct mm_ops ops = {.write = submit, .sleep = sleep_while_it_writes, .wakeup = woken};

static void dirty(size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		struct page *page = alloc(disk.mm, 0, 0, GFP_HIGHUSER_MOVABLE);

		mm_lru_add(disk.mm, 0, page, MM_PAGE_FILE);
		mm_page_dirty(disk.mm, 0, page);
	}
	mm_lru_drain(disk.mm, 0);
	mm_wake_flusher(disk.mm, 0, &disk.mm->nodes[0]);
	cr_assert_eq(disk.submitted, nr);
}

/* More than SWAP_CLUSTER_MAX pages for the one that sleeps: the 33rd wakes it, and no time out. */
Test(throttle, written_pages_wake_who_waits_for_them)
{
	struct mm_scan sc = {.cpu = 0};

	disk.mm = boot_with(&small, &ops, NULL);
	dirty(NR_PAGES);
	mm_reclaim_throttle(disk.mm, &disk.mm->nodes[0], &sc, MM_THROTTLE_WRITEBACK);
	cr_assert_eq(disk.written, NR_PAGES);
	cr_assert_eq(disk.woken_at, 33);
	must_verify(disk.mm, "after the writes");
	mm_destroy(disk.mm);
}

/* Fewer are not enough, and what was written before it slept does not count. */
Test(throttle, a_few_written_pages_do_not)
{
	struct mm_scan sc = {.cpu = 0};

	disk.mm = boot_with(&small, &ops, NULL);
	dirty(NR_PAGES);
	for (; disk.written < 50; disk.written++)
		mm_write_interrupt(disk.mm, 0, disk.pages[disk.written]);
	mm_reclaim_throttle(disk.mm, &disk.mm->nodes[0], &sc, MM_THROTTLE_WRITEBACK);
	cr_assert_eq(disk.written, NR_PAGES);
	cr_assert_eq(disk.woken_at, 0);
	mm_destroy(disk.mm);
}

/* Written, it is at the tail of its list if reclaim waits for it; its owner's free is left to do.
 */
Test(throttle, a_page_that_was_dropped_is_freed_by_the_interrupt)
{
	uint64_t free_before, free_after, boost;

	disk.mm = boot_with(&small, &ops, NULL);
	dirty(NR_PAGES);
	mm_free_pages(disk.mm, 0, disk.pages[0], 0);
	mm_zone_room(disk.mm, 0, 1, &free_before, &boost);
	must_verify(disk.mm, "freed under writeback");
	mm_write_interrupt(disk.mm, 0, disk.pages[0]);
	/* Not by way of the CPU's list: it may be in use. */
	mm_zone_room(disk.mm, 0, 1, &free_after, &boost);
	cr_assert_eq(free_after, free_before + 1);
	must_verify(disk.mm, "written");
	mm_destroy(disk.mm);
}

/* The sleep is two jiffies long of the 25 that it may be, and the event comes behind it. */
static struct {
	uint64_t ns;
	struct mm_event event;
} clock_of_test;

static int sleep_for_a_while(void *ctx, int cpu, uint64_t us, const void *channel)
{
	(void)ctx;
	(void)us;
	(void)channel;
	cr_assert_eq(clock_of_test.event.type, MM_NR_EVENT_TYPES, "not before it sleeps");
	clock_of_test.ns += 9000000;
	return cpu;
}

static void tell_time(void *ctx, int cpu, struct mm_who *who)
{
	(void)ctx;
	(void)cpu;
	who->ns = clock_of_test.ns;
}

static void note_event(void *ctx, int cpu, const struct mm_event *ev)
{
	(void)ctx;
	(void)cpu;
	clock_of_test.event = *ev;
}

Test(throttle, what_is_told_of_it_comes_after_the_sleep)
{
	const struct mm_ops timed = {
		.sleep = sleep_for_a_while, .who = tell_time, .event = note_event};
	struct mm_scan sc = {.cpu = 0};
	struct mm *mm = boot_with(&small, &timed, NULL);

	clock_of_test.event.type = MM_NR_EVENT_TYPES;
	clock_of_test.ns = 4000000;
	mm_reclaim_throttle(mm, &mm->nodes[0], &sc, MM_THROTTLE_WRITEBACK);
	cr_assert_eq(clock_of_test.event.type, MM_EVENT_THROTTLED);
	cr_expect_eq(clock_of_test.event.scan.timeout_us, 100000);
	cr_expect_eq(clock_of_test.event.scan.delayed_us, 8000, "from jiffy 1 to jiffy 3");
	mm_destroy(mm);
}
