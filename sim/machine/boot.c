/* SPDX-License-Identifier: Apache-2.0 */
/* From a machine file to a booted mm core. */
#include "sim/machine/boot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *sysctl_name(unsigned i, void *arg)
{
	(void)arg;
	return mm_sysctl_name(i);
}

static int tell_sysctl(const struct machine *m, const struct machine_sysctl *s, const char *key,
		       int err, const char *why, struct diag *diag)
{
	const char *nearest = err == -ENOENT ? diag_nearest(key, sysctl_name, NULL) : NULL;
	const char *file = s->line ? m->file : NULL;

	return diag_error(diag, -EINVAL, file, s->line, "%s%s: %s%s%s%s",
			  s->line ? "kernel.sysctl: " : "--sysctl ", s->text, why,
			  nearest ? ", did you mean '" : "", nearest ? nearest : "",
			  nearest ? "'?" : "");
}

/* One "KEY=VALUE" or "KEY", with or without the "vm." of sysctl(8). */
static int write_sysctl(const struct machine *m, const struct machine_sysctl *s, struct mm *mm,
			struct diag *diag)
{
	struct mm_refusal refusal = {0};
	char *copy = strdup(s->text), *key = copy, *value;
	int err;

	if (!copy)
		return -ENOMEM;
	value = strchr(copy, '=');
	if (value)
		*value++ = '\0';
	if (!strncmp(key, "vm.", 3))
		key += 3;
	err = mm_sysctl(mm, key, value, &refusal);
	if (err)
		err = tell_sysctl(m, s, key, err, refusal.why, diag);
	free(copy);
	return err;
}

int boot_machine(const struct machine *m, const struct mm_ops *ops, void *ctx, struct diag *diag,
		 struct mm **out)
{
	struct mm_refusal refusal = {0};
	int err;

	err = mm_boot(&m->mm, ops, ctx, out, &refusal);
	if (err == -EINVAL)
		diag_error(diag, err, m->file, refusal.about == MM_ABOUT_MODEL ? m->model_line : 0,
			   "%s", refusal.why);
	for (size_t i = 0; i < m->nr_sysctls && !err; i++) {
		err = write_sysctl(m, &m->sysctls[i], *out, diag);
		if (err) {
			mm_destroy(*out);
			*out = NULL;
		}
	}
	return err;
}
