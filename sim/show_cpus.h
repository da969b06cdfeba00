/* SPDX-License-Identifier: Apache-2.0 */
/* What `show topology` says of CPUs beyond their nodes: threads, lines in flight, caches, TLBs. */
#ifndef SIM_SHOW_CPUS_H
#define SIM_SHOW_CPUS_H

#include <stdio.h>

#include "sim/json.h"
#include "sim/machine/machine.h"

/** Of a node with CPUs: what each of them has. */
void show_cpus_gather_node(json_t *node, const struct machine *m, int nid);
/** `caches`, `line_transfers` and `tlb` of the machine, where it describes them. */
void show_cpus_gather(json_t *doc, const struct machine *m);
/** "2 threads a core; 12 lines in flight, 20 of a stream", or "". */
void show_cpus_node_text(const json_t *node, char *buf, size_t size);
void show_cpus_print(const json_t *doc, FILE *out);

#endif
