/* SPDX-License-Identifier: Apache-2.0 */
/* The two settings of transparent huge pages, as Linux 6.1 reads them (mm/huge_memory.c). */
#include "mm/huge/thp.h"

#include "mm/gfp.h"
#include "mm/internal.h"
#include "mm/zone_count.h"

const char *mm_thp_mode_name(unsigned mode)
{
	static const char *const names[] = {
		[MM_THP_NEVER] = "never",
		[MM_THP_MADVISE] = "madvise",
		[MM_THP_ALWAYS] = "always",
	};

	return mode < MM_NR_THP_MODES ? names[mode] : NULL;
}

const char *mm_thp_defrag_name(unsigned defrag)
{
	static const char *const names[] = {
		[MM_DEFRAG_NEVER] = "never",
		[MM_DEFRAG_MADVISE] = "madvise",
		[MM_DEFRAG_DEFER_MADVISE] = "defer+madvise",
		[MM_DEFRAG_DEFER] = "defer",
		[MM_DEFRAG_ALWAYS] = "always",
	};

	return defrag < MM_NR_THP_DEFRAGS ? names[defrag] : NULL;
}

bool mm_thp_wanted(const struct mm *mm, bool advised)
{
	return mm->params.thp == MM_THP_ALWAYS || (mm->params.thp == MM_THP_MADVISE && advised);
}

/* vma_thp_gfp_mask() */
gfp_t mm_thp_gfp(const struct mm *mm, bool advised)
{
	switch (mm->params.thp_defrag) {
	case MM_DEFRAG_ALWAYS:
		return GFP_TRANSHUGE | (advised ? 0 : __GFP_NORETRY);
	case MM_DEFRAG_DEFER:
		return GFP_TRANSHUGE_LIGHT | __GFP_KSWAPD_RECLAIM;
	case MM_DEFRAG_DEFER_MADVISE:
		return GFP_TRANSHUGE_LIGHT |
		       (advised ? __GFP_DIRECT_RECLAIM : __GFP_KSWAPD_RECLAIM);
	case MM_DEFRAG_MADVISE:
		return GFP_TRANSHUGE_LIGHT | (advised ? __GFP_DIRECT_RECLAIM : 0);
	default:
		return GFP_TRANSHUGE_LIGHT;
	}
}

uint64_t mm_anon_huge_pages(const struct mm *mm, int nid)
{
	uint64_t pages = 0;

	for (int n = 0; n < mm->nr_nodes; n++)
		if (nid == MM_NO_NODE || nid == n)
			pages += mm_node_stat(&mm->nodes[n], MM_NS_ANON_THPS) >>
				 mm->arch->pageblock_order;
	return pages;
}
