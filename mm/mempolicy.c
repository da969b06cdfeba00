/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NUMA memory policies as Linux 6.1 applies them (mm/mempolicy.c; weights as from 6.9 on): from a
 * policy to a preferred node and a mask of nodes, and the attempts that follow each other where
 * the first finds nothing. The walk over zones is page_alloc.c's business; whose policy it is, and
 * whose turn, the caller's.
 *
 * A mask counts for what there is: nodes without memory, and nodes that do not exist, are not in
 * it, as after the kernel's mpol_set_nodemask().
 */
#include <errno.h>

#include "mm/gfp.h"
#include "mm/internal.h"
#include "mm/mempolicy.h"

/* A policy on this machine. */
struct effective {
	enum mm_policy_mode mode;
	struct mm_nodemask nodes; /* with memory; at least one where the mode has any */
	int nr_nodes;
	int home;
};

const char *mm_policy_mode_name(unsigned mode)
{
	static const char *const names[] = {
		[MM_POLICY_DEFAULT] = "MPOL_DEFAULT",
		[MM_POLICY_PREFERRED] = "MPOL_PREFERRED",
		[MM_POLICY_BIND] = "MPOL_BIND",
		[MM_POLICY_INTERLEAVE] = "MPOL_INTERLEAVE",
		[MM_POLICY_LOCAL] = "MPOL_LOCAL",
		[MM_POLICY_PREFERRED_MANY] = "MPOL_PREFERRED_MANY",
		[MM_POLICY_WEIGHTED_INTERLEAVE] = "MPOL_WEIGHTED_INTERLEAVE",
	};

	return mode < MM_NR_POLICY_MODES ? names[mode] : NULL;
}

static bool node_has_memory(const struct mm *mm, int nid)
{
	return nid >= 0 && nid < mm->nr_nodes && mm->nodes[nid].present > 0;
}

/* Nodes 0, 1, ... of the mask are the first, the second, ... with memory, and then again. */
static void add_relative(const struct mm *mm, const struct mm_nodemask *nodes,
			 struct mm_nodemask *out)
{
	int nr = 0, index = 0;

	for (int nid = 0; nid < mm->nr_nodes; nid++)
		nr += node_has_memory(mm, nid);
	for (int nid = 0; nid < mm->nr_nodes; nid++) {
		if (!node_has_memory(mm, nid))
			continue;
		for (int i = index; i < MM_MAX_NODES; i += nr)
			if (mm_nodemask_has(nodes, i))
				mm_nodemask_set(out, nid);
		index++;
	}
}

static void add_absolute(const struct mm *mm, const struct mm_nodemask *nodes,
			 struct mm_nodemask *out)
{
	for (int nid = 0; nid < mm->nr_nodes; nid++)
		if (mm_nodemask_has(nodes, nid) && node_has_memory(mm, nid))
			mm_nodemask_set(out, nid);
}

static int next_node(const struct mm *mm, const struct mm_nodemask *nodes, int from)
{
	int nid = from;

	while (nid < mm->nr_nodes && !mm_nodemask_has(nodes, nid))
		nid++;
	return nid;
}

static bool names_none(const struct mm_policy *policy)
{
	return policy->mode == MM_POLICY_DEFAULT || policy->mode == MM_POLICY_LOCAL;
}

static void make_effective(const struct mm *mm, const struct mm_policy *policy, struct effective *e)
{
	*e = (struct effective){.mode = policy->mode, .home = MM_NO_NODE};
	if (mm->ranges_are_nodes) /* a kernel without NUMA */
		e->mode = MM_POLICY_DEFAULT;
	if (mm->ranges_are_nodes || names_none(policy))
		return;
	if (policy->relative)
		add_relative(mm, &policy->nodes, &e->nodes);
	else
		add_absolute(mm, &policy->nodes, &e->nodes);
	for (int nid = 0; nid < mm->nr_nodes; nid++)
		e->nr_nodes += mm_nodemask_has(&e->nodes, nid);
	if (!e->nr_nodes)
		e->mode = MM_POLICY_DEFAULT; /* the kernel would have refused the policy */
	else if (policy->home_nid >= 0 && policy->home_nid < mm->nr_nodes)
		e->home = policy->home_nid;
}

