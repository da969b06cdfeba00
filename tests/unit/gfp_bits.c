/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers in gfp_flags by the kernel's release. Pairs of a number and its names are from reports of
 * real kernels ("invoked oom-killer: gfp_mask=0x14280ca(GFP_HIGHUSER_MOVABLE|__GFP_ZERO)").
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/config/diag.h"
#include "sim/trace/gfp_bits.h"
#include "sim/trace/trace.h"

static void means(uint32_t bits, unsigned release, gfp_t gfp, uint32_t left)
{
	uint32_t unknown;
	gfp_t got = gfp_of_bits(bits, release, &unknown);

	cr_expect_eq(got, gfp, "0x%x of %u.%u: 0x%x, not 0x%x", bits, release >> 8, release & 255,
		     got, gfp);
	cr_expect_eq(unknown, left, "0x%x of %u.%u: 0x%x unknown, not 0x%x", bits, release >> 8,
		     release & 255, unknown, left);
}

Test(gfp_bits, releases)
{
	cr_expect_eq(kernel_release("6.1.0-13-amd64"), KERNEL_RELEASE(6, 1));
	cr_expect_eq(kernel_release("4.19"), KERNEL_RELEASE(4, 19));
	cr_expect_eq(kernel_release("5.10-rc3"), KERNEL_RELEASE(5, 10));
	cr_expect_eq(kernel_release("6.1.0-N-amd64"), KERNEL_RELEASE(6, 1));
	for (size_t i = 0; i < 8; i++) {
		static const char *const none[8] = {"",     "6",    "six.one", "6.",
						    "-4.9", "4.9x", "0.1",     "4.999999999999"};

		cr_expect_eq(kernel_release(none[i]), KERNEL_UNKNOWN, "%s", none[i]);
	}
	cr_expect_lt(KERNEL_RELEASE(4, 9), KERNEL_RELEASE(4, 18));
	cr_expect_lt(KERNEL_RELEASE(4, 18), KERNEL_RELEASE(5, 1));
}

Test(gfp_bits, kernels_renumbered_them)
{
	static const unsigned r3 = KERNEL_RELEASE(3, 16), r4_9 = KERNEL_RELEASE(4, 9),
			      r4_15 = KERNEL_RELEASE(4, 15), r4_19 = KERNEL_RELEASE(4, 19),
			      r5_4 = KERNEL_RELEASE(5, 4), r6_12 = KERNEL_RELEASE(6, 12);

	means(0xd0, r3, GFP_KERNEL, 0);
	means(0x20, r3, GFP_ATOMIC, 0);
	means(0x280da, r3, GFP_HIGHUSER_MOVABLE | __GFP_ZERO, 0);
	means(0x201da, r3, GFP_HIGHUSER_MOVABLE | __GFP_COLD, 0);
	means(0x4200d0, r3, GFP_USER & ~__GFP_KSWAPD_RECLAIM, 0);

	means(0x24000c0, r4_9, GFP_KERNEL, 0);
	means(0x24280ca, r4_9, GFP_HIGHUSER_MOVABLE | __GFP_ZERO, 0);
	means(0x24201ca, r4_9, GFP_HIGHUSER_MOVABLE | __GFP_COLD, 0);
	means(0x240c0d0, r4_9, GFP_KERNEL | __GFP_RECLAIMABLE | __GFP_COMP | __GFP_ZERO, 0);
	means(0x2080020, r4_9, GFP_ATOMIC, 0);

	means(0x14000c0, r4_15, GFP_KERNEL, 0);
	means(0x15000c0, r4_15, GFP_KERNEL_ACCOUNT, 0);
	means(0x14280ca, r4_15, GFP_HIGHUSER_MOVABLE | __GFP_ZERO, 0);
	means(0x14201ca, KERNEL_RELEASE(4, 11), GFP_HIGHUSER_MOVABLE | __GFP_COLD, 0);
	means(0x14201ca, r4_15, GFP_HIGHUSER_MOVABLE, 0x100);

	means(0x6000c0, r4_19, GFP_KERNEL, 0);
	means(0x6200ca, r4_19, GFP_HIGHUSER_MOVABLE, 0);
	means(0x6201ca, r4_19, GFP_HIGHUSER_MOVABLE | __GFP_WRITE, 0);

	means(0xcc0, r5_4, GFP_KERNEL, 0);
	means(0x100cca, r5_4, GFP_HIGHUSER_MOVABLE, 0);
	means(0x1100cca, r5_4, GFP_HIGHUSER_MOVABLE, 0x1000000);
	means(0xa20, r5_4, GFP_ATOMIC, 0);
	/* One flag less: who may dip into reserves and does not wait is atomic. */
	means(0x820, r6_12, GFP_ATOMIC, 0);
	means(0x440dc0, r6_12, GFP_KERNEL_ACCOUNT | __GFP_COMP | __GFP_ZERO, 0);
	means(0xce0, r6_12, GFP_KERNEL | __GFP_HIGH, 0);
	means(0xcc0 | 0x200, r6_12, GFP_KERNEL, 0x200);
}

