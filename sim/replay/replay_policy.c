/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From an event, which shows what reached the page allocator, back to what was asked for: the first
 * attempt for a huge page has flags of its own, and so has the first of preferred_many.
 */
#include "sim/replay/replay_policy.h"

#include <errno.h>
#include <stdlib.h>

#include "mm/arch.h"
#include "mm/gfp.h"

#define USER_PAGE  (__GFP_HIGHMEM | __GFP_MOVABLE)
#define HUGE_FIRST (__GFP_THISNODE | __GFP_NORETRY)

static void fold(struct mm_policy *policy, int nr_nodes)
{
	struct mm_nodemask nodes = {0};

	for (int nid = 0; nid < MM_MAX_NODES; nid++)
		if (mm_nodemask_has(&policy->nodes, nid))
			mm_nodemask_set(&nodes, policy->relative ? nid : nid % nr_nodes);
	policy->nodes = nodes;
	if (policy->home_nid != MM_NO_NODE)
		policy->home_nid = (int16_t)(policy->home_nid % nr_nodes);
}

int replay_policies_init(struct replay_policies *p, struct mm *mm, int nr_nodes,
			 const struct trace *t)
{
	*p = (struct replay_policies){
		.mm = mm,
		.trace = t,
		.nr_nodes = nr_nodes,
		.huge_order = mm_get_arch(mm)->pageblock_order,
		.policies = malloc(t->nr_policies * sizeof(*p->policies)),
	};
	if (!p->policies)
		return -ENOMEM;
	for (uint32_t i = 0; i < t->nr_policies; i++) {
		p->policies[i] = t->policies[i].mm;
		fold(&p->policies[i], nr_nodes);
	}
	return 0;
}

void replay_policies_clear(struct replay_policies *p)
{
	free(p->policies);
	p->policies = NULL;
}

static bool is_huge(const struct replay_policies *p, const struct trace_event *ev)
{
	return ev->order == p->huge_order && (ev->gfp & USER_PAGE) == USER_PAGE;
}

/*
 * What the first attempt of preferred_many leaves out. Who may start I/O may wait; of huge pages
 * that is not true, and then nothing tells.
 */
static gfp_t before_many(gfp_t gfp, unsigned order)
{
	return gfp & __GFP_IO && order <= PAGE_ALLOC_COSTLY_ORDER ? gfp | __GFP_DIRECT_RECLAIM
								  : gfp;
}

/* A node and no other: no interleave_hit. */
static int for_pool(const struct replay_policies *p, const struct mm_policy_use *use,
		    struct mm_request *req, struct page **page)
{
	struct mm_nodemask mask;

	mm_policy_request(p->mm, use, req, &mask);
	return mm_alloc_pages(p->mm, req, page);
}

int replay_alloc(const struct replay_policies *p, int cpu, const struct trace_event *ev,
		 struct page **page)
{
	const struct mm_policy *policy = &p->policies[ev->policy];
	struct mm_policy_use use = {
		.policy = policy,
		.turn = trace_event_turn(ev),
		.huge = is_huge(p, ev),
	};
	struct mm_request req = {.cpu = cpu,
				 .nid = MM_NO_NODE,
				 .order = ev->order,
				 .gfp = ev->gfp,
				 .pf_memalloc = ev->flags & TRACE_F_RECLAIM,
				 .reclaimed = replay_reclaim_owes(p->reclaim, ev)};

	if (trace_event_nid(ev) != MM_NO_NODE) {
		req.nid = trace_event_nid(ev) % p->nr_nodes;
		return mm_alloc_pages(p->mm, &req, page);
	}
	if (p->trace->policies[ev->policy].scope == TRACE_POLICY_POOL)
		return for_pool(p, &use, &req, page);
	if (ev->flags & TRACE_F_FAILED)
		return mm_alloc_pages_policy_once(p->mm, &req, &use, page);
	if (use.huge && (req.gfp & HUGE_FIRST) == HUGE_FIRST)
		req.gfp &= ~HUGE_FIRST;
	else
		use.huge = false; /* not the first attempt, or the policy had none of these flags */
	if (policy->mode == MM_POLICY_PREFERRED_MANY)
		req.gfp = before_many(req.gfp, req.order);
	return mm_alloc_pages_policy(p->mm, &req, &use, page);
}