bool mm_policy_may_use(const struct mm *mm, const struct mm_policy *policy,
		       const struct mm_nodemask *nodes)
{
	struct effective e;

	make_effective(mm, policy, &e);
	if (e.mode != MM_POLICY_BIND)
		return true;
	for (int nid = 0; nid < mm->nr_nodes; nid++)
		if (mm_nodemask_has(&e.nodes, nid) && mm_nodemask_has(nodes, nid))
			return true;
	return false;
}

/* Is the node's memory movable only? A policy with no other nodes leaves kernel memory alone. */
static bool movable_only(const struct mm *mm, int nid)
{
	int movable = mm_arch_zone_index(mm->arch, MM_ZONE_MOVABLE);

	for (int z = 0; z < mm->arch->nr_zones; z++)
		if (z != movable && mm_zone_populated(&mm->nodes[nid].zones[z]))
			return false;
	return true;
}

/* The lowest zone that policies are about: the highest that any node has, ZONE_MOVABLE apart. */
static int policy_zone(const struct mm *mm)
{
	int movable = mm_arch_zone_index(mm->arch, MM_ZONE_MOVABLE);

	/* From above: the first node has it most often, and others are not looked at. */
	for (int z = mm->arch->nr_zones - 1; z > 0; z--)
		for (int nid = 0; z != movable && nid < mm->nr_nodes; nid++)
			if (mm->nodes[nid].zones[z].managed)
				return z;
	return 0;
}

static bool applies_to_zone(const struct mm *mm, const struct effective *e, int zone)
{
	int movable = mm_arch_zone_index(mm->arch, MM_ZONE_MOVABLE);

	for (int nid = 0; nid < mm->nr_nodes; nid++)
		if (mm_nodemask_has(&e->nodes, nid) && !movable_only(mm, nid))
			return zone >= policy_zone(mm);
	return zone >= movable;
}

/* Whose turn it is among the nodes of the mask. */
static int interleave_node(const struct mm *mm, const struct effective *e, uint32_t turn)
{
	bool weighted = e->mode == MM_POLICY_WEIGHTED_INTERLEAVE;
	uint32_t total = 0, left;
	int nid;

	for (nid = 0; nid < mm->nr_nodes; nid++)
		if (mm_nodemask_has(&e->nodes, nid))
			total += weighted ? mm_interleave_weight(mm, nid) : 1;
	left = turn % total;
	nid = next_node(mm, &e->nodes, 0);
	for (;;) {
		uint32_t weight = weighted ? mm_interleave_weight(mm, nid) : 1;

		if (left < weight)
			return nid;
		left -= weight;
		nid = next_node(mm, &e->nodes, nid + 1);
	}
}

/* The preferred node and the mask of one attempt, as policy_node() and policy_nodemask(). */
static void place(const struct mm *mm, const struct effective *e, const struct mm_policy_use *use,
		  struct mm_request *req, struct mm_nodemask *mask)
{
	bool here_only = req->gfp & __GFP_THISNODE;

	req->nid = mm->cpu_nid[req->cpu];
	req->nodes = NULL;
	if (here_only && !use->huge)
		return; /* alloc_pages() knows no policy then */
	*mask = e->nodes;
	switch (e->mode) {
	case MM_POLICY_PREFERRED:
		req->nid = next_node(mm, &e->nodes, 0);
		break;
	case MM_POLICY_INTERLEAVE:
	case MM_POLICY_WEIGHTED_INTERLEAVE:
		req->nid = interleave_node(mm, e, use->turn);
		break;
	case MM_POLICY_BIND:
		if (here_only)
			break;
		if (e->home != MM_NO_NODE)
			req->nid = e->home;
		if (applies_to_zone(mm, e, gfp_zone(mm->arch, req->gfp)))
			req->nodes = mask;
		break;
	case MM_POLICY_PREFERRED_MANY:
		if (e->home != MM_NO_NODE)
			req->nid = e->home;
		req->nodes = mask;
		break;
	default:
		break;
	}
}

