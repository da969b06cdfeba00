/* SPDX-License-Identifier: Apache-2.0 */
/* Memory policies as scenario files write them: "bind:0-1", "interleave:0,2", "local". */
#include <string.h>

#include "sim/config/config.h"
#include "sim/policy/task.h"
#include "sim/workload.h"

#define MAX_POLICIES 4095 /* that an event can name */

void workload_read_policy(struct cfg *c, const struct cfg_setting *s,
			  const struct workload_host *host, struct trace *t,
			  enum trace_policy_scope scope, uint16_t *index)
{
	struct trace_policy p = {.mm.home_nid = MM_NO_NODE, .scope = (uint8_t)scope};
	const char *text, *nodes, *wrong;

	if (!cfg_string(c, s, &text))
		return;
	nodes = strchr(text, ':');
	if (!fields_mode(text, nodes ? (size_t)(nodes - text) : strlen(text), &p.mm)) {
		cfg_error(c, s,
			  "unknown policy '%s': expected bind:NODES, interleave:NODES, "
			  "preferred:NODES, preferred_many:NODES, weighted_interleave:NODES, local "
			  "or default",
			  text);
		return;
	}
	nodes = nodes ? fields_nodes(nodes + 1, &p.mm.nodes) : "";
	wrong = nodes && !*nodes ? trace_policy_wrong(&p) : "has nodes that are no list as 0,2-3";
	for (int nid = host->nr_nodes; !wrong && nid < MM_MAX_NODES; nid++)
		if (mm_nodemask_has(&p.mm.nodes, nid))
			wrong = "has nodes that the machine does not have";
	if (wrong)
		cfg_error(c, s, "the policy '%s' %s", text, wrong);
	else if (trace_add_policy(t, &p, index) || *index > MAX_POLICIES)
		cfg_error(c, s, "more than %d policies", MAX_POLICIES);
}
