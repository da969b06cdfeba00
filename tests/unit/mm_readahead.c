/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readahead and fault-around, request by request: windows of 4, 8, 16 and 32 pages (128 KiB), and
 * 16 pages around a load (64 KiB), as Linux 6.1 has them.
 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "../mm_fixture.h"
#include "mm/internal.h"
#include "mm/reclaim/lru.h"
#include "mm/user/user.h"
#include "mm/vm_event.h"

#define PAGE     UINT64_C(4096)
#define REQUESTS 200

static const struct machine one = {
	.model = MM_SPARSE_VMEMMAP,
	.memory = {{0, 64 * MiB, 0}},
	.cpus = {1},
	.no_thp = true,
};

/* A disk that is done with what is read ahead when somebody waits for it, or when it is told to. */
struct disk {
	struct mm *mm;
	uint64_t pages[REQUESTS];
	bool ahead[REQUESTS];
	unsigned nr;
	struct mm_read *pending[REQUESTS];
	unsigned nr_pending, nr_sleeps;
};

static void read_op(void *ctx, int cpu, uint64_t bytes, enum mm_store from)
{
	struct disk *d = ctx;

	(void)cpu;
	cr_expect_eq(from, MM_STORE_FILE);
	cr_assert_lt(d->nr, REQUESTS);
	d->pages[d->nr++] = bytes / PAGE;
}

static bool read_ahead_op(void *ctx, int cpu, uint64_t bytes, enum mm_store from,
			  struct mm_read *read)
{
	struct disk *d = ctx;

	d->ahead[d->nr] = true;
	read_op(ctx, cpu, bytes, from);
	d->pending[d->nr_pending++] = read;
	return true;
}

static void finish(struct disk *d)
{
	for (unsigned i = 0; i < d->nr_pending; i++)
		mm_read_interrupt(d->mm, 0, d->pending[i]);
	d->nr_pending = 0;
}

static int sleep_op(void *ctx, int cpu, uint64_t us, const void *channel)
{
	struct disk *d = ctx;

	(void)us;
	cr_expect_not_null(channel);
	d->nr_sleeps++;
	finish(d);
	return cpu;
}

struct bench {
	struct disk disk;
	struct mm *mm;
	struct mm_space *space;
	struct mm_file *file;
	uint64_t at;
};

static void set_up(struct bench *b)
{
	static const struct mm_ops ops = {
		.read = read_op, .read_ahead = read_ahead_op, .sleep = sleep_op};

	*b = (struct bench){0};
	b->mm = b->disk.mm = boot_with(&one, &ops, &b->disk);
	cr_assert_eq(mm_space_new(b->mm, 0, "reader", NULL, &b->space), 0);
	b->file = mm_file_open(b->mm, "/data/file", false);
}

static void tear_down(struct bench *b)
{
	must_verify(b->mm, "with requests under way");
	finish(&b->disk);
	must_verify(b->mm, "at the end");
	mm_destroy(b->mm);
}

static int read_page(struct bench *b, uint64_t page)
{
	phys_addr_t at;
	int result =
		mm_file_access(b->mm, 0, b->space, b->file, page, MM_READ_AHEAD, false, true, &at);

	cr_assert_geq(result, 0);
	return result;
}

/* The i-th request was of so many pages; 0: there was none. */
static void request(const struct bench *b, unsigned i, uint64_t pages, bool ahead)
{
	uint64_t was = i < b->disk.nr ? b->disk.pages[i] : 0;

	cr_expect_eq(was, pages, "request %u: %lu pages, not %lu", i, was, pages);
	cr_expect(!was || b->disk.ahead[i] == ahead, "request %u: ahead is %d", i,
		  b->disk.ahead[i]);
}

/*
 * Page 0 is waited for with 3 more; the second page bears the mark, so reading it begins 8; their
 * first one, 4, begins 16 for 12 on, and so on up to 32: for 28, 60, 92 and 124 on. This disk is
 * done once somebody waits: at pages 4, 28 and 92, with the window behind them, too.
 */
Test(readahead, a_stream_doubles_its_window)
{
	struct bench b;

	set_up(&b);
	cr_expect_eq(read_page(&b, 0), MM_USER_MAJOR);
	for (uint64_t page = 1; page < 100; page++)
		cr_expect_eq(read_page(&b, page), MM_USER_PRESENT, "page %lu", page);
	request(&b, 0, 4, false);
	request(&b, 1, 8, true);
	request(&b, 2, 16, true);
	request(&b, 3, 32, true);
	request(&b, 4, 32, true);
	request(&b, 5, 32, true);
	request(&b, 6, 32, true);
	cr_expect_eq(b.disk.nr, 7);
	/* 4 + 8 + 16 + 32 * 4 pages, 4 KiB each */
	cr_expect_eq(mm_vm_event(b.mm, MM_VM_PGPGIN), 156 * 4);
	cr_expect_eq(b.disk.nr_sleeps, 3);
	tear_down(&b);
}

