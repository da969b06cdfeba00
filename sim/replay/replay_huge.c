/* SPDX-License-Identifier: Apache-2.0 */
/* Huge pages of a trace that have no room. */
#include "sim/replay/replay_huge.h"

#include <stdlib.h>

#include "mm/gfp.h"

#define SINGLE_GFP (GFP_HIGHUSER_MOVABLE | __GFP_COMP | __GFP_ZERO)

bool replay_huge_is(const struct replay_policies *p, const struct trace_event *ev)
{
	return ev->order == p->huge_order && !(ev->flags & TRACE_F_FAILED) &&
	       (ev->gfp & GFP_TRANSHUGE_LIGHT) == GFP_TRANSHUGE_LIGHT;
}

struct page **replay_huge_replace(const struct replay_policies *p, int cpu,
				  const struct trace_event *ev, struct replay_huge_counts *counts)
{
	uint32_t nr = UINT32_C(1) << ev->order, missing = 0;
	struct page **pages = calloc(nr, sizeof(struct page *));
	struct trace_event single = *ev;

	single.order = 0;
	single.gfp = SINGLE_GFP;
	for (uint32_t i = 0; pages && i < nr; i++) {
		/* A turn is an offset: in huge pages, and then in single ones. */
		if (ev->policy)
			trace_event_set_policy(&single, ev->policy,
					       (trace_event_turn(ev) << ev->order) + i);
		if (replay_alloc(p, cpu, &single, &pages[i])) {
			pages[i] = NULL;
			missing++;
		}
	}
	if (!pages || missing == nr) {
		free(pages);
		return NULL;
	}
	counts->replaced++;
	counts->missing += missing;
	return pages;
}

void replay_huge_free(struct mm *mm, int cpu, struct page **pages, unsigned order)
{
	for (uint32_t i = 0; i >> order == 0; i++)
		if (pages[i])
			mm_free_pages(mm, cpu, pages[i], 0);
	free(pages);
}

struct page **replay_huge_split(struct page **pages, unsigned order)
{
	size_t nr = (size_t)1 << order;
	struct page **upper = calloc(nr, sizeof(struct page *));

	for (size_t i = 0; upper && i < nr; i++)
		upper[i] = pages[nr + i];
	return upper;
}

bool replay_huge_touch(struct sim *s, int cpu, struct page **pages, const struct trace_event *ev)
{
	uint32_t page_bytes = UINT32_C(1) << mm_get_arch(sim_mm(s))->page_shift, left = ev->bytes;
	bool any = false;

	for (uint32_t i = 0; left; i++) {
		uint32_t bytes = left < page_bytes ? left : page_bytes;

		if (pages[i])
			sim_touch(s, cpu, mm_page_address(sim_mm(s), pages[i]), bytes, ev->write);
		any |= pages[i] != NULL;
		left -= bytes;
	}
	return any;
}
