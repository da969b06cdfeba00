/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the tests of the mm core: a machine in a few lines, a sink that writes down what it is told,
 * and random numbers that are the same everywhere.
 *
 *	struct mm *mm = boot(&(struct machine){
 *		.memory = {{0, 64 * MiB, 0}, {64 * MiB, 64 * MiB, 1}}, .cpus = {2, 1}});
 *
 * is an x86_64 machine with two nodes of 64 MiB, CPUs 0 and 1 on node 0 and CPU 2 on node 1.
 */
#ifndef TESTS_MM_FIXTURE_H
#define TESTS_MM_FIXTURE_H

#include "mm/internal.h"

#define KiB (UINT64_C(1) << 10)
#define MiB (UINT64_C(1) << 20)
#define GiB (UINT64_C(1) << 30)

#define MACHINE_NODES    20
#define MACHINE_RANGES   20
#define MACHINE_RESERVED 100
#define MACHINE_PRESETS  48

struct machine {
	enum mm_arch_id arch;
	enum mm_memory_model model;
	struct mm_range memory[MACHINE_RANGES];           /* up to the first of 0 bytes */
	struct mm_reservation reserved[MACHINE_RESERVED]; /* likewise */
	struct mm_release late[MACHINE_RANGES];           /* likewise */
	bool reservations_complete;
	int cpus[MACHINE_NODES]; /* how many; all zero: one on node 0 */
	int nodes;               /* 0: up to the last that has anything */
	/* distance[a][b]; 0: 10 on the diagonal, 20 elsewhere */
	uint8_t distance[MACHINE_NODES][MACHINE_NODES];
	struct mm_zone_preset presets[MACHINE_PRESETS];
	size_t nr_presets;
	const struct mm_profile *profile; /* what it reserves wants `homes` */
	bool hot_cold;    /* instead of a profile: lists of CPUs as up to 4.14, with `low` */
	bool by_mobility; /* as of 4.19 to 5.13 */
	uint64_t crashkernel_bytes;
	phys_addr_t possible_end, hotplug_end;
	uint64_t memory_block_bytes;
	bool grouped_by_rule; /* a machine with little memory does not group pages by mobility */
	bool homes; /* the core's own structures take memory of the machine: a real boot */
	/* Parameters; 0 is the kernel's default, for min_free_kbytes too. */
	uint64_t min_free_kbytes, watermark_scale_factor, high_fraction;
	uint64_t kernelcore_bytes, movablecore_bytes;
	uint64_t reserve_ratio[MM_NR_ZONE_TYPES]; /* lowmem_reserve_ratio; all 0: the kernel's */
	bool no_reserve;                          /* lowmem_reserve_ratio is 0 everywhere */
	struct mm_range memmap[MACHINE_RANGES];   /* holes, up to the first of 0 bytes */
	struct mm_range hotpluggable[MACHINE_RANGES], mirrored[MACHINE_RANGES]; /* likewise */
	bool movable_node, kernelcore_mirror;
	uint64_t mem_bytes, numa_fake, numa_fake_bytes, numa_fake_each;
	bool numa_off;
	struct mm_vm_params vm;
	bool no_thp;
	uint64_t cma_bytes;
	uint64_t hugepages;                   /* in the pool at boot */
	uint64_t hugepages_of[MACHINE_NODES]; /* the same by node, of so many nodes: */
	int nodes_with_hugepages;
	uint64_t gigantic;                   /* gigantic ones, in the pool at boot */
	uint64_t gigantic_of[MACHINE_NODES]; /* the same by node, of so many nodes: */
	int nodes_with_gigantic;
	bool gigantic_by_default; /* default_hugepagesz= */
	unsigned slab_debug;      /* MM_SLAB_DEBUG flags of all caches */
	bool slab_nomerge, no_slab_defrag;
	bool page_owner, page_table_check;
	bool exact_counts; /* CPUs hold back nothing of the zones' counters */
};