void mm_policy_request(const struct mm *mm, const struct mm_policy_use *use, struct mm_request *req,
		       struct mm_nodemask *mask)
{
	struct effective e;

	make_effective(mm, use->policy, &e);
	place(mm, &e, use, req, mask);
}

static bool interleaves(const struct effective *e)
{
	return e->mode == MM_POLICY_INTERLEAVE || e->mode == MM_POLICY_WEIGHTED_INTERLEAVE;
}

static int attempt(struct mm *mm, const struct effective *e, const struct mm_policy_use *use,
		   struct mm_request *req, struct page **out)
{
	struct mm_nodemask mask;
	int err;

	place(mm, e, use, req, &mask);
	err = mm_alloc_pages(mm, req, out);
	if (!err && interleaves(e) && mm_page_to_nid(mm, *out) == req->nid)
		mm_page_zone(mm, *out)->pcp[req->cpu].numa[MM_NUMA_INTERLEAVE]++;
	return err;
}

/* The mask without waiting for anything, then every node with all that is asked for. */
static int preferred_many(struct mm *mm, const struct effective *e, const struct mm_policy_use *use,
			  struct mm_request *req, struct page **out)
{
	gfp_t gfp = req->gfp;
	int err;

	req->gfp = (gfp | __GFP_NOWARN) & ~(__GFP_DIRECT_RECLAIM | __GFP_NOFAIL);
	err = attempt(mm, e, use, req, out);
	if (err != -ENOMEM)
		return err;
	req->gfp = gfp;
	req->nodes = NULL;
	return mm_alloc_pages(mm, req, out);
}

/*
 * Remote accesses would cost more than a huge page gains: only the preferred node is tried, by
 * compaction at most; then, where the fault may reclaim, whatever the policy allows, from that node
 * on: the home of a policy has no part in it.
 */
static int huge_page(struct mm *mm, const struct effective *e, const struct mm_policy_use *use,
		     struct mm_request *req, struct page **out)
{
	struct effective homeless = *e;
	gfp_t gfp = req->gfp;
	int err;

	req->gfp = gfp | __GFP_THISNODE | __GFP_NORETRY;
	err = attempt(mm, e, use, req, out);
	if (err != -ENOMEM || !(gfp & __GFP_DIRECT_RECLAIM))
		return err;
	req->gfp = gfp;
	homeless.home = MM_NO_NODE;
	return attempt(mm, &homeless, use, req, out);
}

/* Does the policy let the preferred node give huge pages? */
static bool allows_its_node(const struct mm *mm, const struct effective *e, int cpu, gfp_t gfp)
{
	return e->mode != MM_POLICY_BIND || mm_nodemask_has(&e->nodes, mm->cpu_nid[cpu]) ||
	       !applies_to_zone(mm, e, gfp_zone(mm->arch, gfp));
}

int mm_alloc_pages_policy(struct mm *mm, const struct mm_request *req,
			  const struct mm_policy_use *use, struct page **out)
{
	struct effective e;
	struct mm_request r;

	/* Most policies name no node. */
	if (names_none(use->policy) && !use->huge && req->nid == MM_NO_NODE && !req->nodes)
		return mm_alloc_pages(mm, req, out);
	if (use->policy->mode >= MM_NR_POLICY_MODES)
		return -EINVAL;
	r = *req;
	make_effective(mm, use->policy, &e);
	if ((r.gfp & __GFP_THISNODE) && !use->huge)
		return attempt(mm, &e, use, &r, out);
	if (e.mode == MM_POLICY_PREFERRED_MANY)
		return preferred_many(mm, &e, use, &r, out);
	if (use->huge && !interleaves(&e) && allows_its_node(mm, &e, r.cpu, r.gfp))
		return huge_page(mm, &e, use, &r, out);
	return attempt(mm, &e, use, &r, out);
}

