/* SPDX-License-Identifier: Apache-2.0 */
/* A CPU with small lists of single pages, in a zone of its own. */
#ifndef TESTS_PCP_SINGLE_H
#define TESTS_PCP_SINGLE_H

#include <criterion/criterion.h>
#include <stdlib.h>

#include "mm_fixture.h"

#define BATCH 7
#define HIGH  42

/* 16 MiB of ZONE_DMA for CPU 0, with small lists. */
static inline struct mm_zone *set_up(struct recorder *rec, const struct mm_profile *profile)
{
	struct machine m = {.memory = {{0, 16 * MiB, 0}}, .profile = profile};
	struct mm *mm = boot_recorded(&m, rec);
	struct mm_zone *zone = &mm->nodes[0].zones[0];

	zone->pcp_batch = BATCH;
	zone->pcp_high = HIGH;
	zone->pcp_low = profile->pcp.low * BATCH;
	return zone;
}

static inline void tear_down(struct recorder *rec)
{
	must_verify(rec->mm, "at the end");
	mm_destroy(rec->mm);
	free(rec->records);
}

static inline struct page *take(struct recorder *rec, gfp_t gfp)
{
	struct page *page = alloc(rec->mm, 0, 0, gfp);

	cr_assert_not_null(page);
	return page;
}

static inline void give(struct recorder *rec, struct page *page)
{
	cr_assert_eq(mm_free_pages(rec->mm, 0, page, 0), 0);
}

#endif