/* A record of one call of an op. */
enum record_kind {
	REC_WORK,
	REC_ACCESS,
	REC_LOCK,
	REC_UNLOCK,
	REC_EVENT,
	REC_WAKE,
	REC_SLEEP,
	REC_WRITE,
	REC_READ,
	REC_RECLAIMED,
	REC_MOVED,
	REC_SHOOTDOWN,
};
struct record {
	enum record_kind kind;
	int cpu;
	enum mm_site site;     /* of REC_WORK; of others, the site that it belongs to */
	uint32_t nr;           /* REC_WORK */
	phys_addr_t at;        /* REC_ACCESS, REC_LOCK, REC_UNLOCK */
	uint64_t bytes;        /* REC_ACCESS, REC_READ, REC_WRITE; REC_SLEEP: microseconds */
	enum mm_store store;   /* REC_READ, REC_WRITE */
	enum mm_access how;    /* REC_ACCESS */
	struct mm_event event; /* REC_EVENT */
	struct page *page;     /* REC_WRITE, REC_RECLAIMED, REC_MOVED, REC_SHOOTDOWN */
	struct page *to;       /* REC_MOVED */
	bool swapped;          /* REC_RECLAIMED */
	uint64_t shadow;       /* likewise */
};

struct recorder {
	struct mm *mm;
	struct record *records;
	size_t nr, capacity;
	enum mm_site site;
	/* Called at each lock() before it is taken, and each unlock() after it is left; may be
	 * NULL. */
	void (*at_lock)(struct recorder *rec, bool locking, int cpu);
	bool hold_threads; /* threads that are woken do not run until the test runs them */
	bool hold_writes;  /* writes are not done until the test says so */
	unsigned calls;
};

/** Boot the machine; the test fails where it is refused. Free with mm_destroy(). */
struct mm *boot(const struct machine *m);
/** The same with a recorder as the sink; rec->records is free()d by the caller. */
struct mm *boot_recorded(const struct machine *m, struct recorder *rec);
/** Boot and expect a refusal: returns mm_boot()'s error. */
int boot_refused(const struct machine *m, struct mm_refusal *refusal);

/** The same with any ops. */
struct mm *boot_with(const struct machine *m, const struct mm_ops *ops, void *ctx);
/** The recorder's ops, for a test that replaces one. */
extern const struct mm_ops recorder_ops;
/** Forget what was recorded so far. */
void record_from_here(struct recorder *rec);
/** How many records are of that kind; of that site's work; of that event. */
size_t count_records(const struct recorder *rec, enum record_kind kind);
uint32_t count_work(const struct recorder *rec, enum mm_site site);
size_t count_events(const struct recorder *rec, enum mm_event_type type);
/** The i-th record of that kind; the test fails where there is none. */
const struct record *nth_record(const struct recorder *rec, enum record_kind kind, size_t i);

/** Allocate from the CPU, preferring its own node. NULL where it failed. */
struct page *alloc(struct mm *mm, int cpu, unsigned order, gfp_t gfp);
/** The same, preferring node `nid`. */
struct page *alloc_on(struct mm *mm, int cpu, int nid, unsigned order, gfp_t gfp);
pfn_t pfn_of(struct mm *mm, const struct page *page);
struct mm_zone_info zone_info(const struct mm *mm, int nid, int zone);
/** The zone that a zone info is about, for tests that look inside. */
struct mm_zone *zone_of(struct mm *mm, int nid, enum mm_zone_type type);

/** Give all pages on all per-CPU lists back to their zones; costs nothing, is not reported. */
void drain_all(struct mm *mm);

/** The test fails, with `where` and the violation, unless everything holds. */
void must_verify(const struct mm *mm, const char *where);

/** A random number (splitmix64), and one below `n`. */
uint64_t random_next(uint64_t *state);
uint64_t random_below(uint64_t *state, uint64_t n);
/** Seed of a random test: NUMASIM_SEED, or the one given. It is printed if the test fails. */
uint64_t random_seed(uint64_t otherwise);
/** A number from the environment, or the one given. */
uint64_t number_from_env(const char *name, uint64_t otherwise);

#endif
