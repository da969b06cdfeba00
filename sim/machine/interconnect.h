/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lies between CPUs and memory banks: links from topologies, routes over them, and the
 * splitting of a measured matrix into banks and links.
 *
 * Works on a struct machine whose nodes, CPUs (cpu_nid) and banks' nodes are known. Latencies are
 * in picoseconds and at most INTERCONNECT_MAX_PS, so that no route overflows; rates are not 0.
 */
#ifndef SIM_INTERCONNECT_H
#define SIM_INTERCONNECT_H

#include "sim/machine/machine.h"

#define INTERCONNECT_MAX_PS    UINT64_C(1000000000000) /* a second */
#define INTERCONNECT_MAX_LINKS (1 << 20)               /* each of 1024 nodes with each */
#define INTERCONNECT_MAX_HOPS  (16 << 20)              /* links of all routes together */

/* The two figures of a bank, a link or a pair of nodes. */
struct wire {
	uint64_t latency_ps;
	uint64_t bytes_per_s;
	uint64_t write_bytes_per_s;      /* of a link or a pair: of what is written; 0: shared */
	const struct machine_load *load; /* of a link; NULL: none */
};

/** Add a one-way link. Returns 0; -E2BIG (INTERCONNECT_MAX_LINKS); -ENOMEM. */
int interconnect_link(struct machine *m, int from, int to, const struct wire *wire);

/*
 * Links of equal figures, both ways, over all nodes 0 to nr_nodes - 1. Errors as
 * interconnect_link().
 */
/** Each node with each other. */
int interconnect_full(struct machine *m, const struct wire *wire);
/** Each node with the next one, the last with the first. */
int interconnect_ring(struct machine *m, const struct wire *wire);
/** Rows of `columns` nodes, each with its neighbours; nr_nodes is a multiple of columns. */
int interconnect_mesh(struct machine *m, int columns, const struct wire *wire);

/**
 * Groups of `size` nodes, by their ids: links within a group from each to each, and between groups
 * a wire each way, which is the link of each node of the one to each of the other. nr_nodes is a
 * multiple of size.
 */
int interconnect_two_level(struct machine *m, int size, const struct wire *inner,
			   const struct wire *outer);

/* Two nodes, of what an error is about. */
struct node_pair {
	int from, to;
};

/**
 * Fill machine.routes over the links: the least latency, of those the fewest links, of those the
 * one through the lowest node numbers, compared from the CPU on.
 * Returns 0; -ENETUNREACH where a CPU of pair->from has no way to the memory of pair->to; -E2BIG
 * (INTERCONNECT_MAX_HOPS); -ENOMEM.
 */
int interconnect_route(struct machine *m, struct node_pair *pair);

/**
 * Banks, links and routes from what was measured between each pair: pairs[from * nr_nodes + to],
 * rows of nodes without CPUs unused. A bank has the least latency and the largest rate of its
 * column (or the rate that it has already); where a pair has more latency or another rate than
 * that, a link of its own holds the rest. So each route gives back exactly its pair. Returns 0;
 * -E2BIG, -ENOMEM.
 */
int interconnect_matrix(struct machine *m, const struct wire *pairs);

/* Some nodes. */
struct node_list {
	const int *nids;
	int nr;
};
/**
 * One more link, on all routes from `from` to `to`: what they carry together is what it carries.
 * Its latency is 0. Returns how many routes they are; -E2BIG, -ENOMEM.
 */
int interconnect_share(struct machine *m, const struct node_list *from, const struct node_list *to,
		       const struct wire *wire);

/** Free links and routes. */
void interconnect_clear(struct machine *m);

/** By node: does it have CPUs? free() it; NULL: no memory. */
bool *machine_cpu_nodes(const struct machine *m);
/** Does node `nid` have memory? */
bool machine_has_memory(const struct machine *m, int nid);

#endif
