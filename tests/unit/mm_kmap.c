/* SPDX-License-Identifier: Apache-2.0 */
/* kmap(): the window, its counts and its flush; the slots of kmap_local(); misuse. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../mm_fixture.h"
#include "mm/vmalloc/kmap.h"
#include "mm/vmalloc/kmap_state.h"
#include "mm/warn.h"

#define PAGE   (4 * KiB)
#define PKMAP  UINT64_C(0xff000000)
#define WINDOW 512 /* with PAE */
#define OFFSET UINT64_C(0xc0000000)

static const struct machine pae = {.arch = MM_I386, .memory = {{MiB, GiB - MiB, 0}}, .cpus = {2}};

static struct page *high(struct mm *mm)
{
	struct page *page = alloc(mm, 0, 0, GFP_HIGHUSER);

	cr_assert(page && mm_page_high(mm, page));
	return page;
}

static uint64_t map(struct mm *mm, struct page *page)
{
	uint64_t at = 0;

	cr_assert_eq(mm_kmap(mm, 0, page, false, &at), 0);
	return at;
}

static struct mm_kmap_info info_of(const struct mm *mm)
{
	struct mm_kmap_info info;

	mm_kmap_info(mm, &info);
	return info;
}

static void must_warn(const struct mm *mm, unsigned i, const char *line)
{
	const char *have = mm_warning(mm, i);

	cr_expect(have && !strcmp(have, line), "warning %u: '%s', expected '%s'", i,
		  have ? have : "none", line);
}

/* Of low memory, and of any on 64 bits, an addition: nothing is mapped. */
Test(kmap, low_memory_has_its_address)
{
	const struct machine wide = {.model = MM_SPARSE_VMEMMAP, .memory = {{0, 64 * MiB, 0}}};
	struct recorder rec;
	struct mm *mm = boot_recorded(&pae, &rec);
	struct page *page = alloc(mm, 0, 0, GFP_KERNEL);

	record_from_here(&rec);
	cr_expect_eq(map(mm, page), OFFSET + mm_page_address(mm, page));
	cr_expect_eq(mm_page_address_of(mm, 0, page), OFFSET + mm_page_address(mm, page));
	cr_expect_eq(mm_kunmap(mm, 0, page), 0);
	cr_expect_eq(count_records(&rec, REC_LOCK), 0);
	cr_expect_eq(count_work(&rec, MM_SITE_PTE), 0);
	mm_destroy(mm);
	free(rec.records);

	mm = boot_recorded(&wide, &rec);
	page = alloc(mm, 0, 0, GFP_HIGHUSER);
	record_from_here(&rec);
	cr_expect_eq(map(mm, page), UINT64_C(0xffff888000000000) + mm_page_address(mm, page));
	cr_expect_eq(count_records(&rec, REC_ACCESS), 0, "not even the descriptor is looked at");
	cr_expect_eq(info_of(mm).entries, 0);
	mm_destroy(mm);
	free(rec.records);
}

/* Entry 0 is searched last, since the search goes on behind the last one it gave. */
Test(kmap, entries_in_turn_and_counted)
{
	struct mm *mm = boot(&pae);
	struct page *a = high(mm), *b = high(mm);

	cr_expect_eq(info_of(mm).entries, WINDOW);
	cr_expect_eq(mm_page_address_of(mm, 0, a), 0);
	cr_expect_eq(map(mm, a), PKMAP + 1 * PAGE);
	cr_expect_eq(map(mm, b), PKMAP + 2 * PAGE);
	cr_expect_eq(map(mm, a), PKMAP + 1 * PAGE, "again, by another user");
	cr_expect_eq(info_of(mm).hits, 1);
	cr_expect_eq(mm_kunmap(mm, 0, a), 0);
	cr_expect_eq(info_of(mm).mapped, 2);
	cr_expect_eq(mm_kunmap(mm, 0, a), 0);
	cr_expect_eq(info_of(mm).mapped, 1);
	/* Its entry is as it was, for who comes back to it. */
	cr_expect_eq(mm_page_address_of(mm, 0, a), PKMAP + 1 * PAGE);
	cr_expect_eq(info_of(mm).stale, 1);
	cr_expect_eq(map(mm, a), PKMAP + 1 * PAGE);
	must_verify(mm, "mapped");
	mm_destroy(mm);
}

