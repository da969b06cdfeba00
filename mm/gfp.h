/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocation flags by the kernel's names, with the bit values of Linux 6.1
 * (include/linux/gfp_types.h), so that a numeric gfp_flags of a 6.x trace means the same here.
 */
#ifndef MM_GFP_H
#define MM_GFP_H

#include "mm/arch.h"

#define __GFP_DMA            0x1u
#define __GFP_HIGHMEM        0x2u
#define __GFP_DMA32          0x4u
#define __GFP_MOVABLE        0x8u
#define __GFP_RECLAIMABLE    0x10u
#define __GFP_HIGH           0x20u
#define __GFP_IO             0x40u
#define __GFP_FS             0x80u
#define __GFP_ZERO           0x100u
#define __GFP_ATOMIC         0x200u
#define __GFP_DIRECT_RECLAIM 0x400u
#define __GFP_KSWAPD_RECLAIM 0x800u
#define __GFP_WRITE          0x1000u
#define __GFP_NOWARN         0x2000u
#define __GFP_RETRY_MAYFAIL  0x4000u
#define __GFP_NOFAIL         0x8000u
#define __GFP_NORETRY        0x10000u
#define __GFP_MEMALLOC       0x20000u
#define __GFP_COMP           0x40000u
#define __GFP_NOMEMALLOC     0x80000u
#define __GFP_HARDWALL       0x100000u
#define __GFP_THISNODE       0x200000u
#define __GFP_ACCOUNT        0x400000u
#define __GFP_ZEROTAGS       0x800000u

/* Of kernels up to 4.14, where it had another bit; 6.1 has no use for this one. */
#define __GFP_COLD 0x80000000u

#define __GFP_ZONES          (__GFP_DMA | __GFP_HIGHMEM | __GFP_DMA32 | __GFP_MOVABLE)
#define __GFP_RECLAIM        (__GFP_DIRECT_RECLAIM | __GFP_KSWAPD_RECLAIM)
#define GFP_ATOMIC           (__GFP_HIGH | __GFP_ATOMIC | __GFP_KSWAPD_RECLAIM)
#define GFP_KERNEL           (__GFP_RECLAIM | __GFP_IO | __GFP_FS)
#define GFP_KERNEL_ACCOUNT   (GFP_KERNEL | __GFP_ACCOUNT)
#define GFP_NOWAIT           (__GFP_KSWAPD_RECLAIM)
#define GFP_NOIO             (__GFP_RECLAIM)
#define GFP_NOFS             (__GFP_RECLAIM | __GFP_IO)
#define GFP_USER             (__GFP_RECLAIM | __GFP_IO | __GFP_FS | __GFP_HARDWALL)
#define GFP_DMA              __GFP_DMA
#define GFP_DMA32            __GFP_DMA32
#define GFP_HIGHUSER         (GFP_USER | __GFP_HIGHMEM)
#define GFP_HIGHUSER_MOVABLE (GFP_HIGHUSER | __GFP_MOVABLE)
/* A page of a process: a folio by itself (the kernel: vma_alloc_folio()). */
#define GFP_USER_FOLIO      (GFP_HIGHUSER_MOVABLE | __GFP_COMP)
#define GFP_TRANSHUGE_LIGHT ((GFP_USER_FOLIO | __GFP_NOMEMALLOC | __GFP_NOWARN) & ~__GFP_RECLAIM)
#define GFP_TRANSHUGE       (GFP_TRANSHUGE_LIGHT | __GFP_DIRECT_RECLAIM)

/**
 * One flag or group by the kernel's name ("GFP_KERNEL", "__GFP_ZERO"), `len` bytes long.
 * Returns true and sets *out; false where the name is unknown.
 */
bool gfp_from_name(const char *name, size_t len, gfp_t *out);

/** The known names, for messages; NULL past the last one. */
const char *gfp_name(unsigned index);

/**
 * Print flags as the kernel's tracepoints do: groups first, largest first, then single flags,
 * joined by '|'; "none" for 0. Returns the length as snprintf does.
 */
int gfp_print(gfp_t gfp, char *buf, size_t size);

/** The mobility that the flags ask for; unmovable where they ask for both others. */
static inline enum mm_migratetype gfp_migratetype(gfp_t gfp)
{
	unsigned type = (gfp & (__GFP_MOVABLE | __GFP_RECLAIMABLE)) / __GFP_MOVABLE;

	_Static_assert(__GFP_RECLAIMABLE / __GFP_MOVABLE == MM_RECLAIMABLE && MM_MOVABLE == 1,
		       "mobilities are in the order of their flags");
	/* Both: the kernel warns of it, and it promises nothing. */
	return type < MM_NR_PCPTYPES ? (enum mm_migratetype)type : MM_UNMOVABLE;
}

/** Index of the highest zone of `arch` that the flags allow (kernel: gfp_zone()). */
static inline int gfp_zone(const struct mm_arch *arch, gfp_t gfp)
{
	int normal = mm_arch_zone_index(arch, MM_ZONE_NORMAL), zone = normal;

	if (!(gfp & __GFP_ZONES))
		return normal;
	if (gfp & __GFP_DMA)
		zone = mm_arch_zone_index(arch, MM_ZONE_DMA);
	else if (gfp & __GFP_DMA32)
		zone = mm_arch_zone_index(arch, MM_ZONE_DMA32);
	else if ((gfp & __GFP_MOVABLE) && (gfp & __GFP_HIGHMEM))
		zone = mm_arch_zone_index(arch, MM_ZONE_MOVABLE);
	else if (gfp & __GFP_HIGHMEM)
		zone = mm_arch_zone_index(arch, MM_ZONE_HIGHMEM);
	return zone >= 0 ? zone : normal;
}

#endif
