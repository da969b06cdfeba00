/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steps of memory hotplug as text, in the words of sysfs: "add:0x140000000+512M@0",
 * "online_kernel:memory32-38", "auto_online_blocks:online_movable". Of --hotplug, machine files,
 * scenarios and traces.
 */
#ifndef SIM_MACHINE_HOTPLUG_H
#define SIM_MACHINE_HOTPLUG_H

#include "mm/hotplug/hotplug.h"
#include "sim/config/diag.h"

/**
 * Read a step. Returns 0 and *step; -EINVAL with what was found and what was expected, and the
 * nearest known word, in wrong[].
 */
int hotplug_parse(const char *text, struct mm_hotplug_step *step, char *wrong, size_t size);

/** Where the memory that the step adds ends; 0 where it adds none. */
phys_addr_t hotplug_step_end(const struct mm_hotplug_step *step);

/** The words that a step may begin with, for help; NULL past the last. */
const char *hotplug_word(unsigned i);
/** What follows that word: "START+SIZE[@NODE]". */
const char *hotplug_word_takes(unsigned i);

#endif
