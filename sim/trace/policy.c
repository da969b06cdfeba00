/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy of a trace may be, for those that read it from somewhere. */
#include "sim/trace/trace.h"

static bool is_empty(const struct mm_nodemask *nodes)
{
	for (size_t i = 0; i < sizeof(nodes->bits) / sizeof(*nodes->bits); i++)
		if (nodes->bits[i])
			return false;
	return true;
}

const char *trace_policy_wrong(const struct trace_policy *policy)
{
	const struct mm_policy *p = &policy->mm;
	bool own_node = p->mode == MM_POLICY_DEFAULT || p->mode == MM_POLICY_LOCAL;

	if (own_node && !is_empty(&p->nodes))
		return "has nodes, which its mode does not take";
	if (!own_node && is_empty(&p->nodes))
		return "has no nodes, which its mode needs";
	if (p->home_nid != MM_NO_NODE && p->mode != MM_POLICY_BIND &&
	    p->mode != MM_POLICY_PREFERRED_MANY)
		return "has a home node, which its mode does not take";
	return NULL;
}
