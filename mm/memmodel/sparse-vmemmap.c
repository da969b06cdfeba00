/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sparse memory with a virtually mapped memmap: descriptors of present sections are mapped at
 * vmemmap + pfn, so conversion is an addition and the section table is not read. What it costs is
 * the page tables of the mapping (huge pages of 2 MiB: one entry a section of 128 MiB).
 */
#include <errno.h>
#include <stdlib.h>

#include "mm/boot/section.h"
#include "mm/internal.h"
#include "mm/vmalloc/vmalloc_state.h"

#define HUGE_MAP_SHIFT 21
#define HUGE_MAP_BYTES (UINT64_C(1) << HUGE_MAP_SHIFT) /* a PMD entry maps it */
#define ENTRIES_SHIFT  9                               /* entries of a page-table page */
#define TABLE_LEVELS   3

/* A page table that came with added memory. */
struct hot_table {
	int level;
	uint64_t number; /* of its level, from 0 */
	struct page *page;
};

/* Those of boot: of a level in the order of their numbers. */
struct boot_table {
	uint64_t number;
	phys_addr_t at;
};

struct boot_tables {
	struct boot_table *tables;
	size_t nr, room;
};

struct vmemmap {
	struct mm_sections sections;
	uint64_t page_table_bytes;
	struct boot_tables boot[TABLE_LEVELS];
	struct hot_table *hot;
	size_t nr_hot, hot_room;
};

/* The section's page tables: at each level one where no section before it had the same. */
struct page_tables {
	struct mm *mm;
	struct vmemmap *v;
	uint64_t last[TABLE_LEVELS]; /* number of the last one of the level, from 0 */
	bool any;
};

