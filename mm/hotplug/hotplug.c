/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory hotplug: which kernels have it, how large its blocks are, its parameters, and one step
 * handed to who takes it. One step at a time: mem_hotplug_lock.
 */
#include "mm/hotplug/hotplug_state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* arch/x86/mm/init_64.c: blocks of 2 GiB where memory ends at 64 GiB or above, on bare metal. */
#define LARGE_MEMORY      (UINT64_C(64) << 30)
#define LARGE_BLOCK_BYTES (UINT64_C(2) << 30)
#define DEFAULT_RATIO     301 /* auto_movable_ratio: 3:1 and a little for rounding */

int mm_hotplug_refuse(struct mm_hotplug_run *run, int err, const char *fmt, ...)
{
	va_list args;

	run->r->about = MM_ABOUT_HOTPLUG;
	run->r->index = 0;
	va_start(args, fmt);
	vsnprintf(run->r->why, sizeof(run->r->why), fmt, args);
	va_end(args);
	return err;
}

/* Why there is none; NULL: there is. 32-bit kernels have had none since 5.13. */
static const char *why_not(const struct mm *mm)
{
	if (mm->model->no_hotplug)
		return mm->model->no_hotplug;
	if (mm->arch->flags_bits < 64)
		return "CONFIG_MEMORY_HOTPLUG needs a 64-bit kernel";
	return NULL;
}

static unsigned block_order(const struct mm *mm, const struct mm_config *c)
{
	uint64_t bytes = c->memory_block_bytes;
	unsigned order = 0;

	if (!bytes)
		bytes = UINT64_C(1) << mm->arch->section_bits;
	if (!c->memory_block_bytes && mm->arch->id == MM_X86_64 &&
	    mm->end_pfn << mm->arch->page_shift >= LARGE_MEMORY)
		bytes = LARGE_BLOCK_BYTES;
	while (UINT64_C(1) << (order + mm->arch->page_shift) < bytes)
		order++;
	return order;
}

int mm_hotplug_init(struct mm *mm, const struct mm_config *c)
{
	struct mm_hotplug *hp;

	for_each_zone (mm, zone)
		zone->present_early = zone->present;
	if (why_not(mm))
		return 0;
	hp = calloc(1, sizeof(*hp));
	if (!hp)
		return -ENOMEM;
	mm->hotplug = hp;
	hp->lock = (struct mm_lock){
		.kind = MM_LOCK_HOTPLUG, .at = mm_image_home(mm, 8, 8), .holder = MM_NO_CPU};
	hp->block_shift = block_order(mm, c);
	hp->end = mm->hotplug_end;
	hp->params[MM_HOTPLUG_RATIO] = DEFAULT_RATIO;
	hp->params[MM_HOTPLUG_NUMA_AWARE] = 1;
	return 0;
}

void mm_hotplug_free(struct mm *mm)
{
	struct mm_hotplug *hp = mm->hotplug;

	if (!hp)
		return;
	free(hp->offline);
	free(hp->own_memmap);
	free(hp->added.at);
	free(hp->devices.at);
	free(hp);
}

pfn_t mm_frames_end(const struct mm *mm)
{
	pfn_t end = mm->hotplug_end >> mm->arch->page_shift;

	return end > mm->end_pfn ? end : mm->end_pfn;
}

uint64_t mm_memory_block_bytes(const struct mm *mm)
{
	return mm->hotplug ? mm_block_pages(mm->hotplug) << mm->arch->page_shift : 0;
}

uint64_t mm_hotplug_param(const struct mm *mm, enum mm_hotplug_param param)
{
	return mm->hotplug ? mm->hotplug->params[param] : 0;
}

/* Block by block, as a shell loop over their files would. */
static int for_blocks(struct mm_hotplug_run *run, const struct mm_hotplug_step *step)
{
	int err = 0;

	if (step->first > step->last)
		return mm_hotplug_refuse(run, -EINVAL,
					 "memory%" PRIu64 "-%" PRIu64 ": the last comes before the "
					 "first",
					 step->first, step->last);
	for (uint64_t number = step->first; number <= step->last && !err; number++) {
		phys_addr_t start = number << (run->hp->block_shift + run->mm->arch->page_shift);

		if (step->op == MM_HOTPLUG_REMOVE_BLOCKS)
			err = mm_hotplug_remove(run, start, mm_memory_block_bytes(run->mm));
		else if (step->op == MM_HOTPLUG_OFFLINE)
			err = mm_hotplug_offline(run, number);
		else
			err = mm_hotplug_online(run, step->op, number);
	}
	return err;
}

