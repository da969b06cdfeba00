/* SPDX-License-Identifier: Apache-2.0 */
/* `kernel` of a machine file: the pool of huge pages, and transparent huge pages. */
#include "mm/huge/thp.h"
#include "sim/machine/read.h"

/* As many as the kernel can count in its sysctl. */
#define MOST_HUGEPAGES INT32_MAX

/* A number for all nodes in turn, or a list of numbers by node. */
static void read_pool(struct machine_reader *r, const struct cfg_setting *s)
{
	unsigned nr = cfg_length(s);

	if (!nr) {
		cfg_integer(r->cfg, s, 0, MOST_HUGEPAGES, &r->m->mm.params.hugepages);
		return;
	}
	if (!cfg_list(r->cfg, s))
		return;
	if (nr > MM_MAX_NODES) {
		cfg_error(r->cfg, s, "expected at most %d nodes, found %u", MM_MAX_NODES, nr);
		return;
	}
	r->m->hugepages_of = machine_array(r, nr, sizeof(*r->m->hugepages_of));
	if (!r->m->hugepages_of)
		return;
	for (unsigned i = 0; i < nr; i++)
		cfg_integer(r->cfg, cfg_element(s, i), 0, MOST_HUGEPAGES, &r->m->hugepages_of[i]);
	r->m->mm.hugepages_of = r->m->hugepages_of;
	r->m->mm.nr_hugepages_of = (int)nr;
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
	read_pool(r, cfg_find(r->cfg, kernel, "hugepages"));
}
