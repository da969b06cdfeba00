/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The flags of each bit by the kernel's release (include/linux/gfp.h, since 6.0 gfp_types.h). They
 * were renumbered in 4.4 (what a caller may wait for became two flags), 4.10 and 4.18 (holes were
 * filled), and 5.1 (GFP_KERNEL fits in 12 bits). Reports of real kernels agree: GFP_KERNEL is 0xd0
 * in 3.x, 0x24000c0 in 4.9, 0x14000c0 in 4.15, 0x6000c0 in 4.19 and 0xcc0 in 5.4.
 */
#include <stdlib.h>

#include "sim/trace/gfp_bits.h"

#define OF KERNEL_RELEASE

struct gfp_bit {
	uint32_t bit;
	unsigned from, before; /* releases: [from, before) */
	gfp_t flags;           /* 0: asks for nothing that matters */
};

/* Up to 4.3: kswapd is not to be woken. */
#define OLD_NO_KSWAPD 0x400000u

#define EVER UINT32_MAX

static const struct gfp_bit table[] = {
	{0x1, 0, EVER, __GFP_DMA},
	{0x2, 0, EVER, __GFP_HIGHMEM},
	{0x4, 0, EVER, __GFP_DMA32},
	{0x8, 0, EVER, __GFP_MOVABLE},
	{0x10, 0, OF(4, 4), __GFP_DIRECT_RECLAIM},
	{0x10, OF(4, 4), EVER, __GFP_RECLAIMABLE},
	{0x20, 0, EVER, __GFP_HIGH},
	{0x40, 0, EVER, __GFP_IO},
	{0x80, 0, EVER, __GFP_FS},

	/* up to 5.0 */
	{0x100, 0, OF(4, 15), __GFP_COLD},
	{0x100, OF(4, 18), OF(5, 1), __GFP_WRITE},
	{0x200, 0, OF(5, 1), __GFP_NOWARN},
	{0x400, 0, OF(5, 1), __GFP_RETRY_MAYFAIL},
	{0x800, 0, OF(5, 1), __GFP_NOFAIL},
	{0x1000, 0, OF(5, 1), __GFP_NORETRY},
	{0x2000, 0, OF(5, 1), __GFP_MEMALLOC},
	{0x4000, 0, OF(5, 1), __GFP_COMP},
	{0x8000, 0, OF(5, 1), __GFP_ZERO},
	{0x10000, 0, OF(5, 1), __GFP_NOMEMALLOC},
	{0x20000, 0, OF(5, 1), __GFP_HARDWALL},
	{0x40000, 0, OF(5, 1), __GFP_THISNODE},
	{0x80000, 0, OF(4, 4), __GFP_RECLAIMABLE},
	{0x80000, OF(4, 4), OF(5, 1), __GFP_ATOMIC},
	{0x100000, 0, OF(4, 5), 0}, /* __GFP_KMEMCG, __GFP_NOACCOUNT */
	{0x100000, OF(4, 5), OF(5, 1), __GFP_ACCOUNT},
	{0x200000, 0, OF(4, 15), 0}, /* __GFP_NOTRACK */
	{0x200000, OF(4, 18), OF(5, 1), __GFP_DIRECT_RECLAIM},
	{OLD_NO_KSWAPD, 0, OF(4, 4), 0},
	{0x400000, OF(4, 4), OF(4, 18), __GFP_DIRECT_RECLAIM},
	{0x400000, OF(4, 18), OF(5, 1), __GFP_KSWAPD_RECLAIM},
	{0x800000, 0, OF(4, 10), 0}, /* __GFP_OTHER_NODE */
	{0x800000, OF(4, 10), OF(4, 18), __GFP_WRITE},
	{0x800000, OF(4, 18), OF(5, 1), 0}, /* __GFP_NOLOCKDEP */
	{0x1000000, 0, OF(4, 10), __GFP_WRITE},
	{0x1000000, OF(4, 10), OF(4, 18), __GFP_KSWAPD_RECLAIM},
	{0x2000000, OF(4, 4), OF(4, 10), __GFP_KSWAPD_RECLAIM},
	{0x2000000, OF(4, 12), OF(4, 18), 0}, /* __GFP_NOLOCKDEP */

	/* since 5.1 */
	{0x100, OF(5, 1), EVER, __GFP_ZERO},
	{0x200, OF(5, 1), OF(6, 3), __GFP_ATOMIC},
	{0x400, OF(5, 1), EVER, __GFP_DIRECT_RECLAIM},
	{0x800, OF(5, 1), EVER, __GFP_KSWAPD_RECLAIM},
	{0x1000, OF(5, 1), EVER, __GFP_WRITE},
	{0x2000, OF(5, 1), EVER, __GFP_NOWARN},
	{0x4000, OF(5, 1), EVER, __GFP_RETRY_MAYFAIL},
	{0x8000, OF(5, 1), EVER, __GFP_NOFAIL},
	{0x10000, OF(5, 1), EVER, __GFP_NORETRY},
	{0x20000, OF(5, 1), EVER, __GFP_MEMALLOC},
	{0x40000, OF(5, 1), EVER, __GFP_COMP},
	{0x80000, OF(5, 1), EVER, __GFP_NOMEMALLOC},
	{0x100000, OF(5, 1), EVER, __GFP_HARDWALL},
	{0x200000, OF(5, 1), EVER, __GFP_THISNODE},
	{0x400000, OF(5, 1), EVER, __GFP_ACCOUNT},
	{0x800000, OF(5, 1), OF(5, 14), 0}, /* __GFP_NOLOCKDEP */
	{0x800000, OF(5, 14), EVER, __GFP_ZEROTAGS},
	/* Tags of KASAN, lockdep, extensions of slabs: which is which hangs on the configuration.
	 */
	{0x1000000, OF(5, 14), EVER, 0},
	{0x2000000, OF(5, 14), EVER, 0},
	{0x4000000, OF(5, 14), EVER, 0},
	{0x8000000, OF(5, 14), EVER, 0},
};

unsigned kernel_release(const char *text)
{
	char *end;
	unsigned long major, minor;

	if (*text < '0' || *text > '9')
		return KERNEL_UNKNOWN;
	major = strtoul(text, &end, 10);
	if (*end != '.' || end[1] < '0' || end[1] > '9')
		return KERNEL_UNKNOWN;
	minor = strtoul(end + 1, &end, 10);
	if (!major || major > 255 || minor > 255 || (*end && *end != '.' && *end != '-'))
		return KERNEL_UNKNOWN;
	return KERNEL_RELEASE(major, minor);
}

/* What followed from other flags, as one that is set today. */
static gfp_t implied(uint32_t bits, unsigned release, gfp_t gfp)
{
	if (release < OF(4, 4) && !(bits & OLD_NO_KSWAPD))
		gfp |= __GFP_KSWAPD_RECLAIM;
	if ((release < OF(4, 4) || release >= OF(6, 3)) && (gfp & __GFP_HIGH) &&
	    !(gfp & __GFP_DIRECT_RECLAIM))
		gfp |= __GFP_ATOMIC;
	return gfp;
}

gfp_t gfp_of_bits(uint32_t bits, unsigned release, uint32_t *unknown)
{
	gfp_t gfp = 0;

	if (release == KERNEL_NONE) {
		*unknown = 0;
		return bits;
	}
	if (release == KERNEL_UNKNOWN)
		release = OF(6, 1);
	*unknown = bits;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		const struct gfp_bit *b = &table[i];

		if (!(bits & b->bit) || release < b->from || release >= b->before)
			continue;
		gfp |= b->flags;
		*unknown &= ~b->bit;
	}
	return implied(bits, release, gfp);
}
