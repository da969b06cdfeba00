/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What kinds of per-CPU lists share that keep single pages only, a list for each mobility, with
 * sizes by rule: all kernels up to 5.13. Their functions of struct mm_pcp_kind (pcp.h).
 */
#ifndef MM_PCP_SINGLE_H
#define MM_PCP_SINGLE_H

#include "mm/alloc/pcp.h"

unsigned mm_pcp_single_orders(const struct mm *mm);
void mm_pcp_single_set_sizes(const struct mm *mm, struct mm_zone *zone);
void mm_pcp_single_trim(struct mm *mm, int cpu, struct mm_zone *zone, unsigned order,
			unsigned list);
void mm_pcp_single_drain(struct mm *mm, int cpu, struct mm_zone *zone, int owner, unsigned list,
			 int nr_pages);

#endif
