/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pages that are allocated at a point of a trace: from page frame number to the number of the
 * allocation. A hash with open addressing; a kernel's trace looks up or edits it at each event.
 */
#ifndef SIM_TRACE_LIVEMAP_H
#define SIM_TRACE_LIVEMAP_H

#include "mm/types.h"

struct livemap_entry {
	pfn_t pfn;
	uint32_t page;
	uint8_t order;
};

struct livemap {
	struct livemap_entry *slots; /* 2^bits, at most three quarters in use */
	unsigned bits;
	size_t nr_used;
};

#define LIVEMAP_NO_PFN UINT64_MAX /* in a slot that is free; never the pfn of an entry */

/** Returns 0 or -ENOMEM. */
int livemap_init(struct livemap *m);
void livemap_clear(struct livemap *m);
/** The entry of `pfn`, valid until the next call of the two below, or NULL. */
struct livemap_entry *livemap_find(const struct livemap *m, pfn_t pfn);
/** Add an entry for a pfn that has none. Returns 0 or -ENOMEM. */
int livemap_add(struct livemap *m, const struct livemap_entry *entry);
/** Take out what livemap_find() found. */
void livemap_remove(struct livemap *m, struct livemap_entry *entry);

#endif
