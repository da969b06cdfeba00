/* SPDX-License-Identifier: Apache-2.0 */
/* Sysctls: what a write and a read compute again, and which values are refused. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "../mm_fixture.h"

enum { DMA, DMA32 };

/* 1 GiB, of which 512 MiB come back late: no figure has noticed. */
static struct mm *boot_stale(void)
{
	struct machine m = {.model = MM_SPARSE,
			    .memory = {{0, GiB, 0}},
			    .cpus = {2},
			    .reserved = {{512 * MiB, 512 * MiB, MM_HOLDS_OTHER}},
			    .late = {{512 * MiB, 512 * MiB, false}},
			    .no_thp = true};

	return boot(&m);
}

static void must_write(struct mm *mm, const char *key, const char *value)
{
	struct mm_refusal refusal;

	cr_assert_eq(mm_sysctl(mm, key, value, &refusal), 0, "%s: %s", key, refusal.why);
	must_verify(mm, key);
}

/*
 * DMA has 4096 pages, DMA32 258048, 262144 in all; 4096 KiB are 1024 pages. DMA: min = 1024 * 4096
 * / 262144 = 16, step 4. DMA32: min = 1008, step = max(252, 258) = 258. The list of one of two CPUs
 * has 1266 / 2 = 633 pages at most, its batch is 63. lowmem_reserve stays.
 */
Test(sysctl, min_free_kbytes_computes_watermarks_and_lists)
{
	struct mm *mm = boot_stale();
	struct mm_zone_info was = zone_info(mm, 0, DMA), dma, dma32;

	must_write(mm, "min_free_kbytes", "4096");
	dma = zone_info(mm, 0, DMA);
	dma32 = zone_info(mm, 0, DMA32);
	cr_expect_eq(mm_min_free_kbytes(mm), 4096);
	cr_expect(dma.min == 16 && dma.low == 20 && dma.high == 24);
	cr_expect(dma32.min == 1008 && dma32.low == 1266 && dma32.high == 1524);
	cr_expect(dma32.pcp_high == 633 && dma32.pcp_batch == 63);
	cr_expect_arr_eq(dma.protection, was.protection, sizeof(was.protection));
	mm_destroy(mm);
}

/* 126976 pages / 256 = 496 when it was computed; 258048 / 256 = 1008 once it is read. */
Test(sysctl, reading_the_ratios_computes_the_reserve)
{
	struct mm *mm = boot_stale();
	struct mm_zone_info was = zone_info(mm, 0, DMA32);
	char text[64];

	cr_expect_eq(zone_info(mm, 0, DMA).protection[DMA32], 496);
	cr_expect_eq(mm_sysctl_text(mm, "lowmem_reserve_ratio", text, sizeof(text)), 0);
	cr_expect_str_eq(text, "256\t256\t32\t0\t0");
	cr_expect_eq(zone_info(mm, 0, DMA).protection[DMA32], 496);
	must_write(mm, "lowmem_reserve_ratio", NULL);
	cr_expect_eq(zone_info(mm, 0, DMA).protection[DMA32], 1008);
	cr_expect_eq(zone_info(mm, 0, DMA32).min, was.min);
	mm_destroy(mm);
}

Test(sysctl, ratios_that_are_not_given_stay)
{
	struct mm *mm = boot_stale();
	char text[64];

	must_write(mm, "lowmem_reserve_ratio", " 100\t50 ");
	cr_expect_eq(mm_sysctl_text(mm, "lowmem_reserve_ratio", text, sizeof(text)), 0);
	cr_expect_str_eq(text, "100\t50\t32\t0\t0");
	cr_expect_eq(zone_info(mm, 0, DMA).protection[DMA32], 2580);
	must_write(mm, "lowmem_reserve_ratio", "0");
	cr_expect_eq(zone_info(mm, 0, DMA).protection[DMA32], 0);
	mm_destroy(mm);
}

/* 258048 / 8 / 2 CPUs. Writing what is there already computes nothing. */
Test(sysctl, high_fraction_counts_from_managed_pages_once_it_changes)
{
	struct mm *mm = boot_stale();
	struct mm_zone_info was = zone_info(mm, 0, DMA32);

	must_write(mm, "percpu_pagelist_high_fraction", "0");
	cr_expect_eq(zone_info(mm, 0, DMA32).pcp_batch, was.pcp_batch);
	must_write(mm, "percpu_pagelist_high_fraction", "8");
	cr_expect_eq(zone_info(mm, 0, DMA32).pcp_high, 16128);
	cr_expect_eq(zone_info(mm, 0, DMA32).pcp_batch, 63);
	cr_expect_eq(zone_info(mm, 0, DMA32).min, was.min);
	mm_destroy(mm);
}

Test(sysctl, others_are_kept)
{
	struct mm *mm = boot_stale();
	const char *value;
	char text[64];

	for (unsigned i = 0; mm_sysctl_name(i); i++) {
		const char *name = mm_sysctl_name(i);

		if (!strcmp(name, "compact_memory") || !strcmp(name, "stat_refresh"))
			continue; /* have no value */
		if (!strcmp(name, "percpu_pagelist_fraction"))
			continue; /* kernels up to 5.13 had it */
		value = "100\n";
		if (!strcmp(name, "compact_unevictable_allowed") || !strcmp(name, "page-cluster") ||
		    !strcmp(name, "overcommit_memory"))
			value = "0\n";
		must_write(mm, name, value);
		cr_expect_eq(mm_sysctl_text(mm, name, text, sizeof(text)), 0);
		cr_expect_eq(strncmp(text, value, strlen(value) - 1), 0, "%s: %s", name, text);
	}
	mm_destroy(mm);
}

Test(sysctl, wrong_values_change_nothing)
{
	static const char *const wrong[][2] = {
		{"min_free_kbytes", "-1"},
		{"min_free_kbytes", ""},
		{"min_free_kbytes", "4k"},
		{"min_free_kbytes", "1 2"},
		{"min_free_kbytes", "2147483648"},
		{"min_free_kbytes", "99999999999999999999"},
		{"watermark_scale_factor", "0"},
		{"watermark_scale_factor", "3001"},
		{"percpu_pagelist_high_fraction", "7"},
		{"compact_memory", "0"},
		{"compact_memory", "2"},
		{"extfrag_threshold", "1001"},
		{"compact_unevictable_allowed", "2"},
		{"compaction_proactiveness", "101"},
		{"lowmem_reserve_ratio", ""},
		{"lowmem_reserve_ratio", "1 2 x"},
		{"lowmem_reserve_ratio", "1 2 3 4 5 6"},
	};
	struct mm *mm = boot_stale();
	struct mm_zone_info was = zone_info(mm, 0, DMA32), is;
	struct mm_refusal refusal;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		cr_expect_eq(mm_sysctl(mm, wrong[i][0], wrong[i][1], &refusal), -EINVAL, "%s=%s",
			     wrong[i][0], wrong[i][1]);
		cr_expect_eq(refusal.about, MM_ABOUT_SYSCTL);
	}
	cr_expect_eq(mm_sysctl(mm, "minfree", "1", &refusal), -ENOENT);
	cr_expect_eq(mm_sysctl_text(mm, "minfree", NULL, 0), -ENOENT);
	is = zone_info(mm, 0, DMA32);
	cr_expect_eq(memcmp(&was, &is, sizeof(is)), 0);
	mm_destroy(mm);
}