/* What is added goes online by itself where auto_online_blocks says so. */
static int add(struct mm_hotplug_run *run, const struct mm_hotplug_step *step)
{
	static const enum mm_hotplug_op ops[] = {
		[MM_AUTO_ONLINE] = MM_HOTPLUG_ONLINE,
		[MM_AUTO_KERNEL] = MM_HOTPLUG_ONLINE_KERNEL,
		[MM_AUTO_MOVABLE] = MM_HOTPLUG_ONLINE_MOVABLE,
	};
	uint64_t how = run->hp->params[MM_HOTPLUG_AUTO_ONLINE];
	unsigned shift = run->hp->block_shift + run->mm->arch->page_shift;
	uint64_t block = UINT64_C(1) << shift, added = run->done->blocks;
	struct mm_hotplug_step online = {.first = (step->start + block - 1) >> shift,
					 .last = ((step->start + step->bytes) >> shift) - 1};
	int err = mm_hotplug_add(run, step);

	if (err || how == MM_AUTO_OFFLINE)
		return err;
	online.op = ops[how];
	err = for_blocks(run, &online);
	run->done->blocks = added + (online.last - online.first + 1);
	return err;
}

static int set_param(struct mm_hotplug_run *run, const struct mm_hotplug_step *step)
{
	if (step->param == MM_HOTPLUG_MEMMAP_ON_MEMORY && step->value && !run->mm->model->devices)
		return mm_hotplug_refuse(run, -EINVAL,
					 "memmap_on_memory needs a virtually mapped memmap: the "
					 "sparse-vmemmap model, not %s",
					 run->mm->model->name);
	run->hp->params[step->param] = step->value;
	return 0;
}

static int take_step(struct mm_hotplug_run *run, const struct mm_hotplug_step *step)
{
	if (mm_zones_pin(run->mm))
		return mm_hotplug_refuse(run, -ENOMEM, "no memory on the host");
	switch (step->op) {
	case MM_HOTPLUG_ADD:
	case MM_HOTPLUG_ADD_KMEM:
		return add(run, step);
	case MM_HOTPLUG_REMOVE:
		return mm_hotplug_remove(run, step->start, step->bytes);
	case MM_HOTPLUG_DEVICE:
		return mm_hotplug_device(run, step);
	case MM_HOTPLUG_DEVICE_REMOVE:
		return mm_hotplug_device_remove(run, step);
	case MM_HOTPLUG_PARAM:
		return set_param(run, step);
	case MM_HOTPLUG_REMOVE_BLOCKS:
	case MM_HOTPLUG_ONLINE:
	case MM_HOTPLUG_ONLINE_KERNEL:
	case MM_HOTPLUG_ONLINE_MOVABLE:
	case MM_HOTPLUG_OFFLINE:
		break;
	}
	return for_blocks(run, step);
}

/* Nobody runs yet: as CPU 0 would, but nothing is told to anybody. */
static int step_before_start(struct mm_hotplug_run *run, const struct mm_hotplug_step *step)
{
	struct mm *mm = run->mm;
	struct mm_ops ops = mm->ops;
	int err;

	memset(&mm->ops, 0, sizeof(mm->ops));
	run->cpu = 0;
	err = take_step(run, step);
	mm->ops = ops;
	return err;
}

int mm_hotplug(struct mm *mm, int cpu, const struct mm_hotplug_step *step,
	       struct mm_hotplug_done *done, struct mm_refusal *refusal)
{
	struct mm_hotplug_run run = {mm, mm->hotplug, cpu, done, refusal};
	int err;

	*done = (struct mm_hotplug_done){0};
	if (!mm->hotplug)
		return mm_hotplug_refuse(
			&run, -EOPNOTSUPP,
			"no memory hotplug with the %s memory model on %s: %s; use "
			"sparse or sparse-vmemmap on a 64-bit architecture",
			mm->model->name, mm->arch->name, why_not(mm));
	if (cpu == MM_NO_CPU)
		return step_before_start(&run, step);
	mm_take_lock(mm, cpu, &run.hp->lock);
	err = take_step(&run, step);
	mm_leave_lock(mm, run.cpu, &run.hp->lock);
	return err;
}
