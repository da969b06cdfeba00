/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which bank holds a physical address: the machine's memory ranges, and those that steps of hotplug
 * add, sorted, for look-ups at every access. Ranges do not overlap.
 */
#ifndef SIM_BANK_MAP_H
#define SIM_BANK_MAP_H

#include "mm/hotplug/hotplug.h"
#include "sim/machine/machine.h"

struct bank_map {
	struct mm_range *ranges; /* owned, by address */
	size_t nr;
};

/** Returns 0, or -ENOMEM. */
int bank_map_init(struct bank_map *map, const struct machine *m);
void bank_map_clear(struct bank_map *map);
/**
 * A step is about to be taken: what it adds, and has no descriptors of `mm` yet (NULL: all of it),
 * is at the bank of its node from now on. Nothing for other steps.
 */
void bank_map_plug(struct bank_map *map, const struct mm *mm, const struct mm_hotplug_step *step);

/**
 * The range that holds `at`, or NULL. `memo` is the caller's, 0 at first: the range found last,
 * which is looked at first.
 */
const struct mm_range *bank_map_find(const struct bank_map *map, phys_addr_t at, size_t *memo);

#endif