/*
 * 511 entries, 1 to 511, are there without a flush. The next search comes to 0: all that is unused
 * goes at once, one interrupt to all CPUs.
 */
Test(kmap, a_round_of_the_window_is_a_flush)
{
	struct recorder rec;
	struct mm *mm = boot_recorded(&pae, &rec);
	struct page *pages[WINDOW];

	for (int i = 0; i < WINDOW; i++)
		pages[i] = high(mm);
	record_from_here(&rec);
	for (int i = 0; i < WINDOW - 1; i++) {
		map(mm, pages[i]);
		cr_assert_eq(mm_kunmap(mm, 0, pages[i]), 0);
	}
	cr_expect_eq(count_records(&rec, REC_SHOOTDOWN), 0);
	cr_expect_eq(info_of(mm).stale, WINDOW - 1);
	cr_expect_eq(map(mm, pages[WINDOW - 1]), PKMAP);
	cr_expect_eq(count_records(&rec, REC_SHOOTDOWN), 1);
	cr_expect_eq(count_work(&rec, MM_SITE_TLB_FLUSH_ALL), 1);
	cr_expect_eq(info_of(mm).flushed, WINDOW - 1);
	cr_expect_eq(info_of(mm).stale, 0);
	cr_expect_eq(mm_page_address_of(mm, 0, pages[0]), 0);
	/* One entry written a page, one cleared each of the 511. */
	cr_expect_eq(count_work(&rec, MM_SITE_PTE), WINDOW + WINDOW - 1);
	must_verify(mm, "flushed");
	mm_destroy(mm);
	free(rec.records);
}

/* What is in use stays through a flush. */
Test(kmap, used_entries_survive)
{
	struct mm *mm = boot(&pae);
	struct page *kept = high(mm), *page = high(mm);
	uint64_t at = map(mm, kept);

	for (int i = 0; i < 3 * WINDOW; i++) {
		struct page *other = high(mm);

		map(mm, other);
		mm_kunmap(mm, 0, other);
	}
	cr_expect_eq(mm_page_address_of(mm, 0, kept), at);
	cr_expect_eq(info_of(mm).flushes, 3);
	cr_expect_neq(map(mm, page), at);
	must_verify(mm, "survived");
	mm_destroy(mm);
}

/* Another CPU unmaps while this one waits; or nobody does. */
struct waiter {
	struct recorder rec;
	struct page *give_back; /* NULL: nobody does */
	unsigned waits, woken;
};

static int wait_op(void *ctx, int cpu, struct mm_waitq *queue)
{
	struct waiter *w = ctx;

	(void)cpu;
	cr_assert_eq(queue->nr_waiting, 1);
	w->waits++;
	if (!w->give_back)
		return -EDEADLK;
	cr_assert_eq(mm_kunmap(w->rec.mm, 1, w->give_back), 0);
	return 0;
}

static void wake_op(void *ctx, int cpu, struct mm_waitq *queue)
{
	struct waiter *w = ctx;

	(void)queue;
	cr_assert_eq(cpu, 1);
	w->woken++;
}

Test(kmap, waits_where_the_window_is_full)
{
	const struct mm_ops ops = {.wait = wait_op, .wake_all = wake_op};
	struct waiter w = {.waits = 0};
	struct mm *mm = boot_with(&pae, &ops, &w);
	struct page *pages[WINDOW], *one_more = high(mm);
	uint64_t at;

	w.rec.mm = mm;
	for (int i = 0; i < WINDOW; i++) {
		pages[i] = high(mm);
		map(mm, pages[i]);
	}
	w.give_back = pages[100];
	cr_expect_eq(map(mm, one_more), PKMAP + 101 * PAGE, "the only entry that became free");
	cr_expect_eq(w.waits, 1);
	cr_expect_eq(w.woken, 1);
	must_verify(mm, "waited");
	w.give_back = NULL;
	cr_expect_eq(mm_kmap(mm, 0, pages[100], false, &at), -EDEADLK);
	cr_assert_eq(mm_nr_warnings(mm), 1);
	cr_expect(strstr(mm_warning(mm, 0), "all 512 entries are in use, and nobody is left who "
					    "could unmap one"));
	must_verify(mm, "deadlock");
	mm_destroy(mm);
}

