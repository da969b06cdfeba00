/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Page tables of the kernel: a tree of tables, walked from the top. An entry that maps a huge page
 * stands where a table could. Follows Linux 6.1 mm/vmalloc.c (vmap_range_noflush,
 * vmap_small_pages_range_noflush, vunmap_range_noflush).
 */
#include "mm/vmalloc/pgtable.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "mm/internal.h"

struct mm_entry {
	struct mm_table *table; /* the next level; NULL: none */
	struct page *page;      /* mapped here; NULL: none */
};

struct mm_table {
	phys_addr_t at;
	struct page *page; /* NULL: of the kernel's image */
	unsigned shift;    /* log2 of what an entry maps */
	unsigned nr;       /* entries */
	struct mm_entry entries[];
};

static unsigned page_shift(const struct mm *mm)
{
	return mm->arch->page_shift;
}

static struct mm_table *new_table(unsigned shift, unsigned nr)
{
	struct mm_table *table = calloc(1, sizeof(*table) + nr * sizeof(table->entries[0]));

	if (table) {
		table->shift = shift;
		table->nr = nr;
	}
	return table;
}

int mm_pgtable_init(struct mm *mm, struct mm_pgtable *t)
{
	const struct mm_vm_map *map = &mm->vm_map;
	unsigned nr = 1u << (map->va_bits - map->root_shift);

	t->map = map;
	t->root = new_table(map->root_shift, nr);
	if (!t->root)
		return -ENOMEM;
	t->root->at =
		mm_image_home(mm, (uint64_t)nr * map->entry_bytes, UINT64_C(1) << page_shift(mm));
	t->lock = (struct mm_lock){
		.kind = MM_LOCK_PAGE_TABLE, .at = mm_image_home(mm, 64, 64), .holder = MM_NO_CPU};
	return 0;
}

static void free_table(struct mm_table *table)
{
	for (unsigned i = 0; table && i < table->nr; i++)
		if (table->entries[i].table)
			free_table(table->entries[i].table);
	free(table);
}

void mm_pgtable_clear(struct mm_pgtable *t)
{
	free_table(t->root);
}

static unsigned index_of(const struct mm_table *table, uint64_t address)
{
	return (unsigned)(address >> table->shift) & (table->nr - 1);
}

static void touch_entry(struct mm *mm, int cpu, const struct mm_pgtable *t,
			const struct mm_table *table, uint64_t address, enum mm_access how)
{
	mm_touch(mm, cpu, table->at + (uint64_t)index_of(table, address) * t->map->entry_bytes,
		 t->map->entry_bytes, how);
}

/* A zeroed page; then whoever comes first has it be the table. */
static int add_table(struct mm *mm, int cpu, struct mm_pgtable *t, struct mm_table *above,
		     uint64_t address)
{
	const struct mm_request req = {
		.cpu = cpu, .nid = MM_NO_NODE, .gfp = GFP_KERNEL | __GFP_ZERO};
	struct mm_entry *entry = &above->entries[index_of(above, address)];
	unsigned nr = 1u << t->map->table_shift;
	struct mm_table *table = new_table(above->shift - t->map->table_shift, nr);
	int err = table ? mm_alloc_pages(mm, &req, &table->page) : -ENOMEM;

	if (err) {
		free(table);
		return err;
	}
	table->at = mm_page_address(mm, table->page);
	mm_take_lock(mm, cpu, &t->lock);
	if (!entry->table) {
		entry->table = table;
		t->nr_tables++;
		touch_entry(mm, cpu, t, above, address, MM_WRITE);
		mm_work(mm, cpu, MM_SITE_PTE, 1);
		table = NULL;
	}
	mm_leave_lock(mm, cpu, &t->lock);
	if (table) {
		mm_free_pages(mm, cpu, table->page, 0);
		free(table);
	}
	return 0;
}

/* The table whose entries map 2^shift bytes, made where it is missing. */
static int find_table(struct mm *mm, int cpu, struct mm_pgtable *t, uint64_t address,
		      unsigned shift, struct mm_table **out)
{
	struct mm_table *table = t->root;

	while (table->shift > shift) {
		const struct mm_entry *entry = &table->entries[index_of(table, address)];
		int err;

		mm_work(mm, cpu, MM_SITE_PTE_WALK, 1);
		touch_entry(mm, cpu, t, table, address, MM_READ);
		if (entry->page)
			return -EBUSY;
		err = entry->table ? 0 : add_table(mm, cpu, t, table, address);
		if (err)
			return err;
		table = entry->table;
	}
	*out = table;
	return 0;
}

/* A huge page where tables of single pages were: these are empty, and go. */
static int drop_table(struct mm *mm, int cpu, struct mm_pgtable *t, struct mm_entry *entry,
		      uint64_t address)
{
	struct mm_table *table = entry->table;

	for (unsigned i = 0; table && i < table->nr; i++)
		if (table->entries[i].page || table->entries[i].table)
			return -EBUSY;
	if (!table)
		return 0;
	entry->table = NULL;
	t->nr_tables--;
	mm_flush_kernel(mm, cpu, address, address + (UINT64_C(1) << page_shift(mm)));
	mm_free_pages(mm, cpu, table->page, 0);
	free(table);
	return 0;
}

