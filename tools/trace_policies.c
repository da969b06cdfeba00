/* SPDX-License-Identifier: Apache-2.0 */
/* Which policies the allocations of a trace follow, and how many each. */
#include "tools/trace_policies.h"

#include <inttypes.h>
#include <stdlib.h>

static const char *const scopes[] = {
	[TRACE_POLICY_TASK] = "task",
	[TRACE_POLICY_RANGE] = "range",
	[TRACE_POLICY_FILE] = "file",
	[TRACE_POLICY_POOL] = "pool",
};

#define NODES_TEXT (MM_MAX_NODES * 5 + 1) /* every other node, with a comma each */

/* "0,2-3" as the kernel prints masks; "all" where it is every node there can be. */
static const char *nodes_text(const struct mm_nodemask *nodes, char *text, size_t size)
{
	size_t len = 0;

	text[0] = 0;
	for (int first = 0, last; first < MM_MAX_NODES; first = last + 1) {
		for (last = first; last < MM_MAX_NODES && mm_nodemask_has(nodes, last); last++)
			;
		if (first == 0 && last == MM_MAX_NODES)
			return "all";
		if (last == first)
			continue;
		len += (size_t)snprintf(text + len, size - len, "%s%d", len ? "," : "", first);
		if (last - first > 1)
			len += (size_t)snprintf(text + len, size - len, "-%d", last - 1);
	}
	return text;
}

/* Allocations by policy, to be free()d; NULL where there is no memory. */
static uint64_t *count(const struct trace *t)
{
	uint64_t *nr = calloc(t->nr_policies, sizeof(*nr));

	for (size_t i = 0; nr && i < t->nr_events; i++)
		if (t->events[i].op == TRACE_ALLOC)
			nr[t->events[i].policy]++;
	return nr;
}

void trace_policies_print(const struct trace *t, FILE *out)
{
	uint64_t *nr = count(t);
	char nodes[NODES_TEXT];

	if (nr && t->nr_policies > 1)
		fputs("\nallocations by memory policy\n", out);
	for (uint32_t i = 0; nr && t->nr_policies > 1 && i < t->nr_policies; i++) {
		const struct mm_policy *p = &t->policies[i].mm;

		if (!nr[i])
			continue;
		fprintf(out, "  %12" PRIu64 "  %-5s  %s", nr[i], scopes[t->policies[i].scope],
			mm_policy_mode_name(p->mode));
		if (!mm_nodemask_empty(&p->nodes))
			fprintf(out, "%s %s", p->relative ? " relative" : "",
				nodes_text(&p->nodes, nodes, sizeof(nodes)));
		if (p->home_nid != MM_NO_NODE)
			fprintf(out, " home %d", p->home_nid);
		putc('\n', out);
	}
	if (t->unknown_policies)
		fprintf(out,
			"\n%" PRIu64 " policies have nodes that no marker tells; "
			"allocations do not follow them\n",
			t->unknown_policies);
	free(nr);
}

json_t *trace_policies_json(const struct trace *t)
{
	json_t *policies = json_array();
	uint64_t *nr = count(t);
	char nodes[NODES_TEXT];

	for (uint32_t i = 0; nr && i < t->nr_policies; i++) {
		const struct mm_policy *p = &t->policies[i].mm;
		json_t *one = json_pack(
			"{s:s, s:s, s:s, s:b, s:o, s:I}", "scope", scopes[t->policies[i].scope],
			"mode", mm_policy_mode_name(p->mode), "nodes",
			nodes_text(&p->nodes, nodes, sizeof(nodes)), "relative", (int)p->relative,
			"home_node",
			p->home_nid == MM_NO_NODE ? json_null() : json_integer(p->home_nid),
			"alloc", (json_int_t)nr[i]);

		json_array_append_new(policies, one);
	}
	free(nr);
	return policies;
}
