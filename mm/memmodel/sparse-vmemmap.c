/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sparse memory with a virtually mapped memmap: descriptors of present sections are mapped at
 * vmemmap + pfn, so conversion is an addition and the section table is not read. What it costs is
 * the page tables of the mapping (huge pages of 2 MiB: one entry a section of 128 MiB).
 */
#include <errno.h>
#include <stdlib.h>

#include "mm/internal.h"
#include "mm/section.h"

#define HUGE_MAP_BYTES (UINT64_C(2) << 20) /* a PMD entry maps it */
#define ENTRIES_SHIFT  9                   /* entries of a page-table page */
#define TABLE_LEVELS   3

struct vmemmap {
	struct mm_sections sections;
	uint64_t page_table_bytes;
};

/* The section's page tables: at each level one where no section before it had the same. */
struct page_tables {
	struct mm *mm;
	struct vmemmap *v;
	uint64_t last[TABLE_LEVELS]; /* number of the last one of the level, from 0 */
	bool any;
};

static int make_tables(void *arg, pfn_t number, int nid)
{
	struct page_tables *t = arg;
	struct mm *mm = t->mm;
	uint64_t page = UINT64_C(1) << mm->arch->page_shift, reach = HUGE_MAP_BYTES;
	uint64_t at =
		number * (((uint64_t)mm->arch->page_struct_bytes) << t->v->sections.pfn_shift);

	for (int level = 0; level < TABLE_LEVELS; level++) {
		reach <<= ENTRIES_SHIFT;
		if (t->any && at / reach == t->last[level])
			continue;
		t->last[level] = at / reach;
		t->v->page_table_bytes += page;
		if (mm_boot_alloc(mm, MM_HOLDS_PAGE_TABLES, page, page, nid) == MEMBLOCK_FAILED)
			return -ENOSPC;
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

	if (mm_for_each_section(mm, &v->sections, make_tables, &t))
		return mm_refuse_room(refusal, "page tables of the vmemmap",
				      UINT64_C(1) << mm->arch->page_shift);
	return 0;
}

static int vmemmap_init(struct mm *mm, struct mm_refusal *refusal)
{
	struct vmemmap *v = calloc(1, sizeof(*v));
	int err;

	if (!v)
		return -ENOMEM;
	mm->model_state = v;
	err = mm_sections_init(mm, &v->sections, HUGE_MAP_BYTES, true, refusal);
	return err ? err : make_page_tables(mm, v, refusal);
}

static void vmemmap_destroy(struct mm *mm)
{
	struct vmemmap *v = mm->model_state;

	if (v)
		mm_sections_destroy(&v->sections);
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
	const struct vmemmap *v = mm->model_state;

	mm_work(mm, cpu, MM_SITE_PAGE_TO_PFN, 1);
	return (v->sections.first << v->sections.pfn_shift) + (pfn_t)(page - v->sections.host);
}

static bool vmemmap_pfn_valid(const struct mm *mm, pfn_t pfn)
{
	const struct vmemmap *v = mm->model_state;

	return mm_section_present(&v->sections, pfn >> v->sections.pfn_shift);
}

static phys_addr_t vmemmap_descriptor_at(const struct mm *mm, const struct page *page)
{
	const struct mm_sections *s = &((const struct vmemmap *)mm->model_state)->sections;
	pfn_t index = (pfn_t)(page - s->host);
	pfn_t in_section = index & ((UINT64_C(1) << s->pfn_shift) - 1);

	return s->sections[index >> s->pfn_shift].at + in_section * mm->arch->page_struct_bytes;
}

static void vmemmap_info(const struct mm *mm, struct mm_model_info *info)
{
	const struct vmemmap *v = mm->model_state;
	const struct mm_sections *s = &v->sections;

	info->memmap_bytes = (s->nr_present << s->pfn_shift) * mm->arch->page_struct_bytes;
	info->table_bytes = mm_sections_table_bytes(mm, s) + v->page_table_bytes;
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
	.info = vmemmap_info,
};
