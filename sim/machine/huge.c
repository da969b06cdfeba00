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
	read_pool(r, cfg_find(r->cfg, kernel, "hugepages"));
}
