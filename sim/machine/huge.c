/* SPDX-License-Identifier: Apache-2.0 */
/* `kernel` of a machine file: the pools of huge pages, and transparent huge pages. */
#include "mm/huge/thp.h"
#include "sim/config/units.h"
#include "sim/machine/read.h"

/* As many as the kernel can count in its sysctl. */
#define MOST_HUGEPAGES INT32_MAX

/* A number for all nodes in turn, or a list of numbers by node. */
static void read_pages(struct machine_reader *r, const struct cfg_setting *s,
		       struct mm_hugepages *pool)
{
	unsigned nr = cfg_length(s);
	uint64_t *of;

	if (!nr) {
		cfg_integer(r->cfg, s, 0, MOST_HUGEPAGES, &pool->pages);
		return;
	}
	if (!cfg_list(r->cfg, s))
		return;
	if (nr > MM_MAX_NODES) {
		cfg_error(r->cfg, s, "expected at most %d nodes, found %u", MM_MAX_NODES, nr);
		return;
	}
	of = machine_array(r, nr, sizeof(*of));
	pool->of = of;
	if (!of)
		return;
	for (unsigned i = 0; i < nr; i++)
		cfg_integer(r->cfg, cfg_element(s, i), 0, MOST_HUGEPAGES, &of[i]);
	pool->nr_of = (int)nr;
}

/* One that the architecture has. */
static void read_size(struct machine_reader *r, const struct cfg_setting *s, uint64_t *bytes)
{
	const struct mm_arch *arch = mm_arch(r->m->mm.arch);
	uint64_t small = UINT64_C(1) << (arch->page_shift + arch->pageblock_order);
	uint64_t large = UINT64_C(1) << (arch->page_shift + arch->gigantic_order), size;

	if (!cfg_size(r->cfg, s, &size))
		return;
	*bytes = size;
	if (size == small || (arch->gigantic_order && size == large))
		return;
	if (arch->gigantic_order)
		cfg_error(r->cfg, s, "expected a size of huge pages of %s, %s or %s, found %s",
			  arch->name, units_size(small).text, units_size(large).text,
			  units_size(size).text);
	else
		cfg_error(r->cfg, s, "expected the size of huge pages of %s, %s, found %s",
			  arch->name, units_size(small).text, units_size(size).text);
}

static uint64_t default_bytes(const struct machine *m)
{
	const struct mm_arch *arch = mm_arch(m->mm.arch);

	return m->mm.params.huge_bytes ? m->mm.params.huge_bytes
				       : UINT64_C(1) << (arch->page_shift + arch->pageblock_order);
}

static void read_group(struct machine_reader *r, const struct cfg_setting *s, unsigned i)
{
	static const char *const keys[] = {"size", "pages", NULL};
	const struct cfg_setting *size = cfg_need(r->cfg, s, "size");
	struct mm_hugepages *pool = &r->m->hugepages[i];

	cfg_keys(r->cfg, s, keys);
	read_size(r, size, &pool->bytes);
	read_pages(r, cfg_need(r->cfg, s, "pages"), pool);
	for (unsigned j = 0; j < i && pool->bytes; j++)
		if (r->m->hugepages[j].bytes == pool->bytes)
			cfg_error(r->cfg, size, "there is a pool of %s already",
				  units_size(pool->bytes).text);
}

/* Of the default size, or a list of groups, one a size. */
static void read_pools(struct machine_reader *r, const struct cfg_setting *s)
{
	bool groups = cfg_is_group(cfg_element(s, 0));
	unsigned nr = groups ? cfg_length(s) : 1;

	if (!s)
		return;
	r->m->hugepages = machine_array(r, nr, sizeof(*r->m->hugepages));
	if (!r->m->hugepages)
		return;
	r->m->mm.hugepages = r->m->hugepages;
	r->m->mm.nr_hugepages = nr;
	if (!groups) {
		r->m->hugepages[0].bytes = default_bytes(r->m);
		read_pages(r, s, &r->m->hugepages[0]);
		return;
	}
	for (unsigned i = 0; i < nr; i++)
		if (cfg_group(r->cfg, cfg_element(s, i)))
			read_group(r, cfg_element(s, i), i);
}

/* As the files of /sys/kernel/mm/transparent_hugepage/khugepaged. */
static void read_khugepaged(struct machine_reader *r, const struct cfg_setting *s)
{
	static const char *const keys[] = {"pages_to_scan",
					   "scan_sleep_millisecs",
					   "alloc_sleep_millisecs",
					   "max_ptes_none",
					   "max_ptes_swap",
					   "max_ptes_shared",
					   "defrag",
					   NULL};
	struct mm_khugepaged_params *p = &r->m->mm.params.khugepaged;
	uint64_t most = 511; /* HPAGE_PMD_NR - 1 */
	struct cfg *c = r->cfg;

	if (!s || !cfg_group(c, s))
		return;
	cfg_keys(c, s, keys);
	cfg_integer(c, cfg_find(c, s, "pages_to_scan"), 1, UINT32_MAX, &p->pages_to_scan);
	cfg_integer(c, cfg_find(c, s, "scan_sleep_millisecs"), 1, UINT32_MAX, &p->scan_sleep_ms);
	cfg_integer(c, cfg_find(c, s, "alloc_sleep_millisecs"), 1, UINT32_MAX, &p->alloc_sleep_ms);
	cfg_integer(c, cfg_find(c, s, "max_ptes_none"), 0, most, &p->max_ptes_none);
	cfg_integer(c, cfg_find(c, s, "max_ptes_swap"), 0, most, &p->max_ptes_swap);
	cfg_integer(c, cfg_find(c, s, "max_ptes_shared"), 0, most, &p->max_ptes_shared);
	cfg_bool(c, cfg_find(c, s, "defrag"), &p->defrag);
}

void machine_read_huge(struct machine_reader *r, const struct cfg_setting *kernel)
{
	const char *modes[MM_NR_THP_MODES + 1] = {NULL}, *defrags[MM_NR_THP_DEFRAGS + 1] = {NULL};
	struct mm_params *params = &r->m->mm.params;
	unsigned choice;

	for (unsigned i = 0; i < MM_NR_THP_MODES; i++)
		modes[i] = mm_thp_mode_name(i);
	for (unsigned i = 0; i < MM_NR_THP_DEFRAGS; i++)
		defrags[i] = mm_thp_defrag_name(i);
	if (cfg_choice(r->cfg, cfg_find(r->cfg, kernel, "transparent_hugepage"), "setting", modes,
		       &choice))
		params->thp = (enum mm_thp_mode)choice;
	if (cfg_choice(r->cfg, cfg_find(r->cfg, kernel, "transparent_hugepage_defrag"), "setting",
		       defrags, &choice))
		params->thp_defrag = (enum mm_thp_defrag)choice;
	read_khugepaged(r, cfg_find(r->cfg, kernel, "khugepaged"));
	if (cfg_find(r->cfg, kernel, "default_hugepagesz"))
		read_size(r, cfg_find(r->cfg, kernel, "default_hugepagesz"), &params->huge_bytes);
	read_pools(r, cfg_find(r->cfg, kernel, "hugepages"));
}
