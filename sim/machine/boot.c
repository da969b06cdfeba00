/* SPDX-License-Identifier: Apache-2.0 */
/* From a machine file to a booted mm core. */
#include "sim/machine/boot.h"

#include <errno.h>

int boot_machine(const struct machine *m, const struct mm_ops *ops, void *ctx, struct diag *diag,
		 struct mm **out)
{
	struct mm_refusal refusal = {0};
	int err;

	err = mm_boot(&m->mm, ops, ctx, out, &refusal);
	if (err == -EINVAL)
		diag_error(diag, err, m->file, refusal.about == MM_ABOUT_MODEL ? m->model_line : 0,
			   "%s", refusal.why);
	return err;
}