/* Slots lie downwards from the fixed mappings behind the I/O APICs, each CPU's 16 of its own. */
Test(kmap, local_slots_are_a_stack)
{
	struct recorder rec;
	struct mm *mm = boot_recorded(&pae, &rec);
	uint64_t top = mm_get_vm_map(mm)->kmap_slots_end, at[3], other;
	struct page *page = high(mm);

	record_from_here(&rec);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(mm_kmap_local(mm, 0, page, &at[i]), 0);
	cr_expect_eq(at[0], top - PAGE);
	cr_expect_eq(at[1], top - 2 * PAGE);
	cr_assert_eq(mm_kmap_local(mm, 1, page, &other), 0);
	cr_expect_eq(other, top - 17 * PAGE);
	cr_expect_eq(mm_kunmap_local(mm, 0, at[1]), -EINVAL, "not the last one");
	cr_expect(strstr(mm_warning(mm, 0), "CPU 0 has 3 pages mapped, and this is not the last "
					    "one"));
	for (int i = 2; i >= 0; i--)
		cr_expect_eq(mm_kunmap_local(mm, 0, at[i] + 12), 0);
	/* The slot of before is written over. */
	cr_assert_eq(mm_kmap_local(mm, 0, page, &at[2]), 0);
	cr_expect_eq(at[2], at[0]);
	/* 5 entries written, 3 cleared and flushed, on no other CPU. */
	cr_expect_eq(count_work(&rec, MM_SITE_PTE), 8);
	cr_expect_eq(count_work(&rec, MM_SITE_TLB_FLUSH), 3);
	cr_expect_eq(count_records(&rec, REC_SHOOTDOWN), 0);
	cr_expect_eq(count_records(&rec, REC_LOCK), 0);
	mm_destroy(mm);
	free(rec.records);
}

Test(kmap, misuse_is_told)
{
	struct mm *mm = boot(&pae);
	struct page *page = high(mm);
	char line[160];
	uint64_t at;

	cr_expect_eq(mm_kmap(mm, 1, page, true, &at), -EPERM);
	snprintf(line, sizeof(line),
		 "kmap of pfn 0x%lx by CPU 1: it may sleep, but was called in atomic context",
		 pfn_of(mm, page));
	must_warn(mm, 0, line);
	cr_expect_eq(mm_kunmap(mm, 0, page), -EINVAL);
	snprintf(line, sizeof(line), "kunmap of pfn 0x%lx by CPU 0: it is not mapped",
		 pfn_of(mm, page));
	must_warn(mm, 1, line);
	map(mm, page);
	cr_expect_eq(mm_kunmap(mm, 0, page), 0);
	cr_expect_eq(mm_kunmap(mm, 0, page), -EINVAL, "one time too many");
	/* Told once, with how often. */
	strncat(line, " (2 times)", sizeof(line) - strlen(line) - 1);
	must_warn(mm, 1, line);
	cr_expect_eq(mm_nr_warnings(mm), 3);
	for (int i = 0; i < MM_KMAP_SLOTS; i++)
		cr_assert_eq(mm_kmap_local(mm, 0, page, &at), 0);
	cr_expect_eq(mm_kmap_local(mm, 0, page, &at), -ENOSPC);
	snprintf(line, sizeof(line), "kmap_local of pfn 0x%lx: CPU 0 has all its 16 slots in use",
		 pfn_of(mm, page));
	must_warn(mm, 2, line);
	mm_destroy(mm);
}

Test(kmap, leaks_are_found)
{
	struct mm *mm = boot(&pae);
	struct page *page = high(mm), *fine = high(mm);
	char line[160];
	uint64_t at;

	map(mm, fine);
	mm_kunmap(mm, 0, fine);
	cr_expect_eq(mm_kmap_leaks(mm), 0);
	map(mm, page);
	map(mm, page);
	cr_assert_eq(mm_kmap_local(mm, 1, page, &at), 0);
	cr_expect_eq(mm_kmap_leaks(mm), 3);
	snprintf(line, sizeof(line), "kmap: pfn 0x%lx is still mapped 2 times, at 0xff002000",
		 pfn_of(mm, page));
	must_warn(mm, 0, line);
	must_warn(mm, 1, "kmap_local: CPU 1 still has 1 pages mapped");
	mm_destroy(mm);
}
