/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocation flags as numbers, which mean other flags in other kernels. The mm core has the bits of
 * Linux 6.1 (mm/gfp.h).
 */
#ifndef SIM_TRACE_GFP_BITS_H
#define SIM_TRACE_GFP_BITS_H

#include "mm/gfp.h"

/* A kernel's release, as far as it matters: 4.9 is 0x409. */
#define KERNEL_RELEASE(major, minor) ((unsigned)(major) << 8 | (minor))
#define KERNEL_UNKNOWN               0u
#define KERNEL_NONE                  UINT32_MAX /* numasim wrote it: all bits are those of mm/gfp.h */

/** That of a text as uname -r has it, "6.1.0-13-amd64" or "4.9"; KERNEL_UNKNOWN where it is none.
 */
unsigned kernel_release(const char *text);

/**
 * What `bits` mean in a kernel of that release; KERNEL_UNKNOWN: in one since 5.1, which differ in
 * nothing that matters. Bits that such a kernel does not have are left out, and are in *unknown.
 */
gfp_t gfp_of_bits(uint32_t bits, unsigned release, uint32_t *unknown);

/** Are the numbers of such a kernel ours? So since 5.1. */
static inline bool gfp_bits_are_ours(unsigned release)
{
	return release >= KERNEL_RELEASE(5, 1);
}

#endif
