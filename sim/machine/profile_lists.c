/* SPDX-License-Identifier: Apache-2.0 */
/* Kernel profiles: of which kind the lists of free pages by CPU are, and how long. */
#include <string.h>

#include "sim/machine/profile_read.h"

#define PCP_MAX_KINDS   16
#define PCP_MAX_BATCHES 1024

void profile_read_lists(struct cfg *c, const struct cfg_setting *root, struct mm_pcp_rule *rule)
{
	static const char *const keys[] = {"kind", "low", "high", "batch_memory", NULL};
	const struct cfg_setting *group = cfg_group(c, cfg_find(c, root, "per_cpu_lists"));
	const char *kinds[PCP_MAX_KINDS + 1] = {NULL};
	uint64_t low = 0, high = 0;
	unsigned kind = 0;

	if (!group)
		return;
	for (unsigned i = 0; i < PCP_MAX_KINDS && mm_pcp_kind_name(i); i++)
		kinds[i] = mm_pcp_kind_name(i);
	cfg_keys(c, group, keys);
	if (!cfg_choice(c, cfg_need(c, group, "kind"), "kind", kinds, &kind))
		return;
	rule->kind = kinds[kind];
	if (strcmp(rule->kind, "hot-cold")) {
		for (unsigned i = 1; keys[i]; i++)
			if (cfg_find(c, group, keys[i]))
				cfg_error(c, cfg_find(c, group, keys[i]),
					  "only lists of kind 'hot-cold' have it");
		return;
	}
	cfg_integer(c, cfg_find(c, group, "low"), 0, PCP_MAX_BATCHES, &low);
	cfg_integer(c, cfg_need(c, group, "high"), 1, PCP_MAX_BATCHES, &high);
	cfg_size(c, cfg_need(c, group, "batch_memory"), &rule->batch_bytes);
	if (low >= high && high)
		cfg_error(c, group, "'low' is %u and 'high' %u batches: expected less than that",
			  (unsigned)low, (unsigned)high);
	rule->low = (unsigned)low;
	rule->high = (unsigned)high;
}
