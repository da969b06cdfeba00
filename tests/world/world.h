/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For property tests of the mm core as a whole: a random machine, and somebody who owns something
 * of everything that there is on it, and does one random thing after the other with it.
 *
 * With `concurrent`, other CPUs do something, too, wherever mm/ops.h says that they may while one
 * waits: an operation stops at a lock that it does not hold yet, as long as it holds none, and the
 * others are begun and ended there. What ops.h and the headers ask of callers is kept: nobody frees
 * what somebody else is just using.
 *
 * A run of it is a seed and a number of operations.
 */
#ifndef TESTS_WORLD_H
#define TESTS_WORLD_H

#include "../mm_fixture.h"
#include "mm/kthread.h"
#include "mm/slab/slab.h"
#include "mm/user/user.h"
#include "mm/vmalloc/kmap.h"

#define WORLD_BLOCKS  2048
#define WORLD_RUNS    16
#define WORLD_POOLED  8
#define WORLD_WRITES  8192
#define WORLD_OBJECTS 512
#define WORLD_CACHES  8
#define WORLD_AREAS   24
#define WORLD_MAPPED  4 /* pages of a vmap() */
#define WORLD_SLOTS   16
#define WORLD_SPACES  5
#define WORLD_RANGES  6
#define WORLD_FILES   3
#define WORLD_CPUS    8
#define WORLD_THREADS 64
#define WORLD_SWAP    1500

/* A block of the page allocator. */
struct world_block {
	struct page *page; /* NULL: nothing */
	unsigned order;
	unsigned pins; /* mappings of the kernel: it must stay */
	bool movable;  /* it may go elsewhere */
	bool followed; /* by reclaim: it may go away, too */
	bool busy;     /* somebody is calling for it */
};

/* Frames one after the other. */
struct world_run {
	struct page *first;
	uint64_t nr; /* 0: nothing */
	bool cma;
};

struct world_object {
	phys_addr_t at;
	uint64_t bytes; /* 0: nothing */
	int cache;      /* -1: kmalloc's */
};

struct world_cache {
	struct mm_kmem_cache *cache; /* NULL: none */
	struct mm_cache_args args;
	char name[12];
	unsigned users; /* calls under way, or objects */
};

struct world_area {
	uint64_t at;
	bool in_use;
	struct world_block *pages[WORLD_MAPPED];
	unsigned nr_pages; /* 0: vmalloc() */
};

/* A page that a CPU has mapped for itself. */
struct world_slot {
	uint64_t at;
	struct world_block *block;
};

struct world_range {
	uint64_t at, pages; /* 0: none */
	bool hugetlb;
};

struct world_space {
	struct mm_space *space;
	struct world_range ranges[WORLD_RANGES];
	unsigned users; /* accesses under way */
	bool busy;      /* something else */
};

struct world {
	struct machine machine;
	struct mm *mm;
	uint64_t rng;
	bool concurrent;
	const char *doing; /* the operation, for messages */

	bool cpu_busy[WORLD_CPUS];
	int depth, locks_held;
	int others; /* that may still be begun within the operation */
	bool thread_busy[WORLD_THREADS];
	bool hotplug_busy;

	struct world_block blocks[WORLD_BLOCKS];
	struct world_run runs[WORLD_RUNS];
	struct page *pooled[WORLD_POOLED];
	uint64_t reserved; /* of the pool */
	struct page *writes[WORLD_WRITES];
	size_t nr_writes;
	struct mm_read *reads[WORLD_WRITES];
	size_t nr_reads;
	uint64_t in_swap; /* pages of blocks that reclaim took */

	struct world_object objects[WORLD_OBJECTS];
	struct world_cache caches[WORLD_CACHES];
	unsigned serial;
	struct world_area areas[WORLD_AREAS];
	struct world_slot slots[WORLD_CPUS][WORLD_SLOTS];
	unsigned nr_slots[WORLD_CPUS];

	struct world_space spaces[WORLD_SPACES];
	struct mm_file *files[WORLD_FILES];

	/* What happened, so that a test can see that something did. */
	uint64_t relieved; /* of what failed */
	uint64_t allocs, failed, reclaimed, moved, nested, hotplugs, slab_allocs, vmallocs, faults;
};

/** A random machine: of any memory model, UMA, NUMA, memory-less nodes, i386 with high memory. */
struct machine world_machine(uint64_t *rng);
/** In one line, for messages; static storage. */
const char *world_machine_name(const struct machine *m);

/** Boot it, with nothing in use. NULL never: the test fails. Free with world_end(). */
struct world *world_begin(const struct machine *m, uint64_t seed, bool concurrent);
/** One random operation, on a CPU that has nothing to do. */
void world_step(struct world *w);
/** mm_verify(), and what the owner knows; fails the test. */
void world_verify(struct world *w, uint64_t operation);
/** Give everything back; the test fails where something is left. */
void world_end(struct world *w);

/* Among the files of the world. */

static inline uint64_t world_below(struct world *w, uint64_t n)
{
	return random_below(&w->rng, n);
}
static inline bool world_one_in(struct world *w, uint64_t n)
{
	return world_below(w, n) == 0;
}
static inline int world_node(struct world *w)
{
	return (int)world_below(w, (uint64_t)mm_nr_nodes(w->mm));
}

/* An operation of a kind, by chance one or the other; does nothing where it cannot. */
void world_pages(struct world *w, int cpu);
void world_moves(struct world *w, int cpu);
void world_pool(struct world *w, int cpu);
void world_slab(struct world *w, int cpu);
void world_vmap(struct world *w, int cpu);
void world_process(struct world *w, int cpu);
void world_files(struct world *w, int cpu);
/** Some read that is under way is done. */
void world_read_done(struct world *w, int cpu);
void world_system(struct world *w, int cpu);
void world_hotplug(struct world *w, int cpu);
void world_threads(struct world *w, int cpu);

/* Where memory has run out: half of all blocks go, a process goes. */
void world_free_some(struct world *w, int cpu);
void world_kill(struct world *w, int cpu);

/* Give all of a kind back. */
void world_pages_end(struct world *w);
void world_kernel_end(struct world *w);
void world_process_end(struct world *w);
void world_threads_end(struct world *w);
void world_hotplug_end(struct world *w);

/** Any policy, also without nodes, or with some that are not there. */
void world_policy(struct world *w, struct mm_policy *p);
/** A block in use that may be pinned: one page that never moves. NULL: none was found. */
struct world_block *world_pinnable(struct world *w);

#endif
