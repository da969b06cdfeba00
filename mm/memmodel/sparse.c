/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sparse memory, classic: a map a section. pfn_to_page reads the section's entry; page_to_pfn
 * takes the section number from page->flags and reads the entry too.
 */
#include <errno.h>
#include <stdlib.h>

#include "mm/boot/section.h"
#include "mm/internal.h"

static int sparse_init(struct mm *mm, struct mm_refusal *refusal)
{
	struct mm_sections *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	mm->model_state = s;
	return mm_sections_init(mm, s, UINT64_C(1) << mm->arch->page_shift, false, refusal);
}

static void sparse_destroy(struct mm *mm)
{
	struct mm_sections *s = mm->model_state;

	if (s)
		mm_sections_destroy(s);
	free(s);
}

static struct page *sparse_pfn_to_page(struct mm *mm, int cpu, pfn_t pfn)
{
	const struct mm_sections *s = mm->model_state;
	pfn_t number = pfn >> s->pfn_shift;

	mm_work(mm, cpu, MM_SITE_PFN_TO_PAGE, 1);
	if (cpu != MM_NO_CPU)
		mm_section_touch(mm, cpu, s, number);
	return s->sections[number - s->first].map + (pfn - (number << s->pfn_shift));
}

/*
 * The kernel reads the section number from page->flags. Here an untouched descriptor has none yet,
 * so it comes from where the descriptor lies; verify.c checks that the two agree.
 */
static pfn_t section_of(const struct mm_sections *s, const struct page *page)
{
	return s->number_of_slot[(pfn_t)(page - s->host) >> s->pfn_shift];
}

static pfn_t sparse_page_to_pfn(struct mm *mm, int cpu, const struct page *page)
{
	const struct mm_sections *s = mm->model_state;
	pfn_t number = section_of(s, page);

	mm_work(mm, cpu, MM_SITE_PAGE_TO_PFN, 1);
	if (cpu != MM_NO_CPU)
		mm_section_touch(mm, cpu, s, number);
	return (number << s->pfn_shift) + (pfn_t)(page - s->sections[number - s->first].map);
}

static bool sparse_pfn_valid(const struct mm *mm, pfn_t pfn)
{
	const struct mm_sections *s = mm->model_state;

	return mm_section_has(s, pfn);
}

static phys_addr_t sparse_descriptor_at(const struct mm *mm, const struct page *page,
					uint64_t *address)
{
	const struct mm_sections *s = mm->model_state;
	const struct mm_section *section = &s->sections[section_of(s, page) - s->first];

	if (address)
		*address = 0;
	return mm_section_descriptor_at(mm, section, (pfn_t)(page - section->map));
}

static void sparse_info(const struct mm *mm, struct mm_model_info *info)
{
	const struct mm_sections *s = mm->model_state;

	info->memmap_bytes = s->nr_frames * mm->arch->page_struct_bytes;
	info->table_bytes = mm_sections_table_bytes(mm, s);
}

static struct mm_sections *sparse_sections(struct mm *mm)
{
	return mm->model_state;
}

const struct mm_memmodel memmodel_sparse = {
	.name = "sparse",
	.id = MM_SPARSE,
	.section_in_flags = true,
	.init = sparse_init,
	.destroy = sparse_destroy,
	.pfn_to_page = sparse_pfn_to_page,
	.page_to_pfn = sparse_page_to_pfn,
	.pfn_valid = sparse_pfn_valid,
	.descriptor_at = sparse_descriptor_at,
	.info = sparse_info,
	.sections = sparse_sections,
};
