/* SPDX-License-Identifier: Apache-2.0 */
/* Names of allocation flags: values, printing as the kernel's tracepoints do, older names. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "mm/gfp.h"

static gfp_t flag(const char *name)
{
	gfp_t gfp = 0;

	cr_assert(gfp_from_name(name, strlen(name), &gfp), "unknown: %s", name);
	return gfp;
}

static gfp_t flags(const char *text)
{
	gfp_t gfp = 0;

	while (*text) {
		size_t len = strcspn(text, "|");
		gfp_t one;

		cr_assert(gfp_from_name(text, len, &one), "unknown: %s", text);
		gfp |= one;
		text += len + (text[len] == '|');
	}
	return gfp;
}

/* 0x140cca is what a 6.1 kernel records for an anonymous fault: hardwall 0x100000, compound
 * 0x40000, both reclaims 0xc00, IO and FS 0xc0, movable 8, highmem 2. */
Test(gfp, values_are_those_of_linux_6_1)
{
	cr_assert_eq(GFP_HIGHUSER_MOVABLE | __GFP_COMP, 0x140cca);
	cr_assert_eq(GFP_KERNEL, 0xcc0);
	cr_assert_eq(GFP_ATOMIC, 0xa20);
	cr_assert_eq(GFP_TRANSHUGE, 0x1c24ca);
}

/* gfp_flags.txt has each distinct gfp_flags text of nine traces of a 6.1 kernel. */
Test(gfp, what_the_kernel_printed_prints_back)
{
	FILE *f = fopen(SOURCE_DIR "/tests/reference/trace-forms/gfp_flags.txt", "r");
	char line[512], out[512];
	int nr = 0;

	cr_assert_not_null(f);
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		int len = gfp_print(flags(line), out, sizeof(out));

		cr_expect_str_eq(out, line);
		cr_expect_eq(len, (int)strlen(line));
		nr++;
	}
	fclose(f);
	cr_assert_eq(nr, 37);
}

Test(gfp, every_single_bit_prints_back)
{
	char out[64];

	for (unsigned bit = 0; bit < 24; bit++) {
		gfp_t gfp = (gfp_t)1 << bit;

		gfp_print(gfp, out, sizeof(out));
		cr_expect_eq(flag(out), gfp, "bit %u printed as %s", bit, out);
	}
}

Test(gfp, bits_without_a_name_print_as_hex)
{
	char out[64];

	gfp_print(GFP_KERNEL | 0x1000000, out, sizeof(out));
	cr_assert_str_eq(out, "GFP_KERNEL|0x1000000");
	gfp_print(0x3000000, out, sizeof(out));
	cr_assert_str_eq(out, "0x3000000");
}

Test(gfp, prints_as_snprintf_does)
{
	char out[8] = "xxxxxxx";
	const char *whole = "GFP_KERNEL|__GFP_ZERO";

	cr_assert_eq(gfp_print(GFP_KERNEL | __GFP_ZERO, NULL, 0), (int)strlen(whole));
	cr_assert_eq(gfp_print(GFP_KERNEL | __GFP_ZERO, out, sizeof(out)), (int)strlen(whole));
	cr_assert_str_eq(out, "GFP_KER");
	cr_assert_eq(gfp_print(0, out, sizeof(out)), 4);
	cr_assert_str_eq(out, "none");
}

Test(gfp, older_names_are_known)
{
	cr_assert_eq(flag("__GFP_WAIT"), __GFP_RECLAIM);
	cr_assert_eq(flag("__GFP_REPEAT"), __GFP_RETRY_MAYFAIL);
	cr_assert_eq(flag("GFP_TEMPORARY"), GFP_KERNEL | __GFP_RECLAIMABLE);
	cr_assert_eq(flag("GFP_COMP"), __GFP_COMP); /* before 4.6, without the underscores */
	cr_assert_eq(flag("__GFP_COLD"), __GFP_COLD);
	cr_assert_eq(flag("__GFP_NOTRACK"), 0);
	cr_assert_eq(flag("__GFP_OTHER_NODE"), 0);
}

Test(gfp, unknown_names_are_refused)
{
	gfp_t gfp = 42;

	cr_assert_not(gfp_from_name("GFP_KERNAL", 10, &gfp));
	cr_assert_not(gfp_from_name("GFP_KERNEL", 9, &gfp));
	cr_assert_not(gfp_from_name("", 0, &gfp));
	cr_assert_eq(gfp, 42);
}

Test(gfp, names_can_be_listed)
{
	unsigned nr = 0;

	while (gfp_name(nr))
		flag(gfp_name(nr++));
	cr_assert_gt(nr, 24); /* each of the 24 bits has one at least */
	cr_assert_null(gfp_name(nr));
	cr_assert_null(gfp_name(nr + 1000000));
}

Test(gfp, migratetype_follows_from_the_flags)
{
	cr_assert_eq(gfp_migratetype(GFP_KERNEL), MM_UNMOVABLE);
	cr_assert_eq(gfp_migratetype(GFP_HIGHUSER_MOVABLE), MM_MOVABLE);
	cr_assert_eq(gfp_migratetype(GFP_NOWAIT | __GFP_RECLAIMABLE), MM_RECLAIMABLE);
	cr_assert_eq(gfp_migratetype(__GFP_MOVABLE | __GFP_RECLAIMABLE), MM_UNMOVABLE);
}