int mm_alloc_pages_policy_once(struct mm *mm, const struct mm_request *req,
			       const struct mm_policy_use *use, struct page **out)
{
	struct mm_request r = *req;
	struct effective e;

	if (use->policy->mode >= MM_NR_POLICY_MODES)
		return -EINVAL;
	make_effective(mm, use->policy, &e);
	return attempt(mm, &e, use, &r, out);
}

/*
 * A weighted interleave goes on from page to page, the plain one counts the nodes it has asked:
 * each of them once, for no page at the end where there are fewer pages than nodes. Neither counts
 * as interleaving in numastat.
 */
static uint64_t bulk_interleave(struct mm *mm, const struct effective *e,
				const struct mm_request *req, uint32_t *turn, uint64_t nr,
				struct page **pages)
{
	bool weighted = e->mode == MM_POLICY_WEIGHTED_INTERLEAVE;
	uint64_t share = nr / (uint64_t)e->nr_nodes, delta = nr % (uint64_t)e->nr_nodes, got = 0;
	struct mm_request r = *req;

	for (uint64_t asked = 0, n = 0; weighted ? asked < nr : n < (uint64_t)e->nr_nodes; n++) {
		uint64_t want = share + (delta ? 1 : 0);

		r.nid = interleave_node(mm, e, *turn);
		delta -= delta ? 1 : 0;
		for (want = weighted ? 0 : want; weighted && asked + want < nr; want++)
			if (interleave_node(mm, e, *turn + (uint32_t)want) != r.nid)
				break;
		got += mm_alloc_pages_bulk(mm, &r, want, pages + got);
		asked += want;
		*turn += weighted ? (uint32_t)want : 1;
	}
	return got;
}

uint64_t mm_alloc_pages_bulk_policy(struct mm *mm, const struct mm_request *req,
				    const struct mm_policy *policy, uint32_t *turn, uint64_t nr,
				    struct page **pages)
{
	const struct mm_policy_use use = {.policy = policy, .turn = *turn};
	struct mm_request r = *req;
	struct mm_nodemask mask;
	struct effective e;
	uint64_t got;

	make_effective(mm, policy, &e);
	if (interleaves(&e) && !(r.gfp & __GFP_THISNODE))
		return bulk_interleave(mm, &e, &r, turn, nr, pages);
	place(mm, &e, &use, &r, &mask);
	if (e.mode != MM_POLICY_PREFERRED_MANY || (r.gfp & __GFP_THISNODE))
		return mm_alloc_pages_bulk(mm, &r, nr, pages);
	r.gfp = (req->gfp | __GFP_NOWARN) & ~(__GFP_DIRECT_RECLAIM | __GFP_NOFAIL);
	got = mm_alloc_pages_bulk(mm, &r, nr, pages);
	if (got == nr)
		return got;
	r.gfp = req->gfp;
	r.nid = mm->cpu_nid[req->cpu];
	r.nodes = NULL;
	return got + mm_alloc_pages_bulk(mm, &r, nr - got, pages + got);
}

int mm_set_interleave_weight(struct mm *mm, int nid, unsigned weight)
{
	if (nid < 0 || nid >= mm->nr_nodes || weight < 1 || weight > UINT8_MAX)
		return -EINVAL;
	mm->nodes[nid].interleave_weight = (uint8_t)weight;
	return 0;
}

unsigned mm_interleave_weight(const struct mm *mm, int nid)
{
	return mm->nodes[nid].interleave_weight;
}
