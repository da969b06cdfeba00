/* SPDX-License-Identifier: Apache-2.0 */
/* From a machine file to a booted mm core. */
#include "sim/machine/boot.h"

#include "sim/machine/hotplug.h"

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

static int tell_step(const struct machine *m, const struct machine_hotplug *h, const char *why,
		     struct diag *diag)
{
	return diag_error(diag, -EINVAL, h->line ? m->file : NULL, h->line, "%s%s: %s",
			  h->line ? "kernel.hotplug: " : "--hotplug ", h->text, why);
}

/* Where memory ends once all of the steps are taken. */
static int find_end(const struct machine *m, struct diag *diag, phys_addr_t *end)
{
	for (size_t i = 0; i < m->nr_hotplug; i++) {
		struct mm_hotplug_step step;
		char wrong[512];

		if (hotplug_parse(m->hotplug[i].text, &step, wrong, sizeof(wrong)))
			return tell_step(m, &m->hotplug[i], wrong, diag);
		if (hotplug_step_end(&step) > *end)
			*end = hotplug_step_end(&step);
	}
	for (size_t i = 0; i < m->nr_planned; i++) {
		struct mm_hotplug_step step;
		char wrong[128];

		/* A trace has no others than those that can be read. */
		if (!hotplug_parse(m->planned[i].text, &step, wrong, sizeof(wrong)) &&
		    hotplug_step_end(&step) > *end)
			*end = hotplug_step_end(&step);
	}
	return 0;
}

static int take_steps(const struct machine *m, struct mm *mm, struct diag *diag)
{
	int err = 0;

	for (size_t i = 0; i < m->nr_hotplug && !err; i++) {
		struct mm_hotplug_step step;
		struct mm_hotplug_done done;
		struct mm_refusal refusal;
		char wrong[512];

		err = hotplug_parse(m->hotplug[i].text, &step, wrong, sizeof(wrong));
		if (!err && mm_hotplug(mm, MM_NO_CPU, &step, &done, &refusal))
			err = tell_step(m, &m->hotplug[i], refusal.why, diag);
	}
	return err;
}

int boot_machine(const struct machine *m, const struct mm_ops *ops, void *ctx, struct diag *diag,
		 struct mm **out)
{
	struct mm_refusal refusal = {0};
	struct mm_config config = m->mm;
	int err = find_end(m, diag, &config.hotplug_end);

	if (err)
		return err;
	err = mm_boot(&config, ops, ctx, out, &refusal);
	if (err == -EINVAL)
		tell_refusal(m, &refusal, diag);
	if (err)
		return err;
	for (size_t i = 0; i < m->nr_sysctls && !err; i++)
		err = write_sysctl(m, &m->sysctls[i], *out, diag);
	if (!err)
		err = take_steps(m, *out, diag);
	if (err) {
		mm_destroy(*out);
		*out = NULL;
	}
	return err;
}
