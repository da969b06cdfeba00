/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The window of kmap(), as Linux 6.1 mm/highmem.c: entries are searched round and round, used ones
 * counted; when the search has come round, those that nobody uses become free, by one flush of all
 * TLBs. Where a page of high memory is mapped is kept in a hash by its descriptor's address.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "mm/vmalloc/kmap_state.h"
#include "mm/warn.h"

#define HASH_SLOT_BYTES 64 /* a list and its lock, each in a line of its own */
#define MAP_BYTES       16 /* struct page_address_map: page, address, list */
#define COUNT_BYTES     4
#define GOLDEN_RATIO_32 UINT32_C(0x61c88647) /* hash_32() */

bool mm_page_high(struct mm *mm, const struct page *page)
{
	return mm->kmap->nr_entries && mm_page_address(mm, page) >= mm_direct_limit(mm);
}

/* On i386 the kernel has to look at the descriptor whether it has an address at all. */
static bool look_whether_high(struct mm *mm, int cpu, const struct page *page)
{
	if (mm->kmap->nr_entries)
		mm_touch_page(mm, cpu, page, MM_READ);
	return mm_page_high(mm, page);
}

uint64_t mm_lowmem_address(struct mm *mm, int cpu, const struct page *page)
{
	mm_work(mm, cpu, MM_SITE_PAGE_ADDRESS, 1);
	mm_page_to_pfn(mm, cpu, page);
	return mm->vm_map.direct.start + mm_page_address(mm, page);
}

static unsigned hash_of(const struct mm *mm, const struct page *page)
{
	uint32_t at =
		(uint32_t)(mm->vm_map.direct.start + mm->model->descriptor_at(mm, page, NULL));

	return at * GOLDEN_RATIO_32 >> (32 - PA_HASH_BITS);
}

static uint64_t entry_address(const struct mm *mm, unsigned i)
{
	return mm->vm_map.pkmap.start + ((uint64_t)i << mm->arch->page_shift);
}

static void touch_hash(struct mm *mm, int cpu, unsigned hash)
{
	mm_touch(mm, cpu, mm->kmap->hash_at + (uint64_t)hash * HASH_SLOT_BYTES, HASH_SLOT_BYTES,
		 MM_WRITE);
}

static void touch_map(struct mm *mm, int cpu, unsigned entry, enum mm_access how)
{
	mm_touch(mm, cpu, mm->kmap->maps_at + (uint64_t)entry * MAP_BYTES, MAP_BYTES, how);
}

static void touch_count(struct mm *mm, int cpu, unsigned entry, enum mm_access how)
{
	mm_touch(mm, cpu, mm->kmap->counts_at + (uint64_t)entry * COUNT_BYTES, COUNT_BYTES, how);
}

static void write_pte(struct mm *mm, int cpu, unsigned entry)
{
	mm_work(mm, cpu, MM_SITE_PTE, 1);
	mm_touch(mm, cpu, mm->kmap->table_at + (uint64_t)entry * mm->vm_map.entry_bytes,
		 mm->vm_map.entry_bytes, MM_WRITE);
}

/* The entry of a page of high memory; NO_ENTRY. */
static int find_entry(struct mm *mm, int cpu, const struct page *page)
{
	struct mm_kmap *k = mm->kmap;
	unsigned hash = hash_of(mm, page);
	int i;

	mm_work(mm, cpu, MM_SITE_PAGE_ADDRESS, 1);
	touch_hash(mm, cpu, hash);
	for (i = k->chains[hash]; i != NO_ENTRY; i = k->entries[i].next) {
		touch_map(mm, cpu, (unsigned)i, MM_READ);
		if (k->entries[i].page == page)
			break;
	}
	return i;
}

static void hash_entry(struct mm *mm, int cpu, unsigned entry, struct page *page)
{
	struct mm_kmap *k = mm->kmap;
	unsigned hash = hash_of(mm, page);
	int *last = &k->chains[hash];

	while (*last != NO_ENTRY)
		last = &k->entries[*last].next;
	*last = (int)entry;
	k->entries[entry].page = page;
	k->entries[entry].next = NO_ENTRY;
	touch_hash(mm, cpu, hash);
	touch_map(mm, cpu, entry, MM_WRITE);
}

