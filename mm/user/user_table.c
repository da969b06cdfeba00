/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Page tables of users: each is a page of its own, taken by the task's policy and charged like any
 * other. A level that the hardware walks is read at its address on the way down; how often the
 * hardware itself walks is the TLB's business. Follows Linux 6.1 mm/memory.c (__pmd_alloc and its
 * like), mm/huge_memory.c (__split_huge_pmd_locked).
 *
 * mmap_lock is on the line of the topmost table's descriptor, a table's lock on its own
 * descriptor's: they are written there, and never waited for, as no time passes in what they guard.
 */
#include <stdlib.h>

#include "mm/reclaim/lru_lists.h"
#include "mm/user/user_state.h"
#include "mm/zone_count.h"

static void count_table(struct mm *mm, int cpu, const struct mm_utable *t, int64_t nr)
{
	if (t->counted)
		mm_mod_node_stat(mm, cpu, mm_page_node(mm, t->page), MM_NS_PAGETABLE, nr);
}

static struct mm_utable *allocate(struct mm *mm, int cpu, struct mm_space *space, unsigned shift,
				  unsigned nr)
{
	const struct mm_request req = {.cpu = cpu, .nid = MM_NO_NODE, .gfp = MM_PAGE_TABLE_GFP};
	const struct mm_policy_use use = {.policy = &space->policy, .turn = space->turn++};
	struct mm_utable *t = calloc(1, sizeof(*t) + nr * sizeof(t->entries[0]));

	if (!t || mm_alloc_pages_policy(mm, &req, &use, &t->page)) {
		free(t);
		return NULL;
	}
	t->at = mm_page_address(mm, t->page);
	t->shift = shift;
	t->nr = nr;
	t->counted = shift <= mm_huge_shift(mm) && shift < mm->vm_map.root_shift;
	space->nr_tables++;
	count_table(mm, cpu, t, 1);
	return t;
}

struct mm_utable *mm_utable_new(struct mm *mm, int cpu, struct mm_space *space, unsigned shift)
{
	return allocate(mm, cpu, space, shift, 1u << mm->vm_map.table_shift);
}

void mm_utable_free(struct mm *mm, int cpu, struct mm_space *space, struct mm_utable *table)
{
	space->nr_tables--;
	count_table(mm, cpu, table, -1);
	mm_free_pages(mm, cpu, table->page, 0);
	free(table);
}

int mm_user_root(struct mm *mm, int cpu, struct mm_space *space)
{
	const struct mm_vm_map *map = &mm->vm_map;

	space->root =
		allocate(mm, cpu, space, map->root_shift, 1u << (map->va_bits - map->root_shift));
	if (!space->root)
		return -1;
	return mm_upage_add(mm, space->root->page, UP_ROOT, space, 0);
}

static unsigned index_of(const struct mm_utable *table, uint64_t address)
{
	return (unsigned)(address >> table->shift) & (table->nr - 1);
}

static phys_addr_t entry_at(const struct mm *mm, const struct mm_utable *t, const uint64_t *entry)
{
	return t->at + (uint64_t)(entry - t->entries) * mm->vm_map.entry_bytes;
}

void mm_user_set(struct mm *mm, int cpu, struct mm_utable *table, uint64_t *entry, uint64_t value)
{
	table->used += (value != E_NONE) - (*entry != E_NONE);
	*entry = value;
	mm_work(mm, cpu, MM_SITE_PTE, 1);
	mm_touch(mm, cpu, entry_at(mm, table, entry), mm->vm_map.entry_bytes, MM_WRITE);
}

/* Another thread may have made it while we looked for a page. */
static struct mm_utable *add_table(struct mm *mm, int cpu, struct mm_space *space,
				   struct mm_utable *above, uint64_t *entry)
{
	struct mm_utable *t = mm_utable_new(mm, cpu, space, above->shift - mm->vm_map.table_shift);

	if (!t)
		return NULL;
	if (e_kind(*entry) != E_NONE) {
		mm_utable_free(mm, cpu, space, t);
		return e_kind(*entry) == E_TABLE ? e_pointer(*entry) : NULL;
	}
	mm_work(mm, cpu, MM_SITE_LOCK, 1);
	mm_touch_page(mm, cpu, above->page, MM_WRITE);
	mm_user_set(mm, cpu, above, entry, e_make(t, E_TABLE));
	return t;
}

struct mm_utable *mm_user_table(struct mm *mm, int cpu, struct mm_space *space, uint64_t address,
				unsigned shift)
{
	struct mm_utable *table = space->root;

	while (table && table->shift > shift) {
		uint64_t *entry = &table->entries[index_of(table, address)];

		mm_work(mm, cpu, MM_SITE_PTE_WALK, 1);
		mm_touch(mm, cpu, entry_at(mm, table, entry), mm->vm_map.entry_bytes, MM_READ);
		table = e_kind(*entry) == E_TABLE ? e_pointer(*entry)
						  : add_table(mm, cpu, space, table, entry);
	}
	return table;
}

