/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that comes and goes while the kernel runs, in steps as sysfs has them: a range is added
 * (its page descriptors are made, its memory blocks are offline), blocks go online in a zone and
 * offline again, a range is removed. And memory of devices (ZONE_DEVICE), which has descriptors and
 * is nobody's to allocate.
 *
 * Only on a 64-bit kernel with one of the sparse memory models. Simulated time passes in all steps:
 * locks, descriptors that are written, pages that move.
 *
 * Follows Linux 6.1 mm/memory_hotplug.c, drivers/base/memory.c, mm/memremap.c, drivers/dax/kmem.c.
 */
#ifndef MM_HOTPLUG_H
#define MM_HOTPLUG_H

#include "mm/mm.h"

enum mm_hotplug_op {
	MM_HOTPLUG_ADD,      /* start, bytes, nid: whole memory blocks */
	MM_HOTPLUG_ADD_KMEM, /* the same of persistent memory; what is no whole block is lost */
	MM_HOTPLUG_REMOVE,   /* start, bytes: whole blocks, all offline */
	MM_HOTPLUG_REMOVE_BLOCKS,  /* first to last: the same by block number */
	MM_HOTPLUG_ONLINE,         /* first to last: in the zone that online_policy chooses */
	MM_HOTPLUG_ONLINE_KERNEL,  /* in one of the kernel's */
	MM_HOTPLUG_ONLINE_MOVABLE, /* in ZONE_MOVABLE */
	MM_HOTPLUG_OFFLINE,        /* first to last */
	MM_HOTPLUG_DEVICE,         /* start, bytes, nid, on_device: ZONE_DEVICE */
	MM_HOTPLUG_DEVICE_REMOVE,  /* start, bytes: as it was added */
	MM_HOTPLUG_PARAM,          /* param, value */
};

/* Of the memory_hotplug module and /sys/devices/system/memory. */
enum mm_hotplug_param {
	MM_HOTPLUG_AUTO_ONLINE,      /* an enum mm_auto_online: what is added goes online at once */
	MM_HOTPLUG_AUTO_MOVABLE,     /* online_policy: 1 auto-movable, 0 contig-zones */
	MM_HOTPLUG_RATIO,            /* auto_movable_ratio: percent of movable to kernel memory */
	MM_HOTPLUG_NUMA_AWARE,       /* auto_movable_numa_aware: also within the node; 0 or 1 */
	MM_HOTPLUG_MEMMAP_ON_MEMORY, /* descriptors of a block are in it; 0 or 1 */
	MM_NR_HOTPLUG_PARAMS
};
enum mm_auto_online { MM_AUTO_OFFLINE, MM_AUTO_ONLINE, MM_AUTO_KERNEL, MM_AUTO_MOVABLE };

struct mm_hotplug_step {
	enum mm_hotplug_op op;
	phys_addr_t start;
	uint64_t bytes;
	int nid;
	uint64_t first, last; /* numbers of memory blocks, inclusive */
	bool on_device;       /* the descriptors are on the device itself (altmap), not in RAM */
	enum mm_hotplug_param param;
	uint64_t value;
};

/* What a step did, as far as it came. */
struct mm_hotplug_done {
	uint64_t blocks;   /* that were added, removed, went online or offline */
	uint64_t migrated; /* pages that offlining moved away */
};

/**
 * Take a step on that CPU; MM_NO_CPU: before anybody runs, at no cost, and no op is called.
 * Returns 0 and *done; else an error with the reason in *refusal, and what came before the block
 * that it names stays done: -EOPNOTSUPP where the kernel has no memory hotplug, -EINVAL for what
 * cannot be, -EEXIST where there is memory already, -ENODEV where there is none, -EBUSY where
 * something cannot be moved or is online, -ENOMEM where descriptors have no room.
 */
int mm_hotplug(struct mm *mm, int cpu, const struct mm_hotplug_step *step,
	       struct mm_hotplug_done *done, struct mm_refusal *refusal);

/* A memory block as /sys/devices/system/memory/memoryN has it. */
struct mm_memory_block_info {
	uint64_t number;
	int nid;
	bool online;
	int zone;       /* where it is online: of its memory; -1: offline, or of several */
	bool has_holes; /* some frame of it is no memory: it cannot go offline */
	/* Offline: the zones that it could go online in, the default one first; -1: no more. */
	int valid_zones[2];
};

/** No frame of memory, now or once more is added, has this number or a higher one. */
pfn_t mm_frames_end(const struct mm *mm);
/** Bytes of a memory block: block_size_bytes. 0 where there are none (no sparse model). */
uint64_t mm_memory_block_bytes(const struct mm *mm);
/** The first memory block with a number of at least `number`; false where there is none. */
bool mm_memory_block(const struct mm *mm, uint64_t number, struct mm_memory_block_info *info);
uint64_t mm_hotplug_param(const struct mm *mm, enum mm_hotplug_param param);

/** The i-th range that was added by a step, by address; `device`: of ZONE_DEVICE. False past the
 * last. `kmem` says whether it is persistent memory. */
bool mm_hotplug_range(const struct mm *mm, bool device, size_t i, struct mm_range *range,
		      bool *kmem);

#endif