static int keep_table(struct boot_tables *b, uint64_t number, phys_addr_t at)
{
	if (b->nr == b->room) {
		struct boot_table *grown = realloc(b->tables, (2 * b->room + 8) * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		b->tables = grown;
		b->room = 2 * b->room + 8;
	}
	b->tables[b->nr++] = (struct boot_table){number, at};
	return 0;
}

static int make_tables(void *arg, pfn_t number, int nid)
{
	struct page_tables *t = arg;
	struct mm *mm = t->mm;
	uint64_t page = UINT64_C(1) << mm->arch->page_shift, reach = HUGE_MAP_BYTES;
	uint64_t at =
		number * (((uint64_t)mm->arch->page_struct_bytes) << t->v->sections.pfn_shift);

	for (int level = 0; level < TABLE_LEVELS; level++) {
		phys_addr_t table;

		reach <<= ENTRIES_SHIFT;
		if (t->any && at / reach == t->last[level])
			continue;
		t->last[level] = at / reach;
		t->v->page_table_bytes += page;
		table = mm_boot_alloc(mm, MM_HOLDS_PAGE_TABLES, page, page, nid);
		if (table == MEMBLOCK_FAILED)
			return -ENOSPC;
		if (keep_table(&t->v->boot[level], at / reach, table))
			return -ENOMEM;
	}
	t->any = true;
	return 0;
}

/*
 * Three levels above the huge mappings, as the reference captures of x86_64 took from memblock,
 * each on the node of the first section that needs it.
 */
static int make_page_tables(struct mm *mm, struct vmemmap *v, struct mm_refusal *refusal)
{
	struct page_tables t = {.mm = mm, .v = v};

	int err = mm_for_each_section(mm, &v->sections, make_tables, &t);

	if (err == -ENOSPC)
		return mm_refuse_room(refusal, "page tables of the vmemmap",
				      UINT64_C(1) << mm->arch->page_shift);
	return err;
}

static int vmemmap_init(struct mm *mm, struct mm_refusal *refusal)
{
	struct vmemmap *v = calloc(1, sizeof(*v));
	int err;

	if (!v)
		return -ENOMEM;
	mm->model_state = v;
	err = mm_sections_init(mm, &v->sections, HUGE_MAP_BYTES, true, refusal);
	mm->descriptors = v->sections.host;
	mm->first_described = v->sections.first << v->sections.pfn_shift;
	return err ? err : make_page_tables(mm, v, refusal);
}

static void vmemmap_destroy(struct mm *mm)
{
	struct vmemmap *v = mm->model_state;

	if (!v)
		return;
	mm_sections_destroy(&v->sections);
	for (int level = 0; level < TABLE_LEVELS; level++)
		free(v->boot[level].tables);
	free(v->hot);
	free(v);
}

static struct page *vmemmap_pfn_to_page(struct mm *mm, int cpu, pfn_t pfn)
{
	const struct vmemmap *v = mm->model_state;

	mm_work(mm, cpu, MM_SITE_PFN_TO_PAGE, 1);
	return v->sections.host + (pfn - (v->sections.first << v->sections.pfn_shift));
}

static pfn_t vmemmap_page_to_pfn(struct mm *mm, int cpu, const struct page *page)
{
	const struct mm_sections *s = &((const struct vmemmap *)mm->model_state)->sections;
	pfn_t pfn = (s->first << s->pfn_shift) + (pfn_t)(page - s->host);

	mm_work(mm, cpu, MM_SITE_PAGE_TO_PFN, 1);
	return pfn;
}

static bool vmemmap_pfn_valid(const struct mm *mm, pfn_t pfn)
{
	const struct vmemmap *v = mm->model_state;

	return mm_section_has(&v->sections, pfn);
}

static phys_addr_t vmemmap_descriptor_at(const struct mm *mm, const struct page *page,
					 uint64_t *address)
{
	const struct mm_sections *s = &((const struct vmemmap *)mm->model_state)->sections;
	pfn_t index = (pfn_t)(page - s->host);
	pfn_t in_section = index & ((UINT64_C(1) << s->pfn_shift) - 1);

	if (address)
		*address = mm->vm_map.vmemmap.start +
			   ((s->first << s->pfn_shift) + index) * mm->arch->page_struct_bytes;
	return mm_section_descriptor_at(mm, &s->sections[index >> s->pfn_shift], in_section);
}

/* Where the table of that level and number is; false: there is none. */
static bool table_at(const struct mm *mm, const struct vmemmap *v, int level, uint64_t number,
		     phys_addr_t *at)
{
	const struct boot_tables *b = &v->boot[level];
	size_t low = 0, high = b->nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (b->tables[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < b->nr && b->tables[low].number == number) {
		*at = b->tables[low].at;
		return true;
	}
	for (size_t i = 0; i < v->nr_hot; i++)
		if (v->hot[i].level == level && v->hot[i].number == number) {
			*at = v->hot[i].page ? mm_page_address((struct mm *)mm, v->hot[i].page) : 0;
			return v->hot[i].page != NULL;
		}
	return false;
}

/*
 * Pages of 2 MiB, or single ones where added memory found no larger ones: their last entry is not
 * known. The uppermost of the three tables is there with five levels only.
 */
static void vmemmap_walk(const struct mm *mm, uint64_t address, struct mm_walk *walk)
{
	const struct vmemmap *v = mm->model_state;
	const struct mm_sections *s = &v->sections;
	uint64_t offset = address - mm->vm_map.vmemmap.start;
	pfn_t pfn = offset / mm->arch->page_struct_bytes;
	const struct mm_hot_section *hot;
	int top = mm->vm_map.va_bits > 48 ? TABLE_LEVELS : TABLE_LEVELS - 1;

	if (!mm_section_has(s, pfn))
		return;
	hot = s->sections[(pfn >> s->pfn_shift) - s->first].hot;
	walk->shift = HUGE_MAP_SHIFT;
	if (hot && hot->pages && hot->nr_pages > 1)
		walk->shift = mm->arch->page_shift + hot->order;
	walk->entries[walk->nr++] = mm_pgtable_top(&mm->vmalloc->tables, address);
	for (int level = top - 1; level >= 0; level--) {
		unsigned shift = HUGE_MAP_SHIFT + (unsigned)level * ENTRIES_SHIFT;
		uint64_t entry = offset >> shift;
		phys_addr_t at;

		if (table_at(mm, v, level, entry >> ENTRIES_SHIFT, &at))
			walk->entries[walk->nr++] = (struct mm_walk_entry){
				at + entry % (1u << ENTRIES_SHIFT) * walk->entry_bytes, shift};
	}
}

static void vmemmap_info(const struct mm *mm, struct mm_model_info *info)
{
	const struct vmemmap *v = mm->model_state;
	const struct mm_sections *s = &v->sections;

	info->memmap_bytes = s->nr_frames * mm->arch->page_struct_bytes;
	info->device_bytes = s->nr_device_frames * mm->arch->page_struct_bytes;
	info->table_bytes = mm_sections_table_bytes(mm, s) + v->page_table_bytes;
}

/* Which table of a level maps the descriptors of the section. */
static uint64_t table_number(const struct mm *mm, const struct vmemmap *v, pfn_t number, int level)
{
	uint64_t at = number * (((uint64_t)mm->arch->page_struct_bytes) << v->sections.pfn_shift);

	return at / (HUGE_MAP_BYTES << (ENTRIES_SHIFT * (level + 1)));
}

/* Is any section present that needs that table? */
static bool is_needed(const struct mm *mm, const struct vmemmap *v, uint64_t table, int level)
{
	const struct mm_sections *s = &v->sections;
	pfn_t reach, first, end;

	reach = (HUGE_MAP_BYTES << (ENTRIES_SHIFT * (level + 1))) /
		(((uint64_t)mm->arch->page_struct_bytes) << s->pfn_shift);
	first = table * reach > s->first ? table * reach : s->first;
	end = (table + 1) * reach < s->first + s->nr ? (table + 1) * reach : s->first + s->nr;
	for (pfn_t n = first; n < end; n++)
		if (s->sections[n - s->first].present)
			return true;
	return false;
}

static int add_table(struct mm *mm, int cpu, struct vmemmap *v, const struct hot_table *table,
		     int nid)
{
	struct mm_request req = {.cpu = cpu, .nid = nid, .gfp = GFP_KERNEL | __GFP_ZERO};
	struct hot_table *grown;

	if (v->nr_hot == v->hot_room) {
		grown = realloc(v->hot, (2 * v->hot_room + 8) * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		v->hot = grown;
		v->hot_room = 2 * v->hot_room + 8;
	}
	v->hot[v->nr_hot] = *table;
	if (mm_alloc_pages(mm, &req, &v->hot[v->nr_hot].page))
		return -ENOMEM;
	v->nr_hot++;
	v->page_table_bytes += UINT64_C(1) << mm->arch->page_shift;
	return 0;
}

static void vmemmap_unmap(struct mm *mm, int cpu, pfn_t number)
{
	struct vmemmap *v = mm->model_state;

	(void)number;
	for (size_t i = 0; i < v->nr_hot; i++) {
		struct hot_table table = v->hot[i];

		if (is_needed(mm, v, table.number, table.level))
			continue;
		v->hot[i--] = v->hot[--v->nr_hot];
		v->page_table_bytes -= UINT64_C(1) << mm->arch->page_shift;
		mm_free_pages(mm, cpu, table.page, 0);
	}
}

static bool has_hot(const struct vmemmap *v, const struct hot_table *table)
{
	for (size_t i = 0; i < v->nr_hot; i++)
		if (v->hot[i].level == table->level && v->hot[i].number == table->number)
			return true;
	return false;
}

static int vmemmap_map(struct mm *mm, int cpu, pfn_t number, int nid)
{
	struct vmemmap *v = mm->model_state;

	for (int level = TABLE_LEVELS - 1; level >= 0; level--) {
		struct hot_table table = {level, table_number(mm, v, number, level), NULL};

		if (is_needed(mm, v, table.number, level) || has_hot(v, &table))
			continue;
		if (add_table(mm, cpu, v, &table, nid)) {
			vmemmap_unmap(mm, cpu, number);
			return -ENOMEM;
		}
	}
	return 0;
}

static struct mm_sections *vmemmap_sections(struct mm *mm)
{
	return &((struct vmemmap *)mm->model_state)->sections;
}

const struct mm_memmodel memmodel_sparse_vmemmap = {
	.name = "sparse-vmemmap",
	.id = MM_SPARSE_VMEMMAP,
	.init = vmemmap_init,
	.destroy = vmemmap_destroy,
	.pfn_to_page = vmemmap_pfn_to_page,
	.page_to_pfn = vmemmap_page_to_pfn,
	.pfn_valid = vmemmap_pfn_valid,
	.descriptor_at = vmemmap_descriptor_at,
	.walk = vmemmap_walk,
	.info = vmemmap_info,
	.sections = vmemmap_sections,
	.map = vmemmap_map,
	.unmap = vmemmap_unmap,
	.devices = true,
};
