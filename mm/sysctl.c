/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sysctls of memory management (/proc/sys/vm): their values and bounds, and what a write or a
 * read makes the kernel compute again, from the pages that are managed now. The formulas are in
 * watermark.c.
 *
 * Which handler computes what: Linux 6.1 mm/page_alloc.c, and zoneinfo of the reference capture
 * after each of its writes.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mm/alloc/pcp.h"
#include "mm/compact/compact.h"
#include "mm/huge/huge_pool.h"

struct sysctl {
	const char *name;
	uint64_t min, max;
	size_t offset; /* of its value in struct mm, a uint64_t; of the ratios: unused */
	void (*written)(struct mm *mm);
	bool only_changes; /* a write of the value that is there computes nothing */
};

#define RATIOS       "lowmem_reserve_ratio"
#define COMPACT      "compact_memory" /* can only be written */
#define REFRESH      "stat_refresh"   /* a read does the same, and says nothing */
#define FRACTION     "percpu_pagelist_high_fraction"
#define OLD_FRACTION "percpu_pagelist_fraction"
#define IN_MM(field) offsetof(struct mm, field)

static void compact_all(struct mm *mm)
{
	mm_compact_all(mm, MM_NO_CPU);
}

static const struct sysctl sysctls[] = {
	{"min_free_kbytes", 0, INT32_MAX, IN_MM(min_free_kbytes), mm_min_free_written, false},
	{RATIOS, 0, INT32_MAX, 0, mm_lowmem_reserve_setup, false},
	{"watermark_scale_factor", 1, 3000, IN_MM(params.watermark_scale_factor),
	 mm_watermarks_setup, false},
	{"watermark_boost_factor", 0, INT32_MAX, IN_MM(params.watermark_boost_factor), NULL, false},
	{"zone_reclaim_mode", 0, INT32_MAX, IN_MM(params.zone_reclaim_mode), NULL, false},
	{"swappiness", 0, 200, IN_MM(params.swappiness), NULL, false},
	{"vfs_cache_pressure", 0, INT32_MAX, IN_MM(params.vfs_cache_pressure), NULL, false},
	{"min_unmapped_ratio", 0, 100, IN_MM(params.min_unmapped_ratio), NULL, false},
	{"min_slab_ratio", 0, 100, IN_MM(params.min_slab_ratio), NULL, false},
	{"dirty_ratio", 0, 100, IN_MM(params.dirty_ratio), NULL, false},
	{"page-cluster", 0, 31, IN_MM(params.page_cluster), NULL, false},
	{"overcommit_memory", 0, 2, IN_MM(commit.memory), NULL, false},
	{"overcommit_ratio", 0, INT32_MAX, IN_MM(commit.ratio), mm_commit_ratio_written, false},
	{"overcommit_kbytes", 0, UINT64_MAX, IN_MM(commit.kbytes), mm_commit_kbytes_written, false},
	{"user_reserve_kbytes", 0, UINT64_MAX, IN_MM(commit.user_reserve_kbytes), NULL, false},
	{"admin_reserve_kbytes", 0, UINT64_MAX, IN_MM(commit.admin_reserve_kbytes), NULL, false},
	/*
	 * Of the default size: see mm_hugetlb_write(). _mempolicy is the same by the policy of who
	 * writes: here that is the default one.
	 */
	{"nr_hugepages", 0, INT32_MAX, 0, NULL, false},
	{"nr_hugepages_mempolicy", 0, INT32_MAX, 0, NULL, false},
	{"nr_overcommit_hugepages", 0, INT32_MAX, 0, NULL, false},
	{"extfrag_threshold", 0, 1000, IN_MM(params.extfrag_threshold), NULL, false},
	{"compaction_proactiveness", 0, 100, IN_MM(params.compaction_proactiveness),
	 mm_kcompactd_written, false},
	{"compact_unevictable_allowed", 0, 1, IN_MM(params.compact_unevictable_allowed), NULL,
	 false},
	{COMPACT, 1, 1, 0, compact_all, false},
	{"stat_interval", 1, INT32_MAX, IN_MM(stat_interval), NULL, false},
	{REFRESH, 0, UINT64_MAX, 0, mm_vmstat_refresh, false},
	{FRACTION, 0, INT32_MAX, IN_MM(params.percpu_pagelist_high_fraction), mm_pcp_sizes_setup,
	 true},
	{OLD_FRACTION, 0, INT32_MAX, IN_MM(params.percpu_pagelist_high_fraction),
	 mm_pcp_sizes_setup, true},
};

#define NR_SYSCTLS     (sizeof(sysctls) / sizeof(sysctls[0]))
#define LEAST_FRACTION 8 /* of percpu_pagelist_*fraction, where it is not 0 */

const char *mm_sysctl_name(unsigned i)
{
	return i < NR_SYSCTLS ? sysctls[i].name : NULL;
}

static const struct sysctl *find_sysctl(const char *key)
{
	for (size_t i = 0; i < NR_SYSCTLS; i++)
		if (strcmp(sysctls[i].name, key) == 0)
			return &sysctls[i];
	return NULL;
}

