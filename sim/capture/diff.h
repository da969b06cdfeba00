/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a captured kernel made of its machine, beside what the mm core makes of it.
 */
#ifndef SIM_CAPTURE_DIFF_H
#define SIM_CAPTURE_DIFF_H

#include <jansson.h>
#include <stdio.h>

#include "mm/mm.h"
#include "sim/capture/file.h"
#include "sim/config/diag.h"

/**
 * Compare each figure of the capture (zoneinfo, sysctl_vm, dmesg; the first has to be
 * there) with that of `mm`, as booted. Returns 0 and *out:
 *
 *   {"figures": N, "equal": N, "differences": [{"figure", "captured", "simulated"}],
 *    "not_compared": ["what is not in the capture"]}
 *
 * with null for what one side does not have; -ENOENT, -EIO, -EINVAL with the reason in diag;
 * -ENOMEM.
 */
int capture_diff(const struct capture *c, const struct mm *mm, bool changed, struct diag *diag,
		 json_t **out);

/** Print that as text. */
void capture_diff_print(const json_t *doc, FILE *out);

#endif
