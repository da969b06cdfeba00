/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boot the mm core on a machine from a file, with a refusal told as an error of that file.
 */
#ifndef SIM_BOOT_H
#define SIM_BOOT_H

#include "sim/config/diag.h"
#include "sim/machine/machine.h"

/**
 * mm_boot() on `m`, then its sysctls and steps of memory hotplug; the same for `ops` and `ctx`.
 * Returns 0 and *out; -EINVAL with what the mm core refuses in diag, at the line of the memory
 * model, the sysctl or the step where it is about that; -ENOMEM.
 */
int boot_machine(const struct machine *m, const struct mm_ops *ops, void *ctx, struct diag *diag,
		 struct mm **out);

#endif