/* All flags of the mm core but the one of old kernels are those of 6.1. */
Test(gfp_bits, ours_are_those_of_6_1)
{
	for (unsigned bit = 0; bit < 24; bit++)
		means(1u << bit, KERNEL_RELEASE(6, 1), 1u << bit, 0);
	for (unsigned bit = 0; bit < 32; bit++)
		means(1u << bit, KERNEL_NONE, 1u << bit, 0);
	means(0x40000000, KERNEL_UNKNOWN, 0, 0x40000000);
}

#define ALLOC(pfn, flags)                                                                          \
	"a-1 [000] ..... 1.000000: mm_page_alloc: page=0x1 pfn=" pfn                               \
	" order=0 migratetype=0 gfp_flags=" flags "\n"

static struct trace *load(const char *text, const struct trace_hints *hints, struct diag *diag)
{
	char path[] = "/tmp/gfp_bits.XXXXXX";
	int fd = mkstemp(path);
	struct trace *t = NULL;

	*diag = (struct diag)DIAG_INIT;
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	cr_expect_eq(trace_load_with(path, hints, NULL, diag, &t), 0);
	unlink(path);
	return t;
}

/* A trace of 4.9: with its release, without, and taken from the machine. */
Test(gfp_bits, of_a_trace)
{
	static const char text[] =
		ALLOC("0x1", "GFP_KERNEL") ALLOC("0x2", "0x24000c0") ALLOC("0x3", "37748928")
			ALLOC("0x4", "GFP_NOFS|0x1000000") ALLOC("0x5", "0x64000c0");
	struct trace_hints hints = {.release = KERNEL_RELEASE(4, 9)};
	struct diag diag;
	struct trace *t = load(text, &hints, &diag);

	cr_expect_eq(diag.nr_warnings, 0);
	cr_expect_eq(t->nr_events, 5);
	for (int i = 0; i < 3; i++)
		cr_expect_eq(t->events[i].gfp, GFP_KERNEL, "%d", i);
	cr_expect_eq(t->events[3].gfp, GFP_NOFS | __GFP_WRITE);
	cr_expect_eq(t->events[4].gfp, GFP_KERNEL);
	cr_expect_eq(t->unknown_gfp, 1);
	cr_expect_str_eq(t->first_unknown_gfp, "0x4000000");
	trace_free(t);
	diag_clear(&diag);

	hints.release_assumed = true;
	t = load(text, &hints, &diag);
	cr_assert_eq(diag.nr_warnings, 1);
	cr_expect_eq(diag.warnings[0].line, 2);
	cr_expect(strstr(diag.warnings[0].text, "Linux 4.9"), "%s", diag.warnings[0].text);
	cr_expect_eq(t->events[1].gfp, GFP_KERNEL);
	trace_free(t);
	diag_clear(&diag);

	hints.release = KERNEL_UNKNOWN;
	t = load(text, &hints, &diag);
	cr_assert_eq(diag.nr_warnings, 1);
	cr_expect_eq(diag.warnings[0].line, 2);
	cr_expect(strstr(diag.warnings[0].text, "nothing says of which kernel"), "%s",
		  diag.warnings[0].text);
	cr_expect_eq(t->unknown_gfp, 1, "the number behind names");
	trace_free(t);
	diag_clear(&diag);

	/* Since 5.1 the machine's kernel does not matter; names never do. */
	hints.release = KERNEL_RELEASE(5, 10);
	t = load(ALLOC("0x1", "0xcc0"), &hints, &diag);
	cr_expect_eq(diag.nr_warnings, 0);
	trace_free(t);
	diag_clear(&diag);
	hints.release = KERNEL_UNKNOWN;
	t = load(ALLOC("0x1", "GFP_KERNEL|__GFP_ZERO"), &hints, &diag);
	cr_expect_eq(diag.nr_warnings, 0);
	trace_free(t);
	diag_clear(&diag);
}

/* perf script --header tells it, and goes before the machine, not before who runs numasim. */
Test(gfp_bits, of_a_trace_with_a_header)
{
	static const char text[] =
		"# ========\n# os release : 4.19.0-5-amd64\n# ========\n#\n"
		"perf 6 [000] 22.498450: kmem:mm_page_alloc: page=0x1 pfn=1 order=0 migratetype=0 "
		"gfp_flags=0x6000c0\n";
	struct trace_hints hints = {.release = KERNEL_RELEASE(4, 9), .release_assumed = true};
	struct diag diag;
	struct trace *t = load(text, &hints, &diag);

	cr_expect_str_eq(t->format, "perf");
	cr_expect_eq(diag.nr_warnings, 0);
	cr_expect_eq(t->events[0].gfp, GFP_KERNEL);
	trace_free(t);
	diag_clear(&diag);
	hints.release_assumed = false;
	t = load(text, &hints, &diag);
	cr_expect_eq(t->events[0].gfp, GFP_KERNEL & ~__GFP_KSWAPD_RECLAIM,
		     "in 4.9 0x200000 is __GFP_NOTRACK");
	trace_free(t);
	diag_clear(&diag);
}