uint64_t *mm_user_entry(const struct mm_space *space, uint64_t address, struct mm_utable **table)
{
	struct mm_utable *t = space->root;
	uint64_t *entry = &t->entries[index_of(t, address)];

	while (e_kind(*entry) == E_TABLE) {
		t = e_pointer(*entry);
		entry = &t->entries[index_of(t, address)];
	}
	*table = t;
	return entry;
}

void mm_utable_deposit(struct mm_utable *table, struct mm_utable *leaf)
{
	leaf->next = table->deposit;
	table->deposit = leaf;
}

struct mm_utable *mm_utable_withdraw(struct mm_utable *table)
{
	struct mm_utable *leaf = table->deposit;

	if (leaf)
		table->deposit = leaf->next;
	return leaf;
}

void mm_user_split(struct mm *mm, int cpu, struct mm_utable *table, uint64_t *entry, bool locked)
{
	struct mm_utable *leaf = mm_utable_withdraw(table);
	struct page *head = e_pointer(*entry);
	struct mm_upage *up = mm_upage(mm, head);
	uint64_t flags = *entry & E_FLAGS;

	for (unsigned i = 0; i < leaf->nr; i++)
		leaf->entries[i] = e_make(head + i, flags);
	leaf->used = leaf->nr;
	up->mapcount += leaf->nr - 1;
	if (locked)
		up->locked += leaf->nr - 1;
	mm_work(mm, cpu, MM_SITE_PTE, leaf->nr);
	mm_touch(mm, cpu, leaf->at, mm_user_page_bytes(mm), MM_WRITE);
	mm_touch_page(mm, cpu, head, MM_WRITE);
	mm_user_set(mm, cpu, table, entry, e_make(leaf, E_TABLE));
	mm_count(mm, cpu, MM_VM_THP_SPLIT_PMD, 1);
}

static bool has_range(const struct mm_space *space, uint64_t start, uint64_t last)
{
	for (const struct mm_vma *v = space->vmas; v; v = v->next)
		if (v->start <= last && v->end > start)
			return true;
	return false;
}

static void prune(struct mm *mm, int cpu, struct mm_space *space, struct mm_utable *table,
		  uint64_t base)
{
	for (unsigned i = 0; i < table->nr; i++) {
		uint64_t start = base + ((uint64_t)i << table->shift);
		uint64_t last = start + ((UINT64_C(1) << table->shift) - 1);
		struct mm_utable *below = e_pointer(table->entries[i]);

		if (e_kind(table->entries[i]) != E_TABLE)
			continue;
		if (below->shift > mm_user_shift(mm))
			prune(mm, cpu, space, below, start);
		if (below->used || has_range(space, start, last))
			continue;
		mm_user_set(mm, cpu, table, &table->entries[i], E_NONE);
		mm_utable_free(mm, cpu, space, below);
	}
}

void mm_user_prune(struct mm *mm, int cpu, struct mm_space *space)
{
	prune(mm, cpu, space, space->root, 0);
}

#define FLUSH_CEILING                                                                              \
	33 /* tlb_single_page_flush_ceiling: more than so many pages is everything                 \
	    */

void mm_user_forget(struct mm *mm, int cpu, const struct mm_space *space,
		    const struct mm_utable *table, uint64_t address)
{
	uint64_t bytes = UINT64_C(1) << table->shift, start = address & ~(bytes - 1);

	mm_forget(mm, cpu,
		  &(struct mm_forget){.space = space, .start = start, .end = start + bytes});
}

void mm_user_flush(struct mm *mm, int cpu, const struct mm_space *space, uint64_t start,
		   uint64_t end, uint64_t nr_pages)
{
	bool all = nr_pages > FLUSH_CEILING;

	if (!nr_pages)
		return;
	mm_forget(mm, cpu,
		  &(struct mm_forget){
			  .space = space, .start = all ? 0 : start, .end = all ? UINT64_MAX : end});
	if (cpu == MM_NO_CPU)
		return;
	if (all)
		mm_work(mm, cpu, MM_SITE_TLB_FLUSH_ALL, 1);
	else
		mm_work(mm, cpu, MM_SITE_TLB_FLUSH, (uint32_t)nr_pages);
	if (mm->ops.tlb_shootdown)
		mm->ops.tlb_shootdown(mm->ctx, cpu, space->root->page);
}

void mm_user_walk(const struct mm *mm, const struct mm_space *space, uint64_t address,
		  struct mm_walk *walk)
{
	const struct mm_utable *t = space->root;

	*walk = (struct mm_walk){.entry_bytes = mm->vm_map.entry_bytes};
	while (t) {
		const uint64_t *entry = &t->entries[index_of(t, address)];

		walk->entries[walk->nr++] =
			(struct mm_walk_entry){entry_at(mm, t, entry), t->shift};
		if (e_kind(*entry) == E_PAGE || e_kind(*entry) == E_ZERO)
			walk->shift = t->shift;
		t = e_kind(*entry) == E_TABLE ? e_pointer(*entry) : NULL;
	}
}