int mm_pgtable_map(struct mm *mm, int cpu, struct mm_pgtable *t, uint64_t address,
		   struct page *const *pages, uint64_t nr, unsigned order)
{
	unsigned shift = page_shift(mm) + order;
	struct mm_table *table = NULL;

	for (uint64_t i = 0; i < nr; i++, address += UINT64_C(1) << shift) {
		struct mm_entry *entry;
		int err = 0;

		if (!table || index_of(table, address) == 0)
			err = find_table(mm, cpu, t, address, shift, &table);
		if (err)
			return err;
		entry = &table->entries[index_of(table, address)];
		if (entry->page || (entry->table && drop_table(mm, cpu, t, entry, address)))
			return -EBUSY;
		entry->page = pages[i << order];
		*(order ? &t->nr_huge : &t->nr_small) += 1;
		/* The entry holds a frame number. */
		mm_page_to_pfn(mm, cpu, entry->page);
		mm_work(mm, cpu, MM_SITE_PTE, 1);
		touch_entry(mm, cpu, t, table, address, MM_WRITE);
	}
	return 0;
}

uint64_t mm_pgtable_unmap(struct mm *mm, int cpu, struct mm_pgtable *t, uint64_t start,
			  uint64_t end)
{
	uint64_t cleared = 0, at = start;

	while (at < end) {
		struct mm_table *table = t->root;
		struct mm_entry *entry = &table->entries[index_of(table, at)];
		bool first = at == start;

		while (entry->table) {
			/* The upper levels are gone down again where a table ends. */
			first |= !(at & ((UINT64_C(1) << table->shift) - 1));
			if (first) {
				mm_work(mm, cpu, MM_SITE_PTE_WALK, 1);
				touch_entry(mm, cpu, t, table, at, MM_READ);
			}
			table = entry->table;
			entry = &table->entries[index_of(table, at)];
		}
		if (entry->page) {
			*(table->shift > page_shift(mm) ? &t->nr_huge : &t->nr_small) -= 1;
			entry->page = NULL;
			cleared++;
			mm_work(mm, cpu, MM_SITE_PTE, 1);
			touch_entry(mm, cpu, t, table, at, MM_WRITE);
		}
		at = (at & ~((UINT64_C(1) << table->shift) - 1)) + (UINT64_C(1) << table->shift);
		if (!at)
			break;
	}
	return cleared;
}

struct page *mm_pgtable_walk(struct mm *mm, int cpu, const struct mm_pgtable *t, uint64_t address,
			     unsigned *order)
{
	const struct mm_table *table = t->root;

	for (;;) {
		const struct mm_entry *entry = &table->entries[index_of(table, address)];

		mm_work(mm, cpu, MM_SITE_PTE_WALK, 1);
		touch_entry(mm, cpu, t, table, address, MM_READ);
		if (entry->page || !entry->table) {
			*order = table->shift - page_shift(mm);
			return entry->page;
		}
		table = entry->table;
	}
}

static struct mm_walk_entry entry_of(const struct mm_pgtable *t, const struct mm_table *table,
				     uint64_t address)
{
	return (struct mm_walk_entry){
		table->at + (uint64_t)index_of(table, address) * t->map->entry_bytes, table->shift};
}

struct mm_walk_entry mm_pgtable_top(const struct mm_pgtable *t, uint64_t address)
{
	return entry_of(t, t->root, address);
}

void mm_pgtable_path(const struct mm_pgtable *t, uint64_t address, struct mm_walk *walk)
{
	for (const struct mm_table *table = t->root; table;) {
		const struct mm_entry *entry = &table->entries[index_of(table, address)];

		walk->entries[walk->nr++] = entry_of(t, table, address);
		if (entry->page)
			walk->shift = table->shift;
		table = entry->page ? NULL : entry->table;
	}
}

/* Tables below this one, and entries that map. */
static bool count(struct mm *mm, const struct mm_table *table, struct mm_pgtable *sum, char *why,
		  size_t size)
{
	for (unsigned i = 0; i < table->nr; i++) {
		const struct mm_entry *entry = &table->entries[i];

		if (entry->page && entry->table) {
			snprintf(why, size,
				 "page table at 0x%" PRIx64 ": entry %u maps a page and "
				 "is a table",
				 table->at, i);
			return false;
		}
		if (entry->page)
			*(table->shift > page_shift(mm) ? &sum->nr_huge : &sum->nr_small) += 1;
		if (!entry->table)
			continue;
		sum->nr_tables++;
		if (entry->table->page->refcount < 1) {
			snprintf(why, size, "page table at 0x%" PRIx64 ": its page is free",
				 entry->table->at);
			return false;
		}
		if (!count(mm, entry->table, sum, why, size))
			return false;
	}
	return true;
}

bool mm_pgtable_holds(struct mm *mm, const struct mm_pgtable *t, char *why, size_t size)
{
	struct mm_pgtable sum = {0};

	if (!count(mm, t->root, &sum, why, size))
		return false;
	if (sum.nr_tables == t->nr_tables && sum.nr_small == t->nr_small &&
	    sum.nr_huge == t->nr_huge)
		return true;
	snprintf(why, size,
		 "kernel page tables: %" PRIu64 " tables, %" PRIu64 " and %" PRIu64
		 " entries, counted %" PRIu64 ", %" PRIu64 " and %" PRIu64,
		 sum.nr_tables, sum.nr_small, sum.nr_huge, t->nr_tables, t->nr_small, t->nr_huge);
	return false;
}