static void unhash_entry(struct mm *mm, int cpu, unsigned entry)
{
	struct mm_kmap *k = mm->kmap;
	unsigned hash = hash_of(mm, k->entries[entry].page);
	int *at = &k->chains[hash];

	while (*at != (int)entry)
		at = &k->entries[*at].next;
	*at = k->entries[entry].next;
	k->entries[entry].page = NULL;
	touch_hash(mm, cpu, hash);
	touch_map(mm, cpu, entry, MM_WRITE);
}

uint64_t mm_page_address_of(struct mm *mm, int cpu, const struct page *page)
{
	int entry;

	if (!look_whether_high(mm, cpu, page))
		return mm_lowmem_address(mm, cpu, page);
	entry = find_entry(mm, cpu, page);
	return entry == NO_ENTRY ? 0 : entry_address(mm, (unsigned)entry);
}

/* flush_all_zero_pkmaps(): what nobody uses any more has no entry from here on. Under the lock. */
static void flush_unused(struct mm *mm, int cpu)
{
	struct mm_kmap *k = mm->kmap;
	uint64_t flushed = 0;

	for (unsigned i = 0; i < k->nr_entries; i++) {
		mm_work(mm, cpu, MM_SITE_KMAP_SCAN, 1);
		touch_count(mm, cpu, i, MM_READ);
		if (k->entries[i].count != 1)
			continue;
		k->entries[i].count = 0;
		touch_count(mm, cpu, i, MM_WRITE);
		write_pte(mm, cpu, i);
		unhash_entry(mm, cpu, i);
		flushed++;
	}
	if (!flushed)
		return;
	k->info.flushes++;
	k->info.flushed += flushed;
	mm_flush_kernel(mm, cpu, entry_address(mm, 0), entry_address(mm, k->nr_entries));
}

/* The next free entry, once round; NO_ENTRY. Under the lock. */
static int search(struct mm *mm, int cpu)
{
	struct mm_kmap *k = mm->kmap;

	for (unsigned left = k->nr_entries; left; left--) {
		k->last = (k->last + 1) & (k->nr_entries - 1);
		if (k->last == 0) {
			flush_unused(mm, cpu);
			left = k->nr_entries;
		}
		mm_work(mm, cpu, MM_SITE_KMAP_SCAN, 1);
		touch_count(mm, cpu, k->last, MM_READ);
		if (!k->entries[k->last].count)
			return (int)k->last;
	}
	return NO_ENTRY;
}

/* Until somebody unmaps. The lock is left meanwhile. Returns 0 or -EDEADLK. */
static int wait_for_entry(struct mm *mm, int cpu)
{
	struct mm_kmap *k = mm->kmap;
	int err = -EDEADLK;

	k->info.waits++;
	k->wait.nr_waiting++;
	mm_leave_lock(mm, cpu, &k->lock);
	if (mm->ops.wait)
		err = mm->ops.wait(mm->ctx, cpu, &k->wait);
	mm_take_lock(mm, cpu, &k->lock);
	k->wait.nr_waiting--;
	return err;
}

/* map_new_virtual(): while it waited somebody else may have mapped the page. Under the lock. */
static int map_new(struct mm *mm, int cpu, struct page *page)
{
	struct mm_kmap *k = mm->kmap;
	int entry = NO_ENTRY;

	while ((entry = search(mm, cpu)) == NO_ENTRY) {
		if (wait_for_entry(mm, cpu))
			return NO_ENTRY;
		entry = find_entry(mm, cpu, page);
		if (entry != NO_ENTRY)
			return entry;
	}
	mm_page_to_pfn(mm, cpu, page);
	k->entries[entry].count = 1;
	touch_count(mm, cpu, (unsigned)entry, MM_WRITE);
	write_pte(mm, cpu, (unsigned)entry);
	hash_entry(mm, cpu, (unsigned)entry, page);
	return entry;
}

