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

/* A model that cannot be is told where it is asked for. */
static void tell_refusal(const struct machine *m, const struct mm_refusal *refusal,
			 struct diag *diag)
{
	const char *file = m->model_file ? m->model_file : m->file;

	if (refusal->about != MM_ABOUT_MODEL)
		diag_error(diag, -EINVAL, m->file, 0, "%s", refusal->why);
	else if (m->model_line)
		diag_error(diag, -EINVAL, file, m->model_line, "%s", refusal->why);
	else
		diag_error(diag, -EINVAL, m->file, 0, "%s: %s", file, refusal->why);
}

int boot_machine(const struct machine *m, const struct mm_ops *ops, void *ctx, struct diag *diag,
		 struct mm **out)
{
	struct mm_refusal refusal = {0};
	int err;

	err = mm_boot(&m->mm, ops, ctx, out, &refusal);
	if (err == -EINVAL)
		tell_refusal(m, &refusal, diag);
	for (size_t i = 0; i < m->nr_sysctls && !err; i++) {
		err = write_sysctl(m, &m->sysctls[i], *out, diag);
		if (err) {
			mm_destroy(*out);
			*out = NULL;
		}
	}
	return err;
}