/* What a disk fills is on a list, but neither moved nor given up. */
Test(readahead, pages_under_way_stay)
{
	struct bench b;
	struct page *page;
	phys_addr_t at;

	set_up(&b);
	read_page(&b, 0);
	read_page(&b, 1);
	cr_expect_eq(b.disk.nr_pending, 1);
	mm_lru_drain(b.mm, 0);
	/* Seven behind it are under way: the first of them is next in memory's order of requests.
	 */
	cr_assert_eq(mm_file_access(b.mm, 0, b.space, b.file, 3, 0, false, true, &at), 0);
	page = mm_pfn_to_page(b.mm, MM_NO_CPU, at / PAGE);
	cr_expect(!page->locked, "page 3 has been read");
	must_verify(b.mm, "with pages under way");
	mm_file_drop(b.mm, 0, b.file);
	cr_expect_eq(b.disk.nr_pending, 0, "who drops the file waits");
	tear_down(&b);
}

/* Far from anything that was read: that page, and no state is disturbed. Then a second one: a
 * stream. */
Test(readahead, single_pages_are_read_singly)
{
	struct bench b;

	set_up(&b);
	read_page(&b, 1000);
	read_page(&b, 5000);
	read_page(&b, 300);
	request(&b, 0, 1, false);
	request(&b, 1, 1, false);
	request(&b, 2, 1, false);
	read_page(&b, 301);
	request(&b, 3, 4, false);
	tear_down(&b);
}

/* Pages before it are there, though this reader did not read them: they and as many again. */
Test(readahead, history_in_the_page_cache_counts)
{
	struct bench b;
	struct mm_space *other;
	phys_addr_t at;

	set_up(&b);
	for (uint64_t page = 500; page < 510; page++) {
		b.disk.nr = 0;
		cr_assert_geq(mm_file_access(b.mm, 0, b.space, b.file, page, 0, false, true, &at),
			      0);
		request(&b, 0, 1, false);
	}
	cr_assert_eq(mm_space_new(b.mm, 0, "other", NULL, &other), 0);
	b.disk.nr = 0;
	cr_assert_geq(mm_file_access(b.mm, 0, other, b.file, 510, MM_READ_AHEAD, false, true, &at),
		      0);
	request(&b, 0, 11, false);
	mm_space_exit(b.mm, 0, other);
	tear_down(&b);
}

/* Nothing beyond the end is read; a window that is cut short has no mark. */
Test(readahead, a_window_ends_with_the_file)
{
	struct bench b;

	set_up(&b);
	mm_file_extend(b.file, 10);
	for (uint64_t page = 0; page < 10; page++)
		read_page(&b, page);
	request(&b, 0, 4, false);
	request(&b, 1, 6, true);
	cr_expect_eq(b.disk.nr, 2);
	tear_down(&b);
}

/* read_ahead_kb = 0: a page at a time. 16: two pages, then four at a time. */
Test(readahead, windows_are_as_large_as_the_setting)
{
	struct bench b;

	set_up(&b);
	b.mm->params.read_ahead_kb = 0;
	read_page(&b, 0);
	read_page(&b, 1);
	request(&b, 0, 1, false);
	request(&b, 1, 1, false);
	b.mm->params.read_ahead_kb = 16;
	read_page(&b, 2);
	request(&b, 2, 2, false);
	for (uint64_t page = 3; page < 20; page++)
		read_page(&b, page);
	for (unsigned i = 3; i < b.disk.nr; i++)
		request(&b, i, 4, true);
	tear_down(&b);
}

static void map(struct bench *b, uint64_t pages, uint64_t offset, bool shared)
{
	const struct mm_mmap_args args = {
		.bytes = pages * PAGE, .file = b->file, .offset = offset * PAGE, .shared = shared};

	cr_assert_eq(mm_mmap(b->mm, 0, b->space, &args, &b->at), 0);
}

static int use(struct bench *b, uint64_t page, bool write)
{
	phys_addr_t at;
	int result = mm_user_access(b->mm, 0, b->space, b->at + page * PAGE, write, &at);

	cr_assert_geq(result, 0);
	return result;
}

static struct mm_space_info info_of(const struct bench *b)
{
	struct mm_space_info info;

	mm_space_info(b->mm, b->space, &info);
	return info;
}

/*
 * The first load reads 32 pages around it, the last 8 of which are left to readahead: a mark at 24.
 * It maps its page; the next one 15 others, the next window 16 but for the marked one. That one's
 * own load begins the next window. Four faults for 32 pages, and one major.
 */