static int kmap_high(struct mm *mm, int cpu, struct page *page, uint64_t *address)
{
	struct mm_kmap *k = mm->kmap;
	int entry;

	mm_work(mm, cpu, MM_SITE_KMAP, 1);
	mm_take_lock(mm, cpu, &k->lock);
	entry = find_entry(mm, cpu, page);
	if (entry == NO_ENTRY)
		entry = map_new(mm, cpu, page);
	else
		k->info.hits++;
	if (entry != NO_ENTRY) {
		k->entries[entry].count++;
		k->info.kmaps++;
		touch_count(mm, cpu, (unsigned)entry, MM_WRITE);
		*address = entry_address(mm, (unsigned)entry);
	}
	mm_leave_lock(mm, cpu, &k->lock);
	if (entry != NO_ENTRY)
		return 0;
	mm_warn(mm,
		"kmap of pfn 0x%" PRIx64 " by CPU %d: all %u entries are in use, and nobody is "
		"left who could unmap one",
		mm_pfn_of(mm, page), cpu, k->nr_entries);
	return -EDEADLK;
}

int mm_kmap(struct mm *mm, int cpu, struct page *page, bool atomic, uint64_t *address)
{
	if (atomic) {
		mm_warn(mm,
			"kmap of pfn 0x%" PRIx64 " by CPU %d: it may sleep, but was called in "
			"atomic context",
			mm_pfn_of(mm, page), cpu);
		return -EPERM;
	}
	if (look_whether_high(mm, cpu, page))
		return kmap_high(mm, cpu, page, address);
	mm->kmap->info.lowmem++;
	*address = mm_lowmem_address(mm, cpu, page);
	return 0;
}

static int kunmap_high(struct mm *mm, int cpu, struct page *page)
{
	struct mm_kmap *k = mm->kmap;
	bool wake = false, mapped;
	int entry;

	mm_work(mm, cpu, MM_SITE_KMAP, 1);
	mm_take_lock(mm, cpu, &k->lock);
	entry = find_entry(mm, cpu, page);
	mapped = entry != NO_ENTRY && k->entries[entry].count > 1;
	if (mapped) {
		k->entries[entry].count--;
		k->info.kunmaps++;
		touch_count(mm, cpu, (unsigned)entry, MM_WRITE);
		wake = k->entries[entry].count == 1 && k->wait.nr_waiting;
	}
	mm_leave_lock(mm, cpu, &k->lock);
	if (wake) {
		k->wait.nr_wakes++;
		if (mm->ops.wake_all)
			mm->ops.wake_all(mm->ctx, cpu, &k->wait);
	}
	if (mapped)
		return 0;
	mm_warn(mm, "kunmap of pfn 0x%" PRIx64 " by CPU %d: it is not mapped", mm_pfn_of(mm, page),
		cpu);
	return -EINVAL;
}

int mm_kunmap(struct mm *mm, int cpu, struct page *page)
{
	return look_whether_high(mm, cpu, page) ? kunmap_high(mm, cpu, page) : 0;
}

void mm_kmap_info(const struct mm *mm, struct mm_kmap_info *info)
{
	const struct mm_kmap *k = mm->kmap;

	*info = k->info;
	info->entries = k->nr_entries;
	for (unsigned i = 0; i < k->nr_entries; i++) {
		info->mapped += k->entries[i].count > 1;
		info->stale += k->entries[i].count == 1;
	}
}

uint64_t mm_kmap_leaks(struct mm *mm)
{
	struct mm_kmap *k = mm->kmap;
	uint64_t leaks = 0;

	for (unsigned i = 0; i < k->nr_entries; i++) {
		const struct mm_kmap_entry *e = &k->entries[i];

		if (e->count < 2)
			continue;
		leaks += e->count - 1;
		mm_warn(mm, "kmap: pfn 0x%" PRIx64 " is still mapped %u times, at 0x%" PRIx64,
			mm_pfn_of(mm, e->page), e->count - 1, entry_address(mm, i));
	}
	for (int cpu = 0; cpu < mm->nr_cpus; cpu++) {
		leaks += k->local[cpu].nr;
		if (k->local[cpu].nr)
			mm_warn(mm, "kmap_local: CPU %d still has %u pages mapped", cpu,
				k->local[cpu].nr);
	}
	return leaks;
}

