/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ZONE_DEVICE: memory of a device (persistent memory, mostly) gets page descriptors, so that it can
 * be mapped and be the target of DMA, but nobody allocates it: it is in no buddy list, and neither
 * present nor managed. The descriptors are in RAM, or with an altmap on the device itself.
 *
 * Follows Linux 6.1 mm/memremap.c (pagemap_range) and drivers/nvdimm/pfn_devs.c (where an altmap
 * begins).
 */
#include <errno.h>
#include <inttypes.h>

#include "mm/hotplug/hotplug_state.h"

#define INFO_BLOCK (UINT64_C(8) << 10) /* of libnvdimm: before the descriptors on the device */

static uint64_t subsection(const struct mm *mm)
{
	return (UINT64_C(1) << mm->arch->section_bits) / MM_SUBSECTIONS;
}

static int check_kernel(struct mm_hotplug_run *run)
{
	if (!run->mm->model->devices)
		return mm_hotplug_refuse(run, -EOPNOTSUPP,
					 "ZONE_DEVICE needs a virtually mapped memmap: the "
					 "sparse-vmemmap model, not %s",
					 run->mm->model->name);
	return 0;
}

static int check_aligned(struct mm_hotplug_run *run, const struct mm_hotplug_step *step)
{
	uint64_t unit = subsection(run->mm);

	if (step->bytes && step->start % unit == 0 && step->bytes % unit == 0)
		return 0;
	return mm_hotplug_refuse(run, -EINVAL,
				 "device memory at 0x%" PRIx64 "+0x%" PRIx64
				 ": expected multiples of 0x%" PRIx64 " bytes (%" PRIu64 " MiB)",
				 step->start, step->bytes, unit, unit >> 20);
}

/* Two devices share no section; what boot found has descriptors for all of one. */
static int check_sections(struct mm_hotplug_run *run, phys_addr_t start, phys_addr_t end)
{
	const struct mm_sections *s = run->mm->model->sections(run->mm);
	unsigned bits = run->mm->arch->section_bits;

	for (pfn_t n = start >> bits; n <= (end - 1) >> bits; n++)
		if (mm_section_present(s, n))
			return mm_hotplug_refuse(run, -EEXIST,
						 "the device shares the section [0x%" PRIx64
						 "-0x%" PRIx64
						 ") with memory or a device that has descriptors",
						 n << bits, (n + 1) << bits);
	return 0;
}

/* With the descriptors on the device: where they begin, and the first frame that is left. */
static int place_altmap(struct mm_hotplug_run *run, const struct mm_hotplug_step *step,
			phys_addr_t *at, pfn_t *first)
{
	const struct mm *mm = run->mm;
	uint64_t unit = subsection(mm);
	uint64_t bytes = (step->bytes >> mm->arch->page_shift) * mm->arch->page_struct_bytes;
	uint64_t data = (INFO_BLOCK + bytes + unit - 1) & ~(unit - 1);

	*at = MEMBLOCK_FAILED;
	*first = step->start >> mm->arch->page_shift;
	if (!step->on_device)
		return 0;
	if (data >= step->bytes)
		return mm_hotplug_refuse(run, -EINVAL,
					 "the device has %" PRIu64
					 " KiB: no room is left beside its %" PRIu64
					 " KiB of page descriptors",
					 step->bytes >> 10, data >> 10);
	*at = step->start + INFO_BLOCK;
	*first = (step->start + data) >> mm->arch->page_shift;
	return 0;
}

int mm_hotplug_device(struct mm_hotplug_run *run, const struct mm_hotplug_step *step)
{
	struct mm *mm = run->mm;
	const struct mm_plugged device = {.start = step->start,
					  .end = step->start + step->bytes,
					  .nid = step->nid,
					  .kmem = true,
					  .on_device = step->on_device};
	pfn_t start = step->start >> mm->arch->page_shift, first;
	pfn_t nr = step->bytes >> mm->arch->page_shift;
	struct mm_zone *zone;
	phys_addr_t at;
	int err = check_kernel(run);

	if (!err)
		err = mm_hotplug_check_end(run, device.start, device.end);
	if (!err)
		err = check_aligned(run, step);
	if (!err)
		err = mm_hotplug_check_node(run, step->nid);
	if (!err)
		err = mm_hotplug_check_free(run, device.start, device.end);
	if (!err)
		err = check_sections(run, device.start, device.end);
	if (!err)
		err = place_altmap(run, step, &at, &first);
	if (!err)
		err = mm_hot_memmap_add(run, start, start + nr, step->nid, at);
	if (!err)
		err = mm_plugged_add(&run->hp->devices, &device);
	if (err)
		return err;
	zone = &mm->nodes[step->nid].zones[mm_arch_zone_index(mm->arch, MM_ZONE_DEVICE)];
	err = mm_zone_grow(mm, zone, start, nr);
	mm_hot_memmap_init(mm, run->cpu, first, start + nr - first);
	return err;
}

int mm_hotplug_device_remove(struct mm_hotplug_run *run, const struct mm_hotplug_step *step)
{
	struct mm *mm = run->mm;
	const struct mm_plugged *device = mm_plugged_at(&run->hp->devices, step->start);
	pfn_t start = step->start >> mm->arch->page_shift, nr = step->bytes >> mm->arch->page_shift;
	int err;

	if (!device)
		return mm_hotplug_refuse(run, -ENODEV, "there is no device at 0x%" PRIx64,
					 step->start);
	if (device->start != step->start || device->end != step->start + step->bytes)
		return mm_hotplug_refuse(run, -EINVAL,
					 "expected all of the device, [0x%" PRIx64 "-0x%" PRIx64
					 "), found 0x%" PRIx64 "+0x%" PRIx64,
					 device->start, device->end, step->start, step->bytes);
	/* The zone spans it still: of its frames nobody asks whether they are online. */
	err = mm_plugged_cut(&run->hp->devices, step->start, step->start + step->bytes);
	mm_hot_memmap_remove(run, start, start + nr);
	return err;
}
