/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which kernel profile stands for what a captured kernel reserved, where memblock's own list is not
 * in the capture.
 */
#include "sim/capture/machine.h"

#include <errno.h>
#include <string.h>

#include "sim/machine/profile.h"

/* acpi_numa_memory_affinity_init() counts memory that is not there yet; numa=off does not ask. */
static uint64_t find_hotplug_end(const struct captured_machine *m,
				 const struct captured_dmesg *dmesg)
{
	uint64_t memory_end = 0, end = 0;

	for (size_t i = 0; i < m->memory.nr; i++)
		if (m->memory.at[i].end > memory_end)
			memory_end = m->memory.at[i].end;
	for (size_t i = 0; i < dmesg->nodes.nr; i++)
		if (dmesg->nodes.at[i].end > end)
			end = dmesg->nodes.at[i].end;
	return end > memory_end && !strstr(m->command_line, "numa=off") ? end : 0;
}

int captured_profile_name(struct captured_machine *m, struct diag *diag)
{
	struct kernel_profile profile;
	int err = m->kernel ? kernel_profile_of(m->kernel, m->arch, diag, &profile) : -ENOENT;

	if (err)
		return err == -ENOENT ? 0 : err;
	m->profile = strdup(profile.name);
	kernel_profile_clear(&profile);
	return m->profile ? 0 : -ENOMEM;
}

int captured_profile_read(struct captured_machine *m, const struct captured_dmesg *dmesg,
			  const char *file, struct diag *diag)
{
	struct kernel_profile profile;
	int err = m->kernel ? kernel_profile_of(m->kernel, m->arch, diag, &profile) : -ENOENT;

	if (err == -ENOENT) {
		diag_warn(diag, file, 0,
			  "no kernel profile is known for %s: what it reserves for hash tables, "
			  "bounce buffers and the like is left out",
			  m->kernel ? m->kernel : "its kernel");
		return 0;
	}
	if (err)
		return err;
	m->profile = strdup(profile.name);
	m->brk_bytes = profile.brk_bytes;
	m->hotplug_end = find_hotplug_end(m, dmesg);
	kernel_profile_clear(&profile);
	return m->profile ? 0 : -ENOMEM;
}