Test(fault_around, four_faults_for_32_pages)
{
	struct bench b;

	set_up(&b);
	map(&b, 64, 0, true);
	cr_expect_eq(use(&b, 0, false), MM_USER_MAJOR);
	request(&b, 0, 32, false);
	cr_expect_eq(info_of(&b).mapped, 1);
	cr_expect_eq(use(&b, 1, false), MM_USER_MINOR);
	cr_expect_eq(info_of(&b).mapped, 16);
	for (uint64_t page = 2; page < 24; page++)
		cr_expect_eq(use(&b, page, false), page == 16 ? MM_USER_MINOR : MM_USER_PRESENT);
	cr_expect_eq(info_of(&b).mapped, 31);
	cr_expect_eq(b.disk.nr, 1);
	cr_expect_eq(use(&b, 24, false), MM_USER_MINOR);
	request(&b, 1, 32, true);
	cr_expect_eq(info_of(&b).mapped, 32);
	cr_expect_eq(info_of(&b).around, 28);
	cr_expect_eq(mm_vm_event(b.mm, MM_VM_PGFAULT), 4);
	cr_expect_eq(mm_vm_event(b.mm, MM_VM_PGMAJFAULT), 1);
	/* Under way: not mapped around. */
	cr_expect_eq(use(&b, 33, false), MM_USER_MINOR);
	cr_expect_eq(info_of(&b).mapped, 33);
	cr_expect_eq(b.disk.nr_sleeps, 1);
	/* Each page has one entry, and the node counts them mapped. */
	struct mm_lru_info lru;

	mm_lru_info(b.mm, 0, &lru);
	cr_expect_eq(lru.file_mapped, 33);
	tear_down(&b);
}

/* Everything in memory, by read(): nothing is read for mappings. Marks were used up. */
static void fill(struct bench *b, uint64_t pages)
{
	mm_file_extend(b->file, pages);
	for (uint64_t page = 0; page < pages; page++)
		read_page(b, page);
	finish(&b->disk);
	b->disk.nr = 0;
}

/*
 * 20 pages below a boundary of 16: the range begins 12 pages behind one. The window of its first
 * page begins with the range and is whole; that of its last begins at a multiple of 16, and ends
 * with it.
 */
Test(fault_around, windows_are_cut_by_the_range)
{
	struct bench b;

	set_up(&b);
	fill(&b, 40);
	map(&b, 20, 10, false);
	cr_assert_eq(b.at / PAGE % 16, 12);
	use(&b, 0, false);
	cr_expect_eq(info_of(&b).mapped, 16);
	use(&b, 19, false);
	cr_expect_eq(info_of(&b).mapped, 20);
	cr_expect_eq(b.disk.nr, 0);
	tear_down(&b);
}

/* The last page of a table and the first of the next: no window reaches over. */
Test(fault_around, windows_are_cut_by_the_table)
{
	struct bench b;
	uint64_t last;

	set_up(&b);
	fill(&b, 600);
	b.mm->params.fault_around_bytes = 512 * PAGE;
	map(&b, 600, 0, false);
	last = 511 - b.at / PAGE % 512;
	cr_assert_lt(last, 599);
	use(&b, last, false);
	cr_expect_eq(info_of(&b).mapped, last + 1);
	use(&b, last + 1, false);
	cr_expect_eq(info_of(&b).mapped, 600);
	tear_down(&b);
}

/* Stores fault for themselves; a private one copies its page and no other. */
Test(fault_around, stores_map_their_page_only)
{
	struct bench b;

	set_up(&b);
	fill(&b, 40);
	map(&b, 32, 0, false);
	cr_expect_eq(use(&b, 3, true), MM_USER_COPY);
	cr_expect_eq(info_of(&b).mapped, 1);
	map(&b, 32, 0, true);
	use(&b, 3, true);
	cr_expect_eq(info_of(&b).mapped, 2);
	/* What is mapped so may be read only: the first store has a fault, and no copy. */
	use(&b, 4, false);
	cr_expect_eq(info_of(&b).mapped, 2 + 15);
	cr_expect_eq(use(&b, 5, true), MM_USER_REUSE);
	tear_down(&b);
}

/* fault_around_bytes of a page: each load has a fault. Locked ranges have all they map locked. */
Test(fault_around, can_be_off_and_locks_what_is_locked)
{
	struct bench b;
	struct mm_lru_info lru;

	set_up(&b);
	fill(&b, 40);
	b.mm->params.fault_around_bytes = PAGE;
	map(&b, 16, 0, true);
	use(&b, 0, false);
	use(&b, 1, false);
	cr_expect_eq(info_of(&b).mapped, 2);
	/* Of a private range mlock() makes copies; the third fault maps all that is left. */
	b.mm->params.fault_around_bytes = 16 * PAGE;
	cr_assert_eq(mm_mlock(b.mm, 0, b.space, b.at, 16 * PAGE, true), 0);
	mm_lru_drain(b.mm, 0);
	mm_lru_info(b.mm, 0, &lru);
	cr_expect_eq(lru.lru[MM_LRU_UNEVICTABLE], 16);
	cr_expect_eq(info_of(&b).faults, 3, "%lu faults", info_of(&b).faults);
	tear_down(&b);
}

/* Beyond 100 misses of a mapping that hits nothing its faults read their page only. */
Test(fault_around, many_misses_end_reading_around)
{
	struct bench b;

	set_up(&b);
	map(&b, 1000 * 103, 0, true);
	for (uint64_t i = 0; i < 102; i++)
		use(&b, 500 + i * 1000, false);
	request(&b, 99, 32, false);
	request(&b, 100, 1, false);
	request(&b, 101, 1, false);
	tear_down(&b);
}
