/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of memory hotplug for a machine, by a random number: each can be taken after the others. */
#ifndef SIM_PLUG_STEPS_H
#define SIM_PLUG_STEPS_H

#include "sim/machine/machine.h"

/**
 * So many steps, as text: memory blocks beyond the machine's are added, go online in zones of the
 * kernel or in Movable, offline, and are removed. They are tried on the machine with nobody at
 * work; the machine has them planned then. Returns 0 and *steps (`nr` of them; free each, and the
 * list); -EOPNOTSUPP with the reason in why[] where there is no memory hotplug; what booting said,
 * with the reason in diag; -ENOMEM.
 */
int plug_steps(struct machine *m, uint64_t seed, unsigned nr, struct diag *diag, char *why,
	       size_t size, char ***steps);

#endif
