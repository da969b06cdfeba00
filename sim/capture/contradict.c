/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does what memblock had reserved go with the memory there is? A list that was cut at the end of a
 * line looks well-formed; what gives it away is that the memmap, by far the largest of the kernel's
 * own, is no longer in it.
 */
#include <inttypes.h>

#include "sim/capture/machine.h"

static bool touches(const struct captured_ranges *all, const struct captured_range *range)
{
	for (size_t i = 0; i < all->nr; i++)
		if (range->start < all->at[i].end && range->end > all->at[i].start)
			return true;
	return false;
}

int captured_reserved_check(const struct captured_machine *m, const struct captured_ranges *iomem,
			    const struct capture_file *f, struct diag *diag)
{
	uint64_t memory = 0, reserved = 0, memmap;

	for (size_t i = 0; i < m->memory.nr; i++)
		memory += m->memory.at[i].end - m->memory.at[i].start;
	for (size_t i = 0; i < m->reserved.nr; i++) {
		const struct captured_range *range = &m->reserved.at[i];

		reserved += range->end - range->start;
		/* ACPI's tables are no memory, but something. */
		if (iomem->nr && !touches(&m->memory, range) && !touches(iomem, range))
			return capture_wrong(f, range->line, diag,
					     "[0x%" PRIx64 "-0x%" PRIx64
					     ") is no memory, and nothing else in iomem.txt",
					     range->start, range->end);
	}
	memmap = (memory >> m->arch->page_shift) * m->arch->page_struct_bytes;
	if (reserved >= memmap)
		return 0;
	return capture_wrong(f, f->nr_lines - 1, diag,
			     "%" PRIu64 " KiB are reserved in all, less than the %" PRIu64
			     " KiB of the memmap of %" PRIu64 " MiB of memory: is the file cut?",
			     reserved >> 10, memmap >> 10, memory >> 20);
}