/* Kernels whose lists have sizes by rule are those up to 5.13. */
static bool has_sysctl(const struct mm *mm, const struct sysctl *s)
{
	bool is_old = !strcmp(s->name, OLD_FRACTION);

	if (!is_old && strcmp(s->name, FRACTION) != 0)
		return true;
	return is_old == !!(mm->pcp_kind->rules & MM_PCP_SIZES);
}

static bool is_ratios(const struct sysctl *s)
{
	return strcmp(s->name, RATIOS) == 0;
}

static bool is_compact(const struct sysctl *s)
{
	return strcmp(s->name, COMPACT) == 0;
}

/* It does something, and has no value. */
static bool is_action(const struct sysctl *s)
{
	return is_compact(s) || s->written == mm_vmstat_refresh;
}

static int refuse_value(const struct sysctl *s, struct mm_refusal *refusal, const char *value)
{
	return mm_refuse(refusal, MM_ABOUT_SYSCTL, 0,
			 "expected an integer from %" PRIu64 " to %" PRIu64 ", found '%.60s'",
			 s->min, s->max, value);
}

/* The next number of blank-separated ones: moves *text behind it. False where it is none. */
static bool parse_number(const struct sysctl *s, const char **text, uint64_t *number)
{
	char *end;

	*text += strspn(*text, " \t");
	if (**text < '0' || **text > '9')
		return false;
	errno = 0;
	*number = strtoull(*text, &end, 10);
	if (errno || *number < s->min || *number > s->max || (*end && !strchr(" \t\n", *end)))
		return false;
	*text = end + strspn(end, " \t\n");
	return true;
}

/* As the kernel does, take as many as are given; the others stay. */
static int write_ratios(struct mm *mm, const struct sysctl *s, const char *value,
			struct mm_refusal *refusal)
{
	struct mm_params params = mm->params;
	const char *text = value;
	int nr = 0;

	do {
		if (nr == mm->arch->nr_zones)
			return mm_refuse(refusal, MM_ABOUT_SYSCTL, 0,
					 "expected at most %d integers, one a zone of %s, found "
					 "'%.60s'",
					 nr, mm->arch->name, value);
		if (!parse_number(s, &text, &params.lowmem_reserve_ratio[mm->arch->zones[nr].type]))
			return refuse_value(s, refusal, value);
		nr++;
	} while (*text);
	mm->params = params;
	s->written(mm);
	return 0;
}

static int write_number(struct mm *mm, const struct sysctl *s, const char *value,
			struct mm_refusal *refusal)
{
	uint64_t written, number;
	uint64_t *slot = is_action(s) ? &written : (uint64_t *)((char *)mm + s->offset);
	const char *text = value;
	bool changed;

	if (!parse_number(s, &text, &number) || *text)
		return refuse_value(s, refusal, value);
	if (slot == &mm->params.percpu_pagelist_high_fraction && number && number < LEAST_FRACTION)
		return mm_refuse(refusal, MM_ABOUT_SYSCTL, 0,
				 "expected 0 or at least %d, found '%.60s'", LEAST_FRACTION, value);
	changed = is_action(s) || *slot != number;
	*slot = number;
	if (s->written && (changed || !s->only_changes))
		s->written(mm);
	return 0;
}

int mm_sysctl(struct mm *mm, const char *key, const char *value, struct mm_refusal *refusal)
{
	const struct sysctl *s = find_sysctl(key);

	if (mm_hugetlb_is_file(key))
		return mm_hugetlb_write(mm, key, value, refusal);
	if (!s) {
		mm_refuse(refusal, MM_ABOUT_SYSCTL, 0, "unknown sysctl '%.60s'", key);
		return -ENOENT;
	}
	if (!has_sysctl(mm, s)) {
		mm_refuse(refusal, MM_ABOUT_SYSCTL, 0,
			  "a kernel with its per-CPU lists has no sysctl '%s', but '%s'", s->name,
			  !strcmp(s->name, FRACTION) ? OLD_FRACTION : FRACTION);
		return -ENODEV;
	}
	if (value)
		return is_ratios(s) ? write_ratios(mm, s, value, refusal)
				    : write_number(mm, s, value, refusal);
	if (is_compact(s))
		return mm_refuse(refusal, MM_ABOUT_SYSCTL, 0, COMPACT " can only be written");
	/* These handlers do not look whether it is a read or a write. */
	if (is_ratios(s) || is_action(s))
		s->written(mm);
	return 0;
}

int mm_sysctl_text(const struct mm *mm, const char *key, char *text, size_t size)
{
	const struct sysctl *s = find_sysctl(key);
	size_t used = 0;

	if (!s || is_action(s))
		return -ENOENT;
	if (!has_sysctl(mm, s))
		return -ENODEV;
	if (mm_hugetlb_is_file(key)) {
		snprintf(text, size, "%" PRIu64, mm_hugetlb_read(mm, key));
		return 0;
	}
	if (!is_ratios(s)) {
		snprintf(text, size, "%" PRIu64, *(const uint64_t *)((const char *)mm + s->offset));
		return 0;
	}
	for (int z = 0; z < mm->arch->nr_zones && used < size; z++)
		used += (size_t)snprintf(text + used, size - used, "%s%" PRIu64, z ? "\t" : "",
					 mm->params.lowmem_reserve_ratio[mm->arch->zones[z].type]);
	return 0;
}
