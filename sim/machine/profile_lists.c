/* SPDX-License-Identifier: Apache-2.0 */
/* Kernel profiles: of which kind the lists of free pages by CPU are, and how long. */
#include <stdio.h>

#include "sim/machine/profile_read.h"

#define PCP_MAX_KINDS   16
#define PCP_MAX_BATCHES 1024

/* The keys, and what a kind has to go by for them to mean something. */
static const struct {
	const char *name;
	enum mm_pcp_rules rule;
} of_rules[] = {
	{"low", MM_PCP_LOW},        {"high", MM_PCP_SIZES},    {"batch_memory", MM_PCP_SIZES},
	{"round_up", MM_PCP_SIZES}, {"gather", MM_PCP_GATHER},
};

/* "kind 'a'", "kinds 'a' and 'b'": which go by that. */
static void name_kinds(enum mm_pcp_rules rule, char *text, size_t size)
{
	char names[128] = "";
	size_t used = 0;
	unsigned nr = 0;

	for (unsigned i = 0; mm_pcp_kind_name(i); i++)
		if (mm_pcp_kind_rules(i) & rule && used < sizeof(names))
			used += (size_t)snprintf(names + used, sizeof(names) - used, "%s'%s'",
						 nr++ ? " and " : "", mm_pcp_kind_name(i));
	snprintf(text, size, "%s %s", nr == 1 ? "kind" : "kinds", names);
}

static void refuse_others(struct cfg *c, const struct cfg_setting *group, unsigned rules)
{
	char kinds[160];

	for (size_t i = 0; i < sizeof(of_rules) / sizeof(*of_rules); i++) {
		const struct cfg_setting *s = cfg_find(c, group, of_rules[i].name);

		if (!s || of_rules[i].rule & rules)
			continue;
		name_kinds(of_rules[i].rule, kinds, sizeof(kinds));
		cfg_error(c, s, "only lists of %s have it", kinds);
	}
}

static void read_sizes(struct cfg *c, const struct cfg_setting *group, struct mm_pcp_rule *rule)
{
	uint64_t low = 0, high = 0;

	cfg_integer(c, cfg_find(c, group, "low"), 0, PCP_MAX_BATCHES, &low);
	cfg_integer(c, cfg_need(c, group, "high"), 1, PCP_MAX_BATCHES, &high);
	cfg_size(c, cfg_need(c, group, "batch_memory"), &rule->batch_bytes);
	cfg_bool(c, cfg_find(c, group, "round_up"), &rule->round_up);
	if (low >= high && high)
		cfg_error(c, group, "'low' is %u and 'high' %u batches: expected less than that",
			  (unsigned)low, (unsigned)high);
	rule->low = (unsigned)low;
	rule->high = (unsigned)high;
}

void profile_read_lists(struct cfg *c, const struct cfg_setting *root, struct mm_pcp_rule *rule)
{
	static const char *const keys[] = {"kind",     "low",    "high", "batch_memory",
					   "round_up", "gather", NULL};
	const struct cfg_setting *group = cfg_group(c, cfg_find(c, root, "per_cpu_lists"));
	const char *kinds[PCP_MAX_KINDS + 1] = {NULL};
	unsigned kind = 0;

	if (!group)
		return;
	for (unsigned i = 0; i < PCP_MAX_KINDS && mm_pcp_kind_name(i); i++)
		kinds[i] = mm_pcp_kind_name(i);
	cfg_keys(c, group, keys);
	if (!cfg_choice(c, cfg_need(c, group, "kind"), "kind", kinds, &kind))
		return;
	rule->kind = kinds[kind];
	refuse_others(c, group, mm_pcp_kind_rules(kind));
	if (mm_pcp_kind_rules(kind) & MM_PCP_SIZES)
		read_sizes(c, group, rule);
	cfg_bool(c, cfg_find(c, group, "gather"), &rule->gather);
}
