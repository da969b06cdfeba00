/* SPDX-License-Identifier: Apache-2.0 */
/* Kernel profiles: what a kernel reserves at boot, as configs/kernels/NAME.cfg tells it. */
#ifndef SIM_MACHINE_PROFILE_H
#define SIM_MACHINE_PROFILE_H

#include "mm/arch.h"
#include "mm/boot/profile.h"
#include "sim/config/diag.h"

struct kernel_profile {
	char *name;
	char *release; /* of uname -r, "6.1.0-N-amd64", where N is any number; NULL: of no one */
	enum mm_arch_id arch;
	uint64_t brk_bytes; /* that the kernel takes directly behind its image */
	struct mm_profile mm;
};

/** Read a profile. Returns 0 (free with kernel_profile_clear()); errors as machine_load(). */
int kernel_profile_load(const char *path, struct diag *diag, struct kernel_profile *out);
void kernel_profile_clear(struct kernel_profile *p);

/**
 * Where the profile is: `name` is a path with a '/', relative to the folder of `file`, or else one
 * that comes with numasim. Malloc'd; NULL where there is none of that name, or no memory.
 */
char *kernel_profile_path(const char *name, const char *file);

/** The shipped profile nearest to a name that there is not; NULL: none is near. Malloc'd. */
char *kernel_profile_nearest(const char *name);

/**
 * The shipped profile of a kernel release. Returns 0 and *out (free with kernel_profile_clear());
 * -ENOENT where no profile is of it, nothing in diag; else as kernel_profile_load().
 */
int kernel_profile_of(const char *release, const struct mm_arch *arch, struct diag *diag,
		      struct kernel_profile *out);

#endif
