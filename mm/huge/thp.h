/* SPDX-License-Identifier: Apache-2.0 */
/* Transparent huge pages: when a fault is to be served by one, and what it may do to get it. */
#ifndef MM_THP_H
#define MM_THP_H

#include "mm/mm.h"

/** "always"; NULL past the last mode. As the kernel's command line and sysfs have them. */
const char *mm_thp_mode_name(unsigned mode);
/** "defer+madvise"; NULL past the last. */
const char *mm_thp_defrag_name(unsigned defrag);

/** Is a fault to try a huge page? `advised`: madvise(MADV_HUGEPAGE) is in force there. */
bool mm_thp_wanted(const struct mm *mm, bool advised);
/** With which flags: GFP_TRANSHUGE_LIGHT, and what `defrag` adds. */
gfp_t mm_thp_gfp(const struct mm *mm, bool advised);

/** Huge pages of faults that are mapped now, on a node; with MM_NO_NODE on all. */
uint64_t mm_anon_huge_pages(const struct mm *mm, int nid);

#endif
