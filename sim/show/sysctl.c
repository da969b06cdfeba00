/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sysctls of memory management (/proc/sys/vm), a line each: name = value, or that this kernel
 * has none of that name. What the mm core does not act on has the value that the kernel begins
 * with.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim/json.h"
#include "sim/replay/kernel_counters.h"
#include "sim/show/show.h"

#define VALUE_ROOM 256

/* Which kernels have it. */
enum has { ALWAYS, NUMA, HIGHMEM, OLD_LISTS, OTHER_RELEASE };

static const struct setting {
	const char *name, *value; /* where the mm core has none */
	enum has has;
} settings[] = {
	{"percpu_pagelist_fraction", "", OLD_LISTS},
	{"numa_zonelist_order", "Node", NUMA},
	{"min_slab_ratio", "", NUMA},
	{"min_unmapped_ratio", "", NUMA},
	{"swappiness", "", ALWAYS},
	{"user_reserve_kbytes", "", ALWAYS},
	{"admin_reserve_kbytes", "", ALWAYS},
	{"overcommit_memory", "", ALWAYS},
	{"numa_stat", "1", NUMA},
	{"highmem_is_dirtyable", "0", HIGHMEM},
	{"extfrag_threshold", "500", ALWAYS},
	{"compaction_proactiveness", "", ALWAYS},
	{"movable_gigantic_pages", "0", OTHER_RELEASE}, /* later than 6.1 */
};
#define NR_SETTINGS (sizeof(settings) / sizeof(*settings))

/*
 * Those of huge pages have a view of their own, as what they count has (hugepages.c); captures do
 * not list compact_unevictable_allowed, vfs_cache_pressure, dirty_ratio, page-cluster and
 * stat_interval.
 */
static bool is_left_out(const char *name)
{
	return strstr(name, "_hugepages") || !strcmp(name, "compact_unevictable_allowed") ||
	       !strcmp(name, "vfs_cache_pressure") || !strcmp(name, "dirty_ratio") ||
	       !strcmp(name, "page-cluster") || !strcmp(name, "overcommit_ratio") ||
	       !strcmp(name, "overcommit_kbytes") || !strncmp(name, "stat_", 5);
}

static bool has(const struct mm *mm, enum has what)
{
	char value[VALUE_ROOM];

	switch (what) {
	case NUMA:
		return kernel_has_numa(mm);
	case HIGHMEM:
		return mm_arch_zone_index(mm_get_arch(mm), MM_ZONE_HIGHMEM) >= 0;
	case OLD_LISTS: /* until 5.13 */
		return !mm_sysctl_text(mm, "percpu_pagelist_fraction", value, sizeof(value));
	case OTHER_RELEASE:
		return false;
	default:
		return true;
	}
}

/* Those of the mm core that stand among the others. */
static bool is_setting(const char *name)
{
	for (size_t i = 0; i < NR_SETTINGS; i++)
		if (!strcmp(settings[i].name, name))
			return true;
	return false;
}

static json_t *json(const struct show_subject *s)
{
	json_t *doc = json_object();
	const char *name;
	char value[VALUE_ROOM];
	int err;

	for (unsigned i = 0; (name = mm_sysctl_name(i)); i++) {
		if (is_setting(name) || is_left_out(name))
			continue;
		err = mm_sysctl_text(s->mm, name, value, sizeof(value));
		if (err == -ENODEV ||
		    (!strcmp(name, "zone_reclaim_mode") && !kernel_has_numa(s->mm)))
			json_object_set_new(doc, name, json_null());
		else if (!err)
			json_put_string(doc, name, value);
	}
	for (size_t i = 0; i < NR_SETTINGS; i++) {
		const struct setting *set = &settings[i];

		if (mm_sysctl_text(s->mm, set->name, value, sizeof(value)))
			snprintf(value, sizeof(value), "%s", set->value);
		if (!has(s->mm, set->has))
			json_object_set_new(doc, set->name, json_null());
		else
			json_put_string(doc, set->name, value);
	}
	return doc;
}

static void print(const json_t *doc, FILE *out)
{
	const json_t *value;
	const char *key;

	json_object_foreach ((json_t *)doc, key, value)
		if (json_is_null(value))
			fprintf(out, "%s absent\n", key);
		else
			fprintf(out, "%s = %s\n", key, json_string_value(value));
}

static int text(const struct show_subject *s, FILE *out)
{
	return show_document(json(s), print, out);
}

const struct show_kind show_sysctl = {
	.name = "sysctl",
	.summary = "sysctls of memory management, as in /proc/sys/vm",
	.boots = true,
	.text = text,
	.json = json,
};