/* Where the high memory begins there is a window; a machine may have less memory than that. */
int mm_kmap_init(struct mm *mm)
{
	const struct mm_vm_range *window = &mm->vm_map.pkmap;
	struct mm_kmap *k = calloc(1, sizeof(*k));
	unsigned slots = MM_KMAP_SLOTS * (unsigned)mm->nr_cpus;

	mm->kmap = k;
	if (!k)
		return -ENOMEM;
	k->nr_entries = (unsigned)((window->end - window->start) >> mm->arch->page_shift);
	k->entries = calloc(k->nr_entries + 1, sizeof(*k->entries));
	k->local = calloc((size_t)mm->nr_cpus, sizeof(*k->local));
	if (!k->entries || !k->local)
		return -ENOMEM;
	for (unsigned i = 0; i < 1u << PA_HASH_BITS; i++)
		k->chains[i] = NO_ENTRY;
	if (!k->nr_entries)
		return 0;
	k->lock = (struct mm_lock){
		.kind = MM_LOCK_KMAP, .at = mm_image_home(mm, 64, 64), .holder = MM_NO_CPU};
	k->counts_at = mm_image_home(mm, (uint64_t)k->nr_entries * COUNT_BYTES, 4096);
	k->table_at = mm_image_home(mm, (uint64_t)k->nr_entries * mm->vm_map.entry_bytes, 4096);
	k->hash_at = mm_image_home(mm, HASH_SLOT_BYTES << PA_HASH_BITS, 4096);
	k->maps_at = mm_image_home(mm, (uint64_t)k->nr_entries * MAP_BYTES, 4096);
	k->slots_at = mm_image_home(mm, (uint64_t)slots * mm->vm_map.entry_bytes, 4096);
	return 0;
}

void mm_kmap_destroy(struct mm *mm)
{
	if (!mm->kmap)
		return;
	free(mm->kmap->entries);
	free(mm->kmap->local);
	free(mm->kmap);
}

static int entry_violated(struct mm *mm, unsigned i, char *why, size_t size)
{
	const struct mm_kmap *k = mm->kmap;
	const struct mm_kmap_entry *e = &k->entries[i];
	unsigned seen = 0;

	if (!e->count != !e->page) {
		snprintf(why, size, "kmap: entry %u has count %u and %s page", i, e->count,
			 e->page ? "a" : "no");
		return -EINVAL;
	}
	if (!e->page)
		return 0;
	for (int c = k->chains[hash_of(mm, e->page)]; c != NO_ENTRY; c = k->entries[c].next)
		seen += k->entries[c].page == e->page ? (c == (int)i ? 1 : 2) : 0;
	if (seen == 1)
		return 0;
	snprintf(why, size, "kmap: pfn 0x%" PRIx64 " of entry %u is in the hash %u times",
		 mm_pfn_of(mm, e->page), i, seen);
	return -EINVAL;
}

int mm_kmap_verify(const struct mm *const_mm, char *why, size_t size)
{
	struct mm *mm = (struct mm *)const_mm;
	const struct mm_kmap *k = mm->kmap;
	uint64_t users = 0;
	int err = 0;

	for (unsigned i = 0; i < k->nr_entries && !err; i++) {
		err = entry_violated(mm, i, why, size);
		users += k->entries[i].count ? k->entries[i].count - 1 : 0;
	}
	if (err || users == k->info.kmaps - k->info.kunmaps)
		return err;
	snprintf(why, size,
		 "kmap: %" PRIu64 " mappings in the window, but %" PRIu64 " made and %" PRIu64
		 " undone",
		 users, k->info.kmaps, k->info.kunmaps);
	return -EINVAL;
}
